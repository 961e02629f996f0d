//! The VPC's flow logs, of accepted and of rejected traffic (PCI 10.2.1, Security Hub EC2.6).

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::flow_log::DestinationOptions;
use aws::kind::{IdentityPolicy, VpcId};
use aws::{
    CloudwatchLogGroupHandle, FlowLog, IamRoleHandle, IamRolePolicy, IamRolePolicyHandle,
    IamRolePolicyOptional,
};
use terraform::{Expr, Meta, Stack, set, text};

use super::storage;
use crate::config::EnvConfig;
use crate::stacks::role;

/// Sends the flow logs to the log group and, if asked, to the audit bucket.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    vpc: &Expr<VpcId>,
    group: &CloudwatchLogGroupHandle,
    buckets: &storage::Outputs,
) {
    let flow = &config.network.flow_logs;
    let (role, policy) = writer(stack, config, group);
    stack.add_with(
        "log_group",
        Meta::new().depends_on(&policy),
        FlowLog {
            vpc_id: set(vpc.clone()),
            traffic_type: set("ALL"),
            log_destination_type: set("cloud-watch-logs"),
            log_destination: set(group.arn()),
            iam_role_arn: set(role.arn()),
            max_aggregation_interval: set(flow.aggregation_seconds.get()),
            tags: set([("Name", config.names.of("flow-log-group"))]),
            ..Default::default()
        },
    );
    if flow.s3 {
        stack.add_with(
            "audit_bucket",
            buckets.audit.before(Meta::new()),
            FlowLog {
                vpc_id: set(vpc.clone()),
                traffic_type: set("ALL"),
                log_destination_type: set("s3"),
                log_destination: set(buckets.audit.arn()),
                max_aggregation_interval: set(flow.aggregation_seconds.get()),
                // Partitioned by the hour and in columns, a year of records stays searchable.
                destination_options: set(DestinationOptions {
                    file_format: set("parquet"),
                    hive_compatible_partitions: set(false),
                    per_hour_partition: set(true),
                }),
                tags: set([("Name", config.names.of("flow-log-bucket"))]),
                ..Default::default()
            },
        );
    }
}

/// The role that the flow logs' service writes with. Only the service may assume it, and only on behalf of flow
/// logs of this account and region, so that nobody else's can be made to write here (confused deputy):
/// <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html>
fn writer(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    group: &CloudwatchLogGroupHandle,
) -> (IamRoleHandle, IamRolePolicyHandle) {
    let account = config.account_id.to_string();
    let trust = Statement::assume("FlowLogs", Principal::service("vpc-flow-logs.amazonaws.com"))
        .when(Condition::string_equals("aws:SourceAccount", [account]))
        .when(Condition::arn_like("aws:SourceArn", [config.arn("ec2", "vpc-flow-log/*")]));
    let role = stack.add(
        "flow_logs",
        role::new(
            config,
            "flow-logs",
            "Writes the VPC's flow logs to their log group.",
            Policy::new([trust]),
        ),
    );
    let write = Statement::<IdentityPolicy>::allow(
        "WriteStreams",
        ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        [text![group.arn(), ":*"]],
    );
    // The service looks the group up by name before it writes, and AWS names no resource for that action.
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
    let find = Statement::<IdentityPolicy>::allow("FindGroup", ["logs:DescribeLogGroups"], ["*"]);
    let policy = stack.add(
        "flow_logs",
        IamRolePolicy {
            role: role.name(),
            policy: set(Policy::new([write, find])),
            optional: IamRolePolicyOptional { name: set("write-flow-logs"), ..Default::default() },
        },
    );
    (role, policy)
}
