//! The lines that entries were read from, fetched from their file a second time.
//!
//! In memory an entry keeps only where its bytes stand and their hash. What a report shows is read again and compared
//! with that hash, so that a file that was changed in between shows nothing instead of something else.

use super::{Collector, Parser, ReadError};
use crate::entry::RawPlace;
use crate::hash;

/// Lines that were fetched from one file.
#[derive(Clone, Debug, Default)]
pub struct RawLines {
    /// Offset in the file and place in `text`, in order.
    places: Vec<(u64, usize)>,
    text: Vec<u8>,
}

impl RawLines {
    /// The text of a place; none if it was not asked for, or if the file no longer holds what was read.
    #[must_use]
    pub fn get(&self, place: RawPlace) -> Option<String> {
        let at = self.places.binary_search_by_key(&place.offset, |(offset, _)| *offset).ok()?;
        let start = self.places[at].1;
        let bytes = self.text.get(start..start + place.len as usize)?;
        (hash::bytes(0, bytes) == place.hash).then(|| String::from_utf8_lossy(bytes).into_owned())
    }
}

/// Collects places instead of entries.
#[derive(Debug)]
pub(super) struct RawParser {
    /// In the order of the file.
    wanted: Vec<RawPlace>,
    next: usize,
}

impl RawParser {
    pub fn new(mut wanted: Vec<RawPlace>) -> Self {
        wanted.sort_unstable_by_key(|place| place.offset);
        wanted.dedup_by_key(|place| place.offset);
        Self { wanted, next: 0 }
    }
}

impl Parser for RawParser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        _last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        // Nothing is kept of these bytes but lines whose hash says that they were screened before.
        out.cover(offset, data.len());
        while let Some(place) = self.wanted.get(self.next) {
            let start = usize::try_from(place.offset.saturating_sub(offset)).unwrap_or(usize::MAX);
            if start >= data.len() {
                break;
            }
            let Some(bytes) = data.get(start..start + place.len as usize) else { return Ok(start) };
            out.raw.places.push((place.offset, out.raw.text.len()));
            out.raw.text.extend_from_slice(bytes);
            self.next += 1;
        }
        Ok(data.len())
    }

    fn line(&self) -> u64 {
        0
    }
}
