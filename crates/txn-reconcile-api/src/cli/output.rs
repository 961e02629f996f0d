//! Writing files whole or not at all.

use std::io::{BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::{Failure, exit};
use crate::engine::Outcome;
use crate::report::table::Table;
use crate::report::{csv, json};
use crate::rules::Ruleset;

/// Writes a file beside its place and moves it there when it is whole and on disk.
pub fn atomically(
    path: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::new(exit::OUTPUT, format!("{}: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut out = BufWriter::with_capacity(256 << 10, NamedTempFile::new_in(folder).map_err(fail)?);
    write(&mut out).map_err(fail)?;
    let file = out.into_inner().map_err(|error| fail(error.into_error()))?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map(drop).map_err(|error| fail(error.error))
}

/// Writes a list in the format that the file's name ends with.
pub fn table(table: Table, outcome: &Outcome, rules: &Ruleset, path: &Path) -> Result<(), Failure> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => atomically(path, |out| csv::write(table, outcome, rules, out)),
        Some("json") => atomically(path, |out| json::write(table, outcome, rules, out)),
        #[cfg(feature = "parquet")]
        Some("parquet") => atomically(path, |out| crate::report::parquet::write(table, outcome, rules, out)),
        _ => Err(Failure::new(exit::USAGE, format!("{}: name it .csv, .json or .parquet", path.display()))),
    }
}

/// Whether an output's name tells its format; asked before any work is done.
pub fn check_name(path: &Path) -> Result<(), Failure> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv" | "json") => Ok(()),
        #[cfg(feature = "parquet")]
        Some("parquet") => Ok(()),
        _ => Err(Failure::new(exit::USAGE, format!("{}: name it .csv, .json or .parquet", path.display()))),
    }
}
