//! Every log group of the platform, encrypted and kept, and their export to the immutable bucket.

use aws::{CloudwatchLogGroupHandle, CloudwatchLogResourcePolicyHandle};
use terraform::Stack;

use super::{kms, storage};
use crate::config::EnvConfig;

/// The log groups.
pub struct Outputs {
    /// What the service writes.
    pub service: CloudwatchLogGroupHandle,
    /// What is typed in ECS Exec sessions; there even where Exec is off, so that turning it on needs no second step.
    pub exec: CloudwatchLogGroupHandle,
    /// Container Insights' own group, made before ECS would make it unencrypted.
    pub insights: CloudwatchLogGroupHandle,
    /// VPC flow logs.
    pub flow: CloudwatchLogGroupHandle,
    /// The web ACL's log.
    pub waf: CloudwatchLogGroupHandle,
    /// Lets AWS deliver the web ACL's log; the web ACL's logging depends on it, or AWS would make a policy of its own.
    pub delivery: CloudwatchLogResourcePolicyHandle,
}

/// Builds the log groups and their export.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    buckets: &storage::Outputs,
) -> Outputs {
    let _ = (stack, config, keys, buckets);
    todo!()
}
