//! Runs: started here, made by a worker.

use super::super::App;
use super::super::ledger::Answer;
use super::super::problem::Problem;
use super::super::records::{Match, Run, RunStatus};
use super::super::run::matches::read_chunk;
use super::super::run::start::{self, NewRun, start};
use super::super::store::Write;
use super::cursor::List;
use super::{Call, PAGING, Page, Reply, Route, Versions, answer, cursor, run, versioned};

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

async fn create(app: &App, call: Call) -> Result<Reply, Problem> {
    let answer = |run: &Run, version| {
        let location = Some(format!("/v1/runs/{}", run.id));
        Ok(Answer { location, ..versioned(202, &public(run.clone()), version)? })
    };
    Ok(Reply::Json(start(app, &call.caller(), call.json()?, answer).await?))
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

async fn cancel(app: &App, call: Call) -> Result<Reply, Problem> {
    let unchanged = |version| call.unchanged(version);
    let answer = |run: &Run, version| versioned(200, &public(run.clone()), version);
    Ok(Reply::Json(start::cancel(app, &call.caller(), call.part(0), unchanged, answer).await?))
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
