//! Conservation: every entry that came in is matched, open or ignored, and counts and sums tie per currency.
//!
//! Each figure is counted from its own list (all entries, the matches, the breaks, the ignored rows), so that an entry
//! which is lost or claimed twice shows as a difference.

use std::collections::BTreeMap;

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
}

/// Keeps the books and checks them.
pub(crate) fn account(run: &Run<'_>, breaks: &[Break]) -> Result<Conservation, EngineError> {
    let mut totals = [vec![Account::default(); Currency::COUNT], vec![Account::default(); Currency::COUNT]];
    let mut residuals = vec![Residual::default(); Currency::COUNT];
    for side in Side::BOTH {
        let set = run.set(side);
        let accounts = &mut totals[side as usize];
        for row in set.rows() {
            accounts[set.currency(row).index()].total.add(set.amount(row));
        }
        let mut ignored: Vec<u32> = set.ignored().iter().map(|(row, _)| *row).collect();
        ignored.sort_unstable();
        ignored.dedup();
        for row in ignored {
            accounts[set.currency(row).index()].ignored.add(set.amount(row));
        }
    }
    for item in breaks {
        let set = run.set(item.side);
        totals[item.side as usize][set.currency(item.row).index()].open.add(set.amount(item.row));
    }
    for (matches, pass) in run.matches.iter().zip(&run.rules.passes) {
        let measures = measures(&pass.kind);
        for [left, right] in &matches.pairs {
            book(run, measures, Side::Left, *left, &mut totals, &mut residuals);
            book(run, measures, Side::Right, *right, &mut totals, &mut residuals);
        }
        for group in &matches.groups {
            group
                .left
                .iter()
                .for_each(|row| book(run, measures, Side::Left, *row, &mut totals, &mut residuals));
            group
                .right
                .iter()
                .for_each(|row| book(run, measures, Side::Right, *row, &mut totals, &mut residuals));
        }
    }
    let conservation = collect(run, &totals, &residuals);
    check(&conservation)?;
    Ok(conservation)
}

/// Books one matched entry.
#[inline]
fn book(
    run: &Run<'_>,
    measures: Measures,
    side: Side,
    row: u32,
    totals: &mut [Vec<Account>; 2],
    residuals: &mut [Residual],
) {
    let set = run.set(side);
    let currency = set.currency(row).index();
    let amount = set.amount(row);
    let (compared, sign) = match side {
        Side::Left => (measure(set, row, measures.left), 1),
        Side::Right => (measure(set, row, measures.right), -1),
    };
    totals[side as usize][currency].matched.add(amount);
    let residual = &mut residuals[currency];
    residual.difference += sign * amount;
    residual.tolerance += sign * compared;
    residual.fees += sign * (amount - compared);
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
        conservation.rejected[side as usize] = run.set(side).files().iter().map(|file| file.rejected).sum();
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
    for (currency, residual) in &conservation.residuals {
        if residual.fees + residual.tolerance != residual.difference {
            return Err(EngineError(format!("{currency}: {residual:?}")));
        }
    }
    Ok(())
}
