//! The text of an environment file, and the place of a key in it.

use super::problem::{KeyPath, Problem, Step};
use super::report::{Diagnostic, Line, Place, Report};
use std::ops::Range;
use std::path::Path;
use toml::de::DeTable;

/// A file's path and text.
pub(crate) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

impl<'a> Source<'a> {
    pub fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text }
    }

    pub fn path(&self) -> &'a Path {
        self.path
    }

    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The problems with their places, in the order of the text.
    pub fn report(&self, problems: Vec<Problem>) -> Report {
        let (document, _) = DeTable::parse_recoverable(self.text);
        let mut diagnostics: Vec<Diagnostic> =
            problems.into_iter().map(|problem| self.locate(problem, document.get_ref())).collect();
        diagnostics
            .sort_by_key(|diagnostic| diagnostic.place.line.as_ref().map(|line| (line.number, line.column)));
        Report::new(diagnostics)
    }

    fn locate(&self, problem: Problem, document: &DeTable<'_>) -> Diagnostic {
        let span = problem.span.clone().or_else(|| find(document, &problem.key));
        let mut place = Place::new(self.path, self.text, span);
        if let Some(line) = place.line.as_mut().filter(|line| self.is_private(&problem.key, line)) {
            line.hide_value();
        }
        Diagnostic {
            severity: problem.severity,
            key: problem.key.to_string(),
            what: problem.what,
            help: problem.help,
            place,
        }
    }

    /// Whether a line may hold a secret: someone may have written its value where its ARN belongs. Where the syntax is
    /// wrong there is no key to tell, but the heading above does.
    fn is_private(&self, key: &KeyPath, line: &Line) -> bool {
        const TABLES: [&str; 2] = ["secrets", "environment"];
        let above = self.text.lines().take(line.number).filter(|line| line.trim_start().starts_with('['));
        let heading = above.last().unwrap_or_default().trim().trim_matches(['[', ']']);
        let below_service = |text: &str| text == "service" || text == "services";
        let inline = || TABLES.iter().any(|name| line.text.contains(name));
        let steps = || {
            key.0.iter().filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            })
        };
        let headed = heading.split('.').next().is_some_and(below_service)
            && heading.rsplit('.').next().is_some_and(|last| TABLES.contains(&last));
        let keyed =
            steps().next().is_some_and(below_service) && steps().skip(1).any(|step| TABLES.contains(&step));
        headed || keyed || (key.0.is_empty() && inline())
    }
}

/// The span of the value at `key`, or of the nearest table around it.
fn find(document: &DeTable<'_>, key: &KeyPath) -> Option<Range<usize>> {
    let mut span = None;
    let mut table = Some(document);
    let mut array = None;
    for step in &key.0 {
        let value = match step {
            Step::Key(key) => table.and_then(|table| table.get(key.as_str())),
            Step::Index(index) => array.and_then(|array: &toml::de::DeArray<'_>| array.get(*index)),
        };
        let Some(value) = value else { break };
        span = Some(value.span());
        table = value.get_ref().as_table();
        array = value.get_ref().as_array();
    }
    span
}
