//! Prints problems the way rustc prints them: what, where, the line with a mark under it, and how to mend it.

pub use super::problem::Severity;
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Problems of one or more environment files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report(Vec<Diagnostic>);

/// A problem and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it stops the synthesis.
    pub severity: Severity,
    /// The key, such as `network.egress[1].port`; empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What is allowed.
    pub help: String,
    /// Where.
    pub place: Place,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line and what to mark in it; absent where the file as a whole is meant.
    pub line: Option<Line>,
}

/// A line of a file, with a part of it marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line's number, from 1.
    pub number: usize,
    /// The marked part's first character, from 1.
    pub column: usize,
    /// How many characters are marked, at least 1.
    pub width: usize,
    /// The line's text.
    pub text: String,
}

impl Report {
    pub(crate) fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Self(diagnostics)
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Every problem, file by file, in the order of the text.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.0
    }

    /// Whether a problem stops the synthesis.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether there is no problem.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Place {
    pub(crate) fn new(path: &Path, text: &str, span: Option<Range<usize>>) -> Self {
        Self { path: path.to_owned(), line: span.map(|span| Line::new(text, span)) }
    }
}

impl Line {
    fn new(text: &str, span: Range<usize>) -> Self {
        let start = floor(text, span.start);
        let end = floor(text, span.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].split(['\n', '\r']).next().unwrap_or_default();
        let before = text[line_start..start].chars().count();
        let marked = text[start..end].split(['\n', '\r']).next().unwrap_or_default().chars().count();
        Self {
            number: text[..line_start].matches('\n').count() + 1,
            column: before + 1,
            width: marked.max(1),
            text: line.to_owned(),
        }
    }
}

impl Line {
    /// Shows no more of the line than its key.
    pub(crate) fn hide_value(&mut self) {
        let Some((key, _)) = self.text.split_once('=') else { return };
        let shown = key.chars().count();
        self.text = format!("{key}= …");
        if self.column > shown {
            (self.column, self.width) = (shown + 3, 1);
        }
        self.width = self.width.min(shown + 3);
    }
}

/// The last boundary between characters at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// How many characters of a line are shown.
const LINE_MAX: usize = 200;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();
const MARGIN: Style = AnsiColor::Blue.on_default().bold();

impl fmt::Display for Report {
    /// Holds colours; print it through a stream that strips them where they are not wanted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "\n" })?;
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (style, word) = match self.severity {
            Severity::Error => (ERROR, "error"),
            Severity::Warning => (WARNING, "warning"),
        };
        write!(f, "{style}{word}{style:#}: ")?;
        let named = self.key.is_empty() || self.what.contains(&format!("`{}`", self.key));
        if !named {
            write!(f, "{}: ", self.key)?;
        }
        writeln!(f, "{}", masked(&self.what))?;
        self.place.fmt(f)?;
        if !self.help.is_empty() {
            writeln!(f, "  {HELP}help{HELP:#}: {}", self.help)?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        let Some(line) = &self.line else { return writeln!(f, "  {MARGIN}-->{MARGIN:#} {path}") };
        let number = line.number.to_string();
        let indent = " ".repeat(number.len());
        let shown: String = line.text.chars().take(LINE_MAX).collect();
        let text = masked(&shown);
        // A tab before the mark is repeated, so that the mark stands below what it marks at any width of tab.
        let lead: String =
            shown.chars().take(line.column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let mark = "^".repeat(line.width.min(LINE_MAX.saturating_sub(line.column - 1)));
        writeln!(f, "{indent}{MARGIN}-->{MARGIN:#} {path}:{number}:{}", line.column)?;
        writeln!(f, "{indent} {MARGIN}|{MARGIN:#}")?;
        writeln!(f, "{MARGIN}{number} |{MARGIN:#} {text}")?;
        writeln!(f, "{indent} {MARGIN}|{MARGIN:#} {lead}{ERROR}{mark}{ERROR:#}")
    }
}

/// Hides the digits of runs of ten or more, hyphens between them or not: messages end up in build logs, and account
/// ids do not belong there.
fn masked(text: &str) -> Cow<'_, str> {
    const RUN_MIN: usize = 10;
    let digit = |c: char| c.is_ascii_digit();
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(digit) {
        let end = rest[start..].find(|c| !digit(c) && c != '-').map_or(rest.len(), |length| start + length);
        let run = &rest[start..end];
        hidden.push_str(&rest[..start]);
        if run.chars().filter(|c| digit(*c)).count() >= RUN_MIN {
            hidden.push_str(&run.replace(digit, "*"));
        } else {
            hidden.push_str(run);
        }
        rest = &rest[end..];
    }
    if hidden.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(hidden + rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_hidden_and_other_numbers_are_not() {
        assert_eq!(masked("id 111122223333."), "id ************.");
        assert_eq!(masked("\"1111-2222-3333\""), "\"****-****-****\"");
        assert_eq!(masked("10.30.0.0/16 in 2025-09, 400 days"), "10.30.0.0/16 in 2025-09, 400 days");
    }

    #[test]
    fn a_mark_stands_below_what_it_marks() {
        let text = "a = 1\n\tb = \"\u{e4}\u{1f980}\" # c\r\n";
        let start = text.find('"').expect("a string");
        let line = Line::new(text, start..start + 8);
        assert_eq!(
            (line.number, line.column, line.width, line.text.as_str()),
            (2, 6, 4, "\tb = \"\u{e4}\u{1f980}\" # c")
        );
    }

    #[test]
    fn any_span_has_a_line() {
        let text = "\u{1f980}\n";
        for start in 0..8 {
            for end in 0..8 {
                assert!(Line::new(text, start..end).width >= 1);
            }
        }
    }
}
