//! A service's containers: what it may touch, where its variables come from, when it is healthy.

use std::collections::BTreeMap;

use aws::document::container::{
    AwsLogs, Capability, Container, ContainerOptional, Delivery, Dependency, DependencyCondition, Essential,
    HealthCheck, HealthCommand, LinuxParameters, LogConfiguration, MountPoint, PortMapping, SecretSource,
    Tmpfs, Ulimit, UlimitName, User,
};
use aws::kind::SecretsmanagerSecretArn;
use contract::{Bucket, Secret, Table, Var};
use terraform::kind::Text;
use terraform::{Expr, NonEmpty, set};

use super::Inputs;
use crate::config::{
    Bounded, EnvConfig, ImageRef, Partition, SecretArn, Service, ServiceName, Sidecar, Store, VariableName,
    Workload,
};
use crate::names::cluster;
use crate::stacks::data::Database;

contract::closed_list! {
    /// A directory that can be written to although the root file system cannot.
    #[derive(Clone, Copy)]
    pub(super) enum Directory {
        /// The service's own.
        Temporary,
        /// Where ECS puts the agent of ECS Exec.
        ManagedAgents,
        /// The agent's state.
        AgentState,
        /// The agent's log.
        AgentLog,
    }
}

impl Directory {
    /// AWS asks for a writable root file system where ECS Exec is used; these three directories are what its agent
    /// writes to, and with them the root can stay read-only (PCI 2.2.6).
    /// <https://github.com/aws/containers-roadmap/issues/1359>
    pub(super) fn wanted(self, config: &EnvConfig, service: &Service) -> bool {
        match self {
            Self::Temporary => service.tmp && !in_memory(config),
            Self::ManagedAgents | Self::AgentState | Self::AgentLog => service.exec,
        }
    }

    pub(super) const fn volume(self) -> &'static str {
        match self {
            Self::Temporary => "tmp",
            Self::ManagedAgents => "managed-agents",
            Self::AgentState => "ssm-state",
            Self::AgentLog => "ssm-log",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Temporary => contract::WRITABLE_DIRECTORY,
            Self::ManagedAgents => "/managed-agents",
            Self::AgentState => "/var/lib/amazon/ssm",
            Self::AgentLog => "/var/log/amazon/ssm",
        }
    }
}

/// A service's container: it runs as an ordinary user, with no capabilities and nothing to write to but its
/// temporary directory (PCI 2.2.4, 2.2.6).
pub(super) fn container(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
    image: &ImageRef,
) -> Container {
    let service = workload.service;
    let (environment, secrets) = variables(config, inputs, workload);
    Container {
        name: set(service.name.to_string()),
        image: inputs.ecr.images.of(workload).reference(image),
        optional: ContainerOptional {
            command: words(&service.command),
            environment,
            health_check: health_check(service, &service.health_command),
            linux_parameters: Some(confined(service.tmp && in_memory(config))),
            log_configuration: Some(log(config, inputs, workload)),
            mount_points: Directory::ALL
                .into_iter()
                .filter(|directory| directory.wanted(config, service))
                .map(|directory| MountPoint {
                    volume: set(directory.volume()),
                    path: set(directory.path()),
                    read_only: false,
                })
                .collect(),
            port_mappings: vec![PortMapping::tcp(service.container_port)],
            secrets,
            stop_timeout_seconds: Some(service.stop_timeout_seconds),
            ulimits: service.ulimits.nofile.into_iter().map(open_files).collect(),
            user: User::new(service.user_id),
            ..Default::default()
        },
    }
}

/// The soft limit is the hard one: nobody is there to raise it.
fn open_files(most: Bounded<1024, 1_048_576>) -> Ulimit {
    Ulimit { name: UlimitName::Nofile, soft: most.get(), hard: most.get() }
}

/// Whether Fargate offers file systems in memory, to which any user of any image may write: AWS announced them for the
/// commercial regions. Elsewhere a directory is a volume, which is root's unless the image declares it and gives it away.
/// <https://aws.amazon.com/about-aws/whats-new/2026/01/amazon-ecs-tmpfs-mounts-aws-fargate-managed-instances/>
pub(super) fn in_memory(config: &EnvConfig) -> bool {
    config.partition() == Partition::Aws
}

/// What the service's containers have in common: no capabilities, and, if they may write at all, a little memory to do so.
fn confined(writes: bool) -> LinuxParameters {
    let tmpfs = || Tmpfs { path: set(contract::WRITABLE_DIRECTORY), size_mib: contract::WRITABLE_MIB };
    LinuxParameters {
        tmpfs: writes.then(tmpfs).into_iter().collect(),
        drop: vec![Capability::All],
        // SIGTERM reaches the service, and what a session leaves behind is reaped.
        init_process: true,
        ..Default::default()
    }
}

fn log(config: &EnvConfig, inputs: &Inputs<'_>, workload: Workload<'_>) -> LogConfiguration {
    LogConfiguration::AwsLogs(AwsLogs {
        group: set(inputs.logs.services.of(workload).name()),
        region: set(config.region.to_string()),
        stream_prefix: set(cluster::LOG_STREAM_PREFIX),
        // Audit lines are not to be lost, as they are by default (PCI 10.2.1): the service waits instead.
        delivery: Delivery::Blocking,
    })
}

/// The containers of a task: the service's, and those beside it.
pub(super) fn containers(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
    image: &ImageRef,
) -> NonEmpty<Container> {
    let mut service = container(config, inputs, workload, image);
    let sidecars = &workload.service.sidecars;
    service.optional.depends_on = sidecars
        .iter()
        .filter(|(_, sidecar)| sidecar.first)
        .map(|(name, sidecar)| Dependency {
            container: set(name.to_string()),
            condition: if sidecar.health_command.is_empty() {
                DependencyCondition::Start
            } else {
                DependencyCondition::Healthy
            },
        })
        .collect();
    NonEmpty::new(
        service,
        sidecars.iter().map(|(name, sidecar)| beside(config, inputs, workload, name, sidecar)),
    )
}

/// The volume that a sidecar writes to: none of the service's, which may hold cardholder data.
pub(super) fn sidecar_volume(name: &ServiceName) -> String {
    format!("{name}-tmp")
}

fn words(words: &[String]) -> Vec<Expr<Text>> {
    words.iter().map(Expr::new).collect()
}

fn beside(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
    name: &ServiceName,
    sidecar: &Sidecar,
) -> Container {
    Container {
        name: set(name.to_string()),
        image: set(sidecar.image.in_repository(sidecar.repository.as_str())),
        optional: ContainerOptional {
            command: words(&sidecar.command),
            cpu_units: sidecar.cpu.map(Bounded::get),
            environment: literal(&sidecar.environment),
            essential: if sidecar.essential { Essential::Yes } else { Essential::No },
            health_check: health_check(workload.service, &sidecar.health_command),
            linux_parameters: Some(confined(in_memory(config))),
            log_configuration: Some(log(config, inputs, workload)),
            memory_mib: sidecar.memory.map(Bounded::get),
            mount_points: (!in_memory(config))
                .then(|| MountPoint {
                    volume: set(sidecar_volume(name)),
                    path: set(contract::WRITABLE_DIRECTORY),
                    read_only: false,
                })
                .into_iter()
                .collect(),
            secrets: named(&sidecar.secrets),
            stop_timeout_seconds: Some(workload.service.stop_timeout_seconds),
            user: User::new(sidecar.user_id.get()),
            ..Default::default()
        },
    }
}

/// A container asks itself; the main service's binary does, since its image has neither a shell nor an HTTP client. The
/// load balancer's check decides which tasks get requests; by this one ECS knows, during a deployment too, that a
/// container does not merely run. None without a command.
fn health_check(service: &Service, command: &[String]) -> Option<HealthCheck> {
    let check = &service.health_check;
    (!command.is_empty()).then(|| HealthCheck {
        command: HealthCommand::Exec(words(command)),
        interval_seconds: check.interval_seconds.get(),
        timeout_seconds: check.timeout_seconds.get(),
        retries: check.unhealthy_threshold.get(),
        // ECS takes five minutes at most.
        start_period_seconds: check.grace_seconds.get().min(300),
    })
}

/// Where the value of a variable comes from.
enum Source {
    /// The platform, which writes this into the task definition, or leaves it out where it has no place.
    Platform(fn(&EnvConfig, &Inputs<'_>) -> Option<Expr<Text>>),
    /// One of the platform's secrets.
    Secret(Secret),
    /// The environment file, or else the service's default.
    File,
}

/// Where a variable comes from. There is no wildcard: a new variable has to be decided upon here.
fn source(var: Var) -> Source {
    match var {
        Var::Environment => Source::Platform(|config, _| text(config.name.as_str())),
        Var::ListenAddress => Source::Platform(|config, _| listen(config, config.service.container_port)),
        Var::MetricsAddress => Source::Platform(|config, _| listen(config, contract::METRICS_PORT)),
        // Were the service the first to hang up, the load balancer would answer 502 to the request that it was just
        // passing on.
        Var::KeepAliveSeconds => {
            Source::Platform(|config, _| text(config.alb.idle_timeout_seconds.get() + 5))
        }
        Var::StopTimeoutSeconds => Source::Platform(|config, _| text(config.service.stop_timeout_seconds)),
        Var::Store => Source::Platform(|config, _| text(config.data.store.kind().name())),
        Var::RecordsTable => Source::Platform(|config, inputs| table(config, inputs, Table::Records)),
        Var::AuditTable => Source::Platform(|config, inputs| table(config, inputs, Table::Audit)),
        Var::StatementsBucket => Source::Platform(|_, inputs| bucket(inputs, Bucket::Statements)),
        Var::AuditBucket => Source::Platform(|_, inputs| bucket(inputs, Bucket::Audit)),
        Var::AdminKey => Source::Secret(Secret::AdminKey),
        Var::SigningKey => Source::Secret(Secret::SigningKey),
        Var::DatabaseHost => Source::Platform(|config, inputs| Some(database(config, inputs)?.host.clone())),
        Var::DatabasePort => {
            Source::Platform(|config, inputs| database(config, inputs).and(text(contract::DATABASE_PORT)))
        }
        Var::DatabaseName => {
            Source::Platform(|config, inputs| database(config, inputs).and(text(contract::DATABASE_NAME)))
        }
        Var::DatabaseUser => {
            Source::Platform(|config, inputs| database(config, inputs).and(text(contract::DATABASE_USER)))
        }
        Var::DatabaseCaFile => {
            Source::Platform(|config, inputs| database(config, inputs).and(text(contract::DATABASE_CA_FILE)))
        }
        // The service shows PostgreSQL a token of IAM, and keeps nothing on its own disk.
        Var::DatabasePassword | Var::DataDirectory => Source::Platform(|_, _| None),
        Var::LogLevel
        | Var::JwtIssuer
        | Var::JwtAudience
        | Var::JwtAudienceClaim
        | Var::JwtTenantClaim
        | Var::JwtScopeClaim
        | Var::JwtScopes
        | Var::JwksFile
        | Var::JwksUrl
        | Var::UploadLimitBytes
        | Var::RequestsPerSecond
        | Var::RunsQueued
        | Var::RunsAtOnce
        | Var::OtlpEndpoint => Source::File,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what a source gives")]
fn text(value: impl ToString) -> Option<Expr<Text>> {
    Some(Expr::new(value.to_string()))
}

/// Every address of the container, at this port.
fn listen(config: &EnvConfig, port: u16) -> Option<Expr<Text>> {
    // `::` takes IPv4 connections as well.
    let every = if config.network.ipv6 { "[::]" } else { "0.0.0.0" };
    text(format!("{every}:{port}"))
}

fn table(config: &EnvConfig, inputs: &Inputs<'_>, table: Table) -> Option<Expr<Text>> {
    let tables = inputs.data.dynamodb.as_ref().filter(|_| config.data.store == Store::DynamoDb)?;
    Some(tables.of(table).name())
}

fn database<'a>(config: &EnvConfig, inputs: &Inputs<'a>) -> Option<&'a Database> {
    inputs.data.postgres.as_ref().filter(|_| config.data.store == Store::Postgres)
}

fn bucket(inputs: &Inputs<'_>, bucket: Bucket) -> Option<Expr<Text>> {
    Some(inputs.buckets.of(bucket)?.id().text())
}

/// The container's variables and secrets: those of the environment file, and the platform's where the contract asks for
/// them; they share no name.
fn variables(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
) -> (BTreeMap<String, Expr<Text>>, BTreeMap<String, SecretSource>) {
    let mut plain = literal(&workload.service.environment);
    let mut secrets = named(&workload.service.secrets);
    let parameters = workload.service.parameters.iter();
    secrets
        .extend(parameters.map(|(name, arn)| (name.to_string(), SecretSource::parameter(arn.to_string()))));
    let generated = inputs.secrets.generated.of(workload).iter();
    secrets.extend(generated.map(|(name, secret)| (name.to_string(), SecretSource::secret(secret.arn()))));
    for var in Var::ALL.into_iter().filter(|_| workload.service.has_contract()) {
        match source(var) {
            Source::Platform(value) => {
                plain.extend(value(config, inputs).map(|value| (var.name().to_owned(), value)));
            }
            Source::Secret(secret) => {
                let source = inputs.secrets.of(secret).map(|secret| SecretSource::secret(secret.arn()));
                secrets.extend(source.map(|source| (var.name().to_owned(), source)));
            }
            Source::File => {}
        }
    }
    (plain, secrets)
}

fn literal(variables: &BTreeMap<VariableName, String>) -> BTreeMap<String, Expr<Text>> {
    variables.iter().map(|(name, value)| (name.to_string(), Expr::new(value))).collect()
}

fn named(secrets: &BTreeMap<VariableName, SecretArn>) -> BTreeMap<String, SecretSource> {
    let source =
        |arn: &SecretArn| SecretSource::secret(Expr::<SecretsmanagerSecretArn>::external(arn.to_string()));
    secrets.iter().map(|(name, arn)| (name.to_string(), source(arn))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_sets_the_contract_says_that_it_sets() {
        for var in Var::ALL {
            assert_eq!(!matches!(source(var), Source::File), var.is_set_by_platform(), "{}", var.name());
        }
    }
}
