//! Buckets by kind: audit (Object Lock), config, access logs, artifacts.

use aws::{S3BucketHandle, S3BucketPolicyHandle};
use terraform::Stack;

use super::kms;
use crate::config::EnvConfig;

/// A bucket, and the policy that must stand before anything delivers to it.
pub struct Bucket {
    /// The bucket.
    pub bucket: S3BucketHandle,
    /// Its policy; whoever delivers to the bucket depends on it.
    pub policy: S3BucketPolicyHandle,
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
}

/// Builds the buckets.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> Outputs {
    let _ = (stack, config, keys);
    todo!()
}
