//! Every generated file that is checked in: one command writes them all, or tells which are stale.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{actions, bindings, files, provider};

/// A generated file, or a folder of them.
pub struct Generated {
    /// The file or, with a slash at its end, the folder, below the repository's root.
    pub path: &'static str,
    /// What stands at the file's top; nothing in what the service hands out as it is.
    pub header: Option<&'static str>,
    /// How it is written.
    how: How,
}

/// How a file is written.
enum How {
    /// By `cargo xtask schema`, which asks Terraform.
    Schema,
    /// By `cargo xtask actions`, from what `tests/setup` installs.
    Actions,
    /// By `cargo xtask bindings`.
    Bindings,
    /// It is what a program of the workspace prints: its name and the arguments.
    Printed(&'static str, &'static [&'static str]),
    /// By `txnr init --force`, which renders this repository's own files.
    Rendered,
    /// By tests that compare, and that write where the environment says `INSTA_UPDATE=always`: the arguments of
    /// `cargo test`.
    Tests(&'static [&'static str]),
}

/// Every generated file, in an order in which each is made from those before it.
pub const FILES: [Generated; 11] = [
    Generated {
        path: "crates/aws/schema/aws-5.100.0.json",
        header: Some("cargo xtask schema"),
        how: How::Schema,
    },
    Generated {
        path: "crates/aws/schema/actions.json",
        header: Some("cargo xtask actions"),
        how: How::Actions,
    },
    Generated { path: "crates/aws/src/generated/", header: Some("cargo xtask bindings"), how: How::Bindings },
    Generated {
        path: "envs/schema.json",
        header: Some("cargo run -- schema > envs/schema.json"),
        how: How::Printed("txnr", &["schema"]),
    },
    Generated {
        path: "docs/configuration.md",
        header: Some("cargo run -- schema --markdown > docs/configuration.md"),
        how: How::Printed("txnr", &["schema", "--markdown"]),
    },
    Generated {
        path: "docs/alarms.md",
        header: Some("cargo run -- alarms > docs/alarms.md"),
        how: How::Printed("txnr", &["alarms"]),
    },
    Generated {
        path: "crates/txn-reconcile-api/openapi.json",
        header: None,
        how: How::Printed("txn-reconcile-api", &["openapi"]),
    },
    Generated {
        path: "crates/txn-reconcile-api/rules.schema.json",
        header: None,
        how: How::Printed("txn-reconcile-api", &["rules", "schema"]),
    },
    Generated { path: "RUNBOOK.md", header: Some("txnr init"), how: How::Rendered },
    Generated {
        path: "snapshots/",
        header: Some("source: tests/synth.rs"),
        how: How::Tests(&["--test", "synth", "snapshots"]),
    },
    Generated {
        path: "docs/pci.md",
        header: Some("INSTA_UPDATE=always cargo test --test pci"),
        how: How::Tests(&["--test", "pci", "the_document_is_up_to_date"]),
    },
];

/// Writes every generated file, or, with `check`, writes none and fails if one is stale.
///
/// # Errors
/// When a generator fails, and with every stale file where `check` is set.
pub fn run(root: &Path, check: bool) -> Result<()> {
    // As the tests are built, so that nothing is built twice where they are run as well.
    cargo(root, &["test", "--quiet", "--workspace", "--locked", "--no-run"], &[])?;
    let mut stale = Vec::new();
    for generated in FILES {
        let result = generated.how.run(root, generated.path, check);
        match result {
            Err(error) if check => stale.push(format!("{error:#}")),
            other => other.with_context(|| format!("cannot generate {}", generated.path))?,
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    bail!("{}\n\nfix: cargo xtask generate, and commit the result", stale.join("\n"))
}

impl How {
    fn run(&self, root: &Path, path: &str, check: bool) -> Result<()> {
        let aws = root.join("crates/aws");
        match self {
            Self::Schema => provider::update(&aws.join("schema"), check),
            Self::Actions => actions::record(&aws.join("schema"), &root.join(".cache/iam"), check),
            Self::Bindings => bindings::generate(&aws, check),
            Self::Printed(package, arguments) => printed(root, path, package, arguments, check),
            Self::Rendered => {
                let flag = if check { "--check" } else { "--force" };
                output(built("txnr")?.args(["init", flag]).current_dir(root)).map(|_| ())
            }
            Self::Tests(arguments) => {
                let update = if check { "no" } else { "always" };
                let all = [&["test", "--quiet", "--workspace", "--locked"], *arguments].concat();
                cargo(root, &all, &[("INSTA_UPDATE", update)]).map(|_| ())
            }
        }
    }
}

fn printed(root: &Path, path: &str, package: &str, arguments: &[&str], check: bool) -> Result<()> {
    let text = output(built(package)?.args(arguments).current_dir(root))?;
    let file = root.join(path);
    if std::fs::read_to_string(&file).ok().as_ref() == Some(&text) {
        return Ok(());
    }
    if check {
        bail!("{path} is stale");
    }
    files::write(&file, &text)
}

/// A program of the workspace, which lies beside this one.
fn built(name: &str) -> Result<Command> {
    let own = std::env::current_exe().context("this program's own path")?;
    Ok(Command::new(own.with_file_name(name)))
}

fn cargo(root: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    output(Command::new(cargo).args(arguments).envs(environment.iter().copied()).current_dir(root))
}

/// What a command prints, if it succeeds.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        bail!("{command:?} failed\n{}", said.concat().trim());
    }
    String::from_utf8(output.stdout).context("the output is not UTF-8")
}
