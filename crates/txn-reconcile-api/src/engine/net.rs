//! Reversals: two entries of one side, with one reference, that cancel out: in amount, in fee and by what they are.
//!
//! A chargeback has the reference and the amount of its payment, too, and is the opposite of a reversal: the money is
//! gone, and so are both fees. So the kinds of the two decide, and where a source does not name them, both have to be
//! called the same.

use std::collections::BTreeMap;

use super::{Hint, Run, Side, date};
use crate::currency::Currency;
use crate::entry::kind::{Class, Kind};
use crate::rules::Net;
use crate::rules::file::SideName;

/// Entries of one reference and size: money in and money out.
type Shelf = [Vec<u32>; 2];

pub(crate) fn run(run: &mut Run<'_>, index: u16, pass: &Net) {
    for side in Side::BOTH {
        if pass.side.is_some_and(|wanted| (wanted == SideName::Left) != (side == Side::Left)) {
            continue;
        }
        let mut shelves: BTreeMap<(Vec<u8>, Currency, u128, u32), Shelf> = BTreeMap::new();
        for row in run.open_rows(side) {
            let set = run.set(side);
            let amount = set.amount(row);
            if let Some(reference) = run.reference(side, row).filter(|_| amount != 0) {
                let account = run.accounts.of(side, row);
                let key = (reference.to_vec(), set.currency(row), amount.unsigned_abs(), account);
                shelves.entry(key).or_default()[usize::from(amount < 0)].push(row);
            }
        }
        for shelf in shelves.into_values().filter(|shelf| shelf.iter().all(|rows| !rows.is_empty())) {
            settle(run, index, pass, side, shelf);
        }
    }
}

/// Parts a shelf by what may cancel out, and cancels each part; what may not is told.
fn settle(run: &mut Run<'_>, index: u16, pass: &Net, side: Side, [incoming, outgoing]: Shelf) {
    // Entries are alike to one another if they are called the same and cost the same.
    type Alike = (i128, String);
    let part = |rows: &[u32]| {
        let mut parts: BTreeMap<Alike, Vec<u32>> = BTreeMap::new();
        for row in rows {
            let set = run.set(side);
            parts.entry((set.fee(*row), set.kind(*row).to_lowercase())).or_default().push(*row);
        }
        parts
    };
    let (incoming, outgoing) = (part(&incoming), part(&outgoing));
    let class = |rows: &[u32]| rows.first().map_or(UNKNOWN, |row| run.class(side, *row));
    let mut fitting: Vec<(&Vec<u32>, &Vec<u32>)> = Vec::new();
    let mut refused = Vec::new();
    for (a, ins) in &incoming {
        for (b, outs) in &outgoing {
            match cancels(pass, (a, class(ins)), (b, class(outs))) {
                Ok(()) => fitting.push((ins, outs)),
                Err(why) => refused.push((ins, outs, why)),
            }
        }
    }
    let once = |rows: &Vec<u32>| {
        fitting.iter().filter(|(ins, outs)| std::ptr::eq(*ins, rows) || std::ptr::eq(*outs, rows)).count()
            == 1
    };
    // Where two kinds could cancel a third, it would be a guess which of them does.
    let sure: Vec<Shelf> = fitting
        .iter()
        .filter(|(ins, outs)| once(ins) && once(outs))
        .map(|(ins, outs)| [(*ins).clone(), (*outs).clone()])
        .collect();
    let told: Vec<(u32, &'static str)> = refused
        .into_iter()
        .flat_map(|(ins, outs, why)| ins.iter().chain(outs).map(move |row| (*row, why)))
        .collect();
    sure.into_iter().for_each(|shelf| cancel(run, pass, side, shelf));
    for (row, why) in told {
        if run.is_open(side, row) {
            run.hint(side, row, Hint::NotNetted { pass: index, why });
        }
    }
}

const UNKNOWN: Class = Class { kind: Kind::Unknown, reversal: false };

/// Whether entries that cancel out in amount do so altogether: by fee, and by word and class.
pub(crate) fn cancels(
    pass: &Net,
    ((fee_a, word_a), a): (&(i128, String), Class),
    ((fee_b, word_b), b): (&(i128, String), Class),
) -> Result<(), &'static str> {
    let chargeback = |class: Class| class.kind == Kind::Chargeback && !class.reversal;
    let is = |kind: Kind| !(a.reversal || b.reversal) && (a.kind == kind || b.kind == kind);
    let allowed = |kind: Kind| {
        let other = if a.kind == kind { b.kind } else { a.kind };
        pass.kinds.contains(&kind) && matches!(other, Kind::Payment | Kind::Unknown)
    };
    let fits = if a.kind == b.kind && a.reversal != b.reversal {
        true
    } else if a.reversal != b.reversal && (a.kind == Kind::Unknown || b.kind == Kind::Unknown) {
        // A reversal without a name can be that of anything but what took the money away.
        let reversal = if a.reversal { a } else { b };
        reversal.kind == Kind::Unknown && !chargeback(a) && !chargeback(b)
    } else if word_a == word_b {
        true
    } else {
        [Kind::Refund, Kind::Chargeback].into_iter().any(|kind| is(kind) && allowed(kind))
    };
    if !fits {
        return Err(if chargeback(a) || chargeback(b) {
            "a chargeback takes the money of its payment away, and does not cancel it"
        } else if is(Kind::Refund) {
            "a refund is an event of its own, and does not cancel its payment"
        } else {
            "the opposite amount under this reference is of another kind, and not its reversal"
        });
    }
    if fee_a + fee_b == 0 { Ok(()) } else { Err("its reversal does not give the fee back") }
}

/// Cancels oldest against oldest, provided that each entry has its opposite: with one too many it would be a guess
/// which of them stands.
fn cancel(run: &mut Run<'_>, pass: &Net, side: Side, mut shelf: Shelf) {
    let set = run.set(side);
    let same = |rows: &[u32]| rows.windows(2).all(|pair| set.same_content(pair[0], pair[1]));
    if shelf[0].len() != shelf[1].len() && !shelf.iter().all(|rows| same(rows)) {
        return;
    }
    for rows in &mut shelf {
        rows.sort_by_cached_key(|row| (date(set, *row, pass.date), set.occurrence(*row), set.id(*row)));
    }
    let [incoming, outgoing] = shelf;
    for (a, b) in incoming.into_iter().zip(outgoing) {
        let days =
            run.calendar().distance(date(run.set(side), a, pass.date), date(run.set(side), b, pass.date));
        if days <= pass.days {
            match side {
                Side::Left => run.claim_group(vec![a, b], Vec::new()),
                Side::Right => run.claim_group(Vec::new(), vec![a, b]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::kind::class;
    use crate::rules::file::DateField;

    #[test]
    fn kinds_and_fees_decide() {
        let verdict = |kinds: &[Kind], a: (&str, i128), b: (&str, i128)| {
            let pass = Net { days: 9, date: DateField::Booking, side: None, kinds: kinds.to_vec() };
            let entry = |(word, fee): (&str, i128)| ((fee, word.to_owned()), class(word, &[]));
            let (a, b) = (entry(a), entry(b));
            let one = cancels(&pass, (&a.0, a.1), (&b.0, b.1));
            assert_eq!(one, cancels(&pass, (&b.0, b.1), (&a.0, a.1)), "the same from either side");
            one.is_ok()
        };
        for (a, b, fits) in [
            ("charge", "dispute", false),
            ("charge", "refund", false),
            ("", "dispute", false),
            ("reversal", "dispute", false),
            ("charge", "payout", false),
            ("sale", "something", false),
            ("payout", "fee", false),
            ("", "", true),
            ("NTRF", "NTRF", true),
            ("charge", "reversal", true),
            ("NTRF", "reversal", true),
            ("charge", "charge", true),
            ("dispute", "dispute_reversal", true),
            ("refund", "refund_failure", true),
            ("payout", "payout_reversal", true),
            ("charge", "dispute_reversal", false),
        ] {
            assert_eq!(verdict(&[], (a, 0), (b, 0)), fits, "{a} and {b}");
        }
        assert!(
            !verdict(&[], ("charge", 320), ("reversal", 0))
                && verdict(&[], ("charge", 320), ("reversal", -320))
        );
        assert!(verdict(&[Kind::Refund], ("charge", 0), ("refund", 0)));
        assert!(!verdict(&[Kind::Refund], ("payout", 0), ("refund", 0)));
        assert!(!verdict(&[Kind::Refund], ("charge", 0), ("dispute", 0)));
        assert!(!verdict(&[Kind::Chargeback], ("charge", 320), ("dispute", 1_500)));
    }
}
