//! PayPal's activity report, as merchants download it in CSV with English column names.
//!
//! Gross, a fee that is negative where it is a cost, and net, which each row has to bear out. Rows that do not touch the
//! balance (`Memo`) take no part; the balance column is held against the net amounts. What the language of the account
//! decides, the order of day and month and the decimal mark, is not guessed.

use super::balance::Balances;
use super::mapping::{Mapping, plain_name};
use super::report::{Cells, Names};
use super::row::Place;
use super::{Collector, ReadError, written_in};
use crate::date::{Date, DateFormat, DayFault};
use crate::entry::Draft;
use crate::entry::details::{Detail, Details};
use crate::money::{AmountSyntax, parse_amount};

/// Where the columns of the report stand.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    date: usize,
    time: Option<usize>,
    zone: Option<usize>,
    kind: usize,
    status: usize,
    currency: usize,
    gross: usize,
    fee: usize,
    net: usize,
    number: usize,
    name: Option<usize>,
    related: Option<usize>,
    references: Vec<usize>,
    texts: Vec<usize>,
    balance: Option<usize>,
    impact: Option<usize>,
    balances: Balances,
}

/// What a row does to the balance.
enum Impact {
    /// It is booked.
    Booked,
    /// It is announced, or held, and not booked.
    None,
}

impl Columns {
    /// Finds the columns; false if this is not a header of the report.
    pub fn bind(&mut self, names: &[String]) -> bool {
        let names = Names::new(names);
        let needed = ["date", "type", "status", "currency", "gross", "fee", "net", "transactionid"];
        let Some([date, kind, status, currency, gross, fee, net, number]) = names.each(needed) else {
            return false;
        };
        let find = |name| names.find(name);
        *self = Self {
            date,
            time: find("time"),
            zone: find("timezone"),
            kind,
            status,
            currency,
            gross,
            fee,
            net,
            number,
            name: find("name"),
            related: find("referencetxnid"),
            references: names.all(&["invoicenumber", "customnumber"]),
            texts: names.all(&["subject", "note", "itemtitle"]),
            balance: find("balance"),
            impact: find("balanceimpact"),
            balances: Balances::default(),
        };
        true
    }

    /// Reads a row.
    pub fn take<'a>(
        &mut self,
        mapping: &Mapping,
        at: impl Fn(usize) -> Option<&'a str>,
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let cells = Cells(at);
        let Some(currency) = out.currency(place.line, "Currency", cells.text(self.currency)) else {
            return Ok(());
        };
        let syntax = amounts(mapping);
        let number = |column: usize| parse_amount(cells.text(column).as_bytes(), currency, syntax);
        let (gross, fee, net) = match (number(self.gross), number(self.fee), number(self.net)) {
            (Ok(gross), Ok(fee), Ok(net)) => (gross, fee, net),
            (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
                let message =
                    format!("{error}; say `decimal` and `grouping` in the mapping if they are not . and ,");
                out.reject(place.line, "Gross", "amount-malformed", message);
                return Ok(());
            }
        };
        if gross + fee != net {
            out.reject(place.line, "Net", "net-off", "gross and fee do not come to net");
            return Ok(());
        }
        let booking = match self.day(mapping, &cells, out) {
            Ok(booking) => booking,
            Err((code, message)) => {
                out.reject(place.line, "Date", code, message);
                return Ok(());
            }
        };
        let impact = match impact(cells.optional(self.impact), cells.text(self.status), net) {
            Ok(impact) => impact,
            Err((column, code, message)) => {
                out.reject(place.line, column, code, message);
                return Ok(());
            }
        };
        let mut details = Details::default();
        details.put(Detail::Bank, cells.text(self.number));
        details.put(Detail::Bank, cells.optional(self.related));
        let references = self.references.iter().copied().chain([self.number]);
        let description = cells.joined(self.texts.iter().copied());
        let encoded = details.encode();
        let draft = Draft {
            fee: -fee,
            reference: cells.first(references),
            counterparty: cells.optional(self.name),
            kind: cells.text(self.kind),
            description: &description,
            details: &encoded,
            line: place.line,
            raw: place.raw,
            pending: matches!(impact, Impact::None),
            ..Draft::new(gross, currency, booking)
        };
        if let (Impact::Booked, Some(column)) = (&impact, self.balance) {
            let balance = number(column).ok();
            if balance.is_none() && !cells.text(column).is_empty() {
                out.warn(place.line, "Balance", "balance-malformed", "the balance cannot be read");
            }
            // The balance moves by what is left of the amount.
            self.balances.row(&Draft { amount: net, ..draft }, balance);
        }
        out.entry(&draft)
    }

    /// The day of the row, by date, time and zone.
    fn day<'a>(
        &self,
        mapping: &Mapping,
        cells: &Cells<impl Fn(usize) -> Option<&'a str>>,
        out: &Collector,
    ) -> Result<Date, (&'static str, String)> {
        let written = cells.text(self.date);
        let notation = notation(mapping, written).ok_or_else(|| {
            let message = "a date with slashes begins with the day or the month, as the account's language has it; say \
                           `date_format` in the mapping: DD/MM/YYYY or MM/DD/YYYY";
            ("date-ambiguous", message.to_owned())
        })?;
        let fault = |fault: DayFault| (fault.code(), fault.message(notation.pattern()));
        let (date, _) = notation.parse_with_rest(written.as_bytes()).ok_or(DayFault::Date).map_err(fault)?;
        let (Some(zones), Some(time)) = (&out.zones, self.time) else { return Ok(date) };
        let zones = match self.zone.and_then(|column| written_in(cells.text(column))) {
            Some(zone) => zones.written_in(zone),
            None => zones.clone(),
        };
        zones.day(date, cells.text(time).as_bytes()).map_err(fault)
    }

    /// Ends the file: tells whether its balances tie out.
    pub fn finish(&mut self, out: &mut Collector) {
        self.balances.finish("Balance", out);
    }
}

/// The notation of the dates: the declared one, or one that cannot be another.
fn notation(mapping: &Mapping, text: &str) -> Option<DateFormat> {
    if mapping.dates != DateFormat::iso() {
        return Some(mapping.dates.clone());
    }
    match text {
        text if text.contains('/') => None,
        text if text.contains('.') => DateFormat::compile("DD.MM.YYYY"),
        _ => Some(DateFormat::iso()),
    }
}

/// How amounts are written: as declared, else with a point and groups of thousands between commas.
fn amounts(mapping: &Mapping) -> AmountSyntax {
    let declared = mapping.amounts.decimal != b'.' || mapping.amounts.grouping.is_some();
    let grouping = if declared { mapping.amounts.grouping } else { Some(b',') };
    AmountSyntax { grouping, surplus_zeros: true, ..mapping.amounts }
}

/// What a row does to the balance: by its own word for it, else by its status.
fn impact(word: &str, status: &str, net: i128) -> Result<Impact, (&'static str, &'static str, &'static str)> {
    let status = plain_name(status);
    if status == "pending" {
        return Ok(Impact::None);
    }
    match plain_name(word).as_str() {
        "memo" => return Ok(Impact::None),
        "credit" if net >= 0 => return Ok(Impact::Booked),
        "debit" if net <= 0 => return Ok(Impact::Booked),
        "" => {}
        "credit" | "debit" => {
            return Err(("Balance Impact", "direction-contradicts", "the net amount has the other sign"));
        }
        _ => return Err(("Balance Impact", "direction-unknown", "none of Credit, Debit and Memo")),
    }
    match status.as_str() {
        "completed" | "refunded" | "partiallyrefunded" | "reversed" | "cleared" => Ok(Impact::Booked),
        _ => Err((
            "Status",
            "status-unknown",
            "none of Completed, Refunded, Partially Refunded, Reversed, Cleared and Pending; download the report with its \
             balance impact",
        )),
    }
}
