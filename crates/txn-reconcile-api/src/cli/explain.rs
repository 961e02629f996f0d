//! `explain`: why an entry is where it is, and why two entries are not one match.

use std::io::Write;
use std::path::PathBuf;

use super::input::{Job, join, read_all, refuse_cards, rules_of};
use super::progress::Progress;
use super::{Failure, exit, no_output};
use crate::date::Date;
use crate::engine::explain::{Explainer, Place};
use crate::engine::{self, Options, Side};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The entry: its identity, or FILE:LINE, as the lists show them.
    entry: String,
    /// Another one that it could match. Without it the nearest candidates are taken.
    other: Option<String>,
    /// Files of the internal side (ledger).
    #[arg(long = "left", value_name = "FILE", required = true)]
    left: Vec<PathBuf>,
    /// Files of the external side (processor, bank).
    #[arg(long = "right", value_name = "FILE", required = true)]
    right: Vec<PathBuf>,
    /// The ruleset. Default: the standard one.
    #[arg(long)]
    rules: Option<PathBuf>,
    /// Open entries of the run before.
    #[arg(long, value_name = "FILE")]
    carry_in: Option<PathBuf>,
    /// Entries booked after this day are ignored (YYYY-MM-DD).
    #[arg(long, value_parser = super::reconcile::parse_date)]
    cut_off: Option<Date>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let rules = super::rules::load(args.rules.as_deref())?;
    let mut jobs: Vec<Job> =
        args.left.iter().map(|path| Job::new(path, rules_of(&rules, Side::Left))).collect();
    jobs.extend(args.right.iter().map(|path| Job::new(path, rules_of(&rules, Side::Right))));
    let mut reports = read_all(jobs, 1, &Progress::new(true))?;
    refuse_cards(&reports)?;
    let right = reports.split_off(args.left.len());
    let (mut left, mut right) = (join(reports)?, join(right)?);
    if let Some(path) = &args.carry_in {
        let [carried_left, carried_right] = super::reconcile::read_carry(path)?;
        for (set, carried) in [(&mut left, carried_left), (&mut right, carried_right)] {
            set.append(carried).map_err(|full| Failure::new(exit::INPUT, full.to_string()))?;
        }
    }
    let options = Options { cut_off: args.cut_off, threads: 1, ..Options::default() };
    let outcome = engine::reconcile(left, right, &rules, &options)
        .map_err(|error| Failure::new(exit::BUG, error.to_string()))?;
    let breaks = outcome.breaks.clone();
    let explainer = Explainer::new(outcome, &rules);
    let find = |text: &str| explainer.find(text).map_err(|why| Failure::new(exit::USAGE, why));
    let entry = find(&args.entry)?;
    let mut text = format!("{}: {}\n", explainer.name(entry), explainer.standing(entry));
    let others = match &args.other {
        Some(other) => vec![find(other)?],
        None => {
            let own = breaks.iter().find(|item| (item.side, item.row) == entry);
            if let Some(item) = own {
                text.push_str(&format!("  {}: {}\n", item.kind.name(), item.reason));
            }
            own.map(|item| item.nearest.iter().map(|near| (item.side.other(), near.row)).collect())
                .unwrap_or_default()
        }
    };
    for other in others {
        text.push_str(&describe(&explainer, entry, other));
    }
    out.write_all(text.as_bytes()).map_err(no_output)?;
    Ok(exit::CLEAN)
}

/// What every pass makes of two entries.
fn describe(explainer: &Explainer<'_>, entry: Place, other: Place) -> String {
    let mut text = format!(
        "\n{} and {} ({})\n",
        explainer.name(entry),
        explainer.name(other),
        explainer.standing(other)
    );
    for verdict in explainer.pair(entry, other) {
        let head = if verdict.holds() { "could match" } else { "does not match" };
        text.push_str(&format!("  pass \"{}\" ({}): {head}\n", verdict.pass, verdict.rule));
        for check in &verdict.checks {
            let mark = if check.holds { "ok" } else { "FAILS" };
            text.push_str(&format!("    {mark:<5} {}: {}\n", check.what, check.compared));
        }
    }
    text
}
