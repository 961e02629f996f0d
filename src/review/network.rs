//! Who reaches what: the rules of security groups as sets of addresses and ports.
//!
//! A rule that is split, merged or reordered opens nothing: only what no old rule allowed is opened, and only what no new one
//! allows is closed. <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use terraform::query::{View, is_expression};

use crate::traffic::groups::{self, Written, text};
use crate::traffic::{Cuboid, PORT_MAX, Range, Span, protocol};

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
    /// Addresses, and the range that they are written as or a part of.
    Addresses(Range, String),
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
        Peer::Addresses(range, written) if Range::parse(written) == Some(*range) => written.clone(),
        Peer::Addresses(range, _) => range.to_string(),
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
    let mut grouped: BTreeMap<(String, bool), BTreeSet<Rule>> = BTreeMap::new();
    for rule in groups::written(view).iter().flat_map(read) {
        grouped.entry((rule.group.clone(), rule.inbound)).or_default().insert(rule);
    }
    grouped
}

/// The rules that one is: one for each of its peers.
fn read(written: &Written<'_>) -> Vec<Rule> {
    let Written { group, inbound, .. } = written;
    let (first, last) = (text(written.from), text(written.to));
    let protocol = match text(written.protocol).to_lowercase() {
        every if protocol::is_every(&every) => "-1".to_owned(),
        named => protocol::number(&named).map_or(named, protocol::name),
    };
    let port = |text: &str| if text.is_empty() { Some(None) } else { text.parse::<i64>().ok().map(Some) };
    let (from, to) = (port(&first), port(&last));
    let mut sure = !is_expression(&protocol);
    let (protocol, from, to) = match (protocol.as_str(), from, to) {
        ("-1", ..) => (protocol, 0, PORT_MAX),
        // A type and a code, which are no range.
        ("icmp" | "icmpv6", from, to) => {
            let part = |part: Option<Option<i64>>| part.flatten().map_or("?".to_owned(), |n| n.to_string());
            (format!("{protocol} type {} code {}", part(from), part(to)), 0, PORT_MAX)
        }
        (_, Some(Some(from)), Some(Some(to))) if (0..=65_535).contains(&from) && from <= to => {
            (protocol.clone(), u32::try_from(from).unwrap_or(0), u32::try_from(to).unwrap_or(PORT_MAX))
        }
        (_, Some(None), Some(None)) => (protocol, 0, PORT_MAX),
        _ => {
            sure = false;
            (format!("{protocol} {first}-{last}"), 0, PORT_MAX)
        }
    };
    let mut all = Vec::new();
    for (key, value) in &written.peers {
        let peer = match value {
            Value::Bool(_) => Peer::Named(group.clone()),
            value => peer(&text(value)),
        };
        // A reference to addresses, unlike one to a group or a list, hides how many they are.
        let hidden = key.contains("cidr") && matches!(peer, Peer::Named(_));
        all.push(Rule {
            group: group.clone(),
            inbound: *inbound,
            peer,
            protocol: protocol.clone(),
            from,
            to,
            sure: sure && !hidden,
        });
    }
    all
}

fn peer(written: &str) -> Peer {
    match Range::parse(written) {
        Some(range) => Peer::Addresses(range, written.to_owned()),
        None => Peer::Named(written.to_owned()),
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
    let ports = |rule: &Rule| Span::new(rule.from.into(), rule.to.into());
    let port = |number: u128| u32::try_from(number).unwrap_or(PORT_MAX);
    match (&part.peer, &other.peer) {
        (Peer::Addresses(range, written), Peer::Addresses(taken, _)) if range.v6 == taken.v6 => {
            let left = Cuboid([range.span, ports(&part)]).minus(&Cuboid([taken.span, ports(other)]));
            let rule = |Cuboid([span, ports])| {
                let peer = Peer::Addresses(Range { span, ..*range }, written.clone());
                Rule { peer, from: port(ports.from), to: port(ports.to), ..part.clone() }
            };
            left.into_iter().map(rule).collect()
        }
        (a, b) if a == b => {
            let left = Cuboid([ports(&part)]).minus(&Cuboid([ports(other)]));
            let rule = |Cuboid([ports])| Rule { from: port(ports.from), to: port(ports.to), ..part.clone() };
            left.into_iter().map(rule).collect()
        }
        _ => vec![part],
    }
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
            ["opens: 10.128.0.0/9 to aws_security_group.g, tcp 9"]
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
