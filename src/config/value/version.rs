//! Version constraints.

use super::{Invalid, text_value};
use std::str::FromStr;

/// A Terraform version constraint, such as `>= 5.100.0, < 7.0.0`.
/// <https://developer.hashicorp.com/terraform/language/expressions/version-constraints>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionConstraint(String);

impl VersionConstraint {
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for VersionConstraint {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.split(',').all(|term| is_term(term.trim())) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a version constraint"),
            "terms such as `>= 1.11`, `~> 5.100` or `!= 6.0.0`, joined by commas",
        ))
    }
}

fn is_term(term: &str) -> bool {
    let version = ["~>", ">=", "<=", "!=", ">", "<", "="]
        .into_iter()
        .find_map(|operator| term.strip_prefix(operator))
        .unwrap_or(term)
        .trim_start();
    let (numbers, pre_release) = version.split_once('-').unwrap_or((version, "0"));
    let parts: Vec<&str> = numbers.split('.').collect();
    let number =
        |part: &&str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
    let tag = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
    parts.len() <= 3 && parts.iter().all(number) && !pre_release.is_empty() && pre_release.bytes().all(tag)
}

text_value!(
    VersionConstraint,
    r"^ *(~>|>=|<=|!=|>|<|=)? *[0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)? *(, *(~>|>=|<=|!=|>|<|=)? *[0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)? *)*$",
    ">= 5.100.0, < 7.0.0",
    "A Terraform version constraint."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_those_of_terraform() {
        for text in [">= 1.11", ">= 5.100.0, < 7.0.0", "~> 5.100", "= 1.2.3-beta.1", "1.11.4", "!=6.0.0"] {
            assert!(text.parse::<VersionConstraint>().is_ok(), "{text}");
        }
        for text in ["", "latest", ">= ", ">= 1.2.3.4", ">= 1,", "^1.2", ">= ${var.x}", "1.x"] {
            assert!(text.parse::<VersionConstraint>().is_err(), "{text}");
        }
    }
}
