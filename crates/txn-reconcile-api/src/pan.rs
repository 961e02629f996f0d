//! Finds payment card data in text, so that it can be refused before it is stored or logged.
//!
//! A card number (PAN) is 13 to 19 digits that pass the Luhn check and begin with an issuer range of a matching length
//! (ISO/IEC 7812). What counts:
//!
//! - Groups of digits with at most one space, `-`, `.` or `_` between them. A number begins and ends with a group.
//! - The groups of a printed card (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4) with the same one to three marks between them,
//!   whichever those are: two spaces, ` - `, `/`, `:`, `,` or `x`. As they stand on no card, other groups with such
//!   marks are dates, times and the fields of a row.
//! - Groups in two lines of one field: a line's end, with the spaces around it, is one space.
//! - Zeros before 15 or 16 digits that end their group: the padding of a field of fixed width.
//! - All of that in other writing: digits of other scripts, dashes, spaces that do not break, characters of no width,
//!   marks of direction, and escapes of JSON, TOML and XML.
//!
//! The digits of an IBAN whose country, length and check digits agree are an account. Track data (ISO/IEC 7813) needs
//! no Luhn check behind its start sentinel, and is never acceptable, nor are columns that hold verification codes or PIN
//! blocks (PCI DSS 3.3.1). What is found is named, never repeated.

use serde_json::Value;

mod fold;
mod iban;
mod names;

pub use self::names::{forbidden_name, shown};

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

/// Whether a text is an IBAN (ISO 13616), in upper case and without blanks, with right check digits.
#[must_use]
pub fn is_iban(text: &str) -> bool {
    iban::is_iban(text)
}

/// Digits of the shortest card number.
const DIGITS_MIN: usize = 13;

/// Looks for a card number or track data in a field or a line.
///
/// A group of more than 19 digits is no card number. Looking at every part of it would refuse most long bank references:
/// the seven lengths at each of its places pass Luhn by chance one time in ten.
#[inline]
#[must_use]
pub fn scan(text: &[u8]) -> Option<CardData> {
    if text.len() < DIGITS_MIN { None } else { search(text, false, true) }
}

/// [`scan`] for a text of many records, whose lines have nothing to do with each other.
#[must_use]
pub fn scan_lines(text: &[u8]) -> Option<CardData> {
    if text.len() < DIGITS_MIN { None } else { search(text, false, false) }
}

/// Looks for track data alone, where a long number may be something else.
#[must_use]
pub fn scan_track(text: &[u8]) -> Option<CardData> {
    if text.len() < DIGITS_MIN { None } else { search(text, true, true) }
}

fn search(text: &[u8], tracks_only: bool, join_lines: bool) -> Option<CardData> {
    let mut seen = Seen::default();
    let found = search_plain(text, tracks_only, &mut seen);
    let odd = seen.odd + if join_lines { seen.breaks } else { 0 };
    if found.is_some() || odd == 0 || seen.digits + odd < DIGITS_MIN {
        return found;
    }
    search_plain(&fold::fold(text, join_lines)?, tracks_only, &mut seen)
}

/// Counts that tell whether another way of writing could hide a number.
#[derive(Default)]
struct Seen {
    digits: usize,
    /// Characters beyond ASCII, those that begin an escape, and zeros of a wide encoding.
    odd: usize,
    /// Ends of lines.
    breaks: usize,
}

fn search_plain(text: &[u8], tracks_only: bool, seen: &mut Seen) -> Option<CardData> {
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            seen.odd += usize::from(text[at] >= 0xc0 || matches!(text[at], b'\\' | b'&' | 0));
            seen.breaks += usize::from(matches!(text[at], b'\n' | b'\r'));
            at += 1;
            continue;
        }
        let (last, end) = run(text, at);
        seen.digits += end - at;
        let what = if end - at >= DIGITS_MIN { examine(text, at, end) } else { None };
        let what = what.or_else(|| if end - last == 4 { printed(text, last) } else { None });
        match what {
            Some(CardData::Pan) if tracks_only => {}
            Some(what) => return Some(what),
            None => {}
        }
        at = end;
    }
    track(text)
}

/// Digits and the single separators between them, from `start` on: where the last group begins, and the end.
fn run(text: &[u8], start: usize) -> (usize, usize) {
    let (mut last, mut end) = (start, start);
    while end < text.len() {
        if !text[end].is_ascii_digit() {
            let separates = matches!(text[end], b' ' | b'-' | b'.' | b'_');
            if !separates || !text.get(end + 1).is_some_and(u8::is_ascii_digit) {
                break;
            }
            last = end + 1;
        }
        end += 1;
    }
    (last, end)
}

/// The digits from `start` on, without what follows them.
fn group(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    &rest[..rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len())]
}

/// Tries every sequence of whole digit groups in the run: a date before a card number must not hide it.
fn examine(text: &[u8], start: usize, end: usize) -> Option<CardData> {
    let mut from = start;
    while from < end {
        let first = group(text, from);
        let zeros = first.iter().take_while(|digit| **digit == b'0').count();
        if zeros > 0 && matches!(first.len() - zeros, 15 | 16) {
            let what = card(text, from + zeros, from + first.len());
            if what.is_some() {
                return what;
            }
        }
        let mut at = from + first.len();
        let mut digits = first.len();
        while digits <= 19 {
            if digits >= DIGITS_MIN {
                let what = card(text, from, at);
                if what.is_some() {
                    return what;
                }
            }
            if at >= end {
                break;
            }
            let next = group(text, at + 1).len();
            digits += next;
            at += 1 + next;
        }
        from += first.len() + 1;
    }
    None
}

/// Groups as they are printed on a card, from a group of four digits on, with the same marks between them.
fn printed(text: &[u8], start: usize) -> Option<CardData> {
    const MARKS: &[u8] = b" \t-._/,:;|*~+xX";
    let behind = &text[start + 4..];
    let length = behind.iter().take(4).take_while(|byte| MARKS.contains(byte)).count();
    if !(1..=3).contains(&length) {
        return None;
    }
    let marks = &behind[..length];
    let mut lengths = [0; 5];
    let mut at = start;
    for place in 0..lengths.len() {
        lengths[place] = group(text, at).len();
        let end = at + lengths[place];
        let whole = match lengths {
            [4, 4, 4, 4, 0 | 3] | [4, 6, 4 | 5, 0, 0] => card(text, start, end),
            _ => None,
        };
        if whole.is_some() {
            return whole;
        }
        if !text[end..].starts_with(marks) {
            break;
        }
        at = end + length;
    }
    None
}

/// Whether the digits in this part of the text are a card number, or track data.
fn card(text: &[u8], start: usize, end: usize) -> Option<CardData> {
    let mut digits = [0u8; 19];
    let mut count = 0;
    for digit in text[start..end].iter().filter(|byte| byte.is_ascii_digit()) {
        *digits.get_mut(count)? = digit - b'0';
        count += 1;
    }
    if !is_pan(&digits[..count]) || iban::covers(text, start, end) {
        return None;
    }
    Some(if goes_on_as_track(text, start, end) { CardData::Track } else { CardData::Pan })
}

/// Track 1 is `%B<PAN>^<name>^<YYMM>`, track 2 `;<PAN>=<YYMM><service code>`, with `D` for `=` in chips.
fn goes_on_as_track(text: &[u8], start: usize, end: usize) -> bool {
    let behind = || group(text, end + 1).len();
    match text.get(end) {
        Some(b'^') => start > 0 && matches!(text[start - 1], b'B' | b'b'),
        Some(b'=') => behind() >= 4,
        Some(b'D' | b'd') => behind() >= 7,
        _ => false,
    }
}

/// Track data by its start sentinel and separator, whatever its digits are.
fn track(text: &[u8]) -> Option<CardData> {
    memchr::memchr2_iter(b'=', b'^', text).find_map(|at| {
        let digits = text[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let before = &text[..at - digits];
        let begins = if text[at] == b'^' {
            before.ends_with(b"%B") || before.ends_with(b"%b")
        } else {
            before.ends_with(b";") && group(text, at + 1).len() >= 4
        };
        (begins && (12..=19).contains(&digits)).then_some(CardData::Track)
    })
}

/// Whether a value of JSON holds card data, in a key or in what stands under it. A hash (SHA-256 in hexadecimal) is none:
/// its digits look like a card number once in some thousand; nor is an amount (`currency` and `minor`), which is a number
/// of at least 13 digits where a currency's unit is small.
#[must_use]
pub fn in_value(value: &Value) -> bool {
    let is_hash =
        |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match value {
        Value::String(text) => !is_hash(text) && scan(text.as_bytes()).is_some(),
        Value::Number(number) => scan(number.to_string().as_bytes()).is_some(),
        Value::Array(items) => items.iter().any(in_value),
        Value::Object(fields) => {
            let amount = fields.len() == 2 && fields.contains_key("currency") && fields.contains_key("minor");
            !amount && fields.iter().any(|(key, value)| scan(key.as_bytes()).is_some() || in_value(value))
        }
        Value::Bool(_) | Value::Null => false,
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
            "4111  1111  1111  1111",
            "4111 - 1111 - 1111 - 1111",
            "4111/1111/1111/1111",
            "4111,1111,1111,1111",
            "4111:1111:1111:1111",
            "3782/822463/10005",
            "2026-11-23 4111/1111/1111/1111/2",
            "00004111111111111111",
            "0004111111111111111",
            "card 000378282246310005.",
        ] {
            assert_eq!(scan(text.as_bytes()), Some(CardData::Pan), "{text}");
        }
    }

    #[test]
    fn other_writing_does_not_hide_a_card() {
        for text in [
            "４１１１１１１１１１１１１１１１",
            "４１１１ １１１１ １１１１ １１１１",
            "٤١١١١١١١١١١١١١١١",
            "4111\u{a0}1111\u{a0}1111\u{a0}1111",
            "4111\u{2013}1111\u{2013}1111\u{2013}1111",
            "4111\u{200b}11111111\u{ad}1111",
            r"\u0034111111111111111",
            r"\\u0034\\u0031\\u003111111111\x31\U00000031111",
            r"4111\/1111\/1111\/1111",
            "&#52;11111111111&#x31;&#x0031;11",
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
            // The digits of a card in groups that no card has.
            "41/11/1111/1111/1111",
            "4111, 1111:1111, 1111",
            // A padding of a trace number, and one that is none.
            "036076150000003",
            "4000000000000",
        ] {
            assert_eq!(scan(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn tracks_are_named_whatever_their_digits_are() {
        for text in [
            "%B4111111111111111^DOE/J^2512",
            ";4111111111111111=2512101",
            "4111111111111111=25121010000012300000",
            "4111111111111111D25121010000012300000",
            ";4111111111111112=25121010000012300000?",
            "%B4111111111111112^DOE/J^2512101000",
            "４111111111111111=25121010000012300000",
        ] {
            assert_eq!(scan(text.as_bytes()), Some(CardData::Track), "{text}");
            assert_eq!(scan_track(text.as_bytes()), Some(CardData::Track), "{text}");
        }
        assert_eq!(scan_track(b"4111111111111111"), None);
        assert_eq!(scan_track(b"4111111111111111 ;4111111111111112=2512101"), Some(CardData::Track));
        assert_eq!(scan(b"A=1;1234567890123=no"), None);
    }

    #[test]
    fn card_data_is_seen_at_any_depth_and_hashes_are_not_mistaken_for_it() {
        use serde_json::json;
        let card = "4111111111111111";
        for value in [
            json!(card),
            json!({ "a": [1, { "b": card }] }),
            json!({ card: 1 }),
            json!(4_111_111_111_111_111_u64),
        ] {
            assert!(in_value(&value), "{value}");
        }
        let hash = format!("{card}{}", "a".repeat(48));
        for value in [
            json!(hash),
            json!({ "name": "ledger", "entries": 1_000_000 }),
            json!({ "currency": "VND", "minor": card }),
            json!(null),
        ] {
            assert!(!in_value(&value), "{value}");
        }
    }

    #[test]
    fn ibans_are_accounts() {
        // 18 digits that pass Luhn and begin like a Maestro card, and check digits that agree.
        let account = (0..1000).map(|tail| format!("5000000000000{tail:03}")).find_map(|account| {
            (2..99).map(|check| format!("AT{check:02}{account}")).find(|iban| {
                scan(iban.get(2..).unwrap_or_default().as_bytes()).is_some()
                    && iban::covers(iban.as_bytes(), 2, 20)
            })
        });
        let account = account.unwrap();
        assert_eq!(scan(account.as_bytes()), None);
        let spaced: Vec<&str> = [0, 4, 8, 12, 16].iter().map(|at| &account[*at..at + 4]).collect();
        assert_eq!(scan(spaced.join(" ").as_bytes()), None);
        assert_eq!(scan(format!("/IBAN/{account}/NAME/4111111111111111").as_bytes()), Some(CardData::Pan));
        assert_eq!(scan(account.replace("AT", "AX").as_bytes()), Some(CardData::Pan));
        assert_eq!(scan(b"DE89370400440532013000"), None);
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

        #[test]
        fn a_printed_card_is_found_with_any_marks(marks in "[-. _/:,|]{1,3}", before in "[a-zé ]{0,9}", zeros in 0usize..9) {
            for groups in [&["4111", "1111", "1111", "1111"][..], &["3782", "822463", "10005"]] {
                let text = format!("{before}{}", groups.join(&marks));
                prop_assert_eq!(scan(text.as_bytes()), Some(CardData::Pan), "{}", text);
            }
            let padded = format!("{before}{}4111111111111111", "0".repeat(zeros));
            prop_assert_eq!(scan(padded.as_bytes()), Some(CardData::Pan));
        }

        #[test]
        fn dates_times_and_amounts_of_a_row_are_no_card(day in 1u32..29, month in 1u32..13, hour in 0u32..24, amount in 0u32..10_000_000, comma in "[,;|\t]") {
            let row = format!("2026-{month:02}-{day:02}{comma}{hour:02}:30:59{comma}{amount}.25{comma}EUR{comma}{amount}.00");
            prop_assert_eq!(scan(row.as_bytes()), None);
        }
    }
}
