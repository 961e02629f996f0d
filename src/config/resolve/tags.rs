//! Checks of `[tags]`.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::Tags;

/// Of the fifty tags that a resource may have, ten are left to txnr.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html#tag-quotas>
const EXTRA_MAX: usize = 40;

/// No two tags have one key, and none has that of a tag that txnr sets.
pub(super) fn check(tags: &Tags, problems: &mut Problems) {
    for (at, key) in tags.extra.keys().enumerate() {
        let earlier = tags.extra.keys().take(at);
        if let Some(same) = earlier.into_iter().find(|other| Tags::same_key(other.as_str(), key.as_str())) {
            problems.error(
                KeyPath::from("tags.extra").key(key.as_str()),
                format!("the tags `{same}` and `{key}` differ in case alone, which IAM takes for one key"),
                "one of them",
            );
        }
        if let Some(own) = Tags::OWN_KEYS.iter().find(|own| Tags::same_key(own, key.as_str())) {
            problems.error(
                KeyPath::from("tags.extra").key(key.as_str()),
                format!("txnr sets the tag `{own}` itself"),
                "another key, or the setting that this tag comes from",
            );
        }
    }
    if tags.extra.len() > EXTRA_MAX {
        let what = format!("{} further tags", tags.extra.len());
        problems.error("tags.extra", what, format!("at most {EXTRA_MAX}; a resource has at most 50 in all"));
    }
}

/// The policy on tags, which the tags of every resource have to keep. No resource replaces them by tags of its own.
pub(super) fn check_policy(config: &EnvConfig, problems: &mut Problems) {
    let tags = config.default_tags();
    for (at, key) in config.tags.required.iter().enumerate() {
        if !tags.contains_key(key.as_str()) {
            problems.error(
                KeyPath::from("tags.required").index(at),
                format!("the tag `{key}` is required and not set"),
                format!("`{key}` under [tags] or [tags.extra]"),
            );
        }
    }
    for (key, allowed) in &config.tags.allowed {
        let Some(text) = tags.get(key.as_str()) else { continue };
        if !allowed.iter().any(|allowed| allowed.as_str() == *text) {
            let list: Vec<&str> = allowed.iter().map(|text| text.as_str()).collect();
            problems.error(
                KeyPath::from("tags.allowed").key(key.as_str()),
                format!("the tag `{key}` is {text:?}, which is not allowed"),
                if list.is_empty() {
                    "a list of values".to_owned()
                } else {
                    format!("one of {}", list.join(", "))
                },
            );
        }
    }
}
