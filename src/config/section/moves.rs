//! `[[moved]]` and `[[removed]]`: addresses that change, and what becomes of what stood there.

use crate::config::value::{ResourceAddress, RuleReason};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A resource whose address in the state changes: Terraform renames it there, and nothing is destroyed or created.
/// <https://developer.hashicorp.com/terraform/language/moved>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MovedResource {
    /// The address that it had.
    pub from: ResourceAddress,
    /// The address that it has now, in the generated module.
    pub to: ResourceAddress,
    /// Why the address changes.
    pub reason: RuleReason,
}

/// A resource that the module no longer has. Without such a line, `txnr synth` refuses to let go of an address that holds
/// data, for Terraform would destroy it. <https://developer.hashicorp.com/terraform/language/resources/syntax#removing-resources>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovedResource {
    /// The address that it had.
    pub address: ResourceAddress,
    /// True: it is destroyed, with its data. False: it stays in the account, and Terraform forgets it.
    pub destroy: bool,
    /// Why the module has it no more.
    pub reason: RuleReason,
}
