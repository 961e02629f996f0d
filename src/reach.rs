//! Who reaches what in a module's network: sets of addresses and ports, followed through security groups, network ACLs,
//! routes, gateways and firewalls. Nothing is sampled, and what a module does not tell is told as that.
//!
//! A place reaches another one by TCP where a connection can stand: its packets get there and the answers come back. Security
//! groups know their connections, network ACLs do not. Any other protocol reaches what one packet of it reaches.

mod answer;
mod expected;
mod filter;
mod firewall;
mod matrix;
mod network;
mod place;
mod report;
mod trace;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Path, Step};
pub use expected::{Change, changes, write};
pub use filter::Wanted;
pub use matrix::{Matrix, Named, matrix};
pub use network::Network;
pub use report::{json, proof, schema, text};
