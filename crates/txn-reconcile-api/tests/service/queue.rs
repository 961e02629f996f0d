//! Whose turn it is: no tenant waits for the queue of another one, and no run is asked after that waits.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::run::queue::{Lane, Limits, depth};
use txn_reconcile_api::service::run::worker::{step, take_up};
use txn_reconcile_api::service::store::{Expect, Write};

use super::api::{BANK, Client, LEDGER, fresh, id, member, samples};
use super::backends::{self, app};
use super::faults::World;

fn limited(app: Arc<App>, limits: Limits) -> Arc<App> {
    let mut app = Arc::into_inner(app).unwrap();
    app.runs = limits;
    Arc::new(app)
}

async fn status(client: &Client, run: &str) -> Value {
    client.get(&format!("/v1/runs/{run}")).await.body["status"].clone()
}

async fn dry(client: &Client, wanted: &Value) -> String {
    let mut wanted = wanted.clone();
    wanted["dry_run"] = json!(true);
    id(&client.post("/v1/runs", wanted).await)
}

/// However many runs of one pair a tenant has asked for, another tenant's run is the next but one.
async fn nobody_waits_for_the_queue_of_another(app: Arc<App>, runs: usize) {
    let app = limited(app, Limits { queued: runs, at_once: 2 });
    let (greedy, modest) = (member(&app, "greedy").await, member(&app, "modest").await);
    let wanted = samples(&greedy).await;
    let mut asked = Vec::new();
    for _ in 0..runs {
        asked.push(dry(&greedy, &wanted).await);
    }
    let run = id(&modest.post("/v1/runs", samples(&modest).await).await);
    for _ in 0..2 {
        assert!(step(&app, "test").await.unwrap());
    }
    assert_eq!(status(&modest, &run).await, "completed");
    assert_eq!(status(&greedy, &asked[0]).await, "completed", "in the order in which they were asked for");
    assert_eq!(status(&greedy, &asked[1]).await, "queued");
    // And the rest goes on, one woken by another.
    for next in asked.iter().take(20).skip(1) {
        assert!(step(&app, "test").await.unwrap());
        assert_eq!(status(&greedy, next).await, "completed");
    }
}

#[tokio::test]
async fn a_thousand_runs_of_one_tenant_delay_nobody_else() {
    nobody_waits_for_the_queue_of_another(app(backends::embedded().await.store.clone()), 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    let backend = backends::dynamo().await;
    nobody_waits_for_the_queue_of_another(app(backend.store.clone()), 25).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let backend = backends::postgres().await;
    nobody_waits_for_the_queue_of_another(app(backend.store.clone()), 25).await;
}

#[tokio::test]
async fn a_full_queue_is_told_when_to_ask_again() {
    let backend = backends::embedded().await;
    let app = limited(app(backend.store.clone()), Limits { queued: 2, at_once: 1 });
    let client = member(&app, "acme").await;
    let wanted = samples(&client).await;
    let runs = [dry(&client, &wanted).await, dry(&client, &wanted).await];
    let ask = || {
        Request::post("/v1/runs")
            .header("authorization", format!("Bearer {}", client.token))
            .header("content-type", "application/json")
            .header("idempotency-key", fresh())
            .body(Body::from(wanted.to_string()))
            .unwrap()
    };
    let refused = client.router.clone().oneshot(ask()).await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"30".parse().unwrap()));
    let refused = client.send(ask()).await;
    assert_eq!(refused.body["type"], "urn:txn-reconcile:problem:queue-full", "{}", refused.text);
    assert_eq!(client.get("/v1/runs").await.body["items"].as_array().unwrap().len(), 2, "nothing was kept");
    // Another tenant has a queue of its own.
    let other = member(&app, "other").await;
    let wanted = samples(&other).await;
    dry(&other, &wanted).await;

    // Whatever ends a run makes room: a cancellation too.
    assert_eq!(client.post(&format!("/v1/runs/{}/cancel", runs[1]), json!({})).await.status, 200);
    assert_eq!(client.send(ask()).await.status, 202);
    assert_eq!(client.send(ask()).await.status, 429);
    assert!(step(&app, "test").await.unwrap());
    assert_eq!(status(&client, &runs[0]).await, "completed");
    let again = client.send(ask()).await;
    assert_eq!(again.status, 409, "there is room, and the statements are another run's: {}", again.text);
}

/// Asks for two runs of the same sources.
async fn two_in_a_row(client: &Client) -> [String; 2] {
    let mut wanted = samples(client).await;
    let first = id(&client.post("/v1/runs", wanted.clone()).await);
    for (side, body) in [("left", LEDGER), ("right", BANK)] {
        let source = wanted[side]["source"].as_str().unwrap().to_owned();
        wanted[side]["statements"] = json!([id(&client.upload(&source, "again", body, &fresh()).await)]);
    }
    [first, id(&client.post("/v1/runs", wanted).await)]
}

#[tokio::test]
async fn the_end_of_a_run_wakes_the_next_of_its_sources() {
    for end in ["completed", "failed", "cancelled"] {
        let world = World::new(1);
        let app = world.calm();
        let client = member(&app, "acme").await;
        let [first, second] = two_in_a_row(&client).await;
        let item = async |run: &str| app.store.get(&app.key("acme", "run", run)).await.unwrap().unwrap();
        let waiting = item(&second).await;
        assert_eq!((waiting.version, waiting.due), (1, None), "nobody looks after it");
        let shown = client.get(&format!("/v1/runs/{second}")).await.body;
        assert_eq!(shown["progress"]["waits_for"], "the run before it has not ended");
        match end {
            "cancelled" => {
                let cancelled = client.post(&format!("/v1/runs/{first}/cancel"), json!({})).await;
                assert_eq!(cancelled.status, 200, "{}", cancelled.text);
            }
            "failed" => {
                let key = app.key("acme", "run", &first);
                let held = item(&first).await;
                let mut run: Value = serde_json::from_slice(&held.body).unwrap();
                run["attempts"] = json!(1_000);
                let (expect, body) = (Expect::Version(held.version), run.to_string().into_bytes());
                let worn = Write::Put { key, expect, body, due: held.due, expires_at: None };
                app.store.transact(vec![worn], None).await.unwrap();
                assert!(step(&app, "test").await.unwrap());
            }
            _ => assert!(step(&app, "test").await.unwrap()),
        }
        assert_eq!(status(&client, &first).await, end);
        let woken = item(&second).await;
        assert!(woken.version == 2 && woken.due.is_some(), "{end}: {:?}", woken.due);
        assert_eq!(
            client.get(&format!("/v1/runs/{second}")).await.body["progress"]["waits_for"],
            Value::Null
        );
        assert!(step(&app, "test").await.unwrap());
        let shown = client.get(&format!("/v1/runs/{second}")).await.body;
        assert_eq!(
            (&shown["status"], &shown["attempts"]),
            (&json!("completed"), &json!(1)),
            "{end}: {shown}"
        );
        assert!(!step(&app, "test").await.unwrap());
    }
}

#[tokio::test]
async fn small_runs_are_made_beside_large_ones() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let (large, small) = (member(&app, "large").await, member(&app, "small").await);
    let wanted = samples(&large).await;
    // As if the ledger had more entries than it has.
    let key = app.key("large", "statement", wanted["left"]["statements"][0].as_str().unwrap());
    let item = app.store.get(&key).await.unwrap().unwrap();
    let mut statement: Value = serde_json::from_slice(&item.body).unwrap();
    statement["entries"] = json!(50_000);
    let much = Write::put(key, Expect::Version(item.version), statement.to_string().into_bytes());
    app.store.transact(vec![much], None).await.unwrap();
    let large_run = dry(&large, &wanted).await;
    let small_run = dry(&small, &samples(&small).await).await;
    assert_eq!(large.get(&format!("/v1/runs/{large_run}")).await.body["entries"], 50_008);
    assert_eq!(depth(&app).await.unwrap().runs, 2);

    assert!(take_up(&app, "of small ones", Lane::Small).await.unwrap());
    assert_eq!(status(&small, &small_run).await, "completed");
    assert!(!take_up(&app, "of small ones", Lane::Small).await.unwrap(), "large ones are not its business");
    assert_eq!(status(&large, &large_run).await, "queued");
    assert!(step(&app, "of all").await.unwrap());
    assert_eq!(status(&large, &large_run).await, "completed");
    assert_eq!(depth(&app).await.unwrap().runs, 0);
}

#[tokio::test]
async fn a_queue_goes_on_after_a_run_that_ended_without_a_word() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let [first, second] = two_in_a_row(&client).await;
    // As a worker of the release before ends one: the line is not told.
    let key = app.key("acme", "run", &first);
    let item = app.store.get(&key).await.unwrap().unwrap();
    let mut run: Value = serde_json::from_slice(&item.body).unwrap();
    run["status"] = json!("cancelled");
    let ended = Write::put(key, Expect::Version(item.version), run.to_string().into_bytes());
    app.store.transact(vec![ended], None).await.unwrap();
    assert!(!step(&app, "test").await.unwrap());
    assert_eq!(status(&client, &second).await, "queued");
    world.pass_time(300_001);
    assert!(!step(&app, "test").await.unwrap(), "it looks after the line");
    assert!(step(&app, "test").await.unwrap());
    assert_eq!(status(&client, &second).await, "completed");
}

#[tokio::test]
async fn the_age_of_the_queue_is_that_of_the_first_run_whose_turn_has_come() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    two_in_a_row(&client).await;
    world.pass_time(90_000);
    let depth = depth(&app).await.unwrap();
    assert_eq!(depth.runs, 1, "the one behind it has not had its turn");
    assert!((90..100).contains(&depth.oldest_seconds), "{depth:?}");
    app.metrics.runs_due(depth);
    let text = app.metrics.text();
    assert!(text.contains("\nreconcile_runs_due 1\n"), "{text}");
    assert!(text.contains(&format!("\nreconcile_runs_due_seconds {}\n", depth.oldest_seconds)), "{text}");
}
