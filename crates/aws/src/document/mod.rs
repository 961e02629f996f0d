//! JSON documents in string arguments, typed: no stack writes raw JSON.

pub mod lifecycle;
pub mod policy;
