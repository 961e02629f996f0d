//! The real engines: a file, an in-process DynamoDB and a PostgreSQL that is started here.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use contract::{Attribute, Bucket, Table};
use test_kit::{address, postgres};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::auth::{Auth, BAD_TOKENS_PER_SECOND, RateLimit};
use txn_reconcile_api::service::clock::{SystemClock, SystemRng};
use txn_reconcile_api::service::config::PostgresConfig;
use txn_reconcile_api::service::store::Store;
use txn_reconcile_api::service::store::dynamo::DynamoStore;
use txn_reconcile_api::service::store::embedded::EmbeddedStore;
use txn_reconcile_api::service::store::postgres::{PostgresStore, migrate};

use super::calls::{Calls, Files};

pub const ADMIN: &str = "admin-key-of-the-tests-0123456789abcdef";

/// A store and what has to live as long.
pub struct Backend {
    pub store: Arc<dyn Store>,
    /// What it called, of DynamoDB.
    pub calls: Calls,
    _keep: Keep,
}

enum Keep {
    Folder { _folder: tempfile::TempDir },
    Nothing,
    Postgres { _server: postgres::Server },
}

pub async fn embedded() -> Backend {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(&folder.path().join("records.redb")).unwrap());
    Backend { store, calls: Calls::default(), _keep: Keep::Folder { _folder: folder } }
}

fn attribute(attribute: Attribute) -> AttributeDefinition {
    let kind = ScalarAttributeType::from(attribute.kind.code());
    AttributeDefinition::builder().attribute_name(attribute.name).attribute_type(kind).build().unwrap()
}

fn keys(partition: Attribute, sort: Attribute) -> Vec<KeySchemaElement> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .map(|(key, kind)| {
            KeySchemaElement::builder().attribute_name(key.name).key_type(kind).build().unwrap()
        })
        .to_vec()
}

/// Makes the tables as the contract describes them.
pub async fn make_tables(client: &Client) {
    for table in Table::ALL {
        let mut attributes = vec![attribute(table.partition()), attribute(table.sort())];
        let mut made =
            client.create_table().table_name(table.name()).billing_mode(BillingMode::PayPerRequest);
        for index in table.indexes() {
            attributes.extend([attribute(index.partition), attribute(index.sort)]);
            let all = Projection::builder().projection_type(ProjectionType::All).build();
            let index = GlobalSecondaryIndex::builder()
                .index_name(index.name)
                .set_key_schema(Some(keys(index.partition, index.sort)))
                .projection(all);
            made = made.global_secondary_indexes(index.build().unwrap());
        }
        made = made.set_key_schema(Some(keys(table.partition(), table.sort())));
        made.set_attribute_definitions(Some(attributes)).send().await.unwrap();
    }
}

/// A DynamoDB on a port of its own; answers the client and where it listens.
pub async fn dynamo_server() -> (Client, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .endpoint_url(&endpoint)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .build();
    (Client::from_conf(config), endpoint)
}

pub async fn dynamo() -> Backend {
    let (client, _) = dynamo_server().await;
    make_tables(&client).await;
    let calls = Calls::default();
    let held = Client::from_conf(client.config().to_builder().interceptor(calls.clone()).build());
    let store = DynamoStore::new(held, Table::Records.name().into(), Table::Audit.name().into());
    Backend { store: Arc::new(store), calls, _keep: Keep::Nothing }
}

/// A PostgreSQL of its own, and how it is reached as its owner.
pub fn postgres_server() -> (postgres::Server, PostgresConfig) {
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], address::port()));
    let setup = postgres::Setup { address: free.ip(), port: free.port(), owner: "postgres", identity: None };
    let settings = PostgresConfig {
        host: free.ip().to_string(),
        port: free.port(),
        name: "postgres".into(),
        user: "postgres".into(),
        password: Some("none".into()),
        ca_file: None,
    };
    (postgres::start(&setup), settings)
}

pub async fn postgres() -> Backend {
    let (server, store, _) = postgres_owned().await;
    let keep = Keep::Postgres { _server: server };
    Backend { store: Arc::new(store), calls: Calls::default(), _keep: keep }
}

/// A PostgreSQL with its tables: the store as the service's own role, which may do all that it needs, and the owner.
pub async fn postgres_owned() -> (postgres::Server, PostgresStore, tokio_postgres::Client) {
    let (server, settings) = postgres_server();
    let mut tries = 0;
    while let Err(error) = migrate(&settings).await {
        tries += 1;
        assert!(tries < 100, "PostgreSQL does not start: {error}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // A second time, as every deployment does.
    migrate(&settings).await.unwrap();
    let mut owner = tokio_postgres::Config::new();
    owner.host(&settings.host).port(settings.port).dbname(&settings.name).user(&settings.user);
    let (owner, connection) = owner.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let settings = PostgresConfig { user: contract::DATABASE_USER.into(), ..settings };
    (server, PostgresStore::connect(settings).unwrap(), owner)
}

/// A service over a store, with its files in memory.
pub fn app(store: Arc<dyn Store>) -> Arc<App> {
    app_calling(store, &Calls::default())
}

/// A service whose calls for files are noted.
pub fn app_calling(store: Arc<dyn Store>, calls: &Calls) -> Arc<App> {
    Arc::new(App {
        store,
        files: Arc::new(Files::new(Bucket::Statements, calls)),
        anchors: Arc::new(Files::new(Bucket::Audit, calls)),
        clock: Arc::new(SystemClock),
        rng: Arc::new(SystemRng),
        auth: Auth::new(Some(ADMIN), None),
        limits: RateLimit::new(100_000),
        bad_tokens: RateLimit::new(BAD_TOKENS_PER_SECOND),
        balanced: true,
        upload_limit_bytes: 64 << 20,
        signing_key: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"signing key of the tests"),
        in_flight: Default::default(),
        turns: Default::default(),
        runs: Default::default(),
        wake: Default::default(),
        stopping: AtomicBool::new(false),
        metrics: Default::default(),
    })
}
