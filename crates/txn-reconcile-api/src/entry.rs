//! Entries: what a statement or a ledger says, one line of it at a time, held in columns.

pub mod column;
pub mod details;
pub mod kind;
mod set;
pub mod text;

pub use set::{Draft, EntryId, EntrySet, RawPlace, SourceFile};

/// Why an entry takes no part in the matching although it was read without fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IgnoreReason {
    /// The same row came in before (same fingerprint and occurrence number).
    AlreadyImported,
    /// The bank has announced the entry and not booked it yet.
    NotBooked,
    /// Another file has the same booking in detail: the two are one and the same money.
    Detailed,
    /// Booked after the cut-off of the run.
    AfterCutOff,
    /// A rule of the ruleset sets it aside; the number is the rule's place in the ruleset.
    Rule(u16),
}

impl IgnoreReason {
    /// A stable name for reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AlreadyImported => "already imported",
            Self::NotBooked => "not booked yet",
            Self::Detailed => "in detail in another file",
            Self::AfterCutOff => "after the cut-off",
            Self::Rule(_) => "set aside by the ruleset",
        }
    }
}
