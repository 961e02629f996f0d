//! AWS Config: what every resource of the account looks like, looked like, and should look like (PCI 11.5.2, 12.5.1).

use aws::config_config_rule as rule;
use aws::config_configuration_aggregator as aggregator;
use aws::config_configuration_recorder as recorder;
use aws::config_delivery_channel as channel;
use aws::{
    ConfigConfigRule, ConfigConfigRuleOptional, ConfigConfigurationAggregator,
    ConfigConfigurationAggregatorOptional, ConfigConfigurationRecorder, ConfigConfigurationRecorderHandle,
    ConfigConfigurationRecorderOptional, ConfigConfigurationRecorderStatus,
    ConfigConfigurationRecorderStatusHandle, ConfigConformancePack, ConfigConformancePackOptional,
    ConfigDeliveryChannel, ConfigDeliveryChannelHandle, ConfigDeliveryChannelOptional, IamServiceLinkedRole,
};
use terraform::{Expr, Meta, Stack, set};

use super::{Inputs, conformance};
use crate::config::{EnvConfig, Tags};

/// Recorder, channel, and only then the recording: it does not start without a channel.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
) -> ConfigConfigurationRecorderStatusHandle {
    let recorder = recorder(stack, config);
    let channel = channel(stack, config, inputs, &recorder);
    let recording = stack.add_with(
        "main",
        Meta::new().depends_on(&channel),
        ConfigConfigurationRecorderStatus { name: recorder.name(), is_enabled: set(true) },
    );
    aggregator(stack, config);
    web_acl(stack, &recording);
    required_tags(stack, &recording);
    if config.detection.conformance_pack && conformance::has_any(config) {
        conformance_pack(stack, config, inputs, &recording);
    }
    recording
}

/// Every resource of every kind, with AWS's own role for it: Security Hub Config.1 asks for both, and by that role's
/// policy AWS Config may read what it records, key policies among it (KMS.5).
/// <https://docs.aws.amazon.com/config/latest/developerguide/using-service-linked-roles.html>
fn recorder(stack: &mut Stack<'_>, config: &EnvConfig) -> ConfigConfigurationRecorderHandle {
    let mut meta = Meta::new().prevent_destroy(config.protection);
    if config.detection.config_service_role {
        let role = IamServiceLinkedRole {
            aws_service_name: set("config.amazonaws.com"),
            optional: Default::default(),
        };
        meta = meta.depends_on(&stack.add("config", role));
    }
    let role = format!(
        "arn:{}:iam::{}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig",
        config.partition(),
        config.account_id
    );
    stack.add_with(
        "main",
        meta,
        ConfigConfigurationRecorder {
            role_arn: Expr::external(role),
            optional: ConfigConfigurationRecorderOptional {
                name: set(config.names.prefix().to_owned()),
                recording_group: set(recorder::RecordingGroup {
                    all_supported: set(true),
                    include_global_resource_types: set(true),
                    ..Default::default()
                }),
                ..Default::default()
            },
        },
    )
}

fn channel(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    recorder: &ConfigConfigurationRecorderHandle,
) -> ConfigDeliveryChannelHandle {
    let bucket = &inputs.buckets.config;
    stack.add_with(
        "main",
        bucket.before(Meta::new().depends_on(recorder)),
        ConfigDeliveryChannel {
            s3_bucket_name: set(bucket.id()),
            optional: ConfigDeliveryChannelOptional {
                name: set(config.names.prefix().to_owned()),
                s3_kms_key_arn: set(inputs.keys.logs.arn()),
                // The whole inventory once a day, besides every change as it comes.
                snapshot_delivery_properties: set(channel::SnapshotDeliveryProperties {
                    delivery_frequency: set("TwentyFour_Hours"),
                }),
                ..Default::default()
            },
        },
    )
}

/// What any region's recorder knows of this account, seen in one place: also that a region has none.
fn aggregator(stack: &mut Stack<'_>, config: &EnvConfig) {
    stack.add(
        "account",
        ConfigConfigurationAggregator {
            name: set(config.names.of("account")),
            optional: ConfigConfigurationAggregatorOptional {
                account_aggregation_source: set(aggregator::AccountAggregationSource {
                    account_ids: set([config.account_id.to_string()]),
                    optional: aggregator::AccountAggregationSourceOptional {
                        all_regions: set(true),
                        ..Default::default()
                    },
                }),
                ..Default::default()
            },
        },
    );
}

/// What PCI DSS asks for first of all and no control of Security Hub's two standards looks at, nor a rule of the
/// conformance pack: that every load balancer has a web ACL (PCI 6.4.2). Every partition has this rule.
/// <https://docs.aws.amazon.com/config/latest/developerguide/alb-waf-enabled.html>
fn web_acl(stack: &mut Stack<'_>, recording: &ConfigConfigurationRecorderStatusHandle) {
    stack.add_with(
        "web_acl",
        Meta::new().depends_on(recording),
        ConfigConfigRule {
            name: set("alb-waf-enabled"),
            source: rule::Source {
                owner: set("AWS"),
                optional: rule::SourceOptional {
                    source_identifier: set("ALB_WAF_ENABLED"),
                    ..Default::default()
                },
            },
            optional: ConfigConfigRuleOptional {
                description: set("Every load balancer has a web ACL (PCI DSS 6.4.2)"),
                ..Default::default()
            },
        },
    );
}

/// The central tags, on whatever is in the account: by hand or by other tools made as well. AWS Config compares keys as they
/// are written, and takes six at the most.
/// <https://docs.aws.amazon.com/config/latest/developerguide/required-tags.html>
fn required_tags(stack: &mut Stack<'_>, recording: &ConfigConfigurationRecorderStatusHandle) {
    let keys = Tags::OWN_KEYS.into_iter().filter(|key| *key != Tags::COST_CENTER);
    let parameters: Vec<String> =
        keys.enumerate().map(|(at, key)| format!("\"tag{}Key\":\"{key}\"", at + 1)).collect();
    stack.add_with(
        "required_tags",
        Meta::new().depends_on(recording),
        ConfigConfigRule {
            name: set("required-tags"),
            source: rule::Source {
                owner: set("AWS"),
                optional: rule::SourceOptional {
                    source_identifier: set("REQUIRED_TAGS"),
                    ..Default::default()
                },
            },
            optional: ConfigConfigRuleOptional {
                description: set("Every resource bears the central tags"),
                input_parameters: set(format!("{{{}}}", parameters.join(","))),
                ..Default::default()
            },
        },
    );
}

fn conformance_pack(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    recording: &ConfigConfigurationRecorderStatusHandle,
) {
    stack.add_with(
        "pci",
        Meta::new().depends_on(recording),
        ConfigConformancePack {
            name: set(config.names.of("pci-dss-4")),
            optional: ConfigConformancePackOptional {
                template_body: set(conformance::pack(config, inputs)),
                ..Default::default()
            },
        },
    );
}
