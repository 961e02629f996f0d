//! `txnr exec`: a session in a running container.

use super::aws_cli::{self, Aws};
use super::output::data;
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::Workload;
use crate::exit;
use crate::operate::answer::{TaskArns, shown};
use crate::operate::call::printed;
use crate::operate::{session, status};
use clap::Args;

/// Runs a command in a container of a service, on this terminal
///
/// By ECS Exec, which encrypts and logs the session: `exec` in the environment file lets it in, and production refuses that. It
/// needs AWS's own program, aws, and session-manager-plugin, and ends with what aws ends with. The credentials that aws finds
/// (AWS_PROFILE, for one) have to be of the environment's account; the operators' role may do it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Exec {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: String,

    /// The service; the main one where none is named
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// The task, by its id; one that runs where none is named
    #[arg(long, value_name = "ID", value_parser = task)]
    task: Option<String>,

    #[command(flatten)]
    envs: EnvsFolder,

    /// Print the calls instead of making them
    #[arg(long)]
    print: bool,

    /// The command and its words
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = clap::ValueHint::CommandWithArguments)]
    command: Vec<String>,
}

const EXAMPLES: &str = "Examples:
  txnr exec --env dev -- /bin/sh
  txnr exec --env dev --service portal --task 0123456789abcdef0123456789abcdef -- /bin/sh -c 'ls /tmp'
  txnr exec --env dev --print -- /bin/sh";

/// The id of a task: 32 hexadecimal digits, or as it was before 2021, with hyphens.
fn task(text: &str) -> Result<String, String> {
    let fits = (32..=36).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if fits { Ok(text.to_owned()) } else { Err("the id of a task has 32 hexadecimal digits".to_owned()) }
}

impl Exec {
    pub(super) fn run(self) -> Result<(), Failure> {
        let loaded = check::load_some(&self.envs.folder, std::slice::from_ref(&self.name))?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let config = &environment.config;
        let workload = aws_cli::deployed(config, self.service.as_deref())?;
        if !workload.service.exec {
            return Err(self.closed(workload, config.production, &environment.path.display().to_string()));
        }
        if self.print {
            let calls = session::script(config, workload, self.task.as_deref(), &self.command);
            return Ok(data(printed(config, &calls).as_bytes())?);
        }
        let aws = Aws::of(config)?;
        aws_cli::has_session_plugin()?;
        let running: TaskArns = aws.ask(&status::running(config, workload).with("--output", "json"))?;
        let ids: Vec<&str> = running.task_arns.iter().map(|arn| session::id(arn)).collect();
        let found = match &self.task {
            Some(task) => ids.iter().find(|id| *id == task),
            None => ids.first(),
        };
        let Some(task) = found else { return Err(self.none_runs(workload, &ids)) };
        Err(aws.becomes(&session::open(config, workload, task, &self.command)))
    }

    fn closed(&self, workload: Workload<'_>, production: bool, file: &str) -> Failure {
        let what = format!("{} of {} lets no session in", workload.service.name, self.name);
        let help = if production {
            "ECS Exec is off in production, and no key turns it on: a shell in a container goes around every control; `txnr logs` \
             reads the log"
                .to_owned()
        } else {
            format!(
                "`{} = true` in {file} turns it on; apply it, and deploy the service: a task keeps what it began with",
                session::key(workload)
            )
        };
        Failure::new(exit::NO_SESSION, what, help)
    }

    fn none_runs(&self, workload: Workload<'_>, ids: &[&str]) -> Failure {
        let name = &workload.service.name;
        if ids.is_empty() {
            let what = format!("no task of {name} runs in {}", self.name);
            let help = format!(
                "`txnr status --env {}` tells what was deployed, and why it does not start",
                self.name
            );
            return Failure::new(exit::NO_SESSION, what, help);
        }
        let what = format!("no such task of {name} runs in {}", self.name);
        let help = format!("there are {}", shown(&ids.join(", ")));
        Failure::new(exit::NO_SESSION, what, help)
    }
}
