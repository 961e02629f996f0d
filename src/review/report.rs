//! A review for people and for programs: text, Markdown, JSON.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::change::{Action, Attribute, Change, shown};
use super::consequence::{Finding, counts};
use super::network::Opening;
use super::permission::{Permission, Verdict};
use super::{Move, Review};
use crate::config::Consequence;
use crate::json_schema;

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The environment, or the two folders.
    pub subject: &'a str,
    /// What it is compared with.
    pub base: &'a str,
    /// What has to be known of how they were compared, a line each.
    pub notes: &'a [String],
}

/// The report for programs.
#[derive(Serialize, JsonSchema)]
struct Report<'r> {
    /// The version of this format.
    format_version: u32,
    /// The environment, or the two folders.
    subject: &'r str,
    /// What it is compared with.
    base: &'r str,
    /// What has to be known of how they were compared.
    notes: &'r [String],
    /// What is done, by address.
    changes: &'r [Change],
    /// What it means, the most dangerous first.
    findings: &'r [Finding],
    /// Whose permissions differ, the widened ones first.
    permissions: &'r [Permission],
    /// What opens and closes.
    network: &'r [Opening],
    /// What looks as if it had moved, and is not said to.
    moves: &'r [Move],
    /// What cannot be looked into.
    beyond: &'r [String],
}

/// The version of the JSON.
const FORMAT_VERSION: u32 = 1;

/// The report as JSON.
#[must_use]
pub fn json(review: &Review, about: About<'_>) -> String {
    let report = Report {
        format_version: FORMAT_VERSION,
        subject: about.subject,
        base: about.base,
        notes: about.notes,
        changes: &review.changes,
        findings: &review.findings,
        permissions: &review.permissions,
        network: &review.network,
        moves: &review.moves,
        beyond: &review.beyond,
    };
    // Nothing in it can fail: keys are strings.
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> String {
    json_schema::text(&json_schema::of::<Report>("diff --schema > docs/diff.schema.json"))
}

const BAD: Style = AnsiColor::Red.on_default().bold();
const SOFT: Style = AnsiColor::Yellow.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const HEAD: Style = Style::new().bold();

fn mark(action: Action) -> (&'static str, &'static str, Style) {
    match action {
        Action::Keep => (" ", "keep", Style::new()),
        Action::Move => (">", "move", SOFT),
        Action::Create => ("+", "create", GOOD),
        Action::Update => ("~", "update in place", SOFT),
        Action::Forget => ("x", "forget", SOFT),
        Action::MayReplace => ("?", "update, perhaps replace", BAD),
        Action::Replace => ("-/+", "replace", BAD),
        Action::Destroy => ("-", "destroy", BAD),
    }
}

/// How many resources each action is about: `2 to create, 1 to destroy`.
fn summary(review: &Review) -> String {
    let order = [
        Action::Destroy,
        Action::Replace,
        Action::MayReplace,
        Action::Forget,
        Action::Update,
        Action::Create,
        Action::Move,
    ];
    let parts: Vec<String> = order
        .into_iter()
        .filter_map(|action| {
            let count = review.changes.iter().filter(|change| change.action == action).count();
            (count > 0).then(|| format!("{count} to {}", mark(action).1))
        })
        .collect();
    if parts.is_empty() { "no resource changes".to_owned() } else { parts.join(", ") }
}

/// The changes, the most dangerous first.
fn ordered(review: &Review) -> Vec<&Change> {
    let mut all: Vec<&Change> = review.changes.iter().collect();
    all.sort_by_key(|change| (std::cmp::Reverse(change.action), &change.address));
    all
}

/// The report for a terminal: lines of at most so many characters where that can be.
#[must_use]
pub fn text(review: &Review, about: About<'_>, width: usize) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{HEAD}{} against {}: {}{HEAD:#}", about.subject, about.base, summary(review));
    for note in about.notes {
        let _ = writeln!(out, "note: {note}");
    }
    for consequence in Consequence::ALL {
        let of: Vec<&Finding> = review.findings.iter().filter(|f| f.consequence == consequence).collect();
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{BAD}{}{BAD:#} ({consequence})", consequence.title());
        for finding in of {
            let maybe = if finding.maybe { "perhaps: " } else { "" };
            let line = format!("  {}  {maybe}{}", finding.address, finding.what);
            let _ = writeln!(out, "{}", cut(&line, width));
            if let Some(acknowledged) = &finding.acknowledged {
                let _ = writeln!(out, "      {GOOD}{acknowledged}{GOOD:#}");
            }
        }
    }
    if !review.permissions.is_empty() {
        let _ = writeln!(out, "\n{HEAD}Permissions{HEAD:#}");
        for permission in &review.permissions {
            let (verdict, style) = verdict(permission.verdict);
            let _ = writeln!(out, "  {style}{verdict}{style:#}  {} ({})", permission.of, permission.policy);
            for grant in grants(permission) {
                let _ = writeln!(out, "{}", cut(&format!("    {grant}"), width));
            }
        }
    }
    if !review.network.is_empty() {
        let _ = writeln!(out, "\n{HEAD}Network{HEAD:#}");
        for opening in network_lines(review) {
            let _ = writeln!(out, "{}", cut(&format!("  {opening}"), width));
        }
    }
    if !review.moves.is_empty() {
        let _ = writeln!(
            out,
            "\n{HEAD}Looks like a move{HEAD:#}: without a `moved` block one is destroyed and the other created"
        );
        for Move { from, to } in &review.moves {
            let _ = writeln!(out, "  {from} -> {to}");
        }
    }
    if !review.beyond.is_empty() {
        let _ = writeln!(out, "\n{HEAD}Beyond this comparison{HEAD:#}");
        for line in &review.beyond {
            let _ = writeln!(out, "  {line}");
        }
    }
    if !review.changes.is_empty() {
        let _ = writeln!(out, "\n{HEAD}Changes{HEAD:#}");
        for change in ordered(review) {
            let (mark, verb, style) = mark(change.action);
            let _ =
                writeln!(out, "  {style}{mark:>3} {}{style:#}  {}", change.address, verb_of(change, verb));
            for attribute in &change.attributes {
                let _ = writeln!(out, "{}", cut(&format!("      {}", difference(attribute)), width));
            }
        }
    }
    out
}

fn verb_of(change: &Change, verb: &str) -> String {
    let mut verb = verb.to_owned();
    if let Some(previous) = &change.previous {
        let _ = write!(verb, ", was {previous}");
    }
    if change.create_before_destroy && change.action == Action::Replace {
        verb.push_str(", the new one first");
    }
    verb
}

fn verdict(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Widened => ("widened", BAD),
        Verdict::CannotTell => ("cannot tell", BAD),
        Verdict::Narrowed => ("narrowed", GOOD),
        Verdict::Neither => ("neither", Style::new()),
    }
}

/// How many grants of a policy are told.
const GRANTS_MAX: usize = 20;

fn grants(permission: &Permission) -> Vec<String> {
    let gained = permission.gained.iter().map(|grant| format!("+ {grant}"));
    let lost = permission.lost.iter().map(|grant| format!("- {grant}"));
    let mut all: Vec<String> = gained.chain(lost).collect();
    if all.len() > GRANTS_MAX {
        let more = all.len() - GRANTS_MAX;
        all.truncate(GRANTS_MAX);
        all.push(format!("and {more} more"));
    }
    all
}

/// How many characters of a value are shown.
const VALUE_MAX: usize = 80;

fn difference(attribute: &Attribute) -> String {
    let text =
        |value: Option<&Value>| value.map_or_else(|| "(none)".to_owned(), |value| shown(value, VALUE_MAX));
    let mut line = match (&attribute.because, &attribute.old, &attribute.new) {
        (Some(because), None, None) => format!("{}: {because}", attribute.path),
        (because, old, new) => {
            let because = because.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            format!("{}: {} -> {}{because}", attribute.path, text(old.as_ref()), text(new.as_ref()))
        }
    };
    match attribute.effect {
        aws::schema::Effect::Replace => line.push_str("  # forces replacement"),
        aws::schema::Effect::May => line.push_str("  # may force replacement"),
        aws::schema::Effect::Nothing => line.push_str("  # changes nothing in AWS"),
        aws::schema::Effect::Update => {}
    }
    line
}

fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// GitHub refuses a comment of more than 65,536 characters. In bytes the limit holds however GitHub counts; a part is left
/// for what GitHub adds.
const BYTES_MAX: usize = 65_000;
/// How much of it what is dangerous may take, before the rest is only counted.
const FINDINGS_MAX: usize = 40_000;

/// The report as a comment on a pull request; it begins with a marker, by which it is found again.
#[must_use]
pub fn markdown(review: &Review, about: About<'_>) -> String {
    let mut out = format!("<!-- txnr diff: {} -->\n### Changes of `{}`\n\n", about.subject, about.subject);
    let _ = writeln!(out, "Against {}: {}.", escaped(about.base), summary(review));
    for note in about.notes {
        let _ = writeln!(out, "\n> {}", escaped(note));
    }
    let counts = counts(&review.findings);
    if !counts.is_empty() {
        out.push_str("\n| consequence | resource | what |\n| --- | --- | --- |\n");
        let (mut shown, mut hidden) = (0, 0);
        for finding in &review.findings {
            let maybe = if finding.maybe { "perhaps: " } else { "" };
            let acknowledged = finding.acknowledged.as_ref();
            let acknowledged = acknowledged.map(|of| format!("<br>{}", escaped(&of.to_string())));
            let row = format!(
                "| {} | `{}` | {maybe}{}{} |\n",
                finding.consequence.title(),
                cell(&finding.address),
                escaped(&cut(&finding.what, 400)),
                acknowledged.unwrap_or_default()
            );
            if out.len() + row.len() > FINDINGS_MAX && shown > 0 {
                hidden += 1;
                continue;
            }
            shown += 1;
            out.push_str(&row);
        }
        if hidden > 0 {
            let all: Vec<String> = counts.iter().map(|(of, count)| format!("{count} {of}")).collect();
            let _ = writeln!(
                out,
                "\n**{hidden} more, less dangerous ones are not shown here.** In all: {}.",
                all.join(", ")
            );
        }
    }
    section(&mut out, "Permissions", &permission_lines(review), true);
    section(&mut out, "Network", &network_lines(review), true);
    let moves: Vec<String> = review.moves.iter().map(|Move { from, to }| format!("{from} -> {to}")).collect();
    section(&mut out, "Looks like a move, and no `moved` block says so", &moves, true);
    section(&mut out, "Beyond this comparison", &review.beyond, true);
    let changes: Vec<String> = ordered(review).into_iter().flat_map(change_lines).collect();
    section(&mut out, "Every change", &changes, false);
    out
}

/// What opens and closes; both groups of a connection have a rule for it.
fn network_lines(review: &Review) -> Vec<String> {
    let mut told = BTreeSet::new();
    review.network.iter().map(ToString::to_string).filter(|line| told.insert(line.clone())).collect()
}

fn permission_lines(review: &Review) -> Vec<String> {
    let mut lines = Vec::new();
    for permission in &review.permissions {
        lines.push(format!("{}: {} ({})", verdict(permission.verdict).0, permission.of, permission.policy));
        lines.extend(grants(permission).into_iter().map(|grant| format!("  {grant}")));
    }
    lines
}

fn change_lines(change: &Change) -> Vec<String> {
    let (mark, verb, _) = mark(change.action);
    let mut lines = vec![format!("{mark:>3} {}  {}", change.address, verb_of(change, verb))];
    lines.extend(change.attributes.iter().map(|attribute| format!("      {}", difference(attribute))));
    lines
}

/// A part of a comment, as much of it as there is room for.
fn section(out: &mut String, title: &str, lines: &[String], open: bool) {
    if lines.is_empty() {
        return;
    }
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.clamp(2, 200) + 1);
    let state = if open { " open" } else { "" };
    let head = format!("\n<details{state}><summary>{title}</summary>\n\n{fence}diff\n");
    let tail = format!("{fence}\n\n</details>\n");
    let rest = "  … the rest: `txnr diff --format text`\n";
    let room = BYTES_MAX.saturating_sub(out.len() + head.len() + tail.len() + rest.len());
    if room == 0 {
        return;
    }
    out.push_str(&head);
    let mut used = 0;
    for line in lines {
        let line = cut(line, 600);
        if used + line.len() + 1 > room {
            out.push_str(rest);
            break;
        }
        used += line.len() + 1;
        let _ = writeln!(out, "{line}");
    }
    out.push_str(&tail);
}

/// Text in which Markdown sees no code of its own, nor the end of a cell.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\n' | '\r' => out.push(' '),
            '|' | '*' | '_' | '[' | ']' | '#' | '\\' | '~' => {
                out.push('\\');
                out.push(character);
            }
            '<' => out.push_str("&lt;"),
            '@' => out.push_str("&#64;"),
            other => out.push(other),
        }
    }
    out
}

/// Text in backticks of a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('`', "'")
}

impl Review {
    /// The consequences that it has and nobody has acknowledged, the most dangerous first.
    #[must_use]
    pub fn consequences(&self) -> BTreeSet<Consequence> {
        let open = self.findings.iter().filter(|finding| finding.acknowledged.is_none());
        open.map(|finding| finding.consequence).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use terraform::query::View;

    use super::*;

    const ABOUT: About<'_> = About { subject: "prod", base: "main", notes: &[] };

    fn view(resources: &Value) -> View {
        View::of_files([("a", json!({"resource": resources}).to_string().as_str())]).expect("a module")
    }

    #[test]
    fn a_comment_of_any_length_fits_and_shows_the_worst() {
        let many: serde_json::Map<String, Value> = (0..20_000)
            .map(|n| (format!("q{n}"), json!({"name": format!("q{n} `````` | </details>")})))
            .collect();
        let all = json!({"aws_nat_gateway": many});
        let old = view(&json!({"aws_dynamodb_table": {"audit": {"name": "audit"}}}));
        let review = Review::of(&old, &view(&all));
        let comment = markdown(&review, ABOUT);
        assert!(comment.len() <= BYTES_MAX, "{}", comment.len());
        assert!(comment.contains("| Data is lost | `aws_dynamodb_table.audit` |"));
        assert!(comment.ends_with("</details>\n"));
    }

    #[test]
    fn what_a_module_says_is_no_markdown_of_the_comment() {
        let (old, new) = (
            view(&json!({"aws_lb": {"a": {"name": "x"}}})),
            view(&json!({"aws_lb": {"a": {"name": "``` | @team <b> \n# head"}}})),
        );
        let comment = markdown(&Review::of(&old, &new), ABOUT);
        assert!(!comment.contains("\n# head"));
        assert!(comment.contains("````diff"), "{comment}");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let same = view(&json!({"aws_lb": {"a": {"name": "x"}}}));
        let review = Review::of(&same, &same);
        assert!(review.is_empty());
        assert_eq!(
            text(&review, ABOUT, 80),
            format!("{HEAD}prod against main: no resource changes{HEAD:#}\n")
        );
        let read: Value = serde_json::from_str(&json(&review, ABOUT)).expect("JSON");
        assert_eq!(read["changes"], json!([]));
    }
}
