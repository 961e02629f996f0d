//! Buckets by kind: audit (Object Lock), config, access logs, artifacts, statements.
//!
//! Five, because their demands exclude each other: the audit bucket is under Object Lock, where neither AWS Config nor
//! S3's server access logs can be delivered; access logs of load balancer and buckets know SSE-S3 alone, where all else
//! is encrypted with a key of its own; and what the service keeps is none of the pipeline's.

mod existing;
mod policy;

#[cfg(test)]
mod tests;

pub use policy::{encryption_is_ours, export_actions, objects, transport};

use aws::document::policy::Policy;
use aws::kind::{KmsKeyArn, S3BucketArn, S3BucketId};
use aws::s3_bucket_lifecycle_configuration as lifecycle;
use aws::s3_bucket_object_lock_configuration as object_lock;
use aws::s3_bucket_ownership_controls as ownership;
use aws::s3_bucket_server_side_encryption_configuration as encryption;
use aws::s3_bucket_versioning as versioning;
use aws::{
    S3Bucket, S3BucketHandle, S3BucketLifecycleConfiguration, S3BucketLifecycleConfigurationHandle,
    S3BucketLogging, S3BucketObjectLockConfiguration, S3BucketObjectLockConfigurationHandle,
    S3BucketObjectLockConfigurationOptional, S3BucketOwnershipControls, S3BucketOwnershipControlsHandle,
    S3BucketPolicy, S3BucketPolicyHandle, S3BucketPublicAccessBlock, S3BucketPublicAccessBlockHandle,
    S3BucketPublicAccessBlockOptional, S3BucketServerSideEncryptionConfiguration,
    S3BucketServerSideEncryptionConfigurationHandle, S3BucketVersioning, S3BucketVersioningHandle,
};
use terraform::{Expr, Meta, NonEmpty, Resource, Stack, set};

use super::kms::{self, Key};
use crate::config::{BucketKind, EnvConfig};

/// A bucket, as whatever delivers to it refers to it.
pub struct Bucket {
    id: Expr<S3BucketId>,
    arn: Expr<S3BucketArn>,
    /// Its policy, where that is ours.
    policy: Option<S3BucketPolicyHandle>,
}

impl Bucket {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> Expr<S3BucketId> {
        self.id.clone()
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> Expr<S3BucketArn> {
        self.arn.clone()
    }

    /// Lets a block that delivers to the bucket wait for the policy that admits it.
    #[must_use]
    pub fn before<R: Resource>(&self, meta: Meta<R>) -> Meta<R> {
        match &self.policy {
            Some(policy) => meta.depends_on(policy),
            None => meta,
        }
    }
}

/// The buckets.
pub struct Outputs {
    /// Logs under Object Lock.
    pub audit: Bucket,
    /// Deliveries of AWS Config.
    pub config: Bucket,
    /// Access logs of the load balancer and of the other buckets.
    pub access: Bucket,
    /// What the pipeline produces.
    pub artifacts: Bucket,
    /// The service's statement files and match lists, if the contract is with it.
    pub statements: Option<Bucket>,
}

impl Outputs {
    /// Where a bucket of the service is.
    #[must_use]
    pub const fn of(&self, bucket: contract::Bucket) -> Option<&Bucket> {
        match bucket {
            contract::Bucket::Statements => self.statements.as_ref(),
            contract::Bucket::Audit => Some(&self.audit),
        }
    }
}

/// Where the buckets' own access logs lie in the access bucket.
const SERVER_ACCESS_PREFIX: &str = "s3-access";

/// Builds the buckets.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> Outputs {
    let access = match &config.storage.access_bucket {
        Some(there) => existing::access(stack, config, there),
        None => bucket(stack, config, BucketKind::Access, None, None),
    };
    let audit = match &config.storage.audit_bucket {
        Some(there) => existing::audit(stack, config, there),
        None => bucket(stack, config, BucketKind::Audit, Some(&keys.logs), Some(&access)),
    };
    let mut other = |kind, key| bucket(stack, config, kind, Some(key), Some(&access));
    Outputs {
        audit,
        config: other(BucketKind::Config, &keys.logs),
        artifacts: other(BucketKind::Artifacts, &keys.artifacts),
        statements: config.service.has_contract().then(|| other(BucketKind::Statements, &keys.data)),
        access,
    }
}

/// One bucket and everything that belongs to it, each part after the one before: S3 answers `OperationAborted` when
/// they are made side by side (<https://github.com/hashicorp/terraform-provider-aws/issues/7628>). The access bucket
/// has no key, and no bucket to be logged to.
fn bucket(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    kind: BucketKind,
    key: Option<&Key>,
    access: Option<&Bucket>,
) -> Bucket {
    let bucket = bare(stack, config, kind);
    let name = kind.as_str();
    let public = block_public_access(stack, name, &bucket);
    let ownership = own_objects(stack, name, &bucket, &public);
    let versioning = version(stack, name, &bucket, &ownership);
    let encryption = encrypt(stack, name, &bucket, key.map(Key::arn), &versioning);
    let lifecycle = retain(stack, config, kind, &bucket, &encryption);
    // Before the policy, which everybody who delivers waits for: nothing is delivered unlocked.
    let meta = match kind {
        BucketKind::Audit => Meta::new().depends_on(&lock(stack, config, kind, &bucket, &lifecycle)),
        BucketKind::Config | BucketKind::Access | BucketKind::Artifacts | BucketKind::Statements => {
            Meta::new().depends_on(&lifecycle)
        }
    };
    let statements = policy::statements(config, kind, &bucket.arn(), key);
    let policy = stack.add_with(
        kind.as_str(),
        meta,
        S3BucketPolicy { bucket: set(bucket.id()), policy: set(Policy::new(statements)) },
    );
    if let Some(access) = access {
        log_access(stack, kind, &bucket, access, &policy);
    }
    stack.output(&format!("{}_bucket", kind.as_str()), what(kind), bucket.id());
    Bucket { id: bucket.id(), arn: bucket.arn(), policy: Some(policy) }
}

const fn what(kind: BucketKind) -> &'static str {
    match kind {
        BucketKind::Audit => "The bucket of logs that nobody can change.",
        BucketKind::Config => "The bucket that AWS Config delivers to.",
        BucketKind::Access => "The bucket of access logs of the load balancer and of the other buckets.",
        BucketKind::Artifacts => "The bucket for what the pipeline produces.",
        BucketKind::Statements => "The bucket of the service's statement files and match lists.",
    }
}

fn bare(stack: &mut Stack<'_>, config: &EnvConfig, kind: BucketKind) -> S3BucketHandle {
    stack.add_with(
        kind.as_str(),
        Meta::new().prevent_destroy(config.protection),
        S3Bucket {
            bucket: set(config.names.bucket(kind)),
            // Empties the bucket on destroy, past a lock in governance mode; one in compliance mode holds.
            force_destroy: set(!config.protection),
            // Can be turned on later, but not off: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
            object_lock_enabled: set(kind == BucketKind::Audit),
            ..Default::default()
        },
    )
}

/// PCI 1.4.4, 7.3.3
pub fn block_public_access(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
) -> S3BucketPublicAccessBlockHandle {
    stack.add(
        name,
        S3BucketPublicAccessBlock {
            bucket: set(bucket.id()),
            optional: S3BucketPublicAccessBlockOptional {
                block_public_acls: set(true),
                block_public_policy: set(true),
                ignore_public_acls: set(true),
                restrict_public_buckets: set(true),
            },
        },
    )
}

/// No ACLs: who may do what stands in policies alone (PCI 2.2.6).
pub fn own_objects(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
    after: &S3BucketPublicAccessBlockHandle,
) -> S3BucketOwnershipControlsHandle {
    stack.add_with(
        name,
        Meta::new().depends_on(after),
        S3BucketOwnershipControls {
            bucket: set(bucket.id()),
            rule: ownership::Rule { object_ownership: set("BucketOwnerEnforced") },
        },
    )
}

/// PCI 10.3.4: what was overwritten or deleted can be seen and had back.
pub fn version(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
    after: &S3BucketOwnershipControlsHandle,
) -> S3BucketVersioningHandle {
    stack.add_with(
        name,
        Meta::new().depends_on(after),
        S3BucketVersioning {
            bucket: set(bucket.id()),
            versioning_configuration: versioning::VersioningConfiguration {
                status: set("Enabled"),
                optional: Default::default(),
            },
            optional: Default::default(),
        },
    )
}

/// PCI 3.5.1, with a bucket key, which spares a call to KMS for every object.
pub fn encrypt(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
    key: Option<Expr<KmsKeyArn>>,
    after: &S3BucketVersioningHandle,
) -> S3BucketServerSideEncryptionConfigurationHandle {
    use encryption::{ApplyServerSideEncryptionByDefault, ApplyServerSideEncryptionByDefaultOptional, Rule};
    let bucket_key_enabled = key.as_ref().map(|_| set(true));
    let default = match key {
        Some(key) => ApplyServerSideEncryptionByDefault {
            sse_algorithm: set("aws:kms"),
            optional: ApplyServerSideEncryptionByDefaultOptional { kms_master_key_id: set(key) },
        },
        // <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html>
        None => {
            ApplyServerSideEncryptionByDefault { sse_algorithm: set("AES256"), optional: Default::default() }
        }
    };
    let rule = Rule { apply_server_side_encryption_by_default: set(default), bucket_key_enabled };
    stack.add_with(
        name,
        Meta::new().depends_on(after),
        S3BucketServerSideEncryptionConfiguration {
            bucket: set(bucket.id()),
            rule: NonEmpty::one(rule),
            optional: Default::default(),
        },
    )
}

/// PCI 3.2.1, 10.5.1: at hand for three months, kept for twelve, then gone.
fn retain(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    kind: BucketKind,
    bucket: &S3BucketHandle,
    after: &S3BucketServerSideEncryptionConfigurationHandle,
) -> S3BucketLifecycleConfigurationHandle {
    use lifecycle::{AbortIncompleteMultipartUpload, Expiration, Filter, NoncurrentVersionExpiration, Rule};
    let storage = &config.storage;
    let expire_days = match kind {
        BucketKind::Statements => storage.statements_expire_days,
        BucketKind::Audit | BucketKind::Config | BucketKind::Access | BucketKind::Artifacts => {
            storage.expire_days
        }
    };
    let rule = Rule {
        id: set("retain"),
        status: set("Enabled"),
        optional: lifecycle::RuleOptional {
            // Every object; the provider wants it said.
            filter: vec![Filter::default()],
            transition: transitions(config, kind),
            // Removes the delete marker as well that it leaves behind in a versioned bucket.
            expiration: vec![Expiration { days: set(expire_days), ..Default::default() }],
            // A locked version stays until its lock has run out.
            noncurrent_version_expiration: vec![NoncurrentVersionExpiration {
                noncurrent_days: set(storage.noncurrent_expire_days),
                optional: Default::default(),
            }],
            abort_incomplete_multipart_upload: vec![AbortIncompleteMultipartUpload {
                days_after_initiation: set(7),
            }],
            ..Default::default()
        },
    };
    stack.add_with(
        kind.as_str(),
        Meta::new().depends_on(after),
        S3BucketLifecycleConfiguration {
            bucket: set(bucket.id()),
            rule: NonEmpty::one(rule),
            optional: Default::default(),
        },
    )
}

/// Logs move to cheaper classes; artifacts and statements are read until they expire. So are the audit log's anchors in
/// the audit bucket: S3 moves nothing of less than 128 KiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html>
fn transitions(config: &EnvConfig, kind: BucketKind) -> Vec<lifecycle::Transition> {
    let move_to = |class: &'static str, days: u32| lifecycle::Transition {
        storage_class: set(class),
        optional: lifecycle::TransitionOptional { days: set(days), ..Default::default() },
    };
    if matches!(kind, BucketKind::Artifacts | BucketKind::Statements) {
        return Vec::new();
    }
    let mut transitions = vec![move_to("STANDARD_IA", config.storage.infrequent_access_days)];
    transitions.extend(config.storage.archive_days.map(|days| move_to("GLACIER", days)));
    transitions
}

/// PCI 10.3.2, 10.5.1: what is delivered cannot be changed, nor deleted before its time.
fn lock(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    kind: BucketKind,
    bucket: &S3BucketHandle,
    after: &S3BucketLifecycleConfigurationHandle,
) -> S3BucketObjectLockConfigurationHandle {
    let lock = config.storage.object_lock;
    stack.add_with(
        kind.as_str(),
        Meta::new().depends_on(after),
        S3BucketObjectLockConfiguration {
            bucket: set(bucket.id()),
            optional: S3BucketObjectLockConfigurationOptional {
                rule: set(object_lock::Rule {
                    default_retention: object_lock::DefaultRetention {
                        mode: set(lock.mode.as_str()),
                        days: set(lock.days),
                        ..Default::default()
                    },
                }),
                ..Default::default()
            },
        },
    )
}

/// PCI 10.2.1: who read or changed what in the bucket.
fn log_access(
    stack: &mut Stack<'_>,
    kind: BucketKind,
    bucket: &S3BucketHandle,
    access: &Bucket,
    after: &S3BucketPolicyHandle,
) {
    stack.add_with(
        kind.as_str(),
        access.before(Meta::new().depends_on(after)),
        S3BucketLogging {
            bucket: set(bucket.id()),
            target_bucket: set(access.id()),
            target_prefix: set(format!("{SERVER_ACCESS_PREFIX}/{}/", kind.as_str())),
            optional: Default::default(),
        },
    );
}
