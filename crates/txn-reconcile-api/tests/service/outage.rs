//! Runs outlive stores that are out for hours. Time is tokio's own, which goes on when nobody has anything to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::clock::Clock;
use txn_reconcile_api::service::run::worker;

use super::api::{BANK, Client, LEDGER, RULES, fresh, id, member};
use super::faults::World;
use super::simulation::dies_after;

struct Paused(Instant);

#[async_trait::async_trait]
impl Clock for Paused {
    fn now_ms(&self) -> u64 {
        1_790_000_000_000 + u64::try_from(self.0.elapsed().as_millis()).unwrap()
    }

    async fn sleep(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}

/// A run that was asked for, and two replicas that work on what there is.
struct Scene {
    world: Arc<World>,
    client: Client,
    run: String,
    replicas: [Arc<App>; 2],
}

impl Scene {
    async fn new() -> Self {
        let world = World::new(1);
        let start = Instant::now();
        let replicas = [0, 1].map(|_| {
            let mut app = Arc::into_inner(world.calm()).unwrap();
            app.clock = Arc::new(Paused(start));
            Arc::new(app)
        });
        let client = member(&replicas[0], "acme").await;
        let run = ask(&client).await;
        Self { world, client, run, replicas }
    }

    fn work(&self) {
        for app in &self.replicas {
            tokio::spawn(worker::work(Arc::clone(app)));
        }
    }

    async fn shown(&self) -> Value {
        self.client.get(&format!("/v1/runs/{}", self.run)).await.body
    }
}

async fn ask(client: &Client) -> String {
    let left = id(&client.post("/v1/sources", json!({ "name": "ledger" })).await);
    let right = id(&client.post("/v1/sources", json!({ "name": "bank" })).await);
    let ruleset = id(&client.post("/v1/rulesets", json!({ "toml": RULES })).await);
    let ledger = id(&client.upload(&left, "ledger.csv", LEDGER, &fresh()).await);
    let bank = id(&client.upload(&right, "bank.sta", BANK, &fresh()).await);
    let wanted = json!({
        "left": { "source": left, "statements": [ledger] },
        "right": { "source": right, "statements": [bank] },
        "ruleset": ruleset,
    });
    id(&client.post("/v1/runs", wanted).await)
}

fn out(switch: &AtomicBool, out: bool) {
    switch.store(out, Ordering::Relaxed);
}

const HOURS: Duration = Duration::from_hours(4);
/// The longest pause and the longest call, twice: two replicas may meet.
const SOON: Duration = Duration::from_mins(14);

#[tokio::test(start_paused = true)]
async fn a_run_is_completed_after_hours_without_files() {
    let scene = Scene::new().await;
    out(&scene.world.files_out, true);
    scene.work();
    sleep(HOURS).await;
    let mut seen = Vec::new();
    for _ in 0..40 {
        sleep(Duration::from_secs(17)).await;
        let shown = scene.shown().await;
        seen.push((shown["status"].clone(), shown["progress"]["waits_for"].clone()));
    }
    let waits = (json!("queued"), json!("the file store does not answer"));
    assert!(seen.iter().all(|one| *one == waits || one.0 == "running"), "{seen:?}");
    assert!(seen.contains(&waits), "{seen:?}");
    let shown = scene.shown().await;
    // More than end a run whose workers die over it, and few enough to cost nothing.
    let count = shown["put_off"].as_u64().unwrap();
    assert!((25..100).contains(&count), "{shown}");
    let metrics = scene.replicas.iter().map(|app| app.metrics.text()).collect::<String>();
    let counted = metrics.lines().filter_map(|line| line.strip_prefix("reconcile_runs_put_off_total "));
    assert_eq!(counted.map(|one| one.parse::<u64>().unwrap()).sum::<u64>(), count, "{metrics}");

    out(&scene.world.files_out, false);
    sleep(SOON).await;
    let shown = scene.shown().await;
    assert_eq!(shown["status"], "completed", "{shown}");
    assert_eq!(shown["progress"]["waits_for"], Value::Null);
    let (attempts, put_off) = (shown["attempts"].as_u64().unwrap(), shown["put_off"].as_u64().unwrap());
    assert_eq!(attempts, put_off + 1, "a lease ran out: {shown}");
}

#[tokio::test(start_paused = true)]
async fn a_run_is_completed_after_hours_without_a_database() {
    let scene = Scene::new().await;
    out(&scene.world.files_out, true);
    scene.work();
    // While a worker has it, the database goes as well.
    sleep(Duration::from_secs(60)).await;
    assert_eq!(scene.shown().await["status"], "running");
    out(&scene.world.store_out, true);
    out(&scene.world.files_out, false);
    sleep(HOURS).await;
    out(&scene.world.store_out, false);
    sleep(SOON).await;
    let shown = scene.shown().await;
    assert_eq!(shown["status"], "completed", "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_run_is_completed_although_the_database_comes_and_goes() {
    let scene = Scene::new().await;
    out(&scene.world.files_out, true);
    scene.work();
    for times in 1..=25 {
        while scene.shown().await["status"] != "running" {
            sleep(Duration::from_secs(1)).await;
        }
        // Too short for the lease to run out, and long enough for it not to be renewed.
        out(&scene.world.store_out, true);
        sleep(Duration::from_secs(12)).await;
        out(&scene.world.store_out, false);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(scene.shown().await["put_off"], times);
    }
    out(&scene.world.files_out, false);
    sleep(SOON).await;
    let shown = scene.shown().await;
    assert_eq!((&shown["status"], &shown["attempts"]), (&json!("completed"), &json!(26)), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_can_be_cancelled() {
    let scene = Scene::new().await;
    out(&scene.world.files_out, true);
    scene.work();
    sleep(HOURS).await;
    let cancelled = scene.client.post(&format!("/v1/runs/{}/cancel", scene.run), json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    out(&scene.world.files_out, false);
    sleep(SOON).await;
    assert_eq!(scene.shown().await["status"], "cancelled");
}

#[tokio::test]
async fn a_run_that_kills_its_workers_is_given_up() {
    let world = World::new(1);
    let calm = world.calm();
    let client = member(&calm, "acme").await;
    let run = ask(&client).await;
    let shown = async || client.get(&format!("/v1/runs/{run}")).await.body;
    for _ in 0..20 {
        dies_after(&world, 20).await;
        assert_eq!(shown().await["status"], "running");
    }
    assert!(worker::step(&calm, "last").await.unwrap());
    let shown = shown().await;
    assert_eq!(shown["status"], "failed", "{shown}");
    let why = "it was given up after 20 attempts that ended without a word: its worker may not survive it";
    assert_eq!(shown["failure"], why);
}

#[tokio::test]
async fn a_run_whose_statement_is_gone_fails_at_once() {
    let world = World::new(1);
    let calm = world.calm();
    let client = member(&calm, "acme").await;
    let run = ask(&client).await;
    world.expire_files().await;
    assert!(worker::step(&calm, "test").await.unwrap());
    let shown = client.get(&format!("/v1/runs/{run}")).await.body;
    assert_eq!(shown["failure"], "a file that the run needs is no longer in the file store", "{shown}");
}

#[tokio::test]
async fn the_lists_of_a_run_whose_files_have_expired_say_so() {
    let world = World::new(1);
    let calm = world.calm();
    let client = member(&calm, "acme").await;
    let run = ask(&client).await;
    assert!(worker::step(&calm, "test").await.unwrap());
    let status = async |list: &str| client.get(&format!("/v1/runs/{run}/{list}")).await.status;
    let lists = ["matches", "export/matches", "export/matches?format=ndjson", "breaks", "export/breaks"];
    for list in lists {
        assert_eq!(status(list).await, 200, "{list}");
    }
    world.expire_files().await;
    for (list, expected) in lists.into_iter().zip([410, 410, 410, 200, 200]) {
        assert_eq!(status(list).await, expected, "{list}");
    }
}
