//! Traces by OTLP over HTTP, if there is somewhere to send them: a span for each request, for each call of the store in
//! it, and for each run and its stages. A caller's `traceparent` (W3C) is taken up, and a run belongs to the trace of
//! the request that started it.
//!
//! Spans hold what routes, stores and runs are called, counts and results; what a caller sends stands in none. The card
//! scanner looks through them nevertheless before they leave. Spans wait in a queue of bounded length and are dropped
//! when it is full, so a collector that does not answer costs a line in the log now and then, and nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tokio::time::Instant;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::pan;

/// Seconds that a stop may take to send what is left.
pub const FLUSH_SECONDS: u64 = 2;

/// How long a collector may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How often a collector that does not answer is spoken of.
const COMPLAINT: Duration = Duration::from_secs(60);

/// Bytes of a collector's answer that are read.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What stands in place of a text that looks like card data.
const WITHHELD: &str = "(withheld: card data)";

/// Where traces go.
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts to send, if it is said where to. To be called inside of a runtime, which does the sending.
    ///
    /// # Errors
    /// Fails if this machine has no authorities to check certificates against.
    pub fn start(endpoint: Option<&reqwest::Url>, environment: Option<&str>) -> Result<Option<Self>, String> {
        let Some(endpoint) = endpoint else { return Ok(None) };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new()?)
            .with_endpoint(signal(endpoint))
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TIMEOUT)
            .build()
            .map_err(|error| error.to_string())?;
        let mut resource = Resource::builder()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if let Some(environment) = environment {
            resource =
                resource.with_attribute(KeyValue::new("deployment.environment.name", environment.to_owned()));
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(Screened(exporter))
            .build();
        Ok(Some(Self { provider }))
    }

    /// What turns the service's spans into those that are sent.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            // Not the log: its lines have their own place, and their texts are free.
            .with_filter(filter_fn(|meta| meta.is_span() && meta.target().starts_with("txn_reconcile_api")))
    }

    /// Sends what is left, within [`FLUSH_SECONDS`].
    pub async fn stop(self) {
        let limit = Duration::from_secs(FLUSH_SECONDS);
        let stopping = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(limit));
        if !matches!(tokio::time::timeout(limit, stopping).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the last traces were not sent");
        }
    }
}

/// Where spans go below the address of a collector.
fn signal(endpoint: &reqwest::Url) -> String {
    let base = endpoint.as_str().trim_end_matches('/');
    if base.ends_with("/v1/traces") { base.to_owned() } else { format!("{base}/v1/traces") }
}

/// The span of a request, in the trace that its caller names.
pub fn request(method: &'static str, route: &'static str, headers: &HeaderMap, id: &str) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        reconcile.request.id = id,
    );
    if !span.is_disabled() {
        // `tracestate` is text of the caller's own, which would be handed on as it came.
        let parent = HeaderExtractor(headers).get("traceparent").unwrap_or_default().to_owned();
        let parent = HashMap::from([("traceparent".to_owned(), parent)]);
        let caller = TraceContextPropagator::new().extract_with_context(&Context::new(), &parent);
        // A caller that names no trace begins one.
        let _ = span.set_parent(caller);
    }
    span
}

/// Notes how a request was answered.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        failed(span);
    }
}

/// Notes that what a span stands for failed.
pub fn failed(span: &Span) {
    span.record("otel.status_code", "ERROR");
}

/// The trace that is going on, to be taken up by [`run`]; none without traces.
#[must_use]
pub fn current() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut carrier);
    carrier.remove("traceparent")
}

/// The span of a run, in the trace of the request that started it.
pub fn run(id: &str, attempt: u32, trace: Option<&str>) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "run",
        otel.status_code = tracing::field::Empty,
        reconcile.run.id = id,
        reconcile.run.attempt = attempt,
        reconcile.run.matches = tracing::field::Empty,
        reconcile.run.breaks = tracing::field::Empty,
    );
    if let Some(trace) = trace.filter(|_| !span.is_disabled()) {
        let carrier = HashMap::from([("traceparent".to_owned(), trace.to_owned())]);
        let _ =
            span.set_parent(TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier));
    }
    span
}

/// Sends spans on the runtime's threads, for the exporter has a thread of its own that knows no runtime.
#[derive(Debug)]
struct Sender {
    runtime: tokio::runtime::Handle,
    client: reqwest::Client,
    complained: Mutex<Option<Instant>>,
}

impl Sender {
    fn new() -> Result<Self, String> {
        // The address alone says where traces go: no proxy of the environment does, and no redirect.
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(1))
            .timeout(TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Handle::current();
        Ok(Self { runtime, client, complained: Mutex::new(None) })
    }

    /// Says that traces are lost, now and then.
    fn complain(&self, why: &str) {
        let mut last = self.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|at| at.elapsed() >= COMPLAINT) {
            *last = Some(Instant::now());
            tracing::warn!("traces are lost: {why}");
        }
    }
}

async fn send(
    client: reqwest::Client,
    request: axum::http::Request<Bytes>,
) -> Result<axum::http::Response<Bytes>, reqwest::Error> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        if body.len() + part.len() > ANSWER_BYTES_MAX {
            break;
        }
        body.extend_from_slice(&part);
    }
    let mut response = axum::http::Response::new(Bytes::from(body));
    *response.status_mut() = answer.status();
    Ok(response)
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(
        &self,
        request: axum::http::Request<Bytes>,
    ) -> Result<axum::http::Response<Bytes>, HttpError> {
        let sent = self.runtime.spawn(send(self.client.clone(), request)).await?;
        match &sent {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => self.complain(&format!("the collector answers {}", answer.status().as_u16())),
            Err(error) if error.is_timeout() => self.complain("the collector does not answer in time"),
            Err(error) if error.is_connect() => self.complain("the collector cannot be reached"),
            Err(_) => self.complain("the collector breaks off"),
        }
        Ok(sent.map_err(reqwest::Error::without_url)?)
    }
}

/// Looks for card data in spans before they leave.
#[derive(Debug)]
struct Screened<E>(E);

fn screen(span: &mut SpanData) {
    let is_card = |text: &str| pan::scan(text.as_bytes()).is_some();
    if is_card(&span.name) {
        span.name = WITHHELD.into();
    }
    for attribute in &mut span.attributes {
        if let Value::String(text) = &attribute.value
            && is_card(text.as_str())
        {
            attribute.value = WITHHELD.into();
        }
    }
}

impl<E: SpanExporter> SpanExporter for Screened<E> {
    fn export(&self, mut batch: Vec<SpanData>) -> impl Future<Output = OTelSdkResult> + Send {
        batch.iter_mut().for_each(screen);
        self.0.export(batch)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Keeps what would have been sent.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Recorder {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    #[test]
    fn card_data_and_log_lines_stay_here() {
        let kept = Recorder::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(Screened(kept.clone())).build();
        let traces = Traces { provider };
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!(
                target: "txn_reconcile_api",
                "x",
                otel.name = "GET /4111111111111111",
                reference = "4111 1111 1111 1111",
                kind = "payout",
            );
            let _entered = span.enter();
            tracing::warn!(target: "txn_reconcile_api", "a line of the log");
            let _other = tracing::info_span!(target: "hyper", "a library's span").entered();
        });
        let spans = kept.0.lock().unwrap();
        let text = format!("{spans:?}");
        assert_eq!(spans.len(), 1, "{text}");
        assert!(text.contains("payout") && text.contains("withheld"), "{text}");
        assert!(!text.contains("1111") && !text.contains("a line of the log"), "{text}");
    }

    #[test]
    fn traces_go_below_the_address_that_is_named() {
        let of = |text: &str| signal(&reqwest::Url::parse(text).unwrap());
        assert_eq!(of("http://127.0.0.1:4318"), "http://127.0.0.1:4318/v1/traces");
        assert_eq!(of("https://collector.example/otlp/"), "https://collector.example/otlp/v1/traces");
        assert_eq!(of("https://collector.example/v1/traces"), "https://collector.example/v1/traces");
    }
}
