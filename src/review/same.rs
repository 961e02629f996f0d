//! What is the same.
//!
//! Sets are those that the provider's schema calls sets. A policy is compared as IAM does
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>): statements, actions, resources,
//! principals and values have no order, one by itself is a list of one, and actions have no case. Of container definitions
//! the provider sorts containers, variables and secrets by name. Whatever else differs is a difference.

use std::collections::{BTreeMap, BTreeSet};

use aws::schema::{Block, Member, Nesting, Schema, Type, Way};
use serde_json::{Map, Value};
use terraform::query::is_expression;

/// A value that is not the same.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    /// Where, for people: `rule[block-bots].action`.
    pub path: String,
    /// The argument, as the table of replacements knows it: down to a set or a document.
    pub argument: String,
    /// In which way the argument differs.
    pub way: Way,
    pub old: Option<Value>,
    pub new: Option<Value>,
}

/// What is known of a value's shape.
#[derive(Clone, Copy)]
enum Shape<'s> {
    Block(&'s Block),
    Of(&'s Type),
    Blocks(Nesting, &'s Block),
    Document(Document),
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Document {
    Policy,
    Containers,
    Other,
}

/// What differs between two bodies of a type.
pub(super) fn differences(kind: &str, old: &Value, new: &Value) -> Vec<Difference> {
    if old == new {
        return Vec::new();
    }
    let shape = Schema::recorded().resource(kind).map_or(Shape::Unknown, Shape::Block);
    let (old, new) = (canonical(old, shape, ""), canonical(new, shape, ""));
    let mut walk = Walk { all: Vec::new() };
    walk.go(&Place::default(), shape, Some(&old), Some(&new));
    walk.all
}

/// A body in the one form that all its equals have.
pub(super) fn whole(kind: &str, body: &Value) -> Value {
    canonical(body, Schema::recorded().resource(kind).map_or(Shape::Unknown, Shape::Block), "")
}

/// Calls `found` for every text of a body, with the argument that it stands in.
pub(super) fn texts<'v>(kind: &str, body: &'v Value, found: &mut impl FnMut(&str, &'v str)) {
    let shape = Schema::recorded().resource(kind).map_or(Shape::Unknown, Shape::Block);
    texts_in(&Place::default(), shape, body, found);
}

fn texts_in<'v>(place: &Place, shape: Shape<'_>, value: &'v Value, found: &mut impl FnMut(&str, &'v str)) {
    match value {
        Value::String(text) => found(&place.argument, text),
        Value::Array(items) => {
            let inner = of_items(shape);
            let place = if is_set(shape) { place.frozen() } else { place.clone() };
            items.iter().for_each(|item| texts_in(&place, inner, item, found));
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                texts_in(&place.at(key, shape), member(shape, key, value), value, found);
            }
        }
        _ => {}
    }
}

/// What stands under a key.
fn member<'s>(shape: Shape<'s>, key: &str, value: &Value) -> Shape<'s> {
    match shape {
        Shape::Block(block) => match Schema::recorded().member(block, key) {
            Some(Member::Argument(Type::String)) if matches!(value, Value::Array(_) | Value::Object(_)) => {
                Shape::Document(document(key, value))
            }
            Some(Member::Argument(ty)) => Shape::Of(ty),
            Some(Member::Nested(nesting, block)) => Shape::Blocks(nesting, block),
            None => Shape::Unknown,
        },
        // A block that is written by itself.
        Shape::Blocks(_, block) => member(Shape::Block(block), key, value),
        Shape::Of(Type::Map(of)) => Shape::Of(of),
        Shape::Of(Type::Object(members)) => members.get(key).map_or(Shape::Unknown, Shape::Of),
        Shape::Document(document) => Shape::Document(document),
        Shape::Of(_) | Shape::Unknown => Shape::Unknown,
    }
}

fn of_items(shape: Shape<'_>) -> Shape<'_> {
    match shape {
        Shape::Blocks(_, block) => Shape::Block(block),
        Shape::Of(Type::List(of) | Type::Set(of)) => Shape::Of(of),
        Shape::Document(document) => Shape::Document(document),
        _ => Shape::Unknown,
    }
}

fn is_set(shape: Shape<'_>) -> bool {
    matches!(shape, Shape::Blocks(Nesting::Set, _) | Shape::Of(Type::Set(_)))
}

/// Which document an argument holds.
fn document(argument: &str, value: &Value) -> Document {
    match argument {
        "container_definitions" => Document::Containers,
        _ if argument.contains("policy") && is_policy(value) => Document::Policy,
        _ => Document::Other,
    }
}

/// Whether a document is a policy of IAM's: other documents have statements too, and those have no effect.
pub(super) fn is_policy(value: &Value) -> bool {
    let statements = value.get("Statement").map(one_or_more);
    statements.is_some_and(|all| all.iter().all(|statement| statement.get("Effect").is_some()))
}

/// A value in the one form that all its equals have.
fn canonical(value: &Value, shape: Shape<'_>, key: &str) -> Value {
    match (shape, value) {
        (Shape::Document(document), value) => canonical_document(value, document),
        (Shape::Of(Type::String), Value::String(text)) => match literal_document(key, text) {
            Some(document) => document,
            None => value.clone(),
        },
        (Shape::Of(ty), value) if !matches!(value, Value::Array(_) | Value::Object(_)) => {
            primitive(value, ty)
        }
        (Shape::Blocks(nesting, block), Value::Object(_)) if nesting != Nesting::Single => {
            Value::Array(vec![canonical(value, Shape::Block(block), key)])
        }
        (shape, Value::Array(items)) => {
            let inner = of_items(shape);
            let mut items: Vec<Value> = items.iter().map(|item| canonical(item, inner, key)).collect();
            if is_set(shape) {
                sort(&mut items);
                items.dedup();
            }
            Value::Array(items)
        }
        (shape, Value::Object(entries)) => {
            let in_block = matches!(shape, Shape::Block(_) | Shape::Blocks(..));
            let mut all = Map::new();
            for (key, value) in entries {
                // An argument that is null is one that is not set.
                if !(in_block && value.is_null()) {
                    all.insert(key.clone(), canonical(value, member(shape, key, value), key));
                }
            }
            Value::Object(all)
        }
        _ => value.clone(),
    }
}

/// A document that an argument holds as a text, where the provider compares it as a document.
fn literal_document(argument: &str, text: &str) -> Option<Value> {
    if !(argument.contains("policy") || argument == "container_definitions") || is_expression(text) {
        return None;
    }
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_object() || value.is_array()).then(|| canonical_document(&value, document(argument, &value)))
}

/// Terraform converts a number or a truth value where a text is asked for, and back.
fn primitive(value: &Value, ty: &Type) -> Value {
    match (ty, value) {
        (Type::String, Value::Bool(_) | Value::Number(_)) => Value::String(value.to_string()),
        (Type::Number, Value::String(text)) => match text.parse::<i64>() {
            Ok(number) if number.to_string() == *text => number.into(),
            _ => value.clone(),
        },
        (Type::Bool, Value::String(text)) if text == "true" => Value::Bool(true),
        (Type::Bool, Value::String(text)) if text == "false" => Value::Bool(false),
        _ => value.clone(),
    }
}

fn sort(items: &mut [Value]) {
    items.sort_by_cached_key(Value::to_string);
}

fn canonical_document(value: &Value, document: Document) -> Value {
    match document {
        Document::Policy => policy(value),
        Document::Containers => containers(value),
        Document::Other => value.clone(),
    }
}

/// A policy as IAM compares it.
pub(super) fn policy(value: &Value) -> Value {
    let Value::Object(elements) = value else { return value.clone() };
    let mut elements = elements.clone();
    if let Some(statements) = elements.get_mut("Statement") {
        let mut all: Vec<Value> = one_or_more(statements).iter().map(statement).collect();
        sort(&mut all);
        *statements = Value::Array(all);
    }
    Value::Object(elements)
}

fn statement(value: &Value) -> Value {
    let Value::Object(elements) = value else { return value.clone() };
    let canonical = |(key, value): (&String, &Value)| {
        let value = match key.as_str() {
            "Action" | "NotAction" => listed(value, |text| {
                // A reference is not a name of an action, and has a case.
                if is_expression(text) { text.to_owned() } else { text.to_lowercase() }
            }),
            "Resource" | "NotResource" => listed(value, str::to_owned),
            "Principal" | "NotPrincipal" => match value {
                Value::Object(kinds) => {
                    kinds.iter().map(|(kind, names)| (kind.clone(), listed(names, str::to_owned))).collect()
                }
                other => other.clone(),
            },
            "Condition" => condition(value),
            _ => value.clone(),
        };
        (key.clone(), value)
    };
    elements.iter().map(canonical).collect()
}

fn condition(value: &Value) -> Value {
    let Value::Object(operators) = value else { return value.clone() };
    let keys = |keys: &Value| match keys {
        Value::Object(keys) => {
            keys.iter().map(|(key, values)| (key.clone(), listed(values, str::to_owned))).collect()
        }
        other => other.clone(),
    };
    operators.iter().map(|(operator, of)| (operator.clone(), keys(of))).collect()
}

/// One text or several as a sorted list, each once. IAM takes numbers and truth values with or without quotes.
fn listed(value: &Value, text: impl Fn(&str) -> String) -> Value {
    let read = |item: &Value| match item {
        Value::String(item) => Value::String(text(item)),
        Value::Bool(_) | Value::Number(_) => Value::String(item.to_string()),
        other => other.clone(),
    };
    let mut items: Vec<Value> = one_or_more(value).iter().map(read).collect();
    sort(&mut items);
    items.dedup();
    Value::Array(items)
}

pub(super) fn one_or_more(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// Container definitions as the provider compares them.
fn containers(value: &Value) -> Value {
    let Value::Array(containers) = value else { return value.clone() };
    let mut containers = containers.clone();
    for container in &mut containers {
        for list in ["environment", "secrets"] {
            if let Some(Value::Array(items)) = container.get_mut(list) {
                by_name(items);
            }
        }
    }
    by_name(&mut containers);
    Value::Array(containers)
}

/// Sorts what has names of its own: of two with one name the last one holds, so their order counts.
fn by_name(items: &mut [Value]) {
    let names: BTreeSet<&str> = items.iter().filter_map(|item| item["name"].as_str()).collect();
    if names.len() == items.len() {
        sort(items);
    }
}

/// Where a value stands.
#[derive(Clone, Debug, Default)]
struct Place {
    path: String,
    argument: String,
    /// The argument goes no further than here.
    frozen: bool,
}

impl Place {
    fn frozen(&self) -> Self {
        Self { frozen: true, ..self.clone() }
    }

    /// The place of a member: an argument of its own in a block, and part of the argument in a map or a document.
    fn at(&self, key: &str, shape: Shape<'_>) -> Self {
        let join = |path: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let in_block = matches!(shape, Shape::Block(_) | Shape::Blocks(..));
        let frozen = self.frozen || !(in_block || self.argument.is_empty());
        let argument = if frozen { self.argument.clone() } else { join(&self.argument) };
        Self { path: join(&self.path), argument, frozen }
    }

    fn item(&self, key: &str) -> Self {
        Self { path: format!("{}[{key}]", self.path), ..self.clone() }
    }
}

struct Walk {
    all: Vec<Difference>,
}

impl Walk {
    fn go(&mut self, place: &Place, shape: Shape<'_>, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (old, new) if old == new => {}
            (Some(Value::Object(a)), Some(Value::Object(b))) => {
                let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for key in keys {
                    let (old, new) = (a.get(key), b.get(key));
                    let shape_there = member(shape, key, old.or(new).unwrap_or(&Value::Null));
                    self.go(&place.at(key, shape), shape_there, old, new);
                }
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) => self.lists(place, shape, a, b),
            (old, new) => self.leaf(place, old, new),
        }
    }

    fn leaf(&mut self, place: &Place, old: Option<&Value>, new: Option<&Value>) {
        let way = match (old, new) {
            _ if place.frozen => Way::Changed,
            (None, _) => Way::Added,
            (_, None) => Way::Removed,
            _ => Way::Changed,
        };
        self.all.push(Difference {
            path: place.path.clone(),
            argument: place.argument.clone(),
            way,
            old: old.cloned(),
            new: new.cloned(),
        });
    }

    fn lists(&mut self, place: &Place, shape: Shape<'_>, a: &[Value], b: &[Value]) {
        let inner = of_items(shape);
        let without_order =
            is_set(shape) || matches!(shape, Shape::Document(Document::Policy | Document::Containers));
        if without_order {
            let (place, told) = (place.frozen(), self.all.len());
            match (by_key(a), by_key(b)) {
                (Some(a), Some(b)) => {
                    for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                        self.go(&place.item(key), inner, a.get(key).copied(), b.get(key).copied());
                    }
                }
                _ => {
                    for gone in without(a, b) {
                        self.leaf(&place, Some(gone), None);
                    }
                    for come in without(b, a) {
                        self.leaf(&place, None, Some(come));
                    }
                }
            }
            // The same items in an order that counts.
            if self.all.len() == told {
                self.leaf(&place, Some(&Value::Array(a.to_vec())), Some(&Value::Array(b.to_vec())));
            }
        } else if matches!(shape, Shape::Blocks(..)) {
            let single = a.len() <= 1 && b.len() <= 1;
            for at in 0..a.len().max(b.len()) {
                let place = if single { place.clone() } else { place.item(&at.to_string()) };
                self.go(&place, inner, a.get(at), b.get(at));
            }
        } else {
            self.leaf(place, Some(&Value::Array(a.to_vec())), Some(&Value::Array(b.to_vec())));
        }
    }
}

/// The items that another list has fewer of.
fn without<'v>(items: &'v [Value], others: &[Value]) -> Vec<&'v Value> {
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for other in others {
        *left.entry(other.to_string()).or_default() += 1;
    }
    let mut found = Vec::new();
    for item in items {
        match left.get_mut(&item.to_string()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => found.push(item),
        }
    }
    found
}

/// What items of a list are called.
const KEYS: [&str; 8] =
    ["Sid", "name", "rule_name", "key", "id", "rule_number", "priority", "attribute_name"];

/// The items by the name that each has for itself.
fn by_key(items: &[Value]) -> Option<BTreeMap<String, &Value>> {
    KEYS.iter().find_map(|key| {
        let name = |item: &Value| match item.get(*key)? {
            Value::String(name) => Some(name.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let named: BTreeMap<String, &Value> =
            items.iter().map(|item| Some((name(item)?, item))).collect::<Option<_>>()?;
        (named.len() == items.len()).then_some(named)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(kind: &str, old: &Value, new: &Value) -> Vec<String> {
        differences(kind, old, new).into_iter().map(|difference| difference.path).collect()
    }

    /// What is the same, and beside it the twin that looks alike and is not.
    #[test]
    fn each_form_has_a_twin_that_stays_a_change() {
        let policy = |statement: Value| json!({"policy": {"Statement": statement}});
        let one = || json!({"Sid": "A", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "a"});
        let other = || json!({"Sid": "B", "Effect": "Deny", "Action": "s3:*", "Resource": "*"});
        let with = |key: &str, value: Value| {
            let mut statement = one();
            statement[key] = value;
            policy(json!([statement]))
        };
        let environment =
            |variables: Value| json!({"container_definitions": [{"name": "main", "environment": variables}]});
        let (a, b) = (json!({"name": "A", "value": "1"}), json!({"name": "B", "value": "2"}));
        let again = json!({"name": "A", "value": "3"});
        let cases = [
            // The order of a set, and that of a list.
            (
                "aws_lb",
                json!({"subnets": ["a", "b"]}),
                json!({"subnets": ["b", "a"]}),
                json!({"subnets": ["a", "c"]}),
            ),
            (
                "aws_dynamodb_table",
                json!({"attribute": [{"name": "a", "type": "S"}, {"name": "b", "type": "S"}]}),
                json!({"attribute": [{"name": "b", "type": "S"}, {"name": "a", "type": "S"}]}),
                json!({"attribute": [{"name": "a", "type": "N"}, {"name": "b", "type": "S"}]}),
            ),
            (
                "aws_wafv2_web_acl",
                json!({"rule": [{"name": "a", "priority": 1}, {"name": "b", "priority": 2}]}),
                json!({"rule": [{"name": "b", "priority": 2}, {"name": "a", "priority": 1}]}),
                json!({"rule": [{"name": "a", "priority": 2}, {"name": "b", "priority": 1}]}),
            ),
            // A block by itself, and a list of one.
            (
                "aws_lb",
                json!({"access_logs": {"bucket": "b"}}),
                json!({"access_logs": [{"bucket": "b"}]}),
                json!({"access_logs": [{"bucket": "c"}]}),
            ),
            // What Terraform converts.
            (
                "aws_lb",
                json!({"idle_timeout": 60}),
                json!({"idle_timeout": "60"}),
                json!({"idle_timeout": "060"}),
            ),
            ("aws_lb", json!({"name": "1", "internal": null}), json!({"name": 1}), json!({"name": "1.0"})),
            ("aws_lb", json!({"internal": true}), json!({"internal": "true"}), json!({"internal": "1"})),
            // Policies.
            (
                "aws_kms_key",
                policy(json!([one(), other()])),
                policy(json!([other(), one()])),
                policy(json!([one(), one(), other()])),
            ),
            (
                "aws_kms_key",
                policy(json!(one())),
                with("Action", json!(["S3:putobject", "s3:getOBJECT"])),
                with("Action", json!(["s3:PutObject", "s3:GetObjects"])),
            ),
            (
                "aws_kms_key",
                policy(json!(one())),
                with("Resource", json!(["a"])),
                // Resources have a case.
                with("Resource", json!(["A"])),
            ),
            (
                "aws_kms_key",
                with("Principal", json!({"AWS": ["x", "y"]})),
                with("Principal", json!({"AWS": ["y", "x", "y"]})),
                with("Principal", json!({"Service": ["x", "y"]})),
            ),
            (
                "aws_kms_key",
                with("Condition", json!({"Bool": {"aws:SecureTransport": false}})),
                with("Condition", json!({"Bool": {"aws:SecureTransport": ["false"]}})),
                with("Condition", json!({"BoolIfExists": {"aws:SecureTransport": "false"}})),
            ),
            (
                "aws_kms_key",
                with("Principal", json!("*")),
                with("Principal", json!("*")),
                with("Principal", json!({"AWS": "*"})),
            ),
            // A policy as a text is compared as one, and another argument is not.
            (
                "aws_kms_key",
                json!({"policy": r#"{"Statement": [{"Effect": "Allow", "Action": "a:b"}]}"#}),
                json!({"policy": r#"{"Statement":{"Action":["A:B"],"Effect":"Allow"}}"#}),
                json!({"policy": r#"{"Statement":{"Action":["A:C"],"Effect":"Allow"}}"#}),
            ),
            (
                "aws_kms_key",
                json!({"description": r#"{"a": 1}"#}),
                json!({"description": r#"{"a": 1}"#}),
                json!({"description": r#"{"a":1}"#}),
            ),
            // Containers: names in any order, unless one stands twice.
            (
                "aws_ecs_task_definition",
                environment(json!([a, b])),
                environment(json!([b, a])),
                environment(json!([a, {"name": "B", "value": "3"}])),
            ),
            (
                "aws_ecs_task_definition",
                environment(json!([a, b, again])),
                environment(json!([a, b, again])),
                environment(json!([again, b, a])),
            ),
            (
                "aws_ecs_task_definition",
                json!({"container_definitions": [{"name": "a"}, {"name": "b", "command": ["x", "y"]}]}),
                json!({"container_definitions": [{"name": "b", "command": ["x", "y"]}, {"name": "a"}]}),
                json!({"container_definitions": [{"name": "a"}, {"name": "b", "command": ["y", "x"]}]}),
            ),
            // A type that nobody knows has no sets.
            ("other_thing", json!({"a": [1, 2]}), json!({"a": [1, 2]}), json!({"a": [2, 1]})),
        ];
        for (kind, value, same, twin) in cases {
            assert_eq!(paths(kind, &value, &same), Vec::<String>::new(), "{kind} {value} {same}");
            assert_ne!(paths(kind, &value, &twin), Vec::<String>::new(), "{kind} {value} {twin}");
            assert_ne!(paths(kind, &same, &twin), Vec::<String>::new(), "{kind} {same} {twin}");
        }
    }

    #[test]
    fn a_difference_is_named_by_its_natural_key() {
        let old = json!({"rule": [{"name": "bots", "priority": 1, "action": [{"block": [{}]}]}]});
        let mut new = old.clone();
        new["rule"][0]["action"] = json!([{"count": [{}]}]);
        assert_eq!(
            paths("aws_wafv2_web_acl", &old, &new),
            ["rule[bots].action.block", "rule[bots].action.count"]
        );
        let statement = |resource: &str| json!({"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource});
        let policy = |resource: &str| json!({"policy": {"Statement": [statement(resource)]}});
        let found = differences("aws_iam_role_policy", &policy("a"), &policy("b"));
        assert_eq!(found[0].path, "policy.Statement[Read].Resource");
        assert_eq!((found[0].argument.as_str(), found[0].way), ("policy", Way::Changed));
    }

    #[test]
    fn arguments_go_down_to_sets_and_say_the_way() {
        let body = |value: Value| json!({"setting": [value]});
        let found = differences(
            "aws_ecs_service",
            &json!({"network_configuration": [{"subnets": ["a"], "assign_public_ip": false}]}),
            &json!({"network_configuration": [{"subnets": ["a", "b"]}], "tags": {"a": "b"}}),
        );
        let found: Vec<_> = found.iter().map(|d| (d.argument.as_str(), d.way)).collect();
        assert_eq!(
            found,
            [
                ("network_configuration.assign_public_ip", Way::Removed),
                ("network_configuration.subnets", Way::Changed),
                ("tags", Way::Added)
            ]
        );
        let found = differences(
            "aws_ecs_cluster",
            &body(json!({"name": "a", "value": "b"})),
            &body(json!({"name": "a", "value": "c"})),
        );
        assert_eq!((found[0].argument.as_str(), found[0].path.as_str()), ("setting", "setting[a].value"));
    }
}
