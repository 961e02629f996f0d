//! The API from upload to resolved break, over each store.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt;
use txn_reconcile_api::service::api::router;
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::{App, audit};

use super::backends::{self, ADMIN, app};

pub const LEDGER: &str = include_str!("../../samples/ledger.csv");
pub const BANK: &str = include_str!("../../samples/bank.sta");
pub const RULES: &str = include_str!("../../samples/rules.toml");

/// A caller.
pub struct Client {
    pub router: Router,
    pub token: String,
}

pub struct Answer {
    pub status: u16,
    pub etag: Option<String>,
    pub media: Option<String>,
    pub body: Value,
    pub text: String,
}

impl Client {
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (etag, media) = (header("etag"), header("content-type"));
        let bytes = axum::body::to_bytes(answer.into_body(), 64 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status, etag, media, body: serde_json::from_str(&text).unwrap_or_default(), text }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_unless(path, None).await
    }

    /// Gets what is not known: of other versions than these.
    pub async fn get_unless(&self, path: &str, known: Option<&str>) -> Answer {
        let mut request = Request::get(path).header("authorization", format!("Bearer {}", self.token));
        if let Some(known) = known {
            request = request.header("if-none-match", known);
        }
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub async fn post_with(&self, path: &str, key: &str, etag: Option<&str>, body: &Value) -> Answer {
        let mut request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        if let Some(etag) = etag {
            request = request.header("if-match", etag);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_with(path, &fresh(), None, &body).await
    }

    pub async fn upload(&self, source: &str, name: &str, body: &str, key: &str) -> Answer {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
        let request = Request::post(format!("/v1/statements?source={source}&name={name}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("idempotency-key", key)
            .header("content-digest", format!("sha-256=:{}:", STANDARD.encode(digest)));
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

/// A new idempotency key, without digits that could look like a card number.
pub fn fresh() -> String {
    let mut bytes = [0u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).unwrap();
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|nibble| char::from(b'a' + nibble)).collect()
}

/// A key of a tenant with all scopes, of a person of its own.
pub async fn member(app: &Arc<App>, tenant: &str) -> Client {
    member_named(app, tenant, &fresh(), &["read", "write", "approve", "audit"]).await
}

/// A key of a tenant that stands for somebody.
pub async fn member_named(app: &Arc<App>, tenant: &str, name: &str, scopes: &[&str]) -> Client {
    let router = router(Arc::clone(app));
    let admin = Client { router: router.clone(), token: ADMIN.into() };
    let made = admin.post("/v1/keys", json!({ "tenant": tenant, "name": name, "scopes": scopes })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    Client { router, token: made.body["token"].as_str().unwrap().into() }
}

pub fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap_or_else(|| panic!("{} {}", answer.status, answer.text)).to_owned()
}

/// Sends the samples; answers what to ask for a run of them.
pub async fn samples(client: &Client) -> Value {
    let left = id(&client.post("/v1/sources", json!({ "name": "ledger" })).await);
    let right = id(&client.post("/v1/sources", json!({ "name": "bank" })).await);
    let ruleset = id(&client.post("/v1/rulesets", json!({ "toml": RULES })).await);
    let ledger = id(&client.upload(&left, "ledger.csv", LEDGER, &fresh()).await);
    let bank = id(&client.upload(&right, "bank.sta", BANK, &fresh()).await);
    json!({
        "left": { "source": left, "statements": [ledger] },
        "right": { "source": right, "statements": [bank] },
        "ruleset": ruleset,
    })
}

pub async fn whole_way(app: Arc<App>) {
    let (maker, checker) = (member(&app, "acme").await, member(&app, "acme").await);
    let stranger = member(&app, "other").await;
    let wanted = samples(&maker).await;

    // Of many at once, one run gets the statements.
    let tries = (0..6).map(|_| maker.post("/v1/runs", wanted.clone()));
    let answers = futures_util::future::join_all(tries).await;
    let started: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 202).collect();
    assert_eq!(started.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| matches!(answer.status, 202 | 409)));
    let run = format!("/v1/runs/{}", id(started[0]));
    while worker::step(&app, "test").await.unwrap() {}
    let shown = maker.get(&run).await;
    assert_eq!(shown.body["status"], "completed", "{}", shown.text);
    assert_eq!(
        shown.body["summary"]["residuals"]["EUR"]["difference"],
        json!({ "minor": "50", "currency": "EUR" })
    );

    // Lists, by pages.
    let mut path = format!("{run}/breaks?limit=2");
    let mut numbers = Vec::new();
    loop {
        let page = maker.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        numbers
            .extend(page.body["items"].as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()));
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("{run}/breaks?limit=2&cursor={next}");
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(maker.get(&format!("{run}/matches")).await.body["items"].as_array().unwrap().len(), 6);
    assert_eq!(maker.get(&format!("{run}/breaks?cursor=AAAA")).await.status, 400);
    let csv = maker.get(&format!("{run}/export/breaks")).await;
    assert_eq!((csv.status, csv.text.lines().count()), (200, 7), "{}", csv.text);
    assert_eq!(maker.get(&format!("{run}/export/matches?format=ndjson")).await.text.lines().count(), 6);

    // Tenants are apart.
    for path in
        [run.clone(), format!("{run}/breaks"), format!("{run}/matches"), format!("{run}/export/breaks")]
    {
        assert_eq!(stranger.get(&path).await.status, 404, "{path}");
    }

    // Maker and checker.
    let one = format!("{run}/breaks/1");
    let etag = maker.get(&one).await.etag.unwrap();
    let propose = json!({ "reason": "accepted", "note": "known difference" });
    let path = format!("{one}/resolution");
    assert_eq!(maker.post(&path, propose.clone()).await.status, 428);
    assert_eq!(maker.post_with(&path, &fresh(), Some("\"99\""), &propose).await.status, 412);
    let key = fresh();
    let proposed = maker.post_with(&path, &key, Some(&etag), &propose).await;
    assert_eq!(proposed.status, 200, "{}", proposed.text);
    let again = maker.post_with(&path, &key, Some(&etag), &propose).await;
    assert_eq!((again.status, &again.etag), (200, &proposed.etag));
    let other = json!({ "reason": "accepted", "note": "something else" });
    assert_eq!(maker.post_with(&path, &key, Some(&etag), &other).await.status, 422);
    let path = format!("{one}/resolution/approve");
    let etag = proposed.etag.as_deref();
    assert_eq!(maker.post_with(&path, &fresh(), etag, &json!({})).await.status, 403);
    let approved = checker.post_with(&path, &fresh(), etag, &json!({})).await;
    assert_eq!((approved.status, &approved.body["state"]), (200, &json!("resolved")), "{}", approved.text);

    // By hand.
    let made = maker
        .post(&format!("{run}/manual-matches"), json!({ "breaks": [2, 3], "note": "same payment" }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(
        maker
            .post(&format!("{run}/manual-matches"), json!({ "breaks": [3, 4], "note": "twice" }))
            .await
            .status,
        409
    );
    let path = format!("{run}/manual-matches/{}", id(&made));
    let settle = async |client: &Client, what: &str, etag: Option<&str>| {
        client.post_with(&format!("{path}/{what}"), &fresh(), etag, &json!({})).await.status
    };
    let etag = made.etag.as_deref();
    assert_eq!(settle(&maker, "approve", etag).await, 403);
    assert_eq!(settle(&checker, "approve", None).await, 428);
    assert_eq!(settle(&checker, "approve", etag).await, 200);
    assert_eq!(
        maker.get(&format!("{run}/breaks?state=resolved")).await.body["items"].as_array().unwrap().len(),
        3
    );
    assert_eq!(settle(&checker, "revoke", etag).await, 412, "it was proposed when that was read");
    assert_eq!(settle(&checker, "revoke", checker.get(&path).await.etag.as_deref()).await, 200);
    assert_eq!(
        maker.get(&format!("{run}/breaks?state=open")).await.body["items"].as_array().unwrap().len(),
        5
    );

    // The log.
    audit::Anchored::default().anchor_all(&app).await.unwrap();
    let verdict = audit::verify(&app, "acme").await.unwrap();
    assert!(verdict.intact && verdict.entries >= 10 && verdict.anchored.is_some(), "{verdict:?}");
    let listed = maker.get("/v1/audit?limit=3").await.body["items"][2].clone();
    assert_eq!(maker.get("/v1/audit/3").await.body, listed);
    let proof: audit::proof::Proof =
        serde_json::from_value(maker.get("/v1/audit/3/proof").await.body).unwrap();
    assert!(proof.anchor.is_some() && proof.check(None).holds, "{proof:?}");
    for bad in
        ["0", "-1", "x", "1.0", "9999", "9223372036854775807", "9223372036854775808", "18446744073709551616"]
    {
        assert_eq!(maker.get(&format!("/v1/audit/{bad}")).await.status, 404, "{bad}");
        assert_eq!(maker.get(&format!("/v1/audit/{bad}/proof")).await.status, 404, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    whole_way(app(backends::embedded().await.store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    let backend = backends::dynamo().await;
    whole_way(app(backend.store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let backend = backends::postgres().await;
    whole_way(app(backend.store.clone())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_its_4xx() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let source = id(&client.post("/v1/sources", json!({ "name": "ledger" })).await);

    let card = "4111111111111111";
    let file = format!("reference,amount,currency,date\n{card},1.00,EUR,2026-01-01\n");
    let refused = client.upload(&source, "a.csv", &file, &fresh()).await;
    assert_eq!((refused.status, refused.text.contains(card)), (422, false), "{}", refused.text);
    assert_eq!(refused.body["places"][0]["line"], 2);
    let refused = client.upload(&source, card, "reference,amount\n", &fresh()).await;
    assert_eq!((refused.status, refused.text.contains(card)), (422, false), "{}", refused.text);
    let refused = client.post("/v1/sources", json!({ "name": card })).await;
    assert_eq!((refused.status, refused.text.contains(card)), (422, false), "{}", refused.text);
    assert_eq!(client.get(&format!("/v1/sources/{card}")).await.status, 422);
    assert!(client.get("/v1/statements").await.body["items"].as_array().unwrap().is_empty());

    assert_eq!(client.post("/v1/sources", json!({ "name": 1.5 })).await.status, 400);
    assert_eq!(client.post("/v1/sources", json!({ "name": "x", "unknown": 1 })).await.status, 400);
    assert_eq!(client.post("/v1/sources", json!({ "name": "" })).await.status, 422);
    assert_eq!(client.post("/v1/rulesets", json!({ "toml": "version = 9" })).await.status, 422);
    assert_eq!(client.get("/v1/runs?limit=0").await.status, 400);
    assert_eq!(client.get("/v1/runs?nonsense=1").await.status, 400);
    assert_eq!(client.get("/v1/runs/none").await.status, 404);
    assert_eq!(client.get("/v1/keys").await.status, 403);
    assert_eq!(client.post("/nowhere", json!({})).await.status, 404);
    let stranger = Client { router: client.router.clone(), token: "rk.key_1.x".into() };
    assert_eq!(stranger.get("/v1/runs").await.status, 401);
    let request = Request::post("/v1/sources").header("authorization", format!("Bearer {}", client.token));
    let request =
        request.header("content-type", "application/json").body(Body::from("{\"name\":\"x\"}")).unwrap();
    assert_eq!(client.send(request).await.status, 400, "no Idempotency-Key");
}
