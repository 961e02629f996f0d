//! How long CloudWatch Logs keeps a log group's events.

use super::Invalid;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{borrow::Cow, fmt};

/// A retention in days that CloudWatch Logs accepts; it takes these numbers and no others.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RetentionDays(u32);

impl RetentionDays {
    /// Every number of days that CloudWatch Logs accepts.
    pub const ALLOWED: [u32; 22] = [
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
        3653,
    ];

    /// Thirteen months: the shortest accepted value that keeps twelve full months at every moment.
    pub const THIRTEEN_MONTHS: Self = Self(400);

    /// The number, if CloudWatch Logs accepts it.
    ///
    /// # Errors
    /// When it does not; the error names the nearest longer retention and the whole list.
    pub fn new(days: u32) -> Result<Self, Invalid> {
        if Self::ALLOWED.contains(&days) {
            return Ok(Self(days));
        }
        let list = Self::ALLOWED.map(|d| d.to_string()).join(", ");
        let next = Self::ALLOWED.into_iter().find(|d| *d > days);
        let hint = next.map_or_else(String::new, |d| format!("{d}, the next longer one, or any of "));
        Err(Invalid::new(format!("CloudWatch Logs has no retention of {days} days"), format!("{hint}{list}")))
    }

    /// The number of days.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for RetentionDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for RetentionDays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl JsonSchema for RetentionDays {
    fn schema_name() -> Cow<'static, str> {
        "RetentionDays".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "enum": Self::ALLOWED,
            "description": "A retention in days that CloudWatch Logs accepts."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_retention_names_the_next_longer_one() {
        let refused = RetentionDays::new(366).expect_err("no such retention");
        assert!(refused.allowed.starts_with("400, the next longer one"), "{}", refused.allowed);
        assert!(RetentionDays::new(9999).expect_err("no such retention").allowed.starts_with("1, 3, 5"));
        assert!(RetentionDays::ALLOWED.into_iter().all(|days| RetentionDays::new(days).is_ok()));
    }
}
