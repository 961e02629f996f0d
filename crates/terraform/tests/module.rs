//! What a module checks, the edges it finds, and the JSON it becomes.

#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::{Host, Net, NetId, Policy, Record, disk};
use serde_json::{Value as Json, json};
use terraform::{
    Addressed, Elements, Error, Expr, Locking, Meta, Module, NonEmpty, RequiredProvider, Root, S3Backend,
    Settings, Value, Variable, set, text,
};

/// The parsed document of one stack.
fn document(root: &Root, stack: &str) -> Json {
    let name = format!("{stack}.tf.json");
    let (_, text) = root.render("test").into_iter().find(|(n, _)| *n == name).expect("the stack has a file");
    serde_json::from_str(&text).expect("rendered files are JSON")
}

/// The rendered body of a single `toy_net.main`.
fn net(block: Net) -> Json {
    let mut module = Module::default();
    module.stack("s").add("main", block);
    let root = module.finish().expect("the module is sound");
    document(&root, "s")["resource"]["toy_net"]["main"].clone()
}

#[test]
fn literal_text_is_never_a_template() {
    let body = net(Net {
        label: set("${aws:username} %{if} $${done}"),
        tags: set([("key ${x}", "100% {sure}")]),
        ..Net::default()
    });
    assert_eq!(body["label"], "$${aws:username} %%{if} $$${done}");
    assert_eq!(body["tags"], json!({"key $${x}": "100% {sure}"}));
}

#[test]
fn a_stack_with_nothing_in_it_has_no_file() {
    let mut module = Module::default();
    module.stack("empty");
    module.stack("said").output("answer", "What was asked for.", "yes");
    module.stack("built").add("main", Net::default());
    let files = module.finish().expect("the module is sound").render("test");
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["built.tf.json", "said.tf.json", "terraform.tf.json"]);
}

#[test]
fn references_and_texts_of_parts_are_templates() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let first = stack.add("first", Net::default());
    stack.add("second", Net { label: set(first.label()), ..Net::default() });
    stack.add("third", Net { label: set(text!["a ${b} ", first.id(), "/*"]), ..Net::default() });
    stack.add("fourth", Net { label: set(text!["only", " text"]), ..Net::default() });
    let nets = document(&module.finish().unwrap(), "s")["resource"]["toy_net"].clone();
    assert_eq!(nets["second"]["label"], "${toy_net.first.label}");
    assert_eq!(nets["third"]["label"], "a $${b} ${toy_net.first.id}/*");
    assert_eq!(nets["fourth"]["label"], "only text");
}

#[test]
fn expressions_are_spelled_in_the_native_syntax() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let a = stack.add("a", Net::default());
    let found = a.records().find("type", "say \"${hi}\"\n", "value");
    stack.add("b", Net { label: set(found), ..Net::default() });
    stack.add("c", Net { label: set(a.records().at(1).value()), ..Net::default() });
    let condition = a.label().equals("x").and(a.zones().contains(text!["z-", a.id()]));
    stack.add_with("d", Meta::new().precondition(condition, "Both."), Net::default());
    let nets = document(&module.finish().unwrap(), "s")["resource"]["toy_net"].clone();
    assert_eq!(
        nets["b"]["label"],
        "${one([for item in toy_net.a.records : item.value if item.type == \"say \\\"$${hi}\\\"\\n\"])}"
    );
    assert_eq!(nets["c"]["label"], "${toy_net.a.records[1].value}");
    assert_eq!(
        nets["d"]["lifecycle"]["precondition"],
        json!([{
            "condition": "${(toy_net.a.label == \"x\") && contains(toy_net.a.zones, \"z-${toy_net.a.id}\")}",
            "error_message": "Both."
        }])
    );
}

#[test]
fn a_block_answers_for_the_objects_in_its_attributes() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let records = || Elements::<Record>::itself("records");
    let meta = Meta::new()
        .postcondition(records().none_starts_with("value", "say \"${hi}"), "None.")
        .postcondition(records().count().at_most(1), "One.");
    stack.add_with("a", meta, Net::default());
    let nets = document(&module.finish().unwrap(), "s")["resource"]["toy_net"].clone();
    let conditions = &nets["a"]["lifecycle"]["postcondition"];
    assert_eq!(
        conditions[0]["condition"],
        "${alltrue([for item in self.records : !startswith(item.value, \"say \\\"$${hi}\")])}"
    );
    assert_eq!(conditions[1]["condition"], "${length(self.records) <= 1}");
}

#[test]
fn a_document_is_put_out_as_a_local() {
    let mut module = Module::default();
    let content = Value::Object(vec![("Allow".into(), Value::string("${aws:username}"))]);
    module.stack("s").output("rules", "What is allowed.", Expr::<Policy>::document(content));
    let file = document(&module.finish().unwrap(), "s");
    assert_eq!(file["output"]["rules"]["value"], "${jsonencode(local.rules)}");
    assert_eq!(file["locals"]["rules"], json!({"Allow": "$${aws:username}"}));
}

#[test]
fn a_range_known_only_at_apply_is_divided_by_terraform() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let a = stack.add("a", Net::default());
    stack.add("b", Net { label: set(a.label().cidr_subnet(8, 17)), ..Default::default() });
    let root = module.finish().unwrap();
    assert_eq!(
        document(&root, "s")["resource"]["toy_net"]["b"]["label"],
        "${cidrsubnet(toy_net.a.label, 8, 17)}"
    );
}

#[test]
fn documents_become_locals() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let a = stack.add("a", Net::default());
    let content = Value::Object(vec![
        ("Resource".into(), a.id().into_value()),
        ("Allow".into(), Value::string("${aws:username}")),
    ]);
    stack.add("b", Net { policy: set(Expr::<Policy>::document(content)), ..Net::default() });
    let root = module.finish().unwrap();
    let file = document(&root, "s");
    assert_eq!(file["resource"]["toy_net"]["b"]["policy"], "${jsonencode(local.toy_net_b_policy)}");
    assert_eq!(
        file["locals"]["toy_net_b_policy"],
        json!({"Resource": "${toy_net.a.id}", "Allow": "$${aws:username}"})
    );
    assert_eq!(root.nodes()[1].edges()[0].to, 0, "a reference inside a document is an edge");
}

#[test]
fn edges_follow_references_through_locals_and_depends_on() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let a = stack.add("a", Net::default());
    let name = stack.local("shared", text!["n-", a.label()]);
    let b = stack.add("b", Net { label: set(name), ..Net::default() });
    let host = Host { net: a.id(), disk: NonEmpty::one(disk(1)), secret: None };
    stack.add_with("c", Meta::new().depends_on(&b), host);
    let root = module.finish().unwrap();
    let edges = |i: usize| -> Vec<(Option<&str>, usize, Option<&str>)> {
        root.nodes()[i].edges().iter().map(|e| (e.argument.as_deref(), e.to, e.attribute)).collect()
    };
    assert_eq!(edges(1), [(Some("label"), 0, Some("label"))]);
    assert_eq!(edges(2), [(Some("net"), 0, Some("id")), (None, 1, None)]);
    let body = document(&root, "s")["resource"]["toy_host"]["c"].clone();
    assert_eq!(body, json!({"disk": [{"size": 1}], "net": "${toy_net.a.id}", "depends_on": ["toy_net.b"]}));
}

#[test]
fn meta_arguments_are_plain_names_and_booleans() {
    let mut module = Module::default();
    let mut stack = module.stack("s");
    let a = stack.add("a", Net::default());
    let meta = Meta::new().ignore(Net::LABEL).create_before_destroy().prevent_destroy(true).replace_with(&a);
    stack.add_with("b", meta, Net::default());
    let body = document(&module.finish().unwrap(), "s")["resource"]["toy_net"]["b"].clone();
    assert_eq!(
        body["lifecycle"],
        json!({
            "create_before_destroy": true,
            "ignore_changes": ["label"],
            "prevent_destroy": true,
            "replace_triggered_by": ["toy_net.a"]
        })
    );
}

#[test]
fn numbers_stay_exact() {
    assert_eq!(
        net(Net { size: set(9_007_199_254_740_993_i64), ..Net::default() })["size"].to_string(),
        "9007199254740993"
    );
    assert_eq!(net(Net { size: set(0.5), ..Net::default() })["size"].to_string(), "0.5");
}

fn errors(build: impl FnOnce(&mut Module)) -> Vec<Error> {
    let mut module = Module::default();
    build(&mut module);
    module.finish().map(|_| ()).expect_err("the module is faulty").0
}

#[test]
fn two_blocks_at_one_address_are_an_error() {
    let found = errors(|module| {
        module.stack("one").add("main", Net::default());
        module.stack("two").add("main", Net::default());
    });
    assert_eq!(found, [Error::Duplicate { what: "resource toy_net.main".into() }]);
}

#[test]
fn a_name_must_be_an_identifier() {
    let found = errors(|module| {
        module.stack("s").add("with-hyphen ${x}", Net::default());
        module.stack("t").add("1st", Net::default());
    });
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|e| matches!(e, Error::Name { .. })), "{found:?}");
}

#[test]
fn template_characters_are_refused_where_terraform_is_literal() {
    let settings = Settings {
        required_version: ">= 1.11".into(),
        required_providers: vec![RequiredProvider {
            name: "toy",
            source: "a/b".into(),
            version: "${v}".into(),
        }],
        backend: Some(S3Backend {
            bucket: "b".into(),
            key: "envs/${terraform.workspace}/terraform.tfstate".into(),
            region: "us-east-1".into(),
            kms_key_id: None,
            locking: Locking::Table("%{if}".into()),
        }),
    };
    let mut module = Module::new(settings);
    let _: Expr<terraform::kind::Text> = module.stack("s").variable(Variable {
        name: "v".into(),
        constraint: "string",
        description: String::new(),
        default: Some("${terraform.workspace}".into()),
        sensitive: false,
    });
    let found = module.finish().expect_err("the settings have templates").0;
    let places: Vec<&str> = found
        .iter()
        .map(|e| match e {
            Error::Template { place, .. } => place.as_str(),
            other => panic!("unexpected {other}"),
        })
        .collect();
    assert_eq!(
        places,
        ["required_providers.toy.version", "backend.key", "backend.dynamodb_table", "variable v.default"]
    );
}

#[test]
fn a_reference_to_another_module_is_an_error() {
    let mut other = Module::default();
    other.stack("s").add("zero", Net::default());
    let foreign = other.stack("t").add("main", Net::default());
    let found = errors(|module| {
        let mut stack = module.stack("s");
        stack.add("a", Net::default());
        stack.add("b", Net::default());
        stack.add("c", Net { label: set(foreign.label()), ..Net::default() });
        stack.output("o", "An output.", foreign.label());
    });
    let to = foreign.address().to_string();
    assert_eq!(
        found,
        [
            Error::Foreign { from: "toy_net.c".into(), to: to.clone() },
            Error::Foreign { from: "output.o".into(), to }
        ]
    );
}

#[test]
fn more_nested_blocks_than_the_provider_takes_are_an_error() {
    let found = errors(|module| {
        let disks = NonEmpty::new(disk(1), [disk(2), disk(3)]);
        let host = Host { net: Expr::<NetId>::external("net-1"), disk: disks, secret: None };
        module.stack("s").add("main", host);
    });
    assert_eq!(found, [Error::TooMany { address: "toy_host.main".into(), block: "disk", count: 3, max: 2 }]);
}

#[test]
fn rendering_does_not_depend_on_the_order_of_adding() {
    let build = |names: [&'static str; 3]| {
        let mut module = Module::default();
        let mut stack = module.stack("s");
        for name in names {
            stack.add(name, Net { label: set(name), ..Net::default() });
        }
        module.finish().unwrap().render("test")
    };
    assert_eq!(build(["a", "b", "c"]), build(["c", "a", "b"]));
}

#[test]
fn settings_and_refactoring_blocks_have_their_places() {
    let mut module = Module::new(Settings {
        required_version: ">= 1.11".into(),
        required_providers: vec![RequiredProvider {
            name: "toy",
            source: "example/toy".into(),
            version: "~> 1.0".into(),
        }],
        backend: Some(S3Backend {
            bucket: "state".into(),
            key: "envs/prod/terraform.tfstate".into(),
            region: "us-east-1".into(),
            kms_key_id: Some("arn:aws:kms:us-east-1:111122223333:alias/state".into()),
            locking: Locking::Both("locks".into()),
        }),
    });
    let mut stack = module.stack("s");
    let main = stack.add("main", Net::default());
    stack.moved(terraform::Moved { from: "toy_net.old".into(), to: main.address().clone() });
    stack.removed(terraform::Removed { from: "toy_net.gone".into(), destroy: false });
    stack.import(terraform::Import { to: main.address().clone(), id: "net-${1}".into() });
    stack.check(terraform::Check {
        name: "named".into(),
        asserts: vec![terraform::Condition {
            condition: main.label().equals("x"),
            error_message: "No.".into(),
        }],
    });
    stack.output("id", "The id.", main.id());
    let root = module.finish().unwrap();
    let file = document(&root, "s");
    assert_eq!(file["moved"], json!([{"from": "toy_net.old", "to": "toy_net.main"}]));
    assert_eq!(file["removed"], json!([{"from": "toy_net.gone", "lifecycle": {"destroy": false}}]));
    assert_eq!(file["import"], json!([{"to": "toy_net.main", "id": "net-$${1}"}]));
    assert_eq!(file["check"]["named"]["assert"][0]["condition"], "${toy_net.main.label == \"x\"}");
    assert_eq!(file["output"]["id"], json!({"description": "The id.", "value": "${toy_net.main.id}"}));
    assert_eq!(
        document(&root, "terraform")["terraform"],
        json!({
            "backend": {"s3": {
                "bucket": "state",
                "dynamodb_table": "locks",
                "encrypt": true,
                "key": "envs/prod/terraform.tfstate",
                "kms_key_id": "arn:aws:kms:us-east-1:111122223333:alias/state",
                "region": "us-east-1",
                "use_lockfile": true
            }},
            "required_providers": {"toy": {"source": "example/toy", "version": "~> 1.0"}},
            "required_version": ">= 1.11"
        })
    );
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// What Terraform makes of a string in JSON, if it holds no template: the escapes undone.
    fn terraform_reads(text: &str) -> Option<String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some(at) = rest.find(['$', '%']) {
            let (before, tail) = rest.split_at(at);
            out.push_str(before);
            let marker = &tail[..1];
            if tail.len() >= 3 && tail[1..].starts_with(marker) && tail[2..].starts_with('{') {
                out.push_str(marker);
                out.push('{');
                rest = &tail[3..];
            } else if tail[1..].starts_with('{') {
                return None;
            } else {
                out.push_str(marker);
                rest = &tail[1..];
            }
        }
        out.push_str(rest);
        Some(out)
    }

    proptest! {
        #[test]
        fn any_text_survives(text in "[a${}%\"\\\\\n ]{0,24}") {
            let body = net(Net { label: set(text.clone()), ..Net::default() });
            prop_assert_eq!(terraform_reads(body["label"].as_str().unwrap()), Some(text));
        }
    }
}
