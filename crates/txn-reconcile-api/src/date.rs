//! Calendar dates without a time zone, and the notations that files write them in.

mod zone;

use std::fmt;

pub use zone::{DayFault, Zones};

/// A day of the Gregorian calendar, as days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Date(i32);

impl Date {
    /// The earliest day that is accepted: 1900-01-01.
    pub const MIN: Self = Self(-25_567);
    /// The latest day that is accepted: 2199-12-31.
    pub const MAX: Self = Self(84_005);

    /// The day with this year (1900-2199), month (1-12) and day of the month.
    #[inline]
    #[must_use]
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        if !(1900..2200).contains(&year)
            || !(1..=12).contains(&month)
            || day == 0
            || day > month_length(year, month)
        {
            return None;
        }
        // Days from civil: https://howardhinnant.github.io/date_algorithms.html
        let shifted = if month <= 2 { year - 1 } else { year };
        let era = shifted.div_euclid(400);
        let of_era = shifted.rem_euclid(400);
        let month_index = ((month + 9) % 12) as i32;
        let of_year = (153 * month_index + 2) / 5 + day as i32 - 1;
        Some(Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468))
    }

    /// The day this many days after 1970-01-01, if it lies in the accepted range.
    #[must_use]
    pub fn from_days(days: i32) -> Option<Self> {
        let date = Self(days);
        (Self::MIN..=Self::MAX).contains(&date).then_some(date)
    }

    /// Days since 1970-01-01; negative before.
    #[inline]
    #[must_use]
    pub fn days(self) -> i32 {
        self.0
    }

    /// Year, month and day of the month.
    #[must_use]
    pub fn parts(self) -> (i32, u32, u32) {
        let shifted = self.0 + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i32::from(month <= 2);
        (year, month.unsigned_abs(), day.unsigned_abs())
    }

    /// Day of the week, 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn weekday(self) -> u32 {
        (self.0 + 3).rem_euclid(7).unsigned_abs()
    }

    /// Reads `YYYY-MM-DD`, with anything behind it that starts with `T` or a space (a time of day) left aside.
    #[inline]
    #[must_use]
    pub fn parse_iso(text: &[u8]) -> Option<Self> {
        let digits = |range: std::ops::Range<usize>| number(text.get(range)?);
        if text.len() < 10
            || text[4] != b'-'
            || text[7] != b'-'
            || !(text.len() == 10 || matches!(text[10], b'T' | b' '))
        {
            return None;
        }
        Self::new(digits(0..4)? as i32, digits(5..7)?, digits(8..10)?)
    }

    /// The same, with what stands behind the date.
    #[must_use]
    pub fn parse_iso_with_rest(text: &[u8]) -> Option<(Self, &[u8])> {
        Self::parse_iso(text).map(|date| (date, &text[10..]))
    }

    /// Reads `YYYYMMDD`.
    #[must_use]
    pub fn parse_basic(text: &[u8]) -> Option<Self> {
        if text.len() != 8 {
            return None;
        }
        Self::new(number(&text[..4])? as i32, number(&text[4..6])?, number(&text[6..])?)
    }

    /// Reads `YYMMDD`; years 00-79 are 2000-2079, 80-99 are 1980-1999, the window that SWIFT prescribes.
    #[must_use]
    pub fn parse_short(text: &[u8]) -> Option<Self> {
        if text.len() != 6 {
            return None;
        }
        Self::new(century(number(&text[..2])?), number(&text[2..4])?, number(&text[4..])?)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.parts();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Days of a month.
fn month_length(year: i32, month: u32) -> u32 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The full year of a two-digit one.
fn century(short: u32) -> i32 {
    short as i32 + if short < 80 { 2000 } else { 1900 }
}

/// A string of digits as a number; anything else is none.
#[inline]
fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0u32, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| value * 10 + u32::from(digit))
    })
}

/// One piece of a date notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Year,
    ShortYear,
    Month,
    MonthName,
    Day,
    Mark(u8),
}

/// A date notation, compiled from a pattern of `YYYY`, `YY`, `MM`, `MMM`, `DD` and the marks between them.
///
/// `MM` and `DD` also take one digit where a mark or the end follows. A time of day behind the date is left aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormat {
    pattern: String,
    pieces: Vec<Piece>,
}

impl DateFormat {
    /// The notation `YYYY-MM-DD`.
    #[must_use]
    pub fn iso() -> Self {
        Self::compile("YYYY-MM-DD").unwrap_or(Self { pattern: String::new(), pieces: Vec::new() })
    }

    /// Compiles a pattern; none when a year, a month and a day are not each named once.
    #[must_use]
    pub fn compile(pattern: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = pattern;
        const NAMES: [(&str, Piece); 5] = [
            ("YYYY", Piece::Year),
            ("YY", Piece::ShortYear),
            ("MMM", Piece::MonthName),
            ("MM", Piece::Month),
            ("DD", Piece::Day),
        ];
        while let Some(first) = rest.bytes().next() {
            if let Some((name, piece)) = NAMES.iter().find(|(name, _)| rest.starts_with(name)) {
                pieces.push(*piece);
                rest = &rest[name.len()..];
            } else if first.is_ascii() && !first.is_ascii_alphanumeric() {
                pieces.push(Piece::Mark(first));
                rest = &rest[1..];
            } else {
                return None;
            }
        }
        let count = |wanted: &[Piece]| pieces.iter().filter(|piece| wanted.contains(piece)).count();
        let complete = count(&[Piece::Year, Piece::ShortYear]) == 1
            && count(&[Piece::Month, Piece::MonthName]) == 1
            && count(&[Piece::Day]) == 1;
        complete.then(|| Self { pattern: pattern.to_owned(), pieces })
    }

    /// The pattern it was compiled from.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Reads a date in this notation.
    #[must_use]
    pub fn parse(&self, text: &[u8]) -> Option<Date> {
        if self.pattern == "YYYY-MM-DD" {
            return Date::parse_iso(text);
        }
        self.parse_with_rest(text).map(|(date, _)| date)
    }

    /// The same, with what stands behind the date: a time of day.
    #[must_use]
    pub fn parse_with_rest<'a>(&self, text: &'a [u8]) -> Option<(Date, &'a [u8])> {
        if self.pattern == "YYYY-MM-DD" {
            return Date::parse_iso_with_rest(text);
        }
        let (mut year, mut month, mut day) = (0, 0, 0);
        let mut at = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Mark(mark) => {
                    if text.get(at) != Some(mark) {
                        return None;
                    }
                    at += 1;
                }
                Piece::Year => {
                    year = number(text.get(at..at + 4)?)? as i32;
                    at += 4;
                }
                Piece::ShortYear => {
                    year = century(number(text.get(at..at + 2)?)?);
                    at += 2;
                }
                Piece::MonthName => {
                    month = month_named(text.get(at..at + 3)?)?;
                    at += 3;
                }
                Piece::Month => (month, at) = one_or_two(text, at)?,
                Piece::Day => (day, at) = one_or_two(text, at)?,
            }
        }
        match text.get(at) {
            None | Some(b' ' | b'T' | b',') => {
                Date::new(year, month, day).map(|date| (date, text.get(at..).unwrap_or_default()))
            }
            Some(_) => None,
        }
    }
}

/// A number of one or two digits and the place behind it.
fn one_or_two(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let digits = text.get(at..)?.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    Some((number(&text[at..at + digits])?, at + digits))
}

/// English month abbreviations.
fn month_named(name: &[u8]) -> Option<u32> {
    const NAMES: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    NAMES
        .chunks(3)
        .position(|month| month.eq_ignore_ascii_case(name))
        .and_then(|at| u32::try_from(at + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_parts_are_inverse_over_the_whole_range() {
        for days in Date::MIN.days()..=Date::MAX.days() {
            let (year, month, day) = Date(days).parts();
            assert_eq!(Date::new(year, month, day), Some(Date(days)));
        }
        assert_eq!(Date::new(1970, 1, 1), Some(Date(0)));
        assert_eq!(Date::MIN.to_string(), "1900-01-01");
        assert_eq!(Date::MAX.to_string(), "2199-12-31");
    }

    #[test]
    fn impossible_days_are_refused() {
        assert_eq!(Date::new(2023, 2, 29), None);
        assert_eq!(Date::new(2100, 2, 29), None);
        assert!(Date::new(2000, 2, 29).is_some());
        assert_eq!(Date::new(2024, 13, 1), None);
    }

    #[test]
    fn weekdays_count_from_monday() {
        assert_eq!(Date::new(1970, 1, 1).unwrap().weekday(), 3);
        assert_eq!(Date::new(2026, 11, 23).unwrap().weekday(), 0);
    }

    #[test]
    fn notations() {
        let expected = Date::new(2026, 3, 5);
        for (pattern, text) in [
            ("YYYY-MM-DD", "2026-03-05"),
            ("YYYY-MM-DD", "2026-03-05T23:59:59Z"),
            ("DD.MM.YYYY", "5.3.2026"),
            ("MM/DD/YYYY", "3/5/2026 11:00"),
            ("DD-MMM-YY", "05-Mar-26"),
            ("YYYYMMDD", "20260305"),
            ("YYMMDD", "260305"),
        ] {
            assert_eq!(DateFormat::compile(pattern).unwrap().parse(text.as_bytes()), expected, "{pattern}");
        }
        assert_eq!(DateFormat::compile("DD.MM"), None);
        assert_eq!(DateFormat::compile("DD.MM.YYYY").unwrap().parse(b"5.3.2026x"), None);
        assert_eq!(Date::parse_short(b"991231").unwrap().to_string(), "1999-12-31");
    }
}
