//! Rules on events: what AWS reports as it happens, put into words.

use aws::document::event_pattern::{EventPattern, Match};
use aws::{
    CloudwatchEventRule, CloudwatchEventTarget, CloudwatchEventTargetOptional, SqsQueueHandle,
    cloudwatch_event_target as target,
};
use terraform::{NonEmpty, Stack, set};

use crate::alarm::{Notice, Topics};
use crate::config::EnvConfig;

/// A rule on events.
pub struct Rule {
    /// What it says.
    pub notice: Notice,
    /// Which events it is about.
    pub pattern: EventPattern,
    /// What the message says of the event, by where it stands in it. Names and states alone: a request's parameters
    /// and a task's environment may hold secrets.
    pub fields: &'static [(&'static str, &'static str)],
}

/// Of a call of AWS's API, as CloudTrail reports it.
pub const CALL: &[(&str, &str)] = &[
    ("call", "$.detail.eventName"),
    ("by", "$.detail.userIdentity.arn"),
    ("from", "$.detail.sourceIPAddress"),
    ("region", "$.region"),
    ("time", "$.time"),
];

/// Calls of a service's API that succeeded. They come to EventBridge from any trail of the account, a trail of an
/// organization included. They are about every resource of the account on purpose: a control of a neighbour is a control
/// as well.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
pub fn calls<const N: usize>(source: &'static str, names: [&'static str; N]) -> EventPattern {
    EventPattern::from_source(source)
        .detail_type("AWS API Call via CloudTrail")
        .detail(["eventName"], names.map(Match::exact))
        .detail(["errorCode"], [Match::exists(false)])
}

/// A further service whose calls a pattern is about.
pub fn or_of(pattern: EventPattern, source: &'static str) -> EventPattern {
    pattern.field(["source"], NonEmpty::one(Match::exact(source)))
}

/// Where events are told, and where those are kept that could not be.
pub struct Destination<'a> {
    /// The topics.
    pub topics: &'a Topics,
    /// The queue of what could not be told.
    pub dead_letters: &'a SqsQueueHandle,
}

impl Rule {
    /// Adds the rule, and its topic as the target.
    pub fn add(self, stack: &mut Stack<'_>, config: &EnvConfig, to: &Destination<'_>) {
        let notice = self.notice;
        let rule = stack.add(
            notice.identifier(),
            CloudwatchEventRule {
                description: set(notice.rule_description(config)),
                event_pattern: set(self.pattern),
                name: set(config.names.of(&notice.full_name())),
                state: set(if notice.silenced(config).is_some() { "DISABLED" } else { "ENABLED" }),
                ..Default::default()
            },
        );
        stack.add(
            notice.identifier(),
            CloudwatchEventTarget {
                arn: set(to.topics.arn(notice.topic()).text()),
                rule: set(rule.name()),
                optional: CloudwatchEventTargetOptional {
                    dead_letter_config: set(target::DeadLetterConfig { arn: set(to.dead_letters.arn()) }),
                    input_transformer: set(target::InputTransformer {
                        input_template: set(template(config, &notice, self.fields)),
                        optional: target::InputTransformerOptional { input_paths: set(self.fields.to_vec()) },
                    }),
                    target_id: set(notice.topic().as_str()),
                    ..Default::default()
                },
            },
        );
    }
}

/// The message: one JSON string, in which EventBridge replaces each `<name>` by what it found.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>
fn template(config: &EnvConfig, notice: &Notice, fields: &[(&str, &str)]) -> String {
    let event: Vec<String> = fields.iter().map(|(name, _)| format!("{name}: <{name}>")).collect();
    let text = format!(
        "{} in account {}. {} | {}",
        config.names.of(&notice.full_name()),
        config.account_id,
        event.join(", "),
        notice.description(config)
    );
    // What is written here holds no quote and no backslash, as a test makes sure.
    format!("\"{text}\"")
}
