//! Reasons for rules.

use super::{Invalid, refuse_template, text_value};
use std::str::FromStr;

/// Why a rule is there: 1 to 200 of the characters that AWS takes in a security group rule's description. That may have
/// 255, of which the rule's name takes some.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReason(String);

impl RuleReason {
    /// The most characters that a reason may have.
    pub const LENGTH_MAX: usize = 200;
}

const ALLOWED: &str = "ASCII letters, digits, spaces and `. _ - : / ( ) # , @ [ ] + = & ; { } ! $ *`";

impl FromStr for RuleReason {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        refuse_template(text)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
        if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
            return Err(Invalid::new(format!("{bad:?} cannot stand in a rule's description"), ALLOWED));
        }
        if text.trim().is_empty() || text.len() > Self::LENGTH_MAX {
            return Err(Invalid::new(
                format!("a reason of {} characters", text.trim().len()),
                format!("1 to {} characters: {ALLOWED}", Self::LENGTH_MAX),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

text_value!(
    RuleReason,
    r"^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,200}$",
    "Settlement files of the card scheme",
    "Why a rule is there, in the characters of a security group rule's description."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_what_aws_takes_as_a_description() {
        for reason in ["a", "The acquirer (EU); [PCI 1.2.5] a@b.c #1, $5 & {x}!*", &"x".repeat(200)] {
            assert_eq!(reason.parse::<RuleReason>().map(|parsed| parsed.to_string()).as_deref(), Ok(reason));
        }
        for refused in ["", " ", "Zahlungen \u{fc}ber", "two\nlines", "a?", "it's", "${x}", &"x".repeat(201)]
        {
            assert!(refused.parse::<RuleReason>().is_err(), "{refused}");
        }
    }
}
