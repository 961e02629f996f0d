//! What a network firewall lets pass, as far as its rules tell.
//!
//! <https://docs.aws.amazon.com/network-firewall/latest/developerguide/suricata-rule-evaluation-order.html>

use serde_json::Value;
use terraform::query::{Found, View};

use super::filter::{self, Flows, Judged, Match, PORT, PORTS, PROTOCOL, Passing, SOURCE, TARGET, Verdict};
use super::network::{named, refer, refers};
use crate::traffic::groups::{one_or_more, text};
use crate::traffic::{Range, Set, Span, protocol};

/// A firewall.
#[derive(Clone, Debug, Default)]
pub(super) struct Wall {
    /// The subnets of its endpoints.
    pub subnets: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    address: String,
    allow: bool,
    flows: Flows,
    doubt: Option<String>,
    /// The names of which a connection has to say one at its beginning, whatever address it goes to.
    note: Option<String>,
}

impl Rule {
    fn every(address: &str, allow: bool) -> Self {
        let (address, flows) = (address.to_owned(), every());
        Self { address, allow, flows, doubt: None, note: None }
    }

    fn doubtful(address: &str, why: &str) -> Self {
        Self { doubt: Some(why.to_owned()), ..Self::every(address, true) }
    }
}

fn every() -> Flows {
    filter::with(SOURCE, &[Range::IPV4, Range::IPV6])
}

fn tcp() -> Flows {
    filter::of_protocol(protocol::TCP)
}

impl Wall {
    pub(super) fn of(view: &View, found: &Found) -> Self {
        let mappings = one_or_more(&found.body["subnet_mapping"]).iter();
        let subnets = mappings.flat_map(|mapping| refer(&mapping["subnet_id"])).collect();
        let policy = refers(found, "firewall_policy_arn").unwrap_or_default();
        let rules = match view.blocks.get(&policy) {
            Some(block) => rules(view, &policy, one(&block.body["firewall_policy"])),
            None => vec![Rule::doubtful(&policy, "its rules are not in this module")],
        };
        Self { subnets, rules }
    }

    /// What it lets pass, and on which conditions.
    pub(super) fn judge(&self, passing: &Passing) -> (Passing, Verdict, Vec<String>) {
        let rules = self.rules.iter().map(|rule| Judged {
            address: rule.address.clone(),
            allow: rule.allow,
            matches: Match {
                sure: if rule.doubt.is_some() { Flows::none() } else { rule.flows.clone() },
                possible: rule.flows.clone(),
                doubt: rule.doubt.clone(),
            },
        });
        let (passed, verdict) = filter::judge(passing, rules);
        let used = |rule: &&Rule| verdict.by.iter().any(|(address, _)| *address == rule.address);
        let notes = self.rules.iter().filter(used).filter_map(|rule| rule.note.clone()).collect();
        (passed, verdict, notes)
    }
}

fn one(value: &Value) -> &Value {
    one_or_more(value).first().unwrap_or(&Value::Null)
}

fn texts(value: &Value) -> Vec<String> {
    one_or_more(value).iter().map(text).collect()
}

fn rules(view: &View, address: &str, policy: &Value) -> Vec<Rule> {
    match texts(&policy["stateless_default_actions"]).as_slice() {
        _ if !policy["stateless_rule_group_reference"].is_null() => {
            return vec![Rule::doubtful(address, "its stateless rules are not followed")];
        }
        [action] if action == "aws:pass" => return vec![Rule::every(address, true)],
        [action] if action == "aws:drop" => return vec![Rule::every(address, false)],
        [action] if action == "aws:forward_to_sfe" => {}
        _ => return vec![Rule::doubtful(address, "what it does with packets at first is not known here")],
    }
    let options = one(&policy["stateful_engine_options"]);
    if text(&options["rule_order"]) != "STRICT_ORDER" {
        return vec![Rule::doubtful(address, "its rules have no order of their own, and are not followed")];
    }
    let variables = one(&policy["policy_variables"]);
    let mut references: Vec<(i64, String)> = one_or_more(&policy["stateful_rule_group_reference"])
        .iter()
        .map(|of| (text(&of["priority"]).parse().unwrap_or(i64::MAX), named(&text(&of["resource_arn"]))))
        .collect();
    references.sort();
    let mut all = Vec::new();
    for (_, name) in references {
        match view.blocks.get(&name) {
            Some(group) => all.extend(group_rules(&name, one(&group.body["rule_group"]), variables)),
            None => all.push(Rule::doubtful(&name, "its rules are not in this module")),
        }
    }
    let defaults = texts(&policy["stateful_default_actions"]);
    let has = |begin: &str| defaults.iter().any(|action| action.starts_with(begin));
    if has("aws:drop_strict") {
        all.push(Rule::every(address, false));
    } else if has("aws:drop_established") {
        // The handshake passes and nothing after it: no connection stands.
        all.push(Rule { flows: tcp(), ..Rule::every(address, false) });
    }
    all.push(Rule::every(address, true));
    all
}

fn group_rules(address: &str, group: &Value, policy: &Value) -> Vec<Rule> {
    let source = one(&group["rules_source"]);
    let variables = [one(&group["rule_variables"]), policy];
    if !source["rules_string"].is_null() {
        return vec![Rule::doubtful(address, "its rules are Suricata's, which are not read")];
    }
    let mut all = Vec::new();
    for list in one_or_more(&source["rules_source_list"]) {
        if text(&list["generated_rules_type"]) == "ALLOWLIST" {
            let names = texts(&list["targets"]).join(", ");
            let note = format!("{address} for {names}");
            all.push(Rule { flows: tcp(), note: Some(note), ..Rule::every(address, true) });
        }
    }
    for rule in one_or_more(&source["stateful_rule"]) {
        let header = one(&rule["header"]);
        let allow = match text(&rule["action"]).as_str() {
            "PASS" => true,
            "DROP" | "REJECT" => false,
            _ => continue,
        };
        let of = Rule::every(address, allow);
        all.push(match flows(header, &variables) {
            Some(flows) => Rule { flows, ..of },
            None => Rule { doubt: Some("a rule of it is not read".to_owned()), ..of },
        });
    }
    all
}

/// What a header matches.
fn flows(header: &Value, variables: &[&Value]) -> Option<Flows> {
    let protocols = match text(&header["protocol"]).as_str() {
        "IP" => Span::new(0, u8::MAX.into()),
        "TCP" | "UDP" | "ICMP" => Span::one(protocol::number(&text(&header["protocol"]))?.into()),
        _ => return None,
    };
    let any = |key: &str| text(&header[key]).eq_ignore_ascii_case("any");
    if !any("source_port") || text(&header["direction"]) != "FORWARD" {
        return None;
    }
    let ports = match text(&header["destination_port"]) {
        every if every.eq_ignore_ascii_case("any") => PORTS,
        one => Span::one(one.parse::<u16>().ok()?.into()),
    };
    let side = |at: usize, key: &str| {
        let written = text(&header[key]);
        let ranges = if any(key) { vec![Range::IPV4, Range::IPV6] } else { addresses(&written, variables)? };
        Some(filter::with(at, &ranges))
    };
    let both: Set<6> = side(SOURCE, "source")?.and(&side(TARGET, "destination")?);
    Some(both.widened(PROTOCOL, protocols).widened(PORT, ports))
}

fn addresses(written: &str, variables: &[&Value]) -> Option<Vec<Range>> {
    let Some(name) = written.strip_prefix('$') else { return Some(vec![Range::parse(written)?]) };
    let sets = variables
        .iter()
        .flat_map(|of| ["rule_variables", "ip_sets"].into_iter().flat_map(|key| one_or_more(&of[key])));
    let set = sets.into_iter().find(|set| text(&set["key"]) == name)?;
    texts(&one(&set["ip_set"])["definition"]).iter().map(|range| Range::parse(range)).collect()
}
