//! What no role of an environment can do, whatever its policies say: the apply role bears the boundary, and may make only
//! roles that bear it too, so nothing that it makes can do more than it can itself (PCI 7.2.5, 7.2.6).

use aws::document::policy::{Condition, Policy, Statement};
use aws::kind::{IamPolicyArn, IdentityPolicy};
use aws::{IamPolicy, IamPolicyOptional};
use terraform::kind::Text as TextKind;
use terraform::{Expr, Stack, set, text};

use super::state::Place;
use super::{ANYTHING, Text, below_bootstrap, iam_arn, local};
use crate::config::EnvConfig;
use crate::config::names::BOOTSTRAP_PATH;

type Identity = Statement<IdentityPolicy>;

/// The boundary's ARN: made here, unless the environment file names another policy.
pub(super) fn build(stack: &mut Stack<'_>, config: &EnvConfig, place: &Place) -> Expr<IamPolicyArn> {
    let name = config.names.of("boundary");
    let own = iam_arn(config, &format!("policy{BOOTSTRAP_PATH}{name}"));
    match &config.iam.permissions_boundary {
        Some(other) if other.as_str() != own => return Expr::external(other.to_string()),
        _ => {}
    }
    let boundary = stack.add(
        local(config, "boundary"),
        IamPolicy {
            policy: set(Policy::new(statements(config, place, &own))),
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

fn statements(config: &EnvConfig, place: &Place, own: &str) -> Vec<Identity> {
    let mut all = vec![
        // A boundary grants nothing: it is the policies of each role that allow.
        Identity::allow("LeftToPolicies", ["*"], ANYTHING),
        no_role_without(own),
        // Leaving the boundary, and what needs none: people and their keys.
        Identity::deny(
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
        ),
        Identity::deny(
            "BootstrapStays",
            [
                "iam:Add*",
                "iam:Attach*",
                "iam:Create*",
                "iam:Delete*",
                "iam:Detach*",
                "iam:PassRole",
                "iam:Put*",
                "iam:Remove*",
                "iam:Set*",
                "iam:Tag*",
                "iam:Untag*",
                "iam:Update*",
                "sts:AssumeRole",
            ],
            [below_bootstrap(config, "role"), below_bootstrap(config, "policy")],
        ),
        state_stays(place),
        state_key_stays(place),
        trail_stays(config),
    ];
    all.extend(place.table.clone().map(lock_table_stays));
    all
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
