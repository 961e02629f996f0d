//! The operations on the disk that output is made of. Each is one system call's worth of change, so a kill falls
//! between two of them; the tests make every one of them fail in turn.
//!
//! Nothing waits for the disk (`fsync`): that would cost several times what the whole synthesis does. After a loss of
//! power, files written last may be empty or gone. Terraform then stops at the broken JSON, `--check` names the files,
//! and the next run, which compares contents and trusts no date, writes them again: every one can be made anew.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// The disk.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// How many more operations succeed; all of them, if none is said.
    #[cfg(test)]
    pub budget: std::cell::Cell<Option<usize>>,
}

impl Disk {
    /// Makes an empty folder.
    pub fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.spend()?;
        fs::create_dir(path)
    }

    /// Writes a new file.
    pub fn write_new(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        self.spend()?;
        File::create_new(path)?.write_all(contents)
    }

    /// Gives a file a second name; where the file system has no links, a copy.
    pub fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.spend()?;
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ()))
    }

    /// Makes a symbolic link at `link` to `target`.
    pub fn symlink(&self, target: &str, link: &Path) -> io::Result<()> {
        self.spend()?;
        symlink(target, link)
    }

    /// Moves a file or folder, replacing a file at its destination, at once.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.spend()?;
        fs::rename(from, to)
    }

    /// Removes a file or link.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.spend()?;
        fs::remove_file(path)
    }

    /// Removes a folder of txnr's own and what is in it, if it exists.
    pub fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.spend()?;
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "its twin in the tests uses both")]
    fn spend(&self) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn spend(&self) -> io::Result<()> {
        match self.budget.get() {
            Some(0) => return Err(io::Error::other("no operation left")),
            Some(left) => self.budget.set(Some(left - 1)),
            None => {}
        }
        Ok(())
    }
}

#[cfg(unix)]
fn symlink(target: &str, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_: &str, _: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
