//! A seeded simulation: the service over a store and a file store that fail, time out after they have committed, and
//! crash it at any await. `RECONCILE_SEED=7 cargo test -p txn-reconcile-api --test service simulation` replays a seed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::Notify;
use txn_reconcile_api::service::api::router;
use txn_reconcile_api::service::clock::{Clock, Rng};
use txn_reconcile_api::service::store::embedded::EmbeddedStore;
use txn_reconcile_api::service::store::{AuditEntry, Item, Key, Query, Store, StoreError, Write};
use txn_reconcile_api::service::{App, audit, worker};

use super::api::{Answer, BANK, Client, LEDGER, RULES, id};
use super::backends::{ADMIN, app};

/// The one source of chance (SplitMix64).
pub struct Chance(Mutex<u64>);

impl Chance {
    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = *state;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    fn one_in(&self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

impl Rng for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill_with(|| (self.next() >> 32) as u8);
    }
}

#[derive(Default)]
pub struct SimClock(AtomicU64);

#[async_trait::async_trait]
impl Clock for SimClock {
    fn now_ms(&self) -> u64 {
        // Each look takes a moment, so that identifiers differ.
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    async fn sleep(&self, ms: u64) {
        if ms >= 10_000 {
            // A lease being renewed while the engine computes: that is real time.
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        }
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

pub struct Faulty {
    inner: Arc<EmbeddedStore>,
    chance: Arc<Chance>,
    /// Calls until the next crash.
    left: AtomicI64,
    crashed: Notify,
    /// Whether there are crashes alone.
    calm: AtomicBool,
    /// How many faults were injected, so that a simulation without any is noticed.
    injected: AtomicU64,
}

impl Faulty {
    /// What comes before a call: a crash, an error or nothing.
    async fn before(&self) -> Result<(), StoreError> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.crash().await;
        }
        if !self.calm.load(Ordering::Relaxed) && self.chance.one_in(30) {
            self.injected.fetch_add(1, Ordering::Relaxed);
            return Err(StoreError::Unavailable("throttled".into()));
        }
        Ok(())
    }

    async fn crash(&self) {
        self.injected.fetch_add(1, Ordering::Relaxed);
        self.crashed.notify_one();
        std::future::pending::<()>().await;
    }
}

#[async_trait::async_trait]
impl Store for Faulty {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.before().await?;
        self.inner.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        self.before().await?;
        self.inner.query(query).await
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.before().await?;
        self.inner.list_due(queue, before, limit).await
    }

    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        self.before().await?;
        self.inner.transact(writes, audit).await?;
        // It is done, and nobody hears of it.
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.crash().await;
        }
        if !self.calm.load(Ordering::Relaxed) && self.chance.one_in(15) {
            self.injected.fetch_add(1, Ordering::Relaxed);
            return Err(StoreError::Unavailable("timed out".into()));
        }
        Ok(())
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.before().await?;
        self.inner.audit(chain, from, limit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.before().await
    }
}

pub struct World {
    store: Arc<Faulty>,
    files: Arc<object_store::memory::InMemory>,
    clock: Arc<SimClock>,
    chance: Arc<Chance>,
    keys: AtomicU64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let chance = Arc::new(Chance(Mutex::new(seed)));
        Self {
            store: Arc::new(Faulty {
                inner: Arc::new(EmbeddedStore::in_memory().unwrap()),
                chance: chance.clone(),
                left: AtomicI64::new(i64::MAX),
                crashed: Notify::new(),
                calm: AtomicBool::new(false),
                injected: AtomicU64::new(0),
            }),
            files: Arc::default(),
            clock: Arc::new(SimClock(AtomicU64::new(1_790_000_000_000))),
            chance,
            keys: AtomicU64::new(0),
        }
    }

    /// A process without faults.
    pub fn calm(&self) -> Arc<App> {
        self.start(self.store.inner.clone())
    }

    /// A process, started over what the one before has left.
    pub fn start(&self, store: Arc<dyn Store>) -> Arc<App> {
        let mut started = Arc::into_inner(app(store)).unwrap();
        started.files = self.files.clone();
        started.clock = self.clock.clone();
        started.rng = self.chance.clone();
        Arc::new(started)
    }

    fn key(&self) -> String {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        format!(
            "key-{}",
            char::from(b'a' + u8::try_from(number % 26).unwrap())
                .to_string()
                .repeat(1 + number as usize / 26)
        )
    }

    /// Asks until there is an answer that says something, through crashes and restarts, with one idempotency key.
    pub async fn ask(&self, token: &str, call: impl AsyncFn(&Client, &str) -> Answer) -> Answer {
        let key = self.key();
        for _ in 0..200 {
            self.store.left.store(i64::try_from(self.chance.next() % 60).unwrap(), Ordering::Relaxed);
            let client = Client { router: router(self.start(self.store.clone())), token: token.to_owned() };
            tokio::select! {
                answer = call(&client, &key) => if answer.status != 503 { return answer },
                () = self.store.crashed.notified() => {}
            }
        }
        panic!("no answer in 200 tries");
    }

    /// Lets workers work, one dying after another, until nothing is left to do.
    pub async fn work(&self) {
        for number in 0..400 {
            self.store.left.store(i64::try_from(self.chance.next() % 150).unwrap(), Ordering::Relaxed);
            let app = self.start(self.store.clone());
            let name = format!("worker-{number}");
            tokio::select! {
                step = worker::step(&app, &name) => if step == Ok(false) && self.idle().await { return },
                () = self.store.crashed.notified() => {}
            }
            self.clock.0.fetch_add(31_000, Ordering::Relaxed);
        }
        panic!("the workers do not come to an end");
    }

    /// Lets a worker take up a run, and crashes it after so many calls of the store. No other fault is injected.
    pub async fn dies_after(&self, calls: i64) {
        self.store.left.store(calls, Ordering::Relaxed);
        self.store.calm.store(true, Ordering::Relaxed);
        let app = self.start(self.store.clone());
        tokio::select! {
            step = worker::step(&app, "dies") => assert_eq!(step, Ok(true)),
            () = self.store.crashed.notified() => {}
        }
        self.store.calm.store(false, Ordering::Relaxed);
        self.clock.0.fetch_add(31_000, Ordering::Relaxed);
    }

    async fn idle(&self) -> bool {
        self.store.inner.list_due(worker::QUEUE, u64::MAX >> 2, 9).await.unwrap().is_empty()
    }
}

/// Answers the digest of the result, and how many faults were injected on the way to it.
async fn simulate(seed: u64) -> (String, u64) {
    let world = World::new(seed);
    // The token is shown once, so it is made before the faults begin.
    let calm = world.calm();
    let admin = Client { router: router(calm.clone()), token: ADMIN.into() };
    let scopes = json!({ "tenant": "acme", "name": "test", "scopes": ["read", "write", "approve", "audit"] });
    let made = admin.post_with("/v1/keys", "first", None, &scopes).await;
    let token = made.body["token"].as_str().unwrap().to_owned();

    let post = async |path: &str, body: Value| {
        world
            .ask(&token, async |client: &Client, key: &str| client.post_with(path, key, None, &body).await)
            .await
    };
    let upload = async |source: &str, name: &str, body: &str| {
        world
            .ask(&token, async |client: &Client, key: &str| client.upload(source, name, body, key).await)
            .await
    };
    let left = id(&post("/v1/sources", json!({ "name": "ledger" })).await);
    let right = id(&post("/v1/sources", json!({ "name": "bank" })).await);
    let ruleset = id(&post("/v1/rulesets", json!({ "toml": RULES })).await);
    let ledger = id(&upload(&left, "ledger.csv", LEDGER).await);
    let bank = id(&upload(&right, "bank.sta", BANK).await);
    let wanted = json!({
        "left": { "source": left, "statements": [ledger] },
        "right": { "source": right, "statements": [bank] },
        "ruleset": ruleset,
    });
    let run = id(&post("/v1/runs", wanted.clone()).await);
    assert_eq!(post("/v1/runs", wanted).await.status, 409, "seed {seed}: the statements were claimed twice");
    world.work().await;
    let path = format!("/v1/runs/{run}/manual-matches");
    let matched = post(&path, json!({ "breaks": [2, 3], "note": "by hand" })).await;
    assert_eq!(matched.status, 201, "seed {seed}: {}", matched.text);

    // What was acknowledged is there, once.
    let client = Client { router: router(calm.clone()), token: token.clone() };
    let mut ids = Vec::new();
    for kind in ["sources", "rulesets", "statements", "runs"] {
        let list = client.get(&format!("/v1/{kind}")).await;
        ids.extend(
            list.body["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
    }
    let acknowledged = BTreeSet::from([left, right, ruleset, ledger, bank, run.clone()]);
    assert_eq!(ids.len(), 6, "seed {seed}: something was done twice");
    assert_eq!(BTreeSet::from_iter(ids), acknowledged, "seed {seed}");

    // Each entry is matched or open, once.
    let shown = client.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(shown.body["status"], "completed", "seed {seed}: {}", shown.text);
    let mut entries = Vec::new();
    for one in client.get(&format!("/v1/runs/{run}/matches")).await.body["items"].as_array().unwrap() {
        entries.extend(one["entries"].as_array().unwrap().iter().map(|entry| entry["id"].to_string()));
    }
    let breaks = client.get(&format!("/v1/runs/{run}/breaks")).await;
    let breaks = breaks.body["items"].as_array().unwrap().clone();
    entries.extend(breaks.iter().map(|one| one["entry"]["id"].to_string()));
    let total = |side: &str| {
        shown.body["summary"]["sides"][side]["currencies"]["EUR"]["total"]["count"].as_u64().unwrap()
    };
    assert_eq!(
        entries.len() as u64,
        total("left") + total("right"),
        "seed {seed}: entries are lost or doubled"
    );
    assert_eq!(BTreeSet::from_iter(&entries).len(), entries.len(), "seed {seed}: an entry was claimed twice");
    assert_eq!(breaks.iter().filter(|one| one["state"] == "proposed").count(), 2, "seed {seed}");

    let verdict = audit::verify(&calm, "acme").await.unwrap();
    // Six things, the completion and the manual match: each effect has one entry.
    assert!(verdict.intact && verdict.entries == 8, "seed {seed}: {verdict:?}");
    (
        shown.body["summary"]["digest"].as_str().unwrap().to_owned(),
        world.store.injected.load(Ordering::Relaxed),
    )
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let given = std::env::var("RECONCILE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds = given.map_or(1..=60, |seed: u64| seed..=seed);
    let (mut digests, mut faults) = (BTreeSet::new(), 0);
    for seed in seeds {
        let (digest, injected) = simulate(seed).await;
        digests.insert(digest);
        faults += injected;
    }
    assert!(given.is_some() || faults > 60, "only {faults} faults were injected");
    assert_eq!(digests.len(), 1, "the digest is not stable: {digests:?}");
}
