//! `txnr synth`: writes the root modules of environments.

use super::output::{data, say};
use super::{EnvsFolder, Failure};
use crate::config::load::{self, Environment, Loaded};
use crate::emit::{self, Difference, Existing};
use crate::exit;
use crate::synth::{Rendered, render};
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

    /// Write nothing; fail if a file is not what would be written, and say which
    #[arg(long, conflicts_with = "stdout")]
    check: bool,

    /// Print one JSON object, from path to contents, and write nothing
    #[arg(long)]
    stdout: bool,

    /// Overwrite files of the same name that txnr did not write
    #[arg(long, conflicts_with_all = ["check", "stdout"])]
    force: bool,
}

const EXAMPLES: &str = "Examples:
  txnr synth --all                       every environment, to out/<name>
  txnr synth --env dev --env stage       two of them
  txnr synth --all --check               in a pipeline: is what is checked in up to date?
  txnr synth --env prod --stdout | jq 'keys'";

/// An environment and its root module.
struct Module {
    environment: Environment,
    files: Rendered,
}

impl Synth {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Loaded { environments, warnings } = if self.all {
            load::load_all(&self.envs.folder)?
        } else {
            load::load_some(&self.envs.folder, &self.names)?
        };
        if !warnings.is_empty() {
            say(warnings);
        }
        let mut modules = Vec::with_capacity(environments.len());
        for environment in environments {
            let files = render(&environment.config)?;
            modules.push(Module { environment, files });
        }
        if self.stdout {
            print(&modules)
        } else if self.check {
            self.say_left_over(&modules)?;
            self.compare(&modules)
        } else {
            self.write(&modules)?;
            self.say_left_over(&modules)
        }
    }

    /// Names the output of environments whose files are gone. It stays: it may be all that is left to destroy them with.
    fn say_left_over(&self, modules: &[Module]) -> Result<(), Failure> {
        if !self.all {
            return Ok(());
        }
        let names: Vec<&str> = modules.iter().map(|module| module.environment.config.name.as_str()).collect();
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

    fn write(&self, modules: &[Module]) -> Result<(), Failure> {
        let existing = if self.force { Existing::Overwrite } else { Existing::Refuse };
        let out =
            emit::Output::lock(&self.out, || say("waiting for another txnr that writes to this folder"))?;
        for module in modules {
            let name = module.environment.config.name.as_str();
            let differences = out.write(name, &module.files, existing)?;
            let files = module.files.len();
            let changed = match differences.len() {
                0 => "unchanged".to_owned(),
                count => format!("{count} changed"),
            };
            say(format_args!("{name}: {files} files in {}, {changed}", self.out.join(name).display()));
        }
        Ok(())
    }

    fn compare(&self, modules: &[Module]) -> Result<(), Failure> {
        let mut stale = Vec::new();
        for module in modules {
            let name = module.environment.config.name.as_str();
            let differences = emit::compare(&self.out, name, &module.files)?;
            let folder = self.out.join(name);
            stale.extend(
                differences
                    .into_iter()
                    .map(|Difference { file, kind }| format!("{}: {kind}", folder.join(file).display())),
            );
        }
        if stale.is_empty() {
            return Ok(());
        }
        for line in &stale {
            say(line);
        }
        let files = if stale.len() == 1 { "file is" } else { "files are" };
        Err(Failure::new(
            exit::OUT_OF_DATE,
            format!("{} {files} not what `txnr synth` would write", stale.len()),
            "run `txnr synth` with the same arguments, without `--check`",
        ))
    }
}

/// One JSON object from path to contents. The contents are JSON already and are copied as they are.
fn print(modules: &[Module]) -> Result<(), Failure> {
    let mut json = String::from("{");
    let mut separator = "\n";
    for module in modules {
        for (file, contents) in &module.files {
            json.push_str(separator);
            json.push_str(&format!("\"{}/{file}\": {}", module.environment.config.name, contents.trim_end()));
            separator = ",\n";
        }
    }
    json.push_str("\n}\n");
    Ok(data(json.as_bytes())?)
}
