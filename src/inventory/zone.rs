//! Where a resource stands in the network, found along the edges of the module's graph.

use serde::Serialize;
use std::fmt;
use terraform::{Mode, Root, Value};

/// Where a resource stands in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Zone {
    /// In subnets that the internet reaches.
    Public,
    /// In subnets that reach out and are not reached.
    Private,
    /// In subnets without a way out.
    Data,
    /// In the VPC as a whole.
    Network,
    /// In no VPC.
    Account,
    /// It exists, but the module does not know it.
    Unknown,
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Data => "data",
            Self::Network => "network",
            Self::Account => "account",
            Self::Unknown => "unknown",
        })
    }
}

/// The arguments that put a resource where the one is that they name.
const PLACES: [&str; 14] = [
    "subnet_id",
    "subnet_ids",
    "subnets",
    "network_configuration",
    "vpc_zone_identifier",
    "db_subnet_group_name",
    "cluster_identifier",
    "load_balancer_arn",
    "listener_arn",
    "network_acl_id",
    "security_group_id",
    "vpc_id",
    "route_table_id",
    "vpc_endpoint_id",
];

/// The zone of every node, in their order. A node refers only to those before it, so one pass is enough.
pub(super) fn of(root: &Root) -> Vec<Zone> {
    let mut zones: Vec<Zone> = Vec::with_capacity(root.nodes().len());
    for node in root.nodes() {
        let looked_up = node.address().mode() == Mode::Data;
        let zone = match (node.address().kind(), node.argument("tags").and_then(|tags| tags.get("Tier"))) {
            ("aws_vpc", _) => Zone::Network,
            // Subnets that exist already bear tags of their own; the address says the tier.
            ("aws_subnet", _) if looked_up => {
                tier(node.address().name().split('_').next().unwrap_or_default())
            }
            ("aws_subnet", Some(Value::String(name))) => tier(name),
            _ => {
                let places = node.edges().iter().filter(|edge| {
                    edge.argument.as_ref().is_some_and(|argument| PLACES.contains(&argument.as_ref()))
                });
                places.filter_map(|edge| zones.get(edge.to).copied()).min().unwrap_or(Zone::Account)
            }
        };
        zones.push(zone);
    }
    zones
}

fn tier(name: &str) -> Zone {
    match name {
        "public" | "nat" => Zone::Public,
        "private" | "firewall" => Zone::Private,
        _ => Zone::Data,
    }
}
