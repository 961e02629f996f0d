//! `txnr check`: an environment's module, held to the controls.

use super::output::{data, say};
use super::plan_comment::read;
use super::{EnvsFolder, Failure, today};
use crate::bootstrap::{self, OwnState};
use crate::check;
use crate::config::Date;
use crate::control::{self, About, Basis, Platform, Verdict};
use crate::exit;
use crate::synth::synth;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use terraform::query::View;

/// Holds an environment's generated module to the controls of PCI DSS
///
/// Each control gets a verdict: configured, violated, unknown (somebody else has to show it), not-applicable, inherited
/// (AWS answers for it) or process (people do). They are never summed. It speaks of files before they are applied, or with
/// --plan or --state of the module as those have it: what they know otherwise is told, and judged. A violation that is meant stands under [[deviations]] in the environment file, with owner, reason, what is done instead,
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

    /// Judge what a plan foresees: what `terraform show -json` prints of it; `-` is standard input
    #[arg(long, value_name = "PLAN", conflicts_with = "state", value_hint = clap::ValueHint::FilePath)]
    plan: Option<PathBuf>,

    /// Judge what the state holds: what `terraform show -json` prints without a plan; `-` is standard input
    #[arg(long, value_name = "STATE", value_hint = clap::ValueHint::FilePath)]
    state: Option<PathBuf>,

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
  txnr check --env prod --on 2027-03-31
  terraform -chdir=out/prod show -json | txnr check --env prod --state -";

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
        let generated = control::judge(&platform, bootstrap.as_ref(), &config.deviations);
        let (judged, basis) = match self.basis()? {
            None => (generated.clone(), Basis::Generated),
            Some((basis, view)) => {
                let (found, differences) = control::found(&platform, &view);
                for difference in differences {
                    say(difference);
                }
                (control::judge(&found, bootstrap.as_ref(), &config.deviations), basis)
            }
        };
        let otherwise: BTreeMap<_, _> = generated
            .iter()
            .zip(&judged)
            .filter(|(was, is)| was.verdict.name() != is.verdict.name())
            .map(|(was, _)| (was.control.id, was.verdict.name()))
            .collect();
        let about = About { environment: config.name.as_str(), on: &on, basis, generated: &otherwise };
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

impl Check {
    /// The plan or the state that is judged in the generated module's place.
    fn basis(&self) -> Result<Option<(Basis, View)>, Failure> {
        let (basis, path, member) = match (&self.plan, &self.state) {
            (Some(path), _) => (Basis::Planned, path, "planned_values"),
            (None, Some(path)) => (Basis::State, path, "values"),
            (None, None) => return Ok(None),
        };
        let text = read(path)?;
        let no = |what: &dyn std::fmt::Display| {
            let help = match basis {
                Basis::State => "`terraform show -json > state.json`, which a state by itself is not",
                _ => "`terraform show -json saved.plan > plan.json`",
            };
            Failure::new(exit::CANNOT_READ, format!("{}: {what}", path.display()), help)
        };
        let value: Value =
            serde_json::from_slice(&text).map_err(|error| no(&format!("not JSON: {error}")))?;
        if !value[member]["root_module"].is_object() {
            return Err(no(&format!("JSON, but it has no `{member}` of a root module")));
        }
        let view = if basis == Basis::State { View::of_state(&value) } else { View::of_plan(&value) };
        Ok(Some((basis, view)))
    }
}
