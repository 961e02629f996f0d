//! What an alarm is: the one table of alarms as data, and how one of them becomes resources.

pub mod document;
mod metric;
mod notice;
pub mod rule;
pub mod table;
mod topics;

pub use metric::{Alarm, Bad, Composite, Measure, Metric, Missing};
pub use notice::Notice;
pub use table::Entry;
pub use topics::Topics;
