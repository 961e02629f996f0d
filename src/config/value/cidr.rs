//! Address ranges.

use super::{Invalid, text_serde, text_value};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::{fmt, str::FromStr};

/// An IPv4 range in CIDR notation, without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr(Ipv4Net);

impl Cidr {
    /// The range as a value of `ipnet`.
    #[must_use]
    pub fn net(self) -> Ipv4Net {
        self.0
    }

    /// The length of the prefix: 16 for `10.0.0.0/16`.
    #[must_use]
    pub fn prefix_len(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether `other` lies wholly inside this range.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether the two ranges share an address.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The `index`-th of the equal parts of this range whose prefix is `bits` longer, or `None` when there is no such
    /// part.
    #[must_use]
    pub fn part(self, bits: u8, index: u32) -> Option<Self> {
        let prefix = self.prefix_len().checked_add(bits).filter(|p| *p <= 32)?;
        if u64::from(index) >= 1_u64 << bits {
            return None;
        }
        let size = 1_u64 << (32 - u32::from(prefix));
        let first = u64::from(u32::from(self.0.network())) + u64::from(index) * size;
        let address = u32::try_from(first).ok()?;
        Ipv4Net::new(address.into(), prefix).ok().map(Self)
    }

    /// Whether the range is reserved for private use (RFC 1918) or shared address space (RFC 6598).
    #[must_use]
    pub fn is_private(self) -> bool {
        const PRIVATE: [([u8; 4], u8); 4] =
            [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([100, 64, 0, 0], 10)];
        PRIVATE.iter().any(|(address, prefix)| {
            Ipv4Net::new((*address).into(), *prefix).is_ok_and(|private| private.contains(&self.0))
        })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let net: Ipv4Net = text.parse().map_err(|_| {
            Invalid::new(
                format!("{text:?} is not an IPv4 range"),
                "an address and a prefix, such as \"10.30.0.0/16\"",
            )
        })?;
        match host_bits(net.into()) {
            None => Ok(Self(net)),
            Some(invalid) => Err(invalid),
        }
    }
}

text_serde!(
    Cidr,
    r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$",
    "10.30.0.0/16",
    "An IPv4 range in CIDR notation, without host bits."
);

/// An IPv4 or IPv6 range in CIDR notation, without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AnyCidr(IpNet);

impl AnyCidr {
    /// The range as a value of `ipnet`.
    #[must_use]
    pub fn net(self) -> IpNet {
        self.0
    }

    /// Whether this is an IPv6 range.
    #[must_use]
    pub fn is_ipv6(self) -> bool {
        matches!(self.0, IpNet::V6(_))
    }

    /// Whether this is every address of its family.
    #[must_use]
    pub fn is_everywhere(self) -> bool {
        self.0.prefix_len() == 0
    }

    /// Every IPv4 address.
    #[must_use]
    pub fn every_ipv4() -> Self {
        Self(IpNet::V4(Ipv4Net::default()))
    }

    /// Every IPv6 address.
    #[must_use]
    pub fn every_ipv6() -> Self {
        Self(IpNet::V6(Ipv6Net::default()))
    }
}

impl fmt::Display for AnyCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AnyCidr {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let net: IpNet = text.parse().map_err(|_| {
            Invalid::new(
                format!("{text:?} is not an address range"),
                "an IPv4 or IPv6 address and a prefix, such as \"203.0.113.0/24\" or \"2001:db8::/48\"",
            )
        })?;
        match host_bits(net) {
            None => Ok(Self(net)),
            Some(invalid) => Err(invalid),
        }
    }
}

text_serde!(
    AnyCidr,
    r"^[0-9a-fA-F.:]+/[0-9]{1,3}$",
    "203.0.113.0/24",
    "An IPv4 or IPv6 range in CIDR notation, without host bits."
);

/// How much of the internet ranges take in, as one set: `0.0.0.0/1` beside `128.0.0.0/1` is everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breadth {
    /// Public IPv4 addresses.
    pub ipv4: u64,
    /// Public IPv6 networks of 48 bits, which is what a site is given (RFC 6177); a part of one counts as one.
    pub ipv6_sites: u64,
}

impl Breadth {
    /// What may pass a web ACL unseen, in sum: partners and monitors. As much as a `/16`, or a `/32` of IPv6; a limit of
    /// this project, since AWS takes anything but a prefix of 0.
    pub const PASSED_MAX: Self = Self { ipv4: 1 << 16, ipv6_sites: 1 << 16 };

    /// What tasks may reach beyond endpoints and names, in sum: third parties, not the internet (PCI 1.3.2). As much as a
    /// `/8`, or a `/16` of IPv6; a limit of this project, which the largest providers of services still fit in.
    pub const EGRESS_MAX: Self = Self { ipv4: 1 << 24, ipv6_sites: 1 << 32 };

    /// Of ranges of either family. Private, shared, loopback, link-local, multicast and reserved addresses do not count.
    #[must_use]
    pub fn of(ranges: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for range in ranges {
            match range {
                IpNet::V4(net) => ipv4.push(net.trunc()),
                IpNet::V6(net) => ipv6.push(net.trunc()),
            }
        }
        let size = |net: &Ipv4Net| 1_u64 << (32 - u32::from(net.prefix_len()));
        let public = |net: &Ipv4Net| {
            let not: u64 = LOCAL.iter().map(|local| overlap(net, local)).sum();
            size(net).saturating_sub(not)
        };
        let sites = |net: &Ipv6Net| 1_u64 << 48_u32.saturating_sub(net.prefix_len().max(3).into());
        let global = |net: &Ipv6Net| net.contains(&GLOBAL) || GLOBAL.contains(net);
        Self {
            ipv4: Ipv4Net::aggregate(&ipv4).iter().map(public).sum(),
            ipv6_sites: Ipv6Net::aggregate(&ipv6).iter().filter(|net| global(net)).map(sites).sum(),
        }
    }

    /// Whether this is no more than that.
    #[must_use]
    pub fn within(self, most: Self) -> bool {
        self.ipv4 <= most.ipv4 && self.ipv6_sites <= most.ipv6_sites
    }

    /// Whether no address of the internet is among them.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.within(Self { ipv4: 0, ipv6_sites: 0 })
    }
}

/// What the internet does not route: <https://www.iana.org/assignments/iana-ipv4-special-registry>
const LOCAL: [Ipv4Net; 8] = [
    net([10, 0, 0, 0], 8),
    net([100, 64, 0, 0], 10),
    net([127, 0, 0, 0], 8),
    net([169, 254, 0, 0], 16),
    net([172, 16, 0, 0], 12),
    net([192, 168, 0, 0], 16),
    net([224, 0, 0, 0], 4),
    net([240, 0, 0, 0], 4),
];

/// What the internet routes: <https://www.iana.org/assignments/ipv6-address-space>
const GLOBAL: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const fn net(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// The addresses that two ranges share.
fn overlap(one: &Ipv4Net, other: &Ipv4Net) -> u64 {
    let smaller = one.prefix_len().max(other.prefix_len());
    if one.contains(other) || other.contains(one) { 1 << (32 - u32::from(smaller)) } else { 0 }
}

/// The id of a managed prefix list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixListId(String);

impl FromStr for PrefixListId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let hex = text.strip_prefix("pl-").unwrap_or_default();
        if matches!(hex.len(), 8 | 17) && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(format!("{text:?} is not a prefix list id"), "`pl-` and 8 or 17 hexadecimal digits"))
    }
}

text_value!(
    PrefixListId,
    "^pl-([0-9a-f]{8}|[0-9a-f]{17})$",
    "pl-0123456789abcdef0",
    "The id of a managed prefix list."
);

/// AWS silently clears host bits, after which every plan shows a change; so they are refused here.
fn host_bits(net: IpNet) -> Option<Invalid> {
    let clear = net.trunc();
    (clear != net).then(|| {
        Invalid::new(
            format!("{net} has bits set behind its prefix"),
            format!("the range itself: \"{clear}\""),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().expect("a range")
    }

    #[test]
    fn a_range_has_as_many_parts_as_its_bits_allow() {
        let vpc = cidr("10.30.0.0/16");
        assert_eq!(vpc.part(4, 0), Some(cidr("10.30.0.0/20")));
        assert_eq!(vpc.part(4, 15), Some(cidr("10.30.240.0/20")));
        assert_eq!(vpc.part(4, 16), None);
        assert_eq!(vpc.part(17, 0), None);
        assert_eq!(cidr("0.0.0.0/0").part(32, u32::MAX), Some(cidr("255.255.255.255/32")));
    }

    #[test]
    fn private_ranges_are_those_of_the_rfcs() {
        for text in ["10.0.0.0/8", "172.31.0.0/16", "192.168.1.0/24", "100.127.0.0/16"] {
            assert!(cidr(text).is_private(), "{text}");
        }
        for text in ["8.8.0.0/16", "172.32.0.0/16", "0.0.0.0/0", "10.0.0.0/7"] {
            assert!(text.parse::<Cidr>().is_ok_and(|cidr| !cidr.is_private()), "{text}");
        }
    }

    #[test]
    fn ranges_are_measured_as_one_set() {
        let of = |ranges: &[&str]| Breadth::of(ranges.iter().map(|text| text.parse().expect("a range")));
        assert_eq!(of(&["0.0.0.0/1", "128.0.0.0/1"]), of(&["0.0.0.0/0"]));
        assert_eq!(of(&["203.0.113.0/25", "203.0.113.128/25", "203.0.113.0/24"]).ipv4, 256);
        assert!(of(&["10.0.0.0/8", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8"]).is_none());
        assert_eq!(of(&["8.0.0.0/6"]).ipv4, 3 << 24, "10.0.0.0/8 is none of the internet's");
        assert_eq!(of(&["::/0"]), of(&["2000::/3"]));
        assert_eq!(of(&["2001:db8::/32"]).ipv6_sites, 1 << 16);
        assert_eq!(of(&["2001:db8::1/128"]).ipv6_sites, 1);
    }

    #[test]
    fn host_bits_are_refused_with_the_range_that_was_meant() {
        let refused = "10.30.0.1/16".parse::<Cidr>().expect_err("host bits");
        assert_eq!(refused.allowed, "the range itself: \"10.30.0.0/16\"");
    }
}
