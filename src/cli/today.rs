//! The day, for what is judged by one: the only place that looks at a clock.

use crate::config::Date;
use std::time::{SystemTime, UNIX_EPOCH};

/// Today, in UTC.
pub(super) fn today() -> Date {
    #[expect(clippy::disallowed_methods, reason = "a command that judges days begins with today's")]
    let now = SystemTime::now();
    let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    Date::of_days_since_1970(u32::try_from(seconds / 86_400).unwrap_or_default())
}
