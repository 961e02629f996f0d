//! The matching engine: two sets of entries and a ruleset in, matches and explained breaks out.
//!
//! It reads no file and no clock. Every entry is claimed at most once, and ends in exactly one of matched, open and
//! ignored; the books of that are checked before an outcome is handed out ([`conserve`]). Nothing depends on the order
//! in which entries arrive or on the number of threads: where a choice has to be made, it is made by content, and where
//! content does not decide, the entries are a break of their own ([`BreakKind::Ambiguous`]).

mod accounts;
mod assign;
mod breaks;
pub mod carry;
pub mod conserve;
pub mod diff;
pub mod digest;
mod exact;
pub mod explain;
mod fees;
mod groups;
mod imports;
mod keys;
mod named;
mod names;
mod net;
mod outcome;
mod pairs;
pub mod parallel;
mod party;
mod prepare;
pub mod rates;
mod subset;
pub mod three_way;
mod unique;

use std::collections::BTreeMap;
use std::fmt;

pub use self::accounts::{account_key, account_numbers};
pub use self::breaks::{Break, BreakKind, Nearest, Suggestion};
pub use self::outcome::{GroupMatch, MatchPlace, MatchView, Outcome, PassMatches};
pub use self::party::party_key;
use crate::calendar::Calendar;
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::kind::{self, Class};
use crate::entry::{EntrySet, IgnoreReason, details};
use crate::rules::file::{DateField, IgnoreField, Measure, SideName};
use crate::rules::{Ignore, PassKind, Ruleset};

/// A side of the run, as an index: the internal one or the external one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The internal side (ledger).
    Left = 0,
    /// The external side (processor, bank).
    Right = 1,
}

impl Side {
    /// Both sides.
    pub const BOTH: [Self; 2] = [Self::Left, Self::Right];

    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    /// `left` or `right`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// How a run is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The day that ages count to. Default: the latest booking date of the input.
    pub as_of: Option<Date>,
    /// Entries booked after this day are ignored. Default: none are.
    pub cut_off: Option<Date>,
    /// Threads to use, at least 1. The result does not depend on it.
    pub threads: usize,
}

/// A fault of the engine itself: its books do not balance. No outcome is handed out then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineError(pub String);

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the engine's own books do not balance ({}); this is a bug, and no result is given", self.0)
    }
}

impl std::error::Error for EngineError {}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// Not claimed.
    Open,
    /// Claimed by a match.
    Matched,
    /// Takes no part.
    Ignored,
}

/// Why an entry that had candidates was left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// Several candidates are equally good.
    Ambiguous { pass: u16, candidates: Vec<u32> },
    /// Too many candidates to settle.
    Tangled { pass: u16 },
    /// Its payout or batch does not add up; the difference is left less right.
    Incomplete { pass: u16, difference: i128 },
    /// Something that would cancel it, and may not.
    NotNetted { pass: u16, why: &'static str },
}

/// A sum that fits, not proven to be the only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suggested {
    pub pass: u16,
    pub members: Vec<u32>,
    pub why: &'static str,
}

/// A run in progress.
pub(crate) struct Run<'a> {
    pub sets: [EntrySet; 2],
    pub state: [Vec<State>; 2],
    pub rules: &'a Ruleset,
    pub threads: usize,
    pub matches: Vec<PassMatches>,
    pub hints: [BTreeMap<u32, Hint>; 2],
    pub suggestions: [BTreeMap<u32, Suggested>; 2],
    pub notes: Vec<String>,
    /// Which account each entry stands on.
    pub accounts: accounts::Accounts,
    /// Further references that the ruleset makes of what entries say.
    pub prepared: prepare::Prepared,
    /// Keys sorted for the import step, which an exact pass can use again.
    pub import_keys: Option<[Vec<u64>; 2]>,
}

/// Matches two sets of entries under a ruleset.
///
/// # Errors
/// Fails only when the engine's own books do not balance.
pub fn reconcile(
    left: EntrySet,
    right: EntrySet,
    rules: &Ruleset,
    options: &Options,
) -> Result<Outcome, EngineError> {
    let mut run = Run {
        state: [vec![State::Open; left.len()], vec![State::Open; right.len()]],
        sets: [left, right],
        rules,
        threads: options.threads.max(1),
        matches: Vec::with_capacity(rules.passes.len()),
        hints: [BTreeMap::new(), BTreeMap::new()],
        suggestions: [BTreeMap::new(), BTreeMap::new()],
        notes: Vec::new(),
        accounts: accounts::Accounts::default(),
        prepared: prepare::Prepared::default(),
        import_keys: None,
    };
    run.accounts = accounts::Accounts::new(&run);
    fees::expect(&mut run);
    rates::check(&mut run);
    run.prepared = prepare::Prepared::new(&run);
    imports::settle(&mut run);
    set_aside(&mut run, options.cut_off);
    for (index, pass) in rules.passes.iter().enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        run.matches.push(PassMatches::default());
        match &pass.kind {
            PassKind::Exact(pass) => exact::run(&mut run, pass),
            PassKind::Reference(pass) => pairs::run(&mut run, index, pass),
            PassKind::Unique(pass) => unique::run(&mut run, index, pass),
            PassKind::Group(pass) => groups::run(&mut run, index, pass),
            PassKind::Subset(pass) => subset::run(&mut run, index, pass),
            PassKind::Named(pass) => named::run(&mut run, index, pass),
            PassKind::Net(pass) => net::run(&mut run, index, pass),
        }
        run.import_keys = None;
    }
    let as_of = options.as_of.or(options.cut_off).unwrap_or_else(|| latest_booking(&run));
    let breaks = breaks::classify(&run, as_of);
    outcome::finish(run, breaks, as_of)
}

/// The latest booking date of the entries that take part; 1970-01-01 if there is none.
fn latest_booking(run: &Run<'_>) -> Date {
    let latest = Side::BOTH.into_iter().filter_map(|side| {
        let rows = run.sets[side as usize]
            .rows()
            .filter(|row| run.state[side as usize][*row as usize] != State::Ignored);
        rows.map(|row| run.sets[side as usize].booking(row)).max()
    });
    latest.max().unwrap_or_default()
}

/// Applies what the parsers, the cut-off and the ruleset set aside.
fn set_aside(run: &mut Run<'_>, cut_off: Option<Date>) {
    for side in Side::BOTH {
        let set = &mut run.sets[side as usize];
        if let Some(cut_off) = cut_off {
            for row in set.rows() {
                if set.booking(row) > cut_off {
                    set.ignore(row, IgnoreReason::AfterCutOff);
                }
            }
        }
        for (index, ignore) in run.rules.ignores.iter().enumerate() {
            if ignore.side.is_some_and(|wanted| (wanted == SideName::Left) != (side == Side::Left)) {
                continue;
            }
            let reason = IgnoreReason::Rule(u16::try_from(index).unwrap_or(u16::MAX));
            for row in set.rows() {
                if ignores(ignore, set, row) {
                    set.ignore(row, reason);
                }
            }
        }
        for (row, _) in set.ignored() {
            run.state[side as usize][*row as usize] = State::Ignored;
        }
    }
}

fn ignores(ignore: &Ignore, set: &EntrySet, row: u32) -> bool {
    let text = match ignore.field {
        IgnoreField::Kind => set.kind(row),
        IgnoreField::Account => set.account(row),
        IgnoreField::Counterparty => set.counterparty(row),
        IgnoreField::Currency => set.currency(row).code(),
        IgnoreField::Reference => set.reference(row),
    };
    let text = text.to_lowercase();
    ignore.equals.contains(&text)
}

impl Run<'_> {
    pub fn set(&self, side: Side) -> &EntrySet {
        &self.sets[side as usize]
    }

    pub fn is_open(&self, side: Side, row: u32) -> bool {
        self.state[side as usize][row as usize] == State::Open
    }

    /// Rows that are still open, in the order of arrival.
    pub fn open_rows(&self, side: Side) -> Vec<u32> {
        self.set(side).rows().filter(|row| self.is_open(side, *row)).collect()
    }

    /// What an entry is, by its word and the ruleset.
    pub fn class(&self, side: Side, row: u32) -> Class {
        kind::class(self.set(side).kind(row), &self.rules.kinds)
    }

    pub fn calendar(&self) -> &Calendar {
        &self.rules.calendar
    }

    /// Claims a pair for the current pass.
    pub fn claim_pair(&mut self, left: u32, right: u32) {
        self.claim(Side::Left, left);
        self.claim(Side::Right, right);
        if let Some(matches) = self.matches.last_mut() {
            matches.pairs.push([left, right]);
        }
    }

    /// Claims a group for the current pass.
    pub fn claim_group(&mut self, left: Vec<u32>, right: Vec<u32>) {
        if let ([left], [right]) = (&left[..], &right[..]) {
            return self.claim_pair(*left, *right);
        }
        left.iter().for_each(|row| self.claim(Side::Left, *row));
        right.iter().for_each(|row| self.claim(Side::Right, *row));
        if let Some(matches) = self.matches.last_mut() {
            matches.groups.push(GroupMatch { left, right });
        }
    }

    fn claim(&mut self, side: Side, row: u32) {
        let state = &mut self.state[side as usize][row as usize];
        assert!(*state == State::Open, "an entry is claimed at most once");
        *state = State::Matched;
    }

    /// Notes why an entry stays open; the first pass that has a reason keeps it.
    pub fn hint(&mut self, side: Side, row: u32, hint: Hint) {
        self.hints[side as usize].entry(row).or_insert(hint);
    }

    /// Keeps what may settle an entry, for people to decide; the first that is found.
    pub fn suggest(&mut self, side: Side, row: u32, suggested: Suggested) {
        self.suggestions[side as usize].entry(row).or_insert(suggested);
    }

    /// The reference, or none if it is empty or one of the texts that stand for "none".
    #[inline]
    pub fn reference(&self, side: Side, row: u32) -> Option<&[u8]> {
        let reference = self.set(side).reference_bytes(row);
        if reference.is_empty() || (reference.len() <= 16 && self.is_blank(reference)) {
            None
        } else {
            Some(reference)
        }
    }

    /// What the other side may know an entry by beside its reference, normalized: identifiers that it carries, and what the
    /// ruleset makes of its fields.
    pub fn beside(&self, side: Side, row: u32) -> impl Iterator<Item = Vec<u8>> + '_ {
        names::shared(self.set(side), row).chain(self.prepared.of(side, row).iter().cloned())
    }

    /// All that the other side may know an entry by, normalized.
    pub fn known_by(&self, side: Side, row: u32) -> Vec<Vec<u8>> {
        let mut known: Vec<Vec<u8>> = self.beside(side, row).collect();
        known.extend(self.reference(side, row).map(normalize));
        known
    }

    fn is_blank(&self, reference: &[u8]) -> bool {
        plain(reference).next().is_none()
            || self.rules.blank_references.iter().any(|blank| plain(reference).eq(blank.iter().copied()))
    }
}

/// Letters and digits of a reference, letters in upper case; bytes beyond ASCII stay as they are.
#[must_use]
pub fn normalize(reference: &[u8]) -> Vec<u8> {
    plain(reference).collect()
}

fn plain(reference: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let kept = reference.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
    kept.map(u8::to_ascii_uppercase)
}

/// The amount that a pass compares.
#[inline(always)]
pub(crate) fn measure(set: &EntrySet, row: u32, measure: Measure) -> i128 {
    match measure {
        Measure::Amount => set.amount(row),
        Measure::LessFee => set.amount(row) - set.fee(row),
        Measure::PlusFee => set.amount(row) + set.fee(row),
        Measure::LessExpectedFee => set.amount(row) - set.expected_fee(row).unwrap_or(0),
        Measure::Original => original(set, row).map_or_else(|| set.amount(row), |(minor, _)| minor),
    }
}

/// Amount and currency before conversion, if the entry states them and its rate is not off.
#[must_use]
pub fn original(set: &EntrySet, row: u32) -> Option<(i128, Currency)> {
    if set.has_no_details() || set.is_rate_off(row) { None } else { details::original(set.details(row)) }
}

/// The currency of the amount that a pass compares.
#[inline(always)]
pub(crate) fn currency(set: &EntrySet, row: u32, measure: Measure) -> Currency {
    match measure {
        Measure::Original => original(set, row).map_or_else(|| set.currency(row), |(_, currency)| currency),
        _ => set.currency(row),
    }
}

/// The amount of an entry that a pass with this setting compares, in minor units.
#[must_use]
pub fn compared(set: &EntrySet, row: u32, setting: Measure) -> i128 {
    measure(set, row, setting)
}

/// The date that a pass compares.
#[inline]
pub(crate) fn date(set: &EntrySet, row: u32, field: DateField) -> Date {
    match field {
        DateField::Booking => set.booking(row),
        DateField::Value => set.value(row),
    }
}
