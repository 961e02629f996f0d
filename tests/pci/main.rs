//! Every row of `requirements.csv` is checked on what production synthesizes to, or listed with the reason.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod mutation;
mod threats;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use txnr::bootstrap::{self, OwnState};
use txnr::check;
use txnr::config::EnvConfig;
use txnr::control::{Left, Met, Outcome, Platform, Row, Store, requirements, rows};
use txnr::synth::synth;

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// An environment file with more settings at its end.
fn environment(path: &str, more: &str) -> EnvConfig {
    check::parse(&file(path), &(read(path) + more)).unwrap_or_else(|e| panic!("{e}")).0
}

/// What is generated for it.
fn platform(path: &str, more: &str) -> Platform {
    let config = environment(path, more);
    Platform::of_environment(&config, &synth(&config).expect("a module without faults"))
}

/// The productions that the rows are checked on, and what the account of one has to have before.
struct Production {
    platforms: [Platform; 7],
}

/// Where among them there is which.
const AS_IT_STANDS: usize = 0;
/// With a network firewall.
const FIREWALL: usize = 1;
const ZONE: usize = 2;
/// On an instance, and next to it in Aurora.
const INSTANCE: usize = 3;
/// What `INSTANCE` is, and further services.
const SERVICES: usize = 5;
const BOOTSTRAP: usize = 6;

/// With its records in PostgreSQL; the tables of DynamoDB are there either way. Its tasks reach a third party, which takes
/// NAT gateways.
const POSTGRES: &str = r#"
[[network.egress]]
name = "scheme"
cidr = "198.51.100.0/24"
reason = "Settlement files of the card scheme"
[data]
store = "postgres"
dynamodb.enabled = true
"#;

/// One by its host, which reaches the data stores, and one by its path at the domain of the main service.
const FURTHER: &str = r#"
[services.back-office]
hosts = ["office.example.com"]
image = "sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6"
container_port = 3000
environment.LOG_LEVEL = "warn"
secrets.SESSION_KEY = "arn:aws:secretsmanager:us-east-1:333344445555:secret:office/session-AbCdEf"
task_policies = ["arn:aws:iam::333344445555:policy/back-office"]
data_stores = true
[services.hooks]
paths = ["/hooks/*"]
image = "sha256:8f5f2d0e2a6b43c1c0f3a4d7b9e18c5d6a7f90123b4c5d6e7f8091a2b3c4d5e6"
environment.LOG_LEVEL = "warn"
secrets.TOKEN = "arn:aws:secretsmanager:us-east-1:333344445555:secret:hooks/token-AbCdEf"
"#;

impl Production {
    fn new() -> Self {
        let siblings = [platform("envs/dev.toml", ""), platform("envs/stage.toml", "")];
        let of = |more: &str| {
            let mut platform = platform("envs/prod.toml", more);
            platform.siblings = siblings.to_vec();
            platform
        };
        // With every role that there can be.
        let deployment = "\n[service.deployment]\nstrategy = \"external\"\n";
        let config = environment("envs/prod.toml", &format!("{deployment}{FURTHER}"));
        let accounts = bootstrap::accounts([&config]).expect("one account");
        let bootstrap = bootstrap::build(&accounts[0], OwnState::Bucket).expect("a module without faults");
        Self {
            platforms: [
                of(""),
                of("\n[network.firewall]\nallowed_names = [\"api.scheme.example\"]\n"),
                of("\n[dns]\ncreate_zone = true\ndnssec = true\n"),
                of(POSTGRES),
                of(&format!("{POSTGRES}postgres.engine = \"aurora-serverless\"\n")),
                of(&format!("{POSTGRES}{FURTHER}")),
                Platform::of_environment(&config, &bootstrap),
            ],
        }
    }

    /// What a row is checked on.
    fn on(&mut self, store: Store) -> &mut [Platform] {
        &mut self.platforms[match store {
            Store::Any => AS_IT_STANDS..BOOTSTRAP,
            Store::Postgres => INSTANCE..BOOTSTRAP,
            Store::Zone => ZONE..INSTANCE,
            Store::Bootstrap => BOOTSTRAP..BOOTSTRAP + 1,
            Store::Everywhere => AS_IT_STANDS..BOOTSTRAP + 1,
        }]
    }

    /// Of that, what the document lists the resources of.
    fn shown(&self, store: Store) -> &[Platform] {
        &self.platforms[match store {
            Store::Any | Store::Everywhere => AS_IT_STANDS..FIREWALL,
            Store::Postgres => INSTANCE..SERVICES,
            Store::Zone => ZONE..INSTANCE,
            Store::Bootstrap => BOOTSTRAP..BOOTSTRAP + 1,
        }]
    }

    /// What a check looks at of the further services alone.
    fn of_further_services(&self, check: fn(&Platform) -> Outcome) -> BTreeSet<String> {
        let alone = check(&self.platforms[INSTANCE]).looked;
        check(&self.platforms[SERVICES])
            .looked
            .into_iter()
            .filter(|address| !alone.contains(address))
            .collect()
    }
}

/// What production may have from elsewhere, part by part.
const BROUGHT: [(&str, &str); 9] = [
    ("network", NETWORK),
    ("network.flow_logs", "flow_logs = \"The log archive\""),
    ("network.network_acls", "network_acls = \"The landing zone\""),
    ("network.gateway_endpoints", "gateway_endpoints = \"The landing zone\""),
    (
        "kms.keys.logs",
        "[kms.keys]\nlogs = \"arn:aws:kms:us-east-1:333344445555:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e61\"\n\
         elsewhere = \"The security team\"",
    ),
    (
        "certificate",
        "[certificate]\narn = \"arn:aws:acm:us-east-1:333344445555:certificate/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e65\"\n\
         elsewhere = \"The PKI team\"",
    ),
    (
        "storage.audit_bucket",
        "[storage.audit_bucket]\nname = \"acme-log-archive\"\nelsewhere = \"The log archive\"",
    ),
    (
        "storage.access_bucket",
        "[storage.access_bucket]\nname = \"acme-access\"\nelsewhere = \"The account factory\"",
    ),
    ("account.trail", "[account.elsewhere]\ntrail = \"The organization\""),
];

const NETWORK: &str = r#"
[network]
[network.existing]
vpc_id = "vpc-0123456789abcdef0"
public = ["subnet-0123456789abcde01", "subnet-0123456789abcde02", "subnet-0123456789abcde03"]
private = ["subnet-0123456789abcde04", "subnet-0123456789abcde05", "subnet-0123456789abcde06"]
data = ["subnet-0123456789abcde07", "subnet-0123456789abcde08", "subnet-0123456789abcde09"]
[network.existing.elsewhere]
vpc = "The network team"
"#;

/// Production with a part from elsewhere.
fn brought(part: &str, text: &str) -> Platform {
    let file = read("envs/prod.toml");
    let own = "[network]\ncidr = \"10.30.0.0/16\"\n";
    assert!(file.contains(own), "the network of production is written otherwise");
    let text = match part.starts_with("network") {
        true => {
            let more = if text == NETWORK { "" } else { text };
            file.replace(own, &format!("{NETWORK}{more}\n"))
        }
        false => file + "\n" + text,
    };
    let config =
        check::parse(&self::file("envs/prod.toml"), &text).unwrap_or_else(|e| panic!("{part}: {e}")).0;
    Platform::of(&synth(&config).expect("a module without faults"))
}

/// A row that was shown by a resource which is now another's is no longer shown: neither by what is left, nor for want of
/// anything to look at. Roles and alarms that served what was taken away are not missed.
#[test]
fn what_exists_already_shows_nothing() {
    let Production { platforms: [any, ..] } = Production::new();
    let mut claimed = Vec::new();
    for (part, text) in BROUGHT {
        let mut platform = brought(part, text);
        platform.siblings.clone_from(&any.siblings);
        let mut lost = 0;
        for row in rows() {
            let Met::Checked { on: Store::Any, check, .. } = row.met else { continue };
            let serves = |address: &str| {
                ["aws_iam_", "aws_cloudwatch_metric_alarm."].iter().any(|kind| address.starts_with(kind))
            };
            let gone = |address: &&String| !platform.resources.contains_key(*address) && !serves(address);
            let before = check(&any).looked;
            if !before.iter().any(|address| gone(&address)) {
                continue;
            }
            lost += 1;
            if check(&platform).holds() {
                let gone: Vec<&String> = before.iter().filter(gone).collect();
                claimed.push(format!("{part}: {} still holds without {gone:?}", row.id));
            }
        }
        assert!(lost > 0, "no row looks at anything that {part} takes away");
    }
    assert!(claimed.is_empty(), "{}", claimed.join("\n"));
}

#[test]
fn every_row_has_a_check_or_a_reason_and_nothing_else_has() {
    let asked: Vec<String> = requirements().into_iter().map(|r| r.id).collect();
    let met: Vec<&str> = rows().iter().map(|row| row.id).collect();
    assert_eq!(asked, met);
}

#[test]
fn production_is_as_the_rows_ask() {
    let mut production = Production::new();
    let mut wrong = Vec::new();
    for row in rows() {
        let Met::Checked { on, check, .. } = row.met else { continue };
        for platform in production.on(on) {
            let failed = check(platform).failed;
            if !failed.is_empty() {
                wrong.push(format!("{} ({}): {failed:?}", row.id, row.how));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A reason that says "there is no such thing" ends when there is.
#[test]
fn no_reason_is_out_of_date() {
    let production = Production::new();
    for platform in &production.platforms {
        let text = serde_json::to_string(&platform.resources).expect("JSON");
        for row in rows() {
            if let Met::Listed { until: Some(until) } = row.met {
                assert!(!text.contains(until), "{} can be checked: {until} is there", row.id);
            }
        }
    }
}

/// Each check refuses every resource that is made weaker than the row asks, one at a time; one of a further service as
/// well, where it looks at any.
#[test]
fn every_check_can_fail() {
    let mut production = Production::new();
    let mut passed = Vec::new();
    for Row { id, met, .. } in rows() {
        let Met::Checked { on, check, weaker } = met else { continue };
        assert!(!weaker.is_empty(), "{id} has nothing that it refuses");
        let further = match on {
            Store::Any | Store::Everywhere | Store::Postgres => production.of_further_services(*check),
            Store::Zone | Store::Bootstrap => BTreeSet::new(),
        };
        let mut weakened = BTreeSet::new();
        for (what, path, json) in *weaker {
            let value: Value = serde_json::from_str(json).unwrap_or_else(|e| panic!("{id}: {json}: {e}"));
            for (platform, address) in addresses(production.on(*on), what) {
                let platform = &mut production.on(*on)[platform];
                let strict = platform.resources.get(&address).cloned();
                let mut weak = strict.clone().unwrap_or_else(|| Value::Object(<_>::default()));
                put(&mut weak, path, value.clone())
                    .unwrap_or_else(|| panic!("{id}: {address} has no {path}"));
                platform.resources.insert(address.clone(), weak);
                if check(platform).holds() {
                    passed.push(format!("{id}: {address} with {path} = {json}"));
                }
                match strict {
                    Some(strict) => platform.resources.insert(address.clone(), strict),
                    None => platform.resources.remove(&address),
                };
                weakened.insert(address);
            }
        }
        if !further.is_empty() && further.is_disjoint(&weakened) {
            passed.push(format!("{id}: nothing of a further service is made weaker: {further:?}"));
        }
    }
    assert!(passed.is_empty(), "{}", passed.join("\n"));
}

/// What a weakening is of, by the place of its platform: one address, every resource of a type, or one that it adds.
fn addresses(platforms: &[Platform], what: &str) -> Vec<(usize, String)> {
    let places = || platforms.iter().enumerate();
    let found: Vec<(usize, String)> = places()
        .flat_map(|(place, platform)| {
            let is_meant = |address: &&String| {
                *address == what || address.split_once('.').is_some_and(|(kind, _)| kind == what)
            };
            platform.resources.keys().filter(is_meant).map(move |address| (place, address.clone()))
        })
        .collect();
    if found.is_empty() {
        assert!(!what.contains('.'), "no {what}");
        return places().map(|(place, _)| (place, format!("{what}.added"))).collect();
    }
    found
}

/// Puts a value at a path of keys and indexes, by the first of a list where no index is given; null takes the key away.
/// Without a path it takes the place of the whole.
fn put(body: &mut Value, path: &str, value: Value) -> Option<()> {
    if path.is_empty() {
        *body = value;
        return Some(());
    }
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let at = match (body, step.parse::<usize>()) {
        (Value::Array(items), Ok(index)) => items.get_mut(index)?,
        (Value::Array(items), Err(_)) => return put(items.first_mut()?, path, value),
        (Value::Object(map), _) if rest.is_none() && value.is_null() => {
            map.remove(step);
            return Some(());
        }
        (Value::Object(map), _) if rest.is_none() => map.entry(step).or_insert(Value::Null),
        (Value::Object(map), _) => map.get_mut(step)?,
        _ => return None,
    };
    match rest {
        Some(rest) => put(at, rest, value),
        None => {
            *at = value;
            Some(())
        }
    }
}

/// What an environment without protections does not hold, so that nobody takes it for one in scope.
#[test]
fn a_bare_environment_fails() {
    let path = "tests/variants/bare.toml";
    let with_image = read(path).replace("service.contract", "service.image = \"v1\"\nservice.contract");
    let bare = check::parse(&file(path), &with_image).unwrap_or_else(|e| panic!("{e}")).0;
    let mut bare = Platform::of(&synth(&bare).expect("a module without faults"));
    bare.siblings = vec![platform("envs/prod.toml", "")];
    let failed: BTreeSet<&str> = rows()
        .into_iter()
        .filter(|row| matches!(row.met, Met::Checked { on: Store::Any, check, .. } if !check(&bare).holds()))
        .map(|row| row.id)
        .collect();
    let expected = [
        "R027", "R046", "R056", "R060", "R072", "R077", "R078", "R081", "R088", "R089", "R090", "R091",
        "R092", "R093", "R095", "R098", "R105", "R106", "R107", "R109", "R111", "R112", "R113", "R117",
        "R118",
    ];
    assert_eq!(failed, BTreeSet::from(expected));
}

/// `docs/pci.md` is this table.
#[test]
fn the_document_is_up_to_date() {
    let text = document();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        std::fs::write(file("docs/pci.md"), &text).expect("docs/pci.md");
    }
    let stands = std::fs::read_to_string(file("docs/pci.md")).unwrap_or_default();
    assert!(stands == text, "docs/pci.md is stale: INSTA_UPDATE=always cargo test --test pci");
}

fn document() -> String {
    let production = Production::new();
    let rows = rows();
    let listed = rows.iter().filter(|row| matches!(row.met, Met::Listed { .. })).count();
    let others = rows.iter().filter(|row| matches!(row.met, Met::Left(_))).count();
    let mut text = format!(
        "<!-- Generated by `INSTA_UPDATE=always cargo test --test pci`. Do not edit. -->\n\n# PCI DSS 4.0.1: what the \
         generated resources show\n\nThis is evidence of configuration, not of compliance: it says which arguments of \
         `envs/prod.toml`'s generated resources support a requirement, and what stays with people and process. It speaks \
         of files before they are applied; what runs is shown by AWS Config and Security Hub. The wording is a \
         paraphrase of the standard.\n\n{} rows of `src/control/requirements.csv`: {} are checked by `src/control/`, each \
         over all resources of its kind, {listed} are listed with the reason, and {others} are left to people or to AWS. \
         `txnr check --env NAME` judges any environment by the same list. *Strength* says how far configuration can answer \
         the requirement; no row is a verdict on one. A row marked *PostgreSQL* is checked \
         on production with `data.store = \"postgres\"`, since the environment of this repository keeps its records in \
         DynamoDB: on an instance of RDS and on a cluster of Aurora (`data.postgres.engine`); one marked *Zone*, on \
         production with `dns.create_zone = true` and `dns.dnssec = true`; one marked *Bootstrap*, on what `txnr bootstrap` makes of its \
         account. A row without a mark is checked on each of these productions and on one with a network firewall, and every row of an environment on one \
         with further services (`[services]`) as well, over the resources of every service; the last column lists what \
         it looks at in `envs/prod.toml` alone.\n\n## Checked\n\n| row | PCI DSS | asks for | checked | strength | does not show | resources |\n| --- | --- | --- | --- | --- | --- | --- |\n",
        rows.len(),
        rows.len() - listed - others,
    );
    let mut reasons = String::new();
    let mut left = String::new();
    for requirement in requirements() {
        let row = rows.iter().find(|row| row.id == requirement.id).expect("a row");
        let head = format!("| {} | {} | {}", row.id, requirement.pci.join(", "), requirement.asks);
        match row.met {
            Met::Checked { on, check, .. } => {
                let outcomes = production.shown(on).iter().map(check);
                let looked = resources(&outcomes.fold(Outcome::default(), Outcome::and));
                let store = match on {
                    Store::Any => "",
                    Store::Postgres => "*PostgreSQL*: ",
                    Store::Zone => "*Zone*: ",
                    Store::Bootstrap => "*Bootstrap*: ",
                    Store::Everywhere => "*With bootstrap*: ",
                };
                let _ = writeln!(
                    text,
                    "{head} | {store}{} | {} | {} | {looked} |",
                    row.how, requirement.strength, requirement.not_shown
                );
            }
            Met::Listed { .. } => {
                let _ = writeln!(reasons, "{head} | {} |", row.how);
            }
            Met::Left(kind) => {
                let who = match kind {
                    Left::Process => "people",
                    Left::Inherited => "AWS",
                    Left::NotApplicable => "not applicable",
                };
                let _ = writeln!(left, "{head} | {who} | {} |", row.how);
            }
        }
    }
    let _ = write!(
        text,
        "\n## Listed\n\n| row | PCI DSS | asks for | why it is not checked |\n| --- | --- | --- | --- |\n{reasons}\n## Left to others\n\n\
         No module shows these.\n\n| row | PCI DSS | asks for | who answers | what there is to go by |\n| --- | --- | --- | --- | --- |\n{left}"
    );
    text
}

/// The resources by type; of a type with many, how many.
fn resources(outcome: &Outcome) -> String {
    let mut types: Vec<(&str, Vec<&str>)> = Vec::new();
    for address in &outcome.looked {
        let (kind, name) = address.split_once('.').expect("an address");
        match types.last_mut() {
            Some((last, names)) if *last == kind => names.push(name),
            _ => types.push((kind, vec![name])),
        }
    }
    let written = types.iter().map(|(kind, names)| match names.len() {
        0..=12 => format!("`{kind}`: {}", names.join(", ")),
        many => format!("`{kind}`: {many}"),
    });
    let written: Vec<String> = written.collect();
    if written.is_empty() { "none, as it should be".to_owned() } else { written.join("; ") }
}
