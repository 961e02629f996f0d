//! BAI2 cash management balance reporting (BTRS, ANSI X9.121).
//!
//! Records of comma-separated fields that end with a slash; `88` records continue the one before, and may cut it at any
//! field. Amounts are whole minor units. Type codes 100 to 399 are credits, 400 to 699 debits. Control totals and record
//! counts of accounts, groups and the file are checked.

use super::statement::{Balance, Control, Statement};
use super::{Collector, Line, Parser, ReadError, Span, for_each_line};
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::Draft;
use crate::entry::details::{Detail, Details};

/// Physical lines that one record may be continued over.
const CONTINUATIONS_MAX: usize = 1_000;

/// The BAI2 parser.
#[derive(Debug, Default)]
pub(crate) struct Bai2Parser {
    line: u64,
    record: Option<Record>,
    file: Level,
    group: Level,
    group_date: Option<Date>,
    /// As the group states it; empty if it states none.
    group_currency: String,
    account: Option<Account>,
    seen_header: bool,
}

/// A record with its continuations, joined by line breaks.
#[derive(Debug)]
struct Record {
    text: String,
    line: u64,
    raw: Span,
    lines: usize,
    /// Whether the last line had no slash at its end.
    unfinished: bool,
    /// Whether card data was found in one of its lines.
    has_card: bool,
}

/// Totals of a level.
#[derive(Debug, Default)]
struct Level {
    total: i128,
    records: i128,
    children: i128,
}

#[derive(Debug)]
struct Account {
    statement: Statement,
    currency: Currency,
    total: i128,
    records: i128,
}

impl Bai2Parser {
    pub fn new() -> Self {
        Self { line: 1, ..Self::default() }
    }

    fn take_line(&mut self, line: Line<'_>, out: &mut Collector) -> Result<(), ReadError> {
        let lossy = String::from_utf8_lossy(line.text);
        let text = lossy.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Ok(());
        }
        let code = match &self.record {
            Some(record) if text.starts_with("88") => record.text.get(..2),
            _ => text.get(..2),
        };
        let has_card = out.screen(line.number, code.unwrap_or_default(), line.text);
        out.cover(line.offset, line.text.len());
        let unfinished = !text.ends_with('/');
        let body = text.strip_suffix('/').unwrap_or(text);
        // Some banks put another mark behind the record code of a continuation.
        let continued =
            body.strip_prefix("88").filter(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(rest) = continued.map(|rest| rest.strip_prefix([',', ':']).unwrap_or(rest)) {
            match &mut self.record {
                Some(record) if record.lines < CONTINUATIONS_MAX => {
                    // A line that just stops after a comma goes on with the next field; that comma is the separator.
                    if record.unfinished && record.text.ends_with(',') {
                        record.text.pop();
                    }
                    record.unfinished = unfinished;
                    record.text.push('\n');
                    record.text.push_str(rest);
                    record.lines += 1;
                    record.has_card |= has_card;
                    record.raw.extend(&line);
                }
                _ => out.reject(
                    line.number,
                    "88",
                    "continuation",
                    "a continuation without a record to continue",
                ),
            }
            return Ok(());
        }
        self.end_record(out)?;
        self.record = Some(Record {
            text: body.to_owned(),
            line: line.number,
            raw: Span::of(&line),
            lines: 1,
            unfinished,
            has_card,
        });
        Ok(())
    }

    fn end_record(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let Some(record) = self.record.take() else { return Ok(()) };
        let lines = record.lines as i128;
        self.file.records += lines;
        self.group.records += lines;
        if let Some(account) = &mut self.account {
            account.records += lines;
        }
        let fields: Vec<&str> = record.text.split([',', '\n']).map(str::trim).collect();
        match fields[0] {
            "01" => {
                self.seen_header = true;
                self.file = Level { records: lines, ..Level::default() };
            }
            "02" => {
                self.group = Level { records: lines, ..Level::default() };
                self.group_date = fields.get(4).and_then(|date| Date::parse_short(date.as_bytes()));
                fields.get(6).copied().unwrap_or_default().clone_into(&mut self.group_currency);
                if self.group_date.is_none() {
                    out.warn(record.line, "02", "date-malformed", "the as-of date is not YYMMDD");
                }
            }
            "03" => self.begin_account(&record, &fields, out),
            "16" => self.transaction(&record, out)?,
            "49" => self.end_account(&fields, out),
            "98" => self.end_group(&record, &fields, out),
            "99" => self.end_file(&record, &fields, out),
            _ => out.reject(record.line, "", "record-unknown", "not a record type of BAI2"),
        }
        Ok(())
    }

    /// `03`: the account and its balances and totals.
    fn begin_account(&mut self, record: &Record, fields: &[&str], out: &mut Collector) {
        self.close_account(out);
        let own = fields.get(2).copied().unwrap_or_default();
        let code = if own.is_empty() { currency_code(&self.group_currency) } else { own };
        let Some(currency) = out.currency(record.line, "03", code) else { return };
        let mut account = Account {
            statement: Statement {
                account: fields.get(1).copied().unwrap_or_default().to_owned(),
                currency: Some(currency),
                line: record.line,
                ..Statement::default()
            },
            currency,
            total: 0,
            records: record.lines as i128,
        };
        let mut rest = fields.get(3..).unwrap_or_default();
        while let [code, behind @ ..] = rest {
            let amount = behind.first().copied().unwrap_or_default();
            let used = 2 + funds_fields(behind.get(1..).unwrap_or_default(), true);
            if !code.is_empty() && !amount.is_empty() {
                match amount.parse::<i64>() {
                    Ok(minor) => account.summary(code, i128::from(minor), self.group_date),
                    Err(_) => out.warn(
                        record.line,
                        "03",
                        "amount-malformed",
                        "a summary amount is not a whole number",
                    ),
                }
            }
            // An empty field in place of a code is an empty status, or a comma too many before a continuation.
            let next = if code.is_empty() { 1 } else { used + 1 };
            rest = rest.get(next..).unwrap_or_default();
        }
        self.account = Some(account);
    }

    /// `16`: type code, amount, funds type, bank reference, customer reference, text.
    fn transaction(&mut self, record: &Record, out: &mut Collector) -> Result<(), ReadError> {
        let group_date = self.group_date;
        let Some(account) = &mut self.account else {
            out.reject(record.line, "16", "order", "a transaction outside an account that could be read");
            return Ok(());
        };
        let mut cursor = Cursor { rest: &record.text };
        cursor.next();
        let code: u32 = cursor.next().trim().parse().unwrap_or(0);
        let amount = cursor.next().trim();
        let Some(magnitude) = amount.parse::<i64>().ok().map(i128::from) else {
            if amount.is_empty() {
                out.warn(record.line, "16", "no-amount", "a transaction without an amount moves no money");
            } else {
                out.reject(
                    record.line,
                    "16",
                    "amount-malformed",
                    "the amount is not a whole number of minor units",
                );
            }
            return Ok(());
        };
        account.total += magnitude;
        let (value, fault) = cursor.funds(group_date);
        if fault {
            out.warn(record.line, "16", "funds-type", "the funds type or its dates cannot be read");
        }
        let bank = cursor.next().trim().to_owned();
        let customer = cursor.next().trim().to_owned();
        let text = cursor.rest.replace('\n', " ").trim().to_owned();
        let signed = match code {
            100..=399 => magnitude,
            400..=699 => -magnitude,
            890..=899 => return Ok(()),
            _ => {
                out.reject(
                    record.line,
                    "16",
                    "type-code",
                    "neither a credit (100-399) nor a debit (400-699)",
                );
                return Ok(());
            }
        };
        account.statement.entries += 1;
        account.statement.sum += signed;
        let Some(booking) = group_date else {
            out.reject(record.line, "02", "date-missing", "the group has no as-of date");
            return Ok(());
        };
        // A number may go on behind the end of a line.
        let joined = cursor.rest.replace('\n', "");
        if record.has_card || out.screen(record.line, "16", joined.as_bytes()) {
            out.reject(record.line, "", "card-data", "the entry holds card data");
            return Ok(());
        }
        let mut details = Details::default();
        details.put(Detail::Bank, &bank);
        // 475 is a cheque paid, 395 one reversed: the customer's reference is its number.
        if matches!(code, 475 | 395) {
            details.put(Detail::Cheque, &customer);
        }
        out.entry(&Draft {
            value: value.unwrap_or(booking),
            reference: &customer,
            account: &account.statement.account,
            kind: &format!("{code:03}"),
            description: &text,
            details: &details.encode(),
            line: record.line,
            raw: record.raw.place(),
            ..Draft::new(signed, account.currency, booking)
        })
    }

    /// `49`: control total and number of records of the account.
    fn end_account(&mut self, fields: &[&str], out: &mut Collector) {
        if let Some(mut account) = self.account.take() {
            control(&mut account.statement, fields.get(1), "control total", account.total, true);
            control(&mut account.statement, fields.get(2), "records", account.records, false);
            // A group counts the totals that its accounts state, so that one fault is reported once.
            self.group.total += stated(fields.get(1)).unwrap_or(account.total);
            self.group.children += 1;
            out.statements.push(account.statement);
        }
    }

    /// An account without its trailer.
    fn close_account(&mut self, out: &mut Collector) {
        if let Some(account) = self.account.take() {
            out.warn(account.statement.line, "49", "trailer-missing", "the account has no trailer");
            self.group.total += account.total;
            self.group.children += 1;
            out.statements.push(account.statement);
        }
    }

    /// `98`: control total, number of accounts and of records of the group.
    fn end_group(&mut self, record: &Record, fields: &[&str], out: &mut Collector) {
        self.close_account(out);
        let group = std::mem::take(&mut self.group);
        let mut totals = Statement { number: "group".to_owned(), line: record.line, ..Statement::default() };
        totals.currency = Currency::from_code(currency_code(&self.group_currency).as_bytes());
        control(&mut totals, fields.get(1), "group control total", group.total, true);
        control(&mut totals, fields.get(2), "accounts", group.children, false);
        control(&mut totals, fields.get(3), "group records", group.records, false);
        self.file.total += stated(fields.get(1)).unwrap_or(group.total);
        self.file.children += 1;
        report_totals(totals, out);
    }

    /// `99`: control total, number of groups and of records of the file.
    fn end_file(&mut self, record: &Record, fields: &[&str], out: &mut Collector) {
        let file = std::mem::take(&mut self.file);
        let mut totals = Statement { number: "file".to_owned(), line: record.line, ..Statement::default() };
        control(&mut totals, fields.get(1), "file control total", file.total, false);
        control(&mut totals, fields.get(2), "groups", file.children, false);
        control(&mut totals, fields.get(3), "file records", file.records, false);
        report_totals(totals, out);
    }
}

/// The currency of a group, or the one that holds where none is stated.
fn currency_code(group: &str) -> &str {
    if group.is_empty() { "USD" } else { group }
}

/// Totals of a group or file that do not agree are remarks; only accounts are statements.
fn report_totals(totals: Statement, out: &mut Collector) {
    if let super::TieOut::Off(faults) = totals.tie_out() {
        for fault in faults {
            out.warn(totals.line, "", "control-total", fault);
        }
    }
}

fn stated(field: Option<&&str>) -> Option<i128> {
    field.and_then(|text| text.trim().parse::<i64>().ok()).map(i128::from)
}

fn control(statement: &mut Statement, field: Option<&&str>, what: &'static str, found: i128, is_money: bool) {
    if let Some(stated) = stated(field) {
        statement.controls.push(Control { what, stated, found, is_money });
    }
}

impl Account {
    /// A balance or total of the `03` record.
    fn summary(&mut self, code: &str, minor: i128, date: Option<Date>) {
        self.total += minor;
        match code {
            "010" => self.statement.opening = Some(Balance { minor, date }),
            "015" => self.statement.closing = Some(Balance { minor, date }),
            _ => {}
        }
    }
}

/// How many fields a funds type takes, itself among them; in a summary an item count stands before it.
fn funds_fields(behind_amount: &[&str], summary: bool) -> usize {
    let funds = behind_amount.get(usize::from(summary)).copied().unwrap_or_default();
    match funds {
        "S" | "s" => 4,
        "V" | "v" => 3,
        "D" | "d" => {
            let count: usize =
                behind_amount.get(usize::from(summary) + 1).and_then(|n| n.parse().ok()).unwrap_or(0);
            2 + 2 * count.min(99)
        }
        _ => 1,
    }
}

/// Walks over fields that end at commas or at the breaks between continuation records.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn next(&mut self) -> &'a str {
        let (field, rest) = self.rest.split_once([',', '\n']).unwrap_or((self.rest, ""));
        self.rest = rest;
        field
    }

    fn skip(&mut self, fields: usize) {
        for _ in 0..fields {
            self.next();
        }
    }

    /// The funds type: when the money is there. Answers the value date it states, and whether it is malformed.
    fn funds(&mut self, booking: Option<Date>) -> (Option<Date>, bool) {
        match self.next().trim() {
            "V" | "v" => {
                let date = Date::parse_short(self.next().trim().as_bytes());
                self.next();
                (date.or(booking), date.is_none())
            }
            "S" | "s" => {
                self.skip(3);
                (None, false)
            }
            "D" | "d" => {
                let count: usize = self.next().trim().parse().unwrap_or(0);
                self.skip(2 * count.min(99));
                (None, count > 99)
            }
            "" | "0" | "1" | "2" | "Z" | "z" => (None, false),
            _ => (None, true),
        }
    }
}

impl Parser for Bai2Parser {
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
        self.end_record(out)?;
        self.close_account(out);
        if self.seen_header {
            Ok(())
        } else {
            Err(ReadError::Malformed { line: 1, message: "no file header (01) of a BAI2 file".to_owned() })
        }
    }

    fn line(&self) -> u64 {
        self.line
    }
}
