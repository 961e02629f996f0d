//! In no list of the file does anything stand twice: AWS would refuse it, or Terraform find a second resource of one name.

use crate::config::file::EnvFile;
use crate::config::problem::{KeyPath, Problems};
use serde_json::Value;
use std::collections::HashSet;

/// The lists whose order and repetition mean something: the words of a command.
const WORDS: [&str; 2] = ["command", "health_command"];

/// Notes every text that stands in its list a second time, whichever list it is.
pub(super) fn check(file: &EnvFile, problems: &mut Problems) {
    // As it is written down again, each value is in the one form that its type gives it. Nothing in the file is of a kind
    // that JSON does not have.
    if let Ok(file) = serde_json::to_value(file) {
        walk(&file, &KeyPath::default(), problems);
    }
}

fn walk(value: &Value, at: &KeyPath, problems: &mut Problems) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries.iter().filter(|(key, _)| !WORDS.contains(&key.as_str())) {
                walk(value, &at.clone().key(key.as_str()), problems);
            }
        }
        Value::Array(items) => {
            let mut seen = HashSet::new();
            for (index, item) in items.iter().enumerate() {
                let place = at.clone().index(index);
                if let Value::String(text) = item
                    && !seen.insert(identity(text))
                {
                    problems.error(place.clone(), format!("{text} stands in the list twice"), "each once");
                }
                walk(item, &place, problems);
            }
        }
        _ => {}
    }
}

/// What AWS knows a value by. Names in DNS, mailboxes, headers, countries, tags and IAM's own names differ by more than
/// case; paths and what stands in an address behind its host may differ by case alone.
fn identity(text: &str) -> String {
    if text.starts_with('/') || text.contains("://") { text.to_owned() } else { text.to_lowercase() }
}
