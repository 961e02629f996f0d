//! A second opinion, which shares nothing with the first: a packet and its answer are taken through a network, rule by rule.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use terraform::query::View;

use super::answer;
use super::filter::Wanted;
use super::network::Network;
use super::place::Place;

#[derive(Clone, Debug)]
struct Net {
    subnets: Vec<Subnet>,
    acls: Vec<Vec<AclRule>>,
    groups: Vec<Vec<GroupRule>>,
    machines: Vec<Machine>,
    nat: usize,
}

#[derive(Clone, Debug)]
struct Subnet {
    ipv6: bool,
    routes: Vec<(IpNet, Target)>,
    /// Without one it has that of the VPC, which lets everything pass.
    acl: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Gateway,
    EgressOnly,
    Nat,
}

#[derive(Clone, Debug)]
struct AclRule {
    number: u16,
    outbound: bool,
    allow: bool,
    net: IpNet,
    protocol: &'static str,
    ports: (u16, u16),
}

#[derive(Clone, Debug)]
struct GroupRule {
    outbound: bool,
    peer: Peer,
    protocol: &'static str,
    ports: (u16, u16),
}

#[derive(Clone, Copy, Debug)]
enum Peer {
    Net(IpNet),
    Group(usize),
}

#[derive(Clone, Debug)]
struct Machine {
    subnet: usize,
    groups: BTreeSet<usize>,
    public: bool,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    from_port: u16,
    to_port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Yes,
    No,
    CannotTell,
}

fn said(yes: bool) -> Said {
    if yes { Said::Yes } else { Said::No }
}

fn parse(net: &str) -> IpNet {
    net.parse().unwrap()
}

fn is_of(rule: &str, ports: (u16, u16), protocol: u8, port: u16) -> bool {
    let within = ports.0 <= port && port <= ports.1;
    match rule {
        "-1" => true,
        "tcp" => protocol == 6 && within,
        "udp" => protocol == 17 && within,
        "icmp" => protocol == 1,
        _ => protocol == 50,
    }
}

impl Packet {
    fn answer(self) -> Self {
        Self { from: self.to, to: self.from, from_port: self.to_port, to_port: self.from_port, ..self }
    }
}

impl Net {
    fn range(&self, subnet: usize) -> [Option<IpNet>; 2] {
        let ipv6 = self.subnets[subnet].ipv6.then(|| format!("2600:1f18:0:{subnet}::/64").parse().unwrap());
        [Some(format!("10.0.{subnet}.0/24").parse().unwrap()), ipv6]
    }

    fn acl(&self, subnet: usize, outbound: bool, packet: Packet) -> bool {
        let Some(acl) = self.subnets[subnet].acl else { return true };
        let mut rules: Vec<&AclRule> =
            self.acls[acl].iter().filter(|rule| rule.outbound == outbound).collect();
        rules.sort_by_key(|rule| rule.number);
        for rule in rules {
            let peer = if outbound { packet.to } else { packet.from };
            if rule.net.contains(&peer) && is_of(rule.protocol, rule.ports, packet.protocol, packet.to_port) {
                return rule.allow;
            }
        }
        false
    }

    fn group(&self, of: usize, other: Option<usize>, outbound: bool, packet: Packet) -> bool {
        for group in &self.machines[of].groups {
            for rule in self.groups[*group].iter().filter(|rule| rule.outbound == outbound) {
                let peer = if outbound { packet.to } else { packet.from };
                let known = match rule.peer {
                    Peer::Net(net) => net.contains(&peer),
                    Peer::Group(group) => {
                        other.is_some_and(|other| self.machines[other].groups.contains(&group))
                    }
                };
                if known && is_of(rule.protocol, rule.ports, packet.protocol, packet.to_port) {
                    return true;
                }
            }
        }
        false
    }

    /// The most specific route.
    fn route(&self, subnet: usize, to: IpAddr) -> Option<Target> {
        let mut best: Option<(u8, Target)> = None;
        for (net, target) in &self.subnets[subnet].routes {
            let length = net.prefix_len();
            if net.contains(&to) && best.is_none_or(|(than, _)| length > than) {
                best = Some((length, *target));
            }
        }
        best.map(|(_, target)| target)
    }

    fn crosses(&self, from: usize, to: usize, packet: Packet) -> bool {
        from == to || (self.acl(from, true, packet) && self.acl(to, false, packet))
    }

    /// Whether a packet arrives, and its answer where it is one of TCP.
    fn reaches(&self, from: Option<usize>, to: Option<usize>, packet: Packet, nat_ports: &[u16]) -> Said {
        let tcp = packet.protocol == 6;
        match (from, to) {
            (Some(a), Some(b)) => {
                let (s, t) = (self.machines[a].subnet, self.machines[b].subnet);
                let request = self.group(a, Some(b), true, packet)
                    && self.crosses(s, t, packet)
                    && self.group(b, Some(a), false, packet);
                said(request && (!tcp || self.crosses(t, s, packet.answer())))
            }
            (Some(a), None) => said(self.group(a, None, true, packet) && self.leaves(a, packet, nat_ports)),
            (None, Some(b)) => {
                let machine = &self.machines[b];
                let request = (machine.public || packet.to.is_ipv6())
                    && self.acl(machine.subnet, false, packet)
                    && self.group(b, None, false, packet);
                if !request {
                    return Said::No;
                }
                match self.route(machine.subnet, packet.from) {
                    Some(Target::Gateway) => said(!tcp || self.acl(machine.subnet, true, packet.answer())),
                    _ if tcp => Said::No,
                    _ => Said::CannotTell,
                }
            }
            (None, None) => Said::No,
        }
    }

    fn leaves(&self, a: usize, packet: Packet, nat_ports: &[u16]) -> bool {
        let (tcp, s) = (packet.protocol == 6, self.machines[a].subnet);
        let straight = || self.acl(s, true, packet) && (!tcp || self.acl(s, false, packet.answer()));
        match self.route(s, packet.to) {
            Some(Target::Gateway) => (packet.to.is_ipv6() || self.machines[a].public) && straight(),
            Some(Target::EgressOnly) => packet.to.is_ipv6() && straight(),
            Some(Target::Nat) if packet.to.is_ipv4() && [1, 6, 17].contains(&packet.protocol) => {
                let nat = self.nat;
                let out = self.crosses(s, nat, packet)
                    && self.route(nat, packet.to) == Some(Target::Gateway)
                    && self.acl(nat, true, packet);
                let back = |port: &u16| {
                    let answer = Packet { to_port: *port, ..packet.answer() };
                    self.acl(nat, false, answer) && self.crosses(nat, s, packet.answer())
                };
                out && (!tcp || nat_ports.iter().any(back))
            }
            _ => false,
        }
    }

    fn view(&self) -> View {
        let mut all: Map<String, Value> = Map::new();
        let mut add = |kind: &str, name: String, body: Value| {
            let named = all.entry(kind).or_insert_with(|| json!({}));
            named[name] = body;
        };
        add("aws_vpc", "v".into(), json!({"cidr_block": "10.0.0.0/16", "ipv6_cidr_block": "2600:1f18::/56"}));
        add("aws_internet_gateway", "g".into(), json!({"vpc_id": "${aws_vpc.v.id}"}));
        add("aws_nat_gateway", "n".into(), json!({"subnet_id": format!("${{aws_subnet.s{}.id}}", self.nat)}));
        for (at, subnet) in self.subnets.iter().enumerate() {
            let [ipv4, ipv6] = self.range(at);
            let text = |net: Option<IpNet>| net.map(|net| net.to_string());
            let body =
                json!({"vpc_id": "${aws_vpc.v.id}", "cidr_block": text(ipv4), "ipv6_cidr_block": text(ipv6)});
            add("aws_subnet", format!("s{at}"), body);
            add("aws_route_table", format!("t{at}"), json!({"vpc_id": "${aws_vpc.v.id}"}));
            let association = json!({"subnet_id": format!("${{aws_subnet.s{at}.id}}"), "route_table_id": format!("${{aws_route_table.t{at}.id}}")});
            add("aws_route_table_association", format!("s{at}"), association);
            for (number, (net, target)) in subnet.routes.iter().enumerate() {
                let (key, value) = match target {
                    Target::Gateway => ("gateway_id", "${aws_internet_gateway.g.id}"),
                    Target::EgressOnly => {
                        ("egress_only_gateway_id", "${aws_egress_only_internet_gateway.e.id}")
                    }
                    Target::Nat => ("nat_gateway_id", "${aws_nat_gateway.n.id}"),
                };
                let to = if net.addr().is_ipv6() {
                    "destination_ipv6_cidr_block"
                } else {
                    "destination_cidr_block"
                };
                let route =
                    json!({"route_table_id": format!("${{aws_route_table.t{at}.id}}"), to: net, key: value});
                add("aws_route", format!("s{at}_{number}"), route);
            }
        }
        for (at, rules) in self.acls.iter().enumerate() {
            let of = self.subnets.iter().enumerate().filter(|(_, subnet)| subnet.acl == Some(at));
            let of: Vec<String> = of.map(|(at, _)| format!("${{aws_subnet.s{at}.id}}")).collect();
            add("aws_network_acl", format!("a{at}"), json!({"vpc_id": "${aws_vpc.v.id}", "subnet_ids": of}));
            for (number, rule) in rules.iter().enumerate() {
                let net = if rule.net.addr().is_ipv6() { "ipv6_cidr_block" } else { "cidr_block" };
                let body = json!({"network_acl_id": format!("${{aws_network_acl.a{at}.id}}"), "rule_number": rule.number,
                    "egress": rule.outbound, "rule_action": if rule.allow { "allow" } else { "deny" }, net: rule.net,
                    "protocol": rule.protocol, "from_port": rule.ports.0, "to_port": rule.ports.1});
                add("aws_network_acl_rule", format!("a{at}_{number}"), body);
            }
        }
        for (at, rules) in self.groups.iter().enumerate() {
            add("aws_security_group", format!("g{at}"), json!({"vpc_id": "${aws_vpc.v.id}"}));
            for (number, rule) in rules.iter().enumerate() {
                let (key, value) = match rule.peer {
                    Peer::Net(net) if net.addr().is_ipv6() => ("cidr_ipv6", net.to_string()),
                    Peer::Net(net) => ("cidr_ipv4", net.to_string()),
                    Peer::Group(group) => {
                        ("referenced_security_group_id", format!("${{aws_security_group.g{group}.id}}"))
                    }
                };
                let ported = ["tcp", "udp"].contains(&rule.protocol);
                let (from, to) =
                    if ported { (i32::from(rule.ports.0), i32::from(rule.ports.1)) } else { (-1, -1) };
                let kind = if rule.outbound {
                    "aws_vpc_security_group_egress_rule"
                } else {
                    "aws_vpc_security_group_ingress_rule"
                };
                let body = json!({"security_group_id": format!("${{aws_security_group.g{at}.id}}"), key: value,
                    "ip_protocol": rule.protocol, "from_port": from, "to_port": to});
                add(kind, format!("g{at}_{number}"), body);
            }
        }
        for (at, machine) in self.machines.iter().enumerate() {
            let groups: Vec<String> =
                machine.groups.iter().map(|group| format!("${{aws_security_group.g{group}.id}}")).collect();
            let body = json!({"subnet_id": format!("${{aws_subnet.s{}.id}}", machine.subnet), "ipv6_address_count": 1,
                "associate_public_ip_address": machine.public, "vpc_security_group_ids": groups});
            add("aws_instance", format!("m{at}"), body);
        }
        let file = json!({"resource": all}).to_string();
        View::of_files([("net.tf.json", file.as_str())]).unwrap()
    }

    /// A port of each class: no rule tells those apart that lie between two of these.
    fn ports(&self) -> Vec<u16> {
        let mut all: BTreeSet<u16> = [0, 1024, u16::MAX].into();
        let acl = self.acls.iter().flatten().map(|rule| rule.ports);
        let group = self.groups.iter().flatten().map(|rule| rule.ports);
        for (from, to) in acl.chain(group) {
            all.insert(from);
            all.extend(to.checked_add(1));
        }
        all.into_iter().collect()
    }

    /// An address of each class.
    fn addresses(&self) -> Vec<IpAddr> {
        let mut nets: BTreeSet<IpNet> = ["0.0.0.0/0", "::/0"].map(parse).into();
        nets.extend(self.subnets.iter().flat_map(|subnet| subnet.routes.iter().map(|(net, _)| *net)));
        nets.extend(self.acls.iter().flatten().map(|rule| rule.net));
        nets.extend((0..self.subnets.len()).flat_map(|subnet| self.range(subnet).into_iter().flatten()));
        for rule in self.groups.iter().flatten() {
            if let Peer::Net(net) = rule.peer {
                nets.insert(net);
            }
        }
        let internet = crate::traffic::address::internet();
        nets.extend(internet.into_iter().flat_map(crate::traffic::Range::nets));
        let after = |address: IpAddr| match address {
            IpAddr::V4(address) => {
                u32::from(address).checked_add(1).map(|bits| IpAddr::V4(Ipv4Addr::from(bits)))
            }
            IpAddr::V6(address) => {
                u128::from(address).checked_add(1).map(|bits| IpAddr::V6(Ipv6Addr::from(bits)))
            }
        };
        let borders: BTreeSet<IpAddr> =
            nets.iter().flat_map(|net| [Some(net.network()), after(net.broadcast())]).flatten().collect();
        borders.into_iter().collect()
    }
}

const NETS: [&str; 12] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.1.0/25",
    "203.0.113.0/24",
    "203.0.113.128/25",
    "::/0",
    "2600:1f18::/56",
    "2600:1f18:0:1::/64",
    "2a00::/16",
];

fn net() -> impl Strategy<Value = IpNet> {
    prop::sample::select(NETS.map(parse).to_vec())
}

/// The same for everything: networks in which nothing passes agree on too little.
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

fn protocol() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["-1", "tcp", "tcp", "tcp", "udp", "icmp", "50"])
}

fn ports() -> impl Strategy<Value = (u16, u16)> {
    prop::sample::select(vec![
        (0, 65_535),
        (443, 443),
        (0, 1023),
        (1024, 65_535),
        (32_768, 60_999),
        (80, 8080),
        (1024, 3388),
    ])
}

fn acl_rule() -> impl Strategy<Value = AclRule> {
    (1_u16..32_766, any::<bool>(), any::<bool>(), net(), protocol(), ports()).prop_map(
        |(number, outbound, allow, net, protocol, ports)| AclRule {
            number,
            outbound,
            allow,
            net,
            protocol,
            ports,
        },
    )
}

fn group_rule() -> impl Strategy<Value = GroupRule> {
    let peer =
        prop_oneof![net().prop_map(Peer::Net), net().prop_map(Peer::Net), (0_usize..3).prop_map(Peer::Group)];
    (any::<bool>(), peer, protocol(), ports()).prop_map(|(outbound, peer, protocol, ports)| GroupRule {
        outbound,
        peer,
        protocol,
        ports,
    })
}

fn route() -> impl Strategy<Value = (IpNet, Target)> {
    let ipv4 = (
        prop::sample::select(vec!["0.0.0.0/0", "0.0.0.0/0", "128.0.0.0/1", "203.0.113.0/24"]),
        prop::sample::select(vec![Target::Gateway, Target::Gateway, Target::Nat]),
    );
    let ipv6 = (
        prop::sample::select(vec!["::/0", "2a00::/16"]),
        prop::sample::select(vec![Target::Gateway, Target::EgressOnly]),
    );
    prop_oneof![ipv4, ipv6].prop_map(|(net, target)| (parse(net), target))
}

fn subnet() -> impl Strategy<Value = Subnet> {
    let routes = prop::collection::vec(route(), 0..4).prop_map(|mut routes| {
        // A table has one route to a range.
        routes.sort_by_key(|(net, _)| *net);
        routes.dedup_by_key(|(net, _)| *net);
        routes
    });
    (any::<bool>(), routes, prop::option::weighted(0.7, 0_usize..2)).prop_map(|(ipv6, routes, acl)| Subnet {
        ipv6,
        routes,
        acl,
    })
}

fn some_net() -> impl Strategy<Value = Net> {
    let machine = (0_usize..3, prop::collection::btree_set(0_usize..3, 1..3), any::<bool>())
        .prop_map(|(subnet, groups, public)| Machine { subnet, groups, public });
    let open = || prop::bool::weighted(0.7);
    let acl =
        (prop::collection::vec(acl_rule(), 0..7), open(), open()).prop_map(|(mut rules, inward, outward)| {
            for (outbound, _) in [(false, inward), (true, outward)].into_iter().filter(|(_, open)| *open) {
                for (net, number) in EVERYWHERE.map(parse).into_iter().zip(40_000..) {
                    rules.push(AclRule { number, outbound, allow: true, net, protocol: "-1", ports: (0, 0) });
                }
            }
            // Nor has an ACL two rules of one number in a direction.
            rules.sort_by_key(|rule| (rule.outbound, rule.number));
            rules.dedup_by_key(|rule| (rule.outbound, rule.number));
            rules
        });
    let group = (prop::collection::vec(group_rule(), 1..5), prop::bool::weighted(0.4)).prop_map(
        |(mut rules, open)| {
            for (outbound, net) in [(false, 0), (false, 1), (true, 0), (true, 1)].into_iter().filter(|_| open)
            {
                let peer = Peer::Net(parse(EVERYWHERE[net]));
                rules.push(GroupRule { outbound, peer, protocol: "-1", ports: (0, 0) });
            }
            rules
        },
    );
    (
        prop::collection::vec(subnet(), 3),
        prop::collection::vec(acl, 2),
        prop::collection::vec(group, 3),
        prop::collection::vec(machine, 2),
        0_usize..3,
    )
        .prop_map(|(mut subnets, acls, groups, machines, nat)| {
            for (_, target) in &mut subnets[nat].routes {
                // A NAT gateway that leads to itself is none.
                if *target == Target::Nat {
                    *target = Target::Gateway;
                }
            }
            Net { subnets, acls, groups, machines, nat }
        })
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn compare(net: &Net) -> Result<usize, String> {
    let network = Network::of(&net.view());
    let place = |name: &str| -> &Place { network.places.iter().find(|place| place.name == name).unwrap() };
    let (ports, addresses) = (net.ports(), net.addresses());
    let nat_ports: Vec<u16> = ports.iter().copied().filter(|port| *port >= 1024).collect();
    let internet = crate::traffic::address::internet();
    let own = parse("2600:1f18::/56");
    let of_internet = |address: &IpAddr| {
        !own.contains(address)
            && internet.iter().any(|range| range.v6 == address.is_ipv6() && range.span.holds(bits(*address)))
    };
    let of_machine = |machine: usize| {
        let ranges = net.range(net.machines[machine].subnet);
        move |address: &IpAddr| ranges.iter().flatten().any(|range| range.contains(address))
    };
    let sides: Vec<Option<usize>> = (0..net.machines.len()).map(Some).chain([None]).collect();
    let mut asked = 0;
    for from in &sides {
        for to in &sides {
            if from.is_none() && to.is_none() {
                continue;
            }
            let named =
                |side: &Option<usize>| side.map_or("internet".to_owned(), |at| format!("aws_instance.m{at}"));
            let answer = answer::between(&network, place(&named(from)), place(&named(to)), Wanted::default());
            let (sure, possible) = (answer.sure(), answer.possible());
            let of = |side: &Option<usize>| -> Vec<IpAddr> {
                let mine = |address: &&IpAddr| match side {
                    Some(machine) => of_machine(*machine)(address),
                    None => of_internet(address),
                };
                addresses.iter().filter(mine).copied().collect()
            };
            for source in of(from) {
                for target in of(to).into_iter().filter(|target| target.is_ipv6() == source.is_ipv6()) {
                    for number in [1, 6, 17, 50] {
                        for port in &ports {
                            for source_port in if number == 6 { ports.as_slice() } else { &ports[..1] } {
                                let packet = Packet {
                                    from: source,
                                    to: target,
                                    protocol: number,
                                    from_port: *source_port,
                                    to_port: *port,
                                };
                                let said = net.reaches(*from, *to, packet, &nat_ports);
                                let point = [
                                    u128::from(source.is_ipv6()),
                                    bits(source),
                                    bits(target),
                                    number.into(),
                                    (*source_port).into(),
                                    (*port).into(),
                                ];
                                let found = match (sure.holds(&point), possible.holds(&point)) {
                                    (true, true) => Said::Yes,
                                    (false, true) => Said::CannotTell,
                                    (false, false) => Said::No,
                                    (true, false) => return Err("sure and not possible".to_owned()),
                                };
                                asked += 1;
                                if found != said {
                                    return Err(format!(
                                        "{from:?} -> {to:?}: {packet:?}: found {found:?}, the packet says {said:?}"
                                    ));
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    Ok(asked)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// The sets say of every class of packets what a packet of it meets.
    #[test]
    fn sets_and_packets_agree(net in some_net()) {
        let asked = compare(&net).map_err(TestCaseError::fail)?;
        prop_assert!(asked > 0);
    }
}
