//! A fast, unkeyed 64-bit hash for grouping rows.
//!
//! It only ever decides which rows are *compared*: equality is always checked on the content itself, so a collision
//! costs time and never a wrong match. Identifiers and digests use BLAKE3 instead.

const A: u64 = 0x9e37_79b9_7f4a_7c15;
const B: u64 = 0xe703_7ed1_a0b4_28db;

/// Multiplies to 128 bits and folds the halves together.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let wide = u128::from(a) * u128::from(b);
    (wide as u64) ^ ((wide >> 64) as u64)
}

/// Mixes one more word into a running hash.
#[inline]
#[must_use]
pub fn mix(state: u64, word: u64) -> u64 {
    fold(state ^ A, word ^ B)
}

/// Up to eight bytes as a little-endian word.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0u8; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// Hashes a byte string into a running hash; the length is part of it.
#[inline]
#[must_use]
pub fn bytes(seed: u64, data: &[u8]) -> u64 {
    let mut state = seed;
    let mut chunks = data.chunks_exact(8);
    for chunk in &mut chunks {
        state = mix(state, word(chunk));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        state = mix(state, word(rest));
    }
    mix(state, data.len() as u64)
}

/// The hash of a byte string that comes in pieces; equal to [`bytes`] over the whole of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stream {
    state: u64,
    held: [u8; 8],
    len: u64,
}

impl Stream {
    /// Takes the next piece.
    pub fn push(&mut self, mut data: &[u8]) {
        let fill = (self.len % 8) as usize;
        self.len += data.len() as u64;
        if fill > 0 {
            let take = data.len().min(8 - fill);
            self.held[fill..fill + take].copy_from_slice(&data[..take]);
            data = &data[take..];
            if fill + take < 8 {
                return;
            }
            self.state = mix(self.state, word(&self.held));
        }
        let mut chunks = data.chunks_exact(8);
        for chunk in &mut chunks {
            self.state = mix(self.state, word(chunk));
        }
        self.held = [0; 8];
        self.held[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    }

    /// Bytes taken so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was taken yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The hash of what was taken.
    #[must_use]
    pub fn finish(&self) -> u64 {
        let rest = (self.len % 8) as usize;
        let state = if rest > 0 { mix(self.state, word(&self.held[..rest])) } else { self.state };
        mix(state, self.len)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn length_and_content_both_count() {
        assert_ne!(bytes(0, b"ab"), bytes(0, b"ab\0"));
        assert_ne!(bytes(0, b"abcdefgh"), bytes(0, b"abcdefgi"));
        assert_eq!(bytes(7, b"abcdefghij"), bytes(7, b"abcdefghij"));
    }

    proptest! {
        #[test]
        fn pieces_hash_like_the_whole(data in proptest::collection::vec(any::<u8>(), 0..100), cuts in proptest::collection::vec(1usize..20, 1..20)) {
            let mut stream = Stream::default();
            let (mut rest, mut cuts) = (&data[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                stream.push(piece);
                rest = behind;
            }
            prop_assert_eq!(stream.finish(), bytes(0, &data));
        }
    }
}
