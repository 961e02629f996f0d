//! What Terraform will do.
//!
//! A resource is created, updated in place, replaced or destroyed. Which argument forces a replacement is known from the
//! provider ([`Replacement`]). A replaced resource has other computed attributes, so what refers to one of them changes too.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use aws::schema::{Effect, Replacement, Schema, Way};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use terraform::Mode;
use terraform::query::{self, Found, View, is_expression, references};

use super::same::{self, differences};

/// What is done to a resource, the most dangerous last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing: the provider takes both for the same, or keeps what is there.
    Keep,
    /// It has another address.
    Move,
    /// It is created.
    Create,
    /// It is updated in place.
    Update,
    /// It is no longer managed, and stays.
    Forget,
    /// It is updated in place or replaced: the provider decides by more than the argument.
    MayReplace,
    /// It is destroyed and created, in this order or the other.
    Replace,
    /// It is destroyed.
    Destroy,
}

/// What is done to a resource, and why.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// Its address.
    pub address: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is done.
    pub action: Action,
    /// The address that it had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Of a replacement: whether the new one is created first.
    pub create_before_destroy: bool,
    /// What differs.
    pub attributes: Vec<Attribute>,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Attribute {
    /// Where: `rule[block-bots].action`.
    pub path: String,
    /// The argument of the resource that it belongs to.
    #[serde(skip)]
    pub argument: String,
    /// What it was; none, where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// What Terraform does about it.
    #[serde(serialize_with = "effect_name")]
    #[schemars(with = "String")]
    pub effect: Effect,
    /// Why it differs, where its own text does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn effect_name<S: serde::Serializer>(effect: &Effect, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match effect {
        Effect::Nothing => "nothing",
        Effect::Update => "update",
        Effect::May => "may-replace",
        Effect::Replace => "replace",
    })
}

impl Change {
    /// The arguments that force the replacement, or may.
    pub fn forcing(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|attribute| attribute.effect >= Effect::May)
    }

    fn settle(&mut self) {
        if matches!(self.action, Action::Create | Action::Destroy | Action::Forget) {
            return;
        }
        let worst = self.attributes.iter().map(|attribute| attribute.effect).max();
        self.action = match worst {
            Some(Effect::Replace) => Action::Replace,
            Some(Effect::May) => Action::MayReplace,
            Some(Effect::Update) => Action::Update,
            _ if self.previous.is_some() => Action::Move,
            _ => Action::Keep,
        };
    }
}

/// Every change, by address. The old module's addresses are those of the new one ([`super::moves::renamed`]).
pub(super) fn changes(
    old: &View,
    new: &View,
    moved: &BTreeMap<String, String>,
    table: &Replacement,
) -> Vec<Change> {
    let mut all: BTreeMap<&str, Change> = BTreeMap::new();
    let addresses: BTreeSet<&str> = old.managed().chain(new.managed()).map(|(address, _)| address).collect();
    for address in addresses {
        let change = match (old.blocks.get(address), new.blocks.get(address)) {
            (Some(old_block), Some(new_block)) => {
                let mut attributes = own(old_block, new_block, table);
                attributes.extend(of_provider(old, new, old_block, new_block, table));
                change(address, new_block, Action::Keep, moved.get(address).cloned(), attributes)
            }
            (None, Some(block)) => change(address, block, Action::Create, None, Vec::new()),
            (Some(block), None) => {
                let kept = new.removed.iter().any(|(from, destroy)| from == address && !destroy);
                let action = if kept { Action::Forget } else { Action::Destroy };
                change(address, block, action, None, Vec::new())
            }
            (None, None) => continue,
        };
        if change.action != Action::Keep || !change.attributes.is_empty() {
            all.insert(address, change);
        }
    }
    if !all.is_empty() {
        Cascade::of(new, table).run(new, &mut all);
    }
    all.into_values().collect()
}

fn change(
    address: &str,
    block: &Found,
    action: Action,
    previous: Option<String>,
    attributes: Vec<Attribute>,
) -> Change {
    let create_before_destroy = block.lifecycle("create_before_destroy") == Some(&json!(true));
    let kind = block.kind.clone();
    let mut change =
        Change { address: address.to_owned(), kind, action, previous, create_before_destroy, attributes };
    change.settle();
    change
}

/// What differs in a block itself.
fn own(old: &Found, new: &Found, table: &Replacement) -> Vec<Attribute> {
    let ignored = ignored(new);
    let mut all = Vec::new();
    for difference in differences(&new.kind, &old.body, &new.body) {
        if ignored.iter().any(|path| difference.argument == *path || *path == "all") {
            continue;
        }
        let effect = table.effect(&new.kind, &difference.argument, difference.way);
        let same::Difference { path, argument, old, new, .. } = difference;
        all.push(Attribute { path, argument, old, new, effect, because: None });
    }
    for (key, effect) in [("provider", Effect::May), ("count", Effect::May), ("for_each", Effect::May)] {
        let (old, new) = (old.meta.get(key), new.meta.get(key));
        if old != new {
            all.push(attribute(key, old, new, effect));
        }
    }
    let (was, is) = (old.lifecycle("prevent_destroy"), new.lifecycle("prevent_destroy"));
    if was != is {
        all.push(attribute("lifecycle.prevent_destroy", was, is, Effect::Nothing));
    }
    all
}

fn attribute(path: &str, old: Option<&Value>, new: Option<&Value>, effect: Effect) -> Attribute {
    let argument = path.to_owned();
    Attribute { path: path.to_owned(), argument, old: old.cloned(), new: new.cloned(), effect, because: None }
}

/// The arguments whose changes are left to another owner.
fn ignored(block: &Found) -> Vec<&str> {
    match block.lifecycle("ignore_changes") {
        Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(path)) => vec![path],
        _ => Vec::new(),
    }
}

/// What differs in the configuration of its provider: default tags, region, role.
fn of_provider(
    old: &View,
    new: &View,
    old_block: &Found,
    new_block: &Found,
    table: &Replacement,
) -> Option<Attribute> {
    let name = |block: &Found| block.meta.get("provider").and_then(Value::as_str).unwrap_or("aws").to_owned();
    let (a, b) = (old.providers.get(&name(old_block))?, new.providers.get(&name(new_block))?);
    if a == b {
        return None;
    }
    let elsewhere = ["region", "assume_role", "profile"].into_iter().find(|key| a.get(*key) != b.get(*key));
    if let Some(key) = elsewhere {
        let mut attribute = attribute("provider", a.get(key), b.get(key), Effect::May);
        attribute.because = Some(format!("`{key}` of its provider differs"));
        return Some(attribute);
    }
    let takes_tags = Schema::recorded().resource(&new_block.kind)?.attributes.contains_key("tags_all");
    let (was, is) = (all_tags(a, old_block), all_tags(b, new_block));
    if !takes_tags || was == is || was["tags"] != is["tags"] {
        return None;
    }
    let effect = table.effect(&new_block.kind, "tags", Way::Changed);
    let mut attribute = attribute("tags_all", Some(&was["all"]), Some(&is["all"]), effect);
    attribute.because = Some("the default tags differ".to_owned());
    Some(attribute)
}

/// The tags of a block: its own, and those that its provider adds.
fn all_tags(provider: &Value, block: &Found) -> Value {
    let defaults = same::one_or_more(&provider["default_tags"])[0]["tags"].clone();
    let mut all = defaults.as_object().cloned().unwrap_or_default();
    let own = &block.body["tags"];
    all.extend(own.as_object().cloned().unwrap_or_default());
    json!({"all": all, "tags": own})
}

/// Attributes that the provider may tell anew after an update in place:
/// <https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs>.
const TOLD_ANEW: [&str; 7] =
    ["version", "version_id", "latest_version", "revision", "etag", "qualified_arn", "stream_arn"];

/// A reference to a block.
struct Reference<'v> {
    from: &'v str,
    argument: String,
    attribute: String,
}

/// Carries changes on to what refers to what changes.
struct Cascade<'v> {
    /// By the address that is referred to.
    references: HashMap<&'v str, Vec<Reference<'v>>>,
    /// What is replaced because something else changes.
    triggered: HashMap<&'v str, Vec<&'v str>>,
    table: &'v Replacement,
}

/// How a value that is referred to changes.
struct Becomes {
    most: Effect,
    because: String,
}

impl<'v> Cascade<'v> {
    fn of(view: &'v View, table: &'v Replacement) -> Self {
        let (mut all, mut triggered) =
            (HashMap::<&str, Vec<Reference>>::new(), HashMap::<&str, Vec<&str>>::new());
        for (address, block) in &view.blocks {
            same::texts(&block.kind, &block.body, &mut |argument, text| {
                for expression in references(text) {
                    for (to, attribute) in addresses_in(expression, view) {
                        let argument = argument.to_owned();
                        all.entry(to).or_default().push(Reference { from: address, argument, attribute });
                    }
                }
            });
            let depends = block.meta.get("depends_on").map(same::one_or_more).unwrap_or_default();
            // A data source waits for what it depends on; a resource does not change by it.
            if query::mode(address) == Mode::Data {
                for to in
                    depends.iter().filter_map(Value::as_str).filter_map(|to| view.blocks.get_key_value(to))
                {
                    let (argument, attribute) = (String::new(), "depends_on".to_owned());
                    all.entry(to.0).or_default().push(Reference { from: address, argument, attribute });
                }
            }
            let triggers = block.lifecycle("replace_triggered_by").map(same::one_or_more).unwrap_or_default();
            for trigger in triggers.iter().filter_map(Value::as_str) {
                for (to, _) in addresses_in(trigger, view) {
                    triggered.entry(to).or_default().push(address);
                }
            }
        }
        Self { references: all, triggered, table }
    }

    fn run(&self, view: &'v View, all: &mut BTreeMap<&'v str, Change>) {
        let mut queue: VecDeque<&str> = all.keys().copied().collect();
        let mut unread: BTreeSet<&str> = BTreeSet::new();
        while let Some(address) = queue.pop_front() {
            for reference in self.references.get(address).into_iter().flatten() {
                let change = all.get(address);
                let Some(becomes) =
                    becomes(view, address, &reference.attribute, change, unread.contains(address))
                else {
                    continue;
                };
                if query::mode(reference.from) == Mode::Data {
                    if unread.insert(reference.from) {
                        queue.push_back(reference.from);
                    }
                } else if carry(view, reference, &becomes, self.table, all) {
                    queue.push_back(reference.from);
                }
            }
            let does = all.get(address).is_some_and(|change| change.action > Action::Move);
            for from in self.triggered.get(address).into_iter().flatten().filter(|_| does) {
                let mut forced = attribute("lifecycle.replace_triggered_by", None, None, Effect::Replace);
                forced.because = Some(format!("{address} changes"));
                if add(view, from, forced, all) {
                    queue.push_back(from);
                }
            }
        }
    }
}

/// What a reference to an attribute of a block comes to.
fn becomes(
    view: &View,
    address: &str,
    attribute: &str,
    change: Option<&Change>,
    unread: bool,
) -> Option<Becomes> {
    if unread {
        return Some(Becomes { most: Effect::Replace, because: format!("{address} is read only then") });
    }
    let change = change?;
    let top = attribute.split(['.', '[']).next().unwrap_or_default();
    let differs = change.attributes.iter().any(|a| a.argument.split('.').next() == Some(top));
    let configured = view.blocks.get(address).is_some_and(|block| !block.body[top].is_null());
    let (most, because) = match change.action {
        _ if attribute == "depends_on" => (Effect::Replace, format!("{address} changes")),
        Action::Replace if differs || !configured => (Effect::Replace, format!("{address} is replaced")),
        Action::Create if !configured => (Effect::Replace, format!("{address} is new")),
        Action::MayReplace if differs || !configured => (Effect::May, format!("{address} may be replaced")),
        Action::Update if differs => (Effect::Replace, format!("`{top}` of {address} differs")),
        Action::Update if TOLD_ANEW.contains(&top) => (Effect::May, format!("{address} is updated")),
        _ => return None,
    };
    Some(Becomes { most, because })
}

/// Carries a change on to a reference; whether that changes what is done.
fn carry<'v>(
    view: &'v View,
    reference: &Reference<'v>,
    becomes: &Becomes,
    table: &Replacement,
    all: &mut BTreeMap<&'v str, Change>,
) -> bool {
    let Some(block) = view.blocks.get(reference.from) else { return false };
    if ignored(block).iter().any(|path| *path == reference.argument || *path == "all") {
        return false;
    }
    let effect = table.effect(&block.kind, &reference.argument, Way::Changed);
    let effect = match effect {
        // What the provider takes for the same is another value here.
        Effect::Nothing => Effect::Update,
        Effect::Replace if becomes.most == Effect::May => Effect::May,
        other => other,
    };
    let mut carried = attribute(&reference.argument, None, None, effect);
    carried.because = Some(becomes.because.clone());
    add(view, reference.from, carried, all)
}

/// Adds a difference; whether that changes what is done.
fn add<'v>(view: &'v View, to: &'v str, added: Attribute, all: &mut BTreeMap<&'v str, Change>) -> bool {
    let Some(block) = view.blocks.get(to) else { return false };
    let change = all.entry(to).or_insert_with(|| change(to, block, Action::Keep, None, Vec::new()));
    if matches!(change.action, Action::Create) {
        return false;
    }
    let told = change.attributes.iter().any(|a| a.argument == added.argument && a.effect >= added.effect);
    if told {
        return false;
    }
    let before = change.action;
    change.attributes.push(added);
    change.settle();
    change.action != before
}

/// The blocks that an expression refers to, and which attribute of each.
fn addresses_in<'v>(expression: &str, view: &'v View) -> Vec<(&'v str, String)> {
    let mut all = Vec::new();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '[' | ']' | '*');
    for word in expression.split(|c: char| !is_part(c)) {
        let mut parts = word.split('.');
        let parts: [&str; 3] = std::array::from_fn(|_| parts.next().unwrap_or_default());
        let named = |text: &str| text.split('[').next().unwrap_or_default().to_owned();
        let (address, rest) = if matches!(parts[0], "data" | "ephemeral") {
            let address = format!("{}.{}.{}", parts[0], parts[1], named(parts[2]));
            (address, word.splitn(4, '.').nth(3))
        } else {
            (format!("{}.{}", parts[0], named(parts[1])), word.splitn(3, '.').nth(2))
        };
        if let Some((address, _)) = view.blocks.get_key_value(&address) {
            all.push((address.as_str(), rest.unwrap_or_default().to_owned()));
        }
    }
    all
}

/// A value for people, of one line.
pub(super) fn shown(value: &Value, characters_max: usize) -> String {
    let text = match value {
        Value::String(text) if is_expression(text) || text.is_empty() => format!("{text:?}"),
        other => other.to_string(),
    };
    if text.chars().count() <= characters_max {
        return text;
    }
    let beginning: String = text.chars().take(characters_max.saturating_sub(1)).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> Replacement {
        let table = json!({"types": {
            "aws_dynamodb_table": {"hash_key": "r", "deletion_protection_enabled": "u"},
            "aws_vpc": {"cidr_block": "r"},
            "aws_subnet": {"vpc_id": "r"},
            "aws_sns_topic": {"tags": "u"},
            "aws_ecs_service": {"desired_count": "u"},
        }});
        Replacement::read(&table.to_string()).expect("a table")
    }

    fn view(resources: Value) -> View {
        let file = json!({"resource": resources}).to_string();
        View::of_files([("a.tf.json", file.as_str())]).expect("a module")
    }

    fn actions(old: Value, new: Value) -> Vec<(String, Action)> {
        changes(&view(old), &view(new), &BTreeMap::new(), &table())
            .into_iter()
            .map(|change| (change.address, change.action))
            .collect()
    }

    #[test]
    fn arguments_say_whether_a_resource_is_replaced() {
        let table = |key: &str, protection: bool| json!({"aws_dynamodb_table": {"t": {"name": "t", "hash_key": key, "deletion_protection_enabled": protection}}});
        assert_eq!(actions(table("a", true), table("a", true)), []);
        assert_eq!(actions(table("a", true), table("a", false))[0].1, Action::Update);
        assert_eq!(actions(table("a", true), table("b", true))[0].1, Action::Replace);
        assert_eq!(actions(table("a", true), json!({}))[0].1, Action::Destroy);
        assert_eq!(actions(json!({}), table("a", true))[0].1, Action::Create);
        let other = json!({"aws_dynamodb_table": {"t": {"name": "t", "hash_key": "a", "deletion_protection_enabled": true, "never_heard_of": 1}}});
        assert_eq!(actions(table("a", true), other)[0].1, Action::MayReplace);
    }

    #[test]
    fn what_refers_to_a_replaced_resource_changes_with_it() {
        let module = |cidr: &str| {
            json!({
                "aws_vpc": {"main": {"cidr_block": cidr}},
                "aws_subnet": {"a": {"vpc_id": "${aws_vpc.main.id}", "cidr_block": "10.0.0.0/24"}},
                "aws_lb": {"main": {"name": "main", "subnets": ["${aws_subnet.a.id}"]}},
                "aws_sns_topic": {"other": {"name": "other"}},
                "aws_route53_record": {"a": {"name": "${aws_lb.main.name}", "zone_id": "z", "type": "A"}},
            })
        };
        let found = actions(module("10.0.0.0/16"), module("10.1.0.0/16"));
        let of = |address: &str| found.iter().find(|(of, _)| of == address).map(|(_, action)| *action);
        assert_eq!(of("aws_vpc.main"), Some(Action::Replace));
        assert_eq!(of("aws_subnet.a"), Some(Action::Replace));
        assert!(of("aws_lb.main").is_some());
        // The name stands in the configuration, and stays.
        assert_eq!(of("aws_route53_record.a"), None);
        assert_eq!(of("aws_sns_topic.other"), None);
    }

    #[test]
    fn what_another_owner_changes_is_left_to_it() {
        let service = |count: u32, ignored: Value| json!({"aws_ecs_service": {"s": {"name": "s", "desired_count": count, "lifecycle": {"ignore_changes": ignored}}}});
        assert_eq!(actions(service(1, json!(["desired_count"])), service(2, json!(["desired_count"]))), []);
        assert_eq!(actions(service(1, json!([])), service(2, json!([])))[0].1, Action::Update);
    }

    #[test]
    fn default_tags_reach_what_takes_tags() {
        let module = |owner: &str| {
            let file = json!({"provider": {"aws": {"region": "r", "default_tags": [{"tags": {"Owner": owner}}]}},
                "resource": {"aws_sns_topic": {"t": {"name": "t"}, "own": {"name": "u", "tags": {"Owner": "me"}}},
                    "aws_sns_topic_policy": {"p": {"arn": "a", "policy": "{}"}}}});
            View::of_files([("a", file.to_string().as_str())]).expect("a module")
        };
        let found = changes(&module("a"), &module("b"), &BTreeMap::new(), &table());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].address.as_str(), found[0].action), ("aws_sns_topic.t", Action::Update));
    }

    #[test]
    fn what_a_data_source_reads_later_is_not_known() {
        let module = |name: &str| {
            let file = json!({"resource": {"aws_vpc": {"v": {"cidr_block": name}},
                    "aws_flow_log": {"f": {"vpc_id": "${data.aws_vpc.d.id}"}}},
                "data": {"aws_vpc": {"d": {"id": "${aws_vpc.v.id}"}}}});
            View::of_files([("a", file.to_string().as_str())]).expect("a module")
        };
        let found = changes(&module("10.0.0.0/16"), &module("10.1.0.0/16"), &BTreeMap::new(), &table());
        let flow = found.iter().find(|change| change.address == "aws_flow_log.f").expect("carried on");
        assert_eq!(flow.attributes[0].because.as_deref(), Some("data.aws_vpc.d is read only then"));
    }
}
