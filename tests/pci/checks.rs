//! The rows, in the order of `requirements.csv`: what shows that each is satisfied, or why it is not shown here.

use super::On;
use super::On::{Bootstrap, Postgres, Prod};
use super::module::{Module, Resource};
use Verdict::{Elsewhere, Met};
use serde_json::Value;

/// What becomes of a row.
pub enum Verdict {
    /// The check passes on the module.
    Met(On, fn(&Module) -> bool),
    /// Why no check of a generated module shows it.
    Elsewhere(&'static str),
}

const KEY: &str = "aws_kms_key";
const EVERYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

pub const ROWS: &[(&str, Verdict)] = &[
    ("R001", Met(Prod, |m| m.every(INGRESS, explained) && m.every(EGRESS, explained))),
    ("R002", Met(Prod, |m| m.every(INGRESS, |rule| only_at_the_door(rule, "cidr_ipv4")))),
    ("R003", Met(Prod, |m| m.every(INGRESS, |rule| only_at_the_door(rule, "cidr_ipv6")))),
    ("R004", Met(Prod, |m| admits_only(m, "tasks", "alb", 8080))),
    ("R005", Met(Postgres, |m| admits_only(m, "data", "tasks", 5432))),
    (
        "R006",
        Met(Prod, |m| {
            m.every(EGRESS, |rule| {
                rule.is("ip_protocol", "tcp")
                    && !EVERYWHERE.contains(&rule.text("cidr_ipv4"))
                    && (rule.refers("referenced_security_group_id", "aws_security_group")
                        || rule.mentions("prefix_list_id"))
            })
        }),
    ),
    (
        "R007",
        Met(Prod, |m| {
            let needed = ["ecr.api", "ecr.dkr", "logs", "secretsmanager", "kms", "sts", "s3", "dynamodb"];
            let there = |service: &&str| {
                m.some(ENDPOINT, |e| e.text("service_name").ends_with(&format!(".{service}")))
            };
            needed.iter().all(there)
        }),
    ),
    (
        "R008",
        Met(Prod, |m| {
            m.every(ENDPOINT, |e| {
                let guarded = |s: &&Value| {
                    s["Condition"].to_string().contains("aws:PrincipalAccount")
                        || s["Condition"].to_string().contains("aws:ResourceAccount")
                        || s["Resource"] != Value::from(["*"].as_slice())
                };
                !e.statements("policy").is_empty() && e.statements("policy").iter().all(guarded)
            })
        }),
    ),
    (
        "R009",
        Met(Prod, |m| {
            m.all("aws_default_security_group").len() == m.all("aws_vpc").len()
                && m.every("aws_default_security_group", |g| {
                    g.at("ingress").as_array().is_some_and(Vec::is_empty)
                        && g.at("egress").as_array().is_some_and(Vec::is_empty)
                        && g.refers("vpc_id", "aws_vpc")
                })
        }),
    ),
    (
        "R010",
        Met(Prod, |m| {
            m.every("aws_network_acl_rule", |rule| {
                let open = EVERYWHERE.contains(&rule.text("cidr_block"))
                    && rule.is("egress", false)
                    && rule.is("rule_action", "allow");
                let covers = |port| rule.number("from_port") <= port && port <= rule.number("to_port");
                ["allow", "deny"].contains(&rule.text("rule_action")) && !(open && covers(22))
            })
        }),
    ),
    (
        "R011",
        Met(Prod, |m| {
            m.every("aws_network_acl", |acl| {
                acl.list("subnet_ids")
                    .iter()
                    .any(|id| id.as_str().is_some_and(|id| id.contains("aws_subnet")))
            })
        }),
    ),
    (
        "R013",
        Met(Prod, |m| {
            let tables_to = |argument: &str| -> Vec<&str> {
                let routes = m.all("aws_route").into_iter().filter(|route| !route.at(argument).is_null());
                routes.map(|route| route.text("route_table_id")).collect()
            };
            let gateway = tables_to("gateway_id");
            !gateway.is_empty()
                && gateway.iter().all(|table| table.contains(".public"))
                && !tables_to("nat_gateway_id").is_empty()
                && tables_to("nat_gateway_id").iter().all(|table| table.contains(".private"))
        }),
    ),
    ("R014", Met(Prod, |m| m.every("aws_subnet", |subnet| subnet.is("map_public_ip_on_launch", false)))),
    ("R015", Met(Prod, |m| m.every(SERVICE, |s| s.is("network_configuration.assign_public_ip", false)))),
    ("R016", Met(Postgres, |m| m.every(DATABASE, |db| db.is("publicly_accessible", false)))),
    (
        "R017",
        Met(Postgres, |m| {
            m.every("aws_db_subnet_group", |group| {
                let isolated = |id: &&Value| id.as_str().is_some_and(|id| id.contains("aws_subnet.data_"));
                !group.list("subnet_ids").is_empty()
                    && group.list("subnet_ids").iter().all(isolated)
                    && !m.some("aws_route", |route| route.text("route_table_id").contains(".data."))
            })
        }),
    ),
    ("R019", Met(Prod, |m| m.every(LISTENER, |l| l.is("routing_http_response_server_enabled", false)))),
    (
        "R021",
        Met(Postgres, |m| {
            m.every(DATABASE, |db| !["", "*", "admin", "postgres", "root"].contains(&db.text("username")))
        }),
    ),
    ("R022", Met(Prod, |m| every_container(m, |c| c["readonlyRootFilesystem"] == true))),
    ("R023", Met(Prod, |m| every_container(m, |c| !truthy(&c["privileged"]) && c["image"] != "*"))),
    (
        "R024",
        Met(Prod, |m| {
            every_container(m, |c| {
                c["user"].as_str().is_some_and(|user| {
                    !["", "*", "0", "root"].contains(&user.split(':').next().unwrap_or_default())
                })
            })
        }),
    ),
    (
        "R025",
        Met(Prod, |m| {
            m.every(TASK, |task| task.at("pid_mode").is_null() && task.is("network_mode", "awsvpc"))
        }),
    ),
    ("R026", Met(Prod, |m| m.every(SERVICE, |service| service.is("enable_execute_command", false)))),
    (
        "R027",
        Met(Prod, |m| {
            m.every(LISTENER, |l| {
                l.is("protocol", "HTTPS")
                    || (l.is("port", 80)
                        && l.is("default_action.redirect.protocol", "HTTPS")
                        && l.is("default_action.redirect.status_code", "HTTP_301"))
            })
        }),
    ),
    (
        "R028",
        Met(Prod, |m| {
            per_bucket(m, "aws_s3_bucket_ownership_controls", |o| {
                o.is("rule.object_ownership", "BucketOwnerEnforced")
            })
        }),
    ),
    (
        "R029",
        Met(Prod, |m| {
            let tags = m.terraform.pointer("/provider/aws").map(ToString::to_string).unwrap_or_default();
            ["Environment", "Owner", "data_classification", "pci_scope"]
                .iter()
                .all(|tag| tags.contains(&format!("\"{tag}\":")))
                && tags.contains("\"Environment\":\"prod\"")
        }),
    ),
    (
        "R030",
        Met(Prod, |m| {
            per_bucket(m, LIFECYCLE, |l| {
                l.number("rule.expiration.days") > 1
                    && l.number("rule.noncurrent_version_expiration.noncurrent_days") > 1
                    && l.number("rule.abort_incomplete_multipart_upload.days_after_initiation") > 1
            })
        }),
    ),
    (
        "R031",
        Met(Prod, |m| m.every(TABLE, |table| table.is("ttl.enabled", true) || table.name.contains("audit"))),
    ),
    (
        "R032",
        Met(Prod, |m| {
            m.some("aws_cloudwatch_log_data_protection_policy", |p| {
                p.mentions("CreditCardNumber") && p.mentions("Deidentify") && p.mentions("Audit")
            })
        }),
    ),
    (
        "R033",
        Met(Prod, |m| {
            per_bucket(m, ENCRYPTION, |e| {
                let by = "rule.apply_server_side_encryption_by_default";
                let own = e.is(&format!("{by}.sse_algorithm"), "aws:kms")
                    && e.refers(&format!("{by}.kms_master_key_id"), KEY);
                own || (e.name == "access" && e.is(&format!("{by}.sse_algorithm"), "AES256"))
            })
        }),
    ),
    (
        "R034",
        Met(Prod, |m| m.every(ENCRYPTION, |e| e.name == "access" || e.is("rule.bucket_key_enabled", true))),
    ),
    (
        "R035",
        Met(Prod, |m| {
            m.every(TABLE, |table| {
                table.is("server_side_encryption.enabled", true)
                    && table.refers("server_side_encryption.kms_key_arn", KEY)
            })
        }),
    ),
    (
        "R036",
        Met(Postgres, |m| {
            m.every(DATABASE, |db| db.is("storage_encrypted", true) && db.refers("kms_key_id", KEY))
        }),
    ),
    ("R037", Met(Prod, |m| m.every("aws_secretsmanager_secret", |secret| secret.refers("kms_key_id", KEY)))),
    (
        "R038",
        Met(Prod, |m| {
            m.every(REPOSITORY, |r| {
                r.is("encryption_configuration.encryption_type", "KMS")
                    && r.refers("encryption_configuration.kms_key", KEY)
            })
        }),
    ),
    ("R039", Met(Prod, |m| m.every("aws_sns_topic", |topic| topic.refers("kms_master_key_id", KEY)))),
    ("R040", Met(Prod, |m| m.every(LOG_GROUP, |group| group.refers("kms_key_id", KEY)))),
    (
        "R042",
        Met(Prod, |m| {
            m.every(KEY, |key| {
                let public = |s: &&Value| s["Principal"] == "*" || s["Principal"]["AWS"] == "*";
                !key.statements("policy").is_empty() && !key.statements("policy").iter().any(|s| public(&s))
            })
        }),
    ),
    (
        "R043",
        Met(Prod, |m| {
            m.every(ROLE_POLICY, |policy| {
                allowed(policy).iter().all(|s| {
                    let decrypts = actions(s)
                        .iter()
                        .any(|a| ["kms:Decrypt", "kms:ReEncrypt*", "kms:*", "*"].contains(a));
                    !(decrypts && all_resources(s))
                })
            }) && m.some(ROLE_POLICY, |policy| policy.mentions("kms:Decrypt"))
        }),
    ),
    (
        "R044",
        Met(Prod, |m| {
            let keys = m.all(KEY);
            let descriptions: std::collections::BTreeSet<&str> =
                keys.iter().map(|key| key.text("description")).collect();
            descriptions.len() == keys.len()
                && ["logs", "data", "secrets", "artifacts"]
                    .iter()
                    .all(|name| keys.iter().any(|key| key.name == *name))
                && keys.iter().all(|key| key.text("description").len() > 10)
        }),
    ),
    (
        "R045",
        Met(Prod, |m| {
            m.every(KEY, |key| {
                key.is("enable_key_rotation", true)
                    && (90..=365).contains(&key.number("rotation_period_in_days"))
            })
        }),
    ),
    (
        "R046",
        Met(Prod, |m| {
            m.every(KEY, |key| {
                key.is("deletion_window_in_days", 30) && key.is("lifecycle.prevent_destroy", true)
            })
        }),
    ),
    (
        "R048",
        Met(Prod, |m| {
            m.some(LISTENER, |l| l.is("protocol", "HTTPS"))
                && m.every(LISTENER, |l| {
                    let accepted = [
                        "TLS13-1-3-2021-06",
                        "TLS13-1-2-Res-2021-06",
                        "TLS13-1-3-FIPS-2023-04",
                        "TLS13-1-2-Res-FIPS-2023-04",
                        "TLS13-1-2-Res-PQ-2025-09",
                        "TLS13-1-3-PQ-2025-09",
                    ];
                    let policy = l.text("ssl_policy").trim_start_matches("ELBSecurityPolicy-");
                    l.is("protocol", "HTTP") || accepted.contains(&policy)
                })
        }),
    ),
    (
        "R049",
        Met(Prod, |m| {
            m.some(LISTENER, |l| {
                l.is("protocol", "HTTPS")
                    && l.is("port", 443)
                    && l.refers("certificate_arn", "aws_acm_certificate_validation")
            })
        }),
    ),
    (
        "R050",
        Elsewhere(
            "recommended, not required: 4.2.1 is about open networks, and this hop stays within the VPC; the load balancer \
         would not check the tasks' certificate either",
        ),
    ),
    (
        "R051",
        Met(Prod, |m| {
            m.every("aws_acm_certificate", |c| {
                ["RSA_2048", "EC_prime256v1"].contains(&c.text("key_algorithm"))
            })
        }),
    ),
    (
        "R052",
        Met(Prod, |m| {
            m.every("aws_acm_certificate", |c| {
                c.is("validation_method", "DNS") && c.is("lifecycle.create_before_destroy", true)
            })
        }),
    ),
    (
        "R053",
        Met(Prod, |m| {
            per_bucket(m, BUCKET_POLICY, |policy| {
                let tls = |s: &&Value| {
                    s["Effect"] == "Deny" && s["Condition"]["Bool"]["aws:SecureTransport"] == "false"
                };
                let current = |s: &&Value| {
                    s["Effect"] == "Deny" && s["Condition"]["NumericLessThan"]["s3:TlsVersion"] == "1.2"
                };
                policy.statements("policy").iter().any(|s| tls(&s))
                    && policy.statements("policy").iter().any(|s| current(&s))
            })
        }),
    ),
    (
        "R054",
        Met(Postgres, |m| {
            m.every("aws_db_parameter_group", |group| {
                group.list("parameter").iter().any(|p| p["name"] == "rds.force_ssl" && p["value"] == "1")
            })
        }),
    ),
    (
        "R055",
        Met(Prod, |m| {
            m.some(LISTENER, |l| {
                let header = l.text("routing_http_response_strict_transport_security_header_value");
                header == "max-age=31536000; includeSubDomains"
            })
        }),
    ),
    (
        "R056",
        Met(Prod, |m| {
            m.some(DETECTOR_FEATURE, |f| {
                f.is("name", "RUNTIME_MONITORING")
                    && f.is("status", "ENABLED")
                    && f.mentions("ECS_FARGATE_AGENT_MANAGEMENT")
            })
        }),
    ),
    ("R057", Met(Prod, |m| m.every(BALANCER, |lb| lb.is("drop_invalid_header_fields", true)))),
    (
        "R058",
        Met(Prod, |m| {
            m.every(BALANCER, |lb| ["defensive", "strictest"].contains(&lb.text("desync_mitigation_mode")))
        }),
    ),
    ("R059", Met(Prod, |m| m.every(REPOSITORY, |r| r.is("image_scanning_configuration.scan_on_push", true)))),
    (
        "R060",
        Met(Prod, |m| {
            m.every("aws_ecr_registry_scanning_configuration", |s| {
                s.is("scan_type", "ENHANCED")
                    && s.is("rule.scan_frequency", "CONTINUOUS_SCAN")
                    && s.is("rule.repository_filter.filter", "*")
            })
        }),
    ),
    ("R061", Met(Prod, |m| m.every(SERVICE, |service| service.is("platform_version", "LATEST")))),
    ("R062", Met(Postgres, |m| m.every(DATABASE, |db| db.is("auto_minor_version_upgrade", true)))),
    (
        "R064",
        Met(Prod, |m| {
            m.all(BALANCER).iter().all(|lb| {
                let arn = format!("${{aws_lb.{}.arn}}", lb.name);
                m.some("aws_wafv2_web_acl_association", |a| a.is("resource_arn", arn.clone()))
            }) && m.every("aws_wafv2_web_acl_association", |a| a.refers("web_acl_arn", "aws_wafv2_web_acl"))
        }),
    ),
    (
        "R065",
        Met(Prod, |m| {
            m.every(WEB_ACL, |acl| {
                let groups = ["Common", "KnownBadInputs", "SQLi", "IpReputation"];
                let blocks = |rule: &&Value| {
                    rule["override_action"].get("count").is_none() && rule["action"].get("count").is_none()
                };
                groups.iter().all(|group| acl.body["rule"].to_string().contains(group))
                    && acl.mentions("rate_based_statement")
                    && acl.list("rule").iter().all(|rule| blocks(&rule))
            })
        }),
    ),
    (
        "R066",
        Met(Prod, |m| {
            m.every(WEB_ACL, |acl| {
                acl.is("visibility_config.cloudwatch_metrics_enabled", true)
                    && acl
                        .list("rule")
                        .iter()
                        .all(|rule| rule["visibility_config"]["cloudwatch_metrics_enabled"] == true)
            })
        }),
    ),
    ("R067", Met(Prod, |m| m.every(BALANCER, |lb| lb.is("enable_waf_fail_open", false)))),
    (
        "R069",
        Elsewhere(
            "production rolls out with ECS's circuit breaker and the alarms that roll back; a deployment group is there only \
         with the strategy of CodeDeploy, whose own tests look at it",
        ),
    ),
    (
        "R070",
        Met(Bootstrap, |m| {
            let backend = &m.terraform["terraform"]["backend"]["s3"];
            backend["bucket"].as_str().is_some_and(|bucket| bucket.contains("333344445555"))
                && m.some("aws_iam_role", |role| role.text("name").contains("-prod-"))
                && m.some(BUCKET_POLICY, |policy| policy.mentions("Onlyprod"))
        }),
    ),
    ("R071", Met(Prod, |m| m.every(REPOSITORY, |r| r.is("image_tag_mutability", "IMMUTABLE")))),
    (
        "R072",
        Met(Prod, |m| {
            every_container(m, |c| c["image"].as_str().is_some_and(|image| image.contains("@sha256:")))
        }),
    ),
    (
        "R073",
        Met(Prod, |m| {
            m.every(ROLE_POLICY, |policy| {
                let statements = allowed(policy);
                !statements.is_empty()
                    && statements.iter().all(|s| {
                        !(all_resources(s)
                            && actions(s).iter().any(|action| *action == "*" || action.ends_with(":*")))
                    })
            })
        }),
    ),
    (
        "R074",
        Met(Prod, |m| {
            m.every(TASK, |task| {
                task.refers("task_role_arn", "aws_iam_role")
                    && task.text("task_role_arn") != task.text("execution_role_arn")
            })
        }),
    ),
    (
        "R075",
        Met(Bootstrap, |m| {
            let passes = m
                .all(ROLE_POLICY)
                .into_iter()
                .flat_map(allowed)
                .filter(|s| actions(s).contains(&"iam:PassRole"));
            let passes: Vec<&Value> = passes.collect();
            !passes.is_empty()
                && m.some("aws_iam_policy", |p| p.mentions("BootstrapStays"))
                && passes.iter().all(|s| {
                    !all_resources(s) && !s["Condition"]["StringEquals"]["iam:PassedToService"].is_null()
                })
        }),
    ),
    (
        "R076",
        Met(Prod, |m| {
            m.some("aws_iam_role", |role| role.mentions("aws:SourceAccount"))
                && m.every("aws_iam_role", |role| {
                    let guarded = |s: &&Value| {
                        !s["Principal"]["Service"].to_string().contains("ecs-tasks")
                            || (s["Condition"].to_string().contains("aws:SourceAccount")
                                && s["Condition"].to_string().contains("aws:SourceArn"))
                    };
                    !role.statements("assume_role_policy").is_empty()
                        && role.statements("assume_role_policy").iter().all(|s| guarded(&s))
                })
        }),
    ),
    (
        "R077",
        Met(Prod, |m| {
            ["ACCOUNT", "ACCOUNT_UNUSED_ACCESS"]
                .iter()
                .all(|kind| m.some("aws_accessanalyzer_analyzer", |a| a.is("type", *kind)))
        }),
    ),
    ("R078", Met(Prod, |m| m.every("aws_s3_account_public_access_block", blocks_public))),
    ("R079", Met(Prod, |m| per_bucket(m, "aws_s3_bucket_public_access_block", blocks_public))),
    (
        "R080",
        Met(Prod, |m| {
            m.all("aws_iam_user").is_empty()
                && m.all("aws_iam_access_key").is_empty()
                && !m.all("aws_iam_role").is_empty()
        }),
    ),
    (
        "R081",
        Met(Prod, |m| {
            m.every("aws_iam_account_password_policy", |p| {
                p.number("minimum_password_length") >= 14
                    && p.number("password_reuse_prevention") >= 24
                    && (2..=90).contains(&p.number("max_password_age"))
                    && p.is("require_uppercase_characters", true)
                    && p.is("require_lowercase_characters", true)
                    && p.is("require_numbers", true)
            })
        }),
    ),
    (
        "R083",
        Met(Bootstrap, |m| {
            m.every("aws_iam_role", |role| {
                let issuer = "token.actions.githubusercontent.com";
                role.statements("assume_role_policy").iter().all(|s| {
                    let equals = &s["Condition"]["StringEquals"];
                    let subject = equals[&format!("{issuer}:sub")].as_str().unwrap_or_default();
                    equals[&format!("{issuer}:aud")] == "sts.amazonaws.com"
                        && !subject.contains('*')
                        && (subject.ends_with(":environment:prod") || subject.ends_with(":pull_request"))
                })
            })
        }),
    ),
    (
        "R084",
        Met(Prod, |m| {
            every_container(m, |c| {
                let variables = c["environment"].as_array().map(Vec::as_slice).unwrap_or_default();
                let secret = |v: &Value| {
                    ["SECRET", "PASSWORD", "TOKEN", "API_KEY"]
                        .iter()
                        .any(|part| v["name"].as_str().is_some_and(|name| name == "*" || name.contains(part)))
                };
                let from = c["secrets"].as_array().map(Vec::as_slice).unwrap_or_default();
                !variables.iter().any(secret)
                    && !from.is_empty()
                    && from.iter().all(|s| s["valueFrom"].is_string())
            })
        }),
    ),
    (
        "R085",
        Met(Prod, |m| {
            m.every("aws_secretsmanager_secret_version", |version| {
                version.at("secret_string").is_null()
                    && version.text("secret_string_wo").starts_with("${ephemeral.")
            })
        }),
    ),
    (
        "R086",
        Elsewhere(
            "the master user of PostgreSQL is rotated by RDS; the service's own keys rotate where a function is named, and \
         otherwise bear the exception and its review as tags (8.6.3 leaves the frequency to the risk analysis of 12.3.1)",
        ),
    ),
    ("R087", Met(Postgres, |m| m.every(DATABASE, |db| db.is("iam_database_authentication_enabled", true)))),
    (
        "R088",
        Met(Prod, |m| {
            m.every(TRAIL, |t| {
                t.is("is_multi_region_trail", true)
                    && t.is("include_global_service_events", true)
                    && t.is("enable_logging", true)
            })
        }),
    ),
    (
        "R089",
        Met(Prod, |m| {
            m.every(TRAIL, |t| {
                ["AWS::S3::Object", "AWS::DynamoDB::Table", "Management"].iter().all(|part| t.mentions(part))
                    && t.at("event_selector").is_null()
            })
        }),
    ),
    ("R090", Met(Prod, |m| m.every(TRAIL, |t| t.refers("kms_key_id", KEY)))),
    ("R091", Met(Prod, |m| m.every(TRAIL, |t| t.is("enable_log_file_validation", true)))),
    (
        "R092",
        Met(Prod, |m| {
            m.every(TRAIL, |t| {
                t.refers("cloud_watch_logs_group_arn", LOG_GROUP)
                    && t.text("cloud_watch_logs_group_arn").ends_with(":*")
            })
        }),
    ),
    (
        "R093",
        Met(Prod, |m| {
            m.every("aws_s3_bucket_object_lock_configuration", |lock| {
                lock.is("rule.default_retention.mode", "COMPLIANCE")
                    && lock.number("rule.default_retention.days") >= 365
            })
        }),
    ),
    (
        "R094",
        Met(Prod, |m| {
            per_bucket(m, "aws_s3_bucket_versioning", |v| v.is("versioning_configuration.status", "Enabled"))
        }),
    ),
    ("R095", Met(Prod, |m| m.every(LOG_GROUP, |group| group.number("retention_in_days") >= 365))),
    (
        "R096",
        Met(Prod, |m| {
            m.every(LIFECYCLE, |l| {
                let late = l.list("rule").iter().all(|rule| {
                    let moves = rule["transition"].as_array().map(Vec::as_slice).unwrap_or_default();
                    moves
                        .iter()
                        .all(|to| to["storage_class"] == "STANDARD_IA" || to["days"].as_i64() >= Some(90))
                });
                late && (l.number("rule.expiration.days") >= 365 || l.name == "artifacts")
            })
        }),
    ),
    (
        "R097",
        Met(Prod, |m| {
            m.all("aws_s3_bucket").iter().filter(|b| b.name != "access").all(|bucket| {
                m.some("aws_s3_bucket_logging", |l| {
                    l.name == bucket.name && l.is("target_bucket", "${aws_s3_bucket.access.id}")
                })
            }) && !m.all("aws_s3_bucket").is_empty()
        }),
    ),
    ("R098", Met(Prod, |m| m.every(BALANCER, |lb| lb.is("access_logs.enabled", true)))),
    (
        "R099",
        Met(Prod, |m| {
            m.every("aws_wafv2_web_acl_logging_configuration", |l| {
                l.mentions("authorization") && l.mentions("cookie")
            }) && m.some(LOG_GROUP, |group| group.text("name").starts_with("aws-waf-logs-"))
        }),
    ),
    (
        "R100",
        Met(Prod, |m| {
            m.every("aws_flow_log", |log| log.is("traffic_type", "ALL") && log.refers("vpc_id", "aws_vpc"))
        }),
    ),
    (
        "R101",
        Met(Prod, |m| {
            every_container(m, |c| {
                c["logConfiguration"]["logDriver"] == "awslogs"
                    && c["logConfiguration"]["options"]["mode"] == "blocking"
            })
        }),
    ),
    (
        "R102",
        Met(Postgres, |m| {
            m.every(DATABASE, |db| {
                let exports = db.at("enabled_cloudwatch_logs_exports").to_string();
                exports.contains("postgresql") && exports.contains("upgrade")
            })
        }),
    ),
    (
        "R103",
        Elsewhere(
            "the public zone is looked up, not owned: other names of the organization live in it, and whoever owns it logs its \
         queries; that the VPC's own resolver logs what is asked is not generated yet",
        ),
    ),
    (
        "R104",
        Met(Prod, |m| {
            ["audit", "config", "access"].iter().all(|name| {
                m.some(BUCKET_POLICY, |policy| policy.name == *name && policy.mentions("PlatformDoesNotRead"))
            })
        }),
    ),
    (
        "R105",
        Met(Prod, |m| {
            let events = [
                "Root",
                "Unauthorized",
                "DeleteTrail",
                "ScheduleKeyDeletion",
                "AuthorizeSecurityGroupIngress",
                "CreateNetworkAcl",
                "CreateRoute",
                "CreateVpc",
                "PutBucketPolicy",
                "ConsoleLogin",
            ];
            events.iter().all(|event| {
                m.some("aws_cloudwatch_log_metric_filter", |f| f.text("pattern").contains(event))
            })
        }),
    ),
    (
        "R106",
        Met(Prod, |m| {
            m.some("aws_securityhub_standards_subscription", |s| {
                s.text("standards_arn").ends_with("::standards/pci-dss/v/4.0.1")
            })
        }),
    ),
    (
        "R107",
        Met(Prod, |m| {
            let events = [
                "StopLogging",
                "DeleteTrail",
                "StopConfigurationRecorder",
                "DeleteDetector",
                "DisassociateWebACL",
                "ScheduleKeyDeletion",
            ];
            events.iter().all(|event| m.some(EVENT_RULE, |rule| rule.mentions(event)))
        }),
    ),
    (
        "R109",
        Met(Prod, |m| {
            m.every("aws_inspector2_enabler", |i| {
                ["ECR", "EC2", "LAMBDA", "LAMBDA_CODE"]
                    .iter()
                    .all(|kind| i.list("resource_types").iter().any(|t| *t == kind))
            })
        }),
    ),
    ("R111", Met(Prod, |m| m.every("aws_guardduty_detector", |detector| detector.is("enable", true)))),
    (
        "R112",
        Met(Prod, |m| {
            let plans =
                ["S3_DATA_EVENTS", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "EBS_MALWARE_PROTECTION"];
            plans
                .iter()
                .all(|plan| m.some(DETECTOR_FEATURE, |f| f.is("name", *plan) && f.is("status", "ENABLED")))
        }),
    ),
    (
        "R113",
        Met(Prod, |m| {
            m.every("aws_config_configuration_recorder", |r| {
                r.is("recording_group.all_supported", true)
                    && r.is("recording_group.include_global_resource_types", true)
                    && r.text("role_arn").ends_with("/AWSServiceRoleForConfig")
            }) && m.every("aws_config_configuration_recorder_status", |s| s.is("is_enabled", true))
        }),
    ),
    (
        "R114",
        Met(Postgres, |m| {
            m.some("aws_db_event_subscription", |s| {
                ["maintenance", "configuration change", "failure"].iter().all(|category| s.mentions(category))
            })
        }),
    ),
    (
        "R117",
        Met(Prod, |m| {
            ["GuardDuty Finding", "Security Hub Findings - Imported"]
                .iter()
                .all(|kind| m.some(EVENT_RULE, |rule| rule.mentions(kind)))
                && m.every("aws_sns_topic_subscription", |s| s.refers("topic_arn", "aws_sns_topic"))
        }),
    ),
    (
        "R118",
        Met(Prod, |m| {
            m.some("aws_iam_role_policy_attachment", |a| {
                a.text("policy_arn").ends_with(":aws:policy/AWSSupportAccess")
            })
        }),
    ),
    ("R119", Met(Prod, |m| m.every(TABLE, |table| table.is("point_in_time_recovery.enabled", true)))),
];

const BALANCER: &str = "aws_lb";
const BUCKET_POLICY: &str = "aws_s3_bucket_policy";
const DATABASE: &str = "aws_db_instance";
const DETECTOR_FEATURE: &str = "aws_guardduty_detector_feature";
const EGRESS: &str = "aws_vpc_security_group_egress_rule";
const ENCRYPTION: &str = "aws_s3_bucket_server_side_encryption_configuration";
const ENDPOINT: &str = "aws_vpc_endpoint";
const EVENT_RULE: &str = "aws_cloudwatch_event_rule";
const INGRESS: &str = "aws_vpc_security_group_ingress_rule";
const LIFECYCLE: &str = "aws_s3_bucket_lifecycle_configuration";
const LISTENER: &str = "aws_lb_listener";
const LOG_GROUP: &str = "aws_cloudwatch_log_group";
const REPOSITORY: &str = "aws_ecr_repository";
const ROLE_POLICY: &str = "aws_iam_role_policy";
const SERVICE: &str = "aws_ecs_service";
const TABLE: &str = "aws_dynamodb_table";
const TASK: &str = "aws_ecs_task_definition";
const TRAIL: &str = "aws_cloudtrail";
const WEB_ACL: &str = "aws_wafv2_web_acl";

/// A name and a reason: `alb_https_ipv4: Clients reach the service by HTTPS`.
fn explained(rule: Resource<'_>) -> bool {
    rule.text("description")
        .split_once(": ")
        .is_some_and(|(name, reason)| !name.is_empty() && reason.len() > 10)
}

/// What everybody may reach is the load balancer on 443, and on 80 for the redirect.
fn only_at_the_door(rule: Resource<'_>, argument: &str) -> bool {
    let open = EVERYWHERE.contains(&rule.text(argument));
    let door = rule.is("security_group_id", "${aws_security_group.alb.id}")
        && [80, 443].contains(&rule.number("to_port"));
    rule.is("ip_protocol", "tcp") && (!open || door)
}

/// All that reaches a security group comes from another one, on one port.
fn admits_only(module: &Module, group: &str, from: &str, port: i64) -> bool {
    let id = |name: &str| format!("${{aws_security_group.{name}.id}}");
    let rules = module.all(INGRESS);
    let mut to = rules.iter().filter(|rule| rule.is("security_group_id", id(group))).peekable();
    to.peek().is_some()
        && to.all(|rule| {
            rule.is("referenced_security_group_id", id(from))
                && rule.number("from_port") == port
                && rule.number("to_port") == port
        })
}

/// Every bucket has one of these, and all of them are so.
fn per_bucket(module: &Module, kind: &str, so: impl Fn(Resource<'_>) -> bool) -> bool {
    let buckets = module.all("aws_s3_bucket");
    !buckets.is_empty()
        && buckets.iter().all(|bucket| module.some(kind, |part| part.name == bucket.name && so(part)))
}

fn every_container(module: &Module, so: impl Fn(&Value) -> bool) -> bool {
    module.every(TASK, |task| {
        let containers = task.list("container_definitions");
        !containers.is_empty() && containers.into_iter().all(&so)
    })
}

fn blocks_public(block: Resource<'_>) -> bool {
    ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
        .iter()
        .all(|argument| block.is(argument, true))
}

fn truthy(value: &Value) -> bool {
    *value == Value::Bool(true)
}

/// The statements of a role's policy that allow.
fn allowed(policy: Resource<'_>) -> Vec<&Value> {
    policy.statements("policy").into_iter().filter(|s| s["Effect"] != "Deny").collect()
}

fn actions(statement: &Value) -> Vec<&str> {
    let actions = statement["Action"].as_array().map(Vec::as_slice).unwrap_or_default();
    actions.iter().filter_map(Value::as_str).collect()
}

fn all_resources(statement: &Value) -> bool {
    statement["Resource"].as_array().is_some_and(|resources| resources.iter().any(|resource| resource == "*"))
}
