//! Addresses of resources in Terraform's state.

use super::{Invalid, text_value};
use std::str::FromStr;

/// The address of a resource in the root module: its type, a dot and its name.
/// <https://developer.hashicorp.com/terraform/cli/state/resource-addressing>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceAddress(String);

impl FromStr for ResourceAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let begins = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic());
        let consists = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        let well_formed = text.split_once('.').is_some_and(|(kind, name)| {
            begins(kind) && consists(kind) && kind.contains('_') && begins(name) && consists(name)
        });
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not the address of a resource"),
            "a type, a dot and a name, such as \"aws_dynamodb_table.records\"",
        ))
    }
}

text_value!(
    ResourceAddress,
    r"^[A-Za-z][A-Za-z0-9-]*_[A-Za-z0-9_-]*\.[A-Za-z][A-Za-z0-9_-]*$",
    "aws_dynamodb_table.records",
    "The address of a resource in the root module."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_type_and_a_name() {
        for address in ["aws_s3_bucket.logs", "aws_eip.nat_a", "awscc_x.a-b"] {
            assert_eq!(address.parse::<ResourceAddress>().map(|a| a.to_string()).as_deref(), Ok(address));
        }
        for refused in [
            "",
            "aws_s3_bucket",
            "aws_s3_bucket.",
            ".logs",
            "aws_s3_bucket.a.b",
            "module.x",
            "data.aws_vpc.a",
            "aws_s3_bucket.${x}",
            "aws_s3_bucket.a b",
            "aws_s3_bucket.1",
            "aws_eip.nat[\"a\"]",
        ] {
            assert!(refused.parse::<ResourceAddress>().is_err(), "{refused}");
        }
    }
}
