//! Typed AWS bindings.
#[rustfmt::skip]
mod generated;
pub use generated::kinds as kind;
pub use generated::*;
/// docs
pub mod document {}
