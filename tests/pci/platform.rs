//! A synthesized platform as Terraform reads it, and what the checks ask of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use terraform::Root;

/// The resources of one environment by address, with every document in its place. Providers stand among them as
/// `provider.aws0`, and where Terraform keeps the state as `backend.s3`.
#[derive(Clone)]
pub struct Platform {
    pub resources: BTreeMap<String, Value>,
    /// What the environment rests on and does not make, by the keys of its file.
    pub elsewhere: BTreeSet<String>,
    /// The other environments.
    pub siblings: Vec<Platform>,
}

impl Platform {
    /// What a module renders to.
    pub fn of(root: &Root) -> Self {
        let files: Vec<Value> =
            root.render("").iter().map(|(_, text)| serde_json::from_str(text).expect("JSON")).collect();
        let mut documents = BTreeMap::new();
        for file in &files {
            for (name, value) in file["locals"].as_object().into_iter().flatten() {
                documents.insert(format!("${{jsonencode(local.{name})}}"), value.clone());
            }
        }
        let mut platform =
            Self { resources: BTreeMap::new(), elsewhere: BTreeSet::new(), siblings: Vec::new() };
        for file in &files {
            let reasons = file["output"]["elsewhere"]["value"].as_object();
            platform.elsewhere.extend(reasons.into_iter().flatten().map(|(key, _)| key.clone()));
            for (kind, blocks) in file["resource"].as_object().into_iter().flatten() {
                for (name, body) in blocks.as_object().into_iter().flatten() {
                    let mut body = body.clone();
                    for value in body.as_object_mut().into_iter().flat_map(|body| body.values_mut()) {
                        if let Some(document) = value.as_str().and_then(|text| documents.get(text)) {
                            *value = document.clone();
                        }
                    }
                    platform.resources.insert(format!("{kind}.{name}"), body);
                }
            }
            for (index, provider) in list(&file["provider"]["aws"]).iter().enumerate() {
                platform.resources.insert(format!("provider.aws{index}"), provider.clone());
            }
            for (kind, backend) in file["terraform"]["backend"].as_object().into_iter().flatten() {
                platform.resources.insert(format!("backend.{kind}"), backend.clone());
            }
        }
        platform
    }

    /// What of a type is elsewhere, and so is shown by nobody here: one that is made does not speak for one that is not.
    fn unseen(&self, kind: &str) -> BTreeSet<String> {
        let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| kind.starts_with(beginning));
        let is_of =
            |key: &str| match key.rsplit_once('.').map_or((key, ""), |(section, part)| (section, part)) {
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
                ("network", "flow_logs") => matches!(kind, "aws_flow_log" | "aws_cloudwatch_log_group"),
                ("network", "network_acls") => begins(&["aws_network_acl", "aws_default_network_acl"]),
                ("network", "interface_endpoints" | "gateway_endpoints") => kind == "aws_vpc_endpoint",
                ("kms.keys", _) => begins(&["aws_kms_key", "aws_kms_alias"]),
                ("certificate", _) => begins(&["aws_acm_"]),
                ("storage", _) => begins(&["aws_s3_bucket"]),
                ("account", "trail") => matches!(kind, "aws_cloudtrail" | "aws_cloudwatch_log_group"),
                ("account", "recorder") => begins(&["aws_config_"]),
                ("account", "guardduty") => begins(&["aws_guardduty_"]),
                ("account", "security_hub") => begins(&["aws_securityhub_"]),
                ("account", "inspector") => begins(&["aws_inspector2_"]),
                ("account", "access_analyzer") => begins(&["aws_accessanalyzer_"]),
                ("account", "password_policy") => kind == "aws_iam_account_password_policy",
                ("account", "support_role") => false,
                ("account", "defaults") => {
                    begins(&["aws_s3_account_", "aws_ebs_", "aws_ec2_"])
                        || kind == "aws_vpc_block_public_access_options"
                }
                other => panic!("{other:?} stands for no resources"),
            };
        let of_the_kind = self.elsewhere.iter().filter(|key| is_of(key));
        of_the_kind.map(|key| format!("{kind} of {key} is elsewhere")).collect()
    }

    /// The resources of a type.
    pub fn of_kind<'p>(&'p self, kind: &'p str) -> impl Iterator<Item = Resource<'p>> {
        self.resources
            .iter()
            .filter(move |(address, _)| address.split_once('.').is_some_and(|(of, _)| of == kind))
            .map(|(address, body)| Resource { address, body })
    }

    /// The resource of an address.
    pub fn get<'p>(&'p self, address: &'p str) -> Option<Resource<'p>> {
        self.resources.get_key_value(address).map(|(address, body)| Resource { address, body })
    }

    /// The resources of a type whose argument refers to another.
    pub fn referring<'p>(
        &'p self,
        kind: &'p str,
        path: &'p str,
        to: &'p str,
    ) -> impl Iterator<Item = Resource<'p>> {
        self.of_kind(kind).filter(move |r| r.refers(path).contains(&to))
    }

    /// Every resource of a type has to be so; there has to be one.
    pub fn each(&self, kind: &str, so: impl Fn(Resource) -> bool) -> Outcome {
        self.each_where(kind, |_| true, so)
    }

    /// Every resource of these types has to be so; there has to be one of any.
    pub fn each_of(&self, kinds: &[&str], so: impl Fn(Resource) -> bool) -> Outcome {
        let there = kinds.iter().filter(|kind| self.of_kind(kind).next().is_some());
        let outcome = there.map(|kind| self.each(kind, &so)).fold(Outcome::default(), Outcome::and);
        let none = outcome.looked.is_empty();
        outcome.and(given(!none, &format!("no {}", kinds.join(", no "))))
    }

    /// Every resource of a type that is of the sort has to be so; there has to be one.
    pub fn each_where(
        &self,
        kind: &str,
        of_the_sort: impl Fn(Resource) -> bool,
        so: impl Fn(Resource) -> bool,
    ) -> Outcome {
        let mut outcome = Outcome { looked: BTreeSet::new(), failed: self.unseen(kind) };
        for resource in self.of_kind(kind).filter(|r| of_the_sort(*r)) {
            outcome.looked.insert(resource.address.to_owned());
            if !so(resource) {
                outcome.failed.insert(resource.address.to_owned());
            }
        }
        if outcome.looked.is_empty() {
            outcome.failed.insert(format!("no {kind}"));
        }
        outcome
    }

    /// At least one resource of a type has to be so.
    pub fn one(&self, kind: &str, what: &str, so: impl Fn(Resource) -> bool) -> Outcome {
        let looked: BTreeSet<String> =
            self.of_kind(kind).filter(|r| so(*r)).map(|r| r.address.to_owned()).collect();
        let failed =
            if looked.is_empty() { BTreeSet::from([format!("no {kind}: {what}")]) } else { BTreeSet::new() };
        Outcome { looked, failed }
    }

    /// For each of the things, at least one resource of a type has to be so.
    pub fn one_for_each(&self, kind: &str, things: &[&str], so: impl Fn(Resource, &str) -> bool) -> Outcome {
        things
            .iter()
            .map(|thing| self.one(kind, thing, |r| so(r, thing)))
            .fold(Outcome::default(), Outcome::and)
    }

    /// There has to be no resource of these types.
    pub fn none(&self, kinds: &[&str]) -> Outcome {
        let found = kinds.iter().flat_map(|kind| self.of_kind(kind)).map(|r| r.address.to_owned());
        let failed = found.chain(kinds.iter().flat_map(|kind| self.unseen(kind))).collect();
        Outcome { looked: BTreeSet::new(), failed }
    }
}

/// One resource.
#[derive(Clone, Copy)]
pub struct Resource<'p> {
    pub address: &'p str,
    pub body: &'p Value,
}

impl<'p> Resource<'p> {
    /// What stands at a path of arguments and nested blocks; of blocks that repeat, the first. Nothing is null.
    pub fn at(self, path: &str) -> &'p Value {
        at(self.body, path)
    }

    pub fn text(self, path: &str) -> &'p str {
        self.at(path).as_str().unwrap_or_default()
    }

    pub fn number(self, path: &str) -> i64 {
        number(self.at(path))
    }

    pub fn is(self, path: &str, value: impl Into<Value>) -> bool {
        *self.at(path) == value.into()
    }

    /// Whether every one of the paths is true.
    pub fn all(self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.is(path, true))
    }

    /// The blocks of a path.
    pub fn blocks(self, path: &str) -> &'p [Value] {
        list(self.at_whole(path))
    }

    /// The texts of a list.
    pub fn texts(self, path: &str) -> Vec<&'p str> {
        texts(self.at_whole(path))
    }

    /// The addresses that a path refers to.
    pub fn refers(self, path: &str) -> Vec<&'p str> {
        self.texts(path).into_iter().filter_map(address).collect()
    }

    /// Whether a path refers to a resource of the type.
    pub fn refers_to(self, path: &str, kind: &str) -> bool {
        self.refers(path).iter().any(|address| address.split('.').next() == Some(kind))
    }

    /// The type.
    pub fn kind(self) -> &'p str {
        self.address.split_once('.').map_or("", |(kind, _)| kind)
    }

    /// The name after the type.
    pub fn name(self) -> &'p str {
        self.address.split_once('.').map_or("", |(_, name)| name)
    }

    /// The statements of the policy in an argument.
    pub fn statements(self, argument: &str) -> &'p [Value] {
        list(&self.body[argument]["Statement"])
    }

    /// Like `at`, with the whole of a list.
    fn at_whole(self, path: &str) -> &'p Value {
        match path.rsplit_once('.') {
            Some((outer, last)) => &first(at(self.body, outer))[last],
            None => &self.body[path],
        }
    }
}

/// What a check looked at, and what was wrong.
#[derive(Clone, Default)]
pub struct Outcome {
    pub looked: BTreeSet<String>,
    pub failed: BTreeSet<String>,
}

impl Outcome {
    /// Both have to hold.
    pub fn and(mut self, other: Self) -> Self {
        self.looked.extend(other.looked);
        self.failed.extend(other.failed);
        self
    }

    pub fn holds(&self) -> bool {
        self.failed.is_empty()
    }
}

/// A condition that is of no resource of its own.
pub fn given(holds: bool, what: &str) -> Outcome {
    let failed = if holds { BTreeSet::new() } else { BTreeSet::from([what.to_owned()]) };
    Outcome { looked: BTreeSet::new(), failed }
}

pub fn at<'v>(value: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(value, |value, step| &first(value)[step])
}

pub fn number(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_default()
}

/// The texts of a list, or the one text that stands in its place.
pub fn texts(value: &Value) -> Vec<&str> {
    list(value).iter().filter_map(Value::as_str).collect()
}

/// A list, or the one value that stands in its place.
pub fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// The address of the resource that a text refers to: `aws_lb.main` of `${aws_lb.main.arn}`.
pub fn address(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("${")?;
    let inner = inner.split_once('}')?.0;
    let end = inner.match_indices('.').nth(1)?.0;
    inner.get(..end)
}

fn first(value: &Value) -> &Value {
    static NOTHING: Value = Value::Null;
    match value {
        Value::Array(items) => items.first().unwrap_or(&NOTHING),
        other => other,
    }
}

/// The conditions of a statement: operator, key and values.
pub fn conditions(statement: &Value) -> Vec<(&str, &str, Vec<&str>)> {
    let operators = statement["Condition"].as_object().into_iter().flatten();
    operators
        .flat_map(|(operator, keys)| {
            let keys = keys.as_object().into_iter().flatten();
            keys.map(move |(key, values)| (operator.as_str(), key.as_str(), texts(values)))
        })
        .collect()
}

/// Whether a statement allows.
pub fn allows(statement: &Value) -> bool {
    statement["Effect"] == "Allow"
}

/// Whether a statement speaks of this service's principal.
pub fn services(statement: &Value) -> Vec<&str> {
    texts(&statement["Principal"]["Service"])
}

/// Whether a statement speaks of everybody.
pub fn of_everybody(statement: &Value) -> bool {
    statement["Principal"] == "*" || texts(&statement["Principal"]["AWS"]).contains(&"*")
}
