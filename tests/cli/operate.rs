//! `txnr status`, `logs` and `exec`: what they call, what they refuse, and what they show. A script stands in for `aws` here, and
//! answers what a test lays down; `tests/terraform/operate.rs` calls the AWS CLI on a local AWS.

use crate::project::Project;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

const TASK: &str = "0123456789abcdef0123456789abcdef";

/// Writes down how it is called, and answers from the files that are named after the operation.
const AWS: &str = r#"#!/bin/sh
here=$(dirname "$0")/..
for word in "$@"; do printf '<%s>' "$word" >> "$here/calls"; done
echo >> "$here/calls"
if [ "$1" = --version ]; then exec cat "$here/answers/version"; fi
if [ -f "$here/answers/$2.refused" ]; then cat "$here/answers/$2.refused" >&2; exit 254; fi
cat "$here/answers/$2"
"#;

/// A project with a stand-in for `aws` that has credentials of the account of dev.
struct Scene(Project);

impl Scene {
    fn new() -> Self {
        let project = Project::new();
        program(&project, "aws", AWS);
        let scene = Self(project);
        scene.0.write("calls", "");
        scene.0.write("answers/version", "aws-cli/2.17.20 Python/3.11.8 Linux/6.1 exe/x86_64\n");
        scene.0.write("answers/get-caller-identity", "111122223333\n");
        scene.answers("list-tasks", &json!({"taskArns": [format!("arn:aws:ecs:us-east-1:111122223333:task/txn-reconcile-dev/{TASK}")]}));
        scene
    }

    fn answers(&self, operation: &str, answer: &Value) {
        self.0.write(&format!("answers/{operation}"), &answer.to_string());
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let bin = self.0.path("bin").into_os_string().into_string().expect("a path");
        self.run_on(&format!("{bin}:/usr/bin:/bin"), arguments)
    }

    fn run_on(&self, path: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } =
            self.0.command("").args(arguments).env("PATH", path).output().expect("the command runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (status.code(), text(stdout), text(stderr))
    }

    /// What the calls since the last time were, without the first two, which every command makes.
    fn calls(&self) -> Vec<String> {
        let calls: Vec<String> = self.0.read("calls").lines().map(str::to_owned).collect();
        self.0.write("calls", "");
        assert_eq!(calls[0], "<--version>");
        assert_eq!(
            calls[1],
            "<sts><get-caller-identity><--region><us-east-1><--query><Account><--output><text>"
        );
        calls[2..].to_vec()
    }

    fn lets_sessions_in(&self) {
        self.0.edit("envs/dev.toml", "cpu = 256", "exec = true\ncpu = 256");
    }
}

fn program(project: &Project, name: &str, text: &str) {
    let path = format!("bin/{name}");
    project.write(&path, text);
    std::fs::set_permissions(project.path(&path), PermissionsExt::from_mode(0o755)).expect("a program");
}

fn service() -> Value {
    json!({"services": [{
        "serviceName": "txn-reconcile-api", "status": "ACTIVE",
        "desiredCount": 2, "runningCount": 1, "pendingCount": 1,
        "deployments": [
            {"id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": "arn:aws:ecs:us-east-1:111122223333:task-definition/txn-reconcile-dev-txn-reconcile-api:8",
             "desiredCount": 2, "runningCount": 1, "pendingCount": 1, "failedTasks": 3,
             "rolloutState": "IN_PROGRESS", "rolloutStateReason": "ECS deployment \u{1b}[2Jin progress."},
        ],
    }], "failures": []})
}

#[test]
fn status_tells_what_runs_and_what_rings() {
    let scene = Scene::new();
    let image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/txn-reconcile-api:v0.1.0";
    scene.answers("describe-services", &service());
    scene.answers(
        "describe-tasks",
        &json!({"tasks": [{"taskArn": "arn", "lastStatus": "RUNNING", "containers": [
        {"name": "txn-reconcile-api", "image": image, "imageDigest": "sha256:11"}]}]}),
    );
    scene.answers(
        "describe-images",
        &json!({"imageDetails": [{"imageDigest": "sha256:11", "imageTags": ["v0.1.0"]}]}),
    );
    scene.answers("describe-alarms", &json!({"MetricAlarms": [
        {"AlarmName": "txn-reconcile-dev-cpu", "StateValue": "ALARM", "StateReason": "\u{9b}31mhigh"}], "CompositeAlarms": []}));

    let (code, said, told) = scene.run(&["status", "--env", "dev"]);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    assert!(said.contains("txn-reconcile-api  ACTIVE  1 of 2 run, 1 start\n"), "{said}");
    assert!(said.contains("txn-reconcile-dev-txn-reconcile-api:8  PRIMARY  IN_PROGRESS  1 of 2 run, 1 start, 3 did not start\n"), "{said}");
    assert!(said.contains("ECS deployment \u{fffd}[2Jin progress.\n"), "{said}");
    assert!(said.contains("sha256:11  tags v0.1.0  tasks: 1\n"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{9b}']), "{said}");
    let calls = scene.calls();
    let operations: Vec<&str> = calls.iter().filter_map(|call| call.split(['<', '>']).nth(3)).collect();
    let asked = ["describe-services", "list-tasks", "describe-tasks", "describe-images", "describe-alarms"];
    assert_eq!(operations, asked);
    assert!(calls[2].contains(&format!("task/txn-reconcile-dev/{TASK}>")), "{calls:?}");

    let (_, said, _) = scene.run(&["status", "--env", "dev", "--json"]);
    let status: Value = serde_json::from_str(&said).expect("JSON");
    let schema: Value = serde_json::from_str(&scene.0.succeed("status --schema")).expect("JSON");
    for key in schema["required"].as_array().expect("keys") {
        assert!(!status[key.as_str().expect("a key")].is_null(), "{key}: {said}");
    }
    assert_eq!(status["services"][0]["images"][0]["tags"], json!(["v0.1.0"]));
    let absent =
        status["alarms"].as_array().expect("alarms").iter().filter(|alarm| alarm["state"] == "none").count();
    assert_eq!(status["watched"], absent + 1, "{said}");

    // Who may not ask for tags still sees what runs; a service that ECS does not have is not there.
    scene.0.write("answers/describe-images.refused", "\nAn error occurred (AccessDeniedException)\n");
    let (code, said, told) = scene.run(&["status", "--env", "dev"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(said.contains("tags unknown") && told.contains("AccessDeniedException"), "{said}{told}");
    scene.answers("describe-services", &json!({"services": [], "failures": [{"reason": "MISSING"}]}));
    let (_, said, _) = scene.run(&["status", "--env", "dev"]);
    assert!(said.contains("txn-reconcile-api  is not there"), "{said}");
}

#[test]
fn logs_shows_every_event_once_as_a_line() {
    let scene = Scene::new();
    let event = |id: &str, message: &str| {
        json!({"eventId": id, "logStreamName": format!("ecs/txn-reconcile-api/{TASK}"),
        "timestamp": 1_764_555_600_000_i64, "message": message})
    };
    scene.answers(
        "filter-log-events",
        &json!({"events": [event("1", "one\u{1b}[31m"), event("1", "one"), event("2", "two\n  at x")]}),
    );
    let (code, said, told) = scene.run(&["logs", "--env", "dev", "--since", "1h", "--filter", "-\"no ise\""]);
    assert_eq!((code, told.as_str()), (Some(0), ""));
    let time = "2025-12-01T02:20:00.000Z";
    assert_eq!(said, format!("{time} {TASK} one\u{fffd}[31m\n{time} {TASK} two\n      at x\n"));
    let calls = scene.calls();
    assert!(calls[0].contains("<--log-group-name></txn-reconcile/dev/service><--start-time>"), "{calls:?}");
    assert!(calls[0].contains("<--filter-pattern=-\"no ise\">"), "{calls:?}");
    assert_eq!(calls.len(), 1);
}

#[test]
fn exec_hands_the_terminal_to_aws() {
    let scene = Scene::new();
    scene.lets_sessions_in();
    program(&scene.0, "session-manager-plugin", "#!/bin/sh\n");
    scene.0.write("answers/execute-command", "in the session\n");
    let (code, said, told) = scene.run(&["exec", "--env", "dev", "--", "/bin/sh", "-c", "ls '/a b'"]);
    assert_eq!((code, said.as_str(), told.as_str()), (Some(0), "in the session\n", ""));
    let calls = scene.calls();
    let open = format!(
        "<ecs><execute-command><--region><us-east-1><--cluster><txn-reconcile-dev><--task><{TASK}>\
         <--container><txn-reconcile-api><--interactive><--command></bin/sh -c 'ls '\\''/a b'\\'''>"
    );
    assert_eq!(calls[1], open);
    // It ends as aws does.
    scene.0.write("answers/execute-command.refused", "An error occurred\n");
    assert_eq!(scene.run(&["exec", "--env", "dev", "--task", TASK, "--", "sh"]).0, Some(254));
}

#[test]
fn what_is_printed_is_what_would_be_called() {
    let scene = Scene::new();
    scene.lets_sessions_in();
    let guard = "[ \"$(aws sts get-caller-identity --region us-east-1 --query Account --output text)\" = 111122223333 ] || echo 'the credentials are of another account: stop here' >&2\n";
    for (arguments, lines) in [
        (vec!["status", "--env", "dev", "--print"], 5),
        (vec!["logs", "--env", "dev", "--print", "--follow"], 3),
        (vec!["exec", "--env", "dev", "--print", "--", "sh"], 3),
        (vec!["exec", "--env", "dev", "--print", "--task", TASK, "--", "sh"], 2),
    ] {
        let (code, said, told) = scene.run(&arguments);
        assert_eq!((code, told.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(said.starts_with(guard), "{said}");
        assert_eq!(said.lines().count(), lines, "{said}");
        assert_eq!(scene.0.read("calls"), "", "{arguments:?} called something");
    }
}

/// Each with its exit code, and the place and the remedy that are named.
#[test]
fn what_cannot_be_asked_is_said_with_its_remedy() {
    let refused = |scene: &Scene, arguments: &[&str], code: i32, said: &[&str]| {
        let (exit, out, told) = scene.run(arguments);
        assert_eq!(exit, Some(code), "{arguments:?}: {told}");
        assert_eq!(out, "", "{arguments:?}");
        for text in said.iter().chain(&["help: "]) {
            assert!(told.contains(text), "{arguments:?}: no {text:?} in {told}");
        }
        assert!(!told.contains('\u{1b}') && !told.contains("111122223333"), "{told}");
    };
    let status = ["status", "--env", "dev"];
    let exec = ["exec", "--env", "dev", "--", "sh"];

    let scene = Scene::new();
    refused(
        &scene,
        &["status", "--env", "dev", "--service", "txn-reconcile-ap"],
        2,
        &["no service `txn-reconcile-ap`", "did you mean `txn-reconcile-api`"],
    );
    refused(&scene, &["logs", "--env", "dev", "--service", "x\u{1b}"], 2, &["no service `x\u{fffd}`"]);
    refused(&scene, &["status", "--env", "dav"], 2, &["there are dev, prod"]);
    refused(&scene, &exec, 16, &["lets no session in", "`service.exec = true` in envs/dev.toml"]);
    refused(&scene, &["exec", "--env", "prod", "--", "sh"], 16, &["off in production"]);
    assert_eq!(scene.0.read("calls"), "", "nothing was asked");

    scene.lets_sessions_in();
    refused(&scene, &exec, 13, &["session-manager-plugin"]);
    program(&scene.0, "session-manager-plugin", "#!/bin/sh\n");
    refused(
        &scene,
        &["exec", "--env", "dev", "--task", &TASK.replace('0', "f"), "--", "sh"],
        16,
        &["no such task", TASK],
    );
    scene.answers("list-tasks", &json!({"taskArns": []}));
    refused(&scene, &exec, 16, &["no task of txn-reconcile-api runs in dev", "txnr status --env dev"]);

    scene.0.write(
        "answers/describe-services.refused",
        "\nAn error occurred (AccessDeniedException): \u{1b}[1mno\n",
    );
    refused(
        &scene,
        &status,
        15,
        &["`aws ecs describe-services` failed: An error occurred (AccessDeniedException): \u{fffd}[1mno"],
    );
    let scene = Scene::new();
    for answer in ["", "<html>", "[]", "{\"services\": 1}", "{\"services\": [{}]}"] {
        scene.0.write("answers/describe-services", answer);
        refused(&scene, &status, 15, &["`aws ecs describe-services` answers with something unexpected"]);
    }

    scene.0.write("answers/get-caller-identity", "999900001111\n");
    for arguments in [
        &status[..],
        &["logs", "--env", "dev"],
        &["restore", "--env", "dev", "--point", "2026-11-30T10:15:00Z", "--run"],
    ] {
        refused(&scene, arguments, 14, &["another account", "`account_id` in dev.toml"]);
    }
    scene.0.write("answers/get-caller-identity", "None\n");
    refused(&scene, &status, 14, &["something that is no account"]);
    scene.0.write(
        "answers/get-caller-identity.refused",
        "\nUnable to locate credentials. You can configure credentials by running \"aws configure\".\n",
    );
    refused(&scene, &status, 13, &["Unable to locate credentials", "AWS_PROFILE"]);
    scene.0.write("answers/version", "aws-cli/1.16.300 Python/3.6.9\n");
    refused(&scene, &status, 13, &["1.16.300", "too old", "2.1.30"]);
    scene.0.write("answers/version", "hello\n");
    refused(&scene, &status, 13, &["does not say which release"]);
    std::fs::remove_file(scene.0.path("bin/aws")).expect("it was there");
    let bin = scene.0.path("bin").into_os_string().into_string().expect("a path");
    let (code, _, told) = scene.run_on(&bin, &status);
    assert_eq!(code, Some(13), "{told}");
    assert!(told.contains("`aws` is not on the PATH") && told.contains("getting-started-install"), "{told}");
}
