//! Traces of the real binary, as a collector receives them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderMap;
use contract::Var;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

use super::launch::Launched;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";

/// What a collector was sent: the bytes, the spans, and what they say of the sender.
#[derive(Default)]
struct Sent {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    sender: Vec<KeyValue>,
}

#[derive(Clone, Default)]
struct Received(Arc<Mutex<Sent>>);

impl Received {
    fn take(&self, headers: &HeaderMap, body: &Bytes) {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
        let mut kept = self.0.lock().unwrap();
        kept.bytes.extend_from_slice(body);
        for resource in request.resource_spans {
            kept.sender = resource.resource.unwrap().attributes;
            kept.spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }

    fn named(&self, name: &str) -> Vec<Span> {
        self.0.lock().unwrap().spans.iter().filter(|span| span.name == name).cloned().collect()
    }
}

async fn collector() -> (String, Received) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let received = Received::default();
    let kept = received.clone();
    let take = move |headers: HeaderMap, body: Bytes| async move { kept.take(&headers, &body) };
    let router = axum::Router::new().route("/v1/traces", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, received)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(from: &[KeyValue], key: &str) -> Option<String> {
    let found = from.iter().find(|attribute| attribute.key == key)?;
    Some(match found.value.clone()?.value? {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_sees_requests_store_calls_and_runs() {
    let (endpoint, received) = collector().await;
    let variables = [(Var::OtlpEndpoint, endpoint)];
    let service =
        tokio::task::spawn_blocking(move || Launched::new(&["--sample-data"], &variables)).await.unwrap();
    let client = reqwest::Client::new();
    let ask = |path: &str| {
        client
            .get(format!("http://{}{path}", service.address))
            .bearer_auth(&service.token)
            .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
            .send()
    };
    assert_eq!(ask("/v1/runs?limit=7").await.unwrap().status(), 200);
    assert_eq!(ask("/v1/runs/4111111111111111").await.unwrap().status(), 422);
    for _ in 0..100 {
        if ask("/v1/runs").await.unwrap().text().await.unwrap().contains("\"completed\"") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let token = service.token.clone();
    let log = tokio::task::spawn_blocking(|| service.stop()).await.unwrap();
    assert!(!log.contains("traces"), "{log}");

    // A request, in the trace of its caller, with the store's calls below it.
    let listed = received.named("GET /v1/runs");
    assert!(listed.len() >= 2, "{}", listed.len());
    let listed = &listed[0];
    assert_eq!((hex(&listed.trace_id), hex(&listed.parent_span_id)), (TRACE.into(), CALLER.into()));
    assert_eq!(attribute(&listed.attributes, "http.response.status_code").as_deref(), Some("200"));
    assert_eq!(attribute(&listed.attributes, "http.route").as_deref(), Some("/v1/runs"));
    assert!(attribute(&listed.attributes, "reconcile.request.id").is_some());
    let query = received.named("store query");
    let below = query.iter().find(|span| span.parent_span_id == listed.span_id).unwrap();
    assert_eq!(attribute(&below.attributes, "db.system.name").as_deref(), Some("redb"));

    // A run, in the trace of the request that started it, with its stages below it.
    let (started, runs) = (received.named("POST /v1/runs"), received.named("run"));
    assert_eq!((started.len(), runs.len()), (1, 1));
    assert_eq!(runs[0].trace_id, started[0].trace_id);
    assert_eq!(attribute(&runs[0].attributes, "reconcile.run.breaks").as_deref(), Some("6"));
    for stage in ["read left", "read right", "match", "save matches", "save breaks"] {
        let spans = received.named(stage);
        assert_eq!(spans.len(), 1, "{stage}");
        assert_eq!(spans[0].parent_span_id, runs[0].span_id, "{stage}");
    }

    // Nothing of what callers send, and no call that belongs to nothing.
    let kept = received.0.lock().unwrap();
    let text = String::from_utf8_lossy(&kept.bytes);
    for secret in
        [token.as_str(), token.rsplit('.').next().unwrap(), "4111111111111111", "limit=7", "INV-2026"]
    {
        assert!(!text.contains(secret), "{secret} was sent");
    }
    assert!(
        kept.spans.iter().all(|span| span.name != "store list_due"),
        "the worker's looking for work is no trace"
    );
    assert_eq!(attribute(&kept.sender, "service.name").as_deref(), Some("txn-reconcile-api"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_costs_a_line() {
    // A port that nobody listens at, and one that takes connections and never answers.
    let closed = std::net::SocketAddr::from(([127, 0, 0, 1], test_kit::address::port()));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let variables = [
            (Var::OtlpEndpoint, format!("http://{address}")),
            (Var::StopTimeoutSeconds, "8".to_owned()),
            (Var::RequestsPerSecond, "100000".to_owned()),
        ];
        let service = tokio::task::spawn_blocking(move || Launched::new(&[], &variables)).await.unwrap();
        let client = reqwest::Client::new();
        for _ in 0..600 {
            let url = format!("http://{}/v1/runs", service.address);
            assert_eq!(client.get(url).bearer_auth(&service.token).send().await.unwrap().status(), 200);
        }
        // It ends by itself: whoever waited for the collector would be waited for here.
        let log = tokio::task::spawn_blocking(|| service.stop()).await.unwrap();
        assert!(log.matches("traces are lost").count() <= 1, "{log}");
        assert!(log.contains("traces are lost") || log.contains("the last traces were not sent"), "{log}");
    }
}
