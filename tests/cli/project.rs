//! A throw-away project to run the command in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub const DEV: &str = include_str!("../../envs/dev.toml");
pub const PROD: &str = include_str!("../../envs/prod.toml");

/// The files of a folder by their paths.
pub type Tree = BTreeMap<String, String>;

pub struct Project(TempDir);

impl Project {
    /// A project with the environments dev and prod.
    pub fn new() -> Self {
        let project = Self::empty();
        project.write("envs/dev.toml", DEV);
        project.write("envs/prod.toml", PROD);
        project
    }

    pub fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).expect("a file")
    }

    /// Replaces a piece of an environment file.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{from} in {path}");
        self.write(path, &text.replacen(from, to, 1));
    }

    /// The command, to be run in the project.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_txnr"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path());
        for variable in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "COLUMNS"] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the command and reports what it said and how it ended, for a snapshot.
    pub fn run(&self, arguments: &str) -> String {
        report(arguments, &self.command(arguments).output().expect("the command runs"))
    }

    /// Runs the command, which must succeed.
    pub fn succeed(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().expect("the command runs");
        assert!(output.status.success(), "{}", report(arguments, &output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// The files in a folder, as who reads them sees them.
    pub fn tree(&self, folder: &str) -> Tree {
        let mut tree = Tree::new();
        collect(&self.path(folder), "", &mut tree);
        tree
    }
}

fn report(arguments: &str, output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().map_or("none".to_owned(), |code| code.to_string());
    format!("$ txnr {arguments}\nexit code: {code}\n--- stdout\n{stdout}--- stderr\n{stderr}")
}

fn collect(folder: &Path, prefix: &str, tree: &mut Tree) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            collect(&entry.path(), &format!("{name}/"), tree);
        } else {
            tree.insert(name, fs::read_to_string(entry.path()).expect("text"));
        }
    }
}
