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
        // Secrets Manager documents keys of other accounts; not every service behind the other keys does.
        // <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>
        if *purpose != "secrets" {
            existing::check_account(path().key(*purpose), "key", key.account(), account, problems);
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
