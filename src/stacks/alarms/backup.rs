//! Whether there are copies to restore from, and whether somebody takes them away.

use aws::BackupVaultHandle;
use aws::document::event_pattern::{EventPattern, Match};
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use super::alarm::{Alarm, Bad, Measure, Metric, Missing};
use super::notice::Notice;
use super::rule::{CALL, Rule, calls};
use crate::config::EnvConfig;
use crate::names::Topic;

/// Adds the alarm on copies that are not made at all, which no event tells of.
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html>
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let alarm = |vault: &BackupVaultHandle| Alarm {
        notice: Notice {
            name: "backup-missing",
            instance: None,
            to: Topic::Notify,
            means: "No copy of the data stores was finished for a day; so it is until the first night is over.",
            first: "read the jobs in AWS Backup; copies of the stores' own still reach back for weeks.",
        },
        measure: Measure::Of(Metric {
            namespace: "AWS/Backup".into(),
            name: "NumberOfBackupJobsCompleted",
            dimensions: vec![("BackupVaultName", vault.name().text())],
            statistic: "Sum",
        }),
        bad: Bad::Below(1.into()),
        period_seconds: 24 * 3600,
        of: (1, 1),
        missing: Missing::Bad,
    };
    let alarms = inputs.backup.iter().map(|backup| alarm(&backup.vault));
    alarms.map(|alarm| alarm.add(stack, config, inputs.topics).arn()).collect()
}

/// The rules on jobs and on the vault.
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/eventbridge.html>
pub fn rules(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Rule> {
    let Some(backup) = inputs.backup else { return Vec::new() };
    let failed = || ["FAILED", "ABORTED", "EXPIRED", "PARTIAL"].map(Match::exact);
    let mut rules = vec![
        Rule {
            notice: Notice {
                name: "backup-failed",
                instance: None,
                to: Topic::Notify,
                means: "A data store could not be copied into the vault.",
                first: "read the reason in the job; start it again once it is mended, before the next night.",
            },
            pattern: EventPattern::from_source("aws.backup")
                .detail_type("Backup Job State Change")
                .detail(["backupVaultName"], [Match::exact(backup.vault.name())])
                .detail(["state"], failed()),
            fields: &[
                ("job", "$.detail.backupJobId"),
                ("resource", "$.detail.resourceArn"),
                ("state", "$.detail.state"),
                ("time", "$.time"),
            ],
        },
        Rule {
            notice: Notice {
                name: "vault-weakened",
                instance: None,
                to: Topic::Page,
                means: "A vault, its lock, its policy, a plan or a copy was deleted or changed (PCI 10.3.3).",
                first: "restore it by an apply, then ask whoever made the call; what was deleted is gone.",
            },
            pattern: calls(
                "aws.backup",
                [
                    "DeleteBackupVault",
                    "DeleteBackupVaultLockConfiguration",
                    "DeleteBackupVaultAccessPolicy",
                    "PutBackupVaultAccessPolicy",
                    "DeleteRecoveryPoint",
                    "UpdateRecoveryPointLifecycle",
                    "DeleteBackupPlan",
                    "DeleteBackupSelection",
                ],
            ),
            fields: CALL,
        },
    ];
    if config.backup.as_ref().is_some_and(|backup| backup.restore_test.is_some()) {
        rules.push(Rule {
            notice: Notice {
                name: "restore-test-removed",
                instance: None,
                to: Topic::Notify,
                means: "The weekly test that copies can be restored was deleted, or no longer restores a store.",
                first: "restore it by an apply, then ask whoever made the call.",
            },
            pattern: calls("aws.backup", ["DeleteRestoreTestingPlan", "DeleteRestoreTestingSelection"]),
            fields: CALL,
        });
        rules.push(Rule {
            notice: Notice {
                name: "restore-test-failed",
                instance: None,
                to: Topic::Notify,
                means: "A copy could not be restored, whether by the weekly test or by somebody (PCI 12.10.1).",
                first: "read the reason in the restore job; until it is mended, count on the stores' own recovery alone.",
            },
            pattern: EventPattern::from_source("aws.backup")
                .detail_type("Restore Job State Change")
                .detail(["status"], failed()),
            fields: &[
                ("job", "$.detail.restoreJobId"),
                ("resource", "$.detail.resourceType"),
                ("state", "$.detail.status"),
                ("time", "$.time"),
            ],
        });
    }
    if config.recovery.region.is_some() {
        rules.push(Rule {
            notice: Notice {
                name: "backup-copy-failed",
                instance: None,
                to: Topic::Notify,
                means: "A copy could not be brought to the recovery region.",
                first: "read the reason in the copy job; the key of the recovery region is the likeliest cause.",
            },
            pattern: EventPattern::from_source("aws.backup")
                .detail_type("Copy Job State Change")
                .detail(["sourceBackupVaultArn"], [Match::exact(backup.vault.arn())])
                .detail(["state"], failed()),
            fields: &[
                ("job", "$.detail.copyJobId"),
                ("resource", "$.detail.resourceArn"),
                ("state", "$.detail.state"),
                ("time", "$.time"),
            ],
        });
    }
    rules
}
