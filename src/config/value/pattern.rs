//! Patterns of paths, as the load balancer compares them.

use super::{Invalid, text_value};
use std::str::FromStr;

/// What the load balancer compares a path with: `*` stands for any characters, `?` for one.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#path-conditions>
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPattern(String);

impl PathPattern {
    /// The most characters of a pattern.
    pub const LENGTH_MAX: usize = 128;

    /// The pattern of every path.
    #[must_use]
    pub fn all() -> Self {
        Self("*".to_owned())
    }

    /// The pattern of a path and nothing else.
    #[must_use]
    pub fn exactly(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The pattern of what begins with a path.
    #[must_use]
    pub fn beginning(path: &str) -> Self {
        Self(format!("{path}*"))
    }

    /// How many characters stand before the first that stands for others; one more if there is none, since no pattern is
    /// narrower than a path.
    #[must_use]
    pub fn literal_len(&self) -> usize {
        self.0.find(['*', '?']).unwrap_or(self.0.len() + 1)
    }

    /// Whether every path that fits `other` fits this pattern too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        covers(self.0.as_bytes(), other.0.as_bytes())
    }

    /// Whether there is a path that fits both.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        meets(self.0.as_bytes(), other.0.as_bytes())
    }
}

/// Whether the texts of `narrow` are all among those of `wide`. A `*` of `narrow` is taken as a character that only a `*`
/// stands for: there is never a wrong yes.
fn covers(wide: &[u8], narrow: &[u8]) -> bool {
    ends(wide, narrow, |rest, after| match (wide.get(after.0), narrow.get(after.1)) {
        (None, next) => next.is_none(),
        (Some(b'*'), next) => rest(1, 0) || (next.is_some() && rest(0, 1)),
        (Some(this), Some(next)) => (this == next || (*this == b'?' && *next != b'*')) && rest(1, 1),
        (Some(_), None) => false,
    })
}

/// Whether a text is among those of both.
fn meets(one: &[u8], other: &[u8]) -> bool {
    ends(one, other, |rest, after| match (one.get(after.0), other.get(after.1)) {
        (None, None) => true,
        (Some(b'*'), next) => rest(1, 0) || (next.is_some() && rest(0, 1)),
        (this, Some(b'*')) => rest(0, 1) || (this.is_some() && rest(1, 0)),
        (Some(this), Some(next)) => (this == next || *this == b'?' || *next == b'?') && rest(1, 1),
        (None, Some(_)) | (Some(_), None) => false,
    })
}

/// Compares two patterns from their ends, so that each pair of rests is looked at once. `step` is asked about the rests
/// behind two places, and may ask about those that are some characters shorter.
fn ends(
    one: &[u8],
    other: &[u8],
    step: impl Fn(&dyn Fn(usize, usize) -> bool, (usize, usize)) -> bool,
) -> bool {
    let mut table = vec![vec![false; other.len() + 1]; one.len() + 1];
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            let rest = |fewer: usize, less: usize| {
                table.get(i + fewer).and_then(|row| row.get(j + less)).is_some_and(|fits| *fits)
            };
            table[i][j] = step(&rest, (i, j));
        }
    }
    table[0][0]
}

impl FromStr for PathPattern {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-._~@:+&*?".contains(&b);
        if text.starts_with('/') && text.len() <= Self::LENGTH_MAX && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            format!("{text:?} is not a pattern of paths"),
            "`/` and up to 127 characters of a path, such as \"/hooks/*\"; `*` stands for any characters, `?` for one",
        ))
    }
}

text_value!(
    PathPattern,
    r"^/[A-Za-z0-9/._~@:+&*?-]{0,127}$",
    "/hooks/*",
    "A path, in which `*` stands for any characters and `?` for one."
);

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        text.parse().expect("a pattern")
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (wide, narrow) in [
            ("/*", "/hooks/*"),
            ("/hooks/*", "/hooks/a?c"),
            ("/a?c", "/abc"),
            ("/a*c", "/a*b*c"),
            ("/a", "/a"),
        ] {
            assert!(pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
            assert!(wide == narrow || !pattern(narrow).covers(&pattern(wide)), "{narrow} {wide}");
        }
        assert!(!pattern("/hooks/*").covers(&pattern("/hooks")));
        assert!(!pattern("/a?c").covers(&pattern("/a*c")));
        assert!(PathPattern::all().covers(&pattern("/a")));
    }

    #[test]
    fn patterns_meet_where_a_path_fits_both() {
        for (one, other) in [("/*", "/a"), ("/a*", "/*z"), ("/a?c", "/?b*"), ("/v1/*", "/v1/statements/*")] {
            assert!(
                pattern(one).meets(&pattern(other)) && pattern(other).meets(&pattern(one)),
                "{one} {other}"
            );
        }
        for (one, other) in [("/a", "/b"), ("/a*", "/b*"), ("/hooks/*", "/hooks"), ("/a?", "/a")] {
            assert!(
                !pattern(one).meets(&pattern(other)) && !pattern(other).meets(&pattern(one)),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn the_longest_patterns_are_compared_at_once() {
        let long = |tail: &str| pattern(&format!("/{}{tail}", "a*".repeat(12)));
        assert!(!long(&"a".repeat(100)).covers(&long(&"b".repeat(100))));
        assert!(!long(&"a".repeat(100)).meets(&long(&"b".repeat(100))));
    }

    #[test]
    fn an_exact_path_is_the_narrowest() {
        assert_eq!(pattern("/hooks/*").literal_len(), 7);
        assert_eq!(pattern("/hooks").literal_len(), 7);
        assert_eq!(PathPattern::all().literal_len(), 0);
    }
}
