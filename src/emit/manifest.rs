//! The list of the files that txnr wrote to a folder.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The manifest's name in each folder of output.
pub(super) const NAME: &str = ".txnr-manifest.json";

/// The files that txnr wrote to a folder, by name.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    #[serde(rename = "//", default)]
    comment: String,
    #[serde(default)]
    files: BTreeSet<String>,
}

impl Manifest {
    pub fn of<'a>(files: impl Iterator<Item = &'a String>) -> Self {
        let comment =
            "The files here that txnr wrote, and therefore replaces and removes. Keep it with them.";
        Self { comment: comment.to_owned(), files: files.cloned().collect() }
    }

    /// The manifest of a folder. Without one, or with one that cannot be read, nothing counts as written by txnr, so
    /// nothing of somebody else's is removed.
    pub fn read(folder: &Path) -> Self {
        let text = fs::read(folder.join(NAME)).unwrap_or_default();
        let mut manifest: Self = serde_json::from_slice(&text).unwrap_or_default();
        // The manifest is a file that anyone may edit: a name in it must not lead out of the folder.
        manifest.files.retain(|name| Path::new(name).file_name().is_some_and(|last| last == name.as_str()));
        manifest
    }

    pub fn lists(&self, file: &str) -> bool {
        self.files.contains(file)
    }

    pub fn files(&self) -> impl Iterator<Item = &String> {
        self.files.iter()
    }

    pub fn render(&self) -> String {
        // Strings alone cannot fail to serialize.
        serde_json::to_string_pretty(self).map(|json| json + "\n").unwrap_or_default()
    }
}
