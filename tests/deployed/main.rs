//! The proof that the service runs as it is deployed: the real program, started with exactly what the synthesized task
//! definition gives its container, against real engines.
//!
//! What AWS alone could know is read from the synthesized module: names of tables and buckets, addresses. What cannot be
//! had here is stood in for, and nothing else: `task` and `engines` of the test kit name each stand-in where it is made.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests wait by the clock; the rule is for synthesis")]

mod boot;
mod calls;
mod files;
mod fuzz;
mod image;
mod policy;
mod recorder;
mod replicas;
#[path = "../support/synthesized.rs"]
mod synthesized;
