//! Checks of `[tags]`.

use crate::config::problem::{KeyPath, Problems};
use crate::config::section::Tags;

/// Of the fifty tags that a resource may have, ten are left to txnr.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html#tag-quotas>
const EXTRA_MAX: usize = 40;

/// Tag keys that differ in case only are two tags to some services and one to others, so they count as the same here.
pub(super) fn check(tags: &Tags, problems: &mut Problems) {
    for key in tags.extra.keys() {
        if let Some(own) = Tags::OWN_KEYS.iter().find(|own| own.eq_ignore_ascii_case(key.as_str())) {
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
