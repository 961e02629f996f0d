//! Verdicts: what of a control an environment's module shows, and which deviations stand.

use std::collections::BTreeSet;

use super::list::{Left, Met, Row, Store, rows};
use super::platform::{Outcome, Platform};
use super::requirements::{Requirement, requirements};
use crate::config::{Date, Deviation};

/// What is said of a control. There is no sum of verdicts: one that is violated is not made good by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that it looks at is generated as it asks.
    Configured,
    /// Something is not, or is missing: addresses, or words.
    Violated(BTreeSet<String>),
    /// The module cannot tell, and says who has to.
    Unknown(BTreeSet<String>),
    /// There is nothing that it could be about, and why.
    NotApplicable(String),
    /// AWS answers for it.
    Inherited,
    /// People answer for it.
    Process,
}

impl Verdict {
    /// Its name in words, as every format prints it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Violated(_) => "violated",
            Self::Unknown(_) => "unknown",
            Self::NotApplicable(_) => "not-applicable",
            Self::Inherited => "inherited",
            Self::Process => "process",
        }
    }
}

/// A control with its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The control.
    pub control: &'static Row,
    /// What it is about.
    pub requirement: Requirement,
    /// The verdict.
    pub verdict: Verdict,
    /// The addresses that it looked at.
    pub looked: BTreeSet<String>,
    /// The deviation that stands for it, whatever the verdict.
    pub deviation: Option<Deviation>,
}

impl Judged {
    /// Whether it is violated and no deviation that holds on the day stands for it.
    #[must_use]
    pub fn is_open(&self, on: &Date) -> bool {
        matches!(self.verdict, Verdict::Violated(_))
            && self.deviation.as_ref().is_none_or(|d| d.expires < *on)
    }
}

/// Judges a module, and beside it what `txnr bootstrap` makes of its account, by every control.
#[must_use]
pub fn judge(platform: &Platform, bootstrap: Option<&Platform>, deviations: &[Deviation]) -> Vec<Judged> {
    let mut requirements = requirements();
    rows()
        .into_iter()
        .filter_map(|control| {
            let at = requirements.iter().position(|requirement| requirement.id == control.id)?;
            let requirement = requirements.swap_remove(at);
            let (verdict, looked) = verdict(control, platform, bootstrap);
            let deviation = deviations.iter().find(|deviation| deviation.control.as_str() == control.id);
            Some(Judged { control, requirement, verdict, looked, deviation: deviation.cloned() })
        })
        .collect()
}

fn verdict(control: &Row, platform: &Platform, bootstrap: Option<&Platform>) -> (Verdict, BTreeSet<String>) {
    let (on, check) = match &control.met {
        Met::Checked { on, check, .. } => (*on, *check),
        Met::Listed { .. } => return (Verdict::Process, BTreeSet::new()),
        Met::Left(Left::Process) => return (Verdict::Process, BTreeSet::new()),
        Met::Left(Left::Inherited) => return (Verdict::Inherited, BTreeSet::new()),
        Met::Left(Left::NotApplicable) => {
            return (Verdict::NotApplicable(control.how.to_owned()), BTreeSet::new());
        }
    };
    let outcome = match (on, bootstrap) {
        (Store::Bootstrap, None) => {
            let reason = "the environment names no repository under [github], so no pipeline has a role";
            return (Verdict::NotApplicable(reason.to_owned()), BTreeSet::new());
        }
        (Store::Bootstrap, Some(bootstrap)) => check(bootstrap),
        (Store::Everywhere, Some(bootstrap)) => check(platform).and(check(bootstrap)),
        (Store::Postgres, _)
            if !["aws_db_instance", "aws_rds_cluster"]
                .iter()
                .any(|kind| platform.of_kind(kind).next().is_some()) =>
        {
            return (Verdict::NotApplicable("nothing is kept in PostgreSQL".to_owned()), BTreeSet::new());
        }
        (Store::Zone, _) if platform.of_kind("aws_route53_zone").next().is_none() => {
            return (Verdict::NotApplicable("the zone is made elsewhere".to_owned()), BTreeSet::new());
        }
        _ => check(platform),
    };
    (said(&outcome), outcome.looked)
}

/// What an environment may do without: where it has none, no control of it applies.
const OPTIONAL: [&str; 13] = [
    "aws_backup_vault",
    "aws_db_instance",
    "aws_db_parameter_group",
    "aws_db_subnet_group",
    "aws_dynamodb_table",
    "aws_kinesis_firehose_delivery_stream",
    "aws_rds_cluster",
    "aws_rds_cluster_instance",
    "aws_rds_cluster_parameter_group",
    "aws_route53_zone",
    "aws_secretsmanager_secret",
    "aws_secretsmanager_secret_version",
    "aws_sqs_queue",
];

fn said(outcome: &Outcome) -> Verdict {
    let optional = |what: &String| {
        let kinds = what.strip_prefix("no ").map(|kinds| kinds.split(", no ").collect::<Vec<_>>());
        kinds.is_some_and(|kinds| kinds.iter().all(|kind| OPTIONAL.contains(kind)))
    };
    if !outcome.failed.is_empty() && outcome.failed.iter().all(optional) {
        let what: Vec<&str> = outcome.failed.iter().map(String::as_str).collect();
        return Verdict::NotApplicable(format!("the module makes {}", what.join(", ")));
    }
    match (outcome.failed.is_empty(), outcome.unknown.is_empty()) {
        (false, _) => Verdict::Violated(outcome.failed.clone()),
        (true, false) => Verdict::Unknown(outcome.unknown.clone()),
        (true, true) => Verdict::Configured,
    }
}

/// What is wrong with deviations on a day: expired ones, ones for controls that are not violated, and ones for controls
/// that there are not. One that is idle is taken out, so that it does not stand ready for the next mistake.
#[must_use]
pub fn faults(judged: &[Judged], deviations: &[Deviation], on: &Date) -> Vec<String> {
    let mut faults = Vec::new();
    for Deviation { control, owner, expires, .. } in deviations {
        let Some(of) = judged.iter().find(|judged| judged.control.id == control.as_str()) else {
            faults.push(format!(
                "the deviation from {control}: there is no such control; docs/pci.md lists all"
            ));
            continue;
        };
        if !matches!(of.verdict, Verdict::Violated(_)) {
            faults.push(format!(
                "the deviation from {control} ({owner}): the control is {}, so it is idle",
                of.verdict.name()
            ));
        } else if expires < on {
            faults.push(format!("the deviation from {control} ({owner}) expired on {expires}"));
        }
    }
    faults
}
