//! Importing: occurrence numbers for identical rows, and rows that came in twice.
//!
//! Rows with the same content are numbered 1, 2, 3 … A second file that holds the same rows changes nothing: a row
//! counts as often as in the file that holds it most often, unless the ruleset says that files follow one another.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{both, parallel, row, row_bits, run as run_length, sorted};
use super::{Run, Side};
use crate::entry::{EntrySet, IgnoreReason};
use crate::hash;
use crate::rules::file::{DateField, Measure, Overlap};

/// The key that rows with the same content share; an exact pass with its default settings uses it too.
#[inline]
pub(crate) fn key(set: &EntrySet, row: u32, measured: Measure, date: DateField) -> u64 {
    let amount = super::measure(set, row, measured);
    let seed = hash::mix(set.currency(row).index() as u64, super::date(set, row, date).days() as u64);
    hash::bytes(hash::mix(seed, amount as u64), set.reference_bytes(row))
}

/// Numbers identical rows and sets aside those that came in before.
pub(crate) fn settle(run: &mut Run<'_>) {
    let bits = row_bits(run.sets[0].len().max(run.sets[1].len()));
    let [left, right] = &run.sets;
    let sort = |set: &EntrySet| {
        sorted(set.rows(), bits, |row| Some(key(set, row, Measure::Amount, DateField::Booking)))
    };
    let (left_keys, right_keys) = both(run.threads, || sort(left), || sort(right));
    let keys = [left_keys, right_keys];
    let overlaps = [run.rules.left.overlap, run.rules.right.overlap];
    for side in Side::BOTH {
        let index = side as usize;
        let set = &mut run.sets[index];
        let mut at = 0;
        while at < keys[index].len() {
            let length = run_length(&keys[index][at..], bits);
            if length > 1 {
                let rows = keys[index][at..at + length].iter().map(|key| row(*key, bits));
                settle_block(set, rows, overlaps[index]);
            }
            at += length;
        }
        if overlaps[index] == Overlap::Dedupe {
            set_settled_aside(set, run.threads);
        }
    }
    run.import_keys = Some(keys);
}

/// Sets aside what a run before has matched and this one imports again.
fn set_settled_aside(set: &mut EntrySet, threads: usize) {
    if set.settled().is_empty() {
        return;
    }
    let shared: &EntrySet = set;
    let again = parallel(shared.len(), threads, |range| {
        let rows = range.filter_map(|row| u32::try_from(row).ok());
        rows.filter(|row| shared.is_settled(*row)).collect::<Vec<u32>>()
    });
    again.into_iter().flatten().for_each(|row| set.ignore(row, IgnoreReason::AlreadyImported));
}

/// Rows that may have the same content.
fn settle_block(set: &mut EntrySet, rows: impl Iterator<Item = u32>, overlap: Overlap) {
    let mut same: BTreeMap<Vec<u8>, Vec<u32>> = BTreeMap::new();
    for row in rows {
        let mut content = Vec::new();
        set.write_content(row, &mut content);
        same.entry(content).or_default().push(row);
    }
    for mut rows in same.into_values().filter(|rows| rows.len() > 1) {
        rows.sort_unstable_by_key(|row| (set.file(*row), set.line(*row), *row));
        // Entries carried forward come with their numbers.
        let (carried, mut rows): (Vec<u32>, Vec<u32>) =
            rows.into_iter().partition(|row| set.is_carried(*row));
        let taken: BTreeSet<u32> = carried.iter().map(|row| set.occurrence(*row)).collect();
        match overlap {
            Overlap::Dedupe => {
                rows = keep_fullest(set, &rows);
                // The file shows those again that have one of the first numbers, and no others.
                for row in carried {
                    if set.occurrence(row) as usize <= rows.len() {
                        set.ignore(row, IgnoreReason::AlreadyImported);
                    }
                }
                number(set, &rows, 1..);
            }
            Overlap::Append => number(set, &rows, (1..).filter(|number| !taken.contains(number))),
        }
    }
}

/// Keeps the rows of the file that has most of them, and sets the others aside.
fn keep_fullest(set: &mut EntrySet, rows: &[u32]) -> Vec<u32> {
    let mut by_file: BTreeMap<usize, u32> = BTreeMap::new();
    rows.iter().for_each(|row| *by_file.entry(set.file(*row)).or_default() += 1);
    let fullest = by_file
        .iter()
        .max_by_key(|(file, count)| (**count, std::cmp::Reverse(**file)))
        .map(|(file, _)| *file);
    let (kept, dropped): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| Some(set.file(**row)) == fullest);
    dropped.into_iter().for_each(|row| set.ignore(row, IgnoreReason::AlreadyImported));
    kept
}

fn number(set: &mut EntrySet, rows: &[u32], numbers: impl Iterator<Item = u32>) {
    rows.iter().zip(numbers).for_each(|(row, number)| set.set_occurrence(*row, number));
}
