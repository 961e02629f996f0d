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

#[test]
fn tables_have_replicas_where_a_second_region_is_named() {
    let root = platform("");
    assert!(tables(&root).iter().all(|table| table.argument("replica").is_none()));
    let root = platform("recovery.region = \"us-west-2\"");
    for table in tables(&root) {
        assert_eq!(text_at(table, "replica.region_name"), "us-west-2");
        assert_eq!(written(at(table, "replica.kms_key_arn")), "aws_kms_key.recovery.arn");
        assert_eq!(at(table, "replica.point_in_time_recovery"), &Value::Bool(true));
        assert_eq!(at(table, "stream_enabled"), &Value::Bool(true));
    }
    // DynamoDB changes the replica of the audit log in the name of a role of its own.
    let policy = node(&root, "aws_dynamodb_resource_policy.audit_replica");
    let append = statement(policy, "policy", "AppendOnly").expect("a denial");
    let role = "arn:aws:iam::111122223333:role/aws-service-role/replication.dynamodb.amazonaws.com/*";
    assert_eq!(condition(append, "aws:PrincipalArn"), [Value::string(role)]);
    let arn = "arn:aws:dynamodb:us-west-2:111122223333:table/txn-reconcile-test-audit";
    assert_eq!(texts(append.get("Resource").expect("resources")), [arn]);
    let written = root.render("").into_iter().find(|(file, _)| file == "data.tf.json").expect("a file").1;
    assert_eq!(written.matches("\"provider\": \"aws.recovery\"").count(), 2, "the policies of the replicas");
}

const INSTANCE: &str = "data.store = \"postgres\"\n";
const AURORA: &str = "data.store = \"postgres\"\ndata.postgres.engine = \"aurora-serverless\"\n";

/// The database, its instances with it, and what they are built upon.
fn database<'r>(root: &'r Root, text: &str) -> &'r Node {
    node(root, if text == INSTANCE { "aws_db_instance.main" } else { "aws_rds_cluster.main" })
}

#[test]
fn the_store_that_is_chosen_is_the_one_that_is_built() {
    let kinds = ["aws_dynamodb_table", "aws_db_instance", "aws_rds_cluster"];
    let built = |text: &str| {
        let root = platform(text);
        kinds.map(|kind| nodes(&root, kind).len())
    };
    assert_eq!(built(""), [2, 0, 0]);
    assert_eq!(built(INSTANCE), [0, 1, 0]);
    assert_eq!(built(AURORA), [0, 0, 1]);
    assert_eq!(built(&format!("{INSTANCE}data.dynamodb.enabled = true")), [2, 1, 0]);
    assert_eq!(built("data.postgres.enabled = true"), [2, 1, 0]);
}

#[test]
fn databases_are_encrypted_recoverable_and_hard_to_lose() {
    for (text, window) in [(INSTANCE, "backup_window"), (AURORA, "preferred_backup_window")] {
        let root = platform(text);
        let database = database(&root, text);
        for setting in [
            "storage_encrypted",
            "deletion_protection",
            "copy_tags_to_snapshot",
            "iam_database_authentication_enabled",
            "manage_master_user_password",
        ] {
            assert_eq!(at(database, setting), &Value::Bool(true), "{setting}");
        }
        assert_eq!(written(at(database, "kms_key_id")), "aws_kms_key.data.arn");
        assert_eq!(written(at(database, "master_user_secret_kms_key_id")), "aws_kms_key.secrets.arn");
        assert_eq!(at(database, "backup_retention_period"), &Value::Number(35.into()));
        assert_eq!(text_at(database, window), "02:00-03:00");
        assert_eq!(at(database, "skip_final_snapshot"), &Value::Bool(false));
        assert_eq!(text_at(database, "final_snapshot_identifier"), "txn-reconcile-test-final");
        assert!(database.prevent_destroy());

        let fleeting = platform(&format!("{FLEETING}{text}"));
        let database = self::database(&fleeting, text);
        assert_eq!(at(database, "skip_final_snapshot"), &Value::Bool(true));
        assert_eq!(at(database, "deletion_protection"), &Value::Bool(false));
        assert!(!database.prevent_destroy() && database.argument("final_snapshot_identifier").is_none());
    }
}

#[test]
fn databases_stand_in_the_data_tier_and_take_tls_alone() {
    for (text, group) in [(INSTANCE, "aws_db_parameter_group"), (AURORA, "aws_rds_cluster_parameter_group")] {
        let root = platform(text);
        assert!(refers(&root, database(&root, text), "aws_security_group.data"));
        let subnets = node(&root, "aws_db_subnet_group.main");
        assert!(
            refers(&root, subnets, "aws_subnet.data_a") && !refers(&root, subnets, "aws_subnet.private_a")
        );
        let parameters = at(nodes(&root, group)[0], "parameter").as_list().expect("parameters");
        let value = |name: &str| {
            let parameter =
                parameters.iter().find(|p| p.get("name") == Some(&Value::string(name.to_owned())));
            parameter.and_then(|p| p.get("value")).and_then(Value::as_str)
        };
        assert_eq!(value("rds.force_ssl"), Some("1"));
        assert_eq!(value("ssl_min_protocol_version"), Some("TLSv1.2"));
        // The values of a statement stay out of the log.
        assert_eq!(value("log_parameter_max_length"), Some("0"));
        assert_eq!(value("pgaudit.log_parameter"), Some("0"));
        // Who read or changed a record.
        assert_eq!(value("shared_preload_libraries"), Some("pg_stat_statements,pgaudit"));
        assert_eq!(value("pgaudit.log"), Some("ddl,read,role,write"));
    }
    let root = platform(INSTANCE);
    assert_eq!(at(database(&root, INSTANCE), "publicly_accessible"), &Value::Bool(false));
    assert_eq!(at(database(&root, INSTANCE), "multi_az"), &Value::Bool(true));
}

#[test]
fn databases_write_to_log_groups_that_are_there_before_them() {
    let root = platform(INSTANCE);
    for group in ["postgres", "postgres_upgrade", "rds_os"] {
        assert!(refers(&root, database(&root, INSTANCE), &format!("aws_cloudwatch_log_group.{group}")));
    }
    let root = platform(&format!("{AURORA}account.baseline = false"));
    // The samples' group is the account's, and another environment's here.
    assert!(root.find("aws_cloudwatch_log_group.rds_os").is_none());
    assert!(refers(&root, database(&root, AURORA), "aws_cloudwatch_log_group.postgres"));
}

#[test]
fn a_reader_of_aurora_is_ready_to_take_over() {
    let root = platform(&format!("{AURORA}data.postgres.aurora.readers = 3"));
    let instances = nodes(&root, "aws_rds_cluster_instance");
    let tiers: Vec<&Value> = instances.iter().map(|instance| at(instance, "promotion_tier")).collect();
    assert_eq!(tiers, [1, 1, 2, 2].map(|tier| Value::Number(tier.into())).each_ref());
    for instance in instances {
        assert_eq!(at(instance, "performance_insights_enabled"), &Value::Bool(true));
        assert_eq!(written(at(instance, "performance_insights_kms_key_id")), "aws_kms_key.data.arn");
        assert_eq!(at(instance, "publicly_accessible"), &Value::Bool(false));
    }
}
