//! The cluster, the task definition, the service and its autoscaling.

mod autoscaling;
mod container;
mod migrate;

use aws::document::policy::{Condition, Principal, Statement};
use aws::kind::ResourcePolicy;
use aws::{
    CloudwatchMetricAlarm, CloudwatchMetricAlarmHandle, CloudwatchMetricAlarmOptional,
    EcsAccountSettingDefault, EcsCluster, EcsClusterCapacityProviders, EcsClusterCapacityProvidersOptional,
    EcsClusterHandle, EcsClusterOptional, EcsService, EcsServiceHandle, EcsServiceOptional,
    EcsTaskDefinition, EcsTaskDefinitionHandle, EcsTaskDefinitionOptional, cloudwatch_metric_alarm as alarm,
    ecs_cluster as cluster, ecs_cluster_capacity_providers as capacity, ecs_service as service,
    ecs_task_definition as task,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, Stack, set};

pub use self::container::is_set_by_platform;
use self::container::{Directory, container};
pub use self::migrate::MIGRATE;
use super::{alb, data, ecr, iam, kms, logs, network, secrets, storage};
use crate::config::{EnvConfig, ImageOwner, Partition};

/// The cluster and the service.
pub struct Outputs {
    /// The cluster.
    pub cluster: EcsClusterHandle,
    /// The service.
    pub service: EcsServiceHandle,
    /// The alarms that roll a deployment back; none if deployments are not rolled back.
    pub rollback_alarms: Vec<CloudwatchMetricAlarmHandle>,
}

/// What the service stands on.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The buckets.
    pub buckets: &'a storage::Outputs,
    /// The log groups.
    pub logs: &'a logs::Outputs,
    /// The network.
    pub network: &'a network::Outputs,
    /// The data stores.
    pub data: &'a data::Outputs,
    /// The service's own secrets.
    pub secrets: &'a secrets::Outputs,
    /// The image repository.
    pub ecr: &'a ecr::Outputs,
    /// The load balancer.
    pub alb: &'a alb::Outputs,
    /// The roles.
    pub iam: &'a iam::Outputs,
}

/// Builds the cluster and the service.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Outputs {
    if config.account.baseline {
        account_settings(stack, config);
    }
    let cluster = cluster(stack, config, inputs);
    let definition = task_definition(stack, config, inputs);
    if let (Some(database), Some(role)) = (&inputs.data.postgres, &inputs.iam.migrate) {
        migrate::build(stack, config, inputs, &cluster, database, role);
    }
    let rollback_alarms = if config.service.deployment.circuit_breaker {
        vec![server_errors(stack, config, inputs), unhealthy_tasks(stack, config, inputs)]
    } else {
        Vec::new()
    };
    let service = service(stack, config, inputs, &cluster, &definition, &rollback_alarms);
    if config.service.deployed {
        autoscaling::build(stack, config, inputs, &cluster, &service);
    }

    stack.output("ecs_cluster_name", "The cluster that the service runs in.", cluster.name().text());
    stack.output("ecs_service_name", "The service; a pipeline deploys to it.", service.name());
    stack.output(
        "ecs_task_family",
        "The task definition's family; a pipeline registers revisions of it.",
        definition.family(),
    );
    Outputs { cluster, service, rollback_alarms }
}

/// The cluster's name, which log groups, roles and keys refer to before there is a cluster.
#[must_use]
pub fn cluster_name(config: &EnvConfig) -> String {
    config.names.prefix().to_owned()
}

/// The cluster's ARN.
#[must_use]
pub fn cluster_arn(config: &EnvConfig) -> String {
    config.arn("ecs", &format!("cluster/{}", cluster_name(config)))
}

/// What the names of a container's log streams begin with; the task's id follows.
#[must_use]
pub fn stream_prefix(container: &str) -> String {
    format!("{LOG_STREAM_PREFIX}/{container}")
}

const LOG_STREAM_PREFIX: &str = "ecs";

/// What the policy of the key for data must say so that Fargate can encrypt the tasks' temporary storage with it.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-create-storage-key.html>
#[must_use]
pub fn storage_key_statements(config: &EnvConfig) -> [Statement<ResourcePolicy>; 2] {
    let fargate = || Principal::service("fargate.amazonaws.com");
    let of_cluster = |statement: Statement<ResourcePolicy>| {
        statement
            .when(Condition::string_equals(
                "kms:EncryptionContext:aws:ecs:clusterAccount",
                [config.account_id.to_string()],
            ))
            .when(Condition::string_equals(
                "kms:EncryptionContext:aws:ecs:clusterName",
                [cluster_name(config)],
            ))
    };
    [
        of_cluster(Statement::<ResourcePolicy>::allow(
            "TaskStorage",
            fargate(),
            ["kms:GenerateDataKeyWithoutPlaintext"],
            ["*"],
        )),
        of_cluster(Statement::<ResourcePolicy>::allow(
            "TaskStorageGrants",
            fargate(),
            ["kms:CreateGrant"],
            ["*"],
        ))
        .when(Condition::for_all_values_string_equals("kms:GrantOperations", ["Decrypt"])),
    ]
}

/// How much Container Insights records (PCI 10.7.2): of every task and container in the commercial regions, which all
/// offer that, and of the cluster and the service elsewhere.
fn insights(config: &EnvConfig) -> &'static str {
    match config.partition() {
        Partition::Aws => "enhanced",
        Partition::AwsUsGov | Partition::AwsCn => "enabled",
    }
}

/// Clusters that somebody makes by hand are observed as well. The other settings are left alone: the provider gives
/// this one alone a valid value when the module is destroyed.
fn account_settings(stack: &mut Stack<'_>, config: &EnvConfig) {
    stack.add(
        "insights",
        EcsAccountSettingDefault { name: set("containerInsights"), value: set(insights(config)) },
    );
}

/// The cluster. It waits for the log group of Container Insights, which ECS would otherwise make by itself,
/// unencrypted and without an end.
fn cluster(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> EcsClusterHandle {
    let handle = stack.add_with(
        "main",
        Meta::new().depends_on(&inputs.logs.insights),
        EcsCluster {
            name: set(cluster_name(config)),
            optional: EcsClusterOptional {
                configuration: set(cluster::Configuration {
                    execute_command_configuration: set(exec_sessions(inputs)),
                    // PCI 3.5.1: what a task writes to its disk is under a key of ours.
                    managed_storage_configuration: set(cluster::ManagedStorageConfiguration {
                        fargate_ephemeral_storage_kms_key_id: set(inputs.keys.data.arn()),
                        ..Default::default()
                    }),
                }),
                setting: vec![cluster::Setting {
                    name: set("containerInsights"),
                    value: set(insights(config)),
                }],
                tags: set([("Name", cluster_name(config))]),
                ..Default::default()
            },
        },
    );
    // Fargate alone: what is started without saying where lands on no machine that somebody would have to patch, and
    // a task that Spot may take away at any time is no place for a payment.
    stack.add(
        "main",
        EcsClusterCapacityProviders {
            cluster_name: set(handle.name()),
            optional: EcsClusterCapacityProvidersOptional {
                capacity_providers: set(["FARGATE"]),
                default_capacity_provider_strategy: vec![capacity::DefaultCapacityProviderStrategy {
                    capacity_provider: set("FARGATE"),
                    optional: capacity::DefaultCapacityProviderStrategyOptional {
                        base: set(0),
                        weight: set(1),
                    },
                }],
            },
        },
    );
    handle
}

/// Sessions of ECS Exec are encrypted and logged (PCI 10.2.1). Set even where Exec is off, so that no session is ever
/// unlogged for having been switched on elsewhere.
fn exec_sessions(inputs: &Inputs<'_>) -> cluster::ExecuteCommandConfiguration {
    cluster::ExecuteCommandConfiguration {
        kms_key_id: set(inputs.keys.logs.arn()),
        log_configuration: set(cluster::LogConfiguration {
            cloud_watch_encryption_enabled: set(true),
            cloud_watch_log_group_name: set(inputs.logs.exec.name()),
            ..Default::default()
        }),
        logging: set("OVERRIDE"),
    }
}

/// Every environment has a family of its own: in one account, two would otherwise mix their revisions.
fn family(config: &EnvConfig) -> String {
    config.names.of(config.service.name.as_str())
}

fn task_definition(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
) -> EcsTaskDefinitionHandle {
    let config_service = &config.service;
    stack.add_with(
        "main",
        // The running revision is given up only when the service has left it, or there is nothing to roll back to.
        Meta::new().create_before_destroy(),
        EcsTaskDefinition {
            container_definitions: set(container(config, inputs)),
            family: set(family(config)),
            optional: EcsTaskDefinitionOptional {
                requires_compatibilities: set(["FARGATE"]),
                network_mode: set("awsvpc"),
                cpu: set(config_service.size.cpu_units().to_string()),
                memory: set(config_service.size.memory_mib().to_string()),
                runtime_platform: set(task::RuntimePlatform {
                    cpu_architecture: set(config_service.architecture.as_str()),
                    operating_system_family: set("LINUX"),
                }),
                // 20 GiB are there without asking, and cannot be asked for.
                ephemeral_storage: Some(config_service.ephemeral_storage_gib)
                    .filter(|&gib| gib > 20)
                    .map(|gib| task::EphemeralStorage { size_in_gib: set(gib) }),
                execution_role_arn: set(inputs.iam.execution.arn()),
                task_role_arn: set(inputs.iam.task.arn()),
                volume: Directory::ALL
                    .into_iter()
                    .filter(|directory| directory.wanted(config))
                    .map(|directory| task::Volume {
                        name: set(directory.volume()),
                        optional: task::VolumeOptional::default(),
                    })
                    .collect(),
                // Earlier revisions stay to be rolled back to, and as a record of what ran.
                skip_destroy: set(config.protection),
                tags: set([("Name", family(config))]),
                ..Default::default()
            },
        },
    )
}

fn service(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    cluster: &EcsClusterHandle,
    definition: &EcsTaskDefinitionHandle,
    rollback_alarms: &[CloudwatchMetricAlarmHandle],
) -> EcsServiceHandle {
    let deployment = &config.service.deployment;
    stack.add_with(
        "main",
        service_meta(config, inputs, definition),
        EcsService {
            name: set(config.service.name.to_string()),
            optional: EcsServiceOptional {
                cluster: set(cluster.arn()),
                task_definition: set(definition.arn()),
                desired_count: set(config.service.counts.desired),
                launch_type: set("FARGATE"),
                // The newest, with all security fixes (PCI 6.3.3).
                platform_version: set("LATEST"),
                network_configuration: set(placement(inputs)),
                load_balancer: vec![service::LoadBalancer {
                    container_name: set(config.service.name.to_string()),
                    container_port: set(config.service.container_port),
                    optional: service::LoadBalancerOptional {
                        target_group_arn: set(inputs.alb.target_group.arn()),
                        ..Default::default()
                    },
                }],
                health_check_grace_period_seconds: set(config.service.health_check.grace_seconds.get()),
                deployment_minimum_healthy_percent: set(deployment.minimum_healthy_percent.get()),
                deployment_maximum_percent: set(deployment.maximum_percent.get()),
                deployment_circuit_breaker: set(service::DeploymentCircuitBreaker {
                    enable: set(deployment.circuit_breaker),
                    rollback: set(deployment.circuit_breaker),
                }),
                alarms: rollback(rollback_alarms),
                availability_zone_rebalancing: set(rebalancing(config)),
                // No shell beside cardholder data (PCI 2.2.7, 6.5.1); the environment file refuses it in production.
                enable_execute_command: set(config.service.exec),
                // Tasks bear the service's tags, so that none is without owner and scope.
                enable_ecs_managed_tags: set(true),
                propagate_tags: set("SERVICE"),
                wait_for_steady_state: set(waits(config)),
                tags: set([("Name", config.service.name.to_string())]),
                ..Default::default()
            },
        },
    )
}

/// Whether an apply deploys, and hence waits for the deployment to end: a failed one fails the apply.
fn waits(config: &EnvConfig) -> bool {
    config.service.deployed && config.service.deployment.image_owner == ImageOwner::Terraform
}

fn service_meta(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    definition: &EcsTaskDefinitionHandle,
) -> Meta<EcsService> {
    // A target group without a listener is refused, and a task without rights fails to start.
    let mut meta = Meta::new()
        .depends_on(&inputs.alb.https_listener)
        .depends_on(&inputs.iam.execution_policy)
        .depends_on(&inputs.iam.task_policy);
    // A secret without a value cannot be read.
    for value in &inputs.secrets.values {
        meta = meta.depends_on(value);
    }
    if let Some(policy) = &inputs.iam.exec_policy {
        meta = meta.depends_on(policy);
    }
    // A task that starts before its way to the registry, the logs and the secrets fails, and so does the deployment.
    for way in &inputs.network.before_tasks {
        meta = meta.depends_on(way);
    }
    if config.service.deployed {
        // The autoscaler's. It lifts the count into its range when it is built, also from the 0 of a service that
        // nothing had been deployed to.
        meta = meta.ignore(EcsService::DESIRED_COUNT);
    }
    if config.service.deployment.image_owner == ImageOwner::Pipeline {
        meta = meta.ignore(EcsService::TASK_DEFINITION);
    }
    if waits(config) {
        // A service that was rolled back is as steady as any other.
        // https://github.com/hashicorp/terraform-provider-aws/issues/20858
        meta = meta.postcondition(
            Expr::<Text>::itself("task_definition").equals(definition.arn()),
            "The deployment failed, and the service runs its previous task definition again. The service's events \
             and the container's log say why.",
        );
    }
    meta
}

/// Where tasks run: in the private subnets, behind their own security group, without a public address (PCI 1.4.4).
fn placement(inputs: &Inputs<'_>) -> service::NetworkConfiguration {
    let subnets: Vec<_> = inputs.network.private_subnets.iter().map(|subnet| subnet.id()).collect();
    service::NetworkConfiguration {
        subnets: set(subnets),
        optional: service::NetworkConfigurationOptional {
            assign_public_ip: set(false),
            security_groups: set([inputs.network.tasks_security_group.id()]),
        },
    }
}

/// ECS evens tasks out over the zones by starting one before it stops another, for which there must be room.
fn rebalancing(config: &EnvConfig) -> &'static str {
    if config.service.deployment.maximum_percent.get() > 100 { "ENABLED" } else { "DISABLED" }
}

fn rollback(alarms: &[CloudwatchMetricAlarmHandle]) -> Option<service::Alarms> {
    let names: Vec<_> = alarms.iter().map(CloudwatchMetricAlarmHandle::alarm_name).collect();
    (!names.is_empty()).then(|| service::Alarms {
        alarm_names: set(names),
        enable: set(true),
        rollback: set(true),
    })
}

/// Five percent of the answers are the service's errors: its health check may well go on saying that all is well.
fn server_errors(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
) -> CloudwatchMetricAlarmHandle {
    let sum = |id: &'static str, metric: &'static str| alarm::MetricQuery {
        id: set(id),
        optional: alarm::MetricQueryOptional {
            metric: set(alarm::Metric {
                metric_name: set(metric),
                period: set(60),
                stat: set("Sum"),
                optional: alarm::MetricOptional {
                    namespace: set("AWS/ApplicationELB"),
                    dimensions: set(targets(inputs)),
                    ..Default::default()
                },
            }),
            return_data: set(false),
            ..Default::default()
        },
    };
    let share = alarm::MetricQuery {
        id: set("share"),
        optional: alarm::MetricQueryOptional {
            // Of a few requests one error is no sign.
            expression: set("IF(requests >= 20, 100 * FILL(errors, 0) / requests, 0)"),
            label: set("Share of 5xx answers in percent"),
            return_data: set(true),
            ..Default::default()
        },
    };
    stack.add(
        "target_5xx",
        CloudwatchMetricAlarm {
            alarm_name: set(config.names.of("target-5xx")),
            comparison_operator: set("GreaterThanOrEqualToThreshold"),
            evaluation_periods: set(3),
            optional: CloudwatchMetricAlarmOptional {
                alarm_description: set("5% of the service's answers are errors; rolls a deployment back."),
                datapoints_to_alarm: set(2),
                threshold: set(5),
                // No requests, no errors.
                treat_missing_data: set("notBreaching"),
                metric_query: vec![
                    share,
                    sum("errors", "HTTPCode_Target_5XX_Count"),
                    sum("requests", "RequestCount"),
                ],
                ..Default::default()
            },
        },
    )
}

/// A task that is unhealthy for three minutes on end: longer than a start takes.
fn unhealthy_tasks(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
) -> CloudwatchMetricAlarmHandle {
    stack.add(
        "unhealthy_tasks",
        CloudwatchMetricAlarm {
            alarm_name: set(config.names.of("unhealthy-tasks")),
            comparison_operator: set("GreaterThanOrEqualToThreshold"),
            evaluation_periods: set(3),
            optional: CloudwatchMetricAlarmOptional {
                alarm_description: set("A task fails the load balancer's checks; rolls a deployment back."),
                namespace: set("AWS/ApplicationELB"),
                metric_name: set("UnHealthyHostCount"),
                dimensions: set(targets(inputs)),
                period: set(60),
                statistic: set("Minimum"),
                threshold: set(1),
                // No tasks, none unhealthy.
                treat_missing_data: set("notBreaching"),
                ..Default::default()
            },
        },
    )
}

fn targets(inputs: &Inputs<'_>) -> [(&'static str, Expr<Text>); 2] {
    [
        ("LoadBalancer", inputs.alb.load_balancer.arn_suffix()),
        ("TargetGroup", inputs.alb.target_group.arn_suffix()),
    ]
}

#[cfg(test)]
pub(crate) mod tests;
