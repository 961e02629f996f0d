//! The day, for what is judged by one: the only place that looks at a clock.

use crate::config::Date;
use std::time::{SystemTime, UNIX_EPOCH};

/// Today, in UTC.
pub(super) fn today() -> Date {
    Date::of_days_since_1970(u32::try_from(now() / 86_400_000).unwrap_or_default())
}

/// Now, in milliseconds since 1970, in UTC.
pub(super) fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "a command that judges days or looks back begins with now")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}
