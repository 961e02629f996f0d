//! Two tasks on one store. One is killed in the middle of a run: the other takes it over when the lease has run out,
//! and finishes it with the digest of a run that nobody disturbed. What either has acknowledged is there.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use test_kit::http::Caller;
use test_kit::task::{Container, Module, Task};

use super::boot::member;
use super::calls::ended;
use super::policy::RecordedEngines;
use super::synthesized::module;

#[test]
fn on_dynamodb_a_killed_tasks_run_is_finished_by_the_other() {
    share(&module("envs", "prod"));
}

#[test]
fn on_postgresql_a_killed_tasks_run_is_finished_by_the_other() {
    share(&module("tests/variants", "postgres"));
}

/// Entries of either side, of which none matches: breaks are what takes long to keep.
const ENTRIES: usize = 8_000;

/// Requests at once for one and the same thing.
const AT_ONCE: usize = 8;

/// Entries that match no other side's.
fn entries(prefix: char) -> String {
    let rows = (0..ENTRIES).map(|number| {
        format!("{prefix}-{number},{}.{:02},EUR,2026-01-{:02}\n", number + 1, number % 100, number % 28 + 1)
    });
    ["reference,amount,currency,date\n".to_owned()].into_iter().chain(rows).collect()
}

fn share(module: &Module) {
    let engines = RecordedEngines::start(module);
    if module.resources("aws_db_instance").contains_key("main") {
        assert!(Container::of(module, "migrate", &engines).output().status.success());
    }
    let container = Container::of(module, "main", &engines);
    let first = container.start(contract::READINESS_PATH);
    let scopes = ["read", "write", "approve", "audit"];
    let caller = member(&first, &container, "acme", &scopes);
    let wanted = prepare(&caller);
    let run = claimed_once(std::slice::from_ref(&caller), &wanted);

    let second = container.replica().start(contract::READINESS_PATH);
    let survivor = Caller { address: second.address, ..caller.clone() };
    let acknowledged = kill_while_writing(first, &caller, &survivor, || saving(&survivor, &run));
    let interrupted = survivor.get(&format!("/v1/runs/{run}")).json();
    assert_eq!(interrupted["status"], "running", "it was killed too late: {interrupted}");
    assert_eq!(interrupted["progress"]["stage"], "saving", "it was killed too soon: {interrupted}");
    let finished = ended(&survivor, &run);
    assert_eq!(finished["status"], "completed", "{finished}\n{}", second.said());
    assert!(finished["attempts"].as_u64() > Some(1), "nobody took it over: {finished}");

    // A dry run claims nothing, so it can be made of the same statements.
    let mut undisturbed = wanted.clone();
    undisturbed["dry_run"] = json!(true);
    undisturbed["follows"] = json!("none");
    let undisturbed = ended(&survivor, &survivor.post("/v1/runs", &undisturbed).id());
    let digest = &finished["progress"]["digest"];
    assert!(digest.is_string());
    assert_eq!(digest, &undisturbed["progress"]["digest"]);
    assert_eq!(finished["summary"], undisturbed["summary"]);

    let breaks = numbers(&survivor, &format!("/v1/runs/{run}/breaks"));
    assert_eq!(breaks, (1..=2 * ENTRIES as u64).collect::<Vec<_>>(), "each break is kept, once");
    let kept = names(&survivor);
    for name in &acknowledged {
        assert!(kept.contains(name), "{name} was acknowledged and is gone");
    }
    let verdict = survivor.get("/v1/audit/verification").json();
    assert_eq!(verdict["intact"], true, "{verdict}");

    // Of many requests at two tasks, one gets the statements.
    let third = container.replica().start(contract::READINESS_PATH);
    let other = Caller { address: third.address, ..survivor.clone() };
    claimed_once(&[survivor.clone(), other], &prepare(&survivor));
}

/// Sources, a ruleset and two statements; answers what to ask for a run of them.
fn prepare(caller: &Caller) -> Value {
    let sides = ['l', 'r'].map(|side| {
        let source = caller.post("/v1/sources", &json!({"name": format!("side {side}")})).id();
        let statement = caller.upload(&source, "entries.csv", entries(side).as_bytes()).id();
        json!({"source": source, "statements": [statement]})
    });
    let rules = "version = 1\nname = \"none match\"\n[[pass]]\nname = \"exact\"\nexact = {}\n";
    let ruleset = caller.post("/v1/rulesets", &json!({"toml": rules})).id();
    let [left, right] = sides;
    json!({"left": left, "right": right, "ruleset": ruleset})
}

/// Asks many times at once for one run; one request is to get it.
fn claimed_once(callers: &[Caller], wanted: &Value) -> String {
    let asked: Vec<_> = callers
        .iter()
        .cycle()
        .take(AT_ONCE)
        .map(|caller| {
            let (caller, wanted) = (caller.clone(), wanted.clone());
            std::thread::spawn(move || caller.post("/v1/runs", &wanted))
        })
        .collect();
    let answers: Vec<_> = asked.into_iter().map(|one| one.join().unwrap()).collect();
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 202);
    assert!(won.len() == 1 && lost.iter().all(|answer| answer.status == 409), "{won:?} {lost:?}");
    won[0].id()
}

/// Waits until a run begins to keep its lists, or has ended.
fn saving(caller: &Caller, run: &str) {
    loop {
        let shown = caller.get(&format!("/v1/runs/{run}")).json();
        let ended = !["queued", "running"].iter().any(|status| shown["status"] == *status);
        if ended || shown["progress"]["stage"] == "saving" {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Kills a task when it has come so far, while clients write at both; answers the names of what was acknowledged.
fn kill_while_writing(
    victim: Task,
    at_victim: &Caller,
    at_survivor: &Caller,
    come_so_far: impl FnOnce(),
) -> Vec<String> {
    let stop = AtomicBool::new(false);
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for (who, caller) in [("victim", at_victim), ("survivor", at_survivor)] {
            let (stop, acknowledged) = (&stop, &acknowledged);
            scope.spawn(move || {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    let name = format!("{who} {number}");
                    match caller.try_post("/v1/sources", &json!({"name": name})) {
                        Ok(answer) if answer.status == 201 => acknowledged.lock().unwrap().push(name),
                        _ => return,
                    }
                    number += 1;
                }
            });
        }
        let both = || {
            let names = acknowledged.lock().unwrap();
            ["victim", "survivor"].iter().all(|who| names.iter().any(|name| name.starts_with(who)))
        };
        while !both() {
            std::thread::sleep(Duration::from_millis(5));
        }
        come_so_far();
        victim.kill();
        std::thread::sleep(Duration::from_millis(150));
        stop.store(true, Ordering::Relaxed);
    });
    acknowledged.into_inner().unwrap()
}

/// Every item of a list.
fn all(caller: &Caller, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut next = format!("{path}?limit=500");
    loop {
        let page = caller.get(&next).json();
        items.extend(page["items"].as_array().unwrap_or_else(|| panic!("{page}")).iter().cloned());
        let Some(cursor) = page["next"].as_str() else { return items };
        next = format!("{path}?limit=500&cursor={cursor}");
    }
}

fn numbers(caller: &Caller, path: &str) -> Vec<u64> {
    all(caller, path).iter().map(|item| item["number"].as_u64().unwrap()).collect()
}

fn names(caller: &Caller) -> Vec<String> {
    let sources = all(caller, "/v1/sources");
    sources.iter().map(|source| source["name"].as_str().unwrap().to_owned()).collect()
}
