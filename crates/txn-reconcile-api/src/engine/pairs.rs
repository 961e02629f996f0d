//! One to one by reference, with amounts and dates within limits.

use super::assign::{Candidate, settle};
use super::keys::{blocks, both, row, row_bits};
use super::names;
use super::{Hint, Run, Side, currency, date, measure, normalize};
use crate::hash;
use crate::rules::ByReference;
use crate::rules::file::ReferenceMode;

/// Comparisons that one reference may cost; above them its entries are too tangled to settle.
const COMPARISONS_MAX: usize = 2_000_000;

/// Candidates that one reference may have.
const CANDIDATES_MAX: usize = 20_000;

pub(crate) fn run(run: &mut Run<'_>, index: u16, pass: &ByReference) {
    let bits = row_bits(run.sets[0].len().max(run.sets[1].len()));
    let shared: &Run<'_> = run;
    let (left, right) =
        both(run.threads, || keys(shared, Side::Left, pass, bits), || keys(shared, Side::Right, pass, bits));
    let mut candidates = Vec::new();
    let mut tangled = Vec::new();
    blocks(&left, &right, bits, |l, r| {
        if let ([l], [r]) = (l, r) {
            candidates.extend(candidate(run, pass, row(*l, bits), row(*r, bits)));
            return;
        }
        let l: Vec<u32> = l.iter().map(|key| row(*key, bits)).collect();
        let r: Vec<u32> = r.iter().map(|key| row(*key, bits)).collect();
        match block(run, pass, &l, &r) {
            Some(found) => candidates.extend(found),
            None => tangled.push([l, r]),
        }
    });
    for rows in tangled {
        for side in Side::BOTH {
            for row in &rows[side as usize] {
                run.hint(side, *row, Hint::Tangled { pass: index });
            }
        }
    }
    settle(run, index, candidates);
}

/// What each open entry can be found by: its reference and, where descriptions count, their words.
fn keys(run: &Run<'_>, side: Side, pass: &ByReference, bits: u32) -> Vec<u64> {
    let mode = pass.reference;
    let measured = if side == Side::Left { pass.measures.left } else { pass.measures.right };
    let mut keys = Vec::new();
    for row in run.open_rows(side) {
        let seed = currency(run.set(side), row, measured).index() as u64;
        let mut push = |text: &[u8]| keys.push(super::keys::pack(hash::bytes(seed, text), row, bits));
        if let Some(reference) = run.reference(side, row) {
            match mode {
                ReferenceMode::Exact => push(reference),
                _ => push(&normalize(reference)),
            }
        }
        if mode == ReferenceMode::Contained {
            names::words(run.set(side).description(row)).iter().for_each(|word| push(word));
        }
        if mode != ReferenceMode::Exact {
            run.beside(side, row).for_each(|reference| push(&reference));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The pairs of a block that fit; none if there are too many to settle.
fn block(run: &Run<'_>, pass: &ByReference, left: &[u32], right: &[u32]) -> Option<Vec<Candidate>> {
    let mut sorted: Vec<(i128, u32)> =
        right.iter().map(|row| (measure(run.set(Side::Right), *row, pass.measures.right), *row)).collect();
    sorted.sort_unstable();
    let strict = pass.tolerance.is_none();
    let mut found = Vec::new();
    let mut comparisons = 0;
    for &l in left {
        let amount = measure(run.set(Side::Left), l, pass.measures.left);
        let from = if strict { sorted.partition_point(|(other, _)| *other < amount) } else { 0 };
        for (_, r) in sorted[from..].iter().take_while(|(other, _)| !strict || *other == amount) {
            comparisons += 1;
            found.extend(candidate(run, pass, l, *r));
        }
        if comparisons > COMPARISONS_MAX || found.len() > CANDIDATES_MAX {
            return None;
        }
    }
    Some(found)
}

/// The pair with its rank, if it is within the limits.
fn candidate(run: &Run<'_>, pass: &ByReference, left: u32, right: u32) -> Option<Candidate> {
    let (l, r) = (run.set(Side::Left), run.set(Side::Right));
    let currency = currency(l, left, pass.measures.left);
    if currency != super::currency(r, right, pass.measures.right)
        || !run.accounts.agree((Side::Left, left), (Side::Right, right))
    {
        return None;
    }
    let (a, b) = (measure(l, left, pass.measures.left), measure(r, right, pass.measures.right));
    let days = run.calendar().distance(date(l, left, pass.date), date(r, right, pass.date));
    if days > pass.days || !pass.tolerance.allows(a, b, currency) {
        return None;
    }
    let reference = distance(run, pass.reference, left, right)?;
    let value = l.value(left).min(r.value(right));
    Some(Candidate { difference: a.abs_diff(b), days, reference, value, left, right })
}

/// How far two references lie apart; none if they do not belong together.
fn distance(run: &Run<'_>, mode: ReferenceMode, left: u32, right: u32) -> Option<u8> {
    let (l, r) = (run.reference(Side::Left, left), run.reference(Side::Right, right));
    if let (Some(l), Some(r)) = (l, r) {
        if l == r {
            return Some(0);
        }
        if mode != ReferenceMode::Exact && normalize(l) == normalize(r) {
            return Some(1);
        }
    }
    if mode == ReferenceMode::Exact {
        return None;
    }
    // What either side carries beside its reference: an end-to-end identifier, a creditor reference, a document, or what
    // the ruleset has made of its fields.
    let (known_left, known_right) = (run.known_by(Side::Left, left), run.known_by(Side::Right, right));
    if known_left.iter().any(|reference| known_right.contains(reference)) {
        return Some(2);
    }
    if mode != ReferenceMode::Contained {
        return None;
    }
    let within = |references: &[Vec<u8>], description: &str| {
        !references.is_empty() && names::words(description).iter().any(|word| references.contains(word))
    };
    let found = within(&known_left, run.set(Side::Right).description(right))
        || within(&known_right, run.set(Side::Left).description(left));
    found.then_some(3)
}
