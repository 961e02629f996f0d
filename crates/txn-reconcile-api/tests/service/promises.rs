//! What runs and requests promise, each shown by what would break it.

use std::sync::atomic::{AtomicBool, Ordering};

use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::{Value, json};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::audit::Anchored;
use txn_reconcile_api::service::run::worker::step;
use txn_reconcile_api::service::store::{Expect, Item, Write};

use super::api::{BANK, Client, LEDGER, fresh, id, member, samples};
use super::faults::World;
use super::simulation::dies_after;

async fn item(app: &App, kind: &str, id: &str) -> Item {
    app.store.get(&app.key("acme", kind, id)).await.unwrap().unwrap()
}

/// Changes a record behind the service's back.
async fn tamper(app: &App, kind: &str, id: &str, change: impl FnOnce(&mut Value)) {
    let Item { key, version, body, due, expires_at } = item(app, kind, id).await;
    let mut value = serde_json::from_slice(&body).unwrap();
    change(&mut value);
    let body = value.to_string().into_bytes();
    let write = Write::Put { key, expect: Expect::Version(version), body, due, expires_at };
    app.store.transact(vec![write], None).await.unwrap();
}

async fn shown(client: &Client, run: &str) -> Value {
    client.get(&format!("/v1/runs/{run}")).await.body
}

#[tokio::test]
async fn a_run_that_is_taken_over_comes_to_the_same_digest_or_fails() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let run = id(&client.post("/v1/runs", samples(&client).await).await);
    // It dies ever later, until it has its result and has not kept all of it.
    for calls in 10.. {
        dies_after(&world, calls).await;
        let shown = shown(&client, &run).await;
        assert_eq!(shown["status"], "running", "it never dies while it keeps its lists");
        if shown["progress"]["digest"].is_string() {
            break;
        }
    }
    tamper(&app, "run", &run, |run| run["progress"]["digest"] = json!("another one")).await;
    assert!(step(&app, "next").await.unwrap());
    let shown = shown(&client, &run).await;
    assert_eq!(shown["failure"], "matching again gave another result", "{shown}");
}

#[tokio::test]
async fn a_file_that_was_cut_in_the_store_is_not_taken_for_whole() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let wanted = samples(&client).await;
    let statement = &*wanted["left"]["statements"][0].as_str().unwrap().to_owned();
    let kept: Value = serde_json::from_slice(&item(&app, "statement", statement).await.body).unwrap();
    // Without its last row it reads as well as before.
    let cut = LEDGER.trim_end().rsplit_once('\n').unwrap().0.to_owned() + "\n";
    app.files.put(&Path::from(kept["object"].as_str().unwrap()), cut.into()).await.unwrap();
    let run = id(&client.post("/v1/runs", wanted).await);
    assert!(step(&app, "test").await.unwrap());
    let shown = shown(&client, &run).await;
    assert_eq!(shown["status"], "failed", "{shown}");
    let why = format!("{statement}: its file in the store is not the one that was sent");
    assert_eq!(shown["failure"], why.as_str(), "{shown}");
}

#[tokio::test]
async fn a_dry_run_leaves_the_run_before_as_it_is() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let mut wanted = samples(&client).await;
    let first = id(&client.post("/v1/runs", wanted.clone()).await);
    assert!(step(&app, "test").await.unwrap());
    let before = item(&app, "run", &first).await;
    for (side, body) in [("left", LEDGER), ("right", BANK)] {
        let source = wanted[side]["source"].as_str().unwrap().to_owned();
        wanted[side]["statements"] = json!([id(&client.upload(&source, "again", body, &fresh()).await)]);
    }
    wanted["dry_run"] = json!(true);
    let dry = id(&client.post("/v1/runs", wanted).await);
    assert!(step(&app, "test").await.unwrap());
    let summary = &shown(&client, &dry).await["summary"];
    assert_eq!(summary["carried"]["from"], first, "it has looked at it: {summary}");
    assert_eq!(item(&app, "run", &first).await, before);
    let path = format!("/v1/runs/{first}/breaks/1/assign");
    let assigned = client.post_with(&path, &fresh(), Some("\"1\""), &json!({ "owner": "kim" })).await;
    assert_eq!(assigned.status, 200, "its breaks are still worked on: {}", assigned.text);
}

#[tokio::test]
async fn a_run_that_reads_for_long_keeps_its_lease() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let run = id(&client.post("/v1/runs", samples(&client).await).await);
    // The files come in ten pieces, each of which takes less than a third of a lease.
    world.slow_ms.store(8_000, Ordering::Relaxed);
    let ended = AtomicBool::new(false);
    let other = world.calm();
    let holder = async {
        assert!(step(&app, "holder").await.unwrap());
        ended.store(true, Ordering::Relaxed);
    };
    let others = async {
        while item(&other, "run", &run).await.version == 1 {
            tokio::task::yield_now().await;
        }
        while !ended.load(Ordering::Relaxed) {
            assert!(!step(&other, "other").await.unwrap(), "its lease ran out");
        }
    };
    tokio::join!(holder, others);
    let shown = shown(&client, &run).await;
    assert_eq!((&shown["status"], &shown["attempts"]), (&json!("completed"), &json!(1)), "{shown}");
}

#[tokio::test]
async fn an_idempotency_key_counts_for_a_week() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let make =
        async |name: &str| client.post_with("/v1/sources", "the-key", None, &json!({ "name": name })).await;
    let first = make("ledger").await;
    world.pass_time(6 * 86_400_000);
    assert_eq!(id(&make("ledger").await), id(&first));
    assert_eq!(make("bank").await.status, 422);
    world.pass_time(86_400_000);
    let second = make("bank").await;
    assert_eq!(second.status, 201, "{}", second.text);
    assert_eq!(id(&make("bank").await), id(&second), "and counts again");
    assert_eq!(client.get("/v1/sources").await.body["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_long_audit_log_is_verified_in_several_answers() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    for number in 0..10 {
        client.post("/v1/sources", json!({ "name": format!("source {number}") })).await;
    }
    Anchored::default().anchor_all(&app).await.unwrap();
    let whole = client.get("/v1/audit/verification").await.body;
    assert_eq!((&whole["intact"], whole.get("next")), (&json!(true), None), "{whole}");
    let verified = async || {
        let (mut path, mut answers) = ("/v1/audit/verification?entries=3".to_owned(), 0);
        loop {
            let verdict = client.get(&path).await;
            answers += 1;
            assert_eq!(verdict.status, 200, "{}", verdict.text);
            let Some(next) = verdict.body["next"].as_str() else { return (verdict.body, answers) };
            assert_eq!(verdict.body["entries"], answers * 3);
            path = format!("/v1/audit/verification?entries=3&cursor={next}");
        }
    };
    let (verdict, answers) = verified().await;
    assert_eq!((&verdict, answers), (&whole, whole["entries"].as_u64().unwrap().div_ceil(3)));

    // Nobody makes up where to go on, and what is cut off is missed with the last answer.
    assert_eq!(client.get("/v1/audit/verification?cursor=AAAA").await.status, 400);
    let head = txn_reconcile_api::service::audit::head_key("acme");
    let stored = app.store.get(&head).await.unwrap().unwrap();
    let entries = app.store.audit("acme", 1, 500).await.unwrap();
    let last: Value = serde_json::from_slice(&entries[7].body).unwrap();
    let shorter = json!({ "sequence": 8, "hash": last["hash"] }).to_string().into_bytes();
    app.store.transact(vec![Write::put(head, Expect::Version(stored.version), shorter)], None).await.unwrap();
    let (verdict, _) = verified().await;
    assert_eq!(verdict["intact"], false, "{verdict}");
    let fault = verdict["fault"].as_str().unwrap();
    assert!(fault.ends_with("was anchored and is gone"), "{fault}");
}
