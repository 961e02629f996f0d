//! One crash-safe file, for one process.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use super::{AuditEntry, Due, Expect, Item, Key, Query, Store, StoreError, Write, check};

type Record = (u64, &'static [u8], Option<(&'static str, u64)>, Option<u64>);

const RECORDS: TableDefinition<(&str, &str), Record> = TableDefinition::new("records");
const DUE: TableDefinition<(&str, u64, &str, &str), ()> = TableDefinition::new("due");
const AUDIT: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("audit");

/// The embedded store. A transaction is on the disk when it is acknowledged.
pub struct EmbeddedStore {
    database: Arc<Database>,
}

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl EmbeddedStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// Fails if it cannot be opened, or another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::over(Database::create(path).map_err(unavailable)?)
    }

    /// A store in memory, for tests.
    ///
    /// # Errors
    /// None that is known.
    pub fn in_memory() -> Result<Self, StoreError> {
        let builder = Database::builder();
        Self::over(builder.create_with_backend(redb::backends::InMemoryBackend::new()).map_err(unavailable)?)
    }

    fn over(database: Database) -> Result<Self, StoreError> {
        let write = database.begin_write().map_err(unavailable)?;
        write.open_table(RECORDS).map_err(unavailable)?;
        write.open_table(DUE).map_err(unavailable)?;
        write.open_table(AUDIT).map_err(unavailable)?;
        write.commit().map_err(unavailable)?;
        Ok(Self { database: Arc::new(database) })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        tokio::task::spawn_blocking(move || work(&database)).await.map_err(unavailable)?
    }
}

type Value<'a> = (u64, &'a [u8], Option<(&'a str, u64)>, Option<u64>);

fn item(key: Key, (version, body, due, expires_at): Value<'_>) -> Item {
    let due = due.map(|(queue, at)| Due { queue: queue.to_owned(), at });
    Item { key, version, body: body.to_vec(), due, expires_at }
}

fn apply(write: &WriteTransaction, writes: &[Write], audit: Option<&AuditEntry>) -> Result<(), StoreError> {
    let mut records = write.open_table(RECORDS).map_err(unavailable)?;
    let mut due_index = write.open_table(DUE).map_err(unavailable)?;
    for write in writes {
        let (key, expect) = match write {
            Write::Put { key, expect, .. } => (key, *expect),
            Write::Delete { key, version } | Write::Check { key, version } => {
                (key, Expect::Version(*version))
            }
        };
        let place = (key.pk.as_str(), key.sk.as_str());
        let old = records.get(place).map_err(unavailable)?.map(|guard| {
            let (version, _, due, _) = guard.value();
            (version, due.map(|(queue, at)| (queue.to_owned(), at)))
        });
        let next = match (expect, &old) {
            (Expect::Absent, None) => 1,
            (Expect::Version(wanted), Some((version, _))) if wanted == *version => wanted + 1,
            _ => return Err(StoreError::Conflict),
        };
        if matches!(write, Write::Check { .. }) {
            continue;
        }
        if let Some((_, Some((queue, at)))) = &old {
            due_index.remove((queue.as_str(), *at, place.0, place.1)).map_err(unavailable)?;
        }
        match write {
            Write::Put { body, due, expires_at, .. } => {
                let due = due.as_ref().map(|due| (due.queue.as_str(), due.at));
                records.insert(place, (next, &body[..], due, *expires_at)).map_err(unavailable)?;
                if let Some((queue, at)) = due {
                    due_index.insert((queue, at, place.0, place.1), ()).map_err(unavailable)?;
                }
            }
            Write::Delete { .. } => drop(records.remove(place).map_err(unavailable)?),
            Write::Check { .. } => {}
        }
    }
    if let Some(entry) = audit {
        let mut log = write.open_table(AUDIT).map_err(unavailable)?;
        let place = (entry.chain.as_str(), entry.sequence);
        if log.get(place).map_err(unavailable)?.is_some() {
            return Err(StoreError::Conflict);
        }
        log.insert(place, &entry.body[..]).map_err(unavailable)?;
    }
    Ok(())
}

#[async_trait::async_trait]
impl Store for EmbeddedStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let key = key.clone();
        self.blocking(move |database| {
            let records = database.begin_read().map_err(unavailable)?;
            let records = records.open_table(RECORDS).map_err(unavailable)?;
            let found = records.get((key.pk.as_str(), key.sk.as_str())).map_err(unavailable)?;
            Ok(found.map(|guard| item(key.clone(), guard.value())))
        })
        .await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        let query = query.clone();
        self.blocking(move |database| {
            if query.from >= query.to {
                return Ok(Vec::new());
            }
            let records = database.begin_read().map_err(unavailable)?;
            let records = records.open_table(RECORDS).map_err(unavailable)?;
            let pk = query.pk.as_str();
            let range =
                records.range((pk, query.from.as_str())..(pk, query.to.as_str())).map_err(unavailable)?;
            let read =
                |row: Result<(redb::AccessGuard<'_, (&str, &str)>, redb::AccessGuard<'_, Record>), _>| {
                    let (key, value) = row.map_err(|error: redb::StorageError| unavailable(error))?;
                    let (pk, sk) = key.value();
                    Ok(item(Key::new(pk, sk), value.value()))
                };
            if query.descending {
                range.rev().take(query.limit).map(read).collect()
            } else {
                range.take(query.limit).map(read).collect()
            }
        })
        .await
    }

    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError> {
        let queue = queue.to_owned();
        self.blocking(move |database| {
            let read = database.begin_read().map_err(unavailable)?;
            let due = read.open_table(DUE).map_err(unavailable)?;
            let records = read.open_table(RECORDS).map_err(unavailable)?;
            let range = due
                .range((queue.as_str(), 0, "", "")..(queue.as_str(), before, "", ""))
                .map_err(unavailable)?;
            let mut items = Vec::new();
            for row in range.take(limit) {
                let (place, ()) = row.map(|(key, value)| (key, value.value())).map_err(unavailable)?;
                let (_, _, pk, sk) = place.value();
                if let Some(record) = records.get((pk, sk)).map_err(unavailable)? {
                    items.push(item(Key::new(pk, sk), record.value()));
                }
            }
            Ok(items)
        })
        .await
    }

    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError> {
        check(&writes)?;
        self.blocking(move |database| {
            let write = database.begin_write().map_err(unavailable)?;
            match apply(&write, &writes, audit.as_ref()) {
                Ok(()) => write.commit().map_err(unavailable),
                Err(error) => {
                    write.abort().map_err(unavailable)?;
                    Err(error)
                }
            }
        })
        .await
    }

    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let chain = chain.to_owned();
        self.blocking(move |database| {
            let log = database.begin_read().map_err(unavailable)?;
            let log = log.open_table(AUDIT).map_err(unavailable)?;
            let range =
                log.range((chain.as_str(), from)..=(chain.as_str(), u64::MAX)).map_err(unavailable)?;
            range
                .take(limit)
                .map(|row| {
                    let (place, body) = row.map_err(unavailable)?;
                    let (chain, sequence) = place.value();
                    Ok(AuditEntry { chain: chain.to_owned(), sequence, body: body.value().to_vec() })
                })
                .collect()
        })
        .await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.blocking(|database| database.begin_read().map(drop).map_err(unavailable)).await
    }
}
