//! `docs/alarms.md`: every alarm and every rule on events that an environment can have.

use std::fmt::Write;

use crate::alarm::table::{self, Entry};
use crate::names::Topic;

/// The command that prints the list.
pub const COMMAND: &str = "cargo run -- alarms > docs/alarms.md";

/// The list, as Markdown.
#[must_use]
pub fn markdown() -> String {
    let head = format!(
        "# Alarms\n\n<!-- Generated: {COMMAND} -->\n\n\
         Every alarm and every rule on events that an environment can have. Its name at AWS begins with project and \
         environment: `txn-reconcile-prod-latency`; where there is one for each gateway, log group or table, its name \
         ends in that, and those of a service beside the main one in the service's name. Thresholds are keys of `[alarms]` in [configuration.md](configuration.md), and \
         `alarms.silenced` switches one off, with a reason.\n"
    );
    head + &lists("##", |_| true)
}

/// The alarms that are wanted, in a list of those that page and one of those that notify, under headings of this level: `##`.
#[must_use]
pub fn lists(level: &str, wanted: impl Fn(&Entry) -> bool) -> String {
    let mut text = String::new();
    let mut all: Vec<Entry> = table::ALL.iter().copied().filter(|entry| wanted(entry)).collect();
    all.sort_by_key(|entry| entry.name);
    for (topic, title) in [
        (Topic::Page, "What cannot wait until the morning (`alarms.page`)"),
        (Topic::Notify, "What can (`alarms.notify`)"),
    ] {
        let _ = write!(
            text,
            "\n{level} {title}\n\n| alarm | what is the case | what to do first |\n| --- | --- | --- |\n"
        );
        for Entry { name, means, first, .. } in all.iter().filter(|entry| entry.to == topic) {
            let _ = writeln!(text, "| <a id=\"{name}\"></a>`{name}` | {means} | {} |", sentence(first));
        }
    }
    text
}

/// With a capital letter at its beginning.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
