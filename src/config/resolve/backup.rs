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
    let grace = file.lock.grace_days.map_or(GRACE_DAYS, |days| days.get());
    file.enabled.then(|| Backup {
        hour: file.hour.get(),
        daily_days: file.daily_days.get(),
        monthly_days: file.monthly_days.get(),
        grace_days: (mode == ObjectLockMode::Compliance).then_some(grace),
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
