//! `txnr schema`: what an environment file may hold.

use super::Failure;
use super::output::data;
use crate::config::schema;
use clap::Args;

/// Prints the JSON Schema of environment files
///
/// Editors complete and check environment files with it; envs/schema.json is its checked-in copy.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Schema {
    /// Print the reference of every key, type, default and reason instead, as Markdown
    #[arg(long)]
    markdown: bool,
}

const EXAMPLES: &str = "Examples:
  txnr schema > envs/schema.json
  txnr schema --markdown > docs/configuration.md";

impl Schema {
    pub(super) fn run(self) -> Result<(), Failure> {
        let text = if self.markdown { schema::markdown() } else { schema::json() };
        Ok(data(text.as_bytes())?)
    }
}
