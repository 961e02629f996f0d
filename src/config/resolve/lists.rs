//! Checks of lists in which nothing may stand twice: AWS refuses it, or Terraform would find a second resource of one
//! name.

use crate::config::file::EnvFile;
use crate::config::problem::{KeyPath, Problems};
use std::fmt::Display;

/// Notes every element that stands in its list a second time.
pub(super) fn check(file: &EnvFile, problems: &mut Problems) {
    unique("alb.allowed_cidrs", &file.alb.allowed_cidrs, problems);
    unique("certificate.alternative_names", &file.certificate.alternative_names, problems);
    unique("detection.macie.buckets", &file.detection.macie.buckets, problems);
    unique("detection.rules_left_out", &file.detection.rules_left_out, problems);
    unique("ecr.pull_accounts", &file.ecr.pull_accounts, problems);
    unique("iam.operators", &file.iam.operators, problems);
    unique("kms.administrators", &file.kms.administrators, problems);
    unique("waf.geo_allow", &file.waf.geo_allow, problems);
    unique("waf.geo_deny", &file.waf.geo_deny, problems);
    unique("waf.allow_ips", &file.waf.allow_ips, problems);
    unique("waf.deny_ips", &file.waf.deny_ips, problems);
    unique("waf.redacted_headers", &file.waf.redacted_headers, problems);
}

fn unique<T: PartialEq + Display>(key: &str, items: &[T], problems: &mut Problems) {
    for (at, item) in items.iter().enumerate() {
        if items.iter().take(at).any(|earlier| earlier == item) {
            let what = format!("{item} stands in the list twice");
            problems.error(KeyPath::from(key).index(at), what, "each once");
        }
    }
}
