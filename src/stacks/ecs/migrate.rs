//! The task that makes and changes the tables of PostgreSQL: the service's image with another command, as the master
//! user. Nothing runs it by itself; whoever deploys does, before the version that needs it.

use aws::document::container::SecretSource;
use aws::{
    EcsClusterHandle, EcsTaskDefinition, EcsTaskDefinitionOptional, IamRoleHandle,
    ecs_task_definition as task,
};
use contract::Var;
use terraform::kind::Text;
use terraform::{Expr, Meta, Stack, TextPart, concat, set};

use super::Inputs;
use super::container::{Directory, container};
use crate::config::{EnvConfig, MIGRATE};
use crate::stacks::data::Database;

/// Builds the task definition. `role` starts the task and may read the master user's secret; the task itself has no
/// rights at all.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    cluster: &EcsClusterHandle,
    database: &Database,
    role: &IamRoleHandle,
) {
    let mut container = container(config, inputs, config.main_service());
    container.name = set(MIGRATE);
    container.optional.command = contract::MIGRATE_COMMAND.map(Expr::new).to_vec();
    container.optional.port_mappings.clear();
    container.optional.health_check = None;
    container.optional.environment.remove(Var::DatabaseUser.name());
    // RDS keeps both in one secret, as JSON.
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
    container.optional.secrets = [(Var::DatabaseUser, "username"), (Var::DatabasePassword, "password")]
        .map(|(var, key)| {
            (var.name().to_owned(), SecretSource::managed_key(database.master_secret.clone(), key))
        })
        .into();
    let family = config.names.of(MIGRATE);
    let definition = stack.add_with(
        MIGRATE,
        Meta::new().create_before_destroy(),
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
                execution_role_arn: set(role.arn()),
                volume: Directory::ALL
                    .into_iter()
                    .filter(|directory| directory.wanted(&config.service))
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
        "Makes or changes the tables of PostgreSQL: to be run before a version of the service that needs it.",
        command(inputs, cluster, definition.arn().text()),
    );
}

/// Where the service's tasks run too, from where alone the database is reached.
fn command(inputs: &Inputs<'_>, cluster: &EcsClusterHandle, definition: Expr<Text>) -> Expr<Text> {
    let mut parts: Vec<TextPart> = vec![
        "aws ecs run-task --launch-type FARGATE --cluster ".into(),
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
    parts.push("]}'".into());
    concat(parts)
}
