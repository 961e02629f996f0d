//! Checks of `[dns]`.

use crate::config::file::EnvFile;
use crate::config::problem::Problems;
use crate::config::value::Partition;

/// Notes a zone that is both made and looked up, one that cannot be logged, and signatures for a zone that is not ours.
pub(super) fn check(file: &EnvFile, problems: &mut Problems) {
    let dns = &file.dns;
    if dns.dnssec && !dns.create_zone {
        problems
            .error(
                "dns.dnssec",
                "a zone that is looked up is signed by whoever made it",
                "remove the line, or say `create_zone = true`",
            )
            .because_of(&["dns.create_zone"]);
    }
    if !dns.create_zone {
        return;
    }
    if dns.hosted_zone_id.is_some() {
        problems
            .error(
                "dns.hosted_zone_id",
                "a zone that is made here has no id yet",
                "remove the line, or `create_zone` if the zone exists",
            )
            .because_of(&["dns.create_zone"]);
    }
    let partition = file.region.as_ref().map(|region| region.partition());
    if let Some(partition) = partition.filter(|partition| *partition != Partition::Aws) {
        problems
            .error(
                "dns.create_zone",
                format!(
                    "in {partition} the queries of a public zone cannot be logged, nor its answers signed"
                ),
                "`false`, and a zone that somebody else answers for under `hosted_zone`",
            )
            .because_of(&["region"]);
    }
}
