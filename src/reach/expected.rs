//! What is expected to be reached: lines of a file that is checked in, and what a network has opened or closed since.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::filter::PORTS;
use super::matrix::{self, Matrix};
use crate::traffic::{Cuboid, PORT_MAX, Range, Set, Span, protocol};

/// Something that is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Who asks.
    pub from: String,
    /// Who is asked.
    pub to: String,
    /// Whether it is so; it may be so otherwise.
    pub sure: bool,
    /// The load balancer that passes it on, and at which port; or the firewall's rules that let names pass, and which names.
    /// Empty without either.
    pub by: String,
    /// Whether it is of IPv6.
    pub v6: bool,
    /// The protocols.
    pub protocol: Span,
    /// The ports; of ICMP, types and codes.
    pub ports: Span,
    /// The addresses of the side that is outside, if they are not all that it has.
    pub outside: Option<Range>,
    /// Whether the side that asks is outside.
    pub from_outside: bool,
    /// The name that may be looked up, instead of all that.
    pub name: String,
}

const EVERY: Span = Span::new(0, u8::MAX as u128);

/// A protocol and its ports.
pub(super) fn words(of: Span, ports: Span) -> String {
    if of.from != of.to {
        let protocols = if of == EVERY {
            "every protocol".to_owned()
        } else {
            format!("protocols {}-{}", of.from, of.to)
        };
        return if matrix::is_every_port(ports) {
            protocols
        } else {
            format!("{protocols} {}-{}", ports.from, ports.to)
        };
    }
    let number = u8::try_from(of.from).unwrap_or_default();
    let name = protocol::name(number);
    if matrix::is_every_port(ports) {
        return name;
    }
    let icmp = [protocol::ICMP, protocol::ICMPV6].contains(&number);
    let text =
        |number: u128| if icmp { format!("{}/{}", number / 256, number % 256) } else { number.to_string() };
    if ports.from == ports.to {
        format!("{name} {}", text(ports.from))
    } else {
        format!("{name} {}-{}", text(ports.from), text(ports.to))
    }
}

impl Line {
    pub(super) fn name(from: &str, name: &str) -> Self {
        let (from, name) = (from.to_owned(), name.to_owned());
        let (to, by) = ("dns".to_owned(), String::new());
        let (sure, v6, outside, from_outside) = (true, false, None, false);
        Self { from, to, sure, by, v6, protocol: EVERY, ports: PORTS, outside, from_outside, name }
    }

    /// What is reached, without who reaches what.
    #[must_use]
    pub fn what(&self) -> String {
        let perhaps = if self.sure { "" } else { "perhaps " };
        if !self.name.is_empty() {
            return format!("{perhaps}name {}", self.name);
        }
        let over = if self.v6 { " over IPv6" } else { "" };
        let by = if self.by.is_empty() { String::new() } else { format!(" by {}", self.by) };
        format!("{perhaps}{}{over}{by}", words(self.protocol, self.ports))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = self.outside.map(|range| format!(" {range}")).unwrap_or_default();
        let (from, to) = if self.from_outside { (range.as_str(), "") } else { ("", range.as_str()) };
        write!(f, "{}{from} -> {}{to}: {}", self.from, self.to, self.what())
    }
}

impl FromStr for Line {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        read(text).ok_or_else(|| format!("`{text}` is no line of such a file"))
    }
}

fn read(text: &str) -> Option<Line> {
    let (from, rest) = text.split_once(" -> ")?;
    // Addresses of IPv6 hold colons too, but none before a space.
    let (to, what) = rest.split_once(": ")?;
    let side = |text: &str| match text.split_once(' ') {
        Some((name, range)) => Some((name.to_owned(), Some(Range::parse(range)?))),
        None => Some((text.to_owned(), None)),
    };
    let ((from, from_range), (to, to_range)) = (side(from)?, side(to)?);
    let (sure, what) = what.strip_prefix("perhaps ").map_or((true, what), |what| (false, what));
    let mut line = Line { sure, ..Line::name(&from, "") };
    line.to = to;
    if let Some(name) = what.strip_prefix("name ") {
        line.name = name.to_owned();
        return Some(line);
    }
    let (what, by) = what.split_once(" by ").map_or((what, ""), |(what, by)| (what, by));
    let (what, v6) = what.strip_suffix(" over IPv6").map_or((what, false), |what| (what, true));
    (line.protocol, line.ports) = read_words(what)?;
    line.by = by.to_owned();
    line.v6 = v6;
    line.from_outside = from_range.is_some();
    line.outside = from_range.or(to_range);
    Some(line)
}

fn read_words(text: &str) -> Option<(Span, Span)> {
    let pair = |text: &str| {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| match text.split_once('/') {
            Some((kind, code)) => {
                Some(kind.parse::<u8>().ok().map(u128::from)? * 256 + u128::from(code.parse::<u8>().ok()?))
            }
            None => text.parse::<u32>().ok().filter(|port| *port <= PORT_MAX).map(u128::from),
        };
        let (from, to) = (number(from)?, number(to)?);
        (from <= to).then_some(Span::new(from, to))
    };
    if let Some(rest) = text.strip_prefix("every protocol") {
        return Some((EVERY, if rest.is_empty() { PORTS } else { pair(rest.trim())? }));
    }
    if let Some(rest) = text.strip_prefix("protocols ") {
        let (protocols, ports) = rest.split_once(' ').map_or((rest, None), |(of, ports)| (of, Some(ports)));
        return Some((pair(protocols)?, ports.map_or(Some(PORTS), pair)?));
    }
    let (name, ports) = text.split_once(' ').map_or((text, None), |(name, ports)| (name, Some(ports)));
    Some((Span::one(protocol::number(name)?.into()), ports.map_or(Some(PORTS), pair)?))
}

/// The file: what is reached, a line each, in order.
#[must_use]
pub fn write(matrix: &Matrix, environment: &str) -> String {
    let mut text = format!(
        "# Who reaches what in the network of {environment}: every way that packets have, and nothing else.\n\
         # Written by `txnr reach --env {environment} --write`. Do not edit; a change of it is for a reviewer to see.\n"
    );
    let mut from = "";
    for pair in matrix.pairs.iter().filter(|pair| !pair.lines.is_empty()) {
        if pair.from != from {
            from = &pair.from;
            text.push('\n');
        }
        for line in &pair.lines {
            text.push_str(&format!("{line}\n"));
        }
    }
    for address in &matrix.unread {
        text.push_str(&format!("\n# Not looked at: {address}\n"));
    }
    text
}

/// Something that differs from what is expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Whether it has opened; it has closed otherwise.
    pub opened: bool,
    /// What.
    pub line: Line,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", if self.opened { "opened" } else { "closed" }, self.line)
    }
}

/// What has opened and closed since a file was written, as sets: a line that is split, or written in another order, is no
/// change.
///
/// # Errors
/// With the lines that are not of such a file, and their numbers.
pub fn changes(expected: &str, matrix: &Matrix) -> Result<Vec<Change>, Vec<String>> {
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (number, text) in (1..).zip(expected.lines()) {
        if text.trim().is_empty() || text.starts_with('#') {
            continue;
        }
        match text.parse::<Line>() {
            Ok(line) => lines.push(line),
            Err(what) => wrong.push(format!("line {number}: {what}")),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let now: Vec<Line> = matrix.pairs.iter().flat_map(|pair| pair.lines.clone()).collect();
    let (before, now) = (sets(&lines), sets(&now));
    let mut all = beyond(&now, &before, true);
    all.extend(beyond(&before, &now, false));
    Ok(all)
}

/// Lines that differ in addresses, protocol and ports alone, as one set.
type Sets = BTreeMap<Line, Set<3>>;

fn sets(lines: &[Line]) -> Sets {
    let mut all = Sets::new();
    for line in lines {
        let span = line.outside.map_or(Range::whole(line.v6).span, |range| range.span);
        let key = Line { outside: None, from_outside: false, protocol: EVERY, ports: PORTS, ..line.clone() };
        let set = Set::of([Cuboid([span, line.protocol, line.ports])]);
        let known = all.entry(key).or_insert_with(Set::none);
        *known = known.or(&set);
    }
    all
}

fn beyond(these: &Sets, others: &Sets, opened: bool) -> Vec<Change> {
    let mut all = BTreeSet::new();
    for (key, set) in these {
        let left = others.get(key).map_or_else(|| set.clone(), |other| set.minus(other));
        for Cuboid([span, protocol, ports]) in left.cuboids() {
            let range = Range { v6: key.v6, span: *span };
            let outside = Some(range).filter(|range| *range != Range::whole(key.v6));
            let from_outside = outside.is_some() && !key.from.starts_with("aws_");
            let line = Line { outside, from_outside, protocol: *protocol, ports: *ports, ..key.clone() };
            all.insert(Change { opened, line });
        }
    }
    all.into_iter().collect()
}
