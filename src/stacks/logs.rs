//! Every log group of the platform, encrypted and kept, and their export to the immutable bucket.
//!
//! [`LogGroup`] is the one list of them: the groups themselves, the key's policy, the export and its roles are all made
//! from it, so that a new group is encrypted, kept and exported by being on it.

use aws::document::data_protection::{DataIdentifier, DataProtection};
use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{IdentityPolicy, ResourcePolicy, TrustPolicy};
use aws::kinesis_firehose_delivery_stream as firehose;
use aws::{
    CloudwatchLogDataProtectionPolicy, CloudwatchLogDestination, CloudwatchLogDestinationHandle,
    CloudwatchLogDestinationPolicy, CloudwatchLogDestinationPolicyHandle, CloudwatchLogGroup,
    CloudwatchLogGroupHandle, CloudwatchLogResourcePolicy, CloudwatchLogResourcePolicyHandle,
    CloudwatchLogStream, CloudwatchLogSubscriptionFilter, CloudwatchLogSubscriptionFilterOptional,
    IamRoleHandle, IamRolePolicyHandle, KinesisFirehoseDeliveryStream, KinesisFirehoseDeliveryStreamHandle,
    KinesisFirehoseDeliveryStreamOptional,
};
use terraform::{Meta, ProviderRef, Stack, set, text};

use super::per_service::PerService;
use super::{Providers, kms, role, storage};
use crate::config::{EnvConfig, Part};
use crate::names::{LogGroup, export};

/// The log groups.
pub struct Outputs {
    /// What each service writes.
    pub services: PerService<CloudwatchLogGroupHandle>,
    /// What is typed in ECS Exec sessions; there even where Exec is off, so that turning it on needs no second step.
    pub exec: CloudwatchLogGroupHandle,
    /// Container Insights' own group, made before ECS would make it unencrypted.
    pub insights: CloudwatchLogGroupHandle,
    /// VPC flow logs; none if they are looked after elsewhere.
    pub flow: Option<CloudwatchLogGroupHandle>,
    /// The web ACL's log.
    pub waf: CloudwatchLogGroupHandle,
    /// Where the data protection policies report what they find.
    pub findings: CloudwatchLogGroupHandle,
    /// What is exported; nothing if `logs.export` is off.
    pub exports: Vec<Export>,
    /// What goes wrong in the export.
    pub export_errors: Option<CloudwatchLogGroupHandle>,
    /// What PostgreSQL and its host write, made before RDS would make it unencrypted; none without PostgreSQL.
    pub database: Vec<CloudwatchLogGroupHandle>,
    /// The account's trail; none if the trail is somebody else's.
    pub trail: Option<CloudwatchLogGroupHandle>,
    /// The queries of the hosted zone, where it is made here.
    pub queries: Option<QueryLog>,
    /// The network firewall's, if there is one.
    pub firewall: Option<FirewallLogs>,
    /// Lets AWS deliver the web ACL's log; the web ACL's logging depends on it, or AWS would make a policy of its own.
    pub delivery: CloudwatchLogResourcePolicyHandle,
}

/// The logs of the network firewall.
pub struct FirewallLogs {
    /// What it drops.
    pub alerts: CloudwatchLogGroupHandle,
    /// Every connection.
    pub flows: CloudwatchLogGroupHandle,
    /// Lets AWS deliver to both; must stand before they are delivered to.
    pub delivery: CloudwatchLogResourcePolicyHandle,
}

/// The log of the hosted zone's queries, in Route 53's own region.
pub struct QueryLog {
    /// The group.
    pub group: CloudwatchLogGroupHandle,
    /// Lets Route 53 write to it; must stand before the zone's queries are logged.
    pub delivery: CloudwatchLogResourcePolicyHandle,
}

/// A log group on its way to the audit bucket.
pub struct Export {
    /// Which group.
    pub name: LogGroup,
    /// The group.
    pub group: CloudwatchLogGroupHandle,
    /// The stream that delivers its events.
    pub stream: KinesisFirehoseDeliveryStreamHandle,
}

impl LogGroup {
    /// The groups that RDS writes to.
    const DATABASE: [Self; 3] = [Self::Postgres, Self::PostgresUpgrade, Self::RdsOs];

    /// Days that the group keeps its events (PCI 10.5.1).
    fn retention_days(&self, config: &EnvConfig) -> u32 {
        let days = match self {
            Self::Service => config.service.log_retention_days,
            Self::Further(name) => config
                .services
                .values()
                .find(|further| further.service.name == *name)
                .map_or(config.logs.retention_days, |further| further.service.log_retention_days),
            Self::Flow => config.network.flow_logs_retention_days,
            Self::Exec
            | Self::Insights
            | Self::Waf
            | Self::Postgres
            | Self::PostgresUpgrade
            | Self::RdsOs
            | Self::Trail
            | Self::Queries
            | Self::FirewallAlerts
            | Self::FirewallFlows
            | Self::Findings
            | Self::Export => config.logs.retention_days,
        };
        days.get()
    }

    /// Whether text from outside ends up in the group, and with it what should not.
    #[must_use]
    pub const fn holds_free_text(&self) -> bool {
        matches!(
            self,
            Self::Service | Self::Further(_) | Self::Exec | Self::Waf | Self::Postgres | Self::FirewallAlerts
        )
    }
}

/// Builds the log groups and their export.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    buckets: &storage::Outputs,
    providers: &Providers,
) -> Outputs {
    let abroad = Abroad::new(keys, providers);
    let mut add = |g: LogGroup| group(stack, config, keys, abroad.as_ref(), &g);
    let services = PerService::build(config, |workload| add(LogGroup::of(workload)));
    let exec = add(LogGroup::Exec);
    let insights = add(LogGroup::Insights);
    let flow = LogGroup::Flow.is_wanted(config).then(|| add(LogGroup::Flow));
    let waf = add(LogGroup::Waf);
    let database: Vec<_> = LogGroup::DATABASE
        .into_iter()
        .filter(|group| group.is_wanted(config))
        .map(|group| (group.clone(), add(group)))
        .collect();
    let findings = add(LogGroup::Findings);
    // Not exported: CloudTrail delivers the same events to the audit bucket itself, signed.
    let trail = config.account.owns(Part::Trail).then(|| add(LogGroup::Trail));
    let queries = config.dns.create_zone.then(|| add(LogGroup::Queries));
    let here = queries.as_ref().filter(|_| abroad.is_none());
    let walls =
        config.network.has_firewall().then(|| (add(LogGroup::FirewallAlerts), add(LogGroup::FirewallFlows)));
    let mut delivered = vec![&waf, &findings];
    delivered.extend(walls.iter().flat_map(|(alerts, flows)| [alerts, flows]));
    let delivery = delivery(stack, config, &delivered, here);
    let firewall = walls.map(|(alerts, flows)| FirewallLogs { alerts, flows, delivery: delivery.clone() });
    let queries = queries.map(|group| {
        let delivery = abroad.as_ref().map_or_else(
            || delivery.clone(),
            |abroad| {
                let policy = CloudwatchLogResourcePolicy {
                    policy_name: set(config.names.of("query-log")),
                    policy_document: set(Policy::new([from_route53(config, &group)])),
                };
                stack.add_with("queries", Meta::new().provider(abroad.provider), policy)
            },
        );
        QueryLog { group, delivery }
    });

    let mut groups: Vec<_> =
        config.workloads().map(|workload| (LogGroup::of(workload), services.of(workload))).collect();
    groups.extend([(LogGroup::Exec, &exec), (LogGroup::Insights, &insights)]);
    groups.extend(flow.iter().map(|flow| (LogGroup::Flow, flow)));
    groups.extend([(LogGroup::Waf, &waf), (LogGroup::Findings, &findings)]);
    groups.extend(database.iter().map(|(name, group)| (name.clone(), group)));
    groups.extend(queries.iter().map(|queries| (LogGroup::Queries, &queries.group)));
    if let Some(logs) = &firewall {
        groups.extend([(LogGroup::FirewallAlerts, &logs.alerts), (LogGroup::FirewallFlows, &logs.flows)]);
    }
    for (name, group) in groups.iter().filter(|(name, _)| name.holds_free_text()) {
        protect(stack, config, name, group, &findings, &delivery);
    }
    let (exports, export_errors) = if config.logs.export {
        let (exports, errors) = export(stack, config, keys, buckets, abroad.as_ref(), &groups);
        (exports, Some(errors))
    } else {
        (Vec::new(), None)
    };
    for workload in config.workloads() {
        let output = workload.address("service_log_group");
        stack.output(&output, "The log group that the service writes to.", services.of(workload).name());
    }
    let database = database.into_iter().map(|(_, group)| group).collect();
    Outputs {
        services,
        exec,
        insights,
        flow,
        waf,
        findings,
        exports,
        export_errors,
        database,
        trail,
        queries,
        firewall,
        delivery,
    }
}

/// What a group needs that lies in Route 53's own region, where that is another one.
struct Abroad<'a> {
    provider: &'a ProviderRef,
    key: &'a kms::Key,
}

impl<'a> Abroad<'a> {
    fn new(keys: &'a kms::Outputs, providers: &'a Providers) -> Option<Self> {
        let (provider, key) = providers.zone.as_ref().zip(keys.zone.as_ref())?;
        Some(Self { provider, key })
    }
}

fn group(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    abroad: Option<&Abroad<'_>>,
    group: &LogGroup,
) -> CloudwatchLogGroupHandle {
    // PCI 10.3.2, 10.5.1: the history goes with the group.
    let meta = Meta::new().prevent_destroy(config.protection);
    let (meta, key) = match abroad.filter(|_| *group == LogGroup::Queries) {
        Some(abroad) => (meta.provider(abroad.provider), abroad.key),
        None => (meta, &keys.logs),
    };
    stack.add_with(
        group.identifier(),
        meta,
        CloudwatchLogGroup {
            name: set(group.name(config)),
            kms_key_id: set(key.arn()),
            retention_in_days: set(group.retention_days(config)),
            // The class stays AWS's default, the standard one, which alone knows subscriptions and data protection.
            ..Default::default()
        },
    )
}

/// Lets AWS deliver logs to the groups that it writes to in its own name. A region of an account has ten such policies
/// at most, so the environment has one.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html>
fn delivery(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    groups: &[&CloudwatchLogGroupHandle],
    queries: Option<&CloudwatchLogGroupHandle>,
) -> CloudwatchLogResourcePolicyHandle {
    let mut statements = vec![
        Statement::<ResourcePolicy>::allow(
            "Delivery",
            Principal::service("delivery.logs.amazonaws.com"),
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            groups.iter().map(|group| text![group.arn(), ":log-stream:*"]),
        )
        .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
        .when(Condition::arn_like("aws:SourceArn", [config.arn("logs", "*")])),
    ];
    statements.extend(queries.map(|group| from_route53(config, group)));
    stack.add(
        "delivery",
        CloudwatchLogResourcePolicy {
            policy_name: set(config.names.of("log-delivery")),
            policy_document: set(Policy::new(statements)),
        },
    )
}

/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html#query-logs-configuring>
fn from_route53(config: &EnvConfig, group: &CloudwatchLogGroupHandle) -> Statement<ResourcePolicy> {
    let zones = format!("arn:{}:route53:::hostedzone/*", config.partition());
    Statement::<ResourcePolicy>::allow(
        "Queries",
        Principal::service("route53.amazonaws.com"),
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [text![group.arn(), ":log-stream:*"]],
    )
    .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
    // The zone's id is known only once the zone is there.
    .when(Condition::arn_like("aws:SourceArn", [zones]))
}

/// PCI 3.3.1, 3.4.1: should a card's number end up in a log after all, it is reported, and masked for everyone without
/// `logs:Unmask`, and in what is exported. Defence in depth: the service writes none.
fn protect(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    name: &LogGroup,
    group: &CloudwatchLogGroupHandle,
    findings: &CloudwatchLogGroupHandle,
    delivery: &CloudwatchLogResourcePolicyHandle,
) {
    let policy = DataProtection {
        name: config.names.of(&name.identifier()).into(),
        description: "Reports and masks card data and credentials".into(),
        partition: config.partition().as_str(),
        identifiers: vec![
            DataIdentifier::CreditCardNumber,
            DataIdentifier::CreditCardSecurityCode,
            DataIdentifier::AwsSecretKey,
        ],
        findings: Some(findings.name()),
    };
    stack.add_with(
        name.identifier(),
        Meta::new().depends_on(delivery),
        CloudwatchLogDataProtectionPolicy { log_group_name: set(group.name()), policy_document: set(policy) },
    );
}

/// A copy of every group that nobody can change, not even an administrator of the groups (PCI 10.3.3): a subscription
/// hands each event on as it comes, and Firehose writes it to the audit bucket. Exports by `CreateExportTask` would
/// come in batches that somebody must start.
///
/// AWS bars neither Firehose nor CloudWatch from a bucket under Object Lock, as it does AWS Config and server access
/// logs. Should a delivery fail nevertheless, the stream keeps its data for a day, and says why in the group `export`.
fn export(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    buckets: &storage::Outputs,
    abroad: Option<&Abroad<'_>>,
    groups: &[(LogGroup, &CloudwatchLogGroupHandle)],
) -> (Vec<Export>, CloudwatchLogGroupHandle) {
    let errors = group(stack, config, keys, None, &LogGroup::Export);
    let (writer, writer_policy) = writer(stack, config, keys, buckets, &errors);
    let mut streams = Vec::new();
    for (name, _) in groups {
        streams.push(delivery_stream(
            stack,
            config,
            name,
            &Destination { keys, buckets, errors: &errors, writer: &writer, writer_policy: &writer_policy },
        ));
    }
    let (feeder, feeder_policy) = feeder(stack, config, &streams);
    for ((name, group), stream) in groups.iter().zip(&streams) {
        // The subscription is tried out when it is made.
        let meta = Meta::new().depends_on(&feeder_policy);
        let abroad = abroad.filter(|_| *name == LogGroup::Queries);
        let (meta, destination_arn, role_arn) = match abroad {
            Some(abroad) => {
                let (destination, policy) =
                    destination(stack, config, abroad, &feeder, &feeder_policy, stream);
                (meta.provider(abroad.provider).depends_on(&policy), set(destination.arn()), None)
            }
            None => (meta, set(stream.arn()), set(feeder.arn())),
        };
        stack.add_with(
            name.identifier(),
            meta,
            CloudwatchLogSubscriptionFilter {
                name: set(config.names.of("export")),
                log_group_name: set(group.name()),
                // Every event.
                filter_pattern: set(""),
                destination_arn,
                optional: CloudwatchLogSubscriptionFilterOptional { role_arn, ..Default::default() },
            },
        );
    }
    let exports = groups.iter().zip(streams);
    let exports =
        exports.map(|((name, group), stream)| Export { name: name.clone(), group: (*group).clone(), stream });
    (exports.collect(), errors)
}

/// A group hands events to a stream of another region through a destination in its own.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CrossAccountSubscriptions-Firehose.html>
fn destination(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    abroad: &Abroad<'_>,
    feeder: &IamRoleHandle,
    feeder_policy: &IamRolePolicyHandle,
    stream: &KinesisFirehoseDeliveryStreamHandle,
) -> (CloudwatchLogDestinationHandle, CloudwatchLogDestinationPolicyHandle) {
    let destination = stack.add_with(
        "queries",
        Meta::new().provider(abroad.provider).depends_on(feeder_policy),
        CloudwatchLogDestination {
            name: set(config.names.of("queries")),
            role_arn: set(feeder.arn()),
            target_arn: set(stream.arn()),
            optional: Default::default(),
        },
    );
    let account = format!("arn:{}:iam::{}:root", config.partition(), config.account_id);
    let subscribe = Statement::<ResourcePolicy>::allow(
        "Subscribe",
        Principal::arn(account),
        ["logs:PutSubscriptionFilter"],
        [destination.arn().text()],
    );
    let policy = stack.add_with(
        "queries",
        Meta::new().provider(abroad.provider),
        CloudwatchLogDestinationPolicy {
            access_policy: set(Policy::new([subscribe])),
            destination_name: set(destination.name()),
            optional: Default::default(),
        },
    );
    (destination, policy)
}

/// What a delivery stream writes to, and as whom.
struct Destination<'a> {
    keys: &'a kms::Outputs,
    buckets: &'a storage::Outputs,
    errors: &'a CloudwatchLogGroupHandle,
    writer: &'a IamRoleHandle,
    writer_policy: &'a IamRolePolicyHandle,
}

/// One stream for each group, which costs no more than one for all, keeps the groups apart in the bucket, and keeps one
/// group's fault from stopping the others.
fn delivery_stream(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    group: &LogGroup,
    to: &Destination<'_>,
) -> KinesisFirehoseDeliveryStreamHandle {
    let name = group.identifier();
    let log = stack.add(
        &name,
        CloudwatchLogStream { name: set(config.names.of(&name)), log_group_name: set(to.errors.name()) },
    );
    let s3 = firehose::ExtendedS3Configuration {
        bucket_arn: set(to.buckets.audit.arn()),
        role_arn: set(to.writer.arn()),
        optional: firehose::ExtendedS3ConfigurationOptional {
            kms_key_arn: set(to.keys.logs.arn()),
            prefix: set(format!("{}/{name}/!{{timestamp:yyyy/MM/dd/HH}}/", export::PREFIX)),
            error_output_prefix: set(format!(
                "{}/{name}/!{{firehose:error-output-type}}/!{{timestamp:yyyy/MM/dd}}/",
                export::ERROR_PREFIX
            )),
            // CloudWatch hands the events on as gzip, and gzip files one after another are a gzip file: compressing
            // them once more would only make them harder to read.
            // <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html#FirehoseExample>
            compression_format: set("UNCOMPRESSED"),
            file_extension: set(".gz"),
            buffering_size: set(64),
            buffering_interval: set(300),
            cloudwatch_logging_options: set(firehose::CloudwatchLoggingOptions {
                enabled: set(true),
                log_group_name: set(to.errors.name()),
                log_stream_name: set(log.name()),
            }),
            ..Default::default()
        },
    };
    stack.add_with(
        &name,
        to.buckets.audit.before(Meta::new().depends_on(to.writer_policy)),
        KinesisFirehoseDeliveryStream {
            name: set(stream_name(config, group)),
            destination: set("extended_s3"),
            optional: KinesisFirehoseDeliveryStreamOptional {
                extended_s3_configuration: set(s3),
                server_side_encryption: set(firehose::ServerSideEncryption {
                    enabled: set(true),
                    key_type: set("CUSTOMER_MANAGED_CMK"),
                    key_arn: set(to.keys.logs.arn()),
                }),
                ..Default::default()
            },
        },
    )
}

fn stream_name(config: &EnvConfig, group: &LogGroup) -> String {
    config.names.of(&format!("{}-logs", group.identifier().replace('_', "-")))
}

/// The role that Firehose writes to the audit bucket as: it adds, and neither reads nor deletes.
/// <https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3>
fn writer(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    buckets: &storage::Outputs,
    errors: &CloudwatchLogGroupHandle,
) -> (IamRoleHandle, IamRolePolicyHandle) {
    let bucket = &buckets.audit;
    let trust = Statement::<TrustPolicy>::assume("Firehose", Principal::service("firehose.amazonaws.com"))
        // Firehose says in whose name it comes; the deputy of another account does not get in.
        .when(Condition::string_equals("sts:ExternalId", [config.account_id.to_string()]));
    let s3 = format!("s3.{}.{}", config.region, config.partition().dns_suffix());
    let statements = [
        Statement::<IdentityPolicy>::allow(
            "Write",
            storage::export_actions(config).iter().copied(),
            [export::PREFIX, export::ERROR_PREFIX].map(|prefix| text![bucket.arn(), format!("/{prefix}/*")]),
        ),
        Statement::<IdentityPolicy>::allow(
            "Find",
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            [bucket.arn()],
        ),
        Statement::<IdentityPolicy>::allow(
            "Encrypt",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [keys.logs.arn()],
        )
        .when(Condition::string_equals("kms:ViaService", [s3]))
        // The bucket, because of its bucket key; the object, should S3 go without it.
        .when(Condition::arn_like(
            "kms:EncryptionContext:aws:s3:arn",
            [bucket.arn().text(), text![bucket.arn(), "/*"]],
        )),
        Statement::<IdentityPolicy>::allow(
            "Complain",
            ["logs:PutLogEvents"],
            [text![errors.arn(), ":log-stream:*"]],
        ),
    ];
    role::with_policy(
        stack,
        config,
        "export",
        "Writes the exported log groups to the audit bucket",
        trust,
        statements,
    )
}

/// The role that CloudWatch Logs hands events to Firehose as.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Subscriptions-confused-deputy.html>
fn feeder(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    streams: &[KinesisFirehoseDeliveryStreamHandle],
) -> (IamRoleHandle, IamRolePolicyHandle) {
    let trust = Statement::<TrustPolicy>::assume("Logs", Principal::service("logs.amazonaws.com"))
        .when(Condition::arn_like("aws:SourceArn", sources(config)));
    let statements = [Statement::<IdentityPolicy>::allow(
        "Put",
        ["firehose:PutRecord", "firehose:PutRecordBatch"],
        streams.iter().map(KinesisFirehoseDeliveryStreamHandle::arn),
    )];
    role::with_policy(
        stack,
        config,
        "subscription",
        "Hands the events of log groups to the export",
        trust,
        statements,
    )
}

/// The log groups of every region that has some.
fn sources(config: &EnvConfig) -> Vec<String> {
    let regions = std::iter::once(config.region.clone()).chain(config.zone_abroad());
    regions.map(|region| config.arn_in(&region, "logs", "*")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use terraform::{Node, Number, Root, Value};

    use super::super::probe::*;
    use super::*;

    fn refers(root: &Root, from: &Node, argument: &str, to: &str) -> bool {
        from.edges().iter().any(|edge| {
            edge.argument.as_deref() == Some(argument) && root.nodes()[edge.to].address().to_string() == to
        })
    }

    /// With every group that there can be in any partition.
    const POSTGRES: &str = "data.postgres.enabled = true\n";
    /// With every group that there can be.
    const EVERY: &str = "data.postgres.enabled = true\ndns.create_zone = true\nnetwork.firewall.allowed_names = [\"a.example\"]\n";

    #[test]
    fn every_group_is_encrypted_and_kept() {
        let text = "service.log_retention_days = 731\nnetwork.flow_logs.retention_days = 545";
        let root = platform(&format!("{EVERY}{text}"));
        let groups = nodes(&root, "aws_cloudwatch_log_group");
        let names: BTreeSet<&str> = groups.iter().map(|group| text_at(group, "name")).collect();
        assert_eq!((groups.len(), names.len()), (LogGroup::ALL.len(), LogGroup::ALL.len()));
        for group in groups {
            assert!(refers(&root, group, "kms_key_id", "aws_kms_key.logs"));
            let days = match group.address().name() {
                "service" => 731,
                "flow" => 545,
                _ => 400,
            };
            assert_eq!(at(group, "retention_in_days"), &Value::Number(Number::Int(days)));
            assert!(group.prevent_destroy());
        }
    }

    #[test]
    fn names_are_those_that_aws_demands() {
        let root = platform("");
        let name = |group: &str| text_at(node(&root, &format!("aws_cloudwatch_log_group.{group}")), "name");
        assert_eq!(name("waf"), "aws-waf-logs-txn-reconcile-test");
        assert_eq!(name("insights"), "/aws/ecs/containerinsights/txn-reconcile-test/performance");
        assert_eq!(name("service"), "/txn-reconcile/test/service");
        let engine = |engine| platform(&format!("{POSTGRES}data.postgres.engine = \"{engine}\""));
        let of = |root: &Root, group: &str| {
            let group = root.find(&format!("aws_cloudwatch_log_group.{group}"));
            group.map(|group| text_at(group, "name").to_owned())
        };
        let (instance, aurora) = (engine("instance"), engine("aurora-serverless"));
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(of(&instance, "postgres"), named("/aws/rds/instance/txn-reconcile-test/postgresql"));
        assert_eq!(of(&instance, "postgres_upgrade"), named("/aws/rds/instance/txn-reconcile-test/upgrade"));
        assert_eq!(of(&aurora, "postgres"), named("/aws/rds/cluster/txn-reconcile-test/postgresql"));
        assert_eq!(of(&aurora, "postgres_upgrade"), None);
    }

    #[test]
    fn card_numbers_are_masked_wherever_text_comes_from_outside() {
        let root = platform(&format!("region = \"us-gov-west-1\"\n{POSTGRES}"));
        let policies = nodes(&root, "aws_cloudwatch_log_data_protection_policy");
        let groups: BTreeSet<&str> = policies.iter().map(|policy| policy.address().name()).collect();
        assert_eq!(groups, BTreeSet::from(["service", "exec", "waf", "postgres"]));
        for policy in policies {
            let [audit, mask] = statements(policy, "policy_document") else { panic!("two statements") };
            let card = "arn:aws-us-gov:dataprotection::aws:data-identifier/CreditCardNumber";
            assert!(texts(audit.get("DataIdentifier").expect("identifiers")).contains(&card));
            assert_eq!(audit.get("DataIdentifier"), mask.get("DataIdentifier"));
            assert!(audit.get("Operation").is_some_and(|o| o.get("Audit").is_some()));
            let masked = mask.get("Operation").and_then(|o| o.get("Deidentify"));
            assert!(masked.is_some_and(|m| m.get("MaskConfig").is_some()));
        }
    }

    #[test]
    fn every_group_but_the_exports_own_and_the_trails_is_exported_to_the_audit_bucket() {
        let root = platform(EVERY);
        let filters = nodes(&root, "aws_cloudwatch_log_subscription_filter");
        assert_eq!(filters.len(), LogGroup::ALL.len() - 2);
        for filter in filters {
            let name = filter.address().name();
            // CloudTrail delivers to the audit bucket by itself.
            assert!(!["export", "trail"].contains(&name));
            assert_eq!(text_at(filter, "filter_pattern"), "", "not every event");
            assert!(refers(&root, filter, "log_group_name", &format!("aws_cloudwatch_log_group.{name}")));
            let stream = format!("aws_kinesis_firehose_delivery_stream.{name}");
            assert!(refers(&root, filter, "destination_arn", &stream));
            let stream = node(&root, &stream);
            assert!(refers(&root, stream, "extended_s3_configuration", "aws_s3_bucket.audit"));
            assert!(
                text_at(stream, "extended_s3_configuration.prefix")
                    .starts_with(&format!("cloudwatch/{name}/"))
            );
            assert_eq!(text_at(stream, "server_side_encryption.key_type"), "CUSTOMER_MANAGED_CMK");
            assert!(refers(&root, stream, "server_side_encryption", "aws_kms_key.logs"));
        }
    }

    #[test]
    fn the_export_writes_and_does_nothing_else() {
        let root = platform("iam.permissions_boundary = \"arn:aws:iam::111122223333:policy/boundary\"");
        let mut actions: Vec<&str> = Vec::new();
        for policy in nodes_of(&root, "logs", "aws_iam_role_policy") {
            for statement in statements(policy, "policy") {
                let resources = statement.get("Resource").and_then(Value::as_list).expect("resources");
                assert!(!resources.contains(&Value::string("*")));
                actions.extend(texts(statement.get("Action").expect("actions")));
            }
        }
        assert!(actions.iter().all(|action| !action.contains('*')), "{actions:?}");
        assert!(!actions.iter().any(|a| a.contains("GetObject") || a.contains("Delete")), "{actions:?}");
        for role in nodes_of(&root, "logs", "aws_iam_role") {
            assert_eq!(text_at(role, "permissions_boundary"), "arn:aws:iam::111122223333:policy/boundary");
            let trust = statements(role, "assume_role_policy");
            assert!(trust.iter().all(|s| s.get("Condition").is_some()), "a deputy could be confused");
        }
    }

    #[test]
    fn the_export_can_be_left_out() {
        let root = platform(&format!("{EVERY}production = false\nlogs.export = false"));
        assert!(nodes(&root, "aws_kinesis_firehose_delivery_stream").is_empty());
        assert!(nodes_of(&root, "logs", "aws_iam_role").is_empty());
        assert_eq!(nodes(&root, "aws_cloudwatch_log_group").len(), LogGroup::ALL.len() - 1);
    }

    #[test]
    fn nothing_holds_on_to_a_fleeting_environment() {
        let root = platform(FLEETING);
        assert!(root.nodes().iter().all(|node| !node.prevent_destroy()));
    }
}
