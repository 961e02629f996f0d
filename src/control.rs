//! Controls: what a module has to show for requirements of PCI DSS, each a function over it.
//!
//! A control judges the configuration that is generated, and neither what runs nor what people do: that stands beside each
//! as what it does not show. Which controls there are is one list ([`rows`]); what each is about, and how far the module
//! answers it, is data ([`requirements`]). `txnr check` and the tests read both.

mod basis;
mod list;
mod platform;
mod report;
mod requirements;
mod verdict;

pub use basis::{Basis, found};
pub use list::{Left, Met, Row, Store, Weaker, rows};
pub use platform::{Outcome, Platform, Resource};
pub use report::{About, json, markdown, sarif, text};
pub use requirements::{Requirement, requirements};
pub use verdict::{Judged, Verdict, faults, judge};
