//! What must hold across all stacks of services beside the main one.

use std::collections::BTreeSet;

use terraform::{Node, Number, Root, Value};

use crate::stacks::probe::*;

const IMAGE: &str = "sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6";

/// The main service, one by host and one by path, with `more` at the end of the latter's table.
fn several(head: &str, more: &str) -> Root {
    platform(&format!(
        "{head}service.image = \"{IMAGE}\"\n\
         [services.back-office]\nhosts = [\"office.example.com\"]\nimage = \"{IMAGE}\"\n\
         secrets.SESSION_KEY = \"arn:aws:secretsmanager:us-east-1:111122223333:secret:office-AbCdEf\"\n\
         [services.hooks]\npaths = [\"/hooks/*\"]\nimage = \"{IMAGE}\"\n{more}"
    ))
}

fn addresses(root: &Root) -> BTreeSet<String> {
    root.nodes().iter().map(|node| node.address().to_string()).collect()
}

fn refers(root: &Root, from: &str, argument: &str, to: &str) -> bool {
    node(root, from).edges().iter().any(|edge| {
        edge.argument.as_deref() == Some(argument) && root.nodes()[edge.to].address().to_string() == to
    })
}

fn depends(root: &Root, from: &str, to: &str) -> bool {
    node(root, from).edges().iter().any(|edge| root.nodes()[edge.to].address().to_string() == to)
}

fn sids(node: &Node) -> Vec<&str> {
    statements(node, "policy").iter().filter_map(|statement| statement.get("Sid")?.as_str()).collect()
}

#[test]
fn another_service_moves_nothing_of_those_that_there_are() {
    let (alone, both) = (platform(&format!("service.image = \"{IMAGE}\"\n")), several("", ""));
    let gone: Vec<String> = addresses(&alone).difference(&addresses(&both)).cloned().collect();
    assert_eq!(gone, Vec::<String>::new());
    let third =
        several("", &format!("[services.a-third]\nhosts = [\"third.example.com\"]\nimage = \"{IMAGE}\"\n"));
    let priority =
        |root: &Root, rule: &str| at(node(root, &format!("aws_lb_listener_rule.{rule}")), "priority").clone();
    for rule in ["back_office", "hooks"] {
        assert_eq!(priority(&both, rule), priority(&third, rule));
    }
    assert!(addresses(&both).is_subset(&addresses(&third)));
}

#[test]
fn requests_are_told_apart_by_host_and_path() {
    let root = several("", "");
    let hooks = node(&root, "aws_lb_listener_rule.hooks");
    let conditions = hooks.argument("condition").and_then(Value::as_list).expect("conditions");
    let values = |at: usize, kind: &str| {
        texts(conditions[at].get(kind).and_then(|block| block.get("values")).expect("values"))
    };
    assert_eq!(
        (values(0, "host_header"), values(1, "path_pattern")),
        (vec!["reconcile.example.com"], vec!["/hooks/*"])
    );
    assert!(refers(&root, "aws_lb_listener_rule.hooks", "action", "aws_lb_target_group.hooks"));
    assert!(refers(&root, "aws_lb_listener.https", "default_action", "aws_lb_target_group.blue"));
    let office = node(&root, "aws_lb_listener_rule.back_office");
    assert_eq!(office.argument("condition").and_then(Value::as_list).map(<[Value]>::len), Some(1));
    // A group without a rule that leads to it is refused by ECS.
    assert!(depends(&root, "aws_ecs_service.hooks", "aws_lb_listener_rule.hooks"));
    assert!(!depends(&root, "aws_ecs_service.main", "aws_lb_listener_rule.hooks"));
}

#[test]
fn hosts_are_in_dns_and_in_the_certificate_unless_a_wildcard_stands_for_them() {
    let root = several("", "");
    assert_eq!(text_at(node(&root, "aws_route53_record.host_office_ipv4"), "name"), "office.example.com");
    let names = |root: &Root| {
        let names = node(root, "aws_acm_certificate.main").argument("subject_alternative_names");
        names.map(|names| texts(names).into_iter().map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default()
    };
    assert_eq!(names(&root), ["office.example.com"]);
    let wildcard = several("certificate.alternative_names = [\"*.example.com\"]\n", "");
    assert_eq!(names(&wildcard), ["*.example.com"]);
    let nodes = nodes(&root, "aws_route53_record");
    assert!(
        !nodes.iter().any(|record| record.address().name() == "host_reconcile_ipv4"),
        "the domain has its record"
    );
}

#[test]
fn a_service_starts_with_its_own_and_may_do_nothing_else() {
    let root = several("", "");
    assert!(root.find("aws_iam_role_policy.hooks__task").is_none());
    let hooks = node(&root, "aws_iam_role_policy.hooks__execution");
    assert_eq!(sids(hooks), ["RegistryToken", "PullImage", "PullGuardDutyAgent", "WriteLog"]);
    for to in ["aws_ecr_repository.hooks", "aws_cloudwatch_log_group.service_hooks"] {
        assert!(refers(&root, "aws_iam_role_policy.hooks__execution", "policy", to), "{to}");
    }
    for to in
        ["aws_ecr_repository.main", "aws_cloudwatch_log_group.service", "aws_secretsmanager_secret.admin_key"]
    {
        assert!(!refers(&root, "aws_iam_role_policy.hooks__execution", "policy", to), "{to}");
    }
    let office = node(&root, "aws_iam_role_policy.back_office__execution");
    let secrets =
        statement(office, "policy", "ReadSecrets").and_then(|s| s.get("Resource")).expect("secrets");
    assert_eq!(texts(secrets), ["arn:aws:secretsmanager:us-east-1:111122223333:secret:office-AbCdEf"]);
    // Nor does the main one read what is another's.
    let main =
        statement(node(&root, "aws_iam_role_policy.execution"), "policy", "ReadSecrets").expect("secrets");
    assert!(!format!("{main:?}").contains("office-AbCdEf"));
    let task = node(&root, "aws_ecs_task_definition.hooks");
    assert!(refers(&root, "aws_ecs_task_definition.hooks", "task_role_arn", "aws_iam_role.hooks__task"));
    assert!(refers(
        &root,
        "aws_ecs_task_definition.hooks",
        "execution_role_arn",
        "aws_iam_role.hooks__execution"
    ));
    assert_eq!(text_at(task, "family"), "txn-reconcile-test-hooks");
}

#[test]
fn its_rights_are_the_policies_that_are_named() {
    let policy = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess";
    let root = several("", &format!("task_policies = [\"{policy}\"]\n"));
    let attached = nodes_of(&root, "iam", "aws_iam_role_policy_attachment");
    assert_eq!(attached.len(), 1);
    assert!(refers(
        &root,
        "aws_iam_role_policy_attachment.hooks__task_AWSXRayDaemonWriteAccess",
        "role",
        "aws_iam_role.hooks__task"
    ));
    assert!(depends(
        &root,
        "aws_ecs_service.hooks",
        "aws_iam_role_policy_attachment.hooks__task_AWSXRayDaemonWriteAccess"
    ));
}

/// The rules of a service's tasks, without its name.
fn ways_out<'r>(root: &'r Root, service: &str) -> BTreeSet<&'r str> {
    let prefix = format!("{service}__");
    let rules = nodes(root, "aws_vpc_security_group_egress_rule").into_iter();
    rules.filter_map(|rule| rule.address().name().strip_prefix(&prefix)).collect()
}

#[test]
fn its_tasks_reach_the_load_balancer_and_no_data_store() {
    let data = "data.postgres.enabled = true\n";
    let root = several(data, "");
    let alone = BTreeSet::from(["alb_to_tasks", "tasks_to_endpoints", "tasks_to_s3"]);
    assert_eq!(ways_out(&root, "hooks"), alone);
    assert!(root.find("aws_vpc_security_group_ingress_rule.hooks__data_from_tasks").is_none());
    let into = nodes(&root, "aws_vpc_security_group_ingress_rule");
    let into: Vec<&str> = into
        .iter()
        .filter(|rule| depends(&root, &rule.address().to_string(), "aws_security_group.hooks__tasks"))
        .map(|rule| rule.address().name())
        .collect();
    assert_eq!(into, ["hooks__tasks_from_alb", "hooks__endpoints_from_tasks"]);
    let root = several(data, "data_stores = true\n");
    let reached = ways_out(&root, "hooks");
    assert!(reached.contains("tasks_to_data") && reached.contains("tasks_to_dynamodb"), "{reached:?}");
    assert!(refers(
        &root,
        "aws_vpc_security_group_ingress_rule.hooks__data_from_tasks",
        "security_group_id",
        "aws_security_group.data"
    ));
}

#[test]
fn its_tasks_reach_the_third_parties_that_it_names() {
    let head = "[[network.egress]]\nname = \"bank\"\ncidr = \"203.0.113.0/24\"\nreason = \"Confirmations\"\n\
                [[network.egress]]\nname = \"scheme\"\ncidr = \"198.51.100.0/24\"\nreason = \"Files\"\n";
    let text = |more: &str| {
        format!(
            "network.cidr = \"10.30.0.0/16\"\nalarms.page = [\"oncall@example.com\"]\n{head}\
             [service]\nimage = \"{IMAGE}\"\n[services.hooks]\npaths = [\"/hooks/*\"]\n{more}"
        )
    };
    let third = |root: &Root| -> Vec<String> {
        ways_out(root, "hooks")
            .into_iter()
            .filter(|rule| rule.starts_with("third"))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(third(&platform(&text(""))), Vec::<String>::new());
    let root = platform(&text("egress = [\"bank\"]\n"));
    assert_eq!(third(&root), ["third_party_bank"]);
    let rule = node(&root, "aws_vpc_security_group_egress_rule.hooks__third_party_bank");
    assert_eq!(text_at(rule, "description"), "third_party_bank: Confirmations");
}

#[test]
fn another_port_is_open_in_the_network_acl_too() {
    let rule = "aws_network_acl_rule.private_in_service_9000";
    assert!(several("", "").find(rule).is_none(), "the port of the main service is open");
    let root = several("", "container_port = 9000\n");
    assert_eq!(at(node(&root, rule), "from_port"), &Value::Number(Number::Int(9000)));
    assert_eq!(at(node(&root, rule), "rule_number"), &Value::Number(Number::Int(500 + 9000 % 400)));
}

#[test]
fn its_log_is_encrypted_masked_and_exported_like_the_main_ones() {
    let root = several("", "log_retention_days = 731\n");
    let group = node(&root, "aws_cloudwatch_log_group.service_hooks");
    assert_eq!(text_at(group, "name"), "/txn-reconcile/test/services/hooks");
    assert_eq!(at(group, "retention_in_days"), &Value::Number(Number::Int(731)));
    assert!(group.prevent_destroy());
    for kind in [
        "aws_cloudwatch_log_data_protection_policy",
        "aws_cloudwatch_log_subscription_filter",
        "aws_kinesis_firehose_delivery_stream",
    ] {
        node(&root, &format!("{kind}.service_hooks"));
    }
    let keys = statement(node(&root, "aws_kms_key.logs"), "policy", "LogGroups").expect("a permission");
    assert!(format!("{keys:?}").contains("/txn-reconcile/test/services/hooks"), "the key is for its log too");
}

#[test]
fn it_is_watched_like_the_main_one() {
    let (root, alone) = (several("", ""), platform(&format!("service.image = \"{IMAGE}\"\n")));
    let names = |root: &Root| -> BTreeSet<String> {
        let metric = nodes(root, "aws_cloudwatch_metric_alarm").into_iter();
        let all = metric.chain(nodes(root, "aws_cloudwatch_composite_alarm"));
        all.map(|alarm| text_at(alarm, "alarm_name").to_owned()).collect()
    };
    let more: BTreeSet<String> = names(&root).difference(&names(&alone)).cloned().collect();
    for kind in [
        "cpu",
        "memory",
        "no-healthy-task",
        "service-down",
        "service-failing",
        "service-log-silent",
        "target-5xx",
        "tasks-missing",
        "unhealthy-tasks",
    ] {
        for service in ["back-office", "hooks"] {
            assert!(more.contains(&format!("txn-reconcile-test-{kind}-{service}")), "{kind} {service}");
        }
    }
    // Rolled back by its own, and by no other service's.
    let rollback = at(node(&root, "aws_ecs_service.hooks"), "alarms.alarm_names");
    assert!(all_written(rollback).iter().all(|name| name.contains("_hooks")), "{rollback:?}");
    let page = |root: &Root| {
        refers(
            root,
            "aws_cloudwatch_composite_alarm.service_down_hooks",
            "alarm_actions",
            "aws_sns_topic.page",
        )
    };
    assert!(page(&root) && !page(&several("", "page = false\n")));
}

#[test]
fn beside_others_a_service_is_judged_by_its_own_requests() {
    let blue_green = "service.deployment.strategy = \"blue-green\"\n";
    let root = several(blue_green, "");
    for alarm in
        ["target_5xx", "latency", "target_connection_errors", "service_log_silent", "no_healthy_task"]
    {
        let address = format!("aws_cloudwatch_metric_alarm.{alarm}");
        for group in ["blue", "green"] {
            assert!(depends(&root, &address, &format!("aws_lb_target_group.{group}")), "{alarm} {group}");
        }
        assert!(!depends(&root, &address, "aws_lb_target_group.hooks"), "{alarm}");
    }
    // ECS deploys the others.
    let hooks = node(&root, "aws_ecs_service.hooks");
    assert!(hooks.argument("deployment_controller").is_none());
    assert_eq!(at(hooks, "deployment_circuit_breaker.rollback"), &Value::Bool(true));
}

#[test]
fn failures_of_every_service_are_told() {
    let root = several("ecr.enhanced_scanning = false\n", "");
    let pattern = |rule: &str| {
        format!("{:?}", node(&root, &format!("aws_cloudwatch_event_rule.{rule}")).argument("event_pattern"))
    };
    let prefix = |text: &str| format!("(\"prefix\", String(\"{text}\"))");
    assert!(pattern("task_stopped").contains(&prefix("service:")));
    assert!(pattern("image_vulnerable").contains(&prefix("txn-reconcile-api/")));
    for rule in ["deployment_failed", "service_impaired"] {
        assert!(
            pattern(rule).contains(":service/txn-reconcile-") && pattern(rule).contains("prefix"),
            "{rule}"
        );
    }
}

#[test]
fn images_lie_below_the_main_services_repository_or_elsewhere() {
    let root = several("recovery.region = \"us-west-2\"\n", "");
    assert_eq!(text_at(node(&root, "aws_ecr_repository.hooks"), "name"), "txn-reconcile-api/hooks");
    assert_eq!(node(&root, "aws_ecr_repository.hooks__recovery").provider(), Some("aws.recovery"));
    assert!(depends(&root, "aws_ecr_replication_configuration.main", "aws_ecr_repository.hooks__recovery"));
    let elsewhere = "image_repository = \"999988887777.dkr.ecr.us-east-1.amazonaws.com/hooks\"\n";
    let root = several("", elsewhere);
    assert!(root.find("aws_ecr_repository.hooks").is_none());
    let pull = statement(node(&root, "aws_iam_role_policy.hooks__execution"), "policy", "PullImage")
        .expect("a permission");
    assert_eq!(
        texts(pull.get("Resource").expect("resources")),
        ["arn:aws:ecr:us-east-1:999988887777:repository/hooks"]
    );
    // The endpoint lets it through.
    let endpoint =
        statement(node(&root, "aws_vpc_endpoint.ecr_dkr"), "policy", "PullImages").expect("a permission");
    assert!(format!("{endpoint:?}").contains(":999988887777:repository/*"));
}

#[test]
fn a_pipeline_owns_the_image_where_it_is_told_to() {
    let root = several("", "deployment.strategy = \"external\"\n");
    let files = root.render("");
    let ecs =
        files.iter().find(|(name, _)| *name == "ecs.tf.json").map(|(_, text)| text.as_str()).expect("a file");
    let ecs: serde_json::Value = serde_json::from_str(ecs).expect("JSON");
    let ignored = |service: &str| {
        ecs["resource"]["aws_ecs_service"][service]["lifecycle"]["ignore_changes"].to_string()
    };
    assert!(ignored("hooks").contains("task_definition"));
    assert!(!ignored("back_office").contains("task_definition"));
}
