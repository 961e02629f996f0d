//! How a run goes on from the one before it, of the same pair of sources.
//!
//! What a run leaves open lies in an object beside its lists. The run that follows takes it up, but for what people have
//! resolved in between, and remembers that and all that was matched ([`matched_ids`]), so that a file which is sent again
//! does not bring it back. From when it has taken the entries up, nobody works on the breaks of the run before; when its own lists are
//! kept, it closes each of those breaks with a link to what became of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::{Value, json};

use super::lease::{LeasedRun, RunError};
use super::make::transactions;
use super::matched_ids;
use super::queue::BEFORE;
use crate::currency::Currency;
use crate::engine::carry::Forward;
use crate::engine::conserve::Tally;
use crate::engine::{Outcome, Side, carry};
use crate::entry::{EntryId, EntrySet};
use crate::service::App;
use crate::service::digest::sha256;
use crate::service::error::Error;
use crate::service::ledger::Effect;
use crate::service::records::{
    Amount, Break, BreakState, Link, ManualMatch, MatchState, Run, RunStatus, decode, encode, run_partition,
};
use crate::service::store::{Expect, Key, Query, Write};

/// Manual matches that are read at a time.
const PAGE: usize = 50;

/// What reports call the file of entries that were taken over.
const NAME: &str = "(carried forward)";

/// Counts and sums of one side, by currency.
pub type Sums = [BTreeMap<Currency, Tally>; 2];

/// What a run takes over.
pub struct CarryIn {
    /// The run before.
    from: String,
    /// The entries.
    pub sets: [EntrySet; 2],
    /// The breaks that they were, by side and identity.
    breaks: HashMap<(Side, EntryId), Open>,
    /// What they come to.
    opening: Sums,
    /// Where it is remembered what was matched.
    pub settled: matched_ids::Index,
}

/// A break of the run before that is not resolved.
struct Open {
    item: Break,
    key: Key,
    version: u64,
}

/// What became of a break.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum BreakOutcome {
    /// It stands in the match of this number.
    Matched(u64),
    /// It is the break of this number.
    Open(u64),
    /// It was booked after the cut-off, and waits for the next run.
    Waits,
    /// It takes no part any more.
    Aside,
}

/// What became of the breaks of the run before, by side and identity.
pub type BreakOutcomes = HashMap<(Side, EntryId), BreakOutcome>;

/// Where a run's open entries lie.
fn place(tenant: &str, run: &str) -> Path {
    Path::from(format!("carry/{}/{run}.ndjson", sha256(tenant.as_bytes())))
}

/// The run that another one goes on from: the one that it follows, or what that one followed if it came to nothing.
async fn before(app: &App, tenant: &str, run: &Run) -> Result<Option<(Run, u64)>, Error> {
    let mut follows = run.follows.clone();
    while let Some(id) = follows {
        let (found, version): (Run, u64) = app.read(&app.key(tenant, "run", &id)).await?;
        match found.status {
            RunStatus::Failed | RunStatus::Cancelled => follows = found.follows,
            RunStatus::Queued | RunStatus::Running | RunStatus::Completed => {
                return Ok(Some((found, version)));
            }
        }
    }
    Ok(None)
}

fn sums(sets: [&EntrySet; 2]) -> Sums {
    let mut sums = Sums::default();
    for (side, set) in Side::BOTH.into_iter().zip(sets) {
        set.rows().for_each(|row| {
            sums[side as usize].entry(set.currency(row)).or_default().add(set.amount(row), set.fee(row));
        });
    }
    sums
}

fn side_of(item: &Break) -> Side {
    if item.entry.side == Side::Left.name() { Side::Left } else { Side::Right }
}

fn untied(what: &str) -> RunError {
    RunError::Failed(format!("the books of the run before do not go on: {what}"))
}

impl LeasedRun<'_> {
    /// Takes over what the run before left open. From here on nobody works on its breaks.
    pub async fn carry_in(&mut self) -> Result<Option<CarryIn>, RunError> {
        let Some((before, version)) = before(self.app, &self.tenant, &self.run).await? else {
            return Ok(None);
        };
        match &before.followed_by {
            // Its turn comes when that one has ended, unless a replica of the release before had it.
            _ if before.status != RunStatus::Completed => {
                return Err(RunError::Later(BEFORE.into()));
            }
            // A dry run looks, and leaves everything as it is.
            _ if self.run.dry_run => {}
            Some(own) if *own == self.run.id => {}
            Some(_) => return Err(RunError::Failed("the run before is followed by another one".into())),
            None => {
                self.run.follows = Some(before.id.clone());
                let key = self.app.key(&self.tenant, "run", &before.id);
                let held = Run { followed_by: Some(self.run.id.clone()), ..before.clone() };
                self.keep_with(vec![Write::put(key, Expect::Version(version), encode(&held)?)]).await?;
            }
        }
        let breaks = self.breaks_of(&before).await?;
        let (app, path) = (self.app, place(&self.tenant, &before.id));
        let mut bytes = self.meanwhile(async { app.files.get(&path).await?.bytes().await }).await??;
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
        let settled = serde_json::from_slice(&bytes.split_to(end))
            .map_err(|_| untied("where matched entries are remembered cannot be read"))?;
        let bytes = bytes.slice(bytes.len().min(1)..);
        let resolved: BTreeSet<u64> = breaks
            .iter()
            .filter(|open| open.item.state == BreakState::Resolved)
            .map(|open| open.item.number)
            .collect();
        let read = tokio::task::spawn_blocking(move || {
            let text = std::str::from_utf8(&bytes).map_err(|error| error.to_string())?;
            carry::read_without(text, NAME, &resolved).map_err(|error| error.to_string())
        });
        let Forward { sets, entries } = read
            .await
            .map_err(|_| RunError::Failed("reading what was left open broke off".into()))?
            .map_err(|why| untied(&why))?;
        self.renew().await?;
        let opening = sums([&sets[0], &sets[1]]);
        let mut taken = HashMap::new();
        if breaks.len() as u64 != before.progress.breaks || entries.len() < breaks.len() {
            return Err(untied("breaks are missing"));
        }
        for (open, entry) in breaks.into_iter().zip(entries) {
            if (side_of(&open.item), open.item.entry.id.clone()) != (entry.0, entry.1.to_string()) {
                return Err(untied("a break is not the entry that was kept"));
            }
            if open.item.state != BreakState::Resolved {
                taken.insert(entry, open);
            }
        }
        Ok(Some(CarryIn { from: before.id, sets, breaks: taken, opening, settled }))
    }

    /// The breaks of a run, by number.
    async fn breaks_of(&mut self, run: &Run) -> Result<Vec<Open>, RunError> {
        let mut breaks = Vec::new();
        let mut from = "break#".to_owned();
        loop {
            let pk = run_partition(&self.tenant, &run.id);
            let query = Query { pk, from, to: "break#~".into(), descending: false, limit: 500 };
            let items = self.app.store.query(&query).await?;
            let Some(last) = items.last() else { return Ok(breaks) };
            from = format!("{}\0", last.key.sk);
            for item in items {
                let version = item.version;
                breaks.push(Open { item: decode(&item)?, key: item.key, version });
            }
            self.renew().await?;
        }
    }

    /// Keeps what the next run goes on from: on the first line where it is remembered what was matched, then what is open.
    pub async fn carry_out(
        &mut self,
        outcome: &Arc<Outcome>,
        carried: Option<&CarryIn>,
    ) -> Result<(), RunError> {
        let settled = carried.map(|carried| carried.settled.clone()).unwrap_or_default();
        let settled = self.remember(settled, outcome).await?;
        let mut text = serde_json::to_string(&settled)
            .map_err(|_| RunError::Failed("what was matched cannot be remembered".into()))?;
        text.push('\n');
        text.push_str(&carry::write_open(outcome));
        let path = place(&self.tenant, &self.run.id);
        self.meanwhile(self.app.files.put(&path, text.into())).await??;
        self.renew().await
    }

    /// Closes the breaks of the run before. When this has begun, the run can only be completed.
    pub async fn close_before(
        &mut self,
        carried: &CarryIn,
        outcomes: &BreakOutcomes,
    ) -> Result<(), RunError> {
        self.run.closing = true;
        self.stage("closing").await?;
        let mut open: Vec<(&(Side, EntryId), &Open)> = carried.breaks.iter().collect();
        open.sort_unstable_by_key(|(_, open)| open.item.number);
        let from = usize::try_from(self.run.progress.carried_closed).unwrap_or(usize::MAX);
        let mut open = open.get(from..).unwrap_or_default();
        let run = self.run.id.clone();
        let became = |entry| outcomes.get(entry).copied().unwrap_or(BreakOutcome::Aside);
        let writes = open.iter().map(|(entry, open)| {
            let closed = closed(&open.item, became(entry), &run);
            Ok(Write::put(open.key.clone(), Expect::Version(open.version), encode(&closed)?))
        });
        for writes in transactions(writes) {
            let writes = writes?;
            let (batch, rest) = open.split_at(writes.len());
            open = rest;
            let detail: Vec<Value> = batch
                .iter()
                .map(|(entry, open)| {
                    let (state, number) = became(entry).state();
                    json!([open.item.number, state, number])
                })
                .collect();
            self.run.progress.carried_closed += batch.len() as u64;
            let detail = json!({ "by": run, "breaks": detail });
            self.commit("breaks.close", &carried.from, detail, writes).await?;
            self.version += 1;
        }
        self.lapse(&carried.from).await
    }

    /// Manual matches of the run before that nobody has approved come to nothing: their breaks have gone on.
    async fn lapse(&mut self, before: &str) -> Result<(), RunError> {
        let pk = run_partition(&self.tenant, before);
        let mut from = "manual#".to_owned();
        loop {
            let query = Query { pk: pk.clone(), from, to: "manual#~".into(), descending: false, limit: PAGE };
            let items = self.app.store.query(&query).await?;
            let Some(last) = items.last() else { return Ok(()) };
            from = format!("{}\0", last.key.sk);
            let (mut writes, mut lapsing) = (Vec::new(), Vec::new());
            for item in &items {
                let made: ManualMatch = decode(item)?;
                if made.state == MatchState::Proposed {
                    lapsing.push(made.id.clone());
                    let lapsed = ManualMatch { state: MatchState::Lapsed, ..made };
                    writes.push(Write::put(
                        item.key.clone(),
                        Expect::Version(item.version),
                        encode(&lapsed)?,
                    ));
                }
            }
            if !writes.is_empty() {
                self.commit("match.lapse", before, json!({ "matches": lapsing }), writes).await?;
                self.version += 1;
            }
        }
    }

    /// Makes an effect of this run, for as long as it is held.
    async fn commit(
        &self,
        action: &'static str,
        subject: &str,
        detail: Value,
        mut writes: Vec<Write>,
    ) -> Result<(), RunError> {
        writes.push(self.put()?);
        let (tenant, request) = (&self.tenant, &self.run.id);
        let effect = Effect {
            tenant,
            actor: "worker",
            request,
            peer: None,
            action,
            subject,
            detail,
            writes,
            answer: None,
        };
        Ok(self.app.commit(effect).await?)
    }
}

impl BreakOutcome {
    /// The state of a break that has met it, and the number of what it became.
    fn state(self) -> (BreakState, Option<u64>) {
        match self {
            Self::Matched(number) => (BreakState::MatchedLater, Some(number)),
            Self::Open(number) => (BreakState::Carried, Some(number)),
            Self::Waits => (BreakState::Carried, None),
            Self::Aside => (BreakState::SetAside, None),
        }
    }
}

/// A break of the run before, as it is when it is closed.
fn closed(item: &Break, became: BreakOutcome, run: &str) -> Break {
    let (state, number) = became.state();
    Break { state, became: Some(Link { run: run.to_owned(), number }), ..item.clone() }
}

impl CarryIn {
    /// What a run comes to that has these entries of its own.
    pub fn whole(&self, own: [&EntrySet; 2]) -> Sums {
        let mut whole = sums(own);
        for (all, opening) in whole.iter_mut().zip(&self.opening) {
            for (currency, tally) in opening {
                let sum = all.entry(*currency).or_default();
                *sum = sum.plus(*tally);
            }
        }
        whole
    }

    /// Checks that the opening entries and the new ones are those that the run has accounted for, and that each break of
    /// the run before has become something; answers what.
    pub fn check(&self, whole: &Sums, outcome: &Outcome) -> Result<BreakOutcomes, RunError> {
        for (whole, accounts) in whole.iter().zip(&outcome.conservation.accounts) {
            let booked = accounts.iter().map(|(currency, account)| (currency, account.total));
            if !whole.iter().map(|(currency, tally)| (currency, *tally)).eq(booked) {
                return Err(untied("opening and new entries are not those that were matched"));
            }
        }
        let outcomes = self.break_outcomes(outcome);
        if outcomes.len() == self.breaks.len() {
            Ok(outcomes)
        } else {
            Err(untied("an entry has come to nothing"))
        }
    }

    /// What became of each break.
    fn break_outcomes(&self, outcome: &Outcome) -> BreakOutcomes {
        let mut outcomes = HashMap::with_capacity(self.breaks.len());
        let mut note = |side: Side, row: u32, became: BreakOutcome| {
            let entry = (side, outcome.set(side).id(row));
            if self.breaks.contains_key(&entry) {
                outcomes.insert(entry, became);
            }
        };
        for side in Side::BOTH {
            outcome.set(side).ignored().iter().for_each(|(row, _)| note(side, *row, BreakOutcome::Aside));
        }
        for (side, row) in carry::waiting(outcome) {
            note(side, row, BreakOutcome::Waits);
        }
        for (number, place) in (1..).zip(crate::report::table::ordered(outcome)) {
            let view = outcome.match_at(place);
            for (side, rows) in [(Side::Left, view.left), (Side::Right, view.right)] {
                rows.iter().for_each(|row| note(side, *row, BreakOutcome::Matched(number)));
            }
        }
        for (number, item) in (1..).zip(&outcome.breaks) {
            note(item.side, item.row, BreakOutcome::Open(number));
        }
        outcomes
    }

    /// Makes the break of this run what it was in the run before: whose it is, what was said and what is proposed.
    pub fn go_on(&self, side: Side, id: EntryId, item: &mut Break) {
        let Some(Open { item: old, .. }) = self.breaks.get(&(side, id)) else { return };
        item.carried_from = Some(Link { run: self.from.clone(), number: Some(old.number) });
        item.owner.clone_from(&old.owner);
        item.comments.clone_from(&old.comments);
        // A manual match was one of breaks of the run before.
        if let Some(resolution) = old.resolution.as_ref().filter(|one| one.manual_match.is_none())
            && old.state == BreakState::Proposed
        {
            item.state = BreakState::Proposed;
            item.resolution = Some(resolution.clone());
        }
    }

    /// What the summary says of it.
    pub fn summary(&self, outcomes: &BreakOutcomes) -> Value {
        let count =
            |wanted: fn(&BreakOutcome) -> bool| outcomes.values().filter(|became| wanted(became)).count();
        let mut opening = json!({});
        for (side, sums) in Side::BOTH.into_iter().zip(&self.opening) {
            for (currency, tally) in sums {
                opening[side.name()][currency.code()] =
                    json!({ "count": tally.count, "sum": Amount::new(tally.sum, *currency) });
            }
        }
        let (matched, open) = (
            count(|became| matches!(became, BreakOutcome::Matched(_))),
            count(|became| matches!(became, BreakOutcome::Open(_))),
        );
        let waits = count(|became| *became == BreakOutcome::Waits);
        json!({
            "from": self.from,
            "opening": opening,
            "breaks": self.breaks.len(),
            "matched": matched,
            "open": open,
            "after_cut_off": waits,
            "set_aside": self.breaks.len() - matched - open - waits,
        })
    }
}
