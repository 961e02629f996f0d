//! Whom the roles trust: workflows of one repository, signed in by OpenID Connect.

use aws::IamOpenidConnectProvider;
use aws::document::policy::{Condition, Policy, Principal, Statement};
use aws::kind::TrustPolicy;
use terraform::{Expr, Meta, Stack, set};

use super::{Account, Text};
use crate::config::{EnvConfig, Github, Partition};

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

/// The workflow that plans and applies.
pub(super) const TERRAFORM: &str = "tf-environment.yml";
/// The workflow that builds, pushes and deploys images.
pub(super) const BUILD: &str = "ci-build.yml";

/// Terraform's workflow, started by a pull request, or run on what has been merged: to plan it, or to look for drift.
pub(super) fn pull_requests_and_merges(
    config: &EnvConfig,
    github: &Github,
    provider: &Text,
) -> Policy<TrustPolicy> {
    let merged = format!("ref:refs/heads/{}", github.branch);
    let trust = Trust { config, github, provider };
    Policy::new([
        trust.statement("Merges", &merged, TERRAFORM, Version::Merged),
        trust.statement("PullRequests", "pull_request", TERRAFORM, Version::PullRequest),
    ])
}

/// Jobs of one workflow, as it has been merged, that name the protected environment, whose reviewers have let them.
pub(super) fn environment(
    config: &EnvConfig,
    github: &Github,
    provider: &Text,
    workflow: &str,
) -> Policy<TrustPolicy> {
    let context = format!("environment:{}", github.environment);
    Policy::new([Trust { config, github, provider }.statement(
        "Environment",
        &context,
        workflow,
        Version::Merged,
    )])
}

/// Where the file of a workflow comes from.
enum Version {
    /// The branch whose merges are applied.
    Merged,
    /// The merge of a pull request that GitHub tries out, which says itself what its workflows do: what it changes there is
    /// seen by its reviewers only afterwards.
    PullRequest,
}

/// What the statements of a trust policy have in common.
struct Trust<'e> {
    config: &'e EnvConfig,
    github: &'e Github,
    provider: &'e Text,
}

impl Trust<'_> {
    /// Audience, subject, the repository's number and the workflow, all word for word but the number of a pull request: a
    /// pattern would let in what nobody thought of, and AWS refuses a policy that leaves the subject open.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html>
    ///
    /// A job in the environment has one subject, whichever workflow it belongs to; `job_workflow_ref` tells the file and
    /// its branch, also of a workflow that another one calls.
    /// <https://docs.github.com/en/actions/reference/security/oidc>
    fn statement(
        &self,
        sid: &'static str,
        context: &str,
        workflow: &str,
        version: Version,
    ) -> Statement<TrustPolicy> {
        let Self { config, github, provider } = self;
        let subject = format!("repo:{}:{context}", github.subject);
        let principal = Principal::Federated((*provider).clone());
        let statement = Statement::<TrustPolicy>::assume(sid, principal)
            .when(Condition::string_equals(format!("{ISSUER}:aud"), [audience(config)]))
            .when(Condition::string_equals(format!("{ISSUER}:sub"), [subject]));
        if !evaluates_claims(config.partition()) {
            return statement;
        }
        let statement = match github.repository_id {
            Some(id) => {
                statement.when(Condition::string_equals(format!("{ISSUER}:repository_id"), [id.to_string()]))
            }
            None => statement,
        };
        let key = format!("{ISSUER}:job_workflow_ref");
        let file = format!("{}/.github/workflows/{workflow}", github.repository);
        statement.when(match version {
            Version::Merged => {
                Condition::string_equals(key, [format!("{file}@refs/heads/{}", github.branch)])
            }
            Version::PullRequest => Condition::string_like(key, [format!("{file}@refs/pull/*/merge")]),
        })
    }
}

/// Whether AWS looks at claims of GitHub beyond audience and subject, which it has done since January 2026 in its
/// commercial regions; elsewhere a condition on one of them would never be met.
/// <https://aws.amazon.com/about-aws/whats-new/2026/01/aws-sts-supports-validation-identity-provider-claims/>
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif>
const fn evaluates_claims(partition: Partition) -> bool {
    matches!(partition, Partition::Aws)
}
