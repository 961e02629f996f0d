//! Every place against every other one.

use std::collections::{BTreeMap, BTreeSet};

use terraform::query::View;

use super::answer::{self, Answer};
use super::expected::Line;
use super::filter::{Flows, PORT, PORTS, PROTOCOL, SOURCE, TARGET, VERSION, Wanted};
use super::network::Network;
use super::place::{Kind, Place};
use crate::traffic::{Cuboid, Range, Set, Span, address, protocol};

/// A place outside that the environment has a name for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub range: Option<Range>,
    /// The prefix list that holds its addresses.
    pub list: Option<String>,
}

/// Who reaches what.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    /// The pairs that were asked after, in order.
    pub pairs: Vec<Pair>,
    /// What stands in a subnet and is not looked at.
    pub unread: BTreeSet<String>,
}

/// What one place reaches of another.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Who asks.
    pub from: String,
    /// What that is.
    pub from_kind: &'static str,
    /// Who is asked.
    pub to: String,
    /// What that is.
    pub to_kind: &'static str,
    /// What passes by packets alone.
    pub direct: Answer,
    /// What load balancers pass on.
    pub relayed: Vec<Relay>,
    /// The names that may be looked up, where the way out is the resolver.
    pub dns: Option<Vec<String>>,
    /// What is reached, a line each.
    pub lines: Vec<Line>,
}

/// What a load balancer passes on.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The load balancer.
    pub by: String,
    /// What reaches it, at listeners that forward.
    pub first: Answer,
    /// What it reaches.
    pub second: Answer,
}

impl Network {
    /// The network of a module, with places outside that the environment has names for.
    #[must_use]
    pub fn with(view: &View, outside: &[Named]) -> Self {
        let mut network = Self::of(view);
        for Named { name, range, list } in outside {
            let ranges = range.map_or_else(
                // Whoever keeps the list may put anything there.
                || if list.is_some() { vec![Range::IPV4, Range::IPV6] } else { Vec::new() },
                |range| vec![range],
            );
            network.places.push(Place::outside(name, Kind::Partner, ranges, list.clone()));
        }
        network.places.sort_by(|one, other| (one.kind, &one.name).cmp(&(other.kind, &other.name)));
        network
    }

    /// The places that a word stands for: a kind, a name, a Terraform address, or a range of addresses.
    fn find(&self, word: &str) -> Option<Vec<Place>> {
        let kinds: &[Kind] = match word {
            "internet" => &[Kind::Internet],
            "partners" => &[Kind::Partner],
            "load-balancer" => &[Kind::Balancer],
            "tasks" => &[Kind::Tasks],
            "machines" => &[Kind::Machine],
            "stores" => &[Kind::Store],
            "endpoints" => &[Kind::Endpoint, Kind::Service],
            "dns" => &[Kind::Dns],
            _ => &[],
        };
        if !kinds.is_empty() {
            return Some(self.places.iter().filter(|place| kinds.contains(&place.kind)).cloned().collect());
        }
        let named: Vec<Place> = self.places.iter().filter(|place| place.name == word).cloned().collect();
        if !named.is_empty() {
            return Some(named);
        }
        let range = Range::parse(word)?;
        Some(vec![Place::outside(word, Kind::Partner, vec![range], None)])
    }

    /// What a place may be called, for who has called one otherwise.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let kinds = ["partners", "load-balancer", "tasks", "machines", "stores", "endpoints"];
        kinds
            .iter()
            .map(ToString::to_string)
            .chain(self.places.iter().map(|place| place.name.clone()))
            .collect()
    }
}

/// What reaches what. Without `from` or `to` every place is asked after.
///
/// # Errors
/// With a word that no place is called by.
pub fn matrix(
    network: &Network,
    from: Option<&str>,
    to: Option<&str>,
    wanted: Wanted,
) -> Result<Matrix, String> {
    let find = |word: Option<&str>| match word {
        Some(word) => network.find(word).ok_or_else(|| word.to_owned()),
        None => Ok(network.places.clone()),
    };
    let (froms, tos) = (find(from)?, find(to)?);
    let internet = address::internet();
    let mut pairs = Vec::new();
    for one in froms.iter().filter(|place| place.speaks()) {
        // Who is on the internet is asked after with it.
        let of_internet = |range: &Range| {
            internet
                .iter()
                .any(|whole| whole.v6 == range.v6 && whole.span.and(range.span) == Some(range.span))
        };
        let again = one.kind == Kind::Partner && (one.list.is_some() || one.ranges.iter().all(of_internet));
        if from.is_none() && again {
            continue;
        }
        for other in &tos {
            if one.is_inside() || other.is_inside() {
                pairs.push(pair(network, one, other, wanted));
            }
        }
    }
    Ok(Matrix { pairs, unread: network.unread.clone() })
}

fn pair(network: &Network, from: &Place, to: &Place, wanted: Wanted) -> Pair {
    let mut pair = Pair {
        from: from.name.clone(),
        from_kind: from.kind.name(),
        to: to.name.clone(),
        to_kind: to.kind.name(),
        direct: answer::between(network, from, to, wanted),
        relayed: Vec::new(),
        dns: None,
        lines: Vec::new(),
    };
    if to.kind == Kind::Dns {
        let runs = matches!(from.kind, Kind::Tasks | Kind::Machine);
        let vpc =
            from.subnets.first().and_then(|subnet| network.vpc_of(subnet)).filter(|vpc| vpc.dns && runs);
        pair.dns = vpc.map(|vpc| vpc.names.clone().unwrap_or_else(|| vec!["*".to_owned()]));
        pair.lines.extend(pair.dns.iter().flatten().map(|name| Line::name(&pair.from, name)));
        return pair;
    }
    pair.relayed = relays(network, from, to, wanted);
    let sides = [from, to];
    let mut by: BTreeMap<String, Answer> = BTreeMap::new();
    for path in &pair.direct.paths {
        let names: BTreeSet<&str> =
            path.steps.iter().flat_map(|step| &step.notes).map(String::as_str).collect();
        let names = names.into_iter().collect::<Vec<_>>().join("; ");
        by.entry(names).or_default().paths.push(path.clone());
    }
    for (by, answer) in by {
        let (sure, possible) = (answer.sure(), answer.possible());
        pair.lines.extend(lines(sides, &sure, true, &by));
        pair.lines.extend(lines(sides, &possible.minus(&sure), false, &by));
    }
    for relay in &pair.relayed {
        let asked = |flows: &Flows| {
            let ports = cells(flows, None).into_iter().map(|cell| cell.words());
            ports.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
        };
        let sure = if relay.second.sure().is_empty() { Flows::none() } else { relay.first.sure() };
        let by = format!("{} at {}", relay.by, asked(&relay.second.possible()));
        pair.lines.extend(lines(sides, &sure, true, &by));
        pair.lines.extend(lines(sides, &relay.first.possible().minus(&sure), false, &by));
    }
    pair.lines.sort();
    pair
}

/// What load balancers pass on: who reaches a port that forwards to a target group reaches whoever is registered there.
fn relays(network: &Network, from: &Place, to: &Place, wanted: Wanted) -> Vec<Relay> {
    let mut all = Vec::new();
    if from.kind == Kind::Balancer || to.kind != Kind::Tasks {
        return all;
    }
    for balancer in network.places.iter().filter(|place| place.kind == Kind::Balancer) {
        let (mut first, mut second) = (Answer::default(), Answer::default());
        for listener in &balancer.listeners {
            let registered = to.listeners.iter().filter(|task| !task.groups.is_disjoint(&listener.groups));
            let tcp = |port| Wanted { protocol: Some(protocol::TCP), port: Some(port) };
            let ports: BTreeSet<u16> = registered.map(|task| task.port).collect();
            let asked = wanted.port.is_none_or(|port| port == listener.port)
                && wanted.protocol.is_none_or(|number| number == protocol::TCP);
            if ports.is_empty() || !asked {
                continue;
            }
            extend(&mut first, answer::between(network, from, balancer, tcp(listener.port)));
            for port in ports {
                extend(&mut second, answer::between(network, balancer, to, tcp(port)));
            }
        }
        if first.is_open() && second.is_open() {
            all.push(Relay { by: balancer.name.clone(), first, second });
        }
    }
    all
}

fn extend(all: &mut Answer, more: Answer) {
    all.paths.extend(more.paths);
    all.cuts.extend(more.cuts);
}

fn lines(sides: [&Place; 2], flows: &Flows, sure: bool, by: &str) -> Vec<Line> {
    let outside = sides.iter().position(|place| !place.is_inside());
    let at = outside.map(|side| [SOURCE, TARGET][side]);
    let whole = outside.map(|side| sides[side].ranges.as_slice()).unwrap_or_default();
    let of_list = outside.is_some_and(|side| sides[side].list.is_some());
    let mut all = Vec::new();
    for cell in cells(flows, at) {
        let of_version: Vec<Span> =
            whole.iter().filter(|range| range.v6 == cell.v6).map(|range| range.span).collect();
        let every = at.is_none() || of_list || cell.spans == of_version;
        let ranges: Vec<Option<Range>> = if every {
            vec![None]
        } else {
            let ranges = cell.spans.iter().map(|span| Range { v6: cell.v6, span: *span });
            ranges.flat_map(Range::nets).map(|net| Some(Range::of(&net))).collect()
        };
        for range in ranges {
            all.push(Line {
                from: sides[0].name.clone(),
                to: sides[1].name.clone(),
                outside: range,
                from_outside: outside == Some(0),
                sure,
                v6: cell.v6,
                protocol: cell.protocol,
                ports: cell.ports,
                by: by.to_owned(),
                name: String::new(),
            });
        }
    }
    all
}

/// A protocol with a run of ports that the same addresses have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub v6: bool,
    pub protocol: Span,
    pub ports: Span,
    pub spans: Vec<Span>,
}

impl Cell {
    pub(super) fn words(&self) -> String {
        super::expected::words(self.protocol, self.ports)
    }
}

/// Flows by protocol and port: the fewest cells, in order, whatever parts the set has. What is told of an address is of the
/// one side alone.
pub(super) fn cells(flows: &Flows, at: Option<usize>) -> Vec<Cell> {
    let flat: Set<4> = Set::of(flows.cuboids().iter().map(|one| {
        let side = at.map_or(Span::one(0), |at| one.0[at]);
        Cuboid([one.0[VERSION], one.0[PROTOCOL], one.0[PORT], side])
    }));
    let mut all: Vec<Cell> = Vec::new();
    for v6 in [false, true] {
        let of: Vec<[Span; 3]> = flat
            .cuboids()
            .iter()
            .filter(|one| one.0[0].holds(v6.into()))
            .map(|one| [one.0[1], one.0[2], one.0[3]])
            .collect();
        let mut before: Vec<Cell> = Vec::new();
        for protocol in pieces(of.iter().map(|one| one[0])) {
            let here: Vec<&[Span; 3]> = of.iter().filter(|one| one[0].and(protocol).is_some()).collect();
            let mut row: Vec<Cell> = Vec::new();
            for ports in pieces(here.iter().map(|one| one[1])) {
                let spans = here.iter().filter(|one| one[1].and(ports).is_some()).map(|one| one[2]);
                let spans = crate::traffic::cuboid::merged(spans);
                match row.last_mut() {
                    _ if spans.is_empty() => {}
                    Some(last) if last.spans == spans && last.ports.to + 1 == ports.from => {
                        last.ports.to = ports.to
                    }
                    _ => row.push(Cell { v6, protocol, ports, spans }),
                }
            }
            let same = |one: &Cell, other: &Cell| {
                one.ports == other.ports
                    && one.spans == other.spans
                    && one.protocol.to + 1 == other.protocol.from
            };
            if !row.is_empty()
                && row.len() == before.len()
                && before.iter().zip(&row).all(|(one, other)| same(one, other))
            {
                for cell in &mut before {
                    cell.protocol.to = protocol.to;
                }
            } else {
                all.append(&mut before);
                before = row;
            }
        }
        all.append(&mut before);
    }
    all
}

/// The pieces that the borders of spans make, those in no span among them.
fn pieces(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut borders: BTreeMap<u128, ()> = BTreeMap::new();
    let mut last = 0;
    for span in spans {
        borders.insert(span.from, ());
        borders.insert(span.to + 1, ());
        last = last.max(span.to);
    }
    let starts: Vec<u128> = borders.into_keys().collect();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([last]);
    starts.iter().zip(ends).filter(|(from, to)| *from <= to).map(|(from, to)| Span::new(*from, to)).collect()
}

/// Whether ports are all of them.
pub(super) fn is_every_port(ports: Span) -> bool {
    ports == PORTS
}
