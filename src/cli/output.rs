//! Data on standard output, words for people on standard error.

use std::fmt;
use std::io::{self, Write};

/// Writes data to standard output.
pub(super) fn data(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes a line for people to standard error, coloured if that is a terminal. Whoever closed standard error does not
/// want to know.
pub(super) fn say(line: impl fmt::Display) {
    let _ignored = writeln!(anstream::stderr(), "{line}");
}
