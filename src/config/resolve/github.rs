//! Resolves `[github]`.

use crate::config::problem::Problems;
use crate::config::section::{Github, GithubFile, Iam};
use crate::config::value::{AccountId, EnvName, Partition, Region};
use crate::config::{Names, WorkflowRole, names};

/// How the numbers are found.
const NUMBERS: &str = "`owner_id` and `repository_id`, as `gh api repos/OWNER/NAME --jq '.owner.id, .id'` tells them, and \
                       `immutable_subject = false` if `gh api repos/OWNER/NAME/actions/oidc/customization/sub` says so";

/// The repository as the roles trust it; none if none is named.
pub(super) fn resolve(
    file: GithubFile,
    environment: &EnvName,
    region: &Region,
    problems: &mut Problems,
) -> Option<Github> {
    if file.owner_id.is_some() != file.repository_id.is_some() {
        let missing = if file.owner_id.is_some() { "repository_id" } else { "owner_id" };
        problems.error(
            "github",
            format!("`{missing}` is missing: a subject has both numbers or neither"),
            "both of `owner_id` and `repository_id`, or neither",
        );
    } else if file.immutable_subject == Some(true) && file.owner_id.is_none() && file.repository.is_some() {
        problems.error("github.immutable_subject", "the numbers that the subjects hold are missing", NUMBERS);
    }
    let Some(repository) = file.repository else {
        let rest = [
            file.oidc_provider.is_some(),
            file.environment.is_some(),
            file.branch.is_some(),
            file.immutable_subject.is_some(),
        ];
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
    let subject = match (file.owner_id, file.repository_id) {
        (Some(owner_id), Some(repository_id)) if file.immutable_subject != Some(false) => {
            format!("{owner}@{owner_id}/{name}@{repository_id}")
        }
        _ => repository.to_string(),
    };
    if file.repository_id.is_none() {
        problems.warning(
            "github.repository",
            "the roles trust the repository by its name alone, and none that was made, renamed or transferred after \
             15 July 2026: the numbers are not named",
            NUMBERS,
        );
    }
    if region.partition() != Partition::Aws {
        problems.warning(
            "github.repository",
            "AWS looks at claims beyond audience and subject in its commercial regions alone: here every workflow of the \
             repository that runs in the environment can assume each of its roles",
            "required reviewers and one branch for the environment on GitHub",
        );
    }
    let environment = file.environment.map_or_else(|| environment.to_string(), |name| name.to_string());
    let branch = file.branch.unwrap_or_default();
    Some(Github {
        repository_id: file.repository_id,
        repository,
        subject,
        branch,
        environment,
        oidc_provider: file.oidc_provider,
    })
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
