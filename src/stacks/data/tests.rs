//! What must hold of every data store.

use terraform::{Node, Root, Value};

use super::super::probe::*;

const PROVISIONED: &str =
    "data.dynamodb = { billing = \"provisioned\", read = { min = 10, max = 200 }, utilization_percent = 60 }";

fn tables(root: &Root) -> [&Node; 2] {
    [node(root, "aws_dynamodb_table.records"), node(root, "aws_dynamodb_table.audit")]
}

fn refers(root: &Root, from: &Node, to: &str) -> bool {
    from.edges().iter().any(|edge| root.nodes()[edge.to].address().to_string() == to)
}

#[test]
fn tables_are_encrypted_recoverable_and_hard_to_lose() {
    let root = platform("");
    for table in tables(&root) {
        assert!(refers(&root, table, "aws_kms_key.data"));
        assert_eq!(at(table, "server_side_encryption.enabled"), &Value::Bool(true));
        assert_eq!(at(table, "point_in_time_recovery.enabled"), &Value::Bool(true));
        assert_eq!(at(table, "deletion_protection_enabled"), &Value::Bool(true));
        assert!(table.prevent_destroy());
        assert_eq!(text_at(table, "billing_mode"), "PAY_PER_REQUEST");
        assert_eq!(table.argument("read_capacity"), None);
        assert!(table.ignore_changes().is_empty());
    }
    let root = platform(&format!("{FLEETING}data.dynamodb.recovery_days = 7"));
    for table in tables(&root) {
        assert_eq!(at(table, "deletion_protection_enabled"), &Value::Bool(false));
        assert_eq!(at(table, "point_in_time_recovery.recovery_period_in_days"), &Value::Number(7.into()));
        assert!(!table.prevent_destroy());
    }
}

#[test]
fn keys_indexes_and_time_to_live_are_the_contracts() {
    let root = platform("");
    for (table, which) in tables(&root).into_iter().zip(contract::Table::ALL) {
        assert_eq!(text_at(table, "hash_key"), which.partition().name);
        assert_eq!(text_at(table, "range_key"), which.sort().name);
        let indexes = table.argument("global_secondary_index").and_then(Value::as_list).unwrap_or_default();
        assert_eq!(indexes.len(), which.indexes().len());
        let attributes = at(table, "attribute").as_list().expect("attributes");
        assert_eq!(attributes.len(), 2 + 2 * indexes.len(), "DynamoDB refuses attributes that no key has");
        let ttl = table.argument("ttl").and_then(|ttl| ttl.get("attribute_name")).and_then(Value::as_str);
        assert_eq!(ttl, which.time_to_live());
    }
}

#[test]
fn tables_admit_this_account_by_tls_alone_and_audit_entries_stay_as_they_are() {
    let root = platform("");
    for policy in nodes(&root, "aws_dynamodb_resource_policy") {
        // What is denied without a condition is denied to Terraform as well.
        for statement in statements(policy, "policy") {
            assert!(!allows(statement) && statement.get("Condition").is_some(), "{statement:?}");
        }
        let tls = statement(policy, "policy", "TlsOnly").expect("a denial");
        assert_eq!(condition(tls, "aws:SecureTransport"), [Value::string("false")]);
        let account = statement(policy, "policy", "ThisAccountOnly").expect("a denial");
        assert_eq!(condition(account, "aws:PrincipalAccount"), [Value::string("111122223333")]);
        let append = statement(policy, "policy", "AppendOnly");
        assert_eq!(append.is_some(), policy.address().name() == "audit");
        let denied: Vec<&str> = append.map(|s| texts(s.get("Action").expect("actions"))).unwrap_or_default();
        assert!(denied.iter().all(|action| !action.ends_with("Table") && *action != "dynamodb:PutItem"));
    }
}

#[test]
fn provisioned_capacity_is_scaled_for_tables_and_indexes() {
    let root = platform(PROVISIONED);
    let targets = nodes_of(&root, "data", "aws_appautoscaling_target");
    let scaled: Vec<String> = targets
        .iter()
        .map(|t| format!("{} {}", written(at(t, "resource_id")), text_at(t, "scalable_dimension")))
        .collect();
    assert_eq!(
        scaled,
        [
            "table/aws_dynamodb_table.records.name dynamodb:table:ReadCapacityUnits",
            "table/aws_dynamodb_table.records.name dynamodb:table:WriteCapacityUnits",
            "table/aws_dynamodb_table.records.name/index/due dynamodb:index:ReadCapacityUnits",
            "table/aws_dynamodb_table.records.name/index/due dynamodb:index:WriteCapacityUnits",
            "table/aws_dynamodb_table.audit.name dynamodb:table:ReadCapacityUnits",
            "table/aws_dynamodb_table.audit.name dynamodb:table:WriteCapacityUnits",
        ]
    );
    let [records, audit] = tables(&root);
    assert_eq!(at(records, "read_capacity"), &Value::Number(10.into()));
    assert_eq!(at(records, "global_secondary_index.read_capacity"), &Value::Number(10.into()));
    assert_eq!(records.ignore_changes(), ["read_capacity", "write_capacity", "global_secondary_index"]);
    assert_eq!(audit.ignore_changes(), ["read_capacity", "write_capacity"]);
    for policy in nodes_of(&root, "data", "aws_appautoscaling_policy") {
        let target = at(policy, "target_tracking_scaling_policy_configuration.target_value");
        assert_eq!(target, &Value::Number(60.into()));
    }
}
