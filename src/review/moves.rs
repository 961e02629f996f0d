//! Addresses that change: `moved` blocks that are there, and those that could be.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use terraform::query::{Found, View};

use super::change::{Action, Change};

/// A resource that vanishes, and one like it that appears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Move {
    /// The address that vanishes.
    pub from: String,
    /// The one that appears.
    pub to: String,
}

/// The old module with the addresses that the new one gives it, and those that it had before, by the new ones.
pub(super) fn renamed(old: &View, new: &View) -> (View, BTreeMap<String, String>) {
    let (mut view, mut moved) = (old.clone(), BTreeMap::new());
    for (from, to) in &new.moved {
        if view.blocks.contains_key(to) {
            continue;
        }
        let Some(block) = view.blocks.remove(from) else { continue };
        view.blocks.insert(to.clone(), block);
        // A chain of moves began at its first address.
        let first = moved.remove(from).unwrap_or_else(|| from.clone());
        moved.insert(to.clone(), first);
        for block in view.blocks.values_mut() {
            readdress(&mut block.body, from, to);
            block.meta.values_mut().for_each(|value| readdress(value, from, to));
        }
    }
    (view, moved)
}

/// Puts another address in wherever a text refers to one.
fn readdress(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text.contains(from) => {
            let mut rest = text.as_str();
            let mut done = String::new();
            while let Some(at) = rest.find(from) {
                let (before, after) = (&rest[..at], &rest[at + from.len()..]);
                let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                let begins = !before.ends_with(|c| part(c) || c == '.');
                let ends = !after.starts_with(part);
                done.push_str(before);
                done.push_str(if begins && ends { to } else { from });
                rest = after;
            }
            *text = done + rest;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| readdress(item, from, to)),
        Value::Object(entries) => entries.values_mut().for_each(|value| readdress(value, from, to)),
        _ => {}
    }
}

/// What vanishes and appears again, the same but for its address: each only where there is one such pair.
pub(super) fn proposals(old: &View, new: &View, changes: &[Change]) -> Vec<Move> {
    let of = |action: Action| changes.iter().filter(move |change| change.action == action);
    let mut appeared: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for change in of(Action::Create) {
        if let Some(block) = new.blocks.get(&change.address) {
            appeared.entry(likeness(&change.address, block)).or_default().push(&change.address);
        }
    }
    let mut vanished: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for change in of(Action::Destroy) {
        if let Some(block) = old.blocks.get(&change.address) {
            vanished.entry(likeness(&change.address, block)).or_default().push(&change.address);
        }
    }
    let pair = |(key, from): (&String, &Vec<&str>)| match (from.as_slice(), appeared.get(key)?.as_slice()) {
        ([from], [to]) => Some(Move { from: (*from).to_owned(), to: (*to).to_owned() }),
        _ => None,
    };
    vanished.iter().filter_map(pair).collect()
}

/// What is the same in two resources that differ by their addresses alone.
fn likeness(address: &str, block: &Found) -> String {
    let mut body = block.body.clone();
    readdress(&mut body, address, "itself");
    let body = super::same::whole(&block.kind, &body);
    format!("{} {body}", block.kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::review::Review;

    fn module(file: &Value) -> View {
        View::of_files([("a", file.to_string().as_str())]).expect("a module")
    }

    fn table(name: &str, more: Value) -> Value {
        let mut file = json!({"resource": {"aws_dynamodb_table": {name: {"name": "t", "hash_key": "k"}},
            "aws_dynamodb_table_item": {"i": {"table_name": format!("${{aws_dynamodb_table.{name}.name}}"), "hash_key": "k"}}}});
        if let (Some(file), Value::Object(more)) = (file.as_object_mut(), more) {
            file.extend(more);
        }
        file
    }

    #[test]
    fn a_rename_is_offered_and_once_said_it_is_no_loss() {
        let (old, new) = (module(&table("a", json!({}))), module(&table("b", json!({}))));
        let review = Review::of(&old, &new);
        let from_to = |from: &str, to: &str| Move { from: from.to_owned(), to: to.to_owned() };
        assert_eq!(review.moves, [from_to("aws_dynamodb_table.a", "aws_dynamodb_table.b")]);
        assert!(!review.findings.is_empty());

        let moved = json!({"moved": [{"from": "aws_dynamodb_table.a", "to": "aws_dynamodb_table.b"}]});
        let said = module(&table("b", moved));
        let review = Review::of(&old, &said);
        let found: Vec<_> = review.changes.iter().map(|c| (c.address.as_str(), c.action)).collect();
        assert_eq!(found, [("aws_dynamodb_table.b", Action::Move)]);
        assert_eq!(review.changes[0].previous.as_deref(), Some("aws_dynamodb_table.a"));
        assert!(review.findings.is_empty() && review.moves.is_empty());
        assert!(Review::of(&said, &said).is_empty(), "a move that is over");
    }

    #[test]
    fn what_differs_or_is_not_alone_is_not_offered() {
        let tables = |names: &[&str], key: &str| {
            let all: serde_json::Map<String, Value> = names
                .iter()
                .map(|name| ((*name).to_owned(), json!({"name": "t", "hash_key": key})))
                .collect();
            module(&json!({"resource": {"aws_dynamodb_table": all}}))
        };
        assert_eq!(Review::of(&tables(&["a"], "k"), &tables(&["b"], "l")).moves, []);
        assert_eq!(Review::of(&tables(&["a"], "k"), &tables(&["b", "c"], "k")).moves, []);
    }

    #[test]
    fn what_is_no_longer_managed_stays() {
        let old = module(&table("a", json!({})));
        let kept =
            module(&json!({"removed": [{"from": "aws_dynamodb_table.a", "lifecycle": {"destroy": false}},
            {"from": "aws_dynamodb_table_item.i"}]}));
        let actions: Vec<Action> =
            Review::of(&old, &kept).changes.iter().map(|change| change.action).collect();
        assert_eq!(actions, [Action::Forget, Action::Destroy]);
    }

    #[test]
    fn addresses_are_told_apart_by_their_ends() {
        let mut value = json!(["${a.b.id} ${a.bc.id} ${x.a.b}", {"k": "${a.b}"}]);
        readdress(&mut value, "a.b", "a.z");
        assert_eq!(value, json!(["${a.z.id} ${a.bc.id} ${x.a.b}", {"k": "${a.z}"}]));
    }
}
