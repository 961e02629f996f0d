//! `txnr bootstrap`: writes what must exist before the first `init`.

use super::modules::{self, Fate, Module};
use super::output::say;
use super::{EnvsFolder, Failure};
use crate::bootstrap::{self, Account, Disagreement, OwnState};
use crate::check;
use crate::config::load::Loaded;
use crate::exit;
use clap::{ArgGroup, Args};
use std::path::PathBuf;

/// Writes the small root modules that must exist before the first `terraform init`
///
/// One module per account, for all of its environments: the bucket, key and lock table of the state, and the roles with
/// which the workflows of the repository under [github] plan and apply. It is applied by hand, with its own state in a
/// file at first and, once written with --own-state bucket, in the bucket that it has made.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("which").required(true).multiple(true))]
pub(super) struct Bootstrap {
    /// Write the module of this environment's account (repeatable)
    #[arg(long = "env", value_name = "NAME", group = "which")]
    names: Vec<String>,

    /// Write the module of every account
    #[arg(long, group = "which", conflicts_with = "names")]
    all: bool,

    #[command(flatten)]
    envs: EnvsFolder,

    /// The folder to write to: one folder per account is made in it
    #[arg(long, value_name = "DIR", default_value = "bootstrap", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,

    /// Where the module keeps its own state
    #[arg(long, value_enum, default_value_t = Place::File)]
    own_state: Place,

    #[command(flatten)]
    fate: Fate,
}

/// Where the module keeps its own state.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Place {
    /// In a file beside the module, until the bucket exists
    File,
    /// In the bucket that the module makes
    Bucket,
}

const EXAMPLES: &str = "Examples:
  txnr bootstrap --env prod                       to bootstrap/<account>; apply it with an administrator's rights
  txnr bootstrap --env prod --own-state bucket    afterwards, then `terraform init -migrate-state`
  txnr bootstrap --all --own-state bucket --check";

impl Bootstrap {
    pub(super) fn run(self) -> Result<(), Failure> {
        let warnings = self.warnings()?;
        if !warnings.is_empty() {
            say(warnings);
        }
        // An account's module is about all of its environments, whichever is named.
        let Loaded { environments, .. } = check::load_all(&self.envs.folder)?;
        let accounts = bootstrap::accounts(environments.iter().map(|environment| &environment.config))?;
        let mut modules = Vec::with_capacity(accounts.len());
        for account in accounts.iter().filter(|account| self.wants(account)) {
            let root = bootstrap::build(account, self.own_state.into())?;
            let files = root.render(&bootstrap::comment(account)).into_iter().collect();
            modules.push(Module { name: account.name(), files });
        }
        if self.fate.stdout {
            modules::print(&modules)
        } else if self.fate.check {
            modules::compare("bootstrap", &self.out, &modules, Vec::new())
        } else {
            self.fate.write(&self.out, &modules)
        }
    }

    /// The warnings of the environments that are asked for, which must exist.
    fn warnings(&self) -> Result<crate::config::report::Report, Failure> {
        let loaded = if self.all {
            check::load_all(&self.envs.folder)?
        } else {
            check::load_some(&self.envs.folder, &self.names)?
        };
        Ok(loaded.warnings)
    }

    fn wants(&self, account: &Account<'_>) -> bool {
        let named = |name: &str| self.names.iter().any(|wanted| wanted == name);
        self.all || account.environments().iter().any(|environment| named(environment.name.as_str()))
    }
}

impl From<Place> for OwnState {
    fn from(place: Place) -> Self {
        match place {
            Place::File => Self::Local,
            Place::Bucket => Self::Bucket,
        }
    }
}

impl From<Disagreement> for Failure {
    fn from(disagreement: Disagreement) -> Self {
        Self::new(exit::INVALID, disagreement, "the same values in every environment of an account")
    }
}
