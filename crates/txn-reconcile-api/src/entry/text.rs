//! Strings of a source, packed end to end in one buffer.

use std::fmt;

use crate::hash;

/// A place in a [`TextStore`]. The default is the empty string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TextRef(u32);

impl TextRef {
    /// Whether this is the empty string.
    #[inline]
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The place as a number.
    #[inline]
    pub(crate) fn place(self) -> u32 {
        self.0
    }
}

/// The text of one source does not fit into 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextFull;

impl fmt::Display for TextFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one side holds more than 4 GiB of references and descriptions; split the run by period or account")
    }
}

impl std::error::Error for TextFull {}

/// Strings with their length in front, addressed by offset. Each is at most 4 GiB; all together too.
#[derive(Clone, Debug, Default)]
pub struct TextStore {
    bytes: Vec<u8>,
}

impl TextStore {
    /// Makes room ahead; pages that stay untouched cost no memory.
    pub fn reserve(&mut self, additional: usize) {
        self.bytes.reserve(additional);
    }

    /// Gives back what was reserved and not used.
    pub fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Bytes in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was stored yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Stores a string.
    ///
    /// # Errors
    /// Fails when the store would pass 4 GiB.
    #[inline]
    pub fn push(&mut self, text: &[u8]) -> Result<TextRef, TextFull> {
        if text.is_empty() {
            return Ok(TextRef::default());
        }
        if self.bytes.is_empty() {
            self.bytes.push(0);
        }
        let at = u32::try_from(self.bytes.len()).map_err(|_| TextFull)?;
        let mut length = u32::try_from(text.len()).map_err(|_| TextFull)?;
        while length >= 0x80 {
            self.bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.bytes.push(length as u8);
        self.bytes.extend_from_slice(text);
        Ok(TextRef(at))
    }

    /// The first byte stored at a place.
    #[inline]
    pub(crate) fn first(&self, at: TextRef) -> u8 {
        self.bytes.get(at.0 as usize).copied().unwrap_or_default()
    }

    /// The string at a place that [`TextStore::push`] gave out.
    #[inline]
    #[must_use]
    pub fn get(&self, at: TextRef) -> &[u8] {
        if at.is_empty() {
            return &[];
        }
        let mut start = at.0 as usize;
        let mut length = 0usize;
        let mut shift = 0;
        while let Some(&byte) = self.bytes.get(start) {
            start += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                break;
            }
        }
        self.bytes.get(start..start + length).unwrap_or_default()
    }
}

/// Gives each distinct string one place, so that equal strings have equal references.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    /// Open addressing; 0 is a free slot.
    slots: Vec<u32>,
    used: usize,
    /// The last answer: runs of one value are the common case.
    last: TextRef,
}

impl Interner {
    /// The reference of `text`, stored if it is new.
    ///
    /// # Errors
    /// Fails when the store is full.
    pub fn intern(&mut self, store: &mut TextStore, text: &[u8]) -> Result<TextRef, TextFull> {
        if text.is_empty() {
            return Ok(TextRef::default());
        }
        if !self.last.is_empty() && store.get(self.last) == text {
            return Ok(self.last);
        }
        if self.used * 2 >= self.slots.len() {
            self.grow(store);
        }
        let mask = self.slots.len() - 1;
        let mut slot = hash::bytes(0, text) as usize & mask;
        loop {
            let held = TextRef(self.slots[slot]);
            if held.is_empty() {
                let new = store.push(text)?;
                self.slots[slot] = new.0;
                self.used += 1;
                self.last = new;
                return Ok(new);
            }
            if store.get(held) == text {
                self.last = held;
                return Ok(held);
            }
            slot = (slot + 1) & mask;
        }
    }

    /// Doubles the table.
    fn grow(&mut self, store: &TextStore) {
        let size = (self.slots.len() * 2).max(64);
        let old = std::mem::replace(&mut self.slots, vec![0; size]);
        for held in old.into_iter().filter(|held| *held != 0) {
            let mut slot = hash::bytes(0, store.get(TextRef(held))) as usize & (size - 1);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = held;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_length_come_back() {
        let mut store = TextStore::default();
        let texts: Vec<Vec<u8>> =
            [0, 1, 127, 128, 16_383, 16_384, 70_000].iter().map(|n| vec![b'x'; *n]).collect();
        let places: Vec<TextRef> = texts.iter().map(|text| store.push(text).unwrap()).collect();
        for (place, text) in places.iter().zip(&texts) {
            assert_eq!(store.get(*place), &text[..]);
        }
    }

    #[test]
    fn equal_strings_share_one_place() {
        let mut store = TextStore::default();
        let mut interner = Interner::default();
        let names: Vec<String> = (0..1_000).map(|n| format!("customer {n}")).collect();
        let first: Vec<TextRef> =
            names.iter().map(|name| interner.intern(&mut store, name.as_bytes()).unwrap()).collect();
        let size = store.len();
        for (name, place) in names.iter().zip(&first) {
            assert_eq!(interner.intern(&mut store, name.as_bytes()).unwrap(), *place);
        }
        assert_eq!(store.len(), size);
    }
}
