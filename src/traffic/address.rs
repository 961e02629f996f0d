//! Ranges of addresses.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use super::cuboid::{Cuboid, Set, Span};

/// Addresses of one version, from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// Whether they are of version 6.
    pub v6: bool,
    /// The first and the last.
    pub span: Span,
}

impl Range {
    /// Every IPv4 address.
    pub const IPV4: Self = Self { v6: false, span: Span::new(0, u32::MAX as u128) };
    /// Every IPv6 address.
    pub const IPV6: Self = Self { v6: true, span: Span::ALL };

    /// The addresses of a network.
    #[must_use]
    pub fn of(net: &IpNet) -> Self {
        let span = match net {
            IpNet::V4(net) => Span::new(u32::from(net.network()).into(), u32::from(net.broadcast()).into()),
            IpNet::V6(net) => Span::new(net.network().into(), net.broadcast().into()),
        };
        Self { v6: matches!(net, IpNet::V6(_)), span }
    }

    /// The addresses that are written as a network: `10.0.0.0/8`, `2001:db8::/32`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse::<IpNet>().ok().as_ref().map(Self::of)
    }

    /// Every address of a version.
    #[must_use]
    pub const fn whole(v6: bool) -> Self {
        if v6 { Self::IPV6 } else { Self::IPV4 }
    }

    fn ends(self) -> (IpAddr, IpAddr) {
        let address = |bits: u128| match u32::try_from(bits) {
            Ok(bits) if !self.v6 => IpAddr::V4(bits.into()),
            _ => IpAddr::V6(bits.into()),
        };
        (address(self.span.from), address(self.span.to))
    }

    /// The fewest networks that hold these addresses and no others.
    #[must_use]
    pub fn nets(self) -> Vec<IpNet> {
        match self.ends() {
            (IpAddr::V4(from), IpAddr::V4(to)) => Ipv4Subnets::new(from, to, 0).map(IpNet::V4).collect(),
            (IpAddr::V6(from), IpAddr::V6(to)) => Ipv6Subnets::new(from, to, 0).map(IpNet::V6).collect(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nets().as_slice() {
            [net] => write!(f, "{net}"),
            _ => {
                let (from, to) = self.ends();
                write!(f, "{from}-{to}")
            }
        }
    }
}

/// What no packet of the internet comes from: <https://www.iana.org/assignments/iana-ipv4-special-registry/>. Ranges for
/// documentation are left in, so that an example behaves as what it stands for.
const NOT_INTERNET: [&str; 9] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// Global unicast: <https://www.iana.org/assignments/ipv6-address-space/>.
const GLOBAL_IPV6: &str = "2000::/3";

/// The addresses of the internet, of both versions, in order.
#[must_use]
pub fn internet() -> Vec<Range> {
    let special: Vec<Range> = NOT_INTERNET.iter().filter_map(|text| Range::parse(text)).collect();
    let whole: Vec<Range> = [Range::IPV4].into_iter().chain(Range::parse(GLOBAL_IPV6)).collect();
    without(&whole, &special)
}

/// The addresses of these ranges that are in none of the others, in order.
#[must_use]
pub fn without(these: &[Range], others: &[Range]) -> Vec<Range> {
    let of = |ranges: &[Range], v6: bool| {
        Set::of(ranges.iter().filter(|range| range.v6 == v6).map(|range| Cuboid([range.span])))
    };
    let left = |v6| {
        let spans = of(these, v6).minus(&of(others, v6)).spans(0);
        spans.into_iter().map(move |span| Range { v6, span })
    };
    left(false).chain(left(true)).collect()
}
