//! The rules of the web ACL fit into its capacity.

use crate::config::EnvConfig;
use crate::config::problem::Problems;
use crate::stacks::waf;

/// The units are counted from the rules as they are built, so that the two cannot drift apart.
pub fn check(config: &EnvConfig, problems: &mut Problems) {
    let (used, limit) = (waf::capacity(config), config.waf.capacity_limit.get());
    if used > limit {
        problems.error(
            "waf.capacity_limit",
            format!("the rules use {used} capacity units, more than {limit}"),
            format!("{used} or more, up to 5000; AWS charges extra beyond 1500"),
        );
    }
}
