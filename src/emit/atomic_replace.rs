//! Changes several files of a folder at one moment, whatever else lies in the folder.
//!
//! No system call replaces several files at once, and the folder itself cannot be exchanged: others keep files in it,
//! and stand in it with their shells. But a symbolic link can be redirected at once. So:
//!
//! 1. `.txnr/old` and `.txnr/new` are filled with the files before and after, and `.txnr/current` points to `old`.
//! 2. Each file that changes is replaced by a link to `.txnr/current/<file>`: nothing changes for who reads it.
//! 3. `.txnr/current` is redirected to `new`. This is the moment.
//! 4. Each link is replaced by the file from `new`, and `.txnr` is removed. At rest there are plain files only.
//!
//! A file that exists on one side only is an empty module on the other, so that every link leads somewhere while it
//! stands. A run that finds `.txnr` finishes what the killed one began: it replaces each link by what it leads to.

use super::Rendered;
use super::difference::{Difference, Kind};
use super::disk::Disk;
use super::manifest::{self, Manifest};
use std::borrow::Cow;
use std::path::Path;
use std::{fs, io};

/// The folder in which a change is prepared.
const WORK: &str = ".txnr";
/// What every link of a change leads to, followed by the file's name.
const CURRENT: &str = ".txnr/current/";
/// The name of a file that is not written to its end yet.
const UNFINISHED: &str = ".txnr-new";
/// What stands for a file on the side on which it does not exist: a module with nothing in it.
const NOTHING: &str = "{\"//\": \"txnr: this file does not exist on this side of a change\"}\n";

/// A file that changes, and what it holds afterwards; `None` if it is removed.
pub(super) struct Change<'a> {
    pub file: &'a str,
    pub contents: Option<Cow<'a, [u8]>>,
}

/// What has to change for the differences to disappear, the manifest included.
pub(super) fn changes<'a>(
    folder: &Path,
    differences: &'a [Difference],
    files: &'a Rendered,
) -> Vec<Change<'a>> {
    let mut changes: Vec<Change<'a>> = Vec::with_capacity(differences.len() + 1);
    for Difference { file, kind } in differences {
        let wanted = files.get(file).filter(|_| *kind != Kind::LeftOver);
        changes.push(Change { file, contents: wanted.map(|text| Cow::Borrowed(text.as_bytes())) });
    }
    let manifest = Manifest::of(files.keys()).render();
    if fs::read(folder.join(manifest::NAME)).ok().as_deref() != Some(manifest.as_bytes()) {
        changes.push(Change { file: manifest::NAME, contents: Some(Cow::Owned(manifest.into_bytes())) });
    }
    changes
}

/// Makes a folder that does not exist yet: written under another name, then renamed.
pub(super) fn create(disk: &Disk, unfinished: &Path, folder: &Path, files: &Rendered) -> io::Result<()> {
    disk.remove_dir_all(unfinished)?;
    let write = || {
        disk.create_dir(unfinished)?;
        for (file, contents) in files {
            disk.write_new(&unfinished.join(file), contents.as_bytes())?;
        }
        disk.write_new(&unfinished.join(manifest::NAME), Manifest::of(files.keys()).render().as_bytes())?;
        disk.rename(unfinished, folder)
    };
    let written = write();
    if written.is_err() {
        // The error that is reported is the one that began it; what is left is removed by the next run.
        let _ignored = disk.remove_dir_all(unfinished);
    }
    written
}

/// Applies changes to a folder, all at one moment. After an error the folder is as it was.
pub(super) fn apply(disk: &Disk, folder: &Path, changes: &[Change<'_>]) -> io::Result<()> {
    let applied = match changes {
        [] => Ok(()),
        [Change { file, contents: Some(contents) }] => replace(disk, folder, file, contents),
        several => exchange(disk, folder, several),
    };
    if applied.is_err() {
        let _ignored = recover(disk, folder);
    }
    applied
}

/// Replaces one file, for which a rename is enough.
pub(super) fn replace(disk: &Disk, folder: &Path, file: &str, contents: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(UNFINISHED);
    discard(disk, &unfinished)?;
    let replaced =
        disk.write_new(&unfinished, contents).and_then(|()| disk.rename(&unfinished, &folder.join(file)));
    if replaced.is_err() {
        let _ignored = discard(disk, &unfinished);
    }
    replaced
}

fn exchange(disk: &Disk, folder: &Path, changes: &[Change<'_>]) -> io::Result<()> {
    let work = folder.join(WORK);
    let (old, new) = (work.join("old"), work.join("new"));
    for side in [&work, &old, &new] {
        disk.create_dir(side)?;
    }
    for change in changes {
        let visible = folder.join(change.file);
        match visible.exists() {
            true => disk.link(&visible, &old.join(change.file))?,
            false => disk.write_new(&old.join(change.file), NOTHING.as_bytes())?,
        }
        let contents = change.contents.as_deref().unwrap_or(NOTHING.as_bytes());
        disk.write_new(&new.join(change.file), contents)?;
    }
    disk.symlink("old", &work.join("current"))?;
    for change in changes {
        disk.symlink(&format!("{CURRENT}{}", change.file), &work.join("link"))?;
        disk.rename(&work.join("link"), &folder.join(change.file))?;
    }
    disk.symlink("new", &work.join("next"))?;
    disk.rename(&work.join("next"), &work.join("current"))?;
    for change in changes {
        settle(disk, folder, &new, change.file)?;
    }
    disk.remove_dir_all(&work)
}

/// Finishes or takes back what a killed run began, whichever needs nothing to appear to change.
pub(super) fn recover(disk: &Disk, folder: &Path) -> io::Result<()> {
    discard(disk, &folder.join(UNFINISHED))?;
    let work = folder.join(WORK);
    if !work.exists() {
        return Ok(());
    }
    let side = work.join("current");
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        let ours = fs::read_link(folder.join(name))
            .is_ok_and(|target| target == Path::new(&format!("{CURRENT}{name}")));
        if ours {
            settle(disk, folder, &side, name)?;
        }
    }
    disk.remove_dir_all(&work)
}

/// Removes what a killed run left of a file.
fn discard(disk: &Disk, unfinished: &Path) -> io::Result<()> {
    if unfinished.exists() { disk.remove_file(unfinished) } else { Ok(()) }
}

/// Replaces a link by the file that it leads to, or removes it where there is none.
fn settle(disk: &Disk, folder: &Path, side: &Path, file: &str) -> io::Result<()> {
    let contents = fs::read(side.join(file));
    match contents {
        Ok(contents) if contents != NOTHING.as_bytes() => disk.rename(&side.join(file), &folder.join(file)),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => disk.remove_file(&folder.join(file)),
    }
}
