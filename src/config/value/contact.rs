//! How somebody can be reached, as AWS takes it for an account's contacts.
//! <https://docs.aws.amazon.com/accounts/latest/APIReference/API_AlternateContact.html>

use super::{Invalid, refuse_template, text_value};
use std::str::FromStr;

/// A contact's name or title: 1 to 50 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactText(String);

impl FromStr for ContactText {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        refuse_template(text)?;
        let fits = (1..=50).contains(&text.chars().count()) && !text.trim().is_empty();
        if fits && !text.contains(char::is_control) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a contact's name or title"),
            "1 to 50 characters on one line",
        ))
    }
}

text_value!(ContactText, r"^[^\x00-\x1f]{1,50}$", "Security team", "A contact's name or title.");

/// An e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl FromStr for EmailAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        refuse_template(text)?;
        let well_formed = text.split_once('@').is_some_and(|(local, domain)| {
            let plain = |c: char| c.is_ascii_graphic() && c != '@';
            !local.is_empty() && domain.contains('.') && local.chars().all(plain) && domain.chars().all(plain)
        });
        if well_formed && text.len() <= 254 {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not an e-mail address"),
            "an address of at most 254 characters, such as \"security@example.com\"",
        ))
    }
}

text_value!(EmailAddress, r"^[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+$", "security@example.com", "An e-mail address.");

/// A telephone number, in digits, spaces, brackets, plus and hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

impl FromStr for PhoneNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.bytes().any(|b| b.is_ascii_digit());
        let chars = text.chars().all(|c| c.is_ascii_digit() || " ()+-".contains(c));
        if digits && chars && text.len() <= 25 {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a telephone number"),
            "at most 25 digits, spaces, brackets, plus and hyphens, such as \"+1 555 0100\"",
        ))
    }
}

text_value!(PhoneNumber, "^[0-9 ()+-]{1,25}$", "+1 555 0100", "A telephone number.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_what_aws_takes() {
        for name in ["Security team", "\u{dc}bersicht", &"x".repeat(50)] {
            assert!(name.parse::<ContactText>().is_ok(), "{name}");
        }
        for name in ["", "  ", "two\nlines", "${x}", &"x".repeat(51)] {
            assert!(name.parse::<ContactText>().is_err(), "{name}");
        }
        assert!("security+pci@example.co.uk".parse::<EmailAddress>().is_ok());
        for address in ["security", "@example.com", "a@b", "a b@example.com", "a@b@example.com", "${x}@y.z"] {
            assert!(address.parse::<EmailAddress>().is_err(), "{address}");
        }
        assert!("+49 (30) 555-0100".parse::<PhoneNumber>().is_ok());
        for number in ["", "- -", "call me", "12345678901234567890123456"] {
            assert!(number.parse::<PhoneNumber>().is_err(), "{number}");
        }
    }
}
