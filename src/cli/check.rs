//! `txnr check`: an environment's module, held to the controls.

use super::output::{data, say};
use super::{EnvsFolder, Failure, today};
use crate::bootstrap::{self, OwnState};
use crate::check;
use crate::config::Date;
use crate::control::{self, About, Platform, Verdict};
use crate::exit;
use crate::synth::synth;
use clap::{Args, ValueEnum};

/// Holds an environment's generated module to the controls of PCI DSS
///
/// Each control gets a verdict: configured, violated, unknown (somebody else has to show it), not-applicable, inherited
/// (AWS answers for it) or process (people do). They are never summed. It speaks of files before they are applied. A
/// violation that is meant stands under [[deviations]] in the environment file, with owner, reason, what is done instead,
/// approver and the day on which it ends; it stays violated. A deviation that has expired, or that nothing needs, fails.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: String,

    #[command(flatten)]
    envs: EnvsFolder,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The day that deviations are held to; today, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Date>,

    /// Only what is violated, or unknown
    #[arg(long, conflicts_with = "format")]
    open: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each control, and what is wrong below it
    Text,
    /// One object with every verdict
    Json,
    /// A table for a pull request
    Markdown,
    /// What is violated, for code scanning
    Sarif,
}

const EXAMPLES: &str = "Examples:
  txnr check --env prod
  txnr check --env prod --open
  txnr check --env prod --format markdown >> \"$GITHUB_STEP_SUMMARY\"
  txnr check --env prod --format sarif > txnr.sarif
  txnr check --env prod --on 2027-03-31";

impl Check {
    pub(super) fn run(self) -> Result<(), Failure> {
        let loaded = check::load_all(&self.envs.folder)?;
        let named =
            loaded.environments.iter().find(|environment| environment.config.name.as_str() == self.name);
        let Some(environment) = named else {
            let what = format!("there is no environment `{}` in {}", self.name, self.envs.folder.display());
            return Err(Failure::new(exit::USAGE, what, "`txnr envs` lists the environments"));
        };
        let config = &environment.config;
        let mut platform = Platform::of_environment(config, &synth(config)?);
        for other in loaded.environments.iter().filter(|other| other.config.name != config.name) {
            platform.siblings.push(Platform::of_environment(&other.config, &synth(&other.config)?));
        }
        let account = bootstrap::accounts([config]).map_err(anyhow::Error::from)?;
        let bootstrap = match account.first().filter(|_| config.github.is_some()) {
            Some(account) => {
                Some(Platform::of_environment(config, &bootstrap::build(account, OwnState::Bucket)?))
            }
            None => None,
        };
        let on = self.on.clone().unwrap_or_else(today::today);
        let judged = control::judge(&platform, bootstrap.as_ref(), &config.deviations);
        let about = About { environment: config.name.as_str(), on: &on };
        let file = self.envs.folder.join(format!("{}.toml", config.name));
        let text = match self.format {
            Format::Text if self.open => {
                let open = |verdict: &Verdict| matches!(verdict, Verdict::Violated(_) | Verdict::Unknown(_));
                let judged: Vec<_> = judged.iter().filter(|one| open(&one.verdict)).cloned().collect();
                control::text(&judged, about)
            }
            Format::Text => control::text(&judged, about),
            Format::Json => control::json(&judged, about),
            Format::Markdown => control::markdown(&judged, about),
            Format::Sarif => control::sarif(&judged, about, &file.display().to_string()),
        };
        data(text.as_bytes())?;
        let faults = control::faults(&judged, &config.deviations, &on);
        for fault in &faults {
            say(fault);
        }
        let open = judged.iter().filter(|one| one.is_open(&on)).count();
        if open == 0 && faults.is_empty() {
            return Ok(());
        }
        let what = format!(
            "{}: {open} controls are violated without a deviation, and {} deviations have expired or are idle",
            config.name,
            faults.len()
        );
        let help = "mend what the lines above name, or put [[deviations]] into the environment file; take out what is idle";
        Err(Failure::new(exit::VIOLATED, what, help))
    }
}
