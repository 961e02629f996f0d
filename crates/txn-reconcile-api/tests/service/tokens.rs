//! JSON Web Tokens: which are taken, where the keys come from, and whose data they reach.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use txn_reconcile_api::service::App;
use txn_reconcile_api::service::api::{Input, Route, router, routes};
use txn_reconcile_api::service::auth::{Auth, ClaimNames, Tokens};
use txn_reconcile_api::service::jwks::{self, Keys};
use txn_reconcile_api::service::records::Scope;
use txn_reconcile_api::service::run::worker;

use super::api::{Client, fresh, id, samples};
use super::backends::{self, ADMIN, app};
use super::issuer::{AUDIENCE, Address, ISSUER, Signer, claims, now, set, shared, unsigned};

/// A service that takes the tokens of an issuer.
async fn service(keys: Keys) -> Arc<App> {
    service_of(keys, ClaimNames::default()).await
}

async fn service_of(keys: Keys, claims: ClaimNames) -> Arc<App> {
    let backend = backends::embedded().await;
    let mut app = Arc::into_inner(app(backend.store.clone())).unwrap();
    let tokens = Tokens { issuer: ISSUER.into(), audience: AUDIENCE.into(), keys: Arc::new(keys), claims };
    app.auth = Auth::new(Some(ADMIN), Some(tokens));
    Arc::new(app)
}

fn fixed(keys: &[Value]) -> Keys {
    Keys::fixed(set(keys).as_bytes()).unwrap()
}

fn behind(address: &Address) -> Keys {
    Keys::behind(address.url.parse().unwrap()).unwrap()
}

async fn status(app: &Arc<App>, token: String) -> u16 {
    Client { router: router(Arc::clone(app)), token }.get("/v1/runs").await.status
}

/// Lets time pass for the service, and none for the sockets.
async fn later(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_token_is_taken_if_everything_about_it_is_right() {
    let (rsa, ec, stranger) = (Signer::rsa(), Signer::ec(), Signer::rsa());
    let app = service(fixed(&[rsa.jwk("r"), ec.jwk("e")])).await;
    let good = claims("acme", "ann");
    assert_eq!(status(&app, rsa.token("r", &good)).await, 200);
    assert_eq!(status(&app, ec.token("e", &good)).await, 200);
    let mut many = good.clone();
    many["aud"] = json!(["something else", AUDIENCE]);
    assert_eq!(status(&app, rsa.token("r", &many)).await, 200);

    let with = |claim: &str, value: Value| {
        let mut changed = good.clone();
        changed[claim] = value;
        changed
    };
    let without = |claim: &str| {
        let mut changed = good.clone();
        changed.as_object_mut().unwrap().remove(claim);
        changed
    };
    let bad = [
        ("expired", with("exp", json!(now() - 120))),
        ("not yet valid", with("nbf", json!(now() + 600))),
        ("another issuer", with("iss", json!("https://evil.example"))),
        ("another audience", with("aud", json!("something else"))),
        ("ten years", with("exp", json!(now() + 315_360_000))),
        ("more than a day and an hour", with("exp", json!(now() + 90_100))),
        ("no expiry", without("exp")),
        ("no issuer", without("iss")),
        ("no audience", without("aud")),
        ("no subject", without("sub")),
        ("no tenant", without("tenant")),
        ("the admin's tenant", with("tenant", json!("admin"))),
        ("no tenant's name", with("tenant", json!("acme#../other"))),
        ("an empty subject", with("sub", json!(""))),
        ("a subject of two lines", with("sub", json!("ann\nkey:key_1"))),
        ("a long subject", with("sub", json!("x".repeat(201)))),
    ];
    for (what, claims) in bad {
        assert_eq!(status(&app, rsa.token("r", &claims)).await, 401, "{what}");
    }
    assert_eq!(status(&app, unsigned("r", &good)).await, 401, "without a signature");
    let public = rsa.public();
    assert_eq!(status(&app, shared("r", public, &good)).await, 401, "the public key as a secret");
    assert_eq!(status(&app, shared("r", &public[9..265], &good)).await, 401, "the modulus as a secret");
    assert_eq!(status(&app, stranger.token("r", &good)).await, 401, "another's signature");
    assert_eq!(status(&app, rsa.token("e", &good)).await, 401, "another key's name");
    assert_eq!(status(&app, rsa.token("x", &good)).await, 401, "no key's name");
    assert_eq!(status(&app, rsa.sign(&json!({ "alg": "RS256" }), &good)).await, 401, "no name of a key");
    let other = rsa.sign(&json!({ "alg": "PS256", "kid": "r" }), &good);
    assert_eq!(status(&app, other).await, 401, "an algorithm that is not the key's");
    let header = |more: Value| {
        let mut header = json!({ "alg": "RS256", "kid": "r" });
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rsa.sign(&header, &good)
    };
    for typ in ["logout+jwt", "dpop+jwt", "application/secevent+jwt", "x"] {
        assert_eq!(status(&app, header(json!({ "typ": typ }))).await, 401, "{typ}");
    }
    for typ in ["JWT", "at+jwt", "application/at+JWT"] {
        assert_eq!(status(&app, header(json!({ "typ": typ }))).await, 200, "{typ}");
    }
    for crit in [json!(["exp"]), json!(["b64"]), json!([])] {
        assert_eq!(status(&app, header(json!({ "crit": crit, "b64": true }))).await, 401, "{crit}");
    }
    assert_eq!(status(&app, rsa.token("r", &with("exp", json!(now() + 86_400)))).await, 200, "a day");
    #[expect(clippy::cast_precision_loss, reason = "seconds of this age are far below 2^53")]
    let fraction = now() as f64 + 600.25;
    assert_eq!(
        status(&app, rsa.token("r", &with("exp", json!(fraction)))).await,
        200,
        "a fraction of a second"
    );
    for exp in [json!("4102444800"), json!(null), json!(-1), json!(1e300)] {
        assert_eq!(status(&app, rsa.token("r", &with("exp", exp.clone()))).await, 401, "{exp}");
    }
    let token = rsa.token("r", &good);
    assert_eq!(status(&app, token[..token.len() - 4].to_owned()).await, 401, "cut off");

    // What a token does not say it may, it may not; and nothing makes it the admin.
    for (scope, expected) in [("read", 403), ("", 403), ("read write", 201), ("admin", 403), ("WRITE", 403)] {
        let token = rsa.token("r", &with("scope", json!(scope)));
        let client = Client { router: router(Arc::clone(&app)), token };
        assert_eq!(client.post("/v1/sources", json!({ "name": "x" })).await.status, expected, "{scope}");
        assert_eq!(client.get("/v1/keys").await.status, 403, "{scope}");
    }
}

/// The claims of four issuers, as their documents show them, under the settings that the README gives for each.
#[tokio::test]
async fn each_issuer_names_its_claims() {
    let signer = Signer::ec();
    let words = |pairs: &[(&str, &str)]| -> Vec<(String, Scope)> {
        let pairs =
            pairs.iter().map(|(word, scope)| ((*word).to_owned(), ClaimNames::grantable(scope).unwrap()));
        pairs.collect()
    };
    let usual = ClaimNames::default();
    let (tid, client) = ("9122040d-6c67-4c5b-b112-36a304b66dad", AUDIENCE);
    let issuers = [
        // <https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference>
        (
            "Entra, an application",
            ClaimNames {
                tenant: "tid".into(),
                scope: "roles".into(),
                scopes: words(&[("Reconcile.Write", "write")]),
                ..usual.clone()
            },
            json!({ "aud": AUDIENCE, "tid": tid, "roles": ["Reconcile.Write", "Other"] }),
        ),
        (
            "Entra, a person",
            ClaimNames { tenant: "tid".into(), scope: "scp".into(), ..usual.clone() },
            json!({ "aud": AUDIENCE, "tid": tid, "scp": "openid write" }),
        ),
        // <https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/>
        (
            "Okta",
            ClaimNames { scope: "scp".into(), ..usual.clone() },
            json!({ "aud": AUDIENCE, "tenant": "acme", "scp": ["openid", "write"] }),
        ),
        // <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html>
        (
            "Cognito",
            ClaimNames {
                audience: "client_id".into(),
                tenant: "custom:tenant".into(),
                scopes: words(&[("reconcile/write", "write")]),
                ..usual.clone()
            },
            json!({ "client_id": client, "custom:tenant": "acme", "scope": "openid reconcile/write" }),
        ),
        // <https://www.keycloak.org/docs/latest/server_admin/#_oidc_token_role_mappings>
        (
            "Keycloak",
            ClaimNames { scope: "/realm_access/roles".into(), ..usual },
            json!({ "aud": [AUDIENCE, "account"], "tenant": "acme", "realm_access": { "roles": ["write", "offline_access"] } }),
        ),
    ];
    for (issuer, names, own) in issuers {
        let app = service_of(fixed(&[signer.jwk("1")]), names).await;
        let of = |own: &Value| {
            let mut all = json!({ "iss": ISSUER, "sub": "ann", "exp": now() + 600 });
            all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            Client { router: router(Arc::clone(&app)), token: signer.token("1", &all) }
        };
        let made = of(&own).post("/v1/sources", json!({ "name": "x" })).await;
        assert_eq!(made.status, 201, "{issuer}: {}", made.body);
        assert_eq!(of(&own).get("/v1/audit").await.status, 403, "{issuer}: it has one scope");
        // Each claim is needed, and what another issuer calls it is none.
        for name in own.as_object().unwrap().keys() {
            let mut less = own.clone();
            less.as_object_mut().unwrap().remove(name);
            let status = of(&less).post("/v1/sources", json!({ "name": "x" })).await.status;
            assert!(matches!(status, 401 | 403), "{issuer} without {name}: {status}");
        }
        let mut other = own.clone();
        for audience in ["aud", "client_id"] {
            if other.get(audience).is_some() {
                other[audience] = json!("another's");
            }
        }
        assert_eq!(of(&other).get("/v1/runs").await.status, 401, "{issuer}: for somebody else");
    }
}

#[tokio::test]
async fn keys_change_under_the_service() {
    let (first, second) = (Signer::rsa(), Signer::ec());
    let address = Address::new(200, set(&[first.jwk("1")])).await;
    let app = service(behind(&address)).await;
    let good = claims("acme", "ann");
    assert_eq!(status(&app, first.token("1", &good)).await, 200);
    assert_eq!(status(&app, second.token("2", &good)).await, 401);
    assert_eq!(address.asked(), 1, "one caller had the issuer asked twice");

    // The issuer takes a new key into use, and the old one out of it.
    address.answers(200, set(&[second.jwk("2")]));
    assert_eq!(status(&app, second.token("2", &good)).await, 401, "asked again too soon");
    later(31).await;
    assert_eq!(status(&app, second.token("2", &good)).await, 200);
    assert_eq!(status(&app, first.token("1", &good)).await, 401);
    assert_eq!(address.asked(), 2);

    // What is no set of keys takes the place of none.
    let nonsense = [
        (500, set(&[first.jwk("1")])),
        (302, set(&[first.jwk("1")])),
        (200, "<html>".to_owned()),
        (200, set(&[])),
        (200, format!("{}{}", " ".repeat(300_000), set(&[first.jwk("1")]))),
    ];
    for (number, (code, body)) in nonsense.into_iter().enumerate() {
        address.answers(code, body);
        later(31).await;
        assert_eq!(status(&app, first.token("1", &good)).await, 401, "answer {number}");
        assert_eq!(status(&app, second.token("2", &good)).await, 200, "answer {number}");
        assert_eq!(address.asked(), 3 + number);
    }

    // For a day, and not for ever: a key that the issuer has withdrawn would live on.
    later(jwks::KEPT.as_secs() + 1).await;
    assert_eq!(status(&app, second.token("2", &good)).await, 503);
    assert_eq!(status(&app, ADMIN.to_owned()).await, 403, "the admin's key needs no issuer");
}

#[tokio::test]
async fn a_service_without_keys_is_not_ready() {
    let signer = Signer::rsa();
    let address = Address::new(500, String::new()).await;
    let app = service(behind(&address)).await;
    let token = signer.token("1", &claims("acme", "ann"));
    let client = Client { router: router(Arc::clone(&app)), token: token.clone() };
    assert_eq!(client.get(contract::READINESS_PATH).await.status, 503);
    assert_eq!(client.get(contract::HEALTH_PATH).await.status, 200);
    assert_eq!(status(&app, token.clone()).await, 503, "it cannot be told whether the token is good");
    address.answers(200, set(&[signer.jwk("1")]));
    let keys = Arc::clone(app.auth.keys().unwrap());
    let asking = tokio::spawn(async move { keys.keep_fresh().await });
    for _ in 0..100 {
        if client.get(contract::READINESS_PATH).await.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    asking.abort();
    assert_eq!(client.get(contract::READINESS_PATH).await.status, 200);
    assert_eq!(status(&app, token).await, 200);
}

/// A tenant's things, by the names of the variable parts of paths.
pub struct Things {
    pub wanted: Value,
    pub run: String,
    pub manual: String,
    pub key: String,
}

impl Things {
    fn part(&self, name: &str) -> &str {
        match name {
            "source" => self.wanted["left"]["source"].as_str().unwrap(),
            "statement" => self.wanted["left"]["statements"][0].as_str().unwrap(),
            "ruleset" => self.wanted["ruleset"].as_str().unwrap(),
            "run" => &self.run,
            "number" => "4",
            "sequence" => "1",
            "match" => &self.manual,
            "key" => &self.key,
            other => panic!("a route has a part that this test does not know: {other}"),
        }
    }

    pub fn path(&self, route: &Route) -> String {
        let parts = route.path.split('/').map(|part| {
            let name = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
            name.map_or(part, |name| self.part(name))
        });
        let path = parts.collect::<Vec<_>>().join("/");
        match route.input {
            Input::File => format!("{path}?source={}&name=a.csv", self.part("source")),
            Input::Json(_) | Input::None => path,
        }
    }

    pub fn body(&self, route: &Route) -> Value {
        match route.path.rsplit('/').next().unwrap() {
            "runs" => self.wanted.clone(),
            "assign" => json!({ "owner": "me" }),
            "comments" => json!({ "text": "x" }),
            "resolution" => json!({ "reason": "accepted", "note": "x" }),
            "manual-matches" => json!({ "breaks": [5, 6], "note": "x" }),
            _ => json!({}),
        }
    }
}

async fn ask(client: &Client, things: &Things, route: &Route) -> u16 {
    let request = Request::builder()
        .method(route.method.clone())
        .uri(things.path(route))
        .header("authorization", format!("Bearer {}", client.token))
        .header("content-type", "application/json")
        .header("idempotency-key", fresh())
        .header("if-match", "\"1\"")
        // That of an empty file.
        .header("content-digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    let body = match route.input {
        Input::Json(_) => Body::from(things.body(route).to_string()),
        Input::None | Input::File => Body::empty(),
    };
    client.send(request.body(body).unwrap()).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_shows_or_changes_what_is_another_tenants() {
    let signer = Signer::ec();
    let app = service(fixed(&[signer.jwk("1")])).await;
    let client = |tenant, who| Client {
        router: router(Arc::clone(&app)),
        token: signer.token("1", &claims(tenant, who)),
    };
    let (owner, stranger) = (client("acme", "ann"), client("other", "eve"));
    let wanted = samples(&owner).await;
    let run = id(&owner.post("/v1/runs", wanted.clone()).await);
    while worker::step(&app, "test").await.unwrap() {}
    let path = format!("/v1/runs/{run}/manual-matches");
    let manual = id(&owner.post(&path, json!({ "breaks": [2, 3], "note": "x" })).await);
    let things = Things { wanted, run, manual, key: String::new() };
    let before = owner.get("/v1/audit?limit=500").await.text;

    let (mut walked, mut lists) = (0, 0);
    for route in routes().iter().filter(|route| route.scope != Scope::Admin) {
        let name = format!("{} {}", route.method, route.path);
        let names_a_thing = route.path.contains('{');
        // These make something new, of nobody else's.
        if matches!(name.as_str(), "POST /v1/sources" | "POST /v1/rulesets") {
            continue;
        }
        if route.method == Method::GET && !names_a_thing {
            if route.path == "/v1/audit/verification" {
                continue;
            }
            let listed = stranger.get(route.path).await;
            assert_eq!((listed.status, &listed.body["items"]), (200, &json!([])), "{name}");
            lists += 1;
            continue;
        }
        assert_eq!(ask(&stranger, &things, route).await, 404, "{name}");
        if route.method == Method::GET {
            assert_eq!(ask(&owner, &things, route).await, 200, "{name}");
        }
        walked += 1;
    }
    assert!(walked >= 20 && lists >= 5, "{walked} routes and {lists} lists were walked");
    assert_eq!(owner.get("/v1/audit?limit=500").await.text, before, "a stranger left something behind");
}
