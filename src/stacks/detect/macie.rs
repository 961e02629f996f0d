//! Amazon Macie: card data where none should lie (PCI 3.2.1, 12.5.2).

use aws::macie2_classification_job as job;
use aws::{Macie2Account, Macie2ClassificationJob, Macie2ClassificationJobOptional};
use terraform::{Meta, Stack, set};

use crate::config::EnvConfig;

pub fn build(stack: &mut Stack<'_>, config: &EnvConfig) {
    let account = stack.add(
        "main",
        Macie2Account { status: set("ENABLED"), finding_publishing_frequency: set("FIFTEEN_MINUTES") },
    );
    let buckets = &config.detection.macie.buckets;
    if buckets.is_empty() {
        return;
    }
    stack.add_with(
        "card_data",
        Meta::new().depends_on(&account),
        Macie2ClassificationJob {
            job_type: set("SCHEDULED"),
            s3_job_definition: job::S3JobDefinition {
                bucket_definitions: vec![job::BucketDefinitions {
                    account_id: set(config.account_id.to_string()),
                    buckets: set(buckets.iter().map(ToString::to_string).collect::<Vec<_>>()),
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
