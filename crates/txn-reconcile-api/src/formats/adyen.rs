//! Adyen's settlement details report.
//!
//! Columns as documented at <https://docs.adyen.com/reporting/settlement-reconciliation/transaction-level/>. A payment
//! has a gross amount in the currency of the shopper (GC) and a net amount in the currency of the settlement (NC);
//! the difference, in NC, is commission, markup, scheme fees and interchange.

use std::collections::BTreeMap;

use super::report::{Cells, Names};
use super::row::Place;
use super::statement::{Control, Statement};
use super::{Collector, ReadError, written_in};
use crate::currency::Currency;
use crate::entry::Draft;
use crate::entry::details::{Detail, Details};
use crate::entry::kind::{self, Class, Kind};
use crate::money::{AmountError, AmountSyntax, convert, parse_amount};

/// Where the columns of the report stand.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    gross: [usize; 2],
    gross_currency: usize,
    net: [usize; 2],
    net_currency: usize,
    created: usize,
    zone: Option<usize>,
    kind: usize,
    fees: Vec<usize>,
    psp: Option<usize>,
    reference: Option<usize>,
    batch: Option<usize>,
    account: Option<usize>,
    rate: Option<usize>,
    modification: Option<usize>,
    batches: BTreeMap<(String, Currency), Batch>,
}

/// What a batch settles, and what is paid out for it.
#[derive(Debug, Default)]
struct Batch {
    line: u64,
    account: String,
    entries: u64,
    net: i128,
    paid_out: Option<i128>,
}

impl Columns {
    /// Finds the columns; false if this is not a header of the report.
    pub fn bind(&mut self, names: &[String]) -> bool {
        let names = Names::new(names);
        let needed = names.each([
            "grossdebitgc",
            "grosscreditgc",
            "grosscurrency",
            "netdebitnc",
            "netcreditnc",
            "netcurrency",
            "creationdate",
            "type",
        ]);
        let Some([gd, gc, gross_currency, nd, nc, net_currency, created, kind]) = needed else {
            return false;
        };
        let find = |name| names.find(name);
        *self = Self {
            gross: [gd, gc],
            gross_currency,
            net: [nd, nc],
            net_currency,
            created,
            zone: find("timezone"),
            kind,
            fees: names.all(&["commissionnc", "markupnc", "schemefeesnc", "interchangenc"]),
            psp: find("pspreference"),
            reference: find("merchantreference"),
            batch: find("batchnumber"),
            account: find("merchantaccount"),
            rate: find("exchangerate"),
            modification: find("modificationreference"),
            batches: BTreeMap::new(),
        };
        true
    }

    /// Reads a row.
    pub fn take<'a>(
        &mut self,
        at: impl Fn(usize) -> Option<&'a str>,
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let cells = Cells(at);
        let code = cells.text(self.net_currency);
        let Some(net_currency) = out.currency(place.line, "Net Currency", code) else { return Ok(()) };
        let read = |columns: [usize; 2], currency| side(columns.map(|column| cells.text(column)), currency);
        let net = read(self.net, net_currency);
        let gross_currency = Currency::from_code(cells.text(self.gross_currency).as_bytes());
        let gross = gross_currency.map_or(Ok(None), |currency| read(self.gross, currency));
        let fees: Result<i128, AmountError> =
            self.fees.iter().map(|column| fee(cells.text(*column), net_currency)).sum();
        let (net, gross, fees) = match (net, gross, fees) {
            (Ok(Some(net)), Ok(gross), Ok(fees)) => (net, gross, fees),
            (Ok(None), Ok(_), Ok(_)) => {
                out.reject(place.line, "Net Credit (NC)", "amount-missing", AmountError::Empty.to_string());
                return Ok(());
            }
            (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
                out.reject(place.line, "", "amount-malformed", error.to_string());
                return Ok(());
            }
        };
        let booking =
            match out.day_in(cells.text(self.created), written_in(cells.optional(self.zone)).as_ref()) {
                Ok(booking) => booking,
                Err(fault) => {
                    out.reject(place.line, "Creation Date", fault.code(), fault.message("YYYY-MM-DD"));
                    return Ok(());
                }
            };
        let amount = net + fees;
        if gross_currency == Some(net_currency) && gross.is_some_and(|gross| gross != amount) {
            out.reject(place.line, "Net Credit (NC)", "net-off", "gross less fees is not net");
            return Ok(());
        }
        let psp = cells.optional(self.psp);
        let mut details = Details::default();
        details.put(Detail::Bank, psp);
        details.put(Detail::Bank, cells.optional(self.modification));
        if let (Some(gross), Some(original)) = (gross, gross_currency.filter(|own| *own != net_currency)) {
            details.original(gross, original);
            let rate = crate::money::rate(cells.optional(self.rate), ADYEN_AMOUNTS);
            let converted = rate.as_deref().and_then(|rate| convert(gross, original, rate, net_currency));
            match (&rate, converted) {
                (Some(rate), Some(converted)) => {
                    details.put(Detail::Rate, rate);
                    // The rate has few decimals, so a unit in the last place may be missing.
                    if converted.abs_diff(amount) > 1 {
                        let message = "gross at the rate is not net and fees; the difference is told as that of exchange";
                        out.warn(place.line, "Exchange Rate", "rate-off", message);
                    }
                }
                _ => out.warn(
                    place.line,
                    "Exchange Rate",
                    "rate-missing",
                    "settled in another currency, without a rate",
                ),
            }
        }
        let reference = cells.first(self.reference.into_iter().chain(self.psp));
        let batch = self.batches.entry((cells.optional(self.batch).to_owned(), net_currency)).or_default();
        if batch.entries == 0 {
            batch.line = place.line;
            cells.optional(self.account).clone_into(&mut batch.account);
        }
        batch.entries += 1;
        if kind::class(cells.text(self.kind), &[]) == PAYOUT {
            *batch.paid_out.get_or_insert(0) -= net;
        } else {
            batch.net += net;
        }
        out.entry(&Draft {
            fee: fees,
            reference,
            group: cells.optional(self.batch),
            account: cells.optional(self.account),
            kind: cells.text(self.kind),
            description: psp,
            details: &details.encode(),
            line: place.line,
            raw: place.raw,
            ..Draft::new(amount, net_currency, booking)
        })
    }
}

/// A payout.
const PAYOUT: Class = Class { kind: Kind::Payout, reversal: false };

impl Columns {
    /// Ends the file: each batch that is paid out is held against its payout.
    pub fn finish(&mut self, out: &mut Collector) {
        for ((number, currency), batch) in std::mem::take(&mut self.batches) {
            let paid_out = batch.paid_out.map(|stated| Control {
                what: "payout",
                stated,
                found: batch.net,
                is_money: true,
            });
            out.statements.push(Statement {
                account: batch.account,
                number: format!("batch {number}"),
                currency: Some(currency),
                entries: batch.entries,
                sum: batch.net - batch.paid_out.unwrap_or(0),
                controls: paid_out.into_iter().collect(),
                line: batch.line,
                ..Statement::default()
            });
        }
    }
}

/// Credit less debit; none where both are empty.
fn side([debit, credit]: [&str; 2], currency: Currency) -> Result<Option<i128>, AmountError> {
    if debit.is_empty() && credit.is_empty() {
        return Ok(None);
    }
    let read = |text: &str| {
        if text.is_empty() { Ok(0) } else { parse_amount(text.as_bytes(), currency, ADYEN_AMOUNTS) }
    };
    match (read(debit)?, read(credit)?) {
        // A row moves money in or out.
        (debit, credit) if debit != 0 && credit != 0 => Err(AmountError::Malformed),
        (debit, credit) => Ok(Some(credit - debit)),
    }
}

/// A fee column; empty is none.
fn fee(text: &str, currency: Currency) -> Result<i128, AmountError> {
    if text.is_empty() { Ok(0) } else { parse_amount(text.as_bytes(), currency, ADYEN_AMOUNTS) }
}

/// Plain decimals, two of them even for the yen.
const ADYEN_AMOUNTS: AmountSyntax = AmountSyntax { decimal: b'.', grouping: None, surplus_zeros: true };
