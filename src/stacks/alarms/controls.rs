//! What happens to the controls themselves (PCI 10.7.2), and what they find (PCI 11.5.1, 12.10.5).
//!
//! What the account has once is told by the environment that owns the account's baseline; what an environment has of its
//! own, by each. Terraform's own changes are told as well: an apply that touches a control is announced, so whoever is
//! told knows of it.

use aws::document::event_pattern::{EventPattern, Match};
use terraform::{NonEmpty, Stack};

use super::notice::Notice;
use super::rule::{CALL, Destination, Rule, calls, or_of};
use super::{Inputs, backup};
use crate::config::{EnvConfig, Part, Workload};
use crate::names::Topic;
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

fn notice(name: &'static str, to: Topic, means: &'static str, first: &'static str) -> Notice {
    Notice { name, instance: None, to, means, first }
}

/// A control that somebody changed by a call of the API.
fn tampered(name: &'static str, means: &'static str, first: &'static str, pattern: EventPattern) -> Rule {
    Rule { notice: notice(name, Topic::Page, means, first), pattern, fields: CALL }
}

const WHO: &str =
    "ask whoever made the call; if nobody knows of it, restore it by an apply and treat it as an incident.";

/// What lets connections out.
fn firewall() -> Rule {
    tampered(
        "egress-firewall-changed",
        "The network firewall, its rules, its log or its protection was changed or taken away (PCI 1.2.2, 10.7.2).",
        WHO,
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
            "log-group-changed",
            "A log group was deleted, keeps its events for another time, or is no longer encrypted, masked or exported.",
            WHO,
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
        tampered(
            "flow-log-deleted",
            "A flow log was deleted: traffic is no longer recorded.",
            WHO,
            calls("aws.ec2", ["DeleteFlowLogs"]),
        ),
        tampered(
            "export-stopped",
            "The export of logs to the audit bucket was changed or deleted.",
            WHO,
            calls(
                "aws.firehose",
                ["DeleteDeliveryStream", "StopDeliveryStreamEncryption", "UpdateDestination"],
            ),
        ),
        tampered(
            "alarms-changed",
            "Alarms, rules on events, topics or their subscribers were switched off or deleted.",
            WHO,
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
            "web-acl-removed",
            "A web ACL was taken off the load balancer, deleted, or no longer logs: requests pass unfiltered or \
             unrecorded.",
            WHO,
            calls(
                "aws.wafv2",
                ["DisassociateWebACL", "DeleteWebACL", "DeleteLoggingConfiguration", "DeleteIPSet"],
            ),
        ),
        tampered(
            "key-disabled",
            "A key was disabled, will be deleted, or no longer rotates; what it encrypts cannot be read without it.",
            "cancel the deletion or enable the key, then ask whoever made the call.",
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
            "bucket-exposed",
            "A bucket's policy, its access control or the block of public access was changed.",
            "see whether the bucket is still private and speaks TLS only; restore it by an apply.",
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
            "bucket-weakened",
            "A bucket's Object Lock, versioning, encryption, access log or lifecycle was changed.",
            WHO,
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
            notice: notice(
                "secret-deleted",
                Topic::Page,
                "A secret will be deleted, or no longer rotates; tasks cannot start without it.",
                "restore the secret, then ask whoever made the call.",
            ),
            pattern: calls(
                "aws.secretsmanager",
                ["DeleteSecret", "CancelRotateSecret", "DeleteResourcePolicy"],
            ),
            fields: CALL,
        },
        Rule {
            notice: notice(
                "rotation-failed",
                Topic::Notify,
                "A secret could not be rotated; the old one stays valid.",
                "read the log of the rotation, and rotate by hand before the period is over.",
            ),
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
            "table-weakened",
            "A table, its backups or its policy was deleted or changed.",
            "restore the table to the time before the call if records are gone, then ask whoever made the call.",
            calls(
                "aws.dynamodb",
                ["DeleteTable", "UpdateContinuousBackups", "DeleteBackup", "DeleteResourcePolicy", "PutResourcePolicy"],
            ),
        ));
    }
    if config.data.postgres.is_some() {
        rules.push(tampered(
            "database-weakened",
            "A database or its backups were deleted, or a snapshot was given to somebody.",
            "take the snapshot back or restore the database, then ask whoever made the call.",
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
    let services = || of_each(&|workload| Match::exact(inputs.ecs.services.of(workload).service.id()));
    let mut rules = vec![
        Rule {
            notice: notice(
                "deployment-failed",
                Topic::Notify,
                "A deployment failed; with the circuit breaker on, the service runs its previous version again.",
                "read the reason in the message and the log of the tasks that stopped, before you deploy again.",
            ),
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
            notice: notice(
                "service-impaired",
                Topic::Notify,
                "ECS cannot start or keep the service's tasks: no capacity, no image, or tasks that fail over and over.",
                "read the service's events; they name the cause.",
            ),
            pattern: EventPattern::from_source("aws.ecs")
                .detail_type("ECS Service Action")
                .resources(services())
                .detail(["eventType"], [Match::exact("WARN"), Match::exact("ERROR")]),
            fields: &[("event", "$.detail.eventName"), ("reason", "$.detail.reason"), ("time", "$.time")],
        },
        Rule {
            notice: notice(
                "task-stopped",
                Topic::Notify,
                "A task ended by itself, was killed for its memory, or did not start.",
                "read the reason in the message, then the log of the task.",
            ),
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
            notice: notice(
                "exec-session",
                Topic::Notify,
                "Somebody opened a shell in a container (PCI 10.2.1.2).",
                "find the request that it belongs to; what was typed stands in the log group of ECS Exec.",
            ),
            pattern: calls("aws.ecs", ["ExecuteCommand"]),
            fields: CALL,
        },
    ];
    if inputs.alb.blue_green.is_some() {
        rules.push(Rule {
            notice: notice(
                "codedeploy-failed",
                Topic::Notify,
                "CodeDeploy stopped a deployment or moved the traffic back; the previous version serves.",
                "see in the deployment which step or which alarm ended it, before you deploy again.",
            ),
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
            notice: notice(
                "image-vulnerable",
                Topic::Notify,
                "A scan found critical vulnerabilities in an image of the service (PCI 6.3.3, 11.3.1).",
                "see the findings in ECR, and whether the image runs; build it anew with the fixes.",
            ),
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
                "trail-changed",
                "The audit trail was stopped, deleted or records less.",
                "start the trail again, then ask whoever made the call; what went by meanwhile is lost.",
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
                "recorder-changed",
                "AWS Config was stopped, or its rules or its delivery were deleted.",
                WHO,
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
                "detector-changed",
                "GuardDuty was changed, suspended or deleted, or lost its administrator.",
                WHO,
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
                "security-hub-changed",
                "Security Hub or one of its standards was switched off.",
                WHO,
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
                "scanner-disabled",
                "Inspector, Macie or Access Analyzer was switched off.",
                WHO,
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
                "account-weakened",
                "The account's block of public access, its password policy or its encryption of disks was changed.",
                WHO,
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
    let guardduty = |name, to, means, matches| Rule {
        notice: notice(
            name,
            to,
            means,
            "open the finding; contain what it names before you look for the cause.",
        ),
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
        (
            Some(Part::GuardDuty),
            guardduty(
                "threat-high",
                Topic::Page,
                "GuardDuty found a threat of high or critical severity: a resource is probably compromised.",
                Match::at_least(7),
            ),
        ),
        (
            Some(Part::GuardDuty),
            guardduty(
                "threat-medium",
                Topic::Notify,
                "GuardDuty found activity of medium severity that departs from what is usual.",
                Match::between(4, 6.9),
            ),
        ),
        (
            Some(Part::SecurityHub),
            Rule {
                notice: notice(
                    "security-finding",
                    Topic::Notify,
                    "Security Hub has a new finding of high or critical severity.",
                    "open the finding; mend it in the environment file or the stack, not by hand.",
                ),
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
                notice: notice(
                    "vulnerability-critical",
                    Topic::Notify,
                    "Inspector found a critical vulnerability (PCI 6.3.3: to be patched within a month).",
                    "see whether a running image has it; build and deploy with the fix.",
                ),
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
                notice: notice(
                    "aws-health",
                    Topic::Notify,
                    "AWS has a fault or plans a change that touches this account.",
                    "open the event in the AWS Health dashboard.",
                ),
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
                notice: notice(
                    "aws-abuse",
                    Topic::Page,
                    "AWS was told of abuse that comes from this account.",
                    "open the event in the AWS Health dashboard and answer within its term, or AWS may stop resources.",
                ),
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
