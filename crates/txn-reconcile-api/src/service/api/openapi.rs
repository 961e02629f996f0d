//! The description of the routes: OpenAPI 3.1, and a page for people, both made from the list of routes.

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::problem::Problem;
use super::{Input, Route, Versions, routes};

/// The document.
#[must_use]
pub fn document() -> String {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let mut responses = Map::new();
        let content = match route.output {
            Some(output) => json!({ "application/json": { "schema": output(&mut generator) } }),
            None => {
                json!({ "text/csv": { "schema": { "type": "string" } }, "application/x-ndjson": { "schema": { "type": "string" } } })
            }
        };
        // A route without a version of its own that makes something says where that is.
        let makes = route.method == Method::POST && route.versions == Versions::None;
        let versioned = (route.versions != Versions::None || makes).then_some("ETag");
        let headers = headers(versioned.into_iter().chain(makes.then_some("Location")));
        responses.insert(
            route.status.to_string(),
            json!({ "description": "Done", "content": content, "headers": headers }),
        );
        if route.versions == Versions::Shown {
            let headers = self::headers(versioned);
            responses.insert(
                "304".into(),
                json!({ "description": "It is still of that ETag.", "headers": headers }),
            );
        }
        for (status, meaning) in problems(&route) {
            let told = match status {
                401 => Some("WWW-Authenticate"),
                429 | 503 => Some("Retry-After"),
                _ => None,
            };
            let problem = json!({
                "description": meaning,
                "headers": self::headers(told),
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            });
            responses.insert(status.to_string(), problem);
        }
        let mut operation = json!({
            "summary": route.summary,
            "operationId": operation_id(&route),
            "tags": [tag(&route)],
            "description": format!("Needs the scope `{}`.", format!("{:?}", route.scope).to_lowercase()),
            "parameters": parameters(&route),
            "responses": responses,
        });
        match route.input {
            Input::None => {}
            Input::Json(schema) => {
                operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema(&mut generator) } } });
            }
            Input::File => {
                operation["requestBody"] = json!({ "required": true, "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } } });
            }
        }
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_lowercase()] = operation;
    }
    let tags: BTreeMap<&str, &str> = routes().iter().map(|route| (tag(route), about(tag(route)))).collect();
    let tags: Vec<Value> =
        tags.iter().map(|(name, about)| json!({ "name": name, "description": about })).collect();
    let types: Vec<String> = Problem::KINDS.iter().map(|(_, code, _)| Problem::uri(code)).collect();
    let mut schemas = generator.take_definitions(true);
    schemas.insert(
        "Problem".into(),
        json!({
            "type": "object",
            "description": "An error (RFC 9457). It never repeats a value that was sent.",
            "required": ["type", "title", "status", "detail", "request_id"],
            "properties": {
                "type": { "type": "string", "enum": types },
                "title": { "type": "string" },
                "status": { "type": "integer" },
                "detail": { "type": "string" },
                "request_id": { "type": "string" },
                "places": { "type": "array", "items": { "type": "object" } },
            },
        }),
    );
    let mut schemas = Value::Object(schemas);
    enumerate(&mut schemas);
    bound(&mut schemas);
    paths.values_mut().for_each(enumerate);
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Transaction reconciliation",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Statements in; runs, matches and breaks out. Money is a whole number of minor units as text, never a float.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        // Relative: wherever the document was read from.
        "servers": [{ "url": "/" }],
        "tags": tags,
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas,
            "headers": {
                "ETag": { "required": true, "description": "The version.", "schema": { "type": "string", "pattern": ETAG } },
                "Location": { "required": true, "description": "Where the thing is.", "schema": { "type": "string" } },
                "Retry-After": { "required": true, "description": "Seconds after which to ask again.", "schema": { "type": "string", "pattern": "^[0-9]+$" } },
                "WWW-Authenticate": { "required": true, "description": "`Bearer`.", "schema": { "type": "string" } },
                "X-Request-Id": { "required": true, "description": "What the logs name the request by.", "schema": { "type": "string" } },
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Writes a choice of constants, each with its meaning, as the enumeration of them that it is: generators of clients take
/// the constants for types of their own, which no answer can be read into.
fn enumerate(schema: &mut Value) {
    if let Value::Object(object) = schema {
        let constants: Option<Vec<&str>> = object
            .get("oneOf")
            .and_then(Value::as_array)
            .and_then(|choices| choices.iter().map(|choice| choice.get("const")?.as_str()).collect());
        if let Some(constants) = constants {
            let meanings = object["oneOf"].as_array().into_iter().flatten();
            let meanings: Vec<String> = meanings
                .filter_map(|choice| {
                    Some(format!("- `{}`: {}", choice["const"].as_str()?, choice["description"].as_str()?))
                })
                .collect();
            let about = object.get("description").and_then(Value::as_str).unwrap_or_default();
            let about = format!("{about}\n\n{}", meanings.join("\n"));
            let enumeration = json!({ "type": "string", "enum": constants, "description": about });
            *schema = enumeration;
            return;
        }
        object.values_mut().for_each(enumerate);
    } else if let Value::Array(items) = schema {
        items.iter_mut().for_each(enumerate);
    }
}

/// Says how large a number may be, where the schema names its type alone.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let most = match object.get("format").and_then(Value::as_str) {
                Some("uint32") => Some(json!(u32::MAX)),
                Some("uint64") => Some(json!(u64::MAX)),
                _ => None,
            };
            if let Some(most) = most {
                object.entry("maximum").or_insert(most);
            }
            object.values_mut().for_each(bound);
        }
        Value::Array(list) => list.iter_mut().for_each(bound),
        _ => {}
    }
}

/// References to the headers of an answer.
fn headers<'a>(own: impl IntoIterator<Item = &'a str>) -> Value {
    let all = own.into_iter().chain(["X-Request-Id"]);
    let all = all.map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })));
    Value::Object(all.collect())
}

/// The problems that a route may answer with, with all that a status may mean.
fn problems(route: &Route) -> BTreeMap<u16, String> {
    let mut problems = BTreeMap::<u16, String>::new();
    for (status, _, meaning) in Problem::KINDS {
        let met = match status {
            // That is no answer of a route, but of the path.
            405 => false,
            415 => !matches!(route.input, Input::None),
            412 => matches!(route.versions, Versions::Heeded | Versions::Needed),
            428 => route.versions == Versions::Needed,
            _ => true,
        };
        if met {
            let meanings = problems.entry(*status).or_default();
            meanings.push_str(if meanings.is_empty() { "" } else { " Or: " });
            meanings.push_str(meaning);
        }
    }
    problems
}

/// What a route is about: the last of its path's words that names a list of things.
fn tag(route: &Route) -> &'static str {
    let words = route.path.split('/').skip(2);
    let named = words.filter(|word| ["breaks", "manual-matches", "matches", "export"].contains(word)).last();
    named.unwrap_or_else(|| route.path.split('/').nth(2).unwrap_or_default())
}

/// What a tag stands for.
fn about(tag: &str) -> &'static str {
    match tag {
        "audit" => "The audit log: its entries, their proofs and its verification.",
        "breaks" => "What a run left open, and what people do about it.",
        "export" => "Whole lists as files.",
        "keys" => "API keys.",
        "manual-matches" => "Breaks that people match by hand.",
        "matches" => "What a run matched.",
        "rulesets" => "How two sources are matched.",
        "runs" => "Runs: two sources, a ruleset and a day.",
        "sources" => "Where statements come from.",
        "statements" => "Statements: files of entries.",
        _ => "",
    }
}

fn operation_id(route: &Route) -> String {
    let words: Vec<&str> =
        route.path.split(['/', '{', '}', '-']).filter(|word| !word.is_empty() && *word != "v1").collect();
    format!("{}_{}", route.method.as_str().to_lowercase(), words.join("_"))
}

/// Text of a query holds no zero byte, which PostgreSQL's text cannot.
const NO_ZERO: &str = "^[^\\u0000]*$";

/// An `ETag` of the service's own.
const ETAG: &str = "^\"[0-9]{1,19}\"$";

/// What stands in `If-Match` and `If-None-Match`.
const ETAGS: &str = "^([*]|((W/)?\"[!#-~]*\"(, (W/)?\"[!#-~]*\")*)?)$";

fn parameters(route: &Route) -> Vec<Value> {
    let string = json!({ "type": "string", "minLength": 1, "maxLength": 200 });
    let mut parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": string }))
        .collect();
    for (name, doc) in route.query {
        let schema = match *name {
            "limit" => json!({ "type": "integer", "minimum": 1, "maximum": 500, "default": 100 }),
            "entries" => json!({ "type": "integer", "minimum": 1, "maximum": 100_000, "default": 50_000 }),
            "cursor" => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" }),
            "format" => json!({ "type": "string", "enum": ["csv", "ndjson"] }),
            "state" => {
                json!({ "type": "string", "enum": ["open", "proposed", "resolved", "matched_later", "carried", "set_aside"] })
            }
            "source" | "name" => {
                json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": NO_ZERO })
            }
            _ => json!({ "type": "string", "maxLength": 1024, "pattern": NO_ZERO }),
        };
        parameters.push(json!({ "name": name, "in": "query", "description": doc, "required": *name == "source", "schema": schema }));
    }
    let mut header = |name: &str, required: bool, doc: &str, pattern: &str| {
        let schema = json!({ "type": "string", "pattern": pattern });
        parameters.push(
            json!({ "name": name, "in": "header", "description": doc, "required": required, "schema": schema }),
        );
    };
    if route.method != Method::GET {
        let doc = "A new one for each thing to be done; the same one when asking again.";
        header("Idempotency-Key", true, doc, "^[!-~]{1,200}$");
    }
    match route.versions {
        Versions::None => {}
        Versions::Shown => {
            header("If-None-Match", false, "ETags that are known: 304 if it is of one of them.", ETAGS)
        }
        Versions::Heeded => {
            header(
                "If-Match",
                false,
                "ETags: 412 if it is of none of them. Without it, whatever it is of.",
                ETAGS,
            );
        }
        Versions::Needed => {
            header("If-Match", true, "The ETag of what was read: 412 if it has changed.", ETAGS)
        }
    }
    if matches!(route.input, Input::File) {
        let pattern = "^sha-256=:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=:$";
        header("Content-Digest", true, "`sha-256=:BASE64:` of the file (RFC 9530).", pattern);
    }
    parameters
}

/// The description as a page that needs nothing from elsewhere.
#[must_use]
pub fn page() -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut rows = String::new();
    for route in routes() {
        let query: Vec<String> = route
            .query
            .iter()
            .map(|(name, doc)| format!("<br><code>{name}</code> {}", escape(doc)))
            .collect();
        rows.push_str(&format!(
            "<tr><td><code>{} {}</code><td>{}{}<td><code>{}</code><td>{}\n",
            route.method,
            escape(route.path),
            escape(route.summary),
            query.join(""),
            format!("{:?}", route.scope).to_lowercase(),
            route.status,
        ));
    }
    let problems: String = Problem::KINDS
        .iter()
        .map(|(status, code, meaning)| {
            format!("<tr><td>{status}<td><code>{code}</code><td>{}\n", escape(meaning))
        })
        .collect();
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>
<title>Transaction reconciliation</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}table{{border-collapse:collapse;width:100%}}td,th{{border-top:1px solid #ccc;padding:.4rem;text-align:left;vertical-align:top}}code{{font-size:.9em}}</style>
<h1>Transaction reconciliation</h1>
<p>Every route takes <code>Authorization: Bearer TOKEN</code>; those that change something take an
<code>Idempotency-Key</code> too. Money is <code>{{\"minor\": \"12345\", \"currency\": \"USD\"}}</code>. The whole description, with
all schemas, is <a href=/openapi.json>openapi.json</a> (OpenAPI 3.1).</p>
<table><tr><th>Route<th>What it does<th>Scope<th>Status
{rows}</table><h2>Problems</h2><table>{problems}</table></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// A generated client reads no answer whose schema is a choice of constants, and names its types after the schemas.
    #[test]
    fn a_client_can_be_generated() {
        let document: Value = serde_json::from_str(&super::document()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let numbered = schemas.keys().filter(|name| name.ends_with(|last: char| last.is_ascii_digit()));
        assert_eq!(numbered.collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(!document.to_string().contains("\"const\""));
        assert_eq!(schemas["RunStatus"]["enum"][0], "queued");
        for tag in document["tags"].as_array().unwrap() {
            assert_ne!(tag["description"], "", "{tag}: say what it stands for");
        }
    }

    #[test]
    fn the_checked_in_document_is_fresh() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            found == super::document(),
            "openapi.json is stale; run: cargo run -p txn-reconcile-api -- openapi > crates/txn-reconcile-api/openapi.json"
        );
    }
}
