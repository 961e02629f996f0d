//! Times of scheduled actions.

use super::{Invalid, text_value};
use std::str::FromStr;

/// The six fields of an Application Auto Scaling cron expression, without `cron(…)`: minutes, hours, day of month,
/// month, day of week, year. <https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronFields(String);

impl CronFields {
    /// The expression as the API takes it: `cron(…)`.
    #[must_use]
    pub fn expression(&self) -> String {
        format!("cron({})", self.0)
    }
}

impl FromStr for CronFields {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        check(text).map(|()| Self(text.to_owned())).map_err(|problem| {
            Invalid::new(
                problem,
                "six fields: minutes hours day-of-month month day-of-week year, one of the two days a `?`, such as \
                 \"0 7 ? * MON-FRI *\"",
            )
        })
    }
}

text_value!(
    CronFields,
    r"^[0-9*,/-]+ [0-9*,/-]+ [0-9*,/?LW-]+ [0-9A-Z*,/-]+ [0-9A-Z*,/?#L-]+ [0-9*,/-]+$",
    "0 7 ? * MON-FRI *",
    "Minutes, hours, day of month, month, day of week, year; one of the two days is `?`."
);

/// Name, smallest and largest number, and the names or marks that a field may hold besides.
const FIELDS: [(&str, u32, u32, &[&str]); 6] = [
    ("minutes", 0, 59, &[]),
    ("hours", 0, 23, &[]),
    ("day-of-month", 1, 31, &["?", "L", "W"]),
    ("month", 1, 12, &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
    ("day-of-week", 1, 7, &["?", "L", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
    ("year", 1970, 2199, &[]),
];

fn check(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.split(' ').collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else {
        return Err(format!("{text:?} has {} fields", fields.len()));
    };
    if (*day == "?") == (*weekday == "?") {
        return Err("exactly one of day-of-month and day-of-week is `?`".to_owned());
    }
    for (field, (name, min, max, words)) in fields.iter().zip(FIELDS) {
        let known = |part: &str| {
            part == "*" || words.contains(&part) || part.parse().is_ok_and(|n: u32| (min..=max).contains(&n))
        };
        let step = |part: &str| part.parse().is_ok_and(|n: u32| (1..=max).contains(&n));
        let item = |item: &str| match item.split_once('/') {
            Some((from, by)) => from.split('-').all(known) && step(by),
            None => item.split(['-', '#']).all(known),
        };
        if !field.split(',').all(item) {
            return Err(format!("{field:?} is not a value for {name}"));
        }
    }
    Ok(())
}

/// A time zone of the IANA database, by its shape: `Area/City` or `UTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(String);

impl TimeZone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }
}

impl FromStr for TimeZone {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const AREAS: [&str; 11] = [
            "Africa",
            "America",
            "Antarctica",
            "Arctic",
            "Asia",
            "Atlantic",
            "Australia",
            "Etc",
            "Europe",
            "Indian",
            "Pacific",
        ];
        let city = |c: &str| {
            !c.is_empty()
                && c.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'+' || b == b'/')
        };
        let named = text.split_once('/').is_some_and(|(area, rest)| AREAS.contains(&area) && city(rest));
        if text == "UTC" || named {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a time zone"),
            "`UTC` or a name of the IANA database, such as \"Europe/Berlin\"",
        ))
    }
}

text_value!(
    TimeZone,
    "^(UTC|[A-Z][a-z]+/[A-Za-z0-9_+/-]+)$",
    "Europe/Berlin",
    "A time zone of the IANA database."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_fields_are_those_of_application_auto_scaling() {
        let checked =
            |text: &str| text.parse::<CronFields>().map(|cron| cron.expression()).map_err(|e| e.problem);
        assert_eq!(checked("0 7 ? * MON-FRI *"), Ok("cron(0 7 ? * MON-FRI *)".to_owned()));
        assert!(checked("0/15 8-18 ? JAN,JUN 2#1 2026-2030").is_ok());
        assert!(checked("0 22 L * ? *").is_ok());
        assert_eq!(checked("0 7 * * *"), Err("\"0 7 * * *\" has 5 fields".to_owned()));
        assert_eq!(checked("0 24 ? * MON *"), Err("\"24\" is not a value for hours".to_owned()));
        assert!(checked("0 7 * * MON *").is_err_and(|problem| problem.starts_with("exactly one")));
        assert!(checked("0 7 ? * MON-FRI *)").is_err());
        assert!(checked("0/0 7 ? * MON *").is_err());
    }

    #[test]
    fn time_zones_have_the_shape_of_the_iana_database() {
        for zone in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert!(zone.parse::<TimeZone>().is_ok(), "{zone}");
        }
        for zone in ["Berlin", "CET", "Europe/", "Europe/Ber lin", ""] {
            assert!(zone.parse::<TimeZone>().is_err(), "{zone}");
        }
    }
}
