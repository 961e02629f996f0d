//! What a revision holds, read through `git` without a checkout.

use super::Failure;
use crate::exit;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A commit.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    id: String,
    /// How it was named.
    pub name: String,
}

impl std::fmt::Display for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let short = self.id.get(..12).unwrap_or(&self.id);
        if self.id.starts_with(&self.name) {
            f.write_str(short)
        } else {
            write!(f, "{} ({short})", self.name)
        }
    }
}

const NO_GIT: &str = "install git, or compare two folders: `txnr diff OLD NEW`";

fn git(arguments: &[&str]) -> Result<Output, Failure> {
    Command::new("git")
        .args(arguments)
        .output()
        .map_err(|error| Failure::new(exit::CANNOT_READ, format!("cannot run git: {error}"), NO_GIT))
}

/// What went wrong, where `git` cannot find a revision.
fn not_found(what: &str) -> Result<Failure, Failure> {
    let asked = git(&["rev-parse", "--is-shallow-repository"])?;
    if !asked.status.success() {
        let what = "this is no Git repository, so there is no revision to compare with";
        return Ok(Failure::new(exit::CANNOT_READ, what, "`txnr diff OLD NEW` compares two folders"));
    }
    if asked.stdout.starts_with(b"true") {
        let what = format!("{what}: the clone is shallow, and lacks the history");
        let help = "`git fetch --unshallow`; on GitHub, `fetch-depth: 0` of actions/checkout";
        return Ok(Failure::new(exit::CANNOT_READ, what, help));
    }
    Ok(Failure::new(
        exit::CANNOT_READ,
        what,
        "a branch, a tag or a commit that `git log` knows; `git fetch` brings it here",
    ))
}

/// The commit that a revision names.
pub(super) fn commit(revision: &str) -> Result<Commit, Failure> {
    let peeled = format!("{revision}^{{commit}}");
    let asked = git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled])?;
    if !asked.status.success() {
        return Err(not_found(&format!("there is no revision `{revision}` here"))?);
    }
    Ok(Commit { id: first_line(&asked), name: revision.to_owned() })
}

/// The last commit that the working tree has in common with a branch, as its remote has it or, without one, as it is here.
pub(super) fn merge_base(branch: &str) -> Result<Commit, Failure> {
    for known in [format!("refs/remotes/origin/{branch}"), format!("refs/heads/{branch}")] {
        let asked = git(&["merge-base", &known, "HEAD"])?;
        if asked.status.success() {
            return Ok(Commit { id: first_line(&asked), name: format!("the merge base with {branch}") });
        }
    }
    Err(not_found(&format!("nothing is known of the branch `{branch}` that this one began from"))?)
}

fn first_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
}

impl Commit {
    /// A file of a commit, or, of a path with a slash at its end, the files in that folder; nothing where there is none.
    pub(super) fn files(&self, path: &Path) -> Result<Vec<(PathBuf, String)>, Failure> {
        let path = path.to_string_lossy();
        let listed = git(&["ls-tree", "-z", &self.id, "--", &path])?;
        if !listed.status.success() {
            let said = String::from_utf8_lossy(&listed.stderr).trim().to_owned();
            return Err(Failure::new(
                exit::CANNOT_READ,
                format!("git cannot list {path} of {self}: {said}"),
                "",
            ));
        }
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let blobs: Vec<(&str, &str)> = listed
            .split('\0')
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(about, path)| {
                Some((about.split(' ').collect::<Vec<_>>(), path)).filter(|(a, _)| a[1] == "blob")
            })
            .filter_map(|(about, path)| Some((*about.get(2)?, path)))
            .collect();
        let texts = read(&blobs.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
        Ok(blobs.iter().map(|(_, path)| PathBuf::from(path)).zip(texts).collect())
    }
}

/// The texts of blobs, all by one process.
fn read(ids: &[&str]) -> Result<Vec<String>, Failure> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let failed =
        |error: std::io::Error| Failure::new(exit::CANNOT_READ, format!("cannot run git: {error}"), NO_GIT);
    let mut child = Command::new("git")
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let asked = ids.iter().map(|id| format!("{id}\n")).collect::<String>();
    let input = child.stdin.take();
    // Beside the reading: either pipe could be full before the other end is looked at.
    let writer =
        std::thread::spawn(move || input.map_or(Ok(()), |mut input| input.write_all(asked.as_bytes())));
    let output = child.wait_with_output().map_err(failed)?;
    if let Ok(Err(error)) = writer.join() {
        return Err(failed(error));
    }
    let broken =
        || Failure::new(exit::CANNOT_READ, "git cannot read an object of the revision", "`git fsck`");
    let mut rest = output.stdout.as_slice();
    let mut texts = Vec::new();
    for _ in ids {
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size: usize = head.rsplit(' ').next().and_then(|size| size.parse().ok()).ok_or_else(broken)?;
        let text = rest.get(end + 1..end + 1 + size).ok_or_else(broken)?;
        texts.push(String::from_utf8_lossy(text).into_owned());
        rest = rest.get(end + 2 + size..).unwrap_or_default();
    }
    Ok(texts)
}
