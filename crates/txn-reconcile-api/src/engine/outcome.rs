//! The result of a run.

use super::conserve::{self, Conservation};
use super::{Break, EngineError, Run, Side, State, digest};
use crate::date::Date;
use crate::entry::EntrySet;
use crate::formats::RawLines;

/// What one pass matched.
#[derive(Clone, Debug, Default)]
pub struct PassMatches {
    /// One to one: left row and right row.
    pub pairs: Vec<[u32; 2]>,
    /// Everything else.
    pub groups: Vec<GroupMatch>,
}

/// A match of several entries. One of the lists is empty where entries of one side cancel out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMatch {
    /// Rows of the left side.
    pub left: Vec<u32>,
    /// Rows of the right side.
    pub right: Vec<u32>,
}

/// A match of any shape, borrowed from an outcome.
#[derive(Clone, Copy, Debug)]
pub struct MatchView<'a> {
    /// The pass, by its place in the ruleset.
    pub pass: usize,
    /// Rows of the left side.
    pub left: &'a [u32],
    /// Rows of the right side.
    pub right: &'a [u32],
}

/// Where a match stands in an outcome: its pass, and its number among the pairs and then the groups of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatchPlace {
    pass: u32,
    number: u32,
}

/// Matches, breaks and the books that prove them complete.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The entries, left and right.
    pub sets: [EntrySet; 2],
    /// Where each entry stands.
    pub states: [Vec<State>; 2],
    /// Matches by pass, in the order of the ruleset.
    pub matches: Vec<PassMatches>,
    /// Everything that is open, oldest first.
    pub breaks: Vec<Break>,
    /// Counts and sums of every entry.
    pub conservation: Conservation,
    /// Digest of the result, in hexadecimal (see [`digest`]).
    pub digest: String,
    /// The day that ages count to.
    pub as_of: Date,
    /// What the reader should know about the run.
    pub notes: Vec<String>,
    /// The lines that entries were read from, by side and file, as far as they were fetched for a report.
    pub raw: [Vec<RawLines>; 2],
}

/// Checks the books, takes the digest and closes the run.
pub(crate) fn finish(run: Run<'_>, breaks: Vec<Break>, as_of: Date) -> Result<Outcome, EngineError> {
    let conservation = conserve::account(&run, &breaks)?;
    let digest = digest::digest(&run, &breaks);
    Ok(Outcome {
        sets: run.sets,
        states: run.state,
        matches: run.matches,
        breaks,
        conservation,
        digest,
        as_of,
        notes: run.notes,
        raw: [Vec::new(), Vec::new()],
    })
}

impl Outcome {
    /// The entries of a side.
    #[must_use]
    pub fn set(&self, side: Side) -> &EntrySet {
        &self.sets[side as usize]
    }

    /// The line that an entry was read from, if it was fetched.
    #[must_use]
    pub fn raw_line(&self, side: Side, row: u32) -> Option<String> {
        let set = self.set(side);
        self.raw[side as usize].get(set.file(row))?.get(set.raw(row))
    }

    /// Where the matches stand, pass by pass. There are fewer than rows, so `u32` counts them.
    pub fn places(&self) -> impl Iterator<Item = MatchPlace> {
        (0..).zip(&self.matches).flat_map(|(pass, matches)| {
            (0..)
                .take(matches.pairs.len() + matches.groups.len())
                .map(move |number| MatchPlace { pass, number })
        })
    }

    /// The match of a place of this outcome.
    #[must_use]
    pub fn match_at(&self, place: MatchPlace) -> MatchView<'_> {
        let (pass, number) = (place.pass as usize, place.number as usize);
        let PassMatches { pairs, groups } = &self.matches[pass];
        match pairs.get(number) {
            Some([left, right]) => {
                MatchView { pass, left: std::slice::from_ref(left), right: std::slice::from_ref(right) }
            }
            None => {
                let group = &groups[number - pairs.len()];
                MatchView { pass, left: &group.left, right: &group.right }
            }
        }
    }

    /// Every match, pass by pass.
    pub fn matches(&self) -> impl Iterator<Item = MatchView<'_>> {
        self.places().map(|place| self.match_at(place))
    }

    /// How many matches there are.
    #[must_use]
    pub fn match_count(&self) -> usize {
        self.matches.iter().map(|matches| matches.pairs.len() + matches.groups.len()).sum()
    }

    /// Whether nothing is open.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.breaks.is_empty()
    }
}
