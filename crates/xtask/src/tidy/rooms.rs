//! The table of rooms, read from ARCHITECTURE.md: which module may import which.

use std::collections::{BTreeMap, BTreeSet};

use super::{Problem, Repository};
use anyhow::{Result, bail};

/// The document that holds the tables.
pub const DOCUMENT: &str = "ARCHITECTURE.md";

/// A crate's rooms.
#[derive(Debug, Default)]
pub struct Rooms {
    /// What each module of the crate's root may import: modules of the crate, and crates of the workspace.
    pub may_import: BTreeMap<String, BTreeSet<String>>,
}

/// The rooms of each crate, by the folder of its sources: `src/`, `crates/txn-reconcile-api/src/`.
///
/// A row of a table whose last column is called `may import` is a room: its path, what it is for, and names in
/// backticks.
pub fn read(repository: &Repository) -> Result<(BTreeMap<String, Rooms>, Vec<Problem>)> {
    let text = repository.read(DOCUMENT)?;
    let (mut crates, mut problems) = (BTreeMap::<String, Rooms>::new(), Vec::new());
    let mut in_table = false;
    for (number, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        if !line.starts_with('|') {
            in_table = false;
        } else if cells.last() == Some(&"may import") {
            in_table = true;
        } else if in_table && !cells[0].starts_with('-') {
            let allowed: BTreeSet<String> = backticked(cells[cells.len() - 1]).map(str::to_owned).collect();
            for path in backticked(cells[0]) {
                if !repository.has(path) {
                    problems.push(Problem::new(
                        DOCUMENT,
                        number + 1,
                        format!("there is no {path}"),
                        "remove the row, or name where the code lies now",
                    ));
                } else if let Some((folder, module)) = split(path) {
                    let rooms = crates.entry(folder).or_default();
                    rooms.may_import.entry(module).or_default().extend(allowed.clone());
                }
            }
        }
    }
    if crates.is_empty() {
        bail!("{DOCUMENT} has no table whose last column is `may import`");
    }
    Ok((crates, problems))
}

/// `src/config/` is the module `config` of the crate in `src/`. A whole crate is no room of another one.
fn split(path: &str) -> Option<(String, String)> {
    let (folder, rest) = path.split_at(path.find("src/")? + "src/".len());
    let module = rest.trim_end_matches('/').trim_end_matches(".rs");
    (!module.is_empty()).then(|| (folder.to_owned(), module.to_owned()))
}

/// What stands between backticks.
fn backticked(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
