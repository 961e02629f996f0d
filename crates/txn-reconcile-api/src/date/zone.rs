//! Timestamps, and the day that they fall on where days are counted.

use jiff::civil;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use super::Date;

/// In which time zone the days of a source are counted, and in which its timestamps are written.
///
/// Zones are those of the IANA database that the program brings along, so that a file reads the same on every machine.
#[derive(Clone, Debug)]
pub struct Zones {
    days: TimeZone,
    stamps: Option<TimeZone>,
}

/// Why no day can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayFault {
    /// The text does not begin with a date of the notation.
    Date,
    /// What stands behind the date is no time of day.
    Time,
    /// The time of day has no offset, and it is not said in which zone it was written.
    NoZone,
    /// The clocks were changed at that time, and its two readings fall on two days.
    Ambiguous,
}

impl DayFault {
    /// A stable code for remarks.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Date => "date-malformed",
            Self::Time => "time-malformed",
            Self::NoZone => "time-zone-missing",
            Self::Ambiguous => "time-ambiguous",
        }
    }

    /// What is wrong, for a notation of dates.
    #[must_use]
    pub fn message(self, notation: &str) -> String {
        match self {
            Self::Date => format!("not a date in the notation {notation}"),
            Self::Time => "what stands behind the date is no time of day like 23:59:00, with or without an offset".to_owned(),
            Self::NoZone => {
                "a time of day without an offset; say with `timestamps` in which time zone it was written".to_owned()
            }
            Self::Ambiguous => {
                "the clocks were changed at that time, and the day depends on before or after; write the offset".to_owned()
            }
        }
    }
}

impl Zones {
    /// The zones of these names: of the IANA database (`Europe/Berlin`), `UTC`, or a fixed offset (`+05:30`).
    #[must_use]
    pub fn zone(name: &str) -> Option<TimeZone> {
        if name.starts_with(['+', '-']) {
            let (seconds, rest) = offset(name.as_bytes())?;
            return rest.is_empty().then(|| Offset::from_seconds(seconds).ok().map(TimeZone::fixed))?;
        }
        if name.eq_ignore_ascii_case("UTC") {
            return Some(TimeZone::UTC);
        }
        TimeZoneDatabase::bundled().get(name).ok()
    }

    /// Days of one zone, timestamps of another one or of none that is known.
    #[must_use]
    pub fn new(days: TimeZone, stamps: Option<TimeZone>) -> Self {
        Self { days, stamps }
    }

    /// The same days, with timestamps that are known to be written in a zone.
    #[must_use]
    pub fn written_in(&self, zone: TimeZone) -> Self {
        Self { days: self.days.clone(), stamps: Some(zone) }
    }

    /// The same days, with a zone for timestamps where none was said.
    #[must_use]
    pub fn or_written_in(&self, zone: TimeZone) -> Self {
        Self { days: self.days.clone(), stamps: Some(self.stamps.clone().unwrap_or(zone)) }
    }

    /// The day that a timestamp falls on: its date, and what stands behind it. A date without a time is that day.
    ///
    /// # Errors
    /// Fails when the time cannot be read, or its zone is not known.
    pub fn day(&self, date: Date, rest: &[u8]) -> Result<Date, DayFault> {
        let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b",")).unwrap_or(rest).trim_ascii();
        if rest.is_empty() {
            return Ok(date);
        }
        let (time, rest) = time(rest).ok_or(DayFault::Time)?;
        let (year, month, day) = date.parts();
        let civil = i16::try_from(year)
            .ok()
            .zip(i8::try_from(month).ok().zip(i8::try_from(day).ok()))
            .and_then(|(year, (month, day))| civil::Date::new(year, month, day).ok())
            .ok_or(DayFault::Date)?
            .to_datetime(time);
        let zone = match rest.trim_ascii() {
            b"" => self.stamps.clone().ok_or(DayFault::NoZone)?,
            b"Z" | b"z" | b"UTC" | b"GMT" => TimeZone::UTC,
            text => match offset(text) {
                Some((seconds, b"")) => {
                    TimeZone::fixed(Offset::from_seconds(seconds).map_err(|_| DayFault::Time)?)
                }
                _ => return Err(DayFault::Time),
            },
        };
        let readings = zone.to_ambiguous_timestamp(civil);
        let on = |stamp: Result<jiff::Timestamp, jiff::Error>| {
            let local = self.days.to_datetime(stamp.map_err(|_| DayFault::Date)?).date();
            let part = |number: i8| u32::try_from(number).unwrap_or(0);
            Date::new(i32::from(local.year()), part(local.month()), part(local.day())).ok_or(DayFault::Date)
        };
        let (earlier, later) = (on(readings.earlier())?, on(readings.later())?);
        if earlier == later { Ok(earlier) } else { Err(DayFault::Ambiguous) }
    }
}

/// A time of day: `HH:MM`, `HH:MM:SS`, `HHMMSS`, with a fraction, with AM or PM; and what stands behind it.
fn time(text: &[u8]) -> Option<(civil::Time, &[u8])> {
    let two = |at: usize| -> Option<i8> {
        let digits = text.get(at..at + 2)?;
        let value =
            digits.iter().all(u8::is_ascii_digit).then(|| (digits[0] - b'0') * 10 + digits[1] - b'0')?;
        i8::try_from(value).ok()
    };
    // An hour may have one digit where a colon follows.
    let (hour, at) = match text {
        [digit @ b'0'..=b'9', b':', ..] => (i8::try_from(digit - b'0').ok()?, 1),
        _ => (two(0)?, 2),
    };
    let colon = text.get(at) == Some(&b':');
    let minute_at = at + usize::from(colon);
    let (minute, mut end) = (two(minute_at)?, minute_at + 2);
    let mut second = 0;
    let more =
        if colon { text.get(end) == Some(&b':') } else { text.get(end).is_some_and(u8::is_ascii_digit) };
    if more {
        let second_at = end + usize::from(colon);
        (second, end) = (two(second_at)?, second_at + 2);
        if matches!(text.get(end), Some(b'.' | b',')) {
            let digits = text[end + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            end += 1 + digits;
        }
    }
    let mut rest = &text[end..];
    let mut hour = hour;
    let half = rest.trim_ascii_start();
    if let Some(mark) = half.get(..2).filter(|mark| mark[1].eq_ignore_ascii_case(&b'M')) {
        let afternoon = match mark[0].to_ascii_uppercase() {
            b'A' => false,
            b'P' => true,
            _ => return None,
        };
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
        rest = &half[2..];
    }
    // A leap second falls on the day of the second before it.
    civil::Time::new(hour, minute, second.min(59), 0).ok().filter(|_| second <= 60).map(|time| (time, rest))
}

/// `+01:00`, `-0530`, `+2`: seconds east of Greenwich, and what stands behind it.
fn offset(text: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, rest) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let digits = |from: &[u8]| from.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = |digits: &[u8]| digits.iter().fold(0, |value, byte| value * 10 + i32::from(byte - b'0'));
    let (hours, minutes, rest) = match digits(rest) {
        4 => (number(&rest[..2]), number(&rest[2..4]), &rest[4..]),
        count @ (1 | 2) => match rest[count..].split_first() {
            Some((b':', minutes)) if digits(minutes) == 2 => {
                (number(&rest[..count]), number(&minutes[..2]), &minutes[2..])
            }
            _ => (number(&rest[..count]), 0, &rest[count..]),
        },
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some((sign * (hours * 3_600 + minutes * 60), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(days: &str, stamps: Option<&str>) -> Zones {
        Zones::new(Zones::zone(days).unwrap(), stamps.map(|name| Zones::zone(name).unwrap()))
    }

    fn day(zones: &Zones, text: &str) -> Result<String, DayFault> {
        let (date, rest) = Date::parse_iso_with_rest(text.as_bytes()).unwrap();
        zones.day(date, rest).map(|day| day.to_string())
    }

    #[test]
    fn a_timestamp_falls_on_the_day_of_the_zone_in_which_days_are_counted() {
        let berlin = zones("Europe/Berlin", None);
        // Central European Time is an hour ahead of UTC in winter and two in summer.
        for (text, expected) in [
            ("2026-01-05T22:59:59Z", "2026-01-05"),
            ("2026-01-05T23:00:00Z", "2026-01-06"),
            ("2026-07-05T22:00:00.123Z", "2026-07-06"),
            ("2026-12-31 23:30 UTC", "2027-01-01"),
            ("2026-01-05T20:00:00-05:00", "2026-01-06"),
            ("2026-01-06T04:00:00+0530", "2026-01-05"),
            ("2026-01-05", "2026-01-05"),
        ] {
            assert_eq!(day(&berlin, text).as_deref(), Ok(expected), "{text}");
        }
        let new_york = zones("America/New_York", Some("UTC"));
        assert_eq!(day(&new_york, "2026-01-06 04:59:00").as_deref(), Ok("2026-01-05"));
        assert_eq!(day(&new_york, "2026-01-06 1:30 PM").as_deref(), Ok("2026-01-06"));
        assert_eq!(day(&new_york, "2026-01-06 12:30 AM").as_deref(), Ok("2026-01-05"));
        assert_eq!(day(&zones("+09:00", Some("-03:00")), "2026-01-05T12:00:00").as_deref(), Ok("2026-01-06"));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let berlin = zones("Europe/Berlin", None);
        assert_eq!(day(&berlin, "2026-01-05T23:00:00"), Err(DayFault::NoZone));
        for text in
            ["25:00", "12:60", "12", "noon", "12:00:00.", "12:00 CET", "13:00 PM", "12:00+25:00", "12:00Zx"]
        {
            assert_eq!(day(&berlin, &format!("2026-01-05 {text}")), Err(DayFault::Time), "{text}");
        }
        // The hour from two to three was there twice on 2026-10-25: one reading is the 25th in both.
        let local = zones("UTC", Some("Europe/Berlin"));
        assert_eq!(day(&local, "2026-10-25T02:30:00").as_deref(), Ok("2026-10-25"));
        // In a zone that is two hours ahead of the other, its readings fall on two days: 00:30 and 23:30 in UTC-1.
        let between = zones("-01:00", Some("Europe/Berlin"));
        assert_eq!(day(&between, "2026-10-25T02:30:00"), Err(DayFault::Ambiguous));
        assert!(
            Zones::zone("Europe/Nowhere").is_none()
                && Zones::zone("+25:00").is_none()
                && Zones::zone("").is_none()
        );
    }
}
