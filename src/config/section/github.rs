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
    /// `repository_id`. GitHub puts both into the subject of repositories that were made, renamed or transferred after
    /// 15 July 2026. None: only the form without numbers is trusted.
    /// <https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims>
    pub owner_id: Option<u64>,
    /// The number of the repository, as `gh api repos/OWNER/NAME --jq .id` tells it.
    pub repository_id: Option<u64>,
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
    /// `owner/name`, and `OWNER@ID/NAME@ID` where the numbers are known.
    pub subjects: Vec<String>,
    /// The branch whose merges are applied and whose images are published.
    pub branch: BranchName,
    /// The protected environment in which workflows may apply, push and deploy.
    pub environment: String,
    /// The account's OpenID Connect provider, if it exists already.
    pub oidc_provider: Option<OidcProviderArn>,
}
