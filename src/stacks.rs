//! The stacks: one file each, opinionated and secure by default, above the generated bindings.
//!
//! A stack is a function from the environment and the outputs of earlier stacks to its own outputs; it adds
//! typed blocks to its part of the module and hands their handles on. It does no I/O, reads no clock and no
//! randomness. `crate::synth` calls them in the order of their inputs, which is the order below.

pub mod alarms;
pub mod alb;
pub mod backup;
pub mod data;
pub mod deploy;
pub mod detect;
pub mod dns;
pub mod ecr;
pub mod ecs;
pub mod external;
pub mod iam;
pub mod kms;
pub mod logs;
pub mod moves;
pub mod network;
pub mod per_service;
mod role;
pub mod secrets;
pub mod storage;
pub mod topics;
pub mod waf;

#[cfg(test)]
pub(crate) mod probe;

/// The providers of further regions, where the environment works in some.
pub struct Providers {
    /// The recovery region's.
    pub recovery: Option<terraform::ProviderRef>,
    /// Route 53's own region's, where the zone is made here and the environment lies elsewhere.
    pub zone: Option<terraform::ProviderRef>,
}
