//! What several environments must not claim together.

use super::EnvConfig;
use super::problem::Problems;

/// Notes, at `this`, what it claims that `other` claims as well.
pub(super) fn check(this: &EnvConfig, other: &EnvConfig, problems: &mut Problems) {
    let theirs = &other.name;
    if this.account_id == other.account_id && this.account.baseline && other.account.baseline {
        problems.error(
            "account_id",
            format!("the environment `{theirs}` owns the singletons of the same account as well"),
            "`baseline = false` under [account] in all environments of an account but one",
        );
    }
    if this.domain == other.domain && this.hosted_zone == other.hosted_zone {
        problems.error(
            "domain",
            format!("the environment `{theirs}` has the same domain"),
            "a domain of its own for each environment",
        );
    }
    if this.network.cidr.overlaps(other.network.cidr) {
        problems.warning(
            "network.cidr",
            format!("{} overlaps {}, the range of `{theirs}`", this.network.cidr, other.network.cidr),
            "ranges that share no address, or the two can never be connected",
        );
    }
}
