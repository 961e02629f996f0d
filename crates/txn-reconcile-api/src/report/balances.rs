//! From the bank's balance to that of the books, account by account: what each side has that the other has not, and whether
//! the two balances are explained by it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::summary::grouped;
use crate::currency::Currency;
use crate::date::Date;
use crate::engine::conserve::Tally;
use crate::engine::{Outcome, Side, State, account_key, account_numbers};
use crate::entry::IgnoreReason;
use crate::money::decimal;
use crate::rules::Ruleset;

/// The balance at the end of a statement, as its file states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The account, as the file names it; empty if it names none.
    pub account: String,
    /// The currency.
    pub currency: Currency,
    /// The balance in minor units.
    pub minor: i128,
    /// Its day, where the file states one.
    pub date: Option<Date>,
}

/// An account from the bank's balance to that of the books.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What the external side calls it, or the internal one; empty if neither names it.
    pub name: String,
    /// The bank's balance, and its day.
    pub bank: Option<(i128, Option<Date>)>,
    /// The balance of the books.
    pub book: Option<i128>,
    /// Open entries, internal and external.
    pub open: [Tally; 2],
    /// Entries that the cut-off or the ruleset set aside, internal and external.
    pub aside: [Tally; 2],
    /// By how much matched entries differ: fees, tolerance, exchange. Internal less external.
    pub matched: i128,
}

impl Account {
    /// The balance of the books that follows from the bank's.
    #[must_use]
    pub fn expected(&self) -> Option<i128> {
        let outstanding =
            self.open[0].sum + self.aside[0].sum - self.open[1].sum - self.aside[1].sum + self.matched;
        self.bank.map(|(minor, _)| minor + outstanding)
    }

    /// By how much the balance of the books is another one, where both are stated.
    #[must_use]
    pub fn unexplained(&self) -> Option<i128> {
        self.book.zip(self.expected()).map(|(book, expected)| book - expected)
    }
}

/// The number of an account; 0 for entries that stand on none that is known.
type Number = u32;

/// The accounts of a run, by currency and number. `closings` are the balances of the internal and the external side, in
/// the order in which they were read; of an account the latest counts.
#[must_use]
pub fn accounts(
    outcome: &Outcome,
    rules: &Ruleset,
    closings: &[Vec<Closing>; 2],
) -> BTreeMap<(Currency, Number), Account> {
    let mut named: Vec<String> = Vec::new();
    for side in Side::BOTH {
        let set = outcome.set(side);
        named.extend(set.rows().map(|row| account_key(set.account(row))));
        named.extend(closings[side as usize].iter().map(|closing| account_key(&closing.account)));
        named.sort_unstable();
        named.dedup();
    }
    let numbers = account_numbers(&named, rules);
    let number = |side: Side, name: &str| {
        // Where accounts do not matter, those of the bank are the ones that balances are of.
        let ignored = rules.accounts_ignored && side == Side::Left;
        if ignored { 0 } else { numbers.get(&account_key(name)).copied().unwrap_or(0) }
    };
    let mut all: BTreeMap<(Currency, Number), Account> = BTreeMap::new();
    for side in [Side::Right, Side::Left] {
        let set = outcome.set(side);
        let rows = set.rows().map(|row| (set.currency(row), set.account(row)));
        let stated = closings[side as usize].iter().map(|one| (one.currency, one.account.as_str()));
        for (currency, name) in rows.chain(stated).filter(|(_, name)| !name.is_empty()) {
            let account = all.entry((currency, number(side, name))).or_default();
            if account.name.is_empty() {
                name.clone_into(&mut account.name);
            }
        }
    }
    // What names no account stands on the only one of its currency, if it is one.
    let only = |all: &BTreeMap<(Currency, Number), Account>, currency: Currency| -> Number {
        let mut known = all.range((currency, 1)..=(currency, Number::MAX)).map(|((_, number), _)| *number);
        match (known.next(), known.next()) {
            (Some(number), None) => number,
            _ => 0,
        }
    };
    let place = |all: &BTreeMap<(Currency, Number), Account>, side: Side, currency: Currency, name: &str| {
        match number(side, name) {
            0 => (currency, only(all, currency)),
            number => (currency, number),
        }
    };
    for side in Side::BOTH {
        for closing in &closings[side as usize] {
            let key = place(&all, side, closing.currency, &closing.account);
            let account = all.entry(key).or_default();
            match side {
                Side::Left => account.book = Some(closing.minor),
                Side::Right if account.bank.is_none_or(|(_, date)| date <= closing.date) => {
                    account.bank = Some((closing.minor, closing.date));
                }
                Side::Right => {}
            }
        }
        let set = outcome.set(side);
        let mut aside: BTreeMap<u32, bool> = BTreeMap::new();
        for (row, reason) in set.ignored() {
            // What came in twice, or is not booked, is in no balance.
            let moves = matches!(reason, IgnoreReason::AfterCutOff | IgnoreReason::Rule(_));
            let known = aside.entry(*row).or_insert(true);
            *known &= moves;
        }
        for row in set.rows() {
            let key = place(&all, side, set.currency(row), set.account(row));
            let account = all.entry(key).or_default();
            match outcome.states[side as usize][row as usize] {
                State::Open => account.open[side as usize].add(set.amount(row), set.fee(row)),
                State::Ignored if aside.get(&row) == Some(&true) => {
                    account.aside[side as usize].add(set.amount(row), set.fee(row));
                }
                State::Ignored | State::Matched => {}
            }
        }
    }
    for view in outcome.matches() {
        let of = |side: Side, row: u32| {
            let set = outcome.set(side);
            (set.currency(row), number(side, set.account(row)), set.amount(row))
        };
        let left: Vec<_> = view.left.iter().map(|row| of(Side::Left, *row)).collect();
        let right: Vec<_> = view.right.iter().map(|row| of(Side::Right, *row)).collect();
        for (own, others, sign) in [(&left, &right, 1), (&right, &left, -1)] {
            for (currency, number, amount) in own {
                // One that names no account stands on that of its partners.
                let partner =
                    others.iter().find(|other| other.0 == *currency && other.1 != 0).map(|other| other.1);
                let number =
                    if *number == 0 { partner.unwrap_or_else(|| only(&all, *currency)) } else { *number };
                all.entry((*currency, number)).or_default().matched += sign * amount;
            }
        }
    }
    all
}

/// The statement in words.
#[must_use]
pub fn text(accounts: &BTreeMap<(Currency, Number), Account>, rules: &Ruleset) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = accounts
        .iter()
        .try_for_each(|((currency, _), account)| write_account(&mut text, *currency, account, rules));
    text
}

fn write_account(
    out: &mut String,
    currency: Currency,
    account: &Account,
    rules: &Ruleset,
) -> std::fmt::Result {
    let (book, bank) = (&rules.left.name, &rules.right.name);
    let named = if account.name.is_empty() {
        "no account named".to_owned()
    } else {
        format!("account {}", masked(&account.name))
    };
    writeln!(out, "\nFrom {bank} to {book}, {currency}, {named}")?;
    let mut line =
        |what: &str, minor: i128| writeln!(out, "  {what:<58} {:>20}", grouped(&decimal(minor, currency)));
    match account.bank {
        Some((minor, Some(date))) => line(&format!("balance of {bank}, {date}"), minor)?,
        Some((minor, None)) => line(&format!("balance of {bank}"), minor)?,
        None => {}
    }
    let [open_book, open_bank] = account.open;
    line(&format!("less {} open of {bank}, not in {book}", open_bank.count), -open_bank.sum)?;
    line(&format!("plus {} open of {book}, not in {bank}", open_book.count), open_book.sum)?;
    let [aside_book, aside_bank] = account.aside;
    if aside_book.count + aside_bank.count > 0 {
        let what = format!("{} and {} that were set aside", aside_bank.count, aside_book.count);
        line(&what, aside_book.sum - aside_bank.sum)?;
    }
    if account.matched != 0 {
        line("matched with a difference (fees, tolerance, exchange)", account.matched)?;
    }
    match (account.expected(), account.book) {
        (Some(expected), Some(stated)) => {
            line(&format!("balance of {book} that follows"), expected)?;
            line(&format!("balance of {book} that is stated"), stated)?;
            match stated - expected {
                0 => writeln!(out, "  ties"),
                rest => writeln!(
                    out,
                    "  does NOT tie: {} {currency} unexplained",
                    grouped(&decimal(rest, currency))
                ),
            }
        }
        (Some(expected), None) => {
            line(&format!("balance of {book} that follows"), expected)?;
            writeln!(out, "  {book} states no balance to hold it against")
        }
        (None, _) => writeln!(out, "  {bank} states no balance to begin with"),
    }
}

/// An account with all but its last four characters hidden.
pub(super) fn masked(account: &str) -> String {
    let count = account.chars().count();
    if count <= 4 {
        account.to_owned()
    } else {
        format!("…{}", account.chars().skip(count - 4).collect::<String>())
    }
}

/// The statement as a list of objects.
#[must_use]
pub fn json(accounts: &BTreeMap<(Currency, Number), Account>) -> Value {
    let one = |((currency, _), account): (&(Currency, Number), &Account)| {
        let show = |minor: i128| decimal(minor, *currency);
        let tally = |tally: Tally| json!({ "count": tally.count, "sum": show(tally.sum) });
        json!({
            "account": account.name,
            "currency": currency.code(),
            "bank_balance": account.bank.map(|(minor, _)| show(minor)),
            "bank_balance_date": account.bank.and_then(|(_, date)| date).map(|date| date.to_string()),
            "open_external": tally(account.open[1]),
            "open_internal": tally(account.open[0]),
            "aside_external": tally(account.aside[1]),
            "aside_internal": tally(account.aside[0]),
            "matched_difference": show(account.matched),
            "book_balance_expected": account.expected().map(show),
            "book_balance": account.book.map(show),
            "unexplained": account.unexplained().map(show),
        })
    };
    Value::Array(accounts.iter().map(one).collect())
}
