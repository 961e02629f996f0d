//! Files for spreadsheets: whatever stands in a statement, a ruleset or a form, no cell is a formula.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use txn_reconcile_api::service::run::worker;

use super::api::{Client, fresh, id, member};
use super::backends::{app, embedded};

/// What a spreadsheet takes for the beginning of a formula, or for the end of the cell before it.
const BEGINNINGS: [&str; 10] = ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u{a0}=", "＝"];

/// The records of comma-separated values (RFC 4180).
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' if quoted && rest.peek() == Some(&'"') => field.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            other => field.push(other),
        }
    }
    assert!(!quoted && field.is_empty() && record.is_empty(), "it ends in the middle of a record");
    records
}

/// An entry whose every text begins a formula.
fn entry(number: usize, beginning: &str, side: &str) -> Value {
    let text = |what: &str| format!("{beginning}cmd|' /C {what}'!A{number}");
    json!({
        "reference": text("reference"),
        // The first half is matched.
        "amount": if side == "bank" && number > BEGINNINGS.len() / 2 { "1.00".to_owned() } else { format!("{number}0.00") },
        "currency": "EUR",
        "date": "2026-01-02",
        "counterparty": text("counterparty"),
        "group": text("group"),
        "description": text("description"),
    })
}

async fn upload(client: &Client, source: &str, side: &str) -> String {
    let lines: Vec<String> =
        (1..).zip(BEGINNINGS).map(|(number, beginning)| entry(number, beginning, side).to_string()).collect();
    id(&client.upload(source, "%3Dcmd.ndjson", &(lines.join("\n") + "\n"), &fresh()).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cell_of_an_export_is_a_formula() {
    let app = app(embedded().await.store.clone());
    let client = member(&app, "acme").await;
    let sources = [json!({ "name": "=left" }), json!({ "name": "@right" })];
    let [left, right] =
        [client.post("/v1/sources", sources[0].clone()), client.post("/v1/sources", sources[1].clone())];
    let (left, right) = (id(&left.await), id(&right.await));
    let rules = "version = 1\nname = \"=rules\"\n[[pass]]\nname = \"=HYPERLINK(1)\"\nexact = {}\n";
    let ruleset = id(&client.post("/v1/rulesets", json!({ "toml": rules })).await);
    let (ours, theirs) = (upload(&client, &left, "ledger").await, upload(&client, &right, "bank").await);
    let wanted = json!({
        "left": { "source": left, "statements": [ours] },
        "right": { "source": right, "statements": [theirs] },
        "ruleset": ruleset,
    });
    let run = format!("/v1/runs/{}", id(&client.post("/v1/runs", wanted).await));
    while worker::step(&app, "test").await.unwrap() {}

    // What people write into a break.
    let breaks = client.get(&format!("{run}/breaks")).await.body["items"].as_array().unwrap().clone();
    for (one, beginning) in breaks.iter().zip(BEGINNINGS.iter().cycle()) {
        let path = format!("{run}/breaks/{}", one["number"]);
        let text = format!("{beginning}SUM(A1)").replace(['\t', '\r'], "");
        for (what, body) in [
            ("assign", json!({ "owner": text })),
            ("comments", json!({ "text": text })),
            ("resolution", json!({ "reason": "accepted", "note": text })),
        ] {
            let answer = client.post_with(&format!("{path}/{what}"), &fresh(), Some("*"), &body).await;
            assert!(answer.status < 300, "{what}: {}", answer.text);
        }
    }

    for list in ["matches", "breaks"] {
        let request = Request::get(format!("{run}/export/{list}"));
        let request = request.header("authorization", format!("Bearer {}", client.token));
        let csv = client.send(request.body(Body::empty()).unwrap()).await;
        let records = records(&csv.text);
        let (names, rows) = records.split_first().unwrap();
        assert!(rows.len() >= 8, "{list}: {}", csv.text);
        for row in rows {
            assert_eq!(row.len(), names.len(), "{list}: {row:?}");
            for (name, cell) in names.iter().zip(row) {
                if matches!(name.as_str(), "amount" | "fee" | "age_days") {
                    assert!(cell.parse::<f64>().is_ok(), "{list}, {name}: {cell}");
                    continue;
                }
                let first = cell.trim_start_matches([' ', '\u{a0}']).chars().next().unwrap_or(' ');
                assert!(!"=+-@\t\r\n＝＋－＠".contains(first), "{list}, {name}: {cell:?}");
            }
        }
        // The formulas did get there.
        let reached = (0..names.len()).filter(|at| rows.iter().any(|row| row[*at].starts_with('\'')));
        let reached: Vec<&str> = reached.map(|at| names[at].as_str()).collect();
        let own = if list == "matches" { "pass" } else { "owner" };
        assert_eq!(reached, [own, "file", "reference", "counterparty", "group", "description"], "{list}");
    }
}
