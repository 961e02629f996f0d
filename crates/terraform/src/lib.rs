//! Terraform as data.
