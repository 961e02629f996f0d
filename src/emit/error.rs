//! Why output could not be written.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why output could not be written.
#[derive(Debug)]
pub enum EmitError {
    /// The operating system refused.
    Io {
        /// What was attempted, as a verb: "write".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it refused.
        source: io::Error,
    },
    /// A file that txnr did not write has the name of a generated one.
    Foreign {
        /// Which one.
        path: PathBuf,
    },
}

impl EmitError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { action, path: path.to_owned(), source }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => "the output is as it was before; `--out DIR` writes to another folder",
            Self::Foreign { .. } => {
                "rename it (Terraform merges files whose names end in `_override.tf.json`), or overwrite it with \
                 `--force`"
            }
        }
    }
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => write!(f, "cannot {action} {}: {source}", path.display()),
            Self::Foreign { path } => {
                write!(
                    f,
                    "{} is in the way: txnr did not write it (it is not in the manifest)",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for EmitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Foreign { .. } => None,
        }
    }
}
