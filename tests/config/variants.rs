//! The environments of `tests/variants`, which Terraform looks at, together exercise every option.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use txnr::check::load_all;

const SCHEMA: &str = include_str!("../../envs/schema.json");

/// The variants as JSON, by name.
fn variants() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/variants");
    let loaded = load_all(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).expect("a file");
        serde_json::to_value(text.parse::<toml::Table>().expect("TOML")).expect("JSON")
    };
    loaded.environments.iter().map(|environment| read(&environment.path)).collect()
}

/// Every key that the schema knows, as `network.egress[].port`, and its default where the schema says one.
fn options(schema: &Value) -> BTreeMap<String, Option<Value>> {
    let mut options = BTreeMap::new();
    collect(schema, schema, "", &mut options);
    options
}

fn collect(schema: &Value, part: &Value, path: &str, options: &mut BTreeMap<String, Option<Value>>) {
    let part = resolve(schema, part);
    if let Some(items) = part.get("items") {
        collect(schema, items, &format!("{path}[]"), options);
    }
    for (key, property) in part.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let default = property.get("default").filter(|default| !default.is_object() && !default.is_null());
        options.insert(path.clone(), default.cloned());
        collect(schema, property, &path, options);
    }
    // A table whose keys the file chooses.
    for member in
        part.get("patternProperties").and_then(Value::as_object).into_iter().flat_map(|p| p.values())
    {
        collect(schema, member, &format!("{path}.*"), options);
    }
}

/// What a part refers to: `{"$ref": …}`, alone or wrapped in the `allOf` or `anyOf` of an annotation.
fn resolve<'s>(schema: &'s Value, part: &'s Value) -> &'s Value {
    let wrapped = ["allOf", "anyOf"].iter().find_map(|key| part.get(key)?.get(0));
    let Some(part) = wrapped.or(part.get("$ref").map(|_| part)) else { return part };
    match part.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let pointer = reference.trim_start_matches('#');
            resolve(schema, schema.pointer(pointer).unwrap_or_else(|| panic!("no {reference}")))
        }
        None => part,
    }
}

/// What a file sets, key by key in the notation of `options`. Keys that the file chooses are `*` there.
fn set<'v>(value: &'v Value, path: &str, found: &mut BTreeMap<String, Vec<&'v Value>>) {
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                let own = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                found.entry(own.clone()).or_default().push(value);
                set(value, &own, found);
                if value.is_object() {
                    set(value, &format!("{path}.*"), found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| set(item, &format!("{path}[]"), found)),
        _ => {}
    }
}

#[test]
fn every_option_is_exercised() {
    let options = options(&serde_json::from_str(SCHEMA).expect("JSON"));
    assert!(options.len() > 100, "{} options in the schema", options.len());
    let variants = variants();
    let mut found = BTreeMap::new();
    variants.iter().for_each(|variant| set(variant, "", &mut found));
    let idle = |(path, default): &(&String, &Option<Value>)| {
        let values = found.get(*path).map(Vec::as_slice).unwrap_or_default();
        !values.iter().any(|value| Some(*value) != default.as_ref())
    };
    let idle: Vec<&String> = options.iter().filter(idle).map(|(path, _)| path).collect();
    assert!(idle.is_empty(), "no variant in tests/variants sets these to anything but the default: {idle:?}");
}

/// Values that are worlds of their own: each leads to other resources.
#[test]
fn every_partition_and_every_way_out_is_exercised() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/variants");
    let loaded = load_all(&folder).unwrap_or_else(|error| panic!("{error}"));
    let configs = || loaded.environments.iter().map(|environment| &environment.config);
    let partitions: BTreeSet<&str> = configs().map(|config| config.partition().as_str()).collect();
    let vpcs = || configs().filter_map(|config| config.network.own());
    let ways: BTreeSet<String> = vpcs().map(|own| format!("{:?}", own.nat)).collect();
    let zones: BTreeSet<usize> = configs().map(|config| config.network.availability_zones.len()).collect();
    let locks: BTreeSet<String> = configs().map(|config| format!("{:?}", config.state.lock)).collect();
    assert_eq!(partitions, BTreeSet::from(["aws", "aws-cn", "aws-us-gov"]));
    assert_eq!((ways.len(), locks.len()), (3, 3), "{ways:?} {locks:?}");
    assert!(zones.contains(&2) && zones.contains(&6), "{zones:?}");
}
