//! `txnr findings`: what a scanner found, held to the exceptions.

use super::output::say;
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::Date;
use crate::exit;
use crate::findings::{Exceptions, Report};
use crate::synth::synth;
use clap::Args;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Holds what checkov or Trivy found in an environment to the exceptions that have a reason
///
/// Every finding needs an exception that names its resource; every exception of your own needs a finding, a reason and a
/// day until which it holds. What txnr's own resources fail on purpose is excepted already, for these very resources. A
/// report in which a scanner saw nothing is refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Findings {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: String,

    #[command(flatten)]
    envs: EnvsFolder,

    /// What `checkov --output json` or `trivy config --format json` printed; `-` is standard input
    #[arg(value_hint = clap::ValueHint::FilePath)]
    report: PathBuf,

    /// The exceptions of your own [default: scan-exceptions.toml, if there is one]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    exceptions: Option<PathBuf>,

    /// The day: exceptions that held until an earlier one hold no more [default: today, UTC]
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<Date>,
}

const EXAMPLES: &str = "Examples:
  checkov --framework terraform_plan --file plan.json --output json --soft-fail > checkov.json
  txnr findings --env prod checkov.json
  trivy config --severity HIGH,CRITICAL --format json out/prod | txnr findings --env prod -";

impl Findings {
    pub(super) fn run(self) -> Result<(), Failure> {
        let today = self.today.clone().map_or_else(today, Ok)?;
        let loaded = check::load_some(&self.envs.folder, std::slice::from_ref(&self.name))?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let report = Report::read(&read(&self.report)?).map_err(|error| {
            let what = format!("{}: {error}", self.report.display());
            Failure::new(exit::CANNOT_READ, what, "the scanner's own messages say why; its report is JSON")
        })?;
        let own = self.own()?;
        let root = synth(&environment.config)?;
        let addresses: BTreeSet<String> =
            root.nodes().iter().map(|node| node.address().to_string()).collect();
        let accepted = Exceptions::accepted(&environment.config, &addresses).map_err(anyhow::Error::from)?;
        let mut problems = own.faults(&today, &check::names(&self.envs.folder)?);
        problems.extend(own.unused(&report, &self.name));
        let left = own.unexcused(&report, &self.name);
        let left =
            accepted.unexcused(&report, &self.name).into_iter().filter(|finding| left.contains(finding));
        problems
            .extend(left.map(|finding| format!("{}: {}: {}", finding.address, finding.check, finding.title)));
        for problem in &problems {
            say(problem);
        }
        if problems.is_empty() {
            let found = report.findings.len();
            say(format_args!("{}: {} checks passed, {found} failed for a reason", self.name, report.passed));
            return Ok(());
        }
        Err(Failure::new(
            exit::FINDINGS,
            format!(
                "{}: {} to be mended, or excepted by resource with a reason and a day",
                self.name,
                count(problems.len())
            ),
            format!("mend the resource, or add it to {}", self.file().display()),
        ))
    }

    fn file(&self) -> &Path {
        self.exceptions.as_deref().unwrap_or(Path::new("scan-exceptions.toml"))
    }

    /// The exceptions of one's own; none where no file is named and there is none.
    fn own(&self) -> Result<Exceptions, Failure> {
        let text = match fs::read_to_string(self.file()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.exceptions.is_none() => {
                return Ok(Exceptions::default());
            }
            Err(error) => return Err(unreadable(self.file(), &error)),
        };
        toml::from_str(&text).map_err(|error| {
            let what = format!("{}: {}", self.file().display(), error.to_string().trim_end());
            Failure::new(
                exit::INVALID,
                what,
                "each [[exception]] has check, resources, environments, reason and until",
            )
        })
    }
}

/// The day, in the time zone that all dates of the pipeline are in.
fn today() -> Result<Date, Failure> {
    let today = time::OffsetDateTime::now_utc().date().to_string();
    today.parse().map_err(|_| Failure::from(anyhow::anyhow!("{today} is no day")))
}

fn count(problems: usize) -> String {
    if problems == 1 { "one thing".to_owned() } else { format!("{problems} things") }
}

fn read(path: &Path) -> Result<String, Failure> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(exit::CANNOT_READ, format!("cannot read {}: {error}", path.display()), "")
}
