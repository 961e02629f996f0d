//! The role that pushes: to the environment's own repositories of images, and nothing else. It looks at the images that the
//! tasks pull, too: the signature is verified before anything is deployed.

use std::collections::BTreeSet;

use aws::document::policy::{Policy, Statement};
use aws::kind::{IamPolicyArn, IdentityPolicy, TrustPolicy};
use terraform::{Expr, Stack};

use super::role::{self, NewRole};
use super::{ANYTHING, local};
use crate::config::{EnvConfig, WorkflowRole};
use crate::stacks::{ecr, iam};

type Identity = Statement<IdentityPolicy>;

/// What a push does beside what a pull does; signatures and attestations are pushed like images.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html>
const PUSH: [&str; 4] =
    ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"];

/// Builds the role. It has no right to the key of images: ECR encrypts them with a grant of its own, which it was given
/// when the repository was made. <https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html>
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    trust: Policy<TrustPolicy>,
    boundary: &Expr<IamPolicyArn>,
) {
    let purpose = WorkflowRole::Push;
    let new = NewRole { purpose, description: "Pushes and signs images", trust, hours: 1 };
    let role = role::build(stack, config, new, Some(boundary));
    let mut statements = vec![
        registry_token(),
        Identity::allow(
            "PushImage",
            iam::PULL.into_iter().chain(PUSH).collect::<Vec<_>>(),
            ecr::repository_arns(config),
        ),
    ];
    let elsewhere = elsewhere(config);
    if !elsewhere.is_empty() {
        statements.push(Identity::allow("LookAtImage", iam::PULL, elsewhere));
    }
    role::policy(stack, &role, &local(config, "push"), "push", Policy::new(statements));
    stack.output(
        &format!("{}_role_arn", local(config, "push")),
        format!("The role that images of {} are pushed with.", config.name),
        role.arn().text(),
    );
}

/// AWS knows no resource for signing in to a registry.
fn registry_token() -> Identity {
    Identity::allow("RegistryToken", ["ecr:GetAuthorizationToken"], ANYTHING)
}

/// The repositories that the environment file names, whose images are pushed by others.
fn elsewhere(config: &EnvConfig) -> BTreeSet<String> {
    let elsewhere = config.workloads().filter_map(|workload| workload.service.image_repository.as_ref());
    elsewhere.map(|other| iam::repository_arn(config, other)).collect()
}

/// What it takes to look at the images that the tasks pull, and to verify who signed them.
pub(super) fn look(config: &EnvConfig) -> [Identity; 2] {
    let mut all = ecr::repository_arns(config);
    all.extend(elsewhere(config));
    [registry_token(), Identity::allow("LookAtImages", iam::PULL, all)]
}
