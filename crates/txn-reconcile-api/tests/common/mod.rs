//! What the integration tests share: small sets of entries and small rulesets.

use txn_reconcile_api::currency::Currency;
use txn_reconcile_api::date::Date;
use txn_reconcile_api::engine::{Options, Outcome, reconcile};
use txn_reconcile_api::entry::{Draft, EntrySet};
use txn_reconcile_api::rules::{Ruleset, load};

/// An entry in the few fields that matching looks at.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Row {
    pub reference: String,
    pub amount: i128,
    pub fee: i128,
    pub currency: usize,
    pub day: i32,
    pub counterparty: String,
    pub group: String,
    pub description: String,
    pub account: String,
    pub kind: String,
    pub details: String,
}

pub const CURRENCIES: [&str; 3] = ["EUR", "USD", "JPY"];

/// A row from reference, amount and day of January 2026.
pub fn row(reference: &str, amount: i128, day: i32) -> Row {
    Row { reference: reference.to_owned(), amount, day, ..Row::default() }
}

pub fn first_day() -> Date {
    Date::new(2026, 1, 1).unwrap()
}

/// One file of entries.
pub fn set(name: &str, rows: &[Row]) -> EntrySet {
    let mut set = EntrySet::for_file(name);
    for (line, row) in (2..).zip(rows) {
        let currency = Currency::from_code(CURRENCIES[row.currency].as_bytes()).unwrap();
        let date = Date::from_days(first_day().days() + row.day - 1).unwrap();
        set.push(&Draft {
            fee: row.fee,
            reference: &row.reference,
            counterparty: &row.counterparty,
            group: &row.group,
            description: &row.description,
            account: &row.account,
            kind: &row.kind,
            details: &row.details,
            line,
            ..Draft::new(row.amount, currency, date)
        })
        .unwrap();
    }
    set
}

/// A ruleset with these passes and a calendar without days off.
pub fn rules(passes: &str) -> Ruleset {
    load(&format!("version = 2\nname = \"test\"\n[calendar]\nweekend = []\n{passes}")).unwrap()
}

/// One pass of the given kind and settings.
pub fn pass(name: &str, settings: &str) -> String {
    format!("[[pass]]\nname = \"{name}\"\n{settings}\n")
}

pub fn run(left: &[Row], right: &[Row], rules: &Ruleset) -> Outcome {
    run_with(set("left.csv", left), set("right.csv", right), rules, 1)
}

pub fn run_with(left: EntrySet, right: EntrySet, rules: &Ruleset, threads: usize) -> Outcome {
    reconcile(left, right, rules, &Options { threads, ..Options::default() }).unwrap()
}

/// Matches as sorted lists of left and right rows.
pub fn links(outcome: &Outcome) -> Vec<(usize, Vec<u32>, Vec<u32>)> {
    let mut links: Vec<(usize, Vec<u32>, Vec<u32>)> = outcome
        .matches()
        .map(|view| {
            let (mut left, mut right) = (view.left.to_vec(), view.right.to_vec());
            left.sort_unstable();
            right.sort_unstable();
            (view.pass, left, right)
        })
        .collect();
    links.sort();
    links
}

/// Kinds of break by side and row.
pub fn kinds(outcome: &Outcome) -> Vec<(&'static str, u32, &'static str)> {
    let mut kinds: Vec<_> =
        outcome.breaks.iter().map(|item| (item.side.name(), item.row, item.kind.name())).collect();
    kinds.sort_unstable();
    kinds
}
