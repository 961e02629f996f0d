//! What EventBridge could not tell a topic.

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::ResourcePolicy;
use aws::{SqsQueue, SqsQueueHandle, SqsQueuePolicy};
use terraform::{Stack, set};

use crate::config::EnvConfig;
use crate::names::queue;
use crate::stacks::kms;

/// The queue of events that EventBridge could not tell a topic within a day.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> SqsQueueHandle {
    let queue = stack.add(
        "untold_events",
        SqsQueue {
            name: set(queue::dead_letters(config)),
            kms_master_key_id: set(keys.logs.arn()),
            // The longest there is: 14 days.
            message_retention_seconds: set(14 * 24 * 3600),
            ..Default::default()
        },
    );
    let statements = [
        Statement::<ResourcePolicy>::allow(
            "Events",
            Principal::service("events.amazonaws.com"),
            ["sqs:SendMessage"],
            [queue.arn()],
        )
        .when(Condition::arn_like(
            "aws:SourceArn",
            [config.arn("events", &format!("rule/{}", config.names.of("*")))],
        )),
        Statement::<ResourcePolicy>::deny("Tls", Principal::Anyone, ["sqs:*"], [queue.arn()])
            .when(Condition::bool("aws:SecureTransport", false)),
    ];
    stack.add(
        "untold_events",
        SqsQueuePolicy { queue_url: set(queue.id()), policy: set(Policy::new(statements)) },
    );
    queue
}
