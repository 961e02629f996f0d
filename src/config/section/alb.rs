//! `[alb]`: the load balancer.

use super::MutualTls;
use crate::config::value::{AnyCidr, Bounded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The internet-facing load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Alb {
    /// The TLS policy of the HTTPS listener. The default is the one that AWS recommends: TLS 1.3, and TLS 1.2 with forward
    /// secrecy and authenticated encryption only (PCI 4.2.1), with post-quantum key exchange for clients that know it. Clients
    /// that do not know it agree on the same keys as with `ELBSecurityPolicy-TLS13-1-2-Res-2021-06`.
    pub ssl_policy: SslPolicy,
    /// Seconds after which an idle connection is closed. The default is AWS's; the service must keep its own
    /// connections open for longer.
    pub idle_timeout_seconds: Bounded<1, 4000>,
    /// Whether port 80 answers with a redirect to HTTPS. Why the default: browsers try HTTP first. Without it port 80
    /// is closed.
    pub http_redirect: bool,
    /// Whether every request is logged to the access-log bucket (PCI 10.2.1).
    pub access_logs: bool,
    /// Whether every TLS connection is logged to the access-log bucket. Why the default: refused handshakes show up
    /// only here.
    pub connection_logs: bool,
    /// `max-age` of the `Strict-Transport-Security` header in seconds. The default is the least that preload lists
    /// take.
    pub hsts_max_age_seconds: Bounded<0, 63_072_000>,
    /// How requests that could desynchronize proxy and service are treated. `defensive` blocks what is dangerous and
    /// is the AWS default; `strictest` also blocks what merely departs from RFC 7230.
    pub desync_mode: DesyncMode,
    /// The ranges that may reach the load balancer. Everyone, since the service is public; the web ACL stands in
    /// front. IPv6 ranges take effect with `network.ipv6`.
    pub allowed_cidrs: Vec<AnyCidr>,
    /// Certificates of clients.
    pub mutual_tls: MutualTls,
}

impl Default for Alb {
    fn default() -> Self {
        Self {
            ssl_policy: SslPolicy::Tls13And12RestrictedPq,
            idle_timeout_seconds: Bounded::literal::<60>(),
            http_redirect: true,
            access_logs: true,
            connection_logs: true,
            hsts_max_age_seconds: Bounded::literal::<31_536_000>(),
            desync_mode: DesyncMode::Defensive,
            allowed_cidrs: vec![AnyCidr::every_ipv4(), AnyCidr::every_ipv6()],
            mutual_tls: MutualTls::default(),
        }
    }
}

/// A TLS policy that Security Hub's ELB.17 accepts.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SslPolicy {
    /// TLS 1.3 alone.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-3-2021-06")]
    Tls13,
    /// TLS 1.3, and TLS 1.2 restricted to forward secrecy and authenticated encryption.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")]
    Tls13And12Restricted,
    /// TLS 1.3 alone, FIPS 140-3 validated.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04")]
    Tls13Fips,
    /// TLS 1.3 and restricted TLS 1.2, FIPS 140-3 validated.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04")]
    Tls13And12RestrictedFips,
    /// TLS 1.3 alone, with post-quantum key exchange.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09")]
    Tls13Pq,
    /// TLS 1.3 and restricted TLS 1.2, with post-quantum key exchange.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09")]
    Tls13And12RestrictedPq,
    /// TLS 1.3 alone, FIPS 140-3 validated, with post-quantum key exchange.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09")]
    Tls13FipsPq,
    /// TLS 1.3 and restricted TLS 1.2, FIPS 140-3 validated, with post-quantum key exchange.
    #[serde(rename = "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09")]
    Tls13And12RestrictedFipsPq,
}

impl SslPolicy {
    /// The policy's name at AWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls13 => "ELBSecurityPolicy-TLS13-1-3-2021-06",
            Self::Tls13And12Restricted => "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            Self::Tls13Fips => "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
            Self::Tls13And12RestrictedFips => "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
            Self::Tls13Pq => "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
            Self::Tls13And12RestrictedPq => "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
            Self::Tls13FipsPq => "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
            Self::Tls13And12RestrictedFipsPq => "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
        }
    }
}

/// How requests that could desynchronize proxy and service are treated.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html#desync-mitigation-mode>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DesyncMode {
    /// Dangerous requests are blocked, ambiguous ones get a connection of their own.
    Defensive,
    /// Only requests that follow RFC 7230 pass.
    Strictest,
}

impl DesyncMode {
    /// The mode's name at AWS.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Defensive => "defensive",
            Self::Strictest => "strictest",
        }
    }
}
