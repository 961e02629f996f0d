//! Root modules on their way to files, to a comparison or to standard output: what `synth` and `bootstrap` share.

use super::Failure;
use super::output::{data, say};
use crate::emit::{self, Difference, Existing};
use crate::exit;
use crate::synth::Rendered;
use clap::Args;
use std::path::Path;

/// What becomes of the files.
#[derive(Debug, Args)]
pub(super) struct Fate {
    /// Write nothing; fail if a file is not what would be written, and say which
    #[arg(long, conflicts_with = "stdout")]
    pub(super) check: bool,

    /// Print one JSON object, from path to contents, and write nothing
    #[arg(long)]
    pub(super) stdout: bool,

    /// Overwrite files of the same name that txnr did not write
    #[arg(long, conflicts_with_all = ["check", "stdout"])]
    force: bool,
}

/// A root module: the name of its folder, and its files.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) files: Rendered,
}

impl Fate {
    /// Writes the files of modules below a folder.
    pub(super) fn write(&self, folder: &Path, modules: &[Module]) -> Result<(), Failure> {
        let existing = if self.force { Existing::Overwrite } else { Existing::Refuse };
        let out = emit::Output::lock(folder, || say("waiting for another txnr that writes to this folder"))?;
        for Module { name, files } in modules {
            let differences = out.write(name, files, existing)?;
            let count = files.len();
            let changed = match differences.len() {
                0 => "unchanged".to_owned(),
                count => format!("{count} changed"),
            };
            say(format_args!("{name}: {count} files in {}, {changed}", folder.join(name).display()));
        }
        Ok(())
    }
}

/// Fails, and names them, if files are not what `command` would write, or others are stale already.
pub(super) fn compare(
    command: &str,
    out: &Path,
    modules: &[Module],
    mut stale: Vec<String>,
) -> Result<(), Failure> {
    for Module { name, files } in modules {
        let differences = emit::compare(out, name, files)?;
        let folder = out.join(name);
        stale.extend(
            differences
                .into_iter()
                .map(|Difference { file, kind }| format!("{}: {kind}", folder.join(file).display())),
        );
    }
    if stale.is_empty() {
        return Ok(());
    }
    for line in &stale {
        say(line);
    }
    let files = if stale.len() == 1 { "file is" } else { "files are" };
    Err(Failure::new(
        exit::OUT_OF_DATE,
        format!("{} {files} not what `txnr {command}` would write", stale.len()),
        format!("run `txnr {command}` with the same arguments, without `--check`"),
    ))
}

/// One JSON object from path to contents. The contents are JSON already and are copied as they are.
pub(super) fn print(modules: &[Module]) -> Result<(), Failure> {
    data(b"{")?;
    let mut separator = "\n";
    for module in modules {
        for (file, contents) in &module.files {
            data(format!("{separator}\"{}/{file}\": ", module.name).as_bytes())?;
            data(contents.trim_end().as_bytes())?;
            separator = ",\n";
        }
    }
    Ok(data(b"\n}\n")?)
}
