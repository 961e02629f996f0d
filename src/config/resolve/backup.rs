//! Resolves `[backup]`.

use crate::config::problem::Problems;
use crate::config::section::{Backup, BackupFile, ObjectLockMode};

/// Days of grace unless the file says otherwise: two weeks to see the first copies and their price.
const GRACE_DAYS: u32 = 14;

/// The copies, locked for good in production and liftable elsewhere; none where there is to be no vault.
pub(super) fn resolve(file: &BackupFile, production: bool, problems: &mut Problems) -> Option<Backup> {
    let mode = file.lock.mode.unwrap_or(if production {
        ObjectLockMode::Compliance
    } else {
        ObjectLockMode::Governance
    });
    check(file, mode, production, problems);
    let restores = file.restore_test.enabled.unwrap_or(production);
    let grace = file.lock.grace_days.map_or(GRACE_DAYS, |days| days.get());
    file.enabled.then(|| Backup {
        hour: file.hour.get(),
        daily_days: file.daily_days.get(),
        monthly_days: file.monthly_days.get(),
        grace_days: (mode == ObjectLockMode::Compliance).then_some(grace),
        restore_test: restores.then(|| (file.restore_test.weekday, file.restore_test.hour.get())),
    })
}

fn check(file: &BackupFile, mode: ObjectLockMode, production: bool, problems: &mut Problems) {
    if production && !file.enabled {
        problems
            .error(
                "backup.enabled",
                "in production copies of the data lie where no mistake in the data stores reaches them",
                "remove the line, or say `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
    if file.monthly_days.get() < file.daily_days.get() {
        problems
            .error(
                "backup.monthly_days",
                format!(
                    "monthly copies go after {} days, before the daily ones after {}",
                    file.monthly_days, file.daily_days
                ),
                format!("at least {}", file.daily_days),
            )
            .because_of(&["backup.daily_days"]);
    }
    if !file.enabled && file.restore_test.enabled == Some(true) {
        problems
            .error(
                "backup.restore_test.enabled",
                "without a vault there is no copy to restore",
                "remove the line, or say `enabled = true` under [backup]",
            )
            .because_of(&["backup.enabled"]);
    }
    if production && file.restore_test.enabled == Some(false) {
        problems
            .warning(
                "backup.restore_test.enabled",
                "nothing shows that the copies can be restored, and an assessor will ask (PCI DSS 12.10.1)",
                "remove the line, unless somebody restores them at another place and keeps the record",
            )
            .because_of(&["production"]);
    }
    match (mode, file.lock.grace_days) {
        (ObjectLockMode::Governance, Some(_)) => {
            problems
                .error(
                    "backup.lock.grace_days",
                    "a lock in `GOVERNANCE` can always be lifted and has no days of grace",
                    "remove the line, or say `mode = \"COMPLIANCE\"`",
                )
                .because_of(&["backup.lock.mode", "production"]);
        }
        (ObjectLockMode::Compliance, _) if !production => {
            problems
                .warning(
                    "backup.lock.mode",
                    "when the days of grace are over nobody, not even the account's root, can delete a copy here \
                     before its time",
                    "`GOVERNANCE`, unless that is what you want of a test environment",
                )
                .because_of(&["production"]);
        }
        _ => {}
    }
}
