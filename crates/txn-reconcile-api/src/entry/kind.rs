//! What an entry is, from its source's own word for it: payment, refund, chargeback, payout, fee, or the reversal of one.
//!
//! Words are those of Stripe's reporting categories (<https://docs.stripe.com/reports/reporting-categories>), Adyen's
//! journal types (<https://docs.adyen.com/reporting/settlement-reconciliation/transaction-level/>), PayPal's and other
//! processors' transaction types and plain English; those of a ruleset go before them. What is in no list is
//! [`Kind::Unknown`], never the nearest guess.

use std::fmt;

contract::closed_list! {
    /// The kinds.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Kind {
        /// No list has its word.
        Unknown,
        /// A sale, charge, credit or transfer.
        Payment,
        /// Money given back by the payee.
        Refund,
        /// Money taken back by the payer's bank: a dispute.
        Chargeback,
        /// The transfer of a balance to a bank account.
        Payout,
        /// A cost of its own line.
        Fee,
    }
}

impl Kind {
    /// The name in rulesets and lists.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Payout => "payout",
            Self::Fee => "fee",
        }
    }
}

/// A kind, and whether the entry takes one of it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class {
    /// What it is, or is the reversal of.
    pub kind: Kind,
    /// Whether it is a reversal.
    pub reversal: bool,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, self.reversal) {
            (Kind::Unknown, true) => f.write_str("reversal"),
            (kind, true) => write!(f, "{}_reversal", kind.name()),
            (kind, false) => f.write_str(kind.name()),
        }
    }
}

/// Words of each kind, letters and digits in lower case.
const WORDS: [(Kind, &[&str]); 5] = [
    (
        Kind::Payment,
        &[
            "payment",
            "charge",
            "sale",
            "settled",
            "settledexternally",
            "capture",
            "captured",
            "purchase",
            "order",
            "directpayment",
            "websitepayment",
            "expresscheckoutpayment",
            "mobilepayment",
            "card",
            "transfer",
            "debit",
            "credit",
            "authorisation",
            "authorization",
        ],
    ),
    (
        Kind::Refund,
        &[
            "refund",
            "refunded",
            "refundedexternally",
            "partialrefund",
            "partialpaymentrefund",
            "paymentrefund",
            "refundpayment",
            "return",
            "creditnote",
            "refundcapture",
        ],
    ),
    (
        Kind::Chargeback,
        &[
            "chargeback",
            "chargebacks",
            "dispute",
            "disputed",
            "secondchargeback",
            "chargebackexternally",
            "chargebackwithdrawal",
            "chargebackreceived",
            "preaarbitration",
            "prearbitration",
            "retrieval",
            "notificationofchargeback",
            "disputelost",
            "cb",
            "cbk",
            "paymentdispute",
            "disputewithdrawal",
        ],
    ),
    (
        Kind::Payout,
        &[
            "payout",
            "merchantpayout",
            "payouts",
            "withdrawal",
            "generalwithdrawal",
            "banktransferwithdrawal",
            "initiatedtransfer",
            "payoutminimumbalancehold",
            "settlement",
            "disbursement",
            "transferout",
        ],
    ),
    (
        Kind::Fee,
        &[
            "fee",
            "fees",
            "networkcost",
            "stripefee",
            "applicationfee",
            "feeinvoice",
            "depositfee",
            "invoicededuction",
            "chargebackfee",
            "disputefee",
            "paymentfee",
            "commission",
            "bankcharge",
            "bankcharges",
            "charges",
            "tax",
            "chargebacksettlementfee",
            "pspfee",
            "schemefee",
            "interchange",
            "platformearning",
        ],
    ),
];

/// Words that say that something is taken back, without saying what.
const REVERSALS: [&str; 8] =
    ["reversal", "reversed", "reverse", "rvsl", "void", "voided", "cancellation", "storno"];

/// Letters and digits of a word, in lower case.
#[must_use]
pub fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The class of a word; `own` are the words of a ruleset, as [`plain`] makes them.
#[must_use]
pub fn class(word: &str, own: &[(String, Class)]) -> Class {
    let plain = plain(word);
    if let Some((_, class)) = own.iter().find(|(known, _)| *known == plain) {
        return *class;
    }
    if REVERSALS.contains(&plain.as_str()) {
        return Class { kind: Kind::Unknown, reversal: true };
    }
    let known = |plain: &str| WORDS.iter().find(|(_, words)| words.contains(&plain)).map(|(kind, _)| *kind);
    if let Some(kind) = known(&plain) {
        return Class { kind, reversal: false };
    }
    // `dispute_reversal`, `ChargebackReversed`, `payment_failure_refund`: a kind and a word for taking it back.
    for ending in
        ["reversed", "reversal", "cancellation", "cancel", "failure", "failurerefund", "failed", "returned"]
    {
        if let Some(kind) = plain.strip_suffix(ending).filter(|rest| !rest.is_empty()).and_then(known) {
            return Class { kind, reversal: true };
        }
    }
    for beginning in ["reversalof", "reversed", "canceled", "cancelled", "reverse"] {
        if let Some(kind) = plain.strip_prefix(beginning).filter(|rest| !rest.is_empty()).and_then(known) {
            return Class { kind, reversal: true };
        }
    }
    Class { kind: Kind::Unknown, reversal: false }
}

/// The class that a name in a ruleset means: `chargeback`, `reversal`, `chargeback_reversal`.
#[must_use]
pub fn from_name(name: &str) -> Option<Class> {
    Kind::ALL
        .into_iter()
        .flat_map(|kind| [false, true].map(|reversal| Class { kind, reversal }))
        .find(|class| class.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_processors_have_their_class() {
        for (word, expected) in [
            ("charge", "payment"),
            ("Settled", "payment"),
            ("refund", "refund"),
            ("Refunded", "refund"),
            ("RefundedReversed", "refund_reversal"),
            ("refund_failure", "refund_reversal"),
            ("dispute", "chargeback"),
            ("dispute_reversal", "chargeback_reversal"),
            ("Chargeback", "chargeback"),
            ("SecondChargeback", "chargeback"),
            ("ChargebackReversed", "chargeback_reversal"),
            ("payout", "payout"),
            ("payout_reversal", "payout_reversal"),
            ("MerchantPayout", "payout"),
            ("fee", "fee"),
            ("network_cost", "fee"),
            ("InvoiceDeduction", "fee"),
            ("reversal", "reversal"),
            ("NTRF", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(class(word, &[]).to_string(), expected, "{word}");
        }
    }

    #[test]
    fn words_of_a_ruleset_go_first_and_names_lead_back() {
        let own = [("rückläufer".to_owned(), from_name("chargeback").unwrap())];
        assert_eq!(class("RÜCKLÄUFER", &own).to_string(), "chargeback");
        for kind in Kind::ALL {
            for reversal in [false, true] {
                let class = Class { kind, reversal };
                assert_eq!(from_name(&class.to_string()), Some(class));
            }
        }
    }

    #[test]
    fn no_word_stands_in_two_lists() {
        let mut seen = std::collections::BTreeSet::new();
        for word in WORDS.iter().flat_map(|(_, words)| *words).chain(&REVERSALS) {
            assert_eq!(&plain(word), word);
            assert!(seen.insert(word), "{word}");
        }
    }
}
