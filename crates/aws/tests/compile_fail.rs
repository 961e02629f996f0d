//! What a stack author cannot write: each file in `compile_fail` names, in its first line, the error that
//! the compiler gives for it. One file, `sound.rs`, compiles: the control for all the others.
//!
//! Codes and phrases are compared, not whole messages, so that another compiler's wording does not matter.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The errors of each case, as `code: message and labels`.
fn errors(cases: &Path) -> BTreeMap<String, Vec<String>> {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile-fail");
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::create_dir_all(&package).unwrap();
    fs::copy(crates.join("../Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let mut manifest = format!(
        "[package]\nname = \"compile-fail\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         aws = {{ package = \"txnr-aws\", path = {:?} }}\nterraform = {{ package = \"txnr-terraform\", path = {:?} }}\n",
        crates.join("aws"),
        crates.join("terraform"),
    );
    let mut errors = BTreeMap::new();
    for case in fs::read_dir(cases).unwrap() {
        let path = case.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        manifest += &format!("[[bin]]\nname = {name:?}\npath = {path:?}\n");
        errors.insert(name, Vec::new());
    }
    fs::write(package.join("Cargo.toml"), manifest).unwrap();

    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--bins", "--keep-going", "--message-format=json"])
        .current_dir(&package)
        .env("CARGO_TARGET_DIR", package.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let mut built = 0;
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        built += usize::from(message["target"]["name"] == "aws" && message["reason"] == "compiler-artifact");
        let (inner, Some(target)) = (&message["message"], message["target"]["name"].as_str()) else {
            continue;
        };
        if let (Some(case), "error", Some(code)) =
            (errors.get_mut(target), inner["level"].as_str().unwrap_or(""), inner["code"]["code"].as_str())
        {
            case.push(format!("{code}: {}", inner["rendered"].as_str().unwrap()));
        }
    }
    assert_eq!(built, 1, "the bindings did not build:\n{}", String::from_utf8_lossy(&output.stderr));
    errors
}

#[test]
fn what_a_stack_author_cannot_write() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut wrong = Vec::new();
    for (name, errors) in errors(&cases) {
        let source = fs::read_to_string(cases.join(format!("{name}.rs"))).unwrap();
        let expected =
            source.lines().next().and_then(|l| l.strip_prefix("//~ ")).expect("a first line with `//~ `");
        let as_expected = match expected.split_once(": ") {
            Some(("compiles", _)) => errors.is_empty(),
            Some((code, phrase)) => {
                matches!(errors.as_slice(), [one] if one.starts_with(code) && one.contains(phrase))
            }
            None => panic!("{name}: the first line has the form `//~ CODE: phrase`"),
        };
        if !as_expected {
            wrong.push(format!("{name}: expected {expected}\n{}", errors.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
