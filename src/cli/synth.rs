//! `txnr synth`: writes the root modules of environments.

use super::modules::{self, Fate, Module};
use super::output::say;
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::load::Loaded;
use crate::emit;
use crate::synth::render;
use clap::{ArgGroup, Args};
use std::path::PathBuf;

/// Writes the Terraform root modules of environments
///
/// One folder per environment, one *.tf.json file per stack in it. A run that is killed leaves the old files or the
/// new ones, and files that txnr did not write are never touched.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("which").required(true).multiple(true))]
pub(super) struct Synth {
    /// Synthesize this environment (repeatable)
    #[arg(long = "env", value_name = "NAME", group = "which")]
    names: Vec<String>,

    /// Synthesize every environment of the folder
    #[arg(long, group = "which", conflicts_with = "names")]
    all: bool,

    #[command(flatten)]
    envs: EnvsFolder,

    /// The folder to write to: one folder per environment is made in it
    #[arg(long, value_name = "DIR", default_value = "out", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,

    #[command(flatten)]
    fate: Fate,
}

const EXAMPLES: &str = "Examples:
  txnr synth --all                       every environment, to out/<name>
  txnr synth --env dev --env stage       two of them
  txnr synth --all --check               in a pipeline: is what is checked in up to date?
  txnr synth --env prod --stdout | jq 'keys'";

impl Synth {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Loaded { environments, warnings } = if self.all {
            check::load_all(&self.envs.folder)?
        } else {
            check::load_some(&self.envs.folder, &self.names)?
        };
        if !warnings.is_empty() {
            say(warnings);
        }
        let mut modules = Vec::with_capacity(environments.len());
        for environment in environments {
            let files = render(&environment.config)?;
            modules.push(Module { name: environment.config.name.to_string(), files });
        }
        if self.fate.stdout {
            modules::print(&modules)
        } else if self.fate.check {
            self.say_left_over(&modules)?;
            modules::compare("synth", &self.out, &modules)
        } else {
            self.fate.write(&self.out, &modules)?;
            self.say_left_over(&modules)
        }
    }

    /// Names the output of environments whose files are gone. It stays: it may be all that is left to destroy them with.
    fn say_left_over(&self, modules: &[Module]) -> Result<(), Failure> {
        if !self.all {
            return Ok(());
        }
        let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
        for name in emit::left_over(&self.out, &names)? {
            let file = self.envs.folder.join(format!("{name}.toml"));
            let folder = self.out.join(&name);
            say(format_args!(
                "{name}: {} is left over, for there is no {}; remove it when what it describes is destroyed",
                folder.display(),
                file.display()
            ));
        }
        Ok(())
    }
}
