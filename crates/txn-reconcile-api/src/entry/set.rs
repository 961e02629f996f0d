//! The entries of one side of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::IgnoreReason;
use super::column::{AmountColumn, LazyColumn, Runs};
use super::text::{Interner, TextFull, TextRef, TextStore};
use crate::currency::Currency;
use crate::date::Date;

/// An entry's identity: 128 bits of BLAKE3 over its content and its occurrence number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub u128);

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the bytes of an entry stand in its file, and their 64-bit hash (see [`crate::hash::bytes`], seed 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RawPlace {
    /// Offset of the first byte in the (unpacked) file.
    pub offset: u64,
    /// Length in bytes.
    pub len: u32,
    /// Hash of those bytes.
    pub hash: u64,
}

/// An entry as a parser hands it over; the strings are borrowed from the parser's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Signed minor units; money in is positive.
    pub amount: i128,
    /// The currency of the amount and the fee.
    pub currency: Currency,
    /// Fee in minor units: a cost is positive.
    pub fee: i128,
    /// The day the entry was booked.
    pub booking: Date,
    /// The day the money counts.
    pub value: Date,
    /// The reference both sides should know.
    pub reference: &'a str,
    /// The other party.
    pub counterparty: &'a str,
    /// Payout or batch that the entry is settled with.
    pub group: &'a str,
    /// The account that the entry stands on.
    pub account: &'a str,
    /// The source's own word for what it is: `charge`, `refund`, `NTRF`, `reversal` …
    pub kind: &'a str,
    /// Free text: remittance information, purpose, narrative.
    pub description: &'a str,
    /// What it carries beside its reference, as [`super::details::Details::encode`] makes it.
    pub details: &'a str,
    /// Line of the file, from 1.
    pub line: u64,
    /// The bytes that it was read from.
    pub raw: RawPlace,
    /// Announced and not booked yet.
    pub pending: bool,
}

impl<'a> Draft<'a> {
    /// Bytes of all of its texts.
    #[must_use]
    pub fn texts_bytes(&self) -> usize {
        let texts = [
            self.reference,
            self.counterparty,
            self.group,
            self.account,
            self.kind,
            self.description,
            self.details,
        ];
        texts.iter().map(|text| text.len()).sum()
    }

    /// A draft with amount, currency and one date; everything else empty.
    #[must_use]
    pub fn new(amount: i128, currency: Currency, date: Date) -> Draft<'a> {
        Draft {
            amount,
            currency,
            fee: 0,
            booking: date,
            value: date,
            reference: "",
            counterparty: "",
            group: "",
            account: "",
            kind: "",
            description: "",
            details: "",
            line: 0,
            raw: RawPlace::default(),
            pending: false,
        }
    }
}

/// A file that entries came from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SourceFile {
    /// Its name, as given.
    pub name: String,
    /// Rows that were refused.
    pub rejected: u64,
    /// How many of them for which reason, by the code of the remark.
    pub rejected_by_code: BTreeMap<&'static str, u64>,
    /// Whether these are entries that a run before left open.
    pub carried: bool,
    /// Whether a release before this one left them open, whose parsers may have read their texts otherwise.
    pub of_old: bool,
}

/// Entries in columns. Rows are addressed by `u32` in the order of arrival; nothing in a result depends on that order.
#[derive(Clone, Debug, Default)]
pub struct EntrySet {
    core: Vec<Core>,
    /// Amounts that do not fit the core.
    amount_wide: BTreeMap<u32, i128>,
    fee: FeeColumn,
    /// What a ruleset expects as the fee, and of which rows it expects something; no part of an entry's content.
    expected_fee: FeeColumn,
    expects_fee: LazyColumn<bool>,
    /// Rows whose amount before conversion does not count, since its rate is not right; no part of an entry's content.
    rate_off: BTreeSet<u32>,
    value_after_days: LazyColumn<i32>,
    counterparty: LazyColumn<TextRef>,
    group: LazyColumn<TextRef>,
    account: LazyColumn<TextRef>,
    kind: LazyColumn<TextRef>,
    description: LazyColumn<TextRef>,
    details: LazyColumn<TextRef>,
    text: TextStore,
    names: Interner,
    file: LazyColumn<u16>,
    lines: Runs,
    raw_bases: Runs,
    raw_len_wide: BTreeMap<u32, u32>,
    raw_hash: Vec<u64>,
    occurrence: BTreeMap<u32, u32>,
    ignored: Vec<(u32, IgnoreReason)>,
    files: Vec<SourceFile>,
    settled: BTreeMap<Date, BTreeSet<EntryId>>,
}

/// What every comparison of two entries looks at, side by side: one cache line instead of five.
#[derive(Clone, Copy, Debug)]
struct Core {
    /// [`AMOUNT_ASIDE`] if the amount stands in `amount_wide`.
    amount: i64,
    reference: TextRef,
    booking: Date,
    /// Counted from the latest of `raw_bases`.
    raw_offset: u32,
    /// `u16::MAX` if the length stands in `raw_len_wide`.
    raw_len: u16,
    currency: Currency,
}

/// Marks a row whose amount stands aside.
const AMOUNT_ASIDE: i64 = i64::MIN;

/// Fees are zero on most rows of most sources.
#[derive(Clone, Debug, Default)]
struct FeeColumn {
    column: Option<AmountColumn>,
    len: usize,
}

impl FeeColumn {
    fn push(&mut self, fee: i128) {
        if self.column.is_none() && fee != 0 {
            let mut column = AmountColumn::default();
            (0..self.len).for_each(|_| column.push(0));
            self.column = Some(column);
        }
        if let Some(column) = &mut self.column {
            column.push(fee);
        }
        self.len += 1;
    }

    fn get(&self, row: usize) -> i128 {
        self.column.as_ref().map_or(0, |column| column.get(row))
    }
}

impl EntrySet {
    /// An empty set for one file.
    #[must_use]
    pub fn for_file(name: &str) -> Self {
        Self { files: vec![SourceFile { name: name.to_owned(), ..SourceFile::default() }], ..Self::default() }
    }

    /// Makes room for about this many entries; untouched pages cost no memory.
    pub fn reserve(&mut self, entries: usize, text_bytes: usize) {
        self.core.reserve(entries);
        self.raw_hash.reserve(entries);
        self.text.reserve(text_bytes);
    }

    /// Gives back spare memory.
    pub fn shrink(&mut self) {
        self.core.shrink_to_fit();
        self.value_after_days.shrink();
        self.raw_hash.shrink_to_fit();
        self.text.shrink();
        for column in [
            &mut self.counterparty,
            &mut self.group,
            &mut self.account,
            &mut self.kind,
            &mut self.description,
            &mut self.details,
        ] {
            column.shrink();
        }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.core.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.core.is_empty()
    }

    /// All rows.
    pub fn rows(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    /// Adds an entry and answers its row.
    ///
    /// # Errors
    /// Fails when the set holds 2^32 entries or 4 GiB of text.
    pub fn push(&mut self, draft: &Draft<'_>) -> Result<u32, TextFull> {
        let row = u32::try_from(self.len()).map_err(|_| TextFull)?;
        let reference = self.text.push(draft.reference.as_bytes())?;
        let description = self.text.push(draft.description.as_bytes())?;
        let details = self.text.push(draft.details.as_bytes())?;
        let counterparty = self.names.intern(&mut self.text, draft.counterparty.as_bytes())?;
        let group = self.names.intern(&mut self.text, draft.group.as_bytes())?;
        let account = self.names.intern(&mut self.text, draft.account.as_bytes())?;
        let kind = self.names.intern(&mut self.text, draft.kind.as_bytes())?;
        let (raw_offset, raw_len) = self.push_place(row, draft.line, draft.raw);
        let amount = i64::try_from(draft.amount).unwrap_or(AMOUNT_ASIDE);
        if amount == AMOUNT_ASIDE {
            self.amount_wide.insert(row, draft.amount);
        }
        self.core.push(Core {
            amount,
            reference,
            booking: draft.booking,
            raw_offset,
            raw_len,
            currency: draft.currency,
        });
        self.fee.push(draft.fee);
        self.value_after_days.push(draft.value.days() - draft.booking.days());
        self.description.push(description);
        self.details.push(details);
        self.counterparty.push(counterparty);
        self.group.push(group);
        self.account.push(account);
        self.kind.push(kind);
        self.file.push(0);
        if draft.pending {
            self.ignored.push((row, IgnoreReason::NotBooked));
        }
        Ok(row)
    }

    /// Stores line and hash; answers offset and length as the core holds them.
    #[inline]
    fn push_place(&mut self, row: u32, line: u64, raw: RawPlace) -> (u32, u16) {
        if self.lines.last().is_none_or(|(first, base)| base + u64::from(row - first) != line) {
            self.lines.start(row, line);
        }
        let offset = match self.raw_bases.last().and_then(|(_, base)| raw.offset.checked_sub(base)) {
            Some(offset) if u32::try_from(offset).is_ok() => offset as u32,
            _ => {
                self.raw_bases.start(row, raw.offset);
                0
            }
        };
        self.raw_hash.push(raw.hash);
        let len = u16::try_from(raw.len).unwrap_or(u16::MAX);
        if len == u16::MAX {
            self.raw_len_wide.insert(row, raw.len);
        }
        (offset, len)
    }

    /// Adds the entries of another set behind these.
    ///
    /// # Errors
    /// As [`EntrySet::push`]; also when there would be more than 65,535 files.
    pub fn append(&mut self, other: Self) -> Result<(), TextFull> {
        if self.is_empty() && self.files.is_empty() {
            *self = other;
            return Ok(());
        }
        let first_row = u32::try_from(self.len()).map_err(|_| TextFull)?;
        let first_file = u16::try_from(self.files.len()).map_err(|_| TextFull)?;
        for row in other.rows() {
            let mut draft = other.draft(row);
            draft.pending = false;
            let new = self.push(&draft)?;
            // `push` wrote file 0; a later file needs its own number.
            self.file.replace_last(first_file + other.file.get(row as usize));
            if let Some(occurrence) = other.occurrence.get(&row) {
                self.occurrence.insert(new, *occurrence);
            }
        }
        self.ignored.extend(other.ignored.iter().map(|(row, reason)| (first_row + row, *reason)));
        self.files.extend(other.files);
        for (booked, ids) in other.settled {
            self.settled.entry(booked).or_default().extend(ids);
        }
        Ok(())
    }

    /// The entry as a draft again.
    #[must_use]
    pub fn draft(&self, row: u32) -> Draft<'_> {
        Draft {
            amount: self.amount(row),
            currency: self.currency(row),
            fee: self.fee(row),
            booking: self.booking(row),
            value: self.value(row),
            reference: self.reference(row),
            counterparty: self.counterparty(row),
            group: self.group(row),
            account: self.account(row),
            kind: self.kind(row),
            description: self.description(row),
            details: self.details(row),
            line: self.line(row),
            raw: self.raw(row),
            pending: false,
        }
    }

    /// Signed minor units.
    #[inline]
    #[must_use]
    pub fn amount(&self, row: u32) -> i128 {
        match self.core[row as usize].amount {
            AMOUNT_ASIDE => self.amount_wide.get(&row).copied().unwrap_or_default(),
            amount => i128::from(amount),
        }
    }

    /// Fee in minor units, a cost being positive.
    #[inline]
    #[must_use]
    pub fn fee(&self, row: u32) -> i128 {
        self.fee.get(row as usize)
    }

    /// Says what a ruleset expects as the fee of each row, if it expects something.
    pub fn expect_fees(&mut self, expected: impl Iterator<Item = Option<i128>>) {
        (self.expected_fee, self.expects_fee) = Default::default();
        for fee in expected {
            self.expected_fee.push(fee.unwrap_or(0));
            self.expects_fee.push(fee.is_some());
        }
    }

    /// The fee that the ruleset expects, if it expects one.
    #[inline]
    #[must_use]
    pub fn expected_fee(&self, row: u32) -> Option<i128> {
        self.expects_fee.get(row as usize).then(|| self.expected_fee.get(row as usize))
    }

    /// Says that the rate of a row's conversion is not right.
    pub fn doubt_rate(&mut self, row: u32) {
        self.rate_off.insert(row);
    }

    /// Whether the rate of the row's conversion is not right.
    #[inline]
    #[must_use]
    pub fn is_rate_off(&self, row: u32) -> bool {
        !self.rate_off.is_empty() && self.rate_off.contains(&row)
    }

    /// Currency.
    #[inline]
    #[must_use]
    pub fn currency(&self, row: u32) -> Currency {
        self.core[row as usize].currency
    }

    /// Booking date.
    #[inline]
    #[must_use]
    pub fn booking(&self, row: u32) -> Date {
        self.core[row as usize].booking
    }

    /// Value date.
    #[inline]
    #[must_use]
    pub fn value(&self, row: u32) -> Date {
        let booking = self.booking(row);
        match self.value_after_days.get(row as usize) {
            0 => booking,
            days => Date::from_days(booking.days() + days).unwrap_or(booking),
        }
    }

    fn string(&self, place: TextRef) -> &str {
        std::str::from_utf8(self.text.get(place)).unwrap_or_default()
    }

    /// Reference.
    #[must_use]
    pub fn reference(&self, row: u32) -> &str {
        self.string(self.core[row as usize].reference)
    }

    /// Reference, without the check that it is UTF-8.
    #[inline]
    #[must_use]
    pub fn reference_bytes(&self, row: u32) -> &[u8] {
        self.text.get(self.core[row as usize].reference)
    }

    /// Counterparty.
    #[must_use]
    pub fn counterparty(&self, row: u32) -> &str {
        self.string(self.counterparty.get(row as usize))
    }

    /// Payout or batch.
    #[must_use]
    pub fn group(&self, row: u32) -> &str {
        self.string(self.group.get(row as usize))
    }

    /// Whether the entry belongs to a payout or batch.
    #[inline]
    #[must_use]
    pub fn has_group(&self, row: u32) -> bool {
        !self.group.get(row as usize).is_empty()
    }

    /// Account.
    #[must_use]
    pub fn account(&self, row: u32) -> &str {
        self.string(self.account.get(row as usize))
    }

    /// The source's own word for the kind of entry.
    #[must_use]
    pub fn kind(&self, row: u32) -> &str {
        self.string(self.kind.get(row as usize))
    }

    /// Free text.
    #[must_use]
    pub fn description(&self, row: u32) -> &str {
        self.string(self.description.get(row as usize))
    }

    /// What it carries beside its reference, encoded (see [`super::details`]).
    #[must_use]
    pub fn details(&self, row: u32) -> &str {
        self.string(self.details.get(row as usize))
    }

    /// Whether no entry carries any.
    #[must_use]
    pub fn has_no_details(&self) -> bool {
        self.details.is_blank()
    }

    /// Whether no entry says what it is.
    #[must_use]
    pub fn has_no_kinds(&self) -> bool {
        self.kind.is_blank()
    }

    /// Whether no entry names its account.
    #[must_use]
    pub fn has_no_accounts(&self) -> bool {
        self.account.is_blank()
    }

    /// Where the account of an entry is stored: rows with one account have one place.
    pub(crate) fn account_place(&self, row: u32) -> TextRef {
        self.account.get(row as usize)
    }

    /// Line of its file, from 1.
    #[must_use]
    pub fn line(&self, row: u32) -> u64 {
        self.lines.at(row).map_or(0, |(first, base)| base + u64::from(row - first))
    }

    /// Where its bytes stand and their hash.
    #[must_use]
    pub fn raw(&self, row: u32) -> RawPlace {
        let at = row as usize;
        let base = self.raw_bases.at(row).map_or(0, |(_, base)| base);
        let core = self.core[at];
        let len = match core.raw_len {
            u16::MAX => self.raw_len_wide.get(&row).copied().unwrap_or_default(),
            len => u32::from(len),
        };
        RawPlace { offset: base + u64::from(core.raw_offset), len, hash: self.raw_hash[at] }
    }

    /// Number of the file that the entry came from.
    #[must_use]
    pub fn file(&self, row: u32) -> usize {
        usize::from(self.file.get(row as usize))
    }

    /// The files, by number.
    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Notes how many rows of the (only) file were refused, by the code of the remark.
    pub fn set_rejected(&mut self, by_code: BTreeMap<&'static str, u64>) {
        if let Some(file) = self.files.last_mut() {
            file.rejected = by_code.values().sum();
            file.rejected_by_code = by_code;
        }
    }

    /// Marks the (only) file as entries that a run before left open; `of_old` if a release before this one did.
    pub fn set_carried(&mut self, of_old: bool) {
        if let Some(file) = self.files.last_mut() {
            file.carried = true;
            file.of_old = of_old;
        }
    }

    /// Whether a run of the release before left the entry open.
    #[must_use]
    pub fn is_of_old(&self, row: u32) -> bool {
        self.files.get(self.file(row)).is_some_and(|file| file.of_old)
    }

    /// Whether a run before left the entry open.
    #[must_use]
    pub fn is_carried(&self, row: u32) -> bool {
        self.files.get(self.file(row)).is_some_and(|file| file.carried)
    }

    /// Remembers an entry that a run before matched, by its booking date.
    pub fn settle(&mut self, booked: Date, id: EntryId) {
        self.settled.entry(booked).or_default().insert(id);
    }

    /// Entries that runs before matched, by booking date.
    #[must_use]
    pub fn settled(&self) -> &BTreeMap<Date, BTreeSet<EntryId>> {
        &self.settled
    }

    /// Whether a run before matched this entry. Entries carried forward were open then, whatever their number is.
    #[must_use]
    pub fn is_settled(&self, row: u32) -> bool {
        !self.is_carried(row)
            && self.settled.get(&self.booking(row)).is_some_and(|ids| ids.contains(&self.id(row)))
    }

    /// 1 for the first of several rows with the same content, 2 for the second …
    #[must_use]
    pub fn occurrence(&self, row: u32) -> u32 {
        self.occurrence.get(&row).copied().unwrap_or(1)
    }

    /// Gives a row its occurrence number.
    pub fn set_occurrence(&mut self, row: u32, occurrence: u32) {
        if occurrence > 1 {
            self.occurrence.insert(row, occurrence);
        } else {
            self.occurrence.remove(&row);
        }
    }

    /// Rows that take no part in the matching, with the reason.
    #[must_use]
    pub fn ignored(&self) -> &[(u32, IgnoreReason)] {
        &self.ignored
    }

    /// Sets a row aside.
    pub fn ignore(&mut self, row: u32, reason: IgnoreReason) {
        self.ignored.push((row, reason));
    }

    /// Writes the content of an entry in one canonical form: what makes two entries the same.
    ///
    /// Place (file, line, offset) and occurrence number are not part of it. Details stand behind all else, and only where
    /// there are some, so that an entry without any is the same as it was before there were details.
    pub fn write_content(&self, row: u32, out: &mut Vec<u8>) {
        let at = row as usize;
        // A head whose flags say how long its numbers are, then each text behind its length.
        let (amount, fee) = (self.amount(row), self.fee(row));
        let mut head = Head::default();
        head.put(&self.currency(row).own_number().to_le_bytes());
        let widths = [amount, fee].map(|number| match i64::try_from(number) {
            Ok(0) => 0,
            Ok(_) => 1,
            Err(_) => 2u8,
        });
        head.put(&[widths[0] | widths[1] << 2]);
        for (number, width) in [amount, fee].into_iter().zip(widths) {
            head.put(&number.to_le_bytes()[..[0, 8, 16][usize::from(width)]]);
        }
        head.put(&self.booking(row).days().to_le_bytes());
        head.put(&self.value_after_days.get(at).to_le_bytes());
        out.extend_from_slice(&head.bytes[..head.len]);
        for place in [
            self.core[at].reference,
            self.counterparty.get(at),
            self.group.get(at),
            self.account.get(at),
            self.kind.get(at),
            self.description.get(at),
        ] {
            if place.is_empty() {
                out.push(0);
                continue;
            }
            let text = self.text.get(place);
            write_unsigned(out, text.len() as u128);
            out.extend_from_slice(text);
        }
        let details = self.details.get(at);
        if !details.is_empty() {
            let text = self.text.get(details);
            write_unsigned(out, text.len() as u128);
            out.extend_from_slice(text);
        }
    }

    /// Brings rows that stand far apart into the caches before they are looked at one by one: the loads of a short loop
    /// overlap, those of a long one wait for each other.
    pub fn warm(&self, rows: impl Iterator<Item = u32> + Clone) {
        let touched = rows.clone().fold(0, |sum: u32, row| sum ^ self.core[row as usize].reference.place());
        std::hint::black_box(touched);
        let touched = rows.fold(0, |sum: u8, row| sum ^ self.text.first(self.core[row as usize].reference));
        std::hint::black_box(touched);
    }

    /// Whether two rows of this set have the same content.
    #[must_use]
    pub fn same_content(&self, a: u32, b: u32) -> bool {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.write_content(a, &mut left);
        self.write_content(b, &mut right);
        left == right
    }

    /// Content and occurrence number, the bytes that the identity is taken from.
    pub fn write_identity(&self, row: u32, out: &mut Vec<u8>) {
        self.write_content(row, out);
        write_unsigned(out, u128::from(self.occurrence(row)));
    }

    /// The identity of an entry.
    #[must_use]
    pub fn id(&self, row: u32) -> EntryId {
        let mut content = Vec::with_capacity(96);
        self.write_identity(row, &mut content);
        let mut id = [0u8; 16];
        id.copy_from_slice(&blake3::hash(&content).as_bytes()[..16]);
        EntryId(u128::from_be_bytes(id))
    }
}

/// LEB128.
#[inline]
fn write_unsigned(out: &mut Vec<u8>, value: u128) {
    let Ok(mut value) = u64::try_from(value) else { return write_wide(out, value) };
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// LEB128 beyond 64 bits; the same bytes, only slower.
#[cold]
fn write_wide(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The fixed part of an entry's content, put together before it is copied.
struct Head {
    bytes: [u8; 48],
    len: usize,
}

impl Default for Head {
    fn default() -> Self {
        Self { bytes: [0; 48], len: 0 }
    }
}

impl Head {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(amount: i128, reference: &str) -> Draft<'_> {
        let currency = Currency::from_code(b"EUR").unwrap();
        Draft { reference, ..Draft::new(amount, currency, Date::new(2026, 1, 2).unwrap()) }
    }

    #[test]
    fn an_entry_comes_back_as_it_went_in() {
        let mut set = EntrySet::for_file("a.csv");
        let value = Date::new(2026, 1, 5).unwrap();
        let raw = RawPlace { offset: 6_000_000_000, len: 80_000, hash: 9 };
        let full = Draft {
            fee: -3,
            value,
            counterparty: "ACME",
            group: "po_1",
            account: "DE1",
            kind: "refund",
            description: "two\nlines",
            details: "bank=B1",
            line: 77,
            raw,
            ..draft(i128::MAX / 4, "R-1")
        };
        set.push(&draft(1, "R-0")).unwrap();
        set.push(&full).unwrap();
        let back = set.draft(1);
        assert_eq!(format!("{back:?}"), format!("{full:?}"));
        assert_eq!(set.draft(0).counterparty, "");
    }

    #[test]
    fn identity_is_content_and_occurrence_and_not_place() {
        let mut set = EntrySet::for_file("a.csv");
        set.push(&Draft { line: 1, ..draft(100, "R-1") }).unwrap();
        set.push(&Draft { line: 9, ..draft(100, "R-1") }).unwrap();
        set.push(&draft(101, "R-1")).unwrap();
        assert_eq!(set.id(0), set.id(1));
        assert_ne!(set.id(0), set.id(2));
        set.set_occurrence(1, 2);
        assert_ne!(set.id(0), set.id(1));
    }

    #[test]
    fn neighbouring_fields_do_not_run_together() {
        let mut set = EntrySet::for_file("a.csv");
        set.push(&Draft { counterparty: "B", ..draft(1, "A") }).unwrap();
        set.push(&Draft { counterparty: "", ..draft(1, "AB") }).unwrap();
        set.push(&Draft { group: "B", ..draft(1, "A") }).unwrap();
        set.push(&Draft { counterparty: "B", details: "bank=1", ..draft(1, "A") }).unwrap();
        assert_ne!(set.id(0), set.id(3));
        assert_ne!(set.id(0), set.id(1));
        assert_ne!(set.id(0), set.id(2));
    }

    #[test]
    fn appending_keeps_content_place_and_file() {
        let mut first = EntrySet::for_file("a.csv");
        first.push(&Draft { line: 2, counterparty: "X", ..draft(1, "A") }).unwrap();
        let mut second = EntrySet::for_file("b.csv");
        second.push(&Draft { line: 2, counterparty: "Y", pending: true, ..draft(2, "B") }).unwrap();
        let id = second.id(0);
        first.append(second).unwrap();
        assert_eq!(first.id(1), id);
        assert_eq!((first.line(1), first.file(0), first.file(1)), (2, 0, 1));
        assert_eq!(first.ignored(), [(1, IgnoreReason::NotBooked)]);
        assert_eq!(first.files()[1].name, "b.csv");
    }
}
