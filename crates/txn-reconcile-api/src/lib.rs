//! Transaction reconciliation.
pub mod calendar;
pub mod currency;
pub mod date;
pub mod entry;
pub mod hash;
pub mod money;
pub mod pan;
