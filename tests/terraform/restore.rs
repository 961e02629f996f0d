//! A damaged data store is replaced by a restored one: the script that `txnr restore` prints is run as it is printed, step by
//! step, by the AWS CLI and Terraform, on the local AWS.
//!
//! What the local AWS cannot do: it takes the store as it is now for the store as it was at the point; it starts no
//! container, so that the repair of the audit logs ends well without one: the service's own tests run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::{Environment, operate, txnr};
use test_kit::local_aws::LocalAws;
use test_kit::overrides::{self, Backend};
use test_kit::repository;
use test_kit::terraform::Terraform;

const POINT: &str = "2026-11-30T10:15:00Z";
const SUFFIX: &str = "20261130t101500z";
pub const PREFIX: &str = "txn-reconcile-bare";

/// An environment in a folder of its own, as those find it who have to restore it.
pub struct Scene {
    aws: LocalAws,
    folder: tempfile::TempDir,
    region: String,
}

impl Scene {
    /// Applies the least environment that there is, with an image, protection, and `more` of the file.
    fn applied(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bare = fs::read_to_string(repository("tests/variants/bare.toml")).unwrap();
        // What refuses to be destroyed is what makes the procedure long.
        let file = bare.replace("protection = false", "protection = true").replace(
            "service.contract = \"txn-reconcile-api\"",
            "service = { contract = \"txn-reconcile-api\", image = \"v1\" }",
        );
        let envs = folder.path().join("envs");
        fs::create_dir(&envs).unwrap();
        fs::write(envs.join("bare.toml"), format!("{file}\n{more}")).unwrap();
        let environment = Environment::read_in(envs.clone(), "bare");
        assert!(environment.protected && environment.running == 1, "{file}");
        let aws = LocalAws::start(&environment.account);
        let root = txnr("synth", &envs, ["--env", "bare"], &folder.path().join("out")).remove(0);
        overrides::write(&root, &Backend::Local);
        environment.prepare(&aws, &root);
        let terraform = Terraform::new(&root, &aws);
        terraform.init();
        terraform.plan();
        terraform.apply_plan();
        Self { aws, folder, region: environment.region }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("out/bare")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn terraform(&self) -> Terraform<'_> {
        Terraform::new(&self.root(), &self.aws)
    }

    pub fn ask(&self, service: &str, operation: &str, parameters: Value) -> Value {
        self.aws.ask(&self.region, service, operation, parameters)
    }

    /// Runs lines in a shell that finds txnr, the AWS CLI and Terraform.
    pub fn shell(&self, lines: &str) -> Output {
        let txnr = Path::new(env!("CARGO_BIN_EXE_txnr")).parent().unwrap().to_owned();
        let aws = test_kit::python("local-aws").parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([txnr, aws].into_iter().chain(std::env::split_paths(&path))).unwrap();
        let mut command = Command::new("sh");
        // What the tests' Terraform is given.
        for (name, value) in self.terraform().command(["version"]).get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.args(["-eu", "-c", lines]).current_dir(&self.folder).env("PATH", path);
        command.env("AWS_PAGER", "").output().unwrap()
    }

    pub fn succeeds(&self, lines: &str) -> String {
        let done = self.shell(lines);
        let (said, told) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{lines}\n{said}\n{told}");
        said.into_owned()
    }

    /// Takes the printed steps in order; each runs in a shell of its own, as somebody goes on who has had a pause.
    fn restores(&self) {
        let restore = format!("txnr restore --env bare --point {POINT}");
        let script = self.succeeds(&restore);
        let steps: Vec<&str> = script.split("\n\n# ").skip(1).collect();
        for (at, step) in steps.iter().enumerate() {
            let (title, lines) = step.split_once('\n').unwrap_or((step, ""));
            assert!(title.starts_with(&format!("{}. ", at + 1)), "{script}");
            self.succeeds(lines);
            if title.ends_with("Plan.") {
                self.nothing_that_keeps_data_is_destroyed();
            }
        }
        assert!(steps.len() > 10, "{script}");
        assert_eq!(self.aws.gaps(), Vec::<String>::new(), "calls that the local AWS does not implement");
        self.the_service_runs();
        // The same point once more would restore a store from itself.
        let again = self.shell(&restore);
        assert_eq!(again.status.code(), Some(2), "{}", String::from_utf8_lossy(&again.stderr));
    }

    /// As the note of the step promises.
    fn nothing_that_keeps_data_is_destroyed(&self) {
        let shown = self.succeeds("terraform -chdir=out/bare show -json restore.plan");
        let plan: Value = serde_json::from_str(&shown).unwrap();
        let keeps = |kind: &str| {
            ["aws_dynamodb_table", "aws_db_instance", "aws_rds_", "aws_s3_bucket", "aws_cloudwatch_log_group"]
                .iter()
                .any(|beginning| kind.starts_with(beginning))
        };
        for change in plan["resource_changes"].as_array().unwrap() {
            let destroys = change["change"]["actions"].as_array().unwrap().contains(&json!("delete"));
            assert!(!(destroys && keeps(change["type"].as_str().unwrap())), "{change}");
        }
    }

    fn the_service_runs(&self) {
        let service = json!({"cluster": PREFIX, "services": ["txn-reconcile-api"]});
        let service = self.ask("ecs", "describe_services", service)["services"][0].take();
        assert_ne!(service["runningCount"], 0, "{service}");
        let asked = json!({"ServiceNamespace": "ecs"});
        let scaled = self.ask("application-autoscaling", "describe_scalable_targets", asked);
        let suspended =
            scaled["ScalableTargets"][0]["SuspendedState"]["DynamicScalingOutSuspended"].as_bool();
        assert_ne!(suspended, Some(true), "{scaled}");
    }

    fn state(&self) -> String {
        fs::read_to_string(self.root().join("terraform.tfstate")).unwrap()
    }
}

#[test]
fn restored_tables_take_the_place_of_damaged_ones_with_all_that_belongs_to_them() {
    let scene = Scene::applied("[recovery]\nregion = \"eu-central-1\"\n[data.dynamodb]\nrecovery_days = 7\n");
    let of = |table: &str| format!("{PREFIX}-{table}");
    let run =
        json!({"pk": {"S": "acme"}, "sk": {"S": "run#1"}, "version": {"N": "1"}, "body": {"B": "e30="}});
    scene.ask("dynamodb", "put_item", json!({"TableName": of("records"), "Item": run}));
    let entry = json!({"pk": {"S": "acme"}, "sequence": {"N": "1"}, "body": {"B": "e30="}});
    scene.ask("dynamodb", "put_item", json!({"TableName": of("audit"), "Item": entry}));

    operate::is_looked_at(&scene);
    operate::logs_are_read(&scene);
    operate::sessions_are_opened(&scene);
    scene.restores();

    for table in ["records", "audit"] {
        let (old, new) = (of(table), of(&format!("{table}-{SUFFIX}")));
        for name in [&old, &new] {
            let which = || json!({"TableName": name});
            assert_eq!(scene.ask("dynamodb", "scan", which())["Count"], 1, "{name}");
            let described = scene.ask("dynamodb", "describe_table", which())["Table"].take();
            assert_eq!(described["SSEDescription"]["SSEType"], "KMS", "{name}");
            assert_eq!(described["DeletionProtectionEnabled"], true, "{name}");
            assert_eq!(described["Replicas"][0]["RegionName"], "eu-central-1", "{name}");
            let policy = json!({"ResourceArn": described["TableArn"]});
            let policy = scene.ask("dynamodb", "get_resource_policy", policy)["Policy"].to_string();
            assert!(policy.contains("TlsOnly") && policy.contains(&format!("table/{name}")), "{policy}");
            let backups = scene.ask("dynamodb", "describe_continuous_backups", which());
            let recovery = &backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
            assert_eq!(recovery["PointInTimeRecoveryStatus"], "ENABLED", "{name}");
        }
        let state = scene.state();
        assert!(!state.contains(&format!("table/{old}\"")), "something in the state is still about {old}");
        assert!(state.contains(&format!("table/{new}\"")), "{new} is nowhere in the state");
        assert!(state.contains(&format!("\\\"value\\\":\\\"{new}\\\"")), "no task is told of {new}");
    }
    let records = json!({"TableName": of(&format!("records-{SUFFIX}"))});
    let expiry = scene.ask("dynamodb", "describe_time_to_live", records);
    assert_eq!(expiry["TimeToLiveDescription"]["TimeToLiveStatus"], "ENABLED");
}
