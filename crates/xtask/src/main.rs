//! The project's chores: the generators of checked-in files, which never run at build time, and `tidy`.

mod actions;
mod bindings;
mod emit;
mod facts;
mod files;
mod generate;
mod managed;
#[expect(dead_code, reason = "the library asks more of the table than its generator")]
#[path = "../../aws/src/power.rs"]
mod power;
mod provider;
mod replacement;
mod selection;
mod shapes;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The project's chores: generators of checked-in files, and what holds the repository to its documents.
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
    /// Records AWS's actions, resource types and condition keys in crates/aws/schema.
    Actions {
        /// Writes nothing; fails when the file on disk is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Asks the AWS provider, offline, which changes of an argument replace a resource, for crates/aws/schema.
    Replacement {
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
    /// Writes every generated file that is checked in.
    Generate {
        /// Writes nothing; fails, with their names, when some are stale.
        #[arg(long)]
        check: bool,
    },
    /// Holds the repository to ARCHITECTURE.md: who imports whom, where links lead, which dependencies are used.
    Tidy,
    /// Asks moto, in .cache/local-aws, for AWS's managed policies and writes what each allows on everything into
    /// crates/aws/schema.
    Policies {
        /// Writes nothing; fails when the file on disk is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Asks moto, in .cache/local-aws, for facts of AWS by region and writes them into crates/aws/facts; or lists the tables
    /// of that folder that were checked too long ago.
    Facts {
        /// Writes nothing; fails when a file on disk is not what would be written.
        #[arg(long, conflicts_with = "stale")]
        check: bool,
        /// Writes nothing; fails with the tables whose days are over, and where each is to be compared.
        #[arg(long)]
        stale: bool,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let aws = root.join("crates/aws");
    match Cli::parse().command {
        Command::Schema { check } => provider::update(&aws.join("schema"), check),
        Command::Actions { check } => actions::record(&aws.join("schema"), &root.join(".cache/iam"), check),
        Command::Replacement { check } => {
            generate::build(&root)?;
            replacement::update(&root, check)
        }
        Command::Bindings { check } => bindings::generate(&aws, check),
        Command::Generate { check } => generate::run(&root, check),
        Command::Tidy => tidy::run(&root),
        Command::Policies { check } => {
            managed::update(&aws.join("schema"), &aws.join("../../.cache/local-aws/bin/python"), check)
        }
        Command::Facts { stale: true, .. } => facts::stale(&aws.join("facts")),
        Command::Facts { check, .. } => {
            facts::update(&aws.join("facts"), &root.join(".cache/local-aws/bin/python"), check)
        }
    }
}
