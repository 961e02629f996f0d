//! The evaluator held to another one: iam-simulate, which nobody of this project wrote, decides the same cases.
//!
//! `tests/setup` installs it. Where it is missing the test fails and says so.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use iam_policy::{Caller, Context, Decision, Policies, Policy, Request, Text};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// Cases that are drawn, the same ones every time.
const CASES: usize = 600;
const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/worker";

#[derive(Clone, Debug)]
struct Case {
    identity: Value,
    boundary: Option<Value>,
    resource: Option<Value>,
    action: &'static str,
    on: &'static str,
    account: &'static str,
    context: Vec<(&'static str, Value)>,
}

/// An action, and a resource that it has.
const ASKED: [(&str, &str); 8] = [
    ("s3:GetObject", "arn:aws:s3:::files/in/a.csv"),
    ("s3:PutObject", "arn:aws:s3:::files/out/b.csv"),
    ("s3:ListBucket", "arn:aws:s3:::files"),
    ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:111122223333:table/runs"),
    ("logs:PutLogEvents", "arn:aws:logs:us-east-1:111122223333:log-group:/a/b:log-stream:c"),
    ("iam:PassRole", "arn:aws:iam::111122223333:role/task"),
    ("sts:AssumeRole", "arn:aws:iam::111122223333:role/task"),
];

const ACTIONS: [&str; 12] = [
    "*",
    "s3:*",
    "s3:Get*",
    "s3:getobject",
    "s3:PutObject",
    "s3:List?ucket",
    "kms:*",
    "kms:De*",
    "dynamodb:GetItem",
    "logs:Put*",
    "iam:PassRole",
    "sts:AssumeRole",
];

const RESOURCES: [&str; 11] = [
    "*",
    "arn:aws:s3:::files",
    "arn:aws:s3:::files/*",
    "arn:aws:s3:::files/in/?.csv",
    "arn:aws:s3:::files/${aws:PrincipalTag/team}/*",
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:kms:us-east-1:*:key/0f2c5d1e-*",
    "arn:aws:dynamodb:us-east-1:111122223333:table/runs*",
    "arn:aws:logs:us-east-1:111122223333:log-group:/a/*",
    "arn:aws:iam::111122223333:role/t*",
    "arn:aws:iam::*:role/worker",
];

/// Operator, key, and a value that some requests have.
fn condition() -> impl Strategy<Value = (String, String, Value)> {
    let string = |operators: &'static [&'static str], key: &'static str, values: Vec<Value>| {
        (prop::sample::select(operators), Just(key), prop::sample::select(values))
            .prop_map(|(operator, key, value)| (operator.to_owned(), key.to_owned(), value))
    };
    prop_oneof![
        string(
            &[
                "StringEquals",
                "StringNotEquals",
                "StringEqualsIfExists",
                "StringNotEqualsIfExists",
                "StringLike",
                "StringNotLike",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
                "StringLikeIfExists"
            ],
            "aws:PrincipalTag/team",
            vec![json!("in"), json!("IN"), json!("i*"), json!(["in", "out"]), json!("o?t")],
        ),
        string(
            &[
                "ForAllValues:StringEquals",
                "ForAnyValue:StringEquals",
                "ForAllValues:StringLike",
                "ForAnyValue:StringNotEquals",
                "ForAllValues:StringNotEquals"
            ],
            "aws:CalledVia",
            vec![
                json!("athena.amazonaws.com"),
                json!(["athena.amazonaws.com", "s3.amazonaws.com"]),
                json!("*.amazonaws.com")
            ],
        ),
        string(&["Null"], "aws:PrincipalTag/team", vec![json!("true"), json!("false")]),
        string(&["Bool", "BoolIfExists"], "aws:SecureTransport", vec![json!("true"), json!("false")]),
        string(
            &[
                "NumericLessThan",
                "NumericGreaterThanEquals",
                "NumericEquals",
                "NumericLessThanIfExists",
                "NumericNotEquals"
            ],
            "aws:MultiFactorAuthAge",
            vec![json!("60"), json!("3600")],
        ),
        string(
            &["DateGreaterThan", "DateLessThanEquals", "DateNotEquals", "DateEquals"],
            "aws:CurrentTime",
            vec![json!("2026-01-01T00:00:00Z"), json!("2026-06-30T12:00:00Z")],
        ),
        string(
            &["IpAddress", "NotIpAddress", "IpAddressIfExists"],
            "aws:SourceIp",
            vec![json!("10.0.0.0/8"), json!(["192.0.2.0/24", "10.1.0.0/16"])],
        ),
        string(
            &["ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "ArnLikeIfExists"],
            "aws:SourceArn",
            vec![json!("arn:aws:s3:::files"), json!("arn:aws:*:::f*"), json!("arn:aws:ecs:*:111122223333:*")],
        ),
    ]
}

fn context() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let maybe = |key: &'static str, values: Vec<Value>| {
        prop::option::weighted(0.6, prop::sample::select(values))
            .prop_map(move |value| value.map(|value| (key, value)))
    };
    (
        maybe("aws:PrincipalTag/team", vec![json!("in"), json!("out")]),
        maybe(
            "aws:CalledVia",
            vec![json!(["athena.amazonaws.com"]), json!(["athena.amazonaws.com", "ecs.amazonaws.com"])],
        ),
        maybe("aws:SecureTransport", vec![json!("true"), json!("false")]),
        maybe("aws:MultiFactorAuthAge", vec![json!("60"), json!("600")]),
        maybe("aws:CurrentTime", vec![json!("2026-01-01T00:00:00Z"), json!("2026-03-01T00:00:00Z")]),
        maybe("aws:SourceIp", vec![json!("10.1.2.3"), json!("192.0.2.7")]),
        maybe(
            "aws:SourceArn",
            vec![json!("arn:aws:s3:::files"), json!("arn:aws:ecs:us-east-1:111122223333:task/x")],
        ),
    )
        .prop_map(|(a, b, c, d, e, f, g)| [a, b, c, d, e, f, g].into_iter().flatten().collect())
}

fn statement(principals: Option<Vec<Value>>) -> impl Strategy<Value = Value> {
    let pick = |all: &'static [&'static str]| prop::sample::subsequence(all.to_vec(), 1..=3);
    let principal =
        principals.map_or_else(|| Just(None).boxed(), |all| prop::sample::select(all).prop_map(Some).boxed());
    (
        prop::bool::weighted(0.75),
        (prop::bool::weighted(0.85), pick(&ACTIONS)),
        (prop::bool::weighted(0.85), pick(&RESOURCES)),
        prop::collection::vec(condition(), 0..=2),
        principal,
    )
        .prop_map(|(allow, (is, actions), (on, resources), conditions, principal)| {
            let mut all = Map::new();
            all.insert("Effect".to_owned(), json!(if allow { "Allow" } else { "Deny" }));
            all.insert(if is { "Action" } else { "NotAction" }.to_owned(), json!(actions));
            // Whether everything but a variable without a value is anything, AWS does not say.
            let resources: Vec<&str> =
                resources.into_iter().filter(|name| on || !name.contains('$')).collect();
            let on = on || resources.is_empty();
            let resources = if resources.is_empty() { vec!["*"] } else { resources };
            all.insert(if on { "Resource" } else { "NotResource" }.to_owned(), json!(resources));
            let mut operators = Map::new();
            for (operator, key, value) in conditions {
                operators.insert(operator, json!({ key: value }));
            }
            if !operators.is_empty() {
                all.insert("Condition".to_owned(), operators.into());
            }
            if let Some(principal) = principal {
                all.insert("Principal".to_owned(), principal);
            }
            all.into()
        })
}

fn document(
    principals: Option<Vec<Value>>,
    statements: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(principals), statements)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

fn case() -> impl Strategy<Value = Case> {
    let principals = vec![
        json!("*"),
        json!({"AWS": ROLE}),
        json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}),
        json!({"AWS": [ACCOUNT, "arn:aws:iam::444455556666:role/other"]}),
        json!({"AWS": "arn:aws:iam::444455556666:root"}),
        json!({"Service": "ecs-tasks.amazonaws.com"}),
    ];
    (
        document(None, 1..=4),
        prop::option::weighted(0.5, document(None, 1..=3)),
        prop::option::weighted(0.5, document(Some(principals), 1..=3)),
        prop::sample::select(ASKED.to_vec()),
        prop::bool::weighted(0.8),
        context(),
    )
        // Every key has a policy.
        .prop_filter("a key without a policy", |(_, _, resource, (action, _), _, _)| {
            resource.is_some() || !action.starts_with("kms:")
        })
        .prop_map(|(identity, boundary, resource, (action, on), own, context)| Case {
            identity,
            boundary,
            resource,
            action,
            on,
            account: if own || !on.contains(":::") { ACCOUNT } else { "444455556666" },
            context,
        })
}

impl Case {
    fn asked(&self) -> Value {
        let context: Map<String, Value> =
            self.context.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        json!({
            "identity": [self.identity], "boundary": self.boundary, "resource": self.resource, "principal": ROLE,
            "action": self.action, "on": self.on, "account": self.account, "context": context,
        })
    }

    fn ours(&self) -> Decision {
        let read =
            |document: &Value| Policy::read(document, &Text::from).unwrap_or_else(|fault| panic!("{fault}"));
        let identity = [read(&self.identity)];
        let (boundary, resource) = (self.boundary.as_ref().map(read), self.resource.as_ref().map(read));
        let mut context = Context::default();
        for (key, value) in &self.context {
            context = match value {
                Value::Array(values) => context.with_many(key, values.iter().filter_map(Value::as_str)),
                value => context.with(key, value.as_str().expect("a text")),
            };
        }
        let request =
            Request::new(Caller::role(ROLE), self.action, self.on, context).of_account(self.account);
        let policies = Policies {
            identity: &identity,
            boundary: boundary.as_ref(),
            resource: resource.as_ref(),
            endpoint: None,
        };
        policies.decide(&request)
    }
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// What the referee says, case by case.
fn referee(cases: &[Case]) -> Vec<String> {
    let installed = repository(".cache/iam");
    assert!(
        installed.join("node_modules").exists(),
        "the referee of policies is missing\n  fix: run tests/setup once, then the tests again"
    );
    let mut node = Command::new("node")
        .arg(repository("tests/iam/simulate.mjs"))
        .arg(installed)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts; tests/setup says what is missing");
    let text: String = cases.iter().map(|case| format!("{}\n", case.asked())).collect();
    let mut input = node.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = node.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_referee_decides_as_this_does() {
    let mut runner = TestRunner::deterministic();
    let cases: Vec<Case> = (0..CASES).map(|_| case().new_tree(&mut runner).unwrap().current()).collect();
    let theirs = referee(&cases);
    assert_eq!(theirs.len(), cases.len());
    let mut allowed = 0;
    let mut differing = Vec::new();
    for (case, theirs) in cases.iter().zip(&theirs) {
        let ours = case.ours();
        allowed += usize::from(ours == Decision::Allow);
        let same = match theirs.as_str() {
            "Allowed" => ours == Decision::Allow,
            "ExplicitlyDenied" => matches!(&ours, Decision::Deny(why) if why.ends_with("denies it")),
            "ImplicitlyDenied" => matches!(&ours, Decision::Deny(why) if !why.ends_with("denies it")),
            other => panic!("{other}\n{:#}", case.asked()),
        };
        if !same {
            differing.push(format!("they: {theirs}, this: {ours}\n{:#}", case.asked()));
        }
    }
    assert!(
        differing.is_empty(),
        "{} of {CASES} differ; the first:\n{}",
        differing.len(),
        differing.join("\n")
    );
    // Both outcomes are met often, or the cases prove little.
    assert!((CASES / 10..CASES / 2).contains(&allowed), "{allowed} of {CASES} are allowed");
}
