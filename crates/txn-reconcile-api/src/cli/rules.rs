//! `rules`: check a ruleset, hold it against another one, print its schema, print the standard one.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::input::{Job, join, read_all, refuse_cards, rules_of};
use super::progress::Progress;
use super::{Failure, exit, no_output};
use crate::date::Date;
use crate::engine::diff::{Change, Standing, diff};
use crate::engine::{self, Options, Outcome, Side};
use crate::money::decimal;
use crate::rules::{self, Ruleset};

/// Entries that are listed one by one; the rest are counted.
const LISTED_MAX: usize = 200;

/// What to do with rulesets.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a ruleset and show its passes.
    Check {
        /// The ruleset.
        file: PathBuf,
    },
    /// Show what a changed ruleset would match otherwise in these files. Exit code 0: nothing; 1: something.
    Diff(Box<DiffArgs>),
    /// Print the JSON Schema of rulesets.
    Schema,
    /// Print the ruleset that is used when none is given.
    Standard,
}

/// Arguments of `rules diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The ruleset as it was.
    old: PathBuf,
    /// The ruleset as it would be.
    new: PathBuf,
    /// Files of the internal side (ledger).
    #[arg(long = "left", value_name = "FILE", required = true)]
    left: Vec<PathBuf>,
    /// Files of the external side (processor, bank).
    #[arg(long = "right", value_name = "FILE", required = true)]
    right: Vec<PathBuf>,
    /// Entries booked after this day are ignored (YYYY-MM-DD).
    #[arg(long, value_parser = super::reconcile::parse_date)]
    cut_off: Option<Date>,
}

/// Reads a ruleset, or the standard one.
pub fn load(path: Option<&Path>) -> Result<Ruleset, Failure> {
    let Some(path) = path else {
        return rules::standard().map_err(|error| Failure::new(exit::BUG, error.to_string()));
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(exit::RULES, format!("{}: {error}", path.display())))?;
    rules::load(&text).map_err(|error| Failure::new(exit::RULES, format!("{}: {error}", path.display())))
}

pub fn run(command: &Command, out: &mut dyn Write) -> Result<u8, Failure> {
    match command {
        Command::Check { file } => {
            let rules = load(Some(file))?;
            let mut text = format!("{}: ruleset \"{}\" is in order\n", file.display(), rules.name);
            for (number, pass) in (1..).zip(&rules.passes) {
                text.push_str(&format!("{number:>3}. {} ({})\n", pass.name, pass.kind.name()));
            }
            text.push_str(&unreachable(&rules));
            out.write_all(text.as_bytes()).map_err(no_output)?;
        }
        Command::Diff(args) => return run_diff(args, out),
        Command::Schema => out.write_all(rules::schema().as_bytes()).map_err(no_output)?,
        Command::Standard => out.write_all(rules::STANDARD.as_bytes()).map_err(no_output)?,
    }
    Ok(exit::CLEAN)
}

/// Passes that never come to anything, in words.
fn unreachable(rules: &Ruleset) -> String {
    let name = |place: usize| rules.passes.get(place).map_or("", |pass| pass.name.as_str());
    let tell = |(place, earlier): (usize, usize)| {
        format!(
            "warning: pass \"{}\" never comes to anything: pass \"{}\" before it claims the same\n",
            name(place),
            name(earlier)
        )
    };
    rules.unreachable().into_iter().map(tell).collect()
}

/// Reads the files and matches them under a ruleset.
fn outcome(args: &DiffArgs, rules: &Ruleset) -> Result<Outcome, Failure> {
    let mut jobs: Vec<Job> =
        args.left.iter().map(|path| Job::new(path, rules_of(rules, Side::Left))).collect();
    jobs.extend(args.right.iter().map(|path| Job::new(path, rules_of(rules, Side::Right))));
    let mut reports = read_all(jobs, 1, &Progress::new(true))?;
    refuse_cards(&reports)?;
    let right = reports.split_off(args.left.len());
    let options = Options { cut_off: args.cut_off, threads: 1, ..Options::default() };
    engine::reconcile(join(reports)?, join(right)?, rules, &options)
        .map_err(|error| Failure::new(exit::BUG, error.to_string()))
}

fn run_diff(args: &DiffArgs, out: &mut dyn Write) -> Result<u8, Failure> {
    let rulesets = [load(Some(&args.old))?, load(Some(&args.new))?];
    let outcomes = [outcome(args, &rulesets[0])?, outcome(args, &rulesets[1])?];
    let names = rulesets
        .each_ref()
        .map(|rules| rules.passes.iter().map(|pass| pass.name.as_str()).collect::<Vec<_>>());
    let found = diff((&outcomes[0], names[0].as_slice()), (&outcomes[1], names[1].as_slice()));
    let mut text = String::new();
    for ((rules, outcome), path) in rulesets.iter().zip(&outcomes).zip([&args.old, &args.new]) {
        text.push_str(&format!(
            "{}: ruleset \"{}\", {} matches, {} breaks\n",
            path.display(),
            rules.name,
            outcome.match_count(),
            outcome.breaks.len()
        ));
        text.push_str(&unreachable(rules));
        for (pass, matches) in rules.passes.iter().zip(&outcome.matches) {
            if matches.pairs.is_empty() && matches.groups.is_empty() {
                text.push_str(&format!("  pass \"{}\" matches nothing in these files\n", pass.name));
            }
        }
    }
    for ((before, after, side, currency), moved) in &found.moves {
        let name = &rules_of(&rulesets[1], *side).name;
        let sum = decimal(moved.sum, *currency);
        let how =
            if before == after { format!("{before} otherwise") } else { format!("{before}, then {after}") };
        text.push_str(&format!("{name} {currency}: {} entries of {sum} {how}\n", moved.count));
    }
    for change in found.changes.iter().take(LISTED_MAX) {
        text.push_str(&line(&outcomes, change));
    }
    if found.changes.len() > LISTED_MAX {
        text.push_str(&format!("  and {} more\n", found.changes.len() - LISTED_MAX));
    }
    let [only_old, only_new] = found.only;
    if (only_old, only_new) != (0, 0) {
        text.push_str(&format!(
            "{only_old} entries only under the old ruleset and {only_new} only under the new one: it reads the files otherwise\n"
        ));
    }
    let same = found.changes.is_empty() && found.only == [0, 0];
    if same {
        text.push_str("Nothing is matched otherwise.\n");
    }
    out.write_all(text.as_bytes()).map_err(no_output)?;
    Ok(if same { exit::CLEAN } else { exit::BREAKS })
}

/// An entry that stands otherwise: `file:line amount: how it stood -> how it stands`.
fn line(outcomes: &[Outcome; 2], change: &Change) -> String {
    let place = |outcome: &Outcome, (side, row): (Side, u32)| {
        let set = outcome.set(side);
        let file = set.files().get(set.file(row)).map_or("", |file| file.name.as_str());
        format!("{file}:{}", set.line(row))
    };
    let tell = |outcome: &Outcome, standing: &Standing| match standing {
        Standing::Open(kind) => format!("open ({kind})"),
        Standing::Ignored => "set aside".to_owned(),
        Standing::Matched(pass, others) => {
            let others: Vec<String> = others.iter().map(|other| place(outcome, *other)).collect();
            format!("\"{pass}\" with {}", others.join(", "))
        }
    };
    let set = outcomes[0].set(change.side);
    let currency = set.currency(change.row);
    format!(
        "  {} {} {currency}: {} -> {}\n",
        place(&outcomes[0], (change.side, change.row)),
        decimal(set.amount(change.row), currency),
        tell(&outcomes[0], &change.before),
        tell(&outcomes[1], &change.after)
    )
}
