//! `[network]`: the VPC, its subnets, and what may leave it.

use super::existing_network::{ExistingNetwork, NetworkPart};
use crate::config::value::{
    AvailabilityZone, Bounded, CertificateName, Cidr, GatewayEndpoint, InterfaceEndpoint, PrefixListId,
    RetentionDays, RuleName, RuleReason, ZoneLetter,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The VPC as the environment file describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFile {
    /// The VPC's IPv4 range, /16 to /22 (to /28 with subnets of your own), within private address space. Required
    /// unless the VPC exists already: only you know what else it must not overlap.
    #[schemars(with = "Cidr")]
    pub cidr: Option<Cidr>,
    /// The availability zones by letter, 2 to 6 different ones. The first three that a new account has in the region, two
    /// where there are two: the loss of one of three leaves two thirds of the capacity, and quorums stay possible. An
    /// older account may have others, hence letters and not a count; a plan fails where the account lacks one, or
    /// Fargate does not run in it. To be said in a region that this version does not know.
    /// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html>
    pub availability_zones: Option<Vec<ZoneLetter>>,
    /// Ranges of the subnets, tier by tier; what is absent is laid out from `cidr`.
    pub subnets: SubnetsFile,
    /// NAT gateways, which serve what `egress` and `firewall` let out and nothing else. Where there is such a thing one
    /// `per-az`, so that no zone depends on another; else `none`, which leaves only endpoints. `single` is cheaper and
    /// loses egress with its zone. Named here they are built in any case, such as to keep addresses that others have on
    /// their lists.
    pub nat: Option<Nat>,
    /// A VPC that exists already; takes the place of ours.
    pub existing: Option<ExistingNetwork>,
    /// Whether the VPC and the load balancer speak IPv6 as well. Why not by default: a second address family is a
    /// second set of rules to review, and IPv4 reaches every client.
    pub ipv6: bool,
    /// The VPC's flow logs.
    pub flow_logs: FlowLogs,
    /// The AWS services that are reached without leaving AWS.
    pub endpoints: EndpointsFile,
    /// What the tasks may reach outside AWS, besides data stores and endpoints. Nothing: every third party is
    /// entered here with the reason for it (PCI 1.2.5).
    pub egress: Vec<EgressRuleFile>,
    /// What the tasks may reach outside AWS by name.
    pub firewall: NetworkFirewall,
}

/// A firewall between the tasks and the NAT gateways, one endpoint beside each of these, which lets connections out by the
/// name that they ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFirewall {
    /// The names that the tasks may reach by TLS at port 443, wherever they lie, `*.example.com` for all below one; at
    /// most 1000. AWS Network Firewall reads the name in the clear part of the handshake (SNI) and drops every other
    /// connection, so a third party whose addresses change needs no rule under `egress`; ranges named there pass as
    /// before. It believes the name: with the same list under `dns.allowed_names` nothing resolves that is not on it.
    /// Where none is named there is no firewall, which costs as much as several tasks by the hour.
    pub allowed_names: Vec<CertificateName>,
    /// Why the firewall's subnets may change just now: a zone is added or taken away, or `nat` changes. With
    /// `protection` AWS refuses that otherwise. Terraform lifts the protection and changes the subnets in one apply;
    /// take the line out after it, and the next sets it again. None: they may not.
    pub subnets_may_change: Option<RuleReason>,
}

impl NetworkFile {
    /// The availability zones by letter.
    #[must_use]
    pub fn zones(&self) -> &[ZoneLetter] {
        self.availability_zones.as_deref().unwrap_or_default()
    }
}

/// The subnets' ranges by tier, each list in the order of the availability zones. An absent list is computed: the
/// lower half of the VPC holds private subnets (a sixteenth of the VPC each), the third quarter public ones, the fourth
/// data ones (a thirty-second each). In each tier there is room for six, and a zone has its place by its letter, so that
/// adding a zone moves no subnet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SubnetsFile {
    /// The load balancer's and the NAT gateways' subnets, /16 to /27.
    pub public: Option<Vec<Cidr>>,
    /// The tasks' and the endpoints' subnets, /16 to /28.
    pub private: Option<Vec<Cidr>>,
    /// The data stores' subnets, /16 to /28, without a route out of the VPC.
    pub data: Option<Vec<Cidr>>,
    /// The network firewall's subnets, /16 to /28, one per NAT gateway; only with `network.firewall`.
    pub firewall: Option<Vec<Cidr>>,
    /// The NAT gateways' subnets behind a network firewall, /16 to /28, one each; without one they stand in public
    /// subnets.
    pub nat: Option<Vec<Cidr>>,
}

/// How many NAT gateways there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nat {
    /// One in each availability zone.
    PerAz,
    /// One, in the first availability zone.
    Single,
    /// None: the tasks reach AWS through endpoints and nothing else.
    None,
}

/// The VPC's flow logs, of accepted and rejected traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlowLogs {
    /// Days that the log group keeps the records. As long as other logs: `logs.retention_days`.
    pub retention_days: Option<RetentionDays>,
    /// Whether the records also go to the audit bucket. Why not by default: it doubles the cost of the most voluminous
    /// log, and the log group meets PCI 10.5.1 by itself.
    pub s3: bool,
    /// Seconds over which records are aggregated. Why the default: an incident is seen within the minute.
    pub aggregation_seconds: AggregationSeconds,
}

impl Default for FlowLogs {
    fn default() -> Self {
        Self { retention_days: None, s3: false, aggregation_seconds: AggregationSeconds(60) }
    }
}

/// The seconds over which flow log records are aggregated: 60 or 600.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-basics.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AggregationSeconds(u32);

impl AggregationSeconds {
    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for AggregationSeconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            seconds @ (60 | 600) => Ok(Self(seconds)),
            other => Err(serde::de::Error::custom(crate::config::value::Invalid::new(
                format!("flow logs cannot be aggregated over {other} seconds"),
                "60 or 600",
            ))),
        }
    }
}

impl JsonSchema for AggregationSeconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AggregationSeconds".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "enum": [60, 600] })
    }
}

/// The AWS services that are reached through endpoints, as the environment file describes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointsFile {
    /// Interface endpoints, one network interface per zone each, which are billed by the hour. Those that somebody may
    /// use: `ecr.api`, `ecr.dkr`, `logs` and `secretsmanager` for the start of every task, since tasks reach AWS through
    /// endpoints alone, with NAT too; `ssm` where a service has `parameters`; `ssmmessages` and `kms` for `exec`; with
    /// `task_policies`, whose contents are not known here, `kms`, `monitoring`, `ssm`, `sts` and those that
    /// `task_services` names; and `guardduty-data` for GuardDuty's agent, which would otherwise get an endpoint that
    /// Terraform does not know, but not in China, where there is no agent. A list takes the place of all of them.
    pub interface: Option<Vec<InterfaceEndpoint>>,
    /// In how many of the zones, the first of them, interface endpoints stand. In all of them where `protection` is on,
    /// so that no zone depends on another; else in one, which the tasks of others reach as well, and without which none
    /// starts.
    pub zones: Option<Bounded<1, 6>>,
    /// Gateway endpoints, which cost nothing. S3, where image layers come from and which must be there, and DynamoDB,
    /// which must be where the service keeps its records there. Both where `service.contract` is `txn-reconcile-api`,
    /// else S3 alone: a service of one's own reaches DynamoDB where it is listed here.
    pub gateway: Option<Vec<GatewayEndpoint>>,
}

/// The AWS services that are reached through endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Interface endpoints; none where they are somebody else's.
    pub interface: Vec<InterfaceEndpoint>,
    /// In how many of the zones they stand, the first of them.
    pub zones: usize,
    /// Gateway endpoints.
    pub gateway: Vec<GatewayEndpoint>,
}

/// A destination outside AWS that the tasks may reach; either `cidr` or `prefix_list` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EgressRuleFile {
    /// A name for the rule, unique in the list; it becomes part of a Terraform address.
    pub name: RuleName,
    /// The destination's IPv4 range.
    pub cidr: Option<Cidr>,
    /// The destination as a managed prefix list.
    pub prefix_list: Option<PrefixListId>,
    /// The TCP port. Why the default: what leaves the environment is encrypted (PCI 4.2.1).
    #[serde(default = "https")]
    pub port: Bounded<1, 65_535>,
    /// Why the tasks need it, in 1 to 200 of the characters that AWS takes (PCI 1.2.5: every allowed port and service
    /// has a business need); becomes the rule's description.
    pub reason: RuleReason,
}

fn https() -> Bounded<1, 65_535> {
    Bounded::literal::<443>()
}

/// The VPC as the stacks build it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The VPC itself: ours, or one that exists already.
    pub vpc: Vpc,
    /// The availability zones, 2 to 6 different ones.
    pub availability_zones: Vec<AvailabilityZone>,
    /// Whether the VPC and the load balancer speak IPv6 as well.
    pub ipv6: bool,
    /// Days that the flow logs' log group keeps the records.
    pub flow_logs_retention_days: RetentionDays,
    /// The flow logs.
    pub flow_logs: FlowLogs,
    /// The AWS services that are reached through endpoints.
    pub endpoints: Endpoints,
    /// What the tasks may reach outside AWS.
    pub egress: Vec<EgressRule>,
}

impl Network {
    /// Whether a firewall of ours stands between the tasks and the NAT gateways.
    #[must_use]
    pub fn has_firewall(&self) -> bool {
        self.own().is_some_and(OwnVpc::has_firewall)
    }

    /// Our own VPC, if it is ours.
    #[must_use]
    pub const fn own(&self) -> Option<&OwnVpc> {
        match &self.vpc {
            Vpc::Own(own) => Some(own),
            Vpc::Existing(_) => None,
        }
    }

    /// The VPC that exists already, if it does.
    #[must_use]
    pub const fn existing(&self) -> Option<&ExistingNetwork> {
        match &self.vpc {
            Vpc::Own(_) => None,
            Vpc::Existing(existing) => Some(existing),
        }
    }

    /// Whether connections go out through NAT. In a VPC that exists already they may: where its routes lead is its
    /// owner's business.
    #[must_use]
    pub fn has_nat(&self) -> bool {
        self.own().is_none_or(|own| own.nat != Nat::None)
    }

    /// Whether a part of the network is this environment's to build.
    #[must_use]
    pub fn owns(&self, part: NetworkPart) -> bool {
        self.existing().is_none_or(|existing| existing.elsewhere.of(part).is_none())
    }
}

/// The VPC itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vpc {
    /// Made with its subnets, routes and gateways.
    Own(OwnVpc),
    /// It exists already.
    Existing(ExistingNetwork),
}

/// A VPC of the environment's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnVpc {
    /// The VPC's range.
    pub cidr: Cidr,
    /// The subnets by tier, one per availability zone in each.
    pub subnets: Subnets,
    /// How many NAT gateways there are.
    pub nat: Nat,
    /// The names that the network firewall lets pass; there is a firewall if there is one.
    pub firewall_names: Vec<CertificateName>,
    /// Whether the firewall's subnets may change although the environment is protected.
    pub firewall_subnets_may_change: bool,
}

impl OwnVpc {
    /// Whether a firewall stands between the tasks and the NAT gateways.
    #[must_use]
    pub fn has_firewall(&self) -> bool {
        !self.firewall_names.is_empty()
    }
}

/// The subnets by tier, each in the order of the availability zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnets {
    /// The load balancer's and the NAT gateways' subnets.
    pub public: Vec<Subnet>,
    /// The tasks' and the endpoints' subnets.
    pub private: Vec<Subnet>,
    /// The data stores' subnets, without a route out of the VPC.
    pub data: Vec<Subnet>,
    /// The network firewall's subnets, one per NAT gateway; none without a firewall.
    pub firewall: Vec<Subnet>,
    /// The NAT gateways' subnets, where they do not stand in public ones.
    pub nat: Vec<Subnet>,
}

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its availability zone.
    pub az: AvailabilityZone,
    /// Its range.
    pub cidr: Cidr,
}

/// A destination outside AWS that the tasks may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EgressRule {
    /// The rule's name, unique in the environment.
    pub name: RuleName,
    /// Where to.
    pub destination: EgressDestination,
    /// The TCP port.
    pub port: u16,
    /// Why; the rule's description.
    pub reason: RuleReason,
}

/// Where an egress rule leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EgressDestination {
    /// An IPv4 range.
    Cidr(Cidr),
    /// A managed prefix list.
    PrefixList(PrefixListId),
}
