//! One to one without references: an amount that occurs once on either side within the window.

use std::collections::{BTreeMap, BTreeSet};

use super::{Hint, Run, Side, currency, date, measure};
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
            let shelf =
                shelves.entry((currency(set, row, measured), measure(set, row, measured))).or_default();
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
        if !pass.blocks || !claim_block(run, pass, shelf) {
            claim_unique(run, index, pass, shelf);
        }
    }
}

/// Claims as many entries of one amount on either side as one match, if all of them are in the window and on one account.
fn claim_block(run: &mut Run<'_>, pass: &Unique, shelf: &Shelf) -> bool {
    let rows = |side: Side| shelf.rows[side as usize].iter().flatten().copied();
    let (left, right): (Vec<_>, Vec<_>) = (rows(Side::Left).collect(), rows(Side::Right).collect());
    let days = left.iter().chain(&right).map(|(day, _)| *day);
    let (first, last) = days.fold((i32::MAX, i32::MIN), |(first, last), day| (first.min(day), last.max(day)));
    let entries = left
        .iter()
        .map(|(_, row)| (Side::Left, *row))
        .chain(right.iter().map(|(_, row)| (Side::Right, *row)));
    // Entries that both carry a reference would be told apart by it.
    let named = |side: Side| !shelf.rows[side as usize][1].is_empty();
    let fits = left.len() == right.len()
        && left.len() > 1
        && last.abs_diff(first) <= pass.days
        && !(named(Side::Left) && named(Side::Right))
        && run.accounts.all_agree(entries);
    if fits {
        let rows = |rows: Vec<(i32, u32)>| rows.into_iter().map(|(_, row)| row).collect();
        run.claim_group(rows(left), rows(right));
    }
    fits
}

/// Claims the pairs of a shelf that have no alternative on either side.
fn claim_unique(run: &mut Run<'_>, index: u16, pass: &Unique, shelf: &Shelf) {
    let days = i32::try_from(pass.days).unwrap_or(i32::MAX);
    let mut found = Vec::new();
    let mut taken = BTreeSet::new();
    for named in 0..2 {
        for &(day, left) in &shelf.rows[0][named] {
            let partners = shelf.near(run, (Side::Left, left), named, day, days);
            if let [partner] = partners[..]
                && shelf.near(run, (Side::Right, partner.row), partner.named, partner.day, days).len() == 1
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
                let partners = shelf.near(run, (Side::Right, right), named, day, days);
                note(run, index, Side::Right, right, &partners);
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
    /// The first few entries of the other side that an entry of that day could match. An entry with a reference matches
    /// only one without; two that agree would have been matched by it.
    fn near(
        &self,
        run: &Run<'_>,
        (side, row): (Side, u32),
        named: usize,
        day: i32,
        days: i32,
    ) -> Vec<Partner> {
        let mut partners = Vec::new();
        let other = side.other();
        for (named, rows) in self.rows[other as usize][..2 - named].iter().enumerate() {
            let from = rows.partition_point(|(other, _)| *other < day.saturating_sub(days));
            let near = rows[from..].iter().take_while(|(other, _)| *other <= day.saturating_add(days));
            let near = near.filter(|(_, near)| run.accounts.agree((side, row), (other, *near)));
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
