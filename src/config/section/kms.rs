//! `[kms]`: the customer-managed keys.

use crate::config::value::{Bounded, KmsKeyArn, PrincipalArn, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The keys for data, logs, secrets and artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Kms {
    /// Days between the order to delete a key and its deletion. Why the longest: what a lost key encrypted is lost.
    pub deletion_window_days: Bounded<7, 30>,
    /// Days between two rotations (PCI 3.7.4: at the end of the cryptoperiod).
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html>
    pub rotation_days: Bounded<90, 365>,
    /// Who may administer the keys, without the right to use them. Where nobody is named, the account's own IAM
    /// policies decide.
    pub administrators: Vec<PrincipalArn>,
    /// Keys that exist already and take the place of ours.
    pub keys: ExistingKeys,
}

/// Keys that exist already, each in place of the one that would be made for its purpose. Their policies, rotation and
/// deletion are their owner's: what the policies must allow stands in the outputs `required_key_statements_<purpose>`.
/// Each is symmetric and lies in the environment's region. That of secrets may be another account's, which Secrets Manager
/// documents. CloudWatch Logs (`logs`), DynamoDB (`data`) and ECR (`artifacts`) do not say whether they take
/// such a key, so the others are the environment's own account's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExistingKeys {
    /// The key for log groups, log buckets and alarm topics. Ours.
    pub logs: Option<KmsKeyArn>,
    /// The key for data stores. Ours.
    pub data: Option<KmsKeyArn>,
    /// The key for secrets. Ours.
    pub secrets: Option<KmsKeyArn>,
    /// The key for images and build artifacts. Ours.
    pub artifacts: Option<KmsKeyArn>,
    /// Who rotates the keys and says who may use them (PCI 3.6, 3.7), which an assessor will ask for. Required with a
    /// key.
    pub elsewhere: Option<RuleReason>,
}

impl ExistingKeys {
    /// The keys that are given, by the names of their purposes.
    pub fn given(&self) -> impl Iterator<Item = (&'static str, &KmsKeyArn)> {
        let Self { logs, data, secrets, artifacts, elsewhere: _ } = self;
        let all = [("logs", logs), ("data", data), ("secrets", secrets), ("artifacts", artifacts)];
        all.into_iter().filter_map(|(purpose, key)| Some((purpose, key.as_ref()?)))
    }
}

impl Default for Kms {
    fn default() -> Self {
        Self {
            deletion_window_days: Bounded::literal::<30>(),
            rotation_days: Bounded::literal::<365>(),
            administrators: Vec::new(),
            keys: ExistingKeys::default(),
        }
    }
}
