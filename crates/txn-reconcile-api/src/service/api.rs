//! HTTP: one list of routes, from which the router and the OpenAPI document are both made.

mod admin;
mod approvals;
mod breaks;
mod cursor;
mod dispatch;
mod etag;
mod export;
mod incoming;
mod inputs;
pub mod openapi;
mod runs;
mod sample;
mod statements;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use dispatch::router;
use etag::{Tags, tag};
use incoming::Incoming;

use super::App;
use super::auth::Principal;
use super::error::Error;
use super::ledger::{Answer, Caller, Idempotency};
use super::peer::Peer;
use super::problem::Problem;
use super::records::Scope;
use super::store::{Expect, Write};

/// A request that has been let in.
pub struct Call {
    /// The request's identifier.
    pub id: String,
    /// Who asks.
    pub who: Principal,
    /// From where.
    pub peer: Option<Peer>,
    /// The variable parts of the path, in order.
    pub path: Vec<String>,
    /// The query.
    pub query: BTreeMap<String, String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, if it is JSON.
    pub body: Bytes,
    /// The body, if it is a file.
    pub file: Option<Arc<tokio::sync::Mutex<Incoming>>>,
    /// The versions that `If-Match` names.
    pub if_match: Option<Tags>,
    /// What makes a repeated request known, for routes that change something.
    pub idempotency: Option<Idempotency>,
}

/// What a route answers.
pub enum Reply {
    /// JSON.
    Json(Answer),
    /// That the thing is still of this `ETag`, which the caller knows.
    NotModified(String),
    /// A file.
    File {
        /// Its media type.
        media: &'static str,
        /// Its content.
        body: Body,
    },
}

type Answering = Pin<Box<dyn Future<Output = Result<Reply, Problem>> + Send>>;

/// What a route takes as its body.
#[derive(Clone, Copy)]
pub enum Input {
    /// Nothing.
    None,
    /// JSON of this schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// A file.
    File,
}

/// What a route has to do with the version of the thing that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Nothing: it makes a thing, or is about many.
    None,
    /// It shows the thing with its `ETag`, and takes `If-None-Match`.
    Shown,
    /// It changes the thing, and takes `If-Match`. Without it, it is done at once, whatever has changed.
    Heeded,
    /// It changes the thing, and needs `If-Match`, because people decide on what they have read.
    Needed,
}

/// A route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its variable parts in braces.
    pub path: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// What the caller needs.
    pub scope: Scope,
    /// Names of the query's parameters, with what they are.
    pub query: &'static [(&'static str, &'static str)],
    /// What it takes.
    pub input: Input,
    /// What it has to do with versions.
    pub versions: Versions,
    /// The status when all is well.
    pub status: u16,
    /// What it answers: JSON of this schema, or a file.
    pub output: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Does it.
    pub run: fn(Arc<App>, Call) -> Answering,
}

/// Every route below `/v1`.
#[must_use]
pub fn routes() -> Vec<Route> {
    let mut routes = admin::routes();
    routes.extend(inputs::routes());
    routes.extend(statements::routes());
    routes.extend(runs::routes());
    routes.extend(breaks::routes());
    routes.extend(approvals::routes());
    routes.extend(export::routes());
    routes
}

/// The schema of a type.
fn schema<T: schemars::JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A page of a list.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[schemars(rename = "{T}Page")]
struct Page<T> {
    /// The items.
    items: Vec<T>,
    /// Those of them, by number or identifier, that were changed after the first page was read. They are shown as they
    /// are now, whether the query's filters let them through or not.
    changed: Vec<String>,
    /// What to send as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The query of lists.
const PAGING: &[(&str, &str)] = &[
    ("limit", "Items on a page: 1 to 500. 100."),
    (
        "cursor",
        "Where to go on: `next` of the page before. All pages are of the list as it was when the first one was read: what was made since is left out, what was changed since is named in `changed`.",
    ),
];

impl Route {
    fn get(path: &'static str, summary: &'static str, run: fn(Arc<App>, Call) -> Answering) -> Self {
        Self {
            method: Method::GET,
            path,
            summary,
            scope: Scope::Read,
            query: &[],
            input: Input::None,
            versions: Versions::None,
            status: 200,
            output: None,
            run,
        }
    }

    fn post(
        path: &'static str,
        summary: &'static str,
        status: u16,
        run: fn(Arc<App>, Call) -> Answering,
    ) -> Self {
        Self { method: Method::POST, scope: Scope::Write, status, ..Self::get(path, summary, run) }
    }

    fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    fn takes<T: schemars::JsonSchema>(self) -> Self {
        Self { input: Input::Json(schema::<T>), ..self }
    }

    fn gives<T: schemars::JsonSchema>(self) -> Self {
        Self { output: Some(schema::<T>), ..self }
    }

    fn versions(self, versions: Versions) -> Self {
        Self { versions, ..self }
    }
}

/// An `async fn`, perhaps with an argument more, as the function pointer of a route.
macro_rules! run {
    ($function:path $(, $argument:expr)?) => {
        |app, call| Box::pin(async move { $function(&app, call $(, $argument)?).await })
    };
}
use run;

impl Call {
    /// The variable part of the path at an index.
    fn part(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    /// The body, as JSON of a type.
    fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut body = serde_json::Deserializer::from_slice(&self.body);
        let read = crate::object::one(&mut body).and_then(|object| body.end().map(|()| object));
        read.map_err(|error| {
            // serde's own message may repeat what was sent, so only the place and the kind of error are told.
            let kind = match error.classify() {
                serde_json::error::Category::Data => "a field is missing, unknown or of the wrong type",
                _ => "the body is not JSON",
            };
            Problem::bad_request(format!("{kind} (line {}, column {})", error.line(), error.column()))
        })
    }

    /// A number of the query, within bounds.
    fn number(&self, name: &str, default: usize, max: usize) -> Result<usize, Problem> {
        match self.query.get(name).map(|text| text.parse::<usize>()) {
            None => Ok(default),
            Some(Ok(number)) if (1..=max).contains(&number) => Ok(number),
            Some(_) => Err(Problem::bad_request(format!("{name} is a whole number from 1 to {max}"))),
        }
    }

    /// Refuses with 412 if `If-Match` is there and does not name a thing's version.
    fn unchanged(&self, version: u64) -> Result<(), Error> {
        match &self.if_match {
            Some(tags) if !tags.strongly(&tag(version)) => Err(changed()),
            _ => Ok(()),
        }
    }

    /// Makes the effect of this call and answers. Where the caller named a version and somebody else's change came first,
    /// that is 412.
    async fn commit(
        &self,
        app: &App,
        action: &'static str,
        subject: &str,
        detail: Value,
        writes: Vec<Write>,
        answer: Answer,
    ) -> Result<Reply, Problem> {
        let effect = self.caller().effect(action, subject, detail, writes, &answer);
        match app.commit(effect).await {
            Ok(()) => Ok(Reply::Json(answer)),
            Err(Error::Overtaken(_)) if self.if_match.is_some() => Err(changed().into()),
            Err(error) => Err(error.into()),
        }
    }

    /// Who calls, as the ledger wants to know it.
    fn caller(&self) -> Caller<'_> {
        Caller {
            tenant: &self.who.tenant,
            actor: &self.who.actor,
            request: &self.id,
            peer: self.peer,
            idempotency: self.idempotency.as_ref(),
        }
    }
}

/// What is said where a thing is no longer the version that the caller named.
fn changed() -> Error {
    Error::Changed("it has changed since it was read; read it again".into())
}

/// An answer of JSON.
fn answer<T: Serialize>(status: u16, body: &T) -> Result<Answer, Error> {
    let body =
        serde_json::to_value(body).map_err(|_| Error::Internal("an answer cannot be written".into()))?;
    Ok(Answer { fingerprint: String::new(), status, body, etag: None, location: None })
}

/// An answer with the thing and its version.
fn versioned<T: Serialize>(status: u16, body: &T, version: u64) -> Result<Answer, Error> {
    Ok(Answer { etag: Some(tag(version)), ..answer(status, body)? })
}

/// A name or a note that people wrote: not empty, not too long, no control characters.
fn text(value: &str, what: &str, max: usize) -> Result<(), Problem> {
    if value.trim().is_empty() || value.chars().count() > max {
        return Err(Problem::unprocessable(format!("{what} has 1 to {max} characters")));
    }
    if value.chars().any(|character| character.is_control() && character != '\n') {
        return Err(Problem::unprocessable(format!("{what} holds a control character")));
    }
    Ok(())
}

/// A name that stands in lists and logs: a text without marks that turn the direction of writing, which make one name look
/// like another (<https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>).
fn name(value: &str, what: &str, max: usize) -> Result<(), Problem> {
    text(value, what, max)?;
    let turns = |c| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if value.chars().any(turns) {
        return Err(Problem::unprocessable(format!("{what} holds a mark of the direction of writing")));
    }
    Ok(())
}

/// What has to hold for the item that was read with a version.
fn same(version: u64) -> Expect {
    Expect::Version(version)
}

pub use admin::draw as draw_key;
pub use sample::sample;
