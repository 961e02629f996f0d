//! `txnr cost`: what is counted, what it comes to, and which files of prices are refused.

use crate::project::Project;
use insta::assert_snapshot;
use serde_json::Value;
use std::fs;
use std::path::Path;

const EXAMPLE: &str = include_str!("../../docs/prices/us-east-1.toml");

fn with_prices(text: &str) -> Project {
    let project = Project::new();
    project.write("prices.toml", text);
    project
}

#[test]
fn what_is_billed_is_listed_by_stack_with_and_without_money() {
    let project = with_prices(EXAMPLE);
    assert_snapshot!("cost", project.run("cost --env prod --prices prices.toml"));
    let without = project.succeed("cost --env prod");
    assert!(without.contains("interface-endpoint") && !without.contains("no price"), "{without}");
    assert!(!without.contains("USD"), "{without}");
}

/// The sum is what the lines come to, and no line without a price is in it.
#[test]
fn the_json_adds_up() {
    let project = with_prices(EXAMPLE);
    let text = project.succeed("cost --env prod --prices prices.toml --json");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let lines = report["lines"].as_array().expect("lines");
    let cents = |text: &Value| text.as_str().expect("money").replace('.', "").parse::<i64>().expect("cents");
    let sum: i64 =
        lines.iter().map(|line| &line["price"]["a_month"]).filter(|money| !money.is_null()).map(cents).sum();
    let said = cents(&report["sum"]["a_month"]);
    // Each line is rounded by itself.
    let rounding = i64::try_from(lines.len()).expect("few lines");
    assert!((sum - said).abs() <= rounding, "{sum} {said}");
    for line in lines.iter().filter(|line| line["price"].is_null()) {
        let missing = report["sum"]["without_price"].as_array().expect("a list");
        assert!(missing.contains(&line["key"]), "{line}");
    }
    let kms = lines.iter().find(|line| line["key"] == "kms-key").expect("keys");
    assert_eq!((&kms["quantity"], &kms["price"]["a_month"]), (&"4".into(), &"4.00".into()));
    assert_eq!(kms["resources"][0]["address"], "aws_kms_key.artifacts");
}

/// Nothing that this repository can synthesize is unknown to it.
#[test]
fn every_environment_and_variant_is_counted_as_a_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["envs", "tests/variants"] {
        let folder = root.join(folder);
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let text =
                Project::empty().succeed(&format!("cost --env {name} --envs {} --json", folder.display()));
            let report: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(report["not_counted"], Value::Array(Vec::new()), "{name}");
            assert!(!report["lines"].as_array().expect("lines").is_empty(), "{name}");
        }
    }
}

#[test]
fn files_of_prices_are_refused_with_every_mistake() {
    let project = Project::new();
    let missing = project.run("cost --env prod --prices none.toml");
    assert!(missing.contains("exit code: 6") && missing.contains("none.toml"), "{missing}");
    let wrong = EXAMPLE
        .replace("[prices.nat-gateway]", "[prices.nat-gatewy]")
        .replace("amount = 0.0225", "amount = -0.0225")
        .replace("region = \"us-east-1\"", "region = \"eu-west-1\"");
    project.write("prices.toml", &wrong);
    assert_snapshot!("cost_mistakes", project.run("cost --env prod --prices prices.toml"));
}

#[test]
fn the_schema_of_prices_names_every_key() {
    let schema = Project::empty().succeed("cost --schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let names = schema["properties"]["prices"]["propertyNames"]["anyOf"].as_array().expect("names");
    let known = |key: &str| names.iter().any(|name| name["const"] == *key);
    assert!(known("nat-gateway") && known("kms-key") && !known("rds-instance"), "{names:?}");
    let usage = Project::empty().run("cost");
    assert!(usage.contains("exit code: 2"), "{usage}");
}
