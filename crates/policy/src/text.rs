//! Texts of which parts may be unknown, and patterns that they are held to.

use std::fmt;
use std::sync::Arc;

use crate::request::{Context, Given};
use crate::truth::Truth;

/// A text of a policy or a request. Parts of it may be unknown; two unknown parts of one name are the same text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Known(String),
    Unknown(Arc<str>),
}

/// A character of a text, or of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Glyph {
    Char(char),
    /// Any text at all, as long as nobody knows it.
    Unknown(Arc<str>),
    /// `*`
    Any,
    /// `?`
    One,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(vec![Part::Known(text.to_owned())])
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(vec![Part::Known(text)])
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Known(text) => f.write_str(text),
            Part::Unknown(name) => write!(f, "<{name}>"),
        })
    }
}

impl Text {
    /// A text of which only a name is known.
    pub fn unknown(name: impl Into<Arc<str>>) -> Self {
        Self(vec![Part::Unknown(name.into())])
    }

    /// The text, if all of it is known.
    #[must_use]
    pub fn known(&self) -> Option<String> {
        let parts = self.0.iter().map(|part| match part {
            Part::Known(text) => Some(text.as_str()),
            Part::Unknown(_) => None,
        });
        parts.collect()
    }

    /// This text with another one behind it.
    #[must_use]
    pub fn then(mut self, other: impl Into<Self>) -> Self {
        self.0.extend(other.into().0);
        self
    }

    /// A string of Terraform JSON: what stands in `${…}` is unknown under that name, `$${` and `%%{` are the plain characters.
    /// <https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences-1>
    #[must_use]
    pub fn terraform(text: &str) -> Self {
        Self::terraform_with(text, &|_| None)
    }

    /// As [`Text::terraform`], with the references that `resolve` knows put in.
    pub fn terraform_with(text: &str, resolve: &dyn Fn(&str) -> Option<Self>) -> Self {
        let (mut parts, mut plain, mut rest) = (Self::default(), String::new(), text);
        while let Some(next) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("$${") {
                plain.push_str("${");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("%%{") {
                plain.push_str("%{");
                rest = after;
            } else if let Some(inner) = rest.strip_prefix("${").or_else(|| rest.strip_prefix("%{")) {
                let end = closing(inner);
                let name = inner[..end].trim();
                parts.push_known(std::mem::take(&mut plain));
                parts = parts.then(resolve(name).unwrap_or_else(|| Self::unknown(name)));
                rest = inner.get(end + 1..).unwrap_or_default();
            } else {
                plain.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        parts.push_known(plain);
        parts
    }

    fn push_known(&mut self, text: String) {
        if !text.is_empty() {
            self.0.push(Part::Known(text));
        }
    }

    /// As what is compared with a pattern: every character stands for itself.
    fn value(&self) -> Vec<Glyph> {
        self.glyphs(Glyph::Char)
    }

    fn glyphs(&self, of: impl Fn(char) -> Glyph) -> Vec<Glyph> {
        let mut glyphs = Vec::new();
        for part in &self.0 {
            match part {
                Part::Known(text) => glyphs.extend(text.chars().map(&of)),
                Part::Unknown(name) => glyphs.push(Glyph::Unknown(Arc::clone(name))),
            }
        }
        glyphs
    }
}

/// Where the brace closes that stands open before this text; its end, if none does.
fn closing(text: &str) -> usize {
    let mut open = 1;
    let close = text.char_indices().find(|(_, character)| {
        match character {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        open == 0
    });
    close.map_or(text.len(), |(at, _)| at)
}

/// What is a wildcard in a text of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wildcards {
    /// `*` and `?`.
    Are,
    /// Nothing: the texts are equal or not.
    AreNot,
}

/// A text of a policy, its variables resolved.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    glyphs: Vec<Glyph>,
    /// A variable that has no value matches nothing.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-no-value>
    never: bool,
}

impl Pattern {
    /// A text in which policy variables stand, `${aws:username}`, for what the request says of them.
    pub(crate) fn with_variables(text: &Text, context: &Context, wildcards: Wildcards) -> Self {
        let mut pattern = Self { glyphs: Vec::new(), never: false };
        for part in &text.0 {
            match part {
                Part::Known(text) => pattern.read(text, context, wildcards),
                Part::Unknown(name) => pattern.glyphs.push(Glyph::Unknown(Arc::clone(name))),
            }
        }
        pattern
    }

    /// A text without variables.
    pub(crate) fn plain(text: &Text, wildcards: Wildcards) -> Self {
        Self { glyphs: text.glyphs(|character| glyph(character, wildcards)), never: false }
    }

    fn read(&mut self, text: &str, context: &Context, wildcards: Wildcards) {
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let variable = rest.strip_prefix("${").and_then(|inner| inner.split_once('}'));
            if let Some((name, after)) = variable {
                self.variable(name, context);
                rest = after;
            } else {
                self.glyphs.push(glyph(next, wildcards));
                rest = &rest[next.len_utf8()..];
            }
        }
    }

    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
    fn variable(&mut self, name: &str, context: &Context) {
        let mut special = name.chars();
        if let (Some(character @ ('*' | '?' | '$')), None) = (special.next(), special.next()) {
            self.glyphs.push(Glyph::Char(character));
            return;
        }
        let (name, default) = name.split_once(',').map_or((name, None), |(name, default)| {
            (name, default.trim().strip_prefix('\'').and_then(|default| default.strip_suffix('\'')))
        });
        match (context.get(name.trim()), default) {
            (Given::One(text), _) => self.glyphs.extend(text.value()),
            (Given::Unknown, _) => self.glyphs.push(Glyph::Unknown(Arc::from(format!("${{{name}}}")))),
            (Given::Absent | Given::Many(_), Some(default)) => {
                self.glyphs.extend(Text::from(default).value())
            }
            (Given::Absent | Given::Many(_), None) => self.never = true,
        }
    }

    /// Whether it holds a variable that has no value.
    pub(crate) fn has_no_value(&self) -> bool {
        self.never
    }

    /// Whether a text matches.
    pub(crate) fn matches(&self, value: &Text) -> Truth {
        if self.never { Truth::No } else { compare(&self.glyphs, &value.value()) }
    }

    /// Whether a text matches, upper and lower case being one.
    pub(crate) fn matches_ignoring_case(&self, value: &Text) -> Truth {
        if self.never { Truth::No } else { compare(&lower(&self.glyphs), &lower(&value.value())) }
    }

    /// Whether an ARN matches: each of its six parts by itself, so that a wildcard ends where its part does.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
    pub(crate) fn matches_arn(&self, value: &Text) -> Truth {
        if self.never {
            return Truth::No;
        }
        let value = value.value();
        if self.glyphs == [Glyph::Any] {
            return Truth::Yes;
        }
        // A reference to a whole ARN has no parts to see.
        let (Some(mut pattern), Some(parts)) = (arn_parts(&self.glyphs), arn_parts(&value)) else {
            return compare(&self.glyphs, &value);
        };
        if parts.len() < ARN_PARTS {
            return compare(&self.glyphs, &value);
        }
        // What a short one leaves out may be anything.
        pattern.resize(ARN_PARTS, &[Glyph::Any]);
        Truth::all(pattern.iter().zip(&parts).map(|(pattern, value)| compare(pattern, value)))
    }
}

fn glyph(character: char, wildcards: Wildcards) -> Glyph {
    match (character, wildcards) {
        ('*', Wildcards::Are) => Glyph::Any,
        ('?', Wildcards::Are) => Glyph::One,
        _ => Glyph::Char(character),
    }
}

fn lower(glyphs: &[Glyph]) -> Vec<Glyph> {
    let lower = |glyph: &Glyph| match glyph {
        Glyph::Char(character) => character.to_lowercase().map(Glyph::Char).collect(),
        other => vec![other.clone()],
    };
    glyphs.iter().flat_map(lower).collect()
}

/// `arn:partition:service:region:account:resource`
const ARN_PARTS: usize = 6;

/// The parts of an ARN, fewer than six of a short one; none where it is no ARN, or a part before the last is unknown.
fn arn_parts(glyphs: &[Glyph]) -> Option<Vec<&[Glyph]>> {
    let parts: Vec<&[Glyph]> = glyphs.splitn(ARN_PARTS, |glyph| *glyph == Glyph::Char(':')).collect();
    let known = |part: &&[Glyph]| part.iter().all(|glyph| !matches!(glyph, Glyph::Unknown(_)));
    let seen = parts.iter().take(ARN_PARTS - 1).all(known);
    let arn = ['a', 'r', 'n'].map(Glyph::Char);
    (seen && parts.first().is_some_and(|first| **first == arn)).then_some(parts)
}

fn compare(pattern: &[Glyph], value: &[Glyph]) -> Truth {
    if fits(pattern, value, Unknowns::StayThemselves) {
        Truth::Yes
    } else if fits(pattern, value, Unknowns::AreAnything) {
        Truth::Maybe
    } else {
        Truth::No
    }
}

/// How an unknown part is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknowns {
    /// It equals itself and is matched by `*` alone: what fits then, fits whatever it is.
    StayThemselves,
    /// It is any text: what does not fit then, never fits.
    AreAnything,
}

/// Walks through the value with every place of the pattern that may be reached.
fn fits(pattern: &[Glyph], value: &[Glyph], unknowns: Unknowns) -> bool {
    let anything = unknowns == Unknowns::AreAnything;
    let skipped = |glyph: &Glyph| *glyph == Glyph::Any || anything && matches!(glyph, Glyph::Unknown(_));
    let spread = |places: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            places[at + 1] |= places[at] && skipped(&pattern[at]);
        }
    };
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    spread(&mut places);
    for glyph in value {
        let mut next = vec![false; pattern.len() + 1];
        for at in (0..=pattern.len()).filter(|at| places[*at]) {
            if anything && matches!(glyph, Glyph::Unknown(_)) {
                next[at..].fill(true);
                break;
            }
            let Some(expected) = pattern.get(at) else { continue };
            next[at] |= skipped(expected);
            let one = *expected == Glyph::One && matches!(glyph, Glyph::Char(_));
            next[at + 1] |= one || expected == glyph;
        }
        spread(&mut next);
        places = next;
    }
    places[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(pattern: &str, value: &str) -> Truth {
        let pattern = Pattern::with_variables(&Text::terraform(pattern), &Context::default(), Wildcards::Are);
        pattern.matches_arn(&Text::terraform(value))
    }

    #[test]
    fn wildcards_end_where_their_part_of_an_arn_does() {
        assert_eq!(arn("arn:aws:s3:::files/*", "arn:aws:s3:::files/a/b.csv"), Truth::Yes);
        assert_eq!(arn("arn:aws:s3:::file?/*", "arn:aws:s3:::files/"), Truth::Yes);
        assert_eq!(arn("arn:*:role/x", "arn:aws:iam::111122223333:role/x"), Truth::No);
        assert_eq!(arn("arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:role/x"), Truth::Yes);
        assert_eq!(
            arn("arn:aws:logs:*:1:log-group:a:*", "arn:aws:logs:r:1:log-group:a:log-stream:b"),
            Truth::Yes
        );
        assert_eq!(arn("*", "*"), Truth::Yes);
        assert_eq!(arn("arn:aws:s3:::files", "*"), Truth::No);
    }

    #[test]
    fn an_unknown_part_is_never_taken_for_a_match() {
        assert_eq!(arn("arn:aws:s3:::${name}/*", "arn:aws:s3:::files/x"), Truth::Maybe);
        assert_eq!(arn("arn:aws:s3:::${name}/*", "arn:aws:s3:::files"), Truth::No);
        assert_eq!(arn("arn:aws:s3:::files/*", "arn:aws:s3:::files/${key}"), Truth::Yes);
        assert_eq!(arn("arn:aws:s3:::files/a*", "arn:aws:s3:::files/${key}"), Truth::Maybe);
        assert_eq!(arn("${bucket.arn}/*", "${bucket.arn}/x"), Truth::Yes);
        assert_eq!(arn("${bucket.arn}/*", "${other.arn}/x"), Truth::Maybe);
        assert_eq!(arn("${bucket.arn}", "arn:aws:s3:::files"), Truth::Maybe);
        assert_eq!(arn("*", "${bucket.arn}"), Truth::Yes);
    }

    #[test]
    fn strings_of_terraform_are_read() {
        assert_eq!(Text::terraform("$${aws:username}").known().as_deref(), Some("${aws:username}"));
        let text = Text::terraform("a-${x[\"{\"]}-b");
        assert_eq!(text.known(), None);
        let resolved = Text::terraform_with("a-${x}-b", &|name| (name == "x").then(|| Text::from("1")));
        assert_eq!(resolved.known().as_deref(), Some("a-1-b"));
    }

    #[test]
    fn variables_stand_for_what_the_request_says() {
        let context = Context::default().with("aws:PrincipalTag/team", "blue").with_unknown("aws:userid");
        let matches = |pattern: &str, value: &str| {
            Pattern::with_variables(&Text::from(pattern), &context, Wildcards::Are)
                .matches(&Text::from(value))
        };
        assert_eq!(matches("${aws:PrincipalTag/team}/*", "blue/1"), Truth::Yes);
        assert_eq!(matches("${aws:userid}/*", "blue/1"), Truth::Maybe);
        assert_eq!(matches("${aws:SourceIdentity}/*", "/1"), Truth::No);
        assert_eq!(matches("${aws:SourceIdentity, 'none'}/*", "none/1"), Truth::Yes);
        assert_eq!(matches("${*}${?}${$}", "*?$"), Truth::Yes);
        assert_eq!(matches("${*}", "x"), Truth::No);
    }
}
