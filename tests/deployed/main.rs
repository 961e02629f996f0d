//! The proof that the service runs as it is deployed: the real program, started with exactly what the synthesized task
//! definition gives its container, against real engines.
//!
//! What AWS alone could know is read from the synthesized module: names of tables and buckets, addresses. What cannot be
//! had here is stood in for, and nothing else: [`task`] and [`engines`] name each stand-in where it is made.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests wait by the clock; the rule is for synthesis")]

mod boot;
mod calls;
mod engines;
mod files;
mod fuzz;
mod http;
mod image;
mod laptop;
#[path = "../../crates/txn-reconcile-api/tests/service/needs.rs"]
mod needs;
mod policy;
#[path = "../../crates/txn-reconcile-api/tests/service/postgres.rs"]
mod postgres;
mod program;
mod recorder;
mod replicas;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "shared with the end-to-end tests, which use the rest")]
mod support;
mod task;
