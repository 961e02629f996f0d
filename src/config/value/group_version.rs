//! Versions of WAF's managed rule groups.

use super::{Invalid, text_value};
use std::str::FromStr;

/// A static version of a managed rule group of WAF: `Version_1.20`.
/// <https://docs.aws.amazon.com/waf/latest/APIReference/API_ManagedRuleGroupStatement.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupVersion(String);

impl FromStr for GroupVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let number = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let version = text.strip_prefix("Version_").and_then(|rest| rest.split_once('.'));
        if version.is_some_and(|(major, minor)| number(major) && number(minor)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is no version of a managed rule group"),
            "`Version_1.20`, as AWS spells it",
        ))
    }
}

text_value!(
    GroupVersion,
    r"^Version_[0-9]{1,4}\.[0-9]{1,4}$",
    "Version_1.20",
    "A version of a managed rule group of WAF, as AWS spells it."
);
