//! `[ecr]`: the image repository.

use crate::config::value::{AccountId, Bounded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The repository of the service's images: immutable, encrypted, scanned on push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ecr {
    /// How many releases are kept at least, each with the signature, attestation and SBOM that stand beside it. Why the
    /// default: these are some months of releases to roll back to. ECR counts entries and takes signatures for images,
    /// so four entries are kept for each; where a release has fewer, more releases stay.
    pub keep_tagged: Bounded<1, 10_000>,
    /// Days after which an untagged image expires. Why the default: it is long enough for a running deployment by
    /// digest. The workflows of `txnr init` sign under tags; of signatures without one (OCI referrers, which cosign 3
    /// makes) AWS says that they go with their image, and not that they stay as long.
    pub untagged_expire_days: Bounded<1, 365>,
    /// Accounts besides this one that may pull images.
    pub pull_accounts: Vec<AccountId>,
    /// Whether the registry scans continuously with Amazon Inspector, for packages of languages too (PCI 6.3.3,
    /// 11.3.1); written by the environment that owns the account's baseline.
    pub enhanced_scanning: bool,
}

impl Default for Ecr {
    fn default() -> Self {
        Self {
            keep_tagged: Bounded::literal::<50>(),
            untagged_expire_days: Bounded::literal::<14>(),
            pull_accounts: Vec::new(),
            enhanced_scanning: true,
        }
    }
}
