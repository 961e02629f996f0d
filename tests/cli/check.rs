//! `txnr check`: verdicts, deviations, and the day that these are held to.

use crate::project::Project;

/// A deviation from the access log of the load balancer, and what it is from.
const DEVIATION: &str = r#"
[[deviations]]
control = "R098"
owner = "The edge team"
reason = "The log is written by the proxy in front"
compensating = "The proxy logs every request for a year"
approver = "The security officer"
expires = "2027-06-30"
"#;

fn with(project: &Project, more: &str) {
    let file = project.read("envs/prod.toml");
    project.write("envs/prod.toml", &(file + more));
}

#[test]
fn production_holds_to_every_control_in_every_format() {
    let project = Project::new();
    for format in ["text", "json", "markdown", "sarif"] {
        project.succeed(&format!("check --env prod --on 2027-01-01 --format {format}"));
    }
    let text = project.run("check --env prod --on 2027-01-01");
    for verdict in
        ["configured     R002", "not-applicable R054", "process        R142", "inherited      R149"]
    {
        assert!(text.contains(verdict), "{verdict}\n{text}");
    }
    assert!(!text.contains("violated "), "{text}");
}

#[test]
fn a_violation_fails_until_a_deviation_stands_and_after_it_has_expired() {
    let project = Project::new();
    with(&project, "\n[alb]\naccess_logs = false\n");
    let open = project.run("check --env prod --open --on 2027-01-01");
    assert!(open.contains("violated       R098") && open.contains("aws_lb.main"), "{open}");
    assert!(open.contains("exit code: 9"), "{open}");
    with(&project, DEVIATION);
    let stands = project.run("check --env prod --open --on 2027-06-30");
    assert!(
        stands.contains("violated       R098") && stands.contains("deviation until 2027-06-30"),
        "{stands}"
    );
    project.succeed("check --env prod --on 2027-06-30");
    let expired = project.run("check --env prod --on 2027-07-01");
    assert!(expired.contains("expired on 2027-06-30") && expired.contains("exit code: 9"), "{expired}");
    let sarif = project.run("check --env prod --format sarif --on 2027-06-30");
    assert!(sarif.contains("\"ruleId\": \"R098\"") && sarif.contains("\"suppressions\""), "{sarif}");
}

#[test]
fn a_deviation_that_nothing_needs_fails() {
    let project = Project::new();
    with(&project, DEVIATION);
    let idle = project.run("check --env prod --on 2027-01-01");
    assert!(
        idle.contains("the control is configured, so it is idle") && idle.contains("exit code: 9"),
        "{idle}"
    );
    let project = Project::new();
    with(&project, &DEVIATION.replace("R098", "R999"));
    let unknown = project.run("check --env prod --on 2027-01-01");
    assert!(unknown.contains("there is no such control") && unknown.contains("exit code: 9"), "{unknown}");
}
