//! Secrets that are made here: those that the contract lists, and those that the environment file asks for.
//!
//! A value is drawn by Secrets Manager while Terraform applies and handed on as a write-only argument, so that it stands
//! neither in the configuration nor in the plan nor in the state (PCI 8.3.2, 8.6.2). Terraform draws another one when
//! the secret's `version` is raised. Whoever refreshes the state asks Secrets Manager for the value even so, since the
//! provider reads the whole version and drops the value: `iam.terraform_role` is one of the readers.

use std::collections::BTreeMap;

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
use terraform::{Address, Addressed, Meta, Stack, set};

use super::kms;
use super::per_service::PerService;
use crate::config::{EnvConfig, LambdaArn, SecretSettings, VariableName};
use crate::names;

/// The secrets.
pub struct Outputs {
    /// In the order of [`Secret::ALL`].
    contract: Option<[SecretsmanagerSecretHandle; 2]>,
    /// Those that each service is given under variables that the environment file names.
    pub generated: PerService<BTreeMap<VariableName, SecretsmanagerSecretHandle>>,
    /// The first versions of each service's; it depends on them, or its first tasks find no value.
    pub values: PerService<Vec<Address>>,
}

impl Outputs {
    /// A secret of the contract, if there is one.
    #[must_use]
    pub fn of(&self, secret: Secret) -> Option<&SecretsmanagerSecretHandle> {
        let [admin_key, signing_key] = self.contract.as_ref()?;
        Some(match secret {
            Secret::AdminKey => admin_key,
            Secret::SigningKey => signing_key,
        })
    }
}

/// A secret to be made.
struct New<'c> {
    /// Its name in Terraform's addresses.
    local: String,
    /// Its name at AWS.
    name: String,
    description: String,
    settings: &'c SecretSettings,
    /// The role that reads it when a task starts.
    reader: String,
}

/// Builds the secrets.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> Outputs {
    let mut build = |new: &New<'_>, output: String, about: String| {
        let secret = secret(stack, config, keys, new);
        restrict(stack, config, new, &secret);
        let value = draw(stack, new, &secret);
        if let Some(function) = &new.settings.rotation_function {
            rotate(stack, config, new, function, &secret, &value);
        }
        stack.output(&output, about, secret.arn());
        (secret, value.address().clone())
    };
    let mut main = Vec::new();
    let contract = config.service.has_contract().then(|| {
        Secret::ALL.map(|which| {
            let local = which.name().replace('-', "_");
            let output = format!("{local}_secret_arn");
            let new = New {
                local,
                name: config.names.of(which.name()),
                description: which.doc().to_owned(),
                settings: config.secrets.of(which),
                reader: names::role::execution_arn(config, config.main_service()),
            };
            let about = format!("{}. When it changes: {}", which.doc(), which.on_rotation());
            let (secret, value) = build(&new, output, about);
            main.push(value);
            secret
        })
    });
    let mut made = PerService::build(config, |workload| {
        let generated = workload.service.generated_secrets.iter();
        let made = generated.map(|(variable, settings)| {
            let local = workload.address(&format!("secret_{}", variable.as_str().to_lowercase()));
            let description = format!("{variable} of {}", workload.service.name);
            let output = format!("{local}_arn");
            let new = New {
                local,
                // What follows a slash can be no service's name.
                name: format!("{}/{variable}", config.names.of(&workload.suffix("secret"))),
                description: description.clone(),
                settings,
                reader: names::role::execution_arn(config, workload),
            };
            let about = format!("{description}. Drawn at random; raise its `version` for another one.");
            (variable.clone(), build(&new, output, about))
        });
        made.collect::<Vec<_>>()
    });
    let values = PerService::build(config, |workload| {
        let own = made.of(workload).iter().map(|(_, (_, value))| value.clone());
        let contract = main.iter().filter(|_| workload.further.is_none()).cloned();
        contract.chain(own).collect()
    });
    let generated = PerService::build(config, |workload| {
        let made = std::mem::take(made.of_mut(workload));
        made.into_iter().map(|(variable, (secret, _))| (variable, secret)).collect()
    });
    Outputs { contract, generated, values }
}

fn secret(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    new: &New<'_>,
) -> SecretsmanagerSecretHandle {
    let settings = new.settings;
    let mut tags = vec![("Name", new.name.clone())];
    if settings.rotation_function.is_none() {
        tags.push(("rotation_exception", settings.exception.to_string()));
        let review = settings.review.as_ref().map(ToString::to_string);
        tags.push(("rotation_review", review.unwrap_or_else(|| "every 12 months".to_owned())));
    }
    // The name is taken for as long as the secret can be had back.
    let window = if config.protection { config.secrets.recovery_window_days.get() } else { 0 };
    stack.add_with(
        &new.local,
        Meta::new().prevent_destroy(config.protection),
        SecretsmanagerSecret {
            name: set(new.name.clone()),
            description: set(new.description.clone()),
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
fn restrict(stack: &mut Stack<'_>, config: &EnvConfig, new: &New<'_>, secret: &SecretsmanagerSecretHandle) {
    let mut statements = readers(config);
    statements.push(nobody_else(config, &new.reader));
    stack.add(
        &new.local,
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
    let allow = Statement::<ResourcePolicy>::allow(
        "Readers",
        Principal::Anyone,
        ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        THIS_SECRET,
    )
    .of_arns(readers.iter().map(ToString::to_string));
    if readers.is_empty() { Vec::new() } else { vec![allow] }
}

/// Everybody but those who need the value is denied to read it, where it is known who applies: a denial that Terraform's
/// own role fell under would end every plan. Where it is not, the platform's other roles are denied.
fn nobody_else(config: &EnvConfig, reader: &str) -> Statement<ResourcePolicy> {
    let mut who = vec![reader.to_owned()];
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
    new: &New<'_>,
    secret: &SecretsmanagerSecretHandle,
) -> SecretsmanagerSecretVersionHandle {
    let drawn = stack.add(
        &new.local,
        SecretsmanagerRandomPassword {
            password_length: set(Secret::LENGTH),
            exclude_punctuation: set(true),
            ..Default::default()
        },
    );
    stack.add(
        &new.local,
        SecretsmanagerSecretVersion {
            secret_id: set(secret.id()),
            optional: SecretsmanagerSecretVersionOptional {
                secret_string_wo: set(drawn.random_password()),
                secret_string_wo_version: set(new.settings.version.get()),
                ..Default::default()
            },
        },
    )
}

/// PCI 8.6.3: a function changes the secret by itself.
fn rotate(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    new: &New<'_>,
    function: &LambdaArn,
    secret: &SecretsmanagerSecretHandle,
    value: &SecretsmanagerSecretVersionHandle,
) {
    let permission = stack.add(
        &new.local,
        LambdaPermission {
            action: set("lambda:InvokeFunction"),
            function_name: set(function.to_string()),
            principal: set("secretsmanager.amazonaws.com"),
            optional: LambdaPermissionOptional {
                source_account: set(config.account_id.to_string()),
                source_arn: set(secret.arn().text()),
                // Letters, digits, hyphens and underscores.
                statement_id: set(new.name.replace('/', "-")),
                ..Default::default()
            },
        },
    );
    stack.add_with(
        &new.local,
        // The function is tried out when rotation is switched on, and rotates what is there.
        Meta::new().depends_on(&permission).depends_on(value),
        SecretsmanagerSecretRotation {
            secret_id: set(secret.id()),
            rotation_rules: rotation::RotationRules {
                automatically_after_days: set(new.settings.rotation_days.get()),
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
