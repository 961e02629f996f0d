//! File formats: each one a streaming parser that takes bytes as they come and keeps every good row.
//!
//! The parsers do no I/O. [`Reader`] is fed with chunks, unpacks and transcodes them, finds out the format and hands
//! entries, statements and remarks to a [`Collector`]. Depth, record length, total size and compression ratio are
//! bounded by [`Limits`].

pub mod adyen;
pub mod bai2;
mod balance;
pub mod camt;
pub mod coda;
pub mod csv;
pub mod detect;
pub mod diagnostic;
pub mod encoding;
mod gzip;
mod json;
pub mod mapping;
pub mod mt940;
pub mod nacha;
pub mod ndjson;
pub mod ofx;
pub mod paypal;
pub mod raw;
mod reader;
mod report;
mod row;
pub mod statement;
pub mod stripe;
pub mod wise;
mod xml;
mod zip;

use std::fmt;

use jiff::tz::{Offset, TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::diagnostic::{CardFinding, Diagnostic, Diagnostics, ReadError, Severity};
pub use self::raw::RawLines;
pub use self::reader::{ReadOptions, ReadReport, Reader};
pub use self::statement::{Balance, Control, Statement, TieOut};
use crate::currency::{Currency, UNKNOWN};
use crate::date::{Date, DayFault, Zones};
use crate::entry::{Draft, EntrySet, RawPlace, details};
use crate::hash::Stream;
use crate::pan::{self, CardData};

contract::closed_list! {
    /// A file format.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    pub enum Format {
        /// Comma-separated values with a column mapping.
        Csv,
        /// One JSON object on each line, or an array of objects.
        Ndjson,
        /// ISO 20022 camt.052, camt.053 and camt.054.
        Camt,
        /// SWIFT MT940, MT942 and MT950, and the confirmations MT900 and MT910.
        Mt940,
        /// BAI2 cash management balance reporting.
        Bai2,
        /// NACHA ACH file.
        Nacha,
        /// Stripe balance and payout reports.
        Stripe,
        /// Adyen settlement details report.
        Adyen,
        /// OFX and QFX, versions 1 and 2.
        Ofx,
        /// CODA, the coded statement of account of the Belgian banks.
        Coda,
        /// PayPal activity report in CSV.
        Paypal,
        /// Wise balance statement in CSV.
        Wise,
    }
}

impl Format {
    /// The name on the command line and in rulesets.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Camt => "camt",
            Self::Mt940 => "mt940",
            Self::Bai2 => "bai2",
            Self::Nacha => "nacha",
            Self::Stripe => "stripe",
            Self::Adyen => "adyen",
            Self::Ofx => "ofx",
            Self::Coda => "coda",
            Self::Paypal => "paypal",
            Self::Wise => "wise",
        }
    }

    /// The format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Bounds on what a file may ask of the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest size once unpacked, in bytes. Default: 16 GiB.
    pub total_bytes: u64,
    /// Longest record, in bytes. Default: 1 MiB.
    pub record_bytes: usize,
    /// Deepest nesting of elements or objects. Default: 64.
    pub depth: usize,
    /// Largest ratio of unpacked to packed size, counted from the first mebibyte on. Default: 200.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total_bytes: 16 << 30, record_bytes: 1 << 20, depth: 64, ratio: 200 }
    }
}

/// Bytes of an entry's texts at most, all together, so that a break always fits into an item of every store.
pub const TEXTS_BYTES_MAX: usize = 16_384;

/// Card data findings that are kept; beyond them they are only counted.
const CARDS_KEPT_MAX: usize = 100;

/// Takes what a parser reads.
#[derive(Debug, Default)]
pub struct Collector {
    /// The good rows.
    pub entries: EntrySet,
    /// Remarks about the others.
    pub diagnostics: Diagnostics,
    /// Statements, in the order of the file.
    pub statements: Vec<Statement>,
    /// Card data that was found.
    pub cards: Vec<CardFinding>,
    /// How many places held card data.
    pub cards_count: u64,
    /// Whether amounts and fees are turned round.
    pub negate: bool,
    /// Columns, tags or elements in which what looks like a card number is something else.
    pub exempt: Vec<String>,
    /// In which zones days are counted and timestamps written; none if times of day are left aside.
    pub zones: Option<Zones>,
    /// Parts of the text, as offsets, that a parser has screened by their fields. The rest is screened as it stands.
    covered: Vec<(u64, u64)>,
    /// Lines that were asked for, by [`Reader::fetch`].
    pub raw: RawLines,
}

impl Collector {
    /// A collector for a file of this name.
    #[must_use]
    pub fn for_file(name: &str) -> Self {
        Self { entries: EntrySet::for_file(name), ..Self::default() }
    }

    /// Keeps an entry, or refuses it with its place if its texts are longer than [`TEXTS_BYTES_MAX`]: to cut a reference
    /// could match what does not belong together.
    ///
    /// # Errors
    /// Fails when a side is full.
    #[inline]
    pub fn entry(&mut self, draft: &Draft<'_>) -> Result<(), ReadError> {
        let bytes = draft.texts_bytes();
        if bytes > TEXTS_BYTES_MAX {
            let message =
                format!("the texts of the entry have {bytes} bytes, and at most {TEXTS_BYTES_MAX} are kept");
            self.reject(draft.line, "", "text-too-long", message);
            return Ok(());
        }
        if let Some(since) = withdrawn_before(draft.currency, draft.booking) {
            self.reject(
                draft.line,
                "",
                "currency-withdrawn",
                format!("{since}, and the entry is of a later day"),
            );
            return Ok(());
        }
        if let Some((_, original)) = details::original(draft.details)
            && let Some(since) = withdrawn_before(original, draft.booking)
        {
            // The day of the sale is not known: it may lie before.
            let message = format!("{since}, and the amount before conversion is in it");
            self.warn(draft.line, "", "currency-withdrawn", message);
        }
        let amount = if self.negate { -draft.amount } else { draft.amount };
        let turned = (self.negate && !draft.details.is_empty()).then(|| details::negated(draft.details));
        let draft = &Draft { details: turned.as_deref().unwrap_or(draft.details), ..*draft };
        if !draft.reference.is_empty() && details::is_placeholder(draft.reference) {
            // Nobody knows an entry by it; what the source wrote stays in the text.
            let mut text = draft.description.to_owned();
            if !text.contains(draft.reference) {
                text.push_str(if text.is_empty() { "" } else { " " });
                text.push_str(draft.reference);
            }
            self.entries.push(&Draft { amount, reference: "", description: &text, ..*draft })?;
        } else {
            self.entries.push(&Draft { amount, ..*draft })?;
        }
        Ok(())
    }

    /// The currency of a code in a column; none, and the row refused, if there is no such currency.
    pub(crate) fn currency(&mut self, line: u64, column: &str, code: &str) -> Option<Currency> {
        let currency = Currency::from_code(code.as_bytes());
        if currency.is_none() {
            self.reject(line, column, "currency-unknown", UNKNOWN);
        }
        currency
    }

    /// Remarks on statements whose balance is of a later day than their currency.
    pub(crate) fn hold_currencies(&mut self) {
        let late = |statement: &Statement| {
            let days =
                [statement.opening, statement.closing].into_iter().flatten().filter_map(|one| one.date);
            Some((statement.line, withdrawn_before(statement.currency?, days.max()?)?))
        };
        for (line, since) in self.statements.iter().filter_map(late).collect::<Vec<_>>() {
            let message = format!("{since}, and a balance of the statement is of a later day");
            self.warn(line, "", "currency-withdrawn", message);
        }
    }

    /// The day of a date or timestamp in the notation `YYYY-MM-DD`.
    ///
    /// # Errors
    /// Fails when it is none, or when days are counted in a time zone and that of the timestamp is not known.
    pub fn day(&self, text: &str) -> Result<Date, DayFault> {
        self.day_in(text, None)
    }

    /// The same, with the zone that its source says it was written in.
    ///
    /// # Errors
    /// As [`Collector::day`].
    pub(crate) fn day_in(&self, text: &str, written: Option<&TimeZone>) -> Result<Date, DayFault> {
        let (date, rest) = Date::parse_iso_with_rest(text.as_bytes()).ok_or(DayFault::Date)?;
        match (&self.zones, written) {
            (None, _) => Ok(date),
            (Some(zones), None) => zones.day(date, rest),
            (Some(zones), Some(written)) => zones.written_in(written.clone()).day(date, rest),
        }
    }

    /// Refuses a row.
    pub fn reject(&mut self, line: u64, column: &str, code: &'static str, message: impl Into<String>) {
        self.remark(Severity::Rejected, line, column, code, message.into());
    }

    /// Remarks on a row that was kept.
    pub fn warn(&mut self, line: u64, column: &str, code: &'static str, message: impl Into<String>) {
        self.remark(Severity::Warning, line, column, code, message.into());
    }

    fn remark(&mut self, severity: Severity, line: u64, column: &str, code: &'static str, message: String) {
        let column = pan::shown(column).to_owned();
        self.diagnostics.push(Diagnostic { severity, line, column, code, message });
    }

    /// Notes card data at a place.
    pub fn card(&mut self, line: u64, column: &str, what: CardData) {
        self.cards_count += 1;
        if self.cards.len() < CARDS_KEPT_MAX {
            self.cards.push(CardFinding { line, column: pan::shown(column).to_owned(), what });
        }
    }

    /// Looks for card data in a field; true if there is some, and then the row must not be kept.
    #[inline]
    pub fn screen(&mut self, line: u64, column: &str, text: &[u8]) -> bool {
        pan::scan(text).is_some_and(|what| self.found(line, column, text, what))
    }

    /// Notes what a scan has found in a field, unless its column is exempt: of track data none is.
    #[cold]
    pub fn found(&mut self, line: u64, column: &str, text: &[u8], what: CardData) -> bool {
        let exempt = self.exempt.iter().any(|exempt| exempt == column);
        let what = if exempt { pan::scan_track(text) } else { Some(what) };
        if let Some(what) = what {
            self.card(line, column, what);
        }
        what.is_some()
    }

    /// Says that a part of the text was screened by its fields, which know more than its bytes: columns that are exempt,
    /// fields that follow one another without a mark. Parts are named in the order of the text.
    #[inline]
    pub(crate) fn cover(&mut self, offset: u64, length: usize) {
        let end = offset + length as u64;
        match self.covered.last_mut() {
            // Between two records there is a line's end.
            Some((_, last)) if offset.saturating_sub(*last) <= 2 => *last = end,
            _ => self.covered.push((offset, end)),
        }
    }

    /// Screens the lines of a text, as far as no parser has: what no field holds is stored with the file all the same.
    /// `offset` and `line` are those of its first byte.
    pub(crate) fn screen_rest(&mut self, text: &[u8], offset: u64, line: u64) {
        let place = |offset_in_text: u64| {
            usize::try_from(offset_in_text.saturating_sub(offset)).unwrap_or(text.len()).min(text.len())
        };
        let mut at = 0;
        for (start, end) in std::mem::take(&mut self.covered).into_iter().chain([(u64::MAX, u64::MAX)]) {
            let rest = text.get(at..place(start)).unwrap_or_default();
            if pan::scan_lines(rest).is_some() {
                let first = line + memchr::memchr_iter(b'\n', &text[..at]).count() as u64;
                for (line, part) in (first..).zip(rest.split(|byte| *byte == b'\n')) {
                    let known = self.cards.iter().rev().any(|card| card.line == line);
                    if let Some(what) = pan::scan(part).filter(|_| !known) {
                        self.card(line, "", what);
                    }
                }
            }
            at = at.max(place(end));
        }
    }
}

/// When a currency was withdrawn, in words, if that was before the month of a day.
#[inline]
fn withdrawn_before(currency: Currency, day: Date) -> Option<String> {
    currency.withdrawn()?;
    let (year, month, _) = day.parts();
    currency.withdrawn_before(year, month)
}

/// The zone of an abbreviation in a column of time zones, as far as it means one offset alone; others are said with
/// `timestamps`.
pub(crate) fn written_in(name: &str) -> Option<TimeZone> {
    let hours = match name {
        "UTC" | "GMT" => 0,
        "CET" => 1,
        "CEST" => 2,
        "EDT" => -4,
        "PDT" => -7,
        "AEST" => 10,
        "AEDT" => 11,
        _ => return None,
    };
    Offset::from_hours(hours).ok().map(TimeZone::fixed)
}

/// A parser of one format, fed by [`Reader`].
pub(crate) trait Parser {
    /// Reads whole records from the front of `data`, whose first byte stands at `offset` of the unpacked file, and
    /// answers how many bytes it is done with. With `last` set there is nothing behind `data`.
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError>;

    /// Ends the file.
    fn finish(&mut self, _out: &mut Collector) -> Result<(), ReadError> {
        Ok(())
    }

    /// Line that the next record starts on, for messages about records that are too long.
    fn line(&self) -> u64;
}

/// One line of a line-based format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Its bytes without the line end.
    pub text: &'a [u8],
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Number of the line, from 1.
    pub number: u64,
}

/// The bytes of an entry that stands on several lines: from the first line to the last, line ends between them included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    offset: u64,
    end: u64,
    hash: Stream,
}

impl Span {
    /// A span of one line so far.
    pub fn of(line: &Line<'_>) -> Self {
        let mut span = Self { offset: line.offset, end: line.offset, hash: Stream::default() };
        span.extend(line);
        span
    }

    /// Takes in the next line. The gap before it is the line's end, which is one byte or two.
    pub fn extend(&mut self, line: &Line<'_>) {
        let gap: &[u8] = match line.offset.saturating_sub(self.end) {
            0 => b"",
            1 => b"\n",
            _ => b"\r\n",
        };
        self.hash.push(gap);
        self.hash.push(line.text);
        self.end = line.offset + line.text.len() as u64;
    }

    /// Where the bytes stand.
    pub fn place(&self) -> RawPlace {
        let len = u32::try_from(self.end - self.offset).unwrap_or(u32::MAX);
        RawPlace { offset: self.offset, len, hash: self.hash.finish() }
    }
}

/// Calls `each` for every whole line and answers how many bytes were used.
pub(crate) fn for_each_line(
    data: &[u8],
    offset: u64,
    last: bool,
    number: &mut u64,
    mut each: impl FnMut(Line<'_>) -> Result<(), ReadError>,
) -> Result<usize, ReadError> {
    let mut at = 0;
    while at < data.len() {
        let (end, next) = match memchr::memchr(b'\n', &data[at..]) {
            Some(length) => (at + length, at + length + 1),
            None if last => (data.len(), data.len()),
            None => break,
        };
        let mut text = &data[at..end];
        if let [head @ .., b'\r'] = text {
            text = head;
        }
        each(Line { text, offset: offset + at as u64, number: *number })?;
        *number += 1;
        at = next;
    }
    Ok(at)
}
