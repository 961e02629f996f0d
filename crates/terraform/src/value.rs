//! Untyped values: what a typed block comes down to before it is rendered.

use std::borrow::Cow;

use crate::{Expr, Expression};

/// The name of an argument or the key of a map. Argument names are static, map keys mostly are not.
pub type Key = Cow<'static, str>;

/// A value of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An explicit `null`: the argument is present and unset.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer or a float.
    Number(Number),
    /// Literal text. Template characters in it are escaped when it is rendered.
    String(Cow<'static, str>),
    /// A list, a set, or a sequence of nested blocks.
    List(Vec<Value>),
    /// An object, a map, or a nested block. Keys keep the order in which they were written.
    Object(Vec<(Key, Value)>),
    /// Something that Terraform evaluates.
    Expression(Box<Expression>),
    /// A JSON document in a string argument, such as an IAM policy.
    Document(Box<Document>),
}

/// A JSON document that an argument carries as a string.
///
/// It is rendered as a local value of its own and passed through `jsonencode`, so that a reviewer sees
/// its structure line by line and references inside it are encoded by Terraform.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The name of the local value; given by the module when the block is added.
    pub(crate) local: String,
    /// The content.
    pub content: Value,
}

impl Value {
    /// Literal text.
    pub fn string(text: impl Into<Cow<'static, str>>) -> Self {
        Self::String(text.into())
    }

    /// A JSON document in a string argument.
    pub fn document(content: Value) -> Self {
        Self::Document(Box::new(Document { local: String::new(), content }))
    }

    /// The value of `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Object(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The literal text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Calls `visit` for every expression below this value, those inside documents included.
    pub fn visit<'v>(&'v self, visit: &mut impl FnMut(&'v Expression)) {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
            Self::List(items) => items.iter().for_each(|v| v.visit(visit)),
            Self::Object(entries) => entries.iter().for_each(|(_, v)| v.visit(visit)),
            Self::Expression(expression) => {
                visit(expression);
                expression.operands().for_each(|v| v.visit(visit));
            }
            Self::Document(document) => document.content.visit(visit),
        }
    }
}

impl<K> From<Expr<K>> for Value {
    fn from(expr: Expr<K>) -> Self {
        expr.into_value()
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::string(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::string(text)
    }
}

/// A number that keeps integers exact: never a float alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number.
    Int(i64),
    /// A finite number with a fraction.
    Float(f64),
}

macro_rules! whole_numbers {
    ($($t:ty),*) => {$(
        impl From<$t> for Number {
            fn from(n: $t) -> Self {
                Self::Int(i64::from(n))
            }
        }
    )*};
}
whole_numbers!(i8, i16, i32, i64, u8, u16, u32);

impl From<usize> for Number {
    /// Counts of blocks and the like; saturates at [`i64::MAX`].
    fn from(n: usize) -> Self {
        Self::Int(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Number {
    fn from(n: f64) -> Self {
        Self::Float(n)
    }
}
