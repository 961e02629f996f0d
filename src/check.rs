//! What only the built module can tell of an environment: how many of something there are, what capacity is used, which
//! alarms and rules there are. An environment is read here, so that nothing of it goes unchecked.

mod boundary;
mod conformance;
mod cross_environment;
mod folder;
mod limits;
mod moves;
mod quotas;
mod silenced;
mod tag_keys;
mod web_acl;

use std::path::{Path, PathBuf};

use crate::config::EnvConfig;
use crate::config::load::{self, LoadError, Loaded};
use crate::config::problem::Problems;
use crate::config::report::Report;

/// Notes what is wrong with an environment whose file is right by itself.
fn further(config: &EnvConfig, problems: &mut Problems) {
    boundary::check(config, problems);
    quotas::check(config, problems);
    web_acl::check(config, problems);
    conformance::check(config, problems);
    silenced::check(config, problems);
    moves::check(config, problems);
    tag_keys::check(config, problems);
    limits::check(config, problems);
}

/// Reads the text of one environment file and checks what is built from it. `path` gives the environment its name and
/// stands in messages.
///
/// # Errors
/// With every mistake in the text.
pub fn parse(path: &Path, text: &str) -> Result<(EnvConfig, Report), Report> {
    load::parse(path, text, further)
}

/// Reads the environments of these names from a folder and checks what is built from them, and what they claim together
/// with other environments of the folder.
///
/// # Errors
/// When a file is missing, unreadable or wrong; every mistake of every file is in the report.
pub fn load_some(folder: &Path, names: &[String]) -> Result<Loaded, LoadError> {
    folder::load_some(folder, names)
}

/// The names of the environments of a folder, whatever their files hold.
///
/// # Errors
/// When the folder cannot be read.
pub fn names(folder: &Path) -> Result<Vec<String>, LoadError> {
    folder::names(folder)
}

/// Reads every environment of a folder, `*.toml`, and checks what is built from them.
///
/// # Errors
/// As [`load_some`].
pub fn load_all(folder: &Path) -> Result<Loaded, LoadError> {
    folder::load_all(folder)
}

/// As [`load_all`], with files that are yet to be written: path and text. A file of the folder is read in place of a new one of
/// its path.
///
/// # Errors
/// As [`load_some`].
pub fn with_new(folder: &Path, new: Vec<(PathBuf, String)>) -> Result<Loaded, LoadError> {
    folder::with_new(folder, new)
}
