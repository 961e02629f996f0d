//! The external referee: checkov on the JSON of a plan, and the exceptions that have a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::{python, repository};

/// The file of reasoned exceptions.
const EXCEPTIONS: &str = "tests/checkov-exceptions.toml";

/// What checkov found in a plan.
pub struct Report {
    /// How many resources it looked at.
    pub resources: u64,
    /// How many checks passed.
    pub passed: usize,
    /// The checks that failed, in order.
    pub failures: BTreeSet<Failure>,
}

/// A check that failed on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The check's identifier, as `CKV_AWS_18`.
    pub check: String,
    /// The resource's address in the plan.
    pub address: String,
    /// What the check asks for.
    pub title: String,
}

/// A failed check that is accepted, on some resources, for a reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    check: String,
    resources: Vec<String>,
    environments: Vec<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exceptions {
    #[serde(default)]
    exception: Vec<Exception>,
}

/// Runs checkov on the JSON of a plan.
pub fn check(plan: &Path) -> Report {
    let output = Command::new(python("checkov"))
        // Where it starts it looks for a `.checkov.yaml`, and the repository's own skips checks as a whole.
        .current_dir(plan.parent().expect("the plan lies in a folder"))
        .args(["-m", "checkov.main", "--framework", "terraform_plan", "--output", "json", "--skip-download"])
        .args(["--compact", "--quiet", "--file"])
        .arg(plan)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LOG_LEVEL", "ERROR")
        .output()
        .expect("checkov starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| {
        panic!("checkov did not answer in JSON: {error}\n{stdout}{}", String::from_utf8_lossy(&output.stderr))
    });
    let summary = &report["summary"];
    assert_eq!(summary["parsing_errors"], 0, "checkov could not read the plan:\n{stdout}");
    let report = Report {
        resources: summary["resource_count"].as_u64().expect("checkov counts the resources"),
        passed: summary["passed"].as_u64().expect("checkov counts what passed") as usize,
        failures: failures(&report),
    };
    assert!(report.resources > 0 && report.passed > 0, "checkov saw nothing in {}", plan.display());
    report
}

fn failures(report: &Value) -> BTreeSet<Failure> {
    let text = |failed: &Value, key: &str| failed[key].as_str().unwrap_or_default().to_owned();
    let failed =
        report.pointer("/results/failed_checks").and_then(Value::as_array).expect("a list of failures");
    let failure = |failed: &Value| Failure {
        check: text(failed, "check_id"),
        address: text(failed, "resource"),
        title: text(failed, "check_name"),
    };
    failed.iter().map(failure).collect()
}

impl Report {
    /// Every failed check has an exception with a reason, and every exception of this environment excuses
    /// something. Panics with what is not so.
    pub fn settle(&self, environment: &str) {
        let text = fs::read_to_string(repository(EXCEPTIONS)).unwrap();
        let problems = problems(&self.failures, &text, environment);
        assert!(
            problems.is_empty(),
            "{environment}: {EXCEPTIONS} and checkov differ:\n{}",
            problems.join("\n")
        );
    }
}

fn problems(failures: &BTreeSet<Failure>, exceptions: &str, environment: &str) -> Vec<String> {
    let exceptions: Exceptions = toml::from_str(exceptions).expect("the exceptions are valid TOML");
    let mut problems: Vec<String> = exceptions
        .exception
        .iter()
        .filter(|exception| exception.reason.trim().is_empty())
        .map(|exception| format!("the exception of {} has no reason", exception.check))
        .collect();
    let mut excused = BTreeSet::new();
    let here = |exception: &&Exception| exception.environments.iter().any(|named| named == environment);
    for exception in exceptions.exception.iter().filter(here) {
        for pattern in &exception.resources {
            let of_pattern: Vec<&Failure> = failures
                .iter()
                .filter(|failure| failure.check == exception.check && matches(pattern, &failure.address))
                .collect();
            if of_pattern.is_empty() {
                problems.push(format!("the exception of {} for {pattern} excuses nothing", exception.check));
            }
            excused.extend(of_pattern);
        }
    }
    let unexcused = failures.iter().filter(|failure| !excused.contains(failure));
    problems.extend(
        unexcused.map(|Failure { check, address, title }| format!("{check} failed on {address}: {title}")),
    );
    problems
}

/// Whether an address is the pattern's, whose one `*` stands for anything.
fn matches(pattern: &str, address: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == address,
        Some((start, end)) => {
            address.len() >= start.len() + end.len() && address.starts_with(start) && address.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXCEPTIONS: &str = r#"
        [[exception]]
        check = "CKV_AWS_18"
        resources = ["aws_s3_bucket.access"]
        environments = ["dev"]
        reason = "the bucket that takes the access logs cannot log to itself"
    "#;

    fn failure(check: &str, address: &str) -> Failure {
        Failure { check: check.to_owned(), address: address.to_owned(), title: "log access".to_owned() }
    }

    #[test]
    fn a_failure_without_an_exception_is_a_problem() {
        let failures = BTreeSet::from([failure("CKV_AWS_18", "aws_s3_bucket.audit")]);
        let expected = [
            "the exception of CKV_AWS_18 for aws_s3_bucket.access excuses nothing",
            "CKV_AWS_18 failed on aws_s3_bucket.audit: log access",
        ];
        assert_eq!(problems(&failures, EXCEPTIONS, "dev"), expected);
    }

    #[test]
    fn an_exception_holds_in_the_environments_that_it_names() {
        let failures = BTreeSet::from([failure("CKV_AWS_18", "aws_s3_bucket.access")]);
        assert!(problems(&failures, EXCEPTIONS, "dev").is_empty());
        assert_eq!(problems(&failures, EXCEPTIONS, "prod").len(), 1);
        assert!(problems(&BTreeSet::new(), EXCEPTIONS, "prod").is_empty());
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("aws_kms_key.*", "aws_kms_key.logs"));
        assert!(!matches("aws_kms_key.*", "aws_kms_alias.logs"));
        assert!(!matches("aws_kms_key.logs", "aws_kms_key.logs2"));
    }
}
