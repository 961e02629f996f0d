//! The image repository: immutable, encrypted, scanned.

use aws::EcrRepositoryHandle;
use terraform::Stack;

use super::kms;
use crate::config::EnvConfig;

/// The repository.
pub struct Outputs {
    /// The service's images.
    pub repository: EcrRepositoryHandle,
}

/// Builds the repository.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> Outputs {
    let _ = (stack, config, keys);
    todo!()
}
