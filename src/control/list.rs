//! How each control is judged: a function over the module, or the reason why there is none.

mod access;
mod data;
mod detection;
mod edge;
mod logs;
mod network;
mod people;
mod workload;

use crate::control::platform::{Outcome, Platform};

/// How a control is judged.
#[derive(Debug)]
pub struct Row {
    /// Its number, such as `R001`.
    pub id: &'static str,
    /// What is checked, or why nothing is.
    pub how: &'static str,
    /// How.
    pub met: Met,
}

/// Whether a control is judged by a function.
#[derive(Debug)]
pub enum Met {
    /// It is.
    Checked {
        /// Where.
        on: Store,
        /// By what.
        check: fn(&Platform) -> Outcome,
        /// What it has to refuse, which a test holds it to.
        weaker: &'static [Weaker],
    },
    /// It is not, and never is by a module.
    Left(Left),
    /// Listed with a reason, until this text comes up among the generated resources.
    Listed {
        /// The text.
        until: Option<&'static str>,
    },
}

/// Who answers for what no module shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// People: reviews, duties, tests, training.
    Process,
    /// AWS, by its own attestation.
    Inherited,
    /// Nobody: the platform has no such thing.
    NotApplicable,
}

/// What a control is judged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Every production there is: as it stands in the repository, and each of those below.
    Any,
    /// With the records in PostgreSQL, which the environment of the repository has not: on an instance, in Aurora, and on
    /// an instance with further services beside the main one.
    Postgres,
    /// With the hosted zone made by the environment, which the one of the repository looks up.
    Zone,
    /// Not on the environment, but on what `txnr bootstrap` makes of its account.
    Bootstrap,
    /// On every production, and on what `txnr bootstrap` makes.
    Everywhere,
}

/// What the check has to refuse: the type or the address, the path (none is the whole), and the JSON that stands there instead. Of a type,
/// each resource by itself; one that nothing has is added. Of what the row is checked on, wherever there is such a resource.
pub type Weaker = (&'static str, &'static str, &'static str);

const fn row(
    id: &'static str,
    how: &'static str,
    check: fn(&Platform) -> Outcome,
    weaker: &'static [Weaker],
) -> Row {
    Row { id, how, met: Met::Checked { on: Store::Any, check, weaker } }
}

const fn postgres(
    id: &'static str,
    how: &'static str,
    check: fn(&Platform) -> Outcome,
    weaker: &'static [Weaker],
) -> Row {
    Row { id, how, met: Met::Checked { on: Store::Postgres, check, weaker } }
}

const fn zone(
    id: &'static str,
    how: &'static str,
    check: fn(&Platform) -> Outcome,
    weaker: &'static [Weaker],
) -> Row {
    Row { id, how, met: Met::Checked { on: Store::Zone, check, weaker } }
}

const fn bootstrap(
    id: &'static str,
    how: &'static str,
    check: fn(&Platform) -> Outcome,
    weaker: &'static [Weaker],
) -> Row {
    Row { id, how, met: Met::Checked { on: Store::Bootstrap, check, weaker } }
}

const fn everywhere(
    id: &'static str,
    how: &'static str,
    check: fn(&Platform) -> Outcome,
    weaker: &'static [Weaker],
) -> Row {
    Row { id, how, met: Met::Checked { on: Store::Everywhere, check, weaker } }
}

const fn left(id: &'static str, kind: Left, how: &'static str) -> Row {
    Row { id, how, met: Met::Left(kind) }
}

const fn listed(id: &'static str, why: &'static str, until: Option<&'static str>) -> Row {
    Row { id, how: why, met: Met::Listed { until } }
}

/// What holds records in PostgreSQL.
const DATABASES: [&str; 2] = ["aws_db_instance", "aws_rds_cluster"];

/// What runs it.
const INSTANCES: [&str; 2] = ["aws_db_instance", "aws_rds_cluster_instance"];

/// Every control.
#[must_use]
pub fn rows() -> Vec<&'static Row> {
    let all = [
        network::ROWS,
        edge::ROWS,
        workload::ROWS,
        data::ROWS,
        access::ROWS,
        logs::ROWS,
        detection::ROWS,
        people::ROWS,
    ];
    let mut rows: Vec<&Row> = all.into_iter().flatten().collect();
    rows.sort_by_key(|row| row.id);
    rows
}

/// The resources of a type whose argument refers to another, all of which have to be so; there has to be one.
fn beside(
    p: &Platform,
    of: &str,
    kind: &str,
    path: &str,
    so: impl Fn(crate::control::platform::Resource) -> bool,
) -> Outcome {
    let mut outcome = p.each(of, |it| {
        let found: Vec<_> = p.referring(kind, path, it.address).collect();
        !found.is_empty() && found.into_iter().all(&so)
    });
    outcome.looked.extend(p.of_kind(kind).map(|r| r.address.to_owned()));
    outcome
}
