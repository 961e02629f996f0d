//! Whether the generated roles may make the calls that Terraform makes: what reached the local AWS, held against policy and
//! boundary of the role that makes it in the pipeline.
//!
//! What a plan asks is held against the role that plans pull requests and looks for drift, and against the one that applies;
//! what an apply or a destroy asks, against the latter. Not looked at: what AWS does in a caller's name (keys that a service
//! uses, roles that it makes for itself), since the local AWS does not do it, and the policies of resources.

#[path = "permissions/needs.rs"]
mod needs;
#[path = "permissions/roles.rs"]
mod roles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use iam_policy::Decision;
use serde_json::Value;
use test_kit::local_aws::{Call, LocalAws};

use self::needs::{Need, Needs};
use self::roles::Roles;
use super::Environment;

/// Version 5 of the provider reads a secret's value to refresh it. The role that plans may not, so its plans are not refreshed,
/// and drift is looked for in a state without these versions: `templates/github/workflows/tf-environment.yml`.
const NOT_REFRESHED: &str = "secretsmanager:GetSecretValue";

/// Fails if a role of the environment may not make a call that was made, and says which, and of what in the state.
///
/// # Panics
/// Where a call cannot be mapped to an action of IAM, too; and where a permission that is taken away would not be missed.
pub(super) fn hold(environment: &Environment, aws: &LocalAws, root: &Path) {
    let asked = Asked::of(environment, aws, root, |command| match command {
        "plan" => &["plan", "apply"],
        "apply" | "destroy" => &["apply"],
        _ => &[],
    });
    assert!(asked.0.len() > 100, "{} calls alone were recorded", asked.0.len());
    let roles = Roles::of(environment);
    let refused = asked.refused(&roles);
    assert!(refused.is_empty(), "calls that the generated roles may not make:\n{}", refused.join("\n"));

    // Each environment makes roles, and each role has tags.
    let refused = asked.refused(&roles.without("apply", "iam:TagRole"));
    let told = refused.iter().any(|line| {
        line.contains("-apply may not iam:TagRole on arn:aws:iam::") && line.contains("(aws_iam_role.")
    });
    assert!(told, "the apply role without iam:TagRole was refused only:\n{}", refused.join("\n"));
}

/// The same for a root module whose state lies where the pipeline keeps it. Its commands lock it, as the role that plans does
/// not; both roles look for it.
pub(super) fn hold_state(environment: &Environment, aws: &LocalAws, root: &Path) {
    let asked = Asked::of(environment, aws, root, |command| match command {
        "init" => &["plan", "apply"],
        "plan" | "apply" => &["apply"],
        _ => &[],
    });
    let refused = asked.refused(&Roles::of(environment));
    assert!(refused.is_empty(), "calls that the generated roles may not make:\n{}", refused.join("\n"));
    for action in ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "dynamodb:PutItem"] {
        assert!(asked.0.keys().any(|(_, need)| need.action == action), "{action} was not asked");
    }
}

/// What was asked of AWS, by the role that asks it: each need once, with the resources in the state that it is about.
struct Asked(BTreeMap<(&'static str, Need), BTreeSet<String>>);

impl Asked {
    /// `made_by` says which roles make the calls of a command of Terraform's.
    fn of(
        environment: &Environment,
        aws: &LocalAws,
        root: &Path,
        made_by: fn(&str) -> &'static [&'static str],
    ) -> Self {
        let mut needs = Needs::new(&environment.account);
        let state = State::read(root);
        let (mut all, mut unknown) = (BTreeMap::<_, BTreeSet<String>>::new(), BTreeSet::new());
        for call in aws.calls() {
            let roles = made_by(&call.who);
            if roles.is_empty() {
                continue;
            }
            match needs.of(&call) {
                Ok(needs) => {
                    let address = state.address(&call);
                    for need in needs {
                        for role in
                            roles.iter().filter(|role| **role != "plan" || need.action != NOT_REFRESHED)
                        {
                            all.entry((*role, need.clone())).or_default().extend(address.map(str::to_owned));
                        }
                    }
                }
                Err(why) => {
                    unknown.insert(why);
                }
            }
        }
        let unknown: Vec<String> = unknown.into_iter().collect();
        assert!(
            unknown.is_empty(),
            "calls whose permissions are not known; tests/terraform/permissions/needs.rs has to say them:\n{}",
            unknown.join("\n")
        );
        Self(all)
    }

    /// What the roles may not do, one line each: the role, the action, the resource, and its addresses in the state.
    fn refused(&self, roles: &Roles) -> Vec<String> {
        let refused = self.0.iter().filter_map(|((role, need), addresses)| {
            let decision = roles.decide(role, need);
            let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
            let addresses =
                if addresses.is_empty() { String::new() } else { format!(" ({})", addresses.join(", ")) };
            let Need { action, resource, .. } = need;
            (decision != Decision::Allow)
                .then(|| format!("{} may not {action} on {resource}{addresses}: {decision}", roles.arn(role)))
        });
        refused.collect()
    }
}

/// The addresses of the resources that Terraform keeps, by the names that calls give them.
struct State(BTreeMap<String, Vec<String>>);

impl State {
    /// Of what was there last, and of what was there before that.
    fn read(root: &Path) -> Self {
        let mut addresses = BTreeMap::<String, Vec<String>>::new();
        for file in ["terraform.tfstate.backup", "terraform.tfstate"] {
            let Ok(text) = fs::read_to_string(root.join(file)) else { continue };
            let state: Value = serde_json::from_str(&text).unwrap();
            let resources = state["resources"].as_array().into_iter().flatten();
            for resource in resources.filter(|resource| resource["mode"] == "managed") {
                let part = |key: &str| resource[key].as_str().unwrap_or_default();
                let address = format!("{}.{}", part("type"), part("name"));
                for instance in resource["instances"].as_array().into_iter().flatten() {
                    let names = ["arn", "id", "name"].map(|key| instance["attributes"][key].as_str());
                    for name in names.into_iter().flatten() {
                        addresses.entry(name.to_owned()).or_default().push(address.clone());
                    }
                }
            }
        }
        Self(addresses)
    }

    /// The resource that a call is about: what the role is called that it names, or the first of its parameters that is a
    /// name; of several resources of that name, one of the call's service.
    fn address(&self, call: &Call) -> Option<&str> {
        let mut found = call.role.as_ref().and_then(|role| self.0.get(role["arn"].as_str()?));
        needs::strings(&call.params, "", &mut |_, text| found = found.or_else(|| self.0.get(text)));
        let of_service = format!("aws_{}_", call.service);
        let found = found?.iter();
        found
            .clone()
            .find(|address| address.starts_with(&of_service))
            .or(found.clone().next())
            .map(String::as_str)
    }
}
