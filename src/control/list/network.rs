//! Requirement 1: the network.

use aws::power;

use super::{DATABASES, INSTANCES, Row, beside, postgres, row};
use crate::config::Breadth;
use crate::control::platform::{Platform, Resource, address, allows, bound, breadth, list, texts};

const INGRESS: &str = "aws_vpc_security_group_ingress_rule";
const EGRESS: &str = "aws_vpc_security_group_egress_rule";

pub(super) const ROWS: &[Row] = &[
    row(
        "R001",
        "the description of every rule of a security group begins with the rule's name and says what it is for",
        |p| p.each(INGRESS, described).and(p.each(EGRESS, described)),
        &[(INGRESS, "description", "\"\""), (EGRESS, "description", "\"https\"")],
    ),
    row(
        "R002",
        "no rule admits an address of the internet but those of the load balancer's group at 80 and 443; no group has inline \
         rules",
        |p| {
            p.each(INGRESS, |r| {
                closed(p, r, "cidr_ipv4") && (r.at("prefix_list_id").is_null() || of_balancer(p, r))
            })
            .and(p.each("aws_security_group", no_inline_rules))
            .and(p.none(&["aws_security_group_rule"]))
        },
        &[
            ("aws_vpc_security_group_ingress_rule.tasks_from_alb", "cidr_ipv4", "\"0.0.0.0/1\""),
            ("aws_vpc_security_group_ingress_rule.tasks_from_alb", "cidr_ipv4", "\"203.0.113.0/24\""),
            ("aws_vpc_security_group_ingress_rule.tasks_from_alb", "prefix_list_id", "\"pl-12345678\""),
            ("aws_vpc_security_group_ingress_rule.alb_https_ipv4", "ip_protocol", "\"-1\""),
            ("aws_security_group_rule", "type", "\"ingress\""),
            ("aws_vpc_security_group_ingress_rule.tasks_from_alb", "cidr_ipv4", "\"0.0.0.0/0\""),
            ("aws_vpc_security_group_ingress_rule.hooks__tasks_from_alb", "cidr_ipv4", "\"0.0.0.0/0\""),
            ("aws_vpc_security_group_ingress_rule.alb_https_ipv4", "to_port", "8443"),
            ("aws_security_group", "ingress", "[{}]"),
        ],
    ),
    row(
        "R003",
        "the same for IPv6",
        |p| p.each(INGRESS, |r| closed(p, r, "cidr_ipv6")),
        &[
            ("aws_vpc_security_group_ingress_rule.tasks_from_alb", "cidr_ipv6", "\"::/0\""),
            ("aws_vpc_security_group_ingress_rule.back_office__tasks_from_alb", "cidr_ipv6", "\"::/0\""),
        ],
    ),
    row(
        "R004",
        "what reaches a service's tasks comes from the load balancer's group, at the port of its container",
        |p| {
            p.each_where(
                INGRESS,
                |r| within(r, "security_group_id", &task_groups(p)),
                |r| {
                    let ports = container_ports(p, r.text("security_group_id"));
                    within(r, "referenced_security_group_id", &balancer_groups(p))
                        && peers(r) == 1
                        && r.text("ip_protocol") == "tcp"
                        && ports.contains(&r.number("from_port"))
                        && r.number("to_port") == r.number("from_port")
                },
            )
        },
        &[
            (
                "aws_vpc_security_group_ingress_rule.tasks_from_alb",
                "referenced_security_group_id",
                "\"${aws_security_group.tasks.id}\"",
            ),
            ("aws_vpc_security_group_ingress_rule.tasks_from_alb", "to_port", "65535"),
            (
                "aws_vpc_security_group_ingress_rule.back_office__tasks_from_alb",
                "security_group_id",
                "\"${aws_security_group.tasks.id}\"",
            ),
            (
                "aws_vpc_security_group_ingress_rule.hooks__tasks_from_alb",
                "referenced_security_group_id",
                "\"${aws_security_group.tasks.id}\"",
            ),
        ],
    ),
    postgres(
        "R005",
        "what reaches the database comes from the tasks' group, at 5432",
        |p| {
            p.each_where(
                INGRESS,
                |r| within(r, "security_group_id", &database_groups(p)),
                |r| {
                    within(r, "referenced_security_group_id", &task_groups(p))
                        && peers(r) == 1
                        && r.text("ip_protocol") == "tcp"
                        && r.number("from_port") == 5432
                        && r.number("to_port") == 5432
                },
            )
        },
        &[
            (
                "aws_vpc_security_group_ingress_rule.data_from_tasks",
                "referenced_security_group_id",
                "\"${aws_security_group.alb.id}\"",
            ),
            ("aws_vpc_security_group_ingress_rule.back_office__data_from_tasks", "to_port", "65535"),
        ],
    ),
    row(
        "R006",
        "every rule outward names its protocol, its port and one group, prefix list or network; of the internet the rules of \
         a group lead together to at most as much as a /8, or to all of it at 443 alone, where a network firewall lets \
         listed names pass and no other",
        |p| {
            let names = "rule_group.rules_source.rules_source_list.generated_rules_type";
            let drops = |r: Resource| {
                r.texts("firewall_policy.stateful_default_actions").contains(&"aws:drop_established")
            };
            let around = |r: Resource| {
                r.text("tags.Tier") == "private"
                    && routes(p, r.address).iter().any(|route| !route.at("nat_gateway_id").is_null())
            };
            let firewall = p.of_kind("aws_networkfirewall_rule_group").any(|r| r.text(names) == "ALLOWLIST")
                && p.of_kind("aws_networkfirewall_firewall_policy").all(drops)
                && !p.of_kind("aws_subnet").any(around);
            p.each(EGRESS, |r| {
                let named = ["tcp", "udp"].contains(&r.text("ip_protocol"))
                    && r.number("from_port") > 0
                    && r.number("to_port") == r.number("from_port");
                let by_name = |rule: &Resource| {
                    firewall && rule.text("ip_protocol") == "tcp" && rule.number("from_port") == 443
                };
                // The rules of a group are one set of addresses.
                let ranges = |r: Resource| -> Vec<&str> {
                    let of_group =
                        p.of_kind(EGRESS).filter(|o| o.at("security_group_id") == r.at("security_group_id"));
                    let of_group = of_group.filter(|other| !by_name(other));
                    of_group
                        .flat_map(|o| [o.text("cidr_ipv4"), o.text("cidr_ipv6")])
                        .filter(|c| !c.is_empty())
                        .collect()
                };
                peers(r) == 1
                    && named
                    && breadth(&ranges(r)).is_some_and(|breadth| breadth.within(Breadth::EGRESS_MAX))
            })
        },
        &[
            (EGRESS, "ip_protocol", "\"-1\""),
            (EGRESS, "cidr_ipv6", "\"::/0\""),
            (EGRESS, "to_port", "65535"),
            ("aws_vpc_security_group_egress_rule.tasks_to_endpoints", "cidr_ipv4", "\"0.0.0.0/0\""),
            (
                "aws_vpc_security_group_egress_rule.tasks_to_endpoints",
                "",
                r#"{"cidr_ipv4":"128.0.0.0/1","from_port":8443,"to_port":8443,"ip_protocol":"tcp","security_group_id":"${aws_security_group.tasks.id}"}"#,
            ),
            ("aws_vpc_security_group_egress_rule.alb_to_tasks", "cidr_ipv4", "\"0.0.0.0/0\""),
            ("aws_route.private_a_firewall", "nat_gateway_id", "\"${aws_nat_gateway.nat_a.id}\""),
            (
                "aws_networkfirewall_firewall_policy.egress",
                "firewall_policy.stateful_default_actions",
                "[\"aws:alert_established\"]",
            ),
        ],
    ),
    row(
        "R007",
        "the services that a task calls have endpoints, with their names resolved to them",
        |p| {
            // Every start needs the first four, a session in a container the others.
            let mut interface = vec![".ecr.api", ".ecr.dkr", ".logs", ".secretsmanager"];
            if p.of_kind("aws_ecs_service").any(|service| service.is("enable_execute_command", true)) {
                interface.extend([".kms", ".ssmmessages"]);
            }
            let gateway = [".s3", ".dynamodb"];
            p.one_for_each("aws_vpc_endpoint", &interface, |r, service| {
                r.text("service_name").ends_with(service) && r.is("private_dns_enabled", true)
            })
            .and(p.one_for_each("aws_vpc_endpoint", &gateway, |r, service| {
                r.text("service_name").ends_with(service) && !r.blocks("route_table_ids").is_empty()
            }))
        },
        &[
            ("aws_vpc_endpoint.logs", "service_name", "\"com.amazonaws.us-east-1.sqs\""),
            ("aws_vpc_endpoint.ecr_api", "private_dns_enabled", "false"),
            ("aws_vpc_endpoint.s3", "route_table_ids", "[]"),
        ],
    ),
    row(
        "R008",
        "every endpoint has a policy whose statements are bound to this account or name what they reach",
        |p| {
            p.each("aws_vpc_endpoint", |r| {
                let allowed: Vec<_> = r.statements("policy").iter().filter(|s| allows(s)).collect();
                let accounts = p.accounts();
                !allowed.is_empty()
                    && allowed.into_iter().all(|statement| {
                        let keys = ["aws:PrincipalAccount", "aws:ResourceAccount"];
                        let bound = bound(statement, &keys, |value| accounts.contains(&value));
                        let resources = texts(&statement["Resource"]);
                        let named = !resources.is_empty() && !resources.iter().any(|r| power::everything(r));
                        bound || (named && !texts(&statement["Action"]).contains(&"*"))
                    })
            })
        },
        &[
            ("aws_vpc_endpoint", "policy", "null"),
            (
                "aws_vpc_endpoint.ecr_api",
                "policy.Statement.0.Condition",
                r#"{"StringNotEquals":{"aws:PrincipalAccount":"333344445555"}}"#,
            ),
            (
                "aws_vpc_endpoint.ecr_api",
                "policy.Statement.0.Condition",
                r#"{"StringEquals":{"aws:PrincipalAccount":"999999999999"}}"#,
            ),
            (
                "aws_vpc_endpoint",
                "policy",
                r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
            ),
        ],
    ),
    row(
        "R009",
        "the default group of every VPC has no rules",
        |p| {
            beside(p, "aws_vpc", "aws_default_security_group", "vpc_id", |r| {
                r.blocks("ingress").is_empty() && r.blocks("egress").is_empty() && r.at("ingress").is_array()
            })
        },
        &[
            ("aws_default_security_group", "ingress", "[{\"self\":true}]"),
            ("aws_default_security_group", "vpc_id", "\"\""),
        ],
    ),
    row(
        "R010",
        "no rule of a network ACL lets an address of the internet reach 22 or 3389",
        |p| {
            p.each("aws_network_acl_rule", |r| {
                let covers = |port| {
                    r.text("protocol") == "-1"
                        || (r.number("from_port") <= port && port <= r.number("to_port"))
                };
                let inward = !r.is("egress", true) && r.text("rule_action") == "allow";
                !(inward
                    && (open(r, "cidr_block") || open(r, "ipv6_cidr_block"))
                    && (covers(22) || covers(3389)))
                    && ["allow", "deny"].contains(&r.text("rule_action"))
            })
        },
        &[
            ("aws_network_acl_rule.public_in_nat_answers_low", "to_port", "65535"),
            ("aws_network_acl_rule.public_in_https", "protocol", "\"-1\""),
            ("aws_network_acl_rule.public_in_nat_answers_low", "from_port", "0"),
            (
                "aws_network_acl_rule.private_in_answers",
                "",
                r#"{"cidr_block":"128.0.0.0/1","from_port":22,"to_port":22,"protocol":"tcp","rule_action":"allow"}"#,
            ),
            (
                "aws_network_acl_rule.private_in_service_3000",
                "",
                r#"{"cidr_block":"0.0.0.0/0","protocol":"-1","rule_action":"allow"}"#,
            ),
        ],
    ),
    row(
        "R011",
        "every network ACL has subnets, and the default one admits nothing",
        |p| {
            p.each("aws_network_acl", |r| !r.refers("subnet_ids").is_empty()).and(
                p.each("aws_default_network_acl", |r| {
                    r.blocks("ingress").is_empty() && r.blocks("egress").is_empty()
                }),
            )
        },
        &[("aws_network_acl", "subnet_ids", "[]"), ("aws_default_network_acl", "ingress", "[{}]")],
    ),
    row(
        "R013",
        "the internet gateway is a route of public subnets alone, those of NAT gateways among them; subnets of data have \
         no route; tasks are in neither",
        |p| {
            p.each("aws_subnet", |subnet| {
                let routes = routes(p, subnet.address);
                // Without an association it has the main table, which anybody may come to use.
                let associated =
                    p.referring("aws_route_table_association", "subnet_id", subnet.address).count() == 1;
                associated
                    && match subnet.text("tags.Tier") {
                        "public" | "nat" => true,
                        "firewall" | "private" => {
                            !routes.iter().any(|r| r.refers_to("gateway_id", "aws_internet_gateway"))
                        }
                        _ => routes.is_empty(),
                    }
            })
            .and(p.each("aws_ecs_service", |service| {
                let subnets = service.refers("network_configuration.subnets");
                let private = |s: &&str| p.get(s).is_some_and(|s| s.text("tags.Tier") == "private");
                !subnets.is_empty() && subnets.iter().all(private)
            }))
            .and(p.each("aws_route", |_| true))
            .and(p.each("aws_route_table", |r| r.blocks("route").is_empty()))
            .and(p.each("aws_default_route_table", |r| r.blocks("route").is_empty()))
        },
        &[
            ("aws_route.private_a_nat", "gateway_id", "\"${aws_internet_gateway.main.id}\""),
            ("aws_route.public_internet", "route_table_id", "\"${aws_route_table.data.id}\""),
            ("aws_route_table", "route", "[{}]"),
            ("aws_route_table_association", "subnet_id", "\"\""),
            ("aws_route_table_association", "", "{}"),
            ("aws_route.firewall_a_nat", "gateway_id", "\"${aws_internet_gateway.main.id}\""),
            ("aws_ecs_service", "network_configuration.subnets", "[\"${aws_subnet.public_a.id}\"]"),
        ],
    ),
    row(
        "R014",
        "no subnet gives public addresses away",
        |p| {
            p.each("aws_subnet", |r| {
                r.is("map_public_ip_on_launch", false) && !r.is("assign_ipv6_address_on_creation", true)
            })
        },
        &[
            ("aws_subnet", "map_public_ip_on_launch", "true"),
            ("aws_subnet", "assign_ipv6_address_on_creation", "true"),
        ],
    ),
    row(
        "R015",
        "no service gives its tasks a public address",
        |p| p.each("aws_ecs_service", |r| r.is("network_configuration.assign_public_ip", false)),
        &[("aws_ecs_service", "network_configuration.assign_public_ip", "true")],
    ),
    postgres(
        "R016",
        "no instance has a public address",
        |p| p.each_of(&INSTANCES, |r| r.is("publicly_accessible", false)),
        &[
            ("aws_db_instance", "publicly_accessible", "true"),
            ("aws_rds_cluster_instance", "publicly_accessible", "true"),
        ],
    ),
    postgres(
        "R017",
        "every subnet of a database has a route table of its tier, which leads nowhere out of the VPC",
        |p| {
            p.each("aws_db_subnet_group", |group| {
                let subnets = group.refers("subnet_ids");
                let isolated = |subnet: &&str| {
                    let associated =
                        p.referring("aws_route_table_association", "subnet_id", subnet).count() == 1;
                    associated && routes(p, subnet).is_empty()
                };
                !subnets.is_empty() && subnets.iter().all(isolated)
            })
        },
        &[
            ("aws_db_subnet_group", "subnet_ids", "[\"${aws_subnet.private_a.id}\"]"),
            ("aws_route_table_association.data_a", "subnet_id", "\"\""),
            ("aws_route.private_a_nat", "route_table_id", "\"${aws_route_table.data.id}\""),
        ],
    ),
    row(
        "R100",
        "every VPC has a flow log of all its traffic",
        |p| {
            beside(p, "aws_vpc", "aws_flow_log", "vpc_id", |r| {
                let to = ["aws_cloudwatch_log_group", "aws_s3_bucket"];
                r.text("traffic_type") == "ALL" && to.iter().any(|kind| r.refers_to("log_destination", kind))
            })
        },
        &[
            ("aws_flow_log", "traffic_type", "\"REJECT\""),
            ("aws_flow_log", "log_destination", "\"arn:aws:s3:::somebody-elses\""),
        ],
    ),
];

/// Whether the description carries the rule's name, as its justification's id, in characters that AWS takes. A further
/// service's rule has the name of the main one's after its own: `hooks__tasks_from_alb`.
fn described(rule: Resource) -> bool {
    let text = rule.text("description");
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let named = |id: &str| rule.name() == id || rule.name().ends_with(&format!("__{id}"));
    text.split_once(": ").is_some_and(|(id, why)| named(id) && why.len() > 10) && text.chars().all(allowed)
}

/// Whether a range takes in an address of the internet; so does whatever cannot be read as a range.
fn open(rule: Resource, path: &str) -> bool {
    match rule.text(path) {
        "" => !rule.at(path).is_null(),
        own if address(own).is_some_and(|a| a.starts_with("aws_vpc.") || a.starts_with("aws_subnet.")) => {
            false
        }
        range => breadth(&[range]).is_none_or(|breadth| !breadth.is_none()),
    }
}

/// How many peers a rule names: a group, a prefix list, a range of either family.
fn peers(rule: Resource) -> usize {
    let peers = ["referenced_security_group_id", "prefix_list_id", "cidr_ipv4", "cidr_ipv6"];
    peers.iter().filter(|peer| !rule.at(peer).is_null()).count()
}

fn of_balancer(p: &Platform, rule: Resource) -> bool {
    within(rule, "security_group_id", &balancer_groups(p))
}

/// Whether a rule is not open to the world, unless it is the load balancer's at a port of the web.
fn closed(p: &Platform, rule: Resource, path: &str) -> bool {
    let port = rule.number("from_port");
    let web =
        [80, 443].contains(&port) && rule.number("to_port") == port && rule.text("ip_protocol") == "tcp";
    !open(rule, path) || (web && of_balancer(p, rule))
}

fn no_inline_rules(group: Resource) -> bool {
    list(group.at("ingress")).is_empty()
        && list(group.at("egress")).is_empty()
        && group.at("ingress").is_null()
}

fn within(rule: Resource, path: &str, groups: &[&str]) -> bool {
    address(rule.text(path)).is_some_and(|group| groups.contains(&group))
}

fn balancer_groups(p: &Platform) -> Vec<&str> {
    p.of_kind("aws_lb").flat_map(|r| r.refers("security_groups")).collect()
}

fn task_groups(p: &Platform) -> Vec<&str> {
    p.of_kind("aws_ecs_service").flat_map(|r| r.refers("network_configuration.security_groups")).collect()
}

/// The ports of the containers of a group's services.
fn container_ports(p: &Platform, group: &str) -> Vec<i64> {
    let services = p.of_kind("aws_ecs_service");
    let here = services.filter(|s| {
        s.refers("network_configuration.security_groups").iter().any(|of| address(group) == Some(*of))
    });
    here.map(|s| s.number("load_balancer.container_port")).collect()
}

fn database_groups(p: &Platform) -> Vec<&str> {
    let databases = DATABASES.into_iter().flat_map(|kind| p.of_kind(kind));
    databases.flat_map(|r| r.refers("vpc_security_group_ids")).collect()
}

/// The routes of a subnet's table.
fn routes<'p>(p: &'p Platform, subnet: &str) -> Vec<Resource<'p>> {
    let associations = p.of_kind("aws_route_table_association");
    let tables: Vec<&str> = associations
        .filter(|a| a.refers("subnet_id").contains(&subnet))
        .flat_map(|a| a.refers("route_table_id"))
        .collect();
    p.of_kind("aws_route").filter(|r| r.refers("route_table_id").iter().any(|t| tables.contains(t))).collect()
}
