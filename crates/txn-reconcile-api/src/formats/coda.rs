//! CODA: the coded statement of account of the Belgian banks, in records of 128 characters, versions 1 and 2.
//!
//! Layout and codes are those of Febelfin's standard, version 2.6, annexes I to III:
//! <https://febelfin.be/media/pages/publicaties/2021/gecodeerde-berichtgeving-coda/ba165bdbb2-1694763197/standard-coda-2.6-en.pdf>.
//! A movement that totals others is replaced by its details if they come to it; the trailer's count and sums are checked.

use super::statement::{Balance, Control, Statement};
use super::{Collector, Line, Parser, ReadError, Span, for_each_line};
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::Draft;
use crate::entry::details::{Detail, Details, is_placeholder};

/// Characters of a record.
const RECORD: usize = 128;

/// Details of one movement that are kept; beyond them the movement stands for them.
const DETAILS_MAX: usize = 10_000;

/// Characters of a movement's text that are kept.
const TEXT_CHARS_MAX: usize = 8_192;

/// The CODA parser.
#[derive(Debug, Default)]
pub(crate) struct CodaParser {
    line: u64,
    statement: Option<State>,
    /// The movement with its details.
    group: Vec<Movement>,
    /// Whether the latest movement was refused, and what belongs to it is passed over.
    refused: bool,
    seen_header: bool,
}

#[derive(Debug, Default)]
struct State {
    statement: Statement,
    /// How accounts are written: 0 Belgian, 1 foreign, 2 Belgian IBAN, 3 foreign IBAN.
    structure: char,
    version: char,
    records: i128,
    /// Sums of the movements, debits and credits.
    sums: [i128; 2],
}

/// A movement record, with those that go on from it.
#[derive(Debug)]
struct Movement {
    sequence: String,
    detail: String,
    /// First digit of the transaction code: 1 and 2 total others, 5 to 7 are their details.
    level: char,
    amount: i128,
    currency: Currency,
    booking: Date,
    value: Date,
    code: String,
    bank_reference: String,
    structured: bool,
    communication: String,
    customer_reference: String,
    return_reason: String,
    account: String,
    name: String,
    information: String,
    line: u64,
    raw: Span,
    card: bool,
}

/// A record, by the positions of the standard, which count from 1.
struct Record(Vec<char>);

impl Record {
    fn at(&self, position: usize) -> char {
        self.0.get(position - 1).copied().unwrap_or(' ')
    }

    /// The characters from one position to another, as they stand.
    fn zone(&self, from: usize, to: usize) -> String {
        self.0.get(from - 1..to.min(self.0.len())).unwrap_or_default().iter().collect()
    }

    /// The same without blanks around them.
    fn field(&self, from: usize, to: usize) -> String {
        self.zone(from, to).trim().to_owned()
    }

    fn number(&self, from: usize, to: usize) -> Option<i128> {
        let text = self.field(from, to);
        if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
    }

    /// `DDMMYY`.
    fn date(&self, from: usize) -> Option<Date> {
        let text = self.zone(from, from + 5);
        let (day, rest) = text.split_at_checked(2)?;
        let (month, year) = rest.split_at_checked(2)?;
        Date::parse_short(format!("{year}{month}{day}").as_bytes())
    }

    /// An amount of twelve digits and three decimals behind its sign: 0 is a credit, 1 a debit.
    fn signed(&self, sign: usize, currency: Currency) -> Option<i128> {
        let thousandths = self.number(sign + 1, sign + 15)?;
        let minor = minor(thousandths, currency)?;
        match self.at(sign) {
            '0' => Some(minor),
            '1' => Some(-minor),
            _ => None,
        }
    }

    /// Where fields begin, from the first on that could hold a number: they follow one another without a mark.
    fn begins(&self) -> &'static [usize] {
        match (self.at(1), self.at(2)) {
            ('0', _) => &[6, 12, 15, 17, 25, 35, 61, 72, 84, 89, 105, 121],
            ('1', _) => &[3, 6, 43, 44, 59, 65, 91, 126],
            // Behind the type of a structured communication stands its text.
            ('2', '1') if self.at(62) == '1' => &[3, 7, 11, 32, 33, 48, 54, 62, 63, 66, 116, 122, 125],
            ('2', '1') => &[3, 7, 11, 32, 33, 48, 54, 62, 63, 116, 122, 125],
            ('2', '2') => &[3, 7, 11, 64, 99, 110, 113, 114, 118, 122, 126],
            ('2', '3') => &[3, 7, 11, 48, 83, 126],
            ('3', '1') if self.at(40) == '1' => &[3, 7, 11, 32, 40, 41, 44, 114, 126],
            ('3', '1') => &[3, 7, 11, 32, 40, 41, 114, 126],
            ('3', '2') => &[3, 7, 11, 116],
            ('3', '3') => &[3, 7, 11, 101],
            ('4', _) => &[3, 7, 11, 33, 113],
            ('8', _) => &[2, 5, 42, 43, 58, 64],
            ('9', _) => &[2, 17, 23, 38, 53],
            _ => &[],
        }
    }
}

/// Thousandths of a unit in minor units; none where some would be lost.
fn minor(thousandths: i128, currency: Currency) -> Option<i128> {
    match currency.exponent() {
        exponent @ 0..=3 => {
            let unit = 10i128.pow(3 - exponent);
            (thousandths % unit == 0).then_some(thousandths / unit)
        }
        exponent => thousandths.checked_mul(10i128.pow(exponent - 3)),
    }
}

impl CodaParser {
    pub fn new() -> Self {
        Self { line: 1, ..Self::default() }
    }

    fn take_line(&mut self, line: Line<'_>, out: &mut Collector) -> Result<(), ReadError> {
        let lossy = String::from_utf8_lossy(line.text);
        let text = lossy.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Ok(());
        }
        let record = Record(text.trim_end_matches(['\r', '\u{1a}']).chars().collect());
        if record.0.len() != RECORD {
            out.reject(line.number, "", "record-length", format!("a record has {RECORD} characters"));
            self.refused = true;
            return Ok(());
        }
        let card = self.screen(&record, &line, out);
        let kind = record.at(1);
        if matches!(kind, '1' | '2' | '3' | '8')
            && let Some(state) = &mut self.statement
        {
            state.records += 1;
        }
        match (kind, record.at(2)) {
            ('0', _) => {
                self.end_statement(None, out)?;
                self.begin_statement(&record, line.number, out);
            }
            ('1', _) => self.opening(&record, out),
            ('2', '1') => self.movement(&record, &line, card, out)?,
            ('2', '2' | '3') | ('3', '1'..='3') => self.more(&record, &line, card, out),
            ('4', _) => {}
            ('8', _) => {
                self.end_group(out)?;
                self.closing(&record, out);
            }
            ('9', _) => self.end_statement(Some(&record), out)?,
            _ => out.reject(line.number, "", "record-unknown", "not a record type of a CODA file"),
        }
        Ok(())
    }

    /// Looks for card data in each field of a record.
    fn screen(&self, record: &Record, line: &Line<'_>, out: &mut Collector) -> bool {
        let begins = record.begins();
        if begins.is_empty() {
            return false;
        }
        out.cover(line.offset, line.text.len());
        let name = if matches!(record.at(1), '2' | '3') { record.zone(1, 2) } else { record.zone(1, 1) };
        let ends = begins.iter().skip(1).map(|next| next - 1).chain([RECORD]);
        begins.iter().zip(ends).fold(false, |found, (from, to)| {
            out.screen(line.number, &name, record.field(*from, to).as_bytes()) || found
        })
    }

    fn begin_statement(&mut self, record: &Record, line: u64, out: &mut Collector) {
        self.seen_header = true;
        let version = record.at(128);
        if !matches!(version, '1' | '2') {
            out.warn(line, "0", "version-unknown", "neither version 1 nor 2 of the records; read as 2");
        }
        // Details of movements that another file has as one, by agreement with the bank.
        if !matches!(record.field(84, 88).as_str(), "" | "00000") {
            let message =
                "a separate application: its movements may stand in the statement of the account as well";
            out.warn(line, "0", "separate-application", message);
        }
        self.statement = Some(State {
            statement: Statement { line, ..Statement::default() },
            version,
            ..State::default()
        });
    }

    /// `1`: account, currency and old balance.
    fn opening(&mut self, record: &Record, out: &mut Collector) {
        let Some(state) = &mut self.statement else {
            out.reject(self.line, "1", "order", "an old balance without a header record");
            return;
        };
        state.structure = if state.version == '1' { '0' } else { record.at(2) };
        let (account, currency) = match state.structure {
            '0' => (record.field(6, 17), record.zone(19, 21)),
            '2' => (record.field(6, 36), record.zone(40, 42)),
            '1' | '3' => (record.field(6, 39), record.zone(40, 42)),
            _ => {
                out.reject(
                    self.line,
                    "1",
                    "account-structure",
                    "the structure of the account is none of 0 to 3",
                );
                return;
            }
        };
        state.statement.account = account;
        state.statement.number = record.field(126, 128);
        state.statement.sequence = state.statement.number.parse().ok().filter(|number| *number > 0);
        let Some(currency) = Currency::from_code(currency.as_bytes()) else {
            out.reject(self.line, "1", "currency-missing", "no currency code of ISO 4217 behind the account");
            return;
        };
        state.statement.currency = Some(currency);
        match record.signed(43, currency) {
            Some(minor) => state.statement.opening = Some(Balance { minor, date: record.date(59) }),
            None => out.warn(self.line, "1", "balance-malformed", "the old balance cannot be read"),
        }
    }

    /// `8`: new balance.
    fn closing(&mut self, record: &Record, out: &mut Collector) {
        let Some(state) = &mut self.statement else {
            out.reject(self.line, "8", "order", "a new balance without a header record");
            return;
        };
        let Some(currency) = state.statement.currency else { return };
        match record.signed(42, currency) {
            Some(minor) => state.statement.closing = Some(Balance { minor, date: record.date(58) }),
            None => out.warn(self.line, "8", "balance-malformed", "the new balance cannot be read"),
        }
    }

    /// `21`: a movement, or a detail of the one before.
    fn movement(
        &mut self,
        record: &Record,
        line: &Line<'_>,
        card: bool,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let is_detail = record.zone(7, 10) != "0000";
        if !is_detail {
            self.end_group(out)?;
        }
        self.refused = true;
        let Some((state, currency)) = self
            .statement
            .as_mut()
            .and_then(|state| state.statement.currency.map(|currency| (state, currency)))
        else {
            out.reject(
                line.number,
                "21",
                "order",
                "a movement before the old balance that names the currency",
            );
            return Ok(());
        };
        let Some(amount) = record.signed(32, currency) else {
            let message =
                "the sign is neither 0 nor 1, or the amount is no number with the decimals of its currency";
            out.reject(line.number, "21", "amount-malformed", message);
            return Ok(());
        };
        let unknown = record.zone(48, 53) == "000000";
        let (Some(booking), Some(value)) =
            (record.date(116), if unknown { record.date(116) } else { record.date(48) })
        else {
            out.reject(line.number, "21", "date-malformed", "the entry date or the value date is not DDMMYY");
            return Ok(());
        };
        let structured = match record.at(62) {
            '0' | ' ' => false,
            '1' => true,
            _ => {
                out.reject(
                    line.number,
                    "21",
                    "communication-type",
                    "the type of the communication is neither 0 nor 1",
                );
                return Ok(());
            }
        };
        if !is_detail {
            state.statement.entries += 1;
            state.statement.sum += amount;
            state.sums[usize::from(amount >= 0)] += amount.abs();
        } else if self.group.first().is_none_or(|head| head.sequence != record.zone(3, 6)) {
            out.reject(line.number, "21", "order", "a detail of a movement that does not stand before it");
            return Ok(());
        }
        if self.group.len() > DETAILS_MAX {
            return Ok(());
        }
        self.refused = false;
        self.group.push(Movement {
            sequence: record.zone(3, 6),
            detail: record.zone(7, 10),
            level: record.at(54),
            amount,
            currency,
            booking,
            value,
            code: record.field(54, 61),
            bank_reference: record.field(11, 31),
            structured,
            communication: record.zone(63, 115),
            customer_reference: String::new(),
            return_reason: String::new(),
            account: String::new(),
            name: String::new(),
            information: String::new(),
            line: line.number,
            raw: Span::of(line),
            card,
        });
        Ok(())
    }

    /// `22`, `23` and `31` to `33`: what goes on from a movement.
    fn more(&mut self, record: &Record, line: &Line<'_>, card: bool, out: &mut Collector) {
        if self.refused {
            return;
        }
        let (sequence, detail) = (record.zone(3, 6), record.zone(7, 10));
        let version = self.statement.as_ref().map_or('2', |state| state.version);
        let kind = record.zone(1, 2);
        let Some(movement) = self.group.last_mut() else {
            out.reject(line.number, &kind, "order", "a record that goes on from a movement, without one");
            return;
        };
        // Information may be numbered on from the movement that it belongs to.
        if movement.sequence != sequence || (kind.starts_with('2') && movement.detail != detail) {
            out.reject(
                line.number,
                &kind,
                "order",
                "a record that goes on from another movement than the one before",
            );
            return;
        }
        movement.raw.extend(line);
        movement.card |= card;
        match kind.as_str() {
            "22" => {
                movement.communication.push_str(&record.zone(11, 63));
                movement.customer_reference = record.field(64, 98);
                movement.return_reason = record.field(114, 117);
            }
            "23" if version == '1' => {
                movement.account = record.field(11, 22);
                movement.name = record.field(48, 73);
            }
            "23" => {
                // A national number is followed by its currency; an IBAN may take all of the field before it.
                movement.account = match record.at(23) {
                    ' ' => record.field(11, 22),
                    _ => record.field(11, 44),
                };
                movement.name = record.field(48, 82);
                movement.communication.push_str(&record.zone(83, 125));
            }
            _ => {
                let text = match (kind.as_str(), record.at(40)) {
                    ("31", '1') => record.zone(44, 113),
                    ("31", _) => record.zone(41, 113),
                    ("32", _) => record.zone(11, 115),
                    _ => record.zone(11, 100),
                };
                if movement.information.len() < TEXT_CHARS_MAX {
                    movement.information.push_str(&text);
                }
            }
        }
    }

    /// Keeps a movement, or the details that it totals if they come to it.
    fn end_group(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        self.refused = true;
        let mut group = std::mem::take(&mut self.group).into_iter();
        let Some(head) = group.next() else { return Ok(()) };
        let account =
            self.statement.as_ref().map(|state| state.statement.account.clone()).unwrap_or_default();
        let totals = matches!(head.level, '1' | '2');
        let details: Vec<Movement> =
            group.filter(|detail| totals && matches!(detail.level, '5'..='7')).collect();
        if details.is_empty() {
            return head.keep(&account, out);
        }
        if details.iter().map(|detail| detail.amount).sum::<i128>() != head.amount
            || details.len() >= DETAILS_MAX
        {
            let message = "the details of the movement do not come to its amount; it stands for them";
            out.warn(head.line, "21", "details-off", message);
            return head.keep(&account, out);
        }
        details.into_iter().try_for_each(|detail| detail.keep(&account, out))
    }

    /// `9`: number of records, sum of debits, sum of credits.
    fn end_statement(&mut self, trailer: Option<&Record>, out: &mut Collector) -> Result<(), ReadError> {
        self.end_group(out)?;
        let Some(mut state) = self.statement.take() else {
            if trailer.is_some() {
                out.reject(self.line, "9", "order", "a trailer record without a header record");
            }
            return Ok(());
        };
        if let (Some(record), Some(currency)) = (trailer, state.statement.currency) {
            let money = |from: usize| record.number(from, from + 14).and_then(|sum| minor(sum, currency));
            let controls = [
                ("records", record.number(17, 22), state.records, false),
                ("sum of debits", money(23), state.sums[0], true),
                ("sum of credits", money(38), state.sums[1], true),
            ];
            for (what, stated, found, is_money) in controls {
                match stated {
                    Some(stated) => state.statement.controls.push(Control { what, stated, found, is_money }),
                    None => out.warn(self.line, "9", "control-malformed", format!("{what}: no number")),
                }
            }
        } else if trailer.is_none() {
            out.warn(
                self.line,
                "9",
                "trailer-missing",
                "a statement without its trailer record; it may be cut off",
            );
        }
        out.statements.push(state.statement);
        Ok(())
    }
}

impl Movement {
    fn keep(self, account: &str, out: &mut Collector) -> Result<(), ReadError> {
        let mut details = Details::default();
        let mut text = String::new();
        let mut add = |part: &str| {
            let words: Vec<&str> = part.split_whitespace().collect();
            if !words.is_empty() {
                text.push_str(if text.is_empty() { "" } else { " " });
                text.push_str(&words.join(" "));
            }
        };
        let mut structured = String::new();
        let zone = |from: usize, to: usize| -> String {
            self.communication
                .chars()
                .skip(from - 1)
                .take(to + 1 - from)
                .collect::<String>()
                .trim()
                .to_owned()
        };
        // Positions within the communication; its first three are the type.
        match (self.structured, zone(1, 3).as_str()) {
            // A structured communication of twelve digits.
            (true, "101" | "102") => {
                structured = zone(4, 15);
                add(&zone(16, usize::MAX - 1));
            }
            // A European direct debit: creditor, mandate, text, reason of a return.
            (true, "127") => {
                details.put(Detail::Mandate, &zone(48, 82));
                add(&zone(83, 144));
                details.put(Detail::ReturnReason, &zone(146, 149));
            }
            (true, _) => add(&zone(4, usize::MAX - 1)),
            (false, _) => add(&self.communication),
        }
        add(&self.information);
        let card = self.card
            || [&text, &structured, &self.customer_reference]
                .into_iter()
                .any(|text| out.screen(self.line, "21", text.as_bytes()));
        if card {
            out.reject(self.line, "", "card-data", "the movement holds card data");
            return Ok(());
        }
        details.put(Detail::CreditorReference, &structured);
        details.put(Detail::EndToEnd, &self.customer_reference);
        details.put(Detail::Bank, &self.bank_reference);
        details.put(Detail::ReturnReason, &self.return_reason);
        details.put(Detail::CounterpartyAccount, &self.account);
        // The payee's reference goes first for money in, the payer's for money out.
        let candidates = if self.amount < 0 {
            [&self.customer_reference, &structured]
        } else {
            [&structured, &self.customer_reference]
        };
        let reference =
            candidates.into_iter().find(|text| !is_placeholder(text)).map_or("", |text| text.as_str());
        out.entry(&Draft {
            value: self.value,
            reference,
            counterparty: &self.name,
            account,
            kind: &self.code,
            description: &text,
            details: &details.encode(),
            line: self.line,
            raw: self.raw.place(),
            ..Draft::new(self.amount, self.currency, self.booking)
        })
    }
}

impl Parser for CodaParser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut number = self.line;
        let used = for_each_line(data, offset, last, &mut number, |line| {
            self.line = line.number;
            self.take_line(line, out)
        });
        self.line = number;
        used
    }

    fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        self.end_statement(None, out)?;
        if self.seen_header {
            Ok(())
        } else {
            Err(ReadError::Malformed {
                line: self.line,
                message: "no header record of a CODA file".to_owned(),
            })
        }
    }

    fn line(&self) -> u64 {
        self.line
    }
}
