//! What the audit trail shows: the fourteen metric filters of the CIS AWS Foundations Benchmark 1.4 (4.1 to 4.14), which
//! Security Hub checks as CloudWatch.1 to CloudWatch.14, and the fifteenth (4.15) on organizations. PCI 10.4.1.1.
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html>
//!
//! The patterns are spelled as Security Hub spells them: a filter with one term more or less does not count.

use aws::CloudwatchLogGroupHandle;
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use super::alarm::{Alarm, Bad, Measure, Missing};
use super::logging::{count, derived};
use super::notice::Notice;
use crate::config::EnvConfig;
use crate::names::Topic;

/// A filter on the trail and its alarm.
struct Filter {
    name: &'static str,
    metric: &'static str,
    to: Topic,
    means: &'static str,
    first: &'static str,
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
            let Filter { name, metric, to, means, first, pattern, threshold } = filter;
            count(stack, config, &name.replace('-', "_"), trail, metric, pattern);
            let alarm = Alarm {
                notice: Notice { name, instance: None, to, means, first },
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

const WHO: &str = "find the call in the trail and ask whoever made it; an apply of this module is announced.";

/// Who gets in, and what they try.
fn people() -> [Filter; 5] {
    [
        Filter {
            name: "root-used",
            metric: "RootUsed",
            to: Topic::Page,
            means: "The account's root user was used, which nothing needs day by day (PCI 8.2.2).",
            first: "run the saved query of the root user's calls; if nobody knows of them, change its password, remove \
                    its access keys and treat it as an incident.",
            pattern: "{$.userIdentity.type=\"Root\" && $.userIdentity.invokedBy NOT EXISTS && $.eventType \
                      !=\"AwsServiceEvent\"}"
                .to_owned(),
            threshold: 1,
        },
        Filter {
            name: "calls-refused",
            metric: "CallsRefused",
            to: Topic::Notify,
            means: "Calls of AWS's API are refused for want of rights: somebody tries doors, or a role lacks one.",
            first: "group the trail by errorCode and userIdentity.arn; a role that tries many services is probably \
                    stolen.",
            pattern: "{($.errorCode=\"*UnauthorizedOperation\") || ($.errorCode=\"AccessDenied*\")}".to_owned(),
            threshold: 5,
        },
        Filter {
            name: "login-without-mfa",
            metric: "LoginWithoutMfa",
            to: Topic::Page,
            means: "Somebody signed in to the console without a second factor (PCI 8.4.1).",
            first: "disable the user's console access until there is a second factor, and ask them.",
            pattern: "{ ($.eventName = \"ConsoleLogin\") && ($.additionalEventData.MFAUsed != \"Yes\") && \
                      ($.userIdentity.type = \"IAMUser\") && ($.responseElements.ConsoleLogin = \"Success\") }"
                .to_owned(),
            threshold: 1,
        },
        Filter {
            name: "login-failed",
            metric: "LoginFailed",
            to: Topic::Notify,
            means: "Sign-ins to the console fail: somebody guesses, or has forgotten, a password (PCI 8.3.4).",
            first: "see user and address in the trail; lock the user if the address is not theirs.",
            pattern: "{($.eventName=ConsoleLogin) && ($.errorMessage=\"Failed authentication\")}".to_owned(),
            threshold: 5,
        },
        Filter {
            name: "iam-changed",
            metric: "IamChanged",
            to: Topic::Notify,
            means: "A policy of IAM was changed: somebody may do more, or less, than before (PCI 7.2.1).",
            first: WHO,
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
    let changed = |name, metric, means, pattern| Filter {
        name,
        metric,
        to: Topic::Notify,
        means,
        first: WHO,
        pattern,
        threshold: 1,
    };
    [
        changed(
            "trail-configured",
            "TrailConfigured",
            "A trail was made, changed, started, stopped or deleted.",
            any_of(None, ["CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"]),
        ),
        changed(
            "keys-changed",
            "KeysChanged",
            "A customer-managed key was disabled or will be deleted.",
            any_of(Some("kms.amazonaws.com"), ["DisableKey", "ScheduleKeyDeletion"]),
        ),
        changed(
            "buckets-changed",
            "BucketsChanged",
            "The policy, access control, lifecycle or replication of a bucket was changed.",
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
            "recorder-configured",
            "RecorderConfigured",
            "AWS Config was set up anew, or stopped.",
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
            "organization-changed",
            "OrganizationChanged",
            "The organization, its accounts or its policies were changed.",
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
        name: "zone-weakened",
        metric: "ZoneWeakened",
        to: Topic::Page,
        means: "A hosted zone was deleted, or is no longer logged or signed (PCI 10.7.2).",
        first: "find the call in the trail and ask whoever made it; restore log or signatures by an apply.",
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
    let changed = |name, metric, means, pattern| Filter {
        name,
        metric,
        to: Topic::Notify,
        means,
        first: WHO,
        pattern,
        threshold: 1,
    };
    [
        changed(
            "security-groups-changed",
            "SecurityGroupsChanged",
            "A security group or one of its rules was changed.",
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
            "network-acls-changed",
            "NetworkAclsChanged",
            "A network ACL or one of its entries was changed.",
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
            "gateways-changed",
            "GatewaysChanged",
            "An internet gateway or a customer gateway was changed.",
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
            "routes-changed",
            "RoutesChanged",
            "A route table or one of its routes was changed.",
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
            "vpcs-changed",
            "VpcsChanged",
            "A VPC or one of its peerings was changed.",
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
