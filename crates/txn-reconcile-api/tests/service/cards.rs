//! Card data is refused wherever a request can hold it, with the place and without the value.

use std::io::Write;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use futures_util::StreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use serde_json::json;

use txn_reconcile_api::service::error::Error;

use super::api::{Answer, Client, fresh, id, member};
use super::backends::{self, app};

const CARD: &str = "4111111111111111";

fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

async fn upload(client: &Client, source: &str, body: Vec<u8>) -> Answer {
    client.send(request(client, source, &body).body(Body::from(body)).unwrap()).await
}

fn request(client: &Client, source: &str, body: &[u8]) -> Builder {
    use base64::Engine;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    let digest = base64::engine::general_purpose::STANDARD.encode(digest);
    Request::post(format!("/v1/statements?source={source}&name=f"))
        .header("authorization", format!("Bearer {}", client.token))
        .header("idempotency-key", fresh())
        .header("content-digest", format!("sha-256=:{digest}:"))
}

/// Places of a file, with a card in each: what they are called, the file, and what is said of the place.
fn places() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut all = Vec::new();
    let mut put = |what, sample_name: &str, from: &str, to: &str, place| {
        let text = sample(sample_name);
        assert!(text.contains(from), "{what}");
        all.push((what, text.replacen(from, &to.replace("CARD", CARD), 1).into_bytes(), place));
    };
    let header = "reference,amount";
    assert!(sample("ledger.csv").contains(header));
    put("a field", "ledger.csv", "\n", "\nCARD,1.00,EUR,2026-01-01\n", "\"line\":2,");
    put("a column's name", "ledger.csv", header, "reference,CARD,amount", "\"line\":1,");
    put("a line before the header", "ledger.csv", header, "card CARD\nreference,amount", "\"line\":1,");
    put(
        "a field without a column",
        "ledger.csv",
        "\n",
        "\nA,1.00,EUR,2026-01-01,,,,,,,,CARD\n",
        "\"line\":2,",
    );
    put("stripe, before the header", "formats/stripe-payout.csv", "balance", "CARD\nbalance", "\"line\":1,");
    put(
        "adyen, before the header",
        "formats/adyen-settlement.csv",
        "Company",
        "CARD\nCompany",
        "\"line\":1,",
    );
    put("a named code", "ledger.csv", header, "CVV Code,reference,amount", "\"CVV Code\"");
    put("a line before the message", "bank.sta", "{1:", "CARD\n{1:", "\"line\":1,");
    put("block 1", "bank.sta", "0000000000}", "CARD}", "\"line\":1,");
    put("block 5", "bank.sta", "\n-}", "\n-}{5:{CHK:CARD}}", "\"column\":\"\"");
    put("an unknown tag", "bank.sta", ":28C:", ":99X:CARD\n:28C:", "\"column\":\"99X\",\"line\":4,");
    put(":20:", "bank.sta", ":20:STARTUMSE", ":20:CARD", "\"column\":\"20\",\"line\":2,");
    put(":25:", "bank.sta", ":25:37040044/0532013000", ":25:CARD", "\"column\":\"25\",\"line\":3,");
    put("a :61: that is refused", "bank.sta", ":61:261102", ":61:XCARD ", "\"column\":\"61\",\"line\":6,");
    put(
        "a :61: with a type of digits",
        "bank.sta",
        "NTRFNONREF",
        "N024CARD",
        "\"column\":\"61\",\"line\":6,",
    );
    put(":86: subfield 10", "bank.sta", "?109310", "?10CARD", "\"column\":\"86\",\"line\":7,");
    put(
        ":86: subfield 31",
        "bank.sta",
        "?31DE89370400440532013000",
        "?31CARD",
        "\"column\":\"86\",\"line\":7,",
    );
    put(
        ":86: over the end of a line",
        "bank.sta",
        "Alpha Tradi\r\nng GmbH",
        "41111111\n11111111",
        "\"column\":\"86\"",
    );
    let camt = "formats/statement.camt053.xml";
    put("a comment", camt, "<Stmt>", "<Stmt><!-- CARD -->", "\"line\":5,");
    put("a processing instruction", camt, "<Stmt>", "<Stmt><?a CARD?>", "\"line\":5,");
    put("an attribute", camt, "<Stmt>", "<Stmt a=\"CARD\">", "\"line\":5,");
    put("an escaped attribute", camt, "<Stmt>", "<Stmt a=\"&#52;111111111111111\">", "\"line\":5,");
    put("an element's name", camt, "<Stmt>", "<Stmt><aCARD/>", "\"line\":5,");
    put("MsgId", camt, "<MsgId>MSG-1", "<MsgId>CARD", "\"MsgId\"");
    put("outside of Stmt", camt, "<Stmt>", "<X>CARD</X><Stmt>", "\"X\"");
    put("text before an element", camt, "<Stmt>", "<X>&#52;111111111111111<Y/></X><Stmt>", "\"X\"");
    put("behind the end", camt, "</Document>", "</Document>CARD", "\"column\":\"\"");
    put(
        "another account",
        camt,
        "<IBAN>DE89370400440532013000</IBAN>",
        "<Othr><Id>CARD</Id></Othr>",
        "\"Othr/Id\"",
    );
    put("an element for a code", camt, "<NtryRef>N1</NtryRef>", "<CVV>123</CVV>", "\"CVV\"");
    let events = "formats/events.ndjson";
    put("a key", events, "\"id\":\"t1\"", "\"CARD\":1", "\"line\":1,");
    put("an escaped key", events, "\"id\":\"t1\"", "\"\\u0034111111111111111\":1", "\"line\":1,");
    put("the key of an empty object", events, "\"id\":\"t1\"", "\"CARD\":{}", "\"line\":1,");
    put("a key above a code", events, "\"id\":\"t1\"", "\"CARD\":{\"cvv\":\"1\"}", "(name withheld)");
    put("a line that is no JSON", events, "not json", "not CARD", "\"line\":4,");
    put("an escape in a line that is no JSON", events, "not json", "\\u0034111111111111111", "\"line\":4,");
    put("01", "formats/cash.bai2", "01,122099999", "01,CARD", "\"column\":\"01\",\"line\":1,");
    put("03", "formats/cash.bai2", "03,0123456789", "03,CARD", "\"column\":\"03\",\"line\":3,");
    put("88", "formats/cash.bai2", "88,AND PART 2", "88,CARD", "\"column\":\"16\",\"line\":6,");
    put("an unknown record", "formats/cash.bai2", "49,", "47,CARD/\n49,", "\"column\":\"47\",\"line\":9,");
    put(
        "the receiver's account",
        "formats/payroll.ach",
        "000123456789    ",
        "CARD",
        "\"column\":\"6\",\"line\":3,",
    );
    put("an unknown type", "formats/payroll.ach", "705INV", "4CARD\n705INV", "\"line\":5,");
    put("addenda", "formats/payroll.ach", "INVOICE 77 NOVEM", "CARD", "\"column\":\"7\",\"line\":5,");
    all
}

/// Containers with a card in what is not the file itself.
fn containers() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = sample("ledger.csv");
    let gzip = |builder: flate2::GzBuilder| {
        let mut packer = builder.write(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    };
    let new = flate2::GzBuilder::new;
    let zip = |name: &str, entry: &str, archive: &str| {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let length = u32::try_from(text.len()).unwrap().to_le_bytes();
        let short = |text: &str| u16::try_from(text.len()).unwrap().to_le_bytes();
        let sums = [crc.sum().to_le_bytes(), length, length].concat();
        let head =
            [b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0", &sums[..], &short(name), b"\0\0", name.as_bytes()].concat();
        let list = [
            b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0",
            &sums[..],
            &short(name),
            b"\0\0",
            &short(entry),
            &[0; 12][..],
            name.as_bytes(),
            entry.as_bytes(),
        ]
        .concat();
        let end =
            [b"PK\x05\x06\0\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0", &short(archive)[..], archive.as_bytes()]
                .concat();
        [&head[..], text.as_bytes(), &list, &end].concat()
    };
    vec![
        ("gzip name", gzip(new().filename(CARD)), "gzip file name"),
        ("gzip comment", gzip(new().comment(CARD)), "gzip comment"),
        ("gzip extra field", gzip(new().extra(CARD)), "gzip extra field"),
        ("gzip, second member", [gzip(new()), gzip(new().filename(CARD))].concat(), "gzip file name"),
        ("zip name", zip(CARD, "", ""), "zip header"),
        ("zip entry's comment", zip("a", CARD, ""), "zip archive's list"),
        ("zip comment", zip("a", "", CARD), "zip archive's list"),
        ("behind a zip", [zip("a", "", ""), CARD.into()].concat(), "zip archive's list"),
    ]
}

#[tokio::test]
async fn a_file_holds_no_card_data_anywhere() {
    let backend = backends::embedded().await;
    let mut app = app(backend.store.clone());
    let files = Arc::new(InMemory::new());
    Arc::get_mut(&mut app).unwrap().files = files.clone();
    let client = member(&app, "acme").await;
    let source = id(&client.post("/v1/sources", json!({ "name": "x" })).await);
    let folder = tempfile::tempdir().unwrap();
    for (what, body, place) in places().into_iter().chain(containers()) {
        let file = folder.path().join("statement");
        std::fs::write(&file, &body).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_txn-reconcile-api"))
            .args(["inspect", file.to_str().unwrap()])
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(5), "{what}: {said}");
        assert!(!said.contains("1111111"), "{what}: {said}");

        let answer = upload(&client, &source, body).await;
        let kind = answer.body["type"].as_str();
        assert_eq!(
            (answer.status, kind),
            (422, Some("urn:txn-reconcile:problem:card-data")),
            "{what}: {}",
            answer.text
        );
        assert!(answer.text.contains(place) && !answer.text.contains("1111111"), "{what}: {}", answer.text);
    }
    assert!(files.list(None).next().await.is_none());
    // The same containers without a card are files as good as any.
    let behind = [sample("ledger.csv").into_bytes(), b"\n".to_vec()].concat();
    assert_eq!(upload(&client, &source, behind).await.status, 201);
    let form = format!(
        "--b\r\nContent-Disposition: form-data; filename=\"{CARD}\"\r\n\r\n{}\r\n--b--\r\n",
        sample("ledger.csv")
    );
    let sent =
        request(&client, &source, form.as_bytes()).header("content-type", "Multipart/form-data; boundary=b");
    assert_eq!(client.send(sent.body(Body::from(form)).unwrap()).await.status, 415);
}

async fn refused(client: &Client, request: Builder, body: &str, place: &str) {
    let request = request
        .header("authorization", format!("bearer {}", client.token))
        .header("content-type", "application/json");
    let answer = client.send(request.body(Body::from(body.to_owned())).unwrap()).await;
    assert_eq!(
        (answer.status, answer.body["type"].as_str()),
        (422, Some("urn:txn-reconcile:problem:card-data"))
    );
    assert!(answer.text.contains(place) && !answer.text.contains("1111"), "{place}: {}", answer.text);
}

#[tokio::test]
async fn a_request_holds_no_card_data_anywhere() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let post = || Request::post("/v1/sources").header("idempotency-key", fresh());

    for (body, place) in [
        (r#"{"name":"4111111111111111"}"#, "body, /name"),
        (r#"{"name":"4111 1111-1111 1111"}"#, "body, /name"),
        // The same digits, as another program may write them.
        (r#"{"name":"411111111111\u0031\u0031\u0031\u0031"}"#, "body, /name"),
        (r#"{"name":"x","mapping":{"columns":["a","4111111111111111"]}}"#, "body, /mapping/columns/1"),
        (r#"{"name":4111111111111111}"#, "body, /name"),
        (r#"{"4111111111111111":"x"}"#, "body, "),
        (r#"{"4111111111111112 x":{"name":"4111111111111111"}}"#, "body, /(key)/name"),
        ("4111111111111111 is no JSON", "card data in the body"),
    ] {
        refused(&client, post(), body, place).await;
    }
    // As another program breaks lines and marks directions.
    for digits in [
        "41111111\\n11111111",
        "4111 1111 \\r\\n 1111 1111",
        "4111x1111x1111x1111",
        "4111\u{2066}1111\u{2069}11111111",
    ] {
        refused(&client, post(), &format!(r#"{{"name":"{digits}"}}"#), "body, /name").await;
    }
    refused(&client, Request::get("/v1/sources?limit=4111111111111111"), "", "query").await;
    refused(&client, Request::get("/v1/runs/4111%31111%31111%31111"), "", "path, part 1").await;
    assert!(client.get("/v1/sources").await.body["items"].as_array().unwrap().is_empty());

    // No header is kept as it came, and their identifiers are random.
    for (name, value) in [
        ("traceparent", "00-4111111111111111a4111111111111111-00f067aa0ba902b7-01"),
        ("x-amzn-trace-id", "Root=1-6a0c45c6-4111111111111111abcdefab"),
        ("x-datadog-trace-id", "4111111111111111"),
        ("x-cloud-trace-context", "4111111111111111a411111111111111/4111111111111111;o=1"),
        ("x-b3-traceid", "4111111111111111"),
        ("x-note", "4111111111111111"),
    ] {
        let get = Request::get("/v1/sources").header("authorization", format!("Bearer {}", client.token));
        assert_eq!(
            client.send(get.header(name, value).body(Body::empty()).unwrap()).await.status,
            200,
            "{name}"
        );
    }
    // A key is kept as a hash: any is good, and a request that is sent again is answered as before.
    for key in ["4111111111111111", "41111111-1111-4111-8111-111111111111"] {
        let body = format!(r#"{{"name":"of key {}"}}"#, key.len());
        let again = || {
            let post =
                Request::post("/v1/sources").header("authorization", format!("Bearer {}", client.token));
            let post = post.header("content-type", "application/json").header("idempotency-key", key);
            post.body(Body::from(body.clone())).unwrap()
        };
        let first = client.send(again()).await;
        assert_eq!((first.status, client.send(again()).await.body), (201, first.body), "{key}");
    }
    // A name that reads otherwise than it is written.
    let turned = client.post("/v1/sources", serde_json::json!({ "name": "kn\u{202e}ab" })).await;
    assert_eq!(turned.status, 422, "{}", turned.body);
}

/// Whatever the parts of a file are, none is stored before all of its records were looked at.
#[tokio::test]
async fn no_part_with_card_data_is_ever_written() {
    let folder = tempfile::tempdir().unwrap();
    let backend = backends::embedded().await;
    let mut app = app(backend.store.clone());
    Arc::get_mut(&mut app).unwrap().files = txn_reconcile_api::service::blob::folder(folder.path()).unwrap();
    let client = member(&app, "acme").await;
    let source = id(&client.post("/v1/sources", json!({ "name": "x" })).await);
    let written = || {
        let names = std::process::Command::new("find")
            .arg(folder.path())
            .args(["-type", "f", "-size", "+0"])
            .output()
            .unwrap();
        String::from_utf8(names.stdout).unwrap().lines().count()
    };
    let row = "2026-11-01,A1,10.00,EUR\n";
    let mut first = "date,reference,amount,currency\n".to_owned() + &row.repeat((8 << 20) / row.len());
    // The card stands on both sides of where the first part ends.
    first.truncate((8 << 20) - 19);
    let cut = first.rfind('\n').unwrap() + 1;
    first.replace_range(cut.., &" ".repeat((8 << 20) - cut - 19));
    first.push_str("2026-11-01,41111111");
    let second = "11111111,1.00,EUR\n".to_owned() + &row.repeat((8 << 20) / row.len());
    let third = format!("2026-11-01,{CARD},1.00,EUR\n");
    let whole = [&first[..], &second, &third].concat();
    let (send, receive) = tokio::sync::mpsc::channel::<String>(1);
    let receive = futures_util::stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|part| (Ok::<_, std::convert::Infallible>(part), receive))
    });
    let sent = request(&client, &source, whole.as_bytes()).body(Body::from_stream(receive)).unwrap();
    let feeding = async {
        for part in [first, second] {
            send.send(part).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
            assert_eq!(written(), 0);
        }
        send.send(third).await.unwrap();
        drop(send);
    };
    let (answer, ()) = tokio::join!(client.send(sent), feeding);
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(answer.body["places"].as_array().unwrap().len(), 2, "those behind it are named as well");
    assert_eq!(written(), 0);
}

/// What a subject of a token or a ruleset could smuggle into the audit log is refused at the last gate.
#[tokio::test]
async fn the_audit_log_takes_no_card_data() {
    let backend = backends::embedded().await;
    let app = app(backend.store.clone());
    let client = member(&app, "acme").await;
    let rules = include_str!("../../samples/rules.toml");
    for toml in [
        rules.replace("name = \"ledger-bank\"", r#"name = "\u0034111111111111111""#),
        rules.replace("name = \"ledger-bank\"", "name = \"\"\"41111111\\\n11111111\"\"\""),
        format!("{rules}\n\"\\U00000034111111111111111\" = 1\n"),
    ] {
        assert_ne!(toml, rules);
        let answer = client.post("/v1/rulesets", json!({ "toml": toml })).await;
        assert_eq!((answer.status, answer.text.contains("1111")), (422, false), "{}", answer.text);
    }
    let effect = txn_reconcile_api::service::ledger::Effect {
        tenant: "acme",
        actor: "sub:4111111111111111",
        request: "req",
        peer: None,
        action: "test",
        subject: "x",
        detail: json!({}),
        writes: Vec::new(),
        answer: None,
    };
    assert!(matches!(app.commit(effect).await, Err(Error::Internal(_))));
    let log = client.get("/v1/audit").await;
    assert!(log.status == 200 && !log.text.contains("1111111"), "{}", log.text);
}
