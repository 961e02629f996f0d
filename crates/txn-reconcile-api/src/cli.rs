//! The command: arguments in, reports and an exit code out.

pub mod exit;
mod explain;
mod input;
mod inspect;
mod migrate;
mod output;
mod progress;
mod proof;
mod reconcile;
mod rules;
mod serve;

use std::fmt;
use std::io::Write;

use clap::{Parser, Subcommand};

/// Reconciles ledgers with processor and bank statements.
#[derive(Debug, Parser)]
#[command(name = "txn-reconcile-api", version, about, after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Match two sources and explain what does not match.
    Reconcile(Box<reconcile::Args>),
    /// Say why an entry is open, or why two entries are not one match: every pass, what it compares, and what fails.
    Explain(explain::Args),
    /// Show what is read from a file: entries, tie-out, gaps, refused rows.
    Inspect(inspect::Args),
    /// Check a ruleset, or print the schema and the standard ruleset.
    #[command(subcommand)]
    Rules(rules::Command),
    /// Serve the API. Without any environment it starts at once, with a file for a database and a token to begin with.
    #[command(after_help = serve::help())]
    Serve(serve::Args),
    /// Ask the service on this machine whether it is alive.
    Healthcheck,
    /// Print the API's description (OpenAPI 3.1).
    Openapi,
    /// Make or update the tables of PostgreSQL, as a role that may; or, with --mt and --camt, show what becomes of a ruleset
    /// when the bank delivers camt in place of MT940.
    #[command(after_help = migrate::HELP)]
    Migrate(Box<migrate::Args>),
    /// Recompute a tenant's audit log and hold it against its latest anchor.
    VerifyAudit(serve::VerifyArgs),
    /// Bring audit logs and their heads together after a restore, and say so in an entry of each that is anchored.
    #[command(after_help = serve::REPAIR_HELP)]
    RepairAudit(serve::RepairArgs),
    /// Check the proof of one entry of an audit log, offline: without the service and without the other entries.
    VerifyProof(proof::Args),
}

/// Why a command ended without its result.
#[derive(Debug)]
pub struct Failure {
    /// The exit code, one of [`exit`].
    pub code: u8,
    /// What to tell the user; it never repeats a value from a file.
    pub message: String,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Runs a command; what it says goes to `out`, notes on the way to `notes`.
///
/// # Errors
/// Carries the exit code and the message for the user.
pub fn run(cli: &Cli, out: &mut dyn Write, notes: &mut dyn Write) -> Result<u8, Failure> {
    match &cli.command {
        Command::Reconcile(args) => reconcile::run(args, out, notes),
        Command::Explain(args) => explain::run(args, out),
        Command::Inspect(args) => inspect::run(args, out),
        Command::Rules(command) => rules::run(command, out),
        Command::Serve(args) => serve::serve(args),
        Command::Healthcheck => serve::healthcheck(),
        Command::Openapi => serve::openapi(out),
        Command::Migrate(args) => migrate::run(args, out),
        Command::VerifyAudit(args) => serve::verify_audit(args, out),
        Command::RepairAudit(args) => serve::repair_audit(args, out),
        Command::VerifyProof(args) => proof::run(args, out),
    }
}

/// A failure to write to standard output.
fn no_output(error: std::io::Error) -> Failure {
    Failure::new(exit::OUTPUT, format!("cannot write to standard output: {error}"))
}
