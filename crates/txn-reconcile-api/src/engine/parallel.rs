//! Two formats of the same statements side by side, entry by entry: what a bank's new files say otherwise than its old ones.
//!
//! Entries are paired by account, currency, booking date and amount; several of one key only by an identifier that both
//! carry, so that none is taken for another. What is left is paired where nothing else comes into question: a line of the old
//! file with the details of its batch in the new one, then an entry of another date, then one of another amount.

use std::collections::{BTreeMap, BTreeSet};

use super::{account_key, account_numbers, normalize, party_key};
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::details::{self, Detail};
use crate::entry::{EntrySet, IgnoreReason};
use crate::formats::Statement;
use crate::rules::Ruleset;

/// Days that two dates of one entry may lie apart.
const DAYS_APART_MAX: u32 = 10;

/// How an entry of the old files and what the new ones have for it belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bond {
    /// Same account, currency, booking date and amount.
    Same,
    /// The same, as one of several that no identifier tells apart: what they say is not compared.
    Alike,
    /// Several entries of the new files, of one booking, come to it.
    Split,
    /// Same but for the booking date.
    Date,
    /// Same but for the amount, by an identifier.
    Amount,
}

impl Bond {
    /// A stable name for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Alike => "alike",
            Self::Split => "split",
            Self::Date => "other_date",
            Self::Amount => "other_amount",
        }
    }
}

/// An entry of the old files with its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its row.
    pub old: u32,
    /// Rows of the new files; several only where a batch is split.
    pub new: Vec<u32>,
    /// What holds them together.
    pub bond: Bond,
}

/// Old and new entries side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parallel {
    /// Entries that both have, in the order of the old files.
    pub pairs: Vec<Pair>,
    /// Entries that only the old files have, and only the new ones.
    pub only: [Vec<u32>; 2],
    /// Accounts that are called otherwise, old and new name: on every day in every currency they come to the same.
    pub accounts: Vec<[String; 2]>,
}

/// What a field of an entry says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field, by its name in lists.
    pub field: &'static str,
    /// What only the old entry says, and where the new one has it instead, if it has it.
    pub lost: Vec<(String, Option<&'static str>)>,
    /// What only the new entry says.
    pub gained: Vec<String>,
}

/// What an account comes to, by currency and day.
type Days = BTreeMap<(Currency, Date), i128>;

/// Account number, currency, booking date, and the bank's number of a booking.
type Booking<'a> = (u32, Currency, Date, &'a str);

/// Account number, currency, booking date and amount.
type Key = (u32, Currency, Date, i128);

/// Rows that take part: what was imported twice, announced or told again does not.
fn rows(set: &EntrySet) -> Vec<u32> {
    let aside: BTreeSet<u32> = set
        .ignored()
        .iter()
        .filter(|(_, reason)| !matches!(reason, IgnoreReason::Rule(_)))
        .map(|(row, _)| *row)
        .collect();
    set.rows().filter(|row| !aside.contains(row)).collect()
}

/// Holds the entries of two formats against each other.
#[must_use]
pub fn hold(old: &EntrySet, new: &EntrySet, rules: &Ruleset) -> Parallel {
    let sets = [old, new];
    let mut left = [rows(old), rows(new)];
    let mut result = Parallel::default();
    let numbers = accounts(sets, &left, rules, &mut result);
    let key = |side: usize, row: u32| -> Key {
        let set = sets[side];
        let account = numbers.get(&account_key(set.account(row))).copied().unwrap_or(0);
        (account, set.currency(row), set.booking(row), set.amount(row))
    };
    pair_equal(sets, &mut left, key, &mut result);
    pair_batches(sets, &mut left, key, &mut result);
    pair_alone(&mut left, Bond::Date, &mut result, |old_row, new_row| {
        let (a, b) = (key(0, old_row), key(1, new_row));
        (a.0, a.1, a.3) == (b.0, b.1, b.3) && a.2.days().abs_diff(b.2.days()) <= DAYS_APART_MAX
    });
    pair_alone(&mut left, Bond::Amount, &mut result, |old_row, new_row| {
        let (a, b) = (key(0, old_row), key(1, new_row));
        (a.0, a.1, a.2) == (b.0, b.1, b.2)
            && !identifiers(old, old_row).is_disjoint(&identifiers(new, new_row))
    });
    result.pairs.sort_by_key(|pair| pair.old);
    result.only = left;
    result
}

/// A number for each account, by its key; accounts of one side alone that come to the same on every day are one.
fn accounts(
    sets: [&EntrySet; 2],
    left: &[Vec<u32>; 2],
    rules: &Ruleset,
    result: &mut Parallel,
) -> BTreeMap<String, u32> {
    if rules.accounts_ignored {
        return BTreeMap::new();
    }
    let mut names: [BTreeMap<String, String>; 2] = [BTreeMap::new(), BTreeMap::new()];
    let mut sums: [BTreeMap<String, Days>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for side in 0..2 {
        for row in &left[side] {
            let (set, row) = (sets[side], *row);
            let key = account_key(set.account(row));
            names[side].entry(key.clone()).or_insert_with(|| set.account(row).to_owned());
            *sums[side].entry(key).or_default().entry((set.currency(row), set.booking(row))).or_default() +=
                set.amount(row);
        }
    }
    let keys: Vec<String> = names.iter().flat_map(BTreeMap::keys).cloned().collect();
    let mut numbers = account_numbers(&keys, rules);
    let alone = |side: usize, numbers: &BTreeMap<String, u32>| -> Vec<String> {
        let known: BTreeSet<u32> =
            names[1 - side].keys().filter_map(|key| numbers.get(key)).copied().collect();
        let is_alone = |key: &&String| numbers.get(*key).is_none_or(|number| !known.contains(number));
        names[side].keys().filter(is_alone).cloned().collect()
    };
    let (old, new) = (alone(0, &numbers), alone(1, &numbers));
    for key in &old {
        let fits = |a: &str, b: &str| sums[0].get(a) == sums[1].get(b);
        let fitting: Vec<&String> = new.iter().filter(|other| fits(key, other)).collect();
        if let [other] = fitting[..]
            && old.iter().filter(|one| fits(one, other)).count() == 1
            && let Some(number) = numbers.get(key).or_else(|| numbers.get(other)).copied()
        {
            numbers.insert(key.clone(), number);
            numbers.insert(other.clone(), number);
            result.accounts.push([names[0][key].clone(), names[1][other].clone()]);
        }
    }
    numbers
}

/// A balance at the end of a day, as the old and the new files state it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closings {
    /// The account, as one of the files names it.
    pub account: String,
    /// The currency.
    pub currency: Currency,
    /// The day, where the files state one.
    pub day: Option<Date>,
    /// The balances in minor units, old and new.
    pub minor: [Option<i128>; 2],
}

/// Holds the closing balances of two formats against each other. What an account is called otherwise counts as in `found`.
#[must_use]
pub fn closings(statements: [&[Statement]; 2], rules: &Ruleset, found: &Parallel) -> Vec<Closings> {
    let keys: Vec<String> =
        statements.iter().flat_map(|side| side.iter()).map(|one| account_key(&one.account)).collect();
    let numbers = account_numbers(&keys, rules);
    let renamed: BTreeMap<String, String> =
        found.accounts.iter().map(|[old, new]| (account_key(new), account_key(old))).collect();
    let number = |account: &str| {
        let key = account_key(account);
        let key = renamed.get(&key).unwrap_or(&key);
        if rules.accounts_ignored { 0 } else { numbers.get(key).copied().unwrap_or(0) }
    };
    let mut lines: BTreeMap<(u32, Currency, Option<Date>), Closings> = BTreeMap::new();
    for (side, statements) in statements.iter().enumerate() {
        for statement in *statements {
            let (Some(balance), Some(currency)) = (statement.closing, statement.currency) else { continue };
            let line =
                lines.entry((number(&statement.account), currency, balance.date)).or_insert_with(|| {
                    Closings {
                        account: statement.account.clone(),
                        currency,
                        day: balance.date,
                        minor: [None; 2],
                    }
                });
            // Of several statements of a day the last one closes it.
            line.minor[side] = Some(balance.minor);
        }
    }
    lines.into_values().collect()
}

/// Everything that one can be known by, by letters and digits.
fn identifiers(set: &EntrySet, row: u32) -> BTreeSet<Vec<u8>> {
    let of_details = details::iter(set.details(row))
        .filter(|(detail, _)| {
            detail.is_shared() || matches!(detail, Detail::Bank | Detail::Booking | Detail::Mandate)
        })
        .map(|(_, value)| value);
    let all = std::iter::once(set.reference(row)).chain(of_details);
    all.map(|value| normalize(value.as_bytes())).filter(|value| !value.is_empty()).collect()
}

/// Pairs entries of one key: by what identifies them, and one that is alone on either side without it.
fn pair_equal(
    sets: [&EntrySet; 2],
    left: &mut [Vec<u32>; 2],
    key: impl Fn(usize, u32) -> Key,
    result: &mut Parallel,
) {
    let mut buckets: BTreeMap<Key, [Vec<u32>; 2]> = BTreeMap::new();
    for (side, rows) in left.iter().enumerate() {
        for row in rows {
            buckets.entry(key(side, *row)).or_default()[side].push(*row);
        }
    }
    for [olds, news] in buckets.values() {
        let (mut olds, mut news) = (olds.clone(), news.clone());
        let known: BTreeMap<u32, BTreeSet<Vec<u8>>> =
            news.iter().map(|row| (*row, identifiers(sets[1], *row))).collect();
        olds.retain(|old_row| {
            let own = identifiers(sets[0], *old_row);
            let fitting: Vec<u32> =
                news.iter().copied().filter(|row| !own.is_disjoint(&known[row])).collect();
            let [fit] = fitting[..] else { return true };
            news.retain(|row| *row != fit);
            result.pairs.push(Pair { old: *old_row, new: vec![fit], bond: Bond::Same });
            false
        });
        let bond = if (olds.len(), news.len()) == (1, 1) { Bond::Same } else { Bond::Alike };
        let paired = olds.iter().zip(&news);
        result.pairs.extend(paired.map(|(old, new)| Pair { old: *old, new: vec![*new], bond }));
    }
    drop_paired(left, result);
}

/// Pairs a line with the entries of one booking that come to it.
fn pair_batches(
    sets: [&EntrySet; 2],
    left: &mut [Vec<u32>; 2],
    key: impl Fn(usize, u32) -> Key,
    result: &mut Parallel,
) {
    let mut bookings: BTreeMap<Booking<'_>, (i128, Vec<u32>)> = BTreeMap::new();
    for row in &left[1] {
        let (account, currency, day, amount) = key(1, *row);
        let own = details::find(sets[1].details(*row), Detail::Booking);
        let booking = if own.is_empty() { sets[1].group(*row) } else { own };
        if !booking.is_empty() {
            let (sum, rows) = bookings.entry((account, currency, day, booking)).or_default();
            *sum += amount;
            rows.push(*row);
        }
    }
    let mut by_key: BTreeMap<Key, Vec<Vec<u32>>> = BTreeMap::new();
    for ((account, currency, day, _), (sum, rows)) in bookings {
        by_key.entry((account, currency, day, sum)).or_default().push(rows);
    }
    let mut olds: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
    for row in &left[0] {
        olds.entry(key(0, *row)).or_default().push(*row);
    }
    for (key, olds) in olds {
        if let (&[old], Some([rows])) = (&olds[..], by_key.get(&key).map(Vec::as_slice)) {
            result.pairs.push(Pair { old, new: rows.clone(), bond: Bond::Split });
        }
    }
    drop_paired(left, result);
}

/// Pairs two entries that fit each other and nothing else.
fn pair_alone(left: &mut [Vec<u32>; 2], bond: Bond, result: &mut Parallel, fits: impl Fn(u32, u32) -> bool) {
    // Few are left by now; a file of another time would leave all, and is no parallel file.
    if left[0].len().saturating_mul(left[1].len()) > COMPARED_MAX {
        return;
    }
    for old in &left[0] {
        let fitting: Vec<u32> = left[1].iter().copied().filter(|new| fits(*old, *new)).collect();
        if let [new] = fitting[..]
            && left[0].iter().filter(|other| fits(**other, new)).count() == 1
        {
            result.pairs.push(Pair { old: *old, new: vec![new], bond });
        }
    }
    drop_paired(left, result);
}

/// Pairs of entries that are compared one by one at most.
const COMPARED_MAX: usize = 25_000_000;

fn drop_paired(left: &mut [Vec<u32>; 2], result: &Parallel) {
    let old: BTreeSet<u32> = result.pairs.iter().map(|pair| pair.old).collect();
    let new: BTreeSet<u32> = result.pairs.iter().flat_map(|pair| pair.new.iter().copied()).collect();
    left[0].retain(|row| !old.contains(row));
    left[1].retain(|row| !new.contains(row));
}

/// The values of an entry by field.
fn values(set: &EntrySet, row: u32) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut values: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let words = set.description(row).split_whitespace();
    let told: String = words.filter(|word| !details::is_placeholder(word)).collect::<Vec<_>>().join(" ");
    let own = [
        ("reference", set.reference(row)),
        ("counterparty", set.counterparty(row)),
        ("group", set.group(row)),
        ("source_kind", set.kind(row)),
        ("description", &told),
    ];
    let details = details::iter(set.details(row)).map(|(detail, value)| (detail.name(), value));
    for (field, value) in own.into_iter().chain(details).filter(|(_, value)| !value.is_empty()) {
        values.entry(field).or_default().insert(value.to_owned());
    }
    values.entry("value_date").or_default().insert(set.value(row).to_string());
    if set.fee(row) != 0 {
        values.entry("fee").or_default().insert(crate::money::decimal(set.fee(row), set.currency(row)));
    }
    values
}

/// Whether two values of a field say the same: names however they are spelt, texts by letters and digits.
fn same(field: &str, a: &str, b: &str) -> bool {
    match field {
        "counterparty" => party_key(a) == party_key(b),
        "description" => normalize(a.as_bytes()) == normalize(b.as_bytes()),
        _ => a == b,
    }
}

/// The field of an entry that has a value elsewhere than in its own field, or there with other marks.
fn found_in(value: &str, values: &BTreeMap<&'static str, BTreeSet<String>>) -> Option<&'static str> {
    let wanted = normalize(value.as_bytes());
    if wanted.is_empty() {
        return None;
    }
    let has = |field: &str, text: &str| {
        let text = normalize(text.as_bytes());
        // A short number is part of many texts by chance.
        text == wanted
            || (field == "description" && wanted.len() >= 5 && memchr::memmem::find(&text, &wanted).is_some())
    };
    // An identifier goes before a text that has it as well.
    let (texts, fields): (Vec<_>, Vec<_>) = values.iter().partition(|(field, _)| **field == "description");
    let holds = |(field, own): &(&&'static str, &BTreeSet<String>)| own.iter().any(|text| has(field, text));
    fields.into_iter().chain(texts).find(holds).map(|(field, _)| *field)
}

/// What an entry and its counterpart say otherwise, by field; nothing where nobody knows which belongs to which.
#[must_use]
pub fn differences(old: &EntrySet, new: &EntrySet, pair: &Pair) -> Vec<Difference> {
    if pair.bond == Bond::Alike {
        return Vec::new();
    }
    let before = values(old, pair.old);
    let mut after: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for row in &pair.new {
        for (field, texts) in values(new, *row) {
            after.entry(field).or_default().extend(texts);
        }
    }
    let none = BTreeSet::new();
    let fields: BTreeSet<&'static str> = before.keys().chain(after.keys()).copied().collect();
    let difference = |field: &'static str| {
        let (own, other) = (before.get(field).unwrap_or(&none), after.get(field).unwrap_or(&none));
        let missing =
            |value: &&String, others: &BTreeSet<String>| !others.iter().any(|one| same(field, value, one));
        let lost: Vec<_> = own
            .iter()
            .filter(|value| missing(value, other))
            .map(|value| (value.clone(), found_in(value, &after)))
            .collect();
        let gained: Vec<_> = other.iter().filter(|value| missing(value, own)).cloned().collect();
        (!lost.is_empty() || !gained.is_empty()).then_some(Difference { field, lost, gained })
    };
    fields.into_iter().filter_map(difference).collect()
}
