//! The environment variables.

use crate::StoreKind;

/// What the names of the service's variables begin with. It refuses to start with one of such a name that it does not know.
pub const VAR_PREFIX: &str = "RECONCILE_";

/// The levels that [`Var::LogLevel`] may name.
pub const LOG_LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

crate::closed_list! {
    /// An environment variable that the service reads. It reads no others of its own; what it is built on reads some beside
    /// them: the SDKs of AWS and of S3 those that begin with `AWS_` (region, credentials, endpoints), the exporter of traces
    /// those that begin with `OTEL_` (headers, timeout, resource attributes, sampler).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Var {
        /// The environment's name.
        Environment,
        /// The address and port to listen on.
        ListenAddress,
        /// The address and port that metrics are read from.
        MetricsAddress,
        /// How long idle connections stay open.
        KeepAliveSeconds,
        /// How long a stop may take.
        StopTimeoutSeconds,
        /// What is logged.
        LogLevel,
        /// Which database keeps the records.
        Store,
        /// Where the embedded store keeps its file.
        DataDirectory,
        /// The table of records.
        RecordsTable,
        /// The table of audit entries.
        AuditTable,
        /// Where PostgreSQL is.
        DatabaseHost,
        /// The port of PostgreSQL.
        DatabasePort,
        /// The database in PostgreSQL.
        DatabaseName,
        /// Who connects to PostgreSQL.
        DatabaseUser,
        /// The password of the role in PostgreSQL.
        DatabasePassword,
        /// Whom PostgreSQL's certificate has to come from.
        DatabaseCaFile,
        /// The bucket of statement files.
        StatementsBucket,
        /// The bucket of audit anchors.
        AuditBucket,
        /// The key that makes the first API keys.
        AdminKey,
        /// What cursors and audit anchors are signed with.
        SigningKey,
        /// Who issues JSON Web Tokens.
        JwtIssuer,
        /// Whom JSON Web Tokens are for.
        JwtAudience,
        /// The claim that names the audience.
        JwtAudienceClaim,
        /// The claim that names the tenant.
        JwtTenantClaim,
        /// The claim that lists scopes.
        JwtScopeClaim,
        /// What the words of that claim mean.
        JwtScopes,
        /// The keys of the issuer, as a file.
        JwksFile,
        /// The keys of the issuer, by address.
        JwksUrl,
        /// How large a statement may be.
        UploadLimitBytes,
        /// How often a tenant may ask.
        RequestsPerSecond,
        /// How many runs of a tenant may wait.
        RunsQueued,
        /// How many runs of a tenant are made at the same time.
        RunsAtOnce,
        /// Where traces go.
        OtlpEndpoint,
    }
}

/// How a variable's value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    /// It may stand in the task definition.
    Plain,
    /// It comes from a secret when a task starts, and stands nowhere else.
    Secret,
}

impl Var {
    /// What means nothing without [`Var::JwtIssuer`]: the service does not start with one of them alone.
    pub const WITH_ISSUER: [Self; 7] = [
        Self::JwtAudience,
        Self::JwksUrl,
        Self::JwksFile,
        Self::JwtAudienceClaim,
        Self::JwtTenantClaim,
        Self::JwtScopeClaim,
        Self::JwtScopes,
    ];

    /// The variable's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environment => "RECONCILE_ENVIRONMENT",
            Self::ListenAddress => "RECONCILE_LISTEN_ADDRESS",
            Self::MetricsAddress => "RECONCILE_METRICS_ADDRESS",
            Self::KeepAliveSeconds => "RECONCILE_KEEP_ALIVE_SECONDS",
            Self::StopTimeoutSeconds => "RECONCILE_STOP_TIMEOUT_SECONDS",
            Self::LogLevel => "RECONCILE_LOG_LEVEL",
            Self::Store => "RECONCILE_STORE",
            Self::DataDirectory => "RECONCILE_DATA_DIRECTORY",
            Self::RecordsTable => "RECONCILE_RECORDS_TABLE",
            Self::AuditTable => "RECONCILE_AUDIT_TABLE",
            Self::DatabaseHost => "RECONCILE_DATABASE_HOST",
            Self::DatabasePort => "RECONCILE_DATABASE_PORT",
            Self::DatabaseName => "RECONCILE_DATABASE_NAME",
            Self::DatabaseUser => "RECONCILE_DATABASE_USER",
            Self::DatabasePassword => "RECONCILE_DATABASE_PASSWORD",
            Self::DatabaseCaFile => "RECONCILE_DATABASE_CA_FILE",
            Self::StatementsBucket => "RECONCILE_STATEMENTS_BUCKET",
            Self::AuditBucket => "RECONCILE_AUDIT_BUCKET",
            Self::AdminKey => "RECONCILE_ADMIN_KEY",
            Self::SigningKey => "RECONCILE_SIGNING_KEY",
            Self::JwtIssuer => "RECONCILE_JWT_ISSUER",
            Self::JwtAudience => "RECONCILE_JWT_AUDIENCE",
            Self::JwtAudienceClaim => "RECONCILE_JWT_AUDIENCE_CLAIM",
            Self::JwtTenantClaim => "RECONCILE_JWT_TENANT_CLAIM",
            Self::JwtScopeClaim => "RECONCILE_JWT_SCOPE_CLAIM",
            Self::JwtScopes => "RECONCILE_JWT_SCOPES",
            Self::JwksFile => "RECONCILE_JWKS_FILE",
            Self::JwksUrl => "RECONCILE_JWKS_URL",
            Self::UploadLimitBytes => "RECONCILE_UPLOAD_LIMIT_BYTES",
            Self::RequestsPerSecond => "RECONCILE_REQUESTS_PER_SECOND",
            Self::RunsQueued => "RECONCILE_RUNS_QUEUED",
            Self::RunsAtOnce => "RECONCILE_RUNS_AT_ONCE",
            Self::OtlpEndpoint => "RECONCILE_OTLP_ENDPOINT",
        }
    }

    /// What the variable is for, with its unit and its default.
    #[must_use]
    pub const fn doc(self) -> &'static str {
        match self {
            Self::Environment => "The environment's name, which stands in every log line.",
            Self::ListenAddress => {
                "The address and port to listen on. 0.0.0.0:8080; without an environment's name 127.0.0.1:8080."
            }
            Self::MetricsAddress => {
                "The address and port that answers /metrics. 0.0.0.0:9464; without an environment's name 127.0.0.1:9464."
            }
            Self::KeepAliveSeconds => {
                "Seconds that an idle connection stays open, longer than the load balancer keeps its end. 65."
            }
            Self::StopTimeoutSeconds => "Seconds between SIGTERM and SIGKILL. 60.",
            Self::LogLevel => {
                "The least grave level that is logged: error, warn, info, debug or trace. info."
            }
            Self::Store => "Which database keeps the records: embedded, dynamodb or postgres.",
            Self::DataDirectory => {
                "The folder of the embedded store and, without buckets, of the statement files. ./data."
            }
            Self::RecordsTable => {
                "The name of the DynamoDB table of records. Needed where the store is dynamodb."
            }
            Self::AuditTable => {
                "The name of the DynamoDB table of audit entries. Needed where the store is dynamodb."
            }
            Self::DatabaseHost => "The host name of PostgreSQL. Needed where the store is postgres.",
            Self::DatabasePort => "The port of PostgreSQL. 5432.",
            Self::DatabaseName => "The database in PostgreSQL. txn_reconcile.",
            Self::DatabaseUser => "The role in PostgreSQL to connect as. txn_reconcile.",
            Self::DatabasePassword => {
                "The password of that role. Without it the service connects with a token of IAM."
            }
            Self::DatabaseCaFile => {
                "The certificate authorities that PostgreSQL's certificate is checked against, as a PEM file. Needed where the store is postgres, unless the host is this machine: without it the connection is not encrypted."
            }
            Self::StatementsBucket => {
                "The S3 bucket of statement files and match lists. Needed where the store is dynamodb or postgres."
            }
            Self::AuditBucket => {
                "The S3 bucket, under Object Lock, that heads of the audit log are anchored in. Needed where the store is dynamodb or postgres."
            }
            Self::AdminKey => "The bearer token that may manage API keys, at least 32 characters.",
            Self::SigningKey => "What cursors and audit anchors are signed with, at least 32 characters.",
            Self::JwtIssuer => "The issuer of the JSON Web Tokens that are accepted. Without it none are.",
            Self::JwtAudience => "The audience that a JSON Web Token has to name. Needed with an issuer.",
            Self::JwtAudienceClaim => {
                "The claim of a JSON Web Token that names the audience. One that begins with / is a JSON Pointer (RFC 6901). aud."
            }
            Self::JwtTenantClaim => {
                "The claim of a JSON Web Token that names the tenant; a JSON Pointer if it begins with /. tenant."
            }
            Self::JwtScopeClaim => {
                "The claim of a JSON Web Token that lists what the caller may do, as a text with spaces or as a list; a JSON Pointer if it begins with /. scope."
            }
            Self::JwtScopes => {
                "What the words of that claim mean, as WORD=SCOPE with commas between them, such as reconcile/read=read; other words mean nothing. The scopes themselves: read, write, approve and audit."
            }
            Self::JwksFile => "The issuer's public keys, as a JWK Set in a file.",
            Self::JwksUrl => {
                "The issuer's public keys, as a JWK Set behind an https address, which the task has to be able to reach: the environment needs a rule for it (`network.egress`). With an issuer, this or the file is needed."
            }
            Self::UploadLimitBytes => "Bytes of one uploaded statement at most. 2147483648.",
            Self::RequestsPerSecond => {
                "Requests per second and tenant that one task answers before it says 429. 200."
            }
            Self::RunsQueued => {
                "Runs of a tenant that have not ended, at most; another one is answered with 429. 500."
            }
            Self::RunsAtOnce => {
                "Runs of a tenant that are made at the same time, at most: of those with up to 50,000 entries, and of larger ones. 2."
            }
            Self::OtlpEndpoint => {
                "The address that traces are sent to by OTLP over HTTP, below which they go to /v1/traces: https, or plain http of a collector in the same task. Another one needs a rule under `network.egress`. Without it there are none."
            }
        }
    }

    /// The least and the largest value of a variable that is a whole number.
    #[must_use]
    pub const fn bounds(self) -> Option<(u64, u64)> {
        match self {
            // A load balancer keeps its end for 4,000 seconds at most.
            Self::KeepAliveSeconds => Some((1, 4_100)),
            Self::StopTimeoutSeconds => Some((1, 3_600)),
            Self::DatabasePort => Some((1, 65_535)),
            // S3 takes 10,000 parts of an upload, and the service sends parts of 8 MiB.
            Self::UploadLimitBytes => Some((1, 10_000 << 23)),
            Self::RequestsPerSecond => Some((1, 1_000_000)),
            // They stand in one item, which holds 350 kB.
            Self::RunsQueued => Some((1, 1_500)),
            Self::RunsAtOnce => Some((1, 100)),
            Self::Environment
            | Self::ListenAddress
            | Self::MetricsAddress
            | Self::LogLevel
            | Self::Store
            | Self::DataDirectory
            | Self::RecordsTable
            | Self::AuditTable
            | Self::DatabaseHost
            | Self::DatabaseName
            | Self::DatabaseUser
            | Self::DatabasePassword
            | Self::DatabaseCaFile
            | Self::StatementsBucket
            | Self::AuditBucket
            | Self::AdminKey
            | Self::SigningKey
            | Self::JwtIssuer
            | Self::JwtAudience
            | Self::JwtAudienceClaim
            | Self::JwtTenantClaim
            | Self::JwtScopeClaim
            | Self::JwtScopes
            | Self::JwksFile
            | Self::JwksUrl
            | Self::OtlpEndpoint => None,
        }
    }

    /// Whether the platform sets it, which an environment file then may not; the others are the environment file's, or
    /// else have the service's default.
    #[must_use]
    pub const fn is_set_by_platform(self) -> bool {
        !matches!(
            self,
            Self::LogLevel
                | Self::JwtIssuer
                | Self::JwtAudience
                | Self::JwtAudienceClaim
                | Self::JwtTenantClaim
                | Self::JwtScopeClaim
                | Self::JwtScopes
                | Self::JwksFile
                | Self::JwksUrl
                | Self::UploadLimitBytes
                | Self::RequestsPerSecond
                | Self::RunsQueued
                | Self::RunsAtOnce
                | Self::OtlpEndpoint
        )
    }

    /// Whether its value may be read in the task definition.
    #[must_use]
    pub const fn sensitivity(self) -> Sensitivity {
        match self {
            Self::DatabasePassword | Self::AdminKey | Self::SigningKey => Sensitivity::Secret,
            Self::Environment
            | Self::ListenAddress
            | Self::MetricsAddress
            | Self::KeepAliveSeconds
            | Self::StopTimeoutSeconds
            | Self::LogLevel
            | Self::Store
            | Self::DataDirectory
            | Self::RecordsTable
            | Self::AuditTable
            | Self::DatabaseHost
            | Self::DatabasePort
            | Self::DatabaseName
            | Self::DatabaseUser
            | Self::DatabaseCaFile
            | Self::StatementsBucket
            | Self::AuditBucket
            | Self::JwtIssuer
            | Self::JwtAudience
            | Self::JwtAudienceClaim
            | Self::JwtTenantClaim
            | Self::JwtScopeClaim
            | Self::JwtScopes
            | Self::JwksFile
            | Self::JwksUrl
            | Self::UploadLimitBytes
            | Self::RequestsPerSecond
            | Self::RunsQueued
            | Self::RunsAtOnce
            | Self::OtlpEndpoint => Sensitivity::Plain,
        }
    }

    /// Whether the deployed service refuses to start without it where this store keeps its records; [`Var::doc`] says
    /// which others a variable needs beside it.
    #[must_use]
    pub const fn required(self, store: StoreKind) -> bool {
        match self {
            Self::Environment | Self::Store | Self::AdminKey | Self::SigningKey => true,
            Self::RecordsTable | Self::AuditTable => matches!(store, StoreKind::DynamoDb),
            Self::DatabaseHost | Self::DatabaseCaFile => matches!(store, StoreKind::Postgres),
            Self::StatementsBucket | Self::AuditBucket => {
                matches!(store, StoreKind::DynamoDb | StoreKind::Postgres)
            }
            Self::ListenAddress
            | Self::MetricsAddress
            | Self::KeepAliveSeconds
            | Self::StopTimeoutSeconds
            | Self::LogLevel
            | Self::DataDirectory
            | Self::DatabasePort
            | Self::DatabaseName
            | Self::DatabaseUser
            | Self::DatabasePassword
            | Self::JwtIssuer
            | Self::JwtAudience
            | Self::JwtAudienceClaim
            | Self::JwtTenantClaim
            | Self::JwtScopeClaim
            | Self::JwtScopes
            | Self::JwksFile
            | Self::JwksUrl
            | Self::UploadLimitBytes
            | Self::RequestsPerSecond
            | Self::RunsQueued
            | Self::RunsAtOnce
            | Self::OtlpEndpoint => false,
        }
    }
}
