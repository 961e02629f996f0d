//! The proof on the real Terraform: for each environment the generated root module is validated, planned,
//! looked at by checkov, applied to a local AWS, planned again without a change, questioned through the API
//! of AWS, and destroyed. `tests/variants` holds further environments, which exercise every option together:
//! each of them is validated, and so is a sample of generated ones; two live a whole life.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/checkov.rs"]
mod checkov;
#[path = "support/environments.rs"]
mod environments;
#[path = "terraform/lives.rs"]
mod lives;
#[path = "terraform/operate.rs"]
mod operate;
#[path = "terraform/permissions.rs"]
mod permissions;
#[path = "terraform/restore.rs"]
mod restore;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use test_kit::local_aws::LocalAws;
use test_kit::overrides::{self, Backend};
use test_kit::terraform::Terraform;
use test_kit::{python, repository};

#[test]
fn dev_applies_plans_clean_and_is_destroyed() {
    prove("envs", "dev");
}

#[test]
fn stage_applies_plans_clean_and_refuses_to_be_destroyed() {
    prove("envs", "stage");
}

#[test]
fn prod_applies_plans_clean_and_refuses_to_be_destroyed() {
    prove("envs", "prod");
}

#[test]
fn everything_on_applies_plans_clean_and_is_destroyed() {
    prove(VARIANTS, "everything");
}

#[test]
fn next_to_nothing_applies_plans_clean_and_is_destroyed() {
    prove(VARIANTS, "bare");
}

#[test]
fn postgresql_applies_plans_clean_and_is_destroyed() {
    prove(VARIANTS, "postgres");
}

/// What exists already comes from a module of its own, `tests/landing-zone`, whose plan has to stay clean when the platform
/// has come and gone.
#[test]
fn what_exists_already_is_used_and_left_as_it_was() {
    let scratch = tempfile::tempdir().unwrap();
    let aws = LocalAws::start(&Environment::read(VARIANTS, "moved").account);
    let landing = scratch.path().join("landing-zone");
    fs::create_dir(&landing).unwrap();
    fs::copy(repository("tests/landing-zone/main.tf.json"), landing.join("main.tf.json")).unwrap();
    overrides::write(&landing, &Backend::Local);
    let owner = Terraform::new(&landing, &aws).owned_by("landing-zone");
    owner.init();
    owner.plan();
    owner.apply_plan();
    owner.plan().assert_clean();

    let folder = scratch.path().join("envs");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("moved.toml"), with_real_ids(&owner)).unwrap();
    let environment = Environment::read_in(folder, "moved");
    a_vpc_that_is_not_as_stated_is_refused(&environment, &aws, &owner);
    live(&environment, &aws);
    owner.plan().assert_clean();
}

/// The variant with the ids that its landing zone got.
fn with_real_ids(owner: &Terraform<'_>) -> String {
    let output = owner.command(["output", "-json"]).output().unwrap();
    let outputs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut text = fs::read_to_string(repository(VARIANTS).join("moved.toml")).unwrap();
    let subnets = ["public_a", "public_b", "private_a", "private_b", "data_a", "data_b"];
    let subnets = subnets.iter().enumerate();
    let mut stands_for: Vec<(String, &str)> =
        subnets.map(|(at, name)| (format!("subnet-0123456789abcdef{}", at + 1), *name)).collect();
    let id = "f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e6f";
    stands_for.push(("vpc-0123456789abcdef0".to_owned(), "vpc"));
    stands_for.push((format!("arn:aws:kms:eu-west-1:141414141414:key/0{id}"), "key_data"));
    stands_for.push((format!("arn:aws:kms:eu-west-1:141414141414:key/1{id}"), "key_logs"));
    stands_for.push((format!("arn:aws:acm:eu-west-1:141414141414:certificate/0{id}"), "certificate"));
    for (placeholder, name) in stands_for {
        assert!(text.contains(&placeholder), "the variant names no {placeholder}");
        text = text.replace(&placeholder, outputs[name]["value"].as_str().unwrap());
    }
    text
}

/// A private subnet that gives out public addresses fails the plan, and what it says names the key of the file.
fn a_vpc_that_is_not_as_stated_is_refused(environment: &Environment, aws: &LocalAws, owner: &Terraform<'_>) {
    let scratch = tempfile::tempdir().unwrap();
    let root = environment.ready(aws, scratch.path());
    let terraform = Terraform::new(&root, aws);
    terraform.init();
    let subnet = data_sources(&root, "aws_subnet")
        .into_iter()
        .find(|subnet| subnet["lifecycle"].to_string().contains("network.existing.private"));
    let subnet = subnet.expect("a private subnet")["id"].clone();
    let give_out = |on: bool| {
        let setting = json!({"SubnetId": subnet, "MapPublicIpOnLaunch": {"Value": on}});
        aws.ask(&environment.region, "ec2", "modify_subnet_attribute", setting);
    };
    give_out(true);
    // A newer certificate of the name would be the one to take.
    let acm = |operation: &str, asked: Value| aws.ask(&environment.region, "acm", operation, asked);
    let newer =
        acm("request_certificate", json!({"DomainName": "*.moved.example.com", "ValidationMethod": "DNS"}));
    let refused = terraform.command(["plan", "-input=false"]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("network.existing.private, zone"), "{told}");
    assert!(told.contains("gives out public addresses"), "{told}");
    assert!(told.contains("certificate.arn: the newest certificate for *.moved.example.com"), "{told}");
    acm("delete_certificate", json!({"CertificateArn": newer["CertificateArn"]}));
    give_out(false);
    owner.plan().assert_clean();
}

#[test]
fn every_variant_is_valid() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = repository(VARIANTS);
    validate(&synthesize(&folder, ["--all"], scratch.path()));
}

#[test]
fn every_variant_has_a_valid_bootstrap() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = repository(VARIANTS);
    validate(&txnr("bootstrap", &folder, ["--all"], &scratch.path().join("file")));
    let moved = ["--all", "--own-state", "bucket"];
    validate(&txnr("bootstrap", &folder, moved, &scratch.path().join("bucket")));
}

/// As the README walks through it: applied with a file as state, moved into the bucket that it made, and back to be
/// destroyed. The environment is deployed by a pipeline, so that every role is made that there can be.
#[test]
fn bootstrap_applies_plans_clean_moves_into_its_bucket_and_is_destroyed() {
    let environment = Environment::read("envs", "dev");
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("envs");
    fs::create_dir(&folder).unwrap();
    let text = fs::read_to_string(environment.folder.join("dev.toml")).unwrap();
    let text = format!("{text}\n[service.deployment]\nstrategy = \"blue-green\"\n");
    fs::write(folder.join("dev.toml"), text).unwrap();
    let aws = LocalAws::start(&environment.account);
    let write = |place| {
        let which = ["--env", "dev", "--own-state", place];
        txnr("bootstrap", &folder, which, &scratch.path().join("bootstrap")).remove(0)
    };
    let root = write("file");
    overrides::write(&root, &Backend::Local);
    let terraform = Terraform::new(&root, &aws);
    terraform.init();
    terraform.validate();
    let plan = terraform.plan();
    checkov::check(&plan.file).settle("bootstrap");
    terraform.apply_plan();
    terraform.plan().assert_clean();
    let roles = aws.ask(&environment.region, "iam", "list_roles", json!({"PathPrefix": "/bootstrap/"}));
    let mut names: Vec<&str> =
        roles["Roles"].as_array().unwrap().iter().filter_map(|role| role["RoleName"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["apply", "deploy", "plan", "push"].map(|name| format!("txn-reconcile-dev-{name}")));

    write("bucket");
    overrides::write(&root, &Backend::S3(&aws));
    terraform.migrate();
    terraform.plan().assert_clean();
    let backend = &overrides::terraform_block(&root)["backend"]["s3"];
    let state = json!({"Bucket": backend["bucket"], "Key": backend["key"]});
    assert_eq!(aws.ask(&environment.region, "s3", "head_object", state)["ServerSideEncryption"], "aws:kms");

    write("file");
    overrides::write(&root, &Backend::Local);
    terraform.migrate();
    terraform.destroy();
    assert_eq!(terraform.state(), Vec::<String>::new(), "what destroy left behind");
    assert_eq!(aws.gaps(), Vec::<String>::new(), "calls that the local AWS does not implement");
}

/// A blue/green deployment without a test listener, which no environment that is applied has.
#[test]
fn generated_files_pass_checkov_without_a_plan() {
    let scratch = tempfile::tempdir().unwrap();
    let roots = synthesize(&repository(VARIANTS), ["--env", "wide"], scratch.path());
    checkov::check_files(&roots[0]).settle("wide");
}

/// The same ones every time; `tests/synth.rs` looks at many more, without Terraform.
#[test]
fn generated_environments_are_valid() {
    let scratch = tempfile::tempdir().unwrap();
    let samples = std::env::var("TXNR_SAMPLES").map_or(SAMPLES, |samples| samples.parse().expect("a number"));
    let mut runner = TestRunner::deterministic();
    let environments = environments::valid();
    let roots = (0..samples).flat_map(|sample| {
        // A folder of its own: environments beside one another may not have the same account, range or name.
        let folder = scratch.path().join(format!("envs-{sample}"));
        fs::create_dir(&folder).unwrap();
        let text = environments.new_tree(&mut runner).unwrap().current();
        fs::write(folder.join(format!("s{sample}.toml")), text).unwrap();
        synthesize(&folder, ["--all"], &scratch.path().join(format!("out-{sample}")))
    });
    let roots: Vec<PathBuf> = roots.collect();
    assert_eq!(roots.len(), samples, "{roots:?}");
    validate(&roots);
}

#[test]
fn of_two_applies_at_once_the_second_is_told_of_the_lock() {
    let environment = Environment::read("envs", "dev");
    let scratch = tempfile::tempdir().unwrap();
    let generated = overrides::terraform_block(&environment.synthesize(scratch.path()));
    let root = scratch.path().join("backend");
    fs::create_dir(&root).unwrap();
    let small = json!({"terraform": generated, "resource": {"terraform_data": {"work": {"input": "done"}}}});
    fs::write(root.join("main.tf.json"), small.to_string()).unwrap();
    let aws = LocalAws::start(&environment.account);
    let state = environment.bootstrap(&aws, &scratch.path().join("bootstrap"), &generated["backend"]["s3"]);
    overrides::write(&root, &Backend::S3(&aws));
    let terraform = Terraform::new(&root, &aws);
    terraform.init();

    // The first one holds the lock while it waits for its plan to be approved.
    let mut first =
        terraform.command(["apply"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    wait_for(first.stdout.as_mut().unwrap(), "Enter a value:");
    let second = terraform.command(["apply", "-input=false", "-auto-approve"]).output().unwrap();
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && told.contains("Error acquiring the state lock"), "{told}");
    first.stdin.take().unwrap().write_all(b"yes\n").unwrap();
    assert!(first.wait_with_output().unwrap().status.success());

    terraform.plan().assert_clean();
    assert_eq!(aws.ask(&environment.region, "s3", "head_object", state)["ServerSideEncryption"], "aws:kms");
    permissions::hold_state(&environment, &aws, &root);
}

#[test]
fn the_local_aws_needs_every_one_of_its_patches() {
    let selfcheck = repository("tests/local-aws/selfcheck.py");
    let output = Command::new(python("local-aws")).arg(selfcheck).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Reads until a text appears.
fn wait_for(output: &mut impl Read, text: &str) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(text.as_bytes()) {
        output.read_exact(&mut byte).expect("the command goes on until then");
        seen.push(byte[0]);
    }
}

/// The environments that exist for the tests alone.
const VARIANTS: &str = "tests/variants";
/// How many generated environments Terraform looks at.
const SAMPLES: usize = 4;

/// Synthesizes environments of a folder; the directories of the root modules, sorted.
fn synthesize<const N: usize>(envs: &Path, which: [&str; N], out: &Path) -> Vec<PathBuf> {
    txnr("synth", envs, which, out)
}

/// Runs a command on environments of a folder; the directories of the root modules that it wrote, sorted.
fn txnr<const N: usize>(command: &str, envs: &Path, which: [&str; N], out: &Path) -> Vec<PathBuf> {
    let output = Command::new(env!("CARGO_BIN_EXE_txnr"))
        .arg(command)
        .args(which)
        .arg("--envs")
        .arg(envs)
        .arg("--out")
        .arg(out)
        .output()
        .unwrap();
    assert!(output.status.success(), "txnr {command}: {}", String::from_utf8_lossy(&output.stderr));
    let entries = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path());
    let mut roots: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    roots.sort();
    roots
}

/// Lets Terraform check root modules, one after the other since the tests run side by side already. Panics with
/// all that it says of any of them, warnings as well.
fn validate(roots: &[PathBuf]) {
    let said: Vec<String> = roots.iter().flat_map(|root| validate_one(root)).collect();
    assert!(said.is_empty(), "terraform validate:\n{}", said.join("\n"));
}

fn validate_one(root: &Path) -> Vec<String> {
    let terraform = Terraform::offline(root);
    terraform.init_without_backend();
    let name = root.file_name().unwrap().to_string_lossy();
    terraform.diagnostics().into_iter().map(|line| format!("{name}: {line}")).collect()
}

/// Takes an environment through its whole life.
fn prove(folder: &str, name: &str) {
    let environment = Environment::read(folder, name);
    let aws = LocalAws::start(&environment.account);
    live(&environment, &aws);
}

/// The life of an environment in a local AWS.
fn live(environment: &Environment, aws: &LocalAws) {
    let scratch = tempfile::tempdir().unwrap();
    let root = environment.ready(aws, scratch.path());
    let terraform = Terraform::new(&root, aws);

    terraform.init();
    terraform.validate();
    let plan = terraform.plan();
    checkov::check(&plan.file).settle(&environment.name);
    environment.controls_are_met_as_generated("--plan", &plan.file);
    terraform.apply_plan();
    terraform.plan().assert_clean();
    let state = terraform.command(["show", "-json"]).output().unwrap();
    let file = root.join("state.json");
    fs::write(&file, &state.stdout).unwrap();
    environment.controls_are_met_as_generated("--state", &file);
    fs::remove_file(&file).unwrap();

    let platform = Platform { aws, region: &environment.region };
    platform.load_balancer_listens_on_https_only(environment.redirects);
    platform.cluster_and_services_are_up(environment.running);
    platform.requests_are_told_apart(&environment.services);
    platform.repository_is_immutable_and_scanned();
    platform.tasks_admit_the_load_balancer_alone();
    platform.secrets_are_drawn_and_written_nowhere(&root);
    platform.alarms_and_events_have_an_encrypted_topic();
    if environment.watches {
        platform.account_is_watched();
    }

    if environment.protected {
        terraform.destroy_refused();
    } else {
        terraform.destroy();
        assert_eq!(terraform.state(), Vec::<String>::new(), "what destroy left behind");
    }
    assert_eq!(aws.gaps(), Vec::<String>::new(), "calls that the local AWS does not implement");
    // Without a pipeline the roles of the environment bear no boundary, which the role that applies would insist on.
    if environment.has_pipeline {
        permissions::hold(environment, aws, &root);
    }
}

/// What the proof has to know of an environment, from its file.
struct Environment {
    folder: PathBuf,
    name: String,
    account: String,
    region: String,
    /// Whether a pipeline of its own applies it, with roles and a boundary that are made for it.
    has_pipeline: bool,
    /// Whether load balancer, tables and locked buckets refuse to be destroyed.
    protected: bool,
    /// Whether port 80 answers with a redirect.
    redirects: bool,
    /// The services beside the main one.
    services: Vec<String>,
    /// How many services have an image, and run.
    running: usize,
    /// Whether the account's baseline is this environment's.
    watches: bool,
}

impl Environment {
    /// Terraform changes no verdict: what it plans, and what it has made, is judged as what was generated.
    fn controls_are_met_as_generated(&self, basis: &str, file: &Path) {
        let arguments = ["check", "--format", "json", "--env", &self.name, basis];
        let mut command = Command::new(env!("CARGO_BIN_EXE_txnr"));
        let output = command.args(arguments).arg(file).arg("--envs").arg(&self.folder).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let verdicts = report["verdicts"].as_array().unwrap();
        assert!(verdicts.len() > 100, "{} verdicts", verdicts.len());
        let otherwise: Vec<&Value> =
            verdicts.iter().filter(|verdict| verdict["verdict"] != verdict["generated"]).collect();
        let differences = String::from_utf8_lossy(&output.stderr);
        assert!(otherwise.is_empty(), "{basis}: {otherwise:#?}\n{differences}");
    }

    fn read(folder: &str, name: &str) -> Self {
        Self::read_in(repository(folder), name)
    }

    fn read_in(folder: PathBuf, name: &str) -> Self {
        let path = folder.join(name).with_extension("toml");
        let document: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
        let text = |key: &str| document[key].as_str().unwrap_or_else(|| panic!("{key} in {name}")).to_owned();
        let setting = |section: &str, key: &str| document.get(section)?.get(key);
        let further = document.get("services").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let all = document.get("service").into_iter().chain(further.values());
        Self {
            name: name.to_owned(),
            account: text("account_id"),
            region: text("region"),
            has_pipeline: document.contains_key("github"),
            protected: document.get("protection").and_then(toml::Value::as_bool).unwrap_or(true),
            running: all.filter(|service| service.get("image").is_some()).count(),
            services: further.keys().cloned().collect(),
            redirects: setting("alb", "http_redirect").and_then(toml::Value::as_bool).unwrap_or(true),
            watches: setting("account", "baseline").and_then(toml::Value::as_bool).unwrap_or(true),
            folder,
        }
    }

    /// Runs the command; the directory of the root module that it wrote.
    fn synthesize(&self, scratch: &Path) -> PathBuf {
        synthesize(&self.folder, ["--env", &self.name], scratch).remove(0)
    }

    /// The directory of the root module, which can be applied to the local AWS.
    fn ready(&self, aws: &LocalAws, scratch: &Path) -> PathBuf {
        let root = self.synthesize(scratch);
        overrides::write(&root, &Backend::Local);
        self.prepare(aws, &root);
        root
    }

    /// Makes what has to be there before the first `init`; where the state will be.
    fn bootstrap(&self, aws: &LocalAws, out: &Path, backend: &Value) -> Value {
        let root = txnr("bootstrap", &self.folder, ["--env", &self.name], out).remove(0);
        overrides::write(&root, &Backend::Local);
        let terraform = Terraform::new(&root, aws).owned_by("administrator");
        terraform.init();
        terraform.plan();
        terraform.apply_plan();
        json!({"Bucket": backend["bucket"], "Key": backend["key"]})
    }

    /// Makes what the root module looks up and does not make itself.
    fn prepare(&self, aws: &LocalAws, root: &Path) {
        for zone in data_sources(root, "aws_route53_zone") {
            let name = zone["name"].as_str().expect("the hosted zone is looked up by its name");
            let zones =
                aws.ask(&self.region, "route53", "list_hosted_zones", json!({}))["HostedZones"].take();
            let there = |zone: &Value| zone["Name"] == format!("{name}.");
            if !zones.as_array().is_some_and(|zones| zones.iter().any(there)) {
                let zone = json!({"Name": name, "CallerReference": name});
                aws.ask(&self.region, "route53", "create_hosted_zone", zone);
            }
        }
    }
}

/// The data sources of a type in a root module.
fn data_sources(root: &Path, kind: &str) -> Vec<Value> {
    let pointer = format!("/data/{kind}");
    let files = overrides::generated(root);
    let of_kind = files.iter().filter_map(|file| file.pointer(&pointer)?.as_object());
    of_kind.flat_map(|named| named.values().cloned()).collect()
}

/// The applied platform, as AWS's own API tells of it.
struct Platform<'a> {
    aws: &'a LocalAws,
    region: &'a str,
}

impl Platform<'_> {
    fn ask(&self, service: &str, operation: &str, parameters: Value) -> Value {
        self.aws.ask(self.region, service, operation, parameters)
    }

    /// Asks, and takes the list at `key` of the answer; it has to hold something.
    fn list(&self, service: &str, operation: &str, parameters: Value, key: &str) -> Vec<Value> {
        let list = self.ask(service, operation, parameters)[key].as_array().cloned().unwrap_or_default();
        assert!(!list.is_empty(), "{service} {operation} lists no {key}");
        list
    }

    fn load_balancer(&self) -> Value {
        let mut all = self.list("elbv2", "describe_load_balancers", json!({}), "LoadBalancers");
        assert_eq!(all.len(), 1, "load balancers: {all:?}");
        all.remove(0)
    }

    fn services(&self) -> Vec<Value> {
        let clusters = self.list("ecs", "list_clusters", json!({}), "clusterArns");
        let services =
            self.ask("ecs", "list_services", json!({"cluster": clusters[0]}))["serviceArns"].take();
        if services.as_array().is_some_and(Vec::is_empty) {
            return Vec::new();
        }
        let which = json!({"cluster": clusters[0], "services": services});
        self.list("ecs", "describe_services", which, "services")
    }

    fn load_balancer_listens_on_https_only(&self, redirects: bool) {
        let balancer = self.load_balancer();
        assert_eq!(balancer["Scheme"], "internet-facing");
        let which = json!({"LoadBalancerArn": balancer["LoadBalancerArn"]});
        let listeners = self.list("elbv2", "describe_listeners", which, "Listeners");
        let is_redirect = |listener: &&Value| {
            listener["DefaultActions"].as_array().is_some_and(|actions| {
                actions.iter().all(|action| action["RedirectConfig"]["Protocol"] == "HTTPS")
            })
        };
        let (redirecting, serving): (Vec<&Value>, Vec<&Value>) = listeners.iter().partition(is_redirect);
        assert!(!serving.is_empty(), "no listener serves: {listeners:?}");
        for listener in serving {
            assert_eq!(listener["Protocol"], "HTTPS", "{listener}");
            assert!(
                listener["SslPolicy"].as_str().is_some_and(|policy| policy.contains("TLS13")),
                "{listener}"
            );
        }
        assert_eq!(redirecting.is_empty(), !redirects, "{listeners:?}");
        for listener in redirecting {
            assert_eq!(
                (&listener["Protocol"], &listener["Port"]),
                (&json!("HTTP"), &json!(80)),
                "{listener}"
            );
        }
    }

    fn cluster_and_services_are_up(&self, running: usize) {
        let clusters = self.list("ecs", "list_clusters", json!({}), "clusterArns");
        for cluster in self.list("ecs", "describe_clusters", json!({"clusters": clusters}), "clusters") {
            assert_eq!(cluster["status"], "ACTIVE");
        }
        let services = self.services();
        assert_eq!(services.len(), running, "{services:?}");
        let group = |service: &Value| {
            service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"].to_string()
        };
        let groups: BTreeSet<String> = services.iter().map(group).collect();
        assert_eq!(groups.len(), services.len(), "services share a security group: {groups:?}");
        for service in services {
            assert_eq!(service["status"], "ACTIVE");
            assert_eq!(service["runningCount"], service["desiredCount"]);
            assert_ne!(service["desiredCount"], 0, "{service}");
            assert_eq!(service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"], "DISABLED");
        }
    }

    /// Each service beside the main one has a rule of the listener, which leads to where its tasks register; the rest goes
    /// to the main service.
    fn requests_are_told_apart(&self, further: &[String]) {
        let which = json!({"LoadBalancerArn": self.load_balancer()["LoadBalancerArn"]});
        let listeners = self.list("elbv2", "describe_listeners", which, "Listeners");
        let https = listeners.iter().find(|listener| listener["Port"] == 443).expect("a listener");
        let which = json!({"ListenerArn": https["ListenerArn"]});
        let rules = self.list("elbv2", "describe_rules", which, "Rules");
        let leads = |rule: &Value| rule["Actions"][0]["TargetGroupArn"].as_str().map(str::to_owned);
        let (default, others): (Vec<&Value>, Vec<&Value>) =
            rules.iter().partition(|rule| rule["IsDefault"] == true);
        assert_eq!((default.len(), others.len()), (1, further.len()), "{rules:?}");
        let priorities: BTreeSet<String> = others.iter().map(|rule| rule["Priority"].to_string()).collect();
        assert_eq!(priorities.len(), further.len(), "{priorities:?}");
        for service in self.services() {
            let name = service["serviceName"].as_str().expect("a name").to_owned();
            let group = service["loadBalancers"][0]["targetGroupArn"].as_str().map(str::to_owned);
            let of = |rules: &[&Value]| rules.iter().filter(|rule| leads(rule) == group).count();
            let expected = if further.contains(&name) { (0, 1) } else { (1, 0) };
            assert_eq!((of(&default), of(&others)), expected, "{name}: {rules:?}");
        }
    }

    fn repository_is_immutable_and_scanned(&self) {
        for repository in self.list("ecr", "describe_repositories", json!({}), "repositories") {
            assert_eq!(repository["imageTagMutability"], "IMMUTABLE");
            assert_eq!(repository["imageScanningConfiguration"]["scanOnPush"], true);
        }
    }

    /// Their values are there, and in no file that Terraform leaves: neither in the state nor in the plan.
    fn secrets_are_drawn_and_written_nowhere(&self, root: &Path) {
        let state = fs::read_to_string(root.join("terraform.tfstate")).unwrap();
        assert!(state.contains("aws_secretsmanager_secret_version"), "the state knows of no secret");
        let mut values = Vec::new();
        for secret in self.list("secretsmanager", "list_secrets", json!({}), "SecretList") {
            // RDS keeps the master user's, which the local AWS makes up.
            if secret["OwningService"] == "rds" {
                continue;
            }
            let which = json!({"SecretId": secret["ARN"]});
            let value = self.ask("secretsmanager", "get_secret_value", which)["SecretString"].clone();
            values.push(value.as_str().expect("a secret has a value").to_owned());
        }
        assert!(values.len() >= 2 && values.iter().all(|value| value.len() == 64), "{}", values.len());
        assert!(values[0] != values[1], "two secrets are one");
        for file in ["terraform.tfstate", "plan.json"] {
            let text = fs::read_to_string(root.join(file)).unwrap();
            assert!(!values.iter().any(|value| text.contains(value)), "{file} holds a secret");
        }
    }

    /// Every alarm acts on a topic of ours, and every rule leads to one.
    fn alarms_and_events_have_an_encrypted_topic(&self) {
        let topics = self.list("sns", "list_topics", json!({}), "Topics");
        let topics: Vec<&Value> = topics.iter().map(|topic| &topic["TopicArn"]).collect();
        for topic in &topics {
            let attributes =
                &self.ask("sns", "get_topic_attributes", json!({"TopicArn": topic}))["Attributes"];
            assert!(attributes["KmsMasterKeyId"].is_string(), "{attributes}");
        }
        let alarms = self.list("cloudwatch", "describe_alarms", json!({}), "MetricAlarms");
        // Autoscaling has alarms of its own.
        let ours = |alarm: &&Value| {
            alarm["AlarmDescription"].as_str().is_some_and(|text| text.contains("Runbook: "))
        };
        let alarms: Vec<&Value> = alarms.iter().filter(ours).collect();
        assert!(alarms.len() > 20, "{} alarms", alarms.len());
        for alarm in alarms {
            let actions = alarm["AlarmActions"].as_array().cloned().unwrap_or_default();
            assert!(!actions.is_empty() && actions.iter().all(|action| topics.contains(&action)), "{alarm}");
        }
        for rule in self.list("events", "list_rules", json!({}), "Rules") {
            let targets =
                self.list("events", "list_targets_by_rule", json!({"Rule": rule["Name"]}), "Targets");
            assert!(targets.iter().all(|target| topics.contains(&&target["Arn"])), "{targets:?}");
        }
    }

    /// Trail, recorder and detector are at work, and new volumes are encrypted.
    fn account_is_watched(&self) {
        let trail = self.list("cloudtrail", "describe_trails", json!({}), "trailList").remove(0);
        assert_eq!(trail["IsMultiRegionTrail"], true, "{trail}");
        assert_eq!(trail["LogFileValidationEnabled"], true, "{trail}");
        let which = json!({"Name": trail["Name"]});
        assert_eq!(self.ask("cloudtrail", "get_trail_status", which)["IsLogging"], true);
        let status = "describe_configuration_recorder_status";
        let recorders = self.list("config", status, json!({}), "ConfigurationRecordersStatus");
        assert_eq!(recorders[0]["recording"], true, "{recorders:?}");
        let detectors = self.list("guardduty", "list_detectors", json!({}), "DetectorIds");
        let detector = self.ask("guardduty", "get_detector", json!({"DetectorId": detectors[0]}));
        assert_eq!(detector["Status"], "ENABLED");
        let standards =
            self.list("securityhub", "get_enabled_standards", json!({}), "StandardsSubscriptions");
        assert_eq!(standards.len(), 2, "{standards:?}");
        let encryption = self.ask("ec2", "get_ebs_encryption_by_default", json!({}));
        assert_eq!(encryption["EbsEncryptionByDefault"], true);
    }

    fn tasks_admit_the_load_balancer_alone(&self) {
        let balancer = self.load_balancer()["SecurityGroups"].as_array().cloned().unwrap_or_default();
        for service in self.services() {
            let groups = &service["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"];
            let which = json!({"Filters": [{"Name": "group-id", "Values": groups}]});
            let rules = self.list("ec2", "describe_security_group_rules", which, "SecurityGroupRules");
            let admitted: Vec<&Value> = rules.iter().filter(|rule| rule["IsEgress"] == false).collect();
            assert!(!admitted.is_empty(), "nobody is admitted to the tasks: {rules:?}");
            for rule in admitted {
                assert!(balancer.contains(&rule["ReferencedGroupInfo"]["GroupId"]), "{rule}");
            }
        }
    }
}
