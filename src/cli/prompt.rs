//! Questions to the user.

use super::Failure;
use crate::exit;
use std::io::{self, Write};

/// Asks until there is an answer; an empty one is the default.
pub(super) fn ask(question: &str, default: Option<&str>) -> Result<String, Failure> {
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
        match (line.trim(), default) {
            ("", Some(default)) => return Ok(default.to_owned()),
            ("", None) => {}
            (answer, _) => return Ok(answer.to_owned()),
        }
    }
}
