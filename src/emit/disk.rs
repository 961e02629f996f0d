//! The operations on the disk that output is made of. Each is one system call's worth of change, so a kill falls
//! between two of them; the tests make every one of them fail in turn.

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

    /// Writes a new file and waits until its contents are on the disk.
    pub fn write_new(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        self.spend()?;
        let mut file = File::create_new(path)?;
        file.write_all(contents)?;
        file.sync_data()
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

    /// Waits until the names in a folder are on the disk.
    pub fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.spend()?;
        // Some file systems cannot sync a folder; then their own order of writes has to do.
        File::open(path)?.sync_all().or(Ok(()))
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
