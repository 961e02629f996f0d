//! Checks of `[alb]`.

use crate::config::problem::Problems;
use crate::config::section::{Alb, MutualTls, MutualTlsMode};
use crate::config::value::AnyCidr;

/// Somebody has to be able to reach the load balancer, by the address families that it speaks.
pub(super) fn check(alb: &Alb, ipv6: bool, production: bool, problems: &mut Problems) {
    check_mutual_tls(&alb.mutual_tls, production, problems);
    if alb.allowed_cidrs.is_empty() {
        problems.error(
            "alb.allowed_cidrs",
            "nobody could reach the load balancer",
            "at least one range; everyone is [\"0.0.0.0/0\", \"::/0\"]",
        );
    } else if !ipv6 && alb.allowed_cidrs.iter().copied().all(AnyCidr::is_ipv6) {
        problems
            .error(
                "alb.allowed_cidrs",
                "nobody could reach the load balancer, which does not speak IPv6",
                "an IPv4 range as well, or `ipv6 = true` under [network]",
            )
            .because_of(&["network.ipv6"]);
    }
}

/// Lists of revoked certificates that a trust store may hold.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>
const REVOCATIONS_MAX: usize = 30;

/// A trust store is there to verify against, and needs authorities.
fn check_mutual_tls(mutual: &MutualTls, production: bool, problems: &mut Problems) {
    const MODE: &str = "alb.mutual_tls.mode";
    if mutual.mode == MutualTlsMode::Verify {
        if mutual.ca_bundle.is_none() {
            problems.error(
                MODE,
                "there is nothing to verify the clients' certificates against",
                "`ca_bundle = { bucket = \"…\", key = \"…\" }` under [alb.mutual_tls]",
            );
        }
        check_verification(mutual, production, problems);
        return;
    }
    let set = [
        ("alb.mutual_tls.ca_bundle", mutual.ca_bundle.is_some()),
        ("alb.mutual_tls.revocations", !mutual.revocations.is_empty()),
        ("alb.mutual_tls.advertise_ca_names", mutual.advertise_ca_names),
        ("alb.mutual_tls.ignore_expiry", mutual.ignore_expiry),
    ];
    for (key, _) in set.into_iter().filter(|(_, set)| *set) {
        problems
            .error(
                key,
                "has no effect: the load balancer verifies no certificate",
                "remove the line, or say `mode = \"verify\"`",
            )
            .because_of(&[MODE]);
    }
}

fn check_verification(mutual: &MutualTls, production: bool, problems: &mut Problems) {
    if production && mutual.ignore_expiry {
        problems
            .error(
                "alb.mutual_tls.ignore_expiry",
                "in production an expired certificate proves nothing (PCI DSS 4.2.1)",
                "remove the line, or say `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
    let count = mutual.revocations.len();
    if count > REVOCATIONS_MAX {
        problems.error(
            "alb.mutual_tls.revocations",
            format!("{count} lists of revoked certificates, and a trust store holds {REVOCATIONS_MAX}"),
            "fewer lists: one per authority is enough",
        );
    }
}
