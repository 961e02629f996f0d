//! Two modules side by side: what changes, what Terraform will do about it, and what that means.
//!
//! Nothing here needs a plan, credentials or the network. Two values are the same only where that is proved; whatever is in
//! doubt is shown ([`same`](self)). Which changes replace a resource was asked of the provider ([`aws::schema`]).

mod change;
mod consequence;
mod moves;
mod network;
mod permission;
mod report;
mod same;
mod verify;

pub use crate::config::Consequence;
pub use change::{Action, Attribute, Change};
pub use consequence::{Acknowledgement, Finding};
pub use moves::Move;
pub use network::Opening;
pub use permission::{Grant, Permission, Verdict};
pub use report::{About, json, markdown, schema, text};

pub use verify::Verified;

use crate::config::{Acknowledged, Date};
use aws::schema::Replacement;
use terraform::query::View;

/// What one module makes of another.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// What is done, by address.
    pub changes: Vec<Change>,
    /// What it means, the most dangerous first.
    pub findings: Vec<Finding>,
    /// Who may do more or less than before.
    pub permissions: Vec<Permission>,
    /// Who reaches more or less than before.
    pub network: Vec<Opening>,
    /// What looks as if it had moved, and is not said to.
    pub moves: Vec<Move>,
    /// What cannot be looked into, a line each.
    pub beyond: Vec<String>,
}

impl Review {
    /// Reviews a module against the one before it.
    #[must_use]
    pub fn of(old: &View, new: &View) -> Self {
        Self::by(old, new, Replacement::recorded())
    }

    /// As [`Review::of`], by another table of what replaces a resource.
    #[must_use]
    pub fn by(old: &View, new: &View, table: &Replacement) -> Self {
        let (old, moved) = &moves::renamed(old, new);
        let changes = change::changes(old, new, moved, table);
        let permissions = permission::permissions(old, new);
        let network = network::openings(old, new);
        let moves = moves::proposals(old, new, &changes);
        let findings = consequence::findings(old, new, &changes, &permissions, &network);
        Self { changes, findings, permissions, network, moves, beyond: beyond(old, new) }
    }

    /// Notes which consequences are acknowledged on a day. What is wrong with the acknowledgements, a line each.
    pub fn acknowledge(&mut self, all: &[Acknowledged], on: &Date) -> Vec<String> {
        consequence::acknowledge(&mut self.findings, all, on)
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.beyond.is_empty()
    }
}

/// What differs, or may, and is not looked into.
fn beyond(old: &View, new: &View) -> Vec<String> {
    let mut all = Vec::new();
    let names = old.beyond.keys().chain(new.beyond.keys()).collect::<std::collections::BTreeSet<_>>();
    for name in names {
        match (old.beyond.get(name), new.beyond.get(name)) {
            (Some(a), Some(b)) if a == b => {}
            (Some(_), Some(_)) => all.push(format!("{name} differs: what it makes is not looked into")),
            (None, _) => all.push(format!("{name} is new: what it makes is not looked into")),
            (_, None) => all.push(format!("{name} is gone: what it made is not looked into")),
        }
    }
    for name in old.outputs.keys().chain(new.outputs.keys()).collect::<std::collections::BTreeSet<_>>() {
        if old.outputs.get(name) != new.outputs.get(name) {
            all.push(format!("the output {name} differs"));
        }
    }
    if old.backend != new.backend && old.backend.is_some() {
        all.push("the state is kept elsewhere: it has to be moved there before the first plan".to_owned());
    }
    all
}
