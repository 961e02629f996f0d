//! Settling competing candidates: the best pair first, and no guess among equals.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hint, Run, Side};
use crate::date::Date;

/// A pair that would fit, with what it is ranked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    /// How far the amounts lie apart, in minor units.
    pub difference: u128,
    /// How far the dates lie apart, in business days.
    pub days: u32,
    /// 0 the same reference, 1 the same letters and digits, 2 found in the text.
    pub reference: u8,
    /// The earlier of the two value dates: the oldest is settled first.
    pub value: Date,
    pub left: u32,
    pub right: u32,
}

impl Candidate {
    fn rank(&self) -> (u128, u32, u8, Date) {
        (self.difference, self.days, self.reference, self.value)
    }
}

/// Claims pairs in the order of their rank. This is the stable assignment, since both sides rank a pair alike.
///
/// Where pairs of one rank compete for an entry, the entries decide only if they are interchangeable (same content);
/// otherwise all of them are ambiguous and stay open in this pass.
pub(crate) fn settle(run: &mut Run<'_>, pass: u16, mut candidates: Vec<Candidate>) {
    candidates.sort_unstable();
    candidates.dedup();
    let mut blocked: [BTreeSet<u32>; 2] = [BTreeSet::new(), BTreeSet::new()];
    let mut at = 0;
    while at < candidates.len() {
        let rank = candidates[at].rank();
        let end = at + candidates[at..].iter().take_while(|candidate| candidate.rank() == rank).count();
        let level: Vec<[u32; 2]> = candidates[at..end]
            .iter()
            .map(|candidate| [candidate.left, candidate.right])
            .filter(|pair| Side::BOTH.into_iter().all(|side| run.is_open(side, pair[side as usize])))
            .filter(|pair| (0..2).all(|side| !blocked[side].contains(&pair[side])))
            .collect();
        let several = claim_alone(run, &level);
        for component in components(&several) {
            settle_component(run, pass, component, &several, &mut blocked);
        }
        at = end;
    }
}

/// Claims the pairs whose entries stand in no other pair of the level, and answers the others. The level is sorted by
/// left row.
fn claim_alone(run: &mut Run<'_>, level: &[[u32; 2]]) -> Vec<[u32; 2]> {
    let mut rights: Vec<u32> = level.iter().map(|[_, right]| *right).collect();
    rights.sort_unstable();
    let mut several = Vec::new();
    for pairs in level.chunk_by(|a, b| a[0] == b[0]) {
        match pairs {
            [[left, right]] => {
                let at = rights.partition_point(|other| other < right);
                if rights.get(at + 1) == Some(right) {
                    several.push([*left, *right]);
                } else {
                    run.claim_pair(*left, *right);
                }
            }
            pairs => several.extend_from_slice(pairs),
        }
    }
    several
}

/// Left and right rows that compete with one another.
#[derive(Debug, Default)]
struct Component {
    rows: [BTreeSet<u32>; 2],
}

/// Splits the pairs of a level into sets that share no entry.
fn components(level: &[[u32; 2]]) -> Vec<Component> {
    let mut adjacent: [BTreeMap<u32, Vec<u32>>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for [left, right] in level {
        adjacent[0].entry(*left).or_default().push(*right);
        adjacent[1].entry(*right).or_default().push(*left);
    }
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut all = Vec::new();
    for &start in adjacent[0].keys() {
        if !seen.insert(start) {
            continue;
        }
        let mut component = Component::default();
        let mut queue = vec![(0, start)];
        while let Some((side, row)) = queue.pop() {
            if component.rows[side].insert(row) {
                let neighbours = adjacent[side].get(&row).map(Vec::as_slice).unwrap_or_default();
                queue.extend(neighbours.iter().map(|next| (1 - side, *next)));
            }
        }
        seen.extend(&component.rows[0]);
        all.push(component);
    }
    all
}

fn settle_component(
    run: &mut Run<'_>,
    pass: u16,
    component: Component,
    level: &[[u32; 2]],
    blocked: &mut [BTreeSet<u32>; 2],
) {
    let [left, right] = &component.rows;
    let single = left.len() == 1 && right.len() == 1;
    if single || Side::BOTH.into_iter().all(|side| interchangeable(run, side, &component.rows[side as usize]))
    {
        let by_occurrence = |side: Side| {
            let mut rows: Vec<u32> = component.rows[side as usize].iter().copied().collect();
            rows.sort_by_key(|row| run.set(side).occurrence(*row));
            rows
        };
        for (left, right) in by_occurrence(Side::Left).into_iter().zip(by_occurrence(Side::Right)) {
            run.claim_pair(left, right);
        }
        return;
    }
    for side in Side::BOTH {
        for row in &component.rows[side as usize] {
            let mut candidates: Vec<u32> = level
                .iter()
                .filter(|pair| pair[side as usize] == *row)
                .map(|pair| pair[side.other() as usize])
                .collect();
            candidates.sort_by_cached_key(|row| run.set(side.other()).id(*row));
            blocked[side as usize].insert(*row);
            run.hint(side, *row, Hint::Ambiguous { pass, candidates });
        }
    }
}

/// Whether all rows have the same content, so that it does not matter which is taken.
fn interchangeable(run: &Run<'_>, side: Side, rows: &BTreeSet<u32>) -> bool {
    let mut rows = rows.iter();
    let Some(first) = rows.next() else { return true };
    rows.all(|row| run.set(side).same_content(*first, *row))
}
