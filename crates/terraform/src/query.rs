//! One way to look at a module, wherever it comes from: a [`Root`] in memory, files of Terraform JSON, a plan, a state.
//!
//! Only JSON is read. A file's locals are put in where they are all of a value (`${local.name}`), or the document that
//! `${jsonencode(local.name)}` encodes; other expressions stay as they are written and count as unknown.
//! <https://developer.hashicorp.com/terraform/language/syntax/json>,
//! <https://developer.hashicorp.com/terraform/internals/json-format>

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::{Mode, Root};

/// What a module holds, by address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Resources, data sources and ephemeral resources; the latter two with their keyword before the type.
    pub blocks: BTreeMap<String, Found>,
    /// The configurations of providers: `aws`, `aws.us_east_1`.
    pub providers: BTreeMap<String, Value>,
    /// The backend, by its type.
    pub backend: Option<(String, Value)>,
    /// Addresses that have moved: from, to.
    pub moved: Vec<(String, String)>,
    /// Addresses that are no longer managed, and whether what they were is destroyed.
    pub removed: Vec<(String, bool)>,
    /// Outputs by name: their values.
    pub outputs: BTreeMap<String, Value>,
    /// What cannot be looked into, a line each: calls of modules, `count`, `for_each`, variables.
    pub beyond: BTreeMap<String, Value>,
}

/// A block and its values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Its type.
    pub kind: String,
    /// The file that it stands in; empty where a plan or a state tells of it.
    pub file: String,
    /// The arguments, documents in their places; meta-arguments apart.
    pub body: Value,
    /// The meta-arguments as written: `lifecycle`, `provider`, `depends_on`, `count`, `for_each`.
    pub meta: Map<String, Value>,
    /// Of a plan: what is known only after apply, in the shape of the body.
    pub unknown: Value,
    /// Of a plan or a state: what is hidden in output, in the shape of the body.
    pub sensitive: Value,
}

/// A value, as far as it may be looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Held<'v> {
    /// There is none.
    Absent,
    /// It is this one.
    Known(&'v Value),
    /// It is an expression, or known only after apply.
    Unknown,
    /// It is hidden.
    Sensitive,
}

/// Why something is no module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub what: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

impl std::error::Error for Unreadable {}

/// The meta-arguments of resources: <https://developer.hashicorp.com/terraform/language/meta-arguments/depends_on>.
const META: [&str; 7] =
    ["lifecycle", "provider", "depends_on", "count", "for_each", "provisioner", "connection"];

impl Found {
    /// The value of an argument, by a path of keys: `setting.value`. A block that stands once is looked through.
    #[must_use]
    pub fn get(&self, path: &str) -> Held<'_> {
        let at = |value| path.split('.').try_fold(value, step);
        let hides = |mask: &Value| {
            // A mask of the whole covers what is below it.
            let mut mask = Some(mask);
            let mut keys = path.split('.');
            loop {
                match mask {
                    Some(Value::Bool(true)) => return true,
                    None => return false,
                    Some(value) => match keys.next() {
                        Some(key) => mask = step(value, key),
                        None => return false,
                    },
                }
            }
        };
        if hides(&self.sensitive) {
            return Held::Sensitive;
        }
        if hides(&self.unknown) {
            return Held::Unknown;
        }
        match at(&self.body) {
            None | Some(Value::Null) => Held::Absent,
            Some(Value::String(text)) if is_expression(text) => Held::Unknown,
            Some(value) => Held::Known(value),
        }
    }

    /// A member of the `lifecycle` block.
    #[must_use]
    pub fn lifecycle(&self, key: &str) -> Option<&Value> {
        step(self.meta.get("lifecycle")?, key)
    }
}

fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Array(items) if items.len() == 1 => items[0].get(key),
        other => other.get(key),
    }
}

/// Whether a mask of a plan or a state, such as `after_unknown`, is set anywhere.
#[must_use]
pub fn masks_any(mask: &Value) -> bool {
    match mask {
        Value::Bool(set) => *set,
        Value::Array(items) => items.iter().any(masks_any),
        Value::Object(entries) => entries.values().any(masks_any),
        _ => false,
    }
}

/// Whether Terraform has something to resolve in a text.
#[must_use]
pub fn is_expression(text: &str) -> bool {
    references(text).next().is_some()
}

/// What stands in `${…}` and `%{…}`; an escaped one is plain text.
pub fn references(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let at = rest.find("${").into_iter().chain(rest.find("%{")).min()?;
            let (before, after) = (&rest[..at], &rest[at + 2..]);
            let escaped = before.ends_with(&rest[at..=at]);
            if escaped {
                rest = after;
                continue;
            }
            let end = closing(after);
            rest = after.get(end + 1..).unwrap_or_default();
            return Some(after[..end].trim());
        }
    })
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

impl View {
    /// What a module in memory renders to.
    #[must_use]
    pub fn of_root(root: &Root) -> Self {
        // What is rendered is JSON, read back so that everybody sees what Terraform sees: this cannot fail.
        Self::of_files(root.render("").iter().map(|(file, text)| (file.as_str(), text.as_str())))
            .unwrap_or_default()
    }

    /// What files of Terraform JSON hold together.
    ///
    /// # Errors
    /// Where a file is no JSON, no configuration, or holds an address a second time.
    pub fn of_files<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self, Unreadable> {
        let mut read = Vec::new();
        for (file, text) in files {
            let here = |what: String| Unreadable { file: file.to_owned(), what };
            let value: Value =
                serde_json::from_str(text).map_err(|error| here(format!("not JSON: {error}")))?;
            match value {
                Value::Object(members) => read.push((file, members)),
                _ => return Err(here("JSON, but no Terraform configuration: not an object".to_owned())),
            }
        }
        let mut locals = Map::new();
        for (_, members) in &mut read {
            for block in many(members.remove("locals")) {
                locals.extend(entries(block));
            }
        }
        let mut view = Self::default();
        for (file, members) in read {
            for (keyword, value) in members {
                view.add(file, &keyword, value, &locals)
                    .map_err(|what| Unreadable { file: file.to_owned(), what })?;
            }
        }
        Ok(view)
    }

    fn add(
        &mut self,
        file: &str,
        keyword: &str,
        value: Value,
        locals: &Map<String, Value>,
    ) -> Result<(), String> {
        match keyword {
            "//" => {}
            "resource" | "data" | "ephemeral" => {
                let prefix = if keyword == "resource" { String::new() } else { format!("{keyword}.") };
                for (kind, named) in many(Some(value)).into_iter().flat_map(entries) {
                    for (name, body) in many(Some(named)).into_iter().flat_map(entries) {
                        let address = format!("{prefix}{kind}.{name}");
                        let body = many(Some(body)).into_iter().next().unwrap_or_default();
                        let found = self.found(&address, &kind, body, locals)?;
                        let found = Found { file: file.to_owned(), ..found };
                        if self.blocks.insert(address.clone(), found).is_some() {
                            return Err(format!("{address} stands here a second time"));
                        }
                    }
                }
            }
            "provider" => {
                for (name, configured) in many(Some(value)).into_iter().flat_map(entries) {
                    for mut body in many(Some(configured)) {
                        let alias = body.as_object_mut().and_then(|body| body.remove("alias"));
                        let alias = alias.as_ref().and_then(Value::as_str);
                        let name = alias.map_or_else(|| name.clone(), |alias| format!("{name}.{alias}"));
                        self.providers.insert(name, body);
                    }
                }
            }
            "moved" => {
                for block in many(Some(value)) {
                    let text = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
                    self.moved.push((text("from"), text("to")));
                }
            }
            "removed" => {
                for block in many(Some(value)) {
                    let destroy = block.get("lifecycle").and_then(|of| step(of, "destroy"));
                    let from = block["from"].as_str().unwrap_or_default().to_owned();
                    self.removed.push((from, destroy != Some(&Value::Bool(false))));
                }
            }
            "output" => {
                for (name, body) in many(Some(value)).into_iter().flat_map(entries) {
                    let body = many(Some(body)).into_iter().next().unwrap_or_default();
                    self.outputs.insert(name, put_in(body, locals));
                }
            }
            "terraform" => {
                for settings in many(Some(value)) {
                    let backend = settings.get("backend").cloned();
                    for (kind, body) in many(backend).into_iter().flat_map(entries) {
                        self.backend = Some((kind, many(Some(body)).into_iter().next().unwrap_or_default()));
                    }
                }
            }
            "module" | "variable" => {
                for (name, body) in many(Some(value)).into_iter().flat_map(entries) {
                    self.beyond.insert(format!("{keyword}.{name}"), body);
                }
            }
            "check" | "import" => {}
            other => return Err(format!("JSON, but no Terraform configuration: it has no block `{other}`")),
        }
        Ok(())
    }

    fn found(
        &mut self,
        address: &str,
        kind: &str,
        body: Value,
        locals: &Map<String, Value>,
    ) -> Result<Found, String> {
        let Value::Object(mut body) = body else { return Err(format!("{address} is no block")) };
        body.remove("//");
        let meta: Map<String, Value> =
            META.iter().filter_map(|key| Some(((*key).to_owned(), body.remove(*key)?))).collect();
        for repeated in ["count", "for_each"].iter().filter_map(|key| meta.get(*key)) {
            self.beyond.insert(format!("{address} is repeated"), repeated.clone());
        }
        let body = put_in(Value::Object(body), locals);
        Ok(Found { kind: kind.to_owned(), body, meta, ..Found::default() })
    }

    /// What a plan foresees, as `terraform show -json` prints it.
    #[must_use]
    pub fn of_plan(plan: &Value) -> Self {
        let mut view = Self::default();
        view.add_values(&plan["planned_values"]["root_module"]);
        for change in plan["resource_changes"].as_array().into_iter().flatten() {
            if let Some(found) = change["address"].as_str().and_then(|address| view.blocks.get_mut(address)) {
                found.unknown = change["change"]["after_unknown"].clone();
            }
        }
        view
    }

    /// What a state holds, as `terraform show -json` prints it.
    #[must_use]
    pub fn of_state(state: &Value) -> Self {
        let mut view = Self::default();
        view.add_values(&state["values"]["root_module"]);
        view
    }

    fn add_values(&mut self, module: &Value) {
        for resource in module["resources"].as_array().into_iter().flatten() {
            let Some(address) = resource["address"].as_str() else { continue };
            let found = Found {
                kind: resource["type"].as_str().unwrap_or_default().to_owned(),
                body: resource["values"].clone(),
                sensitive: resource["sensitive_values"].clone(),
                ..Found::default()
            };
            self.blocks.insert(address.to_owned(), found);
        }
        for child in module["child_modules"].as_array().into_iter().flatten() {
            self.add_values(child);
        }
    }

    /// The managed resources: what Terraform makes.
    pub fn managed(&self) -> impl Iterator<Item = (&str, &Found)> {
        let managed = |address: &&String| mode(address) == Mode::Managed;
        self.blocks
            .iter()
            .filter(move |(address, _)| managed(address))
            .map(|(address, found)| (address.as_str(), found))
    }

    /// The managed resources of a type.
    pub fn of_kind<'v>(&'v self, kind: &'v str) -> impl Iterator<Item = (&'v str, &'v Found)> {
        self.managed().filter(move |(_, found)| found.kind == kind)
    }
}

/// Whether an address is of a resource or of a data source.
#[must_use]
pub fn mode(address: &str) -> Mode {
    match address.split_once('.') {
        Some(("data", _)) => Mode::Data,
        Some(("ephemeral", _)) => Mode::Ephemeral,
        _ => Mode::Managed,
    }
}

/// JSON takes one block by itself, or a list.
fn many(value: Option<Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
    }
}

fn entries(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(entries) => entries,
        _ => Map::new(),
    }
}

/// Puts locals in where they are all of a value.
fn put_in(value: Value, locals: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => match named_local(&text).and_then(|name| locals.get(name)) {
            // A local refers only to others, and Terraform refuses circles; so does a depth that nobody writes.
            Some(local) => put_in_at(local.clone(), locals, 0),
            None => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(|item| put_in(item, locals)).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key, put_in(value, locals))).collect()
        }
        other => other,
    }
}

/// How deep locals may refer to one another.
const DEPTH_MAX: usize = 32;

fn put_in_at(value: Value, locals: &Map<String, Value>, depth: usize) -> Value {
    match value {
        Value::String(text) => match named_local(&text).and_then(|name| locals.get(name)) {
            Some(local) if depth < DEPTH_MAX => put_in_at(local.clone(), locals, depth + 1),
            _ => Value::String(text),
        },
        Value::Array(items) => items.into_iter().map(|item| put_in_at(item, locals, depth)).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(key, value)| (key, put_in_at(value, locals, depth))).collect()
        }
        other => other,
    }
}

/// The local that is all of a text.
fn named_local(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    let inner = inner.strip_prefix("jsonencode(").and_then(|inner| inner.strip_suffix(')')).unwrap_or(inner);
    let name = inner.strip_prefix("local.")?;
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-').then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(file: &Value) -> Result<View, Unreadable> {
        View::of_files([("a.tf.json", file.to_string().as_str())])
    }

    #[test]
    fn files_are_read_together_with_documents_in_their_places() {
        let (one, other) = (
            json!({"resource": {"aws_sqs_queue": {"a": {
                "policy": "${jsonencode(local.p)}", "name": "${local.n}", "url": "x-${local.n}",
                "lifecycle": {"prevent_destroy": true}, "redrive": [{"count": 3}],
            }}}}),
            json!({"locals": {"p": {"Statement": ["${local.n}"]}, "n": "queue"}, "data": {"aws_region": {"here": {}}},
                "provider": {"aws": [{"region": "r"}, {"alias": "other", "region": "s"}]},
                "removed": [{"from": "aws_s3_bucket.b", "lifecycle": {"destroy": false}}], "moved": {"from": "a.b", "to": "a.c"}}),
        );
        let (one, other) = (one.to_string(), other.to_string());
        let view = View::of_files([("1", one.as_str()), ("2", other.as_str())]).expect("a module");
        let queue = &view.blocks["aws_sqs_queue.a"];
        assert_eq!(queue.get("policy"), Held::Known(&json!({"Statement": ["queue"]})));
        assert_eq!(queue.get("name"), Held::Known(&json!("queue")));
        assert_eq!(queue.get("url"), Held::Unknown);
        assert_eq!(queue.get("redrive.count"), Held::Known(&json!(3)));
        assert_eq!(queue.get("redrive.other"), Held::Absent);
        assert_eq!(queue.lifecycle("prevent_destroy"), Some(&json!(true)));
        assert_eq!(queue.file, "1");
        assert_eq!(view.managed().count(), 1);
        assert_eq!(view.providers.keys().collect::<Vec<_>>(), ["aws", "aws.other"]);
        assert_eq!(view.removed, [("aws_s3_bucket.b".to_owned(), false)]);
        assert_eq!(view.moved, [("a.b".to_owned(), "a.c".to_owned())]);
    }

    #[test]
    fn what_is_no_configuration_is_told() {
        let told = |text: &str| View::of_files([("a.tf.json", text)]).expect_err(text).to_string();
        assert!(told("{").starts_with("a.tf.json: not JSON"));
        assert!(told("[]").contains("not an object"));
        assert!(told(r#"{"format_version": "1.2"}"#).contains("no block `format_version`"));
        let file = json!({"resource": {"a_b": {"c": {}}}}).to_string();
        let twice = View::of_files([("1", file.as_str()), ("2", file.as_str())]).expect_err("twice");
        assert_eq!(twice.to_string(), "2: a_b.c stands here a second time");
        assert!(
            of(&json!({"module": {"x": {"source": "./y"}}})).expect("one").beyond.contains_key("module.x")
        );
    }

    #[test]
    fn plans_and_states_hide_and_do_not_know() {
        let module = json!({"root_module": {"resources": [{"address": "a_b.c", "type": "a_b",
            "values": {"name": "n", "password": "p", "arn": null}, "sensitive_values": {"password": true}}]}});
        let plan = json!({"planned_values": module, "resource_changes": [
            {"address": "a_b.c", "change": {"after_unknown": {"arn": true}}}]});
        for view in [View::of_plan(&plan), View::of_state(&json!({"values": module}))] {
            let found = &view.blocks["a_b.c"];
            assert_eq!(found.get("name"), Held::Known(&json!("n")));
            assert_eq!(found.get("password"), Held::Sensitive);
            let arn = if found.unknown.is_null() { Held::Absent } else { Held::Unknown };
            assert_eq!(found.get("arn"), arn);
        }
    }

    #[test]
    fn references_are_found_and_escaped_ones_are_text() {
        let all = |text| references(text).collect::<Vec<_>>();
        assert_eq!(all("a ${aws_x.y.arn}/${ local.z } $${no} %%{no}"), ["aws_x.y.arn", "local.z"]);
        assert_eq!(all("${f(\"{}\")}"), ["f(\"{}\")"]);
    }
}
