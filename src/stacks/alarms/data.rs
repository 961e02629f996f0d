//! The data stores: tables in DynamoDB and PostgreSQL in RDS.

use aws::DynamodbTableHandle;
use contract::Table;
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use super::alarm::{Alarm, Bad, Measure, Metric, Missing};
use super::notice::Notice;
use crate::config::{EnvConfig, PostgresRunsOn};
use crate::names::Topic;
use crate::stacks::data;

/// A metric of a table.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html>
pub fn of_table(table: &DynamodbTableHandle, name: &'static str) -> Metric {
    Metric {
        namespace: "AWS/DynamoDB".into(),
        name,
        dimensions: vec![("TableName", table.name())],
        statistic: "Sum",
    }
}

fn of_operation(table: &DynamodbTableHandle, name: &'static str, operation: &'static str) -> Metric {
    let mut metric = of_table(table, name);
    metric.dimensions.push(("Operation", Expr::new(operation)));
    metric
}

/// A metric of the instance, or of the whole cluster of Aurora.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html>
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.AuroraMonitoring.Metrics.html>
pub fn of_database(
    config: &EnvConfig,
    database: &data::Database,
    name: &'static str,
    statistic: &'static str,
) -> Metric {
    let aurora =
        config.data.postgres.as_ref().is_some_and(|p| matches!(p.runs_on, PostgresRunsOn::Aurora(_)));
    let dimension = if aurora { "DBClusterIdentifier" } else { "DBInstanceIdentifier" };
    let dimensions = vec![(dimension, database.identifier.clone())];
    Metric { namespace: "AWS/RDS".into(), name, dimensions, statistic }
}

/// Adds the alarms.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let mut alarms = Vec::new();
    if let Some(tables) = &inputs.data.dynamodb {
        alarms.extend(Table::ALL.into_iter().flat_map(|table| of_tables(table, tables.of(table))));
        alarms.push(refused());
    }
    if let Some(database) = &inputs.data.postgres {
        alarms.extend(of_postgres(config, database));
        data::subscribe(stack, config, database, &inputs.topics.arn(Topic::Notify));
    }
    alarms.into_iter().map(|alarm| alarm.add(stack, config, inputs.topics).arn()).collect()
}

fn of_tables(name: Table, table: &DynamodbTableHandle) -> [Alarm; 2] {
    let alarm = |kind, means, first, measure| Alarm {
        notice: Notice {
            name: kind,
            instance: Some(name.name().to_owned()),
            to: Topic::Notify,
            means,
            first,
        },
        measure,
        bad: Bad::AtLeast(10.into()),
        period_seconds: 300,
        of: (2, 3),
        missing: Missing::Fine,
    };
    [
        alarm(
            "table-throttled",
            "DynamoDB refuses requests to a table: more of them than its capacity, or than one partition can take.",
            "see on the dashboard whether reads or writes are refused; raise the capacity, or look for one key that \
             is asked for all the time.",
            Measure::Math(
                "FILL(reads, 0) + FILL(writes, 0)",
                vec![
                    ("reads", of_table(table, "ReadThrottleEvents")),
                    ("writes", of_table(table, "WriteThrottleEvents")),
                ],
            ),
        ),
        alarm(
            "table-failing",
            "DynamoDB answers requests to a table with errors of its own.",
            "see the AWS Health dashboard; the service tries again by itself, so look whether users notice.",
            Measure::Math(
                "FILL(gets, 0) + FILL(queries, 0) + FILL(puts, 0) + FILL(transactions, 0)",
                vec![
                    ("gets", of_operation(table, "SystemErrors", "GetItem")),
                    ("queries", of_operation(table, "SystemErrors", "Query")),
                    ("puts", of_operation(table, "SystemErrors", "PutItem")),
                    ("transactions", of_operation(table, "SystemErrors", "TransactWriteItems")),
                ],
            ),
        ),
    ]
}

/// DynamoDB counts these for account and region alone, not by table.
fn refused() -> Alarm {
    Alarm {
        notice: Notice {
            name: "table-requests-refused",
            instance: None,
            to: Topic::Notify,
            means: "DynamoDB refuses requests of this account as wrong: not allowed, not valid, or of a key that it \
                    cannot use.",
            first: "run the saved query of the service's errors; compare with changes of roles, keys and tables.",
        },
        measure: Measure::Of(Metric {
            namespace: "AWS/DynamoDB".into(),
            name: "UserErrors",
            dimensions: Vec::new(),
            statistic: "Sum",
        }),
        bad: Bad::AtLeast(20.into()),
        period_seconds: 300,
        of: (3, 3),
        missing: Missing::Fine,
    }
}

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

fn of_postgres(config: &EnvConfig, database: &data::Database) -> Vec<Alarm> {
    let alarm = |name, to, means, first, metric: (&'static str, &'static str), bad| Alarm {
        notice: Notice { name, instance: None, to, means, first },
        measure: Measure::Of(of_database(config, database, metric.0, metric.1)),
        bad,
        period_seconds: 300,
        of: (3, 3),
        missing: Missing::Fine,
    };
    let mut alarms = vec![
        alarm(
            "database-cpu",
            Topic::Notify,
            "The database's CPU is used up (alarms.cpu_percent).",
            "see in Performance Insights which statement takes the time; a larger class helps until it is mended.",
            ("CPUUtilization", "Average"),
            Bad::AtLeast(config.alarms.cpu_percent.get().into()),
        ),
        alarm(
            "database-connections",
            Topic::Notify,
            "More connections to the database are open than the tasks need (alarms.database_connections).",
            "see in Performance Insights what they wait for; restart tasks that do not give theirs back.",
            ("DatabaseConnections", "Maximum"),
            Bad::AtLeast(config.alarms.database_connections.get().into()),
        ),
        alarm(
            "database-memory",
            Topic::Notify,
            "The database has hardly any memory left; it swaps next.",
            "see in Performance Insights which statement sorts or joins too much; take a larger class.",
            ("FreeableMemory", "Minimum"),
            Bad::Below((GIB / 4.0).into()),
        ),
    ];
    match config.data.postgres.as_ref().map(|postgres| &postgres.runs_on) {
        Some(PostgresRunsOn::Instance(instance)) => alarms.push(alarm(
            "database-storage",
            Topic::Page,
            "Less than a twentieth of the database's storage is free, and it did not grow by itself at a tenth; when \
             it is full the database stops.",
            "raise data.postgres.instance.storage_gib_max, or the storage itself if it grew less than six hours ago.",
            ("FreeStorageSpace", "Minimum"),
            Bad::Below((f64::from(instance.storage_gib.get()) * GIB / 20.0).into()),
        )),
        Some(PostgresRunsOn::Aurora(_)) => alarms.extend([
            alarm(
                "database-replica-lag",
                Topic::Notify,
                "A reader of the database is a second behind; a failover to it would take longer.",
                "see whether the reader is too small for what the writer writes; raise the least capacity.",
                ("AuroraReplicaLagMaximum", "Maximum"),
                Bad::AtLeast(1000.into()),
            ),
            alarm(
                "database-capacity",
                Topic::Notify,
                "The database has grown to the capacity that it may have.",
                "see in Performance Insights what takes it; raise data.postgres.aurora.capacity_max.",
                ("ACUUtilization", "Average"),
                Bad::AtLeast(95.into()),
            ),
        ]),
        None => {}
    }
    alarms
}
