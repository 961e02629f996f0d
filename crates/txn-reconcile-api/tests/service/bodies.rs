//! Files whose clients are slow, or hear of a refusal only when they have sent everything.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::api::{Client, fresh, id, member};
use super::backends::{app, embedded};
use super::launch::Launched;

/// Sends a byte at a time; answers the status and the seconds that it took. Time is tokio's own.
async fn sent_slowly(client: &Client, source: &str, bytes: usize, pause: Duration) -> (u16, u64) {
    let whole = vec![b'\n'; bytes];
    let digest = STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &whole));
    let body = stream::unfold(0, move |sent| async move {
        if sent == bytes {
            return None;
        }
        sleep(pause).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b"\n")), sent + 1))
    });
    let request = Request::post(format!("/v1/statements?source={source}"))
        .header("authorization", format!("Bearer {}", client.token))
        .header("idempotency-key", fresh())
        .header("content-digest", format!("sha-256=:{digest}:"));
    let begun = Instant::now();
    let answer = client.send(request.body(Body::from_stream(body)).unwrap()).await;
    (answer.status, begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_slow_on_purpose_holds_no_place() {
    let client = member(&app(embedded().await.store.clone()), "acme").await;
    let source = id(&client.post("/v1/sources", json!({ "name": "bank" })).await);
    let (status, took) = sent_slowly(&client, &source, 400, Duration::from_secs(20)).await;
    assert!(status == 408 && (60..=90).contains(&took), "{status} after {took} s");
    let (status, took) = sent_slowly(&client, &source, 2, Duration::from_secs(31)).await;
    assert!(status == 408 && (30..=31).contains(&took), "{status} after {took} s");
    // One that is only slow is heard; the file says nothing.
    let (status, took) = sent_slowly(&client, &source, 2, Duration::from_secs(20)).await;
    assert!(status == 422 && took >= 40, "{status} after {took} s");
}

#[test]
fn whoever_sends_everything_first_hears_the_answer() {
    let service = Launched::new(&[], &[]);
    let body = vec![b'x'; 48 << 20];
    let digest = STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &body));
    let head = |more: &str| {
        format!(
            "POST /v1/statements?source=src_none HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\ncontent-digest: sha-256=:{digest}:\r\ncontent-length: {}\r\n{more}\r\n",
            service.token,
            fresh(),
            body.len()
        )
    };
    let answer = |mut stream: TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for _ in 0..3 {
        let mut stream = TcpStream::connect(service.address).unwrap();
        stream.write_all(head("").as_bytes()).unwrap();
        stream.write_all(&body).expect("the whole body is taken");
        assert!(answer(stream).starts_with("HTTP/1.1 404"));
    }
    // Whoever waits to be asked is not asked for what nobody needs.
    let mut stream = TcpStream::connect(service.address).unwrap();
    stream.write_all(head("expect: 100-continue\r\n").as_bytes()).unwrap();
    assert!(answer(stream).starts_with("HTTP/1.1 404"));
}
