//! `txnr verify-plan`: what is to be applied, held to what was reviewed.

use super::output::say;
use super::plan_comment::read_plan;
use super::sides::{self, Sides};
use super::{EnvsFolder, Failure, git};
use crate::config::EnvName;
use crate::exit;
use crate::review::Review;
use clap::Args;
use std::path::PathBuf;

/// Holds a plan to the changes since a revision
///
/// What `txnr diff` says of the changes since the revision that was applied last and completely is held against a plan that
/// was made with a refresh. What it foresees passes, however many merges lie in between; so does drift that an update in place
/// undoes, which is listed, and an update of which every value is proved to be the same. Anything else fails.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct VerifyPlan {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: EnvName,

    /// The revision that was applied last and completely
    #[arg(long, value_name = "REV")]
    since: String,

    #[command(flatten)]
    envs: EnvsFolder,

    /// The folder of the generated modules
    #[arg(long, value_name = "DIR", default_value = "out", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,

    /// What `terraform show -json` printed of the plan that is to be applied; `-` is standard input
    #[arg(value_hint = clap::ValueHint::FilePath)]
    plan: PathBuf,
}

const EXAMPLES: &str = "Examples:
  txnr verify-plan --env prod --since v1.4.0 plan.json
  terraform -chdir=out/prod show -json apply.plan | txnr verify-plan --env prod --since applied/prod -";

impl VerifyPlan {
    pub(super) fn run(self) -> Result<(), Failure> {
        let plan = read_plan(&self.plan)?;
        let base = git::commit(&self.since)?;
        let Sides { base, old, new, notes } =
            sides::of_environment(&self.name, &base, &self.envs.folder, &self.out)?;
        let verified = Review::of(&old, &new).verify(&plan);
        for note in notes {
            say(format_args!("note: {note}"));
        }
        let told = [
            ("foreseen", &verified.foreseen),
            ("undoes drift", &verified.drift),
            ("changes nothing", &verified.noise),
            ("known only after apply", &verified.unknown),
            ("not foreseen", &verified.unforeseen),
        ];
        for (what, lines) in told {
            for line in lines {
                say(format_args!("{what}: {line}"));
            }
        }
        match verified.unforeseen.len() {
            0 => {
                say(format_args!("{}: the plan does what was reviewed since {base}", self.name));
                Ok(())
            }
            count => Err(Failure::new(
                exit::UNSHOWN,
                format!(
                    "{}: the plan does {count} things that the changes since {base} do not foresee",
                    self.name
                ),
                "look at the lines above: a newer revision was applied, or the platform was changed by hand; what drifted and \
                 cannot be undone in place is shown and applied by a run of the workflow \"Terraform\" that somebody starts by hand",
            )),
        }
    }
}
