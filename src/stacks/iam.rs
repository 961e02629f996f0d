//! Roles: the task's, the one that starts it, and the operators'.
//!
//! Each says what it needs and no more (PCI 7.2.5): actions are spelled out, resources are named, and `*` stands only
//! where AWS knows no resource for an action. Services may assume a role for this account's own resources alone, so
//! that nobody else's task can be a confused deputy. Names of what later stacks build are composed, not referred to.

mod task;

use std::collections::BTreeSet;

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{IdentityPolicy, TrustPolicy};
use aws::{
    IamRoleHandle, IamRolePolicy, IamRolePolicyAttachment, IamRolePolicyHandle, IamRolePolicyOptional,
};
use terraform::kind::Text;
use terraform::{Address, Addressed, Expr, Stack, set, text};

use super::per_service::PerService;
use super::{data, ecr, kms, logs, network, role, secrets, storage};
use crate::config::{EnvConfig, MIGRATE, PolicyArn, RepositoryUri, Store, Workload};
use crate::names::cluster;
use crate::names::role::{EXECUTION, TASK};

/// What the roles may use.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The buckets.
    pub buckets: &'a storage::Outputs,
    /// The log groups.
    pub logs: &'a logs::Outputs,
    /// The data stores.
    pub data: &'a data::Outputs,
    /// The service's own secrets.
    pub secrets: &'a secrets::Outputs,
    /// The image repository.
    pub ecr: &'a ecr::Outputs,
}

/// The roles of a service.
pub struct Roles {
    /// What the service may do.
    pub task: IamRoleHandle,
    /// What ECS needs to start a task: pull the image, write the log, read the secrets.
    pub execution: IamRoleHandle,
    /// The policies of both; the service depends on them, or its first tasks start without rights, or cannot reach their
    /// stores.
    pub policies: Vec<Address>,
}

/// The roles.
pub struct Outputs {
    /// Those of each service.
    pub services: PerService<Roles>,
    /// What ECS needs to start the task that makes the tables of PostgreSQL, where the service uses that.
    pub migrate: Option<(IamRoleHandle, IamRolePolicyHandle)>,
    /// What people may do who look after the environment; there only if somebody is named.
    pub operator: Option<IamRoleHandle>,
}

/// Builds the roles.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Outputs {
    let Inputs { keys, logs, data, .. } = *inputs;
    let services = PerService::build(config, |workload| of_service(stack, config, inputs, workload));
    // The service works on tables that somebody made; where it is to work on none in PostgreSQL, nobody needs to.
    let database = data.postgres.as_ref().filter(|_| config.data.store == Store::Postgres);
    let migrate = database.map(|database| migrate(stack, config, inputs, database));
    let operator = (!config.iam.operators.is_empty()).then(|| operator(stack, config, keys, logs));
    Outputs { services, migrate, operator }
}

/// A service's two roles. Its tasks may do what the contract lists if it is with them, or else what its policies say.
fn of_service(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
) -> Roles {
    let task = role(
        stack,
        config,
        NewRole {
            address: workload.address(TASK),
            name: workload.suffix(TASK),
            description: "What the service may do",
            trust: tasks(config),
            hours: 1,
        },
    );
    let execution = role(
        stack,
        config,
        NewRole {
            address: workload.address(EXECUTION),
            name: workload.suffix(EXECUTION),
            description: "What ECS needs to start a task of the service",
            trust: tasks(config),
            hours: 1,
        },
    );
    let mut starts =
        start(config, inputs, workload, workload.service.name.as_str(), service_secrets(workload, inputs));
    starts.extend(read_parameters(config, workload));
    starts.extend(start_sidecars(config, inputs, workload));
    let mut add = |role, part, statements| {
        policy(stack, role, workload.address(part), part, Policy::new(statements)).address().clone()
    };
    let mut policies = vec![add(&execution, EXECUTION, starts)];
    if workload.service.has_contract() {
        policies.push(add(&task, "task", task::statements(config, inputs)));
    }
    if workload.service.exec {
        policies.push(add(&task, "exec", exec_channel(inputs.keys, inputs.logs).into()));
    }
    policies.extend(managed_policies(stack, workload, &task));
    stack.output(
        &workload.address("task_role_arn"),
        "What the service may do; a pipeline passes it to ECS.",
        task.arn().text(),
    );
    stack.output(
        &workload.address("execution_role_arn"),
        "What ECS needs to start a task; a pipeline passes it to ECS.",
        execution.arn().text(),
    );
    Roles { task, execution, policies }
}

/// What the environment file lets a service do that has no contract. The address comes from the policy's name, so that
/// further policies leave it alone.
fn managed_policies(stack: &mut Stack<'_>, workload: Workload<'_>, task: &IamRoleHandle) -> Vec<Address> {
    let policies = &workload.service.task_policies;
    let mut attach = |arn: &PolicyArn| {
        let path = arn.as_str().split_once(":policy/").map_or("", |(_, path)| path);
        let identifier: String =
            path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let attachment =
            IamRolePolicyAttachment { role: set(task.name()), policy_arn: Expr::external(arn.to_string()) };
        stack.add(workload.address(&format!("task_{identifier}")), attachment).address().clone()
    };
    policies.iter().map(&mut attach).collect()
}

/// The role that starts the task which makes the tables of PostgreSQL: of all secrets it reads the master user's alone.
fn migrate(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    database: &data::Database,
) -> (IamRoleHandle, IamRolePolicyHandle) {
    let migrate = role(
        stack,
        config,
        NewRole {
            address: MIGRATE.to_owned(),
            name: MIGRATE.to_owned(),
            description: "What ECS needs to start a task that makes the tables of PostgreSQL",
            trust: tasks(config),
            hours: 1,
        },
    );
    let secrets = vec![database.master_secret.clone()];
    let starts = start(config, inputs, config.main_service(), MIGRATE, secrets);
    let policy = policy(stack, &migrate, MIGRATE, MIGRATE, Policy::new(starts));
    stack.output(
        "migrate_role_arn",
        "What ECS needs to start the task that makes the tables of PostgreSQL; who runs it passes it to ECS.",
        migrate.arn().text(),
    );
    (migrate, policy)
}

/// A role to be made.
pub(super) struct NewRole {
    /// Its name in Terraform.
    pub(super) address: String,
    /// What its name ends in at AWS.
    pub(super) name: String,
    pub(super) description: &'static str,
    pub(super) trust: Policy<TrustPolicy>,
    /// Hours that a session lasts at most; one, unless people are to work in it.
    pub(super) hours: u32,
}

pub(super) fn role(stack: &mut Stack<'_>, config: &EnvConfig, new: NewRole) -> IamRoleHandle {
    let description = format!("{} ({})", new.description, config.names.prefix());
    let mut role = role::new(config, &new.name, description, new.trust);
    role.optional.max_session_duration = set(new.hours * 3600);
    role.optional.tags = set([("Name", config.names.of(&new.name))]);
    stack.add(new.address, role)
}

/// A policy in the role itself: it serves no other, and goes with it.
pub(super) fn policy(
    stack: &mut Stack<'_>,
    role: &IamRoleHandle,
    address: impl AsRef<str>,
    name: &'static str,
    document: Policy<IdentityPolicy>,
) -> IamRolePolicyHandle {
    stack.add(
        address,
        IamRolePolicy {
            policy: set(document),
            role: set(role.name()),
            optional: IamRolePolicyOptional { name: set(name), ..Default::default() },
        },
    )
}

/// Tasks of this account and region, of no other (confused deputy).
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>
fn tasks(config: &EnvConfig) -> Policy<TrustPolicy> {
    let service = Principal::service("ecs-tasks.amazonaws.com");
    Policy::new([Statement::<TrustPolicy>::assume("Tasks", service)
        .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
        .when(Condition::arn_like("aws:SourceArn", [config.arn("ecs", "*")]))])
}

type Identity = Statement<IdentityPolicy>;

/// What is allowed where AWS knows no resource for an action.
const ANYTHING: [&str; 1] = ["*"];

/// What a pull consists of.
pub(crate) const PULL: [&str; 3] =
    ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// What ECS does before a task runs that writes its log as this container and is given these secrets.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html>
fn start(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
    container: &str,
    secrets: Vec<Expr<Text>>,
) -> Vec<Identity> {
    let log = inputs.logs.services.of(workload);
    // Images are encrypted, but ECR decrypts them with a grant of its own: pulling takes no right to the key.
    let mut all = vec![
        Identity::allow("RegistryToken", ["ecr:GetAuthorizationToken"], ANYTHING),
        Identity::allow("PullImage", PULL, [repository(config, inputs.ecr, workload)]),
    ];
    // GuardDuty puts its agent into tasks as a second container, from a repository in an account of AWS that differs by
    // region. https://docs.aws.amazon.com/guardduty/latest/ug/prereq-runtime-monitoring-ecs-support.html
    all.extend(
        network::guardduty_agent(config).map(|arn| Identity::allow("PullGuardDutyAgent", PULL, [arn])),
    );
    all.push(Identity::allow(
        "WriteLog",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [text![log.arn(), format!(":log-stream:{}/*", cluster::log_stream_prefix(container))]],
    ));
    if !secrets.is_empty() {
        all.extend(read_secrets(config, inputs, workload, secrets));
    }
    all
}

/// What a task with sidecars takes besides: their images, and their log.
fn start_sidecars(config: &EnvConfig, inputs: &Inputs<'_>, workload: Workload<'_>) -> Vec<Identity> {
    let (sidecars, log) = (&workload.service.sidecars, inputs.logs.services.of(workload));
    if sidecars.is_empty() {
        return Vec::new();
    }
    let repositories: BTreeSet<String> =
        sidecars.values().map(|sidecar| repository_arn(config, &sidecar.repository)).collect();
    let streams = sidecars
        .keys()
        .map(|name| text![log.arn(), format!(":log-stream:{}/*", cluster::log_stream_prefix(name.as_str()))]);
    vec![
        Identity::allow("PullSidecars", PULL, repositories),
        Identity::allow("WriteSidecarLogs", ["logs:CreateLogStream", "logs:PutLogEvents"], streams),
    ]
}

/// The one repository that the image comes from.
fn repository(config: &EnvConfig, ecr: &ecr::Outputs, workload: Workload<'_>) -> Expr<Text> {
    match ecr.images.of(workload) {
        ecr::Images::Own(repository) => repository.arn().text(),
        ecr::Images::Elsewhere(elsewhere) => Expr::new(repository_arn(config, elsewhere)),
    }
}

/// From `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
pub(crate) fn repository_arn(config: &EnvConfig, repository: &RepositoryUri) -> String {
    let (host, name) = repository.as_str().split_once('/').unwrap_or_default();
    let region = host.split('.').nth(3).unwrap_or_default();
    format!("arn:{}:ecr:{region}:{}:repository/{name}", config.partition(), repository.account())
}

/// The secrets that a service's task definition names: the contract's, those that are made for it, and those that exist.
fn service_secrets(workload: Workload<'_>, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let mut named: Vec<String> = workload.service.named_secrets().map(|s| secret_arn(s.as_str())).collect();
    named.sort();
    named.dedup();
    let contract = contract::Secret::ALL.into_iter().filter(|_| workload.service.has_contract());
    let own = contract.filter_map(|secret| inputs.secrets.of(secret));
    let own = own.chain(inputs.secrets.generated.of(workload).values());
    own.map(|secret| secret.arn().text()).chain(named.into_iter().map(Expr::new)).collect()
}

/// These secrets, and the keys for them through Secrets Manager alone (PCI 8.6.2).
fn read_secrets(
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    workload: Workload<'_>,
    arns: Vec<Expr<Text>>,
) -> [Identity; 2] {
    let via = format!("secretsmanager.{}.{}", config.region, config.partition().dns_suffix());
    let theirs = workload.service.secret_keys.iter().map(|key| Expr::external(key.to_string()));
    let keys: Vec<_> = [inputs.keys.secrets.arn()].into_iter().chain(theirs).collect();
    [
        Identity::allow("ReadSecrets", ["secretsmanager:GetSecretValue"], arns.clone()),
        Identity::allow("DecryptSecrets", ["kms:Decrypt"], keys)
            .when(Condition::string_equals("kms:ViaService", [via]))
            .when(Condition::string_equals("kms:EncryptionContext:SecretARN", arns)),
    ]
}

/// Parameters, and the keys of one's own for those that are encrypted with one; AWS's own key lets Parameter Store in.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html>
/// <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>
fn read_parameters(config: &EnvConfig, workload: Workload<'_>) -> Vec<Identity> {
    let service = workload.service;
    let arns: BTreeSet<String> = service.parameters.values().map(ToString::to_string).collect();
    if arns.is_empty() {
        return Vec::new();
    }
    let mut all = vec![Identity::allow("ReadParameters", ["ssm:GetParameters"], arns.clone())];
    if !service.secret_keys.is_empty() {
        let via = format!("ssm.{}.{}", config.region, config.partition().dns_suffix());
        let keys = service.secret_keys.iter().map(ToString::to_string);
        all.push(
            Identity::allow("DecryptParameters", ["kms:Decrypt"], keys)
                .when(Condition::string_equals("kms:ViaService", [via]))
                .when(Condition::string_equals("kms:EncryptionContext:PARAMETER_ARN", arns)),
        );
    }
    all
}

/// The secret itself: its ARN has seven fields, and what stands behind them picks a key or a version.
fn secret_arn(value_from: &str) -> String {
    value_from.splitn(8, ':').take(7).collect::<Vec<_>>().join(":")
}

/// What the agent of ECS Exec does with the rights of the task: it opens the channel, encrypts the session and logs it.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions>
fn exec_channel(keys: &kms::Outputs, logs: &logs::Outputs) -> [Identity; 4] {
    [
        Identity::allow(
            "SessionChannel",
            [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            ANYTHING,
        ),
        Identity::allow("FindSessionLog", ["logs:DescribeLogGroups"], ANYTHING),
        Identity::allow(
            "WriteSessionLog",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [logs.exec.arn().text(), text![logs.exec.arn(), ":log-stream:*"]],
        ),
        Identity::allow("EncryptSession", ["kms:Decrypt"], [keys.logs.arn()]),
    ]
}

/// The role of the people who look after the environment (PCI 7.2.2, 8.4.1): they see what runs and read its logs,
/// and change nothing. Where ECS Exec is on, they may open a session in a container of the service.
fn operator(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    logs: &logs::Outputs,
) -> IamRoleHandle {
    let operator = role(
        stack,
        config,
        NewRole {
            address: "operator".to_owned(),
            name: "operator".to_owned(),
            description: "What operators may do, signed in with MFA",
            trust: people(config),
            hours: config.iam.operator_session_hours.get(),
        },
    );
    let mut statements = look(config, logs);
    if config.workloads().any(|workload| workload.service.exec) {
        statements.extend(open_session(config, keys));
    }
    statements.push(no_bare_session(config));
    policy(stack, &operator, "operator", "operator", Policy::new(statements));
    stack.output(
        "operator_role_arn",
        "The role that operators assume, signed in with MFA.",
        operator.arn().text(),
    );
    operator
}

/// Those who are named, with a second factor (PCI 8.4.2) that they have shown lately. A role that is named must be
/// assumed with MFA itself: a session that is handed from role to role has lost the factor.
fn people(config: &EnvConfig) -> Policy<TrustPolicy> {
    let operators = config.iam.operators.iter().map(|arn| Expr::new(arn.to_string())).collect();
    Policy::new([Statement::<TrustPolicy>::assume("Operators", Principal::Arns(operators))
        .when(Condition::bool("aws:MultiFactorAuthPresent", true))
        .when(Condition::numeric_less_than(
            "aws:MultiFactorAuthAge",
            [config.iam.operator_mfa_age_seconds.to_string()],
        ))])
}

/// Reading only. The log of ECS Exec sessions is not among what is read: it is the record of these very people.
fn look(config: &EnvConfig, logs: &logs::Outputs) -> Vec<Identity> {
    let groups = || {
        let platform =
            [&logs.insights].into_iter().chain(&logs.flow).chain([&logs.waf]).chain(&logs.database);
        logs.services.iter().chain(platform)
    };
    let streams = groups().map(|group| text![group.arn(), ":log-stream:*"]);
    let groups = groups().map(|group| group.arn().text()).chain(streams);
    vec![
        Identity::allow(
            "SeeService",
            ["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListServices", "ecs:ListTasks"],
            ANYTHING,
        )
        .when(Condition::arn_equals("ecs:cluster", [cluster::arn(config)])),
        Identity::allow("SeeCluster", ["ecs:DescribeClusters"], [cluster::arn(config)]),
        // Which tags has what runs.
        Identity::allow("SeeImages", ["ecr:DescribeImages"], ecr::repository_arns(config)),
        Identity::allow(
            "SeePlatform",
            [
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingActivities",
                "application-autoscaling:DescribeScalingPolicies",
                "cloudwatch:DescribeAlarmHistory",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "cloudwatch:GetMetricStatistics",
                "cloudwatch:ListMetrics",
                "ecs:DescribeTaskDefinition",
                "ecs:ListClusters",
                "ecs:ListTaskDefinitions",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeLoadBalancers",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
                "logs:DescribeLogGroups",
                "logs:GetQueryResults",
                "logs:StopQuery",
            ],
            ANYTHING,
        ),
        Identity::allow(
            "ReadLogs",
            ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"],
            groups,
        ),
    ]
}

/// A session in a container of a service that allows it, through ECS, which encrypts and logs it.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec-best-practices.html>
fn open_session(config: &EnvConfig, keys: &kms::Outputs) -> [Identity; 2] {
    let tasks = config.arn("ecs", &format!("task/{}/*", cluster::name(config)));
    let open = config.workloads().filter(|workload| workload.service.exec);
    let containers: Vec<String> = open.map(|workload| workload.service.name.to_string()).collect();
    [
        Identity::allow("OpenSession", ["ecs:ExecuteCommand"], [cluster::arn(config), tasks])
            .when(Condition::string_equals("ecs:container-name", containers)),
        Identity::allow("EncryptSession", ["kms:GenerateDataKey"], [keys.logs.arn()]),
    ]
}

/// A session that Session Manager opens by itself, around ECS, would be logged nowhere.
fn no_bare_session(config: &EnvConfig) -> Identity {
    Identity::deny("NoBareSession", ["ssm:StartSession"], [config.arn("ecs", "task/*")])
}

#[cfg(test)]
mod tests;
