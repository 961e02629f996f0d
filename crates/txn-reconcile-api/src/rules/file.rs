//! The ruleset as it is written: TOML, versioned, with a JSON Schema made from these types.
//!
//! Every table refuses keys that it does not know, amounts and percentages are strings so that no float stands between
//! the file and the engine, and each pass names its kind with a table of that kind's own settings.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::formats::mapping::MappingFile;

/// A ruleset: how two sources are read and matched.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesFile {
    /// Version of this notation: 2. Version 1, of the release before, reads as it did; `account`, `accounts`, `kinds` and
    /// what is said to belong to version 2 elsewhere need 2.
    pub version: u32,
    /// Name of the ruleset, repeated in every report.
    pub name: String,
    /// The internal side (ledger).
    #[serde(default)]
    pub left: SourceFileRules,
    /// The external side (processor, bank).
    #[serde(default)]
    pub right: SourceFileRules,
    /// Which days are worked.
    #[serde(default)]
    pub calendar: CalendarFile,
    /// Reference texts that mean "no reference", compared without case: `NONREF`, `NOTPROVIDED` …
    #[serde(default = "blank_references")]
    pub blank_references: Vec<String>,
    /// Whether entries that stand on different accounts may match. An entry without one goes with every account.
    /// Default: `apart`.
    #[serde(default)]
    pub accounts: AccountsMode,
    /// Accounts that are called otherwise on the other side.
    #[serde(default, deserialize_with = "crate::object::list")]
    pub account: Vec<AccountFile>,
    /// Counterparties that are called otherwise elsewhere; spelling, marks, legal forms and order are known without it.
    #[serde(default, deserialize_with = "crate::object::list")]
    pub counterparty: Vec<PartyFile>,
    /// Words of a source for what an entry is, by what they mean: `payment`, `refund`, `chargeback`, `payout`, `fee`, each
    /// of them also with `_reversal`, or `reversal`. They go before the words that are known without them.
    #[serde(default)]
    pub kinds: BTreeMap<String, Vec<String>>,
    /// Rates of exchange that conversions are held against. Version 2.
    #[serde(default)]
    pub rates: Option<RatesFile>,
    /// What sources charge: the lines of a price list. Those that apply to an entry add up to the fee that it should have,
    /// each rounded by itself. Version 2.
    #[serde(default, deserialize_with = "crate::object::list")]
    pub fee: Vec<FeeFile>,
    /// Further references by which entries are known, made of what their fields say. Version 2.
    #[serde(default, deserialize_with = "crate::object::list")]
    pub prepare: Vec<PrepareFile>,
    /// Entries to set aside before matching.
    #[serde(default)]
    pub ignore: Vec<IgnoreFile>,
    /// The passes, in the order in which they claim entries.
    pub pass: Vec<PassFile>,
    /// How breaks are told apart.
    #[serde(default)]
    pub breaks: BreaksFile,
}

/// The texts that banks put where there is no reference (SWIFT `NONREF`, ISO 20022 `NOTPROVIDED`).
#[must_use]
pub fn blank_references() -> Vec<String> {
    ["NONREF", "NOTPROVIDED", "NOT PROVIDED", "NOREF", "N/A", "NONE", "-"].map(str::to_owned).to_vec()
}

/// What the account of an entry means for matching.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountsMode {
    /// Entries of different accounts are different things.
    #[default]
    Apart,
    /// The account does not matter.
    Ignore,
}

/// An account under all of its names.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountFile {
    /// What it is called.
    pub name: String,
    /// Its names on either side: IBAN, number, code of the ledger.
    pub also: Vec<String>,
}

/// A counterparty under all of its names.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartyFile {
    /// What it is called.
    pub name: String,
    /// Its other names and its accounts.
    pub also: Vec<String>,
}

/// A table of rates, and how far the conversions of files may lie from it.
///
/// An entry that was converted is compared before its conversion (`original`) only if its amount, and the rate that its file
/// states, lie within the limit; without a rate of the table for its currencies and day it is not.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatesFile {
    /// How far the rate of a file, and an amount at its conversion, may lie from the table's, in percent of it, as a decimal
    /// string with at most 6 decimals, 0 to 100. A minor unit is always allowed.
    pub percent: String,
    /// How many days old a rate of the table may be on the booking date, 0 to 366. Default: 7.
    #[serde(default)]
    pub days: Option<u32>,
    /// The rates, 100,000 at most. A pair of currencies may stand in either direction.
    #[serde(deserialize_with = "crate::object::list")]
    pub table: Vec<RateFile>,
}

/// A rate of a day.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateFile {
    /// The currency of which one unit is converted (ISO 4217).
    pub from: String,
    /// The currency that it is converted to.
    pub to: String,
    /// The day from which the rate holds, until the next one of the pair: `YYYY-MM-DD`.
    pub day: String,
    /// Units of `to` for one of `from`, as a decimal string with at most 12 decimals.
    pub rate: String,
}

/// A line of a price list: a fixed sum for each entry, a share of its amount, or both.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FeeFile {
    /// Its name: `interchange`, `scheme`, `commission` …
    pub name: String,
    /// Which side. Default: both.
    #[serde(default)]
    pub side: Option<SideName>,
    /// Which kinds of entry it is charged for (see `kinds`). Default: `payment`, and `unknown` where money comes in.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The currency of the entries that it is charged for (ISO 4217). Default: every one; `fixed`, `at_least` and `at_most`
    /// need it.
    #[serde(default)]
    pub currency: Option<String>,
    /// Percent of the amount without its sign, as a decimal string with at most 6 decimals, -100 to 100; a negative one is
    /// given back.
    #[serde(default)]
    pub percent: Option<String>,
    /// A fixed sum in major units, as a decimal string; a negative one is given back.
    #[serde(default)]
    pub fixed: Option<String>,
    /// The least that the line comes to, in major units.
    #[serde(default)]
    pub at_least: Option<String>,
    /// The most that it comes to.
    #[serde(default)]
    pub at_most: Option<String>,
    /// What becomes of fractions of a minor unit. Default: `half_up`.
    #[serde(default)]
    pub rounding: Rounding,
}

/// How a fraction of a minor unit is rounded, the sign left aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest, halves up.
    #[default]
    HalfUp,
    /// To the nearest, halves to the even one.
    HalfEven,
    /// Up.
    Up,
    /// Down.
    Down,
}

/// Makes references of what entries say. Each one that it finds is a further reference of its entry, by which passes over
/// references (`normalized`, `contained`), groups (`prepared`) and what is named find it. The entry's own reference stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrepareFile {
    /// Which side. Default: both.
    #[serde(default)]
    pub side: Option<SideName>,
    /// The fields that it looks at. Default: the reference.
    #[serde(default)]
    pub fields: Vec<PrepareField>,
    /// Whether blanks and ends of lines are taken out of a field first, where banks split words. Default: false.
    #[serde(default)]
    pub join_words: bool,
    /// A regular expression (the syntax of <https://docs.rs/regex>), 1 to 500 characters: each match is a reference, or what
    /// its first group holds. Default: the whole field, and with `check` any few words of it.
    #[serde(default)]
    pub find: Option<String>,
    /// Check digits without which it is no reference. The reference counts as it stands, and what is left of it without
    /// them does too, with what is said below done to it.
    #[serde(default)]
    pub check: Option<CheckDigits>,
    /// Beginnings that are taken off, in the order in which they stand here, compared without case and marks.
    #[serde(default)]
    pub drop_prefix: Vec<String>,
    /// Whether zeros at the beginning are taken off, behind what `drop_prefix` takes off. Default: false.
    #[serde(default)]
    pub drop_zeros: bool,
    /// What is put before it in the end.
    #[serde(default)]
    pub add_prefix: Option<String>,
}

/// A field that references are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrepareField {
    /// The reference.
    Reference,
    /// The text.
    Description,
    /// The payout or batch.
    Group,
    /// The other party.
    Counterparty,
    /// The identifiers that the other side may know the entry by, each on its own: end-to-end, creditor reference, document …
    Details,
}

/// Check digits of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckDigits {
    /// The creditor reference of ISO 11649: `RF`, two check digits (modulo 97 over the rest, `RF` and themselves), and up to
    /// 21 letters and digits.
    Rf,
    /// The reference of the Swiss QR-bill: 26 digits and a check digit (modulo 10, recursive).
    Qrr,
    /// The Belgian structured communication: 10 digits and their remainder modulo 97 in two (97 for 0).
    Ogm,
}

/// How one side is read.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceFileRules {
    /// What reports call this side. Default: `left` or `right`.
    #[serde(default)]
    pub name: Option<String>,
    /// The format, where it should not be recognised from the content.
    #[serde(default)]
    pub format: Option<crate::formats::Format>,
    /// What the same row in two files means. Default: `dedupe`.
    #[serde(default)]
    pub overlap: Overlap,
    /// Whether amounts are turned round, for a source that writes from the other party's view. Default: `same`.
    #[serde(default)]
    pub sign: Sign,
    /// Which columns (CSV) or keys (NDJSON) mean what. Default: usual names are recognised.
    #[serde(default)]
    pub mapping: Option<MappingFile>,
}

/// What it means when a row of one file also stands in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Overlap {
    /// The files overlap: a row counts as often as in the file that has it most often.
    #[default]
    Dedupe,
    /// The files follow one another: every row counts.
    Append,
}

/// The view that amounts are written from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sign {
    /// As written.
    #[default]
    Same,
    /// Multiplied by -1.
    Negate,
}

/// Days off.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarFile {
    /// Weekdays without business. Default: Saturday and Sunday.
    #[serde(default)]
    pub weekend: Option<Vec<Weekday>>,
    /// Further days off, as `YYYY-MM-DD`.
    #[serde(default)]
    pub holidays: Vec<String>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names of the days say it all")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// Sets entries aside whose field has one of the given values.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnoreFile {
    /// Which side. Default: both.
    #[serde(default)]
    pub side: Option<SideName>,
    /// The field that is looked at.
    pub field: IgnoreField,
    /// The values, compared without case.
    pub equals: Vec<String>,
    /// Why such entries do not take part; printed in the report.
    pub reason: String,
}

/// A side of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SideName {
    /// The internal side.
    Left,
    /// The external side.
    Right,
}

/// A field that entries can be set aside by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IgnoreField {
    /// The source's word for the kind of entry.
    Kind,
    /// The account.
    Account,
    /// The counterparty.
    Counterparty,
    /// The ISO 4217 code.
    Currency,
    /// The reference.
    Reference,
}

/// One pass: a name and exactly one table that says what it does.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PassFile {
    /// Name of the pass, unique in the ruleset; every match carries it.
    pub name: String,
    /// One to one: same reference, currency, amount and date.
    #[serde(default)]
    pub exact: Option<ExactFile>,
    /// One to one: same reference and currency; amount and date within limits.
    #[serde(default)]
    pub reference: Option<ReferenceFile>,
    /// One to one without a reference: same currency and amount in the window, unique on both sides.
    #[serde(default)]
    pub unique: Option<UniqueFile>,
    /// Payouts and batches: the entries that carry a key, against the entries that carry it on the other side.
    #[serde(default)]
    pub group: Option<GroupFile>,
    /// Split and collected payments: one entry against a few whose sum is proven to be the only one that fits.
    #[serde(default)]
    pub subset: Option<SubsetFile>,
    /// Several to one by what is named: a payment whose text names the items that it pays. Version 2.
    #[serde(default)]
    pub named: Option<NamedFile>,
    /// Reversals: two entries of one side that cancel out.
    #[serde(default)]
    pub net: Option<NetFile>,
}

/// Which date is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DateField {
    /// The booking date.
    #[default]
    Booking,
    /// The value date.
    Value,
}

/// Which amount is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The amount as stated.
    #[default]
    Amount,
    /// The amount less the fee: what arrives, where the stated amount is gross.
    LessFee,
    /// The amount plus the fee: what was paid, where the stated amount is net.
    PlusFee,
    /// The amount less the fee that the ruleset's `fee` lines come to: what arrives, where the stated amount is gross and
    /// nobody states the fee. Version 2.
    LessExpectedFee,
    /// The amount before conversion, in its currency, where the entry states one; else the amount as stated.
    Original,
}

/// How references are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReferenceMode {
    /// Byte for byte.
    #[default]
    Exact,
    /// Letters and digits only, without case.
    Normalized,
    /// Normalized; or one side's reference stands as a word in the other side's description.
    Contained,
}

/// Settings of an exact pass.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExactFile {
    /// Which date has to agree. Default: `booking`.
    #[serde(default)]
    pub date: DateField,
    /// The left side's amount. Default: `amount`.
    #[serde(default)]
    pub left_amount: Measure,
    /// The right side's amount. Default: `amount`.
    #[serde(default)]
    pub right_amount: Measure,
}

/// Settings of a pass by reference.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceFile {
    /// How far the amounts may lie apart. Default: not at all.
    #[serde(default)]
    pub tolerance: ToleranceFile,
    /// How many business days the dates may lie apart, 0 to 366. Default: 0.
    #[serde(default)]
    pub days: u32,
    /// Which date is compared. Default: `booking`.
    #[serde(default)]
    pub date: DateField,
    /// How references are compared. Default: `exact`.
    #[serde(default)]
    pub reference: ReferenceMode,
    /// The left side's amount. Default: `amount`.
    #[serde(default)]
    pub left_amount: Measure,
    /// The right side's amount. Default: `amount`.
    #[serde(default)]
    pub right_amount: Measure,
}

/// The larger of an absolute and a percentage limit.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ToleranceFile {
    /// Limit in major units, as a decimal string; decimals that a currency does not have are cut off for it.
    #[serde(default)]
    pub absolute: Option<String>,
    /// Limit for single currencies, by ISO 4217 code; goes before `absolute`.
    #[serde(default)]
    pub absolute_by_currency: BTreeMap<String, String>,
    /// Limit in percent of the larger amount, as a decimal string with at most 6 decimals, 0 to 100.
    #[serde(default)]
    pub percent: Option<String>,
}

/// Settings of a pass without references.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniqueFile {
    /// How many business days the dates may lie apart, 0 to 366. Default: 0.
    #[serde(default)]
    pub days: u32,
    /// Which date is compared. Default: `booking`.
    #[serde(default)]
    pub date: DateField,
    /// Whether two entries that both carry a reference, and not the same one, may still match. Default: false.
    #[serde(default)]
    pub conflicting_references: bool,
    /// Whether entries of one amount, as many on either side and all in the window, are one match of several to several,
    /// without saying which belongs to which. Default: false. Version 2.
    #[serde(default)]
    pub blocks: bool,
    /// The left side's amount. Default: `amount`.
    #[serde(default)]
    pub left_amount: Measure,
    /// The right side's amount. Default: `amount`.
    #[serde(default)]
    pub right_amount: Measure,
}

/// Where an entry carries its payout or batch key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyField {
    /// In its group field.
    #[default]
    Group,
    /// In its reference.
    Reference,
    /// The day that it was booked. Version 2.
    Day,
    /// The counterparty, however it is spelt. Version 2.
    Party,
    /// Both of them. Version 2.
    #[serde(rename = "day_and_party")]
    DayAndParty,
    /// The reference that `prepare` has made of its fields, if it is one alone; the other side's key is then compared by
    /// letters and digits. Version 2.
    Prepared,
}

/// Settings of a pass over payouts and batches.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupFile {
    /// Where the left side carries the key. Default: `group`.
    #[serde(default)]
    pub left_key: KeyField,
    /// Where the right side carries the key. Default: `group`.
    #[serde(default)]
    pub right_key: KeyField,
    /// The left side's amount. Default: `amount`.
    #[serde(default)]
    pub left_amount: Measure,
    /// The right side's amount. Default: `amount`.
    #[serde(default)]
    pub right_amount: Measure,
    /// How far the two sums may lie apart. Default: not at all.
    #[serde(default)]
    pub tolerance: ToleranceFile,
    /// How many business days the earliest and the latest entry may lie apart, 0 to 366. Default: no limit.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Settings of a pass over subset sums.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubsetFile {
    /// How many business days a member may lie from the single entry, 0 to 366. Default: 0.
    #[serde(default)]
    pub days: u32,
    /// Which date is compared. Default: `booking`.
    #[serde(default)]
    pub date: DateField,
    /// At most this many open entries are searched, 2 to 12; beyond it the engine only suggests. Default: 12.
    #[serde(default)]
    pub items_max: Option<u32>,
    /// At most this many entries on the many side, 2 to 6. Default: 6.
    #[serde(default)]
    pub members_max: Option<u32>,
    /// How many sums the pass may try before it gives up on the rest, 1,000 to 10,000,000,000. Default: 50,000,000.
    #[serde(default)]
    pub budget_sums: Option<u64>,
    /// Whether entries without a counterparty may be combined. Default: false.
    #[serde(default)]
    pub blank_counterparty: bool,
    /// Whether entries of several counterparties may be combined. Default: false; what fits then is suggested. Version 2.
    #[serde(default)]
    pub across_counterparties: bool,
    /// How far the sum may lie from the entry, where no sum is exact. Default: not at all. Version 2.
    #[serde(default)]
    pub tolerance: ToleranceFile,
    /// Whether several entries of one side may settle several of the other. Default: true.
    #[serde(default)]
    pub many_to_many: Option<bool>,
    /// The left side's amount. Default: `amount`.
    #[serde(default)]
    pub left_amount: Measure,
    /// The right side's amount. Default: `amount`.
    #[serde(default)]
    pub right_amount: Measure,
}

/// Settings of a pass over what is named.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedFile {
    /// How far the sums of the two sides may lie apart: a discount, a bank's charge. Default: not at all.
    #[serde(default)]
    pub tolerance: ToleranceFile,
    /// How many business days two entries may lie apart of which one names the other, 0 to 366. Default: no limit.
    #[serde(default)]
    pub days: Option<u32>,
    /// Which date is compared. Default: `booking`.
    #[serde(default)]
    pub date: DateField,
    /// The left side's amount. Default: `amount`.
    #[serde(default)]
    pub left_amount: Measure,
    /// The right side's amount. Default: `amount`.
    #[serde(default)]
    pub right_amount: Measure,
}

/// Settings of a pass over reversals.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetFile {
    /// How many business days an entry and its reversal may lie apart, 0 to 366. Default: 0.
    #[serde(default)]
    pub days: u32,
    /// Which date is compared. Default: `booking`.
    #[serde(default)]
    pub date: DateField,
    /// Which side. Default: both.
    #[serde(default)]
    pub side: Option<SideName>,
    /// What may cancel a payment besides its reversal: `refund`, `chargeback`. Default: nothing. Amount and fee have to
    /// cancel out whatever it is.
    #[serde(default)]
    pub kinds: Vec<String>,
}

/// How what stays open is told apart.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BreaksFile {
    /// Entries at most this many business days old, with no trace on the other side, are in transit. Default: 2.
    #[serde(default)]
    pub in_transit_days: Option<u32>,
    /// A shortfall of at most this share is taken for a fee that differs. Default: `5` (percent).
    #[serde(default)]
    pub fee_percent: Option<String>,
    /// How many of the nearest candidates a break lists, 0 to 10. Default: 3.
    #[serde(default)]
    pub nearest_max: Option<u32>,
    /// Where the age bands of the summary and the report end, in calendar days: 1 to 8 numbers that grow, 0 to 3,660. Default:
    /// `[2, 7, 30]`. Version 2.
    #[serde(default)]
    pub ages: Option<Vec<u32>>,
    /// Who looks after a kind of break, by kind: `missing_external = "treasury"`.
    #[serde(default)]
    pub owners: BTreeMap<String, String>,
}
