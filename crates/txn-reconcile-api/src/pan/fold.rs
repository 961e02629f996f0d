//! Other ways of writing the same digits and marks, folded to ASCII.

/// The zeros of the decimal digits of other scripts, as Unicode lists them (general category Nd), those that are in
/// common use.
const ZEROS: [u32; 17] = [
    0x660, 0x6f0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0x1040,
    0x17e0, 0x1810, 0xff10,
];

/// The text with escapes resolved, digits, dashes and spaces in ASCII, and without characters of no width; with
/// `join_lines` the end of a line, and the spaces around it, are one space. None if that changes nothing.
pub(super) fn fold(text: &[u8], join_lines: bool) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let mut folded = String::with_capacity(text.len());
    let mut rest = &*text;
    let mut changed = false;
    while let Some(c) = rest.chars().next() {
        let (c, length, escaped) = match c {
            '\\' => backslash(rest),
            '&' => reference(rest),
            _ => None,
        }
        .map_or((c, c.len_utf8(), false), |(c, length)| (c, length, true));
        if join_lines && matches!(c, '\n' | '\r') {
            folded.truncate(folded.trim_end().len());
            folded.push(' ');
            rest = rest[length..].trim_start();
            changed = true;
            continue;
        }
        let plain = plain(c);
        changed |= escaped || plain != Some(c);
        folded.extend(plain);
        rest = &rest[length..];
    }
    changed.then(|| folded.into_bytes())
}

/// The character in ASCII if it is a digit, dash or space; none if it has no width.
fn plain(c: char) -> Option<char> {
    match c {
        // Between digits: UTF-16 that was taken for something else.
        '\0' => None,
        '\x01'..='\x7f' => Some(c),
        _ if ignorable(c) => None,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2043}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => Some('-'),
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{30fb}' => Some('.'),
        '\u{d7}' | '\u{2715}' => Some('x'),
        // The mathematical digits come in five styles.
        '\u{1d7ce}'..='\u{1d7ff}' => digit((u32::from(c) - 0x1d7ce) % 10),
        _ if c.is_whitespace() => Some(' '),
        _ => {
            let value =
                ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10));
            value.map_or(Some(c), digit)
        }
    }
}

/// Whether a character is shown as nothing: the property `Default_Ignorable_Code_Point` of Unicode 16
/// (<https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt>), marks of direction among them.
pub(super) fn ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

fn digit(value: u32) -> Option<char> {
    char::from_digit(value, 10)
}

/// `\u0034`, `\U00000034`, `\x34`, and `\/`; an escape within a string of another notation has its backslash doubled.
fn backslash(text: &str) -> Option<(char, usize)> {
    let behind = text.trim_start_matches('\\');
    let at = text.len() - behind.len();
    let mark = behind.chars().next()?;
    let digits = match mark {
        'u' => 4,
        'U' => 8,
        'x' => 2,
        '/' => return Some(('/', at + 1)),
        _ => return None,
    };
    let code = u32::from_str_radix(behind.get(1..=digits)?, 16).ok()?;
    Some((char::from_u32(code)?, at + 1 + digits))
}

/// `&#52;` and `&#x34;`.
fn reference(text: &str) -> Option<(char, usize)> {
    let behind = text.strip_prefix("&#")?;
    let digits = &behind[..behind.find(';').filter(|length| *length <= 10)?];
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    Some((char::from_u32(code.ok()?)?, 2 + digits.len() + 1))
}
