//! `[terraform]`: the versions that may apply the output.

use crate::config::value::VersionConstraint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The versions of Terraform and of the AWS provider that may apply the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Terraform {
    /// Terraform itself. Why the default: it is the first release with write-only arguments, which keep secrets out of
    /// the state.
    pub required_version: VersionConstraint,
    /// The provider hashicorp/aws. Why the default: every apply of the tests is made with it; 6 was never applied,
    /// although the output avoids what its upgrade guide removes.
    pub aws_provider: VersionConstraint,
}

impl Default for Terraform {
    fn default() -> Self {
        Self {
            required_version: VersionConstraint::known(">= 1.11"),
            aws_provider: VersionConstraint::known("~> 5.100"),
        }
    }
}
