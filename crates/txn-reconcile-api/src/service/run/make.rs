//! Makes a run: reads its statements, takes over what the run before left open, matches, and keeps the lists.
//!
//! The engine gives the same result for the same input, so a run that is taken over is matched again and its lists are
//! kept on from where the one before had come to; the digest shows that the result is the same.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::future::{Either, ready, select};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::json;
use tokio::sync::watch;
use tracing::{Instrument, info_span};

use super::carry::CarryIn;
use super::lease::{LEASE_MS, LeasedRun, RunError};
use crate::date::Date;
use crate::engine::conserve::Tally;
use crate::engine::{self, Options, Outcome, Side};
use crate::entry::EntrySet;
use crate::formats::Reader;
use crate::rules::file::Sign;
use crate::rules::{self, Ruleset};
use crate::service::App;
use crate::service::digest::hex;
use crate::service::records::{
    Amount, Break, BreakState, Entry, NamedText, Near, Progress, RunStatus, Source, Statement, StoredRuleset,
    break_key, encode,
};
use crate::service::store::{
    BODY_BYTES_MAX, Expect, Key, Query, StoreError, TRANSACTION_BYTES_MAX, WRITES_MAX, Write,
};

/// How often the progress of a list is kept at most: what a reader sees, and what a worker that takes over need not do
/// again.
const NOTE_MS: u64 = 200;

/// What is on its way to a store at a time, of a list that is being kept.
pub const IN_FLIGHT: usize = 8;

/// Writes of a list in one transaction: an effect adds the run, the head of the audit chain and the tenant.
const BATCH: usize = WRITES_MAX - 3;

/// Bytes of a list in one transaction.
const BATCH_BYTES: usize = TRANSACTION_BYTES_MAX - 3 * BODY_BYTES_MAX;

impl LeasedRun<'_> {
    /// Makes the run, and ends it well.
    pub async fn make(&mut self) -> Result<(), RunError> {
        self.run.progress.bytes_read = 0;
        self.stage("reading").await?;
        let (ruleset, _): (StoredRuleset, u64) =
            self.app.read(&self.app.key(&self.tenant, "ruleset", &self.run.ruleset)).await?;
        let ruleset = rules::load(&ruleset.toml)
            .map_err(|_| RunError::Failed("the ruleset does not load any more".into()))?;
        let ruleset = Arc::new(ruleset);
        let mut left = self.side(Side::Left, &ruleset).instrument(info_span!("read left")).await?;
        let mut right = self.side(Side::Right, &ruleset).instrument(info_span!("read right")).await?;
        let mut carried = self.carry_in().instrument(info_span!("carry in")).await?;
        let whole = carried.as_ref().map(|carried| carried.whole([&left, &right]));
        if let Some(carried) = &mut carried {
            let recalling = self.recall(&carried.settled, [&mut left, &mut right]);
            recalling.instrument(info_span!("recall matched")).await?;
            for (set, open) in [&mut left, &mut right].into_iter().zip(std::mem::take(&mut carried.sets)) {
                set.append(open).map_err(|full| RunError::Failed(full.to_string()))?;
            }
        }
        self.stage("matching").await?;
        let outcome = Arc::new(self.compute(left, right, &ruleset).instrument(info_span!("match")).await?);
        let mut followed = None;
        if let (Some(carried), Some(whole)) = (&carried, &whole) {
            followed = Some((carried, carried.check(whole, &outcome)?));
        }
        // A dry run takes over what is open now, which may be less the next time.
        let before = self.run.progress.digest.as_ref().filter(|_| !self.run.dry_run);
        if before.is_some_and(|before| *before != outcome.digest) {
            return Err(RunError::Failed("matching again gave another result".into()));
        }
        let progress = &mut self.run.progress;
        progress.digest = Some(outcome.digest.clone());
        progress.matches = outcome.match_count() as u64;
        progress.breaks = outcome.breaks.len() as u64;
        self.stage("saving").await?;
        if !self.run.dry_run {
            self.save_matches(&outcome, &ruleset).instrument(info_span!("save matches")).await?;
            self.save_breaks(&outcome, carried.as_ref()).instrument(info_span!("save breaks")).await?;
            self.carry_out(&outcome, carried.as_ref()).instrument(info_span!("carry out")).await?;
        }
        let mut summary = summary(&outcome, &ruleset);
        if let Some((carried, fates)) = &followed {
            summary["carried"] = carried.summary(fates);
            if !self.run.dry_run {
                self.close_before(carried, fates).instrument(info_span!("close before")).await?;
            }
        }
        self.run.summary = Some(summary);
        self.run.status = RunStatus::Completed;
        self.run.progress.stage = "done".into();
        self.end("run.complete").await
    }

    /// Matches, beside the threads that answer requests.
    async fn compute(
        &mut self,
        left: EntrySet,
        right: EntrySet,
        ruleset: &Arc<Ruleset>,
    ) -> Result<Outcome, RunError> {
        let date = |text: &Option<String>| text.as_deref().and_then(|text| Date::parse_iso(text.as_bytes()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let options = Options { as_of: date(&self.run.as_of), cut_off: date(&self.run.cut_off), threads };
        let given = Arc::clone(ruleset);
        let matching = tokio::task::spawn_blocking(move || engine::reconcile(left, right, &given, &options));
        self.meanwhile(matching)
            .await?
            .map_err(|_| RunError::Failed("the engine broke off".into()))?
            .map_err(|error| RunError::Failed(error.to_string()))
    }

    pub async fn stage(&mut self, stage: &str) -> Result<(), RunError> {
        stage.clone_into(&mut self.run.progress.stage);
        self.keep().await
    }

    /// Reads the statements of a side.
    async fn side(&mut self, side: Side, ruleset: &Ruleset) -> Result<EntrySet, RunError> {
        let (wanted, rules) = match side {
            Side::Left => (self.run.left.clone(), &ruleset.left),
            Side::Right => (self.run.right.clone(), &ruleset.right),
        };
        let app = self.app;
        let (source, _): (Source, u64) = app.read(&app.key(&self.tenant, "source", &wanted.source)).await?;
        let mut all = EntrySet::default();
        for statement in &wanted.statements {
            let (statement, _): (Statement, u64) =
                app.read(&app.key(&self.tenant, "statement", statement)).await?;
            // What the source says goes before what the ruleset says.
            let mut options = source.read_options(app.upload_limit_bytes)?;
            options.format = options.format.or(rules.format);
            options.mapping = options.mapping.or_else(|| rules.mapping.clone());
            options.negate |= rules.sign == Sign::Negate;
            let mut reader = Reader::new(&statement.name, options);
            reader.expect_bytes(statement.bytes);
            let mut digest = Context::new(&SHA256);
            let place = Path::from(statement.object.as_str());
            let mut stream = self.meanwhile(app.files.get(&place)).await??.into_stream();
            while let Some(chunk) = self.meanwhile(stream.next()).await? {
                let chunk = chunk?;
                self.run.progress.bytes_read += chunk.len() as u64;
                digest.update(&chunk);
                reader = tokio::task::spawn_blocking(move || reader.push(&chunk).map(|()| reader))
                    .await
                    .map_err(|_| RunError::Failed("reading broke off".into()))?
                    .map_err(|error| RunError::Failed(format!("{}: {error}", statement.id)))?;
                self.renew().await?;
            }
            // A file that was cut or changed reads as well as one that was not.
            if hex(digest.finish().as_ref()) != statement.sha256 {
                let why = "its file in the store is not the one that was sent";
                return Err(RunError::Failed(format!("{}: {why}", statement.id)));
            }
            let report =
                reader.finish().map_err(|error| RunError::Failed(format!("{}: {error}", statement.id)))?;
            if report.collector.cards_count > 0 {
                return Err(RunError::Failed(format!("{}: it holds card data", statement.id)));
            }
            all.append(report.collector.entries).map_err(|full| RunError::Failed(full.to_string()))?;
        }
        Ok(all)
    }

    /// Keeps the breaks, as items, some transactions at a time.
    async fn save_breaks(&mut self, outcome: &Outcome, carried: Option<&CarryIn>) -> Result<(), RunError> {
        let (app, tenant, run) = (self.app, self.tenant.clone(), self.run.id.clone());
        let from = usize::try_from(self.run.progress.breaks_saved).unwrap_or(usize::MAX);
        let items = (1..).zip(&outcome.breaks).skip(from).map(|(number, item)| {
            let mut shown = shown_break(outcome, item, number);
            if let Some(carried) = carried {
                carried.go_on(item.side, outcome.set(item.side).id(item.row), &mut shown);
            }
            Ok::<Write, RunError>(Write::put(
                break_key(&tenant, &run, number),
                Expect::Absent,
                encode(&shown)?,
            ))
        });
        let mut reached = self.run.progress.breaks_saved;
        let put = stream::iter(transactions(items)).map_ok(|writes| put_absent(app, writes));
        let steps = put.try_buffered(IN_FLIGHT).map_ok(move |count| {
            reached += count;
            reached
        });
        self.save(steps, |progress| &mut progress.breaks_saved).await
    }

    /// Keeps a list by steps, each of which says up to where the list is there; and the progress, now and then. The steps
    /// go on meanwhile: one that waits half-way, while nobody polls it, holds a connection to PostgreSQL, and progress
    /// needs one too.
    pub async fn save(
        &mut self,
        steps: impl Stream<Item = Result<u64, RunError>>,
        saved: fn(&mut Progress) -> &mut u64,
    ) -> Result<(), RunError> {
        let (reach, mut reached) = watch::channel(*saved(&mut self.run.progress));
        let steps = steps.try_for_each(|to| {
            reach.send_replace(to);
            ready(Ok(()))
        });
        let mut steps = pin!(steps);
        loop {
            let mut ended = tokio::select! {
                biased;
                done = &mut steps => Some(done),
                _ = reached.changed() => None,
                () = self.app.clock.sleep(LEASE_MS / 3) => None,
            };
            *saved(&mut self.run.progress) = *reached.borrow_and_update();
            if ended.is_none() && self.app.clock.now_ms() >= self.renewed + NOTE_MS {
                let keeping = pin!(self.keep());
                match select(&mut steps, keeping).await {
                    Either::Left((done, keeping)) => {
                        keeping.await?;
                        ended = Some(done);
                    }
                    Either::Right((kept, _)) => kept?,
                }
            }
            if let Some(done) = ended {
                done?;
                *saved(&mut self.run.progress) = *reached.borrow();
                return self.keep().await;
            }
        }
    }
}

/// Puts breaks of a run. Whoever makes the run makes the same breaks of it, so one that is there has been put before, by
/// this worker or by one that has lost the run, and stays as it is: people may work on it by now.
async fn put_absent(app: &App, mut writes: Vec<Write>) -> Result<u64, RunError> {
    let count = writes.len() as u64;
    match app.store.transact(writes.clone(), None).await {
        Err(StoreError::Conflict) => {}
        done => return Ok(done.map(|()| count)?),
    }
    let (Some(first), Some(last)) = (writes.first(), writes.last()) else { return Ok(count) };
    let query = Query {
        pk: first.key().pk.clone(),
        from: first.key().sk.clone(),
        to: format!("{}~", last.key().sk),
        descending: false,
        limit: writes.len(),
    };
    let there: HashSet<Key> = app.store.query(&query).await?.into_iter().map(|item| item.key).collect();
    writes.retain(|write| !there.contains(write.key()));
    if !writes.is_empty() {
        app.store.transact(writes, None).await?;
    }
    Ok(count)
}

/// Groups writes, so that each group fits into a transaction along with the run and what an effect writes.
pub fn transactions<'a>(
    writes: impl Iterator<Item = Result<Write, RunError>> + Send + 'a,
) -> Box<dyn Iterator<Item = Result<Vec<Write>, RunError>> + Send + 'a> {
    let mut writes = writes.peekable();
    Box::new(std::iter::from_fn(move || {
        writes.peek()?;
        let (mut count, mut bytes) = (0, 0);
        let mut fits = |next: &Result<Write, RunError>| {
            count += 1;
            bytes += next.as_ref().map_or(0, Write::bytes);
            count == 1 || count <= BATCH && bytes <= BATCH_BYTES
        };
        Some(std::iter::from_fn(|| writes.next_if(&mut fits)).collect())
    }))
}

fn entry(outcome: &Outcome, side: Side, row: u32) -> Entry {
    let set = outcome.set(side);
    let currency = set.currency(row);
    Entry {
        id: set.id(row).to_string(),
        side: side.name().to_owned(),
        file: set.files().get(set.file(row)).map(|file| file.name.clone()).unwrap_or_default(),
        line: set.line(row),
        booking_date: set.booking(row).to_string(),
        value_date: set.value(row).to_string(),
        amount: Amount::new(set.amount(row), currency),
        fee: Amount::new(set.fee(row), currency),
        reference: set.reference(row).to_owned(),
        counterparty: set.counterparty(row).to_owned(),
        group: set.group(row).to_owned(),
        description: set.description(row).to_owned(),
        account: set.account(row).to_owned(),
        kind: set.kind(row).to_owned(),
        details: NamedText::decode(set.details(row)),
    }
}

fn shown_break(outcome: &Outcome, item: &engine::Break, number: u64) -> Break {
    let other = outcome.set(item.side.other());
    let nearest = item.nearest.iter().map(|near| Near {
        entry: other.id(near.row).to_string(),
        difference: near.difference.map(|minor| Amount::new(minor, other.currency(near.row))),
        days: near.days,
        why: near.why.to_owned(),
    });
    Break {
        number,
        kind: item.kind.name().to_owned(),
        reason: item.reason.clone(),
        age_days: item.age_days,
        age_business_days: item.age_business_days,
        owner: item.owner.clone(),
        entry: entry(outcome, item.side, item.row),
        nearest: nearest.collect(),
        state: BreakState::Open,
        resolution: None,
        comments: Vec::new(),
        carried_from: None,
        became: None,
    }
}

/// The summary of the command line, with money as the API writes it.
fn summary(outcome: &Outcome, ruleset: &Ruleset) -> serde_json::Value {
    let mut value = crate::report::json::summary(outcome, ruleset);
    for side in Side::BOTH {
        for (currency, account) in &outcome.conservation.accounts[side as usize] {
            let shown = &mut value["sides"][side.name()]["currencies"][currency.code()];
            for (name, tally) in [
                ("total", account.total),
                ("matched", account.matched),
                ("open", account.open),
                ("ignored", account.ignored),
            ] {
                shown[name]["sum"] = json!(Amount::new(tally.sum, *currency));
                shown[name]["fee"] = json!(Amount::new(tally.fee, *currency));
            }
        }
    }
    for side in Side::BOTH {
        for (currency, fees) in outcome.conservation.fees(side) {
            let amount = |minor| Amount::new(minor, currency);
            value["sides"][side.name()]["fees"][currency.code()] = json!({
                "total": amount(fees.total),
                "matched": amount(fees.matched),
                "open": amount(fees.open),
                "ignored": amount(fees.ignored),
            });
        }
        for ((currency, class), account) in &outcome.conservation.kinds[side as usize] {
            let tally = |tally: Tally| {
                json!({
                    "count": tally.count,
                    "sum": Amount::new(tally.sum, *currency),
                    "fee": Amount::new(tally.fee, *currency),
                })
            };
            value["sides"][side.name()]["kinds"][currency.code()][class.to_string()] = json!({
                "total": tally(account.total),
                "matched": tally(account.matched),
                "open": tally(account.open),
                "ignored": tally(account.ignored),
            });
        }
    }
    for (currency, residual) in &outcome.conservation.residuals {
        value["residuals"][currency.code()] = json!({
            "difference": Amount::new(residual.difference, *currency),
            "fees": Amount::new(residual.fees, *currency),
            "tolerance": Amount::new(residual.tolerance, *currency),
            "exchange": Amount::new(residual.exchange, *currency),
        });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_where_a_transaction_is_full() {
        let write = |(number, bytes): (usize, usize)| {
            Ok(Write::put(Key::new("p", format!("{number:04}")), Expect::Absent, vec![0; bytes]))
        };
        let sizes = |bytes: &[usize]| -> Vec<usize> {
            let writes = bytes.iter().copied().enumerate().map(write);
            transactions(writes).map(|group| group.unwrap_or_else(|_| unreachable!()).len()).collect()
        };
        assert!(sizes(&[]).is_empty());
        assert_eq!(sizes(&[10; 200]), [96, 96, 8]);
        assert_eq!(sizes(&[BODY_BYTES_MAX; 10]), [8, 2]);
        assert_eq!(sizes(&[1, BODY_BYTES_MAX, 1]), [3]);
    }
}
