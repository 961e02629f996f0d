//! Requirements 3, 4.2.1 and 9.4: keys, stores, buckets, secrets.

use serde_json::Value;

use super::access::held;
use super::{DATABASES, INSTANCES, Row, beside, everywhere, listed, postgres, row};
use crate::control::platform::{
    Platform, Resource, allows, at, conditions, given, number, of_everybody, services, texts,
};

const BUCKET: &str = "aws_s3_bucket";
const SSE: &str = "aws_s3_bucket_server_side_encryption_configuration";
const LIFECYCLE: &str = "aws_s3_bucket_lifecycle_configuration";
const BY_DEFAULT: &str = "rule.apply_server_side_encryption_by_default";

pub(super) const ROWS: &[Row] = &[
    postgres(
        "R021",
        "no database has a master of a well-known name",
        |p| {
            p.each_of(&DATABASES, |r| {
                let master = [r.text("username"), r.text("master_username")].concat();
                !["", "admin", "postgres", "root", "rdsadmin"].contains(&master.as_str())
            })
        },
        &[
            ("aws_db_instance", "username", "\"postgres\""),
            ("aws_rds_cluster", "master_username", "\"postgres\""),
        ],
    ),
    row(
        "R028",
        "no bucket has access control lists",
        |p| {
            beside(p, BUCKET, "aws_s3_bucket_ownership_controls", "bucket", |r| {
                r.text("rule.object_ownership") == "BucketOwnerEnforced"
            })
        },
        &[
            ("aws_s3_bucket_ownership_controls", "rule.object_ownership", "\"ObjectWriter\""),
            ("aws_s3_bucket_ownership_controls", "bucket", "\"\""),
        ],
    ),
    row(
        "R030",
        "every bucket expires its objects, their old versions and unfinished uploads",
        |p| {
            beside(p, BUCKET, LIFECYCLE, "bucket", |r| {
                let rule = |rule: &Value| {
                    rule["status"] == "Enabled"
                        && whole(&rule["filter"])
                        && number(at(rule, "expiration.days")) > 0
                        && number(at(rule, "noncurrent_version_expiration.noncurrent_days")) > 0
                        && number(at(rule, "abort_incomplete_multipart_upload.days_after_initiation")) > 0
                };
                !r.blocks("rule").is_empty() && r.blocks("rule").iter().all(rule)
            })
        },
        &[
            (LIFECYCLE, "rule.0.status", "\"Disabled\""),
            (LIFECYCLE, "rule.0.filter", "[{\"prefix\":\"tmp/\"}]"),
            (LIFECYCLE, "rule.0.expiration", "null"),
            (LIFECYCLE, "rule.0.noncurrent_version_expiration", "null"),
            (LIFECYCLE, "bucket", "\"\""),
        ],
    ),
    row(
        "R031",
        "every table expires its items, but the audit log, which nothing may delete (10.3.2, 10.5.1)",
        |p| p.each_where("aws_dynamodb_table", |r| r.name() != "audit", |r| r.is("ttl.enabled", true)),
        &[("aws_dynamodb_table.records", "ttl.enabled", "false")],
    ),
    row(
        "R033",
        "every bucket encrypts with a key of this platform, but the target of logs that AWS cannot write with one",
        |p| {
            beside(p, BUCKET, SSE, "bucket", |r| {
                let algorithm = r.text(&format!("{BY_DEFAULT}.sse_algorithm"));
                let key = r.refers_to(&format!("{BY_DEFAULT}.kms_master_key_id"), "aws_kms_key");
                if delivered_to(p, r) { algorithm == "AES256" } else { algorithm == "aws:kms" && key }
            })
        },
        &[
            (SSE, "rule.0.apply_server_side_encryption_by_default.sse_algorithm", "\"none\""),
            (
                "aws_s3_bucket_server_side_encryption_configuration.statements",
                "rule.0.apply_server_side_encryption_by_default",
                "{\"sse_algorithm\":\"AES256\"}",
            ),
        ],
    ),
    row(
        "R034",
        "every bucket that encrypts with a key of this platform uses a bucket key",
        |p| {
            p.each_where(
                SSE,
                |r| r.text(&format!("{BY_DEFAULT}.sse_algorithm")) == "aws:kms",
                |r| r.is("rule.bucket_key_enabled", true),
            )
        },
        &[
            (
                "aws_s3_bucket_server_side_encryption_configuration.audit",
                "rule.0.bucket_key_enabled",
                "false",
            ),
            (
                "aws_s3_bucket_server_side_encryption_configuration.statements",
                "rule.0.bucket_key_enabled",
                "null",
            ),
        ],
    ),
    row(
        "R035",
        "every table is encrypted with a key of this platform",
        |p| {
            p.each("aws_dynamodb_table", |r| {
                r.is("server_side_encryption.enabled", true)
                    && r.refers_to("server_side_encryption.kms_key_arn", "aws_kms_key")
            })
        },
        &[
            ("aws_dynamodb_table", "server_side_encryption.kms_key_arn", "null"),
            ("aws_dynamodb_table", "server_side_encryption.enabled", "false"),
        ],
    ),
    postgres(
        "R036",
        "every database is encrypted with a key of this platform",
        |p| {
            p.each_of(&DATABASES, |r| {
                r.is("storage_encrypted", true) && r.refers_to("kms_key_id", "aws_kms_key")
            })
        },
        &[
            ("aws_db_instance", "storage_encrypted", "false"),
            ("aws_db_instance", "kms_key_id", "null"),
            ("aws_rds_cluster", "storage_encrypted", "false"),
            ("aws_rds_cluster", "kms_key_id", "null"),
        ],
    ),
    row(
        "R037",
        "every secret is encrypted with a key of this platform",
        |p| p.each("aws_secretsmanager_secret", |r| r.refers_to("kms_key_id", "aws_kms_key")),
        &[("aws_secretsmanager_secret", "kms_key_id", "null")],
    ),
    row(
        "R038",
        "every repository is encrypted with a key of this platform",
        |p| {
            p.each("aws_ecr_repository", |r| {
                r.text("encryption_configuration.encryption_type") == "KMS"
                    && r.refers_to("encryption_configuration.kms_key", "aws_kms_key")
            })
        },
        &[("aws_ecr_repository", "encryption_configuration.0.encryption_type", "\"AES256\"")],
    ),
    row(
        "R039",
        "every topic is encrypted with a key of this platform",
        |p| p.each("aws_sns_topic", |r| r.refers_to("kms_master_key_id", "aws_kms_key")),
        &[("aws_sns_topic", "kms_master_key_id", "\"alias/aws/sns\"")],
    ),
    row(
        "R040",
        "every log group is encrypted with a key of this platform whose policy admits CloudWatch Logs",
        |p| {
            p.each("aws_cloudwatch_log_group", |r| {
                r.refers("kms_key_id").iter().any(|key| {
                    p.get(key).is_some_and(|key| {
                        key.statements("policy")
                            .iter()
                            .any(|s| services(s).iter().any(|s| s.starts_with("logs.")))
                    })
                })
            })
        },
        &[
            ("aws_cloudwatch_log_group", "kms_key_id", "null"),
            ("aws_cloudwatch_log_group", "kms_key_id", "\"${aws_kms_key.secrets.arn}\""),
        ],
    ),
    row(
        "R042",
        "no key's policy admits everybody or another account, every service that it admits is bound by a condition of a fixed \
         value, and no grant goes around it",
        |p| {
            p.each("aws_kms_key", |r| {
                let statements = r.statements("policy");
                !statements.is_empty()
                    && statements.iter().filter(|s| allows(s)).all(|s| {
                        let fixed = conditions(s).iter().any(|(operator, _, values)| {
                            let equals =
                                ["StringEquals", "ArnEquals", "ArnLike", "StringLike"].contains(operator);
                            let fixed = |v: &&str| !v.contains('*') && !v.contains("${");
                            equals && !values.is_empty() && values.iter().all(fixed)
                        });
                        // A role is named by its ARN in a condition, or else it is kept by an id.
                        let by_arn = conditions(s).iter().any(|(operator, key, values)| {
                            let own = values.iter().all(|v| !v.contains('*') && p.is_own(v));
                            (*operator, *key) == ("ArnEquals", "aws:PrincipalArn")
                                && !values.is_empty()
                                && own
                        });
                        let people = texts(&s["Principal"]["AWS"]);
                        let own = people.iter().all(|arn| !arn.contains('*') && p.is_own(arn));
                        s["NotPrincipal"].is_null()
                            && (!of_everybody(s) || by_arn)
                            && own
                            && (services(s).is_empty() || fixed)
                    })
            })
            .and(p.none(&["aws_kms_grant"]))
        },
        &[
            ("aws_kms_key", "policy.Statement.0.Principal", "\"*\""),
            ("aws_kms_key", "policy.Statement.0.Principal", r#"{"AWS":["arn:aws:iam::999999999999:root"]}"#),
            ("aws_kms_key", "policy.Statement.0.Principal", r#"{"AWS":"999999999999"}"#),
            (
                "aws_kms_key",
                "policy.Statement.0",
                r#"{"Effect":"Allow","Principal":{"Service":["logs.amazonaws.com"]},"Action":["kms:Decrypt"],"Condition":{"StringNotEquals":{"aws:SourceAccount":"333344445555"}}}"#,
            ),
            ("aws_kms_grant", "key_id", "\"${aws_kms_key.data.key_id}\""),
            (
                "aws_kms_key",
                "policy.Statement.0",
                r#"{"Effect":"Allow","Principal":"*","Action":["kms:Decrypt"],"Condition":{"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::333344445555:role/*"]}}}"#,
            ),
            (
                "aws_kms_key",
                "policy.Statement.0",
                r#"{"Effect":"Allow","Principal":{"Service":["logs.amazonaws.com"]},"Action":["kms:Decrypt"]}"#,
            ),
        ],
    ),
    everywhere(
        "R043",
        "no role decrypts with any key: what it decrypts with is named, or AWS's own policy is narrowed to named keys; but \
         the role that applies may in the environment's regions, under a boundary",
        |p| held(p, |role| !role.powers().contains("decrypts with any key")),
        &[
            (
                "aws_iam_role_policy",
                "policy.Statement.0",
                r#"{"Effect":"Allow","Action":["kms:Decrypt"],"Resource":["*"]}"#,
            ),
            (
                "aws_iam_role_policy",
                "policy.Statement.0",
                r#"{"Effect":"Allow","Action":["kms:*Decrypt*"],"Resource":["arn:aws:kms:*:*:key/*"]}"#,
            ),
            ("aws_iam_role_policy.execution", "policy.Statement.5.Resource", "[\"*\"]"),
            ("aws_iam_role_policy.backup", "policy.Statement.0.NotResource", "[\"*\"]"),
            ("aws_iam_role_policy.restore", "policy.Statement.0", "{}"),
        ],
    ),
    row(
        "R044",
        "stores, logs, secrets and images each have a key of their own, which the others' resources do not use",
        |p| {
            let keys = |kinds: &[(&str, &str)]| -> Vec<String> {
                let mut keys: Vec<String> = kinds
                    .iter()
                    .flat_map(|(kind, path)| p.of_kind(kind).flat_map(|r| r.refers(path)).collect::<Vec<_>>())
                    .map(str::to_owned)
                    .collect();
                keys.sort();
                keys.dedup();
                keys
            };
            let purposes = [
                keys(&[
                    ("aws_dynamodb_table", "server_side_encryption.kms_key_arn"),
                    ("aws_db_instance", "kms_key_id"),
                    ("aws_rds_cluster", "kms_key_id"),
                ]),
                keys(&[("aws_cloudwatch_log_group", "kms_key_id"), ("aws_cloudtrail", "kms_key_id")]),
                keys(&[("aws_secretsmanager_secret", "kms_key_id")]),
                keys(&[("aws_ecr_repository", "encryption_configuration.kms_key")]),
            ];
            let mut all: Vec<&String> = purposes.iter().flatten().collect();
            let count = all.len();
            all.sort();
            all.dedup();
            p.each("aws_kms_key", |_| true).and(given(
                purposes.iter().all(|keys| !keys.is_empty()) && all.len() == count,
                "keys are shared",
            ))
        },
        &[
            ("aws_secretsmanager_secret", "kms_key_id", "\"${aws_kms_key.data.arn}\""),
            ("aws_cloudwatch_log_group", "kms_key_id", "\"${aws_kms_key.secrets.arn}\""),
            ("aws_db_instance", "kms_key_id", "\"${aws_kms_key.logs.arn}\""),
            ("aws_rds_cluster", "kms_key_id", "\"${aws_kms_key.logs.arn}\""),
            ("aws_ecr_repository", "encryption_configuration.kms_key", "\"${aws_kms_key.logs.arn}\""),
        ],
    ),
    row(
        "R045",
        "every key that encrypts rotates, at least once a year; KMS rotates none that signs a zone",
        |p| {
            let encrypts = |r: Resource| r.text("key_usage") != "SIGN_VERIFY";
            p.each_where("aws_kms_key", encrypts, |r| {
                r.is("enable_key_rotation", true) && (90..=365).contains(&r.number("rotation_period_in_days"))
            })
        },
        &[
            ("aws_kms_key.data", "enable_key_rotation", "false"),
            ("aws_kms_key.logs", "enable_key_rotation", "false"),
            ("aws_kms_key.secrets", "rotation_period_in_days", "730"),
            ("aws_kms_key.artifacts", "rotation_period_in_days", "730"),
            ("aws_kms_key.dnssec", "key_usage", "\"ENCRYPT_DECRYPT\""),
        ],
    ),
    row(
        "R046",
        "every key waits for 30 days before it is deleted, and Terraform does not delete it",
        |p| {
            p.each("aws_kms_key", |r| {
                r.number("deletion_window_in_days") == 30 && r.is("lifecycle.prevent_destroy", true)
            })
        },
        &[
            ("aws_kms_key", "deletion_window_in_days", "7"),
            ("aws_kms_key", "lifecycle.prevent_destroy", "false"),
        ],
    ),
    row(
        "R053",
        "every bucket refuses what does not come by TLS 1.2 or later",
        |p| {
            beside(p, BUCKET, "aws_s3_bucket_policy", "bucket", |r| {
                let denies = |operator: &str, key: &str, value: &str| {
                    r.statements("policy").iter().any(|s| {
                        !allows(s)
                            && of_everybody(s)
                            && texts(&s["Action"]) == ["s3:*"]
                            && texts(&s["Resource"]).len() == 2
                            && conditions(s) == [(operator, key, vec![value])]
                    })
                };
                denies("Bool", "aws:SecureTransport", "false")
                    && denies("NumericLessThan", "s3:TlsVersion", "1.2")
            })
        },
        &[
            ("aws_s3_bucket_policy", "policy.Statement.0", "{}"),
            ("aws_s3_bucket_policy", "policy.Statement.1", "{}"),
            ("aws_s3_bucket_policy", "bucket", "\"\""),
        ],
    ),
    postgres(
        "R054",
        "every parameter group forces TLS, and every database has one of them",
        |p| {
            p.each_of(&["aws_db_parameter_group", "aws_rds_cluster_parameter_group"], |r| {
                r.blocks("parameter").iter().any(|p| p["name"] == "rds.force_ssl" && p["value"] == "1")
            })
            .and(p.each_of(&DATABASES, |r| {
                r.refers_to("parameter_group_name", "aws_db_parameter_group")
                    || r.refers_to("db_cluster_parameter_group_name", "aws_rds_cluster_parameter_group")
            }))
        },
        &[
            ("aws_db_parameter_group", "parameter.0.value", "\"0\""),
            ("aws_db_instance", "parameter_group_name", "\"default.postgres17\""),
            ("aws_rds_cluster_parameter_group", "parameter.0.value", "\"0\""),
            ("aws_rds_cluster", "db_cluster_parameter_group_name", "\"default.aurora-postgresql17\""),
        ],
    ),
    postgres(
        "R062",
        "every instance takes minor versions by itself",
        |p| p.each_of(&INSTANCES, |r| r.is("auto_minor_version_upgrade", true)),
        &[
            ("aws_db_instance", "auto_minor_version_upgrade", "false"),
            ("aws_rds_cluster_instance", "auto_minor_version_upgrade", "false"),
        ],
    ),
    row(
        "R078",
        "the account blocks public access to every bucket",
        |p| p.each("aws_s3_account_public_access_block", blocked),
        &[("aws_s3_account_public_access_block", "block_public_acls", "false")],
    ),
    row(
        "R079",
        "every bucket blocks public access",
        |p| beside(p, BUCKET, "aws_s3_bucket_public_access_block", "bucket", blocked),
        &[
            ("aws_s3_bucket_public_access_block", "restrict_public_buckets", "false"),
            ("aws_s3_bucket_public_access_block", "ignore_public_acls", "null"),
            ("aws_s3_bucket_public_access_block", "bucket", "\"\""),
        ],
    ),
    row(
        "R085",
        "no secret's value stands in the state: each is drawn while Terraform applies and written only; the database's \
         password is RDS's own",
        |p| {
            p.each("aws_secretsmanager_secret_version", |r| {
                r.at("secret_string").is_null() && r.text("secret_string_wo").starts_with("${ephemeral.")
            })
            .and(p.any_of(&DATABASES, |r| {
                r.is("manage_master_user_password", true)
                    && r.at("password").is_null()
                    && r.at("master_password").is_null()
            }))
        },
        &[
            ("aws_secretsmanager_secret_version", "secret_string", "\"hunter2\""),
            ("aws_secretsmanager_secret_version", "secret_string_wo", "\"hunter2\""),
            ("aws_db_instance", "manage_master_user_password", "false"),
            ("aws_rds_cluster", "manage_master_user_password", "false"),
            ("aws_rds_cluster", "master_password", "\"hunter2\""),
        ],
    ),
    listed(
        "R086",
        "The service's own secrets are 64 random characters that no person types. They rotate where \
         `rotation_function` is named; otherwise each bears the exception and its review as tags, which the analysis of \
         12.3.1 has to confirm (8.6.3). RDS rotates the database's password by itself.",
        Some("\"aws_secretsmanager_secret_rotation."),
    ),
    postgres(
        "R087",
        "every database takes IAM's tokens",
        |p| p.each_of(&DATABASES, |r| r.is("iam_database_authentication_enabled", true)),
        &[
            ("aws_db_instance", "iam_database_authentication_enabled", "false"),
            ("aws_rds_cluster", "iam_database_authentication_enabled", "false"),
        ],
    ),
    row(
        "R122",
        "every queue, stream and vault is encrypted with a key of this platform",
        |p| {
            let own = |r: Resource| match r.kind() {
                "aws_sqs_queue" => r.refers_to("kms_master_key_id", "aws_kms_key"),
                "aws_backup_vault" => r.refers_to("kms_key_arn", "aws_kms_key"),
                _ => {
                    r.is("server_side_encryption.enabled", true)
                        && r.refers_to("server_side_encryption.key_arn", "aws_kms_key")
                        && r.refers_to("extended_s3_configuration.kms_key_arn", "aws_kms_key")
                }
            };
            p.each_of(&["aws_sqs_queue", "aws_kinesis_firehose_delivery_stream", "aws_backup_vault"], own)
        },
        &[
            ("aws_sqs_queue", "kms_master_key_id", "\"alias/aws/sqs\""),
            ("aws_kinesis_firehose_delivery_stream", "server_side_encryption.enabled", "false"),
            ("aws_kinesis_firehose_delivery_stream", "extended_s3_configuration.kms_key_arn", "null"),
            ("aws_backup_vault", "kms_key_arn", "null"),
        ],
    ),
    row(
        "R119",
        "every table can be restored to any second, every database to any of at least 7 days",
        |p| {
            p.each("aws_dynamodb_table", |r| r.is("point_in_time_recovery.enabled", true))
                .and(p.any_of(&DATABASES, |r| r.number("backup_retention_period") >= 7))
        },
        &[
            ("aws_dynamodb_table", "point_in_time_recovery.enabled", "false"),
            ("aws_db_instance", "backup_retention_period", "1"),
            ("aws_rds_cluster", "backup_retention_period", "1"),
        ],
    ),
];

/// Whether a filter is there and leaves nothing out.
fn whole(filter: &Value) -> bool {
    let one = match filter {
        Value::Array(filters) => match filters.as_slice() {
            [one] => one,
            _ => return false,
        },
        other => other,
    };
    one.as_object().is_some_and(|filter| {
        filter.iter().all(|(key, value)| value.is_null() || (key == "prefix" && value == ""))
    })
}

fn blocked(block: Resource) -> bool {
    block.all(&["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"])
}

/// Whether the bucket of this configuration is where load balancers or buckets log to.
fn delivered_to(p: &Platform, configuration: Resource) -> bool {
    let buckets = configuration.refers("bucket");
    let balancers = p.of_kind("aws_lb").flat_map(|r| r.refers("access_logs.bucket"));
    let targets = p.of_kind("aws_s3_bucket_logging").flat_map(|r| r.refers("target_bucket"));
    balancers.chain(targets).any(|bucket| buckets.contains(&bucket))
}
