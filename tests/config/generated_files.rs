//! The checked-in schema and reference are those of the source.

use txnr::alarm::document;
use txnr::config::schema;

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
