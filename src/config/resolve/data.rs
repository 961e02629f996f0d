//! Resolves `[data]`.

use crate::config::EnvConfig;
use crate::config::problem::Problems;
use contract::Table;

use crate::config::problem::KeyPath;
use crate::config::section::{
    Billing, CapacityRange, Data, DataFile, DynamoDb, DynamoDbFile, Postgres, PostgresAurora, PostgresEngine,
    PostgresFile, PostgresInstance, PostgresRunsOn, Provisioned, Store,
};
use crate::config::value::DatabaseIdentifier;

/// The data stores, the one that the service uses always among them.
/// Without the contract there are none.
pub(super) fn resolve(
    file: &DataFile,
    has_contract: bool,
    production: bool,
    problems: &mut Problems,
) -> Data {
    check_store(file, problems);
    let wanted =
        |store, enabled: Option<bool>| has_contract && (file.store == store || enabled == Some(true));
    Data {
        store: file.store,
        dynamodb: wanted(Store::DynamoDb, file.dynamodb.enabled).then(|| dynamodb(&file.dynamodb, problems)),
        postgres: wanted(Store::Postgres, file.postgres.enabled)
            .then(|| postgres(&file.postgres, production, problems)),
    }
}

fn check_store(file: &DataFile, problems: &mut Problems) {
    let (key, enabled) = match file.store {
        Store::DynamoDb => ("data.dynamodb.enabled", file.dynamodb.enabled),
        Store::Postgres => ("data.postgres.enabled", file.postgres.enabled),
    };
    if enabled == Some(false) {
        problems
            .error(
                key,
                "the service keeps its records in what is switched off here",
                "remove the line, or name the other store with `store` under [data]",
            )
            .because_of(&["data.store"]);
    }
}

fn dynamodb(file: &DynamoDbFile, problems: &mut Problems) -> DynamoDb {
    check_capacity(file.read, "data.dynamodb.read", problems);
    check_capacity(file.write, "data.dynamodb.write", problems);
    let provisioned = Provisioned {
        read: file.read,
        write: file.write,
        utilization_percent: file.utilization_percent.get(),
    };
    DynamoDb {
        provisioned: (file.billing == Billing::Provisioned).then_some(provisioned),
        recovery_days: file.recovery_days.get(),
        tables: file.tables.clone(),
    }
}

/// Notes names of tables that name two things.
pub(super) fn check_names(config: &EnvConfig, problems: &mut Problems) {
    let Some(engine) = &config.data.dynamodb else { return };
    if config.table_name(Table::Records) == config.table_name(Table::Audit) {
        let key = if engine.tables.audit.is_some() { "audit" } else { "records" };
        problems.error(
            KeyPath::from("data.dynamodb.tables").key(key),
            format!("records and audit log lie in one table, {}", config.table_name(Table::Audit)),
            "a table for each, both restored to the same second",
        );
    }
    let locks = config.state.lock_table.as_str();
    for table in Table::ALL.into_iter().filter(|_| config.state.lock.uses_table()) {
        if config.table_name(table) == locks {
            problems.error(
                KeyPath::from("data.dynamodb.tables").key(table.name()),
                format!("{locks} is the table of the state's locks"),
                "the name of a restored table",
            );
        }
    }
}

fn check_capacity(range: CapacityRange, key: &str, problems: &mut Problems) {
    if range.min > range.max {
        let what = format!("at least {} units, but at most {}", range.min, range.max);
        problems.error(key, what, "a `min` that is no more than `max`");
    }
}

fn postgres(file: &PostgresFile, production: bool, problems: &mut Problems) -> Postgres {
    if file.backup_window.meets(&file.maintenance_window) {
        problems
            .error(
                "data.postgres.maintenance_window",
                format!(
                    "{} overlaps the backup of {}, which RDS refuses",
                    file.maintenance_window, file.backup_window
                ),
                "a time outside of `backup_window`",
            )
            .because_of(&["data.postgres.backup_window"]);
    }
    let runs_on = match file.engine {
        PostgresEngine::Instance => {
            check_instance(&file.instance, production, problems);
            PostgresRunsOn::Instance(file.instance.clone())
        }
        PostgresEngine::AuroraServerless => {
            check_aurora(file.aurora, production, problems);
            check_cluster_name(file.identifier.as_ref(), problems);
            PostgresRunsOn::Aurora(file.aurora)
        }
    };
    Postgres {
        runs_on,
        identifier: file.identifier.clone(),
        version: file.version.clone(),
        backup_days: file.backup_days.get(),
        backup_window: file.backup_window.clone(),
        maintenance_window: file.maintenance_window.clone(),
        monitoring_seconds: file.monitoring_seconds.get(),
        apply_immediately: file.apply_immediately,
    }
}

/// An instance is called by the cluster's name, a hyphen and a number of two digits at most.
const CLUSTER_NAME_MAX: usize = 60;

fn check_cluster_name(identifier: Option<&DatabaseIdentifier>, problems: &mut Problems) {
    if let Some(name) = identifier.filter(|name| name.as_str().len() > CLUSTER_NAME_MAX) {
        problems
            .error(
                "data.postgres.identifier",
                format!(
                    "{name} has {} characters, and its instances' names would have more than 63",
                    name.as_str().len()
                ),
                format!("a name of at most {CLUSTER_NAME_MAX} characters"),
            )
            .because_of(&["data.postgres.engine"]);
    }
}

/// Storage grows by a tenth at the least:
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html>
fn check_instance(instance: &PostgresInstance, production: bool, problems: &mut Problems) {
    let (storage, most) = (instance.storage_gib.get(), instance.storage_gib_max.get());
    if most * 10 < storage * 11 {
        problems
            .error(
                "data.postgres.instance.storage_gib_max",
                format!("storage of {storage} GiB cannot grow to {most} GiB"),
                format!("at least {}, a tenth more", (storage * 11).div_ceil(10)),
            )
            .because_of(&["data.postgres.instance.storage_gib"]);
    }
    if production && !instance.multi_az {
        problems
            .error(
                "data.postgres.instance.multi_az",
                "in production the database outlives the loss of a zone",
                "remove the line, or say `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
}

fn check_aurora(aurora: PostgresAurora, production: bool, problems: &mut Problems) {
    if aurora.capacity_min > aurora.capacity_max {
        problems
            .error(
                "data.postgres.aurora.capacity_min",
                format!("at least {} units, but at most {}", aurora.capacity_min, aurora.capacity_max),
                "at most `capacity_max`",
            )
            .because_of(&["data.postgres.aurora.capacity_max"]);
    }
    if production && aurora.readers.get() == 0 {
        problems
            .error(
                "data.postgres.aurora.readers",
                "in production the database outlives the loss of a zone, for which it needs a reader to fail over to",
                "at least 1, or `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
}
