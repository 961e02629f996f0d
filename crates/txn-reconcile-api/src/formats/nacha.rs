//! NACHA ACH files: records of 94 characters, in lines or without line ends.
//!
//! Signs are the originator's: a debit of somebody else's account brings money in. Trace number, batch and file
//! control totals (counts, entry hash, debits, credits) are checked. Layout: Nacha Operating Rules, Appendix Three.

use super::statement::{Control, Statement};
use super::{Collector, Parser, ReadError};
use crate::currency::Currency;
use crate::date::Date;
use crate::entry::details::{Detail, Details};
use crate::entry::{Draft, RawPlace};
use crate::hash;

/// Characters of a record.
const RECORD: usize = 94;

/// The NACHA parser.
#[derive(Debug, Default)]
pub(crate) struct NachaParser {
    line: u64,
    file_date: Option<Date>,
    batch: Option<Batch>,
    entry: Option<Entry>,
    file: Totals,
    batches: i128,
    /// Whether the file holds accounting advices, which stand alone in a file.
    advices: bool,
    seen_header: bool,
}

/// Counts and sums that control records state.
#[derive(Clone, Debug, Default)]
struct Totals {
    entries_and_addenda: i128,
    entry_hash: i128,
    debits: i128,
    credits: i128,
}

#[derive(Debug)]
struct Batch {
    statement: Statement,
    totals: Totals,
    date: Option<Date>,
    class: String,
}

/// An entry that waits for its addenda.
#[derive(Debug)]
struct Entry {
    amount: i128,
    kind: String,
    individual: String,
    name: String,
    trace: String,
    addenda: String,
    returned: bool,
    line: u64,
    raw: RawPlace,
    card: bool,
}

impl NachaParser {
    pub fn new() -> Self {
        Self { line: 1, ..Self::default() }
    }

    fn record(&mut self, text: &str, raw: RawPlace, out: &mut Collector) -> Result<(), ReadError> {
        let kind = text.as_bytes()[0];
        if kind != b'7' {
            self.end_entry(out)?;
        }
        let card = self.screen(text, raw, out);
        match kind {
            b'1' => {
                self.seen_header = true;
                self.file_date = Date::parse_short(field(text, 24, 29).as_bytes());
            }
            b'5' => self.begin_batch(text),
            b'6' => self.begin_entry(text, raw, card, out),
            b'7' => self.addenda(text, card, out),
            b'8' => self.end_batch(text, out),
            b'9' if text.bytes().all(|byte| byte == b'9') => {}
            b'9' => self.end_file(text, out),
            _ => out.reject(self.line, "", "record-unknown", "not a record type of a NACHA file"),
        }
        Ok(())
    }

    /// Looks for card data in the fields of a record, which follow one another without a mark. Records of no known type
    /// are screened as they stand.
    fn screen(&mut self, text: &str, raw: RawPlace, out: &mut Collector) -> bool {
        let class = self.batch.as_ref().map(|batch| batch.class.as_str()).unwrap_or_default();
        // Where fields begin, from the first on that could hold a number.
        let begins: &[usize] = match (text.as_bytes()[0], class, field(text, 2, 3)) {
            (b'1', ..) => &[4, 14, 24, 35, 41, 64, 87],
            (b'5', ..) => &[5, 21, 41, 51, 54, 64, 70, 76, 80, 88],
            (b'6', "IAT", _) => &[4, 13, 30, 40, 75, 80],
            (b'6', "ADV", _) => &[4, 13, 28, 40, 55, 77, 79, 88],
            (b'6', ..) => &[4, 13, 30, 40, 55, 77, 79, 80],
            (b'7', _, "05") => &[4, 84, 88],
            (b'7', _, "98" | "99") => &[4, 7, 22, 28, 36, 80],
            (b'7', _, "10") => &[4, 7, 25, 47, 82, 88],
            (b'7', ..) => &[4, 39, 74, 84, 88],
            (b'8', "ADV", _) => &[5, 11, 21, 41, 61, 80, 88],
            (b'8', ..) => &[5, 11, 21, 33, 45, 55, 80, 88],
            (b'9', ..) => &[2, 8, 14, 22, 32, 44, 56],
            _ => &[],
        };
        if begins.is_empty() {
            // The type may be the first digit of something else, too, so it is screened as it stands as well.
            return out.screen(self.line, "", text.get(1..).unwrap_or_default().as_bytes());
        }
        out.cover(raw.offset, raw.len as usize);
        let kind = text.get(..1).unwrap_or_default();
        let ends = begins.iter().skip(1).map(|next| next - 1).chain([RECORD]);
        begins.iter().zip(ends).fold(false, |found, (from, to)| {
            out.screen(self.line, kind, field(text, *from, to).as_bytes()) || found
        })
    }

    fn begin_batch(&mut self, text: &str) {
        self.batch = Some(Batch {
            statement: Statement {
                account: field(text, 41, 50).to_owned(),
                number: field(text, 88, 94).to_owned(),
                currency: Currency::from_code(b"USD"),
                line: self.line,
                ..Statement::default()
            },
            totals: Totals::default(),
            date: Date::parse_short(field(text, 70, 75).as_bytes()).or(self.file_date),
            class: field(text, 51, 53).to_owned(),
        });
    }

    fn begin_entry(&mut self, text: &str, raw: RawPlace, card: bool, out: &mut Collector) {
        let line = self.line;
        let Some(batch) = &mut self.batch else {
            out.reject(line, "6", "order", "an entry outside a batch");
            return;
        };
        batch.totals.entries_and_addenda += 1;
        batch.totals.entry_hash += whole(field(text, 4, 11)).unwrap_or(0);
        let (Some(cents), Some(code)) = (
            whole(if batch.class == "ADV" { field(text, 28, 39) } else { field(text, 30, 39) }),
            whole(field(text, 2, 3)),
        ) else {
            out.reject(line, "6", "amount-malformed", "the amount or the transaction code is not a number");
            return;
        };
        // Second digit: 1-4 credits the receiver, 5-9 debits it (6 a return, 8 a prenote, 9 zero with remittance).
        // An accounting advice speaks of the reader's own account: odd codes credit it, even ones debit it.
        let advice = batch.class == "ADV";
        let is_debit = match code % 10 {
            digit if advice => digit % 2 == 0,
            1..=4 => false,
            5..=9 => true,
            _ => {
                out.reject(line, "6", "type-code", "not a transaction code of a NACHA file");
                return;
            }
        };
        let total = if is_debit { &mut batch.totals.debits } else { &mut batch.totals.credits };
        *total += cents;
        let international = batch.class == "IAT";
        self.entry = Some(Entry {
            amount: if is_debit != advice { cents } else { -cents },
            kind: format!("{code:02}"),
            individual: if international { String::new() } else { field(text, 40, 54).to_owned() },
            name: if international { String::new() } else { field(text, 55, 76).to_owned() },
            trace: field(text, 80, 94).to_owned(),
            addenda: String::new(),
            returned: !advice && matches!(code % 10, 1 | 6),
            line,
            raw,
            card,
        });
    }

    fn addenda(&mut self, text: &str, card: bool, out: &mut Collector) {
        if let Some(batch) = &mut self.batch {
            batch.totals.entries_and_addenda += 1;
        }
        let Some(entry) = &mut self.entry else {
            out.reject(self.line, "7", "order", "an addenda record without an entry");
            return;
        };
        entry.card |= card;
        match field(text, 2, 3) {
            // A return: its reason, and the trace number of the entry that comes back.
            "99" => {
                entry.kind = format!("return {}", field(text, 4, 6));
                entry.returned = true;
            }
            "98" => entry.kind = format!("change {}", field(text, 4, 6)),
            "10" => field(text, 47, 81).clone_into(&mut entry.name),
            "05" if entry.addenda.len() < 4_096 => {
                entry.addenda.push_str(text.get(3..83).unwrap_or_default().trim_end());
            }
            _ => {}
        }
    }

    fn end_entry(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let (Some(entry), Some(batch)) = (self.entry.take(), &mut self.batch) else { return Ok(()) };
        batch.statement.entries += 1;
        batch.statement.sum += entry.amount;
        let (Some(currency), Some(booking)) = (Currency::from_code(b"USD"), batch.date) else {
            out.reject(
                entry.line,
                "5",
                "date-missing",
                "neither an effective entry date nor a file creation date",
            );
            return Ok(());
        };
        // A number may go on in the next addenda.
        if entry.card || out.screen(entry.line, "7", entry.addenda.as_bytes()) {
            out.reject(entry.line, "", "card-data", "the entry holds card data");
            return Ok(());
        }
        // A return carries the money back the way it came.
        let amount = if entry.returned { -entry.amount } else { entry.amount };
        let mut details = Details::default();
        details.put(Detail::Bank, &entry.trace);
        if let Some(reason) = entry.kind.strip_prefix("return ") {
            details.put(Detail::ReturnReason, reason);
        }
        out.entry(&Draft {
            details: &details.encode(),
            reference: &entry.individual,
            counterparty: &entry.name,
            group: &batch.statement.number,
            account: &batch.statement.account,
            kind: &entry.kind,
            description: &entry.addenda,
            line: entry.line,
            raw: entry.raw,
            ..Draft::new(amount, currency, booking)
        })
    }

    fn end_batch(&mut self, text: &str, out: &mut Collector) {
        let Some(batch) = self.batch.take() else {
            out.reject(self.line, "8", "order", "a batch control without a batch");
            return;
        };
        let mut statement = batch.statement;
        // Accounting advices (ADV) have wider sums.
        self.advices = batch.class == "ADV";
        let sums = if self.advices { [(21, 40), (41, 60)] } else { [(21, 32), (33, 44)] };
        controls(&mut statement, text, &batch.totals, [(5, 10), (11, 20), sums[0], sums[1]]);
        self.file.entries_and_addenda += batch.totals.entries_and_addenda;
        self.file.entry_hash += batch.totals.entry_hash;
        self.file.debits += batch.totals.debits;
        self.file.credits += batch.totals.credits;
        self.batches += 1;
        out.statements.push(statement);
    }

    fn end_file(&mut self, text: &str, out: &mut Collector) {
        let mut totals =
            Statement { line: self.line, currency: Currency::from_code(b"USD"), ..Statement::default() };
        if let Some(stated) = whole(field(text, 2, 7)) {
            totals.controls.push(Control { what: "batches", stated, found: self.batches, is_money: false });
        }
        let sums = if self.advices { [(32, 51), (52, 71)] } else { [(32, 43), (44, 55)] };
        controls(&mut totals, text, &self.file, [(14, 21), (22, 31), sums[0], sums[1]]);
        if let super::TieOut::Off(faults) = totals.tie_out() {
            for fault in faults {
                out.warn(self.line, "9", "control-total", fault);
            }
        }
    }
}

/// Adds the totals that a control record states, by the places of its four fields.
fn controls(statement: &mut Statement, text: &str, found: &Totals, places: [(usize, usize); 4]) {
    let found = [
        ("entries and addenda", found.entries_and_addenda, false),
        // The hash keeps its last ten digits.
        ("entry hash", found.entry_hash % 10_000_000_000, false),
        ("total debits", found.debits, true),
        ("total credits", found.credits, true),
    ];
    for ((what, found, is_money), (from, to)) in found.into_iter().zip(places) {
        if let Some(stated) = whole(field(text, from, to)) {
            statement.controls.push(Control { what, stated, found, is_money });
        }
    }
}

/// Characters `from` to `to` of a record, counted from 1 as the rules do, without blanks around them.
fn field(text: &str, from: usize, to: usize) -> &str {
    text.get(from - 1..to).unwrap_or_default().trim()
}

fn whole(text: &str) -> Option<i128> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
}

impl Parser for NachaParser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut at = if offset == 0 && data.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        while at < data.len() {
            if matches!(data[at], b'\n' | b'\r') {
                self.line += u64::from(data[at] == b'\n');
                at += 1;
                continue;
            }
            let rest = &data[at..];
            let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()).min(RECORD);
            if end == rest.len() && end < RECORD && !last {
                break;
            }
            // A line may have lost the blanks at its end; without line ends the next record follows at once.
            let mut record = [b' '; RECORD];
            record[..end].copy_from_slice(&rest[..end]);
            let raw =
                RawPlace { offset: offset + at as u64, len: end as u32, hash: hash::bytes(0, &rest[..end]) };
            match std::str::from_utf8(&record) {
                Ok(text) if text.is_ascii() => self.record(text, raw, out)?,
                _ => out.reject(self.line, "", "encoding", "a NACHA file holds ASCII characters only"),
            }
            at += end;
        }
        Ok(at)
    }

    fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        self.end_entry(out)?;
        if let Some(batch) = self.batch.take() {
            out.warn(batch.statement.line, "8", "trailer-missing", "the batch has no control record");
            out.statements.push(batch.statement);
        }
        if self.seen_header {
            Ok(())
        } else {
            Err(ReadError::Malformed {
                line: 1,
                message: "no file header (record 1) of a NACHA file".to_owned(),
            })
        }
    }

    fn line(&self) -> u64 {
        self.line
    }
}
