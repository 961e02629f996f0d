//! The root module that must exist before the first `init`: one per account, small, and applied by hand once.
//!
//! It holds what the environments of the account stand on and must not be able to change: the bucket, key and table of
//! their state; and, where `[github]` names a repository, the account's OpenID Connect provider and for each environment
//! a role to plan with, one to apply with, one to push images with, one to deploy with where Terraform does not, and the
//! boundary of them all and of every role that is made with the second. All of it in IAM lies below one path, which that
//! boundary closes.

mod apply;
mod boundary;
mod bounds;
mod deploy;
mod github;
mod plan;
mod push;
mod role;
mod services;
mod state;

#[cfg(test)]
mod reach;
#[cfg(test)]
mod tests;

pub use services::Service;

use std::collections::BTreeSet;

use aws::provider::DefaultTags;
use terraform::{Errors, Expr, Key, Module, Root, Value, set};

use crate::config::{EnvConfig, State};
use crate::synth::{self, synth};

/// The environments of one account; at least one.
#[derive(Debug)]
pub struct Account<'e> {
    environments: Vec<&'e EnvConfig>,
}

/// Why the environments of an account cannot stand on one module.
#[derive(Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What they disagree about.
    pub what: &'static str,
    /// Two of them.
    pub environments: [String; 2],
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [one, other] = &self.environments;
        write!(f, "the environments `{one}` and `{other}` share an account and disagree about {}", self.what)
    }
}

impl std::error::Error for Disagreement {}

/// The accounts of these environments, in the order of their numbers.
///
/// # Errors
/// When environments of one account keep their state in different places, or name different OpenID Connect providers.
pub fn accounts<'e>(
    environments: impl IntoIterator<Item = &'e EnvConfig>,
) -> Result<Vec<Account<'e>>, Disagreement> {
    let mut accounts: Vec<Account<'e>> = Vec::new();
    for environment in environments {
        match accounts.iter_mut().find(|account| account.first().account_id == environment.account_id) {
            Some(account) => {
                account.agree(environment)?;
                account.environments.push(environment);
            }
            None => accounts.push(Account { environments: vec![environment] }),
        }
    }
    accounts.sort_by_key(Account::name);
    Ok(accounts)
}

impl<'e> Account<'e> {
    /// The account's number, which is the name of the module's folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.first().account_id.to_string()
    }

    /// The environments.
    #[must_use]
    pub fn environments(&self) -> &[&'e EnvConfig] {
        &self.environments
    }

    fn first(&self) -> &'e EnvConfig {
        self.environments[0]
    }

    /// Where the state of all environments lies.
    fn state(&self) -> &'e State {
        &self.first().state
    }

    /// Whether anything of the account refuses to be destroyed.
    fn protection(&self) -> bool {
        self.environments.iter().any(|environment| environment.protection)
    }

    fn agree(&self, other: &EnvConfig) -> Result<(), Disagreement> {
        let key = &self.state().key;
        let place =
            |config: &EnvConfig| State { key: key.clone(), key_is_named: true, ..config.state.clone() };
        let provider = |config: &EnvConfig| config.github.as_ref().map(|github| github.oidc_provider.clone());
        let first = self.first();
        let both =
            |what| Disagreement { what, environments: [first.name.to_string(), other.name.to_string()] };
        if place(first) != place(other) {
            return Err(both("where their state lies (`[state]`)"));
        }
        let named = self.environments.iter().find(|environment| environment.github.is_some());
        if named.is_some_and(|named| other.github.is_some() && provider(named) != provider(other)) {
            return Err(both("the OpenID Connect provider of the account (`github.oidc_provider`)"));
        }
        Ok(())
    }
}

/// Where the module's own state lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnState {
    /// In a file beside the module, since the bucket does not exist yet.
    Local,
    /// In the bucket that the module has made.
    Bucket,
}

/// Builds the module of an account.
///
/// # Errors
/// As [`synth`], whose modules tell what the roles must be able to do.
pub fn build(account: &Account<'_>, own: OwnState) -> Result<Root, Errors> {
    let mut settings = synth::settings(account.first());
    settings.backend = settings.backend.filter(|_| own == OwnState::Bucket);
    if let Some(backend) = &mut settings.backend {
        backend.key = own_key(account.first());
    }
    let mut module = Module::new(settings);
    module.provider(provider(account));
    let place = state::build(&mut module.stack("state"), account);
    if account.environments.iter().any(|environment| environment.github.is_some()) {
        let mut stack = module.stack("github");
        let provider = github::provider(&mut stack, account);
        for config in &account.environments {
            let Some(github) = &config.github else { continue };
            let platform = Platform::of(&synth(&config.with_images())?);
            let longer = longer_names(&account.environments, config);
            let boundary = boundary::build(&mut stack, config, &longer, &platform, &place);
            let trust = github::pull_requests_and_merges(config, github, &provider);
            plan::build(&mut stack, config, trust, &platform, &place);
            let trust = |workflow| github::environment(config, github, &provider, workflow);
            apply::build(&mut stack, config, trust(github::TERRAFORM), &platform, &place, &boundary);
            // A role of the pipeline's own that the environment file names takes the place of both.
            if config.iam.pipeline_role.is_none() {
                push::build(&mut stack, config, trust(github::BUILD), &boundary);
                deploy::build(&mut stack, config, trust(github::BUILD), &boundary);
            }
        }
    }
    module.finish()
}

/// The module's own object in the bucket. Who names the objects of the environments may share the bucket with another
/// project, whose module has its state there too.
fn own_key(first: &EnvConfig) -> String {
    if first.state.key_is_named {
        format!("bootstrap/{}/terraform.tfstate", first.project)
    } else {
        "bootstrap/terraform.tfstate".to_owned()
    }
}

/// What stands at the top of every generated file.
#[must_use]
pub fn comment(account: &Account<'_>) -> String {
    let names: Vec<String> =
        account.environments.iter().map(|environment| format!("envs/{}.toml", environment.name)).collect();
    format!("Generated by `txnr bootstrap` from {}. Do not edit.", names.join(", "))
}

/// The provider of the state's region; IAM knows no regions.
fn provider(account: &Account<'_>) -> aws::Provider {
    let first = account.first();
    let names: Vec<&str> = account.environments.iter().map(|environment| environment.name.as_str()).collect();
    let mut tags = first.default_tags();
    let names = names.join("+");
    tags.insert("Environment", &names);
    let tags: Vec<(String, String)> =
        tags.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
    aws::Provider {
        default_tags: vec![DefaultTags { tags: set(tags) }],
        ..synth::provider(first, &account.state().region)
    }
}

/// What the roles of an environment must know of its root module.
struct Platform {
    /// The services of AWS whose resources the module holds, in the order of their names.
    services: Vec<&'static Service>,
    /// The regions that it works in.
    regions: Vec<String>,
    /// The services that its roles trust, and that roles are passed to.
    trusted: Vec<String>,
    /// The services whose service-linked roles it makes, as `config.amazonaws.com`.
    linked: Vec<String>,
    /// What its roles may do within their boundary: `kms:*`.
    bounds: BTreeSet<String>,
}

impl Platform {
    fn of(root: &Root) -> Self {
        let mut services: Vec<&'static Service> =
            root.nodes().iter().filter_map(|node| Service::of(node.address().kind())).collect();
        services.sort_by_key(|service| service.name);
        services.dedup_by_key(|service| service.name);
        let region = |(_, body): (_, &[(Key, Value)])| {
            let region = body.iter().find(|(key, _)| key == "region").and_then(|(_, value)| value.as_str());
            region.map(str::to_owned)
        };
        let regions: BTreeSet<String> = root.providers("aws").filter_map(region).collect();
        let roles = root.nodes().iter().filter_map(|node| node.argument("assume_role_policy"));
        let trusted: BTreeSet<String> = roles.flat_map(trusted).collect();
        let linked =
            root.nodes().iter().filter(|node| node.address().kind() == "aws_iam_service_linked_role");
        let linked: BTreeSet<String> = linked
            .filter_map(|node| node.argument("aws_service_name")?.as_str().map(str::to_owned))
            .collect();
        Self {
            services,
            regions: regions.into_iter().collect(),
            trusted: trusted.into_iter().collect(),
            linked: linked.into_iter().collect(),
            bounds: bounds::of(root),
        }
    }
}

/// The services that a trust policy names.
fn trusted(policy: &Value) -> Vec<String> {
    let Value::Document(document) = policy else { return Vec::new() };
    let statements = document.content.get("Statement").and_then(Value::as_list).unwrap_or_default();
    let services =
        statements.iter().filter_map(|statement| statement.get("Principal")?.get("Service")?.as_list());
    services.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The environments of the account whose names go on where this one's ends: `prod-eu` of `prod`. What is named after this
/// one alone would mean theirs as well.
fn longer_names<'e>(environments: &[&'e EnvConfig], config: &EnvConfig) -> Vec<&'e EnvConfig> {
    let beginning = config.names.of("");
    environments.iter().filter(|other| other.names.prefix().starts_with(&beginning)).copied().collect()
}

/// The ARN of something of this project in IAM.
fn iam_arn(config: &EnvConfig, resource: &str) -> String {
    format!("arn:{}:iam::{}:{resource}", config.partition(), config.account_id)
}

/// What is allowed where AWS knows no resource for an action, or where the services' own names are all that is known.
const ANYTHING: [&str; 1] = ["*"];

/// An identifier in Terraform: `dev_apply`.
fn local(config: &EnvConfig, name: &str) -> String {
    format!("{}_{name}", config.name.as_str().replace('-', "_"))
}

/// The text of an expression, for policies that name several kinds of things.
type Text = Expr<terraform::kind::Text>;
