//! Stripe reports: the payout reconciliation and balance reports (itemized), and the balance history export.
//!
//! Columns as documented at <https://docs.stripe.com/reports/report-types/payout-reconciliation> and
//! <https://docs.stripe.com/reports/report-types/balance>. The stated amount is gross; the fee is a cost, so that
//! `net = gross - fee`, which is checked on every row.

use jiff::tz::TimeZone;

use super::mapping::plain_name;
use super::report::{Cells, Names};
use super::row::Place;
use super::{Collector, ReadError};
use crate::currency::Currency;
use crate::entry::Draft;
use crate::entry::details::{Detail, Details};
use crate::money::{AmountSyntax, parse_amount};

/// Where the columns of the report stand.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    id: usize,
    amount: usize,
    fee: usize,
    net: usize,
    currency: usize,
    created: usize,
    reference: Vec<usize>,
    available: Option<usize>,
    /// Whether the two columns of dates are named for UTC.
    in_utc: [bool; 2],
    kind: Option<usize>,
    payout: Option<usize>,
    customer: Option<usize>,
    description: Option<usize>,
    source: Option<usize>,
    faced: Option<(usize, usize)>,
    rate: Option<usize>,
}

impl Columns {
    /// Finds the columns; false if this is not a header of such a report.
    pub fn bind(&mut self, names: &[String]) -> bool {
        let header = names;
        let names = Names::new(header);
        let find = |wanted: &[&str]| names.first(wanted);
        let needed = (
            find(&["balancetransactionid", "id"]),
            find(&["gross", "amount"]),
            find(&["fee"]),
            find(&["net"]),
            find(&["currency"]),
            find(&["createdutc", "created", "balancetransactioncreatedutc"]),
        );
        let (Some(id), Some(amount), Some(fee), Some(net), Some(currency), Some(created)) = needed else {
            return false;
        };
        let available = find(&["availableonutc", "availableon"]);
        // A merchant's own reference goes before Stripe's; which of them there are depends on the report's settings.
        let references = [
            "paymentmetadataorderid",
            "paymentmetadatareference",
            "orderidmetadata",
            "merchantreference",
            "sourceid",
            "source",
        ];
        *self = Self {
            id,
            amount,
            fee,
            net,
            currency,
            created,
            reference: names.all(&references),
            available,
            in_utc: [created, available.unwrap_or(created)]
                .map(|column| plain_name(&header[column]).ends_with("utc")),
            kind: find(&["reportingcategory", "type"]),
            payout: find(&["automaticpayoutid", "payoutid", "transfer"]),
            customer: find(&["customername", "customerid", "customeremail"]),
            description: find(&["description"]),
            source: find(&["sourceid", "source"]),
            faced: find(&["customerfacingamount"]).zip(find(&["customerfacingcurrency"])),
            rate: find(&["exchangerate", "fxrate"]),
        };
        true
    }

    /// Reads a row.
    pub fn take<'a>(
        &self,
        at: impl Fn(usize) -> Option<&'a str>,
        place: Place,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let cells = Cells(at);
        let Some(currency) = out.currency(place.line, "currency", cells.text(self.currency)) else {
            return Ok(());
        };
        let mut numbers = [0; 3];
        for (number, (column, name)) in
            numbers.iter_mut().zip([(self.amount, "gross"), (self.fee, "fee"), (self.net, "net")])
        {
            match parse_amount(cells.text(column).as_bytes(), currency, STRIPE_AMOUNTS) {
                Ok(value) => *number = value,
                Err(error) => {
                    out.reject(place.line, name, "amount-malformed", error.to_string());
                    return Ok(());
                }
            }
        }
        let [amount, fee, net] = numbers;
        if amount - fee != net {
            out.reject(place.line, "net", "net-off", "gross less fee is not net");
            return Ok(());
        }
        let day =
            |column: usize, is_utc: bool| out.day_in(cells.text(column), is_utc.then_some(&TimeZone::UTC));
        let [created_utc, available_utc] = self.in_utc;
        let booking = day(self.created, created_utc).map_err(|fault| (fault, "created"));
        let value = match self.available.filter(|column| !cells.text(*column).is_empty()) {
            None => booking,
            Some(column) => day(column, available_utc).map_err(|fault| (fault, "available_on")),
        };
        let (booking, value) = match (booking, value) {
            (Ok(booking), Ok(value)) => (booking, value),
            (Err((fault, name)), _) | (_, Err((fault, name))) => {
                out.reject(place.line, name, fault.code(), fault.message("YYYY-MM-DD"));
                return Ok(());
            }
        };
        let mut details = Details::default();
        details.put(Detail::Bank, cells.text(self.id));
        details.put(Detail::Bank, cells.optional(self.source));
        if let Some((faced, code)) = self.faced {
            let original =
                Currency::from_code(cells.text(code).as_bytes()).filter(|original| *original != currency);
            if let Some(original) = original.filter(|_| !cells.text(faced).is_empty()) {
                let Ok(minor) = parse_amount(cells.text(faced).as_bytes(), original, STRIPE_AMOUNTS) else {
                    out.reject(place.line, "customer_facing_amount", "amount-malformed", "not an amount");
                    return Ok(());
                };
                details.original(if amount < 0 { -minor.abs() } else { minor.abs() }, original);
                if let Some(rate) = crate::money::rate(cells.optional(self.rate), STRIPE_AMOUNTS) {
                    details.put(Detail::Rate, &rate);
                }
            }
        }
        out.entry(&Draft {
            fee,
            value,
            reference: cells.first(self.reference.iter().copied()),
            details: &details.encode(),
            counterparty: cells.optional(self.customer),
            group: cells.optional(self.payout),
            kind: cells.optional(self.kind),
            description: cells.optional(self.description),
            line: place.line,
            raw: place.raw,
            ..Draft::new(amount, currency, booking)
        })
    }
}

/// Stripe writes plain decimals, with a grouping comma in some dashboard exports, and two decimals even for the yen.
const STRIPE_AMOUNTS: AmountSyntax =
    AmountSyntax { decimal: b'.', grouping: Some(b','), surplus_zeros: true };
