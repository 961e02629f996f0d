//! What becomes of what was proposed: a break's resolution, or a manual match of several. Two people see it. While it
//! waits, whoever proposed it may withdraw it; every verdict, also on what was approved, is somebody else's.
//!
//! | stands at | step | scope | by | stands then at; its breaks |
//! |---|---|---|---|---|
//! | proposed | approve | `approve` | somebody else | approved; resolved |
//! | proposed | reject | `approve` | somebody else | rejected; open |
//! | proposed | withdraw | `write` | whoever proposed it | withdrawn; open |
//! | approved | revoke | `approve` | anybody but whoever proposed it | revoked; open |
//!
//! A break that is open again may get another proposal. Of a manual match nothing more becomes.

use serde_json::json;

use super::super::App;
use super::super::auth::same_person;
use super::super::problem::Problem;
use super::super::records::{
    Break, BreakState, ManualMatch, MatchState, Resolution, Scope, break_key, encode,
};
use super::super::store::Write;
use super::breaks::{hold, manual_key};
use super::runs::workable;
use super::{Call, Reply, Route, Versions, run, same, versioned};

pub fn routes() -> Vec<Route> {
    let of_break = |route: Route| route.gives::<Break>().versions(Versions::Needed);
    let of_match = |route: Route| route.gives::<ManualMatch>().versions(Versions::Needed);
    vec![
        of_break(Route::post(
            "/v1/runs/{run}/breaks/{number}/resolution/approve",
            "Approves what somebody else proposed",
            200,
            run!(resolution, Step::Approve),
        ))
        .scope(Scope::Approve),
        of_break(Route::post(
            "/v1/runs/{run}/breaks/{number}/resolution/reject",
            "Rejects what somebody else proposed, and opens the break again",
            200,
            run!(resolution, Step::Reject),
        ))
        .scope(Scope::Approve),
        of_break(Route::post(
            "/v1/runs/{run}/breaks/{number}/resolution/withdraw",
            "Withdraws one's own proposal while it waits, and opens the break again",
            200,
            run!(resolution, Step::Withdraw),
        )),
        of_break(Route::post(
            "/v1/runs/{run}/breaks/{number}/resolution/revoke",
            "Revokes an approved resolution that somebody else proposed, and opens the break again",
            200,
            run!(resolution, Step::Revoke),
        ))
        .scope(Scope::Approve),
        of_match(Route::post(
            "/v1/runs/{run}/manual-matches/{match}/approve",
            "Approves a manual match that somebody else proposed",
            200,
            run!(manual_match, Step::Approve),
        ))
        .scope(Scope::Approve),
        of_match(Route::post(
            "/v1/runs/{run}/manual-matches/{match}/reject",
            "Rejects a manual match that somebody else proposed, and opens its breaks again",
            200,
            run!(manual_match, Step::Reject),
        ))
        .scope(Scope::Approve),
        of_match(Route::post(
            "/v1/runs/{run}/manual-matches/{match}/withdraw",
            "Withdraws one's own manual match while it waits, and opens its breaks again",
            200,
            run!(manual_match, Step::Withdraw),
        )),
        of_match(Route::post(
            "/v1/runs/{run}/manual-matches/{match}/revoke",
            "Revokes an approved manual match that somebody else proposed, and opens its breaks again",
            200,
            run!(manual_match, Step::Revoke),
        ))
        .scope(Scope::Approve),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Approve,
    Reject,
    Withdraw,
    Revoke,
}

impl Step {
    /// The state that it starts from, and the one that it leads to.
    fn states(self) -> (MatchState, MatchState) {
        match self {
            Self::Approve => (MatchState::Proposed, MatchState::Approved),
            Self::Reject => (MatchState::Proposed, MatchState::Rejected),
            Self::Withdraw => (MatchState::Proposed, MatchState::Withdrawn),
            Self::Revoke => (MatchState::Approved, MatchState::Revoked),
        }
    }

    /// What it is called in the audit log.
    fn actions(self) -> (&'static str, &'static str) {
        match self {
            Self::Approve => ("break.approve", "match.approve"),
            Self::Reject => ("break.reject", "match.reject"),
            Self::Withdraw => ("break.withdraw", "match.withdraw"),
            Self::Revoke => ("break.revoke", "match.revoke"),
        }
    }

    /// Refuses what does not follow on a state, and whoever may not do it.
    async fn check(self, app: &App, call: &Call, state: MatchState, maker: &str) -> Result<(), Problem> {
        if state != self.states().0 {
            return Err(Problem::conflict(match self {
                Self::Revoke => "nothing is approved that could be revoked",
                Self::Approve | Self::Reject | Self::Withdraw => "nothing is proposed that waits",
            }));
        }
        let own = same_person(app, maker, &call.who.actor).await?;
        match self {
            Self::Withdraw if !own => {
                Err(Problem::forbidden("only whoever proposed it may withdraw it; reject it"))
            }
            Self::Approve if own => Err(Problem::forbidden("whoever proposed it may not approve it")),
            Self::Reject if own => {
                Err(Problem::forbidden("whoever proposed it may not reject it; withdraw it"))
            }
            Self::Revoke if own => Err(Problem::forbidden("whoever proposed it may not revoke it")),
            _ => Ok(()),
        }
    }

    /// What it does to a break.
    fn settle(self, found: &mut Break, who: &str) {
        match &mut found.resolution {
            Some(resolution) if self == Self::Approve => {
                resolution.checker = Some(who.to_owned());
                found.state = BreakState::Resolved;
            }
            _ => {
                found.resolution = None;
                found.state = BreakState::Open;
            }
        }
    }
}

async fn resolution(app: &App, call: Call, step: Step) -> Result<Reply, Problem> {
    let mut held = hold(app, &call).await?;
    let (state, maker) = match &held.found.resolution {
        Some(Resolution { manual_match: Some(_), .. }) => {
            return Err(Problem::conflict("the break belongs to a manual match; settle that"));
        }
        Some(Resolution { maker, .. }) if held.found.state == BreakState::Proposed => {
            (MatchState::Proposed, maker.as_str())
        }
        Some(Resolution { maker, .. }) if held.found.state == BreakState::Resolved => {
            (MatchState::Approved, maker.as_str())
        }
        _ => (MatchState::Lapsed, ""),
    };
    step.check(app, &call, state, maker).await?;
    step.settle(&mut held.found, &call.who.actor);
    held.save(app, &call, step.actions().0, 200).await
}

/// Settles a manual match with all of its breaks, in one transaction.
async fn manual_match(app: &App, call: Call, step: Step) -> Result<Reply, Problem> {
    let (run, check) = workable(app, &call).await?;
    let key = manual_key(&call.who.tenant, &run.id, call.part(1));
    let (mut made, version): (ManualMatch, u64) = app.read(&key).await?;
    call.unchanged(version)?;
    step.check(app, &call, made.state, &made.maker).await?;
    made.state = step.states().1;
    if step == Step::Approve {
        made.checker = Some(call.who.actor.clone());
    }
    let mut writes = vec![check, Write::put(key, same(version), encode(&made)?)];
    for number in &made.breaks {
        let key = break_key(&call.who.tenant, &run.id, *number);
        let (mut found, version): (Break, u64) = app.read(&key).await?;
        step.settle(&mut found, &call.who.actor);
        writes.push(Write::put(key, same(version), encode(&found)?));
    }
    let subject = format!("{}/{}", run.id, made.id);
    let shown = versioned(200, &made, version + 1)?;
    call.commit(app, step.actions().1, &subject, json!({ "breaks": made.breaks }), writes, shown).await
}
