//! Checks of the names that are composed from the environment file.

use crate::config::names::{BUCKET_MAX, BucketKind, LOAD_BALANCER_MAX, Names, TargetGroup};
use crate::config::problem::Problems;
use crate::config::value::{AccountId, EnvName, OrganizationName, ProjectName};

/// Composes the names and notes those that AWS would refuse.
pub(super) fn compose(
    project: &ProjectName,
    environment: &EnvName,
    organization: &OrganizationName,
    account: &AccountId,
    problems: &mut Problems,
) -> Names {
    let names = Names::new(project, environment, organization, account);
    for prefix in ["internal", "sg", "aws", "amzn", "sthree", "xn"] {
        if project.as_str() == prefix || project.as_str().starts_with(&format!("{prefix}-")) {
            problems.error(
                "project",
                format!("AWS refuses names that begin with `{prefix}-`"),
                "a name that begins otherwise",
            );
        }
    }
    for name in
        std::iter::once(names.load_balancer()).chain(TargetGroup::ALL.map(|group| names.target_group(group)))
    {
        check_length("load balancer or target group", &name, LOAD_BALANCER_MAX, "project", problems);
    }
    if let Some(longest) = BucketKind::ALL.map(|kind| names.bucket(kind)).into_iter().max_by_key(String::len)
    {
        // The account id stays out of the message: errors end up in build logs.
        if longest.len() > BUCKET_MAX {
            let over = longest.len() - BUCKET_MAX;
            problems
                .error(
                    "organization",
                    format!(
                        "a bucket's name would have {} characters, and S3 allows {BUCKET_MAX}",
                        longest.len()
                    ),
                    format!(
                        "names of project, environment and organization that are shorter by {over} in all"
                    ),
                )
                .because_of(&["project"]);
        }
    }
    names
}

fn check_length(what: &str, name: &str, max: usize, key: &str, problems: &mut Problems) {
    if name.len() > max {
        problems.error(
            key,
            format!("the {what} `{name}` would have {} characters, and AWS allows {max}", name.len()),
            format!("names of project and environment that are shorter by {} in all", name.len() - max),
        );
    }
}
