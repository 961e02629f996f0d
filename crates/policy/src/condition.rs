//! Conditions of statements.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>

use ipnet::IpNet;
use serde_json::Value;

use crate::document::one_or_more;
use crate::request::{Context, Given};
use crate::text::{Pattern, Text, Wildcards};
use crate::truth::Truth;

/// A condition key held to values by an operator.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) key: String,
    operator: Operator,
    values: Vec<Text>,
}

#[derive(Clone, Copy, Debug)]
struct Operator {
    set: Option<Set>,
    test: Test,
    /// `StringNotEquals`: none of the values, rather than one of them.
    negated: bool,
    /// `…IfExists`: an absent key passes.
    if_exists: bool,
}

/// How a key of several values is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    ForAllValues,
    ForAnyValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    EqualIgnoringCase,
    Like,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Every operator without its prefix and suffix, in small letters.
fn test(name: &str) -> Option<(Test, bool)> {
    Some(match name {
        "stringequals" => (Test::Equal, false),
        "stringnotequals" => (Test::Equal, true),
        "stringequalsignorecase" => (Test::EqualIgnoringCase, false),
        "stringnotequalsignorecase" => (Test::EqualIgnoringCase, true),
        "stringlike" => (Test::Like, false),
        "stringnotlike" => (Test::Like, true),
        "numericequals" => (Test::Number(Order::Equal), false),
        "numericnotequals" => (Test::Number(Order::Equal), true),
        "numericlessthan" => (Test::Number(Order::Less), false),
        "numericlessthanequals" => (Test::Number(Order::LessOrEqual), false),
        "numericgreaterthan" => (Test::Number(Order::Greater), false),
        "numericgreaterthanequals" => (Test::Number(Order::GreaterOrEqual), false),
        "dateequals" => (Test::Date(Order::Equal), false),
        "datenotequals" => (Test::Date(Order::Equal), true),
        "datelessthan" => (Test::Date(Order::Less), false),
        "datelessthanequals" => (Test::Date(Order::LessOrEqual), false),
        "dategreaterthan" => (Test::Date(Order::Greater), false),
        "dategreaterthanequals" => (Test::Date(Order::GreaterOrEqual), false),
        "bool" => (Test::Bool, false),
        "binaryequals" => (Test::Binary, false),
        "ipaddress" => (Test::Address, false),
        "notipaddress" => (Test::Address, true),
        // Both take wildcards: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN>
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        "null" => (Test::Null, false),
        _ => return None,
    })
}

impl Operator {
    fn read(name: &str) -> Option<Self> {
        let lower = name.to_lowercase();
        let (set, lower) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Some(Set::ForAllValues), rest),
            Some(("foranyvalue", rest)) => (Some(Set::ForAnyValue), rest),
            Some(_) => return None,
            None => (None, lower.as_str()),
        };
        let (lower, if_exists) = lower.strip_suffix("ifexists").map_or((lower, false), |rest| (rest, true));
        let (test, negated) = test(lower)?;
        (test != Test::Null || !if_exists && set.is_none()).then_some(Self { set, test, negated, if_exists })
    }
}

impl Condition {
    /// The conditions of a statement, operator by operator.
    pub(crate) fn read<'v>(value: &'v Value, text: &dyn Fn(&'v str) -> Text) -> Result<Vec<Self>, String> {
        let operators = value.as_object().ok_or("a condition that is no object")?;
        let mut all = Vec::new();
        for (name, keys) in operators {
            let operator = Operator::read(name).ok_or_else(|| format!("no operator is called {name}"))?;
            for (key, values) in keys.as_object().ok_or_else(|| format!("{name} holds no keys"))? {
                let values = one_or_more(values).iter().map(|value| match value {
                    Value::String(value) => Ok(text(value)),
                    Value::Bool(_) | Value::Number(_) => Ok(Text::from(value.to_string())),
                    _ => Err(format!("{key}: {value} is no value")),
                });
                all.push(Self { key: key.clone(), operator, values: values.collect::<Result<_, _>>()? });
            }
        }
        Ok(all)
    }

    /// Whether it holds for a request of these keys.
    pub(crate) fn holds(&self, context: &Context) -> Truth {
        let given = context.get(&self.key);
        let Operator { set, test, negated, if_exists } = self.operator;
        if test == Test::Null {
            return self.is_absent(given);
        }
        match (given, set) {
            (Given::Unknown, _) => Truth::Maybe,
            (Given::Absent, Some(Set::ForAnyValue)) => Truth::No,
            (Given::Absent, Some(Set::ForAllValues)) => Truth::Yes,
            (Given::Absent, None) => Truth::from(if_exists || negated),
            (Given::One(value), _) => self.one_holds(value, context),
            (Given::Many(values), Some(Set::ForAllValues)) => {
                Truth::all(values.iter().map(|value| self.one_holds(value, context)))
            }
            (Given::Many(values), Some(Set::ForAnyValue)) => {
                Truth::any(values.iter().map(|value| self.one_holds(value, context)))
            }
            // A key of several values takes a set operator.
            (Given::Many(_), None) => Truth::No,
        }
    }

    fn is_absent(&self, given: &Given) -> Truth {
        let wanted = |value: &Text| value.known().map(|value| value.eq_ignore_ascii_case("true"));
        let absent = match given {
            Given::Unknown => return Truth::Maybe,
            given => *given == Given::Absent,
        };
        Truth::any(
            self.values
                .iter()
                .map(|value| wanted(value).map_or(Truth::Maybe, |wanted| Truth::from(wanted == absent))),
        )
    }

    fn one_holds(&self, value: &Text, context: &Context) -> Truth {
        let fits = self.values.iter().map(|expected| self.fits(expected, value, context));
        let any = Truth::any(fits);
        if self.operator.negated { !any } else { any }
    }

    fn fits(&self, expected: &Text, value: &Text, context: &Context) -> Truth {
        let pattern = |wildcards| Pattern::with_variables(expected, context, wildcards);
        match self.operator.test {
            Test::Equal | Test::Binary => pattern(Wildcards::AreNot).matches(value),
            Test::EqualIgnoringCase | Test::Bool => pattern(Wildcards::AreNot).matches_ignoring_case(value),
            Test::Like => pattern(Wildcards::Are).matches(value),
            Test::Arn => pattern(Wildcards::Are).matches_arn(value),
            Test::Number(order) => compared(expected, value, |text| text.parse::<f64>().ok(), order),
            Test::Date(order) => compared(expected, value, seconds, order),
            Test::Address => lies_in(expected, value),
            Test::Null => Truth::No,
        }
    }
}

/// What cannot be read as a number or a date is in no order.
fn compared(expected: &Text, value: &Text, read: impl Fn(&str) -> Option<f64>, order: Order) -> Truth {
    let (Some(expected), Some(value)) = (expected.known(), value.known()) else { return Truth::Maybe };
    let (Some(expected), Some(value)) = (read(&expected), read(&value)) else { return Truth::No };
    Truth::from(match order {
        Order::Equal => value == expected,
        Order::Less => value < expected,
        Order::LessOrEqual => value <= expected,
        Order::Greater => value > expected,
        Order::GreaterOrEqual => value >= expected,
    })
}

/// Whether an address lies in a range, which may be one address.
fn lies_in(range: &Text, address: &Text) -> Truth {
    let (Some(range), Some(address)) = (range.known(), address.known()) else { return Truth::Maybe };
    let read = |text: &str| {
        text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
    };
    let (Some(range), Some(address)) = (read(&range), read(&address)) else { return Truth::No };
    Truth::from(range.contains(&address))
}

/// Seconds since 1970 of a date, `2026-11-30T12:00:00Z` or shorter, or of the seconds themselves.
/// <https://www.w3.org/TR/NOTE-datetime>
fn seconds(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) =
        (parts.next()??, parts.next().unwrap_or(Some(1))?, parts.next().unwrap_or(Some(1))?);
    let time = time.strip_suffix('Z')?;
    let mut parts = time.split(':').map(|part| part.parse::<f64>().ok());
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0.0))?;
    #[expect(clippy::cast_precision_loss, reason = "days of four-digit years are far below 2^53")]
    let days = days(year, month, day) as f64;
    Some(days * 86_400.0 + hour * 3_600.0 + minute * 60.0 + second)
}

/// Days since 1970 of a day of the Gregorian calendar.
/// <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(operator: &str, values: Value, context: &Context) -> Truth {
        let document = json!({ operator: { "test:Key": values } });
        let all = Condition::read(&document, &Text::from).expect("conditions");
        Truth::all(all.iter().map(|condition| condition.holds(context)))
    }

    #[test]
    fn absent_keys_pass_where_aws_says_so() {
        let none = Context::default();
        for (operator, expected) in [
            ("StringEquals", Truth::No),
            ("StringNotEquals", Truth::Yes),
            ("StringEqualsIfExists", Truth::Yes),
            ("ForAllValues:StringEquals", Truth::Yes),
            ("ForAnyValue:StringEquals", Truth::No),
            ("ForAnyValue:StringNotEquals", Truth::No),
        ] {
            assert_eq!(holds(operator, json!("a"), &none), expected, "{operator}");
            assert_eq!(holds(operator, json!("a"), &Context::unknown()), Truth::Maybe, "{operator}");
        }
        assert_eq!(holds("Null", json!("true"), &none), Truth::Yes);
        assert_eq!(holds("Null", json!(false), &none), Truth::No);
        assert_eq!(holds("Null", json!("true"), &Context::unknown()), Truth::Maybe);
    }

    #[test]
    fn sets_are_held_value_by_value() {
        let both = Context::default().with_many("test:key", ["a", "b"]);
        assert_eq!(holds("ForAllValues:StringEquals", json!(["a", "b", "c"]), &both), Truth::Yes);
        assert_eq!(holds("ForAllValues:StringEquals", json!("a"), &both), Truth::No);
        assert_eq!(holds("ForAnyValue:StringEquals", json!("a"), &both), Truth::Yes);
        assert_eq!(holds("ForAnyValue:StringNotEquals", json!("a"), &both), Truth::Yes);
        assert_eq!(holds("StringEquals", json!(["a", "b"]), &both), Truth::No);
    }

    #[test]
    fn each_kind_of_value_is_compared_as_such() {
        for (operator, expected, value, truth) in [
            ("NumericLessThan", json!(10), "9.5", Truth::Yes),
            ("NumericGreaterThanEquals", json!("10"), "9", Truth::No),
            ("NumericEquals", json!(10), "ten", Truth::No),
            ("DateGreaterThan", json!("2024-02-29T00:00:00Z"), "2024-03-01T00:00:00Z", Truth::Yes),
            ("DateEquals", json!("2000-03-01T00:00:00Z"), "951868800", Truth::Yes),
            ("Bool", json!(true), "TRUE", Truth::Yes),
            ("IpAddress", json!("10.0.0.0/8"), "10.1.2.3", Truth::Yes),
            ("NotIpAddress", json!("10.0.0.0/8"), "10.1.2.3", Truth::No),
            ("IpAddress", json!("2001:db8::/32"), "2001:db8::1", Truth::Yes),
            ("ArnLike", json!("arn:aws:iam::*:role/a-*"), "arn:aws:iam::111122223333:role/a-b", Truth::Yes),
            ("ArnEquals", json!("arn:aws:iam::*:role/a"), "arn:aws:iam::111122223333:role/a", Truth::Yes),
            ("ArnNotLike", json!("arn:aws:iam::*:role/a-*"), "arn:aws:iam::111122223333:role/a-b", Truth::No),
            ("StringEquals", json!("a*"), "ab", Truth::No),
            ("StringLike", json!("a*"), "ab", Truth::Yes),
            ("StringEqualsIgnoreCase", json!("A"), "a", Truth::Yes),
        ] {
            assert_eq!(
                holds(operator, expected, &Context::default().with("test:Key", value)),
                truth,
                "{operator} {value}"
            );
        }
    }
}
