//! What must hold of blue/green deployments.

use terraform::Value;

use crate::stacks::ecs::tests::{at, dig, production};
use crate::stacks::probe::{statement, texts};

const TESTED: &str = "[service.deployment]\nstrategy = \"blue-green\"\n\
                      blue_green = { test_cidrs = [\"203.0.113.0/24\"], traffic = \"linear-10-percent-1-minute\" }";

#[test]
fn codedeploy_swaps_two_groups_and_terraform_lets_it() {
    let root = production(TESTED);
    for group in ["blue", "green"] {
        assert_eq!(
            dig(at(&root, &format!("aws_lb_target_group.{group}")).body(), "target_type"),
            &Value::string("ip")
        );
    }
    for listener in ["https", "test"] {
        let ignored = at(&root, &format!("aws_lb_listener.{listener}")).ignore_changes();
        assert_eq!(ignored, ["default_action"], "{listener}");
    }
    let service = at(&root, "aws_ecs_service.main");
    let ignored = ["desired_count", "task_definition", "load_balancer", "network_configuration"];
    assert_eq!(service.ignore_changes(), ignored);
    assert_eq!(dig(service.body(), "deployment_controller.type"), &Value::string("CODE_DEPLOY"));
    for absent in ["deployment_circuit_breaker", "alarms"] {
        assert!(service.argument(absent).is_none(), "{absent} is refused beside CodeDeploy");
    }
    assert!(root.find("aws_appautoscaling_policy.requests").is_none());
    assert!(root.find("aws_appautoscaling_policy.cpu").is_some());
}

#[test]
fn alarms_roll_back_unless_nothing_shall() {
    let group = |more: &str| {
        let root = production(&format!("[service.deployment]\nstrategy = \"blue-green\"\n{more}"));
        at(&root, "aws_codedeploy_deployment_group.main").body().clone()
    };
    let on = group("");
    assert_eq!(dig(&on, "alarm_configuration.alarms").as_list().map(<[Value]>::len), Some(3));
    assert_eq!(
        texts(dig(&on, "auto_rollback_configuration.events")),
        ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]
    );
    assert_eq!(
        dig(&on, "deployment_config_name"),
        &Value::string("CodeDeployDefault.ECSCanary10Percent5Minutes")
    );
    let off = group("circuit_breaker = false");
    assert_eq!(dig(&off, "auto_rollback_configuration.enabled"), &Value::Bool(false));
    assert_eq!(dig(&off, "alarm_configuration.enabled"), &Value::Bool(false));
}

#[test]
fn the_next_version_answers_testers_alone() {
    let root = production(TESTED);
    let rule = at(&root, "aws_vpc_security_group_ingress_rule.alb_test_203_0_113_0_24");
    assert_eq!(dig(rule.body(), "cidr_ipv4"), &Value::string("203.0.113.0/24"));
    assert!(root.find("aws_network_acl_rule.public_in_test_203_0_113_0_24").is_some());
    let closed = production("[service.deployment]\nstrategy = \"blue-green\"");
    assert!(closed.find("aws_lb_listener.test").is_none());
    assert!(production("").find("aws_codedeploy_app.main").is_none());
}

#[test]
fn codedeploy_may_move_this_service_and_no_other() {
    let root = production(TESTED);
    let policy = at(&root, "aws_iam_role_policy.codedeploy");
    let statement = |sid| statement(policy, "policy", sid).unwrap_or_else(|| panic!("no {sid}"));
    let moved = texts(dig(statement("MoveService"), "Resource"));
    assert_eq!(moved, ["arn:aws:ecs:us-east-1:111122223333:service/txn-reconcile-prod/txn-reconcile-api"]);
    assert!(dig(statement("MoveTraffic"), "Resource").as_list().is_some_and(|all| all.len() == 2));
    for sid in ["StartAndStopTaskSets", "PassTaskRoles"] {
        assert!(statement(sid).get("Condition").is_some(), "{sid}");
    }
}
