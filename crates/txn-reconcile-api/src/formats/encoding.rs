//! Character encodings: everything is turned into UTF-8 before it is parsed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a file writes characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// Windows code page 1252.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// ISO 8859-1.
    #[serde(rename = "iso-8859-1")]
    Latin1,
    /// ISO 8859-15, with the euro sign.
    #[serde(rename = "iso-8859-15")]
    Latin9,
    /// UTF-16, little end first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, big end first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
}

impl Encoding {
    /// Finds the encoding from the first bytes: a byte order mark, zero bytes between ASCII, or bytes that are not
    /// UTF-8 (then Windows 1252, which every byte is valid in).
    #[must_use]
    pub fn guess(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] | [0x20..=0x7e, 0, 0x20..=0x7e, 0, ..] => return Self::Utf16Le,
            [0xfe, 0xff, ..] | [0, 0x20..=0x7e, 0, 0x20..=0x7e, ..] => return Self::Utf16Be,
            _ => {}
        }
        match std::str::from_utf8(head) {
            Err(error) if error.error_len().is_some() => Self::Windows1252,
            _ => Self::Utf8,
        }
    }
}

/// Turns chunks of an encoding into UTF-8.
#[derive(Clone, Debug)]
pub struct Transcoder {
    encoding: Encoding,
    /// The first half of a UTF-16 unit, when a chunk ends in the middle of one.
    half: Option<u8>,
    /// A high surrogate that waits for its partner.
    high: Option<u16>,
}

/// Windows 1252, 0x80 to 0x9f (<https://encoding.spec.whatwg.org/#windows-1252>); undefined bytes stay control codes.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

impl Transcoder {
    /// A transcoder from this encoding.
    #[must_use]
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, half: None, high: None }
    }

    /// Whether bytes can pass through untouched.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.encoding == Encoding::Utf8
    }

    /// Appends the UTF-8 form of a chunk.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 => out.extend_from_slice(chunk),
            Encoding::Utf16Le => self.wide(chunk, out, u16::from_le_bytes),
            Encoding::Utf16Be => self.wide(chunk, out, u16::from_be_bytes),
            single => {
                for &byte in chunk {
                    push_char(single_byte(single, byte), out);
                }
            }
        }
    }

    fn wide(&mut self, chunk: &[u8], out: &mut Vec<u8>, join: fn([u8; 2]) -> u16) {
        for &byte in chunk {
            let Some(first) = self.half.take() else {
                self.half = Some(byte);
                continue;
            };
            let unit = join([first, byte]);
            let units = [self.high.take(), Some(unit)];
            if (0xd800..0xdc00).contains(&unit) {
                self.high = Some(unit);
                if units[0].is_some() {
                    push_char(char::REPLACEMENT_CHARACTER, out);
                }
                continue;
            }
            for decoded in char::decode_utf16(units.into_iter().flatten()) {
                push_char(decoded.unwrap_or(char::REPLACEMENT_CHARACTER), out);
            }
        }
    }
}

fn single_byte(encoding: Encoding, byte: u8) -> char {
    match (encoding, byte) {
        (Encoding::Windows1252, 0x80..=0x9f) => WINDOWS_1252[usize::from(byte - 0x80)],
        (Encoding::Latin9, 0xa4) => '€',
        (Encoding::Latin9, 0xa6) => 'Š',
        (Encoding::Latin9, 0xa8) => 'š',
        (Encoding::Latin9, 0xb4) => 'Ž',
        (Encoding::Latin9, 0xb8) => 'ž',
        (Encoding::Latin9, 0xbc) => 'Œ',
        (Encoding::Latin9, 0xbd) => 'œ',
        (Encoding::Latin9, 0xbe) => 'Ÿ',
        _ => char::from(byte),
    }
}

fn push_char(c: char, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(encoding: Encoding, bytes: &[u8]) -> String {
        let mut transcoder = Transcoder::new(encoding);
        let mut out = Vec::new();
        for chunk in bytes.chunks(1) {
            transcoder.push(chunk, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_encoding_is_read_even_byte_by_byte() {
        assert_eq!(decode(Encoding::Windows1252, b"M\xfcller \x80 5"), "Müller € 5");
        assert_eq!(decode(Encoding::Latin9, b"\xa4"), "€");
        assert_eq!(decode(Encoding::Latin1, b"\xa4"), "¤");
        let le: Vec<u8> = "a€😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(Encoding::Utf16Le, &le), "a€😀");
        let be: Vec<u8> = "a€😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(Encoding::Utf16Be, &be), "a€😀");
        assert_eq!(decode(Encoding::Utf16Le, &[0x00, 0xd8, b'a', 0]), "\u{fffd}a");
    }

    #[test]
    fn the_encoding_is_guessed_from_the_content() {
        assert_eq!(Encoding::guess(b"plain"), Encoding::Utf8);
        assert_eq!(Encoding::guess("Müller".as_bytes()), Encoding::Utf8);
        assert_eq!(Encoding::guess(&"Müller".as_bytes()[..2]), Encoding::Utf8);
        assert_eq!(Encoding::guess(b"M\xfcller"), Encoding::Windows1252);
        assert_eq!(Encoding::guess(b"\xff\xfea\0"), Encoding::Utf16Le);
        assert_eq!(Encoding::guess(b"\0a\0b"), Encoding::Utf16Be);
    }
}
