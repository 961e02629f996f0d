//! `txnr completions`: completions for a shell.

use super::output::data;
use super::{Cli, Failure};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Prints completions for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "Examples:
  txnr completions bash > ~/.local/share/bash-completion/completions/txnr
  txnr completions zsh > ~/.zfunc/_txnr
  txnr completions fish > ~/.config/fish/completions/txnr.fish";

impl Completions {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "txnr", &mut script);
        Ok(data(&script)?)
    }
}
