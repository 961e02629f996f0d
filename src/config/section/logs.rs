//! `[logs]`: CloudWatch log groups.

use crate::config::value::RetentionDays;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The log groups, all encrypted with the key for logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Logs {
    /// Days that log groups keep their events, one of CloudWatch's values. Why the default: PCI 10.5.1 asks for twelve
    /// months, and 365 days fall short of them in a leap year. In production no fewer than 365.
    pub retention_days: RetentionDays,
    /// Whether log groups are exported to the immutable audit bucket (PCI 10.3.3). In production they always are: a
    /// copy that an administrator of the log groups cannot alter.
    pub export: bool,
}

impl Default for Logs {
    fn default() -> Self {
        Self { retention_days: RetentionDays::THIRTEEN_MONTHS, export: true }
    }
}
