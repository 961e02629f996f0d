//! What happens to the controls themselves (PCI 10.7.2), and what they find (PCI 11.5.1, 12.10.5).
//!
//! What the account has once is told by the environment that owns the account's baseline; what an environment has of its
//! own, by each. Terraform's own changes are told as well: an apply that touches a control is announced, so whoever is
//! told knows of it.

use aws::document::event_pattern::{EventPattern, Match};
use terraform::{NonEmpty, Stack};

use super::{Inputs, backup};
use crate::alarm::rule::{CALL, Destination, Rule, calls, or_of};
use crate::alarm::table::*;
use crate::alarm::{Entry, Notice};
use crate::config::{EnvConfig, Part, Workload};
use crate::stacks::{deploy, ecr};

/// Adds the rules.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>, to: &Destination<'_>) {
    let mut rules = recording();
    rules.extend(protection(config));
    rules.extend(records(config));
    rules.extend(backup::rules(config, inputs));
    rules.extend(running(config, inputs));
    rules.extend(inputs.network.firewall.is_some().then(firewall));
    let account = &config.account;
    let owned = |part: Option<Part>| part.map_or(account.baseline, |part| account.owns(part));
    rules.extend(
        detection().into_iter().chain(findings()).filter(|(part, _)| owned(*part)).map(|(_, rule)| rule),
    );
    for rule in rules {
        rule.add(stack, config, to);
    }
}

/// A control that somebody changed by a call of the API.
fn tampered(alarm: &'static Entry, pattern: EventPattern) -> Rule {
    Rule { notice: Notice::of(alarm), pattern, fields: CALL }
}

/// What lets connections out.
fn firewall() -> Rule {
    tampered(
        &EGRESS_FIREWALL_CHANGED,
        calls(
            "aws.network-firewall",
            [
                "AssociateFirewallPolicy",
                "DeleteFirewall",
                "DisassociateSubnets",
                "UpdateFirewallDeleteProtection",
                "UpdateFirewallPolicy",
                "UpdateFirewallPolicyChangeProtection",
                "UpdateLoggingConfiguration",
                "UpdateRuleGroup",
                "UpdateSubnetChangeProtection",
            ],
        ),
    )
}

/// Logs, and what tells of them.
fn recording() -> Vec<Rule> {
    vec![
        tampered(
            &LOG_GROUP_CHANGED,
            calls(
                "aws.logs",
                [
                    "DeleteLogGroup",
                    "DeleteLogStream",
                    "PutRetentionPolicy",
                    "DeleteRetentionPolicy",
                    "DisassociateKmsKey",
                    "DeleteSubscriptionFilter",
                    "DeleteDataProtectionPolicy",
                    "DeleteMetricFilter",
                    "DeleteResourcePolicy",
                ],
            ),
        ),
        tampered(&FLOW_LOG_DELETED, calls("aws.ec2", ["DeleteFlowLogs"])),
        tampered(
            &EXPORT_STOPPED,
            calls(
                "aws.firehose",
                ["DeleteDeliveryStream", "StopDeliveryStreamEncryption", "UpdateDestination"],
            ),
        ),
        tampered(
            &ALARMS_CHANGED,
            or_of(
                or_of(
                    calls(
                        "aws.monitoring",
                        [
                            "DeleteAlarms",
                            "DisableAlarmActions",
                            "DeleteRule",
                            "DisableRule",
                            "RemoveTargets",
                            "DeleteTopic",
                            "Unsubscribe",
                            "DeleteSubscription",
                        ],
                    ),
                    "aws.events",
                ),
                "aws.sns",
            ),
        ),
    ]
}

/// What keeps data and the service from harm.
fn protection(config: &EnvConfig) -> Vec<Rule> {
    let own = || Match::prefix(config.names.of(""));
    // Buckets that exist already are watched too, where this account's trail sees what is done to them.
    let storage = &config.storage;
    let audit = storage.audit_bucket.as_ref().map(|bucket| &bucket.name);
    let access = storage.access_bucket.as_ref().map(|bucket| &bucket.name);
    let existing: Vec<String> = audit.into_iter().chain(access).map(ToString::to_string).collect();
    let bucket = |pattern: EventPattern| {
        let existing = existing.iter().map(|name| Match::exact(name.clone()));
        pattern.field(["detail", "requestParameters", "bucketName"], NonEmpty::new(own(), existing))
    };
    vec![
        tampered(
            &WEB_ACL_REMOVED,
            calls(
                "aws.wafv2",
                ["DisassociateWebACL", "DeleteWebACL", "DeleteLoggingConfiguration", "DeleteIPSet"],
            ),
        ),
        tampered(
            &KEY_DISABLED,
            calls(
                "aws.kms",
                [
                    "ScheduleKeyDeletion",
                    "DisableKey",
                    "DisableKeyRotation",
                    "DeleteImportedKeyMaterial",
                    "PutKeyPolicy",
                ],
            ),
        ),
        tampered(
            &BUCKET_EXPOSED,
            bucket(calls(
                "aws.s3",
                [
                    "PutBucketAcl",
                    "PutBucketPolicy",
                    "DeleteBucketPolicy",
                    "PutBucketPublicAccessBlock",
                    "DeleteBucketPublicAccessBlock",
                    "PutBucketOwnershipControls",
                    "DeleteBucketOwnershipControls",
                ],
            )),
        ),
        tampered(
            &BUCKET_WEAKENED,
            bucket(calls(
                "aws.s3",
                [
                    "PutBucketObjectLockConfiguration",
                    "PutBucketVersioning",
                    "PutBucketEncryption",
                    "DeleteBucketEncryption",
                    "PutBucketLogging",
                    "PutBucketLifecycle",
                    "PutBucketLifecycleConfiguration",
                    "DeleteBucketLifecycle",
                    "DeleteBucket",
                ],
            )),
        ),
        Rule {
            notice: Notice::of(&SECRET_DELETED),
            pattern: calls(
                "aws.secretsmanager",
                ["DeleteSecret", "CancelRotateSecret", "DeleteResourcePolicy"],
            ),
            fields: CALL,
        },
        Rule {
            notice: Notice::of(&ROTATION_FAILED),
            pattern: EventPattern::from_source("aws.secretsmanager")
                .detail_type("AWS Service Event via CloudTrail")
                .detail(["eventName"], [Match::exact("RotationFailed")]),
            fields: &[("secret", "$.detail.additionalEventData.SecretId"), ("time", "$.time")],
        },
    ]
}

/// What keeps the records.
fn records(config: &EnvConfig) -> Vec<Rule> {
    let mut rules = Vec::new();
    if config.data.dynamodb.is_some() {
        rules.push(tampered(
            &TABLE_WEAKENED,
            calls(
                "aws.dynamodb",
                [
                    "DeleteTable",
                    "UpdateContinuousBackups",
                    "DeleteBackup",
                    "DeleteResourcePolicy",
                    "PutResourcePolicy",
                ],
            ),
        ));
    }
    if config.data.postgres.is_some() {
        rules.push(tampered(
            &DATABASE_WEAKENED,
            calls(
                "aws.rds",
                [
                    "DeleteDBInstance",
                    "DeleteDBCluster",
                    "DeleteDBInstanceAutomatedBackup",
                    "DeleteDBClusterAutomatedBackup",
                    "DeleteDBSnapshot",
                    "DeleteDBClusterSnapshot",
                    "ModifyDBSnapshotAttribute",
                    "ModifyDBClusterSnapshotAttribute",
                    "StartExportTask",
                ],
            ),
        ));
    }
    rules
}

/// Deployments, tasks and what goes on inside of them.
fn running(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Rule> {
    let of_each = |what: &dyn Fn(Workload<'_>) -> Match| {
        NonEmpty::new(what(config.main_service()), config.workloads().skip(1).map(what))
    };
    let services = || of_each(&|workload| Match::exact(inputs.ecs.services.of(workload).arn.clone()));
    let mut rules = vec![
        Rule {
            notice: Notice::of(&DEPLOYMENT_FAILED),
            pattern: EventPattern::from_source("aws.ecs")
                .detail_type("ECS Deployment State Change")
                .resources(services())
                .detail(["eventName"], [Match::exact("SERVICE_DEPLOYMENT_FAILED")]),
            fields: &[
                ("deployment", "$.detail.deploymentId"),
                ("reason", "$.detail.reason"),
                ("time", "$.time"),
            ],
        },
        Rule {
            notice: Notice::of(&SERVICE_IMPAIRED),
            pattern: EventPattern::from_source("aws.ecs")
                .detail_type("ECS Service Action")
                .resources(services())
                .detail(["eventType"], [Match::exact("WARN"), Match::exact("ERROR")]),
            fields: &[("event", "$.detail.eventName"), ("reason", "$.detail.reason"), ("time", "$.time")],
        },
        Rule {
            notice: Notice::of(&TASK_STOPPED),
            pattern: EventPattern::from_source("aws.ecs")
                .detail_type("ECS Task State Change")
                .detail(["clusterArn"], [Match::exact(inputs.ecs.cluster.arn().text())])
                .field(
                    ["detail", "group"],
                    of_each(&|workload| Match::exact(format!("service:{}", workload.service.name))),
                )
                .detail(["lastStatus"], [Match::exact("STOPPED")])
                .detail(
                    ["stopCode"],
                    [Match::exact("EssentialContainerExited"), Match::exact("TaskFailedToStart")],
                ),
            fields: &[
                ("task", "$.detail.taskArn"),
                ("code", "$.detail.stopCode"),
                ("reason", "$.detail.stoppedReason"),
                ("time", "$.time"),
            ],
        },
        Rule {
            notice: Notice::of(&EXEC_SESSION),
            pattern: calls("aws.ecs", ["ExecuteCommand"]),
            fields: CALL,
        },
    ];
    if inputs.alb.blue_green.is_some() {
        rules.push(Rule {
            notice: Notice::of(&CODEDEPLOY_FAILED),
            // <https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html>
            pattern: EventPattern::from_source("aws.codedeploy")
                .detail_type("CodeDeploy Deployment State-change Notification")
                .detail(["application"], [Match::exact(deploy::application(config))])
                .detail(["state"], [Match::exact("FAILURE"), Match::exact("STOP")]),
            fields: &[
                ("deployment", "$.detail.deploymentId"),
                ("state", "$.detail.state"),
                ("time", "$.time"),
            ],
        });
    }
    if !config.ecr.enhanced_scanning {
        rules.push(Rule {
            notice: Notice::of(&IMAGE_VULNERABLE),
            pattern: EventPattern::from_source("aws.ecr")
                .detail_type("ECR Image Scan")
                .field(
                    ["detail", "repository-name"],
                    of_each(&|workload| Match::exact(ecr::name(config, workload))),
                )
                .detail(["finding-severity-counts", "CRITICAL"], [Match::at_least(1)]),
            fields: &[
                ("repository", "$.detail.repository-name"),
                ("image", "$.detail.image-digest"),
                ("critical", "$.detail.finding-severity-counts.CRITICAL"),
                ("time", "$.time"),
            ],
        });
    }
    rules
}

/// A rule on what the account has once, and the part of the baseline that it is about; `None` for what every baseline has.
/// It is told by the environment that owns the part.
type AccountRule = (Option<Part>, Rule);

/// What watches over the account.
fn detection() -> Vec<AccountRule> {
    vec![
        (
            Some(Part::Trail),
            tampered(
                &TRAIL_CHANGED,
                calls(
                    "aws.cloudtrail",
                    [
                        "StopLogging",
                        "DeleteTrail",
                        "UpdateTrail",
                        "PutEventSelectors",
                        "DeleteEventDataStore",
                    ],
                ),
            ),
        ),
        (
            Some(Part::Recorder),
            tampered(
                &RECORDER_CHANGED,
                calls(
                    "aws.config",
                    [
                        "StopConfigurationRecorder",
                        "DeleteConfigurationRecorder",
                        "DeleteDeliveryChannel",
                        "DeleteConfigRule",
                        "DeleteConformancePack",
                        "DeleteRetentionConfiguration",
                    ],
                ),
            ),
        ),
        (
            Some(Part::GuardDuty),
            tampered(
                &DETECTOR_CHANGED,
                calls(
                    "aws.guardduty",
                    [
                        "DeleteDetector",
                        "UpdateDetector",
                        "DeletePublishingDestination",
                        "DisassociateFromAdministratorAccount",
                        "DisassociateFromMasterAccount",
                        "StopMonitoringMembers",
                        "CreateFilter",
                    ],
                ),
            ),
        ),
        (
            Some(Part::SecurityHub),
            tampered(
                &SECURITY_HUB_CHANGED,
                calls(
                    "aws.securityhub",
                    [
                        "DisableSecurityHub",
                        "BatchDisableStandards",
                        "DisassociateFromAdministratorAccount",
                        "DisassociateFromMasterAccount",
                    ],
                ),
            ),
        ),
        (
            None,
            tampered(
                &SCANNER_DISABLED,
                or_of(
                    or_of(
                        calls("aws.inspector2", ["Disable", "DisableMacie", "DeleteAnalyzer"]),
                        "aws.macie2",
                    ),
                    "aws.access-analyzer",
                ),
            ),
        ),
        (
            None,
            tampered(
                &ACCOUNT_WEAKENED,
                or_of(
                    or_of(
                        calls(
                            "aws.s3",
                            [
                                "PutAccountPublicAccessBlock",
                                "DeleteAccountPublicAccessBlock",
                                "DisableEbsEncryptionByDefault",
                                "UpdateAccountPasswordPolicy",
                                "DeleteAccountPasswordPolicy",
                            ],
                        ),
                        "aws.ec2",
                    ),
                    "aws.iam",
                ),
            ),
        ),
    ]
}

/// What the detectors find. Security Hub repeats what GuardDuty and Inspector found, which is told once.
fn findings() -> Vec<AccountRule> {
    let guardduty = |alarm, matches| Rule {
        notice: Notice::of(alarm),
        pattern: EventPattern::from_source("aws.guardduty")
            .detail_type("GuardDuty Finding")
            .detail(["severity"], [matches]),
        fields: &[
            ("finding", "$.detail.type"),
            ("severity", "$.detail.severity"),
            ("title", "$.detail.title"),
            ("region", "$.region"),
            ("time", "$.time"),
        ],
    };
    vec![
        // <https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html>
        (Some(Part::GuardDuty), guardduty(&THREAT_HIGH, Match::at_least(7))),
        (Some(Part::GuardDuty), guardduty(&THREAT_MEDIUM, Match::between(4, 6.9))),
        (
            Some(Part::SecurityHub),
            Rule {
                notice: Notice::of(&SECURITY_FINDING),
                pattern: EventPattern::from_source("aws.securityhub")
                    .detail_type("Security Hub Findings - Imported")
                    .detail(
                        ["findings", "ProductName"],
                        [Match::anything_but(NonEmpty::new("GuardDuty", ["Inspector"]))],
                    )
                    .detail(["findings", "RecordState"], [Match::exact("ACTIVE")])
                    .detail(
                        ["findings", "Severity", "Label"],
                        [Match::exact("HIGH"), Match::exact("CRITICAL")],
                    )
                    .detail(["findings", "Workflow", "Status"], [Match::exact("NEW")]),
                fields: &[
                    ("finding", "$.detail.findings[0].Title"),
                    ("severity", "$.detail.findings[0].Severity.Label"),
                    ("resource", "$.detail.findings[0].Resources[0].Id"),
                    ("region", "$.region"),
                    ("time", "$.time"),
                ],
            },
        ),
        (
            Some(Part::Inspector),
            Rule {
                notice: Notice::of(&VULNERABILITY_CRITICAL),
                pattern: EventPattern::from_source("aws.inspector2")
                    .detail_type("Inspector2 Finding")
                    .detail(["severity"], [Match::exact("CRITICAL")])
                    .detail(["status"], [Match::exact("ACTIVE")]),
                fields: &[
                    ("finding", "$.detail.title"),
                    ("resource", "$.detail.resources[0].id"),
                    ("region", "$.region"),
                    ("time", "$.time"),
                ],
            },
        ),
        (
            None,
            Rule {
                notice: Notice::of(&AWS_HEALTH),
                pattern: EventPattern::from_source("aws.health")
                    .detail_type("AWS Health Event")
                    .detail(["eventTypeCategory"], [Match::exact("issue"), Match::exact("scheduledChange")]),
                fields: &[
                    ("event", "$.detail.eventTypeCode"),
                    ("service", "$.detail.service"),
                    ("region", "$.region"),
                    ("time", "$.time"),
                ],
            },
        ),
        (
            None,
            Rule {
                notice: Notice::of(&AWS_ABUSE),
                pattern: EventPattern::from_source("aws.health").detail_type("AWS Health Abuse Event"),
                fields: &[
                    ("event", "$.detail.eventTypeCode"),
                    ("service", "$.detail.service"),
                    ("region", "$.region"),
                    ("time", "$.time"),
                ],
            },
        ),
    ]
}
