//! What an environment file may say: every key, its type and its default. The JSON Schema and the configuration
//! reference are generated from here.

use super::section::{
    Account, Acknowledged, Alarms, Alb, BackupFile, CertificateFile, DataFile, DetectionFile, Deviation, Dns,
    Ecr, FurtherServiceFile, GithubFile, Iam, Kms, Logs, MovedResource, NetworkFile, Recovery,
    RemovedResource, Secrets, ServiceFile, Shield, StateFile, StorageFile, Tags, Terraform, Waf,
};
use super::value::{AccountId, DomainName, FurtherName, OrganizationName, ProjectName, Region, TagText};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The keys that a file must have, and an example of each. They are options in the types, so that a missing one is
/// reported beside every other mistake and not instead of them.
pub(crate) const REQUIRED: [(&str, &str); 6] = [
    ("organization", "organization = \"acme\""),
    ("account_id", "account_id = \"111122223333\""),
    ("region", "region = \"us-east-1\""),
    ("domain", "domain = \"reconcile.example.com\""),
    ("network.cidr", "cidr = \"10.30.0.0/16\" under [network]"),
    // Which of the two it has to be, `resolve` says.
    ("service.contract", "contract = \"none\" under [service]"),
];

/// An environment: one VPC, its services, one Terraform root module. Its name is the file's name without `.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "txnr environment")]
pub struct EnvFile {
    /// The organization's short name, 1 to 15 lower-case letters, digits and hyphens. Required: it makes the names of
    /// buckets unique in the world.
    #[schemars(with = "OrganizationName")]
    pub organization: Option<OrganizationName>,
    /// The AWS account that the environment lives in. Required: names and policies are built from it, and Terraform
    /// refuses to run against any other.
    #[schemars(with = "AccountId")]
    pub account_id: Option<AccountId>,
    /// The AWS region, in any of the partitions aws, aws-us-gov and aws-cn.
    #[schemars(with = "Region")]
    pub region: Option<Region>,
    /// The service's fully qualified domain name.
    #[schemars(with = "DomainName")]
    pub domain: Option<DomainName>,
    /// The Route 53 zone that `domain` is entered into; the zone must exist, unless `dns.create_zone` makes it.
    /// `domain` without its first label.
    pub hosted_zone: Option<DomainName>,
    /// The project's name, with which every resource name begins: 1 to 20 lower-case letters, digits and single
    /// hyphens, starting with a letter. Absent: `txn-reconcile`, with a warning, for a change of it later replaces
    /// nearly everything (README, "Another name").
    pub project: Option<ProjectName>,
    /// Who answers for the environment; the tag `Owner`.
    pub owner: TagText,
    /// Whether real cardholder data is handled here. Why the default: a forgotten line makes an environment strict and
    /// not lax: retention of at least a year, no ECS Exec, protection always on.
    pub production: bool,
    /// Whether load balancer, data stores and buckets refuse to be destroyed. False only where `production` is false,
    /// to tear a test environment down.
    pub protection: bool,
    /// What exists once per account.
    pub account: Account,
    /// The VPC, its subnets, and what may leave it.
    pub network: NetworkFile,
    /// The customer-managed keys.
    pub kms: Kms,
    /// Roles that exist already and are named in policies.
    pub iam: Iam,
    /// The repository whose workflows plan and apply.
    pub github: GithubFile,
    /// The image repository.
    pub ecr: Ecr,
    /// The main service: its tasks on Fargate get every request that no other service is named for.
    pub service: ServiceFile,
    /// Further services, by name: each runs in the same cluster, behind the same load balancer and web ACL, with an
    /// image, roles, a log and a security group of its own, and gets the requests to its hosts and paths.
    pub services: BTreeMap<FurtherName, FurtherServiceFile>,
    /// Where the service keeps its records.
    pub data: DataFile,
    /// The service's own secrets.
    pub secrets: Secrets,
    /// What outlives the loss of the region.
    pub recovery: Recovery,
    /// Copies that outlive a mistake.
    pub backup: BackupFile,
    /// The service's zone, and the names that may be looked up.
    pub dns: Dns,
    /// The load balancer.
    pub alb: Alb,
    /// The load balancer's certificate.
    pub certificate: CertificateFile,
    /// The web ACL in front of the load balancer.
    pub waf: Waf,
    /// CloudWatch log groups.
    pub logs: Logs,
    /// What is told to whom, and from when on.
    pub alarms: Alarms,
    /// The buckets for logs, artifacts and statements.
    pub storage: StorageFile,
    /// The account's detective controls.
    pub detection: DetectionFile,
    /// Shield Advanced.
    pub shield: Shield,
    /// Controls that are not met, for a time.
    pub deviations: Vec<Deviation>,
    /// Consequences of a change that somebody has accepted.
    pub acknowledged: Vec<Acknowledged>,
    /// Resources whose addresses have changed.
    pub moved: Vec<MovedResource>,
    /// Resources that are no longer in the module.
    pub removed: Vec<RemovedResource>,
    /// What every resource is tagged with.
    pub tags: Tags,
    /// Where Terraform keeps its state.
    pub state: StateFile,
    /// The versions that may apply the output.
    pub terraform: Terraform,
}

impl Default for EnvFile {
    fn default() -> Self {
        Self {
            organization: None,
            account_id: None,
            region: None,
            domain: None,
            hosted_zone: None,
            project: None,
            owner: TagText::known("platform"),
            production: true,
            protection: true,
            account: Account::default(),
            network: NetworkFile::default(),
            kms: Kms::default(),
            iam: Iam::default(),
            github: GithubFile::default(),
            ecr: Ecr::default(),
            service: ServiceFile::default(),
            services: BTreeMap::new(),
            data: DataFile::default(),
            secrets: Secrets::default(),
            recovery: Recovery::default(),
            backup: BackupFile::default(),
            dns: Dns::default(),
            alb: Alb::default(),
            certificate: CertificateFile::default(),
            waf: Waf::default(),
            logs: Logs::default(),
            alarms: Alarms::default(),
            storage: StorageFile::default(),
            detection: DetectionFile::default(),
            shield: Shield::default(),
            deviations: Vec::new(),
            acknowledged: Vec::new(),
            moved: Vec::new(),
            removed: Vec::new(),
            tags: Tags::default(),
            state: StateFile::default(),
            terraform: Terraform::default(),
        }
    }
}
