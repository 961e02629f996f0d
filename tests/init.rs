//! The proof of `txnr init`: repositories made with every combination of its options synthesize and validate at once,
//! and the external referees have nothing to say of what is rendered. `tests/setup` makes the referees.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "shared with the end-to-end tests, which use the rest")]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::local_aws::LocalAws;
use support::terraform::Terraform;
use support::{python, repository};

const BASE: &str = "--yes --organization acme --domain pay.example.com --page oncall@example.com --repository acme/payments --txnr acme/txnr";
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
    for strategy in ["external", "blue-green"] {
        assert_eq!(
            workflows[0].matches(&format!("bash .github/deploy.sh {strategy}\n")).count(),
            1,
            "{strategy}"
        );
    }
    assert!(
        !Made::new(THREE).folder().join(".github/deploy.sh").exists(),
        "Terraform deploys every environment"
    );
}

#[test]
fn roles_that_trust_another_repository_are_no_use() {
    let made = Made::new(THREE);
    made.write("txnr.toml", &made.read("txnr.toml").replacen("acme/payments", "acme/billing", 1));
    let said = String::from_utf8(made.run("init --check").stderr).unwrap();
    assert_eq!(made.code("init --check"), 3, "{said}");
    assert!(said.contains("the roles of `dev` trust acme/payments and no other"), "{said}");
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
    ];
    for arguments in wrong {
        let made = Made(tempfile::tempdir().unwrap());
        let code = made.code(&arguments);
        assert!(code == 2 || code == 3, "{arguments}: {code}");
        assert_eq!(fs::read_dir(made.folder()).unwrap().count(), 0, "{arguments}");
    }
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
