//! `txnr init`: the files of a repository.

mod answers;
mod folder;

use super::Failure;
use super::output::say;
use super::prompt::{self, Question};
use crate::check;
use crate::config::load::{Environment, LoadError, Loaded};
use crate::config::report::Report;
use crate::config::{Invalid, schema};
use crate::held::Held;
use crate::project::file::{self, ProjectError};
use crate::project::render::{self, Kept, Rendered};
use crate::project::starter::{self, Answers, Program};
use crate::project::{FilePath, Project};
use crate::synth::synth;
use crate::{emit, exit};
use answers::Given;
use clap::Args;
use folder::Found;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// Makes a repository of one's own, or brings its rendered files up to date
///
/// In a folder without txnr.toml it asks for what the flags do not say, and writes txnr.toml and the environment files.
/// Then, and in any folder that has them, it renders from them the workflows, the pre-commit hooks, the runbook, how the
/// repository is changed (AGENTS.md) and the integration test. README, SECURITY, CODEOWNERS, .gitignore, .gitattributes, Dockerfile, .dockerignore, the settings of
/// Renovate (.github/renovate.json) and the exceptions for scanners (scan-exceptions.toml, .trivyignore.yaml) are written
/// once and are yours.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Init {
    /// The repository's folder
    #[arg(value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    folder: PathBuf,

    /// Write nothing; fail if a rendered file is not what would be written, and say which
    #[arg(long, conflicts_with_all = ["force", "yes"])]
    check: bool,

    /// Overwrite rendered files that were changed by hand
    #[arg(long)]
    force: bool,

    /// Ask nothing: take the defaults where flags say nothing
    #[arg(long, short)]
    yes: bool,

    #[command(flatten)]
    answers: Given,
}

const EXAMPLES: &str = "Examples:
  txnr init                              asks
  txnr init payments --yes --organization acme --domain pay.example.com --page oncall@example.com --repository acme/payments \\
    --code-owner @acme/platform --txnr acme/txnr --account dev=111122223333 --account prod=222233334444
  txnr init --check                      in a pipeline: is what is rendered up to date?";

/// Said before the first question.
const INTRODUCTION: &str = "A new repository: each question has a flag of its own (`txnr init --help`), an empty line takes what stands \
                            in brackets, and nothing is written before you have seen a summary.";

/// Said after the last file.
const NEXT: &str = "README.md says what comes next: `txnr synth --all`, the bootstrap of each account, and the settings on GitHub";

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        let project = match Project::read(&self.folder)? {
            Some(project) => project,
            None if self.check => {
                let what = format!("there is no {} in {}", file::NAME, self.folder.display());
                return Err(Failure::new(exit::CANNOT_READ, what, "`txnr init` makes it"));
            }
            None => return self.begin(),
        };
        let Loaded { environments, warnings } = check::load_all(&self.folder.join("envs"))?;
        if !warnings.is_empty() {
            say(warnings);
        }
        let files = rendered(&project, &environments)?;
        self.announce(&project, &environments);
        if self.check { self.compare(&files) } else { self.write(&files) }
    }

    /// Makes what everything else is rendered from, and everything else, before any of it is written.
    fn begin(&self) -> Result<(), Failure> {
        let ask = !self.yes && io::stdin().is_terminal();
        if ask {
            say(INTRODUCTION);
        }
        let found = Found::look(&self.folder, self.answers.dockerfile())?;
        let mut answers = self.answers.complete(ask, &found)?;
        let mut beginning = self.beginning(&answers)?;
        let standing = self.standing(&beginning.rendered)?;
        if !standing.is_empty() && !self.force {
            if !ask || !keep(&standing)? {
                return Err(Failure::new(
                    exit::CANNOT_WRITE,
                    format!(
                        "nothing was written, for these are there already and hold something else: {}",
                        standing.join(", ")
                    ),
                    "`--force` overwrites them, `--own PATH` keeps one as the repository's own",
                ));
            }
            let paths = standing.iter().map(|path| path.parse::<FilePath>());
            let paths = paths.collect::<Result<Vec<_>, _>>().map_err(|invalid| wrong("--own", invalid))?;
            answers.own.extend(paths);
            beginning = self.beginning(&answers)?;
        }
        if ask {
            summarize(&answers, &beginning)?;
        }
        if !ask && !beginning.warnings.is_empty() {
            say(&beginning.warnings);
        }
        self.announce(&beginning.project, &beginning.environments);
        for (path, text) in beginning.files.iter().filter(|(path, _)| !path.exists()) {
            emit::write_file(path, text.as_bytes())?;
            say(format_args!("wrote {}", path.display()));
        }
        self.write(&beginning.rendered)?;
        say(NEXT);
        Ok(())
    }

    /// The first files, and what is rendered from them: all of it valid, none of it written.
    fn beginning(&self, answers: &Answers) -> Result<Beginning, Failure> {
        let envs = self.folder.join("envs");
        let text = starter::project(answers);
        let project = Project::parse(&text)?;
        let proposed =
            answers.proposed().map_err(|invalid| wrong("a name that follows from them", invalid))?;
        let mut new: Vec<(PathBuf, String)> = Vec::new();
        for (at, proposed) in proposed.iter().enumerate() {
            let path = envs.join(format!("{}.toml", proposed.place.name));
            new.push((path, starter::environment(answers, at, proposed)));
        }
        let loaded = check::with_new(&envs, new.clone());
        let Loaded { environments, warnings } = loaded.inspect_err(|error| {
            if matches!(error, LoadError::Invalid(_)) {
                say("nothing was written, for what follows from the answers is not valid:");
            }
        })?;
        for Environment { config, .. } in &environments {
            let path = envs.join(format!("{}.lock", config.name));
            new.push((path, Held::of(&synth(config)?).text(config.name.as_str())));
        }
        let rendered = rendered(&project, &environments)?;
        new.push((envs.join("schema.json"), schema::json()));
        new.push((self.folder.join(file::NAME), text));
        Ok(Beginning { project, environments, warnings, files: new, rendered })
    }

    /// The rendered files that are there, hold something else, and are not the repository's own.
    fn standing(&self, files: &[Rendered]) -> Result<Vec<&'static str>, Failure> {
        let mut standing = Vec::new();
        for file in files.iter().filter(|file| file.kept == Kept::UpToDate) {
            if read(&self.folder.join(file.path))?.is_some_and(|text| text != file.text) {
                standing.push(file.path);
            }
        }
        Ok(standing)
    }

    /// What somebody has to do that no file can.
    fn announce(&self, project: &Project, environments: &[Environment]) {
        for name in render::unbuilt(project, environments) {
            say(format_args!(
                "no workflow builds the image of `{name}`; if one should, name its Dockerfile under [image.services.{name}] of {}",
                file::NAME
            ));
        }
        let Some(image) = &project.image else { return };
        let contract = environments.iter().any(|environment| environment.config.service.has_contract());
        if contract && image.database_ca_sha256.is_none() {
            say(format_args!(
                "{}: image.database_ca_sha256 is missing, which a build of {} may need: `curl -fsS {} | sha256sum`",
                file::NAME,
                image.dockerfile,
                contract::DATABASE_CA_URL
            ));
        }
    }

    fn write(&self, files: &[Rendered]) -> Result<(), Failure> {
        let mut changed = Vec::new();
        let mut written = 0;
        for file in files {
            let path = self.folder.join(file.path);
            match read(&path)? {
                Some(text) if text == file.text => continue,
                Some(_) if file.kept == Kept::Once => continue,
                Some(_) if !self.force => changed.push(file.path),
                _ => {
                    emit::write_file(&path, file.text.as_bytes())?;
                    say(format_args!("wrote {}", path.display()));
                    written += 1;
                }
            }
        }
        if written == 0 && changed.is_empty() {
            say("every rendered file is up to date");
        }
        if changed.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            exit::CANNOT_WRITE,
            format!("not overwritten, for they hold something else: {}", changed.join(", ")),
            "`--force` overwrites them; files to keep by yourself stand in `own` of txnr.toml",
        ))
    }

    fn compare(&self, files: &[Rendered]) -> Result<(), Failure> {
        let mut stale = 0;
        for file in files.iter().filter(|file| file.kept == Kept::UpToDate) {
            let path = self.folder.join(file.path);
            let what = match read(&path)? {
                Some(text) if text == file.text => continue,
                Some(_) => "differs",
                None => "is missing",
            };
            stale += 1;
            say(format_args!("{}: {what}", path.display()));
        }
        if stale == 0 {
            return Ok(());
        }
        let files = if stale == 1 { "file is" } else { "files are" };
        Err(Failure::new(
            exit::OUT_OF_DATE,
            format!("{stale} {files} not what `txnr init` would write"),
            "run `txnr init --force`, and review what it changes",
        ))
    }
}

/// What a file holds, if there is one.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::new(exit::CANNOT_READ, format!("cannot read {}: {error}", path.display()), ""))
        }
    }
}

/// A new repository that is not written yet.
struct Beginning {
    project: Project,
    environments: Vec<Environment>,
    warnings: Report,
    files: Vec<(PathBuf, String)>,
    rendered: Vec<Rendered>,
}

fn rendered(project: &Project, environments: &[Environment]) -> Result<Vec<Rendered>, Failure> {
    render::render(project, environments).map_err(|error| match error.downcast::<ProjectError>() {
        Ok(error) => Failure::from(error),
        Err(error) => Failure::from(error),
    })
}

/// Whether files that are there already are kept.
fn keep(standing: &[&str]) -> Result<bool, Failure> {
    let about = format!(
        "These are there already and hold something else: {}. Kept, they are the repository's own (`own` of {}), and are never \
         rendered.",
        standing.join(", "),
        file::NAME
    );
    let question = Question { about: &about, text: "Keep them, yes or no", default: Some("yes") };
    prompt::ask(&question, |text| answers::choice(text, ["yes", "no"]))
}

/// Shows what would be written, and asks whether it should be.
fn summarize(answers: &Answers, beginning: &Beginning) -> Result<(), Failure> {
    let mut lines = vec![String::new()];
    let service = match answers.program {
        Program::TxnReconcileApi => "the reconciliation service, by its contract".to_owned(),
        Program::Own { port, user_id, ref health_path } => {
            format!("port {port}, user {user_id}, health {health_path}")
        }
    };
    lines.push(format!("{} of {}: {service}", answers.service, answers.repository));
    for Environment { config, .. } in &beginning.environments {
        let kind = match (config.production, config.protection) {
            (true, _) => "production",
            (false, true) => "no production",
            (false, false) => "no production, may be torn down",
        };
        lines.push(format!(
            "  {:<10} {} {:<14} https://{} (zone {}), {}: {kind}",
            config.name.as_str(),
            config.account_id,
            config.region.to_string(),
            config.domain,
            config.hosted_zone,
            config.network.own().map_or_else(String::new, |vpc| vpc.cidr.to_string()),
        ));
    }
    let new = beginning.files.iter().filter(|(path, _)| !path.exists()).count();
    lines.push(format!(
        "{new} files that are yours to change, and {} that are rendered from them",
        beginning.rendered.len()
    ));
    say(lines.join("\n"));
    if !beginning.warnings.is_empty() {
        say(&beginning.warnings);
    }
    let question = Question { about: "", text: "Write them, yes or no", default: Some("yes") };
    if prompt::ask(&question, |text| answers::choice(text, ["yes", "no"]))? {
        return Ok(());
    }
    Err(Failure::new(
        exit::USAGE,
        "nothing was written, as you said",
        "flags answer as well: `txnr init --help`",
    ))
}

fn wrong(what: &str, invalid: Invalid) -> Failure {
    Failure::new(exit::USAGE, format!("{what}: {}", invalid.problem), invalid.allowed)
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Unreadable(_) => Self::new(exit::CANNOT_READ, error, ""),
            ProjectError::Invalid(_) => Self::new(exit::INVALID, error, ""),
            ProjectError::Promotion { .. } => {
                Self::new(exit::INVALID, error, "every environment of envs/, once, in the order of promotion")
            }
            ProjectError::Service { .. } => {
                let help = "the name of a service under [services] of an environment's file";
                Self::new(exit::INVALID, error, help)
            }
            ProjectError::Trust { key, .. } => {
                let help = format!("one `{key}` in txnr.toml and under [github] of every environment");
                Self::new(exit::INVALID, error, help)
            }
        }
    }
}
