//! Environment files: what is right loads, what is wrong is explained, and nothing panics.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod any_text;
#[path = "../support/environments.rs"]
mod environments;
mod generated_files;
mod mistakes;
mod resolved;
mod variants;
