//! `[dns]`: names, asked for and answered.

use crate::config::value::{CertificateName, HostedZoneId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The zone that the service's name stands in, and the names that may be looked up from within the VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// The id of the zone that `domain` is entered into, where its name alone does not tell it from another. None: the
    /// zone is looked up by the name under `hosted_zone`.
    pub hosted_zone_id: Option<HostedZoneId>,
    /// The only names outside AWS that may be looked up from within the VPC, `*.example.com` for all below one: Route 53
    /// Resolver's DNS Firewall answers every other with nothing, so that a task cannot carry data out in queries (PCI
    /// 1.3.2). AWS's own names are always answered. None: every name is looked up.
    pub allowed_names: Vec<CertificateName>,
}
