//! Finds payment card data in text, so that it can be refused before it is stored or logged.
//!
//! A card number (PAN) is 13 to 19 digits, with or without single separators, that passes the Luhn check and begins
//! with an issuer range of a matching length (ISO/IEC 7812). Track data (ISO/IEC 7813) and columns that hold
//! verification codes or PIN blocks are never acceptable (PCI DSS 3.3.1). What is found is named, never repeated.

/// What kind of card data was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CardData {
    /// A card number.
    Pan,
    /// The content of a magnetic stripe.
    Track,
    /// A column named for a card verification code or PIN.
    Verification,
}

impl CardData {
    /// A name fit for a message.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pan => "card number",
            Self::Track => "magnetic-stripe data",
            Self::Verification => "card verification code or PIN",
        }
    }
}

/// Looks for a card number or track data in a field or a line.
///
/// A run of more than 19 digits without a separator is no card number. Looking at every part of it would refuse most
/// long bank references: the seven lengths at each of its places pass Luhn by chance one time in ten.
#[inline]
#[must_use]
pub fn scan(text: &[u8]) -> Option<CardData> {
    if text.len() < 13 { None } else { scan_long(text) }
}

fn scan_long(text: &[u8]) -> Option<CardData> {
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = run_end(text, at);
        if end - at >= 13
            && let Some(found) = examine(text, at, end)
        {
            return Some(found);
        }
        at = end;
    }
    wide_digits(text)
}

/// Digits and the single separators between them, from `start` on.
fn run_end(text: &[u8], start: usize) -> usize {
    let mut end = start;
    while end < text.len() {
        let separated = is_separator(text[end]) && text.get(end + 1).is_some_and(u8::is_ascii_digit);
        if !text[end].is_ascii_digit() && !separated {
            break;
        }
        end += 1;
    }
    end
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'_')
}

/// Tries every sequence of whole digit groups in the run: a date before a card number must not hide it.
fn examine(text: &[u8], start: usize, end: usize) -> Option<CardData> {
    let run = &text[start..end];
    let mut group = 0;
    while group < run.len() {
        let mut digits = [0u8; 19];
        let mut count = 0;
        let mut at = group;
        while at < run.len() {
            if run[at].is_ascii_digit() {
                if count == 19 {
                    break;
                }
                digits[count] = run[at] - b'0';
                count += 1;
            }
            at += 1;
            let closes = at == run.len() || !run[at].is_ascii_digit();
            if closes && (13..=19).contains(&count) && is_pan(&digits[..count]) {
                return Some(if is_track(text, start + group, start + at) {
                    CardData::Track
                } else {
                    CardData::Pan
                });
            }
        }
        group = next_group(run, group);
    }
    None
}

/// The first digit of the group after the one that `at` stands in.
fn next_group(run: &[u8], at: usize) -> usize {
    run[at..].iter().position(|byte| !byte.is_ascii_digit()).map_or(run.len(), |offset| at + offset + 1)
}

/// Track 1 is `%B<PAN>^`, track 2 is `;<PAN>=`.
fn is_track(text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    match (before, text.get(end)) {
        (Some(b'B' | b'b'), Some(b'^')) | (_, Some(b'=' | b'D')) => true,
        (Some(b';'), _) => text.get(end) == Some(&b'='),
        _ => false,
    }
}

/// Whether these digits pass Luhn and begin like a card of that length.
fn is_pan(digits: &[u8]) -> bool {
    luhn(digits) && issuer(digits) && digits.iter().any(|digit| *digit != digits[0])
}

/// The Luhn check of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Issuer ranges of the card schemes, as they publish them.
fn issuer(digits: &[u8]) -> bool {
    let head =
        |count: usize| digits[..count].iter().fold(0u32, |value, digit| value * 10 + u32::from(*digit));
    let (two, three, four) = (head(2), head(3), head(4));
    match digits.len() {
        13 => digits[0] == 4 || maestro(two, four),
        14 => matches!(three, 300..=305) || matches!(two, 36 | 38 | 39) || maestro(two, four),
        15 => matches!(two, 34 | 37) || maestro(two, four),
        16 => {
            digits[0] == 4
                || matches!(two, 51..=55 | 30 | 36 | 38 | 39 | 62 | 65 | 81)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011 | 2200..=2204)
                || matches!(three, 644..=649)
                || maestro(two, four)
        }
        17 | 18 => matches!(two, 62 | 65) || maestro(two, four),
        19 => digits[0] == 4 || matches!(two, 62 | 65 | 30 | 36 | 38 | 39) || maestro(two, four),
        _ => false,
    }
}

/// Maestro numbers run from 12 to 19 digits.
fn maestro(two: u32, four: u32) -> bool {
    two == 50 || (56..=58).contains(&two) || matches!(four, 6304 | 6759 | 6761..=6763 | 6390)
}

/// Full-width digits (U+FF10 to U+FF19) are folded to ASCII and looked at again.
fn wide_digits(text: &[u8]) -> Option<CardData> {
    memchr::memchr(0xef, text)?;
    let mut folded = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        match text.get(at..at + 3) {
            Some([0xef, 0xbc, digit @ 0x90..=0x99]) => {
                folded.push(digit - 0x90 + b'0');
                at += 3;
            }
            _ => {
                folded.push(text[at]);
                at += 1;
            }
        }
    }
    if folded.len() == text.len() { None } else { scan(&folded) }
}

/// Whether a column or key name says that it holds data which may never be stored after authorisation.
#[must_use]
pub fn forbidden_name(name: &str) -> Option<CardData> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    const CODES: [&str; 12] = [
        "cvv",
        "cvv2",
        "cvc",
        "cvc2",
        "cav2",
        "csc",
        "cardverificationcode",
        "cardsecuritycode",
        "securitycode",
        "pinblock",
        "pin",
        "cardcvv",
    ];
    const TRACKS: [&str; 6] = ["track1", "track2", "track1data", "track2data", "trackdata", "magstripe"];
    if CODES.contains(&plain.as_str()) {
        Some(CardData::Verification)
    } else if TRACKS.contains(&plain.as_str()) {
        Some(CardData::Track)
    } else {
        None
    }
}

/// Whether the text is an IBAN: country, two check digits, and a remainder of 1 modulo 97 (ISO 13616).
///
/// A fifth of all IBANs hold a long digit run, and one in ten of those passes Luhn; a well-formed IBAN is an account
/// and not a card.
#[must_use]
pub fn is_iban(text: &[u8]) -> bool {
    let compact: Vec<u8> = text.iter().copied().filter(|byte| *byte != b' ').collect();
    if !(15..=34).contains(&compact.len())
        || !compact[..2].iter().all(u8::is_ascii_uppercase)
        || !compact[2..4].iter().all(u8::is_ascii_digit)
    {
        return false;
    }
    let mut remainder = 0u32;
    for byte in compact[4..].iter().chain(&compact[..4]) {
        remainder = match byte {
            b'0'..=b'9' => remainder * 10 + u32::from(byte - b'0'),
            b'A'..=b'Z' => remainder * 100 + u32::from(byte - b'A') + 10,
            _ => return false,
        } % 97;
    }
    remainder == 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Test numbers that the schemes and processors publish for integration tests.
    const TEST_CARDS: [&str; 8] = [
        "4111111111111111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "6011111111111117",
        "3530111333300000",
        "30569309025904",
        "6304000000000000",
    ];

    #[test]
    fn published_test_cards_are_found() {
        for card in TEST_CARDS {
            assert_eq!(scan(card.as_bytes()), Some(CardData::Pan), "{card}");
            assert_eq!(scan(format!("Order 7, card {card}, thanks").as_bytes()), Some(CardData::Pan));
        }
    }

    #[test]
    fn separators_and_neighbours_do_not_hide_a_card() {
        for text in [
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "3782.822463.10005",
            "2026-11-23 4111 1111 1111 1111",
            "ref 12 4111111111111111 34",
            "４１１１１１１１１１１１１１１１",
        ] {
            assert_eq!(scan(text.as_bytes()), Some(CardData::Pan), "{text}");
        }
    }

    #[test]
    fn ordinary_references_pass() {
        for text in [
            "4111111111111112",
            "INV-2026-000123",
            "0000000000000000",
            "411111111111111111111111",
            "2026-11-23T10:00:00",
            "1234567890123",
            "txn_1NirD82eZvKYlo2C",
        ] {
            assert_eq!(scan(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn tracks_and_codes_are_named() {
        assert_eq!(scan(b"%B4111111111111111^DOE/J^2512"), Some(CardData::Track));
        assert_eq!(scan(b";4111111111111111=2512101"), Some(CardData::Track));
        assert_eq!(forbidden_name("Card_CVV"), Some(CardData::Verification));
        assert_eq!(forbidden_name("Track-2"), Some(CardData::Track));
        assert_eq!(forbidden_name("reference"), None);
    }

    #[test]
    fn ibans_are_accounts() {
        assert!(is_iban(b"GB82 WEST 1234 5698 7654 32"));
        assert!(is_iban(b"DE89370400440532013000"));
        assert!(!is_iban(b"DE88370400440532013000"));
        assert!(!is_iban(b"4111111111111111"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_scanned_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes);
        }

        #[test]
        fn a_card_is_found_wherever_it_stands(card in 0..TEST_CARDS.len(), before in "[a-z ]{0,20}", after in "[a-z ]{0,20}") {
            let text = format!("{before}{}{after}", TEST_CARDS[card]);
            prop_assert!(scan(text.as_bytes()).is_some());
        }
    }
}
