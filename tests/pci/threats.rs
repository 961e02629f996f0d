//! Who holds what reaches what: each role of an account as an attacker, against each thing that is worth an attack, by the
//! policies as they are rendered. `docs/guide/threat-model.md` shows the outcome.

mod calls;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use iam_policy::{Caller, Context, Decision, Policies, Policy, Request, Text};
use serde_json::{Value, json};
use txnr::check;
use txnr::config::EnvConfig;

use self::calls::assets;
use self::world::{Call, Holder, World};
use super::{FURTHER, file, read};

const DOCUMENT: &str = "docs/guide/threat-model.md";

fn parsed(path: &str, change: impl Fn(String) -> String) -> EnvConfig {
    check::parse(&file(path), &change(read(path))).unwrap_or_else(|report| panic!("{report}")).0
}

/// Production with every role that there can be, and another environment in the same account.
fn production() -> &'static World {
    static PRODUCTION: OnceLock<World> = OnceLock::new();
    PRODUCTION.get_or_init(|| {
        let more = "\n[service.deployment]\nstrategy = \"external\"\n\
                [iam]\noperators = [\"arn:aws:iam::333344445555:role/on-call\"]\n";
        let prod = parsed("envs/prod.toml", |text| format!("{text}{more}{FURTHER}"));
        let dev = parsed("envs/dev.toml", |text| text.replace("111122223333", "333344445555"));
        World::of(&prod, &[&dev])
    })
}

/// The attackers by name, in the order of the document.
fn attackers(world: &World) -> Vec<(&'static str, Holder)> {
    let mut all: Vec<(&'static str, Holder)> =
        vec![("task", world.holder("task")), ("execution role", world.holder("execution"))];
    let beside: [(&'static str, &str); 9] = [
        ("further task", "hooks__task"),
        ("further execution role", "hooks__execution"),
        ("pull request", "prod_plan"),
        ("push", "prod_push"),
        ("deploy", "prod_deploy"),
        ("apply", "prod_apply"),
        ("operator", "operator"),
        ("support", "support"),
        ("apply of another environment", "dev_apply"),
    ];
    let there = |name: &str| world.resources.contains_key(&format!("aws_iam_role.{name}"));
    all.extend(
        beside.into_iter().filter(|(_, role)| there(role)).map(|(name, role)| (name, world.holder(role))),
    );
    if let Some(place) = all.iter().position(|(name, _)| *name == "apply") {
        let made = world.made_by(&all[place].1);
        all.insert(place + 1, ("what apply can make", made));
    }
    all
}

/// What comes of a call.
#[derive(Clone, PartialEq, Eq)]
enum Verdict {
    Allowed,
    /// Under the conditions of a statement.
    Within(String),
    Denied(String),
}

/// Every outcome, by attacker and asset.
type Matrix = BTreeMap<(&'static str, &'static str), Vec<(Call, Verdict)>>;

fn matrix(world: &World, attackers: &[(&'static str, Holder)]) -> Matrix {
    let mut all = Matrix::new();
    for (name, holder) in attackers {
        for asset in assets(world) {
            let verdicts =
                world.decide_all(holder, &asset.calls).into_iter().map(|decision| match decision {
                    Decision::Allow => Verdict::Allowed,
                    Decision::CannotTell(statement) => Verdict::Within(statement),
                    Decision::Deny(why) => Verdict::Denied(why),
                });
            all.insert((name, asset.name), asset.calls.iter().cloned().zip(verdicts).collect());
        }
    }
    all
}

/// What an attacker reaches of an asset, by action.
fn reached(outcomes: &[(Call, Verdict)]) -> BTreeSet<&'static str> {
    let reached = outcomes.iter().filter(|(_, verdict)| !matches!(verdict, Verdict::Denied(_)));
    reached.map(|(call, _)| call.action).collect()
}

/// What remains, cell by cell, and why. What is reached and not listed here fails, and so does what is listed and not
/// reached: `tests/pci/remains.csv`, attacker, asset, actions, reason.
struct Remains(BTreeMap<(String, String), (BTreeSet<String>, String)>);

impl Remains {
    fn read() -> Self {
        let text = read("tests/pci/remains.csv");
        let lines = text.lines().skip(1).map(|line| {
            let mut fields = line.splitn(4, ',').map(str::to_owned);
            let mut field = || {
                fields
                    .next()
                    .filter(|text| !text.is_empty())
                    .unwrap_or_else(|| panic!("a field is missing: {line}"))
            };
            let (attacker, asset, actions, why) = (field(), field(), field(), field());
            ((attacker, asset), (actions.split_whitespace().map(str::to_owned).collect(), why))
        });
        Self(lines.collect())
    }
}

#[test]
fn nothing_is_reached_but_what_remains_for_a_reason() {
    let world = production();
    let matrix = matrix(world, &attackers(world));
    let mut remains = Remains::read().0;
    let mut faults = Vec::new();
    for ((attacker, asset), outcomes) in &matrix {
        let reached: BTreeSet<String> = reached(outcomes).into_iter().map(str::to_owned).collect();
        let listed = remains.remove(&((*attacker).to_owned(), (*asset).to_owned()));
        let listed = listed.map(|(actions, _)| actions).unwrap_or_default();
        let words = |set: BTreeSet<&String>| set.into_iter().cloned().collect::<Vec<_>>().join(" ");
        let (more, less) =
            (words(reached.difference(&listed).collect()), words(listed.difference(&reached).collect()));
        if !more.is_empty() {
            faults.push(format!("{attacker},{asset}: reached, and no reason is given: {more}"));
        }
        if !less.is_empty() {
            faults.push(format!("{attacker},{asset}: listed, and not reached: {less}"));
        }
    }
    faults.extend(remains.keys().map(|(attacker, asset)| format!("{attacker},{asset}: no such cell")));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(matrix.len() > 90, "{} cells", matrix.len());
}

/// Each attacker's statements are seen in the matrix: one that allows everything reaches more, and so does a denial that is
/// taken away from somebody who may do everything else.
#[test]
fn every_statement_is_seen_in_the_matrix() {
    let world = production();
    let attackers = attackers(world);
    let mut unseen: BTreeSet<String> = BTreeSet::new();
    // The other environment's roles are of the same making.
    for (name, holder) in attackers.iter().filter(|(name, _)| *name != "apply of another environment") {
        let reaches = |holder: &Holder| -> usize {
            let outcomes = matrix(world, &[(*name, holder.clone())]);
            let all = outcomes.values().flatten();
            all.filter(|(_, verdict)| !matches!(verdict, Verdict::Denied(_))).count()
        };
        if reaches(&holder.clone().and(everything())) <= reaches(holder) {
            unseen.insert(format!("{name}: a statement that allows everything"));
        }
        let open = Holder { boundary: None, ..holder.clone() }.and(everything());
        let open_reaches = reaches(&open);
        for place in 0..holder.identity.len() {
            for (at, statement) in statements(&holder.identity[place]).iter().enumerate() {
                if statement["Effect"] == "Allow" {
                    continue;
                }
                let mut weak = open.clone();
                weak.identity[place]["Statement"].as_array_mut().expect("statements").remove(at);
                if reaches(&weak) <= open_reaches {
                    unseen.insert(format!("{name}: {}", statement["Sid"].as_str().unwrap_or_default()));
                }
            }
        }
    }
    unseen.extend(unseen_of_the_boundary(world, &attackers));
    let explained: BTreeSet<String> = UNSEEN.iter().map(|one| (*one).to_owned()).collect();
    assert_eq!(unseen, explained, "in no cell, against those that are known to be in none");
}

/// The denials of the boundary that neither the apply role nor what it makes is seen to miss, if it could do all else.
fn unseen_of_the_boundary(world: &World, attackers: &[(&'static str, Holder)]) -> Vec<String> {
    let holder =
        |wanted: &str| attackers.iter().find(|(name, _)| *name == wanted).expect("an attacker").1.clone();
    let reaches = |holder: &Holder| -> usize {
        let outcomes = matrix(world, &[("", holder.clone())]);
        outcomes.values().flatten().filter(|(_, verdict)| !matches!(verdict, Verdict::Denied(_))).count()
    };
    let open = |name: &str| {
        let mut open = Holder { identity: Vec::new(), ..holder(name) }.and(everything());
        let boundary = open.boundary.as_mut().expect("a boundary");
        boundary["Statement"].as_array_mut().expect("statements").push(everything()["Statement"][0].clone());
        let reached = reaches(&open);
        (open, reached)
    };
    let open = ["apply", "what apply can make"].map(open);
    let boundary = holder("apply").boundary.expect("a boundary");
    let denials = statements(&boundary).iter().enumerate().filter(|(_, one)| one["Effect"] == "Deny");
    let is_missed = |at: usize| {
        open.iter().any(|(open, reached)| {
            let mut weak = open.clone();
            let boundary = weak.boundary.as_mut().expect("a boundary");
            boundary["Statement"].as_array_mut().expect("statements").remove(at);
            reaches(&weak) > *reached
        })
    };
    denials
        .filter(|(at, _)| !is_missed(*at))
        .map(|(_, one)| format!("boundary: {}", one["Sid"].as_str().unwrap_or_default()))
        .collect()
}

fn everything() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
}

/// What no cell can show: denials alone hold the apply role and what it makes; and a stranger's session, in which the
/// boundary denies everything, is none of the attackers (`src/bootstrap/reach.rs` asks for it).
const UNSEEN: [&str; 3] = [
    "apply: a statement that allows everything",
    "boundary: MadeForServices",
    "what apply can make: a statement that allows everything",
];

fn statements(policy: &Value) -> &[Value] {
    policy["Statement"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Somebody else's evaluator decides the same cases, where the request tells enough.
#[test]
fn the_referee_agrees_with_the_matrix() {
    let installed = file(".cache/iam");
    assert!(
        installed.join("node_modules").exists(),
        "the referee of policies is missing\n  fix: run tests/setup once, then the tests again"
    );
    let world = production();
    let mut asked = Vec::new();
    let attackers = attackers(world);
    for ((name, asset), outcomes) in &matrix(world, &attackers) {
        let holder = &attackers.iter().find(|(other, _)| other == name).expect("an attacker").1;
        let told = outcomes.iter().filter(|(_, verdict)| !matches!(verdict, Verdict::Within(_)));
        for (call, verdict) in told {
            let context: BTreeMap<String, String> = world.context(holder, call).into_iter().collect();
            let identity: Vec<&Value> =
                holder.identity.iter().filter(|policy| !statements(policy).is_empty()).collect();
            let case = json!({
                "identity": identity, "boundary": holder.boundary,
                "resource": world.policy_of(call.action, &call.resource), "principal": holder.arn,
                "action": call.action, "on": call.resource, "account": world.account, "context": context,
            });
            asked.push((
                format!("{name}, {asset}: {} on {}", call.action, call.resource),
                case,
                *verdict == Verdict::Allowed,
            ));
        }
    }
    let mut node = Command::new("node")
        .arg(file("tests/iam/simulate.mjs"))
        .arg(&installed)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts; tests/setup says what is missing");
    let mut input = node.stdin.take().expect("an input");
    let text: String = asked.iter().map(|(_, case, _)| format!("{case}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = node.wait_with_output().expect("an answer");
    writer.join().expect("a thread").expect("node reads");
    let answers = String::from_utf8(output.stdout).expect("text");
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), asked.len(), "one answer each");
    let differing =
        asked.iter().zip(answers).filter(|((_, _, allowed), answer)| (*answer == "Allowed") != *allowed);
    let differing: Vec<String> =
        differing.map(|((what, ..), answer)| format!("{what}: the referee says {answer}")).collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Who may take a role on: by name of who asks, role, and whether it is let in.
fn ways_in(world: &World) -> Vec<(&'static str, &'static str, bool)> {
    let github = world.iam("oidc-provider/token.actions.githubusercontent.com");
    let repository = "acme/payments-platform";
    let subject = "repo:acme@1234567/payments-platform@987654321";
    let workflow = |context: &str, file: &str, reference: &str| {
        let key = |name: &str| format!("token.actions.githubusercontent.com:{name}");
        let mut all = Context::default();
        for (name, value) in [
            ("aud", "sts.amazonaws.com".to_owned()),
            ("sub", format!("{subject}:{context}")),
            ("repository_id", "987654321".to_owned()),
            ("job_workflow_ref", format!("{repository}/.github/workflows/{file}@{reference}")),
        ] {
            all = all.with(&key(name), value);
        }
        (Caller::Federated(github.clone()), "sts:AssumeRoleWithWebIdentity", all)
    };
    let (main, branch) = ("refs/heads/main", "refs/heads/feature");
    let tasks = |account: &str| {
        let source = format!("arn:aws:ecs:{}:{account}:cluster/x", world.region);
        let context = Context::default().with("aws:SourceAccount", account).with("aws:SourceArn", source);
        (Caller::Service("ecs-tasks.amazonaws.com".to_owned()), "sts:AssumeRole", context)
    };
    let person = |mfa: &str| {
        let context =
            Context::default().with("aws:MultiFactorAuthPresent", mfa).with("aws:MultiFactorAuthAge", "60");
        (Caller::role(world.iam("role/on-call")), "sts:AssumeRole", context)
    };
    let asking = [
        (
            "Terraform's workflow on the branch, in the environment",
            workflow("environment:prod", "tf-environment.yml", main),
        ),
        (
            "the build's workflow on the branch, in the environment",
            workflow("environment:prod", "ci-build.yml", main),
        ),
        (
            "another workflow on the branch, in the environment",
            workflow("environment:prod", "other.yml", main),
        ),
        (
            "Terraform's workflow of another branch, in the environment",
            workflow("environment:prod", "tf-environment.yml", branch),
        ),
        (
            "Terraform's workflow on the branch, outside the environment",
            workflow("ref:refs/heads/main", "tf-environment.yml", main),
        ),
        ("a pull request", workflow("pull_request", "tf-environment.yml", "refs/pull/7/merge")),
        (
            "a pull request with a workflow of its own",
            workflow("pull_request", "other.yml", "refs/pull/7/merge"),
        ),
        ("a branch", workflow("ref:refs/heads/feature", "tf-environment.yml", branch)),
        ("ECS, for a task of the account", tasks(&world.account)),
        ("ECS, for a task of another account", tasks("999999999999")),
        ("an operator with a second factor", person("true")),
        ("an operator without one", person("false")),
    ];
    let roles = ["prod_plan", "prod_apply", "prod_push", "prod_deploy", "task", "execution", "operator"];
    let mut all = Vec::new();
    for (who, (caller, action, context)) in &asking {
        for role in roles {
            let trust = &world.resources[&format!("aws_iam_role.{role}")]["assume_role_policy"];
            let trust = Policy::read(trust, &Text::from).unwrap_or_else(|fault| panic!("{fault}"));
            let arn = world.role_arn(role);
            let request = Request::new(caller.clone(), *action, arn.as_str(), context.clone());
            // The operators' own account lets them ask.
            let all_of_it =
                json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]});
            let identity = [Policy::read(&all_of_it, &Text::from).expect("a policy")];
            let policies = Policies { identity: &identity, resource: Some(&trust), ..Policies::default() };
            all.push((*who, role, policies.decide(&request) == Decision::Allow));
        }
    }
    all
}

#[test]
fn each_role_is_taken_on_by_those_it_was_made_for() {
    let world = production();
    let let_in: BTreeSet<(&str, &str)> = ways_in(world)
        .into_iter()
        .filter(|(.., allowed)| *allowed)
        .map(|(who, role, _)| (who, role))
        .collect();
    let expected = BTreeSet::from([
        ("Terraform's workflow on the branch, in the environment", "prod_apply"),
        ("the build's workflow on the branch, in the environment", "prod_push"),
        ("the build's workflow on the branch, in the environment", "prod_deploy"),
        ("Terraform's workflow on the branch, outside the environment", "prod_plan"),
        ("a pull request", "prod_plan"),
        ("ECS, for a task of the account", "task"),
        ("ECS, for a task of the account", "execution"),
        ("an operator with a second factor", "operator"),
    ]);
    assert_eq!(let_in, expected);
}

/// In other environments an attacker reaches no more than in production, but for what their files leave unprotected.
#[test]
fn other_environments_hold_as_production_does() {
    const PIPELINE: &str = "\n[github]\nrepository = \"acme/platform\"\n";
    let strict = production();
    let strict = matrix(strict, &attackers(strict));
    let several = parsed("tests/variants/several.toml", |text| format!("{text}{PIPELINE}"));
    // With a boundary of txnr's making, and the pipeline's own roles.
    let everything = parsed("tests/variants/everything.toml", |text| {
        let keep =
            |line: &&str| !line.starts_with("permissions_boundary") && !line.starts_with("pipeline_role");
        text.lines().filter(keep).collect::<Vec<_>>().join("\n")
    });
    let mut faults = Vec::new();
    for config in [several, everything] {
        let world = World::of(&config, &[]);
        let there = attackers_of(&world, config.name.as_str());
        for ((name, asset), outcomes) in &matrix(&world, &there) {
            if matches!(*asset, "keys" | "logs" | "detection") {
                continue;
            }
            let mut reached_here = reached(outcomes);
            // What nothing protects, Terraform may take away.
            reached_here
                .retain(|action| !["dynamodb:DeleteTable", "s3:DeleteObjectVersion"].contains(action));
            let more: Vec<&str> =
                reached_here.difference(&reached(&strict[&(*name, *asset)])).copied().collect();
            if !more.is_empty() {
                faults.push(format!("{}: {name}, {asset}: {}", config.name, more.join(" ")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The roles of an environment by their place in the pipeline.
fn attackers_of(world: &World, environment: &str) -> Vec<(&'static str, Holder)> {
    let roles = [
        ("task", "task".to_owned()),
        ("execution role", "execution".to_owned()),
        ("pull request", format!("{environment}_plan")),
        ("push", format!("{environment}_push")),
        ("deploy", format!("{environment}_deploy")),
        ("apply", format!("{environment}_apply")),
    ];
    let mut all: Vec<(&'static str, Holder)> =
        roles.into_iter().map(|(name, role)| (name, world.holder(&role))).collect();
    let made = world.made_by(&all[5].1);
    all.push(("what apply can make", made));
    all
}

/// The tables of the document are these.
#[test]
fn the_threat_model_is_up_to_date() {
    let stands = read(DOCUMENT);
    let (begin, end) = ("<!-- begin of the tables -->\n", "<!-- end of the tables -->\n");
    let (before, rest) = stands.split_once(begin).expect("where the tables begin");
    let (_, after) = rest.split_once(end).expect("where the tables end");
    let text = format!("{before}{begin}{}{end}{after}", tables());
    if std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always") {
        std::fs::write(file(DOCUMENT), &text).expect(DOCUMENT);
        return;
    }
    assert!(stands == text, "{DOCUMENT} is stale: INSTA_UPDATE=always cargo test --test pci threat");
}

fn tables() -> String {
    let world = production();
    let attackers = attackers(world);
    let matrix = matrix(world, &attackers);
    let names: Vec<&str> = assets(world).into_iter().map(|asset| asset.name).collect();
    let mut text = format!(
        "\n## What each reaches\n\n| attacker | {} |\n| --- |{}\n",
        names.join(" | "),
        " --- |".repeat(names.len())
    );
    for (attacker, _) in &attackers {
        let cells = names.iter().map(|asset| {
            let outcomes = &matrix[&(*attacker, *asset)];
            let reached = reached(outcomes);
            if reached.is_empty() {
                "denied".to_owned()
            } else {
                format!("{} of {} calls", reached.len(), outcomes.len())
            }
        });
        let _ = writeln!(text, "| {attacker} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    text.push_str(
        "\n## What remains, and why\n\n| attacker | asset | calls | why |\n| --- | --- | --- | --- |\n",
    );
    let remains = Remains::read().0;
    for (attacker, _) in &attackers {
        for asset in &names {
            let reached = reached(&matrix[&(*attacker, *asset)]);
            if let Some((_, why)) = remains.get(&((*attacker).to_owned(), (*asset).to_owned())) {
                let calls: Vec<String> = reached.iter().map(|action| format!("`{action}`")).collect();
                let _ = writeln!(text, "| {attacker} | {asset} | {} | {why} |", calls.join(", "));
            }
        }
    }
    text.push_str("\n## Who takes a role on\n\n| who asks | roles |\n| --- | --- |\n");
    let mut by: Vec<(&str, Vec<&str>)> = Vec::new();
    for (who, role, allowed) in ways_in(world) {
        if by.last().is_none_or(|(last, _)| *last != who) {
            by.push((who, Vec::new()));
        }
        if let Some((_, roles)) = by.last_mut().filter(|_| allowed) {
            roles.push(role.strip_prefix("prod_").unwrap_or(role));
        }
    }
    for (who, roles) in by {
        let _ = writeln!(
            text,
            "| {who} | {} |",
            if roles.is_empty() { "none".to_owned() } else { roles.join(", ") }
        );
    }
    text.push_str("\n## What denies the rest\n\n| attacker | by | calls |\n| --- | --- | --- |\n");
    for (attacker, _) in &attackers {
        let mut reasons: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for asset in &names {
            for (call, verdict) in &matrix[&(*attacker, *asset)] {
                if let Verdict::Denied(why) = verdict {
                    reasons.entry(why.trim_end_matches(" denies it")).or_default().insert(call.action);
                }
            }
        }
        for (why, actions) in reasons {
            let actions: Vec<String> = actions.iter().map(|action| format!("`{action}`")).collect();
            let _ = writeln!(text, "| {attacker} | {why} | {} |", actions.join(", "));
        }
    }
    text.push('\n');
    text
}
