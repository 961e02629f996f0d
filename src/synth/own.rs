//! A main service without the contract: another company's program, and nothing of what the contract brings.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use terraform::Root;

use crate::check::parse;
use crate::stacks::probe::*;
use crate::synth::synth;

const OWN: &str = include_str!("../../tests/variants/own.toml");

fn own(text: &str) -> Root {
    let (config, warnings) = parse(Path::new("own.toml"), text).unwrap_or_else(|report| panic!("{report}"));
    assert!(warnings.is_empty(), "{warnings}");
    synth(&config).expect("a module without faults")
}

/// The text of every file.
fn written(root: &Root) -> BTreeMap<String, String> {
    root.render("").into_iter().collect()
}

#[test]
fn nothing_of_the_contract_is_there() {
    let root = own(OWN);
    for kind in ["aws_dynamodb_table", "aws_backup_vault", "aws_db_instance", "aws_backup_plan"] {
        assert!(nodes(&root, kind).is_empty(), "{kind}");
    }
    for address in [
        "aws_s3_bucket.statements",
        "aws_secretsmanager_secret.admin_key",
        "aws_secretsmanager_secret.signing_key",
        "aws_iam_role_policy.task",
        "aws_vpc_endpoint.dynamodb",
        "aws_vpc_security_group_egress_rule.tasks_to_data",
        "aws_cloudwatch_metric_alarm.service_errors",
        "aws_cloudwatch_metric_alarm.runs_waiting",
        "aws_cloudwatch_metric_alarm.runs_due",
        "aws_cloudwatch_log_metric_filter.runs_put_off",
        "aws_cloudwatch_log_metric_filter.runs_due",
    ] {
        assert!(root.find(address).is_none(), "{address}");
    }
    for (file, text) in written(&root) {
        let text = text.to_lowercase();
        for word in ["reconcile", "txn-", "anchor", "admin_key"] {
            assert!(!text.contains(word), "{file}: {word}");
        }
    }
    // What is everybody's stays.
    for address in
        ["aws_s3_bucket.audit", "aws_cloudwatch_log_metric_filter.card_data", "aws_wafv2_web_acl.main"]
    {
        node(&root, address);
    }
}

#[test]
fn its_container_gets_what_the_file_says_and_no_more() {
    let root = own(OWN);
    let files = written(&root);
    let ecs: Json = serde_json::from_str(&files["ecs.tf.json"]).expect("JSON");
    let all = ecs["locals"].as_object().expect("locals").values();
    let container = all
        .filter_map(|local| local.as_array()?.iter().find(|container| container["name"] == "payments-api"))
        .next()
        .expect("the container");
    assert_eq!(container["command"], serde_json::json!(["node", "server.js", "--greeting", "$${hello}"]));
    assert_eq!(container["healthCheck"]["command"], serde_json::json!(["CMD", "node", "healthcheck.js"]));
    assert_eq!(container["portMappings"][0]["containerPort"], 3000);
    assert_eq!(container["user"], "1000:1000");
    assert_eq!(
        container["ulimits"],
        serde_json::json!([{"name": "nofile", "softLimit": 131_072, "hardLimit": 131_072}])
    );
    assert_eq!(container["environment"], serde_json::json!([{"name": "NODE_ENV", "value": "production"}]));
    let secrets = container["secrets"].as_array().expect("secrets").iter();
    let names: Vec<&str> = secrets.filter_map(|secret| secret["name"].as_str()).collect();
    assert_eq!(names, ["COOKIE_KEY", "DATABASE_URL", "PARTNER_URL", "SESSION_KEY", "WEBHOOK_KEY"]);
    assert_eq!(container["linuxParameters"]["tmpfs"][0]["containerPath"], "/tmp");
    let without = own(&OWN
        .replace("tmp = true\n", "")
        .replace("health_command = [\"node\", \"healthcheck.js\"]\n", ""));
    let text = &written(&without)["ecs.tf.json"];
    let main = text.split("\"name\": \"payments-api\"").next().unwrap_or_default();
    assert!(!main.contains("healthcheck.js"));
    let writable = |root| written(root)["ecs.tf.json"].matches("\"tmpfs\"").count();
    assert_eq!(writable(&without) + 1, writable(&own(OWN)));
}

#[test]
fn its_roles_read_what_the_file_names_with_the_keys_that_it_names() {
    let root = own(OWN);
    let starts = node(&root, "aws_iam_role_policy.execution");
    let of =
        |sid: &str| format!("{:?}", statement(starts, "policy", sid).unwrap_or_else(|| panic!("no {sid}")));
    let key = "key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f";
    assert!(of("ReadParameters").contains("parameter/payments/partner-url"));
    for (sid, through) in
        [("DecryptParameters", "ssm.eu-central-1"), ("DecryptSecrets", "secretsmanager.eu-central-1")]
    {
        assert!(of(sid).contains(key) && of(sid).contains(through), "{}", of(sid));
    }
    let read = of("ReadSecrets");
    assert!(read.contains("payments/database-AbCdEf") && read.contains("secret_session_key"), "{read}");
    // Nor does it read another's.
    assert!(!read.contains("hooks"), "{read}");
    let secret = node(&root, "aws_secretsmanager_secret_policy.hooks__secret_signing_key");
    let denied = format!("{:?}", statement(secret, "policy", "NobodyElseReads").expect("a denial"));
    assert!(
        denied.contains("payments-own-hooks-execution") && !denied.contains("payments-own-execution"),
        "{denied}"
    );
    let attached = nodes_of(&root, "iam", "aws_iam_role_policy_attachment");
    assert!(attached.iter().any(|node| node.address().name() == "task_payments_ledger"), "the task's policy");
}

#[test]
fn a_table_that_its_policies_name_is_reached_where_the_endpoint_is_listed() {
    let rule = "aws_vpc_security_group_egress_rule.tasks_to_dynamodb";
    assert!(own(OWN).find(rule).is_none());
    let listed =
        OWN.replace("[service]\n", "[network.endpoints]\ngateway = [\"s3\", \"dynamodb\"]\n\n[service]\n");
    node(&own(&listed), rule);
}
