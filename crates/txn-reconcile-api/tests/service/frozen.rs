//! Stores behind a network that misbehaves: it freezes, drops connections, delays or cuts them. Every call comes back, with
//! what is there or with the word that it cannot be told now, and when the network is well again so is the store.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use txn_reconcile_api::service::blob;
use txn_reconcile_api::service::config::PostgresConfig;
use txn_reconcile_api::service::store::dynamo::{DynamoStore, bounds};
use txn_reconcile_api::service::store::postgres::{PostgresStore, migrate};
use txn_reconcile_api::service::store::{AuditEntry, Expect, Key, Store, StoreError, Write};

use super::backends;

/// What a network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    /// It passes on what is sent.
    Well,
    /// What is sent goes nowhere, and nobody is told.
    Frozen,
    /// Connections are closed at once, new ones too.
    Dropping,
    /// Everything comes later.
    Slow(Duration),
    /// A connection breaks off after so many bytes of an answer.
    Cutting(u64),
}

/// A way to a server.
#[derive(Clone)]
struct Way {
    address: SocketAddr,
    network: Arc<Mutex<Network>>,
    /// Counts the times that the server was taken over from: connections of before are silent.
    taken_over: Arc<AtomicU64>,
}

impl Way {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = Self { address, network: Arc::new(Mutex::new(Network::Well)), taken_over: Arc::default() };
        let own = way.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if own.network() == Network::Dropping {
                    continue;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let born = own.taken_over.load(Ordering::Relaxed);
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(own.clone().pass(near_in, far_out, born, false));
                tokio::spawn(own.clone().pass(far_in, near_out, born, true));
            }
        });
        way
    }

    fn network(&self) -> Network {
        *self.network.lock().unwrap()
    }

    fn becomes(&self, network: Network) {
        *self.network.lock().unwrap() = network;
    }

    /// Another server takes over: what is open says nothing any more.
    fn is_taken_over(&self) {
        self.taken_over.fetch_add(1, Ordering::Relaxed);
    }

    async fn pass(
        self,
        mut from: tokio::net::tcp::OwnedReadHalf,
        mut to: tokio::net::tcp::OwnedWriteHalf,
        born: u64,
        answers: bool,
    ) {
        let mut bytes = [0; 4096];
        let mut passed = 0;
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            if self.taken_over.load(Ordering::Relaxed) != born {
                continue;
            }
            match self.network() {
                Network::Well => {}
                Network::Frozen => continue,
                Network::Dropping => return,
                Network::Slow(pause) => tokio::time::sleep(pause).await,
                Network::Cutting(after) if answers && passed >= after => return,
                Network::Cutting(_) => {}
            }
            passed += if answers && matches!(self.network(), Network::Cutting(_)) { count as u64 } else { 0 };
            if to.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    }
}

/// What befalls each store.
const WEATHER: [Network; 5] = [
    Network::Dropping,
    Network::Slow(Duration::from_millis(40)),
    Network::Cutting(1),
    Network::Cutting(300),
    Network::Frozen,
];

/// A store behind a bad network: nothing is done by half, and it is well when the network is.
async fn weathered(way: Way, store: Arc<dyn Store>, chain: &str) {
    for (sequence, network) in (1..).zip(WEATHER) {
        let key = Key::new(format!("p-{chain}"), format!("{sequence}"));
        let write = || {
            let entry = AuditEntry { chain: chain.into(), sequence, body: b"{}".to_vec() };
            (vec![Write::put(key.clone(), Expect::Absent, b"{}".to_vec())], Some(entry))
        };
        way.becomes(network);
        let (writes, entry) = write();
        let written = store.transact(writes, entry).await;
        let read = store.get(&key).await;
        if let Network::Slow(_) = network {
            assert_eq!(written, Ok(()), "{network:?}");
            assert!(read.as_ref().is_ok_and(Option::is_some), "{network:?}: {read:?}");
        }
        for failed in written.err().into_iter().chain(read.err()) {
            // A repetition of what was done already is a conflict.
            assert!(
                matches!(failed, StoreError::Unavailable(_) | StoreError::Conflict),
                "{network:?}: {failed}"
            );
        }
        way.becomes(Network::Well);
        // What is open may still be broken: each of the pool, once.
        let mut tries = 0;
        let done = loop {
            let (writes, entry) = write();
            match store.transact(writes, entry).await {
                Err(StoreError::Unavailable(why)) => {
                    tries += 1;
                    assert!(tries < 20, "{network:?}: it does not get well: {why}");
                }
                done => break done,
            }
        };
        assert!(matches!(done, Ok(()) | Err(StoreError::Conflict)), "{network:?}: {done:?}");
        assert_eq!(store.get(&key).await.unwrap().map(|item| item.version), Some(1), "{network:?}");
        assert_eq!(store.audit(chain, sequence, 9).await.unwrap().len(), 1, "{network:?}: once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_gets_well_with_its_network() {
    let (_server, settings) = backends::postgres_server();
    while migrate(&settings).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let way = Way::to(settings.port).await;
    let settings = PostgresConfig { port: way.address.port(), ..settings };
    let store = Arc::new(PostgresStore::connect(settings).unwrap());
    assert!(store.get(&Key::new("p", "s")).await.unwrap().is_none());
    weathered(way, store, "postgresql").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_gets_well_with_its_network() {
    let (client, endpoint) = backends::dynamo_server().await;
    backends::make_tables(&client).await;
    let port = endpoint.rsplit(':').next().unwrap().parse().unwrap();
    let way = Way::to(port).await;
    let (timeouts, retries) = bounds();
    let config = client
        .config()
        .to_builder()
        .endpoint_url(format!("http://{}", way.address))
        .timeout_config(timeouts)
        .retry_config(retries)
        .build();
    let tables = [contract::Table::Records, contract::Table::Audit].map(|table| table.name().to_owned());
    let [records, audit] = tables;
    weathered(way, Arc::new(DynamoStore::new(Client::from_conf(config), records, audit)), "dynamodb").await;
}

/// As much of S3 as a file needs.
async fn s3() -> u16 {
    let objects = Arc::new(Mutex::new(BTreeMap::<String, Bytes>::new()));
    let answer = move |method: Method, uri: Uri, body: Bytes| async move {
        let mut objects = objects.lock().unwrap();
        let path = uri.path().to_owned();
        let headers = [("etag", "\"one\""), ("last-modified", "Mon, 02 Nov 2026 08:00:00 GMT")];
        let answered: Response = match (method.as_str(), objects.get(&path)) {
            ("PUT", _) => {
                objects.insert(path, body);
                headers.into_response()
            }
            (_, Some(found)) => (headers, found.clone()).into_response(),
            (_, None) => StatusCode::NOT_FOUND.into_response(),
        };
        answered
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn files_get_well_with_their_network() {
    let way = Way::to(s3().await).await;
    let builder = AmazonS3Builder::new()
        .with_region("eu-west-1")
        .with_access_key_id("test")
        .with_secret_access_key("test")
        .with_endpoint(format!("http://{}", way.address));
    let files: Arc<dyn ObjectStore> = blob::bucket_at(builder, "statements").unwrap();
    let whole = Bytes::from(vec![7; 200_000]);
    for network in WEATHER {
        let place = Path::from(format!("{network:?}"));
        way.becomes(network);
        let put = files.put(&place, whole.clone().into()).await;
        let got = async { files.get(&place).await?.bytes().await }.await;
        if let Network::Slow(_) = network {
            assert!(put.is_ok(), "{network:?}: {put:?}");
        }
        // What is read is whole, or an error.
        assert!(got.as_ref().map_or(true, |bytes| *bytes == whole), "{network:?}");
        way.becomes(Network::Well);
        files.put(&place, whole.clone().into()).await.unwrap();
        assert_eq!(files.get(&place).await.unwrap().bytes().await.unwrap(), whole, "{network:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_primary_is_given_up_and_the_next_one_found() {
    let (_server, settings) = backends::postgres_server();
    while migrate(&settings).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let through = |way: &Way| {
        let settings = PostgresConfig { port: way.address.port(), ..settings.clone() };
        Arc::new(PostgresStore::connect(settings).unwrap())
    };
    let key = Key::new("p", "s");
    let write = |sequence| {
        let entry = AuditEntry { chain: "c".into(), sequence, body: b"{}".to_vec() };
        (vec![Write::put(Key::new("p", format!("{sequence}")), Expect::Absent, b"{}".to_vec())], Some(entry))
    };

    // Another server has taken over: one call waits for the one that is gone, the next one does not.
    let failover = async {
        let way = Way::to(settings.port).await;
        let store = through(&way);
        assert!(store.get(&key).await.unwrap().is_none());
        way.is_taken_over();
        // The same connection is taken up again at the latest after as many calls as there are.
        let (mut given_up, mut answered) = (0, 0);
        while answered < 12 {
            match store.get(&key).await {
                Ok(found) => {
                    assert!(found.is_none());
                    answered += 1;
                }
                Err(StoreError::Unavailable(why)) => {
                    assert_eq!(why, "PostgreSQL did not answer in time");
                    given_up += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(given_up, 1);
        let (writes, entry) = write(1);
        store.transact(writes, entry).await.unwrap();
    };
    // In the middle of writing.
    let writing = async {
        let way = Way::to(settings.port).await;
        let store = through(&way);
        let (writes, entry) = write(2);
        store.transact(writes, entry).await.unwrap();
        way.is_taken_over();
        loop {
            let (writes, entry) = write(3);
            match store.transact(writes, entry).await {
                Ok(()) => break,
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error}"),
            }
        }
        assert_eq!(store.audit("c", 3, 9).await.unwrap().len(), 1, "once");
    };
    // Nobody has taken over: a connection is made, and nothing is heard on it.
    let gone = async {
        let way = Way::to(settings.port).await;
        way.becomes(Network::Frozen);
        let error = through(&way).get(&key).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            StoreError::Unavailable("PostgreSQL did not take a connection in time".into()).to_string()
        );
    };
    tokio::join!(failover, writing, gone);
}
