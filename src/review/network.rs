//! Who reaches what: the rules of security groups as sets of addresses and ports.
//!
//! A rule that is split, merged or reordered opens nothing: only what no old rule allowed is opened, and only what no new one
//! allows is closed. <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use terraform::query::{Found, Held, View, is_expression};

use super::same::one_or_more;

/// What opens or closes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Opening {
    /// Whether it opens; it closes otherwise.
    pub opens: bool,
    /// The security group.
    pub group: String,
    /// Whether the traffic comes in; it goes out otherwise.
    pub inbound: bool,
    /// The other side: addresses, a prefix list or a security group.
    pub peer: String,
    /// Protocol and ports: `tcp 443`.
    pub ports: String,
    /// Whether it is so; it may be so otherwise, where a value is known only after apply.
    pub sure: bool,
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { opens, group, inbound, peer, ports, sure } = self;
        let may = if *sure { "" } else { "may " };
        let verb = match (opens, sure) {
            (true, true) => "opens",
            (true, false) => "open",
            (false, true) => "closes",
            (false, false) => "close",
        };
        if *inbound {
            write!(f, "{may}{verb}: {peer} to {group}, {ports}")
        } else {
            write!(f, "{may}{verb}: {group} to {peer}, {ports}")
        }
    }
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    /// Addresses from and to, of version 4 or 6.
    Addresses { v6: bool, from: u128, to: u128, written: String },
    /// A prefix list or a group, by its reference or id.
    Named(String),
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    group: String,
    inbound: bool,
    peer: Peer,
    /// `-1` is every protocol.
    protocol: String,
    from: u32,
    to: u32,
    sure: bool,
}

const PORT_MAX: u32 = 65_535;

/// What opens and closes, in the order of the groups.
pub(super) fn openings(old: &View, new: &View) -> Vec<Opening> {
    let (old, new) = (rules(old), rules(new));
    let mut all = BTreeSet::new();
    for (key, rules) in &new {
        let none = BTreeSet::new();
        let before = old.get(key).unwrap_or(&none);
        all.extend(
            rules.difference(before).flat_map(|rule| beyond(rule, before)).map(|rule| opening(&rule, true)),
        );
    }
    for (key, rules) in &old {
        let none = BTreeSet::new();
        let after = new.get(key).unwrap_or(&none);
        all.extend(
            rules.difference(after).flat_map(|rule| beyond(rule, after)).map(|rule| opening(&rule, false)),
        );
    }
    // What opens comes first.
    let mut all: Vec<Opening> = all.into_iter().collect();
    all.sort_by_key(|opening| !opening.opens);
    all
}

fn opening(rule: &Rule, opens: bool) -> Opening {
    let Rule { group, inbound, peer, protocol, from, to, sure } = rule;
    let peer = match peer {
        Peer::Addresses { v6, from, to, written } => {
            let address = |bits: u128| match u32::try_from(bits) {
                Ok(bits) if !v6 => IpAddr::V4(bits.into()),
                _ => IpAddr::V6(bits.into()),
            };
            let whole = written.parse::<IpNet>().ok().and_then(|net| range(&net)) == Some((*v6, *from, *to));
            if whole { written.clone() } else { format!("{}-{}", address(*from), address(*to)) }
        }
        Peer::Named(name) => plain(name),
    };
    let ports = match (protocol.as_str(), from, to) {
        ("-1", ..) => "every port".to_owned(),
        (protocol, 0, &PORT_MAX) => format!("{protocol}, every port"),
        (protocol, from, to) if from == to => format!("{protocol} {from}"),
        (protocol, from, to) => format!("{protocol} {from}-{to}"),
    };
    Opening { opens, group: plain(group), inbound: *inbound, peer, ports, sure: *sure }
}

/// A reference by the address of what it refers to.
fn plain(text: &str) -> String {
    let inner = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    match inner {
        Some(inner) => inner.strip_suffix(".id").unwrap_or(inner).to_owned(),
        None => text.to_owned(),
    }
}

/// The rules by group and direction.
fn rules(view: &View) -> BTreeMap<(String, bool), BTreeSet<Rule>> {
    let mut all = Vec::new();
    for (address, block) in view.managed() {
        match block.kind.as_str() {
            "aws_vpc_security_group_ingress_rule" | "aws_vpc_security_group_egress_rule" => {
                let inbound = block.kind == "aws_vpc_security_group_ingress_rule";
                let peers = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];
                let group = text(&block.body["security_group_id"]);
                all.extend(read(&group, inbound, &block.body, &peers, "ip_protocol"));
            }
            "aws_security_group_rule" => {
                let peers = [
                    "cidr_blocks",
                    "ipv6_cidr_blocks",
                    "prefix_list_ids",
                    "source_security_group_id",
                    "self",
                ];
                let inbound = block.get("type") != Held::Known(&Value::from("egress"));
                let group = text(&block.body["security_group_id"]);
                all.extend(read(&group, inbound, &block.body, &peers, "protocol"));
            }
            "aws_security_group" => {
                let peers = ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups", "self"];
                let group = format!("${{{address}.id}}");
                for (key, inbound) in [("ingress", true), ("egress", false)] {
                    for body in blocks(block, key) {
                        all.extend(read(&group, inbound, body, &peers, "protocol"));
                    }
                }
            }
            _ => {}
        }
    }
    let mut grouped: BTreeMap<(String, bool), BTreeSet<Rule>> = BTreeMap::new();
    for rule in all {
        grouped.entry((rule.group.clone(), rule.inbound)).or_default().insert(rule);
    }
    grouped
}

fn blocks<'v>(block: &'v Found, key: &str) -> &'v [Value] {
    match &block.body[key] {
        Value::Null => &[],
        value => one_or_more(value),
    }
}

/// The rules of a block: one for each of its peers.
fn read(group: &str, inbound: bool, body: &Value, peers: &[&str], protocol: &str) -> Vec<Rule> {
    let protocol = match text(&body[protocol]).to_lowercase().as_str() {
        "-1" | "all" => "-1".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        other => other.to_owned(),
    };
    let port = |key: &str| match &body[key] {
        Value::Null => Some(None),
        value => text(value).parse::<i64>().ok().map(Some),
    };
    let (from, to) = (port("from_port"), port("to_port"));
    let mut sure = !is_expression(&protocol);
    let (protocol, from, to) = match (protocol.as_str(), from, to) {
        ("-1", ..) => (protocol, 0, PORT_MAX),
        // A type and a code, which are no range.
        ("icmp" | "icmpv6" | "1" | "58", from, to) => {
            let part = |part: Option<Option<i64>>| part.flatten().map_or("?".to_owned(), |n| n.to_string());
            (format!("{protocol} type {} code {}", part(from), part(to)), 0, PORT_MAX)
        }
        (_, Some(Some(from)), Some(Some(to))) if (0..=65_535).contains(&from) && from <= to => {
            (protocol.clone(), u32::try_from(from).unwrap_or(0), u32::try_from(to).unwrap_or(PORT_MAX))
        }
        (_, Some(None), Some(None)) => (protocol, 0, PORT_MAX),
        _ => {
            sure = false;
            let (from, to) = (text(&body["from_port"]), text(&body["to_port"]));
            (format!("{protocol} {from}-{to}"), 0, PORT_MAX)
        }
    };
    let mut all = Vec::new();
    for key in peers {
        for value in one_or_more(&body[*key]).iter().filter(|value| !value.is_null()) {
            let peer = match value {
                Value::Bool(true) => Peer::Named(group.to_owned()),
                Value::Bool(false) => continue,
                value => peer(&text(value)),
            };
            // A reference to addresses, unlike one to a group or a list, hides how many they are.
            let hidden = key.contains("cidr") && matches!(peer, Peer::Named(_));
            all.push(Rule {
                group: group.to_owned(),
                inbound,
                peer,
                protocol: protocol.clone(),
                from,
                to,
                sure: sure && !hidden,
            });
        }
    }
    all
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn peer(written: &str) -> Peer {
    let net = written.parse::<IpNet>().ok();
    match net.as_ref().and_then(range) {
        Some((v6, from, to)) => Peer::Addresses { v6, from, to, written: written.to_owned() },
        None => Peer::Named(written.to_owned()),
    }
}

fn range(net: &IpNet) -> Option<(bool, u128, u128)> {
    match net {
        IpNet::V4(net) => Some((false, u32::from(net.network()).into(), u32::from(net.broadcast()).into())),
        IpNet::V6(net) => Some((true, u128::from(net.network()), u128::from(net.broadcast()))),
    }
}

/// What a rule allows and none of the others does.
fn beyond(rule: &Rule, others: &BTreeSet<Rule>) -> Vec<Rule> {
    let mut left = vec![rule.clone()];
    for other in others {
        let covers = other.protocol == "-1" || other.protocol == rule.protocol;
        if covers {
            left = left.into_iter().flat_map(|part| minus(part, other)).collect();
        }
    }
    left
}

/// A rule without what another one allows: at most four parts.
fn minus(part: Rule, other: &Rule) -> Vec<Rule> {
    let ports = (part.from.max(other.from), part.to.min(other.to));
    if ports.0 > ports.1 {
        return vec![part];
    }
    let mut left = Vec::new();
    let cut = |from: u32, to: u32, peer: &Peer| Rule { from, to, peer: peer.clone(), ..part.clone() };
    match (&part.peer, &other.peer) {
        (
            Peer::Addresses { v6, from, to, written },
            Peer::Addresses { v6: other_v6, from: other_from, to: other_to, .. },
        ) => {
            let (first, last) = (*from.max(other_from), *to.min(other_to));
            if v6 != other_v6 || first > last {
                return vec![part];
            }
            let some = |from, to| Peer::Addresses { v6: *v6, from, to, written: written.clone() };
            if *from < first {
                left.push(cut(part.from, part.to, &some(*from, first - 1)));
            }
            if last < *to {
                left.push(cut(part.from, part.to, &some(last + 1, *to)));
            }
            let both = some(first, last);
            if part.from < ports.0 {
                left.push(cut(part.from, ports.0 - 1, &both));
            }
            if ports.1 < part.to {
                left.push(cut(ports.1 + 1, part.to, &both));
            }
        }
        (a, b) if a == b => {
            if part.from < ports.0 {
                left.push(cut(part.from, ports.0 - 1, a));
            }
            if ports.1 < part.to {
                left.push(cut(ports.1 + 1, part.to, a));
            }
        }
        _ => left.push(part),
    }
    left
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A module with one group and these rules: who, from, to.
    fn module(rules: &[(&str, u32, u32)]) -> View {
        let rules: serde_json::Map<String, Value> = rules
            .iter()
            .enumerate()
            .map(|(at, (peer, from, to))| {
                let key = if peer.starts_with('$') {
                    "referenced_security_group_id"
                } else if peer.contains("::") {
                    "cidr_ipv6"
                } else {
                    "cidr_ipv4"
                };
                let protocol = if *to == 0 { json!("-1") } else { json!("tcp") };
                let rule = json!({"security_group_id": "${aws_security_group.g.id}", "ip_protocol": protocol,
                    "from_port": from, "to_port": to, key: peer});
                (format!("r{at}"), rule)
            })
            .collect();
        let file = json!({"resource": {"aws_vpc_security_group_ingress_rule": rules}}).to_string();
        View::of_files([("a", file.as_str())]).expect("a module")
    }

    fn told(old: &[(&str, u32, u32)], new: &[(&str, u32, u32)]) -> Vec<String> {
        openings(&module(old), &module(new)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rules_are_sets() {
        let none: [String; 0] = [];
        // Reordered, split, merged, and a rule within another.
        assert_eq!(
            told(&[("10.0.0.0/8", 1, 2), ("${a.b.id}", 3, 3)], &[("${a.b.id}", 3, 3), ("10.0.0.0/8", 1, 2)]),
            none
        );
        assert_eq!(told(&[("10.0.0.0/8", 1, 9)], &[("10.0.0.0/9", 1, 9), ("10.128.0.0/9", 1, 9)]), none);
        assert_eq!(told(&[("10.0.0.0/8", 1, 4), ("10.0.0.0/8", 5, 9)], &[("10.0.0.0/8", 1, 9)]), none);
        assert_eq!(told(&[("10.0.0.0/8", 1, 9)], &[("10.0.0.0/8", 1, 9), ("10.1.0.0/16", 3, 3)]), none);
        assert_eq!(told(&[("0.0.0.0/0", 0, 0)], &[("0.0.0.0/0", 0, 0), ("10.1.0.0/16", 3, 3)]), none);
        // Their twins.
        assert_eq!(
            told(&[("10.0.0.0/9", 1, 9), ("10.128.0.0/9", 1, 8)], &[("10.0.0.0/8", 1, 9)]),
            ["opens: 10.128.0.0-10.255.255.255 to aws_security_group.g, tcp 9"]
        );
        assert_eq!(
            told(&[("10.0.0.0/8", 443, 443)], &[("0.0.0.0/0", 443, 443)]).len(),
            2,
            "the addresses below and above"
        );
        assert_eq!(
            told(&[("${aws_security_group.a.id}", 1, 9)], &[("${aws_security_group.b.id}", 1, 9)]),
            [
                "opens: aws_security_group.b to aws_security_group.g, tcp 1-9",
                "closes: aws_security_group.a to aws_security_group.g, tcp 1-9"
            ]
        );
        assert_eq!(told(&[("::/0", 1, 1)], &[("0.0.0.0/0", 1, 1)]).len(), 2, "version 6 is not version 4");
        assert_eq!(
            told(&[("10.0.0.0/8", 1, 65_535)], &[("10.0.0.0/8", 0, 0)]),
            ["opens: 10.0.0.0/8 to aws_security_group.g, every port"]
        );
    }

    #[test]
    fn rules_within_a_group_count_as_those_beside_it() {
        let inside = json!({"resource": {"aws_security_group": {"g": {"ingress": [
            {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]}]}}}});
        let inside = View::of_files([("a", inside.to_string().as_str())]).expect("a module");
        assert_eq!(openings(&module(&[("10.0.0.0/8", 443, 443)]), &inside), []);
        assert_eq!(openings(&module(&[("10.0.0.0/8", 444, 444)]), &inside).len(), 2);
    }

    #[test]
    fn what_is_known_only_later_may_open() {
        let hidden = module(&[("${var.partners}", 443, 443)]);
        let mut hidden = hidden;
        if let Some(rule) = hidden.blocks.get_mut("aws_vpc_security_group_ingress_rule.r0") {
            rule.body["cidr_ipv4"] = rule.body["referenced_security_group_id"].take();
        }
        let found = openings(&module(&[]), &hidden);
        assert_eq!(found[0].to_string(), "may open: var.partners to aws_security_group.g, tcp 443");
    }
}
