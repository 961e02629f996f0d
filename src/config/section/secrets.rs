//! `[secrets]`: the service's own secrets.

use crate::config::value::{Bounded, Date, LambdaArn, PrincipalArn, TagText};
use contract::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The service's own secrets, whose values are drawn at random and stand neither in Terraform's files nor in its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Secrets {
    /// Days in which a deleted secret can be had back. None where `protection` is false, so that the name is free again
    /// at once.
    pub recovery_window_days: Bounded<7, 30>,
    /// Roles and users that may read the secrets besides the tasks' start and `iam.terraform_role`: who takes the first
    /// administrator's key, the break-glass role, and the roles of rotation functions. Where `iam.terraform_role` is
    /// named, everybody else is denied; else nobody knows who applies, and only the platform's other roles are. A role
    /// that plans and must not read them plans with `-refresh=false`: the provider reads what it refreshes.
    pub readers: Vec<PrincipalArn>,
    /// The bearer token that makes the first API keys.
    pub admin_key: SecretSettings,
    /// What cursors and audit anchors are signed with.
    pub signing_key: SecretSettings,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            recovery_window_days: Bounded::literal::<30>(),
            readers: Vec::new(),
            admin_key: SecretSettings::default(),
            signing_key: SecretSettings::default(),
        }
    }
}

impl Secrets {
    /// The settings of a secret.
    #[must_use]
    pub const fn of(&self, secret: Secret) -> &SecretSettings {
        match secret {
            Secret::AdminKey => &self.admin_key,
            Secret::SigningKey => &self.signing_key,
        }
    }

    /// The key of a secret's settings in the environment file.
    #[must_use]
    pub const fn key(secret: Secret) -> &'static str {
        match secret {
            Secret::AdminKey => "secrets.admin_key",
            Secret::SigningKey => "secrets.signing_key",
        }
    }
}

/// How a secret changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SecretSettings {
    /// Raised by one, it has the next apply draw another value, which the tasks take when they are next started.
    pub version: Bounded<1, 1_000_000>,
    /// The Lambda function that rotates the secret, by ARN; its role stands under `readers`. None: the secret changes
    /// by `version`, under the exception below.
    pub rotation_function: Option<LambdaArn>,
    /// Days between rotations by the function.
    pub rotation_days: Bounded<1, 1000>,
    /// Why no function rotates it, recorded as the secret's tag `rotation_exception` (PCI 8.6.3 leaves the frequency to
    /// a targeted risk analysis, 12.3.1).
    pub exception: TagText,
    /// The day on which the exception ends or is looked at again, such as `2027-03-31`, recorded as the tag
    /// `rotation_review`. None: every twelve months, the longest that an analysis holds (PCI 12.3.1).
    pub review: Option<Date>,
}

impl Default for SecretSettings {
    fn default() -> Self {
        Self {
            version: Bounded::literal::<1>(),
            rotation_function: None,
            rotation_days: Bounded::literal::<90>(),
            exception: TagText::known("Drawn at random - changed on suspicion and at each review"),
            review: None,
        }
    }
}
