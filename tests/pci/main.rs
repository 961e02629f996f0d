//! What PCI DSS asks of infrastructure, row by row: each row of `requirements.csv` is satisfied by the generated
//! production environment, which a check shows, or stands in `checks::ROWS` with the reason why not here.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod checks;
mod module;

use std::collections::BTreeSet;
use std::path::Path;

use checks::{ROWS, Verdict};
use module::Module;
use txnr::bootstrap::{self, OwnState};
use txnr::config::{self, EnvConfig};

const REQUIREMENTS: &str = include_str!("requirements.csv");

/// Which generated module a check is about.
#[derive(Clone, Copy, Debug)]
enum On {
    /// The environment `envs/prod.toml`.
    Prod,
    /// The same with its records in PostgreSQL.
    Postgres,
    /// What `txnr bootstrap` writes for it.
    Bootstrap,
}

/// The modules.
struct Platform {
    prod: Module,
    postgres: Module,
    bootstrap: Module,
}

impl Platform {
    fn new() -> Self {
        let prod = prod("");
        let accounts = bootstrap::accounts([&prod]).expect("one account");
        let bootstrap = bootstrap::build(&accounts[0], OwnState::Bucket).expect("a module without faults");
        Self {
            bootstrap: Module::new(bootstrap.render("")),
            postgres: Module::new(
                txnr::synth::render(&self::prod("\n[data]\nstore = \"postgres\"\n")).expect("files"),
            ),
            prod: Module::new(txnr::synth::render(&prod).expect("files")),
        }
    }

    fn module(&self, on: On) -> &Module {
        match on {
            On::Prod => &self.prod,
            On::Postgres => &self.postgres,
            On::Bootstrap => &self.bootstrap,
        }
    }
}

/// The production environment of this repository, and more behind it.
fn prod(more: &str) -> EnvConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envs/prod.toml");
    let text = std::fs::read_to_string(&path).expect("a file") + more;
    config::parse(&path, &text).unwrap_or_else(|report| panic!("{report}")).0
}

/// The rows' ids and what Terraform calls the resource that they are about.
fn requirements() -> Vec<(&'static str, &'static str)> {
    let rows = REQUIREMENTS.lines().skip(1);
    rows.map(|row| {
        let id = row.split(',').next().expect("an id");
        // Commas stand in quoted fields as well; a resource's type is the one field of this shape.
        let kind = row.split(',').find(|field| field.starts_with("aws_")).unwrap_or("-");
        (id, kind)
    })
    .collect()
}

#[test]
fn every_row_has_a_check_or_a_reason() {
    let asked: Vec<&str> = requirements().into_iter().map(|(id, _)| id).collect();
    let answered: Vec<&str> = ROWS.iter().map(|(id, _)| *id).collect();
    assert!(asked.len() > 100, "{} rows", asked.len());
    assert_eq!(answered, asked);
    for (id, verdict) in ROWS {
        if let Verdict::Elsewhere(reason) = verdict {
            assert!(reason.len() > 40, "{id} has no reason to speak of");
        }
    }
}

#[test]
fn production_satisfies_the_rows() {
    let platform = Platform::new();
    let missed = ROWS.iter().filter_map(|(id, verdict)| match verdict {
        Verdict::Met(on, check) if !check(platform.module(*on)) => Some(*id),
        _ => None,
    });
    let missed: Vec<&str> = missed.collect();
    assert!(missed.is_empty(), "not satisfied: {missed:?}");
}

/// A check that takes no notice of what it is about proves nothing: with every value of the resource spoilt, and with no
/// such resource at all, it has to fail.
#[test]
fn every_check_can_fail() {
    let platform = Platform::new();
    let kinds = requirements();
    let mut blind = BTreeSet::new();
    for (id, verdict) in ROWS {
        let Verdict::Met(on, check) = verdict else { continue };
        let kind = kinds.iter().find(|(row, _)| row == id).map_or("-", |(_, kind)| *kind);
        let module = platform.module(*on);
        if check(&module.spoilt(kind)) || check(&Module::default()) {
            blind.insert(*id);
        }
    }
    assert!(blind.is_empty(), "these pass whatever is generated: {blind:?}");
}
