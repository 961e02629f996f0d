//! Statements: a file is checked while it passes through to the file store, and never lies in memory as a whole.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use serde_json::json;

use aws_lc_rs::digest::{Context, SHA256};

use super::super::App;
use super::super::clock::id;
use super::super::digest::{hex, sha256};
use super::super::problem::Problem;
use super::super::records::{Remark, Source, Statement, encode};
use super::super::store::{Expect, Write};
use super::cursor::List;
use super::incoming::Incoming;
use super::{Call, Input, PAGING, Page, Reply, Route, Versions, run, versioned};
use crate::formats::{CardFinding, ReadError, ReadReport, Reader};

pub fn routes() -> Vec<Route> {
    vec![
        Route {
            input: Input::File,
            ..Route::post(
                contract::UPLOAD_PATH,
                "Sends a statement file; the body is the file itself, with its SHA-256 in Content-Digest",
                201,
                run!(upload),
            )
            .query(&[("source", "The source it comes from."), ("name", "The file's name.")])
            .gives::<Statement>()
        },
        Route::get(contract::UPLOAD_PATH, "Lists the statements", run!(list))
            .query(PAGING)
            .gives::<Page<Statement>>(),
        Route::get("/v1/statements/{statement}", "Shows a statement", run!(show))
            .gives::<Statement>()
            .versions(Versions::Shown),
    ]
}

/// Bytes that are checked and stored at a time. S3 takes parts of at least 5 MiB.
const PART_BYTES: usize = 8 << 20;

/// Why a file is refused, with the first places that hold card data.
pub fn refused(error: &ReadError) -> Problem {
    match error {
        ReadError::Cards(count, places) => holds_cards(*count, places),
        error => Problem::unprocessable(format!("the file cannot be read: {error}")),
    }
}

fn holds_cards(count: u64, places: &[CardFinding]) -> Problem {
    let places = places.iter().take(50);
    let places = places
        .map(|card| json!({ "line": card.line, "column": card.column, "what": card.what.name() }))
        .collect();
    Problem::card_data(format!("{count} places hold card data")).at(places)
}

/// Refuses what holds card data.
pub fn screen(report: &ReadReport) -> Result<(), Problem> {
    match report.collector.cards_count {
        0 => Ok(()),
        count => Err(holds_cards(count, &report.collector.cards)),
    }
}

/// The SHA-256 that `Content-Digest` announces (RFC 9530).
pub fn announced(call_headers: &axum::http::HeaderMap) -> Result<Vec<u8>, Problem> {
    let wrong = || {
        Problem::bad_request("send Content-Digest: sha-256=:BASE64: with the SHA-256 of the file (RFC 9530)")
    };
    let header =
        call_headers.get("content-digest").and_then(|value| value.to_str().ok()).ok_or_else(wrong)?;
    let text = header.split(',').find_map(|one| one.trim().strip_prefix("sha-256=:")?.strip_suffix(':'));
    let bytes = STANDARD.decode(text.ok_or_else(wrong)?).map_err(|_| wrong())?;
    if bytes.len() == 32 { Ok(bytes) } else { Err(wrong()) }
}

/// A file on its way in.
struct Passage {
    reader: Option<Reader>,
    digest: Context,
    bytes: u64,
    entries: u64,
}

impl Passage {
    /// Checks a part, beside the threads that answer requests.
    async fn take(mut self, part: Bytes) -> Result<Self, Problem> {
        tokio::task::spawn_blocking(move || {
            self.bytes += part.len() as u64;
            self.digest.update(&part);
            if let Some(reader) = &mut self.reader {
                reader.push(&part).map_err(|error| refused(&error))?;
                self.entries += reader.forget_entries();
            }
            Ok(self)
        })
        .await
        .map_err(|_| Problem::internal("the check of the file was broken off"))?
    }

    /// Whether no card data was found so far.
    fn clean(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.cards_count() == 0)
    }
}

async fn upload(app: &App, call: Call) -> Result<Reply, Problem> {
    // A form would be kept with its names and boundaries. Other media types say nothing of a file.
    let media = call.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media.trim_start().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/")) {
        return Err(Problem::media_type("send the file alone as the body, not a form"));
    }
    let digest = announced(&call.headers)?;
    let name = call.query.get("name").cloned().unwrap_or_else(|| "statement".into());
    super::name(&name, "name", 200)?;
    let source =
        call.query.get("source").ok_or_else(|| Problem::bad_request("source is needed in the query"))?;
    let (source, _): (Source, u64) = app.read(&app.key(&call.who.tenant, "source", source)).await?;
    let announced_bytes =
        call.headers.get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced_bytes.is_some_and(|bytes| bytes > app.upload_limit_bytes) {
        return Err(too_large(app));
    }
    let statement = id("stm", &*app.clock, &*app.rng);
    // Named by what it holds, so that whoever sends it again, since the answer was lost or the process died, puts the
    // same object in the same place, and none is left that no record names.
    let path = Path::from(format!("statements/{}/{}", sha256(call.who.tenant.as_bytes()), hex(&digest)));
    let reader = Reader::new(&name, source.read_options(app.upload_limit_bytes)?);
    let passage = Passage { reader: Some(reader), digest: Context::new(&SHA256), bytes: 0, entries: 0 };
    let mut target = app.files.put_multipart(&path).await?;
    let file = call.file.as_ref().ok_or_else(|| Problem::internal("the route takes no file"))?;
    let passing = async {
        let passed = pass(app, &mut *file.lock().await, passage, &mut *target, &digest).await?;
        target.complete().await?;
        Ok(passed)
    };
    let (report, passage) = match passing.await {
        Ok(passed) => passed,
        Err(problem) => {
            // Nothing refers to the parts; what cannot be taken back is left to the bucket's lifecycle rule. A whole
            // object may be there by now, if only the answer was lost: the next upload of this file puts it anew.
            let _ = target.abort().await;
            return Err(problem);
        }
    };
    let collector = &report.collector;
    let remarks = collector.diagnostics.kept().iter().take(100).map(|one| Remark {
        line: one.line,
        column: cut(&one.column, 100),
        code: one.code.to_owned(),
        message: cut(&one.message, 300),
    });
    let statement = Statement {
        id: statement,
        source: source.id,
        name,
        bytes: passage.bytes,
        sha256: hex(&digest),
        format: report.format.name().to_owned(),
        entries: passage.entries + collector.entries.len() as u64,
        rejected: collector.diagnostics.rejected(),
        remarks: remarks.collect(),
        created_by: call.who.actor.clone(),
        created_at: app.clock.now_ms(),
        object: path.to_string(),
    };
    let key = app.key(&call.who.tenant, "statement", &statement.id);
    let writes = vec![Write::put(key, Expect::Absent, encode(&statement)?)];
    let mut shown = versioned(201, &public(statement.clone()), 1)?;
    shown.location = Some(format!("/v1/statements/{}", statement.id));
    let detail =
        json!({ "source": statement.source, "sha256": statement.sha256, "entries": statement.entries });
    call.commit(app, "statement.create", &statement.id, detail, writes, shown).await
}

/// The beginning of a text, so that a hundred remarks fit into one record: a column's name may be as long as a row.
fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn too_large(app: &App) -> Problem {
    Problem::too_large(format!("a statement has at most {} bytes", app.upload_limit_bytes))
}

/// Reads the body in parts, checks each and hands it on; what was announced has to arrive.
///
/// A part is handed on when the next one was checked as well: its last record ends there. Once card data was found
/// nothing is handed on any more, and what was is taken back at once; the rest is only read for its places.
async fn pass(
    app: &App,
    file: &mut Incoming,
    mut passage: Passage,
    target: &mut dyn MultipartUpload,
    digest: &[u8],
) -> Result<(ReadReport, Passage), Problem> {
    let mut part = Vec::with_capacity(PART_BYTES);
    let mut held: Option<Bytes> = None;
    let mut stored = true;
    let mut total = 0u64;
    while let Some(chunk) = file.next().await? {
        total += chunk.len() as u64;
        if total > app.upload_limit_bytes {
            return Err(too_large(app));
        }
        part.extend_from_slice(&chunk);
        if part.len() >= PART_BYTES {
            let whole = Bytes::from(std::mem::replace(&mut part, Vec::with_capacity(PART_BYTES)));
            passage = passage.take(whole.clone()).await?;
            if passage.clean() {
                if let Some(checked) = held.replace(whole) {
                    target.put_part(PutPayload::from_bytes(checked)).await?;
                }
            } else if std::mem::take(&mut stored) {
                // What cannot be taken back is left to the bucket's lifecycle rule, or to the next start.
                let _ = target.abort().await;
            }
        }
    }
    let rest = Bytes::from(part);
    passage = passage.take(rest.clone()).await?;
    let reader = passage.reader.take().ok_or_else(|| Problem::internal("the file was read twice"))?;
    let report = reader.finish().map_err(|error| refused(&error))?;
    screen(&report)?;
    let found = passage.digest.clone().finish();
    if found.as_ref() != digest {
        return Err(Problem::unprocessable("the body is not the one that Content-Digest announces"));
    }
    for checked in held.into_iter().chain([rest]) {
        target.put_part(PutPayload::from_bytes(checked)).await?;
    }
    Ok((report, passage))
}

/// A statement as callers see it.
fn public(statement: Statement) -> Statement {
    Statement { object: String::new(), ..statement }
}

async fn list(app: &App, call: Call) -> Result<Reply, Problem> {
    let list = List::of(&call, "statement#");
    let page = list.page(app, &call, |one: Statement, _| Some(public(one))).await?;
    Ok(Reply::Json(super::answer(200, &page)?))
}

async fn show(app: &App, call: Call) -> Result<Reply, Problem> {
    let (statement, version): (Statement, u64) =
        app.read(&app.key(&call.who.tenant, "statement", call.part(0))).await?;
    Ok(Reply::Json(versioned(200, &public(statement), version)?))
}
