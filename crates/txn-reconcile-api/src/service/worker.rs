//! Makes runs. A run is claimed by lease: whoever holds it renews it, and one whose holder is gone is taken over.
//!
//! The engine gives the same result for the same input, so a run that is taken over is matched again and its lists are
//! kept on from where the one before had come to; the digest shows that the result is the same.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{Either, ready, select};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::json;
use tokio::sync::watch;
use tracing::{Instrument, Span, info_span};

use super::App;
use super::api::{release, screen, statement_options};
use super::carry::{self, CarryIn};
use super::clock::id;
use super::ledger::Effect;
use super::problem::Problem;
use super::records::{
    Amount, Break, BreakState, Entry, NamedText, Near, Progress, Run, RunStatus, Source, Statement,
    StoredRuleset, break_key, decode, encode,
};
use super::store::{
    BODY_BYTES_MAX, Due, Expect, Item, Key, Query, StoreError, TRANSACTION_BYTES_MAX, WRITES_MAX, Write,
};
use super::traces;
use crate::date::Date;
use crate::engine::conserve::Tally;
use crate::engine::{self, Options, Outcome, Side};
use crate::entry::EntrySet;
use crate::formats::Reader;
use crate::rules::file::Sign;
use crate::rules::{self, Ruleset};

/// The queue of runs that wait for a worker.
pub const QUEUE: &str = "runs";

/// How long a lease lasts without being renewed.
const LEASE_MS: u64 = 30_000;

/// How often the progress of a list is kept at most: what a reader sees, and what a worker that takes over need not do
/// again.
const NOTE_MS: u64 = 200;

/// How long a worker waits when there is nothing to do.
const IDLE_MS: u64 = 1_000;

/// Attempts at a run that may end without a word, as when it kills its worker, before it is given up.
const ATTEMPTS_MAX: u32 = 20;

/// How long a run that was put off waits at least and at most: twice as long each time, less a random part of up to a
/// half, so that runs which an outage has put off do not all come back at once.
const PUT_OFF_MS: (u64, u64) = (1_000, 300_000);

/// What is on its way to a store at a time, of a list that is being kept.
pub(super) const IN_FLIGHT: usize = 8;

/// Writes of a list in one transaction: an effect adds the run, the head of the audit chain and the tenant.
const BATCH: usize = WRITES_MAX - 3;

/// Bytes of a list in one transaction.
const BATCH_BYTES: usize = TRANSACTION_BYTES_MAX - 3 * BODY_BYTES_MAX;

/// Why a worker lets go of a run.
pub(super) enum Stop {
    /// Somebody else has it, or it was cancelled.
    Lost,
    /// It cannot be done now, for this reason, which callers are shown; it is put off.
    Later(String),
    /// It can never be done, for this reason, which callers are shown.
    Failed(String),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        if problem.status == 503 { Self::Later(problem.detail) } else { Self::Failed(problem.detail) }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::Lost,
            StoreError::Unavailable(_) | StoreError::TooLarge(_) | StoreError::Invalid(_) => {
                Problem::from(error).into()
            }
        }
    }
}

impl From<object_store::Error> for Stop {
    fn from(error: object_store::Error) -> Self {
        match error {
            // It will not come back by waiting.
            object_store::Error::NotFound { path, .. } => {
                tracing::error!("{path} is not in the file store");
                Self::Failed("a file that the run needs is no longer in the file store".into())
            }
            other => Problem::from(other).into(),
        }
    }
}

/// A run that this worker holds.
pub(super) struct Held<'a> {
    pub app: &'a App,
    pub tenant: String,
    /// The worker.
    me: String,
    key: Key,
    pub run: Run,
    pub version: u64,
    renewed: u64,
}

/// Works until the process is told to stop.
pub async fn work(app: Arc<App>) {
    let me = id("worker", &*app.clock, &*app.rng);
    while !app.stopping.load(Ordering::Relaxed) {
        match step(&app, &me).await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! {
                    () = app.clock.sleep(IDLE_MS) => {}
                    () = app.wake.notified() => {}
                }
            }
            Err(error) => {
                tracing::error!("the worker cannot reach the store: {error}");
                app.clock.sleep(IDLE_MS).await;
            }
        }
    }
}

/// Takes up one run, if one is due.
///
/// # Errors
/// Fails if the store does not answer.
pub async fn step(app: &App, me: &str) -> Result<bool, StoreError> {
    for item in app.store.list_due(QUEUE, app.clock.now_ms() + 1, 8).await? {
        // The index may lag behind: the item itself decides.
        let Some(item) = app.store.get(&item.key).await? else { continue };
        if item.due.as_ref().is_none_or(|due| due.at > app.clock.now_ms()) {
            continue;
        }
        if let Some(tenant) = item.key.pk.strip_prefix("tenant#")
            && carry::put_off(app, tenant, &item).await?
        {
            continue;
        }
        if let Some(held) = Held::claim(app, item, me).await? {
            held.finish().await;
            return Ok(true);
        }
    }
    Ok(false)
}

impl<'a> Held<'a> {
    async fn claim(app: &'a App, item: Item, me: &str) -> Result<Option<Self>, StoreError> {
        let Ok(mut run) = decode::<Run>(&item) else { return Ok(None) };
        let Some(tenant) = item.key.pk.strip_prefix("tenant#").map(str::to_owned) else { return Ok(None) };
        run.status = RunStatus::Running;
        run.lease = Some(me.to_owned());
        run.attempts += 1;
        run.progress.waits_for = None;
        let mut held =
            Self { app, tenant, me: me.to_owned(), key: item.key, run, version: item.version, renewed: 0 };
        match held.keep().await {
            Ok(()) => Ok(Some(held)),
            Err(Stop::Lost) => Ok(None),
            Err(Stop::Later(why) | Stop::Failed(why)) => Err(StoreError::Unavailable(why)),
        }
    }

    /// The write that keeps the run as it is here, with its lease renewed.
    pub fn put(&self) -> Result<Write, Stop> {
        let ended = !matches!(self.run.status, RunStatus::Queued | RunStatus::Running);
        let at = self.app.clock.now_ms() + LEASE_MS;
        Ok(Write::Put {
            key: self.key.clone(),
            expect: Expect::Version(self.version),
            body: encode(&self.run)?,
            due: (!ended).then(|| Due { queue: QUEUE.into(), at }),
            expires_at: None,
        })
    }

    /// Renews the lease and keeps the progress, along with other writes.
    pub async fn keep_with(&mut self, mut writes: Vec<Write>) -> Result<(), Stop> {
        writes.push(self.put()?);
        self.app.store.transact(writes, None).await?;
        self.version += 1;
        self.renewed = self.app.clock.now_ms();
        Ok(())
    }

    pub async fn keep(&mut self) -> Result<(), Stop> {
        self.keep_with(Vec::new()).await
    }

    /// Renews the lease if a third of it is over.
    pub async fn renew(&mut self) -> Result<(), Stop> {
        if self.app.clock.now_ms() >= self.renewed + LEASE_MS / 3 { self.keep().await } else { Ok(()) }
    }

    /// Works on what may take longer than a lease lasts, and renews it meanwhile: the engine over much, or a file store
    /// that is asked again and again.
    pub async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = self.app.clock.sleep(LEASE_MS / 3) => self.keep().await?,
            }
        }
    }

    /// Makes the run, and says what became of it.
    async fn finish(self) {
        let span = traces::run(&self.run.id, self.run.attempts, self.run.trace.as_deref());
        self.finish_in(&span).instrument(span.clone()).await;
    }

    async fn finish_in(mut self, span: &Span) {
        let wordless = self.run.attempts.saturating_sub(self.run.put_off);
        let result = if wordless > ATTEMPTS_MAX && !self.run.closing {
            let why = "attempts that ended without a word: its worker may not survive it";
            Err(Stop::Failed(format!("it was given up after {ATTEMPTS_MAX} {why}")))
        } else {
            self.make().await
        };
        let run = self.run.id.clone();
        match result {
            Ok(()) => {
                span.record("reconcile.run.matches", self.run.progress.matches);
                span.record("reconcile.run.breaks", self.run.progress.breaks);
                self.app.metrics.run(true);
                tracing::info!(run, "run completed");
            }
            Err(Stop::Lost) => tracing::info!(run, "run left to another worker, or cancelled"),
            Err(Stop::Later(why)) => self.put_off(why).await,
            // What has begun to close the breaks of the run before is completed, if not now.
            Err(Stop::Failed(why)) if self.run.closing => self.put_off(why).await,
            Err(Stop::Failed(why)) => {
                traces::failed(span);
                self.app.metrics.run(false);
                tracing::warn!(run, "run failed: {why}");
                self.run.status = RunStatus::Failed;
                self.run.failure = Some(why);
                if self.end("run.fail").await.is_err() {
                    tracing::warn!(run, "the failure could not be noted; the next worker finds it again");
                }
            }
        }
    }

    /// Lets go of the run for a while. If that cannot be written either, it is written when it can be.
    async fn put_off(self, why: String) {
        let run = &self.run.id;
        tracing::warn!(run, put_off = self.run.put_off + 1, "{}: {why}", contract::RUN_PUT_OFF);
        self.app.metrics.run_put_off();
        let longest = PUT_OFF_MS.0.saturating_mul(1 << self.run.put_off.min(20)).min(PUT_OFF_MS.1);
        let mut random = [0; 4];
        self.app.rng.fill(&mut random);
        let pause = longest - u64::from(u32::from_be_bytes(random)) % (longest / 2);
        while let Err(Stop::Later(_)) = self.let_go(pause, &why).await
            && !self.app.stopping.load(Ordering::Relaxed)
        {
            self.app.clock.sleep(IDLE_MS).await;
        }
    }

    /// Puts the run as it was kept last back into the queue, if it is still held. The attempt does not count: what stops
    /// it is not the run.
    async fn let_go(&self, pause: u64, why: &str) -> Result<(), Stop> {
        let (mut run, version): (Run, u64) = self.app.read(&self.key).await?;
        if run.lease.as_ref() != Some(&self.me) {
            return Ok(());
        }
        run.status = RunStatus::Queued;
        run.lease = None;
        run.put_off += 1;
        run.progress.waits_for = Some(why.to_owned());
        let write = Write::Put {
            key: self.key.clone(),
            expect: Expect::Version(version),
            body: encode(&run)?,
            due: Some(Due { queue: QUEUE.into(), at: self.app.clock.now_ms() + pause }),
            expires_at: None,
        };
        Ok(self.app.store.transact(vec![write], None).await?)
    }

    /// Ends the run, with its audit entry.
    async fn end(&mut self, action: &'static str) -> Result<(), Stop> {
        self.run.lease = None;
        let mut writes = Vec::new();
        if self.run.status == RunStatus::Failed {
            writes = release(self.app, &self.tenant, &self.run).await?;
        }
        writes.push(self.put()?);
        let effect = Effect {
            tenant: &self.tenant,
            actor: "worker",
            request: &self.run.id,
            peer: None,
            action,
            subject: &self.run.id,
            detail: json!({
                "digest": self.run.progress.digest,
                "matches": self.run.progress.matches,
                "breaks": self.run.progress.breaks,
                "carried": self.run.summary.as_ref().map(|summary| &summary["carried"]),
            }),
            writes,
            answer: None,
        };
        self.app
            .commit(effect)
            .await
            .map_err(|problem| if problem.status == 409 { Stop::Lost } else { problem.into() })
    }

    async fn make(&mut self) -> Result<(), Stop> {
        self.run.progress.bytes_read = 0;
        self.stage("reading").await?;
        let (ruleset, _): (StoredRuleset, u64) =
            self.app.read(&self.app.key(&self.tenant, "ruleset", &self.run.ruleset)).await?;
        let ruleset = rules::load(&ruleset.toml)
            .map_err(|_| Stop::Failed("the ruleset does not load any more".into()))?;
        let ruleset = Arc::new(ruleset);
        let mut left = self.side(Side::Left, &ruleset).instrument(info_span!("read left")).await?;
        let mut right = self.side(Side::Right, &ruleset).instrument(info_span!("read right")).await?;
        let mut carried = self.carry_in().instrument(info_span!("carry in")).await?;
        let whole = carried.as_ref().map(|carried| carried.whole([&left, &right]));
        if let Some(carried) = &mut carried {
            let recalling = self.recall(&carried.settled, [&mut left, &mut right]);
            recalling.instrument(info_span!("recall matched")).await?;
            for (set, open) in [&mut left, &mut right].into_iter().zip(std::mem::take(&mut carried.sets)) {
                set.append(open).map_err(|full| Stop::Failed(full.to_string()))?;
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
            return Err(Stop::Failed("matching again gave another result".into()));
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
    ) -> Result<Outcome, Stop> {
        let date = |text: &Option<String>| text.as_deref().and_then(|text| Date::parse_iso(text.as_bytes()));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let options = Options { as_of: date(&self.run.as_of), cut_off: date(&self.run.cut_off), threads };
        let given = Arc::clone(ruleset);
        let matching = tokio::task::spawn_blocking(move || engine::reconcile(left, right, &given, &options));
        self.meanwhile(matching)
            .await?
            .map_err(|_| Stop::Failed("the engine broke off".into()))?
            .map_err(|error| Stop::Failed(error.to_string()))
    }

    pub async fn stage(&mut self, stage: &str) -> Result<(), Stop> {
        stage.clone_into(&mut self.run.progress.stage);
        self.keep().await
    }

    /// Reads the statements of a side.
    async fn side(&mut self, side: Side, ruleset: &Ruleset) -> Result<EntrySet, Stop> {
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
            let mut options = statement_options(&source, app.upload_limit_bytes)?;
            options.format = options.format.or(rules.format);
            options.mapping = options.mapping.or_else(|| rules.mapping.clone());
            options.negate |= rules.sign == Sign::Negate;
            let mut reader = Reader::new(&statement.name, options);
            reader.expect_bytes(statement.bytes);
            let place = Path::from(statement.object.as_str());
            let mut stream = self.meanwhile(app.files.get(&place)).await??.into_stream();
            while let Some(chunk) = self.meanwhile(stream.next()).await? {
                let chunk = chunk?;
                self.run.progress.bytes_read += chunk.len() as u64;
                reader = tokio::task::spawn_blocking(move || reader.push(&chunk).map(|()| reader))
                    .await
                    .map_err(|_| Stop::Failed("reading broke off".into()))?
                    .map_err(|error| Stop::Failed(format!("{}: {error}", statement.id)))?;
                self.renew().await?;
            }
            let report =
                reader.finish().map_err(|error| Stop::Failed(format!("{}: {error}", statement.id)))?;
            screen(&report)?;
            all.append(report.collector.entries).map_err(|full| Stop::Failed(full.to_string()))?;
        }
        Ok(all)
    }

    /// Keeps the breaks, as items, some transactions at a time.
    async fn save_breaks(&mut self, outcome: &Outcome, carried: Option<&CarryIn>) -> Result<(), Stop> {
        let (app, tenant, run) = (self.app, self.tenant.clone(), self.run.id.clone());
        let from = usize::try_from(self.run.progress.breaks_saved).unwrap_or(usize::MAX);
        let items = (1..).zip(&outcome.breaks).skip(from).map(|(number, item)| {
            let mut shown = shown_break(outcome, item, number);
            if let Some(carried) = carried {
                carried.go_on(item.side, outcome.set(item.side).id(item.row), &mut shown);
            }
            Ok::<Write, Stop>(Write::put(break_key(&tenant, &run, number), Expect::Absent, encode(&shown)?))
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
        steps: impl Stream<Item = Result<u64, Stop>>,
        saved: fn(&mut Progress) -> &mut u64,
    ) -> Result<(), Stop> {
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
async fn put_absent(app: &App, mut writes: Vec<Write>) -> Result<u64, Stop> {
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
pub(super) fn transactions<'a>(
    writes: impl Iterator<Item = Result<Write, Stop>> + Send + 'a,
) -> Box<dyn Iterator<Item = Result<Vec<Write>, Stop>> + Send + 'a> {
    let mut writes = writes.peekable();
    Box::new(std::iter::from_fn(move || {
        writes.peek()?;
        let (mut count, mut bytes) = (0, 0);
        let mut fits = |next: &Result<Write, Stop>| {
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
