//! The reference of every key, rendered from the JSON Schema.

use super::MARKDOWN_COMMAND;
use serde_json::{Map, Value};
use std::fmt::Write;

type Object = Map<String, Value>;

/// The whole reference.
pub(super) fn render(schema: &Value) -> String {
    let mut page = Page { definitions: definitions(schema), text: String::new() };
    page.introduction(schema);
    page.table("", schema);
    page.text
}

struct Page<'a> {
    definitions: Option<&'a Object>,
    text: String,
}

fn definitions(schema: &Value) -> Option<&Object> {
    schema.get("definitions")?.as_object()
}

impl<'a> Page<'a> {
    fn introduction(&mut self, schema: &Value) {
        self.text.push_str("# Configuration reference\n\n");
        self.text.push_str(&format!("<!-- Generated: {MARKDOWN_COMMAND} -->\n\n"));
        self.text.push_str(
            "An environment is one file, `envs/<name>.toml`. A key that is not listed here is an error. What is \
             required has no default; what a default is computed from, its description says.\n\n",
        );
        self.text.push_str(&paragraph(schema));
        self.text.push_str("\n\n");
    }

    /// The table of a section's keys, then the tables of the sections within it.
    fn table(&mut self, path: &str, section: &'a Value) {
        let required: Vec<&str> = strings(section.get("required")).collect();
        let Some(properties) = section.get("properties").and_then(Value::as_object) else { return };
        let mut inner = Vec::new();
        let mut rows = String::new();
        for (key, property) in properties {
            let target = self.resolve(property);
            if is_section(target) {
                inner.push((join(path, key), "[", "]", property, target));
                continue;
            }
            if let Some(element) = self.element_section(target) {
                inner.push((join(path, key), "[[", "]]", property, element));
                continue;
            }
            if let Some(member) = self.member_section(target) {
                inner.push((join(&join(path, key), "NAME"), "[", "]", property, member));
                continue;
            }
            let default = self.default(property, required.contains(&key.as_str()));
            // Writing to a string cannot fail.
            let _ignored = writeln!(
                rows,
                "| `{key}` | {} | {default} | {} |",
                self.type_name(property),
                paragraph(property).replace('|', "\\|")
            );
        }
        if !rows.is_empty() {
            self.text.push_str("| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |\n");
            self.text.push_str(&rows);
            self.text.push('\n');
        }
        for (path, open, close, property, target) in inner {
            let _ignored = writeln!(self.text, "## `{open}{path}{close}`\n\n{}\n", paragraph(property));
            self.table(&path, target);
        }
    }

    fn resolve(&self, value: &'a Value) -> &'a Value {
        reference(value).and_then(|name| self.definitions?.get(name)).unwrap_or(value)
    }

    /// The section that an array consists of, if it is an array of sections.
    fn element_section(&self, array: &'a Value) -> Option<&'a Value> {
        let element = self.resolve(array.get("items")?);
        is_section(element).then_some(element)
    }

    /// The section that each member of a table is, if it is a table of sections.
    fn member_section(&self, table: &'a Value) -> Option<&'a Value> {
        let member = self.resolve(members(table)?);
        is_section(member).then_some(member)
    }

    fn default(&self, property: &Value, required: bool) -> String {
        match property.get("default") {
            _ if required => "required".to_owned(),
            None => "—".to_owned(),
            Some(Value::Array(items)) if items.is_empty() => "`[]`".to_owned(),
            Some(value) => format!("`{}`", value.to_string().replace("\",\"", "\", \"")),
        }
    }

    fn type_name(&self, property: &'a Value) -> String {
        let target = self.resolve(property);
        let values = choices(target);
        if target.get("type").is_some_and(|name| name == "integer") && !values.is_empty() {
            return values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ");
        }
        if !values.is_empty() {
            return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
        }
        if let Some(items) = target.get("items") {
            return format!("list of {}", self.type_name(items));
        }
        if let Some(values) = members(target) {
            return format!("table of {}", self.type_name(values));
        }
        let bound = |key| target.get(key).and_then(Value::as_u64);
        match (target.get("type").and_then(Value::as_str), bound("minimum"), bound("maximum")) {
            (Some("integer"), Some(min), Some(max)) => format!("integer, {min} to {max}"),
            (Some(name), ..) => name.to_owned(),
            (None, ..) => "string".to_owned(),
        }
    }
}

/// The name of the definition that a schema refers to.
pub(super) fn reference(value: &Value) -> Option<&str> {
    let name = value.get("$ref").or_else(|| value.get("allOf")?.get(0)?.get("$ref"))?;
    name.as_str()?.strip_prefix("#/definitions/")
}

/// The values that a type consists of, if they can be listed.
fn choices(target: &Value) -> Vec<Value> {
    if let Some(Value::Array(values)) = target.get("enum") {
        return values.clone();
    }
    let Some(Value::Array(choices)) = target.get("oneOf") else { return Vec::new() };
    let const_or_enum = |choice: &Value| match choice.get("const") {
        Some(value) => vec![value.clone()],
        None => choice.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
    };
    choices.iter().flat_map(const_or_enum).collect()
}

/// What the values of a table are whose keys the file chooses.
fn members(table: &Value) -> Option<&Value> {
    let any = table.get("additionalProperties").filter(|members| members.is_object());
    any.or_else(|| table.get("patternProperties")?.as_object()?.values().next())
}

fn is_section(value: &Value) -> bool {
    value.get("properties").is_some()
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn paragraph(value: &Value) -> String {
    let text = value.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
