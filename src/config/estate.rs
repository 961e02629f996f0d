//! What several environments must not claim together.

use super::EnvConfig;
use super::problem::{KeyPath, Problems};
use super::value::DomainName;

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
    check_names(this, other, problems);
    if hosts(other).any(|host| *host == this.domain) && this.hosted_zone == other.hosted_zone {
        problems.error(
            "domain",
            format!("the environment `{theirs}` has the same domain"),
            "a domain of its own for each environment",
        );
    }
    for (name, further) in &this.services {
        let taken = further
            .hosts
            .iter()
            .find(|host| **host != this.domain && hosts(other).any(|theirs| theirs == *host));
        if let Some(host) = taken.filter(|_| this.hosted_zone == other.hosted_zone) {
            problems.error(
                KeyPath::from("services").key(name.as_str()).key("hosts"),
                format!("the environment `{theirs}` has the host {host} as well"),
                "a host of its own for each environment",
            );
        }
    }
    if this.dns.create_zone && other.dns.create_zone && this.hosted_zone == other.hosted_zone {
        problems.error(
            "dns.create_zone",
            format!("the environment `{theirs}` makes the zone {} as well", this.hosted_zone),
            "a zone of its own under `hosted_zone`, or `create_zone` in one environment alone: the parent delegates to one",
        );
    }
    if let Some((ours, others)) = this.network.own().zip(other.network.own())
        && ours.cidr.overlaps(others.cidr)
    {
        problems.warning(
            "network.cidr",
            format!("{} overlaps {}, the range of `{theirs}`", ours.cidr, others.cidr),
            "ranges that share no address, or the two can never be connected",
        );
    }
}

/// Every name that leads to an environment's load balancer.
fn hosts(config: &EnvConfig) -> impl Iterator<Item = &DomainName> {
    std::iter::once(&config.domain).chain(config.services.values().flat_map(|further| &further.hosts))
}

/// Names of roles are unique in an account and those of buckets in the world, so neither can be had twice in two regions;
/// a repository's name is the service's alone, and unique in a region.
fn check_names(this: &EnvConfig, other: &EnvConfig, problems: &mut Problems) {
    if this.account_id != other.account_id {
        return;
    }
    let theirs = &other.name;
    if this.names.prefix() == other.names.prefix() {
        let what = format!(
            "in the same account, the names of `{theirs}` begin with {} as well",
            this.names.prefix()
        );
        problems.error("project", what, "another project name, or another name for the environment's file");
    }
    if this.region == other.region && this.service.name == other.service.name {
        problems.error(
            "service.name",
            format!(
                "`{theirs}` has an image repository called {} in the same account and region",
                this.service.name
            ),
            format!(
                "a name of its own, such as `name = \"{}-{}\"` under [service]",
                this.service.name, this.name
            ),
        );
    }
}
