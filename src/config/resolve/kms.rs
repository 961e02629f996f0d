//! Checks of the keys that exist already.

use super::existing;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::Kms;
use crate::config::value::{AccountId, Region};

/// Each key has to be one that the services behind it can use from here.
pub(super) fn check(
    kms: &Kms,
    account: Option<&AccountId>,
    region: Option<&Region>,
    problems: &mut Problems,
) {
    let path = || KeyPath::from("kms.keys");
    let given: Vec<_> = kms.keys.given().collect();
    if given.is_empty() && kms.keys.elsewhere.is_some() {
        problems.error(
            path().key("elsewhere"),
            "no key exists already, so nobody has to look after one",
            "remove the line, or name a key beside it",
        );
    }
    if !given.is_empty() && kms.keys.elsewhere.is_none() {
        existing::no_reason(
            path(),
            "rotates the keys and says who may use them (PCI DSS 3.6, 3.7)",
            problems,
        );
    }
    for (at, (purpose, key)) in given.iter().enumerate() {
        existing::check_region(path().key(*purpose), "key", key.region(), region, problems);
        if let Some(service) = silent_on_other_accounts(purpose)
            && account.is_some_and(|ours| ours.as_str() != key.account())
        {
            problems
                .error(
                    path().key(*purpose),
                    format!(
                        "the key belongs to another account than the environment, and AWS does not document that \
                         {service} takes such a key"
                    ),
                    "a key of the environment's own account; that of secrets alone may be another's",
                )
                .because_of(&["account_id"]);
        }
        if let Some((other, _)) = given.iter().take(at).find(|(_, earlier)| earlier == key) {
            problems.warning(
                path().key(*purpose),
                format!("the key for {other} serves {purpose} as well"),
                "a key for each purpose: the loss or disclosure of one then costs one kind of data",
            );
        }
    }
}

/// The service behind a key whose documentation says nothing of keys of other accounts, so that the first to find out
/// would be an apply, or the first restore. Secrets Manager, which alone is behind the key for secrets, documents them, and
/// so do S3 and RDS, which are never alone behind theirs.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html>
fn silent_on_other_accounts(purpose: &str) -> Option<&'static str> {
    match purpose {
        "logs" => Some("CloudWatch Logs"),
        "data" => Some("DynamoDB or a vault of AWS Backup"),
        "artifacts" => Some("ECR"),
        _ => None,
    }
}
