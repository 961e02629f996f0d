//! `[github]`: the repository whose workflows plan and apply.

use crate::config::value::{BranchName, GithubEnvironment, OidcProviderArn, RepositoryName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The GitHub repository whose workflows may plan, apply, push and deploy, signed in by OpenID Connect and with no key of
/// their own. `txnr bootstrap` makes their roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GithubFile {
    /// The repository, as `owner/name`. None: `txnr bootstrap` makes the state's place and no roles.
    pub repository: Option<RepositoryName>,
    /// The number of the repository's owner, as `gh api repos/OWNER/NAME --jq .owner.id` tells it; stands together with
    /// `repository_id`.
    pub owner_id: Option<u64>,
    /// The number of the repository, as `gh api repos/OWNER/NAME --jq .id` tells it: a condition of every role, which a
    /// repository that takes over the name does not meet.
    pub repository_id: Option<u64>,
    /// Whether the subjects of the repository's tokens hold both numbers, as `gh api
    /// repos/OWNER/NAME/actions/oidc/customization/sub --jq .use_immutable_subject` tells it: those of repositories
    /// that were made, renamed or transferred after 15 July 2026 do. Exactly one form is trusted. Whether `owner_id`
    /// and `repository_id` are named.
    /// <https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims>
    pub immutable_subject: Option<bool>,
    /// The branch whose merges are applied and whose images are published. `main`.
    pub branch: Option<BranchName>,
    /// The protected environment of the repository in which workflows may apply, push and deploy. The environment's own
    /// name.
    pub environment: Option<GithubEnvironment>,
    /// The account's OpenID Connect provider for GitHub, where it exists already: an account takes one for each URL.
    /// None: `txnr bootstrap` makes it.
    pub oidc_provider: Option<OidcProviderArn>,
}

/// The repository as the roles trust it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Github {
    /// `owner/name`.
    pub repository: RepositoryName,
    /// The repository's number, if it is known.
    pub repository_id: Option<u64>,
    /// The repository as subjects name it: `owner/name`, or `OWNER@ID/NAME@ID`.
    pub subject: String,
    /// The branch whose merges are applied and whose images are published.
    pub branch: BranchName,
    /// The protected environment in which workflows may apply, push and deploy.
    pub environment: String,
    /// The account's OpenID Connect provider, if it exists already.
    pub oidc_provider: Option<OidcProviderArn>,
}

/// Hours that an apply may take. Its session is not renewed, and a state that cannot be written is as good as lost: the
/// provider waits 75 minutes for a certificate, 80 for a change of a database and 120 for one of a cluster, some of it
/// one after the other; a job on GitHub's machines ends after six hours.
/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/acm_certificate_validation#timeouts>
/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/db_instance#timeouts>
/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs/resources/rds_cluster#timeouts>
/// <https://docs.github.com/en/actions/reference/limits>
pub const APPLY_SESSION_HOURS: u32 = 5;
