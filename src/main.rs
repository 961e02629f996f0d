//! The command: parses its arguments, runs, and maps the outcome to an exit code.

use clap::Parser;
use std::process::ExitCode;
use txnr::{cli, exit};

fn main() -> ExitCode {
    exit::report_panics();
    match cli::Cli::parse().run() {
        Ok(()) => exit::OK.into(),
        Err(failure) => failure.report().into(),
    }
}
