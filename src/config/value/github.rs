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

/// A branch of a repository. Of the characters that git allows, those that neither GitHub, IAM nor a shell gives a meaning:
/// in the filters of workflows and in trust policies a `*` would be a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchName(String);

impl Default for BranchName {
    fn default() -> Self {
        Self("main".to_owned())
    }
}

impl FromStr for BranchName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        // What git refuses of these characters: <https://git-scm.com/docs/git-check-ref-format>
        let part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with('.')
                && !part.contains("..")
                && !part.ends_with(".lock")
        };
        if text.len() <= 200
            && text.bytes().all(allowed)
            && text.split('/').all(part)
            && !text.starts_with('-')
        {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} cannot be the branch that is applied"),
            "the name of a branch, of letters, digits, `-`, `_`, `.` and `/`, 200 at most",
        ))
    }
}

text_value!(BranchName, "^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$", "main", "A branch of the repository.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_no_pattern_and_one_that_git_takes() {
        let accepted = |text: &str| text.parse::<BranchName>().is_ok();
        assert!(accepted("main") && accepted("release/1.0") && accepted("trunk_2"));
        for refused in
            ["", "ma*n", "-main", "a..b", "a//b", "/a", "a/", ".a", "a.lock", "a b", "a+", "a$b", "a:b"]
        {
            assert!(!accepted(refused), "{refused}");
        }
    }

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
