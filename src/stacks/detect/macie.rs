//! Amazon Macie: card data where none should lie (PCI 3.2.1, 12.5.2).

use aws::macie2_classification_job as job;
use aws::{
    KmsGrant, KmsGrantOptional, Macie2Account, Macie2AccountHandle, Macie2ClassificationJob,
    Macie2ClassificationJobOptional,
};
use terraform::{Expr, Meta, Stack, set};

use super::Inputs;
use crate::config::EnvConfig;
use crate::names::role;

pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) {
    let account = stack.add(
        "main",
        Macie2Account { status: set("ENABLED"), finding_publishing_frequency: set("FIFTEEN_MINUTES") },
    );
    read(stack, config, inputs, &account);
    let mut buckets: Vec<Expr<_>> = inputs.buckets.statements.iter().map(|own| own.id().text()).collect();
    buckets.extend(config.detection.macie.buckets.iter().map(|name| Expr::new(name.to_string())));
    stack.add_with(
        "card_data",
        Meta::new().depends_on(&account),
        Macie2ClassificationJob {
            job_type: set("SCHEDULED"),
            s3_job_definition: job::S3JobDefinition {
                bucket_definitions: vec![job::BucketDefinitions {
                    account_id: set(config.account_id.to_string()),
                    buckets: set(buckets),
                }],
                ..Default::default()
            },
            optional: Macie2ClassificationJobOptional {
                name: set(config.names.of("card-data")),
                description: set("Looks for card data in what was added in the week"),
                // The first run looks at what is there already.
                initial_run: set(true),
                schedule_frequency: set(job::ScheduleFrequency {
                    weekly_schedule: set("SUNDAY"),
                    ..Default::default()
                }),
                ..Default::default()
            },
        },
    );
}

/// Lets Macie read what the key for data encrypts. By a grant, since the role is Macie's own, which is not there before
/// Macie is, and a key policy that names nobody cannot be made.
/// <https://docs.aws.amazon.com/macie/latest/user/discovery-supported-encryption-types.html>
fn read(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>, account: &Macie2AccountHandle) {
    stack.add_with(
        "macie",
        Meta::new().depends_on(account),
        KmsGrant {
            key_id: set(inputs.keys.data.key_id()),
            grantee_principal: set(role::macie(config)),
            operations: set(["Decrypt"]),
            optional: KmsGrantOptional { name: set(config.names.of("macie")), ..Default::default() },
        },
    );
}
