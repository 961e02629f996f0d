//! Resolves `[services.NAME]`: what each is by itself. How their routes go together, `routes` checks.

use super::routes;
use super::service::{self, Around};
use super::waf;
use crate::config::MIGRATE;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{Contract, EgressRuleFile, FurtherService, FurtherServiceFile, ServiceFile};
use crate::config::suggest;
use crate::config::value::{Bounded, DomainName, FurtherName, ServiceName};
use std::collections::BTreeMap;

/// What the services stand beside.
pub(super) struct Beside<'a> {
    /// The main service's domain, if the file has one.
    pub domain: Option<&'a DomainName>,
    /// The zone of all hosts.
    pub zone: Option<&'a DomainName>,
    /// The main service's name.
    pub main: &'a ServiceName,
    /// Where the main service's tasks may go outside AWS.
    pub egress: &'a [EgressRuleFile],
}

/// The services beside the main one, and every problem that one has by itself. Left out are those that ask for no request or
/// have no size of Fargate's, and all of them where the domain is missing.
pub(super) fn resolve(
    services: BTreeMap<FurtherName, FurtherServiceFile>,
    beside: &Beside<'_>,
    around: Around<'_>,
    problems: &mut Problems,
) -> BTreeMap<FurtherName, FurtherService> {
    let mut resolved = BTreeMap::new();
    for (name, service) in services {
        let at = KeyPath::from("services").key(name.as_str());
        check_name(&at, &name, beside.main, problems);
        check_hosts(&at, &service.hosts, beside.zone, problems);
        check_conditions(&at, &service, problems);
        waf::check_paths(&at.below("upload_paths"), &service.upload_paths, problems);
        check_egress(&at, &service, beside.egress, problems);
        let asks = !(service.hosts.is_empty() && service.paths.is_empty());
        let Some(domain) = beside.domain.filter(|_| asks) else { continue };
        if let Some(service) = one(&at, &name, service, domain, around, problems) {
            resolved.insert(name, service);
        }
    }
    resolved
}

fn one(
    at: &KeyPath,
    name: &FurtherName,
    file: FurtherServiceFile,
    domain: &DomainName,
    around: Around<'_>,
    problems: &mut Problems,
) -> Option<FurtherService> {
    let priority = file.priority.map_or_else(|| routes::priority(name, &file.paths), Bounded::get);
    let common = ServiceFile {
        contract: Some(Contract::None),
        name: ServiceName::from(name),
        // Nobody has asked for it yet, and everybody had it.
        tmp: Some(true),
        deployment: file.deployment.into(),
        ..file.common()
    };
    let service = service::resolve(at, common, around, problems)?;
    Some(FurtherService {
        service,
        hosts: if file.hosts.is_empty() { vec![domain.clone()] } else { file.hosts },
        paths: file.paths,
        upload_paths: file.upload_paths,
        priority,
        data_stores: file.data_stores,
        egress: file.egress,
        page: file.page,
    })
}

/// Names in Terraform's addresses and in names at AWS that are the main service's, or the copies' of its images.
const TAKEN: [&str; 5] = ["blue", "green", "main", "recovery", MIGRATE];

fn check_name(at: &KeyPath, name: &FurtherName, main: &ServiceName, problems: &mut Problems) {
    if TAKEN.contains(&name.as_str()) || name.as_str() == main.as_str() {
        problems
            .error(at.clone(), format!("the name `{name}` is taken"), "a name of its own")
            .because_of(&["service.name"]);
    }
}

/// The longest host that a rule of a listener may name.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#host-conditions>
const HOST_MAX: usize = 128;

/// Each host is proved, and led to the load balancer, by records in the hosted zone.
fn check_hosts(at: &KeyPath, hosts: &[DomainName], zone: Option<&DomainName>, problems: &mut Problems) {
    for (index, host) in hosts.iter().enumerate() {
        let path = || at.below("hosts").index(index);
        if let Some(zone) = zone.filter(|zone| !host.is_in(zone)) {
            problems
                .error(
                    path(),
                    format!("{host} does not lie in the hosted zone {zone}, where the records of hosts are entered"),
                    format!("a name that ends in .{zone}"),
                )
                .because_of(&["domain", "hosted_zone"]);
        }
        if host.as_str().len() > HOST_MAX {
            let what = format!("a host of {} characters", host.as_str().len());
            problems.error(path(), what, format!("{HOST_MAX} at most, which is what a listener compares"));
        }
    }
}

/// What AWS takes in one rule: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html#rules-quotas>
const CONDITION_VALUES_MAX: usize = 5;
const WILDCARDS_MAX: usize = 5;

fn check_conditions(at: &KeyPath, file: &FurtherServiceFile, problems: &mut Problems) {
    if file.hosts.is_empty() && file.paths.is_empty() {
        problems.error(
            at.clone(),
            "no request would reach it: the main service gets all of them",
            "`hosts = [\"…\"]`, `paths = [\"/…/*\"]`, or both",
        );
    }
    let values = file.hosts.len().max(1) + file.paths.len();
    if values > CONDITION_VALUES_MAX {
        problems
            .error(
                at.below(if file.paths.is_empty() { "hosts" } else { "paths" }),
                format!(
                    "{values} hosts and paths, and a rule of the load balancer takes {CONDITION_VALUES_MAX}"
                ),
                "fewer: one pattern in place of several, or a second service",
            )
            .because_of_paths([at.below("hosts"), at.below("paths")]);
    }
    let wildcards: usize = file.paths.iter().map(|path| path.as_str().matches(['*', '?']).count()).sum();
    if wildcards > WILDCARDS_MAX {
        problems.error(
            at.below("paths"),
            format!("{wildcards} times `*` or `?`, and a rule of the load balancer takes {WILDCARDS_MAX}"),
            "fewer of them",
        );
    }
}

/// What is allowed to leave the environment is listed once, and a service names what it needs of it.
fn check_egress(
    at: &KeyPath,
    service: &FurtherServiceFile,
    egress: &[EgressRuleFile],
    problems: &mut Problems,
) {
    let known: Vec<&str> = egress.iter().map(|rule| rule.name.as_str()).collect();
    for (index, name) in service.egress.iter().enumerate().filter(|(_, name)| !known.contains(&name.as_str()))
    {
        let help = match suggest::nearest(name.as_str(), known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("a rule of this name under [[network.egress]], or another name: {}", known.join(", "))
            }
        };
        problems
            .error(
                at.below("egress").index(index),
                format!("there is no destination `{name}` under [[network.egress]]"),
                help,
            )
            .because_of(&["network.egress"]);
    }
}
