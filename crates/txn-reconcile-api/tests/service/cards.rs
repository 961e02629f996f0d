//! Card data is refused wherever a request can hold it, with the place and without the value.

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;

use super::api::{Client, fresh, member};
use super::backends::{self, app};

async fn refused(client: &Client, request: Builder, body: &str, place: &str) {
    let request = request
        .header("authorization", format!("bearer {}", client.token))
        .header("content-type", "application/json");
    let answer = client.send(request.body(Body::from(body.to_owned())).unwrap()).await;
    assert_eq!(
        (answer.status, answer.body["type"].as_str()),
        (422, Some("urn:txn-reconcile:problem:card-data"))
    );
    assert!(answer.text.contains(place) && !answer.text.contains("1111"), "{place}: {}", answer.text);
}

#[tokio::test]
async fn a_request_holds_no_card_data_anywhere() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let post = || Request::post("/v1/sources").header("idempotency-key", fresh());

    for (body, place) in [
        (r#"{"name":"4111111111111111"}"#, "body, /name"),
        (r#"{"name":"4111 1111-1111 1111"}"#, "body, /name"),
        // The same digits, as another program may write them.
        (r#"{"name":"411111111111\u0031\u0031\u0031\u0031"}"#, "body, /name"),
        (r#"{"name":"x","mapping":{"columns":["a","4111111111111111"]}}"#, "body, /mapping/columns/1"),
        (r#"{"name":4111111111111111}"#, "body, /name"),
        (r#"{"4111111111111111":"x"}"#, "body, "),
        (r#"{"4111111111111112 x":{"name":"4111111111111111"}}"#, "body, /(key)/name"),
        ("4111111111111111 is no JSON", "card data in the body"),
    ] {
        refused(&client, post(), body, place).await;
    }
    let good = r#"{"name":"x"}"#;
    refused(&client, post().header("x-note", "4111111111111111"), good, "header x-note").await;
    refused(&client, post().header("x-4111111111111111", "1"), good, "the name of a header").await;
    refused(&client, Request::get("/v1/sources?limit=4111111111111111"), "", "query").await;
    refused(&client, Request::get("/v1/runs/4111%31111%31111%31111"), "", "path, part 1").await;
    assert!(client.get("/v1/sources").await.body["items"].as_array().unwrap().is_empty());

    // The identifiers of traces are random.
    let traced = Request::get("/v1/sources").header("authorization", format!("Bearer {}", client.token));
    let traced = traced.header("traceparent", "00-4111111111111111a4111111111111111-00f067aa0ba902b7-01");
    let traced = traced.header("x-amzn-trace-id", "Root=1-6a0c45c6-4111111111111111abcdefab");
    assert_eq!(client.send(traced.body(Body::empty()).unwrap()).await.status, 200);
}
