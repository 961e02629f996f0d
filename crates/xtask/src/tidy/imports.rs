//! Who imports whom, held to the tables of ARCHITECTURE.md and to the order in which `synth` calls the stacks.

mod source;

use std::collections::BTreeSet;

use anyhow::Result;

use super::rooms::{self, DOCUMENT, Rooms};
use super::{Problem, Repository};
use source::Import;
pub use source::stacks_in_order;

/// The folder of `txnr`'s own sources.
const OWN: &str = "src/";

pub fn check(repository: &Repository) -> Result<Vec<Problem>> {
    let (crates, mut problems) = rooms::read(repository)?;
    let workspace = workspace_crates(repository)?;
    for (folder, rooms) in &crates {
        let imports = source::imports(repository, folder, &workspace)?;
        problems.extend(imports.iter().filter_map(|import| judge(folder, rooms, import)));
        if folder == OWN {
            problems.extend(order_of_stacks(repository, &imports)?);
        }
    }
    Ok(problems)
}

/// The names by which code refers to the workspace's crates.
fn workspace_crates(repository: &Repository) -> Result<BTreeSet<String>> {
    let manifest: toml_edit::DocumentMut = repository.read("Cargo.toml")?.parse()?;
    let dependencies = manifest["workspace"]["dependencies"].as_table_like();
    let all = dependencies.into_iter().flat_map(|table| table.iter());
    Ok(all.filter(|(_, item)| item.get("path").is_some()).map(|(name, _)| name.replace('-', "_")).collect())
}

fn judge(folder: &str, rooms: &Rooms, import: &Import) -> Option<Problem> {
    let from = import.from.first()?;
    let to = import.to.first()?;
    if from == to && !import.external {
        return judge_within(folder, rooms, import);
    }
    let row = |name: &str| format!("a row for `{folder}{name}` in the table of {DOCUMENT}");
    let Some(allowed) = rooms.may_import.get(from) else {
        let what = format!("`{from}` is no room");
        return Some(Problem::new(&import.file, 1, what, row(from)));
    };
    if !import.external && !rooms.may_import.contains_key(to) {
        return (!is_root(to)).then(|| {
            let what = format!("`{from}` imports `{to}`, which is no room");
            Problem::new(&import.file, import.line, what, row(to))
        });
    }
    (!allowed.contains(to)).then(|| {
        Problem::new(
            &import.file,
            import.line,
            format!("`{from}` may not import `{to}`"),
            format!(
                "move what both need into a room below them, or hand it in from above; the table in {DOCUMENT} says who may import whom"
            ),
        )
    })
}

/// Between the rooms of one room, where it has some: each names those beside it that it may import. What the outer room
/// holds itself, all of them may use.
fn judge_within(folder: &str, rooms: &Rooms, import: &Import) -> Option<Problem> {
    let outer = import.from.first()?;
    let inside = format!("{outer}/");
    if !rooms.may_import.keys().any(|room| room.starts_with(&inside)) {
        return None;
    }
    let (from, to) = (import.from.get(1)?, import.to.get(1)?);
    if from == to || is_root(to) {
        return None;
    }
    let known = |room: &str| rooms.may_import.get(&format!("{inside}{room}"));
    let row = |name: &str| format!("a row for `{folder}{inside}{name}` in the table of {DOCUMENT}");
    let Some(allowed) = known(from) else {
        let what = format!("`{inside}{from}` is no room");
        return Some(Problem::new(&import.file, 1, what, row(from)));
    };
    if known(to).is_none() {
        let what = format!("`{inside}{from}` imports `{inside}{to}`, which is no room");
        return Some(Problem::new(&import.file, import.line, what, row(to)));
    }
    (!allowed.contains(to)).then(|| {
        let what = format!("`{inside}{from}` may not import `{to}`");
        let fix = format!(
            "move what both need into a room below them, or hand it in from above; the table in {DOCUMENT} says who may import whom"
        );
        Problem::new(&import.file, import.line, what, fix)
    })
}

/// Items that stand in the crate's root itself begin with a capital letter or are macros; modules do not.
fn is_root(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// A stack takes what earlier stacks give, and knows no later one. Modules of the folder that are no stacks serve all
/// stacks, and know none.
fn order_of_stacks(repository: &Repository, imports: &[Import]) -> Result<Vec<Problem>> {
    let order = stacks_in_order(&repository.read("src/synth.rs")?)?;
    let place = |path: &[String]| match path {
        [room, stack, ..] if room == "stacks" => Some(order.iter().position(|known| known == stack)),
        _ => None,
    };
    let mut problems = Vec::new();
    for import in imports.iter().filter(|import| !import.external) {
        let (Some(from), Some(to)) = (place(&import.from), place(&import.to)) else { continue };
        let stack = |path: &[String]| path.get(1).cloned().unwrap_or_default();
        let (a, b) = (stack(&import.from), stack(&import.to));
        let what = match (from, to) {
            (Some(from), Some(to)) if to > from => {
                format!("the stack `{a}` imports `{b}`, which is built after it")
            }
            (None, Some(_)) => format!("`{a}`, which serves all stacks, imports the stack `{b}`"),
            _ => continue,
        };
        let fix = "names and ARNs that follow from the configuration belong into src/names; anything else comes as an \
                   output of an earlier stack (src/synth.rs has the order)";
        problems.push(Problem::new(&import.file, import.line, what, fix));
    }
    Ok(problems)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "| room | what | may import |\n| --- | --- | --- |\n\
        | `src/config.rs` | values | `contract` |\n\
        | `src/stacks.rs` | stacks | `config` |\n\
        | `src/synth.rs` | order | `stacks`, `config` |\n";

    /// A repository of these files, and what is wrong with its imports.
    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let own = [
            (DOCUMENT, TABLE),
            ("Cargo.toml", "[workspace.dependencies]\ncontract = { path = \"c\" }\naws = { path = \"a\" }\n"),
            ("src/lib.rs", "pub mod config;\npub mod stacks;\npub mod synth;\n"),
            ("src/config.rs", "use contract::Var;\n"),
            ("src/stacks.rs", "pub mod kms;\npub mod logs;\npub mod role;\n"),
            ("src/stacks/kms.rs", "use crate::config::Env;\nuse super::role;\n"),
            ("src/stacks/logs.rs", "use super::{kms, role};\n"),
            ("src/stacks/role.rs", ""),
            (
                "src/synth.rs",
                "use crate::stacks::{kms, logs};\nfn synth(m: M) { kms::build(m.stack(\"kms\")); logs::build(m.stack(\"logs\")); }",
            ),
        ];
        let mut all: std::collections::BTreeMap<&str, &str> = own.into();
        all.extend(files.iter().copied());
        for (name, text) in &all {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let files = all.keys().map(|name| (*name).to_owned()).collect();
        let repository = Repository { root: folder.path().to_owned(), files };
        check(&repository).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_the_table_allows_is_no_problem() {
        assert_eq!(problems(&[]), Vec::<String>::new());
        let of_tests = "#[cfg(test)]\nmod tests {\n    use crate::stacks::kms;\n}\n#[cfg(test)]\nuse crate::synth::synth;\n";
        assert_eq!(problems(&[("src/config.rs", of_tests)]), Vec::<String>::new());
    }

    #[test]
    fn a_forbidden_import_is_told_with_file_line_and_remedy() {
        for text in [
            "//! Values.\nuse crate::stacks::kms;\n",
            "//! Values.\nuse crate::{stacks};\n",
            "//! Values.\nfn f() { crate::stacks::kms::build() }\n",
            "//! Values.\nfn f() { println!(\"{}\", crate::stacks::kms::NAME) }\n",
            "//! Values.\nuse super::stacks::kms::Key;\n",
        ] {
            let told = problems(&[("src/config.rs", text)]);
            assert_eq!(told.len(), 1, "{text}: {told:?}");
            let start = "src/config.rs:2: `config` may not import `stacks`\n  fix: move what both need";
            assert!(told[0].starts_with(start), "{told:?}");
        }
        let told = problems(&[("src/config.rs", "use aws::Policy;\n")]);
        assert!(told[0].starts_with("src/config.rs:1: `config` may not import `aws`"), "{told:?}");
    }

    #[test]
    fn a_stack_that_imports_a_later_one_is_told() {
        let told = problems(&[("src/stacks/kms.rs", "\nuse crate::stacks::logs::Group;\n")]);
        assert!(
            told[0]
                .starts_with("src/stacks/kms.rs:2: the stack `kms` imports `logs`, which is built after it"),
            "{told:?}"
        );
        let told = problems(&[("src/stacks/role.rs", "use super::kms;\n")]);
        assert!(told[0].contains("`role`, which serves all stacks, imports the stack `kms`"), "{told:?}");
    }

    #[test]
    fn rooms_within_a_room_are_held_to_their_rows() {
        let table = format!(
            "{TABLE}\n| room | may import |\n| --- | --- |\n| `src/stacks/kms.rs` | |\n\
            | `src/stacks/logs.rs` | `kms`, `role` |\n| `src/stacks/role.rs` | |\n"
        );
        let told =
            problems(&[(DOCUMENT, table.as_str()), ("src/stacks/logs.rs", "use crate::stacks::ORDER;\n")]);
        let start = "src/stacks/kms.rs:2: `stacks/kms` may not import `role`\n  fix: move what both need";
        assert!(told.len() == 1 && told[0].starts_with(start), "{told:?}");
        let table = table.replace("| `src/stacks/role.rs` | |\n", "");
        let told = problems(&[(DOCUMENT, table.as_str()), ("src/stacks/kms.rs", "")]);
        let start = "src/stacks/logs.rs:1: `stacks/logs` imports `stacks/role`, which is no room";
        assert!(told.len() == 1 && told[0].starts_with(start), "{told:?}");
    }

    #[test]
    fn a_room_that_the_table_does_not_know_is_told() {
        let told = problems(&[
            ("src/lib.rs", "pub mod config;\npub mod stacks;\npub mod synth;\npub mod cellar;\n"),
            ("src/cellar.rs", "use crate::config::Env;\n"),
        ]);
        assert!(
            told[0].starts_with("src/cellar.rs:1: `cellar` is no room\n  fix: a row for `src/cellar`"),
            "{told:?}"
        );
    }
}
