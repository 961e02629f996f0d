//! Anchors of the audit log: of every tenant, no more of them than needed, and of use after the key has changed.

use std::sync::Arc;
use std::time::Duration;

use contract::Bucket;
use object_store::ObjectStore;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use serde_json::json;
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::audit::{Anchored, verify};
use txn_reconcile_api::service::ledger::Effect;

use super::backends::{app, embedded};
use super::calls::{Calls, Files};

async fn act(app: &App, tenant: &str) {
    let effect = Effect {
        tenant,
        actor: "sub:somebody",
        request: "req_1",
        action: "source.create",
        subject: "src_1",
        detail: json!({}),
        writes: Vec::new(),
        answer: None,
    };
    app.commit(effect).await.unwrap();
}

/// Another service over another store, with another signing key, that looks at the same anchors.
async fn successor(anchors: &Arc<dyn ObjectStore>) -> App {
    let backend = embedded().await;
    let mut app = Arc::into_inner(app(backend.store.clone())).unwrap();
    app.anchors = Arc::clone(anchors);
    app.signing_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"the key that came after");
    app
}

#[tokio::test]
async fn a_tenant_that_has_no_key_of_its_own_is_anchored_too() {
    let app = app(embedded().await.store.clone());
    act(&app, "known-by-token-alone").await;
    Anchored::default().anchor_all(&app).await.unwrap();
    let verdict = verify(&app, "known-by-token-alone").await.unwrap();
    assert_eq!(verdict.anchored.map(|head| head.sequence), Some(1));
    assert_eq!(verdict.anchor_signed, Some(true));
}

#[tokio::test]
async fn only_chains_that_have_grown_are_anchored_again() {
    let app = app(embedded().await.store.clone());
    act(&app, "first").await;
    act(&app, "second").await;
    let mut anchored = Anchored::default();
    assert_eq!(anchored.anchor_all(&app).await.unwrap(), 2);
    assert_eq!(anchored.anchor_all(&app).await.unwrap(), 0);
    act(&app, "second").await;
    assert_eq!(anchored.anchor_all(&app).await.unwrap(), 1);
    assert_eq!(verify(&app, "second").await.unwrap().anchored.map(|head| head.sequence), Some(2));
}

/// Of each listed object a second passes, so that the time says how many were listed. It is simulated time.
#[tokio::test(start_paused = true)]
async fn the_latest_anchor_is_found_among_many_without_looking_at_all_of_them() {
    let mut app = Arc::into_inner(app(embedded().await.store.clone())).unwrap();
    let config = ThrottleConfig { wait_list_per_entry: Duration::from_secs(1), ..ThrottleConfig::default() };
    app.anchors = Arc::new(ThrottledStore::new(Files::new(Bucket::Audit, &Calls::default()), config));
    for _ in 0..300 {
        act(&app, "acme").await;
        Anchored::default().anchor_all(&app).await.unwrap();
    }
    let listed = async || {
        let begun = tokio::time::Instant::now();
        let verdict = verify(&app, "acme").await.unwrap();
        (verdict.anchored.unwrap().sequence, verdict.intact, begun.elapsed().as_secs())
    };
    assert_eq!(listed().await, (300, true, 1));
    // Nothing has been anchored for a while.
    for _ in 0..40 {
        act(&app, "acme").await;
    }
    let (sequence, intact, looked_at) = listed().await;
    assert_eq!((sequence, intact), (300, true));
    assert!(looked_at < 100, "{looked_at} anchors were listed");
}

#[tokio::test]
async fn a_changed_key_hides_no_cut_chain() {
    let before = app(embedded().await.store.clone());
    act(&before, "acme").await;
    act(&before, "acme").await;
    Anchored::default().anchor_all(&before).await.unwrap();

    let after = successor(&before.anchors).await;
    act(&after, "acme").await;
    let verdict = verify(&after, "acme").await.unwrap();
    assert_eq!(verdict.anchor_signed, Some(false));
    assert_eq!(verdict.fault.as_deref(), Some("entry 2 was anchored and is gone"));
    assert!(!verdict.intact);
}
