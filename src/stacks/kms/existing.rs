//! Keys that exist already: read, and held to what the services behind them need.

use aws::data;
use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::ResourcePolicy;
use terraform::kind::{Bool, Text};
use terraform::{Expr, Meta, Stack, set};

use super::{Key, Purpose, THIS_KEY, USE, output, uses};
use crate::config::{EnvConfig, KmsKeyArn};

/// Looks a key up. A plan fails on one that the services could not use, before anything is made with it.
pub(super) fn key(stack: &mut Stack<'_>, config: &EnvConfig, purpose: Purpose, arn: &KmsKeyArn) -> Key {
    let name = purpose.as_str();
    let say = |what: &str| format!("The key kms.keys.{name} {what}");
    let is = |attribute: &'static str, value: &'static str| Expr::<Text>::itself(attribute).equals(value);
    let meta = Meta::new()
        .postcondition(
            Expr::<Bool>::itself("enabled"),
            say("is disabled or will be deleted: its owner has to enable it, or cancel the deletion."),
        )
        .postcondition(
            is("key_spec", "SYMMETRIC_DEFAULT").and(is("key_usage", "ENCRYPT_DECRYPT")),
            say("is not a symmetric one for encryption, which alone the services use."),
        )
        // PCI 3.6.1: who may use a key of AWS's own, nobody can say.
        .postcondition(
            is("key_manager", "CUSTOMER"),
            say("is one of AWS's own, whose policy nobody can change: name a customer-managed key."),
        );
    let key = stack.add_with(
        name,
        meta,
        data::KmsKey { key_id: set(arn.to_string()), optional: Default::default() },
    );
    let key = Key { arn: key.arn(), key_id: key.key_id() };
    output(stack, purpose, &key);
    stack.output(
        &format!("required_key_statements_{name}"),
        format!(
            "What the policy of the key that encrypts {} must allow; its owner adds it.",
            purpose.description()
        ),
        Expr::<ResourcePolicy>::new(Policy::new(required(config, purpose))),
    );
    key
}

/// What the key's policy must allow beside whatever else its owner allows.
fn required(config: &EnvConfig, purpose: Purpose) -> Vec<Statement<ResourcePolicy>> {
    let root = || Principal::arn(format!("arn:{}:iam::{}:root", config.partition(), config.account_id));
    let grants = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"];
    let grants = Statement::<ResourcePolicy>::allow("EnvironmentGrants", root(), grants, THIS_KEY);
    // Macie's grant is made by whoever applies, for a role of Macie's; every other one by a service.
    let by_hand = purpose == Purpose::Data && config.account.baseline && config.detection.macie.enabled;
    let grants =
        if by_hand { grants } else { grants.when(Condition::bool("kms:GrantIsForAWSResource", true)) };
    let mut all = vec![
        // Which roles use it, the environment's own IAM policies say.
        Statement::<ResourcePolicy>::allow("EnvironmentUses", root(), USE, THIS_KEY),
        grants,
    ];
    all.extend(uses(config, purpose));
    all
}
