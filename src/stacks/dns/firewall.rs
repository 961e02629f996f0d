//! DNS Firewall: which names are looked up from within the VPC.
//!
//! Security groups and network ACLs do not see what the VPC's resolver is asked, and whatever asks a server of its own for
//! names can tell it things. So where names are listed, only those are answered, and AWS's own.

use aws::{
    Route53ResolverFirewallConfig, Route53ResolverFirewallConfigOptional, Route53ResolverFirewallDomainList,
    Route53ResolverFirewallDomainListHandle, Route53ResolverFirewallDomainListOptional,
    Route53ResolverFirewallRule, Route53ResolverFirewallRuleGroup,
    Route53ResolverFirewallRuleGroupAssociation, Route53ResolverFirewallRuleGroupAssociationOptional,
    Route53ResolverFirewallRuleGroupHandle, Route53ResolverFirewallRuleOptional,
};
use terraform::{Stack, set};

use crate::config::EnvConfig;
use crate::stacks::network;

/// Builds the firewall. Whether there is one, `dns.allowed_names` says.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, network: &network::Outputs) {
    let group = stack.add(
        "dns",
        Route53ResolverFirewallRuleGroup { name: set(config.names.of("dns")), optional: Default::default() },
    );
    let mut names: Vec<String> = config.dns.allowed_names.iter().map(ToString::to_string).collect();
    names.push(format!("*.{}", config.partition().dns_suffix()));
    names.sort();
    names.dedup();
    let allowed = list(stack, config, "allowed", names);
    let rest = list(stack, config, "rest", vec!["*".to_owned()]);
    rule(stack, &group, &allowed, "allowed", 100, "ALLOW", allow());
    rule(stack, &group, &rest, "rest", 200, "BLOCK", block());
    stack.add(
        "dns",
        Route53ResolverFirewallRuleGroupAssociation {
            firewall_rule_group_id: set(group.id()),
            name: set(config.names.of("dns")),
            // Between 100 and 9000, both excluded, which AWS keeps for Firewall Manager.
            priority: set(101),
            vpc_id: set(network.vpc.clone()),
            optional: Route53ResolverFirewallRuleGroupAssociationOptional {
                mutation_protection: set(if config.protection { "ENABLED" } else { "DISABLED" }),
                ..Default::default()
            },
        },
    );
    stack.add(
        "dns",
        Route53ResolverFirewallConfig {
            resource_id: set(network.vpc.clone().text()),
            // No answer while the firewall cannot be asked.
            optional: Route53ResolverFirewallConfigOptional { firewall_fail_open: set("DISABLED") },
        },
    );
}

fn list(
    stack: &mut Stack<'_>,
    config: &EnvConfig,
    name: &str,
    names: Vec<String>,
) -> Route53ResolverFirewallDomainListHandle {
    stack.add(
        format!("dns_{name}"),
        Route53ResolverFirewallDomainList {
            name: set(config.names.of(&format!("dns-{name}"))),
            optional: Route53ResolverFirewallDomainListOptional { domains: set(names), ..Default::default() },
        },
    )
}

fn rule(
    stack: &mut Stack<'_>,
    group: &Route53ResolverFirewallRuleGroupHandle,
    list: &Route53ResolverFirewallDomainListHandle,
    name: &'static str,
    priority: u32,
    action: &'static str,
    optional: Route53ResolverFirewallRuleOptional,
) {
    stack.add(
        format!("dns_{name}"),
        Route53ResolverFirewallRule {
            action: set(action),
            firewall_domain_list_id: set(list.id()),
            firewall_rule_group_id: set(group.id()),
            name: set(name),
            priority: set(priority),
            optional,
        },
    );
}

/// Where a listed name leads by CNAME, to a content network say, is its owner's business.
fn allow() -> Route53ResolverFirewallRuleOptional {
    Route53ResolverFirewallRuleOptional {
        firewall_domain_redirection_action: set("TRUST_REDIRECTION_DOMAIN"),
        ..Default::default()
    }
}

fn block() -> Route53ResolverFirewallRuleOptional {
    Route53ResolverFirewallRuleOptional { block_response: set("NODATA"), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use crate::stacks::probe::*;

    const ALLOWED: &str = "[dns]\nallowed_names = [\"api.example.org\", \"*.bank.example\"]\n";

    #[test]
    fn listed_names_and_those_of_aws_are_answered_and_no_other() {
        let root = platform(ALLOWED);
        let allowed = node(&root, "aws_route53_resolver_firewall_domain_list.dns_allowed");
        assert_eq!(texts(at(allowed, "domains")), ["*.amazonaws.com", "*.bank.example", "api.example.org"]);
        let rest = node(&root, "aws_route53_resolver_firewall_domain_list.dns_rest");
        assert_eq!(texts(at(rest, "domains")), ["*"]);
        let rule = |name: &str| node(&root, &format!("aws_route53_resolver_firewall_rule.dns_{name}"));
        assert_eq!((text_at(rule("allowed"), "action"), text_at(rule("rest"), "action")), ("ALLOW", "BLOCK"));
        let config = node(&root, "aws_route53_resolver_firewall_config.dns");
        assert_eq!(text_at(config, "firewall_fail_open"), "DISABLED");
    }

    #[test]
    fn without_a_list_there_is_no_firewall() {
        assert!(nodes(&platform(""), "aws_route53_resolver_firewall_rule_group").is_empty());
    }

    #[test]
    fn aws_has_other_names_in_china() {
        let root = platform(&format!("region = \"cn-north-1\"\n{ALLOWED}"));
        let allowed = node(&root, "aws_route53_resolver_firewall_domain_list.dns_allowed");
        assert!(texts(at(allowed, "domains")).contains(&"*.amazonaws.com.cn"));
    }
}
