//! The container definitions of a task on Fargate.
//!
//! Only what Fargate accepts can be said: there is no privileged container, no host network, no `links`, and no added
//! capability but the one that Fargate allows. Values are written as ECS hands them back (defaults spelled out,
//! variables sorted by name, an empty list of added capabilities): whatever the provider finds different on the next
//! plan replaces the task definition and rolls every task.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;

use terraform::kind::Text;
use terraform::{Expr, IntoExpr, Key, NonEmpty, Number, TextPart, Value, concat};

use crate::kind::{CloudwatchLogGroupName, ContainerDefinitions, SecretsmanagerSecretArn};

/// A container of a task.
pub struct Container {
    /// The container's name, unique within the task; a load balancer's target group refers to it.
    pub name: Expr<Text>,
    /// The image: repository and digest, or a tag that never moves.
    pub image: Expr<Text>,
    /// Everything else.
    pub optional: ContainerOptional,
}

/// The optional part of [`Container`].
#[derive(Default)]
pub struct ContainerOptional {
    /// Arguments instead of the image's own.
    pub command: Vec<Expr<Text>>,
    /// CPU units reserved within the task. None: it shares the task's.
    pub cpu_units: Option<u32>,
    /// Containers that must have got somewhere before this one starts.
    pub depends_on: Vec<Dependency>,
    /// Labels.
    pub docker_labels: BTreeMap<String, Expr<Text>>,
    /// An entry point instead of the image's own.
    pub entry_point: Vec<Expr<Text>>,
    /// Environment variables that anybody may read who may read the task definition.
    pub environment: BTreeMap<String, Expr<Text>>,
    /// Whether the task stops when this container does.
    pub essential: Essential,
    /// What makes this container a log router, if it is one.
    pub firelens: Option<FireLens>,
    /// The container's own health check, besides the load balancer's.
    pub health_check: Option<HealthCheck>,
    /// Capabilities and the init process.
    pub linux_parameters: Option<LinuxParameters>,
    /// Where standard output and standard error go.
    pub log_configuration: Option<LogConfiguration>,
    /// MiB of memory at which the container is killed. None: the task's.
    pub memory_mib: Option<u32>,
    /// MiB of memory reserved within the task.
    pub memory_reservation_mib: Option<u32>,
    /// Volumes of the task, and where they appear.
    pub mount_points: Vec<MountPoint>,
    /// Ports that the container listens on.
    pub port_mappings: Vec<PortMapping>,
    /// Whether the container may write to its own file system.
    pub root_filesystem: RootFilesystem,
    /// Whether and when the container is started again without its task.
    pub restart_policy: Option<RestartPolicy>,
    /// Environment variables that ECS fills when the task starts.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Seconds, up to 120, until those that depend on the container give up.
    pub start_timeout_seconds: Option<u32>,
    /// Seconds, up to 120, between SIGTERM and SIGKILL.
    pub stop_timeout_seconds: Option<u32>,
    /// Kernel parameters, such as `net.ipv4.tcp_keepalive_time`.
    pub system_controls: BTreeMap<String, Expr<Text>>,
    /// Limits of the process. Fargate takes the number of open files and ignores the rest.
    pub ulimits: Vec<Ulimit>,
    /// The user. None leaves it to the image, which Security Hub's ECS.20 does not accept.
    pub user: Option<User>,
    /// Whether ECS resolves the image's tag once per deployment.
    pub version_consistency: Option<VersionConsistency>,
    /// Volumes of other containers.
    pub volumes_from: Vec<VolumesFrom>,
    /// A working directory instead of the image's own.
    pub working_directory: Option<Expr<Text>>,
}

/// Whether a task stops when a container does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Essential {
    /// It does.
    #[default]
    Yes,
    /// It goes on without.
    No,
}

/// Whether a container may write to its own file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RootFilesystem {
    /// It may not; volumes can still be written to.
    #[default]
    ReadOnly,
    /// It may.
    Writable,
}

/// Whether ECS resolves an image's tag to one digest for all the tasks of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionConsistency {
    /// Once per deployment.
    Enabled,
    /// Whenever a task starts.
    Disabled,
}

/// A user that is not root, and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    uid: NonZeroU32,
    gid: NonZeroU32,
}

impl User {
    /// The user of this id, in the group of the same id; none for root.
    #[must_use]
    pub fn new(id: u32) -> Option<Self> {
        NonZeroU32::new(id).map(|id| Self { uid: id, gid: id })
    }

    /// In another group, not root's.
    #[must_use]
    pub fn in_group(self, gid: NonZeroU32) -> Self {
        Self { gid, ..self }
    }
}

/// A container that must have got somewhere before another one starts.
pub struct Dependency {
    /// The other container's name.
    pub container: Expr<Text>,
    /// Where it must have got.
    pub condition: DependencyCondition,
}

/// How far a container must have got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependencyCondition {
    /// It has started.
    Start,
    /// It has ended, and is not essential.
    Complete,
    /// It has ended with 0, and is not essential.
    Success,
    /// Its health check has passed.
    Healthy,
}

/// What routes other containers' logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FireLens {
    /// Fluent Bit.
    FluentBit,
    /// Fluentd.
    Fluentd,
}

/// A container's own health check.
pub struct HealthCheck {
    /// What is run in the container; 0 is healthy.
    pub command: HealthCommand,
    /// Seconds between two checks, 5 to 300.
    pub interval_seconds: u32,
    /// Seconds until a check has failed, 2 to 60.
    pub timeout_seconds: u32,
    /// Failed checks in a row until the container is unhealthy, 1 to 10.
    pub retries: u32,
    /// Seconds after the start during which failed checks do not count, up to 300; 0 for none.
    pub start_period_seconds: u32,
}

/// What a health check runs.
pub enum HealthCommand {
    /// A program and its arguments.
    Exec(Vec<Expr<Text>>),
    /// A line for the container's shell, which it must have.
    Shell(Expr<Text>),
}

/// What a container may do to the kernel.
#[derive(Default)]
pub struct LinuxParameters {
    /// Capabilities taken from the container.
    pub drop: Vec<Capability>,
    /// Whether processes may trace each other: the one capability that Fargate lets a container gain.
    pub add_sys_ptrace: bool,
    /// Whether an init process reaps orphans and forwards signals.
    pub init_process: bool,
    /// File systems in the task's memory.
    pub tmpfs: Vec<Tmpfs>,
}

/// A file system in memory, which any user of the container may write to (the kernel makes it with mode 1777); nothing in
/// it is a device, can be executed or gains another's rights.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tmpfs.html>
pub struct Tmpfs {
    /// Where the container finds it.
    pub path: Expr<Text>,
    /// The most that it holds, which counts as the task's memory.
    pub size_mib: u32,
}

macro_rules! spelled {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $spelled:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $type {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $type {
            const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $spelled,)*
                }
            }
        }
    };
}

spelled! {
    /// A Linux capability. <https://man7.org/linux/man-pages/man7/capabilities.7.html>
    Capability {
        /// Every one.
        All = "ALL",
        /// `CAP_AUDIT_CONTROL`
        AuditControl = "AUDIT_CONTROL",
        /// `CAP_AUDIT_WRITE`
        AuditWrite = "AUDIT_WRITE",
        /// `CAP_BLOCK_SUSPEND`
        BlockSuspend = "BLOCK_SUSPEND",
        /// `CAP_CHOWN`
        Chown = "CHOWN",
        /// `CAP_DAC_OVERRIDE`
        DacOverride = "DAC_OVERRIDE",
        /// `CAP_DAC_READ_SEARCH`
        DacReadSearch = "DAC_READ_SEARCH",
        /// `CAP_FOWNER`
        Fowner = "FOWNER",
        /// `CAP_FSETID`
        Fsetid = "FSETID",
        /// `CAP_IPC_LOCK`
        IpcLock = "IPC_LOCK",
        /// `CAP_IPC_OWNER`
        IpcOwner = "IPC_OWNER",
        /// `CAP_KILL`
        Kill = "KILL",
        /// `CAP_LEASE`
        Lease = "LEASE",
        /// `CAP_LINUX_IMMUTABLE`
        LinuxImmutable = "LINUX_IMMUTABLE",
        /// `CAP_MAC_ADMIN`
        MacAdmin = "MAC_ADMIN",
        /// `CAP_MAC_OVERRIDE`
        MacOverride = "MAC_OVERRIDE",
        /// `CAP_MKNOD`
        Mknod = "MKNOD",
        /// `CAP_NET_ADMIN`
        NetAdmin = "NET_ADMIN",
        /// `CAP_NET_BIND_SERVICE`
        NetBindService = "NET_BIND_SERVICE",
        /// `CAP_NET_BROADCAST`
        NetBroadcast = "NET_BROADCAST",
        /// `CAP_NET_RAW`
        NetRaw = "NET_RAW",
        /// `CAP_SETFCAP`
        Setfcap = "SETFCAP",
        /// `CAP_SETGID`
        Setgid = "SETGID",
        /// `CAP_SETPCAP`
        Setpcap = "SETPCAP",
        /// `CAP_SETUID`
        Setuid = "SETUID",
        /// `CAP_SYS_ADMIN`
        SysAdmin = "SYS_ADMIN",
        /// `CAP_SYS_BOOT`
        SysBoot = "SYS_BOOT",
        /// `CAP_SYS_CHROOT`
        SysChroot = "SYS_CHROOT",
        /// `CAP_SYS_MODULE`
        SysModule = "SYS_MODULE",
        /// `CAP_SYS_NICE`
        SysNice = "SYS_NICE",
        /// `CAP_SYS_PACCT`
        SysPacct = "SYS_PACCT",
        /// `CAP_SYS_PTRACE`
        SysPtrace = "SYS_PTRACE",
        /// `CAP_SYS_RAWIO`
        SysRawio = "SYS_RAWIO",
        /// `CAP_SYS_RESOURCE`
        SysResource = "SYS_RESOURCE",
        /// `CAP_SYS_TIME`
        SysTime = "SYS_TIME",
        /// `CAP_SYS_TTY_CONFIG`
        SysTtyConfig = "SYS_TTY_CONFIG",
        /// `CAP_SYSLOG`
        Syslog = "SYSLOG",
        /// `CAP_WAKE_ALARM`
        WakeAlarm = "WAKE_ALARM",
    }
}

spelled! {
    /// What a limit limits.
    UlimitName {
        /// The size of core dumps.
        Core = "core",
        /// CPU seconds.
        Cpu = "cpu",
        /// The size of the data segment.
        Data = "data",
        /// The size of a file.
        Fsize = "fsize",
        /// File locks.
        Locks = "locks",
        /// Memory that is locked.
        Memlock = "memlock",
        /// Bytes in message queues.
        Msgqueue = "msgqueue",
        /// Niceness.
        Nice = "nice",
        /// Open files.
        Nofile = "nofile",
        /// Processes.
        Nproc = "nproc",
        /// Resident memory.
        Rss = "rss",
        /// Real-time priority.
        Rtprio = "rtprio",
        /// Real-time CPU microseconds.
        Rttime = "rttime",
        /// Signals that wait.
        Sigpending = "sigpending",
        /// The size of the stack.
        Stack = "stack",
    }
}

spelled! {
    /// A transport protocol.
    Protocol {
        /// TCP
        Tcp = "tcp",
        /// UDP
        Udp = "udp",
    }
}

/// A limit of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// What is limited.
    pub name: UlimitName,
    /// Where the limit stands.
    pub soft: u32,
    /// How far the process may raise it.
    pub hard: u32,
}

/// A port that a container listens on.
pub struct PortMapping {
    /// The port, on the task's own network interface.
    pub port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
    /// A name for it, which Service Connect refers to.
    pub name: Option<Expr<Text>>,
}

impl PortMapping {
    /// A TCP port.
    #[must_use]
    pub fn tcp(port: u16) -> Self {
        Self { port, protocol: Protocol::Tcp, name: None }
    }
}

/// A volume of the task, and where it appears in a container.
pub struct MountPoint {
    /// The volume's name in the task definition.
    pub volume: Expr<Text>,
    /// The directory.
    pub path: Expr<Text>,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// All the volumes of another container.
pub struct VolumesFrom {
    /// The other container's name.
    pub container: Expr<Text>,
    /// Whether this container may only read them.
    pub read_only: bool,
}

/// When a container is started again without its task.
pub struct RestartPolicy {
    /// Exit codes that end it for good.
    pub ignored_exit_codes: Vec<i32>,
    /// Seconds, 60 to 1800, that it must have run since the last start.
    pub attempt_period_seconds: u32,
}

/// Where ECS takes a secret value from when a task starts; the execution role must be allowed to read it.
pub struct SecretSource(Expr<Text>);

impl SecretSource {
    /// The whole text of a secret.
    pub fn secret(arn: impl IntoExpr<SecretsmanagerSecretArn>) -> Self {
        Self(arn.into_expr().text())
    }

    /// A parameter of Parameter Store, by its ARN.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html>
    pub fn parameter(arn: impl IntoExpr<Text>) -> Self {
        Self(arn.into_expr())
    }

    /// One key of a secret that is a JSON object.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html>
    pub fn key(arn: impl IntoExpr<SecretsmanagerSecretArn>, key: impl Into<Cow<'static, str>>) -> Self {
        Self::managed_key(arn.into_expr().text(), key)
    }

    /// One key of a secret that another service made, such as RDS for a master user; it tells the ARN as plain text.
    pub fn managed_key(arn: impl IntoExpr<Text>, key: impl Into<Cow<'static, str>>) -> Self {
        let key = format!(":{}::", key.into());
        Self(concat([arn.into_expr().into(), TextPart::from(key)]))
    }
}

/// Where standard output and standard error go: the drivers that Fargate has.
pub enum LogConfiguration {
    /// CloudWatch Logs.
    AwsLogs(AwsLogs),
    /// A log router in the same task.
    FireLens {
        /// What the router is told.
        options: BTreeMap<String, Expr<Text>>,
        /// What the router is told and nobody else may read.
        secret_options: BTreeMap<String, SecretSource>,
    },
    /// Splunk's HTTP event collector.
    Splunk {
        /// The collector's address.
        url: Expr<Text>,
        /// The collector's token.
        token: SecretSource,
    },
}

/// A log group in CloudWatch Logs.
pub struct AwsLogs {
    /// The group.
    pub group: Expr<CloudwatchLogGroupName>,
    /// The group's region.
    pub region: Expr<Text>,
    /// What the names of the streams begin with: `<prefix>/<container>/<task id>`.
    pub stream_prefix: Expr<Text>,
    /// What happens when the log is written faster than it can be sent.
    pub delivery: Delivery,
}

/// What happens to log lines that cannot be sent at once. ECS's own default is to drop them.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The container waits: no line is lost.
    Blocking,
    /// The container goes on; lines beyond the buffer are lost.
    NonBlocking {
        /// MiB of lines that may wait.
        buffer_mib: u32,
    },
}

impl IntoExpr<ContainerDefinitions> for NonEmpty<Container> {
    fn into_expr(self) -> Expr<ContainerDefinitions> {
        Expr::document(Value::List(self.into_iter().map(Container::into_value).collect()))
    }
}

impl IntoExpr<ContainerDefinitions> for Container {
    fn into_expr(self) -> Expr<ContainerDefinitions> {
        NonEmpty::one(self).into_expr()
    }
}

/// The entries of a JSON object.
#[derive(Default)]
struct Object(Vec<(Key, Value)>);

impl Object {
    fn with(mut self, key: &'static str, value: impl Into<Option<Value>>) -> Self {
        self.0.extend(value.into().map(|value| (Key::Borrowed(key), value)));
        self
    }

    fn text(self, key: &'static str, text: &'static str) -> Self {
        self.with(key, Value::string(text))
    }

    fn expr<K>(self, key: &'static str, value: Expr<K>) -> Self {
        self.with(key, value.into_value())
    }

    fn bool(self, key: &'static str, value: bool) -> Self {
        self.with(key, Value::Bool(value))
    }

    fn number(self, key: &'static str, value: impl Into<Number>) -> Self {
        self.with(key, Value::Number(value.into()))
    }

    fn optional_number(self, key: &'static str, value: Option<u32>) -> Self {
        self.with(key, value.map(|n| Value::Number(n.into())))
    }

    /// Left out if there is nothing, as the provider does when it compares.
    fn list(self, key: &'static str, items: impl IntoIterator<Item = Value>) -> Self {
        let items: Vec<Value> = items.into_iter().collect();
        self.with(key, (!items.is_empty()).then_some(Value::List(items)))
    }

    fn texts(self, key: &'static str, texts: Vec<Expr<Text>>) -> Self {
        self.list(key, texts.into_iter().map(Expr::into_value))
    }

    fn map(self, key: &'static str, entries: BTreeMap<String, Expr<Text>>) -> Self {
        let entries: Vec<_> = entries.into_iter().map(|(k, v)| (Key::Owned(k), v.into_value())).collect();
        self.with(key, (!entries.is_empty()).then_some(Value::Object(entries)))
    }

    /// A map as ECS writes most of them: objects of a name and a value, sorted by name.
    fn pairs(
        self,
        key: &'static str,
        names: (&'static str, &'static str),
        entries: BTreeMap<String, Expr<Text>>,
    ) -> Self {
        let (name, value) = names;
        let pair = |(n, v): (String, Expr<Text>)| {
            Object::default().with(name, Value::string(n)).expr(value, v).into_value()
        };
        self.list(key, entries.into_iter().map(pair))
    }

    fn secrets(self, key: &'static str, secrets: BTreeMap<String, SecretSource>) -> Self {
        let entries = secrets.into_iter().map(|(name, source)| (name, source.0)).collect();
        self.pairs(key, ("name", "valueFrom"), entries)
    }

    fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

impl Container {
    fn into_value(self) -> Value {
        let o = self.optional;
        Object::default()
            .texts("command", o.command)
            .optional_number("cpu", o.cpu_units)
            .list("dependsOn", o.depends_on.into_iter().map(Dependency::into_value))
            .map("dockerLabels", o.docker_labels)
            .texts("entryPoint", o.entry_point)
            .pairs("environment", ("name", "value"), o.environment)
            .bool("essential", o.essential == Essential::Yes)
            .with("firelensConfiguration", o.firelens.map(FireLens::into_value))
            .with("healthCheck", o.health_check.map(HealthCheck::into_value))
            .expr("image", self.image)
            .with("linuxParameters", o.linux_parameters.map(LinuxParameters::into_value))
            .with("logConfiguration", o.log_configuration.map(LogConfiguration::into_value))
            .optional_number("memory", o.memory_mib)
            .optional_number("memoryReservation", o.memory_reservation_mib)
            .list("mountPoints", o.mount_points.into_iter().map(MountPoint::into_value))
            .expr("name", self.name)
            .list("portMappings", o.port_mappings.into_iter().map(PortMapping::into_value))
            .bool("readonlyRootFilesystem", o.root_filesystem == RootFilesystem::ReadOnly)
            .with("restartPolicy", o.restart_policy.map(RestartPolicy::into_value))
            .secrets("secrets", o.secrets)
            .optional_number("startTimeout", o.start_timeout_seconds)
            .optional_number("stopTimeout", o.stop_timeout_seconds)
            .pairs("systemControls", ("namespace", "value"), o.system_controls)
            .list("ulimits", o.ulimits.into_iter().map(Ulimit::into_value))
            .with("user", o.user.map(User::into_value))
            .with("versionConsistency", o.version_consistency.map(VersionConsistency::into_value))
            .list("volumesFrom", o.volumes_from.into_iter().map(VolumesFrom::into_value))
            .with("workingDirectory", o.working_directory.map(Expr::into_value))
            .into_value()
    }
}

impl Dependency {
    fn into_value(self) -> Value {
        let condition = match self.condition {
            DependencyCondition::Start => "START",
            DependencyCondition::Complete => "COMPLETE",
            DependencyCondition::Success => "SUCCESS",
            DependencyCondition::Healthy => "HEALTHY",
        };
        Object::default().text("condition", condition).expr("containerName", self.container).into_value()
    }
}

impl FireLens {
    fn into_value(self) -> Value {
        let router = match self {
            Self::FluentBit => "fluentbit",
            Self::Fluentd => "fluentd",
        };
        Object::default().text("type", router).into_value()
    }
}

impl HealthCheck {
    fn into_value(self) -> Value {
        let command = match self.command {
            HealthCommand::Exec(words) => {
                std::iter::once(Value::string("CMD")).chain(words.into_iter().map(Expr::into_value)).collect()
            }
            HealthCommand::Shell(line) => vec![Value::string("CMD-SHELL"), line.into_value()],
        };
        let start = Some(self.start_period_seconds).filter(|&seconds| seconds > 0);
        Object::default()
            .list("command", command)
            .number("interval", self.interval_seconds)
            .number("retries", self.retries)
            .optional_number("startPeriod", start)
            .number("timeout", self.timeout_seconds)
            .into_value()
    }
}

impl LinuxParameters {
    fn into_value(self) -> Value {
        let names = |capabilities: &[Capability]| {
            Value::List(capabilities.iter().map(|c| Value::string(c.as_str())).collect())
        };
        let added: &[Capability] = if self.add_sys_ptrace { &[Capability::SysPtrace] } else { &[] };
        // ECS hands both lists back even if one is empty, and the provider does not know them for the same.
        let capabilities =
            Object::default().with("add", names(added)).with("drop", names(&self.drop)).into_value();
        Object::default()
            .with("capabilities", (self.add_sys_ptrace || !self.drop.is_empty()).then_some(capabilities))
            .bool("initProcessEnabled", self.init_process)
            .list("tmpfs", self.tmpfs.into_iter().map(Tmpfs::into_value))
            .into_value()
    }
}

impl Tmpfs {
    fn into_value(self) -> Value {
        Object::default()
            .expr("containerPath", self.path)
            .texts("mountOptions", ["nosuid", "nodev", "noexec"].map(Expr::new).to_vec())
            .number("size", self.size_mib)
            .into_value()
    }
}

impl LogConfiguration {
    fn into_value(self) -> Value {
        let (driver, options, secret_options) = match self {
            Self::AwsLogs(logs) => ("awslogs", logs.options(), BTreeMap::new()),
            Self::FireLens { options, secret_options } => ("awsfirelens", options, secret_options),
            Self::Splunk { url, token } => (
                "splunk",
                BTreeMap::from([("splunk-url".to_owned(), url)]),
                BTreeMap::from([("splunk-token".to_owned(), token)]),
            ),
        };
        Object::default()
            .text("logDriver", driver)
            .map("options", options)
            .secrets("secretOptions", secret_options)
            .into_value()
    }
}

impl AwsLogs {
    fn options(self) -> BTreeMap<String, Expr<Text>> {
        let mut options = BTreeMap::from([
            ("awslogs-group".to_owned(), self.group.text()),
            ("awslogs-region".to_owned(), self.region),
            ("awslogs-stream-prefix".to_owned(), self.stream_prefix),
        ]);
        match self.delivery {
            Delivery::Blocking => {
                options.insert("mode".to_owned(), Expr::new("blocking"));
            }
            Delivery::NonBlocking { buffer_mib } => {
                options.insert("mode".to_owned(), Expr::new("non-blocking"));
                options.insert("max-buffer-size".to_owned(), Expr::new(format!("{buffer_mib}m")));
            }
        }
        options
    }
}

impl MountPoint {
    fn into_value(self) -> Value {
        Object::default()
            .expr("containerPath", self.path)
            .bool("readOnly", self.read_only)
            .expr("sourceVolume", self.volume)
            .into_value()
    }
}

impl PortMapping {
    fn into_value(self) -> Value {
        Object::default()
            .number("containerPort", self.port)
            // A task with a network interface of its own maps no ports.
            .number("hostPort", self.port)
            .with("name", self.name.map(Expr::into_value))
            .text("protocol", self.protocol.as_str())
            .into_value()
    }
}

impl RestartPolicy {
    fn into_value(self) -> Value {
        Object::default()
            .bool("enabled", true)
            .list("ignoredExitCodes", self.ignored_exit_codes.into_iter().map(|c| Value::Number(c.into())))
            .number("restartAttemptPeriod", self.attempt_period_seconds)
            .into_value()
    }
}

impl Ulimit {
    fn into_value(self) -> Value {
        Object::default()
            .number("hardLimit", self.hard)
            .text("name", self.name.as_str())
            .number("softLimit", self.soft)
            .into_value()
    }
}

impl User {
    fn into_value(self) -> Value {
        Value::string(format!("{}:{}", self.uid, self.gid))
    }
}

impl VersionConsistency {
    fn into_value(self) -> Value {
        Value::string(match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        })
    }
}

impl VolumesFrom {
    fn into_value(self) -> Value {
        Object::default()
            .bool("readOnly", self.read_only)
            .expr("sourceContainer", self.container)
            .into_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minimal(optional: ContainerOptional) -> Value {
        let container = Container { name: Expr::new("api"), image: Expr::new("api@sha256:0"), optional };
        let definitions: Expr<ContainerDefinitions> = container.into_expr();
        let Value::Document(document) = definitions.into_value() else { panic!("not a document") };
        document.content.as_list().and_then(|containers| containers.first()).expect("one container").clone()
    }

    fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
        Value::Object(entries.map(|(key, value)| (Key::Borrowed(key), value)).to_vec())
    }

    #[test]
    fn the_least_that_is_said_is_read_only_and_essential() {
        assert_eq!(
            minimal(ContainerOptional::default()),
            object([
                ("essential", Value::Bool(true)),
                ("image", Value::string("api@sha256:0")),
                ("name", Value::string("api")),
                ("readonlyRootFilesystem", Value::Bool(true)),
            ])
        );
    }

    #[test]
    fn root_is_no_user() {
        assert_eq!(User::new(0), None);
        let user = User::new(10_001).expect("not root").in_group(NonZeroU32::MIN);
        assert_eq!(user.into_value(), Value::string("10001:1"));
    }

    #[test]
    fn capabilities_are_two_lists_or_absent() {
        let none = LinuxParameters { init_process: true, ..Default::default() };
        assert_eq!(none.into_value(), object([("initProcessEnabled", Value::Bool(true))]));

        let traced = LinuxParameters { add_sys_ptrace: true, ..Default::default() }.into_value();
        let expected = object([
            ("add", Value::List(vec![Value::string("SYS_PTRACE")])),
            ("drop", Value::List(Vec::new())),
        ]);
        assert_eq!(traced.get("capabilities"), Some(&expected));
    }

    #[test]
    fn a_buffer_that_loses_lines_has_a_size() {
        let logs = |delivery| AwsLogs {
            group: Expr::external("/a/b"),
            region: Expr::new("us-east-1"),
            stream_prefix: Expr::new("ecs"),
            delivery,
        };
        let mode = |delivery| {
            let options = logs(delivery).options();
            let text = |key: &str| options.get(key).and_then(|v| v.value().as_str().map(str::to_owned));
            (text("mode"), text("max-buffer-size"))
        };
        assert_eq!(mode(Delivery::Blocking), (Some("blocking".into()), None));
        let buffered = Delivery::NonBlocking { buffer_mib: 25 };
        assert_eq!(mode(buffered), (Some("non-blocking".into()), Some("25m".into())));
    }

    #[test]
    fn one_key_of_a_secret_is_named_behind_its_arn() {
        let arn = || Expr::<SecretsmanagerSecretArn>::external("arn:aws:secretsmanager:r:1:secret:a-b");
        let SecretSource(key) = SecretSource::key(arn(), "password");
        assert_eq!(key.value().as_str(), Some("arn:aws:secretsmanager:r:1:secret:a-b:password::"));
        let SecretSource(whole) = SecretSource::secret(arn());
        assert_eq!(whole.value().as_str(), Some("arn:aws:secretsmanager:r:1:secret:a-b"));
    }

    #[test]
    fn variables_are_sorted_as_the_provider_sorts_them() {
        let environment =
            ["B", "A_", "A"].map(|name| (name.to_owned(), Expr::new("x"))).into_iter().collect();
        let container = minimal(ContainerOptional { environment, ..Default::default() });
        let written = container.get("environment").and_then(Value::as_list).expect("a list");
        let names: Vec<_> = written.iter().filter_map(|pair| pair.get("name")?.as_str()).collect();
        assert_eq!(names, ["A", "A_", "B"]);
    }
}
