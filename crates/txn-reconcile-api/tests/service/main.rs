//! The service as a whole: the three stores under one suite, the API over each of them, faults and crashes.

mod api;
mod backends;
mod conformance;
mod simulation;
