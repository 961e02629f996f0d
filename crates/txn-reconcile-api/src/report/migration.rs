//! What becomes of a ruleset when a bank's statements come in another format: for people, and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::engine::parallel::{self, Bond, Closings, Difference, Pair, Parallel};
use crate::entry::EntrySet;
use crate::money::decimal;
use crate::rules::Rewrite;

/// Version of the JSON form.
const VERSION: u32 = 1;

/// Lines that the text lists of each kind; the rest are counted. The JSON form has them all.
const LISTED_MAX: usize = 100;

/// How a pass does with the old files, the new ones, and the new ones under the proposed ruleset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassLine {
    /// Its name.
    pub pass: String,
    /// Matches; none where the ruleset has no such pass.
    pub matches: [Option<usize>; 3],
}

/// An entry of the other side that stands otherwise with the new files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otherwise {
    /// Its row.
    pub row: u32,
    /// The pass that matched it with the old files; none if it was open.
    pub before: Option<String>,
    /// The same with the new ones.
    pub after: Option<String>,
    /// Whether it is matched with the same entries.
    pub same_partners: bool,
}

/// Everything that was found.
#[derive(Debug)]
pub struct Migration<'a> {
    /// Entries of the old files and of the new ones.
    pub sets: [&'a EntrySet; 2],
    /// Which belong together.
    pub parallel: &'a Parallel,
    /// Balances at the ends of days.
    pub closings: Vec<Closings>,
    /// Statements that do not tie out, old and new.
    pub off: [usize; 2],
    /// Rows that were refused, old and new.
    pub refused: [u64; 2],
    /// Entries of the other side: the ledger's, or the old ones in its place.
    pub other: &'a EntrySet,
    /// Whether these are the ledger's.
    pub with_ledger: bool,
    /// Passes in the order of the rulesets.
    pub passes: Vec<PassLine>,
    /// What stands otherwise under the ruleset as it is.
    pub otherwise: Vec<Otherwise>,
    /// How many are matched with others, or open, under the proposed one.
    pub otherwise_proposed: usize,
    /// The proposed ruleset.
    pub rewrite: &'a Rewrite,
}

/// How often a field is the same, lost, gained, and lost but found elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tally {
    lost: usize,
    gained: usize,
    elsewhere: BTreeMap<&'static str, usize>,
}

impl Migration<'_> {
    /// Whether entries, balances, references and matches are the same.
    #[must_use]
    pub fn is_same(&self) -> bool {
        let entries = self.parallel.only.iter().all(Vec::is_empty)
            && self
                .parallel
                .pairs
                .iter()
                .all(|pair| matches!(pair.bond, Bond::Same | Bond::Split | Bond::Alike));
        entries
            && self.refused == [0, 0]
            && self.closings.iter().all(agrees)
            && self.otherwise.is_empty()
            && self.differences().iter().all(|(_, found)| !found.iter().any(loses_reference))
    }

    fn differences(&self) -> Vec<(&Pair, Vec<Difference>)> {
        let [old, new] = self.sets;
        let all = self.parallel.pairs.iter().map(|pair| (pair, parallel::differences(old, new, pair)));
        all.filter(|(_, found)| !found.is_empty()).collect()
    }

    fn place(&self, which: usize, row: u32) -> String {
        place(self.sets[which], row)
    }
}

/// Whether a reference is gone: not only from its field.
fn loses_reference(difference: &Difference) -> bool {
    !matches!(difference.field, "source_kind" | "description" | "value_date" | "group")
        && difference.lost.iter().any(|(_, elsewhere)| elsewhere.is_none())
}

/// Whether a balance is the same, as far as both files state it.
fn agrees(closing: &Closings) -> bool {
    matches!(closing.minor, [Some(old), Some(new)] if old == new)
}

fn place(set: &EntrySet, row: u32) -> String {
    let file = set.files().get(set.file(row)).map_or("", |file| file.name.as_str());
    format!("{file}:{}", set.line(row))
}

fn tallies(differences: &[(&Pair, Vec<Difference>)]) -> BTreeMap<&'static str, Tally> {
    let mut tallies: BTreeMap<&'static str, Tally> = BTreeMap::new();
    for difference in differences.iter().flat_map(|(_, found)| found) {
        let tally = tallies.entry(difference.field).or_default();
        tally.gained += usize::from(!difference.gained.is_empty());
        tally.lost += usize::from(!difference.lost.is_empty());
        for field in difference.lost.iter().filter_map(|(_, elsewhere)| *elsewhere) {
            *tally.elsewhere.entry(field).or_default() += 1;
        }
    }
    tallies
}

/// A number of things, of which there may be one.
fn count(number: usize, what: &str) -> String {
    match what.strip_suffix('y') {
        _ if number == 1 => format!("1 {what}"),
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {what}s"),
    }
}

/// Writing to a string does not fail.
macro_rules! line {
    ($text:expr, $($rest:tt)*) => {{ let _ = writeln!($text, $($rest)*); }};
}

/// The report for people, without the proposed text.
#[must_use]
pub fn text(migration: &Migration<'_>) -> String {
    let mut text = String::new();
    entries(migration, &mut text);
    balances(migration, &mut text);
    let differences = migration.differences();
    if migration.parallel.pairs.iter().all(|pair| pair.bond == Bond::Alike) {
        line!(text, "\nFields: there is nothing to compare");
    } else {
        fields(&differences, &mut text);
    }
    listed(migration, &differences, &mut text);
    matching(migration, &mut text);
    text
}

fn entries(migration: &Migration<'_>, text: &mut String) {
    let of = |bond: Bond| migration.parallel.pairs.iter().filter(|pair| pair.bond == bond).count();
    let [old, new] = migration.sets;
    line!(text, "{} in MT940, {} in camt", count(old.len(), "entry"), count(new.len(), "entry"));
    line!(text, "  {} the same by account, currency, date and amount", of(Bond::Same));
    let known = [
        (Bond::Alike, "alike: no identifier tells them apart, and what they say is not compared"),
        (Bond::Split, "split into the details of their batch"),
        (Bond::Date, "of another date"),
        (Bond::Amount, "of another amount"),
    ];
    for (bond, what) in known {
        if of(bond) > 0 {
            line!(text, "  {} {what}", of(bond));
        }
    }
    for (which, name) in [(0, "MT940"), (1, "camt")] {
        let only = &migration.parallel.only[which];
        line!(text, "  {} in {name} alone", only.len());
        for row in only.iter().take(LISTED_MAX) {
            let set = migration.sets[which];
            let (amount, currency) = (decimal(set.amount(*row), set.currency(*row)), set.currency(*row));
            line!(text, "    {} {amount} {currency} of {}", migration.place(which, *row), set.booking(*row));
        }
        if only.len() > LISTED_MAX {
            line!(text, "    and {} more", only.len() - LISTED_MAX);
        }
        if migration.refused[which] > 0 {
            line!(
                text,
                "  {} refused in {name}; see `inspect`",
                count(migration.refused[which] as usize, "row")
            );
        }
    }
    for [old, new] in &migration.parallel.accounts {
        line!(text, "  account {old} of MT940 is {new} of camt: they come to the same on every day");
    }
}

fn balances(migration: &Migration<'_>, text: &mut String) {
    let alike = migration.closings.iter().filter(|closing| agrees(closing)).count();
    line!(text, "\nClosing balances: {alike} the same");
    for closing in migration.closings.iter().filter(|closing| !agrees(closing)) {
        let told = |minor: Option<i128>| {
            minor.map_or("not stated".to_owned(), |minor| decimal(minor, closing.currency))
        };
        let day = closing.day.map_or("without a day".to_owned(), |day| format!("of {day}"));
        let [old, new] = closing.minor.map(told);
        line!(text, "  account {} {} {day}: MT940 {old}, camt {new}", closing.account, closing.currency);
    }
    for (off, name) in migration.off.iter().zip(["MT940", "camt"]) {
        if *off > 0 {
            line!(text, "  {} of {name} that do not tie out; see `inspect`", count(*off, "statement"));
        }
    }
}

fn fields(differences: &[(&Pair, Vec<Difference>)], text: &mut String) {
    if differences.is_empty() {
        line!(text, "\nFields: all the same");
        return;
    }
    line!(text, "\n{:<22} {:>10} {:>10}  of what is lost stands elsewhere", "field", "lost", "gained");
    for (field, tally) in tallies(differences) {
        let elsewhere: Vec<String> =
            tally.elsewhere.iter().map(|(field, count)| format!("{count} in {field}")).collect();
        line!(text, "{field:<22} {:>10} {:>10}  {}", tally.lost, tally.gained, elsewhere.join(", "));
    }
}

/// The entries that say something otherwise, without their kinds, which every bank's camt has of its own.
fn listed(migration: &Migration<'_>, differences: &[(&Pair, Vec<Difference>)], text: &mut String) {
    let mut lines = Vec::new();
    for (pair, found) in differences {
        let told: Vec<String> = found
            .iter()
            .filter(|difference| difference.field != "source_kind")
            .flat_map(|difference| {
                let field = difference.field;
                let lost = difference.lost.iter().map(move |(value, elsewhere)| match elsewhere {
                    Some(other) if *other == field => format!("{field} \"{value}\" written otherwise"),
                    Some(other) => format!("{field} \"{value}\" stands in {other}"),
                    None => format!("{field} \"{value}\" lost"),
                });
                let gained = difference.gained.iter().map(move |value| format!("{field} \"{value}\" gained"));
                lost.chain(gained).collect::<Vec<_>>()
            })
            .collect();
        let moved = matches!(pair.bond, Bond::Date | Bond::Amount | Bond::Split);
        if !told.is_empty() || moved {
            let news: Vec<String> = pair.new.iter().map(|row| migration.place(1, *row)).collect();
            let bond =
                if moved { format!(" ({})", pair.bond.name().replace('_', " ")) } else { String::new() };
            lines.push(format!(
                "  {} -> {}{bond}: {}",
                migration.place(0, pair.old),
                news.join(", "),
                told.join("; ")
            ));
        }
    }
    if !lines.is_empty() {
        line!(text, "\nEntry by entry, old -> new");
    }
    lines.iter().take(LISTED_MAX).for_each(|one| line!(text, "{one}"));
    if lines.len() > LISTED_MAX {
        line!(text, "  and {} more", lines.len() - LISTED_MAX);
    }
}

fn matching(migration: &Migration<'_>, text: &mut String) {
    let other = if migration.with_ledger {
        "Matched with the ledger"
    } else {
        "Matched with a ledger that knows each entry as MT940 tells of it (name yours with --ledger)"
    };
    line!(text, "\n{other}\n{:<40} {:>8} {:>8} {:>10}", "pass", "MT940", "camt", "proposed");
    for pass in &migration.passes {
        let [old, new, proposed] =
            pass.matches.map(|matches| matches.map_or("-".to_owned(), |matches| matches.to_string()));
        line!(text, "{:<40} {old:>8} {new:>8} {proposed:>10}", pass.pass);
    }
    let told =
        |standing: &Option<String>| standing.as_ref().map_or("open".to_owned(), |pass| format!("\"{pass}\""));
    line!(text, "{} of the other side otherwise", count(migration.otherwise.len(), "entry"));
    for one in migration.otherwise.iter().take(LISTED_MAX) {
        let partners = if one.same_partners || one.after.is_none() { "" } else { ", with others" };
        let place = place(migration.other, one.row);
        line!(text, "  {place}: {} -> {}{partners}", told(&one.before), told(&one.after));
    }
    if migration.otherwise.len() > LISTED_MAX {
        line!(text, "  and {} more", migration.otherwise.len() - LISTED_MAX);
    }
    if migration.rewrite.changes.is_empty() {
        line!(text, "\nThe ruleset needs no change that these files show.");
    } else {
        line!(
            text,
            "\nProposed ruleset, under which {} of the other side matched with others or open",
            count(migration.otherwise_proposed, "entry")
        );
        migration.rewrite.changes.iter().for_each(|change| line!(text, "  {change}"));
    }
    migration.rewrite.notes.iter().for_each(|note| line!(text, "  look at {note}"));
}

/// The report as JSON.
#[must_use]
pub fn json(migration: &Migration<'_>) -> Value {
    let differences = migration.differences();
    let pair = |pair: &Pair| {
        let [old, new] = migration.sets;
        let found = parallel::differences(old, new, pair);
        let fields = found.iter().map(|one| {
            let lost: Vec<Value> = one
                .lost
                .iter()
                .map(|(value, elsewhere)| json!({ "value": value, "found_in": elsewhere }))
                .collect();
            json!({ "field": one.field, "lost": lost, "gained": one.gained })
        });
        json!({
            "bond": pair.bond.name(),
            "old": entry(old, pair.old),
            "new": pair.new.iter().map(|row| entry(new, *row)).collect::<Vec<_>>(),
            "fields": fields.collect::<Vec<_>>(),
        })
    };
    let only = |which: usize| {
        migration.parallel.only[which]
            .iter()
            .map(|row| entry(migration.sets[which], *row))
            .collect::<Vec<_>>()
    };
    let fields: BTreeMap<&str, Value> = tallies(&differences)
        .into_iter()
        .map(|(field, tally)| {
            (field, json!({ "lost": tally.lost, "gained": tally.gained, "found_in": tally.elsewhere }))
        })
        .collect();
    json!({
        "version": VERSION,
        "same": migration.is_same(),
        "entries": {
            "pairs": migration.parallel.pairs.iter().map(pair).collect::<Vec<_>>(),
            "only_old": only(0),
            "only_new": only(1),
            "refused": migration.refused,
        },
        "accounts": migration.parallel.accounts,
        "closing_balances": migration.closings.iter().map(closing).collect::<Vec<_>>(),
        "statements_off": migration.off,
        "fields": fields,
        "matching": {
            "with_ledger": migration.with_ledger,
            "passes": migration.passes.iter().map(|pass| {
                let [old, new, proposed] = pass.matches;
                json!({ "pass": pass.pass, "old": old, "new": new, "proposed": proposed })
            }).collect::<Vec<_>>(),
            "otherwise": migration.otherwise.iter().map(|one| json!({
                "entry": entry(migration.other, one.row),
                "before": one.before,
                "after": one.after,
                "same_partners": one.same_partners,
            })).collect::<Vec<_>>(),
            "otherwise_proposed": migration.otherwise_proposed,
        },
        "proposal": {
            "changes": migration.rewrite.changes,
            "notes": migration.rewrite.notes,
            "ruleset": migration.rewrite.text,
        },
    })
}

fn entry(set: &EntrySet, row: u32) -> Value {
    json!({
        "entry_id": set.id(row).to_string(),
        "place": place(set, row),
        "booking_date": set.booking(row).to_string(),
        "amount": decimal(set.amount(row), set.currency(row)),
        "currency": set.currency(row).code(),
        "reference": set.reference(row),
    })
}

fn closing(closing: &Closings) -> Value {
    let [old, new] = closing.minor.map(|minor| minor.map(|minor| decimal(minor, closing.currency)));
    json!({
        "account": closing.account,
        "currency": closing.currency.code(),
        "day": closing.day.map(|day| day.to_string()),
        "old": old,
        "new": new,
    })
}
