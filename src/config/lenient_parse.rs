//! Reads a text into [`EnvFile`] however many mistakes it holds.
//!
//! The happy path deserializes once. After a mistake, the offending value is taken out of the document and the rest
//! deserialized again, until no mistake is left: each round removes a value, so the rounds end.

use super::file::EnvFile;
use super::problem::{KeyPath, Problems, Step};
use super::serde_messages::{self, Wording};
use serde::Deserialize;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// How many mistakes are looked for: each costs a round, and who made a hundred will not read more.
const MISTAKES_MAX: usize = 100;

/// What could be read of a text.
pub(crate) struct Parsed {
    /// The values that are right; the others are as if they had not been written.
    pub file: EnvFile,
    /// The keys whose values were removed, or were probably meant by a misspelt key. What is checked of them later
    /// would be a consequence of these mistakes.
    pub doubtful: Vec<KeyPath>,
}

/// Reads the text, noting every mistake of syntax, type or value. `None` if not even the syntax is right.
pub(crate) fn deserialize(text: &str, problems: &mut Problems) -> Option<Parsed> {
    if let Ok(file) = toml::from_str(text) {
        return Some(Parsed { file, doubtful: Vec::new() });
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        problems.at(KeyPath::default(), error.span(), error.message(), "");
    }
    if errors.is_empty() { leniently(document, problems) } else { None }
}

fn leniently(mut document: Spanned<DeTable<'_>>, problems: &mut Problems) -> Option<Parsed> {
    let original = document.clone();
    let mut doubtful: Vec<KeyPath> = Vec::new();
    for _ in 0..MISTAKES_MAX {
        let error = match EnvFile::deserialize(toml::de::Deserializer::from(document.clone())) {
            Ok(file) => return Some(Parsed { file, doubtful }),
            Err(error) => error,
        };
        let wording = serde_messages::of(error.message());
        let span = error.span().map(|span| element_span(&document, error.message(), span));
        let locate = |document: &DeTable<'_>| locate_table(document, span.as_ref()?);
        // A removed element moves those behind it, so the way there may differ from what the reader sees.
        let (seen, current) = (locate(original.get_ref()), locate(document.get_ref()));
        note(&wording, &seen.unwrap_or_default(), span, &mut doubtful, problems);
        if !current.is_some_and(|path| remove_from_table(document.get_mut(), &path.0)) {
            return None;
        }
    }
    problems.at(KeyPath::default(), None, "there are more mistakes", "mend those above first");
    None
}

/// Notes the mistake, unless it is the absence of a value that has been removed.
fn note(
    wording: &Wording,
    path: &KeyPath,
    span: Option<Range<usize>>,
    doubtful: &mut Vec<KeyPath>,
    problems: &mut Problems,
) {
    let absent = wording.missing_key.as_ref().map(|missing| path.clone().key(missing.as_str()));
    if absent.is_some_and(|absent| doubtful.contains(&absent)) {
        return;
    }
    if let Some(meant) = &wording.meant_key {
        let mut sibling = path.clone();
        sibling.0.pop();
        doubtful.push(sibling.key(meant.as_str()));
    }
    doubtful.push(path.clone());
    problems.at(path.clone(), span, wording.what.as_str(), wording.help.as_str());
}

/// The span of the offending element, where the deserializer tells no more than the array: the first element with
/// which alone in the array the error is the same.
fn element_span(document: &Spanned<DeTable<'_>>, message: &str, span: Range<usize>) -> Range<usize> {
    let Some(path) = locate_table(document.get_ref(), &span) else { return span };
    let Some(array) = array_at(document.get_ref(), &path.0) else { return span };
    if array.len() == 1 {
        return array[0].span();
    }
    let same_error = |index: &usize| {
        let mut alone = document.clone();
        let mut others = (0..array.len()).rev().filter(|other| other != index);
        others.all(|other| remove_from_table(alone.get_mut(), &path.clone().index(other).0))
            && EnvFile::deserialize(toml::de::Deserializer::from(alone))
                .is_err_and(|e| e.message() == message)
    };
    (0..array.len()).find(same_error).map_or(span, |index| array[index].span())
}

/// The array at a path, if there is one.
fn array_at<'d, 'i>(table: &'d DeTable<'i>, path: &[Step]) -> Option<&'d DeArray<'i>> {
    let (Step::Key(first), rest) = path.split_first()? else { return None };
    let mut value = table.get(first.as_str())?.get_ref();
    for step in rest {
        value = match step {
            Step::Key(key) => value.as_table()?.get(key.as_str())?.get_ref(),
            Step::Index(index) => value.as_array()?.get(*index)?.get_ref(),
        };
    }
    value.as_array()
}

/// The way to the key or value that stands at `span`, or else to the innermost value around it.
fn locate_table(table: &DeTable<'_>, span: &Range<usize>) -> Option<KeyPath> {
    let mut around = None;
    for (key, value) in table {
        let here = || Step::Key(key.get_ref().to_string());
        if key.span() == *span {
            return Some(KeyPath(vec![here()]));
        }
        match locate_value(value, span) {
            Some(found) => around = Some(prepend(here(), found)),
            None => continue,
        }
        break;
    }
    around
}

fn locate_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<KeyPath> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => locate_table(table, span),
        DeValue::Array(array) => locate_array(array, span),
        _ => None,
    };
    let around = value.span();
    inner.or_else(|| (around.start <= span.start && span.end <= around.end).then(KeyPath::default))
}

fn locate_array(array: &DeArray<'_>, span: &Range<usize>) -> Option<KeyPath> {
    array
        .iter()
        .enumerate()
        .find_map(|(index, value)| locate_value(value, span).map(|found| prepend(Step::Index(index), found)))
}

fn prepend(step: Step, mut path: KeyPath) -> KeyPath {
    path.0.insert(0, step);
    path
}

/// Takes a value out of the document; false if there is none at that path.
fn remove_from_table(table: &mut DeTable<'_>, path: &[Step]) -> bool {
    match path {
        [Step::Key(key)] => table.remove(key.as_str()).is_some(),
        [Step::Key(key), rest @ ..] => {
            table.get_mut(key.as_str()).is_some_and(|value| remove_from_value(value, rest))
        }
        _ => false,
    }
}

fn remove_from_value(value: &mut Spanned<DeValue<'_>>, path: &[Step]) -> bool {
    match (value.get_mut(), path) {
        (DeValue::Table(table), path) => remove_from_table(table, path),
        (DeValue::Array(array), [Step::Index(index)]) if *index < array.len() => {
            let kept = std::mem::replace(array, DeArray::from_iter([]))
                .into_iter()
                .enumerate()
                .filter(|(at, _)| at != index);
            *array = kept.map(|(_, value)| value).collect();
            true
        }
        (DeValue::Array(array), [Step::Index(index), rest @ ..]) => {
            array.get_mut(*index).is_some_and(|value| remove_from_value(value, rest))
        }
        _ => false,
    }
}
