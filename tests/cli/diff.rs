//! `txnr diff` and `txnr verify-plan`: which revision is read, what is told of it, and what is refused.

use crate::project::{DEV, PROD, Project};
use std::path::Path;
use std::process::Command;
use terraform::query::View;
use txnr::review::{About, Review, markdown};

/// A project in a repository of its own, whose first commit holds what is there.
fn repository() -> Project {
    let project = Project::new();
    project.write("txnr.toml", include_str!("../../examples/reconcile/txnr.toml"));
    git(&project, &["init", "--quiet", "--initial-branch", "main"]);
    commit(&project);
    project
}

fn git(project: &Project, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(project.path("."))
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn commit(project: &Project) -> String {
    git(project, &["add", "--all"]);
    git(project, &["commit", "--quiet", "--allow-empty", "--message", "x"]);
    git(project, &["rev-parse", "HEAD"])
}

#[test]
fn what_is_checked_in_is_compared_and_else_rendered() {
    let project = repository();
    // Nothing is checked in: the base is rendered, and the report says so.
    let said = project.succeed("diff --env dev");
    assert!(
        said.contains("no resource changes") && said.contains("is rendered from its envs/dev.toml"),
        "{said}"
    );
    project.succeed("synth --all");
    commit(&project);
    let said = project.succeed("diff --env dev");
    assert!(said.contains("no resource changes") && !said.contains("note:"), "{said}");

    // On a branch, what is compared with is where it began, not what main has become.
    git(&project, &["switch", "--quiet", "--create", "change"]);
    project.write("envs/dev.toml", &format!("{DEV}\n[ecr]\nkeep_tagged = 7\n"));
    let said = project.succeed("diff --env dev");
    assert!(said.contains("aws_ecr_lifecycle_policy"), "{said}");
    // An adopter's own file beside the generated ones counts.
    project.write("out/dev/extra.tf.json", r#"{"resource": {"aws_sqs_queue": {"own": {"name": "own"}}}}"#);
    assert!(project.succeed("diff --env dev").contains("+ aws_sqs_queue.own"));
    project.write("out/dev/extra.tf.json", r#"{"module": {"own": {"source": "./own"}}}"#);
    assert!(
        project.succeed("diff --env dev").contains("module.own is new: what it makes is not looked into")
    );
}

#[test]
fn what_a_file_means_is_told_and_can_fail() {
    let project = repository();
    project.write("envs/prod.toml", &format!("{PROD}\n[data]\nstore = \"postgres\"\n"));
    let said = project.run("diff --env prod --fail-on data-loss,widened");
    assert!(said.contains("exit code: 11"), "{said}");
    assert!(
        said.contains("aws_dynamodb_table.audit  it is destroyed, and with it the items in it"),
        "{said}"
    );
    assert!(said.find("Data is lost") < said.find("Costs more"), "the worst comes first: {said}");
    let comment = project.succeed("diff --env prod --format markdown");
    assert!(comment.starts_with("<!-- txnr diff: prod -->\n"), "{comment}");
    let json = project.succeed("diff --env prod --format json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["format_version"], 1);
    assert!(json["findings"].as_array().is_some_and(|all| all[0]["consequence"] == "data-loss"));
    let said = project.run("diff --env prod --fail-on lost");
    assert!(said.contains("exit code: 2") && said.contains("data-loss"), "{said}");
}

#[test]
fn what_is_acknowledged_passes_until_its_day_and_only_where_it_is_needed() {
    let project = repository();
    let write = |acknowledged: &[(&str, &str)]| {
        let entry = |(consequence, address): &(&str, &str)| {
            format!(
                "[[acknowledged]]\nconsequence = \"{consequence}\"\naddress = \"{address}\"\nreason = \"Moved, says *Ada*\"\nexpires = \"2027-03-31\"\n"
            )
        };
        let entries: String = acknowledged.iter().map(entry).collect();
        project.write("envs/prod.toml", &format!("{PROD}\n[data]\nstore = \"postgres\"\n{entries}"));
    };
    let diff = |on: &str| project.run(&format!("diff --env prod --fail-on data-loss --on {on}"));
    write(&[]);
    let json = project.succeed("diff --env prod --format json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let findings = json["findings"].as_array().expect("findings");
    let lost = findings.iter().filter(|finding| finding["consequence"] == "data-loss");
    let mut lost: Vec<(&str, &str)> =
        lost.map(|finding| ("data-loss", finding["address"].as_str().expect("an address"))).collect();
    lost.dedup();
    assert!(lost.len() > 1, "{findings:?}");

    // Every one, and each by its very kind and address.
    write(&lost[1..]);
    assert!(diff("2027-03-31").contains("exit code: 11"));
    let other: Vec<_> = [("interrupted", lost[0].1)].into_iter().chain(lost[1..].iter().copied()).collect();
    write(&other);
    assert!(diff("2027-03-31").contains("--fail-on names: data-loss"));
    write(&lost);
    let said = diff("2027-03-31");
    assert!(said.contains("exit code: 0"), "{said}");
    assert_eq!(
        said.matches("acknowledged until 2027-03-31: Moved, says *Ada*").count(),
        lost.len(),
        "{said}"
    );
    let comment = project.succeed("diff --env prod --format markdown --on 2027-03-31");
    assert!(comment.contains("<br>acknowledged until 2027-03-31: Moved, says \\*Ada\\* |"), "{comment}");

    // The day after, it counts no more; whoever does not ask for a failure is told alone.
    let said = diff("2027-04-01");
    assert!(said.contains("exit code: 11") && said.contains("envs/prod.toml: data-loss of "), "{said}");
    assert!(said.contains("was acknowledged until 2027-03-31") && !said.contains("says *Ada*"), "{said}");
    // One that nothing needs.
    let idle: Vec<_> = lost.iter().copied().chain([("data-loss", "aws_s3_bucket.audit")]).collect();
    write(&idle);
    let said = diff("2027-03-31");
    assert!(said.contains("exit code: 11") && said.contains("1 of [[acknowledged]]"), "{said}");
    assert!(
        said.contains(
            "data-loss of aws_s3_bucket.audit is acknowledged, and the change has no such consequence"
        ),
        "{said}"
    );
    let said = project.run("diff --env prod --on 2027-03-31");
    assert!(said.contains("exit code: 0") && said.contains("has no such consequence"), "{said}");
}

#[test]
fn wrong_input_is_told_with_a_remedy() {
    let project = repository();
    let said = project.run("diff --env dev --base nowhere");
    assert!(
        said.contains("exit code: 6") && said.contains("no revision `nowhere`") && said.contains("help:"),
        "{said}"
    );
    let said = project.run("diff --env dev --base --all");
    assert!(said.contains("exit code: 2") || said.contains("exit code: 6"), "{said}");
    let said = project.run("diff --env nowhere");
    assert!(said.contains("exit code: 2"), "{said}");
    let said = project.run("diff");
    assert!(said.contains("exit code: 2"), "{said}");
    project.write("a/x.tf.json", "{}");
    project.write("b/x.tf.json", "not JSON");
    let said = project.run("diff a b");
    assert!(said.contains("exit code: 6") && said.contains("b/x.tf.json: not JSON"), "{said}");
    project.write("b/x.tf.json", r#"{"format_version": "1.2"}"#);
    assert!(project.run("diff a b").contains("no Terraform configuration"));
    assert!(project.run("diff a nowhere").contains("exit code: 6"));
    assert!(project.run("diff a envs").contains("holds no *.tf.json"));
    let without_git = project.command("diff --env dev").env("PATH", "").output().expect("it runs");
    assert_eq!(without_git.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&without_git.stderr).contains("cannot run git"));
    let outside = Project::new();
    let said = outside.run("diff --env dev --base main");
    assert!(said.contains("exit code: 6") && said.contains("no Git repository"), "{said}");
    let said = outside.run("diff --env dev");
    assert!(said.contains("exit code: 2") && said.contains("txnr.toml"), "{said}");
}

#[test]
fn a_shallow_clone_says_that_it_is_one() {
    let project = repository();
    let first = git(&project, &["rev-parse", "HEAD"]);
    commit(&project);
    let shallow = Project::empty();
    let from = format!("file://{}", project.path(".").display());
    git(&shallow, &["clone", "--quiet", "--depth", "1", &from, "clone"]);
    let output = shallow
        .command(&format!("diff --env dev --base {first}"))
        .current_dir(shallow.path("clone"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("shallow") && said.contains("fetch-depth: 0"), "{said}");
}

/// Two merges, the second of which failed half-way: the plan is held to both.
#[test]
fn a_plan_is_held_to_every_merge_since_the_last_apply() {
    let project = repository();
    project.succeed("synth --all");
    let applied = commit(&project);
    project.write("envs/dev.toml", &format!("{DEV}\n[ecr]\nkeep_tagged = 7\n"));
    project.succeed("synth --all");
    commit(&project);
    project.write(
        "envs/dev.toml",
        &format!("{DEV}\n[ecr]\nkeep_tagged = 7\n[alb]\nidle_timeout_seconds = 77\n"),
    );
    project.succeed("synth --all");
    commit(&project);
    let update = |address: &str, argument: &str, before: serde_json::Value, after: serde_json::Value| {
        serde_json::json!({"address": address, "change": {"actions": ["update"], "before": {argument: before},
            "after": {argument: after}, "after_unknown": {}}})
    };
    let plan = |changes: Vec<serde_json::Value>| {
        let configured = |address: &str, argument: &str| serde_json::json!({"address": address, "expressions": {argument: {}}});
        let configuration = [
            configured("aws_lb.main", "idle_timeout"),
            configured("aws_ecr_lifecycle_policy.main", "policy"),
        ];
        serde_json::json!({"format_version": "1.2", "planned_values": {}, "resource_changes": changes,
            "configuration": {"root_module": {"resources": configuration}}})
        .to_string()
    };
    let idle = update("aws_lb.main", "idle_timeout", 60.into(), 77.into());
    let images = update("aws_ecr_lifecycle_policy.main", "policy", "{}".into(), "{\"rules\": []}".into());
    project.write("plan.json", &plan(vec![idle.clone(), images]));
    project.succeed(&format!("verify-plan --env dev --since {applied} plan.json"));
    // Held to the last merge alone, the first is not foreseen.
    let said = project.run("verify-plan --env dev --since HEAD~1 plan.json");
    assert!(
        said.contains("exit code: 8") && said.contains("not foreseen: aws_ecr_lifecycle_policy.main"),
        "{said}"
    );
    // What did get applied before the failure is in no plan any more.
    project.write("plan.json", &plan(vec![idle]));
    project.succeed(&format!("verify-plan --env dev --since {applied} plan.json"));
    let opened = update("aws_lb.main", "idle_timeout", 77.into(), 60.into());
    let destroyed = serde_json::json!({"address": "aws_dynamodb_table.audit", "change": {"actions": ["delete"], "before": {}, "after": null}});
    project.write("plan.json", &plan(vec![opened, destroyed]));
    let said = project.run(&format!("verify-plan --env dev --since {applied} plan.json"));
    assert!(
        said.contains("exit code: 8")
            && said.contains("not foreseen: aws_dynamodb_table.audit will be destroyed"),
        "{said}"
    );
    project.write("plan.json", "Plan: 1 to add");
    assert!(
        project.run(&format!("verify-plan --env dev --since {applied} plan.json")).contains("exit code: 6")
    );
}

fn module(text: &str) -> View {
    let (config, _) =
        txnr::check::parse(Path::new("envs/prod.toml"), text).unwrap_or_else(|report| panic!("{report}"));
    View::of_root(&txnr::synth::synth(&config).expect("a module"))
}

/// Changes of an environment file that matter, and what the comment has to say.
const CHANGES: [(&str, &str, &str, &str); 20] = [
    (
        "store-postgres",
        "",
        "\n[data]\nstore = \"postgres\"\n",
        "| Data is lost | `aws_dynamodb_table.audit` | it is destroyed",
    ),
    (
        "provisioned",
        "",
        "\n[data.dynamodb]\nbilling = \"provisioned\"\n",
        "| Costs more | `aws_dynamodb_table.audit` |",
    ),
    (
        "shorter-recovery",
        "",
        "\n[data.dynamodb]\nrecovery_days = 7\n",
        "| Data is lost | `aws_dynamodb_table.records` | kept for a shorter time",
    ),
    ("new-cidr", "cidr = \"10.30.0.0/16\"", "cidr = \"10.31.0.0/16\"", "| The network opens |"),
    (
        "allowed-cidrs",
        "",
        "\n[alb]\nallowed_cidrs = [\"203.0.113.0/24\"]\n",
        "closes: 203.0.114.0-255.255.255.255 to aws_security_group.alb, tcp 443",
    ),
    ("no-access-logs", "", "\n[alb]\naccess_logs = false\n", "aws_lb.main"),
    ("idle-timeout", "", "\n[alb]\nidle_timeout_seconds = 120\n", "idle_timeout: 60 -> 120"),
    (
        "no-redirect",
        "",
        "\n[alb]\nhttp_redirect = false\n",
        "closes: 0.0.0.0/0 to aws_security_group.alb, tcp 80",
    ),
    (
        "mutual-tls",
        "",
        "\n[alb.mutual_tls]\nmode = \"passthrough\"\n",
        "| Protection is lowered | `aws_lb_listener.https` |",
    ),
    (
        "blue-green",
        "",
        "\n[service.deployment]\nstrategy = \"blue-green\"\n",
        "widened: aws_iam_role.codedeploy (permissions)",
    ),
    ("external", "", "\n[service.deployment]\nstrategy = \"external\"\n", "no resource changes"),
    (
        "more-tasks",
        "desired_count = 3",
        "desired_count = 6",
        "| Costs more | `aws_appautoscaling_target.tasks` |",
    ),
    (
        "larger-tasks",
        "cpu = 512\nmemory = 1024",
        "cpu = 1024\nmemory = 2048",
        "| Costs more | `aws_ecs_task_definition.main` |",
    ),
    ("other-image", "sha256:8f5f", "sha256:9f5f", "aws_ecs_task_definition.main"),
    ("other-owner", "owner = \"payments-platform\"", "owner = \"ledger-team\"", "aws_backup_vault.main"),
    ("other-domain", "reconcile.example.com", "ledger.example.com", "aws_route53_record."),
    (
        "recovery-region",
        "",
        "\n[recovery]\nregion = \"us-west-2\"\n",
        "widened: aws_iam_role.backup (permissions)",
    ),
    (
        "shorter-backups",
        "",
        "\n[backup]\ndaily_days = 7\n",
        "| Data is lost | `aws_backup_vault_lock_configuration.main` | kept for a shorter time",
    ),
    (
        "fewer-guardduty-plans",
        "",
        "\n[detection]\nguardduty_plans = [\"s3\"]\n",
        "| Protection is lowered | `aws_guardduty_detector_feature.",
    ),
    (
        "other-project",
        "project = \"txn-reconcile\"",
        "project = \"ledger\"",
        "| Data is lost | `aws_dynamodb_table.audit` |",
    ),
];

#[test]
fn a_comment_says_what_a_reviewer_has_to_know() {
    let old = module(PROD);
    for (name, from, to, told) in CHANGES {
        let text = if from.is_empty() { format!("{PROD}{to}") } else { PROD.replace(from, to) };
        assert_ne!(text, PROD, "{name}");
        let about = About { subject: "prod", base: "main", notes: &[] };
        let review = Review::of(&old, &module(&text));
        let comment = markdown(&review, about);
        assert!(comment.starts_with("<!-- txnr diff: prod -->") && comment.len() <= 65_000, "{name}");
        assert!(comment.contains(told), "{name}: {comment}");
        // The other way round the same addresses change.
        let back = Review::of(&module(&text), &old);
        let addresses = |review: &Review| {
            review
                .changes
                .iter()
                .map(|change| change.address.clone())
                .collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(addresses(&review), addresses(&back), "{name}");
    }
}

/// Whatever may be reordered in the files of every environment is, and nothing changes.
#[test]
fn what_is_reordered_is_the_same() {
    let old = module(PROD);
    let mut new = old.clone();
    for block in new.blocks.values_mut() {
        for key in ["rule", "subnets", "security_groups", "ingress", "egress", "attribute"] {
            if let Some(serde_json::Value::Array(items)) = block.body.get_mut(key) {
                let set =
                    !matches!((block.kind.as_str(), key), (kind, "rule") if kind != "aws_wafv2_web_acl");
                if set {
                    items.reverse();
                }
            }
        }
        for key in ["policy", "assume_role_policy"] {
            if let Some(serde_json::Value::Array(statements)) =
                block.body.get_mut(key).and_then(|of| of.get_mut("Statement"))
            {
                statements.reverse();
                for statement in statements {
                    for list in ["Action", "Resource"] {
                        if let Some(serde_json::Value::Array(items)) = statement.get_mut(list) {
                            items.reverse();
                        }
                    }
                }
            }
        }
    }
    assert_ne!(old, new);
    let review = Review::of(&old, &new);
    assert!(review.is_empty() && review.findings.is_empty(), "{:?}", review.changes);
}
