//! Wise's balance statement in CSV.
//!
//! Amounts are signed, and a fee is a row of its own (`FEE-…`), which the column of fees repeats; so that column is not
//! taken: the running balance, which is held against the amounts, bears that out.

use super::balance::Balances;
use super::report::{Cells, Names};
use super::row::Place;
use super::{Collector, ReadError};
use crate::currency::Currency;
use crate::date::{Date, DateFormat, DayFault};
use crate::entry::Draft;
use crate::entry::details::{Detail, Details};
use crate::money::{AmountSyntax, inverse_rate, parse_amount, rate};

/// Where the columns of the statement stand.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    number: usize,
    date: usize,
    time: Option<usize>,
    amount: usize,
    currency: usize,
    description: Option<usize>,
    note: Option<usize>,
    reference: Option<usize>,
    balance: Option<usize>,
    from: Option<usize>,
    to: Option<usize>,
    to_amount: Option<usize>,
    rate: Option<usize>,
    payer: Option<usize>,
    payee: Option<usize>,
    merchant: Option<usize>,
    account: Option<usize>,
    kind: Option<usize>,
    balances: Balances,
}

/// Plain decimals.
const WISE_AMOUNTS: AmountSyntax = AmountSyntax { decimal: b'.', grouping: None, surplus_zeros: true };

impl Columns {
    /// Finds the columns; false if this is not a header of the statement.
    pub fn bind(&mut self, names: &[String]) -> bool {
        let names = Names::new(names);
        let needed = names.each(["transferwiseid", "date", "amount", "currency"]);
        let Some([number, date, amount, currency]) = needed else { return false };
        let find = |name| names.find(name);
        *self = Self {
            number,
            date,
            time: find("datetime"),
            amount,
            currency,
            description: find("description"),
            note: find("note"),
            reference: find("paymentreference"),
            balance: find("runningbalance"),
            from: find("exchangefrom"),
            to: find("exchangeto"),
            to_amount: find("exchangetoamount"),
            rate: find("exchangerate"),
            payer: find("payername"),
            payee: find("payeename"),
            merchant: find("merchant"),
            account: find("payeeaccountnumber"),
            kind: find("transactiondetailstype"),
            balances: Balances::default(),
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
        let Some(currency) = out.currency(place.line, "Currency", cells.text(self.currency)) else {
            return Ok(());
        };
        let amount = match parse_amount(cells.text(self.amount).as_bytes(), currency, WISE_AMOUNTS) {
            Ok(amount) => amount,
            Err(error) => {
                out.reject(place.line, "Amount", "amount-malformed", error.to_string());
                return Ok(());
            }
        };
        let stamp = Some(cells.optional(self.time)).filter(|stamp| !stamp.is_empty() && out.zones.is_some());
        let booking = match day(stamp.unwrap_or_else(|| cells.text(self.date)), out) {
            Ok(booking) => booking,
            Err(fault) => {
                out.reject(place.line, "Date", fault.code(), fault.message("DD-MM-YYYY"));
                return Ok(());
            }
        };
        let number = cells.text(self.number);
        let mut details = Details::default();
        details.put(Detail::Bank, number);
        details.put(Detail::CounterpartyAccount, cells.optional(self.account));
        if let Err(column) = self.conversion((amount, currency), &cells, &mut details) {
            out.reject(
                place.line,
                column,
                "amount-malformed",
                "not an amount of the currency that was exchanged to",
            );
            return Ok(());
        }
        let party = if amount < 0 { [self.payee, self.merchant] } else { [self.payer, self.merchant] };
        let party = cells.first(party.into_iter().flatten());
        let description = cells.joined([self.description, self.note].into_iter().flatten());
        // A fee is named by what it is charged for: `FEE-CARD-1`.
        let prefix = number.split('-').next().unwrap_or_default();
        let kind = match (prefix, cells.optional(self.kind)) {
            ("FEE", _) => "fee",
            (prefix, "") => prefix,
            (_, kind) => kind,
        };
        let encoded = details.encode();
        let draft = Draft {
            reference: cells.optional(self.reference),
            counterparty: party,
            kind,
            description: &description,
            details: &encoded,
            line: place.line,
            raw: place.raw,
            ..Draft::new(amount, currency, booking)
        };
        if let Some(column) = self.balance {
            let balance = parse_amount(cells.text(column).as_bytes(), currency, WISE_AMOUNTS).ok();
            if balance.is_none() && !cells.text(column).is_empty() {
                out.warn(place.line, "Running Balance", "balance-malformed", "the balance cannot be read");
            }
            self.balances.row(&draft, balance);
        }
        out.entry(&draft)
    }

    /// What the amount became in another currency: the other side knows it by that.
    fn conversion<'a>(
        &self,
        (amount, currency): (i128, Currency),
        cells: &Cells<impl Fn(usize) -> Option<&'a str>>,
        details: &mut Details,
    ) -> Result<(), &'static str> {
        let code = |column| Currency::from_code(cells.optional(column).as_bytes());
        let (Some(from), Some(to)) = (code(self.from), code(self.to)) else { return Ok(()) };
        let stated = cells.optional(self.to_amount);
        if from != currency || to == currency || stated.is_empty() {
            return Ok(());
        }
        let minor =
            parse_amount(stated.as_bytes(), to, WISE_AMOUNTS).map_err(|_| "Exchange To Amount")?.abs();
        details.original(if amount < 0 { -minor } else { minor }, to);
        // The rate is that of the account's currency to the other one.
        if let Some(rate) = rate(cells.optional(self.rate), WISE_AMOUNTS).and_then(|rate| inverse_rate(&rate))
        {
            details.put(Detail::Rate, &rate);
        }
        Ok(())
    }

    /// Ends the file: tells whether its balances tie out.
    pub fn finish(&mut self, out: &mut Collector) {
        self.balances.finish("Running Balance", out);
    }
}

/// `DD-MM-YYYY`, with a time behind it where days are counted in a time zone.
fn day(text: &str, out: &Collector) -> Result<Date, DayFault> {
    let notation = DateFormat::compile("DD-MM-YYYY").ok_or(DayFault::Date)?;
    let (date, rest) = notation.parse_with_rest(text.as_bytes()).ok_or(DayFault::Date)?;
    match &out.zones {
        Some(zones) => zones.day(date, rest),
        None => Ok(date),
    }
}
