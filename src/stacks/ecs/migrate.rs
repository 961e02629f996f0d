//! The task that makes and changes the tables of PostgreSQL: the service's image with another command, as the master
//! user. Nothing runs it by itself; whoever deploys does, before the version that needs it.

use aws::document::container::SecretSource;
use aws::{
    EcsClusterHandle, EcsTaskDefinition, EcsTaskDefinitionOptional, IamRoleHandle, IamRolePolicyHandle,
    ecs_task_definition as task,
};
use contract::Var;
use terraform::kind::Text;
use terraform::{Expr, Meta, Stack, TextPart, concat, set};

use super::Inputs;
use super::container::{Directory, container};
use crate::config::{EnvConfig, ImageRef, MIGRATE};
use crate::stacks::data::Database;

/// What is run, by whom and on what.
pub(super) struct Of<'a> {
    pub cluster: &'a EcsClusterHandle,
    pub database: &'a Database,
    /// Starts the task, and may by its policy read the master user's secret; the task itself has no rights at all.
    pub role: &'a (IamRoleHandle, IamRolePolicyHandle),
    pub image: &'a ImageRef,
}

/// Builds the task definition.
pub(super) fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>, of: &Of<'_>) {
    let mut container = container(config, inputs, config.main_service(), of.image);
    container.name = set(MIGRATE);
    container.optional.command = contract::MIGRATE_COMMAND.map(Expr::new).to_vec();
    container.optional.port_mappings.clear();
    container.optional.health_check = None;
    container.optional.environment.remove(Var::DatabaseUser.name());
    // RDS keeps both in one secret, as JSON.
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
    container.optional.secrets = [(Var::DatabaseUser, "username"), (Var::DatabasePassword, "password")]
        .map(|(var, key)| {
            (var.name().to_owned(), SecretSource::managed_key(of.database.master_secret.clone(), key))
        })
        .into();
    let family = config.names.of(MIGRATE);
    let definition = stack.add_with(
        MIGRATE,
        needs(inputs, of).create_before_destroy(),
        EcsTaskDefinition {
            container_definitions: set(container),
            family: set(family.clone()),
            optional: EcsTaskDefinitionOptional {
                requires_compatibilities: set(["FARGATE"]),
                network_mode: set("awsvpc"),
                cpu: set(config.service.size.cpu_units().to_string()),
                memory: set(config.service.size.memory_mib().to_string()),
                runtime_platform: set(task::RuntimePlatform {
                    cpu_architecture: set(config.service.architecture.as_str()),
                    operating_system_family: set("LINUX"),
                }),
                execution_role_arn: set(of.role.0.arn()),
                volume: Directory::ALL
                    .into_iter()
                    .filter(|directory| directory.wanted(config, &config.service))
                    .map(|directory| task::Volume {
                        name: set(directory.volume()),
                        optional: task::VolumeOptional::default(),
                    })
                    .collect(),
                skip_destroy: set(config.protection),
                tags: set([("Name", family)]),
                ..Default::default()
            },
        },
    );
    stack.output(
        "migrate_command",
        "Makes or changes the tables of PostgreSQL, and fails if that did: before a version of the service that needs it.",
        command(inputs, of.cluster, definition.arn().text()),
    );
}

/// What a run of it takes, so that whoever applies the task definition alone (`-target`) can run it.
fn needs(inputs: &Inputs<'_>, of: &Of<'_>) -> Meta<EcsTaskDefinition> {
    let before = inputs.network.before_tasks.main.iter();
    let all = before.chain(&of.database.instances);
    all.fold(Meta::new().depends_on(of.cluster).depends_on(&of.role.1), |meta, needed| {
        meta.depends_on(needed)
    })
}

/// Runs the task where the service's tasks run too, from where alone the database is reached, waits for its end, and
/// succeeds if it did. <https://docs.aws.amazon.com/cli/latest/reference/ecs/wait/tasks-stopped.html>
fn command(inputs: &Inputs<'_>, cluster: &EcsClusterHandle, definition: Expr<Text>) -> Expr<Text> {
    let mut parts: Vec<TextPart> = vec![
        "task=$(aws ecs run-task --launch-type FARGATE --query 'tasks[0].taskArn' --output text --cluster "
            .into(),
        cluster.name().into(),
        " --task-definition ".into(),
        definition.into(),
        " --network-configuration 'awsvpcConfiguration={assignPublicIp=DISABLED,securityGroups=[".into(),
        inputs.network.tasks_security_groups.main.id().into(),
        "],subnets=[".into(),
    ];
    for (at, subnet) in inputs.network.private_subnets.iter().enumerate() {
        if at > 0 {
            parts.push(",".into());
        }
        parts.push(subnet.clone().into());
    }
    parts.push("]}') && aws ecs wait tasks-stopped --tasks \"$task\" --cluster ".into());
    parts.push(cluster.name().into());
    let exit_code = " && [ 0 = \"$(aws ecs describe-tasks --query 'tasks[0].containers[0].exitCode' --output text \
                     --tasks \"$task\" --cluster ";
    parts.push(exit_code.into());
    parts.push(cluster.name().into());
    parts.push(")\" ]".into());
    concat(parts)
}
