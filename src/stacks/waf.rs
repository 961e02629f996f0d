//! The web ACL in front of the load balancer (PCI 6.4.2).

use aws::kind::Wafv2IpSetArn;
use aws::waf::{
    CommonRule, Group, GroupMode, Managed, RateLimit, Rule, Rules, Test, Verdict, Window, visible,
};
use aws::wafv2_web_acl::{
    Allow, DataProtection, DataProtectionConfig, DataProtectionOptional, DefaultAction, Field, FieldOptional,
};
use aws::wafv2_web_acl_logging_configuration::{RedactedFields, SingleHeader};
use aws::{
    Wafv2IpSet, Wafv2IpSetHandle, Wafv2IpSetOptional, Wafv2WebAcl, Wafv2WebAclAssociation, Wafv2WebAclHandle,
    Wafv2WebAclLoggingConfiguration, Wafv2WebAclLoggingConfigurationOptional, Wafv2WebAclOptional,
};
use terraform::{Expr, Meta, NonEmpty, Stack, set};

use super::{alb, logs};
use crate::config::{AnyCidr, EnvConfig, Waf, WafMode};

/// The web ACL.
pub struct Outputs {
    /// The web ACL.
    pub web_acl: Wafv2WebAclHandle,
}

/// Where each rule stands; the number is its priority. What costs least and decides most comes first. The gaps are for
/// rules to come: a rule put between two others changes neither.
#[derive(Clone, Copy)]
enum Position {
    AllowIpv4 = 100,
    AllowIpv6 = 110,
    DenyIpv4 = 200,
    DenyIpv6 = 210,
    Geography = 300,
    IpReputation = 400,
    AnonymousIps = 500,
    RateLimit = 600,
    Uploads = 610,
    Common = 700,
    LargeBodies = 710,
    ScriptBodies = 720,
    KnownBadInputs = 800,
    SqlInjection = 900,
}

/// Builds the web ACL, attaches it and turns its logs on.
pub fn build(stack: &mut Stack<'_>, config: &EnvConfig, alb: &alb::Outputs, logs: &logs::Outputs) -> Outputs {
    let rules = rules(config, |set| address_set(stack, config, set).arn());
    let web_acl = stack.add(
        "main",
        Wafv2WebAcl {
            default_action: DefaultAction { allow: set(Allow::default()), ..Default::default() },
            scope: set("REGIONAL"),
            visibility_config: visible(config.names.prefix().to_owned()),
            optional: Wafv2WebAclOptional {
                data_protection_config: set(data_protection(&config.waf)),
                description: set("In front of the load balancer"),
                name: set(config.names.prefix().to_owned()),
                rule: rules.into_blocks(),
                ..Default::default()
            },
        },
    );
    stack.add(
        "main",
        Wafv2WebAclAssociation {
            resource_arn: set(alb.load_balancer.arn()),
            web_acl_arn: set(web_acl.arn()),
        },
    );
    logging(stack, config, &web_acl, logs);
    stack.output("web_acl_arn", "The web ACL", web_acl.arn());
    Outputs { web_acl }
}

/// The capacity units that the rules use: for the check of the environment file, which is where they can be mended.
/// AWS would refuse the web ACL, or charge for it, only once it is applied.
#[must_use]
pub fn capacity(config: &EnvConfig) -> u32 {
    rules(config, |set| Expr::external(set.name)).capacity()
}

/// The rules; `declare` makes an address set for one of them.
fn rules(config: &EnvConfig, declare: impl FnMut(AddressSet) -> Expr<Wafv2IpSetArn>) -> Rules {
    let waf = &config.waf;
    let mut rules = Rules::default();
    address_rules(waf, &mut rules, declare);
    geography(waf, &mut rules);
    traffic_rules(waf, &mut rules);
    let uploads = upload_rules(config, &mut rules);
    content_rules(waf, uploads, &mut rules);
    rules
}

/// Addresses of one family, as AWS keeps them.
struct AddressSet {
    /// Its local name: `allow_ipv4`.
    name: String,
    /// The family, as AWS spells it.
    version: &'static str,
    ranges: Vec<AnyCidr>,
}

/// Partners and monitors that pass unfiltered, then addresses that do not pass at all.
fn address_rules(waf: &Waf, rules: &mut Rules, mut declare: impl FnMut(AddressSet) -> Expr<Wafv2IpSetArn>) {
    use Position::{AllowIpv4, AllowIpv6, DenyIpv4, DenyIpv6};
    let lists = [
        (AllowIpv4, "allow", &waf.allow_ips, false, Verdict::Allow),
        (AllowIpv6, "allow", &waf.allow_ips, true, Verdict::Allow),
        (DenyIpv4, "deny", &waf.deny_ips, false, Verdict::Block),
        (DenyIpv6, "deny", &waf.deny_ips, true, Verdict::Block),
    ];
    for (position, purpose, ranges, ipv6, verdict) in lists {
        let ranges: Vec<AnyCidr> = ranges.iter().copied().filter(|range| range.is_ipv6() == ipv6).collect();
        if ranges.is_empty() {
            continue;
        }
        let (family, version) = if ipv6 { ("ipv6", "IPV6") } else { ("ipv4", "IPV4") };
        let addresses = declare(AddressSet { name: format!("{purpose}_{family}"), version, ranges });
        let test = NonEmpty::one(Test::from_addresses(addresses));
        rules.put(position as u32, Rule::when(format!("{purpose}-{family}"), test, verdict));
    }
}

fn address_set(stack: &mut Stack<'_>, config: &EnvConfig, addresses: AddressSet) -> Wafv2IpSetHandle {
    let AddressSet { name, version, mut ranges } = addresses;
    ranges.sort();
    ranges.dedup();
    stack.add_with(
        &name,
        // So that Terraform takes the rule out of the web ACL before it deletes the set; AWS deletes none in use.
        Meta::new().create_before_destroy(),
        Wafv2IpSet {
            ip_address_version: set(version),
            scope: set("REGIONAL"),
            optional: Wafv2IpSetOptional {
                addresses: set(ranges.iter().map(ToString::to_string).collect::<Vec<_>>()),
                name: set(config.names.of(&name.replace('_', "-"))),
                ..Default::default()
            },
        },
    )
}

/// Countries that may not send requests: those on the one list, or all that are not on the other.
fn geography(waf: &Waf, rules: &mut Rules) {
    let test = if !waf.geo_allow.is_empty() {
        Test::from_countries(waf.geo_allow.iter().map(ToString::to_string)).negate()
    } else if !waf.geo_deny.is_empty() {
        Test::from_countries(waf.geo_deny.iter().map(ToString::to_string))
    } else {
        return;
    };
    rules.put(Position::Geography as u32, Rule::when("geography", NonEmpty::one(test), Verdict::Block));
}

/// What is judged by where a request comes from and how many there are.
fn traffic_rules(waf: &Waf, rules: &mut Rules) {
    let groups = &waf.managed_groups;
    let managed = |name, group, mode| Rule::managed(name, Managed::new(group, group_mode(mode)));
    rules.put(
        Position::IpReputation as u32,
        managed("ip-reputation", Group::IpReputation, groups.ip_reputation),
    );
    rules.put(
        Position::AnonymousIps as u32,
        managed("anonymous-ips", Group::AnonymousIps, groups.anonymous_ips),
    );
    let limit = RateLimit { requests: waf.rate_limit.get(), window: Window::FiveMinutes, scope: None };
    // A client that is merely too eager can tell from the status that it should wait.
    let verdict = verdict(waf.rate_limit_mode, Verdict::BlockWith(429));
    rules.put(Position::RateLimit as u32, Rule::rate_limit("rate-limit", limit, verdict));
}

/// What marks an upload for the rules after it.
const UPLOAD: &str = "upload";

/// Marks what is an upload: a service's path at one of its hosts, for another's may well have the same. The main service
/// gets the requests to all other hosts too; its uploads are those to its domain. Hosts and paths are compared as they are
/// sent: what is spelled otherwise is no upload, and is refused. Tells whether there are any.
fn upload_rules(config: &EnvConfig, rules: &mut Rules) -> bool {
    let mut any = false;
    for workload in config.workloads() {
        let (hosts, paths) = match workload.further {
            None => (std::slice::from_ref(&config.domain), config.waf.upload_paths()),
            Some(further) => (&further.hosts[..], &further.upload_paths[..]),
        };
        let hosts = NonEmpty::from_vec(hosts.iter().map(ToString::to_string).collect());
        let paths = NonEmpty::from_vec(paths.iter().map(ToString::to_string).collect());
        let Some((hosts, paths)) = hosts.zip(paths) else { continue };
        let tests = NonEmpty::new(Test::host_is(hosts), [Test::path_starts_with(paths)]);
        let name = workload.name().map_or_else(|| "uploads".to_owned(), |name| format!("uploads-{name}"));
        let rule = Rule::when(name, tests, Verdict::Count).labelled(UPLOAD);
        rules.put(Position::Uploads as u32, rule);
        any = true;
    }
    any
}

/// What is judged by what a request holds.
fn content_rules(waf: &Waf, uploads: bool, rules: &mut Rules) {
    let groups = &waf.managed_groups;
    let mut overrides = Vec::new();
    // Where nothing is uploaded the rules act themselves.
    for (position, name, rule) in UPLOAD_EXCEPTIONS.into_iter().filter(|_| uploads) {
        let outside = NonEmpty::new(Test::has_label(rule.label()), [Test::has_label(UPLOAD).negate()]);
        overrides.push((rule, Verdict::Count));
        rules.put(position as u32, Rule::when(name, outside, verdict(groups.common, Verdict::Block)));
    }
    let common = Managed::common(group_mode(groups.common), overrides);
    rules.put(Position::Common as u32, Rule::managed("common", common));
    rules.put(
        Position::KnownBadInputs as u32,
        Rule::managed(
            "known-bad-inputs",
            Managed::new(Group::KnownBadInputs, group_mode(groups.known_bad_inputs)),
        ),
    );
    rules.put(
        Position::SqlInjection as u32,
        Rule::managed("sql-injection", Managed::new(Group::SqlInjection, group_mode(groups.sql_injection))),
    );
}

/// The two rules of the common group that would refuse every statement: WAF sees the first 8 KiB of a body behind a
/// load balancer, and the group refuses every longer one (AWS's API raises the limit up to 64 KiB by now, and the provider
/// 5.100 does not know how: its `association_config` has no block for load balancers); and XML, which ISO
/// 20022 statements are, looks like a script to it. Within the group they only count, which leaves their label on the
/// request; a rule of our own then refuses what bears the label, except where files are uploaded. There, the service
/// itself is the control: it authenticates first, limits the size, and parses strictly.
///
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html>
const UPLOAD_EXCEPTIONS: [(Position, &str, CommonRule); 2] = [
    (Position::LargeBodies, "large-bodies", CommonRule::SizeRestrictionsBody),
    (Position::ScriptBodies, "script-bodies", CommonRule::CrossSiteScriptingBody),
];

fn verdict(mode: WafMode, block: Verdict) -> Verdict {
    match mode {
        WafMode::Block => block,
        WafMode::Count => Verdict::Count,
    }
}

fn group_mode(mode: WafMode) -> GroupMode {
    match mode {
        WafMode::Block => GroupMode::Act,
        WafMode::Count => GroupMode::Count,
    }
}

/// What would let a reader of the logs act as a client, and what the environment adds to it; sorted.
fn secret_headers(waf: &Waf) -> Vec<String> {
    let mut headers = vec!["authorization".to_owned(), "cookie".to_owned()];
    headers.extend(waf.redacted_headers.iter().map(ToString::to_string));
    headers.sort();
    headers.dedup();
    headers
}

/// What never leaves WAF readable, neither in logs nor in the console's samples, which the redaction of the logging
/// configuration does not reach: secret headers, cookies, and what a rule found in a body (PCI 3.3, 3.5: a body can
/// hold account numbers).
/// <https://docs.aws.amazon.com/waf/latest/developerguide/data-protection-masking.html>
fn data_protection(waf: &Waf) -> DataProtectionConfig {
    let hide = |field_type, keys: Option<Vec<String>>| DataProtection {
        action: set("SUBSTITUTION"),
        field: Field { field_type: set(field_type), optional: FieldOptional { field_keys: keys.map(set) } },
        optional: DataProtectionOptional::default(),
    };
    DataProtectionConfig {
        data_protection: vec![
            hide("BODY", None),
            hide("SINGLE_COOKIE", None),
            hide("SINGLE_HEADER", Some(secret_headers(waf))),
        ],
    }
}

/// Every request's outcome, without what is secret (PCI 10.2.1, 10.4.2).
fn logging(stack: &mut Stack<'_>, config: &EnvConfig, web_acl: &Wafv2WebAclHandle, logs: &logs::Outputs) {
    let redact = |name: String| RedactedFields {
        single_header: set(SingleHeader { name: set(name) }),
        ..Default::default()
    };
    stack.add_with(
        "main",
        Meta::new().depends_on(&logs.delivery),
        Wafv2WebAclLoggingConfiguration {
            log_destination_configs: set([logs.waf.arn()]),
            resource_arn: set(web_acl.arn()),
            optional: Wafv2WebAclLoggingConfigurationOptional {
                // No filter: what passed is as much part of the record as what was refused.
                logging_filter: None,
                redacted_fields: secret_headers(&config.waf).into_iter().map(redact).collect(),
            },
        },
    );
}

#[cfg(test)]
mod tests {
    use crate::check::parse;
    use crate::stacks::alb::tests::file;
    use serde_json::{Value, json};
    use std::path::Path;

    fn acl(environment: &str) -> Value {
        file(environment, "waf")["resource"]["aws_wafv2_web_acl"]["main"].clone()
    }

    /// The rules as `(name, priority)`, in the order of evaluation.
    fn order(acl: &Value) -> Vec<(String, u64)> {
        let rules = acl["rule"].as_array().expect("rules").iter();
        rules
            .map(|rule| {
                (rule["name"].as_str().expect("a name").into(), rule["priority"].as_u64().expect("a number"))
            })
            .collect()
    }

    fn rule(acl: &Value, name: &str) -> Value {
        let rules = acl["rule"].as_array().expect("rules").iter();
        rules.clone().find(|rule| rule["name"] == name).cloned().unwrap_or_default()
    }

    const EVERYTHING: &str = r#"
[waf]
allow_ips = ["203.0.113.0/24", "2001:db8::/48"]
deny_ips = ["198.51.100.0/24", "2001:db8:1::/48"]
geo_deny = ["KP", "IR"]
redacted_headers = ["x-api-key", "cookie"]
"#;

    #[test]
    fn options_add_rules_and_move_none() {
        let (least, most) = (order(&acl("")), order(&acl(EVERYTHING)));
        let names: Vec<_> = most.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "allow-ipv4",
                "allow-ipv6",
                "deny-ipv4",
                "deny-ipv6",
                "geography",
                "ip-reputation",
                "anonymous-ips",
                "rate-limit",
                "uploads",
                "common",
                "large-bodies",
                "script-bodies",
                "known-bad-inputs",
                "sql-injection"
            ]
        );
        assert!(most.is_sorted_by(|a, b| a.1 < b.1), "{most:?}");
        assert!(least.iter().all(|rule| most.contains(rule)), "{least:?}\n{most:?}");
    }

    #[test]
    fn managed_groups_act_until_they_are_told_to_count() {
        let act = acl("");
        for name in ["ip-reputation", "anonymous-ips", "common", "known-bad-inputs", "sql-injection"] {
            let group = rule(&act, name);
            assert_eq!((&group["override_action"], &group["action"]), (&json!({ "none": {} }), &Value::Null));
        }
        let count = acl("[waf.managed_groups]\ncommon = \"count\"\n");
        assert_eq!(rule(&count, "common")["override_action"], json!({ "count": {} }));
        assert_eq!(
            rule(&count, "large-bodies")["action"],
            json!({ "count": {} }),
            "it is part of the group's work"
        );
        assert_eq!(rule(&count, "sql-injection")["override_action"], json!({ "none": {} }));
    }

    #[test]
    fn large_bodies_are_refused_except_where_files_are_uploaded() {
        let acl = acl("waf.upload_paths = [\"/v1/statements\", \"/v1/matches\"]\n");
        let overrides =
            &rule(&acl, "common")["statement"]["managed_rule_group_statement"]["rule_action_override"];
        assert_eq!(
            overrides[0],
            json!({ "action_to_use": { "count": {} }, "name": "SizeRestrictions_BODY" })
        );
        let large = rule(&acl, "large-bodies");
        assert_eq!(large["action"], json!({ "block": {} }));
        let tests = large["statement"]["and_statement"]["statement"].as_array().expect("tests").clone();
        assert_eq!(
            tests[0]["label_match_statement"]["key"],
            "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
        );
        let marked = &tests[1]["not_statement"]["statement"][0]["label_match_statement"];
        assert_eq!(marked, &json!({ "key": "upload", "scope": "LABEL" }));
        let uploads = rule(&acl, "uploads");
        assert_eq!(uploads["action"], json!({ "count": {} }), "it marks and decides nothing");
        assert_eq!(uploads["rule_label"], json!([{ "name": "upload" }]));
        assert_eq!(asked(&uploads), (vec!["reconcile.example.com"], vec!["/v1/statements", "/v1/matches"]));
    }

    /// The hosts and the starts of paths that a rule asks for.
    fn asked(rule: &Value) -> (Vec<&str>, Vec<&str>) {
        let tests = rule["statement"]["and_statement"]["statement"].as_array().expect("tests");
        (texts(&tests[0], "single_header", "EXACTLY"), texts(&tests[1], "uri_path", "STARTS_WITH"))
    }

    /// What a test, or one of several, compares a part of the request with.
    fn texts<'a>(test: &'a Value, part: &str, constraint: &str) -> Vec<&'a str> {
        let several = test["or_statement"]["statement"].as_array();
        let each = several.map_or(std::slice::from_ref(test), Vec::as_slice).iter();
        let each = each.map(|test| &test["byte_match_statement"]).inspect(|test| {
            assert!(test["field_to_match"][part].is_object(), "{test}");
            assert_eq!(test["positional_constraint"], constraint);
        });
        each.map(|test| test["search_string"].as_str().expect("text")).collect()
    }

    #[test]
    fn a_body_is_let_through_for_the_service_that_takes_it_and_for_no_other() {
        let acl = acl("[services.back-office]\nhosts = [\"back.example.com\", \"office.example.com\"]\n\
                       [services.files]\nhosts = [\"files.example.com\"]\nupload_paths = [\"/v1/statements\"]\n");
        assert_eq!(asked(&rule(&acl, "uploads")), (vec!["reconcile.example.com"], vec!["/v1/statements"]));
        assert_eq!(asked(&rule(&acl, "uploads-files")), (vec!["files.example.com"], vec!["/v1/statements"]));
        assert_eq!(rule(&acl, "uploads-back-office"), Value::Null);
        let order = order(&acl);
        let at = |name: &str| order.iter().find(|(rule, _)| rule == name).expect("the rule").1;
        assert!(at("uploads-files") < at("large-bodies"), "the mark comes first");
    }

    #[test]
    fn without_uploads_the_common_group_acts_by_itself() {
        let acl = acl("waf.upload_paths = []\n");
        let common = &rule(&acl, "common")["statement"]["managed_rule_group_statement"];
        assert_eq!(common["rule_action_override"], Value::Null);
        assert_eq!(rule(&acl, "large-bodies"), Value::Null);
    }

    #[test]
    fn countries_are_refused_by_either_list() {
        let deny = rule(&acl("waf.geo_deny = [\"KP\", \"IR\"]\n"), "geography");
        assert_eq!(deny["statement"]["geo_match_statement"]["country_codes"], json!(["IR", "KP"]));
        let allow = rule(&acl("waf.geo_allow = [\"DE\"]\n"), "geography");
        let inner = &allow["statement"]["not_statement"]["statement"][0];
        assert_eq!(inner["geo_match_statement"]["country_codes"], json!(["DE"]));
        assert_eq!((&deny["action"], &allow["action"]), (&json!({ "block": {} }), &json!({ "block": {} })));
    }

    #[test]
    fn secrets_are_hidden_in_logs_and_samples() {
        let file = file(EVERYTHING, "waf");
        let logging = &file["resource"]["aws_wafv2_web_acl_logging_configuration"]["main"];
        let headers = ["authorization", "cookie", "x-api-key"];
        let redacted = headers.map(|name| json!({ "single_header": { "name": name } }));
        assert_eq!(logging["redacted_fields"], json!(redacted));
        assert_eq!(logging["logging_filter"], Value::Null);
        assert_eq!(logging["depends_on"], json!(["aws_cloudwatch_log_resource_policy.delivery"]));
        let fields =
            &file["resource"]["aws_wafv2_web_acl"]["main"]["data_protection_config"]["data_protection"];
        assert_eq!(fields[0]["field"], json!({ "field_type": "BODY" }));
        assert_eq!(fields[2]["field"], json!({ "field_keys": headers, "field_type": "SINGLE_HEADER" }));
    }

    #[test]
    fn every_rule_is_measured_and_the_load_balancer_is_behind_them() {
        let file = file(EVERYTHING, "waf");
        let acl = &file["resource"]["aws_wafv2_web_acl"]["main"];
        for subject in acl["rule"].as_array().expect("rules").iter().chain([acl]) {
            assert_eq!(subject["visibility_config"]["cloudwatch_metrics_enabled"], true);
        }
        let association = &file["resource"]["aws_wafv2_web_acl_association"]["main"];
        assert_eq!(association["resource_arn"], "${aws_lb.main.arn}");
    }

    #[test]
    fn too_many_capacity_units_are_a_mistake_of_the_environment_file() {
        let check = |limit: u32| {
            let required = "organization = \"acme\"\naccount_id = \"111122223333\"\nregion = \"us-east-1\"\n\
                            domain = \"reconcile.example.com\"\nnetwork.cidr = \"10.30.0.0/16\"\n\
                            service.contract = \"txn-reconcile-api\"\n\
                            alarms.page = [\"oncall@example.com\"]\n";
            parse(Path::new("test.toml"), &format!("{required}waf.capacity_limit = {limit}\n")).map(|_| ())
        };
        let report = check(1000).expect_err("over the limit").to_string();
        assert!(report.contains("the rules use 1195 capacity units"), "{report}");
        assert!(report.contains("waf.capacity_limit = 1000"), "{report}");
        assert!(check(1195).is_ok());
    }
}
