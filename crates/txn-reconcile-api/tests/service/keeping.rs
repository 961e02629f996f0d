//! Keeping the lists of a run that are longer than one transaction and one object.

use std::sync::Arc;

use serde_json::{Value, json};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::records::break_key;
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::store::{Expect, Write};

use super::api::{Client, fresh, id, member};
use super::backends::{app, embedded};
use super::faults::{Fault, World};
use super::simulation::dies_after;

/// More than two objects, and more than four transactions.
const MATCHES: usize = 4_100;
const BREAKS: usize = 400;

/// Asks for a run of two files with [`MATCHES`] pairs and [`BREAKS`] rows more on the left.
async fn ask(client: &Client) -> String {
    let file = |rows: usize| {
        let rows = (1..=rows).map(|row| format!("L-{row},{row}.00,EUR,2026-11-02\n"));
        "reference,amount,currency,date\n".to_owned() + &rows.collect::<String>()
    };
    let left = id(&client.post("/v1/sources", json!({ "name": "ledger" })).await);
    let right = id(&client.post("/v1/sources", json!({ "name": "bank" })).await);
    let ruleset = id(&client.post("/v1/rulesets", json!({})).await);
    let ledger = id(&client.upload(&left, "ledger.csv", &file(MATCHES + BREAKS), &fresh()).await);
    let bank = id(&client.upload(&right, "bank.csv", &file(MATCHES), &fresh()).await);
    let wanted = json!({
        "left": { "source": left, "statements": [ledger] },
        "right": { "source": right, "statements": [bank] },
        "ruleset": ruleset,
    });
    id(&client.post("/v1/runs", wanted).await)
}

/// A whole list, page by page.
async fn list(app: &Arc<App>, token: &str, run: &str, what: &str) -> Vec<Value> {
    let client =
        Client { router: txn_reconcile_api::service::api::router(Arc::clone(app)), token: token.to_owned() };
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/runs/{run}/{what}?limit=500{cursor}")).await;
        items.extend(page.body["items"].as_array().unwrap_or_else(|| panic!("{}", page.text)).clone());
        match page.body["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

/// The run is completed, and its lists have each entry once.
async fn whole(app: &Arc<App>, client: &Client, run: &str, when: &str) {
    let shown = client.get(&format!("/v1/runs/{run}")).await.body;
    assert_eq!(shown["status"], "completed", "{when}: {shown}");
    let mut entries = Vec::new();
    let matches = list(app, &client.token, run, "matches").await;
    for (number, one) in (1..).zip(&matches) {
        assert_eq!(one["number"], number, "{when}");
        entries.extend(one["entries"].as_array().unwrap().iter().map(|entry| entry["id"].to_string()));
    }
    let breaks = list(app, &client.token, run, "breaks").await;
    for (number, one) in (1..).zip(&breaks) {
        assert_eq!(one["number"], number, "{when}");
        entries.push(one["entry"]["id"].to_string());
    }
    assert_eq!((matches.len(), breaks.len()), (MATCHES, BREAKS), "{when}");
    entries.sort_unstable();
    entries.dedup();
    // The identity of a row is the same on both sides.
    assert_eq!(entries.len(), MATCHES + BREAKS, "{when}: an entry stands twice");
}

#[tokio::test]
async fn they_are_whole_whichever_object_could_not_be_put() {
    for put in 0..4 {
        let world = World::new(7);
        let calm = world.calm();
        let client = member(&calm, "acme").await;
        let run = ask(&client).await;
        world.fail_once(Fault::Throttled, "put", put);
        assert!(worker::step(&calm, "first").await.unwrap());
        assert!(world.has_failed(), "put {put}");
        world.pass_time(10_000);
        while worker::step(&calm, "last").await.unwrap() {}
        whole(&calm, &client, &run, &format!("put {put}")).await;
    }
}

#[tokio::test]
async fn they_are_whole_whichever_worker_has_died_over_them() {
    // The statements come in pieces of 200 bytes, so that reading them takes most of the calls.
    let mut left = Vec::new();
    for calls in (1200..1310).step_by(10) {
        let world = World::new(7);
        let calm = world.calm();
        let client = member(&calm, "acme").await;
        let run = ask(&client).await;
        dies_after(&world, calls).await;
        let shown = client.get(&format!("/v1/runs/{run}")).await.body;
        left.push(shown["progress"]["stage"].clone());
        while worker::step(&calm, "last").await.unwrap() {}

        whole(&calm, &client, &run, &format!("after {calls} calls")).await;
    }
    assert!(left.iter().filter(|stage| *stage == "saving").count() >= 2, "they died elsewhere: {left:?}");
}

#[tokio::test]
async fn a_break_that_is_there_already_is_left_alone() {
    let backend = embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let run = ask(&client).await;
    let worked_on = break_key("acme", &run, 150);
    let write = Write::put(worked_on.clone(), Expect::Absent, b"what somebody made of it".to_vec());
    app.store.transact(vec![write], None).await.unwrap();
    while worker::step(&app, "test").await.unwrap() {}

    let shown = client.get(&format!("/v1/runs/{run}")).await.body;
    assert_eq!((&shown["status"], &shown["progress"]["breaks_saved"]), (&json!("completed"), &json!(BREAKS)));
    assert_eq!(app.store.get(&worked_on).await.unwrap().unwrap().body, b"what somebody made of it");
    for number in (1..=BREAKS as u64).filter(|number| *number != 150) {
        let key = break_key("acme", &run, number);
        assert!(app.store.get(&key).await.unwrap().is_some(), "break {number} is missing");
    }
}
