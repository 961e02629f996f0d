//! What RDS takes: versions, classes, windows, intervals.

use super::{Invalid, text_value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A version of PostgreSQL that the service runs with: 15 to 18, with or without the minor one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresVersion(String);

impl PostgresVersion {
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The major version, which names the family of parameters.
    #[must_use]
    pub fn major(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

impl FromStr for PostgresVersion {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if matches!(major, "15" | "16" | "17" | "18") && number(minor) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is no version of PostgreSQL that the service runs with"),
            "15, 16, 17 or 18, with a minor version if it must be that one, such as \"17\" or \"16.8\"",
        ))
    }
}

text_value!(PostgresVersion, r"^1[5-8](\.[0-9]{1,2})?$", "17", "A version of PostgreSQL.");

/// The class of a database instance, by its shape: `db.<family>.<size>`.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceClass(String);

impl InstanceClass {
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for InstanceClass {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let parts: Vec<&str> = text.split('.').collect();
        let word = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match parts.as_slice() {
            ["db", family, size] if word(family) && word(size) => Ok(Self(text.to_owned())),
            _ => Err(Invalid::new(
                format!("{text:?} is not a class of database instances"),
                "a family and a size, such as \"db.m7g.large\"",
            )),
        }
    }
}

text_value!(
    InstanceClass,
    r"^db\.[a-z0-9-]+\.[a-z0-9-]+$",
    "db.m7g.large",
    "The class of a database instance."
);

/// The name of a database instance or cluster: 1 to 63 lower-case letters, digits and single inner hyphens, a letter first.
/// RDS takes upper case as well and stores lower case.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseIdentifier(String);

impl FromStr for DatabaseIdentifier {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let word = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        if text.len() <= 63
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.split('-').all(word)
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not the name of a database instance or cluster"),
            "at most 63 lower-case letters, digits and single inner hyphens, a letter first",
        ))
    }
}

text_value!(
    DatabaseIdentifier,
    r"^(?=.{1,63}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    "payments-prod",
    "The name of a database instance or cluster."
);

/// The shortest window that RDS takes, in minutes.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Maintenance.html>
const WINDOW_MIN: u32 = 30;
const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;

/// Minutes since midnight, of `HH:MM`.
fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str, most| {
        text.parse::<u32>().ok().filter(|n| text.len() == 2 && *n <= most && !text.starts_with('+'))
    };
    Some(number(hours, 23)? * 60 + number(minutes, 59)?)
}

/// A span of time that comes back every day or every week.
#[derive(Clone, Copy)]
struct Span {
    from: u32,
    length: u32,
}

impl Span {
    fn new(from: u32, to: u32, round: u32) -> Option<Self> {
        let length = (to + round - from) % round;
        (length >= WINDOW_MIN).then_some(Self { from, length })
    }

    /// Whether two spans of a week share a minute.
    const fn meets(self, other: Self) -> bool {
        (other.from + WEEK - self.from) % WEEK < self.length
            || (self.from + WEEK - other.from) % WEEK < other.length
    }
}

/// A time of the day in UTC: `02:00-03:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyWindow(String);

impl DailyWindow {
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    fn span(text: &str) -> Option<Span> {
        let (from, to) = text.split_once('-')?;
        Span::new(minutes(from)?, minutes(to)?, DAY)
    }

    /// Whether the two share a minute, which RDS refuses.
    #[must_use]
    pub fn meets(&self, weekly: &WeeklyWindow) -> bool {
        let (Some(daily), Some(weekly)) = (Self::span(&self.0), WeeklyWindow::span(&weekly.0)) else {
            return false;
        };
        (0..7).any(|day| Span { from: daily.from + day * DAY, ..daily }.meets(weekly))
    }
}

impl FromStr for DailyWindow {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::span(text).map(|_| Self(text.to_owned())).ok_or_else(|| {
            Invalid::new(
                format!("{text:?} is not a time of at least {WINDOW_MIN} minutes"),
                "from and to in UTC, such as \"02:00-03:00\"",
            )
        })
    }
}

text_value!(
    DailyWindow,
    "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$",
    "02:00-03:00",
    "A time of the day in UTC, at least half an hour."
);

/// A time of the week in UTC: `sun:03:30-sun:04:30`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyWindow(String);

impl WeeklyWindow {
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    fn span(text: &str) -> Option<Span> {
        let (from, to) = text.split_once('-')?;
        Span::new(Self::moment(from)?, Self::moment(to)?, WEEK)
    }

    /// Minutes since Monday, of `sun:03:30`.
    fn moment(text: &str) -> Option<u32> {
        let (day, time) = text.split_once(':')?;
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let day = (0..).zip(days).find(|(_, name)| *name == day)?.0;
        Some(day * DAY + minutes(time)?)
    }
}

impl FromStr for WeeklyWindow {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::span(text).map(|_| Self(text.to_owned())).ok_or_else(|| {
            Invalid::new(
                format!("{text:?} is not a time of at least {WINDOW_MIN} minutes"),
                "from and to in UTC, such as \"sun:03:30-sun:04:30\"",
            )
        })
    }
}

text_value!(
    WeeklyWindow,
    "^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$",
    "sun:03:30-sun:04:30",
    "A time of the week in UTC, at least half an hour."
);

/// Seconds between samples of the operating system, one of those that RDS takes.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MonitoringSeconds(u32);

impl MonitoringSeconds {
    /// Every number of seconds that RDS takes, but 0, which is none.
    pub const ALLOWED: [u32; 6] = [1, 5, 10, 15, 30, 60];

    /// Every minute.
    pub const MINUTE: Self = Self(60);

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for MonitoringSeconds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u32::deserialize(deserializer)?;
        if Self::ALLOWED.contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err(serde::de::Error::custom(Invalid::new(
            format!("RDS takes no sample every {seconds} seconds"),
            "1, 5, 10, 15, 30 or 60",
        )))
    }
}

impl JsonSchema for MonitoringSeconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "MonitoringSeconds".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "enum": Self::ALLOWED })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_half_an_hour_at_least() {
        for window in ["02:00-03:00", "23:45-00:15", "00:00-23:59"] {
            assert!(window.parse::<DailyWindow>().is_ok(), "{window}");
        }
        for window in ["02:00-02:29", "2:00-3:00", "24:00-01:00", "02:00", "02:00-02:00", "+2:00-03:00"] {
            assert!(window.parse::<DailyWindow>().is_err(), "{window}");
        }
        for window in ["sun:03:30-sun:04:30", "sun:23:45-mon:00:30"] {
            assert!(window.parse::<WeeklyWindow>().is_ok(), "{window}");
        }
        for window in ["Sun:03:30-Sun:04:30", "sun:03:30-04:30", "day:03:30-day:04:30"] {
            assert!(window.parse::<WeeklyWindow>().is_err(), "{window}");
        }
    }

    #[test]
    fn names_of_databases_are_those_that_rds_keeps_as_they_are() {
        let longest = "a".repeat(63);
        for name in ["txn-reconcile-prod", "a", "db1-20261130t101500z", &longest] {
            assert!(name.parse::<DatabaseIdentifier>().is_ok(), "{name}");
        }
        let too_long = "a".repeat(64);
        for name in ["", "-a", "a-", "a--b", "1a", "Upper", "a_b", "a.b", "grün", &too_long] {
            assert!(name.parse::<DatabaseIdentifier>().is_err(), "{name}");
        }
    }

    #[test]
    fn windows_that_share_a_minute_meet() {
        let meets = |daily: &str, weekly: &str| {
            let daily: DailyWindow = daily.parse().expect("a window");
            daily.meets(&weekly.parse().expect("a window"))
        };
        assert!(!meets("02:00-03:00", "sun:03:30-sun:04:30"));
        assert!(!meets("02:00-03:00", "sun:03:00-sun:03:30"));
        assert!(meets("02:00-03:31", "sun:03:30-sun:04:30"));
        assert!(meets("04:00-05:00", "sun:03:30-sun:04:30"));
        assert!(meets("23:30-00:30", "mon:00:00-mon:00:30"));
        assert!(meets("12:00-12:30", "mon:00:00-tue:00:00"));
    }

    #[test]
    fn versions_are_those_that_the_service_runs_with() {
        let major = |text: &str| text.parse::<PostgresVersion>().map(|version| version.major().to_owned());
        assert_eq!(major("17").as_deref(), Ok("17"));
        assert_eq!(major("16.8").as_deref(), Ok("16"));
        for refused in ["14", "19", "17.", "17.x", "latest", ""] {
            assert!(major(refused).is_err(), "{refused}");
        }
    }
}
