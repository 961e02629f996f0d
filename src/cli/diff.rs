//! `txnr diff`: what a change of an environment's module means.

use super::git::{self, Commit};
use super::output::{data, say};
use super::sides::{self, Sides};
use super::{EnvsFolder, Failure, today};
use crate::check;
use crate::config::{Date, EnvName};
use crate::exit;
use crate::project::Project;
use crate::project::file::ProjectError;
use crate::review::{self, About, Consequence, Review};
use clap::{Args, ValueEnum};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Shows what changes, what is replaced, and what that means
///
/// Two modules are compared by address and by what AWS tells things apart by; reordering is no change. It says what Terraform
/// will do and which argument forces a replacement, and ranks what it means: data lost, protection lowered, network opened,
/// permissions widened, service interrupted, what cannot be undone, what costs more. It needs no plan and no credentials.
/// With --env the working tree is compared with a revision, which is read through git without a checkout.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Diff {
    /// The folder of the module before, and that of the module after
    #[arg(value_names = ["OLD", "NEW"], num_args = 2, required_unless_present_any = ["name", "schema"], conflicts_with_all = ["name", "base"], value_hint = clap::ValueHint::DirPath)]
    folders: Vec<PathBuf>,

    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: Option<EnvName>,

    /// The revision to compare with; the merge base with the branch of txnr.toml where none is given
    #[arg(long, value_name = "REV", requires = "name")]
    base: Option<String>,

    #[command(flatten)]
    envs: EnvsFolder,

    /// The folder of the generated modules, in which a revision holds those that were checked in
    #[arg(long, value_name = "DIR", default_value = "out", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Fail with exit code 11 if one of these comes of it, or may, that [[acknowledged]] in the environment file does not cover: data-loss, protection-lowered, network-opened, widened,
    /// interrupted, irreversible, costs-more
    #[arg(long, value_name = "CONSEQUENCE", value_delimiter = ',')]
    fail_on: Vec<Consequence>,

    /// The day that [[acknowledged]] is held to; today, in UTC
    #[arg(long, value_name = "YYYY-MM-DD", requires = "name")]
    on: Option<Date>,

    /// Print the JSON Schema of --format json instead
    #[arg(long, exclusive = true)]
    schema: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for a terminal
    Text,
    /// A comment for a pull request, shorter than GitHub allows
    Markdown,
    /// One object, whose schema `--schema` prints
    Json,
}

const EXAMPLES: &str = "Examples:
  txnr diff --env prod
  txnr diff --env prod --base v1.4.0 --fail-on data-loss,widened
  txnr diff --env prod --fail-on data-loss --on 2027-03-31
  txnr diff --env prod --format markdown > comment.md
  txnr diff old/prod out/prod --format json | jq '.findings'";

impl Diff {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.schema {
            return Ok(data(review::schema().as_bytes())?);
        }
        let (subject, Sides { base, old, new, notes }) = match (&self.name, self.folders.as_slice()) {
            (Some(name), _) => {
                let base = base(self.base.as_deref())?;
                (name.to_string(), sides::of_environment(name, &base, &self.envs.folder, &self.out)?)
            }
            (None, [old, new]) => (new.display().to_string(), sides::of_folders(old, new)?),
            (None, _) => return Err(Failure::new(exit::USAGE, "two folders, or --env", "txnr diff --help")),
        };
        let mut review = Review::of(&old, &new);
        let faults = self.acknowledge(&mut review)?;
        let about = About { subject: &subject, base: &base, notes: &notes };
        match self.format {
            Format::Text => {
                // Colour and width are a terminal's; a file gets whole lines.
                let width = if std::io::stdout().is_terminal() {
                    terminal_size::terminal_size().map_or(120, |(width, _)| usize::from(width.0))
                } else {
                    usize::MAX
                };
                anstream::stdout().lock().write_all(review::text(&review, about, width).as_bytes())?;
            }
            Format::Markdown => data(review::markdown(&review, about).as_bytes())?,
            Format::Json => data(review::json(&review, about).as_bytes())?,
        }
        let found: Vec<_> = review
            .consequences()
            .into_iter()
            .filter(|found| self.fail_on.contains(found))
            .map(Consequence::name)
            .collect();
        if !found.is_empty() {
            return Err(Failure::new(
                exit::CONSEQUENCE,
                format!("{subject}: the change has consequences that --fail-on names: {}", found.join(", ")),
                "what the lines above name; take the change back, or let [[acknowledged]] in the environment file say that it is meant",
            ));
        }
        if faults.is_empty() || self.fail_on.is_empty() {
            return Ok(());
        }
        let what = format!("{subject}: {} of [[acknowledged]] have expired or are idle", faults.len());
        Err(Failure::new(
            exit::CONSEQUENCE,
            what,
            "what the lines above name; take them out of the environment file",
        ))
    }

    /// Notes what the environment file acknowledges; tells what is wrong with that, and returns it.
    fn acknowledge(&self, review: &mut Review) -> Result<Vec<String>, Failure> {
        let Some(name) = &self.name else { return Ok(Vec::new()) };
        let loaded = check::load_some(&self.envs.folder, &[name.to_string()])?;
        let Some(environment) = loaded.environments.first() else { return Ok(Vec::new()) };
        let on = self.on.clone().unwrap_or_else(today::today);
        let faults = review.acknowledge(&environment.config.acknowledged, &on);
        for fault in &faults {
            say(format_args!("{}: {fault}", environment.path.display()));
        }
        Ok(faults)
    }
}

/// The revision that is compared with.
pub(super) fn base(revision: Option<&str>) -> Result<Commit, Failure> {
    if let Some(revision) = revision {
        return git::commit(revision);
    }
    let project = Project::read(Path::new(".")).map_err(|error| {
        let exit =
            if matches!(error, ProjectError::Unreadable(_)) { exit::CANNOT_READ } else { exit::INVALID };
        Failure::new(exit, error, "mend txnr.toml, or name a revision with --base")
    })?;
    match project {
        Some(project) => git::merge_base(&project.branch.to_string()),
        None => Err(Failure::new(
            exit::USAGE,
            "there is no txnr.toml here that says which branch is compared with",
            "a revision with --base, such as `--base main`",
        )),
    }
}
