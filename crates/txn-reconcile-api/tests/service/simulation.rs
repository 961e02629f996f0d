//! A seeded simulation of two replicas in a world of faults ([`faults`](super::faults)): the store, the files and the
//! clocks fail, and the processes crash at any call. `RECONCILE_SEED=7 cargo test -p txn-reconcile-api --test service
//! simulation` replays a seed, `RECONCILE_SEED=1-500` tries as many.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};
use txn_reconcile_api::service::api::router;
use txn_reconcile_api::service::run::queue::Lane;
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::store::Store;
use txn_reconcile_api::service::{App, audit, digest};

use super::api::{Answer, BANK, Client, LEDGER, RULES, id};
use super::backends::ADMIN;
use super::faults::{Fault, World};

/// Faults that may meet one stretch of work: fewer than the attempts after which a run is given up.
const FAULTS: i64 = 15;

/// The seeds to try.
pub fn seeds(usual: RangeInclusive<u64>) -> RangeInclusive<u64> {
    let Ok(given) = std::env::var("RECONCILE_SEED") else { return usual };
    let (first, last) = given.split_once('-').unwrap_or((&given, &given));
    first.parse().expect("a seed is a number")..=last.parse().expect("a seed is a number")
}

/// Tells how to replay what fails.
pub struct Seed(pub u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "to replay it: RECONCILE_SEED={0} cargo test -p txn-reconcile-api --test service",
                self.0
            );
        }
    }
}

/// A caller that asks until there is an answer that says something, through crashes and restarts, with one
/// idempotency key.
pub struct Patient {
    pub world: Arc<World>,
    pub token: String,
}

impl Patient {
    pub async fn ask(&self, number: usize, key: &str, call: impl AsyncFn(&Client, &str) -> Answer) -> Answer {
        for _ in 0..200 {
            let calls = i64::try_from(self.world.chance.below(60)).unwrap();
            let (app, process) = self.world.start(number, calls);
            let client = Client { router: router(app), token: self.token.clone() };
            match process.run(Box::pin(call(&client, key))).await {
                Some(answer) if answer.status != 503 => return answer,
                _ => {}
            }
        }
        panic!("no answer in 200 tries");
    }

    pub async fn post(&self, number: usize, key: &str, path: &str, body: &Value) -> Answer {
        self.ask(number, key, async |client, key| client.post_with(path, key, None, body).await).await
    }

    async fn upload(&self, source: &str, name: &str, body: &str) -> Answer {
        self.ask(0, name, async |client, key| client.upload(source, name, body, key).await).await
    }
}

/// Lets two workers work, one dying after another, until nothing is left to do.
pub async fn work(world: &Arc<World>) {
    world.allow(FAULTS);
    for round in 0..400 {
        let worker = async |number: usize| {
            let calls = 20 + i64::try_from(world.chance.below(150)).unwrap();
            let (app, process) = world.start(number, calls);
            let name = format!("worker-{round}-{number}");
            let steps = async {
                let _ = audit::Anchored::default().anchor_all(&app).await;
                while worker::step(&app, &name).await == Ok(true) {}
            };
            process.run(Box::pin(steps)).await;
        };
        world.both(worker(0), worker(1)).await;
        let mut left = 0;
        for lane in Lane::ALL {
            left += world.store.list_due(lane.queue(), u64::MAX >> 2, 9).await.unwrap().len();
        }
        if left == 0 {
            return;
        }
        world.pass_time(world.chance.below(120_000));
    }
    panic!("the workers do not come to an end");
}

/// Lets a worker take up a run, and crashes it after so many calls. Nothing else goes wrong.
pub async fn dies_after(world: &Arc<World>, calls: i64) {
    let (app, process) = world.doomed(calls);
    if let Some(step) = process.run(worker::step(&app, "dies")).await {
        assert_eq!(step, Ok(true));
    }
    world.pass_time(31_000);
}

/// A token, made before the faults begin, since it is shown once.
pub async fn token(calm: &Arc<App>, key: &str) -> String {
    let admin = Client { router: router(calm.clone()), token: ADMIN.into() };
    let scopes = json!({ "tenant": "acme", "name": key, "scopes": ["read", "write", "approve", "audit"] });
    let made = admin.post_with("/v1/keys", key, None, &scopes).await;
    made.body["token"].as_str().unwrap().to_owned()
}

fn of_both(answers: (Answer, Answer), good: u16, name: &str) -> String {
    let (won, lost) = if answers.0.status == good { answers } else { (answers.1, answers.0) };
    assert_eq!((won.status, lost.status), (good, 409), "{name}: {} {}", won.text, lost.text);
    id(&won)
}

async fn bytes(app: &App, path: &str) -> Vec<u8> {
    let found = app.files.get(&Path::from(path)).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    found.bytes().await.unwrap().to_vec()
}

/// Every statement's file is there as it was sent, and none that belongs to no statement.
async fn files_are_whole(app: &App, statements: &[Value]) {
    let folder = format!("statements/{}", digest::sha256(b"acme"));
    let mut named = BTreeSet::new();
    for statement in statements {
        let digest = statement["sha256"].as_str().unwrap();
        let path = format!("{folder}/{digest}");
        let file = bytes(app, &path).await;
        assert_eq!((&*digest::sha256(&file), json!(file.len())), (digest, statement["bytes"].clone()));
        named.insert(path);
    }
    let there: Vec<_> = app.files.list(Some(&Path::from("statements"))).try_collect().await.unwrap();
    let there: BTreeSet<_> = there.into_iter().map(|object| object.location.to_string()).collect();
    assert_eq!(there, named, "a file belongs to no statement");
}

/// What a run hands on: how many entries it has left open, and by side whose are remembered as matched.
pub async fn handed_on(app: &App, run: &str) -> (usize, [BTreeSet<String>; 2]) {
    let tenant = digest::sha256(b"acme");
    let text = String::from_utf8(bytes(app, &format!("carry/{tenant}/{run}.ndjson")).await).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    let mut lines = text.lines();
    let index: [BTreeMap<String, Value>; 2] = serde_json::from_str(lines.next().unwrap()).unwrap();
    let mut remembered = [BTreeSet::new(), BTreeSet::new()];
    for (days, remembered) in index.iter().zip(&mut remembered) {
        for place in days.values() {
            let object = format!("settled/{tenant}/{}", place["run"].as_str().unwrap());
            let all = bytes(app, &object).await;
            let [from, count] = ["from", "count"].map(|what| place[what].as_u64().unwrap() as usize);
            for id in all[from..from + 16 * count].chunks(16) {
                let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
                assert!(remembered.insert(id), "{run}: an entry is remembered twice");
            }
        }
    }
    // A line says what the file is.
    (lines.count() - 1, remembered)
}

/// What a seed comes to.
struct Result {
    digests: Vec<String>,
    injected: BTreeMap<Fault, u64>,
    trace: u64,
}

/// Two days of work over two replicas.
async fn simulate(seed: u64) -> Result {
    let _seed = Seed(seed);
    let world = World::new(seed);
    let calm = world.calm();
    let maker = Patient { world: world.clone(), token: token(&calm, "first").await };
    let checker = Patient { world: world.clone(), token: token(&calm, "second").await };
    world.allow(40);
    let left = id(&maker.post(0, "ledger", "/v1/sources", &json!({ "name": "ledger" })).await);
    let right = id(&maker.post(0, "bank", "/v1/sources", &json!({ "name": "bank" })).await);
    let ruleset = id(&maker.post(0, "rules", "/v1/rulesets", &json!({ "toml": RULES })).await);
    let ledger = id(&maker.upload(&left, "ledger.csv", LEDGER).await);
    let bank = id(&maker.upload(&right, "bank.sta", BANK).await);
    let wanted = |left_statement: &str, right_statement: &str| {
        json!({
            "left": { "source": left, "statements": [left_statement] },
            "right": { "source": right, "statements": [right_statement] },
            "ruleset": ruleset,
        })
    };
    // Of two that want the statements at the same time, one gets them.
    let first_day = wanted(&ledger, &bank);
    let [one, other] = ["run-a", "run-b"].map(|key| (key, &first_day));
    let both =
        world.both(maker.post(0, one.0, "/v1/runs", one.1), checker.post(1, other.0, "/v1/runs", other.1));
    let first = of_both(both.await, 202, "a run");
    work(&world).await;

    // Of two that match one break by hand at the same time, one does.
    world.allow(40);
    let path = format!("/v1/runs/{first}/manual-matches");
    let hands = [json!({ "breaks": [2, 3], "note": "by hand" }), json!({ "breaks": [3, 2], "note": "too" })];
    let both = world
        .both(maker.post(0, "hand-a", &path, &hands[0]), checker.post(1, "hand-b", &path, &hands[1]))
        .await;
    let maker_won = both.0.status == 201;
    let matched = of_both(both, 201, "a manual match");
    let approve = format!("{path}/{matched}/approve");
    let [own, others] = if maker_won { [&maker, &checker] } else { [&checker, &maker] };
    let approve = async |who: &Patient, number: usize, key: &str| {
        let read = Some("\"1\"");
        who.ask(number, key, async |client, key| client.post_with(&approve, key, read, &json!({})).await)
            .await
    };
    assert_eq!(approve(own, 0, "own").await.status, 403);
    assert_eq!(approve(others, 1, "others").await.status, 200);

    // The next day goes on from what is left.
    let next = "reference,amount,currency,date\nNEXT-ONE,12.34,EUR,2026-11-10\n";
    let ledger_next = id(&maker.upload(&left, "ledger-next.csv", next).await);
    let bank_next = id(&maker.upload(&right, "bank-next.csv", next).await);
    let second = wanted(&ledger_next, &bank_next);
    let second = id(&maker.post(0, "run-next", "/v1/runs", &second).await);
    work(&world).await;

    // From here on nothing fails. What was acknowledged is there, once.
    world.allow(0);
    let injected = world.injected();
    let trace = world.trace();
    let client = Client { router: router(calm.clone()), token: maker.token.clone() };
    let list = async |path: String| {
        let page = client.get(&format!("{path}?limit=500")).await;
        page.body["items"].as_array().unwrap_or_else(|| panic!("{path}: {}", page.text)).clone()
    };
    let mut ids = Vec::new();
    for kind in ["sources", "rulesets", "statements", "runs"] {
        ids.extend(
            list(format!("/v1/{kind}")).await.iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
    }
    let acknowledged = [&left, &right, &ruleset, &ledger, &bank, &ledger_next, &bank_next, &first, &second];
    assert_eq!(ids.len(), acknowledged.len(), "something was done twice: {ids:?}");
    assert_eq!(BTreeSet::from_iter(&ids), BTreeSet::from(acknowledged));

    files_are_whole(&calm, &list("/v1/statements".into()).await).await;

    let mut digests = Vec::new();
    let mut settled = [BTreeSet::new(), BTreeSet::new()];
    for run in [&first, &second] {
        let shown = client.get(&format!("/v1/runs/{run}")).await;
        assert_eq!(shown.body["status"], "completed", "{}", shown.text);
        let summary = &shown.body["summary"];
        digests.push(summary["digest"].as_str().unwrap().to_owned());
        // Each entry is matched or open, once, and counts and sums tie.
        let matches = list(format!("/v1/runs/{run}/matches")).await;
        let breaks = list(format!("/v1/runs/{run}/breaks")).await;
        let entries = matches.iter().flat_map(|one| one["entries"].as_array().unwrap());
        let entries: Vec<&Value> = entries.chain(breaks.iter().map(|one| &one["entry"])).collect();
        let names: BTreeSet<_> =
            entries.iter().map(|one| (one["side"].to_string(), one["id"].to_string())).collect();
        assert_eq!(names.len(), entries.len(), "an entry was claimed twice in {run}");
        let matched = matches.iter().flat_map(|one| one["entries"].as_array().unwrap());
        let by_hand = list(format!("/v1/runs/{first}/breaks")).await;
        let by_hand = by_hand.iter().filter(|one| run == &second && one["state"] == "resolved");
        for entry in matched.chain(by_hand.map(|one| &one["entry"])) {
            let side = usize::from(entry["side"] == "right");
            settled[side].insert(entry["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(handed_on(&calm, run).await, (breaks.len(), settled.clone()), "{run}");
        for side in ["left", "right"] {
            let book = &summary["sides"][side]["currencies"]["EUR"];
            let tie = |what: &str, number: &dyn Fn(&Value) -> i128| {
                let parts = ["matched", "open", "ignored"].map(|part| number(&book[part]));
                assert_eq!(number(&book["total"]), parts.iter().sum(), "{what} of {run}, {side}: {book}");
            };
            tie("counts", &|tally| tally["count"].as_i64().unwrap().into());
            tie("sums", &|tally| tally["sum"]["minor"].as_str().unwrap().parse().unwrap());
            let listed = entries.iter().filter(|one| one["side"] == side).count() as u64;
            let ignored = book["ignored"]["count"].as_u64().unwrap();
            assert_eq!(
                book["total"]["count"].as_u64().unwrap(),
                listed + ignored,
                "{run}, {side}: entries are lost"
            );
        }
    }
    let closed = list(format!("/v1/runs/{first}/breaks")).await;
    let states = |state: &str| closed.iter().filter(|one| one["state"] == state).count();
    assert_eq!((closed.len(), states("resolved"), states("carried")), (6, 2, 4), "{closed:?}");
    assert_eq!(list(format!("/v1/runs/{second}/breaks")).await.len(), 4);

    // Each effect has one entry in the log, which nothing is missing from.
    audit::Anchored::default().anchor_all(&calm).await.unwrap();
    let verdict = audit::verify(&calm, "acme").await.unwrap();
    assert!(verdict.intact && verdict.anchored.is_some(), "{verdict:?}");
    let mut log: BTreeMap<String, usize> = BTreeMap::new();
    for entry in list("/v1/audit".into()).await {
        let content: Value = serde_json::from_str(entry["content"].as_str().unwrap()).unwrap();
        *log.entry(content["action"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let expected = [
        ("breaks.close", 1),
        ("match.approve", 1),
        ("match.propose", 1),
        ("ruleset.create", 1),
        ("run.complete", 2),
        ("run.create", 2),
        ("source.create", 2),
        ("statement.create", 4),
    ];
    assert_eq!(log, expected.map(|(action, count)| (action.to_owned(), count)).into());
    Result { digests, injected, trace }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let (mut digests, mut injected) = (BTreeSet::new(), BTreeMap::<Fault, u64>::new());
    let seeds = seeds(1..=60);
    for seed in seeds.clone() {
        let result = Box::pin(simulate(seed)).await;
        digests.insert(result.digests);
        result.injected.into_iter().for_each(|(fault, count)| *injected.entry(fault).or_default() += count);
    }
    println!("{seeds:?}: {injected:?}");
    assert_eq!(digests.len(), 1, "the digests are not stable: {digests:?}");
    if seeds.clone().count() >= 60 {
        for fault in Fault::ALL {
            assert!(injected.get(&fault).is_some_and(|count| *count > 20), "{fault:?} is rare: {injected:?}");
        }
    }
}

#[tokio::test]
async fn a_seed_replays_to_the_last_call() {
    for seed in 1..=5 {
        let traces = [Box::pin(simulate(seed)).await.trace, Box::pin(simulate(seed)).await.trace];
        assert_eq!(traces[0], traces[1], "seed {seed}");
    }
}
