//! What changes mean, ranked: the most dangerous first.

use std::collections::{BTreeMap, BTreeSet};

use aws::schema::Effect;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use terraform::query::View;

use crate::config::{Acknowledged, Consequence, Date};
use crate::held::data_in;

use super::change::{Action, Attribute, Change, shown};
use super::network::Opening;
use super::permission::{Permission, Verdict};
use super::same::one_or_more;

/// A consequence of a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Finding {
    /// Which.
    pub consequence: Consequence,
    /// Whether it may be so; it is so otherwise.
    pub maybe: bool,
    /// The resource, or whose permissions.
    pub address: String,
    /// What happens.
    pub what: String,
    /// That somebody has accepted it, if somebody has.
    pub acknowledged: Option<Acknowledgement>,
}

/// Why a consequence is accepted, and until when.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Acknowledgement {
    /// Why.
    pub reason: String,
    /// The last day on which that counts.
    pub expires: Date,
}

impl std::fmt::Display for Acknowledgement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "acknowledged until {}: {}", self.expires, self.reason)
    }
}

/// Notes what is acknowledged on a day: the very consequence, of the very resource. What is wrong with the others, a line
/// each: one that has expired counts no more, and one that nothing needs is taken out, so that it does not stand ready for the
/// next change.
pub(super) fn acknowledge(findings: &mut [Finding], all: &[Acknowledged], on: &Date) -> Vec<String> {
    let mut faults = Vec::new();
    for Acknowledged { consequence, address, reason, expires } in all {
        let address = address.to_string();
        let mut of: Vec<&mut Finding> = findings
            .iter_mut()
            .filter(|finding| finding.consequence == *consequence && finding.address == address)
            .collect();
        if expires < on {
            faults.push(format!("{consequence} of {address} was acknowledged until {expires}"));
        } else if of.is_empty() {
            faults.push(format!(
                "{consequence} of {address} is acknowledged, and the change has no such consequence"
            ));
        } else {
            for finding in &mut of {
                finding.acknowledged =
                    Some(Acknowledgement { reason: reason.to_string(), expires: expires.clone() });
            }
        }
    }
    faults
}

/// The types that protect or watch, by the beginnings of their names.
const PROTECTS: [&str; 34] = [
    "aws_accessanalyzer_",
    "aws_backup_plan",
    "aws_backup_selection",
    "aws_backup_vault_lock_configuration",
    "aws_cloudtrail",
    "aws_cloudwatch_composite_alarm",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_log_resource_policy",
    "aws_cloudwatch_metric_alarm",
    "aws_config_",
    "aws_default_",
    "aws_ebs_encryption_by_default",
    "aws_ec2_",
    "aws_ecr_registry_scanning_configuration",
    "aws_ecr_replication_configuration",
    "aws_flow_log",
    "aws_guardduty_",
    "aws_iam_account_password_policy",
    "aws_inspector2_",
    "aws_macie2_",
    "aws_network_acl",
    "aws_networkfirewall_",
    "aws_route53_resolver_firewall_",
    "aws_route53_resolver_query_log",
    "aws_s3_account_public_access_block",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_object_lock_configuration",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_replication_configuration",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_securityhub_",
    "aws_wafv2_",
];

/// The types on the way of a request: while one is replaced, the service is not there.
const SERVES: [&str; 24] = [
    "aws_acm_certificate",
    "aws_acm_certificate_validation",
    "aws_db_instance",
    "aws_db_proxy",
    "aws_dynamodb_table",
    "aws_ecs_cluster",
    "aws_ecs_service",
    "aws_eip",
    "aws_internet_gateway",
    "aws_lb",
    "aws_lb_listener",
    "aws_lb_listener_rule",
    "aws_lb_target_group",
    "aws_nat_gateway",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_route",
    "aws_route53_record",
    "aws_route53_zone",
    "aws_route_table",
    "aws_security_group",
    "aws_subnet",
    "aws_vpc",
    "aws_vpc_endpoint",
];

/// What AWS bills by the hour, so that one more of it costs more.
const COSTS: [&str; 15] = [
    "aws_cloudtrail_event_data_store",
    "aws_db_instance",
    "aws_dynamodb_table_replica",
    "aws_ecs_service",
    "aws_eip",
    "aws_kms_key",
    "aws_lb",
    "aws_nat_gateway",
    "aws_networkfirewall_firewall",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_route53_zone",
    "aws_shield_protection",
    "aws_vpc_endpoint",
    "aws_wafv2_web_acl",
];

/// Arguments whose value says how well something is protected: true protects, or false does.
const SWITCHES: [(&str, bool); 38] = [
    ("auto_minor_version_upgrade", true),
    ("block_public_acls", true),
    ("block_public_policy", true),
    ("copy_tags_to_snapshot", true),
    ("delete_automated_backups", false),
    ("deletion_protection", true),
    ("deletion_protection_enabled", true),
    ("drop_invalid_header_fields", true),
    ("enable", true),
    ("enable_deletion_protection", true),
    ("enable_execute_command", false),
    ("enable_key_rotation", true),
    ("enable_log_file_validation", true),
    ("enable_logging", true),
    ("enabled", true),
    ("encrypted", true),
    ("force_delete", false),
    ("force_destroy", false),
    ("force_destroy_replica", false),
    ("iam_database_authentication_enabled", true),
    ("ignore_public_acls", true),
    ("include_global_service_events", true),
    ("is_enabled", true),
    ("is_multi_region_trail", true),
    ("is_organization_trail", true),
    ("kms_encrypted", true),
    ("lifecycle.prevent_destroy", true),
    ("performance_insights_enabled", true),
    ("prevent_destroy", true),
    ("privileged", false),
    ("readonlyRootFilesystem", true),
    ("require_tls", true),
    ("restrict_public_buckets", true),
    ("scan_on_push", true),
    ("skip_destroy", true),
    ("skip_final_snapshot", false),
    ("sqs_managed_sse_enabled", true),
    ("storage_encrypted", true),
];

/// Arguments that make something reachable.
const OPENS: [(&str, Value); 6] = [
    ("publicly_accessible", Value::Bool(true)),
    ("map_public_ip_on_launch", Value::Bool(true)),
    ("assign_public_ip", Value::Bool(true)),
    ("associate_public_ip_address", Value::Bool(true)),
    ("internal", Value::Bool(false)),
    ("endpoint_public_access", Value::Bool(true)),
];

/// Arguments of days that something is kept; fewer of them, and it is lost earlier.
const KEPT: [&str; 9] = [
    "backup_retention_period",
    "days",
    "delete_after",
    "expiration_in_days",
    "message_retention_seconds",
    "min_retention_days",
    "noncurrent_days",
    "recovery_period_in_days",
    "retention_in_days",
];

/// Arguments of sizes; more of them, and it costs more.
const SIZES: [&str; 14] = [
    "allocated_storage",
    "cpu",
    "desired_count",
    "iops",
    "max_capacity",
    "memory",
    "min_capacity",
    "number_of_broker_nodes",
    "provisioned_concurrent_executions",
    "read_capacity",
    "retention_in_days",
    "serverlessv2_scaling_configuration.max_capacity",
    "serverlessv2_scaling_configuration.min_capacity",
    "write_capacity",
];

/// Every consequence of the changes, the most dangerous first.
pub(super) fn findings(
    old: &View,
    new: &View,
    changes: &[Change],
    permissions: &[Permission],
    network: &[Opening],
) -> Vec<Finding> {
    let mut all = BTreeSet::new();
    for change in changes {
        all.extend(of_change(old, new, change));
    }
    all.extend(network.iter().filter(|opening| opening.opens).map(|opening| Finding {
        consequence: Consequence::NetworkOpened,
        maybe: !opening.sure,
        address: opening.group.clone(),
        what: opening.to_string(),
        acknowledged: None,
    }));
    for permission in permissions.iter().filter(|permission| permission.verdict <= Verdict::CannotTell) {
        all.insert(Finding {
            consequence: Consequence::Widened,
            maybe: permission.verdict == Verdict::CannotTell,
            address: permission.of.clone(),
            what: format!("{}: {}", permission.policy, gains(permission)),
            acknowledged: None,
        });
    }
    all.into_iter().collect()
}

/// The first few of what is gained.
fn gains(permission: &Permission) -> String {
    const FEW: usize = 3;
    if permission.gained.is_empty() {
        return "what it allows hangs on what is not known".to_owned();
    }
    let mut told: Vec<String> = permission.gained.iter().take(FEW).map(ToString::to_string).collect();
    if permission.gained.len() > FEW {
        told.push(format!("and {} more", permission.gained.len() - FEW));
    }
    told.join("; ")
}

fn of_change(old: &View, new: &View, change: &Change) -> Vec<Finding> {
    let mut all = Vec::new();
    let finding = |consequence: Consequence, maybe: bool, what: String| Finding {
        consequence,
        maybe,
        address: change.address.clone(),
        what,
        acknowledged: None,
    };
    let (kind, maybe) = (change.kind.as_str(), change.action == Action::MayReplace);
    let verb = match change.action {
        Action::Destroy => "it is destroyed",
        Action::Replace => "it is replaced",
        Action::MayReplace => "it may be replaced",
        Action::Forget => "it is no longer managed",
        _ => "",
    };
    let goes = matches!(change.action, Action::Destroy | Action::Replace | Action::MayReplace);
    let because = forced(change);
    if goes {
        if let Some(data) = data_in(kind) {
            all.push(finding(Consequence::DataLoss, maybe, format!("{verb}{because}, and with it {data}")));
        }
        if matches!(kind, "aws_kms_key" | "aws_kms_replica_key") {
            all.push(finding(
                Consequence::Irreversible,
                maybe,
                format!("{verb}: once its waiting period is over, nothing decrypts what it encrypted"),
            ));
        }
        if SERVES.contains(&kind) && !(change.create_before_destroy && change.action != Action::Destroy) {
            all.push(finding(Consequence::Interrupted, maybe, format!("{verb}{because}")));
        }
    }
    let block = old.blocks.get(&change.address);
    let prevented = block.is_some_and(|block| block.lifecycle("prevent_destroy") == Some(&json!(true)));
    match change.action {
        Action::Destroy | Action::Forget => {
            if prevented {
                let what = "`prevent_destroy` vanishes with its block";
                all.push(finding(Consequence::ProtectionLowered, false, what.to_owned()));
            }
            if PROTECTS.iter().any(|beginning| kind.starts_with(beginning)) {
                all.push(finding(Consequence::ProtectionLowered, false, verb.to_owned()));
            }
        }
        Action::Replace if prevented => all.push(finding(
            Consequence::Interrupted,
            false,
            format!("it would be replaced{because}, which `prevent_destroy` refuses: the plan fails"),
        )),
        Action::Create => {
            if COSTS.contains(&kind) {
                all.push(finding(
                    Consequence::CostsMore,
                    false,
                    "it is new, and billed by the hour".to_owned(),
                ));
            }
            if kind == "aws_backup_vault_lock_configuration"
                && new.blocks.get(&change.address).is_some_and(|b| !b.body["changeable_for_days"].is_null())
            {
                let what = "the lock closes for good after `changeable_for_days`";
                all.push(finding(Consequence::Irreversible, false, what.to_owned()));
            }
        }
        _ => {}
    }
    if change.action != Action::Create {
        for attribute in &change.attributes {
            all.extend(of_attribute(change, attribute));
        }
    }
    all
}

/// Why a resource is replaced.
fn forced(change: &Change) -> String {
    let mut arguments: Vec<&str> = change.forcing().map(|attribute| attribute.path.as_str()).collect();
    arguments.dedup();
    match arguments.as_slice() {
        [] => String::new(),
        [one] => format!(" for its `{one}`"),
        [one, rest @ ..] => format!(" for its `{one}` and {} more", rest.len()),
    }
}

fn of_attribute(change: &Change, attribute: &Attribute) -> Vec<Finding> {
    let mut all = Vec::new();
    let mut add = |consequence: Consequence, maybe: bool, what: String| {
        all.push(Finding { consequence, maybe, address: change.address.clone(), what, acknowledged: None });
    };
    let name = attribute.path.rsplit(['.', ']']).next().unwrap_or_default();
    let path = attribute.path.as_str();
    let (was, is) = (attribute.old.as_ref(), attribute.new.as_ref());
    let arrow = || {
        let text =
            |value: Option<&Value>| value.map_or_else(|| "(none)".to_owned(), |value| shown(value, 60));
        format!("`{path}`: {} -> {}", text(was), text(is))
    };
    if attribute.because.is_some() {
        return all;
    }
    if let Some((_, protects)) = SWITCHES.iter().find(|(of, _)| *of == path || *of == name) {
        let protecting = Value::Bool(*protects);
        let lowered = if *protects {
            was == Some(&protecting) && is != Some(&protecting)
        } else {
            is == Some(&Value::Bool(true)) && was != Some(&Value::Bool(true))
        };
        if lowered {
            add(Consequence::ProtectionLowered, false, arrow());
        }
    }
    if OPENS.iter().any(|(of, value)| *of == name && is == Some(value) && was != Some(value)) {
        add(Consequence::NetworkOpened, false, arrow());
    }
    if matches!(name, "security_groups" | "security_group_ids" | "vpc_security_group_ids") && is.is_some() {
        add(Consequence::NetworkOpened, true, format!("other security groups: {}", arrow()));
    }
    let (a, b) = (number(was), number(is));
    if KEPT.contains(&name) {
        match (a, b) {
            // For log groups no retention, or one of 0 days, is for ever.
            (Some(a), Some(b)) if b > 0.0 && (b < a || a == 0.0) => {
                add(Consequence::DataLoss, false, format!("kept for a shorter time: {}", arrow()));
            }
            (None, Some(b)) if b > 0.0 && name == "retention_in_days" => {
                add(Consequence::DataLoss, false, format!("kept for a shorter time: {}", arrow()));
            }
            (Some(a), None) if a > 0.0 && name != "retention_in_days" => {
                add(Consequence::ProtectionLowered, true, arrow());
            }
            (Some(_), Some(0.0)) if name == "backup_retention_period" => {
                add(Consequence::ProtectionLowered, false, arrow());
            }
            _ => {}
        }
    }
    if SIZES.contains(&name) || SIZES.contains(&path) {
        if b > a && (a.is_some() || b.is_some()) {
            add(Consequence::CostsMore, false, arrow());
        }
        if name == "desired_count" && b == Some(0.0) {
            add(Consequence::Interrupted, false, arrow());
        }
    }
    if matches!(name, "instance_class" | "instance_type" | "node_type" | "storage_type" | "billing_mode") {
        add(Consequence::CostsMore, true, arrow());
        if name == "instance_class" {
            add(Consequence::Interrupted, true, arrow());
        }
    }
    if name == "multi_az" && is == Some(&Value::Bool(true)) {
        add(Consequence::CostsMore, false, arrow());
    }
    if name == "multi_az" && was == Some(&Value::Bool(true)) && is != Some(&Value::Bool(true)) {
        add(Consequence::ProtectionLowered, false, arrow());
    }
    let enabled = |value: Option<&Value>| {
        value.and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case("enabled"))
    };
    if name == "status" && enabled(was) && !enabled(is) {
        add(Consequence::ProtectionLowered, false, arrow());
    }
    special(change, attribute, name, &arrow, &mut add);
    all
}

/// What only some types have.
fn special(
    change: &Change,
    attribute: &Attribute,
    name: &str,
    arrow: &dyn Fn() -> String,
    add: &mut dyn FnMut(Consequence, bool, String),
) {
    let (was, is) = (attribute.old.as_ref(), attribute.new.as_ref());
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, path) = (change.kind.as_str(), attribute.path.as_str());
    match kind {
        "aws_s3_bucket_object_lock_configuration" => {
            if text(was) == "COMPLIANCE" || number(is) < number(was) || is.is_none() {
                add(Consequence::ProtectionLowered, false, arrow());
            }
            if text(is) == "COMPLIANCE" || (number(is) > number(was)) {
                add(
                    Consequence::Irreversible,
                    false,
                    format!("what is written from now on stays: {}", arrow()),
                );
            }
        }
        "aws_dynamodb_table" if name == "point_in_time_recovery" && is.is_none() => {
            add(Consequence::ProtectionLowered, false, arrow());
        }
        "aws_dynamodb_table" if path.starts_with("ttl") && is.is_some() => {
            add(Consequence::DataLoss, true, format!("items expire: {}", arrow()));
        }
        "aws_dynamodb_table" if path.starts_with("replica") && is.is_none() => {
            add(Consequence::DataLoss, false, format!("a replica is destroyed: {}", arrow()));
        }
        "aws_ecr_repository" if name == "image_tag_mutability" && text(was) == "IMMUTABLE" => {
            add(Consequence::ProtectionLowered, false, arrow());
        }
        "aws_lb_listener" if name == "ssl_policy" => add(Consequence::ProtectionLowered, true, arrow()),
        "aws_lb_listener" if path.starts_with("mutual_authentication") && text(is) != "verify" => {
            add(Consequence::ProtectionLowered, true, arrow());
        }
        "aws_wafv2_web_acl" => {
            let removed = is.is_none() && path.starts_with("rule[") && path.ends_with(']');
            let lets_through = is.is_some() && matches!(name, "count" | "allow");
            let blocks_no_more =
                was.is_some() && is.is_none() && matches!(name, "block" | "captcha" | "challenge");
            if removed || lets_through || blocks_no_more {
                add(Consequence::ProtectionLowered, false, arrow());
            } else if path.starts_with("rule") && was.is_some() {
                add(Consequence::ProtectionLowered, true, arrow());
            }
        }
        "aws_s3_bucket_lifecycle_configuration" | "aws_ecr_lifecycle_policy"
            if is.is_some() && !is_kept(name) =>
        {
            add(Consequence::DataLoss, true, format!("what expires changes: {}", arrow()));
        }
        "aws_network_acl_rule" | "aws_network_acl" | "aws_default_network_acl" if name != "tags" => {
            add(Consequence::NetworkOpened, true, format!("a rule of a network ACL differs: {}", arrow()));
        }
        "aws_db_instance" | "aws_rds_cluster" if name == "engine_version" => {
            add(Consequence::Irreversible, true, format!("an engine does not go back: {}", arrow()));
            add(Consequence::Interrupted, true, arrow());
        }
        "aws_db_instance" if name == "allocated_storage" && number(is) > number(was) => {
            add(Consequence::Irreversible, false, format!("storage does not shrink: {}", arrow()));
        }
        "aws_cloudwatch_metric_alarm" if name == "actions_enabled" && is == Some(&Value::Bool(false)) => {
            add(Consequence::ProtectionLowered, false, arrow());
        }
        "aws_cloudwatch_metric_alarm" | "aws_cloudwatch_composite_alarm"
            if matches!(name, "alarm_actions" | "ok_actions")
                && one_or_more(is.unwrap_or(&Value::Null)).len()
                    < one_or_more(was.unwrap_or(&Value::Null)).len() =>
        {
            add(Consequence::ProtectionLowered, false, arrow());
        }
        _ => {}
    }
    let encrypts = matches!(name, "kms_key_id" | "kms_key_arn" | "kms_master_key_id" | "kms_master_key_arn");
    if encrypts && was.is_some() && is.is_none() {
        add(Consequence::ProtectionLowered, false, format!("no key of its own encrypts it: {}", arrow()));
    }
    if attribute.path == "provider" && attribute.effect == Effect::May {
        add(Consequence::Interrupted, true, arrow());
    }
}

fn is_kept(name: &str) -> bool {
    KEPT.contains(&name)
}

fn number(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// How many findings of each consequence there are.
pub(super) fn counts(findings: &[Finding]) -> BTreeMap<Consequence, usize> {
    let mut counts = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.consequence).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::Review;

    fn module(resources: Value, more: Value) -> View {
        let mut file = json!({"resource": resources});
        if let (Some(file), Value::Object(more)) = (file.as_object_mut(), more) {
            file.extend(more);
        }
        View::of_files([("a", file.to_string().as_str())]).expect("a module")
    }

    fn told(old: Value, new: Value) -> Vec<String> {
        let review = Review::of(&module(old, json!({})), &module(new, json!({})));
        let told = |finding: &Finding| {
            format!("{}{} {}", if finding.maybe { "?" } else { "" }, finding.consequence, finding.address)
        };
        let all: BTreeSet<String> = review.findings.iter().map(told).collect();
        all.into_iter().collect()
    }

    fn one(kind: &str, name: &str, value: Value) -> Value {
        json!({kind: {"x": {name: value}}})
    }

    /// A change, and what it means; the other way round it does not mean that.
    #[test]
    fn each_consequence_is_told_in_its_direction() {
        for (kind, name, before, after, consequence) in [
            ("aws_lb", "enable_deletion_protection", json!(true), json!(false), "protection-lowered"),
            ("aws_db_instance", "deletion_protection", json!(true), Value::Null, "protection-lowered"),
            ("aws_db_instance", "skip_final_snapshot", json!(false), json!(true), "protection-lowered"),
            ("aws_kms_key", "enable_key_rotation", json!(true), json!(false), "protection-lowered"),
            ("aws_sqs_queue", "kms_master_key_id", json!("k"), Value::Null, "protection-lowered"),
            (
                "aws_s3_bucket_versioning",
                "versioning_configuration",
                json!([{"status": "Enabled"}]),
                json!([{"status": "Suspended"}]),
                "protection-lowered",
            ),
            ("aws_cloudwatch_log_group", "retention_in_days", json!(400), json!(30), "data-loss"),
            ("aws_cloudwatch_log_group", "retention_in_days", json!(0), json!(30), "data-loss"),
            ("aws_db_instance", "publicly_accessible", json!(false), json!(true), "network-opened"),
            ("aws_lb", "internal", json!(true), json!(false), "network-opened"),
            ("aws_ecs_service", "desired_count", json!(3), json!(0), "interrupted"),
            ("aws_ecs_service", "desired_count", json!(3), json!(4), "costs-more"),
            ("aws_db_instance", "multi_az", json!(false), json!(true), "costs-more"),
            ("aws_db_instance", "allocated_storage", json!(20), json!(40), "irreversible"),
        ] {
            let expected = format!("{consequence} {kind}.x");
            let forth = told(one(kind, name, before.clone()), one(kind, name, after.clone()));
            assert!(forth.contains(&expected), "{expected}: {forth:?}");
            let back = told(one(kind, name, after), one(kind, name, before));
            assert!(!back.contains(&expected), "{expected} the other way round: {back:?}");
        }
    }

    #[test]
    fn what_is_destroyed_takes_its_data_and_protection_along() {
        let table =
            json!({"aws_dynamodb_table": {"x": {"name": "t", "lifecycle": {"prevent_destroy": true}}}});
        assert_eq!(
            told(table, json!({})),
            [
                "data-loss aws_dynamodb_table.x",
                "interrupted aws_dynamodb_table.x",
                "protection-lowered aws_dynamodb_table.x"
            ]
        );
        assert_eq!(
            told(one("aws_cloudtrail", "name", json!("t")), json!({})),
            ["protection-lowered aws_cloudtrail.x"]
        );
        let key = || one("aws_kms_key", "description", json!("k"));
        assert_eq!(told(key(), json!({})), ["data-loss aws_kms_key.x", "irreversible aws_kms_key.x"]);
        assert_eq!(told(json!({}), key()), ["costs-more aws_kms_key.x"]);
    }

    #[test]
    fn the_worst_comes_first() {
        let review = Review::of(
            &module(
                json!({"aws_dynamodb_table": {"x": {"name": "t"}}, "aws_lb": {"a": {"internal": true}}}),
                json!({}),
            ),
            &module(json!({"aws_lb": {"a": {"internal": false}}, "aws_nat_gateway": {"n": {}}}), json!({})),
        );
        let order: Vec<Consequence> = review.findings.iter().map(|finding| finding.consequence).collect();
        let mut sorted = order.clone();
        sorted.sort();
        assert_eq!(order, sorted);
        assert_eq!(order[0], Consequence::DataLoss);
    }

    #[test]
    fn names_are_read_back() {
        for consequence in Consequence::ALL {
            assert_eq!(consequence.name().parse(), Ok(consequence));
            assert_eq!(json!(consequence), json!(consequence.name()));
        }
        assert!("lost".parse::<Consequence>().is_err());
    }
}
