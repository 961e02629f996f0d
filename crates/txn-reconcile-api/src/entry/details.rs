//! What an entry carries beside its reference: identifiers, each under its own name, and the amount before conversion.
//!
//! They are kept apart from the reference, because some of them only one side can know: a bank's own number must not
//! stand in the way of a match. An entry without any costs nothing.

use std::fmt::Write;

use crate::currency::Currency;

contract::closed_list! {
    /// A kind of detail. The order is that in which they are written.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Detail {
        /// The reference of the payer to the payee, from end to end (ISO 20022 `EndToEndId`, `EREF`).
        EndToEnd,
        /// The payee's structured reference (ISO 11649 `RF…`, the Swiss QRR).
        CreditorReference,
        /// The document that is paid (ISO 20022 `RfrdDocInf`).
        Document,
        /// The payer's instruction (ISO 20022 `InstrId`, `KREF`).
        Instruction,
        /// The transaction between the banks (ISO 20022 `TxId`).
        Transaction,
        /// The unique end-to-end transaction reference (UUID of SWIFT gpi).
        Uetr,
        /// The number of a cheque.
        Cheque,
        /// The mandate of a direct debit.
        Mandate,
        /// The bank's number of the booking that the entry is, or is part of.
        Booking,
        /// The bank's or processor's own number, which the other side does not know.
        Bank,
        /// Why it was returned (ISO 20022 external code, NACHA `R01`).
        ReturnReason,
        /// The other party's account.
        CounterpartyAccount,
        /// Amount before conversion, in minor units of its currency.
        OriginalMinor,
        /// Currency before conversion (ISO 4217).
        OriginalCurrency,
        /// The rate: units of the booked currency for one of the original, as the file states it.
        Rate,
    }
}

impl Detail {
    /// The name in lists and stored forms.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EndToEnd => "end_to_end",
            Self::CreditorReference => "creditor_reference",
            Self::Document => "document",
            Self::Instruction => "instruction",
            Self::Transaction => "transaction",
            Self::Uetr => "uetr",
            Self::Cheque => "cheque",
            Self::Mandate => "mandate",
            Self::Booking => "booking",
            Self::Bank => "bank",
            Self::ReturnReason => "return_reason",
            Self::CounterpartyAccount => "counterparty_account",
            Self::OriginalMinor => "original_minor",
            Self::OriginalCurrency => "original_currency",
            Self::Rate => "rate",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detail| detail.name() == name)
    }

    /// Whether the other side can know it, and know this one payment by it. A mandate is that of many payments.
    #[must_use]
    pub fn is_shared(self) -> bool {
        matches!(
            self,
            Self::EndToEnd
                | Self::CreditorReference
                | Self::Document
                | Self::Instruction
                | Self::Transaction
                | Self::Uetr
                | Self::Cheque
        )
    }
}

/// Details on their way into an entry.
#[derive(Clone, Debug, Default)]
pub struct Details(Vec<(Detail, String)>);

impl Details {
    /// Adds a value, unless it is a placeholder or there already. Line ends in it become blanks.
    pub fn put(&mut self, detail: Detail, value: &str) {
        let value = value.trim();
        if is_placeholder(value) {
            return;
        }
        let value =
            if value.contains(['\n', '\r']) { value.replace(['\n', '\r'], " ") } else { value.to_owned() };
        if !self.0.iter().any(|(known, text)| *known == detail && *text == value) {
            self.0.push((detail, value));
        }
    }

    /// Adds the amount before conversion.
    pub fn original(&mut self, minor: i128, currency: Currency) {
        self.0.push((Detail::OriginalMinor, minor.to_string()));
        self.0.push((Detail::OriginalCurrency, currency.code().to_owned()));
    }

    /// Adds those of another.
    pub fn append(&mut self, other: Self) {
        for item in other.0 {
            if !self.0.contains(&item) {
                self.0.push(item);
            }
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The form in which an entry keeps them: `name=value`, one on each line, by kind and value.
    #[must_use]
    pub fn encode(mut self) -> String {
        self.0.sort_unstable();
        let mut text = String::new();
        for (detail, value) in self.0 {
            if !text.is_empty() {
                text.push('\n');
            }
            // Writing to a string does not fail.
            let _ = write!(text, "{}={value}", detail.name());
        }
        text
    }
}

/// The details of an encoded text.
pub fn iter(text: &str) -> impl Iterator<Item = (Detail, &str)> {
    text.lines().filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        Some((Detail::from_name(name)?, value))
    })
}

/// The same details with the amount before conversion turned round.
#[must_use]
pub fn negated(text: &str) -> String {
    let turned = |line: &str| match (line.split_once('='), original(text)) {
        (Some((name, _)), Some((minor, _))) if name == Detail::OriginalMinor.name() => {
            format!("{name}={}", -minor)
        }
        _ => line.to_owned(),
    };
    text.lines().map(turned).collect::<Vec<_>>().join("\n")
}

/// Amount and currency before conversion.
#[must_use]
pub fn original(text: &str) -> Option<(i128, Currency)> {
    let minor = find(text, Detail::OriginalMinor).parse().ok()?;
    Some((minor, Currency::from_code(find(text, Detail::OriginalCurrency).as_bytes())?))
}

/// The first value of a kind; empty if there is none.
#[must_use]
pub fn find(text: &str, wanted: Detail) -> &str {
    iter(text).find(|(detail, _)| *detail == wanted).map_or("", |(_, value)| value)
}

/// Whether a text is as [`Details::encode`] makes it.
#[must_use]
pub fn is_encoded(text: &str) -> bool {
    text.is_empty() || iter(text).count() == text.split('\n').count()
}

/// Texts that stand where there is no reference: SWIFT's `NONREF`, ISO 20022's `NOTPROVIDED`, what databases write, and
/// labels that stand alone, whose value the bank left out.
const PLACEHOLDERS: [&str; 21] = [
    "NONREF",
    "NOREF",
    "NOREFERENCE",
    "NOTPROVIDED",
    "NOTAVAILABLE",
    "NOTAPPLICABLE",
    "NA",
    "NONE",
    "NULL",
    "NIL",
    "UNKNOWN",
    "UNDEFINED",
    "EREF",
    "KREF",
    "MREF",
    "CRED",
    "SVWZ",
    "REMI",
    "ENDTOENDID",
    "KEINEANGABE",
    "NAN",
];

/// Whether a reference says that there is none: blank, marks or zeros alone, one of [`PLACEHOLDERS`], or such a word
/// behind its label (`EREF+NOTPROVIDED`, `/EREF/NONREF`).
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    // No placeholder has a digit but zero, and nearly every reference has one.
    if text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        return false;
    }
    let mut parts = text.split(['+', '/', ':', '=']).map(str::trim).filter(|part| !part.is_empty());
    let blank = |part: &str| {
        let plain: String =
            part.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect();
        plain.bytes().all(|byte| byte == b'0') || PLACEHOLDERS.contains(&plain.as_str())
    };
    blank(text) || parts.all(blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_come_back_by_name_in_one_order() {
        let mut details = Details::default();
        details.put(Detail::Bank, "B1");
        details.put(Detail::EndToEnd, "E=1");
        details.put(Detail::EndToEnd, "NOTPROVIDED");
        details.put(Detail::Bank, "B1");
        let text = details.encode();
        assert_eq!(text, "end_to_end=E=1\nbank=B1");
        assert_eq!(
            (find(&text, Detail::EndToEnd), find(&text, Detail::Bank), find(&text, Detail::Uetr)),
            ("E=1", "B1", "")
        );
        let mut converted = Details::default();
        converted.original(-5, Currency::from_code(b"GBP").unwrap());
        let converted = negated(&converted.encode());
        assert_eq!(original(&converted).map(|(minor, currency)| (minor, currency.code())), Some((5, "GBP")));
        assert!(is_encoded(&text) && is_encoded("") && !is_encoded("what"));
    }

    #[test]
    fn names_lead_back() {
        for detail in Detail::ALL {
            assert_eq!(Detail::from_name(detail.name()), Some(detail));
        }
        assert!(Detail::ALL.is_sorted());
    }

    #[test]
    fn what_says_that_there_is_no_reference_is_told_from_one() {
        for blank in [
            "",
            "NONREF",
            "nonref",
            "NOTPROVIDED",
            "Not Provided",
            "NULL",
            "null",
            "0",
            "000000",
            "EREF+",
            "KREF+",
            "EREF+NOTPROVIDED",
            "/EREF/",
            "n/a",
            "-",
            "--",
            "N/A",
            "NONE",
            "Not-Applicable",
        ] {
            assert!(is_placeholder(blank), "{blank}");
        }
        for reference in ["INV-0", "0001", "NONREF-1", "EREF+INV-1", "A", "10", "NULL1", "REF/0"] {
            assert!(!is_placeholder(reference), "{reference}");
        }
    }
}
