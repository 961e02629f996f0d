//! The cluster and what runs in it.

use crate::config::{EnvConfig, Workload};

/// The cluster's name.
#[must_use]
pub fn name(config: &EnvConfig) -> String {
    config.names.prefix().to_owned()
}

/// The cluster's ARN.
#[must_use]
pub fn arn(config: &EnvConfig) -> String {
    config.arn("ecs", &format!("cluster/{}", name(config)))
}

/// A service's ARN.
#[must_use]
pub fn service_arn(config: &EnvConfig, workload: Workload<'_>) -> String {
    config.arn("ecs", &format!("service/{}/{}", name(config), workload.service.name))
}

/// The family of a service's task definitions. Every environment has one of its own: in one account, two would
/// otherwise mix their revisions.
#[must_use]
pub fn family(config: &EnvConfig, workload: Workload<'_>) -> String {
    config.names.of(workload.service.name.as_str())
}

/// What the names of all log streams of tasks begin with.
pub const LOG_STREAM_PREFIX: &str = "ecs";

/// What the names of a container's log streams begin with; the task's id follows.
#[must_use]
pub fn log_stream_prefix(container: &str) -> String {
    format!("{LOG_STREAM_PREFIX}/{container}")
}
