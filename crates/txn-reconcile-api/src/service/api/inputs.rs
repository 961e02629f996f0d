//! Sources and rulesets.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::super::App;
use super::super::clock::{id, letters};
use super::super::problem::Problem;
use super::super::records::{Source, StoredRuleset, encode};
use super::super::store::{Expect, Write};
use super::cursor::List;
use super::{Call, PAGING, Page, Reply, Route, Versions, answer, name, run, versioned};
use crate::formats::Format;
use crate::formats::mapping::{Mapping, MappingFile};
use crate::rules;

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/sources", "Makes a source of statements", 201, run!(create_source))
            .takes::<NewSource>()
            .gives::<Source>(),
        Route::get("/v1/sources", "Lists the sources", run!(sources)).query(PAGING).gives::<Page<Source>>(),
        Route::get("/v1/sources/{source}", "Shows a source", run!(source))
            .gives::<Source>()
            .versions(Versions::Shown),
        Route::post(
            "/v1/rulesets",
            "Keeps a ruleset; what was kept never changes",
            201,
            run!(create_ruleset),
        )
        .takes::<NewRuleset>()
        .gives::<StoredRuleset>(),
        Route::get("/v1/rulesets", "Lists the rulesets", run!(rulesets))
            .query(PAGING)
            .gives::<Page<StoredRuleset>>(),
        Route::get("/v1/rulesets/{ruleset}", "Shows a ruleset", run!(ruleset))
            .gives::<StoredRuleset>()
            .versions(Versions::Shown),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSource {
    /// Its name.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// The format of its statements. Default: recognised from each.
    #[serde(default)]
    format: Option<Format>,
    /// The columns of its CSV or NDJSON statements. Default: found by their usual names.
    #[serde(default, deserialize_with = "crate::object::optional")]
    mapping: Option<MappingFile>,
    /// Whether its amounts are turned round.
    #[serde(default)]
    negate: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewRuleset {
    /// The ruleset, in TOML. Default: the standard one.
    #[serde(default)]
    toml: Option<String>,
}

async fn create_source(app: &App, call: Call) -> Result<Reply, Problem> {
    let new: NewSource = call.json()?;
    name(&new.name, "name", 100)?;
    if let Some(mapping) = &new.mapping {
        Mapping::compile(mapping)
            .map_err(|error| Problem::unprocessable(format!("mapping.{}: {}", error.key, error.message)))?;
    }
    let source = Source {
        id: id("src", &*app.clock, &*app.rng),
        name: new.name,
        format: new.format,
        mapping: new.mapping,
        negate: new.negate,
        created_by: call.who.actor.clone(),
    };
    let key = app.key(&call.who.tenant, "source", &source.id);
    let writes = vec![Write::put(key, Expect::Absent, encode(&source)?)];
    let mut shown = versioned(201, &source, 1)?;
    shown.location = Some(format!("/v1/sources/{}", source.id));
    let exempt = source.mapping.as_ref().map(|mapping| &mapping.card_exempt);
    let exempt: Vec<_> = exempt
        .into_iter()
        .flatten()
        .map(|one| json!({ "column": one.column, "reason": one.reason }))
        .collect();
    call.commit(
        app,
        "source.create",
        &source.id,
        json!({ "name": source.name, "card_exempt": exempt }),
        writes,
        shown,
    )
    .await
}

async fn sources(app: &App, call: Call) -> Result<Reply, Problem> {
    let page = List::of(&call, "source#").page(app, &call, |one: Source, _| Some(one)).await?;
    Ok(Reply::Json(answer(200, &page)?))
}

async fn source(app: &App, call: Call) -> Result<Reply, Problem> {
    let (source, version): (Source, u64) =
        app.read(&app.key(&call.who.tenant, "source", call.part(0))).await?;
    Ok(Reply::Json(versioned(200, &source, version)?))
}

async fn create_ruleset(app: &App, call: Call) -> Result<Reply, Problem> {
    let new: NewRuleset = call.json()?;
    let toml = new.toml.unwrap_or_else(|| rules::STANDARD.to_owned());
    let loaded = rules::load(&toml).map_err(|error| {
        Problem::unprocessable("the ruleset is wrong")
            .at(vec![json!({ "line": error.line, "key": error.key, "message": error.message })])
    })?;
    let ruleset = StoredRuleset {
        id: format!("rs_{}", letters(&loaded.fingerprint)),
        name: loaded.name,
        toml,
        created_by: call.who.actor.clone(),
    };
    let key = app.key(&call.who.tenant, "ruleset", &ruleset.id);
    let (action, ruleset, writes) = match app.store.get(&key).await? {
        Some(item) => ("ruleset.repeat", super::super::records::decode(&item)?, Vec::new()),
        None => {
            let write = Write::put(key, Expect::Absent, encode(&ruleset)?);
            ("ruleset.create", ruleset, vec![write])
        }
    };
    let mut shown = versioned(201, &ruleset, 1)?;
    shown.location = Some(format!("/v1/rulesets/{}", ruleset.id));
    call.commit(app, action, &ruleset.id, json!({ "name": ruleset.name }), writes, shown).await
}

async fn rulesets(app: &App, call: Call) -> Result<Reply, Problem> {
    let page = List::of(&call, "ruleset#").page(app, &call, |one: StoredRuleset, _| Some(one)).await?;
    Ok(Reply::Json(answer(200, &page)?))
}

async fn ruleset(app: &App, call: Call) -> Result<Reply, Problem> {
    let (ruleset, version): (StoredRuleset, u64) =
        app.read(&app.key(&call.who.tenant, "ruleset", call.part(0))).await?;
    Ok(Reply::Json(versioned(200, &ruleset, version)?))
}
