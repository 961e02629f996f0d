//! The only code that writes generated files: atomic, sorted, byte-stable.
//!
//! A folder of output holds what txnr wrote, as its manifest lists it, beside what others wrote: Terraform's working
//! folder and lock file, a local state, override files. The latter are never touched. The former change all at once:
//! whoever looks at the folder, at any moment and after a kill at any moment, sees the old output or the new one (see
//! [`swap`] for how).

mod atomic_replace;
mod difference;
mod disk;
mod error;
mod manifest;

pub use difference::{Difference, Kind};
pub use error::EmitError;

use disk::Disk;
use indexmap::IndexMap;
use manifest::Manifest;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file in the output folder that keeps two runs apart. It stays there: removing it would open a gap in which two
/// runs hold locks on two files of that name.
const LOCK: &str = ".txnr.lock";

/// The files of a folder: name, such as `network.tf.json`, and contents.
pub type Rendered = IndexMap<String, String>;

/// What to do with a file that has the name of a generated one, but that txnr did not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Write nothing and say which file it is.
    Refuse,
    /// Replace it.
    Overwrite,
}

/// The output folder, locked against other runs for as long as this value lives.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    disk: Disk,
    _lock: File,
}

impl Output {
    /// Makes the folder if need be and locks it, waiting for another run that holds the lock; `on_wait` is called
    /// before waiting.
    ///
    /// # Errors
    /// When the folder cannot be made or locked.
    pub fn lock(folder: &Path, on_wait: impl FnOnce()) -> Result<Self, EmitError> {
        fs::create_dir_all(folder).map_err(|source| EmitError::io("make the folder", folder, source))?;
        let path = folder.join(LOCK);
        let cannot = |source| EmitError::io("lock", &path, source);
        let lock = OpenOptions::new().create(true).append(true).open(&path).map_err(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                on_wait();
                lock.lock().map_err(cannot)?;
            }
            Err(TryLockError::Error(source)) => return Err(cannot(source)),
        }
        Ok(Self { folder: folder.to_owned(), disk: Disk::default(), _lock: lock })
    }

    /// Brings the folder `name` up to date and says what was different. Nothing is written where nothing is.
    ///
    /// # Errors
    /// When something cannot be written, or a file is in the way that txnr did not write; the folder is then as it was.
    pub fn write(
        &self,
        name: &str,
        files: &Rendered,
        existing: Existing,
    ) -> Result<Vec<Difference>, EmitError> {
        let folder = self.folder.join(name);
        let unfinished = self.folder.join(format!(".{name}.txnr-new"));
        let failed = |source| EmitError::io("write", &folder, source);
        if !folder.exists() {
            atomic_replace::create(&self.disk, &unfinished, &folder, files).map_err(failed)?;
            return Ok(files
                .keys()
                .map(|file| Difference { file: file.clone(), kind: Kind::Missing })
                .collect());
        }
        atomic_replace::recover(&self.disk, &folder).map_err(failed)?;
        let manifest = Manifest::read(&folder);
        let differences = difference::of(&folder, &manifest, files)?;
        if existing == Existing::Refuse {
            refuse_foreign(&folder, &manifest, &differences)?;
        }
        let changes = atomic_replace::changes(&folder, &differences, files);
        atomic_replace::apply(&self.disk, &folder, &changes).map_err(failed)?;
        Ok(differences)
    }
}

/// What differs between the folder `name` in `out` and the files that would be written to it.
///
/// # Errors
/// When a file cannot be read.
pub fn compare(out: &Path, name: &str, files: &Rendered) -> Result<Vec<Difference>, EmitError> {
    let folder = out.join(name);
    difference::of(&folder, &Manifest::read(&folder), files)
}

/// The folders in `out` that txnr wrote and that have none of these names, sorted.
///
/// # Errors
/// When the folder exists and cannot be read.
pub fn left_over(out: &Path, names: &[&str]) -> Result<Vec<String>, EmitError> {
    let cannot = |source| EmitError::io("read", out, source);
    let mut left_over = Vec::new();
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(left_over),
        Err(source) => return Err(cannot(source)),
    };
    for entry in entries {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What a killed run did not finish is hidden.
        let written = !name.starts_with('.') && entry.path().join(manifest::NAME).is_file();
        if written && !names.contains(&name.as_str()) {
            left_over.push(name);
        }
    }
    left_over.sort();
    Ok(left_over)
}

/// Writes one file, whole or not at all, and makes its folder if need be.
///
/// # Errors
/// When it cannot be written; a file of that name is then as it was.
pub fn write_file(path: &Path, contents: &[u8]) -> Result<(), EmitError> {
    let write = || {
        let folder = path.parent().unwrap_or(Path::new(""));
        if !folder.as_os_str().is_empty() {
            fs::create_dir_all(folder)?;
        }
        let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        atomic_replace::replace(&Disk::default(), folder, &name.to_string_lossy(), contents)
    };
    write().map_err(|source| EmitError::io("write", path, source))
}

/// A file that is to change, but that the manifest does not list, belongs to somebody else.
fn refuse_foreign(folder: &Path, manifest: &Manifest, differences: &[Difference]) -> Result<(), EmitError> {
    let foreign = |d: &&Difference| matches!(d.kind, Kind::Changed { .. }) && !manifest.lists(&d.file);
    match differences.iter().find(foreign) {
        Some(difference) => Err(EmitError::Foreign { path: folder.join(&difference.file) }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
