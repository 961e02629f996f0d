//! Every name and ARN that follows from an environment's configuration alone.
//!
//! A policy has to name things that do not exist yet: the key's policy names log groups and topics, a secret's policy
//! the role that reads it. Such names stand here, below all stacks, so that no stack knows a later one.

pub mod alarm_topic;
pub mod cluster;
pub mod database;
pub mod export;
pub mod log_group;
pub mod queue;
pub mod role;
pub mod trail;

pub use alarm_topic::Topic;
pub use log_group::LogGroup;
