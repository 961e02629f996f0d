//! `txnr status`, `logs` and `exec` on an environment that was applied, by the AWS CLI, on the local AWS. A script stands in for
//! the program that the AWS CLI hands a session to, and writes down what it is handed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::restore::{PREFIX, Scene};

const PLUGIN: &str = "#!/bin/sh\n[ $# -lt 2 ] || printf '%s\\n' \"$@\" > plugin.txt\n";

/// The service runs what the file names, as AWS tells it; printed calls answer as made ones.
pub fn is_looked_at(scene: &Scene) {
    let status: Value = serde_json::from_str(&scene.succeeds("txnr status --env bare --json")).unwrap();
    let service = &status["services"][0];
    assert_eq!(service["status"], "ACTIVE", "{status}");
    assert_eq!(service["deployments"][0]["rollout"], "COMPLETED", "{status}");
    assert_eq!(service["images"][0]["tasks"], service["tasks"]["running"], "{status}");
    assert!(service["images"][0]["image"].as_str().unwrap().ends_with("/txn-reconcile-api:v1"), "{status}");
    assert_eq!(service["images"][0]["tags"], json!([]), "nothing was pushed: {status}");
    assert!(status["watched"].as_u64().unwrap() > 20, "{status}");
    let absent = status["alarms"].as_array().unwrap().iter().filter(|alarm| alarm["state"] == "none");
    assert_eq!(absent.count(), 0, "every alarm of the module is there: {status}");
    let printed = scene.succeeds("txnr status --env bare --print");
    scene.succeeds(&printed);
}

/// The last event is there, and a filter leaves the others out.
pub fn logs_are_read(scene: &Scene) {
    let of = |more: Value| {
        let mut asked = json!({"logGroupName": "/txn-reconcile/bare/service", "logStreamName": "ecs/txn-reconcile-api/0a"});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    scene.ask("logs", "create_log_stream", of(json!({})));
    let now: i64 = scene.succeeds("date +%s").trim().parse().unwrap();
    let event = |message: &str, ago: i64| json!({"timestamp": (now - ago) * 1000, "message": message});
    let events = json!({"logEvents": [event("long ago", 7200), event("all is well", 2), event("ERROR: \u{1b}[31mred", 1)]});
    scene.ask("logs", "put_log_events", of(events));
    let said = scene.succeeds("txnr logs --env bare --since 1h");
    let messages: Vec<&str> =
        said.lines().filter_map(|line| line.split_once(" 0a ")).map(|(_, text)| text).collect();
    assert_eq!(messages, ["all is well", "ERROR: \u{fffd}[31mred"]);
    let said = scene.succeeds("txnr logs --env bare --since 1h --filter ERROR");
    assert_eq!(said.lines().count(), 1, "{said}");
    scene.succeeds(&scene.succeeds("txnr logs --env bare --print"));
}

/// The session is handed to the plugin as the AWS CLI does it, for a task and container that run.
pub fn sessions_are_opened(scene: &Scene) {
    let bin = scene.folder().join("bin");
    fs::create_dir(&bin).unwrap();
    let plugin = bin.join("session-manager-plugin");
    fs::write(&plugin, PLUGIN).unwrap();
    fs::set_permissions(&plugin, PermissionsExt::from_mode(0o755)).unwrap();
    let refused = scene.shell("PATH=bin:$PATH txnr exec --env bare -- /bin/sh");
    assert_eq!(refused.status.code(), Some(16), "{}", String::from_utf8_lossy(&refused.stderr));
    // What lets sessions in is told by the file; the local AWS opens one in any case.
    let file = scene.folder().join("envs/bare.toml");
    let text = fs::read_to_string(&file).unwrap();
    let open = text
        .replace("image = \"v1\"", "image = \"v1\", exec = true")
        .replace("\"secretsmanager\"]", "\"secretsmanager\", \"ssmmessages\", \"kms\"]");
    assert_ne!(open, text);
    fs::write(&file, open).unwrap();
    for call in
        ["txnr exec --env bare -- /bin/sh -c 'id'", "eval \"$(txnr exec --env bare --print -- /bin/sh)\""]
    {
        scene.succeeds(&format!("PATH=bin:$PATH; {call}"));
        let handed = fs::read_to_string(scene.folder().join("plugin.txt")).unwrap();
        let words: Vec<&str> = handed.lines().collect();
        let target: Value = serde_json::from_str(words[4]).unwrap();
        assert!(words[0].contains("\"TokenValue\"") || words[0].contains("\"tokenValue\""), "{handed}");
        assert_eq!(words[2], "StartSession", "{handed}");
        let target = target["Target"].as_str().unwrap();
        assert!(target.starts_with(&format!("ecs:{PREFIX}_")) && target.ends_with("-0"), "{handed}");
        fs::remove_file(scene.folder().join("plugin.txt")).unwrap();
    }
    fs::write(&file, text).unwrap();
}
