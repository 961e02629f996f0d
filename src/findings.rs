//! What scanners find in a root module, held to the exceptions that have a reason.
//!
//! checkov and Trivy can leave out a check as a whole, or whatever a file says; neither can except one resource of Terraform
//! JSON, and an exception of theirs hides what comes after it. So they report everything, and here every finding needs an
//! exception that names its resource, and every exception a finding, a reason and a day on which it is looked at again.

mod accepted;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::config::Date;

/// A check that failed on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The check's identifier, as `CKV_AWS_18` or `AWS-0053`.
    pub check: String,
    /// The resource's address; `resource.<name>` where the scanner does not tell the type.
    pub address: String,
    /// What the check asks for.
    pub title: String,
}

/// What the checks of checkov begin with.
const CHECKOV: &str = "CKV";
/// What those of Trivy begin with; older versions of it put `AVD-` before that.
const TRIVY: &str = "AWS-";

fn without_avd(check: &str) -> &str {
    check.strip_prefix("AVD-").unwrap_or(check)
}

/// What a scanner says of a root module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the scanner's own checks begin with.
    prefix: &'static str,
    /// How many checks passed.
    pub passed: u64,
    /// The checks that failed, in order.
    pub findings: BTreeSet<Finding>,
}

/// Why a report is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReport {
    /// It is not JSON, or neither scanner's.
    Unknown,
    /// The scanner could not read what it was given, or saw nothing in it.
    SawNothing,
}

impl std::fmt::Display for NoReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "this is no report of checkov or Trivy in JSON",
            Self::SawNothing => "the scanner saw nothing, or could not read a file",
        })
    }
}

impl std::error::Error for NoReport {}

impl Report {
    /// Reads checkov's JSON (`--output json`) or Trivy's (`--format json`).
    ///
    /// # Errors
    /// When it is neither, or when the scanner saw nothing: silence is no consent.
    pub fn read(text: &str) -> Result<Self, NoReport> {
        let report: Value = serde_json::from_str(text).map_err(|_| NoReport::Unknown)?;
        if report.get("SchemaVersion").is_some() {
            return trivy(&report);
        }
        // Of several frameworks checkov prints a list of reports.
        let reports = report.as_array().map_or(std::slice::from_ref(&report), Vec::as_slice);
        if reports.is_empty() || !reports.iter().all(is_checkov) {
            return Err(NoReport::Unknown);
        }
        checkov(reports)
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn is_checkov(report: &Value) -> bool {
    report.get("checkov_version").is_some() || report.pointer("/summary/checkov_version").is_some()
}

/// A report in which checkov looked at nothing holds counts alone; one of several may.
fn checkov(reports: &[Value]) -> Result<Report, NoReport> {
    let mut all = Report { prefix: CHECKOV, passed: 0, findings: BTreeSet::new() };
    let finding = |failed: &Value| Finding {
        check: text(failed, "check_id"),
        address: text(failed, "resource"),
        title: text(failed, "check_name"),
    };
    for report in reports {
        let counts = report.get("summary").unwrap_or(report);
        if counts["parsing_errors"] != 0 {
            return Err(NoReport::SawNothing);
        }
        let failed = report.pointer("/results/failed_checks").and_then(Value::as_array);
        let (Some(failed), Some(passed)) = (failed, counts["passed"].as_u64()) else { continue };
        all.passed += passed;
        all.findings.extend(failed.iter().map(finding));
    }
    if all.passed == 0 {
        return Err(NoReport::SawNothing);
    }
    Ok(all)
}

/// <https://trivy.dev/latest/docs/configuration/reporting/#json>
fn trivy(report: &Value) -> Result<Report, NoReport> {
    let results = report["Results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let passed = results.iter().filter_map(|result| result["MisconfSummary"]["Successes"].as_u64()).sum();
    let all = results.iter().filter_map(|result| result["Misconfigurations"].as_array()).flatten();
    let finding = |failed: &Value| Finding {
        check: without_avd(&text(failed, "ID")).to_owned(),
        address: failed["CauseMetadata"]["Resource"].as_str().unwrap_or_default().to_owned(),
        title: text(failed, "Title"),
    };
    let findings: BTreeSet<Finding> = all.filter(|found| found["Status"] != "PASS").map(finding).collect();
    if passed == 0 && findings.is_empty() {
        return Err(NoReport::SawNothing);
    }
    Ok(Report { prefix: TRIVY, passed, findings })
}

/// A failed check that is accepted, on some resources, for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The check.
    pub check: String,
    /// Addresses of resources.
    pub resources: Vec<String>,
    /// Names of environments.
    pub environments: Vec<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds: then somebody looks again.
    pub until: Option<Date>,
}

impl Exception {
    /// What is wrong with it.
    fn fault(&self, today: &Date, environments: &[String]) -> Option<String> {
        let check = &self.check;
        let about = |what: String| Some(format!("the exception of {check} {what}"));
        if ![CHECKOV, TRIVY].iter().any(|prefix| without_avd(check).starts_with(prefix)) {
            return about(format!("is of no check of checkov ({CHECKOV}…) or Trivy ({TRIVY}…)"));
        }
        if self.reason.trim().is_empty() {
            return about("has no reason".to_owned());
        }
        if self.resources.is_empty() || self.environments.is_empty() {
            return about("names no resource, or no environment".to_owned());
        }
        if let Some(pattern) = self.resources.iter().find(|resource| resource.contains('*')) {
            return about(format!("for {pattern} names no resource: `*` would hide new ones"));
        }
        if let Some(name) = self.environments.iter().find(|name| !environments.contains(name)) {
            return about(format!("is for {name}, which is no environment"));
        }
        let Some(until) = &self.until else {
            return about("has no day until which it holds (`until`)".to_owned());
        };
        (until < today).then(|| format!("the exception of {check} held until {}: look again", until.as_str()))
    }
}

/// A list of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    /// The exceptions, in the order of the file.
    #[serde(default)]
    pub exception: Vec<Exception>,
}

impl Exceptions {
    /// What is wrong with them as a list of one's own, where these environments are: nothing without a reason, a day and an
    /// address, and nothing that no scanner and no environment would ever look at.
    #[must_use]
    pub fn faults(&self, today: &Date, environments: &[String]) -> Vec<String> {
        self.exception.iter().filter_map(|exception| exception.fault(today, environments)).collect()
    }

    /// Those of an environment that a report has anything to do with.
    fn of<'e>(
        &'e self,
        report: &'e Report,
        environment: &'e str,
    ) -> impl Iterator<Item = (&'e Exception, &'e String)> {
        self.exception
            .iter()
            .filter(|exception| without_avd(&exception.check).starts_with(report.prefix))
            .filter(move |exception| exception.environments.iter().any(|name| name == environment))
            .flat_map(|exception| exception.resources.iter().map(move |pattern| (exception, pattern)))
    }

    /// The findings that none of them excuses.
    #[must_use]
    pub fn unexcused<'r>(&self, report: &'r Report, environment: &str) -> Vec<&'r Finding> {
        let excused = |finding: &&Finding| {
            self.of(report, environment).any(|(exception, pattern)| excuses(exception, pattern, finding))
        };
        report.findings.iter().filter(|finding| !excused(finding)).collect()
    }

    /// The exceptions that excuse nothing: a list never says more than is so.
    #[must_use]
    pub fn unused(&self, report: &Report, environment: &str) -> Vec<String> {
        let idle = |(exception, pattern): &(&Exception, &String)| {
            !report.findings.iter().any(|finding| excuses(exception, pattern, finding))
        };
        self.of(report, environment)
            .filter(idle)
            .map(|(exception, pattern)| {
                format!("the exception of {} for {pattern} excuses nothing", exception.check)
            })
            .collect()
    }
}

fn excuses(exception: &Exception, pattern: &str, finding: &Finding) -> bool {
    if without_avd(&exception.check) != finding.check {
        return false;
    }
    // checkov's runner for JSON configuration leaves the type out.
    match finding.address.strip_prefix("resource.") {
        Some(name) => pattern.rsplit('.').next().is_some_and(|last| matches(last, name)),
        None => matches(pattern, without_index(&finding.address)),
    }
}

/// `aws_subnet.public["a"]` is an instance of `aws_subnet.public`.
fn without_index(address: &str) -> &str {
    address.split('[').next().unwrap_or(address)
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

    const OWN: &str = r#"
        [[exception]]
        check = "CKV_AWS_18"
        resources = ["aws_s3_bucket.mine"]
        environments = ["dev"]
        reason = "It takes the access logs of the others."
        until = "2027-06-30"
    "#;

    fn exceptions(text: &str) -> Exceptions {
        toml::from_str(text).expect("a list")
    }

    fn report(failed: &[(&str, &str)]) -> Report {
        let finding = |(check, address): &(&str, &str)| Finding {
            check: (*check).to_owned(),
            address: (*address).to_owned(),
            title: "log access".to_owned(),
        };
        Report { prefix: "CKV", passed: 1, findings: failed.iter().map(finding).collect() }
    }

    #[test]
    fn an_exception_hides_neither_another_resource_nor_another_environment() {
        let own = exceptions(OWN);
        let mine = report(&[("CKV_AWS_18", "aws_s3_bucket.mine")]);
        assert!(own.unexcused(&mine, "dev").is_empty() && own.unused(&mine, "dev").is_empty());
        assert_eq!(own.unexcused(&mine, "prod").len(), 1);
        let new = report(&[("CKV_AWS_18", "aws_s3_bucket.new")]);
        assert_eq!(own.unexcused(&new, "dev").len(), 1);
        assert_eq!(
            own.unused(&new, "dev"),
            ["the exception of CKV_AWS_18 for aws_s3_bucket.mine excuses nothing"]
        );
        assert!(own.unused(&new, "prod").is_empty());
        let instance =
            report(&[("CKV_AWS_18", "aws_s3_bucket.mine[\"a\"]"), ("CKV_AWS_18", "resource.mine")]);
        assert!(own.unexcused(&instance, "dev").is_empty());
    }

    #[test]
    fn an_exception_names_its_resource_a_reason_and_a_day() {
        let today = "2027-06-30".parse::<Date>().expect("a day");
        let environments = ["dev", "prod"].map(str::to_owned);
        let faults = |from: &str, to: &str| exceptions(&OWN.replace(from, to)).faults(&today, &environments);
        assert!(faults("", "").is_empty());
        assert!(faults("06-30\"", "06-29\"")[0].ends_with("held until 2027-06-29: look again"));
        assert!(faults("bucket.mine", "bucket.*")[0].contains("would hide new ones"));
        assert!(faults("It takes the access logs of the others.", " ")[0].ends_with("has no reason"));
        assert!(faults("until = \"2027-06-30\"", "")[0].contains("`until`"));
        // What nothing would ever look at.
        for check in ["CKW_AWS_18", "ckv_aws_18", "KSV-0001", "AVD-KSV-0001", ""] {
            assert!(faults("CKV_AWS_18", check)[0].contains("no check of checkov"), "{check}");
        }
        assert!(faults("CKV_AWS_18", "AVD-AWS-0089").is_empty());
        assert!(
            faults("\"dev\"", "\"production\"")[0].ends_with("is for production, which is no environment")
        );
        assert!(faults("[\"dev\"]", "[]")[0].contains("or no environment"));
        assert!(faults("[\"aws_s3_bucket.mine\"]", "[]")[0].contains("names no resource"));
    }

    #[test]
    fn trivys_older_names_are_the_same_checks() {
        let old = exceptions(&OWN.replace("CKV_AWS_18", "AVD-AWS-0089"));
        let trivy = Report { prefix: TRIVY, ..report(&[("AWS-0089", "aws_s3_bucket.mine")]) };
        assert!(old.unexcused(&trivy, "dev").is_empty() && old.unused(&trivy, "dev").is_empty());
    }

    #[test]
    fn reports_of_several_frameworks_are_one() {
        let of = |passed: u32, check: &str| {
            format!(
                r#"{{"check_type": "t", "summary": {{"passed": {passed}, "parsing_errors": 0, "checkov_version": "3"}}, "results":
                {{"failed_checks": [{{"check_id": "{check}", "resource": "aws_s3_bucket.x", "check_name": "log access"}}]}}}}"#
            )
        };
        let idle = r#"{"passed": 0, "failed": 0, "parsing_errors": 0, "checkov_version": "3"}"#;
        let both = Report::read(&format!("[{}, {idle}, {}]", of(3, "CKV_AWS_18"), of(4, "CKV_SECRET_2")))
            .expect("a report");
        assert_eq!((both.passed, both.findings.len()), (7, 2));
        assert_eq!(Report::read(&format!("[{idle}]")), Err(NoReport::SawNothing));
        assert_eq!(Report::read("[]"), Err(NoReport::Unknown));
        assert_eq!(Report::read(&format!("[{}, {{}}]", of(3, "CKV_AWS_18"))), Err(NoReport::Unknown));
        let unread = of(3, "CKV_AWS_18").replace("\"parsing_errors\": 0", "\"parsing_errors\": 2");
        assert_eq!(Report::read(&format!("[{}, {unread}]", of(3, "CKV_AWS_18"))), Err(NoReport::SawNothing));
    }

    #[test]
    fn silence_is_no_report() {
        let nothing = r#"{"passed": 0, "failed": 0, "parsing_errors": 0, "checkov_version": "3"}"#;
        assert_eq!(Report::read(nothing), Err(NoReport::SawNothing));
        let unread = r#"{"summary": {"passed": 3, "parsing_errors": 1, "checkov_version": "3"}, "results": {"failed_checks": []}}"#;
        assert_eq!(Report::read(unread), Err(NoReport::SawNothing));
        assert_eq!(Report::read(r#"{"SchemaVersion": 2, "Results": []}"#), Err(NoReport::SawNothing));
        assert_eq!(Report::read("{}"), Err(NoReport::Unknown));
        assert_eq!(Report::read("error: no such file"), Err(NoReport::Unknown));
    }

    #[test]
    fn both_scanners_are_read() {
        let checkov = r#"{"summary": {"passed": 3, "parsing_errors": 0, "checkov_version": "3"}, "results": {"failed_checks":
            [{"check_id": "CKV_AWS_18", "resource": "aws_s3_bucket.x", "check_name": "log access"}]}}"#;
        let found = Report::read(checkov).expect("a report").findings;
        assert_eq!(found, report(&[("CKV_AWS_18", "aws_s3_bucket.x")]).findings);
        let trivy = r#"{"SchemaVersion": 2, "Results": [{"Target": "alb.tf.json", "MisconfSummary": {"Successes": 4},
            "Misconfigurations": [{"ID": "AVD-AWS-0053", "Title": "exposed", "Status": "FAIL",
            "CauseMetadata": {"Resource": "aws_lb.main"}}]}]}"#;
        let report = Report::read(trivy).expect("a report");
        let [found] = Vec::from_iter(report.findings).try_into().expect("one");
        let expected =
            Finding { check: "AWS-0053".into(), address: "aws_lb.main".into(), title: "exposed".into() };
        assert_eq!((found, report.passed), (expected, 4));
    }
}
