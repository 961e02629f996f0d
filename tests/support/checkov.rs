//! The external referee: checkov on the JSON of a plan or on generated files, and the exceptions that have a reason.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use test_kit::python;
use txnr::findings::{Exceptions, Report};

/// Runs checkov on the JSON of a plan.
pub fn check(plan: &Path) -> Found {
    run("terraform_plan", &["--file"], plan)
}

/// Runs checkov on a generated root module as the hook before a push does, which has no plan. It cannot read the file that
/// holds providers alone.
pub fn check_files(root: &Path) -> Found {
    run("terraform_json", &["--skip-path", "terraform.tf.json", "--directory"], root)
}

fn run(framework: &str, arguments: &[&str], path: &Path) -> Found {
    let output = Command::new(python("checkov"))
        // Where it starts it looks for a configuration of its own.
        .current_dir(path.parent().expect("it lies in a folder"))
        .args(["-m", "checkov.main", "--framework", framework, "--output", "json", "--skip-download"])
        .args(["--compact", "--quiet"])
        .args(arguments)
        .arg(path)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LOG_LEVEL", "ERROR")
        .output()
        .expect("checkov starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let said = || format!("{}: {stdout}{}", path.display(), String::from_utf8_lossy(&output.stderr));
    Found(Report::read(&stdout).unwrap_or_else(|error| panic!("{error}: {}", said())))
}

/// What checkov found.
pub struct Found(Report);

impl Found {
    /// Every failed check has an exception with a reason, and every exception of this environment excuses
    /// something. Panics with what is not so.
    pub fn settle(&self, environment: &str) {
        let exceptions = Exceptions::of_this_repository(environment).expect("the exceptions are valid TOML");
        let reasons: BTreeSet<&str> = exceptions
            .exception
            .iter()
            .filter(|e| e.reason.trim().is_empty())
            .map(|e| e.check.as_str())
            .collect();
        assert!(reasons.is_empty(), "exceptions without a reason: {reasons:?}");
        let mut problems = exceptions.unused(&self.0, environment);
        let left = exceptions.unexcused(&self.0, environment);
        problems.extend(left.iter().map(|f| format!("{} failed on {}: {}", f.check, f.address, f.title)));
        assert!(
            problems.is_empty(),
            "{environment}: the exceptions and checkov differ:\n{}",
            problems.join("\n")
        );
    }
}
