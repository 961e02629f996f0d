//! What the service's own role may do in PostgreSQL: all that it does, which every test here on PostgreSQL does as that
//! role, and nothing else.

use txn_reconcile_api::service::store::postgres::PostgresStore;
use txn_reconcile_api::service::store::{AuditEntry, Due, Expect, Key, Query, Store, StoreError, Write};

use super::backends;

/// Does everything that a store can do, each on an item of its own.
async fn everything(store: &PostgresStore, name: &str) -> Result<(), StoreError> {
    let key = Key::new("grants", name);
    let put = |expect| Write::Put {
        key: key.clone(),
        expect,
        body: b"{}".to_vec(),
        due: Some(Due { queue: "q".into(), at: 1 }),
        expires_at: None,
    };
    store.ready().await?;
    store.transact(vec![put(Expect::Absent)], None).await?;
    store.transact(vec![put(Expect::Version(1))], None).await?;
    store.transact(vec![Write::Check { key: key.clone(), version: 2 }], None).await?;
    store.get(&key).await?;
    let query = Query { pk: "grants".into(), from: "a".into(), to: "z".into(), descending: false, limit: 9 };
    store.query(&query).await?;
    store.list_due("q", 9, 9).await?;
    let entry = AuditEntry { chain: name.to_owned(), sequence: 1, body: b"{}".to_vec() };
    store.transact(vec![Write::Delete { key: key.clone(), version: 2 }], Some(entry)).await?;
    store.audit(name, 1, 9).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_may_do_what_the_service_does_and_nothing_else() {
    let (_server, store, owner) = backends::postgres_owned().await;
    let held = "SELECT table_name, privilege_type FROM information_schema.role_table_grants
        WHERE grantee = $1 AND table_schema = 'public' ORDER BY 1, 2";
    let held = owner.query(held, &[&contract::DATABASE_USER]).await.unwrap();
    let held: Vec<(String, String)> = held.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(held.iter().all(|(table, right)| table != "audit" || right != "UPDATE" && right != "DELETE"));
    everything(&store, "with-all").await.unwrap();
    for (number, (table, right)) in held.iter().enumerate() {
        let change = async |what: &str, whom: &str| {
            let change = format!("{what} {right} ON {table} {whom} {}", contract::DATABASE_USER);
            owner.batch_execute(&change).await.unwrap();
        };
        change("REVOKE", "FROM").await;
        let without = everything(&store, &format!("without-{number}")).await;
        assert!(
            matches!(&without, Err(StoreError::Unavailable(why)) if why.contains("permission denied")),
            "the role may {right} on {table}, which the service does not need: {without:?}"
        );
        change("GRANT", "TO").await;
    }
    // Nothing is left over of what was tried.
    everything(&store, "with-all-again").await.unwrap();
}
