//! Runs: started here, made by a worker.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::App;
use super::super::clock::id;
use super::super::problem::Problem;
use super::super::records::{
    Match, Progress, Run, RunSide, RunStatus, Source, Statement, StoredRuleset, encode, tenant,
};
use super::super::store::{Due, Expect, Key, Write};
use super::super::worker::{QUEUE, read_chunk};
use super::{Call, PAGING, Page, Reply, Route, answer, cursor, run, same, versioned};
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
        .gives::<Run>(),
        Route::post("/v1/runs/{run}/cancel", "Cancels a run", 200, run!(cancel)).gives::<Run>(),
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

/// Gives a run's claims back.
pub async fn release(app: &App, tenant: &str, run: &Run) -> Result<Vec<Write>, Problem> {
    let mut writes = Vec::new();
    if !run.dry_run {
        for key in claims(app, tenant, run) {
            if let Some(item) = app.store.get(&key).await? {
                writes.push(Write::Delete { key, version: item.version });
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
    let run = Run {
        id: id("run", &*app.clock, &*app.rng),
        status: RunStatus::Queued,
        left: new.left,
        right: new.right,
        ruleset: new.ruleset,
        cut_off: new.cut_off,
        as_of: new.as_of,
        dry_run: new.dry_run,
        progress: Progress { stage: "queued".into(), ..Progress::default() },
        summary: None,
        failure: None,
        created_by: call.who.actor.clone(),
        created_at: now,
        lease: None,
        attempts: 0,
    };
    let mut writes = vec![Write::Put {
        key: app.key(own, "run", &run.id),
        expect: Expect::Absent,
        body: encode(&run)?,
        due: Some(Due { queue: QUEUE.into(), at: now }),
        expires_at: None,
    }];
    if !run.dry_run {
        let body = encode(&json!({ "run": run.id }))?;
        writes.extend(
            claims(app, own, &run).into_iter().map(|key| Write::put(key, Expect::Absent, body.clone())),
        );
    }
    let mut shown = versioned(202, &run, 1)?;
    shown.location = Some(format!("/v1/runs/{}", run.id));
    let detail =
        json!({ "ruleset": run.ruleset, "dry_run": run.dry_run, "left": run.left, "right": run.right });
    let reply = call.commit(app, "run.create", &run.id, detail, writes, shown).await.map_err(|problem| {
        if problem.status == 409 {
            return Problem::conflict("one of the statements belongs to another run of these sources already; cancel that one, or make a dry run");
        }
        problem
    })?;
    app.wake.notify_one();
    Ok(reply)
}

async fn list(app: &App, call: Call) -> Result<Reply, Problem> {
    let page =
        cursor::page(app, &call, tenant(&call.who.tenant), "run#", |one: Run, _| Some(public(one))).await?;
    Ok(Reply::Json(answer(200, &page)?))
}

/// A run as callers see it.
fn public(run: Run) -> Run {
    Run { lease: None, ..run }
}

async fn show(app: &App, call: Call) -> Result<Reply, Problem> {
    let (run, version): (Run, u64) = app.read(&app.key(&call.who.tenant, "run", call.part(0))).await?;
    Ok(Reply::Json(versioned(200, &public(run), version)?))
}

async fn cancel(app: &App, call: Call) -> Result<Reply, Problem> {
    let key = app.key(&call.who.tenant, "run", call.part(0));
    // The worker renews its lease now and then; a cancellation that meets one is made again.
    for _ in 0..5 {
        let (run, version): (Run, u64) = app.read(&key).await?;
        if !matches!(run.status, RunStatus::Queued | RunStatus::Running) {
            return Err(Problem::conflict("the run has ended already"));
        }
        let mut writes = release(app, &call.who.tenant, &run).await?;
        let run = Run { status: RunStatus::Cancelled, lease: None, ..run };
        writes.push(Write::put(key.clone(), same(version), encode(&run)?));
        let shown = versioned(200, &run, version + 1)?;
        match call.commit(app, "run.cancel", &run.id, json!({}), writes, shown).await {
            Err(problem) if problem.status == 409 => {}
            other => return other,
        }
    }
    Err(Problem::conflict("the run changes too quickly; ask again"))
}

/// A run whose lists can be read.
pub async fn completed(app: &App, call: &Call) -> Result<Run, Problem> {
    let (run, _): (Run, u64) = app.read(&app.key(&call.who.tenant, "run", call.part(0))).await?;
    if run.status != RunStatus::Completed || run.dry_run {
        return Err(Problem::conflict("the run has no lists: it is not completed, or a dry run"));
    }
    Ok(run)
}

async fn matches(app: &App, call: Call) -> Result<Reply, Problem> {
    let run = completed(app, &call).await?;
    let limit = call.number("limit", 100, 500)?;
    let scope = format!("matches\n{}\n{}", call.who.tenant, run.id);
    let mut next = match cursor::open(app, &scope, &call)? {
        Some(position) => {
            position.parse().map_err(|_| Problem::bad_request("the cursor is not one of this list"))?
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
    let next = (next <= run.progress.matches).then(|| cursor::seal(app, &scope, &next.to_string()));
    Ok(Reply::Json(answer(200, &Page { items, next })?))
}
