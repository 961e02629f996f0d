//! Where a module says what security groups let pass: three resource types, one form.

use serde_json::Value;
use terraform::query::{Found, Held, View};

/// A rule as it is written.
#[derive(Clone, Debug)]
pub struct Written<'v> {
    /// The address of the resource that it stands in.
    pub address: &'v str,
    /// The group: a reference or an id.
    pub group: String,
    /// Whether it lets something in.
    pub inbound: bool,
    /// The other sides: the argument and a value of it.
    pub peers: Vec<(&'static str, &'v Value)>,
    /// The protocol, by name or number.
    pub protocol: &'v Value,
    /// The first port, or the type of ICMP.
    pub from: &'v Value,
    /// The last port, or the code of ICMP.
    pub to: &'v Value,
}

/// Arguments of a rule of its own.
const OF_ITS_OWN: [&str; 4] = ["cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"];
/// Arguments of the older resource.
const OLDER: [&str; 5] =
    ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "source_security_group_id", "self"];
/// Arguments of a block in a group.
const INLINE: [&str; 5] = ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups", "self"];

/// Every rule of a module, in the order of the addresses.
#[must_use]
pub fn written(view: &View) -> Vec<Written<'_>> {
    view.managed().flat_map(|(address, block)| of_block(address, block)).collect()
}

fn of_block<'v>(address: &'v str, block: &'v Found) -> Vec<Written<'v>> {
    let body = &block.body;
    let own = |inbound, peers: &[&'static str], protocol: &str| {
        let group = text(&body["security_group_id"]);
        vec![rule(address, group, inbound, body, peers, protocol)]
    };
    match block.kind.as_str() {
        "aws_vpc_security_group_ingress_rule" => own(true, &OF_ITS_OWN, "ip_protocol"),
        "aws_vpc_security_group_egress_rule" => own(false, &OF_ITS_OWN, "ip_protocol"),
        "aws_security_group_rule" => {
            own(block.get("type") != Held::Known(&Value::from("egress")), &OLDER, "protocol")
        }
        "aws_security_group" | "aws_default_security_group" => {
            let group = format!("${{{address}.id}}");
            let of = |key: &str, inbound| {
                let group = group.clone();
                one_or_more(&body[key])
                    .iter()
                    .map(move |body| rule(address, group.clone(), inbound, body, &INLINE, "protocol"))
            };
            of("ingress", true).chain(of("egress", false)).collect()
        }
        _ => Vec::new(),
    }
}

fn rule<'v>(
    address: &'v str,
    group: String,
    inbound: bool,
    body: &'v Value,
    peers: &[&'static str],
    protocol: &str,
) -> Written<'v> {
    let values = peers.iter().flat_map(|key| one_or_more(&body[*key]).iter().map(move |value| (*key, value)));
    let peers = values.filter(|(_, value)| !value.is_null() && **value != Value::Bool(false)).collect();
    let (protocol, from, to) = (&body[protocol], &body["from_port"], &body["to_port"]);
    Written { address, group, inbound, peers, protocol, from, to }
}

/// The items of a list, or the one value that stands in its place.
#[must_use]
pub fn one_or_more(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// A scalar as text.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
