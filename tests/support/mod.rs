//! What the end-to-end tests share: the real Terraform, a local AWS to apply to, the override files that join
//! the two, and the external referee of the plans.
//!
//! `tests/setup` makes what these need. Where it is missing a test fails and says so; none is skipped.

pub mod checkov;
pub mod local_aws;
pub mod overrides;
pub mod terraform;

use std::path::{Path, PathBuf};

/// A path inside the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The Python of a virtual environment that `tests/setup` made.
pub fn python(environment: &str) -> PathBuf {
    let python = repository(".cache").join(environment).join("bin/python");
    assert!(
        python.exists(),
        "the Python environment {environment:?} is missing\n  fix: run tests/setup once, then the tests again"
    );
    python
}
