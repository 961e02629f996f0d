//! What Terraform evaluates: references, templates, calls, operations.

use std::borrow::Cow;

use crate::{Address, Value};

/// An expression of Terraform's language.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// `aws_vpc.main.id`
    Reference(Reference),
    /// Text made of parts: literal text and expressions, joined in order.
    Template(Vec<Value>),
    /// `cidrsubnet(var.cidr, 8, 1)`
    Call {
        /// The function's name.
        function: &'static str,
        /// Its arguments, in order.
        arguments: Vec<Value>,
    },
    /// `left == right`
    Operation {
        /// The operator.
        operator: Operator,
        /// The left side.
        left: Value,
        /// The right side.
        right: Value,
    },
    /// `one([for item in collection : item.attribute if item.key == equals])`
    Find {
        /// The set or list of objects to look through.
        collection: Reference,
        /// The attribute that tells the objects apart.
        key: &'static str,
        /// The value of `key` in the object that is meant.
        equals: Value,
        /// The attribute of that object to return.
        attribute: &'static str,
    },
    /// `alltrue([for item in collection : !startswith(item.attribute, prefix)])`
    NoneStartsWith {
        /// The set or list of objects to look through.
        collection: Reference,
        /// The attribute that is looked at.
        attribute: &'static str,
        /// What it must not begin with in any of them.
        prefix: &'static str,
    },
}

impl Expression {
    /// The values directly inside this expression, the reference's own path excluded.
    pub fn operands(&self) -> impl Iterator<Item = &Value> {
        let (list, pair): (&[Value], [Option<&Value>; 2]) = match self {
            Self::Reference(_) => (&[], [None, None]),
            Self::Template(parts) => (parts, [None, None]),
            Self::Call { arguments, .. } => (arguments, [None, None]),
            Self::Operation { left, right, .. } => (&[], [Some(left), Some(right)]),
            Self::Find { equals, .. } => (&[], [Some(equals), None]),
            Self::NoneStartsWith { .. } => (&[], [None, None]),
        };
        list.iter().chain(pair.into_iter().flatten())
    }

    /// The reference that this expression makes itself, if any.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Reference(reference)
            | Self::Find { collection: reference, .. }
            | Self::NoneStartsWith { collection: reference, .. } => Some(reference),
            _ => None,
        }
    }
}

/// An operator with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
}

impl Operator {
    /// How Terraform spells it.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::And => "&&",
            Self::Or => "||",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        }
    }
}

/// A reference: what it names, and the way from there to the value.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// What is named.
    pub subject: Subject,
    /// The steps from there.
    pub path: Vec<Step>,
}

/// What a reference names.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// A resource, data source or ephemeral resource.
    Block(Address),
    /// `local.name`
    Local(Cow<'static, str>),
    /// `var.name`
    Variable(Cow<'static, str>),
    /// `self`: the block itself, in its postconditions.
    Itself,
}

/// One step of a reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// `.name`
    Attribute(&'static str),
    /// `[0]`
    Index(usize),
    /// `["key"]`
    Key(String),
}

impl Reference {
    /// A reference to an attribute of a block.
    pub fn attribute(address: &Address, name: &'static str) -> Self {
        Self { subject: Subject::Block(address.clone()), path: vec![Step::Attribute(name)] }
    }

    /// The same reference, one step further.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}
