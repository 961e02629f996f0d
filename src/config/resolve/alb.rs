//! Checks of `[alb]`.

use crate::config::problem::Problems;
use crate::config::section::Alb;
use crate::config::value::AnyCidr;

/// Somebody has to be able to reach the load balancer, by the address families that it speaks.
pub(super) fn check(alb: &Alb, ipv6: bool, problems: &mut Problems) {
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
