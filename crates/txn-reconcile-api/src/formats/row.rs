//! From the fields of a row to an entry: shared by CSV and NDJSON.

use super::mapping::{Field, Mapping};
use super::{Collector, ReadError};
use crate::currency::Currency;
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

/// Reads a row and keeps it, or refuses it with a remark. `name` gives the column's name for messages.
pub(crate) fn take(
    mapping: &Mapping,
    fields: &Fields<'_>,
    place: Place,
    name: impl Fn(Field) -> String,
    out: &mut Collector,
) -> Result<(), ReadError> {
    match draft(mapping, fields, place) {
        Ok(draft) => out.entry(&draft),
        Err(Fault(field, code, message)) => {
            out.reject(place.line, &name(field), code, message);
            Ok(())
        }
    }
}

#[inline]
fn draft<'a>(mapping: &Mapping, fields: &Fields<'a>, place: Place) -> Result<Draft<'a>, Fault> {
    let text = |field: Field| fields[field as usize].unwrap_or_default().trim_ascii();
    let currency = currency(mapping, text(Field::Currency))?;
    let amount = amount(mapping, fields, currency)?;
    let fee = match text(Field::Fee) {
        "" => 0,
        fee => number(mapping, fee, currency, Field::Fee)?,
    };
    let booking = match text(Field::BookingDate) {
        "" => return Err(Fault(Field::BookingDate, "date-missing", "the booking date is empty".to_owned())),
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
        line: place.line,
        raw: place.raw,
        pending: false,
    })
}

#[inline]
fn currency(mapping: &Mapping, code: &str) -> Result<Currency, Fault> {
    match (code, mapping.currency) {
        ("", Some(currency)) => Ok(currency),
        ("", None) => {
            let message = "no currency: name its column, or one currency for the whole file".to_owned();
            Err(Fault(Field::Currency, "currency-missing", message))
        }
        (code, _) => Currency::from_code(code.as_bytes()).ok_or_else(|| {
            Fault(Field::Currency, "currency-unknown", "not a currency code of ISO 4217".to_owned())
        }),
    }
}

#[inline]
fn amount(mapping: &Mapping, fields: &Fields<'_>, currency: Currency) -> Result<i128, Fault> {
    let text = |field: Field| fields[field as usize].unwrap_or_default().trim_ascii();
    let signed = match (text(Field::Amount), text(Field::Debit), text(Field::Credit)) {
        ("", "", "") => {
            return Err(Fault(Field::Amount, "amount-missing", AmountError::Empty.to_string()));
        }
        ("", debit, credit) => {
            let side = |text: &str, field| {
                if text.is_empty() { Ok(0) } else { number(mapping, text, currency, field) }
            };
            side(credit, Field::Credit)? - side(debit, Field::Debit)?.abs()
        }
        (amount, _, _) => number(mapping, amount, currency, Field::Amount)?,
    };
    match text(Field::Direction) {
        "" => Ok(signed),
        // A sign besides the direction marks a reversal in some exports and repeats it in others; the words decide.
        direction if mapping.is_debit(direction) => Ok(-signed.abs()),
        _ => Ok(signed),
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
    mapping.date(text.as_bytes()).ok_or_else(|| {
        let message = format!("not a date in the notation {}", mapping.dates.pattern());
        Fault(field, "date-malformed", message)
    })
}
