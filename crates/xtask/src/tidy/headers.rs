//! Generated files say which command writes them.

use anyhow::Result;

use super::{Problem, Repository};
use crate::generate::FILES;

/// The lines at a file's top or end among which the command stands: the keys of some formats are sorted.
const LINES: usize = 8;

pub fn check(repository: &Repository) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for generated in FILES {
        let folder = generated.path.strip_suffix('/');
        let mut files = repository.files.iter().filter(|file| match folder {
            Some(_) => file.starts_with(generated.path),
            None => *file == generated.path,
        });
        let first = files.next();
        if first.is_none() {
            let what = format!("`cargo xtask generate` writes {}, which is not checked in", generated.path);
            problems.push(Problem::new(generated.path, 1, what, "commit it"));
        }
        let Some(header) = generated.header else { continue };
        for file in first.into_iter().chain(files) {
            let text = repository.read(file)?;
            let lines: Vec<&str> = text.lines().collect();
            let (head, tail) = (lines.iter().take(LINES), lines.iter().rev().take(LINES));
            if !head.chain(tail).any(|line| line.contains(header)) {
                let what = "a generated file does not name its generator";
                let fix = format!("make its generator write `{header}` at its top or end");
                problems.push(Problem::new(file, 1, what, fix));
            }
        }
    }
    Ok(problems)
}
