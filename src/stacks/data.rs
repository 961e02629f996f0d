//! The data stores: tables in DynamoDB, as the contract lists them.
//!
//! Which one the service uses is one key of the environment file. Both may be there at once, while records move from
//! one to the other; the service may reach the one alone that it uses.

mod dynamodb;

use terraform::Stack;

pub use dynamodb::Tables;

use super::kms;
use crate::config::EnvConfig;

/// The data stores.
pub struct Outputs {
    /// The tables in DynamoDB, if there are any.
    pub dynamodb: Option<Tables>,
}

/// Builds the data stores.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, keys: &kms::Outputs) -> Outputs {
    let dynamodb = config.data.dynamodb.as_ref().map(|engine| dynamodb::build(stack, config, engine, keys));
    Outputs { dynamodb }
}

#[cfg(test)]
mod tests;
