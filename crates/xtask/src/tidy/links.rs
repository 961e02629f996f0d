//! Links of Markdown files, and the paths that the maps name: each leads somewhere.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Problem, Repository};

/// Documents in which every path in backticks has to exist.
const MAPS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];
/// What such a path begins with.
const FOLDERS: [&str; 11] = [
    "src/",
    "crates/",
    "tests/",
    "docs/",
    "envs/",
    "templates/",
    "snapshots/",
    "benches/",
    "examples/",
    ".ci/",
    ".github/",
];

pub fn check(repository: &Repository) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    // Templates are judged by what is rendered from them; snapshots and cases are no documents.
    let documents =
        |file: &&str| !["templates/", "snapshots/", "tests/"].iter().any(|folder| file.starts_with(folder));
    for file in repository.ending(".md").filter(documents) {
        let text = repository.read(file)?;
        for (number, line) in prose(&text) {
            let targets = targets(line).into_iter().filter_map(|target| dead(repository, file, &target));
            problems
                .extend(targets.map(|what| Problem::new(file, number, what, "mend the link, or drop it")));
            if MAPS.contains(&file) {
                let missing = paths(line).filter(|path| !repository.has(path));
                problems.extend(missing.map(|path| {
                    let fix = "name the place where it lies now";
                    Problem::new(file, number, format!("there is no `{path}`"), fix)
                }));
            }
        }
    }
    Ok(problems)
}

/// The lines outside of code blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        (!code && !fence).then_some((at + 1, line))
    })
}

/// Where the links of a line lead. What stands in backticks is no link.
fn targets(line: &str) -> Vec<String> {
    let text: String = line.split('`').step_by(2).collect();
    let rest = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    rest.filter_map(|(target, _)| target.split_whitespace().next()).map(str::to_owned).collect()
}

/// What is wrong with a link, if it leads nowhere. Links to other hosts are left alone.
fn dead(repository: &Repository, file: &str, target: &str) -> Option<String> {
    if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let to = if path.is_empty() { file.to_owned() } else { join(file, path) };
    if !repository.has(&to) {
        return Some(format!("the link to {target} leads nowhere: there is no {to}"));
    }
    let anchor = anchor.filter(|_| to.ends_with(".md"))?;
    let text = repository.read(&to).ok()?;
    (!anchors(&text).contains(&anchor.to_owned()))
        .then(|| format!("the link to {target} leads nowhere: {to} has no such heading"))
}

/// A path as seen from the folder of a file.
fn join(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors of a document: those that are written down, and GitHub's of its headings.
fn anchors(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut seen = BTreeMap::<String, usize>::new();
    for (_, line) in prose(text) {
        all.extend(
            line.split("id=\"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(id, _)| id.to_owned()),
        );
        let title = line.trim_start_matches('#');
        if title.len() < line.len() && title.starts_with(' ') {
            let slug = slug(title.trim());
            let count = seen.entry(slug.clone()).and_modify(|count| *count += 1).or_insert(0);
            all.push(if *count == 0 { slug } else { format!("{slug}-{count}") });
        }
    }
    all
}

fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The paths of this repository that stand in backticks. Patterns and placeholders are no paths.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|text| {
        let below = FOLDERS.iter().any(|folder| text.starts_with(folder) && text.len() > folder.len());
        below && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_from_other_text() {
        assert_eq!(targets("see [a](b.md#c) and [`d`](e/f.md) but not `[x](y)`"), ["b.md#c", "e/f.md"]);
        assert_eq!(join("docs/guide/a.md", "../b.md"), "docs/b.md");
        assert_eq!(slug("The rooms, and `their` order"), "the-rooms-and-their-order");
        assert_eq!(anchors("# A b\n## A b\n<a id=\"c\"></a>\n"), ["a-b", "a-b-1", "c"]);
        assert_eq!(paths("`src/a.rs`, `src/<name>.rs` and `src/`").collect::<Vec<_>>(), ["src/a.rs"]);
    }
}
