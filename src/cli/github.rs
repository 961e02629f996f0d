//! What GitHub says of a repository, asked with `gh`.

use crate::config::Invalid;
use crate::project::starter::OnGithub;
use crate::project::{CodeOwner, Repository};
use serde_json::Value;
use std::process::Command;

/// What is done where `gh` cannot tell.
const REMEDY: &str = "`gh auth login`, or the numbers themselves";

/// Reads what `txnr init` needs to know.
///
/// Numbers: <https://docs.github.com/en/rest/repos/repos#get-a-repository>. The form of subjects:
/// <https://docs.github.com/en/rest/actions/oidc#get-the-customization-template-for-an-oidc-subject-claim-for-a-repository>.
pub(super) fn read(repository: &Repository) -> Result<OnGithub, Invalid> {
    let about = ask(&format!("repos/{repository}"))?;
    let subject = ask(&format!("repos/{repository}/actions/oidc/customization/sub"))?;
    let number = |at: &str| about.pointer(at).and_then(Value::as_u64);
    let (Some(owner), Some(id)) = (number("/owner/id"), number("/id")) else {
        return Err(Invalid::new(format!("GitHub tells no numbers of {repository}"), REMEDY));
    };
    if subject["use_default"] == false {
        let what =
            format!("the subjects of {repository} are customized, and the roles trust GitHub's own form");
        return Err(Invalid::new(
            what,
            "`use_default`, which the repository's settings for OpenID Connect bring back",
        ));
    }
    // Only who administers the repository is told which products it has.
    let code_security = ["code_security", "advanced_security"]
        .iter()
        .any(|product| about["security_and_analysis"][product]["status"] == "enabled");
    Ok(OnGithub {
        numbers: Some((owner, id)),
        by_name: subject["use_immutable_subject"] != true,
        code_scanning: about["private"] == false || code_security,
    })
}

/// Looks whether somebody who has to approve changes is there, and is no organization.
///
/// <https://docs.github.com/en/rest/teams/teams#get-a-team-by-name>, <https://docs.github.com/en/rest/users/users#get-a-user>
pub(super) fn approver(owner: &CodeOwner) -> Result<(), Invalid> {
    let name = owner.as_str().trim_start_matches('@');
    if let Some((organization, team)) = name.split_once('/') {
        return ask(&format!("orgs/{organization}/teams/{team}")).map(|_| ());
    }
    if ask(&format!("users/{name}"))?["type"] == "Organization" {
        let what = format!("{owner} is an organization, which GitHub passes over");
        return Err(Invalid::new(what, format!("a team of it, such as `{owner}/platform`, or a user")));
    }
    Ok(())
}

fn ask(path: &str) -> Result<Value, Invalid> {
    let failed = |why: String| Invalid::new(format!("`gh api {path}`: {why}"), REMEDY);
    let output =
        Command::new("gh").args(["api", path]).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}
