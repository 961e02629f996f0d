//! Network Firewall: connections leave by the name that they ask for, and no other does (PCI 1.3.2, 1.4.4).
//!
//! The tasks' way out leads through an endpoint of the firewall to a NAT gateway, and the answers' way back through the
//! same endpoint: the firewall has to see both halves of a connection. So NAT stands in subnets of its own here; in those
//! of the load balancer its routes back would take the load balancer's requests to the tasks through the firewall too, and
//! their answers past it. Rules are evaluated in their order, and what none lets pass is dropped once it has said what it
//! is: until then the handshake has to get through.
//! <https://docs.aws.amazon.com/network-firewall/latest/developerguide/arch-igw-ngw.html>

use aws::kind::VpcId;
use aws::networkfirewall_firewall as firewall;
use aws::networkfirewall_firewall_policy as policy;
use aws::networkfirewall_logging_configuration as logging;
use aws::networkfirewall_rule_group as rules;
use aws::{
    NetworkfirewallFirewall, NetworkfirewallFirewallHandle, NetworkfirewallFirewallOptional,
    NetworkfirewallFirewallPolicy, NetworkfirewallFirewallPolicyHandle,
    NetworkfirewallFirewallPolicyOptional, NetworkfirewallLoggingConfiguration, NetworkfirewallRuleGroup,
    NetworkfirewallRuleGroupHandle, NetworkfirewallRuleGroupOptional,
};
use terraform::kind::Text;
use terraform::{Expr, Meta, NonEmpty, Stack, set};

use super::vpc::Placed;
use crate::config::{AvailabilityZone, EgressDestination, EnvConfig, FIREWALL_NAMES_MAX, OwnVpc};
use crate::stacks::kms::Key;
use crate::stacks::logs;

/// The firewall and where it stands.
pub struct Firewall {
    /// The firewall.
    pub firewall: NetworkfirewallFirewallHandle,
    /// The zones that it has an endpoint in.
    pub zones: Vec<AvailabilityZone>,
}

impl Firewall {
    /// The endpoint in a zone, known once the firewall stands.
    pub(super) fn endpoint(&self, zone: &AvailabilityZone) -> Expr<Text> {
        let states = self.firewall.firewall_status().below(0, "sync_states");
        states.find("availability_zone", zone.to_string(), "attachment[0].endpoint_id")
    }
}

/// Builds the firewall in its subnets, one beside each NAT gateway; none where there are no subnets.
pub(super) fn build(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    own: &OwnVpc,
    vpc: &Expr<VpcId>,
    subnets: &[Placed],
    key: &Key,
    logs: &logs::FirewallLogs,
) -> Option<Firewall> {
    let (first, rest) = subnets.split_first()?;
    let policy = policy(stack, config, own, key);
    let mapping = |placed: &Placed| firewall::SubnetMapping {
        subnet_id: set(placed.id.clone()),
        optional: Default::default(),
    };
    let handle = stack.add_with(
        "egress",
        Meta::new().prevent_destroy(config.protection),
        NetworkfirewallFirewall {
            firewall_policy_arn: set(policy.arn()),
            name: set(config.names.of("egress")),
            subnet_mapping: NonEmpty::new(mapping(first), rest.iter().map(mapping)),
            vpc_id: set(vpc.clone()),
            optional: NetworkfirewallFirewallOptional {
                delete_protection: set(config.protection),
                description: set("What leaves the VPC, by the name that it asks for"),
                encryption_configuration: set(firewall::EncryptionConfiguration {
                    r#type: set("CUSTOMER_KMS"),
                    optional: firewall::EncryptionConfigurationOptional { key_id: set(key.arn().text()) },
                }),
                firewall_policy_change_protection: set(config.protection),
                subnet_change_protection: set(config.protection && !own.firewall_subnets_may_change),
                ..Default::default()
            },
        },
    );
    log(stack, &handle, logs);
    let zones = own.subnets.firewall.iter().map(|subnet| subnet.az.clone()).collect();
    Some(Firewall { firewall: handle, zones })
}

/// What is dropped or let pass by a rule with an alert, and every connection.
fn log(stack: &mut Stack<'_>, firewall: &NetworkfirewallFirewallHandle, logs: &logs::FirewallLogs) {
    let to = |kind: &'static str, group: &aws::CloudwatchLogGroupHandle| logging::LogDestinationConfig {
        log_destination: set([("logGroup", group.name().text())]),
        log_destination_type: set("CloudWatchLogs"),
        log_type: set(kind),
    };
    stack.add_with(
        "egress",
        Meta::new().depends_on(&logs.delivery),
        NetworkfirewallLoggingConfiguration {
            firewall_arn: set(firewall.arn()),
            logging_configuration: logging::LoggingConfiguration {
                log_destination_config: NonEmpty::new(to("ALERT", &logs.alerts), [to("FLOW", &logs.flows)]),
            },
        },
    );
}

fn policy(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    own: &OwnVpc,
    key: &Key,
) -> NetworkfirewallFirewallPolicyHandle {
    let groups = [
        Some(protocols(stack, config, key)),
        addresses(stack, config, key),
        Some(names(stack, config, own, key)),
    ];
    let references = groups.into_iter().flatten().zip(1_u32..);
    let references = references.map(|(group, priority)| policy::StatefulRuleGroupReference {
        resource_arn: group.arn(),
        optional: policy::StatefulRuleGroupReferenceOptional {
            priority: set(priority),
            ..Default::default()
        },
    });
    let private: Vec<String> = own.subnets.private.iter().map(|subnet| subnet.cidr.to_string()).collect();
    let home =
        policy::RuleVariables { key: set("HOME_NET"), ip_set: policy::IpSet { definition: set(private) } };
    stack.add(
        "egress",
        NetworkfirewallFirewallPolicy {
            firewall_policy: policy::FirewallPolicy {
                stateless_default_actions: set(["aws:forward_to_sfe"]),
                stateless_fragment_default_actions: set(["aws:forward_to_sfe"]),
                optional: policy::FirewallPolicyOptional {
                    policy_variables: Some(policy::PolicyVariables { rule_variables: vec![home] }),
                    stateful_default_actions: set(["aws:drop_established", "aws:alert_established"]),
                    stateful_engine_options: Some(policy::StatefulEngineOptions {
                        rule_order: set("STRICT_ORDER"),
                        // A connection that it has lost the beginning of is told so, and begins anew.
                        stream_exception_policy: set("REJECT"),
                        ..Default::default()
                    }),
                    stateful_rule_group_reference: references.collect(),
                    ..Default::default()
                },
            },
            name: set(config.names.of("egress")),
            optional: NetworkfirewallFirewallPolicyOptional {
                encryption_configuration: set(policy::EncryptionConfiguration {
                    r#type: set("CUSTOMER_KMS"),
                    optional: policy::EncryptionConfigurationOptional { key_id: set(key.arn().text()) },
                }),
                ..Default::default()
            },
        },
    )
}

/// Nothing but TCP: the end of all rules drops connections once they stand, and other protocols have none.
fn protocols(stack: &mut Stack<'_>, config: &EnvConfig, key: &Key) -> NetworkfirewallRuleGroupHandle {
    let drop = |protocol: &'static str, sid: u32| {
        rule("DROP", header(protocol, "ANY".to_owned(), "ANY".to_owned()), sid)
    };
    let source =
        rules::RulesSource { stateful_rule: vec![drop("UDP", 1), drop("ICMP", 2)], ..Default::default() };
    group(stack, config, key, "protocols", 10, source)
}

/// The ranges of third parties, each at its port, as the tasks' security group has them.
fn addresses(stack: &mut Stack<'_>, config: &EnvConfig, key: &Key) -> Option<NetworkfirewallRuleGroupHandle> {
    let ranges = config.network.egress.iter().filter_map(|rule| match &rule.destination {
        EgressDestination::Cidr(range) => Some((range, rule.port)),
        EgressDestination::PrefixList(_) => None,
    });
    let pass = |((range, port), sid): ((&crate::config::Cidr, u16), u32)| {
        rule("PASS", header("TCP", range.to_string(), port.to_string()), sid)
    };
    let passing: Vec<rules::StatefulRule> = ranges.zip(100..).map(pass).collect();
    if passing.is_empty() {
        return None;
    }
    // As many as a security group may be given rules.
    let source = rules::RulesSource { stateful_rule: passing, ..Default::default() };
    Some(group(stack, config, key, "addresses", 1000, source))
}

/// The names, as clients say them at the beginning of TLS. What speaks anything else has said none.
fn names(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    own: &OwnVpc,
    key: &Key,
) -> NetworkfirewallRuleGroupHandle {
    let target = |name: &crate::config::CertificateName| name.as_str().trim_start_matches('*').to_owned();
    let mut targets: Vec<String> = own.firewall_names.iter().map(target).collect();
    targets.sort();
    targets.dedup();
    let list = rules::RulesSourceList {
        generated_rules_type: set("ALLOWLIST"),
        target_types: set(["TLS_SNI"]),
        targets: set(targets),
    };
    let source = rules::RulesSource { rules_source_list: Some(list), ..Default::default() };
    group(stack, config, key, "names", FIREWALL_NAMES_MAX, source)
}

fn header(protocol: &'static str, destination: String, port: String) -> rules::Header {
    rules::Header {
        destination: set(destination),
        destination_port: set(port),
        direction: set("FORWARD"),
        protocol: set(protocol),
        source: set("$HOME_NET"),
        source_port: set("ANY"),
    }
}

fn rule(action: &'static str, header: rules::Header, sid: u32) -> rules::StatefulRule {
    rules::StatefulRule {
        action: set(action),
        header,
        rule_option: NonEmpty::one(rules::RuleOption {
            keyword: set("sid"),
            optional: rules::RuleOptionOptional { settings: set([sid.to_string()]) },
        }),
    }
}

fn group(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    key: &Key,
    name: &'static str,
    capacity: usize,
    source: rules::RulesSource,
) -> NetworkfirewallRuleGroupHandle {
    stack.add(
        format!("egress_{name}"),
        NetworkfirewallRuleGroup {
            capacity: set(capacity),
            name: set(config.names.of(&format!("egress-{name}"))),
            r#type: set("STATEFUL"),
            optional: NetworkfirewallRuleGroupOptional {
                encryption_configuration: set(rules::EncryptionConfiguration {
                    r#type: set("CUSTOMER_KMS"),
                    optional: rules::EncryptionConfigurationOptional { key_id: set(key.arn().text()) },
                }),
                rule_group: Some(rules::RuleGroup {
                    rules_source: source,
                    optional: rules::RuleGroupOptional {
                        stateful_rule_options: Some(rules::StatefulRuleOptions {
                            rule_order: set("STRICT_ORDER"),
                        }),
                        ..Default::default()
                    },
                }),
                ..Default::default()
            },
        },
    )
}
