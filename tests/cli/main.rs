//! The command as its users meet it: the real binary in a folder of its own.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod check;
mod cost;
mod diff;
mod findings;
mod help;
mod kill;
mod operate;
mod output;
mod plans;
mod project;
mod reach;
mod synth;
