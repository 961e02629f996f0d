//! The first files of a new repository: `txnr.toml` and the environment files.

use super::value::{CodeOwner, FilePath, Repository};
use crate::config::{
    AccountId, BranchName, DomainName, EnvName, OrganizationName, ProjectName, Region, ServiceName, TagText,
};
use std::fmt::Write;

/// What a new repository is made from.
#[derive(Debug, Clone)]
pub struct Answers {
    /// The organization's short name.
    pub organization: OrganizationName,
    /// The project's name.
    pub project: ProjectName,
    /// The service's name.
    pub service: ServiceName,
    /// The domain in production.
    pub domain: DomainName,
    /// Who answers for the environments.
    pub owner: TagText,
    /// The environments, in the order of promotion.
    pub places: Vec<Place>,
    /// Where alarms are mailed to; checked as part of the environment files.
    pub page: String,
    /// The repository on GitHub.
    pub repository: Repository,
    /// What that is.
    pub github: OnGithub,
    /// The branch whose merges are applied.
    pub branch: BranchName,
    /// Who has to approve changes.
    pub code_owners: Vec<CodeOwner>,
    /// The repository that releases txnr.
    pub txnr: Repository,
    /// The Dockerfile of the image that the pipeline builds, if it builds one.
    pub dockerfile: Option<FilePath>,
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

/// The text of `txnr.toml`.
#[must_use]
pub fn project(answers: &Answers) -> String {
    let owners: Vec<String> = answers.code_owners.iter().map(|owner| format!("\"{owner}\"")).collect();
    let names: Vec<String> = answers.places.iter().map(|place| format!("\"{}\"", place.name)).collect();
    let mut text = format!(
        "# What `txnr init` renders this repository's files from, beside envs/*.toml. After a change: `txnr init`.\n\n\
         repository = \"{}\"\n\
         # The branch whose merges are applied and whose images are published.\n\
         branch = \"{}\"\n\
         # Who has to approve changes: `@user` or `@organization/team`.\n\
         code_owners = [{}]\n\
         # Whom the runbook tells people to call.\n\
         on_call = \"{}\"\n\
         # Every environment, in the order in which a change reaches them.\n\
         promotion = [{}]\n\
         # Whether GitHub's code scanning shows findings: public repositories have it, private ones with GitHub Code Security.\n\
         code_scanning = {}\n\
         # Rendered files that this repository keeps by itself from now on.\n\
         own = []\n\n\
         [txnr]\n\
         # The release that the pipeline runs, after its checksum and provenance are verified.\n\
         repository = \"{}\"\n\
         version = \"{}\"\n",
        answers.repository,
        answers.branch,
        owners.join(", "),
        answers.owner,
        names.join(", "),
        answers.github.code_scanning,
        answers.txnr,
        env!("CARGO_PKG_VERSION"),
    );
    if let Some(dockerfile) = &answers.dockerfile {
        text.push_str(&format!(
            "\n[image]\ndockerfile = \"{dockerfile}\"\n\
             # What the Dockerfile downloads: `curl -fsS {} | sha256sum`\n# database_ca_sha256 = \"…\"\n# What has to pass before an image is pushed; each is a step of its own.\n\
             checks = [\n    \"cargo fmt --all --check\",\n    \
             \"cargo clippy --workspace --all-targets --locked -- -D warnings\",\n    \
             \"cargo test --workspace --locked\",\n]\n",
            contract::DATABASE_CA_URL,
        ));
    }
    text
}

/// The text of the file of an environment, which is `at` among the places of the answers.
#[must_use]
pub fn environment(answers: &Answers, at: usize, place: &Place) -> String {
    let Place { name, account, region } = place;
    let fleeting = FLEETING.contains(&name.as_str());
    let rehearsal = REHEARSALS.contains(&name.as_str());
    let domain =
        if fleeting || rehearsal { subdomain(&answers.domain, name) } else { answers.domain.to_string() };
    let mut text = format!(
        "#:schema ./schema.json\n# Every key, its default and the reason for it: `txnr schema --markdown`\n\n\
         organization = \"{}\"\n\
         # Every resource's name begins with it: to change it later replaces nearly everything.\n\
         project = \"{}\"\naccount_id = \"{account}\"\nregion = \"{region}\"\ndomain = \"{domain}\"\nowner = \"{}\"\n",
        answers.organization, answers.project, answers.owner
    );
    if fleeting {
        text.push_str("\n# No cardholder data is handled here, so nothing has to outlive a rebuild.\nproduction = false\nprotection = false\n");
    } else if rehearsal {
        text.push_str("\n# No cardholder data is handled here.\nproduction = false\n");
    }
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
    let _infallible = write!(
        text,
        "\n[github]\nrepository = \"{}\"\n{subject}{branch}\n[alarms]\npage = [{}]\n# Where messages lead; the alarm's name is added.\nrunbook_url = \"https://github.com/{}/blob/{}/RUNBOOK.md\"\n\n[network]\ncidr = \"10.{}.0.0/16\"\n{}\n[service]\ncontract = \"txn-reconcile-api\"\nname = \"{}\"\n\
         # No image yet: the platform is built without tasks. `txnr image` sets it.\n",
        answers.repository,
        toml_edit::Value::from(answers.page.as_str()),
        answers.repository,
        answers.branch,
        (at + 1) * 10,
        if fleeting { "nat = \"single\"\n" } else { "" },
        answers.service,
    );
    let _infallible = write!(text, "\n[state]\nkey = \"{}/{name}/terraform.tfstate\"\n", answers.project);
    if fleeting || rehearsal {
        text.push_str("\n[tags]\ndata_classification = \"internal\"\npci_scope = \"connected-to\"\n");
    }
    text
}

/// `reconcile.example.com` becomes `reconcile.dev.example.com`.
fn subdomain(domain: &DomainName, name: &EnvName) -> String {
    match domain.as_str().split_once('.') {
        Some((label, rest)) => format!("{label}.{name}.{rest}"),
        None => domain.to_string(),
    }
}
