//! Lifecycle policies of image repositories.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html>

use std::borrow::Cow;

use terraform::{Expr, IntoExpr, Value};

use crate::kind::EcrLifecyclePolicy;

/// Which images expire, and when. Rules apply in their order: what one selects, whether it expires or not, no later one can
/// expire; those that count images count it all the same.
pub struct LifecyclePolicy {
    rules: Vec<Rule>,
}

/// One rule of a policy.
pub struct Rule {
    /// What the rule is for.
    pub description: Cow<'static, str>,
    /// Which images it looks at.
    pub selection: Selection,
    /// Which of them expire.
    pub expire: Expire,
}

/// Which images a rule looks at.
pub enum Selection {
    /// Images without a tag.
    Untagged,
    /// Images of which a tag matches each of these patterns, in which `*` stands for any text.
    Tagged(Vec<Cow<'static, str>>),
    /// Every image. AWS takes it in the last rule only.
    Any,
}

/// Which of a rule's images expire.
pub enum Expire {
    /// Those pushed more than this many days ago, at least 1.
    AfterDays(u32),
    /// The oldest, until this many are left, at least 1.
    BeyondCount(u32),
}

impl LifecyclePolicy {
    /// A policy of these rules, the first of which goes first.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self { rules: rules.into_iter().collect() }
    }

    fn into_value(self) -> Value {
        let rules = (1_u32..).zip(self.rules).map(|(priority, rule)| rule.into_value(priority)).collect();
        Value::Object(vec![("rules".into(), Value::List(rules))])
    }
}

impl Rule {
    fn into_value(self, priority: u32) -> Value {
        let expire = Value::Object(vec![("type".into(), Value::string("expire"))]);
        let mut selection = self.selection.into_entries();
        selection.extend(self.expire.into_entries());
        Value::Object(vec![
            ("rulePriority".into(), Value::Number(priority.into())),
            ("description".into(), Value::String(self.description)),
            ("selection".into(), Value::Object(selection)),
            ("action".into(), expire),
        ])
    }
}

type Entries = Vec<(terraform::Key, Value)>;

impl Selection {
    fn into_entries(self) -> Entries {
        let status = |status| ("tagStatus".into(), Value::string(status));
        match self {
            Self::Untagged => vec![status("untagged")],
            Self::Any => vec![status("any")],
            Self::Tagged(patterns) => {
                let patterns = patterns.into_iter().map(Value::String).collect();
                vec![status("tagged"), ("tagPatternList".into(), Value::List(patterns))]
            }
        }
    }
}

impl Expire {
    fn into_entries(self) -> Entries {
        let count = |kind, number: u32| {
            vec![
                ("countType".into(), Value::string(kind)),
                ("countNumber".into(), Value::Number(number.into())),
            ]
        };
        match self {
            Self::BeyondCount(number) => count("imageCountMoreThan", number),
            Self::AfterDays(days) => {
                let mut entries = count("sinceImagePushed", days);
                entries.push(("countUnit".into(), Value::string("days")));
                entries
            }
        }
    }
}

impl IntoExpr<EcrLifecyclePolicy> for LifecyclePolicy {
    fn into_expr(self) -> Expr<EcrLifecyclePolicy> {
        Expr::document(self.into_value())
    }
}
