//! What no role of an environment can do, whatever its policies say: the apply role bears the boundary, and may make only
//! roles that bear it too, so nothing that it makes can do more than it can itself (PCI 7.2.5, 7.2.6).

use aws::document::policy::{Condition, Policy, Statement};
use aws::kind::{IamPolicyArn, IdentityPolicy};
use aws::{IamPolicy, IamPolicyOptional};
use terraform::kind::Text as TextKind;
use terraform::{Expr, Stack, set, text};

use super::state::Place;
use super::{ANYTHING, Platform, Text, iam_arn, local};
use crate::config::names::BOOTSTRAP_PATH;
use crate::config::{BucketKind, EnvConfig};
use crate::names::{LogGroup, role};

type Identity = Statement<IdentityPolicy>;

/// The boundary's ARN: made here, unless the environment file names another policy.
/// `longer` are the environments of the account whose names begin with this one's.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    longer: &[&EnvConfig],
    platform: &Platform,
    place: &Place,
) -> Expr<IamPolicyArn> {
    let name = config.names.of("boundary");
    let own = iam_arn(config, &format!("policy{BOOTSTRAP_PATH}{name}"));
    match &config.iam.permissions_boundary {
        Some(other) if other.as_str() != own => return Expr::external(other.to_string()),
        _ => {}
    }
    let boundary = stack.add(
        local(config, "boundary"),
        IamPolicy {
            policy: set(Policy::new(statements(config, longer, platform, place, &own))),
            optional: IamPolicyOptional {
                name: set(name),
                path: set(BOOTSTRAP_PATH),
                description: set("What no role of the environment can do, whatever its policies say"),
                ..Default::default()
            },
        },
    );
    boundary.arn()
}

fn statements(
    config: &EnvConfig,
    longer: &[&EnvConfig],
    platform: &Platform,
    place: &Place,
    own: &str,
) -> Vec<Identity> {
    let mut all = left_to_policies(config, platform);
    all.push(no_role_without(own));
    // Leaving the boundary, and what needs none: people and their keys.
    all.push(Identity::deny(
        "NoWayAround",
        [
            "account:CloseAccount",
            "iam:*AccessKey*",
            "iam:*Group*",
            "iam:*LoginProfile",
            "iam:*OpenIDConnectProvider*",
            "iam:*SAMLProvider*",
            "iam:*User*",
            "iam:DeleteRolePermissionsBoundary",
            "organizations:*",
        ],
        ANYTHING,
    ));
    all.push(
        Identity::deny("ForeignIdentitiesStay", IDENTITY_WRITES, ANYTHING).except(own_identities(config)),
    );
    if !longer.is_empty() {
        let theirs = longer.iter().flat_map(|other| named(other));
        all.push(Identity::deny("OtherEnvironmentsStay", IDENTITY_WRITES, theirs.collect::<Vec<_>>()));
    }
    all.push(made_for_services(config));
    all.push(no_role_taken_on());
    all.push(grants_for_services(config));
    all.push(nothing_beside());
    // PCI 3.4.1: what the log groups mask stays masked.
    all.push(Identity::deny("NoUnmasking", ["logs:Unmask"], ANYTHING));
    all.extend([state_stays(place), state_key_stays(place), trail_stays(config)]);
    if config.protection {
        all.extend(what_is_protected_stays(config));
    }
    all.extend(place.table.clone().map(lock_table_stays));
    all
}

/// What changes a role or a policy, or passes a role.
const IDENTITY_WRITES: [&str; 15] = [
    "iam:Attach*",
    "iam:CreatePolicy*",
    "iam:CreateRole",
    "iam:CreateServiceLinkedRole",
    "iam:DeletePolicy*",
    "iam:DeleteRole*",
    "iam:DeleteServiceLinkedRole",
    "iam:Detach*",
    "iam:PassRole",
    "iam:Put*",
    "iam:SetDefaultPolicyVersion",
    "iam:Tag*",
    "iam:Untag*",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole*",
];

/// A boundary grants nothing: it is the policies of each role that allow. It leaves them the services that the environment
/// uses, in IAM its own names.
fn left_to_policies(config: &EnvConfig, platform: &Platform) -> Vec<Identity> {
    let mut actions = platform.bounds.clone();
    actions
        .extend(platform.services.iter().filter(|service| service.name != "iam").flat_map(|s| s.changes()));
    // What the workflows' own roles use, whatever the environment holds.
    actions.extend(["codedeploy:*", "ecr:*", "ecs:*", "kms:*", "s3:*"].map(str::to_owned));
    let named = config.workloads().flat_map(|workload| &workload.service.task_services);
    actions.extend(named.map(|service| format!("{service}:*")));
    vec![
        Identity::allow("Services", actions, ANYTHING),
        Identity::allow("SeeIdentities", ["iam:*AccountPasswordPolicy", "iam:Get*", "iam:List*"], ANYTHING),
        Identity::allow("OwnIdentities", ["iam:*"], own_identities(config)),
    ]
}

/// Roles and policies of an environment's names.
fn named(config: &EnvConfig) -> [String; 2] {
    ["role", "policy"].map(|kind| iam_arn(config, &format!("{kind}/{}", config.names.of("*"))))
}

/// Those, and the roles that AWS's services make for themselves.
fn own_identities(config: &EnvConfig) -> Vec<String> {
    let mut own = Vec::from(named(config));
    own.push(iam_arn(config, "role/aws-service-role/*"));
    own
}

/// IAM has no condition on what a trust policy says, so who can make a role can let anybody take it on; what it can do then
/// stays within this boundary. One kind of stranger is told by the session: those for whom an identity provider vouches.
/// They may do nothing with the environment's own roles. Foreign accounts a policy of the organization keeps out.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-federatedprovider>,
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>
fn made_for_services(config: &EnvConfig) -> Identity {
    Identity::deny("MadeForServices", ["*"], ANYTHING)
        .when(Condition::null("aws:FederatedProvider", false))
        .when(Condition::arn_like(
            "aws:PrincipalArn",
            [iam_arn(config, &format!("role/{}", config.names.of("*")))],
        ))
}

/// Services take the roles on, and no role another one: who can make a role that trusts it would have whatever rights it
/// gives that role. Said as a denial, since a trust that names a session needs no permission besides.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-eval-logic>
fn no_role_taken_on() -> Identity {
    Identity::deny("NoRoleTakenOn", ["sts:AssumeRole"], ANYTHING)
}

/// A grant is a key handed on past its policy. AWS's services ask for theirs in the caller's name; Macie's role has one of
/// Terraform's own, where it looks for card data.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-grant-is-for-aws-resource>
fn grants_for_services(config: &EnvConfig) -> Identity {
    let deny = Identity::deny("GrantsForServices", ["kms:CreateGrant"], ANYTHING)
        .when(Condition::bool_if_exists("kms:GrantIsForAWSResource", false));
    if !config.detection.macie.enabled {
        return deny;
    }
    deny.when(Condition::string_not_equals("kms:GranteePrincipal", [role::macie(config)]))
}

/// What no environment consists of: machines, and ways for its traffic to other networks.
fn nothing_beside() -> Identity {
    Identity::deny(
        "NothingBeside",
        [
            "ec2:AcceptVpcPeeringConnection",
            "ec2:CreateClientVpnEndpoint",
            "ec2:CreateFleet",
            "ec2:CreateTrafficMirror*",
            "ec2:CreateTransitGateway*",
            "ec2:CreateVpcPeeringConnection",
            "ec2:CreateVpnConnection",
            "ec2:RequestSpot*",
            "ec2:RunInstances",
        ],
        ANYTHING,
    )
}

/// Neither a new role, nor more for one that has lost the boundary.
fn no_role_without(own: &str) -> Identity {
    Identity::deny(
        "NoRoleWithout",
        ["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"],
        ANYTHING,
    )
    .when(Condition::string_not_equals("iam:PermissionsBoundary", [own.to_owned()]))
}

/// The state is read and written, never emptied for good, opened or moved, and neither is the record of who did so.
fn state_stays(place: &Place) -> Identity {
    let buckets = [&place.bucket, &place.logs];
    let resources = buckets.into_iter().flat_map(|bucket| [bucket.arn().text(), text![bucket.arn(), "/*"]]);
    Identity::deny(
        "StateStays",
        [
            "s3:BypassGovernanceRetention",
            "s3:DeleteBucket*",
            "s3:DeleteObjectVersion",
            "s3:PutBucket*",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:PutReplicationConfiguration",
        ],
        resources.collect::<Vec<Expr<TextKind>>>(),
    )
}

fn state_key_stays(place: &Place) -> Identity {
    Identity::deny(
        "StateKeyStays",
        ["kms:CreateGrant", "kms:Disable*", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:*Alias"],
        [place.key.clone()],
    )
}

fn lock_table_stays(table: Text) -> Identity {
    Identity::deny("LockTableStays", ["dynamodb:DeleteTable*", "dynamodb:Update*Table*"], [table])
}

/// What Terraform calls only to take away what a protected environment keeps. It takes somebody with an administrator's
/// rights, who is not the pipeline: a step of its own, of a second person. What an apply may call as well is alarmed on: `PutKeyPolicy`, `PutEventSelectors`, `UpdateTrail`, `UpdateDetector`,
/// `inspector2:Disable`, `DeleteFlowLogs`.
/// <https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/inspector2/enabler.go>,
/// <https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/guardduty/detector_feature.go>
fn what_is_protected_stays(config: &EnvConfig) -> Vec<Identity> {
    let buckets = [BucketKind::Audit, BucketKind::Config, BucketKind::Access, BucketKind::Statements];
    let buckets =
        buckets.map(|kind| format!("arn:{}:s3:::{}", config.partition(), config.names.bucket(kind)));
    let groups = [LogGroup::Service, LogGroup::Exec, LogGroup::Flow, LogGroup::Waf, LogGroup::Trail];
    let groups = groups.into_iter().filter(|group| group.is_wanted(config)).map(|group| group.arn(config));
    let groups = groups.flat_map(|arn| [format!("{arn}:*"), arn]);
    vec![
        // PCI 3.7.5: what a lost key encrypted is lost, whatever lock it is under.
        Identity::deny(
            "KeysStay",
            ["kms:DeleteImportedKeyMaterial", "kms:DisableKey*", "kms:ScheduleKeyDeletion"],
            ANYTHING,
        ),
        // PCI 10.7.2, 11.5.1
        Identity::deny(
            "DetectionStays",
            [
                "access-analyzer:CreateArchiveRule",
                "access-analyzer:DeleteAnalyzer",
                "config:DeleteDeliveryChannel",
                "guardduty:ArchiveFindings",
                "guardduty:CreateFilter",
                "guardduty:DeleteDetector",
                "guardduty:UpdateFilter",
                "inspector2:CreateFilter",
                "macie2:DisableMacie",
                "securityhub:BatchUpdateFindings",
                "securityhub:CreateAutomationRule",
                "securityhub:DisableSecurityHub",
            ],
            ANYTHING,
        ),
        // PCI 10.3.2, 10.5.1
        Identity::deny(
            "LogGroupsStay",
            ["logs:DeleteLogGroup", "logs:DeleteLogStream"],
            groups.collect::<Vec<_>>(),
        ),
        Identity::deny("NoLockLifted", ["s3:BypassGovernanceRetention"], ANYTHING),
        Identity::deny("BucketsStay", ["s3:DeleteBucket", "s3:DeleteBucketPolicy"], buckets),
        Identity::deny(
            "TablesStay",
            ["dynamodb:DeleteTable"],
            [config.arn("dynamodb", &format!("table/{}", config.names.of("*")))],
        ),
    ]
}

/// PCI 10.3.2, 10.7.2: an environment that is protected, or whose account's trail another one owns, cannot silence it.
fn trail_stays(config: &EnvConfig) -> Identity {
    let mut actions = vec!["cloudtrail:StopLogging"];
    if config.protection || !config.account.baseline {
        actions.extend(["cloudtrail:DeleteTrail", "config:DeleteConfigurationRecorder"]);
        actions.push("config:StopConfigurationRecorder");
    }
    if !config.account.baseline {
        actions.extend(["cloudtrail:PutEventSelectors", "cloudtrail:UpdateTrail"]);
    }
    Identity::deny("TrailStays", actions, ANYTHING)
}
