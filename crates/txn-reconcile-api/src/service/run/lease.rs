//! A run that a worker holds. It is claimed by lease: whoever holds it renews it, and one whose holder is gone is taken
//! over.

use std::pin::pin;
use std::sync::atomic::Ordering;

use serde_json::json;
use tracing::{Instrument, Span};

use super::queue::{Lane, Line};
use super::start::release;
use super::worker::IDLE_MS;
use crate::service::App;
use crate::service::error::Error;
use crate::service::ledger::{Effect, again};
use crate::service::records::{Run, RunStatus, decode, encode};
use crate::service::store::{Due, Expect, Item, Key, StoreError, Write};
use crate::service::traces;

/// How long a lease lasts without being renewed.
pub const LEASE_MS: u64 = 30_000;

/// Attempts at a run that may end without a word, as when it kills its worker, before it is given up.
const ATTEMPTS_MAX: u32 = 20;

/// How long a run that was put off waits at least and at most: twice as long each time, less a random part of up to a
/// half, so that runs which an outage has put off do not all come back at once.
const PUT_OFF_MS: (u64, u64) = (1_000, 300_000);

/// Why a worker lets go of a run.
#[derive(Debug)]
pub enum RunError {
    /// Somebody else has it, or it was cancelled.
    Lost,
    /// It cannot be done now, for this reason, which callers are shown; it is put off.
    Later(String),
    /// It can never be done, for this reason, which callers are shown.
    Failed(String),
}

impl From<Error> for RunError {
    fn from(error: Error) -> Self {
        match error {
            Error::Overtaken(_) | Error::Changed(_) => Self::Lost,
            Error::Unavailable(why) => Self::Later(why),
            // It will not come back by waiting.
            Error::Gone(_) => Self::Failed("a file that the run needs is no longer in the file store".into()),
            Error::NotFound(why)
            | Error::QueueFull(why)
            | Error::Conflict(why)
            | Error::TooLarge(why)
            | Error::Unprocessable(why)
            | Error::Internal(why) => Self::Failed(why),
        }
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<object_store::Error> for RunError {
    fn from(error: object_store::Error) -> Self {
        Error::from(error).into()
    }
}

/// A run that this worker holds.
pub struct LeasedRun<'a> {
    /// The service.
    pub app: &'a App,
    /// Whose run.
    pub tenant: String,
    /// The worker.
    me: String,
    key: Key,
    /// The run, as it is kept next.
    pub run: Run,
    /// Its version in the store.
    pub version: u64,
    /// When the lease was renewed last.
    pub renewed: u64,
}

impl<'a> LeasedRun<'a> {
    /// Takes up a run that is due; none if somebody else has it by now.
    pub async fn claim(app: &'a App, item: Item, me: &str) -> Result<Option<Self>, StoreError> {
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
            Err(RunError::Lost) => Ok(None),
            Err(RunError::Later(why) | RunError::Failed(why)) => Err(StoreError::Unavailable(why)),
        }
    }

    /// The write that keeps the run as it is here, with its lease renewed.
    pub fn put(&self) -> Result<Write, Error> {
        let ended = !matches!(self.run.status, RunStatus::Queued | RunStatus::Running);
        let at = self.app.clock.now_ms() + LEASE_MS;
        Ok(Write::Put {
            key: self.key.clone(),
            expect: Expect::Version(self.version),
            body: encode(&self.run)?,
            due: (!ended).then(|| Due { queue: Lane::of(&self.run).queue().into(), at }),
            expires_at: None,
        })
    }

    /// Renews the lease and keeps the progress, along with other writes.
    pub async fn keep_with(&mut self, mut writes: Vec<Write>) -> Result<(), RunError> {
        writes.push(self.put()?);
        self.app.store.transact(writes, None).await?;
        self.version += 1;
        self.renewed = self.app.clock.now_ms();
        Ok(())
    }

    pub async fn keep(&mut self) -> Result<(), RunError> {
        self.keep_with(Vec::new()).await
    }

    /// Renews the lease if a third of it is over.
    pub async fn renew(&mut self) -> Result<(), RunError> {
        if self.app.clock.now_ms() >= self.renewed + LEASE_MS / 3 { self.keep().await } else { Ok(()) }
    }

    /// Works on what may take longer than a lease lasts, and renews it meanwhile: the engine over much, or a file store
    /// that is asked again and again.
    pub async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> Result<T, RunError> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = self.app.clock.sleep(LEASE_MS / 3) => self.keep().await?,
            }
        }
    }

    /// Makes the run, and says what became of it.
    pub async fn finish(self) {
        let span = traces::run(&self.run.id, self.run.attempts, self.run.trace.as_deref());
        self.finish_in(&span).instrument(span.clone()).await;
    }

    async fn finish_in(mut self, span: &Span) {
        let wordless = self.run.attempts.saturating_sub(self.run.put_off);
        let result = if wordless > ATTEMPTS_MAX && !self.run.closing {
            let why = "attempts that ended without a word: its worker may not survive it";
            Err(RunError::Failed(format!("it was given up after {ATTEMPTS_MAX} {why}")))
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
            Err(RunError::Lost) => tracing::info!(run, "run left to another worker, or cancelled"),
            Err(RunError::Later(why)) => self.put_off(why).await,
            // What has begun to close the breaks of the run before is completed, if not now.
            Err(RunError::Failed(why)) if self.run.closing => self.put_off(why).await,
            Err(RunError::Failed(why)) => {
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
        while let Err(RunError::Later(_)) = self.let_go(pause, &why).await
            && !self.app.stopping.load(Ordering::Relaxed)
        {
            self.app.clock.sleep(IDLE_MS).await;
        }
    }

    /// Puts the run as it was kept last back into the queue, if it is still held. The attempt does not count: what stops
    /// it is not the run.
    async fn let_go(&self, pause: u64, why: &str) -> Result<(), RunError> {
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
            due: Some(Due { queue: Lane::of(&run).queue().into(), at: self.app.clock.now_ms() + pause }),
            expires_at: None,
        };
        Ok(self.app.store.transact(vec![write], None).await?)
    }

    /// Ends the run, with its audit entry, and lets the next one of the tenant have its turn.
    pub async fn end(&mut self, action: &'static str) -> Result<(), RunError> {
        self.run.lease = None;
        let held = &*self;
        let (app, tenant) = (held.app, &held.tenant);
        again(|| async move {
            let mut writes = Line::read(app, tenant).await?.leave(&held.run.id).await?;
            if held.run.status == RunStatus::Failed {
                writes.extend(release(app, tenant, &held.run).await?);
            }
            writes.push(held.put()?);
            let effect = Effect {
                tenant,
                actor: "worker",
                request: &held.run.id,
                peer: None,
                action,
                subject: &held.run.id,
                detail: json!({
                    "digest": held.run.progress.digest,
                    "matches": held.run.progress.matches,
                    "breaks": held.run.progress.breaks,
                    "carried": held.run.summary.as_ref().map(|summary| &summary["carried"]),
                }),
                writes,
                answer: None,
            };
            match app.commit(effect).await {
                // Another run of the tenant has begun or ended in between, unless this one is somebody else's by now.
                Err(Error::Overtaken(why)) => {
                    let own = app.store.get(&held.key).await?;
                    let own = own.is_some_and(|item| item.version == held.version);
                    Err(if own { Error::Overtaken(why) } else { Error::Changed(why) })
                }
                done => done,
            }
        })
        .await?;
        self.app.wake.all();
        Ok(())
    }
}
