//! What the roles of workflows have in common.

use aws::document::policy::Policy;
use aws::kind::{IamPolicyArn, IdentityPolicy, TrustPolicy};
use aws::{IamRole, IamRoleHandle, IamRoleOptional, IamRolePolicy, IamRolePolicyOptional};
use terraform::{Expr, Stack, set};

use super::local;
use crate::config::names::BOOTSTRAP_PATH;
use crate::config::{EnvConfig, WorkflowRole};

/// A role to be made.
pub(super) struct NewRole {
    pub(super) purpose: WorkflowRole,
    pub(super) description: &'static str,
    pub(super) trust: Policy<TrustPolicy>,
    /// Hours that a session lasts at most.
    pub(super) hours: u32,
}

/// A role below the path that the boundary closes.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    new: NewRole,
    boundary: Option<&Expr<IamPolicyArn>>,
) -> IamRoleHandle {
    let name = config.names.workflow_role(new.purpose);
    stack.add(
        local(config, new.purpose.as_str()),
        IamRole {
            assume_role_policy: set(new.trust),
            optional: IamRoleOptional {
                name: set(name.clone()),
                path: set(BOOTSTRAP_PATH),
                description: set(format!("{} ({})", new.description, config.names.prefix())),
                permissions_boundary: boundary.cloned(),
                max_session_duration: set(new.hours * 3600),
                tags: set([("Name", name)]),
                ..Default::default()
            },
        },
    )
}

/// A policy in the role itself: it serves no other, and goes with it.
pub(super) fn policy(
    stack: &mut Stack<'_>,
    role: &IamRoleHandle,
    local_name: &str,
    name: &'static str,
    document: Policy<IdentityPolicy>,
) {
    stack.add(
        local_name,
        IamRolePolicy {
            policy: set(document),
            role: set(role.name()),
            optional: IamRolePolicyOptional { name: set(name), ..Default::default() },
        },
    );
}
