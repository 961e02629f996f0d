//! `[data.postgres]`: PostgreSQL in RDS.

use crate::config::value::{
    Bounded, DailyWindow, DatabaseIdentifier, InstanceClass, MonitoringSeconds, PostgresVersion, WeeklyWindow,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// PostgreSQL in RDS, as the environment file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresFile {
    /// Whether the database is there. True where `store` is `postgres`, which cannot do without; else false.
    pub enabled: Option<bool>,
    /// What runs it. `instance`: one of fixed size with a standby in another zone; `aurora-serverless` grows with its
    /// load and fails over to a reader that answers meanwhile.
    pub engine: PostgresEngine,
    /// The name of the instance or cluster, where it is a restored one: `txnr restore` writes it. At most 60 characters
    /// for a cluster, whose instances are called by it and a number. `<project>-<environment>`.
    pub identifier: Option<DatabaseIdentifier>,
    /// The version of PostgreSQL, 15 to 18; without a minor version the newest one that AWS offers, and the one that a
    /// maintenance window upgrades it to. Another major version of a database that runs takes `apply_immediately`, and
    /// no way leads back.
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.MajorVersion.html>
    pub version: PostgresVersion,
    /// The instance, where `engine` is `instance`.
    pub instance: PostgresInstance,
    /// The cluster, where `engine` is `aurora-serverless`.
    pub aurora: PostgresAurora,
    /// Days that any second can be restored from.
    pub backup_days: Bounded<1, 35>,
    /// When the daily backup is made, in UTC, at least half an hour.
    pub backup_window: DailyWindow,
    /// When AWS patches the database, in UTC, at least half an hour and outside of the backup (PCI 6.3.3).
    pub maintenance_window: WeeklyWindow,
    /// Seconds between the samples of the operating system (enhanced monitoring).
    pub monitoring_seconds: MonitoringSeconds,
    /// Whether an apply changes the database at once, with the restart that some changes take, rather than in the next
    /// `maintenance_window`. For a change that cannot wait, and for another major version, which RDS refuses without
    /// it; take it from the file after it.
    pub apply_immediately: bool,
}

impl Default for PostgresFile {
    fn default() -> Self {
        Self {
            enabled: None,
            identifier: None,
            engine: PostgresEngine::Instance,
            version: PostgresVersion::known("17"),
            instance: PostgresInstance::default(),
            aurora: PostgresAurora::default(),
            backup_days: Bounded::literal::<35>(),
            backup_window: DailyWindow::known("02:00-03:00"),
            maintenance_window: WeeklyWindow::known("sun:03:30-sun:04:30"),
            monitoring_seconds: MonitoringSeconds::MINUTE,
            apply_immediately: false,
        }
    }
}

/// What runs PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PostgresEngine {
    /// An instance of RDS.
    Instance,
    /// Aurora Serverless v2.
    AuroraServerless,
}

/// An instance of RDS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresInstance {
    /// The class of the instance.
    pub class: InstanceClass,
    /// Whether a standby in another zone takes over when the instance or its zone fails. In production one always does.
    pub multi_az: bool,
    /// The storage in GiB that it begins with.
    pub storage_gib: Bounded<20, 65_536>,
    /// The most that the storage grows to by itself, at least a tenth more than `storage_gib`.
    pub storage_gib_max: Bounded<22, 65_536>,
}

impl Default for PostgresInstance {
    fn default() -> Self {
        Self {
            class: InstanceClass::known("db.m7g.large"),
            multi_az: true,
            storage_gib: Bounded::literal::<100>(),
            storage_gib_max: Bounded::literal::<1000>(),
        }
    }
}

/// A cluster of Aurora Serverless v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresAurora {
    /// The least capacity of each instance in Aurora capacity units of 2 GiB. Why the default: it is the least with
    /// which Performance Insights runs without harm.
    pub capacity_min: Bounded<1, 256>,
    /// The most capacity of each instance.
    pub capacity_max: Bounded<1, 256>,
    /// Instances besides the one that is written to, in other zones; one of them takes over when it fails. In
    /// production at least one.
    pub readers: Bounded<0, 15>,
}

impl Default for PostgresAurora {
    fn default() -> Self {
        Self {
            capacity_min: Bounded::literal::<2>(),
            capacity_max: Bounded::literal::<16>(),
            readers: Bounded::literal::<1>(),
        }
    }
}

/// PostgreSQL in RDS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postgres {
    /// What runs it.
    pub runs_on: PostgresRunsOn,
    /// The name of the instance or cluster, if the file says it;
    /// [`EnvConfig::database_identifier`](crate::config::EnvConfig::database_identifier) knows it in any case.
    pub identifier: Option<DatabaseIdentifier>,
    /// The version of PostgreSQL.
    pub version: PostgresVersion,
    /// Days that any second can be restored from.
    pub backup_days: u32,
    /// When the daily backup is made.
    pub backup_window: DailyWindow,
    /// When AWS patches the database.
    pub maintenance_window: WeeklyWindow,
    /// Seconds between the samples of the operating system.
    pub monitoring_seconds: u32,
    /// Whether changes are made at once rather than in the maintenance window.
    pub apply_immediately: bool,
}

/// What runs PostgreSQL, and how large it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostgresRunsOn {
    /// An instance of RDS.
    Instance(PostgresInstance),
    /// Aurora Serverless v2.
    Aurora(PostgresAurora),
}
