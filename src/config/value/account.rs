//! AWS account ids.

use super::{Invalid, text_value};
use std::str::FromStr;

/// An AWS account id: twelve decimal digits, leading zeros kept.
/// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl FromStr for AccountId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        if digits && text.len() == 12 {
            return Ok(Self(text.to_owned()));
        }
        // The text itself is not repeated: errors end up in build logs, and an account id does not belong there.
        let problem =
            if digits { format!("has {} digits", text.len()) } else { "is not a number".to_owned() };
        Err(Invalid::new(
            format!("the account id {problem}"),
            "twelve digits in quotes, such as \"111122223333\"",
        ))
    }
}

text_value!(AccountId, "^[0-9]{12}$", "111122223333", "An AWS account id: twelve digits, in quotes.");
