//! `[storage]`: the buckets.

use crate::config::value::{AccountId, Bounded, BucketName, KmsKeyArn, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long the buckets keep what, as the environment file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StorageFile {
    /// Object Lock of the audit bucket.
    pub object_lock: ObjectLockFile,
    /// Days after which logs move to infrequent access. Why the default: it is after the three months that PCI 10.5.1
    /// wants at hand, though this class is at hand too.
    pub infrequent_access_days: Bounded<30, 3650>,
    /// Days after which logs move to the archive (`GLACIER`), at least 30 more than `infrequent_access_days`. Not
    /// before day 90, because the archive answers after hours (PCI 10.5.1: three months immediately available).
    pub archive_days: Bounded<90, 3650>,
    /// Days after which logs are deleted. Why the default: these are the twelve months of PCI 10.5.1, with a margin. In
    /// production no fewer than 365, and never fewer than Object Lock holds them.
    pub expire_days: Bounded<1, 36_500>,
    /// Days after which an overwritten or deleted version is removed for good. Until then a mistake can be undone.
    pub noncurrent_expire_days: Bounded<1, 3650>,
    /// Days after which statement files and match lists are deleted. Why as long as logs: what is not needed for
    /// business or by law is not kept (PCI 3.2.1), so whoever must keep books for longer says so here. With fewer than
    /// 400 matched entries are forgotten sooner, and come back when a later file brings them again.
    pub statements_expire_days: Bounded<1, 36_500>,
    /// A bucket of logs that exists already, such as the one of a log archive account; takes the place of ours.
    pub audit_bucket: Option<ExistingAuditBucket>,
    /// A bucket of access logs that exists already; takes the place of ours.
    pub access_bucket: Option<ExistingAccessBucket>,
}

/// A bucket of logs that exists already. Trail, exported logs, flow logs, findings and the anchors of the service's audit
/// log go there; that it is locked, versioned and kept is its owner's business, and what its policy must allow stands in
/// the output `required_audit_bucket_statements`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingAuditBucket {
    /// The bucket's name.
    pub name: BucketName,
    /// The account that the bucket belongs to. The environment's own.
    pub account: Option<AccountId>,
    /// The key that the bucket encrypts with where a request names none, for the anchors of the service's audit log.
    /// The key for logs, with which everything else is delivered.
    pub key: Option<KmsKeyArn>,
    /// Who locks the bucket and keeps what is in it (PCI 10.3.2, 10.5.1), which an assessor will ask for.
    pub elsewhere: RuleReason,
}

/// A bucket of access logs that exists already, in the environment's account and region, as S3 and load balancers ask;
/// what its policy must allow stands in the output `required_access_bucket_statements`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingAccessBucket {
    /// The bucket's name. It is encrypted with S3's own keys, or load balancers cannot write to it.
    pub name: BucketName,
    /// Who keeps what is in the bucket (PCI 10.5.1), which an assessor will ask for.
    pub elsewhere: RuleReason,
}

impl Default for StorageFile {
    fn default() -> Self {
        Self {
            object_lock: ObjectLockFile::default(),
            infrequent_access_days: Bounded::literal::<90>(),
            archive_days: Bounded::literal::<180>(),
            expire_days: Bounded::literal::<400>(),
            noncurrent_expire_days: Bounded::literal::<30>(),
            statements_expire_days: Bounded::literal::<400>(),
            audit_bucket: None,
            access_bucket: None,
        }
    }
}

/// Object Lock of the audit bucket, as the environment file describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectLockFile {
    /// Whether anyone at all may lift the lock. `COMPLIANCE` in production: not even the account's root (PCI 10.3.2).
    /// `GOVERNANCE` elsewhere, so that a test environment can be torn down.
    pub mode: Option<ObjectLockMode>,
    /// Days that an object cannot be changed or deleted. 365 in production, 1 elsewhere; in production no fewer than
    /// 365.
    pub days: Option<Bounded<1, 36_500>>,
}

/// Whether anyone may lift an object's lock.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html#object-lock-retention-modes>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ObjectLockMode {
    /// Whoever holds `s3:BypassGovernanceRetention` may.
    Governance,
    /// Nobody may, the account's root included. It cannot be undone.
    Compliance,
}

impl ObjectLockMode {
    /// The mode's name at AWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// How long the buckets keep what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// The bucket of logs, if it exists already.
    pub audit_bucket: Option<ExistingAuditBucket>,
    /// The bucket of access logs, if it exists already.
    pub access_bucket: Option<ExistingAccessBucket>,
    /// Object Lock of the audit bucket.
    pub object_lock: ObjectLock,
    /// Days after which logs move to infrequent access.
    pub infrequent_access_days: u32,
    /// Days after which logs move to the archive, if that is before they expire.
    pub archive_days: Option<u32>,
    /// Days after which logs are deleted; at least as long as Object Lock holds them.
    pub expire_days: u32,
    /// Days after which an overwritten or deleted version is removed for good.
    pub noncurrent_expire_days: u32,
    /// Days after which statement files and match lists are deleted.
    pub statements_expire_days: u32,
}

/// Object Lock of the audit bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectLock {
    /// Whether anyone may lift the lock.
    pub mode: ObjectLockMode,
    /// Days that an object cannot be changed or deleted.
    pub days: u32,
}
