//! Policy documents, read from JSON.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use std::fmt;

use serde_json::Value;

use crate::condition::Condition;
use crate::text::Text;

/// A policy: of an identity, a boundary, of a resource, or the trust of a role.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The statements in their order.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its id; its place, as `#2`, where it has none.
    pub sid: String,
    /// Whether it allows or denies.
    pub effect: Effect,
    pub(crate) principals: Option<Listed<Stated>>,
    pub(crate) actions: Listed<Text>,
    pub(crate) resources: Option<Listed<Text>>,
    pub(crate) conditions: Vec<Condition>,
}

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It allows, unless another one denies.
    Allow,
    /// It denies, whatever allows.
    Deny,
}

/// What is listed, or everything else: `Action`, or `NotAction`.
#[derive(Clone, Debug)]
pub(crate) struct Listed<T> {
    pub(crate) except: bool,
    pub(crate) items: Vec<T>,
}

/// Whom a statement of a resource's policy names.
#[derive(Clone, Debug)]
pub(crate) enum Stated {
    Anyone,
    Aws(Text),
    Service(Text),
    Federated(Text),
    /// The owner of an account by another name, which no request tells.
    Canonical,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl Policy {
    /// Reads a document, whose strings `text` reads: [`Text::from`] as AWS does, [`Text::terraform`] where Terraform has yet
    /// to resolve them.
    ///
    /// # Errors
    /// Where the document is none that IAM knows: an element or an operator of another name, an effect or a statement missing.
    pub fn read<'v>(document: &'v Value, text: &dyn Fn(&'v str) -> Text) -> Result<Self, Fault> {
        let statements = document.get("Statement").ok_or_else(|| fault("a document without Statement"))?;
        let statements = one_or_more(statements).iter().enumerate();
        let statements = statements.map(|(place, statement)| Statement::read(place, statement, text));
        Ok(Self { statements: statements.collect::<Result<_, _>>()? })
    }
}

impl Statement {
    fn read<'v>(place: usize, value: &'v Value, text: &dyn Fn(&'v str) -> Text) -> Result<Self, Fault> {
        let elements = value.as_object().ok_or_else(|| fault("a statement that is no object"))?;
        let sid = elements.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        let sid = sid.map_or_else(|| format!("#{}", place + 1), str::to_owned);
        let here = |what: &str| fault(format!("statement {sid}: {what}"));
        let mut effect = None;
        let (mut principals, mut actions, mut resources, mut conditions) = (None, None, None, Vec::new());
        for (name, element) in elements {
            let except = name.starts_with("Not");
            match name.as_str() {
                "Sid" => {}
                "Effect" => effect = effect_of(element),
                "Principal" | "NotPrincipal" => {
                    let items = stated(element, text).ok_or_else(|| here("a principal of no known kind"))?;
                    principals = Some(Listed { except, items });
                }
                "Action" | "NotAction" => actions = Some(Listed { except, items: texts(element, text)? }),
                "Resource" | "NotResource" => {
                    resources = Some(Listed { except, items: texts(element, text)? });
                }
                "Condition" => conditions = Condition::read(element, text).map_err(|what| here(&what))?,
                other => return Err(here(&format!("no element is called {other}"))),
            }
        }
        Ok(Self {
            effect: effect.ok_or_else(|| here("neither Allow nor Deny"))?,
            actions: actions.ok_or_else(|| here("no action"))?,
            sid,
            principals,
            resources,
            conditions,
        })
    }

    /// The actions as written.
    pub fn actions(&self) -> impl Iterator<Item = &Text> {
        self.actions.items.iter()
    }

    /// The resources as written.
    pub fn resources(&self) -> impl Iterator<Item = &Text> {
        self.resources.iter().flat_map(|resources| &resources.items)
    }

    /// The condition keys as written.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|condition| condition.key.as_str())
    }
}

fn effect_of(value: &Value) -> Option<Effect> {
    match value.as_str()? {
        "Allow" => Some(Effect::Allow),
        "Deny" => Some(Effect::Deny),
        _ => None,
    }
}

fn stated<'v>(value: &'v Value, text: &dyn Fn(&'v str) -> Text) -> Option<Vec<Stated>> {
    if value.as_str() == Some("*") {
        return Some(vec![Stated::Anyone]);
    }
    let mut all = Vec::new();
    for (kind, names) in value.as_object()? {
        for name in one_or_more(names) {
            let name = name.as_str()?;
            all.push(match kind.as_str() {
                "AWS" if name == "*" => Stated::Anyone,
                "AWS" => Stated::Aws(text(name)),
                "Service" => Stated::Service(text(name)),
                "Federated" => Stated::Federated(text(name)),
                "CanonicalUser" => Stated::Canonical,
                _ => return None,
            });
        }
    }
    Some(all)
}

fn texts<'v>(value: &'v Value, text: &dyn Fn(&'v str) -> Text) -> Result<Vec<Text>, Fault> {
    let read = |item: &'v Value| item.as_str().map(text).ok_or_else(|| fault(format!("{item} is no text")));
    one_or_more(value).iter().map(read).collect()
}

/// IAM takes one by itself, or a list.
pub(crate) fn one_or_more(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

fn fault(what: impl Into<String>) -> Fault {
    Fault(what.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(statement: Value) -> String {
        let document = json!({"Statement": [statement]});
        Policy::read(&document, &Text::from).expect_err("a fault").to_string()
    }

    #[test]
    fn what_iam_does_not_know_is_refused() {
        let told = refused(json!({"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resources": "*"}));
        assert_eq!(told, "statement A: no element is called Resources");
        assert_eq!(
            refused(json!({"Effect": "Permit", "Action": "s3:*"})),
            "statement #1: neither Allow nor Deny"
        );
        assert_eq!(refused(json!({"Effect": "Deny"})), "statement #1: no action");
        let told = refused(json!({"Effect": "Deny", "Action": "*", "Condition": {"StringIs": {"a:b": "c"}}}));
        assert_eq!(told, "statement #1: no operator is called StringIs");
        assert!(
            refused(json!({"Effect": "Deny", "Action": "*", "Principal": {"Aws": "*"}}))
                .contains("principal")
        );
    }
}
