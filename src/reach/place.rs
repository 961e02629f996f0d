//! The places of a network: what speaks and what is spoken to.

use std::collections::BTreeSet;

use serde_json::Value;
use terraform::query::{Found, View};

use super::network::{Known, Network, refer, refers};
use crate::traffic::groups::{one_or_more, text};
use crate::traffic::{Range, address};

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Every address of the internet.
    Internet,
    /// Somebody outside, by addresses or by a prefix list.
    Partner,
    /// A load balancer.
    Balancer,
    /// A service's tasks.
    Tasks,
    /// A machine.
    Machine,
    /// A data store with an address in the network.
    Store,
    /// A service of AWS, by an endpoint's interfaces.
    Endpoint,
    /// A service of AWS, by a gateway endpoint and its prefix list.
    Service,
    /// Whoever answers for names.
    Dns,
}

impl Kind {
    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Partner => "partner",
            Self::Balancer => "load balancer",
            Self::Tasks => "tasks",
            Self::Machine => "machine",
            Self::Store => "store",
            Self::Endpoint | Self::Service => "endpoint",
            Self::Dns => "dns",
        }
    }
}

/// A place.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `internet`, `dns`, a partner's name, or a Terraform address.
    pub name: String,
    pub kind: Kind,
    /// The subnets that it stands in; none outside.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub groups: Vec<String>,
    /// Whether it has a public IPv4 address.
    pub public: bool,
    /// Whether it has IPv6 addresses where its subnets have.
    pub ipv6: bool,
    /// Of a place outside: its addresses, or those that they are among.
    pub ranges: Vec<Range>,
    /// Of a place outside: the prefix list that names its addresses, which nobody here knows.
    pub list: Option<String>,
    /// Of a load balancer: its ports, and whom each forwards to.
    pub listeners: Vec<Listener>,
}

/// A port of a load balancer that forwards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listener {
    pub address: String,
    pub port: u16,
    /// The target groups.
    pub groups: BTreeSet<String>,
}

impl Place {
    pub(super) fn outside(name: &str, kind: Kind, ranges: Vec<Range>, list: Option<String>) -> Self {
        let (subnets, groups, listeners) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            name: name.to_owned(),
            kind,
            subnets,
            groups,
            public: true,
            ipv6: true,
            ranges,
            list,
            listeners,
        }
    }

    /// Whether it stands in a subnet.
    pub(super) fn is_inside(&self) -> bool {
        !self.subnets.is_empty()
    }

    /// Whether it begins connections.
    pub(super) fn speaks(&self) -> bool {
        !matches!(self.kind, Kind::Endpoint | Kind::Service | Kind::Dns)
    }

    /// Its addresses in a subnet: what they are, or among which they are.
    pub(super) fn known(&self, network: &Network, subnet: &str) -> [Known; 2] {
        let Some(subnet) = network.subnets.get(subnet) else { return [Known::None; 2] };
        [subnet.ipv4, if self.ipv6 { subnet.ipv6 } else { Known::None }]
    }
}

/// The places of a module, and what stands in a subnet and is none of them.
pub(super) fn places(view: &View, network: &Network) -> (Vec<Place>, BTreeSet<String>) {
    // A VPC's own addresses are of its places, public ones of IPv6 too.
    let own: Vec<Range> = network.vpcs.values().flat_map(|vpc| vpc.ranges.iter().copied()).collect();
    let internet = address::without(&address::internet(), &own);
    let mut all = vec![Place::outside("internet", Kind::Internet, internet, None)];
    let mut unread = BTreeSet::new();
    for (address, found) in &view.blocks {
        let made = !address.starts_with("data.");
        match found.kind.as_str() {
            "aws_lb"
                if made
                    && ["", "application"].contains(&text(&found.body["load_balancer_type"]).as_str()) =>
            {
                all.push(balancer(view, address, found))
            }
            "aws_ecs_service" if made => all.push(tasks(address, found)),
            "aws_db_instance" | "aws_rds_cluster" if made => all.push(store(view, address, found)),
            "aws_instance" if made => all.push(machine(address, found)),
            "aws_vpc_endpoint" if made => all.push(endpoint(address, found)),
            "aws_ec2_managed_prefix_list"
                if !made && text(&found.body["name"]).starts_with("com.amazonaws.") =>
            {
                all.push(service(address, address));
            }
            kind if made && !NO_PLACE.contains(&kind) && stands_in_subnet(found) => {
                unread.insert(address.clone());
            }
            _ => {}
        }
    }
    let dns = network.vpcs.values().any(|vpc| vpc.dns);
    if dns {
        all.push(Place::outside("dns", Kind::Dns, Vec::new(), None));
    }
    for place in &mut all {
        let only = place.subnets.first().and_then(|subnet| network.vpc_of(subnet));
        if place.groups.is_empty() && place.is_inside() {
            place.groups.extend(only.and_then(|vpc| vpc.default_group.clone()));
        }
    }
    all.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
    (all, unread)
}

/// What names subnets and sends or takes no packets by itself, or is looked at as a part of the network.
const NO_PLACE: [&str; 16] = [
    "aws_network_acl",
    "aws_network_acl_association",
    "aws_route_table_association",
    "aws_nat_gateway",
    "aws_networkfirewall_firewall",
    "aws_db_subnet_group",
    "aws_rds_cluster_instance",
    "aws_flow_log",
    "aws_vpc_block_public_access_exclusion",
    "aws_subnet",
    "aws_vpc",
    "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_dashboard",
    "aws_cloudwatch_event_rule",
    "aws_iam_role_policy",
    "aws_iam_policy",
];

fn stands_in_subnet(found: &Found) -> bool {
    fn keyed(value: &Value) -> bool {
        match value {
            Value::Object(entries) => entries.iter().any(|(key, value)| {
                let subnets = ["subnets", "subnet_ids", "subnet_id"].contains(&key.as_str());
                (subnets && !one_or_more(value).is_empty()) || keyed(value)
            }),
            Value::Array(items) => items.iter().any(keyed),
            _ => false,
        }
    }
    keyed(&found.body)
}

fn first(value: &Value) -> &Value {
    one_or_more(value).first().unwrap_or(&Value::Null)
}

fn inside(name: &str, kind: Kind, subnets: Vec<String>, groups: Vec<String>) -> Place {
    let (ranges, listeners) = (Vec::new(), Vec::new());
    let name = name.to_owned();
    Place { name, kind, subnets, groups, public: false, ipv6: true, ranges, list: None, listeners }
}

fn balancer(view: &View, address: &str, found: &Found) -> Place {
    let mut subnets = refer(&found.body["subnets"]);
    let mappings = one_or_more(&found.body["subnet_mapping"]).iter();
    subnets.extend(mappings.flat_map(|mapping| refer(&mapping["subnet_id"])));
    let place = inside(address, Kind::Balancer, subnets, refer(&found.body["security_groups"]));
    let public = found.body["internal"] != Value::Bool(true);
    let ipv6 = text(&found.body["ip_address_type"]).starts_with("dualstack");
    Place { public, ipv6, listeners: listeners(view, address), ..place }
}

fn listeners(view: &View, balancer: &str) -> Vec<Listener> {
    let forwards = |actions: &Value| -> BTreeSet<String> {
        let mut groups = BTreeSet::new();
        for action in one_or_more(actions) {
            groups.extend(refer(&action["target_group_arn"]));
            for forward in one_or_more(&action["forward"]) {
                for group in one_or_more(&forward["target_group"]) {
                    groups.extend(refer(&group["arn"]));
                }
            }
        }
        groups
    };
    let mut all = Vec::new();
    for (address, found) in view.of_kind("aws_lb_listener") {
        let Ok(port) = text(&found.body["port"]).parse() else { continue };
        if refers(found, "load_balancer_arn").as_deref() != Some(balancer) {
            continue;
        }
        let mut groups = forwards(&found.body["default_action"]);
        for (_, rule) in view.of_kind("aws_lb_listener_rule") {
            if refers(rule, "listener_arn").as_deref() == Some(address) {
                groups.extend(forwards(&rule.body["action"]));
            }
        }
        if !groups.is_empty() {
            all.push(Listener { address: address.to_owned(), port, groups });
        }
    }
    all
}

/// What a service's tasks are registered in, and at which ports.
fn tasks(address: &str, found: &Found) -> Place {
    let network = first(&found.body["network_configuration"]);
    let place = inside(address, Kind::Tasks, refer(&network["subnets"]), refer(&network["security_groups"]));
    let public = network["assign_public_ip"] == Value::Bool(true);
    let listeners = one_or_more(&found.body["load_balancer"]).iter().filter_map(|of| {
        let port = text(&of["container_port"]).parse().ok()?;
        Some(Listener {
            address: address.to_owned(),
            port,
            groups: refer(&of["target_group_arn"]).into_iter().collect(),
        })
    });
    Place { public, listeners: listeners.collect(), ..place }
}

fn store(view: &View, address: &str, found: &Found) -> Place {
    let group = refers(found, "db_subnet_group_name").unwrap_or_default();
    let subnets = view.blocks.get(&group).map(|group| refer(&group.body["subnet_ids"])).unwrap_or_default();
    let place = inside(address, Kind::Store, subnets, refer(&found.body["vpc_security_group_ids"]));
    let members = view
        .of_kind("aws_rds_cluster_instance")
        .filter(|(_, member)| refers(member, "cluster_identifier").as_deref() == Some(address));
    let is_public = |found: &Found| found.body["publicly_accessible"] == Value::Bool(true);
    let public = is_public(found) || members.into_iter().any(|(_, member)| is_public(member));
    Place { public, ipv6: text(&found.body["network_type"]) == "DUAL", ..place }
}

fn machine(address: &str, found: &Found) -> Place {
    let subnets = refer(&found.body["subnet_id"]);
    let mut groups = refer(&found.body["vpc_security_group_ids"]);
    groups.extend(refer(&found.body["security_groups"]));
    let ipv6 = one_or_more(&found.body["ipv6_addresses"]).len()
        + one_or_more(&found.body["ipv6_address_count"]).len()
        > 0;
    let public = found.body["associate_public_ip_address"] == Value::Bool(true);
    Place { public, ipv6, ..inside(address, Kind::Machine, subnets, groups) }
}

fn endpoint(address: &str, found: &Found) -> Place {
    match text(&found.body["vpc_endpoint_type"]).as_str() {
        "" | "Gateway" => service(address, address),
        _ => {
            let (subnets, groups) =
                (refer(&found.body["subnet_ids"]), refer(&found.body["security_group_ids"]));
            let ipv6 = ["ipv6", "dualstack"].contains(&text(&found.body["ip_address_type"]).as_str());
            Place { ipv6, ..inside(address, Kind::Endpoint, subnets, groups) }
        }
    }
}

/// A service of AWS whose addresses a prefix list of AWS's names: public ones, of IPv4 in any case.
fn service(name: &str, list: &str) -> Place {
    Place::outside(name, Kind::Service, address::internet(), Some(list.to_owned()))
}
