//! `[kms]`: the customer-managed keys.

use crate::config::value::{Bounded, PrincipalArn};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The keys for data, logs, secrets and artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Kms {
    /// Days between the order to delete a key and its deletion, 7 to 30. 30, the longest: what a lost key encrypted
    /// is lost.
    pub deletion_window_days: Bounded<7, 30>,
    /// Days between two rotations, 90 to 365. 365 (PCI 3.7.4: at the end of the cryptoperiod).
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html>
    pub rotation_days: Bounded<90, 365>,
    /// Who may administer the keys, without the right to use them. None: the account's own IAM policies then decide.
    pub administrators: Vec<PrincipalArn>,
}

impl Default for Kms {
    fn default() -> Self {
        Self {
            deletion_window_days: Bounded::literal::<30>(),
            rotation_days: Bounded::literal::<365>(),
            administrators: Vec::new(),
        }
    }
}
