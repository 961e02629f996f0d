//! `[[deviations]]`: controls that are not met, for a time, and what is done instead.

use crate::config::value::{ControlNumber, Date, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A control of docs/pci.md that the environment does not meet, on purpose and until a day. `txnr check` still calls it
/// violated, and fails once the day is over, or once nothing is violated any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// The control, by its number in docs/pci.md, such as `R098`.
    pub control: ControlNumber,
    /// Who answers for it.
    pub owner: RuleReason,
    /// Why it cannot be met.
    pub reason: RuleReason,
    /// What is done instead.
    pub compensating: RuleReason,
    /// Who approved it; somebody other than the owner.
    pub approver: RuleReason,
    /// The last day on which it holds.
    pub expires: Date,
}
