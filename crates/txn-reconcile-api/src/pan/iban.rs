//! International bank account numbers (ISO 13616): accounts, whose digits may look like those of a card.

/// Countries and the lengths of their numbers, as the registry has them (SWIFT IBAN Registry, release 99).
const LENGTHS: &str = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24\
    FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25\
    MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23\
    ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// Countries whose numbers hold no letters behind their own two.
const DIGITS_ONLY: &str =
    "AE AT BA BE CZ DE DK EE ES FI FO HR HU IL IS LT ME MN MR NO PL PT RS SD SE SI SK SO TL TN VA XK";

/// Bytes that the longest number takes with a space between any two of its characters.
const BYTES_MAX: usize = 2 * 34;

/// Whether this part of the text lies in an account number.
pub(super) fn covers(text: &[u8], start: usize, end: usize) -> bool {
    (start.saturating_sub(BYTES_MAX)..start)
        .any(|at| iban_end(&text[at..]).is_some_and(|length| at + length >= end))
}

/// Whether the text is an account number, without blanks.
pub(super) fn is_iban(text: &str) -> bool {
    iban_end(text.as_bytes()) == Some(text.len()) && !text.contains(' ')
}

/// Length of the account number that the text begins with: country, length of that country, and a remainder of 1
/// modulo 97. Spaces may stand between groups of four characters; nothing follows that could belong to it.
fn iban_end(text: &[u8]) -> Option<usize> {
    let [a @ b'A'..=b'Z', b @ b'A'..=b'Z', ..] = text else { return None };
    let entry = LENGTHS.as_bytes().chunks_exact(4).find(|entry| entry[..2] == [*a, *b])?;
    let length = usize::from(entry[2] - b'0') * 10 + usize::from(entry[3] - b'0');
    let mut number = [0; 34];
    let mut at = 0;
    for (count, place) in number.get_mut(..length)?.iter_mut().enumerate() {
        if count % 4 == 0 && text.get(at) == Some(&b' ') {
            at += 1;
        }
        *place = *text.get(at).filter(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())?;
        at += 1;
    }
    let remainder = number[4..length].iter().chain(&number[..4]).fold(0u32, |remainder, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        _ => (remainder * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    let country = [*a, *b];
    let digits =
        if DIGITS_ONLY.as_bytes().chunks(3).any(|one| one.starts_with(&country)) { length } else { 4 };
    let ends = text.get(at).is_none_or(|next| !next.is_ascii_alphanumeric());
    (ends && number[2..digits].iter().all(u8::is_ascii_digit) && remainder == 1).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_known_by_country_length_and_check_digits() {
        for (text, length) in [
            ("GB82 WEST 1234 5698 7654 32", Some(27)),
            ("DE89370400440532013000 and more", Some(22)),
            ("DE88370400440532013000", None),
            ("DE893704004405320130", None),
            ("XX89370400440532013000", None),
            ("4111111111111111", None),
            ("DE893704004405320130001", None),
            ("DE8937040044053201300 0", None),
            // These letters make a remainder of 1, and no number of this country has any.
            ("SE4111111111111111PA INCA", None),
        ] {
            assert_eq!(iban_end(text.as_bytes()), length, "{text}");
        }
        assert_eq!(LENGTHS.len() % 4, 0);
        assert!(LENGTHS.as_bytes().chunks_exact(4).is_sorted());
    }
}
