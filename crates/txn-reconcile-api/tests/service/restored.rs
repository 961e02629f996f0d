//! What a restore leaves of the audit log, and what a repair makes of it: on each store, at every pair of moments, and against
//! somebody who would pass a cut off as a restore.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use object_store::ObjectStore;
use serde_json::{Value, json};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::audit::proof::{Proof, prove};
use txn_reconcile_api::service::audit::repair::{Report, repair, tenants};
use txn_reconcile_api::service::audit::{Anchored, Entry, Head, Verdict, head_key, verify};
use txn_reconcile_api::service::error::Error;
use txn_reconcile_api::service::ledger::Effect;
use txn_reconcile_api::service::store::embedded::EmbeddedStore;
use txn_reconcile_api::service::store::{AuditEntry, Expect, Item, Key, Query, Store, StoreError, Write};

use super::backends::{self, Backend, app};
use super::faults::World;
use super::simulation::{Seed, seeds};

/// A store that remembers what was done to it, transaction by transaction.
struct Remembering {
    store: Arc<dyn Store>,
    done: Mutex<Vec<(Vec<Write>, Option<AuditEntry>)>>,
}

#[async_trait::async_trait]
impl Store for Remembering {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.store.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        self.store.query(query).await
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.store.list_due(queue, before, limit).await
    }

    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        self.store.transact(writes.clone(), audit.clone()).await?;
        self.done.lock().unwrap().push((writes, audit));
        Ok(())
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit(chain, from, limit).await
    }

    async fn expire(&self, before: u64, limit: usize) -> Result<usize, StoreError> {
        self.store.expire(before, limit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }
}

impl Remembering {
    fn over(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store, done: Mutex::default() })
    }

    fn moments(&self) -> usize {
        self.done.lock().unwrap().len()
    }

    /// The records as they were after so many transactions and the entries as they were after so many others, in an empty
    /// store: what a point-in-time restore of each table by itself makes.
    async fn restored(&self, records: usize, entries: usize, into: Arc<dyn Store>) -> Arc<Self> {
        let done = self.done.lock().unwrap().clone();
        let new = Self::over(into);
        for (number, (writes, audit)) in done.into_iter().enumerate() {
            let writes = if number < records { writes } else { Vec::new() };
            let audit = audit.filter(|_| number < entries);
            if !(writes.is_empty() && audit.is_none()) {
                new.transact(writes, audit).await.unwrap();
            }
        }
        new
    }
}

async fn act(app: &App, tenant: &str) -> Result<(), Error> {
    let effect = Effect {
        tenant,
        actor: "sub:somebody",
        request: "req_1",
        peer: None,
        action: "source.create",
        subject: "src_1",
        detail: json!({}),
        writes: Vec::new(),
        answer: None,
    };
    app.commit(effect).await
}

/// A service over a store that looks at anchors which no restore takes back.
fn beside(anchors: &Arc<dyn ObjectStore>, store: Arc<dyn Store>) -> Arc<App> {
    let mut app = Arc::into_inner(app(store)).unwrap();
    app.anchors = Arc::clone(anchors);
    Arc::new(app)
}

async fn anchor(app: &App) {
    Anchored::default().anchor_all(app).await.unwrap();
}

async fn intact(app: &App, tenant: &str) -> Verdict {
    let verdict = verify(app, tenant).await.unwrap();
    assert!(verdict.intact, "{tenant}: {verdict:?}");
    verdict
}

async fn repaired(app: &App) -> BTreeMap<String, Report> {
    let mut all = BTreeMap::new();
    for tenant in tenants(app).await.unwrap() {
        let report = repair(app, &tenant).await.unwrap();
        assert_eq!(report.refused, None, "{tenant}");
        all.insert(tenant, report);
    }
    all
}

async fn contents(app: &App, tenant: &str) -> Vec<Value> {
    let entries = app.store.audit(tenant, 1, 1_000).await.unwrap();
    let content = |entry: &AuditEntry| {
        let entry: Entry = serde_json::from_slice(&entry.body).unwrap();
        serde_json::from_str(&entry.content).unwrap()
    };
    entries.iter().map(content).collect()
}

/// The log neither freezes nor fails, whichever of the two is later, and what was lost is told of.
async fn both_ways(make: impl AsyncFn() -> Backend) {
    for (records, entries) in [(3, 6), (6, 3), (4, 4), (7, 7), (0, 5), (5, 0)] {
        let (first, second) = (make().await, make().await);
        let before = Remembering::over(Arc::clone(&first.store));
        let app = app(before.clone());
        for number in 1..=7 {
            act(&app, "acme").await.unwrap();
            if number == 5 {
                anchor(&app).await;
            }
        }
        let store = before.restored(records, entries, Arc::clone(&second.store)).await;
        let app = beside(&app.anchors, store);
        let told = if entries > records && records > 0 {
            // Frozen, and nothing else: it is not the caller's fault.
            let error = act(&app, "acme").await.unwrap_err();
            assert!(matches!(error, Error::Unavailable(_)), "{error}");
            true
        } else {
            records != entries || records < 5
        };
        let report = repaired(&app).await.remove("acme").unwrap();
        assert_eq!(report.repairs.is_empty(), !told, "({records}, {entries}): {report:?}");
        let verdict = intact(&app, "acme").await;
        let lost = if told { (records.max(entries).max(5) - entries) as u64 } else { 0 };
        assert_eq!((verdict.missing, verdict.repairs.len()), (lost, usize::from(told)), "{verdict:?}");
        // A second repair has nothing to do.
        assert!(repaired(&app).await["acme"].repairs.is_empty());
        act(&app, "acme").await.unwrap();
        anchor(&app).await;
        let verdict = intact(&app, "acme").await;
        assert_eq!(verdict.repairs.len(), usize::from(told), "a later anchor keeps what was repaired");
        let repairs = contents(&app, "acme").await;
        assert_eq!(
            repairs.iter().filter(|entry| entry["action"] == "audit.repair").count(),
            usize::from(told)
        );
    }
}

#[tokio::test]
async fn a_log_in_a_file_goes_on_after_any_restore() {
    both_ways(async || backends::embedded().await).await;
}

#[tokio::test]
async fn a_log_in_dynamodb_goes_on_after_any_restore() {
    both_ways(async || backends::dynamo().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_postgresql_goes_on_after_any_restore() {
    both_ways(async || backends::postgres().await).await;
}

/// Restores at random moments, one after another, also with a service that wrote before anybody repaired what it found.
async fn restores_at_random(seed: u64) {
    let _seed = Seed(seed);
    let world = World::new(seed);
    let calm = world.calm();
    let chance = &world.chance;
    let tenants = ["acme", "other", "third"];
    let memory = || -> Arc<dyn Store> { Arc::new(EmbeddedStore::in_memory().unwrap()) };
    let mut store = Remembering::over(memory());
    let mut app = beside(&calm.anchors, store.clone());
    let mut told = BTreeMap::from(tenants.map(|tenant| (tenant, 0)));
    // Written to early after a later restore, a log can have an entry in a place that it had lost by the first one, and the
    // next entry does not follow it: that is refused, as whatever changes an entry is.
    let too_early = chance.below(2);
    for round in 0..3 {
        for _ in 0..4 + chance.below(12) {
            act(&app, tenants[chance.below(3) as usize]).await.unwrap();
            if chance.below(4) == 0 {
                anchor(&app).await;
            }
        }
        let moments = store.moments() as u64 + 1;
        let records = chance.below(moments) as usize;
        let entries = if chance.below(3) == 0 { records } else { chance.below(moments) as usize };
        store = store.restored(records, entries, memory()).await;
        app = beside(&calm.anchors, store.clone());
        for _ in 0..if round == 0 && too_early == 0 { chance.below(9) } else { 0 } {
            // Somebody started the service too early.
            let _ = act(&app, tenants[chance.below(3) as usize]).await;
            if chance.below(3) == 0 {
                anchor(&app).await;
            }
        }
        for tenant in tenants {
            let report = repair(&app, tenant).await.unwrap();
            assert_eq!(report.refused, None, "{tenant}");
            *told.get_mut(tenant).unwrap() += report.repairs.len();
            let verdict = intact(&app, tenant).await;
            assert_eq!(verdict.repairs.len(), told[tenant], "{tenant}: {verdict:?}");
            act(&app, tenant).await.unwrap();
        }
        anchor(&app).await;
        for tenant in tenants {
            let verdict = intact(&app, tenant).await;
            // Each entry either is proved, or the service says why it cannot be.
            for stored in app.store.audit(tenant, 1, 1_000).await.unwrap() {
                match prove(&app, tenant, stored.sequence).await {
                    Ok(body) => {
                        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
                        let proof: Proof = serde_json::from_slice(&bytes).unwrap();
                        let finding = proof.check(None);
                        assert!(finding.holds, "{tenant} {}: {:?}", stored.sequence, finding.fault);
                    }
                    Err(error) => assert!(matches!(error, Error::Conflict(_)), "{error}"),
                }
            }
            assert!(prove(&app, tenant, verdict.head.sequence).await.is_ok());
        }
    }
}

#[tokio::test]
async fn no_restore_freezes_a_log_or_fails_it_for_ever() {
    for seed in seeds(1..=40) {
        restores_at_random(seed).await;
    }
}

/// A log of eight entries, anchored at the last, and somebody who can write to the tables as they please.
async fn cut_to(kept: usize) -> (Arc<App>, Arc<Remembering>) {
    let memory = || -> Arc<dyn Store> { Arc::new(EmbeddedStore::in_memory().unwrap()) };
    let before = Remembering::over(memory());
    let app = app(before.clone());
    for _ in 0..8 {
        act(&app, "acme").await.unwrap();
    }
    anchor(&app).await;
    let cut = before.restored(8, kept, memory()).await;
    (beside(&app.anchors, cut.clone()), cut)
}

#[tokio::test]
async fn a_forged_repair_hides_no_cut() {
    let (app, store) = cut_to(5).await;
    let item = store.get(&head_key("acme")).await.unwrap().unwrap();
    let head: Head = serde_json::from_slice(&item.body).unwrap();
    let content = json!({
        "at": "2026-11-30T10:15:00Z", "actor": "service", "request": "repair-audit", "action": "audit.repair",
        "subject": "acme", "detail": { "gone_at_end": [6, 8] },
    });
    let (next, entry) = head.append("acme", content.to_string()).unwrap();
    let body = serde_json::to_vec(&next).unwrap();
    let write = Write::put(head_key("acme"), Expect::Version(item.version), body);
    store.transact(vec![write], Some(entry)).await.unwrap();
    // The service itself anchors what it finds.
    anchor(&app).await;
    act(&app, "acme").await.unwrap();
    anchor(&app).await;
    let verdict = verify(&app, "acme").await.unwrap();
    assert_eq!((verdict.intact, verdict.fault.as_deref()), (false, Some("entry 6 is missing")));
    assert_eq!(verdict.repairs, []);
}

#[tokio::test]
async fn a_repair_of_a_cut_shows_it_for_ever() {
    let (app, _) = cut_to(5).await;
    repaired(&app).await;
    for _ in 0..3 {
        act(&app, "acme").await.unwrap();
        anchor(&app).await;
    }
    let verdict = intact(&app, "acme").await;
    assert_eq!(verdict.missing, 3);
    let told: Vec<_> =
        verdict.repairs.iter().map(|repair| (repair.sequence, repair.from, repair.to)).collect();
    assert_eq!(told, [(9, 6, 8)]);
    // Nobody can cut further under cover of it.
    let proof = prove(&app, "acme", 5).await;
    assert!(matches!(proof.err(), Some(Error::Conflict(_))));
}

#[tokio::test]
async fn a_repair_covers_nothing_but_what_it_tells_of() {
    let memory = || -> Arc<dyn Store> { Arc::new(EmbeddedStore::in_memory().unwrap()) };
    let (app, store) = cut_to(5).await;
    repaired(&app).await;
    act(&app, "acme").await.unwrap();
    anchor(&app).await;
    let moments = store.moments();
    for taken in [4, 5, 9] {
        let done = store.done.lock().unwrap().clone();
        let further = Remembering::over(memory());
        for (writes, audit) in done {
            let audit = audit.filter(|entry| entry.sequence != taken);
            if !(writes.is_empty() && audit.is_none()) {
                further.transact(writes, audit).await.unwrap();
            }
        }
        assert!(further.moments() <= moments);
        let verdict = verify(&beside(&app.anchors, further), "acme").await.unwrap();
        assert!(!verdict.intact, "entry {taken} was taken out unseen");
    }
}

#[tokio::test]
async fn what_no_restore_does_is_not_repaired() {
    let memory = || -> Arc<dyn Store> { Arc::new(EmbeddedStore::in_memory().unwrap()) };
    let before = Remembering::over(memory());
    let app = app(before.clone());
    for _ in 0..5 {
        act(&app, "acme").await.unwrap();
    }
    anchor(&app).await;
    for (at, to) in [("source.create", "source.delete"), ("\"sequence\":3", "\"sequence\":7"), ("{", "[")] {
        let changed = Remembering::over(memory());
        let done = before.done.lock().unwrap().clone();
        for (writes, audit) in done {
            let audit = audit.map(|entry| match entry.sequence {
                3 => {
                    let text = String::from_utf8(entry.body).unwrap().replace(at, to);
                    AuditEntry { body: text.into_bytes(), ..entry }
                }
                _ => entry,
            });
            changed.transact(writes, audit).await.unwrap();
        }
        let app = beside(&app.anchors, changed.clone());
        let moments = changed.moments();
        let report = repair(&app, "acme").await.unwrap();
        assert!(report.refused.is_some_and(|why| why.contains("entry 3")), "{at}");
        assert_eq!(changed.moments(), moments, "something was written");
    }
}

#[tokio::test]
async fn a_tenant_that_the_restored_records_do_not_know_is_found_by_its_anchors() {
    let before = Remembering::over(backends::embedded().await.store.clone());
    let app = app(before.clone());
    act(&app, "acme").await.unwrap();
    act(&app, "other").await.unwrap();
    anchor(&app).await;
    let store = before.restored(0, 2, Arc::new(EmbeddedStore::in_memory().unwrap())).await;
    let app = beside(&app.anchors, store);
    assert_eq!(tenants(&app).await.unwrap(), ["acme", "other"]);
    repaired(&app).await;
    for tenant in ["acme", "other"] {
        act(&app, tenant).await.unwrap();
        intact(&app, tenant).await;
    }
}
