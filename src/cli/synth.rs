//! `txnr synth`: writes the root modules of environments.

use super::modules::{self, Fate, Module};
use super::output::say;
use super::{EnvsFolder, Failure};
use crate::check;
use crate::config::EnvConfig;
use crate::config::load::Loaded;
use crate::emit;
use crate::exit;
use crate::held::Held;
use crate::synth::{self, comment};
use clap::{ArgGroup, Args};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes the Terraform root modules of environments
///
/// One folder per environment, one *.tf.json file per stack in it. A run that is killed leaves the old files or the
/// new ones, and files that txnr did not write are never touched.
///
/// envs/NAME.lock, where it lies, lists the addresses that hold data: tables, databases, buckets, keys, secrets, log groups.
/// A module that has one of them no more is refused, unless [[moved]] or [[removed]] in the environment file says so.
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

    /// Lay envs/NAME.lock for an environment that has none
    #[arg(long, conflicts_with_all = ["check", "stdout"])]
    lock: bool,
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
        let mut locks = Vec::with_capacity(environments.len());
        for environment in environments {
            let config = environment.config;
            let root = synth::synth(&config)?;
            let files = root.render(&comment(&config)).into_iter().collect();
            modules.push(Module { name: config.name.to_string(), files });
            locks.push(Lock::read(&self.envs.folder, config, Held::of(&root))?);
        }
        hold(&locks)?;
        if self.fate.stdout {
            modules::print(&modules)
        } else if self.fate.check {
            self.say_left_over(&modules)?;
            let stale = locks.iter().filter(|lock| lock.is_stale(false));
            let stale = stale.map(|lock| format!("{}: it lists other addresses", lock.path.display()));
            modules::compare("synth", &self.out, &modules, stale.collect())
        } else {
            self.fate.write(&self.out, &modules)?;
            for lock in &locks {
                lock.write(self.lock)?;
            }
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

/// `envs/NAME.lock`, and what the module holds now.
struct Lock {
    path: PathBuf,
    config: EnvConfig,
    listed: Option<Held>,
    built: Held,
}

impl Lock {
    fn read(envs: &Path, config: EnvConfig, built: Held) -> Result<Self, Failure> {
        let path = envs.join(format!("{}.lock", config.name));
        let unreadable = |what: &dyn std::fmt::Display| {
            let help = "bring it back as it was committed: `git checkout` of that file";
            Failure::new(exit::CANNOT_READ, format!("cannot read {}: {what}", path.display()), help)
        };
        let listed = match fs::read_to_string(&path) {
            Ok(text) => Some(Held::parse(&text).map_err(|what| unreadable(&what))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(&error)),
        };
        Ok(Self { path, config, listed, built })
    }

    fn is_stale(&self, lay: bool) -> bool {
        self.listed.as_ref().map_or(lay, |listed| *listed != self.built)
    }

    fn write(&self, lay: bool) -> Result<(), Failure> {
        if self.is_stale(lay) {
            emit::write_file(&self.path, self.built.text(self.config.name.as_str()).as_bytes())?;
            say(format_args!("wrote {}", self.path.display()));
        }
        Ok(())
    }
}

/// Fails, and names them, if addresses vanish that hold data.
fn hold(locks: &[Lock]) -> Result<(), Failure> {
    let mut count = 0;
    for Lock { path, config, listed, built } in locks {
        for (address, lost) in listed.iter().flat_map(|listed| listed.vanished(built, config)) {
            say(format_args!(
                "{}: {address} is in {}, and no longer in the module: {lost}",
                config.name,
                path.display()
            ));
            count += 1;
        }
    }
    if count == 0 {
        return Ok(());
    }
    let addresses =
        if count == 1 { "address that holds data vanishes" } else { "addresses that hold data vanish" };
    Err(Failure::new(
        exit::VANISHED,
        format!("{count} {addresses}; nothing was written"),
        "in the environment file, [[moved]] gives its new address, or [[removed]] says whether it is destroyed",
    ))
}
