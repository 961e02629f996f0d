//! Controls of Security Hub.

use super::{Invalid, text_value};
use std::str::FromStr;

/// A control's id, such as `EC2.172`: the service, a dot and a number.
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-controls-reference.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ControlId(String);

impl FromStr for ControlId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let well_formed = text.split_once('.').is_some_and(|(service, number)| {
            let digits = (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            let letters = !service.is_empty() && service.bytes().all(|b| b.is_ascii_alphanumeric());
            letters && digits && !number.starts_with('0')
        });
        if well_formed {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a control of Security Hub"),
            "a service, a dot and a number, such as \"EC2.172\"",
        ))
    }
}

text_value!(ControlId, r"^[A-Za-z0-9]+\.[1-9][0-9]{0,2}$", "EC2.172", "A control of Security Hub.");

/// A control of docs/pci.md: `R` and three digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ControlNumber(String);

impl FromStr for ControlNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let digits = text.strip_prefix('R').unwrap_or_default();
        if digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not the number of a control"),
            "`R` and three digits, such as \"R098\"; docs/pci.md lists all",
        ))
    }
}

text_value!(ControlNumber, r"^R[0-9]{3}$", "R098", "A control of docs/pci.md.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_a_service_and_a_number() {
        for id in ["EC2.172", "S3.1", "IAM.28", "Autoscaling.5"] {
            assert!(id.parse::<ControlId>().is_ok(), "{id}");
        }
        for id in ["EC2", "EC2.", ".1", "EC2.0", "EC2.1.2", "EC2.1234", "EC 2.1", "EC2.x"] {
            assert!(id.parse::<ControlId>().is_err(), "{id}");
        }
    }
}
