//! Blue/green deployments by CodeDeploy: the new tasks start beside the old ones, in the target group that serves nobody;
//! testers may look at them; then the traffic moves over, in steps, and moves back as soon as an alarm sounds.
//!
//! A pipeline registers a revision of the task definition and asks CodeDeploy to deploy it. Terraform builds what that
//! takes, and leaves to CodeDeploy what it changes: the listeners' target groups and the service's task definition.

use aws::codedeploy_deployment_group as group;
use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{IdentityPolicy, TrustPolicy};
use aws::{
    CodedeployApp, CodedeployAppOptional, CodedeployDeploymentGroup, CodedeployDeploymentGroupOptional,
    EcsServiceHandle, IamRoleHandle,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, NonEmpty, Stack, set, text};

use super::{alb, ecs, iam};
use crate::config::EnvConfig;
use crate::names::cluster;

/// What is deployed, and onto what.
pub struct Inputs<'a> {
    /// The load balancer.
    pub alb: &'a alb::Outputs,
    /// The two target groups' other half.
    pub blue_green: &'a alb::BlueGreen,
    /// The roles of the tasks.
    pub iam: &'a iam::Outputs,
    /// The cluster, and the alarms that stop a deployment.
    pub ecs: &'a ecs::Outputs,
    /// The service. Without one there is nothing that CodeDeploy could deploy to.
    pub service: &'a EcsServiceHandle,
}

/// Builds application, deployment group and role.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) {
    let app = stack.add(
        "main",
        CodedeployApp {
            name: set(application(config)),
            optional: CodedeployAppOptional { compute_platform: set("ECS"), ..Default::default() },
        },
    );
    let new = iam::NewRole {
        address: "codedeploy".to_owned(),
        name: "codedeploy".to_owned(),
        description: "What CodeDeploy does to deploy the service",
        trust: codedeploy(config),
        hours: 1,
    };
    let role = iam::role(stack, config, new);
    let policy = iam::policy(stack, &role, "codedeploy", "codedeploy", Policy::new(deploy(config, inputs)));
    let group = stack.add_with(
        "main",
        // Without its rights CodeDeploy refuses the role.
        Meta::new().depends_on(&policy),
        CodedeployDeploymentGroup {
            app_name: set(app.name()),
            deployment_group_name: set(group_name(config)),
            service_role_arn: set(role.arn()),
            optional: deployment_group(config, inputs),
        },
    );
    outputs(stack, config, inputs, app.name().text(), group.deployment_group_name(), &role);
}

/// The application's name.
#[must_use]
pub fn application(config: &EnvConfig) -> String {
    config.names.prefix().to_owned()
}

/// The name of the application's one deployment group.
#[must_use]
pub fn group_name(config: &EnvConfig) -> String {
    config.service.name.to_string()
}

fn deployment_group(config: &EnvConfig, inputs: &Inputs<'_>) -> CodedeployDeploymentGroupOptional {
    let deployment = &config.service.deployment;
    let wait = deployment.blue_green.termination_wait_minutes.get();
    CodedeployDeploymentGroupOptional {
        alarm_configuration: set(group::AlarmConfiguration {
            alarms: set(inputs.ecs.services.main.symptoms.alarm_names()),
            enabled: set(deployment.circuit_breaker),
            // A deployment that nobody can watch is not made.
            ignore_poll_alarm_failure: set(false),
        }),
        auto_rollback_configuration: set(group::AutoRollbackConfiguration {
            enabled: set(deployment.circuit_breaker),
            events: deployment
                .circuit_breaker
                .then(|| Expr::new(["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"])),
        }),
        blue_green_deployment_config: set(group::BlueGreenDeploymentConfig {
            deployment_ready_option: set(group::DeploymentReadyOption {
                action_on_timeout: set("CONTINUE_DEPLOYMENT"),
                ..Default::default()
            }),
            terminate_blue_instances_on_deployment_success: set(
                group::TerminateBlueInstancesOnDeploymentSuccess {
                    action: set("TERMINATE"),
                    termination_wait_time_in_minutes: set(wait),
                },
            ),
            ..Default::default()
        }),
        deployment_config_name: set(deployment.blue_green.traffic.as_str()),
        deployment_style: set(group::DeploymentStyle {
            deployment_option: set("WITH_TRAFFIC_CONTROL"),
            deployment_type: set("BLUE_GREEN"),
        }),
        ecs_service: set(group::EcsService {
            cluster_name: set(inputs.ecs.cluster.name().text()),
            service_name: set(inputs.service.name()),
        }),
        load_balancer_info: set(group::LoadBalancerInfo {
            target_group_pair_info: set(target_groups(inputs)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn target_groups(inputs: &Inputs<'_>) -> group::TargetGroupPairInfo {
    let listener = |arn: Expr<Text>| group::ProdTrafficRoute { listener_arns: set([arn]) };
    let test = inputs.blue_green.test_listener.as_ref();
    group::TargetGroupPairInfo {
        prod_traffic_route: listener(inputs.alb.https_listener.arn().text()),
        target_group: NonEmpty::new(
            group::TargetGroup { name: set(inputs.alb.target_groups.main.name()) },
            [group::TargetGroup { name: set(inputs.blue_green.green.name()) }],
        ),
        optional: group::TargetGroupPairInfoOptional {
            test_traffic_route: test.map(|test| listener(test.arn().text())),
        },
    }
}

/// Deployment groups of this application alone (confused deputy).
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/security_confused_deputy.html>
fn codedeploy(config: &EnvConfig) -> Policy<TrustPolicy> {
    let groups = config.arn("codedeploy", &format!("deploymentgroup:{}/*", application(config)));
    let service = Principal::service("codedeploy.amazonaws.com");
    Policy::new([Statement::<TrustPolicy>::assume("CodeDeploy", service)
        .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
        .when(Condition::arn_like("aws:SourceArn", [groups]))])
}

/// What the managed policy `AWSCodeDeployRoleForECSLimited` allows of every service, allowed of this one, and without
/// what only hooks and an AppSpec in a bucket take.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSCodeDeployRoleForECSLimited.html>
fn deploy(config: &EnvConfig, inputs: &Inputs<'_>) -> [Statement<IdentityPolicy>; 6] {
    type Identity = Statement<IdentityPolicy>;
    // AWS knows no resource for these, or none that it names alike in every region.
    let anything = ["*"];
    let roles = &inputs.iam.services.main;
    let mut listeners = vec![inputs.alb.https_listener.arn().text()];
    listeners.extend(inputs.blue_green.test_listener.iter().map(|test| test.arn().text()));
    [
        Identity::allow(
            "MoveService",
            ["ecs:DescribeServices", "ecs:UpdateServicePrimaryTaskSet"],
            [cluster::service_arn(config, config.main_service())],
        ),
        Identity::allow("StartAndStopTaskSets", ["ecs:CreateTaskSet", "ecs:DeleteTaskSet"], anything)
            .when(Condition::arn_equals("ecs:cluster", [cluster::arn(config)])),
        Identity::allow(
            "LookAtTargets",
            [
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeRules",
                "elasticloadbalancing:DescribeTargetGroups",
            ],
            anything,
        ),
        Identity::allow("MoveTraffic", ["elasticloadbalancing:ModifyListener"], listeners),
        Identity::allow("LookAtAlarms", ["cloudwatch:DescribeAlarms"], anything),
        Identity::allow(
            "PassTaskRoles",
            ["iam:PassRole"],
            [roles.task.arn().text(), roles.execution.arn().text()],
        )
        .when(Condition::string_equals("iam:PassedToService", ["ecs-tasks.amazonaws.com"])),
    ]
}

fn outputs(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    application: Expr<Text>,
    group: Expr<Text>,
    role: &IamRoleHandle,
) {
    stack.output("codedeploy_application", "What a pipeline asks CodeDeploy to deploy.", application);
    stack.output("codedeploy_deployment_group", "The application's one deployment group.", group);
    stack.output("codedeploy_role_arn", "What CodeDeploy does to deploy the service.", role.arn().text());
    stack.output(
        "codedeploy_appspec",
        "The AppSpec of a deployment; a pipeline puts the revision's ARN in place of <TASK_DEFINITION>.",
        appspec(config),
    );
    let test = inputs.blue_green.test_listener.as_ref().zip(config.test_listener());
    if let Some((listener, (port, _))) = test {
        let description = "Where the next version answers before it gets traffic.";
        stack.output("test_url", description, format!("https://{}:{port}", config.domain));
        stack.output("test_listener_arn", "The listener that only testers reach.", text![listener.arn()]);
    }
}

/// What CodeDeploy is to deploy, with a placeholder for the revision.
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html>
#[must_use]
pub fn appspec(config: &EnvConfig) -> String {
    format!(
        "version: 0.0\n\
         Resources:\n  \
           - TargetService:\n      \
               Type: AWS::ECS::Service\n      \
               Properties:\n        \
                 TaskDefinition: <TASK_DEFINITION>\n        \
                 LoadBalancerInfo:\n          \
                   ContainerName: {}\n          \
                   ContainerPort: {}\n        \
                 PlatformVersion: LATEST\n",
        config.service.name, config.service.container_port
    )
}

#[cfg(test)]
mod tests;
