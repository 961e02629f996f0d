//! Counterparties as people write them: `ACME GmbH`, `Acme G.m.b.H.`, `GmbH Acme` are one.
//!
//! Letters are brought to their nearest in ASCII (ä, ae and a are one), marks are dropped, legal forms left out and words
//! sorted. Two parties that differ in more than that are two, unless the ruleset names them as one.

use std::collections::HashMap;

use deunicode::deunicode;

use super::{Run, Side};
use crate::entry::details::{self, Detail};

/// Legal forms, without marks; they say nothing about who it is. From ISO 20275 (<https://www.gleif.org/en/lei-data/code-lists/iso-20275-entity-legal-forms-code-list>),
/// those that banks and ledgers abbreviate.
const LEGAL_FORMS: [&str; 58] = [
    "ab",
    "ag",
    "aktiengesellschaft",
    "as",
    "asa",
    "aps",
    "bhd",
    "bv",
    "bvba",
    "co",
    "company",
    "corp",
    "corporation",
    "cv",
    "doo",
    "ek",
    "eood",
    "eu",
    "ev",
    "eg",
    "gbr",
    "ggmbh",
    "gesellschaft",
    "gmbh",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "kgaa",
    "lda",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "mbh",
    "nv",
    "ohg",
    "ood",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "sa",
    "sab",
    "sarl",
    "sas",
    "se",
    "sl",
    "spa",
    "spol",
    "srl",
    "sro",
    "ug",
    "vof",
    "zoo",
];

/// A name by which two spellings of one party are equal; empty if nothing is left of it.
#[must_use]
pub fn party_key(name: &str) -> String {
    let plain = deunicode(name).to_lowercase().replace(['.', '\'', '`'], "");
    let mut words: Vec<String> = Vec::new();
    let mut single = false;
    for word in plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        match words.last_mut() {
            // `G m b H` is one word.
            Some(last) if single && word.len() == 1 => last.push_str(word),
            _ => {
                single = word.len() == 1;
                words.push(word.to_owned());
            }
        }
    }
    let is_form = |word: &String| LEGAL_FORMS.contains(&word.as_str());
    if words.iter().any(|word| !is_form(word) && word != "und" && word != "and") {
        words.retain(|word| !is_form(word) && word != "und" && word != "and");
    }
    words.iter_mut().for_each(|word| *word = word.replace("ae", "a").replace("oe", "o").replace("ue", "u"));
    words.sort_unstable();
    words.join(" ")
}

/// Who the other party of an entry is, for entries of a run.
pub(crate) struct Parties<'a> {
    run: &'a Run<'a>,
    known: HashMap<&'a str, String>,
}

impl<'a> Parties<'a> {
    pub fn new(run: &'a Run<'a>) -> Self {
        Self { run, known: HashMap::new() }
    }

    /// A key that is the same for one party; empty if the entry does not say who it is.
    pub fn of(&mut self, side: Side, row: u32) -> String {
        let set = self.run.set(side);
        let aliases = &self.run.rules.parties;
        let name = set.counterparty(row);
        let alias =
            |key: &str| aliases.iter().find(|(known, _)| known == key).map(|(_, party)| party.clone());
        let known = self.known.entry(name).or_insert_with(|| {
            let key = party_key(name);
            alias(&key).unwrap_or(key)
        });
        let account = if set.has_no_details() {
            ""
        } else {
            details::find(set.details(row), Detail::CounterpartyAccount)
        };
        if account.is_empty() {
            return known.clone();
        }
        let account = super::account_key(account);
        match alias(&account) {
            Some(party) => party,
            None if known.is_empty() => account,
            None => known.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_party_are_one() {
        for spellings in [
            &["ACME GmbH", "ACME G.m.b.H", "Acme G. m. b. H.", "acme", "GmbH ACME", "ACME, GmbH"][..],
            &["Müller & Söhne KG", "Mueller und Soehne", "MULLER SOHNE KG", "Söhne Müller"],
            &["Jansen B.V.", "JANSEN BV", "Jansen bv."],
            &["Société Générale S.A.", "SOCIETE GENERALE SA"],
            &["Иванов", "Ivanov"],
            &["O'Neill Ltd.", "ONeill Limited"],
        ] {
            for spelling in spellings {
                assert_eq!(party_key(spelling), party_key(spellings[0]), "{spelling}");
            }
        }
        for (a, b) in
            [("ACME GmbH", "ACNE GmbH"), ("Acme Holding", "Acme"), ("AG", "SE"), ("Beta 1", "Beta 2")]
        {
            assert_ne!(party_key(a), party_key(b), "{a}, {b}");
        }
        assert_eq!(party_key(" .-/ "), "");
    }

    #[test]
    fn legal_forms_are_in_order() {
        let mut sorted = LEGAL_FORMS.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), LEGAL_FORMS.len());
    }
}
