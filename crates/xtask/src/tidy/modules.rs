//! One module convention: a module with submodules is `name.rs` beside the folder `name/`.

use super::{Problem, Repository};

pub fn check(repository: &Repository) -> Vec<Problem> {
    let is_source = |file: &&str| {
        // Cargo takes every file of `tests/` for a test of its own, but a folder's `mod.rs`; and a generator owns its
        // folder as a whole.
        !file.split('/').any(|part| ["tests", "benches", "generated"].contains(&part))
    };
    let wrong = repository.ending("/mod.rs").filter(is_source);
    wrong
        .map(|file| {
            let right = file.replace("/mod.rs", ".rs");
            let what = "a module's own file is called after the module";
            Problem::new(file, 1, what, format!("git mv {file} {right}"))
        })
        .collect()
}
