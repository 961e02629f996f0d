//! Container images.

use super::{AccountId, Invalid, text_serde, text_value};
use std::{fmt, str::FromStr};

/// Which image of a repository to run: by digest, or by a tag that will never move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageRef {
    /// `sha256:` and 64 hexadecimal digits: the image itself.
    Digest(String),
    /// A tag; the repository is immutable, so it names one image for ever.
    Tag(String),
}

impl ImageRef {
    /// The full reference in `repository`: `<repository>@sha256:…` or `<repository>:<tag>`.
    #[must_use]
    pub fn in_repository(&self, repository: &str) -> String {
        format!("{repository}{}", self.suffix())
    }

    /// What follows the repository's name: `@sha256:…` or `:<tag>`.
    #[must_use]
    pub fn suffix(&self) -> String {
        match self {
            Self::Digest(digest) => format!("@{digest}"),
            Self::Tag(tag) => format!(":{tag}"),
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(text) | Self::Tag(text) => f.write_str(text),
        }
    }
}

impl FromStr for ImageRef {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if let Some(hex) = text.strip_prefix("sha256:") {
            return digest(text, hex);
        }
        if text.eq_ignore_ascii_case("latest") {
            return Err(Invalid::new(
                "`latest` moves: two tasks of one service could run different images, and a pull is not repeatable",
                "a digest (`sha256:…`), or a tag that is pushed once, such as the commit's hash",
            ));
        }
        if is_tag(text) {
            return Ok(Self::Tag(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is neither a digest nor a tag"),
            "`sha256:` and 64 hexadecimal digits, or a tag of up to 128 letters, digits, `.`, `_` and `-`; the \
             repository is named by `image_repository`",
        ))
    }
}

fn digest(text: &str, hex: &str) -> Result<ImageRef, Invalid> {
    if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(ImageRef::Digest(text.to_owned()));
    }
    Err(Invalid::new(
        format!(
            "the digest has {} characters behind `sha256:`, or one that is not hexadecimal",
            hex.chars().count()
        ),
        "`sha256:` and 64 hexadecimal digits in lower case",
    ))
}

/// A tag as the OCI distribution specification has it.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(word)
        && text.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

text_serde!(
    ImageRef,
    r"^(sha256:[0-9a-f]{64}|(?!latest$)[A-Za-z0-9_][A-Za-z0-9._-]{0,127})$",
    "sha256:0000000000000000000000000000000000000000000000000000000000000000",
    "An image by digest (`sha256:…`), or by a tag that is pushed once and never moved."
);

/// An ECR repository in any account: `<account>.dkr.ecr.<region>.amazonaws.com/<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryUri(String);

impl RepositoryUri {
    /// The account that owns the repository.
    #[must_use]
    pub fn account(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// The region that the repository lies in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split('.').nth(3).unwrap_or_default()
    }
}

impl FromStr for RepositoryUri {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let well_formed = || {
            let (host, name) = text.split_once('/')?;
            let (account, rest) = host.split_once(".dkr.ecr.")?;
            account.parse::<AccountId>().ok()?;
            let (_, suffix) = rest.split_once('.')?;
            let path =
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/".contains(&b));
            (matches!(suffix, "amazonaws.com" | "amazonaws.com.cn") && path && !name.is_empty()).then_some(())
        };
        well_formed().map(|()| Self(text.to_owned())).ok_or_else(|| {
            Invalid::new(
                "not the address of an ECR repository",
                "`<account>.dkr.ecr.<region>.amazonaws.com/<name>`, without a tag or digest",
            )
        })
    }
}

text_value!(
    RepositoryUri,
    r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9._/-]+$",
    "111122223333.dkr.ecr.us-east-1.amazonaws.com/payments",
    "The address of an ECR repository, without a tag or digest."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_digest_or_by_a_tag_that_stays() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(digest.parse(), Ok(ImageRef::Digest(digest.clone())));
        assert_eq!("v1.2.3".parse(), Ok(ImageRef::Tag("v1.2.3".to_owned())));
        for refused in
            ["latest", "LATEST", "", "-x", "a b", "repo:tag", "sha256:", "sha256:ABC", &"a".repeat(129)]
        {
            assert!(refused.parse::<ImageRef>().is_err(), "{refused}");
        }
    }

    #[test]
    fn a_repository_has_no_tag() {
        let accepted = |text: &str| text.parse::<RepositoryUri>().is_ok();
        assert!(accepted("111122223333.dkr.ecr.us-east-1.amazonaws.com/team/api"));
        assert!(accepted("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/api"));
        assert!(!accepted("111122223333.dkr.ecr.us-east-1.amazonaws.com/api:latest"));
        assert!(!accepted("docker.io/library/nginx"));
    }
}
