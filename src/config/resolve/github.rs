//! Resolves `[github]`.

use crate::config::problem::Problems;
use crate::config::section::{Github, GithubFile, Iam};
use crate::config::value::{AccountId, EnvName, Region};
use crate::config::{Names, WorkflowRole, names};

/// The repository as the roles trust it; none if none is named.
pub(super) fn resolve(file: GithubFile, environment: &EnvName, problems: &mut Problems) -> Option<Github> {
    if file.owner_id.is_some() != file.repository_id.is_some() {
        let missing = if file.owner_id.is_some() { "repository_id" } else { "owner_id" };
        problems.error(
            "github",
            format!("`{missing}` is missing: a subject has both numbers or neither"),
            "both of `owner_id` and `repository_id`, or neither",
        );
    }
    let Some(repository) = file.repository else {
        let rest = [file.oidc_provider.is_some(), file.environment.is_some(), file.branch.is_some()];
        if rest.contains(&true) || file.owner_id.is_some() {
            problems.error(
                "github",
                "no repository is named that the rest is about",
                "`repository = \"owner/name\"` under [github]",
            );
        }
        return None;
    };
    let (owner, name) = repository.parts();
    let mut subjects = vec![repository.to_string()];
    if let (Some(owner_id), Some(repository_id)) = (file.owner_id, file.repository_id) {
        subjects.push(format!("{owner}@{owner_id}/{name}@{repository_id}"));
    }
    let environment = file.environment.map_or_else(|| environment.to_string(), |name| name.to_string());
    let branch = file.branch.unwrap_or_default();
    Some(Github { subjects, branch, environment, oidc_provider: file.oidc_provider })
}

/// Workflows apply with the role that `txnr bootstrap` makes, and under its boundary, unless others are named.
pub(super) fn roles(mut iam: Iam, names: &Names, account: &AccountId, region: &Region) -> Iam {
    let partition = region.partition();
    let arn = |kind: &str, name: &str| {
        format!("arn:{partition}:iam::{account}:{kind}{}{name}", names::BOOTSTRAP_PATH)
    };
    let apply = names.workflow_role(WorkflowRole::Apply);
    iam.terraform_role = iam.terraform_role.or_else(|| arn("role", &apply).parse().ok());
    let boundary = names.of("boundary");
    iam.permissions_boundary = iam.permissions_boundary.or_else(|| arn("policy", &boundary).parse().ok());
    iam
}
