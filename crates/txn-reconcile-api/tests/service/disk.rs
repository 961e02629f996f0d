//! The real binary on a disk that is full for a while: files may not grow beyond a bound, which is lifted later.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::api::RULES;
use super::process::{BINARY, Service, ask, start_as};

/// Asks; answers the status and the body.
fn asked(service: &Service, head: &str, body: &str) -> (u16, Value) {
    let answer = ask(service.address, &service.token, head, body).unwrap();
    (answer.status, serde_json::from_str(&answer.text).unwrap_or_default())
}

/// Keeps a ruleset of 200 kB.
fn keep(service: &Service, number: u32) -> (u16, Value) {
    let toml = format!("# {number}{}\n{RULES}", "x".repeat(200_000));
    asked(service, "POST /v1/rulesets", &json!({ "toml": toml }).to_string())
}

/// Asks again for 20 seconds, until it is so.
fn in_time(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what}");
}

#[test]
fn after_a_full_disk_the_embedded_store_takes_writes_again_and_has_lost_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A file that would outgrow the bound is an error for who writes, instead of a signal that ends the process.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]);
    command.args(["prlimit", "--fsize=6000000:unlimited", BINARY]);
    command.env("PATH", "/usr/bin:/bin");
    let mut service = start_as(command, folder.path());
    let mut acknowledged = Vec::new();
    for number in 0.. {
        assert!(number < 200, "the bound is not felt");
        match keep(&service, number) {
            (201, body) => acknowledged.push(body["id"].as_str().unwrap().to_owned()),
            (status, body) => {
                assert_eq!(status, 503, "{body}");
                break;
            }
        }
    }
    assert!(acknowledged.len() > 5, "{}", acknowledged.len());
    let ready = |service: &Service| asked(service, "GET /readyz", "").0;
    for _ in 0..30 {
        assert_eq!(ready(&service), 503, "it says that it takes no writes, for as long as it takes none");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(keep(&service, 1000).0, 503);
    assert_eq!(asked(&service, "GET /healthz", "").0, 200, "another process would not mend it");
    let pid = service.child.id().to_string();
    let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap();
    assert!(lifted.success());
    in_time("it does not take writes again", || keep(&service, 2000).0 == 201);
    in_time("it does not say that it takes writes", || ready(&service) == 200);
    for id in acknowledged {
        assert_eq!(asked(&service, &format!("GET /v1/rulesets/{id}"), "").0, 200, "{id} was acknowledged");
    }
    let (status, verdict) = asked(&service, "GET /v1/audit/verification", "");
    assert_eq!((status, &verdict["intact"]), (200, &json!(true)), "{verdict}");
    service.child.kill().unwrap();
    service.child.wait().unwrap();
}
