//! Exact money: a whole number of minor units and its currency.
//!
//! Amounts are read from text straight into an `i128`; there is no floating-point step and nothing is ever rounded. An
//! amount with more decimals than its currency has is an error.

use std::fmt;

use crate::currency::Currency;

/// An amount in a currency, counted in minor units (cents, yen, fils).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units, signed from the account holder's view: money in is positive.
    pub minor: i128,
    /// The currency that gives the minor unit its size.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", decimal(self.minor, self.currency), self.currency)
    }
}

/// Minor units as a plain decimal number (`-1234.50`), with every decimal of the currency and no grouping.
#[must_use]
pub fn decimal(minor: i128, currency: Currency) -> String {
    let exponent = currency.exponent() as usize;
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// How amounts are written in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmountSyntax {
    /// The decimal mark: `.` or `,`.
    pub decimal: u8,
    /// The mark between groups of digits, if there is one.
    pub grouping: Option<u8>,
    /// Whether decimals beyond the currency's are accepted when they are all zero (`500.00` yen).
    pub surplus_zeros: bool,
}

impl AmountSyntax {
    /// A decimal point, no grouping: the form of most machine-written files.
    pub const PLAIN: Self = Self { decimal: b'.', grouping: None, surplus_zeros: false };
    /// A decimal comma, no grouping: the form of SWIFT messages.
    pub const COMMA: Self = Self { decimal: b',', grouping: None, surplus_zeros: true };
    /// A decimal point and zeros allowed: the form of XML Schema decimals in ISO 20022.
    pub const XML: Self = Self { decimal: b'.', grouping: None, surplus_zeros: true };
}

/// Why a text is not an amount. The text itself is never repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// The field is empty.
    Empty,
    /// A character that has no place in an amount, or marks in the wrong place.
    Malformed,
    /// More decimals than the currency has.
    TooPrecise {
        /// How many decimals the currency has.
        allowed: u32,
    },
    /// More digits than 128 bits hold.
    TooLarge,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the amount is empty"),
            Self::Malformed => f.write_str("the amount is not a number in the declared notation"),
            Self::TooPrecise { allowed } => {
                write!(
                    f,
                    "the amount has more decimals than its currency ({allowed}); amounts are not rounded"
                )
            }
            Self::TooLarge => f.write_str("the amount has too many digits"),
        }
    }
}

/// Reads an amount written in `syntax` as minor units of `currency`.
///
/// A sign may stand before (`-12.00`), behind (`12.00-`) or be a pair of brackets (`(12.00)`).
///
/// # Errors
/// Fails when the text is empty, malformed, more precise than the currency or too large.
#[inline]
pub fn parse_amount(text: &[u8], currency: Currency, syntax: AmountSyntax) -> Result<i128, AmountError> {
    parse_scaled(text, currency.exponent(), syntax)
}

/// Reads a decimal number as a count of units of 10^-`exponent`.
///
/// # Errors
/// As [`parse_amount`].
pub fn parse_scaled(text: &[u8], exponent: u32, syntax: AmountSyntax) -> Result<i128, AmountError> {
    let (negative, digits) = split_sign(text.trim_ascii())?;
    let magnitude = match scan(digits, syntax, exponent)? {
        Scan::Small(value) => i128::from(value),
        Scan::Wide => wide(digits, exponent, syntax)?,
    };
    Ok(if negative { -magnitude } else { magnitude })
}

/// Takes the sign off, wherever it stands.
#[inline]
fn split_sign(text: &[u8]) -> Result<(bool, &[u8]), AmountError> {
    match text {
        [] => Err(AmountError::Empty),
        [b'-', rest @ ..] => Ok((true, rest)),
        [b'+', rest @ ..] => Ok((false, rest)),
        [b'(', rest @ .., b')'] => Ok((true, rest)),
        [rest @ .., b'-'] => Ok((true, rest)),
        [rest @ .., b'+'] => Ok((false, rest)),
        rest => Ok((false, rest)),
    }
}

enum Scan {
    Small(u64),
    /// More than 18 digits: take the slow road.
    Wide,
}

/// The common case: at most 18 digits, checked and summed in one walk.
#[inline]
fn scan(text: &[u8], syntax: AmountSyntax, exponent: u32) -> Result<Scan, AmountError> {
    if text.len() > 18 {
        return Ok(Scan::Wide);
    }
    let mut value = 0u64;
    let mut index = 0;
    while let Some(digit) = text.get(index).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
        value = value * 10 + u64::from(digit);
        index += 1;
    }
    let whole = index;
    let mut decimals = 0u32;
    if index < text.len() {
        if text[index] != syntax.decimal {
            return Ok(Scan::Wide);
        }
        index += 1;
        while let Some(byte) = text.get(index) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return Err(AmountError::Malformed);
            }
            if decimals == exponent {
                if digit != 0 || !syntax.surplus_zeros {
                    return Err(AmountError::TooPrecise { allowed: exponent });
                }
            } else {
                value = value * 10 + u64::from(digit);
                decimals += 1;
            }
            index += 1;
        }
    }
    if whole == 0 && decimals == 0 {
        return Err(AmountError::Malformed);
    }
    match 10u64.checked_pow(exponent - decimals).and_then(|scale| value.checked_mul(scale)) {
        Some(value) => Ok(Scan::Small(value)),
        None => Ok(Scan::Wide),
    }
}

/// Groups, long numbers and everything else the fast walk does not take.
fn wide(text: &[u8], exponent: u32, syntax: AmountSyntax) -> Result<i128, AmountError> {
    let (whole, fraction) = match memchr::memchr(syntax.decimal, text) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[text.len()..]),
    };
    let mut value = 0i128;
    let mut since_group = None;
    let mut digits = 0;
    for &byte in whole {
        if byte.is_ascii_digit() {
            value = push_digit(value, byte)?;
            digits += 1;
            since_group = since_group.map(|count: u32| count + 1);
        } else if Some(byte) == syntax.grouping && digits > 0 && since_group != Some(0) {
            since_group = Some(0);
        } else {
            return Err(AmountError::Malformed);
        }
    }
    if since_group.is_some_and(|count| count != 3) || (digits == 0 && fraction.is_empty()) {
        return Err(AmountError::Malformed);
    }
    let mut decimals = 0;
    for &byte in fraction {
        if !byte.is_ascii_digit() {
            return Err(AmountError::Malformed);
        }
        if decimals == exponent {
            if byte != b'0' || !syntax.surplus_zeros {
                return Err(AmountError::TooPrecise { allowed: exponent });
            }
        } else {
            value = push_digit(value, byte)?;
            decimals += 1;
        }
    }
    let scale = 10i128.checked_pow(exponent - decimals).ok_or(AmountError::TooLarge)?;
    value.checked_mul(scale).filter(|value| *value <= LARGEST).ok_or(AmountError::TooLarge)
}

/// Amounts stop here (10^30 minor units), so that sums over 2^32 entries cannot overflow.
pub const LARGEST: i128 = 1_000_000_000_000_000_000_000_000_000_000;

fn push_digit(value: i128, digit: u8) -> Result<i128, AmountError> {
    let next = value * 10 + i128::from(digit - b'0');
    if next > LARGEST { Err(AmountError::TooLarge) } else { Ok(next) }
}

/// Decimals of an exchange rate that are looked at.
const RATE_DECIMALS: u32 = 12;

/// An exchange rate as a plain decimal number without zeros at its end; none if it is not positive.
#[must_use]
pub fn rate(text: &str, syntax: AmountSyntax) -> Option<String> {
    let scaled =
        parse_scaled(text.as_bytes(), RATE_DECIMALS, AmountSyntax { surplus_zeros: true, ..syntax }).ok()?;
    (scaled > 0).then(|| plain_rate(scaled))
}

/// A rate of so many units of the last decimal that is looked at.
fn plain_rate(scaled: i128) -> String {
    let one = 10i128.pow(RATE_DECIMALS);
    let fraction = format!("{:0>12}", scaled % one);
    let fraction = fraction.trim_end_matches('0');
    let mark = if fraction.is_empty() { "" } else { "." };
    format!("{}{mark}{fraction}", scaled / one)
}

/// The rate of the other direction (as [`rate`] writes it), to the nearest unit of the twelfth decimal; none if that is zero.
#[must_use]
pub fn inverse_rate(rate: &str) -> Option<String> {
    let scaled = parse_scaled(rate.as_bytes(), RATE_DECIMALS, AmountSyntax::PLAIN)
        .ok()
        .filter(|scaled| *scaled > 0)?;
    let inverse = (10i128.pow(2 * RATE_DECIMALS) + scaled / 2) / scaled;
    (inverse > 0).then(|| plain_rate(inverse))
}

/// Whether a rate lies within a share of another one, in units of 10^-8 of that.
#[must_use]
pub fn rate_within(rate: &str, of: &str, share_e8: i128) -> bool {
    let scaled = |text: &str| parse_scaled(text.as_bytes(), RATE_DECIMALS, AmountSyntax::PLAIN).ok();
    let within = |rate: i128, of: i128| {
        let apart = (rate - of).abs().checked_mul(100_000_000)?;
        Some(apart <= of.abs().checked_mul(share_e8)?)
    };
    scaled(rate).zip(scaled(of)).and_then(|(rate, of)| within(rate, of)).unwrap_or(false)
}

/// An amount in another currency at a rate (as [`rate`] writes it), to the nearest minor unit, halves away from zero; none
/// if the numbers are too large. It is compared with what was booked, and never booked itself.
#[must_use]
pub fn convert(minor: i128, from: Currency, rate: &str, to: Currency) -> Option<i128> {
    let scaled = parse_scaled(rate.as_bytes(), RATE_DECIMALS, AmountSyntax::PLAIN).ok()?;
    let product = minor.checked_mul(scaled)?.checked_mul(10i128.pow(to.exponent()))?;
    let unit = 10i128.pow(RATE_DECIMALS + from.exponent());
    Some((product.abs() + unit / 2) / unit * product.signum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code.as_bytes()).unwrap()
    }

    fn read(text: &str, code: &str) -> Result<i128, AmountError> {
        parse_amount(text.as_bytes(), currency(code), AmountSyntax::PLAIN)
    }

    #[test]
    fn rates_are_plain_numbers_and_convert_to_the_nearest_unit() {
        let plain = |text| rate(text, AmountSyntax::PLAIN);
        assert_eq!(plain("1.1500"), Some("1.15".to_owned()));
        assert_eq!(plain("1"), Some("1".to_owned()));
        assert_eq!(plain("0.000000000001"), Some("0.000000000001".to_owned()));
        assert_eq!((plain("0"), plain("-1"), plain("x")), (None, None, None));
        let (gbp, eur, jpy, kwd) = (currency("GBP"), currency("EUR"), currency("JPY"), currency("KWD"));
        assert_eq!(convert(10_000, gbp, "1.15", eur), Some(11_500));
        assert_eq!(convert(-10_001, gbp, "1.15", eur), Some(-11_501));
        assert_eq!(convert(500, jpy, "0.0061", eur), Some(305));
        assert_eq!(convert(10_000, eur, "0.33", kwd), Some(33_000));
        assert_eq!(convert(LARGEST, eur, "1", eur), None);
        assert_eq!(inverse_rate("0.8").as_deref(), Some("1.25"));
        assert_eq!(inverse_rate("3").as_deref(), Some("0.333333333333"));
        assert_eq!((inverse_rate("0"), inverse_rate("x")), (None, None));
        assert!(rate_within("1.005", "1", 500_000) && !rate_within("1.005000000001", "1", 500_000));
        assert!(rate_within("0.995", "1", 500_000) && !rate_within("1", "x", 500_000));
    }

    #[test]
    fn the_exponent_is_the_currency_s() {
        assert_eq!(read("12.5", "EUR"), Ok(1250));
        assert_eq!(read("12", "JPY"), Ok(12));
        assert_eq!(read("12.345", "KWD"), Ok(12345));
        assert_eq!(read(".5", "EUR"), Ok(50));
        assert_eq!(read("7.", "EUR"), Ok(700));
    }

    #[test]
    fn nothing_is_rounded() {
        assert_eq!(read("12.505", "EUR"), Err(AmountError::TooPrecise { allowed: 2 }));
        assert_eq!(read("12.0", "JPY"), Err(AmountError::TooPrecise { allowed: 0 }));
        let lenient = AmountSyntax { surplus_zeros: true, ..AmountSyntax::PLAIN };
        assert_eq!(parse_amount(b"12.000", currency("JPY"), lenient), Ok(12));
        assert_eq!(
            parse_amount(b"12.001", currency("JPY"), lenient),
            Err(AmountError::TooPrecise { allowed: 0 })
        );
    }

    #[test]
    fn signs_stand_in_front_behind_or_around() {
        for text in ["-1.00", "1.00-", "(1.00)"] {
            assert_eq!(read(text, "EUR"), Ok(-100));
        }
        assert_eq!(read("+1.00", "EUR"), Ok(100));
    }

    #[test]
    fn grouping_is_declared_and_well_formed() {
        let german = AmountSyntax { decimal: b',', grouping: Some(b'.'), surplus_zeros: false };
        let read = |text: &str| parse_amount(text.as_bytes(), currency("EUR"), german);
        assert_eq!(read("1.234.567,89"), Ok(123_456_789));
        assert_eq!(read("1.23"), Err(AmountError::Malformed));
        assert_eq!(read("1..234,00"), Err(AmountError::Malformed));
        assert_eq!(read(".234,00"), Err(AmountError::Malformed));
    }

    #[test]
    fn other_text_is_malformed() {
        for text in ["", " ", "-", ".", "1e5", "0x10", "1,00", "1.0.0", "--1", "NaN"] {
            assert!(read(text, "EUR").is_err(), "{text:?}");
        }
        assert_eq!(read(&"9".repeat(40), "EUR"), Err(AmountError::TooLarge));
    }

    proptest! {
        #[test]
        fn decimal_and_parse_are_inverse(minor in -LARGEST..LARGEST, place in 0..Currency::COUNT) {
            let currency = Currency::all().nth(place).unwrap();
            prop_assert_eq!(read(&decimal(minor, currency), currency.code()), Ok(minor));
        }
    }
}
