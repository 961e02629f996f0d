//! The real Terraform: one root module per value, its commands as methods, every failure told in full.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::local_aws::LocalAws;
use crate::repository;

/// A root module in a directory, and the AWS it talks to.
pub struct Terraform<'a> {
    directory: PathBuf,
    /// None where nothing is asked of AWS.
    aws: Option<&'a LocalAws>,
    /// Whose calls these are; where nobody is named, those of a role of the pipeline.
    owner: Option<&'static str>,
}

/// A plan: whether it changes anything, and what it holds.
pub struct Plan {
    /// Whether applying it would change anything, outputs included.
    pub changes: bool,
    /// `terraform show -json` of the plan.
    pub json: Value,
    /// The file that holds the JSON.
    pub file: PathBuf,
}

/// A command's end: its output, and what it exited with.
struct Done {
    command: String,
    output: Output,
}

impl<'a> Terraform<'a> {
    /// A root module whose provider talks to the local AWS, given the override file of `overrides`.
    pub fn new(directory: &Path, aws: &'a LocalAws) -> Self {
        Self { directory: directory.to_owned(), aws: Some(aws), owner: None }
    }

    /// The same root module, whose calls are somebody else's than a pipeline's.
    #[must_use]
    pub fn owned_by(self, owner: &'static str) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// A root module that is looked at and never planned.
    pub fn offline(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), aws: None, owner: None }
    }

    /// `terraform init`.
    pub fn init(&self) {
        self.init_with(["init", "-input=false"]);
    }

    /// `terraform init` after the backend has changed: the state moves there.
    pub fn migrate(&self) {
        self.init_with(["init", "-input=false", "-migrate-state", "-force-copy"]);
    }

    /// `terraform init` for a look at the configuration alone, without its state.
    pub fn init_without_backend(&self) {
        self.init_with(["init", "-input=false", "-backend=false"]);
    }

    /// One at a time, since they share what they download.
    fn init_with<const N: usize>(&self, arguments: [&str; N]) {
        let cache = repository(".cache");
        fs::create_dir_all(&cache).unwrap();
        let turn = File::create(cache.join("terraform-init.lock")).unwrap();
        turn.lock().unwrap();
        self.run(arguments).succeeded();
    }

    /// `terraform validate`: passes without so much as a warning, or panics with the diagnostics.
    pub fn validate(&self) {
        let diagnostics = self.diagnostics();
        assert!(
            diagnostics.is_empty(),
            "terraform validate in {}:\n{}",
            self.directory.display(),
            diagnostics.join("\n")
        );
    }

    /// What `terraform validate` has to say, errors and warnings, one line each.
    pub fn diagnostics(&self) -> Vec<String> {
        let done = self.run(["validate", "-json"]);
        let said: Value = serde_json::from_slice(&done.output.stdout).unwrap_or_else(|_| done.failed());
        let text = |diagnostic: &Value, key: &str| diagnostic[key].as_str().unwrap_or_default().to_owned();
        said["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|diagnostic| {
                let address = text(&diagnostic["snippet"], "context");
                let [severity, summary, detail] =
                    ["severity", "summary", "detail"].map(|key| text(diagnostic, key));
                format!("{severity}: {summary} {address} {detail}")
            })
            .collect()
    }

    /// `terraform plan`, and the plan as JSON.
    pub fn plan(&self) -> Plan {
        self.plan_of(&[])
    }

    /// `terraform plan` of some resources and what they stand on: of everything if none is named.
    pub fn plan_of(&self, addresses: &[&str]) -> Plan {
        let mut arguments: Vec<String> =
            ["plan", "-input=false", "-detailed-exitcode", "-out=plan.bin"].map(str::to_owned).into();
        arguments.extend(addresses.iter().map(|address| format!("-target={address}")));
        let done = self.run(arguments);
        let changes = match done.output.status.code() {
            Some(0) => false,
            Some(2) => true,
            _ => done.failed(),
        };
        let shown = self.run(["show", "-json", "plan.bin"]).succeeded();
        let file = self.directory.join("plan.json");
        fs::write(&file, &shown.stdout).unwrap();
        Plan { changes, json: serde_json::from_slice(&shown.stdout).unwrap(), file }
    }

    /// `terraform apply` of the plan made last: what was looked at is what is done.
    pub fn apply_plan(&self) {
        self.run(["apply", "-input=false", "-parallelism=30", "plan.bin"]).succeeded();
    }

    /// `terraform destroy`.
    pub fn destroy(&self) {
        self.run(["destroy", "-input=false", "-auto-approve", "-parallelism=30"]).succeeded();
    }

    /// `terraform destroy`, which has to be refused; what it says then.
    pub fn destroy_refused(&self) -> String {
        let done = self.run(["destroy", "-input=false", "-auto-approve", "-parallelism=30"]);
        assert!(!done.output.status.success(), "{} went through", done.command);
        String::from_utf8_lossy(&done.output.stderr).into_owned()
    }

    /// The addresses in the state.
    pub fn state(&self) -> Vec<String> {
        let output = self.run(["state", "list"]).succeeded();
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// A command that has not been started yet, for what the methods do not cover.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(binary());
        let arguments: Vec<S> = arguments.into_iter().collect();
        let subcommand = arguments.first().map(|first| first.as_ref().to_owned()).unwrap_or_default();
        command.args(arguments).arg("-no-color").current_dir(&self.directory);
        command.env("CHECKPOINT_DISABLE", "1").env("TF_IN_AUTOMATION", "1");
        // Each command loads the provider's schemas anew: collecting that garbage late takes a sixth off the time of an
        // environment's life. <https://pkg.go.dev/runtime#hdr-Environment_Variables>
        command.env("GOGC", "400").env("GOMEMLIMIT", "2GiB");
        for stray in
            ["TF_DATA_DIR", "TF_WORKSPACE", "TF_CLI_ARGS", "AWS_PROFILE", "AWS_REGION", "AWS_CA_BUNDLE"]
        {
            command.env_remove(stray);
        }
        let configuration = repository(".cache/terraform.rc");
        if configuration.exists() {
            command.env("TF_CLI_CONFIG_FILE", configuration);
        }
        if let Some(aws) = self.aws {
            command.envs(aws.environment());
            // By which the local AWS tells whose calls are whose.
            command.env("AWS_ACCESS_KEY_ID", self.owner.map_or(subcommand, Into::into));
        }
        command
    }

    fn run<S: AsRef<str>>(&self, arguments: impl AsRef<[S]>) -> Done {
        let arguments: Vec<&str> = arguments.as_ref().iter().map(AsRef::as_ref).collect();
        let command = format!("terraform {} in {}", arguments.join(" "), self.directory.display());
        let output = self.command(arguments).output().unwrap_or_else(|error| missing(&error));
        Done { command, output }
    }
}

impl Plan {
    /// The changes that the plan makes, one line each; those of the reading of data are none.
    pub fn listed(&self) -> Vec<String> {
        let changes = self.json["resource_changes"].as_array().cloned().unwrap_or_default();
        changes.iter().filter_map(line_of_change).collect()
    }

    /// Panics, and says what would change, unless the plan changes nothing.
    pub fn assert_clean(&self) {
        assert!(!self.changes, "the plan is not clean:\n{}", self.listed().join("\n"));
    }
}

/// `update ADDRESS: BEFORE -> AFTER` of a resource that a plan changes, the differing attributes alone.
fn line_of_change(resource: &Value) -> Option<String> {
    let change = &resource["change"];
    let actions: Vec<&str> = change["actions"].as_array()?.iter().filter_map(Value::as_str).collect();
    if matches!(actions[..], ["no-op"] | ["read"]) {
        return None;
    }
    let (before, after) = (change["before"].as_object(), change["after"].as_object());
    let differing: Vec<String> = before
        .into_iter()
        .flatten()
        .filter(|(key, value)| after.is_some_and(|after| after.get(*key) != Some(value)))
        .map(|(key, value)| {
            let wanted = after.and_then(|after| after.get(key)).unwrap_or(&Value::Null);
            format!("\n    {key}: {value} -> {wanted}")
        })
        .collect();
    Some(format!("{} {}{}", actions.join(" and "), resource["address"].as_str()?, differing.concat()))
}

impl Done {
    /// The output of a command that has to succeed.
    fn succeeded(self) -> Output {
        if self.output.status.success() { self.output } else { self.failed() }
    }

    fn failed(&self) -> ! {
        panic!(
            "{}: {}\n{}{}",
            self.command,
            self.output.status,
            String::from_utf8_lossy(&self.output.stdout),
            String::from_utf8_lossy(&self.output.stderr)
        )
    }
}

/// Terraform's binary: the one that `TERRAFORM` names, or the one on the `PATH`.
fn binary() -> std::ffi::OsString {
    std::env::var_os("TERRAFORM").unwrap_or_else(|| "terraform".into())
}

fn missing(error: &std::io::Error) -> ! {
    panic!(
        "terraform could not be started: {error}\n  fix: install Terraform 1.11 or later \
         (https://developer.hashicorp.com/terraform/install), or name it in TERRAFORM; then run tests/setup"
    )
}
