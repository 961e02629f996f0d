//! The endpoints through which the tasks reach AWS without leaving it (PCI 1.3.2), and what may pass each one.
//!
//! An endpoint's policy grants nothing: it bounds what the callers' own policies grant. So each one names the
//! actions that a task, its start and ECS Exec need of the service, on what belongs to this account, for callers
//! of this account. A stolen credential of another account, or a bucket of another account, is of no use here.
//! Every service in the list takes a policy.

use std::collections::BTreeSet;

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{ResourcePolicy, VpcEndpointPrefixListId};
use aws::{SecurityGroupHandle, VpcEndpoint, VpcEndpointHandle, VpcEndpointOptional, data};
use terraform::{Expr, Stack, set};

use super::identifier;
use super::vpc::Vpc;
use crate::config::{EnvConfig, GatewayEndpoint, InterfaceEndpoint, NetworkPart, Partition, RepositoryUri};

/// The endpoints.
pub(super) struct Endpoints {
    /// Every one.
    pub(super) all: Vec<VpcEndpointHandle>,
    /// The services behind gateway endpoints, ours or another's, each with the prefix list that traffic to it goes to.
    pub(super) gateways: Vec<(GatewayEndpoint, Expr<VpcEndpointPrefixListId>)>,
}

/// Builds the endpoints. `group` is the interfaces' security group.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &Vpc,
    group: Option<&SecurityGroupHandle>,
) -> Endpoints {
    let endpoints = &config.network.endpoints;
    let ours = config.network.owns(NetworkPart::GatewayEndpoints);
    let mut made = Endpoints { all: Vec::new(), gateways: Vec::new() };
    for &service in &endpoints.gateway {
        let list = if ours {
            let endpoint = gateway(stack, config, vpc, service);
            let list = endpoint.prefix_list_id();
            made.all.push(endpoint);
            list
        } else {
            prefix_list(stack, config, service)
        };
        made.gateways.push((service, list));
    }
    if let Some(group) = group {
        for &service in &endpoints.interface {
            made.all.push(interface(stack, config, vpc, service, group));
        }
    }
    made
}

/// The addresses of a service, as AWS lists them in every region: the way to a gateway endpoint that exists already.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html>
fn prefix_list(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    service: GatewayEndpoint,
) -> Expr<VpcEndpointPrefixListId> {
    let name = set(format!("com.amazonaws.{}.{}", config.region, service.service()));
    stack.add(service.service(), data::Ec2ManagedPrefixList { name, ..Default::default() }).id()
}

fn gateway(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &Vpc,
    service: GatewayEndpoint,
) -> VpcEndpointHandle {
    let statements = match service {
        GatewayEndpoint::S3 => s3(config),
        GatewayEndpoint::DynamoDb => dynamodb(config),
    };
    stack.add(
        service.service(),
        VpcEndpoint {
            vpc_id: vpc.id.clone(),
            optional: VpcEndpointOptional {
                service_name: set(format!("com.amazonaws.{}.{}", config.region, service.service())),
                vpc_endpoint_type: set("Gateway"),
                route_table_ids: set(vpc.private_tables.clone()),
                policy: set(Policy::new(statements)),
                tags: set([("Name", config.names.of(service.service()))]),
                ..Default::default()
            },
        },
    )
}

fn interface(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &Vpc,
    service: InterfaceEndpoint,
    group: &SecurityGroupHandle,
) -> VpcEndpointHandle {
    let name = identifier(service.service());
    let zones = vpc.private.iter().take(config.network.endpoints.zones);
    let subnets: Vec<_> = zones.map(|placed| placed.id.clone()).collect();
    stack.add(
        &name,
        VpcEndpoint {
            vpc_id: vpc.id.clone(),
            optional: VpcEndpointOptional {
                service_name: set(service_name(config, service)),
                vpc_endpoint_type: set("Interface"),
                subnet_ids: set(subnets),
                security_group_ids: set([group.id()]),
                // The service's usual name leads to the endpoint, so that no caller needs to know of it.
                private_dns_enabled: set(true),
                policy: set(Policy::new(interface_policy(config, service))),
                tags: set([("Name", config.names.of(service.service()))]),
                ..Default::default()
            },
        },
    )
}

/// GovCloud (US) has one of them for FIPS only:
/// <https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-guardduty.html>. In China some services' names have a prefix of their own; the list is that of `aws ec2
/// describe-vpc-endpoint-services` there, as the AWS CDK keeps it too.
fn service_name(config: &EnvConfig, service: InterfaceEndpoint) -> String {
    use InterfaceEndpoint as I;
    let own = matches!(service, I::EcrApi | I::EcrDkr | I::Monitoring | I::Sqs | I::Sts | I::Xray);
    let prefix =
        if config.partition() == Partition::AwsCn && own { "cn.com.amazonaws" } else { "com.amazonaws" };
    let suffix =
        if config.partition() == Partition::AwsUsGov && service == I::GuardDutyData { "-fips" } else { "" };
    format!("{prefix}.{}.{}{suffix}", config.region, service.service())
}

/// Allows callers of this account these actions.
fn callers(
    config: &EnvConfig,
    sid: &'static str,
    actions: &[&'static str],
    resources: impl IntoIterator<Item = String>,
) -> Statement<ResourcePolicy> {
    Statement::<ResourcePolicy>::allow(sid, Principal::Anyone, actions.iter().copied(), resources)
        .when(Condition::string_equals("aws:PrincipalAccount", [config.account_id.to_string()]))
}

/// Allows callers of this account these actions, on what belongs to it.
fn own(
    config: &EnvConfig,
    sid: &'static str,
    actions: &[&'static str],
    resources: impl IntoIterator<Item = String>,
) -> Statement<ResourcePolicy> {
    callers(config, sid, actions, resources)
        .when(Condition::string_equals("aws:ResourceAccount", [config.account_id.to_string()]))
}

/// For actions that know no resource.
fn any() -> [String; 1] {
    ["*".to_owned()]
}

/// The account's own buckets, their objects but not their configuration; and the bucket from which the registry
/// serves image layers, by links signed in its own name and not in the caller's:
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms>
fn s3(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let partition = config.partition();
    let layers = format!("arn:{partition}:s3:::prod-{}-starport-layer-bucket/*", config.region);
    let objects = [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListMultipartUploadParts",
        "s3:PutObject",
    ];
    let layer =
        Statement::<ResourcePolicy>::allow("ImageLayers", Principal::Anyone, ["s3:GetObject"], [layers]);
    let mut all = vec![own(config, "OwnBuckets", &objects, [format!("arn:{partition}:s3:::*")]), layer];
    all.extend(audit_bucket(config));
    all
}

/// The bucket of logs, where it is another account's: the service keeps the anchors of its audit log there.
fn audit_bucket(config: &EnvConfig) -> Option<Statement<ResourcePolicy>> {
    let bucket = config.storage.audit_bucket.as_ref().filter(|_| config.service.has_contract())?;
    let owner = bucket.account.as_ref().filter(|owner| **owner != config.account_id)?;
    let arn = format!("arn:{}:s3:::{}", config.partition(), bucket.name);
    let anchors = format!("{arn}/{}*", contract::Bucket::Audit.prefix());
    let actions = ["s3:GetObject", "s3:ListBucket", "s3:PutObject"];
    let owned = Condition::string_equals("aws:ResourceAccount", [owner.to_string()]);
    Some(callers(config, "AuditBucket", &actions, [arn, anchors]).when(owned))
}

/// Items of the account's own tables, not the tables themselves.
fn dynamodb(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let items = [
        "dynamodb:BatchGetItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:DescribeTable",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
    ];
    vec![own(config, "OwnTables", &items, [config.arn("dynamodb", "table/*")])]
}

fn interface_policy(config: &EnvConfig, service: InterfaceEndpoint) -> Vec<Statement<ResourcePolicy>> {
    use InterfaceEndpoint as I;
    let own = |sid, actions: &[&'static str], service: &str, resource: &str| {
        vec![own(config, sid, actions, [config.arn(service, resource)])]
    };
    let calls = |sid, actions: &[&'static str]| vec![callers(config, sid, actions, any())];
    match service {
        I::EcrApi | I::EcrDkr => registry(config),
        I::Logs => {
            let actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
            let mut statements = own("OwnLogs", &actions, "logs", "log-group:*");
            // AWS names no resource for this one.
            statements.extend(calls("FindLogGroups", &["logs:DescribeLogGroups"]));
            statements
        }
        I::SecretsManager => secrets(config),
        I::Kms => {
            // The last two make and check keyed hashes, the form in which a card number may be looked up
            // (PCI 3.5.1.1).
            let actions = [
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateMac",
                "kms:VerifyMac",
            ];
            own("OwnKeys", &actions, "kms", "key/*")
        }
        I::Sts => roles(config),
        I::Ssm => {
            let actions = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"];
            own("OwnParameters", &actions, "ssm", "parameter/*")
        }
        I::SsmMessages => {
            let actions = [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ];
            calls("Sessions", &actions)
        }
        I::Monitoring => calls("Metrics", &["cloudwatch:PutMetricData"]),
        I::Xray => {
            let actions = [
                "xray:GetSamplingRules",
                "xray:GetSamplingStatisticSummaries",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ];
            calls("Traces", &actions)
        }
        I::Events => own("OwnBuses", &["events:PutEvents"], "events", "event-bus/*"),
        I::Sqs => {
            let actions = [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ];
            own("OwnQueues", &actions, "sqs", "*")
        }
        I::Sns => own("OwnTopics", &["sns:Publish"], "sns", "*"),
        I::GuardDutyData => calls("Telemetry", &["guardduty:SendSecurityTelemetry"]),
    }
}

/// Pulling images: from this account, from the accounts that the environment names other repositories of, and
/// with GuardDuty's endpoint from the repository of its agent.
fn registry(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    let repositories = |account: &str, name: &str| {
        format!("arn:{}:ecr:{}:{account}:repository/{name}", config.partition(), config.region)
    };
    let mut from = vec![repositories(config.account_id.as_str(), "*")];
    let others = config.workloads().flat_map(|workload| workload.service.foreign_repositories());
    let accounts: BTreeSet<&str> = others.map(RepositoryUri::account).collect();
    let accounts = accounts.into_iter().filter(|account| *account != config.account_id.as_str());
    from.extend(accounts.map(|account| repositories(account, "*")));
    if config.network.endpoints.interface.contains(&InterfaceEndpoint::GuardDutyData) {
        from.extend(guardduty_agent(config));
    }
    vec![
        callers(config, "SignIn", &["ecr:GetAuthorizationToken"], any()),
        callers(config, "PullImages", &pull, from),
    ]
}

/// The repository of GuardDuty's agent, where AWS names one for the region.
#[must_use]
pub fn guardduty_agent(config: &EnvConfig) -> Option<String> {
    let account = aws::guardduty::agent_account(config.region.as_str())?;
    let (partition, region) = (config.partition(), &config.region);
    Some(format!("arn:{partition}:ecr:{region}:{account}:repository/aws-guardduty-agent-fargate"))
}

/// Reading secrets: those of this account, and those of others that the environment names.
fn secrets(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let own = config.arn("secretsmanager", "secret:");
    let mut from = vec![format!("{own}*")];
    let others = config.workloads().flat_map(|workload| workload.service.named_secrets());
    let others = others.map(ToString::to_string);
    from.extend(others.filter(|arn| !arn.starts_with(&own)));
    from.sort();
    from.dedup();
    let actions = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"];
    vec![callers(config, "ReadSecrets", &actions, from)]
}

/// Asking who one is, which no resource belongs to, and taking on a role of this account.
fn roles(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let roles = format!("arn:{}:iam::{}:role/*", config.partition(), config.account_id);
    vec![
        callers(config, "Identity", &["sts:GetCallerIdentity"], any()),
        callers(config, "OwnRoles", &["sts:AssumeRole"], [roles]),
    ]
}
