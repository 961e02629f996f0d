//! Facts on which the infrastructure and the service must agree. This crate has no dependencies.
//!
//! The infrastructure is generated from them and the service reads its environment only through [`Var`], so neither
//! can change alone: the infrastructure matches on [`Var`] without a wildcard, and a new variable breaks its build
//! until somebody has decided where its value comes from. The tables, buckets and secrets are built from the lists
//! here, and the task role may do what [`Operation`] lists and nothing else.

mod list;
mod secret;
mod store;
mod var;

pub use secret::Secret;
pub use store::{Attribute, AttributeType, Bucket, Index, Operation, Resource, StoreKind, Table};
pub use var::{LOG_LEVELS, Sensitivity, VAR_PREFIX, Var};

/// The TCP port that the service listens on, above 1023 so that it needs no capability to bind it.
pub const PORT: u16 = 8080;

/// Answers 200 while the process is alive. Asked by the container's own health check: whatever fails it is mended by
/// another process, so it looks at nothing beyond this one.
pub const HEALTH_PATH: &str = "/healthz";

/// Answers 200 while the service can take work: its stores answer, and it has not been told to stop. Asked by the load
/// balancer, which sends requests to no task that cannot answer them.
pub const READINESS_PATH: &str = "/readyz";

/// What the paths begin with under which files are uploaded: bodies of more than the 8 KiB that the firewall in front of
/// the service looks into.
pub const UPLOAD_PATH: &str = "/v1/statements";

/// The TCP port that answers `/metrics`, in the text format of Prometheus. The load balancer does not reach it.
pub const METRICS_PORT: u16 = 9464;

/// The port that PostgreSQL listens on.
pub const DATABASE_PORT: u16 = 5432;

/// The database in PostgreSQL.
pub const DATABASE_NAME: &str = "txn_reconcile";

/// The role in PostgreSQL that the service connects as, with a token of IAM instead of a password. It owns nothing:
/// `migrate`, run as the instance's master user, makes the role and the tables and grants it what it needs.
pub const DATABASE_USER: &str = "txn_reconcile";

/// Where the image keeps the certificate authorities of RDS, against which the service checks the database.
pub const DATABASE_CA_FILE: &str = "/etc/ssl/certs/rds-global-bundle.pem";

/// Where RDS publishes them, for the partition `aws`.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>
pub const DATABASE_CA_URL: &str = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem";

/// Seconds between SIGTERM and SIGKILL, in which open requests are completed. Fargate allows at most 120.
pub const STOP_TIMEOUT_SECONDS: u32 = 60;

/// The user and group id that the container runs as: never root, and beyond the ids of the image's own users.
pub const USER_ID: u32 = 10_001;

/// The one directory that the service may write to; the root file system is read-only.
///
/// Where it is a volume rather than memory, the image must declare it with `VOLUME` and give it to [`USER_ID`]: Fargate
/// creates an undeclared one as root's, with mode 0755.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html>
pub const WRITABLE_DIRECTORY: &str = "/tmp";

/// MiB that the service may keep in [`WRITABLE_DIRECTORY`]: it writes nothing large there, since uploads go on to the file
/// store as they come.
pub const WRITABLE_MIB: u32 = 64;

/// The service's executable in the image.
pub const BINARY: &str = "/usr/local/bin/txn-reconcile-api";

/// What [`BINARY`] is told to do in a task of the service.
pub const SERVE_COMMAND: [&str; 1] = ["serve"];

/// What it is told to do in the task that makes and changes the tables of PostgreSQL.
pub const MIGRATE_COMMAND: [&str; 1] = ["migrate"];

/// What it is told to do in a task that brings the audit logs and their heads together after a restore.
pub const REPAIR_COMMAND: [&str; 1] = ["repair-audit"];

/// Asks [`HEALTH_PATH`] on the address that the service listens on, and exits with 0 if it answers 200. The binary
/// does it itself, so the image needs neither a shell nor an HTTP client.
pub const HEALTH_COMMAND: [&str; 2] = [BINARY, "healthcheck"];

/// The CloudWatch namespace of the metrics that are derived from the service's log.
pub const METRIC_NAMESPACE: &str = "TxnReconcile";

/// Days that matched entries are remembered, counted from their booking: a year, and time to close it. It takes the
/// bucket of statements to keep its objects for as long.
pub const REMEMBERED_DAYS: u16 = 400;

/// How the message of a log line begins that says that a run waits, since a store does not answer.
pub const RUN_PUT_OFF: &str = "run put off";

/// The message of the log line that says, once a minute, how many runs wait for a worker.
pub const RUNS_DUE: &str = "runs that wait for a worker";

/// Its field that says for how many seconds the first of them has waited.
pub const RUNS_DUE_SECONDS: &str = "oldest_seconds";

crate::closed_list! {
    /// A field of every log line, which is one JSON object.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum LogField {
        /// When: RFC 3339 in UTC, with microseconds.
        Timestamp,
        /// How grave: `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
        Level,
        /// What happened, as a sentence for people.
        Message,
        /// Which request it happened in; absent outside of requests.
        RequestId,
        /// Which environment the task is one of; absent on a laptop.
        Environment,
        /// Who was answered, as the audit log says it; absent where no good token came.
        Actor,
        /// Whose data that one reaches.
        Tenant,
        /// The address that the request came from; of IPv6, the network of 64 bits.
        Peer,
        /// Why a request was refused: the name of the kind of problem.
        Problem,
    }
}

impl LogField {
    /// The field's key in the JSON object.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Level => "level",
            Self::Message => "message",
            Self::RequestId => "request_id",
            Self::Environment => "environment",
            Self::Actor => "actor",
            Self::Tenant => "tenant",
            Self::Peer => "peer",
            Self::Problem => "problem",
        }
    }
}

crate::closed_list! {
    /// What is counted, and answered as `/metrics` on [`METRICS_PORT`] in the text format of Prometheus.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Metric {
        /// Requests, by the class of their `status`.
        Requests,
        /// How long requests took.
        RequestMilliseconds,
        /// Runs that ended, by their `result`.
        Runs,
        /// Runs that were put off.
        RunsPutOff,
        /// Runs that wait for a worker.
        RunsDue,
        /// How long the first of them has waited.
        RunsDueSeconds,
        /// Bad bearer tokens, by what became of them (`result`).
        BadTokens,
    }
}

impl Metric {
    /// The metric's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "reconcile_requests_total",
            Self::RequestMilliseconds => "reconcile_request_milliseconds",
            Self::Runs => "reconcile_runs_total",
            Self::RunsPutOff => "reconcile_runs_put_off_total",
            Self::RunsDue => "reconcile_runs_due",
            Self::RunsDueSeconds => "reconcile_runs_due_seconds",
            Self::BadTokens => "reconcile_bad_tokens_total",
        }
    }

    /// What it counts, for people.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Requests => "Requests that were answered, by the class of their status.",
            Self::RequestMilliseconds => "Milliseconds from a request's arrival to its answer.",
            Self::Runs => "Runs that ended, completed or failed.",
            Self::RunsPutOff => "Times that a run was put off because a store did not answer.",
            Self::RunsDue => "Runs whose turn has come and that no worker has taken up yet, of all tenants.",
            Self::RunsDueSeconds => "Seconds that the first of them has waited for a worker.",
            Self::BadTokens => {
                "Bearer tokens that were refused, and requests that were not heard because of earlier ones."
            }
        }
    }

    /// Its type, as Prometheus names it.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Requests | Self::Runs | Self::RunsPutOff | Self::BadTokens => "counter",
            Self::RunsDue | Self::RunsDueSeconds => "gauge",
            Self::RequestMilliseconds => "histogram",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_names_of_their_own_that_a_shell_can_set() {
        let mut names = Var::ALL.map(Var::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Var::ALL.len());
        for name in names {
            assert!(
                name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
                "{name}"
            );
        }
    }

    #[test]
    fn the_service_can_run_without_root() {
        const { assert!(PORT > 1023 && USER_ID > 0 && STOP_TIMEOUT_SECONDS <= 120) }
    }
}
