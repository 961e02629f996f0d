//! Requirements 3.3.1 and 10: the audit trail, logs, and how long they are kept.

use super::{DATABASES, Row, beside, postgres, row, zone};
use crate::control::platform::{
    Platform, Resource, allows, at, bound, conditions, list, number, of_everybody, services, texts,
};

const TRAIL: &str = "aws_cloudtrail";
const BUCKET: &str = "aws_s3_bucket";
const LIFECYCLE: &str = "aws_s3_bucket_lifecycle_configuration";
const LOCK: &str = "aws_s3_bucket_object_lock_configuration";
const MASK: &str = "aws_cloudwatch_log_data_protection_policy";

pub(super) const ROWS: &[Row] = &[
    row(
        "R032",
        "every log group that the service, shells, the web ACL or the database write to finds and masks card numbers",
        |p| {
            let written = written_by_the_service(p);
            p.each_where(
                "aws_cloudwatch_log_group",
                |r| written.contains(&r.address),
                |group| {
                    p.referring(MASK, "log_group_name", group.address).any(masks)
                        && group.text("log_group_class") != "INFREQUENT_ACCESS"
                },
            )
            .and(p.each(MASK, |policy| {
                masks(policy) && policy.refers_to("log_group_name", "aws_cloudwatch_log_group")
            }))
        },
        &[
            (MASK, "policy_document.Statement.1", "{}"),
            (MASK, "policy_document.Statement.0.DataIdentifier", "[]"),
            (MASK, "log_group_name", "\"\""),
        ],
    ),
    row(
        "R088",
        "the trail records every region and what is global, and is on",
        |p| {
            p.each(TRAIL, |r| {
                r.all(&["is_multi_region_trail", "include_global_service_events", "enable_logging"])
            })
        },
        &[(TRAIL, "is_multi_region_trail", "false"), (TRAIL, "enable_logging", "false")],
    ),
    row(
        "R089",
        "the trail records management events, and reads and writes of every object and of every item",
        |p| {
            p.each(TRAIL, |r| {
                let selects = |field: &str, value: &str, fields: usize| {
                    r.blocks("advanced_event_selector").iter().any(|s| {
                        let selectors = list(&s["field_selector"]);
                        // Another operator beside `equals`, or another field, would leave something out.
                        let plain = |f: &serde_json::Value| f.as_object().is_some_and(|f| f.len() == 2);
                        let is = |field: &str, value: &str| {
                            selectors
                                .iter()
                                .any(|f| f["field"] == field && texts(&f["equals"]).contains(&value))
                        };
                        selectors.len() == fields
                            && selectors.iter().all(plain)
                            && (fields == 1 || is("eventCategory", "Data"))
                            && is(field, value)
                    })
                };
                selects("eventCategory", "Management", 1)
                    && selects("resources.type", "AWS::S3::Object", 2)
                    && selects("resources.type", "AWS::DynamoDB::Table", 2)
            })
        },
        &[
            (TRAIL, "advanced_event_selector.0", "{}"),
            (
                TRAIL,
                "advanced_event_selector.1.field_selector",
                "[{\"field\":\"resources.type\",\"equals\":[\"AWS::Lambda::Function\"]}]",
            ),
            (TRAIL, "advanced_event_selector.2", "{}"),
            (TRAIL, "advanced_event_selector.0.field_selector.0.not_equals", "[\"kms.amazonaws.com\"]"),
            (
                TRAIL,
                "advanced_event_selector.1.field_selector.0",
                "{\"field\":\"readOnly\",\"equals\":[\"true\"]}",
            ),
        ],
    ),
    row(
        "R090",
        "the trail is encrypted with a key of this platform",
        |p| p.each(TRAIL, |r| r.refers_to("kms_key_id", "aws_kms_key")),
        &[(TRAIL, "kms_key_id", "null")],
    ),
    row(
        "R091",
        "the trail's files are signed by digests",
        |p| p.each(TRAIL, |r| r.is("enable_log_file_validation", true)),
        &[(TRAIL, "enable_log_file_validation", "false")],
    ),
    row(
        "R092",
        "the trail is written to a log group as well",
        |p| {
            p.each(TRAIL, |r| {
                r.refers_to("cloud_watch_logs_group_arn", "aws_cloudwatch_log_group")
                    && r.text("cloud_watch_logs_group_arn").ends_with(":*")
                    && r.refers_to("cloud_watch_logs_role_arn", "aws_iam_role")
            })
        },
        &[(TRAIL, "cloud_watch_logs_group_arn", "null"), (TRAIL, "cloud_watch_logs_role_arn", "null")],
    ),
    row(
        "R093",
        "whatever the trail, the export of logs or the findings go to is locked for a year, and nobody can shorten it",
        |p| {
            let kept = audit_buckets(p);
            p.each_where(
                BUCKET,
                |r| kept.contains(&r.address),
                |bucket| {
                    bucket.is("object_lock_enabled", true)
                        && p.referring(LOCK, "bucket", bucket.address).any(|r| {
                            let retention = "rule.default_retention";
                            let days = r.number(&format!("{retention}.days"))
                                + 365 * r.number(&format!("{retention}.years"));
                            r.text(&format!("{retention}.mode")) == "COMPLIANCE" && days >= 365
                        })
                },
            )
            .and(p.each(LOCK, |_| true))
        },
        &[
            (LOCK, "rule.default_retention.mode", "\"GOVERNANCE\""),
            (LOCK, "rule.default_retention.days", "30"),
            (LOCK, "bucket", "\"\""),
            (TRAIL, "s3_bucket_name", "\"${aws_s3_bucket.artifacts.id}\""),
        ],
    ),
    row(
        "R094",
        "every bucket keeps old versions",
        |p| {
            beside(p, BUCKET, "aws_s3_bucket_versioning", "bucket", |r| {
                r.text("versioning_configuration.status") == "Enabled"
            })
        },
        &[
            ("aws_s3_bucket_versioning", "versioning_configuration.status", "\"Suspended\""),
            ("aws_s3_bucket_versioning", "bucket", "\"\""),
        ],
    ),
    row(
        "R095",
        "every log group keeps its events for at least 365 days",
        |p| p.each("aws_cloudwatch_log_group", |r| r.number("retention_in_days") >= 365),
        &[
            ("aws_cloudwatch_log_group", "retention_in_days", "90"),
            ("aws_cloudwatch_log_group", "retention_in_days", "null"),
        ],
    ),
    row(
        "R096",
        "no bucket archives what is younger than 90 days, and none expires what is younger than 365",
        |p| {
            p.each(LIFECYCLE, |r| {
                r.blocks("rule").iter().all(|rule| {
                    let archives = list(&rule["transition"])
                        .iter()
                        .filter(|t| t["storage_class"] == "GLACIER" || t["storage_class"] == "DEEP_ARCHIVE");
                    archives.map(|t| number(&t["days"])).all(|days| days >= 90)
                        && number(at(rule, "expiration.days")) >= 365
                })
            })
        },
        &[
            (LIFECYCLE, "rule.0.expiration.0.days", "90"),
            (LIFECYCLE, "rule.0.transition", "[{\"days\":30,\"storage_class\":\"GLACIER\"}]"),
        ],
    ),
    row(
        "R097",
        "every bucket logs what is asked of it, but the one that these logs go to",
        |p| {
            let targets: Vec<&str> =
                p.of_kind("aws_s3_bucket_logging").flat_map(|r| r.refers("target_bucket")).collect();
            p.each_where(
                BUCKET,
                |r| !targets.contains(&r.address),
                |r| p.referring("aws_s3_bucket_logging", "bucket", r.address).next().is_some(),
            )
            .and(p.each("aws_s3_bucket_logging", |r| r.refers_to("target_bucket", BUCKET)))
        },
        &[("aws_s3_bucket_logging", "bucket", "\"\""), ("aws_s3_bucket_logging", "target_bucket", "null")],
    ),
    postgres(
        "R102",
        "every database writes its log, and an instance that of its upgrades, to groups that are made first",
        |p| {
            p.each_of(&DATABASES, |r| {
                let (of, logs, name): (_, &[_], _) = match r.kind() {
                    "aws_rds_cluster" => ("cluster", &["postgresql"], "cluster_identifier"),
                    _ => ("instance", &["postgresql", "upgrade"], "identifier"),
                };
                let exported = r.texts("enabled_cloudwatch_logs_exports");
                logs.iter().all(|log| {
                    let group = format!("/aws/rds/{of}/{}/{log}", r.text(name));
                    exported.contains(log)
                        && p.of_kind("aws_cloudwatch_log_group").any(|g| g.text("name") == group)
                })
            })
        },
        &[
            ("aws_db_instance", "enabled_cloudwatch_logs_exports", "[\"upgrade\"]"),
            ("aws_cloudwatch_log_group.postgres_upgrade", "name", "\"other\""),
            ("aws_rds_cluster", "enabled_cloudwatch_logs_exports", "[]"),
            ("aws_cloudwatch_log_group.postgres", "name", "\"other\""),
        ],
    ),
    zone(
        "R103",
        "every zone that is made logs its queries to a group that is encrypted with a key of this platform and kept for \
         a year; of one that is looked up, whoever made it has to",
        |p| {
            beside(p, "aws_route53_zone", "aws_route53_query_log", "zone_id", |r| {
                r.refers("cloudwatch_log_group_arn").iter().any(|group| {
                    p.get(group).is_some_and(|group| {
                        group.refers_to("kms_key_id", "aws_kms_key")
                            && group.number("retention_in_days") >= 365
                    })
                })
            })
        },
        &[
            ("aws_route53_query_log", "zone_id", "\"Z0123456789\""),
            ("aws_cloudwatch_log_group.queries", "retention_in_days", "90"),
            ("aws_cloudwatch_log_group.queries", "kms_key_id", "null"),
        ],
    ),
    row(
        "R104",
        "every bucket of logs keeps the platform's own roles from reading it, and services write to it for this account \
         alone; which people read it is a matter of the account's roles",
        |p| {
            let kept = audit_buckets(p);
            let delivered = p.of_kind("aws_s3_bucket_logging").flat_map(|r| r.refers("target_bucket"));
            let recorded = p.of_kind("aws_config_delivery_channel").flat_map(|r| r.refers("s3_bucket_name"));
            let buckets: Vec<&str> = kept.into_iter().chain(delivered).chain(recorded).collect();
            p.each_where(
                "aws_s3_bucket_policy",
                |r| r.refers("bucket").iter().any(|bucket| buckets.contains(bucket)),
                |r| {
                    let bound = |s: &serde_json::Value| {
                        bound(s, &["aws:SourceArn", "aws:SourceAccount"], |value| p.is_own(value))
                    };
                    let statements = r.statements("policy");
                    statements.iter().filter(|s| allows(s)).all(|s| !services(s).is_empty() && bound(s))
                        && statements.iter().any(|s| {
                            !allows(s)
                                && of_everybody(s)
                                && texts(&s["Action"]).contains(&"s3:GetObject")
                                && conditions(s).iter().any(|(_, key, _)| *key == "aws:PrincipalArn")
                        })
                },
            )
        },
        &[
            ("aws_s3_bucket_policy.audit", "policy.Statement.5", "{}"),
            ("aws_s3_bucket_policy.audit", "policy.Statement.7.Condition", "null"),
            (
                "aws_s3_bucket_policy.config",
                "policy.Statement.6.Condition",
                r#"{"StringNotEquals":{"aws:SourceAccount":"333344445555"}}"#,
            ),
            (
                "aws_s3_bucket_policy.config",
                "policy.Statement.6.Condition",
                r#"{"StringEquals":{"aws:SourceAccount":"999999999999"}}"#,
            ),
            ("aws_s3_bucket_policy.access", "policy.Statement.4", "{}"),
            ("aws_s3_bucket_policy.config", "policy.Statement.6.Condition", "null"),
        ],
    ),
    postgres(
        "R120",
        "every parameter group loads pgAudit, which writes who reads, changes or defines something, or changes a role, \
         without the values of statements, and every database has such a group and exports its log",
        |p| {
            p.each_of(&["aws_db_parameter_group", "aws_rds_cluster_parameter_group"], |r| {
                let value = |name: &str| {
                    let mut of_name = r.blocks("parameter").iter().filter(|p| p["name"] == name);
                    // The same parameter twice says nothing.
                    let value = of_name.next().and_then(|p| p["value"].as_str()).unwrap_or_default();
                    if of_name.next().is_some() { "" } else { value }
                };
                let list = |name: &str| value(name).split(',').map(str::trim).collect::<Vec<_>>();
                let (loaded, written) = (list("shared_preload_libraries"), list("pgaudit.log"));
                loaded.contains(&"pgaudit")
                    && ["ddl", "read", "role", "write"].iter().all(|class| written.contains(class))
                    && !written.iter().any(|class| class.starts_with('-'))
                    && value("pgaudit.log_parameter") == "0"
            })
            .and(p.each_of(&DATABASES, |r| {
                let of = ["parameter_group_name", "db_cluster_parameter_group_name"];
                of.iter().any(|path| r.refers(path).iter().any(|group| p.get(group).is_some()))
                    && r.texts("enabled_cloudwatch_logs_exports").contains(&"postgresql")
            }))
        },
        &[
            ("aws_db_parameter_group", "parameter.8.value", "\"pg_stat_statements\""),
            ("aws_db_parameter_group", "parameter.9.value", "\"ddl\""),
            ("aws_db_parameter_group", "parameter.9.value", "\"ddl,read,role,write,-read\""),
            ("aws_db_parameter_group", "parameter.11.value", "\"1\""),
            ("aws_rds_cluster_parameter_group", "parameter.8.value", "\"pg_stat_statements\""),
            ("aws_rds_cluster_parameter_group", "parameter.9.value", "\"none\""),
            ("aws_db_instance", "parameter_group_name", "\"default.postgres17\""),
            ("aws_rds_cluster", "enabled_cloudwatch_logs_exports", "[]"),
        ],
    ),
];

/// Whether a policy finds card numbers and masks them.
fn masks(policy: Resource) -> bool {
    let statements = policy.statements("policy_document");
    let of_cards = |operation: &str| {
        statements.iter().any(|s| {
            !s["Operation"][operation].is_null()
                && texts(&s["DataIdentifier"]).iter().any(|id| id.ends_with("/CreditCardNumber"))
        })
    };
    of_cards("Audit") && of_cards("Deidentify")
}

/// The log groups that hold what the service was sent or did.
fn written_by_the_service(p: &Platform) -> Vec<&str> {
    let tasks = p.of_kind("aws_ecs_task_definition").flat_map(|r| r.blocks("container_definitions"));
    let service = tasks.flat_map(|c| texts(&c["logConfiguration"]["options"]["awslogs-group"]));
    let service = service.filter_map(crate::control::platform::address);
    let shells = p.of_kind("aws_ecs_cluster").flat_map(|r| {
        r.refers("configuration.execute_command_configuration.log_configuration.cloud_watch_log_group_name")
    });
    let requests = p
        .of_kind("aws_wafv2_web_acl_logging_configuration")
        .flat_map(|r| r.refers("log_destination_configs"));
    let queries = p
        .of_kind("aws_cloudwatch_log_group")
        .filter(|r| r.text("name").starts_with("/aws/rds/") && r.text("name").ends_with("/postgresql"))
        .map(|r| r.address);
    service.chain(shells).chain(requests).chain(queries).collect()
}

/// The buckets that the trail, the export of logs, flow logs and findings are written to.
fn audit_buckets(p: &Platform) -> Vec<&str> {
    let trails = p.of_kind(TRAIL).flat_map(|r| r.refers("s3_bucket_name"));
    let exports = p
        .of_kind("aws_kinesis_firehose_delivery_stream")
        .flat_map(|r| r.refers("extended_s3_configuration.bucket_arn"));
    let flows = p.of_kind("aws_flow_log").flat_map(|r| r.refers("log_destination"));
    let findings =
        p.of_kind("aws_guardduty_publishing_destination").flat_map(|r| r.refers("destination_arn"));
    trails.chain(exports).chain(flows).chain(findings).filter(|a| a.starts_with("aws_s3_bucket.")).collect()
}
