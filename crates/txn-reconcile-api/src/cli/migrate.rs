//! `migrate`: the tables of PostgreSQL; or, with files, a bank's change from MT940 to camt.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use super::input::{Job, join, read_all, refuse_cards, rules_of};
use super::progress::Progress;
use super::{Failure, exit, no_output, output};
use crate::engine::parallel::{self, Bond, Parallel};
use crate::engine::{self, Options, Outcome, Side};
use crate::entry::EntrySet;
use crate::formats::{Format, ReadReport, Statement, TieOut};
use crate::report::migration::{self, Migration, Otherwise, PassLine};
use crate::rules::{self, Findings, Loosening, Rewrite, Ruleset};

/// What the exit code says, for the help text.
pub const HELP: &str = "Without files: makes or updates the tables of PostgreSQL, by the service's variables.

With --mt and --camt, files of the same days in both formats. Exit codes then:
  0  every entry, balance and reference is in camt too, and the ruleset matches alike
  1  something differs; the report says what, and proposes a ruleset
  3  a file cannot be read, or is of another format
  4  the ruleset is wrong
  5  a file holds card data
  6  the proposed ruleset cannot be written";

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files in MT940 or MT942, as the bank has delivered them.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "camt")]
    mt: Vec<PathBuf>,
    /// The same days in camt.052, camt.053 or camt.054.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "mt")]
    camt: Vec<PathBuf>,
    /// The ruleset that the old files are matched with. Default: the standard one.
    #[arg(long, requires = "mt")]
    rules: Option<PathBuf>,
    /// The side of the ruleset that the files belong to.
    #[arg(long, value_parser = ["left", "right"], default_value = "right", requires = "mt")]
    side: String,
    /// Files of the other side (ledger). Without them the old entries stand for a ledger that knows them as MT940 tells.
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "mt")]
    ledger: Vec<PathBuf>,
    /// Where to write the proposed ruleset. Default: behind the report.
    #[arg(long, value_name = "FILE", requires = "mt")]
    propose: Option<PathBuf>,
    /// Print the report as JSON, the proposed ruleset in it.
    #[arg(long, requires = "mt")]
    json: bool,
}

/// What was read of one format.
struct Read {
    entries: EntrySet,
    statements: Vec<Statement>,
    refused: u64,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    if args.mt.is_empty() {
        return super::serve::migrate();
    }
    let side = if args.side == "left" { Side::Left } else { Side::Right };
    let text = match &args.rules {
        None => rules::STANDARD.to_owned(),
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Failure::new(exit::RULES, format!("{}: {error}", path.display())))?,
    };
    let ruleset = load(&text, args)?;
    let [old, new, ledger] = read(args, &ruleset, side)?;
    let with_ledger = !args.ledger.is_empty();
    let other = if with_ledger { ledger.entries } else { old.entries.clone() };
    let run = |bank: &EntrySet, rules: &Ruleset| outcome(&other, bank, rules, side);
    let before = run(&old.entries, &ruleset)?;
    let after = run(&new.entries, &ruleset)?;
    let found = parallel::hold(before.set(side), after.set(side), &ruleset);
    let otherwise = otherwise((&before, &ruleset), (&after, &ruleset), &found, side);
    let findings = findings(before.set(side), after.set(side), &found);
    let (rewrite, proposed_rules, proposed, otherwise_proposed) =
        propose((&text, args, side), &findings, (&before, &ruleset, otherwise.len()), &found, |rules| {
            run(&new.entries, rules)
        })?;
    let migration = Migration {
        sets: [before.set(side), after.set(side)],
        parallel: &found,
        closings: parallel::closings([&old.statements, &new.statements], &ruleset, &found),
        off: [&old, &new]
            .map(|one| one.statements.iter().filter(|one| matches!(one.tie_out(), TieOut::Off(_))).count()),
        refused: [old.refused, new.refused],
        other: before.set(side.other()),
        with_ledger,
        passes: passes([(&before, &ruleset), (&after, &ruleset), (&proposed, &proposed_rules)]),
        otherwise,
        otherwise_proposed,
        rewrite: &rewrite,
    };
    if let Some(path) = &args.propose {
        output::atomically(path, |file| file.write_all(rewrite.text.as_bytes()))?;
    }
    let shown = if args.json {
        format!("{}\n", serde_json::to_string_pretty(&migration::json(&migration)).unwrap_or_default())
    } else {
        let mut text = migration::text(&migration);
        if args.propose.is_none() && !rewrite.changes.is_empty() {
            text.push_str(&format!("\n{}", rewrite.text));
        }
        text
    };
    out.write_all(shown.as_bytes()).map_err(no_output)?;
    Ok(if migration.is_same() { exit::CLEAN } else { exit::BREAKS })
}

fn load(text: &str, args: &Args) -> Result<Ruleset, Failure> {
    let name =
        args.rules.as_ref().map_or("the standard ruleset".to_owned(), |path| path.display().to_string());
    rules::load(text).map_err(|error| Failure::new(exit::RULES, format!("{name}: {error}")))
}

/// Reads the old files, the new ones and the ledger.
fn read(args: &Args, rules: &Ruleset, side: Side) -> Result<[Read; 3], Failure> {
    let bank = |path: &PathBuf, format: Option<Format>| {
        let mut job = Job::new(path, rules_of(rules, side));
        job.options.format = format.filter(|format| job.options.format == Some(*format));
        job
    };
    let mut jobs: Vec<Job> = args.mt.iter().map(|path| bank(path, Some(Format::Mt940))).collect();
    jobs.extend(args.camt.iter().map(|path| bank(path, None)));
    jobs.extend(args.ledger.iter().map(|path| Job::new(path, rules_of(rules, side.other()))));
    let mut reports = read_all(jobs, 1, &Progress::new(true))?;
    refuse_cards(&reports)?;
    let wanted = args
        .mt
        .iter()
        .map(|path| (path, Format::Mt940))
        .chain(args.camt.iter().map(|path| (path, Format::Camt)));
    for (report, (path, format)) in reports.iter().zip(wanted) {
        if report.format != format {
            let message = format!("{}: is {}, and {format} is needed here", path.display(), report.format);
            return Err(Failure::new(exit::INPUT, message));
        }
    }
    let ledger = reports.split_off(args.mt.len() + args.camt.len());
    let new = reports.split_off(args.mt.len());
    Ok([joined(reports)?, joined(new)?, joined(ledger)?])
}

fn joined(reports: Vec<ReadReport>) -> Result<Read, Failure> {
    let statements = reports.iter().flat_map(|report| report.collector.statements.clone()).collect();
    let refused = reports.iter().map(|report| report.collector.diagnostics.rejected()).sum();
    Ok(Read { entries: join(reports)?, statements, refused })
}

/// Matches the bank's entries with those of the other side.
fn outcome(other: &EntrySet, bank: &EntrySet, rules: &Ruleset, side: Side) -> Result<Outcome, Failure> {
    let (left, right) = match side {
        Side::Left => (bank.clone(), other.clone()),
        Side::Right => (other.clone(), bank.clone()),
    };
    engine::reconcile(left, right, rules, &Options { threads: 1, ..Options::default() })
        .map_err(|error| Failure::new(exit::BUG, error.to_string()))
}

/// The pass of each entry of the other side, and the bank's entries that it is matched with.
fn standings<'a>(
    (outcome, rules): (&Outcome, &'a Ruleset),
    side: Side,
) -> BTreeMap<u32, (&'a str, BTreeSet<u32>)> {
    let mut standings = BTreeMap::new();
    for view in outcome.matches() {
        let (other, bank) =
            if side == Side::Right { (view.left, view.right) } else { (view.right, view.left) };
        let pass = rules.passes.get(view.pass).map_or("", |pass| pass.name.as_str());
        for row in other {
            standings.insert(*row, (pass, bank.iter().copied().collect()));
        }
    }
    standings
}

/// Entries of the other side that stand otherwise with the new files.
fn otherwise(
    before: (&Outcome, &Ruleset),
    after: (&Outcome, &Ruleset),
    found: &Parallel,
    side: Side,
) -> Vec<Otherwise> {
    let new_rows: BTreeMap<u32, &[u32]> =
        found.pairs.iter().map(|pair| (pair.old, pair.new.as_slice())).collect();
    // Which of several alike is which nobody knows: each stands for all of them.
    let alike: BTreeSet<u32> = found
        .pairs
        .iter()
        .filter(|pair| pair.bond == Bond::Alike)
        .flat_map(|pair| pair.new.iter().copied())
        .collect();
    let plain = |rows: &mut dyn Iterator<Item = u32>| -> BTreeSet<Option<u32>> {
        rows.map(|row| (!alike.contains(&row)).then_some(row)).collect()
    };
    let (old, new) = (standings(before, side), standings(after, side));
    let rows = before.0.set(side.other()).rows();
    let standing = |row: u32| {
        let (was, is) = (old.get(&row), new.get(&row));
        let expected = was.map(|(_, rows)| {
            plain(&mut rows.iter().filter_map(|row| new_rows.get(row)).flat_map(|rows| rows.iter().copied()))
        });
        let same_partners = expected == is.map(|(_, rows)| plain(&mut rows.iter().copied()));
        let name = |standing: Option<&(&str, BTreeSet<u32>)>| standing.map(|(pass, _)| (*pass).to_owned());
        let (before, after) = (name(was), name(is));
        (before != after || !same_partners).then_some(Otherwise { row, before, after, same_partners })
    };
    rows.filter_map(standing).collect()
}

/// What the files have shown for the ruleset.
fn findings(old: &EntrySet, new: &EntrySet, found: &Parallel) -> Findings {
    let mut findings = Findings { accounts: found.accounts.clone(), ..Findings::default() };
    for pair in found.pairs.iter().filter(|pair| pair.bond != Bond::Alike) {
        let news = findings.kinds.entry(old.kind(pair.old).to_owned()).or_default();
        news.extend(pair.new.iter().map(|row| new.kind(*row).to_owned()));
    }
    findings
}

/// The rewritten ruleset, its outcome, and how many entries stand otherwise under it than before: passes are loosened only as far
/// as that brings matches back.
fn propose(
    (text, args, side): (&str, &Args, Side),
    findings: &Findings,
    (before, rules, otherwise_now): (&Outcome, &Ruleset, usize),
    found: &Parallel,
    run: impl Fn(&Ruleset) -> Result<Outcome, Failure>,
) -> Result<(Rewrite, Ruleset, Outcome, usize), Failure> {
    let mut best: Option<(usize, (Rewrite, Ruleset, Outcome, usize))> = None;
    for loosening in [Loosening::None, Loosening::Normalized, Loosening::Contained] {
        let rewrite = rules::rewrite(text, side, findings, loosening)
            .map_err(|error| Failure::new(exit::RULES, error.to_string()))?;
        let proposed_rules = load(&rewrite.text, args)?;
        let proposed = run(&proposed_rules)?;
        let stand = otherwise((before, rules), (&proposed, &proposed_rules), found, side);
        // Another pass that comes to the same partners is what a rewritten ruleset is for.
        let lost = stand.iter().filter(|one| !one.same_partners).count();
        if best.as_ref().is_none_or(|(fewest, _)| lost < *fewest) {
            best = Some((lost, (rewrite, proposed_rules, proposed, lost)));
        }
        if lost == 0 || otherwise_now == 0 {
            break;
        }
    }
    best.map(|(_, best)| best).ok_or_else(|| Failure::new(exit::BUG, "no ruleset was proposed"))
}

/// Matches by pass, in the order of the rulesets.
fn passes(runs: [(&Outcome, &Ruleset); 3]) -> Vec<PassLine> {
    let counts = runs.map(|(outcome, rules)| {
        let names = rules.passes.iter().map(|pass| pass.name.clone());
        let counts = outcome.matches.iter().map(|matches| matches.pairs.len() + matches.groups.len());
        names.zip(counts).collect::<BTreeMap<_, _>>()
    });
    // The proposed ruleset has every pass of the other two.
    let order = runs[2].1.passes.iter();
    order
        .map(|pass| PassLine {
            pass: pass.name.clone(),
            matches: [0, 1, 2].map(|which: usize| counts[which].get(&pass.name).copied()),
        })
        .collect()
}
