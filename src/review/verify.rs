//! A plan held to the changes that were reviewed.

use serde_json::json;

use super::change::Action;
use super::same::differences;
use super::{Change, Review};
use crate::plan::{self, Plan, ResourceChange};

/// What of a plan was foreseen, and what else is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// What was reviewed, a line each.
    pub foreseen: Vec<String>,
    /// Updates in place that bring back what was changed elsewhere.
    pub drift: Vec<String>,
    /// Updates of which every value is proved to be the same.
    pub noise: Vec<String>,
    /// What was reviewed and whose values are known only after apply.
    pub unknown: Vec<String>,
    /// What nobody reviewed, and why it counts as such.
    pub unforeseen: Vec<String>,
}

impl Review {
    /// Holds a plan to what was reviewed.
    #[must_use]
    pub fn verify(&self, plan: &Plan) -> Verified {
        let mut verified = Verified::default();
        for resource in plan.actions() {
            let reviewed = self.changes.iter().find(|change| change.address == resource.address);
            judge(plan, resource, reviewed, &mut verified);
        }
        verified
    }
}

fn judge(plan: &Plan, resource: &ResourceChange, reviewed: Option<&Change>, verified: &mut Verified) {
    let does = |action| resource.change.does(action);
    let may = |actions: &[Action]| reviewed.is_some_and(|change| actions.contains(&change.action));
    let allowed = if does(plan::Action::Delete) {
        if does(plan::Action::Create) || resource.deposed.is_some() {
            may(&[Action::Replace, Action::MayReplace])
        } else {
            may(&[Action::Destroy, Action::Replace, Action::MayReplace])
        }
    } else if does(plan::Action::Forget) {
        may(&[Action::Forget])
    } else if does(plan::Action::Create) {
        // A replacement that failed half-way is a creation now.
        may(&[Action::Create, Action::Replace, Action::MayReplace])
    } else {
        return update(plan, resource, reviewed, verified);
    };
    if allowed {
        verified.foreseen.push(resource.to_string());
    } else {
        let instead = reviewed.map_or_else(
            || "which nobody reviewed".to_owned(),
            |change| format!("and what was reviewed is to {}", word(change.action)),
        );
        verified.unforeseen.push(format!("{resource}, {instead}"));
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Keep => "change nothing in AWS",
        Action::Move => "move it",
        Action::Create => "create it",
        Action::Update => "update it in place",
        Action::Forget => "no longer manage it",
        Action::MayReplace | Action::Replace => "replace it",
        Action::Destroy => "destroy it",
    }
}

/// An update in place: every argument that it changes was reviewed, is drift that is undone, or is the same.
fn update(plan: &Plan, resource: &ResourceChange, reviewed: Option<&Change>, verified: &mut Verified) {
    let kind = kind(&resource.address);
    let mut arguments = plan.arguments(resource);
    arguments.retain(|argument| {
        let body = |value: &serde_json::Value| json!({argument.name: value});
        argument.unknown || !differences(kind, &body(argument.before), &body(argument.after)).is_empty()
    });
    let top = |path: &str| path.split('.').next().unwrap_or_default().to_owned();
    let foreseen: Vec<String> = reviewed
        .iter()
        .flat_map(|change| &change.attributes)
        .map(|attribute| top(&attribute.argument))
        .collect();
    let was_reviewed = |name: &str| {
        foreseen.iter().any(|path| path == name || (name == "tags_all" && path == "tags"))
            || reviewed.is_some_and(|change| matches!(change.action, Action::Replace | Action::Create))
    };
    let beyond: Vec<&str> =
        arguments.iter().map(|argument| argument.name).filter(|name| !was_reviewed(name)).collect();
    if !beyond.is_empty() {
        verified.unforeseen.push(format!("{resource}: nobody reviewed its `{}`", beyond.join("`, `")));
    } else if arguments.is_empty() && plan.undoes_drift(resource) {
        verified.drift.push(resource.to_string());
    } else if arguments.is_empty() && reviewed.is_none() {
        verified.noise.push(resource.to_string());
    } else {
        let later: Vec<&str> = arguments.iter().filter(|a| a.unknown).map(|argument| argument.name).collect();
        if !later.is_empty() {
            verified.unknown.push(format!("{resource}: `{}`", later.join("`, `")));
        }
        verified.foreseen.push(resource.to_string());
    }
}

/// The type of an address.
fn kind(address: &str) -> &str {
    address.split('[').next().unwrap_or(address).rsplit('.').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use terraform::query::View;

    use super::*;

    fn view(retention: Option<u32>, more: Value) -> View {
        let mut resources =
            json!({"aws_sqs_queue": {"q": {"name": "q"}}, "aws_lb": {"a": {"name": "a", "internal": true}}});
        if let Some(days) = retention {
            resources["aws_cloudwatch_log_group"] = json!({"g": {"name": "g", "retention_in_days": days}});
        }
        for (kind, value) in more.as_object().expect("types") {
            resources[kind] = value.clone();
        }
        View::of_files([("a", json!({"resource": resources}).to_string().as_str())]).expect("a module")
    }

    fn plan(changes: Value, drift: Value) -> Plan {
        let configured =
            json!({"name": {}, "retention_in_days": {}, "internal": {}, "tags": {}, "policy": {}});
        let of = |address: &str| json!({"address": address, "expressions": configured});
        let text = json!({"format_version": "1.2", "planned_values": {}, "resource_changes": changes, "resource_drift": drift,
            "configuration": {"root_module": {"resources": [of("aws_cloudwatch_log_group.g"), of("aws_lb.a"), of("aws_sqs_queue.q")]}}});
        Plan::read(&text.to_string()).expect("a plan")
    }

    fn change(address: &str, actions: Value, before: Value, after: Value) -> Value {
        json!({"address": address, "change": {"actions": actions, "before": before, "after": after, "after_unknown": {}}})
    }

    fn reviewed() -> Review {
        let table = r#"{"types": {"aws_cloudwatch_log_group": {"retention_in_days": "u"}}}"#;
        let table = aws::schema::Replacement::read(table).expect("a table");
        Review::by(
            &view(Some(400), json!({})),
            &view(Some(30), json!({"aws_sns_topic": {"t": {"name": "t"}}})),
            &table,
        )
    }

    #[test]
    fn what_was_reviewed_passes_and_anything_else_fails() {
        let group = "aws_cloudwatch_log_group.g";
        let foreseen = [
            change(
                group,
                json!(["update"]),
                json!({"name": "g", "retention_in_days": 400}),
                json!({"name": "g", "retention_in_days": 30}),
            ),
            change("aws_sns_topic.t", json!(["create"]), json!(null), json!({"name": "t"})),
        ];
        let verified = reviewed().verify(&plan(json!(foreseen), json!([])));
        assert_eq!((verified.foreseen.len(), verified.unforeseen.len()), (2, 0), "{verified:?}");
        for beyond in [
            change("aws_lb.a", json!(["delete"]), json!({"name": "a"}), json!(null)),
            change("aws_lb.a", json!(["delete", "create"]), json!({"name": "a"}), json!({"name": "a"})),
            change("aws_lb.a", json!(["update"]), json!({"internal": true}), json!({"internal": false})),
            change(group, json!(["delete", "create"]), json!({"name": "g"}), json!({"name": "g"})),
            change(group, json!(["update"]), json!({"tags": {"a": "b"}}), json!({"tags": {}})),
            change("aws_sns_topic.u", json!(["create"]), json!(null), json!({"name": "u"})),
            change("aws_sns_topic.t", json!(["delete"]), json!({"name": "t"}), json!(null)),
        ] {
            let verified = reviewed().verify(&plan(json!([beyond]), json!([])));
            assert_eq!((verified.foreseen.len(), verified.unforeseen.len()), (0, 1), "{beyond} {verified:?}");
        }
    }

    #[test]
    fn drift_and_noise_pass_and_are_told_apart() {
        let (was, is) = (json!({"name": "q", "tags": {"a": "b"}}), json!({"name": "q", "tags": null}));
        let drift = change("aws_sqs_queue.q", json!(["update"]), was.clone(), is.clone());
        let undone = change("aws_sqs_queue.q", json!(["update"]), is, was);
        let verified = reviewed().verify(&plan(json!([undone]), json!([drift])));
        assert_eq!((verified.drift.len(), verified.unforeseen.len()), (1, 0), "{verified:?}");

        let policy = |actions: Value| json!({"policy": json!({"Statement": [{"Effect": "Allow", "Action": actions}]}).to_string()});
        let update = |a, b| {
            plan(json!([change("aws_sqs_queue.q", json!(["update"]), policy(a), policy(b))]), json!([]))
        };
        let noise = reviewed().verify(&update(json!(["sqs:A", "sqs:B"]), json!(["SQS:b", "sqs:a"])));
        assert_eq!((noise.noise.len(), noise.unforeseen.len()), (1, 0), "{noise:?}");
        let twin = reviewed().verify(&update(json!(["sqs:A", "sqs:B"]), json!(["sqs:A", "sqs:C"])));
        assert_eq!((twin.noise.len(), twin.unforeseen.len()), (0, 1), "{twin:?}");
    }

    #[test]
    fn a_replacement_that_failed_half_way_goes_on() {
        let old = view(None, json!({"aws_dynamodb_table": {"t": {"name": "t", "hash_key": "a"}}}));
        let new = view(None, json!({"aws_dynamodb_table": {"t": {"name": "t", "hash_key": "b"}}}));
        let review = Review::of(&old, &new);
        for actions in [json!(["delete", "create"]), json!(["create"]), json!(["delete"])] {
            let next =
                plan(json!([change("aws_dynamodb_table.t", actions, json!({}), json!({}))]), json!([]));
            assert_eq!(review.verify(&next).unforeseen, Vec::<String>::new());
        }
    }
}
