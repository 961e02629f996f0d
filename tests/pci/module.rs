//! A rendered module as the checks look at it: resources by type and name, documents in their places.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The resources of a module.
#[derive(Clone, Default)]
pub struct Module {
    resources: BTreeMap<String, BTreeMap<String, Value>>,
    /// The rest: backend and providers.
    pub terraform: Value,
}

/// A resource: its type's name within the module, and its arguments.
#[derive(Clone, Copy)]
pub struct Resource<'m> {
    pub name: &'m str,
    pub body: &'m Value,
}

impl Module {
    pub fn new(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let files: Vec<Value> =
            files.into_iter().map(|(_, text)| serde_json::from_str(&text).expect("JSON")).collect();
        let locals: Map<String, Value> = files
            .iter()
            .filter_map(|file| file.get("locals")?.as_object())
            .flat_map(|locals| locals.clone())
            .collect();
        let mut resources: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        let kinds = files.iter().filter_map(|file| file.get("resource")?.as_object()).flatten();
        for (kind, named) in kinds {
            let named = named.as_object().expect("resources by name");
            let inlined = named.iter().map(|(name, body)| (name.clone(), inline(body, &locals)));
            resources.entry(kind.clone()).or_default().extend(inlined);
        }
        let terraform = files.into_iter().find(|file| file.get("terraform").is_some());
        Self { resources, terraform: terraform.expect("settings") }
    }

    /// The resources of a type.
    pub fn all(&self, kind: &str) -> Vec<Resource<'_>> {
        let named = self.resources.get(kind).into_iter().flatten();
        named.map(|(name, body)| Resource { name, body }).collect()
    }

    /// Whether there are resources of a type, and all of them are so.
    pub fn every(&self, kind: &str, so: impl Fn(Resource<'_>) -> bool) -> bool {
        let all = self.all(kind);
        !all.is_empty() && all.into_iter().all(so)
    }

    /// Whether some resource of a type is so.
    pub fn some(&self, kind: &str, so: impl Fn(Resource<'_>) -> bool) -> bool {
        self.all(kind).into_iter().any(so)
    }

    /// The same with every value of a type's resources turned into another; with one such resource if there was none.
    pub fn spoilt(&self, kind: &str) -> Self {
        let mut module = self.clone();
        if kind == "-" {
            module.terraform = spoil(&module.terraform);
            return module;
        }
        if kind == "aws_iam_policy" {
            // Most policies stand in their roles.
            module = module.spoilt("aws_iam_role_policy");
        }
        let named = module.resources.entry(kind.to_owned()).or_default();
        named.values_mut().for_each(|body| *body = spoil(body));
        named.entry("spoilt".to_owned()).or_insert_with(|| json!({}));
        module
    }
}

impl<'m> Resource<'m> {
    /// What stands at a path, `a.b.c`; of blocks that repeat, the first.
    pub fn at(self, path: &str) -> &'m Value {
        path.split('.').fold(self.body, |value, step| match value {
            Value::Array(items) => items.first().map_or(&Value::Null, |first| &first[step]),
            other => &other[step],
        })
    }

    pub fn text(self, path: &str) -> &'m str {
        self.at(path).as_str().unwrap_or_default()
    }

    pub fn number(self, path: &str) -> i64 {
        self.at(path).as_i64().unwrap_or(-1)
    }

    pub fn is(self, path: &str, value: impl Into<Value>) -> bool {
        *self.at(path) == value.into()
    }

    pub fn list(self, path: &str) -> Vec<&'m Value> {
        self.at(path).as_array().map(|items| items.iter().collect()).unwrap_or_default()
    }

    /// A reference to an attribute of a type: `${aws_kms_key.logs.arn}`.
    pub fn refers(self, path: &str, kind: &str) -> bool {
        self.text(path).starts_with(&format!("${{{kind}."))
    }

    /// The statements of the policy in an argument.
    pub fn statements(self, argument: &str) -> Vec<&'m Value> {
        self.list(&format!("{argument}.Statement"))
    }

    /// Whether a text stands anywhere in the resource.
    pub fn mentions(self, text: &str) -> bool {
        self.body.to_string().contains(text)
    }
}

/// Documents are written as local values; here they stand where they are used.
fn inline(value: &Value, locals: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let local = text.strip_prefix("${jsonencode(local.").and_then(|rest| rest.strip_suffix(")}"));
            local
                .and_then(|name| locals.get(name))
                .map_or_else(|| value.clone(), |value| inline(value, locals))
        }
        Value::Array(items) => items.iter().map(|item| inline(item, locals)).collect(),
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), inline(value, locals))).collect()
        }
        other => other.clone(),
    }
}

fn spoil(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(_) => json!(1),
        Value::String(_) => json!("*"),
        Value::Array(items) => items.iter().map(spoil).collect(),
        Value::Object(entries) => entries.iter().map(|(key, value)| (key.clone(), spoil(value))).collect(),
        Value::Null => Value::Null,
    }
}
