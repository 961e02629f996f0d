//! `[service]` and `[services.NAME]`: the tasks on Fargate.

use super::SecretSettings;
use super::services::FurtherDeployment;
use crate::config::value::{
    Bounded, Cidr, CronFields, DomainName, FargateSize, ImageRef, KmsKeyArn, ParameterArn, PathPattern,
    PolicyArn, RepositoryUri, RetentionDays, RuleName, SecretArn, ServiceName, ServicePrefix, TimeZone,
    UrlPath, VariableName,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How large a service is unless its table says otherwise.
struct Size {
    cpu: u32,
    memory: u32,
    tasks: Bounded<1, 1000>,
}

/// Declares the tables of services and what the stacks build from one. A key stands here once, with its type and its default:
/// under `kept` if every service has it and the stacks take it as it is, under `read` if every service has it and the
/// resolution makes something else of it (a field under `made`), under the table's name if services of one kind alone have it.
macro_rules! services {
    (
        kept { $( $(#[$kept_attribute:meta])* $kept:ident: $kept_type:ty = $kept_default:expr, )* }
        read { $( $(#[$read_attribute:meta])* $read:ident: $read_type:ty = $read_default:expr, )* }
        $(#[$main_attribute:meta])*
        $Main:ident { $( $(#[$main_key_attribute:meta])* $main_key:ident: $main_type:ty = $main_default:expr, )* }
        $(#[$further_attribute:meta])*
        $Further:ident {
            $( $(#[$further_key_attribute:meta])* $further_key:ident: $further_type:ty = $further_default:expr, )*
        }
        made { $( $(#[$made_attribute:meta])* $made:ident: $made_type:ty, )* }
    ) => {
        $(#[$main_attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $Main {
            $( $(#[$main_key_attribute])* pub $main_key: $main_type, )*
            $( $(#[$kept_attribute])* pub $kept: $kept_type, )*
            $( $(#[$read_attribute])* pub $read: $read_type, )*
        }

        impl Default for $Main {
            fn default() -> Self {
                Self {
                    $( $main_key: $main_default, )*
                    $( $kept: $kept_default, )*
                    $( $read: $read_default, )*
                }
            }
        }

        $(#[$further_attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $Further {
            $( $(#[$further_key_attribute])* pub $further_key: $further_type, )*
            $( $(#[$kept_attribute])* pub $kept: $kept_type, )*
            $( $(#[$read_attribute])* pub $read: $read_type, )*
        }

        impl Default for $Further {
            fn default() -> Self {
                Self {
                    $( $further_key: $further_default, )*
                    $( $kept: $kept_default, )*
                    $( $read: $read_default, )*
                }
            }
        }

        impl $Further {
            /// The keys that every service has, as the main one's table would say them.
            pub(in crate::config) fn common(&self) -> $Main {
                $Main {
                    $( $kept: self.$kept.clone(), )*
                    $( $read: self.$read.clone(), )*
                    ..$Main::default()
                }
            }
        }

        /// The service as the stacks build it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Service {
            $( $(#[$kept_attribute])* pub $kept: $kept_type, )*
            $( $(#[$made_attribute])* pub $made: $made_type, )*
        }

        /// What the resolution of a service's table has made.
        pub(in crate::config) struct Made {
            $( pub $made: $made_type, )*
        }

        impl Service {
            /// The service of a table and of what was made of it.
            pub(in crate::config) fn new(file: $Main, made: Made) -> Self {
                Self {
                    $( $kept: file.$kept, )*
                    $( $made: made.$made, )*
                }
            }
        }
    };
}

impl ServiceFile {
    const SIZE: Size = Size { cpu: 512, memory: 1024, tasks: Bounded::literal::<3>() };
}

impl FurtherServiceFile {
    const SIZE: Size = Size { cpu: 256, memory: 512, tasks: Bounded::literal::<2>() };
}

services! {
    kept {
        /// The image to run: a digest (`sha256:…`), or a tag that is pushed once and never moved. Absent while no image
        /// has been pushed: the platform is then built without a service at ECS, so that nothing waits for an image
        /// that does not exist. Name one, and the next apply makes the service with that image and the counts below,
        /// whoever deploys later ones; take it away, and the service goes.
        image: Option<ImageRef> = None,
        /// The repository that the image comes from. The environment's own for this service, called by the main
        /// service's name, and for a further one `<service.name>/<name>`.
        image_repository: Option<RepositoryUri> = None,
        /// The processor that the image is built for. Build machines are `x86_64` by default; `arm64` costs less.
        architecture: Architecture = Architecture::X86_64,
        /// What the autoscaler holds constant.
        autoscaling: Autoscaling = Autoscaling::default(),
        /// Changes of the least and most tasks by the clock.
        schedule: Vec<ScheduledAction> = Vec::new(),
        /// Whether operators may open a session in a running container (ECS Exec). Refused in production: a shell
        /// beside cardholder data evades change control (PCI 6.5.1).
        exec: bool = false,
        /// Environment variables; where `contract` is `txn-reconcile-api`, besides those that the platform sets. No
        /// secrets: they would be readable in the task definition and in the state, so names that look like one
        /// (`…_PASSWORD`, `…_TOKEN`, `…_API_KEY`) are refused (PCI 8.6.2).
        environment: BTreeMap<VariableName, String> = BTreeMap::new(),
        /// Environment variables filled from Secrets Manager when a task starts, by the secret's ARN.
        secrets: BTreeMap<VariableName, SecretArn> = BTreeMap::new(),
        /// Environment variables filled from Parameter Store when a task starts, by the parameter's ARN; a list under
        /// `network.endpoints.interface` has to hold `ssm` for them.
        parameters: BTreeMap<VariableName, ParameterArn> = BTreeMap::new(),
        /// Environment variables filled from secrets that are made here: 64 letters and digits drawn at random, which
        /// stand in no file and in no state.
        generated_secrets: BTreeMap<VariableName, SecretSettings> = BTreeMap::new(),
        /// The keys of one's own that encrypt what `secrets` and `parameters` name; others are under the platform's own
        /// key for secrets, or under AWS's.
        secret_keys: Vec<KmsKeyArn> = Vec::new(),
        /// Containers that run beside the service's own in every task, by name.
        sidecars: BTreeMap<ServiceName, Sidecar> = BTreeMap::new(),
        /// The managed policies of the task role: all that the tasks may do at AWS. AWS's own are refused where they
        /// reach every secret, key, object, item, log or role, or a whole service, of the account, such as
        /// `AmazonS3FullAccess`, `SecretsManagerReadWrite` and `ReadOnlyAccess` (PCI 7.2.5). Not where `contract` is
        /// `txn-reconcile-api`.
        task_policies: Vec<PolicyArn> = Vec::new(),
        /// Services of AWS, as IAM names them (`ses`), that `task_policies` allow and the environment does not use
        /// itself. The boundary that `txnr bootstrap` makes leaves its roles no others.
        task_services: Vec<ServicePrefix> = Vec::new(),
        /// Limits of the container's process.
        ulimits: Ulimits = Ulimits::default(),
        /// The load balancer's health check, and how often the container's own command is run.
        health_check: HealthCheck = HealthCheck::default(),
    }
    read {
        /// The TCP port that the container listens on (it runs without root's rights).
        container_port: Bounded<1024, 65_535> = Bounded::literal::<{ contract::PORT as u32 }>(),
        /// The user id that the container runs as, never root. Why the default: it is beyond those of the image's own
        /// users.
        user_id: Bounded<1, 65_534> = Bounded::literal::<{ contract::USER_ID }>(),
        /// CPU units of a task, 1024 of them one vCPU.
        #[schemars(extend("enum" = FargateSize::CPU_UNITS))]
        cpu: u32 = Self::SIZE.cpu,
        /// Memory of a task in MiB, a size that Fargate offers with `cpu`.
        memory: u32 = Self::SIZE.memory,
        /// Temporary storage of a task in GiB. The default is included in the price.
        ephemeral_storage_gib: Bounded<20, 200> = Bounded::literal::<20>(),
        /// Tasks at the first deployment, by default each in an availability zone of its own; the autoscaler moves it
        /// later.
        desired_count: Bounded<1, 1000> = Self::SIZE.tasks,
        /// The fewest tasks. `desired_count`.
        min_count: Option<Bounded<1, 1000>> = None,
        /// The most tasks. Four times `desired_count`.
        max_count: Option<Bounded<1, 1000>> = None,
        /// What the container runs, word by word. Where it is empty, the image's own command. Not where `contract` is
        /// `txn-reconcile-api`.
        command: Vec<String> = Vec::new(),
        /// Seconds between the request to stop and the kill. The default outlives the deregistration delay.
        stop_timeout_seconds: Bounded<1, 120> = Bounded::literal::<{ contract::STOP_TIMEOUT_SECONDS }>(),
        /// Seconds that the load balancer lets open requests end before a task stops.
        deregistration_delay_seconds: Bounded<0, 3600> = Bounded::literal::<30>(),
        /// Days that the container's log is kept. As long as other logs: `logs.retention_days`.
        log_retention_days: Option<RetentionDays> = None,
        /// The command that tells by its exit code whether the container is healthy, word by word, as often as the load
        /// balancer checks. Where it is empty, the load balancer alone decides. Not where `contract` is
        /// `txn-reconcile-api`.
        health_command: Vec<String> = Vec::new(),
    }

    /// The service as the environment file describes it.
    ServiceFile {
        /// What the container runs, as far as the platform has to know. `txn-reconcile-api`: the service of that name,
        /// whose command, variables, secrets, tables and bucket are given. `none`: any other program; it gets what is
        /// said here and in no other place, and none of these exist.
        #[schemars(with = "Contract")]
        contract: Option<Contract> = None,
        /// The service's name, and that of its image repository: where environments share an account and a region, each
        /// needs its own.
        name: ServiceName = ServiceName::known("txn-reconcile-api"),
        /// Whether the container may write to `/tmp`, which is empty when a task starts and gone when it stops; its
        /// root file system is read-only. False; always true where `contract` is `txn-reconcile-api`.
        tmp: Option<bool> = None,
        /// How a new version replaces the old one.
        deployment: Deployment = Deployment::default(),
    }

    /// A further service as the environment file describes it. Its name is 1 to 20 lower-case letters, digits and
    /// hyphens.
    FurtherServiceFile {
        /// The hosts whose requests it gets, each in `hosted_zone`: DNS records lead to the load balancer, and the
        /// certificate bears them; one that exists already (`certificate.arn`) has to. Where none is named, those of
        /// `domain`, at the paths below.
        hosts: Vec<DomainName> = Vec::new(),
        /// The paths whose requests it gets, at every one of its hosts; `*` stands for any characters and `?` for one,
        /// and `/hooks/*` does not take in `/hooks`. Where none is named, all of them. Hosts and paths are five
        /// together at most.
        paths: Vec<PathPattern> = Vec::new(),
        /// What paths of uploads to it begin with, as `waf.upload_paths` says them for the main service. At all others
        /// bodies beyond 8 KiB are refused before they reach it.
        upload_paths: Vec<UrlPath> = Vec::new(),
        /// Where its rule stands among those of the other services: the smallest number that fits a request decides.
        /// Computed from the shortest path up to its first `*` or `?`, so that longer ones go first and whole hosts
        /// last, and from the name: 1001 to 49000, and the same whichever services there are besides.
        priority: Option<Bounded<1, 50_000>> = None,
        /// Whether its tasks reach the main service's data stores: PostgreSQL's port, and DynamoDB's endpoint. What
        /// they may do there, `task_policies` say.
        data_stores: bool = false,
        /// Which of the destinations under `[[network.egress]]` its tasks reach, by name.
        egress: Vec<RuleName> = Vec::new(),
        /// How a new version replaces the old one.
        deployment: FurtherDeployment = FurtherDeployment::default(),
        /// Whether its outage is told to `alarms.page`; if not, to `alarms.notify`.
        page: bool = true,
    }

    made {
        /// What the container runs, as far as the platform has to know.
        contract: Contract,
        /// The service's name.
        name: ServiceName,
        /// The TCP port that the container listens on.
        container_port: u16,
        /// The user id that the container runs as; never 0.
        user_id: u32,
        /// CPU and memory of a task, a pair that Fargate offers.
        size: FargateSize,
        /// Temporary storage of a task in GiB; 20 is included.
        ephemeral_storage_gib: u32,
        /// How many tasks run, once an image is named.
        counts: Counts,
        /// Whether it may write to a temporary directory.
        tmp: bool,
        /// Seconds between the request to stop and the kill.
        stop_timeout_seconds: u32,
        /// Seconds that the load balancer lets open requests end.
        deregistration_delay_seconds: u32,
        /// Days that the container's log is kept.
        log_retention_days: RetentionDays,
        /// What the container runs, word by word; empty for the image's own command.
        command: Vec<String>,
        /// The command that tells by its exit code whether the container is healthy; empty if none does.
        health_command: Vec<String>,
        /// How a new version replaces the old one.
        deployment: Deployment,
    }
}

/// What the container runs, as far as the platform has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Contract {
    /// The reconciliation service, by the contract between it and the platform.
    #[serde(rename = "txn-reconcile-api")]
    TxnReconcileApi,
    /// Any other program.
    #[serde(rename = "none")]
    None,
}

/// Limits of a container's process. Fargate lets one of them be chosen.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ulimits {
    /// Open files, the most that Linux allows unless it is told otherwise (`fs.nr_open`). Fargate's own: 65535.
    pub nofile: Option<Bounded<1024, 1_048_576>>,
}

/// A container beside the service's own: an agent, a collector, a proxy. It is as confined: an ordinary user without
/// capabilities, who can write to a `/tmp` of its own alone, and its log is kept with the service's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sidecar {
    /// The private repository that its image comes from; one of the environment's region, or no endpoint leads to it.
    pub repository: RepositoryUri,
    /// The image, by digest: nobody here knows whether tags of that repository move.
    pub image: ImageRef,
    /// What it runs, word by word. The image's own command.
    #[serde(default)]
    pub command: Vec<String>,
    /// Its environment variables. No secrets: names that look like one are refused (PCI 8.6.2).
    #[serde(default)]
    pub environment: BTreeMap<VariableName, String>,
    /// Its environment variables filled from Secrets Manager when a task starts, by the secret's ARN.
    #[serde(default)]
    pub secrets: BTreeMap<VariableName, SecretArn>,
    /// Whether the task stops with it. By default it does, so that a task without its agent is replaced.
    #[serde(default = "yes")]
    pub essential: bool,
    /// CPU units that are its own. What the others leave.
    #[serde(default)]
    pub cpu: Option<Bounded<1, 16_384>>,
    /// Memory in MiB above which it is killed. The task's.
    #[serde(default)]
    pub memory: Option<Bounded<6, 122_880>>,
    /// The user id that it runs as, never root.
    #[serde(default = "sidecar_user")]
    pub user_id: Bounded<1, 65_534>,
    /// The command that tells by its exit code whether it is healthy, word by word.
    #[serde(default)]
    pub health_command: Vec<String>,
    /// Whether the service starts only after it: once it is healthy if there is a `health_command`, or else once it has
    /// started.
    #[serde(default)]
    pub first: bool,
}

pub(super) const fn yes() -> bool {
    true
}

fn sidecar_user() -> Bounded<1, 65_534> {
    Bounded::literal::<10_002>()
}

/// The processor that an image is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Architecture {
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
    /// AWS Graviton.
    #[serde(rename = "arm64")]
    Arm64,
}

impl Architecture {
    /// The name that a task definition's `cpu_architecture` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "X86_64",
            Self::Arm64 => "ARM64",
        }
    }
}

/// What the autoscaler holds constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Autoscaling {
    /// Average CPU use in percent. The default leaves room for a zone's loss.
    pub cpu_percent: Bounded<10, 90>,
    /// Average memory use in percent.
    pub memory_percent: Bounded<10, 90>,
    /// Requests per task and minute.
    pub requests_per_target: Bounded<1, 1_000_000>,
    /// Seconds before another scale-in. The default is slow to shrink.
    pub scale_in_cooldown_seconds: Bounded<0, 3600>,
    /// Seconds before another scale-out. The default is quick to grow.
    pub scale_out_cooldown_seconds: Bounded<0, 3600>,
}

impl Default for Autoscaling {
    fn default() -> Self {
        Self {
            cpu_percent: Bounded::literal::<60>(),
            memory_percent: Bounded::literal::<70>(),
            requests_per_target: Bounded::literal::<1000>(),
            scale_in_cooldown_seconds: Bounded::literal::<300>(),
            scale_out_cooldown_seconds: Bounded::literal::<60>(),
        }
    }
}

/// A change of the least and most tasks by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledAction {
    /// A name for the action, unique in the list; it becomes part of a Terraform address.
    pub name: RuleName,
    /// When: minutes, hours, day of month, month, day of week, year.
    pub cron: CronFields,
    /// The time zone of `cron`. The default knows no daylight saving time.
    #[serde(default = "TimeZone::utc")]
    pub timezone: TimeZone,
    /// The fewest tasks from then on.
    pub min: Bounded<0, 1000>,
    /// The most tasks from then on.
    pub max: Bounded<0, 1000>,
}

/// The health check of load balancer and container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthCheck {
    /// The path that the load balancer asks, and that answers 200 when the task can serve. By default a task whose data
    /// stores do not answer gets no requests, and a deployment of such tasks is rolled back. ECS replaces the tasks that
    /// fail it, so `/healthz`, which the container's own check asks, is for those who would keep them through a store's
    /// outage.
    pub path: UrlPath,
    /// Seconds between two checks, longer than the timeout.
    pub interval_seconds: Bounded<5, 300>,
    /// Seconds until a check counts as failed.
    pub timeout_seconds: Bounded<2, 60>,
    /// Checks in a row until a task counts as healthy.
    pub healthy_threshold: Bounded<2, 10>,
    /// Checks in a row until a task counts as unhealthy.
    pub unhealthy_threshold: Bounded<2, 10>,
    /// Seconds after its start during which a task may fail checks.
    pub grace_seconds: Bounded<0, 7200>,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: UrlPath::known(contract::READINESS_PATH),
            interval_seconds: Bounded::literal::<15>(),
            timeout_seconds: Bounded::literal::<5>(),
            healthy_threshold: Bounded::literal::<2>(),
            unhealthy_threshold: Bounded::literal::<3>(),
            grace_seconds: Bounded::literal::<60>(),
        }
    }
}

/// How a new version replaces the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Deployment {
    /// Who deploys, and how. `rolling`: Terraform does, so that the environment file tells the truth, and ECS exchanges
    /// task by task. `blue-green`: a pipeline does through CodeDeploy, which starts the new tasks beside the old ones
    /// and moves the traffic over. `external`: a pipeline updates the service itself, and Terraform leaves its task
    /// definition alone. To change to `blue-green` or back replaces the service.
    pub strategy: Strategy,
    /// The share of tasks that keep running during a deployment, in percent. Not for `blue-green`, which keeps them all.
    pub minimum_healthy_percent: Bounded<0, 100>,
    /// The share of tasks, old and new, that may run during a deployment, in percent. Not for `blue-green`, which starts as
    /// many again.
    pub maximum_percent: Bounded<100, 200>,
    /// Whether a deployment that fails, or sets off an alarm on errors or unhealthy tasks, is rolled back by itself: by
    /// ECS, or by CodeDeploy.
    pub circuit_breaker: bool,
    /// How CodeDeploy moves the traffic. Only for `blue-green`.
    pub blue_green: BlueGreen,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            strategy: Strategy::Rolling,
            minimum_healthy_percent: Bounded::literal::<100>(),
            maximum_percent: Bounded::literal::<200>(),
            circuit_breaker: true,
            blue_green: BlueGreen::default(),
        }
    }
}

impl Deployment {
    /// Minutes that a pipeline watches a deployment: what starting and draining tasks takes at most, the move of the
    /// traffic, and the time in which the old tasks could still take it back. A job on GitHub's own runners has six
    /// hours. <https://docs.github.com/en/actions/reference/limits>
    #[must_use]
    pub fn watched_minutes(&self) -> u32 {
        const TASKS: u32 = 60;
        const MAX: u32 = 300;
        let blue_green = match self.strategy {
            Strategy::BlueGreen => {
                self.blue_green.traffic.minutes() + self.blue_green.termination_wait_minutes.get()
            }
            Strategy::Rolling | Strategy::External => 0,
        };
        MAX.min(TASKS + blue_green)
    }

    /// Hours that the session lasts in which a pipeline deploys: one that ends before would leave the outcome unknown.
    #[must_use]
    pub fn session_hours(&self) -> u32 {
        (self.watched_minutes() + 30).div_ceil(60)
    }
}

/// Who deploys, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// Terraform, task by task.
    Rolling,
    /// A pipeline, through CodeDeploy: all new tasks beside all old ones, and then the traffic.
    BlueGreen,
    /// A pipeline, which updates the service itself.
    External,
}

/// How CodeDeploy moves the traffic from the old tasks to the new ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BlueGreen {
    /// In which steps. By default a tenth first, so that a fault meets few.
    pub traffic: TrafficShift,
    /// Minutes that the old tasks outlive the move, during which a roll-back is a matter of seconds.
    pub termination_wait_minutes: Bounded<0, 2880>,
    /// The port at which the new tasks answer before they get traffic.
    pub test_port: Bounded<1024, 65_535>,
    /// The IPv4 ranges that may reach that port, each a /16 or smaller and ten at most: testers' networks, or the addresses
    /// that a pipeline calls from. Where none is named, there is no such port (PCI 1.3.1, Security Hub EC2.18).
    pub test_cidrs: Vec<Cidr>,
}

impl Default for BlueGreen {
    fn default() -> Self {
        Self {
            traffic: TrafficShift::Canary5Minutes,
            termination_wait_minutes: Bounded::literal::<60>(),
            test_port: Bounded::literal::<8443>(),
            test_cidrs: Vec::new(),
        }
    }
}

/// The steps that CodeDeploy knows for ECS.
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TrafficShift {
    /// A tenth, and all the rest five minutes later.
    #[serde(rename = "canary-10-percent-5-minutes")]
    Canary5Minutes,
    /// A tenth, and all the rest a quarter of an hour later.
    #[serde(rename = "canary-10-percent-15-minutes")]
    Canary15Minutes,
    /// A tenth every minute.
    #[serde(rename = "linear-10-percent-1-minute")]
    Linear1Minute,
    /// A tenth every three minutes.
    #[serde(rename = "linear-10-percent-3-minutes")]
    Linear3Minutes,
    /// Everything in one step.
    #[serde(rename = "all-at-once")]
    AllAtOnce,
}

impl TrafficShift {
    /// The deployment configuration's name at CodeDeploy.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canary5Minutes => "CodeDeployDefault.ECSCanary10Percent5Minutes",
            Self::Canary15Minutes => "CodeDeployDefault.ECSCanary10Percent15Minutes",
            Self::Linear1Minute => "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
            Self::Linear3Minutes => "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
            Self::AllAtOnce => "CodeDeployDefault.ECSAllAtOnce",
        }
    }

    /// Minutes from the first step to the last.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        match self {
            Self::Canary5Minutes => 5,
            Self::Canary15Minutes => 15,
            Self::Linear1Minute => 9,
            Self::Linear3Minutes => 27,
            Self::AllAtOnce => 0,
        }
    }
}

impl Service {
    /// Whether it is the service that the contract is with.
    #[must_use]
    pub fn has_contract(&self) -> bool {
        self.contract == Contract::TxnReconcileApi
    }

    /// Whether CodeDeploy moves the traffic between two target groups.
    #[must_use]
    pub fn is_blue_green(&self) -> bool {
        self.deployment.strategy == Strategy::BlueGreen
    }

    /// The repositories that its tasks pull from besides the environment's own.
    pub fn foreign_repositories(&self) -> impl Iterator<Item = &RepositoryUri> {
        self.image_repository.iter().chain(self.sidecars.values().map(|sidecar| &sidecar.repository))
    }

    /// The secrets that the environment file names for its tasks, those of the sidecars among them.
    pub fn named_secrets(&self) -> impl Iterator<Item = &SecretArn> {
        self.secrets.values().chain(self.sidecars.values().flat_map(|sidecar| sidecar.secrets.values()))
    }
}

/// How many tasks run: `min <= desired <= max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// At the first deployment.
    pub desired: u32,
    /// The fewest.
    pub min: u32,
    /// The most.
    pub max: u32,
}
