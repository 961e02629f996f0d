//! What has been matched, remembered for [`REMEMBERED_DAYS`]: identities by side and booking day.
//!
//! The identities of a day lie together in an object of the run that has last added to the day, and an index says where.
//! A run reads the days of its statements, writes the days that it adds to, one at a time, and hands on where the others
//! lie. So it never holds more than its statements ask for, however much is remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use contract::REMEMBERED_DAYS;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use super::lease::{LeasedRun, RunError};
use crate::date::Date;
use crate::engine::carry::newly_settled;
use crate::engine::{Outcome, Side};
use crate::entry::{EntryId, EntrySet};
use crate::service::App;
use crate::service::digest::sha256;

/// Bytes of an identity.
const ID_BYTES: u64 = 16;

/// Where the identities of a day lie.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredIds {
    /// The run whose object holds them.
    run: String,
    /// The first byte.
    from: u64,
    /// How many identities, in ascending order.
    count: u64,
}

/// Where the identities of every day lie, by side and day (`2026-11-02`).
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Index([BTreeMap<String, StoredIds>; 2]);

fn object(tenant: &str, run: &str) -> Path {
    Path::from(format!("settled/{}/{run}", sha256(tenant.as_bytes())))
}

/// The identities of a day. An object that is gone was older than the bucket keeps statements, which is as long as
/// entries are remembered unless somebody wants it shorter.
async fn read(app: &App, tenant: &str, place: &StoredIds) -> Result<Vec<EntryId>, RunError> {
    let range = place.from..place.from + place.count * ID_BYTES;
    let bytes = match app.files.get_range(&object(tenant, &place.run), range).await {
        Ok(bytes) => bytes,
        Err(Error::NotFound { path, .. }) => {
            tracing::warn!("{path} has expired, and what it held of matched entries is forgotten");
            Bytes::new()
        }
        Err(error) => return Err(error.into()),
    };
    let ids = bytes.as_chunks().0.iter().map(|id| EntryId(u128::from_be_bytes(*id)));
    Ok(ids.collect())
}

impl LeasedRun<'_> {
    async fn day(&mut self, place: &StoredIds) -> Result<Vec<EntryId>, RunError> {
        let (app, tenant) = (self.app, self.tenant.clone());
        self.meanwhile(read(app, &tenant, place)).await?
    }

    /// Tells the statements' sets what has been matched of their days.
    pub async fn recall(&mut self, index: &Index, sets: [&mut EntrySet; 2]) -> Result<(), RunError> {
        for (set, places) in sets.into_iter().zip(&index.0) {
            let days: BTreeSet<Date> = set.rows().map(|row| set.booking(row)).collect();
            for day in days {
                let Some(place) = places.get(&day.to_string()) else { continue };
                let ids = self.day(place).await?;
                for id in ids {
                    set.settle(day, id);
                }
                self.renew().await?;
            }
        }
        Ok(())
    }

    /// Keeps what this run has matched, or was settled by hand before it, with what was remembered of the same days.
    /// Answers where everything lies that is remembered now.
    pub async fn remember(&mut self, mut index: Index, outcome: &Arc<Outcome>) -> Result<Index, RunError> {
        let oldest = outcome.as_of.days() - i32::from(REMEMBERED_DAYS);
        let own = object(&self.tenant, &self.run.id);
        let mut target = BufWriter::new(Arc::clone(&self.app.files), own);
        let mut from = 0;
        for side in Side::BOTH {
            let places = &mut index.0[side as usize];
            let days = newly_settled(outcome, side);
            for (day, rows) in days.into_iter().filter(|(day, _)| day.days() >= oldest) {
                let before = match places.get(&day.to_string()) {
                    Some(place) => self.day(place).await?,
                    None => Vec::new(),
                };
                let known = before.len();
                let given = Arc::clone(outcome);
                let union = tokio::task::spawn_blocking(move || union(&given, side, day, before, &rows));
                let ids =
                    union.await.map_err(|_| RunError::Failed("remembering matches broke off".into()))?;
                let count = ids.len() as u64 / ID_BYTES;
                if count == known as u64 {
                    continue;
                }
                let place = StoredIds { run: self.run.id.clone(), from, count };
                from += ids.len() as u64;
                places.insert(day.to_string(), place);
                self.meanwhile(target.put(ids.into())).await??;
                self.renew().await?;
            }
            places.retain(|day, _| Date::parse_iso(day.as_bytes()).is_some_and(|day| day.days() >= oldest));
        }
        if from > 0 {
            let ended = self.meanwhile(target.shutdown()).await?;
            ended.map_err(|error| Error::Generic { store: "settled", source: Box::new(error) })?;
        }
        Ok(index)
    }
}

/// The identities of a day in ascending order, each once: those of before, those that the set remembers and those of rows.
fn union(outcome: &Outcome, side: Side, day: Date, before: Vec<EntryId>, rows: &[u32]) -> Vec<u8> {
    let set = outcome.set(side);
    let mut ids = before;
    ids.extend(set.settled().get(&day).into_iter().flatten());
    ids.extend(rows.iter().map(|row| set.id(*row)));
    ids.sort_unstable();
    ids.dedup();
    ids.iter().flat_map(|id| id.0.to_be_bytes()).collect()
}
