//! `[data]`: where the service keeps its records.

use super::{Postgres, PostgresFile};
use crate::config::value::{Bounded, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The data stores, as the environment file describes them. Both may be there at once, to move from one to the other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataFile {
    /// Where the service keeps its records: `dynamodb`, which has no servers to size or patch and answers from three
    /// zones, or `postgres`, for those who want SQL over them.
    pub store: Store,
    /// The tables in DynamoDB.
    pub dynamodb: DynamoDbFile,
    /// PostgreSQL in RDS.
    pub postgres: PostgresFile,
}

/// Where the service keeps its records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// DynamoDB.
    #[default]
    DynamoDb,
    /// PostgreSQL in RDS.
    Postgres,
}

impl Store {
    /// The store as the service knows it.
    #[must_use]
    pub const fn kind(self) -> contract::StoreKind {
        match self {
            Self::DynamoDb => contract::StoreKind::DynamoDb,
            Self::Postgres => contract::StoreKind::Postgres,
        }
    }
}

/// The tables in DynamoDB, as the environment file describes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DynamoDbFile {
    /// Whether the tables are there. True where `store` is `dynamodb`, which cannot do without; else false.
    pub enabled: Option<bool>,
    /// How capacity is paid for. `on-demand`: by request, without anything to size; `provisioned` costs less under a
    /// load that is even, and is scaled between the bounds below.
    pub billing: Billing,
    /// Read capacity of each table and index where `billing` is `provisioned`.
    pub read: CapacityRange,
    /// Write capacity of each table and index where `billing` is `provisioned`.
    pub write: CapacityRange,
    /// Use of the provisioned capacity in percent that the autoscaler aims at.
    pub utilization_percent: Bounded<20, 90>,
    /// Days that any second can be restored from.
    pub recovery_days: Bounded<1, 35>,
    /// The tables' names, where they are restored ones: `txnr restore` writes them.
    pub tables: Tables,
}

/// The names of the tables in DynamoDB. A restore makes a new table beside the damaged one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tables {
    /// The table of the service's records. `<project>-<environment>-records`.
    pub records: Option<TableName>,
    /// The table of the service's audit log. `<project>-<environment>-audit`.
    pub audit: Option<TableName>,
}

impl Tables {
    /// The name that the file says of a table.
    #[must_use]
    pub const fn of(&self, table: contract::Table) -> Option<&TableName> {
        match table {
            contract::Table::Records => self.records.as_ref(),
            contract::Table::Audit => self.audit.as_ref(),
        }
    }
}

impl Default for DynamoDbFile {
    fn default() -> Self {
        Self {
            enabled: None,
            billing: Billing::OnDemand,
            read: CapacityRange::default(),
            write: CapacityRange::default(),
            utilization_percent: Bounded::literal::<70>(),
            recovery_days: Bounded::literal::<35>(),
            tables: Tables::default(),
        }
    }
}

/// How DynamoDB's capacity is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Billing {
    /// By request.
    OnDemand,
    /// By the hour, scaled automatically.
    Provisioned,
}

/// Bounds of a capacity, in units: one read of 4 KiB or one write of 1 KiB a second.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/provisioned-capacity-mode.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CapacityRange {
    /// The least capacity.
    pub min: Bounded<1, 40_000>,
    /// The most capacity, which is AWS's quota for a table unless it is asked for more.
    pub max: Bounded<1, 40_000>,
}

impl Default for CapacityRange {
    fn default() -> Self {
        Self { min: Bounded::literal::<5>(), max: Bounded::literal::<500>() }
    }
}

/// The data stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// Where the service keeps its records; that store is there if the service has a contract.
    pub store: Store,
    /// The tables in DynamoDB, if there are any.
    pub dynamodb: Option<DynamoDb>,
    /// PostgreSQL in RDS, if there is one.
    pub postgres: Option<Postgres>,
}

/// The tables in DynamoDB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamoDb {
    /// Capacity that is provisioned and scaled; `None` is paid for by request.
    pub provisioned: Option<Provisioned>,
    /// Days that any second can be restored from.
    pub recovery_days: u32,
    /// The tables' names, as far as the file says them; [`EnvConfig::table_name`](crate::config::EnvConfig::table_name)
    /// knows them all.
    pub tables: Tables,
}

/// Capacity of each table and index that is provisioned and scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provisioned {
    /// Of reads.
    pub read: CapacityRange,
    /// Of writes.
    pub write: CapacityRange,
    /// The use of it in percent that the autoscaler aims at.
    pub utilization_percent: u32,
}
