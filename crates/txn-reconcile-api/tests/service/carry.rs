//! Runs that go on from one another: what one leaves open is matched in the next, or open there, and never twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};
use txn_reconcile_api::service::api::router;
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::store::{Expect, Write};
use txn_reconcile_api::service::{App, audit};

use super::api::{Client, fresh, id, member};
use super::backends::{self, app};
use super::faults::{Fault, World};
use super::simulation::{self, Patient, Seed, seeds};

/// Rows of a file: reference, amount, day of November.
fn file(rows: &[(&str, &str, u32)]) -> String {
    let rows =
        rows.iter().map(|(reference, amount, day)| format!("{reference},{amount},EUR,2026-11-{day:02}\n"));
    "reference,amount,currency,date\n".to_owned() + &rows.collect::<String>()
}

/// Two sources and a ruleset.
struct Books {
    left: String,
    right: String,
    ruleset: String,
}

impl Books {
    async fn new(client: &Client) -> Self {
        Self {
            left: id(&client.post("/v1/sources", json!({ "name": "ledger" })).await),
            right: id(&client.post("/v1/sources", json!({ "name": "bank" })).await),
            ruleset: id(&client.post("/v1/rulesets", json!({})).await),
        }
    }

    /// Sends two files; answers what to ask for a run of them.
    async fn wanted(&self, client: &Client, left: &str, right: &str) -> Value {
        let ledger = id(&client.upload(&self.left, "ledger.csv", left, &fresh()).await);
        let bank = id(&client.upload(&self.right, "bank.csv", right, &fresh()).await);
        json!({
            "left": { "source": self.left, "statements": [ledger] },
            "right": { "source": self.right, "statements": [bank] },
            "ruleset": self.ruleset,
        })
    }
}

fn with(mut wanted: Value, key: &str, value: Value) -> Value {
    wanted[key] = value;
    wanted
}

async fn work(app: &App) {
    while worker::step(app, "test").await.unwrap() {}
}

/// The breaks of a run, as reference, state and where they came from or went.
async fn breaks(client: &Client, run: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/runs/{run}/breaks?limit=500")).await;
    page.body["items"].as_array().unwrap_or_else(|| panic!("{}", page.text)).clone()
}

fn states(breaks: &[Value]) -> Vec<(&str, &str)> {
    let text = |value: &'static str, one| -> &str {
        let one: &Value = one;
        one[value].as_str().unwrap()
    };
    let mut states: Vec<_> =
        breaks.iter().map(|one| (one["entry"]["reference"].as_str().unwrap(), text("state", one))).collect();
    states.sort_unstable();
    states
}

fn find<'a>(breaks: &'a [Value], reference: &str) -> &'a Value {
    breaks.iter().find(|one| one["entry"]["reference"] == reference).unwrap()
}

const FIRST: [(&str, &str, u32); 4] =
    [("INV-AA", "10.00", 2), ("INV-BB", "20.00", 2), ("INV-CC", "30.00", 2), ("INV-DD", "40.00", 2)];

pub async fn two_days(app: Arc<App>) {
    let (maker, checker) = (member(&app, "acme").await, member(&app, "acme").await);
    let books = Books::new(&maker).await;
    let wanted = books.wanted(&maker, &file(&FIRST), &file(&FIRST[..1])).await;
    let first = id(&maker.post("/v1/runs", wanted).await);
    work(&app).await;
    let open = breaks(&maker, &first).await;
    assert_eq!(states(&open), [("INV-BB", "open"), ("INV-CC", "open"), ("INV-DD", "open")]);

    // One is written off, one is somebody's, with a proposal that waits.
    let path = |reference: &str, what: &str| {
        format!("/v1/runs/{first}/breaks/{}/{what}", find(&open, reference)["number"])
    };
    let change = async |client: &Client, path: &str, etag: u32, body: Value| {
        let answer = client.post_with(path, &fresh(), Some(&format!("\"{etag}\"")), &body).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
    };
    let propose = json!({ "reason": "written_off", "note": "too small" });
    change(&maker, &path("INV-CC", "resolution"), 1, propose.clone()).await;
    change(&checker, &path("INV-CC", "resolution/approve"), 2, json!({})).await;
    change(&maker, &path("INV-DD", "assign"), 1, json!({ "owner": "kim" })).await;
    change(&maker, &path("INV-DD", "resolution"), 2, propose).await;

    // The next day's ledger brings all of the first day's rows again, and one more; the bank has paid one.
    let again: Vec<_> = FIRST.iter().copied().chain([("INV-EE", "50.00", 3)]).collect();
    let wanted = books.wanted(&maker, &file(&again), &file(&[("INV-BB", "20.00", 3)])).await;
    let dry = id(&maker.post("/v1/runs", with(wanted.clone(), "dry_run", json!(true))).await);
    let second = id(&maker.post("/v1/runs", wanted).await);
    work(&app).await;
    let shown = maker.get(&format!("/v1/runs/{second}")).await.body;
    assert_eq!((&shown["status"], &shown["follows"]), (&json!("completed"), &json!(first)), "{shown}");
    let carried = json!({
        "from": first, "breaks": 2, "matched": 1, "open": 1, "after_cut_off": 0, "set_aside": 0,
        "opening": { "left": { "EUR": { "count": 2, "sum": { "minor": "6000", "currency": "EUR" } } } },
    });
    assert_eq!(shown["summary"]["carried"], carried);
    assert_eq!(
        maker.get(&format!("/v1/runs/{dry}")).await.body["summary"]["carried"],
        carried,
        "the dry run"
    );
    let side = &shown["summary"]["sides"]["left"]["currencies"]["EUR"];
    let count = |what: &str| side[what]["count"].as_u64().unwrap();
    // Carried and new: two and five; of the five, two are carried already and two were settled.
    assert_eq!((count("total"), count("matched"), count("open"), count("ignored")), (7, 1, 2, 4), "{side}");

    // What is matched and what was written off does not come back; what is open goes on where it was.
    let now = breaks(&maker, &second).await;
    assert_eq!(states(&now), [("INV-DD", "proposed"), ("INV-EE", "open")]);
    let (old, new) = (find(&open, "INV-DD")["number"].clone(), find(&now, "INV-DD"));
    assert_eq!(new["carried_from"], json!({ "run": first, "number": old }));
    assert_eq!(new["owner"], "kim");
    let before = breaks(&maker, &first).await;
    assert_eq!(states(&before), [("INV-BB", "matched_later"), ("INV-CC", "resolved"), ("INV-DD", "carried")]);
    assert_eq!(find(&before, "INV-BB")["became"], json!({ "run": second, "number": 1 }));
    assert_eq!(find(&before, "INV-DD")["became"], json!({ "run": second, "number": new["number"] }));
    let matches = maker.get(&format!("/v1/runs/{second}/matches")).await.body;
    assert_eq!(matches["items"][0]["entries"][0]["reference"], "INV-BB");
    let filtered = maker.get(&format!("/v1/runs/{first}/breaks?state=matched_later")).await.body;
    assert_eq!(filtered["items"].as_array().unwrap().len(), 1);

    // People work on the later run's break, and on no other.
    let refused =
        maker.post_with(&path("INV-DD", "comments"), &fresh(), Some("\"4\""), &json!({ "text": "x" })).await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    let approve = format!("/v1/runs/{second}/breaks/{}/resolution/approve", new["number"]);
    assert_eq!(maker.post_with(&approve, &fresh(), Some("\"1\""), &json!({})).await.status, 403);
    change(&checker, &approve, 1, json!({})).await;
    let log = maker.get("/v1/audit?limit=500").await.text;
    assert!(log.contains("breaks.close") && audit::verify(&app, "acme").await.unwrap().intact, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    two_days(app(backends::embedded().await.store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    let backend = backends::dynamo().await;
    two_days(app(backend.store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let backend = backends::postgres().await;
    two_days(app(backend.store.clone())).await;
}

#[tokio::test]
async fn a_run_is_followed_by_one() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let stranger = member(&app, "other").await;
    let books = Books::new(&client).await;
    let day = async |reference: &'static str| {
        books.wanted(&client, &file(&[(reference, "10.00", 2)]), &file(&[("FEE", "1.00", 2)])).await
    };
    let ask = async |wanted: &Value| client.post("/v1/runs", wanted.clone()).await;
    let follow = |wanted: &Value, run: &str| with(wanted.clone(), "follows", json!(run));

    // In the order in which they are asked for, whether the ones before have ended or not.
    let wanted = [day("AA").await, day("BB").await, day("CC").await, day("DD").await, day("EE").await];
    let (first, second) = (id(&ask(&wanted[0]).await), id(&ask(&wanted[1]).await));
    assert_eq!(ask(&follow(&wanted[2], &first)).await.status, 409, "the first has a follower");
    assert_eq!(ask(&follow(&wanted[2], "run_none")).await.status, 404);
    let third = id(&ask(&follow(&wanted[2], &second)).await);
    let cancelled = client.post(&format!("/v1/runs/{second}/cancel"), json!({})).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    for _ in 0..100 {
        work(&app).await;
        if client.get(&format!("/v1/runs/{third}")).await.body["status"] == "completed" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // The one that was cancelled has left nothing open: the third goes on from the first.
    let shown = client.get(&format!("/v1/runs/{third}")).await.body;
    assert_eq!((&shown["follows"], &shown["status"]), (&json!(first), &json!("completed")), "{shown}");
    assert_eq!(client.get(&format!("/v1/runs/{first}")).await.body["followed_by"], json!(third));
    assert_eq!(
        states(&breaks(&client, &third).await),
        [("AA", "open"), ("CC", "open"), ("FEE", "open")],
        "one of the rows of the bank is the other one again"
    );
    assert_eq!(stranger.post("/v1/runs", follow(&wanted[3], &third)).await.status, 404);

    // At the same time: one behind the other.
    let asked = futures_util::future::join_all(wanted[3..].iter().map(ask)).await;
    let follows: BTreeSet<_> = asked.iter().map(|answer| answer.body["follows"].to_string()).collect();
    assert!(asked.iter().all(|answer| answer.status == 202) && follows.len() == 2, "{follows:?}");

    // Anew.
    let anew = follow(&day("FF").await, "none");
    let answer = ask(&anew).await;
    assert_eq!((answer.status, &answer.body["follows"]), (202, &Value::Null), "{}", answer.text);
}

#[tokio::test]
async fn what_was_booked_after_the_cut_off_is_not_lost() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let books = Books::new(&client).await;
    let rows = [("INV-AA", "10.00", 2), ("INV-BB", "20.00", 5)];
    let wanted = books.wanted(&client, &file(&rows), &file(&rows[..1])).await;
    let first = id(&client.post("/v1/runs", with(wanted, "cut_off", json!("2026-11-03"))).await);
    work(&app).await;
    assert!(breaks(&client, &first).await.is_empty());
    let wanted = books.wanted(&client, &file(&[("INV-CC", "30.00", 6)]), &file(&rows[1..])).await;
    let second = id(&client.post("/v1/runs", wanted).await);
    work(&app).await;
    assert_eq!(states(&breaks(&client, &second).await), [("INV-CC", "open")]);
    let matches = client.get(&format!("/v1/runs/{second}/matches")).await.body;
    assert_eq!(matches["items"][0]["entries"][0]["reference"], "INV-BB");
}

#[tokio::test]
async fn of_two_rows_that_look_alike_the_open_one_goes_on() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let books = Books::new(&client).await;
    let row = ("INV-AA", "10.00", 2);
    let wanted = books.wanted(&client, &file(&[row, row]), &file(&[row])).await;
    let first = id(&client.post("/v1/runs", wanted).await);
    work(&app).await;
    assert_eq!(states(&breaks(&client, &first).await).len(), 1);
    // The next file shows one of the two again, and the bank pays the second.
    let wanted = books.wanted(&client, &file(&[row]), &file(&[row, row])).await;
    let second = id(&client.post("/v1/runs", wanted).await);
    work(&app).await;
    let shown = client.get(&format!("/v1/runs/{second}")).await.body;
    assert_eq!(shown["status"], "completed", "{shown}");
    assert_eq!(shown["summary"]["carried"]["matched"], 1, "{shown}");
    assert!(breaks(&client, &second).await.is_empty());
}

/// Three days under faults and crashes; answers the digests.
async fn simulate(seed: u64) -> Vec<String> {
    let _seed = Seed(seed);
    let world = World::new(seed);
    let calm = world.calm();
    let token = simulation::token(&calm, "first").await;
    let client = Client { router: router(calm.clone()), token: token.clone() };
    let patient = Patient { world: world.clone(), token };
    let books = Books::new(&client).await;
    let mut runs = Vec::new();
    // Each day the ledger brings a row and all of the days before again; the bank pays with a day's delay.
    let rows: Vec<(String, String)> = (0..4u8)
        .map(|day| {
            (format!("INV-{}", "ABCD".as_bytes()[usize::from(day)] as char), format!("{}0.00", day + 1))
        })
        .collect();
    for day in 0..3usize {
        let ledger: Vec<_> =
            rows[..=day].iter().map(|(name, amount)| (name.as_str(), amount.as_str(), 2)).collect();
        let bank: Vec<_> = if day == 0 {
            vec![("FEE", "99.00", 2)]
        } else {
            vec![(rows[day - 1].0.as_str(), rows[day - 1].1.as_str(), 2)]
        };
        let wanted = books.wanted(&client, &file(&ledger), &file(&bank)).await;
        world.allow(20);
        runs.push(id(&patient.post(0, &format!("day-{day}"), "/v1/runs", &wanted).await));
        world.allow(0);
    }
    simulation::work(&world).await;
    world.allow(0);
    let mut digests = Vec::new();
    for (day, run) in runs.iter().enumerate() {
        let shown = client.get(&format!("/v1/runs/{run}")).await.body;
        assert_eq!(shown["status"], "completed", "seed {seed}, day {day}: {shown}");
        digests.push(shown["summary"]["digest"].as_str().unwrap().to_owned());
        let found = breaks(&client, run).await;
        let last = day == 2;
        for one in &found {
            assert_eq!(one["state"] == "open", last, "seed {seed}, day {day}: {one}");
            let became = &one["became"];
            assert_eq!(became.is_null(), last, "seed {seed}, day {day}: {one}");
            if !last {
                assert_eq!(became["run"], json!(runs[day + 1]), "seed {seed}, day {day}: {one}");
                // The link leads to where the entry is.
                let list = if one["state"] == "matched_later" { "matches" } else { "breaks" };
                let there = client.get(&format!("/v1/runs/{}/{list}", runs[day + 1])).await.body;
                let there = there["items"].as_array().unwrap();
                let there = there.iter().find(|item| item["number"] == became["number"]).unwrap();
                assert!(
                    there.to_string().contains(one["entry"]["id"].as_str().unwrap()),
                    "seed {seed}: {one}"
                );
            }
        }
        let carried = &shown["summary"]["carried"];
        if day > 0 {
            assert_eq!(
                (&carried["matched"], &carried["open"]),
                (&json!(1), &json!(1)),
                "seed {seed}: {carried}"
            );
        }
        assert_eq!(found.len(), 2, "seed {seed}, day {day}: {found:?}");
    }
    assert!(audit::verify(&calm, "acme").await.unwrap().intact, "seed {seed}");
    digests
}

#[tokio::test]
async fn nothing_is_lost_between_runs_that_crash() {
    let mut results = BTreeSet::new();
    for seed in seeds(1..=20) {
        results.insert(simulate(seed).await);
    }
    assert_eq!(results.len(), 1, "the digests are not stable: {results:?}");
}

/// Wherever the worker dies, a run that is cancelled gives back what it had taken over, and one that cannot be cancelled
/// any more is completed.
#[tokio::test]
async fn a_cancelled_run_gives_back_what_it_took_over() {
    let (mut cancelled, mut completed, mut held) = (0, 0, 0);
    for calls in (1..90).step_by(4) {
        let world = World::new(1);
        let calm = world.calm();
        let client = member(&calm, "acme").await;
        let books = Books::new(&client).await;
        let wanted = books.wanted(&client, &file(&FIRST), &file(&FIRST[..1])).await;
        let first = id(&client.post("/v1/runs", wanted).await);
        work(&calm).await;
        let wanted = books.wanted(&client, &file(&FIRST[1..2]), &file(&FIRST[1..2])).await;
        let second = id(&client.post("/v1/runs", wanted).await);
        simulation::dies_after(&world, calls).await;
        held +=
            usize::from(client.get(&format!("/v1/runs/{first}")).await.body["followed_by"] == json!(second));
        let answer = client.post(&format!("/v1/runs/{second}/cancel"), json!({})).await;
        let after = client.get(&format!("/v1/runs/{first}")).await.body;
        let comment = format!("/v1/runs/{first}/breaks/1/comments");
        if answer.status == 200 {
            cancelled += 1;
            assert_eq!(after["followed_by"], Value::Null, "{calls}: {after}");
            assert!(breaks(&client, &first).await.iter().all(|one| one["state"] == "open"), "{calls}");
            let said = client.post_with(&comment, &fresh(), Some("\"1\""), &json!({ "text": "x" })).await;
            assert_eq!(said.status, 201, "{calls}: {}", said.text);
            let wanted = books.wanted(&client, &file(&[("INV-EE", "50.00", 3)]), &file(&FIRST[2..3])).await;
            let third = id(&client.post("/v1/runs", wanted).await);
            simulation::work(&world).await;
            world.allow(0);
            let shown = client.get(&format!("/v1/runs/{third}")).await.body;
            assert_eq!(
                (&shown["status"], &shown["follows"]),
                (&json!("completed"), &json!(first)),
                "{calls}: {shown}"
            );
        } else {
            completed += 1;
            assert_eq!(answer.status, 409, "{calls}: {}", answer.text);
            simulation::work(&world).await;
            world.allow(0);
            let shown = client.get(&format!("/v1/runs/{second}")).await.body;
            assert_eq!(shown["status"], "completed", "{calls}: {shown}");
            let found = breaks(&client, &first).await;
            assert_eq!(
                states(&found),
                [("INV-BB", "matched_later"), ("INV-CC", "carried"), ("INV-DD", "carried")]
            );
        }
    }
    assert!(cancelled > 3 && completed > 1 && held > 1, "{cancelled}, {completed}, {held}");
}

#[tokio::test]
async fn a_failed_run_gives_back_what_it_took_over() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let books = Books::new(&client).await;
    let wanted = books.wanted(&client, &file(&FIRST), &file(&FIRST[..1])).await;
    let first = id(&client.post("/v1/runs", wanted).await);
    work(&app).await;
    let prefix = object_store::path::Path::from("carry");
    let handed_on: Vec<_> = app.files.list(Some(&prefix)).try_collect().await.unwrap();
    let place = &handed_on[0].location;
    let bytes = app.files.get(place).await.unwrap().bytes().await.unwrap();
    world.expire_files().await;
    let wanted = books.wanted(&client, &file(&FIRST[1..2]), &file(&FIRST[1..2])).await;
    let second = id(&client.post("/v1/runs", wanted.clone()).await);
    work(&app).await;
    let shown = client.get(&format!("/v1/runs/{second}")).await.body;
    assert_eq!((&shown["status"], &shown["follows"]), (&json!("failed"), &json!(first)), "{shown}");
    assert_eq!(client.get(&format!("/v1/runs/{first}")).await.body["followed_by"], Value::Null);

    // Its statements are free, and what it had taken over goes on to the next one.
    app.files.put(place, bytes.into()).await.unwrap();
    let third = id(&client.post("/v1/runs", wanted).await);
    work(&app).await;
    let shown = client.get(&format!("/v1/runs/{third}")).await.body;
    assert_eq!((&shown["status"], &shown["follows"]), (&json!("completed"), &json!(first)), "{shown}");
}

/// What has begun to close the breaks of the run before can only be completed, however often that was tried and whatever
/// is missing for it.
#[tokio::test]
async fn a_run_that_has_begun_to_close_is_not_given_up() {
    let world = World::new(1);
    let app = world.calm();
    let client = member(&app, "acme").await;
    let books = Books::new(&client).await;
    let wanted = books.wanted(&client, &file(&FIRST), &file(&FIRST[..1])).await;
    client.post("/v1/runs", wanted).await;
    work(&app).await;
    let prefix = object_store::path::Path::from("carry");
    let handed_on: Vec<_> = app.files.list(Some(&prefix)).try_collect().await.unwrap();
    let place = &handed_on[0].location;
    let bytes = app.files.get(place).await.unwrap().bytes().await.unwrap();
    world.expire_files().await;
    let wanted = books.wanted(&client, &file(&FIRST[1..2]), &file(&FIRST[1..2])).await;
    let second = id(&client.post("/v1/runs", wanted).await);
    let key = app.key("acme", "run", &second);
    let item = app.store.get(&key).await.unwrap().unwrap();
    let mut run: Value = serde_json::from_slice(&item.body).unwrap();
    run["closing"] = json!(true);
    run["attempts"] = json!(1000);
    let (expect, body) = (Expect::Version(item.version), run.to_string().into_bytes());
    let begun = Write::Put { key, expect, body, due: item.due, expires_at: None };
    app.store.transact(vec![begun], None).await.unwrap();

    work(&app).await;
    let shown = client.get(&format!("/v1/runs/{second}")).await.body;
    let why = "a file that the run needs is no longer in the file store";
    assert_eq!(
        (&shown["status"], &shown["progress"]["waits_for"]),
        (&json!("queued"), &json!(why)),
        "{shown}"
    );
    app.files.put(place, bytes.into()).await.unwrap();
    world.pass_time(1_000);
    work(&app).await;
    let shown = client.get(&format!("/v1/runs/{second}")).await.body;
    assert_eq!(shown["status"], "completed", "{shown}");
}

/// A run that goes on from another one, with one failure at a call. Answers whether it came to that.
async fn one_failure(fault: Fault, after: u64) -> bool {
    let at = format!("{fault:?} after {after} calls");
    let world = World::new(1);
    let calm = world.calm();
    let client = member(&calm, "acme").await;
    let books = Books::new(&client).await;
    let wanted = books.wanted(&client, &file(&FIRST), &file(&FIRST[..1])).await;
    let first = id(&client.post("/v1/runs", wanted).await);
    work(&calm).await;
    let by_hand = format!("/v1/runs/{first}/manual-matches");
    let proposed = client.post(&by_hand, json!({ "breaks": [2, 3], "note": "waits" })).await;
    assert_eq!(proposed.status, 201, "{}", proposed.text);
    let rows = [FIRST[1], ("INV-EE", "50.00", 3)];
    let wanted = books.wanted(&client, &file(&rows), &file(&rows[..1])).await;
    let second = id(&client.post("/v1/runs", wanted).await);
    world.fail_once(fault, "", after);
    for _ in 0..4 {
        while worker::step(&calm, "test").await == Ok(true) {}
        world.pass_time(31_000);
    }
    let failed = world.has_failed();

    let shown = client.get(&format!("/v1/runs/{second}")).await.body;
    assert_eq!(shown["status"], "completed", "{at}: {shown}");
    let progress = &shown["progress"];
    assert_eq!(
        (&progress["matches_saved"], &progress["breaks_saved"]),
        (&json!(1), &json!(3)),
        "{at}: {shown}"
    );
    assert_eq!(progress["carried_closed"], 3, "{at}: {shown}");
    let matches = client.get(&format!("/v1/runs/{second}/matches")).await.body;
    assert_eq!(matches["items"].as_array().unwrap().len(), 1, "{at}: {matches}");
    let wanted = [("INV-CC", "open"), ("INV-DD", "open"), ("INV-EE", "open")];
    assert_eq!(states(&breaks(&client, &second).await), wanted, "{at}");
    let wanted = [("INV-BB", "matched_later"), ("INV-CC", "carried"), ("INV-DD", "carried")];
    assert_eq!(states(&breaks(&client, &first).await), wanted, "{at}");
    let (open, remembered) = simulation::handed_on(&calm, &second).await;
    assert_eq!((open, remembered.map(|side| side.len())), (3, [2, 2]), "{at}");
    assert_eq!(client.get(&by_hand).await.body["items"][0]["state"], "lapsed", "{at}");
    assert!(audit::verify(&calm, "acme").await.unwrap().intact, "{at}");
    let log = client.get("/v1/audit?limit=500").await.text;
    for (action, times) in [("run.complete", 2), ("breaks.close", 1), ("match.lapse", 1)] {
        assert_eq!(log.matches(&format!("\\\"{action}\\\"")).count(), times, "{at}: {action}");
    }
    failed
}

/// Whichever call fails, and whether it was done or not, the run is completed all the same, once.
#[tokio::test]
async fn no_call_that_fails_costs_a_run_anything() {
    for (fault, fewest) in [(Fault::Throttled, 40), (Fault::LostAnswer, 12)] {
        let mut calls = 0;
        while one_failure(fault, calls).await {
            calls += 1;
        }
        assert!(calls >= fewest, "{fault:?}: {calls}");
    }
}

#[tokio::test]
async fn what_was_matched_is_remembered_by_its_day() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let books = Books::new(&client).await;
    // Both sides bring the same rows. Answers how many of the left were matched and set aside, and the identities that
    // the run has written down.
    let run = async |rows: &[(&str, &str, u32)]| {
        let wanted = books.wanted(&client, &file(rows), &file(rows)).await;
        let run = id(&client.post("/v1/runs", wanted).await);
        work(&app).await;
        let shown = client.get(&format!("/v1/runs/{run}")).await.body;
        let side = &shown["summary"]["sides"]["left"]["currencies"]["EUR"];
        let count = |what: &str| side[what]["count"].as_u64().unwrap_or_else(|| panic!("{shown}"));
        let prefix = object_store::path::Path::from("settled");
        let objects: Vec<_> = app.files.list(Some(&prefix)).try_collect().await.unwrap();
        let own = objects.iter().find(|object| object.location.as_ref().ends_with(&run));
        (count("matched"), count("ignored"), own.map_or(0, |object| object.size / 16))
    };
    let (a, b, c) = (("AA", "10.00", 2), ("BB", "20.00", 3), ("CC", "30.00", 4));
    let (d, e) = (("DD", "40.00", 5), ("EE", "50.00", 2));
    assert_eq!(run(&[a, b]).await, (2, 0, 4));
    assert_eq!(run(&[c]).await, (1, 0, 2), "the days before are left where they are");
    assert_eq!(run(&[a, b, c, d]).await, (1, 3, 2), "and are remembered all the same");
    assert_eq!(run(&[e]).await, (1, 0, 4), "a day to which something is added is written anew");
    assert_eq!(run(&[a, b, c, d, e]).await, (0, 5, 0));
}
