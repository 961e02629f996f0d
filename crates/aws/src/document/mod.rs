//! JSON documents in string arguments, typed: no stack writes raw JSON.

pub mod dashboard;
pub mod event_pattern;
pub mod policy;
