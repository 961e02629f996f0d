//! The roles that are made with the platform.

use crate::config::{EnvConfig, Workload};

/// What the names of a service's two roles end in: the one that its tasks have, and the one that starts them.
pub const TASK: &str = "task";
/// The one that starts them.
pub const EXECUTION: &str = "execution";

/// The ARN of the role whose name ends in `name`.
#[must_use]
pub fn arn(config: &EnvConfig, name: &str) -> String {
    format!("arn:{}:iam::{}:role/{}", config.partition(), config.account_id, config.names.of(name))
}

/// The ARN of the role that starts a service's tasks.
#[must_use]
pub fn execution_arn(config: &EnvConfig, workload: Workload<'_>) -> String {
    arn(config, &workload.suffix(EXECUTION))
}

/// The ARNs of the roles that a task of a service has: its own, and the one that starts it.
#[must_use]
pub fn task_arns(config: &EnvConfig, workload: Workload<'_>) -> [String; 2] {
    [TASK, EXECUTION].map(|name| arn(config, &workload.suffix(name)))
}

/// The ARN of Macie's own role, which has the same name in every account.
#[must_use]
pub fn macie(config: &EnvConfig) -> String {
    let name = "aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie";
    format!("arn:{}:iam::{}:role/{name}", config.partition(), config.account_id)
}
