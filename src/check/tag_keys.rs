//! No further tag has the key of one that a resource of the module has of its own, such as `Name`, and no resource has more
//! tags than its service takes.

use std::collections::BTreeSet;

use terraform::{Node, Value};

use crate::config::problem::{KeyPath, Problems};
use crate::config::{EnvConfig, Tags};
use crate::synth::synth;

/// How many tags a resource may have.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html#tag-quotas>,
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeTagsForResource.html>
const fn most(kind: &str) -> usize {
    match kind.as_bytes() {
        b"aws_route53_zone" | b"aws_route53_health_check" => 10,
        _ => 50,
    }
}

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
    let shared = config.default_tags().len();
    for node in root.nodes().iter().filter(|node| node.taggable()) {
        let (count, most) = (shared + of_resource(node).len(), most(node.address().kind()));
        if count > most {
            problems.error(
                "tags.extra",
                format!("{} would have {count} tags, and AWS takes {most}", node.address()),
                format!("{} fewer of them", count - most),
            );
        }
    }
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
