//! What a statement of a policy lets its bearer do with everything there is, rather than with what it names (PCI 7.2.2,
//! 7.2.5): `schema/powers.csv` lists the actions that matter, and what each is called.
//!
//! `crates/xtask` compiles this file as well: it asks the same of AWS's own policies.

use std::collections::BTreeSet;

/// `power,action`: actions as AWS spells them.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
const POWERS: &str = include_str!("../schema/powers.csv");

/// The action that stands for a power, of all that there are.
fn powers() -> impl Iterator<Item = (&'static str, &'static str)> {
    POWERS.lines().skip(1).filter_map(|line| line.split_once(','))
}

/// The actions that stand for a power.
pub fn of(power: &str) -> impl Iterator<Item = &'static str> {
    powers().filter(move |(name, _)| *name == power).map(|(_, action)| action)
}

/// The actions of an allowing statement.
#[derive(Clone, Copy, Debug)]
pub enum Actions<'a> {
    /// The element `Action`.
    These(&'a [&'a str]),
    /// The element `NotAction`.
    AllBut(&'a [&'a str]),
}

/// The powers that a statement allows whose resources are everything: `reads any secret`, or `does anything with s3` where
/// it allows a whole service. Conditions are not looked at.
#[must_use]
pub fn allowed(actions: Actions<'_>) -> BTreeSet<String> {
    let allows = |action: &str| match actions {
        Actions::These(patterns) => patterns.iter().any(|pattern| matches(pattern, action)),
        Actions::AllBut(patterns) => !patterns.iter().any(|pattern| matches(pattern, action)),
    };
    let mut found: BTreeSet<String> =
        powers().filter(|(_, action)| allows(action)).map(|(power, _)| power.to_owned()).collect();
    match actions {
        Actions::These(patterns) => found.extend(patterns.iter().filter_map(|pattern| whole(pattern))),
        Actions::AllBut(_) => {
            found.insert("does anything with services that it does not name".to_owned());
        }
    }
    found
}

/// The power of a pattern that takes in a service, or every one.
fn whole(pattern: &str) -> Option<String> {
    match pattern.split_once(':') {
        None => Some("does anything".to_owned()),
        Some((service, action)) if action.bytes().all(|byte| byte == b'*') => {
            Some(format!("does anything with {service}"))
        }
        Some(_) => None,
    }
}

/// Whether a pattern of IAM, with `*` and `?`, fits a text. Actions are compared without regard to case.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            Some(one) if *one == b'?' || one.eq_ignore_ascii_case(byte) => at += 1,
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    (at, read) = (place + 1, taken + 1);
                    continue;
                }
                None => return false,
            },
        }
        read += 1;
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// Whether a resource of a policy is every one of its kind: `*`, `arn:aws:s3:::*/*`, `arn:aws:kms:*:111122223333:key/*`.
#[must_use]
pub fn everything(resource: &str) -> bool {
    let starred = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'*');
    if starred(resource) {
        return true;
    }
    // With fewer parts than an ARN has, the last star takes in the others.
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    let ["arn", _, service, _, _, name] = fields[..] else {
        return resource.starts_with("arn:") && resource.ends_with('*');
    };
    // What an ARN of S3 begins with is a bucket's name, and no type.
    let mut kind = service == "s3";
    for part in name.split(['/', ':']) {
        let word = part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        match part {
            part if starred(part) => kind = false,
            // A type, such as `key`, that a star has to follow.
            _ if word && !kind => kind = true,
            _ => return false,
        }
    }
    !kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_iam_says() {
        let fits = [
            "kms:Decrypt",
            "kms:*",
            "*",
            "kms:De*",
            "KMS:decrypt",
            "kms:?ecrypt",
            "k*:*rypt",
            "kms:Decrypt*",
        ];
        assert!(fits.iter().all(|pattern| matches(pattern, "kms:Decrypt")));
        let not = ["kms:Encrypt", "kms:Decryp", "kms:?Decrypt", "s3:*", ""];
        assert!(!not.iter().any(|pattern| matches(pattern, "kms:Decrypt")));
    }

    #[test]
    fn everything_is_not_only_a_star() {
        let all = [
            "*",
            "arn:aws:s3:::*",
            "arn:aws:s3:::*/*",
            "arn:aws:kms:*:*:key/*",
            "arn:aws:kms:us-east-1:111122223333:key/*",
            "arn:aws:secretsmanager:*:*:secret:*",
            "arn:aws:logs:*:*:log-group:*:log-stream:*",
            "arn:*",
        ];
        let missed: Vec<_> = all.iter().filter(|resource| !everything(resource)).collect();
        assert!(missed.is_empty(), "{missed:?}");
        let some = [
            "${aws_kms_key.data.arn}",
            "${aws_s3_bucket.audit.arn}/*",
            "arn:aws:s3:::acme-audit/*",
            "arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*",
            "arn:aws:iam::111122223333:role/acme-*",
            "arn:aws:kms:us-east-1:111122223333:key/0f2c5d1e-6b7a-4c8d-9e0f-1a2b3c4d5e65",
            "arn:aws:s3:::data",
        ];
        assert!(!some.iter().any(|resource| everything(resource)));
    }

    #[test]
    fn powers_are_found_behind_wildcards() {
        let of = |actions: &[&str]| allowed(Actions::These(actions)).into_iter().collect::<Vec<_>>();
        assert_eq!(of(&["iam:Pass*"]), ["passes any role"]);
        assert_eq!(of(&["logs:PutLogEvents", "xray:Put*"]), Vec::<String>::new());
        assert!(of(&["s3:*"]).contains(&"does anything with s3".to_owned()));
        assert!(of(&["*"]).contains(&"decrypts with any key".to_owned()));
        assert!(allowed(Actions::AllBut(&["iam:*"])).contains("reads any secret"));
        assert!(!allowed(Actions::AllBut(&["iam:*"])).contains("passes any role"));
    }
}
