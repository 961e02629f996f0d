//! Statement files on their way through the service into S3: in parts, each with its checksum, and nothing is left of one
//! that is refused.

use serde_json::{Value, json};
use test_kit::task::Container;

use super::boot::member;
use super::policy::RecordedEngines;
use super::recorder::Seen;
use super::synthesized::module;

/// Bytes of a file that takes several parts of 8 MiB.
const LARGE: usize = 20 << 20;

fn large(last: &str) -> Vec<u8> {
    let mut file = String::with_capacity(LARGE + 100);
    file.push_str("reference,amount,currency,date\n");
    let mut number = 0u32;
    while file.len() < LARGE {
        number += 1;
        file.push_str(&format!("INV-{number}-A,{}.00,EUR,2026-01-02\n", number % 1000 + 1));
    }
    file.push_str(last);
    file.into_bytes()
}

#[test]
fn a_large_file_passes_through_in_parts_and_a_refused_one_leaves_nothing() {
    let module = module("envs", "prod");
    let engines = RecordedEngines::start(&module);
    let container = Container::of(&module, "main", &engines);
    let task = container.start(contract::READINESS_PATH);
    let member = member(&task, &container, "acme", &["read", "write"]);
    let source = member.post("/v1/sources", &json!({"name": "ledger"})).id();

    let file = large("");
    let sent = member.upload(&source, "large.csv", &file);
    assert_eq!((sent.status, &sent.json()["bytes"]), (201, &json!(file.len())), "{}", sent.text);
    let refused = member.upload(&source, "cards.csv", &large("4111 1111 1111 1111,1.00,EUR,2026-01-02\n"));
    assert_eq!((refused.status, refused.text.contains("1111")), (422, false), "{}", refused.text);

    let bucket = module.resources("aws_s3_bucket")["statements"]["bucket"].clone();
    let ask = |what: &str| engines.aws.ask(&module.region, "s3", what, json!({"Bucket": bucket}));
    let kept = ask("list_objects_v2")["Contents"].clone();
    let sizes: Vec<&Value> = kept.as_array().unwrap().iter().map(|object| &object["Size"]).collect();
    assert_eq!(sizes, [&json!(file.len())], "{kept}");
    let open = ask("list_multipart_uploads");
    assert!(open["Uploads"].as_array().is_none_or(Vec::is_empty), "{open}");

    let calls = engines.s3.calls();
    let parts: Vec<&Seen> =
        calls.iter().filter(|call| call.method == "PUT" && call.target.contains("partNumber")).collect();
    // All three of the good file. Of the other one the first: the second waits for what the third is found to hold.
    assert_eq!(parts.len(), 4);
    for call in parts {
        assert!(call.headers.contains_key("x-amz-checksum-sha256") && call.status == 200, "{call:?}");
    }
    // The buckets' policies deny a key that is not theirs; the service names none, and theirs is taken.
    let names = calls.iter().flat_map(|call| call.headers.keys());
    let named: Vec<&String> = names.filter(|name| name.starts_with("x-amz-server-side-encryption")).collect();
    assert!(named.is_empty(), "{named:?}");
}
