//! Holds the repository to what its documents say of it: who may import whom, where links lead, who is depended on.

mod counts;
mod headers;
mod imports;
mod links;
mod manifests;
mod modules;
mod rooms;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Something that is not as it should be.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, below the repository's root.
    pub file: String,
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub fix: String,
}

impl Problem {
    fn new(file: impl Into<String>, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { file: file.into(), line, what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}\n  fix: {}", self.file, self.line, self.what, self.fix)
    }
}

/// The repository as it is looked at.
pub struct Repository {
    /// Where it lies.
    pub root: PathBuf,
    /// Every file that is checked in or about to be, below the root, in order.
    pub files: Vec<String>,
}

impl Repository {
    /// The repository at `root`, by what Git says that it holds; an unpacked archive holds whatever lies there.
    pub fn open(root: &Path) -> Result<Self> {
        let mut files = if root.join(".git").exists() { tracked(root)? } else { unpacked(root)? };
        files.retain(|name| root.join(name).is_file());
        files.sort();
        files.dedup();
        Ok(Self { root: root.to_owned(), files })
    }

    /// The text of a file.
    pub fn read(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(file)).with_context(|| format!("cannot read {file}"))
    }

    /// Whether there is a file or a folder of that name.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.iter().any(|file| file == path || file.starts_with(&folder))
    }

    /// The files whose names end so.
    pub fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(String::as_str).filter(move |file| file.ends_with(end))
    }
}

fn tracked(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    }
    let names = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Every file below `root`, without what builds and tests leave behind.
fn unpacked(root: &Path) -> Result<Vec<String>> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry?.path();
            if path.is_file() {
                files.push(path.strip_prefix(root)?.to_string_lossy().into_owned());
            } else if path.is_dir() && !path.ends_with("target") && !path.ends_with(".cache") {
                folders.push(path);
            }
        }
    }
    Ok(files)
}

/// Looks at everything.
///
/// # Errors
/// With every problem that was found.
pub fn run(root: &Path) -> Result<()> {
    let repository = Repository::open(root)?;
    let mut problems = Vec::new();
    problems.extend(imports::check(&repository)?);
    problems.extend(modules::check(&repository));
    problems.extend(headers::check(&repository)?);
    problems.extend(links::check(&repository)?);
    problems.extend(counts::check(&repository)?);
    problems.extend(manifests::check(&repository)?);
    if problems.is_empty() {
        return Ok(());
    }
    problems.sort();
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    bail!("{}\n\n{} to mend", all.join("\n"), all.len())
}
