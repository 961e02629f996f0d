//! What the tests of several crates share: the real Terraform, a local AWS to apply to, the override files that join the
//! two; a PostgreSQL; the service as a process, on a laptop or as a task on the engines that it is deployed on; and a caller
//! of its API.
//!
//! It links neither `txnr` nor the service: both are run as what they are. `tests/setup` makes what it needs. Where that is
//! missing a test fails and says so; none is skipped.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests wait by the clock; the rule is for synthesis")]

pub mod address;
pub mod engines;
pub mod http;
pub mod laptop;
pub mod local_aws;
pub mod needs;
pub mod overrides;
pub mod postgres;
pub mod program;
pub mod task;
pub mod terraform;

use std::path::{Path, PathBuf};

/// A path inside the repository.
pub fn repository(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in crates/");
    root.join(path)
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
