//! How an effect is made: with its audit entry and its idempotency record, in one transaction.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::App;
use super::audit::{self, Head};
use super::clock::rfc3339;
use super::error::Error;
use super::peer::Peer;
use super::records::{self, decode, encode};
use super::store::{Expect, Item, Key, StoreError, Write};
use crate::pan;

/// Seconds that an answer is kept to be repeated.
const ANSWER_SECONDS: u64 = 7 * 86_400;

/// Times that a transaction is tried while other processes append to the same audit chain.
const TRIES: u32 = 60;

/// Turns at appending to audit chains. Requests of one process that append to the same chain would only get into one
/// another's way, and the unlucky would try again and again; here each has its turn, in the order in which they came.
#[derive(Debug, Default)]
pub struct Turns([tokio::sync::Mutex<()>; 32]);

impl Turns {
    /// The next turn at a tenant's chain. Some tenants share theirs.
    async fn next(&self, tenant: &str) -> tokio::sync::MutexGuard<'_, ()> {
        let place = crate::hash::bytes(0, tenant.as_bytes()) % self.0.len() as u64;
        self.0[place as usize].lock().await
    }
}

/// Who wants an effect: what the audit log says of it, and what makes a repeated request known.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Whose data.
    pub tenant: &'a str,
    /// Who it is.
    pub actor: &'a str,
    /// The request.
    pub request: &'a str,
    /// The address that it came from.
    pub peer: Option<Peer>,
    /// What makes a repeated request known.
    pub idempotency: Option<&'a Idempotency>,
}

impl<'a> Caller<'a> {
    /// What it wants, with the answer to keep for a repeated request.
    pub fn effect(
        &self,
        action: &'static str,
        subject: &'a str,
        detail: Value,
        writes: Vec<Write>,
        answer: &Answer,
    ) -> Effect<'a> {
        let Self { tenant, actor, request, peer, idempotency } = *self;
        let answer = idempotency.map(|idempotency| (idempotency, answer.clone()));
        Effect { tenant, actor, request, peer, action, subject, detail, writes, answer }
    }
}

/// Times that a change is made again behind one that somebody else made at the same time.
const CHANGES: u32 = 20;

/// Makes a change that is not about what the caller has read: where somebody else's came before it, it is made again on
/// what that has left.
///
/// # Errors
/// Those of the change.
pub async fn again<T, F>(change: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    for _ in 0..CHANGES {
        match change().await {
            Err(Error::Overtaken(_)) => {}
            done => return done,
        }
    }
    Err(Error::Overtaken("it changes too quickly; ask again".into()))
}

/// An effect to be made.
pub struct Effect<'a> {
    /// Whose data.
    pub tenant: &'a str,
    /// Who does it.
    pub actor: &'a str,
    /// The request, or the worker.
    pub request: &'a str,
    /// The address that it came from; none of what the service does by itself.
    pub peer: Option<Peer>,
    /// What is done: `run.create`.
    pub action: &'static str,
    /// To what.
    pub subject: &'a str,
    /// What the audit log says of it besides.
    pub detail: Value,
    /// The writes.
    pub writes: Vec<Write>,
    /// The answer to keep for a repeated request.
    pub answer: Option<(&'a Idempotency, Answer)>,
}

/// What identifies a repeated request.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Where the answer is kept.
    pub key: Key,
    /// A hash over what was asked.
    pub fingerprint: String,
    /// The version of an expired record in its place.
    pub stale: Option<u64>,
}

/// An answer that is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// A hash over what was asked.
    #[serde(default)]
    pub fingerprint: String,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// The version of the thing.
    pub etag: Option<String>,
    /// Where the thing is.
    pub location: Option<String>,
}

/// Refuses an effect whose audit entry would hold card data for ever. Whatever lets it come so far is a fault.
fn refuse_cards(effect: &Effect<'_>) -> Result<(), Error> {
    let said = [effect.tenant, effect.actor, effect.request, effect.subject];
    if said.into_iter().any(|text| pan::scan(text.as_bytes()).is_some()) || pan::in_value(&effect.detail) {
        tracing::error!(action = effect.action, "an effect was about to write card data into the audit log");
        return Err(Error::Internal("what was asked for cannot be written to the audit log".into()));
    }
    Ok(())
}

impl App {
    /// Makes an effect. [`StoreError::Conflict`] means that one of its own conditions did not hold.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn commit(&self, effect: Effect<'_>) -> Result<(), Error> {
        let head_key = audit::head_key(effect.tenant);
        let now = self.clock.now_ms();
        refuse_cards(&effect)?;
        let mut content = json!({
            "at": rfc3339(now),
            "actor": effect.actor,
            "request": effect.request,
            "action": effect.action,
            "subject": effect.subject,
            "detail": effect.detail,
        });
        if let Some(peer) = effect.peer {
            content["peer"] = peer.to_string().into();
        }
        let content = content.to_string();
        let mut writes = effect.writes;
        if let Some((idempotency, mut answer)) = effect.answer {
            answer.fingerprint.clone_from(&idempotency.fingerprint);
            writes.push(Write::Put {
                key: idempotency.key.clone(),
                expect: idempotency.stale.map_or(Expect::Absent, Expect::Version),
                body: encode(&answer)?,
                due: None,
                expires_at: Some(now / 1000 + ANSWER_SECONDS),
            });
        }
        let _turn = self.turns.next(effect.tenant).await;
        let mut seen = None;
        for attempt in 0..TRIES {
            let stored = self.store.get(&head_key).await?;
            let version = stored.as_ref().map(|item| item.version);
            if seen == Some(version) {
                // Nobody appended in between, so it is a condition of the effect itself that does not hold, unless the log
                // has an entry that its head knows nothing of.
                self.refuse_log_ahead(effect.tenant, stored.as_ref()).await?;
                return Err(StoreError::Conflict.into());
            }
            let head: Head = stored.as_ref().map(decode).transpose()?.unwrap_or_default();
            let (next, entry) = head.append(effect.tenant, content.clone())?;
            let mut all = writes.clone();
            let tenant = audit::tenant_key(effect.tenant);
            if stored.is_none() && self.store.get(&tenant).await?.is_none() {
                let body = encode(&json!({ "tenant": effect.tenant }))?;
                all.push(Write::put(tenant, Expect::Absent, body));
            }
            let expect = version.map_or(Expect::Absent, Expect::Version);
            all.push(Write::put(head_key.clone(), expect, encode(&next)?));
            match self.store.transact(all, Some(entry)).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict) => {
                    seen = Some(version);
                    if attempt > 1 {
                        let mut random = [0; 1];
                        self.rng.fill(&mut random);
                        self.clock.sleep(u64::from(random[0]) % (5 * u64::from(attempt.min(10)))).await;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Unavailable("too many changes at the same time".into()))
    }

    /// Refuses a log that is ahead of its head, as it is when the two were restored to different moments: every write to it
    /// would be taken for a conflict.
    async fn refuse_log_ahead(&self, tenant: &str, stored: Option<&Item>) -> Result<(), Error> {
        let head: Head = stored.map(decode).transpose()?.unwrap_or_default();
        let ahead = self.store.audit(tenant, head.sequence + 1, 1).await?;
        let now = self.store.get(&audit::head_key(tenant)).await?;
        if ahead.is_empty() || now.map(|item| item.version) != stored.map(|item| item.version) {
            return Ok(());
        }
        tracing::error!(tenant, "an audit log is ahead of its head, as after a restore; run repair-audit");
        Err(Error::Unavailable("the audit log and the records were restored to different moments".into()))
    }

    /// The answer to an earlier request with the same key, if there was one.
    ///
    /// # Errors
    /// Refuses a key that was used for something else.
    pub async fn earlier(&self, idempotency: &mut Idempotency) -> Result<Option<Answer>, Error> {
        let Some(item) = self.store.get(&idempotency.key).await? else { return Ok(None) };
        if item.expires_at.is_some_and(|at| at <= self.clock.now_ms() / 1000) {
            idempotency.stale = Some(item.version);
            return Ok(None);
        }
        let answer: Answer = decode(&item)?;
        if answer.fingerprint != idempotency.fingerprint {
            return Err(Error::Unprocessable("the Idempotency-Key was used for another request".into()));
        }
        Ok(Some(answer))
    }

    /// Reads a record of a tenant.
    ///
    /// # Errors
    /// Fails with 404 if it is not there.
    pub async fn read<T: serde::de::DeserializeOwned>(&self, key: &Key) -> Result<(T, u64), Error> {
        // What cannot be there is not asked for: no store has to bear what people send as an identifier.
        let item = if key.is_possible() { self.store.get(key).await? } else { None };
        let item = item.ok_or_else(|| Error::NotFound("there is no such thing".into()))?;
        Ok((decode(&item)?, item.version))
    }

    /// Where a thing of a tenant lies.
    #[must_use]
    pub fn key(&self, tenant: &str, kind: &str, id: &str) -> Key {
        Key::new(records::tenant(tenant), format!("{kind}#{id}"))
    }
}
