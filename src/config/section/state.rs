//! `[state]`: where Terraform keeps its state.

use crate::config::value::{BucketName, KmsKeyRef, Region, StateKey, TableName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Terraform's state as the environment file describes it: an S3 object, encrypted and locked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StateFile {
    /// The bucket. `<project>-tfstate-<organization>-<account_id>`, which no one else in the world is likely to own.
    pub bucket: Option<BucketName>,
    /// The state's object in the bucket, one for each environment of every project that shares the bucket, such as
    /// `payments/prod/terraform.tfstate`; `txnr init` writes it with project and environment. None of several in one
    /// bucket may begin with another. `envs/<environment>/terraform.tfstate`. To change it moves the state: `terraform
    /// init -migrate-state`.
    pub key: Option<StateKey>,
    /// The bucket that accesses to `bucket` are logged to; `txnr bootstrap` makes both. `<bucket>-logs`.
    pub log_bucket: Option<BucketName>,
    /// The bucket's region. The environment's own.
    pub region: Option<Region>,
    /// How two runs at once are kept apart. With `both`, runs of older and of newer Terraform exclude each other.
    pub lock: StateLock,
    /// The lock table. `<project>-tfstate-locks`.
    pub lock_table: Option<TableName>,
    /// The KMS key for the state, as an ARN or an alias. `alias/<project>-tfstate`.
    pub kms_key: Option<KmsKeyRef>,
}

/// What keeps two runs at once apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StateLock {
    /// A lock file beside the state; Terraform 1.10 and later.
    LockFile,
    /// A DynamoDB table, which Terraform 1.11 calls deprecated.
    DynamoDb,
    /// Both of them.
    #[default]
    Both,
}

impl StateLock {
    /// Whether a lock file is written.
    #[must_use]
    pub const fn uses_lock_file(self) -> bool {
        matches!(self, Self::LockFile | Self::Both)
    }

    /// Whether the DynamoDB table is used.
    #[must_use]
    pub const fn uses_table(self) -> bool {
        matches!(self, Self::DynamoDb | Self::Both)
    }
}

/// Terraform's state as the backend block names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The bucket.
    pub bucket: BucketName,
    /// The bucket of its access logs.
    pub log_bucket: BucketName,
    /// The object.
    pub key: StateKey,
    /// Whether the environment file names the object.
    pub key_is_named: bool,
    /// The bucket's region.
    pub region: Region,
    /// How two runs at once are kept apart.
    pub lock: StateLock,
    /// The lock table; used if `lock.uses_table()`.
    pub lock_table: TableName,
    /// The KMS key for the state, always as an ARN (of a key or of an alias), as the backend asks for one.
    pub kms_key_arn: KmsKeyRef,
}
