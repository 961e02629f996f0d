//! The service's program. txnr does not link it: it is built, found and run as what it is.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::SystemTime;

/// Its name: the package's and the file's.
const NAME: &str = "txn-reconcile-api";

/// Where it is. `cargo test --workspace` has built it by now; a test that runs by itself builds it first. The variable
/// TXN_RECONCILE_API names another one.
pub fn path() -> &'static Path {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        if let Some(path) = std::env::var_os("TXN_RECONCILE_API") {
            return path.into();
        }
        // target/debug/deps/deployed-0123456789abcdef
        let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
        let program = folder.join(NAME);
        if !is_fresh(&program) {
            build(folder.ends_with("release"));
        }
        assert!(program.exists(), "cargo has not built {}", program.display());
        program
    });
    &PATH
}

fn build(release: bool) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked", "--package", NAME, "--bin", NAME]);
    if release {
        command.arg("--release");
    }
    let built = command.current_dir(crate::repository("")).status().expect("cargo runs");
    assert!(built.success(), "the service does not build");
}

/// Whether it is there and no source that cargo has noted beside it is newer.
fn is_fresh(program: &Path) -> bool {
    let modified = |path: &Path| -> Option<SystemTime> { std::fs::metadata(path).ok()?.modified().ok() };
    let Some(built) = modified(program) else { return false };
    let Ok(noted) = std::fs::read_to_string(program.with_extension("d")) else { return false };
    let sources = noted.split_once(": ").map_or("", |(_, sources)| sources);
    // A path with a space in it is not found, and counts as newer.
    sources.split_whitespace().all(|source| modified(Path::new(source)).is_some_and(|at| at <= built))
}
