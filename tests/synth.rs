//! What is synthesized: the snapshots that a reviewer reads, and what holds for every environment.

#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]

#[path = "support/environments.rs"]
mod environments;

use std::collections::BTreeMap;
use std::path::Path;

use iam_policy::{Catalog, Policy, Text};
use proptest::prelude::*;
use terraform::{Root, Value};
use txnr::bootstrap::{self, OwnState};
use txnr::check;
use txnr::config::EnvConfig;
use txnr::synth::{comment, synth};

/// The environments of this repository.
fn environments() -> Vec<EnvConfig> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("envs");
    let loaded = check::load_all(&folder).unwrap_or_else(|e| panic!("{e}"));
    loaded.environments.into_iter().map(|e| e.config).collect()
}

fn root(config: &EnvConfig) -> Root {
    synth(config).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn snapshots() {
    for config in environments() {
        for (file, contents) in root(&config).render(&comment(&config)) {
            let stack = file.trim_end_matches(".tf.json");
            insta::with_settings!({
                snapshot_path => "../snapshots",
                prepend_module_to_snapshot => false,
                omit_expression => true,
                description => format!("out/{}/{file}", config.name),
            }, {
                insta::assert_snapshot!(format!("{}-{stack}", config.name), without_digests(&config, contents));
            });
        }
    }
}

/// A deployment changes a digest, and nothing that a snapshot is looked at for.
fn without_digests(config: &EnvConfig, contents: String) -> String {
    let images = config.workloads().filter_map(|workload| Some(workload.service.image.as_ref()?.to_string()));
    images.fold(contents, |contents, image| match image.strip_prefix("sha256:") {
        Some(digest) => contents.replace(digest, "…"),
        None => contents,
    })
}

#[test]
fn bootstrap_snapshots() {
    let environments = environments();
    for account in bootstrap::accounts(&environments).unwrap_or_else(|e| panic!("{e}")) {
        let root = bootstrap::build(&account, OwnState::Local).unwrap_or_else(|e| panic!("{e}"));
        for (file, contents) in root.render(&bootstrap::comment(&account)) {
            let stack = file.trim_end_matches(".tf.json");
            insta::with_settings!({
                snapshot_path => "../snapshots",
                prepend_module_to_snapshot => false,
                omit_expression => true,
                description => format!("bootstrap/{}/{file}", account.name()),
            }, {
                insta::assert_snapshot!(format!("bootstrap-{}-{stack}", account.name()), contents);
            });
        }
    }
}

/// Arguments that hold prose, and whether another text has Terraform replace the resource: AWS has no call that changes it.
/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/security_group#description-1>
/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/iam_policy#description-1>
const PROSE: [(&str, &str, Change); 12] = [
    ("aws_cloudwatch_composite_alarm", "alarm_description", Change::InPlace),
    ("aws_cloudwatch_event_rule", "description", Change::InPlace),
    ("aws_cloudwatch_metric_alarm", "alarm_description", Change::InPlace),
    ("aws_config_config_rule", "description", Change::InPlace),
    ("aws_iam_policy", "description", Change::Replaces),
    ("aws_iam_role", "description", Change::InPlace),
    ("aws_kms_key", "description", Change::InPlace),
    ("aws_secretsmanager_secret", "description", Change::InPlace),
    ("aws_security_group", "description", Change::Replaces),
    ("aws_vpc_security_group_egress_rule", "description", Change::InPlace),
    ("aws_vpc_security_group_ingress_rule", "description", Change::InPlace),
    ("aws_wafv2_web_acl", "description", Change::InPlace),
];

/// What a change of a text does to the resource.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    InPlace,
    Replaces,
}

/// A security group that is replaced leaves its tasks for a while, and a policy its roles: these texts stay as they are. Where
/// one has to change, its snapshot says that the resource is made anew.
#[test]
fn snapshots_of_texts_whose_change_replaces_a_resource() {
    let mut texts = BTreeMap::new();
    let environments = environments();
    let accounts = bootstrap::accounts(&environments).unwrap_or_else(|e| panic!("{e}"));
    let bootstraps = accounts.iter().map(|account| {
        (
            account.name().to_string(),
            bootstrap::build(account, OwnState::Local).unwrap_or_else(|e| panic!("{e}")),
        )
    });
    let roots = environments.iter().map(|config| (config.name.to_string(), root(config)));
    for (name, root) in roots.chain(bootstraps) {
        for (_, contents) in root.render("") {
            let file: serde_json::Value = serde_json::from_str(&contents).expect("it is JSON");
            for (kind, bodies) in file["resource"].as_object().into_iter().flatten() {
                for (label, body) in bodies.as_object().into_iter().flatten() {
                    for (argument, text) in body.as_object().into_iter().flatten() {
                        if !["description", "comment"].iter().any(|prose| argument.contains(prose)) {
                            continue;
                        }
                        let known = PROSE.iter().find(|(k, a, _)| k == kind && a == argument);
                        let (.., change) = known.unwrap_or_else(|| {
                            panic!(
                                "{kind}.{argument} holds prose: say under PROSE whether a change replaces it"
                            )
                        });
                        if *change == Change::Replaces {
                            texts.insert(format!("{name}: {kind}.{label}.{argument}"), text.to_string());
                        }
                    }
                }
            }
        }
    }
    let list: String = texts.iter().map(|(at, text)| format!("{at} = {text}\n")).collect();
    insta::with_settings!({
        snapshot_path => "../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
        description => "texts whose change replaces a resource",
    }, {
        insta::assert_snapshot!("texts-that-replace", list);
    });
}

#[test]
fn synthesis_is_deterministic() {
    for config in environments() {
        assert_eq!(root(&config).render(""), root(&config).render(""));
    }
}

/// The tags that every resource bears.
const TAGS: [&str; 6] = ["Environment", "ManagedBy", "Owner", "Project", "data_classification", "pci_scope"];

#[test]
fn nothing_taggable_goes_without_the_central_tags() {
    for config in environments() {
        let root = root(&config);
        for node in root.nodes().iter().filter(|n| n.taggable()) {
            let alias = node.provider().and_then(|p| p.strip_prefix("aws."));
            let (_, body) = root
                .providers("aws")
                .find(|(name, _)| *name == alias)
                .unwrap_or_else(|| panic!("{} uses a provider that is not configured", node.address()));
            let tags = body.iter().find(|(key, _)| key == "default_tags").map(|(_, value)| value);
            let tags =
                tags.and_then(Value::as_list).and_then(|blocks| blocks.first()).and_then(|b| b.get("tags"));
            for tag in TAGS {
                let value = tags.and_then(|t| t.get(tag)).and_then(Value::as_str).unwrap_or_default();
                assert!(!value.is_empty(), "{} goes without the tag {tag}", node.address());
            }
        }
    }
}

/// The environments of this repository and the variants, each with a repository on GitHub, so that every role is made.
fn all_with_roles() -> Vec<EnvConfig> {
    let mut all = Vec::new();
    for folder in ["envs", "tests/variants"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let mut text = std::fs::read_to_string(&path).expect("a file");
            if !text.contains("\n[github]\n") {
                text.push_str("\n[github]\nrepository = \"acme/platform\"\n");
            }
            all.push(check::parse(&path, &text).unwrap_or_else(|e| panic!("{e}")).0);
        }
    }
    all
}

/// Every document with statements in a file, with its place.
fn policies<'v>(value: &'v serde_json::Value, at: &str, found: &mut Vec<(String, &'v serde_json::Value)>) {
    match value {
        serde_json::Value::Object(all) => {
            // Data protection policies of log groups have statements of another kind.
            if all.get("Statement").is_some_and(|list| list[0].get("Effect").is_some()) {
                found.push((at.to_owned(), value));
            }
            all.iter().for_each(|(key, one)| policies(one, &format!("{at}.{key}"), found));
        }
        serde_json::Value::Array(all) => all.iter().for_each(|one| policies(one, at, found)),
        _ => {}
    }
}

/// Held to AWS's own list, as recorded: a name that AWS does not know allows nothing, and denies nothing.
#[test]
fn what_policies_name_exists() {
    let mut faults = std::collections::BTreeSet::new();
    let mut seen = 0;
    for config in all_with_roles() {
        let account = bootstrap::accounts([&config]).unwrap_or_else(|e| panic!("{e}")).remove(0);
        let bootstrap = bootstrap::build(&account, OwnState::Local).unwrap_or_else(|e| panic!("{e}"));
        for (file, text) in root(&config).render("").into_iter().chain(bootstrap.render("")) {
            let file_content: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let mut found = Vec::new();
            policies(&file_content, "", &mut found);
            for (at, document) in found {
                seen += 1;
                let policy =
                    Policy::read(document, &Text::terraform).unwrap_or_else(|e| panic!("{file}{at}: {e}"));
                let told = Catalog::recorded().faults(&policy).into_iter();
                faults.extend(told.map(|fault| format!("{file}{at}: {fault}")));
            }
        }
    }
    assert!(seen > 500, "{seen} policies");
    let faults: Vec<String> = faults.into_iter().collect();
    assert!(faults.is_empty(), "{} names that AWS does not know:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn no_arn_is_of_another_partition() {
    for (region, partition) in [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("envs/prod.toml");
        let text = std::fs::read_to_string(&path).unwrap().replace("us-east-1", region);
        let (config, _) = check::parse(&path, &text).unwrap_or_else(|e| panic!("{e}"));
        for (file, contents) in root(&config).render("") {
            for (line, text) in contents.lines().enumerate() {
                for (at, _) in text.match_indices("arn:") {
                    assert!(
                        text[at..].starts_with(&format!("arn:{partition}:")),
                        "{file}:{}: an ARN of another partition than {partition}:\n{text}",
                        line + 1
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_valid_environment_is_synthesized(text in environments::valid()) {
        let parsed = check::parse(Path::new("any.toml"), &text);
        let (config, _) = parsed.map_err(|report| TestCaseError::fail(format!("{report}")))?;
        let root = synth(&config).map_err(|errors| TestCaseError::fail(format!("{errors}")))?;
        for (file, contents) in root.render("a comment") {
            let parsed = serde_json::from_str::<serde_json::Value>(&contents);
            prop_assert!(parsed.as_ref().is_ok_and(serde_json::Value::is_object), "{}: {:?}", file, parsed);
            let twice = told_apart_by_nothing(&parsed.unwrap_or_default());
            prop_assert!(twice.is_empty(), "{}: {:?}", file, twice);
        }
        prop_assert!(!root.nodes().is_empty());
    }
}

/// What AWS tells two resources of a type apart by, in one region; and the most characters that the first of it may have.
const UNIQUE: [(&str, &[&str], usize); 16] = [
    ("aws_cloudwatch_composite_alarm", &["alarm_name"], 255),
    ("aws_cloudwatch_event_rule", &["name"], 64),
    ("aws_cloudwatch_log_group", &["name"], 512),
    ("aws_cloudwatch_metric_alarm", &["alarm_name"], 255),
    ("aws_ecr_repository", &["name"], 256),
    ("aws_ecs_service", &["name"], 255),
    ("aws_ecs_task_definition", &["family"], 255),
    ("aws_iam_role", &["name"], 64),
    ("aws_kinesis_firehose_delivery_stream", &["name"], 64),
    ("aws_lb_listener_rule", &["listener_arn", "priority"], usize::MAX),
    ("aws_lb_target_group", &["name"], 32),
    ("aws_network_acl_rule", &["network_acl_id", "egress", "rule_number"], usize::MAX),
    ("aws_route53_record", &["name", "type", "set_identifier"], 255),
    ("aws_security_group", &["name"], 255),
    ("aws_vpc_security_group_egress_rule", &RULE, usize::MAX),
    ("aws_vpc_security_group_ingress_rule", &RULE, usize::MAX),
];

const RULE: [&str; 8] = [
    "security_group_id",
    "ip_protocol",
    "from_port",
    "to_port",
    "cidr_ipv4",
    "cidr_ipv6",
    "prefix_list_id",
    "referenced_security_group_id",
];

/// The resources of a file that AWS would take for one, or whose name it would not take.
fn told_apart_by_nothing(file: &serde_json::Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (kind, keys, longest) in UNIQUE {
        let mut seen = BTreeMap::new();
        for (name, body) in file["resource"][kind].as_object().into_iter().flatten() {
            let by = || keys.iter().chain(&["provider"]).map(|key| body[key].to_string()).collect::<Vec<_>>();
            if body[keys[0]].is_null() || !body["for_each"].is_null() {
                continue;
            }
            if let Some(other) = seen.insert(by(), name) {
                wrong.push(format!("{kind}: {name} is {other}"));
            }
            let length = body[keys[0]].as_str().map_or(0, |text| text.chars().count());
            if length > longest {
                wrong.push(format!("{kind}.{name} has a name of {length} characters"));
            }
        }
    }
    wrong
}
