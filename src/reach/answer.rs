//! What passes on the ways between two places, and by which rules; or what stops it.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::{
    self, Flows, Judged, Match, Passing, Peer, Ports, SOURCE, SOURCE_PORT, TARGET, Verdict, Wanted,
};
use super::network::Network;
use super::place::{Kind, Place};
use super::trace::{self, Act, Check, NAT_PORTS, Packet, Way};
use crate::traffic::{Range, protocol};

/// What passes from one place to another.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The ways that something passes on, or may.
    pub paths: Vec<Path>,
    /// What stops the other ways.
    pub cuts: Vec<Cut>,
}

/// A way that something passes on.
#[derive(Clone, Debug)]
pub struct Path {
    /// What is on it, in order.
    pub steps: Vec<Step>,
    /// What passes for sure.
    pub(super) sure: Flows,
    /// What may pass.
    pub(super) possible: Flows,
    /// Why the two differ.
    pub doubts: BTreeSet<String>,
}

/// Something on a way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// What it is.
    pub what: &'static str,
    /// The resources: one in each subnet, where they differ.
    pub elements: BTreeSet<String>,
    /// The rules that let it pass.
    pub rules: BTreeSet<String>,
    /// Where names let it pass: the rules, each with the names of which a connection has to say one.
    pub notes: BTreeSet<String>,
}

/// What stops a way.
#[derive(Clone, Debug)]
pub struct Cut {
    /// What it is.
    pub what: &'static str,
    /// The resources: one in each subnet, where they differ.
    pub elements: BTreeSet<String>,
    /// The rules that deny it by name.
    pub rules: BTreeSet<String>,
    /// Why nothing passes.
    pub why: String,
    /// What had got as far as this.
    pub(super) before: Flows,
}

impl Answer {
    /// What passes for sure.
    pub(super) fn sure(&self) -> Flows {
        self.paths.iter().fold(Flows::none(), |all, path| all.or(&path.sure))
    }

    /// What may pass.
    pub(super) fn possible(&self) -> Flows {
        self.paths.iter().fold(Flows::none(), |all, path| all.or(&path.possible))
    }

    /// Whether anything may pass.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.paths.is_empty()
    }
}

/// What passes from one place to another by packets alone.
pub(super) fn between(network: &Network, from: &Place, to: &Place, wanted: Wanted) -> Answer {
    if to.kind == Kind::Dns {
        return Answer::default();
    }
    let mut paths: BTreeMap<Vec<&str>, Path> = BTreeMap::new();
    let mut cuts: BTreeMap<(&str, String), Cut> = BTreeMap::new();
    for way in trace::ways(network, from, to, wanted) {
        match walk(network, &way) {
            Ok(path) => {
                let key = path.steps.iter().map(|step| step.what).collect();
                match paths.get_mut(&key) {
                    Some(like) => merge(like, &path),
                    None => _ = paths.insert(key, path),
                }
            }
            Err(Some(cut)) => {
                match cuts.get_mut(&(cut.what, cut.why.clone())) {
                    Some(like) => {
                        like.elements.extend(cut.elements);
                        like.rules.extend(cut.rules);
                        like.before = like.before.or(&cut.before);
                    }
                    None => _ = cuts.insert((cut.what, cut.why.clone()), cut),
                };
            }
            Err(None) => {}
        }
    }
    Answer { paths: paths.into_values().collect(), cuts: cuts.into_values().collect() }
}

fn merge(into: &mut Path, path: &Path) {
    for (step, more) in into.steps.iter_mut().zip(&path.steps) {
        step.elements.extend(more.elements.iter().cloned());
        step.rules.extend(more.rules.iter().cloned());
        step.notes.extend(more.notes.iter().cloned());
    }
    into.sure = into.sure.or(&path.sure);
    into.possible = into.possible.or(&path.possible);
    into.doubts.extend(path.doubts.iter().cloned());
}

/// Goes a way to its end, or to what stops it.
fn walk(network: &Network, way: &Way) -> Result<Path, Option<Cut>> {
    let mut passing = Passing { sure: way.base.clone(), possible: way.base.clone() };
    if passing.possible.is_empty() {
        return Err(None);
    }
    let (mut steps, mut doubts) = (Vec::new(), Vec::new());
    for check in &way.checks {
        let before = passing.possible.clone();
        let Passed { passing: next, verdict, notes, why } = pass(network, check, &passing);
        if next.possible.is_empty() {
            let (what, elements) = (check.what, [check.element.clone()].into());
            return Err(Some(Cut { what, elements, rules: verdict.denied, why, before }));
        }
        doubts.extend(verdict.doubts.iter().cloned());
        steps.push((check, verdict.by, notes));
        passing = next;
    }
    for (at, among) in [SOURCE, TARGET].into_iter().zip(way.among) {
        if among {
            let sure = for_every(&passing.sure, &way.base, at);
            if sure != passing.sure {
                let left = passing.possible.minus(&sure);
                doubts.push(("which addresses these are is known only later".to_owned(), left));
                passing.sure = sure;
            }
        }
    }
    let open = passing.possible.minus(&passing.sure);
    let touches = |flows: &Flows, set: &Flows| !flows.and(set).is_empty();
    let steps = steps.into_iter().map(|(check, by, notes)| Step {
        what: check.what,
        elements: [check.element.clone()].into(),
        rules: by
            .into_iter()
            .filter(|(_, flows)| touches(flows, &passing.possible))
            .map(|(rule, _)| rule)
            .collect(),
        notes: notes.into_iter().collect(),
    });
    let doubts = doubts.into_iter().filter(|(_, flows)| touches(flows, &open)).map(|(why, _)| why).collect();
    Ok(Path { steps: steps.collect(), sure: passing.sure, possible: passing.possible, doubts })
}

/// The flows that pass whichever address of the base there is in that direction.
fn for_every(sure: &Flows, base: &Flows, at: usize) -> Flows {
    let mut left = sure.clone();
    for span in base.spans(at) {
        left = left.minus(&base.minus(sure).widened(at, span));
    }
    left
}

struct Passed {
    passing: Passing,
    verdict: Verdict,
    notes: Vec<String>,
    why: String,
}

fn pass(network: &Network, check: &Check, passing: &Passing) -> Passed {
    let plain = |passing: Passing, why: String| Passed {
        passing,
        verdict: Verdict::default(),
        notes: Vec::new(),
        why,
    };
    match &check.act {
        Act::Through => plain(passing.clone(), String::new()),
        Act::Stop(why) => plain(Passing { sure: Flows::none(), possible: Flows::none() }, why.clone()),
        Act::Doubt(why) => doubtful(passing, why),
        Act::Only(flows) => {
            let kept = Passing { sure: passing.sure.and(flows), possible: passing.possible.and(flows) };
            let why = match check.what {
                "NAT gateway" => "a NAT gateway translates TCP, UDP and ICMP of IPv4 alone",
                _ => "it has none",
            };
            plain(kept, why.to_owned())
        }
        Act::NoAnswer => {
            let left = passing.possible.minus(&filter::of_protocol(protocol::TCP));
            let why = "no route leads answers back";
            let doubt = format!("{why}, and whether a packet arrives then AWS does not say");
            let passed = doubtful(&Passing { sure: Flows::none(), possible: left }, &doubt);
            Passed { why: why.to_owned(), ..passed }
        }
        Act::Wall => match network.walls.get(&check.element) {
            Some(wall) => {
                let (passing, verdict, notes) = wall.judge(passing);
                Passed { passing, verdict, notes, why: "no rule lets it pass".to_owned() }
            }
            None => doubtful(passing, "its rules are not in this module"),
        },
        Act::Groups { groups, inbound, other } => by_groups(network, groups, *inbound, other, passing),
        Act::Acl { subnet, inbound, of } => by_acl(network, subnet, *inbound, *of, passing),
    }
}

fn doubtful(passing: &Passing, why: &str) -> Passed {
    let possible = passing.possible.clone();
    let verdict = Verdict { doubts: vec![(why.to_owned(), possible.clone())], ..Verdict::default() };
    Passed {
        passing: Passing { sure: Flows::none(), possible },
        verdict,
        notes: Vec::new(),
        why: String::new(),
    }
}

fn by_groups(
    network: &Network,
    groups: &[String],
    inbound: bool,
    other: &Place,
    passing: &Passing,
) -> Passed {
    if groups.is_empty() {
        return doubtful(
            passing,
            "it has the VPC's default security group, whose rules are not in this module",
        );
    }
    let at = if inbound { SOURCE } else { TARGET };
    let mut rules = Vec::new();
    for name in groups {
        let Some(group) = network.groups.get(name) else {
            let why = "its rules are not in this module".to_owned();
            let ports = Ports::of("-1", "", "", ("", ""));
            let matches = Match::of(at, &BOTH, ports, Some(why));
            rules.push(Judged { address: name.clone(), allow: true, matches });
            continue;
        };
        for rule in if inbound { &group.inbound } else { &group.outbound } {
            let matches = of_peer(network, at, &rule.peer, rule.ports, other);
            rules.push(Judged { address: rule.address.clone(), allow: true, matches });
        }
    }
    let (passing, verdict) = filter::judge(passing, rules);
    let why = if inbound { "no rule lets it in" } else { "no rule lets it out" };
    Passed { passing, verdict, notes: Vec::new(), why: why.to_owned() }
}

const BOTH: [Range; 2] = [Range::IPV4, Range::IPV6];

fn of_peer(network: &Network, at: usize, peer: &Peer, ports: Ports, other: &Place) -> Match {
    match peer {
        Peer::Range(range) => Match::of(at, &[*range], ports, None),
        Peer::Unknown(why) => Match::of(at, &BOTH, ports, Some(why.clone())),
        Peer::Group(group) if other.groups.contains(group) => Match::of(at, &BOTH, ports, None),
        Peer::Group(group) => {
            let told = network.groups.contains_key(group)
                && other.groups.iter().all(|group| network.groups.contains_key(group))
                && !other.groups.is_empty();
            if told || !other.is_inside() {
                return Match::none();
            }
            Match::of(
                at,
                &BOTH,
                ports,
                Some(format!("whether {} is in {group} is not known here", other.name)),
            )
        }
        Peer::List(list) => {
            if other.list.as_ref() == Some(list) {
                return Match::of(at, &BOTH, ports, None);
            }
            if let Some(ranges) = network.lists.get(list) {
                return Match::of(at, ranges, ports, None);
            }
            // Of AWS's own services nobody else has an address.
            let of_service = |place: &Place| place.kind == Kind::Service && place.list.as_ref() == Some(list);
            if network.places.iter().any(of_service) {
                return Match::none();
            }
            Match::of(
                at,
                &BOTH,
                ports,
                Some(format!("what the prefix list {list} holds is not in this module")),
            )
        }
    }
}

fn by_acl(network: &Network, subnet: &str, inbound: bool, of: Packet, passing: &Passing) -> Passed {
    let plain = |passing: Passing| Passed {
        passing,
        verdict: Verdict::default(),
        notes: Vec::new(),
        why: String::new(),
    };
    let Some(name) = trace::acl_of(network, subnet) else {
        // The ACL that a VPC is born with lets everything pass.
        let made = network.vpc_of(subnet).is_some_and(|vpc| vpc.made);
        return if made {
            plain(passing.clone())
        } else {
            doubtful(passing, "its network ACL is not in this module")
        };
    };
    let Some(acl) = network.acls.get(&name) else {
        return doubtful(passing, "its network ACL is not in this module");
    };
    let list = if inbound { &acl.inbound } else { &acl.outbound };
    let at = if inbound { SOURCE } else { TARGET };
    let rules = || {
        list.iter().map(|rule| {
            let matches = match &rule.peer {
                Peer::Range(range) => Match::of(at, &[*range], rule.ports, None),
                Peer::Unknown(why) => Match::of(at, &BOTH, rule.ports, Some(why.clone())),
                Peer::Group(_) | Peer::List(_) => Match::none(),
            };
            Judged { address: rule.address.clone(), allow: rule.allow, matches }
        })
    };
    let no_rule = "no rule lets it pass, or one denies it".to_owned();
    if of == Packet::Request {
        let (passing, verdict) = filter::judge(passing, rules());
        return Passed { passing, verdict, notes: Vec::new(), why: no_rule };
    }
    // Only TCP needs its answers.
    let tcp = filter::of_protocol(protocol::TCP);
    let asked = |set: &Flows| {
        let set = set.and(&tcp);
        let set = if of == Packet::AnswerToNat { set.widened(SOURCE_PORT, NAT_PORTS) } else { set };
        filter::turned(&set)
    };
    let answers = Passing { sure: asked(&passing.sure), possible: asked(&passing.possible) };
    let (answered, verdict) = filter::judge(&answers, rules());
    // The flows that have an answer: by any port of the gateway's, where it is the gateway that asked.
    let back = |set: &Flows| {
        let set = filter::turned(set);
        if of == Packet::AnswerToNat { set.widened(SOURCE_PORT, filter::PORTS) } else { set }
    };
    let kept = |all: &Flows, answered: &Flows| all.minus(&tcp).or(&all.and(&back(answered)));
    let next = Passing {
        sure: kept(&passing.sure, &answered.sure),
        possible: kept(&passing.possible, &answered.possible),
    };
    let by = verdict.by.iter().map(|(rule, flows)| (rule.clone(), back(flows))).collect();
    let doubts = verdict.doubts.iter().map(|(why, flows)| (why.clone(), back(flows))).collect();
    let verdict = Verdict { by, doubts, denied: verdict.denied };
    let why = "no rule lets answers pass, or one denies them".to_owned();
    Passed { passing: next, verdict, notes: Vec::new(), why }
}
