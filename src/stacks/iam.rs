//! Roles: the task's, the one that starts it, and the operators'.

use aws::{IamRoleHandle, IamRolePolicyHandle};
use terraform::Stack;

use super::{ecr, kms, logs};
use crate::config::EnvConfig;

/// The roles.
pub struct Outputs {
    /// What the service may do.
    pub task: IamRoleHandle,
    /// What ECS needs to start a task: pull the image, write the log, read the secrets.
    pub execution: IamRoleHandle,
    /// The execution role's policy; the service depends on it, or its first tasks start without rights.
    pub execution_policy: IamRolePolicyHandle,
}

/// Builds the roles.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    ecr: &ecr::Outputs,
    logs: &logs::Outputs,
) -> Outputs {
    let _ = (stack, config, keys, ecr, logs);
    todo!()
}
