use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use terraform::{Node, Root, Value};

use super::super::alb::tests::file;
use super::super::probe::*;
use crate::alarm::document;
use crate::alarm::table::{self, Entry};
use crate::check::parse;
use crate::config::EnvConfig;
use crate::names::{Topic, alarm_topic};

const ALARMS: [&str; 2] = ["aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"];
const RULES: &str = "aws_cloudwatch_event_rule";

/// Environments that together have everything that there is to tell.
const ENVIRONMENTS: [&str; 5] = [
    "service.image = \"v1\"\n",
    "service.image = \"v1\"\nservice.deployment.strategy = \"blue-green\"\nrecovery.region = \"us-west-2\"\nnetwork.firewall.allowed_names = [\"a.example\"]\necr.enhanced_scanning = false\nshield.subscribed = true\ndata.postgres.enabled = true\niam.terraform_role = \"arn:aws:iam::111122223333:role/apply\"\n",
    "data.postgres.enabled = true\ndata.postgres.engine = \"aurora-serverless\"\n",
    "dns.create_zone = true\ndns.dnssec = true\nnetwork.firewall.allowed_names = [\"a.example\"]\n",
    FLEETING,
];

/// The table is of what environments have, no more and no less.
#[test]
fn every_entry_of_the_table_is_built_somewhere() {
    let built: BTreeSet<&str> = ENVIRONMENTS.into_iter().flat_map(told).map(|told| told.entry.name).collect();
    let listed: BTreeSet<&str> = table::ALL.iter().map(|entry| entry.name).collect();
    assert_eq!(listed.len(), table::ALL.len(), "two entries have one name");
    assert_eq!(built, listed);
    let markdown = document::markdown();
    for name in listed {
        assert!(markdown.contains(&format!("<a id=\"{name}\"></a>")), "{name}");
    }
}

/// An alarm or a rule as it is built.
#[derive(Debug)]
struct Told {
    /// Its whole name, without the environment's prefix.
    name: String,
    /// What it is one of.
    entry: &'static Entry,
    /// Whom it tells.
    topic: Topic,
}

fn told(text: &str) -> Vec<Told> {
    let (root, config) = (platform(text), EnvConfig::for_test(text));
    let names = super::names(&root, &config);
    let nodes = root
        .nodes()
        .iter()
        .filter(|node| ALARMS.iter().chain([&RULES]).any(|kind| node.address().kind() == *kind));
    let told = |(name, node): (String, &Node)| {
        let is = |entry: &&Entry| name == entry.name || name.starts_with(&format!("{}-", entry.name));
        let entry = table::ALL.iter().filter(is).max_by_key(|entry| entry.name.len());
        let entry = entry.unwrap_or_else(|| panic!("{name} is not in the table"));
        let topic = Topic::ALL.into_iter().find(|topic| tells(&root, node, *topic));
        Told { topic: topic.unwrap_or_else(|| panic!("{name} tells nobody")), name, entry }
    };
    names.into_iter().zip(nodes).map(told).collect()
}

/// Whether an alarm acts on the topic, or a target of the rule leads to it.
fn tells(root: &Root, node: &Node, topic: Topic) -> bool {
    let refers = |node: &Node, argument: &str, kind: &str, name: &str| {
        node.edges().iter().any(|edge| {
            let to = root.nodes()[edge.to].address();
            edge.argument.as_deref() == Some(argument) && to.kind() == kind && to.name() == name
        })
    };
    let leads = |node: &Node, argument: &str| {
        let of_topic = |name| refers(node, argument, "aws_sns_topic", name);
        of_topic(topic.as_str()) || (topic == Topic::Page && of_topic(alarm_topic::ABROAD))
    };
    let (kind, name) = (node.address().kind(), node.address().name());
    let is_target = |target: &&Node| target.address().kind() == "aws_cloudwatch_event_target";
    leads(node, "alarm_actions")
        || root
            .nodes()
            .iter()
            .filter(is_target)
            .any(|target| refers(target, "rule", kind, name) && leads(target, "arn"))
}

#[test]
fn every_alarm_and_rule_says_what_is_the_case_and_what_to_do_and_tells_somebody() {
    for text in ENVIRONMENTS {
        let root = platform(text);
        let known = told(text);
        let all = ALARMS.iter().chain([&RULES]).map(|kind| nodes(&root, kind).len());
        assert_eq!(known.len(), all.sum::<usize>(), "some alarm has no name of this environment");
        let names: BTreeSet<&str> = known.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), known.len(), "two have one name");
        for Told { name, entry, .. } in &known {
            assert!(entry.means.ends_with('.') && entry.first.ends_with('.'), "{entry:?}");
            // With the longest reason for its silence and the longest address of a runbook, it still fits.
            let [reason, runbook] = ["Silenced: ".len() + 200 + 1, "Runbook: ".len() + 400 + 1];
            let length =
                entry.means.len() + entry.first.len() + name.len() + "First: ".len() + reason + runbook;
            assert!(length <= 1024 && entry.means.len() + reason <= 512, "{entry:?}");
        }
        for alarm in ALARMS.iter().flat_map(|kind| nodes(&root, kind)) {
            for argument in ["alarm_actions", "ok_actions"] {
                assert_eq!(at(alarm, argument).as_list().map(<[Value]>::len), Some(1), "{}", alarm.address());
            }
        }
        for alarm in nodes(&root, ALARMS[0]) {
            assert!(alarm.argument("treat_missing_data").is_some(), "{}", alarm.address());
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>
#[test]
fn expressions_are_over_metrics_that_are_there_and_not_too_many() {
    let roots = ENVIRONMENTS.map(platform);
    for alarm in roots.iter().flat_map(|root| nodes(root, ALARMS[0])) {
        let Some(queries) = alarm.argument("metric_query").and_then(Value::as_list) else { continue };
        let text =
            |query: &Value, key: &str| query.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let ids: BTreeSet<String> = queries.iter().skip(1).map(|query| text(query, "id")).collect();
        assert!((1..=10).contains(&ids.len()), "{}", alarm.address());
        let expression = text(&queries[0], "expression");
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let used: BTreeSet<String> = words
            .filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
            .map(str::to_owned)
            .collect();
        assert_eq!(used, ids, "{}", alarm.address());
    }
}

/// Every metric on the dashboard is that of a resource of this module, or derived from a log by a filter of it.
#[test]
fn every_metric_of_the_dashboard_belongs_to_something() {
    ENVIRONMENTS.into_iter().map(platform).for_each(|root| dashboard_is_complete(&root));
}

fn dashboard_is_complete(root: &Root) {
    let dashboard = node(root, "aws_cloudwatch_dashboard.main");
    let Some(Value::Document(document)) = dashboard.argument("dashboard_body") else { panic!("a document") };
    let widgets = document.content.get("widgets").and_then(Value::as_list).expect("widgets");
    let mut metrics = 0;
    for widget in widgets {
        let series = widget.get("properties").and_then(|p| p.get("metrics")).and_then(Value::as_list);
        for line in series.into_iter().flatten().map(texts_and_references) {
            let (texts, references) = line;
            if texts.is_empty() {
                continue; // an expression over the others
            }
            metrics += 1;
            assert!(references > 0 || is_derived(root, &texts), "{texts:?} belongs to nothing");
        }
    }
    assert!(metrics > 30, "{metrics}");
    let alarms = widgets.iter().filter_map(|w| w.get("properties")?.get("alarms")?.as_list());
    let shown: Vec<usize> = alarms.map(<[Value]>::len).collect();
    let there: usize = ALARMS.iter().map(|kind| nodes(root, kind).len()).sum();
    assert_eq!(shown, [there], "an alarm that the dashboard does not show");
    assert!(there <= 100, "more than an alarm widget takes");
}

fn texts_and_references(line: &Value) -> (Vec<&str>, usize) {
    let parts = line.as_list().expect("a metric");
    let references = parts.iter().filter(|part| matches!(part, Value::Expression(_))).count();
    (parts.iter().filter_map(Value::as_str).collect(), references)
}

fn is_derived(root: &Root, texts: &[&str]) -> bool {
    let makes = |filter: &&Node| {
        [text_at(filter, "metric_transformation.namespace"), text_at(filter, "metric_transformation.name")]
            == texts[..2]
    };
    nodes(root, "aws_cloudwatch_log_metric_filter").iter().any(makes)
}

#[test]
fn alarms_on_derived_metrics_watch_a_metric_that_is_derived() {
    let root = platform("");
    let derived = |alarm: &&&Node| {
        alarm.argument("namespace").and_then(Value::as_str).is_some_and(|n| n.contains("TxnReconcile"))
    };
    let all = nodes(&root, ALARMS[0]);
    let alarms: Vec<_> = all.iter().filter(derived).collect();
    assert!(alarms.len() >= 2);
    for alarm in alarms {
        assert!(
            is_derived(&root, &[text_at(alarm, "namespace"), text_at(alarm, "metric_name")]),
            "{}",
            alarm.address()
        );
    }
}

/// What a message may say of an event: names, times and states. A request's parameters may hold secrets, and so may a
/// task's environment.
#[test]
fn messages_echo_no_parameters() {
    let root = platform(ENVIRONMENTS[1]);
    for target in nodes(&root, "aws_cloudwatch_event_target") {
        let Value::Object(paths) = at(target, "input_transformer.input_paths") else { panic!("paths") };
        let template = text_at(target, "input_transformer.input_template");
        let inner = template.strip_prefix('"').and_then(|t| t.strip_suffix('"')).expect("a JSON string");
        assert!(!inner.contains(['"', '\\', '\n']), "{template}");
        for (name, path) in paths {
            let path = path.as_str().expect("a path");
            assert!(inner.contains(&format!("<{name}>")), "{template}");
            for secret in ["requestParameters", "responseElements", "overrides", "containers", "environment"]
            {
                assert!(!path.contains(secret), "{path}");
            }
            assert!(path != "$" && path != "$.detail", "{path}");
        }
        assert_eq!(inner.matches('<').count(), paths.len(), "{template}");
    }
    for rule in nodes(&root, RULES) {
        assert!(text_at(rule, "description").len() <= 512, "{}", rule.address());
        assert!(text_at(rule, "name").len() <= 64, "{}", rule.address());
    }
}

#[test]
fn what_an_event_could_not_be_told_is_kept_encrypted_and_raises_an_alarm() {
    let root = platform("");
    for target in nodes(&root, "aws_cloudwatch_event_target") {
        assert!(matches!(at(target, "dead_letter_config.arn"), Value::Expression(_)), "{}", target.address());
    }
    let key = node(&root, "aws_kms_key.logs");
    let statement = statement(key, "policy", "DeadLetters").expect("a statement");
    let name = text_at(node(&root, "aws_sqs_queue.untold_events"), "name");
    let arn = Value::string(format!("arn:aws:sqs:us-east-1:111122223333:{name}"));
    assert_eq!(condition(statement, "kms:EncryptionContext:aws:sqs:arn"), [arn]);
    assert!(root.find("aws_cloudwatch_metric_alarm.untold_events").is_some());
}

#[test]
fn what_the_account_has_once_is_told_by_its_owner_alone() {
    let names = |text: &str| told(text).into_iter().map(|row| row.name).collect::<BTreeSet<_>>();
    let (owner, tenant) = (names(""), names("account.baseline = false\n"));
    for name in
        ["trail-changed", "recorder-changed", "detector-changed", "security-hub-changed", "threat-high"]
    {
        assert!(owner.contains(name) && !tenant.contains(name), "{name}");
    }
    for name in ["web-acl-removed", "key-disabled", "log-group-changed", "bucket-exposed", "alarms-changed"] {
        assert!(owner.contains(name) && tenant.contains(name), "{name}");
    }
}

#[test]
fn users_are_what_wakes_people() {
    let all = told("service.image = \"v1\"\n");
    let to = |name: &str| all.iter().find(|row| row.name == name).map(|row| row.topic);
    for name in ["service-down", "service-failing", "trail-changed", "flow-log-silent", "notify-undelivered"]
    {
        assert_eq!(to(name), Some(Topic::Page), "{name}");
    }
    for name in ["target-5xx", "latency", "cpu", "blocked-requests", "task-stopped", "page-undelivered"] {
        assert_eq!(to(name), Some(Topic::Notify), "{name}");
    }
    let root = platform("service.image = \"v1\"\n");
    let failing = node(&root, "aws_cloudwatch_composite_alarm.service_failing");
    assert!(matches!(at(failing, "actions_suppressor.alarm"), Value::Expression(_)));
    // A service that nothing was deployed to yet wakes nobody.
    assert!(platform("").find("aws_cloudwatch_composite_alarm.service_down").is_none());
}

#[test]
fn a_silenced_alarm_stays_and_says_why() {
    let text = "alarms.page = [\"a@example.com\"]\n[[alarms.silenced]]\nalarm = \"tls-errors\"\nreason = \"Scanned daily\"\n\
                [[alarms.silenced]]\nalarm = \"exec-session\"\nreason = \"A playground\"\n";
    let root = platform(text);
    let alarm = node(&root, "aws_cloudwatch_metric_alarm.tls_errors");
    assert_eq!(at(alarm, "actions_enabled"), &Value::Bool(false));
    assert!(text_at(alarm, "alarm_description").ends_with("Silenced: Scanned daily"));
    let other = node(&root, "aws_cloudwatch_metric_alarm.latency");
    assert_eq!(at(other, "actions_enabled"), &Value::Bool(true));
    let rule = node(&root, "aws_cloudwatch_event_rule.exec_session");
    assert_eq!(text_at(rule, "state"), "DISABLED");
    assert!(text_at(rule, "description").ends_with("Silenced: A playground"));
    assert_eq!(text_at(node(&root, "aws_cloudwatch_event_rule.task_stopped"), "state"), "ENABLED");
}

#[test]
fn only_what_there_is_can_be_silenced() {
    let base = "organization = \"acme\"\naccount_id = \"111122223333\"\nregion = \"us-east-1\"\n\
                domain = \"reconcile.example.com\"\nnetwork.cidr = \"10.30.0.0/16\"\nalarms.page = [\"a@example.com\"]\n\
                service.contract = \"txn-reconcile-api\"\n";
    let text = format!("{base}[[alarms.silenced]]\nalarm = \"tls-error\"\nreason = \"x\"\n");
    let Err(report) = parse(std::path::Path::new("prod.toml"), &text) else { panic!("accepted") };
    let said = report.to_string();
    assert!(said.contains("no alarm `tls-error`") && said.contains("did you mean `tls-errors`"), "{said}");
}

#[test]
fn in_production_an_alarm_reaches_somebody() {
    let base = "organization = \"acme\"\naccount_id = \"111122223333\"\nregion = \"us-east-1\"\n\
                domain = \"reconcile.example.com\"\nnetwork.cidr = \"10.30.0.0/16\"\n\
                service.contract = \"txn-reconcile-api\"\n";
    let accepted = |text: &str| parse(std::path::Path::new("prod.toml"), &format!("{base}{text}")).is_ok();
    assert!(!accepted(""));
    assert!(!accepted("alarms.notify = [\"a@example.com\"]\n"));
    assert!(accepted("alarms.page = [\"a@example.com\"]\n"));
    assert!(accepted("alarms.subscribed_elsewhere = \"Amazon Q in the channel of the team\"\n"));
    assert!(accepted("production = false\n"));
}

/// Whether an event matches a pattern as EventBridge compares them, as far as the patterns here go.
fn matches(pattern: &Json, event: &Json) -> bool {
    match (pattern, event) {
        // Of an array of objects, any.
        (Json::Object(_), Json::Array(items)) => items.iter().any(|item| matches(pattern, item)),
        // What is inside something that is not there is not there either.
        (Json::Object(fields), _) => fields.iter().all(|(name, inner)| match inner {
            Json::Array(allowed) => allowed.iter().any(|test| matches_value(test, event.get(name))),
            _ => matches(inner, event.get(name).unwrap_or(&Json::Null)),
        }),
        _ => false,
    }
}

fn matches_value(test: &Json, value: Option<&Json>) -> bool {
    if let Some(Json::Array(items)) = value {
        return items.iter().any(|item| matches_value(test, Some(item)));
    }
    let Some((operator, operand)) = test.as_object().and_then(|test| test.iter().next()) else {
        return value == Some(test);
    };
    let text = || value.and_then(Json::as_str);
    match operator.as_str() {
        "exists" => value.is_some() == operand.as_bool().expect("a boolean"),
        "prefix" => text().is_some_and(|text| text.starts_with(operand.as_str().expect("text"))),
        "anything-but" => match operand.get("prefix") {
            Some(prefix) => text().is_some_and(|text| !text.starts_with(prefix.as_str().expect("text"))),
            None => text().is_some_and(|text| !operand.as_array().expect("texts").contains(&json!(text))),
        },
        "numeric" => value.and_then(Json::as_f64).is_some_and(|value| {
            operand.as_array().expect("comparisons").chunks(2).all(|comparison| {
                let bound = comparison[1].as_f64().expect("a number");
                match comparison[0].as_str() {
                    Some(">=") => value >= bound,
                    Some("<=") => value <= bound,
                    other => panic!("{other:?}"),
                }
            })
        }),
        other => panic!("{other}"),
    }
}

fn event(source: &str, detail_type: &str, detail: &Json) -> Json {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": detail_type, "source": source,
        "account": "111122223333", "time": "2026-01-01T00:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:ecs:us-east-1:111122223333:service/txn-reconcile-test/txn-reconcile-api"], "detail": detail,
    })
}

fn call(source: &str, name: &str, parameters: &Json) -> Json {
    let detail = json!({
        "eventVersion": "1.09", "eventName": name, "requestParameters": parameters, "readOnly": false,
        "userIdentity": { "arn": "arn:aws:sts::111122223333:assumed-role/admin/jane" },
    });
    event(source, "AWS API Call via CloudTrail", &detail)
}

/// The role that Terraform runs as, in the second of the environments.
const PIPELINE: &str = "arn:aws:iam::111122223333:role/apply";

fn made_by(role: &str, mut call: Json) -> Json {
    call["detail"]["userIdentity"]["sessionContext"] = json!({ "sessionIssuer": { "arn": role } });
    call
}

/// An event for each rule, cut down from AWS's documentation.
fn samples() -> Vec<(&'static str, Json)> {
    let none = json!(null);
    let bucket = json!({ "bucketName": "txn-reconcile-test-audit-acme-111122223333" });
    let task = json!({
        "clusterArn": "${aws_ecs_cluster.main.arn}", "group": "service:txn-reconcile-api", "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "overrides": { "containerOverrides": [] },
    });
    let finding = json!({ "findings": [{
        "ProductName": "Macie", "RecordState": "ACTIVE", "Severity": { "Label": "HIGH" }, "Title": "t",
        "Workflow": { "Status": "NEW" },
    }] });
    let deployment =
        json!({ "eventType": "ERROR", "eventName": "SERVICE_DEPLOYMENT_FAILED", "deploymentId": "d" });
    let placement = json!({ "eventType": "ERROR", "eventName": "SERVICE_TASK_PLACEMENT_FAILURE" });
    let scan = json!({
        "repository-name": "txn-reconcile-api", "finding-severity-counts": { "CRITICAL": 2, "HIGH": 1 },
        "scan-status": "COMPLETE",
    });
    vec![
        ("log-group-changed", call("aws.logs", "PutRetentionPolicy", &none)),
        ("flow-log-deleted", call("aws.ec2", "DeleteFlowLogs", &none)),
        ("export-stopped", call("aws.firehose", "DeleteDeliveryStream", &none)),
        ("alarms-changed", call("aws.monitoring", "DisableAlarmActions", &none)),
        ("alarms-changed", call("aws.events", "DisableRule", &none)),
        ("alarms-changed", call("aws.sns", "Unsubscribe", &none)),
        ("web-acl-removed", call("aws.wafv2", "DisassociateWebACL", &none)),
        ("key-disabled", call("aws.kms", "ScheduleKeyDeletion", &none)),
        ("bucket-exposed", call("aws.s3", "DeleteBucketPublicAccessBlock", &bucket)),
        ("bucket-weakened", call("aws.s3", "PutBucketObjectLockConfiguration", &bucket)),
        ("secret-deleted", call("aws.secretsmanager", "DeleteSecret", &none)),
        (
            "rotation-failed",
            event(
                "aws.secretsmanager",
                "AWS Service Event via CloudTrail",
                &json!({ "eventName": "RotationFailed" }),
            ),
        ),
        ("table-weakened", call("aws.dynamodb", "UpdateContinuousBackups", &none)),
        ("database-weakened", call("aws.rds", "ModifyDBSnapshotAttribute", &none)),
        ("vault-weakened", call("aws.backup", "DeleteRecoveryPoint", &none)),
        (
            "backup-failed",
            event(
                "aws.backup",
                "Backup Job State Change",
                &json!({ "state": "FAILED", "backupVaultName": "${aws_backup_vault.main.name}" }),
            ),
        ),
        (
            "backup-copy-failed",
            event(
                "aws.backup",
                "Copy Job State Change",
                &json!({ "state": "FAILED", "sourceBackupVaultArn": "${aws_backup_vault.main.arn}" }),
            ),
        ),
        (
            "restore-test-failed",
            event("aws.backup", "Restore Job State Change", &json!({ "status": "FAILED" })),
        ),
        ("restore-test-removed", call("aws.backup", "DeleteRestoreTestingPlan", &none)),
        ("egress-firewall-changed", call("aws.network-firewall", "UpdateRuleGroup", &none)),
        ("deployment-failed", event("aws.ecs", "ECS Deployment State Change", &deployment)),
        (
            "codedeploy-failed",
            event(
                "aws.codedeploy",
                "CodeDeploy Deployment State-change Notification",
                &json!({ "state": "FAILURE", "application": "txn-reconcile-test", "deploymentId": "d-1" }),
            ),
        ),
        ("service-impaired", event("aws.ecs", "ECS Service Action", &placement)),
        ("task-stopped", event("aws.ecs", "ECS Task State Change", &task)),
        ("exec-session", call("aws.ecs", "ExecuteCommand", &none)),
        ("image-vulnerable", event("aws.ecr", "ECR Image Scan", &scan)),
        ("trail-changed", call("aws.cloudtrail", "StopLogging", &none)),
        ("recorder-changed", call("aws.config", "StopConfigurationRecorder", &none)),
        ("detector-changed", call("aws.guardduty", "DeleteDetector", &none)),
        ("security-hub-changed", call("aws.securityhub", "DisableSecurityHub", &none)),
        ("scanner-disabled", call("aws.macie2", "DisableMacie", &none)),
        ("account-weakened", call("aws.ec2", "DisableEbsEncryptionByDefault", &none)),
        ("threat-high", event("aws.guardduty", "GuardDuty Finding", &json!({ "severity": 8 }))),
        ("threat-medium", event("aws.guardduty", "GuardDuty Finding", &json!({ "severity": 5.3 }))),
        (
            "compliance-lost",
            event(
                "aws.config",
                "Config Rules Compliance Change",
                &json!({
                    "messageType": "ComplianceChangeNotification", "configRuleName": "required-tags",
                    "newEvaluationResult": { "complianceType": "NON_COMPLIANT" },
                }),
            ),
        ),
        ("alarms-redefined", call("aws.monitoring", "PutMetricAlarm", &none)),
        ("alarms-redefined", call("aws.events", "PutTargets", &none)),
        ("alarms-redefined", call("aws.sns", "Subscribe", &none)),
        ("controls-applied", made_by(PIPELINE, call("aws.kms", "PutKeyPolicy", &none))),
        ("controls-applied", made_by(PIPELINE, call("aws.monitoring", "PutMetricAlarm", &none))),
        ("controls-applied", made_by(PIPELINE, call("aws.cloudtrail", "StopLogging", &none))),
        ("security-finding", event("aws.securityhub", "Security Hub Findings - Imported", &finding)),
        (
            "vulnerability-critical",
            event(
                "aws.inspector2",
                "Inspector2 Finding",
                &json!({ "severity": "CRITICAL", "status": "ACTIVE" }),
            ),
        ),
        ("aws-health", event("aws.health", "AWS Health Event", &json!({ "eventTypeCategory": "issue" }))),
        (
            "aws-abuse",
            event("aws.health", "AWS Health Abuse Event", &json!({ "eventTypeCategory": "issue" })),
        ),
    ]
}

/// The patterns by the rules' names.
fn patterns(text: &str) -> Vec<(String, Json)> {
    let file = file(text, "alarms");
    let rules = file["resource"][RULES].as_object().expect("rules").clone();
    let pattern = |(identifier, rule): (String, Json)| {
        let name =
            rule["name"].as_str().expect("a name").trim_start_matches("txn-reconcile-test-").to_owned();
        (name, file["locals"][format!("{RULES}_{identifier}_event_pattern")].clone())
    };
    rules.into_iter().map(pattern).collect()
}

#[test]
fn every_rule_matches_its_event_and_no_other() {
    let patterns = patterns(ENVIRONMENTS[1]);
    let samples = samples();
    for (rule, pattern) in &patterns {
        assert!(pattern.is_object(), "{rule} has no pattern");
        assert!(samples.iter().any(|(name, _)| name == rule), "no sample for {rule}");
        for (name, sample) in &samples {
            assert_eq!(matches(pattern, sample), rule == name, "{rule} and the event of {name}");
        }
    }
    for (name, _) in samples {
        assert!(patterns.iter().any(|(rule, _)| rule == name), "no rule {name}");
    }
}

/// What Terraform does was reviewed, and what AWS Backup does by itself is nothing to be done about; the same by anybody else
/// is.
#[test]
fn neither_an_apply_nor_a_restore_test_pages() {
    let patterns = patterns(ENVIRONMENTS[1]);
    let root = platform(ENVIRONMENTS[1]);
    let pages = |rule: &str| {
        let name = rule.replace('-', "_");
        tells(&root, node(&root, &format!("{RULES}.{name}")), Topic::Page)
    };
    let paged = |event: &Json| patterns.iter().any(|(rule, pattern)| matches(pattern, event) && pages(rule));
    for (name, event) in samples().into_iter().filter(|(_, event)| event["detail"]["eventName"].is_string()) {
        assert!(!paged(&made_by(PIPELINE, event)), "{name}");
    }
    let jane = |event: Json| made_by("arn:aws:iam::111122223333:role/admin", event);
    for (source, name) in [("aws.dynamodb", "DeleteTable"), ("aws.rds", "DeleteDBInstance")] {
        assert!(paged(&jane(call(source, name, &json!({ "tableName": "txn-reconcile-test-records" })))));
        for service in ["backup.amazonaws.com", "restore-testing.backup.amazonaws.com"] {
            let mut expired = call(source, name, &json!(null));
            expired["detail"]["userIdentity"]["invokedBy"] = json!(service);
            assert!(!paged(&expired), "{name} by {service}");
        }
        let restored = "awsbackup-restore-test-0f6c";
        let restored = json!({ "tableName": restored, "dBInstanceIdentifier": restored });
        assert!(!paged(&call(source, name, &restored)), "{name}");
    }
}

/// A pattern that names each service would grow beyond what EventBridge takes.
#[test]
fn patterns_do_not_grow_with_services() {
    let services = |count: usize| {
        let of = |at| format!("[services.s{at}]\nhosts = [\"s{at}.example.com\"]\n");
        let text: String = (0..count).map(of).collect();
        patterns(&format!("service.image = \"v1\"\necr.enhanced_scanning = false\n{text}"))
    };
    assert_eq!(services(1), services(30));
}

/// An attempt that AWS refused changed nothing.
#[test]
fn refused_calls_are_no_event() {
    let mut refused = call("aws.cloudtrail", "StopLogging", &json!(null));
    refused["detail"]["errorCode"] = json!("AccessDenied");
    assert!(patterns("").iter().all(|(_, pattern)| !matches(pattern, &refused)));
    let elsewhere = json!({ "bucketName": "somebody-else" });
    let other = call("aws.s3", "PutBucketPolicy", &elsewhere);
    assert!(patterns("").iter().all(|(_, pattern)| !matches(pattern, &other)));
}

#[test]
fn a_database_tells_the_topic_of_its_failovers() {
    let root = platform(ENVIRONMENTS[1]);
    let subscription = node(&root, "aws_db_event_subscription.database");
    assert!(matches!(at(subscription, "sns_topic"), Value::Expression(_)));
    for topic in Topic::ALL {
        let policy = node(&root, &format!("aws_sns_topic_policy.{}", topic.as_str()));
        assert!(statement(policy, "policy", "Database").is_some_and(allows));
    }
    let key = statement(node(&root, "aws_kms_key.logs"), "policy", "AlarmTopics").expect("a statement");
    let services = key.get("Principal").and_then(|p| p.get("Service")).expect("services");
    assert!(texts(services).contains(&"events.rds.amazonaws.com"));
    assert!(platform("").find("aws_db_event_subscription.database").is_none());
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html>
#[test]
fn the_trail_is_looked_through_where_it_is_owned() {
    let filters = |text: &str| {
        let root = platform(text);
        let on_trail = |filter: &&Node| {
            filter.edges().iter().any(|edge| root.nodes()[edge.to].address().name() == "trail")
        };
        let filters = nodes(&root, "aws_cloudwatch_log_metric_filter").into_iter().filter(on_trail);
        filters
            .map(|filter| {
                let alarm = node(&root, &format!("aws_cloudwatch_metric_alarm.{}", filter.address().name()));
                assert_eq!(text_at(alarm, "metric_name"), text_at(filter, "metric_transformation.name"));
                text_at(filter, "pattern").to_owned()
            })
            .collect::<Vec<_>>()
    };
    let patterns = filters("");
    assert_eq!(patterns.len(), 16);
    for pattern in patterns {
        let balanced = |open, close| pattern.matches(open).count() == pattern.matches(close).count();
        assert!(pattern.len() <= 1024 && balanced('(', ')') && balanced('{', '}'), "{pattern}");
    }
    assert!(filters("account.baseline = false\n").is_empty());
}

#[test]
fn what_somebody_else_looks_after_is_told_by_them() {
    let elsewhere = "account.elsewhere.guardduty = \"A detector of the security account\"\n";
    let names: BTreeSet<String> = told(elsewhere).into_iter().map(|row| row.name).collect();
    assert!(!names.contains("threat-high") && !names.contains("detector-changed"));
    assert!(names.contains("security-finding") && names.contains("recorder-changed"));
}
