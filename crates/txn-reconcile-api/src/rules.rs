//! Rulesets: read from TOML, checked, with errors that name the line and the key.

pub mod file;
mod load;
mod model;
mod rewrite;

pub use load::{RulesError, STANDARD, load, schema, standard};
pub use model::{
    Breaks, ByReference, Exact, Fee, Group, Ignore, Measures, Named, Net, Pass, PassKind, Prepare, Rates,
    Ruleset, SourceRules, Subset, Tolerance, Unique,
};
pub use rewrite::{Findings, Loosening, Rewrite, rewrite};
