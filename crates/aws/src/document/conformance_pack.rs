//! Templates of conformance packs: sets of AWS's managed rules that AWS Config judges an account by as a whole.
//!
//! <https://docs.aws.amazon.com/config/latest/developerguide/custom-conformance-pack.html>

use std::borrow::Cow;

use terraform::kind::Text;
use terraform::{Expr, IntoExpr, Key, Value};

use crate::kind::ConformancePackTemplate;

/// A conformance pack of managed rules.
pub struct ConformancePack {
    rules: Vec<ManagedRule>,
}

/// One of AWS's managed rules.
/// <https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html>
pub struct ManagedRule {
    /// The rule's name, unique in the pack, such as `restricted-ssh`.
    pub name: Cow<'static, str>,
    /// The identifier that AWS knows the rule by, such as `INCOMING_SSH_DISABLED`.
    pub identifier: Cow<'static, str>,
    /// The types of the resources whose changes have the rule evaluated; none for a rule that AWS evaluates
    /// periodically, or that names its types itself.
    pub resource_types: Cow<'static, [&'static str]>,
    /// What the rule is given besides.
    pub parameters: Vec<(&'static str, Expr<Text>)>,
}

impl ConformancePack {
    /// The most bytes that a template may have.
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_PutConformancePack.html>
    pub const BYTES_MAX: usize = 51_200;

    /// The most rules that a pack may have.
    /// <https://docs.aws.amazon.com/config/latest/developerguide/configlimits.html>
    pub const RULES_MAX: usize = 130;

    /// A pack of these rules.
    pub fn new(rules: impl IntoIterator<Item = ManagedRule>) -> Self {
        Self { rules: rules.into_iter().collect() }
    }
}

fn object<const N: usize>(entries: [(&'static str, Value); N]) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (Key::Borrowed(key), value)).collect())
}

impl ManagedRule {
    /// The rule's logical id in the template: its name without hyphens, in capitalized words.
    fn logical_id(&self) -> String {
        let words = self.name.split('-').filter_map(|word| word.split_at_checked(1));
        words.map(|(first, rest)| first.to_ascii_uppercase() + rest).collect()
    }

    fn into_value(self) -> Value {
        let source =
            object([("Owner", Value::string("AWS")), ("SourceIdentifier", Value::String(self.identifier))]);
        let mut properties =
            vec![(Key::Borrowed("ConfigRuleName"), Value::String(self.name)), ("Source".into(), source)];
        if !self.resource_types.is_empty() {
            let types = self.resource_types.iter().map(|name| Value::string(*name)).collect();
            properties.push(("Scope".into(), object([("ComplianceResourceTypes", Value::List(types))])));
        }
        if !self.parameters.is_empty() {
            let parameters =
                self.parameters.into_iter().map(|(key, value)| (key.into(), value.into_value())).collect();
            properties.push(("InputParameters".into(), Value::Object(parameters)));
        }
        object([
            ("Type", Value::string("AWS::Config::ConfigRule")),
            ("Properties", Value::Object(properties)),
        ])
    }
}

impl IntoExpr<ConformancePackTemplate> for ConformancePack {
    fn into_expr(self) -> Expr<ConformancePackTemplate> {
        let resources =
            self.rules.into_iter().map(|rule| (rule.logical_id().into(), rule.into_value())).collect();
        Expr::document(object([("Resources", Value::Object(resources))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &'static str) -> ManagedRule {
        ManagedRule {
            name: name.into(),
            identifier: "SOME_CHECK".into(),
            resource_types: Cow::Borrowed(&[]),
            parameters: Vec::new(),
        }
    }

    fn properties(rule: ManagedRule) -> Value {
        let Value::Document(document) = ConformancePack::new([rule]).into_expr().into_value() else {
            panic!("a document")
        };
        let resources = document.content.get("Resources").cloned().expect("resources");
        resources.get("ApiGwv2Check1").and_then(|rule| rule.get("Properties")).cloned().expect("the rule")
    }

    #[test]
    fn a_rule_says_nothing_that_it_was_not_told() {
        let source = object([("Owner", "AWS".into()), ("SourceIdentifier", "SOME_CHECK".into())]);
        let expected = object([("ConfigRuleName", "api-gwv2-check-1".into()), ("Source", source)]);
        assert_eq!(properties(rule("api-gwv2-check-1")), expected);
    }

    #[test]
    fn a_rule_has_its_scope_and_its_parameters() {
        let told = ManagedRule {
            resource_types: Cow::Borrowed(&["AWS::S3::Bucket"]),
            parameters: vec![("days", Expr::new("90"))],
            ..rule("api-gwv2-check-1")
        };
        let properties = properties(told);
        let types = Value::List(vec!["AWS::S3::Bucket".into()]);
        assert_eq!(properties.get("Scope"), Some(&object([("ComplianceResourceTypes", types)])));
        assert_eq!(properties.get("InputParameters"), Some(&object([("days", "90".into())])));
    }
}
