//! From what an environment file says to what the stacks need: defaults that depend on other values are filled in,
//! subnets are computed, and whatever depends on more than one value is checked.

mod acknowledged;
mod addresses;
mod alarms;
mod alb;
mod backup;
mod certificate;
mod contract;
mod data;
mod detection;
mod deviations;
mod dns;
mod endpoints;
mod existing;
mod existing_network;
mod github;
mod kms;
mod lists;
mod names;
mod network;
mod partition;
mod recovery;
mod routes;
mod secrets;
mod service;
mod services;
mod state;
mod storage;
mod subnets;
mod tags;
mod waf;

pub(crate) use network::FIREWALL_NAMES_MAX;

use super::EnvConfig;
use super::file::{EnvFile, REQUIRED};
use super::problem::{KeyPath, Problems};
use super::section::{Contract, Waf};
use super::value::{DomainName, EnvName, ProjectName, RetentionDays};

/// The shortest retention in production, in days: PCI DSS 10.5.1 asks for twelve months.
pub(crate) const PRODUCTION_RETENTION_MIN: u32 = 365;

/// Resolves an environment file, noting every problem. `None` means that a problem has been noted, or that a required
/// key is missing, which is noted as well.
pub(crate) fn resolve(name: EnvName, mut file: EnvFile, problems: &mut Problems) -> Option<EnvConfig> {
    network::fill_zones(&mut file.network, file.region.as_ref(), problems);
    required(&file, problems);
    contract::check(&file, problems);
    check_switches(&file, problems);
    check_retention(&file, problems);
    addresses::check(&file, problems);
    lists::check(&file, problems);
    alarms::check(&file.alarms, file.production, problems);
    alb::check(&file.alb, file.network.ipv6, file.production, problems);
    partition::check(&file, problems);
    tags::check(&file.tags, problems);
    recovery::check(&file, problems);
    dns::check(&file, problems);
    secrets::check(&file.secrets, problems);
    waf::check(&file.waf, file.production, problems);

    let callers = endpoints::Callers::of(&file);
    let hosted_zone = hosted_zone(&file, problems);
    detection::check_account(&file, problems);
    let (account, region) = (file.account_id.as_ref(), file.region.as_ref());
    let certificate = certificate::resolve(
        file.certificate,
        file.domain.as_ref(),
        hosted_zone.as_ref(),
        account,
        region,
        problems,
    );
    kms::check(&file.kms, account, region, problems);
    let has_contract = file.service.contract != Some(Contract::None);
    let store = has_contract.then_some(file.data.store);
    endpoints::check(&file.network, &callers, store, file.production, problems);
    let own_endpoints = endpoints::own_interface_endpoints(&file.network, &callers);
    let network = network::resolve(
        &file.network,
        file.region.as_ref(),
        file.logs.retention_days,
        file.protection,
        endpoints::resolve(&file.network, region, &callers, has_contract, file.protection),
        problems,
    );
    let around = service::Around {
        region,
        account,
        endpoints: own_endpoints.as_deref(),
        retention: file.logs.retention_days,
        production: file.production,
        secrets_are_read: !file.secrets.readers.is_empty(),
    };
    let beside = services::Beside {
        domain: file.domain.as_ref(),
        zone: hosted_zone.as_ref(),
        main: &file.service.name,
        egress: &file.network.egress,
    };
    let services = services::resolve(file.services, &beside, around, problems);
    let service = service::resolve(&KeyPath::from("service"), file.service, around, problems);
    let data = data::resolve(&file.data, has_contract, file.production, problems);
    // Without stores there is nothing to copy.
    let backup = backup::resolve(&file.backup, file.production, problems).filter(|_| has_contract);
    let mut waf = file.waf;
    waf.upload_paths.get_or_insert_with(|| Waf::default_upload_paths(has_contract));
    let storage = storage::resolve(&file.storage, file.production, problems);
    storage::check_existing(&storage, account, region, problems);
    let detection = detection::resolve(file.detection, file.region.as_ref(), file.production, problems);

    let project = project(file.project, problems);
    let organization = file.organization?;
    let (account_id, region) = (file.account_id?, file.region?);
    let names = names::compose(&project, &name, &organization, &account_id, problems);
    let state = state::resolve(file.state, &project, &name, &organization, &account_id, &region, problems);
    let github = github::resolve(file.github, &name, &region, problems);
    let iam = match &github {
        Some(_) => github::roles(file.iam, &names, &account_id, &region),
        None => file.iam,
    };
    let config = EnvConfig {
        owner: file.owner,
        production: file.production,
        protection: file.protection,
        account: file.account,
        network: network?,
        kms: file.kms,
        iam,
        github,
        ecr: file.ecr,
        service: service?,
        services,
        data,
        secrets: file.secrets,
        recovery: file.recovery,
        backup,
        dns: file.dns,
        alb: file.alb,
        certificate: certificate?,
        waf,
        logs: file.logs,
        alarms: file.alarms,
        storage,
        detection: detection?,
        shield: file.shield,
        deviations: file.deviations,
        acknowledged: file.acknowledged,
        moved: file.moved,
        removed: file.removed,
        tags: file.tags,
        state: state?,
        terraform: file.terraform,
        domain: file.domain?,
        hosted_zone: hosted_zone?,
        names,
        name,
        organization,
        project,
        account_id,
        region,
    };
    routes::check(&config, problems);
    certificate::check_hosts(&config, problems);
    tags::check_policy(&config, problems);
    detection::check_agent(&config, problems);
    existing_network::check_database(&config, problems);
    deviations::check(&config, problems);
    acknowledged::check(&config, problems);
    data::check_names(&config, problems);
    Some(config)
}

/// Notes every required key that is missing.
fn required(file: &EnvFile, problems: &mut Problems) {
    let missing = [
        file.organization.is_none(),
        file.account_id.is_none(),
        file.region.is_none(),
        file.domain.is_none(),
        file.network.cidr.is_none() && file.network.existing.is_none(),
    ];
    for ((key, example), _) in REQUIRED.into_iter().zip(missing).filter(|(_, missing)| *missing) {
        problems
            .error(key, format!("`{key}` is missing"), format!("add it, for example `{example}`"))
            .because_of(if key == "network.cidr" { &["network.existing"] } else { &[] });
    }
}

/// The name that every file without one has always had.
fn project(named: Option<ProjectName>, problems: &mut Problems) -> ProjectName {
    named.unwrap_or_else(|| {
        let name = ProjectName::known("txn-reconcile");
        problems.warning(
            "project",
            format!("`project` is missing, so every resource's name begins with `{name}`, as it always did"),
            format!(
                "`project = \"{name}\"` if resources of this environment exist; for one that was never applied, a name \
                 of your own: to change it later replaces nearly everything"
            ),
        );
        name
    })
}

fn check_switches(file: &EnvFile, problems: &mut Problems) {
    if file.production && !file.logs.export {
        problems
            .error(
                "logs.export",
                "in production a copy of every log lies where nobody can alter it (PCI DSS 10.3.3)",
                "remove the line, or say `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
    if file.production && !file.protection {
        problems
            .error(
                "protection",
                "a production environment is always protected",
                "remove the line, or say `production = false` if no real cardholder data is handled here",
            )
            .because_of(&["production"]);
    }
}

/// In production every log is kept for twelve months.
fn check_retention(file: &EnvFile, problems: &mut Problems) {
    if !file.production {
        return;
    }
    let mut retentions = vec![
        (KeyPath::from("logs.retention_days"), Some(file.logs.retention_days)),
        (KeyPath::from("network.flow_logs.retention_days"), file.network.flow_logs.retention_days),
        (KeyPath::from("service.log_retention_days"), file.service.log_retention_days),
    ];
    retentions.extend(file.services.iter().map(|(name, service)| {
        (KeyPath::from("services").key(name.as_str()).key("log_retention_days"), service.log_retention_days)
    }));
    for (key, retention) in retentions {
        if let Some(days) = retention.map(RetentionDays::get).filter(|days| *days < PRODUCTION_RETENTION_MIN)
        {
            problems.error(
                key,
                format!("{days} days are too few in production"),
                "365, 400 or a longer retention of CloudWatch Logs (PCI DSS 10.5.1: at least twelve months)",
            ).because_of(&["production"]);
        }
    }
}

/// The zone that the domain is entered into, which must contain it.
fn hosted_zone(file: &EnvFile, problems: &mut Problems) -> Option<DomainName> {
    let domain = file.domain.as_ref()?;
    let Some(zone) = file.hosted_zone.clone().or_else(|| domain.parent()) else {
        problems.error(
            "domain",
            format!("the zone of {domain} cannot be told from its name"),
            "name it with `hosted_zone`, which may be the domain itself, or use a name below one that you have registered",
        );
        return None;
    };
    if zone.is_registry() {
        problems.error(
            "hosted_zone",
            format!("{zone} is a registry's, under which others register their names"),
            "the zone of a name that you have registered",
        );
        return None;
    }
    if !domain.is_in(&zone) {
        problems
            .error(
                "hosted_zone",
                format!("{domain} does not lie in the zone {zone}"),
                "a zone that the domain ends in",
            )
            .because_of(&["domain"]);
    }
    Some(zone)
}
