//! What the audit trail shows: the fourteen metric filters of the CIS AWS Foundations Benchmark 1.4 (4.1 to 4.14), which
//! Security Hub checks as CloudWatch.1 to CloudWatch.14, and the fifteenth (4.15) on organizations. PCI 10.4.1.1.
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html>
//!
//! The patterns are spelled as Security Hub spells them: a filter with one term more or less does not count.

use aws::CloudwatchLogGroupHandle;
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use super::logging::{count, derived};
use crate::alarm::table::*;
use crate::alarm::{Alarm, Bad, Entry, Measure, Missing, Notice};
use crate::config::EnvConfig;

/// A filter on the trail and its alarm.
struct Filter {
    alarm: &'static Entry,
    metric: &'static str,
    pattern: String,
    /// Events in five minutes.
    threshold: u32,
}

/// Adds the filters and their alarms.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    trail: &CloudwatchLogGroupHandle,
) -> Vec<Expr<Text>> {
    let filters =
        people().into_iter().chain(controls()).chain(network()).chain(config.dns.create_zone.then(zone));
    filters
        .map(|filter| {
            let Filter { alarm: entry, metric, pattern, threshold } = filter;
            count(stack, config, &entry.name.replace('-', "_"), trail, metric, pattern);
            let alarm = Alarm {
                notice: Notice::of(entry),
                measure: Measure::Of(derived(config, metric)),
                bad: Bad::AtLeast(threshold.into()),
                period_seconds: 300,
                of: (1, 1),
                missing: Missing::Fine,
            };
            alarm.add(stack, config, inputs.topics).arn()
        })
        .collect()
}

/// Any of these calls, of one service or, where their names are its own, of any.
fn any_of<const N: usize>(source: Option<&str>, names: [&str; N]) -> String {
    let names = names.map(|name| format!("($.eventName={name})")).join(" || ");
    match source {
        Some(source) => format!("{{($.eventSource={source}) && ({names})}}"),
        None => format!("{{{names}}}"),
    }
}

/// Who gets in, and what they try. IAM reports to EventBridge in us-east-1 alone, and to the trail from everywhere.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
fn people() -> [Filter; 6] {
    [
        Filter {
            alarm: &PASSWORD_POLICY_CHANGED,
            metric: "PasswordPolicyChanged",
            pattern: any_of(
                Some("iam.amazonaws.com"),
                ["UpdateAccountPasswordPolicy", "DeleteAccountPasswordPolicy"],
            ),
            threshold: 1,
        },
        Filter {
            alarm: &ROOT_USED,
        metric: "RootUsed",
            pattern: "{$.userIdentity.type=\"Root\" && $.userIdentity.invokedBy NOT EXISTS && $.eventType \
                      !=\"AwsServiceEvent\"}"
                .to_owned(),
            threshold: 1,
        },
        Filter {
            alarm: &CALLS_REFUSED,
        metric: "CallsRefused",
            pattern: "{($.errorCode=\"*UnauthorizedOperation\") || ($.errorCode=\"AccessDenied*\")}".to_owned(),
            threshold: 5,
        },
        Filter {
            alarm: &LOGIN_WITHOUT_MFA,
        metric: "LoginWithoutMfa",
            pattern: "{ ($.eventName = \"ConsoleLogin\") && ($.additionalEventData.MFAUsed != \"Yes\") && \
                      ($.userIdentity.type = \"IAMUser\") && ($.responseElements.ConsoleLogin = \"Success\") }"
                .to_owned(),
            threshold: 1,
        },
        Filter {
            alarm: &LOGIN_FAILED,
        metric: "LoginFailed",
            pattern: "{($.eventName=ConsoleLogin) && ($.errorMessage=\"Failed authentication\")}".to_owned(),
            threshold: 5,
        },
        Filter {
            alarm: &IAM_CHANGED,
        metric: "IamChanged",
            pattern: any_of(
                Some("iam.amazonaws.com"),
                [
                    "DeleteGroupPolicy",
                    "DeleteRolePolicy",
                    "DeleteUserPolicy",
                    "PutGroupPolicy",
                    "PutRolePolicy",
                    "PutUserPolicy",
                    "CreatePolicy",
                    "DeletePolicy",
                    "CreatePolicyVersion",
                    "DeletePolicyVersion",
                    "AttachRolePolicy",
                    "DetachRolePolicy",
                    "AttachUserPolicy",
                    "DetachUserPolicy",
                    "AttachGroupPolicy",
                    "DetachGroupPolicy",
                ],
            ),
            threshold: 1,
        },
    ]
}

/// What happens to controls, in every region: rules on events see their own alone.
fn controls() -> [Filter; 5] {
    let changed = |alarm, metric, pattern| Filter { alarm, metric, pattern, threshold: 1 };
    [
        changed(
            &TRAIL_CONFIGURED,
            "TrailConfigured",
            any_of(None, ["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"]),
        ),
        changed(
            &KEYS_CHANGED,
            "KeysChanged",
            any_of(Some("kms.amazonaws.com"), ["DisableKey", "ScheduleKeyDeletion"]),
        ),
        changed(
            &BUCKETS_CHANGED,
            "BucketsChanged",
            any_of(
                Some("s3.amazonaws.com"),
                [
                    "PutBucketAcl",
                    "PutBucketPolicy",
                    "PutBucketCors",
                    "PutBucketLifecycle",
                    "PutBucketReplication",
                    "DeleteBucketPolicy",
                    "DeleteBucketCors",
                    "DeleteBucketLifecycle",
                    "DeleteBucketReplication",
                ],
            ),
        ),
        changed(
            &RECORDER_CONFIGURED,
            "RecorderConfigured",
            any_of(
                Some("config.amazonaws.com"),
                [
                    "StopConfigurationRecorder",
                    "DeleteDeliveryChannel",
                    "PutDeliveryChannel",
                    "PutConfigurationRecorder",
                ],
            ),
        ),
        changed(
            &ORGANIZATION_CHANGED,
            "OrganizationChanged",
            any_of(
                Some("organizations.amazonaws.com"),
                [
                    "AcceptHandshake",
                    "AttachPolicy",
                    "CreateAccount",
                    "CreateOrganizationalUnit",
                    "CreatePolicy",
                    "DeclineHandshake",
                    "DeleteOrganization",
                    "DeleteOrganizationalUnit",
                    "DeletePolicy",
                    "DetachPolicy",
                    "DisablePolicyType",
                    "EnablePolicyType",
                    "InviteAccountToOrganization",
                    "LeaveOrganization",
                    "MoveAccount",
                    "RemoveAccountFromOrganization",
                    "UpdateOrganizationalUnit",
                    "UpdatePolicy",
                ],
            ),
        ),
    ]
}

/// The hosted zone, whose calls no rule on events sees outside Route 53's own region.
fn zone() -> Filter {
    Filter {
        alarm: &ZONE_WEAKENED,
        metric: "ZoneWeakened",
        pattern: any_of(
            Some("route53.amazonaws.com"),
            [
                "DeleteHostedZone",
                "DeleteQueryLoggingConfig",
                "DisableHostedZoneDNSSEC",
                "DeactivateKeySigningKey",
                "DeleteKeySigningKey",
            ],
        ),
        threshold: 1,
    }
}

/// Who may speak to whom (PCI 1.2.2).
fn network() -> [Filter; 5] {
    let changed = |alarm, metric, pattern| Filter { alarm, metric, pattern, threshold: 1 };
    [
        changed(
            &SECURITY_GROUPS_CHANGED,
            "SecurityGroupsChanged",
            any_of(
                None,
                [
                    "AuthorizeSecurityGroupIngress",
                    "AuthorizeSecurityGroupEgress",
                    "RevokeSecurityGroupIngress",
                    "RevokeSecurityGroupEgress",
                    "CreateSecurityGroup",
                    "DeleteSecurityGroup",
                ],
            ),
        ),
        changed(
            &NETWORK_ACLS_CHANGED,
            "NetworkAclsChanged",
            any_of(
                None,
                [
                    "CreateNetworkAcl",
                    "CreateNetworkAclEntry",
                    "DeleteNetworkAcl",
                    "DeleteNetworkAclEntry",
                    "ReplaceNetworkAclEntry",
                    "ReplaceNetworkAclAssociation",
                ],
            ),
        ),
        changed(
            &GATEWAYS_CHANGED,
            "GatewaysChanged",
            any_of(
                None,
                [
                    "CreateCustomerGateway",
                    "DeleteCustomerGateway",
                    "AttachInternetGateway",
                    "CreateInternetGateway",
                    "DeleteInternetGateway",
                    "DetachInternetGateway",
                ],
            ),
        ),
        changed(
            &ROUTES_CHANGED,
            "RoutesChanged",
            any_of(
                Some("ec2.amazonaws.com"),
                [
                    "CreateRoute",
                    "CreateRouteTable",
                    "ReplaceRoute",
                    "ReplaceRouteTableAssociation",
                    "DeleteRouteTable",
                    "DeleteRoute",
                    "DisassociateRouteTable",
                ],
            ),
        ),
        changed(
            &VPCS_CHANGED,
            "VpcsChanged",
            any_of(
                None,
                [
                    "CreateVpc",
                    "DeleteVpc",
                    "ModifyVpcAttribute",
                    "AcceptVpcPeeringConnection",
                    "CreateVpcPeeringConnection",
                    "DeleteVpcPeeringConnection",
                    "RejectVpcPeeringConnection",
                    "AttachClassicLinkVpc",
                    "DetachClassicLinkVpc",
                    "DisableVpcClassicLink",
                    "EnableVpcClassicLink",
                ],
            ),
        ),
    ]
}
