//! Days of the calendar.

use super::{Invalid, text_value};
use std::str::FromStr;

/// A day, as ISO 8601 writes it: `2027-03-31`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(String);

impl Date {
    /// The day that is so many days after 1970-01-01.
    #[must_use]
    pub fn of_days_since_1970(days: u32) -> Self {
        // Years that begin in March, so that the odd day comes last: <https://howardhinnant.github.io/date_algorithms.html>
        let since = u64::from(days) + 719_468;
        let (era, day_of_era) = (since / 146_097, since % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        Self(format!("{year:04}-{month:02}-{day:02}"))
    }
}

impl FromStr for Date {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if is_day(text).unwrap_or(false) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a day of the calendar"),
            "year, month and day, such as \"2027-03-31\"",
        ))
    }
}

text_value!(Date, r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", "2027-03-31", "A day.");

/// Whether the text is a day; `None` where it does not even look like one.
fn is_day(text: &str) -> Option<bool> {
    let shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    if !shaped {
        return None;
    }
    let year: u32 = text.get(..4)?.parse().ok()?;
    let month: u32 = text.get(5..7)?.parse().ok()?;
    let day: u32 = text.get(8..)?.parse().ok()?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    Some((1..=days).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        let days = [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_787, "2026-11-30"),
        ];
        for (count, day) in days {
            assert_eq!(Date::of_days_since_1970(count).as_str(), day);
        }
    }

    #[test]
    fn a_day_is_one_of_the_calendar() {
        for day in ["2027-03-31", "2028-02-29", "2000-02-29", "0001-01-01"] {
            assert!(day.parse::<Date>().is_ok(), "{day}");
        }
        for day in [
            "2027-02-29",
            "2100-02-29",
            "2027-13-01",
            "2027-04-31",
            "2027-1-1",
            "31.03.2027",
            "2027-00-10",
            "",
        ] {
            assert!(day.parse::<Date>().is_err(), "{day}");
        }
    }
}
