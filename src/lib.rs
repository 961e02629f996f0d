//! txnr synthesizes Terraform JSON for a PCI DSS Level 1 service on AWS ECS Fargate: environment files in, one root
//! module per environment out.

pub mod alarm;
pub mod bootstrap;
pub mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod cost;
pub mod emit;
pub mod exit;
pub mod findings;
pub mod held;
pub mod inventory;
mod json_schema;
pub mod names;
pub mod operate;
pub mod plan;
pub mod project;
pub mod reach;
pub mod review;
pub mod stacks;
pub mod synth;
pub mod traffic;
