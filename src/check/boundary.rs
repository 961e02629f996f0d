//! Policies of tasks, and the boundary that they stand under.

use crate::config::EnvConfig;
use crate::config::names::BOOTSTRAP_PATH;
use crate::config::problem::{KeyPath, Problems};

/// The boundary of `txnr bootstrap` leaves roles the services that the environment uses, and those that its file names. What
/// a policy allows that is made elsewhere cannot be read here: where no service is named for it, AWS would deny what the
/// boundary does not list, without a word of it before.
pub(super) fn check(config: &EnvConfig, problems: &mut Problems) {
    let own = format!(":policy{BOOTSTRAP_PATH}{}", config.names.of("boundary"));
    let bounded =
        config.iam.permissions_boundary.as_ref().is_some_and(|policy| policy.as_str().ends_with(&own));
    if config.github.is_none() || !bounded {
        return;
    }
    for workload in config.workloads() {
        let service = workload.service;
        if service.task_policies.is_empty() || !service.task_services.is_empty() {
            continue;
        }
        let table = match workload.name() {
            Some(name) => KeyPath::from("services").key(name),
            None => KeyPath::from("service"),
        };
        let names: Vec<&str> =
            service.task_policies.iter().filter_map(|policy| policy.as_str().rsplit('/').next()).collect();
        problems.warning(
            table.key("task_policies"),
            format!(
                "of what {} allows, the boundary of `txnr bootstrap` leaves the services of AWS that the environment uses \
                 itself, and denies the rest",
                names.join(" and ")
            ),
            "`task_services` beside it, with the services that the policies are about, such as [\"xray\"]; then apply the \
             bootstrap module again",
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::check::parse;

    fn warnings(more: &str) -> String {
        let text = format!(
            "organization = \"acme\"\naccount_id = \"111122223333\"\nproject = \"pay\"\nregion = \"us-east-1\"\n\
             domain = \"pay.example.com\"\nproduction = false\nnetwork.cidr = \"10.30.0.0/16\"\n\
             service.contract = \"txn-reconcile-api\"\n{more}[services.office]\npaths = [\"/office/*\"]\n\
             task_policies = [\"arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess\"]\n"
        );
        match parse(Path::new("dev.toml"), &text) {
            Ok((_, report)) => report.to_string(),
            Err(report) => panic!("{report}"),
        }
    }

    #[test]
    fn what_the_boundary_would_deny_without_a_word_is_said() {
        const GITHUB: &str = "github.repository = \"acme/pay\"\n";
        let said = warnings(GITHUB);
        assert!(said.contains("AWSXRayDaemonWriteAccess") && said.contains("task_services"), "{said}");
        assert!(!warnings("").contains("task_services"), "no boundary of ours");
        let other = "iam.permissions_boundary = \"arn:aws:iam::111122223333:policy/theirs\"\n";
        assert!(!warnings(&format!("{GITHUB}{other}")).contains("task_services"));
    }
}
