//! Words the messages of the deserializer for people who write TOML and not Rust.

use super::suggest;
use super::value::REMEDY;

/// A mistake in words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wording {
    pub what: String,
    pub help: String,
    /// The required key that is missing, if that is the mistake.
    pub missing_key: Option<String>,
    /// The key that was probably meant, if the mistake is an unknown one.
    pub meant_key: Option<String>,
}

/// The kinds of message that serde's own errors have:
/// <https://docs.rs/serde/latest/serde/de/trait.Error.html#provided-methods>
pub(crate) fn of(message: &str) -> Wording {
    let plain = |what: String, help: String| Wording { what, help, missing_key: None, meant_key: None };
    if let Some((what, allowed)) = message.split_once(REMEDY) {
        return plain(what.to_owned(), allowed.to_owned());
    }
    if message.starts_with("unknown field ") {
        return unknown_key(message);
    }
    if message.starts_with("unknown variant ") {
        let (wrong, candidates) = quoted(message);
        return plain(format!("\"{wrong}\" is not a value for this key"), offer(wrong, &candidates, '"'));
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        let key = key.trim_matches('`').to_owned();
        let help = format!("add `{key} = …`");
        return Wording {
            what: format!("`{key}` is missing"),
            help,
            missing_key: Some(key),
            meant_key: None,
        };
    }
    if let Some(mismatch) = message.strip_prefix("invalid type: ") {
        let (found, expected) = mismatch.rsplit_once(", expected ").unwrap_or((mismatch, "another type"));
        let found = found.split([' ', ',']).next().unwrap_or(found);
        return plain(format!("a value of the wrong type: {}", kind(found)), type_name(expected).to_owned());
    }
    if message == "wanted string or table" {
        return plain("a value of the wrong type".to_owned(), "a string".to_owned());
    }
    if let Some(mismatch) = message.strip_prefix("invalid value: ") {
        let (found, expected) = mismatch.rsplit_once(", expected ").unwrap_or((mismatch, "another value"));
        return plain(
            format!("{} is out of range", found.trim_start_matches("integer ")),
            type_name(expected).to_owned(),
        );
    }
    plain(message.to_owned(), String::new())
}

fn unknown_key(message: &str) -> Wording {
    let (wrong, candidates) = quoted(message);
    let meant = suggest::nearest(wrong, candidates.iter().copied());
    Wording {
        what: format!("unknown key `{wrong}`"),
        help: offer(wrong, &candidates, '`'),
        missing_key: None,
        meant_key: meant.map(str::to_owned),
    }
}

/// The words between backticks: the wrong one first, then those that are allowed. The wrong one may hold anything,
/// backticks too, so it ends where the list of the others begins.
fn quoted(message: &str) -> (&str, Vec<&str>) {
    let (head, tail) = message.rsplit_once("`, expected ").unwrap_or((message, ""));
    let wrong = head.split_once('`').map_or(head, |(_, wrong)| wrong);
    (wrong, tail.split('`').skip(1).step_by(2).collect())
}

/// The nearest candidate, and all of them unless that makes a list too long to help.
fn offer(wrong: &str, candidates: &[&str], quote: char) -> String {
    const LIST_MAX: usize = 10;
    let list: Vec<String> = candidates.iter().map(|candidate| format!("{quote}{candidate}{quote}")).collect();
    let list = format!("allowed are {}", list.join(", "));
    match suggest::nearest(wrong, candidates.iter().copied()) {
        Some(nearest) if candidates.len() > LIST_MAX => format!("did you mean {quote}{nearest}{quote}?"),
        Some(nearest) => format!("did you mean {quote}{nearest}{quote}? {list}"),
        None => list,
    }
}

/// What the deserializer found, as TOML calls it.
fn kind(found: &str) -> &str {
    match found {
        "string" => "a string",
        "integer" => "an integer",
        "floating" => "a float",
        "boolean" => "a boolean",
        "sequence" => "an array",
        "map" => "a table",
        other => other,
    }
}

/// What the deserializer expected, as TOML calls it.
fn type_name(expected: &str) -> &str {
    match expected {
        "i64" => "a whole number",
        "u32" => "a whole number from 0 to 4294967295",
        "a boolean" => "true or false",
        "a string" => "a string, in quotes",
        "a sequence" => "an array",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}
