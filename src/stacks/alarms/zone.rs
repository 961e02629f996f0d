//! Whether the hosted zone's answers are signed.

use terraform::kind::Text;
use terraform::{Expr, Meta, Stack};

use super::Inputs;
use crate::alarm::table::*;
use crate::alarm::{Alarm, Bad, Entry, Measure, Metric, Missing, Notice};
use crate::config::EnvConfig;

/// Adds the alarms, in the region that Route 53 measures in; the dashboard shows those of its own region alone.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-hosted-zones-with-cloudwatch.html>
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let Some(zone) = inputs.zone.filter(|_| config.dns.dnssec) else { return Vec::new() };
    let alarms = [
        alarm(zone.zone.zone_id().text(), "DNSSECInternalFailure", &ZONE_SIGNING_FAILED),
        alarm(zone.zone.zone_id().text(), "DNSSECKeySigningKeysNeedingAction", &ZONE_KEY_UNUSABLE),
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

fn alarm(zone: Expr<Text>, metric: &'static str, alarm: &'static Entry) -> Alarm {
    Alarm {
        notice: Notice::of(alarm),
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
