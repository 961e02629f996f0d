//! AWS's own program, `aws`, as this process calls it.

use super::Failure;
use crate::config::{EnvConfig, Workload, suggest};
use crate::exit;
use crate::operate::answer::shown;
use crate::operate::call::{self, Call};
use serde::de::DeserializeOwned;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::process::{Command, Output};

/// The program, known to be recent enough and to have credentials of the environment's account.
pub(super) struct Aws(());

impl Aws {
    /// Looks for the program, and asks it whose credentials it has.
    pub(super) fn of(config: &EnvConfig) -> Result<Self, Failure> {
        is_recent()?;
        let aws = Self(());
        let identity = call::identity(config);
        let output = run(identity.words())?;
        if !output.status.success() {
            let what = format!("`{}` knows no credentials that hold: {}", identity.name(), told(&output));
            let help = "sign in (`aws sso login`), or name a profile in AWS_PROFILE";
            return Err(Failure::new(exit::NO_AWS, what, help));
        }
        let account = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if account == config.account_id.to_string() {
            return Ok(aws);
        }
        let what = if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
            format!(
                "the credentials are of another account than the one of {}; nothing was called",
                config.name
            )
        } else {
            format!("`{}` answers with something that is no account", identity.name())
        };
        let help = format!(
            "credentials of the account that `account_id` in {}.toml names, such as a profile in AWS_PROFILE",
            config.name
        );
        Err(Failure::new(exit::OTHER_ACCOUNT, what, help))
    }

    /// Makes a call that answers in JSON.
    pub(super) fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        let output = run(call.words())?;
        if !output.status.success() {
            let what = format!("`{}` failed: {}", call.name(), told(&output));
            return Err(Failure::new(exit::AWS_FAILED, what, format!("by hand: {call}")));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| {
            let what = format!("`{}` answers with something unexpected: {error}", call.name());
            Failure::new(exit::AWS_FAILED, what, format!("look at what it prints: {call}"))
        })
    }

    /// Makes a call on this process's terminal, in its place.
    #[cfg(unix)]
    pub(super) fn becomes(self, call: &Call) -> Failure {
        use std::os::unix::process::CommandExt as _;
        let error = Command::new("aws").args(call.words()).exec();
        Failure::new(exit::NO_AWS, format!("`aws` could not be started: {error}"), INSTALL)
    }

    /// Makes a call on this process's terminal.
    #[cfg(not(unix))]
    pub(super) fn becomes(self, call: &Call) -> Failure {
        let what = match Command::new("aws").args(call.words()).status() {
            Ok(status) if status.success() => return Failure::silent(exit::OK),
            Ok(status) => format!("`{}` failed: {status}", call.name()),
            Err(error) => format!("`aws` could not be started: {error}"),
        };
        Failure::new(exit::AWS_FAILED, what, format!("by hand: {call}"))
    }
}

const INSTALL: &str =
    "install the AWS CLI: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";

fn unavailable(what: &str) -> Failure {
    Failure::new(exit::NO_AWS, what, INSTALL)
}

/// Runs the program to its end, without what would wait for somebody.
fn run<W: AsRef<OsStr>>(words: &[W]) -> Result<Output, Failure> {
    let mut command = Command::new("aws");
    command.args(words).env("AWS_PAGER", "").env("AWS_CLI_AUTO_PROMPT", "off");
    command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => unavailable("the program `aws` is not on the PATH"),
        _ => unavailable(&format!("`aws` could not be started: {error}")),
    })
}

/// The last line that the program said, which is the one about the error.
fn told(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.map_or_else(|| output.status.to_string(), shown)
}

fn is_recent() -> Result<(), Failure> {
    let output = run(&["--version"])?;
    let said = String::from_utf8_lossy(&output.stdout);
    let [old, new] = call::OLDEST.map(|parts| parts.map(|part| part.to_string()).join("."));
    match call::release(&said) {
        Some(release) if call::is_recent(release) => Ok(()),
        Some(release) => {
            let release = release.map(|part| part.to_string()).join(".");
            let what = format!(
                "the AWS CLI is {release}, which is too old: {old} and {new} are the oldest that will do"
            );
            Err(unavailable(&what))
        }
        None => {
            let first = said.lines().next().unwrap_or_default();
            Err(unavailable(&format!("`aws --version` does not say which release it is: {:?}", shown(first))))
        }
    }
}

/// The program that the AWS CLI hands a session to.
pub(super) fn has_session_plugin() -> Result<(), Failure> {
    match Command::new("session-manager-plugin").arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) => {
            let what = format!("the program `session-manager-plugin` cannot be run: {error}");
            let help = "install it: https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";
            Err(Failure::new(exit::NO_AWS, what, help))
        }
    }
}

/// The service of that name, or the main one.
pub(super) fn workload<'c>(config: &'c EnvConfig, name: Option<&str>) -> Result<Workload<'c>, Failure> {
    let Some(name) = name else { return Ok(config.main_service()) };
    config.workloads().find(|workload| workload.service.name.as_str() == name).ok_or_else(|| {
        let known: Vec<&str> = config.workloads().map(|workload| workload.service.name.as_str()).collect();
        let list = known.join(", ");
        let help = match suggest::nearest(name, known) {
            Some(nearest) => format!("did you mean `{nearest}`? there are {list}"),
            None => format!("there are {list}"),
        };
        Failure::new(exit::USAGE, format!("{} has no service `{}`", config.name, shown(name)), help)
    })
}

/// The same, which has to have an image: without one ECS has no service.
pub(super) fn deployed<'c>(config: &'c EnvConfig, name: Option<&str>) -> Result<Workload<'c>, Failure> {
    let workload = workload(config, name)?;
    if workload.service.image.is_some() {
        return Ok(workload);
    }
    let what = format!("{} of {} has no image yet, so that nothing runs", workload.service.name, config.name);
    Err(Failure::new(exit::NO_SESSION, what, "`txnr image` names one in the environment's file"))
}
