//! Requests that append to one audit chain take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::ledger::Effect;
use txn_reconcile_api::service::store::{AuditEntry, Expect, Item, Key, Query, Store, StoreError, Write};

use super::backends::{app, embedded};

/// A store that lets others go on between a read and what follows it, and counts the transactions that come to nothing.
struct Busy {
    inner: Arc<dyn Store>,
    conflicts: AtomicU64,
}

#[async_trait::async_trait]
impl Store for Busy {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let item = self.inner.get(key).await;
        tokio::task::yield_now().await;
        item
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        self.inner.query(query).await
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.inner.list_due(queue, before, limit).await
    }

    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        let done = self.inner.transact(writes, audit).await;
        self.conflicts.fetch_add(u64::from(done == Err(StoreError::Conflict)), Ordering::Relaxed);
        done
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.audit(chain, from, limit).await
    }

    async fn expire(&self, before: u64, limit: usize) -> Result<usize, StoreError> {
        self.inner.expire(before, limit).await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }
}

async fn append(app: &App, number: usize) {
    let subject = format!("thing-{number:02}");
    let effect = Effect {
        tenant: "acme",
        actor: "test",
        request: "test",
        peer: None,
        action: "thing.create",
        subject: &subject,
        detail: json!({}),
        writes: vec![Write::put(app.key("acme", "thing", &subject), Expect::Absent, b"{}".to_vec())],
        answer: None,
    };
    app.commit(effect).await.unwrap();
}

/// What the chain is about, in its order.
async fn chain(store: &dyn Store) -> Vec<String> {
    let entries = store.audit("acme", 1, 500).await.unwrap();
    let subject = |entry: &AuditEntry| {
        let entry: Value = serde_json::from_slice(&entry.body).unwrap();
        let content: Value = serde_json::from_str(entry["content"].as_str().unwrap()).unwrap();
        content["subject"].as_str().unwrap().to_owned()
    };
    entries.iter().map(subject).collect()
}

const REQUESTS: usize = 40;

#[tokio::test]
async fn requests_of_one_process_come_in_their_order_and_not_in_one_anothers_way() {
    let backend = embedded().await;
    let store = Arc::new(Busy { inner: backend.store.clone(), conflicts: AtomicU64::new(0) });
    let app = app(store.clone());
    join_all((0..REQUESTS).map(|number| append(&app, number))).await;
    let wanted: Vec<_> = (0..REQUESTS).map(|number| format!("thing-{number:02}")).collect();
    assert_eq!(chain(&*store).await, wanted);
    assert_eq!(store.conflicts.load(Ordering::Relaxed), 0);
}

/// Of two processes one request each is in the other's way, so that each entry of the one costs the other one try.
#[tokio::test]
async fn requests_of_two_processes_try_again_as_often_as_the_other_appends() {
    let backend = embedded().await;
    let store = Arc::new(Busy { inner: backend.store.clone(), conflicts: AtomicU64::new(0) });
    let apps = [app(store.clone()), app(store.clone())];
    join_all((0..REQUESTS).map(|number| append(&apps[number % 2], number))).await;
    assert_eq!(chain(&*store).await.len(), REQUESTS);
    let conflicts = store.conflicts.load(Ordering::Relaxed);
    assert!((1..=REQUESTS as u64).contains(&conflicts), "{conflicts}");
}
