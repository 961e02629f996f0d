//! Versions of things: each is shown with its `ETag`, and no route changes one that has changed since it was read.

use std::sync::Arc;

use axum::http::Method;
use serde_json::json;
use txn_reconcile_api::service::api::{Versions, routes};
use txn_reconcile_api::service::records::Scope;
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::store::Store;

use super::api::{Answer, Client, fresh, id, member, samples};
use super::backends::{self, ADMIN, app};
use super::tokens::Things;

async fn kept(store: Arc<dyn Store>) {
    let app = app(store);
    let (owner, checker) = (member(&app, "acme").await, member(&app, "acme").await);
    let admin = Client { router: owner.router.clone(), token: ADMIN.into() };
    let wanted = samples(&owner).await;
    let run = id(&owner.post("/v1/runs", wanted.clone()).await);
    while worker::step(&app, "test").await.unwrap() {}
    let path = format!("/v1/runs/{run}/manual-matches");
    let hand = owner.post(&path, json!({ "breaks": [2, 3], "note": "x" })).await;
    let drawn = admin.post("/v1/keys", json!({ "tenant": "acme", "name": "x", "scopes": ["read"] })).await;
    assert_eq!((hand.etag.as_deref(), drawn.etag.as_deref()), (Some("\"1\""), Some("\"1\"")));
    let things = Things { wanted, run, manual: id(&hand), key: id(&drawn) };

    let (mut shown, mut changing) = (0, 0);
    for route in routes() {
        let client = if route.scope == Scope::Admin { &admin } else { &owner };
        let (name, path) = (format!("{} {}", route.method, route.path), things.path(&route));
        // A thing is shown by the route that ends with its name.
        let thing = route.method == Method::GET && route.path.ends_with('}');
        assert_eq!(route.versions == Versions::Shown, thing, "{name}");
        if thing {
            let got = client.get(&path).await;
            let etag = got.etag.unwrap_or_else(|| panic!("{name}: {}", got.text));
            let known = [etag.clone(), format!("W/{etag}"), format!("\"99\", {etag}"), "*".to_owned()];
            for known in known {
                let same = client.get_unless(&path, Some(&known)).await;
                assert_eq!((same.status, &*same.text), (304, ""), "{name} {known}");
                assert_eq!((same.etag.as_ref(), same.media), (Some(&etag), None), "{name} {known}");
            }
            assert_eq!(client.get_unless(&path, Some("\"99\"")).await.text, got.text, "{name}");
            assert_eq!(client.get_unless(&path, Some("99")).await.status, 400, "{name}");
            shown += 1;
        }
        if matches!(route.versions, Versions::Needed | Versions::Heeded) {
            let post = async |etag: Option<&str>| {
                client.post_with(&path, &fresh(), etag, &things.body(&route)).await.status
            };
            for (etag, status) in [("\"99\"", 412), ("W/\"1\"", 412), ("\"99\", \"\"", 412), ("1", 400)] {
                assert_eq!(post(Some(etag)).await, status, "{name} {etag}");
            }
            if route.versions == Versions::Needed {
                assert_eq!(post(None).await, 428, "{name}");
            }
            changing += 1;
        }
    }
    assert!(shown >= 8 && changing >= 9, "{shown} things, {changing} changes");

    // None of these has changed anything, and what names the version among others changes it.
    let path = things.path(routes().iter().find(|route| route.path.ends_with("{match}")).unwrap());
    let settle = async |what: &str, etag: &str| {
        checker.post_with(&format!("{path}/{what}"), &fresh(), Some(etag), &json!({})).await
    };
    let approved = settle("approve", "\"7\", \"1\"").await;
    assert_eq!((approved.status, approved.etag.as_deref()), (200, Some("\"2\"")), "{}", approved.text);
    assert_eq!(settle("revoke", "*").await.status, 200);

    // A run whose worker renews its lease is cancelled all the same; who names a version means it.
    let wanted = json!({ "dry_run": true });
    let mut again = things.wanted.clone();
    again.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
    let run = format!("/v1/runs/{}", id(&owner.post("/v1/runs", again).await));
    let cancel = format!("{run}/cancel");
    assert_eq!(owner.post_with(&cancel, &fresh(), Some("\"2\""), &json!({})).await.status, 412);
    let etag = owner.get(&run).await.etag;
    assert_eq!(owner.post_with(&cancel, &fresh(), etag.as_deref(), &json!({})).await.status, 200);

    // Of many who revoke a key at the same time none is refused, and it is revoked.
    let key = format!("/v1/keys/{}", things.key);
    let revoke = format!("{key}/revoke");
    let many = (0..4).map(|_| admin.post(&revoke, json!({})));
    let answers: Vec<Answer> = futures_util::future::join_all(many).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "{:?}", answers[0].text);
    assert_eq!(admin.get(&key).await.body["revoked"], true);
    let dead = Client { router: owner.router.clone(), token: drawn.body["token"].as_str().unwrap().into() };
    assert_eq!(dead.get("/v1/runs").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    kept(backends::embedded().await.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    kept(backends::dynamo().await.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let backend = backends::postgres().await;
    kept(backend.store.clone()).await;
}
