//! Reads the environment files of a folder, and checks them one beside another.

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use terraform::Errors;

use super::cross_environment::{self, Taken};
use super::further;
use crate::config::EnvConfig;
use crate::config::load::{self, Environment, LoadError, Loaded};
use crate::config::problem::{KeyPath, Problems};
use crate::config::report::Report;

/// As [`super::load_some`].
///
/// # Errors
/// When a file is missing, unreadable or wrong; every mistake of every file is in the report.
pub(super) fn load_some(folder: &Path, names: &[String]) -> Result<Loaded, LoadError> {
    let paths = load::list(folder)?;
    let known: Vec<String> = paths.iter().filter_map(|path| stem(path)).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(LoadError::Unknown { name: name.clone(), folder: folder.to_owned(), known });
    }
    check_together(read(&paths), |path| stem(path).is_some_and(|stem| names.contains(&stem)))
}

/// As [`super::names`].
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, LoadError> {
    Ok(load::list(folder)?.iter().filter_map(|path| stem(path)).collect())
}

fn stem(path: &Path) -> Option<String> {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned())
}

/// As [`super::load_all`].
///
/// # Errors
/// As [`load_some`].
pub(super) fn load_all(folder: &Path) -> Result<Loaded, LoadError> {
    let paths = load::list(folder)?;
    if paths.is_empty() {
        return Err(LoadError::Empty { folder: folder.to_owned() });
    }
    check_together(read(&paths), |_| true)
}

/// As [`super::with_new`].
///
/// # Errors
/// As [`load_some`].
pub(super) fn with_new(folder: &Path, new: Vec<(PathBuf, String)>) -> Result<Loaded, LoadError> {
    let mut texts: Vec<(PathBuf, io::Result<String>)> = Vec::new();
    let there = if folder.exists() { load::list(folder)? } else { Vec::new() };
    let new = new.into_iter().filter(|(path, _)| !there.contains(path)).map(|(path, text)| (path, Ok(text)));
    texts.extend(new);
    texts.extend(read(&there));
    texts.sort_by(|(one, _), (other, _)| one.cmp(other));
    check_together(texts, |_| true)
}

fn read(paths: &[PathBuf]) -> Vec<(PathBuf, io::Result<String>)> {
    paths.iter().map(|path| (path.clone(), fs::read_to_string(path))).collect()
}

/// A file that has been read.
struct Read {
    path: PathBuf,
    text: String,
    wanted: bool,
    result: Result<(EnvConfig, Report), Report>,
    /// The names of its resources, once they are asked for.
    taken: OnceCell<Result<Taken, Errors>>,
}

impl Read {
    fn taken(&self, config: &EnvConfig) -> Result<&Taken, &Errors> {
        self.taken.get_or_init(|| Taken::by(config)).as_ref()
    }
}

/// `texts` in the order of their paths.
fn check_together(
    texts: Vec<(PathBuf, io::Result<String>)>,
    wanted: impl Fn(&Path) -> bool,
) -> Result<Loaded, LoadError> {
    let mut files = Vec::with_capacity(texts.len());
    for (path, text) in texts {
        let wanted = wanted(&path);
        match text {
            Ok(text) => {
                let result = load::parse(&path, &text, further);
                files.push(Read { path, wanted, result, text, taken: OnceCell::new() });
            }
            Err(source) if wanted => return Err(LoadError::Unreadable { path, source }),
            Err(_) => {}
        }
    }
    let (mut warnings, mut errors) = (Report::default(), Report::default());
    for file in files.iter().filter(|file| file.wanted) {
        let (own, together) =
            (file.result.as_ref().map_or_else(Clone::clone, |(_, own)| own.clone()), claims(file, &files));
        let failed = file.result.is_err() || together.has_errors();
        let report = if failed { &mut errors } else { &mut warnings };
        report.extend(own);
        report.extend(together);
    }
    if !errors.is_empty() {
        return Err(LoadError::Invalid(errors));
    }
    let config = |file: Read| Some(Environment { path: file.path, config: file.result.ok()?.0 });
    let environments = files.into_iter().filter(|file| file.wanted).filter_map(config).collect();
    Ok(Loaded { environments, warnings })
}

/// What an environment claims that another claims as well. Of two that are both wanted, the later one is told.
fn claims(this: &Read, files: &[Read]) -> Report {
    let Ok((config, _)) = &this.result else { return Report::default() };
    let mut problems = Problems::default();
    let others =
        files.iter().filter(|other| other.path < this.path || (other.path > this.path && !other.wanted));
    for file in others {
        let Ok((other, _)) = &file.result else { continue };
        cross_environment::check(config, other, &mut problems);
        if config.account_id == other.account_id && !problems.has_errors() {
            match this.taken(config).and_then(|ours| Ok([(config, ours), (other, file.taken(other)?)])) {
                Ok(both) => cross_environment::check_taken(both, &mut problems),
                Err(errors) => {
                    let what = format!("which names are taken in the account cannot be told: {errors}");
                    problems.error(KeyPath::default(), what, "mend that first");
                }
            }
        }
    }
    load::report(&this.path, &this.text, problems)
}
