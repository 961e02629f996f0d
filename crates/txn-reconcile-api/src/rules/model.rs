//! The ruleset as the engine uses it: checked, with its limits in minor units.

use std::collections::BTreeMap;

use super::file::{
    CheckDigits, DateField, IgnoreField, KeyField, Measure, Overlap, PrepareField, ReferenceMode, Rounding,
    SideName, Sign, SourceFileRules,
};
use crate::calendar::Calendar;
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::kind::{Class, Kind};
use crate::formats::Format;
use crate::formats::mapping::Mapping;
use crate::money::inverse_rate;

/// A ruleset that passed every check.
#[derive(Clone, Debug)]
pub struct Ruleset {
    /// Its name.
    pub name: String,
    /// How the left side is read.
    pub left: SourceRules,
    /// How the right side is read.
    pub right: SourceRules,
    /// Business days.
    pub calendar: Calendar,
    /// Texts that stand for "no reference", normalized.
    pub blank_references: Vec<Vec<u8>>,
    /// Whether the account does not matter.
    pub accounts_ignored: bool,
    /// Each account under all of its names, as [`crate::engine::account_key`] makes them.
    pub accounts: Vec<Vec<String>>,
    /// Other names and accounts of counterparties, as [`crate::engine::party_key`] and [`crate::engine::account_key`] make
    /// them, and whose they are.
    pub parties: Vec<(String, String)>,
    /// Words for kinds, as [`crate::entry::kind::plain`] makes them.
    pub kinds: Vec<(String, Class)>,
    /// Rates that conversions are held against.
    pub rates: Option<Rates>,
    /// The lines of the price list.
    pub fees: Vec<Fee>,
    /// What references are made of.
    pub prepare: Vec<Prepare>,
    /// What is set aside.
    pub ignores: Vec<Ignore>,
    /// The passes in order.
    pub passes: Vec<Pass>,
    /// How breaks are told apart.
    pub breaks: Breaks,
    /// BLAKE3 of the text it was read from, in hexadecimal.
    pub fingerprint: String,
}

impl Ruleset {
    /// Passes that never come to anything, with the earlier one that claims all that they could: by their places.
    ///
    /// An exact pass leaves no two entries behind that another one with its settings would claim. Of other passes that
    /// cannot be said: what was ambiguous before may be clear once a pass between them has claimed some.
    #[must_use]
    pub fn unreachable(&self) -> Vec<(usize, usize)> {
        let exact = |pass: &Pass| match &pass.kind {
            PassKind::Exact(exact) => Some((exact.date, exact.measures)),
            _ => None,
        };
        let earlier = |place: usize| {
            let own = exact(&self.passes[place])?;
            (0..place)
                .find(|earlier| exact(&self.passes[*earlier]) == Some(own))
                .map(|earlier| (place, earlier))
        };
        (0..self.passes.len()).filter_map(earlier).collect()
    }
}

/// How one side is read.
#[derive(Clone, Debug)]
pub struct SourceRules {
    /// What reports call the side.
    pub name: String,
    /// The format, if it is forced.
    pub format: Option<Format>,
    /// What a row in two files means.
    pub overlap: Overlap,
    /// The view that amounts are written from.
    pub sign: Sign,
    /// The columns, if they are declared.
    pub mapping: Option<Mapping>,
}

impl SourceRules {
    /// The side's rules from the file, with a name to fall back on.
    pub(super) fn new(file: &SourceFileRules, name: &str, mapping: Option<Mapping>) -> Self {
        Self {
            name: file.name.clone().unwrap_or_else(|| name.to_owned()),
            format: file.format,
            overlap: file.overlap,
            sign: file.sign,
            mapping,
        }
    }
}

/// A table of rates, and how far conversions may lie from it.
#[derive(Clone, Debug)]
pub struct Rates {
    /// The limit, in units of 10^-8.
    pub share_e8: i128,
    /// How many days old a rate may be.
    pub days: u32,
    /// Rates, as [`crate::money::rate`] writes them, by currencies (from, to) and day.
    pub table: BTreeMap<(Currency, Currency), BTreeMap<Date, String>>,
}

impl Rates {
    /// The rate that holds on a day, and the day that it is of; the inverse one where only the other direction is known.
    #[must_use]
    pub fn at(&self, from: Currency, to: Currency, day: Date) -> Option<(Date, String)> {
        let latest = |pair: (Currency, Currency)| {
            let (known, rate) = self.table.get(&pair)?.range(..=day).next_back()?;
            (day.days().abs_diff(known.days()) <= self.days).then(|| (*known, rate.clone()))
        };
        latest((from, to)).or_else(|| {
            let (known, rate) = latest((to, from))?;
            Some((known, inverse_rate(&rate)?))
        })
    }
}

/// A line of a price list.
#[derive(Clone, Debug)]
pub struct Fee {
    /// Its name.
    pub name: String,
    /// Which side; both if none.
    pub side: Option<SideName>,
    /// Kinds of entry that it is charged for; payments, and money in of unknown kind, if there are none.
    pub kinds: Vec<Class>,
    /// The currency that it is charged for; every one if none.
    pub currency: Option<Currency>,
    /// Share of the amount, in units of 10^-8.
    pub share_e8: i128,
    /// Fixed sum, in minor units of `currency`.
    pub fixed: i128,
    /// The least and the most that it comes to, in minor units of `currency`.
    pub bounds: [Option<i128>; 2],
    /// What becomes of fractions.
    pub rounding: Rounding,
}

impl Fee {
    /// What the line comes to for an amount, in minor units of its currency; none if the numbers are too large.
    #[must_use]
    pub fn of(&self, amount: i128) -> Option<i128> {
        const UNIT: i128 = 100_000_000;
        let product = amount.abs().checked_mul(self.share_e8)?;
        let (whole, rest) = (product.abs() / UNIT, product.abs() % UNIT);
        let up = match self.rounding {
            Rounding::HalfUp => 2 * rest >= UNIT,
            Rounding::HalfEven => 2 * rest > UNIT || (2 * rest == UNIT && whole % 2 == 1),
            Rounding::Up => rest > 0,
            Rounding::Down => false,
        };
        let share = (whole + i128::from(up)) * product.signum();
        let [least, most] = self.bounds;
        let sum = share.checked_add(self.fixed)?;
        Some(sum.max(least.unwrap_or(i128::MIN)).min(most.unwrap_or(i128::MAX)))
    }
}

/// A rule that makes references of what entries say.
#[derive(Clone, Debug)]
pub struct Prepare {
    /// Which side; both if none.
    pub side: Option<SideName>,
    /// The fields that it looks at.
    pub fields: Vec<PrepareField>,
    /// Whether blanks are taken out first.
    pub join_words: bool,
    /// What is looked for; the whole field if none.
    pub find: Option<regex::Regex>,
    /// Check digits that it has to have.
    pub check: Option<CheckDigits>,
    /// Beginnings that are taken off, normalized.
    pub drop_prefix: Vec<Vec<u8>>,
    /// Whether zeros are taken off behind them.
    pub drop_zeros: bool,
    /// What is put before, normalized.
    pub add_prefix: Vec<u8>,
}

/// A rule that sets entries aside.
#[derive(Clone, Debug)]
pub struct Ignore {
    /// Which side; both if none.
    pub side: Option<SideName>,
    /// The field.
    pub field: IgnoreField,
    /// The values, in lower case.
    pub equals: Vec<String>,
    /// Why.
    pub reason: String,
}

/// A named pass.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Its name, unique in the ruleset.
    pub name: String,
    /// What it does.
    pub kind: PassKind,
}

/// What a pass does.
#[derive(Clone, Debug)]
pub enum PassKind {
    /// Same reference, currency, amount and date.
    Exact(Exact),
    /// Same reference and currency, amount and date within limits.
    Reference(ByReference),
    /// Same currency and amount within the window, unique on both sides.
    Unique(Unique),
    /// Sums by payout or batch.
    Group(Group),
    /// Sums of a few entries.
    Subset(Subset),
    /// Sums of what is named.
    Named(Named),
    /// Reversals within a side.
    Net(Net),
}

impl PassKind {
    /// The name of the table that it is written as.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exact(_) => "exact",
            Self::Reference(_) => "reference",
            Self::Unique(_) => "unique",
            Self::Group(_) => "group",
            Self::Subset(_) => "subset",
            Self::Named(_) => "named",
            Self::Net(_) => "net",
        }
    }
}

/// The amounts that are compared, left and right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measures {
    /// Of the left side.
    pub left: Measure,
    /// Of the right side.
    pub right: Measure,
}

/// An exact pass.
#[derive(Clone, Debug)]
pub struct Exact {
    /// Which date.
    pub date: DateField,
    /// Which amounts.
    pub measures: Measures,
}

/// A pass by reference.
#[derive(Clone, Debug)]
pub struct ByReference {
    /// Limit on the amounts.
    pub tolerance: Tolerance,
    /// Limit on the dates, in business days.
    pub days: u32,
    /// Which date.
    pub date: DateField,
    /// How references compare.
    pub reference: ReferenceMode,
    /// Which amounts.
    pub measures: Measures,
}

/// A pass without references.
#[derive(Clone, Debug)]
pub struct Unique {
    /// Limit on the dates, in business days.
    pub days: u32,
    /// Which date.
    pub date: DateField,
    /// Whether entries with different references may match.
    pub conflicting_references: bool,
    /// Whether as many entries of one amount on either side are one match.
    pub blocks: bool,
    /// Which amounts.
    pub measures: Measures,
}

/// A pass over payouts and batches.
#[derive(Clone, Debug)]
pub struct Group {
    /// Where the left side has the key.
    pub left_key: KeyField,
    /// Where the right side has it.
    pub right_key: KeyField,
    /// Which amounts.
    pub measures: Measures,
    /// Limit on the sums.
    pub tolerance: Tolerance,
    /// Limit on the span of dates, in business days.
    pub days: Option<u32>,
}

/// A pass over subset sums.
#[derive(Clone, Debug)]
pub struct Subset {
    /// Limit on the dates, in business days.
    pub days: u32,
    /// Which date.
    pub date: DateField,
    /// Open entries that are searched, at most 12.
    pub items_max: usize,
    /// Entries on the many side, at most 6.
    pub members_max: usize,
    /// Sums that may be tried.
    pub budget_sums: u64,
    /// Whether entries without a counterparty may be combined.
    pub blank_counterparty: bool,
    /// Whether entries of several counterparties may be combined.
    pub across_counterparties: bool,
    /// Limit on the sums, where none is exact.
    pub tolerance: Tolerance,
    /// Whether N:M is tried after 1:N and N:1.
    pub many_to_many: bool,
    /// Which amounts.
    pub measures: Measures,
}

/// A pass over what is named.
#[derive(Clone, Debug)]
pub struct Named {
    /// Limit on the sums.
    pub tolerance: Tolerance,
    /// Limit on the dates, in business days.
    pub days: Option<u32>,
    /// Which date.
    pub date: DateField,
    /// Which amounts.
    pub measures: Measures,
}

/// A pass over reversals.
#[derive(Clone, Debug)]
pub struct Net {
    /// Limit on the dates, in business days.
    pub days: u32,
    /// Which date.
    pub date: DateField,
    /// Which side; both if none.
    pub side: Option<SideName>,
    /// What may cancel a payment besides its reversal.
    pub kinds: Vec<Kind>,
}

/// The larger of an absolute and a relative limit, in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    absolute: Vec<i128>,
    /// Share of the larger amount, in units of 10^-8 (1% is 1,000,000).
    share_e8: i128,
}

impl Tolerance {
    /// No difference at all.
    #[must_use]
    pub fn none() -> Self {
        Self { absolute: vec![0; Currency::COUNT], share_e8: 0 }
    }

    pub(super) fn new(absolute: Vec<i128>, share_e8: i128) -> Self {
        Self { absolute, share_e8 }
    }

    /// Whether it allows no difference.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.share_e8 == 0 && self.absolute.iter().all(|limit| *limit == 0)
    }

    /// The largest difference allowed between these two amounts; a fraction of a minor unit is cut off.
    #[must_use]
    pub fn limit(&self, a: i128, b: i128, currency: Currency) -> i128 {
        let larger = a.unsigned_abs().max(b.unsigned_abs());
        let share = u128::try_from(self.share_e8).unwrap_or(0);
        // Split so that the product cannot overflow: amounts reach 10^30, shares 10^8.
        let relative = (larger / 100_000_000) * share + (larger % 100_000_000) * share / 100_000_000;
        self.absolute
            .get(currency.index())
            .copied()
            .unwrap_or(0)
            .max(i128::try_from(relative).unwrap_or(i128::MAX))
    }

    /// Whether two amounts lie within the limit.
    #[must_use]
    pub fn allows(&self, a: i128, b: i128, currency: Currency) -> bool {
        a.abs_diff(b) <= self.limit(a, b, currency).unsigned_abs()
    }
}

/// How breaks are told apart.
#[derive(Clone, Debug)]
pub struct Breaks {
    /// Business days that an entry may be under way.
    pub in_transit_days: u32,
    /// Largest share that is taken for a fee, in units of 10^-8.
    pub fee_share_e8: i128,
    /// Candidates listed for each break.
    pub nearest_max: usize,
    /// Where age bands end, in calendar days.
    pub ages: Vec<i32>,
    /// Owner by kind of break.
    pub owners: BTreeMap<String, String>,
}
