//! Requests drawn from the service's own description, right ones and wrong ones: none is answered with a 5xx, and each
//! answer is one that the description knows. `tests/schemathesis` says what is drawn and what is asked of the answers;
//! the seed is fixed, so that a failure can be had again.

use std::process::Command;

use serde_json::{Value, json};
use test_kit::http::Caller;
use test_kit::laptop::Laptop;
use test_kit::{python, repository};

use super::calls::Samples;

/// What there is, by the name of the path's part.
fn known(member: &Caller) -> Value {
    let samples = Samples::send(member);
    let run = samples.run(member, &Samples::rules());
    assert_eq!(run["status"], "completed", "{run}");
    let ids = |kind: &str| -> Vec<Value> {
        let list = member.get(&format!("/v1/{kind}")).json();
        list["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
    };
    let run = ids("runs").remove(0);
    let hands = format!("/v1/runs/{}/manual-matches", run.as_str().unwrap());
    let hand = member.post(&hands, &json!({ "breaks": [5, 6], "note": "x" })).id();
    json!({
        "match": [hand],
        "source": ids("sources"),
        "statement": ids("statements"),
        "ruleset": ids("rulesets"),
        "run": ids("runs"),
        "number": ["1", "2", "3", "4", "5", "6"],
        "sequence": ["1", "2", "3"],
    })
}

#[test]
fn every_drawn_request_is_answered_as_described() {
    let data = tempfile::tempdir().unwrap();
    let laptop = Laptop::start(data.path());
    let member = &laptop.member;
    let folder = repository("tests/schemathesis");
    let url = format!("http://{}", member.address);
    let known = known(member).to_string();
    // A tenant does everything but the keys, which the admin makes and revokes, the tenant's own in the end.
    for (which, token) in [
        ("--exclude-path-regex", member.authorization.trim_start_matches("Bearer ")),
        ("--include-path-regex", &*laptop.admin_key),
    ] {
        let output = Command::new(python("schemathesis").with_file_name("schemathesis"))
            .arg("--config-file")
            .arg(folder.join("schemathesis.toml"))
            .args(["run", "--no-color", "--url", &url, &format!("{url}/openapi.json")])
            .args([which, "^/v1/keys"])
            .current_dir(data.path())
            .env("PYTHONPATH", &folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env("KNOWN", &known)
            .env("TOKEN", token)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    let [_, _, good, _, bad, broken] = answers(&laptop);
    assert!(good > 500 && bad > 500 && broken == 0, "{good} 2xx, {bad} 4xx, {broken} 5xx");
    let verdict = laptop.key().get("/v1/audit/verification").json();
    assert_eq!(verdict["intact"], true, "{verdict}");
}

/// The service's own count of its answers, by the first digit of their status.
fn answers(laptop: &Laptop) -> [u64; 6] {
    let mut metrics = laptop.member.clone();
    metrics.address.set_port(contract::METRICS_PORT);
    let text = metrics.get("/metrics").text;
    std::array::from_fn(|class| {
        let name = format!("reconcile_requests_total{{status=\"{class}xx\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
    })
}
