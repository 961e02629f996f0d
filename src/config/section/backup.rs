//! `[backup]`: copies that outlive a mistake.

use super::ObjectLockMode;
use crate::config::value::Bounded;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Copies of the data stores in a vault of AWS Backup, as the environment file describes them. The stores restore any
/// second of the last weeks by themselves; the vault is for what they do not survive: a deleted table, a stolen role, a
/// mistake that is noticed late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BackupFile {
    /// Whether there is a vault. In production there must be one.
    pub enabled: bool,
    /// The hour, in UTC, in which the daily copy begins.
    pub hour: Bounded<0, 23>,
    /// Days that a daily copy is kept.
    pub daily_days: Bounded<1, 36_500>,
    /// Days that the copy of a month's first day is kept. Why the default: these are the twelve months for which logs
    /// are kept, with a margin.
    pub monthly_days: Bounded<1, 36_500>,
    /// Vault lock.
    pub lock: VaultLockFile,
    /// The proof that copies can be restored.
    pub restore_test: RestoreTestFile,
}

impl Default for BackupFile {
    fn default() -> Self {
        Self {
            enabled: true,
            hour: Bounded::literal::<3>(),
            daily_days: Bounded::literal::<35>(),
            monthly_days: Bounded::literal::<400>(),
            lock: VaultLockFile::default(),
            restore_test: RestoreTestFile::default(),
        }
    }
}

/// Restore testing, as the environment file describes it: once a week AWS Backup restores the latest copy of each kind of
/// store beside the store itself, and deletes it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RestoreTestFile {
    /// Whether copies are restored to see whether they can be. True in production, where a copy that nobody ever
    /// restored is a hope, and the report of each restore is what an assessor asks for (PCI 12.10.1); false elsewhere,
    /// since each run costs as much as what it restores does for some hours.
    pub enabled: Option<bool>,
    /// The day of the week.
    pub weekday: Weekday,
    /// The hour, in UTC, in which the restores begin. Why the default: the daily copies are done by then.
    pub hour: Bounded<0, 23>,
}

impl Default for RestoreTestFile {
    fn default() -> Self {
        Self { enabled: None, weekday: Weekday::Sun, hour: Bounded::literal::<9>() }
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// The day as a schedule of AWS has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mon => "MON",
            Self::Tue => "TUE",
            Self::Wed => "WED",
            Self::Thu => "THU",
            Self::Fri => "FRI",
            Self::Sat => "SAT",
            Self::Sun => "SUN",
        }
    }
}

/// Vault lock, as the environment file describes it: no copy goes before its time, whoever asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct VaultLockFile {
    /// Whether anyone at all may lift the lock. `COMPLIANCE` in production: when the days of grace are over not even
    /// the account's root can shorten or delete a copy, nor lift the lock. `GOVERNANCE` elsewhere, so that a test
    /// environment can be torn down.
    pub mode: Option<ObjectLockMode>,
    /// Days, from the first apply, in which a lock in `COMPLIANCE` can still be changed or removed. 14.
    pub grace_days: Option<Bounded<3, 36_500>>,
}

/// Copies of the data stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// The hour, in UTC, in which the daily copy begins.
    pub hour: u32,
    /// Days that a daily copy is kept.
    pub daily_days: u32,
    /// Days that a monthly copy is kept; no fewer than a daily one.
    pub monthly_days: u32,
    /// Days in which the lock can still be changed; none if whoever has the right may always.
    pub grace_days: Option<u32>,
    /// When copies are restored to see whether they can be, if they are: the day and the hour, in UTC.
    pub restore_test: Option<(Weekday, u32)>,
}
