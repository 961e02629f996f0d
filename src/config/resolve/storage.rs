//! Resolves `[storage]`.

use super::{PRODUCTION_RETENTION_MIN, existing};
use crate::config::problem::Problems;
use crate::config::section::{ObjectLock, ObjectLockMode, Storage, StorageFile};
use crate::config::value::{AccountId, Region};

/// The least days that an object stays in `STANDARD_IA` before a lifecycle rule may move it on.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html>
const INFREQUENT_ACCESS_MIN: u32 = 30;

/// How long the buckets keep what, with Object Lock strict in production and light elsewhere.
pub(super) fn resolve(file: &StorageFile, production: bool, problems: &mut Problems) -> Storage {
    let (mode, days) = if production {
        (ObjectLockMode::Compliance, PRODUCTION_RETENTION_MIN)
    } else {
        (ObjectLockMode::Governance, 1)
    };
    let object_lock = ObjectLock {
        mode: file.object_lock.mode.unwrap_or(mode),
        days: file.object_lock.days.map_or(days, |days| days.get()),
    };
    check_lock(object_lock, production, problems);
    check_days(file, object_lock, production, problems);
    let expire_days = file.expire_days.get();
    Storage {
        audit_bucket: file.audit_bucket.clone(),
        access_bucket: file.access_bucket.clone(),
        object_lock,
        infrequent_access_days: file.infrequent_access_days.get(),
        archive_days: Some(file.archive_days.get()).filter(|days| *days < expire_days),
        expire_days,
        noncurrent_expire_days: file.noncurrent_expire_days.get(),
        statements_expire_days: file.statements_expire_days.get(),
    }
}

/// Buckets that exist already, and the key of one.
pub(super) fn check_existing(
    storage: &Storage,
    account: Option<&AccountId>,
    region: Option<&Region>,
    problems: &mut Problems,
) {
    let Some(audit) = &storage.audit_bucket else { return };
    if storage.access_bucket.as_ref().is_some_and(|access| access.name == audit.name) {
        problems
            .error(
                "storage.access_bucket.name",
                "logs under Object Lock and access logs cannot share a bucket: S3 delivers no access logs to a locked one",
                "a bucket of its own, or none: one is made",
            )
            .because_of(&["storage.audit_bucket.name"]);
    }
    let Some(key) = &audit.key else { return };
    existing::check_region("storage.audit_bucket.key".into(), "key", key.region(), region, problems);
    let owner = audit.account.as_ref().or(account);
    if owner.is_some_and(|owner| owner.as_str() != key.account()) {
        problems
            .error(
                "storage.audit_bucket.key",
                "the key belongs to another account than the bucket",
                "a key of the bucket's account, which `account` beside it names",
            )
            .because_of(&["storage.audit_bucket.account", "account_id"]);
    }
}

fn check_lock(lock: ObjectLock, production: bool, problems: &mut Problems) {
    if production && lock.days < PRODUCTION_RETENTION_MIN {
        problems
            .error(
                "storage.object_lock.days",
                format!("{} days are too few in production", lock.days),
                "at least 365 (PCI DSS 10.5.1: twelve months)",
            )
            .because_of(&["production"]);
    }
    if !production && lock.mode == ObjectLockMode::Compliance {
        problems
            .warning(
                "storage.object_lock.mode",
                "nobody, not even the account's root, can delete an object here while its lock holds",
                "`GOVERNANCE`, unless that is what you want of a test environment",
            )
            .because_of(&["production"]);
    }
}

fn check_days(file: &StorageFile, lock: ObjectLock, production: bool, problems: &mut Problems) {
    let expire = file.expire_days.get();
    if production && expire < PRODUCTION_RETENTION_MIN {
        problems
            .error(
                "storage.expire_days",
                format!("{expire} days are too few in production"),
                "at least 365 (PCI DSS 10.5.1: twelve months)",
            )
            .because_of(&["production"]);
    }
    let statements = file.statements_expire_days.get();
    let remembered = u32::from(contract::REMEMBERED_DAYS);
    if statements < remembered {
        problems.warning(
            "storage.statements_expire_days",
            format!("what was matched is forgotten after {statements} days, and comes back if a later file brings it again"),
            format!("at least {remembered}, as long as the service remembers it"),
        );
    }
    if expire < lock.days {
        problems
            .error(
                "storage.expire_days",
                format!("logs expire after {expire} days, while Object Lock holds them for {}", lock.days),
                format!("at least {}, or fewer days under [storage.object_lock]", lock.days),
            )
            .because_of(&["storage.object_lock", "production"]);
    }
    if file.infrequent_access_days.get() >= expire {
        problems
            .error(
                "storage.infrequent_access_days",
                format!(
                    "logs move after {} days, when they have expired after {expire}",
                    file.infrequent_access_days
                ),
                "fewer days than `expire_days`",
            )
            .because_of(&["storage.expire_days"]);
    }
    let earliest = file.infrequent_access_days.get() + INFREQUENT_ACCESS_MIN;
    if file.archive_days.get() < earliest {
        problems
            .error(
                "storage.archive_days",
                format!(
                    "logs cannot move to the archive after {} days, when they moved to infrequent access after {}",
                    file.archive_days, file.infrequent_access_days
                ),
                format!("at least {earliest}: S3 keeps objects there for {INFREQUENT_ACCESS_MIN} days"),
            )
            .because_of(&["storage.infrequent_access_days"]);
    }
}
