//! What is wrong with an environment file, and at which key.

use std::fmt;
use std::ops::Range;

/// Whether a problem stops the synthesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is synthesized.
    Error,
    /// Worth a look; the synthesis goes on.
    Warning,
}

/// A step from a table to one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// The way from the root of an environment file to a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyPath(pub(crate) Vec<Step>);

impl KeyPath {
    pub(crate) fn key(mut self, key: impl Into<String>) -> Self {
        self.0.push(Step::Key(key.into()));
        self
    }

    /// The path of a value below this one, by plain keys joined by dots.
    pub(crate) fn below(&self, dotted: &str) -> Self {
        let mut path = self.clone();
        path.0.extend(Self::from(dotted).0);
        path
    }

    /// The path of the outermost array that this path leads into, or else the path itself.
    pub(crate) fn before_first_index(&self) -> Self {
        Self(self.0.iter().take_while(|step| matches!(step, Step::Key(_))).cloned().collect())
    }

    pub(crate) fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }
}

impl From<&str> for KeyPath {
    /// A path of plain keys joined by dots.
    fn from(dotted: &str) -> Self {
        Self(dotted.split('.').map(|key| Step::Key(key.to_owned())).collect())
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    f.write_str(if at == 0 { "" } else { "." })?;
                    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                    if !key.is_empty() && key.bytes().all(bare) {
                        f.write_str(key)?
                    } else {
                        write!(f, "{key:?}")?
                    }
                }
            }
        }
        Ok(())
    }
}

/// One problem of an environment file, at a key of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub severity: Severity,
    pub key: KeyPath,
    /// Where it stands, if that is known already; else the key tells.
    pub span: Option<Range<usize>>,
    pub what: String,
    pub help: String,
    /// Further keys whose values the problem was concluded from.
    because: Vec<KeyPath>,
}

impl Problem {
    /// Names further keys whose values the problem was concluded from. Where one of those values is a mistake itself,
    /// the conclusion is dropped.
    pub fn because_of(&mut self, keys: &[&str]) {
        self.because_of_paths(keys.iter().map(|key| KeyPath::from(*key)));
    }

    /// The same, for keys below a table whose name the file chooses.
    pub fn because_of_paths(&mut self, paths: impl IntoIterator<Item = KeyPath>) {
        self.because.extend(paths);
    }

    /// Whether the problem was concluded from a value at, in or around one of the paths.
    pub fn follows_from(&self, paths: &[KeyPath]) -> bool {
        let touches =
            |key: &KeyPath, path: &KeyPath| key.0.starts_with(&path.0) || path.0.starts_with(&key.0);
        let mut keys = self.because.iter().chain([&self.key]);
        keys.any(|key| paths.iter().any(|path| touches(key, path)))
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes that the value at `key` cannot be used.
    pub fn error(
        &mut self,
        key: impl Into<KeyPath>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> &mut Problem {
        self.push(Severity::Error, key.into(), what.into(), help.into())
    }

    /// Notes that the value at `key` is worth a look.
    pub fn warning(
        &mut self,
        key: impl Into<KeyPath>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> &mut Problem {
        self.push(Severity::Warning, key.into(), what.into(), help.into())
    }

    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    fn push(&mut self, severity: Severity, key: KeyPath, what: String, help: String) -> &mut Problem {
        self.0.push_mut(Problem { severity, key, span: None, what, help, because: Vec::new() })
    }

    /// Notes a mistake of the text itself, whose place is known.
    pub fn at(
        &mut self,
        key: KeyPath,
        span: Option<Range<usize>>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.error(key, what, help).span = span;
    }

    pub fn retain(&mut self, keep: impl FnMut(&Problem) -> bool) {
        self.0.retain(keep);
    }
}
