//! Who may do what in the account: analyzers, the password policy, the support role, and whom AWS tells.

use aws::accessanalyzer_analyzer as analyzer;
use aws::document::policy::{Condition, Principal, Statement};
use aws::kind::TrustPolicy;
use aws::{
    AccessanalyzerAnalyzer, AccessanalyzerAnalyzerHandle, AccessanalyzerAnalyzerOptional,
    AccountAlternateContact, IamAccountPasswordPolicy, IamRolePolicyAttachment,
};
use terraform::{Expr, Stack, set};

use crate::config::EnvConfig;
use crate::stacks::role;

/// After this many days what was not used is reported (PCI 8.2.6: accounts that were not used for 90 days).
const UNUSED_DAYS: u32 = 90;

/// What can be reached from outside the account, and what nobody has used (PCI 7.2.4, 7.2.5.1).
pub fn analyzers(stack: &mut Stack<'_>, config: &EnvConfig) -> AccessanalyzerAnalyzerHandle {
    let external = stack.add(
        "external",
        AccessanalyzerAnalyzer {
            analyzer_name: set(config.names.of("external-access")),
            optional: AccessanalyzerAnalyzerOptional { r#type: set("ACCOUNT"), ..Default::default() },
        },
    );
    if config.detection.unused_access {
        stack.add(
            "unused",
            AccessanalyzerAnalyzer {
                analyzer_name: set(config.names.of("unused-access")),
                optional: AccessanalyzerAnalyzerOptional {
                    r#type: set("ACCOUNT_UNUSED_ACCESS"),
                    configuration: set(analyzer::Configuration {
                        unused_access: set(analyzer::UnusedAccess {
                            unused_access_age: set(UNUSED_DAYS),
                            ..Default::default()
                        }),
                    }),
                    ..Default::default()
                },
            },
        );
    }
    external
}

/// For users that there should be none of: people come through an identity provider. PCI 8.3.6 asks for 12 characters,
/// the CIS benchmark for 14; 8.3.7 for four passwords, CIS for 24; 8.3.9 for 90 days.
pub fn password_policy(stack: &mut Stack<'_>) {
    stack.add(
        "main",
        IamAccountPasswordPolicy {
            minimum_password_length: set(14),
            password_reuse_prevention: set(24),
            max_password_age: set(90),
            require_lowercase_characters: set(true),
            require_uppercase_characters: set(true),
            require_numbers: set(true),
            require_symbols: set(true),
            allow_users_to_change_password: set(true),
            // An expired password can still be changed; otherwise only an administrator could.
            hard_expiry: set(false),
        },
    );
}

/// Who may open cases with AWS's support (Security Hub IAM.18): the operators, or else whoever in the account may
/// assume roles, in either case signed in with MFA lately.
pub fn support_role(stack: &mut Stack<'_>, config: &EnvConfig) {
    let people = if config.iam.operators.is_empty() {
        vec![format!("arn:{}:iam::{}:root", config.partition(), config.account_id)]
    } else {
        config.iam.operators.iter().map(ToString::to_string).collect()
    };
    let people = Principal::Arns(people.into_iter().map(Expr::new).collect());
    let trust = Statement::<TrustPolicy>::assume("People", people)
        .when(Condition::bool("aws:MultiFactorAuthPresent", true))
        .when(Condition::numeric_less_than(
            "aws:MultiFactorAuthAge",
            [config.iam.operator_mfa_age_seconds.to_string()],
        ));
    let role = role::add(stack, config, "support", "Opens and follows cases with the support by AWS", trust);
    stack.add(
        "support",
        IamRolePolicyAttachment {
            role: set(role.name()),
            policy_arn: Expr::external(support_policy(config)),
        },
    );
    stack.output("support_role_arn", "The role that opens cases with the support by AWS.", role.arn().text());
}

/// AWS's own policy for it, which the control looks for.
pub fn support_policy(config: &EnvConfig) -> String {
    format!("arn:{}:iam::aws:policy/AWSSupportAccess", config.partition())
}

/// Whom AWS writes to about abuse and incidents, besides the owner of the account (Security Hub Account.1).
pub fn security_contact(stack: &mut Stack<'_>, config: &EnvConfig) {
    let Some(contact) = &config.account.security_contact else { return };
    stack.add(
        "security",
        AccountAlternateContact {
            alternate_contact_type: set("SECURITY"),
            name: set(contact.name.to_string()),
            title: set(contact.title.to_string()),
            email_address: set(contact.email.to_string()),
            phone_number: set(contact.phone.to_string()),
            optional: Default::default(),
        },
    );
}
