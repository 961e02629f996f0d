//! What comes in and what goes out: web ACL, certificate, NAT.

use terraform::kind::Text;
use terraform::{Addressed, Expr, Stack};

use super::Inputs;
use super::alarm::{Alarm, Bad, Measure, Metric, Missing};
use super::notice::Notice;
use crate::config::{AvailabilityZone, EnvConfig};
use crate::names::Topic;

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
    let notice = |name, means, first| Notice { name, instance: None, to: Topic::Notify, means, first };
    let blocked = of_web_acl(config, inputs, "BlockedRequests");
    let allowed = of_web_acl(config, inputs, "AllowedRequests");
    [
        Alarm {
            notice: notice(
                "blocked-requests",
                "The web ACL refuses more requests than it does every day (alarms.blocked_requests): an attack, or a \
                 customer that a rule takes for one.",
                "run the saved query of refused requests, by rule and by address.",
            ),
            measure: Measure::Of(blocked.clone()),
            bad: Bad::AtLeast(config.alarms.blocked_requests.get().into()),
            period_seconds: 300,
            of: (2, 3),
            missing: Missing::Fine,
        },
        Alarm {
            notice: notice(
                "request-flood",
                "More requests arrive than the service is meant for (alarms.requests_per_minute).",
                "group the web ACL's log by address and by path; refuse with waf.deny_ips, or lower waf.rate_limit.",
            ),
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
        notice: Notice {
            name: "attack",
            instance: None,
            to: Topic::Page,
            means: "Shield Advanced sees a denial-of-service attack on the load balancer.",
            first: "see in the Shield console what attacks; call AWS's response team if users notice, and narrow the \
                    web ACL (waf.rate_limit, waf.geo_deny).",
        },
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
        notice: Notice {
            name: "certificate-expiry",
            instance: None,
            to: Topic::Notify,
            means: "The certificate ends soon and was not renewed (alarms.certificate_days).",
            first: "see in ACM which name cannot be validated, and restore its CNAME record in the hosted zone.",
        },
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
        notice: Notice {
            name: "egress-refused",
            instance: Some(zone.letter().to_string()),
            to: Topic::Notify,
            means: "The network firewall drops connections of the tasks: a third party has another name, or somebody tries \
                    to carry data out (PCI 1.3.2).",
            first: "run the saved query of refused names; add a name that belongs there (network.firewall), and treat any \
                    other as an incident.",
        },
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
            notice: Notice {
                name: "nat-ports",
                instance: Some(zone),
                to: Topic::Notify,
                means: "A NAT gateway has no port left for a connection to one destination; connections to it fail.",
                first: "find the destination in the flow logs; reuse connections to it, or reach it by an endpoint.",
            },
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
            notice: Notice {
                name: "nat-drops",
                instance: Some(zone),
                to: Topic::Notify,
                means: "A NAT gateway drops more than one packet in ten thousand, which AWS takes for a fault of its \
                        own.",
                first: "see the AWS Health dashboard; move the zone's route to another gateway and open a case.",
            },
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
