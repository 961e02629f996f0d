//! Conservation: every entry that came in is matched, open or ignored, and counts and sums tie per currency.
//!
//! Each figure is counted from its own list (all entries, the matches, the breaks, the ignored rows), so that an entry
//! which is lost or claimed twice shows as a difference.

use std::collections::BTreeMap;

use super::keys::parallel;
use super::{Break, EngineError, Run, Side, measure};
use crate::currency::Currency;
use crate::rules::file::Measure;
use crate::rules::{Measures, PassKind};

/// A count of entries and the sum of their amounts in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of entries.
    pub count: u64,
    /// Sum of their amounts.
    pub sum: i128,
}

impl Tally {
    fn add(&mut self, amount: i128) {
        self.count += 1;
        self.sum += amount;
    }

    fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, sum: self.sum + other.sum }
    }
}

/// Where the entries of one side and currency went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Everything that was read.
    pub total: Tally,
    /// Matched.
    pub matched: Tally,
    /// Open.
    pub open: Tally,
    /// Set aside, with a reason.
    pub ignored: Tally,
}

/// By how much the matched entries of the two sides differ, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residual {
    /// Sum of left less sum of right.
    pub difference: i128,
    /// As far as fees explain it.
    pub fees: i128,
    /// As far as tolerances allowed it.
    pub tolerance: i128,
}

/// The books of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conservation {
    /// By side and currency.
    pub accounts: [BTreeMap<Currency, Account>; 2],
    /// By currency.
    pub residuals: BTreeMap<Currency, Residual>,
    /// Rows that could not be read, by side; they have no amount that could be trusted.
    pub rejected: [u64; 2],
    /// The same by reason: the code of the remark.
    pub rejected_by_code: [BTreeMap<&'static str, u64>; 2],
}

/// Sums by side and currency, and by currency; those of parts of the run add up to those of the whole.
struct Books {
    accounts: [Vec<Account>; 2],
    residuals: Vec<Residual>,
}

impl Books {
    fn new() -> Self {
        Self {
            accounts: [vec![Account::default(); Currency::COUNT], vec![Account::default(); Currency::COUNT]],
            residuals: vec![Residual::default(); Currency::COUNT],
        }
    }

    fn add(&mut self, part: &Self) {
        for (accounts, others) in self.accounts.iter_mut().zip(&part.accounts) {
            for (account, other) in accounts.iter_mut().zip(others) {
                account.total = account.total.plus(other.total);
                account.matched = account.matched.plus(other.matched);
            }
        }
        for (residual, other) in self.residuals.iter_mut().zip(&part.residuals) {
            residual.difference += other.difference;
            residual.tolerance += other.tolerance;
            residual.fees += other.fees;
        }
    }

    /// Books one matched entry.
    #[inline]
    fn matched(&mut self, run: &Run<'_>, measures: Measures, side: Side, row: u32) {
        let set = run.set(side);
        let currency = set.currency(row).index();
        let amount = set.amount(row);
        let (compared, sign) = match side {
            Side::Left => (measure(set, row, measures.left), 1),
            Side::Right => (measure(set, row, measures.right), -1),
        };
        self.accounts[side as usize][currency].matched.add(amount);
        let residual = &mut self.residuals[currency];
        residual.difference += sign * amount;
        residual.tolerance += sign * compared;
        residual.fees += sign * (amount - compared);
    }
}

/// Keeps the books and checks them.
pub(crate) fn account(run: &Run<'_>, breaks: &[Break]) -> Result<Conservation, EngineError> {
    let mut books = Books::new();
    for side in Side::BOTH {
        let set = run.set(side);
        for part in parallel(set.len(), run.threads, |range| {
            let mut part = Books::new();
            for row in range.filter_map(|row| u32::try_from(row).ok()) {
                part.accounts[side as usize][set.currency(row).index()].total.add(set.amount(row));
            }
            part
        }) {
            books.add(&part);
        }
        let mut ignored: Vec<u32> = set.ignored().iter().map(|(row, _)| *row).collect();
        ignored.sort_unstable();
        ignored.dedup();
        for row in ignored {
            books.accounts[side as usize][set.currency(row).index()].ignored.add(set.amount(row));
        }
    }
    for item in breaks {
        let set = run.set(item.side);
        books.accounts[item.side as usize][set.currency(item.row).index()].open.add(set.amount(item.row));
    }
    for (matches, pass) in run.matches.iter().zip(&run.rules.passes) {
        let measures = measures(&pass.kind);
        for part in parallel(matches.pairs.len(), run.threads, |range| {
            let mut part = Books::new();
            for [left, right] in &matches.pairs[range] {
                part.matched(run, measures, Side::Left, *left);
                part.matched(run, measures, Side::Right, *right);
            }
            part
        }) {
            books.add(&part);
        }
        for group in &matches.groups {
            for (side, rows) in [(Side::Left, &group.left), (Side::Right, &group.right)] {
                rows.iter().for_each(|row| books.matched(run, measures, side, *row));
            }
        }
    }
    let conservation = collect(run, &books.accounts, &books.residuals);
    check(&conservation)?;
    Ok(conservation)
}

/// The amounts that a pass compares.
pub(crate) fn measures(kind: &PassKind) -> Measures {
    match kind {
        PassKind::Exact(pass) => pass.measures,
        PassKind::Reference(pass) => pass.measures,
        PassKind::Unique(pass) => pass.measures,
        PassKind::Group(pass) => pass.measures,
        PassKind::Subset(pass) => pass.measures,
        PassKind::Net(_) => Measures { left: Measure::Amount, right: Measure::Amount },
    }
}

fn collect(run: &Run<'_>, totals: &[Vec<Account>; 2], residuals: &[Residual]) -> Conservation {
    let mut conservation = Conservation::default();
    for currency in Currency::all() {
        for side in Side::BOTH {
            let account = totals[side as usize][currency.index()];
            if account.total.count > 0 {
                conservation.accounts[side as usize].insert(currency, account);
            }
        }
        if totals.iter().any(|side| side[currency.index()].matched.count > 0) {
            conservation.residuals.insert(currency, residuals[currency.index()]);
        }
    }
    for side in Side::BOTH {
        for file in run.set(side).files() {
            conservation.rejected[side as usize] += file.rejected;
            for (code, count) in &file.rejected_by_code {
                *conservation.rejected_by_code[side as usize].entry(code).or_default() += count;
            }
        }
    }
    conservation
}

fn check(conservation: &Conservation) -> Result<(), EngineError> {
    for side in Side::BOTH {
        for (currency, account) in &conservation.accounts[side as usize] {
            if account.matched.plus(account.open).plus(account.ignored) != account.total {
                return Err(EngineError(format!("{} side, {currency}: {account:?}", side.name())));
            }
        }
    }
    for side in Side::BOTH {
        let reasons: u64 = conservation.rejected_by_code[side as usize].values().sum();
        if reasons != conservation.rejected[side as usize] {
            return Err(EngineError(format!("{} side: refused rows without a reason", side.name())));
        }
    }
    for (currency, residual) in &conservation.residuals {
        if residual.fees + residual.tolerance != residual.difference {
            return Err(EngineError(format!("{currency}: {residual:?}")));
        }
    }
    Ok(())
}
