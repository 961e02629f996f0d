//! An instance of RDS, with a standby in another zone.

use aws::{
    DbInstance, DbInstanceOptional, DbParameterGroup, DbParameterGroupHandle, DbParameterGroupOptional,
    db_parameter_group as parameters,
};
use terraform::{Addressed, Meta, Stack, set};

use super::{Common, Database, INSIGHTS_DAYS, MASTER_USER, PARAMETERS, Parameter, Source};
use crate::config::PostgresInstance;

pub(super) fn build(stack: &mut Stack<'_>, common: &Common<'_>, size: &PostgresInstance) -> Database {
    let Common { config, postgres, inputs, .. } = *common;
    let parameters = parameters(stack, common);
    let instance = stack.add_with(
        "main",
        common.meta(),
        DbInstance {
            instance_class: set(size.class.to_string()),
            optional: DbInstanceOptional {
                identifier: set(config.database_identifier().to_owned()),
                engine: set("postgres"),
                engine_version: set(postgres.version.to_string()),
                auto_minor_version_upgrade: set(true),
                parameter_group_name: set(parameters.name()),
                db_name: set(contract::DATABASE_NAME),
                port: set(contract::DATABASE_PORT),
                // Placement (PCI 1.4.4).
                multi_az: set(size.multi_az),
                db_subnet_group_name: set(common.subnets.name()),
                vpc_security_group_ids: set([common.security_group.id()]),
                publicly_accessible: set(false),
                // Storage (PCI 3.5.1).
                storage_type: set("gp3"),
                allocated_storage: set(size.storage_gib.get()),
                max_allocated_storage: set(size.storage_gib_max.get()),
                storage_encrypted: set(true),
                kms_key_id: set(inputs.keys.data.arn()),
                // Who gets in (PCI 8.3.1, 8.6.2): the service by a token of IAM, and `migrate` by a password that RDS
                // draws and rotates, and that Terraform never sees.
                username: set(MASTER_USER),
                manage_master_user_password: set(true),
                master_user_secret_kms_key_id: set(inputs.keys.secrets.arn()),
                iam_database_authentication_enabled: set(true),
                // Backups.
                backup_retention_period: set(postgres.backup_days),
                backup_window: set(postgres.backup_window.to_string()),
                copy_tags_to_snapshot: set(true),
                delete_automated_backups: set(!config.protection),
                deletion_protection: set(config.protection),
                skip_final_snapshot: set(!config.protection),
                final_snapshot_identifier: common.final_snapshot(),
                maintenance_window: set(postgres.maintenance_window.to_string()),
                apply_immediately: common.apply_immediately(),
                // At once, so that the group of parameters and the version change together.
                allow_major_version_upgrade: common.apply_immediately(),
                // Sight (PCI 10.2.1).
                enabled_cloudwatch_logs_exports: set(["postgresql", "upgrade"]),
                monitoring_interval: set(postgres.monitoring_seconds),
                monitoring_role_arn: set(common.monitoring.0.arn()),
                performance_insights_enabled: set(true),
                performance_insights_kms_key_id: set(inputs.keys.data.arn()),
                performance_insights_retention_period: set(INSIGHTS_DAYS),
                tags: set([("Name", config.database_identifier().to_owned())]),
                ..Default::default()
            },
        },
    );
    stack.output(
        "database_parameter_group",
        "The parameter group of PostgreSQL, which a restored one is given.",
        parameters.name(),
    );
    Database {
        arn: instance.arn().text(),
        host: instance.address_(),
        resource_id: instance.resource_id(),
        master_secret: instance.master_user_secret().at(0).secret_arn(),
        identifier: instance.identifier(),
        subnet_group: common.subnets.name().text(),
        backup_type: "RDS",
        instances: vec![instance.address().clone()],
        sources: vec![Source::instances("database", vec![instance.identifier()])],
    }
}

/// A group of another family is another group, and one in use cannot be deleted: the new one is made first.
fn parameters(stack: &mut Stack<'_>, common: &Common<'_>) -> DbParameterGroupHandle {
    let parameter = |of: Parameter| parameters::Parameter {
        name: set(of.name),
        value: set(of.value),
        optional: parameters::ParameterOptional { apply_method: set(of.applied) },
    };
    stack.add_with(
        "main",
        Meta::new().create_before_destroy(),
        DbParameterGroup {
            family: set(format!("postgres{}", common.postgres.version.major())),
            optional: DbParameterGroupOptional {
                name_prefix: set(common.config.names.of("")),
                description: set("TLS alone, and what is logged"),
                parameter: PARAMETERS.into_iter().map(parameter).collect(),
                tags: set([("Name", common.config.names.prefix().to_owned())]),
                ..Default::default()
            },
        },
    )
}
