//! The queue of events that EventBridge could not tell a topic.

use crate::config::EnvConfig;

/// Its name.
#[must_use]
pub fn dead_letters(config: &EnvConfig) -> String {
    config.names.of("untold-events")
}

/// Its ARN.
#[must_use]
pub fn dead_letters_arn(config: &EnvConfig) -> String {
    config.arn("sqs", &dead_letters(config))
}
