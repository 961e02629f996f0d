//! Matches and breaks as rows of named columns: one list of columns, read by every export.

use crate::engine::{Break, MatchPlace, MatchView, Outcome, Side, rates};
use crate::entry::details::{self, Detail};
use crate::entry::kind;
use crate::money::{convert, decimal};
use crate::rules::{PassKind, Ruleset};

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text from the program itself: identifiers, dates, numbers as text.
    Plain,
    /// Text from an input file, which a spreadsheet must not take for a formula.
    Foreign,
    /// A decimal amount, written as text.
    Amount,
    /// A whole number.
    Number,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// Shorthand for the tables below.
const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

/// Columns of the list of matches: one row for each entry of a match.
pub const MATCH_COLUMNS: [Column; 30] = [
    column("match", Kind::Number),
    column("pass", Kind::Foreign),
    column("rule", Kind::Plain),
    column("why", Kind::Foreign),
    column("side", Kind::Plain),
    column("entry_id", Kind::Plain),
    column("file", Kind::Foreign),
    column("line", Kind::Number),
    column("booking_date", Kind::Plain),
    column("value_date", Kind::Plain),
    column("amount", Kind::Amount),
    column("fee", Kind::Amount),
    column("currency", Kind::Plain),
    column("reference", Kind::Foreign),
    column("counterparty", Kind::Foreign),
    column("group", Kind::Foreign),
    column("raw_hash", Kind::Plain),
    column("raw", Kind::Foreign),
    column("account", Kind::Foreign),
    column("source_kind", Kind::Foreign),
    column("entry_kind", Kind::Plain),
    column("details", Kind::Foreign),
    column("original_amount", Kind::Amount),
    column("original_currency", Kind::Plain),
    column("rate", Kind::Plain),
    column("exchange_difference", Kind::Amount),
    column("expected_fee", Kind::Amount),
    column("fee_difference", Kind::Amount),
    column("table_rate", Kind::Plain),
    column("table_difference", Kind::Amount),
];

/// Columns of the list of breaks: one row for each open entry.
pub const BREAK_COLUMNS: [Column; 34] = [
    column("kind", Kind::Plain),
    column("side", Kind::Plain),
    column("age_days", Kind::Number),
    column("age_business_days", Kind::Number),
    column("owner", Kind::Foreign),
    column("reason", Kind::Foreign),
    column("entry_id", Kind::Plain),
    column("file", Kind::Foreign),
    column("line", Kind::Number),
    column("booking_date", Kind::Plain),
    column("value_date", Kind::Plain),
    column("amount", Kind::Amount),
    column("fee", Kind::Amount),
    column("currency", Kind::Plain),
    column("reference", Kind::Foreign),
    column("counterparty", Kind::Foreign),
    column("group", Kind::Foreign),
    column("description", Kind::Foreign),
    column("nearest", Kind::Plain),
    column("raw_hash", Kind::Plain),
    column("suggestion", Kind::Foreign),
    column("raw", Kind::Foreign),
    column("account", Kind::Foreign),
    column("source_kind", Kind::Foreign),
    column("entry_kind", Kind::Plain),
    column("details", Kind::Foreign),
    column("original_amount", Kind::Amount),
    column("original_currency", Kind::Plain),
    column("rate", Kind::Plain),
    column("exchange_difference", Kind::Amount),
    column("expected_fee", Kind::Amount),
    column("fee_difference", Kind::Amount),
    column("table_rate", Kind::Plain),
    column("table_difference", Kind::Amount),
];

/// A list that can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// What matched.
    Matches,
    /// What is open.
    Breaks,
}

impl Table {
    /// Its columns.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Matches => &MATCH_COLUMNS,
            Self::Breaks => &BREAK_COLUMNS,
        }
    }

    /// Hands every row to `each`, in an order that depends on the content alone, until it fails.
    ///
    /// # Errors
    /// The first error of `each`.
    pub fn rows<E>(
        self,
        outcome: &Outcome,
        rules: &Ruleset,
        mut each: impl FnMut(&[String]) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::Breaks => outcome.breaks.iter().try_for_each(|item| each(&break_row(outcome, rules, item))),
            Self::Matches => {
                for (number, place) in (1u64..).zip(ordered(outcome)) {
                    let view = outcome.match_at(place);
                    let why = why(outcome, rules, &view);
                    for (side, rows) in [(Side::Left, view.left), (Side::Right, view.right)] {
                        let mut rows: Vec<u32> = rows.to_vec();
                        rows.sort_by_cached_key(|row| outcome.set(side).id(*row));
                        for row in rows {
                            each(&match_row(outcome, rules, &view, (number, &why), side, row))?;
                        }
                    }
                }
                Ok(())
            }
        }
    }
}

/// Matches by pass, booking date and identity.
pub(crate) fn ordered(outcome: &Outcome) -> Vec<MatchPlace> {
    let mut places: Vec<MatchPlace> = outcome.places().collect();
    places.sort_by_cached_key(|place| {
        let view = outcome.match_at(*place);
        let (side, row) = match (view.left.first(), view.right.first()) {
            (Some(_), _) => (Side::Left, view.left),
            _ => (Side::Right, view.right),
        };
        let set = outcome.set(side);
        let first = row.iter().map(|row| (set.booking(*row), set.id(*row))).min();
        (view.pass, first)
    });
    places
}

fn side_name(rules: &Ruleset, side: Side) -> &str {
    match side {
        Side::Left => &rules.left.name,
        Side::Right => &rules.right.name,
    }
}

fn match_row(
    outcome: &Outcome,
    rules: &Ruleset,
    view: &MatchView<'_>,
    (number, why): (u64, &str),
    side: Side,
    row: u32,
) -> Vec<String> {
    let set = outcome.set(side);
    let pass = &rules.passes[view.pass];
    let currency = set.currency(row);
    let mut fields = vec![
        number.to_string(),
        pass.name.clone(),
        pass.kind.name().to_owned(),
        why.to_owned(),
        side_name(rules, side).to_owned(),
        set.id(row).to_string(),
        file_name(outcome, side, row),
        set.line(row).to_string(),
        set.booking(row).to_string(),
        set.value(row).to_string(),
        decimal(set.amount(row), currency),
        decimal(set.fee(row), currency),
        currency.to_string(),
        set.reference(row).to_owned(),
        set.counterparty(row).to_owned(),
        set.group(row).to_owned(),
        format!("{:016x}", set.raw(row).hash),
        outcome.raw_line(side, row).unwrap_or_default(),
    ];
    fields.extend(more(outcome, rules, side, row));
    fields
}

/// Account, kind and details of an entry, what it was before conversion, the fee that is expected, and what
/// the table of rates makes of the conversion.
fn more(outcome: &Outcome, rules: &Ruleset, side: Side, row: u32) -> [String; 12] {
    let set = outcome.set(side);
    let encoded = set.details(row);
    let shown = |(detail, value): (Detail, &str)| format!("{}={value}", detail.name());
    let is_money = |detail| matches!(detail, Detail::OriginalMinor | Detail::OriginalCurrency | Detail::Rate);
    let listed = details::iter(encoded).filter(|(detail, _)| !is_money(*detail)).map(shown);
    let rate = details::find(encoded, Detail::Rate);
    let expected = set.expected_fee(row);
    let held = rules.rates.as_ref().and_then(|rates| rates::held(rates, set, row));
    let money = |minor: i128| decimal(minor, set.currency(row));
    let (mut amount, mut currency, mut difference) = (String::new(), String::new(), String::new());
    if let Some((minor, original)) = details::original(encoded) {
        amount = decimal(minor, original);
        original.code().clone_into(&mut currency);
        let converted =
            if rate.is_empty() { None } else { convert(minor, original, rate, set.currency(row)) };
        difference = converted
            .map_or_else(String::new, |converted| decimal(set.amount(row) - converted, set.currency(row)));
    }
    [
        set.account(row).to_owned(),
        set.kind(row).to_owned(),
        kind::class(set.kind(row), &rules.kinds).to_string(),
        listed.collect::<Vec<_>>().join("; "),
        amount,
        currency,
        rate.to_owned(),
        difference,
        expected.map_or_else(String::new, money),
        expected.map_or_else(String::new, |expected| money(set.fee(row) - expected)),
        held.as_ref().and_then(|held| held.table.clone()).map_or_else(String::new, |(_, rate)| rate),
        held.and_then(|held| held.difference).map_or_else(String::new, money),
    ]
}

fn break_row(outcome: &Outcome, rules: &Ruleset, item: &Break) -> Vec<String> {
    let set = outcome.set(item.side);
    let row = item.row;
    let currency = set.currency(row);
    let mut fields = vec![
        item.kind.name().to_owned(),
        side_name(rules, item.side).to_owned(),
        item.age_days.to_string(),
        item.age_business_days.to_string(),
        item.owner.clone(),
        item.reason.clone(),
        set.id(row).to_string(),
        file_name(outcome, item.side, row),
        set.line(row).to_string(),
        set.booking(row).to_string(),
        set.value(row).to_string(),
        decimal(set.amount(row), currency),
        decimal(set.fee(row), currency),
        currency.to_string(),
        set.reference(row).to_owned(),
        set.counterparty(row).to_owned(),
        set.group(row).to_owned(),
        set.description(row).to_owned(),
        nearest(outcome, item),
        format!("{:016x}", set.raw(row).hash),
        suggestion(outcome, rules, item),
        outcome.raw_line(item.side, row).unwrap_or_default(),
    ];
    fields.extend(more(outcome, rules, item.side, row));
    fields
}

/// The suggestion for a break in one field: `file:line + file:line (pass: why)`.
fn suggestion(outcome: &Outcome, rules: &Ruleset, item: &Break) -> String {
    let Some(suggestion) = &item.suggestion else { return String::new() };
    let other = item.side.other();
    let place = |row: &u32| format!("{}:{}", file_name(outcome, other, *row), outcome.set(other).line(*row));
    let places: Vec<String> = suggestion.rows.iter().map(place).collect();
    let pass = rules.passes.get(usize::from(suggestion.pass)).map_or("", |pass| pass.name.as_str());
    format!("{} ({pass}: {})", places.join(" + "), suggestion.why)
}

fn file_name(outcome: &Outcome, side: Side, row: u32) -> String {
    let set = outcome.set(side);
    set.files().get(set.file(row)).map(|file| file.name.clone()).unwrap_or_default()
}

/// The candidates of a break in one field: `file:line (why, difference, days)`, best first.
fn nearest(outcome: &Outcome, item: &Break) -> String {
    let other = item.side.other();
    let set = outcome.set(other);
    let one = |candidate: &crate::engine::Nearest| {
        let difference = match candidate.difference {
            Some(difference) => decimal(difference, set.currency(candidate.row)),
            None => "another currency".to_owned(),
        };
        let (file, line) = (file_name(outcome, other, candidate.row), set.line(candidate.row));
        format!(
            "{file}:{line} ({}; difference {difference}; {} business days)",
            candidate.why, candidate.days
        )
    };
    item.nearest.iter().map(one).collect::<Vec<_>>().join(" | ")
}

/// Why a match was made, in a sentence.
fn why(outcome: &Outcome, rules: &Ruleset, view: &MatchView<'_>) -> String {
    let kind = &rules.passes[view.pass].kind;
    let (left, right) = (outcome.set(Side::Left), outcome.set(Side::Right));
    if let (PassKind::Reference(pass), [l], [r]) = (kind, view.left, view.right) {
        let a = crate::engine::compared(left, *l, pass.measures.left);
        let b = crate::engine::compared(right, *r, pass.measures.right);
        let days = rules.calendar.distance(left.booking(*l), right.booking(*r));
        let difference = decimal(a - b, left.currency(*l));
        let limit = decimal(pass.tolerance.limit(a, b, left.currency(*l)), left.currency(*l));
        return format!(
            "same reference; difference {difference} of at most {limit}; {days} of at most {} business days",
            pass.days
        );
    }
    match kind {
        PassKind::Exact(_) => "same reference, currency, amount and date".to_owned(),
        PassKind::Reference(_) => "same reference".to_owned(),
        PassKind::Unique(pass) if view.left.len() > 1 => format!(
            "all entries of this amount on either side, as many on both, within {} business days",
            pass.days
        ),
        PassKind::Unique(pass) => {
            format!("the only entry of this amount on either side within {} business days", pass.days)
        }
        PassKind::Group(_) => {
            format!("payout or batch of {} and {} entries ties", view.left.len(), view.right.len())
        }
        PassKind::Subset(pass) => format!(
            "the only combination ({} to {}) among at most {} open entries of the counterparty",
            view.left.len(),
            view.right.len(),
            pass.items_max
        ),
        PassKind::Named(_) => format!(
            "{} and {} entries that name one another come to the same",
            view.left.len(),
            view.right.len()
        ),
        PassKind::Net(_) => "an entry and its reversal cancel out, in amount and fee".to_owned(),
    }
}
