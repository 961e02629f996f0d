//! The summary that a controller reads.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::currency::Currency;
use crate::engine::conserve::Tally;
use crate::engine::{BreakKind, Outcome, Side, State, rates};
use crate::entry::kind::Kind;
use crate::money::decimal;
use crate::rules::Ruleset;

/// An age band: from and to, in calendar days, and its name. Entries that are booked later are in the first.
pub(super) fn ages(rules: &Ruleset) -> Vec<(i32, i32, String)> {
    let mut bands = Vec::new();
    let mut from = 0;
    for &to in &rules.breaks.ages {
        let first = if bands.is_empty() { i32::MIN } else { from };
        bands.push((first, to, if from == to { format!("{to} days") } else { format!("{from}-{to} days") }));
        from = to + 1;
    }
    bands.push((from, i32::MAX, format!("over {} days", from - 1)));
    bands
}

/// Writes the summary of a run as text.
#[must_use]
pub fn summary(outcome: &Outcome, rules: &Ruleset) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_all(&mut text, outcome, rules);
    text
}

fn write_all(out: &mut String, outcome: &Outcome, rules: &Ruleset) -> fmt::Result {
    writeln!(out, "Ruleset \"{}\", as of {}", rules.name, outcome.as_of)?;
    write_accounts(out, outcome, rules)?;
    write_residuals(out, outcome, rules)?;
    write_fees(out, outcome, rules)?;
    write_passes(out, outcome, rules)?;
    write_breaks(out, outcome, rules)?;
    for note in &outcome.notes {
        writeln!(out, "\nNote: {note}.")?;
    }
    writeln!(out, "\nDigest {}", outcome.digest)
}

fn write_accounts(out: &mut String, outcome: &Outcome, rules: &Ruleset) -> fmt::Result {
    writeln!(out, "\n{:<10} {:<4} {:<8} {:>12} {:>24}", "side", "", "", "entries", "sum")?;
    for side in Side::BOTH {
        let name = if side == Side::Left { &rules.left.name } else { &rules.right.name };
        for (currency, account) in &outcome.conservation.accounts[side as usize] {
            let mut line = |what: &str, tally: Tally, first: bool| {
                let (name, code) = if first { (name.as_str(), currency.code()) } else { ("", "") };
                let sum = grouped(&decimal(tally.sum, *currency));
                writeln!(
                    out,
                    "{name:<10} {code:<4} {what:<8} {:>12} {sum:>24}",
                    grouped(&tally.count.to_string())
                )
            };
            line("read", account.total, true)?;
            line("matched", account.matched, false)?;
            line("open", account.open, false)?;
            if account.ignored.count > 0 {
                line("ignored", account.ignored, false)?;
            }
        }
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for (_, reason) in outcome.set(side).ignored() {
            *reasons.entry(super::json::reason_text(rules, *reason)).or_default() += 1;
        }
        for (reason, count) in reasons {
            writeln!(out, "{name:<10} ignored because {reason}: {count}")?;
        }
        let rejected = outcome.conservation.rejected[side as usize];
        if rejected > 0 {
            let reasons: Vec<String> = outcome.conservation.rejected_by_code[side as usize]
                .iter()
                .map(|(code, count)| format!("{count} {code}"))
                .collect();
            writeln!(out, "{name:<10} rejected rows: {rejected} ({}; see `inspect`)", reasons.join(", "))?;
        }
    }
    Ok(())
}

/// What the matched sides differ by, wholly explained.
fn write_residuals(out: &mut String, outcome: &Outcome, rules: &Ruleset) -> fmt::Result {
    for (currency, residual) in &outcome.conservation.residuals {
        if residual.difference == 0 && residual.fees == 0 && residual.exchange == 0 {
            writeln!(out, "Matched {currency}: {} and {} tie exactly.", rules.left.name, rules.right.name)?;
        } else {
            let show = |minor| grouped(&decimal(minor, *currency));
            writeln!(
                out,
                "Matched {currency}: {} less {} is {}, of which fees {} and tolerance {}{}.",
                rules.left.name,
                rules.right.name,
                show(residual.difference),
                show(residual.fees),
                show(residual.tolerance),
                match residual.exchange {
                    0 => String::new(),
                    exchange => format!(", and {} matched in another currency", show(exchange)),
                }
            )?;
        }
    }
    Ok(())
}

/// Conversions beside the ruleset's table of rates.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Conversions {
    /// Entries that were converted.
    pub count: u64,
    /// Their amounts less what the table makes of those before conversion, as far as it has a rate.
    pub difference: i128,
    /// Entries whose rate is off, or that the table has none for.
    pub off: u64,
}

/// By currency of the entries; those that were set aside are left out.
pub(super) fn conversions(outcome: &Outcome, rules: &Ruleset, side: Side) -> BTreeMap<Currency, Conversions> {
    let set = outcome.set(side);
    let mut all: BTreeMap<Currency, Conversions> = BTreeMap::new();
    let Some(rates) = &rules.rates else { return all };
    for row in set.rows().filter(|row| outcome.states[side as usize][*row as usize] != State::Ignored) {
        if let Some(held) = rates::held(rates, set, row) {
            let one = all.entry(set.currency(row)).or_default();
            one.count += 1;
            one.difference += held.difference.unwrap_or(0);
            one.off += u64::from(held.fault.is_some());
        }
    }
    all
}

/// The fees that the ruleset expects of entries, beside those that they state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ExpectedFees {
    /// Entries that a line of the price list applies to.
    pub count: u64,
    /// What it comes to.
    pub expected: i128,
    /// What these entries state.
    pub stated: i128,
    /// Entries whose two fees differ.
    pub off: u64,
}

/// By currency; entries that were set aside are left out.
pub(super) fn expected_fees(outcome: &Outcome, side: Side) -> BTreeMap<Currency, ExpectedFees> {
    let set = outcome.set(side);
    let mut fees: BTreeMap<Currency, ExpectedFees> = BTreeMap::new();
    for row in set.rows().filter(|row| outcome.states[side as usize][*row as usize] != State::Ignored) {
        if let Some(expected) = set.expected_fee(row) {
            let fees = fees.entry(set.currency(row)).or_default();
            fees.count += 1;
            fees.expected += expected;
            fees.stated += set.fee(row);
            fees.off += u64::from(set.fee(row) != expected);
        }
    }
    fees
}

/// What entries cost, and the sums of those that are no payments.
fn write_fees(out: &mut String, outcome: &Outcome, rules: &Ruleset) -> fmt::Result {
    let books = &outcome.conservation;
    for side in Side::BOTH {
        let name = if side == Side::Left { &rules.left.name } else { &rules.right.name };
        for (currency, fees) in books.fees(side) {
            let show = |minor| grouped(&decimal(minor, currency));
            writeln!(
                out,
                "Fees {currency}, {name}: {} (matched {}, open {}, ignored {}).",
                show(fees.total),
                show(fees.matched),
                show(fees.open),
                show(fees.ignored)
            )?;
        }
        for (currency, all) in conversions(outcome, rules, side) {
            let difference = grouped(&decimal(all.difference, currency));
            writeln!(
                out,
                "Exchange {currency}, {name}: {} entries converted, {difference} beside the rates of the table; {} off.",
                grouped(&all.count.to_string()),
                grouped(&all.off.to_string())
            )?;
        }
        for (currency, fees) in expected_fees(outcome, side) {
            let show = |minor| grouped(&decimal(minor, currency));
            let stated = if fees.stated == 0 {
                "the source states none".to_owned()
            } else {
                format!("{} stated, {} of them differ", show(fees.stated), grouped(&fees.off.to_string()))
            };
            let count = grouped(&fees.count.to_string());
            writeln!(
                out,
                "Expected fees {currency}, {name}: {} for {count} entries; {stated}.",
                show(fees.expected)
            )?;
        }
        for ((currency, class), account) in &books.kinds[side as usize] {
            if matches!(class.kind, Kind::Unknown | Kind::Payment) {
                continue;
            }
            let show = |minor| grouped(&decimal(minor, *currency));
            writeln!(
                out,
                "Kind {class} {currency}, {name}: {} in {} (open {} in {}), with fees of {}.",
                show(account.total.sum),
                account.total.count,
                show(account.open.sum),
                account.open.count,
                show(account.total.fee)
            )?;
        }
    }
    Ok(())
}

fn write_passes(out: &mut String, outcome: &Outcome, rules: &Ruleset) -> fmt::Result {
    let total: u64 = Side::BOTH
        .iter()
        .flat_map(|side| outcome.conservation.accounts[*side as usize].values())
        .map(|account| account.total.count - account.ignored.count)
        .sum();
    writeln!(out, "\n{:<34} {:>12} {:>12} {:>9}", "pass", "matches", "entries", "rate")?;
    for (pass, matches) in rules.passes.iter().zip(&outcome.matches) {
        let grouped_entries: usize =
            matches.groups.iter().map(|group| group.left.len() + group.right.len()).sum();
        let entries = (matches.pairs.len() * 2 + grouped_entries) as u64;
        let count = matches.pairs.len() + matches.groups.len();
        writeln!(
            out,
            "{:<34} {:>12} {:>12} {:>9}",
            pass.name,
            grouped(&count.to_string()),
            grouped(&entries.to_string()),
            share(entries, total)
        )?;
    }
    Ok(())
}

/// Hundredths of a percent, cut off: a rate never shows more than was matched.
pub(super) fn share(part: u64, whole: u64) -> String {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

fn write_breaks(out: &mut String, outcome: &Outcome, rules: &Ruleset) -> fmt::Result {
    if outcome.breaks.is_empty() {
        return writeln!(out, "\nNo breaks: everything matched.");
    }
    write!(out, "\n{:<18}", "break")?;
    let bands = ages(rules);
    bands.iter().try_for_each(|(_, _, name)| write!(out, " {name:>13}"))?;
    writeln!(out, " {:>10}", "all")?;
    for kind in BreakKind::ALL {
        let days: Vec<i32> =
            outcome.breaks.iter().filter(|item| item.kind == kind).map(|item| item.age_days).collect();
        if days.is_empty() {
            continue;
        }
        write!(out, "{:<18}", kind.name())?;
        for (from, to, _) in &bands {
            let count = days.iter().filter(|age| (*from..=*to).contains(age)).count();
            write!(out, " {:>13}", grouped(&count.to_string()))?;
        }
        writeln!(out, " {:>10}", grouped(&days.len().to_string()))?;
    }
    Ok(())
}

/// A decimal number with commas between groups of three digits.
pub(super) fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped("-1234567.89"), "-1,234,567.89");
        assert_eq!(grouped("123"), "123");
        assert_eq!(grouped("-123.4"), "-123.4");
    }

    #[test]
    fn rates_are_cut_off_and_not_rounded_up() {
        assert_eq!(share(999_999, 1_000_000), "99.99%");
        assert_eq!(share(0, 0), "0.00%");
    }
}
