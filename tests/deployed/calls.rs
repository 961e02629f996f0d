//! A deployed task is taken through all that it does: each statement of the policy of its role is needed by some call. That
//! each call is allowed is held of every test here ([`policy`](super::policy)).

use std::collections::BTreeSet;
use std::time::Duration;

use contract::Operation;
use iam_policy::Decision;
use serde_json::{Value, json};
use test_kit::engines::Engines;
use test_kit::http::{Caller, content_digest, fresh};
use test_kit::repository;
use test_kit::task::{Container, Module};

use super::boot::member;
use super::policy::RecordedEngines;
use super::recorder::Seen;
use super::synthesized::module;

#[test]
fn the_role_allows_what_the_service_calls_and_nothing_else() {
    let module = module("envs", "prod");
    let engines = RecordedEngines::start(&module);
    everything_that_it_does(&module, &engines);

    let (needs, role) = (engines.needs(), engines.role());
    for (sid, statement) in role.statements() {
        for action in statement.actions() {
            let used =
                needs.iter().any(|need| need.action == action && statement.decide(need) == Decision::Allow);
            assert!(used, "{sid} allows {action}, which the service never does");
        }
    }
    let sids: BTreeSet<&str> = role.statements().map(|(sid, _)| sid).collect();
    let store = Some(contract::StoreKind::DynamoDb);
    let operations = Operation::ALL.into_iter().filter(|one| one.store().is_none() || one.store() == store);
    let operations: BTreeSet<String> = operations.map(|operation| format!("{operation:?}")).collect();
    assert_eq!(sids, operations.iter().map(String::as_str).collect(), "a statement for each operation");
    anchors_bear_a_checksum_and_lie_over_none(&module, &engines.s3.calls());
}

/// S3 refuses an object for a bucket with a default retention that comes without a checksum, and the bucket's policy one
/// that may lie over another; the local AWS does neither.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html>
fn anchors_bear_a_checksum_and_lie_over_none(module: &Module, calls: &[Seen]) {
    let bucket = module.resources("aws_s3_bucket")["audit"]["bucket"].as_str().unwrap();
    let written = calls.iter().filter(|call| call.method == "PUT" && call.target.contains(bucket));
    let written: Vec<&Seen> = written.collect();
    assert!(!written.is_empty());
    for call in written {
        let summed =
            call.headers.keys().any(|name| name == "content-md5" || name.starts_with("x-amz-checksum-"));
        let new = call.headers.get("if-none-match").is_some_and(|value| value == "*");
        assert!(summed && new, "{}: {:?}", call.target, call.headers);
    }
}

/// The sample ledger and statement, sent.
pub struct Samples {
    left: String,
    right: String,
    ledger: String,
    bank: String,
}

impl Samples {
    pub fn send(member: &Caller) -> Self {
        let left = member.post("/v1/sources", &json!({"name": "ledger"})).id();
        let right = member.post("/v1/sources", &json!({"name": "bank"})).id();
        let ledger = member.upload(&left, "ledger.csv", &Self::file("ledger.csv")).id();
        let bank = member.upload(&right, "bank.sta", &Self::file("bank.sta")).id();
        Self { left, right, ledger, bank }
    }

    fn file(name: &str) -> Vec<u8> {
        std::fs::read(repository("crates/txn-reconcile-api/samples").join(name)).unwrap()
    }

    /// Their ruleset.
    pub fn rules() -> String {
        String::from_utf8(Self::file("rules.toml")).unwrap()
    }

    /// Makes a run of them, and waits for its end.
    pub fn run(&self, member: &Caller, rules: &str) -> Value {
        let ruleset = member.post("/v1/rulesets", &json!({"toml": rules})).id();
        let wanted = json!({
            "left": {"source": self.left, "statements": [self.ledger]},
            "right": {"source": self.right, "statements": [self.bank]},
            "ruleset": ruleset,
        });
        ended(member, &member.post("/v1/runs", &wanted).id())
    }
}

/// Takes two tasks through every kind of work.
fn everything_that_it_does(module: &Module, engines: &Engines) {
    let container = Container::of(module, "main", engines);
    let task = container.start(contract::READINESS_PATH);
    let replica = container.replica().start(contract::READINESS_PATH);
    let member = member(&task, &container, "acme", &["read", "write", "approve", "audit"]);
    let samples = Samples::send(&member);
    let left = &samples.left;
    an_upload_is_given_up(&member, left);
    of_two_uploads_with_one_key_one_counts(
        [&member, &Caller { address: replica.address, ..member.clone() }],
        left,
    );

    let rules = Samples::rules();
    // It gives back the statements that it had claimed.
    let failed = samples.run(&member, &rules.replace("[left]", "[left]\nformat = \"camt\""));
    assert_eq!(failed["status"], "failed", "{failed}");
    let completed = samples.run(&member, &rules);
    assert_eq!(completed["status"], "completed", "{completed}");
    let run = format!("/v1/runs/{}", completed["id"].as_str().unwrap());
    for list in ["matches", "breaks", "export/matches", "export/breaks"] {
        assert_eq!(member.get(&format!("{run}/{list}")).status, 200, "{list}");
    }
    let one = format!("{run}/breaks/1");
    let etag = member.get(&one).header("etag").map(str::to_owned);
    let key = fresh();
    let headers = [
        ("content-type", "application/json"),
        ("idempotency-key", &*key),
        ("if-match", &*etag.expect("an ETag")),
    ];
    let commented = member.send(&format!("POST {one}/comments"), &headers, br#"{"text":"known"}"#).unwrap();
    assert_eq!(commented.status, 201, "{}", commented.text);
    // A task anchors what it finds when it starts, and every five minutes from then on.
    let _third = container.replica().start(contract::READINESS_PATH);
    let anchored = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let verdict = member.get("/v1/audit/verification").json();
        assert_eq!(verdict["intact"], true, "{verdict}");
        verdict["anchored"]["sequence"].is_u64()
    });
    assert!(anchored, "no anchor in ten seconds");
}

/// A file that is not what was announced: what was stored of it is taken back.
fn an_upload_is_given_up(member: &Caller, source: &str) {
    let (digest, key) = (content_digest(b"another file"), fresh());
    let headers = [("content-digest", &*digest), ("idempotency-key", &*key)];
    let line = format!("POST /v1/statements?source={source}&name=a.csv");
    let refused = member.send(&line, &headers, b"reference,amount,currency,date\n").unwrap();
    assert_eq!(refused.status, 422, "{}", refused.text);
}

/// A client that asks again while its first request still goes on, at another task: both are given the one answer, and
/// both have put the one file.
fn of_two_uploads_with_one_key_one_counts(members: [&Caller; 2], source: &str) {
    let file = b"reference,amount,currency,date\nA-1,1.00,EUR,2026-01-01\n";
    let (digest, key) = (content_digest(file), fresh());
    let headers = [("content-digest", &*digest), ("idempotency-key", &*key)];
    let line = format!("POST /v1/statements?source={source}&name=twice.csv");
    let open = members.map(|member| {
        let upload = member.open(&line, &headers, file.len());
        upload.send(&file[..20]).unwrap();
        upload
    });
    // Both have looked for an earlier answer by now, and found none.
    std::thread::sleep(Duration::from_secs(1));
    let [first, second] = open.map(|upload| {
        upload.send(&file[20..]).unwrap();
        upload.answer().unwrap()
    });
    assert_eq!((first.status, second.status), (201, 201), "{} {}", first.text, second.text);
    assert_eq!(first.id(), second.id());
}

/// Waits for a run's end.
pub fn ended(caller: &Caller, run: &str) -> Value {
    for _ in 0..1200 {
        let shown = caller.get(&format!("/v1/runs/{run}")).json();
        if !matches!(shown["status"].as_str(), Some("queued" | "running")) {
            return shown;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the run has not ended in two minutes");
}
