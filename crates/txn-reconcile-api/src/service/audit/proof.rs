//! The proof that an entry stands in the log as it was anchored, for somebody who may not see the other entries.
//!
//! It holds the entry and, of each one after it up to an anchor, the SHA-256 of its content. With them the chain is
//! recomputed (as [`Entry::hash`] says) from the entry to the anchored hash; how many there are says where the entry stands.

use std::sync::Arc;

use axum::body::Body;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;
use object_store::path::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Anchor, Entry, Head, Repair, anchor_group, anchored_at, anchors_of, chained, group_of, latest_anchor,
    read_anchor, stored_head,
};
use crate::service::App;
use crate::service::digest::sha256;
use crate::service::error::Error;

/// The proof of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Whose log.
    pub tenant: String,
    /// The entry.
    pub entry: Entry,
    /// What the digests lead to: the first anchored head at the entry or after it, or, while there is none, the log's end.
    pub head: Head,
    /// The anchor of that head; absent while nothing anchors it, and then the proof shows nothing to whoever does not
    /// trust the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchored>,
    /// SHA-256 of the content of each entry after this one up to the head, in hexadecimal.
    pub digests: Vec<String>,
}

/// What an anchor holds besides the tenant and the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Anchored {
    /// Where it lies in the bucket under Object Lock.
    pub path: String,
    /// Which key signed it.
    pub key: String,
    /// The signature (HMAC-SHA-256), in hexadecimal.
    pub signature: String,
}

/// An entry of a tenant's log.
///
/// # Errors
/// Fails with 404 if it is not there.
pub async fn entry(app: &App, tenant: &str, sequence: u64) -> Result<Entry, Error> {
    let found = app.store.audit(tenant, sequence, 1).await?;
    let found = found.first().filter(|entry| entry.sequence == sequence);
    let found = found.ok_or_else(|| Error::NotFound("the log has no such entry".into()))?;
    serde_json::from_slice(&found.body).map_err(|_| Error::Internal("an audit entry cannot be read".into()))
}

/// An entry's proof, as JSON that is written while the digests are read: however far the anchor is, a page of the log is
/// held at a time. What is broken off is no JSON.
///
/// # Errors
/// Fails with 404 if there is no such entry, and with 409 if the log ends before its anchor.
pub async fn prove(app: &Arc<App>, tenant: &str, sequence: u64) -> Result<Body, Error> {
    let entry = entry(app, tenant, sequence).await?;
    let known = stored_head(app, tenant).await?;
    let repairs = match latest_anchor(app, tenant, known.sequence).await? {
        Some(Ok(latest)) => latest.repairs,
        _ => Vec::new(),
    };
    let anchored = first_anchor(app, tenant, sequence, known.sequence, &repairs).await?;
    // Read after the anchor, because the chain may have grown and been anchored in between.
    let end = stored_head(app, tenant).await?;
    let (head, anchor) = match anchored {
        None => (end, None),
        Some((_, Anchor { head, .. })) if head.sequence > end.sequence => {
            let gone = format!("entry {} was anchored and is gone; verify the log", head.sequence);
            return Err(Error::Conflict(gone));
        }
        Some((path, Anchor { head, key, signature, .. })) => (head, Some(Anchored { path, key, signature })),
    };
    for repair in repairs.iter().filter(|repair| sequence < repair.to && repair.to < head.sequence) {
        let last = app.store.audit(tenant, repair.to, 1).await?;
        if last.first().is_none_or(|entry| entry.sequence != repair.to) {
            return Err(Error::Conflict(format!(
                "entries {} to {} were lost by a restore, and no anchor before them speaks for this one",
                repair.from, repair.to
            )));
        }
    }
    let digests = Digests {
        app: Arc::clone(app),
        tenant: tenant.to_owned(),
        first: sequence + 1,
        next: sequence + 1,
        end: head.sequence,
    };
    let proof = Proof { tenant: tenant.to_owned(), entry, head, anchor, digests: Vec::new() };
    let text = serde_json::to_string(&proof).ok();
    let opening = text.as_deref().and_then(|text| text.strip_suffix("]}")).map(str::to_owned);
    let opening = opening.ok_or_else(|| Error::Internal("a proof cannot be written".into()))?;
    let pages = stream::try_unfold(digests, |mut digests| async move {
        let text = digests.page().await.map_err(std::io::Error::other)?;
        Ok::<_, std::io::Error>(text.map(|text| (text, digests)))
    });
    let parts = [opening].map(Ok).into_iter();
    Ok(Body::from_stream(stream::iter(parts).chain(pages).chain(stream::iter([Ok("]}".to_owned())]))))
}

/// Entries that are read at a time.
const PAGE: u64 = 500;

/// The digests of a proof.
struct Digests {
    app: Arc<App>,
    tenant: String,
    first: u64,
    next: u64,
    end: u64,
}

impl Digests {
    async fn page(&mut self) -> Result<Option<String>, Error> {
        if self.next > self.end {
            return Ok(None);
        }
        let limit = PAGE.min(self.end - self.next + 1) as usize;
        let entries = self.app.store.audit(&self.tenant, self.next, limit).await?;
        let mut text = String::with_capacity(entries.len() * 67);
        for stored in &entries {
            let entry: Option<Entry> = serde_json::from_slice(&stored.body).ok();
            let entry = entry.filter(|_| stored.sequence == self.next);
            let entry = entry.ok_or_else(|| Error::Internal("an audit entry is missing".into()))?;
            text.push_str(if self.next == self.first { "\"" } else { ",\"" });
            text.push_str(&sha256(entry.content.as_bytes()));
            text.push('"');
            self.next += 1;
        }
        if entries.is_empty() {
            Err(Error::Internal("an audit entry is missing".into()))
        } else {
            Ok(Some(text))
        }
    }
}

/// The first anchor at an entry or after it, and its path. One request lists a group of anchors, and the first group
/// mostly has one, since heads are anchored soon after they have grown.
async fn first_anchor(
    app: &App,
    tenant: &str,
    sequence: u64,
    head: u64,
    repairs: &[Repair],
) -> Result<Option<(String, Anchor)>, Error> {
    let speaks = |path: &Path| {
        let anchored = anchored_at(tenant, path);
        anchored.is_none_or(|anchored| !repairs.iter().any(|repair| repair.overtakes(anchored)))
    };
    let least = anchors_of(tenant, sequence);
    for group in group_of(sequence)..=group_of(head) {
        let listed: Vec<ObjectMeta> =
            app.anchors.list(Some(&anchor_group(tenant, group))).try_collect().await?;
        let first = listed
            .into_iter()
            .map(|object| object.location)
            .filter(|path| *path >= least && speaks(path))
            .min();
        if let Some(path) = first {
            let anchor = read_anchor(app, tenant, &path).await?;
            let anchor = anchor.map_err(|fault| Error::Conflict(format!("{fault}; verify the log")))?;
            return Ok(Some((path.to_string(), anchor)));
        }
    }
    Ok(None)
}

/// What was found of a proof, with nothing but the proof and, perhaps, the anchor.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Whether everything that was checked holds.
    pub holds: bool,
    /// What does not.
    pub fault: Option<&'static str>,
    /// Whose log.
    pub tenant: String,
    /// The entry's place in it.
    pub sequence: u64,
    /// The head that it leads to.
    pub head: Head,
    /// What was not checked.
    pub not_checked: Vec<&'static str>,
}

impl Proof {
    /// Recomputes the chain from the entry to the head, and holds that against the anchor as whoever checks has fetched it
    /// from the bucket.
    #[must_use]
    pub fn check(&self, fetched: Option<&Anchor>) -> Finding {
        let fault = self.chain_fault().or_else(|| fetched.and_then(|anchor| self.anchor_fault(anchor)));
        let mut not_checked = Vec::new();
        if fetched.is_none() {
            not_checked.push(match self.anchor {
                Some(_) => {
                    "that the head was anchored: fetch the object of the anchor's path from the bucket under Object Lock and give it as --anchor; without it anybody can have made up the whole proof"
                }
                None => {
                    "that the head was anchored: nothing anchors it yet; ask for the proof again in some minutes. Anybody can have made up the whole proof"
                }
            });
        }
        not_checked
            .push("the anchor's signature, which takes the service's signing key: verify-audit checks it");
        Finding {
            holds: fault.is_none(),
            fault,
            tenant: self.tenant.clone(),
            sequence: self.entry.sequence,
            head: self.head.clone(),
            not_checked,
        }
    }

    fn chain_fault(&self) -> Option<&'static str> {
        let Entry { sequence, content, previous, hash } = &self.entry;
        if chained(previous, &sha256(content.as_bytes())) != *hash {
            return Some("the entry's hash is not that of its content behind the entry before");
        }
        if *sequence == 0 || sequence.checked_add(self.digests.len() as u64) != Some(self.head.sequence) {
            return Some("there is not one digest for each entry from this one to the head");
        }
        if *sequence == 1 && *previous != Head::default().hash {
            return Some("the first entry follows another one");
        }
        let reached = self.digests.iter().fold(hash.clone(), |previous, digest| chained(&previous, digest));
        if reached != self.head.hash {
            return Some("the digests do not lead from the entry to the head");
        }
        let there = |anchor: &Anchored| anchored_at(&self.tenant, &Path::from(&*anchor.path));
        if self.anchor.as_ref().is_some_and(|anchor| there(anchor) != Some(self.head.sequence)) {
            return Some("the anchor's path is not that of this tenant and head");
        }
        None
    }

    fn anchor_fault(&self, fetched: &Anchor) -> Option<&'static str> {
        let Anchor { tenant, head, key, signature, .. } = fetched;
        if (tenant, head) != (&self.tenant, &self.head) {
            return Some("the anchor that was fetched is of another tenant or head");
        }
        let same = |own: &Anchored| (&own.key, &own.signature) == (key, signature);
        if !self.anchor.as_ref().is_none_or(same) {
            return Some("the anchor that was fetched has another key or signature than the proof says");
        }
        None
    }
}
