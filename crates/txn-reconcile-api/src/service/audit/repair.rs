//! What a restore leaves of a log is brought together, and it is recorded that it was.
//!
//! Three places know of a log: its head in the records, its entries, and its anchors, which no restore takes back. A restore
//! leaves each at a moment of its own. The log goes on behind the furthest of them: no place in a chain is ever given to a
//! second entry, and each anchor stays the anchor of the one that it was made of. The entries in between are gone, and the
//! entry that is written then says so. So does its anchor, and each later one, and [`verify`](super::verify) believes these
//! alone: whoever can write to the tables, and not to the anchors, cannot make a cut look like a restore.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde::Serialize;
use serde_json::json;

use super::{
    Anchor, Entry, Head, Repair, TENANTS, anchor_prefix, anchored_at, follow, head_key, latest_anchor,
    read_anchor, tenant_key,
};
use crate::service::App;
use crate::service::clock::rfc3339;
use crate::service::error::Error;
use crate::service::records::{decode, encode};
use crate::service::store::{AuditEntry, Expect, Query, StoreError, Write};

/// What was found of a log, and done about it.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whose log.
    pub tenant: String,
    /// The head that the records had; none if they know nothing of the log.
    pub head: Option<Head>,
    /// The last entry that is there; sequence 0, if none is.
    pub last_entry: Head,
    /// The latest anchor's head, if there is one.
    pub anchored: Option<Head>,
    /// What was repaired, each stretch of entries that are gone by itself. Nothing, if the log is whole.
    pub repairs: Vec<Repair>,
    /// Why the log was left as it is, though something is wrong with it.
    pub refused: Option<String>,
}

/// Every tenant whose log is known: those of the records, and those of the anchors.
///
/// # Errors
/// Fails only if a store does not answer.
pub async fn tenants(app: &App) -> Result<Vec<String>, Error> {
    let mut all = BTreeSet::new();
    let mut from = "tenant#".to_owned();
    loop {
        let query = Query { pk: TENANTS.into(), from, to: "tenant#~".into(), descending: false, limit: 100 };
        let found = app.store.query(&query).await?;
        let Some(last) = found.last() else { break };
        from = format!("{}\0", last.key.sk);
        all.extend(found.iter().map(|item| item.key.sk.trim_start_matches("tenant#").to_owned()));
    }
    let folders =
        app.anchors.list_with_delimiter(Some(&Path::from(contract::Bucket::Audit.prefix()))).await?;
    for folder in folders.common_prefixes {
        let mut anchors = app.anchors.list(Some(&folder));
        let Some(object) = anchors.try_next().await? else { continue };
        let bytes = app.anchors.get(&object.location).await?.bytes().await?;
        // An object of somebody else's is no anchor.
        if let Ok(anchor) = serde_json::from_slice::<Anchor>(&bytes)
            && anchor_prefix(&anchor.tenant) == folder
        {
            all.insert(anchor.tenant);
        }
    }
    Ok(all.into_iter().collect())
}

/// What the entries of a log hold.
struct LogRead {
    /// The last one.
    last: Head,
    /// Stretches that are gone and that no repair has told of: the first and the last entry, and the hash of the one after.
    gaps: Vec<(u64, u64, String)>,
    /// The hashes of the entries that are asked for, as far as they are known.
    hashes: BTreeMap<u64, String>,
}

/// Reads the whole log. What no restore leaves behind is an error of its own.
async fn hold(
    app: &App,
    tenant: &str,
    repairs: &[Repair],
    asked: &BTreeSet<u64>,
) -> Result<Result<LogRead, String>, Error> {
    let mut held = LogRead { last: Head::default(), gaps: Vec::new(), hashes: BTreeMap::new() };
    loop {
        let entries = app.store.audit(tenant, held.last.sequence + 1, 500).await?;
        if entries.is_empty() {
            return Ok(Ok(held));
        }
        for stored in entries {
            let next = held.last.sequence + 1;
            let entry: Option<Entry> = serde_json::from_slice(&stored.body).ok();
            if let Some(entry) = entry.as_ref().filter(|_| stored.sequence > next) {
                if !repairs.iter().any(|repair| repair.tells_of(next, stored.sequence, &entry.hash)) {
                    held.gaps.push((next, stored.sequence - 1, entry.hash.clone()));
                }
                held.last = Head { sequence: stored.sequence - 1, hash: entry.previous.clone() };
                note(&mut held, asked);
            }
            match follow(&held.last, stored.sequence, entry) {
                Ok(head) => held.last = head,
                Err(fault) => return Ok(Err(fault)),
            }
            note(&mut held, asked);
        }
    }
}

fn note(held: &mut LogRead, asked: &BTreeSet<u64>) {
    if asked.contains(&held.last.sequence) {
        held.hashes.insert(held.last.sequence, held.last.hash.clone());
    }
}

/// Anchors in a row that agree with the entries, before the rest is taken to. A service that writes after a restore and
/// before the repair makes anchors among those of the entries that were lost, so the first that agrees is not enough.
const AGREEING: usize = 1_000;

/// The first entry that is not the one that was anchored, if there is one; looked for from the end on.
async fn fork(
    app: &App,
    tenant: &str,
    anchors: &[(u64, Path)],
    held: &LogRead,
    repairs: &[Repair],
) -> Result<Result<Option<u64>, String>, Error> {
    let mut forked = None;
    let mut agreeing = 0;
    for (sequence, path) in anchors.iter().rev() {
        let overtaken = repairs.iter().any(|repair| repair.overtakes(*sequence));
        let Some(hash) = held.hashes.get(sequence).filter(|_| !overtaken) else { continue };
        match read_anchor(app, tenant, path).await? {
            Ok(anchor) if anchor.head.hash == *hash => agreeing += 1,
            Ok(_) => (forked, agreeing) = (Some(*sequence), 0),
            Err(fault) => return Ok(Err(fault)),
        }
        if agreeing == AGREEING {
            break;
        }
    }
    Ok(Ok(forked))
}

/// Brings a log, its head and its anchors together, if they are not. Nothing else may write to it meanwhile.
///
/// # Errors
/// Fails if a store does not answer, and with 409 if the log grew meanwhile.
pub async fn repair(app: &App, tenant: &str) -> Result<Report, Error> {
    let item = app.store.get(&head_key(tenant)).await?;
    let head: Option<Head> = item.as_ref().map(decode).transpose()?;
    let mut report = Report {
        tenant: tenant.to_owned(),
        head: head.clone(),
        last_entry: Head::default(),
        anchored: None,
        repairs: Vec::new(),
        refused: None,
    };
    let refused = |mut report: Report, fault: String| {
        report.refused = Some(format!("{fault}: no restore does that, so look for who did"));
        Ok(report)
    };
    let listed: Vec<Path> =
        app.anchors.list(Some(&anchor_prefix(tenant))).map_ok(|object| object.location).try_collect().await?;
    let mut anchors: Vec<(u64, Path)> =
        listed.into_iter().filter_map(|path| Some((anchored_at(tenant, &path)?, path))).collect();
    anchors.sort();
    let latest = match latest_anchor(app, tenant, head.as_ref().map_or(0, |head| head.sequence)).await? {
        Some(Err(fault)) => return refused(report, fault),
        found => found.and_then(Result::ok),
    };
    let known = latest.as_ref().map(|anchor| anchor.repairs.clone()).unwrap_or_default();
    let anchored = latest.map(|anchor| anchor.head);
    report.anchored.clone_from(&anchored);
    let asked = anchors.iter().map(|(sequence, _)| *sequence).chain(head.iter().map(|head| head.sequence));
    let held = match hold(app, tenant, &known, &asked.collect()).await? {
        Ok(held) => held,
        Err(fault) => return refused(report, fault),
    };
    report.last_entry = held.last.clone();
    let other = |head: &Head| held.hashes.get(&head.sequence).is_some_and(|hash| *hash != head.hash);
    if let Some(head) = head.as_ref().filter(|head| other(head)) {
        return refused(report, format!("entry {} is not the one that the head says", head.sequence));
    }
    let forked = match fork(app, tenant, &anchors, &held, &known).await? {
        Ok(forked) => forked,
        Err(fault) => return refused(report, fault),
    };
    let mut base = held.last.clone();
    for further in head.iter().chain(&anchored) {
        if further.sequence > base.sequence {
            base = further.clone();
        }
    }
    let at_end = head.clone().unwrap_or_default().sequence == base.sequence && base == held.last;
    if at_end && held.gaps.is_empty() && forked.is_none() {
        return Ok(report);
    }
    let content = json!({
        "at": rfc3339(app.clock.now_ms()),
        "actor": "service",
        "request": "repair-audit",
        "action": "audit.repair",
        "subject": tenant,
        "detail": {
            "head": head,
            "last_entry": held.last,
            "anchored": anchored,
            "gone": held.gaps.iter().map(|(from, to, _)| [*from, *to]).collect::<Vec<_>>(),
            "gone_at_end": [held.last.sequence + 1, base.sequence],
            "forked": forked,
        },
    });
    let (next, entry) = base.append(tenant, content.to_string())?;
    let told = |(from, to, hash): &(u64, u64, String)| Repair {
        sequence: next.sequence,
        from: *from,
        to: *to,
        next: hash.clone(),
        forked: None,
    };
    report.repairs = held.gaps.iter().map(told).collect();
    report.repairs.push(Repair {
        sequence: next.sequence,
        from: held.last.sequence + 1,
        to: base.sequence,
        next: next.hash.clone(),
        forked,
    });
    let repairs: Vec<Repair> = known.into_iter().chain(report.repairs.iter().cloned()).collect();
    write(app, tenant, item.map(|item| item.version), next, entry, repairs).await?;
    Ok(report)
}

/// The anchor first: if the rest fails, the next repair goes on behind it. The other way round a repair could be there that
/// no anchor tells of.
async fn write(
    app: &App,
    tenant: &str,
    version: Option<u64>,
    head: Head,
    entry: AuditEntry,
    repairs: Vec<Repair>,
) -> Result<(), Error> {
    let now = rfc3339(app.clock.now_ms());
    let day = now.split('T').next().unwrap_or_default();
    super::anchor(app, tenant, head.clone(), repairs, day).await?;
    let mut writes = Vec::new();
    if app.store.get(&tenant_key(tenant)).await?.is_none() {
        writes.push(Write::put(tenant_key(tenant), Expect::Absent, encode(&json!({ "tenant": tenant }))?));
    }
    let expect = version.map_or(Expect::Absent, Expect::Version);
    writes.push(Write::put(head_key(tenant), expect, encode(&head)?));
    match app.store.transact(writes, Some(entry)).await {
        Ok(()) => Ok(()),
        Err(StoreError::Conflict) => Err(Error::Conflict(
            "the log grew while it was repaired: stop the service, and repair it again".into(),
        )),
        Err(error) => Err(error.into()),
    }
}
