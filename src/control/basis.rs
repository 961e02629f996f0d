//! What a verdict rests on: the generated module, or that module as a plan or a state has it.
//!
//! Controls follow references, and a plan or a state has ids in their places. So the generated module stays the ground: each
//! value in it that the plan or the state knows otherwise is put in, and told. What the module does not set is not compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use terraform::query::View;

use super::platform::Platform;
use crate::traffic::protocol;

/// What a verdict rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Files before they are applied.
    Generated,
    /// What a plan foresees.
    Planned,
    /// What Terraform's state holds.
    State,
}

impl Basis {
    /// What it is of, in words.
    #[must_use]
    pub fn of(self) -> &'static str {
        match self {
            Self::Generated => "generated module",
            Self::Planned => "module as it is planned",
            Self::State => "module as the state has it",
        }
    }

    /// Its name, as every format prints it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Planned => "planned",
            Self::State => "state",
        }
    }
}

/// A module as a plan or a state has it, and a line for each difference from what is generated.
#[must_use]
pub fn found(generated: &Platform, view: &View) -> (Platform, Vec<String>) {
    let ids = Ids::of(view);
    let mut platform = Platform { resources: BTreeMap::new(), ..generated.clone() };
    let mut told = Vec::new();
    for (address, body) in &generated.resources {
        if address.starts_with("provider.") || address.starts_with("backend.") {
            platform.resources.insert(address.clone(), body.clone());
            continue;
        }
        let Some(there) = view.blocks.get(address) else {
            told.push(format!("{address}: generated, and not there"));
            continue;
        };
        if !there.body.is_object() {
            // Nothing of it is known before it is applied.
            platform.resources.insert(address.clone(), body.clone());
            continue;
        }
        let mut overlay = Overlay { ids: &ids, differences: Vec::new() };
        let body = overlay.value(body, &there.body, &Path::default());
        let hidden = terraform::query::masks_any(&there.sensitive);
        told.extend(overlay.differences.into_iter().map(|Difference { path, generated, found }| {
            let found = if hidden { "something else".to_owned() } else { short(&found) };
            format!("{address}: {path} is {found}, generated {}", short(&generated))
        }));
        platform.resources.insert(address.clone(), body);
    }
    for (address, there) in view.managed().filter(|(address, _)| !generated.resources.contains_key(*address))
    {
        told.push(format!("{address}: there, and not generated"));
        platform.resources.insert(address.to_owned(), ids.named(&there.body));
    }
    (platform, told)
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// What references stand for.
struct Ids<'v> {
    blocks: &'v BTreeMap<String, terraform::query::Found>,
    /// References by the ARNs and ids that they stand for, where one alone does.
    names: BTreeMap<&'v str, Option<String>>,
}

impl<'v> Ids<'v> {
    fn of(view: &'v View) -> Self {
        let mut names: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for (address, found) in view.managed() {
            let arn =
                found.body["arn"].as_str().filter(|arn| arn.starts_with("arn:")).map(|arn| (arn, "arn"));
            // Ids that AWS draws: `sg-0123…`. Others are names, and stand for anything.
            let drawn = |id: &&str| {
                id.split_once('-').is_some_and(|(_, drawn)| {
                    drawn.len() >= 8 && drawn.bytes().all(|b| b.is_ascii_hexdigit())
                })
            };
            let id = found.body["id"].as_str().filter(drawn).map(|id| (id, "id"));
            for (value, attribute) in arn.into_iter().chain(id) {
                let named = format!("${{{address}.{attribute}}}");
                names.entry(value).and_modify(|name| *name = None).or_insert(Some(named));
            }
        }
        Self { blocks: &view.blocks, names }
    }

    /// The text that a template makes, where all of its references are known.
    fn text(&self, template: &str) -> Option<String> {
        let (mut text, mut rest) = (String::new(), template);
        while let Some(at) = rest.find("${") {
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                text.push_str(before);
                text.push_str("${");
                rest = after;
                continue;
            }
            let (reference, after) = after.split_once('}')?;
            text.push_str(before);
            text.push_str(&self.scalar(reference)?);
            rest = after;
        }
        text.push_str(rest);
        Some(text)
    }

    fn scalar(&self, reference: &str) -> Option<String> {
        let end = reference.match_indices('.').nth(1)?.0;
        let (address, path) = (&reference[..end], &reference[end + 1..]);
        let mut value = &self.blocks.get(address)?.body;
        for key in path.split('.') {
            value = match key.parse::<usize>() {
                Ok(index) => value.get(index)?,
                Err(_) => value.get(key)?,
            };
        }
        plain(value)
    }

    /// A value with references in the places of ARNs and ids, and its documents taken apart.
    fn named(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match self.names.get(text.as_str()) {
                Some(Some(name)) => Value::String(name.clone()),
                _ => document(text).map_or_else(|| value.clone(), |document| self.named(&document)),
            },
            Value::Array(items) => items.iter().map(|item| self.named(item)).collect(),
            Value::Object(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), self.named(value))).collect()
            }
            other => other.clone(),
        }
    }
}

/// The document that a text holds.
fn document(text: &str) -> Option<Value> {
    let begins = text.starts_with(['{', '[']);
    begins.then(|| serde_json::from_str(text).ok()).flatten()
}

/// A scalar as text: Terraform converts between them.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Whether two texts are one value to AWS: a number in another spelling, or a protocol by its number.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkAclEntry.html>
fn alike(one: &str, other: &str) -> bool {
    let protocol = || protocol::number(one).is_some_and(|number| number.to_string() == other);
    let numbers = || one.parse::<f64>().ok().zip(other.parse::<f64>().ok());
    one == other || protocol() || numbers().is_some_and(|(one, other)| one == other)
}

struct Difference {
    path: String,
    generated: Value,
    found: Value,
}

/// Where a value stands.
#[derive(Clone, Default)]
struct Path {
    keys: Vec<String>,
    /// Whether it is of a policy, all of which counts.
    policy: bool,
}

impl Path {
    fn key(&self, key: &str) -> Self {
        let mut path = self.clone();
        path.keys.push(key.to_owned());
        path
    }
}

struct Overlay<'i> {
    ids: &'i Ids<'i>,
    differences: Vec<Difference>,
}

impl Overlay<'_> {
    /// What is generated, with what is found otherwise in its place.
    fn value(&mut self, generated: &Value, found: &Value, path: &Path) -> Value {
        match (generated, found) {
            (Value::Object(_) | Value::Array(_), Value::String(text)) if document(text).is_some() => {
                self.value(generated, &document(text).unwrap_or_default(), path)
            }
            (Value::Object(entries), Value::Object(there)) => self.entries(entries, there, path),
            (Value::Object(_), Value::Array(items)) if items.len() == 1 => {
                self.value(generated, &items[0], path)
            }
            (Value::Array(items), Value::Array(there)) => self.items(items, there, path),
            (Value::Array(items), there @ (Value::String(_) | Value::Object(_))) => {
                self.items(items, std::slice::from_ref(there), path)
            }
            (Value::String(_), Value::Array(items)) if items.len() == 1 => {
                self.value(generated, &items[0], path)
            }
            (Value::Null, _) => Value::Null,
            _ if self.same(generated, found) => generated.clone(),
            _ => self.differs(generated, found, path),
        }
    }

    fn differs(&mut self, generated: &Value, found: &Value, path: &Path) -> Value {
        self.differences.push(Difference {
            path: path.keys.join("."),
            generated: generated.clone(),
            found: found.clone(),
        });
        self.ids.named(found)
    }

    /// Whether two scalars are the same, or it cannot be told.
    fn same(&self, generated: &Value, found: &Value) -> bool {
        match plain(generated) {
            Some(text) if text.contains("${") => {
                self.ids.text(&text).is_none_or(|text| plain(found) == Some(text))
            }
            Some(text) => plain(found).is_some_and(|found| alike(&text, &found)),
            None => generated == found,
        }
    }

    fn entries(&mut self, generated: &Map<String, Value>, found: &Map<String, Value>, path: &Path) -> Value {
        let policy = path.policy || found.contains_key("Statement");
        let path = Path { policy, ..path.clone() };
        let mut entries = Map::new();
        for (key, value) in generated {
            let below = path.key(key);
            let value = match found.get(key) {
                // Meta-arguments, what is only written, and what is known after apply.
                None if !policy => value.clone(),
                None => self.differs(value, &Value::Null, &below),
                // What AWS does not tell of again.
                Some(Value::Null) if !policy => value.clone(),
                Some(there) => self.value(value, there, &below),
            };
            entries.insert(key.clone(), value);
        }
        if policy {
            for (key, there) in found.iter().filter(|(key, _)| !generated.contains_key(*key)) {
                let there = self.differs(&Value::Null, there, &path.key(key));
                entries.insert(key.clone(), there);
            }
        }
        Value::Object(entries)
    }

    /// Lists in any order: sets have none, and AWS keeps that of few lists.
    fn items(&mut self, generated: &[Value], found: &[Value], path: &Path) -> Value {
        let mut left: BTreeSet<usize> = (0..found.len()).collect();
        let mut items: Vec<Option<Value>> = vec![None; generated.len()];
        for (item, place) in generated.iter().zip(&mut items) {
            let alike = left.iter().copied().find(|at| {
                let mut overlay = Overlay { ids: self.ids, differences: Vec::new() };
                overlay.value(item, &found[*at], path);
                overlay.differences.is_empty()
            });
            if let Some(at) = alike {
                left.remove(&at);
                *place = Some(item.clone());
            }
        }
        let mut rest = left.into_iter();
        let mut all = Vec::new();
        for (item, place) in generated.iter().zip(items) {
            match place {
                Some(same) => all.push(same),
                None => match rest.next() {
                    Some(at) => all.push(self.value(item, &found[at], path)),
                    // Two references may stand for one thing, which a set has once.
                    None if self.same(item, &Value::Null) => all.push(item.clone()),
                    None => {
                        self.differs(item, &Value::Null, path);
                    }
                },
            }
        }
        for at in rest {
            all.push(self.differs(&Value::Null, &found[at], path));
        }
        Value::Array(all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn platform(resources: &Value) -> Platform {
        let resources = resources.as_object().unwrap();
        Platform { resources: resources.clone().into_iter().collect(), ..Platform::default() }
    }

    fn state(resources: &[(&str, Value)]) -> View {
        let resources: Vec<Value> = resources
            .iter()
            .map(|(address, values)| {
                json!({"address": address, "type": address.split('.').next(), "values": values, "sensitive_values": {}})
            })
            .collect();
        View::of_state(&json!({"values": {"root_module": {"resources": resources}}}))
    }

    fn key(policy: &Value) -> (&'static str, Value) {
        let values = json!({"id": "0ac8fff4", "arn": "arn:aws:kms:us-east-1:111122223333:key/0ac8fff4",
            "enable_key_rotation": true, "policy": policy.to_string()});
        ("aws_kms_key.data", values)
    }

    fn generated() -> Platform {
        platform(&json!({
            "backend.s3": {"bucket": "state"},
            "aws_kms_key.data": {"enable_key_rotation": true, "policy": {"Statement": [
                {"Sid": "Use", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*"}]}},
            "aws_dynamodb_table.records": {"deletion_protection_enabled": true,
                "server_side_encryption": {"enabled": true, "kms_key_arn": "${aws_kms_key.data.arn}"},
                "attribute": [{"name": "sk", "type": "S"}, {"name": "pk", "type": "S"}],
                "lifecycle": {"prevent_destroy": true}},
        }))
    }

    fn table(protection: bool, key: &str) -> (&'static str, Value) {
        let values = json!({"deletion_protection_enabled": protection, "read_capacity": 0,
            "server_side_encryption": [{"enabled": true, "kms_key_arn": key}],
            "attribute": [{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}]});
        ("aws_dynamodb_table.records", values)
    }

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0ac8fff4";

    fn policy() -> Value {
        json!({"Statement": {"Sid": "Use", "Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": ["*"]}})
    }

    #[test]
    fn what_is_applied_as_it_was_generated_differs_nowhere() {
        let generated = generated();
        let (platform, told) = found(&generated, &state(&[key(&policy()), table(true, KEY)]));
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(platform.resources, generated.resources);
    }

    #[test]
    fn what_was_changed_is_judged_as_it_is() {
        let other = "arn:aws:kms:us-east-1:111122223333:key/ffff";
        let (platform, told) = found(&generated(), &state(&[key(&policy()), table(false, other)]));
        let table = &platform.resources["aws_dynamodb_table.records"];
        assert_eq!(table["deletion_protection_enabled"], json!(false));
        assert_eq!(table["server_side_encryption"]["kms_key_arn"], json!(other));
        assert_eq!(
            told,
            [
                "aws_dynamodb_table.records: deletion_protection_enabled is false, generated true",
                "aws_dynamodb_table.records: server_side_encryption.kms_key_arn is \"arn:aws:kms:us-east-1:111122223333:key/ffff\", generated \"${aws_kms_key.data.arn}\"",
            ]
        );
    }

    #[test]
    fn other_spellings_of_a_value_are_no_difference() {
        for (one, other) in [("3", "3.0"), ("tcp", "6"), ("a", "a")] {
            assert!(alike(one, other), "{one} {other}");
        }
        for (one, other) in [("3", "3.1"), ("tcp", "17"), ("6", "tcp6"), ("A", "a"), ("", "0")] {
            assert!(!alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn all_of_a_policy_counts() {
        for (changed, told) in [
            (json!({"Statement": [policy()["Statement"], {"Effect": "Allow", "Action": "*"}]}), 1),
            (
                json!({"Statement": [{"Sid": "Use", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": "*", "Principal": "*"}]}),
                1,
            ),
            (json!({"Statement": [{"Sid": "Use", "Action": ["kms:Decrypt", "kms:*"], "Resource": "*"}]}), 1),
            (json!({"Statement": []}), 1),
        ] {
            let (_, lines) = found(&generated(), &state(&[key(&changed), table(true, KEY)]));
            assert_eq!(lines.len(), told, "{changed}: {lines:?}");
        }
    }

    #[test]
    fn what_is_not_known_before_the_apply_is_as_generated() {
        let generated = platform(&json!({
            "aws_s3_bucket_policy.audit": {"bucket": "${aws_s3_bucket.audit.id}", "policy": {"Statement": []}},
            "aws_vpc_endpoint.s3": {"route_table_ids": ["${data.aws_route_table.a.id}", "${data.aws_route_table.b.id}"]},
        }));
        let plan = json!({"planned_values": {"root_module": {"resources": [
            {"address": "aws_s3_bucket_policy.audit", "type": "aws_s3_bucket_policy", "sensitive_values": {}},
            {"address": "aws_vpc_endpoint.s3", "type": "aws_vpc_endpoint", "values": {"route_table_ids": ["rtb-1"]}},
        ]}}});
        let (platform, told) = found(&generated, &View::of_plan(&plan));
        assert_eq!(told, Vec::<String>::new());
        assert_eq!(platform.resources, generated.resources);
    }

    #[test]
    fn what_is_missing_or_more_is_told() {
        let role = ("aws_iam_role_policy_attachment.more", json!({"policy_arn": KEY}));
        let (platform, told) = found(&generated(), &state(&[key(&policy()), role]));
        assert!(!platform.resources.contains_key("aws_dynamodb_table.records"));
        assert_eq!(
            platform.resources["aws_iam_role_policy_attachment.more"]["policy_arn"],
            json!("${aws_kms_key.data.arn}")
        );
        assert_eq!(
            told,
            [
                "aws_dynamodb_table.records: generated, and not there",
                "aws_iam_role_policy_attachment.more: there, and not generated",
            ]
        );
    }
}
