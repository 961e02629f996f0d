//! The command line: one file per subcommand, each with its arguments and a thin `run`.

mod alarms;
mod aws_cli;
mod bootstrap;
mod check;
mod compare_plans;
mod completions;
mod cost;
mod diff;
mod envs;
mod exec;
mod failure;
mod findings;
mod git;
mod github;
mod image;
mod init;
mod inventory;
mod logs;
mod man;
mod modules;
mod output;
mod plan_comment;
mod prompt;
mod reach;
mod restore;
mod schema;
mod sides;
mod status;
mod synth;
mod today;
mod verify_plan;

pub use failure::Failure;

use crate::exit;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Synthesizes Terraform JSON for a PCI DSS Level 1 service on AWS ECS Fargate.
///
/// Reads environment files (envs/*.toml) and writes one Terraform root module per environment, which plain terraform
/// then plans and applies.
#[derive(Debug, Parser)]
#[command(name = "txnr", version, max_term_width = 100, after_long_help = after_help())]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Synth(synth::Synth),
    Bootstrap(bootstrap::Bootstrap),
    Envs(envs::Envs),
    Inventory(inventory::Inventory),
    Init(Box<init::Init>),
    Image(image::Image),
    Status(status::Status),
    Logs(logs::Logs),
    Exec(exec::Exec),
    Restore(restore::Restore),
    Diff(diff::Diff),
    Cost(cost::Cost),
    PlanComment(plan_comment::PlanComment),
    ComparePlans(compare_plans::ComparePlans),
    VerifyPlan(verify_plan::VerifyPlan),
    Findings(findings::Findings),
    Check(check::Check),
    Reach(reach::Reach),
    Schema(schema::Schema),
    Alarms(alarms::Alarms),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// With what went wrong, in words for the user and as an exit code.
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Synth(synth) => synth.run(),
            Command::Bootstrap(bootstrap) => bootstrap.run(),
            Command::Envs(envs) => envs.run(),
            Command::Inventory(inventory) => inventory.run(),
            Command::Init(init) => init.run(),
            Command::Image(image) => image.run(),
            Command::Status(status) => status.run(),
            Command::Logs(logs) => logs.run(),
            Command::Exec(exec) => exec.run(),
            Command::Restore(restore) => restore.run(),
            Command::Diff(diff) => diff.run(),
            Command::Cost(cost) => cost.run(),
            Command::PlanComment(comment) => comment.run(),
            Command::ComparePlans(plans) => plans.run(),
            Command::VerifyPlan(plan) => plan.run(),
            Command::Findings(findings) => findings.run(),
            Command::Check(check) => check.run(),
            Command::Reach(reach) => reach.run(),
            Command::Schema(schema) => schema.run(),
            Command::Alarms(alarms) => alarms.run(),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}

/// Where the environment files are.
#[derive(Debug, clap::Args)]
struct EnvsFolder {
    /// The folder of the environment files
    #[arg(long = "envs", value_name = "DIR", default_value = "envs", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,
}

/// The examples of the whole command, for help and man page.
const EXAMPLES: &str = "  txnr synth --all
  txnr synth --env prod && terraform -chdir=out/prod init && terraform -chdir=out/prod plan
  txnr synth --all --check
  txnr bootstrap --env prod
  txnr envs --json
  txnr inventory --env prod --format csv
  txnr check --env prod
  txnr reach --env prod --from internet --to tasks
  txnr diff --env prod
  txnr cost --env prod
  txnr status --env prod
  txnr init
";

fn after_help() -> String {
    format!("Examples:\n{EXAMPLES}\nExit codes:\n{}", exit::table())
}
