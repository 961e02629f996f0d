//! Requirements 5, 10.4, 10.7, 11 and 12.10: what watches, and whom it tells.

use std::collections::BTreeSet;

use super::{DATABASES, Row, beside, postgres, row};
use crate::config::credential_in_address;
use crate::control::platform::{Outcome, Platform, Resource, list, texts};

const FEATURE: &str = "aws_guardduty_detector_feature";
const RULE: &str = "aws_cloudwatch_event_rule";
const FILTER: &str = "aws_cloudwatch_log_metric_filter";

pub(super) const ROWS: &[Row] = &[
    row(
        "R056",
        "GuardDuty watches the tasks at run time and brings its agent itself",
        |p| {
            p.one(FEATURE, "RUNTIME_MONITORING", |r| {
                r.text("name") == "RUNTIME_MONITORING"
                    && r.text("status") == "ENABLED"
                    && r.blocks("additional_configuration")
                        .iter()
                        .any(|c| c["name"] == "ECS_FARGATE_AGENT_MANAGEMENT" && c["status"] == "ENABLED")
            })
        },
        &[
            ("aws_guardduty_detector_feature.runtime_monitoring", "status", "\"DISABLED\""),
            ("aws_guardduty_detector_feature.runtime_monitoring", "additional_configuration", "[]"),
        ],
    ),
    row(
        "R105",
        "the trail's log is searched for what the CIS benchmark names, and a match rings an alarm that somebody subscribes \
         to: the first one, but of refused calls and of failed sign-ins the fifth within five minutes",
        |p| {
            let events = [
                "userIdentity.type=\"Root\"",
                "UnauthorizedOperation",
                "DeleteGroupPolicy",
                "StopLogging",
                "ScheduleKeyDeletion",
                "AuthorizeSecurityGroupIngress",
                "CreateNetworkAcl",
                "CreateRoute)",
                "CreateVpc)",
                "MFAUsed",
                "Failed authentication",
                "PutBucketPolicy",
                "StopConfigurationRecorder",
            ];
            p.one_for_each(FILTER, &events, |filter, event| {
                let trailed =
                    p.of_kind("aws_cloudtrail").flat_map(|t| t.refers("cloud_watch_logs_group_arn"));
                let group = filter.refers("log_group_name");
                filter.text("pattern").contains(event)
                    && trailed.into_iter().any(|trail| group.contains(&trail))
                    && rings(p, filter)
            })
            .and(p.each("aws_cloudwatch_metric_alarm", |alarm| alarm.is("actions_enabled", true)))
        },
        &[
            ("aws_cloudwatch_log_metric_filter.root_used", "pattern", "\"\""),
            ("aws_cloudwatch_log_metric_filter.vpcs_changed", "metric_transformation.name", "\"Other\""),
            ("aws_cloudwatch_metric_alarm", "actions_enabled", "false"),
            ("aws_cloudwatch_metric_alarm.root_used", "alarm_actions", "[]"),
            ("aws_cloudwatch_metric_alarm.root_used", "threshold", "5"),
            ("aws_cloudwatch_metric_alarm.login_failed", "threshold", "6"),
            ("aws_cloudwatch_metric_alarm.root_used", "comparison_operator", "\"LessThanThreshold\""),
            ("aws_cloudwatch_metric_alarm.root_used", "statistic", "\"Minimum\""),
            ("aws_cloudwatch_metric_alarm.root_used", "evaluation_periods", "3"),
            ("aws_cloudwatch_metric_alarm.root_used", "period", "86400"),
            ("aws_cloudwatch_log_metric_filter.root_used", "metric_transformation.value", "\"0\""),
        ],
    ),
    row(
        "R106",
        "Security Hub measures the account by PCI DSS 4.0.1, with every control of the standard on",
        |p| {
            let off = |r: Resource| {
                r.text("association_status") != "ENABLED"
                    && r.text("control_status") != "ENABLED"
                    && STANDARD.lines().any(|control| {
                        let arn = r.text("standards_control_arn");
                        r.text("security_control_id") == control || arn.rsplit('/').next() == Some(control)
                    })
            };
            let controls =
                ["aws_securityhub_standards_control_association", "aws_securityhub_standards_control"];
            let switched: BTreeSet<String> = controls
                .iter()
                .flat_map(|kind| p.of_kind(kind))
                .filter(|r| off(*r))
                .map(|r| r.address.to_owned())
                .collect();
            p.one("aws_securityhub_standards_subscription", "PCI DSS 4.0.1", |r| {
                r.text("standards_arn").ends_with("::standards/pci-dss/v/4.0.1")
            })
            .and(p.each("aws_securityhub_account", |_| true))
            .and(Outcome { failed: switched, ..Outcome::default() })
        },
        &[
            (
                "aws_securityhub_standards_control_association",
                "",
                r#"{"security_control_id":"ECS.2","association_status":"DISABLED","standards_arn":"${aws_securityhub_standards_subscription.pci.standards_arn}"}"#,
            ),
            (
                "aws_securityhub_standards_subscription.pci",
                "standards_arn",
                "\"arn:aws:securityhub:us-east-1::standards/pci-dss/v/3.2.1\"",
            ),
        ],
    ),
    row(
        "R107",
        "whoever stops a control of security is told of: trail, Config, GuardDuty, web ACL, keys",
        |p| {
            let calls = [
                "StopLogging",
                "DeleteTrail",
                "StopConfigurationRecorder",
                "DeleteDetector",
                "DisassociateWebACL",
                "ScheduleKeyDeletion",
            ];
            p.one_for_each(RULE, &calls, |rule, call| {
                list(&rule.body["event_pattern"]["detail"]["eventName"]).iter().any(|name| name == call)
                    && tells(p, rule)
            })
        },
        &[
            (
                "aws_cloudwatch_event_rule.trail_changed",
                "event_pattern.detail.eventName",
                "[\"StopLogging\"]",
            ),
            ("aws_cloudwatch_event_rule.key_disabled", "state", "\"DISABLED\""),
            ("aws_cloudwatch_event_target.web_acl_removed", "arn", "\"${aws_sns_topic.other.arn}\""),
        ],
    ),
    row(
        "R121",
        "no subscriber's address bears a credential, which would stand in the repository and in the state",
        |p| {
            p.any_of(&["aws_sns_topic_subscription"], |r| credential_in_address(r.text("endpoint")).is_none())
        },
        &[(
            "aws_sns_topic_subscription",
            "endpoint",
            "\"https://events.pagerduty.com/integration/0123456789abcdef/enqueue\"",
        )],
    ),
    row(
        "R109",
        "Inspector scans images, instances, functions and their code",
        |p| {
            p.each("aws_inspector2_enabler", |r| {
                let types = r.texts("resource_types");
                ["ECR", "EC2", "LAMBDA", "LAMBDA_CODE"].iter().all(|kind| types.contains(kind))
            })
        },
        &[("aws_inspector2_enabler", "resource_types", "[\"ECR\"]")],
    ),
    row(
        "R111",
        "GuardDuty is on, and nothing archives or suppresses what it or another detector finds",
        |p| {
            p.each("aws_guardduty_detector", |r| r.is("enable", true)).and(p.none(&[
                "aws_accessanalyzer_archive_rule",
                "aws_guardduty_filter",
                "aws_guardduty_ipset",
                "aws_inspector2_filter",
                "aws_securityhub_automation_rule",
            ]))
        },
        &[
            ("aws_guardduty_detector", "enable", "false"),
            ("aws_guardduty_filter", "action", "\"ARCHIVE\""),
            ("aws_securityhub_automation_rule", "rule_name", "\"noise\""),
            ("aws_inspector2_filter", "action", "\"SUPPRESS\""),
        ],
    ),
    row(
        "R112",
        "GuardDuty's plans for buckets, databases, functions, disks and Kubernetes are on",
        |p| {
            let plans = [
                "S3_DATA_EVENTS",
                "RDS_LOGIN_EVENTS",
                "LAMBDA_NETWORK_LOGS",
                "EBS_MALWARE_PROTECTION",
                "EKS_AUDIT_LOGS",
            ];
            p.one_for_each(FEATURE, &plans, |r, plan| r.text("name") == plan && r.text("status") == "ENABLED")
        },
        &[
            ("aws_guardduty_detector_feature.s3_data_events", "status", "\"DISABLED\""),
            ("aws_guardduty_detector_feature.rds_login_events", "name", "\"OTHER\""),
        ],
    ),
    row(
        "R113",
        "AWS Config records every type, the global ones too, is on, and has its service-linked role",
        |p| {
            let recorder = "aws_config_configuration_recorder";
            beside(p, recorder, "aws_config_configuration_recorder_status", "name", |r| {
                r.is("is_enabled", true)
            })
            .and(p.each(recorder, |r| {
                r.all(&["recording_group.all_supported", "recording_group.include_global_resource_types"])
                    && r.text("role_arn").ends_with("/AWSServiceRoleForConfig")
            }))
        },
        &[
            ("aws_config_configuration_recorder", "recording_group.all_supported", "false"),
            ("aws_config_configuration_recorder", "role_arn", "\"${aws_iam_role.config.arn}\""),
            ("aws_config_configuration_recorder_status", "is_enabled", "false"),
        ],
    ),
    postgres(
        "R114",
        "somebody is told when an instance or a cluster fails, is maintained or configured anew, when a group of \
         parameters changes, and when a group of security does",
        |p| {
            let subscribed = |source: &str, categories: &[&str]| {
                p.one("aws_db_event_subscription", source, |r| {
                    let told = r.texts("event_categories");
                    r.text("source_type") == source
                        && categories.iter().all(|category| told.contains(category))
                        && !r.is("enabled", false)
                        && r.refers("sns_topic").iter().any(|topic| heard(p, topic))
                })
            };
            let changes = ["maintenance", "configuration change", "failure"];
            let sources = [
                ("aws_db_instance", "db-instance"),
                ("aws_rds_cluster", "db-cluster"),
                ("aws_rds_cluster_instance", "db-instance"),
            ];
            sources
                .iter()
                .filter(|(kind, _)| p.of_kind(kind).next().is_some())
                .map(|(_, source)| subscribed(source, &changes))
                .fold(p.each_of(&DATABASES, |_| true), Outcome::and)
                .and(subscribed("db-parameter-group", &["configuration change"]))
                .and(subscribed("db-security-group", &["configuration change", "failure"]))
        },
        &[
            ("aws_db_event_subscription", "event_categories", "[\"backup\"]"),
            ("aws_db_event_subscription", "enabled", "false"),
        ],
    ),
    row(
        "R117",
        "what GuardDuty and Security Hub find reaches somebody",
        |p| {
            let findings =
                ["aws.guardduty GuardDuty Finding", "aws.securityhub Security Hub Findings - Imported"];
            p.one_for_each(RULE, &findings, |rule, finding| {
                let pattern = &rule.body["event_pattern"];
                let (source, kind) = finding.split_once(' ').unwrap_or_default();
                texts(&pattern["source"]).contains(&source)
                    && texts(&pattern["detail-type"]).contains(&kind)
                    && tells(p, rule)
            })
        },
        &[
            ("aws_cloudwatch_event_rule.security_finding", "state", "\"DISABLED\""),
            ("aws_cloudwatch_event_target.security_finding", "arn", "\"${aws_sns_topic.other.arn}\""),
        ],
    ),
];

/// The controls of Security Hub's standard for PCI DSS 4.0.1, one a line, of 2026-04-06.
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/pci-standard.html>
const STANDARD: &str = include_str!("securityhub-pci-4.0.1.txt");

/// Whether somebody subscribes to the topic and is told of everything.
fn heard(p: &Platform, topic: &str) -> bool {
    p.referring("aws_sns_topic_subscription", "topic_arn", topic)
        .any(|r| !r.text("endpoint").is_empty() && r.at("filter_policy").is_null())
}

/// Whether a rule on events is on, and tells a topic that somebody subscribes to.
fn tells(p: &Platform, rule: Resource) -> bool {
    rule.text("state") == "ENABLED"
        && p.referring("aws_cloudwatch_event_target", "rule", rule.address)
            .any(|target| target.refers("arn").iter().any(|topic| heard(p, topic)))
}

/// Whether an alarm on the metric of a filter tells a topic that somebody subscribes to.
fn rings(p: &Platform, filter: Resource) -> bool {
    let metric = |alarm: &Resource| {
        alarm.at("metric_name") == filter.at("metric_transformation.name")
            && alarm.at("namespace") == filter.at("metric_transformation.namespace")
    };
    // Guesses and doors that are tried are told of when there are several; the trail keeps each of them.
    let several = ["UnauthorizedOperation", "Failed authentication"];
    let most = if several.iter().any(|event| filter.text("pattern").contains(event)) { 5 } else { 1 };
    let counts = |alarm: &Resource| {
        let at_once = alarm.text("comparison_operator") == "GreaterThanOrEqualToThreshold"
            && (1..=most).contains(&alarm.number("threshold"));
        at_once
            && alarm.text("statistic") == "Sum"
            && alarm.number("evaluation_periods") == 1
            && alarm.number("period") <= 300
    };
    filter.text("metric_transformation.value") == "1"
        && p.of_kind("aws_cloudwatch_metric_alarm")
            .filter(metric)
            .filter(counts)
            .any(|alarm| alarm.refers("alarm_actions").iter().any(|topic| heard(p, topic)))
}
