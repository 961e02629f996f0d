//! What every request goes through: identity, limits, the card scanner, idempotency, the log and the counters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodFilter, on};
use serde_json::{Value, json};
use tracing::Instrument;

use super::super::App;
use super::super::auth::Principal;
use super::super::clock::id;
use super::super::digest::sha256;
use super::super::ledger::{Answer, Idempotency};
use super::super::log::REQUEST;
use super::super::peer::Peer;
use super::super::problem::Problem;
use super::super::records::tenant;
use super::super::store::Key;
use super::super::traces;
use super::etag::Tags;
use super::incoming::Incoming;
use super::{Call, Input, Reply, Route, Versions, openapi, routes};
use crate::pan;

/// Bytes of a body of JSON at most.
const JSON_BYTES_MAX: usize = 1 << 20;

/// How long a body that is no file may take to arrive.
const BODY_SECONDS: u64 = 30;

/// How long a request may take from its first byte to its answer, unless it brings a file, and how long what is done before
/// and after a file may take. The load balancer waits for 60 seconds.
const REQUEST_SECONDS: u64 = 45;

/// When to ask again for a run where too many wait: some will have ended.
const QUEUE_FULL_SECONDS: &str = "30";

/// The router: every route, the probes and the description.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes() {
        let filter = if route.method == Method::GET { MethodFilter::GET } else { MethodFilter::POST };
        let path = route.path;
        let route: &'static Route = Box::leak(Box::new(route));
        let handler = move |State(app): State<Arc<App>>, params: RawPathParams, request: Request| async move {
            let path = params.iter().map(|(_, value)| value.to_owned()).collect();
            answer(app, route, path, request).await
        };
        router = router.route(path, on(filter, handler));
    }
    router
        .route(contract::HEALTH_PATH, axum::routing::get(|| async { "ok\n" }))
        .route(contract::READINESS_PATH, axum::routing::get(ready))
        .route(
            "/openapi.json",
            axum::routing::get(|| async { file("application/json", openapi::document()) }),
        )
        .route("/", axum::routing::get(|| async { file("text/html; charset=utf-8", openapi::page()) }))
        .method_not_allowed_fallback(|State(app): State<Arc<App>>, request: Request| {
            unrouted(app, request, Problem::not_allowed("see /openapi.json for the methods"))
        })
        .fallback(|State(app): State<Arc<App>>, request: Request| {
            unrouted(app, request, Problem::not_found("there is no such route; see /openapi.json"))
        })
        .with_state(app)
}

fn file(media: &'static str, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(media));
    headers.insert(
        "content-security-policy",
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    );
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

/// Whether the service can take work: its stores answer, the keys of tokens were had, and it has not been told to stop.
async fn ready(State(app): State<Arc<App>>) -> Response {
    let fault = if app.stopping.load(std::sync::atomic::Ordering::Relaxed) {
        Some("stopping".to_owned())
    } else if app.auth.keys().is_some_and(|keys| !keys.known()) {
        Some("the issuer's keys have not been fetched yet".to_owned())
    } else {
        let check = async {
            app.store.ready().await.map_err(|error| error.to_string())?;
            let probe = object_store::path::Path::from("statements/probe");
            match object_store::ObjectStoreExt::head(&*app.files, &probe).await {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.to_string()),
            }
        };
        let checked = tokio::time::timeout(Duration::from_secs(4), check).await;
        checked.unwrap_or_else(|_| Err("a store does not answer in time".into())).err()
    };
    let mut response = Response::new(Body::from(if fault.is_none() { "ready\n" } else { "not ready\n" }));
    if let Some(fault) = fault {
        tracing::warn!("not ready: {fault}");
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

/// Who asks, as far as that is known.
struct Caller {
    request: String,
    peer: Option<Peer>,
    /// Actor and tenant, from when the token was found good.
    who: Option<(String, String)>,
}

async fn answer(app: Arc<App>, route: &'static Route, path: Vec<String>, request: Request) -> Response {
    let caller = Caller::of(&app, &request);
    let started = app.clock.now_ms();
    let (method, shown) = (route.method.as_str(), route.path);
    let span = traces::request(method, shown, request.headers(), &caller.request);
    let noted = span.clone();
    let scope = caller.request.clone();
    let answering = async move {
        let mut caller = caller;
        let admitted = admit(&app, route, path, request, &mut caller);
        let result = match route.input {
            // Its parts have bounds of their own.
            Input::File => admitted.await,
            Input::None | Input::Json(_) => in_time(admitted).await,
        };
        let response = caller.told(&app, method, shown, started, result);
        traces::answered(&noted, response.status().as_u16());
        response
    };
    REQUEST.scope(scope, answering).instrument(span).await
}

/// Answers what no route takes. Neither its path nor an unknown method is logged: they may say anything.
async fn unrouted(app: Arc<App>, request: Request, problem: Problem) -> Response {
    let caller = Caller::of(&app, &request);
    let started = app.clock.now_ms();
    let scope = caller.request.clone();
    REQUEST.scope(scope, async move { caller.told(&app, "(any)", "(none)", started, Err(problem)) }).await
}

impl Caller {
    fn of(app: &App, request: &Request) -> Self {
        Self { request: id("req", &*app.clock, &*app.rng), peer: peer(app, request), who: None }
    }

    /// The answer, counted and logged with whom it goes to (PCI 10.2.1, 10.2.2).
    fn told(
        &self,
        app: &App,
        method: &str,
        path: &str,
        started: u64,
        result: Result<Reply, Problem>,
    ) -> Response {
        let problem = result.as_ref().err().map(|problem| problem.code);
        let response = respond(&self.request, result);
        let status = response.status().as_u16();
        let took_ms = app.clock.now_ms().saturating_sub(started);
        app.metrics.request(status, took_ms);
        let who = self.who.as_ref();
        tracing::info!(
            method,
            path,
            status = u64::from(status),
            took_ms,
            actor = who.map(|(actor, _)| &**actor),
            tenant = who.map(|(_, tenant)| &**tenant),
            peer = self.peer.map(|peer| peer.to_string()),
            problem,
            "request answered"
        );
        response
    }
}

fn respond(request: &str, result: Result<Reply, Problem>) -> Response {
    let full = matches!(&result, Err(problem) if problem.code == "queue-full");
    let (status, media, body, etag, location) = match result {
        Ok(Reply::Json(answer)) => (
            answer.status,
            Some("application/json"),
            Body::from(answer.body.to_string()),
            answer.etag,
            answer.location,
        ),
        Ok(Reply::NotModified(etag)) => (304, None, Body::empty(), Some(etag), None),
        Ok(Reply::File { media, body }) => (200, Some(media), body, None, None),
        Err(problem) => (
            problem.status,
            Some("application/problem+json"),
            Body::from(problem.body(request).to_string()),
            None,
            None,
        ),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if let Some(media) = media {
        set("content-type", media);
    }
    set("cache-control", "no-store");
    set("x-content-type-options", "nosniff");
    set("x-request-id", request);
    if let Some(etag) = etag {
        set("etag", &etag);
    }
    if let Some(location) = location {
        set("location", &location);
    }
    match status {
        401 => set("www-authenticate", "Bearer"),
        429 if full => set("retry-after", QUEUE_FULL_SECONDS),
        429 | 503 => set("retry-after", "1"),
        _ => {}
    }
    response
}

/// Whom a request comes from: the other end of the connection, or whom the load balancer in front of it has added to
/// `X-Forwarded-For`, at the end. What stands before that the caller can make up.
fn peer(app: &App, request: &Request) -> Option<Peer> {
    let forwarded = || {
        let last = request.headers().get_all("x-forwarded-for").into_iter().next_back()?;
        last.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    let forwarded = app.balanced.then(forwarded).flatten().map(Peer::new);
    forwarded.or_else(|| request.extensions().get().copied())
}

/// The bearer token's holder. An address that sends many bad ones is not listened to for a while: each costs a look
/// into the store or a check of a signature.
async fn identify(app: &App, peer: Option<Peer>, headers: &HeaderMap) -> Result<Principal, Problem> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|text| text.split_once(' '));
    let token =
        token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let token = token.ok_or_else(|| Problem::unauthorized("send Authorization: Bearer TOKEN"))?;
    let now = app.clock.now_ms();
    if peer.is_some_and(|peer| app.bad_tokens.spent(&peer, now)) {
        app.metrics.bad_token(false);
        return Err(Problem::too_many("too many bad tokens come from this address; ask again in a second"));
    }
    let found = app.auth.check(app, token).await;
    if matches!(&found, Err(problem) if problem.status == 401) {
        app.metrics.bad_token(true);
        if let Some(peer) = peer {
            app.bad_tokens.take(peer, now);
        }
    }
    found
}

/// Refuses card data in what is sent besides the body. Headers are not searched: none is stored, logged or handed on but
/// as a hash (`Idempotency-Key`, `If-Match`, `Content-Digest`) or as an identifier of a trace, and the random text of keys
/// and traces looks like a card number now and then.
fn screen(path: &[String], query: &BTreeMap<String, String>) -> Result<(), Problem> {
    let found = |place: String| {
        Err(Problem::card_data("card data in the request").at(vec![json!({ "place": place })]))
    };
    for (number, part) in path.iter().enumerate() {
        if pan::scan(part.as_bytes()).is_some() {
            return found(format!("path, part {}", number + 1));
        }
    }
    for (number, (name, value)) in query.iter().enumerate() {
        // A cursor is signed text of the service's own.
        if pan::scan(name.as_bytes()).is_some() || (name != "cursor" && pan::scan(value.as_bytes()).is_some())
        {
            return found(format!("query, parameter {}", number + 1));
        }
    }
    Ok(())
}

/// Refuses card data in a body of JSON: as it was sent, and as it reads, since digits can be written as escapes.
fn screen_body(body: &[u8]) -> Result<(), Problem> {
    let refused = || Problem::card_data("card data in the body");
    // What is no JSON is refused by the route.
    if let Ok(value) = serde_json::from_slice(body)
        && let Some(place) = card_place(&value)
    {
        return Err(refused().at(vec![json!({ "place": format!("body, {place}") })]));
    }
    if pan::scan_lines(body).is_some() { Err(refused()) } else { Ok(()) }
}

/// Where card data stands in a value, as a JSON Pointer; an object whose keys hold some is named itself.
fn card_place(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => pan::scan(text.as_bytes()).map(|_| String::new()),
        Value::Array(items) => (0..)
            .zip(items)
            .find_map(|(at, item): (usize, _)| card_place(item).map(|place| format!("/{at}{place}"))),
        Value::Object(fields) => fields.iter().find_map(|(key, item)| {
            if pan::scan(key.as_bytes()).is_some() {
                return Some(String::new());
            }
            // A key that no route knows may be anything.
            let known = key.len() <= 40 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            let key = if known { key } else { "(key)" };
            card_place(item).map(|place| format!("/{key}{place}"))
        }),
        Value::Number(number) => pan::scan(number.to_string().as_bytes()).map(|_| String::new()),
        Value::Bool(_) | Value::Null => None,
    }
}

fn query(route: &Route, request: &Request) -> Result<BTreeMap<String, String>, Problem> {
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(request.uri());
    let pairs = pairs.map_err(|_| Problem::bad_request("the query cannot be read"))?.0;
    let count = pairs.len();
    let query: BTreeMap<String, String> = pairs.into_iter().collect();
    if query.len() != count {
        return Err(Problem::bad_request("a parameter of the query stands twice"));
    }
    if query.keys().any(|name| !route.query.iter().any(|(known, _)| known == name)) {
        let names: Vec<&str> = route.query.iter().map(|(name, _)| *name).collect();
        return Err(Problem::bad_request(format!(
            "the query has a parameter that the route does not know; it knows: {}",
            names.join(", ")
        )));
    }
    if query.values().any(|value| value.contains('\0') || value.len() > 1024) {
        return Err(Problem::bad_request("a parameter of the query is too long or holds a zero byte"));
    }
    Ok(query)
}

/// `If-Match` and `If-None-Match`, as far as the route takes them.
fn conditions(route: &Route, headers: &HeaderMap) -> Result<(Option<Tags>, Option<Tags>), Problem> {
    let read = |name| Tags::read(headers, name);
    match route.versions {
        Versions::None => Ok((None, None)),
        Versions::Shown => Ok((None, read("if-none-match")?)),
        Versions::Heeded => Ok((read("if-match")?, None)),
        Versions::Needed => {
            let tags = read("if-match")?.ok_or_else(|| {
                Problem::no_match(
                    "send If-Match with the ETag of what was read, so that nobody's change is lost",
                )
            })?;
            Ok((Some(tags), None))
        }
    }
}

/// The key of a request that changes something, and the hash of what it asks.
fn idempotency(
    who: &Principal,
    route: &Route,
    path: &[String],
    query: &BTreeMap<String, String>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Idempotency, Problem> {
    let header = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    let visible =
        |key: &&str| (1..=200).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let key = header.filter(visible).ok_or_else(|| {
        Problem::bad_request(
            "send an Idempotency-Key of 1 to 200 visible characters of ASCII, a new one for each thing to be done",
        )
    })?;
    let header =
        |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let asked =
        json!([route.method.as_str(), route.path, path, query, header("if-match"), header("content-digest")]);
    let fingerprint = sha256(&[asked.to_string().as_bytes(), b"\n", body].concat());
    let key = sha256(format!("{}\n{key}", who.actor).as_bytes());
    Ok(Idempotency {
        key: Key::new(tenant(&who.tenant), format!("idempotency#{key}")),
        fingerprint,
        stale: None,
    })
}

/// Takes a key out of the list of those being answered, whatever happens.
struct InFlight<'a>(&'a App, String);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.1);
    }
}

async fn admit(
    app: &Arc<App>,
    route: &'static Route,
    path: Vec<String>,
    request: Request,
    caller: &mut Caller,
) -> Result<Reply, Problem> {
    let who = in_time(identify(app, caller.peer, request.headers())).await?;
    caller.who = Some((who.actor.clone(), who.tenant.clone()));
    if !app.limits.take(who.tenant.clone(), app.clock.now_ms()) {
        return Err(Problem::too_many("the tenant asks too often; ask again in a second"));
    }
    if !who.scopes.contains(&route.scope) {
        let scope = format!("{:?}", route.scope).to_lowercase();
        return Err(Problem::forbidden(format!("the route needs the scope {scope}")));
    }
    let query = query(route, &request)?;
    if path.iter().any(|part| part.len() > 200 || part.contains('\0') || part.contains('~')) {
        return Err(Problem::not_found("there is no such thing"));
    }
    let (parts, body) = request.into_parts();
    screen(&path, &query)?;
    let (body, file) = match route.input {
        Input::File => {
            let file = Incoming::new(body, parts.headers.contains_key("expect"));
            (bytes::Bytes::new(), Some(Arc::new(tokio::sync::Mutex::new(file))))
        }
        Input::None | Input::Json(_) => {
            let reading = axum::body::to_bytes(body, JSON_BYTES_MAX);
            let read = tokio::time::timeout(Duration::from_secs(BODY_SECONDS), reading).await;
            let read = read.map_err(|_| Problem::timeout("the body did not arrive in time"))?;
            (
                read.map_err(|_| Problem::too_large(format!("a body has at most {JSON_BYTES_MAX} bytes")))?,
                None,
            )
        }
    };
    if matches!(route.input, Input::Json(_)) {
        let media =
            parts.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
        {
            return Err(Problem::media_type("send Content-Type: application/json"));
        }
        screen_body(&body)?;
    }
    let (if_match, if_none_match) = conditions(route, &parts.headers)?;
    let call = Call {
        id: caller.request.clone(),
        who,
        peer: caller.peer,
        path,
        query,
        headers: parts.headers,
        body,
        file: file.clone(),
        if_match,
        idempotency: None,
    };
    if route.method == Method::GET {
        let reply = (route.run)(Arc::clone(app), call).await?;
        return Ok(match (reply, if_none_match) {
            (Reply::Json(Answer { etag: Some(etag), .. }), Some(known)) if known.weakly(&etag) => {
                Reply::NotModified(etag)
            }
            (reply, _) => reply,
        });
    }
    let reply = act(app, route, call).await;
    let too_large = matches!(&reply, Err(problem) if problem.status == 413);
    if let Some(file) = file.filter(|_| !too_large) {
        file.lock().await.drain(app.upload_limit_bytes).await;
    }
    reply
}

/// Answers a request that changes something, once.
async fn act(app: &Arc<App>, route: &'static Route, mut call: Call) -> Result<Reply, Problem> {
    let mut idempotency = idempotency(&call.who, route, &call.path, &call.query, &call.headers, &call.body)?;
    let flight = idempotency.key.pk.clone() + &idempotency.key.sk;
    if !app.in_flight.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(flight.clone()) {
        return Err(Problem::conflict("a request with this Idempotency-Key is being answered"));
    }
    let _flight = InFlight(app, flight);
    if let Some(earlier) = in_time(earlier(app, &mut idempotency)).await? {
        return Ok(Reply::Json(earlier));
    }
    call.idempotency = Some(idempotency.clone());
    let result = (route.run)(Arc::clone(app), call).await;
    match result {
        // Another replica may have answered the same request in between.
        Err(problem) if matches!(problem.status, 409 | 412) => {
            match in_time(earlier(app, &mut idempotency)).await? {
                Some(earlier) => Ok(Reply::Json(earlier)),
                None => Err(problem),
            }
        }
        other => other,
    }
}

/// The answer to an earlier request with the same key, if there was one.
async fn earlier(app: &App, idempotency: &mut Idempotency) -> Result<Option<Answer>, Problem> {
    Ok(app.earlier(idempotency).await?)
}

/// Bounds the time of an answer.
async fn in_time<T>(answering: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    tokio::time::timeout(Duration::from_secs(REQUEST_SECONDS), answering).await.unwrap_or_else(|_| {
        Err(Problem::unavailable("the answer took too long; ask again with the same Idempotency-Key"))
    })
}
