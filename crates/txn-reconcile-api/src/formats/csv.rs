//! Comma-separated values (RFC 4180 and its relatives): any delimiter, quoted line breaks, a preamble before the
//! header, trailing summary lines.

use super::mapping::{Field, Mapping, plain_name};
use super::row::{Fields, Place, Rows};
use super::{Collector, Parser, ReadError, adyen, paypal, stripe, wise};
use crate::entry::RawPlace;
use crate::{hash, pan};

/// What turns the fields of a row into an entry.
#[derive(Debug)]
pub(crate) enum Table {
    /// By a mapping.
    Mapped(Mapping),
    /// By the columns of a Stripe report.
    Stripe(stripe::Columns),
    /// By the columns of an Adyen settlement details report.
    Adyen(adyen::Columns),
    /// By the columns of a PayPal activity report, with the notations of a mapping.
    Paypal(Box<(Mapping, paypal::Columns)>),
    /// By the columns of a Wise balance statement.
    Wise(wise::Columns),
}

/// Lines that are looked through for the header.
const PREAMBLE_LINES_MAX: u64 = 100;

/// A quoted field may not run on further than this, so that a stray quote costs one row and not the rest of the file.
const QUOTED_BYTES_MAX: usize = 64 << 10;

/// The CSV parser.
#[derive(Debug)]
pub(crate) struct CsvParser {
    table: Table,
    delimiter: Option<u8>,
    line: u64,
    header: Option<Header>,
    row: RowBuffer,
    rows: Rows,
}

/// The header, once it is found.
#[derive(Debug, Default)]
struct Header {
    names: Vec<String>,
    /// Column by field.
    columns: [Option<usize>; Field::ALL.len()],
}

impl Header {
    /// The name of a field's column.
    fn name(&self, field: Field) -> String {
        let column = self.columns[field as usize];
        column.and_then(|column| self.names.get(column)).cloned().unwrap_or_default()
    }
}

/// The fields of the current row.
#[derive(Debug, Default)]
struct RowBuffer {
    /// Start and end of each field, in the line or in `unquoted`.
    bounds: Vec<(usize, usize)>,
    unquoted: Vec<u8>,
    is_unquoted: bool,
    /// Whether characters stand beside a quoted part of a field, or a quote within one: the field then joins what the file
    /// keeps apart.
    is_ragged: bool,
}

impl CsvParser {
    /// A parser with a mapping.
    pub fn mapped(mapping: Mapping) -> Self {
        let delimiter = mapping.delimiter;
        Self::new(Table::Mapped(mapping), delimiter)
    }

    /// A parser for a processor's report.
    pub fn report(table: Table) -> Self {
        Self::new(table, None)
    }

    fn new(table: Table, delimiter: Option<u8>) -> Self {
        Self { table, delimiter, line: 1, header: None, row: RowBuffer::default(), rows: Rows::default() }
    }

    /// Looks at a line before the header: skips it or takes it for the header.
    fn before_header(&mut self, line: &[u8], out: &mut Collector) -> Result<(), ReadError> {
        let skip = match &self.table {
            Table::Mapped(mapping) => mapping.skip_lines,
            _ => 0,
        };
        if self.line <= skip || line.trim_ascii().is_empty() {
            return Ok(());
        }
        let text = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let delimiter = self.delimiter.unwrap_or_else(|| most_frequent_delimiter(text));
        let mut row = RowBuffer::default();
        row.split(text, delimiter);
        let names: Vec<String> = row
            .iter(text)
            .map(|name| String::from_utf8_lossy(name).trim().trim_matches('"').to_owned())
            .collect();
        let found = match &mut self.table {
            Table::Mapped(mapping) => bind(mapping, &names)?,
            Table::Stripe(columns) => columns.bind(&names).then(Header::default),
            Table::Adyen(columns) => columns.bind(&names).then(Header::default),
            Table::Paypal(report) => report.1.bind(&names).then(Header::default),
            Table::Wise(columns) => columns.bind(&names).then(Header::default),
        };
        if found.is_some() && !matches!(self.table, Table::Mapped(_)) {
            refuse_twins(&names)?;
        }
        match found {
            Some(mut header) => {
                for name in &names {
                    if let Some(what) = pan::forbidden_name(name) {
                        out.card(self.line, name, what);
                    }
                }
                header.names = names;
                self.delimiter = Some(delimiter);
                self.header = Some(header);
                Ok(())
            }
            None if self.line < PREAMBLE_LINES_MAX => Ok(()),
            None => Err(no_header(&self.table)),
        }
    }

    /// Reads the row in `self.row`.
    fn take_row(&mut self, record: &[u8], raw: RawPlace, out: &mut Collector) -> Result<(), ReadError> {
        let place = Place { line: self.line, raw };
        let Some(header) = &self.header else { return Ok(()) };
        let mut has_card = false;
        for (index, field) in self.row.iter(record).enumerate() {
            if let Some(what) = pan::scan(field) {
                let name = header.names.get(index).map(String::as_str).unwrap_or_default();
                has_card |= out.found(self.line, name, field, what);
            }
        }
        if !self.row.is_ragged {
            out.cover(raw.offset, record.len());
        }
        if has_card {
            out.reject(self.line, "", "card-data", "the row holds card data");
            return Ok(());
        }
        let Ok(text) = std::str::from_utf8(self.row.source(record)) else {
            out.reject(self.line, "", "encoding", "not in the declared character encoding");
            return Ok(());
        };
        let at = |column: usize| self.row.bounds.get(column).and_then(|(start, end)| text.get(*start..*end));
        match &mut self.table {
            Table::Mapped(mapping) => {
                let mut fields: Fields<'_> = [None; Field::ALL.len()];
                for (field, column) in fields.iter_mut().zip(&header.columns) {
                    // A row that ends before the column has a blank there.
                    *field = column.map(|column| at(column).unwrap_or_default());
                }
                self.rows.take(mapping, &fields, place, |field| header.name(field), out)
            }
            Table::Stripe(columns) => columns.take(at, place, out),
            Table::Adyen(columns) => columns.take(at, place, out),
            Table::Paypal(report) => report.1.take(&report.0, at, place, out),
            Table::Wise(columns) => columns.take(at, place, out),
        }
    }

    /// A line or quoted record of the file.
    fn record(
        &mut self,
        record: &[u8],
        raw: &[u8],
        offset: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        if self.header.is_none() {
            if let Table::Mapped(mapping) = &self.table
                && !mapping.header
            {
                if self.line <= mapping.skip_lines {
                    return Ok(());
                }
                let delimiter = self.delimiter.unwrap_or_else(|| most_frequent_delimiter(record));
                self.delimiter = Some(delimiter);
                self.row.split(record, delimiter);
                let names: Vec<String> =
                    (1..=self.row.bounds.len()).map(|number| format!("#{number}")).collect();
                let mut header = bind(mapping, &names)?.ok_or_else(|| no_header(&self.table))?;
                header.names = names;
                self.header = Some(header);
            } else {
                return self.before_header(record, out);
            }
        }
        if record.trim_ascii().is_empty() {
            return Ok(());
        }
        self.row.split(record, self.delimiter.unwrap_or(b','));
        let place =
            RawPlace { offset, len: u32::try_from(raw.len()).unwrap_or(u32::MAX), hash: hash::bytes(0, raw) };
        self.take_row(record, place, out)
    }
}

impl Parser for CsvParser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut at = 0;
        while at < data.len() {
            let Some((length, next, quoted)) = record_end(&data[at..], last) else { break };
            let record = &data[at..at + length];
            let record = record.strip_suffix(b"\r").unwrap_or(record);
            if length > QUOTED_BYTES_MAX && quoted {
                out.reject(self.line, "", "quote-open", "a quoted field is never closed");
            } else {
                self.record(record, record, offset + at as u64, out)?;
            }
            // Only a quoted record can hold line breaks.
            let lines = if quoted { memchr::memchr_iter(b'\n', &data[at..at + next]).count() } else { 1 };
            self.line += lines as u64;
            at += next;
        }
        Ok(at)
    }

    fn finish(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let Some(header) = &self.header else { return Err(no_header(&self.table)) };
        match &mut self.table {
            Table::Mapped(mapping) => self.rows.finish(mapping, |field| header.name(field), out),
            Table::Adyen(columns) => columns.finish(out),
            Table::Paypal(report) => report.1.finish(out),
            Table::Wise(columns) => columns.finish(out),
            Table::Stripe(_) => {}
        }
        Ok(())
    }

    fn line(&self) -> u64 {
        self.line
    }
}

/// The length of the first record, where the next begins, and whether it holds quotes; none while its end is not in
/// sight.
fn record_end(data: &[u8], last: bool) -> Option<(usize, usize, bool)> {
    let newline = memchr::memchr(b'\n', data);
    let first = newline.unwrap_or(data.len());
    if memchr::memchr(b'"', &data[..first]).is_none() {
        return match newline {
            Some(end) => Some((end, end + 1, false)),
            None if last => Some((data.len(), data.len(), false)),
            None => None,
        };
    }
    let mut inside = false;
    for at in memchr::memchr2_iter(b'"', b'\n', data) {
        if data[at] == b'"' {
            inside = !inside;
        } else if !inside {
            return Some((at, at + 1, true));
        }
        if at > QUOTED_BYTES_MAX {
            // The quote is a stray one: the record ends with its first line.
            return newline.map(|end| (end, end + 1, true));
        }
    }
    match (last, inside) {
        (false, _) => None,
        (true, false) => Some((data.len(), data.len(), true)),
        (true, true) => Some((first, (first + 1).min(data.len()), true)),
    }
}

impl RowBuffer {
    /// The bytes that the bounds refer to.
    #[inline]
    fn source<'a>(&'a self, record: &'a [u8]) -> &'a [u8] {
        if self.is_unquoted { &self.unquoted } else { record }
    }

    fn iter<'a>(&'a self, record: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let source = self.source(record);
        self.bounds.iter().map(|(start, end)| &source[*start..*end])
    }

    /// Splits a record into fields.
    #[inline]
    fn split(&mut self, record: &[u8], delimiter: u8) {
        self.bounds.clear();
        self.is_unquoted = memchr::memchr(b'"', record).is_some();
        self.is_ragged = false;
        if self.is_unquoted {
            return self.split_quoted(record, delimiter);
        }
        let mut start = 0;
        for (at, byte) in record.iter().enumerate() {
            if *byte == delimiter {
                self.bounds.push((start, at));
                start = at + 1;
            }
        }
        self.bounds.push((start, record.len()));
    }

    /// Splits a record with quotes; doubled quotes stand for one, quotes inside an unquoted field for themselves.
    fn split_quoted(&mut self, record: &[u8], delimiter: u8) {
        self.unquoted.clear();
        let (mut inside, mut field_start, mut at) = (false, 0, 0);
        let (mut fresh, mut closed) = (true, false);
        while at < record.len() {
            let byte = record[at];
            match byte {
                b'"' if inside && record.get(at + 1) == Some(&b'"') => {
                    self.unquoted.push(b'"');
                    at += 1;
                }
                b'"' if inside => (inside, closed) = (false, true),
                b'"' if fresh => inside = true,
                _ if byte == delimiter && !inside => {
                    self.bounds.push((field_start, self.unquoted.len()));
                    field_start = self.unquoted.len();
                    (fresh, closed) = (true, false);
                    at += 1;
                    continue;
                }
                _ => {
                    self.is_ragged |= !inside && (byte == b'"' || (closed && !byte.is_ascii_whitespace()));
                    self.unquoted.push(byte);
                }
            }
            fresh = fresh && byte == b' ';
            at += 1;
        }
        self.bounds.push((field_start, self.unquoted.len()));
    }
}

/// The delimiter that occurs most often in a line; the comma if none does.
pub(crate) fn most_frequent_delimiter(line: &[u8]) -> u8 {
    let count = |delimiter: u8| line.iter().filter(|byte| **byte == delimiter).count();
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

/// Finds the columns of a mapping in a header; none if what a row needs is not there.
///
/// # Errors
/// Fails where a column that is needed is there twice.
fn bind(mapping: &Mapping, names: &[String]) -> Result<Option<Header>, ReadError> {
    let mut header = Header::default();
    let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
    let usual =
        |field: Field| field.usual_names().iter().find_map(|usual| only(&plain, |name| name == *usual));
    if mapping.columns.is_empty() {
        for field in Field::ALL {
            header.columns[field as usize] = usual(field).transpose().map_err(|at| twins(&names[at]))?;
        }
    }
    for (field, column) in &mapping.columns {
        let found = only(names, |name| name == column)
            .or_else(|| only(names, |name| name.eq_ignore_ascii_case(column)))
            .transpose()
            .map_err(|_| twins(column))?;
        // A column can be named by its place.
        let place =
            || column.strip_prefix('#')?.parse::<usize>().ok()?.checked_sub(1).filter(|at| *at < names.len());
        let Some(found) = found.or_else(place) else { return Ok(None) };
        header.columns[*field as usize] = Some(found);
    }
    if header.columns[Field::Balance as usize].is_none()
        && let Some(Ok(balance)) = usual(Field::Balance)
        && !header.columns.contains(&Some(balance))
    {
        header.columns[Field::Balance as usize] = Some(balance);
    }
    let has = |field: Field| header.columns[field as usize].is_some();
    let amount = has(Field::Amount) || has(Field::Debit) || has(Field::Credit);
    let currency = has(Field::Currency) || mapping.currency.is_some();
    Ok((amount && currency && has(Field::BookingDate)).then_some(header))
}

/// The only name that is meant; an error with the place of the second one if there are two.
fn only(names: &[String], is: impl Fn(&str) -> bool) -> Option<Result<usize, usize>> {
    let mut found = (0..).zip(names).filter(|(_, name)| is(name)).map(|(at, _)| at);
    let first = found.next()?;
    Some(found.next().map_or(Ok(first), Err))
}

/// Refuses a processor's report with two columns of one name: which of them is meant cannot be told.
fn refuse_twins(names: &[String]) -> Result<(), ReadError> {
    let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
    for (at, name) in
        plain.iter().enumerate().filter(|(_, name)| !name.is_empty() && !name.starts_with("reserved"))
    {
        if plain[..at].contains(name) {
            return Err(twins(&names[at]));
        }
    }
    Ok(())
}

fn twins(name: &str) -> ReadError {
    ReadError::Columns(format!(
        "two columns are called \"{}\"; remove one of them, or declare by its place (`#1` is the first column) which one \
         counts, under [left.mapping.columns] or [right.mapping.columns]",
        pan::shown(name)
    ))
}

fn no_header(table: &Table) -> ReadError {
    ReadError::Columns(match table {
        Table::Mapped(mapping) if mapping.columns.is_empty() => {
            "no header with an amount, a currency and a date was found; declare the columns under [left.mapping] or \
             [right.mapping] in the ruleset, or `currency` there if the file has one currency and does not name it"
                .to_owned()
        }
        Table::Mapped(_) => "no header with all the mapped columns was found (an amount, a booking date and a \
                             currency have to be among them)"
            .to_owned(),
        Table::Stripe(_) => "no header of a Stripe balance or payout report was found".to_owned(),
        Table::Adyen(_) => "no header of an Adyen settlement details report was found".to_owned(),
        Table::Paypal(_) => "no header of a PayPal activity report in English was found".to_owned(),
        Table::Wise(_) => "no header of a Wise balance statement was found".to_owned(),
    })
}
