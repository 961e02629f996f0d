//! What a typed block is, and what it writes itself into.

use std::marker::PhantomData;

use crate::kind::{Bool, Number, Text};
use crate::{Address, Addressed, Expr, Expression, IntoExpr, Key, Mode, Reference, Step, Subject, Value};

/// A typed block: a resource, or a nested block of one.
pub trait Block {
    /// Writes every argument that is set, and every nested block.
    fn write(self, body: &mut Body);
}

/// A typed resource, data source or ephemeral resource.
pub trait Resource: Block {
    /// Which of the three.
    const MODE: Mode;
    /// The type, such as `aws_vpc`.
    const TYPE: &'static str;
    /// Whether it takes tags.
    const TAGGABLE: bool;
    /// The typed handle that [`Stack::add`](crate::Stack::add) returns.
    type Handle: Addressed;
    /// The handle of the block at `address`.
    fn handle(address: Address) -> Self::Handle;
}

/// The typed configuration of a provider.
pub trait ProviderConfig: Block {
    /// The provider's local name, such as `aws`.
    const NAME: &'static str;
}

/// The name of an argument of `R`, for `ignore_changes` and the like.
pub struct Attribute<R> {
    pub(crate) name: &'static str,
    of: PhantomData<fn() -> R>,
}

impl<R> Attribute<R> {
    /// For the generated bindings.
    pub const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }

    /// The argument's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// One or more nested blocks, where the provider requires at least one.
///
/// They are kept on the heap, the first as well: blocks nest deeply, and a block that held its children inline would
/// outgrow the stack of a thread (178 KB for a rule of `aws_wafv2_web_acl`).
#[derive(Clone, Debug)]
pub struct NonEmpty<B>(Vec<B>);

impl<B> NonEmpty<B> {
    /// At least `first`.
    pub fn new(first: B, rest: impl IntoIterator<Item = B>) -> Self {
        Self(std::iter::once(first).chain(rest).collect())
    }

    /// Just one.
    pub fn one(first: B) -> Self {
        Self(vec![first])
    }

    /// None if `blocks` is empty.
    pub fn from_vec(blocks: Vec<B>) -> Option<Self> {
        if blocks.is_empty() { None } else { Some(Self(blocks)) }
    }
}

impl<B> IntoIterator for NonEmpty<B> {
    type Item = B;
    type IntoIter = std::vec::IntoIter<B>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The arguments and nested blocks of a block, as they are written.
#[derive(Debug, Default)]
pub struct Body {
    pub(crate) entries: Vec<(Key, Value)>,
    pub(crate) too_many: Vec<(&'static str, usize, usize)>,
}

impl Body {
    /// A required argument.
    pub fn argument<K>(&mut self, name: &'static str, value: Expr<K>) {
        self.entries.push((Key::Borrowed(name), value.into_value()));
    }

    /// An optional argument, left out if it is not set.
    pub fn optional<K>(&mut self, name: &'static str, value: Option<Expr<K>>) {
        if let Some(value) = value {
            self.argument(name, value);
        }
    }

    /// An argument that must be present even if it has no value, as attribute-as-block objects need.
    pub fn nullable<K>(&mut self, name: &'static str, value: Option<Expr<K>>) {
        let value = value.map_or(Value::Null, Expr::into_value);
        self.entries.push((Key::Borrowed(name), value));
    }

    /// A nested block that stands at most once.
    pub fn block(&mut self, name: &'static str, block: impl Block) {
        let value = self.nested(block);
        self.entries.push((Key::Borrowed(name), value));
    }

    /// Nested blocks in order; nothing is written if there are none. `max` is the provider's limit.
    pub fn blocks<B: Block>(
        &mut self,
        name: &'static str,
        blocks: impl IntoIterator<Item = B>,
        max: Option<usize>,
    ) {
        let items: Vec<Value> = blocks.into_iter().map(|b| self.nested(b)).collect();
        if let Some(max) = max.filter(|&max| items.len() > max) {
            self.too_many.push((name, items.len(), max));
        }
        if !items.is_empty() {
            self.entries.push((Key::Borrowed(name), Value::List(items)));
        }
    }

    /// An attribute whose elements are objects: written as a list even if it is empty.
    pub fn objects<B: Block>(&mut self, name: &'static str, objects: Option<Vec<B>>) {
        if let Some(objects) = objects {
            let items = objects.into_iter().map(|b| self.nested(b)).collect();
            self.entries.push((Key::Borrowed(name), Value::List(items)));
        }
    }

    fn nested(&mut self, block: impl Block) -> Value {
        let mut body = Self::default();
        block.write(&mut body);
        self.too_many.append(&mut body.too_many);
        Value::Object(body.entries)
    }
}

/// A reference to an object inside a block's attributes.
pub trait Object {
    /// The object that `reference` leads to.
    fn object(reference: Reference) -> Self;
}

/// A reference to a list or set of objects, such as a certificate's validation options.
pub struct Elements<O> {
    reference: Reference,
    of: PhantomData<fn() -> O>,
}

impl<O: Object> Elements<O> {
    /// For the generated bindings.
    pub fn new(reference: Reference) -> Self {
        Self { reference, of: PhantomData }
    }

    /// The element at `index`, of a list.
    pub fn at(&self, index: usize) -> O {
        O::object(self.reference.clone().step(Step::Index(index)))
    }

    /// The list or set of objects that the element at `index` holds under `attribute`, where the bindings do not know them.
    #[must_use]
    pub fn below(&self, index: usize, attribute: &'static str) -> Self {
        let reference = self.reference.clone().step(Step::Index(index)).step(Step::Attribute(attribute));
        Self::new(reference)
    }

    /// `attribute` of the one element whose `key` equals `value`; the plan fails if there is none.
    pub fn find(&self, key: &'static str, value: impl IntoExpr<Text>, attribute: &'static str) -> Expr<Text> {
        Expr::of(Value::Expression(Box::new(Expression::Find {
            collection: self.reference.clone(),
            key,
            equals: value.into_expr().into_value(),
            attribute,
        })))
    }

    /// The objects of an attribute of the block itself: `self.name`, for postconditions.
    pub fn itself(name: &'static str) -> Self {
        Self::new(Reference { subject: Subject::Itself, path: vec![Step::Attribute(name)] })
    }

    /// Whether `attribute` begins with `prefix` in none of the objects.
    pub fn none_starts_with(&self, attribute: &'static str, prefix: &'static str) -> Expr<Bool> {
        let collection = self.reference.clone();
        Expr::of(Value::Expression(Box::new(Expression::NoneStartsWith { collection, attribute, prefix })))
    }

    /// `length(self)`
    pub fn count(&self) -> Expr<Number> {
        let collection = Value::Expression(Box::new(Expression::Reference(self.reference.clone())));
        Expr::of(Value::Expression(Box::new(Expression::Call {
            function: "length",
            arguments: vec![collection],
        })))
    }
}

/// Declares the handle of a resource: one typed accessor per attribute. For the generated bindings.
#[macro_export]
macro_rules! handle {
    ($(#[$doc:meta])* $handle:ident { $($name:ident $($spelled:literal)? : $ty:tt $(<$inner:ty>)?,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $handle($crate::Address);

        impl $handle {
            pub(crate) fn new(address: $crate::Address) -> Self {
                Self(address)
            }
            $($crate::handle!(@accessor $name $($spelled)? : $ty $(<$inner>)?);)*
        }

        impl $crate::Addressed for $handle {
            fn address(&self) -> &$crate::Address {
                &self.0
            }
        }
    };
    (@accessor $name:ident : Elements<$inner:ty>) => {
        /// The objects of the attribute of this name.
        pub fn $name(&self) -> $crate::Elements<$inner> {
            $crate::Elements::new($crate::Reference::attribute(&self.0, stringify!($name)))
        }
    };
    (@accessor $name:ident $spelled:literal : ($ty:ty)) => {
        $crate::handle!(@named $name, $spelled, $ty);
    };
    (@accessor $name:ident : ($ty:ty)) => {
        $crate::handle!(@named $name, stringify!($name), $ty);
    };
    (@named $name:ident, $spelled:expr, $ty:ty) => {
        /// The attribute of this name.
        pub fn $name(&self) -> $crate::Expr<$ty> {
            $crate::Expr::reference($crate::Reference::attribute(&self.0, $spelled))
        }
    };
}

/// Declares the names of a resource's arguments and nested blocks, for `ignore_changes`. For the generated
/// bindings.
#[macro_export]
macro_rules! arguments {
    ($resource:ident { $($constant:ident $spelled:literal,)* }) => {
        impl $resource {
            $(
                #[doc = concat!("`", $spelled, "`")]
                pub const $constant: $crate::Attribute<Self> = $crate::Attribute::new($spelled);
            )*
        }
    };
}

/// Declares an object inside a handle's attributes: one typed accessor per field. For the generated bindings.
#[macro_export]
macro_rules! object {
    ($(#[$doc:meta])* $object:ident { $($name:ident $spelled:literal : $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $object($crate::Reference);

        impl $object {
            $(
                /// The field of this name.
                pub fn $name(&self) -> $crate::Expr<$ty> {
                    $crate::Expr::reference(self.0.clone().step($crate::Step::Attribute($spelled)))
                }
            )*
        }

        impl $crate::Object for $object {
            fn object(reference: $crate::Reference) -> Self {
                Self(reference)
            }
        }
    };
}
