//! Ids of things in EC2 that exist already.

use super::{Invalid, text_value};
use std::str::FromStr;

macro_rules! ec2_id {
    ($(#[$doc:meta])* $type:ident, $prefix:literal, $what:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $type(String);

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let hex = text.strip_prefix($prefix).unwrap_or_default();
                let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if matches!(hex.len(), 8 | 17) && hex.bytes().all(digit) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Invalid::new(
                    format!(concat!("{:?} is not the id of a ", $what), text),
                    concat!("`", $prefix, "` and 8 or 17 hexadecimal digits, for example \"", $example, "\""),
                ))
            }
        }

        text_value!(
            $type,
            concat!("^", $prefix, "([0-9a-f]{8}|[0-9a-f]{17})$"),
            $example,
            concat!("The id of a ", $what, ".")
        );
    };
}

ec2_id!(
    /// The id of a VPC.
    VpcId, "vpc-", "VPC", "vpc-0123456789abcdef0"
);
ec2_id!(
    /// The id of a subnet.
    SubnetId, "subnet-", "subnet", "subnet-0123456789abcdef0"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_its_prefix_and_8_or_17_digits() {
        for text in ["vpc-0a1b2c3d", "vpc-0123456789abcdef0"] {
            assert_eq!(text.parse::<VpcId>().map(|id| id.to_string()).as_deref(), Ok(text));
        }
        for text in ["", "vpc-", "subnet-0a1b2c3d", "vpc-0A1B2C3D", "vpc-0123456789abcdef", "vpc-${x}00000"] {
            assert!(text.parse::<VpcId>().is_err(), "{text}");
        }
        assert!("subnet-0123456789abcdef0".parse::<SubnetId>().is_ok());
    }
}
