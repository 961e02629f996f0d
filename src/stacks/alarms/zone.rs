//! Whether the hosted zone's answers are signed.

use terraform::kind::Text;
use terraform::{Expr, Meta, Stack};

use super::Inputs;
use super::alarm::{Alarm, Bad, Measure, Metric, Missing};
use super::notice::Notice;
use crate::config::EnvConfig;
use crate::names::Topic;

/// Adds the alarms, in the region that Route 53 measures in; the dashboard shows those of its own region alone.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-hosted-zones-with-cloudwatch.html>
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let Some(zone) = inputs.zone.filter(|_| config.dns.dnssec) else { return Vec::new() };
    let alarms = [
        alarm(
            zone.zone.zone_id().text(),
            "DNSSECInternalFailure",
            "zone-signing-failed",
            "Answers from the hosted zone cannot be signed: resolvers that check signatures find the service no more.",
            "see the zone's DNSSEC tab in Route 53; until it is mended, have the parent take the DS record away.",
        ),
        alarm(
            zone.zone.zone_id().text(),
            "DNSSECKeySigningKeysNeedingAction",
            "zone-key-unusable",
            "Route 53 cannot use the key that signs the hosted zone: soon its answers fail the check of signatures.",
            "see whether the key in KMS was disabled, deleted or given another policy, and undo it by an apply.",
        ),
    ];
    match (&zone.abroad, &inputs.topics.zone) {
        (Some(provider), Some(topic)) => {
            for alarm in alarms {
                alarm.add_to(stack, config, topic.arn(), Meta::new().provider(provider));
            }
            Vec::new()
        }
        _ => alarms.map(|alarm| alarm.add(stack, config, inputs.topics).arn()).to_vec(),
    }
}

fn alarm(
    zone: Expr<Text>,
    metric: &'static str,
    name: &'static str,
    means: &'static str,
    first: &'static str,
) -> Alarm {
    Alarm {
        notice: Notice { name, instance: None, to: Topic::Page, means, first },
        measure: Measure::Of(Metric {
            namespace: "AWS/Route53".into(),
            name: metric,
            dimensions: vec![("HostedZoneId", zone)],
            statistic: "Sum",
        }),
        bad: Bad::Above(0.into()),
        // Route 53 says it every four hours.
        period_seconds: 4 * 3600,
        of: (1, 1),
        missing: Missing::Unknown,
    }
}
