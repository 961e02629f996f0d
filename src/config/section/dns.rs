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
    /// Whether the zone named under `hosted_zone` is made here rather than looked up, with its queries logged (PCI
    /// 10.4.2). Why not by default: other names of the organization often live in it. A zone answers nothing until its
    /// parent delegates to the name servers in the output `name_servers`. Only in the partition aws: the others have no
    /// log of public queries.
    pub create_zone: bool,
    /// Whether answers from the zone are signed, so that nobody can forge one (DNSSEC). Why not by default: until the
    /// parent has the output `ds_record` it protects nothing, and if the zone is ever taken away before that record the
    /// domain is gone from the internet. For a zone that is made here alone.
    pub dnssec: bool,
    /// The only names outside AWS that may be looked up from within the VPC, `*.example.com` for all below one: Route
    /// 53 Resolver's DNS Firewall answers every other with nothing, so that a task cannot carry data out in queries
    /// (PCI 1.3.2). AWS's own names are always answered. Where none is named, every name is looked up.
    pub allowed_names: Vec<CertificateName>,
}
