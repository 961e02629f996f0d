use terraform::{Node, Number, Root, Value};

use super::*;
use crate::stacks::probe::*;

fn of<'r>(root: &'r Root, part: &str, kind: BucketKind) -> &'r Node {
    node(root, &format!("aws_s3_bucket{part}.{}", kind.as_str()))
}

fn holds_logs(kind: BucketKind) -> bool {
    matches!(kind, BucketKind::Audit | BucketKind::Config | BucketKind::Access)
}

fn days(value: &Value) -> i64 {
    match value {
        Value::Number(Number::Int(days)) => *days,
        other => panic!("{other:?} is no number of days"),
    }
}

#[test]
fn every_bucket_is_private_versioned_and_without_acls() {
    let root = platform("");
    for kind in BucketKind::ALL {
        let public = of(&root, "_public_access_block", kind);
        for setting in
            ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
        {
            assert_eq!(at(public, setting), &Value::Bool(true));
        }
        let versioning = of(&root, "_versioning", kind);
        assert_eq!(text_at(versioning, "versioning_configuration.status"), "Enabled");
        let ownership = of(&root, "_ownership_controls", kind);
        assert_eq!(text_at(ownership, "rule.object_ownership"), "BucketOwnerEnforced");
    }
}

#[test]
fn every_bucket_refuses_old_tls_and_keys_of_others() {
    let root = platform("");
    for kind in BucketKind::ALL {
        let policy = of(&root, "_policy", kind);
        let denial = |sid: &str| {
            statement(policy, "policy", sid).filter(|s| !allows(s)).unwrap_or_else(|| panic!("no {sid}"))
        };
        assert_eq!(condition(denial("TlsOnly"), "aws:SecureTransport"), [Value::string("false")]);
        assert_eq!(condition(denial("TlsIsCurrent"), "s3:TlsVersion"), [Value::string("1.2")]);
        for sid in ["TlsOnly", "TlsIsCurrent"] {
            assert_eq!(denial(sid).get("Resource").and_then(Value::as_list).expect("resources").len(), 2);
        }
        denial("NoKeyOfTheCallers");
        if kind != BucketKind::Access {
            denial("NoOtherKey");
        }
    }
}

#[test]
fn only_services_are_let_in_and_each_for_this_account_only() {
    let root = platform("network.flow_logs.s3 = true");
    let mut deliveries = 0;
    for policy in nodes(&root, "aws_s3_bucket_policy") {
        for statement in statements(policy, "policy").iter().filter(|s| allows(s)) {
            assert!(statement.get("Principal").is_some_and(|p| p.get("Service").is_some()));
            let of_account = |v: &Value| v.as_str().is_some_and(|v| v.contains("111122223333"));
            let sources =
                [condition(statement, "aws:SourceAccount"), condition(statement, "aws:SourceArn")].concat();
            assert!(!sources.is_empty() && sources.iter().all(of_account), "{statement:?}");
            deliveries += 1;
        }
    }
    assert_eq!(deliveries, 10);
}

#[test]
fn who_delivers_nothing_is_not_let_in() {
    let text = "account.baseline = false\nalb.access_logs = false\nalb.connection_logs = false";
    let root = platform(text);
    let policies = nodes(&root, "aws_s3_bucket_policy");
    let allowed: Vec<_> =
        policies.iter().flat_map(|p| statements(p, "policy")).filter(|s| allows(s)).collect();
    assert_eq!(allowed.len(), 1, "only the buckets' own access logs: {allowed:?}");
}

#[test]
fn every_bucket_but_the_access_bucket_has_a_key_and_an_access_log() {
    let root = platform("");
    let rule = "rule.apply_server_side_encryption_by_default";
    for kind in BucketKind::ALL {
        let encryption = of(&root, "_server_side_encryption_configuration", kind);
        let algorithm = text_at(encryption, &format!("{rule}.sse_algorithm"));
        let logging = root.find(&format!("aws_s3_bucket_logging.{}", kind.as_str()));
        if kind == BucketKind::Access {
            // What is delivered there knows SSE-S3 alone, and a log of the log would never end.
            assert_eq!(algorithm, "AES256");
            assert!(logging.is_none());
            continue;
        }
        assert_eq!(algorithm, "aws:kms");
        assert_eq!(at(encryption, "rule.bucket_key_enabled"), &Value::Bool(true));
        let key = match kind {
            BucketKind::Artifacts => "aws_kms_key.artifacts",
            BucketKind::Statements => "aws_kms_key.data",
            BucketKind::Audit | BucketKind::Config | BucketKind::Access => "aws_kms_key.logs",
        };
        assert!(leads_to(&root, encryption, key));
        assert!(leads_to(&root, logging.expect("an access log"), "aws_s3_bucket_policy.access"));
    }
}

fn leads_to(root: &Root, from: &Node, to: &str) -> bool {
    from.edges().iter().any(|edge| root.nodes()[edge.to].address().to_string() == to)
}

#[test]
fn the_audit_bucket_alone_is_locked() {
    let root = platform("");
    assert_eq!(nodes(&root, "aws_s3_bucket_object_lock_configuration").len(), 1);
    let lock = of(&root, "_object_lock_configuration", BucketKind::Audit);
    assert_eq!(text_at(lock, "rule.default_retention.mode"), "COMPLIANCE");
    assert!(days(at(lock, "rule.default_retention.days")) >= 365);
    for kind in BucketKind::ALL {
        let enabled = at(of(&root, "", kind), "object_lock_enabled");
        assert_eq!(enabled, &Value::Bool(kind == BucketKind::Audit));
    }
    let elsewhere = platform(FLEETING);
    let lock = of(&elsewhere, "_object_lock_configuration", BucketKind::Audit);
    assert_eq!(text_at(lock, "rule.default_retention.mode"), "GOVERNANCE");
}

#[test]
fn logs_are_at_hand_for_three_months_and_kept_for_twelve() {
    let root = platform("");
    for kind in BucketKind::ALL {
        let lifecycle = of(&root, "_lifecycle_configuration", kind);
        assert!(days(at(lifecycle, "rule.expiration.days")) >= 365);
        assert_eq!(at(lifecycle, "rule.filter"), &Value::List(vec![Value::Object(Vec::new())]));
        at(lifecycle, "rule.noncurrent_version_expiration.noncurrent_days");
        at(lifecycle, "rule.abort_incomplete_multipart_upload.days_after_initiation");
        if holds_logs(kind) {
            let transitions = at(lifecycle, "rule.transition").as_list().expect("transitions");
            let archive =
                transitions.iter().find(|t| t.get("storage_class") == Some(&Value::string("GLACIER")));
            assert!(archive.and_then(|t| t.get("days")).map(days).expect("an archive") >= 90);
        }
    }
}

#[test]
fn protection_decides_whether_logs_can_be_deleted() {
    for (text, protected) in [("", true), (FLEETING, false)] {
        let root = platform(text);
        for kind in BucketKind::ALL {
            let bucket = of(&root, "", kind);
            assert_eq!(bucket.prevent_destroy(), protected);
            assert_eq!(at(bucket, "force_destroy"), &Value::Bool(!protected));
            let denial = statement(of(&root, "_policy", kind), "policy", "NobodyDeletes");
            assert_eq!(denial.is_some(), protected && holds_logs(kind));
        }
    }
}

#[test]
fn the_platform_does_not_read_its_logs() {
    let root = platform("");
    for kind in [BucketKind::Audit, BucketKind::Config, BucketKind::Access] {
        let denial =
            statement(of(&root, "_policy", kind), "policy", "PlatformDoesNotRead").expect("a denial");
        let roles = condition(denial, "aws:PrincipalArn");
        let role = "arn:aws:iam::111122223333:role/txn-reconcile-test-*";
        assert!(!allows(denial) && roles.contains(&Value::string(role)));
        // The service reads the anchors of its own audit log, and nothing beside them.
        assert_eq!(denial.get("NotResource").is_some(), kind == BucketKind::Audit);
        assert_eq!(denial.get("Resource").is_some(), kind != BucketKind::Audit);
    }
}

#[test]
fn statements_have_a_retention_of_their_own() {
    let root = platform("storage.statements_expire_days = 2557\nstorage.expire_days = 500");
    for (kind, expected) in [(BucketKind::Statements, 2557), (BucketKind::Audit, 500)] {
        let lifecycle = of(&root, "_lifecycle_configuration", kind);
        assert_eq!(days(at(lifecycle, "rule.expiration.days")), expected);
    }
}

/// Side by side they end in `OperationAborted`.
#[test]
fn the_parts_of_a_bucket_wait_for_each_other() {
    let root = platform("");
    for kind in BucketKind::ALL {
        let parts = |node: &&Node| {
            node.address().kind().starts_with("aws_s3_bucket_") && node.address().name() == kind.as_str()
        };
        let parts: Vec<&Node> = root.nodes().iter().filter(parts).collect();
        // Each waits for another part of the same bucket, and no two for the same one: a chain, or a fork of two
        // at its end would show as a part that two wait for.
        let mut awaited: Vec<usize> = parts
            .iter()
            .flat_map(|part| part.edges())
            .filter(|edge| edge.argument.is_none() && parts.iter().any(|p| p.address().index() == edge.to))
            .map(|edge| edge.to)
            .collect();
        let waiting = awaited.len();
        awaited.sort_unstable();
        awaited.dedup();
        assert_eq!((awaited.len(), waiting), (parts.len() - 1, parts.len() - 1), "{}", kind.as_str());
    }
}

const ARCHIVE: &str = r#"
[storage.audit_bucket]
name = "acme-log-archive"
account = "999988887777"
key = "arn:aws:kms:us-east-1:999988887777:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e66"
elsewhere = "The log archive account"
"#;

/// The document that an output holds.
fn required(root: &Root, name: &str) -> serde_json::Value {
    let files = root.render("");
    let (_, text) = files.iter().find(|(file, _)| file == "storage.tf.json").expect("a file");
    let file: serde_json::Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(file["output"][name]["value"], format!("${{jsonencode(local.{name})}}"));
    file["locals"][name].clone()
}

fn sids(document: &serde_json::Value) -> Vec<&str> {
    let statements = document["Statement"].as_array().expect("statements");
    statements.iter().filter_map(|statement| statement["Sid"].as_str()).collect()
}

#[test]
fn a_bucket_of_another_account_is_delivered_to_and_not_looked_at() {
    let root = platform(&format!("network.flow_logs.s3 = true\n{ARCHIVE}"));
    assert!(root.find("aws_s3_bucket.audit").is_none() && root.find("data.aws_s3_bucket.audit").is_none());
    assert!(nodes(&root, "aws_s3_bucket_object_lock_configuration").is_empty());
    assert_eq!(text_at(node(&root, "aws_cloudtrail.main"), "s3_bucket_name"), "acme-log-archive");
    let stream = node(&root, "aws_kinesis_firehose_delivery_stream.service");
    assert_eq!(text_at(stream, "extended_s3_configuration.bucket_arn"), "arn:aws:s3:::acme-log-archive");
    let write =
        statement(node(&root, "aws_iam_role_policy.export"), "policy", "Write").expect("a permission");
    assert!(texts(write.get("Action").expect("actions")).contains(&"s3:PutObjectAcl"));
    // The way out, and the key that the bucket encrypts the anchors with, are the other account's.
    let endpoint = node(&root, "aws_vpc_endpoint.s3");
    let admitted = statement(endpoint, "policy", "AuditBucket").expect("a permission");
    assert_eq!(condition(admitted, "aws:ResourceAccount"), [Value::string("999988887777")]);
    let key = statement(node(&root, "aws_iam_role_policy.task"), "policy", "EncryptAnchors").expect("one");
    assert!(all_written(key.get("Resource").expect("a key"))[0].contains("999988887777"));
}

/// A version that is put over an anchor would hide it, locked or not.
#[test]
fn no_anchor_is_put_over_another() {
    let root = platform("");
    let policy = of(&root, "_policy", BucketKind::Audit);
    let denial = statement(policy, "policy", "AnchorsStay").expect("a denial");
    assert!(!allows(denial));
    assert_eq!(condition(denial, "s3:if-none-match"), [Value::string("true")]);
}

#[test]
fn its_owner_is_told_what_its_policy_must_say() {
    let root = platform(&format!("network.flow_logs.s3 = true\n{ARCHIVE}"));
    let document = required(&root, "required_audit_bucket_statements");
    let expected = [
        "TlsOnly",
        "TlsIsCurrent",
        "AWSLogDeliveryWrite",
        "AWSLogDeliveryAclCheck",
        "TrailWrite",
        "TrailCheck",
        "FindingsWrite",
        "FindingsCheck",
        "ExportWrite",
        "ExportFind",
        "AnchorsWrite",
        "AnchorsStay",
        "AnchorsFind",
    ];
    assert_eq!(sids(&document), expected);
    // Who delivers nothing is not let in.
    let little =
        platform(&format!("production = false\naccount.baseline = false\nlogs.export = false\n{ARCHIVE}"));
    let document = required(&little, "required_audit_bucket_statements");
    assert_eq!(sids(&document), ["TlsOnly", "TlsIsCurrent", "AnchorsWrite", "AnchorsStay", "AnchorsFind"]);
}

/// The roles that the owner is told to admit are those that the module makes.
#[test]
fn its_owner_admits_roles_that_there_are() {
    let root = platform(ARCHIVE);
    let document = required(&root, "required_audit_bucket_statements").to_string();
    for role in ["export", "task"] {
        let name = text_at(node(&root, &format!("aws_iam_role.{role}")), "name");
        assert!(document.contains(&format!("arn:aws:iam::111122223333:role/{name}")), "{name}");
    }
}

#[test]
fn a_bucket_of_this_account_is_looked_up_and_watched() {
    let text = "[storage.access_bucket]\nname = \"acme-access\"\nelsewhere = \"The account factory\"\n";
    let root = platform(text);
    let logs = at(node(&root, "aws_lb.main"), "access_logs.bucket");
    assert_eq!(written(logs), "data.aws_s3_bucket.access.id");
    let document = required(&root, "required_access_bucket_statements");
    assert_eq!(sids(&document), ["TlsOnly", "TlsIsCurrent", "LoadBalancer", "ServerAccess"]);
    let rule = format!("{:?}", node(&root, "aws_cloudwatch_event_rule.bucket_exposed").body());
    assert!(rule.contains("acme-access"), "{rule}");
}
