//! Numbers that documents state of this repository.

use anyhow::{Context, Result};

use super::{Problem, Repository};

/// A number that stands in a document.
struct Count {
    file: &'static str,
    /// What stands before the number, on the same line.
    before: &'static str,
    /// What stands after it.
    after: &'static str,
    /// The number as it is.
    count: fn(&Repository) -> Result<usize>,
}

const COUNTS: [Count; 4] = [
    Count { file: ARCHITECTURE, before: "compile_fail/` holds ", after: " cases", count: compile_fail },
    Count { file: ARCHITECTURE, before: "calls its ", after: " stacks", count: stacks },
    Count { file: ARCHITECTURE, before: "tells of ", after: " alarms", count: alarms },
    Count { file: "README.md", before: "It becomes ", after: " resources", count: resources },
];

const ARCHITECTURE: &str = super::rooms::DOCUMENT;

/// Cases that must not compile: all but the one that must.
fn compile_fail(repository: &Repository) -> Result<usize> {
    let cases = repository.ending(".rs").filter(|file| file.starts_with("crates/aws/tests/compile_fail/"));
    Ok(cases.filter(|file| !file.ends_with("/sound.rs")).count())
}

fn stacks(repository: &Repository) -> Result<usize> {
    Ok(super::imports::stacks_in_order(&repository.read("src/synth.rs")?)?.len())
}

/// The lines of the table of alarms: a constant, its name and whom it tells.
fn alarms(repository: &Repository) -> Result<usize> {
    let text = repository.read("src/alarm/table.rs")?;
    let is_entry = |line: &&str| {
        line.split_once(" = \"").is_some_and(|(name, rest)| {
            name.trim().chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
                && (rest.contains("\", Notify,") || rest.contains("\", Page,"))
        })
    };
    Ok(text.lines().filter(is_entry).count())
}

/// The resources of production's snapshots: a header between two lines of dashes, and the file as JSON.
fn resources(repository: &Repository) -> Result<usize> {
    let mut count = 0;
    for file in repository.ending(".snap").filter(|file| file.starts_with("snapshots/prod-")) {
        let text = repository.read(file)?;
        let body = text.splitn(3, "---\n").nth(2).with_context(|| format!("{file} has no header"))?;
        let module: serde_json::Value = serde_json::from_str(body).with_context(|| file.to_owned())?;
        let types = module["resource"].as_object().into_iter().flatten();
        count += types.filter_map(|(_, blocks)| blocks.as_object()).map(serde_json::Map::len).sum::<usize>();
    }
    Ok(count)
}

pub fn check(repository: &Repository) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for count in &COUNTS {
        let text = repository.read(count.file)?;
        let is = (count.count)(repository)?;
        let mut stated = text.lines().enumerate().filter_map(|(at, line)| {
            let rest = &line[line.find(count.before)? + count.before.len()..];
            let number = &rest[..rest.find(count.after)?];
            Some((at + 1, number.replace(',', "").parse::<usize>().ok()?))
        });
        match stated.next() {
            Some((_, said)) if said == is => {}
            Some((line, said)) => {
                let what = format!("{}{said}{}, and there are {is}", count.before, count.after);
                problems.push(Problem::new(count.file, line, what, format!("write {is}")));
            }
            None => {
                let what = format!("`{}N{}` does not stand here any more", count.before, count.after);
                let fix = "say it again, or drop the line from crates/xtask/src/tidy/counts.rs";
                problems.push(Problem::new(count.file, 1, what, fix));
            }
        }
    }
    Ok(problems)
}
