//! Whether there are copies to restore from, and whether somebody takes them away.

use aws::BackupVaultHandle;
use aws::document::event_pattern::{EventPattern, Match};
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use super::controls::tampered;
use crate::alarm::rule::{CALL, Rule, calls};
use crate::alarm::table::*;
use crate::alarm::{Alarm, Bad, Measure, Metric, Missing, Notice};
use crate::config::EnvConfig;

/// Adds the alarm on copies that are not made at all, which no event tells of.
/// <https://docs.aws.amazon.com/aws-backup/latest/devguide/cloudwatch.html>
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let alarm = |vault: &BackupVaultHandle| Alarm {
        notice: Notice::of(&BACKUP_MISSING),
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
            notice: Notice::of(&BACKUP_FAILED),
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
        tampered(
            config,
            &VAULT_WEAKENED,
            calls(
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
        ),
    ];
    if config.backup.as_ref().is_some_and(|backup| backup.restore_test.is_some()) {
        rules.push(Rule {
            notice: Notice::of(&RESTORE_TEST_REMOVED),
            pattern: calls("aws.backup", ["DeleteRestoreTestingPlan", "DeleteRestoreTestingSelection"]),
            fields: CALL,
        });
        rules.push(Rule {
            notice: Notice::of(&RESTORE_TEST_FAILED),
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
            notice: Notice::of(&BACKUP_COPY_FAILED),
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
