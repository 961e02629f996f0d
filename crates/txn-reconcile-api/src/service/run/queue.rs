//! Whose turn it is.
//!
//! The runs of a tenant that have not ended stand in its line, one item, in the order in which they were asked for. A
//! worker may take up the first of each pair of sources, and only so many of a tenant at the same time: those are due in
//! the store's index, each from when its turn came. So the index holds a few runs of each tenant, the tenants are served
//! in turn, and however many runs one has asked for, they wait behind one another and not before those of others. Whatever
//! ends a run takes it out of the line, and makes the next one due, in the same transaction.
//!
//! Large runs have a queue of their own, so that small ones are made beside them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::service::App;
use crate::service::error::Error;
use crate::service::records::{Run, RunStatus, decode, encode};
use crate::service::store::{Due, Expect, Item, Key, StoreError, Write};

/// The lines that somebody waits in. One that nobody has changed for [`STALE_MS`] is looked at: a run may have ended
/// without a word of it, under a replica of the release before or in a restore.
pub const LINES: &str = "run-lines";

const STALE_MS: u64 = 300_000;

/// Entries of a small run at most, by what its statements hold.
const SMALL_ENTRIES_MAX: u64 = 50_000;

/// Runs that become due in one transaction at most, along with the claims of one that starts or fails.
const PROMOTED_MAX: usize = 4;

/// What a run waits for behind another one of the same sources.
pub const BEFORE: &str = "the run before it has not ended";

/// What it waits for otherwise.
const OTHERS: &str = "as many runs of the tenant are made as may be at the same time";

/// How many runs a tenant may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// That have not ended.
    pub queued: usize,
    /// That are made at the same time, of each lane.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queued: 500, at_once: 2 }
    }
}

/// Which queue a run waits in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// That of runs of more than [`SMALL_ENTRIES_MAX`] entries.
    Large,
    /// That of the others.
    Small,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 2] = [Self::Large, Self::Small];

    /// That of a run. One of the release before does not say how large it is.
    #[must_use]
    pub fn of(run: &Run) -> Self {
        if run.entries.is_some_and(|entries| entries <= SMALL_ENTRIES_MAX) {
            Self::Small
        } else {
            Self::Large
        }
    }

    /// The name of its queue.
    #[must_use]
    pub const fn queue(self) -> &'static str {
        match self {
            Self::Large => "runs",
            Self::Small => "runs-small",
        }
    }
}

/// A tenant's runs that have not ended, in the order in which they were asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Runs(Vec<Waiting>);

/// A run in its line.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Waiting {
    run: String,
    /// Its pair of sources.
    pair: String,
    lane: Lane,
    /// Whether its turn has come.
    due: bool,
}

fn pair(run: &Run) -> String {
    format!("{}#{}", run.left.source, run.right.source)
}

impl Runs {
    /// Lets those have their turn whose turn it is; gives which.
    fn promote(&mut self, at_once: usize) -> Vec<String> {
        let mut made = [0, 0];
        self.0.iter().filter(|one| one.due).for_each(|one| made[one.lane as usize] += 1);
        let (mut pairs, mut promoted) = (BTreeSet::new(), Vec::new());
        for one in &mut self.0 {
            // Behind every earlier one of its pair.
            let first = pairs.insert(one.pair.clone());
            let made = &mut made[one.lane as usize];
            if first && !one.due && *made < at_once && promoted.len() < PROMOTED_MAX {
                one.due = true;
                *made += 1;
                promoted.push(one.run.clone());
            }
        }
        promoted
    }

    fn is_waited_in(&self) -> bool {
        self.0.iter().any(|one| !one.due)
    }
}

/// A tenant's line, as it was read.
pub struct Line<'a> {
    app: &'a App,
    tenant: &'a str,
    key: Key,
    version: Option<u64>,
    runs: Runs,
}

impl<'a> Line<'a> {
    /// Reads a tenant's line, without runs that have ended behind its back.
    pub async fn read(app: &'a App, tenant: &'a str) -> Result<Self, Error> {
        let key = app.key(tenant, "run-line", "");
        let item = app.store.get(&key).await?;
        let mut runs: Runs = item.as_ref().map(decode).transpose()?.unwrap_or_default();
        let mut ended = BTreeSet::new();
        for one in runs.0.iter().filter(|one| one.due) {
            let run = app.store.get(&app.key(tenant, "run", &one.run)).await?;
            let run: Option<Run> = run.as_ref().map(decode).transpose()?;
            if run.is_none_or(|run| !matches!(run.status, RunStatus::Queued | RunStatus::Running)) {
                ended.insert(one.run.clone());
            }
        }
        runs.0.retain(|one| !ended.contains(&one.run));
        Ok(Self { app, tenant, key, version: item.map(|item| item.version), runs })
    }

    /// Puts a new run at the end, due if it is its turn, along with what makes others due; the first write is the run's.
    ///
    /// # Errors
    /// Refuses it if the line is full.
    pub async fn enter(mut self, run: &mut Run) -> Result<Vec<Write>, Error> {
        let limits = self.app.runs;
        if self.runs.0.len() >= limits.queued {
            return Err(Error::QueueFull(format!(
                "the tenant has {} runs that have not ended, and may have no more; ask again when some have",
                limits.queued
            )));
        }
        let (pair, lane) = (pair(run), Lane::of(run));
        let behind = self.runs.0.iter().any(|one| one.pair == pair);
        self.runs.0.push(Waiting { run: run.id.clone(), pair, lane, due: false });
        let mut promoted = self.runs.promote(limits.at_once);
        let due = promoted.contains(&run.id);
        promoted.retain(|one| *one != run.id);
        if !due {
            run.progress.waits_for = Some(if behind { BEFORE } else { OTHERS }.into());
        }
        let mut writes = vec![Write::Put {
            key: self.app.key(self.tenant, "run", &run.id),
            expect: Expect::Absent,
            body: encode(run)?,
            due: due.then(|| Due { queue: lane.queue().into(), at: self.app.clock.now_ms() }),
            expires_at: None,
        }];
        writes.extend(self.writes(&promoted).await?);
        Ok(writes)
    }

    /// Takes out a run that ends.
    pub async fn leave(mut self, run: &str) -> Result<Vec<Write>, Error> {
        let before = self.runs.0.len();
        self.runs.0.retain(|one| one.run != run);
        let promoted = self.runs.promote(self.app.runs.at_once);
        // One of the release before stands in no line.
        if self.runs.0.len() == before && promoted.is_empty() {
            return Ok(Vec::new());
        }
        self.writes(&promoted).await
    }

    /// What keeps the line, and makes runs due.
    async fn writes(self, promoted: &[String]) -> Result<Vec<Write>, Error> {
        let Self { app, tenant, key, version, runs } = self;
        let now = app.clock.now_ms();
        let mut writes = Vec::new();
        for run in promoted {
            let key = app.key(tenant, "run", run);
            let (mut run, version): (Run, u64) = app.read(&key).await?;
            run.progress.waits_for = None;
            writes.push(Write::Put {
                key,
                expect: Expect::Version(version),
                body: encode(&run)?,
                due: Some(Due { queue: Lane::of(&run).queue().into(), at: now }),
                expires_at: None,
            });
        }
        match version {
            Some(version) if runs.0.is_empty() => writes.push(Write::Delete { key, version }),
            None if runs.0.is_empty() => {}
            _ => writes.push(Write::Put {
                key,
                expect: version.map_or(Expect::Absent, Expect::Version),
                body: encode(&runs)?,
                due: runs.is_waited_in().then(|| Due { queue: LINES.into(), at: now + STALE_MS }),
                expires_at: None,
            }),
        }
        Ok(writes)
    }
}

/// Looks at a line that nobody has changed for a while.
///
/// # Errors
/// Fails if the store does not answer.
pub async fn look_after(app: &App, item: &Item) -> Result<(), StoreError> {
    let Some(tenant) = item.key.pk.strip_prefix("tenant#") else { return Ok(()) };
    let looking = async {
        let mut line = Line::read(app, tenant).await?;
        let promoted = line.runs.promote(app.runs.at_once);
        line.writes(&promoted).await
    };
    let writes: Result<Vec<Write>, Error> = looking.await;
    match writes {
        Ok(writes) => match app.store.transact(writes, None).await {
            Ok(()) => {
                app.wake.all();
                Ok(())
            }
            // Somebody has changed it.
            Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        },
        Err(Error::Unavailable(why)) => Err(StoreError::Unavailable(why)),
        Err(error) => {
            tracing::error!(tenant, "a tenant's line of runs cannot be looked after: {error}");
            Ok(())
        }
    }
}

/// How many runs wait for a worker, and for how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Runs whose turn has come and that nobody has taken up: at most 1,000 of each lane are counted.
    pub runs: u64,
    /// Seconds since the turn of the one came that has waited for the longest time; 0 where none waits.
    pub oldest_seconds: u64,
}

/// Looks how many runs wait for a worker.
///
/// # Errors
/// Fails if the store does not answer.
pub async fn depth(app: &App) -> Result<Depth, StoreError> {
    let now = app.clock.now_ms();
    let mut depth = Depth::default();
    for lane in Lane::ALL {
        let due = app.store.list_due(lane.queue(), now, 1_000).await?;
        depth.runs += due.len() as u64;
        let oldest = due.iter().filter_map(|item| item.due.as_ref()).map(|due| due.at).min().unwrap_or(now);
        depth.oldest_seconds = depth.oldest_seconds.max(now.saturating_sub(oldest) / 1000);
    }
    Ok(depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(runs: &[(&str, &str, Lane)]) -> Runs {
        let waiting = |(run, pair, lane): &(&str, &str, Lane)| Waiting {
            run: (*run).to_owned(),
            pair: (*pair).to_owned(),
            lane: *lane,
            due: false,
        };
        Runs(runs.iter().map(waiting).collect())
    }

    #[test]
    fn runs_of_a_pair_come_one_behind_another_and_few_of_a_tenant_at_once() {
        use Lane::{Large, Small};
        let mut runs = line(&[
            ("a1", "a", Small),
            ("a2", "a", Small),
            ("b1", "b", Large),
            ("c1", "c", Small),
            ("d1", "d", Small),
            ("e1", "e", Large),
            ("f1", "f", Large),
        ]);
        assert_eq!(runs.promote(2), ["a1", "b1", "c1", "e1"], "two of each size, none of one pair twice");
        assert!(runs.promote(2).is_empty());
        runs.0.retain(|one| one.run != "a1");
        assert_eq!(runs.promote(2), ["a2"], "in the order in which they were asked for");
        runs.0.retain(|one| one.run != "c1");
        assert_eq!(runs.promote(2), ["d1"]);
        assert!(runs.is_waited_in());
        runs.0.retain(|one| one.run != "b1");
        assert_eq!(runs.promote(2), ["f1"]);
        assert!(!runs.is_waited_in());
    }
}
