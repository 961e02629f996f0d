//! The VPC, its subnets by tier, and the routes that make a tier what it is.

use aws::kind::{RouteTableId, SubnetId, VpcDefaultNetworkAclId, VpcId};
use aws::{
    DefaultRouteTable, DefaultRouteTableOptional, DefaultSecurityGroup, EgressOnlyInternetGateway,
    EgressOnlyInternetGatewayHandle, EgressOnlyInternetGatewayOptional, Eip, EipHandle, InternetGateway,
    InternetGatewayHandle, NatGateway, NatGatewayHandle, NatGatewayOptional, Route, RouteOptional,
    RouteTable, RouteTableAssociation, RouteTableAssociationOptional, RouteTableHandle, RouteTableOptional,
    Subnet, SubnetOptional, VpcHandle,
};
use terraform::kind::Text;
use terraform::{Address, Addressed, Expr, Meta, Stack, set};

use super::firewall::{self, Firewall};
use crate::config::{EnvConfig, Nat, OwnVpc, Subnet as Place};
use crate::stacks::{kms, logs};

/// Every IPv4 address, as AWS writes it.
pub(super) const EVERYWHERE_IPV4: &str = "0.0.0.0/0";
/// Every IPv6 address, as AWS writes it.
pub(super) const EVERYWHERE_IPV6: &str = "::/0";

/// The VPC with its subnets.
pub(super) struct Vpc {
    /// The VPC's id.
    pub(super) id: Expr<VpcId>,
    /// The VPC's range; of several, the first.
    pub(super) cidr: Expr<Text>,
    /// The ACL that the VPC was born with, if the VPC is ours.
    pub(super) default_network_acl: Option<Expr<VpcDefaultNetworkAclId>>,
    /// The public tier.
    pub(super) public: Vec<Placed>,
    /// The private tier.
    pub(super) private: Vec<Placed>,
    /// The data tier.
    pub(super) data: Vec<Placed>,
    /// The firewall's tier, one subnet per NAT gateway; none without a firewall.
    pub(super) firewall: Vec<Placed>,
    /// The NAT gateways' tier, where a firewall keeps them out of the public one.
    pub(super) nat: Vec<Placed>,
    /// The firewall.
    pub(super) wall: Option<Firewall>,
    /// The private tier's route tables, in the order of the zones.
    pub(super) private_tables: Vec<Expr<RouteTableId>>,
    /// What makes the private tier's routes effective.
    pub(super) private_routes: Vec<Address>,
    /// The NAT gateways.
    pub(super) nat_gateways: Vec<NatGatewayHandle>,
    /// Their addresses.
    pub(super) addresses: Vec<EipHandle>,
}

/// A subnet and its zone's letter.
pub(super) struct Placed {
    /// The subnet's id.
    pub(super) id: Expr<SubnetId>,
    /// Its range.
    pub(super) cidr: Expr<Text>,
    /// The letter of its zone, which tells it apart in Terraform addresses.
    pub(super) zone: char,
}

impl Vpc {
    /// The range of a tier's subnet in the zone of that letter, if there is one.
    pub(super) fn range(&self, tier: Tier, zone: char) -> Option<Expr<Text>> {
        let placed = match tier {
            Tier::Public => &self.public,
            Tier::Private => &self.private,
            Tier::Data => &self.data,
            Tier::Firewall => &self.firewall,
            Tier::Nat => &self.nat,
        };
        placed.iter().find(|placed| placed.zone == zone).map(|placed| placed.cidr.clone())
    }
}

/// The tiers, and where each one's IPv6 ranges begin among the 256 of the VPC. The letter of the zone is added,
/// so that another zone moves none. The data tier has none: what stands in it speaks IPv4 to the tasks alone; nor do
/// those of firewall and NAT.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Public,
    Private,
    Data,
    Firewall,
    Nat,
}

impl Tier {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Data => "data",
            Self::Firewall => "firewall",
            Self::Nat => "nat",
        }
    }

    const fn first_ipv6_range(self) -> Option<u32> {
        match self {
            Self::Public => Some(0),
            Self::Private => Some(16),
            Self::Data | Self::Firewall | Self::Nat => None,
        }
    }
}

/// Builds the VPC, its subnets, gateways and routes.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    own: &OwnVpc,
    keys: &kms::Outputs,
    logs: &logs::Outputs,
) -> Vpc {
    let network = &config.network;
    let vpc = stack.add(
        "main",
        aws::Vpc {
            cidr_block: set(own.cidr.to_string()),
            assign_generated_ipv6_cidr_block: network.ipv6.then(|| set(true)),
            // Both are needed for the endpoints' private names.
            enable_dns_hostnames: set(true),
            enable_dns_support: set(true),
            tags: set([("Name", config.names.prefix().to_owned())]),
            ..Default::default()
        },
    );
    let gateway = stack.add(
        "main",
        InternetGateway { vpc_id: set(vpc.id()), tags: set([("Name", config.names.prefix().to_owned())]) },
    );
    lock_defaults(stack, config, &vpc);

    let public = subnets(stack, config, &vpc, Tier::Public, &own.subnets.public, Some(&gateway));
    let private = subnets(stack, config, &vpc, Tier::Private, &own.subnets.private, None);
    let data = subnets(stack, config, &vpc, Tier::Data, &own.subnets.data, None);

    route_public(stack, config, &vpc, &gateway, &public);
    route_data(stack, config, &vpc, &data);
    let walled = subnets(stack, config, &vpc, Tier::Firewall, &own.subnets.firewall, None);
    let behind = subnets(stack, config, &vpc, Tier::Nat, &own.subnets.nat, Some(&gateway));
    let gateways = if own.has_firewall() { &behind } else { &public };
    let nat = nat_gateways(stack, config, own.nat, &gateway, gateways);
    let wall = logs.firewall.as_ref().and_then(|logs| {
        let wall = firewall::build(stack, config, own, &vpc.id(), &walled, &keys.data, logs)?;
        route_firewall(stack, config, &vpc, &walled, &nat);
        route_nat(stack, config, own, &vpc, &gateway, &behind, &wall);
        Some(wall)
    });
    let out = Out { nat: &nat, wall: wall.as_ref() };
    let (private_tables, private_routes) = route_private(stack, config, &vpc, &private, &out);
    let (nat_gateways, addresses) = nat.into_iter().unzip();
    Vpc {
        id: vpc.id(),
        cidr: Expr::new(own.cidr.to_string()),
        default_network_acl: Some(vpc.default_network_acl_id()),
        public,
        private,
        data,
        firewall: walled,
        nat: behind,
        wall,
        private_tables,
        private_routes,
        nat_gateways,
        addresses,
    }
}

/// Empties what every VPC is born with, so that a resource which names no group and no table of its own can
/// speak to nobody (PCI 1.3.1, Security Hub EC2.2). Terraform adopts the three; it neither makes nor deletes them.
/// The default network ACL follows with the others.
fn lock_defaults(stack: &mut Stack<'_>, config: &EnvConfig, vpc: &VpcHandle) {
    stack.add(
        "locked",
        DefaultSecurityGroup {
            vpc_id: set(vpc.id()),
            ingress: Some(Vec::new()),
            egress: Some(Vec::new()),
            tags: set([("Name", config.names.of("default-locked"))]),
            ..Default::default()
        },
    );
    stack.add(
        "locked",
        DefaultRouteTable {
            default_route_table_id: vpc.default_route_table_id(),
            optional: DefaultRouteTableOptional {
                route: Some(Vec::new()),
                tags: set([("Name", config.names.of("default-locked"))]),
                ..Default::default()
            },
        },
    );
}

/// One subnet per zone. None gives out public addresses, the public ones included: load balancer and NAT
/// gateways bring their own (PCI 1.4.4, Security Hub EC2.15, which asks the same of IPv6).
fn subnets(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &VpcHandle,
    tier: Tier,
    places: &[Place],
    gateway: Option<&InternetGatewayHandle>,
) -> Vec<Placed> {
    let mut placed = Vec::with_capacity(places.len());
    for place in places {
        let zone = place.az.letter();
        // A load balancer cannot be made before the gateway, nor the gateway detached before the load balancer
        // is gone; depending on the gateway here puts everything in the public subnets into the right order.
        let meta = match gateway {
            Some(gateway) => Meta::new().depends_on(gateway),
            None => Meta::new(),
        };
        let subnet = stack.add_with(
            format!("{}_{zone}", tier.name()),
            meta,
            Subnet {
                vpc_id: vpc.id(),
                optional: SubnetOptional {
                    availability_zone: set(place.az.to_string()),
                    cidr_block: set(place.cidr.to_string()),
                    ipv6_cidr_block: ipv6_range(config, vpc, tier, zone),
                    map_public_ip_on_launch: set(false),
                    assign_ipv6_address_on_creation: set(false),
                    tags: set([
                        ("Name", config.names.of(&format!("{}-{zone}", tier.name()))),
                        ("Tier", tier.name().to_owned()),
                    ]),
                    ..Default::default()
                },
            },
        );
        placed.push(Placed { id: subnet.id(), cidr: Expr::new(place.cidr.to_string()), zone });
    }
    placed
}

/// The subnet's /64 of the /56 that AWS assigns to the VPC.
fn ipv6_range(config: &EnvConfig, vpc: &VpcHandle, tier: Tier, zone: char) -> Option<Expr<Text>> {
    let first = tier.first_ipv6_range().filter(|_| config.network.ipv6)?;
    let letter = u32::from(zone) - u32::from('a');
    Some(vpc.ipv6_cidr_block().cidr_subnet(8, first + letter))
}

fn table(stack: &mut Stack<'_>, config: &EnvConfig, vpc: &VpcHandle, name: &str) -> RouteTableHandle {
    stack.add(
        name.replace('-', "_"),
        RouteTable {
            vpc_id: vpc.id(),
            optional: RouteTableOptional {
                tags: set([("Name", config.names.of(name))]),
                ..Default::default()
            },
        },
    )
}

fn associate(stack: &mut Stack<'_>, tier: Tier, placed: &Placed, table: &RouteTableHandle) -> Address {
    let association = stack.add(
        format!("{}_{}", tier.name(), placed.zone),
        RouteTableAssociation {
            route_table_id: table.id(),
            optional: RouteTableAssociationOptional {
                subnet_id: set(placed.id.clone()),
                ..Default::default()
            },
        },
    );
    association.address().clone()
}

/// The one table with a route to the internet gateway (PCI 1.4.1).
fn route_public(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &VpcHandle,
    gateway: &InternetGatewayHandle,
    public: &[Placed],
) {
    let table = table(stack, config, vpc, "public");
    for placed in public {
        associate(stack, Tier::Public, placed, &table);
    }
    stack.add(
        "public_internet",
        Route {
            route_table_id: table.id(),
            optional: RouteOptional {
                destination_cidr_block: set(EVERYWHERE_IPV4),
                gateway_id: set(gateway.id()),
                ..Default::default()
            },
        },
    );
    if config.network.ipv6 {
        stack.add(
            "public_internet_ipv6",
            Route {
                route_table_id: table.id(),
                optional: RouteOptional {
                    destination_ipv6_cidr_block: set(EVERYWHERE_IPV6),
                    gateway_id: set(gateway.id()),
                    ..Default::default()
                },
            },
        );
    }
}

/// A table with no route but the VPC's own: nothing reaches the data stores from outside, and they reach nothing.
fn route_data(stack: &mut Stack<'_>, config: &EnvConfig, vpc: &VpcHandle, data: &[Placed]) {
    let table = table(stack, config, vpc, "data");
    for placed in data {
        associate(stack, Tier::Data, placed, &table);
    }
}

/// The NAT gateways with their addresses, in the order of the zones. With one per zone, three of the five
/// addresses that AWS allows per region by default are used:
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>
fn nat_gateways(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    nat: Nat,
    gateway: &InternetGatewayHandle,
    subnets: &[Placed],
) -> Vec<(NatGatewayHandle, EipHandle)> {
    let count = match nat {
        Nat::PerAz => subnets.len(),
        Nat::Single => 1,
        Nat::None => 0,
    };
    let mut gateways = Vec::with_capacity(count);
    for placed in subnets.iter().take(count) {
        let name = format!("nat_{}", placed.zone);
        let title = config.names.of(&format!("nat-{}", placed.zone));
        let address = stack.add_with(
            &name,
            Meta::new().depends_on(gateway),
            Eip { domain: set("vpc"), tags: set([("Name", title.clone())]), ..Default::default() },
        );
        let nat = stack.add_with(
            &name,
            Meta::new().depends_on(gateway),
            NatGateway {
                subnet_id: placed.id.clone(),
                optional: NatGatewayOptional {
                    allocation_id: set(address.id()),
                    tags: set([("Name", title)]),
                    ..Default::default()
                },
            },
        );
        gateways.push((nat, address));
    }
    gateways
}

/// From each endpoint of the firewall to the NAT gateway of its zone.
fn route_firewall(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &VpcHandle,
    walled: &[Placed],
    nat: &[(NatGatewayHandle, EipHandle)],
) {
    for (placed, (gateway, _)) in walled.iter().zip(nat) {
        let zone = placed.zone;
        let table = table(stack, config, vpc, &format!("firewall-{zone}"));
        associate(stack, Tier::Firewall, placed, &table);
        let route = RouteOptional {
            destination_cidr_block: set(EVERYWHERE_IPV4),
            nat_gateway_id: set(gateway.id()),
            ..Default::default()
        };
        stack.add(format!("firewall_{zone}_nat"), Route { route_table_id: table.id(), optional: route });
    }
}

/// From the NAT gateways to the internet, and back to the tasks through the endpoint that they came by.
fn route_nat(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    own: &OwnVpc,
    vpc: &VpcHandle,
    gateway: &InternetGatewayHandle,
    behind: &[Placed],
    wall: &Firewall,
) {
    let table = table(stack, config, vpc, "nat");
    for placed in behind {
        associate(stack, Tier::Nat, placed, &table);
    }
    let internet = RouteOptional {
        destination_cidr_block: set(EVERYWHERE_IPV4),
        gateway_id: set(gateway.id()),
        ..Default::default()
    };
    stack.add("nat_internet", Route { route_table_id: table.id(), optional: internet });
    for (at, subnet) in own.subnets.private.iter().enumerate() {
        let Some(zone) = wall.zones.get(at).or(wall.zones.first()) else { continue };
        let back = RouteOptional {
            // More specific than the VPC's own route, which would lead past the firewall.
            destination_cidr_block: set(subnet.cidr.to_string()),
            vpc_endpoint_id: set(wall.endpoint(zone)),
            ..Default::default()
        };
        let name = format!("nat_private_{}", subnet.az.letter());
        stack.add(name, Route { route_table_id: table.id(), optional: back });
    }
}

/// What the tasks' way out consists of.
struct Out<'a> {
    nat: &'a [(NatGatewayHandle, EipHandle)],
    wall: Option<&'a Firewall>,
}

impl Out<'_> {
    /// The next step of the way out of the n-th zone; none where there is no way.
    fn next(&self, at: usize) -> Option<(&'static str, RouteOptional)> {
        let (gateway, _) = self.nat.get(at).or(self.nat.first())?;
        let everywhere =
            || RouteOptional { destination_cidr_block: set(EVERYWHERE_IPV4), ..Default::default() };
        let zone =
            self.wall.and_then(|wall| wall.zones.get(at).or(wall.zones.first()).map(|zone| (wall, zone)));
        Some(match zone {
            Some((wall, zone)) => {
                ("firewall", RouteOptional { vpc_endpoint_id: set(wall.endpoint(zone)), ..everywhere() })
            }
            None => ("nat", RouteOptional { nat_gateway_id: set(gateway.id()), ..everywhere() }),
        })
    }
}

/// A table per zone, even behind a single NAT gateway: going from one gateway to one per zone then changes a
/// route, and not which table a subnet uses. Returned beside the tables is what makes their routes effective.
fn route_private(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &VpcHandle,
    private: &[Placed],
    out: &Out<'_>,
) -> (Vec<Expr<RouteTableId>>, Vec<Address>) {
    // What leaves by IPv6 would pass a firewall by.
    let by_ipv6 = config.network.ipv6 && !out.nat.is_empty() && out.wall.is_none();
    let egress_only = by_ipv6.then(|| egress_only(stack, config, vpc));
    let (mut tables, mut effective) = (Vec::with_capacity(private.len()), Vec::new());
    for (at, placed) in private.iter().enumerate() {
        let zone = placed.zone;
        let table = table(stack, config, vpc, &format!("private-{zone}"));
        effective.push(associate(stack, Tier::Private, placed, &table));
        if let Some((next, optional)) = out.next(at) {
            let route = Route { route_table_id: table.id(), optional };
            effective.push(stack.add(format!("private_{zone}_{next}"), route).address().clone());
        }
        if let Some(gateway) = &egress_only {
            let route = RouteOptional {
                destination_ipv6_cidr_block: set(EVERYWHERE_IPV6),
                egress_only_gateway_id: set(gateway.id()),
                ..Default::default()
            };
            let route = Route { route_table_id: table.id(), optional: route };
            effective.push(stack.add(format!("private_{zone}_ipv6"), route).address().clone());
        }
        tables.push(table.id());
    }
    (tables, effective)
}

/// What NAT is to IPv4: connections go out, none comes in. Without NAT there is none of this either.
fn egress_only(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &VpcHandle,
) -> EgressOnlyInternetGatewayHandle {
    stack.add(
        "main",
        EgressOnlyInternetGateway {
            vpc_id: vpc.id(),
            optional: EgressOnlyInternetGatewayOptional {
                tags: set([("Name", config.names.prefix().to_owned())]),
            },
        },
    )
}
