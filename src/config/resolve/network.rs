//! Resolves `[network]`.

use super::{existing_network, subnets};
use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{
    EgressDestination, EgressRule, EgressRuleFile, Endpoints, ExistingNetwork, Nat, Network, NetworkFile,
    NetworkFirewall, NetworkPart, OwnVpc, Vpc,
};
use crate::config::value::{AvailabilityZone, Breadth, Cidr, Region, RetentionDays, ZoneLetter};
use aws::facts;

/// The VPC as the stacks build it; `None` without a range or a region, or where the subnets have no room.
pub(super) fn resolve(
    file: &NetworkFile,
    region: Option<&Region>,
    retention: RetentionDays,
    protection: bool,
    endpoints: Endpoints,
    problems: &mut Problems,
) -> Option<Network> {
    check_zones(file, problems);
    check_lists(file, problems);
    check_firewall(file, problems);
    check_open_subnets(&file.firewall, protection, problems);
    let egress = egress(file, problems);
    let zones: Vec<AvailabilityZone> =
        file.zones().iter().filter_map(|letter| region.map(|region| region.zone(*letter))).collect();
    let vpc = match &file.existing {
        Some(existing) => {
            existing_network::check(file, existing, problems);
            Vpc::Existing(existing.clone())
        }
        None => Vpc::Own(own(file, &zones, problems)?),
    };
    Some(Network {
        vpc,
        availability_zones: zones,
        ipv6: file.ipv6,
        flow_logs_retention_days: file.flow_logs.retention_days.unwrap_or(retention),
        flow_logs: file.flow_logs.clone(),
        endpoints,
        egress,
    })
}

/// Names that one rule group of the firewall holds. Its capacity cannot be changed once it is made.
pub(crate) const FIREWALL_NAMES_MAX: usize = 1000;

/// The firewall filters what goes out by NAT, and reads ranges, not lists of them.
fn check_firewall(file: &NetworkFile, problems: &mut Problems) {
    const NAMES: &str = "network.firewall.allowed_names";
    let count = file.firewall.allowed_names.len();
    if count == 0 {
        for (key, own) in [("firewall", &file.subnets.firewall), ("nat", &file.subnets.nat)] {
            if own.is_some() {
                problems
                    .error(
                        KeyPath::from("network.subnets").key(key),
                        "there is no network firewall that needs these subnets",
                        "remove the line, or list names under `firewall.allowed_names`",
                    )
                    .because_of(&[NAMES]);
            }
        }
        return;
    }
    if file.nat == Some(Nat::None) {
        problems
            .error(
                NAMES,
                "with `nat = \"none\"` nothing leaves the VPC, so there is nothing to let pass",
                "`nat = \"per-az\"` or `nat = \"single\"`",
            )
            .because_of(&["network.nat"]);
    }
    if count > FIREWALL_NAMES_MAX {
        problems.error(
            NAMES,
            format!("{count} names, and the firewall has room for {FIREWALL_NAMES_MAX}"),
            "fewer names, or `*.example.com` for all below one",
        );
    }
    for (at, rule) in file.egress.iter().enumerate().filter(|(_, rule)| rule.prefix_list.is_some()) {
        problems
            .error(
                KeyPath::from("network.egress").index(at).key("prefix_list"),
                format!("the network firewall cannot let `{}` pass by a prefix list", rule.name),
                "the ranges themselves by `cidr`, or the names under `network.firewall`",
            )
            .because_of(&[NAMES]);
    }
}

/// The waiver lasts for one change.
fn check_open_subnets(firewall: &NetworkFirewall, protection: bool, problems: &mut Problems) {
    const KEY: &str = "network.firewall.subnets_may_change";
    let Some(reason) = &firewall.subnets_may_change else { return };
    if firewall.allowed_names.is_empty() {
        problems
            .error(KEY, "there is no network firewall whose subnets could change", "remove the line")
            .because_of(&["network.firewall.allowed_names"]);
    } else if protection {
        problems.warning(
            KEY,
            format!("AWS lets the firewall's subnets be changed: {reason}"),
            "remove the line once the change is applied, and apply again",
        );
    }
}

/// A VPC of one's own, laid out.
fn own(file: &NetworkFile, zones: &[AvailabilityZone], problems: &mut Problems) -> Option<OwnVpc> {
    let cidr = file.cidr?;
    check_range(cidr, problems);
    let subnets = subnets::lay_out(cidr, file, problems)?.in_zones(zones);
    let nat = file.nat.unwrap_or(if leads_out(file) { Nat::PerAz } else { Nat::None });
    let NetworkFirewall { allowed_names, subnets_may_change } = &file.firewall;
    Some(OwnVpc {
        cidr,
        subnets,
        nat,
        firewall_names: allowed_names.clone(),
        firewall_subnets_may_change: subnets_may_change.is_some(),
    })
}

/// Whether something is let out of the VPC to third parties.
fn leads_out(file: &NetworkFile) -> bool {
    !file.egress.is_empty() || !file.firewall.allowed_names.is_empty()
}

/// Whether somebody else looks after a part of the network.
pub(super) fn is_elsewhere(existing: Option<&ExistingNetwork>, part: NetworkPart) -> bool {
    existing.is_some_and(|existing| existing.elsewhere.of(part).is_some())
}

/// How many zones there are unless the file says so: the loss of one then leaves two thirds.
const ZONES: usize = 3;

/// The zones that a new account has in the region, where the file names none.
pub(super) fn fill_zones(file: &mut NetworkFile, region: Option<&Region>, problems: &mut Problems) {
    if file.availability_zones.is_some() {
        return;
    }
    let known = region.and_then(|region| facts::zones(region.as_str()));
    if let (Some(region), None) = (region, &known) {
        problems
            .error(
                "network.availability_zones",
                format!("which availability zones {region} has is not known to this version"),
                "two to six of its letters, such as [\"a\", \"b\", \"c\"], as `aws ec2 describe-availability-zones` shows them",
            )
            .because_of(&["region"]);
    }
    // Without a region, which is noted, the letters decide how the subnets are laid out.
    let letters = known.map(|zones| {
        ZoneLetter::ALL
            .into_iter()
            .filter(|letter| zones.iter().any(|zone| zone.letter == letter.as_char()))
            .collect()
    });
    let letters: Vec<ZoneLetter> = letters.unwrap_or_else(|| ZoneLetter::ALL.to_vec());
    file.availability_zones = Some(letters.into_iter().take(ZONES).collect());
}

fn check_zones(file: &NetworkFile, problems: &mut Problems) {
    let count = file.zones().len();
    if !(2..=6).contains(&count) {
        problems.error(
            "network.availability_zones",
            format!("{count} availability zones"),
            "2 to 6: the load balancer needs two, and the layout has room for six",
        );
    }
}

/// AWS takes /16 to /28: <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>
fn check_range(cidr: Cidr, problems: &mut Problems) {
    if !(16..=28).contains(&cidr.prefix_len()) {
        problems.error(
            "network.cidr",
            format!("a VPC cannot have the range {cidr}"),
            "a prefix from /16 to /28",
        );
    }
    if !cidr.is_private() {
        problems.error(
            "network.cidr",
            format!("{cidr} does not lie in private address space"),
            "a range in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
        );
    }
}

fn check_lists(file: &NetworkFile, problems: &mut Problems) {
    if file.nat == Some(Nat::None) && !file.egress.is_empty() {
        problems
            .error(
                "network.egress",
                "nothing outside AWS can be reached with `nat = \"none\"`",
                "`nat = \"per-az\"`",
            )
            .because_of(&["network.nat"]);
    }
    let asked = file.nat.is_some_and(|nat| nat != Nat::None) && file.existing.is_none();
    if asked && !leads_out(file) {
        problems
            .warning(
                "network.nat",
                "NAT gateways are built for nobody: no task is let out to a third party",
                "remove the line: NAT gateways are built once `egress` or `firewall.allowed_names` lets something out",
            )
            .because_of(&["network.egress", "network.firewall"]);
    }
}

fn egress(file: &NetworkFile, problems: &mut Problems) -> Vec<EgressRule> {
    let rules = &file.egress;
    let path = |at: usize| KeyPath::from("network.egress").index(at);
    let mut resolved: Vec<EgressRule> = Vec::with_capacity(rules.len());
    for (at, rule) in rules.iter().enumerate() {
        if rules.iter().take(at).any(|earlier| earlier.name == rule.name) {
            problems.error(
                path(at).key("name"),
                format!("two rules are called `{}`", rule.name),
                "a name of its own",
            );
        }
        let destination = match (&rule.cidr, &rule.prefix_list) {
            (Some(cidr), None) => EgressDestination::Cidr(*cidr),
            (None, Some(list)) => EgressDestination::PrefixList(list.clone()),
            _ => {
                problems.error(
                    path(at),
                    format!("the rule `{}` leads nowhere or to two places", rule.name),
                    "either `cidr` or `prefix_list`",
                );
                continue;
            }
        };
        check_everywhere(rule, path(at), problems);
        let Ok(port) = u16::try_from(rule.port.get()) else { continue };
        // AWS knows a rule by where it leads.
        // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupEgress.html
        if let Some(earlier) =
            resolved.iter().find(|earlier| (&earlier.destination, earlier.port) == (&destination, port))
        {
            problems.error(
                path(at),
                format!("`{}` leads where `{}` does, and AWS refuses a second rule", rule.name, earlier.name),
                "one rule with both reasons; services beside the main one may name the same rule",
            );
            continue;
        }
        if let EgressDestination::Cidr(cidr) = &destination
            && port == 443
            && file.existing.as_ref().is_some_and(|existing| existing.interface_endpoint_cidrs.contains(cidr))
        {
            problems
                .error(
                    path(at),
                    format!("the tasks reach {cidr} at port 443 already, and AWS refuses a second rule"),
                    "remove the rule: these are the endpoints' ranges",
                )
                .because_of(&["network.existing.interface_endpoint_cidrs"]);
            continue;
        }
        resolved.push(EgressRule { name: rule.name.clone(), destination, port, reason: rule.reason.clone() });
    }
    check_breadth(rules, problems);
    resolved
}

/// The rules are looked at as one set of addresses: two halves of the internet are the internet.
fn check_breadth(rules: &[EgressRuleFile], problems: &mut Problems) {
    let ranges = rules.iter().filter_map(|rule| rule.cidr).filter(|cidr| cidr.prefix_len() > 0);
    if !Breadth::of(ranges.map(|cidr| cidr.net().into())).within(Breadth::EGRESS_MAX) {
        problems.error(
            "network.egress",
            "together the rules lead to more of the internet than third parties can have (PCI DSS 1.3.2)",
            "the third parties' own ranges, in sum at most as much as a /8; or `firewall.allowed_names` under [network]",
        );
    }
}

/// A rule to everywhere undoes the allow-list.
fn check_everywhere(rule: &EgressRuleFile, path: KeyPath, problems: &mut Problems) {
    if rule.cidr.is_some_and(|cidr| cidr.prefix_len() == 0) {
        problems.error(
            path.key("cidr"),
            "a rule to every address leaves nothing for the other rules to allow",
            "the third party's own ranges, or a managed prefix list that holds them (PCI DSS 1.3.2)",
        );
    }
}
