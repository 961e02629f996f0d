//! A synthesized platform as Terraform reads it, and what controls ask of it.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde_json::Value;
use terraform::Root;
use terraform::query::View;

use crate::config::{Breadth, EnvConfig};

/// The resources of one environment by address, with every document in its place. Providers stand among them as
/// `provider.aws0`, and where Terraform keeps the state as `backend.s3`.
#[derive(Clone, Debug, Default)]
pub struct Platform {
    /// The resources, by address.
    pub resources: BTreeMap<String, Value>,
    /// What the environment rests on and does not make, by the keys of its file.
    pub elsewhere: BTreeSet<String>,
    /// The other environments.
    pub siblings: Vec<Platform>,
    /// The repositories whose workflows are trusted, as GitHub's subjects begin: `acme/payments`.
    pub repositories: BTreeSet<String>,
}

impl Platform {
    /// What a module of an environment renders to, with what only its file tells: whose workflows are trusted.
    #[must_use]
    pub fn of_environment(config: &EnvConfig, root: &Root) -> Self {
        let repositories = config.github.iter().map(|github| github.subject.clone()).collect();
        let mut platform = Self { repositories, ..Self::of(root) };
        // Without the account's baseline everything of it is shown by whoever owns it.
        if !config.account.baseline && config.account.baseline_owner.is_some() {
            platform.elsewhere.insert("account.baseline".to_owned());
        }
        platform
    }

    /// What a module renders to.
    #[must_use]
    pub fn of(root: &Root) -> Self {
        let view = View::of_root(root);
        let mut platform = Self::default();
        let reasons = view.outputs.get("elsewhere").and_then(|output| output["value"].as_object());
        platform.elsewhere.extend(reasons.into_iter().flatten().map(|(key, _)| key.clone()));
        for (address, found) in view.managed() {
            let mut body = found.body.clone();
            if let Value::Object(body) = &mut body {
                body.extend(found.meta.clone());
            }
            platform.resources.insert(address.to_owned(), body);
        }
        for (index, provider) in view.providers.values().enumerate() {
            platform.resources.insert(format!("provider.aws{index}"), provider.clone());
        }
        if let Some((kind, backend)) = view.backend {
            platform.resources.insert(format!("backend.{kind}"), backend);
        }
        platform
    }

    /// What of a type is elsewhere, and so is shown by nobody here: one that is made does not speak for one that is not.
    fn unseen(&self, kind: &str) -> BTreeSet<String> {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| kind.starts_with(beginning));
        let is_of = |key: &str| match key
            .rsplit_once('.')
            .map_or((key, ""), |(section, part)| (section, part))
        {
            ("network", "vpc") => {
                begins(&[
                    "aws_vpc",
                    "aws_subnet",
                    "aws_route",
                    "aws_nat_gateway",
                    "aws_eip",
                    "aws_internet_gateway",
                    "aws_default_",
                ]) && !begins(&["aws_vpc_", "aws_route53"])
            }
            ("network", "flow_logs") => {
                matches!(
                    kind,
                    "aws_flow_log" | "aws_cloudwatch_log_group" | "aws_kinesis_firehose_delivery_stream"
                )
            }
            ("network", "network_acls") => begins(&["aws_network_acl", "aws_default_network_acl"]),
            ("network", "interface_endpoints" | "gateway_endpoints") => kind == "aws_vpc_endpoint",
            ("kms.keys", _) => begins(&["aws_kms_key", "aws_kms_alias"]),
            ("certificate", _) => begins(&["aws_acm_"]),
            ("storage", _) => begins(&["aws_s3_bucket"]),
            ("account", "trail") => {
                matches!(
                    kind,
                    "aws_cloudtrail" | "aws_cloudwatch_log_group" | "aws_kinesis_firehose_delivery_stream"
                )
            }
            ("account", "recorder") => begins(&["aws_config_"]),
            ("account", "guardduty") => begins(&["aws_guardduty_"]),
            ("account", "security_hub") => begins(&["aws_securityhub_"]),
            ("account", "inspector") => begins(&["aws_inspector2_"]),
            ("account", "access_analyzer") => begins(&["aws_accessanalyzer_"]),
            ("account", "password_policy") => kind == "aws_iam_account_password_policy",
            ("account", "baseline") => {
                begins(&[
                    "aws_cloudtrail",
                    "aws_config_",
                    "aws_guardduty_",
                    "aws_securityhub_",
                    "aws_inspector2_",
                    "aws_accessanalyzer_",
                    "aws_s3_account_",
                    "aws_ebs_",
                    "aws_ec2_",
                    "aws_ecr_registry_",
                    "aws_cloudwatch_log_metric_filter",
                    "aws_cloudwatch_event_rule",
                    "aws_iam_role_policy_attachment",
                ]) || kind == "aws_iam_account_password_policy"
            }
            ("account", "support_role") => false,
            ("account", "defaults") => {
                begins(&["aws_s3_account_", "aws_ebs_", "aws_ec2_"])
                    || kind == "aws_vpc_block_public_access_options"
            }
            // A key that nobody taught this list stands for anything.
            _ => true,
        };
        let of_the_kind = self.elsewhere.iter().filter(|key| is_of(key));
        of_the_kind.map(|key| format!("{kind}: `{key}` is looked after elsewhere")).collect()
    }

    /// The accounts that the module is applied in.
    pub(super) fn accounts(&self) -> Vec<&str> {
        self.of_kind("provider").flat_map(|provider| provider.texts("allowed_account_ids")).collect()
    }

    /// Whether a text is of this account: its number, an ARN that bears it, or a reference to what the module makes.
    pub(super) fn is_own(&self, text: &str) -> bool {
        let accounts = self.accounts();
        let bears = |part: &str| accounts.contains(&part);
        match text.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)) {
            Some(account) if !account.is_empty() => bears(account) || account.starts_with("${"),
            // A bucket's ARN has no account: one that the module makes has the name of one.
            Some(_) => {
                let bucket =
                    text.rsplit(':').next().unwrap_or_default().split('/').next().unwrap_or_default();
                !bucket.is_empty()
                    && !bucket.contains('*')
                    && self.of_kind("aws_s3_bucket").any(|b| b.text("bucket") == bucket)
            }
            None => bears(text) || address(text).is_some_and(|address| self.resources.contains_key(address)),
        }
    }

    /// The resources of a type.
    pub(super) fn of_kind<'p>(&'p self, kind: &'p str) -> impl Iterator<Item = Resource<'p>> {
        self.resources
            .iter()
            .filter(move |(address, _)| address.split_once('.').is_some_and(|(of, _)| of == kind))
            .map(|(address, body)| Resource { address, body })
    }

    /// The resource of an address.
    pub(super) fn get<'p>(&'p self, address: &'p str) -> Option<Resource<'p>> {
        self.resources.get_key_value(address).map(|(address, body)| Resource { address, body })
    }

    /// The resources of a type whose argument refers to another.
    pub(super) fn referring<'p>(
        &'p self,
        kind: &'p str,
        path: &'p str,
        to: &'p str,
    ) -> impl Iterator<Item = Resource<'p>> {
        self.of_kind(kind).filter(move |r| r.refers(path).contains(&to))
    }

    /// Every resource of a type has to be so; there has to be one.
    pub(super) fn each(&self, kind: &str, so: impl Fn(Resource) -> bool) -> Outcome {
        self.each_where(kind, |_| true, so)
    }

    /// Every resource of these types has to be so; there has to be one of any.
    pub(super) fn each_of(&self, kinds: &[&str], so: impl Fn(Resource) -> bool) -> Outcome {
        let there = kinds.iter().filter(|kind| self.of_kind(kind).next().is_some());
        let outcome = there.map(|kind| self.each(kind, &so)).fold(Outcome::default(), Outcome::and);
        let none = outcome.looked.is_empty();
        outcome.and(given(!none, &format!("no {}", kinds.join(", no "))))
    }

    /// Every resource of these types has to be so, if there is any.
    pub(super) fn any_of(&self, kinds: &[&str], so: impl Fn(Resource) -> bool) -> Outcome {
        let there = kinds.iter().filter(|kind| self.of_kind(kind).next().is_some());
        there.map(|kind| self.each(kind, &so)).fold(Outcome::default(), Outcome::and)
    }

    /// Every resource of a type that is of the sort has to be so; there has to be one.
    pub(super) fn each_where(
        &self,
        kind: &str,
        of_the_sort: impl Fn(Resource) -> bool,
        so: impl Fn(Resource) -> bool,
    ) -> Outcome {
        let mut outcome = Outcome { unknown: self.unseen(kind), ..Outcome::default() };
        for resource in self.of_kind(kind).filter(|r| of_the_sort(*r)) {
            outcome.looked.insert(resource.address.to_owned());
            if !so(resource) {
                outcome.failed.insert(resource.address.to_owned());
            }
        }
        if outcome.looked.is_empty() && outcome.unknown.is_empty() {
            outcome.failed.insert(format!("no {kind}"));
        }
        outcome
    }

    /// At least one resource of a type has to be so.
    pub(super) fn one(&self, kind: &str, what: &str, so: impl Fn(Resource) -> bool) -> Outcome {
        let looked: BTreeSet<String> =
            self.of_kind(kind).filter(|r| so(*r)).map(|r| r.address.to_owned()).collect();
        let mut outcome = Outcome { looked, ..Outcome::default() };
        if outcome.looked.is_empty() {
            outcome.unknown = self.unseen(kind);
            if outcome.unknown.is_empty() {
                outcome.failed.insert(format!("no {kind}: {what}"));
            }
        }
        outcome
    }

    /// For each of the things, at least one resource of a type has to be so.
    pub(super) fn one_for_each(
        &self,
        kind: &str,
        things: &[&str],
        so: impl Fn(Resource, &str) -> bool,
    ) -> Outcome {
        things
            .iter()
            .map(|thing| self.one(kind, thing, |r| so(r, thing)))
            .fold(Outcome::default(), Outcome::and)
    }

    /// There has to be no resource of these types.
    pub(super) fn none(&self, kinds: &[&str]) -> Outcome {
        let found = kinds.iter().flat_map(|kind| self.of_kind(kind)).map(|r| r.address.to_owned());
        let unknown = kinds.iter().flat_map(|kind| self.unseen(kind)).collect();
        Outcome { failed: found.collect(), unknown, ..Outcome::default() }
    }
}

/// One resource.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'p> {
    /// Its address: `aws_lb.main`.
    pub address: &'p str,
    /// Its arguments and nested blocks.
    pub body: &'p Value,
}

impl<'p> Resource<'p> {
    /// What stands at a path of arguments and nested blocks, null for nothing. A block that stands twice where one was
    /// asked for is nothing as well: the second may say the contrary of the first.
    pub(super) fn at(self, path: &str) -> &'p Value {
        at(self.body, path)
    }

    pub(super) fn text(self, path: &str) -> &'p str {
        self.at(path).as_str().unwrap_or_default()
    }

    pub(super) fn number(self, path: &str) -> i64 {
        number(self.at(path))
    }

    pub(super) fn is(self, path: &str, value: impl Into<Value>) -> bool {
        *self.at(path) == value.into()
    }

    /// Whether every one of the paths is true.
    pub(super) fn all(self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.is(path, true))
    }

    /// The blocks of a path.
    pub(super) fn blocks(self, path: &str) -> &'p [Value] {
        list(self.at_whole(path))
    }

    /// The texts of a list.
    pub(super) fn texts(self, path: &str) -> Vec<&'p str> {
        texts(self.at_whole(path))
    }

    /// The addresses that a path refers to.
    pub(super) fn refers(self, path: &str) -> Vec<&'p str> {
        self.texts(path).into_iter().filter_map(address).collect()
    }

    /// Whether a path refers to a resource of the type.
    pub(super) fn refers_to(self, path: &str, kind: &str) -> bool {
        self.refers(path).iter().any(|address| address.split('.').next() == Some(kind))
    }

    /// The type.
    pub(super) fn kind(self) -> &'p str {
        self.address.split_once('.').map_or("", |(kind, _)| kind)
    }

    /// The name after the type.
    pub(super) fn name(self) -> &'p str {
        self.address.split_once('.').map_or("", |(_, name)| name)
    }

    /// The statements of the policy in an argument.
    pub(super) fn statements(self, argument: &str) -> &'p [Value] {
        list(&self.body[argument]["Statement"])
    }

    /// Like `at`, with the whole of a list.
    fn at_whole(self, path: &str) -> &'p Value {
        match path.rsplit_once('.') {
            Some((outer, last)) => &only(at(self.body, outer))[last],
            None => &self.body[path],
        }
    }
}

/// What a control looked at, what was wrong, and what the module cannot tell.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Addresses.
    pub looked: BTreeSet<String>,
    /// Addresses, or what is missing in words.
    pub failed: BTreeSet<String>,
    /// What somebody else has to show, in words.
    pub unknown: BTreeSet<String>,
}

impl Outcome {
    /// Both have to hold.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.looked.extend(other.looked);
        self.failed.extend(other.failed);
        self.unknown.extend(other.unknown);
        self
    }

    /// Whether all that was looked at is as it has to be, and nothing is left to others.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failed.is_empty() && self.unknown.is_empty()
    }
}

/// A condition that is of no resource of its own.
pub(super) fn given(holds: bool, what: &str) -> Outcome {
    let failed = if holds { BTreeSet::new() } else { BTreeSet::from([what.to_owned()]) };
    Outcome { failed, ..Outcome::default() }
}

pub(super) fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, step| &only(value)[step])
}

pub(super) fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// The texts of a list, or the one text that stands in its place.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().filter_map(Value::as_str).collect()
}

/// A list, or the one value that stands in its place.
pub(super) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// The address of the resource that a text refers to: `aws_lb.main` of `${aws_lb.main.arn}`.
pub(super) fn address(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?;
    let inner = inner.split_once('}')?.0;
    let end = inner.match_indices('.').nth(1)?.0;
    inner.get(..end)
}

fn only(value: &Value) -> &Value {
    static NOTHING: Value = Value::Null;
    match value {
        Value::Array(items) => match items.as_slice() {
            [one] => one,
            _ => &NOTHING,
        },
        other => other,
    }
}

/// The conditions of a statement: operator, key and values.
pub(super) fn conditions(statement: &Value) -> Vec<(&str, &str, Vec<&str>)> {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    operators
        .flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, values)| (operator.as_str(), key.as_str(), texts(values)))
        })
        .collect()
}

/// Whether a condition binds a statement that allows: one of the keys has to be one of values that are all so. An operator
/// that also holds where the key is absent, or where it differs, binds nothing.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
pub(super) fn bound(statement: &Value, keys: &[&str], so: impl Fn(&str) -> bool) -> bool {
    const BINDING: [&str; 5] =
        ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"];
    conditions(statement).iter().any(|(operator, key, values)| {
        BINDING.contains(operator)
            && keys.iter().any(|one| one.eq_ignore_ascii_case(key))
            && !values.is_empty()
            && values.iter().all(|value| so(value))
    })
}

/// Whether a statement allows.
pub(super) fn allows(statement: &Value) -> bool {
    statement["Effect"] == "Allow"
}

/// Whether a statement speaks of this service's principal.
pub(super) fn services(statement: &Value) -> Vec<&str> {
    texts(&statement["Principal"]["Service"])
}

/// Whether a statement speaks of everybody.
pub(super) fn of_everybody(statement: &Value) -> bool {
    statement["Principal"] == "*" || texts(&statement["Principal"]["AWS"]).contains(&"*")
}

/// How much of the internet ranges take in; nothing where one of them is no range.
pub(super) fn breadth(ranges: &[&str]) -> Option<Breadth> {
    let ranges: Option<Vec<IpNet>> = ranges.iter().map(|range| range.parse().ok()).collect();
    ranges.map(Breadth::of)
}
