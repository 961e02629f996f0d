//! Small networks with the answers that AWS documents.

use serde_json::{Value, json};
use terraform::query::View;

use super::filter::Wanted;
use super::matrix::{Named, matrix};
use super::network::Network;
use super::{changes, json as as_json, proof, write};
use crate::traffic::Range;

/// A VPC with a public subnet and a private one, a machine in each, and a way out through NAT.
fn module(edit: impl FnOnce(&mut Value)) -> Value {
    let rule = |group: &str, key: &str, peer: &str, port: u16| {
        json!({"security_group_id": format!("${{aws_security_group.{group}.id}}"), key: peer,
            "ip_protocol": "tcp", "from_port": port, "to_port": port})
    };
    let mut all = json!({"resource": {
        "aws_vpc": {"v": {"cidr_block": "10.0.0.0/16"}},
        "aws_internet_gateway": {"g": {"vpc_id": "${aws_vpc.v.id}"}},
        "aws_subnet": {
            "public": {"vpc_id": "${aws_vpc.v.id}", "cidr_block": "10.0.0.0/24"},
            "private": {"vpc_id": "${aws_vpc.v.id}", "cidr_block": "10.0.1.0/24"},
        },
        "aws_route_table": {"public": {"vpc_id": "${aws_vpc.v.id}"}, "private": {"vpc_id": "${aws_vpc.v.id}"}},
        "aws_route_table_association": {
            "public": {"subnet_id": "${aws_subnet.public.id}", "route_table_id": "${aws_route_table.public.id}"},
            "private": {"subnet_id": "${aws_subnet.private.id}", "route_table_id": "${aws_route_table.private.id}"},
        },
        "aws_route": {
            "internet": {"route_table_id": "${aws_route_table.public.id}", "destination_cidr_block": "0.0.0.0/0",
                "gateway_id": "${aws_internet_gateway.g.id}"},
            "nat": {"route_table_id": "${aws_route_table.private.id}", "destination_cidr_block": "0.0.0.0/0",
                "nat_gateway_id": "${aws_nat_gateway.n.id}"},
        },
        "aws_nat_gateway": {"n": {"subnet_id": "${aws_subnet.public.id}"}},
        "aws_security_group": {"front": {"vpc_id": "${aws_vpc.v.id}"}, "back": {"vpc_id": "${aws_vpc.v.id}"}},
        "aws_vpc_security_group_ingress_rule": {
            "https": rule("front", "cidr_ipv4", "0.0.0.0/0", 443),
            "from_front": rule("back", "referenced_security_group_id", "${aws_security_group.front.id}", 5432),
        },
        "aws_vpc_security_group_egress_rule": {
            "to_back": rule("front", "referenced_security_group_id", "${aws_security_group.back.id}", 5432),
            "out": rule("back", "cidr_ipv4", "0.0.0.0/0", 443),
        },
        "aws_instance": {
            "front": {"subnet_id": "${aws_subnet.public.id}", "associate_public_ip_address": true,
                "vpc_security_group_ids": ["${aws_security_group.front.id}"]},
            "back": {"subnet_id": "${aws_subnet.private.id}", "associate_public_ip_address": false,
                "vpc_security_group_ids": ["${aws_security_group.back.id}"]},
        },
    }});
    edit(&mut all["resource"]);
    all
}

fn view(module: &Value) -> View {
    View::of_files([("a.tf.json", module.to_string().as_str())]).expect("a module")
}

fn network(edit: impl FnOnce(&mut Value)) -> Network {
    Network::of(&view(&module(edit)))
}

/// What is reached, a line each, but for names.
fn reached(network: &Network) -> Vec<String> {
    let matrix = matrix(network, None, None, Wanted::default()).expect("places");
    let lines = matrix.pairs.iter().flat_map(|pair| &pair.lines).map(ToString::to_string);
    lines.filter(|line| !line.contains(" -> dns")).collect()
}

fn proven(network: &Network, from: &str, to: &str) -> String {
    proof(&matrix(network, Some(from), Some(to), Wanted::default()).expect("places"), "about")
}

const FRONT: &str = "internet -> aws_instance.front: tcp 443";
const INNER: &str = "aws_instance.front -> aws_instance.back: tcp 5432";
/// What goes out to everywhere goes there too.
const OUTER: &str = "aws_instance.back -> aws_instance.front: tcp 443";
const OUT: &str = "aws_instance.back -> internet: tcp 443";

/// A network ACL of a subnet: number, outbound, allow, range, ports.
fn acl(resources: &mut Value, subnet: &str, rules: &[(u32, bool, bool, &str, u32, u32)]) {
    let subnets = json!([format!("${{aws_subnet.{subnet}.id}}")]);
    resources["aws_network_acl"][subnet] = json!({"vpc_id": "${aws_vpc.v.id}", "subnet_ids": subnets});
    for (number, egress, allow, net, from, to) in rules {
        let key = if net.contains(':') { "ipv6_cidr_block" } else { "cidr_block" };
        let action = if *allow { "allow" } else { "deny" };
        let way = if *egress { "out" } else { "in" };
        resources["aws_network_acl_rule"][format!("{subnet}_{way}_{number}")] = json!({
            "network_acl_id": format!("${{aws_network_acl.{subnet}.id}}"), "rule_number": number, "egress": egress,
            "rule_action": action, key: net, "protocol": "tcp", "from_port": from, "to_port": to});
    }
}

#[test]
fn groups_refer_to_groups_and_the_internet_reaches_what_is_public() {
    assert_eq!(reached(&network(|_| {})), [FRONT, OUT, OUTER, INNER]);
    // The same group in another subnet is the same; another group is not.
    let other = network(|all| {
        all["aws_vpc_security_group_ingress_rule"]["from_front"]["referenced_security_group_id"] =
            json!("${aws_security_group.back.id}");
    });
    assert_eq!(reached(&other), [FRONT, OUT, OUTER]);
    assert!(
        proven(&other, "aws_instance.front", "aws_instance.back").contains("stopped at security group in")
    );
}

/// <https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports>
#[test]
fn network_acls_have_to_let_answers_out_at_ephemeral_ports() {
    let with = |answers: &[(u32, bool, bool, &str, u32, u32)]| {
        let mut rules = vec![(100, false, true, "0.0.0.0/0", 443, 443)];
        rules.extend(answers);
        network(|all| acl(all, "public", &rules))
    };
    let internet = |network: &Network| reached(network).iter().any(|line| line == FRONT);
    assert!(!internet(&with(&[])));
    assert!(
        proven(&with(&[]), "internet", "aws_instance.front").contains("stopped at network ACL out, answers")
    );
    let answered = with(&[(100, true, true, "0.0.0.0/0", 1024, 65_535)]);
    assert!(internet(&answered));
    let proof = proven(&answered, "internet", "aws_instance.front");
    assert!(proof.contains("from ports 1024-65535"), "{proof}");
    for rule in ["public_in_100", "public_out_100"] {
        assert!(proof.contains(&format!("by aws_network_acl_rule.{rule}")), "{proof}");
    }
    // A NAT gateway in that subnet asks from such ports, and gets no answers at others.
    let nat = |network: &Network| reached(network).iter().any(|line| line == OUT);
    let out = [(90, true, true, "0.0.0.0/0", 443, 443), (100, true, true, "0.0.0.0/0", 1024, 65_535)];
    let back = |from, to| [&out[..], &[(110, false, true, "0.0.0.0/0", from, to)]].concat();
    assert!(
        !nat(&with(&back(0, 1023))) && nat(&with(&back(1024, 65_535))) && nat(&with(&back(65_535, 65_535)))
    );
}

#[test]
fn a_denial_counts_before_what_a_later_rule_allows_and_not_after() {
    let with = |deny| {
        network(|all| {
            let rules = [
                (100, false, true, "0.0.0.0/0", 0, 65_535),
                (deny, false, false, "0.0.0.0/1", 443, 443),
                (100, true, true, "0.0.0.0/0", 0, 65_535),
            ];
            acl(all, "public", &rules);
        })
    };
    assert!(reached(&with(110)).contains(&FRONT.to_owned()));
    let half = reached(&with(90));
    assert!(!half.contains(&FRONT.to_owned()));
    assert!(half.contains(&"internet 128.0.0.0/3 -> aws_instance.front: tcp 443".to_owned()), "{half:?}");
    assert!(!half.iter().any(|line| line.starts_with("internet 8.0.0.0")), "{half:?}");
    let denied = matrix(
        &with(90),
        Some("8.8.8.0/24"),
        Some("aws_instance.front"),
        Wanted { protocol: Some(6), port: Some(443) },
    );
    let proof = proof(&denied.expect("places"), "about");
    assert!(proof.contains("denied by aws_network_acl_rule.public_in_90"), "{proof}");
}

#[test]
fn two_halves_are_the_internet() {
    let halves = network(|all| {
        let rules = &mut all["aws_vpc_security_group_ingress_rule"];
        rules["https"]["cidr_ipv4"] = json!("0.0.0.0/1");
        rules["other"] = rules["https"].clone();
        rules["other"]["cidr_ipv4"] = json!("128.0.0.0/1");
    });
    assert_eq!(reached(&halves), reached(&network(|_| {})));
}

#[test]
fn a_subnet_without_a_route_is_cut_off() {
    let cut = network(|all| {
        all["aws_route"].as_object_mut().expect("routes").clear();
    });
    assert_eq!(reached(&cut), [OUTER, INNER]);
    assert!(proven(&cut, "internet", "aws_instance.front").contains("no route leads answers back"));
    let proof = proven(&cut, "aws_instance.back", "internet");
    assert!(proof.contains("aws_route_table.private has no route there"), "{proof}");
    let gone = network(|all| all["aws_instance"]["front"]["associate_public_ip_address"] = json!(false));
    assert!(!reached(&gone).contains(&FRONT.to_owned()));
}

#[test]
fn ipv6_is_not_ipv4() {
    let six = network(|all| {
        all["aws_vpc"]["v"]["assign_generated_ipv6_cidr_block"] = json!(true);
        for (number, subnet) in ["public", "private"].iter().enumerate() {
            all["aws_subnet"][subnet]["ipv6_cidr_block"] =
                json!(format!("${{cidrsubnet(aws_vpc.v.ipv6_cidr_block, 8, {number})}}"));
        }
        for machine in ["front", "back"] {
            all["aws_instance"][machine]["ipv6_address_count"] = json!(1);
        }
        for (kind, rule) in [("ingress", "https"), ("egress", "out")] {
            let rule = &mut all[format!("aws_vpc_security_group_{kind}_rule")][rule];
            rule["cidr_ipv6"] = json!("::/0");
            rule["cidr_ipv4"] = Value::Null;
        }
        all["aws_route"]["six"] = json!({"route_table_id": "${aws_route_table.public.id}",
            "destination_ipv6_cidr_block": "::/0", "gateway_id": "${aws_internet_gateway.g.id}"});
        all["aws_route"]["out"] = json!({"route_table_id": "${aws_route_table.private.id}",
            "destination_ipv6_cidr_block": "::/0", "egress_only_gateway_id": "${aws_egress_only_internet_gateway.e.id}"});
    });
    let over = |line: &str| format!("{line} over IPv6");
    assert_eq!(reached(&six), [over(FRONT), over(OUT), over(OUTER), INNER.to_owned(), over(INNER)]);
}

#[test]
fn what_is_not_known_is_told_and_not_guessed() {
    let listed = network(|all| {
        let rule = &mut all["aws_vpc_security_group_egress_rule"]["out"];
        rule["prefix_list_id"] = json!("pl-0123456789abcdef0");
        rule["cidr_ipv4"] = Value::Null;
    });
    assert!(reached(&listed).contains(&"aws_instance.back -> internet: perhaps tcp 443".to_owned()));
    let proof = proven(&listed, "aws_instance.back", "internet");
    assert!(proof.contains("cannot tell") && proof.contains("pl-0123456789abcdef0"), "{proof}");
    // Whoever is named by that list is reached for sure.
    let named = [Named { name: "scheme".into(), range: None, list: Some("pl-0123456789abcdef0".into()) }];
    let known = Network::with(
        &view(&module(|all| {
            let rule = &mut all["aws_vpc_security_group_egress_rule"]["out"];
            rule["prefix_list_id"] = json!("pl-0123456789abcdef0");
            rule["cidr_ipv4"] = Value::Null;
        })),
        &named,
    );
    assert!(reached(&known).contains(&"aws_instance.back -> scheme: tcp 443".to_owned()));
    // A range that a variable holds.
    let later =
        network(|all| all["aws_vpc_security_group_ingress_rule"]["https"]["cidr_ipv4"] = json!("${var.who}"));
    assert!(reached(&later).contains(&"internet -> aws_instance.front: perhaps tcp 443".to_owned()));
    // A peering whose other side is not here.
    let peered = network(|all| {
        all["aws_route"]["peer"] = json!({"route_table_id": "${aws_route_table.private.id}",
            "destination_cidr_block": "172.31.0.0/16", "vpc_peering_connection_id": "pcx-0123456789abcdef0"});
    });
    let proof = proven(&peered, "aws_instance.back", "172.31.0.0/16");
    assert!(proof.contains("what lies beyond pcx-0123456789abcdef0"), "{proof}");
}

#[test]
fn peerings_need_routes_on_both_sides() {
    let peered = |routes: &[(&str, &str)]| {
        network(|all| {
            all["aws_vpc"]["w"] = json!({"cidr_block": "10.1.0.0/16"});
            all["aws_subnet"]["w"] = json!({"vpc_id": "${aws_vpc.w.id}", "cidr_block": "10.1.0.0/24"});
            all["aws_route_table"]["w"] = json!({"vpc_id": "${aws_vpc.w.id}"});
            all["aws_route_table_association"]["w"] =
                json!({"subnet_id": "${aws_subnet.w.id}", "route_table_id": "${aws_route_table.w.id}"});
            all["aws_vpc_peering_connection"]["p"] =
                json!({"vpc_id": "${aws_vpc.v.id}", "peer_vpc_id": "${aws_vpc.w.id}"});
            all["aws_instance"]["w"] = json!({"subnet_id": "${aws_subnet.w.id}",
                "vpc_security_group_ids": ["${aws_security_group.w.id}"]});
            all["aws_security_group"]["w"] = json!({"vpc_id": "${aws_vpc.w.id}", "ingress": [{"protocol": "tcp",
                "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.1.0/24"]}]});
            for (table, net) in routes {
                all["aws_route"][format!("peer_{table}")] = json!({
                    "route_table_id": format!("${{aws_route_table.{table}.id}}"), "destination_cidr_block": net,
                    "vpc_peering_connection_id": "${aws_vpc_peering_connection.p.id}"});
            }
        })
    };
    let there = "aws_instance.back -> aws_instance.w: tcp 443".to_owned();
    let (out, back) = (("private", "10.1.0.0/16"), ("w", "10.0.0.0/16"));
    assert!(reached(&peered(&[out, back])).contains(&there));
    assert!(!reached(&peered(&[out])).contains(&there));
    assert!(!reached(&peered(&[back])).contains(&there));
}

#[test]
fn a_load_balancer_passes_on_what_its_listeners_forward() {
    let balanced = network(|all| {
        all["aws_lb"]["b"] = json!({"internal": false, "subnets": ["${aws_subnet.public.id}"],
            "security_groups": ["${aws_security_group.front.id}"]});
        let listener = |port: u16, action: Value| json!({"load_balancer_arn": "${aws_lb.b.arn}", "port": port, "default_action": [action]});
        all["aws_lb_listener"]["https"] =
            listener(443, json!({"type": "forward", "target_group_arn": "${aws_lb_target_group.t.arn}"}));
        all["aws_lb_listener"]["http"] =
            listener(80, json!({"type": "redirect", "redirect": {"port": "443"}}));
        all["aws_vpc_security_group_ingress_rule"]["http"] = json!({
            "security_group_id": "${aws_security_group.front.id}", "cidr_ipv4": "203.0.113.0/24",
            "ip_protocol": "tcp", "from_port": 80, "to_port": 80});
        all["aws_ecs_service"]["s"] = json!({"network_configuration": {"subnets": ["${aws_subnet.private.id}"],
            "security_groups": ["${aws_security_group.back.id}"]},
            "load_balancer": [{"container_port": 5432, "target_group_arn": "${aws_lb_target_group.t.arn}"}]});
        all["aws_instance"] = json!({});
    });
    let lines = reached(&balanced);
    for line in [
        "internet -> aws_lb.b: tcp 443",
        "internet 203.0.113.0/24 -> aws_lb.b: tcp 80",
        "internet -> aws_ecs_service.s: tcp 443 by aws_lb.b at tcp 5432",
        "aws_lb.b -> aws_ecs_service.s: tcp 5432",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line} in {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.contains("tcp 80 by")), "{lines:#?}");
    let proof = proven(&balanced, "internet", "tasks");
    assert!(
        proof.contains("by aws_lb.b, which forwards") && proof.contains("public IPv4 address"),
        "{proof}"
    );
}

#[test]
fn names_are_a_way_out_that_only_dns_firewall_closes() {
    let names = |edit: fn(&mut Value)| {
        let network = network(edit);
        let matrix = matrix(&network, None, Some("dns"), Wanted::default()).expect("places");
        matrix.pairs.iter().flat_map(|pair| &pair.lines).map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(names(|_| {}), ["aws_instance.back -> dns: name *", "aws_instance.front -> dns: name *"]);
    assert!(names(|all| all["aws_vpc"]["v"]["enable_dns_support"] = json!(false)).is_empty());
    let walled = names(|all| {
        all["aws_route53_resolver_firewall_domain_list"] =
            json!({"ok": {"domains": ["*.example"]}, "rest": {"domains": ["*"]}});
        let rule = |list: &str, action: &str, priority: u32| {
            json!({"firewall_rule_group_id": "${aws_route53_resolver_firewall_rule_group.g.id}", "action": action,
                "firewall_domain_list_id": format!("${{aws_route53_resolver_firewall_domain_list.{list}.id}}"), "priority": priority})
        };
        all["aws_route53_resolver_firewall_rule"] =
            json!({"ok": rule("ok", "ALLOW", 1), "rest": rule("rest", "BLOCK", 2)});
        all["aws_route53_resolver_firewall_rule_group_association"]["g"] = json!({"vpc_id": "${aws_vpc.v.id}",
            "firewall_rule_group_id": "${aws_route53_resolver_firewall_rule_group.g.id}"});
    });
    assert_eq!(walled[0], "aws_instance.back -> dns: name *.example");
}

#[test]
fn a_file_of_what_is_expected_is_read_as_sets() {
    let whole = |network: &Network| matrix(network, None, None, Wanted::default()).expect("places");
    let before = whole(&network(|_| {}));
    let text = write(&before, "x");
    assert_eq!(changes(&text, &before), Ok(Vec::new()));
    // Split and in another order: the same.
    let split = text.replace(
        &format!("{FRONT}\n"),
        "internet 128.0.0.0/1 -> aws_instance.front: tcp 443\ninternet 0.0.0.0/1 -> aws_instance.front: tcp 443\n",
    );
    assert_ne!(split, text);
    assert_eq!(changes(&split, &before), Ok(Vec::new()));
    let after = whole(&network(|all| {
        all["aws_vpc_security_group_ingress_rule"]["https"]["to_port"] = json!(444);
        all["aws_vpc_security_group_egress_rule"]["out"]["cidr_ipv4"] = json!("10.0.0.0/8");
    }));
    let told: Vec<String> = changes(&text, &after).expect("lines").iter().map(ToString::to_string).collect();
    assert_eq!(told, ["opened: internet -> aws_instance.front: tcp 444", &format!("closed: {OUT}")]);
    assert_eq!(
        changes("internet\n", &before),
        Err(vec!["line 1: `internet` is no line of such a file".to_owned()])
    );
    assert!(as_json(&before, "x", "generated").contains("\"aws_vpc_security_group_ingress_rule.https\""));
    for line in text.lines().filter(|line| line.contains(" -> ")) {
        assert_eq!(line.parse::<super::expected::Line>().map(|line| line.to_string()), Ok(line.to_owned()));
    }
    assert_eq!(Range::parse("10.0.0.0/8").map(|range| range.to_string()), Some("10.0.0.0/8".to_owned()));
}
