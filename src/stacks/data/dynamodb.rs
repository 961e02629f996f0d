//! The tables in DynamoDB: keys, indexes and time to live are the contract's.

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::ResourcePolicy;
use aws::{
    AppautoscalingPolicy, AppautoscalingPolicyOptional, AppautoscalingTarget, DynamodbResourcePolicy,
    DynamodbTable, DynamodbTableHandle, DynamodbTableOptional, appautoscaling_policy as scaling,
    dynamodb_table as dynamodb,
};
use contract::{Attribute, Table};
use terraform::kind::Text;
use terraform::{Expr, Meta, ProviderRef, Stack, set, text};

use super::Inputs;
use crate::config::{CapacityRange, DynamoDb, EnvConfig, Provisioned, Region};
use crate::stacks::kms;

/// The tables.
pub struct Tables {
    records: DynamodbTableHandle,
    audit: DynamodbTableHandle,
}

impl Tables {
    /// A table.
    #[must_use]
    pub const fn of(&self, table: Table) -> &DynamodbTableHandle {
        match table {
            Table::Records => &self.records,
            Table::Audit => &self.audit,
        }
    }
}

pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    engine: &DynamoDb,
    inputs: &Inputs<'_>,
) -> Tables {
    let mut build = |name| {
        let handle = table(stack, config, engine, inputs.keys, name);
        restrict(stack, config, name, &handle);
        if let (Some(region), Some(provider)) = (&config.recovery.region, inputs.recovery) {
            restrict_replica(stack, config, name, &handle, region, provider);
        }
        if let Some(provisioned) = &engine.provisioned {
            scale(stack, provisioned, name, &handle);
        }
        stack.output(&format!("{}_table", name.name()), format!("{}.", name.doc()), handle.name());
        handle
    };
    Tables { records: build(Table::Records), audit: build(Table::Audit) }
}

fn table(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    engine: &DynamoDb,
    keys: &kms::Outputs,
    table: Table,
) -> DynamodbTableHandle {
    let mut meta = Meta::new().prevent_destroy(config.protection);
    if engine.provisioned.is_some() {
        // The autoscaler's. An index stands in the table as a whole, so its other arguments are not looked at either:
        // an index is changed by hand, or by request, for a while.
        // https://github.com/hashicorp/terraform-provider-aws/issues/671
        meta = meta.ignore(DynamodbTable::READ_CAPACITY).ignore(DynamodbTable::WRITE_CAPACITY);
        if !table.indexes().is_empty() {
            meta = meta.ignore(DynamodbTable::GLOBAL_SECONDARY_INDEX);
        }
    }
    stack.add_with(
        table.name(),
        meta,
        DynamodbTable {
            name: set(config.table_name(table)),
            optional: DynamodbTableOptional {
                attribute: attributes(table),
                billing_mode: set(if engine.provisioned.is_some() {
                    "PROVISIONED"
                } else {
                    "PAY_PER_REQUEST"
                }),
                read_capacity: engine.provisioned.and_then(|provisioned| set(provisioned.read.min.get())),
                write_capacity: engine.provisioned.and_then(|provisioned| set(provisioned.write.min.get())),
                hash_key: set(table.partition().name),
                range_key: set(table.sort().name),
                global_secondary_index: indexes(engine, table),
                ttl: table
                    .time_to_live()
                    .map(|attribute| dynamodb::Ttl { attribute_name: set(attribute), enabled: set(true) }),
                // PCI 3.5.1
                server_side_encryption: set(dynamodb::ServerSideEncryption {
                    enabled: set(true),
                    optional: dynamodb::ServerSideEncryptionOptional { kms_key_arn: set(keys.data.arn()) },
                }),
                point_in_time_recovery: set(dynamodb::PointInTimeRecovery {
                    enabled: set(true),
                    optional: dynamodb::PointInTimeRecoveryOptional {
                        recovery_period_in_days: set(engine.recovery_days),
                    },
                }),
                deletion_protection_enabled: set(config.protection),
                // Replicas follow the stream.
                stream_enabled: keys.recovery.as_ref().and_then(|_| set(true)),
                stream_view_type: keys.recovery.as_ref().and_then(|_| set("NEW_AND_OLD_IMAGES")),
                replica: replicas(config, keys),
                tags: set([("Name", config.table_name(table))]),
                ..Default::default()
            },
        },
    )
}

/// A whole table in the recovery region, under a key of that region, and as recoverable as the first one.
fn replicas(config: &EnvConfig, keys: &kms::Outputs) -> Vec<dynamodb::Replica> {
    let replica = |(region, key): (&Region, &kms::Key)| dynamodb::Replica {
        region_name: set(region.to_string()),
        optional: dynamodb::ReplicaOptional {
            kms_key_arn: set(key.arn()),
            point_in_time_recovery: set(true),
            propagate_tags: set(true),
        },
    };
    config.recovery.region.as_ref().zip(keys.recovery.as_ref()).map(replica).into_iter().collect()
}

/// Every attribute that is part of a key, once: DynamoDB asks for these and no others.
fn attributes(table: Table) -> Vec<dynamodb::Attribute> {
    let mut keys: Vec<Attribute> = vec![table.partition(), table.sort()];
    keys.extend(table.indexes().iter().flat_map(|index| [index.partition, index.sort]));
    keys.sort_by_key(|attribute| attribute.name);
    keys.dedup();
    keys.into_iter()
        .map(|attribute| dynamodb::Attribute {
            name: set(attribute.name),
            r#type: set(attribute.kind.code()),
        })
        .collect()
}

fn indexes(engine: &DynamoDb, table: Table) -> Vec<dynamodb::GlobalSecondaryIndex> {
    let index = |index: &contract::Index| dynamodb::GlobalSecondaryIndex {
        name: set(index.name),
        hash_key: set(index.partition.name),
        projection_type: set("ALL"),
        optional: dynamodb::GlobalSecondaryIndexOptional {
            range_key: set(index.sort.name),
            read_capacity: engine.provisioned.and_then(|provisioned| set(provisioned.read.min.get())),
            write_capacity: engine.provisioned.and_then(|provisioned| set(provisioned.write.min.get())),
            ..Default::default()
        },
    };
    table.indexes().iter().map(index).collect()
}

/// What holds whatever the roles' own policies say. Nothing here keeps Terraform from the table itself: it reads and
/// changes no items, comes by TLS, and is of this account.
fn restrict(stack: &mut Stack<'_>, config: &EnvConfig, table: Table, handle: &DynamodbTableHandle) {
    stack.add(
        table.name(),
        DynamodbResourcePolicy {
            resource_arn: set(handle.arn()),
            policy: set(Policy::new(statements(config, table, &handle.arn().text()))),
            optional: Default::default(),
        },
    );
}

/// A policy binds one table, and a replica is another.
fn restrict_replica(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    table: Table,
    handle: &DynamodbTableHandle,
    region: &Region,
    provider: &ProviderRef,
) {
    let (partition, account) = (config.partition(), &config.account_id);
    let name = config.table_name(table);
    let arn = format!("arn:{partition}:dynamodb:{region}:{account}:table/{name}");
    stack.add_with(
        format!("{}_replica", table.name()),
        Meta::new().provider(provider).depends_on(handle),
        DynamodbResourcePolicy {
            policy: set(Policy::new(statements(config, table, &Expr::new(arn.clone())))),
            resource_arn: Expr::external(arn),
            optional: Default::default(),
        },
    );
}

fn statements(config: &EnvConfig, table: Table, arn: &Expr<Text>) -> Vec<Statement<ResourcePolicy>> {
    let on = || -> Vec<Expr<Text>> {
        let mut all = vec![arn.clone()];
        if !table.indexes().is_empty() {
            all.push(text![arn.clone(), "/index/*"]);
        }
        all
    };
    let deny = |sid: &'static str, actions: &[&'static str]| {
        Statement::<ResourcePolicy>::deny(sid, Principal::Anyone, actions.iter().copied(), on())
    };
    let mut all = vec![
        // PCI 4.2.1
        deny("TlsOnly", &["dynamodb:*"]).when(Condition::bool("aws:SecureTransport", false)),
        // PCI 7.3.3
        deny("ThisAccountOnly", &["dynamodb:*"])
            .when(Condition::string_not_equals("aws:PrincipalAccount", [config.account_id.to_string()]))
            .when(Condition::bool("aws:PrincipalIsAWSService", false)),
    ];
    if table == Table::Audit {
        all.push(append_only(config, deny("AppendOnly", &CHANGES)));
    }
    all
}

/// What changes or removes an item that is there. `PutItem` can overwrite one as well, but is how one is added: the
/// service adds under the condition that there is none.
const CHANGES: [&str; 5] = [
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLUpdate",
    "dynamodb:UpdateItem",
];

/// PCI 10.3.2: nobody changes an audit entry. DynamoDB itself does, in the name of a role of its own, where the table has
/// replicas. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html>
fn append_only(config: &EnvConfig, statement: Statement<ResourcePolicy>) -> Statement<ResourcePolicy> {
    let replication = format!(
        "arn:{}:iam::{}:role/aws-service-role/replication.dynamodb.amazonaws.com/*",
        config.partition(),
        config.account_id
    );
    statement.when(Condition::arn_not_like("aws:PrincipalArn", [replication]))
}

contract::closed_list! {
    /// Whether reads or writes are scaled.
    #[derive(Clone, Copy)]
    enum Capacity {
        Read,
        Write,
    }
}

impl Capacity {
    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The dimension of a table or of an index.
    fn dimension(self, of: &'static str) -> String {
        match self {
            Self::Read => format!("dynamodb:{of}:ReadCapacityUnits"),
            Self::Write => format!("dynamodb:{of}:WriteCapacityUnits"),
        }
    }

    const fn metric(self) -> &'static str {
        match self {
            Self::Read => "DynamoDBReadCapacityUtilization",
            Self::Write => "DynamoDBWriteCapacityUtilization",
        }
    }

    const fn range(self, provisioned: &Provisioned) -> CapacityRange {
        match self {
            Self::Read => provisioned.read,
            Self::Write => provisioned.write,
        }
    }
}

/// Scales the table and each of its indexes: writes to a table are throttled where an index of it cannot follow.
fn scale(stack: &mut Stack<'_>, provisioned: &Provisioned, table: Table, handle: &DynamodbTableHandle) {
    let mut scaled = vec![(table.name().to_owned(), "table", text!["table/", handle.name()])];
    scaled.extend(table.indexes().iter().map(|index| {
        let id = text!["table/", handle.name(), format!("/index/{}", index.name)];
        (format!("{}_{}", table.name(), index.name), "index", id)
    }));
    for (name, of, id) in scaled {
        for capacity in Capacity::ALL {
            let range = capacity.range(provisioned);
            let name = format!("{name}_{}", capacity.name());
            let target = stack.add(
                &name,
                AppautoscalingTarget {
                    max_capacity: set(range.max.get()),
                    min_capacity: set(range.min.get()),
                    resource_id: set(id.clone()),
                    scalable_dimension: set(capacity.dimension(of)),
                    service_namespace: set("dynamodb"),
                    optional: Default::default(),
                },
            );
            stack.add(
                &name,
                AppautoscalingPolicy {
                    name: set(name.clone()),
                    resource_id: set(target.resource_id()),
                    scalable_dimension: set(target.scalable_dimension()),
                    service_namespace: set(target.service_namespace()),
                    optional: AppautoscalingPolicyOptional {
                        policy_type: set("TargetTrackingScaling"),
                        target_tracking_scaling_policy_configuration: set(track(provisioned, capacity)),
                        ..Default::default()
                    },
                },
            );
        }
    }
}

fn track(provisioned: &Provisioned, capacity: Capacity) -> scaling::TargetTrackingScalingPolicyConfiguration {
    scaling::TargetTrackingScalingPolicyConfiguration {
        target_value: set(provisioned.utilization_percent),
        optional: scaling::TargetTrackingScalingPolicyConfigurationOptional {
            predefined_metric_specification: set(scaling::PredefinedMetricSpecification {
                predefined_metric_type: set(capacity.metric()),
                optional: Default::default(),
            }),
            ..Default::default()
        },
    }
}
