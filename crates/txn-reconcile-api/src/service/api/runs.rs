//! Runs: started here, made by a worker.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::App;
use super::super::clock::id;
use super::super::matches::read_chunk;
use super::super::problem::Problem;
use super::super::records::{
    Match, Progress, Run, RunSide, RunStatus, Source, Statement, StoredRuleset, decode, encode,
};
use super::super::store::{Due, Expect, Key, Write};
use super::super::traces;
use super::super::worker::QUEUE;
use super::cursor::List;
use super::{Call, PAGING, Page, Reply, Route, Versions, again, answer, cursor, run, same, versioned};
use crate::date::Date;

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/runs", "Starts a run", 202, run!(create)).takes::<NewRun>().gives::<Run>(),
        Route::get("/v1/runs", "Lists the runs", run!(list)).query(PAGING).gives::<Page<Run>>(),
        Route::get(
            "/v1/runs/{run}",
            "Shows a run: its progress, and its summary when it is completed",
            run!(show),
        )
        .gives::<Run>()
        .versions(Versions::Shown),
        Route::post("/v1/runs/{run}/cancel", "Cancels a run", 200, run!(cancel))
            .gives::<Run>()
            .versions(Versions::Heeded),
        Route::get("/v1/runs/{run}/matches", "Lists the matches of a completed run", run!(matches))
            .query(PAGING)
            .gives::<Page<Match>>(),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRun {
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

/// Times that a run is put behind another one that was asked for at the same time.
const TRIES: u32 = 20;

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
) -> Result<Option<String>, Problem> {
    let Some(wanted) = wanted else { return Ok(last) };
    if wanted == "none" {
        return Ok(None);
    }
    let (found, _): (Run, u64) = app.read(&app.key(tenant, "run", wanted)).await?;
    if (&found.left.source, &found.right.source) != (&run.left.source, &run.right.source) {
        return Err(Problem::unprocessable("the run to follow is one of other sources"));
    }
    if last.as_deref() != Some(wanted) {
        return Err(Problem::conflict(
            "another run follows that one already; follow the last one of these sources",
        ));
    }
    Ok(last)
}

/// Gives back what a run that comes to nothing holds: its claims, and the breaks of the run before.
pub async fn release(app: &App, tenant: &str, run: &Run) -> Result<Vec<Write>, Problem> {
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
                writes.push(Write::put(key, same(version), encode(&before)?));
            }
        }
    }
    Ok(writes)
}

async fn create(app: &App, call: Call) -> Result<Reply, Problem> {
    let new: NewRun = call.json()?;
    let dates = [&new.cut_off, &new.as_of];
    if dates.into_iter().flatten().any(|text| Date::parse_iso(text.as_bytes()).is_none()) {
        return Err(Problem::unprocessable("a date is written YYYY-MM-DD"));
    }
    if new.left.source == new.right.source {
        return Err(Problem::unprocessable("the two sides are different sources"));
    }
    let own = &call.who.tenant;
    let _: (StoredRuleset, u64) = app.read(&app.key(own, "ruleset", &new.ruleset)).await?;
    for side in [&new.left, &new.right] {
        let mut seen = side.statements.clone();
        seen.sort_unstable();
        seen.dedup();
        if seen.len() != side.statements.len() || seen.is_empty() || seen.len() > STATEMENTS_MAX {
            return Err(Problem::unprocessable(format!(
                "a side has 1 to {STATEMENTS_MAX} statements, each once"
            )));
        }
        let _: (Source, u64) = app.read(&app.key(own, "source", &side.source)).await?;
        for statement in &side.statements {
            let (found, _): (Statement, u64) = app.read(&app.key(own, "statement", statement)).await?;
            if found.source != side.source {
                return Err(Problem::unprocessable("a statement is not of its side's source"));
            }
        }
    }
    let now = app.clock.now_ms();
    let mut run = Run {
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
        progress: Progress { stage: "queued".into(), ..Progress::default() },
        summary: None,
        failure: None,
        created_by: call.who.actor.clone(),
        created_at: now,
        lease: None,
        attempts: 0,
        put_off: 0,
        closing: false,
        trace: traces::current(),
    };
    // Whoever asks at the same time for a run of the same sources comes before this one or behind it.
    for _ in 0..TRIES {
        let place = pair(app, own, &run);
        let noted = app.store.get(&place).await?;
        let last = noted.as_ref().map(decode::<Pair>).transpose()?.map(|pair| pair.last);
        run.follows = predecessor(app, own, &run, new.follows.as_deref(), last).await?;
        let version = noted.map(|item| item.version);
        match start(app, &call, &run, version).await {
            Err(problem) if problem.status == 409 => {
                let now = app.store.get(&place).await?.map(|item| item.version);
                if run.dry_run || now == version {
                    return Err(Problem::conflict(
                        "one of the statements belongs to another run of these sources already; cancel that one, or make a dry run",
                    ));
                }
            }
            other => return other,
        }
    }
    Err(Problem::conflict("too many runs of these sources are started at the same time; ask again"))
}

/// Starts a run behind the last one of its sources, whose note has this version.
async fn start(app: &App, call: &Call, run: &Run, last: Option<u64>) -> Result<Reply, Problem> {
    let own = &call.who.tenant;
    let mut writes = vec![Write::Put {
        key: app.key(own, "run", &run.id),
        expect: Expect::Absent,
        body: encode(run)?,
        due: Some(Due { queue: QUEUE.into(), at: run.created_at }),
        expires_at: None,
    }];
    if !run.dry_run {
        let body = encode(&json!({ "run": run.id }))?;
        writes.extend(
            claims(app, own, run).into_iter().map(|key| Write::put(key, Expect::Absent, body.clone())),
        );
        let pair_body = encode(&Pair { last: run.id.clone() })?;
        writes.push(Write::put(pair(app, own, run), last.map_or(Expect::Absent, same), pair_body));
    }
    let mut shown = versioned(202, &public(run.clone()), 1)?;
    shown.location = Some(format!("/v1/runs/{}", run.id));
    let detail = json!({ "ruleset": run.ruleset, "dry_run": run.dry_run, "left": run.left, "right": run.right, "follows": run.follows });
    let reply = call.commit(app, "run.create", &run.id, detail, writes, shown).await?;
    app.wake.notify_one();
    Ok(reply)
}

async fn list(app: &App, call: Call) -> Result<Reply, Problem> {
    let page = List::of(&call, "run#").page(app, &call, |one: Run, _| Some(public(one))).await?;
    Ok(Reply::Json(answer(200, &page)?))
}

/// A run as callers see it.
fn public(run: Run) -> Run {
    Run { lease: None, trace: None, ..run }
}

async fn show(app: &App, call: Call) -> Result<Reply, Problem> {
    let (run, version): (Run, u64) = app.read(&app.key(&call.who.tenant, "run", call.part(0))).await?;
    Ok(Reply::Json(versioned(200, &public(run), version)?))
}

/// The worker renews its lease several times a second, and each time the run has another version.
async fn cancel(app: &App, call: Call) -> Result<Reply, Problem> {
    let call = &call;
    again(|| cancel_as_it_is(app, call)).await
}

async fn cancel_as_it_is(app: &App, call: &Call) -> Result<Reply, Problem> {
    let key = app.key(&call.who.tenant, "run", call.part(0));
    let (run, version): (Run, u64) = app.read(&key).await?;
    call.unchanged(version)?;
    if !matches!(run.status, RunStatus::Queued | RunStatus::Running) {
        return Err(Problem::conflict("the run has ended already"));
    }
    if run.closing {
        return Err(Problem::conflict("the run is about to be completed"));
    }
    let mut writes = release(app, &call.who.tenant, &run).await?;
    let run = Run { status: RunStatus::Cancelled, lease: None, ..run };
    writes.push(Write::put(key.clone(), same(version), encode(&run)?));
    let shown = versioned(200, &public(run.clone()), version + 1)?;
    call.commit(app, "run.cancel", &run.id, json!({}), writes, shown).await
}

/// A run whose lists can be read.
pub async fn completed(app: &App, call: &Call) -> Result<Run, Problem> {
    listed(app, call).await.map(|(run, _)| run)
}

async fn listed(app: &App, call: &Call) -> Result<(Run, u64), Problem> {
    let (run, version): (Run, u64) = app.read(&app.key(&call.who.tenant, "run", call.part(0))).await?;
    if run.status != RunStatus::Completed || run.dry_run {
        return Err(Problem::conflict("the run has no lists: it is not completed, or a dry run"));
    }
    Ok((run, version))
}

/// A run whose breaks can be worked on, and what has to hold for that: no later run has taken them on.
pub async fn workable(app: &App, call: &Call) -> Result<(Run, Write), Problem> {
    let (run, version) = listed(app, call).await?;
    if run.followed_by.is_some() {
        return Err(Problem::conflict(
            "a later run has taken on what this one left open; work on its breaks",
        ));
    }
    let key = app.key(&call.who.tenant, "run", &run.id);
    Ok((run, Write::Check { key, version }))
}

async fn matches(app: &App, call: Call) -> Result<Reply, Problem> {
    let run = completed(app, &call).await?;
    let limit = call.number("limit", 100, 500)?;
    let scope = format!("matches\n{}\n{}", call.who.tenant, run.id);
    let mut next = match cursor::open(app, &scope, &call)? {
        Some((_, from)) => {
            from.parse().map_err(|_| Problem::bad_request("the cursor is not one of this list"))?
        }
        None => 1u64,
    };
    let mut items: Vec<Match> = Vec::new();
    while items.len() < limit && next <= run.progress.matches {
        let chunk = read_chunk(app, &call.who.tenant, &run.id, next).await?;
        let before = items.len();
        items.extend(chunk.into_iter().filter(|one| one.number >= next).take(limit - before));
        if items.len() == before {
            return Err(Problem::internal("a list of matches is not whole"));
        }
        next += (items.len() - before) as u64;
    }
    // The list of a completed run never changes, so it does not matter when it was begun.
    let next = (next <= run.progress.matches).then(|| cursor::seal(app, &scope, 0, &next.to_string()));
    Ok(Reply::Json(answer(200, &Page { items, changed: Vec::new(), next })?))
}
