//! Every generated file that is checked in: one command writes them all, or tells which are stale.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use indexmap::IndexMap;

use crate::{actions, bindings, files, provider};

/// A generated file, or a folder of them.
pub struct Generated {
    /// The file or, with a slash at its end, the folder, below the repository's root.
    pub path: &'static str,
    /// What stands at the file's top; nothing in what the service hands out as it is, nor in an adopter's repository, of which
    /// some files are the adopter's own from then on.
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
    /// By `txnr init`, which renders an adopter's repository from the `txnr.toml` that lies there and the environments.
    Rendered,
    /// By a test of txnr that compares, and that writes where the environment says `INSTA_UPDATE=always`: its program and
    /// its name.
    Test(&'static str, &'static str),
}

/// Every generated file, in an order in which each is made from those before it.
pub const FILES: [Generated; 16] = [
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
        path: "docs/diff.schema.json",
        header: Some("cargo run -- diff --schema > docs/diff.schema.json"),
        how: How::Printed("txnr", &["diff", "--schema"]),
    },
    Generated {
        path: "docs/status.schema.json",
        header: Some("cargo run -- status --schema > docs/status.schema.json"),
        how: How::Printed("txnr", &["status", "--schema"]),
    },
    Generated {
        path: "docs/reach.schema.json",
        header: Some("cargo run -- reach --schema > docs/reach.schema.json"),
        how: How::Printed("txnr", &["reach", "--schema"]),
    },
    Generated {
        path: "docs/prices/schema.json",
        header: Some("cargo run -- cost --schema > docs/prices/schema.json"),
        how: How::Printed("txnr", &["cost", "--schema"]),
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
    Generated { path: "examples/reconcile/", header: None, how: How::Rendered },
    Generated {
        path: "snapshots/",
        header: Some("source: tests/synth.rs"),
        how: How::Test("synth", "snapshots"),
    },
    Generated {
        path: "docs/pci.md",
        header: Some("INSTA_UPDATE=always cargo test --test pci"),
        how: How::Test("pci", "the_document_is_up_to_date"),
    },
    Generated {
        path: "docs/guide/threat-model.md",
        header: Some("INSTA_UPDATE=always cargo test --test pci"),
        how: How::Test("pci", "the_threat_model_is_up_to_date"),
    },
];

/// Writes every generated file, or, with `check`, writes none and fails if one is stale.
///
/// # Errors
/// When a generator fails, and with every stale file where `check` is set.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let tests = test_programs(root)?;
    let mut stale = Vec::new();
    for generated in FILES {
        let result = generated.how.run(root, &tests, generated.path, check);
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

/// Builds `txnr`.
pub fn build(root: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--quiet", "--locked", "--package", "txnr"];
    output(Command::new(cargo).args(arguments).current_dir(root)).map(|_| ())
}

impl How {
    fn run(&self, root: &Path, tests: &IndexMap<String, PathBuf>, path: &str, check: bool) -> Result<()> {
        let aws = root.join("crates/aws");
        match self {
            Self::Schema => provider::update(&aws.join("schema"), check),
            Self::Actions => actions::record(&aws.join("schema"), &root.join(".cache/iam"), check),
            Self::Bindings => bindings::generate(&aws, check),
            Self::Printed(package, arguments) => printed(root, path, package, arguments, check),
            Self::Rendered => rendered(root, path, check),
            Self::Test(program, name) => {
                let update = if check { "no" } else { "always" };
                let program =
                    tests.get(*program).with_context(|| format!("no test of txnr is named {program}"))?;
                output(Command::new(program).arg(name).env("INSTA_UPDATE", update).current_dir(root))
                    .map(|_| ())
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

/// Makes a repository in an empty folder, so that it holds what an adopter's would hold on the first day.
fn rendered(root: &Path, path: &str, check: bool) -> Result<()> {
    let (fresh, example) = (tempfile::tempdir()?, root.join(path));
    let envs = fresh.path().join("envs");
    std::fs::create_dir(&envs)?;
    for (name, text) in files::below(&root.join("envs"))? {
        std::fs::write(envs.join(name), text)?;
    }
    std::fs::copy(example.join("txnr.toml"), fresh.path().join("txnr.toml"))?;
    output(built("txnr")?.arg("init").arg(fresh.path()))?;
    let mut files = files::below(fresh.path())?;
    // They lie at the top of this repository, and the example links to them.
    files.retain(|name, _| !name.starts_with("envs/"));
    files::sync(&example, &files, check, "cargo xtask generate")
}

/// A program of the workspace, which lies beside this one.
pub fn built(name: &str) -> Result<Command> {
    let own = std::env::current_exe().context("this program's own path")?;
    Ok(Command::new(own.with_file_name(name)))
}

/// The programs of txnr's integration tests. They are built with the whole workspace's, and not run by `cargo test --test`,
/// which would build all that they depend on once more, with other features.
fn test_programs(root: &Path) -> Result<IndexMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["test", "--quiet", "--workspace", "--locked", "--no-run", "--message-format=json"];
    let messages = output(Command::new(cargo).args(arguments).current_dir(root))?;
    let mut programs = IndexMap::new();
    for line in messages.lines() {
        let message: Message =
            serde_json::from_str(line).with_context(|| format!("cargo's message {line}"))?;
        if let (Some(target), Some(program)) = (message.target, message.executable)
            && target.kind == ["test"]
            && target.src_path.starts_with(root.join("tests"))
        {
            programs.insert(target.name, program);
        }
    }
    Ok(programs)
}

/// What is read of a message of cargo's.
#[derive(serde::Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// What was built.
#[derive(serde::Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
    src_path: PathBuf,
}

/// What a command prints, if it succeeds.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        bail!("{command:?} failed\n{}", said.concat().trim());
    }
    String::from_utf8(output.stdout).context("the output is not UTF-8")
}
