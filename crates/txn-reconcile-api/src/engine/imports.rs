//! Importing: occurrence numbers for identical rows, and rows that came in twice.
//!
//! Rows with the same content are numbered 1, 2, 3 … A second file that holds the same rows changes nothing: a row
//! counts as often as in the file that holds it most often, unless the ruleset says that files follow one another.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{both, parallel, row, row_bits, run as run_length, sorted};
use super::{Run, Side, account_key};
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::details::{self, Detail};
use crate::entry::{EntrySet, IgnoreReason};
use crate::hash;
use crate::rules::file::{DateField, Measure, Overlap};

/// The key that rows with the same content share; an exact pass with its default settings uses it too.
#[inline]
pub(crate) fn key(set: &EntrySet, row: u32, measured: Measure, date: DateField) -> u64 {
    let amount = super::measure(set, row, measured);
    let currency = super::currency(set, row, measured);
    let seed = hash::mix(currency.index() as u64, super::date(set, row, date).days() as u64);
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
        set_detailed_aside(set);
        if overlaps[index] == Overlap::Dedupe {
            set_read_again_aside(set);
            set_settled_aside(set, run.threads);
        }
    }
    run.import_keys = Some(keys);
}

/// A booking in one file: its account, day and the bank's number of it.
type Booking<'a> = (String, Currency, Date, &'a str);

/// Sets aside bookings that another file has in detail (a batch in a statement, and its notification): one and the same
/// money. The file that has it in more entries keeps it; of two with as many, the one that says more.
fn set_detailed_aside(set: &mut EntrySet) {
    if set.files().len() < 2 || set.has_no_details() {
        return;
    }
    let done: BTreeSet<u32> = set.ignored().iter().map(|(row, _)| *row).collect();
    let mut bookings: BTreeMap<Booking<'_>, BTreeMap<usize, Vec<u32>>> = BTreeMap::new();
    for row in set.rows().filter(|row| !done.contains(row) && !set.is_carried(*row)) {
        let number = details::find(set.details(row), Detail::Booking);
        if !number.is_empty() {
            let booking = (account_key(set.account(row)), set.currency(row), set.booking(row), number);
            bookings.entry(booking).or_default().entry(set.file(row)).or_default().push(row);
        }
    }
    let net = |rows: &[u32]| rows.iter().map(|row| set.amount(*row) - set.fee(*row)).sum::<i128>();
    let says = |rows: &[u32]| rows.iter().map(|row| set.draft(*row).texts_bytes()).sum::<usize>();
    let mut aside = Vec::new();
    for files in bookings.into_values().filter(|files| files.len() > 1) {
        let files: Vec<Vec<u32>> = files.into_values().collect();
        let same = files.windows(2).all(|pair| net(&pair[0]) == net(&pair[1]));
        let best =
            (0..files.len()).max_by_key(|at| (files[*at].len(), says(&files[*at]), std::cmp::Reverse(*at)));
        if let (true, Some(best)) = (same, best) {
            aside.extend(
                files.into_iter().enumerate().filter(|(at, _)| *at != best).flat_map(|(_, rows)| rows),
            );
        }
    }
    aside.into_iter().for_each(|row| set.ignore(row, IgnoreReason::Detailed));
}

/// Sets aside rows that the release before left open and this run reads again, perhaps with other texts: they stand in the
/// same bytes, for the same money of the same day. The entry that was carried goes on.
fn set_read_again_aside(set: &mut EntrySet) {
    if !set.files().iter().any(|file| file.of_old) {
        return;
    }
    let place = |row: u32| (set.raw(row).hash, set.currency(row), set.amount(row), set.booking(row));
    let done: BTreeSet<u32> = set.ignored().iter().map(|(row, _)| *row).collect();
    let mut carried: BTreeMap<_, u32> = BTreeMap::new();
    for row in set.rows().filter(|row| set.is_of_old(*row) && !done.contains(row)) {
        *carried.entry(place(row)).or_default() += 1;
    }
    let mut again = Vec::new();
    for row in set.rows().filter(|row| !set.is_carried(*row) && !done.contains(row)) {
        if let Some(left) = carried.get_mut(&place(row)).filter(|left| **left > 0) {
            *left -= 1;
            again.push(row);
        }
    }
    again.into_iter().for_each(|row| set.ignore(row, IgnoreReason::AlreadyImported));
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
