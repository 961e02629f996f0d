//! Lists as files: CSV that a spreadsheet may open, or NDJSON.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::super::App;
use super::super::problem::Problem;
use super::super::records::{Break, Entry, Match, decode, run_partition};
use super::super::run::matches::read_chunk;
use super::super::store::Query;
use super::runs::completed;
use super::{Answering, Call, Reply, Route};
use crate::currency::Currency;
use crate::money::decimal;
use crate::report::csv::neutralise;

const FORMATS: &[(&str, &str)] = &[("format", "csv or ndjson. csv.")];

pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/v1/runs/{run}/export/matches",
            "The matches of a completed run as a file",
            |app, call| export(app, call, List::Matches),
        )
        .query(FORMATS),
        Route::get("/v1/runs/{run}/export/breaks", "The breaks of a completed run as a file", |app, call| {
            export(app, call, List::Breaks)
        })
        .query(FORMATS),
    ]
}

#[derive(Clone, Copy)]
enum List {
    Matches,
    Breaks,
}

/// Where an export is.
struct Position {
    app: Arc<App>,
    tenant: String,
    run: String,
    matches: u64,
    list: List,
    csv: bool,
    next: u64,
    header: bool,
}

fn export(app: Arc<App>, call: Call, list: List) -> Answering {
    Box::pin(async move {
        let csv = match call.query.get("format").map_or("csv", String::as_str) {
            "csv" => true,
            "ndjson" => false,
            _ => return Err(Problem::bad_request("format is csv or ndjson")),
        };
        let run = completed(&app, &call).await?;
        let mut start = Position {
            tenant: call.who.tenant,
            matches: run.progress.matches,
            run: run.id,
            app,
            list,
            csv,
            next: 1,
            header: csv,
        };
        // What is broken off shows as a broken connection, never as a shorter list; so what cannot even begin has a status.
        let first = stream::iter(start.advance().await?.map(|text| Ok(Bytes::from(text))));
        let body = stream::try_unfold(start, |mut position| async move {
            let text = position.advance().await.map_err(|problem| std::io::Error::other(problem.detail))?;
            Ok::<_, std::io::Error>(text.map(|text| (Bytes::from(text), position)))
        });
        let media = if csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
        Ok(Reply::File { media, body: Body::from_stream(first.chain(body)) })
    })
}

impl Position {
    async fn advance(&mut self) -> Result<Option<String>, Problem> {
        let mut text = String::new();
        if std::mem::take(&mut self.header) {
            text.push_str(match self.list {
                List::Matches => "match,pass,rule,",
                List::Breaks => "break,kind,state,owner,age_days,reason,",
            });
            text.push_str("side,entry_id,file,line,booking_date,value_date,amount,fee,currency,reference,counterparty,group,description,account,source_kind,details\n");
        }
        let empty = match self.list {
            List::Matches => self.matches(&mut text).await?,
            List::Breaks => self.breaks(&mut text).await?,
        };
        Ok(if empty && text.is_empty() { None } else { Some(text) })
    }

    async fn matches(&mut self, text: &mut String) -> Result<bool, Problem> {
        if self.next > self.matches {
            return Ok(true);
        }
        let chunk = read_chunk(&self.app, &self.tenant, &self.run, self.next).await?;
        let Some(last) = chunk.last().map(|one| one.number) else {
            return Err(Problem::internal("a list of matches is not whole"));
        };
        for one in &chunk {
            if self.csv {
                for entry in &one.entries {
                    csv_match(one, entry, text);
                }
            } else {
                json_line(one, text)?;
            }
        }
        self.next = last + 1;
        Ok(false)
    }

    async fn breaks(&mut self, text: &mut String) -> Result<bool, Problem> {
        let query = Query {
            pk: run_partition(&self.tenant, &self.run),
            from: format!("break#{:010}", self.next),
            to: "break#~".into(),
            descending: false,
            limit: 500,
        };
        let items = self.app.store.query(&query).await?;
        for item in &items {
            let one: Break = decode(item)?;
            self.next = one.number + 1;
            if self.csv { csv_break(&one, text) } else { json_line(&one, text)? }
        }
        Ok(items.is_empty())
    }
}

fn json_line<T: serde::Serialize>(one: &T, text: &mut String) -> Result<(), Problem> {
    text.push_str(&serde_json::to_string(one).map_err(|_| Problem::internal("a line cannot be written"))?);
    text.push('\n');
    Ok(())
}

/// Appends fields; all of them are neutralised but amounts, which begin with a sign by right.
fn fields(text: &mut String, fields: &[&str]) {
    for field in fields {
        let field = neutralise(field);
        if field.contains([',', '"', '\n', '\r', ';', '\t']) {
            text.push_str(&format!("\"{}\",", field.replace('"', "\"\"")));
        } else {
            text.push_str(&field);
            text.push(',');
        }
    }
}

fn csv_entry(entry: &Entry, text: &mut String) {
    let amount = |amount: &super::super::records::Amount| {
        let currency = Currency::from_code(amount.currency.as_bytes());
        match (amount.minor.parse::<i128>(), currency) {
            (Ok(minor), Some(currency)) => decimal(minor, currency),
            _ => amount.minor.clone(),
        }
    };
    let line = entry.line.to_string();
    fields(text, &[&entry.side, &entry.id, &entry.file, &line, &entry.booking_date, &entry.value_date]);
    text.push_str(&format!("{},{},", amount(&entry.amount), amount(&entry.fee)));
    fields(
        text,
        &[&entry.amount.currency, &entry.reference, &entry.counterparty, &entry.group, &entry.description],
    );
    let named: Vec<String> =
        entry.details.iter().map(|detail| format!("{}={}", detail.name, detail.value)).collect();
    fields(text, &[&entry.account, &entry.kind, &named.join("; ")]);
    text.pop();
    text.push('\n');
}

fn csv_match(one: &Match, entry: &Entry, text: &mut String) {
    fields(text, &[&one.number.to_string(), &one.pass, &one.rule]);
    csv_entry(entry, text);
}

fn csv_break(one: &Break, text: &mut String) {
    let state = serde_json::to_value(one.state).ok();
    let state = state.as_ref().and_then(|state| state.as_str()).unwrap_or_default();
    text.push_str(&format!("{},", one.number));
    fields(text, &[&one.kind, state, &one.owner]);
    text.push_str(&format!("{},", one.age_days));
    fields(text, &[&one.reason]);
    csv_entry(&one.entry, text);
}
