//! What must hold of the network, read from the graph.

use terraform::{Expression, Mode, Node, Number, Root, Subject, Value};

use crate::config::{EnvConfig, RuleName, RuleReason};
use crate::stacks::probe::written;
use crate::synth::synth;

/// The platform of an environment.
fn network(text: &str) -> Root {
    synth(&EnvConfig::for_test(text)).expect("a sound module")
}

const THIRD_PARTIES: &str = r#"
network.egress = [
    { name = "scheme-files", cidr = "198.51.100.0/24", port = 22, reason = "Settlement files of the card scheme" },
    { name = "acquirer", prefix_list = "pl-0123456789abcdef0", reason = "The acquirer" },
]
"#;

fn of_type<'r>(root: &'r Root, kind: &str) -> impl Iterator<Item = &'r Node> {
    root.nodes().iter().filter(move |node| node.address().kind() == kind)
}

fn find<'r>(root: &'r Root, address: &str) -> &'r Node {
    root.find(address).unwrap_or_else(|| panic!("no {address}"))
}

fn string<'n>(node: &'n Node, argument: &str) -> Option<&'n str> {
    match node.argument(argument) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

fn number(node: &Node, argument: &str) -> i64 {
    match node.argument(argument) {
        Some(Value::Number(Number::Int(number))) => *number,
        other => panic!("{}.{argument} is {other:?}", node.address()),
    }
}

/// The address of what an argument refers to.
fn target(node: &Node, argument: &str) -> Option<String> {
    let Some(Value::Expression(expression)) = node.argument(argument) else { return None };
    let Expression::Reference(reference) = &**expression else { return None };
    match &reference.subject {
        Subject::Block(address) => Some(address.to_string()),
        _ => None,
    }
}

fn ports(node: &Node) -> std::ops::RangeInclusive<i64> {
    number(node, "from_port")..=number(node, "to_port")
}

#[test]
fn only_the_load_balancers_group_has_rules_from_addresses_and_only_to_web_ports() {
    for text in ["", "network.ipv6 = true", "alb.allowed_cidrs = [\"203.0.113.0/24\", \"2001:db8::/48\"]"] {
        let root = network(text);
        for rule in of_type(&root, "aws_vpc_security_group_ingress_rule") {
            let from_addresses = rule.argument("cidr_ipv4").or(rule.argument("cidr_ipv6")).is_some();
            let on_alb = target(rule, "security_group_id").as_deref() == Some("aws_security_group.alb");
            assert_eq!(from_addresses, on_alb, "{}", rule.address());
            if from_addresses {
                assert!(matches!(number(rule, "from_port"), 80 | 443), "{}", rule.address());
                assert_eq!(number(rule, "from_port"), number(rule, "to_port"));
            }
        }
    }
}

#[test]
fn tasks_are_reached_from_the_load_balancer_and_data_stores_from_the_tasks() {
    let root = network("service.container_port = 9090\ndata.store = \"postgres\"");
    let into = |group: &str| -> Vec<_> {
        of_type(&root, "aws_vpc_security_group_ingress_rule")
            .filter(|rule| target(rule, "security_group_id").as_deref() == Some(group))
            .map(|rule| (target(rule, "referenced_security_group_id").expect("a group"), ports(rule)))
            .collect()
    };
    assert_eq!(into("aws_security_group.tasks"), [("aws_security_group.alb".to_owned(), 9090..=9090)]);
    assert_eq!(into("aws_security_group.data"), [("aws_security_group.tasks".to_owned(), 5432..=5432)]);
    assert_eq!(into("aws_security_group.endpoints"), [("aws_security_group.tasks".to_owned(), 443..=443)]);
}

#[test]
fn nothing_leaves_by_a_rule_to_everywhere_or_of_every_protocol() {
    let root = network(THIRD_PARTIES);
    for rule in of_type(&root, "aws_vpc_security_group_egress_rule") {
        assert_eq!(string(rule, "ip_protocol"), Some("tcp"), "{}", rule.address());
        assert_ne!(string(rule, "cidr_ipv4"), Some("0.0.0.0/0"), "{}", rule.address());
        assert_eq!(number(rule, "from_port"), number(rule, "to_port"), "{}", rule.address());
    }
    let files = find(&root, "aws_vpc_security_group_egress_rule.third_party_scheme_files");
    assert_eq!(string(files, "cidr_ipv4"), Some("198.51.100.0/24"));
    assert_eq!(
        string(files, "description"),
        Some("third_party_scheme_files: Settlement files of the card scheme")
    );
}

#[test]
fn every_rule_has_a_description_that_aws_takes() {
    let (name, reason) = ("n".repeat(RuleName::LENGTH_MAX), "x".repeat(RuleReason::LENGTH_MAX));
    let longest = format!("{{ name = \"{name}\", cidr = \"198.51.100.0/24\", reason = \"{reason}\" }}");
    let root = network(&format!("network.egress = [{longest}]"));
    let kinds = ["aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"];
    for rule in kinds.into_iter().flat_map(|kind| of_type(&root, kind)) {
        let description = string(rule, "description").expect("a description");
        assert!((1..=255).contains(&description.len()), "{description}");
        let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
        assert!(description.chars().all(allowed), "{description}");
    }
}

/// What a network ACL allows, as `in`/`out`, source, ports.
fn acl_rules<'r>(root: &'r Root, tier: &str) -> Vec<&'r Node> {
    let acl = format!("aws_network_acl.{tier}");
    of_type(root, "aws_network_acl_rule")
        .filter(move |rule| target(rule, "network_acl_id").as_deref() == Some(acl.as_str()))
        .collect()
}

fn is_egress(rule: &Node) -> bool {
    rule.argument("egress") == Some(&Value::Bool(true))
}

#[test]
fn no_acl_admits_ssh_or_rdp_from_the_internet() {
    for text in ["", "network.ipv6 = true", THIRD_PARTIES] {
        let root = network(text);
        for rule in of_type(&root, "aws_network_acl_rule").filter(|rule| !is_egress(rule)) {
            let everywhere = string(rule, "cidr_block") == Some("0.0.0.0/0")
                || string(rule, "ipv6_cidr_block") == Some("::/0");
            if everywhere {
                assert!(!ports(rule).contains(&22) && !ports(rule).contains(&3389), "{}", rule.address());
            }
        }
    }
}

#[test]
fn the_data_tier_speaks_to_the_private_tier_alone() {
    let root = network("data.postgres.enabled = true");
    let private: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|zone| string(find(&root, &format!("aws_subnet.private_{zone}")), "cidr_block"))
        .collect();
    let rules = acl_rules(&root, "data");
    assert_eq!(rules.len(), 6);
    for rule in rules {
        assert!(private.contains(&string(rule, "cidr_block")), "{}", rule.address());
        let expected = if is_egress(rule) { 32_768..=65_535 } else { 5432..=5432 };
        assert_eq!(ports(rule), expected, "{}", rule.address());
    }
}

/// Tables of DynamoDB have no address in the VPC, so nothing is opened to any (PCI 1.2.5, 1.2.7).
#[test]
fn without_postgresql_nothing_leads_to_a_database() {
    let root = network("");
    assert!(root.find("aws_security_group.data").is_none());
    assert!(acl_rules(&root, "data").is_empty());
    let opened = root
        .nodes()
        .iter()
        .find(|node| node.argument("from_port").is_some_and(|port| *port == Value::Number(5432.into())));
    assert!(opened.is_none(), "{:?}", opened.map(|node| node.address().to_string()));
}

#[test]
fn acls_keep_to_the_quota_and_to_one_number_per_rule() {
    let widest = format!(
        "network.availability_zones = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]\nnetwork.ipv6 = true\n{THIRD_PARTIES}"
    );
    for text in ["", widest.as_str()] {
        let root = network(text);
        for tier in ["public", "private", "data"] {
            for egress in [false, true] {
                let mut numbers: Vec<_> = acl_rules(&root, tier)
                    .into_iter()
                    .filter(|rule| is_egress(rule) == egress)
                    .map(|rule| number(rule, "rule_number"))
                    .collect();
                let count = numbers.len();
                assert!(count <= 20, "{count} rules of {tier}, egress {egress}");
                assert!(numbers.iter().all(|number| (1..=32_766).contains(number)));
                numbers.sort_unstable();
                numbers.dedup();
                assert_eq!(numbers.len(), count, "{tier}, egress {egress}");
            }
        }
    }
}

/// The environment file is checked by these numbers.
#[test]
fn what_is_counted_is_what_is_built() {
    for text in ["", "network.ipv6 = true\nalb.http_redirect = false", THIRD_PARTIES] {
        let config = EnvConfig::for_test(text);
        let root = network(text);
        let count = |kind: &str, group: &str| {
            of_type(&root, kind)
                .filter(|rule| target(rule, "security_group_id").as_deref() == Some(group))
                .filter(|rule| rule.argument("cidr_ipv6").is_none())
                .count()
        };
        let clients = count("aws_vpc_security_group_ingress_rule", "aws_security_group.alb");
        let tasks = count("aws_vpc_security_group_egress_rule", "aws_security_group.tasks");
        assert_eq!((super::client_rules(&config), super::task_rules(&config)), (clients, tasks), "{text}");
        let tiers = ["public", "private", "data"].map(|tier| acl_rules(&root, tier));
        let most = tiers.iter().flat_map(|rules| {
            let out = rules.iter().filter(|rule| is_egress(rule)).count();
            [out, rules.len() - out]
        });
        assert_eq!(Some(super::most_rules(&config)), most.max(), "{text}");
    }
}

#[test]
fn every_acl_guards_the_subnets_of_its_tier() {
    let root = network("");
    for tier in ["public", "private", "data"] {
        let acl = find(&root, &format!("aws_network_acl.{tier}"));
        let Some(Value::List(subnets)) = acl.argument("subnet_ids") else { panic!("no subnets") };
        assert_eq!(subnets.len(), 3);
    }
}

#[test]
fn only_the_public_tier_has_a_route_to_the_internet_gateway() {
    let root = network("network.ipv6 = true\nnetwork.nat = \"per-az\"");
    for route in of_type(&root, "aws_route") {
        let table = target(route, "route_table_id").expect("a table");
        assert_eq!(
            route.argument("gateway_id").is_some(),
            table == "aws_route_table.public",
            "{}",
            route.address()
        );
        assert_ne!(table, "aws_route_table.data");
    }
    for zone in ["a", "b", "c"] {
        let association = find(&root, &format!("aws_route_table_association.data_{zone}"));
        assert_eq!(target(association, "route_table_id").as_deref(), Some("aws_route_table.data"));
        let route = find(&root, &format!("aws_route.private_{zone}_nat"));
        assert_eq!(target(route, "nat_gateway_id"), Some(format!("aws_nat_gateway.nat_{zone}")));
    }
}

#[test]
fn nat_gateways_are_as_many_as_asked_for() {
    for (nat, gateways, routes) in [("per-az", 3, 3), ("single", 1, 3), ("none", 0, 0)] {
        let root = network(&format!("network.nat = \"{nat}\"\nnetwork.ipv6 = true"));
        assert_eq!(of_type(&root, "aws_nat_gateway").count(), gateways, "{nat}");
        assert_eq!(of_type(&root, "aws_eip").count(), gateways, "{nat}");
        let through = |kind: &'static str| {
            of_type(&root, "aws_route").filter(move |route| route.argument(kind).is_some()).count()
        };
        assert_eq!(through("nat_gateway_id"), routes, "{nat}");
        assert_eq!(through("egress_only_gateway_id"), routes, "{nat}");
    }
}

#[test]
fn subnets_give_out_no_public_addresses() {
    let root = network("network.ipv6 = true");
    assert_eq!(of_type(&root, "aws_subnet").count(), 9);
    for subnet in of_type(&root, "aws_subnet") {
        for argument in ["map_public_ip_on_launch", "assign_ipv6_address_on_creation"] {
            assert_eq!(subnet.argument(argument), Some(&Value::Bool(false)), "{}", subnet.address());
        }
    }
}

#[test]
fn the_defaults_of_the_vpc_are_empty() {
    let root = network("");
    let group = find(&root, "aws_default_security_group.locked");
    assert_eq!(group.argument("ingress"), Some(&Value::List(Vec::new())));
    assert_eq!(group.argument("egress"), Some(&Value::List(Vec::new())));
    assert_eq!(
        find(&root, "aws_default_route_table.locked").argument("route"),
        Some(&Value::List(Vec::new()))
    );
    let acl = find(&root, "aws_default_network_acl.locked");
    assert!(acl.argument("ingress").is_none() && acl.argument("egress").is_none());
}

/// The names of the interface endpoints, and in how many zones each stands.
fn interface_endpoints(text: &str) -> Vec<(String, usize)> {
    let root = network(text);
    let interface = of_type(&root, "aws_vpc_endpoint")
        .filter(|endpoint| string(endpoint, "vpc_endpoint_type") == Some("Interface"))
        .map(|endpoint| {
            let subnets = endpoint.argument("subnet_ids").and_then(Value::as_list).expect("subnets");
            (endpoint.address().name().to_owned(), subnets.len())
        });
    interface.collect()
}

fn names(text: &str) -> Vec<String> {
    interface_endpoints(text).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_nobody_uses_is_not_built() {
    let root = network("");
    for kind in ["aws_nat_gateway", "aws_eip", "aws_egress_only_internet_gateway"] {
        assert_eq!(of_type(&root, kind).count(), 0, "{kind}");
    }
    let leads_nowhere = |route: &Node| route.argument("nat_gateway_id").is_none();
    assert!(of_type(&root, "aws_route").all(leads_nowhere));
    assert_eq!(of_type(&network(THIRD_PARTIES), "aws_nat_gateway").count(), 3);
    assert_eq!(of_type(&network(FIREWALL), "aws_nat_gateway").count(), 3);
    assert_eq!(of_type(&network("network.nat = \"single\""), "aws_nat_gateway").count(), 1);

    let start = ["ecr_api", "ecr_dkr", "logs", "secretsmanager"];
    let with = |further: &[&str]| -> Vec<String> {
        start.iter().chain(further).chain(&["guardduty_data"]).map(|name| (*name).to_owned()).collect()
    };
    assert_eq!(names(""), with(&[]));
    assert_eq!(names("production = false\nservice.exec = true"), with(&["kms", "ssmmessages"]));
    let own = "service.contract = \"none\"\nservice.name = \"payments\"\nservice.health_check.path = \"/\"\n";
    let parameter = "service.parameters = { TOKEN = \"arn:aws:ssm:us-east-1:111122223333:parameter/a\" }\n";
    assert_eq!(names(&format!("{own}{parameter}")), with(&["ssm"]));
    let policies = "service.task_policies = [\"arn:aws:iam::111122223333:policy/ledger\"]\n\
                    service.task_services = [\"sqs\", \"ses\"]\n";
    assert_eq!(names(&format!("{own}{policies}")), with(&["kms", "sts", "ssm", "monitoring", "sqs"]));
    let listed =
        "network.endpoints.interface = [\"ecr.api\", \"ecr.dkr\", \"logs\", \"secretsmanager\", \"sts\"]";
    assert_eq!(names(listed), [&start[..], &["sts"]].concat());
}

#[test]
fn endpoints_stand_in_every_zone_where_the_environment_is_protected() {
    let zones = |text: &str| -> Vec<usize> {
        let mut zones: Vec<usize> = interface_endpoints(text).into_iter().map(|(_, zones)| zones).collect();
        zones.dedup();
        zones
    };
    assert_eq!(zones(""), [3]);
    assert_eq!(zones("production = false"), [3]);
    assert_eq!(zones("production = false\nprotection = false"), [1]);
    assert_eq!(zones("production = false\nprotection = false\nnetwork.endpoints.zones = 2"), [2]);
    assert_eq!(zones("network.endpoints.zones = 2"), [2]);
}

/// The statements of a policy: the conditions and the resources of each.
fn statements(node: &Node) -> Vec<(String, Vec<String>)> {
    let Some(Value::Document(document)) = node.argument("policy") else {
        panic!("{} has no policy", node.address())
    };
    let Some(Value::List(statements)) = document.content.get("Statement") else { panic!("no statements") };
    let texts = |value: Option<&Value>| match value {
        Some(Value::List(items)) => items.iter().map(|item| format!("{item:?}")).collect(),
        _ => Vec::new(),
    };
    statements
        .iter()
        .map(|statement| (format!("{:?}", statement.get("Condition")), texts(statement.get("Resource"))))
        .collect()
}

#[test]
fn every_endpoint_has_a_policy_for_callers_of_this_account() {
    let every = r#"network.endpoints.interface = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "sts", "ssm",
        "ssmmessages", "monitoring", "xray", "events", "sqs", "sns", "guardduty-data"]"#;
    let root = network(every);
    assert_eq!(of_type(&root, "aws_vpc_endpoint").count(), 16);
    for endpoint in of_type(&root, "aws_vpc_endpoint") {
        for (conditions, resources) in statements(endpoint) {
            let layers = resources.iter().all(|resource| resource.contains("starport-layer-bucket/*"));
            let bound = conditions.contains("aws:PrincipalAccount") && conditions.contains("111122223333");
            assert!(bound || layers, "{}: {conditions} {resources:?}", endpoint.address());
        }
    }
}

#[test]
fn the_image_layers_bucket_is_that_of_the_region_and_partition() {
    let root = network(
        "region = \"cn-north-1\"\nnetwork.availability_zones = [\"a\", \"b\"]\n\
         network.endpoints.interface = [\"ecr.api\", \"ecr.dkr\", \"logs\", \"secretsmanager\", \"kms\"]",
    );
    let s3 = statements(find(&root, "aws_vpc_endpoint.s3"));
    assert!(
        s3.iter().any(|(_, resources)| {
            resources.iter().any(|r| r.contains("arn:aws-cn:s3:::prod-cn-north-1-starport-layer-bucket/*"))
        }),
        "{s3:?}"
    );
    let name = |address| string(find(&root, address), "service_name").map(str::to_owned);
    assert_eq!(name("aws_vpc_endpoint.ecr_api").as_deref(), Some("cn.com.amazonaws.cn-north-1.ecr.api"));
    assert_eq!(name("aws_vpc_endpoint.kms").as_deref(), Some("com.amazonaws.cn-north-1.kms"));
    for node in root.nodes() {
        assert!(!format!("{:?}", node.body()).contains("arn:aws:"), "{}", node.address());
    }
}

#[test]
fn flow_logs_record_everything() {
    let root = network("network.flow_logs.s3 = true");
    assert_eq!(of_type(&root, "aws_flow_log").count(), 2);
    for log in of_type(&root, "aws_flow_log") {
        assert_eq!(string(log, "traffic_type"), Some("ALL"));
        assert_eq!(target(log, "vpc_id").as_deref(), Some("aws_vpc.main"));
    }
}

#[test]
fn another_zone_changes_no_rule_subnet_or_table() {
    let (small, large) = (
        network("network.availability_zones = [\"a\", \"c\"]"),
        network("network.availability_zones = [\"a\", \"b\", \"c\"]"),
    );
    let stable = ["aws_subnet", "aws_network_acl_rule", "aws_route", "aws_route_table_association"];
    for node in stable.into_iter().flat_map(|kind| of_type(&small, kind)) {
        let same = find(&large, &node.address().to_string());
        for argument in ["availability_zone", "cidr_block", "rule_number"] {
            assert_eq!(node.argument(argument), same.argument(argument), "{}", node.address());
        }
    }
}

const FIREWALL: &str = "network.firewall.allowed_names = [\"api.scheme.example\", \"*.acquirer.example\"]\n";

/// What a route of a table leads to, by its destination.
fn routes<'r>(root: &'r Root, table: &str) -> Vec<(&'r str, String)> {
    let of_table = of_type(root, "aws_route").filter(|route| {
        target(route, "route_table_id").as_deref() == Some(&format!("aws_route_table.{table}"))
    });
    let next = |route: &Node| {
        ["gateway_id", "nat_gateway_id"]
            .into_iter()
            .find_map(|argument| target(route, argument))
            .unwrap_or_else(|| endpoint(route))
    };
    of_table.map(|route| (string(route, "destination_cidr_block").expect("a range"), next(route))).collect()
}

/// The zone of the firewall's endpoint that a route leads to.
fn endpoint(route: &Node) -> String {
    let Some(Value::Expression(expression)) = route.argument("vpc_endpoint_id") else {
        panic!("{} leads nowhere", route.address());
    };
    let Expression::Find { collection, equals, .. } = &**expression else { panic!("no endpoint") };
    assert!(
        matches!(&collection.subject, Subject::Block(a) if a.to_string() == "aws_networkfirewall_firewall.egress")
    );
    equals.as_str().expect("a zone").to_owned()
}

#[test]
fn a_firewall_sees_both_halves_of_every_connection_and_none_of_the_load_balancers() {
    let root = network(FIREWALL);
    for (zone, private) in [("a", "10.30.0.0/20"), ("b", "10.30.16.0/20"), ("c", "10.30.32.0/20")] {
        let az = format!("us-east-1{zone}");
        assert_eq!(routes(&root, &format!("private_{zone}")), [("0.0.0.0/0", az.clone())]);
        let nat = format!("aws_nat_gateway.nat_{zone}");
        assert_eq!(routes(&root, &format!("firewall_{zone}")), [("0.0.0.0/0", nat.clone())]);
        assert!(routes(&root, "nat").contains(&(private, az)), "answers pass the firewall by");
        assert_eq!(target(find(&root, &nat), "subnet_id"), Some(format!("aws_subnet.nat_{zone}")));
    }
    assert_eq!(routes(&root, "nat").len(), 4, "one to the internet, one to each private subnet");
    assert_eq!(routes(&root, "public"), [("0.0.0.0/0", "aws_internet_gateway.main".to_owned())]);
}

#[test]
fn behind_one_nat_gateway_there_is_one_endpoint() {
    let root = network(&format!("network.nat = \"single\"\n{FIREWALL}"));
    for zone in ["a", "b", "c"] {
        assert_eq!(routes(&root, &format!("private_{zone}")), [("0.0.0.0/0", "us-east-1a".to_owned())]);
    }
    let back: Vec<String> = routes(&root, "nat").into_iter().map(|(_, next)| next).collect();
    assert_eq!(back.iter().filter(|next| *next == "us-east-1a").count(), 3, "{back:?}");
    assert_eq!(
        of_type(&root, "aws_subnet").filter(|s| s.address().name().starts_with("firewall_")).count(),
        1
    );
}

#[test]
fn a_firewall_drops_what_no_rule_lets_pass_and_is_kept_and_logged() {
    let egress = "network.egress = [{ name = \"scheme\", cidr = \"198.51.100.0/24\", port = 8443, reason = \"Files\" }]\n";
    let root = network(&format!("{FIREWALL}{egress}"));
    let policy = find(&root, "aws_networkfirewall_firewall_policy.egress").body();
    let policy = policy.get("firewall_policy").expect("a policy");
    let policy = policy.as_list().map_or(policy, |blocks| &blocks[0]);
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_list().expect("a list").iter();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let at = |key: &str| texts(policy.get(key).unwrap_or_else(|| panic!("no {key}")));
    assert_eq!(at("stateless_default_actions"), ["aws:forward_to_sfe"]);
    assert_eq!(at("stateless_fragment_default_actions"), ["aws:forward_to_sfe"]);
    assert_eq!(at("stateful_default_actions"), ["aws:drop_established", "aws:alert_established"]);
    let text = format!("{:?}", find(&root, "aws_networkfirewall_rule_group.egress_names").body());
    for expected in
        ["ALLOWLIST", "TLS_SNI", "\".acquirer.example\"", "\"api.scheme.example\"", "STRICT_ORDER"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("HTTP_HOST"), "names are believed by TLS alone");
    let text = format!("{:?}", find(&root, "aws_networkfirewall_rule_group.egress_addresses").body());
    assert!(text.contains("198.51.100.0/24") && text.contains("8443") && text.contains("PASS"), "{text}");
    let wall = find(&root, "aws_networkfirewall_firewall.egress");
    for protection in ["delete_protection", "subnet_change_protection", "firewall_policy_change_protection"] {
        assert_eq!(wall.argument(protection), Some(&Value::Bool(true)), "{protection}");
    }
    assert!(wall.prevent_destroy());
    let open = network(&format!("{FIREWALL}network.firewall.subnets_may_change = \"A fourth zone\"\n"));
    let open = find(&open, "aws_networkfirewall_firewall.egress");
    assert_eq!(open.argument("subnet_change_protection"), Some(&Value::Bool(false)));
    assert_eq!(open.argument("delete_protection"), Some(&Value::Bool(true)));
    let log = format!("{:?}", find(&root, "aws_networkfirewall_logging_configuration.egress").body());
    assert!(log.contains("ALERT") && log.contains("FLOW"), "{log}");
    let names = find(&root, "aws_vpc_security_group_egress_rule.third_party_names");
    assert_eq!(string(names, "cidr_ipv4"), Some("0.0.0.0/0"));
    assert!(network("").find("aws_vpc_security_group_egress_rule.third_party_names").is_none());
}

#[test]
fn nothing_leaves_by_ipv6_past_a_firewall() {
    let root = network(&format!("network.ipv6 = true\n{FIREWALL}"));
    assert_eq!(of_type(&root, "aws_egress_only_internet_gateway").count(), 0);
    let by_nat = network("network.ipv6 = true\nnetwork.nat = \"per-az\"");
    assert_eq!(of_type(&by_nat, "aws_egress_only_internet_gateway").count(), 1);
}

const EXISTING: &str = r#"
[network]
availability_zones = ["a", "b"]
[network.existing]
vpc_id = "vpc-0123456789abcdef0"
public = ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
private = ["subnet-0123456789abcdef3", "subnet-0123456789abcdef4"]
data = ["subnet-0123456789abcdef5", "subnet-0123456789abcdef6"]
[network.existing.elsewhere]
vpc = "The network team"
"#;

/// Every condition on the block at an address, as Terraform reads it.
fn conditions(root: &Root, address: &str) -> Vec<String> {
    let (kind, name) = address.trim_start_matches("data.").split_once('.').expect("an address");
    let files = root.render("");
    let (_, text) = files.iter().find(|(file, _)| file == "network.tf.json").expect("a file");
    let file: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let all = file["data"][kind][name]["lifecycle"]["postcondition"].as_array().cloned();
    let condition = |item: &serde_json::Value| item["condition"].as_str().expect("text").to_owned();
    all.unwrap_or_default().iter().map(condition).collect()
}

#[test]
fn in_an_existing_vpc_nothing_is_made_of_what_it_is() {
    let root = network(EXISTING);
    let never = [
        "aws_subnet",
        "aws_internet_gateway",
        "aws_nat_gateway",
        "aws_eip",
        "aws_route",
        "aws_route_table",
        "aws_route_table_association",
        "aws_default_security_group",
        "aws_default_network_acl",
        "aws_default_route_table",
    ];
    let made = |kind: &str| of_type(&root, kind).filter(|n| n.address().mode() == Mode::Managed).count();
    for kind in never.into_iter().chain(["aws_vpc"]) {
        assert_eq!(made(kind), 0, "{kind}");
    }
    for kind in ["aws_security_group", "aws_network_acl", "aws_vpc_endpoint", "aws_flow_log"] {
        assert!(made(kind) > 0, "{kind}");
    }
}

#[test]
fn an_existing_vpc_is_held_to_what_the_tiers_promise() {
    let root = network(EXISTING);
    for (tier, zone) in ["public", "private", "data"].into_iter().flat_map(|t| [(t, 'a'), (t, 'b')]) {
        let subnet = conditions(&root, &format!("data.aws_subnet.{tier}_{zone}"));
        assert!(subnet.contains(&"${self.vpc_id == data.aws_vpc.main.id}".to_owned()), "{subnet:?}");
        assert!(subnet.contains(&format!("${{self.availability_zone == \"us-east-1{zone}\"}}")));
        let private = subnet.contains(&"${self.map_public_ip_on_launch == false}".to_owned());
        assert_eq!(private, tier != "public");
        let table = conditions(&root, &format!("data.aws_route_table.{tier}_{zone}"));
        let leads = |text: &str| table.iter().any(|condition| condition.contains(text));
        assert_eq!((leads("igw-"), leads("nat-")), (tier != "public", tier == "data"));
    }
    assert_eq!(conditions(&root, "data.aws_vpc.main").len(), 2);
    let ipv6 = network(&format!(
        "network.ipv6 = true\n{}",
        EXISTING.replace("[network]\n", "").replacen("availability_zones", "network.availability_zones", 1,)
    ));
    let public = conditions(&ipv6, "data.aws_subnet.public_a");
    assert!(public.contains(&"${self.ipv6_cidr_block != \"\"}".to_owned()), "{public:?}");
}

#[test]
fn gateway_endpoints_are_entered_where_the_private_subnets_are_routed() {
    let root = network(EXISTING);
    let tables = find(&root, "aws_vpc_endpoint.s3").argument("route_table_ids").and_then(Value::as_list);
    let tables: Vec<String> = tables.expect("a list").iter().map(written).collect();
    assert_eq!(tables, ["data.aws_route_table.private_a.id", "data.aws_route_table.private_b.id"]);
}

#[test]
fn what_the_landing_zone_has_is_reached_and_not_made() {
    let elsewhere = r#"flow_logs = "a"
network_acls = "b"
interface_endpoints = "c"
gateway_endpoints = "d"
"#;
    let ranges = "[network.existing]\ninterface_endpoint_cidrs = [\"10.0.16.0/22\"]";
    let root = network(&format!("{}{elsewhere}", EXISTING.replace("[network.existing]", ranges)));
    for kind in ["aws_flow_log", "aws_network_acl", "aws_vpc_endpoint"] {
        assert_eq!(of_type(&root, kind).count(), 0, "{kind}");
    }
    let rule = |name: &str| find(&root, &format!("aws_vpc_security_group_egress_rule.{name}"));
    assert_eq!(string(rule("tasks_to_endpoints_10_0_16_0_22"), "cidr_ipv4"), Some("10.0.16.0/22"));
    assert_eq!(
        target(rule("tasks_to_s3"), "prefix_list_id").as_deref(),
        Some("data.aws_ec2_managed_prefix_list.s3")
    );
    assert!(root.find("aws_security_group.endpoints").is_none());
    assert!(root.find("aws_cloudwatch_log_group.flow").is_none());
    assert!(root.find("aws_cloudwatch_metric_alarm.flow_log_silent").is_none());
    // Nothing is left to name a group that nobody made.
    assert!(root.find("aws_cloudwatch_query_definition.rejected_traffic").is_none());
}

#[test]
fn zones_are_those_of_the_region() {
    let letters = |region: &str| -> String {
        let config = EnvConfig::for_test(&format!("region = \"{region}\"\n"));
        config.network.availability_zones.iter().map(crate::config::AvailabilityZone::letter).collect()
    };
    assert_eq!(letters("eu-central-1"), "abc");
    assert_eq!(letters("us-east-1"), "abc");
    assert_eq!(letters("ca-central-1"), "abd");
    assert_eq!(letters("ap-northeast-1"), "acd");
    assert_eq!(letters("us-west-1"), "ab");
}

/// A letter stands for another zone in each account, and Fargate does not run in all of them.
#[test]
fn a_plan_fails_where_the_account_lacks_a_zone() {
    let sought = |region: &str| {
        let root = network(&format!("region = \"{region}\"\n"));
        let files = root.render("test");
        let (_, file) =
            files.iter().find(|(name, _)| name == "network.tf.json").expect("the stack's file").clone();
        let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
        file["data"]["aws_availability_zones"]["named"].clone()
    };
    let tokyo = sought("ap-northeast-1");
    let conditions: Vec<&str> = tokyo["lifecycle"]["postcondition"]
        .as_array()
        .expect("conditions")
        .iter()
        .map(|held| held["condition"].as_str().expect("text"))
        .collect();
    let expected = ["a", "c", "d"].map(|zone| format!("${{contains(self.names, \"ap-northeast-1{zone}\")}}"));
    assert_eq!(conditions, expected);
    let names = |region: &str, letters: [&str; 3]| {
        let values = letters.map(|letter| format!("{region}{letter}"));
        serde_json::json!({ "name": "zone-name", "values": values })
    };
    let ids = serde_json::json!({ "name": "zone-id", "values": ["apne1-az1", "apne1-az2", "apne1-az4"] });
    assert_eq!(tokyo["filter"], serde_json::json!([names("ap-northeast-1", ["a", "c", "d"]), ids]));
    let frankfurt = serde_json::json!([names("eu-central-1", ["a", "b", "c"])]);
    assert_eq!(sought("eu-central-1")["filter"], frankfurt);
}
