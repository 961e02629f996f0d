//! The service as a whole: the three stores under one suite, the API over each of them, faults and crashes.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod api;
mod audit;
mod backends;
mod bodies;
mod calls;
mod cards;
mod carry;
mod clients;
mod conformance;
#[cfg(target_os = "linux")]
mod disk;
mod edges;
mod exports;
mod faults;
mod flood;
mod four_eyes;
mod frozen;
mod grants;
mod issuer;
mod keeping;
mod launch;
mod lists;
mod outage;
mod process;
mod promises;
mod queue;
mod readme;
mod restored;
mod simulation;
mod tls;
mod tokens;
mod traces;
mod turns;
mod versions;
