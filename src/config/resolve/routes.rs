//! Which request goes to which service: the places of the load balancer's rules, and whether each is ever reached.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Contract, FurtherService};
use crate::config::value::{FurtherName, PathPattern};

/// The first of the computed places; those before are for whoever computes their own.
const FIRST: u32 = 1001;
/// How many places there are for paths of one length. There are 129 lengths, so the last of these places is 39700.
const PLACES: u32 = 300;
/// The first of the places for whole hosts, and how many there are: the last computed place is 49000.
const FIRST_HOST: u32 = 40_001;
const HOST_PLACES: u32 = 9000;

/// The place of a service's rule: longer paths go first and whole hosts last, and among equals the name decides. It
/// follows from the service alone, so that another one moves no rule.
pub(super) fn priority(name: &FurtherName, paths: &[PathPattern]) -> u32 {
    let hash = hash(name.as_str());
    let Some(shortest) = paths.iter().map(PathPattern::literal_len).min() else {
        return FIRST_HOST + hash % HOST_PLACES;
    };
    let shorter = u32::try_from((PathPattern::LENGTH_MAX + 1).saturating_sub(shortest)).unwrap_or(0);
    FIRST + shorter * PLACES + hash % PLACES
}

/// FNV-1a: the same in every version of Rust.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Notes every service that does not get what it asks for, or takes what is the main service's.
pub(super) fn check(config: &EnvConfig, problems: &mut Problems) {
    for (at, (name, service)) in config.services.iter().enumerate() {
        let table = KeyPath::from("services").key(name.as_str());
        check_place(config, at, &table, service, problems);
        check_reached(config, name, &table, service, problems);
        check_main(config, &table, service, problems);
        check_uploads(config, name, &table, service, problems);
    }
}

/// No two rules have one place.
fn check_place(
    config: &EnvConfig,
    at: usize,
    table: &KeyPath,
    service: &FurtherService,
    problems: &mut Problems,
) {
    let mut before = config.services.iter().take(at);
    if let Some((other, _)) = before.find(|(_, other)| other.priority == service.priority) {
        problems
            .error(
                table.below("priority"),
                format!(
                    "the rules of two services have the priority {}: this one's and `{other}`'s",
                    service.priority
                ),
                "a number of its own, 1 to 1000 to go before those that are computed",
            )
            .because_of(&["services"]);
    }
}

/// Whether the rule `wide`, coming first, leaves nothing of this path at this host to a later one.
fn takes(wide: &FurtherService, host: &str, path: &PathPattern) -> bool {
    let covers = |pattern: &PathPattern| pattern.covers(path);
    wide.hosts.iter().any(|other| other.as_str() == host)
        && (wide.paths.is_empty() || wide.paths.iter().any(covers))
}

/// A path that a rule before takes away altogether is a mistake in one of the two.
fn check_reached(
    config: &EnvConfig,
    name: &FurtherName,
    table: &KeyPath,
    service: &FurtherService,
    problems: &mut Problems,
) {
    let everything = [PathPattern::all()];
    let paths = if service.paths.is_empty() { &everything[..] } else { &service.paths[..] };
    for (index, path) in paths.iter().enumerate() {
        let key = match service.paths.is_empty() {
            true => table.below("hosts"),
            false => table.below("paths").index(index),
        };
        let earlier =
            config.services.iter().filter(|(other, rule)| *other != name && rule.priority < service.priority);
        for host in &service.hosts {
            let Some((other, rule)) = earlier.clone().find(|(_, rule)| takes(rule, host.as_str(), path))
            else {
                continue;
            };
            problems
                .error(
                    key.clone(),
                    format!(
                        "`{other}` gets all of these requests to {host}: its rule comes first ({} before {})",
                        rule.priority, service.priority
                    ),
                    "another host or path; or `priority`, so that the narrower of the two comes first",
                )
                .because_of(&["services", "domain"]);
        }
    }
}

/// What the main service must get whatever others there are: the questions after its health, and what is uploaded to it.
fn check_main(config: &EnvConfig, table: &KeyPath, service: &FurtherService, problems: &mut Problems) {
    if !service.hosts.contains(&config.domain) {
        return;
    }
    if service.paths.is_empty() {
        problems
            .error(
                table.below("hosts"),
                format!(
                    "it would get every request to {}, which is the main service's domain",
                    config.domain
                ),
                "`paths`, so that it gets some of them; or a host of its own",
            )
            .because_of(&["domain"]);
    }
    let health = config.service.health_check.path.as_str();
    let health = health.split_once('?').map_or(health, |(path, _)| path);
    let answers: &[&str] = match config.service.contract {
        Contract::TxnReconcileApi => &[contract::HEALTH_PATH, contract::READINESS_PATH],
        Contract::None => &[],
    };
    let asked = [health].into_iter().chain(answers.iter().copied()).map(PathPattern::exactly);
    let uploads = config.waf.upload_paths().iter().map(|path| PathPattern::beginning(path.as_str()));
    let own: Vec<PathPattern> = asked.chain(uploads).collect();
    for (index, path) in service.paths.iter().enumerate() {
        if let Some(taken) = own.iter().find(|own| own.meets(path)) {
            problems
                .error(
                    table.below("paths").index(index),
                    format!("{path} takes requests to {taken} away from the main service"),
                    "a narrower path, or a host of its own",
                )
                .because_of(&["domain", "service.health_check.path", "waf.upload_paths"]);
        }
    }
}

/// What is uploaded to a service reaches it, and none that comes first gets what was let through for this one.
fn check_uploads(
    config: &EnvConfig,
    name: &FurtherName,
    table: &KeyPath,
    service: &FurtherService,
    problems: &mut Problems,
) {
    for (index, path) in service.upload_paths.iter().enumerate() {
        let key = || table.below("upload_paths").index(index);
        let uploads = PathPattern::beginning(path.as_str());
        let meets = |service: &FurtherService| {
            service.paths.is_empty() || service.paths.iter().any(|path| path.meets(&uploads))
        };
        if !meets(service) {
            problems
                .error(
                    key(),
                    format!("no request to {path} reaches the service"),
                    "what begins with one of its `paths`",
                )
                .because_of_paths([table.below("paths")]);
        }
        let mut first = config.services.iter().filter(|(other, rule)| {
            *other != name
                && rule.priority < service.priority
                && rule.hosts.iter().any(|host| service.hosts.contains(host))
        });
        if let Some((other, _)) = first.find(|(_, rule)| meets(rule)) {
            problems
                .error(
                    key(),
                    format!("`{other}` gets some of these requests, with bodies that are let through for this service"),
                    "a narrower path, or `priority`, so that this service's rule comes first",
                )
                .because_of(&["services"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, paths: &[&str]) -> u32 {
        let paths: Vec<PathPattern> = paths.iter().map(|path| path.parse().expect("a pattern")).collect();
        priority(&name.parse().expect("a name"), &paths)
    }

    #[test]
    fn the_narrower_rule_comes_first() {
        let (exact, below, shorter) =
            (place("a", &["/hooks/bank"]), place("b", &["/hooks/*"]), place("c", &["/h*", "/hooks/bank/*"]));
        let host = place("d", &[]);
        assert!(exact < below && below < shorter && shorter < host, "{exact} {below} {shorter} {host}");
        assert_eq!(place("a", &[&format!("/{}", "a".repeat(127))]), FIRST + hash("a") % PLACES);
        assert!((1..=50_000).contains(&host));
    }

    #[test]
    fn a_place_is_the_same_for_ever() {
        assert_eq!((place("back-office", &[]), place("hooks", &["/hooks/*"])), (48_338, 37_796));
    }
}
