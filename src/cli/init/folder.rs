//! What a folder tells of the service that lies in it.

use super::super::Failure;
use crate::exit;
use crate::project::Language;
use crate::project::dockerfile::Dockerfile;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is found.
#[derive(Debug)]
pub(super) struct Found {
    folder: PathBuf,
    /// The service's Dockerfile.
    pub(super) dockerfile: Option<Dockerfile>,
    /// The languages whose files are there.
    pub(super) languages: Vec<Language>,
    /// Where git pushes to.
    pub(super) remote: Option<String>,
}

impl Found {
    /// Looks into a folder, and reads the Dockerfile of this path in it.
    pub(super) fn look(folder: &Path, dockerfile: &str) -> Result<Self, Failure> {
        let path = folder.join(dockerfile);
        let dockerfile = match fs::read_to_string(&path) {
            Ok(text) => Some(Dockerfile::read(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let what = format!("cannot read {}: {error}", path.display());
                return Err(Failure::new(exit::CANNOT_READ, what, "nothing was written"));
            }
        };
        let languages = Language::found(|file| folder.join(file).is_file());
        Ok(Self { folder: folder.to_owned(), dockerfile, languages, remote: remote(folder) })
    }

    /// Whether it has this file.
    pub(super) fn has(&self, file: &str) -> bool {
        self.folder.join(file).is_file()
    }
}

/// The address of `origin`, where the folder is a repository of its own that has one.
fn remote(folder: &Path) -> Option<String> {
    if !folder.join(".git").exists() {
        return None;
    }
    let output =
        Command::new("git").arg("-C").arg(folder).args(["remote", "get-url", "origin"]).output().ok()?;
    let address = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    // An address may hold a password, which nobody should see on a screen.
    crate::project::Repository::from_address(&address).ok().map(|repository| repository.to_string())
}
