//! Questions to the user.

use super::Failure;
use crate::config::Invalid;
use crate::exit;
use std::io::{self, Write};

/// Asks until there is an answer that can be read; an empty one is the default.
pub(super) fn ask<T>(
    question: &str,
    default: Option<&str>,
    read: impl Fn(&str) -> Result<T, Invalid>,
) -> Result<T, Failure> {
    loop {
        let mut stderr = anstream::stderr().lock();
        match default {
            Some(default) => write!(stderr, "{question} [{default}]: ")?,
            None => write!(stderr, "{question}: ")?,
        }
        stderr.flush()?;
        let mut line = String::new();
        if io::stdin().read_line(&mut line)? == 0 {
            return Err(Failure::new(
                exit::USAGE,
                "the answers ended",
                "flags answer as well: `txnr init --help`",
            ));
        }
        let answer = match (line.trim(), default) {
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
