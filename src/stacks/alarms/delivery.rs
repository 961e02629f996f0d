//! Whether alarms themselves reach anybody (PCI 10.7.2).

use aws::SqsQueueHandle;
use terraform::kind::Text;
use terraform::{Expr, Stack};

use super::Inputs;
use crate::alarm::table::*;
use crate::alarm::{Alarm, Bad, Entry, Measure, Metric, Missing, Notice};
use crate::config::EnvConfig;

/// Adds an alarm for each topic, which tells the other, and one for events that no topic could be told.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    inputs: &Inputs<'_>,
    dead_letters: &SqsQueueHandle,
) -> Vec<Expr<Text>> {
    let alarm = |entry: &'static Entry, metric| Alarm {
        notice: Notice::of(entry),
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
    let alarms = [
        alarm(&PAGE_UNDELIVERED, failed(&inputs.topics.page)),
        alarm(&NOTIFY_UNDELIVERED, failed(&inputs.topics.notify)),
        alarm(&UNTOLD_EVENTS, untold),
    ];
    alarms.into_iter().map(|alarm| alarm.add(stack, config, inputs.topics).arn()).collect()
}
