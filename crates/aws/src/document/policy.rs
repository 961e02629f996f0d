//! IAM policy documents: identity, resource and trust policies, which differ in what a statement must say.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

use std::borrow::Cow;
use std::marker::PhantomData;

use terraform::kind::Text;
use terraform::{Expr, IntoExpr, Key, Value};

use crate::kind::{IdentityPolicy, ResourcePolicy, TrustPolicy};

/// A policy of kind `K`: [`IdentityPolicy`], [`ResourcePolicy`] or [`TrustPolicy`].
///
/// Statements keep their order, so that an unchanged one does not show as changed in a review.
pub struct Policy<K> {
    statements: Vec<Statement<K>>,
}

/// One statement of a policy of kind `K`.
pub struct Statement<K> {
    sid: Cow<'static, str>,
    effect: &'static str,
    principal: Option<(&'static str, Principal)>,
    actions: Vec<Value>,
    resources: Option<(&'static str, Vec<Value>)>,
    conditions: Vec<Condition>,
    kind: PhantomData<fn() -> K>,
}

/// Who a statement is about.
pub enum Principal {
    /// Everybody. In an `allow`, only with a condition that says whom.
    Anyone,
    /// AWS services, such as `ecs-tasks.amazonaws.com`.
    Services(Vec<Cow<'static, str>>),
    /// Accounts, roles and users, by ARN.
    Arns(Vec<Expr<Text>>),
    /// An identity provider, by ARN.
    Federated(Expr<Text>),
}

impl Principal {
    /// One AWS service.
    pub fn service(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Services(vec![name.into()])
    }

    /// One account, role or user.
    pub fn arn(arn: impl IntoExpr<Text>) -> Self {
        Self::Arns(vec![arn.into_expr()])
    }

    fn into_value(self) -> Value {
        let (key, values): (&'static str, Vec<Value>) = match self {
            Self::Anyone => return Value::string("*"),
            Self::Services(names) => ("Service", names.into_iter().map(Value::String).collect()),
            Self::Arns(arns) => ("AWS", arns.into_iter().map(Expr::into_value).collect()),
            Self::Federated(arn) => ("Federated", vec![arn.into_value()]),
        };
        Value::Object(vec![(Key::Borrowed(key), Value::List(values))])
    }
}

/// A condition of a statement: all must hold; of several values of one condition, any.
pub struct Condition {
    operator: &'static str,
    key: Cow<'static, str>,
    values: Vec<Value>,
}

macro_rules! conditions {
    ($($(#[$doc:meta])* $name:ident = $operator:literal;)*) => {
        impl Condition {
            $(
                $(#[$doc])*
                pub fn $name<V: IntoExpr<Text>>(
                    key: impl Into<Cow<'static, str>>,
                    values: impl IntoIterator<Item = V>,
                ) -> Self {
                    let values = values.into_iter().map(|v| v.into_expr().into_value()).collect();
                    Self { operator: $operator, key: key.into(), values }
                }
            )*
        }
    };
}
conditions! {
    /// The text equals one of the values.
    string_equals = "StringEquals";
    /// The text equals none of the values.
    string_not_equals = "StringNotEquals";
    /// As [`Condition::string_equals`], and also where the key is absent.
    string_equals_if_exists = "StringEqualsIfExists";
    /// As [`Condition::string_not_equals`], and also where the key is absent.
    string_not_equals_if_exists = "StringNotEqualsIfExists";
    /// The text matches one of the patterns, with `*` and `?`.
    string_like = "StringLike";
    /// The text matches none of the patterns.
    string_not_like = "StringNotLike";
    /// The ARN equals one of the values.
    arn_equals = "ArnEquals";
    /// The ARN matches one of the patterns.
    arn_like = "ArnLike";
    /// The ARN matches none of the patterns.
    arn_not_like = "ArnNotLike";
    /// The number is below the value.
    numeric_less_than = "NumericLessThan";
    /// The address lies in one of the ranges.
    ip_address = "IpAddress";
    /// Each of the request's values equals one of these.
    for_all_values_string_equals = "ForAllValues:StringEquals";
    /// Some of the request's values equals one of these.
    for_any_value_string_equals = "ForAnyValue:StringEquals";
    /// Some of the request's values equals none of these.
    for_any_value_string_not_equals = "ForAnyValue:StringNotEquals";
}

impl Condition {
    /// The key is this boolean.
    pub fn bool(key: impl Into<Cow<'static, str>>, value: bool) -> Self {
        let value = if value { "true" } else { "false" };
        Self { operator: "Bool", key: key.into(), values: vec![Value::string(value)] }
    }

    /// The key is this boolean, or absent from the request.
    pub fn bool_if_exists(key: impl Into<Cow<'static, str>>, value: bool) -> Self {
        Self { operator: "BoolIfExists", ..Self::bool(key, value) }
    }

    /// Whether the key is absent from the request.
    pub fn null(key: impl Into<Cow<'static, str>>, absent: bool) -> Self {
        Self { operator: "Null", ..Self::bool(key, absent) }
    }
}

impl Statement<ResourcePolicy> {
    /// Whoever has one of these ARNs when they ask. A role that a policy names as principal is kept by the id that it has
    /// now: a later one of the same name is another, and a policy that names none that exists is refused.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-roles>
    #[must_use]
    pub fn of_arns<V: IntoExpr<Text>>(self, arns: impl IntoIterator<Item = V>) -> Self {
        self.when(Condition::arn_equals("aws:PrincipalArn", arns))
    }
}

impl<K> Statement<K> {
    fn new(sid: Cow<'static, str>, effect: &'static str, actions: Vec<Value>) -> Self {
        Self {
            sid,
            effect,
            principal: None,
            actions,
            resources: None,
            conditions: Vec::new(),
            kind: PhantomData,
        }
    }

    /// Only when the condition holds as well.
    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// On everything but these resources, in place of those given: the element `NotResource`.
    #[must_use]
    pub fn except<R: IntoExpr<Text>>(mut self, resource: impl IntoIterator<Item = R>) -> Self {
        self.resources = resources(resource).map(|(_, values)| ("NotResource", values));
        self
    }

    fn into_value(self) -> Value {
        let mut entries: Vec<(Key, Value)> =
            vec![("Sid".into(), Value::String(self.sid)), ("Effect".into(), Value::string(self.effect))];
        entries.extend(self.principal.map(|(key, principal)| (Key::Borrowed(key), principal.into_value())));
        entries.push(("Action".into(), Value::List(self.actions)));
        entries.extend(self.resources.map(|(key, resources)| (Key::Borrowed(key), Value::List(resources))));
        if !self.conditions.is_empty() {
            entries.push(("Condition".into(), conditions_value(self.conditions)));
        }
        Value::Object(entries)
    }
}

/// Conditions by operator, and by key within each.
fn conditions_value(conditions: Vec<Condition>) -> Value {
    let mut operators: Vec<(Key, Value)> = Vec::new();
    for Condition { operator, key, mut values } in conditions {
        let value = if values.len() == 1 { values.remove(0) } else { Value::List(values) };
        match operators.iter_mut().find(|(name, _)| name == operator) {
            Some((_, Value::Object(keys))) => keys.push((key, value)),
            _ => operators.push((Key::Borrowed(operator), Value::Object(vec![(key, value)]))),
        }
    }
    Value::Object(operators)
}

fn actions(actions: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Vec<Value> {
    actions.into_iter().map(|a| Value::String(a.into())).collect()
}

fn resources<R: IntoExpr<Text>>(
    resources: impl IntoIterator<Item = R>,
) -> Option<(&'static str, Vec<Value>)> {
    Some(("Resource", resources.into_iter().map(|r| r.into_expr().into_value()).collect()))
}

impl Statement<IdentityPolicy> {
    /// Allows the bearer these actions on these resources.
    ///
    /// `sid` holds letters and digits only and is unique within the policy.
    pub fn allow<A: Into<Cow<'static, str>>, R: IntoExpr<Text>>(
        sid: impl Into<Cow<'static, str>>,
        action: impl IntoIterator<Item = A>,
        resource: impl IntoIterator<Item = R>,
    ) -> Self {
        Self { resources: resources(resource), ..Self::new(sid.into(), "Allow", actions(action)) }
    }

    /// Denies the bearer these actions on these resources, whatever else allows them.
    pub fn deny<A: Into<Cow<'static, str>>, R: IntoExpr<Text>>(
        sid: impl Into<Cow<'static, str>>,
        action: impl IntoIterator<Item = A>,
        resource: impl IntoIterator<Item = R>,
    ) -> Self {
        Self { effect: "Deny", ..Self::allow(sid, action, resource) }
    }

    /// Denies the bearer these actions on everything but these resources: the element `NotResource`.
    pub fn deny_except<A: Into<Cow<'static, str>>, R: IntoExpr<Text>>(
        sid: impl Into<Cow<'static, str>>,
        action: impl IntoIterator<Item = A>,
        resource: impl IntoIterator<Item = R>,
    ) -> Self {
        let resources = resources(resource).map(|(_, values)| ("NotResource", values));
        Self { resources, ..Self::new(sid.into(), "Deny", actions(action)) }
    }
}

impl Statement<ResourcePolicy> {
    /// Allows the principal these actions on these resources: the one that bears the policy, or parts of it.
    pub fn allow<A: Into<Cow<'static, str>>, R: IntoExpr<Text>>(
        sid: impl Into<Cow<'static, str>>,
        principal: Principal,
        action: impl IntoIterator<Item = A>,
        resource: impl IntoIterator<Item = R>,
    ) -> Self {
        let principal = Some(("Principal", principal));
        Self { principal, resources: resources(resource), ..Self::new(sid.into(), "Allow", actions(action)) }
    }

    /// Denies the principal these actions, whatever else allows them.
    pub fn deny<A: Into<Cow<'static, str>>, R: IntoExpr<Text>>(
        sid: impl Into<Cow<'static, str>>,
        principal: Principal,
        action: impl IntoIterator<Item = A>,
        resource: impl IntoIterator<Item = R>,
    ) -> Self {
        Self { effect: "Deny", ..Self::allow(sid, principal, action, resource) }
    }

    /// Without the `Resource` element, as ECR repository policies are written: the bearer itself is meant.
    #[must_use]
    pub fn on_itself(mut self) -> Self {
        self.resources = None;
        self
    }
}

impl Statement<TrustPolicy> {
    /// Allows the principal to assume the role.
    pub fn assume(sid: impl Into<Cow<'static, str>>, principal: Principal) -> Self {
        let action = match principal {
            Principal::Federated(_) => "sts:AssumeRoleWithWebIdentity",
            _ => "sts:AssumeRole",
        };
        Self {
            principal: Some(("Principal", principal)),
            ..Self::new(sid.into(), "Allow", actions([action]))
        }
    }
}

impl<K> Policy<K> {
    /// A policy of these statements, in this order.
    pub fn new(statements: impl IntoIterator<Item = Statement<K>>) -> Self {
        Self { statements: statements.into_iter().collect() }
    }

    fn into_value(self) -> Value {
        let statements = self.statements.into_iter().map(Statement::into_value).collect();
        Value::Object(vec![
            ("Version".into(), Value::string("2012-10-17")),
            ("Statement".into(), Value::List(statements)),
        ])
    }
}

impl IntoExpr<IdentityPolicy> for Policy<IdentityPolicy> {
    fn into_expr(self) -> Expr<IdentityPolicy> {
        Expr::document(self.into_value())
    }
}

impl IntoExpr<ResourcePolicy> for Policy<ResourcePolicy> {
    fn into_expr(self) -> Expr<ResourcePolicy> {
        Expr::document(self.into_value())
    }
}

impl IntoExpr<TrustPolicy> for Policy<TrustPolicy> {
    fn into_expr(self) -> Expr<TrustPolicy> {
        Expr::document(self.into_value())
    }
}
