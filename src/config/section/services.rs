//! `[services.NAME]`: services beside the main one, behind the same load balancer.

use super::SecretSettings;
use super::service::{
    Architecture, Autoscaling, BlueGreen, Deployment, HealthCheck, ScheduledAction, Service, Sidecar,
    Strategy, Ulimits,
};
use crate::config::value::{
    Bounded, DomainName, FargateSize, ImageRef, KmsKeyArn, ParameterArn, PathPattern, PolicyArn,
    RepositoryUri, RetentionDays, RuleName, SecretArn, ServiceName, ServicePrefix, UrlPath, VariableName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A further service as the environment file describes it. Its name is 1 to 20 lower-case letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FurtherServiceFile {
    /// The hosts whose requests it gets, each in `hosted_zone`: DNS records lead to the load balancer, and the certificate
    /// bears them; one that exists already (`certificate.arn`) has to. None: those of `domain`, at the paths below.
    pub hosts: Vec<DomainName>,
    /// The paths whose requests it gets, at every one of its hosts; `*` stands for any characters and `?` for one, and
    /// `/hooks/*` does not take in `/hooks`. None: all of them. Hosts and paths are five together at most.
    pub paths: Vec<PathPattern>,
    /// What paths of uploads to it begin with, as `waf.upload_paths` says them for the main service. None: bodies beyond 8
    /// KiB are refused before they reach it.
    pub upload_paths: Vec<UrlPath>,
    /// Where its rule stands among those of the other services, 1 to 50000: the smallest number that fits a request
    /// decides. Computed from the shortest path up to its first `*` or `?`, so that longer ones go first and whole hosts
    /// last, and from the name: 1001 to 49000, and the same whichever services there are besides.
    pub priority: Option<Bounded<1, 50_000>>,
    /// The image to run, as under `[service]`. Absent while no image has been pushed.
    pub image: Option<ImageRef>,
    /// The repository that the image comes from. One of its own, called `<service.name>/<name>`.
    pub image_repository: Option<RepositoryUri>,
    /// The processor that the image is built for. `x86_64`.
    pub architecture: Architecture,
    /// What the container runs, word by word. The image's own command.
    pub command: Vec<String>,
    /// The TCP port that the container listens on, 1024 to 65535. 8080.
    pub container_port: Bounded<1024, 65_535>,
    /// The user id that the container runs as, 1 to 65534, never root. 10001.
    pub user_id: Bounded<1, 65_534>,
    /// CPU units of a task: 256, 512, 1024, 2048, 4096, 8192 or 16384. 256.
    #[schemars(extend("enum" = FargateSize::CPU_UNITS))]
    pub cpu: u32,
    /// Memory of a task in MiB, a size that Fargate offers with `cpu`. 512.
    pub memory: u32,
    /// Temporary storage of a task in GiB, 20 to 200. 20.
    pub ephemeral_storage_gib: Bounded<20, 200>,
    /// Tasks at the first deployment, 1 to 1000. 2, in two availability zones.
    pub desired_count: Bounded<1, 1000>,
    /// The fewest tasks, 1 to 1000. `desired_count`.
    pub min_count: Option<Bounded<1, 1000>>,
    /// The most tasks, 1 to 1000. Four times `desired_count`.
    pub max_count: Option<Bounded<1, 1000>>,
    /// What the autoscaler holds constant.
    pub autoscaling: Autoscaling,
    /// Changes of the least and most tasks by the clock. None.
    pub schedule: Vec<ScheduledAction>,
    /// Whether operators may open a session in a running container (ECS Exec). False, and refused in production (PCI
    /// 6.5.1).
    pub exec: bool,
    /// Its environment variables. None; the platform sets none either. No secrets: names that look like one are refused
    /// (PCI 8.6.2).
    pub environment: BTreeMap<VariableName, String>,
    /// Environment variables filled from Secrets Manager when a task starts, by the secret's ARN. None.
    pub secrets: BTreeMap<VariableName, SecretArn>,
    /// Environment variables filled from Parameter Store, as under `[service]`. None.
    pub parameters: BTreeMap<VariableName, ParameterArn>,
    /// Environment variables filled from secrets that are made here, as under `[service]`. None.
    pub generated_secrets: BTreeMap<VariableName, SecretSettings>,
    /// The keys of one's own that encrypt what `secrets` and `parameters` name. None.
    pub secret_keys: Vec<KmsKeyArn>,
    /// Limits of the container's process.
    pub ulimits: Ulimits,
    /// Containers that run beside its own in every task, by name. None.
    pub sidecars: BTreeMap<ServiceName, Sidecar>,
    /// The managed policies of its task role: all that it may do at AWS. None, and then it may do nothing there. AWS's
    /// own are refused where they reach every secret, key, object, item, log or role, or a whole service, of the account,
    /// such as `AmazonS3FullAccess`, `SecretsManagerReadWrite` and `ReadOnlyAccess` (PCI 7.2.5).
    pub task_policies: Vec<PolicyArn>,
    /// Services of AWS, as IAM names them (`ses`), that `task_policies` allow and the environment does not use itself. The
    /// boundary that `txnr bootstrap` makes leaves its roles no others. None.
    pub task_services: Vec<ServicePrefix>,
    /// Whether its tasks reach the main service's data stores: PostgreSQL's port, and DynamoDB's endpoint. False. What
    /// they may do there, `task_policies` say.
    pub data_stores: bool,
    /// Which of the destinations under `[[network.egress]]` its tasks reach, by name. None.
    pub egress: Vec<RuleName>,
    /// Seconds between the request to stop and the kill, 1 to 120. 60.
    pub stop_timeout_seconds: Bounded<1, 120>,
    /// Seconds that the load balancer lets open requests end before a task stops, 0 to 3600. 30.
    pub deregistration_delay_seconds: Bounded<0, 3600>,
    /// Days that its log is kept. `logs.retention_days`.
    pub log_retention_days: Option<RetentionDays>,
    /// The load balancer's health check.
    pub health_check: HealthCheck,
    /// The command that tells by its exit code whether the container is healthy, word by word, as often as the load
    /// balancer checks. None: the load balancer alone decides.
    pub health_command: Vec<String>,
    /// How a new version replaces the old one.
    pub deployment: FurtherDeployment,
    /// Whether its outage is told to `alarms.page`; if not, to `alarms.notify`. True.
    pub page: bool,
}

impl Default for FurtherServiceFile {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            paths: Vec::new(),
            upload_paths: Vec::new(),
            priority: None,
            image: None,
            image_repository: None,
            architecture: Architecture::X86_64,
            command: Vec::new(),
            container_port: Bounded::literal::<8080>(),
            user_id: Bounded::literal::<10_001>(),
            cpu: 256,
            memory: 512,
            ephemeral_storage_gib: Bounded::literal::<20>(),
            desired_count: Bounded::literal::<2>(),
            min_count: None,
            max_count: None,
            autoscaling: Autoscaling::default(),
            schedule: Vec::new(),
            exec: false,
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            parameters: BTreeMap::new(),
            generated_secrets: BTreeMap::new(),
            secret_keys: Vec::new(),
            ulimits: Ulimits::default(),
            sidecars: BTreeMap::new(),
            task_policies: Vec::new(),
            task_services: Vec::new(),
            data_stores: false,
            egress: Vec::new(),
            stop_timeout_seconds: Bounded::literal::<60>(),
            deregistration_delay_seconds: Bounded::literal::<30>(),
            log_retention_days: None,
            health_check: HealthCheck::default(),
            health_command: Vec::new(),
            deployment: FurtherDeployment::default(),
            page: true,
        }
    }
}

/// How a new version of a service beside the main one replaces the old one: CodeDeploy deploys the main one alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FurtherDeployment {
    /// Who deploys. `rolling`: Terraform does. `external`: a pipeline updates the service itself, and Terraform leaves its
    /// task definition alone.
    pub strategy: FurtherStrategy,
    /// The share of tasks that keep running during a deployment, in percent, 0 to 100. 100.
    pub minimum_healthy_percent: Bounded<0, 100>,
    /// The share of tasks, old and new, that may run during a deployment, in percent, 100 to 200. 200.
    pub maximum_percent: Bounded<100, 200>,
    /// Whether ECS rolls a deployment back that fails, or sets off an alarm on errors or unhealthy tasks. True.
    pub circuit_breaker: bool,
}

impl Default for FurtherDeployment {
    fn default() -> Self {
        Self {
            strategy: FurtherStrategy::Rolling,
            minimum_healthy_percent: Bounded::literal::<100>(),
            maximum_percent: Bounded::literal::<200>(),
            circuit_breaker: true,
        }
    }
}

impl From<FurtherDeployment> for Deployment {
    fn from(further: FurtherDeployment) -> Self {
        Self {
            strategy: match further.strategy {
                FurtherStrategy::Rolling => Strategy::Rolling,
                FurtherStrategy::External => Strategy::External,
            },
            minimum_healthy_percent: further.minimum_healthy_percent,
            maximum_percent: further.maximum_percent,
            circuit_breaker: further.circuit_breaker,
            blue_green: BlueGreen::default(),
        }
    }
}

/// Who deploys a service beside the main one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FurtherStrategy {
    /// Terraform, task by task.
    Rolling,
    /// A pipeline, which updates the service itself.
    External,
}

/// A service beside the main one, as the stacks build it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherService {
    /// The service; its name is unique in the environment.
    pub service: Service,
    /// The hosts whose requests it gets; at least one.
    pub hosts: Vec<DomainName>,
    /// The paths whose requests it gets; empty for all.
    pub paths: Vec<PathPattern>,
    /// What paths of uploads begin with, at each of its hosts.
    pub upload_paths: Vec<UrlPath>,
    /// Its rule's place among those of the other services, unique, 1 to 50000.
    pub priority: u32,
    /// Whether its tasks reach the data stores.
    pub data_stores: bool,
    /// Which destinations outside AWS its tasks reach, by the names of the rules.
    pub egress: Vec<RuleName>,
    /// Whether its outage wakes somebody.
    pub page: bool,
}
