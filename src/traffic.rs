//! Traffic as sets: addresses, ports and protocols as intervals, and where a module writes down what security groups let
//! pass. Reviews compare such sets, reachability follows them.

pub mod address;
pub mod cuboid;
pub mod groups;
pub mod protocol;

pub use address::Range;
pub use cuboid::{Cuboid, Set, Span};

/// The last port.
pub const PORT_MAX: u32 = 65_535;
