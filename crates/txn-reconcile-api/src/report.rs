//! What people and programs read of an outcome: a summary for controllers, and matches and breaks as tables.

pub mod balances;
pub mod csv;
pub mod html;
pub mod json;
pub mod migration;
#[cfg(feature = "parquet")]
pub mod parquet;
mod summary;
pub mod table;

pub use summary::summary;
