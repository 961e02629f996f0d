//! A plan as `terraform show -json` prints it: <https://developer.hashicorp.com/terraform/internals/json-format>.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};
use terraform::query::masks_any;

/// What a plan would do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Plan {
    format_version: String,
    #[serde(default)]
    errored: bool,
    /// Always there, and in no state.
    #[serde(rename = "planned_values")]
    _planned_values: Value,
    #[serde(default)]
    resource_changes: Vec<ResourceChange>,
    #[serde(default)]
    resource_drift: Vec<ResourceChange>,
    #[serde(default)]
    output_changes: BTreeMap<String, Change>,
    #[serde(default)]
    configuration: Value,
}

/// What would be done to a resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ResourceChange {
    /// The resource's address.
    pub address: String,
    /// Of an object that a replacement left behind, its key.
    pub deposed: Option<String>,
    /// The address that the resource had before.
    pub previous_address: Option<String>,
    /// What is done.
    pub change: Change,
}

/// What is done, and the values before and after it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Change {
    actions: BTreeSet<Action>,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
    #[serde(default)]
    after_unknown: Value,
    #[serde(default)]
    importing: Option<Value>,
}

/// An argument that a change in place gives another value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Argument<'p> {
    /// Its name.
    pub name: &'p str,
    /// The value that it has.
    pub before: &'p Value,
    /// The value that it would have.
    pub after: &'p Value,
    /// Whether that is known only after apply, or a part of it.
    pub unknown: bool,
}

/// What Terraform does to a resource; a replacement is two of them, in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It reads a data source.
    Read,
    /// It creates it.
    Create,
    /// It updates it in place.
    Update,
    /// It destroys it.
    Delete,
    /// It no longer manages it.
    Forget,
}

/// Why a text is no plan that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlan {
    /// There is nothing.
    Empty,
    /// It is what Terraform shows to people.
    Prose,
    /// It is JSON, and no plan.
    Other(String),
    /// It is of a version that is not known.
    Version(String),
    /// Terraform could not finish it.
    Errored,
}

impl std::fmt::Display for NoPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("what was given is empty"),
            Self::Prose => f.write_str("this is no JSON"),
            Self::Other(why) => write!(f, "this is JSON, but no plan of Terraform: {why}"),
            Self::Version(version) => write!(f, "the plan's format has version {version}, and 1 is known"),
            Self::Errored => {
                f.write_str("Terraform could not finish this plan, which shows a part of what would change")
            }
        }
    }
}

impl std::error::Error for NoPlan {}

impl Plan {
    /// Reads what `terraform show -json` printed of a saved plan.
    ///
    /// # Errors
    /// When it is something else, or a plan that failed.
    pub fn read(text: &str) -> Result<Self, NoPlan> {
        if text.trim().is_empty() {
            return Err(NoPlan::Empty);
        }
        let value: Value = serde_json::from_str(text).map_err(|_| NoPlan::Prose)?;
        let plan: Self = serde_json::from_value(value).map_err(|error| NoPlan::Other(error.to_string()))?;
        if plan.format_version.split('.').next() != Some("1") {
            return Err(NoPlan::Version(plan.format_version));
        }
        if plan.errored {
            return Err(NoPlan::Errored);
        }
        Ok(plan)
    }

    /// The resources that it would do something to, in the order of the plan.
    pub fn changes(&self) -> impl Iterator<Item = &ResourceChange> {
        self.resource_changes.iter().filter(|resource| {
            !resource.change.is_idle()
                || resource.previous_address.is_some()
                || resource.change.importing.is_some()
        })
    }

    /// Whether an output would change.
    #[must_use]
    pub fn changes_outputs(&self) -> bool {
        self.output_changes.values().any(|output| !output.is_idle())
    }

    /// What this plan would do and none of those that were shown does, unless it undoes drift in place.
    #[must_use]
    pub fn beyond<'p>(&'p self, shown: &[Self]) -> Vec<&'p ResourceChange> {
        let was_shown = |resource: &ResourceChange| {
            let same = |other: &&ResourceChange| {
                other.address == resource.address && other.deposed == resource.deposed
            };
            let all: BTreeSet<Action> = shown
                .iter()
                .flat_map(|plan| plan.resource_changes.iter().filter(same))
                .flat_map(|other| other.change.actions.iter().copied())
                .collect();
            resource.change.actions.is_subset(&all)
        };
        self.resource_changes
            .iter()
            .filter(|resource| {
                !resource.change.is_idle() && !was_shown(resource) && !self.undoes_drift(resource)
            })
            .collect()
    }

    /// What would be done to resources, in the order of the plan: nothing and reading left out.
    pub fn actions(&self) -> impl Iterator<Item = &ResourceChange> {
        self.resource_changes.iter().filter(|resource| !resource.change.is_idle())
    }

    /// The arguments that a change in place gives another value, drift that it undoes left out. What AWS tells anew and nobody
    /// configures is none.
    #[must_use]
    pub fn arguments<'p>(&'p self, resource: &'p ResourceChange) -> Vec<Argument<'p>> {
        let known = self.drift_of(resource).map(|drift| &drift.change.before);
        let object = |value: &'p Value| value.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
        let Change { before, after, after_unknown, .. } = &resource.change;
        let keys: BTreeSet<&str> = object(before).chain(object(after)).chain(object(after_unknown)).collect();
        let differs = |name: &&str| {
            let (was, is) = (&before[*name], &after[*name]);
            if after_unknown.get(*name).is_some_and(masks_any) {
                return self.configures(&resource.address, name);
            }
            let undone = known.is_some_and(|known| &known[*name] == is);
            was != is && !undone && (is.is_null() || self.configures(&resource.address, name))
        };
        let argument = |name: &'p str| Argument {
            name,
            before: &before[name],
            after: &after[name],
            unknown: after_unknown.get(name).is_some_and(masks_any),
        };
        keys.into_iter().filter(differs).map(argument).collect()
    }

    fn drift_of(&self, resource: &ResourceChange) -> Option<&ResourceChange> {
        self.resource_drift.iter().find(|drift| {
            drift.address == resource.address
                && drift.deposed == resource.deposed
                && drift.change.actions == BTreeSet::from([Action::Update])
        })
    }

    /// Whether a change does nothing but bring attributes that were changed elsewhere back to what Terraform knew of them.
    #[must_use]
    pub fn undoes_drift(&self, resource: &ResourceChange) -> bool {
        if resource.change.actions != BTreeSet::from([Action::Update]) {
            return false;
        }
        let Some(drift) = self.drift_of(resource) else { return false };
        let object = |value: &'_ Value| value.as_object().cloned().unwrap_or_default();
        let (before, after) = (object(&resource.change.before), object(&resource.change.after));
        let (known, unknown) = (object(&drift.change.before), object(&resource.change.after_unknown));
        let at = |values: &Map<String, Value>, key: &str| values.get(key).cloned().unwrap_or_default();
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).chain(unknown.keys()).collect();
        keys.into_iter().all(|key| {
            if unknown.get(key).is_some_and(masks_any) {
                // AWS says it anew after every change; what is configured has to be known.
                return !self.configures(&resource.address, key);
            }
            at(&before, key) == at(&after, key) || at(&after, key) == at(&known, key)
        })
    }

    /// Whether the configuration says an argument of a resource; so it is assumed of resources that are not found.
    fn configures(&self, address: &str, argument: &str) -> bool {
        let address = address.split('[').next().unwrap_or(address);
        let resources = self.configuration.pointer("/root_module/resources").and_then(Value::as_array);
        let found = resources.into_iter().flatten().find(|resource| resource["address"] == address);
        found.is_none_or(|resource| resource["expressions"].get(argument).is_some())
    }
}

impl Change {
    /// Whether nothing is done.
    fn is_idle(&self) -> bool {
        self.actions.iter().all(|action| matches!(action, Action::NoOp | Action::Read))
    }

    /// What is done.
    #[must_use]
    pub fn does(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }

    /// How many resources it adds, changes and destroys.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        [Action::Create, Action::Update, Action::Delete]
            .map(|action| usize::from(self.actions.contains(&action)))
    }

    /// Whether something is lost by it, or is let go of.
    #[must_use]
    pub fn loses(&self) -> bool {
        self.actions.contains(&Action::Delete) || self.actions.contains(&Action::Forget)
    }
}

impl std::fmt::Display for ResourceChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.address)?;
        if let Some(key) = &self.deposed {
            write!(f, " (deposed object {key})")?;
        }
        let has = |action| self.change.actions.contains(&action);
        f.write_str(match (has(Action::Create), has(Action::Delete)) {
            (true, true) => " must be replaced",
            (true, false) if has(Action::Forget) => {
                " will be created anew, and the old one no longer managed"
            }
            (true, false) => " will be created",
            (false, true) => " will be destroyed",
            (false, false) if has(Action::Update) => " will be updated in-place",
            (false, false) if has(Action::Forget) => " will no longer be managed",
            (false, false) if self.change.importing.is_some() => " will be imported",
            (false, false) => " has moved",
        })?;
        match &self.previous_address {
            Some(previous) => write!(f, " (was {previous})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(changes: &Value) -> Plan {
        let mut plan = json!({"format_version": "1.2", "planned_values": {}, "configuration": {"root_module": {"resources": [
            {"address": "aws_sqs_queue.a", "expressions": {"name": {}, "tags": {}, "kms_master_key_id": {}}},
        ]}}});
        for (key, value) in changes.as_object().expect("keys") {
            plan[key] = value.clone();
        }
        Plan::read(&plan.to_string()).expect("a plan")
    }

    fn change(address: &str, actions: &[&str]) -> Value {
        json!({"address": address, "change": {"actions": actions, "before": {"name": "q"}, "after": {"name": "q"}}})
    }

    fn beyond(shown: &[Value], next: &[Value]) -> Vec<String> {
        let shown = [plan(&json!({"resource_changes": shown}))];
        plan(&json!({"resource_changes": next})).beyond(&shown).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_was_shown_may_be_done_and_nothing_else() {
        let update = || change("aws_sqs_queue.a", &["update"]);
        assert!(beyond(&[update()], &[update()]).is_empty());
        assert!(
            beyond(&[], &[change("aws_sqs_queue.a", &["no-op"]), change("data.aws_region.a", &["read"])])
                .is_empty()
        );
        // In whatever order it is replaced.
        let (one, other) = (["delete", "create"], ["create", "delete"]);
        assert!(beyond(&[change("aws_sqs_queue.a", &one)], &[change("aws_sqs_queue.a", &other)]).is_empty());
        for (shown, next) in [
            (vec![], change("aws_sqs_queue.a", &["create"])),
            (vec![], change("aws_sqs_queue.a", &["delete"])),
            (vec![], update()),
            (vec![update()], change("aws_sqs_queue.a", &["delete", "create"])),
            (vec![update()], change("aws_sqs_queue.a", &["forget"])),
            (
                vec![change("aws_sqs_queue.a[\"x\"]", &["update"])],
                change("aws_sqs_queue.a[\"y\"]", &["update"]),
            ),
        ] {
            assert_eq!(beyond(&shown, std::slice::from_ref(&next)).len(), 1, "{next}");
        }
        let mut deposed = change("aws_sqs_queue.a", &["delete"]);
        deposed["deposed"] = json!("ab12");
        assert_eq!(
            beyond(&[change("aws_sqs_queue.a", &["delete"])], &[deposed]),
            ["aws_sqs_queue.a (deposed object ab12) will be destroyed"]
        );
    }

    /// A queue whose attributes were these, are those, and would be the last ones.
    fn drifted(was: &Value, is: &Value, will: &Value, unknown: &Value) -> bool {
        let drift = json!({"address": "aws_sqs_queue.a", "change": {"actions": ["update"], "before": was, "after": is}});
        let undo = json!({"address": "aws_sqs_queue.a",
            "change": {"actions": ["update"], "before": is, "after": will, "after_unknown": unknown}});
        plan(&json!({"resource_drift": [drift], "resource_changes": [undo]})).beyond(&[]).is_empty()
    }

    #[test]
    fn drift_is_undone_in_place_and_nothing_is_changed_beside_it() {
        let (was, is) = (json!({"name": "q", "tags": {"Owner": "a"}}), json!({"name": "q", "tags": null}));
        assert!(drifted(&was, &is, &was, &json!({})));
        // What AWS tells after a change is not known before it.
        assert!(drifted(&was, &is, &was, &json!({"arn": true, "policies": [{"id": true}]})));
        assert!(
            !drifted(&was, &is, &json!({"name": "q"}), &json!({"tags": true})),
            "configured, and not known"
        );
        let renamed = json!({"name": "r", "tags": {"Owner": "a"}});
        assert!(!drifted(&was, &is, &renamed, &json!({})), "a change that nobody saw, beside drift");
        let other = json!({"name": "q", "tags": {"Owner": "b"}});
        assert!(!drifted(&was, &is, &other, &json!({})), "neither as it was nor as it is");
    }

    #[test]
    fn a_resource_that_is_gone_is_not_made_again_unseen() {
        let gone = json!({"address": "aws_sqs_queue.a", "change": {"actions": ["delete"], "before": {"name": "q"}, "after": null}});
        let again = change("aws_sqs_queue.a", &["create"]);
        let next = plan(&json!({"resource_drift": [gone], "resource_changes": [again]}));
        assert_eq!(next.beyond(&[]).len(), 1);
        // Unless it was shown.
        let drift = plan(&json!({"resource_changes": [change("aws_sqs_queue.a", &["create"])]}));
        assert!(next.beyond(&[plan(&json!({})), drift]).is_empty());
    }

    #[test]
    fn what_is_no_plan_is_not_taken_for_one() {
        let no = |text: &str| Plan::read(text).expect_err(text);
        assert_eq!(no(" \n"), NoPlan::Empty);
        assert_eq!(no("No changes. Your infrastructure matches the configuration.\n"), NoPlan::Prose);
        assert_eq!(no("\u{1b}[1mPlan:\u{1b}[0m 1 to add\n"), NoPlan::Prose);
        assert_eq!(no("Error: Unsupported argument\n"), NoPlan::Prose);
        // A state, a schema, another list, and a plan of another age.
        for other in [
            r#"{"format_version": "1.0", "terraform_version": "1.11.4", "values": {}}"#,
            r#"{"format_version": "1.0", "provider_schemas": {}}"#,
            r#"[]"#,
            r#"{"format_version": "1.2", "planned_values": {}, "resource_changes": [{"address": "a.b", "change": {"actions": ["burn"]}}]}"#,
        ] {
            assert!(matches!(no(other), NoPlan::Other(_)), "{other}");
        }
        assert_eq!(
            no(r#"{"format_version": "2.0", "planned_values": {}}"#),
            NoPlan::Version("2.0".to_owned())
        );
        assert_eq!(
            no(r#"{"format_version": "1.2", "planned_values": {}, "errored": true}"#),
            NoPlan::Errored
        );
    }
}
