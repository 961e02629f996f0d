//! The audit log: a hash chain for each tenant.
//!
//! An entry's hash covers its content and the hash before it, so that no entry can be changed, taken out or put in
//! unnoticed. That the end was cut off shows only against an anchor kept elsewhere ([`anchor`]). It covers the content by
//! its digest, so that an entry can be proved without showing the others ([`proof`]).

pub mod proof;

use std::collections::HashMap;

use aws_lc_rs::{digest, hmac};
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::clock::rfc3339;
use super::problem::Problem;
use super::store::{AuditEntry, Key, Query, Store};

/// The hash before the first entry.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AuditEntry")]
pub struct Entry {
    /// Its place in the chain, from 1.
    pub sequence: u64,
    /// What happened: JSON, as text, because the hash is over these bytes.
    pub content: String,
    /// The hash of the entry before; of the first one, 64 zeros.
    pub previous: String,
    /// SHA-256 over 128 characters of ASCII: `previous`, and the SHA-256 of `content` as UTF-8. Each hash is written as 64
    /// hexadecimal digits in lower case.
    pub hash: String,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Head {
    /// The last entry's sequence.
    pub sequence: u64,
    /// Its hash.
    pub hash: String,
}

impl Default for Head {
    fn default() -> Self {
        Self { sequence: 0, hash: GENESIS.to_owned() }
    }
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What hexadecimal digits stand for, as far as they are some.
fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()).collect()
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The hash of an entry ([`Entry::hash`]). A content is never taken for such a pair, since it begins with a brace.
fn chained(previous: &str, content_digest: &str) -> String {
    sha256(format!("{previous}{content_digest}").as_bytes())
}

/// The partition that lists the tenants that have a chain.
const TENANTS: &str = "tenants";

/// Where a tenant is listed, from the first entry of its chain on.
#[must_use]
pub fn tenant_key(tenant: &str) -> Key {
    Key::new(TENANTS, format!("tenant#{tenant}"))
}

/// Where the head of a tenant's chain lies: in the same transaction as every entry.
#[must_use]
pub fn head_key(tenant: &str) -> Key {
    Key::new(super::records::tenant(tenant), "audit-head")
}

impl Head {
    /// The entry behind this head, and the head after it.
    ///
    /// # Errors
    /// None that is known.
    pub fn append(&self, chain: &str, content: String) -> Result<(Self, AuditEntry), Problem> {
        let sequence = self.sequence + 1;
        let hash = chained(&self.hash, &sha256(content.as_bytes()));
        let entry = Entry { sequence, content, previous: self.hash.clone(), hash: hash.clone() };
        let body = super::records::encode(&entry)?;
        Ok((Self { sequence, hash }, AuditEntry { chain: chain.to_owned(), sequence, body }))
    }
}

/// What a verification found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Verdict {
    /// Whether everything holds.
    pub intact: bool,
    /// Entries that were checked.
    pub entries: u64,
    /// The head that was recomputed.
    pub head: Head,
    /// The anchor that it was held against, if there is one.
    pub anchored: Option<Head>,
    /// Whether the present signing key signed that anchor; false from a change of the key to the next anchor.
    pub anchor_signed: Option<bool>,
    /// What is wrong.
    pub fault: Option<String>,
}

/// Recomputes a chain and holds it against its head and its latest anchor.
///
/// # Errors
/// Fails only if a store does not answer.
pub async fn verify(app: &App, tenant: &str) -> Result<Verdict, Problem> {
    let known = stored_head(app, tenant).await?;
    let (anchor, damaged) = match latest_anchor(app, tenant, known.sequence).await? {
        Some(Err(fault)) => (None, Some(fault)),
        found => (found.and_then(Result::ok), None),
    };
    let anchored = anchor.as_ref().map(|anchor| &anchor.head);
    // Read after the anchor, because the chain may have grown and been anchored in between.
    let stored = stored_head(app, tenant).await?;
    let mut verdict = walk(&*app.store, tenant, stored.sequence, anchored).await?;
    if verdict.intact && (verdict.head.sequence, &verdict.head.hash) != (stored.sequence, &stored.hash) {
        verdict.intact = false;
        verdict.fault = Some(format!(
            "the chain ends at {} and its head says {}",
            verdict.head.sequence, stored.sequence
        ));
    }
    if let (true, Some(anchored)) = (verdict.intact, anchored)
        && anchored.sequence > verdict.head.sequence
    {
        verdict.intact = false;
        verdict.fault = Some(format!("entry {} was anchored and is gone", anchored.sequence));
    }
    if let (true, Some(_)) = (verdict.intact, &damaged) {
        verdict.intact = false;
        verdict.fault = damaged;
    }
    let own = key_name(app);
    (verdict.anchored, verdict.anchor_signed) =
        anchor.map(|Anchor { head, key, .. }| (head, key == own)).unzip();
    Ok(verdict)
}

async fn stored_head(app: &App, tenant: &str) -> Result<Head, Problem> {
    let item = app.store.get(&head_key(tenant)).await?;
    item.as_ref().map_or_else(|| Ok(Head::default()), super::records::decode)
}

async fn walk(store: &dyn Store, tenant: &str, to: u64, anchor: Option<&Head>) -> Result<Verdict, Problem> {
    let mut head = Head::default();
    let fault = |head: Head, fault: String| Verdict {
        intact: false,
        entries: head.sequence,
        head,
        anchored: None,
        anchor_signed: None,
        fault: Some(fault),
    };
    while head.sequence < to {
        let entries = store.audit(tenant, head.sequence + 1, 500).await?;
        if entries.is_empty() {
            break;
        }
        for stored in entries.into_iter().take_while(|entry| entry.sequence <= to) {
            let next = head.sequence + 1;
            if stored.sequence != next {
                return Ok(fault(head, format!("entry {next} is missing")));
            }
            let Ok(entry) = serde_json::from_slice::<Entry>(&stored.body) else {
                return Ok(fault(head, format!("entry {next} cannot be read")));
            };
            if entry.sequence != next || entry.previous != head.hash {
                return Ok(fault(head, format!("entry {next} does not follow the one before")));
            }
            if chained(&entry.previous, &sha256(entry.content.as_bytes())) != entry.hash {
                return Ok(fault(head, format!("entry {next} was changed")));
            }
            head = Head { sequence: next, hash: entry.hash };
            if anchor.is_some_and(|anchor| anchor.sequence == next && anchor.hash != head.hash) {
                return Ok(fault(head, format!("entry {next} is not the one that was anchored")));
            }
        }
    }
    Ok(Verdict {
        intact: true,
        entries: head.sequence,
        head,
        anchored: None,
        anchor_signed: None,
        fault: None,
    })
}

/// A head as it is kept outside of the database.
#[derive(Debug, Serialize, Deserialize)]
pub struct Anchor {
    /// Whose log.
    pub tenant: String,
    /// Its end when it was anchored.
    #[serde(flatten)]
    pub head: Head,
    /// Which key signed it: the first digits of the hash of its hash.
    pub key: String,
    /// HMAC-SHA-256 over tenant, sequence and hash, in hexadecimal.
    pub signature: String,
}

fn signed_text(tenant: &str, head: &Head) -> String {
    format!("anchor\n{tenant}\n{}\n{}", head.sequence, head.hash)
}

fn anchor_prefix(tenant: &str) -> Path {
    Path::from(contract::Bucket::Audit.prefix())
        .join(sha256(tenant.as_bytes()).get(..32).unwrap_or_default().to_owned())
}

/// Anchors lie in groups of so many entries, as many as one request lists in S3.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
const GROUP: u64 = 1_000;

fn group_of(sequence: u64) -> u64 {
    sequence / GROUP
}

fn anchor_group(tenant: &str, group: u64) -> Path {
    anchor_prefix(tenant).join(format!("{group:017}"))
}

/// What the paths of an entry's anchors begin with: paths sort like sequences.
fn anchors_of(tenant: &str, sequence: u64) -> Path {
    anchor_group(tenant, group_of(sequence)).join(format!("{sequence:020}"))
}

/// Where the anchor lies that an entry is given on a day. The bucket moves what is old to where it cannot be read at once,
/// and drops it at last, so the last entry of a silent tenant is anchored anew each day.
fn anchor_path(tenant: &str, sequence: u64, day: &str) -> Path {
    Path::from(format!("{}-{day}.json", anchors_of(tenant, sequence)))
}

/// The entry whose anchor lies there, if that is the path of an anchor of this tenant.
fn anchored_at(tenant: &str, path: &Path) -> Option<u64> {
    let (sequence, day) = path.filename()?.strip_suffix(".json")?.split_once('-')?;
    let sequence = sequence.parse().ok()?;
    (anchor_path(tenant, sequence, day) == *path).then_some(sequence)
}

/// An anchor, or what is wrong with the object in its place. A good one that was put in another's place is none: there it
/// would speak for an end that the log had before.
async fn read_anchor(app: &App, tenant: &str, path: &Path) -> Result<Result<Anchor, String>, Problem> {
    let bytes = app.anchors.get(path).await?.bytes().await?;
    let Ok(anchor) = serde_json::from_slice::<Anchor>(&bytes) else {
        return Ok(Err(format!("the anchor at {path} cannot be read")));
    };
    if anchor.tenant != tenant || anchored_at(tenant, path) != Some(anchor.head.sequence) {
        return Ok(Err(format!("the anchor at {path} is not the one that belongs there")));
    }
    if anchor.key == key_name(app) {
        let text = signed_text(tenant, &anchor.head);
        let signature = unhex(&anchor.signature);
        if hmac::verify(&app.signing_key, text.as_bytes(), &signature).is_err() {
            return Ok(Err(format!("the anchor at {path} is not signed by the key that it names")));
        }
    }
    Ok(Ok(anchor))
}

/// What this process has anchored: by tenant, the last entry and on which day. Only what is new has to be anchored, since
/// an anchor can never be taken back.
#[derive(Debug, Default)]
pub struct Anchored(HashMap<String, (u64, String)>);

impl Anchored {
    /// Anchors the head of every chain that has grown, or whose anchor has become old. Gives how many those were.
    ///
    /// # Errors
    /// Fails if a store does not answer; what was anchored before then counts.
    pub async fn anchor_all(&mut self, app: &App) -> Result<usize, Problem> {
        let mut count = 0;
        let mut from = "tenant#".to_owned();
        loop {
            let query =
                Query { pk: TENANTS.into(), from, to: "tenant#~".into(), descending: false, limit: 100 };
            let tenants = app.store.query(&query).await?;
            let Some(last) = tenants.last() else { return Ok(count) };
            from = format!("{}\0", last.key.sk);
            for item in &tenants {
                count += usize::from(self.anchor(app, item.key.sk.trim_start_matches("tenant#")).await?);
            }
        }
    }

    async fn anchor(&mut self, app: &App, tenant: &str) -> Result<bool, Problem> {
        let Some(item) = app.store.get(&head_key(tenant)).await? else { return Ok(false) };
        let head: Head = super::records::decode(&item)?;
        let now = rfc3339(app.clock.now_ms());
        let day = now.split('T').next().unwrap_or_default();
        let anchored = (head.sequence, day.to_owned());
        if self.0.get(tenant) == Some(&anchored) {
            return Ok(false);
        }
        anchor(app, tenant, head, day).await?;
        self.0.insert(tenant.to_owned(), anchored);
        Ok(true)
    }
}

/// Keeps a chain's head where the service cannot change it any more. What is there already stays: it is the same, or
/// [`verify`] says what it is.
async fn anchor(app: &App, tenant: &str, head: Head, day: &str) -> Result<(), Problem> {
    let path = anchor_path(tenant, head.sequence, day);
    let text = signed_text(tenant, &head);
    let signature = hex(hmac::sign(&app.signing_key, text.as_bytes()).as_ref());
    let key = key_name(app);
    let body = super::records::encode(&Anchor { tenant: tenant.to_owned(), head, key, signature })?;
    match app.anchors.put_opts(&path, body.into(), PutMode::Create.into()).await {
        Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn key_name(app: &App) -> String {
    hex(hmac::sign(&app.signing_key, b"name").as_ref()).get(..16).unwrap_or_default().to_owned()
}

/// The latest anchor, or what is wrong with it. One that another key signed counts all the same: nobody can change it, and
/// to pass over it would let whoever changes the key cut the chain.
///
/// It is looked for from the head on, and from ever further back. What lies behind the head is seen every
/// time, since that is what shows a chain that was cut together with its head.
async fn latest_anchor(
    app: &App,
    tenant: &str,
    head: u64,
) -> Result<Option<Result<Anchor, String>>, Problem> {
    let mut back = 0u64;
    let last = loop {
        let from = head.saturating_sub(back);
        let listed = app.anchors.list_with_offset(Some(&anchor_prefix(tenant)), &anchors_of(tenant, from));
        let last = listed
            .try_fold(None, |last, object| std::future::ready(Ok(last.max(Some(object.location)))))
            .await?;
        match last {
            Some(last) => break last,
            None if from == 0 => return Ok(None),
            None => back = back.saturating_mul(4).saturating_add(1),
        }
    };
    read_anchor(app, tenant, &last).await.map(Some)
}
