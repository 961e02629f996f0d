//! `inspect`: what is read from files, before anything is matched.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use super::input::{Job, read_all, refuse_cards, rules_of};
use super::progress::Progress;
use super::{Failure, exit, no_output};
use crate::currency::Currency;
use crate::engine::Side;
use crate::formats::statement::{mask_account, sequence_gaps};
use crate::formats::{Format, ReadReport, Severity, Statement, TieOut};
use crate::money::decimal;

/// Remarks that are printed; the rest are counted.
const REMARKS_MAX: usize = 50;

/// Arguments of `inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files to look at.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// A ruleset whose mapping is used.
    #[arg(long)]
    rules: Option<PathBuf>,
    /// The side of the ruleset that the files belong to.
    #[arg(long, value_parser = ["left", "right"], default_value = "right")]
    side: String,
    /// The format, if it should not be recognised.
    #[arg(long, value_parser = Format::ALL.map(Format::name))]
    format: Option<String>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let rules = super::rules::load(args.rules.as_deref())?;
    let side = if args.side == "left" { Side::Left } else { Side::Right };
    let forced = args.format.as_deref().and_then(Format::from_name);
    let job = |path: &PathBuf| {
        let mut job = Job::new(path, rules_of(&rules, side));
        job.options.format = forced.or(job.options.format);
        job
    };
    let reports = read_all(args.files.iter().map(job).collect(), 1, &Progress::new(false))?;
    let mut in_order = true;
    for report in &reports {
        let (text, fine) = describe(report);
        in_order &= fine;
        out.write_all(text.as_bytes()).map_err(no_output)?;
    }
    let statements: Vec<&Statement> =
        reports.iter().flat_map(|report| &report.collector.statements).collect();
    for gap in sequence_gaps(&statements) {
        in_order = false;
        writeln!(out, "gap: {gap}").map_err(no_output)?;
    }
    refuse_cards(&reports)?;
    Ok(if in_order { exit::CLEAN } else { exit::BREAKS })
}

/// A file in words, and whether it is in order.
fn describe(report: &ReadReport) -> (String, bool) {
    let collector = &report.collector;
    let entries = &collector.entries;
    let name = entries.files().first().map(|file| file.name.as_str()).unwrap_or_default();
    let packed = if report.packed { ", unpacked" } else { "" };
    let mut text = format!("{name}: {}, {} bytes{packed}\n", report.format, report.bytes);
    let mut sums: BTreeMap<Currency, (u64, i128, i128)> = BTreeMap::new();
    let mut days = None;
    for row in entries.rows() {
        let sum = sums.entry(entries.currency(row)).or_default();
        sum.0 += 1;
        sum.1 += entries.amount(row).max(0);
        sum.2 += entries.amount(row).min(0);
        let day = entries.booking(row);
        days = Some(days.map_or((day, day), |(first, last)| (day.min(first), day.max(last))));
    }
    for (currency, (count, credits, debits)) in &sums {
        text.push_str(&format!(
            "  {count} entries in {currency}: {} in, {} out\n",
            decimal(*credits, *currency),
            decimal(*debits, *currency)
        ));
    }
    if let Some((first, last)) = days {
        text.push_str(&format!("  booked from {first} to {last}\n"));
    }
    let mut fine = collector.diagnostics.rejected() == 0;
    for statement in &collector.statements {
        let (line, ties) = statement_line(statement);
        fine &= ties;
        text.push_str(&line);
    }
    for ((severity, code), count) in collector.diagnostics.counts() {
        let what = if *severity == Severity::Rejected { "rejected" } else { "warnings" };
        text.push_str(&format!("  {what}: {count} x {code}\n"));
    }
    for remark in collector.diagnostics.kept().iter().take(REMARKS_MAX) {
        let column = if remark.column.is_empty() { String::new() } else { format!(", {}", remark.column) };
        text.push_str(&format!("    line {}{column}: {}\n", remark.line, remark.message));
    }
    (text, fine)
}

fn statement_line(statement: &Statement) -> (String, bool) {
    let account = mask_account(&statement.account);
    let head =
        format!("  statement {} of account {account}, {} entries: ", statement.number, statement.entries);
    match statement.tie_out() {
        TieOut::Ties => (format!("{head}ties out\n"), true),
        TieOut::NotStated => (format!("{head}states nothing to tie out against\n"), true),
        TieOut::Off(faults) => (format!("{head}does NOT tie out: {}\n", faults.join("; ")), false),
    }
}
