//! The data stores: tables in DynamoDB, as the contract lists them, and PostgreSQL in RDS.
//!
//! Which one the service uses is one key of the environment file. Both may be there at once, while records move from
//! one to the other; the service may reach the one alone that it uses.

mod dynamodb;
mod postgres;

use terraform::{ProviderRef, Stack};

pub use dynamodb::Tables;
pub use postgres::{Database, subscribe};

use super::{kms, logs, network};
use crate::config::EnvConfig;

/// The data stores.
pub struct Outputs {
    /// The tables in DynamoDB, if there are any.
    pub dynamodb: Option<Tables>,
    /// PostgreSQL in RDS, if there is one.
    pub postgres: Option<Database>,
}

/// What the data stores stand on.
pub struct Inputs<'a> {
    /// The keys.
    pub keys: &'a kms::Outputs,
    /// The log groups.
    pub logs: &'a logs::Outputs,
    /// The network.
    pub network: &'a network::Outputs,
    /// The provider of the recovery region, if there is one.
    pub recovery: Option<&'a ProviderRef>,
}

/// Builds the data stores.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, inputs: &Inputs<'_>) -> Outputs {
    let data = &config.data;
    Outputs {
        dynamodb: data.dynamodb.as_ref().map(|engine| dynamodb::build(stack, config, engine, inputs)),
        postgres: data
            .postgres
            .as_ref()
            .zip(inputs.network.database_security_group.as_ref())
            .map(|(engine, group)| postgres::build(stack, config, engine, group, inputs)),
    }
}

#[cfg(test)]
mod tests;
