//! Why two entries did or did not match: every pass, what it compares of them, and what fails.

use super::party::Parties;
use super::{
    Outcome, Run, Side, State, accounts, conserve, currency, date, measure, names, net, normalize, prepare,
    rates,
};
use crate::money::decimal;
use crate::rules::file::{DateField, KeyField, Measure, ReferenceMode};
use crate::rules::{Measures, PassKind, Ruleset};

/// One thing that a pass looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is: `reference`, `amount`, `date` …
    pub what: &'static str,
    /// What was held against what.
    pub compared: String,
    /// Whether the pass is content with it.
    pub holds: bool,
}

/// What a pass makes of two entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The name of the pass.
    pub pass: String,
    /// Its rule.
    pub rule: &'static str,
    /// What it looks at, in order. If all of it holds, the two are candidates of this pass.
    pub checks: Vec<Check>,
}

impl Verdict {
    /// Whether the pass has nothing against the two.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }
}

/// An outcome that can be asked.
pub struct Explainer<'a> {
    run: Run<'a>,
}

/// An entry of a side.
pub type Place = (Side, u32);

impl<'a> Explainer<'a> {
    /// Takes an outcome and the ruleset that it was made under.
    #[must_use]
    pub fn new(outcome: Outcome, rules: &'a Ruleset) -> Self {
        let mut run = Run {
            sets: outcome.sets,
            state: outcome.states,
            rules,
            threads: 1,
            matches: outcome.matches,
            hints: Default::default(),
            suggestions: Default::default(),
            notes: Vec::new(),
            accounts: accounts::Accounts::default(),
            prepared: prepare::Prepared::default(),
            import_keys: None,
        };
        run.accounts = accounts::Accounts::new(&run);
        run.prepared = prepare::Prepared::new(&run);
        Self { run }
    }

    /// What each pass makes of two entries, of either side or of one.
    #[must_use]
    pub fn pair(&self, a: Place, b: Place) -> Vec<Verdict> {
        let verdict = |pass: &crate::rules::Pass| Verdict {
            pass: pass.name.clone(),
            rule: pass.kind.name(),
            checks: self.checks(&pass.kind, a, b),
        };
        self.run.rules.passes.iter().map(verdict).collect()
    }

    fn checks(&self, kind: &PassKind, a: Place, b: Place) -> Vec<Check> {
        if let PassKind::Net(pass) = kind {
            return self.net(pass, a, b);
        }
        if a.0 == b.0 {
            return vec![check(
                "sides",
                "both are of one side, and this pass compares the two".to_owned(),
                false,
            )];
        }
        let (left, right) = if a.0 == Side::Left { (a, b) } else { (b, a) };
        let mut checks = match kind {
            PassKind::Exact(pass) => {
                let mut checks = vec![self.reference(ReferenceMode::Exact, left, right)];
                checks.extend(self.money(pass.measures, left, right, |l, r| (l == r, "equal".to_owned())));
                checks.push(self.days(pass.date, Some(0), left, right));
                checks
            }
            PassKind::Reference(pass) => {
                let mut checks = vec![self.reference(pass.reference, left, right)];
                let own = currency(self.run.set(left.0), left.1, pass.measures.left);
                checks.extend(self.money(pass.measures, left, right, |l, r| {
                    let limit = decimal(pass.tolerance.limit(l, r, own), own);
                    (pass.tolerance.allows(l, r, own), format!("at most {limit} apart"))
                }));
                checks.push(self.days(pass.date, Some(pass.days), left, right));
                checks
            }
            PassKind::Unique(pass) => {
                let mut checks = self.money(pass.measures, left, right, |l, r| (l == r, "equal".to_owned()));
                checks.push(self.days(pass.date, Some(pass.days), left, right));
                let both = [left, right].iter().all(|(side, row)| self.run.reference(*side, *row).is_some());
                let holds = !both
                    || pass.conflicting_references
                    || self.reference(ReferenceMode::Exact, left, right).holds;
                checks.push(check(
                    "references",
                    "at most one of the two has one of its own".to_owned(),
                    holds,
                ));
                checks
            }
            PassKind::Group(pass) => {
                let of = |(side, row): Place, field| self.key(side, row, field);
                let marks = [pass.left_key, pass.right_key].contains(&KeyField::Prepared);
                let plain = |key: String| {
                    if marks { String::from_utf8_lossy(&normalize(key.as_bytes())).into_owned() } else { key }
                };
                let (l, r) = (of(left, pass.left_key).map(plain), of(right, pass.right_key).map(plain));
                let holds = l.is_some() && l == r;
                let show = |key: Option<String>| key.unwrap_or_else(|| "none".to_owned());
                vec![check("key", format!("{} against {}", show(l), show(r)), holds)]
            }
            PassKind::Subset(pass) => {
                let mut parties = Parties::new(&self.run);
                let (l, r) = (parties.of(left.0, left.1), parties.of(right.0, right.1));
                let named = !l.is_empty() || pass.blank_counterparty;
                let holds = pass.across_counterparties || (l == r && named);
                vec![
                    check("counterparty", format!("\"{l}\" against \"{r}\", as they are compared"), holds),
                    self.days(pass.date, Some(pass.days), left, right),
                    self.currencies(pass.measures, left, right),
                ]
            }
            PassKind::Named(pass) => vec![
                self.reference(ReferenceMode::Contained, left, right),
                self.days(pass.date, pass.days, left, right),
                self.currencies(pass.measures, left, right),
            ],
            PassKind::Net(_) => Vec::new(),
        };
        let measures = conserve::measures(kind);
        checks.extend(self.rate(measures.left, left));
        checks.extend(self.rate(measures.right, right));
        let account = |(side, row): Place| self.run.set(side).account(row);
        let compared = format!("\"{}\" against \"{}\"", account(left), account(right));
        checks.push(check("account", compared, self.run.accounts.agree(left, right)));
        checks
    }

    fn key(&self, side: Side, row: u32, field: KeyField) -> Option<String> {
        let set = self.run.set(side);
        let party = || Some(Parties::new(&self.run).of(side, row)).filter(|key| !key.is_empty());
        match field {
            KeyField::Group => Some(set.group(row).to_owned()).filter(|key| !key.is_empty()),
            KeyField::Reference => self.run.reference(side, row).map(|_| set.reference(row).to_owned()),
            KeyField::Day => Some(set.booking(row).to_string()),
            KeyField::Party => party(),
            KeyField::Prepared => match self.run.prepared.of(side, row) {
                [one] => Some(String::from_utf8_lossy(one).into_owned()),
                _ => None,
            },
            KeyField::DayAndParty => party().map(|party| format!("{} {party}", set.booking(row))),
        }
    }

    fn reference(&self, mode: ReferenceMode, left: Place, right: Place) -> Check {
        let show = |(side, row): Place| {
            let own = match self.run.reference(side, row) {
                Some(_) => format!("\"{}\"", self.run.set(side).reference(row)),
                None => "none".to_owned(),
            };
            let prepared = self.run.prepared.of(side, row).iter().filter(|_| mode != ReferenceMode::Exact);
            let also: Vec<String> =
                prepared.map(|text| format!("\"{}\"", String::from_utf8_lossy(text))).collect();
            if also.is_empty() { own } else { format!("{own} (prepared {})", also.join(", ")) }
        };
        let plain = |(side, row): Place| self.run.reference(side, row);
        let known = |(side, row): Place| self.run.known_by(side, row);
        let exact = plain(left).is_some() && plain(left) == plain(right);
        let shared = || known(left).iter().any(|reference| known(right).contains(reference));
        let named = |from: Place, of: Place| {
            let words = names::words(self.run.set(from.0).description(from.1));
            known(of).iter().any(|reference| words.contains(reference))
        };
        let (holds, how) = match mode {
            ReferenceMode::Exact => (exact, "byte for byte"),
            ReferenceMode::Normalized => {
                (exact || shared(), "letters and digits of the references and identifiers of either side")
            }
            ReferenceMode::Contained => (
                exact || shared() || named(left, right) || named(right, left),
                "references and identifiers of either side, and the words of the other's text",
            ),
        };
        check("reference", format!("{} against {} ({how})", show(left), show(right)), holds)
    }

    fn currencies(&self, measures: Measures, left: Place, right: Place) -> Check {
        let (l, r) = self.currencies_of(measures, left, right);
        check("currency", format!("{l} against {r}"), l == r)
    }

    fn currencies_of(
        &self,
        measures: Measures,
        left: Place,
        right: Place,
    ) -> (crate::currency::Currency, crate::currency::Currency) {
        let of = |(side, row): Place, measured| currency(self.run.set(side), row, measured);
        (of(left, measures.left), of(right, measures.right))
    }

    fn money(
        &self,
        measures: Measures,
        left: Place,
        right: Place,
        allowed: impl Fn(i128, i128) -> (bool, String),
    ) -> Vec<Check> {
        let of = |(side, row): Place, measured| measure(self.run.set(side), row, measured);
        let (l, r) = (of(left, measures.left), of(right, measures.right));
        let (l_currency, r_currency) = self.currencies_of(measures, left, right);
        let (holds, rule) = allowed(l, r);
        let how = |measured| match measured {
            Measure::Amount => "",
            Measure::LessFee => " less fee",
            Measure::PlusFee => " plus fee",
            Measure::LessExpectedFee => " less the expected fee",
            Measure::Original => " before conversion",
        };
        let compared = format!(
            "{}{} against {}{} ({rule})",
            decimal(l, l_currency),
            how(measures.left),
            decimal(r, r_currency),
            how(measures.right)
        );
        vec![self.currencies(measures, left, right), check("amount", compared, holds)]
    }

    /// The rate of an entry that is compared before its conversion, held against the ruleset's table.
    fn rate(&self, measured: Measure, (side, row): Place) -> Option<Check> {
        let rates = self.run.rules.rates.as_ref().filter(|_| measured == Measure::Original)?;
        let held = rates::held(rates, self.run.set(side), row)?;
        let holds = held.fault.is_none();
        let compared = held.fault.or_else(|| {
            held.table.map(|(day, rate)| format!("within the limit of the table's {rate} of {day}"))
        });
        Some(check("rate", compared.unwrap_or_default(), holds))
    }

    fn days(&self, field: DateField, limit: Option<u32>, left: Place, right: Place) -> Check {
        let of = |(side, row): Place| date(self.run.set(side), row, field);
        let days = self.run.calendar().distance(of(left), of(right));
        let rule = limit.map_or_else(|| "any".to_owned(), |limit| format!("at most {limit}"));
        let compared = format!("{} against {}: {days} business day(s) ({rule})", of(left), of(right));
        check("date", compared, limit.is_none_or(|limit| days <= limit))
    }

    fn net(&self, pass: &crate::rules::Net, a: Place, b: Place) -> Vec<Check> {
        if a.0 != b.0 {
            return vec![check(
                "sides",
                "this pass nets entries of one side, and these are of two".to_owned(),
                false,
            )];
        }
        let set = self.run.set(a.0);
        let (x, y) = (a.1, b.1);
        let amounts = set.amount(x) + set.amount(y) == 0 && set.currency(x) == set.currency(y);
        let entry = |row: u32| (set.fee(row), set.kind(row).to_lowercase());
        let (first, second) = (entry(x), entry(y));
        let verdict = net::cancels(pass, (&first, self.run.class(a.0, x)), (&second, self.run.class(b.0, y)));
        let kinds = format!(
            "{} with a fee of {} against {} with a fee of {}{}",
            self.run.class(a.0, x),
            decimal(set.fee(x), set.currency(x)),
            self.run.class(b.0, y),
            decimal(set.fee(y), set.currency(y)),
            verdict.err().map_or_else(String::new, |why| format!(": {why}"))
        );
        let shown = |row| decimal(set.amount(row), set.currency(row));
        vec![
            self.reference(ReferenceMode::Exact, a, b),
            check("amount", format!("{} against {} (opposite)", shown(x), shown(y)), amounts),
            check("kind and fee", kinds, verdict.is_ok()),
            self.days(pass.date, Some(pass.days), a, b),
        ]
    }

    /// Where an entry stands, in words: with whom it is matched and by which pass, open, or set aside and why.
    #[must_use]
    pub fn standing(&self, (side, row): Place) -> String {
        let set = self.run.set(side);
        match self.run.state[side as usize][row as usize] {
            State::Open => "open".to_owned(),
            State::Ignored => {
                let reasons = set.ignored().iter().filter(|(known, _)| *known == row);
                let reasons: Vec<&str> = reasons.map(|(_, reason)| reason.name()).collect();
                format!("set aside: {}", reasons.join(", "))
            }
            State::Matched => {
                let holds = |rows: &[u32]| rows.contains(&row);
                for (pass, matches) in self.run.rules.passes.iter().zip(&self.run.matches) {
                    let pair = matches.pairs.iter().find(|pair| pair[side as usize] == row);
                    let group = matches.groups.iter().find(|group| match side {
                        Side::Left => holds(&group.left),
                        Side::Right => holds(&group.right),
                    });
                    let (left, right) = match (pair, group) {
                        (Some([left, right]), _) => (vec![*left], vec![*right]),
                        (None, Some(group)) => (group.left.clone(), group.right.clone()),
                        (None, None) => continue,
                    };
                    let name = |side: Side, rows: Vec<u32>| rows.into_iter().map(move |row| (side, row));
                    let others = name(Side::Left, left).chain(name(Side::Right, right));
                    let others: Vec<String> =
                        others.filter(|other| *other != (side, row)).map(|other| self.name(other)).collect();
                    return format!("matched by pass \"{}\" with {}", pass.name, others.join(", "));
                }
                "matched".to_owned()
            }
        }
    }

    /// `file:line` of an entry.
    #[must_use]
    pub fn name(&self, (side, row): Place) -> String {
        let set = self.run.set(side);
        let file = set.files().get(set.file(row)).map_or("", |file| file.name.as_str());
        format!("{file}:{}", set.line(row))
    }

    /// The entry that a text means: its identity, or `file:line`; an error says what else it could be.
    ///
    /// # Errors
    /// Fails if no entry or more than one is meant.
    pub fn find(&self, text: &str) -> Result<Place, String> {
        let mut found = Side::BOTH.into_iter().flat_map(|side| {
            let rows = self.run.set(side).rows();
            rows.map(move |row| (side, row)).filter(|place| {
                self.name(*place) == text
                    || (text.len() == 32 && self.run.set(place.0).id(place.1).to_string() == text)
            })
        });
        match (found.next(), found.next()) {
            (Some(place), None) => Ok(place),
            (None, _) => {
                Err("no entry is meant; name it by its identity or as FILE:LINE, as the lists show them"
                    .to_owned())
            }
            (Some(_), Some(_)) => {
                Err("several entries are meant; name it by its identity, as the lists show it".to_owned())
            }
        }
    }
}

fn check(what: &'static str, compared: String, holds: bool) -> Check {
    Check { what, compared, holds }
}
