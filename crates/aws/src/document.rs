//! JSON documents in string arguments, typed: no stack writes raw JSON.

pub mod conformance_pack;
pub mod container;
pub mod dashboard;
pub mod data_protection;
pub mod event_pattern;
pub mod lifecycle;
pub mod policy;
