//! The proof of `txnr init`: repositories made with every combination of its options synthesize and validate at once,
//! and the external referees have nothing to say of what is rendered. `tests/setup` makes the referees.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use test_kit::local_aws::LocalAws;
use test_kit::terraform::Terraform;
use test_kit::{python, repository};

/// The reconciliation service.
const BASE: &str = "--yes --contract txn-reconcile-api --organization acme --project txn-reconcile --domain pay.example.com \
                    --page oncall@example.com --repository acme/payments --code-owner @acme/platform --txnr acme/txnr";
/// A program of one's own.
const OWN: &str = "--yes --organization globex --domain pay.globex.example --page oncall@globex.example \
                   --repository globex/checkout --code-owner @globex/platform --txnr acme/txnr";
const THREE: &str = "--account dev=111122223333 --account stage=222233334444 --account prod=333344445555";

/// A repository that `txnr init` made.
struct Made(tempfile::TempDir);

impl Made {
    fn new(options: &str) -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        made.succeed(&format!("init {BASE} {options}"));
        made
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_txnr"));
        command.args(arguments.split_whitespace()).current_dir(self.folder()).output().unwrap()
    }

    fn succeed(&self, arguments: &str) {
        assert_success(&format!("txnr {arguments}"), &self.run(arguments));
    }

    fn code(&self, arguments: &str) -> i32 {
        self.run(arguments).status.code().unwrap()
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.folder().join(path), text).unwrap();
    }

    /// What a file of YAML says.
    fn yaml(&self, path: &str) -> serde_json::Value {
        yaml(&self.folder().join(path))
    }

    /// A job of a workflow.
    fn job(&self, workflow: &str, job: &str) -> serde_json::Value {
        self.yaml(&format!(".github/workflows/{workflow}.yml"))["jobs"][job].take()
    }

    /// Runs the shell of a step with stand-ins for other programs, each a script, before the real ones.
    fn step(
        &self,
        job: &serde_json::Value,
        name: &str,
        stand_ins: &[(&str, &str)],
        variables: &[(&str, &str)],
    ) -> Output {
        let steps = job["steps"].as_array().unwrap();
        let step =
            steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{name}: {job:#}"));
        let programs = self.folder().join(".git/programs");
        fs::create_dir_all(&programs).unwrap();
        for (program, script) in stand_ins {
            let path = programs.join(program);
            fs::write(&path, format!("#!/usr/bin/env bash\nset -eu\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let txnr = Path::new(env!("CARGO_BIN_EXE_txnr")).parent().unwrap();
        let path = format!("{}:{}:{}", programs.display(), txnr.display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["-e", "-c", step["run"].as_str().unwrap()])
            .current_dir(self.folder())
            .env("PATH", path)
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    fn git(&self, arguments: &str) {
        let output =
            Command::new("git").args(arguments.split_whitespace()).current_dir(self.folder()).output();
        assert_success(&format!("git {arguments}"), &output.unwrap());
    }
}

fn assert_success(what: &str, output: &Output) {
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(output.status.success(), "{what}: {}\n{}{}", output.status, said[0], said[1]);
}

/// A file of YAML.
fn yaml(path: &Path) -> serde_json::Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let output = Command::new(python("referees")).args(["-c", script]).arg(path).output().unwrap();
    assert_success(&path.to_string_lossy(), &output);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A referee, to be run in a folder.
fn referee(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(python("referees").with_file_name(name));
    command.current_dir(folder);
    command
}

/// The workflows and actions of a repository.
fn workflows(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let list = |path: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder.join(path)).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "yml")).collect()
    };
    let actions = ["setup", "scanners"].map(|name| list(&format!(".github/actions/{name}")));
    (list(".github/workflows"), actions.concat())
}

/// Holds files of a repository to a published schema.
fn schema(folder: &Path, kind: &str, files: &[PathBuf]) {
    let mut command = referee("check-jsonschema", folder);
    assert_success(kind, &command.args(["--builtin-schema", kind]).args(files).output().unwrap());
}

/// What every rendered repository has to pass.
fn judge(folder: &Path) {
    let (workflows, actions) = workflows(folder);
    assert!(workflows.len() >= 2 && actions.len() == 2);
    schema(folder, "vendor.github-workflows", &workflows);
    schema(folder, "vendor.github-actions", &actions);
    schema(folder, "vendor.renovate", &[PathBuf::from(".github/renovate.json")]);
    let yaml = [".github", ".pre-commit-config.yaml", ".trivyignore.yaml", ".yamllint.yaml"];
    let strict = ["--strict", "--config-file", ".yamllint.yaml"];
    assert_success("yamllint", &referee("yamllint", folder).args(strict).args(yaml).output().unwrap());
    let zizmor = ["--offline", "--no-progress", "--config", ".github/zizmor.yml", ".github"];
    assert_success("zizmor", &referee("zizmor", folder).args(zizmor).output().unwrap());
    assert_success("pre-commit", &referee("pre-commit", folder).arg("validate-config").output().unwrap());
    for path in workflows.iter().chain(&actions) {
        pinned(path);
    }
}

/// Every action of others is pinned by its commit, and says which version that is.
fn pinned(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    for line in text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: ")) {
        let (_, rest) = line.split_once('@').unwrap_or((line, ""));
        let (commit, version) = rest.split_once(" # ").unwrap_or((rest, ""));
        let hex = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(line.starts_with("./") || (hex && !version.is_empty()), "{}: {line}", path.display());
    }
}

#[test]
fn every_combination_of_options_makes_a_repository_that_works() {
    let accounts =
        ["--account prod=111122223333", "--account test=111122223333 --account live=222233334444", THREE];
    let images = ["", "--no-image", "--dockerfile services/api/Dockerfile"];
    let regions = [
        "",
        "--region eu-central-1 --service ledger --owner ledger-team --code-owner @acme/a --code-owner @b",
    ];
    for account in accounts {
        for image in images {
            for region in regions {
                let made = Made::new(&format!("{account} {image} {region}"));
                made.succeed("synth --all");
                made.succeed("synth --all --check");
                made.succeed("init --check");
                made.succeed("init");
                judge(made.folder());
                let builds = made.folder().join(".github/workflows/ci-build.yml").exists();
                assert_eq!(builds, image != "--no-image");
                assert_eq!(made.folder().join(".dockerignore").exists(), builds);
                for path in ["README.md", "RUNBOOK.md"] {
                    let text = made.read(path);
                    assert!(
                        builds || !text.contains("\"Build\"") && !text.contains("ci-build"),
                        "{path}: {text}"
                    );
                }
                assert_eq!(made.folder().join("Dockerfile").exists(), image.is_empty());
            }
        }
    }
}

#[test]
fn environments_lie_in_the_regions_that_are_named_for_them() {
    let made = Made::new(&format!("{THREE} --region eu-central-1 --region prod=eu-west-1"));
    for (environment, region) in [("dev", "eu-central-1"), ("stage", "eu-central-1"), ("prod", "eu-west-1")] {
        let file = made.read(&format!("envs/{environment}.toml"));
        assert!(file.contains(&format!("\nregion = \"{region}\"\n")), "{file}");
    }
    made.succeed("synth --all");
    made.succeed("init --check");
    judge(made.folder());
}

/// Each environment is deployed as its file says, by the roles that `txnr bootstrap` makes, from the protected environment
/// that they trust.
#[test]
fn workflows_assume_the_roles_that_bootstrap_makes() {
    let made = Made::new(THREE);
    let add = |environment: &str, text: &str| {
        let path = format!("envs/{environment}.toml");
        made.write(&path, &format!("{}\n{text}\n", made.read(&path)));
    };
    add("stage", "[service.deployment]\nstrategy = \"external\"");
    add("prod", "[service.deployment]\nstrategy = \"blue-green\"");
    let prod = made.read("envs/prod.toml").replace("[github]", "[github]\nenvironment = \"eu/live\"");
    made.write("envs/prod.toml", &prod);
    made.succeed("init --force");
    judge(made.folder());
    let bootstrap = String::from_utf8(made.run("bootstrap --all --stdout").stdout).unwrap();
    let workflows =
        [".github/workflows/ci-build.yml", ".github/workflows/tf-deploy.yml"].map(|path| made.read(path));
    let mut roles = 0;
    for piece in workflows.iter().flat_map(|text| text.split(":role/bootstrap/").skip(1)) {
        let name = piece.split('"').next().unwrap();
        assert!(bootstrap.contains(&format!("\"name\": \"{name}\"")), "bootstrap makes no {name}");
        roles += 1;
    }
    assert_eq!(roles, 3 * 3 + 2);
    for (environment, builds) in [("dev", 1), ("stage", 1), ("eu/live", 1)] {
        assert!(
            bootstrap.contains(&format!("repo:acme/payments:environment:{environment}\"")),
            "{environment}"
        );
        let named = workflows[0].matches(&format!("    environment: \"{environment}\"\n")).count();
        assert_eq!(named, builds, "{environment}");
        assert!(workflows[1].contains(&format!("github-environment: \"{environment}\"\n")), "{environment}");
    }
    for strategy in ["rolling", "external", "blue-green"] {
        assert_eq!(workflows[0].matches(&format!("strategy: \"{strategy}\"\n")).count(), 1, "{strategy}");
    }
    assert_eq!(workflows[0].matches("bash .github/deploy.sh").count(), 2);
    assert!(
        !Made::new(THREE).folder().join(".github/deploy.sh").exists(),
        "Terraform deploys every environment"
    );
}

/// A repository with two services beside the main one in dev and prod; of one of them the pipeline builds the image.
fn several() -> Made {
    let made = Made::new("--account dev=111122223333 --account prod=222233334444");
    let office = "[services.office]\nhosts = [\"office.example.com\"]\n";
    let hooks = "[services.hooks]\npaths = [\"/hooks/*\"]\narchitecture = \"arm64\"\n";
    let add = |path: &str, text: &str| made.write(path, &format!("{}\n{text}", made.read(path)));
    add("envs/dev.toml", &format!("{hooks}{}", office.replace("office.example", "office.dev.example")));
    add("envs/prod.toml", &format!("{hooks}deployment.strategy = \"external\"\n{office}"));
    add("txnr.toml", "[image.services.hooks]\ndockerfile = \"hooks/Dockerfile\"\ncontext = \"hooks\"\n");
    made.succeed("init --force");
    made
}

#[test]
fn every_service_that_names_a_dockerfile_is_built_signed_and_deployed() {
    let made = several();
    judge(made.folder());
    let include = |job: &str| made.job("ci-build", job)["strategy"]["matrix"]["include"].clone();
    let expected = serde_json::json!([
        {"image": "txn-reconcile-api", "dockerfile": "Dockerfile", "context": ".", "platform": "linux/amd64",
         "runner": "ubuntu-24.04"},
        {"image": "hooks", "dockerfile": "hooks/Dockerfile", "context": "hooks", "platform": "linux/arm64",
         "runner": "ubuntu-24.04-arm"},
    ]);
    assert_eq!(include("image"), expected);
    let dev = include("publish-dev");
    let repository = "111122223333.dkr.ecr.us-east-1.amazonaws.com/txn-reconcile-api/hooks";
    assert_eq!((&dev[1]["repository"], &dev[1]["first"]), (&repository.into(), &true.into()));
    let prod = include("publish-prod");
    assert_eq!(prod[0]["strategy"], "rolling");
    assert_eq!((&prod[1]["strategy"], &prod[1]["first"]), (&"external".into(), &false.into()));
    // What one environment hands on is what the next one takes.
    let outputs = made.job("ci-build", "publish-dev")["outputs"].clone();
    for service in prod.as_array().unwrap() {
        let name = format!("digest-{}", service["image"].as_str().unwrap());
        assert_eq!(service["digest"], format!("${{{{ needs.publish-dev.outputs.{name} }}}}"));
        assert_eq!(outputs[&name], format!("${{{{ steps.image.outputs.{name} }}}}"));
    }
    // The roles that it does so with reach the service.
    let bootstrap = String::from_utf8(made.run("bootstrap --env prod --stdout").stdout).unwrap();
    assert!(bootstrap.contains("arn:aws:ecr:us-east-1:222233334444:repository/txn-reconcile-api/hooks"));
    assert!(bootstrap.contains("arn:aws:ecs:us-east-1:222233334444:service/txn-reconcile-prod/hooks"));
    let said = String::from_utf8(made.run("init --check").stderr).unwrap();
    assert!(said.contains("no workflow builds the image of `office`"), "{said}");
    assert!(!said.contains("`hooks`"), "{said}");
    made.write("txnr.toml", &made.read("txnr.toml").replace("services.hooks", "services.hocks"));
    let said = String::from_utf8(made.run("init --check").stderr).unwrap();
    assert!(
        said.contains("txnr.toml: image.services.hocks: no environment has a service of this name"),
        "{said}"
    );
    assert_eq!(made.code("init --check"), 3);
}

/// Every key of the matrix, step and job that an expression of the workflow names is there.
#[test]
fn expressions_of_the_pipeline_name_what_is_there() {
    let made = several();
    let environments = ["publish-dev", "publish-prod"];
    let others = ["image", "inspect", "propose-dev", "propose-prod"];
    for name in others.iter().chain(&environments) {
        let job = made.job("ci-build", name);
        let text = job.to_string();
        let after = |prefix: &str| -> Vec<String> {
            let word = |piece: &str| {
                piece.chars().take_while(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
            };
            text.split(prefix).skip(1).map(word).collect()
        };
        for key in after("matrix.") {
            let entries = job["strategy"]["matrix"]["include"].as_array().unwrap();
            let blue_green = ["application", "group", "appspec"].contains(&key.as_str());
            assert!(
                blue_green || entries.iter().all(|entry| entry.get(&key).is_some()),
                "{name}: matrix.{key}"
            );
        }
        for id in after("steps.") {
            assert!(
                job["steps"].as_array().unwrap().iter().any(|step| step["id"] == *id),
                "{name}: steps.{id}"
            );
        }
        for needed in after("needs.") {
            assert!(
                job["needs"].as_array().unwrap().iter().any(|need| *need == *needed),
                "{name}: needs.{needed}"
            );
        }
    }
}

/// What the workflow does in the end, with a stand-in for GitHub: one branch for each environment, with the newest digests in
/// it and nothing else, from an app's token where there is one.
#[test]
fn a_deployment_is_asked_for_by_one_branch_with_the_newest_digests() {
    let made = several();
    made.succeed("synth --all");
    made.git("init --quiet --initial-branch main");
    made.git("add --all");
    made.git("-c user.name=t -c user.email=t@example.com commit --quiet --message all");
    made.git("clone --quiet --bare . .git/origin");
    made.git("remote add origin .git/origin");
    let text = |arguments: &str| {
        let mut command = Command::new("git");
        let output = command.args(arguments.split_whitespace()).current_dir(made.folder()).output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let first = text("rev-parse HEAD").trim().to_owned();
    made.git("-c user.name=t -c user.email=t@example.com commit --quiet --allow-empty --message more");
    let second = text("rev-parse HEAD").trim().to_owned();
    let job = made.job("ci-build", "propose-dev");
    let digest = |byte: &str| format!("sha256:{}", byte.repeat(32));
    let run = |sha: &str, byte: &str, gh: &str| {
        let images = format!("txn-reconcile-api||rolling|{0}\nhooks|hooks|rolling|{0}\n", digest(byte));
        let gh = format!(
            "case \"$1 $2\" in 'pr list') grep --count create .git/asked || true ;; 'pr create') {gh}; echo \"$*\" >> .git/asked ;; esac"
        );
        let variables = [
            ("ENVIRONMENT", "dev"),
            ("BRANCH", "main"),
            ("IMAGES", images.as_str()),
            ("GITHUB_SHA", sha),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/payments"),
        ];
        made.git("switch --quiet main");
        let output = made.step(&job, "Ask for its deployment", &[("gh", &gh)], &variables);
        assert_success("the step", &output);
        String::from_utf8(output.stdout).unwrap()
    };
    made.write(".git/asked", "");
    // GitHub does not let workflows open pull requests, which fails nothing.
    let said = run(&second, "0a", "exit 1");
    assert!(
        said.contains("::warning::") && said.contains("/acme/payments/compare/main...deploy/dev?expand=1"),
        "{said}"
    );
    let changed = text("diff main deploy/dev --stat=200");
    assert!(changed.contains("envs/dev.toml") && changed.contains("out/dev/ecs.tf.json"), "{changed}");
    assert!(!changed.contains("prod"), "{changed}");
    run(&second, "0b", "true");
    assert!(made.read(".git/asked").contains("pr create --fill --head deploy/dev --base main"));
    // There is one, which is brought up to date; what an older run built does not take its place.
    run(&second, "0c", "true");
    let said = run(&first, "0d", "true");
    assert!(said.contains("which is newer"), "{said}");
    assert_eq!(made.read(".git/asked").lines().count(), 1);
    made.git("fetch --quiet origin deploy/dev");
    let file = text("show FETCH_HEAD:envs/dev.toml");
    assert_eq!(file.matches(&digest("0c")).count(), 2, "{file}");
    assert!(text("log -1 --format=%B FETCH_HEAD").contains(&format!("Built-from: {second}")));
    assert_eq!(text("rev-list --count main..FETCH_HEAD").trim(), "1");
    let app = job["steps"].as_array().unwrap().iter().find(|step| step["id"] == "app").unwrap();
    assert_eq!(app["if"], "vars.DEPLOY_APP_ID != ''");
}

/// A Terraform that answers as it is told: `plan` says and ends as stands in `.git/terraform-plan`, `show -json` of a plan prints
/// the file of that name below `.git`.
const TERRAFORM: &str = r#"
arguments="$*" root=.
case "$1" in -chdir=*) root=${1#-chdir=}; shift ;; esac
echo "$arguments" >> .git/terraform
case "$1" in
    init) touch "$root/.terraform.lock.hcl" ;;
    plan) cat .git/terraform-plan; ! grep --quiet Error .git/terraform-plan ;;
    show) if [ "$2" = -json ]; then cat ".git/$3"; else echo "the plan in prose"; fi ;;
    state) echo '{"resources": [{"type": "aws_vpc"}, {"type": "aws_secretsmanager_secret_version"}]}' ;;
esac
"#;

/// A plan in JSON that does this to these.
fn plan(changes: &[(&str, &[&str])]) -> String {
    let changes: Vec<serde_json::Value> = changes
        .iter()
        .map(|(address, actions)| {
            let kind = address.split('.').next();
            serde_json::json!({"address": address, "type": kind, "change": {"actions": actions}})
        })
        .collect();
    serde_json::json!({"format_version": "1.2", "planned_values": {}, "resource_changes": changes})
        .to_string()
}

/// A repository to run the steps of Terraform's workflow in.
fn planning() -> Made {
    let made = Made::new(THREE);
    made.git("init --quiet");
    made.succeed("synth --all");
    fs::create_dir(made.folder().join(".git/temp")).unwrap();
    made.write(".git/terraform-plan", "Plan: 1 to add\n");
    made
}

/// Runs a step, and says what it told the job and the summary.
fn terraform_step(made: &Made, job: &str, step: &str, more: &[(&str, &str)]) -> (Output, String, String) {
    let (output, summary) = (made.folder().join(".git/output"), made.folder().join(".git/summary"));
    let temp = made.folder().join(".git/temp");
    for path in [&output, &summary] {
        fs::write(path, "").unwrap();
    }
    let mut variables = vec![
        ("ENVIRONMENT", "prod"),
        ("GITHUB_OUTPUT", output.to_str().unwrap()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ("RUNNER_TEMP", temp.to_str().unwrap()),
    ];
    variables.extend(more);
    let ended = made.step(&made.job("tf-environment", job), step, &[("terraform", TERRAFORM)], &variables);
    (ended, made.read(".git/output"), made.read(".git/summary"))
}

#[test]
fn a_plan_is_shown_and_known_by_its_digest_and_a_failed_one_is_told_of() {
    let made = planning();
    made.write(".git/saved.plan", &plan(&[("aws_vpc.main", &["create"])]));
    made.write(".git/drift.plan", &plan(&[("aws_secretsmanager_secret_version.a", &["create"])]));
    let (ended, _, summary) = terraform_step(&made, "plan", "Plan", &[]);
    assert_success("a plan", &ended);
    let comment = made.read("saved/comment.md");
    assert!(
        comment.contains("Plan: 1 to add, 0 to change, 0 to destroy.")
            && comment.contains("the plan in prose")
    );
    assert!(summary.contains("aws_vpc.main will be created"), "{summary}");
    assert_success("drift", &terraform_step(&made, "plan", "Look for drift", &[]).0);
    // What the role cannot read is no drift.
    assert!(!made.read("saved/drift.json").contains("secret_version"));
    let state = made.read("out/prod/drift.tfstate");
    assert!(state.contains("aws_vpc") && !state.contains("secret_version"), "{state}");

    let (ended, told, _) = terraform_step(&made, "plan", "Say by which digest the plan is known", &[]);
    assert_success("the digests", &ended);
    assert!(told.contains("changed=true\n"), "{told}");
    let digest = |name: &str| {
        told.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")))
            .unwrap_or_else(|| panic!("{name}: {told}"))
    };
    let known = [("PLAN", digest("plan")), ("DRIFT", digest("drift")), ("LOCK", digest("lock"))];
    let shown = || terraform_step(&made, "apply", "It is the plan that was shown", &known).0;
    assert_success("what was saved", &shown());
    assert_success(
        "what is scanned",
        &terraform_step(&made, "scan", "It is the plan that was made", &known).0,
    );
    // Another job of the run can replace what was saved.
    for file in ["saved/plan.json", "saved/drift.json", "saved/.terraform.lock.hcl"] {
        let before = made.read(file);
        made.write(file, &format!("{before} "));
        assert!(!shown().status.success(), "{file}");
        made.write(file, &before);
    }

    made.write(".git/terraform-plan", "Error: Unsupported argument\n");
    let (ended, _, summary) = terraform_step(&made, "plan", "Plan", &[]);
    assert!(!ended.status.success());
    for text in [made.read("saved/comment.md"), summary] {
        assert!(
            text.starts_with("<!-- txnr plan: prod -->")
                && text.contains("**There is no plan:** Terraform failed.")
        );
        assert!(text.contains("Error: Unsupported argument"), "{text}");
    }
}

#[test]
fn nothing_changes_where_nothing_is_planned_and_nothing_drifted() {
    let made = planning();
    let nothing = plan(&[("aws_vpc.main", &["no-op"]), ("data.aws_region.a", &["read"])]);
    made.write(".git/saved.plan", &nothing);
    made.write(".git/drift.plan", &nothing);
    for step in ["Plan", "Look for drift"] {
        assert_success(step, &terraform_step(&made, "plan", step, &[]).0);
    }
    let (_, told, _) = terraform_step(&made, "plan", "Say by which digest the plan is known", &[]);
    assert!(told.contains("changed=false\n"), "{told}");
}

/// The job that applies plans again, with a refresh.
#[test]
fn what_is_applied_does_what_was_shown() {
    let made = planning();
    fs::create_dir(made.folder().join("saved")).unwrap();
    made.write("saved/.terraform.lock.hcl", "");
    made.write("saved/plan.json", &plan(&[("aws_vpc.main", &["update"])]));
    made.write(
        "saved/drift.json",
        &plan(&[("aws_vpc.main", &["update"]), ("aws_sns_topic.page", &["create"])]),
    );
    let again = |mode: &str, changes: &[(&str, &[&str])]| {
        made.write(".git/apply.plan", &plan(changes));
        terraform_step(&made, "apply", "Plan again, refreshed", &[("MODE", mode)]).0
    };
    assert_success("as shown", &again("apply", &[("aws_vpc.main", &["update"])]));
    let asked = made.read(".git/terraform");
    assert!(
        asked.contains("plan -no-color -lock-timeout=5m -out apply.plan")
            && !asked.contains("-refresh=false"),
        "{asked}"
    );
    // A topic that somebody deleted: shown, and applied only by a run that somebody starts to repair it.
    let gone: &[(&str, &[&str])] = &[("aws_vpc.main", &["update"]), ("aws_sns_topic.page", &["create"])];
    let refused = again("apply", gone);
    assert_eq!(refused.status.code(), Some(8));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("aws_sns_topic.page will be created, which was not shown"), "{said}");
    assert_success("repair", &again("repair", gone));
    assert_eq!(again("repair", &[("aws_vpc.main", &["delete", "create"])]).status.code(), Some(8));
}

/// Only the state says what was made: it is written after all, or kept where nobody can read it.
#[test]
fn a_state_that_could_not_be_written_is_not_lost() {
    let made = planning();
    let aws = r#"
        echo "$*" >> .git/aws
        jq --null-input --arg key "$(printf 'k%.0s' {1..32} | base64)" --arg sealed "$(printf sealed | base64)" \
            '{Plaintext: $key, CiphertextBlob: $sealed}'"#;
    let output = made.folder().join(".git/output");
    let keep = |push: &str| {
        made.write("out/prod/errored.tfstate", "all that was made");
        fs::write(&output, "").unwrap();
        let terraform = format!("echo \"$*\" >> .git/pushed; {push}");
        let variables = [
            ("ENVIRONMENT", "prod"),
            ("STATE_KEY", "arn:aws:kms:eu-west-1:111122223333:alias/state"),
            ("PAUSE_SECONDS", "0"),
            ("GITHUB_OUTPUT", output.to_str().unwrap()),
        ];
        let job = made.job("tf-environment", "apply");
        let programs = [("terraform", terraform.as_str()), ("aws", aws)];
        let ended = made.step(&job, "Write that state, or keep it encrypted", &programs, &variables);
        assert_success("kept", &ended);
        assert!(!made.folder().join("out/prod/errored.tfstate").exists());
        made.read(".git/output")
    };
    assert_eq!(keep("true"), "");
    assert!(made.read(".git/pushed").contains("-chdir=out/prod state push errored.tfstate"));
    assert_eq!(keep("false"), "kept=true\n");
    assert_eq!(made.read(".git/pushed").lines().count(), 4);
    let asked = made.read(".git/aws");
    assert!(asked.contains("--region eu-west-1") && asked.contains("purpose=errored-state"), "{asked}");
    assert_eq!(made.read("errored/key"), "sealed");
    let sealed = fs::read(made.folder().join("errored/errored.tfstate.cms")).unwrap();
    assert!(!sealed.windows(8).any(|bytes| bytes == b"all that"));
    let mut open = Command::new("openssl");
    open.args([
        "cms",
        "-decrypt",
        "-inform",
        "DER",
        "-in",
        "errored/errored.tfstate.cms",
        "-secretkey",
        &"6b".repeat(32),
    ]);
    let opened = open.current_dir(made.folder()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&opened.stdout), "all that was made");
    // With the key of another it stays shut.
    open.args(["-secretkey", &"6c".repeat(32)]);
    assert!(!open.output().unwrap().status.success());
}

/// What the roles rely on is looked at before anything is asked for.
#[test]
fn an_environment_that_lets_anybody_in_is_not_applied() {
    let made = Made::new(THREE);
    made.git("init --quiet");
    let gh = r#"
        case "$*" in
            *deployment-branch-policies*) jq --raw-output "${@: -1}" .git/policies ;;
            *protected=true*) jq --raw-output "${@: -1}" .git/protected ;;
            *environments/eu%2Flive) cat .git/settings ;;
            *) exit 1 ;;
        esac"#;
    made.write(".git/protected", r#"[{"name": "main"}, {"name": "other"}]"#);
    let look = |environment: &str, reviewed: &str, settings: &str, branches: &str| {
        made.write(".git/settings", settings);
        made.write(".git/policies", branches);
        let job = made.job("tf-environment", "settings");
        let variables =
            [("PROTECTED", environment), ("REVIEWED", reviewed), ("GITHUB_REPOSITORY", "acme/payments")];
        let step = "It lets in one branch, and waits for its reviewers";
        let output = made.step(&job, step, &[("gh", gh)], &variables);
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let settings = |policy: &str, rules: &str| {
        format!(r#"{{"deployment_branch_policy": {policy}, "protection_rules": [{rules}]}}"#)
    };
    let listed = r#"{"protected_branches": false, "custom_branch_policies": true}"#;
    let reviewers =
        r#"{"type": "required_reviewers", "reviewers": [{"type": "Team"}]}, {"type": "branch_policy"}"#;
    let main = r#"{"branch_policies": [{"name": "main"}]}"#;
    assert!(look("eu/live", "true", &settings(listed, reviewers), main).0);
    assert!(look("eu/live", "false", &settings(listed, ""), main).0);
    for (environment, policy, rules, branches, why) in [
        ("eu/live", listed, "", main, "no required reviewers"),
        (
            "eu/live",
            listed,
            r#"{"type": "required_reviewers", "reviewers": []}"#,
            main,
            "no required reviewers",
        ),
        ("eu/live", "null", reviewers, main, "lets in every branch"),
        (
            "eu/live",
            listed,
            reviewers,
            r#"{"branch_policies": [{"name": "main"}, {"name": "release/*"}]}"#,
            "other branches",
        ),
        (
            "eu/live",
            listed,
            reviewers,
            r#"{"branch_policies": [{"name": "main", "type": "tag"}]}"#,
            "other branches",
        ),
        ("eu/live", listed, reviewers, r#"{"branch_policies": []}"#, "other branches"),
        (
            "eu/live",
            r#"{"protected_branches": true, "custom_branch_policies": false}"#,
            reviewers,
            main,
            "every protected branch",
        ),
        ("prod", listed, reviewers, main, "is not there"),
    ] {
        let (succeeded, said) = look(environment, "true", &settings(policy, rules), branches);
        assert!(!succeeded && said.contains(why), "{why}: {said}");
    }
    let wanted = |environment: &str| made.job("tf-deploy", environment)["with"]["reviewed"].clone();
    assert_eq!(
        [wanted("dev"), wanted("stage"), wanted("prod")],
        [false, true, true].map(serde_json::Value::from)
    );
    for job in ["publish-dev", "publish-prod"] {
        assert!(made.job("ci-build", job)["needs"].as_array().unwrap().iter().any(|need| need == "settings"));
    }
}

/// Another job of the run can replace what was built; what its digest is was said by the job that built it.
#[test]
fn what_is_pushed_is_what_was_built_and_scanned() {
    let made = several();
    made.git("init --quiet");
    made.write("image.tar", "an image");
    let output = made.folder().join(".git/output");
    let summary = made.folder().join(".git/summary");
    let trivy = r#"for last; do :; done; while [ $# -gt 0 ]; do if [ "$1" = --output ]; then cp .git/sbom "$2"; fi; shift; done"#;
    let run = |job: &str, step: &str, more: &[(&str, &str)]| {
        let mut variables = vec![
            ("GITHUB_OUTPUT", output.to_str().unwrap()),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
            ("NAME", "hooks"),
        ];
        variables.extend(more);
        made.step(&made.job("ci-build", job), step, &[("trivy", trivy)], &variables)
    };
    assert_success("built", &run("image", "Say by which digest it is known", &[]));
    // A program that does not say what it consists of is not signed for.
    made.write(
        ".git/sbom",
        r#"{"bomFormat": "CycloneDX", "components": [{"purl": "pkg:deb/debian/base-files"}]}"#,
    );
    let refused = run("inspect", "List what is in it", &[]);
    assert!(
        !refused.status.success() && String::from_utf8_lossy(&refused.stdout).contains("cargo auditable")
    );
    // What is in an image of any size is handed on as it is, in parts that can be handed on.
    let purls = |count: u64| {
        let component = |at: u64| {
            format!(
                r#"{{"purl": "pkg:cargo/serde@1.0.{at}", "hash": "{:016x}"}}"#,
                at.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            )
        };
        (0..count).map(component).collect::<Vec<_>>().join(",")
    };
    let list = |count| format!(r#"{{"bomFormat": "CycloneDX", "components": [{}]}}"#, purls(count));
    made.write(".git/sbom", &list(60_000));
    let refused = run("inspect", "List what is in it", &[]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stdout).contains("smaller base"));
    made.write(".git/sbom", &list(20_000));
    assert_success("listed", &run("inspect", "List what is in it", &[]));
    let told = made.read(".git/output");
    let handed = |name: &str| {
        told.lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")))
            .unwrap_or_else(|| panic!("{name}: {told}"))
    };
    let image = [("IMAGE", handed("image-hooks"))];
    let parts: Vec<(String, &str)> =
        (0..4).map(|part| (format!("SBOM_{part}"), handed(&format!("sbom-hooks-{part}")))).collect();
    assert!(parts[1].1.len() > 1 && parts.iter().all(|(_, part)| part.len() <= 120_000));
    let parts: Vec<(&str, &str)> = parts.iter().map(|(name, part)| (name.as_str(), *part)).collect();
    fs::remove_file(made.folder().join("sbom.cdx.json")).unwrap();
    assert_success("taken", &run("publish-dev", "Take the list of what is in it", &parts));
    assert_eq!(made.read("sbom.cdx.json"), list(20_000));
    assert!(!run("publish-dev", "Take the list of what is in it", &parts[..1]).status.success());
    for (job, step) in
        [("inspect", "It is the image that was built"), ("publish-dev", "It is the image that was scanned")]
    {
        assert_success(step, &run(job, step, &image));
        made.write("image.tar", "another");
        assert!(!run(job, step, &image).status.success(), "{step}");
        made.write("image.tar", "an image");
    }
    let outputs = made.job("ci-build", "image")["outputs"].clone();
    assert_eq!(outputs["image-hooks"], "${{ steps.image.outputs.image-hooks }}");
}

/// A scanner is somebody else's program, and reads what it is given: a job that runs one hands on no file, holds no
/// credential and nobody's approval. What a job signs came from no artifact but one whose digest another job's output says.
#[test]
fn no_job_that_scans_hands_on_a_file_and_what_is_signed_has_a_digest() {
    let made = several();
    let (mut scanning, mut signing) = (0, 0);
    for workflow in ["ci-build", "tf-deploy", "tf-environment"] {
        let jobs = made.yaml(&format!(".github/workflows/{workflow}.yml"))["jobs"].clone();
        for (name, job) in jobs.as_object().unwrap() {
            let steps = job["steps"].as_array().cloned().unwrap_or_default();
            let text =
                |step: &serde_json::Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
            let uses = |part: &str| steps.iter().any(|step| text(step, "uses").contains(part));
            let runs = |part: &str| steps.iter().any(|step| text(step, "run").contains(part));
            if uses("/scanners") || ["trivy ", "checkov ", "cargo deny"].iter().any(|part| runs(part)) {
                scanning += 1;
                assert!(
                    !uses("upload-artifact") && !uses("actions/cache") && !uses("attest"),
                    "{workflow}: {name}"
                );
                assert!(job["environment"].is_null(), "{workflow}: {name}");
                let written =
                    job["permissions"].as_object().unwrap().iter().filter(|(_, access)| *access != "read");
                assert!(written.clone().all(|(scope, _)| scope == "security-events"), "{workflow}: {name}");
            }
            if runs("cosign sign") || runs("cosign attest") {
                signing += 1;
                for (at, step) in
                    steps.iter().enumerate().filter(|(_, s)| text(s, "uses").contains("download-artifact"))
                {
                    // What was signed before is verified by its digest instead, after it was pushed.
                    let verified = steps[at + 1..].iter().any(|next| {
                        let known = next["env"].as_object().is_some_and(|env| {
                            env.values().any(|value| {
                                value.as_str().is_some_and(|v| v.contains("needs.image.outputs"))
                            })
                        });
                        known && text(next, "run").contains("sha256sum --check --strict")
                    });
                    let again = steps
                        .iter()
                        .any(|next| text(next, "run").contains("verify.sh \"$REPOSITORY@$DIGEST\""));
                    assert!(verified && again, "{workflow}: {name}: {step}");
                }
            }
        }
    }
    assert!(scanning >= 4 && signing >= 1, "{scanning} {signing}");
}

/// A private repository without GitHub Code Security refuses findings, which stops no build.
#[test]
fn findings_are_shown_where_there_is_something_to_show_them_and_stop_nothing() {
    for (flag, shown) in [("", false), ("--code-scanning no", false), ("--code-scanning yes", true)] {
        let made = Made::new(&format!("{THREE} {flag}"));
        judge(made.folder());
        for name in ["scan", "inspect"] {
            let job = made.job("ci-build", name);
            let steps = job["steps"].as_array().unwrap();
            let show = steps.iter().find(|step| step["name"] == "Show the findings");
            assert_eq!(show.is_some(), shown, "{flag} {name}");
            assert_eq!(job["permissions"].get("security-events").is_some(), shown);
            // https://github.com/github/codeql-action#workflow-permissions
            assert_eq!(job["permissions"].get("actions").is_some_and(|access| access == "read"), shown);
            if let Some(show) = show {
                assert_eq!(show["continue-on-error"], true);
            }
        }
    }
}

/// With a stand-in for `gh`, which says what GitHub says.
#[test]
fn what_github_knows_of_a_repository_is_read_there() {
    let owned = |about: &str, subject: &str, owners: &str| {
        let made = Made(tempfile::tempdir().unwrap());
        let programs = tempfile::tempdir().unwrap();
        let gh = programs.path().join("gh");
        let script = format!(
            "#!/usr/bin/env bash\ncase \"$*\" in 'api repos/acme/payments') echo '{about}' ;; \
             'api repos/acme/payments/actions/oidc/customization/sub') echo '{subject}' ;; \
             'api orgs/acme/teams/platform') echo '{{\"id\": 1}}' ;; 'api users/ada') echo '{{\"type\": \"User\"}}' ;; \
             'api users/acme') echo '{{\"type\": \"Organization\"}}' ;; *) echo 'HTTP 404' >&2; exit 1 ;; esac\n"
        );
        fs::write(&gh, script).unwrap();
        fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
        let base = BASE.replace("@acme/platform", owners);
        let arguments = format!("init {base} --account prod=111122223333 --numbers gh");
        let mut command = Command::new(env!("CARGO_BIN_EXE_txnr"));
        command.args(arguments.split_whitespace()).current_dir(made.folder()).env("PATH", path);
        let output = command.output().unwrap();
        (made, output)
    };
    let with = |about: &str, subject: &str| owned(about, subject, "@acme/platform --code-owner @ada");
    let private = r#"{"id": 987, "owner": {"id": 12}, "private": true}"#;
    let secured = r#"{"id": 987, "owner": {"id": 12}, "private": true, "security_and_analysis": {"code_security": {"status": "enabled"}}}"#;
    let public = r#"{"id": 987, "owner": {"id": 12}, "private": false}"#;
    let (immutable, names) = (
        r#"{"use_default": true, "use_immutable_subject": true}"#,
        r#"{"use_default": true, "use_immutable_subject": false}"#,
    );
    for (about, subject, trusted, scanning) in [
        (private, immutable, "repo:acme@12/payments@987:environment:prod", false),
        (secured, names, "repo:acme/payments:environment:prod", true),
        (public, immutable, "repo:acme@12/payments@987:environment:prod", true),
    ] {
        let (made, output) = with(about, subject);
        assert_success("init", &output);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("numbers are not named"), "{said}");
        let bootstrap = String::from_utf8(made.run("bootstrap --all --stdout").stdout).unwrap();
        assert!(bootstrap.contains(&format!("\"{trusted}\"")), "{trusted}\n{bootstrap}");
        assert!(
            bootstrap.contains("token.actions.githubusercontent.com:repository_id\": \"987\""),
            "{bootstrap}"
        );
        assert!(made.read("txnr.toml").contains(&format!("code_scanning = {scanning}\n")));
    }
    for (about, subject, why) in [
        (private, r#"{"use_default": false, "include_claim_keys": ["repo"]}"#, "are customized"),
        (r#"{"id": 987}"#, immutable, "tells no numbers"),
        ("no JSON", immutable, "gh api repos/acme/payments"),
    ] {
        let (made, output) = with(about, subject);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
        assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0);
    }
    for (owners, why) in [("@acme", "is an organization"), ("@acme/nobody", "HTTP 404"), ("@bob", "HTTP 404")]
    {
        let (made, output) = owned(private, immutable, owners);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(why), "{said}");
        assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0);
    }
    // Without the numbers somebody is told what is missing.
    let made = Made(tempfile::tempdir().unwrap());
    let output =
        made.run(&format!("init {} --account prod=111122223333", BASE.replace("@acme/platform", "@acme")));
    assert_success("init", &output);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the numbers are not named") && said.contains("gh api repos/OWNER/NAME"), "{said}");
    assert!(said.contains("GitHub passes over it in CODEOWNERS"), "{said}");
}

/// The job verifies what the environment's file names before Terraform plans or applies it, whoever has set it.
#[test]
fn an_image_that_the_pipeline_did_not_sign_is_not_planned_and_not_applied() {
    let made = several();
    let digest = |byte: &str| format!("sha256:{}", byte.repeat(32));
    let (good, bad) = (digest("0a"), digest("0b"));
    let run = |job: &str, environment: &str| {
        let job = made.job("tf-environment", job);
        let steps: Vec<&str> =
            job["steps"].as_array().unwrap().iter().filter_map(|s| s["name"].as_str()).collect();
        let at = |name: &str| steps.iter().position(|step| *step == name);
        let verify = "Verify the signatures of the images that the environment's file names";
        let then = at("Plan").or(at("Plan again, refreshed")).unwrap();
        assert!(at(verify).unwrap() < then);
        let deploy = made.read(".github/workflows/tf-deploy.yml");
        assert!(deploy.contains("signed: \"txn-reconcile-api hooks\""));
        let stand_ins = [
            ("docker", "cat > /dev/null"),
            (
                "aws",
                "case \"$*\" in *describe-images*0b0b*) echo ImageNotFoundException >&2; exit 254 ;; *) echo password ;; esac",
            ),
            ("cosign", "echo \"$*\" >> .git/cosign; case \"$*\" in *@sha256:0a*) ;; *) exit 1 ;; esac"),
        ];
        made.step(
            &job,
            verify,
            &stand_ins,
            &[("ENVIRONMENT", environment), ("SIGNED", "txn-reconcile-api hooks")],
        )
    };
    made.git("init --quiet");
    for job in ["plan", "apply"] {
        assert_success("no image is named yet", &run(job, "dev"));
    }
    made.succeed(&format!("image --env dev {good}"));
    // Nobody here signs what is built elsewhere.
    made.succeed(&format!("image --env dev --service office {bad}"));
    assert_success("a signed image", &run("plan", "dev"));
    let asked = made.read(".git/cosign");
    let identity = "https://github.com/acme/payments/.github/workflows/ci-build.yml@refs/heads/main";
    assert!(asked.contains(&format!("--certificate-identity {identity} 111122223333.dkr.ecr.")), "{asked}");
    made.succeed(&format!("image --env dev --service hooks {bad}"));
    for job in ["plan", "apply"] {
        let output = run(job, "dev");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && said.contains("::error::111122223333.dkr.ecr."), "{said}");
    }
    // Where a pipeline deploys, the file names the first image, which the lifecycle has deleted by now.
    made.succeed(&format!("image --env prod --service hooks {bad}"));
    assert_success("an image that is gone", &run("apply", "prod"));
}

#[test]
fn roles_that_trust_another_repository_are_no_use() {
    let made = Made::new(THREE);
    made.write("txnr.toml", &made.read("txnr.toml").replacen("acme/payments", "acme/billing", 1));
    let said = String::from_utf8(made.run("init --check").stderr).unwrap();
    assert_eq!(made.code("init --check"), 3, "{said}");
    assert!(said.contains("the roles of `dev` trust acme/payments and no other"), "{said}");
}

/// The branch stands in workflows, in the subjects that roles trust, in README and runbook; a path holds no other.
#[test]
fn the_branch_that_is_applied_is_the_one_that_is_named() {
    let made = Made::new(&format!("{THREE} --branch release/live"));
    judge(made.folder());
    for path in
        [".github/workflows/ci-build.yml", ".github/workflows/tf-deploy.yml", "RUNBOOK.md", "README.md"]
    {
        let text = made.read(path);
        assert!(text.contains("release/live"), "{path}");
        assert!(
            !text.contains("`main`") && !text.contains("heads/main") && !text.contains("\"main\""),
            "{path}"
        );
    }
    let bootstrap = String::from_utf8(made.run("bootstrap --all --stdout").stdout).unwrap();
    assert_eq!(bootstrap.matches("repo:acme/payments:ref:refs/heads/").count(), 3);
    assert_eq!(bootstrap.matches("repo:acme/payments:ref:refs/heads/release/live\"").count(), 3);
    made.write("txnr.toml", &made.read("txnr.toml").replace("\"release/live\"", "\"main\""));
    let said = String::from_utf8(made.run("init --check").stderr).unwrap();
    assert!(said.contains("branch: the roles of `dev` trust release/live and no other"), "{said}");
    assert_eq!(made.code("init --check"), 3);
}

#[test]
fn what_is_made_is_valid_to_terraform_and_its_hooks_pass() {
    let made = Made::new(THREE);
    made.succeed("synth --all");
    for environment in ["dev", "stage", "prod"] {
        let root = made.folder().join("out").join(environment);
        let terraform = Terraform::offline(&root);
        terraform.init_without_backend();
        assert_eq!(terraform.diagnostics(), Vec::<String>::new(), "{environment}");
    }
    made.git("init --quiet");
    made.git("add --all");
    let txnr = Path::new(env!("CARGO_BIN_EXE_txnr")).parent().unwrap();
    let path = format!("{}:{}", txnr.display(), std::env::var("PATH").unwrap());
    let hook = |id: &str| {
        let mut command = referee("pre-commit", made.folder());
        command
            .args(["run", "--all-files", id])
            .env("PATH", &path)
            .env("PRE_COMMIT_HOME", made.folder().join(".git/hooks-cache"));
        command.output().unwrap()
    };
    for id in ["txnr-init", "txnr-synth", "terraform-validate"] {
        assert_success(id, &hook(id));
    }
    made.write("envs/dev.toml", &made.read("envs/dev.toml").replace("10.10.", "10.11."));
    assert!(!hook("txnr-synth").status.success(), "the hook has to see that out/ is out of date");
}

/// As the pre-commit hook does: on the configuration, by the very resources.
#[test]
fn what_checkov_finds_in_what_is_made_is_excepted_by_resource() {
    let made = Made::new(THREE);
    made.succeed("synth --all");
    let hooks = made.read(".pre-commit-config.yaml");
    let scan = |environment: &str| {
        let arguments = [
            "--framework terraform_json",
            "--skip-path terraform.tf.json",
            "--output json --compact --quiet --soft-fail --skip-download",
        ];
        // The hook runs what is run here.
        assert!(arguments.iter().all(|argument| hooks.contains(argument)), "{hooks}");
        let mut checkov = Command::new(python("checkov"));
        checkov.args(["-m", "checkov.main", "--directory"]).arg(format!("out/{environment}"));
        checkov.args(arguments.join(" ").split_whitespace());
        let output = checkov.current_dir(made.folder()).env("LOG_LEVEL", "ERROR").output().unwrap();
        made.write("checkov.json", &String::from_utf8(output.stdout).unwrap());
        made.run(&format!("findings --env {environment} checkov.json"))
    };
    assert_success("dev", &scan("dev"));
    assert_success("prod", &scan("prod"));
    let bucket = r#"{"resource": {"aws_s3_bucket": {"exports": {"bucket": "exports"}}}}"#;
    made.write("out/dev/exports.tf.json", bucket);
    let said = String::from_utf8(scan("dev").stderr).unwrap();
    assert!(said.contains("aws_s3_bucket.exports: CKV_AWS_144"), "{said}");
    assert!(!said.contains("aws_s3_bucket.audit"), "{said}");
}

#[test]
fn nothing_is_overwritten_without_being_told() {
    let made = Made::new(THREE);
    let (workflow, readme) = (".github/workflows/tf-deploy.yml", "README.md");
    let rendered = made.read(workflow);
    made.write(workflow, "mine");
    made.write(readme, "mine");
    assert_eq!(made.code("init --check"), 4);
    assert_eq!(made.code("init"), 5);
    assert_eq!((made.read(workflow), made.read(readme)), ("mine".to_owned(), "mine".to_owned()));
    made.write("txnr.toml", &made.read("txnr.toml").replace("own = []", &format!("own = [\"{workflow}\"]")));
    made.succeed("init --check");
    made.write("txnr.toml", &made.read("txnr.toml").replace(&format!("own = [\"{workflow}\"]"), "own = []"));
    made.succeed("init --force");
    assert_eq!((made.read(workflow), made.read(readme)), (rendered, "mine".to_owned()));
}

#[test]
fn wrong_answers_are_explained_and_nothing_is_written() {
    let wrong = [
        "init --yes".to_owned(),
        format!("init {BASE}"),
        format!("init {BASE} --account prod"),
        format!("init {} --account prod=111122223333", BASE.replace("oncall@", "\"]#@")),
        format!("init {BASE} --account prod=12"),
        format!("init {BASE} --account prod=111122223333 --code-owner acme"),
        format!("init {BASE} --account prod=111122223333 --dockerfile ../Dockerfile"),
        format!("init {BASE} --account prod=111122223333 --owner ${{{{github.token}}}}"),
        format!("init {BASE} --account prod=111122223333 --account prod=222233334444"),
        format!("init {BASE} --account prod=111122223333 --region qa=eu-central-1"),
        format!("init {BASE} --account prod=111122223333 --region us-east-1 --region eu-central-1"),
        format!("init {BASE} --account prod=111122223333 --region prod=mars"),
        format!("init {BASE} --account prod=111122223333 --numbers 12"),
        format!("init {BASE} --account prod=111122223333 --subject ids"),
        format!("init {BASE} --account prod=111122223333 --code-scanning perhaps"),
        format!("init {BASE} --account prod=111122223333 --required-reviewers no"),
    ];
    for arguments in wrong {
        let made = Made(tempfile::tempdir().unwrap());
        let code = made.code(&arguments);
        assert!(code == 2 || code == 3, "{arguments}: {code}");
        assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0, "{arguments}");
    }
}

/// Types what it is told when it is asked, on a terminal, and says what stood there in the end. Arguments: the program's, and
/// pairs of a question's beginning and its answer, `^D` for the end of all answers.
const TYPIST: &str = r#"
import json, os, pty, sys
program, exchange = json.loads(sys.argv[1]), json.loads(sys.argv[2])
child, terminal = pty.fork()
if child == 0:
    os.execv(program[0], program)
seen, at = "", 0
def read():
    global seen
    try:
        more = os.read(terminal, 4096).decode()
    except OSError:
        more = ""
    seen += more
    return more != ""
for question, answer in exchange:
    while question not in seen[at:]:
        if not read():
            sys.exit(f"never asked {question!r}: {seen}")
    at = seen.index(question, at) + len(question)
    os.write(terminal, b"\x04" if answer == "^D" else (answer + "\n").encode())
while read():
    pass
print(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

fn type_into(made: &Made, arguments: &str, exchange: &[(&str, &str)]) -> (i32, String) {
    let program: Vec<&str> =
        std::iter::once(env!("CARGO_BIN_EXE_txnr")).chain(arguments.split_whitespace()).collect();
    let [program, exchange] =
        [serde_json::to_string(&program), serde_json::to_string(exchange)].map(Result::unwrap);
    let mut command = Command::new(python("referees"));
    let output =
        command.args(["-c", TYPIST, &program, &exchange]).current_dir(made.folder()).output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.code().unwrap(), said)
}

#[test]
fn a_person_is_asked_and_asked_again_until_the_answer_can_be_used() {
    let made = Made(tempfile::tempdir().unwrap());
    made.write("Dockerfile", "FROM node:22-alpine\nEXPOSE 3000\nUSER node\nCMD [\"node\", \"server.js\"]\n");
    let exchange = [
        // What an answer may be is said before the first is refused.
        ("15 lower-case letters", ""),
        ("Organization's short name: ", "Acme Corp"),
        ("Organization's short name: ", "acme"),
        ("Repository on GitHub, OWNER/NAME: ", "acme"),
        ("Repository on GitHub, OWNER/NAME: ", "git@github.com:acme/payments.git"),
        ("Numbers of the repository's owner and of the repository", "1234567"),
        ("Numbers of the repository's owner and of the repository", "1234567/987654321"),
        ("What the subjects of its tokens hold", ""),
        ("Has it code scanning (public, or GitHub Code Security), yes or no [no]: ", "maybe"),
        ("Has it code scanning (public, or GitHub Code Security), yes or no [no]: ", "yes"),
        ("Can its environments have required reviewers", ""),
        ("Branch whose merges are applied [main]: ", "trunk"),
        ("Who has to approve changes", "@acme/platform @ada"),
        ("What the main service runs [none]: ", "mine"),
        ("What the main service runs [none]: ", ""),
        ("Service's name [payments]: ", ""),
        ("Project's name, with which every resource's name begins [payments]: ", "Pay"),
        ("Project's name, with which every resource's name begins [payments]: ", "pay"),
        ("Port that the service listens on [3000]: ", "80"),
        ("Port that the service listens on [3000]: ", ""),
        ("Number of the user that it runs as [1000]: ", ""),
        ("Path that answers 200 when the service can serve [/readyz]: ", "up"),
        ("Path that answers 200 when the service can serve [/readyz]: ", "/up"),
        ("Language of the service [node]: ", ""),
        ("Domain in production: ", "pay.example.com"),
        ("Public Route 53 zone of the domain [example.com]: ", "example.org"),
        ("Public Route 53 zone of the domain [example.com]: ", ""),
        ("Environments and their accounts, such as dev=ID stage=ID prod=ID: ", "dev=1"),
        (
            "Environments and their accounts, such as dev=ID stage=ID prod=ID: ",
            "dev=111122223333 prod=222233334444",
        ),
        ("Who answers for it and is called at night [platform]: ", ""),
        ("Address that alarms are mailed to: ", "oncall"),
        ("Address that alarms are mailed to: ", "oncall@example.com"),
        ("Address of the runbook [https://github.com/acme/payments/blob/trunk/RUNBOOK.md]: ", ""),
        ("Write them, yes or no [yes]: ", "yes"),
    ];
    // What a flag says is not asked.
    let (code, said) = type_into(&made, "init --region eu-central-1 --txnr acme/txnr", &exchange);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("\"Acme Corp\"") && !said.contains("Region, or"), "{said}");
    assert!(said.contains("https://pay.dev.example.com (zone dev.example.com)"), "a summary: {said}");
    let prod = made.read("envs/prod.toml");
    for value in [
        "region = \"eu-central-1\"",
        "contract = \"none\"",
        "name = \"payments\"",
        "container_port = 3000\nuser_id = 1000\n",
        "health_check.path = \"/up\"",
        "branch = \"trunk\"",
        "222233334444",
        "\nproject = \"pay\"\n",
        "\n[state]\nkey = \"pay/prod/terraform.tfstate\"\n",
        "owner_id = 1234567\nrepository_id = 987654321\n",
    ] {
        assert!(prod.contains(value), "{value}\n{prod}");
    }
    let project = made.read("txnr.toml");
    assert!(
        project.contains("code_scanning = true\n") && project.contains("[\"@acme/platform\", \"@ada\"]"),
        "{project}"
    );
    assert!(project.contains("language = \"node\"") && !project.contains("cargo"), "{project}");
    assert!(made.read("CODEOWNERS").contains("* @acme/platform @ada\n"));
    assert!(made.read("Dockerfile").contains("USER node"), "the Dockerfile is theirs");
    made.succeed("init --check");
    made.succeed("synth --all");
}

#[test]
fn a_person_who_does_not_confirm_has_written_nothing() {
    let made = Made(tempfile::tempdir().unwrap());
    let flags = OWN.replace("--yes ", "");
    let arguments = format!(
        "init {flags} --account prod=111122223333 --numbers 1/2 --subject numbers --code-scanning no \
         --required-reviewers yes --branch main --contract none --service checkout --project checkout --port 8080 \
         --user-id 1000 --health-path /up --language go --hosted-zone globex.example --region eu-west-1 --owner platform \
         --runbook https://wiki.globex.example/runbook"
    );
    let (code, said) = type_into(&made, &arguments, &[("Write them, yes or no", "no")]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("eu-west-1") && said.contains("nothing was written"), "{said}");
    assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0);
    // Every question has a flag.
    let (code, said) = type_into(&made, &arguments, &[("Write them, yes or no", "")]);
    assert_eq!((code, said.matches("]: ").count()), (0, 1), "{said}");
    assert!(made.read("envs/prod.toml").contains("runbook_url = \"https://wiki.globex.example/runbook\""));
}

/// What another company gets has nothing of this product's own service: neither what is rendered nor what is synthesized.
#[test]
fn nothing_of_this_products_service_is_in_anybodys_repository() {
    for (language, file, check) in [
        ("node", "package.json", "npm"),
        ("go", "go.mod", "go vet"),
        ("python", "requirements.txt", "unittest"),
        ("rust", "Cargo.toml", "cargo test"),
        ("other", "main.c", ""),
    ] {
        let made = Made(tempfile::tempdir().unwrap());
        made.write(file, "");
        made.succeed(&format!("init {OWN} {THREE} --region eu-central-1"));
        made.succeed("synth --all");
        made.succeed("init --check");
        if language == "node" {
            judge(made.folder());
        }
        let project = made.read("txnr.toml");
        assert!(
            project.contains(&format!("language = \"{language}\"")) && project.contains(check),
            "{project}"
        );
        assert_eq!(made.folder().join("Dockerfile").exists(), language != "other");
        let mut files = 0;
        for path in all_files(made.folder()) {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(made.folder()).unwrap().display().to_string();
            // The list of every key of an environment file, whichever contract it is of, for editors.
            if name == "envs/schema.json" {
                continue;
            }
            for (at, line) in text.lines().enumerate() {
                for word in words_of(line) {
                    assert!(!FOREIGN.contains(&word.as_str()), "{name}:{}: {word}: {line}", at + 1);
                    let rust = ["cargo", "crate", "crates", "rust", "clippy"].contains(&word.as_str());
                    assert!(!rust || language == "rust" || name == file, "{name}:{}: {line}", at + 1);
                }
            }
            files += 1;
        }
        assert!(files > 60, "{files}");
        let agents = made.read("AGENTS.md");
        for part in
            ["`dev`, `stage`, `prod`", "`txnr synth --all`", "against `main`", "@globex/platform approve"]
        {
            assert!(agents.contains(part), "{part}: {agents}");
        }
    }
}

/// Words of the reconciliation service.
const FOREIGN: [&str; 13] = [
    "reconcile",
    "reconciled",
    "reconciles",
    "reconciliation",
    "bank",
    "banks",
    "statements",
    "ledger",
    "ledgers",
    "txn",
    "anchor",
    "anchors",
    "acquirer",
];

/// The words of a line in small letters: letters alone.
fn words_of(line: &str) -> impl Iterator<Item = String> {
    line.split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(all_files(&path)) } else { files.push(path) }
    }
    files
}

/// Port, user and health path are read where a Dockerfile tells them, and asked for where it does not.
#[test]
fn a_dockerfile_tells_what_it_knows_and_the_rest_is_asked_for() {
    let with = |dockerfile: &str, more: &str| {
        let made = Made(tempfile::tempdir().unwrap());
        made.write("Dockerfile", dockerfile);
        let output = made.run(&format!("init {OWN} --account prod=111122223333 {more}"));
        let said = String::from_utf8(output.stderr).unwrap();
        let prod = made.folder().join("envs/prod.toml");
        (output.status.code().unwrap(), said, fs::read_to_string(prod).unwrap_or_default())
    };
    let node = "FROM node:22\nENV PORT=4000\nEXPOSE $PORT\nUSER node\nHEALTHCHECK CMD curl -f http://localhost:4000/live\n";
    let (code, said, prod) = with(node, "");
    assert_eq!(code, 0, "{said}");
    let told = "container_port = 4000\nuser_id = 1000\n# Answers 200 when the container can serve.\nhealth_check.path = \"/live\"";
    assert!(prod.contains(told), "{prod}");
    for (dockerfile, missing) in [
        ("FROM node:22\nEXPOSE 80\nUSER node\n", "--port is missing"),
        ("FROM node:22\nEXPOSE 3000 9090\nUSER node\n", "--port is missing"),
        ("FROM node:22\nEXPOSE 3000\nUSER app\n", "--user-id is missing"),
        ("FROM node:22\nEXPOSE 3000\nUSER root\n", "--user-id is missing"),
        ("FROM python:3\nEXPOSE 80\nUSER app\n", "--port, --user-id are missing"),
    ] {
        let (code, said, prod) = with(dockerfile, "");
        assert!(code == 2 && said.contains(missing) && prod.is_empty(), "{dockerfile}: {said}");
        assert_eq!(with(dockerfile, "--port 3000 --user-id 1000").0, 0);
    }
}

/// Sets of environments that are valid only with what follows for each from the others.
#[test]
fn what_makes_a_set_valid_is_proposed() {
    let with = |more: &str| {
        let made = Made(tempfile::tempdir().unwrap());
        let base = if more.contains("--domain") {
            OWN.replace("--domain pay.globex.example ", "")
        } else {
            OWN.to_owned()
        };
        made.succeed(&format!("init {base} {more}"));
        made.succeed("synth --all");
        made.succeed("init --check");
        made
    };
    // Two strict ones: the last is production itself.
    let made = with("--account eu=111122223333 --account us=222233334444");
    assert!(made.read("envs/eu.toml").contains("domain = \"pay.eu.globex.example\""));
    assert!(made.read("envs/us.toml").contains("domain = \"pay.globex.example\""));
    // An apex domain, below a name under which everybody registers too.
    for apex in ["globex.example", "globex.co.uk"] {
        let made = with(&format!("--domain {apex} --account dev=111122223333 --account prod=222233334444"));
        let (dev, prod) = (made.read("envs/dev.toml"), made.read("envs/prod.toml"));
        assert!(prod.contains(&format!("domain = \"{apex}\"\n")), "{prod}");
        assert!(prod.contains(&format!("hosted_zone = \"{apex}\"\n")), "{prod}");
        assert!(dev.contains(&format!("domain = \"dev.{apex}\"\n")), "{dev}");
        assert!(dev.contains(&format!("hosted_zone = \"dev.{apex}\"\n")), "{dev}");
    }
    let made = with(
        "--domain api.pay.globex.example --hosted-zone globex.example --account dev=111122223333 --account prod=222233334444",
    );
    let dev = made.read("envs/dev.toml");
    assert!(dev.contains("domain = \"api.pay.dev.globex.example\"\n# The public zone of the domain.\nhosted_zone = \"dev.globex.example\""), "{dev}");
    // Several in one account, in one region and in two; production in one of its own.
    let made = with(
        "--account dev=111122223333 --account qa=111122223333 --account stage=111122223333 --account prod=222233334444 \
         --region qa=eu-west-1",
    );
    for (name, baseline, service) in [
        ("dev", false, "checkout-dev"),
        ("qa", false, "checkout"),
        ("stage", true, "checkout"),
        ("prod", true, "checkout"),
    ] {
        let file = made.read(&format!("envs/{name}.toml"));
        assert_eq!(!file.contains("baseline = false"), baseline, "{file}");
        assert!(file.contains(&format!("\nname = \"{service}\"\n")), "{file}");
    }
    // Zones of the region.
    let made = with("--account prod=111122223333 --region ap-northeast-1");
    assert!(made.read("envs/prod.toml").contains("availability_zones = [\"a\", \"c\", \"d\"]"));
}

/// Whatever cannot become a valid set is refused before the first file.
#[test]
fn a_first_run_writes_everything_or_nothing() {
    let made = Made(tempfile::tempdir().unwrap());
    let long = "a-service-with-a-very-long-name";
    let shared = "--account dev=111122223333 --account prod=111122223333";
    let output = made.run(&format!("init {OWN} {shared} --project pay --service {long}"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&format!("{long}-dev")), "{said}");
    assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0);
    let page = OWN.replace("oncall@globex.example", "http://globex.example");
    let output = made.run(&format!("init {page} --account prod=111122223333"));
    assert_eq!((output.status.code(), fs::read_dir(made.folder()).unwrap().count()), (Some(2), 0));
    // A file that stands where one is rendered.
    made.write("RUNBOOK.md", "ours\n");
    let arguments = format!("init {OWN} --account prod=111122223333");
    let output = made.run(&arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(5) && said.contains("RUNBOOK.md") && said.contains("--own"),
        "{said}"
    );
    assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 1);
    made.succeed(&format!("{arguments} --own RUNBOOK.md"));
    assert_eq!(made.read("RUNBOOK.md"), "ours\n");
    assert!(made.read("txnr.toml").contains("own = [\"RUNBOOK.md\"]"));
    made.succeed("init --check");
}

#[test]
fn what_flags_lack_is_named_at_once() {
    let made = Made(tempfile::tempdir().unwrap());
    let said = String::from_utf8(made.run("init --yes").stderr).unwrap();
    let all = "--organization, --repository, --code-owner, --txnr, --domain, --account, --page are missing";
    assert!(said.contains(all), "{said}");
    let said = String::from_utf8(made.run("init --yes --organization ACME --repository x --port 80").stderr)
        .unwrap();
    for part in [
        "--organization: ",
        "--repository: ",
        "--port: ",
        "--code-owner, --txnr, --domain, --account, --page are missing",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said =
        String::from_utf8(made.run(&format!("init {BASE} --account prod=111122223333 --port 80")).stderr)
            .unwrap();
    assert!(said.contains("--port: the contract of txn-reconcile-api says"), "{said}");
    assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0);
}

#[test]
fn a_person_who_leaves_has_written_nothing() {
    let made = Made(tempfile::tempdir().unwrap());
    let (code, said) = type_into(&made, "init", &[("Organization's short name: ", "^D")]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("the answers ended") && said.contains("txnr init --help"), "{said}");
    assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0);
}

/// The shell of the release, with the binary of this build, and of the action that installs what was released.
#[test]
fn what_is_released_is_what_pipelines_install() {
    let made = Made::new("--account dev=111122223333");
    for file in
        [".github/workflows/release.yml", "README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"]
    {
        fs::copy(repository(file), made.folder().join(file)).unwrap();
    }
    made.git("init --quiet --initial-branch main");
    made.git("add --all");
    made.git("-c user.name=t -c user.email=t@example.com commit --quiet --message all");
    let version = env!("CARGO_PKG_VERSION");
    let tag = format!("v{version}");
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let metadata = format!("echo '{{\"packages\": [{{\"name\": \"txnr\", \"version\": \"{version}\"}}]}}'");
    let cargo = format!(
        "case \"$1\" in metadata) {metadata} ;; *) mkdir -p target/{target}/release; cp '{}' target/{target}/release/ ;; esac",
        env!("CARGO_BIN_EXE_txnr")
    );
    let variables = [("GITHUB_REF_NAME", tag.as_str()), ("TARGET", &target)];
    let programs = [("cargo", cargo.as_str()), ("rustup", "true")];
    let build = made.job("release", "build");
    let run = |step: &str| made.step(&build, step, &programs, &variables);
    assert_success("the tag is the version", &run("The tag is the version"));
    assert_success("packed", &run("Build and pack"));
    // Whoever packs the same again gets the same.
    let archive = made.folder().join(format!("txnr-{version}-{target}.tar.gz"));
    let packed = fs::read(&archive).unwrap();
    assert_success("packed again", &run("Build and pack"));
    assert!(packed == fs::read(&archive).unwrap(), "another archive of the same commit");
    // A tag of something that nobody has merged is not released.
    let merged = || {
        made.step(
            &made.job("release", "check"),
            "The tag is of what has been merged",
            &[],
            &[("GITHUB_SHA", "HEAD")],
        )
    };
    assert!(!merged().status.success());
    made.git("update-ref refs/remotes/origin/main HEAD");
    assert_success("merged", &merged());
    let other = made.step(&build, "The tag is the version", &programs, &[("GITHUB_REF_NAME", "v9.9.9")]);
    assert!(!other.status.success());
    let publish = made.job("release", "publish");
    assert_success("checksums", &made.step(&publish, "Write the checksums", &[], &[]));

    let name = format!("txnr-{version}-{target}");
    let listed =
        Command::new("tar").args(["-tzf", &format!("{name}.tar.gz")]).current_dir(made.folder()).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    for file in [
        "txnr",
        "README.md",
        "CHANGELOG.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "man/txnr.1",
        "man/txnr-synth.1",
        "completions/txnr.bash",
        "completions/txnr.elvish",
        "completions/txnr.fish",
        "completions/txnr.powershell",
        "completions/txnr.zsh",
    ] {
        assert!(listed.lines().any(|line| line == format!("{name}/{file}")), "{file}\n{listed}");
    }

    let action = made.yaml(".github/actions/setup/action.yml")["runs"].take();
    let temp = made.folder().join(".git/temp");
    let gh = "case \"$1 $2\" in 'release download') mkdir -p \"$7\"; cp txnr-*.tar.gz SHA256SUMS \"$7\" ;; esac; echo \"$*\" >> ~/asked";
    let home = made.folder().join(".git");
    let variables = [
        ("RUNNER_TEMP", temp.to_str().unwrap()),
        ("HOME", home.to_str().unwrap()),
        ("TXNR_REPOSITORY", "acme/txnr"),
        ("TXNR_VERSION", version),
    ];
    let programs = [("gh", gh), ("sudo", "cp \"$2\" ~/installed")];
    let step = "Install txnr, whose checksum and provenance are verified";
    assert_success("installed", &made.step(&action, step, &programs, &variables));
    let installed = Command::new(home.join("installed")).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&installed.stdout).trim(), format!("txnr {version}"));
    assert!(made.read(".git/asked").contains("attestation verify"));
    // What is not what was released is not installed.
    let archive = made.folder().join(format!("{name}.tar.gz"));
    fs::write(&archive, "another").unwrap();
    fs::remove_file(home.join("installed")).unwrap();
    assert!(!made.step(&action, step, &programs, &variables).status.success());
    assert!(!home.join("installed").exists());
}

#[test]
fn every_environment_has_a_place_in_the_promotion() {
    let made = Made::new(THREE);
    made.write("txnr.toml", &made.read("txnr.toml").replace("\"stage\", ", ""));
    assert_eq!(made.code("init --check"), 3);
    made.write(
        "txnr.toml",
        &made.read("txnr.toml").replace("\"prod\"]", "\"prod\", \"stage\", \"nowhere\"]"),
    );
    assert_eq!(made.code("init --check"), 3);
}

#[test]
fn an_image_is_named_and_the_rest_of_the_file_stays() {
    let made = Made::new(THREE);
    let before = made.read("envs/prod.toml");
    let digest = format!("sha256:{}", "ab".repeat(32));
    made.succeed(&format!("image --env prod {digest}"));
    let after = made.read("envs/prod.toml");
    assert!(after.contains(&format!("image = \"{digest}\"")));
    let others: Vec<&str> = after.lines().filter(|line| !line.starts_with("image = ")).collect();
    // But for the line that says that there is none.
    assert!(before.contains("# No image yet") && !after.contains("# No image yet"), "{after}");
    assert_eq!(others, before.lines().filter(|line| !line.starts_with("# No image yet")).collect::<Vec<_>>());
    assert_eq!(made.code("image --env prod sha256:12"), 2);
}

/// Whatever ends its lines, and wherever it lies.
#[test]
fn the_file_that_names_an_image_stays_what_it_was() {
    let made = Made::new(THREE);
    made.write("envs/prod.toml", &made.read("envs/prod.toml").replace('\n', "\r\n"));
    let (digest, real) = (format!("sha256:{}", "ab".repeat(32)), made.folder().join("prod.toml"));
    fs::rename(made.folder().join("envs/prod.toml"), &real).unwrap();
    std::os::unix::fs::symlink("../prod.toml", made.folder().join("envs/prod.toml")).unwrap();
    made.succeed(&format!("image --env prod {digest}"));
    assert!(made.folder().join("envs/prod.toml").is_symlink());
    let after = fs::read_to_string(&real).unwrap();
    assert!(after.contains(&digest) && !after.contains("# No image yet"), "{after}");
    assert!(
        after.lines().count() > 20 && after.matches('\n').count() == after.matches("\r\n").count(),
        "{after:?}"
    );
    made.succeed("synth --env prod");
}

#[test]
fn the_image_of_one_service_is_named_and_no_other() {
    let made = several();
    let digest = |byte: &str| format!("sha256:{}", byte.repeat(32));
    made.succeed(&format!("image --env prod {}", digest("aa")));
    made.succeed(&format!("image --env prod --service office {}", digest("bb")));
    let commented = made
        .read("envs/prod.toml")
        .replace(&format!("\"{}\"", digest("bb")), &format!("\"{}\" # of May", digest("bb")));
    made.write("envs/prod.toml", &commented);
    made.succeed(&format!("image --env prod --service office {}", digest("cc")));
    assert_eq!(made.read("envs/prod.toml"), commented.replace(&digest("bb"), &digest("cc")));
    // However the file writes the table.
    made.write(
        "envs/dev.toml",
        &made.read("envs/dev.toml").replace("[services.office]\nhosts", "[services]\noffice.hosts"),
    );
    let before = made.read("envs/dev.toml");
    made.succeed(&format!("image --env dev --service office {}", digest("dd")));
    let after = made.read("envs/dev.toml");
    assert_eq!(after.lines().count(), before.lines().count() + 1, "{after}");
    let envs = String::from_utf8(made.run("envs --json").stdout).unwrap();
    assert!(envs.contains(&format!("/office@{}", digest("dd"))), "{envs}");

    let before = made.read("envs/prod.toml");
    for (name, remedy) in
        [("offices", "there are hooks, office"), ("txn-reconcile-api", "there are hooks, office")]
    {
        let arguments = format!("image --env prod --service {name} {}", digest("ee"));
        let said = String::from_utf8(made.run(&arguments).stderr).unwrap();
        assert_eq!(made.code(&arguments), 2);
        assert!(
            said.contains(&format!("no service `{name}` under [services]")) && said.contains(remedy),
            "{said}"
        );
        assert!(said.contains("envs/prod.toml"), "{said}");
    }
    assert_eq!(made.read("envs/prod.toml"), before);
}

/// The sample that is checked in, which a reader takes for what `txnr init` makes.
#[test]
fn the_example_is_up_to_date() {
    let example = repository("examples/reconcile");
    let output =
        Command::new(env!("CARGO_BIN_EXE_txnr")).args(["init", "--check"]).current_dir(&example).output();
    assert_success("txnr init --check\n  fix: cargo xtask generate", &output.unwrap());
    judge(&example);
}

/// This repository's own workflows, beside those that it renders for others.
#[test]
fn the_products_own_workflows_pass_the_referees() {
    let folder = repository("");
    let files: Vec<PathBuf> =
        fs::read_dir(folder.join(".github/workflows")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2, "ci.yml and release.yml: {files:?}");
    schema(&folder, "vendor.github-workflows", &files);
    schema(&folder, "vendor.renovate", &[PathBuf::from(".github/renovate.json")]);
    let strict = ["--strict", "--config-file", "examples/reconcile/.yamllint.yaml", ".github"];
    assert_success("yamllint", &referee("yamllint", &folder).args(strict).output().unwrap());
    let zizmor = ["--offline", "--no-progress", ".github"];
    assert_success("zizmor", &referee("zizmor", &folder).args(zizmor).output().unwrap());
    for path in &files {
        pinned(path);
        let workflow = yaml(path);
        assert_eq!(
            workflow["permissions"],
            serde_json::json!({}),
            "{path:?}: a job gets what it names and nothing else"
        );
        for (name, job) in workflow["jobs"].as_object().unwrap() {
            assert!(job["timeout-minutes"].is_u64() && job["permissions"].is_object(), "{path:?}: {name}");
        }
    }
    let rendered =
        fs::read_to_string(repository("examples/reconcile/.github/workflows/release.yml")).unwrap();
    let own = fs::read_to_string(repository(".github/workflows/release.yml")).unwrap();
    let below_the_head = |text: &str| text.split_once("\nname: ").unwrap().1.to_owned();
    assert_eq!(below_the_head(&own), below_the_head(&rendered), "one way to release txnr");
}

/// An adopter's repository, whose own integration test applies the platform to the local AWS.
#[test]
fn the_integration_test_passes_on_the_local_aws() {
    let made = Made::new("--account dev=111122223333");
    made.succeed("synth --all");
    let aws = LocalAws::start("111122223333");
    let output = Command::new(python("referees"))
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--quiet", "tests/infrastructure"])
        .current_dir(made.folder())
        .envs(aws.environment())
        .output();
    assert_success("pytest", &output.unwrap());
    assert_eq!(aws.gaps(), Vec::<String>::new(), "calls that the local AWS does not implement");
}
