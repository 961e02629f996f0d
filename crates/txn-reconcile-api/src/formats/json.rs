//! A JSON object flattened to paths and values. Numbers keep their digits as written: no float stands in between.

/// Why a text is not such an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonError {
    Malformed,
    TooDeep,
}

/// Paths (`amount.value`, `lines.0.id`) and values of one object, in buffers that are used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Flat {
    path: String,
    paths: String,
    values: String,
    /// Ends of each path and value in their buffers.
    ends: Vec<(usize, usize)>,
}

impl Flat {
    /// Reads an object.
    pub fn read(&mut self, text: &str, depth_max: usize) -> Result<(), JsonError> {
        self.path.clear();
        self.paths.clear();
        self.values.clear();
        self.ends.clear();
        let mut scanner = Scanner { text: text.as_bytes(), at: 0, depth_max };
        scanner.blank();
        if scanner.peek() != Some(b'{') {
            return Err(JsonError::Malformed);
        }
        scanner.value(self, 0)?;
        scanner.blank();
        if scanner.at == text.len() { Ok(()) } else { Err(JsonError::Malformed) }
    }

    /// Paths and values, in the order of the text.
    pub fn items(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = (0, 0);
        self.ends.iter().map(move |&(path, value)| {
            let item = (&self.paths[start.0..path], &self.values[start.1..value]);
            start = (path, value);
            item
        })
    }

    fn end_item(&mut self) {
        self.paths.push_str(&self.path);
        self.ends.push((self.paths.len(), self.values.len()));
    }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    depth_max: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blank(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        self.blank();
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(JsonError::Malformed)
        }
    }

    fn value(&mut self, flat: &mut Flat, depth: usize) -> Result<(), JsonError> {
        if depth > self.depth_max {
            return Err(JsonError::TooDeep);
        }
        self.blank();
        match self.peek() {
            Some(b'{') => self.members(flat, depth, true),
            Some(b'[') => self.members(flat, depth, false),
            Some(b'"') => {
                self.string(&mut flat.values)?;
                flat.end_item();
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number(&mut flat.values)?;
                flat.end_item();
                Ok(())
            }
            _ => self.word(flat),
        }
    }

    /// The members of an object or an array.
    fn members(&mut self, flat: &mut Flat, depth: usize, object: bool) -> Result<(), JsonError> {
        let close = if object { b'}' } else { b']' };
        self.at += 1;
        self.blank();
        if self.peek() == Some(close) {
            self.at += 1;
            // Its key is to be seen even so.
            flat.end_item();
            return Ok(());
        }
        let parent = flat.path.len();
        for index in 0.. {
            if parent > 0 {
                flat.path.push('.');
            }
            if object {
                self.blank();
                let mut path = std::mem::take(&mut flat.path);
                let key = self.string(&mut path);
                flat.path = path;
                key?;
                self.expect(b':')?;
            } else {
                flat.path.push_str(&usize::to_string(&index));
            }
            self.value(flat, depth + 1)?;
            flat.path.truncate(parent);
            self.blank();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(JsonError::Malformed),
            }
        }
        Ok(())
    }

    fn string(&mut self, out: &mut String) -> Result<(), JsonError> {
        if self.peek() != Some(b'"') {
            return Err(JsonError::Malformed);
        }
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).ok_or(JsonError::Malformed)?;
            let end = memchr::memchr2(b'"', b'\\', rest).ok_or(JsonError::Malformed)?;
            let plain = std::str::from_utf8(&rest[..end]).map_err(|_| JsonError::Malformed)?;
            if plain.bytes().any(|byte| byte < 0x20) {
                return Err(JsonError::Malformed);
            }
            out.push_str(plain);
            self.at += end + 1;
            if rest[end] == b'"' {
                return Ok(());
            }
            self.escape(out)?;
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), JsonError> {
        let c = match self.peek() {
            Some(b @ (b'"' | b'\\' | b'/')) => char::from(b),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                out.push(self.unicode()?);
                return Ok(());
            }
            _ => return Err(JsonError::Malformed),
        };
        self.at += 1;
        out.push(c);
        Ok(())
    }

    /// The character of a `\u` escape, which may take two of them.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first).ok_or(JsonError::Malformed);
        }
        if self.text.get(self.at..self.at + 2) != Some(b"\\u") {
            return Err(JsonError::Malformed);
        }
        self.at += 2;
        let second = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) || !(0xdc00..0xe000).contains(&second) {
            return Err(JsonError::Malformed);
        }
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(JsonError::Malformed)
    }

    fn hex(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(JsonError::Malformed)?;
        self.at += 4;
        digits.iter().try_fold(0, |value, digit| {
            char::from(*digit).to_digit(16).map(|digit| value * 16 + digit).ok_or(JsonError::Malformed)
        })
    }

    /// A number, as written. Exponents are refused later, where an amount is wanted.
    fn number(&mut self, out: &mut String) -> Result<(), JsonError> {
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .count();
        out.push_str(std::str::from_utf8(&rest[..length]).map_err(|_| JsonError::Malformed)?);
        self.at += length;
        Ok(())
    }

    fn word(&mut self, flat: &mut Flat) -> Result<(), JsonError> {
        for (word, value) in [("null", ""), ("true", "true"), ("false", "false")] {
            if self.text[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                flat.values.push_str(value);
                flat.end_item();
                return Ok(());
            }
        }
        Err(JsonError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flat(text: &str) -> Result<Vec<(String, String)>, JsonError> {
        let mut flat = Flat::default();
        flat.read(text, 8)?;
        Ok(flat.items().map(|(path, value)| (path.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn nested_values_get_dotted_paths() {
        let items =
            flat(r#" {"id":"a\"\u20ac\ud83d\ude00","amount":{"value":12.50,"tags":[1,{"x":null}]},"e":{}} "#)
                .unwrap();
        let expected = [
            ("id", "a\"€😀"),
            ("amount.value", "12.50"),
            ("amount.tags.0", "1"),
            ("amount.tags.1.x", ""),
            ("e", ""),
        ];
        assert_eq!(items, expected.map(|(path, value)| (path.to_owned(), value.to_owned())));
    }

    #[test]
    fn large_numbers_keep_their_digits() {
        let items = flat(r#"{"n":123456789012345678901234567890.10}"#).unwrap();
        assert_eq!(items[0].1, "123456789012345678901234567890.10");
    }

    #[test]
    fn faults_are_found() {
        for text in [
            "",
            "[1]",
            "{",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}x",
            "{\"a\":\"\\ud800\"}",
            "{a:1}",
            "{\"a\" 1}",
        ] {
            assert_eq!(flat(text), Err(JsonError::Malformed), "{text}");
        }
        assert_eq!(
            flat(&format!("{{\"a\":{}1{}}}", "[".repeat(20), "]".repeat(20))),
            Err(JsonError::TooDeep)
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC*") {
            let _ = flat(&text);
        }

        #[test]
        fn what_a_serializer_writes_is_read(key in "[a-z]{1,8}", value in "\\PC{0,20}") {
            let text = serde_json::json!({ key.clone(): value.clone() }).to_string();
            prop_assert_eq!(flat(&text).unwrap(), vec![(key, value)]);
        }
    }
}
