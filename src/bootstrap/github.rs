//! Whom the roles trust: workflows of one repository, signed in by OpenID Connect.

use aws::IamOpenidConnectProvider;
use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::TrustPolicy;
use terraform::{Expr, Meta, Stack, set};

use super::{Account, Text};
use crate::config::{EnvConfig, Github};

/// The host that signs the tokens.
const ISSUER: &str = "token.actions.githubusercontent.com";

/// The account's provider; made here unless it exists, since an account takes one for each URL. AWS checks GitHub's
/// certificate against authorities of its own choice, so that no thumbprint is needed.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_verify-thumbprint.html>
pub(super) fn provider(stack: &mut Stack<'_>, account: &Account<'_>) -> Text {
    let mut repositories = account.environments().iter().filter_map(|config| config.github.as_ref());
    if let Some(existing) = repositories.find_map(|github| github.oidc_provider.as_ref()) {
        return Expr::new(existing.to_string());
    }
    let provider = stack.add_with(
        "github",
        Meta::new().prevent_destroy(account.protection()),
        IamOpenidConnectProvider {
            client_id_list: set([audience(account.first())]),
            url: set(format!("https://{ISSUER}")),
            optional: Default::default(),
        },
    );
    provider.arn().text()
}

/// Whom the tokens are made out to: <https://github.com/aws-actions/configure-aws-credentials#oidc>
fn audience(config: &EnvConfig) -> String {
    format!("sts.{}", config.partition().dns_suffix())
}

/// Workflows that a pull request starts, or that run on what has been merged: to apply it, or to look for drift.
pub(super) fn pull_requests_and_merges(
    config: &EnvConfig,
    github: &Github,
    provider: &Text,
) -> Policy<TrustPolicy> {
    let merged = format!("ref:refs/heads/{}", github.branch);
    trust(config, github, provider, "PullRequestsAndMerges", &["pull_request", &merged])
}

/// Jobs that name the protected environment, whose reviewers have let them.
pub(super) fn environment(config: &EnvConfig, github: &Github, provider: &Text) -> Policy<TrustPolicy> {
    trust(config, github, provider, "Environment", &[&format!("environment:{}", github.environment)])
}

/// Audience and subject, both word for word: a pattern would let in what nobody thought of, and AWS refuses a policy
/// that leaves the subject open.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html>
fn trust(
    config: &EnvConfig,
    github: &Github,
    provider: &Text,
    sid: &'static str,
    contexts: &[&str],
) -> Policy<TrustPolicy> {
    let subjects = github
        .subjects
        .iter()
        .flat_map(|repository| contexts.iter().map(move |context| format!("repo:{repository}:{context}")));
    Policy::new([Statement::<TrustPolicy>::assume(sid, Principal::Federated(provider.clone()))
        .when(Condition::string_equals(format!("{ISSUER}:aud"), [audience(config)]))
        .when(Condition::string_equals(format!("{ISSUER}:sub"), subjects))])
}
