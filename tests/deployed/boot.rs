//! A task starts with what its definition gives it, answers its load balancer, leaves in good order, and names what it
//! misses.
//!
//! Not tried here: the read-only root file system, which takes a mount namespace that not every machine grants. In its
//! place the task starts in `/` as a user who may not write there, and is looked at for files open for writing.

use std::time::{Duration, Instant};

use contract::{StoreKind, Var};
use serde_json::{Value, json};
use test_kit::http::{Caller, content_digest, fresh};
use test_kit::task::{Container, Module, Task};

use super::policy::RecordedEngines;
use super::synthesized::module;

#[test]
fn production_boots_as_it_is_synthesized() {
    boots(&module("envs", "prod"), StoreKind::DynamoDb);
}

#[test]
fn an_environment_on_postgresql_boots_as_it_is_synthesized() {
    boots(&module("tests/variants", "postgres"), StoreKind::Postgres);
}

fn boots(module: &Module, store: StoreKind) {
    the_definition_is_the_contract(module);
    let engines = RecordedEngines::start(module);
    if store == StoreKind::Postgres {
        let made = Container::of(module, "migrate", &engines).output();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let container = Container::of(module, "main", &engines);
    assert!(!container.is_healthy(), "something else is on {}", container.ip);
    let path = module.target_group()["health_check"]["path"].as_str().unwrap();
    let task = container.start(path);
    assert!(container.is_healthy());
    an_open_upload_is_completed(task, &container);
    assert!(!container.is_healthy());
    what_is_missing_is_named(&container, store);
    assert_eq!(engines.aws.gaps(), Vec::<String>::new(), "calls that the local AWS does not implement");
}

/// What the infrastructure says of the container is what the contract says; the Dockerfile is held to the same.
fn the_definition_is_the_contract(module: &Module) {
    let container = module.container("main");
    let user = contract::USER_ID;
    assert_eq!(container["user"], format!("{user}:{user}"));
    assert_eq!(container["readonlyRootFilesystem"], true);
    assert_eq!(container.get("mountPoints"), None);
    let memory = container["linuxParameters"]["tmpfs"].as_array().unwrap();
    let written: Vec<_> = memory.iter().map(|tmpfs| (&tmpfs["containerPath"], &tmpfs["size"])).collect();
    assert_eq!(written, [(&json!(contract::WRITABLE_DIRECTORY), &json!(contract::WRITABLE_MIB))]);
    assert_eq!(container["command"], json!(contract::SERVE_COMMAND));
    assert_eq!(container.get("entryPoint"), None, "the image's own: {}", contract::BINARY);
    let health: Vec<&str> = ["CMD"].into_iter().chain(contract::HEALTH_COMMAND).collect();
    assert_eq!(container["healthCheck"]["command"], json!(health));
    assert_eq!(container["stopTimeout"], contract::STOP_TIMEOUT_SECONDS);
    let ports: Vec<&Value> =
        container["portMappings"].as_array().unwrap().iter().map(|port| &port["containerPort"]).collect();
    assert_eq!(ports, [contract::PORT]);
    let group = module.target_group();
    assert_eq!((&group["port"], &group["protocol"]), (&json!(contract::PORT), &json!("HTTP")));
    let check = &group["health_check"];
    assert_eq!((&check["path"], &check["matcher"]), (&json!(contract::READINESS_PATH), &json!("200")));
    assert_eq!(check["port"], "traffic-port");
}

/// A key of a tenant, made with the admin key that the task was given.
pub fn member(task: &Task, container: &Container, tenant: &str, scopes: &[&str]) -> Caller {
    let admin = task.caller(&container.variables[Var::AdminKey.name()]);
    let made = admin.post("/v1/keys", &json!({"tenant": tenant, "name": "test", "scopes": scopes}));
    assert_eq!(made.status, 201, "{} {}", made.text, task.said());
    task.caller(made.json()["token"].as_str().unwrap())
}

/// The load balancer has taken a request in when ECS sends SIGTERM: its answer comes, and then the task is gone.
fn an_open_upload_is_completed(task: Task, container: &Container) {
    let member = member(&task, container, "acme", &["read", "write"]);
    let source = member.post("/v1/sources", &json!({"name": "ledger"})).id();
    let file = b"reference,amount,currency,date\nA-1,1.00,EUR,2026-01-01\n";
    let (digest, key) = (content_digest(file), fresh());
    let headers = [("content-digest", &*digest), ("idempotency-key", &*key)];
    let line = format!("POST /v1/statements?source={source}&name=ledger.csv");
    let upload = member.open(&line, &headers, file.len());
    let (first, second) = file.split_at(20);
    upload.send(first).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(task.written_files(), Vec::<String>::new(), "the root file system is read-only");
    task.terminate();
    let stop_timeout = Duration::from_secs(contract::STOP_TIMEOUT_SECONDS.into());
    let told = Instant::now();
    while member.send("GET /v1/sources", &[], b"").is_ok() {
        assert!(told.elapsed() < stop_timeout, "a stopping task takes no new request");
        std::thread::sleep(Duration::from_millis(20));
    }
    upload.send(second).unwrap();
    let answer = upload.answer().unwrap();
    assert_eq!((answer.status, &answer.json()["entries"]), (201, &json!(1)), "{}", answer.text);
    let (well, took) = task.end(stop_timeout);
    assert!(well, "it left badly, after {took:?}");
}

/// Each variable is taken away in turn: what the contract requires is named, and the service does without the others.
fn what_is_missing_is_named(container: &Container, store: StoreKind) {
    let given = Var::ALL.into_iter().filter(|var| container.variables.contains_key(var.name()));
    for var in given {
        let mut without = container.clone();
        without.variables.remove(var.name());
        if !var.required(store) {
            // The health check reads the whole environment too, and nobody answers it.
            let output = without.health();
            assert_eq!(output.status.code(), Some(8), "{}: {output:?}", var.name());
            continue;
        }
        let output = without.output();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(7), "{}: {said}", var.name());
        assert!(said.contains(var.name()), "{}: {said}", var.name());
    }
    for var in Var::ALL.into_iter().filter(|var| var.required(store)) {
        assert!(container.variables.contains_key(var.name()), "{} is not given", var.name());
    }
}
