//! `txnr cost`: what an environment costs before anybody uses it.

use super::output::data;
use super::{EnvsFolder, Failure};
use crate::check;
use crate::cost::{self, Bill, Prices};
use crate::exit;
use crate::synth::synth;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};
use terraform::query::View;

/// Lists what of an environment is billed by the hour or month, whether it is used or not
///
/// How many of what stand in which stack, and what they are for, read from the module as it would be synthesized. With a file
/// of prices, what they cost in a month. What is billed by use is named, and has no sum.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Cost {
    /// The environment
    #[arg(long = "env", value_name = "NAME", required_unless_present = "schema")]
    name: Option<String>,

    #[command(flatten)]
    envs: EnvsFolder,

    /// What one of each costs in the environment's region, such as docs/prices/us-east-1.toml
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    prices: Option<PathBuf>,

    /// Print it as JSON, with the address of each resource
    #[arg(long)]
    json: bool,

    /// Print the JSON Schema of files of prices instead
    #[arg(long, conflicts_with_all = ["name", "prices", "json"])]
    schema: bool,
}

const EXAMPLES: &str = "Examples:
  txnr cost --env prod
  txnr cost --env prod --prices docs/prices/us-east-1.toml
  txnr cost --env prod --json | jq '.lines[] | select(.key == \"interface-endpoint\")'
  txnr cost --schema > docs/prices/schema.json";

impl Cost {
    pub(super) fn run(self) -> Result<(), Failure> {
        if self.schema {
            return Ok(data(cost::schema().as_bytes())?);
        }
        let Some(name) = self.name else { return Ok(()) };
        let loaded = check::load_some(&self.envs.folder, &[name])?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let config = &environment.config;
        let bill = Bill::of(&View::of_root(&synth(config)?));
        let prices = self.prices.as_deref().map(|path| read(path, &bill.region)).transpose()?;
        let render = if self.json { cost::json } else { cost::text };
        Ok(data(render(&bill, config.name.as_str(), prices.as_ref()).as_bytes())?)
    }
}

fn read(path: &Path, region: &str) -> Result<Prices, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(
            exit::CANNOT_READ,
            format!("cannot read {}: {error}", path.display()),
            "a file of prices, whose form `txnr cost --schema` tells",
        )
    })?;
    Prices::read(path, &text, region).map_err(|report| Failure::mistakes(report, "file of prices"))
}
