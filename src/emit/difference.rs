//! What differs between a folder and the files that belong in it.

use super::EmitError;
use super::Rendered;
use super::manifest::Manifest;
use std::path::Path;
use std::{fmt, fs, io};

/// A file that is not as it would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub file: String,
    /// How it differs.
    pub kind: Kind,
}

/// How a file differs from what would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It does not exist.
    Missing,
    /// It has other contents.
    Changed {
        /// The first line that differs, from 1.
        line: usize,
        /// How many lines it has, and how many it would have.
        lines: (usize, usize),
    },
    /// It was written once, and would not be any more.
    LeftOver,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("missing"),
            Self::Changed { line, lines: (now, then) } => {
                write!(f, "differs from line {line} on ({now} lines, would be {then})")
            }
            Self::LeftOver => f.write_str("left over: no stack produces it any more"),
        }
    }
}

/// Compares a folder with the files that belong in it; the differences are sorted by name.
pub(super) fn of(folder: &Path, manifest: &Manifest, files: &Rendered) -> Result<Vec<Difference>, EmitError> {
    let mut differences = Vec::new();
    for (file, wanted) in files {
        let path = folder.join(file);
        let kind = match fs::read(&path) {
            Ok(found) if found == wanted.as_bytes() => continue,
            Ok(found) => changed(&found, wanted.as_bytes()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kind::Missing,
            Err(source) => return Err(EmitError::io("read", &path, source)),
        };
        differences.push(Difference { file: file.clone(), kind });
    }
    let left_over = manifest.files().filter(|file| !files.contains_key(*file) && folder.join(file).exists());
    differences.extend(left_over.map(|file| Difference { file: file.clone(), kind: Kind::LeftOver }));
    differences.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(differences)
}

fn changed(found: &[u8], wanted: &[u8]) -> Kind {
    let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').count();
    let same = found.iter().zip(wanted).take_while(|(a, b)| a == b);
    let line = same.filter(|(byte, _)| **byte == b'\n').count() + 1;
    Kind::Changed { line, lines: (lines(found), lines(wanted)) }
}
