//! The public hosted zone, where it is made here: its queries are logged and, if wanted, its answers signed.
//!
//! Route 53 answers everywhere, but logs queries and takes signing keys in one region alone. Where the environment lies
//! in another, `provider` is that region's. A zone that is looked up instead is logged and signed by whoever made it.

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::ResourcePolicy;
use aws::{
    KmsAlias, KmsAliasOptional, KmsKey, KmsKeyHandle, Route53HostedZoneDnssec,
    Route53HostedZoneDnssecOptional, Route53KeySigningKey, Route53KeySigningKeyOptional, Route53QueryLog,
    Route53Zone, Route53ZoneHandle, Route53ZoneOptional,
};
use terraform::{Meta, ProviderRef, Resource, Stack, set};

use crate::config::EnvConfig;
use crate::stacks::{kms, logs};

/// The zone that was made.
pub struct Zone {
    /// The zone.
    pub zone: Route53ZoneHandle,
    /// The provider of the region that the zone is measured in, if that is not the environment's.
    pub abroad: Option<ProviderRef>,
}

/// Builds the zone. Whether there is one, `dns.create_zone` says.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    logs: &logs::QueryLog,
    provider: Option<&ProviderRef>,
) -> Zone {
    let zone = stack.add_with(
        "main",
        // The name servers are drawn by lot: a zone that is made again is another one to its parent.
        Meta::new().prevent_destroy(config.protection),
        Route53Zone {
            name: set(config.hosted_zone.to_string()),
            optional: Route53ZoneOptional {
                comment: set(format!("The zone of {}", config.domain)),
                force_destroy: set(!config.protection),
                ..Default::default()
            },
        },
    );
    stack.add_with(
        "main",
        Meta::new().depends_on(&logs.delivery),
        Route53QueryLog { cloudwatch_log_group_arn: set(logs.group.arn()), zone_id: set(zone.zone_id()) },
    );
    stack.output(
        "name_servers",
        "The name servers that the parent of the hosted zone has to delegate to.",
        zone.name_servers(),
    );
    if config.dns.dnssec {
        sign(stack, config, &zone, provider);
    }
    Zone { zone, abroad: provider.cloned() }
}

/// Answers are signed once the parent knows the key by the record in the output; before, nobody asks for signatures.
fn sign(stack: &mut Stack<'_>, config: &EnvConfig, zone: &Route53ZoneHandle, provider: Option<&ProviderRef>) {
    let key = signing_key(stack, config, provider);
    let signs = stack.add(
        "main",
        Route53KeySigningKey {
            hosted_zone_id: set(zone.zone_id()),
            key_management_service_arn: set(key.arn()),
            // Letters, digits and underscores.
            name: set(config.names.prefix().replace('-', "_")),
            optional: Route53KeySigningKeyOptional { status: set("ACTIVE") },
        },
    );
    stack.add_with(
        "main",
        // Signing stops before its key goes, in this order.
        Meta::new().depends_on(&signs),
        Route53HostedZoneDnssec {
            hosted_zone_id: set(zone.zone_id()),
            optional: Route53HostedZoneDnssecOptional { signing_status: set("SIGNING") },
        },
    );
    stack.output(
        "ds_record",
        "The DS record that the parent of the hosted zone needs before signatures count.",
        signs.ds_record(),
    );
}

/// The key that signs the zone's keys. KMS rotates no asymmetric key by itself: a new one is announced to the parent first.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-configuring-dnssec-cmk-requirements.html>
fn signing_key(stack: &mut Stack<'_>, config: &EnvConfig, provider: Option<&ProviderRef>) -> KmsKeyHandle {
    let key = stack.add_with(
        "dnssec",
        meta(provider).prevent_destroy(config.protection),
        KmsKey {
            customer_master_key_spec: set("ECC_NIST_P256"),
            deletion_window_in_days: set(config.kms.deletion_window_days.get()),
            description: set(format!("{}: signatures of the hosted zone", config.names.prefix())),
            key_usage: set("SIGN_VERIFY"),
            policy: set(Policy::new(statements(config))),
            ..Default::default()
        },
    );
    stack.add_with(
        "dnssec",
        meta(provider),
        KmsAlias {
            target_key_id: set(key.key_id()),
            optional: KmsAliasOptional { name: set(config.names.key_alias("dnssec")), ..Default::default() },
        },
    );
    key
}

fn meta<R: Resource>(provider: Option<&ProviderRef>) -> Meta<R> {
    provider.map_or_else(Meta::new, |provider| Meta::new().provider(provider))
}

fn statements(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let zones = format!("arn:{}:route53:::hostedzone/*", config.partition());
    let service = || Principal::service("dnssec-route53.amazonaws.com");
    let of_account = |statement: Statement<ResourcePolicy>| {
        statement
            .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
            .when(Condition::arn_like("aws:SourceArn", [zones.clone()]))
    };
    let sign = ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"];
    let mut all = vec![kms::account(config)];
    all.extend(kms::administrators(config));
    all.push(of_account(Statement::<ResourcePolicy>::allow("Route53Signs", service(), sign, kms::THIS_KEY)));
    let grant =
        Statement::<ResourcePolicy>::allow("Route53Grants", service(), ["kms:CreateGrant"], kms::THIS_KEY);
    all.push(of_account(grant).when(Condition::bool("kms:GrantIsForAWSResource", true)));
    all
}

#[cfg(test)]
mod tests {
    use crate::stacks::probe::*;

    const MADE: &str = "dns.create_zone = true\n";
    const SIGNED: &str = "dns.create_zone = true\ndns.dnssec = true\n";
    const ABROAD: &str = "region = \"eu-central-1\"\ndns.create_zone = true\ndns.dnssec = true\n";

    #[test]
    fn a_zone_is_looked_up_by_its_id_or_by_its_name() {
        let root = platform("dns.hosted_zone_id = \"Z0123456789ABCDEFGHIJ\"\n");
        let zone = node(&root, "data.aws_route53_zone.main");
        assert_eq!(text_at(zone, "zone_id"), "Z0123456789ABCDEFGHIJ");
        assert!(zone.argument("name").is_none());
        assert_eq!(text_at(node(&platform(""), "data.aws_route53_zone.main"), "name"), "example.com");
    }

    #[test]
    fn a_zone_that_is_made_is_not_looked_up_logs_its_queries_and_stays() {
        let root = platform(MADE);
        assert!(root.find("data.aws_route53_zone.main").is_none());
        let zone = node(&root, "aws_route53_zone.main");
        assert_eq!(text_at(zone, "name"), "example.com");
        assert!(zone.prevent_destroy());
        assert_eq!(at(zone, "force_destroy"), &terraform::Value::Bool(false));
        let log = node(&root, "aws_route53_query_log.main");
        assert_eq!(written(at(log, "zone_id")), "aws_route53_zone.main.zone_id");
        assert_eq!(written(at(log, "cloudwatch_log_group_arn")), "aws_cloudwatch_log_group.queries.arn");
        let record = node(&root, "aws_route53_record.service_ipv4");
        assert_eq!(written(at(record, "zone_id")), "aws_route53_zone.main.zone_id");
        assert!(nodes(&root, "aws_route53_key_signing_key").is_empty());
        assert!(!node(&platform(&format!("{FLEETING}{MADE}")), "aws_route53_zone.main").prevent_destroy());
    }

    #[test]
    fn route_53_may_write_the_log_and_cloudwatch_encrypt_it() {
        let root = platform(MADE);
        assert!(root.providers("aws").all(|(alias, _)| alias.is_none()));
        let group = node(&root, "aws_cloudwatch_log_group.queries");
        assert_eq!(text_at(group, "name"), "/aws/route53/example.com");
        assert_eq!(written(at(group, "kms_key_id")), "aws_kms_key.logs.arn");
        let policy = node(&root, "aws_cloudwatch_log_resource_policy.delivery");
        let queries = statement(policy, "policy_document", "Queries").expect("a statement");
        assert_eq!(condition(queries, "aws:SourceAccount").len(), 1);
        assert!(
            statement(
                node(&platform(""), "aws_cloudwatch_log_resource_policy.delivery"),
                "policy_document",
                "Queries"
            )
            .is_none()
        );
    }

    #[test]
    fn in_another_region_the_log_its_key_and_its_alarms_topic_lie_where_route_53_is() {
        let root = platform(ABROAD);
        let at_home = Some("aws.us_east_1");
        for address in [
            "aws_cloudwatch_log_group.queries",
            "aws_cloudwatch_log_resource_policy.queries",
            "aws_cloudwatch_log_subscription_filter.queries",
            "aws_cloudwatch_log_destination.queries",
            "aws_kms_key.zone",
            "aws_kms_key.dnssec",
            "aws_sns_topic.page_us_east_1",
            "aws_cloudwatch_metric_alarm.zone_signing_failed",
        ] {
            assert_eq!(node(&root, address).provider(), at_home, "{address}");
        }
        let group = node(&root, "aws_cloudwatch_log_group.queries");
        assert_eq!(written(at(group, "kms_key_id")), "aws_kms_key.zone.arn");
        let named = |key: &str| {
            let statement = statement(node(&root, key), "policy", "LogGroups").expect("a statement");
            let arns = condition(statement, "kms:EncryptionContext:aws:logs:arn");
            arns.iter().any(|arn| arn.as_str().is_some_and(|arn| arn.contains(":us-east-1:")))
        };
        assert!(named("aws_kms_key.zone") && !named("aws_kms_key.logs"));
        let alarm = node(&root, "aws_cloudwatch_metric_alarm.zone_signing_failed");
        assert_eq!(all_written(at(alarm, "alarm_actions")), ["aws_sns_topic.page_us_east_1.arn"]);
        let filter = node(&root, "aws_cloudwatch_log_subscription_filter.queries");
        assert_eq!(written(at(filter, "destination_arn")), "aws_cloudwatch_log_destination.queries.arn");
        assert!(filter.argument("role_arn").is_none());
    }

    #[test]
    fn a_signed_zone_has_a_key_that_route_53_alone_signs_with() {
        let root = platform(SIGNED);
        let key = node(&root, "aws_kms_key.dnssec");
        assert_eq!(text_at(key, "customer_master_key_spec"), "ECC_NIST_P256");
        assert_eq!(text_at(key, "key_usage"), "SIGN_VERIFY");
        assert!(key.argument("enable_key_rotation").is_none(), "KMS refuses to rotate it");
        let signs = statement(key, "policy", "Route53Signs").expect("a statement");
        assert_eq!(condition(signs, "aws:SourceAccount"), [terraform::Value::string("111122223333")]);
        let dnssec = node(&root, "aws_route53_hosted_zone_dnssec.main");
        let depends = dnssec.edges().iter().map(|edge| root.nodes()[edge.to].address().to_string());
        assert!(depends.collect::<Vec<_>>().contains(&"aws_route53_key_signing_key.main".to_owned()));
        assert_eq!(text_at(node(&root, "aws_route53_key_signing_key.main"), "name"), "txn_reconcile_test");
    }
}
