//! EventBridge event patterns: which events a rule is about.
//!
//! Every field that a pattern names must match; of several values of one field, any.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>

use std::borrow::Cow;

use terraform::kind::Text;
use terraform::{Expr, IntoExpr, Key, NonEmpty, Number, Value};

use crate::kind;

/// An event pattern.
///
/// ```
/// use aws::document::event_pattern::{EventPattern, Match};
///
/// let findings = EventPattern::from_source("aws.guardduty")
///     .detail_type("GuardDuty Finding")
///     .detail(["severity"], [Match::at_least(7)]);
/// ```
pub struct EventPattern {
    fields: Vec<(Key, Field)>,
}

/// What a pattern says of a field: what it matches, or what the fields inside it match.
enum Field {
    Matches(Vec<Value>),
    Inside(Vec<(Key, Field)>),
}

impl EventPattern {
    /// Events of one source: a service, such as `aws.guardduty`, or an application of your own.
    ///
    /// A pattern begins with it, since one without a source would be about every event of the account.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-patterns-best-practices.html>
    pub fn from_source(source: impl Into<Cow<'static, str>>) -> Self {
        Self { fields: Vec::new() }.field(["source"], NonEmpty::one(Match::exact(source.into())))
    }

    /// Events of this type, such as `GuardDuty Finding`.
    #[must_use]
    pub fn detail_type(self, detail_type: impl Into<Cow<'static, str>>) -> Self {
        self.field(["detail-type"], NonEmpty::one(Match::exact(detail_type.into())))
    }

    /// Events about one of these resources, by ARN.
    #[must_use]
    pub fn resources(self, matches: NonEmpty<Match>) -> Self {
        self.field(["resources"], matches)
    }

    /// Events with such a value at this path inside `detail`: `.detail(["requestParameters", "policyArn"], […])`.
    #[must_use]
    pub fn detail<const N: usize, const M: usize>(
        self,
        path: [&'static str; N],
        matches: [Match; M],
    ) -> Self {
        const {
            assert!(N > 0, "the path to a field inside `detail` has at least one step");
            assert!(M > 0, "a field that matches nothing is refused by EventBridge");
        }
        let path: Vec<&str> = std::iter::once("detail").chain(path).collect();
        self.insert(&path, matches.into_iter().map(|m| m.0).collect())
    }

    /// Events with such a value at this path. A path that is named again adds to what it matches.
    #[must_use]
    pub fn field<const N: usize>(self, path: [&'static str; N], matches: NonEmpty<Match>) -> Self {
        const { assert!(N > 0, "the path to a field has at least one step") }
        self.insert(&path, matches.into_iter().map(|m| m.0).collect())
    }

    fn insert(mut self, path: &[&'static str], matches: Vec<Value>) -> Self {
        insert(&mut self.fields, path, matches);
        self
    }
}

/// Walks down `path` and adds the matches there. What a path leads through cannot itself be matched: the later of two
/// such demands replaces the earlier.
fn insert(fields: &mut Vec<(Key, Field)>, path: &[&'static str], matches: Vec<Value>) {
    let Some((step, rest)) = path.split_first() else { return };
    let at = fields.iter().position(|(name, _)| name == step).unwrap_or_else(|| {
        fields.push((Key::Borrowed(step), Field::Inside(Vec::new())));
        fields.len() - 1
    });
    match (&mut fields[at].1, rest.is_empty()) {
        (Field::Matches(earlier), true) => earlier.extend(matches),
        (field, true) => *field = Field::Matches(matches),
        (Field::Inside(inside), false) => insert(inside, rest, matches),
        (field, false) => {
            let mut inside = Vec::new();
            insert(&mut inside, rest, matches);
            *field = Field::Inside(inside);
        }
    }
}

impl Field {
    fn into_value(self) -> Value {
        match self {
            Self::Matches(matches) => Value::List(matches),
            Self::Inside(fields) => object(fields),
        }
    }
}

fn object(fields: Vec<(Key, Field)>) -> Value {
    Value::Object(fields.into_iter().map(|(name, field)| (name, field.into_value())).collect())
}

impl IntoExpr<kind::EventPattern> for EventPattern {
    fn into_expr(self) -> Expr<kind::EventPattern> {
        Expr::document(object(self.fields))
    }
}

/// What a field's value may be.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>
pub struct Match(Value);

impl Match {
    /// This very text.
    pub fn exact(text: impl IntoExpr<Text>) -> Self {
        Self(text.into_expr().into_value())
    }

    /// This very truth value.
    pub fn exact_bool(value: bool) -> Self {
        Self(Value::Bool(value))
    }

    /// This very number, or one written otherwise that equals it.
    pub fn exact_number(number: impl Into<Number>) -> Self {
        Self::numeric([("=", number.into())])
    }

    /// A text that begins so.
    pub fn prefix(text: impl IntoExpr<Text>) -> Self {
        Self::operator("prefix", text.into_expr().into_value())
    }

    /// A text that is none of these.
    pub fn anything_but<T: IntoExpr<Text>>(texts: NonEmpty<T>) -> Self {
        let texts = texts.into_iter().map(|text| text.into_expr().into_value());
        Self::operator("anything-but", Value::List(texts.collect()))
    }

    /// A text that does not begin so.
    pub fn anything_but_prefix(text: impl IntoExpr<Text>) -> Self {
        Self::operator("anything-but", Self::prefix(text).0)
    }

    /// Whether the field is there at all; of fields that hold no other fields.
    pub fn exists(there: bool) -> Self {
        Self::operator("exists", Value::Bool(there))
    }

    /// A number of at least this, from -5e9 to 5e9 as EventBridge compares them.
    pub fn at_least(number: impl Into<Number>) -> Self {
        Self::numeric([(">=", number.into())])
    }

    /// A number of at most this.
    pub fn at_most(number: impl Into<Number>) -> Self {
        Self::numeric([("<=", number.into())])
    }

    /// A number above this.
    pub fn above(number: impl Into<Number>) -> Self {
        Self::numeric([(">", number.into())])
    }

    /// A number below this.
    pub fn below(number: impl Into<Number>) -> Self {
        Self::numeric([("<", number.into())])
    }

    /// A number from `low` to `high`, both included.
    pub fn between(low: impl Into<Number>, high: impl Into<Number>) -> Self {
        Self::numeric([(">=", low.into()), ("<=", high.into())])
    }

    fn numeric<const N: usize>(comparisons: [(&'static str, Number); N]) -> Self {
        let parts = comparisons.into_iter().flat_map(|(op, n)| [Value::string(op), Value::Number(n)]);
        Self::operator("numeric", Value::List(parts.collect()))
    }

    fn operator(name: &'static str, operand: Value) -> Self {
        Self(Value::Object(vec![(Key::Borrowed(name), operand)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(pattern: EventPattern) -> Value {
        let Value::Document(document) = pattern.into_expr().into_value() else { panic!("a document") };
        document.content
    }

    fn text(text: &'static str) -> Value {
        Value::string(text)
    }

    fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
        Value::Object(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    #[test]
    fn fields_nest_by_path() {
        let pattern = EventPattern::from_source("aws.guardduty")
            .detail_type("GuardDuty Finding")
            .detail(["severity"], [Match::at_least(7)])
            .detail(["service", "archived"], [Match::exact_bool(false)])
            .detail(["service", "count"], [Match::between(1, 2.5), Match::exact_number(9)]);
        let numeric = |parts: Vec<Value>| object([("numeric", Value::List(parts))]);
        let number = |n: i32| Value::Number(n.into());
        let detail = object([
            ("severity", Value::List(vec![numeric(vec![text(">="), number(7)])])),
            (
                "service",
                object([
                    ("archived", Value::List(vec![Value::Bool(false)])),
                    (
                        "count",
                        Value::List(vec![
                            numeric(vec![text(">="), number(1), text("<="), Value::Number(2.5.into())]),
                            numeric(vec![text("="), number(9)]),
                        ]),
                    ),
                ]),
            ),
        ]);
        assert_eq!(
            value(pattern),
            object([
                ("source", Value::List(vec![text("aws.guardduty")])),
                ("detail-type", Value::List(vec![text("GuardDuty Finding")])),
                ("detail", detail),
            ])
        );
    }

    #[test]
    fn each_operator_is_an_object_of_its_own() {
        let matches = [
            Match::prefix("s3:Put"),
            Match::anything_but(NonEmpty::new("a", ["b"])),
            Match::anything_but_prefix("AWSReserved"),
            Match::exists(true),
        ];
        let pattern = EventPattern::from_source("aws.s3").detail(["name"], matches);
        let expected = Value::List(vec![
            object([("prefix", text("s3:Put"))]),
            object([("anything-but", Value::List(vec![text("a"), text("b")]))]),
            object([("anything-but", object([("prefix", text("AWSReserved"))]))]),
            object([("exists", Value::Bool(true))]),
        ]);
        assert_eq!(value(pattern).get("detail").and_then(|d| d.get("name")), Some(&expected));
    }

    #[test]
    fn a_path_that_is_named_again_matches_either_value() {
        let pattern = EventPattern::from_source("aws.ecs")
            .detail_type("ECS Task State Change")
            .detail_type("ECS Deployment State Change");
        let types = Value::List(vec![text("ECS Task State Change"), text("ECS Deployment State Change")]);
        assert_eq!(value(pattern).get("detail-type"), Some(&types));
    }
}
