//! A small XML tokenizer for untrusted input: no document type definitions, no entities but the five of the standard
//! and character references, bounded depth. It takes whole tokens from the front of a buffer.

use super::ReadError;

/// A piece of markup or text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A start tag: local name, its attributes as written, and whether it closes itself.
    Start { name: &'a str, attributes: &'a str, closes: bool },
    /// An end tag's local name.
    End { name: &'a str },
    /// Character data with its escapes, or the inside of a CDATA section.
    Text { text: &'a str, literal: bool },
    /// Comment, processing instruction, declaration.
    Nothing,
}

/// The first token and its length in bytes; none if it is not whole yet.
pub(crate) fn token(data: &[u8], last: bool, line: u64) -> Result<Option<(Token<'_>, usize)>, ReadError> {
    let malformed = |message: &str| ReadError::Malformed { line, message: message.to_owned() };
    let text =
        |bytes| std::str::from_utf8(bytes).map_err(|_| malformed("not in the declared character encoding"));
    let until = |start: usize, mark: &[u8]| {
        memchr::memmem::find(&data[start.min(data.len())..], mark).map(|at| start + at)
    };
    if data.first() != Some(&b'<') {
        return match memchr::memchr(b'<', data) {
            Some(end) => Ok(Some((Token::Text { text: text(&data[..end])?, literal: false }, end))),
            None if last => Ok(Some((Token::Text { text: text(data)?, literal: false }, data.len()))),
            None => Ok(None),
        };
    }
    let special: Option<(&[u8], &[u8])> = if data.starts_with(b"<!--") {
        Some((b"<!--", b"-->"))
    } else if data.starts_with(b"<![CDATA[") {
        Some((b"<![CDATA[", b"]]>"))
    } else if data.starts_with(b"<?") {
        Some((b"<?", b"?>"))
    } else {
        None
    };
    if let Some((open, close)) = special {
        return match until(open.len(), close) {
            Some(end) if open == b"<![CDATA[" => {
                let inside = text(&data[open.len()..end])?;
                Ok(Some((Token::Text { text: inside, literal: true }, end + close.len())))
            }
            Some(end) => Ok(Some((Token::Nothing, end + close.len()))),
            None if last => Err(malformed("the file ends inside a comment or section")),
            None => Ok(None),
        };
    }
    if data.starts_with(b"<!") {
        // The beginning of a comment or CDATA section may be cut off by the end of the buffer.
        let undecided =
            data.len() < 9 && !last && (b"<![CDATA[".starts_with(data) || b"<!--".starts_with(data));
        return if undecided { Ok(None) } else { Err(ReadError::Dtd { line }) };
    }
    match tag_end(data) {
        Some(end) => tag(text(&data[1..end])?)
            .map(|token| Some((token, end + 1)))
            .ok_or_else(|| malformed("not a tag")),
        None if last => Err(malformed("the file ends inside a tag")),
        None => Ok(None),
    }
}

/// The closing bracket of a tag, leaving aside those in quoted attribute values.
fn tag_end(data: &[u8]) -> Option<usize> {
    let mut quote = None;
    for at in memchr::memchr3_iter(b'>', b'"', b'\'', data) {
        match quote {
            None if data[at] == b'>' => return Some(at),
            None => quote = Some(data[at]),
            Some(open) if data[at] == open => quote = None,
            Some(_) => {}
        }
    }
    None
}

/// The inside of a tag.
fn tag(inside: &str) -> Option<Token<'_>> {
    if let Some(name) = inside.strip_prefix('/') {
        return local(name.trim_end()).map(|name| Token::End { name });
    }
    let (inside, closes) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
    let (name, attributes) = inside.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((inside, ""));
    local(name).map(|name| Token::Start { name, attributes, closes })
}

/// A name without its prefix.
fn local(name: &str) -> Option<&str> {
    let name = name.rsplit(':').next()?;
    let valid = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    valid.then_some(name)
}

/// The value of an attribute, without unescaping.
pub(crate) fn attribute<'a>(attributes: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = attributes;
    loop {
        let (name, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = behind[1..].split_once(quote)?;
        if name.trim().rsplit(':').next() == Some(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

/// Appends character data with its escapes resolved; false if one of them is not known, which then stays as it is.
pub(crate) fn unescape(text: &str, out: &mut String) -> bool {
    let mut rest = text;
    let mut known = true;
    while let Some((plain, behind)) = rest.split_once('&') {
        out.push_str(plain);
        let escape = behind.split_once(';').and_then(|(name, next)| {
            let resolved = match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => reference(name),
            };
            Some((resolved?, next))
        });
        let (c, next) = escape.unwrap_or(('&', behind));
        known &= escape.is_some();
        out.push(c);
        rest = next;
    }
    out.push_str(rest);
    known
}

/// `#8364` or `#x20ac`.
fn reference(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(code).filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(mut data: &[u8]) -> Result<Vec<String>, ReadError> {
        let mut all = Vec::new();
        while let Some((token, length)) = token(data, true, 1)? {
            if length == 0 {
                break;
            }
            all.push(format!("{token:?}"));
            data = &data[length..];
        }
        Ok(all)
    }

    #[test]
    fn tags_texts_and_sections() {
        let all = tokens(b"<?xml?><a:b c=\"x>y\"><!-- < --><d/><![CDATA[&]]>t&amp;</a:b>").unwrap();
        assert_eq!(all.len(), 7);
        assert_eq!(all[1], "Start { name: \"b\", attributes: \"c=\\\"x>y\\\"\", closes: false }");
        assert_eq!(all[4], "Text { text: \"&\", literal: true }");
        assert_eq!(attribute("a='1' x:Ccy=\"EUR\"", "Ccy"), Some("EUR"));
    }

    #[test]
    fn document_types_are_refused() {
        assert_eq!(tokens(b"<!DOCTYPE a [<!ENTITY b \"c\">]><a/>"), Err(ReadError::Dtd { line: 1 }));
    }

    #[test]
    fn only_standard_escapes_are_resolved() {
        let mut out = String::new();
        assert!(unescape("a&lt;&#8364;&#x20ac;&amp;", &mut out));
        assert_eq!(out, "a<€€&");
        assert!(!unescape("&bomb;", &mut out));
        assert!(!unescape("&#0;", &mut out));
        out.clear();
        assert!(!unescape("a & b &bomb; &gt;", &mut out));
        assert_eq!(out, "a & b &bomb; >");
    }
}
