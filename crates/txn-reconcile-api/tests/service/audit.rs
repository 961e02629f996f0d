//! Anchors of the audit log: of every tenant, no more of them than needed, and of use after the key has changed. And the
//! proof of a single entry, which holds until anything in it is changed.

use std::sync::Arc;
use std::time::Duration;

use contract::Bucket;
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::audit::proof::{Proof, prove};
use txn_reconcile_api::service::audit::{Anchor, Anchored, verify};
use txn_reconcile_api::service::error::Error;
use txn_reconcile_api::service::ledger::Effect;

use super::api::{Answer, Client, member};
use super::backends::{ADMIN, app, embedded};
use super::calls::{Calls, Files};
use super::faults::World;

async fn act(app: &App, tenant: &str) {
    let effect = Effect {
        tenant,
        actor: "sub:somebody",
        request: "req_1",
        peer: None,
        action: "source.create",
        subject: "src_1",
        detail: json!({}),
        writes: Vec::new(),
        answer: None,
    };
    app.commit(effect).await.unwrap();
}

/// Another service over another store, with another signing key, that looks at the same anchors.
async fn successor(anchors: &Arc<dyn ObjectStore>) -> App {
    let backend = embedded().await;
    let mut app = Arc::into_inner(app(backend.store.clone())).unwrap();
    app.anchors = Arc::clone(anchors);
    app.signing_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"the key that came after");
    app
}

#[tokio::test]
async fn a_tenant_that_has_no_key_of_its_own_is_anchored_too() {
    let app = app(embedded().await.store.clone());
    act(&app, "known-by-token-alone").await;
    Anchored::default().anchor_all(&app).await.unwrap();
    let verdict = verify(&app, "known-by-token-alone").await.unwrap();
    assert_eq!(verdict.anchored.map(|head| head.sequence), Some(1));
    assert_eq!(verdict.anchor_signed, Some(true));
}

#[tokio::test]
async fn whoever_makes_keys_can_show_the_log_of_it() {
    let app = app(embedded().await.store.clone());
    let owner = member(&app, "acme").await;
    let admin = Client { router: owner.router.clone(), token: ADMIN.into() };
    let log = admin.get("/v1/audit").await;
    assert!(log.status == 200 && log.text.contains("key.create"), "{}", log.text);
    assert_eq!(admin.get("/v1/audit/verification").await.body["intact"], true);
    assert_eq!(admin.get("/v1/runs").await.status, 403, "and nothing else");
}

#[tokio::test]
async fn only_chains_that_have_grown_are_anchored_again() {
    let app = app(embedded().await.store.clone());
    act(&app, "first").await;
    act(&app, "second").await;
    let mut anchored = Anchored::default();
    assert_eq!(anchored.anchor_all(&app).await.unwrap(), 2);
    assert_eq!(anchored.anchor_all(&app).await.unwrap(), 0);
    act(&app, "second").await;
    assert_eq!(anchored.anchor_all(&app).await.unwrap(), 1);
    assert_eq!(verify(&app, "second").await.unwrap().anchored.map(|head| head.sequence), Some(2));
}

/// Of each listed object a second passes, so that the time says how many were listed. It is simulated time.
#[tokio::test(start_paused = true)]
async fn the_latest_anchor_is_found_among_many_without_looking_at_all_of_them() {
    let mut app = Arc::into_inner(app(embedded().await.store.clone())).unwrap();
    let config = ThrottleConfig { wait_list_per_entry: Duration::from_secs(1), ..ThrottleConfig::default() };
    app.anchors = Arc::new(ThrottledStore::new(Files::new(Bucket::Audit, &Calls::default()), config));
    for _ in 0..300 {
        act(&app, "acme").await;
        Anchored::default().anchor_all(&app).await.unwrap();
    }
    let listed = async || {
        let begun = tokio::time::Instant::now();
        let verdict = verify(&app, "acme").await.unwrap();
        (verdict.anchored.unwrap().sequence, verdict.intact, begun.elapsed().as_secs())
    };
    assert_eq!(listed().await, (300, true, 1));
    // Nothing has been anchored for a while.
    for _ in 0..40 {
        act(&app, "acme").await;
    }
    let (sequence, intact, looked_at) = listed().await;
    assert_eq!((sequence, intact), (300, true));
    assert!(looked_at < 100, "{looked_at} anchors were listed");
}

#[tokio::test]
async fn a_changed_key_hides_no_cut_chain() {
    let before = app(embedded().await.store.clone());
    act(&before, "acme").await;
    act(&before, "acme").await;
    Anchored::default().anchor_all(&before).await.unwrap();

    let after = successor(&before.anchors).await;
    act(&after, "acme").await;
    let verdict = verify(&after, "acme").await.unwrap();
    assert_eq!(verdict.anchor_signed, Some(false));
    assert_eq!(verdict.fault.as_deref(), Some("entry 2 was anchored and is gone"));
    assert!(!verdict.intact);
}

/// A chain of four entries, and the paths of their anchors.
async fn anchored_four_times() -> (Arc<App>, Vec<Path>) {
    let app = app(embedded().await.store.clone());
    let mut anchored = Anchored::default();
    for _ in 0..4 {
        act(&app, "acme").await;
        anchored.anchor_all(&app).await.unwrap();
    }
    let found: Vec<_> =
        app.anchors.list(Some(&Path::from(Bucket::Audit.prefix()))).try_collect().await.unwrap();
    let mut paths: Vec<Path> = found.into_iter().map(|object| object.location).collect();
    paths.sort();
    assert_eq!(paths.len(), 4);
    (app, paths)
}

#[tokio::test]
async fn an_anchor_in_the_place_of_another_is_none() {
    let (app, paths) = anchored_four_times().await;
    let bytes = async |at: usize| app.anchors.get(&paths[at]).await.unwrap().bytes().await.unwrap();
    let own = bytes(3).await;
    let mut changed = own.to_vec();
    let at = own.len() - 4;
    changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
    act(&app, "other").await;
    let others: Vec<u8> = String::from_utf8_lossy(&own).replace("\"acme\"", "\"other\"").into_bytes();
    let cases = [
        ("is not the one that belongs there", bytes(1).await.to_vec()),
        ("is not the one that belongs there", others),
        ("is not signed by the key that it names", changed),
        ("cannot be read", b"{}".to_vec()),
        ("cannot be read", own[..own.len() / 2].to_vec()),
    ];
    for (fault, bytes) in cases {
        app.anchors.put(&paths[3], bytes.into()).await.unwrap();
        let verdict = verify(&app, "acme").await.unwrap();
        assert_eq!(
            (verdict.intact, verdict.fault),
            (false, Some(format!("the anchor at {} {fault}", paths[3])))
        );
        let error = prove(&app, "acme", 4).await.err().unwrap();
        assert!(matches!(error, Error::Conflict(_)), "{error}");
    }
    app.anchors.put(&paths[3], own.into()).await.unwrap();
    assert!(verify(&app, "acme").await.unwrap().intact);
}

#[tokio::test]
async fn no_anchor_is_written_over() {
    let (app, paths) = anchored_four_times().await;
    app.anchors.put(&paths[3], "not an anchor".into()).await.unwrap();
    // As after a start: nothing is known of what was anchored.
    Anchored::default().anchor_all(&app).await.unwrap();
    assert!(!verify(&app, "acme").await.unwrap().intact, "what was there is still seen");
}

#[tokio::test]
async fn a_silent_log_is_anchored_anew_each_day() {
    let world = World::new(1);
    let app = world.calm();
    act(&app, "acme").await;
    let mut anchored = Anchored::default();
    for _ in 0..3 {
        assert_eq!(anchored.anchor_all(&app).await.unwrap(), 1);
        assert_eq!(anchored.anchor_all(&app).await.unwrap(), 0);
        world.pass_time(86_400_000);
    }
    let found: Vec<_> =
        app.anchors.list(Some(&Path::from(Bucket::Audit.prefix()))).try_collect().await.unwrap();
    assert_eq!(found.len(), 3);
    assert!(verify(&app, "acme").await.unwrap().intact);
}

async fn proof(app: &Arc<App>, tenant: &str, sequence: u64) -> Value {
    let body = prove(app, tenant, sequence).await.unwrap();
    let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The object in the bucket that a proof names, as an assessor fetches it.
async fn fetched(app: &App, proof: &Value) -> Value {
    let path = Path::from(proof["anchor"]["path"].as_str().unwrap());
    let found = app.anchors.get(&path).await.unwrap();
    serde_json::from_slice(&found.bytes().await.unwrap()).unwrap()
}

/// Whether a proof can be read and holds.
fn holds(proof: &Value, anchor: Option<&Value>) -> bool {
    let anchor: Option<Anchor> = anchor.map(|anchor| serde_json::from_value(anchor.clone()).unwrap());
    serde_json::from_value::<Proof>(proof.clone()).is_ok_and(|proof| proof.check(anchor.as_ref()).holds)
}

#[tokio::test]
async fn an_entry_is_proved_by_the_first_anchor_at_or_after_it() {
    let app = app(embedded().await.store.clone());
    let mut anchored = Anchored::default();
    for number in 1..=7 {
        act(&app, "acme").await;
        if matches!(number, 2 | 5) {
            anchored.anchor_all(&app).await.unwrap();
        }
    }
    for (sequence, end) in [(1, 2), (2, 2), (3, 5), (5, 5), (6, 7), (7, 7)] {
        let proof = proof(&app, "acme", sequence).await;
        assert_eq!(
            (&proof["entry"]["sequence"], &proof["head"]["sequence"]),
            (&json!(sequence), &json!(end))
        );
        assert_eq!(proof.get("anchor").is_some(), end != 7, "{proof}");
        assert!(holds(&proof, None), "{proof}");
    }
    // What nothing anchored then may have been anchored since, and a proof that names no anchor can be held against it.
    let early = proof(&app, "acme", 6).await;
    anchored.anchor_all(&app).await.unwrap();
    let anchor = fetched(&app, &proof(&app, "acme", 6).await).await;
    assert!(holds(&early, Some(&anchor)));
    let other = fetched(&app, &proof(&app, "acme", 3).await).await;
    assert!(!holds(&early, Some(&other)), "another head's anchor");
}

/// Every value of a document changed a little, one at a time; what was changed is named.
fn changed(value: &Value, place: &str) -> Vec<(String, Value)> {
    match value {
        Value::String(text) => (0..text.len())
            .step_by(1 + text.len() / 9)
            .map(|at| {
                let mut bytes = text.clone().into_bytes();
                bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
                (place.to_owned(), json!(String::from_utf8(bytes).unwrap()))
            })
            .chain([(place.to_owned(), json!(text.to_uppercase() + "!"))])
            .collect(),
        Value::Number(number) => {
            let number = number.as_u64().unwrap();
            [number - 1, number + 1, 0, u64::MAX].map(|number| (place.to_owned(), json!(number))).to_vec()
        }
        Value::Array(items) => {
            let mut all = Vec::new();
            for (at, item) in items.iter().enumerate() {
                all.extend(changed(item, &format!("{place}/{at}")).into_iter().map(|(name, item)| {
                    let mut items = items.clone();
                    items[at] = item;
                    (name, json!(items))
                }));
            }
            let turned: Vec<&Value> = items.iter().rev().collect();
            let more: Vec<&Value> = items.iter().chain(items.last()).collect();
            all.extend(
                [json!(turned), json!(items[1..]), json!(more)].map(|items| (place.to_owned(), items)),
            );
            all
        }
        Value::Object(fields) => {
            let mut all = Vec::new();
            for (name, item) in fields {
                all.extend(changed(item, &format!("{place}/{name}")).into_iter().map(|(name_of, item)| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), item);
                    (name_of, json!(fields))
                }));
            }
            all
        }
        other => panic!("{place}: {other}"),
    }
}

#[tokio::test]
async fn a_proof_in_which_anything_was_changed_is_refused() {
    let app = app(embedded().await.store.clone());
    for tenant in ["acme", "acme", "acme", "acme", "acme", "other", "other", "other", "other", "other"] {
        act(&app, tenant).await;
    }
    Anchored::default().anchor_all(&app).await.unwrap();
    let good = proof(&app, "acme", 2).await;
    let anchor = fetched(&app, &good).await;
    assert!(holds(&good, None) && holds(&good, Some(&anchor)));
    let places: std::collections::BTreeSet<String> =
        changed(&good, "").into_iter().map(|(place, _)| place).collect();
    assert_eq!(places.len(), 14, "{places:?}");
    for (place, bad) in changed(&good, "") {
        assert!(!holds(&bad, Some(&anchor)), "{place}: {bad}");
        // Which key signed the anchor only the anchor itself tells.
        let alone = matches!(&*place, "/anchor/key" | "/anchor/signature");
        assert_eq!(holds(&bad, None), alone, "{place}: {bad}");
    }
    for (place, bad) in changed(&anchor, "") {
        assert!(!holds(&good, Some(&bad)), "{place}: {bad}");
    }
    // A whole proof of another chain is one, and not of this anchor.
    let other = proof(&app, "other", 2).await;
    assert!(holds(&other, None) && !holds(&other, Some(&anchor)));
    // Another entry behind the right digests.
    let mut bad = good.clone();
    bad["entry"] = proof(&app, "acme", 3).await["entry"].clone();
    assert!(!holds(&bad, None));
    // What the proof does not cover stands in no proof.
    bad = good.clone();
    bad["remark"] = json!("approved by the assessor");
    assert!(!holds(&bad, None));
}

/// Each listed anchor takes a second of simulated time.
#[tokio::test(start_paused = true)]
async fn however_far_the_anchor_is_it_is_found_and_the_proof_is_whole() {
    let mut app = Arc::into_inner(app(embedded().await.store.clone())).unwrap();
    let config = ThrottleConfig { wait_list_per_entry: Duration::from_secs(1), ..ThrottleConfig::default() };
    app.anchors = Arc::new(ThrottledStore::new(Files::new(Bucket::Audit, &Calls::default()), config));
    let app = Arc::new(app);
    let mut anchored = Anchored::default();
    for number in 1..=1_030u64 {
        act(&app, "acme").await;
        if number % 10 == 0 && !(600..1_020).contains(&number) {
            anchored.anchor_all(&app).await.unwrap();
        }
    }
    for (sequence, end, listed_most) in [(3, 10, 60), (600, 1_020, 62), (1_001, 1_020, 3)] {
        let begun = tokio::time::Instant::now();
        let proof = proof(&app, "acme", sequence).await;
        let listed = begun.elapsed().as_secs();
        assert_eq!(proof["head"]["sequence"], end);
        assert_eq!(proof["digests"].as_array().unwrap().len() as u64, end - sequence);
        assert!(holds(&proof, Some(&fetched(&app, &proof).await)), "{sequence}");
        assert!(listed <= listed_most, "{sequence}: {listed} anchors were listed");
    }
    act(&app, "acme").await;
    assert_eq!(proof(&app, "acme", 1_031).await.get("anchor"), None);
}

#[tokio::test]
async fn a_proof_of_many_pages_holds() {
    let app = app(embedded().await.store.clone());
    for _ in 0..1_003 {
        act(&app, "acme").await;
    }
    let proof = proof(&app, "acme", 1).await;
    assert_eq!(proof["digests"].as_array().unwrap().len(), 1_002);
    assert!(holds(&proof, None));
}

#[tokio::test]
async fn a_log_that_ends_before_its_anchor_proves_nothing() {
    let before = app(embedded().await.store.clone());
    for _ in 0..3 {
        act(&before, "acme").await;
    }
    Anchored::default().anchor_all(&before).await.unwrap();
    let after = Arc::new(successor(&before.anchors).await);
    act(&after, "acme").await;
    let error = prove(&after, "acme", 1).await.unwrap_err();
    assert_eq!(error, Error::Conflict("entry 3 was anchored and is gone; verify the log".into()));
}

/// What the command says of files: its exit code, its finding and its message.
fn verify_proof(arguments: &[&std::path::Path]) -> (Option<i32>, Value, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_txn-reconcile-api"));
    let output = command.arg("verify-proof").args(arguments).env_clear().output().unwrap();
    let finding = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), finding, String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_has_checked_and_what_not() {
    let app = app(embedded().await.store.clone());
    let client = member(&app, "acme").await;
    for _ in 0..3 {
        client.post("/v1/sources", json!({ "name": "ledger" })).await;
    }
    let ask = async |path: &str| -> Answer { client.get(path).await };
    let early = ask("/v1/audit/2/proof").await;
    assert_eq!((early.status, early.body.get("anchor")), (200, None), "{}", early.text);
    Anchored::default().anchor_all(&app).await.unwrap();
    let late = ask("/v1/audit/2/proof").await;
    assert_eq!(late.body["entry"], ask("/v1/audit/2").await.body);
    let anchor = fetched(&app, &late.body).await;

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (early, late) = (write("early", &early.text), write("late", &late.text));
    let bad =
        write("bad", &std::fs::read_to_string(&late).unwrap().replace("source.create", "source.delete"));
    let anchor = write("anchor", &anchor.to_string());
    let flag = std::path::Path::new("--anchor");
    let unchecked = |finding: &Value| finding["not_checked"].as_array().unwrap().len();

    let (code, finding, _) = verify_proof(&[&late, flag, &anchor]);
    assert_eq!((code, &finding["holds"], unchecked(&finding)), (Some(0), &json!(true), 1), "{finding}");
    let (code, finding, _) = verify_proof(&[&late]);
    assert_eq!((code, &finding["holds"], unchecked(&finding)), (Some(0), &json!(true), 2), "{finding}");
    assert!(finding["not_checked"][0].as_str().unwrap().contains("give it as --anchor"), "{finding}");
    let (code, finding, _) = verify_proof(&[&early]);
    assert!(
        code == Some(0) && finding["not_checked"][0].as_str().unwrap().contains("nothing anchors it yet")
    );
    let (code, finding, _) = verify_proof(&[&bad, flag, &anchor]);
    assert_eq!((code, &finding["holds"]), (Some(1), &json!(false)), "{finding}");
    for arguments in [vec![&*anchor], vec![folder.path()], vec![&*late, flag, &*early]] {
        let (code, _, message) = verify_proof(&arguments);
        assert!(code == Some(3) && message.contains(folder.path().to_str().unwrap()), "{code:?} {message}");
    }
}
