//! Network ACLs: one per tier, which says by address range what the security groups say by group.
//!
//! They keep no state: an answer needs a rule of its own. Who answers whom decides the ports. NAT gateways and the
//! load balancer's nodes take any port from 1024 up, the tasks those from which Linux takes them, 32768 up:
//! <https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports>
//! So the tasks' subnets need not open the container's port, nor RDP's 3389, to answers from the internet; the
//! public ones leave 3389 out of the range instead, which makes one NAT connection in 64,512 start over but keeps
//! every allowing rule clear of it (PCI 1.3.1, Security Hub EC2.21).
//!
//! DNS has no rule, here and in the security groups: neither filters the VPC's own resolver.
//! <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html>
//!
//! AWS allows 20 rules per ACL and direction by default, 40 on request, which is checked where the environment file is.
//! The most crowded, the private tier's way
//! out, takes 2 + 2 per zone and one for each port of a third party besides 443.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use aws::{
    DefaultNetworkAcl, DefaultNetworkAclOptional, NetworkAcl, NetworkAclHandle, NetworkAclOptional,
    NetworkAclRule, NetworkAclRuleOptional,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, Stack, set};

use super::security_groups::has_database;
use super::vpc::{EVERYWHERE_IPV4, EVERYWHERE_IPV6, Tier, Vpc};
use super::{DATABASE_PORT, HTTP, HTTPS, identifier};
use crate::config::{AvailabilityZone, Cidr, EgressDestination, EnvConfig, NetworkPart};

/// From which ports connections may come.
const EPHEMERAL: RangeInclusive<u16> = 1024..=65_535;
/// From which ports the tasks' connections come: Linux's own range and what lies above it.
const TASKS_EPHEMERAL: RangeInclusive<u16> = 32_768..=65_535;
/// [`EPHEMERAL`] below and above the port of RDP.
const EPHEMERAL_BUT_RDP: [(&str, RangeInclusive<u16>); 2] = [("low", 1024..=3388), ("high", 3390..=65_535)];

/// The first number of the rules for third parties.
const THIRD_PARTY: u32 = 1000;
/// How many pairs of numbers lie between [`THIRD_PARTY`] and 32766, the last that AWS takes.
const THIRD_PARTY_PAIRS: u32 = 15_883;
/// The first number of the rules for ports of services beside the main one, and how many there are.
const FURTHER_PORT: u32 = 500;
const FURTHER_PORTS: u32 = 400;

/// One rule, which allows TCP; what no rule allows is denied.
struct Rule {
    direction: Direction,
    /// Its place in the order and, with the direction, its identity at AWS; stable when other rules come and go.
    number: u32,
    /// The last part of its Terraform address.
    name: String,
    peer: Peer,
    ports: RangeInclusive<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

#[derive(Clone, Copy)]
enum Peer {
    Everywhere,
    EverywhereIpv6,
    Range(Cidr),
    /// The VPC as a whole.
    WholeVpc,
    /// The subnet of a tier in the zone of that letter.
    Subnet(Tier, char),
}

use Direction::{In, Out};
use Peer::{Everywhere, EverywhereIpv6, Range, WholeVpc};

impl Rule {
    fn new(
        direction: Direction,
        number: u32,
        name: impl Into<String>,
        peer: Peer,
        ports: RangeInclusive<u16>,
    ) -> Self {
        Self { direction, number, name: name.into(), peer, ports }
    }

    /// The same rule for each subnet of a tier.
    fn each<'p>(
        config: &'p EnvConfig,
        direction: Direction,
        number: u32,
        name: &'p str,
        tier: Tier,
        ports: RangeInclusive<u16>,
    ) -> impl Iterator<Item = Self> + 'p {
        zones(config, tier).iter().map(move |zone| {
            let zone = zone.letter();
            let letter = u32::from(zone) - u32::from('a');
            let peer = Peer::Subnet(tier, zone);
            Self::new(direction, number + letter, format!("{name}_{zone}"), peer, ports.clone())
        })
    }
}

/// The zones in which a tier has a subnet that somebody speaks to: the data tier's hold PostgreSQL, if anything. In a VPC that exists already the data tier may have none.
fn zones(config: &EnvConfig, tier: Tier) -> &[AvailabilityZone] {
    let without = config.network.existing().is_some_and(|existing| existing.data.is_empty());
    if tier == Tier::Data && (without || !has_database(config)) {
        &[]
    } else {
        &config.network.availability_zones
    }
}

/// How many rules the most crowded of the ACLs has in one direction; none where the ACLs are another's.
#[must_use]
pub fn most_rules(config: &EnvConfig) -> usize {
    if !config.network.owns(NetworkPart::NetworkAcls) {
        return 0;
    }
    let count = |rules: &[Rule], direction| rules.iter().filter(|rule| rule.direction == direction).count();
    let tiers = [public(config), private(config), data(config), firewall(config), nat(config)];
    tiers.iter().flat_map(|rules| [count(rules, In), count(rules, Out)]).max().unwrap_or_default()
}

/// Builds the ACLs and empties the one that a VPC of our own was born with.
pub(super) fn build(stack: &mut Stack<'_>, config: &EnvConfig, vpc: &Vpc) {
    let tiers = [
        ("public", &vpc.public, public(config)),
        ("private", &vpc.private, private(config)),
        ("data", &vpc.data, data(config)),
        ("firewall", &vpc.firewall, firewall(config)),
        ("nat", &vpc.nat, nat(config)),
    ];
    // Adopted last: until a subnet has its own ACL it is the default one's, and Terraform would note that down.
    let mut locked = Meta::new();
    for (tier, subnets, rules) in tiers.into_iter().filter(|(_, subnets, _)| !subnets.is_empty()) {
        let acl = stack.add(
            tier,
            NetworkAcl {
                vpc_id: vpc.id.clone(),
                optional: NetworkAclOptional {
                    subnet_ids: set(subnets.iter().map(|placed| placed.id.clone()).collect::<Vec<_>>()),
                    tags: set([("Name", config.names.of(tier))]),
                },
            },
        );
        for rule in rules {
            add(stack, tier, &acl, vpc, rule);
        }
        locked = locked.depends_on(&acl);
    }
    let Some(default) = &vpc.default_network_acl else { return };
    stack.add_with(
        "locked",
        locked,
        DefaultNetworkAcl {
            default_network_acl_id: default.clone(),
            optional: DefaultNetworkAclOptional {
                tags: set([("Name", config.names.of("default-locked"))]),
                ..Default::default()
            },
        },
    );
}

fn add(stack: &mut Stack<'_>, tier: &str, acl: &NetworkAclHandle, vpc: &Vpc, rule: Rule) {
    let direction = match rule.direction {
        In => "in",
        Out => "out",
    };
    let (ipv4, ipv6): (Option<Expr<Text>>, _) = match rule.peer {
        Everywhere => (set(EVERYWHERE_IPV4), None),
        EverywhereIpv6 => (None, set(EVERYWHERE_IPV6)),
        Range(range) => (set(range.to_string()), None),
        WholeVpc => (set(vpc.cidr.clone()), None),
        Peer::Subnet(tier, zone) => (vpc.range(tier, zone), None),
    };
    stack.add(
        format!("{tier}_{direction}_{}", rule.name),
        NetworkAclRule {
            network_acl_id: acl.id(),
            protocol: set("tcp"),
            rule_action: set("allow"),
            rule_number: set(rule.number),
            optional: NetworkAclRuleOptional {
                egress: set(rule.direction == Out),
                cidr_block: ipv4,
                ipv6_cidr_block: ipv6,
                from_port: set(*rule.ports.start()),
                to_port: set(*rule.ports.end()),
                ..Default::default()
            },
        },
    );
}

/// The load balancer and the NAT gateways. Which clients the load balancer admits is said by its security group
/// alone, since there may be more ranges than an ACL takes rules.
fn public(config: &EnvConfig) -> Vec<Rule> {
    let ipv6 = config.network.ipv6;
    let mut rules = vec![Rule::new(In, 100, "https", Everywhere, HTTPS..=HTTPS)];
    if ipv6 {
        rules.push(Rule::new(In, 101, "https_ipv6", EverywhereIpv6, HTTPS..=HTTPS));
    }
    if config.alb.http_redirect {
        rules.push(Rule::new(In, 110, "http", Everywhere, HTTP..=HTTP));
        if ipv6 {
            rules.push(Rule::new(In, 111, "http_ipv6", EverywhereIpv6, HTTP..=HTTP));
        }
    }
    if let Some((port, ranges)) = config.test_listener() {
        for (number, range) in (120..).zip(ranges) {
            let name = format!("test_{}", identifier(&range.to_string()));
            rules.push(Rule::new(In, number, name, Range(*range), port..=port));
        }
    }
    // The tasks' answers to the load balancer, and what they send through NAT to ports from 1024 up. What they send
    // to 443 comes in by the first rule.
    rules.extend(Rule::each(config, In, 200, "private", Tier::Private, EPHEMERAL));
    // Requests to the tasks, and answers to clients and, through NAT, to the tasks.
    rules.push(Rule::new(Out, 100, "ephemeral", Everywhere, EPHEMERAL));
    if ipv6 {
        rules.push(Rule::new(Out, 101, "ephemeral_ipv6", EverywhereIpv6, EPHEMERAL));
    }
    if !config.network.has_nat() || config.network.has_firewall() {
        return rules;
    }
    for (number, (part, ports)) in (300..).zip(EPHEMERAL_BUT_RDP) {
        rules.push(Rule::new(In, number, format!("nat_answers_{part}"), Everywhere, ports));
    }
    for (number, port) in third_party(config, |_| true) {
        if EPHEMERAL.contains(&port) {
            continue;
        }
        let name = format!("third_party_{port}");
        if port != HTTPS {
            rules.push(Rule::new(In, number, &name, WholeVpc, port..=port));
        }
        rules.push(Rule::new(Out, number, name, Everywhere, port..=port));
    }
    rules
}

/// The tasks and the endpoints' interfaces.
fn private(config: &EnvConfig) -> Vec<Rule> {
    let port = config.service.container_port;
    let mut rules: Vec<Rule> = Rule::each(config, In, 100, "alb", Tier::Public, port..=port).collect();
    // By the VPC's range too, which takes one rule for each port and not one for each zone.
    for (number, port) in further_ports(config) {
        rules.push(Rule::new(In, number, format!("service_{port}"), WholeVpc, port..=port));
    }
    rules.extend(Rule::each(config, In, 200, "endpoints", Tier::Private, HTTPS..=HTTPS));
    // By the VPC's range and not subnet by subnet, for the sake of AWS's 20 rules.
    rules.push(Rule::new(Out, 400, "endpoint_answers", WholeVpc, TASKS_EPHEMERAL));
    // Answers from S3 and DynamoDB, whose gateway endpoints lead to public addresses, and from third parties.
    rules.push(Rule::new(In, 300, "answers", Everywhere, TASKS_EPHEMERAL));
    rules.push(Rule::new(Out, 100, "https", Everywhere, HTTPS..=HTTPS));
    rules.extend(Rule::each(config, Out, 200, "data", Tier::Data, DATABASE_PORT..=DATABASE_PORT));
    rules.extend(Rule::each(config, Out, 300, "alb_answers", Tier::Public, EPHEMERAL));
    for (number, port) in third_party(config, |_| true) {
        if port != HTTPS {
            rules.push(Rule::new(Out, number, format!("third_party_{port}"), Everywhere, port..=port));
        }
    }
    if config.network.ipv6 && config.network.has_nat() {
        rules.push(Rule::new(In, 301, "answers_ipv6", EverywhereIpv6, TASKS_EPHEMERAL));
        // A prefix list may hold IPv6 ranges; what a file writes as a range is IPv4.
        let listed =
            |destination: &EgressDestination| matches!(destination, EgressDestination::PrefixList(_));
        for (number, port) in third_party(config, listed) {
            let name = format!("third_party_{port}_ipv6");
            rules.push(Rule::new(Out, number + 1, name, EverywhereIpv6, port..=port));
        }
    }
    rules
}

/// The data stores: the tasks ask, the data stores answer, nobody else speaks (PCI 1.4.4).
fn data(config: &EnvConfig) -> Vec<Rule> {
    if !has_database(config) {
        return Vec::new();
    }
    let asked = Rule::each(config, In, 100, "private", Tier::Private, DATABASE_PORT..=DATABASE_PORT);
    asked.chain(Rule::each(config, Out, 100, "private", Tier::Private, TASKS_EPHEMERAL)).collect()
}

/// The firewall's endpoints, which connections pass with the addresses that they have on either side.
fn firewall(config: &EnvConfig) -> Vec<Rule> {
    let mut rules = outward(config);
    rules.push(Rule::new(In, 300, "answers", Everywhere, TASKS_EPHEMERAL));
    rules
}

/// The NAT gateways behind a firewall: what comes in from the tasks' addresses goes out from their own.
fn nat(config: &EnvConfig) -> Vec<Rule> {
    let mut rules = outward(config);
    for (number, (part, ports)) in (300..).zip(EPHEMERAL_BUT_RDP) {
        rules.push(Rule::new(In, number, format!("answers_{part}"), Everywhere, ports));
    }
    rules
}

/// What the tasks send on its way out, and the answers' way back to them.
fn outward(config: &EnvConfig) -> Vec<Rule> {
    if !config.network.has_firewall() {
        return Vec::new();
    }
    let mut rules: Vec<Rule> = Rule::each(config, In, 100, "private", Tier::Private, HTTPS..=HTTPS).collect();
    rules.push(Rule::new(Out, 100, "https", Everywhere, HTTPS..=HTTPS));
    rules.extend(Rule::each(config, Out, 200, "private", Tier::Private, TASKS_EPHEMERAL));
    for (number, port) in third_party(config, |_| true).filter(|(_, port)| *port != HTTPS) {
        let name = format!("third_party_{port}");
        rules.push(Rule::new(In, number, &name, WholeVpc, port..=port));
        rules.push(Rule::new(Out, number, name, Everywhere, port..=port));
    }
    rules
}

/// The ports of the services beside the main one that are not its own, each with a number that comes from the port.
fn further_ports(config: &EnvConfig) -> impl Iterator<Item = (u32, u16)> {
    let ports: BTreeSet<u16> =
        config.services.values().map(|further| further.service.container_port).collect();
    let mut taken = BTreeSet::new();
    let further = ports.into_iter().filter(|port| *port != config.service.container_port);
    further.map(move |port| {
        let mut place = u32::from(port) % FURTHER_PORTS;
        while !taken.insert(place) {
            place = (place + 1) % FURTHER_PORTS;
        }
        (FURTHER_PORT + place, port)
    })
}

/// The ports of third parties, each with a number that is its own and even; the odd one above is for IPv6. The
/// number comes from the port and not from its place in the list, so that another port changes no rule.
fn third_party(
    config: &EnvConfig,
    wanted: impl Fn(&EgressDestination) -> bool,
) -> impl Iterator<Item = (u32, u16)> {
    let rules = config.network.egress.iter();
    let chosen: BTreeSet<u16> =
        rules.clone().filter(|rule| wanted(&rule.destination)).map(|rule| rule.port).collect();
    let ports: BTreeSet<u16> = rules.map(|rule| rule.port).collect();
    let mut taken = BTreeSet::new();
    ports
        .into_iter()
        .map(move |port| {
            let mut pair = u32::from(port) % THIRD_PARTY_PAIRS;
            while !taken.insert(pair) {
                pair = (pair + 1) % THIRD_PARTY_PAIRS;
            }
            (THIRD_PARTY + 2 * pair, port)
        })
        .filter(move |(_, port)| chosen.contains(port))
}
