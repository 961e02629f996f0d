//! SWIFT MT940 customer statements, MT942 interim reports and MT950 statements, in the dialects that banks really send, and
//! the confirmations MT900 and MT910.
//!
//! With or without the blocks of a SWIFT message; several statements in a file; `RC` and `RD` (a reversed credit takes
//! money out, a reversed debit brings it back); entry dates without a year; structured `:86:` fields of the German,
//! Dutch and Polish kinds. Field formats: SWIFT Standards MT, Category 9
//! (<https://www2.swift.com/knowledgecentre/publications/us9m>). A confirmation is one entry; whether it is of a debit or a
//! credit stands in the header of its message alone.

use super::statement::{Balance, Control, Statement};
use super::{Collector, Line, Parser, ReadError, Span, for_each_line};
use crate::currency::{Currency, UNKNOWN};
use crate::date::{Date, DayFault};
use crate::entry::Draft;
use crate::entry::details::{Detail, Details, is_placeholder, negated};
use crate::money::{AmountSyntax, parse_amount};

/// Lines of one field that are kept: `:86:` has six by the standard and some banks send more.
const FIELD_LINES_MAX: usize = 64;

/// Bytes of one field that are screened by its subfields; a longer one is screened line by line.
const FIELD_BYTES_MAX: usize = 64 << 10;

/// The MT940 parser.
#[derive(Debug, Default)]
pub(crate) struct Mt940Parser {
    line: u64,
    field: Option<Field>,
    statement: Option<State>,
    entry: Option<Entry>,
    /// The bytes of the entry: `:61:` and its `:86:`.
    raw: Span,
    /// The type of the message, if its header or a line before it says it.
    message: Option<u16>,
    /// The fields of a confirmation so far.
    confirmation: Confirmation,
    seen_tag: bool,
}

/// What an MT900 or MT910 says. Fields 20 and 21 stand before it is known what the message is.
#[derive(Debug, Default)]
struct Confirmation {
    reference: String,
    related: String,
    posted: String,
    /// The line of `:32A:`, and what stands in it.
    amount: Option<(u64, String)>,
    /// Lines of `:50a:`, the ordering customer; of `:52a:`, the ordering institution.
    customer: Vec<String>,
    institution: Vec<String>,
    /// Whether there is a field that only an MT910 has.
    is_credit: bool,
    information: Vec<String>,
    card: bool,
}

/// A field that is being gathered: its tag and lines.
#[derive(Debug)]
struct Field {
    tag: String,
    lines: Vec<String>,
    line: u64,
}

#[derive(Debug, Default)]
struct State {
    statement: Statement,
    controls: Vec<(&'static str, bool, i128, i128)>,
    credits: (i128, i128),
    debits: (i128, i128),
}

/// An entry that waits for its `:86:`.
#[derive(Debug)]
struct Entry {
    amount: i128,
    currency: Currency,
    booking: Date,
    value: Date,
    kind: String,
    customer_reference: String,
    bank_reference: String,
    supplement: String,
    pending: bool,
    line: u64,
    card: bool,
    /// The lines of each `:86:`.
    information: Vec<Vec<String>>,
}

impl Mt940Parser {
    pub fn new() -> Self {
        Self { line: 1, ..Self::default() }
    }

    fn take_line(&mut self, line: Line<'_>, out: &mut Collector) -> Result<(), ReadError> {
        let lossy = String::from_utf8_lossy(line.text);
        let mut text = lossy.trim_end();
        if line.number == 1 {
            text = text.trim_start_matches('\u{feff}');
        }
        // The application header, `{2:O940…` or `{2:I940…`, and a line of digits before a message, name its type.
        let header = text.split_once("{2:").and_then(|(_, rest)| rest.get(1..4));
        if let Some(kind) =
            header.or(Some(text.trim()).filter(|text| text.len() == 3 && self.field.is_none()))
            && let Ok(kind) = kind.parse()
        {
            self.message = Some(kind);
        }
        // The text block of a SWIFT message opens with `{4:` and closes with `-}`.
        let mut blocks = false;
        if let Some(at) = text.find("{4:") {
            text = &text[at + 3..];
            blocks = true;
        } else if text.starts_with('{') {
            return Ok(());
        }
        if matches!(text.trim(), "-" | "-}") || text.starts_with("-}") {
            self.end_field(out)?;
            self.end_statement(out)?;
            self.message = None;
            return Ok(());
        }
        match tag(text) {
            Some((tag, value)) => {
                self.end_field(out)?;
                self.seen_tag = true;
                if tag == "61" {
                    self.end_entry(out)?;
                }
                match (tag, &mut self.entry) {
                    ("61", _) => self.raw = Span::of(&line),
                    ("32A", None) => self.raw = Span::of(&line),
                    ("86", Some(_)) => self.raw.extend(&line),
                    _ => {}
                }
                self.field =
                    Some(Field { tag: tag.to_owned(), lines: vec![value.to_owned()], line: line.number });
                if !blocks && text.len() < FIELD_BYTES_MAX {
                    out.cover(line.offset, line.text.len());
                }
            }
            None => {
                if let Some(field) = &mut self.field {
                    if field.lines.len() < FIELD_LINES_MAX {
                        field.lines.push(text.to_owned());
                        if field.lines.iter().map(String::len).sum::<usize>() < FIELD_BYTES_MAX {
                            out.cover(line.offset, line.text.len());
                        }
                    }
                    if field.tag == "61" || (field.tag == "86" && self.entry.is_some()) {
                        self.raw.extend(&line);
                    }
                }
            }
        }
        Ok(())
    }

    fn end_field(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let Some(field) = self.field.take() else { return Ok(()) };
        let card = field.screen(out);
        // Field 20 begins the next message.
        self.confirmation.card |= card && field.tag != "20";
        if field.tag == "86" {
            if let Some(entry) = &mut self.entry {
                entry.card |= card;
                entry.information.push(field.lines);
            }
            return Ok(());
        }
        if field.tag != "61" {
            self.end_entry(out)?;
        }
        let value = field.lines.first().map(String::as_str).unwrap_or_default().trim();
        match field.tag.as_str() {
            "20" => {
                self.end_statement(out)?;
                value.clone_into(&mut self.confirmation.reference);
                self.confirmation.card = card;
            }
            "21" => value.clone_into(&mut self.confirmation.related),
            "13D" => value.clone_into(&mut self.confirmation.posted),
            "32A" => self.confirmation.amount = Some((field.line, value.to_owned())),
            "50A" | "50F" | "50K" => {
                self.confirmation.is_credit = true;
                self.confirmation.customer = field.lines;
            }
            "52A" | "52D" => self.confirmation.institution = field.lines,
            "56A" | "56D" => self.confirmation.is_credit = true,
            "72" => self.confirmation.information = field.lines,
            "25" | "25P" => {
                if self.statement.as_ref().is_some_and(|state| !state.statement.account.is_empty()) {
                    self.end_statement(out)?;
                }
                value.clone_into(&mut self.state(field.line).statement.account);
            }
            "28C" | "28" => {
                let state = self.state(field.line);
                value.clone_into(&mut state.statement.number);
                let number = value.split('/').next().unwrap_or_default();
                state.statement.sequence = number.trim().parse().ok();
            }
            "60F" | "60M" | "60" => self.balance(&field, true, out),
            "62F" | "62M" | "62" => self.balance(&field, false, out),
            "90C" | "90D" => self.control(&field.tag, value),
            "34F" => {
                if let Some(currency) = value.get(..3).and_then(|code| Currency::from_code(code.as_bytes())) {
                    self.state(field.line).statement.currency.get_or_insert(currency);
                }
            }
            "61" => self.begin_entry(&field, card, out),
            _ => {}
        }
        Ok(())
    }

    fn state(&mut self, line: u64) -> &mut State {
        self.statement.get_or_insert_with(|| State {
            statement: Statement { line, ..Statement::default() },
            ..State::default()
        })
    }

    /// `:60F:` and `:62F:`: mark, date, currency, amount.
    fn balance(&mut self, field: &Field, opening: bool, out: &mut Collector) {
        let value = field.lines[0].trim();
        let known = self.statement.as_ref().and_then(|state| state.statement.currency);
        let read = read_balance(value, known);
        let state = self.state(field.line);
        match read {
            Some((balance, currency)) => {
                state.statement.currency.get_or_insert(currency);
                if opening {
                    state.statement.opening.get_or_insert(balance);
                } else {
                    state.statement.closing = Some(balance);
                }
            }
            None => out.warn(field.line, &field.tag, "balance-malformed", "the balance cannot be read"),
        }
    }

    /// `:90D:` and `:90C:`: number and sum of the debits and credits of an MT942.
    fn control(&mut self, tag: &str, value: &str) {
        let digits = value.bytes().take_while(u8::is_ascii_digit).count();
        let (count, rest) = value.split_at(digits);
        let Some(currency) = rest.get(..3).and_then(|code| Currency::from_code(code.as_bytes())) else {
            return;
        };
        let sum = parse_amount(&rest.as_bytes()[3..], currency, AmountSyntax::COMMA);
        if let (Ok(count), Ok(sum)) = (count.parse(), sum) {
            let is_credit = tag == "90C";
            self.state(0).controls.push((
                if is_credit { "credits" } else { "debits" },
                is_credit,
                count,
                sum,
            ));
        }
    }

    /// `:61:`
    fn begin_entry(&mut self, field: &Field, card: bool, out: &mut Collector) {
        let (text, supplement) = match &field.lines[..] {
            // Some banks break the line anywhere, even before the amount.
            [first, second, rest @ ..] if first.get(6..).is_some_and(|tail| !tail.contains([',', '.'])) => {
                (format!("{first}{second}"), rest.join(" "))
            }
            [first, rest @ ..] => (first.clone(), rest.join(" ")),
            [] => return,
        };
        let Some(currency) = self.state(field.line).statement.currency else {
            out.reject(
                field.line,
                "61",
                "currency-missing",
                "an entry before the opening balance that names the currency",
            );
            return;
        };
        match entry_line(&text, currency) {
            Ok(parsed) => {
                let state = self.state(field.line);
                if !parsed.pending {
                    state.count(parsed.amount);
                }
                // The digits of the type run into those of the reference.
                let card = card
                    || [&parsed.customer_reference, &parsed.bank_reference, &supplement]
                        .into_iter()
                        .any(|text| out.screen(field.line, "61", text.as_bytes()));
                if value_is_thirtieth(&text) {
                    let message = "a value date of the 30-day month; the last day of the month stands for it";
                    out.warn(field.line, "61", "date-thirtieth", message);
                }
                self.entry = Some(Entry { supplement, line: field.line, card, ..parsed });
            }
            Err((code, message)) => out.reject(field.line, "61", code, message),
        }
    }

    /// Keeps an entry with its `:86:` fields, however many there are.
    fn end_entry(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        let info = Information::read_all(&entry.information);
        let card = entry.card
            || [&info.text, &info.name, &info.reference]
                .into_iter()
                .any(|text| out.screen(entry.line, "86", text.as_bytes()));
        if card {
            out.reject(entry.line, "", "card-data", "the entry holds card data");
            return Ok(());
        }
        // The number behind `//` is the bank's own: nobody else knows it.
        let candidates = [&info.reference, &entry.customer_reference, &info.own_reference];
        let reference =
            candidates.into_iter().find(|text| !is_placeholder(text)).map_or("", |text| text.as_str());
        let mut description = info.text;
        let mut add = |text: &str| {
            if !text.is_empty() && !description.contains(text) {
                description.push_str(if description.is_empty() { "" } else { " " });
                description.push_str(text);
            }
        };
        add(&entry.supplement);
        if reference.is_empty() {
            // What the bank wrote in place of a reference stays in the text.
            add(&entry.customer_reference);
        }
        let mut details = info.details;
        details.put(Detail::EndToEnd, &info.reference);
        details.put(Detail::Instruction, &info.own_reference);
        details.put(Detail::Instruction, &entry.customer_reference);
        details.put(Detail::Bank, &entry.bank_reference);
        let encoded = details.encode();
        let encoded = if entry.amount < 0 { negated(&encoded) } else { encoded };
        let account =
            self.statement.as_ref().map(|state| state.statement.account.as_str()).unwrap_or_default();
        out.entry(&Draft {
            value: entry.value,
            reference,
            counterparty: &info.name,
            account,
            kind: &entry.kind,
            description: &description,
            details: &encoded,
            line: entry.line,
            raw: self.raw.place(),
            pending: entry.pending,
            ..Draft::new(entry.amount, entry.currency, entry.booking)
        })
    }

    fn end_statement(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        self.end_entry(out)?;
        let confirmation = std::mem::take(&mut self.confirmation);
        let state = self.statement.take();
        // A statement has balances and entries, and no amount of its own.
        if confirmation.amount.is_some() && state.as_ref().is_none_or(State::is_blank) {
            let account = state.map(|state| state.statement.account).unwrap_or_default();
            return self.end_confirmation(&confirmation, &account, out);
        }
        if let Some(state) = state {
            out.statements.push(state.finish());
        }
        Ok(())
    }

    /// Keeps the entry that a confirmation is.
    fn end_confirmation(
        &self,
        confirmation: &Confirmation,
        account: &str,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let Some((line, amount)) = &confirmation.amount else { return Ok(()) };
        let (line, kind) = match (self.message, confirmation.is_credit) {
            (Some(900), false) => (*line, "MT900"),
            (Some(910), _) | (None, true) => (*line, "MT910"),
            (Some(900), true) => {
                let message = "an ordering customer or an intermediary in a confirmation of debit";
                out.reject(*line, "50", "direction-contradicts", message);
                return Ok(());
            }
            (Some(other), _) => {
                let message = format!(
                    "an MT{other} orders or announces a payment and books none; the statement (MT940, MT950) and the \
                     confirmations (MT900, MT910) are read"
                );
                out.reject(*line, "32A", "message-type", message);
                return Ok(());
            }
            (None, false) => {
                let message = "a debit (MT900) or a credit (MT910): only the header {2:…} says it; write a line 900 or 910 \
                               before the message";
                out.reject(*line, "32A", "direction-unknown", message);
                return Ok(());
            }
        };
        let (value, minor, currency) = match amount_line(amount) {
            Ok(parsed) => parsed,
            Err((code, message)) => {
                out.reject(line, "32A", code, message);
                return Ok(());
            }
        };
        let booking = match posted(&confirmation.posted, value, out) {
            Ok(booking) => booking,
            Err(fault) => {
                out.reject(line, "13D", fault.code(), fault.message("YYMMDDhhmm+hhmm"));
                return Ok(());
            }
        };
        if confirmation.card {
            out.reject(line, "", "card-data", "the entry holds card data");
            return Ok(());
        }
        let information: Vec<String> = confirmation
            .information
            .iter()
            .map(|line| line.strip_prefix("//").map_or_else(|| line.clone(), |rest| format!(" {rest}")))
            .collect();
        let info = Information::read(&information);
        let mut details = info.details;
        details.put(Detail::Bank, &confirmation.reference);
        details.put(Detail::CounterpartyAccount, &party_account(&confirmation.customer));
        // The reference of the instruction that was carried out, as its sender knows it.
        let candidates = [&info.reference, &confirmation.related];
        let reference =
            candidates.into_iter().find(|text| !is_placeholder(text)).map_or("", |text| text.as_str());
        details.put(Detail::Instruction, &confirmation.related);
        let name = Some(party_name(&confirmation.customer))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| party_name(&confirmation.institution));
        let minor = if kind == "MT900" { -minor } else { minor };
        let encoded = details.encode();
        let encoded = if minor < 0 { negated(&encoded) } else { encoded };
        out.entry(&Draft {
            value,
            reference,
            counterparty: &name,
            account,
            kind,
            description: &info.text,
            details: &encoded,
            line,
            raw: self.raw.place(),
            ..Draft::new(minor, currency, booking)
        })
    }
}

impl Field {
    /// Looks for card data: in each subfield where there are some, since their numbers run into the digits behind them,
    /// else in each line, and in `:86:` over the ends of lines.
    fn screen(&self, out: &mut Collector) -> bool {
        if self.tag == "86"
            && let Some((mark, from)) = numbered_by(&self.lines)
        {
            let text = self.lines.concat();
            return text[from..].split(mark).fold(false, |found, part| {
                let number = part.get(..2).and_then(|number| number.parse().ok());
                let value = match number {
                    Some(0 | 10 | 20..=34 | 38 | 60..=65) => part.get(2..).unwrap_or_default(),
                    _ => part,
                };
                out.screen(self.line, &self.tag, value.as_bytes()) || found
            });
        }
        let found = (self.line..)
            .zip(&self.lines)
            .fold(false, |found, (line, text)| out.screen(line, &self.tag, text.as_bytes()) || found);
        found
            || (self.tag == "86"
                && self.lines.len() > 1
                && out.screen(self.line, &self.tag, self.lines.concat().as_bytes()))
    }
}

impl State {
    /// Whether nothing but an account and a number is known of it.
    fn is_blank(&self) -> bool {
        let statement = &self.statement;
        statement.opening.is_none() && statement.closing.is_none() && statement.entries == 0
    }

    fn count(&mut self, amount: i128) {
        self.statement.entries += 1;
        self.statement.sum += amount;
        let side = if amount < 0 { &mut self.debits } else { &mut self.credits };
        side.0 += 1;
        side.1 += amount.abs();
    }

    fn finish(mut self) -> Statement {
        for (what, is_credit, count, sum) in self.controls {
            let found = if is_credit { self.credits } else { self.debits };
            let sum_of = if is_credit { "sum of credits" } else { "sum of debits" };
            self.statement.controls.push(Control { what, stated: count, found: found.0, is_money: false });
            self.statement.controls.push(Control {
                what: sum_of,
                stated: sum,
                found: found.1,
                is_money: true,
            });
        }
        self.statement
    }
}

/// `:61:text` as tag and text; a tag is two digits and perhaps a letter.
fn tag(line: &str) -> Option<(&str, &str)> {
    let (tag, value) = line.trim_start().strip_prefix(':')?.split_once(':')?;
    let valid =
        matches!(tag.as_bytes(), [b'0'..=b'9', b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9', b'A'..=b'Z']);
    valid.then_some((tag, value))
}

/// Amounts have a decimal comma by the standard; some banks write a point.
fn swift_amount(text: &str, currency: Currency) -> Result<i128, (&'static str, String)> {
    let last_mark = text.rfind([',', '.']).map(|at| text.as_bytes()[at]);
    let syntax = match last_mark {
        Some(b'.') => AmountSyntax { grouping: Some(b','), ..AmountSyntax::XML },
        _ => AmountSyntax { grouping: Some(b'.'), ..AmountSyntax::COMMA },
    };
    parse_amount(text.as_bytes(), currency, syntax).map_err(|error| ("amount-malformed", error.to_string()))
}

/// A balance; its currency may be missing where the statement has named it before.
fn read_balance(value: &str, known: Option<Currency>) -> Option<(Balance, Currency)> {
    let debit = match value.as_bytes().first()? {
        b'C' | b'c' => false,
        b'D' | b'd' => true,
        _ => return None,
    };
    let date = Date::parse_short(value.get(1..7)?.as_bytes())?;
    let rest = value.get(7..)?;
    let (currency, amount) = if rest.starts_with(|c: char| c.is_ascii_digit()) {
        (known?, rest)
    } else {
        (Currency::from_code(rest.get(..3)?.as_bytes())?, rest.get(3..)?)
    };
    let amount = swift_amount(amount.trim(), currency).ok()?;
    Some((Balance { minor: if debit { -amount } else { amount }, date: Some(date) }, currency))
}

/// Value date, entry date, mark, funds code, amount, type, references.
fn entry_line(text: &str, currency: Currency) -> Result<Entry, (&'static str, String)> {
    let fault = |code, message: &str| Err((code, message.to_owned()));
    let Some(value) = text.get(..6).and_then(value_date) else {
        return fault("date-malformed", "the value date is not YYMMDD");
    };
    let mut rest = &text[6..];
    let mut booking = value;
    if rest.len() >= 4 && rest.as_bytes()[..4].iter().all(u8::is_ascii_digit) {
        let Some(date) = entry_date(&rest[..4], value) else {
            return fault("date-malformed", "the entry date is not MMDD");
        };
        booking = date;
        rest = &rest[4..];
    }
    rest = rest.trim_start();
    let marks = [
        ("RC", -1, false),
        ("RD", 1, false),
        ("EC", 1, true),
        ("ED", -1, true),
        ("C", 1, false),
        ("D", -1, false),
    ];
    let found = marks
        .iter()
        .find(|(mark, _, _)| rest.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark)));
    let Some((mark, sign, pending)) = found else {
        return fault("direction-unknown", "the mark is none of C, D, RC, RD, EC, ED");
    };
    rest = rest[mark.len()..].trim_start();
    // The funds code is the third letter of the currency; it stands before the digits, if at all.
    rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic()).trim_start();
    let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.')).count();
    let amount = swift_amount(&rest[..length], currency)?;
    let (kind, references) = transaction_type(rest[length..].trim_start());
    let (customer, bank) = references.split_once("//").unwrap_or((references, ""));
    Ok(Entry {
        amount: amount * sign,
        currency,
        booking,
        value,
        kind: if mark.starts_with('R') { "reversal".to_owned() } else { kind.to_owned() },
        customer_reference: customer.trim().to_owned(),
        bank_reference: bank.trim().to_owned(),
        supplement: String::new(),
        pending: *pending,
        line: 0,
        card: false,
        information: Vec::new(),
    })
}

/// `:32A:`: value date, currency, amount.
fn amount_line(text: &str) -> Result<(Date, i128, Currency), (&'static str, String)> {
    let fault = |code, message: &str| (code, message.to_owned());
    let date = text.get(..6).and_then(|date| Date::parse_short(date.as_bytes()));
    let date = date.ok_or_else(|| fault("date-malformed", "the value date is not YYMMDD"))?;
    let currency = text.get(6..9).and_then(|code| Currency::from_code(code.as_bytes()));
    let currency = currency.ok_or_else(|| fault("currency-unknown", UNKNOWN))?;
    swift_amount(text.get(9..).unwrap_or_default().trim(), currency).and_then(|minor| {
        let negative = || fault("amount-malformed", "an amount of a confirmation has no sign");
        if minor < 0 { Err(negative()) } else { Ok((date, minor, currency)) }
    })
}

/// `:13D:`, when it was posted: `YYMMDDhhmm` and the offset to UTC. Without it the value date is the day.
fn posted(text: &str, value: Date, out: &Collector) -> Result<Date, DayFault> {
    if text.is_empty() {
        return Ok(value);
    }
    let (date, time) = text.split_at_checked(6).ok_or(DayFault::Date)?;
    let date = Date::parse_short(date.as_bytes()).ok_or(DayFault::Date)?;
    match &out.zones {
        Some(zones) => zones.day(date, time.as_bytes()),
        None => Ok(date),
    }
}

/// The account of a party: its first line, behind a slash.
fn party_account(lines: &[String]) -> String {
    lines.first().and_then(|line| line.strip_prefix('/')).unwrap_or_default().trim().to_owned()
}

/// The name of a party: the line behind its account, and behind `1/` in the numbered form of option F.
fn party_name(lines: &[String]) -> String {
    let numbered: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("1/")).collect();
    if !numbered.is_empty() {
        return numbered.join(" ").trim().to_owned();
    }
    let plain = lines.iter().map(|line| line.trim()).find(|line| !line.is_empty() && !line.starts_with('/'));
    plain.unwrap_or_default().to_owned()
}

/// Interest counts months of 30 days (30/360), and some banks write the 29th and 30th of February as value dates.
fn value_is_thirtieth(text: &str) -> bool {
    let is_date = |date: &str| Date::parse_short(date.as_bytes()).is_some();
    text.get(..6).is_some_and(|date| matches!(&date.as_bytes()[2..], b"0229" | b"0230") && !is_date(date))
}

fn value_date(text: &str) -> Option<Date> {
    if value_is_thirtieth(text) {
        let first_of_march = Date::parse_short(format!("{}0301", &text[..2]).as_bytes())?;
        return Date::from_days(first_of_march.days() - 1);
    }
    Date::parse_short(text.as_bytes())
}

/// The entry date has no year: it is the one that brings it nearest to the value date.
fn entry_date(text: &str, value: Date) -> Option<Date> {
    let (month, day) = (text[..2].parse().ok()?, text[2..].parse().ok()?);
    let (year, _, _) = value.parts();
    [year - 1, year, year + 1]
        .into_iter()
        .filter_map(|year| Date::new(year, month, day))
        .min_by_key(|date| date.days().abs_diff(value.days()))
}

/// `NTRF`, `FMSC`, `S103`: a letter and three characters, then the references.
fn transaction_type(text: &str) -> (&str, &str) {
    match text.as_bytes() {
        [b'N' | b'F' | b'S', b, c, d, ..] if [b, c, d].iter().all(|byte| byte.is_ascii_alphanumeric()) => {
            text.split_at(4)
        }
        _ => ("", text),
    }
}

/// The mark before the numbers of subfields, and where the first of them begins.
fn numbered_by(lines: &[String]) -> Option<(char, usize)> {
    match lines.first()?.as_bytes() {
        // Three digits and a mark: the German form, `166?00SEPA…`, also with `<` or `^` in Poland.
        [a, b, c, mark @ (b'?' | b'<' | b'>' | b'^' | b'~' | b'+'), d, e, ..]
            if [a, b, c, d, e].iter().all(|byte| byte.is_ascii_digit()) =>
        {
            Some((char::from(*mark), 4))
        }
        [mark @ (b'<' | b'^' | b'~' | b'?'), a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
            Some((char::from(*mark), 1))
        }
        _ => None,
    }
}

/// What the `:86:` fields of an entry say.
#[derive(Debug, Default)]
struct Information {
    /// The payer's reference to the payee.
    reference: String,
    /// The account holder's own.
    own_reference: String,
    name: String,
    text: String,
    details: Details,
}

/// Characters of a numbered subfield and of a line, by which a break in a word is told from one between two.
const SUBFIELD_CHARS: usize = 27;
const LINE_CHARS: usize = 65;

/// Adds a part behind another: a part that fills its field goes on in the next, one that is shorter has ended.
fn join(text: &mut String, part: &str, last_chars: &mut usize, width: usize) {
    let ends = *last_chars < width && text.ends_with(char::is_alphanumeric);
    if ends && part.starts_with(char::is_alphanumeric) {
        text.push(' ');
    }
    text.push_str(part);
    *last_chars = part.chars().count();
}

/// Lines of a field as one text.
fn joined(lines: &[String]) -> String {
    let (mut text, mut last) = (String::new(), LINE_CHARS);
    lines.iter().for_each(|line| join(&mut text, line, &mut last, LINE_CHARS));
    text
}

/// Code words between slashes: those of the Dutch banks' MT940 (ABN AMRO, ING, Rabobank), and of SWIFT's usage rules for
/// `:86:` (<https://www2.swift.com/knowledgecentre/publications/us9m>). A value ends where the next of them begins; a word
/// that is not among them belongs to the value.
const CODE_WORDS: [&str; 40] = [
    "ACCW", "ADDR", "BENM", "BIC", "BREF", "BUSP", "CHGS", "CNTP", "CREF", "CSID", "EREF", "EXCH", "IBAN",
    "ID", "INS", "IREF", "ISDT", "KREF", "MARF", "MREF", "NAME", "OCMT", "ORDP", "PREF", "PURP", "REMI",
    "RFB", "RREF", "RTRN", "SVCL", "SVWZ", "TRCD", "TRTP", "TYPE", "UETR", "ULTB", "ULTC", "ULTD", "UREF",
    "VACC",
];

impl Information {
    /// Reads all of the fields; the first that names something names it.
    fn read_all(fields: &[Vec<String>]) -> Self {
        let mut all = Self::default();
        for info in fields.iter().map(|lines| Self::read(lines)) {
            let first = |known: &mut String, new: String| {
                if known.is_empty() {
                    *known = new;
                }
            };
            first(&mut all.reference, info.reference);
            first(&mut all.own_reference, info.own_reference);
            first(&mut all.name, info.name);
            if !info.text.is_empty() {
                all.text.push_str(if all.text.is_empty() { "" } else { " " });
                all.text.push_str(&info.text);
            }
            all.details.append(info.details);
        }
        all
    }

    fn read(lines: &[String]) -> Self {
        let Some(first) = lines.first() else { return Self::default() };
        match numbered_by(lines) {
            Some((mark, from)) => Self::numbered(&lines.concat()[from..], mark),
            None if first.starts_with('/') => Self::slashed(&joined(lines)),
            None => Self::plain(&lines.join(" ")),
        }
    }

    /// Subfields by number: 20-29 and 60-63 purpose, 31 and 38 the other account, 32-33 name, 34 a return's reason; 00 and
    /// 10 are the bank's text and batch, 30 is the other bank. What has another number is kept with the purpose.
    fn numbered(text: &str, mark: char) -> Self {
        let (mut purpose, mut name) = (String::new(), String::new());
        let (mut purpose_last, mut name_last) = (SUBFIELD_CHARS, SUBFIELD_CHARS);
        let mut details = Details::default();
        for part in text.split(mark) {
            let (Some(number), Some(value)) =
                (part.get(..2).and_then(|n| n.parse::<u32>().ok()), part.get(2..))
            else {
                continue;
            };
            match number {
                0 | 10 | 30 => {}
                31 | 38 => details.put(Detail::CounterpartyAccount, value),
                34 => details.put(Detail::ReturnReason, value),
                32 | 33 => join(&mut name, value, &mut name_last, SUBFIELD_CHARS),
                _ => join(&mut purpose, value, &mut purpose_last, SUBFIELD_CHARS),
            }
        }
        let mut info = Self::plain(&purpose);
        if !name.trim().is_empty() {
            name.trim().clone_into(&mut info.name);
        }
        info.details.append(details);
        info
    }

    /// Code words between slashes: `/TRTP/…/NAME/…/REMI/…/EREF/…`.
    fn slashed(text: &str) -> Self {
        let mut info = Self::default();
        let mut others = Vec::new();
        let (before, coded) = coded(text);
        others.push(before.trim_matches('/'));
        for (word, value) in coded {
            let value = value.trim_matches(|c: char| c == '/' || c.is_whitespace());
            let first = |known: &mut String| {
                if known.is_empty() && !is_placeholder(value) {
                    value.clone_into(known);
                }
            };
            match word {
                "EREF" => first(&mut info.reference),
                // The reference for the beneficiary is the payer's to the payee, too.
                "RFB" => {
                    first(&mut info.reference);
                    others.push(value);
                }
                "PREF" | "KREF" | "IREF" | "CREF" => first(&mut info.own_reference),
                "NAME" => first(&mut info.name),
                "BENM" | "ORDP" if !value.is_empty() => {
                    first(&mut info.name);
                    others.push(value);
                }
                // Account, bank, name.
                "CNTP" => {
                    let mut parts = value.split('/');
                    info.details.put(Detail::CounterpartyAccount, parts.next().unwrap_or_default());
                    if let Some(name) = parts.nth(1).filter(|name| !name.trim().is_empty()) {
                        name.trim().clone_into(&mut info.name);
                    }
                }
                "IBAN" => info.details.put(Detail::CounterpartyAccount, value),
                "MARF" | "MREF" => info.details.put(Detail::Mandate, value),
                "UETR" => info.details.put(Detail::Uetr, value),
                "RTRN" => info.details.put(Detail::ReturnReason, value),
                "OCMT" => {
                    info.original(value);
                    others.push(value);
                }
                "BREF" | "RREF" | "UREF" => info.details.put(Detail::Bank, value),
                "TRTP" | "BIC" | "CSID" | "BENM" | "ORDP" | "ID" | "ISDT" | "SVCL" => {}
                "REMI" | "SVWZ" => {
                    // The payee's reference in a structured text: `STRD/CUR/…` has the kind before it.
                    let structured = value.strip_prefix("STRD/");
                    let plain = structured.or_else(|| value.strip_prefix("USTD/")).unwrap_or(value);
                    let plain = plain.trim_matches('/');
                    if let Some(reference) = structured.and_then(|_| plain.rsplit('/').next()) {
                        info.details.put(Detail::CreditorReference, reference);
                    }
                    info.text.push_str(if info.text.is_empty() { "" } else { " " });
                    info.text.push_str(plain);
                }
                _ => others.push(value),
            }
        }
        if info.text.is_empty() {
            text.trim().clone_into(&mut info.text);
        } else {
            for other in others.into_iter().filter(|other| !other.is_empty()) {
                info.text.push(' ');
                info.text.push_str(other);
            }
        }
        info
    }

    /// `OCMT`: currency and amount before conversion.
    fn original(&mut self, value: &str) {
        let Some((code, amount)) = value.split_at_checked(3) else { return };
        if let Some(currency) = Currency::from_code(code.as_bytes())
            && let Ok(minor) = swift_amount(amount.trim(), currency)
        {
            self.details.original(minor, currency);
        }
    }

    /// Free text, in which `EREF+`, `KREF+`, `SVWZ+` … may still mark what is what. What stands before the first of them
    /// is text.
    fn plain(text: &str) -> Self {
        const WORDS: [&str; 16] = [
            "EREF+", "KREF+", "MREF+", "CRED+", "DEBT+", "SVWZ+", "ABWA+", "ABWE+", "IBAN+", "BIC+", "PURP+",
            "BREF+", "RREF+", "COAM+", "OAMT+", "ANAM+",
        ];
        let mut marks: Vec<(usize, &str)> = WORDS.iter().flat_map(|word| text.match_indices(word)).collect();
        marks.sort_unstable();
        let Some((first, _)) = marks.first() else {
            return Self { text: text.trim().to_owned(), ..Self::default() };
        };
        let mut info = Self { text: text[..*first].trim().to_owned(), ..Self::default() };
        for (index, (at, word)) in marks.iter().enumerate() {
            let end = marks.get(index + 1).map_or(text.len(), |(next, _)| *next);
            let value = text[at + word.len()..end].trim();
            match *word {
                "EREF+" => value.clone_into(&mut info.reference),
                "KREF+" => value.clone_into(&mut info.own_reference),
                "MREF+" => info.details.put(Detail::Mandate, value),
                "IBAN+" => info.details.put(Detail::CounterpartyAccount, value),
                "BREF+" | "RREF+" => info.details.put(Detail::Bank, value),
                "ANAM+" if info.name.is_empty() => value.clone_into(&mut info.name),
                "SVWZ+" => {
                    info.text.push_str(if info.text.is_empty() { "" } else { " " });
                    info.text.push_str(value);
                }
                _ => {}
            }
        }
        info
    }
}

/// What stands before the first code word; then each of them and what stands behind it, up to the next.
fn coded(text: &str) -> (&str, Vec<(&str, &str)>) {
    let mut marks: Vec<(usize, usize, &str)> = Vec::new();
    let mut at = 0;
    while let Some(slash) = text[at..].find('/').map(|found| at + found) {
        let rest = &text[slash + 1..];
        let word = rest.split('/').next().unwrap_or_default();
        // A word that ends the text has no value.
        if rest.len() > word.len() && CODE_WORDS.contains(&word) {
            marks.push((slash, slash + word.len() + 2, word));
            // Its last slash may be the first of the next word.
            at = slash + word.len() + 1;
        } else {
            at = slash + 1;
        }
    }
    let ends = marks.iter().skip(1).map(|(slash, _, _)| *slash).chain([text.len()]);
    let before = marks.first().map_or("", |(slash, _, _)| &text[..*slash]);
    let values = marks.iter().zip(ends);
    (before, values.map(|((_, from, word), end)| (*word, text.get(*from..end).unwrap_or_default())).collect())
}

impl Parser for Mt940Parser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut number = self.line;
        let used = for_each_line(data, offset, last, &mut number, |line| self.take_line(line, out));
        self.line = number;
        used
    }

    fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        self.end_field(out)?;
        self.end_statement(out)?;
        if self.seen_tag {
            Ok(())
        } else {
            Err(ReadError::Malformed { line: self.line, message: "no field of an MT940 message".to_owned() })
        }
    }

    fn line(&self) -> u64 {
        self.line
    }
}
