//! `docs/alarms.md`: every alarm and every rule on events that an environment can have.

use std::fmt::Write;
use std::path::Path;

use super::notice::{Row, rows};
use crate::config;
use crate::names::Topic;
use crate::synth::synth;

/// The command that prints the list.
pub const COMMAND: &str = "cargo run -- alarms > docs/alarms.md";

/// What every environment must say.
const REQUIRED: &str = "organization = \"acme\"\naccount_id = \"111122223333\"\nregion = \"us-east-1\"\n\
    domain = \"reconcile.example.com\"\nnetwork.cidr = \"10.30.0.0/16\"\nalarms.page = [\"oncall@example.com\"]\n\
    service.image = \"v1\"\n";

/// Environments that together have every alarm there is, as a test makes sure.
pub(super) const ENVIRONMENTS: [&str; 3] = [
    "recovery.region = \"us-west-2\"\ndns.create_zone = true\ndns.dnssec = true\nnetwork.firewall.allowed_names = [\"a.example\"]\n",
    "service.deployment.strategy = \"blue-green\"\necr.enhanced_scanning = false\nshield.subscribed = true\ndata.postgres.enabled = true\n",
    "data.postgres.enabled = true\ndata.postgres.engine = \"aurora-serverless\"\n",
];

/// The alarms of these environments by name, the first that has one deciding.
pub(super) fn all() -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    for more in ENVIRONMENTS {
        let Ok((config, _)) = config::parse(Path::new("any.toml"), &format!("{REQUIRED}{more}")) else {
            continue;
        };
        let Ok(root) = synth(&config) else { continue };
        for row in rows(&root, &config) {
            if !all.iter().any(|known| known.anchor == row.anchor) {
                all.push(row);
            }
        }
    }
    all.sort_by(|a, b| a.anchor.cmp(&b.anchor));
    all
}

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
    head + &lists("##")
}

/// Every alarm, in a list of those that page and one of those that notify, under headings of this level: `##`.
#[must_use]
pub fn lists(level: &str) -> String {
    let mut text = String::new();
    let all = all();
    for (topic, title) in [
        (Topic::Page, "What cannot wait until the morning (`alarms.page`)"),
        (Topic::Notify, "What can (`alarms.notify`)"),
    ] {
        let _ = write!(
            text,
            "\n{level} {title}\n\n| alarm | what is the case | what to do first |\n| --- | --- | --- |\n"
        );
        for Row { anchor, means, first, .. } in all.iter().filter(|row| row.topic == topic) {
            let _ = writeln!(text, "| <a id=\"{anchor}\"></a>`{anchor}` | {means} | {} |", sentence(first));
        }
    }
    text
}

/// With a capital letter at its beginning.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
