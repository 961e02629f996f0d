//! Names: the hosted zone that the service's name stands in, and which names are looked up from within the VPC.

mod firewall;
mod zone;

pub use firewall::build as firewall;
pub use zone::{Zone, build as zone};
