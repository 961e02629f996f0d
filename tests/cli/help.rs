//! What the command says about itself.

use crate::project::Project;
use insta::assert_snapshot;
use std::fs;

#[test]
fn the_help_names_every_subcommand_and_exit_code() {
    let project = Project::empty();
    assert_snapshot!("help", project.run("--help"));
    for subcommand in [
        "synth",
        "bootstrap",
        "check",
        "envs",
        "inventory",
        "init",
        "image",
        "status",
        "logs",
        "exec",
        "restore",
        "diff",
        "cost",
        "reach",
        "verify-plan",
        "plan-comment",
        "compare-plans",
        "findings",
        "schema",
        "alarms",
        "completions",
        "man",
    ] {
        let help = project.run(&format!("{subcommand} --help"));
        assert!(help.contains("Examples:"), "{help}");
        assert_snapshot!(format!("help_{subcommand}"), help);
    }
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let project = Project::new();
    let wrong = [
        "",
        "sinth",
        "synth",
        "synth --all --env dev",
        "synth --all --check --stdout",
        "synth --all --force --check",
    ];
    let said: Vec<String> = wrong.into_iter().map(|arguments| project.run(arguments)).collect();
    assert!(said.iter().all(|said| said.contains("exit code: 2")), "{said:?}");
    assert_snapshot!("usage", said[1..].join("\n"));
}

#[test]
fn there_is_a_man_page_for_every_subcommand() {
    let project = Project::empty();
    let page = project.succeed("man");
    assert!(page.contains("EXIT STATUS") && page.contains("EXAMPLES"));
    assert_eq!(project.succeed("man --out pages"), "");
    let mut pages: Vec<String> = fs::read_dir(project.path("pages"))
        .expect("a folder")
        .map(|e| e.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    pages.sort();
    assert_eq!(
        pages,
        [
            "txnr-alarms.1",
            "txnr-bootstrap.1",
            "txnr-check.1",
            "txnr-compare-plans.1",
            "txnr-completions.1",
            "txnr-cost.1",
            "txnr-diff.1",
            "txnr-envs.1",
            "txnr-exec.1",
            "txnr-findings.1",
            "txnr-image.1",
            "txnr-init.1",
            "txnr-inventory.1",
            "txnr-logs.1",
            "txnr-man.1",
            "txnr-plan-comment.1",
            "txnr-reach.1",
            "txnr-restore.1",
            "txnr-schema.1",
            "txnr-status.1",
            "txnr-synth.1",
            "txnr-verify-plan.1",
            "txnr.1"
        ]
    );
    assert_eq!(project.read("pages/txnr.1"), page);
}

#[test]
fn there_are_completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = Project::empty().succeed(&format!("completions {shell}"));
        assert!(script.contains("synth"), "{shell}");
    }
}
