//! One to one without references: an amount that occurs once on either side within the window.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hint, Run, Side, date, measure};
use crate::currency::Currency;
use crate::rules::Unique;

/// Entries of one currency and amount, by the business day they count on.
#[derive(Default)]
struct Shelf {
    /// Day and row, with a reference and without, for either side.
    rows: [[Vec<(i32, u32)>; 2]; 2],
}

pub(crate) fn run(run: &mut Run<'_>, index: u16, pass: &Unique) {
    let mut shelves: BTreeMap<(Currency, i128), Shelf> = BTreeMap::new();
    for (side, measured) in [(Side::Left, pass.measures.left), (Side::Right, pass.measures.right)] {
        for row in run.open_rows(side) {
            let set = run.set(side);
            let day = run.calendar().ordinal(date(set, row, pass.date));
            let named = usize::from(run.reference(side, row).is_some() && !pass.conflicting_references);
            let shelf = shelves.entry((set.currency(row), measure(set, row, measured))).or_default();
            shelf.rows[side as usize][named].push((day, row));
        }
    }
    for shelf in shelves.values_mut() {
        for side in Side::BOTH {
            let set = run.set(side);
            shelf.rows[side as usize]
                .iter_mut()
                .for_each(|rows| rows.sort_by_cached_key(|(day, row)| (*day, set.id(*row))));
        }
        claim_unique(run, index, pass, shelf);
    }
}

/// Claims the pairs of a shelf that have no alternative on either side.
fn claim_unique(run: &mut Run<'_>, index: u16, pass: &Unique, shelf: &Shelf) {
    let days = i32::try_from(pass.days).unwrap_or(i32::MAX);
    let mut found = Vec::new();
    let mut taken = BTreeSet::new();
    for named in 0..2 {
        for &(day, left) in &shelf.rows[0][named] {
            let partners = shelf.near(Side::Right, named, day, days);
            if let [partner] = partners[..]
                && shelf.near(Side::Left, partner.named, partner.day, days).len() == 1
            {
                found.push([left, partner.row]);
                taken.insert(partner.row);
            } else {
                note(run, index, Side::Left, left, &partners);
            }
        }
    }
    for named in 0..2 {
        for &(day, right) in &shelf.rows[1][named] {
            if !taken.contains(&right) {
                note(run, index, Side::Right, right, &shelf.near(Side::Left, named, day, days));
            }
        }
    }
    found.into_iter().for_each(|[left, right]| run.claim_pair(left, right));
}

/// An entry that could be the other half.
#[derive(Clone, Copy)]
struct Partner {
    day: i32,
    row: u32,
    /// 1 if it carries a reference.
    named: usize,
}

/// How many partners are looked for: two are enough to know that there is a choice.
const PARTNERS_MAX: usize = 4;

impl Shelf {
    /// The first few entries of `side` that an entry of that day could match. An entry with a reference matches only
    /// one without; two that agree would have been matched by it.
    fn near(&self, side: Side, named: usize, day: i32, days: i32) -> Vec<Partner> {
        let mut partners = Vec::new();
        for (named, rows) in self.rows[side as usize][..2 - named].iter().enumerate() {
            let from = rows.partition_point(|(other, _)| *other < day.saturating_sub(days));
            let near = rows[from..].iter().take_while(|(other, _)| *other <= day.saturating_add(days));
            partners.extend(near.take(PARTNERS_MAX).map(|&(day, row)| Partner { day, row, named }));
        }
        partners.truncate(PARTNERS_MAX);
        partners
    }
}

fn note(run: &mut Run<'_>, pass: u16, side: Side, row: u32, partners: &[Partner]) {
    if !partners.is_empty() {
        let candidates = partners.iter().map(|partner| partner.row).collect();
        run.hint(side, row, Hint::Ambiguous { pass, candidates });
    }
}
