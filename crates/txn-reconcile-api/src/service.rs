//! The service: the engine behind HTTP, with stores.
//!
//! [`store`] keeps ordered items under conditions and nothing more; every rule of the domain stands above it, so that
//! the three databases stay small and alike. An effect, its idempotency record and its audit entry are one transaction
//! ([`ledger`]). Runs are claimed by lease ([`run`]), so any number of replicas share them.

pub mod api;
pub mod audit;
pub mod auth;
pub mod blob;
pub mod clock;
pub mod config;
pub mod digest;
pub mod error;
pub mod jwks;
pub mod ledger;
pub mod log;
pub mod peer;
pub mod problem;
pub mod records;
pub mod run;
pub mod server;
pub mod store;
pub mod traces;

use std::sync::Arc;

/// What every request and the worker share.
pub struct App {
    /// The database.
    pub store: Arc<dyn store::Store>,
    /// Statement files and match lists.
    pub files: Arc<dyn object_store::ObjectStore>,
    /// Heads of the audit log.
    pub anchors: Arc<dyn object_store::ObjectStore>,
    /// The time.
    pub clock: Arc<dyn clock::Clock>,
    /// Randomness.
    pub rng: Arc<dyn clock::Rng>,
    /// Who may call.
    pub auth: auth::Auth,
    /// Requests per second and tenant.
    pub limits: auth::RateLimit,
    /// Bad tokens per second and address.
    pub bad_tokens: auth::RateLimit<peer::Peer>,
    /// Whether a load balancer stands in front, which adds whom it answers to `X-Forwarded-For`.
    pub balanced: bool,
    /// Bytes of one upload at most.
    pub upload_limit_bytes: u64,
    /// Signs cursors and anchors.
    pub signing_key: aws_lc_rs::hmac::Key,
    /// Idempotency keys whose requests this process is answering.
    pub in_flight: std::sync::Mutex<std::collections::BTreeSet<String>>,
    /// Who appends to an audit chain next.
    pub turns: ledger::Turns,
    /// How many runs a tenant may have.
    pub runs: run::queue::Limits,
    /// Told when there is something for the workers.
    pub wake: run::worker::Wake,
    /// Set when the process has been told to stop.
    pub stopping: std::sync::atomic::AtomicBool,
    /// Counters.
    pub metrics: server::Metrics,
}
