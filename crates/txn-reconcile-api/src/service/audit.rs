//! The audit log: a hash chain for each tenant.
//!
//! An entry's hash covers its content and the hash before it, so that no entry can be changed, taken out or put in
//! unnoticed. That the end was cut off shows only against an anchor kept elsewhere ([`anchor`]). It covers the content by
//! its digest, so that an entry can be proved without showing the others ([`proof`]). A restore of the database loses entries
//! that were anchored; [`repair`] goes on from what is left, and the anchors say so from then on.

pub mod proof;
pub mod repair;

use std::collections::HashMap;

use aws_lc_rs::hmac;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::clock::rfc3339;
use super::digest::{hex, sha256, unhex};
use super::error::Error;
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
    pub fn append(&self, chain: &str, content: String) -> Result<(Self, AuditEntry), Error> {
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
    /// Entries that are gone, each of which a repair has told of.
    pub missing: u64,
    /// What was repaired after a restore, as the latest anchor tells: nobody can take it back.
    pub repairs: Vec<Repair>,
    /// The head that was recomputed.
    pub head: Head,
    /// The anchor that it was held against, if there is one.
    pub anchored: Option<Head>,
    /// Whether the present signing key signed that anchor; false from a change of the key to the next anchor.
    pub anchor_signed: Option<bool>,
    /// What is wrong.
    pub fault: Option<String>,
    /// What to send as `cursor` to go on: the entries up to `head` hold, and the later ones have not been looked at yet.
    /// Absent when all of them have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How far a verification has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// The last entry that was checked.
    pub head: Head,
    /// Entries before it that are gone, and told of.
    pub missing: u64,
}

/// Recomputes a chain and holds it against its head and its latest anchor.
///
/// # Errors
/// Fails only if a store does not answer.
pub async fn verify(app: &App, tenant: &str) -> Result<Verdict, Error> {
    Ok(verify_from(app, tenant, Reached::default(), u64::MAX).await?.0)
}

/// Recomputes so many entries of a chain behind those that were checked before; tells how far it has come if there are
/// more. What can only be told of the whole, whether its end is there, is told with the last of them.
///
/// # Errors
/// Fails only if a store does not answer.
pub async fn verify_from(
    app: &App,
    tenant: &str,
    from: Reached,
    entries: u64,
) -> Result<(Verdict, Option<Reached>), Error> {
    let known = stored_head(app, tenant).await?;
    let (anchor, damaged) = match latest_anchor(app, tenant, known.sequence).await? {
        Some(Err(fault)) => (None, Some(fault)),
        found => (found.and_then(Result::ok), None),
    };
    let anchored = anchor.as_ref().map(|anchor| &anchor.head);
    let repairs = anchor.as_ref().map(|anchor| anchor.repairs.clone()).unwrap_or_default();
    // Read after the anchor, because the chain may have grown and been anchored in between.
    let stored = stored_head(app, tenant).await?;
    let enough = from.head.sequence.saturating_add(entries);
    let mut verdict = walk(&*app.store, tenant, from, stored.sequence, enough, anchored, &repairs).await?;
    let reached = Reached { head: verdict.head.clone(), missing: verdict.missing };
    let more = verdict.intact && (enough..stored.sequence).contains(&reached.head.sequence);
    if !more
        && verdict.intact
        && (verdict.head.sequence, &verdict.head.hash) != (stored.sequence, &stored.hash)
    {
        verdict.intact = false;
        verdict.fault = Some(format!(
            "the chain ends at {} and its head says {}",
            verdict.head.sequence, stored.sequence
        ));
    }
    if let (true, Some(anchored)) = (verdict.intact && !more, anchored)
        && anchored.sequence > verdict.head.sequence
    {
        verdict.intact = false;
        verdict.fault = Some(format!("entry {} was anchored and is gone", anchored.sequence));
    }
    if let (true, Some(_)) = (verdict.intact, &damaged) {
        verdict.intact = false;
        verdict.fault = damaged;
    }
    verdict.repairs = repairs;
    let own = key_name(app);
    (verdict.anchored, verdict.anchor_signed) =
        anchor.map(|Anchor { head, key, .. }| (head, key == own)).unzip();
    Ok((verdict, more.then_some(reached)))
}

async fn stored_head(app: &App, tenant: &str) -> Result<Head, Error> {
    let item = app.store.get(&head_key(tenant)).await?;
    item.as_ref().map_or_else(|| Ok(Head::default()), super::records::decode)
}

async fn walk(
    store: &dyn Store,
    tenant: &str,
    from: Reached,
    to: u64,
    enough: u64,
    anchor: Option<&Head>,
    repairs: &[Repair],
) -> Result<Verdict, Error> {
    let Reached { mut head, mut missing } = from;
    let verdict = |head: Head, missing: u64, fault: Option<String>| Verdict {
        intact: fault.is_none(),
        entries: head.sequence - missing,
        missing,
        repairs: Vec::new(),
        head,
        anchored: None,
        anchor_signed: None,
        fault,
        next: None,
    };
    let other = |head: &Head| {
        let there = anchor.filter(|anchor| anchor.sequence == head.sequence && anchor.hash != head.hash);
        there.map(|_| format!("entry {} is not the one that was anchored", head.sequence))
    };
    while head.sequence < to {
        let mut entries = store.audit(tenant, head.sequence + 1, 500).await?;
        entries.retain(|entry| entry.sequence <= to);
        if entries.is_empty() {
            break;
        }
        for stored in entries {
            if head.sequence >= enough {
                return Ok(verdict(head, missing, None));
            }
            let next = head.sequence + 1;
            let read: Result<Entry, _> = serde_json::from_slice(&stored.body);
            if let Some((gone, entry)) =
                stored.sequence.checked_sub(next).filter(|gone| *gone > 0).zip(read.as_ref().ok())
                && repairs.iter().any(|repair| repair.tells_of(next, stored.sequence, &entry.hash))
            {
                head = Head { sequence: stored.sequence - 1, hash: entry.previous.clone() };
                missing += gone;
                if let Some(fault) = other(&head) {
                    return Ok(verdict(head, missing, Some(fault)));
                }
            } else if stored.sequence != next {
                return Ok(verdict(head, missing, Some(format!("entry {next} is missing"))));
            }
            match follow(&head, stored.sequence, read.ok()) {
                Ok(next) => head = next,
                Err(fault) => return Ok(verdict(head, missing, Some(fault))),
            }
            if let Some(fault) = other(&head) {
                return Ok(verdict(head, missing, Some(fault)));
            }
        }
    }
    Ok(verdict(head, missing, None))
}

/// The head behind an entry that follows a head, or what is wrong with it.
fn follow(head: &Head, sequence: u64, entry: Option<Entry>) -> Result<Head, String> {
    let Some(entry) = entry else { return Err(format!("entry {sequence} cannot be read")) };
    if entry.sequence != sequence || entry.previous != head.hash {
        return Err(format!("entry {sequence} does not follow the one before"));
    }
    if chained(&entry.previous, &sha256(entry.content.as_bytes())) != entry.hash {
        return Err(format!("entry {sequence} was changed"));
    }
    Ok(Head { sequence, hash: entry.hash })
}

/// What a [repair](repair::repair) told of a log. It stands in the anchor of the entry that records it and in every later one,
/// so that no entry by itself can say that others may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repair {
    /// The entry that records it.
    pub sequence: u64,
    /// The first entry that is gone.
    pub from: u64,
    /// The last entry that is gone; one less than `from` where none is.
    pub to: u64,
    /// The hash of the entry after `to`.
    pub next: String,
    /// The first entry that an anchor knows otherwise, because the service wrote after the restore and before the repair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked: Option<u64>,
}

impl Repair {
    /// Whether it tells that entries from one on are gone, up to one of this sequence and hash.
    fn tells_of(&self, missing: u64, next: u64, hash: &str) -> bool {
        self.from <= missing && self.to.checked_add(1) == Some(next) && self.next == hash
    }

    /// Whether an anchor of that entry speaks of what the log no longer holds.
    fn overtakes(&self, anchored: u64) -> bool {
        (self.forked.unwrap_or(self.from)..=self.to).contains(&anchored)
    }
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
    /// HMAC-SHA-256 over tenant, sequence, hash and repairs, in hexadecimal.
    pub signature: String,
    /// What has been repaired of the log so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Repair>,
}

fn signed_text(tenant: &str, head: &Head, repairs: &[Repair]) -> String {
    let mut text = format!("anchor\n{tenant}\n{}\n{}", head.sequence, head.hash);
    for Repair { sequence, from, to, next, forked } in repairs {
        text.push_str(&format!("\nrepair {sequence} {from} {to} {next} {}", forked.unwrap_or(0)));
    }
    text
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
async fn read_anchor(app: &App, tenant: &str, path: &Path) -> Result<Result<Anchor, String>, Error> {
    let bytes = app.anchors.get(path).await?.bytes().await?;
    let Ok(anchor) = serde_json::from_slice::<Anchor>(&bytes) else {
        return Ok(Err(format!("the anchor at {path} cannot be read")));
    };
    if anchor.tenant != tenant || anchored_at(tenant, path) != Some(anchor.head.sequence) {
        return Ok(Err(format!("the anchor at {path} is not the one that belongs there")));
    }
    if anchor.key == key_name(app) {
        let text = signed_text(tenant, &anchor.head, &anchor.repairs);
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
    pub async fn anchor_all(&mut self, app: &App) -> Result<usize, Error> {
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

    async fn anchor(&mut self, app: &App, tenant: &str) -> Result<bool, Error> {
        let Some(item) = app.store.get(&head_key(tenant)).await? else { return Ok(false) };
        let head: Head = super::records::decode(&item)?;
        let now = rfc3339(app.clock.now_ms());
        let day = now.split('T').next().unwrap_or_default();
        let anchored = (head.sequence, day.to_owned());
        if self.0.get(tenant) == Some(&anchored) {
            return Ok(false);
        }
        // What was repaired stands in the latest anchor, and in the next one too.
        let from = self.0.get(tenant).map_or(head.sequence, |(sequence, _)| *sequence);
        let repairs = match latest_anchor(app, tenant, from).await? {
            Some(Ok(latest)) => latest.repairs,
            Some(Err(fault)) => {
                tracing::error!(tenant, "an audit log's latest anchor is damaged: {fault}");
                Vec::new()
            }
            None => Vec::new(),
        };
        anchor(app, tenant, head, repairs, day).await?;
        self.0.insert(tenant.to_owned(), anchored);
        Ok(true)
    }
}

/// Keeps a chain's head where the service cannot change it any more. What is there already stays: it is the same, or
/// [`verify`] says what it is.
async fn anchor(app: &App, tenant: &str, head: Head, repairs: Vec<Repair>, day: &str) -> Result<(), Error> {
    let path = anchor_path(tenant, head.sequence, day);
    let text = signed_text(tenant, &head, &repairs);
    let signature = hex(hmac::sign(&app.signing_key, text.as_bytes()).as_ref());
    let key = key_name(app);
    let body = super::records::encode(&Anchor { tenant: tenant.to_owned(), head, key, signature, repairs })?;
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
async fn latest_anchor(app: &App, tenant: &str, head: u64) -> Result<Option<Result<Anchor, String>>, Error> {
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
