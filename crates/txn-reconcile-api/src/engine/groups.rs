//! Payouts and batches: the entries of a key on one side against the entries of the same key on the other.

use std::collections::BTreeMap;

use super::party::Parties;
use super::{Hint, Run, Side, currency, measure, normalize};
use crate::currency::Currency;
use crate::rules::Group;
use crate::rules::file::KeyField;

/// Rows of a key, left and right.
type Members = [Vec<u32>; 2];

pub(crate) fn run(run: &mut Run<'_>, index: u16, pass: &Group) {
    let mut groups: BTreeMap<(Vec<u8>, Currency), Members> = BTreeMap::new();
    let shared: &Run<'_> = run;
    let mut parties = Parties::new(shared);
    let measures = [pass.measures.left, pass.measures.right];
    // What is prepared has letters and digits alone.
    let marks_count = ![pass.left_key, pass.right_key].contains(&KeyField::Prepared);
    for (side, field) in [(Side::Left, pass.left_key), (Side::Right, pass.right_key)] {
        for row in shared.open_rows(side) {
            let key = key(shared, &mut parties, side, row, field);
            let key = key.map(|key| if marks_count { key } else { normalize(&key) });
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                let currency = currency(shared.set(side), row, measures[side as usize]);
                groups.entry((key, currency)).or_default()[side as usize].push(row);
            }
        }
    }
    for ((_, currency), members) in groups {
        for members in by_account(run, members) {
            if members.iter().all(|rows| !rows.is_empty()) {
                settle(run, index, pass, currency, members);
            }
        }
    }
}

/// The members of each account on its own, where all of them name theirs.
fn by_account(run: &Run<'_>, members: Members) -> Vec<Members> {
    let mut parts: BTreeMap<u32, Members> = BTreeMap::new();
    for side in Side::BOTH {
        for row in &members[side as usize] {
            parts.entry(run.accounts.of(side, *row)).or_default()[side as usize].push(*row);
        }
    }
    if parts.contains_key(&0) { vec![members] } else { parts.into_values().collect() }
}

fn key(run: &Run<'_>, parties: &mut Parties<'_>, side: Side, row: u32, field: KeyField) -> Option<Vec<u8>> {
    let day = || run.set(side).booking(row).days().to_be_bytes().to_vec();
    let mut party = || Some(parties.of(side, row).into_bytes()).filter(|key| !key.is_empty());
    match field {
        KeyField::Group => Some(run.set(side).group(row).as_bytes().to_vec()).filter(|key| !key.is_empty()),
        KeyField::Reference => run.reference(side, row).map(<[u8]>::to_vec),
        KeyField::Day => Some(day()),
        KeyField::Party => party(),
        KeyField::Prepared => match run.prepared.of(side, row) {
            [one] => Some(one.clone()),
            _ => None,
        },
        KeyField::DayAndParty => party().map(|party| [day(), party].concat()),
    }
}

/// Claims the group if its sums tie, or notes by how much they do not.
fn settle(run: &mut Run<'_>, index: u16, pass: &Group, currency: Currency, members: Members) {
    let sum = |side: Side, measured| -> i128 {
        members[side as usize].iter().map(|row| measure(run.set(side), *row, measured)).sum()
    };
    let (left, right) = (sum(Side::Left, pass.measures.left), sum(Side::Right, pass.measures.right));
    let within_days = pass.days.is_none_or(|limit| span_days(run, &members) <= limit);
    let entries =
        Side::BOTH.into_iter().flat_map(|side| members[side as usize].iter().map(move |row| (side, *row)));
    let one_account = run.accounts.all_agree(entries);
    if within_days && one_account && pass.tolerance.allows(left, right, currency) {
        let [left, right] = members;
        return run.claim_group(left, right);
    }
    for side in Side::BOTH {
        for row in &members[side as usize] {
            run.hint(side, *row, Hint::Incomplete { pass: index, difference: left - right });
        }
    }
}

/// Business days between the earliest and the latest booking.
fn span_days(run: &Run<'_>, members: &Members) -> u32 {
    let days = Side::BOTH.into_iter().flat_map(|side| {
        members[side as usize].iter().map(move |row| run.calendar().ordinal(run.set(side).booking(*row)))
    });
    let (first, last) = days.fold((i32::MAX, i32::MIN), |(first, last), day| (first.min(day), last.max(day)));
    last.abs_diff(first)
}
