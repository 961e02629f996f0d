//! The role that deploys where Terraform does not: revisions of those services' task definitions, to those services.

use aws::document::policy::{Condition, Policy, Statement};
use aws::kind::{IamPolicyArn, IdentityPolicy, TrustPolicy};
use terraform::{Expr, Stack};

use super::role::{self, NewRole};
use super::{ANYTHING, local};
use crate::config::{EnvConfig, Strategy, WorkflowRole, Workload};
use crate::names::{cluster, role as platform_role};
use crate::stacks::deploy;

type Identity = Statement<IdentityPolicy>;

/// The services that Terraform does not deploy.
fn services(config: &EnvConfig) -> impl Iterator<Item = Workload<'_>> {
    config.workloads().filter(|workload| workload.service.deployment.strategy != Strategy::Rolling)
}

/// Builds the role, where there is a service for it. A revision decides what runs with the rights of the task, so the role
/// passes the tasks' own two roles and no other (PCI 7.2.5), and hands revisions to these services alone.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    trust: Policy<TrustPolicy>,
    boundary: &Expr<IamPolicyArn>,
) {
    let Some(hours) = services(config).map(|workload| workload.service.deployment.session_hours()).max()
    else {
        return;
    };
    let purpose = WorkflowRole::Deploy;
    let new = NewRole { purpose, description: "Deploys the service", trust, hours };
    let role = role::build(stack, config, new, Some(boundary));
    let mut statements = Vec::from(register(config));
    if config.is_blue_green() {
        statements.extend(code_deploy(config));
    }
    statements.extend(update(config));
    statements.extend(as_it_is(config));
    role::policy(stack, &role, &local(config, "deploy"), "deploy", Policy::new(statements));
    stack.output(
        &format!("{}_role_arn", local(config, "deploy")),
        format!("The role that {} is deployed with.", config.name),
        role.arn().text(),
    );
}

/// A revision is a copy of the last one with another image, and its tags. AWS names no resource for reading it.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html>
fn register(config: &EnvConfig) -> [Identity; 4] {
    let revisions =
        |workload| config.arn("ecs", &format!("task-definition/{}:*", cluster::family(config, workload)));
    let revisions: Vec<String> = services(config).map(revisions).collect();
    let roles: Vec<String> =
        services(config).flat_map(|workload| platform_role::task_arns(config, workload)).collect();
    [
        Identity::allow("ReadRevisions", ["ecs:DescribeTaskDefinition"], ANYTHING),
        Identity::allow("RegisterRevisions", ["ecs:RegisterTaskDefinition"], revisions.clone()),
        Identity::allow("TagRevisions", ["ecs:TagResource"], revisions)
            .when(Condition::string_equals("ecs:CreateAction", ["RegisterTaskDefinition"])),
        Identity::allow("PassTaskRoles", ["iam:PassRole"], roles)
            .when(Condition::string_equals("iam:PassedToService", ["ecs-tasks.amazonaws.com"])),
    ]
}

/// CodeDeploy updates the service that it deploys.
fn update(config: &EnvConfig) -> Option<Identity> {
    let updated = services(config).filter(|workload| !workload.service.is_blue_green());
    let updated: Vec<String> = updated.map(|workload| cluster::service_arn(config, workload)).collect();
    let actions = ["ecs:DescribeServices", "ecs:UpdateService"];
    (!updated.is_empty()).then(|| Identity::allow("UpdateService", actions, updated))
}

/// A deployment changes the image and nothing around it: no shell in the tasks where none is wanted, no address on the
/// internet. <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html#amazonelasticcontainerservice-policy-keys>
fn as_it_is(config: &EnvConfig) -> Vec<Identity> {
    let deny =
        |sid: &'static str, condition| Identity::deny(sid, ["ecs:UpdateService"], ANYTHING).when(condition);
    let shell = services(config).any(|workload| workload.service.exec);
    let mut all = vec![deny("NoPublicAddress", Condition::bool("ecs:auto-assign-public-ip", true))];
    if !shell {
        all.push(deny("NoShell", Condition::string_equals("ecs:enable-execute-command", ["true"])));
    }
    all
}

/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodedeploy.html>
fn code_deploy(config: &EnvConfig) -> Vec<Identity> {
    let application = deploy::application(config);
    let group = format!("deploymentgroup:{application}/{}", deploy::group_name(config));
    let traffic = config.service.deployment.blue_green.traffic.as_str();
    vec![
        Identity::allow(
            "CreateDeployment",
            ["codedeploy:CreateDeployment", "codedeploy:GetDeployment"],
            [config.arn("codedeploy", &group)],
        ),
        // AWS names no resource for these.
        Identity::allow(
            "WatchDeployment",
            ["codedeploy:GetDeploymentTarget", "codedeploy:ListDeploymentTargets"],
            ANYTHING,
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
