//! Requirements 2.2.5, 4.2.1 and 6.4: the load balancer, its certificate and the web ACL in front of it.

use serde_json::Value;

use super::{Row, beside, listed, row};
use crate::config::Breadth;
use crate::control::platform::{Platform, Resource, address, at, breadth, list, number};

const ACL: &str = "aws_wafv2_web_acl";

/// What Security Hub's ELB.17 accepts, of 2026-04-06.
const TLS: [&str; 8] = [
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09",
];

pub(super) const ROWS: &[Row] = &[
    row(
        "R019",
        "no listener names the server",
        |p| p.each("aws_lb_listener", |r| r.is("routing_http_response_server_enabled", false)),
        &[("aws_lb_listener", "routing_http_response_server_enabled", "true")],
    ),
    row(
        "R027",
        "a listener of HTTP does nothing but redirect to HTTPS at 443, for good, and no rule of it does otherwise",
        |p| {
            let otherwise =
                |r: Resource| p.referring("aws_lb_listener_rule", "listener_arn", r.address).next().is_some();
            p.each_where(
                "aws_lb_listener",
                |r| r.text("protocol") == "HTTP",
                |r| redirects(r) && !otherwise(r),
            )
        },
        &[
            ("aws_lb_listener.http", "default_action.redirect.protocol", "\"HTTP\""),
            ("aws_lb_listener.http", "default_action.redirect.status_code", "\"HTTP_302\""),
            ("aws_lb_listener.https", "protocol", "\"HTTP\""),
            ("aws_lb_listener_rule.hooks", "listener_arn", "\"${aws_lb_listener.http.arn}\""),
        ],
    ),
    row(
        "R048",
        "every HTTPS listener has a TLS policy that Security Hub's ELB.17 accepts",
        |p| p.each_where("aws_lb_listener", encrypted, |r| TLS.contains(&r.text("ssl_policy"))),
        &[
            ("aws_lb_listener.https", "ssl_policy", "null"),
            ("aws_lb_listener.https", "ssl_policy", "\"ELBSecurityPolicy-TLS13-1-2-2021-06\""),
        ],
    ),
    row(
        "R049",
        "every load balancer has listeners, and each speaks HTTPS with a certificate or redirects to one that does",
        |p| {
            beside(p, "aws_lb", "aws_lb_listener", "load_balancer_arn", |r| {
                (encrypted(r) && !r.text("certificate_arn").is_empty()) || redirects(r)
            })
            .and(p.one("aws_lb_listener", "HTTPS", encrypted))
        },
        &[
            ("aws_lb_listener.https", "protocol", "\"HTTP\""),
            ("aws_lb_listener.https", "certificate_arn", "null"),
            ("aws_lb_listener.http", "default_action.type", "\"forward\""),
        ],
    ),
    listed(
        "R050",
        "Recommended by AWS, not required: 4.2.1 is about open, public networks, and this hop stays within private subnets \
         between two security groups that admit each other alone. The service speaks HTTP; a load balancer would not \
         check its certificate. An assessment that counts the VPC as untrusted has to add TLS to the service.",
        None,
    ),
    row(
        "R051",
        "every certificate's key is RSA 2048 or P-256",
        |p| {
            p.each("aws_acm_certificate", |r| {
                ["RSA_2048", "EC_prime256v1"].contains(&r.text("key_algorithm"))
            })
        },
        &[("aws_acm_certificate", "key_algorithm", "\"RSA_1024\"")],
    ),
    row(
        "R052",
        "every certificate is validated by DNS, so that AWS renews it, and replaced before it goes",
        |p| {
            p.each("aws_acm_certificate", |r| {
                r.text("validation_method") == "DNS" && r.is("lifecycle.create_before_destroy", true)
            })
        },
        &[
            ("aws_acm_certificate", "validation_method", "\"EMAIL\""),
            ("aws_acm_certificate", "lifecycle.create_before_destroy", "false"),
        ],
    ),
    row(
        "R055",
        "every HTTPS listener says Strict-Transport-Security for a year",
        |p| {
            let header = "routing_http_response_strict_transport_security_header_value";
            p.each_where("aws_lb_listener", encrypted, |r| {
                let directives: Vec<&str> = r.text(header).split(';').map(str::trim).collect();
                let ages: Vec<u64> =
                    directives.iter().filter_map(|d| d.strip_prefix("max-age=")?.parse().ok()).collect();
                matches!(ages.as_slice(), [age] if *age >= 31_536_000)
                    && directives.contains(&"includeSubDomains")
            })
        },
        &[(
            "aws_lb_listener.https",
            "routing_http_response_strict_transport_security_header_value",
            "\"max-age=60\"",
        )],
    ),
    row(
        "R057",
        "every load balancer drops invalid headers",
        |p| p.each("aws_lb", |r| r.is("drop_invalid_header_fields", true)),
        &[("aws_lb", "drop_invalid_header_fields", "false")],
    ),
    row(
        "R058",
        "every load balancer guards against desync attacks",
        |p| p.each("aws_lb", |r| ["defensive", "strictest"].contains(&r.text("desync_mitigation_mode"))),
        &[("aws_lb", "desync_mitigation_mode", "\"monitor\"")],
    ),
    row(
        "R064",
        "every load balancer that faces the internet has a web ACL",
        |p| {
            p.each_where(
                "aws_lb",
                |r| !r.is("internal", true),
                |r| {
                    p.referring("aws_wafv2_web_acl_association", "resource_arn", r.address)
                        .any(|a| a.refers_to("web_acl_arn", "aws_wafv2_web_acl"))
                },
            )
            .and(p.each("aws_wafv2_web_acl_association", |_| true))
        },
        &[("aws_wafv2_web_acl_association", "resource_arn", "\"${aws_lb.other.arn}\"")],
    ),
    row(
        "R065",
        "every web ACL blocks by AWS's rules for common attacks, known bad inputs, SQL injection and addresses of bad \
         repute, and by rate; no group and no rule of one only counts, but those that look at bodies, which block wherever \
         nothing is uploaded, and the one that takes every machine in a cloud for an attacker; the addresses that pass \
         unseen are few",
        |p| {
            let groups = [
                "AWSManagedRulesCommonRuleSet",
                "AWSManagedRulesKnownBadInputsRuleSet",
                "AWSManagedRulesSQLiRuleSet",
                "AWSManagedRulesAmazonIpReputationList",
            ];
            p.each("aws_wafv2_web_acl", |acl| {
                let rules = acl.blocks("rule");
                let group = |rule: &Value| at(rule, "statement.managed_rule_group_statement.name").clone();
                let rated = rules.iter().any(|rule| {
                    let rate = at(rule, "statement.rate_based_statement");
                    number(at(rate, "limit")) > 0
                        && at(rate, "scope_down_statement").is_null()
                        && !at(rule, "action.block").is_null()
                });
                groups.iter().all(|name| rules.iter().any(|rule| group(rule) == *name))
                    && rules.iter().all(|rule| decides(p, rules, rule))
                    && rated
            })
        },
        &[
            (ACL, "rule", "[]"),
            (ACL, "rule.0.override_action", "{\"count\":{}}"),
            (ACL, "rule.0.override_action", "[{\"none\":{}},{\"count\":{}}]"),
            (ACL, "rule.2.action", "{\"count\":{}}"),
            (
                ACL,
                "rule.0.statement.managed_rule_group_statement.rule_action_override",
                r#"[{"name":"AWSManagedIPReputationList","action_to_use":{"count":{}}}]"#,
            ),
            (
                ACL,
                "rule.1.statement.managed_rule_group_statement.rule_action_override",
                r#"[{"name":"AnonymousIPList","action_to_use":{"count":{}}}]"#,
            ),
            (
                ACL,
                "rule.0.statement.managed_rule_group_statement.scope_down_statement",
                r#"{"geo_match_statement":{"country_codes":["US"]}}"#,
            ),
        ],
    ),
    row(
        "R066",
        "every web ACL and every rule of it is counted in CloudWatch",
        |p| {
            let path = "visibility_config.cloudwatch_metrics_enabled";
            p.each("aws_wafv2_web_acl", |r| {
                r.is(path, true) && r.blocks("rule").iter().all(|rule| *at(rule, path) == true)
            })
        },
        &[
            ("aws_wafv2_web_acl", "visibility_config.cloudwatch_metrics_enabled", "false"),
            ("aws_wafv2_web_acl", "rule.2.visibility_config.cloudwatch_metrics_enabled", "false"),
        ],
    ),
    row(
        "R067",
        "no load balancer lets requests pass that the web ACL did not see",
        |p| p.each("aws_lb", |r| r.is("enable_waf_fail_open", false)),
        &[("aws_lb", "enable_waf_fail_open", "true")],
    ),
    row(
        "R098",
        "every load balancer logs its requests",
        |p| {
            p.each("aws_lb", |r| {
                r.is("access_logs.enabled", true) && r.refers_to("access_logs.bucket", "aws_s3_bucket")
            })
        },
        &[("aws_lb", "access_logs.enabled", "false"), ("aws_lb", "access_logs", "null")],
    ),
    row(
        "R099",
        "every web ACL logs every request to a group of the name that WAF asks for, without tokens and cookies",
        |p| {
            beside(p, "aws_wafv2_web_acl", "aws_wafv2_web_acl_logging_configuration", "resource_arn", |r| {
                let named = |a: &&str| p.get(a).is_some_and(|g| g.text("name").starts_with("aws-waf-logs-"));
                let redacted: Vec<_> =
                    r.blocks("redacted_fields").iter().map(|f| at(f, "single_header.name").clone()).collect();
                r.refers("log_destination_configs").iter().any(named)
                    && kept(r)
                    && ["authorization", "cookie"].iter().all(|header| redacted.iter().any(|r| r == header))
            })
        },
        &[
            ("aws_wafv2_web_acl_logging_configuration", "redacted_fields", "[]"),
            (
                "aws_wafv2_web_acl_logging_configuration",
                "logging_filter",
                r#"[{"default_behavior":"DROP","filter":[{"behavior":"KEEP"}]}]"#,
            ),
            ("aws_cloudwatch_log_group.waf", "name", "\"waf\""),
        ],
    ),
];

fn encrypted(listener: Resource) -> bool {
    listener.text("protocol") == "HTTPS"
}

fn redirects(listener: Resource) -> bool {
    listener.text("default_action.type") == "redirect"
        && listener.text("default_action.redirect.protocol") == "HTTPS"
        && listener.text("default_action.redirect.port") == "443"
        && listener.text("default_action.redirect.status_code") == "HTTP_301"
}

/// Whether no filter drops a line of a web ACL's log.
fn kept(logging: Resource) -> bool {
    logging.blocks("logging_filter").iter().all(|filter| {
        filter["default_behavior"] == "KEEP"
            && list(&filter["filter"]).iter().all(|one| one["behavior"] == "KEEP")
    })
}

/// Whether a rule of a web ACL refuses what it finds; or lets pass a few addresses alone; or only marks what later rules
/// look for.
fn decides(p: &Platform, rules: &[Value], rule: &Value) -> bool {
    let managed = at(rule, "statement.managed_rule_group_statement");
    if !managed.is_null() {
        let overrides = list(&managed["rule_action_override"]);
        return !at(rule, "override_action.none").is_null()
            && managed["scope_down_statement"].is_null()
            && managed["excluded_rule"].is_null()
            && overrides.iter().all(|it| replaced(rules, managed["name"].as_str().unwrap_or_default(), it));
    }
    let sets = at(rule, "statement.ip_set_reference_statement.arn").as_str();
    if !at(rule, "action.allow").is_null() {
        let set = sets.and_then(address).and_then(|set| p.get(set));
        return set.is_some_and(|set| {
            let ranges = set.texts("addresses");
            !ranges.is_empty() && breadth(&ranges).is_some_and(|breadth| breadth.within(Breadth::PASSED_MAX))
        });
    }
    if !at(rule, "action.count").is_null() {
        // A rule that leaves a label decides nothing; it names a host and paths, so that not everything is marked.
        let marks = list(&rule["rule_label"]).iter().all(|label| label["name"] == UPLOAD);
        let tests = list(at(rule, "statement.and_statement.statement"));
        return marks && !list(&rule["rule_label"]).is_empty() && tests.len() == 2;
    }
    !at(rule, "action.block").is_null()
}

/// What marks an upload.
const UPLOAD: &str = "upload";

/// What no static list of AWS's can tell of a machine that calls an API: that its address belongs to a cloud.
const HOSTED: &str = "HostingProviderIPList";

/// Whether a rule of a managed group that only counts has another in its place, which blocks by its label whatever is no
/// upload: of those that look at bodies. Labels are spelled as
/// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html> has them.
fn replaced(rules: &[Value], group: &str, overridden: &Value) -> bool {
    let Some(name) = overridden["name"].as_str() else { return false };
    let namespace = match group {
        "AWSManagedRulesCommonRuleSet" => "core-rule-set",
        "AWSManagedRulesKnownBadInputsRuleSet" => "known-bad-inputs",
        "AWSManagedRulesSQLiRuleSet" => "sql-database",
        "AWSManagedRulesAnonymousIpList" => return name == HOSTED,
        _ => return false,
    };
    let Some(rule) = name.strip_suffix("_BODY") else { return false };
    let label = format!("awswaf:managed:aws:{namespace}:{rule}_Body");
    let looks_for = |test: &Value| *at(test, "label_match_statement.key") == *label;
    rules.iter().any(|rule| {
        let [found, marked] = list(at(rule, "statement.and_statement.statement")) else { return false };
        let found = looks_for(found) || list(at(found, "or_statement.statement")).iter().any(looks_for);
        !at(rule, "action.block").is_null()
            && found
            && *at(marked, "not_statement.statement.label_match_statement.key") == UPLOAD
    })
}
