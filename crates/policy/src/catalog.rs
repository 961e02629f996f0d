//! AWS's own list of actions, with the resource types and condition keys of each, as recorded.
//!
//! `cargo xtask actions` records it for the services that generated policies name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::document::{Policy, Statement};
use crate::request::Context;
use crate::text::{Pattern, Text, Wildcards};
use crate::truth::Truth;

/// The recorded list.
#[derive(Debug, Deserialize)]
pub struct Catalog {
    /// Where it comes from: package and version.
    pub source: String,
    /// The day on which it was recorded: `2026-11-30`.
    pub recorded: String,
    /// Condition keys that no service owns, some ending in `/` where a name follows.
    global_keys: Vec<String>,
    services: BTreeMap<String, Service>,
}

/// A service by its prefix.
#[derive(Debug, Deserialize)]
pub struct Service {
    /// Resource types by name, with their ARNs: `arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}`.
    resources: BTreeMap<String, String>,
    /// Sets of condition keys, which actions share.
    key_sets: Vec<String>,
    actions: BTreeMap<String, Row>,
}

/// Level, resource types, and the place of the condition keys in the list of sets.
#[derive(Debug, Deserialize)]
struct Row(String, String, usize);

/// An action that AWS knows.
#[derive(Clone, Copy, Debug)]
pub struct Action<'c> {
    /// As in a policy: `kms:Decrypt`.
    pub service: &'c str,
    /// Without its service: `Decrypt`.
    pub name: &'c str,
    /// `Read`, `List`, `Write`, `Tagging` or `Permissions management`.
    pub level: &'c str,
    row: &'c Row,
    of: &'c Service,
}

impl<'c> Action<'c> {
    /// The ARNs of its resources, with `${…}` for what differs; of none, it knows no resource but `*`.
    pub fn resource_arns(&self) -> impl Iterator<Item = &'c str> {
        let of = self.of;
        self.row.1.split_whitespace().filter_map(|name| of.resources.get(name)).map(String::as_str)
    }

    /// The condition keys that a request of it can hold, the global ones left out.
    pub fn condition_keys(&self) -> impl Iterator<Item = &'c str> {
        self.of.key_sets.get(self.row.2).map(String::as_str).unwrap_or_default().split_whitespace()
    }
}

impl std::fmt::Display for Action<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

impl Catalog {
    /// The list that is checked in.
    ///
    /// # Panics
    /// Where it cannot be read, which a test of this crate rules out.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a checked-in file that a test reads")]
    pub fn recorded() -> &'static Self {
        static RECORDED: OnceLock<Catalog> = OnceLock::new();
        RECORDED.get_or_init(|| {
            serde_json::from_str(include_str!("../../aws/schema/actions.json"))
                .expect("the recorded list of actions")
        })
    }

    /// The actions of all services, or of one.
    pub fn actions(&self, service: Option<&str>) -> impl Iterator<Item = Action<'_>> {
        let services = self.services.iter();
        let wanted = services.filter(move |(name, _)| service.is_none_or(|wanted| wanted == name.as_str()));
        wanted.flat_map(|(name, service)| {
            let actions = service.actions.iter();
            actions.map(move |(action, row)| Action {
                service: name,
                name: action,
                level: &row.0,
                row,
                of: service,
            })
        })
    }

    /// The actions that a pattern means: `kms:*Alias`.
    pub fn matching(&self, pattern: &Text) -> Vec<Action<'_>> {
        let service = pattern.to_string().split_once(':').map(|(service, _)| service.to_lowercase());
        let service = service.filter(|service| !service.contains(['*', '?']));
        // Most patterns are a name, or its beginning.
        let simple = pattern.known().map(|text| text.to_lowercase());
        let simple = simple.filter(|text| !text.trim_end_matches('*').contains(['*', '?']));
        let pattern = Pattern::plain(pattern, Wildcards::Are);
        let means = |action: &Action<'_>| match &simple {
            Some(text) => {
                let name = action.to_string().to_lowercase();
                let beginning = text.trim_end_matches('*');
                if beginning == text { name == *text } else { name.starts_with(beginning) }
            }
            None => pattern.matches_ignoring_case(&Text::from(action.to_string())) == Truth::Yes,
        };
        let actions: Vec<Action<'_>> = self.actions(service.as_deref()).collect();
        actions.into_iter().filter(means).collect()
    }

    /// What a policy names that AWS does not know: an action, a resource that none of a statement's actions has, a condition
    /// key that none of their requests holds. One line each.
    #[must_use]
    pub fn faults(&self, policy: &Policy) -> Vec<String> {
        policy.statements.iter().flat_map(|statement| self.faults_of(statement)).collect()
    }

    fn faults_of(&self, statement: &Statement) -> Vec<String> {
        let sid = &statement.sid;
        let mut faults = Vec::new();
        let mut all = Vec::new();
        for pattern in statement.actions() {
            let matching = self.matching(pattern);
            if matching.is_empty() {
                faults.push(format!("{sid}: no action is called {pattern}"));
            }
            all.extend(matching);
        }
        if statement.actions.except || all.is_empty() {
            return faults;
        }
        for resource in statement.resources().filter(|resource| resource.known().as_deref() != Some("*")) {
            if !all.iter().any(|action| has_resource(action, resource)) {
                faults.push(format!("{sid}: none of its actions has a resource like {resource}"));
            }
        }
        let narrow = statement.resources.as_ref().is_some_and(|resources| {
            !resources.except
                && !resources.items.iter().any(|resource| resource.known().as_deref() == Some("*"))
        });
        if narrow && statement.effect == crate::document::Effect::Allow {
            for action in all.iter().filter(|action| action.resource_arns().next().is_none()) {
                // A wildcard means the actions that have such a resource.
                if statement.actions().any(|written| written.known() == Some(action.to_string())) {
                    faults.push(format!(
                        "{sid}: {action} has no resource but *, and is allowed on others alone"
                    ));
                }
            }
        }
        for key in statement.condition_keys() {
            let global = self.global_keys.iter().any(|global| same_key(global, key));
            if !global && !all.iter().any(|action| action.condition_keys().any(|known| same_key(known, key)))
            {
                faults.push(format!("{sid}: no request of its actions has the condition key {key}"));
            }
        }
        faults
    }
}

/// Whether a resource as written may be one of the action's.
fn has_resource(action: &Action<'_>, resource: &Text) -> bool {
    let written = Pattern::with_variables(resource, &Context::unknown(), Wildcards::Are);
    action.resource_arns().any(|arn| written.matches_arn(&Text::terraform(arn)) != Truth::No)
}

/// `aws:RequestTag/${TagKey}` stands for every key of tags.
fn same_key(known: &str, key: &str) -> bool {
    let (known, key) = (known.to_lowercase(), key.to_lowercase());
    match known.split_once("${") {
        Some((beginning, _)) => key.len() > beginning.len() && key.starts_with(beginning),
        None if known.ends_with('/') => key.len() > known.len() && key.starts_with(&known),
        None => known == key,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(statement: serde_json::Value) -> Vec<String> {
        let document = json!({"Statement": [statement]});
        Catalog::recorded().faults(&Policy::read(&document, &Text::terraform).expect("a policy"))
    }

    #[test]
    fn the_list_says_where_it_comes_from() {
        let catalog = Catalog::recorded();
        assert!(catalog.source.contains("iam-data") && catalog.recorded.starts_with("20"));
        assert!(catalog.actions(Some("kms")).count() > 50);
    }

    #[test]
    fn what_aws_does_not_know_is_told() {
        let sid = "A";
        assert_eq!(
            faults(
                json!({"Sid": sid, "Effect": "Allow", "Action": "access-analyzer:Describe*", "Resource": "*"})
            ),
            ["A: no action is called access-analyzer:Describe*"]
        );
        let group = "arn:aws:codedeploy:us-east-1:111122223333:deploymentgroup:a/b";
        assert_eq!(
            faults(
                json!({"Sid": sid, "Effect": "Allow", "Action": "codedeploy:ListDeploymentTargets", "Resource": group})
            ),
            [
                format!("A: none of its actions has a resource like {group}"),
                "A: codedeploy:ListDeploymentTargets has no resource but *, and is allowed on others alone"
                    .to_owned()
            ]
        );
        let condition = json!({"StringEquals": {"kms:ViaServices": "s3.us-east-1.amazonaws.com"}});
        assert_eq!(
            faults(
                json!({"Sid": sid, "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition})
            ),
            ["A: no request of its actions has the condition key kms:ViaServices"]
        );
        let sound = json!({"StringEquals": {"kms:ViaService": "a", "aws:RequestedRegion": "b"}});
        let resource = "${aws_kms_key.data.arn}";
        assert!(
            faults(
                json!({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": resource, "Condition": sound})
            )
            .is_empty()
        );
    }
}
