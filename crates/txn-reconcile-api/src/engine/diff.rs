//! Two outcomes of the same entries side by side: what another ruleset matches otherwise.

use std::collections::BTreeMap;

use super::{Outcome, Side, State};
use crate::currency::Currency;
use crate::entry::EntryId;

/// Where an entry stands under a ruleset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Matched by a pass, with these others, by side and row.
    Matched(String, Vec<(Side, u32)>),
    /// Open, as a break of a kind.
    Open(&'static str),
    /// Set aside.
    Ignored,
}

/// An entry that stands otherwise under the other ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The side it is on.
    pub side: Side,
    /// Its row in the first outcome.
    pub row: u32,
    /// How it stands in the first outcome, with rows of it.
    pub before: Standing,
    /// How it stands in the second one, with rows of that.
    pub after: Standing,
}

/// Entries that stand otherwise, counted and summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// How many.
    pub count: u64,
    /// Their amounts.
    pub sum: i128,
}

/// What differs between two outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Every entry that stands otherwise, by side, booking date and identity.
    pub changes: Vec<Change>,
    /// The same by what it was and what it is, side and currency.
    pub moves: BTreeMap<(&'static str, &'static str, Side, Currency), Moved>,
    /// Entries that only one of the two has: their texts are read otherwise, so that they are others.
    pub only: [u64; 2],
}

/// An entry, by side and identity.
type Key = (Side, EntryId);

/// Whom an entry is matched with, and by which pass: its partners by identity, so that the two outcomes can be compared.
type Partners = (String, Vec<Key>);

/// What differs.
#[must_use]
pub fn diff(before: (&Outcome, &[&str]), after: (&Outcome, &[&str])) -> Diff {
    let (first, second) = (standings(before.0, before.1), standings(after.0, after.1));
    let mut diff = Diff::default();
    for (key, (row, standing, partners)) in &first {
        let Some((_, other, other_partners)) = second.get(key) else {
            diff.only[0] += 1;
            continue;
        };
        // Another kind of break is another reason, and no other match.
        if name(standing) == name(other) && partners == other_partners {
            continue;
        }
        let set = before.0.set(key.0);
        let moved = diff.moves.entry((name(standing), name(other), key.0, set.currency(*row))).or_default();
        moved.count += 1;
        moved.sum += set.amount(*row);
        diff.changes.push(Change { side: key.0, row: *row, before: standing.clone(), after: other.clone() });
    }
    diff.only[1] = second.keys().filter(|key| !first.contains_key(key)).count() as u64;
    diff.changes.sort_by_cached_key(|change| {
        let set = before.0.set(change.side);
        (change.side, set.booking(change.row), set.id(change.row))
    });
    diff
}

/// What a standing is called in sums.
fn name(standing: &Standing) -> &'static str {
    match standing {
        Standing::Matched(..) => "matched",
        Standing::Open(_) => "open",
        Standing::Ignored => "set aside",
    }
}

/// How every entry stands; `names` are those of the passes.
fn standings(outcome: &Outcome, names: &[&str]) -> BTreeMap<Key, (u32, Standing, Partners)> {
    let key = |side: Side, row: u32| (side, outcome.set(side).id(row));
    let mut all = BTreeMap::new();
    for side in Side::BOTH {
        for row in outcome.set(side).rows() {
            if outcome.states[side as usize][row as usize] == State::Ignored {
                all.insert(key(side, row), (row, Standing::Ignored, (String::new(), Vec::new())));
            }
        }
    }
    for item in &outcome.breaks {
        let standing = Standing::Open(item.kind.name());
        all.insert(key(item.side, item.row), (item.row, standing, (String::new(), Vec::new())));
    }
    for view in outcome.matches() {
        let pass = names.get(view.pass).copied().unwrap_or_default();
        let left = view.left.iter().map(|row| (Side::Left, *row));
        let members: Vec<(Side, u32)> =
            left.chain(view.right.iter().map(|row| (Side::Right, *row))).collect();
        for own in &members {
            let others: Vec<(Side, u32)> = members.iter().copied().filter(|other| other != own).collect();
            let mut partners: Vec<Key> = others.iter().map(|(side, row)| key(*side, *row)).collect();
            partners.sort_unstable();
            let standing = Standing::Matched(pass.to_owned(), others);
            all.insert(key(own.0, own.1), (own.1, standing, (pass.to_owned(), partners)));
        }
    }
    all
}
