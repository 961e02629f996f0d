//! The service under load, each part in a process of its own: this driver, the service, and `wrk`, which asks.
//!
//! ```text
//! cargo bench -p txn-reconcile-api -- generate "$PWD/.cache/bench"       a ledger and a processor's file of a million entries
//! cargo bench --bench service -- "$PWD/.cache/bench"                     every store; or name some of them:
//! cargo bench --bench service -- "$PWD/.cache/bench" embedded dynamodb postgres
//! ```
//!
//! The embedded store is that of a laptop. The others run as production is synthesized, on the engines of
//! `tests/deployed`: a DynamoDB in this process, an S3 in Python and a PostgreSQL. Their figures say what the service
//! takes, and nothing of how fast AWS is. Beside the synthesized variables a tenant may ask as often as it likes.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that fails panics")]
#![expect(clippy::disallowed_methods, reason = "figures are times; the rule is for synthesis")]

#[path = "../../tests/support/synthesized.rs"]
mod synthesized;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::Var;
use serde_json::{Value, json};
use synthesized::module;
use test_kit::engines::Engines;
use test_kit::http::{Caller, content_digest, fresh};
use test_kit::laptop::Laptop;
use test_kit::repository;
use test_kit::task::{Container, Module, Task};

/// How long `wrk` asks.
const SECONDS: u32 = 10;

/// Bytes of the large upload: a little more than a gigabyte.
const LARGE: usize = 1 << 30;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (folder, stores) = args.split_first().expect("name the folder of ledger.csv and processor.csv");
    let folder = PathBuf::from(folder);
    let all = ["embedded", "dynamodb", "postgres"];
    for store in all.iter().filter(|store| stores.is_empty() || stores.iter().any(|one| one == *store)) {
        println!("## {store}, load average {}", load());
        match *store {
            "embedded" => embedded(&folder),
            "dynamodb" => deployed(&module("envs", "prod"), &folder),
            _ => deployed(&module("tests/variants", "postgres"), &folder),
        }
    }
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().unwrap().to_owned()
}

/// Memory of a process in megabytes: what it has now, and the most that it had.
fn memory(process: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024 / 1_000_000
    };
    (of("VmRSS:"), of("VmHWM:"))
}

fn embedded(folder: &Path) {
    let starts = (0..5).map(|_| {
        let data = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        drop(Laptop::start(data.path()));
        begun.elapsed()
    });
    println!("start, with a first key made: {:?}", starts.min().unwrap());
    let data = tempfile::tempdir().unwrap();
    let laptop = Laptop::start(data.path());
    ask(&laptop.member);
    drop(laptop);
    // Each in a process of its own: what the one before has taken would be counted.
    let data = tempfile::tempdir().unwrap();
    let laptop = Laptop::start(data.path());
    let process = laptop.child.id();
    let (before, _) = memory(process);
    let took = large_upload(&laptop.member);
    println!("upload of {LARGE} bytes: {took:?}, {before} MB before, at most {} MB", memory(process).1);
    drop(laptop);
    let data = tempfile::tempdir().unwrap();
    let laptop = Laptop::start(data.path());
    million(&laptop.member, folder);
    println!("memory at most {} MB", memory(laptop.child.id()).1);
}

fn deployed(module: &Module, folder: &Path) {
    let engines = Engines::start(module);
    if module.resources("aws_db_instance").contains_key("main") {
        assert!(Container::of(module, "migrate", &engines).output().status.success());
    }
    let mut container = Container::of(module, "main", &engines);
    container.variables.insert(Var::RequestsPerSecond.name().to_owned(), "1000000".to_owned());
    let start = || {
        let begun = Instant::now();
        let task = container.replica().start(contract::READINESS_PATH);
        (task, begun.elapsed())
    };
    println!("start, until it is ready: {:?}", (0..5).map(|_| start().1).min().unwrap());
    let (task, _) = start();
    ask(&member(&task, &container));
    drop(task);
    let (task, _) = start();
    million(&member(&task, &container), folder);
    println!("memory at most {} MB", memory(task.process()).1);
}

fn member(task: &Task, container: &Container) -> Caller {
    let admin = task.caller(&container.variables[Var::AdminKey.name()]);
    let wanted = json!({"tenant": "acme", "name": "bench", "scopes": ["read", "write", "audit"]});
    task.caller(admin.post("/v1/keys", &wanted).json()["token"].as_str().unwrap())
}

/// Reads of a thing and of a list, and uploads.
fn ask(member: &Caller) {
    let source = member.post("/v1/sources", &json!({"name": "load"})).id();
    for number in 0..200 {
        member.post("/v1/sources", &json!({"name": format!("source {}", "i".repeat(1 + number % 50))}));
    }
    let url = format!("http://{}", member.address);
    wrk("read of a source", member, &format!("{url}/v1/sources/{source}"), &[]);
    wrk("page of 100 sources", member, &format!("{url}/v1/sources?limit=100"), &[]);
    let rows = (0..100).map(|row| format!("L-{row},{row}.00,EUR,2026-01-05\n"));
    let file: String = ["reference,amount,currency,date\n".to_owned()].into_iter().chain(rows).collect();
    let statement = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(statement.path(), &file).unwrap();
    let script = repository("benches/service/upload.lua");
    let variables = [
        ("STATEMENT", statement.path().display().to_string()),
        ("DIGEST", content_digest(file.as_bytes())),
        ("AUTHORIZATION", member.authorization.clone()),
        ("RUN", fresh()),
    ];
    let mut upload = Command::new("wrk");
    upload.envs(variables).arg("--script").arg(script);
    report("upload of 100 entries", upload, &format!("{url}/v1/statements?source={source}&name=load.csv"));
}

fn wrk(what: &str, member: &Caller, url: &str, arguments: &[&str]) {
    let mut command = Command::new("wrk");
    command.args(arguments).arg("--header").arg(format!("Authorization: {}", member.authorization));
    report(what, command, url);
}

/// Runs `wrk` with one thread and 16 connections.
fn report(what: &str, mut command: Command, url: &str) {
    command.args(["--threads", "1", "--connections", "16", "--latency"]);
    command.args(["--duration", &format!("{SECONDS}s"), url]);
    let output = command.output().expect("wrk runs; install it (on Debian and Ubuntu: apt-get install wrk)");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |name: &str| {
        let found = text.lines().find_map(|line| line.trim().strip_prefix(name));
        found.map_or("none", str::trim).to_owned()
    };
    println!(
        "{what}: p50 {}, p99 {}, {} a second; errors: {} {}",
        line("50%"),
        line("99%"),
        line("Requests/sec:"),
        line("Non-2xx or 3xx responses:"),
        line("Socket errors:"),
    );
}

/// A file that is made while it is sent: its rows, in pieces of a megabyte.
fn pieces() -> impl Iterator<Item = Vec<u8>> {
    let mut row = 0u64;
    let mut sent = 0usize;
    std::iter::from_fn(move || {
        if sent >= LARGE {
            return None;
        }
        let mut piece = Vec::with_capacity(1 << 20);
        if sent == 0 {
            piece.extend_from_slice(b"reference,amount,currency,date\n");
        }
        while piece.len() < (1 << 20) - 64 {
            row += 1;
            writeln!(piece, "L-{row},{}.{:02},EUR,2026-01-{:02}", row % 5000 + 1, row % 100, row % 28 + 1)
                .unwrap();
        }
        sent += piece.len();
        Some(piece)
    })
}

fn large_upload(member: &Caller) -> Duration {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut length = 0;
    for piece in pieces() {
        digest.update(&piece);
        length += piece.len();
    }
    let digest = format!("sha-256=:{}:", STANDARD.encode(digest.finish()));
    let source = member.post("/v1/sources", &json!({"name": "large"})).id();
    let begun = Instant::now();
    let key = fresh();
    let headers = [("content-digest", &*digest), ("idempotency-key", &*key)];
    let line = format!("POST /v1/statements?source={source}&name=large.csv");
    let upload = member.open(&line, &headers, length);
    for piece in pieces() {
        upload.send(&piece).unwrap();
    }
    let answer = upload.answer().unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text);
    begun.elapsed()
}

/// A million entries: sent, matched, and their lists kept.
fn million(member: &Caller, folder: &Path) {
    let rules = repository("crates/txn-reconcile-api/benches/peers/rules.toml");
    let ruleset = member.post("/v1/rulesets", &json!({"toml": std::fs::read_to_string(rules).unwrap()})).id();
    let begun = Instant::now();
    let sides = ["ledger", "processor"].map(|name| {
        let source = member.post("/v1/sources", &json!({"name": name})).id();
        let file = std::fs::read(folder.join(format!("{name}.csv"))).unwrap();
        let statement = member.upload(&source, &format!("{name}.csv"), &file).id();
        json!({"source": source, "statements": [statement]})
    });
    let sent = begun.elapsed();
    let [left, right] = sides;
    let run = member.post("/v1/runs", &json!({"left": left, "right": right, "ruleset": ruleset})).id();
    let mut stages: Vec<(String, Duration)> = Vec::new();
    let shown = loop {
        let shown = member.get(&format!("/v1/runs/{run}")).json();
        let stage = shown["progress"]["stage"].as_str().unwrap();
        if stages.last().is_none_or(|(last, _)| last != stage) {
            stages.push((stage.to_owned(), begun.elapsed()));
        }
        if !matches!(shown["status"].as_str(), Some("queued" | "running")) {
            break shown;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(shown["status"], "completed", "{shown}");
    let Value::Object(progress) = &shown["progress"] else { panic!("{shown}") };
    println!(
        "a million entries: {:?} in all, of which {sent:?} to send; {} matches, {} breaks; stages begun at {stages:?}",
        begun.elapsed(),
        progress["matches"],
        progress["breaks"],
    );
}
