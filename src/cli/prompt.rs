//! Questions to the user.

use super::Failure;
use crate::config::Invalid;
use crate::exit;
use std::io::{self, Write};

/// A question to the user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// What an answer is for and what it may be: said before it is asked for.
    pub about: &'a str,
    /// The question itself, without its colon.
    pub text: &'a str,
    /// The answer that an empty line gives.
    pub default: Option<&'a str>,
}

/// Asks until there is an answer that can be read; an empty one is the default.
pub(super) fn ask<T>(
    question: &Question<'_>,
    read: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<T, Failure> {
    if !question.about.is_empty() {
        writeln!(anstream::stderr(), "\n{}", question.about)?;
    }
    loop {
        let mut stderr = anstream::stderr().lock();
        match question.default {
            Some(default) => write!(stderr, "{} [{default}]: ", question.text)?,
            None => write!(stderr, "{}: ", question.text)?,
        }
        stderr.flush()?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Err(Failure::new(
                exit::USAGE,
                "the answers ended, and nothing was written",
                "flags answer as well: `txnr init --help`",
            ));
        }
        let answer = match (line.trim(), question.default) {
            ("", Some(default)) => default,
            ("", None) => continue,
            (answer, _) => answer,
        };
        match read(answer) {
            Ok(value) => return Ok(value),
            Err(invalid) => writeln!(stderr, "  {}; {}", invalid.problem, invalid.allowed)?,
        }
    }
}
