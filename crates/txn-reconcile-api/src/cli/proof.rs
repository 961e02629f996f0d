//! `verify-proof`: what an assessor runs, with files and nothing else.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{Failure, exit, no_output};
use crate::service::audit::Anchor;
use crate::service::audit::proof::Proof;

/// Arguments of `verify-proof`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The proof, as `/v1/audit/{sequence}/proof` gave it.
    proof: PathBuf,
    /// The anchor, as you have fetched it yourself from the bucket under Object Lock.
    #[arg(long)]
    anchor: Option<PathBuf>,
}

fn read<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, Failure> {
    let failed = |why: String| Failure::new(exit::INPUT, format!("{}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        failed(format!("this is not {what} (line {}, column {})", error.line(), error.column()))
    })
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let proof: Proof = read(&args.proof, "the proof of an entry")?;
    let anchor: Option<Anchor> =
        args.anchor.as_deref().map(|path| read(path, "an anchor of an audit log")).transpose()?;
    let finding = proof.check(anchor.as_ref());
    serde_json::to_writer_pretty(&mut *out, &finding).map_err(|error| no_output(error.into()))?;
    writeln!(out).map_err(no_output)?;
    Ok(if finding.holds { exit::CLEAN } else { exit::BREAKS })
}
