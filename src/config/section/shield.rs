//! `[shield]`: Shield Advanced.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shield Advanced against denial of service, for an account that is subscribed to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shield {
    /// Whether the account is subscribed to Shield Advanced, so that load balancer, NAT addresses and hosted zone are
    /// protected. txnr never subscribes: that binds the organization for a year at 3000 USD a month
    /// (<https://aws.amazon.com/shield/pricing/>). Partition aws only.
    pub subscribed: bool,
    /// Whether AWS's response team may look at the web ACL and mend it during an attack; set by the environment that
    /// owns the account's baseline. Why not by default: it takes a Business or Enterprise support plan.
    pub response_team: bool,
}
