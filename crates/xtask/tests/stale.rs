//! The checked-in bindings are what the generator writes.

use std::process::Command;

#[test]
fn the_bindings_are_not_stale() {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).args(["bindings", "--check"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
