//! Reversals: two entries of one side, with one reference, that cancel out.

use std::collections::BTreeMap;

use super::{Run, Side, date};
use crate::currency::Currency;
use crate::rules::Net;
use crate::rules::file::SideName;

/// Entries of one reference and size: money in and money out.
type Shelf = [Vec<u32>; 2];

pub(crate) fn run(run: &mut Run<'_>, pass: &Net) {
    for side in Side::BOTH {
        if pass.side.is_some_and(|wanted| (wanted == SideName::Left) != (side == Side::Left)) {
            continue;
        }
        let mut shelves: BTreeMap<(Vec<u8>, Currency, u128), Shelf> = BTreeMap::new();
        for row in run.open_rows(side) {
            let set = run.set(side);
            let amount = set.amount(row);
            if let Some(reference) = run.reference(side, row).filter(|_| amount != 0) {
                let key = (reference.to_vec(), set.currency(row), amount.unsigned_abs());
                shelves.entry(key).or_default()[usize::from(amount < 0)].push(row);
            }
        }
        for shelf in shelves.into_values() {
            cancel(run, pass, side, shelf);
        }
    }
}

/// Cancels oldest against oldest, provided that each entry has its opposite: with one too many it would be a guess
/// which of them stands.
fn cancel(run: &mut Run<'_>, pass: &Net, side: Side, mut shelf: Shelf) {
    let set = run.set(side);
    let same = |rows: &[u32]| rows.windows(2).all(|pair| set.same_content(pair[0], pair[1]));
    if shelf[0].len() != shelf[1].len() && !shelf.iter().all(|rows| same(rows)) {
        return;
    }
    for rows in &mut shelf {
        rows.sort_by_cached_key(|row| (date(set, *row, pass.date), set.occurrence(*row), set.id(*row)));
    }
    let [incoming, outgoing] = shelf;
    for (a, b) in incoming.into_iter().zip(outgoing) {
        let days =
            run.calendar().distance(date(run.set(side), a, pass.date), date(run.set(side), b, pass.date));
        if days <= pass.days {
            match side {
                Side::Left => run.claim_group(vec![a, b], Vec::new()),
                Side::Right => run.claim_group(Vec::new(), vec![a, b]),
            }
        }
    }
}
