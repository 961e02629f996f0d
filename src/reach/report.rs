//! Who reaches what, for people and for programs.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::answer::{Answer, Cut, Path, Step};
use super::filter::{Flows, SOURCE_PORT};
use super::matrix::{self, Matrix, Pair};
use crate::json_schema;
use crate::traffic::Span;

/// What is reached, without proof.
#[must_use]
pub fn text(matrix: &Matrix, about: &str) -> String {
    let mut out = format!("{about}\n");
    let mut from = "";
    for pair in &matrix.pairs {
        if pair.from != from {
            from = &pair.from;
            out.push_str(&format!("\nfrom {}\n", called(&pair.from, pair.from_kind)));
            let mut reaches = matrix.pairs.iter().filter(|other| other.from == pair.from);
            if reaches.all(|other| other.lines.is_empty()) {
                out.push_str("  nothing\n");
            }
        }
        for line in &pair.lines {
            let range = line.outside.map(|range| format!(" {range}")).unwrap_or_default();
            let (source, target) =
                if line.from_outside { (range.as_str(), "") } else { ("", range.as_str()) };
            let source = if source.is_empty() { String::new() } else { format!(" from{source}") };
            out.push_str(&format!(
                "  to {}{target}: {}{source}\n",
                called(&pair.to, pair.to_kind),
                line.what()
            ));
        }
    }
    out + &remarks(matrix)
}

fn called(name: &str, kind: &str) -> String {
    if name == kind { name.to_owned() } else { format!("{kind} {name}") }
}

fn remarks(matrix: &Matrix) -> String {
    let mut out = String::new();
    let cut = matrix.pairs.iter().filter(|pair| pair.lines.is_empty()).count();
    if cut > 0 {
        out.push_str(&format!(
            "\n{cut} pairs of places have no way between them; --from and --to say what stops it.\n"
        ));
    }
    if matrix.pairs.iter().any(|pair| pair.dns.is_some()) {
        out.push_str(
            "\nNames that are looked up leave through the VPC's resolver, which neither security groups nor network ACLs filter: \
             whoever may look up every name can tell it things.\n",
        );
    }
    for address in &matrix.unread {
        out.push_str(&format!("\nNot looked at: {address}, which stands in a subnet.\n"));
    }
    out
}

/// What is reached, with proof: each way with the rules that let it pass, or what stops it.
#[must_use]
pub fn proof(matrix: &Matrix, about: &str) -> String {
    let mut out = format!("{about}\n");
    for pair in &matrix.pairs {
        out.push_str(&format!(
            "\n{} -> {}\n",
            called(&pair.from, pair.from_kind),
            called(&pair.to, pair.to_kind)
        ));
        if pair.lines.is_empty() {
            out.push_str("  not reached\n");
        }
        for line in &pair.lines {
            out.push_str(&format!("  reached: {line}\n"));
        }
        if pair.dns.is_some() {
            out.push_str(
                "  through the VPC's resolver, which neither security groups nor network ACLs filter\n",
            );
            continue;
        }
        out.push_str(&ways(&pair.direct, "  "));
        for relay in &pair.relayed {
            out.push_str(&format!("  by {}, which forwards\n", relay.by));
            out.push_str(&format!("    {} -> {}\n", pair.from, relay.by));
            out.push_str(&ways(&relay.first, "      "));
            out.push_str(&format!("    {} -> {}\n", relay.by, pair.to));
            out.push_str(&ways(&relay.second, "      "));
        }
    }
    for address in &matrix.unread {
        out.push_str(&format!("\nNot looked at: {address}, which stands in a subnet.\n"));
    }
    out
}

fn ways(answer: &Answer, indent: &str) -> String {
    let mut out = String::new();
    for path in &answer.paths {
        let doubt = if path.sure.is_empty() { "may pass" } else { "passes" };
        let from = source_ports(&path.possible);
        out.push_str(&format!("{indent}{doubt}: {}{from}\n", ports(&path.possible)));
        for step in &path.steps {
            out.push_str(&format!("{indent}  {}: {}\n", step.what, joined(&step.elements)));
            for rule in &step.rules {
                out.push_str(&format!("{indent}    by {rule}\n"));
            }
            for note in &step.notes {
                out.push_str(&format!("{indent}    if it says one of these names, by {note}\n"));
            }
        }
        for doubt in &path.doubts {
            out.push_str(&format!("{indent}  cannot tell: {doubt}\n"));
        }
    }
    for cut in &answer.cuts {
        out.push_str(&format!("{indent}stopped at {}: {}: {}\n", cut.what, joined(&cut.elements), cut.why));
        for rule in &cut.rules {
            out.push_str(&format!("{indent}  denied by {rule}\n"));
        }
        out.push_str(&format!("{indent}  as far as this came: {}\n", ports(&cut.before)));
    }
    out
}

fn joined(texts: &BTreeSet<String>) -> String {
    texts.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The ports of flows, each once.
fn ports(flows: &Flows) -> String {
    let mut all: Vec<String> = Vec::new();
    for cell in matrix::cells(flows, None) {
        let over = if cell.v6 { " over IPv6" } else { "" };
        all.push(format!("{}{over}", cell.words()));
    }
    all.join(", ")
}

fn run(ports: &Span) -> String {
    if ports.from == ports.to { ports.from.to_string() } else { format!("{}-{}", ports.from, ports.to) }
}

/// The ports that connections have to come from, where not every one will do.
fn source_ports(flows: &Flows) -> String {
    match flows.spans(SOURCE_PORT).as_slice() {
        [Span { from: 0, to: 65_535 }] | [] => String::new(),
        spans => {
            let texts: Vec<String> = spans.iter().map(run).collect();
            format!(", from ports {}", texts.join(", "))
        }
    }
}

/// Who reaches what, for programs.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "What `txnr reach --json` prints")]
struct Report<'m> {
    /// The version of this format.
    format_version: u32,
    /// The environment.
    environment: &'m str,
    /// What it rests on: `generated`, `planned` or `state`.
    basis: &'m str,
    /// Every pair of places that was asked after.
    pairs: Vec<PairOf>,
    /// What stands in a subnet and is not looked at.
    not_looked_at: &'m BTreeSet<String>,
}

/// What one place reaches of another.
#[derive(Serialize, JsonSchema)]
struct PairOf {
    /// Who asks: `internet`, a name of the environment's, or a Terraform address.
    from: String,
    /// What that is.
    from_kind: &'static str,
    /// Who is asked.
    to: String,
    /// What that is.
    to_kind: &'static str,
    /// What is reached, a line each, as the file of what is expected has them.
    reached: Vec<String>,
    /// The names that may be looked up, where the VPC's resolver is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    /// The ways that packets have, or may have.
    ways: Vec<WayOf>,
    /// What stops the other ways.
    cuts: Vec<CutOf>,
    /// What load balancers pass on.
    relayed: Vec<RelayOf>,
}

/// A way that packets have.
#[derive(Serialize, JsonSchema)]
struct WayOf {
    /// Protocols and ports, such as `tcp 443`, that pass for sure.
    passes: Vec<String>,
    /// Those that may pass.
    may_pass: Vec<String>,
    /// Why that cannot be told.
    cannot_tell: Vec<String>,
    /// What is on the way, in order.
    steps: Vec<StepOf>,
}

/// Something on a way.
#[derive(Serialize, JsonSchema)]
struct StepOf {
    /// What it is.
    what: &'static str,
    /// The resources: one in each subnet, where they differ.
    elements: Vec<String>,
    /// The addresses of the rules that let it pass.
    rules: Vec<String>,
    /// On which conditions.
    conditions: Vec<String>,
}

/// What stops a way.
#[derive(Serialize, JsonSchema)]
struct CutOf {
    /// What it is.
    what: &'static str,
    /// The resources: one in each subnet, where they differ.
    elements: Vec<String>,
    /// Why nothing passes.
    why: String,
    /// The addresses of the rules that deny it by name.
    denied_by: Vec<String>,
}

/// What a load balancer passes on.
#[derive(Serialize, JsonSchema)]
struct RelayOf {
    /// The load balancer.
    by: String,
    /// The ways to it.
    to: Vec<WayOf>,
    /// The ways from it.
    from: Vec<WayOf>,
}

fn list(texts: &BTreeSet<String>) -> Vec<String> {
    texts.iter().cloned().collect()
}

fn words(flows: &Flows) -> Vec<String> {
    let over = |v6: bool| if v6 { " over IPv6" } else { "" };
    matrix::cells(flows, None).iter().map(|cell| format!("{}{}", cell.words(), over(cell.v6))).collect()
}

fn way(path: &Path) -> WayOf {
    let step = |step: &Step| StepOf {
        what: step.what,
        elements: list(&step.elements),
        rules: list(&step.rules),
        conditions: list(&step.notes),
    };
    WayOf {
        passes: words(&path.sure),
        may_pass: words(&path.possible.minus(&path.sure)),
        cannot_tell: list(&path.doubts),
        steps: path.steps.iter().map(step).collect(),
    }
}

fn pair(pair: &Pair) -> PairOf {
    let ways = |answer: &Answer| answer.paths.iter().map(way).collect::<Vec<_>>();
    let cut = |cut: &Cut| CutOf {
        what: cut.what,
        elements: list(&cut.elements),
        why: cut.why.clone(),
        denied_by: list(&cut.rules),
    };
    PairOf {
        from: pair.from.clone(),
        from_kind: pair.from_kind,
        to: pair.to.clone(),
        to_kind: pair.to_kind,
        reached: pair.lines.iter().map(ToString::to_string).collect(),
        names: pair.dns.clone(),
        ways: ways(&pair.direct),
        cuts: pair.direct.cuts.iter().map(cut).collect(),
        relayed: pair
            .relayed
            .iter()
            .map(|relay| RelayOf { by: relay.by.clone(), to: ways(&relay.first), from: ways(&relay.second) })
            .collect(),
    }
}

/// Who reaches what, as JSON.
#[must_use]
pub fn json(matrix: &Matrix, environment: &str, basis: &str) -> String {
    let pairs = matrix.pairs.iter().map(pair).collect();
    let report = Report { format_version: 1, environment, basis, pairs, not_looked_at: &matrix.unread };
    serde_json::to_string_pretty(&report).unwrap_or_default() + "\n"
}

/// The schema of the JSON.
#[must_use]
pub fn schema() -> String {
    json_schema::text(&json_schema::of::<Report<'_>>("reach --schema > docs/reach.schema.json"))
}
