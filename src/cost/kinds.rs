//! How each type of resource is billed. A type that stands nowhere here is told of, never taken for free.

use serde_json::Value;
use terraform::query::{Found, Held, View, references};

use super::meter::Meter;
use super::money::Quantity;

/// So many of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Charge {
    pub meter: Meter,
    /// Which of its sizes, if it has some.
    pub size: Option<String>,
    pub quantity: Quantity,
    /// The region, where it is another than that of the resource.
    pub region: Option<String>,
}

impl Charge {
    fn new(meter: Meter, quantity: Quantity) -> Self {
        Self { meter, size: None, quantity, region: None }
    }

    fn sized(meter: Meter, size: String, quantity: Quantity) -> Self {
        Self { meter, size: Some(size), quantity, region: None }
    }
}

/// How a resource is billed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Billed {
    /// By the hour or month.
    pub charges: Vec<Charge>,
    /// By use: what is counted.
    pub by_use: Option<&'static str>,
}

/// An argument that says how many there are, and is known only when Terraform applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unknown(pub String);

/// What costs nothing by itself.
const FREE: &[&str] = &[
    "aws_account_alternate_contact",
    "aws_acm_certificate",
    "aws_acm_certificate_validation",
    "aws_appautoscaling_scheduled_action",
    "aws_appautoscaling_target",
    "aws_backup_plan",
    "aws_backup_selection",
    "aws_backup_vault_lock_configuration",
    "aws_backup_vault_policy",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
    "aws_cloudwatch_log_destination",
    "aws_cloudwatch_log_destination_policy",
    "aws_cloudwatch_log_resource_policy",
    "aws_cloudwatch_log_stream",
    "aws_cloudwatch_log_subscription_filter",
    "aws_codedeploy_app",
    "aws_codedeploy_deployment_config",
    "aws_codedeploy_deployment_group",
    "aws_config_configuration_aggregator",
    "aws_config_configuration_recorder_status",
    "aws_config_delivery_channel",
    "aws_db_event_subscription",
    "aws_db_parameter_group",
    "aws_db_subnet_group",
    "aws_default_network_acl",
    "aws_default_route_table",
    "aws_default_security_group",
    "aws_dynamodb_resource_policy",
    "aws_ebs_default_kms_key",
    "aws_ebs_encryption_by_default",
    "aws_ebs_snapshot_block_public_access",
    "aws_ec2_image_block_public_access",
    "aws_ec2_instance_metadata_defaults",
    "aws_ec2_serial_console_access",
    "aws_ecr_lifecycle_policy",
    "aws_ecr_registry_scanning_configuration",
    "aws_ecr_replication_configuration",
    "aws_ecr_repository_policy",
    "aws_ecs_account_setting_default",
    "aws_ecs_cluster_capacity_providers",
    "aws_ecs_task_definition",
    "aws_egress_only_internet_gateway",
    "aws_guardduty_publishing_destination",
    "aws_iam_account_password_policy",
    "aws_iam_openid_connect_provider",
    "aws_iam_policy",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_role_policy_attachment",
    "aws_iam_service_linked_role",
    "aws_internet_gateway",
    "aws_kms_alias",
    "aws_kms_grant",
    "aws_lambda_permission",
    "aws_lb_listener",
    "aws_lb_listener_rule",
    "aws_lb_target_group",
    "aws_lb_trust_store_revocation",
    "aws_macie2_classification_export_configuration",
    "aws_network_acl",
    "aws_network_acl_rule",
    "aws_networkfirewall_firewall_policy",
    "aws_networkfirewall_logging_configuration",
    "aws_networkfirewall_rule_group",
    "aws_rds_cluster_parameter_group",
    "aws_route",
    "aws_route53_hosted_zone_dnssec",
    "aws_route53_key_signing_key",
    "aws_route53_query_log",
    "aws_route53_record",
    "aws_route53_resolver_firewall_config",
    "aws_route53_resolver_firewall_rule",
    "aws_route53_resolver_firewall_rule_group",
    "aws_route53_resolver_firewall_rule_group_association",
    "aws_route53_resolver_query_log_config",
    "aws_route53_resolver_query_log_config_association",
    "aws_route_table",
    "aws_route_table_association",
    "aws_s3_account_public_access_block",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_logging",
    "aws_s3_bucket_object_lock_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    "aws_secretsmanager_secret_policy",
    "aws_secretsmanager_secret_rotation",
    "aws_secretsmanager_secret_version",
    "aws_security_group",
    "aws_securityhub_finding_aggregator",
    "aws_securityhub_standards_control_association",
    "aws_shield_drt_access_role_arn_association",
    "aws_shield_protection_group",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_sqs_queue_policy",
    "aws_ssm_service_setting",
    "aws_subnet",
    "aws_vpc",
    "aws_vpc_block_public_access_exclusion",
    "aws_vpc_block_public_access_options",
    "aws_vpc_security_group_egress_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_wafv2_ip_set",
    "aws_wafv2_web_acl_association",
    "aws_wafv2_web_acl_logging_configuration",
];

/// How a resource is billed; `None` where nothing here knows its type.
pub(super) fn billed(view: &View, found: &Found) -> Option<Result<Billed, Unknown>> {
    if FREE.contains(&found.kind.as_str()) {
        return Some(Ok(Billed::default()));
    }
    let charges = match by_the_hour(view, found) {
        None => Vec::new(),
        Some(Ok(charges)) => charges,
        Some(Err(unknown)) => return Some(Err(unknown)),
    };
    let by_use = by_use(found, !charges.is_empty());
    let some_are_free = ["aws_accessanalyzer_analyzer", "aws_vpc_endpoint"].contains(&found.kind.as_str());
    let known = !charges.is_empty() || by_use.is_some() || some_are_free;
    known.then_some(Ok(Billed { charges, by_use }))
}

/// What is billed by the hour or month, of types that are.
fn by_the_hour(view: &View, found: &Found) -> Option<Result<Vec<Charge>, Unknown>> {
    let one = |meter| Ok(vec![Charge::new(meter, Quantity::whole(1))]);
    let of = |meter, path| Ok(vec![Charge::new(meter, Quantity::whole(count(found, path)?))]);
    Some(match found.kind.as_str() {
        "aws_vpc_endpoint" if !is(found, "vpc_endpoint_type", "Interface") => return None,
        "aws_vpc_endpoint" => of(Meter::InterfaceEndpoint, "subnet_ids"),
        "aws_nat_gateway" => one(Meter::NatGateway),
        "aws_eip" => one(Meter::PublicIpv4),
        "aws_networkfirewall_firewall" => of(Meter::NetworkFirewall, "subnet_mapping"),
        "aws_lb" if is(found, "load_balancer_type", "application") => load_balancer(found),
        "aws_lb_trust_store" => one(Meter::TrustStore),
        "aws_ecs_service" => tasks(view, found),
        "aws_db_instance" => instance(found),
        "aws_rds_cluster_instance" => aurora(view, found),
        "aws_rds_cluster" => Ok(master_secret(found)),
        "aws_dynamodb_table" if is(found, "billing_mode", "PROVISIONED") => units(found),
        "aws_kms_key" | "aws_kms_replica_key" => one(Meter::KmsKey),
        "aws_secretsmanager_secret" => secret(found),
        "aws_wafv2_web_acl" => web_acl(found),
        "aws_cloudwatch_metric_alarm" => alarm(found),
        "aws_cloudwatch_composite_alarm" => one(Meter::CompositeAlarm),
        "aws_cloudwatch_dashboard" => one(Meter::Dashboard),
        "aws_route53_zone" => one(Meter::HostedZone),
        _ => return None,
    })
}

/// What of a type is billed by use.
fn by_use(found: &Found, by_the_hour: bool) -> Option<&'static str> {
    Some(match found.kind.as_str() {
        // Access from outside is looked for without a charge.
        "aws_accessanalyzer_analyzer"
            if text(found, "type").is_ok_and(|kind| kind.ends_with("UNUSED_ACCESS")) =>
        {
            "roles and users whose unused access is looked for"
        }
        "aws_appautoscaling_policy" => "alarms that AWS makes to scale by, each at the price of an alarm",
        "aws_backup_restore_testing_plan" | "aws_backup_restore_testing_selection" => {
            "restore tests, and what is restored while they last"
        }
        "aws_backup_vault" => "GB of copies",
        "aws_cloudtrail" => "events of data, and further copies of events of management",
        "aws_cloudwatch_log_data_protection_policy" => "GB that are searched for card numbers",
        "aws_cloudwatch_log_group" => "GB taken in and kept",
        "aws_cloudwatch_log_metric_filter" => "a metric of one's own while it reports",
        "aws_cloudwatch_query_definition" => "GB that a query reads",
        "aws_config_config_rule" | "aws_config_conformance_pack" => "evaluations of rules",
        "aws_config_configuration_recorder" => "changes recorded",
        "aws_db_instance" | "aws_rds_cluster" => {
            "requests and storage beyond what is provided, backups, performance data"
        }
        "aws_rds_cluster_instance" => "capacity beyond the least",
        "aws_dynamodb_table" => "requests, GB kept, recovery to a point in time, replicas",
        "aws_ecr_repository" => "GB of images",
        "aws_ecs_cluster" => "metrics of Container Insights",
        "aws_ecs_service" => "tasks beyond those desired, and GuardDuty's watch over each vCPU",
        "aws_flow_log" => "GB delivered",
        "aws_guardduty_detector" | "aws_guardduty_detector_feature" => "events, logs and vCPUs looked at",
        "aws_inspector2_enabler" => "images looked at",
        "aws_kinesis_firehose_delivery_stream" => "GB delivered",
        "aws_kms_key" | "aws_kms_replica_key" => {
            "requests; the first two rotations add the price of a key each"
        }
        "aws_lb" => "capacity units: connections, GB, evaluations of rules",
        "aws_macie2_account" | "aws_macie2_classification_job" => "buckets watched, GB looked at",
        "aws_nat_gateway" => "GB",
        "aws_networkfirewall_firewall" => "GB",
        "aws_route53_resolver_firewall_domain_list" => "names listed, queries",
        "aws_route53_zone" => "queries",
        "aws_s3_bucket" => "GB kept, requests",
        "aws_s3_bucket_replication_configuration" => "GB copied to another region, requests",
        "aws_secretsmanager_secret" => "requests",
        "aws_securityhub_account" | "aws_securityhub_standards_subscription" => "checks and findings",
        "aws_shield_protection" => "the subscription, once for an organization, and data that goes out",
        "aws_sns_topic" => "messages",
        "aws_sqs_queue" => "requests",
        "aws_vpc_endpoint" if by_the_hour => "GB",
        "aws_wafv2_web_acl" => "requests; some managed groups have a price of their own",
        _ => return None,
    })
}

fn is(found: &Found, path: &str, expected: &str) -> bool {
    matches!(found.get(path), Held::Known(Value::String(text)) if text == expected)
}

fn is_true(found: &Found, path: &str) -> bool {
    found.get(path) == Held::Known(&Value::Bool(true))
}

fn unknown(path: &str) -> Unknown {
    Unknown(format!("`{path}` is not known before an apply"))
}

/// How many stand in a list, or how many blocks there are.
fn count(found: &Found, path: &str) -> Result<u64, Unknown> {
    match found.get(path) {
        Held::Absent => Ok(0),
        Held::Known(Value::Array(items)) => Ok(u64::try_from(items.len()).unwrap_or(u64::MAX)),
        Held::Known(Value::Object(_)) => Ok(1),
        _ => Err(unknown(path)),
    }
}

/// A number, which may be written as text.
fn number(found: &Found, path: &str) -> Result<u64, Unknown> {
    let known = match found.get(path) {
        Held::Known(Value::Number(number)) => number.as_u64(),
        Held::Known(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    known.ok_or_else(|| unknown(path))
}

fn text<'f>(found: &'f Found, path: &str) -> Result<&'f str, Unknown> {
    match found.get(path) {
        Held::Known(Value::String(text)) => Ok(text),
        _ => Err(unknown(path)),
    }
}

/// The block that an argument refers to: `${aws_ecs_task_definition.main.arn}`.
fn referred<'v>(view: &'v View, found: &Found, path: &str) -> Result<&'v Found, Unknown> {
    let target = found.body.get(path).and_then(Value::as_str).and_then(|text| {
        let reference = references(text).next()?;
        let mut parts = reference.split('.');
        view.blocks.get(&format!("{}.{}", parts.next()?, parts.next()?))
    });
    target.ok_or_else(|| unknown(path))
}

/// A load balancer that faces the internet has an address in each zone that it stands in, more of them under load.
fn load_balancer(found: &Found) -> Result<Vec<Charge>, Unknown> {
    let mut charges = vec![Charge::new(Meter::LoadBalancer, Quantity::whole(1))];
    if !is_true(found, "internal") && !is(found, "ip_address_type", "dualstack-without-public-ipv4") {
        charges.push(Charge::new(Meter::PublicIpv4, Quantity::whole(count(found, "subnets")?)));
    }
    Ok(charges)
}

/// The tasks of a service, as many as are desired; scaling comes on top. The units of CPU and the MiB are those of
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size>.
fn tasks(view: &View, found: &Found) -> Result<Vec<Charge>, Unknown> {
    const FREE_GIB: u64 = 20;
    let count = number(found, "desired_count")?;
    let definition = referred(view, found, "task_definition")?;
    let arm = is(definition, "runtime_platform.cpu_architecture", "ARM64");
    let (cpu, memory) = if arm {
        (Meter::FargateCpuArm, Meter::FargateMemoryArm)
    } else {
        (Meter::FargateCpuX86, Meter::FargateMemoryX86)
    };
    let mut charges = vec![
        Charge::new(cpu, Quantity::parts(number(definition, "cpu")?, 1024, count)),
        Charge::new(memory, Quantity::parts(number(definition, "memory")?, 1024, count)),
    ];
    if definition.get("ephemeral_storage") != Held::Absent {
        let more = number(definition, "ephemeral_storage.size_in_gib")?.saturating_sub(FREE_GIB);
        charges.push(Charge::new(Meter::FargateStorage, Quantity::parts(more, 1, count)));
    }
    charges.retain(|charge| !charge.quantity.is_zero());
    Ok(charges)
}

/// The secret that RDS itself makes for the master user.
fn master_secret(found: &Found) -> Vec<Charge> {
    let made = is_true(found, "manage_master_user_password");
    made.then(|| Charge::new(Meter::Secret, Quantity::whole(1))).into_iter().collect()
}

fn instance(found: &Found) -> Result<Vec<Charge>, Unknown> {
    let zones = if is_true(found, "multi_az") { "multi-az" } else { "single-az" };
    let storage = text(found, "storage_type").unwrap_or("gp2");
    let mut charges = vec![
        Charge::sized(
            Meter::RdsInstance,
            format!("{}:{zones}", text(found, "instance_class")?),
            Quantity::whole(1),
        ),
        Charge::sized(
            Meter::RdsStorage,
            format!("{storage}:{zones}"),
            Quantity::whole(number(found, "allocated_storage")?),
        ),
    ];
    charges.extend(master_secret(found));
    Ok(charges)
}

/// An instance of a cluster that is serverless has at least the cluster's least capacity; another one a size.
fn aurora(view: &View, found: &Found) -> Result<Vec<Charge>, Unknown> {
    let class = text(found, "instance_class")?;
    if class != "db.serverless" {
        return Ok(vec![Charge::sized(Meter::RdsInstance, format!("{class}:aurora"), Quantity::whole(1))]);
    }
    let cluster = referred(view, found, "cluster_identifier")?;
    let least = number(cluster, "serverlessv2_scaling_configuration.min_capacity")?;
    Ok(vec![Charge::new(Meter::AuroraCapacity, Quantity::whole(least))])
}

/// The units of a table and of its indices.
fn units(found: &Found) -> Result<Vec<Charge>, Unknown> {
    let indices: &[Value] = match found.get("global_secondary_index") {
        Held::Known(Value::Array(indices)) => indices,
        Held::Known(index @ Value::Object(_)) => std::slice::from_ref(index),
        _ => &[],
    };
    let sum = |key: &str| -> Result<Quantity, Unknown> {
        let mut sum = number(found, key)?;
        for index in indices {
            sum = sum.saturating_add(index[key].as_u64().ok_or_else(|| unknown(key))?);
        }
        Ok(Quantity::whole(sum))
    };
    Ok(vec![
        Charge::new(Meter::DynamodbReadUnit, sum("read_capacity")?),
        Charge::new(Meter::DynamodbWriteUnit, sum("write_capacity")?),
    ])
}

/// A secret, and each of its copies in other regions.
fn secret(found: &Found) -> Result<Vec<Charge>, Unknown> {
    let mut charges = vec![Charge::new(Meter::Secret, Quantity::whole(1))];
    let replicas: Vec<&Value> = match found.get("replica") {
        Held::Known(Value::Array(replicas)) => replicas.iter().collect(),
        Held::Known(replica @ Value::Object(_)) => vec![replica],
        _ => Vec::new(),
    };
    charges.extend(replicas.into_iter().map(|replica| Charge {
        region: replica["region"].as_str().map(str::to_owned),
        ..Charge::new(Meter::Secret, Quantity::whole(1))
    }));
    Ok(charges)
}

fn web_acl(found: &Found) -> Result<Vec<Charge>, Unknown> {
    let rules = Quantity::whole(count(found, "rule")?);
    let mut charges =
        vec![Charge::new(Meter::WebAcl, Quantity::whole(1)), Charge::new(Meter::WebAclRule, rules)];
    charges.retain(|charge| !charge.quantity.is_zero());
    Ok(charges)
}

/// An alarm is billed by the metrics that it looks at, and by how often.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_billing.html>
fn alarm(found: &Found) -> Result<Vec<Charge>, Unknown> {
    const MINUTE: u64 = 60;
    let queries: Vec<&Value> = match found.get("metric_query") {
        Held::Known(Value::Array(queries)) => queries.iter().collect(),
        Held::Known(query @ Value::Object(_)) => vec![query],
        Held::Absent => Vec::new(),
        _ => return Err(unknown("metric_query")),
    };
    let block = |query: &Value| match &query["metric"] {
        Value::Array(blocks) => blocks.first().cloned(),
        Value::Null => None,
        one => Some(one.clone()),
    };
    let metrics: Vec<Value> = queries.into_iter().filter_map(block).collect();
    let own = found.body.get("period").and_then(Value::as_u64);
    let often = metrics.iter().filter_map(|metric| metric["period"].as_u64()).chain(own).any(|s| s < MINUTE);
    let meter = if often { Meter::HighResolutionAlarm } else { Meter::Alarm };
    let count = u64::try_from(metrics.len()).unwrap_or(u64::MAX).max(1);
    Ok(vec![Charge::new(meter, Quantity::whole(count))])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use serde_json::json;

    use super::*;

    fn view(resources: &Value) -> View {
        View::of_files([("a.tf.json", json!({ "resource": resources }).to_string().as_str())])
            .expect("a module")
    }

    fn charges(resources: &Value, address: &str) -> Vec<(String, String)> {
        let view = view(resources);
        let billed = billed(&view, &view.blocks[address]).expect("a known type").expect("known numbers");
        let told = |charge: Charge| {
            let size = charge.size.map_or(String::new(), |size| format!(":{size}"));
            (format!("{}{size}", charge.meter.key()), charge.quantity.to_string())
        };
        billed.charges.into_iter().map(told).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(key, quantity)| ((*key).to_owned(), (*quantity).to_owned())).collect()
    }

    /// The types that the bindings know are all that a stack can make.
    #[test]
    fn every_type_that_a_stack_can_make_is_billed_somehow_or_free() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/aws/src/generated");
        let own = ["mod", "kinds", "provider"];
        let mut seen = BTreeSet::new();
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            if own.contains(&name.as_str()) || name.starts_with("data_") || name.starts_with("ephemeral_") {
                continue;
            }
            let kind = format!("aws_{name}");
            let found = Found { kind: kind.clone(), body: json!({}), ..Found::default() };
            assert!(billed(&View::default(), &found).is_some(), "{kind} stands nowhere in src/cost/kinds.rs");
            seen.insert(kind);
        }
        for kind in FREE {
            assert!(seen.contains(*kind), "no stack makes {kind}");
            let found = Found { kind: (*kind).to_owned(), ..Found::default() };
            assert_eq!(by_use(&found, true), None, "{kind} is free and is not");
        }
        let unknown = Found { kind: "aws_instance".to_owned(), body: json!({}), ..Found::default() };
        assert_eq!(billed(&View::default(), &unknown), None);
    }

    #[test]
    fn endpoints_and_load_balancers_are_counted_by_zone() {
        let subnets = json!(["${aws_subnet.a.id}", "${aws_subnet.b.id}"]);
        let resources = json!({
            "aws_vpc_endpoint": {
                "kms": { "vpc_endpoint_type": "Interface", "subnet_ids": subnets },
                "s3": { "vpc_endpoint_type": "Gateway" },
            },
            "aws_lb": {
                "main": { "load_balancer_type": "application", "internal": false, "subnets": subnets },
                "inner": { "load_balancer_type": "application", "internal": true, "subnets": subnets },
            },
        });
        assert_eq!(charges(&resources, "aws_vpc_endpoint.kms"), pairs(&[("interface-endpoint", "2")]));
        assert_eq!(charges(&resources, "aws_vpc_endpoint.s3"), []);
        assert_eq!(
            charges(&resources, "aws_lb.main"),
            pairs(&[("load-balancer", "1"), ("public-ipv4", "2")])
        );
        assert_eq!(charges(&resources, "aws_lb.inner"), pairs(&[("load-balancer", "1")]));
    }

    #[test]
    fn tasks_are_counted_by_what_their_definition_asks_for() {
        let resources = |architecture: &str, storage: Value| {
            json!({
                "aws_ecs_service": { "main": { "desired_count": 3, "task_definition": "${aws_ecs_task_definition.main.arn}" } },
                "aws_ecs_task_definition": { "main": {
                    "cpu": "512", "memory": "1024",
                    "runtime_platform": { "cpu_architecture": architecture }, "ephemeral_storage": storage,
                } },
            })
        };
        assert_eq!(
            charges(&resources("X86_64", Value::Null), "aws_ecs_service.main"),
            pairs(&[("fargate-cpu-x86", "1.5"), ("fargate-memory-x86", "3")])
        );
        assert_eq!(
            charges(&resources("ARM64", json!({ "size_in_gib": 50 })), "aws_ecs_service.main"),
            pairs(&[("fargate-cpu-arm", "1.5"), ("fargate-memory-arm", "3"), ("fargate-storage", "90")])
        );
        let elsewhere = view(&json!({ "aws_ecs_service": { "main": {
            "desired_count": 1, "task_definition": "arn:aws:ecs:us-east-1:111122223333:task-definition/a:1" } } }));
        let told = billed(&elsewhere, &elsewhere.blocks["aws_ecs_service.main"]).expect("a known type");
        assert_eq!(told, Err(Unknown("`task_definition` is not known before an apply".to_owned())));
    }

    #[test]
    fn databases_are_counted_by_their_size() {
        let resources = json!({
            "aws_db_instance": { "main": {
                "instance_class": "db.m7g.large", "multi_az": true, "storage_type": "gp3", "allocated_storage": 100,
                "manage_master_user_password": true,
            } },
            "aws_rds_cluster": { "main": {
                "serverlessv2_scaling_configuration": { "min_capacity": 4, "max_capacity": 32 },
                "manage_master_user_password": true,
            } },
            "aws_rds_cluster_instance": { "main_1": {
                "instance_class": "db.serverless", "cluster_identifier": "${aws_rds_cluster.main.id}",
            } },
            "aws_dynamodb_table": {
                "a": { "billing_mode": "PROVISIONED", "read_capacity": 5, "write_capacity": 2,
                    "global_secondary_index": [{ "read_capacity": 1, "write_capacity": 1 }] },
                "b": { "billing_mode": "PAY_PER_REQUEST" },
            },
        });
        assert_eq!(
            charges(&resources, "aws_db_instance.main"),
            pairs(&[
                ("rds-instance:db.m7g.large:multi-az", "1"),
                ("rds-storage:gp3:multi-az", "100"),
                ("secret", "1")
            ])
        );
        assert_eq!(charges(&resources, "aws_rds_cluster.main"), pairs(&[("secret", "1")]));
        assert_eq!(
            charges(&resources, "aws_rds_cluster_instance.main_1"),
            pairs(&[("aurora-capacity", "4")])
        );
        assert_eq!(
            charges(&resources, "aws_dynamodb_table.a"),
            pairs(&[("dynamodb-read-unit", "6"), ("dynamodb-write-unit", "3")])
        );
        assert_eq!(charges(&resources, "aws_dynamodb_table.b"), []);
    }

    #[test]
    fn alarms_are_counted_by_metrics_and_secrets_by_copies() {
        let metric = |period| json!({ "id": "m", "metric": { "period": period } });
        let sum = json!({ "id": "e", "expression": "m" });
        let resources = json!({
            "aws_cloudwatch_metric_alarm": {
                "plain": { "period": 60 },
                "made": { "metric_query": [sum, metric(300), metric(60)] },
                "fast": { "period": 10 },
            },
            "aws_secretsmanager_secret": { "key": { "replica": [{ "region": "us-west-2" }] } },
            "aws_wafv2_web_acl": { "main": { "rule": [{}, {}, {}] } },
        });
        assert_eq!(charges(&resources, "aws_cloudwatch_metric_alarm.plain"), pairs(&[("alarm", "1")]));
        assert_eq!(charges(&resources, "aws_cloudwatch_metric_alarm.made"), pairs(&[("alarm", "2")]));
        assert_eq!(
            charges(&resources, "aws_cloudwatch_metric_alarm.fast"),
            pairs(&[("high-resolution-alarm", "1")])
        );
        assert_eq!(
            charges(&resources, "aws_secretsmanager_secret.key"),
            pairs(&[("secret", "1"), ("secret", "1")])
        );
        assert_eq!(
            charges(&resources, "aws_wafv2_web_acl.main"),
            pairs(&[("web-acl", "1"), ("web-acl-rule", "3")])
        );
    }
}
