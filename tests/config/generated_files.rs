//! The checked-in schema and reference are those of the source.

use std::path::Path;

use serde_json::{Value, json};
use txnr::alarm::document;
use txnr::config::schema;
use txnr::held::Held;
use txnr::synth::synth;

fn assert_fresh(path: &str, checked_in: &str, generated: &str, command: &str) {
    assert!(checked_in == generated, "{path} is stale; run `{command}`");
}

#[test]
fn the_schema_is_fresh() {
    assert_fresh(
        "envs/schema.json",
        include_str!("../../envs/schema.json"),
        &schema::json(),
        schema::JSON_COMMAND,
    );
}

#[test]
fn the_reference_is_fresh() {
    let checked_in = include_str!("../../docs/configuration.md");
    assert_fresh("docs/configuration.md", checked_in, &schema::markdown(), schema::MARKDOWN_COMMAND);
}

#[test]
fn the_locks_list_what_the_environments_hold() {
    for name in ["dev", "stage", "prod"] {
        let read =
            |ends: &str| std::fs::read_to_string(format!("envs/{name}.{ends}")).expect("a file of envs/");
        let path = format!("envs/{name}.toml");
        let (config, _) = txnr::check::parse(Path::new(&path), &read("toml")).expect("valid");
        let held = Held::of(&synth(&config).expect("a module"));
        assert_fresh(
            &format!("envs/{name}.lock"),
            &read("lock"),
            &held.text(name),
            "cargo run -- synth --all --lock",
        );
    }
}

#[test]
fn the_list_of_alarms_is_fresh() {
    let checked_in = include_str!("../../docs/alarms.md");
    assert_fresh("docs/alarms.md", checked_in, &document::markdown(), document::COMMAND);
}

#[test]
fn every_environment_file_names_the_schema() {
    for text in [
        include_str!("../../envs/dev.toml"),
        include_str!("../../envs/stage.toml"),
        include_str!("../../envs/prod.toml"),
    ] {
        assert!(text.starts_with("#:schema ./schema.json\n"));
    }
}

/// A key without a sentence about it is of no use to who looks it up.
#[test]
fn every_key_of_the_reference_is_described() {
    let reference = schema::markdown();
    let rows: Vec<&str> = reference.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() > 80, "{} keys", rows.len());
    for row in rows {
        let meaning = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        assert!(meaning.len() > 15 && meaning.ends_with(['.', '>']), "{row}");
    }
}

/// The columns hold a key's default and range; prose that repeats one would sooner or later say something else.
#[test]
fn no_description_repeats_a_default_or_a_range() {
    let schema: Value = serde_json::from_str(&schema::json()).expect("the schema is JSON");
    let definitions = schema["definitions"].as_object().expect("definitions");
    let sections = std::iter::once(&schema).chain(definitions.values());
    let mut keys = 0;
    for section in sections {
        for (key, property) in section["properties"].as_object().into_iter().flatten() {
            let reference = property["$ref"].as_str().or_else(|| property["allOf"][0]["$ref"].as_str());
            let target = reference.and_then(|name| schema.pointer(name.trim_start_matches('#')));
            let target = target.unwrap_or(property);
            let text = property["description"].as_str().unwrap_or_default();
            keys += 1;
            if let (Some(least), Some(most)) = (target["minimum"].as_u64(), target["maximum"].as_u64()) {
                assert!(!text.contains(&format!("{least} to {most}")), "{key}: the range stands in: {text}");
            }
            let required = section["required"].as_array().is_some_and(|keys| keys.contains(&json!(key)));
            let said = match &property["default"] {
                _ if required => "Required".to_owned(),
                Value::Bool(true) => "True".to_owned(),
                Value::Bool(false) => "False".to_owned(),
                Value::Number(number) => number.to_string(),
                Value::String(text) => format!("`{text}`"),
                Value::Array(items) if items.is_empty() => "None".to_owned(),
                Value::Object(keys) if keys.is_empty() => "None".to_owned(),
                _ => continue,
            };
            let sentences = text.split(". ").filter_map(|sentence| sentence.strip_prefix(&said));
            // A value that is explained (`rolling`: Terraform does) is not told of as the default.
            let ends: &[&str] = match &*said {
                "Required" => &["", "."],
                said if said.starts_with('`') => &["", ".", " ("],
                _ => &["", ".", ",", ":", ";", " ("],
            };
            for rest in sentences {
                let tells = ends
                    .iter()
                    .any(|end| if end.is_empty() { rest.is_empty() } else { rest.starts_with(end) });
                assert!(!tells, "{key}: the default stands in: {text}");
            }
        }
    }
    assert!(keys > 250, "{keys} keys");
}
