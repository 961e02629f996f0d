//! What an environment costs before anybody uses it: what AWS bills by the hour or by the month, read from the module as
//! Terraform reads it, and turned into money by a file of prices. What is billed by use is named, without a sum.

mod bill;
mod kinds;
mod meter;
mod money;
mod prices;
mod report;

pub use bill::{Bill, Line, Resource, Unread, Use};
pub use meter::{Meter, Per};
pub use money::{Amount, Quantity};
pub use prices::{Price, Prices, schema};
pub use report::{json, text};
