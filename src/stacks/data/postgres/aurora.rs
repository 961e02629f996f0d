//! Aurora Serverless v2: one instance to write to, and readers in other zones that take over.

use aws::{
    RdsCluster, RdsClusterHandle, RdsClusterInstance, RdsClusterInstanceHandle, RdsClusterInstanceOptional,
    RdsClusterOptional, RdsClusterParameterGroup, RdsClusterParameterGroupHandle,
    RdsClusterParameterGroupOptional, rds_cluster as cluster, rds_cluster_parameter_group as parameters,
};
use terraform::{Addressed, Meta, Stack, set};

use super::{Common, Database, INSIGHTS_DAYS, MASTER_USER, PARAMETERS, Parameter, Source};
use crate::config::PostgresAurora;

const ENGINE: &str = "aurora-postgresql";

pub(super) fn build(stack: &mut Stack<'_>, common: &Common<'_>, size: PostgresAurora) -> Database {
    let cluster = cluster(stack, common, size);
    let instances: Vec<RdsClusterInstanceHandle> =
        (1..=size.readers.get() + 1).map(|number| instance(stack, common, &cluster, number)).collect();
    let identifiers = instances.iter().map(RdsClusterInstanceHandle::identifier).collect();
    Database {
        arn: cluster.arn().text(),
        host: cluster.endpoint(),
        resource_id: cluster.cluster_resource_id(),
        master_secret: cluster.master_user_secret().at(0).secret_arn(),
        identifier: cluster.cluster_identifier(),
        subnet_group: common.subnets.name().text(),
        backup_type: "Aurora",
        instances: instances.iter().map(|instance| instance.address().clone()).collect(),
        // What a failure or a maintenance of an instance is, RDS tells of the instance alone.
        sources: vec![
            Source::cluster("database", cluster.cluster_identifier()),
            Source::instances("database-instances", identifiers),
        ],
    }
}

fn cluster(stack: &mut Stack<'_>, common: &Common<'_>, size: PostgresAurora) -> RdsClusterHandle {
    let Common { config, postgres, inputs, .. } = *common;
    let parameters = parameters(stack, common);
    stack.output(
        "database_parameter_group",
        "The parameter group of PostgreSQL's cluster, which a restored one is given.",
        parameters.name(),
    );
    stack.add_with(
        "main",
        common.meta(),
        RdsCluster {
            engine: set(ENGINE),
            optional: RdsClusterOptional {
                cluster_identifier: set(config.database_identifier().to_owned()),
                // What Serverless v2 calls itself; `serverless` is the first one.
                engine_mode: set("provisioned"),
                engine_version: set(postgres.version.to_string()),
                serverlessv2_scaling_configuration: set(cluster::Serverlessv2ScalingConfiguration {
                    min_capacity: set(size.capacity_min.get()),
                    max_capacity: set(size.capacity_max.get()),
                    optional: Default::default(),
                }),
                db_cluster_parameter_group_name: set(parameters.name()),
                database_name: set(contract::DATABASE_NAME),
                port: set(contract::DATABASE_PORT),
                // Placement (PCI 1.4.4).
                db_subnet_group_name: set(common.subnets.name()),
                vpc_security_group_ids: set([common.security_group.id()]),
                // Storage (PCI 3.5.1).
                storage_encrypted: set(true),
                kms_key_id: set(inputs.keys.data.arn()),
                // Who gets in (PCI 8.3.1, 8.6.2): the service by a token of IAM, and `migrate` by a password that RDS
                // draws and rotates, and that Terraform never sees.
                master_username: set(MASTER_USER),
                manage_master_user_password: set(true),
                master_user_secret_kms_key_id: set(inputs.keys.secrets.arn()),
                iam_database_authentication_enabled: set(true),
                // Backups.
                backup_retention_period: set(postgres.backup_days),
                preferred_backup_window: set(postgres.backup_window.to_string()),
                copy_tags_to_snapshot: set(true),
                delete_automated_backups: set(!config.protection),
                deletion_protection: set(config.protection),
                skip_final_snapshot: set(!config.protection),
                final_snapshot_identifier: common.final_snapshot(),
                preferred_maintenance_window: set(postgres.maintenance_window.to_string()),
                apply_immediately: common.apply_immediately(),
                // At once, so that the group of parameters and the version change together.
                allow_major_version_upgrade: common.apply_immediately(),
                // Sight (PCI 10.2.1).
                enabled_cloudwatch_logs_exports: set(["postgresql"]),
                tags: set([("Name", config.database_identifier().to_owned())]),
                ..Default::default()
            },
        },
    )
}

/// Numbered, and not named by what they are: a reader that took over is the writer.
fn instance(
    stack: &mut Stack<'_>,
    common: &Common<'_>,
    cluster: &RdsClusterHandle,
    number: u32,
) -> RdsClusterInstanceHandle {
    let Common { config, postgres, inputs, .. } = *common;
    let name = format!("{}-{number}", config.database_identifier());
    stack.add_with(
        format!("main_{number}"),
        Meta::new().depends_on(&common.monitoring.1),
        RdsClusterInstance {
            cluster_identifier: set(cluster.id()),
            engine: set(ENGINE),
            instance_class: set("db.serverless"),
            optional: RdsClusterInstanceOptional {
                identifier: set(name.clone()),
                db_subnet_group_name: set(common.subnets.name()),
                publicly_accessible: set(false),
                auto_minor_version_upgrade: set(true),
                copy_tags_to_snapshot: set(true),
                preferred_maintenance_window: set(postgres.maintenance_window.to_string()),
                apply_immediately: common.apply_immediately(),
                // The first reader scales with the writer, so that it can take over at once; the others by themselves.
                // https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.how-it-works.html
                promotion_tier: set(if number <= 2 { 1 } else { 2 }),
                monitoring_interval: set(postgres.monitoring_seconds),
                monitoring_role_arn: set(common.monitoring.0.arn()),
                performance_insights_enabled: set(true),
                performance_insights_kms_key_id: set(inputs.keys.data.arn()),
                performance_insights_retention_period: set(INSIGHTS_DAYS),
                tags: set([("Name", name)]),
                ..Default::default()
            },
        },
    )
}

/// A group of another family is another group, and one in use cannot be deleted: the new one is made first.
fn parameters(stack: &mut Stack<'_>, common: &Common<'_>) -> RdsClusterParameterGroupHandle {
    let parameter = |of: Parameter| parameters::Parameter {
        name: set(of.name),
        value: set(of.value),
        optional: parameters::ParameterOptional { apply_method: set(of.applied) },
    };
    stack.add_with(
        "main",
        Meta::new().create_before_destroy(),
        RdsClusterParameterGroup {
            family: set(format!("{ENGINE}{}", common.postgres.version.major())),
            optional: RdsClusterParameterGroupOptional {
                name_prefix: set(common.config.names.of("")),
                description: set("TLS alone, and what is logged"),
                parameter: PARAMETERS.into_iter().map(parameter).collect(),
                tags: set([("Name", common.config.names.prefix().to_owned())]),
                ..Default::default()
            },
        },
    )
}
