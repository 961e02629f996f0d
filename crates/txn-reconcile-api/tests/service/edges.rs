//! Input at the edge of what can be kept: refused with what to do instead, on each store, and never a fault of the
//! service.

use std::sync::Arc;

use serde_json::json;
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::store::Store;

use super::api::{Answer, RULES, fresh, id, member, samples};
use super::backends::{self, app};

/// Refused as too large, with the bound.
fn too_large(answer: &Answer) {
    assert_eq!(answer.status, 413, "{}", answer.text);
    assert!(answer.text.contains("350000 bytes; send less"), "{}", answer.text);
}

async fn edges(store: Arc<dyn Store>) {
    let app = app(store);
    let client = member(&app, "acme").await;
    let mut wanted = samples(&client).await;

    // Records.
    let toml = format!("# {}\n{RULES}", "x".repeat(390_000));
    too_large(&client.post("/v1/rulesets", json!({ "toml": toml })).await);
    let mapping = json!({ "debit_words": ["x".repeat(450_000)] });
    too_large(&client.post("/v1/sources", json!({ "name": "wide", "mapping": mapping })).await);

    // Identifiers, in bodies and in queries.
    for wrong in ["a\0b".to_owned(), "x".repeat(1100), "~".repeat(3000), String::new()] {
        for place in ["/ruleset", "/follows", "/left/source", "/right/statements/0"] {
            let mut run = wanted.clone();
            run["follows"] = json!("none");
            *run.pointer_mut(place).unwrap() = json!(wrong);
            let refused = client.post("/v1/runs", run).await;
            assert_eq!(refused.status, 404, "{place} {}: {}", wrong.len(), refused.text);
        }
    }
    let long = client.upload(&"x".repeat(1020), "a.csv", "", &fresh()).await;
    assert_eq!(long.status, 404, "{}", long.text);

    // Remarks on a column with a name as long as a row.
    let column = "a".repeat(3900);
    let mapping = json!({
        "currency": "EUR",
        "columns": { "amount": column, "reference": "reference", "booking_date": "date" },
    });
    let source = client.post("/v1/sources", json!({ "name": "long", "mapping": mapping })).await;
    let file = format!("reference,date,{column}\n{}", "R1,2026-01-01,?\n".repeat(200));
    let kept = client.upload(&id(&source), "bad.csv", &file, &fresh()).await;
    assert_eq!((kept.status, &kept.body["rejected"]), (201, &json!(200)), "{}", kept.text);
    let remark = &kept.body["remarks"][99];
    assert!(remark["column"].as_str().unwrap().chars().count() <= 101, "{remark}");

    // An entry that would not fit into a break is refused where it stands, and the run takes the others.
    let file = format!(
        "reference,amount,currency,booking_date,customer\nINV-1,1.00,EUR,2026-11-02,Alpha\nINV-2,2.00,EUR,2026-11-02,{}\n",
        "x".repeat(400_000)
    );
    let ledger = wanted["left"]["source"].as_str().unwrap().to_owned();
    let kept = client.upload(&ledger, "long.csv", &file, &fresh()).await;
    assert_eq!((kept.status, &kept.body["rejected"]), (201, &json!(1)), "{}", kept.text);
    assert_eq!(kept.body["remarks"][0]["code"], "text-too-long", "{}", kept.text);
    assert_eq!(kept.body["remarks"][0]["line"], 3, "{}", kept.text);
    wanted["left"]["statements"].as_array_mut().unwrap().push(json!(id(&kept)));
    let run = format!("/v1/runs/{}", id(&client.post("/v1/runs", wanted).await));
    while worker::step(&app, "test").await.unwrap() {}
    let shown = client.get(&run).await;
    assert_eq!(shown.body["status"], "completed", "{}", shown.text);

    // Comments of the longest sort, until the break is full; it can be resolved all the same.
    let one = format!("{run}/breaks/1");
    let comment = json!({ "text": "\u{1F600}".repeat(1000) });
    let mut etag = client.get(&one).await.etag;
    let mut comments = 0;
    let full = loop {
        let said = client.post_with(&format!("{one}/comments"), &fresh(), etag.as_deref(), &comment).await;
        if said.status != 201 {
            break said;
        }
        etag = said.etag;
        comments += 1;
    };
    assert!(full.status == 409 && (45..50).contains(&comments), "{comments} {}", full.text);
    let propose = json!({ "reason": "accepted", "note": "\u{1F600}".repeat(1000) });
    let proposed = client.post_with(&format!("{one}/resolution"), &fresh(), etag.as_deref(), &propose).await;
    assert_eq!(proposed.status, 200, "{}", proposed.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    edges(backends::embedded().await.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    let backend = backends::dynamo().await;
    edges(backend.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let backend = backends::postgres().await;
    edges(backend.store.clone()).await;
}
