//! Checks of what AWS allows by default and on request: <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>,
//! <https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html>
//!
//! The stacks count what they build, so that the two cannot drift apart.

use crate::config::EnvConfig;
use crate::config::problem::Problems;
use crate::config::section::Nat;
use crate::stacks::{alb, network};

/// A number of things, and how many AWS allows.
struct Quota {
    key: &'static str,
    /// What is counted, in the plural.
    what: &'static str,
    count: usize,
    /// Without asking.
    default: usize,
    /// On request, if there is a limit to it.
    most: Option<usize>,
    /// How to have fewer.
    fewer: &'static str,
    because: &'static [&'static str],
}

/// Notes what goes beyond a quota: as an error where no request helps, else as a warning.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    let addresses = match config.network.own().map(|own| own.nat) {
        Some(Nat::PerAz) => config.network.availability_zones.len(),
        Some(Nat::Single) => 1,
        Some(Nat::None) | None => 0,
    };
    let quotas = [
        Quota {
            key: "network.egress",
            what: "rules of a network ACL in one direction",
            count: network::most_rules(config),
            default: 20,
            most: Some(40),
            fewer: "fewer different ports or fewer availability zones",
            because: &["network.availability_zones", "network.ipv6"],
        },
        Quota {
            key: "network.egress",
            what: "rules that let the tasks out",
            count: network::task_rules(config),
            default: 60,
            most: Some(1000),
            fewer: "fewer destinations, or a managed prefix list in place of several",
            because: &["network.endpoints"],
        },
        Quota {
            key: "alb.allowed_cidrs",
            what: "rules that let clients in to the load balancer",
            count: network::client_rules(config),
            default: 60,
            most: Some(1000),
            fewer: "fewer ranges, or `http_redirect = false`, which halves the rules",
            because: &["alb.http_redirect", "network.ipv6"],
        },
        Quota {
            key: "services",
            what: "target groups of one load balancer",
            count: alb::target_groups(config),
            default: 100,
            most: Some(100),
            fewer: "another environment for some of the services",
            because: &["service.deployment.strategy"],
        },
        Quota {
            key: "services",
            what: "rules that let the load balancer reach services",
            count: 1 + config.services.len(),
            default: 60,
            most: Some(1000),
            fewer: "another environment for some of the services",
            because: &[],
        },
        Quota {
            key: "certificate.alternative_names",
            what: "names in one certificate",
            count: alb::certified_names(config).len(),
            default: 10,
            most: Some(100),
            fewer: "a wildcard (`*.…`) among the alternative names, which stands for the hosts below it",
            because: &["services", "domain"],
        },
        Quota {
            key: "network.nat",
            what: "Elastic IP addresses",
            count: addresses,
            default: 5,
            most: None,
            fewer: "`nat = \"single\"` or fewer availability zones",
            because: &["network.availability_zones"],
        },
    ];
    for quota in quotas {
        note(&quota, problems);
    }
}

fn note(quota: &Quota, problems: &mut Problems) {
    let Quota { key, what, count, default, most, fewer, because } = quota;
    if let Some(most) = most.filter(|most| count > most) {
        problems
            .error(*key, format!("{count} {what}, and AWS allows {most} at the most"), *fewer)
            .because_of(because);
    } else if count > default {
        problems
            .warning(
                *key,
                format!("{count} {what}, and AWS allows {default} unless asked for more"),
                format!("a higher quota before this is applied; or {fewer}"),
            )
            .because_of(because);
    }
}
