//! Every call of AWS's API that the service makes is recorded on its way to the engines, while a deployed task is taken
//! through all that it does, and held against the policy of the task's role: each call is allowed, and each statement
//! of the policy is needed by some call.
//!
//! What no recording shows: the calls of KMS, which S3 and DynamoDB make in the service's name, and the token for
//! PostgreSQL, which is made without a call. The keys' statements are therefore left out here.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contract::Operation;
use serde_json::{Value, json};

use super::boot::member;
use super::engines::Engines;
use super::http::{Answer, Caller, content_digest, fresh};
use super::support::repository;
use super::task::{Container, Module};

/// A request as it passed, and the status that it was answered with.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: BTreeMap<String, String>,
    body: Vec<u8>,
    pub status: u16,
}

/// Stands before an engine and writes down what passes.
pub struct Recorder {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorder {
    pub fn before(engine: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let notes = Arc::clone(&notes);
                // A client that goes away is no event.
                std::thread::spawn(move || drop(pass(client, engine, &notes)));
            }
        });
        Self { address, seen }
    }

    pub fn calls(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Passes one request on, and its answer back. Both ends are told that the connection serves no other.
fn pass(mut client: TcpStream, engine: SocketAddr, notes: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        match client.read(&mut chunk)? {
            0 => return Ok(()),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        match client.read(&mut chunk)? {
            0 => return Ok(()),
            count => body.extend_from_slice(&chunk[..count]),
        }
    }
    let mut onward = format!("{first}\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| *name != "connection") {
        onward.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut upstream = TcpStream::connect(engine)?;
    upstream.write_all(format!("{onward}connection: close\r\n\r\n").as_bytes())?;
    upstream.write_all(&body)?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer)?;
    let status = String::from_utf8_lossy(&answer[..answer.len().min(16)]);
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    notes.lock().unwrap().push(Seen { method, target, headers, body, status });
    client.write_all(&answer)
}

/// What a call takes: an action of IAM on a resource, with what the policy's conditions look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    action: String,
    resource: String,
    prefix: Option<String>,
}

fn need(service: &str, action: &str, resource: String) -> Need {
    Need { action: format!("{service}:{action}"), resource, prefix: None }
}

/// What a call of DynamoDB takes. A transaction takes the actions of its parts, and none of its own.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
fn dynamo_needs(module: &Module, call: &Seen) -> Vec<Need> {
    let operation = call.headers["x-amz-target"].split('.').next_back().unwrap().to_owned();
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let arn = |body: &Value| {
        let table = body["TableName"].as_str().expect("a call names its table");
        let table = format!("arn:aws:dynamodb:{}:{}:table/{table}", module.region, module.account);
        body["IndexName"].as_str().map_or(table.clone(), |index| format!("{table}/index/{index}"))
    };
    if operation != "TransactWriteItems" {
        return vec![need("dynamodb", &operation, arn(&body))];
    }
    let parts = body["TransactItems"].as_array().unwrap().iter().flat_map(|part| part.as_object().unwrap());
    let parts = parts.map(|(kind, part)| {
        let action = match kind.as_str() {
            "Put" => "PutItem",
            "Delete" => "DeleteItem",
            "Update" => "UpdateItem",
            "ConditionCheck" => "ConditionCheckItem",
            other => panic!("no part of a transaction: {other}"),
        };
        need("dynamodb", action, arn(part))
    });
    parts.collect()
}

/// What a call of S3 takes. <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
fn s3_needs(call: &Seen) -> Vec<Need> {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let query: BTreeMap<&str, &str> =
        query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
    let bucket = format!("arn:aws:s3:::{bucket}");
    let object = |action: &str| need("s3", action, format!("{bucket}/{key}"));
    let list = |prefix: String| Need { prefix: Some(prefix), ..need("s3", "ListBucket", bucket.clone()) };
    match (call.method.as_str(), key.is_empty()) {
        ("GET", true) => {
            vec![list(query.get("prefix").copied().unwrap_or_default().replace("%2F", "/"))]
        }
        // Who may not list the bucket is told 403 of an object that is not there.
        ("GET" | "HEAD", false) if call.status == 404 => vec![object("GetObject"), list(String::new())],
        ("GET" | "HEAD", false) => vec![object("GetObject")],
        ("PUT" | "POST", false) => vec![object("PutObject")],
        ("DELETE", false) if query.contains_key("uploadId") => vec![object("AbortMultipartUpload")],
        _ => panic!("no call that is known: {} {}", call.method, call.target),
    }
}

/// A statement of the role's policy, with its references resolved.
struct Statement {
    sid: String,
    actions: Vec<String>,
    resources: Vec<String>,
    prefixes: Vec<String>,
}

fn statements(module: &Module) -> Vec<Statement> {
    let words = |value: &Value| -> Vec<String> {
        let list = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        list.iter().filter_map(Value::as_str).map(|text| module.resolve(text, &|_| None)).collect()
    };
    let all = module.task_policy()["Statement"].as_array().unwrap().iter();
    let all = all.map(|statement| Statement {
        sid: statement["Sid"].as_str().unwrap().to_owned(),
        actions: words(&statement["Action"]),
        resources: words(&statement["Resource"]),
        prefixes: words(&statement["Condition"]["StringLike"]["s3:prefix"]),
    });
    all.filter(|statement| !statement.actions.iter().all(|action| action.starts_with("kms:"))).collect()
}

/// As IAM compares: `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, "")) => text.starts_with(before),
        Some(_) => panic!("a pattern in the middle: {pattern}"),
    }
}

impl Statement {
    fn allows(&self, need: &Need) -> bool {
        let prefix = need.prefix.as_deref().unwrap_or_default();
        self.actions.contains(&need.action)
            && self.resources.iter().any(|resource| like(resource, &need.resource))
            && (self.prefixes.is_empty() || self.prefixes.iter().any(|pattern| like(pattern, prefix)))
    }
}

#[test]
fn the_role_allows_what_the_service_calls_and_nothing_else() {
    let module = Module::of("envs", "prod");
    let mut engines = Engines::start(&module);
    let dynamo = Recorder::before(engines.dynamo().unwrap());
    let s3 = Recorder::before(engines.aws.url().trim_start_matches("http://").parse().unwrap());
    engines.endpoints.insert("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{}", dynamo.address));
    engines.endpoints.insert("AWS_ENDPOINT_URL_S3", format!("http://{}", s3.address));
    everything_that_it_does(&module, &engines);

    let mut needs: BTreeSet<Need> = s3.calls().iter().flat_map(s3_needs).collect();
    needs.extend(dynamo.calls().iter().flat_map(|call| dynamo_needs(&module, call)));
    let statements = statements(&module);
    let refused: Vec<&Need> =
        needs.iter().filter(|need| !statements.iter().any(|statement| statement.allows(need))).collect();
    assert!(refused.is_empty(), "the role does not allow: {refused:#?}");
    for statement in &statements {
        for action in &statement.actions {
            let used = needs.iter().any(|need| need.action == *action && statement.allows(need));
            assert!(used, "{} allows {action}, which the service never does", statement.sid);
        }
    }
    let sids: BTreeSet<&str> = statements.iter().map(|statement| statement.sid.as_str()).collect();
    let store = Some(contract::StoreKind::DynamoDb);
    let operations = Operation::ALL.into_iter().filter(|one| one.store().is_none() || one.store() == store);
    let operations: BTreeSet<String> = operations.map(|operation| format!("{operation:?}")).collect();
    assert_eq!(sids, operations.iter().map(String::as_str).collect(), "a statement for each operation");
    locked_objects_bear_a_checksum(&module, &s3.calls());
}

/// S3 refuses an object for a bucket with a default retention that comes without one, which the local AWS does not.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html>
fn locked_objects_bear_a_checksum(module: &Module, calls: &[Seen]) {
    let bucket = module.resources("aws_s3_bucket")["audit"]["bucket"].as_str().unwrap();
    let written = calls.iter().filter(|call| call.method == "PUT" && call.target.contains(bucket));
    let written: Vec<&Seen> = written.collect();
    assert!(!written.is_empty());
    for call in written {
        let summed =
            call.headers.keys().any(|name| name == "content-md5" || name.starts_with("x-amz-checksum-"));
        assert!(summed, "{}: {:?}", call.target, call.headers);
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
    let etag = member.get(&one).head.lines().find_map(|line| line.strip_prefix("etag: ")).map(str::to_owned);
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
        let mut stream = member.open(&line, &headers, file.len()).unwrap();
        stream.write_all(&file[..20]).unwrap();
        stream
    });
    // Both have looked for an earlier answer by now, and found none.
    std::thread::sleep(Duration::from_secs(1));
    let [first, second] = open.map(|mut stream| {
        stream.write_all(&file[20..]).unwrap();
        Answer::read(&mut stream).unwrap()
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
