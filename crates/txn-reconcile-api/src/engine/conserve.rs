//! Conservation: every entry that came in is matched, open or ignored, and counts and sums tie per currency.
//!
//! Each figure is counted from its own list (all entries, the matches, the breaks, the ignored rows), so that an entry
//! which is lost or claimed twice shows as a difference.

use std::collections::{BTreeMap, HashMap};

use super::keys::parallel;
use super::{Break, EngineError, Run, Side, State, measure, original};
use crate::currency::Currency;
use crate::entry::kind::{Class, Kind};
use crate::rules::file::Measure;
use crate::rules::{Measures, PassKind};

/// A count of entries and the sum of their amounts in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of entries.
    pub count: u64,
    /// Sum of their amounts.
    pub sum: i128,
    /// Sum of their fees, a cost being positive.
    pub fee: i128,
}

impl Tally {
    pub(crate) fn add(&mut self, amount: i128, fee: i128) {
        self.count += 1;
        self.sum += amount;
        self.fee += fee;
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { count: self.count + other.count, sum: self.sum + other.sum, fee: self.fee + other.fee }
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
    /// As far as amounts were compared before their conversion, and so in another currency.
    pub exchange: i128,
}

/// What entries cost: fees that stand on them, less the sums of those that are fees themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// Of all entries.
    pub total: i128,
    /// Of the matched ones.
    pub matched: i128,
    /// Of the open ones.
    pub open: i128,
    /// Of those that were set aside.
    pub ignored: i128,
}

impl Conservation {
    /// The fees of a side, by currency; currencies without any are left out.
    #[must_use]
    pub fn fees(&self, side: Side) -> BTreeMap<Currency, Fees> {
        let mut fees: BTreeMap<Currency, Fees> = BTreeMap::new();
        let accounts =
            self.accounts[side as usize].iter().map(|(currency, account)| (*currency, account, false));
        let lines = self.kinds[side as usize].iter().filter(|((_, class), _)| class.kind == Kind::Fee);
        for (currency, account, is_line) in
            accounts.chain(lines.map(|((currency, _), account)| (*currency, account, true)))
        {
            let cost = |tally: Tally| if is_line { -tally.sum } else { tally.fee };
            let fees = fees.entry(currency).or_default();
            fees.total += cost(account.total);
            fees.matched += cost(account.matched);
            fees.open += cost(account.open);
            fees.ignored += cost(account.ignored);
        }
        fees.retain(|_, fees| *fees != Fees::default());
        fees
    }
}

/// The books of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conservation {
    /// By side and currency.
    pub accounts: [BTreeMap<Currency, Account>; 2],
    /// By side, currency and what the entries are, for sides that name it; those of a currency add up to its account.
    pub kinds: [BTreeMap<(Currency, Class), Account>; 2],
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
            residual.exchange += other.exchange;
        }
    }

    /// Books one matched entry.
    #[inline]
    fn matched(&mut self, run: &Run<'_>, measures: Measures, side: Side, row: u32) {
        let set = run.set(side);
        let currency = set.currency(row).index();
        let amount = set.amount(row);
        let (measured, sign) = match side {
            Side::Left => (measures.left, 1),
            Side::Right => (measures.right, -1),
        };
        self.accounts[side as usize][currency].matched.add(amount, set.fee(row));
        let residual = &mut self.residuals[currency];
        residual.difference += sign * amount;
        if measured == Measure::Original
            && let Some((minor, original)) = original(set, row)
        {
            // The amount was compared in the other currency: there it was within tolerance, and here it is converted.
            residual.exchange += sign * amount;
            let residual = &mut self.residuals[original.index()];
            residual.tolerance += sign * minor;
            residual.exchange -= sign * minor;
            return;
        }
        let compared = measure(set, row, measured);
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
                part.accounts[side as usize][set.currency(row).index()]
                    .total
                    .add(set.amount(row), set.fee(row));
            }
            part
        }) {
            books.add(&part);
        }
        let mut ignored: Vec<u32> = set.ignored().iter().map(|(row, _)| *row).collect();
        ignored.sort_unstable();
        ignored.dedup();
        for row in ignored {
            books.accounts[side as usize][set.currency(row).index()]
                .ignored
                .add(set.amount(row), set.fee(row));
        }
    }
    for item in breaks {
        let set = run.set(item.side);
        let account = &mut books.accounts[item.side as usize][set.currency(item.row).index()];
        account.open.add(set.amount(item.row), set.fee(item.row));
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
    let mut conservation = collect(run, &books.accounts, &books.residuals);
    conservation.kinds = Side::BOTH.map(|side| kinds(run, side));
    check(&conservation)?;
    Ok(conservation)
}

/// The accounts of a side by what its entries are; empty if none says it.
fn kinds(run: &Run<'_>, side: Side) -> BTreeMap<(Currency, Class), Account> {
    let set = run.set(side);
    let mut accounts: BTreeMap<(Currency, Class), Account> = BTreeMap::new();
    if set.has_no_kinds() {
        return accounts;
    }
    let mut known: HashMap<&str, Class> = HashMap::new();
    for row in set.rows() {
        let class = *known.entry(set.kind(row)).or_insert_with(|| run.class(side, row));
        let account = accounts.entry((set.currency(row), class)).or_default();
        let tally = match run.state[side as usize][row as usize] {
            State::Open => &mut account.open,
            State::Matched => &mut account.matched,
            State::Ignored => &mut account.ignored,
        };
        tally.add(set.amount(row), set.fee(row));
        account.total.add(set.amount(row), set.fee(row));
    }
    accounts
}

/// The amounts that a pass compares.
pub(crate) fn measures(kind: &PassKind) -> Measures {
    match kind {
        PassKind::Exact(pass) => pass.measures,
        PassKind::Reference(pass) => pass.measures,
        PassKind::Unique(pass) => pass.measures,
        PassKind::Group(pass) => pass.measures,
        PassKind::Subset(pass) => pass.measures,
        PassKind::Named(pass) => pass.measures,
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
        let converted = residuals[currency.index()].exchange != 0;
        if converted || totals.iter().any(|side| side[currency.index()].matched.count > 0) {
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
        let kinds = &conservation.kinds[side as usize];
        for (currency, account) in &conservation.accounts[side as usize] {
            let of = kinds.iter().filter(|((own, _), _)| own == currency);
            let sums = of.fold([Tally::default(); 3], |[matched, open, ignored], (_, kind)| {
                [matched.plus(kind.matched), open.plus(kind.open), ignored.plus(kind.ignored)]
            });
            if !kinds.is_empty() && sums != [account.matched, account.open, account.ignored] {
                return Err(EngineError(format!("{} side, {currency}: kinds do not add up", side.name())));
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
        if residual.fees + residual.tolerance + residual.exchange != residual.difference {
            return Err(EngineError(format!("{currency}: {residual:?}")));
        }
    }
    Ok(())
}
