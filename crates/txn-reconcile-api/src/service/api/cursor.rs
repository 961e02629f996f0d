//! Keyset cursors: where a list goes on and when it was begun, signed, so that nobody makes one up or takes another
//! list's. A list is that of its first page: what was made since is left out, and what was changed since is shown as it
//! is now and named, so that nothing is passed over that was in it.

use std::collections::HashSet;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::App;
use super::super::audit::{self, Head};
use super::super::problem::Problem;
use super::super::records::{decode, run_partition, tenant};
use super::super::store::{Item, Query};
use super::{Call, Page};

/// Bytes of the signature that are kept.
const SIGNATURE: usize = 16;

fn signed(app: &App, scope: &str, position: &str) -> Vec<u8> {
    let text = format!("cursor\n{scope}\n{position}");
    hmac::sign(&app.signing_key, text.as_bytes()).as_ref()[..SIGNATURE].to_vec()
}

/// A cursor for a list that was begun when the log ended at an entry, and goes on from a place.
pub fn seal(app: &App, scope: &str, begun: u64, from: &str) -> String {
    let position = format!("{begun}\n{from}");
    let mut bytes = signed(app, scope, &position);
    bytes.extend_from_slice(position.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// When the list of a call's cursor was begun, and where it goes on.
pub fn open(app: &App, scope: &str, call: &Call) -> Result<Option<(u64, String)>, Problem> {
    let Some(text) = call.query.get("cursor") else { return Ok(None) };
    let refused = || Problem::bad_request("the cursor is not one of this list");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let (signature, position) = bytes.split_at_checked(SIGNATURE).ok_or_else(refused)?;
    let position = std::str::from_utf8(position).map_err(|_| refused())?;
    aws_lc_rs::constant_time::verify_slices_are_equal(signature, &signed(app, scope, position))
        .map_err(|_| refused())?;
    let (begun, from) = position.split_once('\n').ok_or_else(refused)?;
    Ok(Some((begun.parse().map_err(|_| refused())?, from.to_owned())))
}

/// Entries of the log at most that a page looks through for what has changed since the first one.
const CHANGES_MAX: u64 = 5_000;

/// What has been made and changed since a list was begun, as the tenant's audit log tells it: every effect is there, in
/// the order of the effects, whatever any clock said.
#[derive(Default)]
struct Since {
    /// The last entry of the log when the first page was read.
    begun: u64,
    /// The last one that was looked at.
    read: u64,
    made: HashSet<String>,
    changed: HashSet<String>,
}

/// What an entry of the log is about.
#[derive(Deserialize)]
struct Content {
    action: String,
    subject: String,
    detail: Value,
}

impl Since {
    fn new(begun: u64) -> Self {
        Self { begun, read: begun, ..Self::default() }
    }

    /// Looks at what has been added to the log.
    async fn read_on(&mut self, app: &App, tenant: &str) -> Result<(), Problem> {
        loop {
            let entries = app.store.audit(tenant, self.read + 1, 500).await?;
            for stored in &entries {
                let entry: Option<audit::Entry> = serde_json::from_slice(&stored.body).ok();
                let content = entry.and_then(|entry| serde_json::from_str(&entry.content).ok());
                self.note(content.ok_or_else(|| Problem::internal("an audit entry cannot be read"))?);
                self.read = stored.sequence;
            }
            if entries.len() < 500 {
                return Ok(());
            }
            if self.read > self.begun + CHANGES_MAX {
                return Err(Problem::conflict(format!(
                    "more than {CHANGES_MAX} things have been done since the list was begun; begin it again"
                )));
            }
        }
    }

    fn note(&mut self, content: Content) {
        let run = content.subject.split('/').next().unwrap_or_default();
        let breaks = content.detail["breaks"].as_array().into_iter().flatten();
        // A number, or a list that begins with it.
        let breaks = breaks.filter_map(|one| one.as_u64().or_else(|| one[0].as_u64()));
        let matches = content.detail["matches"].as_array().into_iter().flatten();
        let matches = matches.filter_map(|one| one.as_str().map(str::to_owned));
        let others = breaks.map(|number| number.to_string()).chain(matches);
        self.changed.extend(others.map(|name| format!("{run}/{name}")));
        let made = content.action.ends_with(".create") || content.action == "match.propose";
        if made { &mut self.made } else { &mut self.changed }.insert(content.subject);
    }
}

/// A list: the items of a partition whose sort keys begin with a prefix.
pub struct List<'a> {
    /// The partition.
    pub pk: String,
    /// What the sort keys begin with.
    pub prefix: &'static str,
    /// The run whose items these are.
    pub run: Option<&'a str>,
}

impl List<'_> {
    /// Of the tenant of a call.
    pub fn of(call: &Call, prefix: &'static str) -> Self {
        Self { pk: tenant(&call.who.tenant), prefix, run: None }
    }

    /// Of a run of the tenant of a call.
    pub fn of_run<'a>(call: &Call, run: &'a str, prefix: &'static str) -> List<'a> {
        List { pk: run_partition(&call.who.tenant, run), prefix, run: Some(run) }
    }

    /// What an item is called in the log, and in its list.
    fn name(&self, item: &Item) -> (String, String) {
        let name = item.key.sk.strip_prefix(self.prefix).unwrap_or_default().trim_start_matches('0');
        let whole = self.run.map_or_else(|| name.to_owned(), |run| format!("{run}/{name}"));
        (whole, name.to_owned())
    }

    async fn read(&self, app: &App, from: String, limit: usize) -> Result<Vec<Item>, Problem> {
        let to = format!("{}~", self.prefix);
        let query = Query { pk: self.pk.clone(), from, to, descending: false, limit };
        Ok(app.store.query(&query).await?)
    }

    /// A page, as far as `keep` lets items through, which is told whether one has changed since the first page: whether
    /// it was let through then cannot be told any more.
    pub async fn page<T: DeserializeOwned, U>(
        &self,
        app: &App,
        call: &Call,
        mut keep: impl FnMut(T, bool) -> Option<U>,
    ) -> Result<Page<U>, Problem> {
        let limit = call.number("limit", 100, 500)?;
        // What a filter would show differently is part of the list's name.
        let filters: Vec<String> = call
            .query
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "limit" | "cursor"))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let scope = format!("{}\n{}\n{}", self.pk, self.prefix, filters.join("\n"));
        let mut page = Page { items: Vec::new(), changed: Vec::new(), next: None };
        let (begun, mut from) = if let Some(begun) = open(app, &scope, call)? {
            begun
        } else {
            // A list that is read at once needs no log.
            let whole = self.read(app, self.prefix.to_owned(), limit).await?;
            if whole.len() < limit {
                for item in whole {
                    page.items.extend(keep(decode(&item)?, false));
                }
                return Ok(page);
            }
            (head(app, call).await?, self.prefix.to_owned())
        };
        let mut since = Since::new(begun);
        // A filter that lets little through ends the page early, with a cursor, instead of reading on for ever.
        for _ in 0..20 {
            let found = self.read(app, from.clone(), limit).await?;
            since.read_on(app, &call.who.tenant).await?;
            let last = found.len() < limit;
            for item in found {
                from = format!("{}\0", item.key.sk);
                let (whole_name, name) = self.name(&item);
                if since.made.contains(&whole_name) {
                    continue;
                }
                let changed = since.changed.contains(&whole_name);
                if let Some(kept) = keep(decode(&item)?, changed) {
                    page.items.push(kept);
                    page.changed.extend(changed.then_some(name));
                }
                if page.items.len() == limit {
                    page.next = Some(seal(app, &scope, begun, &from));
                    return Ok(page);
                }
            }
            if last {
                return Ok(page);
            }
        }
        page.next = Some(seal(app, &scope, begun, &from));
        Ok(page)
    }
}

/// The last entry of the log of a call's tenant.
pub async fn head(app: &App, call: &Call) -> Result<u64, Problem> {
    let item = app.store.get(&audit::head_key(&call.who.tenant)).await?;
    let head: Option<Head> = item.as_ref().map(decode).transpose()?;
    Ok(head.unwrap_or_default().sequence)
}
