//! `[[acknowledged]]`: consequences of a change that somebody has accepted.

use crate::config::value::{Consequence, Date, ResourceAddress, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A consequence of a change that is meant. `txnr diff` shows it with the reason, and `--fail-on` lets it pass: this one, of
/// this resource, until the day is over. Take it out once the change is merged: where nothing needs it, `--fail-on` fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// Which consequence, as `txnr diff` names it.
    pub consequence: Consequence,
    /// The resource that it is told of, as `txnr diff` shows it.
    pub address: ResourceAddress,
    /// Why it is meant, and who says so.
    pub reason: RuleReason,
    /// The last day on which it counts.
    pub expires: Date,
}
