//! The process: opens the stores, listens, works, and leaves in good order.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac;
use contract::Metric;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower::ServiceExt;

use super::App;
use super::auth::{Auth, RateLimit, Tokens};
use super::clock::{Rng, SystemClock, SystemRng};
use super::config::{Config, KeySource, StoreConfig};
use super::jwks::Keys;
use super::peer::Peer;
use super::records::{ApiKey, Scope, decode, encode};
use super::run::queue::{self, Depth};
use super::run::worker;
use super::store::embedded::EmbeddedStore;
use super::store::traced::Traced;
use super::store::{Expect, Query, Store, Write};
use super::{api, audit, auth, blob, ledger, traces};

/// Upper bounds of the latency histogram, in milliseconds.
const BUCKETS_MS: [u64; 8] = [5, 10, 25, 50, 100, 250, 1000, 5000];

/// What lies in the folder of data.
const RECORDS: &str = "records.redb";
const SIGNING_KEY: &str = "signing-key";
const FILES: &str = "files";
const ANCHORS: &str = "anchors";

/// How often heads of audit chains are anchored, in milliseconds: of a deployed service, and on a laptop, where nobody
/// pays for a look and somebody may wait for one.
const ANCHOR_MS: u64 = 300_000;
const LAPTOP_ANCHOR_MS: u64 = 5_000;

/// How often records are deleted that have expired, in milliseconds, how long ago that has to be, and how many go in one
/// transaction.
const EXPIRY_MS: u64 = 600_000;
const EXPIRED_SECONDS: u64 = 86_400;
const EXPIRED_AT_ONCE: usize = 500;

/// How often the queue of runs is looked at, in milliseconds.
const QUEUE_MS: u64 = 60_000;

/// Counters, in the text format of Prometheus.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Requests by the first digit of their status.
    requests: [AtomicU64; 6],
    buckets: [AtomicU64; BUCKETS_MS.len() + 1],
    sum_ms: AtomicU64,
    runs: [AtomicU64; 2],
    runs_put_off: AtomicU64,
    runs_due: AtomicU64,
    runs_due_seconds: AtomicU64,
    bad_tokens: [AtomicU64; 2],
}

impl Metrics {
    /// Counts a request.
    pub fn request(&self, status: u16, took_ms: u64) {
        if let Some(counter) = self.requests.get(usize::from(status / 100)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        let bucket = BUCKETS_MS.iter().position(|bound| took_ms <= *bound).unwrap_or(BUCKETS_MS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ms.fetch_add(took_ms, Ordering::Relaxed);
    }

    /// Counts a run that ended.
    pub fn run(&self, well: bool) {
        self.runs[usize::from(well)].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a run that was put off.
    pub fn run_put_off(&self) {
        self.runs_put_off.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes how many runs wait for a worker.
    pub fn runs_due(&self, depth: Depth) {
        self.runs_due.store(depth.runs, Ordering::Relaxed);
        self.runs_due_seconds.store(depth.oldest_seconds, Ordering::Relaxed);
    }

    /// Counts a bad token, or a request that was not looked at because too many came from its address.
    pub fn bad_token(&self, looked_at: bool) {
        self.bad_tokens[usize::from(looked_at)].fetch_add(1, Ordering::Relaxed);
    }

    /// Everything, as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        for metric in Metric::ALL {
            let name = metric.name();
            let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {}", metric.doc(), metric.kind());
            match metric {
                Metric::Requests => {
                    for (class, counter) in self.requests.iter().enumerate().skip(2) {
                        let count = counter.load(Ordering::Relaxed);
                        let _ = writeln!(out, "{name}{{status=\"{class}xx\"}} {count}");
                    }
                }
                Metric::RequestMilliseconds => self.histogram(name, &mut out),
                Metric::Runs => results(&mut out, name, ["failed", "completed"], &self.runs),
                Metric::RunsPutOff => single(&mut out, name, &self.runs_put_off),
                Metric::RunsDue => single(&mut out, name, &self.runs_due),
                Metric::RunsDueSeconds => single(&mut out, name, &self.runs_due_seconds),
                Metric::BadTokens => results(&mut out, name, ["limited", "refused"], &self.bad_tokens),
            }
        }
        out
    }

    fn histogram(&self, name: &str, out: &mut String) {
        let mut count = 0;
        for (index, counter) in self.buckets.iter().enumerate() {
            count += counter.load(Ordering::Relaxed);
            let bound = BUCKETS_MS.get(index).map_or_else(|| "+Inf".to_owned(), u64::to_string);
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(out, "{name}_sum {}", self.sum_ms.load(Ordering::Relaxed));
        let _ = writeln!(out, "{name}_count {count}");
    }
}

fn single(out: &mut String, name: &str, value: &AtomicU64) {
    let _ = writeln!(out, "{name} {}", value.load(Ordering::Relaxed));
}

fn results(out: &mut String, name: &str, results: [&str; 2], counters: &[AtomicU64; 2]) {
    for (result, counter) in results.into_iter().zip(counters) {
        let _ = writeln!(out, "{name}{{result=\"{result}\"}} {}", counter.load(Ordering::Relaxed));
    }
}

/// Opens everything that the configuration names.
///
/// # Errors
/// Says what cannot be opened.
pub async fn open(config: &Config) -> Result<Arc<App>, String> {
    let folder = |name: &str| blob::folder(&config.data.join(name));
    let files = match &config.statements_bucket {
        Some(bucket) => blob::bucket(bucket)?,
        None => folder(FILES)?,
    };
    let anchors = match &config.audit_bucket {
        Some(bucket) => blob::bucket(bucket)?,
        None => folder(ANCHORS)?,
    };
    let store: Arc<dyn Store> = match &config.store {
        StoreConfig::Embedded => {
            blob::private_folder(&config.data)?;
            let path = config.data.join(RECORDS);
            blob::private_file(&path)?;
            let store = EmbeddedStore::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            Arc::new(store)
        }
        StoreConfig::DynamoDb { records, audit } => {
            Arc::new(super::store::dynamo::DynamoStore::connect(records.clone(), audit.clone()).await)
        }
        StoreConfig::Postgres(settings) => Arc::new(
            super::store::postgres::PostgresStore::connect(settings.clone())
                .map_err(|error| error.to_string())?,
        ),
    };
    let store =
        if config.otlp_endpoint.is_some() { Traced::over(store, config.store.system()) } else { store };
    let tokens = match &config.jwt {
        None => None,
        Some(jwt) => {
            let keys = Arc::new(keys(&jwt.keys)?);
            Some(Tokens {
                issuer: jwt.issuer.clone(),
                audience: jwt.audience.clone(),
                keys,
                claims: jwt.claims.clone(),
            })
        }
    };
    let signing_key = match &config.signing_key {
        Some(key) => hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
        None => hmac::Key::new(hmac::HMAC_SHA256, &laptop_key(config)?),
    };
    Ok(Arc::new(App {
        store,
        files,
        anchors,
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRng),
        auth: Auth::new(config.admin_key.as_deref(), tokens),
        limits: RateLimit::new(config.requests_per_second),
        bad_tokens: RateLimit::new(auth::BAD_TOKENS_PER_SECOND),
        balanced: config.environment.is_some(),
        upload_limit_bytes: config.upload_limit_bytes,
        signing_key,
        in_flight: std::sync::Mutex::default(),
        turns: ledger::Turns::default(),
        runs: config.runs,
        wake: worker::Wake::default(),
        stopping: AtomicBool::new(false),
        metrics: Metrics::default(),
    }))
}

/// Opens what is there already, to look at it, and makes nothing.
///
/// # Errors
/// Says what is not there, or cannot be opened.
pub async fn open_existing(config: &Config) -> Result<Arc<App>, String> {
    if matches!(config.store, StoreConfig::Embedded) {
        let needed = [
            (true, RECORDS),
            (config.signing_key.is_none(), SIGNING_KEY),
            (config.statements_bucket.is_none(), FILES),
            (config.audit_bucket.is_none(), ANCHORS),
        ];
        for (_, name) in needed.into_iter().filter(|(needed, _)| *needed) {
            let path = config.data.join(name);
            if !path.exists() {
                return Err(format!("there is no such log: {} is not there", path.display()));
            }
        }
    }
    open(config).await
}

/// The issuer's keys; those behind an address are fetched when the service is served.
fn keys(source: &KeySource) -> Result<Keys, String> {
    match source {
        KeySource::File(path) => {
            let fail = |why: String| format!("{} {}: {why}", contract::Var::JwksFile.name(), path.display());
            let text = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
            Keys::fixed(&text).map_err(fail)
        }
        KeySource::Address(url) => {
            Keys::behind(url.clone()).map_err(|why| format!("{}: {why}", contract::Var::JwksUrl.name()))
        }
    }
}

/// The signing key of a laptop, drawn once and kept beside the data.
fn laptop_key(config: &Config) -> Result<Vec<u8>, String> {
    let path: PathBuf = config.data.join(SIGNING_KEY);
    blob::private_folder(&config.data)?;
    blob::private_file(&path)?;
    if let Ok(key) = std::fs::read(&path)
        && key.len() == 32
    {
        return Ok(key);
    }
    let mut key = vec![0; 32];
    SystemRng.fill(&mut key);
    std::fs::write(&path, &key).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(key)
}

/// Whom the development tokens stand for.
const DEVELOPERS: [&str; 2] = ["development", "development, second person"];

/// A token for the tenant `dev` that may do everything but manage keys, and one for a second person. Those of earlier
/// starts are revoked.
///
/// # Errors
/// Fails if the store does.
pub async fn development_tokens(app: &App) -> Result<[String; 2], String> {
    revoke_development_tokens(app).await?;
    let scopes = vec![Scope::Read, Scope::Write, Scope::Approve, Scope::Audit];
    let mut tokens = Vec::new();
    for name in DEVELOPERS {
        let (key, token) = api::draw_key(app, "dev", name, scopes.clone());
        keep_development_key(app, "key.create", &key, Expect::Absent).await?;
        tokens.push(token);
    }
    tokens.try_into().map_err(|_| "two tokens were to be drawn".to_owned())
}

async fn revoke_development_tokens(app: &App) -> Result<(), String> {
    let mut query = Query {
        pk: auth::KEYS.into(),
        from: "key#".into(),
        to: "key#~".into(),
        descending: false,
        limit: 500,
    };
    loop {
        let items = app.store.query(&query).await.map_err(|error| error.to_string())?;
        let Some(last) = items.last() else { return Ok(()) };
        query.from = format!("{}\0", last.key.sk);
        for item in &items {
            let key: ApiKey = decode(item).map_err(|error| error.to_string())?;
            if key.tenant == "dev" && DEVELOPERS.contains(&key.name.as_str()) && !key.revoked {
                let key = ApiKey { revoked: true, ..key };
                keep_development_key(app, "key.revoke", &key, Expect::Version(item.version)).await?;
            }
        }
    }
}

async fn keep_development_key(
    app: &App,
    action: &'static str,
    key: &ApiKey,
    expect: Expect,
) -> Result<(), String> {
    let body = encode(key).map_err(|error| error.to_string())?;
    let effect = ledger::Effect {
        tenant: "dev",
        actor: "serve",
        request: "start",
        peer: None,
        action,
        subject: &key.id,
        detail: serde_json::json!({ "name": key.name, "scopes": key.scopes }),
        writes: vec![Write::put(auth::key_place(&key.id), expect, body)],
        answer: None,
    };
    app.commit(effect).await.map_err(|error| error.to_string())
}

/// The addresses that are listened on.
pub struct Listeners {
    api: TcpListener,
    metrics: TcpListener,
    /// Where the API answers: the port is the real one, if any was asked for.
    pub address: SocketAddr,
}

impl Listeners {
    /// Takes both addresses.
    ///
    /// # Errors
    /// Fails if one of them cannot be listened on.
    pub async fn bind(config: &Config) -> Result<Self, String> {
        let bind = async |address: SocketAddr| {
            TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
        };
        let api = bind(config.listen).await?;
        let address = api.local_addr().map_err(|error| error.to_string())?;
        Ok(Self { api, metrics: bind(config.metrics).await?, address })
    }
}

/// Serves until SIGTERM or Ctrl-C, then completes what is open.
///
/// # Errors
/// Fails if signals cannot be waited for.
pub async fn serve(app: Arc<App>, config: &Config, listeners: Listeners) -> Result<(), String> {
    let Listeners { api: listener, metrics, address } = listeners;
    let told = |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
    let (mut terminated, mut interrupted) = (told(SignalKind::terminate())?, told(SignalKind::interrupt())?);
    if config.statements_bucket.is_none() {
        let left = blob::sweep(&config.data.join(FILES), app.clock.now_ms());
        let left = left.map_err(|error| format!("{}: {error}", config.data.display()))?;
        if left > 0 {
            tracing::info!(left, "removed what uploads had left behind that were never completed");
        }
    }
    let counted = Arc::clone(&app);
    let metrics_router = axum::Router::new()
        .route("/metrics", axum::routing::get(move || async move { counted.metrics.text() }));
    tokio::spawn(async move { axum::serve(metrics, metrics_router).await });
    let working = tokio::spawn(worker::work(Arc::clone(&app)));
    let every_ms = if config.environment.is_some() { ANCHOR_MS } else { LAPTOP_ANCHOR_MS };
    let anchoring = tokio::spawn(anchor(Arc::clone(&app), every_ms));
    let expiring = tokio::spawn(expire(Arc::clone(&app)));
    let watching = tokio::spawn(watch_queue(Arc::clone(&app)));
    if let Some(keys) = app.auth.keys().cloned() {
        tokio::spawn(async move { keys.keep_fresh().await });
    }
    tracing::info!(address = %address, "listening");
    let router = api::router(Arc::clone(&app));
    let connections = GracefulShutdown::new();
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(config.keep_alive_seconds))
        .max_headers(64)
        .keep_alive(true);
    loop {
        let (stream, from) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, say: the open connections will free some.
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
        };
        let _ = stream.set_nodelay(true);
        let peer = Peer::new(from.ip());
        let service =
            router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(peer);
                request
            });
        let service = TowerToHyperService::new(service);
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that goes away is no event.
            let _ = connection.await;
        });
    }
    app.stopping.store(true, Ordering::Relaxed);
    app.wake.all();
    drop(listener);
    tracing::info!("stopping: open requests are completed");
    // A second is kept to leave in, and what the last traces take.
    let kept = 1 + if config.otlp_endpoint.is_some() { traces::FLUSH_SECONDS } else { 0 };
    let patience = Duration::from_secs(config.stop_timeout_seconds.saturating_sub(kept).max(1));
    if tokio::time::timeout(patience, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still open when the time to stop was over");
    }
    // A run that is being made is left to its lease: another replica, or the next start, takes it over.
    working.abort();
    anchoring.abort();
    expiring.abort();
    watching.abort();
    tracing::info!("stopped");
    Ok(())
}

/// Anchors what has been added to the audit chains: what another process has left, and from then on now and then.
async fn anchor(app: Arc<App>, every_ms: u64) {
    let mut anchored = audit::Anchored::default();
    loop {
        if let Err(error) = anchored.anchor_all(&app).await {
            tracing::warn!("audit heads could not be anchored: {error}");
        }
        app.clock.sleep(every_ms).await;
    }
}

/// Deletes what has expired: a day later, so that no request meets its deletion.
async fn expire(app: Arc<App>) {
    loop {
        let before = (app.clock.now_ms() / 1000).saturating_sub(EXPIRED_SECONDS);
        match app.store.expire(before, EXPIRED_AT_ONCE).await {
            Ok(count) if count == EXPIRED_AT_ONCE => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!("what has expired could not be deleted: {error}"),
        }
        app.clock.sleep(EXPIRY_MS).await;
    }
}

/// Says again and again how many runs wait for a worker: by metrics, and by a line of the log, which leaves the task.
async fn watch_queue(app: Arc<App>) {
    loop {
        match queue::depth(&app).await {
            Ok(depth) => {
                app.metrics.runs_due(depth);
                // The field's name is that of the contract (RUNS_DUE_SECONDS), which a test holds it to.
                tracing::info!(
                    runs = depth.runs,
                    oldest_seconds = depth.oldest_seconds,
                    "{}",
                    contract::RUNS_DUE
                );
            }
            Err(error) => tracing::warn!("the queue of runs could not be looked at: {error}"),
        }
        app.clock.sleep(QUEUE_MS).await;
    }
}

/// Asks a service on this machine whether it is alive.
///
/// # Errors
/// Says what it answered, if it did.
pub async fn healthcheck(config: &Config) -> Result<(), String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ip = if config.listen.ip().is_unspecified() { [127, 0, 0, 1].into() } else { config.listen.ip() };
    let address = SocketAddr::new(ip, config.listen.port());
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        let request =
            format!("GET {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", contract::HEALTH_PATH);
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(4), ask).await;
    let answer =
        answer.map_err(|_| "no answer in 4 seconds".to_owned())?.map_err(|error| error.to_string())?;
    if answer.starts_with(b"HTTP/1.1 200 ") { Ok(()) } else { Err("the answer was not 200".to_owned()) }
}
