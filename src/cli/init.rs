//! `txnr init`: the files of a repository.

use super::output::say;
use super::{Failure, github, prompt};
use crate::check;
use crate::config::load::{LoadError, Loaded};
use crate::config::{AccountId, EnvName, Invalid, ProjectName, Region, ServiceName, Subscriber, schema};
use crate::project::file::{self, ProjectError};
use crate::project::render::{self, Kept, Rendered};
use crate::project::starter::{self, Answers, OnGithub, Place};
use crate::project::{CodeOwner, FilePath, Project, Repository};
use crate::{emit, exit};
use clap::Args;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Makes a repository of one's own, or brings its rendered files up to date
///
/// In a folder without txnr.toml it asks for what the flags do not say, and writes txnr.toml and the environment files.
/// Then, and in any folder that has them, it renders from them the workflows, the pre-commit hooks, the runbook and the
/// integration test. README, SECURITY, CODEOWNERS, .gitignore, .gitattributes, Dockerfile, .dockerignore, the settings of
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

/// What flags say of a new repository.
#[derive(Debug, Args)]
#[command(next_help_heading = "A new repository")]
struct Given {
    /// The organization's short name; it makes bucket names unique in the world
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// The service's name [default: txn-reconcile-api]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The project's name, with which every resource's name begins [default: the service's name]
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// The service's domain in production; elsewhere the environment's name is put into it
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// An environment and its account, such as prod=111122223333 (repeatable, in the order of promotion)
    #[arg(long = "account", value_name = "ENV=ID")]
    accounts: Vec<String>,
    /// The region of every environment, or of one, such as prod=eu-central-1 (repeatable) [default: us-east-1]
    #[arg(long = "region", value_name = "[ENV=]REGION")]
    regions: Vec<String>,
    /// Who answers for the environments and is called at night; the tag Owner [default: platform]
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// The address that alarms are mailed to
    #[arg(long, value_name = "EMAIL")]
    page: Option<String>,
    /// The repository on GitHub
    #[arg(long, value_name = "OWNER/NAME")]
    repository: Option<String>,
    /// The numbers of the repository's owner and of the repository, which `gh api repos/OWNER/NAME --jq '.owner.id, .id'`
    /// tells; `gh` reads them there, and what the next two flags say
    #[arg(long, value_name = "ID/ID | gh")]
    numbers: Option<String>,
    /// What the subjects of the repository's tokens hold beside names: `numbers`, or `names` alone where it was made before
    /// 15 July 2026, and neither renamed nor transferred since [default: numbers]
    #[arg(long, value_name = "numbers | names")]
    subject: Option<String>,
    /// Whether GitHub's code scanning shows findings, `yes` or `no`: public repositories have it, private ones with GitHub Code
    /// Security [default: no]
    #[arg(long, value_name = "yes | no")]
    code_scanning: Option<String>,
    /// Whether environments on GitHub can have required reviewers, `yes` or `no`: those of public repositories can, those of
    /// private ones with GitHub Enterprise [default: yes]
    #[arg(long, value_name = "yes | no")]
    required_reviewers: Option<String>,
    /// The branch whose merges are applied [default: main]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Who has to approve changes (repeatable) [default: the repository's owner]
    #[arg(long = "code-owner", value_name = "@ORG/TEAM")]
    code_owners: Vec<String>,
    /// The repository on GitHub that releases txnr, for the pipeline
    #[arg(long, value_name = "OWNER/NAME")]
    txnr: Option<String>,
    /// The Dockerfile of the service; `Dockerfile` is written if there is none [default: Dockerfile]
    #[arg(long, value_name = "PATH", conflicts_with = "no_image")]
    dockerfile: Option<String>,
    /// The image is built elsewhere: no Dockerfile, and no pipeline for it
    #[arg(long)]
    no_image: bool,
}

/// The region of environments for which none is named.
const REGION: &str = "us-east-1";

const EXAMPLES: &str = "Examples:
  txnr init                              asks
  txnr init payments --yes --organization acme --domain pay.example.com --page oncall@example.com --repository acme/payments \\
    --txnr acme/txnr --account dev=111122223333 --account prod=222233334444
  txnr init --check                      in a pipeline: is what is rendered up to date?";

impl Init {
    pub(super) fn run(self) -> Result<(), Failure> {
        let project = match Project::read(&self.folder)? {
            Some(project) => project,
            None if self.check => {
                let what = format!("there is no {} in {}", file::NAME, self.folder.display());
                return Err(Failure::new(exit::CANNOT_READ, what, "`txnr init` makes it"));
            }
            None => self.begin()?,
        };
        let Loaded { environments, warnings } = check::load_all(&self.folder.join("envs"))?;
        if !warnings.is_empty() {
            say(warnings);
        }
        let files = render::render(&project, &environments).map_err(|error| {
            match error.downcast::<ProjectError>() {
                Ok(error) => Failure::from(error),
                Err(error) => Failure::from(error),
            }
        })?;
        for name in render::unbuilt(&project, &environments) {
            say(format_args!(
                "no workflow builds the image of `{name}`; if one should, name its Dockerfile under [image.services.{name}] of {}",
                file::NAME
            ));
        }
        if let Some(image) = project.image.as_ref().filter(|image| image.database_ca_sha256.is_none()) {
            say(format_args!(
                "{}: image.database_ca_sha256 is missing, which a build of {} may need: `curl -fsS {} | sha256sum`",
                file::NAME,
                image.dockerfile,
                contract::DATABASE_CA_URL
            ));
        }
        if self.check { self.compare(&files) } else { self.write(&files) }
    }

    /// Writes what everything else is rendered from.
    fn begin(&self) -> Result<Project, Failure> {
        let envs = self.folder.join("envs");
        let answers = self.answers.complete(!self.yes && io::stdin().is_terminal())?;
        let project = starter::project(&answers);
        let parsed = Project::parse(&project)?;
        let mut files = vec![(envs.join("schema.json"), schema::json())];
        for (at, place) in answers.places.iter().enumerate() {
            let path = envs.join(format!("{}.toml", place.name));
            let text = starter::environment(&answers, at, place);
            if !path.exists() {
                check::parse(&path, &text).map_err(LoadError::Invalid)?;
            }
            files.push((path, text));
        }
        files.push((self.folder.join(file::NAME), project));
        for (path, text) in files {
            if !path.exists() {
                emit::write_file(&path, text.as_bytes())?;
                say(format_args!("wrote {}", path.display()));
            }
        }
        Ok(parsed)
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

/// Where answers come from: flags, a person, or defaults.
struct Answering {
    /// Whether there is somebody to ask.
    ask: bool,
}

impl Answering {
    /// The flag's text, or what somebody answers, or the default.
    fn with<T>(
        &self,
        flag: &str,
        given: Option<&str>,
        question: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Result<T, Failure> {
        if given.is_none() && self.ask {
            return prompt::ask(question, default, read);
        }
        let text = given.or(default).ok_or_else(|| missing(flag))?;
        read(text).map_err(|invalid| wrong(flag, invalid))
    }

    fn text<T: FromStr<Err = Invalid>>(
        &self,
        flag: &str,
        given: &Option<String>,
        question: &str,
        default: Option<&str>,
    ) -> Result<T, Failure> {
        self.with(flag, given.as_deref(), question, default, str::parse)
    }
}

impl Given {
    /// Asks for what is not said, if there is somebody to ask.
    fn complete(&self, ask: bool) -> Result<Answers, Failure> {
        let answer = Answering { ask };
        let organization =
            answer.text("--organization", &self.organization, "Organization's short name", None)?;
        let repository: Repository =
            answer.text("--repository", &self.repository, "Repository on GitHub, OWNER/NAME", None)?;
        let github = self.github(&answer, &repository)?;
        self.reviewed(&answer)?;
        let branch =
            answer.text("--branch", &self.branch, "Branch whose merges are applied", Some("main"))?;
        let service: ServiceName =
            answer.text("--service", &self.service, "Service's name", Some("txn-reconcile-api"))?;
        // Names of services may be longer.
        let default = Some(service.as_str()).filter(|name| name.parse::<ProjectName>().is_ok());
        let question = "Project's name, with which every resource's name begins";
        let project = answer.text("--project", &self.project, question, default)?;
        let domain = answer.text("--domain", &self.domain, "Domain in production", None)?;
        let question = "Environments and their accounts, such as dev=ID stage=ID prod=ID";
        let given = words(&self.accounts);
        let accounts = answer.with("--account", given.as_deref(), question, None, accounts)?;
        let question =
            "Region, or also one of its own for an environment, such as us-east-1 prod=eu-central-1";
        let given = words(&self.regions);
        let default = Some(REGION);
        let places =
            answer.with("--region", given.as_deref(), question, default, |text| places(&accounts, text))?;
        let question = "Who answers for it and is called at night";
        let owner = answer.text("--owner", &self.owner, question, Some("platform"))?;
        let page: Subscriber =
            answer.text("--page", &self.page, "Address that alarms are mailed to", None)?;
        let released = Some(env!("CARGO_PKG_REPOSITORY").trim_start_matches("https://github.com/"));
        let released = released.filter(|repository| !repository.is_empty());
        let txnr = answer.text("--txnr", &self.txnr, "Repository that releases txnr", released)?;
        let code_owners = self.approvers(&answer, &repository)?;
        let dockerfile = self.dockerfile.as_deref().unwrap_or("Dockerfile");
        Ok(Answers {
            organization,
            project,
            service,
            domain,
            owner,
            places,
            page: page.to_string(),
            repository,
            github,
            branch,
            code_owners,
            txnr,
            dockerfile: if self.no_image {
                None
            } else {
                Some(parse::<FilePath>("--dockerfile", dockerfile)?)
            },
        })
    }
}

impl Given {
    /// What the repository is on GitHub: said, asked for, or read there.
    fn github(&self, answer: &Answering, repository: &Repository) -> Result<OnGithub, Failure> {
        let question = "Numbers of the repository's owner and of the repository, ID/ID; `gh` reads them and what follows";
        let numbers = match &self.numbers {
            None if !answer.ask => None,
            given => {
                let read = |text: &str| match text {
                    "gh" => github::read(repository).map(Err),
                    text => numbers(text).map(Ok),
                };
                match answer.with("--numbers", given.as_deref(), question, Some("gh"), read)? {
                    Err(read) => return Ok(read),
                    Ok(numbers) => Some(numbers),
                }
            }
        };
        let question =
            "What the subjects of its tokens hold: `numbers`, or `names` alone (made before 15 July 2026)";
        let by_name =
            answer.with("--subject", self.subject.as_deref(), question, Some("numbers"), |text| {
                choice(text, ["names", "numbers"])
            })?;
        let question = "Has it code scanning (public, or GitHub Code Security), yes or no";
        let code_scanning =
            answer.with("--code-scanning", self.code_scanning.as_deref(), question, Some("no"), |text| {
                choice(text, ["yes", "no"])
            })?;
        Ok(OnGithub { numbers, by_name, code_scanning })
    }

    /// Who has to approve changes. GitHub passes over an organization as such.
    /// <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>
    fn approvers(&self, answer: &Answering, repository: &Repository) -> Result<Vec<CodeOwner>, Failure> {
        let owner = format!("@{}", repository.as_str().split('/').next().unwrap_or_default());
        let question = "Who has to approve changes, @user or @organization/team, with spaces between them";
        let given = words(&self.code_owners);
        let default = (!answer.ask).then_some(owner.as_str());
        let owners: Vec<CodeOwner> =
            answer.with("--code-owner", given.as_deref(), question, default, |text| {
                text.split_whitespace().map(str::parse).collect()
            })?;
        if owners.iter().any(|named| named.as_str() == owner) {
            say(format_args!(
                "{owner} has to approve changes: GitHub passes over it in CODEOWNERS if it is an organization; name a team there, \
                 and in {}",
                file::NAME
            ));
        }
        Ok(owners)
    }

    /// Without reviewers a merge would apply production at once.
    fn reviewed(&self, answer: &Answering) -> Result<(), Failure> {
        let question =
            "Can its environments have required reviewers (public, or GitHub Enterprise), yes or no";
        let given = self.required_reviewers.as_deref();
        if answer
            .with("--required-reviewers", given, question, Some("yes"), |text| choice(text, ["yes", "no"]))?
        {
            return Ok(());
        }
        Err(Failure::new(
            exit::USAGE,
            "without required reviewers a merge would change production at once, and nothing is written",
            "GitHub Enterprise or a public repository: \
             https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments",
        ))
    }
}

/// Whether it is the first of two words.
fn choice(text: &str, [first, second]: [&str; 2]) -> Result<bool, Invalid> {
    match text {
        _ if text == first => Ok(true),
        _ if text == second => Ok(false),
        _ => Err(Invalid::new(format!("{text:?} is no answer"), format!("`{first}` or `{second}`"))),
    }
}

/// `1234567/987654321`
fn numbers(text: &str) -> Result<(u64, u64), Invalid> {
    let parsed = text.split_once('/').and_then(|(owner, id)| Some((owner.parse().ok()?, id.parse().ok()?)));
    parsed.ok_or_else(|| {
        Invalid::new(
            format!("{text:?} are not the owner's number and the repository's"),
            "such as `1234567/987654321`, or `gh`",
        )
    })
}

fn missing(flag: &str) -> Failure {
    Failure::new(
        exit::USAGE,
        format!("{flag} is missing"),
        "name it, or run `txnr init` in a terminal to be asked",
    )
}

fn wrong(flag: &str, invalid: Invalid) -> Failure {
    Failure::new(exit::USAGE, format!("{flag}: {}", invalid.problem), invalid.allowed)
}

/// `dev=111122223333 prod=222233334444`: each environment once.
fn accounts(text: &str) -> Result<Vec<(EnvName, AccountId)>, Invalid> {
    let mut accounts: Vec<(EnvName, AccountId)> = Vec::new();
    for word in text.split_whitespace() {
        let Some((name, id)) = word.split_once('=') else {
            let what = format!("{word:?} is no environment with its account");
            return Err(Invalid::new(what, "such as `prod=111122223333`"));
        };
        let (name, id) = (name.parse::<EnvName>()?, id.parse()?);
        if accounts.iter().any(|(other, _)| *other == name) {
            return Err(Invalid::new(format!("`{name}` stands there twice"), "each environment once"));
        }
        accounts.push((name, id));
    }
    Ok(accounts)
}

/// What a flag that can be repeated says, as somebody would answer it.
fn words(given: &[String]) -> Option<String> {
    (!given.is_empty()).then(|| given.join(" "))
}

/// `us-east-1 prod=eu-central-1`: where each environment lies.
fn places(accounts: &[(EnvName, AccountId)], text: &str) -> Result<Vec<Place>, Invalid> {
    let mut everywhere: Option<Region> = None;
    let mut own: Vec<(EnvName, Region)> = Vec::new();
    for word in text.split_whitespace() {
        let twice = match word.split_once('=') {
            None => everywhere.replace(word.parse()?).is_some(),
            Some((name, region)) => {
                let (name, region) = (name.parse::<EnvName>()?, region.parse()?);
                if !accounts.iter().any(|(other, _)| *other == name) {
                    return Err(Invalid::new(
                        format!("there is no environment `{name}`"),
                        "one that has an account",
                    ));
                }
                let twice = own.iter().any(|(other, _)| *other == name);
                own.push((name, region));
                twice
            }
        };
        if twice {
            return Err(Invalid::new(
                format!("{word:?} is a second region"),
                "one for all, and one for an environment",
            ));
        }
    }
    let everywhere = everywhere.map_or_else(|| REGION.parse(), Ok)?;
    let place = |(name, account): &(EnvName, AccountId)| {
        let region = own.iter().find(|(other, _)| other == name).map_or(&everywhere, |(_, region)| region);
        Place { name: name.clone(), account: account.clone(), region: region.clone() }
    };
    Ok(accounts.iter().map(place).collect())
}

fn parse<T: FromStr<Err = Invalid>>(flag: &str, text: &str) -> Result<T, Failure> {
    text.parse().map_err(|invalid| wrong(flag, invalid))
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
