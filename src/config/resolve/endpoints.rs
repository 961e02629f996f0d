//! Resolves `[network.endpoints]`: which services of AWS the tasks may call, and so which endpoints are built.

use std::collections::BTreeSet;

use super::network::is_elsewhere;
use crate::config::file::EnvFile;
use crate::config::problem::{KeyPath, Problem, Problems};
use crate::config::section::{Endpoints, NetworkFile, NetworkPart, Store};
use crate::config::value::{
    Bounded, GatewayEndpoint, InterfaceEndpoint, Partition, PolicyArn, Region, ServicePrefix,
};

const INTERFACE: &str = "network.endpoints.interface";

/// What the tasks of all services may call.
#[derive(Default)]
pub(super) struct Callers {
    /// Somebody may open a session in a container (ECS Exec).
    exec: bool,
    /// A task is given parameters of Parameter Store when it starts.
    parameters: bool,
    /// A task has policies of somebody's own, of which nothing is known here but their names.
    policies: bool,
    /// The services, as IAM names them, that those policies are said to allow.
    services: BTreeSet<String>,
}

impl Callers {
    /// What a file lets its services call.
    pub(super) fn of(file: &EnvFile) -> Self {
        let mut callers = Self::default();
        let main = &file.service;
        callers.add(main.exec, main.parameters.is_empty(), &main.task_policies, &main.task_services);
        for other in file.services.values() {
            callers.add(other.exec, other.parameters.is_empty(), &other.task_policies, &other.task_services);
        }
        callers
    }

    fn add(&mut self, exec: bool, no_parameters: bool, policies: &[PolicyArn], services: &[ServicePrefix]) {
        self.exec |= exec;
        self.parameters |= !no_parameters;
        self.policies |= !policies.is_empty();
        self.services.extend(services.iter().map(ToString::to_string));
    }

    /// Whether somebody may call a service, or GuardDuty's agent does.
    fn may_call(&self, endpoint: InterfaceEndpoint) -> bool {
        use InterfaceEndpoint as I;
        let named = self.policies && self.services.contains(iam_name(endpoint));
        named
            || match endpoint {
                I::EcrApi | I::EcrDkr | I::Logs | I::SecretsManager | I::GuardDutyData => true,
                I::Kms => self.exec || self.policies,
                I::Ssm => self.parameters || self.policies,
                I::SsmMessages => self.exec,
                I::Sts | I::Monitoring => self.policies,
                I::Xray | I::Events | I::Sqs | I::Sns => false,
            }
    }
}

/// The service of an endpoint as IAM names it.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
fn iam_name(endpoint: InterfaceEndpoint) -> &'static str {
    use InterfaceEndpoint as I;
    match endpoint {
        I::EcrApi | I::EcrDkr => "ecr",
        I::Monitoring => "cloudwatch",
        I::GuardDutyData => "guardduty",
        other => other.service(),
    }
}

/// What is declared, or else what somebody may call, but for what somebody else has, and for the endpoint of an agent that
/// China does not have. <https://docs.amazonaws.cn/en_us/aws/latest/userguide/guardduty.html>
pub(super) fn resolve(
    file: &NetworkFile,
    region: Option<&Region>,
    callers: &Callers,
    has_contract: bool,
    protection: bool,
) -> Endpoints {
    let gateway = file.endpoints.gateway.clone().unwrap_or_else(|| {
        let tables = has_contract.then_some(GatewayEndpoint::DynamoDb);
        [GatewayEndpoint::S3].into_iter().chain(tables).collect()
    });
    let mut interface = interface(file, callers);
    if is_elsewhere(file.existing.as_ref(), NetworkPart::InterfaceEndpoints) {
        interface.clear();
    }
    if region.is_some_and(|region| region.partition() == Partition::AwsCn) {
        interface.retain(|service| *service != InterfaceEndpoint::GuardDutyData);
    }
    let all = file.zones().len();
    let asked = file.endpoints.zones.map(|zones| usize::try_from(zones.get()).unwrap_or(all));
    let zones = asked.unwrap_or(if protection { all } else { 1 }).min(all);
    Endpoints { interface, zones, gateway }
}

/// The interface endpoints that are asked for, or else those that somebody may use.
fn interface(file: &NetworkFile, callers: &Callers) -> Vec<InterfaceEndpoint> {
    let used = || InterfaceEndpoint::ALL.into_iter().filter(|endpoint| callers.may_call(*endpoint)).collect();
    file.endpoints.interface.clone().unwrap_or_else(used)
}

/// The interface endpoints of ours; none where they are somebody else's, who alone knows them.
pub(super) fn own_interface_endpoints(
    file: &NetworkFile,
    callers: &Callers,
) -> Option<Vec<InterfaceEndpoint>> {
    let elsewhere = is_elsewhere(file.existing.as_ref(), NetworkPart::InterfaceEndpoints);
    (!elsewhere).then(|| interface(file, callers))
}

/// Endpoints are the only way to what a task needs to start, with NAT as well as without: the tasks' rules let them
/// reach endpoints and the third parties of `network.egress`, and nothing else.
pub(super) fn check(
    file: &NetworkFile,
    callers: &Callers,
    store: Option<Store>,
    production: bool,
    problems: &mut Problems,
) {
    let endpoints = &file.endpoints;
    if let Some(own) = own_interface_endpoints(file, callers) {
        for endpoint in InterfaceEndpoint::NEEDED_TO_START.into_iter().filter(|needed| !own.contains(needed))
        {
            missing(INTERFACE, endpoint.service(), problems);
        }
        check_use(endpoints.interface.as_deref().unwrap_or_default(), callers, problems);
        check_zones(endpoints.zones, file.zones().len(), production, problems);
    }
    let gateway = "network.endpoints.gateway";
    let gateways = endpoints.gateway.as_deref();
    let lacks = |service| gateways.is_some_and(|gateways| !gateways.contains(&service));
    if lacks(GatewayEndpoint::S3) {
        missing(gateway, GatewayEndpoint::S3.service(), problems);
    }
    if store == Some(Store::DynamoDb) && lacks(GatewayEndpoint::DynamoDb) {
        missing(gateway, GatewayEndpoint::DynamoDb.service(), problems).because_of(&["data.store"]);
    }
}

fn missing<'p>(key: &str, service: &str, problems: &'p mut Problems) -> &'p mut Problem {
    problems.error(
        key,
        format!("without an endpoint for {service} no task can start"),
        format!("add \"{service}\": with NAT as well, tasks reach AWS through endpoints alone"),
    )
}

/// What is asked for by name and nobody may call. Policies of somebody's own may allow whatever there is.
fn check_use(interface: &[InterfaceEndpoint], callers: &Callers, problems: &mut Problems) {
    if callers.policies {
        return;
    }
    let idle = interface.iter().enumerate().filter(|(_, endpoint)| !callers.may_call(**endpoint));
    for (at, endpoint) in idle {
        problems
            .warning(
                KeyPath::from(INTERFACE).index(at),
                format!("the endpoint for {} is built for nobody: no task may call it", endpoint.service()),
                "remove it from the list; without `interface` those are built that somebody may use",
            )
            .because_of(&["service", "services"]);
    }
}

fn check_zones(zones: Option<Bounded<1, 6>>, all: usize, production: bool, problems: &mut Problems) {
    const KEY: &str = "network.endpoints.zones";
    let Some(asked) = zones.and_then(|zones| usize::try_from(zones.get()).ok()) else { return };
    if asked > all {
        problems
            .error(
                KEY,
                format!("endpoints in {asked} zones, and the environment stands in {all}"),
                format!("at most {all}, or remove the line for all of them"),
            )
            .because_of(&["network.availability_zones"]);
    } else if asked < all && production {
        problems
            .warning(
                KEY,
                format!("with the loss of {asked} of {all} zones no task starts any more, in production"),
                "remove the line: in production endpoints stand in every zone",
            )
            .because_of(&["network.availability_zones", "production"]);
    }
}
