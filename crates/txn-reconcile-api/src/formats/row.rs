//! From the fields of a row to an entry: shared by CSV and NDJSON.

use super::balance::Balances;
use super::mapping::{Field, Mapping};
use super::{Collector, ReadError};
use crate::currency::{Currency, UNKNOWN};
use crate::date::DayFault;
use crate::entry::details::{Detail, Details};
use crate::entry::{Draft, RawPlace};
use crate::money::{AmountError, parse_amount, parse_scaled};

/// The fields of a row, by [`Field`]; none where the file has no such column.
pub(crate) type Fields<'a> = [Option<&'a str>; Field::ALL.len()];

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub line: u64,
    pub raw: RawPlace,
}

/// Why a row is refused: the field, a stable code and a sentence.
struct Fault(Field, &'static str, String);

/// What the rows before say about the next one.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    balances: Balances,
    /// Whether rows had a direction, once there was one.
    directed: Option<bool>,
    /// Whether an amount beside a word for money out was positive, and whether one was negative.
    beside_debit: [bool; 2],
    /// Debits in their own column that were positive, and that were negative.
    in_debit_column: [u64; 2],
}

impl Rows {
    /// Reads a row and keeps it, or refuses it with a remark. `name` gives the column's name for messages.
    pub fn take(
        &mut self,
        mapping: &Mapping,
        fields: &Fields<'_>,
        place: Place,
        name: impl Fn(Field) -> String,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let read = self.draft(mapping, fields, place);
        match read.and_then(|draft| Ok((draft, details(mapping, fields, draft.amount < 0)?))) {
            Ok((draft, encoded)) => {
                self.hold_balance(mapping, fields, &draft, name, out);
                out.entry(&Draft { details: &encoded, ..draft })
            }
            Err(fault) => refuse(fault, place, name, out),
        }
    }

    /// Ends the file: tells whether its balances tie out. `name` as above.
    pub fn finish(&mut self, mapping: &Mapping, name: impl Fn(Field) -> String, out: &mut Collector) {
        let [positive, negative] = self.in_debit_column;
        if mapping.negative_debits.is_none() && positive == 0 && negative > 0 && self.balances.is_empty() {
            let message = "every amount here is negative, and was read as a debit that is reversed, money in; if the \
                           minus says that money went out, set `negative_debits = true` in the mapping";
            out.warn(0, &name(Field::Debit), "debits-negative", message);
        }
        self.balances.finish(&name(Field::Balance), out);
    }

    #[inline]
    fn draft<'a>(
        &mut self,
        mapping: &Mapping,
        fields: &Fields<'a>,
        place: Place,
    ) -> Result<Draft<'a>, Fault> {
        let text = |field: Field| fields[field as usize].unwrap_or_default().trim_ascii();
        let currency = currency(mapping, text(Field::Currency))?;
        let amount = self.amount(mapping, fields, currency)?;
        let fee = match text(Field::Fee) {
            "" => 0,
            fee => number(mapping, fee, currency, Field::Fee)?,
        };
        let booking = match text(Field::BookingDate) {
            "" => {
                return Err(Fault(
                    Field::BookingDate,
                    "date-missing",
                    "the booking date is empty".to_owned(),
                ));
            }
            date => parse_date(mapping, date, Field::BookingDate)?,
        };
        let value = match text(Field::ValueDate) {
            "" => booking,
            date => parse_date(mapping, date, Field::ValueDate)?,
        };
        Ok(Draft {
            amount,
            currency,
            fee,
            booking,
            value,
            reference: text(Field::Reference),
            counterparty: text(Field::Counterparty),
            group: text(Field::Group),
            account: text(Field::Account),
            kind: text(Field::Kind),
            description: text(Field::Description),
            details: "",
            line: place.line,
            raw: place.raw,
            pending: false,
        })
    }

    /// Holds the balance of a row against the rows before.
    fn hold_balance(
        &mut self,
        mapping: &Mapping,
        fields: &Fields<'_>,
        draft: &Draft<'_>,
        name: impl Fn(Field) -> String,
        out: &mut Collector,
    ) {
        let Some(text) = fields[Field::Balance as usize] else { return };
        let balance = match text.trim_ascii() {
            "" => None,
            text => match number(mapping, text, draft.currency, Field::Balance) {
                Ok(balance) => Some(balance),
                Err(Fault(field, _, message)) => {
                    out.warn(draft.line, &name(field), "balance-malformed", message);
                    None
                }
            },
        };
        self.balances.row(draft, balance);
    }

    #[inline]
    fn amount(&mut self, mapping: &Mapping, fields: &Fields<'_>, currency: Currency) -> Result<i128, Fault> {
        let text = |field: Field| fields[field as usize].unwrap_or_default().trim_ascii();
        let signed = match (text(Field::Amount), text(Field::Debit), text(Field::Credit)) {
            ("", "", "") => {
                return Err(Fault(Field::Amount, "amount-missing", AmountError::Empty.to_string()));
            }
            ("", debit, credit) => self.sides(mapping, [debit, credit], currency)?,
            (amount, "", "") => number(mapping, amount, currency, Field::Amount)?,
            (amount, debit, credit) => {
                let stated = number(mapping, amount, currency, Field::Amount)?;
                let signed = self.sides(mapping, [debit, credit], currency)?;
                if stated.unsigned_abs() != signed.unsigned_abs() {
                    let message = "not the amount of the debit and credit columns of the row".to_owned();
                    return Err(Fault(Field::Amount, "amounts-differ", message));
                }
                signed
            }
        };
        let direction = fields[Field::Direction as usize];
        let expected = mapping.columns.iter().any(|(field, _)| *field == Field::Direction);
        match direction {
            None if !expected && self.directed != Some(true) => {
                self.directed = Some(false);
                Ok(signed)
            }
            direction => {
                if self.directed == Some(false) {
                    let message = "this row has a direction and rows before it had none".to_owned();
                    return Err(Fault(Field::Direction, "direction-mixed", message));
                }
                self.directed = Some(true);
                self.directed(mapping, direction.unwrap_or_default(), signed)
            }
        }
    }

    /// Credit less debit, of which one is zero or blank.
    fn sides(
        &mut self,
        mapping: &Mapping,
        [debit, credit]: [&str; 2],
        currency: Currency,
    ) -> Result<i128, Fault> {
        let side = |text: &str, field| {
            if text.is_empty() { Ok(0) } else { number(mapping, text, currency, field) }
        };
        let (debit, credit) = (side(debit, Field::Debit)?, side(credit, Field::Credit)?);
        if debit != 0 && credit != 0 {
            let message = "a row moves money out or in, and this one states both".to_owned();
            return Err(Fault(Field::Debit, "debit-and-credit", message));
        }
        if debit != 0 {
            self.in_debit_column[usize::from(debit < 0)] += 1;
        }
        Ok(credit + if mapping.negative_debits == Some(true) { debit } else { -debit })
    }

    /// The amount with the sign that its direction gives it.
    fn directed(&mut self, mapping: &Mapping, word: &str, signed: i128) -> Result<i128, Fault> {
        let fault = |code, message: String| Err(Fault(Field::Direction, code, message));
        let Some(debit) = mapping.is_debit(word) else {
            let what =
                if word.trim().is_empty() { "the direction is blank" } else { "the direction is not known" };
            return fault(
                "direction-unknown",
                format!(
                    "{what}; known for money out are {}, for money in {}; others are declared as debit_words and \
                     credit_words",
                    mapping.debit_words.join(", "),
                    mapping.credit_words.join(", ")
                ),
            );
        };
        match (debit, mapping.negative_debits) {
            // The minus is the direction once more, or its reversal, as it was declared.
            (_, Some(true)) => Ok(signed),
            (true, Some(false)) => Ok(-signed),
            (false, Some(false)) => Ok(signed),
            (false, None) if signed < 0 => fault(
                "direction-contradicts",
                "a negative amount beside a word for money in; say what the minus means with `negative_debits`"
                    .to_owned(),
            ),
            (false, None) => Ok(signed),
            (true, None) => {
                if signed != 0 {
                    self.beside_debit[usize::from(signed < 0)] = true;
                }
                if self.beside_debit == [true; 2] {
                    self.beside_debit[usize::from(signed < 0)] = false;
                    return fault(
                        "direction-sign",
                        "some amounts beside words for money out are negative and some are not; say what the minus \
                         means with `negative_debits`"
                            .to_owned(),
                    );
                }
                Ok(-signed.abs())
            }
        }
    }
}

fn refuse(
    Fault(field, code, message): Fault,
    place: Place,
    name: impl Fn(Field) -> String,
    out: &mut Collector,
) -> Result<(), ReadError> {
    out.reject(place.line, &name(field), code, message);
    Ok(())
}

/// The details of a row, encoded; nothing unless their columns are declared.
#[inline]
fn details(mapping: &Mapping, fields: &Fields<'_>, negative: bool) -> Result<String, Fault> {
    if fields[Field::BankReference as usize..].iter().all(Option::is_none) {
        return Ok(String::new());
    }
    let text = |field: Field| fields[field as usize].unwrap_or_default().trim_ascii();
    let mut details = Details::default();
    for (field, detail) in Field::DETAILS {
        details.put(detail, text(field));
    }
    let (amount, code) = (text(Field::OriginalAmount), text(Field::OriginalCurrency));
    if !amount.is_empty() {
        let currency = Currency::from_code(code.as_bytes())
            .ok_or_else(|| Fault(Field::OriginalCurrency, "currency-unknown", UNKNOWN.to_owned()))?;
        let minor = number(mapping, amount, currency, Field::OriginalAmount)?.abs();
        details.original(if negative { -minor } else { minor }, currency);
        let rate = text(Field::Rate);
        if !rate.is_empty() {
            let plain = crate::money::rate(rate, mapping.amounts).ok_or_else(|| {
                Fault(Field::Rate, "rate-malformed", "not a positive decimal number".to_owned())
            })?;
            details.put(Detail::Rate, &plain);
        }
    }
    Ok(details.encode())
}

#[inline]
fn currency(mapping: &Mapping, code: &str) -> Result<Currency, Fault> {
    match (code, mapping.currency) {
        ("", Some(currency)) => Ok(currency),
        ("", None) => {
            let message = "no currency: name its column, or one currency for the whole file".to_owned();
            Err(Fault(Field::Currency, "currency-missing", message))
        }
        (code, _) => Currency::from_code(code.as_bytes())
            .ok_or_else(|| Fault(Field::Currency, "currency-unknown", UNKNOWN.to_owned())),
    }
}

#[inline]
fn number(mapping: &Mapping, text: &str, currency: Currency, field: Field) -> Result<i128, Fault> {
    let parsed = if mapping.minor_units {
        parse_scaled(text.as_bytes(), 0, mapping.amounts)
    } else {
        parse_amount(text.as_bytes(), currency, mapping.amounts)
    };
    parsed.map_err(|error| {
        let code = match error {
            AmountError::TooPrecise { .. } => "amount-too-precise",
            _ => "amount-malformed",
        };
        Fault(field, code, error.to_string())
    })
}

#[inline]
fn parse_date(mapping: &Mapping, text: &str, field: Field) -> Result<crate::date::Date, Fault> {
    let fault = |fault: DayFault| Fault(field, fault.code(), fault.message(mapping.dates.pattern()));
    mapping.date(text.as_bytes()).map_err(fault)
}
