//! The proof of `txnr init`: repositories made with every combination of its options synthesize and validate at once,
//! and the external referees have nothing to say of what is rendered. `tests/setup` makes the referees.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "shared with the end-to-end tests, which use the rest")]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::local_aws::LocalAws;
use support::terraform::Terraform;
use support::{python, repository};

const BASE: &str = "--yes --organization acme --project txn-reconcile --domain pay.example.com --page oncall@example.com --repository acme/payments --txnr acme/txnr";
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
        let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
        let mut command = Command::new(python("referees"));
        let output = command.args(["-c", script, path]).current_dir(self.folder()).output().unwrap();
        assert_success(path, &output);
        serde_json::from_slice(&output.stdout).unwrap()
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
    (list(".github/workflows"), list(".github/actions/setup"))
}

/// What every rendered repository has to pass.
fn judge(folder: &Path) {
    let (workflows, actions) = workflows(folder);
    assert!(workflows.len() >= 2 && actions.len() == 1);
    let schema = |kind: &str, files: &[PathBuf]| {
        let mut command = referee("check-jsonschema", folder);
        assert_success(kind, &command.args(["--builtin-schema", kind]).args(files).output().unwrap());
    };
    schema("vendor.github-workflows", &workflows);
    schema("vendor.github-actions", &actions);
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
    for name in ["image"].iter().chain(&environments) {
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

/// What the workflow does in the end, with a stand-in for GitHub: a branch with the one digest in it, from an app's token
/// where there is one.
#[test]
fn a_deployment_is_asked_for_by_a_branch_that_changes_one_digest() {
    let made = several();
    made.succeed("synth --all");
    made.git("init --quiet --initial-branch main");
    made.git("add --all");
    made.git("-c user.name=t -c user.email=t@example.com commit --quiet --message all");
    made.git("clone --quiet --bare . .git/origin");
    made.git("remote add origin .git/origin");
    let job = made.job("ci-build", "publish-dev");
    let digest = format!("sha256:{}", "0a".repeat(32));
    let gh = "if [ \"$1\" = pr ]; then echo \"$*\" >> .git/asked; fi";
    let run = || {
        let variables =
            [("ENVIRONMENT", "dev"), ("SERVICE", "hooks"), ("FURTHER", "hooks"), ("DIGEST", digest.as_str())];
        assert_success("the step", &made.step(&job, "Ask for its deployment", &[("gh", gh)], &variables));
    };
    run();
    let branch = format!("deploy/dev/hooks/{}", "0a".repeat(32));
    made.git(&format!("fetch --quiet origin {branch}"));
    let output = Command::new("git")
        .args(["diff", "main", "FETCH_HEAD", "--stat=200"])
        .current_dir(made.folder())
        .output();
    let changed = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(changed.contains("envs/dev.toml") && changed.contains("out/dev/ecs.tf.json"), "{changed}");
    assert!(!changed.contains("prod"), "{changed}");
    assert!(made.read("envs/dev.toml").contains(&format!("image = \"{digest}\"")));
    assert!(made.read(".git/asked").contains(&format!("pr create --fill --head {branch} --base main")));
    // A second run of the same commit asks for nothing.
    run();
    assert_eq!(made.read(".git/asked").lines().count(), 1);
    let app = job["steps"].as_array().unwrap().iter().find(|step| step["id"] == "app").unwrap();
    assert!(app["if"].as_str().unwrap().starts_with("vars.DEPLOY_APP_ID != ''"));
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
        let then = at("Plan").or(at("Apply the saved plan")).unwrap();
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
    let exchange = [
        ("Organization's short name: ", ""),
        ("Organization's short name: ", "Acme Corp"),
        ("Organization's short name: ", "acme"),
        ("Repository on GitHub, OWNER/NAME: ", "acme"),
        ("Repository on GitHub, OWNER/NAME: ", "acme/payments"),
        ("Branch whose merges are applied [main]: ", "trunk"),
        ("Service's name [txn-reconcile-api]: ", ""),
        ("Project's name, with which every resource's name begins [txn-reconcile-api]: ", "Pay"),
        ("Project's name, with which every resource's name begins [txn-reconcile-api]: ", "pay"),
        ("Domain in production: ", "pay.example.com"),
        ("Environments and their accounts, such as dev=ID stage=ID prod=ID: ", "dev=1"),
        (
            "Environments and their accounts, such as dev=ID stage=ID prod=ID: ",
            "dev=111122223333 prod=222233334444",
        ),
        ("Who answers for it and is called at night [platform]: ", ""),
        ("Address that alarms are mailed to: ", "oncall"),
        ("Address that alarms are mailed to: ", "oncall@example.com"),
    ];
    // What a flag says is not asked.
    let (code, said) = type_into(&made, "init --region eu-central-1 --txnr acme/txnr", &exchange);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("\"Acme Corp\"") && !said.contains("Region"), "{said}");
    let prod = made.read("envs/prod.toml");
    for value in [
        "region = \"eu-central-1\"",
        "name = \"txn-reconcile-api\"",
        "branch = \"trunk\"",
        "222233334444",
        "\nproject = \"pay\"\n",
        "\n[state]\nkey = \"pay/prod/terraform.tfstate\"\n",
    ] {
        assert!(prod.contains(value), "{value}\n{prod}");
    }
    made.succeed("init --check");
    made.succeed("synth --all");
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
    made.git("init --quiet");
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
    assert_eq!(others, before.lines().collect::<Vec<_>>());
    assert_eq!(made.code("image --env prod sha256:12"), 2);
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

#[test]
fn this_repository_is_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_txnr"))
        .args(["init", "--check"])
        .current_dir(repository(""))
        .output();
    assert_success("txnr init --check\n  fix: cargo run -- init --force", &output.unwrap());
    judge(&repository(""));
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
