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
use super::vpc::EVERYWHERE_IPV4;
use super::{DATABASE_PORT, HTTP, HTTPS, identifier};
use crate::config::{
    AnyCidr, EgressDestination, EgressRule, EnvConfig, GatewayEndpoint, NetworkPart, Workload,
};
use crate::stacks::per_service::PerService;

/// The security groups.
pub(super) struct Groups {
    /// The load balancer's.
    pub(super) alb: SecurityGroupHandle,
    /// The tasks' of each service.
    pub(super) tasks: PerService<SecurityGroupHandle>,
    /// The interface endpoints', if those are ours.
    pub(super) endpoints: Option<SecurityGroupHandle>,
    /// PostgreSQL's, where there is PostgreSQL (PCI 1.2.5, 1.2.7: nothing is opened for nobody).
    pub(super) data: Option<SecurityGroupHandle>,
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
    address: String,
    /// The name that its description begins with, unique in its group.
    name: String,
    peer: Peer,
    port: u16,
    /// Why it is needed.
    reason: String,
}

impl Rule {
    fn new(name: impl Into<String>, peer: Peer, port: u16, reason: impl Into<String>) -> Self {
        let name = name.into();
        Self { address: name.clone(), name, peer, port, reason: reason.into() }
    }

    /// The same for a service, by whose name it is told apart from those of others.
    fn of(mut self, workload: Workload<'_>) -> Self {
        self.address = workload.address(&self.name);
        self
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
    let by_name = usize::from(config.network.has_firewall());
    let elsewhere = config.network.existing().map_or(0, |existing| existing.interface_endpoint_cidrs.len());
    let database = usize::from(has_database(config));
    1 + database + config.network.endpoints.gateway.len() + config.network.egress.len() + elsewhere + by_name
}

/// Builds the groups, without rules.
pub(super) fn build(stack: &mut Stack<'_>, config: &EnvConfig, vpc: &Expr<VpcId>) -> Groups {
    let mut add = |workload: Workload<'_>, name, description| {
        let new = NewGroup { address: workload.address(name), name: workload.suffix(name), description };
        group(stack, config, vpc, &new)
    };
    let main = config.main_service();
    let endpoints = config.network.owns(NetworkPart::InterfaceEndpoints);
    Groups {
        alb: add(main, "alb", "The load balancer: reached from the internet, reaches the tasks"),
        tasks: PerService::build(config, |workload| {
            add(workload, "tasks", "The tasks: reached from the load balancer, reach what is listed")
        }),
        endpoints: endpoints.then(|| add(main, "endpoints", "The endpoints: reached from the tasks")),
        data: has_database(config).then(|| add(main, "data", "The data stores: reached from the tasks")),
    }
}

struct NewGroup {
    address: String,
    /// What its name ends in at AWS, but for what AWS adds.
    name: String,
    description: &'static str,
}

/// A group that is in use cannot be deleted, and its description cannot be changed. So a new one is made first, and
/// AWS ends its name so that both can stand beside each other.
fn group(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &Expr<VpcId>,
    new: &NewGroup,
) -> SecurityGroupHandle {
    stack.add_with(
        &new.address,
        Meta::new().create_before_destroy(),
        SecurityGroup {
            vpc_id: set(vpc.clone()),
            name_prefix: set(config.names.of(&format!("{}-", new.name))),
            description: set(new.description),
            tags: set([("Name", config.names.of(&new.name))]),
            ..Default::default()
        },
    )
}

/// Builds the rules, and returns those that a task of each service needs before it starts and is found healthy.
pub(super) fn build_rules(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    groups: &Groups,
    endpoints: &Endpoints,
) -> PerService<Vec<Address>> {
    for rule in from_internet(config) {
        ingress(stack, &groups.alb, rule);
    }
    PerService::build(config, |workload| of_service(stack, config, groups, endpoints, workload))
}

/// What passes to and from a service's tasks.
fn of_service(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    groups: &Groups,
    endpoints: &Endpoints,
    workload: Workload<'_>,
) -> Vec<Address> {
    let (tasks, port) = (groups.tasks.of(workload), workload.service.container_port);
    let reason = "The load balancer forwards requests and checks health";
    let new = |name: String, peer, port, reason| Rule::new(name, peer, port, reason).of(workload);
    let mut needed = vec![
        egress(stack, &groups.alb, new("alb_to_tasks".to_owned(), to(tasks), port, reason)),
        ingress(stack, tasks, new("tasks_from_alb".to_owned(), to(&groups.alb), port, reason)),
    ];
    if let Some(data) = groups.data.as_ref().filter(|_| reaches_data(workload)) {
        let reason = "The service reads and writes its data stores";
        let from = new("data_from_tasks".to_owned(), to(tasks), DATABASE_PORT, reason);
        needed.push(ingress(stack, data, from));
        let rule = new("tasks_to_data".to_owned(), to(data), DATABASE_PORT, reason);
        needed.push(egress(stack, tasks, rule));
    }
    needed.extend(to_interface_endpoints(stack, config, groups, workload));
    for (service, list) in &endpoints.gateways {
        let reason = match service {
            GatewayEndpoint::S3 => "Tasks read image layers and use the buckets of this account",
            // A main service of one's own reaches the tables that its policies name.
            GatewayEndpoint::DynamoDb if !reaches_data(workload) && workload.further.is_some() => continue,
            GatewayEndpoint::DynamoDb => "The service reads and writes its tables",
        };
        let peer = Peer::PrefixList(list.clone());
        let rule = new(format!("tasks_to_{}", service.service()), peer, HTTPS, reason);
        needed.push(egress(stack, tasks, rule));
    }
    for rule in to_third_parties(config, workload) {
        egress(stack, tasks, rule);
    }
    needed
}

/// Whether a data store has an address in the VPC.
pub(super) fn has_database(config: &EnvConfig) -> bool {
    config.data.postgres.is_some()
}

/// The data stores are the main service's, if the contract is with it, and those services' that are let in.
fn reaches_data(workload: Workload<'_>) -> bool {
    workload.further.map_or_else(|| workload.service.has_contract(), |further| further.data_stores)
}

/// To our own endpoints by their group, to those that exist already by their ranges.
fn to_interface_endpoints(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    groups: &Groups,
    workload: Workload<'_>,
) -> Vec<Address> {
    let tasks = groups.tasks.of(workload);
    let reason = "Tasks reach AWS through endpoints - images, logs, secrets, keys";
    if let Some(endpoints) = &groups.endpoints {
        let rule = Rule::new("endpoints_from_tasks", to(tasks), HTTPS, reason).of(workload);
        let admitted = ingress(stack, endpoints, rule);
        let rule = Rule::new("tasks_to_endpoints", to(endpoints), HTTPS, reason).of(workload);
        return vec![admitted, egress(stack, tasks, rule)];
    }
    let ranges = config.network.existing().map(|existing| existing.interface_endpoint_cidrs.as_slice());
    let rules = ranges.unwrap_or_default().iter().map(|range| {
        let text = range.to_string();
        let name = format!("tasks_to_endpoints_{}", identifier(&text));
        Rule::new(name, Peer::Ipv4(text), HTTPS, reason).of(workload)
    });
    rules.map(|rule| egress(stack, tasks, rule)).collect()
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

/// To each destination outside AWS that the environment lists, for the reason it gives: the main service's tasks to all of
/// them, the others to those that they name. Where it lists names, the main service's reach whatever address they have: the
/// firewall reads the names.
fn to_third_parties<'c>(config: &'c EnvConfig, workload: Workload<'c>) -> impl Iterator<Item = Rule> + 'c {
    let by_name = (config.network.has_firewall() && workload.further.is_none()).then(|| {
        let reason = "The network firewall lets listed names pass and no other";
        Rule::new("third_party_names", Peer::Ipv4(EVERYWHERE_IPV4.to_owned()), HTTPS, reason)
    });
    let wanted =
        move |rule: &&EgressRule| workload.further.is_none_or(|further| further.egress.contains(&rule.name));
    let by_address = config.network.egress.iter().filter(wanted).map(move |rule| {
        let peer = match &rule.destination {
            EgressDestination::Cidr(range) => Peer::Ipv4(range.to_string()),
            EgressDestination::PrefixList(list) => Peer::PrefixList(Expr::external(list.to_string())),
        };
        let name = format!("third_party_{}", identifier(rule.name.as_str()));
        Rule::new(name, peer, rule.port, rule.reason.to_string()).of(workload)
    });
    by_address.chain(by_name)
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
    stack.add(rule.address, block).address().clone()
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
    stack.add(rule.address, block).address().clone()
}
