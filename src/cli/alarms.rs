//! `txnr alarms`: what an environment can tell people.

use super::Failure;
use super::output::data;
use crate::alarm::document;
use clap::Args;

/// Lists every alarm: what it means and what to do first
///
/// As Markdown; docs/alarms.md is its checked-in copy, to which the alarms' messages lead.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Alarms {}

const EXAMPLES: &str = "Examples:
  txnr alarms > docs/alarms.md";

impl Alarms {
    #[expect(clippy::unused_self, reason = "a subcommand without arguments is run like the others")]
    pub(super) fn run(self) -> Result<(), Failure> {
        Ok(data(document::markdown().as_bytes())?)
    }
}
