//! The service's own secrets, as the contract lists them.
//!
//! A value is drawn by Secrets Manager while Terraform applies and handed on as a write-only argument, so that it stands
//! neither in the configuration nor in the plan nor in the state (PCI 8.3.2, 8.6.2). Terraform draws another one when
//! the secret's `version` is raised. Whoever refreshes the state asks Secrets Manager for the value even so, since the
//! provider reads the whole version and drops the value: `iam.terraform_role` is one of the readers.

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::ephemeral::SecretsmanagerRandomPassword;
use aws::kind::ResourcePolicy;
use aws::{
    LambdaPermission, LambdaPermissionOptional, SecretsmanagerSecret, SecretsmanagerSecretHandle,
    SecretsmanagerSecretPolicy, SecretsmanagerSecretPolicyOptional, SecretsmanagerSecretRotation,
    SecretsmanagerSecretRotationOptional, SecretsmanagerSecretVersion, SecretsmanagerSecretVersionHandle,
    SecretsmanagerSecretVersionOptional, secretsmanager_secret_rotation as rotation,
};
use contract::Secret;
use terraform::{Address, Addressed, Expr, Meta, Stack, set};

use super::kms;
use crate::config::{EnvConfig, LambdaArn, SecretSettings};
use crate::names;

/// The secrets.
pub struct Outputs {
    admin_key: SecretsmanagerSecretHandle,
    signing_key: SecretsmanagerSecretHandle,
    /// The secrets' first versions; the service depends on them, or its first tasks find no value.
    pub values: Vec<Address>,
}

impl Outputs {
    /// A secret.
    #[must_use]
    pub const fn of(&self, secret: Secret) -> &SecretsmanagerSecretHandle {
        match secret {
            Secret::AdminKey => &self.admin_key,
            Secret::SigningKey => &self.signing_key,
        }
    }
}

/// Builds the secrets.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> Outputs {
    let mut values = Vec::new();
    let mut build = |which| {
        let settings = config.secrets.of(which);
        let secret = secret(stack, config, keys, which, settings);
        restrict(stack, config, which, &secret);
        let value = draw(stack, which, settings, &secret);
        if let Some(function) = &settings.rotation_function {
            rotate(stack, config, which, settings, function, &secret, &value);
        }
        values.push(value.address().clone());
        let name = format!("{}_secret_arn", local(which));
        stack.output(
            &name,
            format!("{}. When it changes: {}", which.doc(), which.on_rotation()),
            secret.arn(),
        );
        secret
    };
    let (admin_key, signing_key) = (build(Secret::AdminKey), build(Secret::SigningKey));
    Outputs { admin_key, signing_key, values }
}

/// The secret's name in Terraform's addresses.
fn local(secret: Secret) -> String {
    secret.name().replace('-', "_")
}

fn secret(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    which: Secret,
    settings: &SecretSettings,
) -> SecretsmanagerSecretHandle {
    let mut tags = vec![("Name", config.names.of(which.name()))];
    if settings.rotation_function.is_none() {
        tags.push(("rotation_exception", settings.exception.to_string()));
        let review = settings.review.as_ref().map(ToString::to_string);
        tags.push(("rotation_review", review.unwrap_or_else(|| "every 12 months".to_owned())));
    }
    // The name is taken for as long as the secret can be had back.
    let window = if config.protection { config.secrets.recovery_window_days.get() } else { 0 };
    stack.add_with(
        local(which),
        Meta::new().prevent_destroy(config.protection),
        SecretsmanagerSecret {
            name: set(config.names.of(which.name())),
            description: set(which.doc()),
            kms_key_id: set(keys.secrets.arn()),
            recovery_window_in_days: set(window),
            tags: set(tags),
            ..Default::default()
        },
    )
}

/// In a secret's policy, `*` is the secret itself.
const THIS_SECRET: [&str; 1] = ["*"];

/// PCI 7.2.5, 8.6.2: who does not need the value does not read it, whatever IAM policies allow. Only reading is denied:
/// an administrator can always mend the policy.
fn restrict(stack: &mut Stack<'_>, config: &EnvConfig, which: Secret, secret: &SecretsmanagerSecretHandle) {
    let mut statements = readers(config);
    statements.push(nobody_else(config));
    stack.add(
        local(which),
        SecretsmanagerSecretPolicy {
            secret_arn: set(secret.arn()),
            policy: set(Policy::new(statements)),
            // AWS proves that the policy lets in nobody from outside before it takes it.
            optional: SecretsmanagerSecretPolicyOptional { block_public_policy: set(true) },
        },
    );
}

fn readers(config: &EnvConfig) -> Vec<Statement<ResourcePolicy>> {
    let readers = &config.secrets.readers;
    let principals = Principal::Arns(readers.iter().map(|arn| Expr::new(arn.to_string())).collect());
    let allow = Statement::<ResourcePolicy>::allow(
        "Readers",
        principals,
        ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        THIS_SECRET,
    );
    if readers.is_empty() { Vec::new() } else { vec![allow] }
}

/// Everybody but those who need the value is denied to read it, where it is known who applies: a denial that Terraform's
/// own role fell under would end every plan. Where it is not, the platform's other roles are denied.
fn nobody_else(config: &EnvConfig) -> Statement<ResourcePolicy> {
    let mut who = vec![names::role::execution_arn(config)];
    who.extend(config.secrets.readers.iter().map(ToString::to_string));
    who.extend(config.iam.terraform_role.iter().map(ToString::to_string));
    let deny = Statement::<ResourcePolicy>::deny(
        "NobodyElseReads",
        Principal::Anyone,
        ["secretsmanager:GetSecretValue"],
        THIS_SECRET,
    )
    .when(Condition::arn_not_like("aws:PrincipalArn", who));
    if config.iam.terraform_role.is_some() {
        return deny;
    }
    let roles =
        format!("arn:{}:iam::{}:role/{}", config.partition(), config.account_id, config.names.of("*"));
    deny.when(Condition::arn_like("aws:PrincipalArn", [roles]))
}

/// Letters and digits only, which stand in a header and in an environment variable without being quoted.
fn draw(
    stack: &mut Stack<'_>,
    which: Secret,
    settings: &SecretSettings,
    secret: &SecretsmanagerSecretHandle,
) -> SecretsmanagerSecretVersionHandle {
    let drawn = stack.add(
        local(which),
        SecretsmanagerRandomPassword {
            password_length: set(Secret::LENGTH),
            exclude_punctuation: set(true),
            ..Default::default()
        },
    );
    stack.add(
        local(which),
        SecretsmanagerSecretVersion {
            secret_id: set(secret.id()),
            optional: SecretsmanagerSecretVersionOptional {
                secret_string_wo: set(drawn.random_password()),
                secret_string_wo_version: set(settings.version.get()),
                ..Default::default()
            },
        },
    )
}

/// PCI 8.6.3: a function changes the secret by itself.
fn rotate(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    which: Secret,
    settings: &SecretSettings,
    function: &LambdaArn,
    secret: &SecretsmanagerSecretHandle,
    value: &SecretsmanagerSecretVersionHandle,
) {
    let permission = stack.add(
        local(which),
        LambdaPermission {
            action: set("lambda:InvokeFunction"),
            function_name: set(function.to_string()),
            principal: set("secretsmanager.amazonaws.com"),
            optional: LambdaPermissionOptional {
                source_account: set(config.account_id.to_string()),
                source_arn: set(secret.arn().text()),
                statement_id: set(config.names.of(which.name())),
                ..Default::default()
            },
        },
    );
    stack.add_with(
        local(which),
        // The function is tried out when rotation is switched on, and rotates what is there.
        Meta::new().depends_on(&permission).depends_on(value),
        SecretsmanagerSecretRotation {
            secret_id: set(secret.id()),
            rotation_rules: rotation::RotationRules {
                automatically_after_days: set(settings.rotation_days.get()),
                ..Default::default()
            },
            optional: SecretsmanagerSecretRotationOptional {
                rotation_lambda_arn: set(function.to_string()),
                ..Default::default()
            },
        },
    );
}

#[cfg(test)]
mod tests;
