//! Breaks, and what people do about them: assign, comment, and propose how they are resolved, one alone or several as a
//! manual match.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::App;
use super::super::clock::id;
use super::super::problem::Problem;
use super::super::records::{
    Break, BreakState, Comment, ManualMatch, MatchState, Reason, Resolution, Run, break_key, encode,
    run_partition,
};
use super::super::store::{Expect, Key, Write};
use super::cursor::List;
use super::runs::{completed, workable};
use super::{Call, PAGING, Page, Reply, Route, Versions, answer, name, run, same, text, versioned};

/// The query of the list of breaks.
const FILTERS: &[(&str, &str)] = &[
    PAGING[0],
    PAGING[1],
    ("state", "Only breaks in this state: open, proposed, resolved, matched_later, carried or set_aside."),
    ("kind", "Only breaks of this kind."),
    ("owner", "Only breaks of this owner."),
];

pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/runs/{run}/breaks", "Lists the breaks of a completed run", run!(list))
            .query(FILTERS)
            .gives::<Page<Break>>(),
        Route::get("/v1/runs/{run}/breaks/{number}", "Shows a break", run!(show))
            .gives::<Break>()
            .versions(Versions::Shown),
        Route::post("/v1/runs/{run}/breaks/{number}/assign", "Gives a break to an owner", 200, run!(assign))
            .takes::<Assign>()
            .gives::<Break>()
            .versions(Versions::Needed),
        Route::post("/v1/runs/{run}/breaks/{number}/comments", "Comments on a break", 201, run!(comment))
            .takes::<NewComment>()
            .gives::<Break>()
            .versions(Versions::Needed),
        Route::post(
            "/v1/runs/{run}/breaks/{number}/resolution",
            "Proposes how a break is resolved",
            200,
            run!(propose),
        )
        .takes::<Propose>()
        .gives::<Break>()
        .versions(Versions::Needed),
        Route::post(
            "/v1/runs/{run}/manual-matches",
            "Proposes that open breaks belong together",
            201,
            run!(propose_match),
        )
        .takes::<NewManualMatch>()
        .gives::<ManualMatch>(),
        Route::get("/v1/runs/{run}/manual-matches", "Lists the manual matches", run!(manual_matches))
            .query(PAGING)
            .gives::<Page<ManualMatch>>(),
        Route::get("/v1/runs/{run}/manual-matches/{match}", "Shows a manual match", run!(show_match))
            .gives::<ManualMatch>()
            .versions(Versions::Shown),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Assign {
    /// Who looks after it from now on.
    #[schemars(length(min = 1, max = 100))]
    owner: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    /// The comment.
    #[schemars(length(min = 1, max = 1000))]
    text: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Propose {
    /// Why. `matched` comes with a manual match only.
    reason: Reason,
    /// What people should know of it.
    #[schemars(length(min = 1, max = 1000))]
    note: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewManualMatch {
    /// The numbers of 2 to 40 open breaks.
    #[schemars(length(min = 2, max = 40))]
    breaks: Vec<u64>,
    /// What people should know of it: why a difference is accepted, if there is one.
    #[schemars(length(min = 1, max = 1000))]
    note: String,
}

/// Comments on one break at most.
const COMMENTS_MAX: usize = 100;

/// Bytes of them at most, as they are kept, so that they fit into one item with the entry and its resolution.
const COMMENTS_BYTES_MAX: usize = 200_000;

async fn list(app: &App, call: Call) -> Result<Reply, Problem> {
    let run = completed(app, &call).await?;
    let state = match call.query.get("state").map(String::as_str) {
        None => None,
        Some("open") => Some(BreakState::Open),
        Some("proposed") => Some(BreakState::Proposed),
        Some("resolved") => Some(BreakState::Resolved),
        Some("matched_later") => Some(BreakState::MatchedLater),
        Some("carried") => Some(BreakState::Carried),
        Some("set_aside") => Some(BreakState::SetAside),
        Some(_) => {
            return Err(Problem::bad_request(
                "state is open, proposed, resolved, matched_later, carried or set_aside",
            ));
        }
    };
    let (kind, owner) = (call.query.get("kind"), call.query.get("owner"));
    let list = List::of_run(&call, &run.id, "break#");
    let page = list.page(app, &call, |one: Break, changed| {
        // A break's kind is what it was.
        let wanted = kind.is_none_or(|kind| *kind == one.kind)
            && (changed
                || state.is_none_or(|state| one.state == state)
                    && owner.is_none_or(|owner| *owner == one.owner));
        wanted.then_some(one)
    });
    let page = page.await?;
    Ok(Reply::Json(answer(200, &page)?))
}

/// The break of a run that a call is about.
async fn find(app: &App, call: &Call, run: &Run) -> Result<(Break, u64, Key), Problem> {
    let number = call.part(1).parse().map_err(|_| Problem::not_found("a break has a number"))?;
    let key = break_key(&call.who.tenant, &run.id, number);
    let (found, version) = app.read(&key).await?;
    Ok((found, version, key))
}

async fn show(app: &App, call: Call) -> Result<Reply, Problem> {
    let run = completed(app, &call).await?;
    let (found, version, _) = find(app, &call, &run).await?;
    Ok(Reply::Json(versioned(200, &found, version)?))
}

/// A break that is about to be changed.
pub struct OpenedBreak {
    /// As it is.
    pub found: Break,
    version: u64,
    key: Key,
    /// What has to hold of its run.
    check: Write,
}

/// The break that a call is about, if it is still the one that the caller has read.
pub async fn hold(app: &App, call: &Call) -> Result<OpenedBreak, Problem> {
    let (run, check) = workable(app, call).await?;
    let (found, version, key) = find(app, call, &run).await?;
    call.unchanged(version)?;
    Ok(OpenedBreak { found, version, key, check })
}

impl OpenedBreak {
    /// Keeps it as it is now, and answers.
    pub async fn save(
        self,
        app: &App,
        call: &Call,
        action: &'static str,
        status: u16,
    ) -> Result<Reply, Problem> {
        let Self { found, version, key, check } = self;
        let writes = vec![check, Write::put(key, same(version), encode(&found)?)];
        let subject = format!("{}/{}", call.part(0), found.number);
        let detail = json!({ "state": found.state, "owner": found.owner, "resolution": found.resolution });
        let shown = versioned(status, &found, version + 1)?;
        call.commit(app, action, &subject, detail, writes, shown).await
    }
}

async fn assign(app: &App, call: Call) -> Result<Reply, Problem> {
    let body: Assign = call.json()?;
    name(&body.owner, "owner", 100)?;
    let mut held = hold(app, &call).await?;
    held.found.owner = body.owner;
    held.save(app, &call, "break.assign", 200).await
}

async fn comment(app: &App, call: Call) -> Result<Reply, Problem> {
    let body: NewComment = call.json()?;
    text(&body.text, "text", 1000)?;
    let mut held = hold(app, &call).await?;
    let comments = &mut held.found.comments;
    comments.push(Comment { by: call.who.actor.clone(), at: app.clock.now_ms(), text: body.text });
    if comments.len() > COMMENTS_MAX || encode(comments)?.len() > COMMENTS_BYTES_MAX {
        return Err(Problem::conflict("the break has as many comments as it can hold"));
    }
    held.save(app, &call, "break.comment", 201).await
}

async fn propose(app: &App, call: Call) -> Result<Reply, Problem> {
    let body: Propose = call.json()?;
    text(&body.note, "note", 1000)?;
    if body.reason == Reason::Matched {
        return Err(Problem::unprocessable("breaks are matched by a manual match"));
    }
    let mut held = hold(app, &call).await?;
    if held.found.state != BreakState::Open {
        return Err(Problem::conflict("the break is not open"));
    }
    held.found.state = BreakState::Proposed;
    held.found.resolution = Some(Resolution {
        reason: body.reason,
        note: body.note,
        maker: call.who.actor.clone(),
        checker: None,
        manual_match: None,
    });
    held.save(app, &call, "break.propose", 200).await
}

async fn propose_match(app: &App, call: Call) -> Result<Reply, Problem> {
    let mut body: NewManualMatch = call.json()?;
    text(&body.note, "note", 1000)?;
    let (run, check) = workable(app, &call).await?;
    body.breaks.sort_unstable();
    body.breaks.dedup();
    if !(2..=40).contains(&body.breaks.len()) {
        return Err(Problem::unprocessable("a manual match has 2 to 40 breaks"));
    }
    let id = id("mm", &*app.clock, &*app.rng);
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    let mut writes = vec![check];
    for number in &body.breaks {
        let key = break_key(&call.who.tenant, &run.id, *number);
        let (mut found, version): (Break, u64) = app.read(&key).await?;
        if found.state != BreakState::Open {
            return Err(Problem::conflict("one of the breaks is not open"));
        }
        let minor: i128 =
            found.entry.amount.minor.parse().map_err(|_| Problem::internal("an amount cannot be read"))?;
        let signed = if found.entry.side == "left" { Some(minor) } else { minor.checked_neg() };
        let sum = sums.entry(found.entry.amount.currency.clone()).or_default();
        *sum = signed
            .and_then(|signed| sum.checked_add(signed))
            .ok_or_else(|| Problem::unprocessable("the amounts are too large to add"))?;
        found.state = BreakState::Proposed;
        found.resolution = Some(Resolution {
            reason: Reason::Matched,
            note: body.note.clone(),
            maker: call.who.actor.clone(),
            checker: None,
            manual_match: Some(id.clone()),
        });
        writes.push(Write::put(key, same(version), encode(&found)?));
    }
    let made = ManualMatch {
        id,
        breaks: body.breaks,
        difference: sums.into_iter().map(|(currency, sum)| (currency, sum.to_string())).collect(),
        state: MatchState::Proposed,
        note: body.note,
        maker: call.who.actor.clone(),
        checker: None,
    };
    let key = manual_key(&call.who.tenant, &run.id, &made.id);
    writes.push(Write::put(key, Expect::Absent, encode(&made)?));
    let mut shown = versioned(201, &made, 1)?;
    shown.location = Some(format!("/v1/runs/{}/manual-matches/{}", run.id, made.id));
    let subject = format!("{}/{}", run.id, made.id);
    call.commit(
        app,
        "match.propose",
        &subject,
        json!({ "breaks": made.breaks, "difference": made.difference }),
        writes,
        shown,
    )
    .await
}

/// Where a manual match lies.
pub fn manual_key(tenant: &str, run: &str, id: &str) -> Key {
    Key::new(run_partition(tenant, run), format!("manual#{id}"))
}

async fn show_match(app: &App, call: Call) -> Result<Reply, Problem> {
    let run = completed(app, &call).await?;
    let (made, version): (ManualMatch, u64) =
        app.read(&manual_key(&call.who.tenant, &run.id, call.part(1))).await?;
    Ok(Reply::Json(versioned(200, &made, version)?))
}

async fn manual_matches(app: &App, call: Call) -> Result<Reply, Problem> {
    let run = completed(app, &call).await?;
    let list = List::of_run(&call, &run.id, "manual#");
    let page = list.page(app, &call, |one: ManualMatch, _| Some(one)).await?;
    Ok(Reply::Json(answer(200, &page)?))
}
