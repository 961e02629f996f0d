//! Flows as sets, and what one list of rules lets pass of them.

use std::collections::BTreeSet;

use crate::traffic::{Cuboid, PORT_MAX, Range, Set, Span, protocol};

/// The directions of the space of flows: version of IP, addresses of both sides, protocol, ports of both sides. ICMP has its
/// type and code in the place of the port that is asked for, as type times 256 plus code.
pub(super) const VERSION: usize = 0;
pub(super) const SOURCE: usize = 1;
pub(super) const TARGET: usize = 2;
pub(super) const PROTOCOL: usize = 3;
pub(super) const SOURCE_PORT: usize = 4;
pub(super) const PORT: usize = 5;

/// Flows.
pub(super) type Flows = Set<6>;

/// Every protocol.
const PROTOCOLS: Span = Span::new(0, u8::MAX as u128);
/// Every port.
pub(super) const PORTS: Span = Span::new(0, PORT_MAX as u128);

/// Which flows are asked after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Of this protocol alone.
    pub protocol: Option<u8>,
    /// To this port alone, of TCP and UDP.
    pub port: Option<u16>,
}

impl Wanted {
    /// The flows between these addresses.
    pub(super) fn between(self, from: &[Range], to: &[Range]) -> Flows {
        let protocols = match (self.protocol, self.port) {
            (Some(number), _) => vec![Span::one(number.into())],
            (None, Some(_)) => vec![Span::one(protocol::TCP.into()), Span::one(protocol::UDP.into())],
            (None, None) => vec![PROTOCOLS],
        };
        let port = self.port.map_or(PORTS, |port| Span::one(port.into()));
        let mut all = Vec::new();
        for from in from {
            for to in to.iter().filter(|to| to.v6 == from.v6) {
                for protocol in &protocols {
                    all.push(Cuboid([version(from.v6), from.span, to.span, *protocol, PORTS, port]));
                }
            }
        }
        Set::of(all)
    }
}

fn version(v6: bool) -> Span {
    Span::one(v6.into())
}

/// The answers to flows: both sides change places.
pub(super) fn turned(flows: &Flows) -> Flows {
    flows.turned([VERSION, TARGET, SOURCE, PROTOCOL, PORT, SOURCE_PORT])
}

/// Every flow of one protocol.
pub(super) fn of_protocol(number: u8) -> Flows {
    let each = |v6| Cuboid([version(v6), Span::ALL, Span::ALL, Span::one(number.into()), PORTS, PORTS]);
    Set::of([each(false), each(true)])
}

/// Every flow with addresses of these ranges in one direction.
pub(super) fn with(at: usize, ranges: &[Range]) -> Flows {
    Set::of(ranges.iter().map(|range| {
        let mut one = Cuboid([version(range.v6), Span::ALL, Span::ALL, PROTOCOLS, PORTS, PORTS]);
        one.0[at] = range.span;
        one
    }))
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// Addresses.
    Range(Range),
    /// Members of a security group.
    Group(String),
    /// A prefix list.
    List(String),
    /// Addresses that are known only later, and why.
    Unknown(String),
}

/// A rule's protocol and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub protocol: Span,
    pub ports: Span,
    /// Whether they are known; otherwise these are all that there may be.
    pub known: bool,
}

impl Ports {
    const EVERY: Self = Self { protocol: PROTOCOLS, ports: PORTS, known: true };

    /// What a rule says: its protocol, and its ports or the type and code of ICMP.
    pub(super) fn of(written: &str, from: &str, to: &str, icmp: (&str, &str)) -> Self {
        if protocol::is_every(written) {
            return Self::EVERY;
        }
        let Some(number) = protocol::number(written) else { return Self { known: false, ..Self::EVERY } };
        let of = Self { protocol: Span::one(number.into()), ..Self::EVERY };
        let ports = match number {
            protocol::TCP | protocol::UDP => ports(from, to),
            protocol::ICMP | protocol::ICMPV6 => icmp_ports(icmp.0, icmp.1),
            _ => Some(PORTS),
        };
        Self { ports: ports.unwrap_or(PORTS), known: ports.is_some(), ..of }
    }
}

fn ports(from: &str, to: &str) -> Option<Span> {
    if from.is_empty() && to.is_empty() {
        return Some(PORTS);
    }
    let (from, to): (i64, i64) = (from.parse().ok()?, to.parse().ok()?);
    // -1 stands for every port in the older resource.
    let from = u128::try_from(from.max(0)).ok()?;
    let to = if to < 0 { u128::from(PORT_MAX) } else { u128::try_from(to).ok()?.min(PORT_MAX.into()) };
    (from <= to).then_some(Span::new(from, to))
}

fn icmp_ports(kind: &str, code: &str) -> Option<Span> {
    let part = |text: &str| match text {
        "" | "-1" => Some(None),
        text => text.parse::<u8>().ok().map(|number| Some(u128::from(number))),
    };
    Some(match (part(kind)?, part(code)?) {
        (None, _) => PORTS,
        (Some(kind), None) => Span::new(kind * 256, kind * 256 + 255),
        (Some(kind), Some(code)) => Span::one(kind * 256 + code),
    })
}

/// What a rule matches: for sure, and at most.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub sure: Flows,
    pub possible: Flows,
    /// Why the two differ.
    pub doubt: Option<String>,
}

impl Match {
    /// The flows whose `at` side has these addresses, by these ports.
    pub(super) fn of(at: usize, ranges: &[Range], ports: Ports, doubt: Option<String>) -> Self {
        let possible = Set::of(ranges.iter().map(|range| {
            let mut one =
                Cuboid([version(range.v6), Span::ALL, Span::ALL, ports.protocol, PORTS, ports.ports]);
            one.0[at] = range.span;
            one
        }));
        let doubt =
            doubt.or_else(|| (!ports.known).then(|| "its protocol or ports are known only later".to_owned()));
        let sure = if doubt.is_some() { Flows::none() } else { possible.clone() };
        Self { sure, possible, doubt }
    }

    /// Nothing.
    pub(super) fn none() -> Self {
        Self { sure: Flows::none(), possible: Flows::none(), doubt: None }
    }
}

/// Flows on their way: what gets as far as here for sure, and what may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passing {
    pub sure: Flows,
    /// Holds all that is sure.
    pub possible: Flows,
}

/// What a list of rules made of flows.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    /// What each rule lets pass.
    pub by: Vec<(String, Flows)>,
    /// The rules that deny some of it by name.
    pub denied: BTreeSet<String>,
    /// Why something may pass and need not, and what.
    pub doubts: Vec<(String, Flows)>,
}

/// A rule with what it matches.
pub(super) struct Judged {
    pub address: String,
    pub allow: bool,
    pub matches: Match,
}

/// The rules in their order, the first that matches decides, and what none matches is denied. Where all of them allow, their
/// order makes no difference.
pub(super) fn judge(passing: &Passing, rules: impl IntoIterator<Item = Judged>) -> (Passing, Verdict) {
    let mut out = Passing { sure: Flows::none(), possible: Flows::none() };
    let mut verdict = Verdict::default();
    // What no rule before has decided: for sure, and perhaps.
    let mut open = passing.clone();
    for Judged { address, allow, matches } in rules {
        let sure = open.sure.and(&matches.sure);
        let possible = open.possible.and(&matches.possible);
        // What a rule may allow and may leave to the next ones is not lost; what it may deny is.
        open.sure = open.sure.minus(if allow { &matches.sure } else { &matches.possible });
        open.possible = open.possible.minus(&matches.sure);
        if possible.is_empty() {
            continue;
        }
        if let Some(doubt) = matches.doubt {
            verdict.doubts.push((format!("{address}: {doubt}"), possible.clone()));
        }
        if allow {
            out.sure = out.sure.or(&sure);
            out.possible = out.possible.or(&possible);
            verdict.by.push((address, possible));
        } else {
            verdict.denied.insert(address);
        }
        if open.possible.is_empty() {
            break;
        }
    }
    (out, verdict)
}
