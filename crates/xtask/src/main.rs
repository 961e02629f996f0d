//! The project's generators: they write files that are checked in, and never run at build time.

mod bindings;
mod emit;
mod files;
mod provider;
mod selection;
mod shapes;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's generators. Each writes checked-in files; `--check` fails when they are stale.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Asks Terraform for the AWS provider's schema and trims it into crates/aws/schema.
    Schema {
        /// Writes nothing; fails when the file on disk is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Generates crates/aws/src/generated from the trimmed schema and crates/aws/schema/bindings.toml.
    Bindings {
        /// Writes nothing; fails when the files on disk are not what would be written.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> Result<()> {
    let aws = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../aws");
    match Cli::parse().command {
        Command::Schema { check } => provider::update(&aws.join("schema"), check),
        Command::Bindings { check } => bindings::generate(&aws, check),
    }
}
