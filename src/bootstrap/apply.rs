//! The role that applies: what the environment consists of, in its regions, under the boundary.

use aws::document::policy::{Condition, Policy, Statement};
use aws::kind::{IamPolicyArn, IdentityPolicy, TrustPolicy};
use terraform::{Expr, Stack, text};

use super::plan::{own_items, own_keys, state_object, through};
use super::role::{self, NewRole};
use super::state::Place;
use super::{ANYTHING, Platform, iam_arn, local};
use crate::config::{APPLY_SESSION_HOURS, BucketKind, EnvConfig, WorkflowRole};

type Identity = Statement<IdentityPolicy>;

/// Builds the role. It may do anything with the services that the root module uses, in the regions that the module works
/// in: Terraform makes, changes and destroys whole resources, and most of their names are known only once they are there.
/// IAM is the exception, where every action on every kind of resource is spelled out.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    trust: Policy<TrustPolicy>,
    platform: &Platform,
    place: &Place,
    boundary: &Expr<IamPolicyArn>,
) {
    let purpose = WorkflowRole::Apply;
    let new = NewRole { purpose, description: "Plans and applies", trust, hours: APPLY_SESSION_HOURS };
    let role = role::build(stack, config, new, Some(boundary));
    let mut statements = services(platform);
    statements.extend(iam(config, platform, boundary));
    statements.extend(service_roles(config, platform));
    statements.extend(no_data(config, place));
    role::policy(stack, &role, &local(config, "apply"), "apply", Policy::new(statements));
    role::policy(stack, &role, &local(config, "state"), "state", Policy::new(state(config, place)));
    stack.output(
        &format!("{}_role_arn", local(config, "apply")),
        format!("The role that {} is applied with.", config.name),
        role.arn().text(),
    );
}

/// What making a vault takes beside AWS Backup's own actions.
const MOUNT_CAPSULE: &str = "backup-storage:MountCapsule";

fn services(platform: &Platform) -> Vec<Identity> {
    let all = |global: bool| -> Vec<String> {
        let services =
            platform.services.iter().filter(|service| service.global == global && service.name != "iam");
        services.flat_map(|service| service.changes()).collect()
    };
    let mut regional = all(false);
    if regional.iter().any(|actions| actions == "backup:*") {
        // A vault is made in two places: <https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault.html>
        regional.push(MOUNT_CAPSULE.to_owned());
    }
    let mut statements = vec![
        Identity::allow("Platform", regional, ANYTHING)
            .when(Condition::string_equals("aws:RequestedRegion", platform.regions.clone())),
    ];
    let global = all(true);
    if !global.is_empty() {
        statements.push(Identity::allow("Everywhere", global, ANYTHING));
    }
    statements
}

/// Terraform makes, changes and destroys stores, and asks for nothing that they keep (PCI 7.2.5): who holds the role reads
/// no card data with it, nor what says so. Of secrets the provider reads the versions that it refreshes.
fn no_data(config: &EnvConfig, place: &Place) -> Vec<Identity> {
    // DynamoDB fills a replica in the caller's name, with these rights in the replica's region.
    // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html>
    let here = |statement: Identity| match &config.recovery.region {
        Some(_) => {
            statement.when(Condition::string_equals("aws:RequestedRegion", [config.region.to_string()]))
        }
        None => statement,
    };
    let item = Identity::deny("NoItem", LOCK_ITEMS, ANYTHING);
    let mut all = vec![
        here(Identity::deny(
            "NoItems",
            [
                "dynamodb:Batch*Item",
                "dynamodb:ExportTableToPointInTime",
                "dynamodb:GetRecords",
                "dynamodb:PartiQL*",
                "dynamodb:Query",
                "dynamodb:Scan",
                "dynamodb:UpdateItem",
            ],
            ANYTHING,
        )),
        here(match &place.table {
            Some(locks) => item.except([locks.clone()]),
            None => item,
        }),
        no_objects(config),
        Identity::deny("NoRecords", RECORDS, ANYTHING),
        // The services that encrypt in its name say so.
        Identity::deny("NoKeyByItself", ["kms:Decrypt", "kms:ReEncryptFrom"], ANYTHING)
            .when(Condition::null("kms:ViaService", true)),
    ];
    all.extend(place.table.clone().map(|locks| {
        Identity::deny("NoLockOfOthers", LOCK_ITEMS, [locks])
            .when(Condition::for_any_value_string_not_equals("dynamodb:LeadingKeys", own_keys(config)))
    }));
    all
}

/// What locking the state consists of.
const LOCK_ITEMS: [&str; 3] = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"];

/// What logs, messages and databases hold, and code that would read it.
const RECORDS: [&str; 16] = [
    "ecs:ExecuteCommand",
    "ecs:RunTask",
    "ecs:StartTask",
    "firehose:PutRecord*",
    "logs:CreateExportTask",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetLogRecord",
    "logs:GetQueryResults",
    "logs:StartLiveTail",
    "logs:StartQuery",
    "logs:Unmask",
    "rds:DownloadDBLogFilePortion",
    "rds:Modify*SnapshotAttribute",
    "rds:StartExportTask",
    "sqs:ReceiveMessage",
];

/// Objects of the environment's own buckets. Where nothing is protected, Terraform empties a bucket before it goes.
fn no_objects(config: &EnvConfig) -> Identity {
    let objects = BucketKind::ALL
        .map(|kind| format!("arn:{}:s3:::{}/*", config.partition(), config.names.bucket(kind)));
    let mut actions = vec!["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"];
    if config.protection {
        actions.extend(["s3:DeleteObject", "s3:DeleteObjectVersion"]);
    }
    Identity::deny("NoObjects", actions, objects)
}

/// Roles and policies of the environment's own names, roles under the boundary only.
fn iam(config: &EnvConfig, platform: &Platform, boundary: &Expr<IamPolicyArn>) -> Vec<Identity> {
    let named = |kind: &str| iam_arn(config, &format!("{kind}/{}", config.names.of("*")));
    let bounded = || Condition::string_equals("iam:PermissionsBoundary", [boundary.clone().text()]);
    vec![
        Identity::allow("SeeIdentities", ["iam:Get*", "iam:List*"], ANYTHING),
        Identity::allow(
            "RolesUnderBoundary",
            [
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
            ],
            [named("role")],
        )
        .when(bounded()),
        Identity::allow(
            "Roles",
            [
                "iam:DeleteRole",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            [named("role")],
        ),
        Identity::allow("PassRoles", ["iam:PassRole"], [named("role")])
            .when(Condition::string_equals("iam:PassedToService", platform.trusted.clone())),
        Identity::allow(
            "Policies",
            [
                "iam:CreatePolicy",
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:DeletePolicyVersion",
                "iam:TagPolicy",
                "iam:UntagPolicy",
            ],
            [named("policy")],
        ),
        Identity::allow(
            "ServiceRoles",
            ["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole"],
            [iam_arn(config, "role/aws-service-role/*")],
        ),
        // The recorder is handed AWS Config's own role, which has the same name in every account.
        Identity::allow(
            "PassRecorderRole",
            ["iam:PassRole"],
            [iam_arn(config, "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig")],
        )
        .when(Condition::string_equals("iam:PassedToService", ["config.amazonaws.com"])),
        // The account's password policy, where the environment owns it.
        Identity::allow(
            "PasswordPolicy",
            ["iam:DeleteAccountPasswordPolicy", "iam:UpdateAccountPasswordPolicy"],
            ANYTHING,
        ),
    ]
}

/// Service-linked roles that the module makes itself. AWS takes no tags with their creation, so the provider tags each one
/// afterwards, with the default tags at least, and changes its description in place.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html>,
/// <https://github.com/hashicorp/terraform-provider-aws/blob/v5.100.0/internal/service/iam/service_linked_role.go>
fn service_roles(config: &EnvConfig, platform: &Platform) -> Option<Identity> {
    let own =
        platform.linked.iter().map(|service| iam_arn(config, &format!("role/aws-service-role/{service}/*")));
    let own: Vec<String> = own.collect();
    let actions = ["iam:TagRole", "iam:UntagRole", "iam:UpdateRole"];
    (!own.is_empty()).then(|| Identity::allow("OwnServiceRoles", actions, own))
}

/// The environment's own state, with its locks.
fn state(config: &EnvConfig, place: &Place) -> Vec<Identity> {
    let object = state_object(config, place);
    let lock = text![place.bucket.arn(), format!("/{}.tflock", config.state.key)];
    let mut statements = vec![
        Identity::allow("FindState", ["s3:ListBucket"], [place.bucket.arn()]),
        Identity::allow("WriteState", ["s3:GetObject", "s3:PutObject"], [object]),
        Identity::allow("Lock", ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], [lock]),
        Identity::allow("EncryptState", ["kms:Decrypt", "kms:GenerateDataKey"], [place.key.clone()])
            .when(through(config, "s3")),
        // A state that cannot be written is kept beside, encrypted; only people open it again.
        Identity::allow("KeepState", ["kms:GenerateDataKey"], [place.key.clone()])
            .when(Condition::string_equals("kms:EncryptionContext:purpose", ["errored-state"])),
    ];
    if let Some(table) = place.table.clone() {
        let actions = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"];
        statements.push(Identity::allow("LockItems", actions, [table]).when(own_items(config)));
        let actions = [
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ];
        statements.push(
            Identity::allow("EncryptLocks", actions, [place.key.clone()]).when(through(config, "dynamodb")),
        );
    }
    statements
}
