//! What a store has to do, on each of them.

use std::sync::Arc;

use txn_reconcile_api::service::store::{AuditEntry, Due, Expect, Key, Query, Store, StoreError, Write};

use super::backends;

fn put(sk: &str, expect: Expect, body: &str) -> Write {
    Write::put(Key::new("p", sk), expect, body.as_bytes().to_vec())
}

fn entry(sequence: u64) -> AuditEntry {
    AuditEntry { chain: "c".into(), sequence, body: format!("{{\"n\":{sequence}}}").into_bytes() }
}

async fn suite(store: Arc<dyn Store>, expires_by_itself: bool) {
    store.ready().await.unwrap();
    conditions(&*store).await;
    ranges(&*store).await;
    queues(&*store).await;
    whole_or_not_at_all(&*store).await;
    expiry(&*store, expires_by_itself).await;
    limits(&*store).await;
    no_update_is_lost(store).await;
}

async fn conditions(store: &dyn Store) {
    let key = Key::new("p", "one");
    assert_eq!(store.get(&key).await.unwrap(), None);
    store.transact(vec![put("one", Expect::Absent, "1")], None).await.unwrap();
    let conflict = Err(StoreError::Conflict);
    assert_eq!(store.transact(vec![put("one", Expect::Absent, "x")], None).await, conflict);
    assert_eq!(store.transact(vec![put("one", Expect::Version(2), "x")], None).await, conflict);
    store.transact(vec![put("one", Expect::Version(1), "2")], None).await.unwrap();
    let found = store.get(&key).await.unwrap().unwrap();
    assert_eq!((found.version, &found.body[..]), (2, &b"2"[..]));
    let delete = |version| vec![Write::Delete { key: key.clone(), version }];
    assert_eq!(store.transact(delete(1), None).await, conflict);
    store.transact(delete(2), None).await.unwrap();
    assert_eq!(store.get(&key).await.unwrap(), None);
    assert_eq!(store.transact(delete(2), None).await, conflict);
}

async fn ranges(store: &dyn Store) {
    for sk in ["b#2", "a#1", "b#10", "b#1", "c#1", "B#1", "b#é"] {
        store.transact(vec![put(sk, Expect::Absent, sk)], None).await.unwrap();
    }
    let read = async |from: &str, to: &str, descending, limit| {
        let query = Query { pk: "p".into(), from: from.into(), to: to.into(), descending, limit };
        let found = store.query(&query).await.unwrap();
        found.into_iter().map(|item| item.key.sk).collect::<Vec<_>>()
    };
    // The order of the bytes, not of any language.
    assert_eq!(read("b#", "b#~", false, 9).await, ["b#1", "b#10", "b#2"]);
    assert_eq!(read("b#", "c", false, 9).await, ["b#1", "b#10", "b#2", "b#é"]);
    assert_eq!(read("b#1\0", "b#~", false, 1).await, ["b#10"]);
    assert_eq!(read("b#", "b#2", true, 2).await, ["b#10", "b#1"]);
    assert!(read("c", "b", false, 9).await.is_empty());
    let other = Query { pk: "q".into(), from: "a".into(), to: "z".into(), descending: false, limit: 9 };
    assert!(store.query(&other).await.unwrap().is_empty());
}

async fn queues(store: &dyn Store) {
    let waiting = |sk: &str, expect, at: Option<u64>| Write::Put {
        key: Key::new("w", sk),
        expect,
        body: b"{}".to_vec(),
        due: at.map(|at| Due { queue: "q".into(), at }),
        expires_at: Some(4_000_000_000),
    };
    let first = vec![waiting("x", Expect::Absent, Some(300)), waiting("y", Expect::Absent, Some(100))];
    store.transact(first, None).await.unwrap();
    store.transact(vec![waiting("z", Expect::Absent, Some(200))], None).await.unwrap();
    let due = async |before| {
        let found = store.list_due("q", before, 9).await.unwrap();
        found.into_iter().map(|item| (item.key.sk, item.due.map(|due| due.at))).collect::<Vec<_>>()
    };
    let line = |sk: &str, at| (sk.to_owned(), Some(at));
    assert_eq!(due(300).await, [line("y", 100), line("z", 200)]);
    let second = vec![waiting("y", Expect::Version(1), Some(250)), waiting("z", Expect::Version(1), None)];
    store.transact(second, None).await.unwrap();
    assert_eq!(due(1000).await, [line("y", 250), line("x", 300)]);
    store.transact(vec![Write::Delete { key: Key::new("w", "y"), version: 2 }], None).await.unwrap();
    assert_eq!(due(1000).await, [line("x", 300)]);
    assert!(store.list_due("other", 1000, 9).await.unwrap().is_empty());
    assert_eq!(store.get(&Key::new("w", "x")).await.unwrap().unwrap().expires_at, Some(4_000_000_000));
}

/// What has expired is deleted, the first to expire first, and nothing else. DynamoDB does it by itself: there the table
/// names the attribute, and the store reads what is left until then.
async fn expiry(store: &dyn Store, by_itself: bool) {
    let until = |sk: &str, expect, at: Option<u64>| Write::Put {
        key: Key::new("e", sk),
        expect,
        body: b"{}".to_vec(),
        due: Some(Due { queue: "e".into(), at: 7 }),
        expires_at: at,
    };
    let made = [("a", Some(100)), ("b", Some(200)), ("c", Some(300)), ("d", None), ("f", Some(150))];
    let made = made.map(|(sk, at)| until(sk, Expect::Absent, at));
    store.transact(made.to_vec(), None).await.unwrap();
    // It was written again, and lives for longer or for ever.
    let renewed = vec![until("f", Expect::Version(1), Some(900)), until("b", Expect::Version(1), None)];
    store.transact(renewed, None).await.unwrap();
    let left = async || {
        let query = Query { pk: "e".into(), from: "a".into(), to: "z".into(), descending: false, limit: 9 };
        let left: Vec<_> = store.query(&query).await.unwrap().into_iter().map(|item| item.key.sk).collect();
        let due = store.list_due("e", 8, 9).await.unwrap().len();
        assert_eq!(due, left.len(), "what is deleted is no longer due");
        left.concat()
    };
    let first = store.expire(301, 1).await.unwrap();
    if by_itself {
        assert_eq!((first, left().await.as_str()), (0, "abcdf"));
        return;
    }
    assert_eq!((first, left().await.as_str()), (1, "bcdf"));
    assert_eq!(store.expire(300, 9).await.unwrap(), 0, "not before its time");
    assert_eq!((store.expire(301, 9).await.unwrap(), left().await.as_str()), (1, "bdf"));
    assert_eq!(store.expire(899, 9).await.unwrap(), 0);
}

async fn whole_or_not_at_all(store: &dyn Store) {
    let delete = |sk: &str, version| Write::Delete { key: Key::new("p", sk), version };
    let check = |sk: &str, version| Write::Check { key: Key::new("p", sk), version };
    store.transact(vec![put("t1", Expect::Absent, "1")], Some(entry(1))).await.unwrap();
    let refused = [
        (vec![put("t2", Expect::Absent, "1"), put("t1", Expect::Absent, "2")], None),
        (vec![put("t2", Expect::Absent, "1"), put("t1", Expect::Version(7), "2")], Some(entry(2))),
        (vec![put("t2", Expect::Absent, "1"), delete("t1", 7)], Some(entry(2))),
        (vec![put("t2", Expect::Absent, "1"), check("t1", 7)], Some(entry(2))),
        (vec![put("t2", Expect::Absent, "1"), check("t0", 1)], Some(entry(2))),
        (vec![put("t2", Expect::Absent, "1")], Some(entry(1))),
    ];
    for (writes, audit) in refused {
        assert_eq!(store.transact(writes, audit).await, Err(StoreError::Conflict));
    }
    assert_eq!(store.get(&Key::new("p", "t2")).await.unwrap(), None);
    assert_eq!(store.get(&Key::new("p", "t1")).await.unwrap().unwrap().version, 1);
    let held = vec![put("t2", Expect::Absent, "1"), check("t1", 1)];
    store.transact(held, None).await.unwrap();
    assert_eq!(store.get(&Key::new("p", "t1")).await.unwrap().unwrap().version, 1, "it is as it was");
    let held = vec![put("t2", Expect::Version(1), "1"), delete("t1", 1)];
    store.transact(held, Some(entry(2))).await.unwrap();
    assert_eq!(store.get(&Key::new("p", "t1")).await.unwrap(), None);
    assert_eq!(store.audit("c", 1, 9).await.unwrap(), [entry(1), entry(2)]);
    assert_eq!(store.audit("c", 2, 9).await.unwrap(), [entry(2)]);
    assert_eq!(store.audit("c", 1, 1).await.unwrap(), [entry(1)]);
    assert!(store.audit("d", 1, 9).await.unwrap().is_empty());
}

async fn limits(store: &dyn Store) {
    let many =
        |count: usize| (0..count).map(|n| put(&format!("m{n:03}"), Expect::Absent, "1")).collect::<Vec<_>>();
    assert!(matches!(store.transact(many(100), None).await, Err(StoreError::Invalid(_))));
    store.transact(many(99), Some(entry(3))).await.unwrap();
    let twice = vec![put("n", Expect::Absent, "1"), put("n", Expect::Absent, "1")];
    assert!(matches!(store.transact(twice, None).await, Err(StoreError::Invalid(_))));
    let large = Write::put(Key::new("p", "large"), Expect::Absent, vec![7; 350_000]);
    store.transact(vec![large], None).await.unwrap();
    let too_large = Write::put(Key::new("p", "larger"), Expect::Absent, vec![7; 350_001]);
    assert!(matches!(store.transact(vec![too_large], None).await, Err(StoreError::TooLarge(_))));
    let several = |n: usize| {
        (0..n).map(|i| {
            let body = vec![7; 350_000];
            Write::put(Key::new("several", format!("{i:03}")), Expect::Absent, body)
        })
    };
    assert!(matches!(store.transact(several(12).collect(), None).await, Err(StoreError::TooLarge(_))));
    let long = AuditEntry { chain: "c".into(), sequence: 4, body: vec![b'7'; 350_001] };
    assert!(matches!(store.transact(Vec::new(), Some(long)).await, Err(StoreError::TooLarge(_))));
    for sk in [String::new(), "a\0b".into(), "k".repeat(1025)] {
        let write = vec![put(&sk, Expect::Absent, "1")];
        assert!(matches!(store.transact(write, None).await, Err(StoreError::Invalid(_))), "{}", sk.len());
    }
    store.transact(several(11).collect(), None).await.unwrap();
}

async fn no_update_is_lost(store: Arc<dyn Store>) {
    store.transact(vec![put("count", Expect::Absent, "0")], None).await.unwrap();
    let key = Key::new("p", "count");
    let one = |store: Arc<dyn Store>, key: Key| async move {
        let mut acknowledged = 0;
        for _ in 0..25 {
            let item = store.get(&key).await.unwrap().unwrap();
            let next: u64 = String::from_utf8(item.body).unwrap().parse::<u64>().unwrap() + 1;
            let write = Write::put(key.clone(), Expect::Version(item.version), next.to_string().into_bytes());
            match store.transact(vec![write], None).await {
                Ok(()) => acknowledged += 1,
                Err(StoreError::Conflict) => {}
                Err(other) => panic!("{other}"),
            }
        }
        acknowledged
    };
    let clients: Vec<_> = (0..8).map(|_| tokio::spawn(one(Arc::clone(&store), key.clone()))).collect();
    let mut acknowledged = 0u64;
    for client in clients {
        acknowledged += client.await.unwrap();
    }
    let item = store.get(&key).await.unwrap().unwrap();
    assert!(acknowledged >= 25, "{acknowledged}");
    assert_eq!(String::from_utf8(item.body).unwrap(), acknowledged.to_string());
    assert_eq!(item.version, acknowledged + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    suite(backends::embedded().await.store.clone(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    let backend = backends::dynamo().await;
    suite(backend.store.clone(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let backend = backends::postgres().await;
    suite(backend.store.clone(), false).await;
}
