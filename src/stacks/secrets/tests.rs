//! What must hold of every secret.

use terraform::{Root, Value};

use super::super::probe::*;

const ROTATED: &str = r#"
iam.terraform_role = "arn:aws:iam::111122223333:role/terraform"
[secrets]
readers = ["arn:aws:iam::111122223333:role/break-glass"]
admin_key = { rotation_function = "arn:aws:lambda:us-east-1:111122223333:function:rotate", rotation_days = 30 }
signing_key = { version = 4, exception = "Read by tasks alone", review = "2027-03-31" }
"#;

#[test]
fn every_secret_of_the_contract_is_drawn_and_never_written_down() {
    let root = platform("");
    for (kind, count) in [
        ("aws_secretsmanager_secret", 2),
        ("aws_secretsmanager_secret_version", 2),
        ("aws_secretsmanager_secret_policy", 2),
        ("aws_secretsmanager_random_password", 2),
    ] {
        assert_eq!((kind, nodes(&root, kind).len()), (kind, count));
    }
    for version in nodes(&root, "aws_secretsmanager_secret_version") {
        assert!(version.argument("secret_string").is_none());
        let drawn = format!(
            "ephemeral.aws_secretsmanager_random_password.{}.random_password",
            version.address().name()
        );
        assert_eq!(written(at(version, "secret_string_wo")), drawn);
        assert_eq!(at(version, "secret_string_wo_version"), &Value::Number(1.into()));
    }
    for secret in nodes(&root, "aws_secretsmanager_secret") {
        assert_eq!(written(at(secret, "kms_key_id")), "aws_kms_key.secrets.arn");
        assert_eq!(at(secret, "recovery_window_in_days"), &Value::Number(30.into()));
        assert!(secret.prevent_destroy());
    }
    for secret in nodes(&platform(FLEETING), "aws_secretsmanager_secret") {
        assert_eq!(at(secret, "recovery_window_in_days"), &Value::Number(0.into()));
    }
}

#[test]
fn who_is_not_named_does_not_read() {
    let root = platform(ROTATED);
    for policy in nodes(&root, "aws_secretsmanager_secret_policy") {
        let denial = statement(policy, "policy", "NobodyElseReads").expect("a denial");
        assert!(!allows(denial));
        // Changing the policy is not denied, or nobody could ever mend it.
        assert_eq!(texts(denial.get("Action").expect("actions")), ["secretsmanager:GetSecretValue"]);
        let but = [
            "arn:aws:iam::111122223333:role/txn-reconcile-test-execution",
            "arn:aws:iam::111122223333:role/break-glass",
            "arn:aws:iam::111122223333:role/terraform",
        ];
        assert_eq!(condition(denial, "aws:PrincipalArn"), but.map(Value::string));
        let readers = statement(policy, "policy", "Readers").expect("a permission");
        assert!(allows(readers));
        assert_eq!(condition(readers, "aws:PrincipalArn"), [Value::string(but[1])]);
    }
    // Nobody knows who applies: only the platform's other roles are denied.
    let root = platform("");
    for policy in nodes(&root, "aws_secretsmanager_secret_policy") {
        let denial = statement(policy, "policy", "NobodyElseReads").expect("a denial");
        let roles = Value::string("arn:aws:iam::111122223333:role/txn-reconcile-test-*");
        assert!(condition(denial, "aws:PrincipalArn").contains(&roles));
        assert!(statement(policy, "policy", "Readers").is_none());
    }
}

fn tag<'r>(root: &'r Root, secret: &str, key: &str) -> Option<&'r str> {
    at(node(root, &format!("aws_secretsmanager_secret.{secret}")), "tags").get(key).and_then(Value::as_str)
}

#[test]
fn a_secret_is_rotated_or_says_why_not() {
    let root = platform(ROTATED);
    let [rotation] = nodes(&root, "aws_secretsmanager_secret_rotation")[..] else { panic!("one rotation") };
    assert_eq!(rotation.address().name(), "admin_key");
    assert_eq!(at(rotation, "rotation_rules.automatically_after_days"), &Value::Number(30.into()));
    assert_eq!(nodes(&root, "aws_lambda_permission").len(), 1);
    assert_eq!(tag(&root, "admin_key", "rotation_exception"), None);
    assert_eq!(tag(&root, "signing_key", "rotation_exception"), Some("Read by tasks alone"));
    assert_eq!(tag(&root, "signing_key", "rotation_review"), Some("2027-03-31"));
    let version = node(&root, "aws_secretsmanager_secret_version.signing_key");
    assert_eq!(at(version, "secret_string_wo_version"), &Value::Number(4.into()));
    let root = platform("");
    assert!(tag(&root, "admin_key", "rotation_exception").is_some());
    assert_eq!(tag(&root, "admin_key", "rotation_review"), Some("every 12 months"));
}
