//! The place of the account's state: a bucket, the bucket of its access logs, a key and a lock table.
//!
//! State names every control of an environment (PCI 6.5.3, 7.2.5), so each environment's part of the bucket is closed to
//! the roles of the others, and to everything that the environments themselves make.

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::dynamodb_table as table;
use aws::kind::{KmsKeyArn, ResourcePolicy};
use aws::s3_bucket_lifecycle_configuration as lifecycle;
use aws::{
    DynamodbResourcePolicy, DynamodbTable, DynamodbTableOptional, KmsAlias, KmsAliasOptional, KmsKey,
    S3Bucket, S3BucketHandle, S3BucketLifecycleConfiguration, S3BucketLogging, S3BucketPolicy,
    S3BucketPolicyHandle,
};
use terraform::{Expr, Meta, NonEmpty, Stack, set, text};

use super::{Account, Text, iam_arn};
use crate::config::names::BOOTSTRAP_PATH;
use crate::config::{EnvConfig, WorkflowRole};
use crate::stacks::storage;

/// What the roles are given, or kept from.
pub(super) struct Place {
    /// The bucket.
    pub bucket: S3BucketHandle,
    /// The bucket of its access logs.
    pub logs: S3BucketHandle,
    /// The key; there already if the environment files name it by its own ARN.
    pub key: Expr<KmsKeyArn>,
    /// The lock table, if one is used.
    pub table: Option<Text>,
}

/// Builds the place.
pub(super) fn build(stack: &mut Stack<'_>, account: &Account<'_>) -> Place {
    let key = key(stack, account);
    let (logs, logs_policy) = logs(stack, account);
    let bucket = bucket(stack, account, &key, &logs, &logs_policy);
    let table = account.state().lock.uses_table().then(|| lock_table(stack, account, &key));
    stack.output("state_bucket", "The bucket of the state.", bucket.id());
    stack.output("state_key_arn", "The key that encrypts the state.", key.clone());
    Place { bucket, logs, key, table }
}

/// The key behind the alias that the environment files name; a key that they name itself exists already.
fn key(stack: &mut Stack<'_>, account: &Account<'_>) -> Expr<KmsKeyArn> {
    let first = account.first();
    let named = account.state().kms_key_arn.as_str();
    let own = format!("arn:{}:kms:{}:{}:", first.partition(), account.state().region, first.account_id);
    let Some(alias) = named.strip_prefix(&own).filter(|resource| resource.starts_with("alias/")) else {
        return Expr::external(named.to_owned());
    };
    let root = Principal::arn(iam_arn(first, "root"));
    let mut policy = vec![Statement::<ResourcePolicy>::allow("Account", root, ["kms:*"], ["*"])];
    policy.extend(key_is_for_state(account));
    let key = stack.add_with(
        "state",
        // Without the key there is no state (PCI 3.7.5).
        Meta::new().prevent_destroy(account.protection()),
        KmsKey {
            description: set(format!("{}: Terraform's state", first.project)),
            deletion_window_in_days: set(first.kms.deletion_window_days.get()),
            // PCI 3.7.4
            enable_key_rotation: set(true),
            rotation_period_in_days: set(first.kms.rotation_days.get()),
            policy: set(Policy::new(policy)),
            ..Default::default()
        },
    );
    stack.add(
        "state",
        KmsAlias {
            target_key_id: set(key.key_id()),
            optional: KmsAliasOptional { name: set(alias.to_owned()), ..Default::default() },
        },
    );
    key.arn()
}

fn bare(stack: &mut Stack<'_>, account: &Account<'_>, local: &str, name: String) -> S3BucketHandle {
    stack.add_with(
        local,
        Meta::new().prevent_destroy(account.protection()),
        S3Bucket { bucket: set(name), force_destroy: set(!account.protection()), ..Default::default() },
    )
}

/// Who read or changed the state (PCI 10.2.1). Encrypted by S3, which delivers under no other key:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>
fn logs(stack: &mut Stack<'_>, account: &Account<'_>) -> (S3BucketHandle, S3BucketPolicyHandle) {
    let name = "state_logs";
    let first = account.first();
    let bucket = bare(stack, account, name, account.state().log_bucket.to_string());
    let public = storage::block_public_access(stack, name, &bucket);
    let ownership = storage::own_objects(stack, name, &bucket, &public);
    let versioning = storage::version(stack, name, &bucket, &ownership);
    let encryption = storage::encrypt(stack, name, &bucket, None, &versioning);
    let expiration = lifecycle::Expiration { days: set(first.storage.expire_days), ..Default::default() };
    let rule = lifecycle::RuleOptional { expiration: vec![expiration], ..tidy(first) };
    let lifecycle = keep(stack, name, &bucket, rule, Meta::new().depends_on(&encryption));
    let mut statements = storage::transport(&bucket.arn());
    let source = format!("arn:{}:s3:::{}", first.partition(), account.state().bucket);
    let service = Principal::service("logging.s3.amazonaws.com");
    statements.push(
        Statement::<ResourcePolicy>::allow(
            "ServerAccess",
            service,
            ["s3:PutObject"],
            [storage::objects(&bucket.arn())],
        )
        .when(Condition::string_equals("aws:SourceAccount", [first.account_id.to_string()]))
        .when(Condition::arn_equals("aws:SourceArn", [source])),
    );
    let policy = stack.add_with(
        name,
        Meta::new().depends_on(&lifecycle),
        S3BucketPolicy { bucket: set(bucket.id()), policy: set(Policy::new(statements)) },
    );
    (bucket, policy)
}

fn bucket(
    stack: &mut Stack<'_>,
    account: &Account<'_>,
    key: &Expr<KmsKeyArn>,
    logs: &S3BucketHandle,
    logs_policy: &S3BucketPolicyHandle,
) -> S3BucketHandle {
    let name = "state";
    let bucket = bare(stack, account, name, account.state().bucket.to_string());
    let public = storage::block_public_access(stack, name, &bucket);
    let ownership = storage::own_objects(stack, name, &bucket, &public);
    let versioning = storage::version(stack, name, &bucket, &ownership);
    let encryption = storage::encrypt(stack, name, &bucket, Some(key.clone()), &versioning);
    let lifecycle = keep(stack, name, &bucket, tidy(account.first()), Meta::new().depends_on(&encryption));
    let mut statements = storage::transport(&bucket.arn());
    statements.extend(storage::encryption_is_ours(&bucket.arn(), None));
    statements.extend(account.environments().iter().map(|config| theirs_alone(config, &bucket)));
    statements.push(people_alone(account.first(), &bucket));
    let policy = stack.add_with(
        name,
        Meta::new().depends_on(&lifecycle),
        S3BucketPolicy { bucket: set(bucket.id()), policy: set(Policy::new(statements)) },
    );
    stack.add_with(
        name,
        Meta::new().depends_on(&policy).depends_on(logs_policy),
        S3BucketLogging {
            bucket: set(bucket.id()),
            target_bucket: set(logs.id()),
            target_prefix: set("state/"),
            optional: Default::default(),
        },
    );
    bucket
}

/// Versions that were replaced go after their time; the current state never does.
fn tidy(config: &EnvConfig) -> lifecycle::RuleOptional {
    lifecycle::RuleOptional {
        // Every object; the provider wants it said.
        filter: vec![lifecycle::Filter::default()],
        noncurrent_version_expiration: vec![lifecycle::NoncurrentVersionExpiration {
            noncurrent_days: set(config.storage.noncurrent_expire_days),
            optional: Default::default(),
        }],
        abort_incomplete_multipart_upload: vec![lifecycle::AbortIncompleteMultipartUpload {
            days_after_initiation: set(7),
        }],
        ..Default::default()
    }
}

fn keep(
    stack: &mut Stack<'_>,
    name: &str,
    bucket: &S3BucketHandle,
    optional: lifecycle::RuleOptional,
    meta: Meta<S3BucketLifecycleConfiguration>,
) -> aws::S3BucketLifecycleConfigurationHandle {
    let rule = lifecycle::Rule { id: set("retain"), status: set("Enabled"), optional };
    stack.add_with(
        name,
        meta,
        S3BucketLifecycleConfiguration {
            bucket: set(bucket.id()),
            rule: NonEmpty::one(rule),
            optional: Default::default(),
        },
    )
}

/// The state of an environment is closed to the roles that this module makes for others, and to all that the
/// environments make. People of the account, who mend what is broken, are left to the account's own policies.
fn theirs_alone(config: &EnvConfig, bucket: &S3BucketHandle) -> Statement<ResourcePolicy> {
    let own = [WorkflowRole::Plan, WorkflowRole::Apply]
        .map(|role| iam_arn(config, &format!("role{BOOTSTRAP_PATH}{}", config.names.workflow_role(role))));
    // A statement's id holds letters and digits only.
    let sid = format!("Only{}", config.name.as_str().replace('-', ""));
    let state = text![bucket.arn(), format!("/{}*", config.state.key)];
    Statement::<ResourcePolicy>::deny(sid, Principal::Anyone, ["s3:*"], [state])
        .when(made_for_workflows(config))
        .when(Condition::arn_not_like("aws:PrincipalArn", own))
}

/// The module's own state is no role's: who could change it could change the boundary.
fn people_alone(config: &EnvConfig, bucket: &S3BucketHandle) -> Statement<ResourcePolicy> {
    let state = text![bucket.arn(), "/bootstrap/*"];
    Statement::<ResourcePolicy>::deny("OnlyPeople", Principal::Anyone, ["s3:*"], [state])
        .when(made_for_workflows(config))
}

/// The roles of workflows, and those that the environments make.
fn made_for_workflows(config: &EnvConfig) -> Condition {
    let names = [format!("{BOOTSTRAP_PATH}*"), format!("/{}-*", config.project)];
    Condition::arn_like("aws:PrincipalArn", names.map(|name| iam_arn(config, &format!("role{name}"))))
}

/// Of the project's roles those use key and locks that Terraform runs as, and by no direct call of the key. People of the
/// account are left to the account's own policies; what the state's key opens besides, where a file names a key that
/// exists, its owner says.
fn key_is_for_state(account: &Account<'_>) -> [Statement<ResourcePolicy>; 2] {
    [
        Statement::<ResourcePolicy>::deny("OnlyTerraform", Principal::Anyone, ["kms:*"], ["*"])
            .when(of_project(account.first()))
            .when(not_terraform(account)),
        Statement::<ResourcePolicy>::deny(
            "OnlyThroughServices",
            Principal::Anyone,
            ["kms:Decrypt", "kms:ReEncryptFrom"],
            ["*"],
        )
        .when(of_project(account.first()))
        .when(Condition::null("kms:ViaService", true)),
    ]
}

/// Every role of the project: of its workflows, and those that its environments make.
fn of_project(config: &EnvConfig) -> Condition {
    let names = [BOOTSTRAP_PATH, "/"].map(|path| format!("role{path}{}-*", config.project));
    Condition::arn_like("aws:PrincipalArn", names.map(|name| iam_arn(config, &name)))
}

/// The roles of the account's environments that plan and apply.
fn not_terraform(account: &Account<'_>) -> Condition {
    let roles = account.environments().iter().flat_map(|config| {
        [WorkflowRole::Plan, WorkflowRole::Apply]
            .map(|role| iam_arn(config, &format!("role{BOOTSTRAP_PATH}{}", config.names.workflow_role(role))))
    });
    Condition::arn_not_like("aws:PrincipalArn", roles.collect::<Vec<_>>())
}

/// The table of locks, as the backend expects it: <https://developer.hashicorp.com/terraform/language/backend/s3#dynamodb-state-locking>
fn lock_table(stack: &mut Stack<'_>, account: &Account<'_>, key: &Expr<KmsKeyArn>) -> Text {
    let table = stack.add_with(
        "state",
        Meta::new().prevent_destroy(account.protection()),
        DynamodbTable {
            name: set(account.state().lock_table.to_string()),
            optional: DynamodbTableOptional {
                attribute: vec![table::Attribute { name: set("LockID"), r#type: set("S") }],
                billing_mode: set("PAY_PER_REQUEST"),
                deletion_protection_enabled: set(account.protection()),
                hash_key: set("LockID"),
                point_in_time_recovery: set(table::PointInTimeRecovery {
                    enabled: set(true),
                    optional: Default::default(),
                }),
                server_side_encryption: set(table::ServerSideEncryption {
                    enabled: set(true),
                    optional: table::ServerSideEncryptionOptional { kms_key_arn: set(key.clone()) },
                }),
                ..Default::default()
            },
        },
    );
    let only = Statement::<ResourcePolicy>::deny(
        "OnlyTerraform",
        Principal::Anyone,
        ["dynamodb:*"],
        [table.arn().text()],
    );
    let only = only.when(of_project(account.first())).when(not_terraform(account));
    stack.add(
        "state",
        DynamodbResourcePolicy {
            resource_arn: set(table.arn()),
            policy: set(Policy::new([only])),
            optional: Default::default(),
        },
    );
    table.arn().text()
}
