//! What an entry can be found by beside its reference: the identifiers that it carries, and the words of its text.

use super::normalize;
use crate::entry::EntrySet;
use crate::entry::details;

/// Words of a description that are looked up, and their shortest length.
const WORDS_MAX: usize = 64;
const WORD_BYTES_MIN: usize = 5;

/// Longest reference that is put together from words, in words: banks break lines and invoices have blanks.
const WORDS_JOINED_MAX: usize = 3;

/// Words of a description that could be references, and what two or three of them make together: five letters and
/// digits or more, one of them a digit.
pub(crate) fn words(description: &str) -> Vec<Vec<u8>> {
    let parts: Vec<Vec<u8>> = description
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')' | '"' | '+' | '?'))
        .map(|word| normalize(word.as_bytes()))
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .collect();
    let mut words = Vec::new();
    for length in 1..=WORDS_JOINED_MAX.min(parts.len()) {
        words.extend(parts.windows(length).map(<[Vec<u8>]>::concat));
    }
    words.retain(|word| word.len() >= WORD_BYTES_MIN && word.iter().any(u8::is_ascii_digit));
    words
}

/// The identifiers that the other side may know the entry by, normalized.
pub(crate) fn shared(set: &EntrySet, row: u32) -> impl Iterator<Item = Vec<u8>> + '_ {
    let text = if set.has_no_details() { "" } else { set.details(row) };
    details::iter(text)
        .filter(|(detail, _)| detail.is_shared())
        .map(|(_, value)| normalize(value.as_bytes()))
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_whatever_stands_between_their_parts() {
        let has = |text: &str, word: &str| words(text).contains(&word.as_bytes().to_vec());
        assert!(has("paid INV-2026-0007, thanks", "INV20260007"));
        assert!(has("paid INV 2026 0007 thanks", "INV20260007"));
        assert!(has("INV-2026-00 07", "INV20260007"));
        assert!(!has("paid 7 thanks", "7") && !has("thank you", "THANK"));
    }
}
