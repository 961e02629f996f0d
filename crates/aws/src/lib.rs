//! Typed AWS bindings.
