//! Own accounts as a key: an entry on one account is another thing than one on another.
//!
//! A source writes an account in its own way: an IBAN with blanks, with the currency behind it, or only its national part
//! (`37040044/0532013000`, `0417164300`). Such are one account, as far as one IBAN of the run fits; whatever else is
//! called otherwise has to be declared in the ruleset. An entry without an account goes with every one.

use std::collections::BTreeMap;

use super::{Run, Side};
use crate::currency::Currency;
use crate::entry::EntrySet;
use crate::pan;
use crate::rules::Ruleset;

/// Digits that a national number needs to be looked for at the end of an IBAN.
const NATIONAL_DIGITS_MIN: usize = 6;

/// Accounts of a run that are compared with one another; beyond them only equal names are one account.
const COMPARED_MAX: usize = 4_096;

/// The accounts of a run by row, 0 where there is none. Nothing is kept unless both sides name accounts.
#[derive(Debug, Default)]
pub(crate) struct Accounts(Option<[Vec<u32>; 2]>);

/// Letters and digits of an account in upper case; of an IBAN, a currency behind it is left out.
#[must_use]
pub fn account_key(account: &str) -> String {
    let plain: String =
        account.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    if plain.is_empty() {
        // Written in another script: it is its own key.
        return account.trim().to_owned();
    }
    let end = plain.len().saturating_sub(3);
    if Currency::from_code(&plain.as_bytes()[end..]).is_some() && pan::is_iban(&plain[..end]) {
        return plain[..end].to_owned();
    }
    plain
}

impl Accounts {
    pub fn new(run: &Run<'_>) -> Self {
        if run.rules.accounts_ignored || run.sets.iter().any(EntrySet::has_no_accounts) {
            return Self::default();
        }
        let names: [BTreeMap<_, String>; 2] = Side::BOTH.map(|side| {
            let set = run.set(side);
            let mut names = BTreeMap::new();
            let mut last = None;
            for row in set.rows() {
                let place = set.account_place(row);
                if last != Some(place) {
                    names.entry(place).or_insert_with(|| account_key(set.account(row)));
                    last = Some(place);
                }
            }
            names
        });
        let numbers = number(names.iter().flat_map(BTreeMap::values), &run.rules.accounts);
        let keys = Side::BOTH.map(|side| {
            let set = run.set(side);
            let known: BTreeMap<_, u32> = names[side as usize]
                .iter()
                .map(|(place, name)| (*place, numbers.get(name.as_str()).copied().unwrap_or(0)))
                .collect();
            let mut last = (set.rows().next().map(|row| set.account_place(row)), None);
            let row_key = |row| {
                let place = set.account_place(row);
                if let (Some(before), Some(number)) = last
                    && before == place
                {
                    return number;
                }
                let number = known.get(&place).copied().unwrap_or(0);
                last = (Some(place), Some(number));
                number
            };
            set.rows().map(row_key).collect()
        });
        Self(Some(keys))
    }

    /// The number of an entry's account; 0 for none.
    #[inline]
    pub fn of(&self, side: Side, row: u32) -> u32 {
        self.0.as_ref().map_or(0, |keys| keys[side as usize][row as usize])
    }

    /// Whether two entries, of either side or of one, can stand on one account.
    #[inline]
    pub fn agree(&self, a: (Side, u32), b: (Side, u32)) -> bool {
        let Some(keys) = &self.0 else { return true };
        let (a, b) = (keys[a.0 as usize][a.1 as usize], keys[b.0 as usize][b.1 as usize]);
        a == b || a == 0 || b == 0
    }

    /// Whether all these entries can stand on one account.
    pub fn all_agree(&self, entries: impl Iterator<Item = (Side, u32)>) -> bool {
        let mut named = entries.map(|(side, row)| self.of(side, row)).filter(|number| *number != 0);
        let first = named.next();
        named.all(|number| Some(number) == first)
    }
}

/// A number from 1 for each account of these keys (as [`account_key`] makes them); names of one account, by their own
/// digits or by the ruleset, have one number.
#[must_use]
pub fn account_numbers(keys: &[String], rules: &Ruleset) -> BTreeMap<String, u32> {
    number(keys.iter(), &rules.accounts).into_iter().map(|(key, number)| (key.to_owned(), number)).collect()
}

/// A number from 1 for each account; names of one account have one number.
fn number<'a>(names: impl Iterator<Item = &'a String>, declared: &[Vec<String>]) -> BTreeMap<&'a str, u32> {
    let mut all: Vec<&str> = names.map(String::as_str).filter(|name| !name.is_empty()).collect();
    all.sort_unstable();
    all.dedup();
    let mut numbers: BTreeMap<&str, u32> = all.iter().copied().zip(1..).collect();
    for (group, next) in declared.iter().zip((1..).map(|index| u32::MAX - index)) {
        numbers
            .iter_mut()
            .filter(|(name, _)| group.iter().any(|known| known == *name))
            .for_each(|(_, number)| *number = next);
    }
    if all.len() <= COMPARED_MAX {
        let ibans: Vec<&str> = all.iter().copied().filter(|name| pan::is_iban(name)).collect();
        for name in all.iter().filter(|name| !pan::is_iban(name)) {
            let digits = name.trim_start_matches('0');
            let is_declared = declared.iter().flatten().any(|known| known == name);
            if is_declared
                || digits.len() < NATIONAL_DIGITS_MIN
                || !digits.bytes().any(|byte| byte.is_ascii_digit())
            {
                continue;
            }
            let mut fitting = ibans.iter().filter(|iban| iban[4..].ends_with(digits));
            if let (Some(iban), None) = (fitting.next(), fitting.next())
                && let Some(number) = numbers.get(iban).copied()
            {
                numbers.insert(name, number);
            }
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_one_however_it_is_written() {
        assert_eq!(account_key("NL91 ABNA 0417 1643 00"), "NL91ABNA0417164300");
        assert_eq!(account_key("NL91ABNA0417164300EUR"), "NL91ABNA0417164300");
        assert_eq!(account_key("NL91ABNA0417164300 EUR"), "NL91ABNA0417164300");
        assert_eq!(account_key("de-a"), "DEA");
        let names: Vec<String> = [
            "NL91ABNA0417164300",
            "417164300",
            "DE89370400440532013000",
            "370400440532013000",
            "DEA",
            "1200",
            "DEB",
        ]
        .map(str::to_owned)
        .to_vec();
        let numbers = number(names.iter(), &[vec!["1200".to_owned(), "DEA".to_owned()]]);
        assert_eq!(numbers["417164300"], numbers["NL91ABNA0417164300"]);
        assert_eq!(numbers["370400440532013000"], numbers["DE89370400440532013000"]);
        assert_eq!(numbers["1200"], numbers["DEA"]);
        assert_ne!(numbers["DEA"], numbers["DEB"]);
    }

    #[test]
    fn a_national_number_that_fits_two_accounts_is_neither() {
        let names: Vec<String> =
            ["NL91ABNA0417164300", "NL36RABO0417164300", "417164300"].map(str::to_owned).to_vec();
        let numbers = number(names.iter(), &[]);
        assert_eq!(numbers.values().collect::<std::collections::BTreeSet<_>>().len(), 3);
    }
}
