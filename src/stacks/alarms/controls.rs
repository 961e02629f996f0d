//! What happens to the controls themselves (PCI 10.7.2), and what they find (PCI 11.5.1, 12.10.5).
//!
//! What the account has once is told by the environment that owns the account's baseline; what an environment has of its
//! own, by each. What a person has to do something about now is paged. Where the role that Terraform runs as is known, its
//! own changes are not: they were reviewed, and are told to those who are notified, in one rule for all controls. Nor is what
//! AWS Backup does by itself, which deletes what it restored for a test, and copies whose days are over.

use aws::document::event_pattern::{EventPattern, Match};
use terraform::{NonEmpty, Stack};

use super::{Inputs, backup};
use crate::alarm::rule::{CALL, Destination, Rule, calls, or_of};
use crate::alarm::table::*;
use crate::alarm::{Entry, Notice};
use crate::config::{EnvConfig, Part};
use crate::names::cluster;
use crate::stacks::{deploy, ecr};

/// Adds the rules.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>, to: &Destination<'_>) {
    let mut rules = recording(config);
    rules.extend(protection(config));
    rules.extend(records(config));
    rules.extend(backup::rules(config, inputs));
    rules.extend(running(config, inputs));
    rules.extend(applied(config));
    rules.extend(redefined(config));
    rules.extend(inputs.network.firewall.is_some().then(|| firewall(config)));
    let account = &config.account;
    let owned = |part: Option<Part>| part.map_or(account.baseline, |part| account.owns(part));
    rules.extend(
        detection(config)
            .into_iter()
            .chain(findings(config))
            .filter(|(part, _)| owned(*part))
            .map(|(_, rule)| rule),
    );
    for rule in rules {
        rule.add(stack, config, to);
    }
}

/// A control that somebody changed by a call of the API, other than Terraform.
pub(super) fn tampered(config: &EnvConfig, alarm: &'static Entry, pattern: EventPattern) -> Rule {
    let pattern = match &config.iam.terraform_role {
        Some(role) => pattern
            .detail(CALLED_AS, [Match::exists(false), Match::anything_but(NonEmpty::one(role.to_string()))]),
        None => pattern,
    };
    Rule { notice: Notice::of(alarm), pattern, fields: CALL }
}

/// Where an event says which role a call was made with.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>
const CALLED_AS: [&str; 4] = ["userIdentity", "sessionContext", "sessionIssuer", "arn"];

/// Whatever Terraform changes or takes away of what is watched.
fn applied(config: &EnvConfig) -> Option<Rule> {
    const SOURCES: [&str; 20] = [
        "aws.access-analyzer",
        "aws.backup",
        "aws.cloudtrail",
        "aws.config",
        "aws.dynamodb",
        "aws.ec2",
        "aws.events",
        "aws.firehose",
        "aws.guardduty",
        "aws.inspector2",
        "aws.kms",
        "aws.logs",
        "aws.macie2",
        "aws.monitoring",
        "aws.network-firewall",
        "aws.rds",
        "aws.s3",
        "aws.secretsmanager",
        "aws.sns",
        "aws.wafv2",
    ];
    const VERBS: [&str; 11] = [
        "Batch",
        "Cancel",
        "Delete",
        "Disable",
        "Disassociate",
        "Modify",
        "Put",
        "Remove",
        "Schedule",
        "Stop",
        "Update",
    ];
    let role = config.iam.terraform_role.as_ref()?;
    let pattern = SOURCES.into_iter().fold(EventPattern::from_source("aws.securityhub"), or_of);
    Some(Rule {
        notice: Notice::of(&CONTROLS_APPLIED),
        pattern: pattern
            .detail_type("AWS API Call via CloudTrail")
            .detail(["eventName"], VERBS.map(Match::prefix))
            .detail(["errorCode"], [Match::exists(false)])
            .detail(CALLED_AS, [Match::exact(role.to_string())]),
        fields: CALL,
    })
}

/// What is told otherwise, or to somebody else, without anything being deleted. Without the role that Terraform runs as,
/// each apply would be told; and what AWS does for itself, such as the alarms of autoscaling, is never told.
fn redefined(config: &EnvConfig) -> Option<Rule> {
    config.iam.terraform_role.as_ref()?;
    let pattern = calls(
        "aws.monitoring",
        [
            "PutMetricAlarm",
            "PutCompositeAlarm",
            "SetAlarmState",
            "PutRule",
            "PutTargets",
            "PutPermission",
            "Subscribe",
            "SetSubscriptionAttributes",
            "SetTopicAttributes",
            "AddPermission",
        ],
    );
    let pattern = or_of(or_of(pattern, "aws.events"), "aws.sns")
        .detail(["userIdentity", "invokedBy"], [Match::exists(false)]);
    Some(tampered(config, &ALARMS_REDEFINED, pattern))
}

/// AWS Backup deletes by itself what it restored for a test, and copies whose days are over: as itself, and by names that
/// nothing else bears.
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/restore-testing.html>
fn not_by_backup<const N: usize>(pattern: EventPattern, names: [&'static str; N]) -> EventPattern {
    let services = NonEmpty::new("backup.amazonaws.com", ["restore-testing.backup.amazonaws.com"]);
    let pattern =
        pattern.detail(["userIdentity", "invokedBy"], [Match::exists(false), Match::anything_but(services)]);
    names.into_iter().fold(pattern, |pattern, name| {
        pattern.detail(
            ["requestParameters", name],
            [Match::exists(false), Match::anything_but_prefix("awsbackup-restore-test")],
        )
    })
}

/// What lets connections out.
fn firewall(config: &EnvConfig) -> Rule {
    tampered(
        config,
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
fn recording(config: &EnvConfig) -> Vec<Rule> {
    vec![
        tampered(
            config,
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
        tampered(config, &FLOW_LOG_DELETED, calls("aws.ec2", ["DeleteFlowLogs"])),
        tampered(
            config,
            &EXPORT_STOPPED,
            calls(
                "aws.firehose",
                ["DeleteDeliveryStream", "StopDeliveryStreamEncryption", "UpdateDestination"],
            ),
        ),
        tampered(
            config,
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
            config,
            &WEB_ACL_REMOVED,
            calls(
                "aws.wafv2",
                ["DisassociateWebACL", "DeleteWebACL", "DeleteLoggingConfiguration", "DeleteIPSet"],
            ),
        ),
        tampered(
            config,
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
            config,
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
            config,
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
        tampered(
            config,
            &SECRET_DELETED,
            calls("aws.secretsmanager", ["DeleteSecret", "CancelRotateSecret", "DeleteResourcePolicy"]),
        ),
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
            config,
            &TABLE_WEAKENED,
            not_by_backup(
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
                ["tableName"],
            ),
        ));
    }
    if config.data.postgres.is_some() {
        rules.push(tampered(
            config,
            &DATABASE_WEAKENED,
            not_by_backup(
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
                ["dBInstanceIdentifier", "dBClusterIdentifier"],
            ),
        ));
    }
    rules
}

/// Deployments, tasks and what goes on inside of them.
fn running(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Rule> {
    // One match for however many services: a pattern has 2,048 characters at the most.
    // <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
    let services = || {
        let all = config.arn("ecs", &format!("service/{}/", cluster::name(config)));
        NonEmpty::one(Match::prefix(all))
    };
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
                .detail(["group"], [Match::prefix("service:")])
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
        let main = ecr::name(config, config.main_service());
        rules.push(Rule {
            notice: Notice::of(&IMAGE_VULNERABLE),
            pattern: EventPattern::from_source("aws.ecr")
                .detail_type("ECR Image Scan")
                .detail(["repository-name"], [Match::exact(main.clone()), Match::prefix(format!("{main}/"))])
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
fn detection(config: &EnvConfig) -> Vec<AccountRule> {
    vec![
        (
            Some(Part::Trail),
            tampered(
                config,
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
                config,
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
                config,
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
                config,
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
                config,
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
                config,
                &ACCOUNT_WEAKENED,
                or_of(
                    calls(
                        "aws.s3",
                        [
                            "PutAccountPublicAccessBlock",
                            "DeleteAccountPublicAccessBlock",
                            "DisableEbsEncryptionByDefault",
                        ],
                    ),
                    "aws.ec2",
                ),
            ),
        ),
    ]
}

/// What the detectors find. Security Hub repeats what GuardDuty and Inspector found, which is told once.
fn findings(config: &EnvConfig) -> Vec<AccountRule> {
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
    // Security Hub sends a finding again at each check of its control. AWS Config, which does the checks, tells of each change
    // once; where it is somebody else's, Security Hub's are better than nothing.
    let by_config = config.account.owns(Part::Recorder);
    let told = ["Inspector"].into_iter().chain(by_config.then_some("Security Hub"));
    let told = NonEmpty::new("GuardDuty", told);
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
                    .detail(["findings", "ProductName"], [Match::anything_but(told)])
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
            Some(Part::Recorder),
            Rule {
                notice: Notice::of(&COMPLIANCE_LOST),
                // <https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html>
                pattern: EventPattern::from_source("aws.config")
                    .detail_type("Config Rules Compliance Change")
                    .detail(["messageType"], [Match::exact("ComplianceChangeNotification")])
                    .detail(["newEvaluationResult", "complianceType"], [Match::exact("NON_COMPLIANT")]),
                fields: &[
                    ("rule", "$.detail.configRuleName"),
                    ("type", "$.detail.resourceType"),
                    ("resource", "$.detail.resourceId"),
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
