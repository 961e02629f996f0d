//! What a subcommand can end with, apart from success.

use crate::config::load::LoadError;
use crate::config::report::{Report, Severity};
use crate::emit::EmitError;
use crate::exit::{self, Exit};
use anstyle::{AnsiColor, Style};
use std::fmt;
use std::io::{self, Write};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Why a subcommand failed: an exit code, and what to tell the user.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: Message,
}

#[derive(Debug)]
enum Message {
    /// Said already, or nothing to say.
    None,
    /// A sentence, and how to mend it.
    Text { what: String, help: String },
    /// Mistakes in files of these.
    Report(Report, &'static str),
}

impl Failure {
    pub(super) fn new(exit: Exit, what: impl fmt::Display, help: impl Into<String>) -> Self {
        Self { exit, message: Message::Text { what: what.to_string(), help: help.into() } }
    }

    /// Mistakes in files, and how those are called.
    pub(super) fn mistakes(report: Report, files: &'static str) -> Self {
        Self { exit: exit::INVALID, message: Message::Report(report, files) }
    }

    pub(super) fn silent(exit: Exit) -> Self {
        Self { exit, message: Message::None }
    }

    /// What went wrong, where it is one sentence.
    pub(super) fn what(&self) -> &str {
        match &self.message {
            Message::Text { what, .. } => what,
            Message::None | Message::Report(..) => "",
        }
    }

    /// Tells the user on standard error, and returns the exit code.
    #[must_use]
    pub fn report(self) -> Exit {
        let mut stderr = anstream::stderr().lock();
        // Whoever closed standard error does not want to know.
        let _ignored = match &self.message {
            Message::None => Ok(()),
            Message::Text { what, help } => write_text(&mut stderr, what, help),
            Message::Report(report, files) => write_report(&mut stderr, report, files),
        };
        self.exit
    }
}

fn write_text(stderr: &mut impl Write, what: &str, help: &str) -> io::Result<()> {
    writeln!(stderr, "{ERROR}error{ERROR:#}: {what}")?;
    if help.is_empty() { Ok(()) } else { writeln!(stderr, "  {HELP}help{HELP:#}: {help}") }
}

fn write_report(stderr: &mut impl Write, report: &Report, files: &str) -> io::Result<()> {
    let count = report.diagnostics().iter().filter(|d| d.severity == Severity::Error).count();
    let mistakes = if count == 1 { "mistake" } else { "mistakes" };
    writeln!(stderr, "{report}")?;
    writeln!(stderr, "{ERROR}error{ERROR:#}: {count} {mistakes} in the {files}; nothing was written")
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let exit = match error {
            LoadError::Invalid(report) => {
                return Self::mistakes(report, "environment files");
            }
            LoadError::Unreadable { .. } | LoadError::Empty { .. } => exit::CANNOT_READ,
            LoadError::Unknown { .. } => exit::USAGE,
        };
        let help = error.help();
        Self::new(exit, error, help)
    }
}

impl From<EmitError> for Failure {
    fn from(error: EmitError) -> Self {
        let help = error.help();
        Self::new(exit::CANNOT_WRITE, error, help)
    }
}

impl From<terraform::Errors> for Failure {
    fn from(errors: terraform::Errors) -> Self {
        anyhow::Error::new(errors).into()
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::new(exit::UNEXPECTED, format!("{error:#}"), "this is a bug in txnr; please report it")
    }
}

/// Standard output that can no longer be written to. A reader that has seen enough (`txnr schema | head`) is no
/// failure; a full disk is.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(exit::OK);
        }
        Self::new(exit::CANNOT_WRITE, format!("cannot write to standard output: {error}"), "")
    }
}
