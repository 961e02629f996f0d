//! The script that deploys where Terraform does not, with a stand-in for AWS that answers from a list.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/github/deploy.sh");
const OLD: &str = "arn:aws:ecs:us-east-1:111122223333:task-definition/api:1";
const NEW: &str = "arn:aws:ecs:us-east-1:111122223333:task-definition/api:2";
const IMAGE: &str = "111122223333.dkr.ecr.us-east-1.amazonaws.com/api@sha256:0123";

/// Answers each question from a file of its name, line by line, the last one for good; keeps what it is handed.
const AWS: &str = r#"#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
for argument in "$@"; do
    case "$argument" in file://*) cp "${argument#file://}" "$2.handed" ;; esac
done
echo "$*" >> calls
head --lines 1 "$2"
if [ "$(wc --lines < "$2")" -gt 1 ]; then sed --in-place 1d "$2"; fi
"#;

/// How a deployment ended.
struct Ended {
    succeeded: bool,
    said: String,
    folder: tempfile::TempDir,
}

impl Ended {
    fn handed(&self, operation: &str) -> Value {
        let text = fs::read_to_string(self.folder.path().join(format!("{operation}.handed"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.folder.path().join("calls")).unwrap()
    }
}

fn deploy(strategy: &str, answers: &[(&str, Vec<Value>)]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let definition = json!({
        "taskDefinition": {
            "taskDefinitionArn": OLD, "revision": 1, "status": "ACTIVE", "registeredBy": "terraform", "cpu": "256",
            "containerDefinitions": [{"name": "api", "image": "old", "user": "10001"}, {"name": "log", "image": "fluent"}],
        },
        "tags": [{"key": "Owner", "value": "payments"}],
    });
    let write = |name: &str, lines: &[Value]| {
        let lines: Vec<String> =
            lines.iter().map(|line| line.as_str().map_or(line.to_string(), str::to_owned)).collect();
        fs::write(folder.path().join(name), format!("{}\n", lines.join("\n"))).unwrap();
    };
    write("describe-task-definition", &[definition]);
    write("register-task-definition", &[json!(NEW)]);
    write("update-service", &[json!({})]);
    write("create-deployment", &[json!("d-1")]);
    for (name, lines) in answers {
        write(name, lines);
    }
    let aws = folder.path().join("aws");
    fs::write(&aws, AWS).unwrap();
    fs::set_permissions(&aws, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args([Path::new(SCRIPT).as_os_str(), strategy.as_ref()])
        .envs([("PATH", path.as_str()), ("PAUSE_SECONDS", "0"), ("WATCHED_MINUTES", "0"), ("IMAGE", IMAGE)])
        .envs([("CLUSTER", "platform"), ("SERVICE", "api"), ("CONTAINER", "api"), ("FAMILY", "api")])
        .envs([
            ("APPLICATION", "platform"),
            ("GROUP", "api"),
            ("APPSPEC", "TaskDefinition: <TASK_DEFINITION>\n"),
        ])
        .output()
        .expect("bash starts");
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Ended { succeeded: output.status.success(), said, folder }
}

/// What ECS says of a service whose deployments are these.
fn service(deployments: &[(&str, &str, &str)]) -> Value {
    let all: Vec<Value> = deployments
        .iter()
        .map(|(revision, status, state)| json!({"taskDefinition": revision, "status": status, "rolloutState": state}))
        .collect();
    json!({"services": [{"deployments": all}]})
}

#[test]
fn a_revision_differs_in_its_image_alone_and_keeps_its_tags() {
    let ended = deploy("external", &[("describe-services", vec![service(&[(NEW, "PRIMARY", "COMPLETED")])])]);
    assert!(ended.succeeded, "{}", ended.said);
    let expected = json!({
        "cpu": "256",
        "containerDefinitions": [{"name": "api", "image": IMAGE, "user": "10001"}, {"name": "log", "image": "fluent"}],
        "tags": [{"key": "Owner", "value": "payments"}],
    });
    assert_eq!(ended.handed("register-task-definition"), expected);
    assert!(
        ended.calls().contains(&format!(
            "ecs update-service --cluster platform --service api --task-definition {NEW}"
        ))
    );
}

#[test]
fn a_service_that_was_rolled_back_fails_however_stable_it_is() {
    let back = [
        service(&[(OLD, "PRIMARY", "COMPLETED")]),
        service(&[(OLD, "PRIMARY", "IN_PROGRESS"), (NEW, "ACTIVE", "FAILED")]),
        service(&[(NEW, "PRIMARY", "FAILED"), (OLD, "ACTIVE", "COMPLETED")]),
    ];
    for state in back {
        let ended = deploy("external", &[("describe-services", vec![state])]);
        assert!(!ended.succeeded && ended.said.contains("::error::the deployment failed"), "{}", ended.said);
    }
}

#[test]
fn a_deployment_without_end_fails() {
    let going = service(&[(NEW, "PRIMARY", "IN_PROGRESS"), (OLD, "ACTIVE", "COMPLETED")]);
    let ended = deploy("external", &[("describe-services", vec![going])]);
    assert!(!ended.succeeded && ended.said.contains("no end of the deployment"), "{}", ended.said);
}

fn state(status: &str) -> Value {
    json!({"deploymentInfo": {"status": status, "rollbackInfo": {"rollbackMessage": "an alarm"}}})
}

fn target(status: &str) -> Value {
    json!({"deploymentTarget": {"ecsTarget": {"lifecycleEvents": [
        {"lifecycleEventName": "Install", "status": "Succeeded"},
        {"lifecycleEventName": "AfterAllowTraffic", "status": status},
    ]}}})
}

#[test]
fn code_deploy_is_handed_the_revision_and_watched_to_the_end() {
    let ended = deploy("blue-green", &[("get-deployment", vec![state("Succeeded")])]);
    assert!(ended.succeeded, "{}", ended.said);
    let content = format!("TaskDefinition: {NEW}\n");
    let expected = json!({
        "applicationName": "platform",
        "deploymentGroupName": "api",
        "description": IMAGE,
        "revision": {"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
    });
    assert_eq!(ended.handed("create-deployment"), expected);
}

#[test]
fn a_deployment_that_went_back_fails_and_says_why() {
    for status in ["Failed", "Stopped"] {
        let ended = deploy("blue-green", &[("get-deployment", vec![state(status)])]);
        assert!(!ended.succeeded, "{}", ended.said);
        assert!(ended.said.contains("an alarm") && ended.said.contains("went back"), "{}", ended.said);
    }
}

#[test]
fn old_tasks_may_outlive_the_job_once_the_traffic_has_moved() {
    let going = |at: &str| {
        deploy(
            "blue-green",
            &[("get-deployment", vec![state("InProgress")]), ("get-deployment-target", vec![target(at)])],
        )
    };
    assert!(going("Succeeded").succeeded);
    let ended = going("Pending");
    assert!(!ended.succeeded && ended.said.contains("has not moved"), "{}", ended.said);
}
