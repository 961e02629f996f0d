//! From the TOML text to a checked [`Ruleset`].

use std::collections::BTreeMap;
use std::fmt;

use super::file::{
    AccountFile, AccountsMode, FeeFile, KeyField, Measure, PartyFile, PassFile, PrepareField, PrepareFile,
    RatesFile, RulesFile, ToleranceFile,
};
use super::model::{
    Breaks, ByReference, Exact, Fee, Group, Ignore, Measures, Named, Net, Pass, PassKind, Prepare, Rates,
    Ruleset, SourceRules, Subset, Tolerance, Unique,
};
use crate::calendar::Calendar;
use crate::currency::{Currency, UNKNOWN};
use crate::date::Date;
use crate::engine::{BreakKind, account_key, normalize, party_key};
use crate::entry::kind::{self, Kind};
use crate::formats::mapping::Mapping;
use crate::money::{self, AmountError, AmountSyntax, parse_scaled};
use crate::pan;

/// The ruleset that is used when none is given.
pub const STANDARD: &str = include_str!("standard.toml");

/// Longest window that may be asked for, in business days.
const DAYS_MAX: u32 = 366;

/// What is wrong with a ruleset, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesError {
    /// Line of the text, from 1; 0 when it cannot be told.
    pub line: usize,
    /// The key, as a path: `pass[2].reference.days`.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for RulesError {}

/// The ruleset that is used when none is given.
///
/// # Errors
/// Never in practice: a test reads the same text.
pub fn standard() -> Result<Ruleset, RulesError> {
    load(STANDARD)
}

/// The JSON Schema of the notation.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(RulesFile);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads and checks a ruleset.
///
/// # Errors
/// Names the line and key of the first thing that is wrong.
pub fn load(text: &str) -> Result<Ruleset, RulesError> {
    refuse_cards(text)?;
    let file: RulesFile = toml_edit::de::from_str(text).map_err(|error| syntax_error(text, &error))?;
    compile(&file, text).map_err(|fault| locate(text, fault))
}

/// Refuses card data: as it stands in a line, and as keys and strings read, which may go on over several lines.
fn refuse_cards(text: &str) -> Result<(), RulesError> {
    let line = text.lines().position(|line| pan::scan(line.as_bytes()).is_some()).map_or(0, |at| at + 1);
    let held = || toml_edit::de::from_str(text).is_ok_and(|value: serde_json::Value| pan::in_value(&value));
    if line == 0 && !held() {
        return Ok(());
    }
    Err(RulesError { line, key: String::new(), message: "card data in the ruleset".to_owned() })
}

/// A fault found after the text was understood: the path of the key and what is wrong.
struct Fault {
    path: Vec<Step>,
    message: String,
}

/// One step from a table to a key in it.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Index(usize),
}

fn fault(path: &str, message: impl Into<String>) -> Fault {
    let path = path
        .split('.')
        .map(|step| match step.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(step.to_owned()),
        })
        .collect();
    Fault { path, message: message.into() }
}

/// An error of the TOML reader, with the key of the line that it points to.
fn syntax_error(text: &str, error: &toml_edit::de::Error) -> RulesError {
    let start = error.span().map_or(0, |span| span.start).min(text.len());
    let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
    let key = text
        .lines()
        .nth(line - 1)
        .and_then(|line| line.split_once('='))
        .map_or_else(String::new, |(key, _)| key.trim().to_owned());
    RulesError {
        line,
        key: pan::shown(&key).to_owned(),
        message: with_suggestion(&quoted_as_shown(error.message())),
    }
}

/// The TOML reader's message with what it quotes of the text as it may be shown.
fn quoted_as_shown(message: &str) -> String {
    let mut rest = message;
    let mut shown = String::new();
    while let Some((before, mark, behind)) = rest.find(['`', '"']).and_then(|at| {
        let mark = rest[at..].chars().next()?;
        Some((&rest[..at], mark, &rest[at + 1..]))
    }) {
        shown.push_str(before);
        let (quoted, behind) = behind.split_once(mark).unwrap_or((behind, ""));
        shown.extend([mark.to_string().as_str(), pan::shown(quoted), mark.to_string().as_str()]);
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// Turns "unknown field `x`, expected one of ..." into a sentence with the nearest name.
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown").then(|| quoted.next()).flatten();
    let nearest = unknown.and_then(|unknown| {
        let scored = quoted.map(|name| (strsim::damerau_levenshtein(unknown, name), name));
        scored.min().filter(|(distance, _)| *distance <= 3).map(|(_, name)| name)
    });
    match nearest {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message.trim_end().to_owned(),
    }
}

/// Finds the line of a key by walking the document.
fn locate(text: &str, fault: Fault) -> RulesError {
    let mut span = None;
    if let Ok(document) = toml_edit::Document::parse(text) {
        let mut item = Some(document.as_item());
        for step in &fault.path {
            item = item.and_then(|item| match step {
                Step::Key(key) => item.get(key.as_str()),
                Step::Index(index) => item.get(*index),
            });
            span = item.and_then(toml_edit::Item::span).or(span);
        }
    }
    let line = span.map_or(0, |span: std::ops::Range<usize>| {
        text.as_bytes()[..span.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
    });
    let mut key = String::new();
    for step in &fault.path {
        match step {
            Step::Key(name) if key.is_empty() => key.push_str(name),
            Step::Key(name) => key.extend([".", name]),
            Step::Index(index) => key.push_str(&format!("[{index}]")),
        }
    }
    RulesError { line, key: pan::shown(&key).to_owned(), message: fault.message }
}

fn compile(file: &RulesFile, text: &str) -> Result<Ruleset, Fault> {
    match file.version {
        1 => refuse_newer(file)?,
        2 => {}
        _ => return Err(fault("version", "only versions 1 and 2 of the notation are known")),
    }
    if file.pass.is_empty() {
        return Err(fault("pass", "a ruleset needs at least one [[pass]]"));
    }
    let mut passes: Vec<Pass> = Vec::with_capacity(file.pass.len());
    for (index, pass) in file.pass.iter().enumerate() {
        let expects = |(_, measure): &(&str, Measure)| *measure == Measure::LessExpectedFee;
        if let Some((key, _)) = measures(pass).find(|one| expects(one) && file.fee.is_empty()) {
            let why = "there is no `[[fee]]` that says which fee is expected";
            return Err(fault(&format!("pass.{index}.{key}"), why));
        }
        if passes.iter().any(|earlier| earlier.name == pass.name) {
            return Err(fault(&format!("pass.{index}.name"), "an earlier pass has the same name"));
        }
        passes.push(compile_pass(pass, index)?);
    }
    let side = |rules: &super::file::SourceFileRules, key: &str| {
        let mapping = rules.mapping.as_ref().map(Mapping::compile).transpose();
        let mapping =
            mapping.map_err(|error| fault(&format!("{key}.mapping.{}", error.key), error.message))?;
        Ok(SourceRules::new(rules, key, mapping))
    };
    Ok(Ruleset {
        name: file.name.clone(),
        left: side(&file.left, "left")?,
        right: side(&file.right, "right")?,
        calendar: compile_calendar(file)?,
        blank_references: file.blank_references.iter().map(|text| normalize(text.as_bytes())).collect(),
        accounts_ignored: file.accounts == AccountsMode::Ignore,
        accounts: file.account.iter().map(account_names).collect(),
        parties: file.counterparty.iter().flat_map(party_names).collect(),
        kinds: compile_kinds(file)?,
        rates: file.rates.as_ref().map(rates).transpose()?,
        fees: compile_fees(file)?,
        prepare: compile_prepare(file)?,
        ignores: file
            .ignore
            .iter()
            .map(|ignore| Ignore {
                side: ignore.side,
                field: ignore.field,
                equals: ignore.equals.iter().map(|value| value.to_lowercase()).collect(),
                reason: ignore.reason.clone(),
            })
            .collect(),
        passes,
        breaks: compile_breaks(file)?,
        fingerprint: blake3::hash(text.as_bytes()).to_hex().to_string(),
    })
}

/// What is said of a key that version 1 does not have.
const NEWER: &str = "belongs to version 2 of the notation: set `version = 2`";

/// A ruleset of version 1 uses nothing that version 1 does not have: whoever reads it with the release before would read
/// something else.
fn refuse_newer(file: &RulesFile) -> Result<(), Fault> {
    let newer = [
        ("accounts", file.accounts != AccountsMode::Apart),
        ("account", !file.account.is_empty()),
        ("kinds", !file.kinds.is_empty()),
        ("counterparty", !file.counterparty.is_empty()),
        ("prepare", !file.prepare.is_empty()),
        ("fee", !file.fee.is_empty()),
        ("rates", file.rates.is_some()),
        ("breaks.ages", file.breaks.ages.is_some()),
    ];
    for (index, pass) in file.pass.iter().enumerate() {
        if let Some((key, _)) = measures(pass).find(|(_, measure)| *measure == Measure::LessExpectedFee) {
            return Err(fault(&format!("pass.{index}.{key}"), NEWER));
        }
        let keys = pass.group.iter().flat_map(|group| [group.left_key, group.right_key]);
        let newer = [
            ("named", pass.named.is_some()),
            ("unique.blocks", pass.unique.as_ref().is_some_and(|unique| unique.blocks)),
            (
                "subset.across_counterparties",
                pass.subset.as_ref().is_some_and(|subset| subset.across_counterparties),
            ),
            ("net.kinds", pass.net.as_ref().is_some_and(|net| !net.kinds.is_empty())),
            ("group", keys.into_iter().any(|key| !matches!(key, KeyField::Group | KeyField::Reference))),
        ];
        if let Some((key, _)) = newer.iter().find(|(_, used)| *used) {
            return Err(fault(&format!("pass.{index}.{key}"), NEWER));
        }
    }
    match newer.iter().find(|(_, used)| *used) {
        Some((key, _)) => Err(fault(key, NEWER)),
        None => Ok(()),
    }
}

fn account_names(file: &AccountFile) -> Vec<String> {
    file.also.iter().chain([&file.name]).map(|name| account_key(name)).collect()
}

/// The other names of a counterparty: as a name and as an account, whichever it is.
fn party_names(file: &PartyFile) -> Vec<(String, String)> {
    let party = party_key(&file.name);
    let keys = file.also.iter().flat_map(|name| [party_key(name), account_key(name)]);
    keys.filter(|key| !key.is_empty()).map(|key| (key, party.clone())).collect()
}

fn compile_kinds(file: &RulesFile) -> Result<Vec<(String, kind::Class)>, Fault> {
    let mut kinds: Vec<(String, kind::Class)> = Vec::new();
    for (name, words) in &file.kinds {
        let at = format!("kinds.{name}");
        let class = kind::from_name(name).ok_or_else(|| {
            fault(&at, "the kinds are payment, refund, chargeback, payout, fee and unknown, each also with _reversal, and reversal")
        })?;
        for word in words.iter().map(|word| kind::plain(word)) {
            if word.is_empty() || kinds.iter().any(|(known, _)| *known == word) {
                return Err(fault(&at, "a word of letters or digits that stands under one kind alone"));
            }
            kinds.push((word, class));
        }
    }
    Ok(kinds)
}

/// The amounts that a pass compares, with the keys that name them.
fn measures(pass: &PassFile) -> impl Iterator<Item = (&'static str, Measure)> {
    let sides = [
        pass.exact
            .as_ref()
            .map(|one| (["exact.left_amount", "exact.right_amount"], [one.left_amount, one.right_amount])),
        pass.reference.as_ref().map(|one| {
            (["reference.left_amount", "reference.right_amount"], [one.left_amount, one.right_amount])
        }),
        pass.unique
            .as_ref()
            .map(|one| (["unique.left_amount", "unique.right_amount"], [one.left_amount, one.right_amount])),
        pass.group
            .as_ref()
            .map(|one| (["group.left_amount", "group.right_amount"], [one.left_amount, one.right_amount])),
        pass.subset
            .as_ref()
            .map(|one| (["subset.left_amount", "subset.right_amount"], [one.left_amount, one.right_amount])),
        pass.named
            .as_ref()
            .map(|one| (["named.left_amount", "named.right_amount"], [one.left_amount, one.right_amount])),
    ];
    sides.into_iter().flatten().flat_map(|(keys, measures)| keys.into_iter().zip(measures))
}

/// Rates of a table at most.
const RATES_MAX: usize = 100_000;

fn rates(file: &RatesFile) -> Result<Rates, Fault> {
    if file.table.is_empty() || file.table.len() > RATES_MAX {
        return Err(fault("rates.table", format!("1 to {RATES_MAX} rates")));
    }
    let mut table: BTreeMap<(Currency, Currency), BTreeMap<Date, String>> = BTreeMap::new();
    for (index, one) in file.table.iter().enumerate() {
        let key = |key: &str| format!("rates.table.{index}.{key}");
        let currency = |code: &str, name: &str| {
            Currency::from_code(code.as_bytes()).ok_or_else(|| fault(&key(name), UNKNOWN))
        };
        let (from, to) = (currency(&one.from, "from")?, currency(&one.to, "to")?);
        if from == to {
            return Err(fault(&key("to"), "two different currencies"));
        }
        let day = Date::parse_iso(one.day.as_bytes()).filter(|_| one.day.len() == 10);
        let day = day.ok_or_else(|| fault(&key("day"), "a day is written YYYY-MM-DD"))?;
        let (year, month, _) = day.parts();
        if let Some(since) = from.withdrawn_before(year, month).or_else(|| to.withdrawn_before(year, month)) {
            return Err(fault(&key("day"), since));
        }
        let rate = money::rate(&one.rate, AmountSyntax::PLAIN).ok_or_else(|| {
            fault(&key("rate"), "a positive decimal string with at most 12 decimals, like \"1.1512\"")
        })?;
        if table.entry((from, to)).or_default().insert(day, rate).is_some() {
            return Err(fault(&key("day"), "there is a rate of these currencies for this day already"));
        }
    }
    Ok(Rates {
        share_e8: percent(&file.percent, "rates.percent")?,
        days: days(file.days.unwrap_or(7), "rates.days")?,
        table,
    })
}

/// Lines of a price list at most.
const FEES_MAX: usize = 200;

fn compile_fees(file: &RulesFile) -> Result<Vec<Fee>, Fault> {
    if file.fee.len() > FEES_MAX {
        return Err(fault("fee", format!("at most {FEES_MAX} of them")));
    }
    file.fee.iter().enumerate().map(|(index, one)| fee(one, &format!("fee.{index}"))).collect()
}

fn fee(file: &FeeFile, at: &str) -> Result<Fee, Fault> {
    let key = |key: &str| format!("{at}.{key}");
    if file.percent.is_none() && file.fixed.is_none() {
        return Err(fault(at, "a line of a price list has a `percent`, a `fixed` sum, or both"));
    }
    let currency = file
        .currency
        .as_deref()
        .map(|code| Currency::from_code(code.as_bytes()).ok_or_else(|| fault(&key("currency"), UNKNOWN)));
    let currency = currency.transpose()?;
    let sum = |name: &str, text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        let currency =
            currency.ok_or_else(|| fault(&key(name), "a sum needs the `currency` that it is of"))?;
        parse_scaled(text.as_bytes(), currency.exponent(), AmountSyntax::PLAIN)
            .map(Some)
            .map_err(|error| fault(&key(name), error.to_string()))
    };
    let bounds = [sum("at_least", &file.at_least)?, sum("at_most", &file.at_most)?];
    if let [Some(least), Some(most)] = bounds
        && least > most
    {
        return Err(fault(&key("at_most"), "it lies below `at_least`"));
    }
    let kinds = file.kinds.iter().map(|name| {
        kind::from_name(name)
            .ok_or_else(|| fault(&key("kinds"), "no kind of entry has this name; see `kinds`"))
    });
    let share = file.percent.as_deref().map_or(Ok(0), |text| {
        match parse_scaled(text.as_bytes(), 6, AmountSyntax::PLAIN) {
            Ok(share) if (-100_000_000..=100_000_000).contains(&share) => Ok(share),
            _ => Err(fault(
                &key("percent"),
                "a decimal string with at most 6 decimals from -100 to 100, like \"1.4\"",
            )),
        }
    });
    Ok(Fee {
        name: file.name.clone(),
        side: file.side,
        kinds: kinds.collect::<Result<_, _>>()?,
        currency,
        share_e8: share?,
        fixed: sum("fixed", &file.fixed)?.unwrap_or(0),
        bounds,
        rounding: file.rounding,
    })
}

/// Rules that make references, at most.
const PREPARE_MAX: usize = 32;

/// Characters of a regular expression at most, and bytes that it may take once it is compiled.
const FIND_CHARS_MAX: usize = 500;
const FIND_BYTES_MAX: usize = 1 << 20;

fn compile_prepare(file: &RulesFile) -> Result<Vec<Prepare>, Fault> {
    if file.prepare.len() > PREPARE_MAX {
        return Err(fault("prepare", format!("at most {PREPARE_MAX} of them")));
    }
    file.prepare.iter().enumerate().map(|(index, one)| prepare(one, &format!("prepare.{index}"))).collect()
}

fn prepare(file: &PrepareFile, at: &str) -> Result<Prepare, Fault> {
    let find = file.find.as_deref().map(|pattern| find(pattern, &format!("{at}.find"))).transpose()?;
    let does_nothing = find.is_none()
        && file.check.is_none()
        && file.drop_prefix.is_empty()
        && !file.drop_zeros
        && file.add_prefix.is_none()
        && file.fields.is_empty();
    if does_nothing {
        return Err(fault(
            at,
            "it makes nothing that the reference is not already; say `find`, `check` or another key",
        ));
    }
    let plain = |text: &str| normalize(text.as_bytes());
    if file.drop_prefix.iter().chain(&file.add_prefix).any(|text| plain(text).is_empty()) {
        return Err(fault(at, "a prefix has letters or digits; marks do not count in references"));
    }
    Ok(Prepare {
        side: file.side,
        fields: if file.fields.is_empty() { vec![PrepareField::Reference] } else { file.fields.clone() },
        join_words: file.join_words,
        find,
        check: file.check,
        drop_prefix: file.drop_prefix.iter().map(|text| plain(text)).collect(),
        drop_zeros: file.drop_zeros,
        add_prefix: file.add_prefix.as_deref().map(plain).unwrap_or_default(),
    })
}

/// A regular expression that takes time in proportion to the text, whatever it is, and bounded memory.
fn find(pattern: &str, at: &str) -> Result<regex::Regex, Fault> {
    if pattern.is_empty() || pattern.chars().count() > FIND_CHARS_MAX {
        return Err(fault(at, format!("a regular expression of 1 to {FIND_CHARS_MAX} characters")));
    }
    let built =
        regex::RegexBuilder::new(pattern).size_limit(FIND_BYTES_MAX).dfa_size_limit(FIND_BYTES_MAX).build();
    let regex = built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            fault(at, "the regular expression takes too much memory; repeat less in it")
        }
        // The message points into the pattern, over several lines; its last one says what is wrong.
        error => {
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            fault(at, format!("not a regular expression: {why}"))
        }
    })?;
    if regex.is_match("") {
        return Err(fault(
            at,
            "the regular expression matches an empty text, and so says of nothing that it is a reference",
        ));
    }
    Ok(regex)
}

fn compile_calendar(file: &RulesFile) -> Result<Calendar, Fault> {
    let weekend: Vec<u32> = match &file.calendar.weekend {
        None => vec![5, 6],
        Some(days) => days.iter().map(|day| *day as u32).collect(),
    };
    if (0..7).all(|day| weekend.contains(&day)) {
        return Err(fault("calendar.weekend", "at least one weekday has to be a business day"));
    }
    let holidays = file.calendar.holidays.iter().enumerate().map(|(index, text)| {
        Date::parse_iso(text.as_bytes())
            .ok_or_else(|| fault(&format!("calendar.holidays.{index}"), "a holiday is written YYYY-MM-DD"))
    });
    Ok(Calendar::new(&weekend, &holidays.collect::<Result<Vec<Date>, Fault>>()?))
}

fn compile_breaks(file: &RulesFile) -> Result<Breaks, Fault> {
    let breaks = &file.breaks;
    for kind in breaks.owners.keys() {
        if !BreakKind::ALL.iter().any(|known| known.name() == kind) {
            let known: Vec<&str> = BreakKind::ALL.iter().map(|kind| kind.name()).collect();
            let message = format!("no break is of this kind; the kinds are {}", known.join(", "));
            return Err(fault(&format!("breaks.owners.{kind}"), message));
        }
    }
    let nearest_max = breaks.nearest_max.unwrap_or(3);
    if nearest_max > 10 {
        return Err(fault("breaks.nearest_max", "at most 10 candidates are listed"));
    }
    Ok(Breaks {
        in_transit_days: days(breaks.in_transit_days.unwrap_or(2), "breaks.in_transit_days")?,
        fee_share_e8: percent(breaks.fee_percent.as_deref().unwrap_or("5"), "breaks.fee_percent")?,
        nearest_max: nearest_max as usize,
        ages: ages(breaks.ages.as_deref().unwrap_or(&[2, 7, 30]))?,
        owners: breaks.owners.clone(),
    })
}

fn ages(ends: &[u32]) -> Result<Vec<i32>, Fault> {
    let grow = ends.windows(2).all(|pair| pair[0] < pair[1]);
    if !(1..=8).contains(&ends.len()) || !grow || ends.last().is_some_and(|last| *last > 3_660) {
        return Err(fault("breaks.ages", "1 to 8 numbers of days that grow, 3,660 at most"));
    }
    Ok(ends.iter().filter_map(|end| i32::try_from(*end).ok()).collect())
}

fn compile_pass(pass: &PassFile, index: usize) -> Result<Pass, Fault> {
    let at = format!("pass.{index}");
    let mut kinds = Vec::new();
    if let Some(exact) = &pass.exact {
        let measures = Measures { left: exact.left_amount, right: exact.right_amount };
        kinds.push(PassKind::Exact(Exact { date: exact.date, measures }));
    }
    if let Some(file) = &pass.reference {
        kinds.push(PassKind::Reference(ByReference {
            tolerance: tolerance(&file.tolerance, &format!("{at}.reference.tolerance"))?,
            days: days(file.days, &format!("{at}.reference.days"))?,
            date: file.date,
            reference: file.reference,
            measures: Measures { left: file.left_amount, right: file.right_amount },
        }));
    }
    if let Some(file) = &pass.unique {
        kinds.push(PassKind::Unique(Unique {
            days: days(file.days, &format!("{at}.unique.days"))?,
            date: file.date,
            conflicting_references: file.conflicting_references,
            blocks: file.blocks,
            measures: Measures { left: file.left_amount, right: file.right_amount },
        }));
    }
    if let Some(file) = &pass.group {
        kinds.push(PassKind::Group(Group {
            left_key: file.left_key,
            right_key: file.right_key,
            measures: Measures { left: file.left_amount, right: file.right_amount },
            tolerance: tolerance(&file.tolerance, &format!("{at}.group.tolerance"))?,
            days: file.days.map(|limit| days(limit, &format!("{at}.group.days"))).transpose()?,
        }));
    }
    if let Some(file) = &pass.subset {
        kinds.push(PassKind::Subset(compile_subset(file, &format!("{at}.subset"))?));
    }
    if let Some(file) = &pass.named {
        kinds.push(PassKind::Named(Named {
            tolerance: tolerance(&file.tolerance, &format!("{at}.named.tolerance"))?,
            days: file.days.map(|limit| days(limit, &format!("{at}.named.days"))).transpose()?,
            date: file.date,
            measures: Measures { left: file.left_amount, right: file.right_amount },
        }));
    }
    if let Some(file) = &pass.net {
        let days = days(file.days, &format!("{at}.net.days"))?;
        let cancel = |name: &String| {
            let kind = [Kind::Refund, Kind::Chargeback].into_iter().find(|kind| kind.name() == name);
            kind.ok_or_else(|| fault(&format!("{at}.net.kinds"), "refund and chargeback can be named here"))
        };
        let cancelling = file.kinds.iter().map(cancel).collect::<Result<_, _>>()?;
        kinds.push(PassKind::Net(Net { days, date: file.date, side: file.side, kinds: cancelling }));
    }
    match (kinds.pop(), kinds.len()) {
        (Some(kind), 0) => Ok(Pass { name: pass.name.clone(), kind }),
        _ => Err(fault(
            &at,
            "a pass has exactly one of the tables exact, reference, unique, group, subset, named and net",
        )),
    }
}

fn compile_subset(file: &super::file::SubsetFile, at: &str) -> Result<Subset, Fault> {
    let items_max = file.items_max.unwrap_or(12);
    let members_max = file.members_max.unwrap_or(6);
    let budget_sums = file.budget_sums.unwrap_or(50_000_000);
    if !(2..=12).contains(&items_max) {
        let why = "2 to 12: among more open entries a sum that fits is no longer a proof";
        return Err(fault(&format!("{at}.items_max"), why));
    }
    if !(2..=6).contains(&members_max) {
        return Err(fault(&format!("{at}.members_max"), "2 to 6: longer sums coincide too easily"));
    }
    if !(1_000..=10_000_000_000).contains(&budget_sums) {
        return Err(fault(&format!("{at}.budget_sums"), "1,000 to 10,000,000,000"));
    }
    Ok(Subset {
        days: days(file.days, &format!("{at}.days"))?,
        date: file.date,
        items_max: items_max as usize,
        members_max: members_max as usize,
        budget_sums,
        blank_counterparty: file.blank_counterparty,
        across_counterparties: file.across_counterparties,
        tolerance: tolerance(&file.tolerance, &format!("{at}.tolerance"))?,
        many_to_many: file.many_to_many.unwrap_or(true),
        measures: Measures { left: file.left_amount, right: file.right_amount },
    })
}

fn days(days: u32, at: &str) -> Result<u32, Fault> {
    if days <= DAYS_MAX { Ok(days) } else { Err(fault(at, "at most 366 business days")) }
}

/// A percentage as a share in units of 10^-8.
fn percent(text: &str, at: &str) -> Result<i128, Fault> {
    match parse_scaled(text.as_bytes(), 6, AmountSyntax::PLAIN) {
        Ok(share) if (0..=100_000_000).contains(&share) => Ok(share),
        Ok(_) => Err(fault(at, "a percentage lies between 0 and 100")),
        Err(_) => Err(fault(at, "a percentage is a decimal string with at most 6 decimals, like \"0.25\"")),
    }
}

fn tolerance(file: &ToleranceFile, at: &str) -> Result<Tolerance, Fault> {
    let mut absolute = vec![0; Currency::COUNT];
    if let Some(text) = &file.absolute {
        // Four decimals is the most that any currency has; what a currency lacks is cut off, never rounded up.
        let scaled = parse_scaled(text.as_bytes(), 4, AmountSyntax::PLAIN)
            .map_err(|error| fault(&format!("{at}.absolute"), error.to_string()))?;
        for currency in Currency::all() {
            absolute[currency.index()] = scaled / 10i128.pow(4 - currency.exponent());
        }
    }
    for (code, text) in &file.absolute_by_currency {
        let at = format!("{at}.absolute_by_currency.{code}");
        let currency = Currency::from_code(code.as_bytes()).ok_or_else(|| fault(&at, UNKNOWN))?;
        absolute[currency.index()] = parse_scaled(text.as_bytes(), currency.exponent(), AmountSyntax::PLAIN)
            .map_err(|error: AmountError| fault(&at, error.to_string()))?;
    }
    if absolute.iter().any(|limit| *limit < 0) {
        return Err(fault(&format!("{at}.absolute"), "a tolerance is not negative"));
    }
    let share = file.percent.as_deref().map_or(Ok(0), |text| percent(text, &format!("{at}.percent")))?;
    Ok(Tolerance::new(absolute, share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(text: &str) -> RulesError {
        load(text).unwrap_err()
    }

    #[test]
    fn the_standard_ruleset_loads() {
        let rules = standard().unwrap();
        assert_eq!(rules.passes[0].kind.name(), "exact");
        assert_eq!(rules.passes.last().unwrap().kind.name(), "net");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line_and_the_right_one() {
        let error = error_of("version = 1\nname = \"a\"\n[[pass]]\nname = \"p\"\nreference = { dayz = 3 }\n");
        assert_eq!(error.line, 5);
        assert!(error.message.contains("`dayz`") && error.message.contains("did you mean `days`"), "{error}");
    }

    #[test]
    fn a_value_out_of_range_is_named_with_its_line_and_key() {
        let text = "version = 1\nname = \"a\"\n[[pass]]\nname = \"p\"\nexact = {}\n[[pass]]\nname = \"s\"\n[pass.subset]\ndays = 2\nitems_max = 20\n";
        let error = error_of(text);
        assert_eq!((error.line, error.key.as_str()), (10, "pass[1].subset.items_max"));
    }

    #[test]
    fn a_pass_does_one_thing() {
        let error = error_of("version = 1\nname = \"a\"\n[[pass]]\nname = \"p\"\nexact = {}\nunique = {}\n");
        assert!(error.message.contains("exactly one"));
        assert_eq!(error.line, 3);
        assert!(
            error_of("version = 1\nname = \"a\"\n[[pass]]\nname = \"p\"\n").message.contains("exactly one")
        );
    }

    #[test]
    fn card_data_is_refused_however_it_is_written() {
        let text = |name: &str| format!("version = 1\nname = {name}\n[[pass]]\nname = \"p\"\nexact = {{}}\n");
        for (name, line) in [
            ("\"4111111111111111\"", 2),
            (r#""\u0034111111111111111""#, 2),
            (r#""\U00000034111111111111111""#, 2),
            ("\"\"\"41111111\\\n  11111111\"\"\"", 0),
            ("\"x\"\n\"\\u0034111111111111111\" = 1", 3),
        ] {
            let error = error_of(&text(name));
            assert_eq!((error.line, error.message.as_str()), (line, "card data in the ruleset"), "{name}");
        }
        assert!(load(&text("\"x\"")).is_ok());
    }

    #[test]
    fn what_is_quoted_of_the_text_may_be_shown() {
        for text in ["\"4111111111111112\" = 1", "name = 4111111111111112", "version = \"4111111111111112\""]
        {
            let error = error_of(text).to_string();
            assert!(!error.contains("1111") && error.contains("withheld"), "{error}");
        }
        assert_eq!(quoted_as_shown("a `b`, or \"c"), "a `b`, or \"c\"");
    }

    #[test]
    fn floats_are_refused() {
        let error = error_of(
            "version = 1\nname = \"a\"\n[[pass]]\nname = \"p\"\nreference = { tolerance = { absolute = 0.05 } }\n",
        );
        assert_eq!(error.line, 5);
        assert!(error.message.contains("string"), "{error}");
    }

    #[test]
    fn the_larger_limit_counts_and_fractions_are_cut_off() {
        let file = ToleranceFile {
            absolute: Some("0.055".to_owned()),
            percent: Some("0.1".to_owned()),
            absolute_by_currency: [("KWD".to_owned(), "0.010".to_owned())].into(),
        };
        let tolerance = tolerance(&file, "t").ok().unwrap();
        let currency = |code: &str| Currency::from_code(code.as_bytes()).unwrap();
        assert_eq!(tolerance.limit(1_000, 1_001, currency("EUR")), 5);
        assert_eq!(tolerance.limit(-10_000, 9_999, currency("EUR")), 10);
        assert_eq!(tolerance.limit(900, 900, currency("JPY")), 0);
        assert_eq!(tolerance.limit(0, 0, currency("KWD")), 10);
        assert_eq!(tolerance.limit(10i128.pow(30), 0, currency("EUR")), 10i128.pow(27));
    }

    #[test]
    fn owners_are_of_known_kinds() {
        let error = error_of(
            "version = 1\nname = \"a\"\n[[pass]]\nname = \"p\"\nexact = {}\n[breaks.owners]\nlost = \"me\"\n",
        );
        assert_eq!((error.line, error.key.as_str()), (7, "breaks.owners.lost"));
    }

    #[test]
    fn the_checked_in_schema_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/rules.schema.json");
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            schema(),
            "stale; mend with: cargo run -p txn-reconcile-api -- rules schema > crates/txn-reconcile-api/rules.schema.json"
        );
    }
}
