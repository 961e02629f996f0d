//! The list of a run's matches: objects of [`CHUNK`] matches each, one on a line.

use std::fmt::Display;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde::{Deserialize, Serialize, Serializer};

use super::lease::{LeasedRun, RunError};
use super::make::IN_FLIGHT;
use crate::engine::{MatchPlace, Outcome, Side};
use crate::report::table::ordered;
use crate::rules::Ruleset;
use crate::service::App;
use crate::service::digest::sha256;
use crate::service::error::Error;
use crate::service::records::{Amount, Entry, Match, NamedText};

/// Matches in one object.
const CHUNK: u64 = 2_000;

/// A match as it is kept: [`Match`] without the names of its fields, which would be half of the list.
type StoredMatch = (u64, String, String, Vec<StoredEntry>);

/// An entry as it is kept: [`Entry`] as a list of its values, with the currency once. The last three are not there in what
/// the release before has kept.
#[derive(Deserialize)]
struct StoredEntry {
    id: String,
    side: String,
    file: String,
    line: u64,
    booking_date: String,
    value_date: String,
    amount: String,
    currency: String,
    fee: String,
    reference: String,
    counterparty: String,
    group: String,
    description: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    details: String,
}

/// What is written as it is shown, without a copy of it.
struct Shown<T>(T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An entry of an outcome, as [`StoredEntry`] reads it.
fn stored_entry(outcome: &Outcome, side: Side, row: u32) -> impl Serialize {
    let set = outcome.set(side);
    (
        Shown(set.id(row)),
        side.name(),
        set.files().get(set.file(row)).map_or("", |file| &*file.name),
        set.line(row),
        Shown(set.booking(row)),
        Shown(set.value(row)),
        Shown(set.amount(row)),
        set.currency(row).code(),
        Shown(set.fee(row)),
        set.reference(row),
        set.counterparty(row),
        set.group(row),
        set.description(row),
        set.account(row),
        set.kind(row),
        set.details(row),
    )
}

fn shown_entry(kept: StoredEntry) -> Entry {
    Entry {
        id: kept.id,
        side: kept.side,
        file: kept.file,
        line: kept.line,
        booking_date: kept.booking_date,
        value_date: kept.value_date,
        amount: Amount { minor: kept.amount, currency: kept.currency.clone() },
        fee: Amount { minor: kept.fee, currency: kept.currency },
        reference: kept.reference,
        counterparty: kept.counterparty,
        group: kept.group,
        description: kept.description,
        account: kept.account,
        kind: kept.kind,
        details: NamedText::decode(&kept.details),
    }
}

/// Reads a kept list.
fn read_lines(bytes: &[u8]) -> serde_json::Result<Vec<Match>> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let shown = |line| {
        let (number, pass, rule, entries) = serde_json::from_slice::<StoredMatch>(line)?;
        Ok(Match { number, pass, rule, entries: entries.into_iter().map(shown_entry).collect() })
    };
    lines.map(shown).collect()
}

/// The lines of an object, whose first match has this number.
fn lines(
    outcome: &Outcome,
    ruleset: &Ruleset,
    first: u64,
    places: &[MatchPlace],
) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    for (number, place) in (first..).zip(places) {
        let view = outcome.match_at(*place);
        let pass = &ruleset.passes[view.pass];
        let left = view.left.iter().map(|row| stored_entry(outcome, Side::Left, *row));
        let right = view.right.iter().map(|row| stored_entry(outcome, Side::Right, *row));
        let entries: Vec<_> = left.chain(right).collect();
        serde_json::to_writer(&mut text, &(number, &*pass.name, pass.kind.name(), entries))?;
        text.push(b'\n');
    }
    Ok(text)
}

/// The object of a number, from 0.
fn path(tenant: &str, run: &str, chunk: u64) -> Path {
    Path::from(format!("matches/{}/{run}/{chunk:08}.ndjson", sha256(tenant.as_bytes())))
}

/// The matches that lie together with the one of a number.
///
/// # Errors
/// Fails if the file store does not answer.
pub async fn read_chunk(app: &App, tenant: &str, run: &str, number: u64) -> Result<Vec<Match>, Error> {
    let path = path(tenant, run, number.saturating_sub(1) / CHUNK);
    let bytes = app.files.get(&path).await?.bytes().await?;
    read_lines(&bytes).map_err(|_| Error::Internal("a list of matches cannot be read".into()))
}

impl LeasedRun<'_> {
    /// Keeps the matches. Some objects are on their way to the file store while the next ones are written; the progress
    /// says up to where all of them are there.
    pub async fn save_matches(
        &mut self,
        outcome: &Arc<Outcome>,
        ruleset: &Arc<Ruleset>,
    ) -> Result<(), RunError> {
        let broke_off = |_| RunError::Failed("writing the matches broke off".into());
        let given = Arc::clone(outcome);
        let places: Arc<[MatchPlace]> =
            tokio::task::spawn_blocking(move || ordered(&given).into()).await.map_err(broke_off)?;
        let total = places.len() as u64;
        let (app, tenant, run) = (self.app, self.tenant.clone(), self.run.id.clone());
        let chunks = self.run.progress.matches_saved / CHUNK..total.div_ceil(CHUNK);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let written = stream::iter(chunks).map(|chunk| {
            let (outcome, ruleset, places) = (Arc::clone(outcome), Arc::clone(ruleset), Arc::clone(&places));
            async move {
                let first = chunk * CHUNK;
                let range = first as usize..(first + CHUNK).min(total) as usize;
                let write = move || lines(&outcome, &ruleset, first + 1, &places[range]);
                let text = tokio::task::spawn_blocking(write).await.map_err(broke_off)?;
                Ok((chunk, text.map_err(|_| RunError::Failed("a match cannot be written".into()))?))
            }
        });
        let put = |(chunk, text): (u64, Vec<u8>)| {
            let path = path(&tenant, &run, chunk);
            async move {
                app.files.put(&path, text.into()).await?;
                Ok::<u64, RunError>(((chunk + 1) * CHUNK).min(total))
            }
        };
        let steps = written.buffered(threads).map_ok(put).try_buffered(IN_FLIGHT);
        self.save(steps, |progress| &mut progress.matches_saved).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list that the release before has kept.
    #[test]
    fn lists_of_the_release_before_are_read() {
        let matches = read_lines(include_bytes!("../../../tests/stored/matches-1.ndjson")).unwrap();
        assert_eq!(matches.len(), 6);
        let entry = &matches[0].entries[1];
        assert_eq!((entry.reference.as_str(), entry.amount.minor.as_str()), ("RENT-11", "-240000"));
        assert_eq!((entry.account.as_str(), entry.details.len()), ("", 0));
    }
}
