//! Facts on which the infrastructure and the service must agree. This crate has no dependencies.
