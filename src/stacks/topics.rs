//! The two topics that everything worth a person's attention is published to, and who hears of it.
//!
//! They stand before the stacks that publish to them. Whether a message reaches a person is measured by SNS itself
//! (`NumberOfNotificationsFailed`), for which there is an alarm on each topic that tells the other; delivery logs are
//! not kept, since SNS writes none for mailboxes and those of https addresses hold the messages once more.

use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::{KmsKeyArn, ResourcePolicy};
use aws::{SnsTopic, SnsTopicHandle, SnsTopicPolicy, SnsTopicSubscription, SnsTopicSubscriptionOptional};
use terraform::{Expr, Meta, ProviderRef, Resource, Stack, set};

use super::{Providers, kms};
use crate::alarm::Topics;
use crate::config::{EnvConfig, Region, Subscriber};
use crate::names::Topic;
use crate::names::alarm_topic::ABROAD;

/// Builds the topics and subscribes to them.
pub fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    keys: &kms::Outputs,
    providers: &Providers,
) -> Topics {
    let here = |topic: Topic| Place {
        address: topic.as_str(),
        region: config.region.clone(),
        key: keys.logs.arn(),
        provider: None,
    };
    let page = topic(stack, config, Topic::Page, &here(Topic::Page));
    let notify = topic(stack, config, Topic::Notify, &here(Topic::Notify));
    for (topic, handle) in [(Topic::Page, &page), (Topic::Notify, &notify)] {
        output(stack, topic, handle);
    }
    let abroad = config.zone_abroad().filter(|_| config.dns.dnssec).zip(keys.zone.as_ref());
    let zone = abroad.map(|(region, key)| {
        let place = Place { address: ABROAD, region, key: key.arn(), provider: providers.zone.as_ref() };
        topic(stack, config, Topic::Page, &place)
    });
    Topics { page, notify, zone }
}

/// Where a topic is.
struct Place<'a> {
    /// Its name in Terraform's addresses.
    address: &'static str,
    region: Region,
    key: Expr<KmsKeyArn>,
    provider: Option<&'a ProviderRef>,
}

impl Place<'_> {
    fn meta<R: Resource>(&self) -> Meta<R> {
        self.provider.map_or_else(Meta::new, |provider| Meta::new().provider(provider))
    }
}

fn topic(stack: &mut Stack<'_>, config: &EnvConfig, topic: Topic, place: &Place<'_>) -> SnsTopicHandle {
    let handle = stack.add_with(
        place.address,
        place.meta(),
        SnsTopic {
            name: set(config.names.of(topic.as_str())),
            // AWS's own key for SNS admits no alarm, and drops each without a word.
            // <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>
            kms_master_key_id: set(place.key.clone()),
            // Signatures with SHA-256.
            signature_version: set(2),
            ..Default::default()
        },
    );
    let statements = statements(config, &place.region, &handle);
    let policy = stack.add_with(
        place.address,
        place.meta(),
        SnsTopicPolicy { arn: set(handle.arn()), policy: set(Policy::new(statements)) },
    );
    for subscriber in subscribers(topic, config) {
        subscribe(stack, place.address, &handle, subscriber, place.meta().depends_on(&policy));
    }
    handle
}

/// Who hears of it; if nobody is named, those of the other topic, so that no alarm goes unheard.
fn subscribers(topic: Topic, config: &EnvConfig) -> &[Subscriber] {
    let alarms = &config.alarms;
    let (own, other) = match topic {
        Topic::Page => (&alarms.page, &alarms.notify),
        Topic::Notify => (&alarms.notify, &alarms.page),
    };
    if own.is_empty() { other } else { own }
}

fn output(stack: &mut Stack<'_>, topic: Topic, handle: &SnsTopicHandle) {
    stack.output(
        &format!("{}_topic_arn", topic.as_str()),
        match topic {
            Topic::Page => "The topic of what cannot wait until the morning.",
            Topic::Notify => "The topic of what can wait until the morning.",
        },
        handle.arn(),
    );
}

/// Alarms and events of this account publish, and nobody speaks to the topic without TLS (PCI 4.2.1).
fn statements(config: &EnvConfig, region: &Region, topic: &SnsTopicHandle) -> Vec<Statement<ResourcePolicy>> {
    let publish = |sid: &'static str, service: &'static str| {
        Statement::<ResourcePolicy>::allow(sid, Principal::service(service), ["sns:Publish"], [topic.arn()])
    };
    let deny = |sid: &'static str, actions: &'static [&'static str]| {
        Statement::<ResourcePolicy>::deny(sid, Principal::Anyone, actions.to_vec(), [topic.arn()])
    };
    let of_account = |sid, service, source: String| {
        publish(sid, service)
            .when(Condition::string_equals("aws:SourceAccount", [config.account_id.to_string()]))
            .when(Condition::arn_like("aws:SourceArn", [source]))
    };
    let mut statements = vec![
        of_account("Alarms", "cloudwatch.amazonaws.com", config.arn_in(region, "cloudwatch", "alarm:*")),
        // Without a condition, as AWS has it: EventBridge brings none along to a topic that is encrypted.
        // <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sns-permissions>
        publish("Events", "events.amazonaws.com"),
        deny("Tls", &["sns:Publish"]).when(Condition::bool("aws:SecureTransport", false)),
        deny("NoPlainHttp", &["sns:Subscribe"]).when(Condition::string_equals("sns:Protocol", ["http"])),
    ];
    if config.data.postgres.is_some() {
        // <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html>
        statements.push(of_account("Database", "events.rds.amazonaws.com", config.arn("rds", "*")));
    }
    statements
}

fn subscribe(
    stack: &mut Stack<'_>,
    address: &str,
    handle: &SnsTopicHandle,
    subscriber: &Subscriber,
    meta: Meta<SnsTopicSubscription>,
) {
    let https = subscriber.protocol() == "https";
    stack.add_with(
        format!("{address}_{}", subscriber.identifier()),
        meta,
        SnsTopicSubscription {
            topic_arn: set(handle.arn()),
            protocol: set(subscriber.protocol()),
            endpoint: set(subscriber.to_string()),
            optional: SnsTopicSubscriptionOptional {
                // The apply then waits for the confirmation, and fails without one: an address that never confirms
                // would hear of nothing. A mailbox's owner is sent a mail to confirm by.
                endpoint_auto_confirms: https.then(|| set(true)),
                ..Default::default()
            },
        },
    );
}

#[cfg(test)]
mod tests {
    use super::super::probe::*;
    use super::*;

    #[test]
    fn topics_take_what_alarms_and_events_say_and_nothing_in_the_clear() {
        let root = platform("");
        assert_eq!(nodes(&root, "aws_sns_topic").len(), Topic::ALL.len());
        for topic in Topic::ALL {
            let policy = node(&root, &format!("aws_sns_topic_policy.{}", topic.as_str()));
            for (sid, allowed) in [("Alarms", true), ("Events", true), ("Tls", false), ("NoPlainHttp", false)]
            {
                assert_eq!(statement(policy, "policy", sid).map(allows), Some(allowed), "{sid}");
            }
        }
    }

    #[test]
    fn the_key_admits_both_topics() {
        let config = EnvConfig::for_test("");
        let root = platform("");
        let key = node(&root, "aws_kms_key.logs");
        let statement = statement(key, "policy", "AlarmTopics").expect("a statement");
        let arns = condition(statement, "kms:EncryptionContext:aws:sns:topicArn");
        let expected = Topic::ALL.map(|topic| topic.arn(&config));
        assert_eq!(arns.iter().filter_map(|arn| arn.as_str()).collect::<Vec<_>>(), expected);
        for topic in nodes(&root, "aws_sns_topic") {
            let name = text_at(topic, "name");
            assert!(expected.iter().any(|arn| arn.ends_with(&format!(":{name}"))), "{name}");
        }
    }

    #[test]
    fn what_nobody_is_named_for_reaches_those_who_are_named_for_the_other() {
        let endpoints = |text: &str, topic: &str| -> Vec<String> {
            let root = platform(text);
            let all = nodes(&root, "aws_sns_topic_subscription").into_iter();
            let of_topic = all.filter(|node| node.address().name().starts_with(topic));
            of_topic.map(|node| text_at(node, "endpoint").to_owned()).collect()
        };
        let one = "alarms.page = [\"a@example.com\"]\n";
        assert_eq!(endpoints(one, "page_"), ["a@example.com"]);
        assert_eq!(endpoints(one, "notify_"), ["a@example.com"]);
        let other = "production = false\nalarms.notify = [\"b@example.com\"]\n";
        assert_eq!(endpoints(other, "page_"), ["b@example.com"]);
        let two = "alarms.page = [\"https://pager.example.com/x\"]\nalarms.notify = [\"b@example.com\"]\n";
        assert_eq!(endpoints(two, "page_"), ["https://pager.example.com/x"]);
        assert_eq!(endpoints(two, "notify_"), ["b@example.com"]);
        assert!(endpoints("production = false\nalarms.notify = []\n", "").is_empty());
    }
}
