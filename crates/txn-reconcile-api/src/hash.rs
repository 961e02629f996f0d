//! A fast, unkeyed 64-bit hash for grouping rows.
//!
//! It only ever decides which rows are *compared*: equality is always checked on the content itself, so a collision
//! costs time and never a wrong match. Identifiers and digests use BLAKE3 instead (see [`crate::engine::digest`]).

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

/// Hashes a byte string into a running hash; the length is part of it.
#[inline]
#[must_use]
pub fn bytes(seed: u64, data: &[u8]) -> u64 {
    let mut state = mix(seed, data.len() as u64);
    let mut chunks = data.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0u8; 8];
        word.copy_from_slice(chunk);
        state = mix(state, u64::from_le_bytes(word));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut word = [0u8; 8];
        word[..rest.len()].copy_from_slice(rest);
        state = mix(state, u64::from_le_bytes(word));
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_content_both_count() {
        assert_ne!(bytes(0, b"ab"), bytes(0, b"ab\0"));
        assert_ne!(bytes(0, b"abcdefgh"), bytes(0, b"abcdefgi"));
        assert_eq!(bytes(7, b"abcdefghij"), bytes(7, b"abcdefghij"));
    }
}
