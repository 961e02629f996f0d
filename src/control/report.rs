//! Verdicts as people and tools read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::basis::Basis;
use super::verdict::{Judged, Verdict};
use crate::config::Date;

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The environment.
    pub environment: &'a str,
    /// The day that deviations are held to.
    pub on: &'a Date,
    /// What the verdicts rest on. What runs is another matter.
    pub basis: Basis,
    /// Verdicts that the generated module has otherwise, by control.
    pub generated: &'a BTreeMap<&'static str, &'static str>,
}

fn details(verdict: &Verdict) -> Vec<&str> {
    match verdict {
        Verdict::Violated(what) | Verdict::Unknown(what) => what.iter().map(String::as_str).collect(),
        Verdict::NotApplicable(why) => vec![why],
        Verdict::Configured | Verdict::Inherited | Verdict::Process => Vec::new(),
    }
}

/// A line for each control, and what is wrong below it.
#[must_use]
pub fn text(judged: &[Judged], about: About<'_>) -> String {
    let mut text = String::new();
    for one in judged {
        let pci = one.requirement.pci.join(", ");
        let _ = writeln!(
            text,
            "{:<14} {}  {:<24} {}",
            one.verdict.name(),
            one.control.id,
            pci,
            one.requirement.asks
        );
        for what in details(&one.verdict) {
            let _ = writeln!(text, "    {what}");
        }
        if let Some(generated) = about.generated.get(one.control.id) {
            let _ = writeln!(text, "    generated: {generated}");
        }
        if let Verdict::Violated(_) = one.verdict {
            let _ = writeln!(text, "    asked: {}", one.control.how);
            let _ = writeln!(text, "    remedy: {}", one.requirement.remedy);
        }
        if let Some(deviation) = &one.deviation {
            let state = if deviation.expires < *about.on { "expired" } else { "deviation until" };
            let _ = writeln!(
                text,
                "    {state} {}: {} (owner {}, approved by {}; instead: {})",
                deviation.expires,
                deviation.reason,
                deviation.owner,
                deviation.approver,
                deviation.compensating
            );
        }
    }
    text
}

/// A table for a pull request.
#[must_use]
pub fn markdown(judged: &[Judged], about: About<'_>) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut text = format!(
        "## Controls of {}\n\nOf the {}, on {}. Not a score: what is violated is not made good by others.\n\n\
         | verdict | control | PCI DSS | asks for | what is wrong, or who tells | does not show |\n\
         | --- | --- | --- | --- | --- | --- |\n",
        about.environment,
        about.basis.of(),
        about.on
    );
    for one in judged {
        let mut what = details(&one.verdict).join("; ");
        if let Some(generated) = about.generated.get(one.control.id) {
            let _ = write!(what, " *Generated: {generated}*");
        }
        if let Some(deviation) = &one.deviation {
            let _ = write!(what, " *Deviation until {}: {}*", deviation.expires, deviation.reason);
        }
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            one.verdict.name(),
            one.control.id,
            one.requirement.pci.join(", "),
            cell(&one.requirement.asks),
            cell(&what),
            cell(&one.requirement.not_shown)
        );
    }
    text
}

/// Every verdict with all that belongs to it.
#[must_use]
pub fn json(judged: &[Judged], about: About<'_>) -> String {
    let verdicts: Vec<Value> = judged.iter().map(|one| verdict(one, about)).collect();
    let report = json!({
        "environment": about.environment,
        "on": about.on.as_str(),
        "basis": about.basis.name(),
        "standard": "PCI DSS 4.0.1",
        "txnr": env!("CARGO_PKG_VERSION"),
        "verdicts": verdicts,
    });
    format!("{report:#}\n")
}

fn verdict(one: &Judged, about: About<'_>) -> Value {
    let deviation = one.deviation.as_ref().map(|deviation| {
        json!({
            "owner": deviation.owner.as_str(),
            "reason": deviation.reason.as_str(),
            "compensating_control": deviation.compensating.as_str(),
            "approver": deviation.approver.as_str(),
            "expires": deviation.expires.as_str(),
            "expired": deviation.expires < *about.on,
        })
    });
    json!({
        "control": one.control.id,
        "requirements": one.requirement.pci,
        "severity": one.requirement.severity,
        "asks": one.requirement.asks,
        "judged_by": one.control.how,
        "strength": one.requirement.strength,
        "does_not_show": one.requirement.not_shown,
        "remedy": one.requirement.remedy,
        "source": one.requirement.source,
        "verdict": one.verdict.name(),
        "generated": about.generated.get(one.control.id).copied().unwrap_or(one.verdict.name()),
        "details": details(&one.verdict),
        "resources": one.looked,
        "deviation": deviation,
    })
}

/// What is violated, for a forge's code scanning. A deviation suppresses its result there.
/// <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
#[must_use]
pub fn sarif(judged: &[Judged], about: About<'_>, file: &str) -> String {
    let rules: Vec<Value> = judged.iter().map(rule).collect();
    let results: Vec<Value> =
        judged.iter().enumerate().flat_map(|(index, one)| results(one, index, about, file)).collect();
    let report = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "txnr check", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "automationDetails": { "id": format!("txnr-check/{}/", about.environment) },
            "results": results,
        }],
    });
    format!("{report:#}\n")
}

fn rule(one: &Judged) -> Value {
    let tags: Vec<String> =
        one.requirement.pci.iter().map(|number| format!("PCI-DSS-4.0.1/{number}")).collect();
    // What GitHub shows as critical, high, medium and low begins at 9, 7, 4 and above 0.
    let severity = match one.requirement.severity.as_str() {
        "critical" => "9.5",
        "high" => "8.0",
        "medium" => "5.5",
        _ => "2.0",
    };
    json!({
        "id": one.control.id,
        "shortDescription": { "text": one.requirement.asks },
        "fullDescription": { "text": one.control.how },
        "help": { "text": one.requirement.remedy },
        "properties": { "tags": tags, "security-severity": severity },
    })
}

fn results(one: &Judged, index: usize, about: About<'_>, file: &str) -> Vec<Value> {
    let Verdict::Violated(what) = &one.verdict else { return Vec::new() };
    let excused = one.deviation.as_ref().filter(|deviation| deviation.expires >= *about.on);
    let suppressions: Vec<Value> = excused
        .map(|deviation| json!({ "kind": "external", "justification": deviation.reason.as_str() }))
        .into_iter()
        .collect();
    what.iter()
        .map(|address| {
            json!({
                "ruleId": one.control.id,
                "ruleIndex": index,
                "level": "error",
                "message": { "text": format!("{address}: {}", one.control.how) },
                "locations": [{
                    "physicalLocation": { "artifactLocation": { "uri": file }, "region": { "startLine": 1 } },
                    "logicalLocations": [{ "fullyQualifiedName": address }],
                }],
                "partialFingerprints": {
                    "primaryLocationLineHash": format!("{}/{}/{address}", about.environment, one.control.id),
                },
                "suppressions": suppressions,
            })
        })
        .collect()
}
