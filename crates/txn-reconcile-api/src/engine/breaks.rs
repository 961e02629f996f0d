//! What stays open, told apart by kind, with its age and the nearest candidates.

use std::collections::{BTreeMap, HashMap};

use super::keys::parallel;
use super::{Hint, Run, Side, State, names, normalize};
use crate::currency::Currency;
use crate::date::Date;
use crate::formats::statement::mask_account;
use crate::hash;
use crate::rules::PassKind;

contract::closed_list! {
    /// The kinds of break.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum BreakKind {
        /// The external side has it, the internal side does not.
        MissingInternal,
        /// The internal side has it, the external side does not.
        MissingExternal,
        /// Same reference and currency, another amount.
        Amount,
        /// As `Amount`, and the difference is of the size of a fee.
        FeeVariance,
        /// Same reference, another currency.
        Currency,
        /// Same reference and amount outside the window, or young enough to be in transit.
        Date,
        /// There is one more of it than on the other side.
        Duplicate,
        /// Same amount in the window, another reference.
        Reference,
        /// A payout, batch or split that does not add up.
        IncompleteSplit,
        /// Same reference, on another account.
        Account,
        /// Several candidates, and nothing that decides between them.
        Ambiguous,
    }
}

impl BreakKind {
    /// The name in reports and rulesets.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingInternal => "missing_internal",
            Self::MissingExternal => "missing_external",
            Self::Amount => "amount",
            Self::FeeVariance => "fee_variance",
            Self::Currency => "currency",
            Self::Date => "date",
            Self::Duplicate => "duplicate",
            Self::Reference => "reference",
            Self::IncompleteSplit => "incomplete_split",
            Self::Account => "account",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// An open entry and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    /// The side it is on.
    pub side: Side,
    /// Its row there.
    pub row: u32,
    /// What kind of break it is.
    pub kind: BreakKind,
    /// Why, in a sentence.
    pub reason: String,
    /// Calendar days from the booking to the day of the run; negative for entries booked later.
    pub age_days: i32,
    /// The same in business days, never negative.
    pub age_business_days: u32,
    /// Who looks after it.
    pub owner: String,
    /// The nearest open entries of the other side, best first.
    pub nearest: Vec<Nearest>,
    /// Entries of the other side that would settle this one together, although that is not proven.
    pub suggestion: Option<Suggestion>,
}

/// A match that a person may confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The pass that found it, by its place in the ruleset.
    pub pass: u16,
    /// Rows of the other side.
    pub rows: Vec<u32>,
    /// Why it is not made without being asked.
    pub why: &'static str,
}

/// A candidate for a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// Its row on the other side.
    pub row: u32,
    /// Amount of the open entry less that of the candidate, in minor units; none across currencies.
    pub difference: Option<i128>,
    /// Business days between them.
    pub days: u32,
    /// What speaks for it.
    pub why: &'static str,
}

/// Amounts and rows of either side, sorted by amount, matched ones first, and identity.
type Relatives = [Vec<(i128, u32)>; 2];

/// Relatives on either side of an amount that are looked at: a reference that thousands share says little.
const RELATIVES_MAX: usize = 32;

/// Looks up open entries by reference and by amount.
struct Index {
    /// Rows of either side by the hash of their normalized reference, as far as an open entry has the same.
    by_reference: HashMap<u64, Relatives>,
    /// Open rows of either side whose text names a reference, by the hash of that reference.
    by_word: HashMap<u64, [Vec<u32>; 2]>,
    /// Open rows of either side by what they are known by, where the ruleset prepares references; else empty.
    by_prepared: HashMap<Vec<u8>, [Vec<u32>; 2]>,
    /// Open rows by currency, sorted by amount, for each side.
    by_amount: [BTreeMap<Currency, Vec<(i128, u32)>>; 2],
    window_days: u32,
}

/// Names the kind of every open entry.
pub(crate) fn classify(run: &Run<'_>, as_of: Date) -> Vec<Break> {
    let index = Index::new(run);
    let mut breaks = Vec::new();
    for side in Side::BOTH {
        let rows = run.open_rows(side);
        let chunks = parallel(rows.len(), run.threads, |range| {
            rows[range].iter().map(|row| describe(run, &index, side, *row, as_of)).collect::<Vec<Break>>()
        });
        breaks.extend(chunks.into_iter().flatten());
    }
    breaks.sort_by_cached_key(|item| {
        let set = run.set(item.side);
        (set.booking(item.row), set.id(item.row), item.side)
    });
    breaks
}

impl Index {
    fn new(run: &Run<'_>) -> Self {
        let mut wanted = Wanted::default();
        let mut by_amount: [BTreeMap<Currency, Vec<(i128, u32)>>; 2] = Default::default();
        for side in Side::BOTH {
            let set = run.set(side);
            for row in run.open_rows(side) {
                if let Some(reference) = run.reference(side, row) {
                    wanted.insert(reference_hash(reference));
                }
                by_amount[side as usize].entry(set.currency(row)).or_default().push((set.amount(row), row));
            }
            by_amount[side as usize].values_mut().for_each(|rows| rows.sort_unstable());
        }
        let mut by_reference: HashMap<u64, Relatives> = HashMap::new();
        for side in Side::BOTH {
            for (hash, row) in relatives(run, side, &wanted) {
                by_reference.entry(hash).or_default()[side as usize].push((run.set(side).amount(row), row));
            }
        }
        for relatives in by_reference.values_mut() {
            for side in Side::BOTH {
                let key =
                    |(amount, row): &(i128, u32)| (*amount, run.is_open(side, *row), run.set(side).id(*row));
                relatives[side as usize].sort_by_cached_key(key);
            }
        }
        let mut by_word: HashMap<u64, [Vec<u32>; 2]> = HashMap::new();
        for side in Side::BOTH {
            for row in run.open_rows(side) {
                let hashes = names::words(run.set(side).description(row))
                    .into_iter()
                    .map(|word| hash::bytes(0, &word));
                for hash in hashes.filter(|hash| wanted.contains(*hash)) {
                    let rows = &mut by_word.entry(hash).or_default()[side as usize];
                    if rows.last() != Some(&row) {
                        rows.push(row);
                    }
                }
            }
        }
        let mut by_prepared: HashMap<Vec<u8>, [Vec<u32>; 2]> = HashMap::new();
        for side in Side::BOTH.into_iter().filter(|_| !run.prepared.is_empty()) {
            for row in run.open_rows(side) {
                for reference in run.known_by(side, row) {
                    let rows = &mut by_prepared.entry(reference).or_default()[side as usize];
                    if rows.last() != Some(&row) {
                        rows.push(row);
                    }
                }
            }
        }
        let window_days = run.rules.passes.iter().map(|pass| match &pass.kind {
            PassKind::Reference(pass) => pass.days,
            PassKind::Unique(pass) => pass.days,
            PassKind::Subset(pass) => pass.days,
            PassKind::Named(pass) => pass.days.unwrap_or(0),
            PassKind::Exact(_) | PassKind::Group(_) | PassKind::Net(_) => 0,
        });
        let window_days = window_days.max().unwrap_or(0).max(run.rules.breaks.in_transit_days);
        Self { by_reference, by_word, by_prepared, by_amount, window_days }
    }
}

/// A set of hashes with a coarse filter in front.
struct Wanted {
    filter: Vec<u64>,
    hashes: std::collections::HashSet<u64>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { filter: vec![0; 1 << 14], hashes: std::collections::HashSet::new() }
    }
}

impl Wanted {
    fn place(hash: u64) -> (usize, u64) {
        ((hash >> 50) as usize, 1 << (hash >> 44 & 63))
    }

    fn insert(&mut self, hash: u64) {
        let (word, bit) = Self::place(hash);
        self.filter[word] |= bit;
        self.hashes.insert(hash);
    }

    fn contains(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.filter[word] & bit != 0 && self.hashes.contains(&hash)
    }
}

/// All rows of a side, matched ones too, that share a reference with an open entry.
fn relatives(run: &Run<'_>, side: Side, wanted: &Wanted) -> Vec<(u64, u32)> {
    let set = run.set(side);
    let chunks = parallel(set.len(), run.threads, |range| {
        let rows = range.filter_map(|row| u32::try_from(row).ok());
        rows.filter(|row| run.state[side as usize][*row as usize] != State::Ignored)
            .map(|row| (reference_hash(set.reference_bytes(row)), row))
            .filter(|(hash, _)| wanted.contains(*hash))
            .collect::<Vec<_>>()
    });
    chunks.into_iter().flatten().collect()
}

/// The hash of a normalized reference, without making the normalized text.
fn reference_hash(reference: &[u8]) -> u64 {
    // Most references are plain already.
    if reference.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) {
        return hash::bytes(0, reference);
    }
    let mut buffer = [0u8; 64];
    let mut len = 0;
    let mut state = hash::Stream::default();
    for byte in reference.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
        buffer[len] = byte.to_ascii_uppercase();
        len += 1;
        if len == buffer.len() {
            state.push(&buffer);
            len = 0;
        }
    }
    state.push(&buffer[..len]);
    state.finish()
}

/// What was found that has to do with an entry.
struct Found<'a> {
    /// Matched entries of its side with its reference.
    same_side: &'a [u32],
    /// Open entries of the other side with its reference, on its account or without one.
    others: &'a [u32],
    /// Open entries of the other side with its reference, on another account.
    elsewhere: &'a [u32],
    /// Open entries of the other side that it names in its text, or that name it in theirs.
    named: &'a [u32],
}

/// What the entry is compared with.
struct Subject<'a> {
    run: &'a Run<'a>,
    side: Side,
    row: u32,
    currency: Currency,
    amount: i128,
    date: Date,
}

fn describe(run: &Run<'_>, index: &Index, side: Side, row: u32, as_of: Date) -> Break {
    let set = run.set(side);
    let subject = Subject {
        run,
        side,
        row,
        currency: set.currency(row),
        amount: set.amount(row),
        date: set.booking(row),
    };
    let age_business_days =
        if subject.date > as_of { 0 } else { run.calendar().distance(subject.date, as_of) };
    let (same_side, mut others) = subject.relatives(index);
    for row in subject.prepared(index) {
        if !others.contains(&row) {
            others.push(row);
        }
    }
    let (here, elsewhere): (Vec<u32>, Vec<u32>) =
        others.iter().partition(|other| run.accounts.agree((side, row), (side.other(), **other)));
    let named = subject.named(index);
    let found = Found { same_side: &same_side, others: &here, elsewhere: &elsewhere, named: &named };
    let (kind, mut reason) = subject.kind(index, &found, age_business_days);
    if let Some(Hint::NotNetted { why, .. }) = run.hints[side as usize].get(&row) {
        reason = format!("{why}; {reason}");
    }
    let held = run.rules.rates.as_ref().and_then(|rates| super::rates::held(rates, set, row));
    if let Some(fault) = held.and_then(|held| held.fault) {
        reason = format!("{fault}; {reason}");
    }
    let owner = run.rules.breaks.owners.get(kind.name()).cloned().unwrap_or_else(|| match side {
        Side::Left => run.rules.left.name.clone(),
        Side::Right => run.rules.right.name.clone(),
    });
    Break {
        side,
        row,
        kind,
        reason,
        age_days: as_of.days() - subject.date.days(),
        age_business_days,
        owner,
        nearest: subject.nearest(index, &found),
        suggestion: run.suggestions[side as usize].get(&row).map(|found| Suggestion {
            pass: found.pass,
            rows: found.members.clone(),
            why: found.why,
        }),
    }
}

impl Subject<'_> {
    /// Rows with the same reference: matched ones of this side, and open ones of the other.
    fn relatives(&self, index: &Index) -> (Vec<u32>, Vec<u32>) {
        let Some(reference) = self.run.reference(self.side, self.row) else {
            return (Vec::new(), Vec::new());
        };
        let plain = normalize(reference);
        let (mut same, mut others) = (Vec::new(), Vec::new());
        let Some(known) = index.by_reference.get(&reference_hash(reference)) else { return (same, others) };
        for side in Side::BOTH {
            let rows = &known[side as usize];
            let at = rows.partition_point(|(amount, _)| *amount < self.amount);
            for &(_, row) in rows[at.saturating_sub(RELATIVES_MAX)..].iter().take(2 * RELATIVES_MAX) {
                let itself = (side, row) == (self.side, self.row);
                if itself || normalize(self.run.set(side).reference_bytes(row)) != plain {
                    continue;
                }
                match (side == self.side, self.run.is_open(side, row)) {
                    (true, false) => same.push(row),
                    (false, true) => others.push(row),
                    _ => {}
                }
            }
        }
        (same, others)
    }

    /// Open entries of the other side that are known by the same as this one, where the ruleset prepares references.
    fn prepared(&self, index: &Index) -> Vec<u32> {
        if self.run.prepared.is_empty() {
            return Vec::new();
        }
        let other = self.run.set(self.side.other());
        let known = self.run.known_by(self.side, self.row);
        let rows = known.iter().filter_map(|reference| index.by_prepared.get(reference));
        let rows =
            rows.map(|rows| &rows[self.side.other() as usize]).filter(|rows| rows.len() <= RELATIVES_MAX);
        let mut rows: Vec<u32> = rows.flatten().copied().collect();
        rows.sort_by_cached_key(|row| (other.amount(*row), other.id(*row)));
        rows.dedup();
        rows
    }

    /// Open entries of the other side that this one names in its text, or that name it in theirs.
    fn named(&self, index: &Index) -> Vec<u32> {
        let (set, other) = (self.run.set(self.side), self.run.set(self.side.other()));
        let mut named: Vec<u32> = Vec::new();
        for word in names::words(set.description(self.row)) {
            let known = index.by_reference.get(&hash::bytes(0, &word));
            let rows = known.map(|rows| rows[self.side.other() as usize].as_slice()).unwrap_or_default();
            let rows = rows.iter().map(|(_, row)| *row).take(RELATIVES_MAX);
            named.extend(rows.filter(|row| normalize(other.reference_bytes(*row)) == word));
        }
        if let Some(reference) = self.run.reference(self.side, self.row).map(normalize) {
            let known = index.by_word.get(&hash::bytes(0, &reference));
            let rows = known.map(|rows| rows[self.side.other() as usize].as_slice()).unwrap_or_default();
            let names_it = |row: &u32| names::words(other.description(*row)).contains(&reference);
            named.extend(rows.iter().copied().take(RELATIVES_MAX).filter(names_it));
        }
        named.sort_unstable();
        named.dedup();
        named.retain(|row| {
            self.run.is_open(self.side.other(), *row)
                && self.run.accounts.agree((self.side, self.row), (self.side.other(), *row))
        });
        named
    }

    fn kind(&self, index: &Index, found: &Found<'_>, age: u32) -> (BreakKind, String) {
        let set = self.run.set(self.side);
        let hint = self.run.hints[self.side as usize].get(&self.row);
        match hint {
            Some(Hint::Ambiguous { pass, candidates }) => {
                let why = format!(
                    "pass \"{}\" found several candidates ({}) and nothing that decides",
                    self.pass(*pass),
                    candidates.len().max(2)
                );
                return (BreakKind::Ambiguous, why);
            }
            Some(Hint::Tangled { pass }) => {
                let why = format!(
                    "pass \"{}\" found too many candidates with this reference to settle",
                    self.pass(*pass)
                );
                return (BreakKind::Ambiguous, why);
            }
            _ => {}
        }
        let twin = found
            .same_side
            .iter()
            .any(|row| set.currency(*row) == self.currency && set.amount(*row) == self.amount);
        if twin || set.occurrence(self.row) > 1 {
            return (
                BreakKind::Duplicate,
                "the same entry is there once more than on the other side".to_owned(),
            );
        }
        if let Some(Hint::Incomplete { pass, difference }) = hint {
            let size = crate::money::decimal(difference.abs(), self.currency);
            let why = format!(
                "pass \"{}\": the sides of its payout or batch differ by {size} {}",
                self.pass(*pass),
                self.currency
            );
            return (BreakKind::IncompleteSplit, why);
        }
        if let Some(kind) = self.by_reference(found.others) {
            return kind;
        }
        if let Some(row) = found.elsewhere.first() {
            let account = mask_account(self.run.set(self.side.other()).account(*row));
            let why = format!("the other side has this reference on another account ({account})");
            return (BreakKind::Account, why);
        }
        if let Some(kind) = self.by_text(found.named) {
            return kind;
        }
        if self.same_amount(index).next().is_some() {
            return (
                BreakKind::Reference,
                "the other side has this amount in the window under another reference".to_owned(),
            );
        }
        if age <= self.run.rules.breaks.in_transit_days {
            let limit = self.run.rules.breaks.in_transit_days;
            let why = format!(
                "{age} business day(s) old, and {limit} may pass until the other side has it; {}",
                self.not_found(index)
            );
            return (BreakKind::Date, why);
        }
        match self.side {
            Side::Left => (BreakKind::MissingExternal, self.not_found(index)),
            Side::Right => (BreakKind::MissingInternal, self.not_found(index)),
        }
    }

    /// What was looked for in vain.
    fn not_found(&self, index: &Index) -> String {
        let side = match self.side {
            Side::Left => "external",
            Side::Right => "internal",
        };
        let days = index.window_days;
        match self.run.reference(self.side, self.row) {
            Some(_) => format!(
                "no open entry of the {side} side has its reference or names it, and none has its amount within {days} \
                 business day(s)"
            ),
            None => format!(
                "it has no reference, and no open entry of the {side} side has its amount within {days} business day(s)"
            ),
        }
    }

    /// The kind that entries give which name it, or which it names.
    fn by_text(&self, named: &[u32]) -> Option<(BreakKind, String)> {
        if let [_] | [] = named {
            return self.by_reference(named).map(|(kind, why)| (kind, format!("named in the text: {why}")));
        }
        let other = self.run.set(self.side.other());
        let same = named.iter().filter(|row| other.currency(**row) == self.currency);
        let sum: i128 = same.map(|row| other.amount(*row)).sum();
        let show = |minor| crate::money::decimal(minor, self.currency);
        let why = format!(
            "texts name {} open entries of the other side, which come to {} {} against {}",
            named.len(),
            show(sum),
            self.currency,
            show(self.amount)
        );
        Some((BreakKind::IncompleteSplit, why))
    }

    fn pass(&self, index: u16) -> &str {
        self.run.rules.passes.get(usize::from(index)).map_or("", |pass| pass.name.as_str())
    }

    /// The kind that the nearest entry with the same reference gives.
    fn by_reference(&self, others: &[u32]) -> Option<(BreakKind, String)> {
        let other = self.run.set(self.side.other());
        let nearest = others
            .iter()
            .filter(|row| other.currency(**row) == self.currency)
            .min_by(|a, b| self.order(**a, **b));
        let Some(&row) = nearest else {
            let row = others.first()?;
            let why = format!("the other side has this reference in {}", other.currency(*row));
            return Some((BreakKind::Currency, why));
        };
        let difference = self.amount - other.amount(row);
        if difference == 0 {
            let days = self.run.calendar().distance(self.date, other.booking(row));
            return Some((
                BreakKind::Date,
                format!("outside the window: the other side has it {days} business day(s) away"),
            ));
        }
        let size = crate::money::decimal(difference.abs(), self.currency);
        let (internal, external) = match self.side {
            Side::Left => (self.amount, other.amount(row)),
            Side::Right => (other.amount(row), self.amount),
        };
        let larger = internal.unsigned_abs();
        let share = u128::try_from(self.run.rules.breaks.fee_share_e8).unwrap_or(0);
        let fee = larger / 100_000_000 * share + larger % 100_000_000 * share / 100_000_000;
        let is_fee = external.signum() == internal.signum()
            && external.unsigned_abs() < larger
            && difference.unsigned_abs() <= fee;
        Some(if is_fee {
            (
                BreakKind::FeeVariance,
                format!("the external amount is {size} {} short, which a fee would explain", self.currency),
            )
        } else {
            (BreakKind::Amount, format!("the amounts differ by {size} {}", self.currency))
        })
    }

    /// The total order of candidates: amount, days, value date, identity. The last is only taken where it decides.
    fn order(&self, a: u32, b: u32) -> std::cmp::Ordering {
        let other = self.run.set(self.side.other());
        let rank = |row: u32| {
            let days = self.run.calendar().distance(self.date, other.booking(row));
            (self.amount.abs_diff(other.amount(row)), days, other.value(row))
        };
        rank(a).cmp(&rank(b)).then_with(|| other.id(a).cmp(&other.id(b)))
    }

    /// Open entries of the other side with this amount, in the window.
    fn same_amount<'b>(&'b self, index: &'b Index) -> impl Iterator<Item = u32> + 'b {
        let rows = index.by_amount[self.side.other() as usize]
            .get(&self.currency)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let from = rows.partition_point(|(amount, _)| *amount < self.amount);
        rows[from..]
            .iter()
            .take_while(|(amount, _)| *amount == self.amount)
            .map(|(_, row)| *row)
            .filter(|row| self.near(index, *row))
    }

    /// Whether an entry of the other side is in the window and on the account.
    fn near(&self, index: &Index, row: u32) -> bool {
        let other = self.side.other();
        self.run.calendar().distance(self.date, self.run.set(other).booking(row)) <= index.window_days
            && self.run.accounts.agree((self.side, self.row), (other, row))
    }

    /// Open entries whose amounts lie next to this one, at most a tenth away and in the window.
    fn close_amount(&self, index: &Index) -> Vec<u32> {
        let rows = index.by_amount[self.side.other() as usize]
            .get(&self.currency)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let at = rows.partition_point(|(amount, _)| *amount < self.amount);
        let around = rows[at.saturating_sub(4)..].iter().take(8);
        around
            .filter(|(amount, _)| amount.abs_diff(self.amount) <= self.amount.unsigned_abs() / 10)
            .map(|(_, row)| *row)
            .filter(|row| self.near(index, *row))
            .collect()
    }

    fn nearest(&self, index: &Index, found_all: &Found<'_>) -> Vec<Nearest> {
        let limit = self.run.rules.breaks.nearest_max;
        let mut found: Vec<(u32, &'static str)> = Vec::new();
        let mut add = |rows: &mut dyn Iterator<Item = u32>, why: &'static str| {
            for row in rows.take(64) {
                if !found.iter().any(|(known, _)| *known == row) && self.run.is_open(self.side.other(), row) {
                    found.push((row, why));
                }
            }
        };
        if let Some(Hint::Ambiguous { candidates, .. }) = self.run.hints[self.side as usize].get(&self.row) {
            add(&mut candidates.iter().copied(), "one of several candidates");
        }
        if let Some(found) = self.run.suggestions[self.side as usize].get(&self.row) {
            add(&mut found.members.iter().copied(), found.why);
        }
        add(&mut found_all.others.iter().copied(), "same reference");
        add(&mut found_all.elsewhere.iter().copied(), "same reference on another account");
        add(&mut found_all.named.iter().copied(), "named in the text");
        add(&mut self.same_amount(index), "same amount in the window");
        if limit > 0 {
            add(&mut self.close_amount(index).into_iter(), "close amount in the window");
        }
        let other = self.run.set(self.side.other());
        found.sort_unstable_by(|(a, _), (b, _)| {
            let foreign = |row: u32| other.currency(row) != self.currency;
            foreign(*a).cmp(&foreign(*b)).then_with(|| self.order(*a, *b))
        });
        found
            .into_iter()
            .take(limit)
            .map(|(row, why)| Nearest {
                row,
                difference: (other.currency(row) == self.currency).then(|| self.amount - other.amount(row)),
                days: self.run.calendar().distance(self.date, other.booking(row)),
                why,
            })
            .collect()
    }
}
