//! PostgreSQL over TLS: whom the service takes for its database, the token that it shows it, and a restart.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use test_kit::address;
use test_kit::postgres::{Server, Setup, start};
use txn_reconcile_api::service::config::PostgresConfig;
use txn_reconcile_api::service::store::postgres::{PostgresStore, migrate};
use txn_reconcile_api::service::store::{Expect, Key, Store, StoreError, Write};

/// An authority, and the file that names it.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

fn authority(folder: &tempfile::TempDir, name: &str) -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    // Two authorities of one name would be taken for one another's.
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = parameters.self_signed(&key).unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, certificate.pem()).unwrap();
    Authority { issuer: Issuer::new(parameters, key), file }
}

/// A server that is known by a name, of an authority.
fn server(authority: &Authority, name: &str, port: u16) -> Server {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = parameters.signed_by(&key, &authority.issuer).unwrap();
    start(&Setup {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port,
        owner: "postgres",
        identity: Some((&certificate.pem(), &key.serialize_pem())),
    })
}

fn settings(port: u16, ca_file: &Authority) -> PostgresConfig {
    PostgresConfig {
        host: "localhost".into(),
        port,
        name: "postgres".into(),
        user: "postgres".into(),
        password: Some("none".into()),
        ca_file: Some(ca_file.file.clone()),
    }
}

/// Makes the tables, when the server is there.
async fn migrated(settings: &PostgresConfig) {
    let mut result = migrate(settings).await;
    for _ in 0..100 {
        if result.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        result = migrate(settings).await;
    }
    panic!("{result:?}");
}

/// Why a connection is refused.
async fn refusal(settings: PostgresConfig) -> String {
    match PostgresStore::connect(settings).unwrap().ready().await {
        Err(StoreError::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_known_by_its_authority_and_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (authority(&folder, "own.pem"), authority(&folder, "other.pem"));
    let port = address::port();
    let running = server(&own, "localhost", port);
    let good = settings(port, &own);
    migrated(&good).await;
    let store = PostgresStore::connect(good.clone()).unwrap();
    store.ready().await.unwrap();

    let why = refusal(settings(port, &other)).await;
    assert!(why.contains("UnknownIssuer"), "{why}");
    // The same server, under a name that its certificate does not bear.
    let why = refusal(PostgresConfig { host: "127.0.0.1".into(), ..good.clone() }).await;
    assert!(why.contains("not valid for name"), "{why}");
    // Nothing is said without TLS, even where the server would listen.
    let why = refusal(PostgresConfig { ca_file: None, ..good.clone() }).await;
    assert!(why.contains("no encryption"), "{why}");

    // A server that speaks no TLS is not spoken to.
    let plain = address::port();
    let _plain = start(&Setup {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: plain,
        owner: "postgres",
        identity: None,
    });
    let why = refusal(settings(plain, &own)).await;
    assert!(why.contains("TLS"), "{why}");

    // It goes away, and comes back: the connections of before are not kept to.
    drop(running);
    assert!(matches!(store.ready().await, Err(StoreError::Unavailable(_))));
    let _again = server(&own, "localhost", port);
    migrated(&good).await;
    let write = Write::put(Key::new("p", "s"), Expect::Absent, b"{}".to_vec());
    for _ in 0..50 {
        if store.ready().await.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    store.transact(vec![write], None).await.unwrap();
}
