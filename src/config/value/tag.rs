//! Tags.

use super::{Invalid, refuse_template, text_value};
use std::str::FromStr;

const ALLOWED: &str = "letters, digits, spaces and `_ . : / = + - @`";

fn check(text: &str, max: usize) -> Result<(), Invalid> {
    refuse_template(text)?;
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        return Err(Invalid::new(format!("{bad:?} cannot stand in a tag"), ALLOWED));
    }
    let length = text.chars().count();
    if length == 0 || length > max {
        return Err(Invalid::new(
            format!("has {length} characters"),
            format!("1 to {max} characters: {ALLOWED}"),
        ));
    }
    Ok(())
}

/// A tag's value: 1 to 256 characters that every tagged service takes.
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html#id_tags_naming_best_practices>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagText(String);

impl TagText {
    pub(crate) fn known(text: &'static str) -> Self {
        Self(text.to_owned())
    }
}

impl FromStr for TagText {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        check(text, 256).map(|()| Self(text.to_owned()))
    }
}

// The patterns say what is forbidden in ASCII: classes of Unicode are not spelled alike in all dialects of patterns.
text_value!(
    TagText,
    r##"^[^\x00-\x1f!"#$%&'()*,;<>?\[\\\]^`{|}~\x7f]{1,256}$"##,
    "payments-platform",
    "A tag's value."
);

/// A tag's key: 1 to 128 characters, not starting with `aws:`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagKey(String);

impl FromStr for TagKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        check(text, 128)?;
        if text.to_ascii_lowercase().starts_with("aws:") {
            return Err(Invalid::new("keys that start with `aws:` belong to AWS", "a key of your own"));
        }
        Ok(Self(text.to_owned()))
    }
}

text_value!(
    TagKey,
    r##"^(?![aA][wW][sS]:)[^\x00-\x1f!"#$%&'()*,;<>?\[\\\]^`{|}~\x7f]{1,128}$"##,
    "team",
    "A tag's key."
);
