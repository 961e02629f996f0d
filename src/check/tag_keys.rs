//! No further tag has the key of one that a resource of the module has of its own, such as `Name`.

use std::collections::BTreeSet;

use terraform::{Node, Value};

use crate::config::problem::{KeyPath, Problems};
use crate::config::{EnvConfig, Tags};
use crate::synth::synth;

/// The keys are those of the module as it is built. Where there are no further tags, none is built for this.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    if config.tags.extra.is_empty() || problems.has_errors() {
        return;
    }
    // What else is wrong with the module is told when it is written.
    let Ok(root) = synth(config) else { return };
    let of_resource = |node: &Node| -> Vec<String> {
        let Some(Value::Object(tags)) = node.argument("tags") else { return Vec::new() };
        tags.iter().map(|(key, _)| key.to_string()).collect()
    };
    let own: BTreeSet<String> = root.nodes().iter().flat_map(of_resource).collect();
    for key in config.tags.extra.keys() {
        if let Some(own) = own.iter().find(|own| Tags::same_key(own, key.as_str())) {
            problems.error(
                KeyPath::from("tags.extra").key(key.as_str()),
                format!("resources have a tag `{own}` of their own"),
                "another key",
            );
        }
    }
}
