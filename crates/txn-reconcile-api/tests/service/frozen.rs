//! A PostgreSQL that says nothing any more: what waits for it is told so, and the next call finds the one that took over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use txn_reconcile_api::service::config::PostgresConfig;
use txn_reconcile_api::service::store::postgres::{PostgresStore, migrate};
use txn_reconcile_api::service::store::{AuditEntry, Expect, Key, Store, StoreError, Write};

use super::backends;

/// A way to a server that can fall silent: what is sent on the connections of that time goes nowhere, and none is closed.
struct Way {
    address: SocketAddr,
    silent: Arc<std::sync::Mutex<Arc<AtomicBool>>>,
}

impl Way {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let silent = Arc::new(std::sync::Mutex::new(Arc::new(AtomicBool::new(false))));
        let present = Arc::clone(&silent);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let silent = Arc::clone(&present.lock().unwrap());
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                tokio::spawn(pass(near_in, far_out, Arc::clone(&silent)));
                tokio::spawn(pass(far_in, near_out, silent));
            }
        });
        Self { address, silent }
    }

    /// Silences what is open. New connections are passed on if the server has been taken over from.
    fn fall_silent(&self, taken_over: bool) {
        let mut silent = self.silent.lock().unwrap();
        silent.store(true, Ordering::Relaxed);
        if taken_over {
            *silent = Arc::default();
        }
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    silent: Arc<AtomicBool>,
) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if !silent.load(Ordering::Relaxed) && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_primary_is_given_up_and_the_next_one_found() {
    let (_server, settings) = backends::postgres_server();
    while migrate(&settings).await.is_err() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
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
        way.fall_silent(true);
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
        way.fall_silent(true);
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
        way.fall_silent(false);
        let error = through(&way).get(&key).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            StoreError::Unavailable("PostgreSQL did not take a connection in time".into()).to_string()
        );
    };
    tokio::join!(failover, writing, gone);
}
