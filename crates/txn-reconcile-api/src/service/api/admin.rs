//! API keys and the audit log.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::App;
use super::super::audit::{self, Head, Reached, Verdict};
use super::super::auth::{KEYS, is_tenant, key_place};
use super::super::clock::id;
use super::super::digest::sha256;
use super::super::ledger::{Answer, again};
use super::super::problem::Problem;
use super::super::records::{ApiKey, Scope, encode};
use super::super::store::{Expect, Write};
use super::cursor::List;
use super::{Call, PAGING, Page, Reply, Route, Versions, answer, cursor, name, run, same, versioned};

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/keys", "Makes an API key; its token is shown this once", 201, run!(create))
            .scope(Scope::Admin)
            .takes::<NewKey>()
            .gives::<MadeKey>(),
        Route::get("/v1/keys", "Lists the API keys", run!(list))
            .scope(Scope::Admin)
            .query(PAGING)
            .gives::<Page<ShownKey>>(),
        Route::get("/v1/keys/{key}", "Shows an API key", run!(show))
            .scope(Scope::Admin)
            .gives::<ShownKey>()
            .versions(Versions::Shown),
        Route::post("/v1/keys/{key}/revoke", "Revokes an API key at once", 200, run!(revoke))
            .scope(Scope::Admin)
            .gives::<ShownKey>()
            .versions(Versions::Heeded),
        Route::get("/v1/audit", "Lists the tenant's audit log", run!(entries))
            .scope(Scope::Audit)
            .query(PAGING)
            .gives::<Page<audit::Entry>>(),
        Route::get(
            "/v1/audit/verification",
            "Recomputes the tenant's audit log and holds it against its anchor; a long one in several answers",
            run!(verify),
        )
        .scope(Scope::Audit)
        .query(VERIFYING)
        .gives::<Verdict>(),
        Route::get("/v1/audit/{sequence}", "Shows an entry of the tenant's audit log", run!(entry))
            .scope(Scope::Audit)
            .gives::<audit::Entry>()
            .versions(Versions::Shown),
        Route::get(
            "/v1/audit/{sequence}/proof",
            "Proves an entry by the first anchor at or after it, without showing the others; `verify-proof` checks it offline",
            run!(prove),
        )
        .scope(Scope::Audit)
        .gives::<audit::proof::Proof>(),
    ]
}

/// The query of the verification: as many entries take a few seconds.
const VERIFYING: &[(&str, &str)] = &[
    ("entries", "Entries that are recomputed for one answer: 1 to 100000. 50000."),
    ("cursor", "Where to go on: `next` of the answer before, whose entries hold."),
];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// Whose data it reaches: lower-case letters, digits and hyphens.
    #[schemars(regex(pattern = "^[a-z0-9-]{1,63}$"))]
    tenant: String,
    /// Whom it stands for. Keys of a tenant with the same name are one person's, who cannot approve with one what was
    /// proposed with another.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// What it allows.
    scopes: Vec<Scope>,
}

#[derive(Serialize, JsonSchema)]
struct MadeKey {
    /// Its identifier.
    id: String,
    /// The bearer token. Only its hash is kept.
    token: String,
}

#[derive(Serialize, JsonSchema)]
struct ShownKey {
    /// Its identifier.
    id: String,
    /// Whose data it reaches.
    tenant: String,
    /// Whom it stands for.
    name: String,
    /// What it allows.
    scopes: Vec<Scope>,
    /// Whether it has been revoked.
    revoked: bool,
}

impl From<ApiKey> for ShownKey {
    fn from(key: ApiKey) -> Self {
        Self { id: key.id, tenant: key.tenant, name: key.name, scopes: key.scopes, revoked: key.revoked }
    }
}

/// A key and its token, made at random.
pub fn draw(app: &App, tenant: &str, name: &str, scopes: Vec<Scope>) -> (ApiKey, String) {
    let mut secret = [0; 32];
    app.rng.fill(&mut secret);
    let secret = URL_SAFE_NO_PAD.encode(secret);
    let id = id("key", &*app.clock, &*app.rng);
    let token = format!("rk.{id}.{secret}");
    let hash = sha256(secret.as_bytes());
    (ApiKey { id, tenant: tenant.to_owned(), name: name.to_owned(), scopes, hash, revoked: false }, token)
}

async fn create(app: &App, call: Call) -> Result<Reply, Problem> {
    let new: NewKey = call.json()?;
    name(&new.name, "name", 100)?;
    if !is_tenant(&new.tenant) || new.tenant == "admin" {
        return Err(Problem::unprocessable(
            "tenant is 1 to 63 lower-case letters, digits and hyphens, and not \"admin\"",
        ));
    }
    if new.scopes.is_empty() || new.scopes.contains(&Scope::Admin) {
        return Err(Problem::unprocessable("scopes are some of read, write, approve and audit"));
    }
    let (key, token) = draw(app, &new.tenant, &new.name, new.scopes);
    let writes = vec![Write::put(key_place(&key.id), Expect::Absent, encode(&key)?)];
    // A repeated request must not show the token again: a stored answer is no place for it.
    let made = |token: &str| -> Result<_, Problem> {
        let made = MadeKey { id: key.id.clone(), token: token.to_owned() };
        let location = Some(format!("/v1/keys/{}", key.id));
        Ok(Answer { location, ..versioned(201, &made, 1)? })
    };
    let (shown, kept) = (made(&token)?, made("(shown once)")?);
    let detail = json!({ "tenant": key.tenant, "name": key.name, "scopes": key.scopes });
    call.commit(app, "key.create", &key.id, detail, writes, kept).await?;
    Ok(Reply::Json(shown))
}

async fn list(app: &App, call: Call) -> Result<Reply, Problem> {
    let list = List { pk: KEYS.into(), prefix: "key#", run: None };
    let page = list.page(app, &call, |key: ApiKey, _| Some(ShownKey::from(key))).await?;
    Ok(Reply::Json(answer(200, &page)?))
}

async fn show(app: &App, call: Call) -> Result<Reply, Problem> {
    let (key, version): (ApiKey, u64) = app.read(&key_place(call.part(0))).await?;
    Ok(Reply::Json(versioned(200, &ShownKey::from(key), version)?))
}

async fn revoke(app: &App, call: Call) -> Result<Reply, Problem> {
    let call = &call;
    let revoked = again(|| async move {
        let (key, version): (ApiKey, u64) = app.read(&key_place(call.part(0))).await?;
        call.unchanged(version)?;
        let key = ApiKey { revoked: true, ..key };
        let writes = vec![Write::put(key_place(&key.id), same(version), encode(&key)?)];
        let subject = key.id.clone();
        let shown = versioned(200, &ShownKey::from(key), version + 1)?;
        app.commit(call.caller().effect("key.revoke", &subject, json!({}), writes, &shown)).await?;
        Ok(shown)
    });
    Ok(Reply::Json(revoked.await?))
}

async fn entries(app: &App, call: Call) -> Result<Reply, Problem> {
    let limit = call.number("limit", 100, 500)?;
    let scope = format!("audit\n{}", call.who.tenant);
    // The log only grows, so where it ended when the first page was read says what the list is.
    let (end, from) = match cursor::open(app, &scope, &call)? {
        Some((end, from)) => {
            (end, from.parse().map_err(|_| Problem::bad_request("the cursor is not one of this list"))?)
        }
        None => (cursor::head(app, &call).await?, 1u64),
    };
    let mut found = app.store.audit(&call.who.tenant, from, limit).await?;
    found.retain(|entry| entry.sequence <= end);
    let last = found.last().map_or(end, |entry| entry.sequence);
    let next = (last < end).then(|| cursor::seal(app, &scope, end, &(last + 1).to_string()));
    let items: Result<Vec<audit::Entry>, _> =
        found.iter().map(|entry| serde_json::from_slice(&entry.body)).collect();
    let items = items.map_err(|_| Problem::internal("an audit entry cannot be read"))?;
    Ok(Reply::Json(answer(200, &Page { items, changed: Vec::new(), next })?))
}

async fn verify(app: &App, call: Call) -> Result<Reply, Problem> {
    let tenant = &call.who.tenant;
    let entries = call.number("entries", 50_000, 100_000)? as u64;
    let scope = format!("verification\n{tenant}");
    let from = match cursor::open(app, &scope, &call)? {
        None => Reached::default(),
        Some((sequence, rest)) => {
            let (missing, hash) =
                rest.split_once(' ').ok_or_else(|| Problem::internal("a cursor cannot be read"))?;
            let missing = missing.parse().map_err(|_| Problem::internal("a cursor cannot be read"))?;
            Reached { head: Head { sequence, hash: hash.to_owned() }, missing }
        }
    };
    let (mut verdict, more) = audit::verify_from(app, tenant, from, entries).await?;
    verdict.next = more.map(|Reached { head, missing }| {
        cursor::seal(app, &scope, head.sequence, &format!("{missing} {}", head.hash))
    });
    Ok(Reply::Json(answer(200, &verdict)?))
}

/// The number of the entry that a call is about.
fn sequence(call: &Call) -> Result<u64, Problem> {
    // PostgreSQL counts to 2^63.
    let number = call.part(0).parse::<i64>().ok().and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(|| Problem::not_found("an entry has a number"))
}

async fn entry(app: &App, call: Call) -> Result<Reply, Problem> {
    let entry = audit::proof::entry(app, &call.who.tenant, sequence(&call)?).await?;
    // It never changes.
    Ok(Reply::Json(versioned(200, &entry, 1)?))
}

async fn prove(app: &Arc<App>, call: Call) -> Result<Reply, Problem> {
    let body = audit::proof::prove(app, &call.who.tenant, sequence(&call)?).await?;
    Ok(Reply::File { media: "application/json", body })
}
