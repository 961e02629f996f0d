//! Whether alarms themselves reach anybody (PCI 10.7.2).

use aws::SqsQueueHandle;
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use super::alarm::{Alarm, Bad, Measure, Metric, Missing};
use super::notice::Notice;
use crate::config::EnvConfig;
use crate::names::Topic;

/// Adds an alarm for each topic, which tells the other, and one for events that no topic could be told.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    dead_letters: &SqsQueueHandle,
) -> Vec<Expr<Text>> {
    let alarm = |name, to, means, first, metric| Alarm {
        notice: Notice { name, instance: None, to, means, first },
        measure: Measure::Of(metric),
        bad: Bad::AtLeast(1.into()),
        period_seconds: 300,
        of: (1, 1),
        missing: Missing::Fine,
    };
    let failed = |topic: &aws::SnsTopicHandle| Metric {
        namespace: "AWS/SNS".into(),
        name: "NumberOfNotificationsFailed",
        dimensions: vec![("TopicName", topic.name())],
        statistic: "Sum",
    };
    let untold = Metric {
        namespace: "AWS/SQS".into(),
        name: "ApproximateNumberOfMessagesVisible",
        dimensions: vec![("QueueName", dead_letters.name())],
        statistic: "Maximum",
    };
    let first = "see which subscription fails or was never confirmed, and mend the address under [alarms].";
    let alarms = [
        alarm(
            "page-undelivered",
            Topic::Notify,
            "A message to those who are paged was not delivered.",
            first,
            failed(&inputs.topics.page),
        ),
        alarm(
            "notify-undelivered",
            Topic::Page,
            "A message to those who are notified was not delivered.",
            first,
            failed(&inputs.topics.notify),
        ),
        alarm(
            "untold-events",
            Topic::Page,
            "An event could not be told to its topic, and waits in the queue of untold events.",
            "read the message in the queue, which says which rule and why; then the topic's policy and the key's.",
            untold,
        ),
    ];
    alarms.into_iter().map(|alarm| alarm.add(stack, config, inputs.topics).arn()).collect()
}
