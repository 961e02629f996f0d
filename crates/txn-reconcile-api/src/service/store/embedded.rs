//! One crash-safe file, for one process.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, WriteTransaction};
use tokio::time::Instant;

use super::{AuditEntry, Due, Expect, Item, Key, Query, Store, StoreError, Write, check};

type Record = (u64, &'static [u8], Option<(&'static str, u64)>, Option<u64>);

const RECORDS: TableDefinition<(&str, &str), Record> = TableDefinition::new("records");
const DUE: TableDefinition<(&str, u64, &str, &str), ()> = TableDefinition::new("due");
const EXPIRY: TableDefinition<(u64, &str, &str), ()> = TableDefinition::new("expiry");
const AUDIT: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("audit");

/// Bytes that are written on trial before a database that met a fault of the disk takes writes again.
const TRIAL: &[u8] = &[0; 1 << 18];
const TRIALS: TableDefinition<(), &[u8]> = TableDefinition::new("trials");

/// Between two trials: each that fails has the file opened again, which takes a while for a large one.
const HEALING: Duration = Duration::from_secs(1);

/// The embedded store. A transaction is on the disk when it is acknowledged.
pub struct EmbeddedStore {
    file: Arc<File>,
}

/// The file. After a fault of the disk (it is full, say) the database refuses everything until it is opened again.
struct File {
    open: Opening,
    database: RwLock<Opened>,
    /// Set by a fault, until a trial was written.
    faulty: AtomicBool,
    /// When that was last tried.
    tried: Mutex<Option<Instant>>,
}

/// The database, and how often it was opened.
struct Opened(u64, Option<Database>);

type Opening = Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>;

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl File {
    /// Does something with the database. After a fault, writes wait until there was room for a trial.
    fn with<T>(
        &self,
        writes: bool,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if writes && self.faulty.load(Ordering::Acquire) {
            self.mend()?;
        }
        self.attempt(work)
    }

    fn attempt<T>(&self, work: impl FnOnce(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (opened, done) = {
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            let open = database.1.as_ref().ok_or_else(|| unavailable("the file could not be opened again"));
            (database.0, open.and_then(work))
        };
        if matches!(done, Err(StoreError::Unavailable(_))) {
            self.faulty.store(true, Ordering::Release);
            self.reopen(opened);
        }
        done
    }

    /// Opens the file again, so that it can be read, unless somebody else has.
    fn reopen(&self, opened: u64) {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.0 != opened {
            return;
        }
        // The file is locked as long as it is open.
        *database = Opened(opened + 1, None);
        match (self.open)() {
            Ok(open) => database.1 = Some(open),
            Err(error) => tracing::error!("the database cannot be opened again: {error}"),
        }
    }

    fn mend(&self) -> Result<(), StoreError> {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.faulty.load(Ordering::Acquire) {
            return Ok(());
        }
        if tried.is_some_and(|at| at.elapsed() < HEALING) {
            return Err(unavailable("the disk has met a fault; it is tried again in a second"));
        }
        *tried = Some(Instant::now());
        self.attempt(try_out)?;
        self.faulty.store(false, Ordering::Release);
        tracing::info!("the database takes writes again after a fault of the disk");
        Ok(())
    }
}

/// Whether there is room: what was written is taken away again.
fn try_out(database: &Database) -> Result<(), StoreError> {
    let write = database.begin_write().map_err(unavailable)?;
    write.open_table(TRIALS).map_err(unavailable)?.insert((), TRIAL).map_err(unavailable)?;
    write.commit().map_err(unavailable)?;
    let write = database.begin_write().map_err(unavailable)?;
    write.delete_table(TRIALS).map_err(unavailable)?;
    write.commit().map_err(unavailable)
}

impl EmbeddedStore {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// Fails if it cannot be opened, or another process has it open.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = path.to_owned();
        Self::over(Box::new(move || Database::create(&path)))
    }

    /// A store in memory, for tests.
    ///
    /// # Errors
    /// None that is known.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::over(Box::new(|| {
            Database::builder().create_with_backend(redb::backends::InMemoryBackend::new())
        }))
    }

    fn over(open: Opening) -> Result<Self, StoreError> {
        let database = open().map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => unavailable(
                "another process has it open; a service that runs verifies its audit log itself: GET /v1/audit/verification",
            ),
            other => unavailable(other),
        })?;
        let write = database.begin_write().map_err(unavailable)?;
        write.open_table(RECORDS).map_err(unavailable)?;
        write.open_table(DUE).map_err(unavailable)?;
        write.open_table(AUDIT).map_err(unavailable)?;
        index_expiry(&write)?;
        write.commit().map_err(unavailable)?;
        let database = RwLock::new(Opened(0, Some(database)));
        let file = File { open, database, faulty: AtomicBool::new(false), tried: Mutex::default() };
        Ok(Self { file: Arc::new(file) })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        writes: bool,
        work: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || file.with(writes, work)).await.map_err(unavailable)?
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(false, work).await
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.blocking(true, work).await
    }
}

/// Makes the index of what expires, which the release before did not have.
fn index_expiry(write: &WriteTransaction) -> Result<(), StoreError> {
    if write.list_tables().map_err(unavailable)?.any(|table| table.name() == EXPIRY.name()) {
        return Ok(());
    }
    let mut expiry = write.open_table(EXPIRY).map_err(unavailable)?;
    let records = write.open_table(RECORDS).map_err(unavailable)?;
    for row in records.iter().map_err(unavailable)? {
        let (place, value) = row.map_err(unavailable)?;
        let ((pk, sk), (_, _, _, expires_at)) = (place.value(), value.value());
        if let Some(at) = expires_at {
            expiry.insert((at, pk, sk), ()).map_err(unavailable)?;
        }
    }
    Ok(())
}

/// Deletes the items that expired first.
fn expire(write: &WriteTransaction, before: u64, limit: usize) -> Result<usize, StoreError> {
    let mut records = write.open_table(RECORDS).map_err(unavailable)?;
    let mut due_index = write.open_table(DUE).map_err(unavailable)?;
    let mut expiry = write.open_table(EXPIRY).map_err(unavailable)?;
    let mut places = Vec::new();
    for row in expiry.range((0, "", "")..(before, "", "")).map_err(unavailable)?.take(limit) {
        let (place, ()) = row.map(|(key, value)| (key, value.value())).map_err(unavailable)?;
        let (at, pk, sk) = place.value();
        places.push((at, pk.to_owned(), sk.to_owned()));
    }
    for (at, pk, sk) in &places {
        let (pk, sk) = (pk.as_str(), sk.as_str());
        expiry.remove((*at, pk, sk)).map_err(unavailable)?;
        let due = records.remove((pk, sk)).map_err(unavailable)?.and_then(|record| {
            let (_, _, due, _) = record.value();
            due.map(|(queue, at)| (queue.to_owned(), at))
        });
        if let Some((queue, at)) = due {
            due_index.remove((queue.as_str(), at, pk, sk)).map_err(unavailable)?;
        }
    }
    Ok(places.len())
}

type Value<'a> = (u64, &'a [u8], Option<(&'a str, u64)>, Option<u64>);

fn item(key: Key, (version, body, due, expires_at): Value<'_>) -> Item {
    let due = due.map(|(queue, at)| Due { queue: queue.to_owned(), at });
    Item { key, version, body: body.to_vec(), due, expires_at }
}

fn apply(write: &WriteTransaction, writes: &[Write], audit: Option<&AuditEntry>) -> Result<(), StoreError> {
    let mut records = write.open_table(RECORDS).map_err(unavailable)?;
    let mut due_index = write.open_table(DUE).map_err(unavailable)?;
    let mut expiry = write.open_table(EXPIRY).map_err(unavailable)?;
    for write in writes {
        let (key, expect) = match write {
            Write::Put { key, expect, .. } => (key, *expect),
            Write::Delete { key, version } | Write::Check { key, version } => {
                (key, Expect::Version(*version))
            }
        };
        let place = (key.pk.as_str(), key.sk.as_str());
        let old = records.get(place).map_err(unavailable)?.map(|guard| {
            let (version, _, due, expires_at) = guard.value();
            (version, due.map(|(queue, at)| (queue.to_owned(), at)), expires_at)
        });
        let next = match (expect, &old) {
            (Expect::Absent, None) => 1,
            (Expect::Version(wanted), Some((version, ..))) if wanted == *version => wanted + 1,
            _ => return Err(StoreError::Conflict),
        };
        if matches!(write, Write::Check { .. }) {
            continue;
        }
        if let Some((_, Some((queue, at)), _)) = &old {
            due_index.remove((queue.as_str(), *at, place.0, place.1)).map_err(unavailable)?;
        }
        if let Some((.., Some(at))) = &old {
            expiry.remove((*at, place.0, place.1)).map_err(unavailable)?;
        }
        match write {
            Write::Put { body, due, expires_at, .. } => {
                let due = due.as_ref().map(|due| (due.queue.as_str(), due.at));
                records.insert(place, (next, &body[..], due, *expires_at)).map_err(unavailable)?;
                if let Some(at) = *expires_at {
                    expiry.insert((at, place.0, place.1), ()).map_err(unavailable)?;
                }
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
        self.read(move |database| {
            let records = database.begin_read().map_err(unavailable)?;
            let records = records.open_table(RECORDS).map_err(unavailable)?;
            let found = records.get((key.pk.as_str(), key.sk.as_str())).map_err(unavailable)?;
            Ok(found.map(|guard| item(key.clone(), guard.value())))
        })
        .await
    }

    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        let query = query.clone();
        self.read(move |database| {
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
        self.read(move |database| {
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
        check(&writes, audit.as_ref())?;
        self.write(move |database| {
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
        self.read(move |database| {
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

    async fn expire(&self, before: u64, limit: usize) -> Result<usize, StoreError> {
        self.write(move |database| {
            let write = database.begin_write().map_err(unavailable)?;
            let count = expire(&write, before, limit)?;
            write.commit().map_err(unavailable)?;
            Ok(count)
        })
        .await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        // A database that has met a fault of the disk begins no write.
        self.write(|database| {
            database.begin_write().and_then(|write| Ok(write.abort()?)).map_err(unavailable)
        })
        .await
    }
}
