//! `reconcile`: two sources (or three) in, matches and breaks out.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::input::{Job, join, read_all, refuse_cards, rules_of};
use super::progress::{Progress, Stage};
use super::{Failure, exit, no_output, output};
use crate::date::Date;
use crate::engine::three_way::chain;
use crate::engine::{self, Options, Outcome, Side, State, carry};
use crate::entry::EntrySet;
use crate::formats::statement::{mask_account, sequence_gaps};
use crate::formats::{RawLines, ReadReport, Severity, Statement, TieOut};
use crate::report;
use crate::report::balances::{self, Closing};
use crate::report::html::{self, Beside, TiedOut};
use crate::report::table::Table;
use crate::rules::Ruleset;

/// Arguments of `reconcile`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File of the internal side (ledger).
    left: PathBuf,
    /// File of the external side (processor, bank).
    right: PathBuf,
    /// Further files of the internal side.
    #[arg(long = "left", value_name = "FILE")]
    more_left: Vec<PathBuf>,
    /// Further files of the external side.
    #[arg(long = "right", value_name = "FILE")]
    more_right: Vec<PathBuf>,
    /// The ruleset. Default: the standard one (see `rules standard`).
    #[arg(long)]
    rules: Option<PathBuf>,
    /// Files of a third source that the external side is matched with in turn.
    #[arg(long, value_name = "FILE")]
    third: Vec<PathBuf>,
    /// The ruleset of that second leg.
    #[arg(long, requires = "third")]
    third_rules: Option<PathBuf>,
    /// Entries booked after this day are ignored (YYYY-MM-DD).
    #[arg(long, value_parser = parse_date)]
    cut_off: Option<Date>,
    /// The day that ages count to (YYYY-MM-DD). Default: the cut-off, or the latest booking.
    #[arg(long, value_parser = parse_date)]
    as_of: Option<Date>,
    /// Open entries of the run before.
    #[arg(long, value_name = "FILE")]
    carry_in: Option<PathBuf>,
    /// Where to write the open entries for the next run.
    #[arg(long, value_name = "FILE")]
    carry_out: Option<PathBuf>,
    /// Where to write the breaks (.csv, .json or .parquet).
    #[arg(long, value_name = "FILE")]
    breaks: Option<PathBuf>,
    /// Where to write the matches (.csv, .json or .parquet).
    #[arg(long, value_name = "FILE")]
    matches: Option<PathBuf>,
    /// Where to write the reconciliation statement of the period, a page that prints (.html). It always has the balances.
    #[arg(long, value_name = "FILE", value_parser = page_name)]
    report: Option<PathBuf>,
    /// Where to write the breaks of the second leg.
    #[arg(long, value_name = "FILE", requires = "third")]
    third_breaks: Option<PathBuf>,
    /// Where to write the matches of the second leg.
    #[arg(long, value_name = "FILE", requires = "third")]
    third_matches: Option<PathBuf>,
    /// Add to breaks and matches the lines that the entries were read from (reads the files once more).
    #[arg(long)]
    raw: bool,
    /// Add the way from the bank's balance to that of the books, account by account. The balances are those that statements
    /// and the balance column of a ledger state.
    #[arg(long)]
    balances: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
    /// Threads to use. Default: as many as the machine has.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// No progress bar.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn parse_date(text: &str) -> Result<Date, String> {
    Date::parse_iso(text.as_bytes()).ok_or_else(|| "a date is written YYYY-MM-DD".to_owned())
}

/// A page is named for what it is, so that a browser opens it.
fn page_name(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_page = path.extension().is_some_and(|extension| extension == "html");
    if is_page { Ok(path) } else { Err("name it .html".to_owned()) }
}

pub fn run(args: &Args, out: &mut dyn Write, notes: &mut dyn Write) -> Result<u8, Failure> {
    [&args.breaks, &args.matches, &args.third_breaks, &args.third_matches]
        .into_iter()
        .flatten()
        .try_for_each(|path| output::check_name(path))?;
    let rules = super::rules::load(args.rules.as_deref())?;
    let third_rules =
        if args.third.is_empty() { None } else { Some(super::rules::load(args.third_rules.as_deref())?) };
    let threads =
        args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let progress = Progress::new(args.quiet);
    let Sources { left, right, third, closings, statements, gaps } =
        read_sources(args, &rules, third_rules.as_ref(), (threads, &progress), notes)?;
    progress.stage(Stage::Matching);
    let options = Options { as_of: args.as_of, cut_off: args.cut_off, threads };
    let middle = third.as_ref().map(|_| right.clone());
    let outcome = match_sources(left, right, &rules, &options)?;
    let second = match (middle, third, &third_rules) {
        (Some(middle), Some(third), Some(rules)) => {
            Some((match_sources(middle, third, rules, &options)?, rules))
        }
        _ => None,
    };
    let leg =
        Leg { paths: [left_paths(args), right_paths(args)], breaks: &args.breaks, matches: &args.matches };
    let outcome = leg.write(args, outcome, &rules, (threads, &progress))?;
    if let Some(path) = &args.carry_out {
        output::atomically(path, |out| out.write_all(carry::write(&outcome).as_bytes()))?;
    }
    let second = match second {
        Some((second, rules)) => {
            let paths = [right_paths(args), args.third.iter().collect()];
            let leg = Leg { paths, breaks: &args.third_breaks, matches: &args.third_matches };
            Some((leg.write(args, second, rules, (threads, &progress))?, rules))
        }
        None => None,
    };
    if let Some(path) = &args.report {
        let accounts = balances::accounts(&outcome, &rules, &closings);
        let page = html::page(&outcome, &rules, &Beside { statements, gaps, accounts });
        output::atomically(path, |out| out.write_all(page.as_bytes()))?;
    }
    drop(progress);
    let clean = outcome.is_clean() && second.as_ref().is_none_or(|(second, _)| second.is_clean());
    match second {
        Some((second, second_rules)) if args.json => {
            print_json(&report::json::three_way([(&outcome, &rules), (&second, second_rules)]), out)?;
        }
        Some((second, second_rules)) => {
            print(args, (&outcome, &rules), Some(&closings), out)?;
            print(args, (&second, second_rules), None, out)?;
            out.write_all(chain_text(&outcome, &second).as_bytes()).map_err(no_output)?;
        }
        None => print(args, (&outcome, &rules), Some(&closings), out)?,
    }
    Ok(if clean { exit::CLEAN } else { exit::BREAKS })
}

fn left_paths(args: &Args) -> Vec<&PathBuf> {
    std::iter::once(&args.left).chain(&args.more_left).collect()
}

fn right_paths(args: &Args) -> Vec<&PathBuf> {
    std::iter::once(&args.right).chain(&args.more_right).collect()
}

/// The files of a run between two sources, and where its lists go.
struct Leg<'a> {
    paths: [Vec<&'a PathBuf>; 2],
    breaks: &'a Option<PathBuf>,
    matches: &'a Option<PathBuf>,
}

impl Leg<'_> {
    fn write(
        &self,
        args: &Args,
        mut outcome: Outcome,
        rules: &Ruleset,
        (threads, progress): (usize, &Progress),
    ) -> Result<Outcome, Failure> {
        if args.raw {
            outcome.raw = [
                self.fetch(&outcome, rules, Side::Left, (threads, progress))?,
                self.fetch(&outcome, rules, Side::Right, (threads, progress))?,
            ];
        }
        progress.stage(Stage::Writing);
        for (table, path) in [(Table::Breaks, self.breaks), (Table::Matches, self.matches)] {
            if let Some(path) = path {
                output::table(table, &outcome, rules, path)?;
            }
        }
        Ok(outcome)
    }

    /// Fetches the lines of the entries that the lists show.
    fn fetch(
        &self,
        outcome: &Outcome,
        rules: &Ruleset,
        side: Side,
        (threads, progress): (usize, &Progress),
    ) -> Result<Vec<RawLines>, Failure> {
        let set = outcome.set(side);
        let mut jobs: Vec<Job> =
            self.paths[side as usize].iter().map(|path| Job::new(path, rules_of(rules, side))).collect();
        jobs.iter_mut().for_each(|job| job.fetch = Some(Vec::new()));
        for row in set.rows() {
            let listed = match outcome.states[side as usize][row as usize] {
                State::Open => self.breaks.is_some(),
                State::Matched => self.matches.is_some(),
                State::Ignored => false,
            };
            if let (true, Some(Job { fetch: Some(places), .. })) = (listed, jobs.get_mut(set.file(row))) {
                places.push(set.raw(row));
            }
        }
        Ok(read_all(jobs, threads, progress)?.into_iter().map(|report| report.collector.raw).collect())
    }
}

fn match_sources(
    left: EntrySet,
    right: EntrySet,
    rules: &Ruleset,
    options: &Options,
) -> Result<Outcome, Failure> {
    engine::reconcile(left, right, rules, options).map_err(|error| Failure::new(exit::BUG, error.to_string()))
}

/// What was read.
struct Sources {
    left: EntrySet,
    right: EntrySet,
    third: Option<EntrySet>,
    /// Balances that files of the internal and the external side end with.
    closings: [Vec<Closing>; 2],
    /// The statements of both sides, and what is missing between them.
    statements: Vec<TiedOut>,
    gaps: Vec<String>,
}

/// The statements of files, and whether they add up.
fn tied_out(reports: &[ReadReport]) -> Vec<TiedOut> {
    let one = |file: &str, statement: &Statement| TiedOut {
        file: file.to_owned(),
        name: format!("{} of account {}", statement.number, mask_account(&statement.account)),
        entries: statement.entries,
        faults: match statement.tie_out() {
            TieOut::NotStated => None,
            TieOut::Ties => Some(Vec::new()),
            TieOut::Off(faults) => Some(faults),
        },
    };
    let of_file = |report: &'_ ReadReport| {
        let file = report.collector.entries.files().first().map_or("", |file| file.name.as_str());
        report.collector.statements.iter().map(|statement| one(file, statement)).collect::<Vec<_>>()
    };
    reports.iter().flat_map(of_file).collect()
}

/// The balances that files end with.
fn closings(reports: &[ReadReport]) -> Vec<Closing> {
    let closing = |statement: &Statement| {
        let (balance, currency) = (statement.closing?, statement.currency?);
        Some(Closing {
            account: statement.account.clone(),
            currency,
            minor: balance.minor,
            date: balance.date,
        })
    };
    reports.iter().flat_map(|report| &report.collector.statements).filter_map(closing).collect()
}

/// Reads every file, refuses card data, and joins the files of each side.
fn read_sources(
    args: &Args,
    rules: &Ruleset,
    third_rules: Option<&Ruleset>,
    (threads, progress): (usize, &Progress),
    notes: &mut dyn Write,
) -> Result<Sources, Failure> {
    let (left_paths, right_paths) = (left_paths(args), right_paths(args));
    let mut jobs: Vec<Job> = Vec::new();
    jobs.extend(left_paths.iter().map(|path| Job::new(path, rules_of(rules, Side::Left))));
    jobs.extend(right_paths.iter().map(|path| Job::new(path, rules_of(rules, Side::Right))));
    if let Some(rules) = third_rules {
        jobs.extend(args.third.iter().map(|path| Job::new(path, rules_of(rules, Side::Right))));
    }
    let mut reports = read_all(jobs, threads, progress)?;
    refuse_cards(&reports)?;
    warn(&reports, notes);
    let third = reports.split_off(left_paths.len() + right_paths.len());
    let right = reports.split_off(left_paths.len());
    let closings = [closings(&reports), closings(&right)];
    let statements = [tied_out(&reports), tied_out(&right)].concat();
    let gaps = {
        let read = reports.iter().chain(&right).flat_map(|report| &report.collector.statements);
        sequence_gaps(&read.collect::<Vec<_>>())
    };
    let (mut left, mut right) = (join(reports)?, join(right)?);
    if let Some(path) = &args.carry_in {
        let [carried_left, carried_right] = read_carry(path)?;
        for (set, carried) in [(&mut left, carried_left), (&mut right, carried_right)] {
            set.append(carried).map_err(|full| Failure::new(exit::INPUT, full.to_string()))?;
        }
    }
    let third = if third_rules.is_some() { Some(join(third)?) } else { None };
    Ok(Sources { left, right, third, closings, statements, gaps })
}

pub(super) fn read_carry(path: &Path) -> Result<[EntrySet; 2], Failure> {
    let fail = |message: String| Failure::new(exit::INPUT, format!("{}: {message}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    carry::read(&text, "(carried forward)").map_err(|error| fail(error.to_string()))
}

/// Remarks on rows that were kept which a result must not be read without.
const TOLD: [&str; 6] =
    ["debits-negative", "balance-off", "currency-withdrawn", "date-of-statement", "rate-off", "rate-missing"];

/// Tells of refused rows, statements that do not tie out and gaps, before the result.
fn warn(reports: &[ReadReport], notes: &mut dyn Write) {
    for report in reports {
        let name =
            report.collector.entries.files().first().map(|file| file.name.as_str()).unwrap_or_default();
        for (severity, code) in report.collector.diagnostics.counts().keys() {
            if *severity == Severity::Warning && TOLD.contains(code) {
                let _ = writeln!(notes, "warning: {name}: {code}; see `inspect`");
            }
        }
        let rejected = report.collector.diagnostics.rejected();
        if rejected > 0 {
            let _ = writeln!(notes, "warning: {name}: {rejected} row(s) refused; see `inspect`");
        }
        for statement in &report.collector.statements {
            if let TieOut::Off(faults) = statement.tie_out() {
                let _ = writeln!(
                    notes,
                    "warning: {name}: statement {} does not tie out: {}",
                    statement.number,
                    faults.join("; ")
                );
            }
        }
    }
    let statements: Vec<&Statement> =
        reports.iter().flat_map(|report| &report.collector.statements).collect();
    for gap in sequence_gaps(&statements) {
        let _ = writeln!(notes, "warning: {gap}");
    }
}

fn print(
    args: &Args,
    (outcome, rules): (&Outcome, &Ruleset),
    closings: Option<&[Vec<Closing>; 2]>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let accounts = closings.filter(|_| args.balances).map(|known| balances::accounts(outcome, rules, known));
    if args.json {
        let mut summary = report::json::summary(outcome, rules);
        if let (Some(accounts), Some(summary)) = (&accounts, summary.as_object_mut()) {
            summary.insert("balances".to_owned(), balances::json(accounts));
        }
        return print_json(&summary, out);
    }
    out.write_all(report::summary(outcome, rules).as_bytes()).map_err(no_output)?;
    if let Some(accounts) = &accounts {
        out.write_all(balances::text(accounts, rules).as_bytes()).map_err(no_output)?;
    }
    let verdict = match outcome.breaks.len() {
        0 => "CLEAN".to_owned(),
        1 => "1 BREAK OPEN".to_owned(),
        count => format!("{count} BREAKS OPEN"),
    };
    let colour =
        std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let code = if outcome.is_clean() { 32 } else { 31 };
    if colour { writeln!(out, "\x1b[1;{code}m{verdict}\x1b[0m") } else { writeln!(out, "{verdict}") }
        .map_err(no_output)
}

fn print_json(value: &serde_json::Value, out: &mut dyn Write) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    writeln!(out, "{text}").map_err(no_output)
}

/// How far the entries of the middle source got.
fn chain_text(first: &Outcome, second: &Outcome) -> String {
    let Some(chains) = chain(first, second) else { return String::new() };
    let mut text = "\nThree-way, by entry of the middle source:\n".to_owned();
    for (currency, chain) in chains {
        for (what, tally) in chain.places() {
            let sum = crate::money::decimal(tally.sum, currency);
            text.push_str(&format!(
                "{currency} {:<22} {:>12} {sum:>24}\n",
                what.replace('_', " "),
                tally.count
            ));
        }
    }
    text
}
