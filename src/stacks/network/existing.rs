//! A VPC that exists already: read, and held to what the tiers promise. A plan fails where it is otherwise, before anything
//! stands in it.

use aws::data;
use aws::data_route_table::RoutesObject;
use aws::data_vpc::CidrBlockAssociationsObject;
use aws::kind::RouteTableId;
use terraform::kind::{Bool, Text};
use terraform::{Elements, Expr, Meta, Stack, set};

use super::vpc::{Placed, Tier, Vpc};
use crate::config::{AvailabilityZone, EnvConfig, ExistingNetwork, NetworkPart, SubnetId};

/// Looks the VPC and its subnets up.
pub(super) fn find(stack: &mut Stack<'_>, config: &EnvConfig, there: &ExistingNetwork) -> Vpc {
    let vpc = stack.add_with(
        "main",
        of_vpc(config),
        data::Vpc { id: set(there.vpc_id.to_string()), ..Default::default() },
    );
    let mut private_tables = Vec::new();
    let mut tier = |tier: Tier, ids: &[SubnetId]| -> Vec<Placed> {
        let each = config.network.availability_zones.iter().zip(ids);
        each.map(|(zone, id)| {
            let meta = of_subnet(config, &vpc, tier, zone);
            let (placed, table) = subnet(stack, meta, tier, zone, id);
            private_tables.extend(table.filter(|_| tier == Tier::Private));
            placed
        })
        .collect()
    };
    let public = tier(Tier::Public, &there.public);
    let private = tier(Tier::Private, &there.private);
    let data = tier(Tier::Data, &there.data);
    Vpc {
        id: vpc.id(),
        cidr: vpc.cidr_block(),
        default_network_acl: None,
        public,
        private,
        data,
        firewall: Vec::new(),
        nat: Vec::new(),
        wall: None,
        private_tables,
        private_routes: Vec::new(),
        nat_gateways: Vec::new(),
        addresses: Vec::new(),
    }
}

fn of_vpc(config: &EnvConfig) -> Meta<data::Vpc> {
    let mut meta = Meta::new();
    if config.network.owns(NetworkPart::InterfaceEndpoints) {
        let names = Expr::<Bool>::itself("enable_dns_support").and(Expr::itself("enable_dns_hostnames"));
        let what = "network.existing.vpc_id: the endpoints' private names need DNS support and DNS hostnames, which \
                    the VPC's owner has to turn on.";
        meta = meta.postcondition(names, what);
    }
    if config.network.owns(NetworkPart::NetworkAcls) {
        let ranges = Elements::<CidrBlockAssociationsObject>::itself("cidr_block_associations").count();
        let what = "network.existing.vpc_id: the VPC has further ranges, and the network ACLs made here know its \
                    first one alone; say under [network.existing.elsewhere] who looks after network_acls.";
        meta = meta.postcondition(ranges.at_most(1), what);
    }
    meta
}

/// What makes a subnet one of its tier and zone.
fn of_subnet(
    config: &EnvConfig,
    vpc: &data::VpcHandle,
    tier: Tier,
    zone: &AvailabilityZone,
) -> Meta<data::Subnet> {
    let say = |what: &str| format!("network.existing.{}, zone {}: {what}", tier.name(), zone.letter());
    let mut meta = Meta::new()
        .postcondition(
            Expr::<Text>::itself("vpc_id").equals(vpc.id().text()),
            say("the subnet lies in another VPC than network.existing.vpc_id."),
        )
        .postcondition(
            Expr::<Text>::itself("availability_zone").equals(zone.to_string()),
            say("the subnet lies in another zone: its place in the list is that of its zone in \
                 network.availability_zones."),
        );
    if tier != Tier::Public {
        // PCI 1.4.4, Security Hub EC2.15
        meta = meta.postcondition(
            Expr::<Bool>::itself("map_public_ip_on_launch").equals(false),
            say("the subnet gives out public addresses, which its owner has to turn off."),
        );
    } else if config.network.ipv6 {
        meta = meta.postcondition(
            Expr::<Text>::itself("ipv6_cidr_block").differs_from(""),
            say("the subnet has no IPv6 range, which network.ipv6 asks for."),
        );
    }
    meta
}

/// A subnet, and for all but the public tier the table that it is associated with.
fn subnet(
    stack: &mut Stack<'_>,
    meta: Meta<data::Subnet>,
    tier: Tier,
    zone: &AvailabilityZone,
    id: &SubnetId,
) -> (Placed, Option<Expr<RouteTableId>>) {
    let name = format!("{}_{}", tier.name(), zone.letter());
    let subnet = stack.add_with(&name, meta, data::Subnet { id: set(id.to_string()), ..Default::default() });
    let table = (tier != Tier::Public).then(|| {
        let table = data::RouteTable { subnet_id: set(subnet.id()), ..Default::default() };
        stack.add_with(&name, of_table(tier, zone), table).id()
    });
    (Placed { id: subnet.id(), cidr: subnet.cidr_block(), zone: zone.letter() }, table)
}

/// Where a tier's routes must not lead (PCI 1.4.1, 1.4.4).
fn of_table(tier: Tier, zone: &AvailabilityZone) -> Meta<data::RouteTable> {
    let routes = || Elements::<RoutesObject>::itself("routes");
    let say = |what: &str| format!("network.existing.{}, zone {}: {what}", tier.name(), zone.letter());
    let meta = Meta::new().postcondition(
        routes().none_starts_with("gateway_id", "igw-"),
        say("a route of the subnet's table leads to an internet gateway, which makes it a public one."),
    );
    if tier != Tier::Data {
        return meta;
    }
    meta.postcondition(
        routes().none_starts_with("nat_gateway_id", "nat-"),
        say("a route of the subnet's table leads to a NAT gateway; data stores have no way out."),
    )
}
