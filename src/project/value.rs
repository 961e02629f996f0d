//! Texts of `txnr.toml`. They end up in workflows, which GitHub and a shell read, so each allows what its kind needs and
//! nothing that either of those gives a meaning.

use crate::config::Invalid;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is checked when it is read.
macro_rules! checked {
    ($(#[$doc:meta])* $type:ident, $check:expr, $allowed:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $type(String);

        impl $type {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(Invalid::new(format!("{text:?} cannot stand here"), $allowed))
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse::<Self>().map_err(|invalid| format!("{}; {} is allowed", invalid.problem, invalid.allowed))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Letters, digits and these, at least one and no more than a hundred.
fn plain(text: &str, further: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || further.contains(c))
        && !text.starts_with(['-', '.'])
}

/// `owner/name`.
fn is_repository(text: &str) -> bool {
    text.split_once('/').is_some_and(|(owner, name)| plain(owner, "-") && plain(name, "-_."))
}

checked!(
    /// A repository of GitHub.
    Repository, is_repository, "`owner/name`"
);

impl Repository {
    /// Reads `owner/name`, or the address of the repository as GitHub shows it and git takes it:
    /// `https://github.com/owner/name`, `git@github.com:owner/name.git`, `ssh://git@github.com/owner/name.git`.
    ///
    /// # Errors
    /// When it is neither, or an address elsewhere. No error repeats a password that stands in the address.
    pub fn from_address(text: &str) -> Result<Self, Invalid> {
        let text = text.trim().trim_end_matches('/');
        let Some((host, path)) = parts(text) else { return text.parse() };
        let host = host.rsplit('@').next().unwrap_or_default();
        if !["github.com", "www.github.com", "ssh.github.com:443"]
            .contains(&host.to_ascii_lowercase().as_str())
        {
            let what = format!("{host:?} is not github.com, whose workflows are rendered");
            return Err(Invalid::new(what, "`owner/name` of a repository on github.com"));
        }
        // What a browser shows goes on after the name: /tree/main.
        let mut words = path.split('/').filter(|word| !word.is_empty());
        let (owner, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name)).parse()
    }

    /// Who owns it.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split('/').next_back().unwrap_or_default()
    }
}

/// Host, with a user before it, and path of an address.
fn parts(text: &str) -> Option<(&str, &str)> {
    if let Some((_, rest)) = text.split_once("://") {
        return Some(rest.split_once('/').unwrap_or((rest, "")));
    }
    // `git@github.com:owner/name`, as scp writes it.
    let at_host = text.split_once(':').filter(|(host, _)| host.contains('@') && !host.contains('/'));
    at_host.or_else(|| text.split_once('/').filter(|(host, _)| host.eq_ignore_ascii_case("github.com")))
}
checked!(
    /// Who has to approve a change: a user or a team of GitHub.
    CodeOwner,
    |text| text
        .strip_prefix('@')
        .is_some_and(|name| plain(name, "-_") || name.split_once('/').is_some_and(|(org, team)| plain(org, "-") && plain(team, "-_"))),
    "`@user` or `@organization/team`"
);
checked!(
    /// A file of the repository, from its root.
    FilePath,
    |text| text.split('/').all(|part| !part.is_empty() && part != ".." && text.len() <= 200)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !text.starts_with('-'),
    "a path within the repository of letters, digits and `- _ . /`"
);
checked!(
    /// A released version of txnr.
    Version,
    |text| text.split('.').count() == 3 && text.split('.').all(|part| part.parse::<u32>().is_ok()),
    "three numbers such as `0.1.0`"
);
checked!(
    /// A SHA-256.
    Sha256,
    |text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
    "64 digits and letters from `a` to `f`"
);
checked!(
    /// A command that a workflow runs.
    CheckCommand,
    |text| !text.trim().is_empty() && !text.contains("${{") && !text.chars().any(char::is_control),
    "one line without `${{`"
);

impl FilePath {
    /// The repository's root.
    #[must_use]
    pub fn root() -> Self {
        Self(".".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_texts_pass() {
        assert!("acme/payments".parse::<Repository>().is_ok());
        assert!("@acme/platform".parse::<CodeOwner>().is_ok());
        assert!("services/api/Dockerfile".parse::<FilePath>().is_ok());
        for bad in ["acme", "acme/pay ments", "a/b/c", "acme/${{x}}", "-a/b", "/b"] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
        for address in [
            "acme/payments",
            "https://github.com/acme/payments",
            "https://github.com/acme/payments.git",
            "https://ada:secret@github.com/acme/payments/",
            "https://github.com/acme/payments/tree/main",
            "http://www.github.com/acme/payments",
            "git@github.com:acme/payments.git",
            "git@github.com:acme/payments",
            "ssh://git@github.com/acme/payments.git",
            "ssh://git@ssh.github.com:443/acme/payments.git",
            "git://github.com/acme/payments.git",
            "github.com/acme/payments",
        ] {
            let read = Repository::from_address(address).map(|repository| repository.to_string());
            assert_eq!(read.as_deref(), Ok("acme/payments"), "{address}");
        }
        for bad in [
            "https://gitlab.com/acme/payments",
            "https://ada:secret@git.acme.example/acme/payments",
            "git@github.acme.example:acme/payments.git",
            "https://github.com/acme",
            "https://github.com",
            "acme",
            "",
        ] {
            let said = format!("{:?}", Repository::from_address(bad));
            assert!(said.starts_with("Err") && !said.contains("secret"), "{bad}: {said}");
        }
        for bad in ["acme", "@a b", "@a/b/c", "@", "@a\n* @b"] {
            assert!(bad.parse::<CodeOwner>().is_err(), "{bad}");
        }
        for bad in ["/etc/passwd", "../x", "a//b", "-rf", "a b", "a;b", ""] {
            assert!(bad.parse::<FilePath>().is_err(), "{bad}");
        }
        for bad in ["1", "1.2.x", "v1.2.3", "1.2.3.4"] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
        assert!("echo ${{ secrets.X }}".parse::<CheckCommand>().is_err());
    }
}
