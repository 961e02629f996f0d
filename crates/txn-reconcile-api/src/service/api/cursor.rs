//! Keyset cursors: where a list goes on, signed, so that nobody makes one up or takes another list's.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;

use super::super::App;
use super::super::problem::Problem;
use super::super::records::decode;
use super::super::store::{Item, Query};
use super::{Call, Page};

/// Bytes of the signature that are kept.
const SIGNATURE: usize = 16;

fn signed(app: &App, scope: &str, position: &str) -> Vec<u8> {
    let text = format!("cursor\n{scope}\n{position}");
    hmac::sign(&app.signing_key, text.as_bytes()).as_ref()[..SIGNATURE].to_vec()
}

/// A cursor for a position in a list.
pub fn seal(app: &App, scope: &str, position: &str) -> String {
    let mut bytes = signed(app, scope, position);
    bytes.extend_from_slice(position.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position that a call's cursor names in a list.
pub fn open(app: &App, scope: &str, call: &Call) -> Result<Option<String>, Problem> {
    let Some(text) = call.query.get("cursor") else { return Ok(None) };
    let refused = || Problem::bad_request("the cursor is not one of this list");
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let (signature, position) = bytes.split_at_checked(SIGNATURE).ok_or_else(refused)?;
    let position = std::str::from_utf8(position).map_err(|_| refused())?;
    aws_lc_rs::constant_time::verify_slices_are_equal(signature, &signed(app, scope, position))
        .map_err(|_| refused())?;
    Ok(Some(position.to_owned()))
}

/// A page of the items of a partition whose sort keys begin with a prefix, as far as `keep` lets them through.
pub async fn page<T: DeserializeOwned, U>(
    app: &App,
    call: &Call,
    pk: String,
    prefix: &str,
    mut keep: impl FnMut(T, &Item) -> Option<U>,
) -> Result<Page<U>, Problem> {
    let limit = call.number("limit", 100, 500)?;
    // What a filter would show differently is part of the list's name.
    let filters: Vec<String> = call
        .query
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "limit" | "cursor"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let scope = format!("{pk}\n{prefix}\n{}", filters.join("\n"));
    let mut from = match open(app, &scope, call)? {
        Some(position) => format!("{position}\0"),
        None => prefix.to_owned(),
    };
    let mut items = Vec::new();
    // A filter that lets little through ends the page early, with a cursor, instead of reading on for ever.
    for _ in 0..20 {
        let query =
            Query { pk: pk.clone(), from: from.clone(), to: format!("{prefix}~"), descending: false, limit };
        let found = app.store.query(&query).await?;
        let last = found.len() < limit;
        for item in found {
            from = format!("{}\0", item.key.sk);
            if let Some(kept) = keep(decode(&item)?, &item) {
                items.push(kept);
            }
            if items.len() == limit {
                return Ok(Page { items, next: Some(seal(app, &scope, from.trim_end_matches('\0'))) });
            }
        }
        if last {
            return Ok(Page { items, next: None });
        }
    }
    Ok(Page { items, next: Some(seal(app, &scope, from.trim_end_matches('\0'))) })
}
