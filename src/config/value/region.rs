//! Regions, the partition each lies in, and their availability zones.

use super::{Invalid, text_serde, text_value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A group of regions with its own ARNs and DNS names.
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// GovCloud (US).
    AwsUsGov,
    /// China.
    AwsCn,
}

impl Partition {
    /// The name that stands in an ARN.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsCn => "aws-cn",
        }
    }

    /// What the DNS names of services end in.
    #[must_use]
    pub const fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A region such as `us-east-1`. Any region of the right shape in a known partition is taken, so that a region that
/// opens tomorrow needs no change here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

/// What the first part of a region's name may be.
const AREAS: [&str; 11] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx", "us-gov", "cn"];

/// What the middle part of a region's name may be.
const DIRECTIONS: [&str; 9] =
    ["north", "south", "east", "west", "central", "northeast", "northwest", "southeast", "southwest"];

impl Region {
    /// The partition that the region lies in.
    #[must_use]
    pub fn partition(&self) -> Partition {
        if self.0.starts_with("us-gov-") {
            Partition::AwsUsGov
        } else if self.0.starts_with("cn-") {
            Partition::AwsCn
        } else {
            Partition::Aws
        }
    }

    /// Where Route 53, which answers everywhere, logs the queries of public zones, takes the keys that sign them and
    /// reports metrics: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html>
    #[must_use]
    pub fn of_route53() -> Self {
        Self("us-east-1".to_owned())
    }

    /// The letters of its zones that a new account has, where they are not `a`, `b` and `c`. Which two of its three zones an
    /// account has in us-west-1 differs.
    /// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-availability-zones.html>
    #[must_use]
    pub fn unusual_zones(&self) -> Option<&'static [ZoneLetter]> {
        use ZoneLetter::{A, B, C, D};
        match self.0.as_str() {
            "ap-northeast-1" => Some(&[A, C, D]),
            "ca-central-1" => Some(&[A, B, D]),
            "us-west-1" => Some(&[A, C]),
            _ => None,
        }
    }

    /// The availability zone of that letter.
    #[must_use]
    pub fn zone(&self, letter: ZoneLetter) -> AvailabilityZone {
        AvailabilityZone { region: self.clone(), letter }
    }
}

impl FromStr for Region {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let well_formed = || {
            let (head, number) = text.rsplit_once('-')?;
            let (area, direction) = head.rsplit_once('-')?;
            let numbered = matches!(number.as_bytes(), [b'1'..=b'9']);
            (numbered && AREAS.contains(&area) && DIRECTIONS.contains(&direction)).then_some(())
        };
        well_formed().map(|()| Self(text.to_owned())).ok_or_else(|| {
            Invalid::new(
                format!("{text:?} is not a region of a known partition"),
                "a region's code in the partitions aws, aws-us-gov or aws-cn, such as \"us-east-1\", \
                 \"us-gov-west-1\" or \"cn-north-1\"",
            )
        })
    }
}

text_value!(
    Region,
    "^(us|eu|ap|sa|ca|me|af|il|mx|us-gov|cn)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]$",
    "us-east-1",
    "A region's code, such as `us-east-1`."
);

contract::closed_list! {
    /// The letter of an availability zone.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum ZoneLetter {
        /// Zone `a`.
        A,
        /// Zone `b`.
        B,
        /// Zone `c`.
        C,
        /// Zone `d`.
        D,
        /// Zone `e`.
        E,
        /// Zone `f`.
        F,
    }
}

impl ZoneLetter {
    /// The letter's place in the alphabet: 0 for `a`, 5 for `f`.
    #[must_use]
    pub const fn index(self) -> u32 {
        self as u32
    }

    /// The letter itself.
    #[must_use]
    pub const fn as_char(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
            Self::C => 'c',
            Self::D => 'd',
            Self::E => 'e',
            Self::F => 'f',
        }
    }
}

/// An availability zone: a region and a letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AvailabilityZone {
    region: Region,
    letter: ZoneLetter,
}

impl AvailabilityZone {
    /// The region.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The letter, which also tells the zones apart in Terraform addresses.
    #[must_use]
    pub fn letter(&self) -> char {
        self.letter.as_char()
    }
}

impl fmt::Display for AvailabilityZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.region, self.letter())
    }
}

impl FromStr for AvailabilityZone {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let letter = ZoneLetter::ALL.into_iter().find(|letter| text.ends_with(letter.as_char()));
        let invalid =
            || Invalid::new(format!("{text:?} is not an availability zone"), "such as \"us-east-1a\"");
        let letter = letter.ok_or_else(invalid)?;
        let region = text.get(..text.len() - 1).unwrap_or_default().parse()?;
        Ok(Self { region, letter })
    }
}

text_serde!(AvailabilityZone, "^[a-z-]+-[1-9][a-f]$", "us-east-1a", "An availability zone.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_lie_in_partitions() {
        let partition = |text: &str| text.parse::<Region>().map(|region| region.partition());
        assert_eq!(partition("us-east-1"), Ok(Partition::Aws));
        assert_eq!(partition("mx-central-1"), Ok(Partition::Aws));
        assert_eq!(partition("us-gov-east-1"), Ok(Partition::AwsUsGov));
        assert_eq!(partition("cn-northwest-1"), Ok(Partition::AwsCn));
        for unknown in [
            "us-east",
            "us-east-0",
            "us-east-10",
            "us-esat-1",
            "eusc-de-east-1",
            "us-iso-east-1",
            "US-EAST-1",
            "",
        ] {
            assert!(partition(unknown).is_err(), "{unknown}");
        }
    }

    #[test]
    fn a_zone_reads_back() {
        let zone: AvailabilityZone = "us-gov-west-1c".parse().expect("a zone");
        assert_eq!((zone.to_string().as_str(), zone.letter()), ("us-gov-west-1c", 'c'));
        assert!("us-east-1g".parse::<AvailabilityZone>().is_err());
        assert!("\u{e4}a".parse::<AvailabilityZone>().is_err());
    }
}
