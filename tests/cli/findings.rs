//! `txnr findings`: what is excused, and what is said of the rest.

use crate::project::Project;
use insta::assert_snapshot;

/// What checkov prints when these checks failed on these resources.
fn checkov(failed: &[(&str, &str)]) -> String {
    let failed: Vec<String> = failed
        .iter()
        .map(|(check, resource)| {
            format!(r#"{{"check_id": "{check}", "check_name": "it is so", "resource": "{resource}"}}"#)
        })
        .collect();
    let summary = r#"{"passed": 500, "parsing_errors": 0, "checkov_version": "3.3.30"}"#;
    format!(r#"{{"summary": {summary}, "results": {{"failed_checks": [{}]}}}}"#, failed.join(", "))
}

const OWN: &str = r#"
[[exception]]
check = "CKV_AWS_18"
resources = ["aws_s3_bucket.exports"]
environments = ["prod"]
reason = "It takes the access logs of the others."
until = "2027-06-30"
"#;

#[test]
fn what_txnr_generates_is_excused_and_what_stands_beside_it_is_not() {
    let project = Project::new();
    project.write("known.json", &checkov(&[("CKV_AWS_144", "aws_s3_bucket.audit")]));
    assert_snapshot!("findings_of_txnr", project.run("findings --env prod known.json"));
    project.write("new.json", &checkov(&[("CKV_AWS_144", "aws_s3_bucket.exports")]));
    assert_snapshot!("findings_beside_it", project.run("findings --env prod new.json"));
    // Development may be torn down, production may not.
    project.write("unprotected.json", &checkov(&[("CKV_AWS_150", "aws_lb.main")]));
    project.succeed("findings --env dev unprotected.json");
    assert!(project.run("findings --env prod unprotected.json").contains("exit code: 7"));
}

#[test]
fn an_exception_of_ones_own_holds_until_its_day_and_excuses_something() {
    let project = Project::new();
    project.write("scan-exceptions.toml", OWN);
    project.write("found.json", &checkov(&[("CKV_AWS_18", "aws_s3_bucket.exports")]));
    project.succeed("findings --env prod --today 2027-06-30 found.json");
    assert_snapshot!(
        "findings_out_of_date",
        project.run("findings --env prod --today 2027-07-01 found.json")
    );
    project.write("mended.json", &checkov(&[]));
    assert_snapshot!(
        "findings_that_are_gone",
        project.run("findings --env prod --today 2027-06-30 mended.json")
    );
    project.write("scan-exceptions.toml", "[[exception]]\nchek = \"CKV_AWS_18\"\n");
    assert_snapshot!("findings_misspelt", project.run("findings --env prod found.json"));
}

#[test]
fn a_scanner_that_saw_nothing_is_not_believed() {
    let project = Project::new();
    project.write(
        "empty.json",
        r#"{"passed": 0, "failed": 0, "parsing_errors": 0, "checkov_version": "3.3.30"}"#,
    );
    assert_snapshot!("findings_of_nothing", project.run("findings --env prod empty.json"));
    project.write("words.json", "Traceback (most recent call last):");
    assert_snapshot!("findings_in_words", project.run("findings --env prod words.json"));
}

#[test]
fn what_is_named_is_there_and_what_has_run_out_is_so_without_being_asked() {
    let project = Project::new();
    project.write("known.json", &checkov(&[("CKV_AWS_144", "aws_s3_bucket.audit")]));
    project.succeed("findings --env prod known.json");
    let said = project.run("findings --env prod --exceptions nowhere.toml known.json");
    assert!(said.contains("exit code: 6") && said.contains("nowhere.toml"), "{said}");
    project.write("found.json", &checkov(&[("CKV_AWS_18", "aws_s3_bucket.exports")]));
    project.write("scan-exceptions.toml", &OWN.replace("2027-06-30", "2026-06-30"));
    let said = project.run("findings --env prod found.json");
    assert!(said.contains("exit code: 7") && said.contains("held until 2026-06-30: look again"), "{said}");
    project.write("scan-exceptions.toml", &OWN.replace("\"prod\"", "\"production\"").replace("2027", "9999"));
    project.write("none.json", &checkov(&[]));
    let said = project.run("findings --env prod none.json");
    assert!(
        said.contains("exit code: 7") && said.contains("is for production, which is no environment"),
        "{said}"
    );
    let both = format!("[{}, {}]", checkov(&[]), checkov(&[("CKV_AWS_144", "aws_s3_bucket.audit")]));
    project.write("scan-exceptions.toml", "");
    project.write("both.json", &both);
    project.succeed("findings --env prod both.json");
}
