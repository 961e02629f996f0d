//! PostgreSQL: one table of records, one of audit entries.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, TimeoutType,
};
use futures_util::future::{join, join_all};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{AuditEntry, Due, Expect, Item, Key, Query, Store, StoreError, Write, check};

/// How PostgreSQL is reached.
#[derive(Clone)]
pub struct PostgresConfig {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database.
    pub name: String,
    /// The role.
    pub user: String,
    /// Its password; a token of IAM without it.
    pub password: Option<String>,
    /// The authorities that its certificate is checked against.
    pub ca_file: Option<PathBuf>,
}

/// The migrations, in order. What was released is never changed; a change is a new one at the end.
const MIGRATIONS: [&str; 2] = [
    r#"
CREATE TABLE records (
    pk text COLLATE "C" NOT NULL,
    sk text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body bytea NOT NULL,
    queue text COLLATE "C",
    due_at bigint,
    expires_at bigint,
    PRIMARY KEY (pk, sk)
);
CREATE INDEX due ON records (queue, due_at) WHERE queue IS NOT NULL;
CREATE TABLE audit (
    pk text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (pk, sequence)
);
"#,
    "CREATE INDEX expiry ON records (expires_at) WHERE expires_at IS NOT NULL;",
];

/// Connections that are kept open.
const CONNECTIONS: usize = 8;

/// Times that a transaction is tried that met another one.
const TRIES: u32 = 10;

/// How long a connection may take to be had, the token of IAM and TLS included.
const CONNECT: Duration = Duration::from_secs(8);

/// How long PostgreSQL may take over a statement, by its own clock, and how long it is waited for. A server that is frozen
/// or cut off says nothing, and TCP alone would wait for it for a quarter of an hour.
const STATEMENT_MS: u64 = 10_000;
const ANSWER: Duration = Duration::from_millis(STATEMENT_MS + 2_000);

/// PostgreSQL.
pub struct PostgresStore {
    pool: Pool<Connector>,
}

/// Makes the connections of the pool.
struct Connector {
    settings: PostgresConfig,
    tls: Option<MakeRustlsConnect>,
}

impl Manager for Connector {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> Result<Connection, StoreError> {
        let client = connect(&self.settings, self.tls.as_ref()).await?;
        let statements = Statements::prepare(&client).await.map_err(unavailable)?;
        Ok(Connection { client, statements })
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<StoreError> {
        if connection.client.is_closed() { Err(RecycleError::message("it is closed")) } else { Ok(()) }
    }
}

/// A connection, and what has been prepared on it.
struct Connection {
    client: Client,
    statements: Statements,
}

/// Every statement. The columns of a row are named: `*` would come to something else after a migration, and PostgreSQL
/// refuses a prepared statement whose result has changed.
struct Statements {
    get: Statement,
    ascending: Statement,
    descending: Statement,
    list_due: Statement,
    audit: Statement,
    insert: Statement,
    update: Statement,
    delete: Statement,
    check: Statement,
    append: Statement,
    expire: Statement,
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self, tokio_postgres::Error> {
        const ROW: &str = "SELECT pk, sk, version, body, queue, due_at, expires_at FROM records WHERE";
        let range = |order| format!("{ROW} pk = $1 AND sk >= $2 AND sk < $3 ORDER BY sk {order} LIMIT $4");
        Ok(Self {
            get: client.prepare(&format!("{ROW} pk = $1 AND sk = $2")).await?,
            ascending: client.prepare(&range("ASC")).await?,
            descending: client.prepare(&range("DESC")).await?,
            list_due: client
                .prepare(&format!("{ROW} queue = $1 AND due_at < $2 ORDER BY due_at LIMIT $3"))
                .await?,
            audit: client
                .prepare(
                    "SELECT sequence, body FROM audit WHERE pk = $1 AND sequence >= $2 \
                    ORDER BY sequence LIMIT $3",
                )
                .await?,
            insert: client
                .prepare(
                    "INSERT INTO records (pk, sk, version, body, queue, due_at, expires_at) \
                    VALUES ($1, $2, 1, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                )
                .await?,
            update: client
                .prepare(
                    "UPDATE records SET version = version + 1, body = $3, queue = $4, due_at = $5, \
                    expires_at = $6 WHERE pk = $1 AND sk = $2 AND version = $7",
                )
                .await?,
            delete: client.prepare("DELETE FROM records WHERE pk = $1 AND sk = $2 AND version = $3").await?,
            check: client
                .prepare("SELECT FROM records WHERE pk = $1 AND sk = $2 AND version = $3 FOR SHARE")
                .await?,
            // What another replica deletes at the same time is left to it.
            expire: client
                .prepare(
                    "DELETE FROM records WHERE (pk, sk) IN (SELECT pk, sk FROM records WHERE expires_at < $1 \
                    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
                )
                .await?,
            append: client
                .prepare("INSERT INTO audit (pk, sequence, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                .await?,
        })
    }
}

fn unavailable(error: impl std::error::Error) -> StoreError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    StoreError::Unavailable(text)
}

fn signed(value: u64) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::Invalid("a number is too large".into()))
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn item(row: &Row) -> Item {
    let due = row.get::<_, Option<String>>("queue").zip(row.get::<_, Option<i64>>("due_at"));
    Item {
        key: Key::new(row.get::<_, String>("pk"), row.get::<_, String>("sk")),
        version: unsigned(row.get("version")),
        body: row.get("body"),
        due: due.map(|(queue, at)| Due { queue, at: unsigned(at) }),
        expires_at: row.get::<_, Option<i64>>("expires_at").map(unsigned),
    }
}

/// TLS by the authorities of a file; none without it, which the configuration allows for this machine's own PostgreSQL.
fn tls(settings: &PostgresConfig) -> Result<Option<MakeRustlsConnect>, StoreError> {
    let invalid =
        |why: String| StoreError::Invalid(format!("{}: {why}", contract::Var::DatabaseCaFile.name()));
    let Some(path) = &settings.ca_file else { return Ok(None) };
    let mut roots = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| invalid(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| invalid(error.to_string()))?;
        roots.add(certificate).map_err(|error| invalid(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| invalid(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

/// A token of IAM, which stands in for the password for 15 minutes.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Connecting.html>
async fn token(settings: &PostgresConfig) -> Result<String, StoreError> {
    use aws_credential_types::provider::ProvideCredentials;
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let missing = |what: &str| StoreError::Unavailable(format!("{what} to make a token of IAM with"));
    let provider = config.credentials_provider().ok_or_else(|| missing("there are no credentials"))?;
    let region = config.region().ok_or_else(|| missing("no region is named (AWS_REGION)"))?;
    let credentials = provider.provide_credentials().await.map_err(unavailable)?;
    #[expect(clippy::disallowed_methods, reason = "a signature bears the time; the rule is for synthesis")]
    let now = std::time::SystemTime::now();
    signed_token(settings, credentials, region.as_ref(), now)
}

fn signed_token(
    settings: &PostgresConfig,
    credentials: Credentials,
    region: &str,
    now: std::time::SystemTime,
) -> Result<String, StoreError> {
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
    let identity = credentials.into();
    let mut signing = SigningSettings::default();
    signing.signature_location = SignatureLocation::QueryParams;
    signing.expires_in = Some(Duration::from_secs(900));
    let parameters = aws_sigv4::sign::v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("rds-db")
        .time(now)
        .settings(signing)
        .build()
        .map_err(unavailable)?;
    let url = format!("https://{}:{}/?Action=connect&DBUser={}", settings.host, settings.port, settings.user);
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(&[]))
        .map_err(unavailable)?;
    let (instructions, _) = sign(request, &parameters.into()).map_err(unavailable)?.into_parts();
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
    };
    let signed: String = instructions
        .params()
        .iter()
        .map(|(name, value)| format!("&{}={}", encode(name), encode(value)))
        .collect();
    Ok(format!("{}{signed}", url.trim_start_matches("https://")))
}

async fn connect(settings: &PostgresConfig, tls: Option<&MakeRustlsConnect>) -> Result<Client, StoreError> {
    let password = match &settings.password {
        Some(password) => password.clone(),
        None => token(settings).await?,
    };
    let mut config = tokio_postgres::Config::new();
    config
        .host(&settings.host)
        .port(settings.port)
        .dbname(&settings.name)
        .user(&settings.user)
        .password(password)
        .application_name("txn-reconcile-api")
        .connect_timeout(Duration::from_secs(5))
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(3))
        .keepalives_retries(3)
        .tcp_user_timeout(ANSWER)
        .options(format!("-c statement_timeout={STATEMENT_MS} -c idle_in_transaction_session_timeout=15000"));
    let client = match tls {
        Some(tls) => {
            config.ssl_mode(SslMode::Require);
            let (client, connection) = config.connect(tls.clone()).await.map_err(unavailable)?;
            tokio::spawn(async move { drop(connection.await) });
            client
        }
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(unavailable)?;
            tokio::spawn(async move { drop(connection.await) });
            client
        }
    };
    Ok(client)
}

/// pgAudit's part in the database, which names the objects of statements that define some: where the server has loaded the
/// library, as one of RDS has by its parameters. A server without it keeps no record of who read what.
/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.pgaudit.html>
const AUDIT_EXTENSION: &str = "DO $$ BEGIN
    IF current_setting('shared_preload_libraries') LIKE '%pgaudit%' THEN CREATE EXTENSION IF NOT EXISTS pgaudit; END IF;
END $$;";

/// Makes or updates the tables, under a lock, and lets the service's role use them. It is run as a role that may.
///
/// # Errors
/// Fails if PostgreSQL does.
pub async fn migrate(settings: &PostgresConfig) -> Result<(), StoreError> {
    let mut client = connect(settings, tls(settings)?.as_ref()).await?;
    let change = client.transaction().await.map_err(unavailable)?;
    let lock = "SELECT pg_advisory_xact_lock(7239001); \
        CREATE TABLE IF NOT EXISTS migrations (number bigint PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now())";
    change.batch_execute(lock).await.map_err(unavailable)?;
    let row = change
        .query_one("SELECT coalesce(max(number), 0) FROM migrations", &[])
        .await
        .map_err(unavailable)?;
    let made = usize::try_from(row.get::<_, i64>(0)).unwrap_or(0);
    for (number, migration) in (1i64..).zip(MIGRATIONS).skip(made) {
        change.batch_execute(migration).await.map_err(unavailable)?;
        change
            .execute("INSERT INTO migrations (number) VALUES ($1)", &[&number])
            .await
            .map_err(unavailable)?;
    }
    // The role's name is a constant of the contract, so it needs no quoting. What it may do is what the service does:
    // audit entries are added and read, and never changed.
    let role = contract::DATABASE_USER;
    let grants = format!(
        "DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN CREATE ROLE {role} LOGIN; END IF;
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN GRANT rds_iam TO {role}; END IF;
        END $$;
        GRANT SELECT, INSERT, UPDATE, DELETE ON records TO {role};
        GRANT SELECT, INSERT ON audit TO {role};"
    );
    if settings.user != role {
        change.batch_execute(&grants).await.map_err(unavailable)?;
        change.batch_execute(AUDIT_EXTENSION).await.map_err(unavailable)?;
    }
    change.commit().await.map_err(unavailable)
}

impl PostgresStore {
    /// Connects when it is needed.
    ///
    /// # Errors
    /// Fails if the certificate authorities cannot be read, or are missing where they are needed.
    pub fn connect(settings: PostgresConfig) -> Result<Self, StoreError> {
        let pool = Pool::builder(Connector { tls: tls(&settings)?, settings })
            .max_size(CONNECTIONS)
            .wait_timeout(Some(ANSWER))
            .create_timeout(Some(CONNECT))
            .runtime(Runtime::Tokio1);
        Ok(Self { pool: pool.build().map_err(|error| StoreError::Invalid(error.to_string()))? })
    }

    /// Does something with one of the connections: a free one if there is, and a new one if it was closed. One that does
    /// not answer in time is given up, and with it those that nobody uses: the next caller tries a new one.
    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let late = |what: &str| StoreError::Unavailable(format!("PostgreSQL did not {what} in time"));
        let mut connection = self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(TimeoutType::Wait) => late("become free"),
            PoolError::Timeout(_) => late("take a connection"),
            other => StoreError::Unavailable(other.to_string()),
        })?;
        let Ok(done) = timeout(ANSWER, work(&mut connection)).await else {
            drop(Object::take(connection));
            self.pool.retain(|_, _| false);
            return Err(late("answer"));
        };
        done
    }

    async fn read(
        &self,
        statement: fn(&Statements) -> &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let read = async |connection: &mut Connection| {
            let statement = statement(&connection.statements);
            connection.client.query(statement, parameters).await.map_err(unavailable)
        };
        self.with(read).await
    }

    /// Tries once; `None` means that another transaction was in the way. The writes are sent together, and their answers
    /// come in the same order.
    async fn attempt(&self, writes: &[Write], audit: Option<&AuditEntry>) -> Result<Option<()>, StoreError> {
        self.with(async |connection: &mut Connection| connection.attempt(writes, audit).await).await
    }
}

impl Connection {
    async fn attempt(
        &mut self,
        writes: &[Write],
        audit: Option<&AuditEntry>,
    ) -> Result<Option<()>, StoreError> {
        let Self { client, statements } = self;
        let begun = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start();
        let change = begun.await.map_err(unavailable)?;
        let writing = join_all(writes.iter().map(|write| apply(&change, statements, write)));
        let appending = async {
            match audit {
                Some(entry) => Some(append(&change, statements, entry).await),
                None => None,
            }
        };
        let (written, appended) = join(writing, appending).await;
        // What comes behind a failure fails for that alone, so the first one counts.
        for done in written.into_iter().chain(appended) {
            match done {
                Ok(true) => {}
                Ok(false) => return Err(StoreError::Conflict),
                Err(error) if collided(&error) => return Ok(None),
                Err(error) => return Err(unavailable(error)),
            }
        }
        change.commit().await.map_err(unavailable)?;
        Ok(Some(()))
    }
}

/// Whether the error is one of meeting another transaction.
fn collided(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_DEADLOCK_DETECTED | &SqlState::T_R_SERIALIZATION_FAILURE))
}

/// No version comes near 2^63.
fn small(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Does one write; false if its condition does not hold. Each statement takes the row's lock, so what it saw holds until
/// the commit.
async fn apply(
    change: &tokio_postgres::Transaction<'_>,
    statements: &Statements,
    write: &Write,
) -> Result<bool, tokio_postgres::Error> {
    let count = match write {
        Write::Put { key, expect, body, due, expires_at } => {
            let queue = due.as_ref().map(|due| due.queue.as_str());
            let at = due.as_ref().map(|due| small(due.at));
            let expires = expires_at.map(small);
            match expect {
                Expect::Absent => {
                    let row: [&(dyn ToSql + Sync); 6] = [&key.pk, &key.sk, body, &queue, &at, &expires];
                    change.execute(&statements.insert, &row).await?
                }
                Expect::Version(version) => {
                    let version = small(*version);
                    let row: [&(dyn ToSql + Sync); 7] =
                        [&key.pk, &key.sk, body, &queue, &at, &expires, &version];
                    change.execute(&statements.update, &row).await?
                }
            }
        }
        Write::Delete { key, version } => {
            change.execute(&statements.delete, &[&key.pk, &key.sk, &small(*version)]).await?
        }
        Write::Check { key, version } => {
            change.query(&statements.check, &[&key.pk, &key.sk, &small(*version)]).await?.len() as u64
        }
    };
    Ok(count == 1)
}

/// Appends to the audit log; false if there is such an entry.
async fn append(
    change: &tokio_postgres::Transaction<'_>,
    statements: &Statements,
    entry: &AuditEntry,
) -> Result<bool, tokio_postgres::Error> {
    let row: [&(dyn ToSql + Sync); 3] = [&entry.chain, &small(entry.sequence), &entry.body];
    Ok(change.execute(&statements.append, &row).await? == 1)
}

#[async_trait::async_trait]
impl Store for PostgresStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let rows = self.read(|known| &known.get, &[&key.pk, &key.sk]).await?;
        Ok(rows.first().map(item))
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        let statement: fn(&Statements) -> &Statement =
            if query.descending { |known| &known.descending } else { |known| &known.ascending };
        let limit = signed(query.limit as u64)?;
        // A zero byte comes only behind the last key that was read; PostgreSQL's text holds none, and the next
        // character does as well, because no key holds a control character.
        let from = query.from.replace('\0', "\u{1}");
        Ok(self.read(statement, &[&query.pk, &from, &query.to, &limit]).await?.iter().map(item).collect())
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        let asked: [&(dyn ToSql + Sync); 3] = [&queue, &signed(before)?, &signed(limit as u64)?];
        let rows = self.read(|known| &known.list_due, &asked).await?;
        Ok(rows.iter().map(item).collect())
    }

    async fn transact(&self, mut writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        check(&writes, audit.as_ref())?;
        // In one order for all, so that no two transactions wait for one another.
        writes.sort_by(|a, b| a.key().cmp(b.key()));
        for attempt in 0..TRIES {
            if self.attempt(&writes, audit.as_ref()).await?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 7 + 3)).await;
        }
        Err(StoreError::Unavailable("too many transactions on the same items".into()))
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let asked: [&(dyn ToSql + Sync); 3] = [&chain, &signed(from)?, &signed(limit as u64)?];
        let rows = self.read(|known| &known.audit, &asked).await?;
        let entry = |row: &Row| AuditEntry {
            chain: chain.to_owned(),
            sequence: unsigned(row.get("sequence")),
            body: row.get("body"),
        };
        Ok(rows.iter().map(entry).collect())
    }

    async fn expire(&self, before: u64, limit: usize) -> Result<usize, StoreError> {
        let (before, limit) = (small(before), signed(limit as u64)?);
        let delete = async |connection: &mut Connection| {
            let Connection { client, statements } = connection;
            client.execute(&statements.expire, &[&before, &limit]).await.map_err(unavailable)
        };
        Ok(usize::try_from(self.with(delete).await?).unwrap_or(usize::MAX))
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.get(&Key::new("probe", "probe")).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;

    use super::*;
    use crate::service::digest::{hex, sha256};

    #[test]
    fn the_token_is_a_signed_address_that_holds_for_a_quarter_of_an_hour() {
        let settings = PostgresConfig {
            host: "db.example".into(),
            port: 5432,
            name: "txn_reconcile".into(),
            user: "txn_reconcile".into(),
            password: None,
            ca_file: None,
        };
        let credentials = Credentials::new("AKID", "SECRET", Some("a+b/c=".into()), None, "test");
        let now = std::time::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let token = signed_token(&settings, credentials, "eu-west-1", now).unwrap();
        let (place, query) = token.split_once("/?").unwrap();
        assert_eq!(place, "db.example:5432");
        let mut parts: Vec<&str> = query.split('&').collect();
        parts.sort_unstable();
        let at = parts.iter().position(|part| part.starts_with("X-Amz-Signature=")).unwrap();
        let signature = parts.remove(at).trim_start_matches("X-Amz-Signature=");
        let expected = [
            "Action=connect",
            "DBUser=txn_reconcile",
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "X-Amz-Credential=AKID%2F20260921%2Feu-west-1%2Frds-db%2Faws4_request",
            "X-Amz-Date=20260921T141320Z",
            "X-Amz-Expires=900",
            "X-Amz-Security-Token=a%2Bb%2Fc%3D",
            "X-Amz-SignedHeaders=host",
        ];
        assert_eq!(parts, expected);

        // The signature, made by hand.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
        let request =
            format!("GET\n/\n{}\nhost:db.example:5432\n\nhost\n{}", expected.join("&"), sha256(b""));
        let text = format!(
            "AWS4-HMAC-SHA256\n20260921T141320Z\n20260921/eu-west-1/rds-db/aws4_request\n{}",
            sha256(request.as_bytes())
        );
        let sign = |key: &[u8], text: &str| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
        };
        let key = ["20260921", "eu-west-1", "rds-db", "aws4_request"]
            .into_iter()
            .fold(b"AWS4SECRET".to_vec(), |key, part| sign(&key, part));
        assert_eq!(signature, hex(&sign(&key, &text)));
    }
}
