//! Statements: the envelope around entries, with balances and control totals to check them against.

use std::collections::BTreeMap;

use crate::currency::Currency;
use crate::date::Date;

/// A balance and its day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Signed minor units.
    pub minor: i128,
    /// The day, where the format states one.
    pub date: Option<Date>,
}

/// A total that the file states and that was counted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// What it counts: `entries`, `sum of credits`, `entry hash` …
    pub what: &'static str,
    /// What the file says.
    pub stated: i128,
    /// What was found.
    pub found: i128,
    /// Whether the numbers are minor units of the statement's currency.
    pub is_money: bool,
}

/// A statement, batch or account section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The account, as the file names it.
    pub account: String,
    /// The statement's own number or identifier.
    pub number: String,
    /// Its place in the sequence of the account's statements.
    pub sequence: Option<u64>,
    /// Its currency.
    pub currency: Option<Currency>,
    /// Balance before the first entry.
    pub opening: Option<Balance>,
    /// Balance after the last entry.
    pub closing: Option<Balance>,
    /// Entries that move the balance; those only announced are not among them.
    pub entries: u64,
    /// Their sum in minor units.
    pub sum: i128,
    /// Further totals.
    pub controls: Vec<Control>,
    /// Line where the statement begins.
    pub line: u64,
}

/// Whether a statement adds up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TieOut {
    /// Opening balance plus entries is the closing balance, and every control total agrees.
    Ties,
    /// The file states nothing to check against.
    NotStated,
    /// What does not agree, in words with the difference.
    Off(Vec<String>),
}

impl Statement {
    /// Checks the balances and control totals.
    #[must_use]
    pub fn tie_out(&self) -> TieOut {
        let mut off = Vec::new();
        let mut checked = false;
        if let (Some(opening), Some(closing)) = (self.opening, self.closing) {
            checked = true;
            let difference = closing.minor - opening.minor - self.sum;
            if difference != 0 {
                off.push(format!(
                    "closing balance is {} away from opening balance + entries",
                    self.money(difference)
                ));
            }
        }
        for control in &self.controls {
            checked = true;
            if control.stated != control.found {
                let difference = control.stated - control.found;
                let size = if control.is_money { self.money(difference) } else { difference.to_string() };
                off.push(format!("{} stated is {size} away from what was read", control.what));
            }
        }
        match (checked, off.is_empty()) {
            (false, _) => TieOut::NotStated,
            (true, true) => TieOut::Ties,
            (true, false) => TieOut::Off(off),
        }
    }

    fn money(&self, minor: i128) -> String {
        match self.currency {
            Some(currency) => format!("{} {currency}", crate::money::decimal(minor, currency)),
            None => format!("{minor} minor units"),
        }
    }
}

/// Statements missing between two that are there, or balances that do not join.
#[must_use]
pub fn sequence_gaps(statements: &[&Statement]) -> Vec<String> {
    let mut accounts: BTreeMap<(&str, Option<Currency>), Vec<&Statement>> = BTreeMap::new();
    for statement in statements.iter().filter(|statement| statement.sequence.is_some()) {
        accounts.entry((&statement.account, statement.currency)).or_default().push(statement);
    }
    let mut gaps = Vec::new();
    for list in accounts.values_mut() {
        list.sort_by_key(|statement| {
            (statement.opening.and_then(|balance| balance.date), statement.sequence)
        });
        for pair in list.windows(2) {
            gaps.extend(gap_between(pair[0], pair[1]));
        }
    }
    gaps
}

fn gap_between(before: &Statement, after: &Statement) -> Option<String> {
    let (first, second) = (before.sequence?, after.sequence?);
    // Numbering starts again each year; a fall is a new year and not a gap.
    if second > first + 1 {
        return Some(format!(
            "account {}: {} statement(s) missing between number {first} and {second}",
            mask_account(&after.account),
            second - first - 1
        ));
    }
    let (closing, opening) = (before.closing?, after.opening?);
    if second == first + 1 && closing.minor != opening.minor {
        return Some(format!(
            "account {}: statement {second} does not open where statement {first} closed",
            mask_account(&after.account)
        ));
    }
    None
}

/// An account with all but its last four characters hidden: messages never show the whole of it.
#[must_use]
pub fn mask_account(account: &str) -> String {
    let count = account.chars().count();
    if count <= 4 {
        account.to_owned()
    } else {
        format!("…{}", account.chars().skip(count - 4).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sequence: u64, opening: i128, sum: i128, closing: i128) -> Statement {
        let balance = |minor| Some(Balance { minor, date: None });
        Statement {
            account: "DE00123456".to_owned(),
            sequence: Some(sequence),
            opening: balance(opening),
            closing: balance(closing),
            sum,
            ..Statement::default()
        }
    }

    #[test]
    fn balances_and_totals_have_to_agree() {
        assert_eq!(statement(1, 100, 20, 120).tie_out(), TieOut::Ties);
        assert!(matches!(statement(1, 100, 20, 121).tie_out(), TieOut::Off(_)));
        assert_eq!(Statement::default().tie_out(), TieOut::NotStated);
        let control = Control { what: "entries", stated: 3, found: 2, is_money: false };
        let off = Statement { controls: vec![control], ..statement(1, 0, 0, 0) };
        assert_eq!(
            off.tie_out(),
            TieOut::Off(vec!["entries stated is 1 away from what was read".to_owned()])
        );
    }

    #[test]
    fn gaps_are_reported_without_the_whole_account() {
        let (one, two, five) = (statement(1, 0, 5, 5), statement(2, 5, 1, 6), statement(5, 6, 0, 6));
        assert!(sequence_gaps(&[&one, &two]).is_empty());
        let gaps = sequence_gaps(&[&five, &one, &two]);
        assert_eq!(gaps, ["account …3456: 2 statement(s) missing between number 2 and 5"]);
        let unjoined = statement(2, 9, 0, 9);
        assert_eq!(sequence_gaps(&[&one, &unjoined]).len(), 1);
    }
}
