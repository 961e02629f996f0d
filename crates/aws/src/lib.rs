//! Typed AWS, for the Terraform model.
//!
//! The bindings of resources, data sources and ephemeral resources are generated from the provider's own
//! schema by `cargo xtask bindings`; [`kind`] holds the kinds of identifiers that keep a key id apart from a
//! VPC id. Written by hand, and typed as well, are the JSON documents that some arguments carry: see
//! [`document`]; and the rules of a web ACL: see [`waf`]. [`schema`] is what the provider says of itself.

pub mod document;
#[rustfmt::skip]
mod generated;
pub mod facts;
pub mod guardduty;
pub mod managed;
pub mod power;
pub mod schema;
pub mod waf;

pub use generated::kinds as kind;
pub use generated::*;
