//! The environment, read through [`contract::Var`] alone.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use contract::{StoreKind, Var};
use tracing_subscriber::filter::LevelFilter;

use super::auth::ClaimNames;
use super::run::queue::Limits;
pub use super::store::postgres::PostgresConfig;

/// How the service is set up.
#[derive(Clone)]
pub struct Config {
    /// The environment's name, if it is deployed.
    pub environment: Option<String>,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where metrics are read.
    pub metrics: SocketAddr,
    /// Seconds that an idle connection stays open.
    pub keep_alive_seconds: u64,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout_seconds: u64,
    /// The least grave level that is logged.
    pub log_level: LevelFilter,
    /// The database.
    pub store: StoreConfig,
    /// The bucket of statement files; a folder without it.
    pub statements_bucket: Option<String>,
    /// The bucket of anchors; a folder without it.
    pub audit_bucket: Option<String>,
    /// The folder of the embedded store and the files.
    pub data: PathBuf,
    /// The admin's bearer token.
    pub admin_key: Option<String>,
    /// What cursors and anchors are signed with.
    pub signing_key: Option<String>,
    /// Issuer, audience and keys.
    pub jwt: Option<JwtConfig>,
    /// Bytes of one upload at most.
    pub upload_limit_bytes: u64,
    /// Requests per second and tenant.
    pub requests_per_second: u32,
    /// How many runs a tenant may have.
    pub runs: Limits,
    /// Where traces go.
    pub otlp_endpoint: Option<reqwest::Url>,
}

/// The database.
#[derive(Clone)]
pub enum StoreConfig {
    /// One file.
    Embedded,
    /// DynamoDB.
    DynamoDb {
        /// The table of records.
        records: String,
        /// The table of audit entries.
        audit: String,
    },
    /// PostgreSQL.
    Postgres(PostgresConfig),
}

impl StoreConfig {
    /// What it is called in traces: <https://opentelemetry.io/docs/specs/semconv/database/>.
    #[must_use]
    pub fn system(&self) -> &'static str {
        match self {
            Self::Embedded => "redb",
            Self::DynamoDb { .. } => "aws.dynamodb",
            Self::Postgres(_) => "postgresql",
        }
    }
}

/// Whose JSON Web Tokens are taken.
#[derive(Clone)]
pub struct JwtConfig {
    /// The issuer.
    pub issuer: String,
    /// Whom the tokens have to be for.
    pub audience: String,
    /// The issuer's keys.
    pub keys: KeySource,
    /// Which claims say who calls.
    pub claims: ClaimNames,
}

/// Where an issuer's keys are.
#[derive(Clone)]
pub enum KeySource {
    /// In a file.
    File(PathBuf),
    /// Behind an address.
    Address(reqwest::Url),
}

/// A variable that is missing or wrong. It never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Which one.
    pub var: Var,
    /// What is wrong with it.
    pub message: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.var.name(), self.message, self.var.doc())
    }
}

impl std::error::Error for ConfigError {}

fn wrong(var: Var, message: &str) -> ConfigError {
    ConfigError { var, message: message.to_owned() }
}

struct Environment<'a>(&'a dyn Fn(Var) -> Option<String>);

impl Environment<'_> {
    fn text(&self, var: Var) -> Option<String> {
        (self.0)(var).filter(|value| !value.is_empty())
    }

    fn parsed<T: std::str::FromStr>(&self, var: Var, default: T) -> Result<T, ConfigError> {
        self.text(var).map_or(Ok(default), |text| text.parse().map_err(|_| wrong(var, "is not of its form")))
    }

    /// A whole number within the bounds that the contract has for it.
    fn number<T: TryFrom<u64>>(&self, var: Var, default: T) -> Result<T, ConfigError> {
        let Some(text) = self.text(var) else { return Ok(default) };
        let (least, most) = var.bounds().unwrap_or((0, u64::MAX));
        let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let message = format!("is not a whole number from {least} to {most}");
            ConfigError { var, message }
        })
    }

    fn needed(&self, var: Var) -> Result<String, ConfigError> {
        self.text(var).ok_or_else(|| wrong(var, "is not set"))
    }

    fn secret(&self, var: Var, deployed: bool) -> Result<Option<String>, ConfigError> {
        match self.text(var) {
            Some(text) if text.len() < 32 => Err(wrong(var, "is shorter than 32 characters")),
            None if deployed => Err(wrong(var, "is not set")),
            other => Ok(other),
        }
    }
}

impl Config {
    /// Reads the process's own environment.
    ///
    /// # Errors
    /// Names the variable that is missing, wrong or unknown.
    pub fn from_env() -> Result<Self, ConfigError> {
        known(std::env::vars_os())?;
        Self::read(&|var| std::env::var(var.name()).ok())
    }

    /// Reads an environment. A deployed service, which has a name for its environment, has to be told everything that
    /// a laptop may leave out.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn read(get: &dyn Fn(Var) -> Option<String>) -> Result<Self, ConfigError> {
        let env = Environment(get);
        let environment = env.text(Var::Environment);
        let deployed = environment.is_some();
        let kind = match env.text(Var::Store) {
            Some(name) => StoreKind::ALL
                .into_iter()
                .find(|kind| kind.name() == name)
                .ok_or_else(|| wrong(Var::Store, "names no store"))?,
            None if deployed => return Err(wrong(Var::Store, "is not set")),
            None => StoreKind::Embedded,
        };
        if !deployed && kind != StoreKind::Embedded {
            return Err(wrong(Var::Environment, "is not set, and only the embedded store does without it"));
        }
        let store = match kind {
            StoreKind::Embedded => StoreConfig::Embedded,
            StoreKind::DynamoDb => StoreConfig::DynamoDb {
                records: env.needed(Var::RecordsTable)?,
                audit: env.needed(Var::AuditTable)?,
            },
            StoreKind::Postgres => StoreConfig::Postgres(postgres(&env)?),
        };
        let bucket = |var| match kind {
            StoreKind::Embedded => Ok(env.text(var)),
            StoreKind::DynamoDb | StoreKind::Postgres => env.needed(var).map(Some),
        };
        // On a laptop nobody else is to reach it, so without a name it listens on this machine alone.
        let host = if deployed { [0, 0, 0, 0] } else { [127, 0, 0, 1] };
        Ok(Self {
            listen: env.parsed(Var::ListenAddress, SocketAddr::from((host, contract::PORT)))?,
            metrics: env.parsed(Var::MetricsAddress, SocketAddr::from((host, contract::METRICS_PORT)))?,
            keep_alive_seconds: env.number(Var::KeepAliveSeconds, 65)?,
            stop_timeout_seconds: env
                .number(Var::StopTimeoutSeconds, u64::from(contract::STOP_TIMEOUT_SECONDS))?,
            log_level: level(&env)?,
            store,
            statements_bucket: bucket(Var::StatementsBucket)?,
            audit_bucket: bucket(Var::AuditBucket)?,
            data: env.text(Var::DataDirectory).map_or_else(|| PathBuf::from("data"), PathBuf::from),
            admin_key: env.secret(Var::AdminKey, deployed)?,
            signing_key: env.secret(Var::SigningKey, deployed)?,
            jwt: jwt(&env)?,
            upload_limit_bytes: env.number(Var::UploadLimitBytes, 2 << 30)?,
            requests_per_second: env.number(Var::RequestsPerSecond, 200)?,
            runs: Limits {
                queued: env.number(Var::RunsQueued, 500)?,
                at_once: env.number(Var::RunsAtOnce, 2)?,
            },
            otlp_endpoint: env
                .text(Var::OtlpEndpoint)
                .map(|text| address(Var::OtlpEndpoint, &text))
                .transpose()?,
            environment,
        })
    }
}

fn level(env: &Environment<'_>) -> Result<LevelFilter, ConfigError> {
    let Some(text) = env.text(Var::LogLevel) else { return Ok(LevelFilter::INFO) };
    let level =
        contract::LOG_LEVELS.into_iter().find(|level| *level == text).and_then(|level| level.parse().ok());
    level.ok_or_else(|| wrong(Var::LogLevel, "names no level"))
}

fn postgres(env: &Environment<'_>) -> Result<PostgresConfig, ConfigError> {
    let host = env.needed(Var::DatabaseHost)?;
    let ca_file = env.text(Var::DatabaseCaFile).map(PathBuf::from);
    let local = ["localhost", "127.0.0.1", "::1"].contains(&host.as_str()) || host.starts_with('/');
    if ca_file.is_none() && !local {
        return Err(wrong(Var::DatabaseCaFile, "is not set"));
    }
    Ok(PostgresConfig {
        host,
        port: env.number(Var::DatabasePort, contract::DATABASE_PORT)?,
        name: env.text(Var::DatabaseName).unwrap_or_else(|| contract::DATABASE_NAME.to_owned()),
        user: env.text(Var::DatabaseUser).unwrap_or_else(|| contract::DATABASE_USER.to_owned()),
        password: env.text(Var::DatabasePassword),
        ca_file,
    })
}

impl PostgresConfig {
    /// Reads the process's own environment: what a migration needs, which is given no other secret.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong.
    pub fn from_env() -> Result<Self, ConfigError> {
        known(std::env::vars_os())?;
        postgres(&Environment(&|var| std::env::var(var.name()).ok()))
    }
}

/// Refuses a variable that has one of the service's names by half: a misspelt one, which would count for nothing, and one
/// whose value is no text.
fn known(given: impl Iterator<Item = (OsString, OsString)>) -> Result<(), ConfigError> {
    for (name, value) in given {
        let name = name.to_string_lossy();
        if let Some(var) = Var::ALL.into_iter().find(|var| var.name() == name) {
            if value.to_str().is_none() {
                return Err(wrong(var, "is not UTF-8"));
            }
        } else if name.starts_with(contract::VAR_PREFIX) {
            let nearest = Var::ALL.into_iter().max_by(|left, right| {
                let near = |var: &Var| strsim::jaro_winkler(var.name(), &name);
                near(left).total_cmp(&near(right))
            });
            let var = nearest.unwrap_or(Var::Environment);
            // Its name may be anything, a card number too.
            return Err(wrong(var, "is perhaps what was meant by a variable that the service does not know"));
        }
    }
    Ok(())
}

/// An address that the service calls: https, or plain http on this machine.
fn address(var: Var, text: &str) -> Result<reqwest::Url, ConfigError> {
    let url = reqwest::Url::parse(text).map_err(|_| wrong(var, "is not an address"))?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(var, "holds a user or a password"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if local => Ok(url),
        _ => Err(wrong(var, "is not an https address")),
    }
}

fn jwt(env: &Environment<'_>) -> Result<Option<JwtConfig>, ConfigError> {
    let Some(issuer) = env.text(Var::JwtIssuer) else {
        // Somebody who sets one of these expects that tokens are taken.
        let lonely = Var::WITH_ISSUER.into_iter().find(|var| env.text(*var).is_some());
        return match lonely {
            Some(var) => Err(wrong(var, "is set, and the issuer is not")),
            None => Ok(None),
        };
    };
    let audience = env.needed(Var::JwtAudience)?;
    let keys = match (env.text(Var::JwksFile), env.text(Var::JwksUrl)) {
        (Some(path), None) => KeySource::File(path.into()),
        (None, Some(text)) => KeySource::Address(address(Var::JwksUrl, &text)?),
        (None, None) => return Err(wrong(Var::JwksUrl, "is not set, nor is the file")),
        (Some(_), Some(_)) => return Err(wrong(Var::JwksUrl, "is set, and so is the file")),
    };
    Ok(Some(JwtConfig { issuer, audience, keys, claims: claims(env)? }))
}

fn claims(env: &Environment<'_>) -> Result<ClaimNames, ConfigError> {
    let named = |var, default: String| match env.text(var) {
        Some(name) if name.len() > 200 || name.chars().any(char::is_control) => {
            Err(wrong(var, "names no claim"))
        }
        Some(name) => Ok(name),
        None => Ok(default),
    };
    let usual = ClaimNames::default();
    let mut scopes = usual.scopes;
    if let Some(text) = env.text(Var::JwtScopes) {
        let meant = |pair: &str| {
            let (word, scope) = pair.rsplit_once('=')?;
            let word = word.trim();
            let scope = ClaimNames::grantable(scope.trim())?;
            (!word.is_empty() && !word.contains(' ')).then(|| (word.to_owned(), scope))
        };
        let pairs: Option<Vec<_>> = text.split(',').map(meant).collect();
        scopes = pairs.ok_or_else(|| wrong(Var::JwtScopes, "is not of its form"))?;
    }
    Ok(ClaimNames {
        audience: named(Var::JwtAudienceClaim, usual.audience)?,
        tenant: named(Var::JwtTenantClaim, usual.tenant)?,
        scope: named(Var::JwtScopeClaim, usual.scope)?,
        scopes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the contract requires for a store, without one of them.
    fn environment(store: StoreKind, without: Option<Var>) -> impl Fn(Var) -> Option<String> {
        move |var| {
            let value = if var == Var::Store { store.name() } else { "0123456789abcdef0123456789abcdef" };
            (var.required(store) && Some(var) != without).then(|| value.to_owned())
        }
    }

    #[test]
    fn a_deployed_service_needs_what_the_contract_requires_and_names_what_it_misses() {
        for store in StoreKind::ALL {
            assert!(Config::read(&environment(store, None)).is_ok(), "{store:?}");
            for var in Var::ALL.into_iter().filter(|var| var.required(store)) {
                // Without the environment's name it is not deployed at all.
                if store == StoreKind::Embedded && matches!(var, Var::Environment) {
                    continue;
                }
                let error = Config::read(&environment(store, Some(var))).err().map(|error| error.var);
                assert_eq!(error, Some(var), "{store:?} {}", var.name());
            }
        }
    }

    #[test]
    fn tokens_need_an_issuer_an_audience_and_keys_from_one_place() {
        let whole = [
            (Var::JwtIssuer, "https://idp.example"),
            (Var::JwtAudience, "reconcile"),
            (Var::JwksUrl, "https://idp.example/keys"),
        ];
        let read = |changes: &[(Var, &str)]| {
            Config::read(&|var| {
                let given = changes.iter().chain(&whole).find(|(given, _)| *given == var);
                given.map(|(_, value)| (*value).to_owned())
            })
            .map(|config| config.jwt.is_some())
            .map_err(|error| error.var)
        };
        assert_eq!(read(&[]), Ok(true));
        assert_eq!(read(&[(Var::JwtIssuer, "")]), Err(Var::JwtAudience));
        assert_eq!(read(&[(Var::JwtAudience, "")]), Err(Var::JwtAudience));
        assert_eq!(read(&[(Var::JwksUrl, "")]), Err(Var::JwksUrl));
        assert_eq!(read(&[(Var::JwksUrl, "http://idp.example/keys")]), Err(Var::JwksUrl));
        assert_eq!(read(&[(Var::JwksFile, "keys.json")]), Err(Var::JwksUrl));
        assert_eq!(read(&[(Var::JwksUrl, ""), (Var::JwksFile, "keys.json")]), Ok(true));
        assert_eq!(read(&[(Var::JwtScopes, "reconcile/read=read, urn:a=b=write")]), Ok(true));
        // The admin's scope is nobody else's.
        for bad in ["read", "reconcile/read=", "=read", "a b=read", "a=admin", "a=read,"] {
            assert_eq!(read(&[(Var::JwtScopes, bad)]), Err(Var::JwtScopes), "{bad}");
        }
        assert_eq!(read(&[(Var::JwtTenantClaim, "a\nb")]), Err(Var::JwtTenantClaim));
    }

    #[test]
    fn what_is_called_is_called_over_https_or_on_this_machine() {
        for good in
            ["https://idp.example/keys", "http://localhost:8080/keys", "http://127.0.0.1/", "http://[::1]:1/"]
        {
            assert!(address(Var::JwksUrl, good).is_ok(), "{good}");
        }
        for bad in [
            "http://idp.example/keys",
            "ftp://127.0.0.1/",
            "file:///etc/keys",
            "keys",
            "https://me:word@idp.example/",
        ] {
            assert!(address(Var::JwksUrl, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_have_bounds_and_levels_are_those_of_the_contract() {
        let read = |var: Var, text: &str| {
            Config::read(&|asked| (asked == var).then(|| text.to_owned()))
                .map(drop)
                .map_err(|error| error.var)
        };
        for var in Var::ALL {
            let Some((least, most)) = var.bounds() else { continue };
            let alone = var != Var::DatabasePort;
            for bad in ["0", "18446744073709551615", "18446744073709551616", "-1", "1.5", "much"] {
                assert!(!alone || read(var, bad) == Err(var), "{} {bad}", var.name());
            }
            for good in [least, most] {
                assert_eq!(read(var, &good.to_string()), Ok(()), "{} {good}", var.name());
            }
        }
        for level in contract::LOG_LEVELS {
            assert_eq!(read(Var::LogLevel, level), Ok(()));
        }
        for bad in ["off", "INFO", "3", "verbose"] {
            assert_eq!(read(Var::LogLevel, bad), Err(Var::LogLevel), "{bad}");
        }
    }

    #[test]
    fn a_misspelt_variable_is_named_by_what_was_meant() {
        use std::os::unix::ffi::OsStringExt;
        let read = |name: &str, value: &[u8]| {
            let value = OsString::from_vec(value.to_vec());
            known([(OsString::from(name), value)].into_iter()).map_err(|error| error.var)
        };
        assert_eq!(read("RECONCILE_LISTEN_ADRESS", b"x"), Err(Var::ListenAddress));
        assert_eq!(read("RECONCILE_LOGLEVEL", b"x"), Err(Var::LogLevel));
        assert_eq!(read("RECONCILE_LOG_LEVEL", b"\xff"), Err(Var::LogLevel));
        assert_eq!(read("RECONCILE_LOG_LEVEL", b"info"), Ok(()));
        assert_eq!(read("PATH", b"\xff"), Ok(()));
    }

    #[test]
    fn a_laptop_needs_nothing() {
        let config = Config::read(&|_| None).unwrap();
        assert!(config.listen.ip().is_loopback());
    }
}
