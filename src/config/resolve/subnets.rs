//! Lays the subnets out inside the VPC.

use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Nat, NetworkFile, Subnet, Subnets};
use crate::config::value::{AvailabilityZone, Cidr, ZoneLetter};

/// The ranges of the subnets by tier.
pub(super) struct Ranges([Vec<Cidr>; TIERS.len()]);

/// A tier: its key, the longest prefix that AWS and the tier's purpose allow, and its place in the VPC: how many bits
/// a subnet's prefix is longer, and the number of its first subnet among the parts of that size.
struct Tier {
    key: &'static str,
    prefix_max: u8,
    bits: u8,
    first: u32,
}

impl Tier {
    /// What there is one subnet for, in the plural.
    fn one_per(&self) -> &'static str {
        if matches!(self.key, "firewall" | "nat") { "NAT gateways" } else { "availability zones" }
    }
}

/// Private subnets take the parts 0 to 7 of sixteen, public ones 16 to 23 and data ones 24 to 31 of thirty-two. The last
/// two parts of the eight are no zone's: of those of private subnets the firewall has an eighth per zone, of those of public
/// ones NAT behind a firewall has an eighth.
/// A load balancer needs subnets of /27 or larger:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#availability-zones>
const TIERS: [Tier; 5] = [
    Tier { key: "public", prefix_max: 27, bits: 5, first: 16 },
    Tier { key: "private", prefix_max: 28, bits: 4, first: 0 },
    Tier { key: "data", prefix_max: 28, bits: 5, first: 24 },
    Tier { key: "firewall", prefix_max: 28, bits: 6, first: 24 },
    Tier { key: "nat", prefix_max: 28, bits: 7, first: 88 },
];

/// How many of the zones have a subnet of each tier.
fn counts(file: &NetworkFile) -> [usize; TIERS.len()] {
    let zones = file.zones().len();
    let gateways = match (file.firewall.allowed_names.is_empty(), file.nat) {
        (true, _) | (_, Some(Nat::None)) => 0,
        (false, Some(Nat::Single)) => zones.min(1),
        (false, Some(Nat::PerAz) | None) => zones,
    };
    [zones, zones, zones, gateways, gateways]
}

impl Ranges {
    /// Puts the n-th range of each tier into the n-th zone.
    pub(super) fn in_zones(self, zones: &[AvailabilityZone]) -> Subnets {
        let [public, private, data, firewall, nat] = self.0.map(|ranges| {
            let pairs = zones.iter().zip(ranges);
            pairs.map(|(az, cidr)| Subnet { az: az.clone(), cidr }).collect()
        });
        Subnets { public, private, data, firewall, nat }
    }
}

/// The ranges that the file names, and for the tiers that it does not name, computed ones. `None` if some have no
/// room, which is noted.
pub(super) fn lay_out(vpc: Cidr, file: &NetworkFile, problems: &mut Problems) -> Option<Ranges> {
    let zones = file.zones();
    let (own, counts) = (own(file), counts(file));
    let mut room = true;
    let ranges = std::array::from_fn(|at| {
        let (tier, count) = (&TIERS[at], counts[at]);
        if let Some(own) = own[at].as_ref().filter(|_| count > 0) {
            check_own(vpc, tier, own, count, problems);
            return own.clone();
        }
        let computed = compute(vpc, tier, &zones[..count]);
        room &= computed.len() == count;
        computed
    });
    if !room {
        // Behind a firewall a subnet of NAT is the smallest that there is.
        let smallest = if file.firewall.allowed_names.is_empty() { 22 } else { 21 };
        problems
            .error(
                "network.cidr",
                format!("{vpc} is too small to lay {} subnets of each tier out", zones.len()),
                format!("a range of /16 to /{smallest}, or lists of your own under [network.subnets]"),
            )
            .because_of(&["network.availability_zones", "network.subnets", "network.firewall"]);
        return None;
    }
    let ranges = Ranges(ranges);
    check_overlaps(&ranges, file, problems);
    Some(ranges)
}

/// What the file names of each tier.
fn own(file: &NetworkFile) -> [&Option<Vec<Cidr>>; TIERS.len()] {
    let subnets = &file.subnets;
    [&subnets.public, &subnets.private, &subnets.data, &subnets.firewall, &subnets.nat]
}

/// The parts of a tier that belong to the zones by their letters, so that another zone moves no subnet wherever it stands
/// in the list.
fn compute(vpc: Cidr, tier: &Tier, zones: &[ZoneLetter]) -> Vec<Cidr> {
    let parts = zones.iter().filter_map(|letter| vpc.part(tier.bits, tier.first + letter.index()));
    parts.filter(|part| part.prefix_len() <= tier.prefix_max).collect()
}

fn path(tier: &Tier) -> KeyPath {
    KeyPath::from("network.subnets").key(tier.key)
}

fn check_own(vpc: Cidr, tier: &Tier, own: &[Cidr], count: usize, problems: &mut Problems) {
    if own.len() != count {
        problems
            .error(
                path(tier),
                format!("{} {} subnets for {count} {}", own.len(), tier.key, tier.one_per()),
                "one range each, in the order of `availability_zones`",
            )
            .because_of(&["network.availability_zones"]);
    }
    for (at, cidr) in own.iter().enumerate() {
        if !vpc.contains(*cidr) {
            problems
                .error(
                    path(tier).index(at),
                    format!("{cidr} lies outside the VPC"),
                    format!("a range within {vpc}"),
                )
                .because_of(&["network.cidr"]);
        }
        if !(16..=tier.prefix_max).contains(&cidr.prefix_len()) {
            let help = format!("a prefix from /16 to /{}", tier.prefix_max);
            problems.error(
                path(tier).index(at),
                format!("a {} subnet cannot have the range {cidr}", tier.key),
                help,
            );
        }
    }
}

/// Notes each range that shares addresses with an earlier one, at the later one if the file names it, else at the
/// earlier.
fn check_overlaps(ranges: &Ranges, file: &NetworkFile, problems: &mut Problems) {
    let own = own(file).map(Option::is_some);
    let all: Vec<(usize, usize, Cidr)> = ranges
        .0
        .iter()
        .enumerate()
        .flat_map(|(tier, list)| list.iter().enumerate().map(move |(at, cidr)| (tier, at, *cidr)))
        // A zone that stands in its list twice, which is noted there, has one computed range twice.
        .filter(|(tier, at, cidr)| own[*tier] || !ranges.0[*tier][..*at].contains(cidr))
        .collect();
    for (n, later) in all.iter().enumerate() {
        for earlier in all.iter().take(n).filter(|earlier| earlier.2.overlaps(later.2)) {
            let (named, other) = if own[later.0] { (later, earlier) } else { (earlier, later) };
            problems
                .error(
                    path(&TIERS[named.0]).index(named.1),
                    format!("{} overlaps {}, a {} subnet", named.2, other.2, TIERS[other.0].key),
                    "ranges that share no address",
                )
                .because_of(&["network.cidr", "network.availability_zones", "network.subnets"]);
        }
    }
}
