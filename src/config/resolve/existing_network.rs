//! Checks of `[network.existing]`.

use crate::config::EnvConfig;
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{ExistingNetwork, NetworkFile, NetworkPart};
use crate::config::value::SubnetId;

/// Notes what cannot stand beside a VPC that exists already, and what is wrong with its subnets.
pub(super) fn check(file: &NetworkFile, existing: &ExistingNetwork, problems: &mut Problems) {
    check_no_other_vpc(file, problems);
    check_counts(file, existing, problems);
    check_unique(existing, problems);
    check_endpoint_ranges(existing, problems);
    check_flow_logs(file, existing, problems);
}

fn tiers(existing: &ExistingNetwork) -> [(&'static str, &[SubnetId]); 3] {
    [("public", &existing.public), ("private", &existing.private), ("data", &existing.data)]
}

fn path(key: &str) -> KeyPath {
    KeyPath::from("network.existing").key(key)
}

/// What would make a VPC has no place beside one that is there.
fn check_no_other_vpc(file: &NetworkFile, problems: &mut Problems) {
    let subnets = &file.subnets;
    let given = [
        ("network.cidr", file.cidr.is_some(), "its range is read from the VPC itself"),
        ("network.nat", file.nat.is_some(), "its routes and gateways are its owner's"),
        ("network.subnets.public", subnets.public.is_some(), "`public` under [network.existing] names them"),
        (
            "network.subnets.private",
            subnets.private.is_some(),
            "`private` under [network.existing] names them",
        ),
        ("network.subnets.firewall", subnets.firewall.is_some(), "its subnets are its owner's"),
        ("network.subnets.nat", subnets.nat.is_some(), "its subnets are its owner's"),
        (
            "network.firewall.allowed_names",
            !file.firewall.allowed_names.is_empty(),
            "its routes, and what stands on them, are its owner's",
        ),
        ("network.subnets.data", subnets.data.is_some(), "`data` under [network.existing] names them"),
    ];
    for (key, _, help) in given.into_iter().filter(|(_, given, _)| *given) {
        problems
            .error(key, format!("`{key}` is of a VPC that is made, and this one exists already"), {
                format!("remove the line ({help}), or remove [network.existing]")
            })
            .because_of(&["network.existing"]);
    }
}

/// One subnet per zone, or none at all where no data store stands in the VPC.
fn check_counts(file: &NetworkFile, existing: &ExistingNetwork, problems: &mut Problems) {
    let zones = file.zones().len();
    for (tier, subnets) in tiers(existing) {
        if subnets.len() != zones && !(tier == "data" && subnets.is_empty()) {
            problems
                .error(
                    path(tier),
                    format!("{} {tier} subnets for {zones} availability zones", subnets.len()),
                    "one subnet per zone, in the order of `availability_zones`",
                )
                .because_of(&["network.availability_zones"]);
        }
    }
}

fn check_unique(existing: &ExistingNetwork, problems: &mut Problems) {
    let all: Vec<(&str, usize, &SubnetId)> = tiers(existing)
        .into_iter()
        .flat_map(|(tier, ids)| ids.iter().enumerate().map(move |(at, id)| (tier, at, id)))
        .collect();
    for (n, (tier, at, id)) in all.iter().enumerate() {
        if let Some((other, ..)) = all.iter().take(n).find(|(_, _, earlier)| earlier == id) {
            problems.error(
                path(tier).index(*at),
                format!("{id} is a {other} subnet already"),
                "a subnet of its own for each tier and zone: what separates the tiers is theirs",
            );
        }
    }
}

/// Interface endpoints are ours and known, or stand in ranges that the tasks are let out to.
fn check_endpoint_ranges(existing: &ExistingNetwork, problems: &mut Problems) {
    let elsewhere = existing.elsewhere.of(NetworkPart::InterfaceEndpoints).is_some();
    let ranges = &existing.interface_endpoint_cidrs;
    if elsewhere && ranges.is_empty() {
        problems
            .error(
                path("elsewhere").key("interface_endpoints"),
                "nothing says where the interface endpoints stand, and the tasks reach nothing that is not listed",
                "`interface_endpoint_cidrs` under [network.existing] with their subnets' ranges",
            )
            .because_of(&["network.existing.interface_endpoint_cidrs"]);
    }
    if !elsewhere && !ranges.is_empty() {
        problems
            .error(
                path("interface_endpoint_cidrs"),
                "the interface endpoints are made here, and reached by their security group",
                "remove the line, or say under [network.existing.elsewhere] who looks after `interface_endpoints`",
            )
            .because_of(&["network.existing.elsewhere"]);
    }
    for (at, range) in ranges.iter().enumerate() {
        if !range.is_private() {
            problems.error(
                path("interface_endpoint_cidrs").index(at),
                format!("{range} does not lie in private address space, where endpoints stand"),
                "the range of the endpoints' subnets",
            );
        }
    }
}

/// What the flow logs are like is not for this file to say where they are somebody else's.
fn check_flow_logs(file: &NetworkFile, existing: &ExistingNetwork, problems: &mut Problems) {
    let flow = &file.flow_logs;
    let given = [
        ("network.flow_logs.s3", flow.s3),
        ("network.flow_logs.retention_days", flow.retention_days.is_some()),
    ];
    let elsewhere = existing.elsewhere.of(NetworkPart::FlowLogs).is_some();
    for (key, _) in given.into_iter().filter(|(_, given)| *given && elsewhere) {
        problems
            .error(
                key,
                "the flow logs are looked after elsewhere, so this has no effect",
                "remove the line, or `flow_logs` under [network.existing.elsewhere]",
            )
            .because_of(&["network.existing.elsewhere.flow_logs"]);
    }
}

/// A database stands in data subnets.
pub(super) fn check_database(config: &EnvConfig, problems: &mut Problems) {
    let without = config.network.existing().is_some_and(|existing| existing.data.is_empty());
    if without && config.data.postgres.is_some() {
        problems
            .error(
                "network.existing",
                "PostgreSQL stands in data subnets, and none are named",
                "`data` with one subnet per zone, which lead to no internet gateway and no NAT gateway",
            )
            .because_of(&["network.existing.data", "data"]);
    }
}
