//! What comes in and what goes out: web ACL, certificate, NAT.

use terraform::kind::Text;
use terraform::{Addressed, Expr, Stack};

use super::Inputs;
use crate::alarm::table::*;
use crate::alarm::{Alarm, Bad, Measure, Metric, Missing, Notice};
use crate::config::{AvailabilityZone, EnvConfig};

/// A metric of the web ACL, over all of its rules.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html>
pub fn of_web_acl(config: &EnvConfig, inputs: &Inputs<'_>, name: &'static str) -> Metric {
    Metric {
        namespace: "AWS/WAFV2".into(),
        name,
        dimensions: vec![
            ("WebACL", inputs.waf.web_acl.name()),
            ("Region", Expr::new(config.region.to_string())),
            ("Rule", Expr::new("ALL")),
        ],
        statistic: "Sum",
    }
}

/// A metric of each NAT gateway, with the letter of its zone.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html>
pub fn of_nat_gateways(
    inputs: &Inputs<'_>,
    name: &'static str,
    statistic: &'static str,
) -> Vec<(String, Metric)> {
    let gateways = inputs.network.nat_gateways.iter();
    let metric = |gateway: &aws::NatGatewayHandle| Metric {
        namespace: "AWS/NATGateway".into(),
        name,
        dimensions: vec![("NatGatewayId", gateway.id().text())],
        statistic,
    };
    gateways
        .map(|gateway| (gateway.address().name().trim_start_matches("nat_").to_owned(), metric(gateway)))
        .collect()
}

/// Adds the alarms.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Expr<Text>> {
    let nat = nat_gateways(inputs)
        .into_iter()
        .chain(firewall(config, inputs))
        .chain(config.shield.subscribed.then(|| attack(inputs)));
    let alarms = web_acl(config, inputs).into_iter().chain([certificate(config, inputs)]).chain(nat);
    alarms.map(|alarm| alarm.add(stack, config, inputs.topics).arn()).collect()
}

fn web_acl(config: &EnvConfig, inputs: &Inputs<'_>) -> [Alarm; 2] {
    let blocked = of_web_acl(config, inputs, "BlockedRequests");
    let allowed = of_web_acl(config, inputs, "AllowedRequests");
    [
        Alarm {
            notice: Notice::of(&BLOCKED_REQUESTS),
            measure: Measure::Of(blocked.clone()),
            bad: Bad::AtLeast(config.alarms.blocked_requests.get().into()),
            period_seconds: 300,
            of: (2, 3),
            missing: Missing::Fine,
        },
        Alarm {
            notice: Notice::of(&REQUEST_FLOOD),
            measure: Measure::Math(
                "FILL(allowed, 0) + FILL(blocked, 0)",
                vec![("allowed", allowed), ("blocked", blocked)],
            ),
            bad: Bad::Above(config.alarms.requests_per_minute.get().into()),
            period_seconds: 60,
            of: (5, 5),
            missing: Missing::Fine,
        },
    ]
}

/// <https://docs.aws.amazon.com/waf/latest/developerguide/shield-metrics.html>
fn attack(inputs: &Inputs<'_>) -> Alarm {
    Alarm {
        notice: Notice::of(&ATTACK),
        measure: Measure::Of(Metric {
            namespace: "AWS/DDoSProtection".into(),
            name: "DDoSDetected",
            dimensions: vec![("ResourceArn", inputs.alb.load_balancer.arn().text())],
            statistic: "Maximum",
        }),
        bad: Bad::Above(0.into()),
        period_seconds: 60,
        of: (1, 1),
        missing: Missing::Fine,
    }
}

/// <https://docs.aws.amazon.com/acm/latest/userguide/cloudwatch-metrics.html>
fn certificate(config: &EnvConfig, inputs: &Inputs<'_>) -> Alarm {
    Alarm {
        notice: Notice::of(&CERTIFICATE_EXPIRY),
        measure: Measure::Of(Metric {
            namespace: "AWS/CertificateManager".into(),
            name: "DaysToExpiry",
            dimensions: vec![("CertificateArn", inputs.alb.certificate.clone().text())],
            statistic: "Minimum",
        }),
        bad: Bad::Below(config.alarms.certificate_days.get().into()),
        // ACM says it twice a day.
        period_seconds: 24 * 3600,
        of: (1, 1),
        missing: Missing::Unknown,
    }
}

/// <https://docs.aws.amazon.com/network-firewall/latest/developerguide/monitoring-cloudwatch.html>
fn firewall(config: &EnvConfig, inputs: &Inputs<'_>) -> Vec<Alarm> {
    let Some(wall) = &inputs.network.firewall else { return Vec::new() };
    let alarm = |zone: &AvailabilityZone| Alarm {
        notice: Notice::each(&EGRESS_REFUSED, Some(zone.letter().to_string())),
        measure: Measure::Of(Metric {
            namespace: "AWS/NetworkFirewall".into(),
            name: "DroppedPackets",
            dimensions: vec![
                ("AvailabilityZone", Expr::new(zone.to_string())),
                ("Engine", Expr::new("Stateful")),
                ("FirewallName", Expr::new(config.names.of("egress"))),
            ],
            statistic: "Sum",
        }),
        bad: Bad::Above(0.into()),
        period_seconds: 300,
        of: (1, 1),
        missing: Missing::Fine,
    };
    wall.zones.iter().map(alarm).collect()
}

fn nat_gateways(inputs: &Inputs<'_>) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for (zone, ports) in of_nat_gateways(inputs, "ErrorPortAllocation", "Sum") {
        alarms.push(Alarm {
            notice: Notice::each(&NAT_PORTS, Some(zone)),
            measure: Measure::Of(ports),
            bad: Bad::Above(0.into()),
            period_seconds: 300,
            of: (3, 3),
            missing: Missing::Fine,
        });
    }
    let sum = |name| of_nat_gateways(inputs, name, "Sum");
    let all = sum("PacketsDropCount")
        .into_iter()
        .zip(sum("PacketsInFromSource"))
        .zip(sum("PacketsInFromDestination"));
    for (((zone, dropped), (_, outward)), (_, inward)) in all {
        alarms.push(Alarm {
            notice: Notice::each(&NAT_DROPS, Some(zone)),
            measure: Measure::Math(
                "100 * FILL(dropped, 0) / (outward + inward)",
                vec![("dropped", dropped), ("outward", outward), ("inward", inward)],
            ),
            bad: Bad::Above(0.01.into()),
            period_seconds: 300,
            of: (3, 3),
            missing: Missing::Fine,
        });
    }
    alarms
}
