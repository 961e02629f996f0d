//! JSON documents in string arguments, typed: no stack writes raw JSON.

pub mod container;
pub mod policy;
