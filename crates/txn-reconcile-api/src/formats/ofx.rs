//! OFX, versions 1 (SGML, whose elements need no end) and 2 (XML): bank and credit card statements, and what QFX files of
//! the same kind add is passed over.
//!
//! Elements as in the Open Financial Exchange specification 2.3, chapter 11 (<https://financialdataexchange.org/FDX/About/OFX-Work-Group.aspx>).
//! `TRNAMT` has its sign from the account holder's view. `FITID` is the bank's own number; the file states no opening
//! balance, so that there is nothing to tie out against but the number of entries that were read.

use jiff::tz::TimeZone;

use super::statement::{Balance, Statement};
use super::xml::unescape;
use super::{Collector, Parser, ReadError};
use crate::currency::Currency;
use crate::date::{Date, DayFault, Zones};
use crate::entry::details::{Detail, Details};
use crate::entry::{Draft, RawPlace};
use crate::hash::Stream;
use crate::money::{AmountSyntax, parse_amount};

/// Longest text of one element that is kept, in bytes; the specification allows 255 characters for the longest.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// The OFX parser.
#[derive(Debug, Default)]
pub(crate) struct OfxParser {
    line: u64,
    /// The element whose text is being read.
    tag: String,
    text: String,
    bad_text: bool,
    /// The aggregate that the elements stand in, as far as it matters.
    within: Within,
    statement: Option<Statement>,
    entry: Option<Entry>,
    seen_root: bool,
}

/// What an element belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Elsewhere,
    OwnAccount,
    OtherAccount,
    LedgerBalance,
    AvailableBalance,
    Currency,
    OriginalCurrency,
}

/// An entry that is being read.
#[derive(Debug, Default)]
struct Entry {
    line: u64,
    offset: u64,
    raw: Stream,
    kind: String,
    posted: String,
    available: String,
    amount: String,
    number: String,
    cheque: String,
    reference: String,
    name: String,
    memo: String,
    other_account: String,
    currency: String,
    original_currency: String,
    rate: String,
    card: bool,
    bad_text: bool,
}

impl OfxParser {
    pub fn new() -> Self {
        Self { line: 1, ..Self::default() }
    }

    /// A tag: what stands before it has ended.
    fn tag(&mut self, tag: &str, offset: u64, out: &mut Collector) -> Result<(), ReadError> {
        self.end_element(out);
        let (name, ends) = match tag.strip_prefix('/') {
            Some(name) => (name, true),
            None => (tag.trim_end_matches('/'), false),
        };
        let name = name.split_ascii_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let within = match name.as_str() {
            "BANKACCTFROM" | "CCACCTFROM" => Within::OwnAccount,
            "BANKACCTTO" | "CCACCTTO" => Within::OtherAccount,
            "LEDGERBAL" => Within::LedgerBalance,
            "AVAILBAL" => Within::AvailableBalance,
            "CURRENCY" => Within::Currency,
            "ORIGCURRENCY" => Within::OriginalCurrency,
            _ => self.within,
        };
        self.within = if ends && within != self.within { self.within } else { within };
        match (name.as_str(), ends) {
            ("OFX", _) => self.seen_root = true,
            ("STMTRS" | "CCSTMTRS", false) => {
                self.statement = Some(Statement { line: self.line, ..Statement::default() });
            }
            ("STMTRS" | "CCSTMTRS", true) => out.statements.extend(self.statement.take()),
            ("STMTTRN", false) => {
                self.within = Within::Elsewhere;
                self.entry = Some(Entry { line: self.line, offset, ..Entry::default() });
            }
            (_, true) if self.within != Within::Elsewhere => {
                let closes = [
                    "BANKACCTFROM",
                    "CCACCTFROM",
                    "BANKACCTTO",
                    "CCACCTTO",
                    "LEDGERBAL",
                    "AVAILBAL",
                    "CURRENCY",
                    "ORIGCURRENCY",
                ];
                if closes.contains(&name.as_str()) {
                    self.within = Within::Elsewhere;
                }
            }
            _ => {}
        }
        if !ends {
            self.tag = name;
        }
        Ok(())
    }

    /// Takes the text of the element before.
    fn end_element(&mut self, out: &mut Collector) {
        let tag = std::mem::take(&mut self.tag);
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let bad = std::mem::take(&mut self.bad_text);
        if text.is_empty() {
            return;
        }
        let card = out.screen(self.line, &tag, text.as_bytes());
        if let Some(entry) = &mut self.entry {
            entry.card |= card;
            entry.bad_text |= bad;
            entry.take(&tag, self.within, text);
        } else if let Some(statement) = &mut self.statement {
            match (tag.as_str(), self.within) {
                ("CURDEF", _) => statement.currency = Currency::from_code(text.as_bytes()),
                ("ACCTID", Within::OwnAccount) => text.clone_into(&mut statement.account),
                ("BALAMT", Within::LedgerBalance) => {
                    let minor = statement.currency.and_then(|currency| amount(text, currency));
                    match minor {
                        Some(minor) => statement.closing = Some(Balance { minor, date: None }),
                        None => {
                            out.warn(self.line, "BALAMT", "balance-malformed", "the balance cannot be read")
                        }
                    }
                }
                ("DTASOF", Within::LedgerBalance) => {
                    if let Some(balance) = &mut statement.closing {
                        balance.date = date(text);
                    }
                }
                _ => {}
            }
        }
    }

    /// Keeps a finished entry.
    fn end_entry(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        let line = entry.line;
        if entry.card {
            out.reject(line, "", "card-data", "the entry holds card data");
            return Ok(());
        }
        if entry.bad_text {
            out.reject(line, "", "xml-escape", "an escape that XML does not define");
            return Ok(());
        }
        let Some(statement) = &mut self.statement else {
            out.reject(line, "STMTTRN", "order", "an entry outside a statement");
            return Ok(());
        };
        // `CURRENCY` says that the entry is in another currency than the statement, `ORIGCURRENCY` that it was.
        let own = if entry.currency.is_empty() {
            statement.currency
        } else {
            Currency::from_code(entry.currency.as_bytes())
        };
        let Some(currency) = own else {
            out.reject(line, "CURDEF", "currency-missing", "no currency code of ISO 4217 for the entry");
            return Ok(());
        };
        let Some(minor) = amount(&entry.amount, currency) else {
            out.reject(line, "TRNAMT", "amount-malformed", "not an amount of its currency");
            return Ok(());
        };
        let day = |text: &str, name| day(text, out.zones.as_ref()).map_err(|fault| (fault, name));
        let booking = day(&entry.posted, "DTPOSTED");
        let value = if entry.available.is_empty() { booking } else { day(&entry.available, "DTAVAIL") };
        let (booking, value) = match (booking, value) {
            (Ok(booking), Ok(value)) => (booking, value),
            (Err((fault, name)), _) | (_, Err((fault, name))) => {
                out.reject(line, name, fault.code(), fault.message("YYYYMMDD"));
                return Ok(());
            }
        };
        statement.entries += 1;
        if Some(currency) == statement.currency {
            statement.sum += minor;
        }
        let mut details = Details::default();
        details.put(Detail::Bank, &entry.number);
        details.put(Detail::Cheque, &entry.cheque);
        details.put(Detail::CounterpartyAccount, &entry.other_account);
        // The rate is that of the statement's currency to the other one; what the amount was is not stated.
        if !entry.original_currency.is_empty() {
            details.put(Detail::OriginalCurrency, &entry.original_currency);
            if let Some(rate) = crate::money::rate(&entry.rate, AmountSyntax::XML) {
                details.put(Detail::Rate, &rate);
            }
        }
        let reference = if entry.reference.is_empty() { &entry.cheque } else { &entry.reference };
        out.entry(&Draft {
            value,
            reference,
            counterparty: &entry.name,
            account: &statement.account,
            kind: &entry.kind,
            description: &entry.memo,
            details: &details.encode(),
            line,
            raw: RawPlace {
                offset: entry.offset,
                len: u32::try_from(entry.raw.len()).unwrap_or(u32::MAX),
                hash: entry.raw.finish(),
            },
            ..Draft::new(minor, currency, booking)
        })
    }
}

impl Entry {
    fn take(&mut self, tag: &str, within: Within, text: &str) {
        let field = match (tag, within) {
            ("TRNTYPE", _) => &mut self.kind,
            ("DTPOSTED", _) => &mut self.posted,
            ("DTAVAIL", _) => &mut self.available,
            ("TRNAMT", _) => &mut self.amount,
            ("FITID", _) => &mut self.number,
            ("CHECKNUM", _) => &mut self.cheque,
            ("REFNUM", _) => &mut self.reference,
            ("NAME", _) => &mut self.name,
            ("MEMO", _) => &mut self.memo,
            ("ACCTID", Within::OtherAccount) => &mut self.other_account,
            ("CURSYM", Within::Currency) => &mut self.currency,
            ("CURSYM", Within::OriginalCurrency) => &mut self.original_currency,
            ("CURRATE", Within::Currency | Within::OriginalCurrency) => &mut self.rate,
            _ => return,
        };
        if field.is_empty() {
            text.clone_into(field);
        }
    }
}

/// An amount; OFX allows a decimal comma as well.
fn amount(text: &str, currency: Currency) -> Option<i128> {
    let syntax = if text.contains(',') { AmountSyntax::COMMA } else { AmountSyntax::XML };
    parse_amount(text.as_bytes(), currency, syntax).ok()
}

/// `YYYYMMDD`, behind which a time and its zone may stand: the day is the one that the bank names.
fn date(text: &str) -> Option<Date> {
    let digits = text.get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Date::new(digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?)
}

/// The day of a date, or that on which a timestamp falls where days are counted: `YYYYMMDDHHMMSS.XXX[-5:EST]`, in UTC where it
/// names no offset (OFX 2.2, 3.2.8.2).
fn day(text: &str, zones: Option<&Zones>) -> Result<Date, DayFault> {
    let date = date(text).ok_or(DayFault::Date)?;
    let Some(zones) = zones else { return Ok(date) };
    let rest = text.get(8..).unwrap_or_default().trim();
    let (time, zone) = match rest.split_once('[') {
        None => (rest, ""),
        Some((time, zone)) => (time, zone.split([':', ']']).next().unwrap_or_default()),
    };
    let offset = match zone {
        "" => String::new(),
        zone if zone.starts_with(['+', '-']) => zone.replace(".5", ":30"),
        zone => format!("+{}", zone.replace(".5", ":30")),
    };
    zones.or_written_in(TimeZone::UTC).day(date, format!("{}{offset}", time.trim()).as_bytes())
}

impl Parser for OfxParser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut at = 0;
        while at < data.len() {
            let rest = &data[at..];
            let length = if rest[0] == b'<' {
                match memchr::memchr(b'>', rest) {
                    Some(end) => end + 1,
                    None if last => {
                        let message = "the file ends within a tag".to_owned();
                        return Err(ReadError::Malformed { line: self.line, message });
                    }
                    None => break,
                }
            } else {
                match memchr::memchr(b'<', rest) {
                    Some(end) => end,
                    None if last => rest.len(),
                    None => break,
                }
            };
            let token = &rest[..length];
            let Ok(text) = std::str::from_utf8(token) else {
                return Err(ReadError::Malformed { line: self.line, message: "not UTF-8".to_owned() });
            };
            if text.starts_with("<!DOCTYPE") || text.starts_with("<!ENTITY") {
                return Err(ReadError::Dtd { line: self.line });
            }
            let place = offset + at as u64;
            match text.strip_prefix('<').and_then(|text| text.strip_suffix('>')) {
                Some(tag) if tag.starts_with(['?', '!']) => {}
                Some(tag) => {
                    self.tag(tag, place, out)?;
                    if let Some(entry) = &mut self.entry {
                        entry.raw.push(token);
                    }
                    if tag.eq_ignore_ascii_case("/STMTTRN") {
                        self.end_entry(out)?;
                    }
                }
                None => {
                    if let Some(entry) = &mut self.entry {
                        entry.raw.push(token);
                    }
                    if !self.tag.is_empty() && self.text.len() + text.len() <= TEXT_BYTES_MAX {
                        out.cover(place, length);
                        self.bad_text |= !unescape(text, &mut self.text);
                    }
                }
            }
            self.line += memchr::memchr_iter(b'\n', token).count() as u64;
            at += length;
        }
        Ok(at)
    }

    fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        self.end_element(out);
        if self.entry.is_some() || self.statement.is_some() || !self.seen_root {
            let message = "not a whole OFX file: a statement or an entry has no end";
            return Err(ReadError::Malformed { line: self.line, message: message.to_owned() });
        }
        Ok(())
    }

    fn line(&self) -> u64 {
        self.line
    }
}
