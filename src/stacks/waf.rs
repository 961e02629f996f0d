//! The web ACL in front of the load balancer (PCI 6.4.2).

use aws::kind::Wafv2IpSetArn;
use aws::waf::{BodyRule, Group, GroupMode, Managed, RateLimit, Rule, Rules, Test, Verdict, Window, visible};
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
    /// That of the main service; those of the others are up to 50,000 further, the highest priority of a listener's rule.
    Uploads = 1_000,
    Common = 60_000,
    LargeBodies = 61_000,
    ScriptBodies = 62_000,
    CommonBodies = 63_000,
    KnownBadInputs = 70_000,
    BadInputBodies = 71_000,
    SqlInjection = 80_000,
    SqlBodies = 81_000,
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
    let managed = |name, group, mode| Rule::managed(name, managed(waf, group, mode));
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

/// A group, with those of its rules counting that the environment file names.
fn managed(waf: &Waf, group: Group, mode: WafMode) -> Managed {
    let named = |name: &&&'static str| waf.count_rules.iter().any(|counted| counted == **name);
    Managed::new(group, group_mode(mode)).counting(group.rules().iter().filter(named).copied())
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
        // The place of its rule at the load balancer, which no other service moves, is that of its uploads here.
        let place = workload.further.map_or(0, |further| further.priority);
        rules.put(Position::Uploads as u32 + place, rule);
        any = true;
    }
    any
}

/// What is judged by what a request holds.
fn content_rules(waf: &Waf, uploads: bool, rules: &mut Rules) {
    let (groups, versions) = (&waf.managed_groups, &waf.versions);
    let judged = [
        (Position::Common, "common", Group::Common, groups.common, &versions.common),
        (
            Position::KnownBadInputs,
            "known-bad-inputs",
            Group::KnownBadInputs,
            groups.known_bad_inputs,
            &versions.known_bad_inputs,
        ),
        (
            Position::SqlInjection,
            "sql-injection",
            Group::SqlInjection,
            groups.sql_injection,
            &versions.sql_injection,
        ),
    ];
    for (position, name, group, mode, version) in judged {
        let counts = |rule: &BodyRule| waf.count_rules.iter().any(|counted| counted == rule.name);
        let mut of_group = managed(waf, group, mode).at(version.as_ref().map(ToString::to_string));
        // Where nothing is uploaded the rules act themselves, and where they only count nothing is refused.
        for (position, name, bodies) in UPLOAD_EXCEPTIONS.iter().filter(|_| uploads) {
            let bodies = bodies.iter().filter(|rule| rule.group == group && !counts(rule));
            let Some(labels) = NonEmpty::from_vec(bodies.clone().map(|rule| rule.label).collect()) else {
                continue;
            };
            of_group = of_group.counting(bodies.map(|rule| rule.name));
            let outside = NonEmpty::new(Test::has_any_label(labels), [Test::has_label(UPLOAD).negate()]);
            rules.put(*position as u32, Rule::when(*name, outside, verdict(mode, Verdict::Block)));
        }
        rules.put(position as u32, Rule::managed(name, of_group));
    }
}

/// The rules that would refuse statements for what statements are: WAF sees the first 8 KiB of a body behind a load
/// balancer, a limit that cannot be raised there, and the common group refuses every longer one; XML, which ISO 20022
/// statements are, looks like a script to it; and a purpose of payment is free text, in which SQL, paths and addresses are
/// seen. Within their group they only count, which leaves their label on the request; a rule of our own then refuses what
/// bears one of the labels, except where files are uploaded. There, the service itself is the control: it authenticates
/// first, limits the size, and parses strictly.
///
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html>
const UPLOAD_EXCEPTIONS: [(Position, &str, &[BodyRule]); 5] = [
    (Position::LargeBodies, "large-bodies", &[BodyRule::SIZE]),
    (Position::ScriptBodies, "script-bodies", &[BodyRule::SCRIPT]),
    (
        Position::CommonBodies,
        "common-bodies",
        &[BodyRule::METADATA, BodyRule::LOCAL_FILE, BodyRule::REMOTE_FILE],
    ),
    (Position::BadInputBodies, "bad-input-bodies", &[BodyRule::JAVA, BodyRule::LOG4J, BodyRule::REACT]),
    (Position::SqlBodies, "sql-bodies", &[BodyRule::SQL, BodyRule::SQL_EXTENDED]),
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
                "common-bodies",
                "known-bad-inputs",
                "bad-input-bodies",
                "sql-injection",
                "sql-bodies"
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

    /// The names of the rules that a group only counts.
    fn counted(acl: &Value, group: &str) -> Vec<String> {
        let statement = &rule(acl, group)["statement"]["managed_rule_group_statement"];
        let overrides = statement["rule_action_override"].as_array().cloned().unwrap_or_default();
        assert!(
            overrides.iter().all(|rule| rule["action_to_use"] == json!({ "count": {} })),
            "{overrides:?}"
        );
        overrides.iter().map(|rule| rule["name"].as_str().expect("a name").to_owned()).collect()
    }

    const GROUPS: [&str; 3] = ["common", "known-bad-inputs", "sql-injection"];
    const BODIES: [&str; 5] =
        ["large-bodies", "script-bodies", "common-bodies", "bad-input-bodies", "sql-bodies"];

    /// Whatever a statement holds, no rule on bodies refuses it where it is uploaded, and each does elsewhere.
    #[test]
    fn every_rule_on_bodies_exempts_uploads_alone() {
        let acl = acl("");
        let counted: Vec<String> = GROUPS.iter().flat_map(|group| counted(&acl, group)).collect();
        let mut labels = 0;
        for name in BODIES {
            let rule = rule(&acl, name);
            assert_eq!(rule["action"], json!({ "block": {} }), "{name}");
            assert!(rule.to_string().contains("not_statement"), "{name}");
            labels += rule.to_string().matches("awswaf:managed:aws:").count();
        }
        let every: Vec<&str> = aws::waf::Group::ALL
            .iter()
            .flat_map(|group| group.rules())
            .copied()
            .filter(|name| name.ends_with("_BODY"))
            .collect();
        assert_eq!(counted.len(), every.len());
        assert_eq!(labels, every.len());
        assert!(every.iter().all(|name| counted.iter().any(|there| there == name)), "{every:?} {counted:?}");
    }

    #[test]
    fn partners_in_other_clouds_are_let_in_and_anonymous_callers_are_not() {
        let count = |text: &str| counted(&acl(text), "anonymous-ips");
        assert_eq!(count(""), ["HostingProviderIPList"]);
        assert!(count("waf.count_rules = []\n").is_empty());
    }

    #[test]
    fn a_rule_counts_by_its_name_and_a_group_keeps_to_its_version() {
        let acl = acl(
            "[waf]\ncount_rules = [\"NoUserAgent_HEADER\", \"SQLi_BODY\"]\n[waf.versions]\ncommon = \"Version_1.20\"\n",
        );
        assert!(counted(&acl, "common").contains(&"NoUserAgent_HEADER".to_owned()));
        let sql = rule(&acl, "sql-bodies").to_string();
        assert!(!sql.contains("SQLi_Body") && sql.contains("SQLiExtendedPatterns_Body"), "{sql}");
        let version =
            |group: &str| rule(&acl, group)["statement"]["managed_rule_group_statement"]["version"].clone();
        assert_eq!(version("common"), "Version_1.20");
        assert_eq!(version("sql-injection"), Value::Null);
    }

    #[test]
    fn without_uploads_the_groups_act_by_themselves() {
        let acl = acl("waf.upload_paths = []\n");
        for group in GROUPS {
            assert!(counted(&acl, group).is_empty(), "{group}");
        }
        for name in BODIES {
            assert_eq!(rule(&acl, name), Value::Null);
        }
    }

    #[test]
    fn the_uploads_of_a_service_move_no_other_rule() {
        let service = |name: &str| {
            format!("[services.{name}]\nhosts = [\"{name}.example.com\"]\nupload_paths = [\"/in\"]\n")
        };
        let one = order(&acl(&service("office")));
        let many = order(&acl(&["back", "files", "hooks", "office", "zeta"].map(service).concat()));
        assert!(one.iter().all(|rule| many.contains(rule)), "{one:?} {many:?}");
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
        assert!(report.contains("the rules use 1206 capacity units"), "{report}");
        assert!(report.contains("waf.capacity_limit = 1000"), "{report}");
        assert!(check(1206).is_ok());
    }
}
