//! The trail: who did what in the account, in every region, where nobody can change it (PCI 10.2.1, 10.3.2).

use aws::cloudtrail as ct;
use aws::document::policy::{Policy, Principal, Statement};
use aws::kind::{IdentityPolicy, TrustPolicy};
use aws::{
    Cloudtrail, CloudtrailHandle, CloudtrailOptional, CloudwatchLogGroupHandle, IamRoleHandle, IamRolePolicy,
    IamRolePolicyHandle, IamRolePolicyOptional,
};
use terraform::{Meta, NonEmpty, Stack, set, text};

use super::Inputs;
use crate::config::EnvConfig;
use crate::stacks::role;

pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    group: &CloudwatchLogGroupHandle,
) -> CloudtrailHandle {
    let (role, policy) = writer(stack, config, group);
    let audit = &inputs.buckets.audit;
    let trail = stack.add_with(
        "main",
        // CloudTrail tries both ways out when the trail is made.
        audit.before(Meta::new().prevent_destroy(config.protection)).depends_on(&policy),
        Cloudtrail {
            name: set(config.names.prefix().to_owned()),
            s3_bucket_name: set(audit.id()),
            optional: CloudtrailOptional {
                enable_logging: set(true),
                is_multi_region_trail: set(true),
                include_global_service_events: set(true),
                // Digests, signed and chained, show that no file was changed or removed (PCI 10.3.4, 11.5.2).
                enable_log_file_validation: set(true),
                kms_key_id: set(inputs.keys.logs.arn()),
                cloud_watch_logs_group_arn: set(text![group.arn(), ":*"]),
                cloud_watch_logs_role_arn: set(role.arn()),
                advanced_event_selector: selectors(config),
                insight_selector: insights(config),
                ..Default::default()
            },
        },
    );
    stack.output("trail_arn", "The account's trail.", trail.arn());
    trail
}

/// What is recorded. Where data events are asked for, management events must be asked for as well, or they stop.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html>
fn selectors(config: &EnvConfig) -> Vec<ct::AdvancedEventSelector> {
    let mut all = vec![selector("Management events", NonEmpty::one(field("eventCategory", "Management")))];
    // Every bucket and every table, of reading and of writing: what is in scope is not for a filter to forget, and
    // Security Hub (S3.22, S3.23) accepts nothing less. The audit bucket is among them (PCI 10.2.1.3).
    if config.detection.object_events {
        all.push(data("Objects of every bucket", "AWS::S3::Object"));
    }
    if config.detection.item_events {
        all.push(data("Items of every table", "AWS::DynamoDB::Table"));
    }
    all
}

fn data(name: &'static str, resource_type: &'static str) -> ct::AdvancedEventSelector {
    let rest = [field("resources.type", resource_type)];
    selector(name, NonEmpty::new(field("eventCategory", "Data"), rest))
}

fn selector(name: &'static str, field_selector: NonEmpty<ct::FieldSelector>) -> ct::AdvancedEventSelector {
    let optional = ct::AdvancedEventSelectorOptional { name: set(name) };
    ct::AdvancedEventSelector { field_selector, optional }
}

fn field(field: &'static str, value: &'static str) -> ct::FieldSelector {
    let optional = ct::FieldSelectorOptional { equals: set([value]), ..Default::default() };
    ct::FieldSelector { field: set(field), optional }
}

fn insights(config: &EnvConfig) -> Vec<ct::InsightSelector> {
    let types = ["ApiCallRateInsight", "ApiErrorRateInsight"].into_iter();
    let wanted = types.filter(|_| config.detection.trail_insights);
    wanted.map(|insight| ct::InsightSelector { insight_type: set(insight) }).collect()
}

/// The role that CloudTrail writes to the log group as, in streams of its own. Its trust has no condition: AWS documents
/// none that CloudTrail would fulfil here, and only who may pass the role can hand it to a trail.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html>
fn writer(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    group: &CloudwatchLogGroupHandle,
) -> (IamRoleHandle, IamRolePolicyHandle) {
    let trust = Statement::<TrustPolicy>::assume("Trail", Principal::service("cloudtrail.amazonaws.com"));
    let role = role::add(stack, config, "trail", "Writes the trail's events to their log group", trust);
    let streams = format!(":log-stream:{}_CloudTrail_{}*", config.account_id, config.region);
    let statement = Statement::<IdentityPolicy>::allow(
        "WriteLog",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [text![group.arn(), streams]],
    );
    let policy = stack.add(
        "trail",
        IamRolePolicy {
            role: set(role.name()),
            policy: set(Policy::new([statement])),
            optional: IamRolePolicyOptional { name: set("trail"), ..Default::default() },
        },
    );
    (role, policy)
}
