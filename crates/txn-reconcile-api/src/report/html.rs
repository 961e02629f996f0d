//! The reconciliation statement of a period as one page that needs nothing beside itself, and prints: what a controller
//! reads, files and signs.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::balances::{Account, masked};
use super::summary::{ages, conversions, expected_fees, grouped, share};
use super::table::Table;
use crate::currency::Currency;
use crate::engine::{Outcome, Side};
use crate::money::decimal;
use crate::rules::Ruleset;

/// Breaks that the page lists; all of them are in the list that `--breaks` writes.
const BREAKS_MAX: usize = 1_000;

/// A statement that was read, and whether it adds up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TiedOut {
    /// The file that it stands in.
    pub file: String,
    /// Its number, and its account with all but the last characters hidden.
    pub name: String,
    /// Its entries.
    pub entries: u64,
    /// What is off; nothing if it ties out, none if it states nothing to be held against.
    pub faults: Option<Vec<String>>,
}

/// What the page tells beside the outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// The statements that were read.
    pub statements: Vec<TiedOut>,
    /// Statements that are missing between others.
    pub gaps: Vec<String>,
    /// The accounts from the bank's balance to that of the books.
    pub accounts: BTreeMap<(Currency, u32), Account>,
}

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#111;background:#fff}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #999}\
table{border-collapse:collapse;width:100%;margin:.5em 0}th,td{border-bottom:1px solid #ddd;padding:.25em .5em;text-align:left;vertical-align:top;overflow-wrap:break-word;max-width:24em}\
th{background:#f2f2f2}td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;overflow-wrap:normal}th.n{white-space:normal}\
.clean{color:#0a5c1e}.open{color:#9b1c1c}.sign td{height:3em}.small{font-size:.85em;color:#444}\
@media print{body{margin:0;max-width:none;font-size:10pt}h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}}\
@page{margin:15mm}";

/// Writes the page.
#[must_use]
pub fn page(outcome: &Outcome, rules: &Ruleset, beside: &Beside) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut text, outcome, rules, beside);
    text
}

/// Text from files and people as text of the page.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // What turns the direction of writing, or is no character of a page, is shown as such.
            c if c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                escaped.push('\u{fffd}');
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A table: heads, of which those that begin with `#` are of numbers, and rows.
fn table(out: &mut String, heads: &[&str], rows: &[Vec<String>]) -> fmt::Result {
    if rows.is_empty() {
        return writeln!(out, "<p>None.</p>");
    }
    write!(out, "<table><thead><tr>")?;
    for head in heads {
        match head.strip_prefix('#') {
            Some(head) => write!(out, "<th class=\"n\" scope=\"col\">{}</th>", escape(head))?,
            None => write!(out, "<th scope=\"col\">{}</th>", escape(head))?,
        }
    }
    writeln!(out, "</tr></thead><tbody>")?;
    for row in rows {
        write!(out, "<tr>")?;
        for (cell, head) in row.iter().zip(heads) {
            let class = if head.starts_with('#') { " class=\"n\"" } else { "" };
            write!(out, "<td{class}>{}</td>", escape(cell))?;
        }
        writeln!(out, "</tr>")?;
    }
    writeln!(out, "</tbody></table>")
}

fn side_name(rules: &Ruleset, side: Side) -> &str {
    if side == Side::Left { &rules.left.name } else { &rules.right.name }
}

fn write_page(out: &mut String, outcome: &Outcome, rules: &Ruleset, beside: &Beside) -> fmt::Result {
    let title = format!("Reconciliation of {} and {}", rules.left.name, rules.right.name);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body>\n<h1>{title}</h1>",
        title = escape(&title)
    )?;
    let verdict = match outcome.breaks.len() {
        0 => "<strong class=\"clean\">Clean: nothing is open.</strong>".to_owned(),
        count => format!("<strong class=\"open\">{} open.</strong>", grouped(&count.to_string())),
    };
    writeln!(
        out,
        "<p>As of {}, under the ruleset \"{}\". {verdict}</p>",
        outcome.as_of,
        escape(&rules.name)
    )?;
    writeln!(out, "<h2>Entries</h2>")?;
    table(out, &["side", "currency", "", "#entries", "#sum", "#fees"], &entries(outcome, rules))?;
    writeln!(out, "<h2>What matched entries differ by</h2>")?;
    table(
        out,
        &["currency", "#difference", "#fees", "#tolerance", "#another currency"],
        &residuals(outcome),
    )?;
    let costs = costs(outcome, rules);
    if !costs.is_empty() {
        writeln!(out, "<h2>Fees and exchange, as the ruleset expects them</h2>")?;
        table(out, &["side", "currency", "what", "#entries", "#sum", "#off"], &costs)?;
    }
    writeln!(out, "<h2>From {} to {}</h2>", escape(&rules.right.name), escape(&rules.left.name))?;
    table(
        out,
        &[
            "account",
            "currency",
            "#balance there",
            "#open there",
            "#open here",
            "#set aside",
            "#differences",
            "#balance that follows",
            "#balance stated",
            "verdict",
        ],
        &accounts(beside),
    )?;
    writeln!(out, "<h2>Statements</h2>")?;
    table(out, &["file", "statement", "#entries", "verdict"], &statements(beside))?;
    for gap in &beside.gaps {
        writeln!(out, "<p class=\"open\">Gap: {}</p>", escape(gap))?;
    }
    writeln!(out, "<h2>Matches by pass</h2>")?;
    table(out, &["pass", "rule", "#matches", "#entries", "#rate"], &passes(outcome, rules))?;
    writeln!(out, "<h2>Breaks by kind and age</h2>")?;
    write_bands(out, outcome, rules, "kind", |item| item.kind.name().to_owned())?;
    writeln!(out, "<h2>Breaks by owner and age</h2>")?;
    write_bands(out, outcome, rules, "owner", |item| item.owner.clone())?;
    writeln!(out, "<h2>Breaks</h2>")?;
    write_breaks(out, outcome, rules)?;
    for note in &outcome.notes {
        writeln!(out, "<p>Note: {}.</p>", escape(note))?;
    }
    writeln!(out, "<h2>Signed off</h2>")?;
    writeln!(
        out,
        "<table class=\"sign\"><thead><tr><th scope=\"col\"></th><th scope=\"col\">name</th><th scope=\"col\">date</th>\
         <th scope=\"col\">signature</th></tr></thead><tbody><tr><th scope=\"row\">Prepared by</th><td></td><td></td><td></td></tr>\
         <tr><th scope=\"row\">Reviewed by</th><td></td><td></td><td></td></tr></tbody></table>"
    )?;
    writeln!(
        out,
        "<p class=\"small\">Digest {}; ruleset {}. Whoever runs the same files under the same ruleset gets the same digest.</p>\
         \n</body></html>",
        outcome.digest, rules.fingerprint
    )
}

fn entries(outcome: &Outcome, rules: &Ruleset) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for side in Side::BOTH {
        for (currency, account) in &outcome.conservation.accounts[side as usize] {
            let parts = [
                ("read", account.total),
                ("matched", account.matched),
                ("open", account.open),
                ("set aside", account.ignored),
            ];
            for (what, tally) in parts {
                rows.push(vec![
                    side_name(rules, side).to_owned(),
                    currency.to_string(),
                    what.to_owned(),
                    grouped(&tally.count.to_string()),
                    grouped(&decimal(tally.sum, *currency)),
                    grouped(&decimal(tally.fee, *currency)),
                ]);
            }
        }
        for (code, count) in &outcome.conservation.rejected_by_code[side as usize] {
            let name = side_name(rules, side).to_owned();
            let what = format!("refused: {code}");
            rows.push(vec![
                name,
                String::new(),
                what,
                grouped(&count.to_string()),
                String::new(),
                String::new(),
            ]);
        }
    }
    rows
}

fn residuals(outcome: &Outcome) -> Vec<Vec<String>> {
    let row = |(currency, residual): (&Currency, &crate::engine::conserve::Residual)| {
        let show = |minor| grouped(&decimal(minor, *currency));
        vec![
            currency.to_string(),
            show(residual.difference),
            show(residual.fees),
            show(residual.tolerance),
            show(residual.exchange),
        ]
    };
    outcome.conservation.residuals.iter().map(row).collect()
}

fn costs(outcome: &Outcome, rules: &Ruleset) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for side in Side::BOTH {
        let mut row = |currency: Currency, what: &str, count: u64, sum: i128, off: u64| {
            rows.push(vec![
                side_name(rules, side).to_owned(),
                currency.to_string(),
                what.to_owned(),
                grouped(&count.to_string()),
                grouped(&decimal(sum, currency)),
                grouped(&off.to_string()),
            ]);
        };
        for (currency, fees) in expected_fees(outcome, side) {
            row(currency, "fees expected", fees.count, fees.expected, fees.off);
            row(currency, "fees stated", fees.count, fees.stated, fees.off);
        }
        for (currency, all) in conversions(outcome, rules, side) {
            row(currency, "converted, beside the table of rates", all.count, all.difference, all.off);
        }
    }
    rows
}

fn accounts(beside: &Beside) -> Vec<Vec<String>> {
    let row = |((currency, _), account): (&(Currency, u32), &Account)| {
        let show = |minor: i128| grouped(&decimal(minor, *currency));
        let blank = |minor: Option<i128>| minor.map_or_else(String::new, show);
        let verdict = match account.unexplained() {
            Some(0) => "ties".to_owned(),
            Some(rest) => format!("{} unexplained", show(rest)),
            None => "a balance is not stated".to_owned(),
        };
        vec![
            masked(&account.name),
            currency.to_string(),
            blank(account.bank.map(|(minor, _)| minor)),
            show(-account.open[1].sum),
            show(account.open[0].sum),
            show(account.aside[0].sum - account.aside[1].sum),
            show(account.matched),
            blank(account.expected()),
            blank(account.book),
            verdict,
        ]
    };
    beside.accounts.iter().map(row).collect()
}

fn statements(beside: &Beside) -> Vec<Vec<String>> {
    let row = |one: &TiedOut| {
        let verdict = match &one.faults {
            None => "states nothing to be held against".to_owned(),
            Some(faults) if faults.is_empty() => "ties out".to_owned(),
            Some(faults) => format!("does not tie out: {}", faults.join("; ")),
        };
        vec![one.file.clone(), one.name.clone(), grouped(&one.entries.to_string()), verdict]
    };
    beside.statements.iter().map(row).collect()
}

fn passes(outcome: &Outcome, rules: &Ruleset) -> Vec<Vec<String>> {
    let accounts =
        Side::BOTH.into_iter().flat_map(|side| outcome.conservation.accounts[side as usize].values());
    let total: u64 = accounts.map(|account| account.total.count - account.ignored.count).sum();
    let row = |(pass, matches): (&crate::rules::Pass, &crate::engine::PassMatches)| {
        let groups: usize = matches.groups.iter().map(|group| group.left.len() + group.right.len()).sum();
        let entries = (matches.pairs.len() * 2 + groups) as u64;
        vec![
            pass.name.clone(),
            pass.kind.name().to_owned(),
            grouped(&(matches.pairs.len() + matches.groups.len()).to_string()),
            grouped(&entries.to_string()),
            share(entries, total),
        ]
    };
    rules.passes.iter().zip(&outcome.matches).map(row).collect()
}

/// Counts by what `of` says and by age, with the sums by currency.
fn write_bands(
    out: &mut String,
    outcome: &Outcome,
    rules: &Ruleset,
    what: &str,
    of: impl Fn(&crate::engine::Break) -> String,
) -> fmt::Result {
    let bands = ages(rules);
    let mut counts: BTreeMap<(String, Currency), (Vec<u64>, i128)> = BTreeMap::new();
    for item in &outcome.breaks {
        let set = outcome.set(item.side);
        let (row, sum) =
            counts.entry((of(item), set.currency(item.row))).or_insert_with(|| (vec![0; bands.len()], 0));
        if let Some(band) = bands.iter().position(|(from, to, _)| (*from..=*to).contains(&item.age_days)) {
            row[band] += 1;
        }
        *sum += set.amount(item.row);
    }
    let heads: Vec<String> = bands.iter().map(|(_, _, name)| format!("#{name}")).collect();
    let mut names = vec![what, "currency"];
    names.extend(heads.iter().map(String::as_str));
    names.extend(["#all", "#sum"]);
    let rows: Vec<Vec<String>> = counts
        .into_iter()
        .map(|((name, currency), (counts, sum))| {
            let mut row = vec![name, currency.to_string()];
            row.extend(counts.iter().map(|count| grouped(&count.to_string())));
            row.push(grouped(&counts.iter().sum::<u64>().to_string()));
            row.push(grouped(&decimal(sum, currency)));
            row
        })
        .collect();
    table(out, &names, &rows)
}

/// The breaks themselves, oldest first.
fn write_breaks(out: &mut String, outcome: &Outcome, rules: &Ruleset) -> fmt::Result {
    // Heads, and the columns of the list that they show.
    let shown = [
        ("kind", "kind"),
        ("side", "side"),
        ("booked", "booking_date"),
        ("#days", "age_days"),
        ("#amount", "amount"),
        ("", "currency"),
        ("reference", "reference"),
        ("counterparty", "counterparty"),
        ("owner", "owner"),
        ("reason", "reason"),
    ];
    let columns = Table::Breaks.columns();
    let places: Vec<usize> =
        shown.iter().filter_map(|(_, name)| columns.iter().position(|column| column.name == *name)).collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    // The list ends where the page does: an error that says nothing.
    let _ = Table::Breaks.rows(outcome, rules, |row| {
        if rows.len() == BREAKS_MAX {
            return Err(());
        }
        rows.push(places.iter().filter_map(|place| row.get(*place)).cloned().collect());
        Ok(())
    });
    let heads: Vec<&str> = shown.iter().map(|(head, _)| *head).collect();
    table(out, &heads, &rows)?;
    if outcome.breaks.len() > BREAKS_MAX {
        let rest = grouped(&(outcome.breaks.len() - BREAKS_MAX).to_string());
        writeln!(out, "<p>And {rest} more, which are in the list of breaks.</p>")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_files_is_no_part_of_the_page() {
        assert_eq!(escape("<script>&\"\u{202e}x"), "&lt;script&gt;&amp;&quot;\u{fffd}x");
    }
}
