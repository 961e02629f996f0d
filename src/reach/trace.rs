//! The ways from one place to another, each a list of what it has to pass.

use std::collections::BTreeSet;

use super::filter::{self, Flows, Wanted};
use super::network::{Destination, Known, Network, Route, Target};
use super::place::{Kind, Place};
use crate::traffic::{Cuboid, Range, Set, Span, protocol};

/// A way, with everything on it in the order in which a packet passes, and then its answer.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// What is asked after.
    pub base: Flows,
    /// Whether the addresses of either side are only among those of the base: which, is known later.
    pub among: [bool; 2],
    pub checks: Vec<Check>,
}

/// Something on the way.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub what: &'static str,
    pub element: String,
    pub act: Act,
}

/// What it does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Security groups of the side that is asked, or asks.
    Groups { groups: Vec<String>, inbound: bool, other: Box<Place> },
    /// The network ACL of a subnet.
    Acl { subnet: String, inbound: bool, of: Packet },
    /// Nothing but these flows passes.
    Only(Flows),
    /// No route leads answers back.
    NoAnswer,
    /// A network firewall.
    Wall,
    /// From here on nothing is sure.
    Doubt(String),
    /// It is on the way, and everything passes.
    Through,
    /// Nothing passes.
    Stop(String),
}

/// Which packet an ACL looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Request,
    Answer,
    /// The answer to a NAT gateway, at a port that the gateway chose.
    AnswerToNat,
}

/// From which ports a NAT gateway asks: <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html>.
pub(super) const NAT_PORTS: Span = Span::new(1024, 65_535);

/// The hops that a way may have: more is a loop.
const HOPS_MAX: usize = 6;

/// Where packets are to go.
#[derive(Clone, Debug)]
struct Goal {
    ranges: Vec<Range>,
    list: Option<String>,
    /// The VPC that it lies in.
    vpc: Option<String>,
    /// Whether the ranges are only what holds its addresses.
    among: bool,
}

/// A part of a goal, and how packets get there from a subnet.
#[derive(Clone, Debug)]
struct Lead {
    part: Vec<Range>,
    legs: Vec<Leg>,
    end: Target,
    doubt: Option<String>,
    /// Why there is none.
    stop: Option<String>,
}

/// A subnet's route, and what it leads through.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Leg {
    subnet: String,
    route: String,
    through: Option<(Target, String)>,
}

impl Check {
    fn new(what: &'static str, element: impl Into<String>, act: Act) -> Self {
        Self { what, element: element.into(), act }
    }
}

type Part = Set<2>;

fn part(ranges: &[Range]) -> Part {
    Set::of(ranges.iter().map(|range| Cuboid([Span::one(range.v6.into()), range.span])))
}

fn ranges(part: &Part) -> Vec<Range> {
    let of = |v6: bool| {
        let only = part.and(&Set::of([Cuboid([Span::one(v6.into()), Span::ALL])]));
        only.spans(1).into_iter().map(move |span| Range { v6, span })
    };
    of(false).chain(of(true)).collect()
}

/// The ways between two places; at least one, which says why there is none.
pub(super) fn ways(network: &Network, from: &Place, to: &Place, wanted: Wanted) -> Vec<Way> {
    let mut all = Vec::new();
    match (from.is_inside(), to.is_inside()) {
        (true, true) => {
            for s in &from.subnets {
                for t in &to.subnets {
                    all.extend(Tracer { network, from, to, wanted }.across(s, t));
                }
            }
        }
        (true, false) => {
            for s in &from.subnets {
                all.extend(Tracer { network, from, to, wanted }.outward(s));
            }
        }
        (false, true) => {
            for t in &to.subnets {
                all.extend(Tracer { network, from, to, wanted }.inward(t));
            }
        }
        (false, false) => {}
    }
    all
}

struct Tracer<'n> {
    network: &'n Network,
    from: &'n Place,
    to: &'n Place,
    wanted: Wanted,
}

/// Addresses of a place in a subnet, known ones apart from those that are known only later.
fn known(network: &Network, place: &Place, subnet: &str) -> Vec<(Vec<Range>, bool)> {
    let mut all = Vec::new();
    for known in place.known(network, subnet) {
        match known {
            Known::None => {}
            Known::Range(range) => all.push((vec![range], false)),
            Known::Within(range) => all.push((vec![range], true)),
        }
    }
    all
}

impl Tracer<'_> {
    fn groups(&self, inbound: bool) -> Check {
        let (own, other) = if inbound { (self.to, self.from) } else { (self.from, self.to) };
        let (groups, other) = (own.groups.clone(), Box::new(other.clone()));
        let what = if inbound { "security group in" } else { "security group out" };
        Check::new(what, own.groups.join(", "), Act::Groups { groups, inbound, other })
    }

    /// Between two subnets: out of one and into the other. Within one subnet no ACL looks.
    fn crossing(&self, from: &str, to: &str, of: Packet, checks: &mut Vec<Check>) {
        if from != to {
            checks.push(self.acl(from, false, of));
            checks.push(self.acl(to, true, of));
        }
    }

    fn acl(&self, subnet: &str, inbound: bool, of: Packet) -> Check {
        let what = match (of, inbound) {
            (Packet::Request, true) => "network ACL in",
            (Packet::Request, false) => "network ACL out",
            (_, true) => "network ACL in, answers",
            (_, false) => "network ACL out, answers",
        };
        let acl = acl_of(self.network, subnet).unwrap_or_else(|| "the VPC's default".to_owned());
        Check::new(what, format!("{acl} of {subnet}"), Act::Acl { subnet: subnet.to_owned(), inbound, of })
    }

    fn across(&self, s: &str, t: &str) -> Vec<Way> {
        let network = self.network;
        let mut all = Vec::new();
        let vpc = |subnet: &str| network.subnets.get(subnet).map(|subnet| subnet.vpc.clone());
        for (sources, source_among) in known(network, self.from, s) {
            for (targets, target_among) in known(network, self.to, t) {
                if sources.iter().all(|a| targets.iter().all(|b| a.v6 != b.v6)) {
                    continue;
                }
                let goal = Goal { ranges: targets.clone(), list: None, vpc: vpc(t), among: target_among };
                let back = Goal { ranges: sources.clone(), list: None, vpc: vpc(s), among: source_among };
                let among = [source_among, target_among];
                for lead in leads(network, s, &goal, 0) {
                    for answer in leads(network, t, &back, 0) {
                        let base = self.wanted.between(&answer.part, &lead.part);
                        let mut checks = vec![self.groups(false)];
                        let last = self.along(&lead, &mut checks);
                        if let (Target::Local | Target::Peering(_), None) = (&lead.end, &lead.stop) {
                            self.crossing(&last, t, Packet::Request, &mut checks);
                        }
                        checks.extend(arrival(&lead));
                        checks.push(self.groups(true));
                        self.back_inside(&lead, &answer, s, t, &mut checks);
                        all.push(Way { base, among, checks });
                    }
                }
            }
        }
        all
    }

    /// The answers between two subnets take the same way back, or it cannot be told what becomes of them.
    fn back_inside(&self, lead: &Lead, answer: &Lead, s: &str, t: &str, checks: &mut Vec<Check>) {
        if lead.stop.is_some() {
            return;
        }
        let through = |lead: &Lead| -> Vec<Target> {
            lead.legs
                .iter()
                .filter_map(|leg| leg.through.as_ref().map(|(target, _)| target.clone()))
                .collect()
        };
        let mut reversed = through(answer);
        reversed.reverse();
        if answer.stop.is_some() {
            checks.push(no_answer(answer, t));
        } else if reversed != through(lead) || answer.end != lead.end {
            let why = format!("answers of {t} do not come back the way that the requests take");
            checks.push(Check::new("route, answers", route_of(answer), Act::Doubt(why)));
        } else {
            if let Some(doubt) = &answer.doubt {
                checks.push(Check::new("route, answers", route_of(answer), Act::Doubt(doubt.clone())));
            }
            let mut at = t.to_owned();
            for leg in &answer.legs {
                if let Some((_, next)) = &leg.through {
                    self.crossing(&at, next, Packet::Answer, checks);
                    at.clone_from(next);
                }
            }
            self.crossing(&at, s, Packet::Answer, checks);
        }
    }

    /// Follows a lead through its hops, and returns the subnet that it ends in.
    fn along(&self, lead: &Lead, checks: &mut Vec<Check>) -> String {
        let mut at = lead.legs.first().map(|leg| leg.subnet.clone()).unwrap_or_default();
        for leg in &lead.legs {
            if !leg.route.is_empty() {
                checks.push(Check::new("route", leg.route.clone(), Act::Through));
            }
            let Some((target, next)) = &leg.through else { continue };
            self.crossing(&at, next, Packet::Request, checks);
            match target {
                Target::Nat(nat) => {
                    let all = [protocol::TCP, protocol::UDP, protocol::ICMP].map(filter::of_protocol);
                    let translated = all.iter().fold(Flows::none(), |all, one| all.or(one));
                    let flows = translated.and(&filter::with(filter::SOURCE, &[Range::IPV4]));
                    checks.push(Check::new("NAT gateway", nat.clone(), Act::Only(flows)));
                }
                Target::Wall(wall, _) => checks.push(Check::new("network firewall", wall.clone(), Act::Wall)),
                _ => {}
            }
            at.clone_from(next);
        }
        if let Some(doubt) = &lead.doubt {
            checks.push(Check::new("route", route_of(lead), Act::Doubt(doubt.clone())));
        }
        at
    }

    fn outward(&self, s: &str) -> Vec<Way> {
        let network = self.network;
        let mut all = Vec::new();
        for (sources, source_among) in known(network, self.from, s) {
            let goal = Goal {
                ranges: self
                    .to
                    .ranges
                    .iter()
                    .copied()
                    .filter(|to| sources.iter().any(|of| of.v6 == to.v6))
                    .collect(),
                list: self.to.list.clone(),
                vpc: None,
                among: self.to.list.is_some(),
            };
            if goal.ranges.is_empty() {
                continue;
            }
            for lead in leads(network, s, &goal, 0) {
                let among = [source_among, goal.among];
                let base = self.wanted.between(&sources, &lead.part);
                let mut checks = vec![self.groups(false)];
                let last = self.along(&lead, &mut checks);
                self.leave(&lead, &last, &mut checks);
                let nat = lead.legs.iter().rposition(|leg| matches!(leg.through, Some((Target::Nat(_), _))));
                let Some(nat) = nat.filter(|_| lead.stop.is_none()) else {
                    if lead.stop.is_none() {
                        self.answered(&lead, s, &mut checks);
                    }
                    all.push(Way { base, among, checks });
                    continue;
                };
                checks.push(self.acl(&last, true, Packet::AnswerToNat));
                // The gateway sends answers on by the routes of its own subnet.
                let vpc = network.subnets.get(s).map(|subnet| subnet.vpc.clone());
                let back = Goal { ranges: sources.clone(), list: None, vpc, among: source_among };
                let asked = Lead { legs: lead.legs[..nat].to_vec(), end: Target::Local, ..lead.clone() };
                for answer in leads(network, &last, &back, 0) {
                    let base = self.wanted.between(&answer.part, &lead.part);
                    let mut checks = checks.clone();
                    self.back_inside(&asked, &answer, s, &last, &mut checks);
                    all.push(Way { base, among, checks });
                }
            }
        }
        all
    }

    /// Out of the last subnet.
    fn leave(&self, lead: &Lead, last: &str, checks: &mut Vec<Check>) {
        if lead.stop.is_some() {
            checks.extend(arrival(lead));
            return;
        }
        checks.push(self.acl(last, false, Packet::Request));
        let at = lead.legs.iter().rposition(|leg| matches!(leg.through, Some((Target::Nat(_), _))));
        match &lead.end {
            Target::Internet(gateway) => {
                if at.is_none() && !self.from.public {
                    let flows = filter::with(filter::SOURCE, &[Range::IPV6]);
                    let what = "public IPv4 address";
                    checks.push(Check::new(what, self.from.name.clone(), Act::Only(flows)));
                }
                checks.push(self.gate("internet gateway", gateway, last, false));
            }
            Target::EgressOnly(gateway) => {
                checks.push(self.gate("egress-only internet gateway", gateway, last, false));
            }
            Target::Endpoint(endpoint) => {
                checks.push(Check::new("gateway endpoint", endpoint.clone(), Act::Through));
            }
            Target::Peering(of) | Target::Beyond(of) => checks.push(beyond(of)),
            Target::Local => {
                let why = "nothing of this module has an address there".to_owned();
                checks.push(Check::new("route", route_of(lead), Act::Stop(why)));
            }
            Target::Nat(_) | Target::Wall(..) => {}
        }
    }

    /// Answers that come straight to the subnet that asked.
    fn answered(&self, lead: &Lead, s: &str, checks: &mut Vec<Check>) {
        if lead.legs.iter().any(|leg| leg.through.is_some()) {
            let why = "answers from a gateway past a firewall are not followed".to_owned();
            checks.push(Check::new("route, answers", route_of(lead), Act::Doubt(why)));
        }
        checks.push(self.acl(s, true, Packet::Answer));
    }

    /// An internet gateway, unless public access is blocked for the subnet.
    fn gate(&self, what: &'static str, gateway: &str, subnet: &str, inbound: bool) -> Check {
        let network = self.network;
        if let Some((block, mode)) = &network.block {
            let vpc = network.subnets.get(subnet).map(|subnet| subnet.vpc.as_str()).unwrap_or_default();
            let out = network.left_out.get(subnet).or_else(|| network.left_out.get(vpc)).map(String::as_str);
            let passes = match mode.as_str() {
                "block-bidirectional" => out == Some("allow-bidirectional") || (!inbound && out.is_some()),
                "block-ingress" => !inbound || out == Some("allow-bidirectional"),
                _ => true,
            };
            if !passes {
                let why = "public access is blocked".to_owned();
                return Check::new("block of public access", block.clone(), Act::Stop(why));
            }
        }
        Check::new(what, gateway.to_owned(), Act::Through)
    }

    fn inward(&self, t: &str) -> Vec<Way> {
        let network = self.network;
        let mut all = Vec::new();
        for (targets, target_among) in known(network, self.to, t) {
            let sources: Vec<Range> = self
                .from
                .ranges
                .iter()
                .copied()
                .filter(|of| targets.iter().any(|to| to.v6 == of.v6))
                .collect();
            if sources.is_empty() {
                continue;
            }
            let goal = Goal {
                ranges: sources,
                list: self.from.list.clone(),
                vpc: None,
                among: self.from.list.is_some(),
            };
            let among = [goal.among, target_among];
            let vpc = network.vpc_of(t);
            for answer in leads(network, t, &goal, 0) {
                let base = self.wanted.between(&answer.part, &targets);
                let (mut checks, mut answered) = (Vec::new(), true);
                let gateway = vpc.and_then(|vpc| vpc.gateways.first());
                match (&answer.end, gateway) {
                    _ if answer.stop.is_none() && answer.legs.iter().any(|leg| leg.through.is_some()) => {
                        // Behind a NAT gateway or a firewall nobody is called by name.
                        answered = false;
                        if let Some(gateway) = gateway {
                            self.enter(gateway, t, &mut checks);
                        }
                    }
                    (Target::Peering(of) | Target::Beyond(of), _) if answer.stop.is_none() => {
                        checks.push(beyond(of))
                    }
                    (Target::Local | Target::Endpoint(_), _) if answer.stop.is_none() => {
                        let why = "the VPC takes these addresses for others".to_owned();
                        checks.push(Check::new("route", route_of(&answer), Act::Stop(why)));
                    }
                    (_, None) if vpc.is_some_and(|vpc| !vpc.made) => {
                        let why = "whether the VPC has an internet gateway is not known here".to_owned();
                        checks.push(Check::new("internet gateway", "", Act::Doubt(why)));
                        self.public(&mut checks);
                    }
                    (_, None) => {
                        let why = "the VPC has no internet gateway".to_owned();
                        checks.push(Check::new("internet gateway", "none", Act::Stop(why)));
                    }
                    (Target::Internet(_), Some(gateway)) if answer.stop.is_none() => {
                        self.enter(gateway, t, &mut checks);
                    }
                    (_, Some(gateway)) => {
                        answered = false;
                        self.enter(gateway, t, &mut checks);
                    }
                }
                if let Some(doubt) = &answer.doubt {
                    checks.push(Check::new("route, answers", route_of(&answer), Act::Doubt(doubt.clone())));
                }
                checks.push(self.acl(t, true, Packet::Request));
                checks.push(self.groups(true));
                checks.push(if answered {
                    Check::new("route, answers", route_of(&answer), Act::Through)
                } else {
                    no_answer(&answer, t)
                });
                checks.push(self.acl(t, false, Packet::Answer));
                all.push(Way { base, among, checks });
            }
        }
        all
    }

    fn public(&self, checks: &mut Vec<Check>) {
        if !self.to.public {
            let flows = filter::with(filter::TARGET, &[Range::IPV6]);
            checks.push(Check::new("public IPv4 address", self.to.name.clone(), Act::Only(flows)));
        }
    }

    fn enter(&self, gateway: &str, t: &str, checks: &mut Vec<Check>) {
        checks.push(self.gate("internet gateway", gateway, t, true));
        if let Some(edge) = self.network.vpc_of(t).and_then(|vpc| vpc.edge.clone()) {
            let why = "the gateway's own routes are not followed".to_owned();
            checks.push(Check::new("route", edge, Act::Doubt(why)));
        }
        self.public(checks);
    }
}

fn beyond(of: &str) -> Check {
    Check::new(
        "leaves this module",
        of.to_owned(),
        Act::Doubt(format!("what lies beyond {of} is not in this module")),
    )
}

fn arrival(lead: &Lead) -> Option<Check> {
    lead.stop.as_ref().map(|stop| Check::new("route", route_of(lead), Act::Stop(stop.clone())))
}

fn no_answer(answer: &Lead, subnet: &str) -> Check {
    Check::new("route, answers", format!("{} of {subnet}", table_name(answer)), Act::NoAnswer)
}

fn table_name(lead: &Lead) -> String {
    let route = route_of(lead);
    if route.is_empty() { "the routes".to_owned() } else { route }
}

fn route_of(lead: &Lead) -> String {
    lead.legs.last().map(|leg| leg.route.clone()).unwrap_or_default()
}

/// The ACL of a subnet.
pub(super) fn acl_of(network: &Network, subnet: &str) -> Option<String> {
    let acl = network.subnets.get(subnet)?.acl.clone();
    acl.or_else(|| network.vpc_of(subnet)?.default_acl.clone())
}

/// How packets get from a subnet to a goal: each part of it by one route.
fn leads(network: &Network, subnet: &str, goal: &Goal, depth: usize) -> Vec<Lead> {
    let Some(here) = network.subnets.get(subnet) else { return Vec::new() };
    let vpc = network.vpcs.get(&here.vpc);
    let table = here.table.clone().or_else(|| vpc?.main_table.clone());
    let leg = |route: &str, through| Leg { subnet: subnet.to_owned(), route: route.to_owned(), through };
    let whole = |end, stop: Option<&str>, doubt: Option<String>| {
        let stop = stop.map(str::to_owned);
        Lead { part: goal.ranges.clone(), legs: vec![leg("", None)], end, doubt, stop }
    };
    if depth > HOPS_MAX {
        return vec![whole(Target::Local, Some("its routes lead in a circle"), None)];
    }
    let none = Vec::new();
    let routes: &Vec<Route> = match &table {
        Some(name) if name.starts_with("aws_") => network.tables.get(name).unwrap_or(&none),
        None if vpc.is_some_and(|vpc| vpc.made) => &none,
        _ if goal.vpc.as_ref() == Some(&here.vpc) => &none,
        _ => {
            let why = format!("the routes of {subnet} are not in this module");
            return vec![whole(Target::Internet(String::new()), None, Some(why))];
        }
    };
    let mut left = part(&goal.ranges);
    let mut taken: Vec<(Vec<Range>, &str, Target)> = Vec::new();
    let mut doubt = None;
    if goal.vpc.is_none() {
        // The VPC's own addresses, where the goal has some of them.
        let own = left.and(&part(vpc.map(|vpc| vpc.ranges.as_slice()).unwrap_or_default()));
        left = left.minus(&own);
        if !own.is_empty() {
            taken.push((ranges(&own), "", Target::Local));
        }
    }
    for (covers, route) in ordered(network, routes, goal, &here.vpc) {
        match covers {
            Covers::Ranges(of) => {
                let here = left.and(&of);
                left = left.minus(&of);
                if !here.is_empty() {
                    taken.push((ranges(&here), route.address.as_str(), route.target.clone()));
                }
            }
            Covers::Unknown => {
                doubt = Some(format!("{}: what it leads to is known only later", route.address));
            }
        }
    }
    let mut all = Vec::new();
    if !left.is_empty() && goal.vpc.as_ref() == Some(&here.vpc) {
        taken.push((ranges(&left), "", Target::Local));
        left = Part::none();
    }
    if !left.is_empty() {
        let stop = match &table {
            Some(table) => format!("{table} has no route there"),
            None => format!("{subnet} has no route there"),
        };
        let name = table.clone().unwrap_or_default();
        let legs = vec![leg(&name, None)];
        let end = Target::Local;
        let lead = match &doubt {
            // It may lead there.
            Some(doubt) => Lead {
                part: ranges(&left),
                legs,
                end: Target::Internet(String::new()),
                doubt: Some(doubt.clone()),
                stop: None,
            },
            None => Lead { part: ranges(&left), legs, end, doubt: None, stop: Some(stop) },
        };
        all.push(lead);
    }
    for (part, route, target) in taken {
        let next = match &target {
            Target::Nat(nat) => network.nats.get(nat).cloned(),
            Target::Wall(wall, zone) => network.walls.get(wall).and_then(|wall| {
                let here = |name: &&String| {
                    zone.is_none() || network.subnets.get(*name).and_then(|s| s.zone.clone()) == *zone
                };
                wall.subnets.iter().find(here).cloned()
            }),
            _ => None,
        };
        match next {
            Some(next) => {
                let goal = Goal { ranges: part, ..goal.clone() };
                for mut lead in leads(network, &next, &goal, depth + 1) {
                    lead.legs.insert(0, leg(route, Some((target.clone(), next.clone()))));
                    lead.doubt = lead.doubt.or_else(|| doubt.clone());
                    all.push(lead);
                }
            }
            None => {
                let end = match target {
                    Target::Nat(of) | Target::Wall(of, _) => Target::Beyond(of),
                    Target::Peering(of) => {
                        let joined = network.peerings.get(&of);
                        let there = joined.is_some_and(|ends| {
                            goal.vpc.as_ref().is_some_and(|vpc| {
                                ends.contains(vpc) && ends.contains(&here.vpc) && *vpc != here.vpc
                            })
                        });
                        if there { Target::Peering(of) } else { Target::Beyond(of) }
                    }
                    // Of a VPC next door nothing is reached through a gateway that leads elsewhere.
                    other => other,
                };
                all.push(Lead { part, legs: vec![leg(route, None)], end, doubt: doubt.clone(), stop: None });
            }
        }
    }
    all
}

enum Covers {
    Ranges(Part),
    Unknown,
}

/// The routes that may lead to a goal, the most specific first.
fn ordered<'r>(network: &Network, routes: &'r [Route], goal: &Goal, vpc: &str) -> Vec<(Covers, &'r Route)> {
    let lists: BTreeSet<&str> = network
        .places
        .iter()
        .filter(|place| place.kind == Kind::Service)
        .filter_map(|place| place.list.as_deref())
        .collect();
    let mut all: Vec<(u8, Covers, &Route)> = Vec::new();
    for route in routes {
        match &route.to {
            Destination::Range(range, length) => {
                // Within the VPC its own route holds, but for more specific ones.
                let own = network.vpcs.get(vpc).into_iter().flat_map(|vpc| &vpc.ranges);
                let own = own.filter(|own| own.v6 == range.v6).filter_map(|own| own.nets().first().copied());
                let least = own.map(|own| own.prefix_len()).max().unwrap_or(if range.v6 { 44 } else { 16 });
                if goal.vpc.as_deref() != Some(vpc) || (*length > least && !goal.among) {
                    all.push((*length, Covers::Ranges(part(&[*range])), route));
                }
            }
            Destination::List(list) if goal.list.as_ref() == Some(list) => {
                all.push((u8::MAX, Covers::Ranges(part(&goal.ranges)), route));
            }
            // What AWS's own services have is no part of anything else here.
            Destination::List(list) if lists.contains(list.as_str()) => {}
            Destination::List(list) => match network.lists.get(list) {
                Some(ranges) => {
                    for range in ranges {
                        let length = range.nets().first().map_or(0, ipnet::IpNet::prefix_len);
                        all.push((length, Covers::Ranges(part(&[*range])), route));
                    }
                }
                None => all.push((u8::MAX, Covers::Unknown, route)),
            },
            Destination::Unknown => all.push((u8::MAX, Covers::Unknown, route)),
        }
    }
    all.sort_by_key(|(length, ..)| std::cmp::Reverse(*length));
    all.into_iter().map(|(_, covers, route)| (covers, route)).collect()
}
