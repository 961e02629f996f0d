//! Names of columns, keys and elements: which say that they hold what may not be kept, and which may be shown.

use super::{CardData, scan};

/// Longest name that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 64;

/// Digits that a name may hold to be shown: with more it may be data in the place of a name.
const SHOWN_DIGITS_MAX: usize = 8;

/// A name of the input as it may stand in a message: as it is, unless it may be data.
#[must_use]
pub fn shown(name: &str) -> &str {
    let plain = name.chars().count() <= SHOWN_CHARS_MAX
        && name.chars().filter(|c| c.is_numeric()).count() <= SHOWN_DIGITS_MAX
        && !name.chars().any(char::is_control)
        && scan(name.as_bytes()).is_none();
    if plain { name } else { "(name withheld)" }
}

/// Whether a column or key name says that it holds data which may never be stored after authorisation: a verification
/// code, a PIN, or what a magnetic stripe holds. What says how the check of a code went is none of these.
#[must_use]
pub fn forbidden_name(name: &str) -> Option<CardData> {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    if has(&["result", "check", "status", "response", "match", "matched", "indicator", "presence", "present"])
    {
        return None;
    }
    let within = |parts: &[&str]| parts.iter().any(|part| plain.contains(part));
    // "csc" and "pin" alone are words of their own; "PIN code" is a postal code in India.
    let code = words.iter().any(|word| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        ["cvv", "cvc", "cvn", "cvd"].iter().any(|code| word.starts_with(code))
            || word.ends_with("cvv")
            || word.ends_with("cvc")
    });
    if code
        || has(&["cav2", "csc", "cscval"])
        || ["pin", "pinblock", "pinnumber", "pinblk"].contains(&plain.as_str())
        || within(&["cardpin", "pinblock", "atmpin", "debitpin"])
        || within(&["cardverification", "cardsecurity", "securitycode", "cardsctycd", "csccode", "cardcsc"])
    {
        return Some(CardData::Verification);
    }
    let numbered = |part: &str| {
        let behind = plain.find(part).map(|at| &plain[at + part.len()..]);
        behind.is_some_and(|behind| !behind.starts_with(|c: char| c.is_ascii_digit()))
    };
    let track = numbered("track1") || numbered("track2") || numbered("track3");
    let track = track || within(&["trackdata", "trckdata", "trckval", "magstripe", "magneticstripe"]);
    track.then_some(CardData::Track)
}

/// The words of a name, in lower case: parted by marks, and by a capital behind a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (small && c.is_ascii_uppercase()) {
            words.push(String::new());
        }
        small = c.is_ascii_lowercase();
        if c.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_codes_and_tracks_are_known_in_any_spelling() {
        for name in [
            "cvv",
            "CVV2",
            "CVV Code",
            "card_cvc",
            "cardCvc",
            "cardcvc2",
            "CVN",
            "PAN/CVV",
            "csc",
            "CSCVal",
            "CAV2",
            "Card Verification Code",
            "security_code",
            "pin",
            "PIN Block",
            "card_pin",
            "atm-pin",
            "cvccode",
        ] {
            assert_eq!(forbidden_name(name), Some(CardData::Verification), "{name}");
        }
        for name in ["Track-2", "track1", "card.track_2_data", "TrckData", "magStripe", "Track Data"] {
            assert_eq!(forbidden_name(name), Some(CardData::Track), "{name}");
        }
        for name in [
            "reference",
            "CVV Response Code",
            "cvc_check",
            "card_cvc_result",
            "cvvResult",
            "recvcurrency",
            "amount_recvd",
            "PIN Code",
            "pincode",
            "shipping",
            "pinned",
            "track_id",
            "track10",
            "soundtrack",
            "",
        ] {
            assert_eq!(forbidden_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_may_be_data_is_not_shown() {
        for name in ["reference", "Betrag (EUR)", "Währung", "#12", "meta.lines.0.id", "2026-11-02"] {
            assert_eq!(shown(name), name);
        }
        for name in [
            "4111111111111111",
            "4111111111111112",
            "a4111111111111111",
            "411111111.x",
            "a\nb",
            &"x".repeat(65),
        ] {
            assert_eq!(shown(name), "(name withheld)");
        }
    }
}
