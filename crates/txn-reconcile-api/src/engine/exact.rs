//! The first pass of most rulesets: same reference, currency, amount and date.

use super::imports::key;
use super::keys::{blocks, both, parallel, row, row_bits, sorted};
use super::{Run, Side, currency, date, measure};
use crate::rules::Exact;
use crate::rules::file::{DateField, Measure};

/// Rows whose partners are brought into the caches at once.
const WARMED: usize = 64;

/// No partner.
const NONE: u32 = u32::MAX;

pub(crate) fn run(run: &mut Run<'_>, pass: &Exact) {
    let bits = row_bits(run.sets[0].len().max(run.sets[1].len()));
    let usual = pass.date == DateField::Booking
        && pass.measures.left == Measure::Amount
        && pass.measures.right == Measure::Amount;
    let [left, right] = match run.import_keys.take().filter(|_| usual) {
        Some(keys) => keys,
        None => {
            let sort = |side: Side, measured: Measure| {
                let set = run.set(side);
                sorted(set.rows(), bits, |row| Some(key(set, row, measured, pass.date)))
            };
            let (left, right) = both(
                run.threads,
                || sort(Side::Left, pass.measures.left),
                || sort(Side::Right, pass.measures.right),
            );
            [left, right]
        }
    };
    // One row on each side is the common case. Its partner is noted and compared later in the order of the rows, which
    // is kinder to the caches than the order of the hashes.
    let mut partners = vec![NONE; run.sets[0].len()];
    let mut several: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
    blocks(&left, &right, bits, |l, r| match (l, r) {
        ([l], [r]) => partners[row(*l, bits) as usize] = row(*r, bits),
        _ => several.push((
            l.iter().map(|key| row(*key, bits)).collect(),
            r.iter().map(|key| row(*key, bits)).collect(),
        )),
    });
    drop((left, right));
    let shared: &Run<'_> = run;
    let confirmed = parallel(partners.len(), run.threads, |range| {
        let same = |row: usize| partners[row] != NONE && agree(shared, pass, row as u32, partners[row]);
        let mut pairs = Vec::with_capacity(range.len());
        for rows in range.clone().step_by(WARMED).map(|from| from..range.end.min(from + WARMED)) {
            let others = partners[rows.clone()].iter().copied().filter(|partner| *partner != NONE);
            shared.set(Side::Right).warm(others);
            pairs.extend(rows.filter(|row| same(*row)).map(|row| [row as u32, partners[row]]));
        }
        pairs
    });
    drop(partners);
    if let Some(matches) = run.matches.last_mut() {
        matches.pairs.reserve_exact(confirmed.iter().map(Vec::len).sum());
    }
    for pairs in confirmed {
        pairs.into_iter().for_each(|[left, right]| run.claim_pair(left, right));
    }
    for (left, right) in several {
        claim_several(run, pass, left, right);
    }
}

/// Whether two rows have the same reference, currency, amount and date, and are both open.
fn agree(run: &Run<'_>, pass: &Exact, left: u32, right: u32) -> bool {
    let (l, r) = (run.set(Side::Left), run.set(Side::Right));
    run.is_open(Side::Left, left)
        && run.is_open(Side::Right, right)
        && measure(l, left, pass.measures.left) == measure(r, right, pass.measures.right)
        && currency(l, left, pass.measures.left) == currency(r, right, pass.measures.right)
        && run.accounts.agree((Side::Left, left), (Side::Right, right))
        && date(l, left, pass.date) == date(r, right, pass.date)
        && l.reference_bytes(left) == r.reference_bytes(right)
        && run.reference(Side::Left, left).is_some()
}

/// Several rows with one key: first against first in the order of value date and identity.
fn claim_several(run: &mut Run<'_>, pass: &Exact, mut left: Vec<u32>, mut right: Vec<u32>) {
    for (side, rows) in [(Side::Left, &mut left), (Side::Right, &mut right)] {
        let set = run.set(side);
        rows.sort_by_cached_key(|row| (set.value(*row), set.occurrence(*row), set.id(*row)));
    }
    for l in left {
        if let Some(at) = right.iter().position(|r| agree(run, pass, l, *r)) {
            let r = right.remove(at);
            run.claim_pair(l, r);
        }
    }
}
