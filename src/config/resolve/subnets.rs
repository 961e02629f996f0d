//! Lays the subnets out inside the VPC.

use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{NetworkFile, Subnet, Subnets};
use crate::config::value::{AvailabilityZone, Cidr, ZoneLetter};

/// The ranges of the subnets by tier.
pub(super) struct Ranges([Vec<Cidr>; 3]);

/// A tier: its key, the longest prefix that AWS and the tier's purpose allow, and its place in the VPC: how many bits
/// a subnet's prefix is longer, and the number of its first subnet among the parts of that size.
struct Tier {
    key: &'static str,
    prefix_max: u8,
    bits: u8,
    first: u32,
}

/// Private subnets take the parts 0 to 7 of sixteen, public ones 16 to 23 and data ones 24 to 31 of thirty-two.
/// A load balancer needs subnets of /27 or larger:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#availability-zones>
const TIERS: [Tier; 3] = [
    Tier { key: "public", prefix_max: 27, bits: 5, first: 16 },
    Tier { key: "private", prefix_max: 28, bits: 4, first: 0 },
    Tier { key: "data", prefix_max: 28, bits: 5, first: 24 },
];

impl Ranges {
    /// Puts the n-th range of each tier into the n-th zone.
    pub(super) fn in_zones(self, zones: &[AvailabilityZone]) -> Subnets {
        let [public, private, data] = self.0.map(|ranges| {
            let pairs = zones.iter().zip(ranges);
            pairs.map(|(az, cidr)| Subnet { az: az.clone(), cidr }).collect()
        });
        Subnets { public, private, data }
    }
}

/// The ranges that the file names, and for the tiers that it does not name, computed ones. `None` if some have no
/// room, which is noted.
pub(super) fn lay_out(vpc: Cidr, file: &NetworkFile, problems: &mut Problems) -> Option<Ranges> {
    let zones = &file.availability_zones;
    let own = [&file.subnets.public, &file.subnets.private, &file.subnets.data];
    let mut room = true;
    let ranges = std::array::from_fn(|at| {
        let tier = &TIERS[at];
        if let Some(own) = own[at] {
            check_own(vpc, tier, own, zones.len(), problems);
            return own.clone();
        }
        let computed = compute(vpc, tier, zones);
        room &= computed.len() == zones.len();
        computed
    });
    if !room {
        problems
            .error(
                "network.cidr",
                format!("{vpc} is too small to lay {} subnets of each tier out", zones.len()),
                "a range of /16 to /22, or lists of your own under [network.subnets]",
            )
            .because_of(&["network.availability_zones", "network.subnets"]);
        return None;
    }
    let ranges = Ranges(ranges);
    check_overlaps(&ranges, file, problems);
    Some(ranges)
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
                format!("{} {} subnets for {count} availability zones", own.len(), tier.key),
                "one range per zone, in the order of `availability_zones`",
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
    let own = [file.subnets.public.is_some(), file.subnets.private.is_some(), file.subnets.data.is_some()];
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
