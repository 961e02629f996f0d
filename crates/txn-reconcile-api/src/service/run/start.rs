//! How a run is asked for and cancelled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::queue::Line;
use crate::date::Date;
use crate::service::App;
use crate::service::clock::id;
use crate::service::error::Error;
use crate::service::ledger::{Answer, Caller, again};
use crate::service::records::{
    Progress, Run, RunSide, RunStatus, Source, Statement, StoredRuleset, decode, encode,
};
use crate::service::store::{Expect, Key, Write};
use crate::service::traces;

/// A run as it is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// The internal side (ledger).
    #[serde(deserialize_with = "crate::object::one")]
    left: RunSide,
    /// The external side (processor, bank).
    #[serde(deserialize_with = "crate::object::one")]
    right: RunSide,
    /// The ruleset.
    ruleset: String,
    /// Entries booked after this day are ignored (YYYY-MM-DD).
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    cut_off: Option<String>,
    /// The day that ages count to (YYYY-MM-DD). Default: the cut-off, or the latest booking.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    as_of: Option<String>,
    /// Whether only the summary is wanted.
    #[serde(default)]
    dry_run: bool,
    /// The run that it goes on from: the last one of these sources, or it is refused; `none` to go on from none.
    /// Default: the last one, if there is one.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    follows: Option<String>,
}

/// Statements of one side at most, so that the claims of both fit into one transaction.
const STATEMENTS_MAX: usize = 40;

/// Where a statement's claim by a run lies. Each run that counts claims its statements for its pair of sources, so that
/// no entry is matched twice by two runs.
fn claim(app: &App, tenant: &str, run: &Run, statement: &str) -> Key {
    app.key(tenant, "claim", &format!("{}#{}#{statement}", run.left.source, run.right.source))
}

fn claims(app: &App, tenant: &str, run: &Run) -> Vec<Key> {
    let statements = run.left.statements.iter().chain(&run.right.statements);
    statements.map(|statement| claim(app, tenant, run, statement)).collect()
}

/// Where the last run of a pair of sources is noted. Runs of one pair follow one another in the order in which they were
/// asked for, so that what one leaves open is taken on by one other.
fn pair(app: &App, tenant: &str, run: &Run) -> Key {
    app.key(tenant, "pair", &format!("{}#{}", run.left.source, run.right.source))
}

#[derive(Serialize, Deserialize)]
struct Pair {
    last: String,
}

/// Which run a new one goes on from.
async fn predecessor(
    app: &App,
    tenant: &str,
    run: &Run,
    wanted: Option<&str>,
    last: Option<String>,
) -> Result<Option<String>, Error> {
    let Some(wanted) = wanted else { return Ok(last) };
    if wanted == "none" {
        return Ok(None);
    }
    let (found, _): (Run, u64) = app.read(&app.key(tenant, "run", wanted)).await?;
    if (&found.left.source, &found.right.source) != (&run.left.source, &run.right.source) {
        return Err(Error::Unprocessable("the run to follow is one of other sources".into()));
    }
    if last.as_deref() != Some(wanted) {
        return Err(Error::Conflict(
            "another run follows that one already; follow the last one of these sources".into(),
        ));
    }
    Ok(last)
}

/// Gives back what a run that comes to nothing holds: its claims, and the breaks of the run before.
pub async fn release(app: &App, tenant: &str, run: &Run) -> Result<Vec<Write>, Error> {
    let mut writes = Vec::new();
    if !run.dry_run {
        for key in claims(app, tenant, run) {
            if let Some(item) = app.store.get(&key).await? {
                writes.push(Write::Delete { key, version: item.version });
            }
        }
        if let Some(before) = &run.follows {
            let key = app.key(tenant, "run", before);
            let (before, version): (Run, u64) = app.read(&key).await?;
            if before.followed_by.as_ref() == Some(&run.id) {
                let before = Run { followed_by: None, ..before };
                writes.push(Write::put(key, Expect::Version(version), encode(&before)?));
            }
        }
    }
    Ok(writes)
}

/// The run that is asked for, once everything that it names is there.
async fn checked(app: &App, by: &Caller<'_>, new: NewRun) -> Result<Run, Error> {
    let dates = [&new.cut_off, &new.as_of];
    if dates.into_iter().flatten().any(|text| Date::parse_iso(text.as_bytes()).is_none()) {
        return Err(Error::Unprocessable("a date is written YYYY-MM-DD".into()));
    }
    if new.left.source == new.right.source {
        return Err(Error::Unprocessable("the two sides are different sources".into()));
    }
    let _: (StoredRuleset, u64) = app.read(&app.key(by.tenant, "ruleset", &new.ruleset)).await?;
    let mut entries = 0;
    for side in [&new.left, &new.right] {
        let mut seen = side.statements.clone();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() != side.statements.len() || seen.is_empty() || seen.len() > STATEMENTS_MAX {
            return Err(Error::Unprocessable(format!(
                "a side has 1 to {STATEMENTS_MAX} statements, each once"
            )));
        }
        let _: (Source, u64) = app.read(&app.key(by.tenant, "source", &side.source)).await?;
        for statement in &side.statements {
            let (found, _): (Statement, u64) = app.read(&app.key(by.tenant, "statement", statement)).await?;
            if found.source != side.source {
                return Err(Error::Unprocessable("a statement is not of its side's source".into()));
            }
            entries += found.entries;
        }
    }
    Ok(Run {
        id: id("run", &*app.clock, &*app.rng),
        status: RunStatus::Queued,
        left: new.left,
        right: new.right,
        ruleset: new.ruleset,
        cut_off: new.cut_off,
        as_of: new.as_of,
        dry_run: new.dry_run,
        follows: None,
        followed_by: None,
        entries: Some(entries),
        progress: Progress { stage: "queued".into(), ..Progress::default() },
        summary: None,
        failure: None,
        created_by: by.actor.to_owned(),
        created_at: app.clock.now_ms(),
        lease: None,
        attempts: 0,
        put_off: 0,
        closing: false,
        trace: traces::current(),
    })
}

/// Starts a run, and gives what `answer` makes of it and its version.
///
/// # Errors
/// Refuses a run that names what is not there, or whose statements belong to another one.
pub async fn start(
    app: &App,
    by: &Caller<'_>,
    new: NewRun,
    answer: impl Fn(&Run, u64) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let follows = new.follows.clone();
    let run = checked(app, by, new).await?;
    let (run, follows, answer) = (&run, &follows, &answer);
    // Whoever asks at the same time for a run of the same sources comes before this one or behind it.
    let shown = again(|| async move {
        let place = pair(app, by.tenant, run);
        let noted = app.store.get(&place).await?;
        let last = noted.as_ref().map(decode::<Pair>).transpose()?.map(|pair| pair.last);
        let follows = predecessor(app, by.tenant, run, follows.as_deref(), last).await?;
        let mut run = Run { follows, ..run.clone() };
        let version = noted.map(|item| item.version);
        let line = Line::read(app, by.tenant).await?;
        let mut writes = line.enter(&mut run).await?;
        if !run.dry_run {
            let body = encode(&json!({ "run": run.id }))?;
            let claims = claims(app, by.tenant, &run).into_iter();
            writes.extend(claims.map(|key| Write::put(key, Expect::Absent, body.clone())));
            let expect = version.map_or(Expect::Absent, Expect::Version);
            writes.push(Write::put(place, expect, encode(&Pair { last: run.id.clone() })?));
        }
        let shown = answer(&run, 1)?;
        let detail = json!({ "ruleset": run.ruleset, "dry_run": run.dry_run, "left": run.left, "right": run.right, "follows": run.follows });
        match app.commit(by.effect("run.create", &run.id, detail, writes, &shown)).await {
            Err(Error::Overtaken(why)) => Err(match taken(app, by.tenant, &run).await? {
                true => Error::Conflict(
                    "one of the statements belongs to another run of these sources already; cancel that one, or make a dry run".into(),
                ),
                false => Error::Overtaken(why),
            }),
            done => done.map(|()| shown),
        }
    })
    .await?;
    app.wake.all();
    Ok(shown)
}

/// Whether another run has claimed one of a run's statements.
async fn taken(app: &App, tenant: &str, run: &Run) -> Result<bool, Error> {
    if run.dry_run {
        return Ok(false);
    }
    for key in claims(app, tenant, run) {
        if app.store.get(&key).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Cancels a run, and gives what `answer` makes of it and its version. The worker renews its lease several times a second,
/// and each time the run has another version: unless the caller demands one (`unchanged`), the run is cancelled as it is.
///
/// # Errors
/// Refuses a run that has ended or is about to.
pub async fn cancel(
    app: &App,
    by: &Caller<'_>,
    run: &str,
    unchanged: impl Fn(u64) -> Result<(), Error>,
    answer: impl Fn(&Run, u64) -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let key = app.key(by.tenant, "run", run);
    let (key, unchanged, answer) = (&key, &unchanged, &answer);
    again(|| async move {
        let (run, version): (Run, u64) = app.read(key).await?;
        unchanged(version)?;
        if !matches!(run.status, RunStatus::Queued | RunStatus::Running) {
            return Err(Error::Conflict("the run has ended already".into()));
        }
        if run.closing {
            return Err(Error::Conflict("the run is about to be completed".into()));
        }
        let mut writes = release(app, by.tenant, &run).await?;
        writes.extend(Line::read(app, by.tenant).await?.leave(&run.id).await?);
        let run = Run { status: RunStatus::Cancelled, lease: None, ..run };
        writes.push(Write::put(key.clone(), Expect::Version(version), encode(&run)?));
        let shown = answer(&run, version + 1)?;
        app.commit(by.effect("run.cancel", &run.id, json!({}), writes, &shown)).await?;
        Ok(shown)
    })
    .await
    .inspect(|_| app.wake.all())
}
