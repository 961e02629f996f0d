//! References that a ruleset makes of what entries say: found by a regular expression, without prefix and zeros, with
//! right check digits.
//!
//! They stand beside the entry's own reference, normalized, and change nothing that is kept of an entry.

use std::collections::HashMap;

use super::keys::parallel;
use super::{Run, Side, normalize};
use crate::entry::details;
use crate::rules::Prepare;
use crate::rules::file::{CheckDigits, PrepareField, SideName};

/// References that are made of one entry at most.
const REFERENCES_MAX: usize = 64;

/// Words of a field that are looked through for check digits, and how many of them a reference is split into at most.
const WORDS_MAX: usize = 128;
const WORDS_JOINED_MAX: usize = 9;

/// The references that were made, by side and row.
#[derive(Debug, Default)]
pub(crate) struct Prepared([HashMap<u32, Vec<Vec<u8>>>; 2]);

impl Prepared {
    /// Makes the references of both sides.
    pub fn new(run: &Run<'_>) -> Self {
        if run.rules.prepare.is_empty() {
            return Self::default();
        }
        Self(Side::BOTH.map(|side| {
            let of_side = |one: &&Prepare| {
                one.side.is_none_or(|wanted| (wanted == SideName::Left) == (side == Side::Left))
            };
            let rules: Vec<&Prepare> = run.rules.prepare.iter().filter(of_side).collect();
            let parts = parallel(run.set(side).len(), run.threads, |range| {
                let rows = range.filter_map(|row| u32::try_from(row).ok());
                let made = rows.map(|row| (row, references(run, &rules, side, row)));
                made.filter(|(_, references)| !references.is_empty()).collect::<Vec<_>>()
            });
            parts.into_iter().flatten().collect()
        }))
    }

    /// Whether none was made.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(HashMap::is_empty)
    }

    /// Those of an entry, in the order of the ruleset.
    pub fn of(&self, side: Side, row: u32) -> &[Vec<u8>] {
        self.0[side as usize].get(&row).map(Vec::as_slice).unwrap_or_default()
    }
}

fn references(run: &Run<'_>, rules: &[&Prepare], side: Side, row: u32) -> Vec<Vec<u8>> {
    let set = run.set(side);
    let own = run.reference(side, row).map(normalize).unwrap_or_default();
    let mut made: Vec<Vec<u8>> = Vec::new();
    for rule in rules {
        for field in &rule.fields {
            let texts: Vec<&str> = match field {
                PrepareField::Reference => vec![set.reference(row)],
                PrepareField::Description => vec![set.description(row)],
                PrepareField::Group => vec![set.group(row)],
                PrepareField::Counterparty => vec![set.counterparty(row)],
                PrepareField::Details => {
                    let shared = details::iter(set.details(row)).filter(|(detail, _)| detail.is_shared());
                    shared.map(|(_, value)| value).collect()
                }
            };
            for reference in texts.into_iter().flat_map(|text| make(rule, text)) {
                if reference != own && !made.contains(&reference) && made.len() < REFERENCES_MAX {
                    made.push(reference);
                }
            }
        }
    }
    made
}

/// The references that a rule makes of a text.
fn make(rule: &Prepare, text: &str) -> Vec<Vec<u8>> {
    if text.is_empty() {
        return Vec::new();
    }
    let joined: String;
    let text = if rule.join_words {
        joined = text.split_whitespace().collect();
        joined.as_str()
    } else {
        text
    };
    let found: Vec<Vec<u8>> = match (&rule.find, rule.check) {
        (Some(find), _) => {
            let captures = find.captures_iter(text).take(REFERENCES_MAX);
            let taken = captures.filter_map(|found| found.get(1).or_else(|| found.get(0)));
            taken.map(|found| normalize(found.as_str().as_bytes())).collect()
        }
        (None, Some(check)) => windows(check, text),
        (None, None) => vec![normalize(text.as_bytes())],
    };
    let mut made = Vec::new();
    for reference in found {
        match rule.check {
            None => made.push(shape(rule, &reference)),
            Some(check) => {
                if let Some(body) = body(check, &reference) {
                    made.push(shape(rule, body));
                    made.push(reference);
                }
            }
        }
    }
    made.retain(|reference| {
        !reference.is_empty() && !std::str::from_utf8(reference).is_ok_and(details::is_placeholder)
    });
    made
}

/// Prefixes and zeros taken off, and the prefix put before.
fn shape(rule: &Prepare, reference: &[u8]) -> Vec<u8> {
    let mut rest = reference;
    for prefix in &rule.drop_prefix {
        rest = rest.strip_prefix(prefix.as_slice()).unwrap_or(rest);
    }
    if rule.drop_zeros {
        let zeros = rest.iter().take_while(|byte| **byte == b'0').count();
        rest = &rest[zeros..];
    }
    if rest.is_empty() { Vec::new() } else { [&rule.add_prefix, rest].concat() }
}

/// Few words of a text, one behind the other, that have right check digits together.
fn windows(check: CheckDigits, text: &str) -> Vec<Vec<u8>> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')' | '"'));
    let words: Vec<Vec<u8>> = words
        .map(|word| normalize(word.as_bytes()))
        .filter(|word| !word.is_empty())
        .take(WORDS_MAX)
        .collect();
    let mut found = Vec::new();
    for start in 0..words.len() {
        let mut joined = Vec::new();
        for word in words[start..].iter().take(WORDS_JOINED_MAX) {
            joined.extend_from_slice(word);
            if joined.len() > 27 {
                break;
            }
            if body(check, &joined).is_some() {
                found.push(joined.clone());
            }
        }
    }
    found
}

/// What is left of a normalized reference without its check digits; none if they are not right.
fn body(check: CheckDigits, reference: &[u8]) -> Option<&[u8]> {
    let digits = || reference.iter().all(u8::is_ascii_digit);
    match check {
        // ISO 11649: the first four characters go to the end, letters become 10 to 35, and the remainder is 1.
        CheckDigits::Rf => {
            let rest = reference.strip_prefix(b"RF")?;
            let (digits, body) = rest.split_at_checked(2)?;
            let plain = digits.iter().all(u8::is_ascii_digit) && body.iter().all(u8::is_ascii_alphanumeric);
            let in_order = body.iter().chain(b"RF").chain(digits);
            ((1..=21).contains(&body.len()) && plain && remainder_97(in_order) == 1).then_some(body)
        }
        // SIX, Swiss Implementation Guidelines QR-bill, annex B: modulo 10, recursive.
        CheckDigits::Qrr => {
            const TABLE: [u8; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
            let (last, body) = reference.split_last()?;
            if reference.len() != 27 || !digits() {
                return None;
            }
            let carry = body.iter().fold(0, |carry, digit| TABLE[usize::from((carry + (digit - b'0')) % 10)]);
            ((10 - carry) % 10 == last - b'0').then_some(body)
        }
        // Febelfin, structured communication: the remainder of the ten digits, and 97 for none.
        CheckDigits::Ogm => {
            if reference.len() != 12 || !digits() {
                return None;
            }
            let (body, last) = reference.split_at(10);
            let stated = u32::from(last[0] - b'0') * 10 + u32::from(last[1] - b'0');
            let expected = match remainder_97(body.iter()) {
                0 => 97,
                rest => rest,
            };
            (stated == expected).then_some(body)
        }
    }
}

/// The remainder modulo 97 of letters (10 to 35) and digits written one behind the other.
fn remainder_97<'a>(characters: impl Iterator<Item = &'a u8>) -> u32 {
    characters.fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        _ => (rest * 100 + u32::from(byte.to_ascii_uppercase().saturating_sub(b'A')) + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Prepare {
        let text =
            format!("version = 2\nname = \"t\"\n[[prepare]]\n{text}\n[[pass]]\nname = \"p\"\nexact = {{}}\n");
        crate::rules::load(&text).unwrap().prepare.remove(0)
    }

    fn made(settings: &str, text: &str) -> Vec<String> {
        make(&rule(settings), text).into_iter().map(|one| String::from_utf8(one).unwrap()).collect()
    }

    #[test]
    fn check_digits_are_those_of_the_standards() {
        // The examples of ISO 11649, of SIX's Implementation Guidelines and of Febelfin's description.
        for (check, reference, rest) in [
            (CheckDigits::Rf, "RF18539007547034", "539007547034"),
            (CheckDigits::Rf, "RF712348231", "2348231"),
            (CheckDigits::Qrr, "210000000003139471430009017", "21000000000313947143000901"),
            (CheckDigits::Ogm, "090933755493", "0909337554"),
        ] {
            assert_eq!(body(check, reference.as_bytes()), Some(rest.as_bytes()), "{reference}");
            // One digit that is wrong, and two that have changed places.
            let mut wrong = reference.as_bytes().to_vec();
            let last = wrong.len() - 1;
            wrong[last] = if wrong[last] == b'9' { b'0' } else { wrong[last] + 1 };
            assert_eq!(body(check, &wrong), None, "{reference}");
        }
        assert_eq!(body(CheckDigits::Ogm, b"000000000097"), Some(&b"0000000000"[..]), "97 stands for none");
        assert_eq!(body(CheckDigits::Rf, b"RF18"), None);
        assert_eq!(body(CheckDigits::Qrr, b""), None);
    }

    #[test]
    fn references_with_check_digits_are_found_over_blanks() {
        let text = "Rechnung RF18 5390 0754 7034 vom 3.11.";
        assert_eq!(
            made("check = \"rf\"\nfields = [\"description\"]", text),
            ["539007547034", "RF18539007547034"]
        );
        let qrr = "21 00000 00003 13947 14300 09017";
        let expected = ["21000000000313947143000901", "210000000003139471430009017"];
        assert_eq!(made("check = \"qrr\"", qrr), expected);
        assert_eq!(made("check = \"ogm\"", "+++090/9337/55493+++"), ["0909337554", "090933755493"]);
        assert_eq!(made("check = \"rf\"", "RF19 5390 0754 7034"), Vec::<String>::new());
    }

    #[test]
    fn a_reference_is_found_cut_and_put_together() {
        let find = r"find = 'INV[- ]?(\d{4}[- ]?\d+)'";
        assert_eq!(made(find, "pays INV-2026-0007 and INV 2026 0008"), ["20260007", "20260008"]);
        assert_eq!(
            made("find = 'inv-\\d+'", "INV-1"),
            Vec::<String>::new(),
            "case counts unless it says (?i)"
        );
        assert_eq!(made("find = '(?i)inv-\\d+'", "inv-1"), ["INV1"]);
        assert_eq!(made("drop_prefix = [\"ORD-\"]\ndrop_zeros = true", "ord-000123"), ["123"]);
        assert_eq!(made("drop_zeros = true\nadd_prefix = \"RE\"", "000123"), ["RE123"]);
        assert_eq!(made("drop_zeros = true", "0000"), Vec::<String>::new());
        let split = "join_words = true\nfind = 'INV-\\d{4}-\\d{4}'";
        assert_eq!(made(split, "INV-20\n26-00 07 and more"), ["INV20260007"]);
    }
}
