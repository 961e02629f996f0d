//! What a new repository is made from: flags, a person's answers, and what the folder tells.

use super::super::output::say;
use super::super::prompt::{self, Question};
use super::super::{Failure, github};
use super::folder::Found;
use crate::config::{
    AccountId, BranchName, DomainName, EnvName, HttpsUrl, Invalid, OrganizationName, ProjectName, Region,
    ServiceName, Subscriber, TagText, UrlPath,
};
use crate::exit;
use crate::project::starter::{Answers, Built, OnGithub, Place, Program};
use crate::project::{CodeOwner, FilePath, Language, Repository};
use clap::Args;
use std::cell::RefCell;
use std::str::FromStr;

/// What flags say of a new repository.
#[derive(Debug, Args)]
#[command(next_help_heading = "A new repository")]
pub(super) struct Given {
    /// The organization's short name; it makes bucket names unique in the world
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// The repository on GitHub, or its address there
    #[arg(long, value_name = "OWNER/NAME | URL")]
    repository: Option<String>,
    /// The numbers of the repository's owner and of the repository, which `gh api repos/OWNER/NAME --jq '.owner.id, .id'`
    /// tells; `gh` reads them there, and what the next two flags say, and looks whether code owners exist
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
    /// What the main service runs: `none` for a program of your own, or `txn-reconcile-api` [default: none]
    #[arg(long, value_name = "none | txn-reconcile-api")]
    contract: Option<String>,
    /// The service's name [default: the repository's; txn-reconcile-api with that contract]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// The project's name, with which every resource's name begins [default: the service's name]
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// The service's domain in production; elsewhere the environment's name is put into it
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// The public Route 53 zone that the domain is entered into [default: the domain without its first label, or the domain
    /// itself where it has two]
    #[arg(long, value_name = "DOMAIN")]
    hosted_zone: Option<String>,
    /// An environment and its account, such as prod=111122223333 (repeatable, in the order of promotion)
    #[arg(long = "account", value_name = "ENV=ID")]
    accounts: Vec<String>,
    /// The region of every environment, or of one, such as prod=eu-central-1 (repeatable) [default: us-east-1]
    #[arg(long = "region", value_name = "[ENV=]REGION")]
    regions: Vec<String>,
    /// The Dockerfile of the service; `Dockerfile` is written if there is none, for the languages that are known [default:
    /// Dockerfile]
    #[arg(long, value_name = "PATH", conflicts_with = "no_image")]
    dockerfile: Option<String>,
    /// The image is built elsewhere: no Dockerfile, and no pipeline for it
    #[arg(long)]
    no_image: bool,
    /// The language of the service, for checks, hooks and the Dockerfile [default: told by Cargo.toml, package.json, go.mod,
    /// pyproject.toml, requirements.txt or the Dockerfile's base]
    #[arg(long, value_name = "rust | node | go | python | other", conflicts_with = "no_image")]
    language: Option<String>,
    /// The port that the service listens on, 1024 to 65535 [default: the one that the Dockerfile exposes, or 8080]
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// The number of the user that the service runs as, never root [default: the Dockerfile's user, or 10001]
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The path that answers 200 when the service can serve [default: that of the Dockerfile's health check, or /readyz]
    #[arg(long, value_name = "PATH")]
    health_path: Option<String>,
    /// Who answers for the environments and is called at night; the tag Owner [default: platform]
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    /// The address that alarms are mailed to
    #[arg(long, value_name = "EMAIL")]
    page: Option<String>,
    /// The address of the runbook that the messages of alarms lead to [default: RUNBOOK.md of the repository on GitHub]
    #[arg(long, value_name = "URL")]
    runbook: Option<String>,
    /// The repository on GitHub that releases txnr, for the pipeline, or its address there
    #[arg(long, value_name = "OWNER/NAME | URL")]
    txnr: Option<String>,
    /// Who has to approve changes: a user or a team, never an organization as such (repeatable)
    #[arg(long = "code-owner", value_name = "@USER | @ORG/TEAM")]
    code_owners: Vec<String>,
    /// A rendered file that is there already and that the repository keeps by itself, such as RUNBOOK.md (repeatable)
    #[arg(long = "own", value_name = "PATH")]
    own: Vec<String>,
}

/// The region of environments for which none is named.
const REGION: &str = "us-east-1";

/// Where answers come from: flags, a person, or defaults. What flags lack or say wrongly is gathered, to be told at once.
struct Answering {
    /// Whether there is somebody to ask.
    ask: bool,
    missing: RefCell<Vec<String>>,
    wrong: RefCell<Vec<String>>,
}

/// A question with the flag that answers it.
struct Asked<'a> {
    flag: &'static str,
    given: Option<&'a str>,
    question: Question<'a>,
}

impl<'a> Asked<'a> {
    fn new(flag: &'static str, given: Option<&'a str>, text: &'a str, about: &'a str) -> Self {
        Self { flag, given, question: Question { about, text, default: None } }
    }

    fn or(mut self, default: &'a str) -> Self {
        self.question.default = Some(default);
        self
    }

    fn or_maybe(mut self, default: Option<&'a str>) -> Self {
        self.question.default = default;
        self
    }
}

impl Answering {
    /// The flag's text, or what somebody answers, or the default; `None` where there is none of them, or it cannot be read,
    /// which is noted.
    fn with<T>(
        &self,
        asked: &Asked<'_>,
        read: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Failure> {
        if asked.given.is_none() && self.ask {
            return prompt::ask(&asked.question, read).map(Some);
        }
        let Some(text) = asked.given.or(asked.question.default) else {
            self.missing.borrow_mut().push(asked.flag.to_owned());
            return Ok(None);
        };
        match read(text) {
            Ok(value) => Ok(Some(value)),
            Err(invalid) => {
                self.refuse(asked.flag, &invalid);
                Ok(None)
            }
        }
    }

    fn text<T: FromStr<Err = Invalid>>(&self, asked: &Asked<'_>) -> Result<Option<T>, Failure> {
        self.with(asked, str::parse)
    }

    fn refuse(&self, flag: &str, invalid: &Invalid) {
        self.wrong.borrow_mut().push(format!("{flag}: {}; {}", invalid.problem, invalid.allowed));
    }

    /// Tells what is missing and wrong, all of it.
    fn end(self) -> Failure {
        let (missing, wrong) = (self.missing.into_inner(), self.wrong.into_inner());
        let mut what = wrong.join("\n  ");
        if !missing.is_empty() {
            let verb = if missing.len() == 1 { "is" } else { "are" };
            let separator = if what.is_empty() { "" } else { "\n  " };
            what.push_str(&format!("{separator}{} {verb} missing", missing.join(", ")));
        }
        let help = match missing.is_empty() {
            true => "nothing was written; `txnr init --help` says what each flag takes",
            false => "nothing was written; name them, or run `txnr init` in a terminal to be asked",
        };
        Failure::new(exit::USAGE, what, help)
    }
}

/// What the repository is.
struct Home {
    repository: Repository,
    github: OnGithub,
    branch: BranchName,
    code_owners: Vec<CodeOwner>,
    txnr: Repository,
}

/// What the service is.
struct Main {
    program: Program,
    service: ServiceName,
    project: ProjectName,
    image: Option<Built>,
}

impl Given {
    /// The path of the service's Dockerfile.
    pub(super) fn dockerfile(&self) -> &str {
        self.dockerfile.as_deref().unwrap_or("Dockerfile")
    }

    /// Asks for what is not said, if there is somebody to ask.
    pub(super) fn complete(&self, ask: bool, found: &Found) -> Result<Answers, Failure> {
        let answer = Answering { ask, missing: RefCell::default(), wrong: RefCell::default() };
        let about = "It becomes a part of the names of buckets, which have to be unique in the world: 1 to 15 lower-case letters, \
                     digits and single hyphens.";
        let organization: Option<OrganizationName> = answer.text(&Asked::new(
            "--organization",
            self.organization.as_deref(),
            "Organization's short name",
            about,
        ))?;
        let repository = self.repository(&answer, found)?;
        let home = self.home(&answer, repository)?;
        let main = self.main(&answer, found, home.as_ref())?;
        let domains = self.domains(&answer)?;
        let places = self.places(&answer)?;
        let about = "A team's name: the tag Owner of every resource, and whom the runbook says to call.";
        let owner: Option<TagText> = answer.text(
            &Asked::new("--owner", self.owner.as_deref(), "Who answers for it and is called at night", about)
                .or("platform"),
        )?;
        let about = "A mailbox that somebody reads at night, such as the one that a pager gives out. AWS sends it a link, which has \
                     to be followed once.";
        let page: Option<Subscriber> = answer.text(&Asked::new(
            "--page",
            self.page.as_deref(),
            "Address that alarms are mailed to",
            about,
        ))?;
        let runbook = self.runbook(&answer, home.as_ref())?;
        let kept = words(&self.own).unwrap_or_default();
        let own = answer.with(&Asked::new("--own", Some(&kept), "", ""), |text| {
            text.split_whitespace().map(str::parse::<FilePath>).collect::<Result<Vec<_>, _>>()
        })?;
        let (
            Some(organization),
            Some(Home { repository, github, branch, code_owners, txnr }),
            Some(Main { program, service, project, image }),
            Some((domain, hosted_zone)),
            Some(places),
            Some(owner),
            Some(page),
            Some(runbook),
            Some(own),
        ) = (organization, home, main, domains, places, owner, page, runbook, own)
        else {
            return Err(answer.end());
        };
        if !answer.wrong.borrow().is_empty() {
            return Err(answer.end());
        }
        let page = page.to_string();
        Ok(Answers {
            organization,
            project,
            program,
            service,
            domain,
            hosted_zone,
            owner,
            places,
            page,
            runbook,
            repository,
            github,
            branch,
            code_owners,
            own,
            txnr,
            image,
        })
    }

    fn repository(&self, answer: &Answering, found: &Found) -> Result<Option<Repository>, Failure> {
        let about = "Its workflows plan and apply, and the roles at AWS trust it alone. `owner/name`, or its address on github.com.";
        let asked =
            Asked::new("--repository", self.repository.as_deref(), "Repository on GitHub, OWNER/NAME", about)
                .or_maybe(found.remote.as_deref().filter(|_| answer.ask));
        answer.with(&asked, Repository::from_address)
    }

    fn home(&self, answer: &Answering, repository: Option<Repository>) -> Result<Option<Home>, Failure> {
        let github = self.github(answer, repository.as_ref())?;
        self.reviewed(answer)?;
        let about = "What is merged into it is applied to the environments, one after the other.";
        let branch = answer.text(
            &Asked::new("--branch", self.branch.as_deref(), "Branch whose merges are applied", about)
                .or("main"),
        )?;
        let code_owners = self.approvers(answer, repository.as_ref(), github.as_ref())?;
        let released = Some(env!("CARGO_PKG_REPOSITORY")).filter(|repository| !repository.is_empty());
        let about =
            "The pipeline installs txnr from its releases there, and verifies their checksum and provenance.";
        let txnr = answer.with(
            &Asked::new("--txnr", self.txnr.as_deref(), "Repository that releases txnr", about)
                .or_maybe(released),
            Repository::from_address,
        )?;
        let (Some(repository), Some((github, _)), Some(branch), Some(code_owners), Some(txnr)) =
            (repository, github, branch, code_owners, txnr)
        else {
            return Ok(None);
        };
        Ok(Some(Home { repository, github, branch, code_owners, txnr }))
    }

    /// What the repository is on GitHub: said, asked for, or read there; and whether `gh` answers.
    fn github(
        &self,
        answer: &Answering,
        repository: Option<&Repository>,
    ) -> Result<Option<(OnGithub, bool)>, Failure> {
        let about = "Names can be given to somebody else later, numbers cannot: with them the roles trust this repository and no \
                     successor of its name. `gh` asks GitHub for them, and for what follows, with your login there.";
        let question = "Numbers of the repository's owner and of the repository, ID/ID; `gh` reads them and what follows";
        let asked = Asked::new("--numbers", self.numbers.as_deref(), question, about).or("gh");
        let numbers = match repository {
            None => None,
            Some(_) if self.numbers.is_none() && !answer.ask => None,
            Some(repository) => {
                let read = |text: &str| match text {
                    "gh" => github::read(repository).map(Err),
                    text => numbers(text).map(Ok),
                };
                match answer.with(&asked, read)? {
                    None => return Ok(None),
                    Some(Err(read)) => return Ok(Some((read, true))),
                    Some(Ok(numbers)) => Some(numbers),
                }
            }
        };
        let about = "Repositories that were made since 15 July 2026 say their numbers in the tokens that workflows get.";
        let question =
            "What the subjects of its tokens hold: `numbers`, or `names` alone (made before 15 July 2026)";
        let by_name = answer.with(
            &Asked::new("--subject", self.subject.as_deref(), question, about).or("numbers"),
            |text| choice(text, ["names", "numbers"]),
        )?;
        let about = "Where it is there, findings of the scanners are shown under \"Security\"; else in the summaries of runs.";
        let question = "Has it code scanning (public, or GitHub Code Security), yes or no";
        let code_scanning = answer.with(
            &Asked::new("--code-scanning", self.code_scanning.as_deref(), question, about).or("no"),
            |text| choice(text, ["yes", "no"]),
        )?;
        let (Some(by_name), Some(code_scanning)) = (by_name, code_scanning) else { return Ok(None) };
        Ok(Some((OnGithub { numbers, by_name, code_scanning }, false)))
    }

    /// Who has to approve changes. GitHub passes over an organization as such.
    /// <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>
    fn approvers(
        &self,
        answer: &Answering,
        repository: Option<&Repository>,
        github: Option<&(OnGithub, bool)>,
    ) -> Result<Option<Vec<CodeOwner>>, Failure> {
        let about = "They stand in CODEOWNERS: users or teams with the right to write to the repository. GitHub passes over an \
                     organization as such.";
        let question = "Who has to approve changes, @user or @organization/team, with spaces between them";
        let given = words(&self.code_owners);
        let asked_there = github.is_some_and(|(_, by_gh)| *by_gh);
        let owners = answer.with(&Asked::new("--code-owner", given.as_deref(), question, about), |text| {
            let owners: Vec<CodeOwner> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
            if asked_there {
                owners.iter().try_for_each(github::approver)?;
            }
            Ok(owners)
        })?;
        let bare = repository.map(|repository| format!("@{}", repository.owner()));
        let bare = owners.iter().flatten().find(|owner| Some(owner.as_str()) == bare.as_deref());
        if let Some(owner) = bare.filter(|_| !asked_there) {
            say(format_args!(
                "{owner} has to approve changes: GitHub passes over it in CODEOWNERS if it is an organization; name a team there, \
                 and in txnr.toml"
            ));
        }
        Ok(owners)
    }

    /// Without reviewers a merge would apply production at once.
    fn reviewed(&self, answer: &Answering) -> Result<(), Failure> {
        let about = "Production is applied only after somebody else has approved it, which GitHub has to be able to ask for.";
        let question =
            "Can its environments have required reviewers (public, or GitHub Enterprise), yes or no";
        let asked =
            Asked::new("--required-reviewers", self.required_reviewers.as_deref(), question, about).or("yes");
        if answer.with(&asked, |text| choice(text, ["yes", "no"]))? != Some(false) {
            return Ok(());
        }
        Err(Failure::new(
            exit::USAGE,
            "without required reviewers a merge would change production at once, and nothing is written",
            "GitHub Enterprise or a public repository: \
             https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments",
        ))
    }

    fn main(&self, answer: &Answering, found: &Found, home: Option<&Home>) -> Result<Option<Main>, Failure> {
        let about = "`none`: a program of your own, in a container; it gets what the environment files say. `txn-reconcile-api`: the \
                     reconciliation service of that name, with the tables, buckets and secrets that it needs.";
        let contract = answer.with(
            &Asked::new("--contract", self.contract.as_deref(), "What the main service runs", about)
                .or("none"),
            |text| choice(text, ["txn-reconcile-api", "none"]),
        )?;
        let given = contract == Some(true);
        let about = "That of its image repository, its container and its tasks: 1 to 32 lower-case letters, digits and single hyphens.";
        let likely = if given { Some("txn-reconcile-api".to_owned()) } else { home.and_then(likely_name) };
        let asked = Asked::new("--service", self.service.as_deref(), "Service's name", about)
            .or_maybe(likely.as_deref());
        // What follows from an answer that is missing itself is not missing beside it.
        let follows = home.is_none() && self.service.is_none();
        let service: Option<ServiceName> = if follows { None } else { answer.text(&asked)? };
        // Names of services may be longer.
        let default =
            service.as_ref().map(ServiceName::as_str).filter(|name| name.parse::<ProjectName>().is_ok());
        let about = "1 to 20 lower-case letters, digits and single hyphens. To change it later replaces nearly everything.";
        let question = "Project's name, with which every resource's name begins";
        let asked = Asked::new("--project", self.project.as_deref(), question, about).or_maybe(default);
        let follows = service.is_none() && self.project.is_none();
        let project = if follows { None } else { answer.text(&asked)? };
        let program = match contract {
            Some(true) => self.of_the_contract(answer),
            Some(false) => self.own(answer, found)?,
            None => None,
        };
        let image = self.image(answer, found, given)?;
        let (Some(program), Some(service), Some(project), Some(image)) = (program, service, project, image)
        else {
            return Ok(None);
        };
        Ok(Some(Main { program, service, project, image }))
    }

    fn of_the_contract(&self, answer: &Answering) -> Option<Program> {
        let said = [
            ("--port", &self.port),
            ("--user-id", &self.user_id),
            ("--health-path", &self.health_path),
            ("--language", &self.language),
        ];
        for (flag, _) in said.iter().filter(|(_, said)| said.is_some()) {
            let what = "the contract of txn-reconcile-api says what it is";
            answer.refuse(flag, &Invalid::new(what, "leave it out, or `--contract none`"));
        }
        Some(Program::TxnReconcileApi)
    }

    /// A program of one's own, as its Dockerfile describes it, if there is one.
    fn own(&self, answer: &Answering, found: &Found) -> Result<Option<Program>, Failure> {
        let file = found.dockerfile.as_ref().filter(|_| !self.no_image);
        let exposed: &[u16] = file.map_or(&[], |file| file.ports.as_slice());
        let (about, default) = match (file, exposed) {
            (None, _) | (Some(_), []) => ("The container's TCP port, 1024 to 65535.".to_owned(), Some(8080)),
            (Some(_), [port]) if *port >= 1024 => (
                format!("The container's TCP port, 1024 to 65535. The Dockerfile exposes {port}."),
                Some(*port),
            ),
            (Some(_), ports) => {
                let listed: Vec<String> = ports.iter().map(ToString::to_string).collect();
                let about = format!(
                    "The container's TCP port, 1024 to 65535: it has none of root's rights, which lower ones need. The Dockerfile \
                     exposes {}.",
                    listed.join(" and ")
                );
                (about, None)
            }
        };
        let default = default.map(|port| port.to_string());
        let asked = Asked::new("--port", self.port.as_deref(), "Port that the service listens on", &about)
            .or_maybe(default.as_deref());
        let port =
            answer.with(&asked, |text| number(text, 1024, 65_535))?.and_then(|port| u16::try_from(port).ok());
        let user = file.and_then(|file| file.user.as_deref());
        let id = file.and_then(crate::project::dockerfile::Dockerfile::user_id);
        let mut about =
            "1 to 65534, never root's 0: the container runs as this user, whomever the image names."
                .to_owned();
        let default = match (user, id) {
            (None, _) => Some(10_001),
            (Some(user), Some(id)) if id != 0 => {
                about.push_str(&format!(" The Dockerfile names `{user}`."));
                Some(id)
            }
            (Some(user), Some(_)) => {
                about.push_str(&format!(" The Dockerfile names `{user}`, which is root."));
                None
            }
            (Some(user), None) => {
                about.push_str(&format!(
                    " The Dockerfile names `{user}`, whose number `docker run --rm IMAGE id -u` tells."
                ));
                None
            }
        };
        let default = default.map(|id| id.to_string());
        let asked =
            Asked::new("--user-id", self.user_id.as_deref(), "Number of the user that it runs as", &about)
                .or_maybe(default.as_deref());
        let user_id = answer.with(&asked, |text| number(text, 1, 65_534))?;
        let about = "The load balancer asks it every few seconds; a task whose answer is not 200 gets no requests and is replaced.";
        let path = file.and_then(|file| file.health_path.as_deref()).unwrap_or("/readyz");
        let question = "Path that answers 200 when the service can serve";
        let health_path: Option<UrlPath> = answer
            .text(&Asked::new("--health-path", self.health_path.as_deref(), question, about).or(path))?;
        let (Some(port), Some(user_id), Some(health_path)) = (port, user_id, health_path) else {
            return Ok(None);
        };
        Ok(Some(Program::Own { port, user_id, health_path }))
    }

    fn image(
        &self,
        answer: &Answering,
        found: &Found,
        given: bool,
    ) -> Result<Option<Option<Built>>, Failure> {
        if self.no_image {
            return Ok(Some(None));
        }
        let dockerfile = answer.text(&Asked::new("--dockerfile", Some(self.dockerfile()), "", ""))?;
        let language = if given { Some(Language::Rust) } else { self.language(answer, found)? };
        let (Some(dockerfile), Some(language)) = (dockerfile, language) else { return Ok(None) };
        let checks = language.checks(|file| found.has(file));
        Ok(Some(Some(Built { dockerfile, language, checks })))
    }

    fn language(&self, answer: &Answering, found: &Found) -> Result<Option<Language>, Failure> {
        let base = found.dockerfile.as_ref().and_then(|file| Language::of_base(&file.base));
        let (told, which) = match (found.languages.as_slice(), base) {
            ([language], _) => (Some(*language), String::new()),
            ([], None) => (Some(Language::Other), " Nothing here tells it.".to_owned()),
            (several, Some(base)) if several.is_empty() || several.contains(&base) => {
                (Some(base), String::new())
            }
            (several, _) => {
                let several: Vec<&str> = several.iter().map(|language| language.as_str()).collect();
                (None, format!(" There are files of {}.", several.join(" and ")))
            }
        };
        let about = format!(
            "rust, node, go, python or other: which checks have to pass before an image is pushed, and which Dockerfile is written \
             if there is none.{which}"
        );
        let told = told.map(Language::as_str);
        answer.text(
            &Asked::new("--language", self.language.as_deref(), "Language of the service", &about)
                .or_maybe(told),
        )
    }

    fn domains(&self, answer: &Answering) -> Result<Option<(DomainName, DomainName)>, Failure> {
        let about = "Where its users reach it, such as pay.example.com; other environments get pay.dev.example.com and the like.";
        let domain: Option<DomainName> =
            answer.text(&Asked::new("--domain", self.domain.as_deref(), "Domain in production", about))?;
        // Without a domain nobody knows the zone, and the flag that is missing is told of already.
        let Some(domain) = domain else { return Ok(None) };
        let about = "The domain is entered into it, and the certificate proved by it. Other environments have a zone of their own \
                     below it, such as dev.example.com. It exists already.";
        let zone = domain.parent().unwrap_or_else(|| domain.clone());
        let asked = Asked::new(
            "--hosted-zone",
            self.hosted_zone.as_deref(),
            "Public Route 53 zone of the domain",
            about,
        )
        .or(zone.as_str());
        let zone = answer.with(&asked, |text| {
            let zone: DomainName = text.parse()?;
            match domain.is_in(&zone) {
                true => Ok(zone),
                false => Err(Invalid::new(
                    format!("{domain} does not lie in the zone {zone}"),
                    "a zone that the domain ends in",
                )),
            }
        })?;
        Ok(zone.map(|zone| (domain, zone)))
    }

    fn places(&self, answer: &Answering) -> Result<Option<Vec<Place>>, Failure> {
        let about = "In the order in which a change reaches them. dev, test, sandbox and demo are made to be torn down; stage, staging, \
                     stg, preprod, uat and qa hold no cardholder data; every other name is production. An account of its own for each is \
                     the safest.";
        let question = "Environments and their accounts, such as dev=ID stage=ID prod=ID";
        let given = words(&self.accounts);
        let accounts = answer.with(&Asked::new("--account", given.as_deref(), question, about), accounts)?;
        let given = words(&self.regions);
        // What is said of regions is read all the same, so that no mistake hides another.
        let accounts = accounts.unwrap_or_default();
        let known = !accounts.is_empty();
        let about = "One for all, and one of its own for an environment.";
        let question =
            "Region, or also one of its own for an environment, such as us-east-1 prod=eu-central-1";
        let asked = Asked::new("--region", given.as_deref(), question, about).or(REGION);
        if !known && !answer.ask && given.is_some() {
            return Ok(None);
        }
        let places = answer.with(&asked, |text| places(&accounts, text))?;
        Ok(places.filter(|_| known))
    }

    fn runbook(&self, answer: &Answering, home: Option<&Home>) -> Result<Option<HttpsUrl>, Failure> {
        let own = home.map(|Home { repository, branch, .. }| {
            format!("https://github.com/{repository}/blob/{branch}/RUNBOOK.md")
        });
        if own.is_none() && self.runbook.is_none() {
            return Ok(None);
        }
        let about = "The messages of alarms lead to it, with the alarm's name: RUNBOOK.md, which is rendered here, or where you publish it.";
        answer.text(
            &Asked::new("--runbook", self.runbook.as_deref(), "Address of the runbook", about)
                .or_maybe(own.as_deref()),
        )
    }
}

/// The repository's name, where a service may be called so.
fn likely_name(home: &Home) -> Option<String> {
    let name = home.repository.name().to_ascii_lowercase();
    name.parse::<ServiceName>().is_ok().then_some(name)
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, Invalid> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| Invalid::new(format!("{text:?} cannot be it"), format!("{least} to {most}")))
}

/// Whether it is the first of two words.
pub(super) fn choice(text: &str, [first, second]: [&str; 2]) -> Result<bool, Invalid> {
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
