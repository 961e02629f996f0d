//! Reads environment files.

use super::EnvConfig;
use super::lenient_parse::{self, Parsed};
use super::problem::{KeyPath, Problems};
use super::report::Report;
use super::source::Source;
use super::value::EnvName;
use super::{resolve, suggest};
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// An environment file and the environment that it describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Where the file lies.
    pub path: PathBuf,
    /// The environment.
    pub config: EnvConfig,
}

/// Environments, and what is worth a look in their files.
#[derive(Debug)]
pub struct Loaded {
    /// The environments in the order of their names.
    pub environments: Vec<Environment>,
    /// Warnings; no errors among them.
    pub warnings: Report,
}

/// Checks of an environment that need more than its file: what is built from it is counted, for example. `config` knows
/// nothing of them; `crate::check` hands them in.
pub(crate) type Further = fn(&EnvConfig, &mut Problems);

/// Why no environment could be read.
#[derive(Debug)]
pub enum LoadError {
    /// The files say what they may not say.
    Invalid(Report),
    /// A file or folder could not be read.
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The folder holds no environment file.
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds no environment of that name.
    Unknown {
        /// The name asked for.
        name: String,
        /// The folder.
        folder: PathBuf,
        /// The names that there are.
        known: Vec<String>,
    },
}

impl LoadError {
    /// How to mend it; empty where the report says so itself.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Invalid(_) => String::new(),
            Self::Unreadable { .. } | Self::Empty { .. } => {
                "`--envs DIR` names the folder of the environment files".to_owned()
            }
            Self::Unknown { name, known, .. } => {
                let list = known.join(", ");
                match suggest::nearest(name, known.iter().map(String::as_str)) {
                    Some(nearest) => format!("did you mean `{nearest}`? there are {list}"),
                    None => format!("there are {list}"),
                }
            }
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(report) => report.fmt(f),
            Self::Unreadable { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::Empty { folder } => write!(f, "no environment files (*.toml) in {}", folder.display()),
            Self::Unknown { name, folder, .. } => {
                write!(f, "there is no environment `{name}` in {}", folder.display())
            }
        }
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Reads the text of one environment file, and checks `further`. `path` gives the environment its name and stands in
/// messages.
///
/// # Errors
/// With every mistake in the text.
pub(crate) fn parse(path: &Path, text: &str, further: Further) -> Result<(EnvConfig, Report), Report> {
    let source = Source::new(path, text);
    let mut problems = Problems::default();
    let config = read(&source, further, &mut problems);
    let failed = problems.has_errors();
    let report = report(path, text, problems);
    match config {
        Some(config) if !failed => Ok((config, report)),
        _ => Err(report),
    }
}

fn read(source: &Source<'_>, further: Further, problems: &mut Problems) -> Option<EnvConfig> {
    let name = environment_name(source.path(), problems);
    let Parsed { file, doubtful } = lenient_parse::deserialize(source.text(), problems)?;
    let config = resolve::resolve(name?, file, problems);
    if let Some(config) = &config {
        further(config, problems);
    }
    drop_consequences(&doubtful, problems);
    config
}

/// Drops what was concluded from values that are defaults only because a mistake hid what is written.
fn drop_consequences(doubtful: &[KeyPath], problems: &mut Problems) {
    // Without one of its elements an array is another array.
    let whole: Vec<KeyPath> = doubtful.iter().map(KeyPath::before_first_index).collect();
    problems.retain(|problem| problem.span.is_some() || !problem.follows_from(&whole));
}

fn environment_name(path: &Path, problems: &mut Problems) -> Option<EnvName> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.parse::<EnvName>()
        .map_err(|invalid| {
            let what = format!("the file's name is the environment's name, and {}", invalid.problem);
            problems.error(KeyPath::default(), what, invalid.allowed);
        })
        .ok()
}

/// What is wrong with a file that has been read, where it stands in its text.
pub(crate) fn report(path: &Path, text: &str, problems: Problems) -> Report {
    if problems.is_empty() { Report::default() } else { Source::new(path, text).report(problems.into_vec()) }
}

/// The environment files of a folder, sorted.
pub(crate) fn list(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let unreadable = |source| LoadError::Unreadable { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // Hidden files are what editors leave behind.
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

impl EnvConfig {
    /// An environment for the tests of stacks: the text of a file, with whatever is required filled in where the text
    /// does not say it. The name is `test`.
    ///
    /// # Panics
    /// When the text is wrong; the message is the report.
    #[cfg(test)]
    pub fn for_test(text: &str) -> Self {
        const REQUIRED: [(&str, &str); 5] = [
            ("organization", "acme"),
            ("project", "txn-reconcile"),
            ("account_id", "111122223333"),
            ("region", "us-east-1"),
            ("domain", "reconcile.example.com"),
        ];
        let mut head = String::new();
        if !text.contains("alarms") {
            head.push_str("alarms.page = [\"oncall@example.com\"]\n");
        }
        for (key, value) in REQUIRED {
            if !text.lines().any(|line| line.starts_with(&format!("{key} ="))) {
                head.push_str(&format!("{key} = \"{value}\"\n"));
            }
        }
        let network = if text.contains("cidr = \"10") || text.contains("network.existing") {
            ""
        } else {
            "network.cidr = \"10.30.0.0/16\"\n"
        };
        let (service, text) = if text.contains("contract =") {
            ("", text.to_owned())
        } else if text.contains("[service]\n") {
            ("", text.replacen("[service]\n", "[service]\ncontract = \"txn-reconcile-api\"\n", 1))
        } else {
            ("service.contract = \"txn-reconcile-api\"\n", text.to_owned())
        };
        let whole = format!("{head}{network}{service}{text}");
        match crate::check::parse(Path::new("test.toml"), &whole) {
            Ok((config, _)) => config,
            Err(report) => panic!("{report}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environments_of_this_repository_are_right() {
        let loaded = crate::check::load_all(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/envs")))
            .expect("valid files");
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        let names: Vec<_> = loaded.environments.iter().map(|e| e.config.name.as_str()).collect();
        assert_eq!(names, ["dev", "prod", "stage"]);
    }

    #[test]
    fn for_test_fills_in_what_is_required() {
        let config = EnvConfig::for_test("");
        assert_eq!(config.network.own().expect("a VPC of its own").subnets.private.len(), 3);
        assert!(EnvConfig::for_test("production = false\nprotection = false").name.as_str() == "test");
    }
}
