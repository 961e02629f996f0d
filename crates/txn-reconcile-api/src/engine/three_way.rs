//! Three-way runs: ledger against processor, and the processor's money against the bank.
//!
//! The two legs are ordinary runs that share the middle source. Each of its entries ends in exactly one place of the
//! chain; the counts and sums of those places are those of the middle source.

use std::collections::BTreeMap;

use super::conserve::Tally;
use super::{Outcome, Side, State};
use crate::currency::Currency;

/// Where the entries of the middle source stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// Matched on both legs.
    pub complete: Tally,
    /// Matched with the first source only: the money has not reached the third.
    pub first_only: Tally,
    /// Matched with the third source only: the first does not know of it.
    pub third_only: Tally,
    /// Matched with neither.
    pub neither: Tally,
    /// Set aside on one leg or both.
    pub ignored: Tally,
}

impl Chain {
    /// The places with their names in reports.
    #[must_use]
    pub fn places(&self) -> [(&'static str, Tally); 5] {
        [
            ("matched_on_both_legs", self.complete),
            ("first_leg_only", self.first_only),
            ("second_leg_only", self.third_only),
            ("on_neither", self.neither),
            ("ignored", self.ignored),
        ]
    }
}

/// Follows the middle source through both legs: `first` has it on its right, `second` on its left.
///
/// None if the two outcomes do not hold the same middle source.
#[must_use]
pub fn chain(first: &Outcome, second: &Outcome) -> Option<BTreeMap<Currency, Chain>> {
    let (middle, again) = (first.set(Side::Right), second.set(Side::Left));
    if middle.len() != again.len() || middle.rows().any(|row| middle.raw(row) != again.raw(row)) {
        return None;
    }
    let mut chains: BTreeMap<Currency, Chain> = BTreeMap::new();
    for row in middle.rows() {
        let chain = chains.entry(middle.currency(row)).or_default();
        let at = row as usize;
        let place = match (first.states[Side::Right as usize][at], second.states[Side::Left as usize][at]) {
            (State::Ignored, _) | (_, State::Ignored) => &mut chain.ignored,
            (State::Matched, State::Matched) => &mut chain.complete,
            (State::Matched, State::Open) => &mut chain.first_only,
            (State::Open, State::Matched) => &mut chain.third_only,
            (State::Open, State::Open) => &mut chain.neither,
        };
        place.add(middle.amount(row), middle.fee(row));
    }
    Some(chains)
}
