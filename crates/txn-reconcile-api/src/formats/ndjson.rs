//! JSON: one object on each line (NDJSON), or an array of objects, with the columns of a mapping as their keys.

use std::collections::HashMap;

use super::json::{Flat, JsonError};
use super::mapping::{Field, Mapping, plain_name};
use super::row::{Fields, Place, Rows};
use super::{Collector, Line, Parser, ReadError, for_each_line};
use crate::entry::RawPlace;
use crate::hash;
use crate::pan::{self, CardData};

/// The NDJSON parser.
#[derive(Debug)]
pub(crate) struct NdjsonParser {
    mapping: Mapping,
    depth_max: usize,
    line: u64,
    flat: Flat,
    /// What is known of each key.
    known: HashMap<String, Known>,
    rows: Rows,
    /// Where in an array the text stands; none if it is one object on each line, or not known yet.
    array: Option<Array>,
    begun: bool,
    /// Keys by field, as the last row with them had them.
    names: [String; Field::ALL.len()],
}

/// What is known of a key.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The field, and how good the name is for it, smaller being better.
    meaning: Option<(Field, usize)>,
    /// Card data that the key is.
    card: Option<CardData>,
    /// Card data that stands under such a name.
    forbidden: Option<CardData>,
}

/// Where in an array of objects the text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Array {
    /// Before the first object, or the end.
    First,
    /// Before another one.
    Object,
    /// Behind one: a comma or the end.
    Comma,
    /// Behind the end.
    End,
}

/// The length of the object that a text begins with; none while its end is not in sight.
fn object_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0usize, 0);
    while let Some(next) = text.get(at) {
        match next {
            b'"' => {
                at += 1;
                while *text.get(at)? != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Keys that are remembered; beyond them every key is looked up anew.
const KNOWN_MAX: usize = 4_096;

impl NdjsonParser {
    pub fn new(mapping: Mapping, depth_max: usize) -> Self {
        Self {
            mapping,
            depth_max,
            line: 1,
            flat: Flat::default(),
            known: HashMap::new(),
            rows: Rows::default(),
            array: None,
            begun: false,
            names: Default::default(),
        }
    }

    fn record(&mut self, line: Line<'_>, out: &mut Collector) -> Result<(), ReadError> {
        let text = if line.number == 1 {
            line.text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line.text)
        } else {
            line.text
        };
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let Ok(text) = std::str::from_utf8(text) else {
            out.reject(line.number, "", "encoding", "not in the declared character encoding");
            return Ok(());
        };
        match self.flat.read(text, self.depth_max) {
            Ok(()) => {}
            Err(JsonError::TooDeep) => {
                out.reject(
                    line.number,
                    "",
                    "too-deep",
                    format!("nested deeper than {} levels", self.depth_max),
                );
                return Ok(());
            }
            Err(JsonError::Malformed) => {
                out.reject(line.number, "", "json-malformed", "not a JSON object");
                return Ok(());
            }
        }
        let has_card = self.screen(line.number, out);
        out.cover(line.offset, line.text.len());
        if has_card {
            out.reject(line.number, "", "card-data", "the row holds card data");
            return Ok(());
        }
        let (fields, names, twice) = pick(&self.flat, &self.mapping, &mut self.known);
        if let Some(field) = twice {
            let key = names[field as usize].unwrap_or_default();
            out.reject(
                line.number,
                key,
                "key-twice",
                "the key is there twice; which of its values counts cannot be told",
            );
            return Ok(());
        }
        for (known, name) in self.names.iter_mut().zip(&names) {
            if let Some(name) = name.filter(|name| *name != known.as_str()) {
                name.clone_into(known);
            }
        }
        let raw = RawPlace {
            offset: line.offset,
            len: u32::try_from(line.text.len()).unwrap_or(u32::MAX),
            hash: hash::bytes(0, line.text),
        };
        let name = |field: Field| names[field as usize].unwrap_or_default().to_owned();
        self.rows.take(&self.mapping, &fields, Place { line: line.number, raw }, name, out)
    }

    /// Reads the elements of an array from a place of the text.
    fn elements(
        &mut self,
        data: &[u8],
        from: usize,
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut at = from;
        while let Some(byte) = data.get(at) {
            if byte.is_ascii_whitespace() {
                self.line += u64::from(*byte == b'\n');
                at += 1;
                continue;
            }
            match (self.array, byte) {
                (Some(Array::First | Array::Object), b'{') => {
                    let Some(length) = object_end(&data[at..]) else {
                        if last {
                            break;
                        }
                        return Ok(at);
                    };
                    let text = &data[at..at + length];
                    self.record(Line { text, offset: offset + at as u64, number: self.line }, out)?;
                    self.line += memchr::memchr_iter(b'\n', text).count() as u64;
                    self.array = Some(Array::Comma);
                    at += length;
                }
                (Some(Array::Comma), b',') => {
                    self.array = Some(Array::Object);
                    at += 1;
                }
                // An array may be empty.
                (Some(Array::First | Array::Comma), b']') => {
                    self.array = Some(Array::End);
                    at += 1;
                }
                _ => {
                    let message = "an array of objects is expected, and nothing behind it".to_owned();
                    return Err(ReadError::Malformed { line: self.line, message });
                }
            }
        }
        Ok(data.len())
    }

    /// Looks for card data in keys and values.
    fn screen(&mut self, line: u64, out: &mut Collector) -> bool {
        let mut found = false;
        for (path, value) in self.flat.items() {
            let known = know(&mut self.known, &self.mapping, path);
            let named = known.card.or(known.forbidden.filter(|_| !value.is_empty()));
            if let Some(what) = named {
                out.card(line, path, what);
                found = true;
            } else {
                found |= out.screen(line, path, value.as_bytes());
            }
        }
        found
    }
}

/// What is known of a key; it is looked at once.
fn know(known: &mut HashMap<String, Known>, mapping: &Mapping, path: &str) -> Known {
    if let Some(known) = known.get(path) {
        return *known;
    }
    let key = path.rsplit('.').next().unwrap_or(path);
    let found = Known {
        meaning: meaning(mapping, path),
        card: pan::scan(path.as_bytes()),
        forbidden: pan::forbidden_name(key),
    };
    if known.len() < KNOWN_MAX {
        known.insert(path.to_owned(), found);
    }
    found
}

/// Picks the value and key of each field, and a field whose key is there twice.
fn pick<'a>(
    flat: &'a Flat,
    mapping: &Mapping,
    known: &mut HashMap<String, Known>,
) -> (Fields<'a>, Fields<'a>, Option<Field>) {
    let mut fields: Fields<'a> = [None; Field::ALL.len()];
    let mut names: Fields<'a> = [None; Field::ALL.len()];
    let mut ranks = [usize::MAX; Field::ALL.len()];
    let mut twice = None;
    for (path, value) in flat.items() {
        let Some((field, rank)) = know(known, mapping, path).meaning else { continue };
        if rank == ranks[field as usize] {
            twice = Some(field);
        } else if rank < ranks[field as usize] {
            ranks[field as usize] = rank;
            fields[field as usize] = Some(value);
            names[field as usize] = Some(path);
        }
    }
    (fields, names, twice)
}

/// What a key means under a mapping.
fn meaning(mapping: &Mapping, path: &str) -> Option<(Field, usize)> {
    if !mapping.columns.is_empty() {
        return mapping.columns.iter().find(|(_, column)| column == path).map(|(field, _)| (*field, 0));
    }
    let plain = plain_name(path);
    Field::ALL.into_iter().find_map(|field| {
        field.usual_names().iter().position(|usual| *usual == plain).map(|rank| (field, rank))
    })
}

impl Parser for NdjsonParser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        if !self.begun {
            let head = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii_start();
            if head.is_empty() && !last {
                return Ok(0);
            }
            self.begun = true;
            if head.first() == Some(&b'[') {
                self.array = Some(Array::First);
                let before = data.len() - head.len();
                self.line += memchr::memchr_iter(b'\n', &data[..before]).count() as u64;
                return self.elements(data, before + 1, offset, last, out);
            }
        }
        if self.array.is_some() {
            return self.elements(data, 0, offset, last, out);
        }
        let mut number = self.line;
        let used = for_each_line(data, offset, last, &mut number, |line| self.record(line, out));
        self.line = number;
        used
    }

    fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        if self.array.is_some_and(|place| place != Array::End) {
            let message = "the file ends before its array does".to_owned();
            return Err(ReadError::Malformed { line: self.line, message });
        }
        let names = &self.names;
        self.rows.finish(&self.mapping, |field| names[field as usize].clone(), out);
        Ok(())
    }

    fn line(&self) -> u64 {
        self.line
    }
}
