//! Transaction reconciliation: statements and ledgers in, matches and explained breaks out.
//!
//! The crate is a pure library with a thin command around it. [`formats`] turns the bytes of a file into entries
//! ([`entry`]), [`rules`] says how the two sides are matched, and [`engine`] matches them. None of the three does I/O,
//! reads a clock or depends on the order of its input.

pub mod calendar;
pub mod cli;
pub mod currency;
pub mod date;
pub mod engine;
pub mod entry;
pub mod formats;
pub mod hash;
pub mod money;
mod object;
pub mod pan;
pub mod report;
pub mod rules;
pub mod service;
