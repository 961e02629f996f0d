//! Carrying open entries forward into the next run, with their identity, and behind them those that were booked after
//! the cut-off, which no run has looked at yet.
//!
//! One JSON object on each line, behind a line that names the version. An entry keeps its content, its booking date
//! (so that its age goes on counting) and its occurrence number; if the next run imports the same row again, the two
//! are recognised as one. Of matched entries the file keeps the identities, by booking date, so that a file that is
//! imported once more does not bring them back; after [`REMEMBERED_DAYS`] they are forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use contract::REMEMBERED_DAYS;
use serde::{Deserialize, Serialize};

use super::{Outcome, Side, State};
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::text::TextFull;
use crate::entry::{Draft, EntryId, EntrySet, IgnoreReason, RawPlace, details};

/// The first line of a carry file.
const HEADER: &str = "{\"carry_forward\":2}";

/// The first line of one of the release before, whose entries have no details.
const HEADER_BEFORE: &str = "{\"carry_forward\":1}";

/// Why a carry file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarryError {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for CarryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for CarryError {}

/// An open entry on its way to the next run.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Carried {
    side: String,
    /// Minor units, as text: JSON numbers are not safe for money.
    amount: String,
    fee: String,
    currency: String,
    booking: String,
    value: String,
    reference: String,
    counterparty: String,
    group: String,
    account: String,
    kind: String,
    description: String,
    #[serde(default)]
    details: String,
    occurrence: u32,
    line: u64,
    raw_offset: u64,
    raw_len: u32,
    raw_hash: String,
}

/// Identities that stand on one line.
const IDS_PER_LINE: usize = 1_000;

/// Entries that a run has matched.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Settled {
    settled: String,
    booking: String,
    ids: Vec<String>,
}

/// The rows that this run has matched, by booking day; days of which only runs before have matched something have none.
#[must_use]
pub fn newly_settled(outcome: &Outcome, side: Side) -> BTreeMap<Date, Vec<u32>> {
    let set = outcome.set(side);
    let mut days: BTreeMap<Date, Vec<u32>> = set.settled().keys().map(|day| (*day, Vec::new())).collect();
    for row in set.rows().filter(|row| outcome.states[side as usize][*row as usize] == State::Matched) {
        days.entry(set.booking(row)).or_default().push(row);
    }
    days
}

/// Writes the identities of matched entries, those of runs before among them.
fn write_settled(outcome: &Outcome, side: Side, text: &mut String) {
    let set = outcome.set(side);
    let oldest = outcome.as_of.days() - i32::from(REMEMBERED_DAYS);
    for (booking, rows) in newly_settled(outcome, side) {
        if booking.days() < oldest {
            continue;
        }
        let mut ids: BTreeSet<EntryId> = set.settled().get(&booking).cloned().unwrap_or_default();
        ids.extend(rows.iter().map(|row| set.id(*row)));
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        for ids in ids.chunks(IDS_PER_LINE) {
            let line =
                Settled { settled: side.name().to_owned(), booking: booking.to_string(), ids: ids.to_vec() };
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
        }
    }
}

/// Reads a line of [`write_settled`]; none if it is something else.
fn read_settled(text: &str, sets: &mut [EntrySet; 2]) -> Option<()> {
    let line: Settled = serde_json::from_str(text).ok()?;
    let side = side_named(&line.settled)?;
    let booking = Date::parse_iso(line.booking.as_bytes())?;
    for id in &line.ids {
        sets[side as usize].settle(booking, EntryId(u128::from_str_radix(id, 16).ok()?));
    }
    Some(())
}

fn side_named(name: &str) -> Option<Side> {
    Side::BOTH.into_iter().find(|side| side.name() == name)
}

/// The open entries of a run, and the identities of the matched ones, as a carry file.
#[must_use]
pub fn write(outcome: &Outcome) -> String {
    let mut text = write_open(outcome);
    Side::BOTH.into_iter().for_each(|side| write_settled(outcome, side, &mut text));
    text
}

/// A carry file of the open entries alone.
#[must_use]
pub fn write_open(outcome: &Outcome) -> String {
    let mut text = format!("{HEADER}\n");
    let open = outcome.breaks.iter().map(|item| (item.side, item.row));
    for (side, row) in open.chain(waiting(outcome)) {
        let set = outcome.set(side);
        let draft = set.draft(row);
        let carried = Carried {
            side: side.name().to_owned(),
            amount: draft.amount.to_string(),
            fee: draft.fee.to_string(),
            currency: draft.currency.code().to_owned(),
            booking: draft.booking.to_string(),
            value: draft.value.to_string(),
            reference: draft.reference.to_owned(),
            counterparty: draft.counterparty.to_owned(),
            group: draft.group.to_owned(),
            account: draft.account.to_owned(),
            kind: draft.kind.to_owned(),
            description: draft.description.to_owned(),
            details: draft.details.to_owned(),
            occurrence: set.occurrence(row),
            line: draft.line,
            raw_offset: draft.raw.offset,
            raw_len: draft.raw.len,
            raw_hash: format!("{:016x}", draft.raw.hash),
        };
        text.push_str(&serde_json::to_string(&carried).unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Entries that were set aside because they were booked after the cut-off, and for nothing else.
pub fn waiting(outcome: &Outcome) -> impl Iterator<Item = (Side, u32)> + '_ {
    Side::BOTH.into_iter().flat_map(|side| {
        let mut reasons: BTreeMap<u32, bool> = BTreeMap::new();
        for (row, reason) in outcome.set(side).ignored() {
            *reasons.entry(*row).or_insert(true) &= *reason == IgnoreReason::AfterCutOff;
        }
        reasons.into_iter().filter(|(_, only)| *only).map(move |(row, _)| (side, row))
    })
}

/// Reads a carry file into a set for either side; `name` is what reports call the file.
///
/// # Errors
/// Fails on the first line that is not as [`write`] makes it: a carry file is never mended by hand.
pub fn read(text: &str, name: &str) -> Result<[EntrySet; 2], CarryError> {
    read_without(text, name, &BTreeSet::new()).map(|forward| forward.sets)
}

/// What a carry file holds.
#[derive(Clone, Debug)]
pub struct Forward {
    /// The entries of either side.
    pub sets: [EntrySet; 2],
    /// The identity of each entry of the file, in its order, those that were left out among them.
    pub entries: Vec<(Side, EntryId)>,
}

/// Reads a carry file as [`read`] does, but for the entries of these places, from 1: they were settled by hand, and are
/// remembered like those that were matched.
///
/// # Errors
/// As [`read`].
pub fn read_without(text: &str, name: &str, settled: &BTreeSet<u64>) -> Result<Forward, CarryError> {
    let mut sets = [EntrySet::for_file(name), EntrySet::for_file(name)];
    let mut entries = Vec::new();
    let mut lines = (1..).zip(text.lines());
    let of_old = match lines.next() {
        Some((_, HEADER)) => false,
        Some((_, HEADER_BEFORE)) => true,
        _ => return Err(CarryError { line: 1, message: "not a carry file of version 1 or 2".to_owned() }),
    };
    sets.iter_mut().for_each(|set| set.set_carried(of_old));
    for (line, text) in lines {
        let fail = |message: &str| CarryError { line, message: message.to_owned() };
        if text.starts_with("{\"settled\"") {
            read_settled(text, &mut sets)
                .ok_or_else(|| fail("not matched entries as this program writes them"))?;
            continue;
        }
        let carried: Carried =
            serde_json::from_str(text).map_err(|_| fail("not an entry as this program writes it"))?;
        let side = side_named(&carried.side).ok_or_else(|| fail("the side is neither left nor right"))?;
        let draft =
            draft(&carried).ok_or_else(|| fail("an amount, currency, date or hash cannot be read"))?;
        let full = |full: TextFull| fail(&full.to_string());
        let mut apart = EntrySet::for_file(name);
        let by_hand = settled.contains(&(entries.len() as u64 + 1));
        let set = if by_hand { &mut apart } else { &mut sets[side as usize] };
        let row = set.push(&draft).map_err(full)?;
        set.set_occurrence(row, carried.occurrence);
        let id = set.id(row);
        entries.push((side, id));
        if by_hand {
            sets[side as usize].settle(draft.booking, id);
        }
    }
    Ok(Forward { sets, entries })
}

fn draft(carried: &Carried) -> Option<Draft<'_>> {
    let currency = Currency::from_code(carried.currency.as_bytes())?;
    let amount: i128 = carried.amount.parse().ok()?;
    let fee: i128 = carried.fee.parse().ok()?;
    let in_range =
        [amount, fee].iter().all(|minor| minor.unsigned_abs() <= crate::money::LARGEST.unsigned_abs());
    (in_range && details::is_encoded(&carried.details)).then_some(Draft {
        fee,
        value: Date::parse_iso(carried.value.as_bytes())?,
        reference: &carried.reference,
        counterparty: &carried.counterparty,
        group: &carried.group,
        account: &carried.account,
        kind: &carried.kind,
        description: &carried.description,
        details: &carried.details,
        line: carried.line,
        raw: RawPlace {
            offset: carried.raw_offset,
            len: carried.raw_len,
            hash: u64::from_str_radix(&carried.raw_hash, 16).ok()?,
        },
        ..Draft::new(amount, currency, Date::parse_iso(carried.booking.as_bytes())?)
    })
}
