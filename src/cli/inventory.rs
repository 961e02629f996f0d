//! `txnr inventory`: every resource of an environment.

use super::output::{data, say};
use super::{EnvsFolder, Failure};
use crate::check;
use crate::exit;
use crate::inventory::{self, Existing, Format};
use crate::synth::synth;
use clap::Args;
use std::fs;
use std::path::{Path, PathBuf};

/// Lists every resource of an environment: address, type, name, tags, zone, data classification, PCI scope
///
/// Without --state it lists what will exist. With it, it lists what a state or plan says. With --account as well, it
/// finds what is in the account and in no state, and prints the commands that would tag it; it runs none.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Inventory {
    /// The environment
    #[arg(long = "env", value_name = "NAME")]
    name: String,

    #[command(flatten)]
    envs: EnvsFolder,

    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Only what lacks a tag that it should have; fail if there is any
    #[arg(long)]
    untagged: bool,

    /// A state, or what `terraform show -json` prints of a state or plan (repeatable)
    #[arg(long = "state", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    states: Vec<PathBuf>,

    /// What `aws resourcegroupstaggingapi get-resources` prints: find what is in no state
    #[arg(long, value_name = "FILE", requires = "states", conflicts_with_all = ["untagged", "format"])]
    account: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  txnr inventory --env prod
  txnr inventory --env prod --format csv > inventory.csv
  terraform -chdir=out/prod show -json > state.json && txnr inventory --env prod --state state.json --untagged
  aws resourcegroupstaggingapi get-resources > account.json
  txnr inventory --env prod --state state.json --account account.json > tag.sh";

impl Inventory {
    pub(super) fn run(self) -> Result<(), Failure> {
        let loaded = check::load_some(&self.envs.folder, std::slice::from_ref(&self.name))?;
        let Some(environment) = loaded.environments.first() else { return Ok(()) };
        let config = &environment.config;
        let mut items = inventory::of(config, &synth(config)?);
        let mut existing: Vec<Existing> = Vec::new();
        for path in &self.states {
            existing.extend(inventory::read(&read(path)?).map_err(|error| unusable(path, &error))?);
        }
        if let Some(path) = &self.account {
            let found =
                inventory::untracked(&read(path)?, &existing).map_err(|error| unusable(path, &error))?;
            for resource in &found {
                let tags: Vec<String> =
                    resource.tags.iter().map(|(key, text)| format!("{key}={text}")).collect();
                say(format_args!("{} {}", resource.arn, tags.join(" ")));
            }
            say(format_args!("{} resources of the account are in no state", found.len()));
            return Ok(data(inventory::commands(config, &found).as_bytes())?);
        }
        if !self.states.is_empty() {
            items = existing.iter().map(|existing| existing.item(&items)).collect();
        }
        if self.untagged {
            items.retain(|item| !inventory::missing_tags(config, item).is_empty());
        }
        let text = inventory::render(&items, self.format).map_err(anyhow::Error::from)?;
        data(text.as_bytes())?;
        if !self.untagged || items.is_empty() {
            return Ok(());
        }
        for item in &items {
            say(format_args!("{}: lacks {}", item.address, inventory::missing_tags(config, item).join(", ")));
        }
        let help = "apply the environment's module, which sets them on whatever it makes";
        Err(Failure::new(exit::INVALID, format!("{} resources lack tags", items.len()), help))
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::new(exit::CANNOT_READ, format!("cannot read {}: {error}", path.display()), "")
}
