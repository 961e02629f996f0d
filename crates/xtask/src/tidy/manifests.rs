//! Dependencies that nothing uses, and dependencies among the workspace's own crates.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Problem, Repository};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: BTreeSet<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: String,
    dependencies: Vec<Declared>,
    targets: Vec<Target>,
}

/// Something that is built of a package.
#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    doctest: bool,
}

/// A dependency as the manifest declares it.
#[derive(Deserialize)]
struct Declared {
    name: String,
    rename: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

/// A dependency by the name that code calls it by.
#[derive(Deserialize)]
struct Dependency {
    name: String,
}

pub fn check(repository: &Repository) -> Result<Vec<Problem>> {
    let metadata = metadata(&repository.root)?;
    let mut problems = Vec::new();
    let mut declared = BTreeSet::new();
    for package in metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id))
    {
        declared
            .extend(package.dependencies.iter().map(|one| one.rename.clone().unwrap_or(one.name.clone())));
        let manifest = Path::new(&package.manifest_path)
            .strip_prefix(&repository.root)
            .with_context(|| format!("{} lies elsewhere", package.manifest_path))?;
        let folder =
            manifest.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
        let library = package.targets.iter().find(|target| target.kind.iter().any(|kind| kind == "lib"));
        if library.is_some_and(|library| !library.doctest) {
            problems.extend(examples(repository, &folder)?);
        }
        let words = words(repository, &folder)?;
        let node = metadata.resolve.nodes.iter().find(|node| node.id == package.id);
        let unused = node.into_iter().flat_map(|node| &node.deps).filter(|used| !words.contains(&used.name));
        for unused in unused {
            let manifest = manifest.to_string_lossy();
            let line = line_of(&repository.read(&manifest)?, &unused.name);
            let what = format!("nothing in {} uses `{}`", package.name, unused.name);
            problems.push(Problem::new(manifest, line, what, "remove the dependency"));
        }
    }
    problems.extend(of_workspace(repository, &declared)?);
    Ok(problems)
}

/// Examples of a crate whose examples are not run.
fn examples(repository: &Repository, folder: &str) -> Result<Vec<Problem>> {
    let source = if folder.is_empty() { "src/".to_owned() } else { format!("{folder}/src/") };
    let mut problems = Vec::new();
    for file in repository.ending(".rs").filter(|file| file.starts_with(&source)) {
        let text = repository.read(file)?;
        let lines = text.lines().map(str::trim_start).enumerate();
        let mut fences = lines.filter_map(|(at, line)| {
            let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))?;
            Some((at, comment.trim_start().strip_prefix("```")?))
        });
        while let Some((at, language)) = fences.next() {
            if matches!(
                language.split(',').next(),
                Some("" | "rust" | "no_run" | "should_panic" | "compile_fail")
            ) {
                let fix = "take `doctest = false` out of the crate's manifest, or write ```text";
                problems.push(Problem::new(file, at + 1, "an example that is not run", fix));
            }
            fences.next();
        }
    }
    Ok(problems)
}

/// What the workspace lists and no crate takes.
fn of_workspace(repository: &Repository, declared: &BTreeSet<String>) -> Result<Vec<Problem>> {
    let text = repository.read("Cargo.toml")?;
    let manifest: toml_edit::DocumentMut = text.parse()?;
    let listed =
        manifest["workspace"]["dependencies"].as_table_like().context("no workspace.dependencies")?;
    let unused = listed.iter().map(|(name, _)| name).filter(|name| !declared.contains(*name));
    Ok(unused
        .map(|name| {
            let what = format!("no crate of the workspace takes `{name}`");
            Problem::new("Cargo.toml", line_of(&text, name), what, "remove the line")
        })
        .collect())
}

fn metadata(root: &Path) -> Result<Metadata> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        // Without the other platforms' dependencies, none is fetched that no build here needs.
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host()?])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The platform of this machine, as `rustc` calls it.
fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output().context("cannot run rustc")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not name its host")?.to_owned())
}

/// The words of a crate's Rust files: of `src`, `tests`, `benches` and `examples`.
fn words(repository: &Repository, folder: &str) -> Result<BTreeSet<String>> {
    let below = |part: &str| if folder.is_empty() { format!("{part}/") } else { format!("{folder}/{part}/") };
    let folders = ["src", "tests", "benches", "examples"].map(below);
    let mut words = BTreeSet::new();
    for file in repository.ending(".rs").filter(|file| folders.iter().any(|folder| file.starts_with(folder)))
    {
        let text = repository.read(file)?;
        words.extend(text.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_owned));
    }
    Ok(words)
}

/// The line of a manifest that names a dependency, from 1 on.
fn line_of(manifest: &str, name: &str) -> usize {
    let named = |line: &str| {
        let key = line.split(['.', ' ', '=']).next().unwrap_or_default();
        key.replace('-', "_").starts_with(&name.replace('-', "_"))
    };
    manifest.lines().position(named).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_dependency_is_found() {
        let manifest = "[dependencies]\nserde.workspace = true\ntokio-postgres = \"1\"\n";
        assert_eq!(line_of(manifest, "tokio_postgres"), 3);
        assert_eq!(line_of(manifest, "serde"), 2);
    }

    #[test]
    fn an_example_that_is_not_run_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src")).unwrap();
        let text = "//! ```text\n//! no example\n//! ```\n\n/// Adds.\n///\n/// ```\n/// assert_eq!(add(1, 1), 3);\n/// ```\n";
        std::fs::write(folder.path().join("src/lib.rs"), text).unwrap();
        let repository = Repository { root: folder.path().to_owned(), files: vec!["src/lib.rs".to_owned()] };
        let told: Vec<usize> =
            examples(&repository, "").unwrap().iter().map(|problem| problem.line).collect();
        assert_eq!(told, [7]);
    }

    #[test]
    fn what_the_workspace_lists_and_nobody_takes_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("Cargo.toml"),
            "[workspace.dependencies]\nused = \"1\"\nidle = \"1\"\n",
        )
        .unwrap();
        let repository = Repository { root: folder.path().to_owned(), files: vec!["Cargo.toml".to_owned()] };
        let told = of_workspace(&repository, &BTreeSet::from(["used".to_owned()])).unwrap();
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["Cargo.toml:3: no crate of the workspace takes `idle`\n  fix: remove the line"]);
    }
}
