//! Entity tags in `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2).

use axum::http::HeaderMap;

use super::super::problem::Problem;

/// What a header names: any version, or some.
#[derive(Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`.
    Any,
    /// A list.
    These(Vec<Tag>),
}

/// An entity tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag {
    /// Whether it is a weak one (`W/"…"`). The service gives strong ones alone.
    weak: bool,
    /// The tag with its quotes, as `ETag` gives it.
    text: String,
}

/// The tag of a version.
pub fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

impl Tags {
    /// What a header of a request names; none if it is not there. A header that stands twice is one list.
    ///
    /// # Errors
    /// Fails with 400 if it is not written as the RFC says.
    pub fn read(headers: &HeaderMap, name: &'static str) -> Result<Option<Self>, Problem> {
        let mut lines = Vec::new();
        for value in headers.get_all(name) {
            lines.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
        if lines.is_empty() {
            return Ok(None);
        }
        let tags = parse(&lines.join(","));
        let wrong = || Problem::bad_request(format!("{name} is * or a list of ETags in their quotes"));
        tags.ok_or_else(wrong).map(Some)
    }

    /// Whether a tag that the service gave is among them by the strong comparison: a weak one never is.
    pub fn strongly(&self, own: &str) -> bool {
        self.holds(|tag| !tag.weak && tag.text == own)
    }

    /// Whether it is among them by the weak comparison.
    pub fn weakly(&self, own: &str) -> bool {
        self.holds(|tag| tag.text == own)
    }

    fn holds(&self, matches: impl Fn(&Tag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(matches),
        }
    }
}

/// A list may be empty, and so may its elements.
fn parse(text: &str) -> Option<Tags> {
    let space = [' ', '\t'];
    if text.trim_matches(space) == "*" {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(space);
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
            continue;
        }
        if rest.is_empty() {
            return Some(Tags::These(tags));
        }
        let strong = rest.strip_prefix("W/").unwrap_or(rest);
        let end = strong.strip_prefix('"')?.find('"')? + 2;
        let (opaque, after) = strong.split_at_checked(end)?;
        if opaque.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return None;
        }
        tags.push(Tag { weak: strong.len() != rest.len(), text: opaque.to_owned() });
        rest = after.trim_start_matches(space);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::http::header::IF_MATCH;

    use super::*;

    /// Whether it is among them: strongly, weakly.
    type Found = Option<(bool, bool)>;

    /// Whether `"2"` is among what a header names.
    fn compared(lines: &[&str]) -> Found {
        let value = |line: &str| HeaderValue::from_bytes(line.as_bytes()).unwrap();
        let headers = lines.iter().map(|line| (IF_MATCH, value(line)));
        let tags = Tags::read(&headers.collect(), "if-match").ok()?.unwrap();
        Some((tags.strongly(&tag(2)), tags.weakly(&tag(2))))
    }

    #[test]
    fn the_forms_of_the_rfc_are_read_and_compared_as_it_says() {
        let (both, weak, none) = (Some((true, true)), Some((false, true)), Some((false, false)));
        let cases: &[(&[&str], Found)] = &[
            (&["*"], both),
            (&[" * "], both),
            (&["\"2\""], both),
            (&["\"1\", \"2\""], both),
            (&["\"1\",\t\"2\" , \"3\""], both),
            (&[",, \"2\",,"], both),
            (&["\"1\"", "\"2\""], both),
            (&["W/\"2\""], weak),
            (&["\"1\", W/\"2\""], weak),
            (&["W/\"2\", \"2\""], both),
            (&["\"1\""], none),
            (&["\"\""], none),
            (&["\"1,2\""], none),
            (&["\"1,\\\"2\\\"\""], None),
            (&["\"0x-é\""], none),
            (&[""], none),
            (&[" ,"], none),
            (&["2"], None),
            (&["\"2"], None),
            (&["2\""], None),
            (&["\"2\"\"3\""], None),
            (&["\"2\" \"3\""], None),
            (&["\"2\" 3"], None),
            (&["w/\"2\""], None),
            (&["W/ \"2\""], None),
            (&["W/*"], None),
            (&["*, \"2\""], None),
            (&["\"2\"", "*"], None),
            (&["\"2 2\""], None),
        ];
        for (lines, expected) in cases {
            assert_eq!(compared(lines), *expected, "{lines:?}");
        }
        assert_eq!(Tags::read(&HeaderMap::new(), "if-match").unwrap(), None);
    }
}
