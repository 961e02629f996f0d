//! The JSON Schema of environment files, and the reference that is generated from it.

mod markdown;

use super::file::{EnvFile, REQUIRED};
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};

use serde_json::Value;

/// The command that brings the checked-in schema up to date.
pub const JSON_COMMAND: &str = "cargo run -- schema > envs/schema.json";
/// The command that brings the checked-in reference up to date.
pub const MARKDOWN_COMMAND: &str = "cargo run -- schema --markdown > docs/configuration.md";

/// The JSON Schema of environment files, as it is checked in at `envs/schema.json`.
#[must_use]
pub fn json() -> String {
    // A tree of strings, numbers and lists cannot fail to serialize.
    serde_json::to_string_pretty(&schema()).map(|json| json + "\n").unwrap_or_default()
}

/// The reference of every key, as it is checked in at `docs/configuration.md`.
#[must_use]
pub fn markdown() -> String {
    markdown::render(&schema())
}

fn schema() -> Value {
    // Draft 7 is what the editors' TOML extensions know.
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.transforms.insert(0, Box::new(RecursiveTransform(without_null)));
    });
    let mut schema = settings.into_generator().into_root_schema_for::<EnvFile>();
    schema.insert("$comment".to_owned(), format!("Generated: {JSON_COMMAND}").into());
    RecursiveTransform(without_large_defaults).transform(&mut schema);
    RecursiveTransform(on_one_line).transform(&mut schema);
    let mut schema = schema.to_value();
    for (path, _) in REQUIRED {
        require(&mut schema, path);
    }
    either(&mut schema, "network", ["cidr", "existing"]);
    schema
}

/// Lets another key of a section stand in place of a required one.
fn either(schema: &mut Value, section: &str, keys: [&str; 2]) {
    let reference =
        schema.pointer(&format!("/properties/{section}")).and_then(markdown::reference).map(str::to_owned);
    let section = reference.and_then(|name| schema.pointer_mut(&format!("/definitions/{name}")));
    let Some(section) = section.and_then(Value::as_object_mut) else { return };
    if let Some(required) = section.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|key| !keys.iter().any(|either| key == either));
    }
    let choices = keys.map(|key| serde_json::json!({ "required": [key] }));
    section.insert("oneOf".to_owned(), Value::Array(choices.to_vec()));
}

/// Marks a key as required, and the sections on the way to it. The type cannot say so: it knows the key as an option.
fn require(schema: &mut Value, path: &str) {
    let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
    if let Some(section) = schema.as_object_mut() {
        let required = section.entry("required").or_insert_with(|| Value::Array(Vec::new()));
        if let Some(keys) = required.as_array_mut().filter(|keys| !keys.contains(&key.into())) {
            keys.push(key.into());
        }
    }
    let Some(rest) = rest else { return };
    let reference =
        schema.pointer(&format!("/properties/{key}")).and_then(markdown::reference).map(str::to_owned);
    if let Some(section) = reference.and_then(|name| schema.pointer_mut(&format!("/definitions/{name}"))) {
        require(section, rest);
    }
}

/// Joins the lines of a description, which are those of the source.
fn on_one_line(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
}

/// TOML knows no null: what may be absent is simply not required.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

/// The default of a section is the defaults of its keys, which are stated there.
fn without_large_defaults(schema: &mut Schema) {
    let large = |default: &Value| default.as_object().is_some_and(|keys| !keys.is_empty());
    if schema.get("default").is_some_and(large) {
        schema.remove("default");
    }
}
