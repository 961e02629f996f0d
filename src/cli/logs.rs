//! `txnr logs`: the log of a service.

use super::aws_cli::{self, Aws};
use super::output::data;
use super::{EnvsFolder, Failure, today};
use crate::check;
use crate::operate::answer::Events;
use crate::operate::call::printed;
use crate::operate::logs::{self, Ago, Shown};
use clap::Args;
use std::thread;
use std::time::Duration;

/// Prints the log of a service: time, task, message
///
/// By calls of AWS's own program, aws. What a terminal would obey is replaced, and each event begins a line of its own. The
/// credentials that aws finds (AWS_PROFILE, for one) have to be of the environment's account; the operators' role may do it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Logs {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: String,

    /// The service; the main one where none is named
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    #[command(flatten)]
    envs: EnvsFolder,

    /// How far back to begin: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = ago)]
    since: Ago,

    /// Go on until interrupted
    #[arg(long)]
    follow: bool,

    /// Only events that match, as CloudWatch Logs writes filters:
    /// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    #[arg(long, value_name = "PATTERN", allow_hyphen_values = true)]
    filter: Option<String>,

    /// Print the call instead of making it
    #[arg(long)]
    print: bool,
}

const EXAMPLES: &str = "Examples:
  txnr logs --env prod
  txnr logs --env prod --service portal --since 1h --follow
  txnr logs --env prod --since 1d --filter '{ $.level = \"ERROR\" }'
  txnr logs --env prod --print";

fn ago(text: &str) -> Result<Ago, String> {
    text.parse().map_err(|invalid: crate::config::Invalid| {
        format!("{}; allowed: {}", invalid.problem, invalid.allowed)
    })
}

/// How long a log that is followed is left alone: CloudWatch Logs takes five such calls a second of an account.
const PAUSE: Duration = Duration::from_secs(2);

impl Logs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let loaded = check::load_some(&self.envs.folder, std::slice::from_ref(&self.name))?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let config = &environment.config;
        let workload = aws_cli::workload(config, self.service.as_deref())?;
        let mut from = self.since.before(today::now());
        let call = |from| logs::events(config, workload, from, self.filter.as_deref());
        if self.print {
            let again =
                if self.follow { "# And again, from the newest event on, every two seconds.\n" } else { "" };
            let calls = format!("{}\n{again}", call(from));
            return Ok(data(printed(config, &calls).as_bytes())?);
        }
        let aws = Aws::of(config)?;
        let mut shown = Shown::default();
        loop {
            let mut next = call(from);
            loop {
                let answer: Events = aws.ask(&next)?;
                let lines: String =
                    answer.events.iter().filter(|event| shown.is_new(event)).map(logs::line).collect();
                data(lines.as_bytes())?;
                match answer.next_token {
                    Some(token) => next = logs::further(call(from), &token),
                    None => break,
                }
            }
            if !self.follow {
                return Ok(());
            }
            from = shown.go_on(from);
            thread::sleep(PAUSE);
        }
    }
}
