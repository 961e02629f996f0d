//! The balance column of a table, held against its amounts.

use std::collections::BTreeMap;

use super::Collector;
use super::statement::{Balance, Control, Statement};
use crate::currency::Currency;
use crate::entry::Draft;

/// The running balances of a file, by account and currency.
#[derive(Debug, Default)]
pub(crate) struct Balances(BTreeMap<(String, Currency), Running>);

/// A balance that runs on from row to row. Files begin with the oldest row or with the newest; both are followed, and the
/// one that fits counts.
#[derive(Debug, Default)]
struct Running {
    line: u64,
    rows: u64,
    sum: i128,
    /// Rows that state a balance.
    stated: u64,
    /// Sum of the rows since the last one that does, or since the beginning.
    since: i128,
    /// Sum of the rows before the first one that does.
    before_first: i128,
    /// Balance and amount of the first row that states one, and of the last.
    first: (i128, i128),
    last: (i128, i128),
    oldest_first: Misfits,
    newest_first: Misfits,
}

/// Rows whose balance does not fit.
#[derive(Clone, Copy, Debug, Default)]
struct Misfits {
    count: u64,
    first_line: u64,
}

impl Misfits {
    fn note(&mut self, fits: bool, line: u64) {
        if !fits {
            self.count += 1;
            if self.count == 1 {
                self.first_line = line;
            }
        }
    }
}

impl Balances {
    /// Whether no row has stated one.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|running| running.stated == 0)
    }

    /// Takes a row with its balance, if it states one.
    pub fn row(&mut self, draft: &Draft<'_>, balance: Option<i128>) {
        let running = self.0.entry((draft.account.to_owned(), draft.currency)).or_default();
        if running.rows == 0 {
            running.line = draft.line;
        }
        running.rows += 1;
        running.sum += draft.amount;
        let Some(balance) = balance else {
            running.since += draft.amount;
            return;
        };
        if running.stated == 0 {
            running.first = (balance, draft.amount);
            running.before_first = running.since;
        } else {
            let (before, amount_before) = running.last;
            running.oldest_first.note(before + running.since + draft.amount == balance, draft.line);
            running.newest_first.note(balance + running.since + amount_before == before, draft.line);
        }
        running.stated += 1;
        running.since = 0;
        running.last = (balance, draft.amount);
    }

    /// Makes a statement of each balance that was stated twice or more.
    pub fn finish(&mut self, column: &str, out: &mut Collector) {
        for ((account, currency), running) in std::mem::take(&mut self.0) {
            if running.stated < 2 {
                continue;
            }
            let oldest_first = running.oldest_first.count <= running.newest_first.count;
            let misfits = if oldest_first { running.oldest_first } else { running.newest_first };
            let (opening, closing) = if oldest_first {
                (running.first.0 - running.first.1 - running.before_first, running.last.0 + running.since)
            } else {
                (running.last.0 - running.last.1 - running.since, running.first.0 + running.before_first)
            };
            if misfits.count > 0 {
                let message = "the balance is not that of the row beside it and the amount between them";
                out.warn(misfits.first_line, column, "balance-off", message);
            }
            let balance = |minor| Some(Balance { minor, date: None });
            let found = i128::from(running.stated - misfits.count);
            let stated = i128::from(running.stated);
            out.statements.push(Statement {
                account,
                currency: Some(currency),
                opening: balance(opening),
                closing: balance(closing),
                entries: running.rows,
                sum: running.sum,
                controls: vec![Control { what: "running balances", stated, found, is_money: false }],
                line: running.line,
                ..Statement::default()
            });
        }
    }
}
