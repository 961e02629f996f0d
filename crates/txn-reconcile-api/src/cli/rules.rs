//! `rules`: check a ruleset, print its schema, print the standard one.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Failure, exit, no_output};
use crate::rules::{self, Ruleset};

/// What to do with rulesets.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a ruleset and show its passes.
    Check {
        /// The ruleset.
        file: PathBuf,
    },
    /// Print the JSON Schema of rulesets.
    Schema,
    /// Print the ruleset that is used when none is given.
    Standard,
}

/// Reads a ruleset, or the standard one.
pub fn load(path: Option<&Path>) -> Result<Ruleset, Failure> {
    let Some(path) = path else {
        return rules::standard().map_err(|error| Failure::new(exit::BUG, error.to_string()));
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(exit::RULES, format!("{}: {error}", path.display())))?;
    rules::load(&text).map_err(|error| Failure::new(exit::RULES, format!("{}: {error}", path.display())))
}

pub fn run(command: &Command, out: &mut dyn Write) -> Result<u8, Failure> {
    match command {
        Command::Check { file } => {
            let rules = load(Some(file))?;
            let mut text = format!("{}: ruleset \"{}\" is in order\n", file.display(), rules.name);
            for (number, pass) in (1..).zip(&rules.passes) {
                text.push_str(&format!("{number:>3}. {} ({})\n", pass.name, pass.kind.name()));
            }
            out.write_all(text.as_bytes()).map_err(no_output)?;
        }
        Command::Schema => out.write_all(rules::schema().as_bytes()).map_err(no_output)?,
        Command::Standard => out.write_all(rules::STANDARD.as_bytes()).map_err(no_output)?,
    }
    Ok(exit::CLEAN)
}
