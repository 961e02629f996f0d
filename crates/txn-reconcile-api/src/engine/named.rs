//! Several to one by what is named: a payment whose text names the open items that it pays, and the payments of one item.
//!
//! Entries of the two sides belong together if one names the other: by its reference, an identifier that it carries, or a
//! word of its text. All that belong together are settled at once if both sides come to the same; otherwise one entry is
//! settled by some of those that it names, if no other choice among them fits. Sums alone never decide here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::subset::only_one;
use super::{Hint, Run, Side, currency, date, measure, names};
use crate::currency::Currency;
use crate::rules::Named;

/// Entries that belong together at most; beyond them a reference is that of a customer, and not of an item.
const MEMBERS_MAX: usize = 2_000;

/// Named entries among which a choice is looked for.
const CHOICE_MAX: usize = 12;

/// Entries of the other side by entry of one.
type Edges = BTreeMap<u32, BTreeSet<u32>>;

pub(crate) fn run(run: &mut Run<'_>, index: u16, pass: &Named) {
    let edges = edges(run, pass);
    for component in components(&edges) {
        settle(run, index, pass, &edges[0], component);
    }
}

fn money(run: &Run<'_>, pass: &Named, side: Side, row: u32) -> (i128, Currency) {
    let measured = if side == Side::Left { pass.measures.left } else { pass.measures.right };
    (measure(run.set(side), row, measured), currency(run.set(side), row, measured))
}

/// Who names whom, from either side.
fn edges(run: &Run<'_>, pass: &Named) -> [Edges; 2] {
    let mut known: [HashMap<Vec<u8>, Vec<u32>>; 2] = Default::default();
    for side in Side::BOTH {
        for row in run.open_rows(side) {
            for reference in run.known_by(side, row) {
                let rows = known[side as usize].entry(reference).or_default();
                if rows.last() != Some(&row) && rows.len() <= MEMBERS_MAX {
                    rows.push(row);
                }
            }
        }
    }
    let mut edges: [Edges; 2] = Default::default();
    for side in Side::BOTH {
        let other = side.other();
        for row in run.open_rows(side) {
            let mut named = run.known_by(side, row);
            named.extend(names::words(run.set(side).description(row)));
            for partner in named.iter().filter_map(|name| known[other as usize].get(name)).flatten().copied()
            {
                let (_, own) = money(run, pass, side, row);
                let (_, theirs) = money(run, pass, other, partner);
                let far = pass.days.is_some_and(|days| {
                    run.calendar().distance(
                        date(run.set(side), row, pass.date),
                        date(run.set(other), partner, pass.date),
                    ) > days
                });
                if own == theirs && !far && run.accounts.agree((side, row), (other, partner)) {
                    edges[side as usize].entry(row).or_default().insert(partner);
                    edges[other as usize].entry(partner).or_default().insert(row);
                }
            }
        }
    }
    edges
}

/// Entries that belong together, left and right.
fn components(edges: &[Edges; 2]) -> Vec<[Vec<u32>; 2]> {
    let mut seen: [BTreeSet<u32>; 2] = Default::default();
    let mut all = Vec::new();
    for &start in edges[0].keys() {
        if seen[0].contains(&start) {
            continue;
        }
        let mut component: [Vec<u32>; 2] = Default::default();
        let mut queue = vec![(0, start)];
        while let Some((side, row)) = queue.pop() {
            if seen[side].insert(row) {
                component[side].push(row);
                queue.extend(edges[side].get(&row).into_iter().flatten().map(|next| (1 - side, *next)));
            }
        }
        component.iter_mut().for_each(|rows| rows.sort_unstable());
        all.push(component);
    }
    all
}

fn settle(run: &mut Run<'_>, index: u16, pass: &Named, edges: &Edges, component: [Vec<u32>; 2]) {
    let sum = |run: &Run<'_>, side: Side, rows: &[u32]| -> i128 {
        rows.iter().map(|row| money(run, pass, side, *row).0).sum()
    };
    let [left, right] = &component;
    if left.len() + right.len() < 3 || left.len() + right.len() > MEMBERS_MAX {
        return;
    }
    let (_, currency) = money(run, pass, Side::Left, left[0]);
    let entries =
        Side::BOTH.into_iter().flat_map(|side| component[side as usize].iter().map(move |row| (side, *row)));
    let one_account = run.accounts.all_agree(entries);
    let (l, r) = (sum(run, Side::Left, left), sum(run, Side::Right, right));
    if one_account && pass.tolerance.allows(l, r, currency) {
        let [left, right] = component;
        return run.claim_group(left, right);
    }
    // One entry, and those that it names: from either side, so that neither goes first.
    let mut proposals: Vec<(Side, u32, Vec<u32>)> = Vec::new();
    for side in Side::BOTH {
        for &target in &component[side as usize] {
            let others: Vec<u32> = component[side.other() as usize]
                .iter()
                .copied()
                .filter(|other| match side {
                    Side::Left => edges.get(&target).is_some_and(|named| named.contains(other)),
                    Side::Right => edges.get(other).is_some_and(|named| named.contains(&target)),
                })
                .collect();
            if others.len() < 2 {
                continue;
            }
            match choose(run, pass, side, target, &others) {
                Ok(Some(members)) => proposals.push((side, target, members)),
                Ok(None) => {}
                Err(candidates) => run.hint(side, target, Hint::Ambiguous { pass: index, candidates }),
            }
        }
    }
    let uses = |side: Side, row: u32| {
        let used = |(own, target, members): &&(Side, u32, Vec<u32>)| {
            (*own == side && *target == row) || (*own != side && members.contains(&row))
        };
        proposals.iter().filter(used).count()
    };
    let alone: Vec<bool> = proposals
        .iter()
        .map(|(side, target, members)| {
            uses(*side, *target) == 1 && members.iter().all(|row| uses(side.other(), *row) == 1)
        })
        .collect();
    for ((side, target, members), alone) in proposals.into_iter().zip(alone) {
        if !alone {
            let mut candidates = members;
            candidates.sort_by_cached_key(|row| run.set(side.other()).id(*row));
            run.hint(side, target, Hint::Ambiguous { pass: index, candidates });
        } else if side == Side::Left {
            run.claim_group(vec![target], members);
        } else {
            run.claim_group(members, vec![target]);
        }
    }
    for side in Side::BOTH {
        for row in &component[side as usize] {
            if run.is_open(side, *row) {
                run.hint(side, *row, Hint::Incomplete { pass: index, difference: l - r });
            }
        }
    }
}

/// The named entries that settle one: all of them, or the only choice of two or more that fits; an error with candidates
/// where several fit.
fn choose(
    run: &Run<'_>,
    pass: &Named,
    side: Side,
    target: u32,
    others: &[u32],
) -> Result<Option<Vec<u32>>, Vec<u32>> {
    let other = side.other();
    let (wanted, currency) = money(run, pass, side, target);
    let amount = |row: u32| money(run, pass, other, row).0;
    let fits = |sum: i128| match side {
        Side::Left => pass.tolerance.allows(wanted, sum, currency),
        Side::Right => pass.tolerance.allows(sum, wanted, currency),
    };
    let agree = |rows: &[u32]| {
        let members = rows.iter().map(|row| (other, *row));
        run.accounts.all_agree(members.chain([(side, target)]))
    };
    if fits(others.iter().map(|row| amount(*row)).sum()) && agree(others) {
        return Ok(Some(others.to_vec()));
    }
    if others.len() > CHOICE_MAX {
        return Ok(None);
    }
    let pick = |mask: u32| -> Vec<u32> {
        (0..others.len()).filter(|place| mask >> place & 1 == 1).map(|place| others[place]).collect()
    };
    let solutions: Vec<Vec<u32>> = (1u32..1 << others.len())
        .filter(|mask| mask.count_ones() >= 2)
        .map(pick)
        .filter(|rows| fits(rows.iter().map(|row| amount(*row)).sum()) && agree(rows))
        .collect();
    match (only_one(run, other, &solutions), solutions.into_iter().next()) {
        (Some(members), _) => Ok(Some(members)),
        (None, Some(first)) => Err(first),
        (None, None) => Ok(None),
    }
}
