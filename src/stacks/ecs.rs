//! The cluster, and each service in it: its task definition, its tasks and its autoscaling.

mod autoscaling;
mod container;
mod migrate;

use aws::{
    CloudwatchMetricAlarmHandle, EcsAccountSettingDefault, EcsCluster, EcsClusterCapacityProviders,
    EcsClusterCapacityProvidersOptional, EcsClusterHandle, EcsClusterOptional, EcsService, EcsServiceHandle,
    EcsServiceOptional, EcsTaskDefinition, EcsTaskDefinitionHandle, EcsTaskDefinitionOptional,
    ecs_cluster as block, ecs_cluster_capacity_providers as capacity, ecs_service as service,
    ecs_task_definition as task,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, Stack, set};

use self::container::{Directory, containers};
use super::alb::Targets;
use super::per_service::PerService;
use super::{alb, data, ecr, iam, kms, logs, network, secrets, storage};
use crate::alarm::table::{TARGET_5XX, UNHEALTHY_TASKS};
use crate::alarm::{self, Alarm, Bad, Measure, Missing, Notice};
use crate::config::{EnvConfig, ImageRef, Partition, Service, Strategy, Workload};
use crate::names::cluster;

/// The cluster and the services.
pub struct Outputs {
    /// The cluster.
    pub cluster: EcsClusterHandle,
    /// Each service.
    pub services: PerService<Running>,
}

/// A service, which runs once its image is named.
pub struct Running {
    /// The service at ECS. None as long as the environment file names no image: an apply that names the first one makes it,
    /// with the named image and its count of tasks, and so deploys whoever deploys later ones.
    pub service: Option<EcsServiceHandle>,
    /// The name that the service has, or will have.
    pub name: Expr<Text>,
    /// The ARN that the service has, or will have.
    pub arn: Expr<Text>,
    /// What shows that a deployment went wrong, and rolls it back if deployments are rolled back.
    pub symptoms: Symptoms,
}

/// The alarms on what a deployment breaks.
pub struct Symptoms {
    /// The service's answers are errors.
    pub server_errors: CloudwatchMetricAlarmHandle,
    /// Tasks fail the load balancer's checks.
    pub unhealthy_tasks: CloudwatchMetricAlarmHandle,
    /// Tasks in the second target group do, where CodeDeploy deploys.
    pub unhealthy_green: Option<CloudwatchMetricAlarmHandle>,
}

impl Symptoms {
    /// The names of the alarms, by which deployments are rolled back.
    #[must_use]
    pub fn alarm_names(&self) -> Vec<Expr<Text>> {
        let Self { server_errors, unhealthy_tasks, unhealthy_green } = self;
        let all = [server_errors, unhealthy_tasks].into_iter().chain(unhealthy_green);
        all.map(CloudwatchMetricAlarmHandle::alarm_name).collect()
    }
}

/// What the service stands on.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The topics.
    pub topics: &'a alarm::Topics,
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

/// Builds the cluster and the services.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Outputs {
    if config.account.baseline {
        account_settings(stack, config);
    }
    let cluster = cluster(stack, config, inputs);
    let services = PerService::build(config, |workload| run(stack, config, inputs, &cluster, workload));
    if let (Some(database), Some(role), Some(image)) =
        (&inputs.data.postgres, &inputs.iam.migrate, &config.service.image)
    {
        let of = migrate::Of { cluster: &cluster, database, role, image };
        migrate::build(stack, config, inputs, &of);
    }
    stack.output("ecs_cluster_name", "The cluster that the service runs in.", cluster.name().text());
    Outputs { cluster, services }
}

/// One service: its task definition, its tasks and how many there are.
fn run(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    cluster: &EcsClusterHandle,
    workload: Workload<'_>,
) -> Running {
    let Some(image) = &workload.service.image else {
        return Running {
            service: None,
            name: set(workload.service.name.to_string()),
            arn: set(cluster::service_arn(config, workload)),
            symptoms: symptoms(stack, config, inputs, workload),
        };
    };
    let definition = task_definition(stack, config, inputs, workload, image);
    let symptoms = symptoms(stack, config, inputs, workload);
    let place = Place { inputs, cluster, workload };
    let service = service(stack, &place, &definition, &symptoms);
    autoscaling::build(stack, &place, &service);
    let output = workload.address("ecs_service_name");
    stack.output(&output, "The service; a pipeline deploys to it.", service.name());
    stack.output(
        &workload.address("ecs_task_family"),
        "The task definition's family; a pipeline registers revisions of it.",
        definition.family(),
    );
    Running { name: service.name(), arn: service.id().text(), service: Some(service), symptoms }
}

/// Where a service runs, and which one it is.
struct Place<'a> {
    inputs: &'a Inputs<'a>,
    cluster: &'a EcsClusterHandle,
    workload: Workload<'a>,
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
            name: set(cluster::name(config)),
            optional: EcsClusterOptional {
                configuration: set(block::Configuration {
                    execute_command_configuration: set(exec_sessions(inputs)),
                    // PCI 3.5.1: what a task writes to its disk is under a key of ours.
                    managed_storage_configuration: set(block::ManagedStorageConfiguration {
                        fargate_ephemeral_storage_kms_key_id: set(inputs.keys.data.arn()),
                        ..Default::default()
                    }),
                }),
                setting: vec![block::Setting {
                    name: set("containerInsights"),
                    value: set(insights(config)),
                }],
                tags: set([("Name", cluster::name(config))]),
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
fn exec_sessions(inputs: &Inputs<'_>) -> block::ExecuteCommandConfiguration {
    block::ExecuteCommandConfiguration {
        kms_key_id: set(inputs.keys.logs.arn()),
        log_configuration: set(block::LogConfiguration {
            cloud_watch_encryption_enabled: set(true),
            cloud_watch_log_group_name: set(inputs.logs.exec.name()),
            ..Default::default()
        }),
        logging: set("OVERRIDE"),
    }
}

fn task_definition(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
    image: &ImageRef,
) -> EcsTaskDefinitionHandle {
    let (service, roles) = (workload.service, inputs.iam.services.of(workload));
    stack.add_with(
        workload.address("main"),
        // The running revision is given up only when the service has left it, or there is nothing to roll back to.
        Meta::new().create_before_destroy(),
        EcsTaskDefinition {
            container_definitions: set(containers(config, inputs, workload, image)),
            family: set(cluster::family(config, workload)),
            optional: EcsTaskDefinitionOptional {
                requires_compatibilities: set(["FARGATE"]),
                network_mode: set("awsvpc"),
                cpu: set(service.size.cpu_units().to_string()),
                memory: set(service.size.memory_mib().to_string()),
                runtime_platform: set(task::RuntimePlatform {
                    cpu_architecture: set(service.architecture.as_str()),
                    operating_system_family: set("LINUX"),
                }),
                // 20 GiB are there without asking, and cannot be asked for.
                ephemeral_storage: Some(service.ephemeral_storage_gib)
                    .filter(|&gib| gib > 20)
                    .map(|gib| task::EphemeralStorage { size_in_gib: set(gib) }),
                execution_role_arn: set(roles.execution.arn()),
                task_role_arn: set(roles.task.arn()),
                volume: Directory::ALL
                    .into_iter()
                    .filter(|directory| directory.wanted(config, service))
                    .map(|directory| directory.volume().to_owned())
                    .chain(
                        service
                            .sidecars
                            .keys()
                            .filter(|_| !container::in_memory(config))
                            .map(container::sidecar_volume),
                    )
                    .map(|name| task::Volume { name: set(name), optional: task::VolumeOptional::default() })
                    .collect(),
                // Earlier revisions stay to be rolled back to, and as a record of what ran.
                skip_destroy: set(config.protection),
                tags: set([("Name", cluster::family(config, workload))]),
                ..Default::default()
            },
        },
    )
}

fn service(
    stack: &mut Stack<'_>,
    place: &Place<'_>,
    definition: &EcsTaskDefinitionHandle,
    symptoms: &Symptoms,
) -> EcsServiceHandle {
    let Place { inputs, workload, .. } = *place;
    let (of, name) = (workload.service, workload.service.name.to_string());
    let deployment = &of.deployment;
    stack.add_with(
        workload.address("main"),
        service_meta(place, definition),
        EcsService {
            name: set(name.clone()),
            optional: EcsServiceOptional {
                cluster: set(place.cluster.arn()),
                task_definition: set(definition.arn()),
                desired_count: set(of.counts.desired),
                launch_type: set("FARGATE"),
                // The newest, with all security fixes (PCI 6.3.3).
                platform_version: set("LATEST"),
                network_configuration: set(placement(inputs, workload)),
                load_balancer: vec![service::LoadBalancer {
                    container_name: set(name.clone()),
                    container_port: set(of.container_port),
                    optional: service::LoadBalancerOptional {
                        target_group_arn: set(inputs.alb.target_groups.of(workload).arn()),
                        ..Default::default()
                    },
                }],
                health_check_grace_period_seconds: set(of.health_check.grace_seconds.get()),
                deployment_minimum_healthy_percent: set(deployment.minimum_healthy_percent.get()),
                deployment_maximum_percent: set(deployment.maximum_percent.get()),
                deployment_controller: of
                    .is_blue_green()
                    .then(|| service::DeploymentController { r#type: set("CODE_DEPLOY") }),
                // CodeDeploy rolls back by itself, and ECS refuses to do so beside it.
                deployment_circuit_breaker: (!of.is_blue_green()).then(|| {
                    service::DeploymentCircuitBreaker {
                        enable: set(deployment.circuit_breaker),
                        rollback: set(deployment.circuit_breaker),
                    }
                }),
                alarms: (deployment.circuit_breaker && !of.is_blue_green()).then(|| rollback(symptoms)),
                availability_zone_rebalancing: set(rebalancing(of)),
                // No shell beside cardholder data (PCI 2.2.7, 6.5.1); the environment file refuses it in production.
                enable_execute_command: set(of.exec),
                // Tasks bear the service's tags, so that none is without owner and scope.
                enable_ecs_managed_tags: set(true),
                propagate_tags: set("SERVICE"),
                wait_for_steady_state: set(waits(of)),
                tags: set([("Name", name)]),
                ..Default::default()
            },
        },
    )
}

/// Whether an apply waits until as many tasks run as should, and fails if they do not. The first deployment is Terraform's
/// whatever the strategy; but of a service that CodeDeploy deploys ECS tells no deployments, without which the provider
/// sees no steady state.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html>
fn waits(service: &Service) -> bool {
    !service.is_blue_green()
}

fn service_meta(place: &Place<'_>, definition: &EcsTaskDefinitionHandle) -> Meta<EcsService> {
    let Place { inputs, workload, .. } = *place;
    let service = workload.service;
    // A target group without a listener is refused, and a task without rights fails to start.
    let mut meta = Meta::new().depends_on(inputs.alb.ways.of(workload));
    for policy in &inputs.iam.services.of(workload).policies {
        meta = meta.depends_on(policy);
    }
    // A secret without a value cannot be read.
    meta = inputs.secrets.values.of(workload).iter().fold(meta, |meta, value| meta.depends_on(value));
    // A task that starts before its way to the registry, the logs and the secrets fails, and so does the deployment.
    for way in inputs.network.before_tasks.of(workload) {
        meta = meta.depends_on(way);
    }
    // The autoscaler's, once the service is there.
    meta = meta.ignore(EcsService::DESIRED_COUNT);
    if service.deployment.strategy != Strategy::Rolling {
        meta = meta.ignore(EcsService::TASK_DEFINITION);
    }
    if service.is_blue_green() {
        // Each deployment's task set has its own, and ECS refuses to update the service's.
        // https://github.com/hashicorp/terraform-provider-aws/issues/6802
        meta = meta.ignore(EcsService::LOAD_BALANCER).ignore(EcsService::NETWORK_CONFIGURATION);
    }
    if service.deployment.strategy == Strategy::Rolling {
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
fn placement(inputs: &Inputs<'_>, workload: Workload<'_>) -> service::NetworkConfiguration {
    let subnets = inputs.network.private_subnets.clone();
    service::NetworkConfiguration {
        subnets: set(subnets),
        optional: service::NetworkConfigurationOptional {
            assign_public_ip: set(false),
            security_groups: set([inputs.network.tasks_security_groups.of(workload).id()]),
        },
    }
}

/// ECS evens tasks out over the zones by starting one before it stops another, for which there must be room. It starts
/// none by itself in the task sets of CodeDeploy.
fn rebalancing(service: &Service) -> &'static str {
    if service.deployment.maximum_percent.get() > 100 && !service.is_blue_green() {
        "ENABLED"
    } else {
        "DISABLED"
    }
}

fn rollback(symptoms: &Symptoms) -> service::Alarms {
    service::Alarms { alarm_names: set(symptoms.alarm_names()), enable: set(true), rollback: set(true) }
}

/// The service's health check may well go on saying that all is well while its answers are errors, and the other way
/// round: both are watched.
fn symptoms(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
) -> Symptoms {
    let targets = Targets::of(config, inputs.alb, workload);
    let server_errors = Alarm {
        notice: Notice::each(&TARGET_5XX, workload.name().map(str::to_owned)),
        measure: targets.share_of_errors(),
        bad: Bad::AtLeast(config.alarms.error_percent.get().into()),
        period_seconds: 60,
        of: (2, 3),
        // No requests, no errors.
        missing: Missing::Fine,
    };
    let unhealthy = |group, instance: Option<&str>| Alarm {
        notice: Notice::each(&UNHEALTHY_TASKS, instance.map(str::to_owned)),
        measure: Measure::Of(targets.of_group(group, "UnHealthyHostCount", "Minimum")),
        bad: Bad::AtLeast(1.into()),
        period_seconds: 60,
        of: (3, 3),
        // No tasks, none unhealthy.
        missing: Missing::Fine,
    };
    Symptoms {
        server_errors: server_errors.add(stack, config, inputs.topics),
        unhealthy_tasks: unhealthy(targets.blue, workload.name()).add(stack, config, inputs.topics),
        unhealthy_green: targets
            .green
            .map(|group| unhealthy(group, Some("green")).add(stack, config, inputs.topics)),
    }
}

#[cfg(test)]
pub(crate) mod tests;
