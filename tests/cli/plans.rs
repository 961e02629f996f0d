//! `txnr plan-comment` and `txnr compare-plans`: what is a plan, what is none, and how it is said.

use crate::project::Project;

const PLAN: &str = r#"{"format_version": "1.2", "planned_values": {}, "resource_changes": [
    {"address": "aws_vpc.main", "change": {"actions": ["create"]}},
    {"address": "aws_lb.main", "change": {"actions": ["delete", "create"]}}]}"#;

#[test]
fn a_comment_is_made_of_a_plan_and_of_nothing_else() {
    let project = Project::empty();
    project.write("plan.json", PLAN);
    let comment = project.succeed("plan-comment --env dev plan.json");
    assert!(comment.starts_with("<!-- txnr plan: dev -->\n"), "{comment}");
    assert!(comment.contains("Plan: 2 to add, 0 to change, 1 to destroy."), "{comment}");
    for (text, why) in [
        ("Plan: 1 to add, 0 to change, 0 to destroy.\n", "plan.txt: this is no JSON"),
        ("\u{1b}[1mNo changes.\u{1b}[0m\n", "this is no JSON"),
        ("Error: Invalid reference\n", "this is no JSON"),
        ("", "what was given is empty"),
        (r#"{"format_version": "1.0", "values": {}}"#, "no plan of Terraform"),
        (r#"{"format_version": "1.2", "planned_values": {}, "errored": true}"#, "could not finish this plan"),
    ] {
        project.write("plan.txt", text);
        let said = project.run("plan-comment --env dev plan.txt");
        assert!(said.contains("exit code: 6") && said.contains(why), "{said}");
        assert!(!said.contains("<!-- txnr plan"), "{said}");
        let said = project.run("compare-plans --env dev --shown plan.json plan.txt");
        assert!(said.contains("exit code: 6") && said.contains(why), "{said}");
    }
}

#[test]
fn a_plan_that_failed_is_told_of() {
    let project = Project::empty();
    project.write("plan.log", "Error: Invalid reference\n\n  on ecs.tf.json line 3\n");
    let comment = project.succeed("plan-comment --env dev --failed plan.log");
    assert!(
        comment.starts_with("<!-- txnr plan: dev -->\n") && comment.contains("Terraform failed."),
        "{comment}"
    );
    assert!(comment.contains("Error: Invalid reference"), "{comment}");
    project.write("plan.json", PLAN);
    project.write("plan.txt", "\u{1b}[1mPlan:\u{1b}[0m 1 to add\n");
    let said = project.run("plan-comment --env dev --text plan.txt plan.json");
    assert!(said.contains("coloured") && said.contains("-no-color"), "{said}");
}

#[test]
fn a_plan_that_does_more_than_was_shown_is_refused() {
    let project = Project::empty();
    project.write("shown.json", PLAN);
    project.write("same.json", PLAN);
    project.succeed("compare-plans --env dev --shown shown.json same.json");
    project.write("more.json", &PLAN.replace("aws_vpc.main", "aws_iam_role.x"));
    let said = project.run("compare-plans --env dev --shown shown.json more.json");
    assert!(said.contains("exit code: 8"), "{said}");
    assert!(said.contains("aws_iam_role.x will be created, which was not shown"), "{said}");
    project.succeed("compare-plans --env dev --shown shown.json --shown more.json more.json");
    assert!(project.run("compare-plans --env dev --shown nowhere.json more.json").contains("exit code: 6"));
    assert!(project.run("compare-plans --env dev more.json").contains("exit code: 2"));
}
