//! A module's network: what stands in it, and what each list of rules says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use terraform::query::{Found, View, is_expression};

use super::filter::{Peer, Ports};
use super::firewall::Wall;
use super::place::{self, Place};
use crate::traffic::groups::{self, one_or_more, text};
use crate::traffic::{Range, address};

/// A module's network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    pub(super) vpcs: BTreeMap<String, Vpc>,
    pub(super) subnets: BTreeMap<String, Subnet>,
    pub(super) tables: BTreeMap<String, Vec<Route>>,
    pub(super) acls: BTreeMap<String, Acl>,
    pub(super) groups: BTreeMap<String, Group>,
    /// NAT gateways: their subnets.
    pub(super) nats: BTreeMap<String, String>,
    /// Network firewalls: their subnets and what they let pass.
    pub(super) walls: BTreeMap<String, Wall>,
    /// Peerings between two VPCs that are both here.
    pub(super) peerings: BTreeMap<String, [String; 2]>,
    /// The ranges of prefix lists, where the module says them.
    pub(super) lists: BTreeMap<String, Vec<Range>>,
    /// The places, in the order of their names.
    pub(super) places: Vec<Place>,
    /// What stands in a subnet and is not looked at.
    pub(super) unread: BTreeSet<String>,
    /// What blocks public access to VPCs: its address and mode.
    pub(super) block: Option<(String, String)>,
    /// VPCs and subnets that the block leaves out, and how far.
    pub(super) left_out: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Vpc {
    pub ranges: Vec<Range>,
    /// Whether it is made here: what is not said of it has AWS's defaults then.
    pub made: bool,
    /// Internet gateways.
    pub gateways: BTreeSet<String>,
    pub main_table: Option<String>,
    pub default_acl: Option<String>,
    pub default_group: Option<String>,
    /// Whether names are resolved in it.
    pub dns: bool,
    /// The names that DNS Firewall lets be looked up; nothing where it is not there.
    pub names: Option<Vec<String>>,
    /// A gateway's own route table, which is not followed.
    pub edge: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Subnet {
    pub vpc: String,
    pub ipv4: Known,
    pub ipv6: Known,
    pub zone: Option<String>,
    pub table: Option<String>,
    pub acl: Option<String>,
}

/// What is known of a subnet's range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Known {
    /// It has none.
    #[default]
    None,
    /// This one.
    Range(Range),
    /// One that is known only later, within these addresses.
    Within(Range),
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    pub address: String,
    pub to: Destination,
    pub target: Target,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Range(Range, u8),
    List(String),
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Local,
    Internet(String),
    EgressOnly(String),
    Nat(String),
    /// A firewall's endpoint, in that zone.
    Wall(String, Option<String>),
    Endpoint(String),
    Peering(String),
    /// What this module does not show the other side of.
    Beyond(String),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Acl {
    pub inbound: Vec<AclRule>,
    pub outbound: Vec<AclRule>,
}

#[derive(Clone, Debug)]
pub(super) struct AclRule {
    pub address: String,
    pub number: i64,
    pub allow: bool,
    pub peer: Peer,
    pub ports: Ports,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub inbound: Vec<GroupRule>,
    pub outbound: Vec<GroupRule>,
}

#[derive(Clone, Debug)]
pub(super) struct GroupRule {
    pub address: String,
    pub peer: Peer,
    pub ports: Ports,
}

/// What a reference refers to; an id stays as it is.
pub(super) fn named(text: &str) -> String {
    let Some(inner) = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')) else {
        return text.to_owned();
    };
    let suffixes = [".id", ".arn", ".prefix_list_id", ".name"];
    suffixes.iter().find_map(|suffix| inner.strip_suffix(suffix)).unwrap_or(inner).to_owned()
}

/// What an argument refers to.
pub(super) fn refers(found: &Found, key: &str) -> Option<String> {
    let text = found.body[key].as_str().filter(|text| !text.is_empty())?;
    Some(named(text))
}

pub(super) fn refer(value: &Value) -> Vec<String> {
    one_or_more(value).iter().filter_map(Value::as_str).map(named).collect()
}

/// The resource that an expression looks something up in.
fn within(text: &str, kind: &str) -> Option<String> {
    let at = text.find(&format!("{kind}."))?;
    let rest = &text[at..];
    let dot = kind.len() + 1;
    let end = rest[dot..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    Some(rest[..end.map_or(rest.len(), |end| dot + end)].to_owned())
}

impl Network {
    /// The network of a module.
    #[must_use]
    pub fn of(view: &View) -> Self {
        let mut network = Self::default();
        network.add_vpcs(view);
        network.add_subnets(view);
        network.add_tables(view);
        network.add_acls(view);
        network.add_groups(view);
        network.add_gateways(view);
        network.add_lists(view);
        (network.places, network.unread) = place::places(view, &network);
        network
    }

    fn add_vpcs(&mut self, view: &View) {
        for (address, found) in blocks(view, "aws_vpc") {
            let made = !address.starts_with("data.");
            let mut ranges: Vec<Range> = range(view, &found.body["cidr_block"]).into_iter().collect();
            ranges.extend(range(view, &found.body["ipv6_cidr_block"]));
            let dns = found.body["enable_dns_support"] != Value::Bool(false);
            self.vpcs.insert(address.to_owned(), Vpc { ranges, made, dns, ..Vpc::default() });
        }
        for (_, found) in view.of_kind("aws_vpc_ipv4_cidr_block_association") {
            let more = range(view, &found.body["cidr_block"]);
            if let Some(vpc) = self.vpc_mut(found) {
                vpc.ranges.extend(more);
            }
        }
        for (address, found) in view.of_kind("aws_internet_gateway") {
            if let Some(vpc) = self.vpc_mut(found) {
                vpc.gateways.insert(address.to_owned());
            }
        }
        for (_, found) in view.of_kind("aws_internet_gateway_attachment") {
            let gateway = refers(found, "internet_gateway_id");
            if let Some(vpc) = self.vpc_mut(found) {
                vpc.gateways.extend(gateway);
            }
        }
        for (_, found) in view.of_kind("aws_route53_resolver_firewall_rule_group_association") {
            let group = refers(found, "firewall_rule_group_id").unwrap_or_default();
            let names = names(view, &group);
            if let Some(vpc) = self.vpc_mut(found) {
                vpc.names = names;
            }
        }
        if let Some((address, found)) = view.of_kind("aws_vpc_block_public_access_options").next() {
            let mode = text(&found.body["internet_gateway_block_mode"]);
            self.block = Some((address.to_owned(), mode));
        }
        for (_, found) in view.of_kind("aws_vpc_block_public_access_exclusion") {
            let mode = text(&found.body["internet_gateway_exclusion_mode"]);
            let whom = refers(found, "vpc_id").or_else(|| refers(found, "subnet_id"));
            self.left_out.extend(whom.map(|whom| (whom, mode)));
        }
    }

    fn vpc_mut(&mut self, found: &Found) -> Option<&mut Vpc> {
        let vpc = refers(found, "vpc_id")?;
        self.vpcs.get_mut(&vpc)
    }

    fn add_subnets(&mut self, view: &View) {
        for (address, found) in blocks(view, "aws_subnet") {
            let there = address.starts_with("data.");
            // What is read of a VPC that exists already is known only later.
            let only = Some(&self.vpcs).filter(|vpcs| vpcs.len() == 1).and_then(|vpcs| vpcs.keys().next());
            let vpc = refers(found, "vpc_id").or_else(|| only.filter(|_| there).cloned()).unwrap_or_default();
            let known = |key: &str, whole: Range| match (&found.body[key], range(view, &found.body[key])) {
                (_, Some(range)) => Known::Range(range),
                (Value::Null, None) if !there => Known::None,
                _ => Known::Within(whole),
            };
            let subnet = Subnet {
                vpc,
                ipv4: known("cidr_block", Range::IPV4),
                ipv6: known("ipv6_cidr_block", global()),
                zone: found.body["availability_zone"].as_str().map(str::to_owned),
                ..Subnet::default()
            };
            self.subnets.insert(address.to_owned(), subnet);
        }
    }

    fn add_tables(&mut self, view: &View) {
        for (address, found) in blocks(view, "aws_route_table") {
            if address.starts_with("data.") {
                if let Some(subnet) = refers(found, "subnet_id").and_then(|s| self.subnets.get_mut(&s)) {
                    subnet.table = Some(address.to_owned());
                }
                continue;
            }
            let routes = one_or_more(&found.body["route"]).iter().map(|body| route(view, address, body));
            self.tables.insert(address.to_owned(), routes.collect());
        }
        for (address, found) in view.of_kind("aws_default_route_table") {
            let routes = one_or_more(&found.body["route"]).iter().map(|body| route(view, address, body));
            self.tables.insert(address.to_owned(), routes.collect());
            let of = within(&text(&found.body["default_route_table_id"]), "aws_vpc");
            if let Some(vpc) = of.and_then(|of| self.vpcs.get_mut(&of)) {
                vpc.main_table = Some(address.to_owned());
            }
        }
        for (address, found) in view.of_kind("aws_route") {
            let table = refers(found, "route_table_id").unwrap_or_default();
            let table = match within(&table, "aws_vpc") {
                // The table that a VPC has from the beginning.
                Some(vpc) => self.vpcs.get(&vpc).and_then(|vpc| vpc.main_table.clone()).unwrap_or(table),
                None => table,
            };
            let route = route(view, address, &found.body);
            self.tables.entry(table).or_default().push(route);
        }
        for (address, found) in view.of_kind("aws_vpc_endpoint") {
            if text(&found.body["vpc_endpoint_type"]) == "Gateway"
                || found.body["vpc_endpoint_type"].is_null()
            {
                for table in refer(&found.body["route_table_ids"]) {
                    let (to, target) =
                        (Destination::List(address.to_owned()), Target::Endpoint(address.to_owned()));
                    let route = Route { address: address.to_owned(), to, target };
                    self.tables.entry(table).or_default().push(route);
                }
            }
        }
        for (_, found) in view.of_kind("aws_main_route_table_association") {
            let table = refers(found, "route_table_id");
            if let Some(vpc) = self.vpc_mut(found) {
                vpc.main_table = table;
            }
        }
        for (address, found) in view.of_kind("aws_route_table_association") {
            let table = refers(found, "route_table_id");
            if let Some(subnet) = refers(found, "subnet_id").and_then(|s| self.subnets.get_mut(&s)) {
                subnet.table = table;
            } else if let Some(gateway) = refers(found, "gateway_id") {
                for vpc in self.vpcs.values_mut().filter(|vpc| vpc.gateways.contains(&gateway)) {
                    vpc.edge = Some(address.to_owned());
                }
            }
        }
    }

    fn add_acls(&mut self, view: &View) {
        for (address, found) in blocks(view, "aws_network_acl") {
            self.add_acl(view, address, found);
            for subnet in refer(&found.body["subnet_ids"]) {
                if let Some(subnet) = self.subnets.get_mut(&subnet) {
                    subnet.acl = Some(address.to_owned());
                }
            }
        }
        for (address, found) in view.of_kind("aws_default_network_acl") {
            self.add_acl(view, address, found);
            let of = within(&text(&found.body["default_network_acl_id"]), "aws_vpc");
            if let Some(vpc) = of.and_then(|of| self.vpcs.get_mut(&of)) {
                vpc.default_acl = Some(address.to_owned());
            }
        }
        for (_, found) in view.of_kind("aws_network_acl_association") {
            let acl = refers(found, "network_acl_id");
            if let Some(subnet) = refers(found, "subnet_id").and_then(|s| self.subnets.get_mut(&s)) {
                subnet.acl = acl;
            }
        }
        for (address, found) in view.of_kind("aws_network_acl_rule") {
            let acl = refers(found, "network_acl_id").unwrap_or_default();
            let outbound = found.body["egress"] == Value::Bool(true) || text(&found.body["egress"]) == "true";
            let acl = self.acls.entry(acl).or_default();
            let rule = acl_rule(view, address, &found.body, "rule_number", "rule_action");
            if outbound { acl.outbound.push(rule) } else { acl.inbound.push(rule) }
        }
        for acl in self.acls.values_mut() {
            acl.inbound.sort_by_key(|rule| rule.number);
            acl.outbound.sort_by_key(|rule| rule.number);
        }
    }

    fn add_acl(&mut self, view: &View, address: &str, found: &Found) {
        let rules = |key: &str| -> Vec<AclRule> {
            let blocks = one_or_more(&found.body[key]).iter();
            blocks
                .map(|body| {
                    let number = if body["rule_no"].is_null() { "rule_number" } else { "rule_no" };
                    acl_rule(view, address, body, number, "action")
                })
                .collect()
        };
        let acl = Acl { inbound: rules("ingress"), outbound: rules("egress") };
        self.acls.insert(address.to_owned(), acl);
    }

    fn add_groups(&mut self, view: &View) {
        for (address, found) in view.managed() {
            match found.kind.as_str() {
                "aws_security_group" => {
                    self.groups.insert(address.to_owned(), Group::default());
                }
                "aws_default_security_group" => {
                    self.groups.insert(address.to_owned(), Group::default());
                    if let Some(vpc) = self.vpc_mut(found) {
                        vpc.default_group = Some(address.to_owned());
                    }
                }
                _ => {}
            }
        }
        for written in groups::written(view) {
            let name = named(&written.group);
            // Of a group that is not made here this is not all.
            let Some(group) = self.groups.get_mut(&name) else { continue };
            let (from, to) = (text(written.from), text(written.to));
            let ports = Ports::of(&text(written.protocol), &from, &to, (&from, &to));
            for (key, value) in &written.peers {
                let value = text(value);
                let peer = match *key {
                    "self" => Peer::Group(name.clone()),
                    "prefix_list_id" | "prefix_list_ids" => Peer::List(named(&value)),
                    key if key.contains("cidr") => ranged(view, &value),
                    _ => Peer::Group(named(&value)),
                };
                let rule = GroupRule { address: written.address.to_owned(), peer, ports };
                if written.inbound { group.inbound.push(rule) } else { group.outbound.push(rule) }
            }
        }
    }

    fn add_gateways(&mut self, view: &View) {
        for (address, found) in view.of_kind("aws_nat_gateway") {
            self.nats.insert(address.to_owned(), refers(found, "subnet_id").unwrap_or_default());
        }
        for (address, found) in view.of_kind("aws_networkfirewall_firewall") {
            self.walls.insert(address.to_owned(), Wall::of(view, found));
        }
        for (address, found) in view.of_kind("aws_vpc_peering_connection") {
            let ends = [refers(found, "vpc_id"), refers(found, "peer_vpc_id")];
            if let [Some(one), Some(other)] = ends
                && self.vpcs.contains_key(&one)
                && self.vpcs.contains_key(&other)
            {
                self.peerings.insert(address.to_owned(), [one, other]);
            }
        }
    }

    fn add_lists(&mut self, view: &View) {
        for (address, found) in view.of_kind("aws_ec2_managed_prefix_list") {
            let mut ranges = Vec::new();
            let entries = view
                .of_kind("aws_ec2_managed_prefix_list_entry")
                .filter(|(_, entry)| refers(entry, "prefix_list_id").as_deref() == Some(address));
            let bodies =
                one_or_more(&found.body["entry"]).iter().chain(entries.map(|(_, entry)| &entry.body));
            let mut known = true;
            for body in bodies {
                let range = range(view, &body["cidr"]);
                known &= range.is_some();
                ranges.extend(range);
            }
            if known {
                self.lists.insert(address.to_owned(), ranges);
            }
        }
    }

    /// The VPC that a subnet lies in.
    pub(super) fn vpc_of(&self, subnet: &str) -> Option<&Vpc> {
        self.vpcs.get(&self.subnets.get(subnet)?.vpc)
    }
}

/// Where AWS takes IPv6 addresses from.
fn global() -> Range {
    address::internet().into_iter().find(|range| range.v6).unwrap_or(Range::IPV6)
}

/// Resources of a type, and data sources of it.
fn blocks<'v>(view: &'v View, kind: &'v str) -> impl Iterator<Item = (&'v str, &'v Found)> {
    let all = view.blocks.iter().filter(move |(_, found)| found.kind == kind);
    all.map(|(address, found)| (address.as_str(), found))
}

/// A range as it is written, or as the resource has it that it refers to.
fn range(view: &View, value: &Value) -> Option<Range> {
    let text = value.as_str()?;
    if let Some(range) = Range::parse(text) {
        return Some(range);
    }
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let (address, attribute) = inner.rsplit_once('.')?;
    Range::parse(view.blocks.get(address)?.body[attribute].as_str()?)
}

fn ranged(view: &View, text: &str) -> Peer {
    let unknown = || Peer::Unknown(format!("{} is known only later", text.trim_matches(['$', '{', '}'])));
    range(view, &Value::from(text)).map_or_else(unknown, Peer::Range)
}

fn acl_rule(view: &View, address: &str, body: &Value, number: &str, action: &str) -> AclRule {
    let (ipv4, ipv6) = (&body["cidr_block"], &body["ipv6_cidr_block"]);
    let written = if text(ipv4).is_empty() { text(ipv6) } else { text(ipv4) };
    let part = |key: &str| text(&body[key]);
    AclRule {
        address: address.to_owned(),
        // One without a number comes first and last: as an unknown one it stands where it is read.
        number: text(&body[number]).parse().unwrap_or_default(),
        allow: text(&body[action]).eq_ignore_ascii_case("allow"),
        peer: ranged(view, &written),
        ports: Ports::of(
            &part("protocol"),
            &part("from_port"),
            &part("to_port"),
            (&part("icmp_type"), &part("icmp_code")),
        ),
    }
}

fn route(view: &View, address: &str, body: &Value) -> Route {
    let ranges = ["destination_cidr_block", "destination_ipv6_cidr_block", "cidr_block", "ipv6_cidr_block"];
    let written = ranges.iter().map(|key| text(&body[*key])).find(|text| !text.is_empty());
    let to = match written {
        Some(written) => match ranged(view, &written) {
            Peer::Range(range) => {
                let length = range.nets().first().map_or(0, ipnet::IpNet::prefix_len);
                Destination::Range(range, length)
            }
            _ => Destination::Unknown,
        },
        None => match text(&body["destination_prefix_list_id"]) {
            list if list.is_empty() => Destination::Unknown,
            list => Destination::List(named(&list)),
        },
    };
    let of = |key: &str| Some(text(&body[key])).filter(|text| !text.is_empty());
    let gateway = || {
        let text = of("gateway_id")?;
        let name = named(&text);
        Some(match name.as_str() {
            "local" => Target::Local,
            name if name.starts_with("aws_internet_gateway.") || name.starts_with("igw-") => {
                Target::Internet(name.to_owned())
            }
            _ => Target::Beyond(name),
        })
    };
    let wall = || {
        let text = of("vpc_endpoint_id")?;
        let zone = text.split_once("availability_zone == \"").and_then(|(_, rest)| rest.split_once('"'));
        let zone = zone.map(|(zone, _)| zone.to_owned());
        let wall = within(&text, "aws_networkfirewall_firewall").map(|wall| Target::Wall(wall, zone));
        Some(wall.unwrap_or_else(|| Target::Beyond(named(&text))))
    };
    let target = gateway()
        .or_else(|| of("nat_gateway_id").map(|text| Target::Nat(named(&text))))
        .or_else(|| of("egress_only_gateway_id").map(|text| Target::EgressOnly(named(&text))))
        .or_else(wall)
        .or_else(|| of("vpc_peering_connection_id").map(|text| Target::Peering(named(&text))))
        .unwrap_or_else(|| {
            let keys = [
                "transit_gateway_id",
                "network_interface_id",
                "carrier_gateway_id",
                "local_gateway_id",
                "core_network_arn",
            ];
            let name =
                keys.iter().find_map(|key| of(key)).map_or_else(|| address.to_owned(), |text| named(&text));
            Target::Beyond(name)
        });
    Route { address: address.to_owned(), to, target }
}

/// The names that a group of DNS Firewall's rules lets be looked up; nothing where it does not end in blocking the rest.
fn names(view: &View, group: &str) -> Option<Vec<String>> {
    let mut rules: Vec<_> = view
        .of_kind("aws_route53_resolver_firewall_rule")
        .filter(|(_, rule)| refers(rule, "firewall_rule_group_id").as_deref() == Some(group))
        .map(|(_, rule)| {
            let list = refers(rule, "firewall_domain_list_id").unwrap_or_default();
            let domains = view.blocks.get(&list).map(|list| refer(&list.body["domains"])).unwrap_or_default();
            (
                text(&rule.body["priority"]).parse::<i64>().unwrap_or_default(),
                text(&rule.body["action"]),
                domains,
            )
        })
        .collect();
    rules.sort();
    let mut allowed = Vec::new();
    for (_, action, domains) in rules {
        match action.as_str() {
            "BLOCK" if domains.iter().any(|domain| domain == "*") => return Some(allowed),
            "BLOCK" => {}
            _ if domains.iter().any(|name| is_expression(name)) => return None,
            _ => allowed.extend(domains),
        }
    }
    None
}
