//! `txnr compare-plans`: what is to be applied, held to what was shown.

use super::Failure;
use super::output::say;
use super::plan_comment::read_plan;
use crate::config::EnvName;
use crate::exit;
use clap::Args;
use std::path::PathBuf;

/// Holds the plan that is to be applied to those that were shown
///
/// A plan that is made anew, with a refresh, must do nothing that the plans do not do that were shown before: every action on
/// every address stands in one of them. The one exception is drift that is undone in place: an update that brings attributes
/// back to what Terraform's state says, and changes no other. All plans are read as `terraform show -json` prints them.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ComparePlans {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: EnvName,

    /// A plan that was shown (repeatable)
    #[arg(long, value_name = "FILE", required = true, value_hint = clap::ValueHint::FilePath)]
    shown: Vec<PathBuf>,

    /// The plan that is to be applied; `-` is standard input
    #[arg(value_hint = clap::ValueHint::FilePath)]
    plan: PathBuf,
}

const EXAMPLES: &str = "Examples:
  terraform -chdir=out/prod show -json apply.plan | txnr compare-plans --env prod --shown reviewed.json -";

impl ComparePlans {
    pub(super) fn run(self) -> Result<(), Failure> {
        let next = read_plan(&self.plan)?;
        let shown = self.shown.iter().map(|path| read_plan(path)).collect::<Result<Vec<_>, _>>()?;
        let beyond = next.beyond(&shown);
        for resource in &beyond {
            say(format_args!("{resource}, which was not shown"));
        }
        let count = match beyond.len() {
            0 => {
                say(format_args!("{}: the plan does what was shown, or undoes drift in place", self.name));
                return Ok(());
            }
            1 => "one thing that was".to_owned(),
            count => format!("{count} things that were"),
        };
        Err(Failure::new(
            exit::UNSHOWN,
            format!("{}: the plan does {count} not shown", self.name),
            "the platform or its state has changed since: plan again; what drifted and cannot be undone in place is shown and \
             applied by a run of the workflow \"Terraform\" that somebody starts by hand",
        ))
    }
}
