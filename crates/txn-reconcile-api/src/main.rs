//! The command `txn-reconcile-api`: parse, run, map the outcome to an exit code; nothing else.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;
use txn_reconcile_api::cli::{Cli, exit, run};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = BufWriter::new(std::io::stdout());
    let result = run(&cli, &mut out, &mut std::io::stderr());
    let flushed = out.flush();
    match (result, flushed) {
        (Ok(code), Ok(())) => ExitCode::from(code),
        (Ok(_), Err(error)) => {
            let _ = writeln!(std::io::stderr(), "error: cannot write to standard output: {error}");
            ExitCode::from(exit::OUTPUT)
        }
        (Err(failure), _) => {
            let _ = writeln!(std::io::stderr(), "error: {failure}");
            ExitCode::from(failure.code)
        }
    }
}
