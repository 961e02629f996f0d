//! Environment files: `envs/<name>.toml` in, a validated [`EnvConfig`] out.
//!
//! [`file`] says what a file may hold, [`value`] and [`section`] hold the types, `resolve` fills in what depends on
//! other values and checks what depends on more than one, `source` finds the line that a problem belongs to, and
//! [`report`] prints it. Nothing here reads a clock or the network; only [`load`] reads files.

pub mod file;
pub mod load;
pub mod names;
pub mod problem;
pub mod report;
pub mod schema;
pub mod section;
pub mod value;

mod lenient_parse;
mod resolve;
pub(crate) mod serde_messages;
mod source;
pub(crate) mod suggest;
mod workload;

pub use names::{BucketKind, MIGRATE, Names, TargetGroup, WorkflowRole};
pub(crate) use resolve::FIREWALL_NAMES_MAX;
pub use section::*;
pub use value::*;
pub use workload::Workload;

use std::collections::BTreeMap;

/// A validated environment: everything that the stacks need to know, in types that cannot hold what AWS would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvConfig {
    /// The environment's name: the file's name without `.toml`.
    pub name: EnvName,
    /// The organization's short name.
    pub organization: OrganizationName,
    /// The project's name.
    pub project: ProjectName,
    /// The AWS account.
    pub account_id: AccountId,
    /// The AWS region.
    pub region: Region,
    /// The service's fully qualified domain name; it lies in `hosted_zone`.
    pub domain: DomainName,
    /// The Route 53 zone that the domain is entered into.
    pub hosted_zone: DomainName,
    /// Who answers for the environment.
    pub owner: TagText,
    /// Whether real cardholder data is handled here.
    pub production: bool,
    /// Whether things refuse to be destroyed; always so in production.
    pub protection: bool,
    /// Composed names, within AWS's limits.
    pub names: Names,
    /// What exists once per account.
    pub account: Account,
    /// The VPC.
    pub network: Network,
    /// The customer-managed keys.
    pub kms: Kms,
    /// Roles that exist already.
    pub iam: Iam,
    /// The repository whose workflows plan and apply.
    pub github: Option<Github>,
    /// The image repository.
    pub ecr: Ecr,
    /// The main service, which gets every request that is no other's.
    pub service: Service,
    /// The services beside it, by name.
    pub services: BTreeMap<FurtherName, FurtherService>,
    /// Where the service keeps its records.
    pub data: Data,
    /// The service's own secrets.
    pub secrets: Secrets,
    /// What outlives the loss of the region.
    pub recovery: Recovery,
    /// Copies that outlive a mistake, if there are any.
    pub backup: Option<Backup>,
    /// The service's zone, and the names that may be looked up.
    pub dns: Dns,
    /// The load balancer.
    pub alb: Alb,
    /// The load balancer's certificate.
    pub certificate: Certificate,
    /// The web ACL.
    pub waf: Waf,
    /// CloudWatch log groups.
    pub logs: Logs,
    /// What is told to whom, and from when on.
    pub alarms: Alarms,
    /// The buckets.
    pub storage: Storage,
    /// The account's detective controls.
    pub detection: Detection,
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
    pub state: State,
    /// The versions that may apply the output.
    pub terraform: Terraform,
}

impl EnvConfig {
    /// The partition that the region lies in.
    #[must_use]
    pub fn partition(&self) -> Partition {
        self.region.partition()
    }

    /// The tags of every resource, by key: the provider's `default_tags`.
    #[must_use]
    pub fn default_tags(&self) -> BTreeMap<&str, &str> {
        let [environment, project, owner, managed_by, cost_center, data_classification, pci_scope] =
            Tags::OWN_KEYS;
        let mut tags = BTreeMap::from([
            (environment, self.name.as_str()),
            (project, self.project.as_str()),
            (owner, self.owner.as_str()),
            (managed_by, "txnr"),
            (data_classification, self.tags.data_classification.as_str()),
            (pci_scope, self.tags.pci_scope.as_str()),
        ]);
        tags.extend(self.tags.cost_center.as_ref().map(|text| (cost_center, text.as_str())));
        tags.extend(self.tags.extra.iter().map(|(key, text)| (key.as_str(), text.as_str())));
        tags
    }

    /// The name of a table in DynamoDB: the one that the file says, or else `<project>-<environment>-<table>`.
    #[must_use]
    pub fn table_name(&self, table: contract::Table) -> String {
        let named = self.data.dynamodb.as_ref().and_then(|engine| engine.tables.of(table));
        named.map_or_else(|| self.names.of(table.name()), ToString::to_string)
    }

    /// The name of the database instance or cluster: the one that the file says, or else `<project>-<environment>`.
    #[must_use]
    pub fn database_identifier(&self) -> &str {
        let named = self.data.postgres.as_ref().and_then(|engine| engine.identifier.as_ref());
        named.map_or(self.names.prefix(), DatabaseIdentifier::as_str)
    }

    /// Whether CodeDeploy moves the main service's traffic between two target groups.
    #[must_use]
    pub fn is_blue_green(&self) -> bool {
        self.service.is_blue_green()
    }

    /// The port at which a version answers before it gets traffic, and the ranges that may reach it; none, if nobody may.
    #[must_use]
    pub fn test_listener(&self) -> Option<(u16, &[Cidr])> {
        let blue_green = &self.service.deployment.blue_green;
        let wanted = self.is_blue_green() && !blue_green.test_cidrs.is_empty();
        let port = u16::try_from(blue_green.test_port.get()).ok().filter(|_| wanted)?;
        Some((port, &blue_green.test_cidrs))
    }

    /// Whether GuardDuty exports its findings, which the key's and the bucket's policy must allow.
    #[must_use]
    pub fn exports_findings(&self) -> bool {
        self.account.owns(Part::GuardDuty) && self.detection.guardduty_export
    }

    /// The ARN of the role that workflows assume for a purpose: the one that the file names, or else the one that
    /// `txnr bootstrap` makes.
    #[must_use]
    pub fn workflow_role_arn(&self, role: WorkflowRole) -> String {
        let named = match role {
            WorkflowRole::Plan => None,
            WorkflowRole::Apply => self.iam.terraform_role.as_ref(),
            WorkflowRole::Push | WorkflowRole::Deploy => self.iam.pipeline_role.as_ref(),
        };
        let own = || {
            let path = names::BOOTSTRAP_PATH;
            let name = self.names.workflow_role(role);
            format!("arn:{}:iam::{}:role{path}{name}", self.partition(), self.account_id)
        };
        named.map_or_else(own, ToString::to_string)
    }

    /// Route 53's own region, where the zone is made here and the environment lies in another one.
    #[must_use]
    pub fn zone_abroad(&self) -> Option<Region> {
        Some(Region::of_route53()).filter(|region| self.dns.create_zone && *region != self.region)
    }

    /// An ARN in this environment's partition, region and account: `arn:aws:logs:us-east-1:111122223333:<resource>`.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        self.arn_in(&self.region, service, resource)
    }

    /// The same in another region.
    #[must_use]
    pub fn arn_in(&self, region: &Region, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:{}:{resource}", self.partition(), self.account_id)
    }
}
