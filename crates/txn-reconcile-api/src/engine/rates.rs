//! Conversions, held against the table of rates: an amount before conversion counts only if its rate is right.

use super::{Run, Side};
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::EntrySet;
use crate::entry::details::{self, Detail};
use crate::money::{convert, decimal, rate_within};
use crate::rules::Rates;

/// A conversion beside the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The rate of the table, and its day; none if it has none.
    pub table: Option<(Date, String)>,
    /// The amount less what the table makes of the amount before conversion, in minor units.
    pub difference: Option<i128>,
    /// What is wrong with it.
    pub fault: Option<String>,
}

/// Holds the conversion of an entry against the table; none if it was not converted.
#[must_use]
pub fn held(rates: &Rates, set: &EntrySet, row: u32) -> Option<Held> {
    if set.has_no_details() {
        return None;
    }
    let (minor, original) = details::original(set.details(row))?;
    let (currency, day) = (set.currency(row), set.booking(row));
    let Some((known, rate)) = rates.at(original, currency, day) else {
        let fault = format!("the table has no rate of {original} in {currency} for {day}");
        return Some(Held { table: None, difference: None, fault: Some(fault) });
    };
    let converted = convert(minor, original, &rate, currency);
    let difference = converted.map(|converted| set.amount(row) - converted);
    let stated = details::find(set.details(row), Detail::Rate);
    let fault = if !stated.is_empty() && !rate_within(stated, &rate, rates.share_e8) {
        Some(format!("the rate of {stated} is too far from the table's {rate} of {known}"))
    } else {
        amount_fault(rates, (converted, difference), (&rate, known), currency)
    };
    Some(Held { table: Some((known, rate)), difference, fault })
}

fn amount_fault(
    rates: &Rates,
    (converted, difference): (Option<i128>, Option<i128>),
    (rate, known): (&str, Date),
    currency: Currency,
) -> Option<String> {
    let (Some(converted), Some(difference)) = (converted, difference) else {
        return Some("the amount is too large to be converted".to_owned());
    };
    let share = u128::try_from(rates.share_e8).unwrap_or(0);
    let whole = converted.unsigned_abs();
    let limit = (whole / 100_000_000 * share + whole % 100_000_000 * share / 100_000_000).max(1);
    (difference.unsigned_abs() > limit).then(|| {
        let size = decimal(difference.abs(), currency);
        format!("the amount is {size} {currency} away from the table's rate of {rate} of {known}")
    })
}

/// Marks the entries whose conversion is not right: they are not compared by what they were before it.
pub(crate) fn check(run: &mut Run<'_>) {
    let rules = run.rules;
    let Some(rates) = &rules.rates else { return };
    for side in Side::BOTH {
        let set = &mut run.sets[side as usize];
        for row in set.rows() {
            if held(rates, set, row).is_some_and(|held| held.fault.is_some()) {
                set.doubt_rate(row);
            }
        }
    }
}
