//! Security groups: the load balancer's, the tasks', the endpoints' and the data stores', and what passes between
//! them. One resource per rule, each with a description that begins with the rule's name and says why it is there
//! (PCI 1.2.5). Without a rule nothing passes, in either direction: Terraform takes away the rule to everywhere
//! that AWS gives a new group.
//!
//! AWS allows 60 rules per group, direction and address family by default, and a prefix list counts as many as it
//! may hold, which is checked where the environment file is: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>

use std::collections::BTreeSet;

use aws::kind::{SecurityGroupId, VpcEndpointPrefixListId, VpcId};
use aws::{
    SecurityGroup, SecurityGroupHandle, VpcSecurityGroupEgressRule, VpcSecurityGroupEgressRuleOptional,
    VpcSecurityGroupIngressRule, VpcSecurityGroupIngressRuleOptional,
};
use terraform::{Address, Addressed, Expr, Meta, Stack, set};

use super::endpoints::Endpoints;
use super::{DATABASE_PORT, HTTP, HTTPS, identifier};
use crate::config::{AnyCidr, EgressDestination, EnvConfig, GatewayEndpoint};

/// The security groups.
pub(super) struct Groups {
    /// The load balancer's.
    pub(super) alb: SecurityGroupHandle,
    /// The tasks'.
    pub(super) tasks: SecurityGroupHandle,
    /// The interface endpoints'.
    pub(super) endpoints: SecurityGroupHandle,
    /// The data stores'.
    pub(super) data: SecurityGroupHandle,
}

/// Who stands at the other end of a rule.
enum Peer {
    Ipv4(String),
    Ipv6(String),
    Group(Expr<SecurityGroupId>),
    PrefixList(Expr<VpcEndpointPrefixListId>),
}

/// What a rule allows: TCP to one port.
struct Rule {
    /// The rule's Terraform name, unique among all of the environment's rules.
    name: String,
    peer: Peer,
    port: u16,
    /// Why it is needed.
    reason: String,
}

impl Rule {
    fn new(name: impl Into<String>, peer: Peer, port: u16, reason: impl Into<String>) -> Self {
        Self { name: name.into(), peer, port, reason: reason.into() }
    }

    /// The rule's name and its reason: no more than the 255 characters that AWS takes, for a name has at most 44 and a
    /// reason 200.
    fn description(&self) -> String {
        format!("{}: {}", self.name, self.reason)
    }
}

/// How many rules let clients in to the load balancer, in the address family that has more of them.
#[must_use]
pub fn client_rules(config: &EnvConfig) -> usize {
    let (ipv6, ipv4): (Vec<Rule>, Vec<Rule>) =
        from_internet(config).into_iter().partition(|rule| matches!(rule.peer, Peer::Ipv6(_)));
    ipv4.len().max(ipv6.len())
}

/// How many rules let the tasks out: to data stores, endpoints and third parties. A prefix list of one's own counts for
/// one here, though AWS counts as many as it may hold.
#[must_use]
pub fn task_rules(config: &EnvConfig) -> usize {
    2 + config.network.endpoints.gateway.len() + config.network.egress.len()
}

/// Builds the groups, without rules.
pub(super) fn build(stack: &mut Stack<'_>, config: &EnvConfig, vpc: &Expr<VpcId>) -> Groups {
    let mut add = |name, description| group(stack, config, vpc, name, description);
    Groups {
        alb: add("alb", "The load balancer: reached from the internet, reaches the tasks"),
        tasks: add("tasks", "The tasks: reached from the load balancer, reach what is listed"),
        endpoints: add("endpoints", "The endpoints: reached from the tasks"),
        data: add("data", "The data stores: reached from the tasks"),
    }
}

/// A group that is in use cannot be deleted, and its description cannot be changed. So a new one is made first, and
/// AWS ends its name so that both can stand beside each other.
fn group(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &Expr<VpcId>,
    name: &'static str,
    description: &'static str,
) -> SecurityGroupHandle {
    stack.add_with(
        name,
        Meta::new().create_before_destroy(),
        SecurityGroup {
            vpc_id: set(vpc.clone()),
            name_prefix: set(config.names.of(&format!("{name}-"))),
            description: set(description),
            tags: set([("Name", config.names.of(name))]),
            ..Default::default()
        },
    )
}

/// Builds the rules, and returns those that a task needs before it starts and is found healthy.
pub(super) fn build_rules(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    groups: &Groups,
    endpoints: &Endpoints,
) -> Vec<Address> {
    let port = config.service.container_port;
    for rule in from_internet(config) {
        ingress(stack, &groups.alb, rule);
    }
    let reason = "The load balancer forwards requests and checks health";
    let mut needed = vec![
        egress(stack, &groups.alb, Rule::new("alb_to_tasks", to(&groups.tasks), port, reason)),
        ingress(stack, &groups.tasks, Rule::new("tasks_from_alb", to(&groups.alb), port, reason)),
    ];

    let reason = "The service reads and writes its data stores";
    ingress(stack, &groups.data, Rule::new("data_from_tasks", to(&groups.tasks), DATABASE_PORT, reason));
    needed.push(egress(
        stack,
        &groups.tasks,
        Rule::new("tasks_to_data", to(&groups.data), DATABASE_PORT, reason),
    ));
    let reason = "Tasks reach AWS through endpoints - images, logs, secrets, keys";
    let rule = Rule::new("endpoints_from_tasks", to(&groups.tasks), HTTPS, reason);
    needed.push(ingress(stack, &groups.endpoints, rule));
    let rule = Rule::new("tasks_to_endpoints", to(&groups.endpoints), HTTPS, reason);
    needed.push(egress(stack, &groups.tasks, rule));
    for (service, endpoint) in &endpoints.gateways {
        let reason = match service {
            GatewayEndpoint::S3 => "Tasks read image layers and use the buckets of this account",
            GatewayEndpoint::DynamoDb => "The service reads and writes its tables",
        };
        let peer = Peer::PrefixList(endpoint.prefix_list_id());
        let rule = Rule::new(format!("tasks_to_{}", service.service()), peer, HTTPS, reason);
        needed.push(egress(stack, &groups.tasks, rule));
    }
    for rule in to_third_parties(config) {
        egress(stack, &groups.tasks, rule);
    }
    needed
}

fn to(group: &SecurityGroupHandle) -> Peer {
    Peer::Group(group.id())
}

/// From the ranges that the environment admits, to HTTPS and, to be redirected, to HTTP, and from
/// testers' ranges to the test listener. Nothing else in the VPC
/// has a rule from an address range (PCI 1.3.1). AWS would also admit ICMP, for the discovery of a path's packet size;
/// here nothing but the two ports is open to the internet.
fn from_internet(config: &EnvConfig) -> Vec<Rule> {
    let ranges: BTreeSet<AnyCidr> = config
        .alb
        .allowed_cidrs
        .iter()
        .copied()
        .filter(|range| config.network.ipv6 || !range.is_ipv6())
        .collect();
    let mut rules = Vec::new();
    for range in ranges {
        let text = range.to_string();
        let (family, peer): (_, fn(String) -> Peer) =
            if range.is_ipv6() { ("ipv6", Peer::Ipv6) } else { ("ipv4", Peer::Ipv4) };
        let who = if range.is_everywhere() { family.to_owned() } else { identifier(&text) };
        let reason = "Clients reach the service by HTTPS";
        rules.push(Rule::new(format!("alb_https_{who}"), peer(text.clone()), HTTPS, reason));
        if config.alb.http_redirect {
            let reason = "Clients that begin with HTTP are redirected to HTTPS";
            rules.push(Rule::new(format!("alb_http_{who}"), peer(text), HTTP, reason));
        }
    }
    if let Some((port, ranges)) = config.test_listener() {
        let reason = "Testers look at the next version before it gets traffic";
        rules.extend(ranges.iter().map(|range| {
            let text = range.to_string();
            Rule::new(format!("alb_test_{}", identifier(&text)), Peer::Ipv4(text), port, reason)
        }));
    }
    rules
}

/// To each destination outside AWS that the environment lists, for the reason it gives.
fn to_third_parties(config: &EnvConfig) -> impl Iterator<Item = Rule> {
    config.network.egress.iter().map(|rule| {
        let peer = match &rule.destination {
            EgressDestination::Cidr(range) => Peer::Ipv4(range.to_string()),
            EgressDestination::PrefixList(list) => Peer::PrefixList(Expr::external(list.to_string())),
        };
        let name = format!("third_party_{}", identifier(rule.name.as_str()));
        Rule::new(name, peer, rule.port, rule.reason.to_string())
    })
}

fn ingress(stack: &mut Stack<'_>, group: &SecurityGroupHandle, rule: Rule) -> Address {
    let mut optional = VpcSecurityGroupIngressRuleOptional {
        description: set(rule.description()),
        from_port: set(rule.port),
        to_port: set(rule.port),
        ..Default::default()
    };
    match rule.peer {
        Peer::Ipv4(range) => optional.cidr_ipv4 = set(range),
        Peer::Ipv6(range) => optional.cidr_ipv6 = set(range),
        Peer::Group(id) => optional.referenced_security_group_id = set(id),
        Peer::PrefixList(id) => optional.prefix_list_id = set(id),
    }
    let block =
        VpcSecurityGroupIngressRule { ip_protocol: set("tcp"), security_group_id: group.id(), optional };
    stack.add(rule.name, block).address().clone()
}

fn egress(stack: &mut Stack<'_>, group: &SecurityGroupHandle, rule: Rule) -> Address {
    let mut optional = VpcSecurityGroupEgressRuleOptional {
        description: set(rule.description()),
        from_port: set(rule.port),
        to_port: set(rule.port),
        ..Default::default()
    };
    match rule.peer {
        Peer::Ipv4(range) => optional.cidr_ipv4 = set(range),
        Peer::Ipv6(range) => optional.cidr_ipv6 = set(range),
        Peer::Group(id) => optional.referenced_security_group_id = set(id),
        Peer::PrefixList(id) => optional.prefix_list_id = set(id),
    }
    let block =
        VpcSecurityGroupEgressRule { ip_protocol: set("tcp"), security_group_id: group.id(), optional };
    stack.add(rule.name, block).address().clone()
}
