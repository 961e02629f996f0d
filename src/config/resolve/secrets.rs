//! Checks `[secrets]`.

use crate::config::problem::{KeyPath, Problems};
use crate::config::section::Secrets;
use contract::Secret;

/// Notes rotation that cannot work.
pub(super) fn check(secrets: &Secrets, problems: &mut Problems) {
    for secret in Secret::ALL {
        if secrets.of(secret).rotation_function.is_some() && secrets.readers.is_empty() {
            problems
                .error(
                    KeyPath::from(Secrets::key(secret)).key("rotation_function"),
                    "the function cannot read the secret that it rotates",
                    "the function's role under `readers` in [secrets]",
                )
                .because_of(&["secrets.readers"]);
        }
    }
}
