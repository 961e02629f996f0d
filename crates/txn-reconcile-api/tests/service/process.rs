//! The real binary: killed in the middle of its work, told to stop with a request open, started without what it needs.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use contract::{LogField, Metric, Var};

use test_kit::address::free;
use test_kit::http::{Answer, Caller, fresh};

use super::launch::Launched;

pub const BINARY: &str = env!("CARGO_BIN_EXE_txn-reconcile-api");

pub struct Service {
    pub child: Child,
    pub address: SocketAddr,
    pub token: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(data: &Path) -> Service {
    start_as(Command::new(BINARY), data)
}

pub fn start_as(mut command: Command, data: &Path) -> Service {
    let address = free();
    let mut child = command
        .arg("serve")
        .env_clear()
        .env(Var::DataDirectory.name(), data)
        .env(Var::ListenAddress.name(), address.to_string())
        .env(Var::MetricsAddress.name(), free().to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let token = out
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.trim().strip_prefix("TOKEN=")?.to_owned()));
    let service = Service { child, address, token: token.unwrap() };
    for _ in 0..100 {
        if TcpStream::connect(address).is_ok() {
            return service;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the service does not listen");
}

/// Asks with a method, a path and a body of JSON, if any; answers the answer if there was one.
pub fn ask(address: SocketAddr, token: &str, line: &str, body: &str) -> Option<Answer> {
    let headers = [("content-type", "application/json"), ("idempotency-key", &*fresh())];
    Caller::bearing(address, token).send(line, &headers, body.as_bytes()).ok()
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0u64..8 {
        let mut service = start(folder.path());
        let (address, token) = (service.address, service.token.clone());
        let writer = std::thread::spawn(move || {
            let mut names = Vec::new();
            for number in 0.. {
                let name = format!("source {round} {number}");
                match ask(address, &token, "POST /v1/sources", &format!("{{\"name\":\"{name}\"}}")) {
                    Some(answer) if answer.status == 201 => names.push(name),
                    _ => return names,
                }
            }
            names
        });
        std::thread::sleep(Duration::from_millis(150 + round * 37));
        service.child.kill().unwrap();
        service.child.wait().unwrap();
        acknowledged.extend(writer.join().unwrap());
    }
    assert!(acknowledged.len() > 8, "{}", acknowledged.len());
    let mut service = start(folder.path());
    let mut found = String::new();
    let mut path = "/v1/sources?limit=500".to_owned();
    loop {
        let page = ask(service.address, &service.token, &format!("GET {path}"), "").unwrap();
        let body = page.json();
        found.push_str(&body["items"].to_string());
        let Some(next) = body["next"].as_str() else { break };
        path = format!("/v1/sources?limit=500&cursor={next}");
    }
    let verified = ask(service.address, &service.token, "GET /v1/audit/verification", "").unwrap();
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    for name in acknowledged {
        assert!(found.contains(&format!("\"{name}\"")), "{name} was acknowledged and is gone");
    }
    assert_eq!(verified.json()["intact"], true, "{verified:?}");
}

#[test]
fn an_open_request_is_completed_before_the_service_stops() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = start(folder.path());
    let caller = Caller::bearing(service.address, &service.token);
    let headers = [("content-type", "application/json"), ("idempotency-key", &*fresh())];
    let body = br#"{"name":"late"}"#;
    let late = caller.open("POST /v1/sources", &headers, body.len());
    std::thread::sleep(Duration::from_millis(300));
    assert!(Command::new("kill").arg(service.child.id().to_string()).status().unwrap().success());
    std::thread::sleep(Duration::from_millis(300));
    late.send(body).unwrap();
    let answer = late.answer().unwrap();
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(service.child.wait().unwrap().success());
}

/// A command with a folder of data, and no other variable.
fn command(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).env_clear().env(Var::DataDirectory.name(), data);
    command
}

fn told(output: &std::process::Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn where_another_service_listens_nothing_is_made_and_no_token_shown() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut serve = command(&["serve"], &data);
    serve.env(Var::ListenAddress.name(), taken.local_addr().unwrap().to_string());
    let (code, text) = told(&serve.output().unwrap());
    assert!(code == Some(8) && text.contains("cannot listen") && !text.contains("TOKEN"), "{text}");
    assert!(!data.exists());
}

#[test]
fn development_tokens_count_until_the_next_start_and_are_in_the_audit_log() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut first = start(&data);
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    for (name, mode) in [("", 0o700), ("files", 0o700), ("records.redb", 0o600), ("signing-key", 0o600)] {
        let found = std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let mut second = start(&data);
    let ask = |token: &str, path: &str| ask(second.address, token, &format!("GET {path}"), "").unwrap();
    assert_eq!(ask(&first.token, "/v1/sources").status, 401);
    assert_eq!(ask(&second.token, "/v1/sources").status, 200);
    let log = ask(&second.token, "/v1/audit").text;
    assert_eq!((log.matches("key.create").count(), log.matches("key.revoke").count()), (4, 2), "{log}");
    second.child.kill().unwrap();
    second.child.wait().unwrap();
}

#[test]
fn the_greeting_names_the_port_that_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut serve = command(&["serve"], folder.path());
    serve.env(Var::ListenAddress.name(), "127.0.0.1:0").env(Var::MetricsAddress.name(), "127.0.0.1:0");
    let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("describes the routes")).unwrap();
    let address = line.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let answer = ask(address.parse().unwrap(), "", "GET /healthz", "");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(answer.unwrap().status, 200, "{line}");
}

#[test]
fn a_log_that_is_not_there_is_no_intact_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let verify =
        |tenant: &str| told(&command(&["verify-audit", "--tenant", tenant], &data).output().unwrap());
    let (code, text) = verify("dev");
    assert!(code == Some(8) && text.contains("there is no such log"), "{code:?} {text}");
    assert!(!data.exists(), "to look at a log has made one");
    let mut service = start(&data);
    let (code, text) = verify("dev");
    assert!(code == Some(8) && text.contains("GET /v1/audit/verification"), "{code:?} {text}");
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    let (code, text) = verify("dev");
    assert!(code == Some(0) && text.contains("\"intact\": true"), "{code:?} {text}");
    let (code, text) = verify("dev-typo");
    assert!(code == Some(8) && text.contains("there is no such log"), "{code:?} {text}");
}

#[test]
fn what_the_service_does_not_know_of_its_environment_it_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], name: &str, value: &str, says: &str| {
        let output = command(arguments, folder.path()).env(name, value).output().unwrap();
        let (code, text) = told(&output);
        assert!(code == Some(7) && text.contains(says) && !text.contains("TOKEN"), "{name}: {code:?} {text}");
    };
    refused(&["serve"], "RECONCILE_LISTEN_ADRESS", "x", Var::ListenAddress.name());
    refused(&["migrate"], "RECONCILE_DATABSE_HOST", "x", Var::DatabaseHost.name());
    refused(&["serve"], Var::KeepAliveSeconds.name(), "18446744073709551615", "from 1 to");
    refused(&["serve"], Var::LogLevel.name(), "off", Var::LogLevel.name());
}

#[test]
fn with_sample_data_there_is_a_run_to_look_at() {
    let service = Launched::new(&["--sample-data"], &[]);
    let get = |path: &str| -> serde_json::Value {
        let answer = ask(service.address, &service.token, &format!("GET {path}"), "").unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    };
    // It answers only after it has said where the run is.
    let said = service.said();
    let address = said.iter().find_map(|line| line.strip_prefix("Sample data: ")).expect("an address");
    let run = address.strip_prefix(&format!("http://{}", service.address)).expect("its own address");
    let done = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        get(run)["status"] == "completed"
    });
    assert!(done, "{}", get(run));
    let progress = &get(run)["progress"];
    assert_eq!((&progress["matches"], &progress["breaks"]), (&6.into(), &6.into()), "{progress}");
    let breaks = get(&format!("{run}/breaks"));
    assert_eq!(breaks["items"].as_array().unwrap().len(), 6);
    assert_eq!(breaks["items"][0]["entry"]["amount"]["minor"], "7525", "{breaks}");
    assert_eq!(get("/v1/statements")["items"].as_array().unwrap().len(), 2);
}

#[test]
fn a_deployed_service_names_the_variable_that_it_misses() {
    let given = |var| match var {
        Var::Environment => Some("prod"),
        Var::Store => Some("dynamodb"),
        Var::RecordsTable | Var::AuditTable | Var::StatementsBucket | Var::AuditBucket => Some("name"),
        Var::AdminKey | Var::SigningKey => Some("0123456789abcdef0123456789abcdef"),
        _ => None,
    };
    for missing in Var::ALL.into_iter().filter(|var| given(*var).is_some() && *var != Var::Environment) {
        let mut command = Command::new(BINARY);
        command.arg("serve").env_clear();
        for var in Var::ALL.into_iter().filter(|var| *var != missing) {
            if let Some(value) = given(var) {
                command.env(var.name(), value);
            }
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(7) && text.contains(missing.name()),
            "{}: {text}",
            missing.name()
        );
    }
}

/// An assessor sees of every request who sent it from where, and why it was refused (PCI 10.2.1, 10.2.2); and of every
/// change too.
#[test]
fn the_logs_say_who_asked_from_where_and_why_not() {
    let service = Launched::new(&[], &[]);
    let status = |token: &str, head: &str, body: &str| {
        let answer = ask(service.address, token, head, body).expect("an answer");
        let id = answer.header("x-request-id").expect("an id").to_owned();
        (answer.status, id)
    };
    let token = service.token.clone();
    let (made, made_id) = status(&token, "POST /v1/sources", r#"{"name":"ledger"}"#);
    let (refused, refused_id) = status("rk.key_x.y", "GET /v1/sources", "");
    let (forbidden, forbidden_id) = status(&token, "GET /v1/keys", "");
    let (nowhere, nowhere_id) = status(&token, "GET /v2/anything", "");
    let (method, method_id) = status(&token, "PUT /v1/sources", "");
    assert_eq!([made, refused, forbidden, nowhere, method], [201, 401, 403, 404, 405]);
    let log = ask(service.address, &token, "GET /v1/audit", "").expect("the audit log").text;
    assert!(log.contains(r#"\"peer\":\"127.0.0.1\""#), "{log}");
    let metrics = ask(service.metrics, "", "GET /metrics", "").expect("the metrics").text;
    for metric in Metric::ALL {
        let (name, kind) = (metric.name(), metric.kind());
        assert!(metrics.contains(&format!("# TYPE {name} {kind}\n{name}")), "{metrics}");
    }
    assert!(metrics.contains(r#"reconcile_requests_total{status="4xx"} 4"#), "{metrics}");

    let lines = service.stop();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // The platform makes a metric and an alarm of it.
    let queue =
        lines.iter().find(|line| line[LogField::Message.name()] == contract::RUNS_DUE).expect("a line");
    assert_eq!(queue[contract::RUNS_DUE_SECONDS], 0, "{queue}");
    let of = |id: &str| {
        let line = lines.iter().find(|line| line[LogField::RequestId.name()] == *id).expect("a line");
        [LogField::Actor, LogField::Tenant, LogField::Peer, LogField::Problem]
            .map(|field| line[field.name()].as_str().map(str::to_owned))
    };
    let peer = Some("127.0.0.1".to_owned());
    let [actor, tenant, from, problem] = of(&made_id);
    assert!(actor.as_deref().is_some_and(|actor| actor.starts_with("key:key_")), "{actor:?}");
    assert_eq!((tenant.as_deref(), &from, problem), (Some("dev"), &peer, None));
    assert_eq!(of(&refused_id), [None, None, peer.clone(), Some("unauthorized".to_owned())]);
    assert_eq!(of(&forbidden_id), [actor, tenant, peer.clone(), Some("forbidden".to_owned())]);
    assert_eq!(of(&nowhere_id), [None, None, peer.clone(), Some("not-found".to_owned())]);
    assert_eq!(of(&method_id), [None, None, peer, Some("method-not-allowed".to_owned())]);
}
