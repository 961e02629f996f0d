//! `[network.existing]`: a VPC that exists already, and what in it is looked after elsewhere.

use crate::config::value::{Cidr, RuleReason, SubnetId, VpcId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A VPC that exists already, such as a landing zone hands out. Neither it nor its subnets, routes and gateways are made
/// or changed; what is known of them is read when Terraform plans, which fails where it is not as stated here. Beside it,
/// `cidr`, `nat` and `[network.subnets]` have no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingNetwork {
    /// The id of the VPC.
    pub vpc_id: VpcId,
    /// The load balancer's subnets, one per zone in the order of `availability_zones`.
    pub public: Vec<SubnetId>,
    /// The tasks' and the endpoints' subnets, likewise; they give out no public addresses, and the route table that
    /// each is associated with leads to no internet gateway.
    pub private: Vec<SubnetId>,
    /// The data stores' subnets, likewise; their route tables lead to no NAT gateway either. Required with PostgreSQL
    /// alone.
    #[serde(default)]
    pub data: Vec<SubnetId>,
    /// The ranges in which interface endpoints stand that exist already: the tasks reach 443 there. Required with
    /// `elsewhere.interface_endpoints`, and with it alone.
    #[serde(default)]
    pub interface_endpoint_cidrs: Vec<Cidr>,
    /// What is looked after elsewhere, each with the reason.
    pub elsewhere: NetworkElsewhere,
}

/// Parts of the network that are not this environment's. The value is the reason, which an assessor will ask for: where
/// the part is and who looks after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkElsewhere {
    /// The VPC with its routes and gateways, and the defaults that it was born with: security group, network ACL, route
    /// table (PCI 1.2.1, 1.3.1, 1.4.1).
    pub vpc: RuleReason,
    /// The flow logs (PCI 10.2.1). Ours.
    pub flow_logs: Option<RuleReason>,
    /// The network ACLs (PCI 1.3.1, 1.3.2). Ours, which then take the place of those that the subnets have; when they
    /// are destroyed, the VPC's default one stands in.
    pub network_acls: Option<RuleReason>,
    /// The interface endpoints, such as those of a shared VPC. Ours.
    pub interface_endpoints: Option<RuleReason>,
    /// The gateway endpoints to S3 and DynamoDB. Ours.
    pub gateway_endpoints: Option<RuleReason>,
}

/// A part of the network that may be somebody else's in a VPC that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkPart {
    /// The flow logs.
    FlowLogs,
    /// The network ACLs.
    NetworkAcls,
    /// The interface endpoints.
    InterfaceEndpoints,
    /// The gateway endpoints.
    GatewayEndpoints,
}

impl NetworkElsewhere {
    /// The parts that are somebody else's, by their keys, with the reasons.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &RuleReason)> {
        let Self { vpc, flow_logs, network_acls, interface_endpoints, gateway_endpoints } = self;
        let optional = [
            ("flow_logs", flow_logs),
            ("network_acls", network_acls),
            ("interface_endpoints", interface_endpoints),
            ("gateway_endpoints", gateway_endpoints),
        ];
        let optional = optional.into_iter().filter_map(|(part, reason)| Some((part, reason.as_ref()?)));
        [("vpc", vpc)].into_iter().chain(optional)
    }

    /// Why a part is not this environment's, if it is not.
    #[must_use]
    pub const fn of(&self, part: NetworkPart) -> Option<&RuleReason> {
        match part {
            NetworkPart::FlowLogs => self.flow_logs.as_ref(),
            NetworkPart::NetworkAcls => self.network_acls.as_ref(),
            NetworkPart::InterfaceEndpoints => self.interface_endpoints.as_ref(),
            NetworkPart::GatewayEndpoints => self.gateway_endpoints.as_ref(),
        }
    }
}
