//! Roles, for every stack: the names of the environment's own, and under its boundary.

use aws::document::policy::{Policy, Statement};
use aws::kind::{IamPolicyArn, IdentityPolicy, TrustPolicy};
use aws::{
    IamRole, IamRoleHandle, IamRoleOptional, IamRolePolicy, IamRolePolicyHandle, IamRolePolicyOptional,
};
use terraform::{Expr, Stack, set};

use crate::config::EnvConfig;

/// A role without any right yet; `name` is what its name ends in.
pub(super) fn new(
    config: &EnvConfig,
    name: &str,
    description: impl Into<String>,
    trust: Policy<TrustPolicy>,
) -> IamRole {
    let boundary = config.iam.permissions_boundary.as_ref();
    IamRole {
        assume_role_policy: set(trust),
        optional: IamRoleOptional {
            name: set(config.names.of(name)),
            description: set(description.into()),
            permissions_boundary: boundary.map(|arn| Expr::<IamPolicyArn>::external(arn.to_string())),
            ..Default::default()
        },
    }
}

/// Adds a role of one statement of trust, without any right yet.
pub(super) fn add(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    name: &str,
    description: &'static str,
    trust: Statement<TrustPolicy>,
) -> IamRoleHandle {
    stack.add(name, new(config, name, description, Policy::new([trust])))
}

/// Adds a role for a service of AWS that works for the platform, with one policy.
pub(super) fn with_policy(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    name: &str,
    description: &'static str,
    trust: Statement<TrustPolicy>,
    statements: impl IntoIterator<Item = Statement<IdentityPolicy>>,
) -> (IamRoleHandle, IamRolePolicyHandle) {
    let role = add(stack, config, name, description, trust);
    let policy = stack.add(
        name,
        IamRolePolicy {
            role: set(role.name()),
            policy: set(Policy::new(statements)),
            optional: IamRolePolicyOptional { name: set(config.names.of(name)), ..Default::default() },
        },
    );
    (role, policy)
}
