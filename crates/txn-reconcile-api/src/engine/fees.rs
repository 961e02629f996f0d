//! The fee that each entry should have, by the price list of the ruleset.

use super::{Run, Side};
use crate::entry::kind::{Class, Kind};
use crate::rules::Fee;
use crate::rules::file::SideName;

/// Says of each entry which fee is expected, as far as a line of the price list applies to it.
pub(crate) fn expect(run: &mut Run<'_>) {
    for side in Side::BOTH {
        let of_side =
            |fee: &&Fee| fee.side.is_none_or(|wanted| (wanted == SideName::Left) == (side == Side::Left));
        let fees: Vec<&Fee> = run.rules.fees.iter().filter(of_side).collect();
        if fees.is_empty() {
            continue;
        }
        let expected: Vec<Option<i128>> =
            run.set(side).rows().map(|row| expected(run, &fees, side, row)).collect();
        run.sets[side as usize].expect_fees(expected.into_iter());
    }
}

/// The sum of the lines that apply; none if no line does.
fn expected(run: &Run<'_>, fees: &[&Fee], side: Side, row: u32) -> Option<i128> {
    let set = run.set(side);
    let (amount, currency) = (set.amount(row), set.currency(row));
    let class = run.class(side, row);
    let lines = fees
        .iter()
        .filter(|fee| fee.currency.is_none_or(|own| own == currency) && charged(fee, class, amount));
    lines.map(|fee| fee.of(amount)).try_fold(None, |sum: Option<i128>, line| {
        // Numbers beyond all bounds are expected of nobody.
        sum.unwrap_or(0).checked_add(line?).map(Some)
    })?
}

fn charged(fee: &Fee, class: Class, amount: i128) -> bool {
    if !fee.kinds.is_empty() {
        return fee.kinds.contains(&class);
    }
    !class.reversal && (class.kind == Kind::Payment || (class.kind == Kind::Unknown && amount > 0))
}
