//! Reads environment files.

use super::EnvConfig;
use super::problem::{KeyPath, Problems};
use super::report::Report;
use super::salvage::{self, Salvaged};
use super::source::Source;
use super::value::EnvName;
use super::{estate, resolve, suggest};
use estate::Taken;
use std::cell::OnceCell;
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

/// Reads the text of one environment file. `path` gives the environment its name and stands in messages.
///
/// # Errors
/// With every mistake in the text.
pub fn parse(path: &Path, text: &str) -> Result<(EnvConfig, Report), Report> {
    let source = Source::new(path, text);
    let mut problems = Problems::default();
    let config = read(&source, &mut problems);
    let failed = problems.has_errors();
    let report = if problems.is_empty() { Report::default() } else { source.report(problems.into_vec()) };
    match config {
        Some(config) if !failed => Ok((config, report)),
        _ => Err(report),
    }
}

fn read(source: &Source<'_>, problems: &mut Problems) -> Option<EnvConfig> {
    let name = environment_name(source.path(), problems);
    let Salvaged { file, doubtful } = salvage::deserialize(source.text(), problems)?;
    let config = resolve::resolve(name?, file, problems);
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

/// Reads the environments of these names from a folder. What they claim together with other environments of the folder
/// is checked as well.
///
/// # Errors
/// When a file is missing, unreadable or wrong; every mistake of every file is in the report.
pub fn load_some(folder: &Path, names: &[String]) -> Result<Loaded, LoadError> {
    let paths = list(folder)?;
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let known: Vec<String> = paths.iter().filter_map(stem).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(LoadError::Unknown { name: name.clone(), folder: folder.to_owned(), known });
    }
    load_files(&paths, |path| stem(path).is_some_and(|stem| names.contains(&stem)))
}

/// Reads every environment of a folder, `*.toml`.
///
/// # Errors
/// As [`load_some`].
pub fn load_all(folder: &Path) -> Result<Loaded, LoadError> {
    let paths = list(folder)?;
    if paths.is_empty() {
        return Err(LoadError::Empty { folder: folder.to_owned() });
    }
    load_files(&paths, |_| true)
}

/// A file that has been read.
struct Read<'a> {
    path: &'a PathBuf,
    text: String,
    wanted: bool,
    result: Result<(EnvConfig, Report), Report>,
    /// The names of its resources, once they are asked for.
    taken: OnceCell<Taken>,
}

impl Read<'_> {
    fn taken(&self, config: &EnvConfig) -> &Taken {
        self.taken.get_or_init(|| Taken::by(config))
    }
}

fn load_files(paths: &[PathBuf], wanted: impl Fn(&PathBuf) -> bool) -> Result<Loaded, LoadError> {
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let wanted = wanted(path);
        match fs::read_to_string(path) {
            Ok(text) => {
                files.push(Read { path, wanted, result: parse(path, &text), text, taken: OnceCell::new() })
            }
            Err(source) if wanted => return Err(LoadError::Unreadable { path: path.clone(), source }),
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
    let config = |file: Read<'_>| Some(Environment { path: file.path.clone(), config: file.result.ok()?.0 });
    let environments = files.into_iter().filter(|file| file.wanted).filter_map(config).collect();
    Ok(Loaded { environments, warnings })
}

/// What an environment claims that another claims as well. Of two that are both wanted, the later one is told.
fn claims(this: &Read<'_>, files: &[Read<'_>]) -> Report {
    let Ok((config, _)) = &this.result else { return Report::default() };
    let mut problems = Problems::default();
    let others =
        files.iter().filter(|other| other.path < this.path || (other.path > this.path && !other.wanted));
    for file in others {
        let Ok((other, _)) = &file.result else { continue };
        estate::check(config, other, &mut problems);
        if config.account_id == other.account_id && !problems.has_errors() {
            let both = [(config, this.taken(config)), (other, file.taken(other))];
            estate::check_taken(both, &mut problems);
        }
    }
    if problems.is_empty() {
        Report::default()
    } else {
        Source::new(this.path, &this.text).report(problems.into_vec())
    }
}

/// The environment files of a folder, sorted.
fn list(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
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
        let whole = format!("{head}{network}{text}");
        match parse(Path::new("test.toml"), &whole) {
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
        let loaded = load_all(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/envs"))).expect("valid files");
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
