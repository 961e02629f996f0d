//! The log of a service.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::answer::{Event, shown, time};
use super::call::Call;
use crate::config::{EnvConfig, Invalid, Workload};
use crate::names::LogGroup;

/// A time that has passed, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ago(i64);

/// The units in which one is written, in seconds.
const UNITS: [(char, i64); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];

impl FromStr for Ago {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let milliseconds = || {
            let unit = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
            let number = text.strip_suffix(unit.0)?;
            // At most a thousand years; without a sign.
            let number: u32 = number.parse().ok().filter(|_| number.bytes().all(|b| b.is_ascii_digit()))?;
            i64::from(number).checked_mul(unit.1).filter(|seconds| *seconds <= 31_536_000_000)
        };
        milliseconds().map(|seconds| Self(seconds * 1_000)).ok_or_else(|| {
            Invalid::new(
                format!("{text:?} is no length of time"),
                "a number of seconds, minutes, hours or days, such as 90s, 15m, 1h or 7d",
            )
        })
    }
}

impl Ago {
    /// The time then, in milliseconds since 1970.
    #[must_use]
    pub fn before(self, now: i64) -> i64 {
        (now - self.0).max(0)
    }
}

/// How many events are asked for at once.
const PAGE: &str = "1000";

/// Asks for the events of a service's log from a time on, in milliseconds since 1970.
#[must_use]
pub fn events(config: &EnvConfig, workload: Workload<'_>, from: i64, filter: Option<&str>) -> Call {
    let call = Call::new(&config.region, ["logs", "filter-log-events"])
        .with("--log-group-name", &LogGroup::of(workload).name(config))
        .with("--start-time", &from.to_string());
    let call = filter.into_iter().fold(call, |call, filter| call.with("--filter-pattern", filter));
    call.with("--max-items", PAGE).with("--output", "json")
}

/// The same, where the answer before ended.
#[must_use]
pub fn further(call: Call, token: &str) -> Call {
    call.with("--starting-token", token)
}

/// How far back a log that is followed is asked for again, in milliseconds: events of several streams do not arrive in the order
/// of their times.
const OVERLAP: i64 = 10_000;

/// What of a log was shown lately.
#[derive(Debug, Default)]
pub struct Shown {
    lately: BTreeMap<String, i64>,
    newest: i64,
}

impl Shown {
    /// Whether an event was not shown before; it is from then on.
    pub fn is_new(&mut self, event: &Event) -> bool {
        self.newest = self.newest.max(event.timestamp);
        self.lately.insert(event.event_id.clone(), event.timestamp).is_none()
    }

    /// From where on the log is asked for again. What is older is forgotten.
    pub fn go_on(&mut self, from: i64) -> i64 {
        let from = from.max(self.newest - OVERLAP);
        self.lately.retain(|_, timestamp| *timestamp >= from);
        from
    }
}

/// An event as a line: time, task, message. What further lines the message has are set in.
#[must_use]
pub fn line(event: &Event) -> String {
    let task = event.log_stream_name.rsplit('/').next().unwrap_or_default();
    let message: Vec<String> = event.message.trim_end().lines().map(shown).collect();
    format!("{} {} {}\n", time(event.timestamp), shown(task), message.join("\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, timestamp: i64, message: &str) -> Event {
        Event {
            event_id: id.to_owned(),
            log_stream_name: "ecs/api/0123456789abcdef".to_owned(),
            timestamp,
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_length_of_time_has_one_unit() {
        let ago = |text: &str| text.parse::<Ago>().map(|ago| ago.before(1_000_000_000)).ok();
        assert_eq!(ago("90s"), Some(999_910_000));
        assert_eq!(ago("15m"), Some(999_100_000));
        assert_eq!(ago("2h"), Some(992_800_000));
        assert_eq!(ago("1d"), Some(913_600_000));
        assert_eq!(ago("100d"), Some(0));
        for text in
            ["", "1", "h", "-1h", "+1h", "1.5h", "1h30m", "1 h", "1w", "99999999999d", "4000000d", "1\u{e9}"]
        {
            assert!(text.parse::<Ago>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_is_one_event_whatever_the_message_holds() {
        let said = line(&event("1", 1_764_555_600_123, "failed\r\n  at \u{1b}[31mx\n"));
        assert_eq!(said, "2025-12-01T02:20:00.123Z 0123456789abcdef failed\n      at \u{fffd}[31mx\n");
        assert_eq!(line(&event("1", 0, "")), "1970-01-01T00:00:00.000Z 0123456789abcdef \n");
    }

    #[test]
    fn an_event_that_arrives_late_is_shown_once() {
        let mut shown = Shown::default();
        assert!(shown.is_new(&event("a", 50_000, "")));
        assert_eq!(shown.go_on(0), 40_000);
        assert!(!shown.is_new(&event("a", 50_000, "")));
        assert!(shown.is_new(&event("late", 45_000, "")));
        assert!(shown.is_new(&event("b", 60_000, "")));
        // What is no longer asked for is not remembered either.
        assert_eq!(shown.go_on(40_000), 50_000);
        assert_eq!(shown.lately.len(), 2);
        assert_eq!(shown.go_on(70_000), 70_000, "never from before it began");
    }

    #[test]
    fn each_service_has_a_log_of_its_own() {
        let config = EnvConfig::for_test(
            "[services.portal]\ncontainer_port = 8080\nhosts = [\"portal.example.com\"]\n",
        );
        let groups: Vec<String> = config
            .workloads()
            .map(|workload| events(&config, workload, 7, Some("ERROR")).to_string())
            .collect();
        assert!(
            groups[0].contains(
                "--log-group-name /txn-reconcile/test/service --start-time 7 --filter-pattern ERROR"
            ),
            "{groups:?}"
        );
        assert!(groups[1].contains("--log-group-name /txn-reconcile/test/services/portal "), "{groups:?}");
    }
}
