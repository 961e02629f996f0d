//! An ordered store of items, written in conditional transactions.
//!
//! An item lies under a partition and a sort key and has a version that counts its writes. A transaction takes effect
//! as a whole or not at all, and only if each of its conditions holds. That is what DynamoDB offers, and little enough
//! that a file and PostgreSQL offer the same.

pub mod dynamo;
pub mod embedded;
pub mod postgres;
pub mod traced;

use std::fmt;

/// Where an item lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The partition.
    pub pk: String,
    /// The place in the partition.
    pub sk: String,
}

impl Key {
    /// A key of two parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }
}

impl Key {
    /// Whether every store can have an item there: DynamoDB's keys have 2,048 and 1,024 bytes at most, and PostgreSQL's
    /// text holds no zero character.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        let possible = |part: &str, max| (1..=max).contains(&part.len()) && !part.contains('\0');
        possible(&self.pk, 2048) && possible(&self.sk, 1024)
    }
}

/// When an item is due, and in which queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The queue.
    pub queue: String,
    /// Milliseconds since 1970.
    pub at: u64,
}

/// An item as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it lies.
    pub key: Key,
    /// How often it has been written, from 1.
    pub version: u64,
    /// What it holds: JSON.
    pub body: Vec<u8>,
    /// When it is due, if it waits for something.
    pub due: Option<Due>,
    /// The second since 1970 from which it no longer counts.
    pub expires_at: Option<u64>,
}

/// What has to hold for a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// There is no such item.
    Absent,
    /// The item has this version.
    Version(u64),
}

/// One write of a transaction. No two of one transaction may have the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Puts an item; its version becomes one more than the expected one.
    Put {
        /// Where.
        key: Key,
        /// What has to hold.
        expect: Expect,
        /// What it holds.
        body: Vec<u8>,
        /// When it is due.
        due: Option<Due>,
        /// When it no longer counts.
        expires_at: Option<u64>,
    },
    /// Deletes an item of this version.
    Delete {
        /// Where.
        key: Key,
        /// The version.
        version: u64,
    },
    /// Writes nothing, but the item has to have this version.
    Check {
        /// Where.
        key: Key,
        /// The version.
        version: u64,
    },
}

impl Write {
    /// A plain item.
    #[must_use]
    pub fn put(key: Key, expect: Expect, body: Vec<u8>) -> Self {
        Self::Put { key, expect, body, due: None, expires_at: None }
    }

    /// Where.
    #[must_use]
    pub fn key(&self) -> &Key {
        let (Self::Put { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. }) = self;
        key
    }

    /// What it counts against [`TRANSACTION_BYTES_MAX`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        let body = if let Self::Put { body, .. } = self { body.len() } else { 0 };
        self.key().pk.len() + self.key().sk.len() + body
    }
}

/// An entry of the audit log. It is only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The chain.
    pub chain: String,
    /// Its place in the chain, from 1.
    pub sequence: u64,
    /// What it says.
    pub body: Vec<u8>,
}

/// A range of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The partition.
    pub pk: String,
    /// Sort keys from here on, itself included.
    pub from: String,
    /// Sort keys before this one.
    pub to: String,
    /// From the last to the first.
    pub descending: bool,
    /// Items at most.
    pub limit: usize,
}

/// Writes in one transaction at most: DynamoDB takes 100, of which one may be an audit entry.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const WRITES_MAX: usize = 99;

/// Bytes of an item's body at most. DynamoDB's items may hold 400 KB, keys and attribute names included.
pub const BODY_BYTES_MAX: usize = 350_000;

/// Bytes of a transaction's keys and bodies at most. DynamoDB's may hold 4 MB, attribute names included.
pub const TRANSACTION_BYTES_MAX: usize = 3_900_000;

/// Why the store did not do as it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// A condition does not hold; nothing was written.
    Conflict,
    /// It cannot be told whether it was done: ask again.
    Unavailable(String),
    /// It can never be done: what is to be kept is larger than one item or one transaction may be.
    TooLarge(String),
    /// It can never be done.
    Invalid(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("a condition of the transaction does not hold"),
            Self::Unavailable(why) => write!(f, "the store does not answer: {why}"),
            Self::TooLarge(why) | Self::Invalid(why) => write!(f, "the store refuses: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// The database.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Reads an item, as of its latest write.
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError>;

    /// Reads a range in the order of its sort keys' bytes.
    async fn query(&self, query: &Query) -> Result<Vec<Item>, StoreError>;

    /// Lists what is due before a time, the earliest first. It may lag behind the writes.
    async fn list_due(&self, queue: &str, before: u64, limit: usize) -> Result<Vec<Item>, StoreError>;

    /// Writes everything, or nothing. The audit entry must not exist yet.
    async fn transact(&self, writes: Vec<Write>, audit: Option<AuditEntry>) -> Result<(), StoreError>;

    /// Reads the audit log from a sequence on.
    async fn audit(&self, chain: &str, from: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// Deletes so many items at most that have not counted since before a second; gives how many. DynamoDB deletes them by
    /// itself, within days: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>
    async fn expire(&self, before: u64, limit: usize) -> Result<usize, StoreError>;

    /// Fails if the store cannot be worked with.
    async fn ready(&self) -> Result<(), StoreError>;
}

/// Refuses what not every store can do, so that all of them behave alike.
fn check(writes: &[Write], audit: Option<&AuditEntry>) -> Result<(), StoreError> {
    if writes.len() > WRITES_MAX {
        return Err(StoreError::Invalid(format!("more than {WRITES_MAX} writes")));
    }
    if writes.iter().map(Write::bytes).sum::<usize>() > TRANSACTION_BYTES_MAX {
        return Err(StoreError::TooLarge(format!(
            "a transaction of more than {TRANSACTION_BYTES_MAX} bytes"
        )));
    }
    if audit.is_some_and(|entry| entry.body.len() > BODY_BYTES_MAX) {
        return Err(StoreError::TooLarge(format!("an audit entry of more than {BODY_BYTES_MAX} bytes")));
    }
    let mut keys = std::collections::BTreeSet::new();
    for write in writes {
        let key = write.key();
        if !keys.insert(key) {
            return Err(StoreError::Invalid("two writes to one item".into()));
        }
        if !key.is_possible() {
            return Err(StoreError::Invalid("a key is empty, too long or holds a zero character".into()));
        }
        if let Write::Put { body, .. } = write
            && body.len() > BODY_BYTES_MAX
        {
            return Err(StoreError::TooLarge(format!("an item of more than {BODY_BYTES_MAX} bytes")));
        }
    }
    Ok(())
}
