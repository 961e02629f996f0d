//! The cycle of what is proposed: who may do what in which state, and that nothing else is done.

use std::sync::Arc;

use serde_json::{Value, json};
use txn_reconcile_api::service::run::worker;
use txn_reconcile_api::service::store::Store;
use txn_reconcile_api::service::{App, audit};

use super::api::{Answer, Client, fresh, id, member_named, samples};
use super::backends::{self, app};

const STEPS: [&str; 4] = ["approve", "reject", "withdraw", "revoke"];

struct World {
    run: String,
    /// Whoever proposes, with another key of the same person, and two others; and two who lack a scope.
    people: Vec<(&'static str, Client)>,
}

impl World {
    async fn new(app: &Arc<App>) -> Self {
        let mut people = Vec::new();
        let all: &[&str] = &["read", "write", "approve", "audit"];
        for (who, name, scopes) in [
            ("maker", "ann", all),
            ("maker's other key", "ann", all),
            ("checker", "bob", all),
            ("third", "cem", all),
            ("writer", "dee", &["read", "write"]),
            ("approver", "eva", &["read", "approve"]),
        ] {
            people.push((who, member_named(app, "acme", name, scopes).await));
        }
        let maker = &people[0].1;
        let run = format!("/v1/runs/{}", id(&maker.post("/v1/runs", samples(maker).await).await));
        while worker::step(app, "test").await.unwrap() {}
        Self { run, people }
    }

    fn who(&self, name: &str) -> &Client {
        &self.people.iter().find(|(who, _)| *who == name).unwrap().1
    }

    async fn step(&self, who: &str, path: &str, step: &str) -> Answer {
        self.who(who).post_with(&format!("{path}/{step}"), &fresh(), Some("*"), &json!({})).await
    }

    /// Proposes, and goes on to a state; answers where the steps are.
    async fn at(&self, of_match: bool, state: &str) -> String {
        let maker = self.who("maker");
        let path = if of_match {
            let wanted = json!({ "breaks": [2, 3], "note": "x" });
            let made = maker.post(&format!("{}/manual-matches", self.run), wanted).await;
            format!("{}/manual-matches/{}", self.run, id(&made))
        } else {
            let path = format!("{}/breaks/1/resolution", self.run);
            let wanted = json!({ "reason": "accepted", "note": "x" });
            assert_eq!(maker.post_with(&path, &fresh(), Some("*"), &wanted).await.status, 200);
            path
        };
        let steps: &[(&str, &str)] = match state {
            "proposed" => &[],
            "approved" => &[("checker", "approve")],
            "rejected" => &[("checker", "reject")],
            "withdrawn" => &[("maker", "withdraw")],
            "revoked" => &[("checker", "approve"), ("third", "revoke")],
            other => panic!("{other}"),
        };
        for (who, step) in steps {
            let answer = self.step(who, &path, step).await;
            assert_eq!(answer.status, 200, "{who} {step}: {}", answer.text);
        }
        path
    }

    /// Opens the breaks again, whatever is proposed.
    async fn open(&self, path: &str) {
        for step in ["reject", "revoke"] {
            self.step("checker", path, step).await;
        }
    }

    async fn breaks(&self) -> Value {
        self.who("maker").get(&format!("{}/breaks", self.run)).await.body
    }
}

/// What a step comes to.
fn expected(state: &str, step: &str, who: &str) -> u16 {
    let scope = match who {
        "writer" => step == "withdraw",
        "approver" => step != "withdraw",
        _ => true,
    };
    let own = who.starts_with("maker");
    match (state, step) {
        _ if !scope => 403,
        ("proposed", "approve" | "reject") | ("approved", "revoke") => {
            if own {
                403
            } else {
                200
            }
        }
        ("proposed", "withdraw") => {
            if own {
                200
            } else {
                403
            }
        }
        _ => 409,
    }
}

async fn cycle(store: Arc<dyn Store>) {
    let app = app(store);
    let world = World::new(&app).await;
    let mut counted = [0; 3];
    for of_match in [false, true] {
        for state in ["proposed", "approved", "rejected", "withdrawn", "revoked"] {
            let mut path = world.at(of_match, state).await;
            for step in STEPS {
                for (who, _) in &world.people {
                    let before = world.breaks().await;
                    let answer = world.step(who, &path, step).await;
                    let wanted = expected(state, step, who);
                    assert_eq!(answer.status, wanted, "{state}, {step} by {who}: {}", answer.text);
                    counted[usize::from(wanted != 200) + usize::from(wanted == 409)] += 1;
                    if wanted == 200 {
                        let open = step != "approve";
                        let now = world.breaks().await;
                        let about = if of_match { 1..3 } else { 0..1 };
                        for one in &now["items"].as_array().unwrap()[about] {
                            let settled = if open { "open" } else { "resolved" };
                            assert_eq!((&one["state"], one["resolution"].is_null()), (&json!(settled), open));
                            assert!(open || one["resolution"]["checker"] != one["resolution"]["maker"]);
                        }
                        world.open(&path).await;
                        path = world.at(of_match, state).await;
                    } else {
                        assert_eq!(world.breaks().await, before, "{state}, {step} by {who}");
                    }
                }
            }
            world.open(&path).await;
        }
    }
    assert_eq!(counted, [22, 58, 160], "done, forbidden, impossible");

    // A break of a manual match is settled with the others alone, and what waits or is approved gets no other proposal.
    let path = world.at(true, "approved").await;
    let one = format!("{}/breaks/2/resolution", world.run);
    for step in STEPS {
        assert_eq!(world.step("checker", &one, step).await.status, 409, "{step}");
    }
    let propose = json!({ "reason": "accepted", "note": "x" });
    assert_eq!(world.who("third").post_with(&one, &fresh(), Some("*"), &propose).await.status, 409);
    assert_eq!(world.who("third").get(&path).await.body["state"], "approved");

    let log = world.who("maker").get("/v1/audit?limit=500").await.text;
    for what in ["break", "match"] {
        for step in STEPS.iter().chain(&["propose"]) {
            assert!(log.contains(&format!("{what}.{step}")), "{what}.{step}");
        }
    }
    assert!(audit::verify(&app, "acme").await.unwrap().intact);
}

#[tokio::test(flavor = "multi_thread")]
async fn embedded() {
    cycle(backends::embedded().await.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamo() {
    cycle(backends::dynamo().await.store.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres() {
    let backend = backends::postgres().await;
    cycle(backend.store.clone()).await;
}
