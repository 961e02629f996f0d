//! The files of a repository, rendered from `txnr.toml`, the environment files and the contract.
//!
//! A value never breaks the file that it stands in: in YAML every value is rendered as JSON, which YAML reads as the same
//! value whatever its characters are. The few that are part of a name or of prose are `safe` in the template; they have
//! types that hold nothing but plain characters.

use super::file::{Project, ProjectError};
use super::{FilePath, Language};
use crate::alarm::document;
use crate::config::load::Environment;
use crate::config::{
    APPLY_SESSION_HOURS, Architecture, Deployment, EnvConfig, Strategy, WorkflowRole, Workload,
};
use crate::names::cluster;
use crate::stacks::{deploy, ecr};
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, UndefinedBehavior, Value, context};
use serde::Serialize;
use std::collections::BTreeSet;

/// How long a rendered file stays as it was rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It follows its template: `--check` says when it does not.
    UpToDate,
    /// It is written where there is none, and belongs to the repository from then on.
    Once,
}

/// A file and its template.
struct Template {
    path: &'static str,
    text: &'static str,
    kept: Kept,
    wanted: fn(&Project, &[&EnvConfig]) -> bool,
}

macro_rules! template {
    ($path:literal, $source:literal, $kept:ident, $wanted:expr) => {
        Template {
            path: $path,
            text: include_str!(concat!("../../templates/", $source)),
            kept: Kept::$kept,
            wanted: $wanted,
        }
    };
}

const ALWAYS: fn(&Project, &[&EnvConfig]) -> bool = |_, _| true;

/// Every file of a repository.
const TEMPLATES: [Template; 32] = [
    template!(".github/actions/setup/action.yml", "github/actions/setup/action.yml", UpToDate, ALWAYS),
    template!(".github/actions/scanners/action.yml", "github/actions/scanners/action.yml", UpToDate, ALWAYS),
    template!(
        ".github/actions/scanners/checkov.txt",
        "github/actions/scanners/checkov.txt",
        UpToDate,
        ALWAYS
    ),
    template!(".github/keep-state.sh", "github/keep-state.sh", UpToDate, ALWAYS),
    template!(".github/settings.sh", "github/settings.sh", UpToDate, ALWAYS),
    template!(".gitattributes", "gitattributes", Once, ALWAYS),
    template!(".github/renovate.json", "github/renovate.json", Once, ALWAYS),
    template!(".github/workflows/ci-build.yml", "github/workflows/ci-build.yml", UpToDate, |p, _| p
        .image
        .is_some()),
    template!(".github/deploy.sh", "github/deploy.sh", UpToDate, |p, environments| {
        let deploys = |built: &Built<'_>, config| {
            built.in_environment(config).is_some_and(|service| service.strategy != "rolling")
        };
        let built = Built::all(p, environments).unwrap_or_default();
        built.iter().any(|built| environments.iter().any(|config| deploys(built, config)))
    }),
    template!(".github/verify.sh", "github/verify.sh", UpToDate, |p, _| p.image.is_some()),
    template!(".github/workflows/tf-deploy.yml", "github/workflows/tf-deploy.yml", UpToDate, ALWAYS),
    template!(
        ".github/workflows/tf-environment.yml",
        "github/workflows/tf-environment.yml",
        UpToDate,
        ALWAYS
    ),
    template!(".github/workflows/release.yml", "github/workflows/release.yml", UpToDate, |p, _| p
        .txnr
        .version
        .is_none()),
    template!(".pre-commit-config.yaml", "pre-commit-config.yaml", UpToDate, ALWAYS),
    template!(".github/zizmor.yml", "github/zizmor.yml", UpToDate, ALWAYS),
    template!(".yamllint.yaml", "yamllint.yaml", UpToDate, ALWAYS),
    template!("RUNBOOK.md", "RUNBOOK.md", UpToDate, ALWAYS),
    // This repository's own is changed as CONTRIBUTING.md says.
    template!("AGENTS.md", "AGENTS.md", UpToDate, |p, _| p.txnr.version.is_some()),
    template!("tests/infrastructure/test_platform.py", "tests/test_platform.py", UpToDate, ALWAYS),
    template!("tests/infrastructure/requirements.txt", "tests/requirements.txt", UpToDate, ALWAYS),
    template!("scan-exceptions.toml", "scan-exceptions.toml", Once, ALWAYS),
    template!(".trivyignore.yaml", "trivyignore.yaml", Once, ALWAYS),
    template!(".gitignore", "gitignore", Once, ALWAYS),
    template!(".dockerignore", "dockerignore", Once, |p, _| p.image.is_some()),
    template!("CODEOWNERS", "CODEOWNERS", Once, ALWAYS),
    template!("README.md", "README.md", Once, ALWAYS),
    template!("SECURITY.md", "SECURITY.md", Once, ALWAYS),
    template!("Dockerfile", "dockerfiles/txn-reconcile-api", Once, |p, environments| {
        builds(p, None) && have_contract(environments)
    }),
    template!("Dockerfile", "dockerfiles/rust", Once, |p, environments| {
        builds(p, Some(Language::Rust)) && !have_contract(environments)
    }),
    template!("Dockerfile", "dockerfiles/node", Once, |p, environments| {
        builds(p, Some(Language::Node)) && !have_contract(environments)
    }),
    template!("Dockerfile", "dockerfiles/go", Once, |p, environments| {
        builds(p, Some(Language::Go)) && !have_contract(environments)
    }),
    template!("Dockerfile", "dockerfiles/python", Once, |p, environments| {
        builds(p, Some(Language::Python)) && !have_contract(environments)
    }),
];

/// Whether the pipeline builds an image from the Dockerfile in the root, of a program in this language if one is named.
fn builds(project: &Project, language: Option<Language>) -> bool {
    project.image.as_ref().is_some_and(|image| {
        image.dockerfile.as_str() == "Dockerfile"
            && language.is_none_or(|language| language == image.language())
    })
}

/// Whether the main service is the one that the contract is with.
fn have_contract(environments: &[&EnvConfig]) -> bool {
    environments.iter().any(|config| config.service.has_contract())
}

/// A rendered file.
#[derive(Debug)]
pub struct Rendered {
    /// Its path from the repository's root.
    pub path: &'static str,
    /// What it holds.
    pub text: String,
    /// How long it stays so.
    pub kept: Kept,
}

/// What a template may say of an environment.
#[derive(Serialize)]
struct Facts {
    name: String,
    production: bool,
    /// Whether somebody has to approve what is done to it.
    reviewed: bool,
    account_id: String,
    region: String,
    domain: String,
    cluster: String,
    /// The environment of the repository on GitHub.
    github_environment: String,
    /// The repositories of its images, those of services that are built elsewhere among them.
    image_repositories: Vec<String>,
    /// The services whose images the pipeline builds.
    services: Vec<ServiceFacts>,
    /// Whether the pipeline deploys one of them.
    deploys: bool,
    state: String,
    /// The ARN of the key that encrypts it.
    state_key: String,
    plan_role: String,
    apply_role: String,
    push_role: String,
    deploy_role: String,
}

impl Facts {
    fn of(config: &EnvConfig, first: bool, services: Vec<ServiceFacts>) -> Self {
        Self {
            name: config.name.to_string(),
            production: config.production,
            reviewed: config.production || !first,
            account_id: config.account_id.to_string(),
            region: config.region.to_string(),
            domain: config.domain.to_string(),
            cluster: config.names.prefix().to_owned(),
            github_environment: config
                .github
                .as_ref()
                .map_or_else(|| config.name.to_string(), |github| github.environment.clone()),
            image_repositories: config.workloads().map(|workload| ecr::address(config, workload)).collect(),
            deploys: services.iter().any(|service| service.strategy != "rolling"),
            services,
            state: format!("s3://{}/{}", config.state.bucket, config.state.key),
            state_key: config.state.kms_key_arn.to_string(),
            plan_role: config.workflow_role_arn(WorkflowRole::Plan),
            apply_role: config.workflow_role_arn(WorkflowRole::Apply),
            push_role: config.workflow_role_arn(WorkflowRole::Push),
            deploy_role: config.workflow_role_arn(WorkflowRole::Deploy),
        }
    }
}

/// What a template may say of a service whose image the pipeline builds, in an environment.
#[derive(Serialize)]
struct ServiceFacts {
    /// Its name.
    name: String,
    /// What its image is called while it is handed on from environment to environment.
    image: String,
    /// Its name among those beside the main service; of that itself none.
    further: String,
    /// The environment that it comes to first, whose workflow pushes and signs its image.
    first: String,
    repository: String,
    /// Whether the image comes from a repository that the environment file names, and not from the environment's own.
    elsewhere: bool,
    strategy: &'static str,
    family: String,
    watched_minutes: u32,
    session_seconds: u32,
    codedeploy_application: String,
    codedeploy_group: String,
    appspec: String,
    runner: &'static str,
}

/// An image that the pipeline builds.
#[derive(Serialize)]
struct ImageFacts {
    name: String,
    dockerfile: String,
    context: String,
    runner: &'static str,
    platform: &'static str,
}

/// A service whose image the pipeline builds, and the first environment that has it.
struct Built<'e> {
    further: Option<&'e str>,
    first: &'e EnvConfig,
    workload: Workload<'e>,
    dockerfile: &'e FilePath,
    context: &'e FilePath,
}

impl<'e> Built<'e> {
    /// Every one of them, the main service first.
    fn all(project: &'e Project, ordered: &[&'e EnvConfig]) -> Result<Vec<Self>, ProjectError> {
        let Some(image) = &project.image else { return Ok(Vec::new()) };
        let find = |further: Option<&'e str>, dockerfile, context| {
            let found = ordered.iter().find_map(|config| {
                config.workloads().find(|workload| workload.name() == further).map(|found| (*config, found))
            });
            found.map(|(first, workload)| Self { further, first, workload, dockerfile, context })
        };
        let further = image.services.iter().map(|(name, image)| {
            find(Some(name.as_str()), &image.dockerfile, &image.context)
                .ok_or_else(|| ProjectError::Service { name: name.clone() })
        });
        find(None, &image.dockerfile, &image.context).into_iter().map(Ok).chain(further).collect()
    }

    fn name(&self) -> String {
        self.workload.service.name.to_string()
    }

    /// A machine of the architecture that the tasks have, so that nothing is emulated.
    fn machine(&self) -> (&'static str, &'static str) {
        match self.workload.service.architecture {
            Architecture::X86_64 => ("ubuntu-24.04", "linux/amd64"),
            Architecture::Arm64 => ("ubuntu-24.04-arm", "linux/arm64"),
        }
    }

    fn image(&self) -> ImageFacts {
        let (runner, platform) = self.machine();
        let (dockerfile, context) = (self.dockerfile.to_string(), self.context.to_string());
        ImageFacts { name: self.name(), dockerfile, context, runner, platform }
    }

    /// What it is in an environment, if that has it.
    fn in_environment(&self, config: &EnvConfig) -> Option<ServiceFacts> {
        let workload = config.workloads().find(|workload| workload.name() == self.further)?;
        let deployment = &workload.service.deployment;
        Some(ServiceFacts {
            name: workload.service.name.to_string(),
            image: self.name(),
            further: self.further.unwrap_or_default().to_owned(),
            first: self.first.name.to_string(),
            repository: ecr::address(config, workload),
            elsewhere: workload.service.image_repository.is_some(),
            strategy: strategy(deployment),
            family: cluster::family(config, workload),
            watched_minutes: deployment.watched_minutes(),
            session_seconds: deployment.session_hours() * 3600,
            codedeploy_application: deploy::application(config),
            codedeploy_group: deploy::group_name(config),
            appspec: deploy::appspec(config),
            runner: self.machine().0,
        })
    }
}

const fn strategy(deployment: &Deployment) -> &'static str {
    match deployment.strategy {
        Strategy::Rolling => "rolling",
        Strategy::BlueGreen => "blue-green",
        Strategy::External => "external",
    }
}

/// The services beside the main one that have a repository and no workflow that builds an image for it.
#[must_use]
pub fn unbuilt(project: &Project, environments: &[Environment]) -> BTreeSet<String> {
    let Some(image) = &project.image else { return BTreeSet::new() };
    let further = environments.iter().flat_map(|environment| &environment.config.services);
    let unbuilt = further.filter(|(name, further)| {
        further.service.image_repository.is_none() && !image.services.contains_key(name)
    });
    unbuilt.map(|(name, _)| name.to_string()).collect()
}

/// The checkov that the end-to-end tests ran.
const CHECKOV: &str = include_str!("../../tests/checkov-requirements.txt");
/// A release of Trivy, and the SHA-256 of its archives for Linux.
/// <https://github.com/aquasecurity/trivy/releases/download/v0.69.3/trivy_0.69.3_checksums.txt>
struct Trivy {
    version: &'static str,
    arm64: &'static str,
    x64: &'static str,
}

const TRIVY: Trivy = Trivy {
    version: "0.69.3",
    arm64: "7e3924a974e912e57b4a99f65ece7931f8079584dae12eb7845024f97087bdfd",
    x64: "1816b632dfe529869c740c0913e36bd1629cb7688bd5634f4a858c1d57c88b75",
};

/// Writes into a program which crates it consists of: <https://github.com/rust-secure-code/cargo-auditable>
const AUDITABLE: &str = "0.7.7";
/// Looks at the crates of a workspace: <https://embarkstudios.github.io/cargo-deny/>
const DENY: &str = "0.20.2";

/// The Terraform that the end-to-end tests ran.
const TERRAFORM: &str = "1.11.4";

/// Renders every file that a repository should have.
///
/// # Errors
/// When `promotion` does not name each environment once; and when a template is wrong, which is a bug.
pub fn render(project: &Project, environments: &[Environment]) -> Result<Vec<Rendered>, anyhow::Error> {
    let ordered = in_order(project, environments)?;
    let Some(first) = ordered.first().copied() else {
        anyhow::bail!(ProjectError::Promotion { what: "no environment is named".to_owned() });
    };
    trusted(project, &ordered)?;
    let values = values(project, &ordered, first)?;
    let mut engine = minijinja::Environment::new();
    engine.set_syntax(
        SyntaxConfig::builder()
            .block_delimiters("<%", "%>")
            .variable_delimiters("<<", ">>")
            .comment_delimiters("<#", "#>")
            .build()?,
    );
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_trim_blocks(true);
    engine.set_lstrip_blocks(true);
    engine.set_keep_trailing_newline(true);
    engine.set_auto_escape_callback(|name| {
        if name.ends_with(".yml") || name.ends_with(".yaml") { AutoEscape::Json } else { AutoEscape::None }
    });
    let wanted = |template: &&Template| {
        (template.wanted)(project, &ordered) && !project.own.iter().any(|own| own.as_str() == template.path)
    };
    let mut files = Vec::new();
    for template in TEMPLATES.iter().filter(wanted) {
        // Python and ignore files have nothing to fill in, and braces of their own.
        let text = match template.text.contains("<<") || template.text.contains("<%") {
            true => engine.render_named_str(template.path, template.text, &values)?,
            false => template.text.to_owned(),
        };
        files.push(Rendered { path: template.path, text, kept: template.kept });
    }
    Ok(files)
}

/// The environments in the order of promotion.
fn in_order<'e>(
    project: &Project,
    environments: &'e [Environment],
) -> Result<Vec<&'e EnvConfig>, ProjectError> {
    let find = |name: &crate::config::EnvName| {
        let found = environments.iter().find(|environment| environment.config.name == *name);
        found
            .map(|environment| &environment.config)
            .ok_or_else(|| ProjectError::Promotion { what: format!("there is no environment `{name}`") })
    };
    if let Some(missing) = environments.iter().find(|e| !project.promotion.contains(&e.config.name)) {
        return Err(ProjectError::Promotion { what: format!("`{}` is missing", missing.config.name) });
    }
    project.promotion.iter().map(find).collect()
}

/// The workflows run in the repository, and on the branch, that the roles trust.
fn trusted(project: &Project, environments: &[&EnvConfig]) -> Result<(), ProjectError> {
    for config in environments {
        let Some(github) = &config.github else { continue };
        let pairs = [
            ("repository", Some(github.repository.as_str()), project.repository.as_str()),
            ("branch", Some(github.branch.as_str()), project.branch.as_str()),
        ];
        for (key, trusted, here) in pairs {
            if let Some(trusted) = trusted.filter(|trusted| *trusted != here) {
                let (environment, trusted) = (config.name.clone(), trusted.to_owned());
                return Err(ProjectError::Trust { key, environment, trusted });
            }
        }
    }
    Ok(())
}

fn values(project: &Project, ordered: &[&EnvConfig], first: &EnvConfig) -> Result<Value, anyhow::Error> {
    let built = Built::all(project, ordered)?;
    let services = |config| built.iter().filter_map(|built| built.in_environment(config)).collect();
    let facts: Vec<Facts> =
        ordered.iter().enumerate().map(|(at, config)| Facts::of(config, at == 0, services(config))).collect();
    let images: Vec<ImageFacts> = built.iter().map(Built::image).collect();
    let workspace = project.txnr.version.is_none();
    let owners: Vec<&str> = project.code_owners.iter().map(super::CodeOwner::as_str).collect();
    let image = project.image.as_ref().map(|image| {
        context! {
            checks => image.checks,
            database_ca_sha256 => image.database_ca_sha256,
        }
    });
    let language = project.image.as_ref().map_or(Language::Other, |image| image.language());
    let rust = workspace || language == Language::Rust;
    let contract = have_contract(ordered);
    Ok(context! {
        rendered => "Rendered by `txnr init` from txnr.toml and envs/*.toml. Do not edit; `txnr init --check` tells when it is out of date.",
        environments => facts,
        code_scanning => project.code_scanning,
        branch => project.branch.as_str(),
        repository => project.repository,
        owners => owners.join(" "),
        on_call => project.on_call.as_str(),
        alarms => document::lists("###", |entry| contract || !entry.is_of_the_contract()),
        contract,
        language => language.as_str(),
        service => first.service.name.as_str(),
        txnr => context! { workspace, repository => project.txnr.repository, version => project.txnr.version },
        txnr_repository => project.txnr.repository.as_str(),
        txnr_command => if workspace { "cargo run --quiet --locked --" } else { "txnr" },
        rust,
        auditable_version => AUDITABLE,
        deny_version => DENY,
        image,
        images,
        terraform_version => TERRAFORM,
        trivy => context! { version => TRIVY.version, arm64 => TRIVY.arm64, x64 => TRIVY.x64 },
        apply_seconds => APPLY_SESSION_HOURS * 3600,
        // So that what the session can still do after a failure is done.
        apply_minutes => APPLY_SESSION_HOURS * 60 - 10,
        checkov_requirement => CHECKOV.lines().find(|line| line.starts_with("checkov==")).unwrap_or("checkov"),
        port => first.service.container_port,
        metrics_port => contract::METRICS_PORT,
        health_path => if contract { contract::HEALTH_PATH } else { first.service.health_check.path.as_str() },
        user_id => first.service.user_id,
        writable => contract::WRITABLE_DIRECTORY,
        binary => contract::BINARY,
        serve_command => contract::SERVE_COMMAND,
        health_command => contract::HEALTH_COMMAND,
        database_ca_file => contract::DATABASE_CA_FILE,
        database_ca_url => contract::DATABASE_CA_URL,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_template_pastes_a_value_into_yaml_that_could_break_it() {
        // What may stand there as it is: slugs, ARNs, paths of the contract, and sentences of our own.
        const PLAIN: [&str; 14] = [
            "name",
            "service.image",
            "service.first",
            "auditable_version",
            "\"origin/\" ~ branch",
            "service.further",
            "service.strategy",
            "environment.github_environment",
            "[0].name",
            "rendered",
            "checkov_requirement",
            "txnr_command",
            "- 1].name",
            "branch",
        ];
        for template in TEMPLATES.iter().filter(|t| t.path.ends_with(".yml") || t.path.ends_with(".yaml")) {
            for piece in template.text.split("<<").skip(1) {
                let expression = piece.split(">>").next().unwrap_or_default().trim();
                let Some(value) = expression.strip_suffix("| safe") else { continue };
                assert!(
                    PLAIN.iter().any(|plain| value.trim().ends_with(plain)),
                    "{}: {expression}",
                    template.path
                );
            }
        }
    }
}
