//! ISO 20022 cash management messages: account report (camt.052), statement (camt.053) and notification (camt.054), of
//! any version, with or without a namespace prefix.
//!
//! An entry (`Ntry`) with transaction details is read down to its `TxDtls`, each of which becomes an entry of its own,
//! provided that their amounts are there and add up; otherwise the entry is kept whole, with a remark. The sign is
//! that of `CdtDbtInd`: a reversal (`RvslInd`) already carries the direction in which the money moves. Message
//! definitions: <https://www.iso20022.org/iso-20022-message-definitions>.

use std::collections::HashMap;

use super::statement::{Balance, Control, Statement};
use super::xml::{Token, attribute, token, unescape};
use super::{Collector, Parser, ReadError};
use crate::currency::{Currency, UNKNOWN};
use crate::date::{Date, DayFault};
use crate::entry::details::{Detail as Entry, Details, is_placeholder};
use crate::entry::{Draft, RawPlace};
use crate::hash::Stream;
use crate::money::{AmountSyntax, parse_amount};
use crate::pan::{self, CardData};

/// Longest text of one element that is kept, in bytes; remittance information is 140 characters.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// Details that one entry may have; more are kept as the whole entry.
const DETAILS_MAX: usize = 200_000;

/// The camt parser.
#[derive(Debug, Default)]
pub(crate) struct CamtParser {
    depth_max: usize,
    line: u64,
    path: Vec<String>,
    attributes: String,
    text: String,
    bad_text: bool,
    statement: Option<StatementState>,
    entry: Option<EntryState>,
    detail: Option<Detail>,
    seen_message: bool,
    /// Whether each element's name says that it holds what may not be kept.
    forbidden: HashMap<String, Option<CardData>>,
}

/// Names of elements that are remembered; the messages define some 800.
const NAMES_MAX: usize = 4_096;

/// A statement that is being read.
#[derive(Debug, Default)]
struct StatementState {
    statement: Statement,
    balance: BalanceState,
    interim: Vec<Balance>,
    stated: Vec<(&'static str, String)>,
    /// The last day that it speaks of, and the day that it was made.
    period_end: Option<Date>,
    created: Option<Date>,
    credits: (i128, i128),
    debits: (i128, i128),
}

/// A balance that is being read.
#[derive(Debug, Default)]
struct BalanceState {
    code: String,
    amount: Option<i128>,
    debit: Option<bool>,
    date: Option<Date>,
}

/// What an entry and its details have in common.
#[derive(Debug, Default)]
struct Common {
    amount: Option<i128>,
    currency: Option<Currency>,
    debit: Option<bool>,
    reversal: bool,
    line: u64,
    offset: u64,
    raw: Stream,
    references: References,
    debtor: String,
    creditor: String,
    remittance: String,
    debtor_account: String,
    creditor_account: String,
    /// Charges: their total, the sum of the single ones (a cost being positive), the one being read, and whether they are
    /// in the amount.
    charges_total: Option<i128>,
    charges_sum: Option<i128>,
    charge: Option<i128>,
    charges_included: Option<bool>,
    /// Currency, other currency and rate of a conversion.
    source_currency: String,
    target_currency: String,
    rate: String,
    fault: Option<(&'static str, &'static str, String)>,
    card: bool,
}

/// References, best first.
#[derive(Debug, Default)]
struct References {
    end_to_end: String,
    creditor: String,
    instruction: String,
    transaction: String,
    servicer: String,
    entry: String,
    payment: String,
    uetr: String,
    mandate: String,
    cheque: String,
    return_reason: String,
    documents: Vec<String>,
    more_creditor: Vec<String>,
}

/// An entry that is being read.
#[derive(Debug, Default)]
struct EntryState {
    common: Common,
    status: String,
    booking: Option<Date>,
    value: Option<Date>,
    batch: String,
    kind: String,
    details: Vec<Detail>,
    details_count: usize,
    /// Whether one of its dates cannot be read.
    bad_date: Option<DayFault>,
}

/// Transaction details.
#[derive(Debug, Default)]
struct Detail {
    common: Common,
    /// The amount of the transaction, and what the payer has instructed.
    transaction: Option<(i128, Currency)>,
    instructed: Option<(i128, Currency)>,
}

impl References {
    /// The reference that both sides know: for money that comes in, the payee's own goes first, since the payee keeps the
    /// books. The bank's numbers are none.
    fn best(&self, amount: i128) -> &str {
        let (first, second) =
            if amount < 0 { (&self.end_to_end, &self.creditor) } else { (&self.creditor, &self.end_to_end) };
        let document = self.documents.first().map_or("", String::as_str);
        [first.as_str(), second, document, &self.instruction, &self.transaction, &self.payment]
            .into_iter()
            .find(|text| !is_placeholder(text))
            .unwrap_or_default()
    }
}

impl CamtParser {
    pub fn new(depth_max: usize) -> Self {
        Self { depth_max, line: 1, ..Self::default() }
    }

    fn start(
        &mut self,
        name: &str,
        attributes: &str,
        offset: u64,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        if self.path.len() >= self.depth_max {
            return Err(ReadError::TooDeep { line: self.line, limit: self.depth_max });
        }
        // Text before an element within another is of no meaning, and is stored all the same.
        let text = std::mem::take(&mut self.text);
        if !text.trim().is_empty() {
            self.screen(text.trim(), out);
        }
        self.text = text;
        self.path.push(name.to_owned());
        self.attributes.clear();
        self.attributes.push_str(attributes);
        self.text.clear();
        self.bad_text = false;
        let common = Common { line: self.line, offset, ..Common::default() };
        match name {
            "BkToCstmrStmt" | "BkToCstmrAcctRpt" | "BkToCstmrDbtCdtNtfctn" => self.seen_message = true,
            "Stmt" | "Rpt" | "Ntfctn" if self.statement.is_none() => {
                self.statement = Some(StatementState {
                    statement: Statement { line: self.line, ..Statement::default() },
                    ..StatementState::default()
                });
            }
            "Ntry" if self.statement.is_some() && self.entry.is_none() => {
                self.entry = Some(EntryState { common, ..EntryState::default() });
            }
            "TxDtls" if self.entry.is_some() && self.detail.is_none() => {
                self.detail = Some(Detail { common, ..Detail::default() });
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Collector) -> Result<(), ReadError> {
        let text = std::mem::take(&mut self.text);
        self.leaf(text.trim(), out);
        self.text = text;
        self.text.clear();
        let name = self.path.pop().unwrap_or_default();
        match name.as_str() {
            "TxDtls" => {
                if let (Some(entry), Some(detail)) = (&mut self.entry, self.detail.take()) {
                    entry.details_count += 1;
                    if entry.details.len() < DETAILS_MAX {
                        entry.details.push(detail);
                    }
                }
            }
            "Ntry" => {
                if let (Some(state), Some(entry)) = (&mut self.statement, self.entry.take()) {
                    state.take(entry, out)?;
                }
            }
            "Bal" => {
                if let Some(state) = &mut self.statement {
                    state.end_balance();
                }
            }
            "Stmt" | "Rpt" | "Ntfctn" => {
                if let Some(state) = self.statement.take() {
                    out.statements.push(state.finish());
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Looks for card data in the text of an element and in its name.
    fn screen(&mut self, text: &str, out: &mut Collector) -> bool {
        let Some(name) = self.path.last() else { return out.screen(self.line, "", text.as_bytes()) };
        let forbidden = match self.forbidden.get(name) {
            Some(forbidden) => *forbidden,
            None => {
                let forbidden = pan::forbidden_name(name);
                if self.forbidden.len() < NAMES_MAX {
                    self.forbidden.insert(name.clone(), forbidden);
                }
                forbidden
            }
        };
        if let Some(what) = forbidden {
            out.card(self.line, name, what);
            return true;
        }
        let Some(what) = pan::scan(text.as_bytes()) else { return false };
        // Accounts are `Id` of `Othr`, and many other things are an `Id` as well.
        let parent = self.path.len().checked_sub(2).and_then(|at| self.path.get(at));
        match parent.filter(|_| name == "Id") {
            Some(parent) => out.found(self.line, &format!("{parent}/{name}"), text.as_bytes(), what),
            None => out.found(self.line, name, text.as_bytes(), what),
        }
    }

    /// Takes the text of an element that has just ended.
    fn leaf(&mut self, text: &str, out: &mut Collector) {
        if text.is_empty() {
            return;
        }
        let card = self.screen(text, out);
        if self.statement.is_none() {
            return;
        }
        let fault =
            self.bad_text.then(|| ("", "xml-escape", "an escape that XML does not define".to_owned()));
        let money = self.money(text);
        if let Some(detail) = &mut self.detail {
            detail.common.card |= card;
            detail.common.fault = detail.common.fault.take().or(fault);
            let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
            detail.leaf(&path, text, money);
        } else if let Some(entry) = &mut self.entry {
            entry.common.card |= card;
            entry.common.fault = entry.common.fault.take().or(fault);
            let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
            entry.leaf(&path, text, money, out);
        } else if let Some(state) = &mut self.statement {
            let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
            state.leaf(&path, text, money);
        }
    }

    /// The element as an amount, if it has a currency.
    fn money(&self, text: &str) -> Option<Result<(i128, Currency), String>> {
        let code = attribute(&self.attributes, "Ccy").filter(|_| {
            self.path.last().is_some_and(|name| matches!(name.as_str(), "Amt" | "TtlChrgsAndTaxAmt"))
        })?;
        let Some(currency) = Currency::from_code(code.as_bytes()) else {
            return Some(Err(UNKNOWN.to_owned()));
        };
        Some(
            parse_amount(text.as_bytes(), currency, AmountSyntax::XML)
                .map(|minor| (minor, currency))
                .map_err(|error| error.to_string()),
        )
    }
}

type MoneyField = Option<Result<(i128, Currency), String>>;

impl Common {
    /// Fields that stand in an entry and in its details alike; `path` ends with the element.
    fn leaf(&mut self, path: &[&str], text: &str) {
        let keep = |field: &mut String| {
            if field.is_empty() {
                field.push_str(text);
            }
        };
        match path {
            [.., "Refs", "EndToEndId"] => keep(&mut self.references.end_to_end),
            [.., "Refs", "InstrId"] => keep(&mut self.references.instruction),
            [.., "Refs", "TxId"] => keep(&mut self.references.transaction),
            [.., "Refs", "PmtInfId"] => keep(&mut self.references.payment),
            [.., "Refs", "UETR"] => keep(&mut self.references.uetr),
            [.., "Refs", "MndtId"] => keep(&mut self.references.mandate),
            [.., "Refs", "ChqNb"] => keep(&mut self.references.cheque),
            [.., "RtrInf", "Rsn", "Cd" | "Prtry"] | [.., "RtrInf", "RtrRsn", "Cd"] => {
                keep(&mut self.references.return_reason)
            }
            [.., "RfrdDocInf", "Nb"] => self.references.documents.push(text.to_owned()),
            [.., "DbtrAcct", "Id", "IBAN"] | [.., "DbtrAcct", "Id", "Othr", "Id"] => {
                keep(&mut self.debtor_account)
            }
            [.., "CdtrAcct", "Id", "IBAN"] | [.., "CdtrAcct", "Id", "Othr", "Id"] => {
                keep(&mut self.creditor_account)
            }
            [.., "CcyXchg", "SrcCcy"] => keep(&mut self.source_currency),
            [.., "CcyXchg", "TrgtCcy"] => keep(&mut self.target_currency),
            [.., "CcyXchg", "XchgRate"] => keep(&mut self.rate),
            [.., "Chrgs", "Rcrd", "ChrgInclInd"] => {
                self.charges_included = Some(text == "true" || text == "1")
            }
            [.., "Chrgs", "CdtDbtInd"] | [.., "Chrgs", "Rcrd", "CdtDbtInd"] => {
                self.end_charge(text != "CRDT")
            }
            [.., "AcctSvcrRef"] => keep(&mut self.references.servicer),
            [.., "CdtrRefInf", "Ref"] if self.references.creditor.is_empty() => {
                text.clone_into(&mut self.references.creditor);
            }
            [.., "CdtrRefInf", "Ref"] => self.references.more_creditor.push(text.to_owned()),
            [.., "Dbtr", "Nm"] | [.., "Dbtr", "Pty", "Nm"] => keep(&mut self.debtor),
            [.., "Cdtr", "Nm"] | [.., "Cdtr", "Pty", "Nm"] => keep(&mut self.creditor),
            [.., "Ustrd" | "AddtlTxInf" | "AddtlNtryInf" | "AddtlRmtInf"] => {
                if !self.remittance.is_empty() {
                    self.remittance.push(' ');
                }
                self.remittance.push_str(text);
            }
            [.., "RvslInd"] => self.reversal = text == "true" || text == "1",
            _ => {}
        }
    }

    fn direction(&mut self, text: &str) {
        match text {
            "DBIT" | "CRDT" => self.debit = Some(text == "DBIT"),
            _ => self.fail("CdtDbtInd", "direction-unknown", "neither CRDT nor DBIT"),
        }
    }

    /// An amount among the charges.
    fn charge(&mut self, path: &[&str], money: Result<(i128, Currency), String>) {
        match money {
            Ok((minor, _)) if path.last() == Some(&"TtlChrgsAndTaxAmt") => self.charges_total = Some(minor),
            // Its direction comes next; without one it is a cost.
            Ok((minor, _)) if matches!(path, [.., "Chrgs" | "Rcrd", "Amt"]) => {
                self.end_charge(true);
                self.charge = Some(minor);
            }
            Ok(_) => {}
            Err(message) => self.fail("Chrgs", "amount-malformed", message),
        }
    }

    /// Adds the charge that was read.
    fn end_charge(&mut self, cost: bool) {
        if let Some(minor) = self.charge.take() {
            *self.charges_sum.get_or_insert(0) += if cost { minor } else { -minor };
        }
    }

    /// What the charges come to, a cost being positive: the single ones, or their total.
    fn charges(&self) -> Option<i128> {
        let pending = self.charge.unwrap_or(0);
        match (self.charges_sum, self.charge) {
            (None, None) => self.charges_total,
            (sum, _) => Some(sum.unwrap_or(0) + pending),
        }
    }

    /// What it carries beside its reference.
    fn put_details(&self, amount: i128, details: &mut Details) {
        let references = &self.references;
        for (detail, value) in [
            (Entry::EndToEnd, &references.end_to_end),
            (Entry::CreditorReference, &references.creditor),
            (Entry::Instruction, &references.instruction),
            (Entry::Transaction, &references.transaction),
            (Entry::Uetr, &references.uetr),
            (Entry::Cheque, &references.cheque),
            (Entry::Mandate, &references.mandate),
            (Entry::Bank, &references.servicer),
            (Entry::Bank, &references.entry),
            (Entry::ReturnReason, &references.return_reason),
            (
                Entry::CounterpartyAccount,
                if amount < 0 { &self.creditor_account } else { &self.debtor_account },
            ),
        ] {
            details.put(detail, value);
        }
        references.documents.iter().for_each(|document| details.put(Entry::Document, document));
        references
            .more_creditor
            .iter()
            .for_each(|reference| details.put(Entry::CreditorReference, reference));
    }

    fn fail(&mut self, field: &'static str, code: &'static str, message: impl Into<String>) {
        self.fault.get_or_insert((field, code, message.into()));
    }

    fn raw(&self) -> RawPlace {
        RawPlace {
            offset: self.offset,
            len: u32::try_from(self.raw.len()).unwrap_or(u32::MAX),
            hash: self.raw.finish(),
        }
    }
}

impl Detail {
    fn leaf(&mut self, path: &[&str], text: &str, money: MoneyField) {
        match (path, money) {
            ([.., "TxDtls", "Amt"], Some(Ok((minor, currency)))) => {
                self.common.amount = Some(minor);
                self.common.currency = Some(currency);
            }
            ([.., "TxAmt", "Amt"], Some(Ok(money))) => self.transaction = Some(money),
            ([.., "InstdAmt", "Amt"], Some(Ok(money))) => self.instructed = Some(money),
            (path, Some(money)) if path.contains(&"Chrgs") => self.common.charge(path, money),
            ([.., "TxDtls", "Amt"], Some(Err(message))) => {
                self.common.fail("Amt", "amount-malformed", message)
            }
            ([.., "TxDtls", "CdtDbtInd"], _) => self.common.direction(text),
            _ => self.common.leaf(path, text),
        }
    }

    /// The amount in the entry's currency.
    fn amount(&self, currency: Currency) -> Option<i128> {
        match (self.common.amount, self.common.currency) {
            (Some(minor), Some(own)) if own == currency => Some(minor),
            _ => self.transaction.filter(|(_, own)| *own == currency).map(|(minor, _)| minor),
        }
    }
}

impl EntryState {
    fn leaf(&mut self, path: &[&str], text: &str, money: MoneyField, out: &Collector) {
        let date = |bad: &mut Option<DayFault>| out.day(text).map_err(|fault| *bad = Some(fault)).ok();
        match (path, money) {
            ([.., "Ntry", "Amt"], Some(Ok((minor, currency)))) => {
                self.common.amount = Some(minor);
                self.common.currency = Some(currency);
            }
            ([.., "Ntry", "Amt"], Some(Err(message))) => self.common.fail("Amt", "amount-malformed", message),
            ([.., "Ntry", "CdtDbtInd"], _) => self.common.direction(text),
            (path, Some(money)) if path.contains(&"Chrgs") => self.common.charge(path, money),
            ([.., "Ntry", "Sts"] | [.., "Ntry", "Sts", "Cd"], _) => text.clone_into(&mut self.status),
            ([.., "BookgDt", "Dt" | "DtTm"], _) => {
                self.booking = date(&mut self.bad_date);
            }
            ([.., "ValDt", "Dt" | "DtTm"], _) => {
                self.value = date(&mut self.bad_date);
            }
            ([.., "Ntry", "NtryRef"], _) => text.clone_into(&mut self.common.references.entry),
            ([.., "Btch", "PmtInfId"], _) => text.clone_into(&mut self.batch),
            ([.., "Btch", "MsgId"], _) if self.batch.is_empty() => text.clone_into(&mut self.batch),
            ([.., "BkTxCd", "Domn", "Cd"] | [.., "Fmly", "Cd" | "SubFmlyCd"] | [.., "Prtry", "Cd"], _)
                if self.kind.len() < 64 =>
            {
                if !self.kind.is_empty() {
                    self.kind.push('-');
                }
                self.kind.push_str(text);
            }
            _ => self.common.leaf(path, text),
        }
    }

    fn kind(&self) -> &str {
        if self.common.reversal { "reversal" } else { &self.kind }
    }
}

impl StatementState {
    fn leaf(&mut self, path: &[&str], text: &str, money: MoneyField) {
        match (path, money) {
            ([.., "Stmt" | "Rpt" | "Ntfctn", "Id"], _) => text.clone_into(&mut self.statement.number),
            ([.., "FrToDt", "ToDtTm" | "ToDt"], _) => self.period_end = Date::parse_iso(text.as_bytes()),
            ([.., "Stmt" | "Rpt" | "Ntfctn", "CreDtTm"], _) => {
                self.created = Date::parse_iso(text.as_bytes())
            }
            ([.., "ElctrncSeqNb"], _) => self.statement.sequence = text.parse().ok(),
            ([.., "LglSeqNb"], _) if self.statement.sequence.is_none() => {
                self.statement.sequence = text.parse().ok();
            }
            ([.., "Acct", "Id", "IBAN"] | [.., "Acct", "Id", "Othr", "Id"], _) => {
                text.clone_into(&mut self.statement.account);
            }
            ([.., "Acct", "Ccy"], _) => self.statement.currency = Currency::from_code(text.as_bytes()),
            ([.., "Bal", "Amt"], Some(Ok((minor, currency)))) => {
                self.balance.amount = Some(minor);
                self.statement.currency.get_or_insert(currency);
            }
            ([.., "Bal", "CdtDbtInd"], _) => {
                self.balance.debit = matches!(text, "DBIT" | "CRDT").then_some(text == "DBIT");
            }
            ([.., "Bal", "Tp", "CdOrPrtry", "Cd"], _) => text.clone_into(&mut self.balance.code),
            ([.., "Bal", "Dt", "Dt" | "DtTm"], _) => self.balance.date = Date::parse_iso(text.as_bytes()),
            ([.., "TtlNtries", "NbOfNtries"], _) => self.stated.push(("entries", text.to_owned())),
            ([.., "TtlCdtNtries", "NbOfNtries"], _) => self.stated.push(("credits", text.to_owned())),
            ([.., "TtlDbtNtries", "NbOfNtries"], _) => self.stated.push(("debits", text.to_owned())),
            ([.., "TtlCdtNtries", "Sum"], _) => self.stated.push(("sum of credits", text.to_owned())),
            ([.., "TtlDbtNtries", "Sum"], _) => self.stated.push(("sum of debits", text.to_owned())),
            _ => {}
        }
    }

    fn end_balance(&mut self) {
        let read = std::mem::take(&mut self.balance);
        let (Some(amount), Some(debit)) = (read.amount, read.debit) else { return };
        let balance = Balance { minor: if debit { -amount } else { amount }, date: read.date };
        match read.code.as_str() {
            "OPBD" => self.statement.opening = Some(balance),
            "PRCD" => {
                self.statement.opening.get_or_insert(balance);
            }
            "CLBD" => self.statement.closing = Some(balance),
            "ITBD" => self.interim.push(balance),
            _ => {}
        }
    }

    /// Keeps a finished entry, by its details where they add up.
    fn take(&mut self, entry: EntryState, out: &mut Collector) -> Result<(), ReadError> {
        let common = &entry.common;
        let line = common.line;
        if common.card || entry.details.iter().any(|detail| detail.common.card) {
            out.reject(line, "", "card-data", "the entry holds card data");
            return Ok(());
        }
        if let Some((field, code, message)) = &common.fault {
            out.reject(line, field, code, message.clone());
            return Ok(());
        }
        let (Some(amount), Some(currency), Some(debit)) = (common.amount, common.currency, common.debit)
        else {
            out.reject(line, "Ntry", "incomplete", "an entry needs an amount with a currency, and CdtDbtInd");
            return Ok(());
        };
        if let Some(fault) = entry.bad_date {
            out.reject(line, "BookgDt", fault.code(), fault.message("YYYY-MM-DD"));
            return Ok(());
        }
        if !matches!(entry.status.as_str(), "" | "BOOK" | "PDNG" | "INFO" | "FUTR") {
            out.reject(line, "Sts", "status-unknown", "none of BOOK, PDNG, INFO and FUTR");
            return Ok(());
        }
        if let Some((field, code, message)) =
            entry.details.iter().find_map(|detail| detail.common.fault.as_ref())
        {
            out.reject(line, field, code, message.clone());
            return Ok(());
        }
        // The standard lets both dates go where the statement's own say it.
        let of_statement =
            || self.statement.closing.and_then(|balance| balance.date).or(self.period_end).or(self.created);
        let own = entry.booking.or(entry.value);
        let Some(booking) = own.or_else(of_statement) else {
            out.reject(line, "BookgDt", "date-missing", "neither the entry nor its statement states a date");
            return Ok(());
        };
        if own.is_none() {
            let message = "the entry states no date, and that of its statement stands for it";
            out.warn(line, "BookgDt", "date-of-statement", message);
        }
        let signed = if debit { -amount } else { amount };
        let pending = matches!(entry.status.as_str(), "PDNG" | "INFO" | "FUTR");
        if !pending {
            self.count(signed, debit);
        }
        let whole = Draft {
            value: entry.value.unwrap_or(booking),
            account: &self.statement.account,
            kind: entry.kind(),
            pending,
            ..Draft::new(signed, currency, booking)
        };
        match details(&entry, signed, currency, debit) {
            Some(split) => {
                for (detail, (amount, fee)) in entry.details.iter().zip(split.amounts) {
                    let carried = detail_details(&entry, detail, amount);
                    out.entry(&Draft {
                        fee,
                        details: &carried,
                        ..entry.detail_draft(&whole, detail, amount)
                    })?;
                }
                if split.charge != 0 {
                    // Charges of the whole belong to none of its parts: they are a line of their own.
                    let fee = entry.charge_draft(&whole, -split.charge);
                    out.entry(&Draft { details: &entry.booking_details(), ..fee })?;
                }
                Ok(())
            }
            None => {
                if entry.details_count > 1 {
                    out.warn(
                        line,
                        "TxDtls",
                        "details-off",
                        "the details do not add up to the entry; the entry is kept whole",
                    );
                }
                entry.keep_whole(&whole, signed, currency, out)
            }
        }
    }

    fn count(&mut self, signed: i128, debit: bool) {
        self.statement.entries += 1;
        self.statement.sum += signed;
        let side = if debit { &mut self.debits } else { &mut self.credits };
        side.0 += 1;
        side.1 += signed.abs();
    }

    /// The finished statement with its control totals.
    fn finish(mut self) -> Statement {
        if let (None, None, [first, .., last]) =
            (self.statement.opening, self.statement.closing, &self.interim[..])
        {
            self.statement.opening = Some(*first);
            self.statement.closing = Some(*last);
        }
        let currency = self.statement.currency;
        for (what, text) in &self.stated {
            let (found, is_money) = match *what {
                "entries" => (self.credits.0 + self.debits.0, false),
                "credits" => (self.credits.0, false),
                "debits" => (self.debits.0, false),
                "sum of credits" => (self.credits.1, true),
                _ => (self.debits.1, true),
            };
            let stated = match (is_money, currency) {
                (false, _) => text.parse().ok(),
                (true, Some(currency)) => parse_amount(text.as_bytes(), currency, AmountSyntax::XML).ok(),
                (true, None) => None,
            };
            if let Some(stated) = stated {
                self.statement.controls.push(Control { what, stated, found, is_money });
            }
        }
        self.statement
    }
}

/// An entry by its details: the signed amount and the fee of each, and charges of the whole (a cost being positive).
struct Split {
    amounts: Vec<(i128, i128)>,
    charge: i128,
}

/// The details of an entry, if all are there and add up to it: as they are, less their own charges, or less those of the
/// whole.
fn details(entry: &EntryState, signed: i128, currency: Currency, debit: bool) -> Option<Split> {
    if entry.details.len() != entry.details_count || entry.details.len() < 2 {
        return None;
    }
    let amounts: Option<Vec<i128>> = entry
        .details
        .iter()
        .map(|detail| {
            let amount = detail.amount(currency)?;
            Some(if detail.common.debit.unwrap_or(debit) { -amount } else { amount })
        })
        .collect();
    let amounts = amounts?;
    let fees: Vec<i128> = entry.details.iter().map(|detail| detail.common.charges().unwrap_or(0)).collect();
    let (sum, fee_sum) = (amounts.iter().sum::<i128>(), fees.iter().sum::<i128>());
    let charge = entry.common.charges().unwrap_or(0);
    let without = |fees: &[i128]| amounts.iter().copied().zip(fees.iter().copied()).collect();
    let none = vec![0; amounts.len()];
    if sum == signed {
        Some(Split { amounts: without(&none), charge: 0 })
    } else if sum - fee_sum == signed {
        Some(Split { amounts: without(&fees), charge: 0 })
    } else if sum - charge == signed {
        Some(Split { amounts: without(&none), charge })
    } else {
        None
    }
}

impl EntryState {
    /// The entry as one, with what its only detail (if there is one) adds.
    fn keep_whole(
        &self,
        whole: &Draft<'_>,
        signed: i128,
        currency: Currency,
        out: &mut Collector,
    ) -> Result<(), ReadError> {
        let only = if self.details_count == 1 { self.details.first() } else { None };
        let (amount, fee) = self.gross(only, signed, currency, out);
        let from_detail = only.map(|detail| detail.common.references.best(signed)).unwrap_or_default();
        let reference =
            if from_detail.is_empty() { self.common.references.best(signed) } else { from_detail };
        let description =
            only.map(|detail| detail.common.remittance.as_str()).filter(|text| !text.is_empty());
        let other = only.map_or("", |detail| counterparty(&detail.common, signed));
        let mut details = Details::default();
        if let Some(detail) = only {
            detail.common.put_details(signed, &mut details);
            detail.put_original(amount, currency, &mut details);
        }
        self.common.put_details(signed, &mut details);
        details.put(Entry::Booking, self.booking_number());
        out.entry(&Draft {
            amount,
            fee,
            reference,
            group: &self.batch,
            counterparty: if other.is_empty() { counterparty(&self.common, signed) } else { other },
            description: description.unwrap_or(&self.common.remittance),
            details: &details.encode(),
            line: self.common.line,
            raw: self.common.raw(),
            ..*whole
        })
    }

    /// Amount and fee of an entry that is kept whole: gross and the charges that are in it, where the file says that they
    /// are, or its only detail shows it.
    fn gross(
        &self,
        only: Option<&Detail>,
        signed: i128,
        currency: Currency,
        out: &mut Collector,
    ) -> (i128, i128) {
        let of_detail = only.and_then(|detail| detail.common.charges());
        let included =
            only.and_then(|detail| detail.common.charges_included).or(self.common.charges_included);
        let Some(charge) = self.common.charges().or(of_detail).filter(|charge| *charge != 0) else {
            return (signed, 0);
        };
        let gross = signed + charge;
        let states = |minor: i128, own: Currency| own == currency && minor == gross.abs();
        let shown = only.is_some_and(|detail| {
            detail.common.amount.zip(detail.common.currency).is_some_and(|(minor, own)| states(minor, own))
                || [detail.transaction, detail.instructed]
                    .into_iter()
                    .flatten()
                    .any(|(minor, own)| states(minor, own))
        });
        if shown || included == Some(true) {
            return (gross, charge);
        }
        if included.is_none() {
            let message = "charges are stated, and not whether the amount is less them; it is kept as booked";
            out.warn(self.common.line, "Chrgs", "charges-unclear", message);
        }
        (signed, 0)
    }

    /// The bank's number of the booking.
    fn booking_number(&self) -> &str {
        let references = &self.common.references;
        if is_placeholder(&references.servicer) { &references.entry } else { &references.servicer }
    }

    fn booking_details(&self) -> String {
        let mut details = Details::default();
        details.put(Entry::Booking, self.booking_number());
        details.encode()
    }

    /// The batch that details are settled with.
    fn batch(&self) -> &str {
        let references = [&self.batch, &self.common.references.servicer, &self.common.references.entry];
        references.into_iter().find(|text| !text.is_empty()).map_or("", String::as_str)
    }

    /// One of several details.
    fn detail_draft<'a>(&'a self, whole: &Draft<'a>, detail: &'a Detail, amount: i128) -> Draft<'a> {
        Draft {
            amount,
            reference: detail.common.references.best(amount),
            group: self.batch(),
            counterparty: counterparty(&detail.common, amount),
            description: &detail.common.remittance,
            kind: if detail.common.reversal { "reversal" } else { whole.kind },
            line: detail.common.line,
            raw: detail.common.raw(),
            ..*whole
        }
    }

    /// The charges of a batch.
    fn charge_draft<'a>(&'a self, whole: &Draft<'a>, amount: i128) -> Draft<'a> {
        Draft {
            amount,
            group: self.batch(),
            kind: "fee",
            description: "charges of the batch",
            line: self.common.line,
            raw: self.common.raw(),
            ..*whole
        }
    }
}

/// What one of several details carries beside its reference.
fn detail_details(entry: &EntryState, detail: &Detail, amount: i128) -> String {
    let mut details = Details::default();
    detail.common.put_details(amount, &mut details);
    if let Some(currency) = entry.common.currency {
        detail.put_original(amount, currency, &mut details);
    }
    details.put(Entry::Booking, entry.booking_number());
    details.encode()
}

impl Detail {
    /// What was instructed in another currency, with the rate.
    fn put_original(&self, amount: i128, currency: Currency, details: &mut Details) {
        let other = |money: Option<(i128, Currency)>| money.filter(|(_, own)| *own != currency);
        let own = self.common.amount.zip(self.common.currency);
        let Some((minor, original)) = other(self.instructed).or(other(self.transaction)).or(other(own))
        else {
            return;
        };
        details.original(if amount < 0 { -minor } else { minor }, original);
        // `XchgRate` is what one unit of the source currency is worth (or of `UnitCcy`, which is it in practice).
        let same = self.common.source_currency == original.code();
        if let Some(rate) = crate::money::rate(&self.common.rate, AmountSyntax::XML).filter(|_| same) {
            details.put(Entry::Rate, &rate);
        }
    }
}

/// The other party: who paid if money came in, who was paid if it went out.
fn counterparty(common: &Common, amount: i128) -> &str {
    let (first, second) =
        if amount < 0 { (&common.creditor, &common.debtor) } else { (&common.debtor, &common.creditor) };
    if first.is_empty() { second } else { first }
}

impl Parser for CamtParser {
    fn consume(
        &mut self,
        data: &[u8],
        offset: u64,
        last: bool,
        out: &mut Collector,
    ) -> Result<usize, ReadError> {
        let mut at = 0;
        while at < data.len() {
            let Some((token, length)) = token(&data[at..], last, self.line)? else { break };
            let closes_itself = matches!(token, Token::Start { closes: true, .. });
            match token {
                Token::Start { name, attributes, .. } => {
                    self.start(name, attributes, offset + at as u64, out)?
                }
                Token::End { name } => {
                    if self.path.last().map(String::as_str) != Some(name) {
                        let message = "an end tag without its start tag".to_owned();
                        return Err(ReadError::Malformed { line: self.line, message });
                    }
                }
                Token::Text { text, literal } => {
                    let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
                    // It is screened when its element ends; what is outside of all, or too much, as it stands.
                    if text.len() <= room && !self.path.is_empty() {
                        out.cover(offset + at as u64, length);
                    }
                    let text = &text[..text.floor_char_boundary(room)];
                    if literal {
                        self.text.push_str(text);
                    } else {
                        self.bad_text |= !unescape(text, &mut self.text);
                    }
                }
                Token::Nothing => {}
            }
            let raw = &data[at..at + length];
            for stream in self
                .entry
                .iter_mut()
                .map(|entry| &mut entry.common.raw)
                .chain(self.detail.iter_mut().map(|detail| &mut detail.common.raw))
            {
                stream.push(raw);
            }
            if closes_itself || matches!(token, Token::End { .. }) {
                self.end(out)?;
            }
            self.line += memchr::memchr_iter(b'\n', raw).count() as u64;
            at += length;
        }
        Ok(at)
    }

    fn finish(&mut self, _out: &mut Collector) -> Result<(), ReadError> {
        let message = if !self.path.is_empty() {
            "the file ends before its elements do"
        } else if !self.seen_message {
            "not a camt.052, camt.053 or camt.054 message"
        } else {
            return Ok(());
        };
        Err(ReadError::Malformed { line: self.line, message: message.to_owned() })
    }

    fn line(&self) -> u64 {
        self.line
    }
}
