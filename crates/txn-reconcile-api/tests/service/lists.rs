//! Lists are those of their first page: nothing is passed over or shown twice, whatever is made and changed between
//! pages.

use std::sync::Arc;

use serde_json::{Value, json};
use txn_reconcile_api::service::api::router;
use txn_reconcile_api::service::clock::Clock;
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::store::embedded::EmbeddedStore;
use txn_reconcile_api::service::store::{AuditEntry, Store};

use super::api::{Answer, Client, fresh, id, member, samples};
use super::backends::{self, ADMIN, app};

struct Still(u64);

#[async_trait::async_trait]
impl Clock for Still {
    fn now_ms(&self) -> u64 {
        self.0
    }

    async fn sleep(&self, _: u64) {}
}

/// A list, read a page at a time.
struct Pages<'a> {
    client: &'a Client,
    path: String,
    next: Option<String>,
    items: Vec<Value>,
    changed: Vec<String>,
}

impl<'a> Pages<'a> {
    /// Reads the first page, of two.
    async fn begin(client: &'a Client, path: &str) -> Self {
        let path = format!("{path}{}limit=2", if path.contains('?') { '&' } else { '?' });
        let mut pages = Self { client, path, next: None, items: Vec::new(), changed: Vec::new() };
        pages.read(&pages.path.clone()).await;
        pages
    }

    async fn read(&mut self, path: &str) {
        let page = self.client.get(path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        self.items.extend(page.body["items"].as_array().unwrap().iter().cloned());
        let changed = page.body["changed"].as_array().into_iter().flatten();
        self.changed.extend(changed.map(|name| name.as_str().unwrap().to_owned()));
        self.next = page.body["next"].as_str().map(str::to_owned);
    }

    /// Reads the others; answers a field of each item.
    async fn rest(&mut self, field: &str) -> Vec<Value> {
        while let Some(next) = self.next.take() {
            self.read(&format!("{}&cursor={next}", self.path)).await;
        }
        self.items.iter().map(|item| item[field].clone()).collect()
    }
}

fn ruleset(name: &str) -> Value {
    json!({ "toml": format!("version = 1\nname = \"{name}\"\n[[pass]]\nname = \"one\"\nexact = {{}}\n") })
}

async fn growing(store: Arc<dyn Store>) {
    // What is there was made by a clock that is an hour ahead, so that what comes later stands before it.
    let mut ahead = Arc::into_inner(app(store.clone())).unwrap();
    ahead.clock = Arc::new(Still(4_000_000_000_000));
    let ahead = member(&Arc::new(ahead), "acme").await;
    let later = app(store);
    let client = Client { router: router(later.clone()), token: ahead.token.clone() };
    let mut sources = Vec::new();
    let mut rulesets = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        sources.push(json!(id(&ahead.post("/v1/sources", json!({ "name": name })).await)));
        rulesets.push(json!(id(&ahead.post("/v1/rulesets", ruleset(name)).await)));
    }
    sources.sort_by_key(Value::to_string);
    rulesets.sort_by_key(Value::to_string);

    let mut source_pages = Pages::begin(&client, "/v1/sources").await;
    let mut ruleset_pages = Pages::begin(&client, "/v1/rulesets").await;
    let mut log = Pages::begin(&client, "/v1/audit").await;
    let admin = Client { router: router(later), token: ADMIN.into() };
    let mut keys = Pages::begin(&admin, "/v1/keys").await;
    let key = id(&admin.post("/v1/keys", json!({ "tenant": "b", "name": "b", "scopes": ["read"] })).await);
    for name in ["f", "g", "h", "i", "k"] {
        client.post("/v1/sources", json!({ "name": name })).await;
        client.post("/v1/rulesets", ruleset(name)).await;
    }
    // One that is there already is not made a second time.
    assert_eq!(client.post("/v1/rulesets", ruleset("a")).await.status, 201);
    assert_eq!(source_pages.rest("id").await, sources);
    assert_eq!(ruleset_pages.rest("id").await, rulesets);
    assert_eq!(log.rest("sequence").await, (1..=10).map(|number| json!(number)).collect::<Vec<_>>());
    assert!(!keys.rest("id").await.contains(&json!(key)));
    // A list that is begun now has all of them.
    assert_eq!(Pages::begin(&client, "/v1/sources").await.rest("id").await.len(), 10);
    assert_eq!(Pages::begin(&client, "/v1/rulesets").await.rest("id").await.len(), 10);
    assert_eq!(Pages::begin(&client, "/v1/audit").await.rest("sequence").await.len(), 21);
}

async fn changing(store: Arc<dyn Store>) {
    let app = app(store);
    let (maker, checker) = (member(&app, "acme").await, member(&app, "acme").await);
    let run = format!("/v1/runs/{}", id(&maker.post("/v1/runs", samples(&maker).await).await));
    while worker::step(&app, "test").await.unwrap() {}
    let change = async |client: &Client, what: &str, etag: u32, body: Value| -> Answer {
        let path = format!("{run}/breaks/{what}");
        let answer = client.post_with(&path, &fresh(), Some(&format!("\"{etag}\"")), &body).await;
        assert!(answer.status < 300, "{what}: {}", answer.text);
        answer
    };
    let numbers = |numbers: &[u64]| numbers.iter().map(|number| json!(number)).collect::<Vec<_>>();
    let accept = json!({ "reason": "accepted", "note": "known" });

    let mut open = Pages::begin(&maker, &format!("{run}/breaks?state=open")).await;
    let mut all = Pages::begin(&maker, &format!("{run}/breaks")).await;
    change(&maker, "1/resolution", 1, accept.clone()).await;
    change(&maker, "4/resolution", 1, accept.clone()).await;
    change(&checker, "4/resolution/approve", 2, json!({})).await;
    let hand = maker.post(&format!("{run}/manual-matches"), json!({ "breaks": [5, 6], "note": "x" })).await;
    assert_eq!(hand.status, 201, "{}", hand.text);
    assert_eq!(open.rest("number").await, numbers(&[1, 2, 3, 4, 5, 6]));
    assert_eq!(open.changed, ["4", "5", "6"]);
    assert_eq!(open.rest("state").await[2..], ["open", "resolved", "proposed", "proposed"]);
    assert_eq!((all.rest("number").await, &all.changed), (numbers(&[1, 2, 3, 4, 5, 6]), &open.changed));
    // A list that is begun now knows no more of it.
    let mut now = Pages::begin(&maker, &format!("{run}/breaks?state=open")).await;
    assert_eq!((now.rest("number").await, now.changed.is_empty()), (numbers(&[2, 3]), true));

    // What goes back is shown too: it was there when the list was begun.
    let mut proposed = Pages::begin(&maker, &format!("{run}/breaks?state=proposed")).await;
    let hand = format!("{run}/manual-matches/{}", id(&hand));
    let mut hands = Pages::begin(&maker, &format!("{run}/manual-matches")).await;
    let rejected = checker.post_with(&format!("{hand}/reject"), &fresh(), Some("\"1\""), &json!({})).await;
    assert_eq!(rejected.status, 200, "{}", rejected.text);
    assert_eq!(proposed.rest("number").await, numbers(&[1, 5, 6]));
    assert_eq!(proposed.changed, ["6"]);
    assert_eq!(hands.rest("state").await, ["proposed"], "one page is read at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    growing(backends::embedded().await.store.clone()).await;
    changing(backends::embedded().await.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    growing(backends::dynamo().await.store.clone()).await;
    changing(backends::dynamo().await.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let (first, second) = (backends::postgres().await, backends::postgres().await);
    growing(first.store.clone()).await;
    changing(second.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_begun_long_ago_is_begun_again() {
    let store = Arc::new(EmbeddedStore::in_memory().unwrap());
    let app = app(store.clone());
    let client = member(&app, "acme").await;
    for name in ["a", "b", "c"] {
        client.post("/v1/sources", json!({ "name": name })).await;
    }
    let first = client.get("/v1/sources?limit=2").await;
    let next = format!("/v1/sources?limit=2&cursor={}", first.body["next"].as_str().unwrap());
    for sequence in 4..=5600u64 {
        let content = json!({ "action": "other", "subject": "x", "detail": {} }).to_string();
        let entry = json!({ "sequence": sequence, "content": content, "previous": "", "hash": "" });
        let body = entry.to_string().into_bytes();
        store.transact(Vec::new(), Some(AuditEntry { chain: "acme".into(), sequence, body })).await.unwrap();
    }
    let refused = client.get(&next).await;
    assert_eq!((refused.status, refused.text.contains("begin it again")), (409, true), "{}", refused.text);
}
