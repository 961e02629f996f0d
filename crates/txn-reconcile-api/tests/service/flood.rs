//! Many bad tokens from one address: it is not listened to for a while, and nobody else notices.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tower::ServiceExt;
use txn_reconcile_api::service::api::router;

use super::api::member;
use super::backends::{app, embedded};
use super::launch::Launched;

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_load_balancer_the_address_is_the_one_that_it_adds() {
    let app = app(embedded().await.store.clone());
    let good = member(&app, "acme").await;
    let ask = async |from: &str, token: &str| -> Response<Body> {
        let request = Request::get("/v1/sources").header("x-forwarded-for", from);
        let request = request.header("authorization", format!("Bearer {token}"));
        router(app.clone()).oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    let mut limited = None;
    for number in 0..200 {
        // What stands in front is the caller's own, who would like to be somebody else each time, or the good one.
        let from = format!("10.0.0.{number}, 198.51.100.1, 203.0.113.7");
        let answer = ask(&from, "rk.key_1.guess").await;
        let expected = if number < 20 { 401..=401 } else { 401..=429 };
        assert!(expected.contains(&answer.status().as_u16()), "{number}: {}", answer.status());
        if answer.status() == 429 {
            limited = Some(answer);
        }
        assert_eq!(ask("198.51.100.1", &good.token).await.status(), 200, "{number}");
    }
    let limited = limited.expect("200 are too many");
    assert_eq!(limited.headers()["retry-after"], "1");
    assert_eq!(limited.headers()["content-type"], "application/problem+json");
    let body = axum::body::to_bytes(limited.into_body(), 9999).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["type"], "urn:txn-reconcile:problem:too-many-requests");
    // As long as it lasts, a good token from there is not looked at either.
    let answers = [ask("203.0.113.7", "rk.key_1.guess").await, ask("203.0.113.7", &good.token).await];
    assert!(answers.iter().any(|answer| answer.status() == 429));
    let metrics = app.metrics.text();
    let count = |result: &str| -> u64 {
        let name = format!("reconcile_bad_tokens_total{{result=\"{result}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap()
    };
    assert!(count("refused") >= 20 && count("limited") > 100, "{metrics}");
}

/// Asks from an address of this machine, with a header that says something else; answers the status.
async fn ask(from: IpAddr, to: SocketAddr, number: usize, token: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from, 0)).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let request = format!(
        "GET /v1/sources HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: 10.0.0.{number}\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_one_it_is_the_other_end_of_the_connection() {
    let service = Launched::new(&[], &[]);
    let [flood, good] = [[127, 0, 0, 9], [127, 0, 0, 10]].map(IpAddr::from);
    let mut limited = 0;
    for number in 0..100 {
        let status = ask(flood, service.address, number, "rk.key_1.guess").await;
        limited += usize::from(status == "429");
        assert_eq!(ask(good, service.address, number, &service.token).await, "200");
    }
    assert!(limited > 20, "{limited}");
}
