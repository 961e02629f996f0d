//! The first files of a new repository: `txnr.toml` and the environment files.

use super::Language;
use super::value::{CodeOwner, FilePath, Repository};
use crate::config::{
    AccountId, BranchName, Contract, DomainName, EnvName, HttpsUrl, Invalid, OrganizationName, ProjectName,
    Region, ServiceName, TagText, UrlPath,
};
use std::fmt::Write;

/// The line that stands in an environment's file until its main service has an image; `txnr image` takes it out.
pub const NO_IMAGE: &str = "# No image yet: the platform is built without tasks. `txnr image` sets it.";

/// What a new repository is made from.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The organization's short name.
    pub organization: OrganizationName,
    /// The project's name.
    pub project: ProjectName,
    /// What the main service runs.
    pub program: Program,
    /// The service's name.
    pub service: ServiceName,
    /// The domain in production.
    pub domain: DomainName,
    /// The public zone that it is entered into; it lies in it.
    pub hosted_zone: DomainName,
    /// Who answers for the environments.
    pub owner: TagText,
    /// The environments, in the order of promotion.
    pub places: Vec<Place>,
    /// Where alarms are mailed to; checked as part of the environment files.
    pub page: String,
    /// Where the messages of alarms lead.
    pub runbook: HttpsUrl,
    /// The repository on GitHub.
    pub repository: Repository,
    /// What that is.
    pub github: OnGithub,
    /// The branch whose merges are applied.
    pub branch: BranchName,
    /// Who has to approve changes.
    pub code_owners: Vec<CodeOwner>,
    /// Rendered files that the repository keeps by itself.
    pub own: Vec<FilePath>,
    /// The repository that releases txnr.
    pub txnr: Repository,
    /// The image that the pipeline builds, if it builds one.
    pub image: Option<Built>,
}

/// What the main service runs.
#[derive(Debug, Clone)]
pub enum Program {
    /// The reconciliation service, of which the contract says everything.
    TxnReconcileApi,
    /// Any other program.
    Own {
        /// The port that it listens on.
        port: u16,
        /// The user that it runs as.
        user_id: u32,
        /// The path that answers 200 when it can serve.
        health_path: UrlPath,
    },
}

impl Program {
    const fn contract(&self) -> Contract {
        match self {
            Self::TxnReconcileApi => Contract::TxnReconcileApi,
            Self::Own { .. } => Contract::None,
        }
    }
}

/// The image that the pipeline builds.
#[derive(Debug, Clone)]
pub struct Built {
    /// Its Dockerfile.
    pub dockerfile: FilePath,
    /// The language of what is built.
    pub language: Language,
    /// What has to pass before it is pushed.
    pub checks: Vec<&'static str>,
}

/// What the repository is on GitHub.
#[derive(Debug, Clone, Copy)]
pub struct OnGithub {
    /// The numbers of its owner and of itself.
    pub numbers: Option<(u64, u64)>,
    /// Whether the subjects of its tokens hold names alone.
    pub by_name: bool,
    /// Whether it has code scanning.
    pub code_scanning: bool,
}

/// An environment, and where it lies.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its name.
    pub name: EnvName,
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: Region,
}

/// Environments that by their name are no production, and of those the ones that are made to be torn down. Any other
/// name makes an environment strict.
const REHEARSALS: [&str; 6] = ["stage", "staging", "stg", "preprod", "uat", "qa"];
const FLEETING: [&str; 4] = ["dev", "test", "sandbox", "demo"];

impl Place {
    fn is_fleeting(&self) -> bool {
        FLEETING.contains(&self.name.as_str())
    }

    fn is_strict(&self) -> bool {
        !self.is_fleeting() && !REHEARSALS.contains(&self.name.as_str())
    }
}

/// What follows for an environment from all of them, so that they are valid together.
#[derive(Debug, Clone)]
pub struct Proposed<'a> {
    /// Where it lies.
    pub place: &'a Place,
    /// Its domain: production's own in one, elsewhere with the environment's name in it.
    pub domain: DomainName,
    /// The public zone of the domain: production's own, or one below it that bears the environment's name.
    pub hosted_zone: DomainName,
    /// The service's name, and that of its image repository, which is unique in an account and region.
    pub service: ServiceName,
    /// The environment that owns what there is once per account, if it is another one.
    pub baseline_owner: Option<&'a EnvName>,
}

impl Answers {
    /// What follows for each environment.
    ///
    /// # Errors
    /// When a name that is made becomes too long.
    pub fn proposed(&self) -> Result<Vec<Proposed<'_>>, Invalid> {
        self.places.iter().map(|place| self.propose(place)).collect()
    }

    /// Of those that are alike, the one that a change reaches last has what there is once: production.
    fn last(&self, alike: impl Fn(&Place) -> bool) -> Option<&Place> {
        self.places.iter().rfind(|place| alike(place))
    }

    fn propose<'a>(&'a self, place: &'a Place) -> Result<Proposed<'a>, Invalid> {
        let is = |other: Option<&Place>| other.is_some_and(|other| other.name == place.name);
        let (domain, hosted_zone) = if is(self.last(Place::is_strict)) {
            (self.domain.clone(), self.hosted_zone.clone())
        } else {
            let zone: DomainName = format!("{}.{}", place.name, self.hosted_zone).parse()?;
            let labels = self.domain.as_str().strip_suffix(self.hosted_zone.as_str()).unwrap_or_default();
            (format!("{labels}{zone}").parse()?, zone)
        };
        let of_account = self.last(|other| other.account == place.account);
        let of_region = self.last(|other| other.account == place.account && other.region == place.region);
        let service = match is(of_region) {
            true => self.service.clone(),
            false => format!("{}-{}", self.service, place.name).parse()?,
        };
        let baseline_owner = of_account.filter(|owner| owner.name != place.name).map(|owner| &owner.name);
        Ok(Proposed { place, domain, hosted_zone, service, baseline_owner })
    }
}

/// The text of `txnr.toml`.
#[must_use]
pub fn project(answers: &Answers) -> String {
    let list = |words: Vec<String>| {
        let quoted: Vec<String> =
            words.iter().map(|word| toml_edit::Value::from(word.as_str()).to_string()).collect();
        quoted.join(", ")
    };
    let owners = list(answers.code_owners.iter().map(ToString::to_string).collect());
    let names = list(answers.places.iter().map(|place| place.name.to_string()).collect());
    let own = list(answers.own.iter().map(ToString::to_string).collect());
    let mut text = format!(
        "# What `txnr init` renders this repository's files from, beside envs/*.toml. After a change: `txnr init`.\n\n\
         repository = \"{}\"\n\
         # The branch whose merges are applied and whose images are published.\n\
         branch = \"{}\"\n\
         # Who has to approve changes: `@user` or `@organization/team`.\n\
         code_owners = [{owners}]\n\
         # Whom the runbook tells people to call.\n\
         on_call = \"{}\"\n\
         # Every environment, in the order in which a change reaches them.\n\
         promotion = [{names}]\n\
         # Whether GitHub's code scanning shows findings: public repositories have it, private ones with GitHub Code Security.\n\
         code_scanning = {}\n\
         # Rendered files that this repository keeps by itself from now on.\n\
         own = [{own}]\n\n\
         [txnr]\n\
         # The release that the pipeline runs, after its checksum and provenance are verified.\n\
         repository = \"{}\"\n\
         version = \"{}\"\n",
        answers.repository,
        answers.branch,
        answers.owner,
        answers.github.code_scanning,
        answers.txnr,
        env!("CARGO_PKG_VERSION"),
    );
    if let Some(image) = &answers.image {
        text.push_str(&self::image(image, &answers.program));
    }
    text
}

fn image(image: &Built, program: &Program) -> String {
    let authorities = match program {
        Program::TxnReconcileApi => format!(
            "# What the Dockerfile downloads: `curl -fsS {} | sha256sum`\n# database_ca_sha256 = \"…\"\n",
            contract::DATABASE_CA_URL
        ),
        Program::Own { .. } => String::new(),
    };
    let checks: String =
        image.checks.iter().map(|check| format!("    {},\n", toml_edit::Value::from(*check))).collect();
    let checks = if checks.is_empty() { String::new() } else { format!("\n{checks}") };
    format!(
        "\n[image]\ndockerfile = \"{}\"\n\
         # The language of the service: which hooks, ignore files and updates are rendered (`txnr init --help`).\n\
         language = \"{}\"\n{authorities}\
         # What has to pass before an image is pushed; each is a step of its own.\n\
         checks = [{checks}]\n",
        image.dockerfile, image.language
    )
}

/// The text of the file of an environment, which is `at` among the places of the answers.
#[must_use]
pub fn environment(answers: &Answers, at: usize, proposed: &Proposed<'_>) -> String {
    let Proposed { place, domain, hosted_zone, .. } = proposed;
    let Place { name, account, region } = place;
    let zone = match domain.parent().as_ref() == Some(hosted_zone) {
        true => String::new(),
        false => format!("# The public zone of the domain.\nhosted_zone = \"{hosted_zone}\"\n"),
    };
    let mut text = format!(
        "#:schema ./schema.json\n# Every key, its default and the reason for it: `txnr schema --markdown`\n\n\
         organization = \"{}\"\n\
         # Every resource's name begins with it: to change it later replaces nearly everything.\n\
         project = \"{}\"\naccount_id = \"{account}\"\nregion = \"{region}\"\ndomain = \"{domain}\"\n{zone}owner = \"{}\"\n",
        answers.organization, answers.project, answers.owner
    );
    if place.is_fleeting() {
        text.push_str("\n# No cardholder data is handled here, so nothing has to outlive a rebuild.\nproduction = false\nprotection = false\n");
    } else if !place.is_strict() {
        text.push_str("\n# No cardholder data is handled here.\nproduction = false\n");
    }
    if let Some(owner) = proposed.baseline_owner {
        let _infallible = write!(
            text,
            "\n# What there is once per account, such as trail and detectors, is made by one of its environments.\n\
             [account]\nbaseline = false\nbaseline_owner = \"The environment {owner} of the same account\"\n"
        );
    }
    text.push_str(&trust(answers));
    text.push_str(&alarms(answers));
    text.push_str(&network(at, place));
    text.push_str(&service(answers, proposed));
    let _infallible = write!(text, "\n[state]\nkey = \"{}/{name}/terraform.tfstate\"\n", answers.project);
    if !place.is_strict() {
        text.push_str("\n[tags]\ndata_classification = \"internal\"\npci_scope = \"connected-to\"\n");
    }
    text
}

fn trust(answers: &Answers) -> String {
    let branch = match answers.branch == BranchName::default() {
        true => String::new(),
        false => format!("branch = \"{}\"\n", answers.branch),
    };
    let mut subject = answers
        .github
        .numbers
        .map_or_else(String::new, |(owner, id)| format!("owner_id = {owner}\nrepository_id = {id}\n"));
    if answers.github.by_name {
        subject.push_str("immutable_subject = false\n");
    }
    format!("\n[github]\nrepository = \"{}\"\n{subject}{branch}", answers.repository)
}

fn alarms(answers: &Answers) -> String {
    format!(
        "\n[alarms]\npage = [{}]\n# Where messages lead; the alarm's name is added.\nrunbook_url = \"{}\"\n",
        toml_edit::Value::from(answers.page.as_str()),
        answers.runbook,
    )
}

/// A range for each environment that no other one has: tens are easy to read, and there are 25 of them.
fn network(at: usize, place: &Place) -> String {
    let second = if at < 25 { (at + 1) * 10 } else { at + 1 };
    let zones = place.region.unusual_zones().map_or_else(String::new, |letters| {
        let letters: Vec<String> = letters.iter().map(|letter| format!("\"{}\"", letter.as_char())).collect();
        format!(
            "# The letters of the zones of {region} that new accounts have; yours:\n\
             # aws ec2 describe-availability-zones --region {region} --query 'AvailabilityZones[].ZoneName'\n\
             availability_zones = [{}]\n",
            letters.join(", "),
            region = place.region,
        )
    });
    format!("\n[network]\ncidr = \"10.{second}.0.0/16\"\n{zones}")
}

fn service(answers: &Answers, proposed: &Proposed<'_>) -> String {
    let contract = match answers.program.contract() {
        Contract::TxnReconcileApi => "txn-reconcile-api",
        Contract::None => "none",
    };
    let own = match &answers.program {
        Program::TxnReconcileApi => String::new(),
        Program::Own { port, user_id, health_path } => format!(
            "container_port = {port}\nuser_id = {user_id}\n\
             # Answers 200 when the container can serve.\nhealth_check.path = \"{health_path}\"\n"
        ),
    };
    format!(
        "\n[service]\ncontract = \"{contract}\"\nname = \"{}\"\n{own}\
         {NO_IMAGE}\n",
        proposed.service,
    )
}
