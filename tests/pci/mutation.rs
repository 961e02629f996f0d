//! Mutants: each argument of each resource that a control looks at is changed by machine, one at a time. Some control has
//! to refuse the module then, or `explained.csv` says why none does.
//!
//! A machine cannot tell what weakens, so it changes everything: explained is what only names, tunes or strengthens. With
//! the other tests those kinds are tried that `refused.csv` says were refused; `TXNR_MUTANTS=all` tries every mutant, and
//! not all of those are refused or explained yet.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use txnr::control::{Met, Outcome, Platform, Store, rows};

use super::{AS_IT_STANDS, BOOTSTRAP, INSTANCE, Production, read};

/// One change of one resource.
struct Mutant {
    /// The path without indexes: `rule.statement.rate_based_statement.limit`.
    path: String,
    body: Value,
}

/// What has been refused stays refused: kinds of mutants, `type,path`, each tried at eight resources at most.
const REFUSED: &str = include_str!("refused.csv");

/// With `TXNR_MUTANTS=all` every mutant that there is is tried, which takes an hour: one that is neither refused nor
/// explained fails.
#[test]
fn mutants_are_refused() {
    if std::env::var_os("TXNR_MUTANTS").is_some_and(|which| which == "all") {
        every_mutant_is_refused_or_explained();
    }
    let mut production = Production::new();
    let mut left: BTreeSet<String> = REFUSED.lines().skip(1).map(str::to_owned).collect();
    assert!(left.len() > 40, "{} kinds", left.len());
    for place in [AS_IT_STANDS, INSTANCE, BOOTSTRAP] {
        let platform = &mut production.platforms[place];
        let mut tried: BTreeMap<String, usize> = BTreeMap::new();
        for (address, mutant) in all(platform) {
            let kind = format!("{},{}", address.split('.').next().unwrap_or_default(), mutant.path);
            let times = tried.entry(kind.clone()).or_default();
            *times += 1;
            if *times > 8 || !left.contains(&kind) {
                continue;
            }
            let strict = platform.resources.insert(address.clone(), mutant.body).expect("the resource");
            if checks(platform).any(|(check, platform)| !check(platform).holds()) {
                left.remove(&kind);
            }
            platform.resources.insert(address, strict);
        }
    }
    assert!(left.is_empty(), "no longer refused:\n{}", left.into_iter().collect::<Vec<_>>().join("\n"));
}

fn every_mutant_is_refused_or_explained() {
    let mut production = Production::new();
    let explained = Explained::read();
    let (mut tried, mut refused) = (0_usize, 0_usize);
    let mut survivors: BTreeMap<String, usize> = BTreeMap::new();
    for place in [AS_IT_STANDS, INSTANCE, BOOTSTRAP] {
        let platform = &mut production.platforms[place];
        for (address, mutant) in all(platform) {
            tried += 1;
            let kind = address.split('.').next().unwrap_or_default();
            let strict = platform.resources.insert(address.clone(), mutant.body).expect("the resource");
            let killed = checks(platform).any(|(check, platform)| !check(platform).holds());
            platform.resources.insert(address.clone(), strict);
            if killed {
                refused += 1;
            } else if !explained.covers(kind, &mutant.path) {
                *survivors.entry(format!("{kind},{}", mutant.path)).or_default() += 1;
            }
        }
    }
    println!(
        "{tried} mutants, {refused} refused, {} explained",
        tried - refused - survivors.values().sum::<usize>()
    );
    let survivors: Vec<String> = survivors.iter().map(|(what, count)| format!("{what}  ({count})")).collect();
    assert!(survivors.is_empty(), "neither refused nor explained:\n{}", survivors.join("\n"));
    assert!(tried > 100, "{tried} mutants");
}

/// An explanation that fits nothing is taken out.
#[test]
fn every_explanation_is_of_an_argument_that_there_is() {
    let production = Production::new();
    let mut there = BTreeSet::new();
    for place in [AS_IT_STANDS, INSTANCE, BOOTSTRAP] {
        for (address, mutant) in all(&production.platforms[place]) {
            there.insert((address.split('.').next().unwrap_or_default().to_owned(), mutant.path));
        }
    }
    let idle: Vec<String> = Explained::read()
        .0
        .into_iter()
        .filter(|(kind, path, _)| {
            !there.iter().any(|(of, at)| aws::power::matches(kind, of) && aws::power::matches(path, at))
        })
        .map(|(kind, path, _)| format!("{kind},{path}"))
        .collect();
    assert!(idle.is_empty(), "explained, and not there:\n{}", idle.join("\n"));
}

type Check = fn(&Platform) -> Outcome;

/// The controls of a platform: the bootstrap's, or the environment's.
fn checks(platform: &Platform) -> impl Iterator<Item = (Check, &Platform)> {
    let bootstrap = !platform.resources.keys().any(|address| address.starts_with("aws_ecs_service."));
    let database = platform.resources.keys().any(|address| address.starts_with("aws_db_instance."));
    rows().into_iter().filter_map(move |row| match row.met {
        Met::Checked { on, check, .. } => {
            let judged = match on {
                Store::Any => !bootstrap,
                Store::Everywhere => true,
                Store::Postgres => !bootstrap && database,
                Store::Zone => false,
                Store::Bootstrap => bootstrap,
            };
            judged.then_some((check, platform))
        }
        Met::Left(_) | Met::Listed { .. } => None,
    })
}

/// Every mutant of what the controls look at.
fn all(platform: &Platform) -> Vec<(String, Mutant)> {
    let looked: BTreeSet<String> =
        checks(platform).flat_map(|(check, platform)| check(platform).looked).collect();
    let mut all = Vec::new();
    for address in looked.iter().filter(|address| platform.resources.contains_key(*address)) {
        let body = &platform.resources[address];
        let mut places = Vec::new();
        walk(body, &mut Vec::new(), &mut places);
        for place in places {
            for change in changes(at(body, &place)) {
                let mut mutant = body.clone();
                put(&mut mutant, &place, change);
                let path: Vec<&str> =
                    place.iter().filter(|step| step.parse::<usize>().is_err()).map(String::as_str).collect();
                all.push((address.clone(), Mutant { path: path.join("."), body: mutant }));
            }
        }
    }
    all
}

/// Every place in a value, but the whole.
fn walk(value: &Value, here: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    if !here.is_empty() {
        places.push(here.clone());
    }
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (step, value) in below {
        here.push(step);
        walk(value, here, places);
        here.pop();
    }
}

/// What a value is changed to; `None` takes it away.
fn changes(value: &Value) -> Vec<Option<Value>> {
    match value {
        Value::Bool(on) => vec![Some(Value::Bool(!on)), None],
        Value::Number(number) if number.as_i64() == Some(0) => vec![Some(1_000_000.into()), None],
        Value::Number(_) => vec![Some(0.into()), Some(1_000_000.into()), None],
        Value::String(text) if text.is_empty() => vec![Some("mutant".into())],
        Value::String(_) => vec![Some("".into()), Some("mutant".into()), None],
        Value::Array(items) if items.is_empty() => Vec::new(),
        Value::Array(_) => vec![Some(Value::Array(Vec::new())), None],
        Value::Object(_) => vec![None],
        Value::Null => Vec::new(),
    }
}

fn at<'v>(value: &'v Value, place: &[String]) -> &'v Value {
    place.iter().fold(value, |value, step| match step.parse::<usize>() {
        Ok(index) if value.is_array() => &value[index],
        _ => &value[step.as_str()],
    })
}

fn put(body: &mut Value, place: &[String], change: Option<Value>) {
    let (last, before) = place.split_last().expect("a place");
    let within = before.iter().fold(body, |value, step| match step.parse::<usize>() {
        Ok(index) if value.is_array() => &mut value[index],
        _ => &mut value[step.as_str()],
    });
    match (within, change) {
        (Value::Array(items), Some(value)) => items[last.parse::<usize>().expect("an index")] = value,
        (Value::Array(items), None) => drop(items.remove(last.parse().expect("an index"))),
        (Value::Object(map), Some(value)) => drop(map.insert(last.clone(), value)),
        (Value::Object(map), None) => drop(map.remove(last)),
        (other, _) => panic!("{last} of {other}"),
    }
}

/// Why some mutants are no weakening: type and path, with `*`, and the reason.
struct Explained(Vec<(String, String, String)>);

impl Explained {
    fn read() -> Self {
        let text = read("tests/pci/explained.csv");
        let lines = text.lines().skip(1).map(|line| {
            let mut fields = line.splitn(3, ',').map(str::to_owned);
            let mut field =
                || fields.next().filter(|text| !text.is_empty()).unwrap_or_else(|| panic!("{line}"));
            (field(), field(), field())
        });
        Self(lines.collect())
    }

    fn covers(&self, kind: &str, path: &str) -> bool {
        self.0.iter().any(|(of, at, _)| aws::power::matches(of, kind) && aws::power::matches(at, path))
    }
}
