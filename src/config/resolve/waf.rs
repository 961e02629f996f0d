//! Checks of `[waf]`.

use crate::config::problem::{KeyPath, Problems};
use crate::config::section::{ManagedGroups, Waf, WafMode};
use crate::config::suggest;
use crate::config::value::{AnyCidr, Breadth, UrlPath};
use aws::waf::Group;

/// Rules that contradict one another, and ranges that WAF does not take.
pub(super) fn check(waf: &Waf, production: bool, problems: &mut Problems) {
    if !waf.geo_allow.is_empty() && !waf.geo_deny.is_empty() {
        problems
            .error(
                "waf.geo_deny",
                "countries are both allowed and denied by list",
                "one of `geo_allow` and `geo_deny`: what is not allowed is denied anyway",
            )
            .because_of(&["waf.geo_allow"]);
    }
    check_rules(&waf.count_rules, production, problems);
    check_ranges("waf.allow_ips", &waf.allow_ips, problems);
    check_passed(&waf.allow_ips, problems);
    check_ranges("waf.deny_ips", &waf.deny_ips, problems);
    check_paths(&KeyPath::from("waf.upload_paths"), waf.upload_paths(), problems);
    if production {
        check_modes(&waf.managed_groups, problems);
    }
}

/// A rule that no group has would go on refusing, since AWS ignores what it does not know; and what a rule that only counts
/// would refuse, nothing refuses.
fn check_rules(names: &[String], production: bool, problems: &mut Problems) {
    let known = || Group::ALL.iter().flat_map(|group| group.rules().iter().copied());
    for (at, name) in names.iter().enumerate() {
        let key = KeyPath::from("waf.count_rules").index(at);
        if !known().any(|known| known == name) {
            let help = match suggest::nearest(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "the name of a rule as AWS lists it for one of `managed_groups`".to_owned(),
            };
            problems.error(key, format!("no managed group here has a rule `{name}`"), help);
        } else if production && name != HOSTED {
            problems
                .warning(
                    key,
                    format!("`{name}` only counts: in production nothing is refused by it (PCI DSS 6.4.2)"),
                    "`upload_paths`, if it is about files that are uploaded; or nothing, once the calls that it would \
                     refuse are mended",
                )
                .because_of(&["production"]);
        }
    }
}

/// The rule that refuses every machine in a cloud, which says nothing of what calls an API.
const HOSTED: &str = "HostingProviderIPList";

/// A group that only counts refuses nothing, and PCI DSS 6.4.2 asks for a solution that prevents attacks.
fn check_modes(groups: &ManagedGroups, problems: &mut Problems) {
    let modes = [
        ("common", groups.common),
        ("known_bad_inputs", groups.known_bad_inputs),
        ("sql_injection", groups.sql_injection),
        ("ip_reputation", groups.ip_reputation),
        ("anonymous_ips", groups.anonymous_ips),
    ];
    for (key, _) in modes.into_iter().filter(|(_, mode)| *mode == WafMode::Count) {
        problems
            .warning(
                KeyPath::from("waf.managed_groups").key(key),
                "the group only counts: in production nothing is refused by it (PCI DSS 6.4.2)",
                "`block`, once two weeks of counting, the time that a roll-out is meant to take, have shown whom it would refuse",
            )
            .because_of(&["production"]);
    }
}

/// The longest text that WAF's string match takes, in bytes.
/// <https://docs.aws.amazon.com/waf/latest/APIReference/API_ByteMatchStatement.html>
const SEARCH_MAX: usize = 200;

/// A prefix that every path has would lift the limit on bodies everywhere.
pub(super) fn check_paths(key: &KeyPath, paths: &[UrlPath], problems: &mut Problems) {
    for (at, path) in paths.iter().enumerate() {
        if path.as_str() == "/" || path.as_str().len() > SEARCH_MAX {
            problems.error(
                key.clone().index(at),
                format!("{path} cannot be told from other paths by WAF"),
                format!("what the paths of uploads begin with, 2 to {SEARCH_MAX} characters"),
            );
        }
    }
}

/// What is allowed by its address passes every other rule; the ranges are looked at as one set.
fn check_passed(ranges: &[AnyCidr], problems: &mut Problems) {
    if ranges.iter().any(|range| range.is_everywhere()) {
        return;
    }
    if !Breadth::of(ranges.iter().map(|range| range.net())).within(Breadth::PASSED_MAX) {
        problems.error(
            "waf.allow_ips",
            "together these ranges let more of the internet pass unseen than partners and monitors can have (PCI DSS 6.4.2)",
            "their own ranges: in sum at most as much as a /16, and a /32 of IPv6",
        );
    }
}

/// WAF's address sets take every prefix but zero: <https://docs.aws.amazon.com/waf/latest/APIReference/API_IPSet.html>
fn check_ranges(key: &str, ranges: &[AnyCidr], problems: &mut Problems) {
    for (at, range) in ranges.iter().enumerate() {
        if range.is_everywhere() {
            problems.error(
                KeyPath::from(key).index(at),
                format!("WAF takes no list that holds every address ({range})"),
                "a prefix of at least 1",
            );
        }
    }
}
