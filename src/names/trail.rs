//! The account's trail.

use crate::config::EnvConfig;

/// Its ARN.
#[must_use]
pub fn arn(config: &EnvConfig) -> String {
    config.arn("cloudtrail", &format!("trail/{}", config.names.prefix()))
}
