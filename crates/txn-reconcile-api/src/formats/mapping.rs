//! Which column or key of a CSV or NDJSON file means what, and how its values are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::encoding::Encoding;
use crate::currency::Currency;
use crate::date::{Date, DateFormat, DayFault, Zones};
use crate::entry::details::Detail;
use crate::money::AmountSyntax;

/// A mapping as it is written in a ruleset.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// One character between columns. Default: found from the header.
    #[serde(default)]
    pub delimiter: Option<String>,
    /// Character encoding. Default: found from the content.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// Whether there is a line of column names. Default: true. Without it columns are named `#1`, `#2` …
    #[serde(default)]
    pub header: Option<bool>,
    /// Lines to skip before the header. Default: 0; a header further down is found all the same.
    #[serde(default)]
    pub skip_lines: u32,
    /// The decimal mark, `.` or `,`. Default: `.`
    #[serde(default)]
    pub decimal: Option<String>,
    /// The mark between groups of digits. Default: none.
    #[serde(default)]
    pub grouping: Option<String>,
    /// Whether zeros beyond the currency's decimals are accepted (`500.00` yen). Default: false.
    #[serde(default)]
    pub surplus_zeros: bool,
    /// Whether amounts are whole numbers of minor units. Default: false.
    #[serde(default)]
    pub minor_units: bool,
    /// The date notation. Default: `YYYY-MM-DD`.
    #[serde(default)]
    pub date_format: Option<String>,
    /// The time zone in which the days of this source are counted: a name of the IANA database (`Europe/Berlin`), `UTC` or an
    /// offset (`+05:30`). A timestamp then counts on the day on which it falls there; in every format. Default: the date is
    /// taken as it is written, and the time of day left aside.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// The time zone of timestamps that are written without an offset. Default: the format's own (UTC in columns that are
    /// named for it, and in OFX); where it has none, such a row is refused. Only with `time_zone`.
    #[serde(default)]
    pub timestamps: Option<String>,
    /// The currency of rows that do not name one.
    #[serde(default)]
    pub currency: Option<String>,
    /// Words in the direction column that mean money out. Default: D, DR, DBIT, DEBIT, S, SOLL, AF. A row with any other
    /// word, or none, is refused.
    #[serde(default)]
    pub debit_words: Vec<String>,
    /// Words in the direction column that mean money in. Default: C, CR, CRDT, CREDIT, H, HABEN, BIJ.
    #[serde(default)]
    pub credit_words: Vec<String>,
    /// What a minus means in the debit column or beside a word for money out: true, that money went out (a debit without
    /// it is a reversal); false, that a debit was reversed. Default: in the debit column a reversal; beside a word nothing,
    /// and a file in which only some amounts beside such words have it has those rows refused.
    #[serde(default)]
    pub negative_debits: Option<bool>,
    /// The columns.
    #[serde(default, deserialize_with = "crate::object::one")]
    pub columns: ColumnsFile,
    /// Columns in which long numbers that look like card numbers are something else; in other formats the tag, record or
    /// element that the refusal names. Track data and verification codes are refused there as well.
    #[serde(default, deserialize_with = "crate::object::list")]
    pub card_exempt: Vec<ExemptFile>,
}

/// Column names; a nested key of NDJSON is written with dots.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnsFile {
    /// The reference both sides know.
    #[serde(default)]
    pub reference: Option<String>,
    /// The signed amount.
    #[serde(default)]
    pub amount: Option<String>,
    /// Money out, where it has a column of its own.
    #[serde(default)]
    pub debit: Option<String>,
    /// Money in, where it has a column of its own.
    #[serde(default)]
    pub credit: Option<String>,
    /// Debit or credit, in words.
    #[serde(default)]
    pub direction: Option<String>,
    /// The ISO 4217 code.
    #[serde(default)]
    pub currency: Option<String>,
    /// The fee; a cost is positive.
    #[serde(default)]
    pub fee: Option<String>,
    /// The booking date.
    #[serde(default)]
    pub booking_date: Option<String>,
    /// The value date. Default: the booking date.
    #[serde(default)]
    pub value_date: Option<String>,
    /// The other party.
    #[serde(default)]
    pub counterparty: Option<String>,
    /// The payout or batch.
    #[serde(default)]
    pub group: Option<String>,
    /// The account.
    #[serde(default)]
    pub account: Option<String>,
    /// The kind of entry.
    #[serde(default)]
    pub kind: Option<String>,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// The balance behind each row. Default: a column with a usual name for it. Where there is one, it is held against the
    /// amounts, whichever end of the file is the newest.
    #[serde(default)]
    pub balance: Option<String>,
    /// The bank's or processor's own number, which the other side does not know.
    #[serde(default)]
    pub bank_reference: Option<String>,
    /// The reference of the payer to the payee, from end to end.
    #[serde(default)]
    pub end_to_end: Option<String>,
    /// The payee's structured reference (`RF…`, QRR).
    #[serde(default)]
    pub creditor_reference: Option<String>,
    /// The mandate of a direct debit.
    #[serde(default)]
    pub mandate: Option<String>,
    /// The unique end-to-end transaction reference.
    #[serde(default)]
    pub uetr: Option<String>,
    /// The number of a cheque.
    #[serde(default)]
    pub cheque: Option<String>,
    /// The other party's account.
    #[serde(default)]
    pub counterparty_account: Option<String>,
    /// The amount before conversion, with `original_currency`; its sign is that of the amount.
    #[serde(default)]
    pub original_amount: Option<String>,
    /// The currency before conversion.
    #[serde(default)]
    pub original_currency: Option<String>,
    /// The rate: units of the currency for one of the original.
    #[serde(default)]
    pub rate: Option<String>,
}

/// A column that is exempt from the search for card numbers.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExemptFile {
    /// The column, as refusals name it.
    pub column: String,
    /// Why its numbers are no card numbers; printed in the report.
    pub reason: String,
}

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// The key, with dots.
    pub key: &'static str,
    /// What would be right.
    pub message: String,
}

contract::closed_list! {
    /// The fields that a column can be mapped to.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[expect(missing_docs, reason = "the fields are described where they are written, in ColumnsFile")]
    pub enum Field {
        Reference,
        Amount,
        Debit,
        Credit,
        Direction,
        Currency,
        Fee,
        BookingDate,
        ValueDate,
        Counterparty,
        Group,
        Account,
        Kind,
        Description,
        Balance,
        BankReference,
        EndToEnd,
        CreditorReference,
        Mandate,
        Uetr,
        Cheque,
        CounterpartyAccount,
        OriginalAmount,
        OriginalCurrency,
        Rate,
    }
}

impl Field {
    /// Fields that an entry keeps as a detail of the same meaning.
    pub const DETAILS: [(Self, Detail); 7] = [
        (Self::EndToEnd, Detail::EndToEnd),
        (Self::CreditorReference, Detail::CreditorReference),
        (Self::Uetr, Detail::Uetr),
        (Self::Cheque, Detail::Cheque),
        (Self::Mandate, Detail::Mandate),
        (Self::BankReference, Detail::Bank),
        (Self::CounterpartyAccount, Detail::CounterpartyAccount),
    ];

    /// Names that are taken for this field where no mapping is declared, in lower case, letters and digits only; the
    /// first that is there counts.
    #[must_use]
    pub fn usual_names(self) -> &'static [&'static str] {
        match self {
            Self::Reference => &[
                "reference",
                "ref",
                "externalreference",
                "endtoendid",
                "e2eid",
                "paymentreference",
                "customerreference",
                "merchantreference",
                "transactionreference",
                "invoicenumber",
                "invoice",
                "orderid",
                "transactionid",
                "txnid",
                "referenz",
                "kundenreferenz",
                "id",
            ],
            Self::Amount => {
                &["amount", "transactionamount", "betrag", "montant", "importe", "bedrag", "umsatz"]
            }
            Self::Debit => &[
                "debit",
                "debitamount",
                "debits",
                "withdrawal",
                "withdrawals",
                "paidout",
                "moneyout",
                "soll",
            ],
            Self::Credit => {
                &["credit", "creditamount", "credits", "deposit", "deposits", "paidin", "moneyin", "haben"]
            }
            Self::Direction => &[
                "direction",
                "creditdebitindicator",
                "debitcredit",
                "creditdebit",
                "drcr",
                "crdr",
                "dc",
                "indicator",
                "afbij",
                "sollhaben",
            ],
            Self::Currency => {
                &["currency", "ccy", "currencycode", "cur", "whrung", "waehrung", "devise", "munt"]
            }
            Self::Fee => &["fee", "fees", "processingfee", "commission", "gebhr"],
            Self::BookingDate => &[
                "bookingdate",
                "date",
                "postingdate",
                "transactiondate",
                "posteddate",
                "bookeddate",
                "buchungstag",
                "buchungsdatum",
                "createdutc",
                "created",
                "datum",
                "fecha",
            ],
            Self::ValueDate => {
                &["valuedate", "valuta", "valutadatum", "wertstellung", "effectivedate", "availableon"]
            }
            Self::Counterparty => &[
                "counterparty",
                "counterpartyname",
                "payee",
                "payer",
                "beneficiary",
                "customer",
                "merchant",
                "name",
                "auftraggeberempfnger",
                "empfnger",
            ],
            Self::Group => {
                &["group", "payoutid", "payout", "batchid", "batch", "batchnumber", "settlementid"]
            }
            Self::Account => &["account", "accountid", "iban", "accountnumber", "konto", "rekening"],
            Self::Kind => &["kind", "type", "transactiontype", "category", "buchungstext"],
            Self::Description => &[
                "description",
                "memo",
                "narrative",
                "details",
                "remittanceinformation",
                "purpose",
                "text",
                "verwendungszweck",
                "omschrijving",
            ],
            Self::Balance => &[
                "balance",
                "runningbalance",
                "balanceafter",
                "accountbalance",
                "saldo",
                "solde",
                "kontostand",
            ],
            // Their names mean other things elsewhere, so they have to be declared.
            Self::BankReference
            | Self::EndToEnd
            | Self::CreditorReference
            | Self::Mandate
            | Self::Uetr
            | Self::Cheque
            | Self::CounterpartyAccount
            | Self::OriginalAmount
            | Self::OriginalCurrency
            | Self::Rate => &[],
        }
    }
}

/// A checked mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Between columns; found from the header if none.
    pub delimiter: Option<u8>,
    /// Character encoding; found from the content if none.
    pub encoding: Option<Encoding>,
    /// Whether there is a line of column names.
    pub header: bool,
    /// Lines before the header.
    pub skip_lines: u64,
    /// How amounts are written.
    pub amounts: AmountSyntax,
    /// Whether amounts are whole minor units.
    pub minor_units: bool,
    /// How dates are written.
    pub dates: DateFormat,
    /// In which zones days are counted and timestamps written; none if times of day are left aside.
    pub zones: Option<Zones>,
    /// Currency of rows without one.
    pub currency: Option<Currency>,
    /// What means money out, in upper case.
    pub debit_words: Vec<String>,
    /// What means money in, in upper case.
    pub credit_words: Vec<String>,
    /// What a minus before money out means, if it is said.
    pub negative_debits: Option<bool>,
    /// Column name by field; fields that are not named are left out unless nothing at all is named.
    pub columns: Vec<(Field, String)>,
    /// Columns, tags and elements in which what looks like a card number is something else.
    pub exempt: Vec<String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            delimiter: None,
            encoding: None,
            header: true,
            skip_lines: 0,
            amounts: AmountSyntax::PLAIN,
            minor_units: false,
            dates: DateFormat::iso(),
            zones: None,
            currency: None,
            debit_words: ["D", "DR", "DBIT", "DEBIT", "S", "SOLL", "AF"].map(str::to_owned).to_vec(),
            credit_words: ["C", "CR", "CRDT", "CREDIT", "H", "HABEN", "BIJ"].map(str::to_owned).to_vec(),
            negative_debits: None,
            columns: Vec::new(),
            exempt: Vec::new(),
        }
    }
}

impl Mapping {
    /// Checks a mapping.
    ///
    /// # Errors
    /// Names the first key that is wrong.
    pub fn compile(file: &MappingFile) -> Result<Self, MappingError> {
        let fail = |key, message: &str| Err(MappingError { key, message: message.to_owned() });
        let mark = |text: &Option<String>| match text.as_deref().map(str::as_bytes) {
            None => Ok(None),
            Some([byte]) => Ok(Some(*byte)),
            Some(_) => Err(()),
        };
        let mut mapping = Self::default();
        mapping.amounts.surplus_zeros = file.surplus_zeros;
        match mark(&file.delimiter) {
            Ok(delimiter) => mapping.delimiter = delimiter,
            Err(()) => return fail("delimiter", "one ASCII character, like \";\" or \"\\t\""),
        }
        match mark(&file.decimal) {
            Ok(None) => {}
            Ok(Some(decimal @ (b'.' | b','))) => mapping.amounts.decimal = decimal,
            _ => return fail("decimal", "\".\" or \",\""),
        }
        match mark(&file.grouping) {
            Ok(grouping) if grouping != Some(mapping.amounts.decimal) => mapping.amounts.grouping = grouping,
            _ => return fail("grouping", "one ASCII character other than the decimal mark"),
        }
        if let Some(pattern) = &file.date_format {
            match DateFormat::compile(pattern) {
                Some(dates) => mapping.dates = dates,
                None => return fail("date_format", "YYYY or YY, MM or MMM, and DD, with marks between them"),
            }
        }
        let zone = |name: &Option<String>| match name.as_deref().map(Zones::zone) {
            None => Ok(None),
            Some(Some(zone)) => Ok(Some(zone)),
            Some(None) => {
                Err("a time zone of the IANA database, like Europe/Berlin, UTC, or an offset like +05:30")
            }
        };
        match (zone(&file.time_zone), zone(&file.timestamps)) {
            (Err(message), _) => return fail("time_zone", message),
            (_, Err(message)) => return fail("timestamps", message),
            (Ok(None), Ok(Some(_))) => {
                return fail(
                    "timestamps",
                    "it says where times were written, and `time_zone` where days are counted",
                );
            }
            (Ok(days), Ok(stamps)) => mapping.zones = days.map(|days| Zones::new(days, stamps)),
        }
        if let Some(code) = &file.currency {
            match Currency::from_code(code.as_bytes()) {
                Some(currency) => mapping.currency = Some(currency),
                None => return fail("currency", "a currency code of ISO 4217"),
            }
        }
        if !file.debit_words.is_empty() {
            mapping.debit_words = file.debit_words.iter().map(|word| word.to_uppercase()).collect();
        }
        if !file.credit_words.is_empty() {
            mapping.credit_words = file.credit_words.iter().map(|word| word.to_uppercase()).collect();
        }
        if mapping.debit_words.iter().any(|word| mapping.credit_words.contains(word)) {
            return fail("credit_words", "a word means money in or money out, and not both");
        }
        if file.columns.original_amount.is_some() != file.columns.original_currency.is_some() {
            return fail("columns", "original_amount and original_currency belong together");
        }
        mapping.negative_debits = file.negative_debits;
        if file.card_exempt.iter().any(|exempt| exempt.reason.trim().is_empty()) {
            return fail("card_exempt", "every exemption needs a reason");
        }
        mapping.exempt = file.card_exempt.iter().map(|exempt| exempt.column.clone()).collect();
        mapping.encoding = file.encoding;
        mapping.header = file.header.unwrap_or(true);
        mapping.skip_lines = u64::from(file.skip_lines);
        mapping.minor_units = file.minor_units;
        mapping.columns = columns(&file.columns);
        Ok(mapping)
    }

    /// Reads a date in the mapping's notation: the day on which a timestamp falls, where time zones are said.
    ///
    /// # Errors
    /// Fails when it is none, or when its zone is not known.
    #[inline]
    pub fn date(&self, text: &[u8]) -> Result<Date, DayFault> {
        match &self.zones {
            None => self.dates.parse(text.trim_ascii()).ok_or(DayFault::Date),
            Some(zones) => {
                let (date, rest) = self.dates.parse_with_rest(text.trim_ascii()).ok_or(DayFault::Date)?;
                zones.day(date, rest)
            }
        }
    }

    /// Whether the text in the direction column means money out; none if it is no word of either side.
    #[must_use]
    pub fn is_debit(&self, text: &str) -> Option<bool> {
        let text = text.trim();
        let is = |words: &[String]| {
            words.iter().any(|word| word.eq_ignore_ascii_case(text) || *word == text.to_uppercase())
        };
        if is(&self.debit_words) { Some(true) } else { is(&self.credit_words).then_some(false) }
    }
}

fn columns(file: &ColumnsFile) -> Vec<(Field, String)> {
    [
        (Field::Reference, &file.reference),
        (Field::Amount, &file.amount),
        (Field::Debit, &file.debit),
        (Field::Credit, &file.credit),
        (Field::Direction, &file.direction),
        (Field::Currency, &file.currency),
        (Field::Fee, &file.fee),
        (Field::BookingDate, &file.booking_date),
        (Field::ValueDate, &file.value_date),
        (Field::Counterparty, &file.counterparty),
        (Field::Group, &file.group),
        (Field::Account, &file.account),
        (Field::Kind, &file.kind),
        (Field::Description, &file.description),
        (Field::Balance, &file.balance),
        (Field::BankReference, &file.bank_reference),
        (Field::EndToEnd, &file.end_to_end),
        (Field::CreditorReference, &file.creditor_reference),
        (Field::Mandate, &file.mandate),
        (Field::Uetr, &file.uetr),
        (Field::Cheque, &file.cheque),
        (Field::CounterpartyAccount, &file.counterparty_account),
        (Field::OriginalAmount, &file.original_amount),
        (Field::OriginalCurrency, &file.original_currency),
        (Field::Rate, &file.rate),
    ]
    .into_iter()
    .filter_map(|(field, column)| column.clone().map(|column| (field, column)))
    .collect()
}

/// Letters and digits of a column name, in lower case, as [`Field::usual_names`] lists them.
#[must_use]
pub fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(file: MappingFile) -> &'static str {
        Mapping::compile(&file).unwrap_err().key
    }

    #[test]
    fn faults_name_their_key() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(error_of(MappingFile { delimiter: text("::"), ..MappingFile::default() }), "delimiter");
        assert_eq!(error_of(MappingFile { decimal: text("'"), ..MappingFile::default() }), "decimal");
        assert_eq!(error_of(MappingFile { grouping: text("."), ..MappingFile::default() }), "grouping");
        assert_eq!(
            error_of(MappingFile { date_format: text("MM"), ..MappingFile::default() }),
            "date_format"
        );
        assert_eq!(error_of(MappingFile { currency: text("XXX"), ..MappingFile::default() }), "currency");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let both =
            MappingFile { debit_words: words(&["x"]), credit_words: words(&["X"]), ..MappingFile::default() };
        assert_eq!(error_of(both), "credit_words");
        let exempt = ExemptFile { column: "ref".to_owned(), reason: " ".to_owned() };
        assert_eq!(
            error_of(MappingFile { card_exempt: vec![exempt], ..MappingFile::default() }),
            "card_exempt"
        );
    }

    #[test]
    fn usual_names_are_plain_and_belong_to_one_field() {
        let mut seen = std::collections::BTreeSet::new();
        for field in Field::ALL {
            for name in field.usual_names() {
                assert_eq!(&plain_name(name), name);
                assert!(seen.insert(name), "{name}");
            }
        }
    }
}
