//! The VPC: subnets by tier, routes, NAT, network ACLs, endpoints, flow logs, security groups.
//!
//! Three tiers, one subnet of each per availability zone. *Public* holds the load balancer's nodes and the NAT
//! gateways, *private* the tasks and the endpoints' interfaces, *data* the data stores, which have no route out
//! of the VPC (PCI 1.4.4). Where names are listed that the tasks may reach, a firewall and the NAT gateways stand in two
//! further tiers on their way out. Security groups say who may speak to whom, one rule and one reason each; the network
//! ACLs repeat it by address range, so that a mistake in one of the two opens nothing by itself.
//!
//! A VPC that exists already is looked up instead of made, with its subnets, and held to the same tiers; the security groups
//! are ours in it all the same.

mod acl;
mod endpoints;
mod existing;
mod firewall;
mod flow_logs;
mod security_groups;
mod vpc;
mod zones;

#[cfg(test)]
mod tests;

pub use acl::most_rules;
pub use endpoints::guardduty_agent;
pub use firewall::Firewall;
pub use security_groups::{client_rules, task_rules};

use aws::kind::{SubnetId, VpcId};
use aws::{EipHandle, NatGatewayHandle, SecurityGroupHandle};
use terraform::kind::{List, Text};
use terraform::{Address, Addressed, Expr, Stack};

use super::per_service::PerService;
use super::{kms, logs, storage};
use crate::config::{EnvConfig, NetworkPart, Vpc};

/// The port of PostgreSQL, on which the data stores listen.
pub const DATABASE_PORT: u16 = contract::DATABASE_PORT;

/// The port of everything that speaks TLS by HTTP: the load balancer, the endpoints, S3 and DynamoDB.
const HTTPS: u16 = 443;

/// The port that answers with a redirect to [`HTTPS`].
const HTTP: u16 = 80;

/// The VPC and what stands in it.
pub struct Outputs {
    /// The VPC's id.
    pub vpc: Expr<VpcId>,
    /// The load balancer's and the NAT gateways' subnets, in the order of the availability zones. They stand
    /// behind the internet gateway, so whatever refers to one is made after the gateway and destroyed before it.
    pub public_subnets: Vec<Expr<SubnetId>>,
    /// The tasks' and the endpoints' subnets.
    pub private_subnets: Vec<Expr<SubnetId>>,
    /// The data stores' subnets.
    pub data_subnets: Vec<Expr<SubnetId>>,
    /// The load balancer's security group.
    pub alb_security_group: SecurityGroupHandle,
    /// The tasks' security group of each service.
    pub tasks_security_groups: PerService<SecurityGroupHandle>,
    /// PostgreSQL's security group, where there is PostgreSQL: DynamoDB's tables are in no network.
    pub database_security_group: Option<SecurityGroupHandle>,
    /// The NAT gateways, in the order of the availability zones; `nat_a` by their addresses in Terraform.
    pub nat_gateways: Vec<NatGatewayHandle>,
    /// The firewall between the tasks and the NAT gateways, if there is one.
    pub firewall: Option<Firewall>,
    /// The NAT gateways' addresses.
    pub nat_addresses: Vec<EipHandle>,
    /// What must stand before a task of each service can pull its image, read its secrets and write its log:
    /// routes, endpoints and the tasks' rules. The service depends on all of it, or its first tasks fail and trip
    /// the circuit breaker.
    pub before_tasks: PerService<Vec<Address>>,
}

/// Builds the network.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    logs: &logs::Outputs,
    buckets: &storage::Outputs,
) -> Outputs {
    zones::check(stack, config);
    let vpc = match &config.network.vpc {
        Vpc::Own(own) => vpc::build(stack, config, own, keys, logs),
        Vpc::Existing(there) => existing::find(stack, config, there),
    };
    if config.network.owns(NetworkPart::NetworkAcls) {
        acl::build(stack, config, &vpc);
    }
    if let Some(group) = &logs.flow {
        flow_logs::build(stack, config, &vpc.id, group, buckets);
    }
    let groups = security_groups::build(stack, config, &vpc.id);
    let endpoints = endpoints::build(stack, config, &vpc, groups.endpoints.as_ref());
    let rules = security_groups::build_rules(stack, config, &groups, &endpoints);
    outputs(stack, &vpc);

    let mut ways = vpc.private_routes;
    ways.extend(endpoints.all.iter().map(|endpoint| endpoint.address().clone()));
    let before_tasks =
        PerService::build(config, |workload| ways.iter().chain(rules.of(workload)).cloned().collect());
    Outputs {
        vpc: vpc.id,
        public_subnets: vpc.public.into_iter().map(|placed| placed.id).collect(),
        private_subnets: vpc.private.into_iter().map(|placed| placed.id).collect(),
        data_subnets: vpc.data.into_iter().map(|placed| placed.id).collect(),
        alb_security_group: groups.alb,
        tasks_security_groups: groups.tasks,
        database_security_group: groups.data,
        nat_gateways: vpc.nat_gateways,
        firewall: vpc.wall,
        nat_addresses: vpc.addresses,
        before_tasks,
    }
}

fn outputs(stack: &mut Stack<'_>, vpc: &vpc::Vpc) {
    stack.output("vpc_id", "The VPC.", vpc.id.clone());
    let ids = |tier: &[vpc::Placed]| -> Expr<List<Text>> {
        Expr::new(tier.iter().map(|placed| placed.id.clone()).collect::<Vec<_>>())
    };
    stack.output("private_subnet_ids", "The tasks' subnets.", ids(&vpc.private));
    let addresses: Vec<_> = vpc.addresses.iter().map(|address| address.public_ip()).collect();
    if !addresses.is_empty() {
        let description = "The addresses that third parties see, for their allow-lists.";
        stack.output("nat_public_ips", description, Expr::<List<Text>>::new(addresses));
    }
}

/// Part of a Terraform address for something that an environment file names or a range: letters, digits and
/// underscores.
fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
