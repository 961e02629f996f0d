//! `txnr man`: the man pages.

use super::output::{data, say};
use super::{Cli, EXAMPLES as COMMAND_EXAMPLES, Failure};
use crate::{emit, exit};
use clap::{Args, Command, CommandFactory};
use clap_mangen::roff::{Roff, roman};
use std::io;
use std::path::PathBuf;

/// Prints the man page, or writes the pages of every subcommand
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Man {
    /// Write txnr.1, txnr-synth.1 and so on to this folder
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

const EXAMPLES: &str = "Examples:
  txnr man | man -l -
  txnr man --out ~/.local/share/man/man1";

impl Man {
    pub(super) fn run(self) -> Result<(), Failure> {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let root = root_page(&command)?;
        let Some(folder) = self.out else {
            return Ok(data(&root)?);
        };
        emit::write_file(&folder.join("txnr.1"), &root)?;
        let mut count = 1;
        for subcommand in command.get_subcommands() {
            let name = format!("txnr-{}", subcommand.get_name());
            let mut page = Vec::new();
            clap_mangen::Man::new(subcommand.clone()).title(name.to_uppercase()).render(&mut page)?;
            emit::write_file(&folder.join(format!("{name}.1")), &page)?;
            count += 1;
        }
        say(format_args!("{count} man pages in {}", folder.display()));
        Ok(())
    }
}

/// The page of the whole command, with the exit codes and examples in sections of their own.
fn root_page(command: &Command) -> io::Result<Vec<u8>> {
    let man = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    exit_section().to_writer(&mut page)?;
    examples_section().to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

fn exit_section() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["EXIT STATUS"]);
    for exit in exit::ALL {
        section.control("TP", ["4"]);
        section.text([roman(exit.code.to_string())]);
        section.text([roman(exit.meaning)]);
    }
    section
}

fn examples_section() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["EXAMPLES"]);
    for example in COMMAND_EXAMPLES.lines() {
        section.control("PP", []);
        section.text([roman(example.trim())]);
    }
    section
}
