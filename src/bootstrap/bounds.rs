//! The services that an environment's roles use: the list that their boundary holds.

use std::collections::BTreeSet;

use terraform::{Root, Value};

/// What policies that AWS keeps allow, by the ends of their ARNs, of services of which the roles that bear them are used.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>
const MANAGED: [(&str, &[&str]); 6] = [
    ("AWSBackupServiceRolePolicyForBackup", BACKUP),
    ("AWSBackupServiceRolePolicyForRestores", BACKUP),
    ("AWSBackupServiceRolePolicyForS3Backup", BACKUP),
    ("AWSBackupServiceRolePolicyForS3Restore", BACKUP),
    ("AWSSupportAccess", &["support"]),
    (
        "AWSShieldDRTAccessPolicy",
        &[
            "apigateway",
            "cloudfront",
            "cloudwatch",
            "ec2",
            "elasticloadbalancing",
            "globalaccelerator",
            "route53",
            "s3",
            "shield",
            "waf",
            "waf-regional",
            "wafv2",
        ],
    ),
];

const BACKUP: &[&str] =
    &["backup", "backup-storage", "cloudwatch", "dynamodb", "ec2", "events", "kms", "rds", "s3", "tag"];

/// What these may do, the boundary says action by action.
const IDENTITY: [&str; 5] = ["account", "iam", "organizations", "sso", "sts"];

/// The services of the policies that the module's roles have, `kms:*`. Those that the environment file names for policies
/// that it does not make are not among them.
pub(super) fn of(root: &Root) -> BTreeSet<String> {
    let mut services = BTreeSet::new();
    for node in root.nodes() {
        match node.address().kind() {
            "aws_iam_role_policy" | "aws_iam_policy" => {
                services.extend(node.argument("policy").into_iter().flat_map(in_document));
            }
            "aws_iam_role_policy_attachment" => {
                let arn = node.argument("policy_arn").and_then(Value::as_str).unwrap_or_default();
                services.extend(managed(arn).iter().map(|service| (*service).to_owned()));
            }
            _ => {}
        }
    }
    services
        .into_iter()
        .filter(|service| !IDENTITY.contains(&service.as_str()))
        .map(|s| format!("{s}:*"))
        .collect()
}

/// The services of a policy of AWS's own that a role is given; none of another one.
fn managed(arn: &str) -> &'static [&'static str] {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let known = MANAGED.iter().find(|(known, _)| arn.contains(":iam::aws:policy/") && *known == name);
    known.map_or(&[], |(_, services)| services)
}

/// The services of the actions that a document allows.
fn in_document(policy: &Value) -> Vec<String> {
    let Value::Document(document) = policy else { return Vec::new() };
    let statements = document.content.get("Statement").and_then(Value::as_list).unwrap_or_default();
    let allowed =
        statements.iter().filter(|statement| statement.get("Effect") == Some(&Value::string("Allow")));
    let actions = allowed.filter_map(|statement| statement.get("Action")?.as_list()).flatten();
    let services = actions.filter_map(|action| action.as_str()?.split_once(':'));
    services.map(|(service, _)| service.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stacks::probe::{nodes, platform, text_at};

    /// A policy of AWS's own that nobody has looked into would leave its role without rights.
    #[test]
    fn every_policy_of_aws_that_a_role_is_given_is_known() {
        let text = "[shield]\nsubscribed = true\nresponse_team = true\n";
        let root = platform(text);
        let given = nodes(&root, "aws_iam_role_policy_attachment");
        assert!(given.len() > 4, "{}", given.len());
        for attachment in given {
            assert!(!managed(text_at(attachment, "policy_arn")).is_empty(), "{}", attachment.address());
        }
    }

    #[test]
    fn what_no_role_uses_is_not_among_them() {
        let services = of(&platform(""));
        for used in ["s3:*", "kms:*", "dynamodb:*", "tag:*", "support:*"] {
            assert!(services.contains(used), "{used} in {services:?}");
        }
        for foreign in ["*:*", "organizations:*", "lambda:*", "iam:*", "sts:*", "ssm:*"] {
            assert!(!services.contains(foreign), "{foreign}");
        }
    }
}
