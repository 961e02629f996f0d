//! JSON: the lists as arrays of objects, the summary as one object. Amounts are strings, so that no reader rounds them.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::table::{Kind, Table};
use crate::engine::three_way::chain;
use crate::engine::{BreakKind, Outcome, Side};
use crate::entry::IgnoreReason;
use crate::money::decimal;
use crate::rules::Ruleset;

/// Writes a list as an array of objects, one on each line.
///
/// # Errors
/// Those of the writer.
pub fn write(table: Table, outcome: &Outcome, rules: &Ruleset, out: &mut dyn Write) -> io::Result<()> {
    let mut separator = "[\n";
    table.rows(outcome, rules, |row| {
        let mut object = Map::new();
        for (field, column) in row.iter().zip(table.columns()) {
            let value = match (column.kind, field.parse::<i64>()) {
                (Kind::Number, Ok(number)) => json!(number),
                _ => json!(field),
            };
            object.insert(column.name.to_owned(), value);
        }
        out.write_all(separator.as_bytes())?;
        separator = ",\n";
        serde_json::to_writer(&mut *out, &Value::Object(object)).map_err(io::Error::from)
    })?;
    out.write_all(if separator == "[\n" { b"[]\n" } else { b"\n]\n" })
}

/// Version of the summary: 2 has fees, kinds and exchange, which 1 (without a version) has not.
pub const SUMMARY_VERSION: u32 = 2;

/// The summary as an object.
#[must_use]
pub fn summary(outcome: &Outcome, rules: &Ruleset) -> Value {
    let mut sides = Map::new();
    for side in Side::BOTH {
        let mut currencies = Map::new();
        for (currency, account) in &outcome.conservation.accounts[side as usize] {
            let tally = |tally: crate::engine::conserve::Tally| json!({ "count": tally.count, "sum": decimal(tally.sum, *currency), "fee": decimal(tally.fee, *currency) });
            currencies.insert(
                currency.to_string(),
                json!({
                    "total": tally(account.total),
                    "matched": tally(account.matched),
                    "open": tally(account.open),
                    "ignored": tally(account.ignored),
                }),
            );
        }
        let mut ignored: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
        for (_, reason) in outcome.set(side).ignored() {
            *ignored.entry(reason_text(rules, *reason)).or_default() += 1;
        }
        let mut fees = Map::new();
        for (currency, cost) in outcome.conservation.fees(side) {
            let show = |minor| decimal(minor, currency);
            let value = json!({ "total": show(cost.total), "matched": show(cost.matched), "open": show(cost.open), "ignored": show(cost.ignored) });
            fees.insert(currency.to_string(), value);
        }
        let mut expected = Map::new();
        for (currency, fees) in super::summary::expected_fees(outcome, side) {
            let show = |minor| decimal(minor, currency);
            let value = json!({ "count": fees.count, "expected": show(fees.expected), "stated": show(fees.stated), "off": fees.off });
            expected.insert(currency.to_string(), value);
        }
        let mut exchange = Map::new();
        for (currency, all) in super::summary::conversions(outcome, rules, side) {
            let value = json!({ "count": all.count, "table_difference": decimal(all.difference, currency), "off": all.off });
            exchange.insert(currency.to_string(), value);
        }
        let mut kinds: std::collections::BTreeMap<String, Map<String, Value>> =
            std::collections::BTreeMap::new();
        for ((currency, class), account) in &outcome.conservation.kinds[side as usize] {
            let tally = |tally: crate::engine::conserve::Tally| json!({ "count": tally.count, "sum": decimal(tally.sum, *currency), "fee": decimal(tally.fee, *currency) });
            let value = json!({ "total": tally(account.total), "matched": tally(account.matched), "open": tally(account.open), "ignored": tally(account.ignored) });
            kinds.entry(currency.to_string()).or_default().insert(class.to_string(), value);
        }
        sides.insert(
            side.name().to_owned(),
            json!({
                "currencies": currencies,
                "fees": fees,
                "expected_fees": expected,
                "exchange": exchange,
                "kinds": kinds,
                "ignored": ignored,
                "rejected": outcome.conservation.rejected[side as usize],
                "rejected_by_reason": outcome.conservation.rejected_by_code[side as usize],
            }),
        );
    }
    let residuals: Map<String, Value> = outcome
        .conservation
        .residuals
        .iter()
        .map(|(currency, residual)| {
            let value = json!({
                "difference": decimal(residual.difference, *currency),
                "fees": decimal(residual.fees, *currency),
                "tolerance": decimal(residual.tolerance, *currency),
                "exchange": decimal(residual.exchange, *currency),
            });
            (currency.to_string(), value)
        })
        .collect();
    let passes: Vec<Value> = rules
        .passes
        .iter()
        .zip(&outcome.matches)
        .map(|(pass, matches)| json!({ "name": pass.name, "rule": pass.kind.name(), "pairs": matches.pairs.len(), "groups": matches.groups.len() }))
        .collect();
    let breaks: Map<String, Value> = BreakKind::ALL
        .iter()
        .map(|kind| {
            (kind.name().to_owned(), json!(outcome.breaks.iter().filter(|item| item.kind == *kind).count()))
        })
        .collect();
    json!({
        "version": SUMMARY_VERSION,
        "ruleset": { "name": rules.name, "fingerprint": rules.fingerprint },
        "as_of": outcome.as_of.to_string(),
        "digest": outcome.digest,
        "sides": sides,
        "residuals": residuals,
        "passes": passes,
        "breaks": breaks,
        "notes": outcome.notes,
    })
}

/// The summaries of both legs of a three-way run, and how far the entries of the middle source got.
#[must_use]
pub fn three_way(legs: [(&Outcome, &Ruleset); 2]) -> Value {
    let [(first, _), (second, _)] = legs;
    let chain: Map<String, Value> = chain(first, second)
        .unwrap_or_default()
        .into_iter()
        .map(|(currency, chain)| {
            let places = chain.places().map(|(name, tally)| {
                (name.to_owned(), json!({ "count": tally.count, "sum": decimal(tally.sum, currency) }))
            });
            (currency.to_string(), Value::Object(Map::from_iter(places)))
        })
        .collect();
    json!({ "legs": legs.map(|(outcome, rules)| summary(outcome, rules)), "chain": chain })
}

/// Why entries are ignored, with the reason that a rule gives.
#[must_use]
pub fn reason_text(rules: &Ruleset, reason: IgnoreReason) -> String {
    match reason {
        IgnoreReason::Rule(index) => rules
            .ignores
            .get(usize::from(index))
            .map_or_else(|| reason.name().to_owned(), |ignore| ignore.reason.clone()),
        _ => reason.name().to_owned(),
    }
}
