//! The role that deploys where Terraform does not: a revision of the one task definition, to the one service.

use aws::document::policy::{Condition, Policy, Statement};
use aws::kind::{IamPolicyArn, IdentityPolicy, TrustPolicy};
use terraform::{Expr, Stack};

use super::role::{self, NewRole};
use super::{ANYTHING, local};
use crate::config::{EnvConfig, WorkflowRole};
use crate::stacks::{deploy, ecs, iam};

type Identity = Statement<IdentityPolicy>;

/// Builds the role. A revision decides what runs with the rights of the task, so the role passes the task's two roles and
/// no other (PCI 7.2.5), and hands its revision to this service alone.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    trust: Policy<TrustPolicy>,
    boundary: &Expr<IamPolicyArn>,
) {
    let hours = config.service.deployment.session_hours();
    let purpose = WorkflowRole::Deploy;
    let new = NewRole { purpose, description: "Deploys the service", trust, hours };
    let role = role::build(stack, config, new, Some(boundary));
    let mut statements = Vec::from(register(config));
    statements.extend(if config.is_blue_green() { code_deploy(config) } else { update(config) });
    role::policy(stack, &role, &local(config, "deploy"), "deploy", Policy::new(statements));
    stack.output(
        &format!("{}_role_arn", local(config, "deploy")),
        format!("The role that {} is deployed with.", config.name),
        role.arn().text(),
    );
}

/// A revision is a copy of the last one with another image, and its tags. AWS names no resource for the first two.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>
fn register(config: &EnvConfig) -> [Identity; 3] {
    let revisions = config.arn("ecs", &format!("task-definition/{}:*", ecs::family(config)));
    [
        Identity::allow(
            "RegisterRevisions",
            ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"],
            ANYTHING,
        ),
        Identity::allow("TagRevisions", ["ecs:TagResource"], [revisions])
            .when(Condition::string_equals("ecs:CreateAction", ["RegisterTaskDefinition"])),
        Identity::allow("PassTaskRoles", ["iam:PassRole"], iam::task_role_arns(config))
            .when(Condition::string_equals("iam:PassedToService", ["ecs-tasks.amazonaws.com"])),
    ]
}

fn update(config: &EnvConfig) -> Vec<Identity> {
    let actions = ["ecs:DescribeServices", "ecs:UpdateService"];
    vec![Identity::allow("UpdateService", actions, [ecs::service_arn(config)])]
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html>
fn code_deploy(config: &EnvConfig) -> Vec<Identity> {
    let application = deploy::application(config);
    let group = format!("deploymentgroup:{application}/{}", deploy::group_name(config));
    let traffic = config.service.deployment.blue_green.traffic.as_str();
    vec![
        Identity::allow(
            "CreateDeployment",
            [
                "codedeploy:CreateDeployment",
                "codedeploy:GetDeployment",
                "codedeploy:GetDeploymentTarget",
                "codedeploy:ListDeploymentTargets",
            ],
            [config.arn("codedeploy", &group)],
        ),
        Identity::allow(
            "ReadTraffic",
            ["codedeploy:GetDeploymentConfig"],
            [config.arn("codedeploy", &format!("deploymentconfig:{traffic}"))],
        ),
        Identity::allow(
            "RegisterAppSpec",
            ["codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"],
            [config.arn("codedeploy", &format!("application:{application}"))],
        ),
    ]
}
