//! A ruleset for statements in MT940 rewritten for the same statements in camt, as far as the files show what is needed.
//!
//! The text is changed in its own place: comments and everything that is not concerned stay as they were.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

use super::RulesError;
use crate::engine::Side;

/// What parallel files have shown.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Accounts that are called otherwise, old and new name.
    pub accounts: Vec<[String; 2]>,
    /// The source's words for what an entry is: which new ones stand where an old one stood.
    pub kinds: BTreeMap<String, BTreeSet<String>>,
}

/// How far passes are to look for references that stand elsewhere in the new files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loosening {
    /// Passes stay as they are.
    None,
    /// By letters and digits, and in the identifiers beside the reference.
    Normalized,
    /// In the text as well.
    Contained,
}

impl Loosening {
    fn mode(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Normalized => Some("normalized"),
            Self::Contained => Some("contained"),
        }
    }
}

/// A ruleset that was rewritten.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    /// Its text.
    pub text: String,
    /// What was changed, a sentence each.
    pub changes: Vec<String>,
    /// What somebody has to look at, a sentence each.
    pub notes: Vec<String>,
}

/// Rewrites the rules of a side for the new files.
///
/// # Errors
/// Fails when the text is not TOML.
pub fn rewrite(
    text: &str,
    side: Side,
    findings: &Findings,
    loosening: Loosening,
) -> Result<Rewrite, RulesError> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| RulesError {
        line: 0,
        key: String::new(),
        message: error.message().to_owned(),
    })?;
    let mut done = Rewrite::default();
    format(&mut document, side, &mut done);
    exemptions(&document, side, &mut done);
    ignored(&mut document, side, findings, &mut done);
    kinds(&mut document, findings, &mut done);
    accounts(&mut document, findings, &mut done);
    if let Some(mode) = loosening.mode() {
        passes(&mut document, mode, &mut done);
    }
    done.text = document.to_string();
    Ok(done)
}

/// Puts a value in the place of another one, and leaves what stands around it.
fn replace(old: &mut Value, new: impl Into<Value>) {
    let around = old.decor().clone();
    *old = new.into();
    *old.decor_mut() = around;
}

/// A format that is forced.
fn format(document: &mut DocumentMut, side: Side, done: &mut Rewrite) {
    let own = document.get_mut(side.name()).and_then(Item::as_table_like_mut);
    let format = own.and_then(|own| own.get_mut("format")).and_then(Item::as_value_mut);
    if let Some(format) = format.filter(|format| format.as_str() == Some("mt940")) {
        replace(format, "camt");
        done.changes.push(format!("{}.format: camt in place of mt940", side.name()));
    }
}

/// Fields of the old format that are exempt from the search for card numbers have other names in the new one.
fn exemptions(document: &DocumentMut, side: Side, done: &mut Rewrite) {
    let mapping = document.get(side.name()).and_then(|own| own.get("mapping"));
    if mapping.is_some_and(|mapping| mapping.get("card_exempt").is_some()) {
        done.notes.push(format!(
            "{}.mapping.card_exempt names fields of MT940; in camt a refusal names elements (`Ustrd`, `Othr/Id`): read the \
             new files under the proposed rules, and name the ones that they refuse",
            side.name()
        ));
    }
}

/// New words that may join a list of old ones: those that stand for nothing beside them. The others are told.
fn joining(words: &[String], findings: &Findings, what: &str, done: &mut Rewrite) -> Vec<String> {
    let in_list = |word: &str| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    let mut joining = BTreeSet::new();
    for new in findings.kinds.iter().filter(|(old, _)| in_list(old)).flat_map(|(_, new)| new) {
        let others: Vec<&str> = findings
            .kinds
            .iter()
            .filter(|(old, news)| !in_list(old) && news.contains(new))
            .map(|(old, _)| old.as_str())
            .collect();
        if new.is_empty() || in_list(new) {
            continue;
        }
        if others.is_empty() {
            joining.insert(new.clone());
        } else {
            done.notes.push(format!(
                "{what}: `{new}` of camt stands for what it names, and for {} too; decide which is meant",
                others.iter().map(|old| format!("`{old}`")).collect::<Vec<_>>().join(", ")
            ));
        }
    }
    joining.into_iter().collect()
}

/// The texts of an array.
fn texts(array: &Array) -> Vec<String> {
    array.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Entries that are set aside by the source's word for them.
fn ignored(document: &mut DocumentMut, side: Side, findings: &Findings, done: &mut Rewrite) {
    let Some(rules) = document.get_mut("ignore").and_then(Item::as_array_of_tables_mut) else { return };
    for (number, rule) in (1..).zip(rules.iter_mut()) {
        let text = |key: &str| rule.get(key).and_then(Item::as_str);
        if text("field") != Some("kind") || text("side").is_some_and(|named| named != side.name()) {
            continue;
        }
        let Some(array) = rule.get_mut("equals").and_then(Item::as_array_mut) else { continue };
        let what = format!("ignore {number}");
        for new in joining(&texts(array), findings, &what, done) {
            done.changes.push(format!("{what}: `{new}` of camt added to the kinds that are set aside"));
            array.push(new);
        }
    }
}

/// Words for what an entry is.
fn kinds(document: &mut DocumentMut, findings: &Findings, done: &mut Rewrite) {
    let Some(table) = document.get_mut("kinds").and_then(Item::as_table_like_mut) else { return };
    for (name, item) in table.iter_mut() {
        let Some(array) = item.as_array_mut() else { continue };
        let what = format!("kinds.{}", name.get());
        for new in joining(&texts(array), findings, &what, done) {
            done.changes.push(format!("{what}: `{new}` of camt added"));
            array.push(new);
        }
    }
}

/// Accounts that are called otherwise.
fn accounts(document: &mut DocumentMut, findings: &Findings, done: &mut Rewrite) {
    if findings.accounts.is_empty() {
        return;
    }
    let version = document.get_mut("version").and_then(Item::as_value_mut);
    if let Some(version) = version.filter(|version| version.as_integer() == Some(1)) {
        replace(version, 2);
        done.changes
            .push("version: 2, which `[[account]]` belongs to; all else means what it meant".to_owned());
    }
    let list = document.entry("account").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(list) = list.as_array_of_tables_mut() else {
        done.notes.push(
            "account: is written as an inline list; add the accounts that are called otherwise".to_owned(),
        );
        return;
    };
    for [old, new] in &findings.accounts {
        let mut table = Table::new();
        table["name"] = value(old.as_str());
        table["also"] = value(Array::from_iter([new.as_str()]));
        list.push(table);
        done.changes.push("account: one that the new files call otherwise is declared".to_owned());
    }
}

/// Passes by reference look for it in more places.
fn passes(document: &mut DocumentMut, mode: &str, done: &mut Rewrite) {
    let Some(list) = document.get_mut("pass").and_then(Item::as_array_of_tables_mut) else {
        done.notes
            .push(format!("pass: is written as an inline list; set `reference = \"{mode}\"` in its passes"));
        return;
    };
    let mut passes = ArrayOfTables::new();
    for pass in list.iter() {
        let mut pass = pass.clone();
        let name = pass.get("name").and_then(Item::as_str).unwrap_or_default().to_owned();
        if let Some(settings) = pass.get_mut("reference").and_then(Item::as_table_like_mut)
            && weaker(settings.get("reference").and_then(Item::as_str), mode)
        {
            settings.insert("reference", value(mode));
            done.changes.push(format!("pass \"{name}\": references are compared as `{mode}`"));
        }
        let beside = pass.get("exact").and_then(Item::as_table_like).map(|exact| beside(exact, &name, mode));
        passes.push(pass);
        if let Some(beside) = beside {
            done.changes.push(format!("pass \"{name}\": one behind it compares references as `{mode}`"));
            passes.push(beside);
        }
    }
    *list = passes;
}

/// Whether a mode looks in fewer places than another.
fn weaker(mode: Option<&str>, than: &str) -> bool {
    match mode {
        None | Some("exact") => true,
        Some("normalized") => than == "contained",
        Some(_) => false,
    }
}

/// The pass that does what an exact one does, by references in more places.
fn beside(exact: &dyn TableLike, name: &str, mode: &str) -> Table {
    let mut settings = InlineTable::new();
    settings.insert("reference", mode.into());
    for key in ["date", "left_amount", "right_amount"] {
        if let Some(own) = exact.get(key).and_then(Item::as_value) {
            settings.insert(key, own.clone().decorated(" ", ""));
        }
    }
    let mut pass = Table::new();
    pass["name"] = value(format!("{name}, reference elsewhere"));
    pass["reference"] = value(settings);
    pass
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "version = 1 # ours\nname = \"bank\"\n[right]\nformat = \"mt940\"\n[[ignore]]\nfield = \"kind\"\nequals = [\"NCHG\"] # fees\nreason = \"elsewhere\"\n[[pass]]\nname = \"exact\"\nexact = { date = \"value\" }\n[[pass]]\nname = \"near\"\nreference = { days = 3 }\n";

    fn findings(kinds: &[(&str, &str)]) -> Findings {
        let mut all = Findings::default();
        for (old, new) in kinds {
            all.kinds.entry((*old).to_owned()).or_default().insert((*new).to_owned());
        }
        all
    }

    #[test]
    fn what_concerns_the_format_is_rewritten_and_nothing_else() {
        let found = Findings {
            accounts: vec![["0417164300".to_owned(), "BANK-1".to_owned()]],
            ..findings(&[("NCHG", "PMNT-CHRG"), ("NTRF", "PMNT-RCDT")])
        };
        let done = rewrite(OLD, Side::Right, &found, Loosening::None).unwrap();
        assert!(
            done.text.contains("version = 2 # ours") && done.text.contains("format = \"camt\""),
            "{}",
            done.text
        );
        assert!(done.text.contains("equals = [\"NCHG\", \"PMNT-CHRG\"] # fees"), "{}", done.text);
        assert!(done.text.contains("also = [\"BANK-1\"]"), "{}", done.text);
        assert!(super::super::load(&done.text).is_ok(), "{}", done.text);
        assert_eq!((done.changes.len(), done.notes.len()), (4, 0), "{:?}", done.changes);
        let same = rewrite(OLD, Side::Left, &Findings::default(), Loosening::None).unwrap();
        assert_eq!((same.text.as_str(), same.changes), (OLD, vec![]));
    }

    #[test]
    fn a_new_word_that_stands_for_others_too_is_left_to_people() {
        let found = findings(&[("NCHG", "PMNT-OTHR"), ("NTRF", "PMNT-OTHR")]);
        let done = rewrite(OLD, Side::Right, &found, Loosening::None).unwrap();
        assert!(done.text.contains("equals = [\"NCHG\"]"), "{}", done.text);
        assert!(done.notes[0].contains("`NTRF`"), "{:?}", done.notes);
    }

    #[test]
    fn passes_look_for_references_where_they_stand_now() {
        let done = rewrite(OLD, Side::Right, &Findings::default(), Loosening::Normalized).unwrap();
        let rules = super::super::load(&done.text).unwrap();
        let names: Vec<&str> = rules.passes.iter().map(|pass| pass.name.as_str()).collect();
        assert_eq!(names, ["exact", "exact, reference elsewhere", "near"], "{}", done.text);
        assert!(
            done.text.contains("reference = { days = 3 , reference = \"normalized\" }")
                || done.text.contains("reference = { days = 3, reference = \"normalized\" }"),
            "{}",
            done.text
        );
        assert!(done.text.contains("date = \"value\""), "{}", done.text);
    }
}
