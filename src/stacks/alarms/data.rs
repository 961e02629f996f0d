//! The data stores: tables in DynamoDB and PostgreSQL in RDS.

use aws::DynamodbTableHandle;
use contract::Table;
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use crate::alarm::table::*;
use crate::alarm::{Alarm, Bad, Entry, Measure, Metric, Missing, Notice};
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
    let alarm = |entry: &'static Entry, measure| Alarm {
        notice: Notice::each(entry, Some(name.name().to_owned())),
        measure,
        bad: Bad::AtLeast(10.into()),
        period_seconds: 300,
        of: (2, 3),
        missing: Missing::Fine,
    };
    [
        alarm(
            &TABLE_THROTTLED,
            Measure::Math(
                "FILL(reads, 0) + FILL(writes, 0)",
                vec![
                    ("reads", of_table(table, "ReadThrottleEvents")),
                    ("writes", of_table(table, "WriteThrottleEvents")),
                ],
            ),
        ),
        alarm(
            &TABLE_FAILING,
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
        notice: Notice::of(&TABLE_REQUESTS_REFUSED),
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
    let alarm = |entry: &'static Entry, metric: (&'static str, &'static str), bad| Alarm {
        notice: Notice::of(entry),
        measure: Measure::Of(of_database(config, database, metric.0, metric.1)),
        bad,
        period_seconds: 300,
        of: (3, 3),
        missing: Missing::Fine,
    };
    let mut alarms = vec![
        alarm(
            &DATABASE_CPU,
            ("CPUUtilization", "Average"),
            Bad::AtLeast(config.alarms.cpu_percent.get().into()),
        ),
        alarm(
            &DATABASE_CONNECTIONS,
            ("DatabaseConnections", "Maximum"),
            Bad::AtLeast(config.alarms.database_connections.get().into()),
        ),
        alarm(&DATABASE_MEMORY, ("FreeableMemory", "Minimum"), Bad::Below((GIB / 4.0).into())),
    ];
    match config.data.postgres.as_ref().map(|postgres| &postgres.runs_on) {
        Some(PostgresRunsOn::Instance(instance)) => alarms.push(alarm(
            &DATABASE_STORAGE,
            ("FreeStorageSpace", "Minimum"),
            Bad::Below((f64::from(instance.storage_gib.get()) * GIB / 20.0).into()),
        )),
        Some(PostgresRunsOn::Aurora(_)) => alarms.extend([
            alarm(&DATABASE_REPLICA_LAG, ("AuroraReplicaLagMaximum", "Maximum"), Bad::AtLeast(1000.into())),
            alarm(&DATABASE_CAPACITY, ("ACUUtilization", "Average"), Bad::AtLeast(95.into())),
        ]),
        None => {}
    }
    alarms
}
