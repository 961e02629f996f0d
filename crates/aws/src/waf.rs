//! Rules of a web ACL, typed: what a rule looks at, what it does, and how many capacity units it uses.
//!
//! Three things that the provider lets through and AWS then refuses, or worse, accepts silently, cannot be written
//! here: a managed group with `action` in place of `override_action`, two rules of one priority, and an override that
//! names a rule which its group does not have (AWS ignores it).
//!
//! <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rules.html>

use std::borrow::Cow;
use std::collections::BTreeMap;

use terraform::{Expr, NonEmpty, set};

use crate::kind::Wafv2IpSetArn;
use crate::wafv2_web_acl::{
    Action, Allow, AndStatement, AndStatementStatement as Second,
    AndStatementStatementAndStatement as SecondList, AndStatementStatementAndStatementStatement as Third,
    AndStatementStatementAndStatementStatementAndStatement as ThirdList,
    AndStatementStatementAndStatementStatementAndStatementStatement as Fourth, Block, ByteMatchStatement,
    ByteMatchStatementOptional, Count, CustomResponse, FieldToMatch, GeoMatchStatement,
    IpSetReferenceStatement, LabelMatchStatement, ManagedRuleGroupStatement,
    ManagedRuleGroupStatementOptional, OverrideAction, RateBasedStatement, RateBasedStatementOptional,
    Rule as RuleBlock, RuleActionOverride, RuleLabel, RuleOptional, Statement as First, TextTransformation,
    VisibilityConfig,
};

/// The rules of a web ACL.
///
/// A position is a rule's priority: rules are evaluated from the lowest up. Leave gaps between the positions, so that
/// a rule put between two others changes neither.
#[derive(Default)]
pub struct Rules(BTreeMap<u32, Rule>);

impl Rules {
    /// Puts a rule at a position, or at the next free one if that is taken: no two rules have one priority.
    pub fn put(&mut self, position: u32, rule: Rule) {
        let free = (position..).find(|priority| !self.0.contains_key(priority));
        self.0.insert(free.unwrap_or(position), rule);
    }

    /// The capacity units that the rules use. A web ACL has 1,500 in its price and at most 5,000.
    ///
    /// It is the sum of the rules' own, the most that AWS may count: it combines what rules have in common.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html>
    pub fn capacity(&self) -> u32 {
        self.0.values().map(|rule| rule.capacity).sum()
    }

    /// The nested blocks, in the order of evaluation.
    pub fn into_blocks(self) -> Vec<RuleBlock> {
        self.0.into_iter().map(|(priority, rule)| rule.into_block(priority)).collect()
    }
}

/// One rule, without its priority. Its metrics and sampled requests are always on.
pub struct Rule {
    name: Cow<'static, str>,
    capacity: u32,
    statement: First,
    action: Option<Action>,
    override_action: Option<OverrideAction>,
    label: Option<Cow<'static, str>>,
}

impl Rule {
    /// A rule that matches when every one of `tests` holds.
    ///
    /// `name` is unique within the web ACL, 1 to 128 letters, digits, hyphens and underscores; the metric bears it too.
    pub fn when(name: impl Into<Cow<'static, str>>, tests: NonEmpty<Test>, verdict: Verdict) -> Self {
        let (capacity, statement) = all(tests);
        let action = Some(verdict.into());
        Self { name: name.into(), capacity, statement, action, override_action: None, label: None }
    }

    /// The same rule, which leaves a label on what it matches for the rules after it: letters, digits, `_` and `-`.
    #[must_use]
    pub fn labelled(self, label: impl Into<Cow<'static, str>>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// A group of rules that AWS maintains.
    pub fn managed(name: impl Into<Cow<'static, str>>, managed: Managed) -> Self {
        let Managed { group, mode, overrides, version, scope } = managed;
        let (scope_capacity, scope_down_statement) = scope.map(all::<Second>).unzip();
        let statement = ManagedRuleGroupStatement {
            name: set(group.name()),
            vendor_name: set("AWS"),
            optional: ManagedRuleGroupStatementOptional {
                rule_action_override: overrides,
                version: version.map(Expr::new),
                scope_down_statement: scope_down_statement.map(Box::new),
                ..Default::default()
            },
        };
        Self {
            name: name.into(),
            capacity: group.capacity() + scope_capacity.unwrap_or(0),
            statement: First { managed_rule_group_statement: set(statement), ..Default::default() },
            action: None,
            override_action: Some(match mode {
                GroupMode::Act => OverrideAction { none: set(Count {}), ..Default::default() },
                GroupMode::Count => OverrideAction { count: set(Count {}), ..Default::default() },
            }),
            label: None,
        }
    }

    /// A limit on the requests of each address.
    pub fn rate_limit(name: impl Into<Cow<'static, str>>, limit: RateLimit, verdict: Verdict) -> Self {
        let (scope_capacity, scope_down_statement) = limit.scope.map(all::<Second>).unzip();
        let statement = RateBasedStatement {
            limit: set(limit.requests),
            optional: RateBasedStatementOptional {
                aggregate_key_type: set("IP"),
                evaluation_window_sec: set(limit.window.seconds()),
                scope_down_statement: scope_down_statement.map(Box::new),
                ..Default::default()
            },
        };
        Self {
            name: name.into(),
            capacity: RATE_LIMIT_CAPACITY + scope_capacity.unwrap_or(0),
            statement: First { rate_based_statement: set(statement), ..Default::default() },
            action: Some(verdict.into()),
            override_action: None,
            label: None,
        }
    }

    /// The capacity units that this rule uses.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    fn into_block(self, priority: u32) -> RuleBlock {
        RuleBlock {
            visibility_config: visible(self.name.clone()),
            name: set(self.name),
            priority: set(priority),
            statement: self.statement,
            optional: RuleOptional {
                action: self.action,
                override_action: self.override_action,
                rule_label: self.label.into_iter().map(|name| RuleLabel { name: set(name) }).collect(),
                ..Default::default()
            },
        }
    }
}

/// Metrics and sampled requests on: for the web ACL itself as for each of its rules.
pub fn visible(metric_name: impl Into<Cow<'static, str>>) -> VisibilityConfig {
    VisibilityConfig {
        cloudwatch_metrics_enabled: set(true),
        metric_name: set(metric_name.into()),
        sampled_requests_enabled: set(true),
    }
}

/// What a rule does with a request that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Lets it pass; no later rule looks at it.
    Allow,
    /// Refuses it with status 403.
    Block,
    /// Refuses it with another status, 200 or 400 to 599.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-status-codes.html>
    BlockWith(u16),
    /// Counts it and goes on to the next rule.
    Count,
}

impl From<Verdict> for Action {
    fn from(verdict: Verdict) -> Self {
        let block = |custom_response| Self { block: set(Block { custom_response }), ..Default::default() };
        match verdict {
            Verdict::Allow => Self { allow: set(Allow::default()), ..Default::default() },
            Verdict::Block => block(None),
            Verdict::BlockWith(status) => {
                block(Some(CustomResponse { response_code: set(status), optional: Default::default() }))
            }
            Verdict::Count => Self { count: set(Allow::default()), ..Default::default() },
        }
    }
}

/// A managed group as a rule uses it.
pub struct Managed {
    group: Group,
    mode: GroupMode,
    overrides: Vec<RuleActionOverride>,
    version: Option<String>,
    scope: Option<NonEmpty<Test>>,
}

impl Managed {
    /// A group with the actions that AWS gives its rules, or with all of them counting.
    pub fn new(group: Group, mode: GroupMode) -> Self {
        Self { group, mode, overrides: Vec::new(), version: None, scope: None }
    }

    /// Some of its rules only count. A name that the group does not have is left out: AWS would ignore it.
    #[must_use]
    pub fn counting(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        let group = self.group;
        let known = names.into_iter().filter(|name| group.rules().contains(name));
        let count = |name| RuleActionOverride { action_to_use: Verdict::Count.into(), name: set(name) };
        self.overrides.extend(known.map(count));
        self
    }

    /// A version of the group that AWS does not change any more, such as `Version_1.20`; none, and it is the current one.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-managed-rule-groups-versioning.html>
    #[must_use]
    pub fn at(mut self, version: Option<String>) -> Self {
        self.version = version;
        self
    }

    /// Looks only at requests for which every one of `tests` holds.
    #[must_use]
    pub fn only(mut self, tests: NonEmpty<Test>) -> Self {
        self.scope = Some(tests);
        self
    }
}

/// Whether the rules of a managed group act, or only count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupMode {
    /// Each rule takes its own action.
    Act,
    /// Every rule counts, to see what the group would refuse.
    Count,
}

/// A group of rules that AWS maintains, in its default version, which AWS keeps current, unless another is named.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What OWASP's lists have in common: scripts, inclusions, oversized parts.
    Common,
    /// Requests known to be malicious, such as those for Log4j's lookups.
    KnownBadInputs,
    /// SQL injection.
    SqlInjection,
    /// Addresses that Amazon's threat intelligence knows as bots or attackers.
    IpReputation,
    /// VPNs, proxies, Tor and hosting providers.
    AnonymousIps,
}

impl Group {
    /// The group's name at AWS.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Common => "AWSManagedRulesCommonRuleSet",
            Self::KnownBadInputs => "AWSManagedRulesKnownBadInputsRuleSet",
            Self::SqlInjection => "AWSManagedRulesSQLiRuleSet",
            Self::IpReputation => "AWSManagedRulesAmazonIpReputationList",
            Self::AnonymousIps => "AWSManagedRulesAnonymousIpList",
        }
    }

    /// The group's capacity units, fixed by AWS whatever is overridden.
    pub const fn capacity(self) -> u32 {
        match self {
            Self::Common => 700,
            Self::KnownBadInputs | Self::SqlInjection => 200,
            Self::IpReputation => 25,
            Self::AnonymousIps => 50,
        }
    }
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 5] =
        [Self::Common, Self::KnownBadInputs, Self::SqlInjection, Self::IpReputation, Self::AnonymousIps];

    /// The names of the group's rules, as AWS lists them for the current version on 30 November 2026.
    /// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html>
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::Common => &[
                "NoUserAgent_HEADER",
                "UserAgent_BadBots_HEADER",
                "SizeRestrictions_QUERYSTRING",
                "SizeRestrictions_Cookie_HEADER",
                "SizeRestrictions_BODY",
                "SizeRestrictions_URIPATH",
                "EC2MetaDataSSRF_BODY",
                "EC2MetaDataSSRF_COOKIE",
                "EC2MetaDataSSRF_URIPATH",
                "EC2MetaDataSSRF_QUERYARGUMENTS",
                "GenericLFI_QUERYARGUMENTS",
                "GenericLFI_URIPATH",
                "GenericLFI_BODY",
                "RestrictedExtensions_URIPATH",
                "RestrictedExtensions_QUERYARGUMENTS",
                "GenericRFI_QUERYARGUMENTS",
                "GenericRFI_BODY",
                "GenericRFI_URIPATH",
                "CrossSiteScripting_COOKIE",
                "CrossSiteScripting_QUERYARGUMENTS",
                "CrossSiteScripting_BODY",
                "CrossSiteScripting_URIPATH",
            ],
            Self::KnownBadInputs => &[
                "JavaDeserializationRCE_HEADER",
                "JavaDeserializationRCE_BODY",
                "JavaDeserializationRCE_URIPATH",
                "JavaDeserializationRCE_QUERYSTRING",
                "Host_localhost_HEADER",
                "PROPFIND_METHOD",
                "ExploitablePaths_URIPATH",
                "Log4JRCE_HEADER",
                "Log4JRCE_QUERYSTRING",
                "Log4JRCE_BODY",
                "Log4JRCE_URIPATH",
                "ReactJSRCE_BODY",
            ],
            Self::SqlInjection => &[
                "SQLi_QUERYARGUMENTS",
                "SQLiExtendedPatterns_QUERYARGUMENTS",
                "SQLi_BODY",
                "SQLiExtendedPatterns_BODY",
                "SQLi_COOKIE",
                "SQLi_URIPATH",
            ],
            Self::IpReputation => {
                &["AWSManagedIPReputationList", "AWSManagedReconnaissanceList", "AWSManagedIPDDoSList"]
            }
            Self::AnonymousIps => &["AnonymousIPList", "HostingProviderIPList"],
        }
    }
}

/// A rule of a managed group that looks at bodies. It leaves a label on a request that it matches, even when it only counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyRule {
    /// The group that it belongs to.
    pub group: Group,
    /// Its name at AWS.
    pub name: &'static str,
    /// The label that it leaves; spelled otherwise than the name.
    pub label: &'static str,
}

macro_rules! body_rules {
    ($($(#[$doc:meta])* $rule:ident = $group:ident, $name:literal, $label:literal;)*) => {
        impl BodyRule {
            $(
                $(#[$doc])*
                pub const $rule: Self = Self { group: Group::$group, name: $name, label: concat!("awswaf:managed:aws:", $label) };
            )*
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$rule),*];
        }
    };
}
body_rules! {
    /// Bodies over 8 KiB (8,192 bytes), which is as much of a body as WAF sees behind a load balancer.
    SIZE = Common, "SizeRestrictions_BODY", "core-rule-set:SizeRestrictions_Body";
    /// Bodies with what could be a script; the prologue of an XML document can be taken for one.
    SCRIPT = Common, "CrossSiteScripting_BODY", "core-rule-set:CrossSiteScripting_Body";
    /// Bodies that ask for the metadata of an instance.
    METADATA = Common, "EC2MetaDataSSRF_BODY", "core-rule-set:EC2MetaDataSSRF_Body";
    /// Bodies with paths such as `../../`.
    LOCAL_FILE = Common, "GenericLFI_BODY", "core-rule-set:GenericLFI_Body";
    /// Bodies with addresses of files elsewhere.
    REMOTE_FILE = Common, "GenericRFI_BODY", "core-rule-set:GenericRFI_Body";
    /// Bodies with serialized objects of Java.
    JAVA = KnownBadInputs, "JavaDeserializationRCE_BODY", "known-bad-inputs:JavaDeserializationRCE_Body";
    /// Bodies with what Log4j would look up.
    LOG4J = KnownBadInputs, "Log4JRCE_BODY", "known-bad-inputs:Log4JRCE_Body";
    /// Bodies that make React's server components run code.
    REACT = KnownBadInputs, "ReactJSRCE_BODY", "known-bad-inputs:ReactJSRCE_Body";
    /// Bodies with what could be SQL.
    SQL = SqlInjection, "SQLi_BODY", "sql-database:SQLi_Body";
    /// Bodies with more that could be SQL.
    SQL_EXTENDED = SqlInjection, "SQLiExtendedPatterns_BODY", "sql-database:SQLiExtendedPatterns_Body";
}

/// A rate-based rule's own capacity units, without its scope.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html>
const RATE_LIMIT_CAPACITY: u32 = 2;

/// A limit on the requests of each address.
pub struct RateLimit {
    /// The most requests in the window, 10 to 2,000,000,000.
    pub requests: u32,
    /// Over how long the requests are counted.
    pub window: Window,
    /// Only requests for which all of these hold are counted and refused; every request if none.
    pub scope: Option<NonEmpty<Test>>,
}

/// Over how long a rate-based rule counts requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// One minute.
    OneMinute,
    /// Two minutes.
    TwoMinutes,
    /// Five minutes.
    FiveMinutes,
    /// Ten minutes.
    TenMinutes,
}

impl Window {
    const fn seconds(self) -> u32 {
        match self {
            Self::OneMinute => 60,
            Self::TwoMinutes => 120,
            Self::FiveMinutes => 300,
            Self::TenMinutes => 600,
        }
    }
}

/// Something that holds for a request or does not.
pub struct Test {
    /// One of them has to hold; there is always one.
    probes: Vec<Probe>,
    negated: bool,
}

/// What a test looks at.
enum Probe {
    Country(Vec<Cow<'static, str>>),
    AddressSet(Expr<Wafv2IpSetArn>),
    Label(Cow<'static, str>),
    Host(Cow<'static, str>),
    PathStart(Cow<'static, str>),
}

impl Test {
    /// The address belongs to one of these countries, given by ISO 3166-1 alpha-2. Sorted here, each once.
    pub fn from_countries(codes: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        let mut codes: Vec<Cow<'static, str>> = codes.into_iter().map(Into::into).collect();
        codes.sort();
        codes.dedup();
        Probe::Country(codes).into()
    }

    /// The address lies in an address set.
    pub fn from_addresses(set: Expr<Wafv2IpSetArn>) -> Self {
        Probe::AddressSet(set).into()
    }

    /// An earlier rule left this label on the request: by its whole name, or by its own if this web ACL's rule did.
    pub fn has_label(label: impl Into<Cow<'static, str>>) -> Self {
        Probe::Label(label.into()).into()
    }

    /// Earlier rules left one of these labels on the request.
    pub fn has_any_label(labels: NonEmpty<impl Into<Cow<'static, str>>>) -> Self {
        Self::any(labels.into_iter().map(|label| Probe::Label(label.into())))
    }

    /// The request is for one of these hosts, in lower case here and in any case there. One that names the port as well
    /// is none of them.
    pub fn host_is(hosts: NonEmpty<impl Into<Cow<'static, str>>>) -> Self {
        Self::any(hosts.into_iter().map(|host| Probe::Host(host.into())))
    }

    /// The path begins in one of these ways, byte by byte: nothing is decoded or normalized before it is compared.
    pub fn path_starts_with(prefixes: NonEmpty<impl Into<Cow<'static, str>>>) -> Self {
        Self::any(prefixes.into_iter().map(|prefix| Probe::PathStart(prefix.into())))
    }

    /// Holds exactly when this one does not.
    #[must_use]
    pub fn negate(self) -> Self {
        Self { negated: !self.negated, ..self }
    }

    fn any(probes: impl IntoIterator<Item = Probe>) -> Self {
        Self { probes: probes.into_iter().collect(), negated: false }
    }

    /// What has to hold for it, all of it: that none of several holds is that each does not.
    fn parts(self) -> Vec<Part> {
        match self.negated {
            false => vec![Part::AnyOf(self.probes)],
            true => self.probes.into_iter().map(Part::Not).collect(),
        }
    }
}

impl Probe {
    /// The capacity units: <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements-list.html>.
    /// Neither a negation nor a choice uses any of its own.
    const fn capacity(&self) -> u32 {
        match self {
            Self::Country(_) | Self::AddressSet(_) | Self::Label(_) => 1,
            Self::Host(_) => STRING_MATCH_CAPACITY + TRANSFORMATION_CAPACITY,
            Self::PathStart(_) => STRING_MATCH_CAPACITY,
        }
    }
}

/// The capacity units of a comparison with a whole text or its start, and of a transformation before it.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-string-match.html>
const STRING_MATCH_CAPACITY: u32 = 2;
const TRANSFORMATION_CAPACITY: u32 = 10;

impl From<Probe> for Test {
    fn from(probe: Probe) -> Self {
        Self::any([probe])
    }
}

/// A part of what a rule asks for.
enum Part {
    AnyOf(Vec<Probe>),
    Not(Probe),
}

/// The statement that holds when all tests do, and its capacity units. A negated test and a choice stand one level deeper
/// than a plain one, and several tests one level deeper than a single one, so three levels below the outermost are enough.
fn all<L: Outer>(tests: NonEmpty<Test>) -> (u32, L)
where
    L::Inner: Outer,
{
    let tests: Vec<Test> = tests.into_iter().collect();
    let capacity = tests.iter().flat_map(|test| test.probes.iter()).map(Probe::capacity).sum();
    let parts: Vec<Part> = tests.into_iter().flat_map(Test::parts).collect();
    let statement = match <[Part; 1]>::try_from(parts) {
        Ok([part]) => one(part),
        Err(parts) => L::all(parts.into_iter().map(one).collect()),
    };
    (capacity, statement)
}

fn one<L: Outer>(part: Part) -> L {
    match part {
        Part::Not(probe) => L::not(L::Inner::plain(probe)),
        Part::AnyOf(probes) => match <[Probe; 1]>::try_from(probes) {
            Ok([probe]) => L::plain(probe),
            Err(probes) => L::any(probes.into_iter().map(L::Inner::plain).collect()),
        },
    }
}

/// A level of nested statements: the provider has a type of its own for each.
trait Level: Sized {
    /// The statement of a single test.
    fn plain(probe: Probe) -> Self;
}

/// A level that is not the innermost.
trait Outer: Level {
    /// The next level.
    type Inner: Level;
    fn not(inner: Self::Inner) -> Self;
    fn all(inner: Vec<Self::Inner>) -> Self;
    fn any(inner: Vec<Self::Inner>) -> Self;
}

macro_rules! level {
    ($level:ident) => {
        impl Level for $level {
            fn plain(probe: Probe) -> Self {
                let mut statement = Self::default();
                match probe {
                    Probe::Country(codes) => statement.geo_match_statement = set(country(codes)),
                    Probe::AddressSet(arn) => statement.ip_set_reference_statement = set(address_set(arn)),
                    Probe::Label(key) => statement.label_match_statement = set(label(key)),
                    Probe::Host(name) => statement.byte_match_statement = set(host(name)),
                    Probe::PathStart(prefix) => statement.byte_match_statement = set(path_start(prefix)),
                }
                statement
            }
        }
    };
    ($level:ident, $list:ident of $inner:ident) => {
        level!($level);
        impl Outer for $level {
            type Inner = $inner;
            fn not(inner: $inner) -> Self {
                let not_statement = Some($list { statement: NonEmpty::one(inner) });
                Self { not_statement, ..Default::default() }
            }
            fn all(inner: Vec<$inner>) -> Self {
                let and_statement = NonEmpty::from_vec(inner).map(|statement| $list { statement });
                Self { and_statement, ..Default::default() }
            }
            fn any(inner: Vec<$inner>) -> Self {
                let or_statement = NonEmpty::from_vec(inner).map(|statement| $list { statement });
                Self { or_statement, ..Default::default() }
            }
        }
    };
}
level!(First, AndStatement of Second);
level!(Second, SecondList of Third);
level!(Third, ThirdList of Fourth);
level!(Fourth);

fn country(codes: Vec<Cow<'static, str>>) -> GeoMatchStatement {
    GeoMatchStatement { country_codes: set(codes), optional: Default::default() }
}

fn address_set(arn: Expr<Wafv2IpSetArn>) -> IpSetReferenceStatement {
    IpSetReferenceStatement { arn, optional: Default::default() }
}

fn label(key: Cow<'static, str>) -> LabelMatchStatement {
    LabelMatchStatement { key: set(key), scope: set("LABEL") }
}

fn host(name: Cow<'static, str>) -> ByteMatchStatement {
    let single_header = set(RuleLabel { name: set("host") });
    string_match("EXACTLY", name, "LOWERCASE", FieldToMatch { single_header, ..Default::default() })
}

fn path_start(prefix: Cow<'static, str>) -> ByteMatchStatement {
    string_match(
        "STARTS_WITH",
        prefix,
        "NONE",
        FieldToMatch { uri_path: set(Count {}), ..Default::default() },
    )
}

fn string_match(
    constraint: &'static str,
    text: Cow<'static, str>,
    transformation: &'static str,
    field: FieldToMatch,
) -> ByteMatchStatement {
    ByteMatchStatement {
        positional_constraint: set(constraint),
        search_string: set(text),
        text_transformation: NonEmpty::one(TextTransformation {
            priority: set(0),
            r#type: set(transformation),
        }),
        optional: ByteMatchStatementOptional { field_to_match: set(field) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terraform::{Block as _, Body};

    fn written(rule: Rule) -> String {
        let mut body = Body::default();
        rule.into_block(10).write(&mut body);
        format!("{body:?}")
    }

    fn group(group: Group) -> Rule {
        Rule::managed("group", Managed::new(group, GroupMode::Act))
    }

    #[test]
    fn capacity_units_add_up() {
        let uploads = || Test::path_starts_with(NonEmpty::one("/v1/statements"));
        let hosts = || Test::host_is(NonEmpty::new("a.example", ["b.example"]));
        let large =
            NonEmpty::new(Test::has_label(BodyRule::SIZE.label), [uploads().negate(), uploads().negate()]);
        let limit = |scope| RateLimit { requests: 100, window: Window::OneMinute, scope };
        let rate = |scope| Rule::rate_limit("rate", limit(scope), Verdict::Block);
        let scoped = Managed::new(Group::AnonymousIps, GroupMode::Act).only(NonEmpty::one(uploads()));
        let rules = [
            (Rule::when("large", large, Verdict::Block), 5),
            (Rule::when("host", NonEmpty::new(hosts(), [uploads()]), Verdict::Count).labelled("upload"), 26),
            (Rule::when("geo", NonEmpty::one(Test::from_countries(["DE"])), Verdict::Block), 1),
            (rate(None), 2),
            (rate(Some(NonEmpty::one(uploads()))), 4),
            (group(Group::Common), 700),
            (group(Group::KnownBadInputs), 200),
            (group(Group::SqlInjection), 200),
            (group(Group::IpReputation), 25),
            (Rule::managed("scoped", scoped), 52),
        ];
        let mut all = Rules::default();
        for (rule, expected) in rules {
            assert_eq!(rule.capacity(), expected, "{}", rule.name);
            all.put(10, rule);
        }
        assert_eq!(all.capacity(), 1215);
    }

    #[test]
    fn no_two_rules_have_one_priority() {
        let mut rules = Rules::default();
        for position in [20, 10, 10, 11] {
            rules.put(position, group(Group::Common));
        }
        assert_eq!(rules.0.into_keys().collect::<Vec<_>>(), [10, 11, 12, 20]);
    }

    #[test]
    fn a_group_never_has_an_action_of_its_own() {
        let counting = Managed::new(Group::Common, GroupMode::Count).counting([BodyRule::SCRIPT.name]);
        for rule in [group(Group::Common), Rule::managed("counting", counting)] {
            assert!(rule.action.is_none());
            assert!(rule.override_action.is_some());
        }
    }

    #[test]
    fn rules_on_bodies_belong_to_their_group_and_none_is_missing() {
        let bodies = |group: Group| group.rules().iter().filter(|name| name.ends_with("_BODY"));
        assert!(BodyRule::ALL.iter().all(|rule| rule.group.rules().contains(&rule.name)));
        assert_eq!(Group::ALL.into_iter().flat_map(bodies).count(), BodyRule::ALL.len());
    }

    #[test]
    fn a_negation_stands_one_level_deeper() {
        let plain = written(Rule::when("x", NonEmpty::one(Test::from_countries(["DE"])), Verdict::Block));
        let negated =
            written(Rule::when("x", NonEmpty::one(Test::from_countries(["DE"]).negate()), Verdict::Block));
        let twice = Test::from_countries(["DE"]).negate().negate();
        assert!(!plain.contains("not_statement"), "{plain}");
        assert!(negated.contains("not_statement"), "{negated}");
        assert_eq!(plain, written(Rule::when("x", NonEmpty::one(twice), Verdict::Block)));
    }

    #[test]
    fn none_of_several_is_each_one_not() {
        let hosts = || Test::host_is(NonEmpty::new("a.example", ["b.example"]));
        let choice = written(Rule::when("x", NonEmpty::one(hosts()), Verdict::Block));
        assert!(choice.contains("or_statement") && !choice.contains("and_statement"), "{choice}");
        let none = written(Rule::when("x", NonEmpty::one(hosts().negate()), Verdict::Block));
        assert!(none.contains("and_statement") && !none.contains("or_statement"), "{none}");
        assert_eq!(none.matches("not_statement").count(), 2, "{none}");
    }

    #[test]
    fn a_rule_stays_small() {
        // Kept inline, the provider's nested statements come to 178 KB, more than a thread's stack can hold.
        assert!(size_of::<Rule>() < 8192, "{} bytes", size_of::<Rule>());
    }
}
