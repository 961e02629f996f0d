//! Names of GitHub.

use super::{Invalid, text_value};
use std::str::FromStr;

/// A repository of GitHub: `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryName(String);

impl RepositoryName {
    /// The owner and the name.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or_default()
    }
}

/// An owner has 1 to 39 letters, digits and inner hyphens.
fn is_owner(text: &str) -> bool {
    (1..=39).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A repository has 1 to 100 letters, digits, `-`, `_` and `.`.
fn is_name(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && text.bytes().any(|b| b != b'.')
}

impl FromStr for RepositoryName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.split_once('/').is_some_and(|(owner, name)| is_owner(owner) && is_name(name)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a repository of GitHub"),
            "`owner/name`, for example \"acme/payments-platform\"",
        ))
    }
}

text_value!(
    RepositoryName,
    "^[A-Za-z0-9]([A-Za-z0-9-]{0,37}[A-Za-z0-9])?/[A-Za-z0-9._-]{1,100}$",
    "acme/payments-platform",
    "A repository of GitHub: `owner/name`."
);

/// A protected environment of a repository. Of the characters that GitHub allows, those that neither GitHub nor IAM gives
/// a meaning: a `*` would be a pattern, and a `:` would begin another claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubEnvironment(String);

impl FromStr for GithubEnvironment {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        if (1..=255).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} cannot be an environment of the repository"),
            "1 to 255 letters, digits, `-`, `_`, `.` and `/`",
        ))
    }
}

text_value!(
    GithubEnvironment,
    "^[A-Za-z0-9._/-]{1,255}$",
    "production",
    "The name of a protected environment of the repository."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        let accepted = |text: &str| text.parse::<RepositoryName>().is_ok();
        assert!(accepted("acme/payments-platform") && accepted("A-1/.github"));
        for refused in
            ["acme", "acme/", "/name", "acme/a/b", "ac*e/name", "-acme/name", "acme/..", "acme/n:me"]
        {
            assert!(!accepted(refused), "{refused}");
        }
    }

    #[test]
    fn an_environment_is_no_pattern_and_no_claim() {
        let accepted = |text: &str| text.parse::<GithubEnvironment>().is_ok();
        assert!(accepted("prod") && accepted("eu/prod-1"));
        assert!(!accepted("") && !accepted("prod*") && !accepted("prod:ref") && !accepted("pr?d"));
    }
}
