//! What the items hold, and where they lie.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::Error;
use super::store::{Item, Key};
use crate::currency::Currency;
use crate::entry::details;
use crate::formats::mapping::{Mapping, MappingFile};
use crate::formats::{Format, Limits, ReadOptions};

/// Money: a whole number of minor units as text, and its currency. A number in JSON would be read as a float by many.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Minor units (cents, yen, fils), with a sign.
    #[schemars(regex(pattern = "^-?[0-9]{1,39}$"))]
    pub minor: String,
    /// ISO 4217 code.
    #[schemars(regex(pattern = "^[A-Z]{3}$"))]
    pub currency: String,
}

impl Amount {
    /// From the engine's own form.
    #[must_use]
    pub fn new(minor: i128, currency: Currency) -> Self {
        Self { minor: minor.to_string(), currency: currency.code().to_owned() }
    }
}

/// An API key. The secret part of its token is kept as a hash.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its identifier.
    pub id: String,
    /// Whose data it reaches.
    pub tenant: String,
    /// Whom it stands for. Keys of a tenant with the same name are one person's.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the secret part, in hexadecimal. The secret has 256 random bits, so it needs no slow hash.
    pub hash: String,
    /// Whether it has been revoked.
    pub revoked: bool,
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading everything of the tenant but the audit log.
    Read,
    /// Sending statements, starting runs, proposing resolutions.
    Write,
    /// Approving, rejecting and revoking what somebody else proposed.
    Approve,
    /// Reading and verifying the audit log.
    Audit,
    /// Managing API keys, of every tenant. Only the admin key has it.
    Admin,
}

/// A source of statements.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The format of its statements, if it should not be recognised.
    pub format: Option<Format>,
    /// The columns of its CSV or NDJSON statements.
    pub mapping: Option<MappingFile>,
    /// Whether its amounts are turned round.
    pub negate: bool,
    /// Who made it.
    pub created_by: String,
}

impl Source {
    /// How its files are read, if one has so many bytes at most.
    ///
    /// # Errors
    /// None that a mapping could cause which was taken before.
    pub fn read_options(&self, bytes_max: u64) -> Result<ReadOptions, Error> {
        let mapping = self.mapping.as_ref().map(Mapping::compile).transpose();
        let mapping = mapping.map_err(|_| Error::Internal("a source's mapping does not compile".into()))?;
        let limits = Limits { total_bytes: bytes_max.saturating_mul(8), ..Limits::default() };
        Ok(ReadOptions { format: self.format, mapping, negate: self.negate, limits })
    }
}

/// A ruleset, which never changes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StoredRuleset {
    /// Its identifier, which derives from its content.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its text, in TOML.
    pub toml: String,
    /// Who sent it.
    pub created_by: String,
}

/// A statement file.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// Its identifier.
    pub id: String,
    /// Its source.
    pub source: String,
    /// The file's name.
    pub name: String,
    /// Bytes as they were sent.
    pub bytes: u64,
    /// SHA-256 of those bytes, in hexadecimal.
    pub sha256: String,
    /// The format.
    pub format: String,
    /// Entries that were read.
    pub entries: u64,
    /// Rows that were refused.
    pub rejected: u64,
    /// The first remarks on its rows.
    pub remarks: Vec<Remark>,
    /// Who sent it.
    pub created_by: String,
    /// When, in milliseconds since 1970.
    pub created_at: u64,
    /// Where the file lies.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(skip)]
    pub object: String,
}

/// A remark on a row of a statement.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    /// Line of the file, from 1.
    pub line: u64,
    /// Column, tag or field.
    pub column: String,
    /// A stable name for the kind of remark.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

/// One side of a run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSide {
    /// The source.
    pub source: String,
    /// Its statements, at most 40.
    #[schemars(length(min = 1, max = 40))]
    pub statements: Vec<String>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It waits for a worker.
    Queued,
    /// A worker has it.
    Running,
    /// It has its result.
    Completed,
    /// It has no result, and will not have one.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// Its identifier.
    pub id: String,
    /// Where it stands.
    pub status: RunStatus,
    /// The internal side.
    pub left: RunSide,
    /// The external side.
    pub right: RunSide,
    /// The ruleset.
    pub ruleset: String,
    /// Entries booked after this day are ignored.
    pub cut_off: Option<String>,
    /// The day that ages count to.
    pub as_of: Option<String>,
    /// Whether only the summary is wanted: statements are not claimed and no lists are kept.
    pub dry_run: bool,
    /// The run that it goes on from: what that one left open is matched again in this one.
    #[serde(default)]
    pub follows: Option<String>,
    /// The run that goes on from it. Its breaks are worked on there from then on.
    #[serde(default)]
    pub followed_by: Option<String>,
    /// Entries that its statements hold; a run of the release before does not say.
    #[serde(default)]
    pub entries: Option<u64>,
    /// How far it is.
    pub progress: Progress,
    /// What came out, once it is completed.
    pub summary: Option<serde_json::Value>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Who started it.
    pub created_by: String,
    /// When, in milliseconds since 1970.
    pub created_at: u64,
    /// Which worker has it.
    #[serde(default)]
    #[schemars(skip)]
    pub lease: Option<String>,
    /// How often it was taken up.
    #[serde(default)]
    pub attempts: u32,
    /// How often it was put off because a store did not answer. Such an attempt does not count towards giving it up.
    #[serde(default)]
    pub put_off: u32,
    /// Whether it closes the breaks of the run before, which nothing undoes: it can only be completed.
    #[serde(default)]
    #[schemars(skip)]
    pub closing: bool,
    /// The trace of the request that started it (W3C `traceparent`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub trace: Option<String>,
}

/// How far a run is. A worker that takes a run over goes on from here.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// What is being done: `reading`, `matching`, `saving`, `closing` or `done`.
    pub stage: String,
    /// What it waits for before it is taken up: the run before it, other runs of the tenant, or, if it was put off, a
    /// store that does not answer.
    #[serde(default)]
    pub waits_for: Option<String>,
    /// Bytes of statements that were read.
    pub bytes_read: u64,
    /// The digest of the result, once it is known.
    pub digest: Option<String>,
    /// Matches that came out.
    pub matches: u64,
    /// Of them, how many are kept.
    pub matches_saved: u64,
    /// Breaks that came out.
    pub breaks: u64,
    /// Of them, how many are kept.
    pub breaks_saved: u64,
    /// Breaks of the run before that have been closed.
    #[serde(default)]
    pub carried_closed: u64,
}

/// An entry, as matches and breaks show it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its identity, which derives from its content.
    pub id: String,
    /// `left` or `right`.
    pub side: String,
    /// The file it came from.
    pub file: String,
    /// Its line there.
    pub line: u64,
    /// The day it was booked.
    pub booking_date: String,
    /// The day the money counts.
    pub value_date: String,
    /// The amount.
    pub amount: Amount,
    /// The fee: a cost is positive.
    pub fee: Amount,
    /// The reference.
    pub reference: String,
    /// The other party.
    pub counterparty: String,
    /// The payout or batch.
    pub group: String,
    /// The text.
    pub description: String,
    /// The account that it stands on.
    #[serde(default)]
    pub account: String,
    /// The source's own word for what it is.
    #[serde(default)]
    pub kind: String,
    /// What it carries beside its reference, by name: `end_to_end`, `creditor_reference`, `bank` … A run of the release
    /// before has none.
    #[serde(default)]
    pub details: Vec<NamedText>,
}

/// A detail of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedText {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl NamedText {
    /// The details of an entry, from their encoded form.
    #[must_use]
    pub fn decode(details: &str) -> Vec<Self> {
        let named = |(detail, value): (details::Detail, &str)| Self {
            name: detail.name().to_owned(),
            value: value.to_owned(),
        };
        details::iter(details).map(named).collect()
    }
}

/// A match.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Match {
    /// Its number in the run, from 1.
    pub number: u64,
    /// The pass that made it.
    pub pass: String,
    /// The rule of that pass.
    pub rule: String,
    /// Its entries.
    pub entries: Vec<Entry>,
}

/// Where a break stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakState {
    /// Nothing is proposed, or no longer: what was is rejected, withdrawn or revoked.
    Open,
    /// A resolution was proposed and waits for somebody else.
    Proposed,
    /// The resolution was approved.
    Resolved,
    /// A later run has matched it.
    MatchedLater,
    /// It is still open, and a break of the later run.
    Carried,
    /// The later run sets such entries aside.
    SetAside,
}

/// Where a break came from or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// The run.
    pub run: String,
    /// The number of the break there, or of the match.
    pub number: Option<u64>,
}

/// Why a break is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It was written off.
    WrittenOff,
    /// A booking corrects it.
    Corrected,
    /// It comes with a later statement.
    InTransit,
    /// It is right as it is.
    Accepted,
    /// It was matched by hand with the other breaks of the same manual match.
    Matched,
}

/// A proposed or approved resolution.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Resolution {
    /// Why.
    pub reason: Reason,
    /// What people should know of it.
    pub note: String,
    /// Who proposed it.
    pub maker: String,
    /// Who approved it; never the maker.
    pub checker: Option<String>,
    /// The manual match that it belongs to.
    pub manual_match: Option<String>,
}

/// A comment on a break.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Comment {
    /// Who wrote it.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// The text.
    pub text: String,
}

/// An open entry of a run, and what people did about it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Break {
    /// Its number in the run, from 1.
    pub number: u64,
    /// The kind.
    pub kind: String,
    /// Why it is open.
    pub reason: String,
    /// Calendar days since the booking.
    pub age_days: i32,
    /// Business days since the booking.
    pub age_business_days: u32,
    /// Who looks after it.
    pub owner: String,
    /// The entry.
    pub entry: Entry,
    /// The nearest open entries of the other side, best first.
    pub nearest: Vec<Near>,
    /// Where it stands.
    pub state: BreakState,
    /// The resolution.
    pub resolution: Option<Resolution>,
    /// What people said: at most 100 comments, and 200 kB of them.
    pub comments: Vec<Comment>,
    /// The break of the run before that it was.
    #[serde(default)]
    pub carried_from: Option<Link>,
    /// The match or the break of the later run that it became.
    #[serde(default)]
    pub became: Option<Link>,
}

/// A candidate for a break.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Near {
    /// The entry's identity.
    pub entry: String,
    /// By how much the amounts differ; none across currencies.
    pub difference: Option<Amount>,
    /// Business days between them.
    pub days: u32,
    /// What speaks for it.
    pub why: String,
}

/// Where a manual match stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchState {
    /// It waits for somebody else.
    Proposed,
    /// Somebody else has approved it.
    Approved,
    /// Somebody else has rejected it.
    Rejected,
    /// Whoever proposed it has withdrawn it.
    Withdrawn,
    /// It was approved, and revoked since.
    Revoked,
    /// A later run came before the approval.
    Lapsed,
}

/// Breaks of a run that people match with one another.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ManualMatch {
    /// Its identifier.
    pub id: String,
    /// The numbers of its breaks.
    pub breaks: Vec<u64>,
    /// Left less right, by currency, in minor units.
    pub difference: BTreeMap<String, String>,
    /// Where it stands.
    pub state: MatchState,
    /// What people should know of it.
    pub note: String,
    /// Who proposed it.
    pub maker: String,
    /// Who approved it; never the maker.
    pub checker: Option<String>,
}

/// The partition of a tenant.
#[must_use]
pub fn tenant(tenant: &str) -> String {
    format!("tenant#{tenant}")
}

/// The partition of a run's breaks and manual matches.
#[must_use]
pub fn run_partition(tenant: &str, run: &str) -> String {
    format!("tenant#{tenant}#{run}")
}

/// Where a break lies.
#[must_use]
pub fn break_key(tenant: &str, run: &str, number: u64) -> Key {
    Key::new(run_partition(tenant, run), format!("break#{number:010}"))
}

/// An item's body.
///
/// # Errors
/// None that a record of this module could cause.
pub fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(record).map_err(|_| Error::Internal("a record cannot be written".into()))
}

/// What an item holds.
///
/// # Errors
/// Fails if another version of the service wrote something else.
pub fn decode<T: DeserializeOwned>(item: &Item) -> Result<T, Error> {
    serde_json::from_slice(&item.body).map_err(|error| {
        tracing::error!(
            "an item cannot be read: {:?} at {}:{}",
            error.classify(),
            error.line(),
            error.column()
        );
        Error::Internal("a record cannot be read".into())
    })
}
